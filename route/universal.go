package route

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

// The columns that identify a row of a stored table in a scratch table.
const (
	shardColumn = "_shard"
	rowIDColumn = "_rowid"
)

// universal plans any query: each stored table's rows, as far as the query can
// need them, become a table of the scratch database, and the query runs there
// as it stands.
func (b *binder) universal(p *Plan, q sqlast.Query) error {
	return b.universalFor(p, q, nil)
}

// universalFor is universal for a query that also needs, of the tables in
// targets, the rows' shards and row IDs.
func (b *binder) universalFor(p *Plan, q sqlast.Query, targets map[*source]bool) error {
	needed := b.neededColumns(q)
	var frags []*Fragment
	for i, src := range b.bases {
		f, err := b.tableFragment(src, needed[src], targets[src])
		if err != nil {
			return err
		}
		frags = append(frags, f)
		src.ref.Alias = src.label
		src.ref.Name, src.ref.Schema = "f"+itoa(i), ""
	}
	if s, ok := q.(*sqlast.Select); ok {
		s.Lock = nil
	}
	text, err := b.print(q)
	if err != nil {
		return err
	}
	p.Fragments = frags
	p.Combine = Combine{Kind: Query, Width: len(b.outputs[q]), SQL: text.String()}
	return nil
}

// neededColumns lists, for each stored table, the ordinals of the columns that
// the query names.
func (b *binder) neededColumns(q sqlast.Query) map[*source]map[int]bool {
	out := map[*source]map[int]bool{}
	sqlast.WalkQuery(q, func(e sqlast.Expr) bool {
		if c, ok := e.(*sqlast.Col); ok {
			if src := b.sourceOf[c]; src != nil && src.def != nil {
				if out[src] == nil {
					out[src] = map[int]bool{}
				}
				if i := src.findAny(c.Name); i >= 0 {
					out[src][i] = true
				}
			}
		}
		return true
	})
	return out
}

// tableFragment fetches a table's columns, filtered by what is known of its
// rows, from the shards that can hold them.
func (b *binder) tableFragment(src *source, cols map[int]bool, target bool) (*Fragment, error) {
	at := b.facts.sourceClasses(src)
	dest := b.destination(at)
	ref := &sqlast.TableRef{Name: src.def.Name, Alias: src.ref.Alias, Table: src.def}
	if ref.Alias == "" && src.label != ref.Name {
		ref.Alias = src.label
	}
	frag := &sqlast.Select{From: ref, Where: sqlast.CloneExpr(b.pushable(src))}
	f := &Fragment{Keyspace: src.keyspace, Dest: dest, Tag: target}
	add := func(c *sqlast.Col, as string, t sqlast.Type) {
		it := sqlast.SelectItem{Expr: c}
		if as != c.Name {
			it.Alias = as
		}
		frag.Items = append(frag.Items, it)
		f.Names, f.Types = append(f.Names, as), append(f.Types, t)
	}
	for i, c := range src.cols {
		if cols[i] {
			col := &sqlast.Col{Name: c.name, Pos: -1, Source: ref, Def: c.def}
			col.T = c.typ
			add(col, c.name, c.typ)
		}
	}
	if target {
		add(&sqlast.Col{Name: "rowid", Pos: -1}, rowIDColumn, sqlast.TypeOf(sqlast.ClassInt))
	}
	if len(frag.Items) == 0 {
		c := src.cols[0]
		add(&sqlast.Col{Name: c.name, Pos: -1, Source: ref, Def: c.def}, c.name, c.typ)
	}
	text, err := b.print(frag)
	if err != nil {
		return nil, err
	}
	f.SQL, f.Width = text, len(frag.Items)
	return f, nil
}

// pushable is the part of a block's conditions that speaks of one table alone,
// and decides whether its row can matter.
func (b *binder) pushable(src *source) sqlast.Expr {
	var out []sqlast.Expr
	take := func(cond sqlast.Expr) {
		for _, c := range sqlast.Conjuncts(cond) {
			if b.onlyAbout(c, src) {
				out = append(out, c)
			}
		}
	}
	blk := src.block
	if blk.sel != nil && !src.nullable {
		take(blk.sel.Where)
	}
	for _, j := range blk.joins {
		inner := j.join.Kind == sqlast.JoinInner || j.join.Kind == sqlast.JoinCross
		if inner && !src.nullable || farSide(j, src) {
			take(j.join.On)
		}
	}
	return sqlast.And(out...)
}

// farSide says whether an outer join may drop rows of src that its condition
// rejects: src is on the side that NULLs stand in for.
func farSide(j *joinInfo, src *source) bool {
	far := j.right
	switch j.join.Kind {
	case sqlast.JoinLeft:
	case sqlast.JoinRight:
		far = j.left
	default:
		return false
	}
	// Only a table that is the whole far side: a join inside it may keep other
	// rows by this one's.
	return len(far) == 1 && far[0] == src
}

// onlyAbout says whether a condition names columns of src alone, and nothing
// whose value hangs on other rows.
func (b *binder) onlyAbout(e sqlast.Expr, src *source) bool {
	ok, some := true, false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		switch x := x.(type) {
		case *sqlast.Col:
			ok = ok && b.sourceOf[x] == src
			some = true
		case *sqlast.Subquery, *sqlast.Agg, *sqlast.Window:
			ok = false
		case *sqlast.In:
			ok = ok && x.Sub == nil
		case *sqlast.Func:
			ok = ok && x.Name != "RAND" && x.Name != "UUID"
		}
		return ok
	})
	return ok && some
}
