package route

import (
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
)

// maxRows bounds the rows of vindex values that a destination lists; beyond it
// the statement goes to all shards.
const maxRows = 4096

// destination says how the shards of a place are found, by what is known of the
// vindex columns.
func (b *binder) destination(p place) Destination {
	switch p.kind {
	case placeAny:
		if p.keyspace == "" {
			return Destination{Kind: DestFirst}
		}
		return Destination{Kind: DestShard} // any will do
	case placeFixed:
		return p.dest
	case placeMany:
		return Destination{Kind: DestAll}
	}
	d := Destination{Kind: DestAll, Vindex: p.vindex.Vindex, Name: p.vindex.Name}
	rows := [][]Source{nil}
	if keys := tuples(len(p.classes), func(i int) *fact { return &p.classes[i].fact }); keys != nil && len(keys) <= maxRows {
		for _, c := range p.classes {
			d.Columns = append(d.Columns, ColumnOf(columnOf(c.terms[0])))
		}
		d.Kind, d.Rows = DestIn, keys
		return d
	}
	for i, c := range p.classes {
		var values []Source
		switch {
		case c.fact.eq != nil:
			values = []Source{*c.fact.eq}
		case c.fact.in != nil:
			values = c.fact.in
		case c.fact.list != nil && len(p.classes) == 1:
			d.Kind, d.Rows = DestList, [][]Source{{*c.fact.list}}
			d.Columns = []vindex.Column{ColumnOf(columnOf(c.terms[0]))}
			return d
		default:
			if l, ok := b.byLookup(p); ok {
				return l
			}
			return b.partial(d, p, rows, i)
		}
		if len(rows)*len(values) > maxRows {
			return Destination{Kind: DestAll}
		}
		rows = product(rows, values)
		d.Columns = append(d.Columns, ColumnOf(columnOf(c.terms[0])))
	}
	d.Rows = rows
	d.Kind = DestIn
	if len(rows) == 1 {
		d.Kind = DestEqual
	} else if len(p.classes) == 1 {
		for _, list := range p.classes[0].fact.also {
			if len(list) <= maxRows {
				d.Also = append(d.Also, list)
			}
		}
	}
	return d
}

// guard notes the conditions of s that hang on no row: without them s has no rows,
// as any one shard can say.
func (b *binder) guard(d *Destination, s *sqlast.Select) {
	if s.Where == nil || d.Single() {
		return
	}
	for _, c := range sqlast.Conjuncts(s.Where) {
		if !rowless(c) {
			continue
		}
		if is, ok := c.(*sqlast.Is); ok && is.What == sqlast.IsTrue && !is.Not {
			c = is.X
		}
		if g, ok := b.facts.constant(c); ok {
			d.Guards = append(d.Guards, g)
		}
	}
}

// rowless says whether a condition is made of constants, in a way that can't fail.
func rowless(e sqlast.Expr) bool {
	ok := true
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		switch x := x.(type) {
		case *sqlast.Lit:
			ok = ok && x.Kind != sqlast.LitString && x.Kind != sqlast.LitBytes || x != e // text is true as a number
		case *sqlast.Param, *sqlast.Is:
		case *sqlast.Binary:
			ok = ok && (x.Op.Comparison() || x.Op == sqlast.OpAnd || x.Op == sqlast.OpOr)
		case *sqlast.Unary:
			ok = ok && x.Op == sqlast.OpNot
		default:
			ok = false
		}
		return ok
	})
	return ok
}

// tuples gives the keys that one condition like (a, b) IN ((1, 2), (3, 4)) lists,
// when it says all that is known of the n columns; nil otherwise.
func tuples(n int, of func(int) *fact) [][]Source {
	from := of(0).tuples
	for i := range n {
		if f := of(i); from == nil || f.tuples != from || f.eq != nil {
			return nil
		}
	}
	rows := make([][]Source, len(of(0).in))
	for k := range rows {
		for i := range n {
			rows[k] = append(rows[k], of(i).in[k])
		}
	}
	return rows
}

func product(rows [][]Source, values []Source) [][]Source {
	out := make([][]Source, 0, len(rows)*len(values))
	for _, r := range rows {
		for _, v := range values {
			out = append(out, append(r[:len(r):len(r)], v))
		}
	}
	return out
}

// partial makes use of what is known when column i's value isn't: bounds on an
// only column, or the columns before it.
func (b *binder) partial(d Destination, p place, rows [][]Source, i int) Destination {
	if i > 0 {
		if _, ok := d.Vindex.(vindex.PartialMapper); ok {
			d.Kind, d.Rows = DestPrefix, rows
			return d
		}
		return Destination{Kind: DestAll}
	}
	f := p.classes[0].fact
	_, ok := d.Vindex.(vindex.RangeMapper)
	if !ok || len(p.classes) != 1 || f.lo == nil && f.hi == nil {
		return Destination{Kind: DestAll}
	}
	d.Kind = DestRange
	d.Columns = []vindex.Column{ColumnOf(columnOf(p.classes[0].terms[0]))}
	d.Lo, d.Hi = BoundSource{Unbounded: true}, BoundSource{Unbounded: true}
	if f.lo != nil {
		d.Lo = *f.lo
	}
	if f.hi != nil {
		d.Hi = *f.hi
	}
	return d
}

// splittable says whether the destination is the members of one IN condition on
// the only vindex column, so that each shard can be sent its own members alone.
func splittable(p place, d Destination) bool {
	// What keys are asked for is their shards' to make.
	return d.Kind == DestIn && len(p.classes) == 1 && p.classes[0].fact.eq == nil && p.classes[0].fact.inNode != nil &&
		d.Columns[0].Affinity != vindex.Exact
}
