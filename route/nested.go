package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// push makes one fragment of a query that stands inside another and that the
// shards can answer, or nearly so: what is left to do is a query over the
// fragment's table, which is returned. It is nil when the query isn't like that,
// or is no more than a table's rows.
func (u *gathering) push(q sqlast.Query) (sqlast.Query, error) {
	s, ok := q.(*sqlast.Select)
	if !ok || s.ValuesRows != nil || !u.worth(s) {
		return nil, nil
	}
	if !u.b.closed(s) {
		return u.pushCorrelated(s)
	}
	b := u.b
	at := b.facts.locate(s)
	dest := b.destination(at.place)
	b.guard(&dest, s)
	if at.kind == placeMany || at.keyspace == "" || at.onlySingle && !dest.Single() {
		return nil, nil
	}
	if !b.runs(at.keyspace, s) || !b.namable(at.keyspace, s) {
		if !isAggregated(s) {
			return nil, nil
		}
		return u.pushParts(s, b.blocks[s], at.place, dest)
	}
	if dest.Single() {
		return u.pushRows(s, *s, at.place, dest, false)
	}
	limit := s.Limit
	s.Limit = nil
	whole := b.local(s)
	s.Limit = limit
	switch {
	case whole:
	case isAggregated(s):
		return u.pushParts(s, b.blocks[s], at.place, dest)
	case hasWindows(s):
		return nil, nil
	}
	return u.pushRows(s, *s, at.place, dest, true)
}

// namable says whether the rows of a query that a keyspace's shards can run have the values
// that its columns' types say: what is done with them goes by these.
func (b *binder) namable(ks string, s *sqlast.Select) bool {
	return b.able(ks) || b.runs(ks, &sqlast.Select{Items: []sqlast.SelectItem{{Expr: countOf(1)}},
		From: &sqlast.Derived{Query: s, Alias: "_q"}})
}

// worth says whether a query does more than filter a table's rows.
func (u *gathering) worth(s *sqlast.Select) bool {
	_, single := s.From.(*sqlast.TableRef)
	return s.From != nil && (!single || isAggregated(s) || s.Distinct || s.Limit != nil || hasWindows(s))
}

// closed says whether a query names nothing of the queries around it: neither
// columns nor CTEs.
func (b *binder) closed(q sqlast.Query) bool {
	if s, ok := q.(*sqlast.Select); ok && b.blocks[s] != nil && b.blocks[s].outer {
		return false
	}
	inside := map[sqlast.Query]bool{}
	sqlast.EachQuery(q, func(q sqlast.Query) { inside[q] = true })
	ok := true
	for q := range inside {
		sel, isSelect := q.(*sqlast.Select)
		if !isSelect {
			continue
		}
		blk := b.blocks[sel]
		if blk == nil {
			return false
		}
		for _, src := range blk.sources {
			ok = ok && (src.cte == nil || inside[src.cte.query])
		}
	}
	sqlast.WalkQuery(q, func(e sqlast.Expr) bool {
		if c, isCol := e.(*sqlast.Col); isCol {
			if src := b.sourceOf[c]; src != nil && src.block != nil && src.block.sel != nil {
				ok = ok && inside[src.block.sel]
			}
		}
		return ok
	})
	return ok
}

// pushRows makes a fragment of a query whose rows the shards give. Where several
// do, ORDER BY with LIMIT, and DISTINCT, are done once more over all of them.
func (u *gathering) pushRows(s *sqlast.Select, frag sqlast.Select, at place, dest Destination, again bool) (sqlast.Query, error) {
	b := u.b
	blk := b.blocks[s]
	top := &sqlast.Select{}
	f := &Fragment{Keyspace: at.keyspace, Dest: dest}
	frag.Lock = nil
	column := func(e sqlast.Expr) *sqlast.Col {
		c := &sqlast.Col{Name: "c" + itoa(len(f.Names)), Pos: -1}
		c.T = *e.Type()
		f.Names, f.Types = append(f.Names, c.Name), append(f.Types, scratchType(e))
		return c
	}
	for i, it := range s.Items {
		top.Items = append(top.Items, sqlast.SelectItem{Expr: column(it.Expr), Alias: b.outputs[s][i].name})
	}
	if again {
		frag.Limit = shardLimit(s.Limit)
		top.Distinct, top.Limit = s.Distinct, s.Limit
		if s.Limit == nil {
			frag.OrderBy = nil
		}
		for i, o := range frag.OrderBy {
			k := b.orderItem(s, blk, i)
			if k < 0 && s.Distinct {
				return nil, nil
			}
			var key sqlast.Expr
			if k >= 0 {
				key = top.Items[k].Expr
			} else {
				e := b.unalias(o.Expr, s)
				frag.Items = append(frag.Items[:len(frag.Items):len(frag.Items)], sqlast.SelectItem{Expr: e})
				key = column(e)
			}
			top.OrderBy = append(top.OrderBy, sqlast.OrderItem{Expr: key, Desc: o.Desc, Nulls: o.Nulls})
		}
	}
	text, err := b.print(at.keyspace, &frag)
	if err != nil {
		return nil, err
	}
	f.SQL, f.Width = text, len(frag.Items)
	u.over(top, f)
	return top, nil
}

