package route

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

// union plans UNION ALL, and UNION, whose members the shards can give by
// themselves: a fragment per member, the streams put side by side or merged by
// ORDER BY, and told apart for UNION. It says whether the query is like that.
func (b *binder) union(p *Plan, q *sqlast.SetOp) (bool, error) {
	if q.Kind != sqlast.Union {
		return b.together(p, q)
	}
	var members []*sqlast.Select
	if q.With != nil || q.Kind != sqlast.Union || !unionMembers(q, q.All, true, &members) {
		return false, nil
	}
	c, ok := b.unionCombine(q, members)
	if !ok {
		return false, nil
	}
	var frags []*Fragment
	for _, s := range members {
		at := b.facts.locate(s)
		dest := b.destination(at.place)
		b.guard(&dest, s)
		if at.kind == placeMany || !dest.Single() && (at.onlySingle || !b.local(s)) {
			return false, nil
		}
		if at.keyspace == "" {
			at.keyspace = b.env.Keyspace
		}
		member := *s
		member.Distinct = member.Distinct || c.Distinct != nil
		for _, k := range c.Sort {
			n := &sqlast.Lit{Kind: sqlast.LitInt, Text: itoa(k.Col + 1)}
			n.T = sqlast.TypeOf(sqlast.ClassInt)
			member.OrderBy = append(member.OrderBy, sqlast.OrderItem{Expr: n, Desc: k.Desc, Nulls: nullsOf(k)})
		}
		if c.Distinct == nil || c.Kind == Merge {
			member.Limit = shardLimit(q.Limit)
		}
		if !b.runs(at.keyspace, &member) {
			return false, nil
		}
		split := b.split(&member, at.place, dest)
		text, err := b.print(at.keyspace, &member)
		if err != nil {
			return false, err
		}
		frags = append(frags, &Fragment{Keyspace: at.keyspace, Dest: dest, SQL: text, Split: split, Width: c.Width})
	}
	p.Fragments, p.Combine = frags, c
	return true, nil
}

// together plans INTERSECT and EXCEPT whose equal rows are on one shard: each shard
// can tell by itself which of its rows stay.
func (b *binder) together(p *Plan, q *sqlast.SetOp) (bool, error) {
	whole := *q
	whole.Limit = nil
	at := b.facts.locate(&whole)
	if at.kind != placeGroup || at.onlySingle {
		return false, nil
	}
	c, ok := b.unionCombine(q, selects(q, nil))
	if !ok {
		return false, nil
	}
	c.Distinct = nil
	whole.Limit = shardLimit(q.Limit)
	if !b.runs(at.keyspace, &whole) {
		return false, nil
	}
	text, err := b.print(at.keyspace, &whole)
	if err != nil {
		return false, err
	}
	p.Fragments, p.Combine = []*Fragment{{Keyspace: at.keyspace, Dest: b.destination(at.place), SQL: text, Width: c.Width}}, c
	return true, nil
}

// selects lists the SELECTs that a set operation is made of.
func selects(q sqlast.Query, out []*sqlast.Select) []*sqlast.Select {
	switch q := q.(type) {
	case *sqlast.SetOp:
		return selects(q.R, selects(q.L, out))
	case *sqlast.Select:
		return append(out, q)
	}
	return out
}

// sameShard says whether rows of two queries that are equal are on one shard: both
// queries give the sharding key of their rows, in the same columns.
func (f *facts) sameShard(l, r sqlast.Query, at, other located) bool {
	if at.kind != placeGroup || other.kind != placeGroup || at.onlySingle || other.onlySingle ||
		at.keyspace != other.keyspace || !sameVindex(at.vindex, other.vindex) {
		return false
	}
	for i := range at.classes {
		found := false
		for k := range f.b.outputs[l] {
			x, ok1 := f.keyItem(l, k, at.classes[i])
			y, ok2 := f.keyItem(r, k, other.classes[i])
			found = found || ok1 && ok2 && compatible(x, y)
		}
		if !found {
			return false
		}
	}
	return true
}

// keyItem says whether column k of a query is the sharding column of class c, in
// every row, and each shard can give its part of the rows; t is its type.
func (f *facts) keyItem(q sqlast.Query, k int, c *class) (t sqlast.Type, ok bool) {
	switch q := q.(type) {
	case *sqlast.SetOp:
		return f.keyItem(q.L, k, c)
	case *sqlast.Select:
		if !f.b.local(q) {
			return t, false
		}
		x, ok := f.term(q.Items[k].Expr)
		if !ok || f.filled(q.Items[k].Expr) || f.class(x) != c {
			return t, false
		}
		return columnOf(x), true
	}
	return t, false
}

// unionMembers lists the members of a chain of UNIONs that are all ALL, or none.
func unionMembers(q sqlast.Query, all, top bool, out *[]*sqlast.Select) bool {
	switch q := q.(type) {
	case *sqlast.SetOp:
		return q.Kind == sqlast.Union && q.All == all && (top || q.With == nil && len(q.OrderBy) == 0 && q.Limit == nil) &&
			unionMembers(q.L, all, false, out) && unionMembers(q.R, all, false, out)
	case *sqlast.Select:
		*out = append(*out, q)
		return q.Limit == nil && len(q.OrderBy) == 0 && q.ValuesRows == nil && q.With == nil
	}
	return false
}

// unionCombine is what the gate does with the members' rows; false when columns
// compare differently in different members, or the order isn't by columns.
func (b *binder) unionCombine(q *sqlast.SetOp, members []*sqlast.Select) (Combine, bool) {
	n := len(b.outputs[q])
	c := Combine{Kind: Concat, Width: n}
	folds := func(i int) bool { return noCase(members[0].Items[i].Expr) }
	for _, m := range members[1:] {
		for i := range m.Items {
			if noCase(m.Items[i].Expr) != folds(i) {
				return c, false
			}
		}
	}
	for _, o := range q.OrderBy {
		i := -1
		switch e := o.Expr.(type) {
		case *sqlast.Lit:
			if k, ok := smallInt(e.Text); ok && e.Kind == sqlast.LitInt {
				i = k - 1
			}
		case *sqlast.Col:
			if src := b.sourceOf[e]; src != nil {
				i = src.findAny(e.Name)
			}
		}
		if i < 0 || i >= n {
			return c, false
		}
		c.Kind = Merge
		c.Sort = append(c.Sort, SortKey{Col: i, Desc: o.Desc, NoCase: folds(i), NullsAside: o.NullsAside()})
	}
	if !q.All {
		c.Distinct = make([]SortKey, n)
		for i := range n {
			c.Distinct[i] = SortKey{Col: i, NoCase: folds(i)}
		}
	}
	c.Limit, c.Offset = limitSources(q.Limit)
	return c, true
}