// over makes top a query over a fragment's table. Its columns are qualified: an
// ORDER BY would take an alias of the same name first.
func (u *gathering) over(top *sqlast.Select, f *Fragment) {
	name := tableName(u.fragment(f))
	top.From = &sqlast.TableRef{Name: name}
	sqlast.WalkQuery(top, func(e sqlast.Expr) bool {
		if c, ok := e.(*sqlast.Col); ok && c.Table == "" && slices.Contains(f.Names, c.Name) {
			c.Table = name
		}
		return true
	})
}

// scratchType is the type of the scratch column that keeps e's values: only
// columns have an affinity, and with it their way to compare.
func scratchType(e sqlast.Expr) sqlast.Type {
	if c, ok := e.(*sqlast.Col); ok && c.Def != nil {
		return c.T
	}
	t := sqlast.TypeOf(sqlast.ClassUnknown)
	if noCase(e) {
		t.Class, t.NoCase = sqlast.ClassText, true
	}
	return t
}

// pushParts makes a fragment of a query's partial aggregates.
func (u *gathering) pushParts(s *sqlast.Select, blk *block, at place, dest Destination) (sqlast.Query, error) {
	b := u.b
	ps := b.partials(s, blk)
	if ps == nil {
		return nil, nil
	}
	ps.subs = true
	top := b.aggregateByQuery(s, blk, ps)
	if top == nil {
		return nil, nil
	}
	f, err := b.partialFragment(s, ps, at, dest)
	if f == nil || err != nil {
		return nil, err
	}
	for i := range top.Items {
		top.Items[i].Alias = b.outputs[s][i].name
	}
	u.over(top, f)
	return top, u.subqueries(top)
}

// pushJoin makes one fragment of a join of stored tables that are co-located;
// nil when they aren't.
func (u *gathering) pushJoin(j *sqlast.Join, blk *block, nullable bool) (sqlast.TableExpr, error) {
	var leaves []*source
	sel, at := u.joinSelect(j, blk, nullable, &leaves)
	if sel == nil {
		return nil, nil
	}
	f := &Fragment{Keyspace: at.keyspace, Dest: u.b.destination(at)}
	u.b.guard(&f.Dest, blk.sel)
	for k, src := range leaves {
		src.leaf = k
		for i := range src.cols {
			if u.needed[src][i] {
				u.addColumn(sel, f, src, i)
			}
		}
	}
	if len(sel.Items) == 0 {
		return nil, nil
	}
	text, err := u.b.print(at.keyspace, sel)
	if err != nil {
		return nil, err
	}
	f.SQL, f.Width = text, len(sel.Items)
	// Each use has its own table, as the columns are named by it.
	u.frags = append(u.frags, f)
	name := tableName(len(u.frags) - 1)
	for _, src := range leaves {
		u.joined[src] = name
	}
	return &sqlast.TableRef{Name: name}, nil
}

// addColumn adds column i of src to a fragment.
func (u *gathering) addColumn(sel *sqlast.Select, f *Fragment, src *source, i int) {
	c := src.cols[i]
	col := &sqlast.Col{Table: src.label, Name: c.name, Pos: -1, Source: src.ref, Def: c.def}
	col.T = c.typ
	sel.Items = append(sel.Items, sqlast.SelectItem{Expr: col})
	f.Names, f.Types = append(f.Names, joinedName(src.leaf, c.name)), append(f.Types, c.typ)
}

// joinSelect is the statement, still without items, by which each shard joins
// the stored tables of j, which it lists; nil when they aren't co-located.
func (u *gathering) joinSelect(j *sqlast.Join, blk *block, nullable bool, leaves *[]*source) (*sqlast.Select, place) {
	b := u.b
	if !u.leaves(j, blk, leaves) {
		return nil, place{}
	}
	var at place
	for _, src := range *leaves {
		at = meet(at, b.facts.sourceClasses(src))
	}
	inside := func(s *source) bool { return slices.Contains(*leaves, s) }
	if at.kind == placeMany || at.kind == placeAny || !u.plainJoins(j, blk, inside) {
		return nil, place{}
	}
	var conds []sqlast.Expr
	if !nullable {
		take := func(cond sqlast.Expr) {
			for _, c := range sqlast.Conjuncts(cond) {
				if b.onlyAbout(c, inside) {
					conds = append(conds, c)
				}
			}
		}
		take(blk.sel.Where)
		for _, o := range blk.joins {
			if (o.join.Kind == sqlast.JoinInner || o.join.Kind == sqlast.JoinCross) && !slices.ContainsFunc(o.left, inside) {
				take(o.join.On)
			} else if (o.join.Kind == sqlast.JoinInner || o.join.Kind == sqlast.JoinCross) && !slices.ContainsFunc(o.right, inside) {
				take(o.join.On)
			}
		}
	}
	if j.On == nil && len(conds) == 0 || !b.runs(at.keyspace, &sqlast.Select{Items: []sqlast.SelectItem{{Expr: zero}}, From: j}) {
		return nil, place{}
	}
	return &sqlast.Select{From: j, Where: sqlast.And(conds...)}, at
}

func joinedName(leaf int, column string) string { return "j" + itoa(leaf) + "_" + column }

// leaves lists the sources of a join; false unless all are stored tables that
// aren't written.
func (u *gathering) leaves(t sqlast.TableExpr, blk *block, out *[]*source) bool {
	switch t := t.(type) {
	case *sqlast.TableRef:
		for _, src := range blk.sources {
			if src.ref == t && src.def != nil && !u.targets[src] {
				*out = append(*out, src)
				return true
			}
		}
	case *sqlast.Join:
		return u.leaves(t.L, blk, out) && u.leaves(t.R, blk, out)
	}
	return false
}

// plainJoins says whether each shard can do the join of t by itself: no rows
// that stand on every shard are kept beside rows that are spread, and no
// condition asks for other rows than those inside.
func (u *gathering) plainJoins(t sqlast.TableExpr, blk *block, inside func(*source) bool) bool {
	j, ok := t.(*sqlast.Join)
	if !ok {
		return true
	}
	i := slices.IndexFunc(blk.joins, func(x *joinInfo) bool { return x.join == j })
	if i < 0 || u.b.facts.replicatesNear(blk.joins[i]) {
		return false
	}
	plain := true
	sqlast.Walk(j.On, func(x sqlast.Expr) bool {
		plain = plain && sqlast.SubQuery(x) == nil
		if c, ok := x.(*sqlast.Col); ok {
			src := u.b.sourceOf[c]
			plain = plain && src != nil && inside(src)
		}
		return plain
	})
	return plain && u.plainJoins(j.L, blk, inside) && u.plainJoins(j.R, blk, inside)
}

// rename makes the columns of joined sources those of the fragment's table.
func (u *gathering) rename(q sqlast.Query) {
	if len(u.joined) == 0 {
		return
	}
	u.keepNames(q)
	rels := u.rels()
	done := map[*sqlast.Col]bool{}
	sqlast.WalkQuery(q, func(e sqlast.Expr) bool {
		c, ok := e.(*sqlast.Col)
		if !ok || done[c] {
			return true
		}
		done[c] = true
		src := u.b.sourceOf[c]
		if src == nil {
			return true
		}
		if name, ok := u.joined[src]; ok {
			c.Table, c.Name = name, u.joinedColumn(src, c.Name, rels[name])
		}
		return true
	})
}

// joinedColumn is what a column of src is called in the table that holds src
// together with others.
func (u *gathering) joinedColumn(src *source, name string, in Rel) string {
	if name == shardColumn {
		if in >= 0 {
			return name // a fragment's own
		}
		return joinedName(src.tagLeaf, name)
	}
	if i := src.findAny(name); i >= 0 {
		name = src.cols[i].name
	}
	return joinedName(src.leaf, name)
}

// keepNames gives the columns of nested queries that are about to be renamed
// their names as aliases, by which the queries around them know them.
func (u *gathering) keepNames(q sqlast.Query) {
	sqlast.EachQuery(q, func(in sqlast.Query) {
		s, ok := in.(*sqlast.Select)
		if !ok || in == q {
			return
		}
		for i := range s.Items {
			if c, ok := s.Items[i].Expr.(*sqlast.Col); ok && s.Items[i].Alias == "" {
				if src := u.b.sourceOf[c]; src != nil && u.joined[src] != "" {
					s.Items[i].Alias = c.Name
				}
			}
		}
	})
}
