package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
)

// finishJoins prints the fragments that joins read, now that it is known which
// columns anybody still wants.
func (u *gathering) finishJoins(q sqlast.Query) error {
	if len(u.joins) == 0 && len(u.inner) == 0 {
		return nil
	}
	want := u.wanted(q)
	for i := len(u.joins) - 1; i >= 0; i-- {
		u.joins[i].want(want[JoinRel(i)], want)
	}
	moved := map[Rel][]int{} // old ordinal to new, -1 for gone
	for i, f := range u.frags {
		if r := u.inner[f]; r != nil {
			moved[Rel(i)] = r.prune(want[Rel(i)])
		}
	}
	for i, j := range u.joins {
		moved[JoinRel(i)] = j.prune(want[JoinRel(i)], moved)
	}
	for _, j := range u.joins {
		r, _, _ := u.looksUp(j)
		j.LeftFirst = j.LeftFirst || r != nil
	}
	for _, f := range u.frags {
		if r := u.inner[f]; r != nil {
			text, err := u.b.print(f.Keyspace, r.sel)
			if err != nil {
				return err
			}
			f.SQL, f.Width = text, len(r.sel.Items)
		}
	}
	for _, j := range u.joins {
		if err := u.narrow(j); err != nil {
			return err
		}
	}
	return nil
}

// wanted lists the columns, by relation, that the query itself names.
func (u *gathering) wanted(q sqlast.Query) map[Rel]map[int]bool {
	rels := u.rels()
	out := map[Rel]map[int]bool{}
	for src, cols := range u.b.neededColumns(q) {
		r, ok := rels[u.joined[src]]
		if !ok {
			continue
		}
		names := u.names(r)
		for i := range cols {
			if k := slices.Index(names, joinedName(src.leaf, src.cols[i].name)); k >= 0 {
				want(out, r, k)
			}
		}
	}
	for src := range u.targets {
		r, ok := rels[u.joined[src]]
		if !ok {
			continue
		}
		for _, name := range []string{rowIDColumn, shardColumn} {
			if k := slices.Index(u.names(r), u.joinedColumn(src, name, r)); k >= 0 {
				want(out, r, k)
			}
		}
	}
	return out
}

func (u *gathering) names(r Rel) []string {
	if i, ok := r.Join(); ok {
		return u.joins[i].Names
	}
	return u.frags[r].Names
}

func want(m map[Rel]map[int]bool, r Rel, col int) {
	if m[r] == nil {
		m[r] = map[int]bool{}
	}
	m[r][col] = true
}

// want says which columns of its sides a join reads, to give those in out.
func (j *Join) want(out map[int]bool, all map[Rel]map[int]bool) {
	for i, c := range j.Cols {
		if !out[i] {
			continue
		}
		if c.Right {
			want(all, j.Right, c.Col)
		} else {
			want(all, j.Left, c.Col)
		}
	}
	for _, k := range j.Keys {
		want(all, j.Left, k.Left)
		want(all, j.Right, k.Right)
	}
}

// prune drops what nobody wants, but for one column, and tells where the others
// have gone.
func (j *Join) prune(wanted map[int]bool, moved map[Rel][]int) []int {
	at := make([]int, len(j.Cols))
	var cols []JoinCol
	var names []string
	var types []sqlast.Type
	for i, c := range j.Cols {
		at[i] = -1
		if !wanted[i] {
			continue
		}
		at[i] = len(cols)
		cols, names, types = append(cols, c), append(names, j.Names[i]), append(types, j.Types[i])
	}
	if len(cols) == 0 { // rows must have something to be counted by
		cols, names, types = []JoinCol{{Col: j.Keys[0].Left}}, []string{"key"}, []sqlast.Type{sqlast.TypeOf(sqlast.ClassUnknown)}
	}
	to := func(r Rel, i int) int {
		if m := moved[r]; m != nil {
			return m[i]
		}
		return i
	}
	for i, c := range cols {
		if c.Right {
			cols[i].Col = to(j.Right, c.Col)
		} else {
			cols[i].Col = to(j.Left, c.Col)
		}
	}
	for i, k := range j.Keys {
		j.Keys[i].Left, j.Keys[i].Right = to(j.Left, k.Left), to(j.Right, k.Right)
	}
	j.Cols, j.Names, j.Types = cols, names, types
	return at
}

// prune drops a fragment's columns that nobody wants, but for one.
func (r *relation) prune(wanted map[int]bool) []int {
	at := make([]int, len(r.sel.Items))
	var items []sqlast.SelectItem
	var names []string
	var types []sqlast.Type
	for i, it := range r.sel.Items {
		at[i] = -1
		if wanted[i] || len(wanted) == 0 && i == 0 {
			at[i] = len(items)
			items, names, types = append(items, it), append(names, r.frag.Names[i]), append(types, r.frag.Types[i])
		}
	}
	if last := len(r.sel.Items); r.frag.Tag {
		at = append(at, len(items))
		names, types = append(names, r.frag.Names[last]), append(types, r.frag.Types[last])
	}
	r.sel.Items, r.frag.Names, r.frag.Types = items, names, types
	return at
}

// looksUp says whether a semijoin's other side is found by an index: then the keys
// of the left side, unless they are many, are read first, and looked up.
// many: a key may have more than one row.
func (u *gathering) looksUp(j *Join) (r *relation, c *sqlast.Col, many bool) {
	var ok bool
	if r, ok = u.fragmentOf(j.Right); !ok || j.Kind != SemiJoin && j.Kind != AntiJoin || len(j.Keys) != 1 || len(r.srcs) != 1 || len(r.sel.Items) != 1 {
		return nil, nil, false
	}
	if c, ok = r.sel.Items[0].Expr.(*sqlast.Col); !ok {
		return nil, nil, false
	}
	by, many := false, true
	for _, x := range r.srcs[0].def.Indexes {
		if x.Kind <= sqlast.IndexUnique && len(x.Parts) > 0 && x.Parts[0].Length == 0 && strings.EqualFold(x.Parts[0].Column, c.Name) {
			by, many = true, many && (x.Kind == sqlast.IndexPlain || len(x.Parts) > 1)
		}
	}
	if !by {
		return nil, nil, false
	}
	return r, c, many
}

// inJSON are the classes whose values are the same in a list of JSON.
var inJSON = map[sqlast.Class]bool{sqlast.ClassInt: true, sqlast.ClassDouble: true, sqlast.ClassText: true, sqlast.ClassDate: true,
	sqlast.ClassDateTime: true, sqlast.ClassTime: true}

// found asks which keys of a list have a row, by a look at the index for each, which
// ends with the first row that the conditions let through:
//
//	SELECT value FROM (SELECT value FROM json_each(…)) AS _k WHERE EXISTS (SELECT 0 FROM t WHERE … AND t.k = _k.value)
func found(r *relation, t *sqlast.TableRef, c *sqlast.Col, list sqlast.Expr) *sqlast.Select {
	const keys, value = "_k", `"_k"."value"`
	key, member := &sqlast.Raw{Text: value}, &sqlast.Members{X: list}
	own := &sqlast.Col{Table: t.Label(), Name: c.Name, Pos: -1, Source: t, Def: c.Def}
	if own.T = c.T; c.Def != nil {
		own.T = c.Def.Type
	}
	key.T, member.T = own.T, own.T
	same := &sqlast.Binary{Op: sqlast.OpEq, L: own, R: key}
	same.T = sqlast.TypeOf(sqlast.ClassInt)
	row := &sqlast.Subquery{Kind: sqlast.SubExists, Query: &sqlast.Select{Items: []sqlast.SelectItem{{Expr: zero}}, From: t,
		Where: sqlast.And(r.sel.Where, same)}}
	row.T = sqlast.TypeOf(sqlast.ClassInt)
	members := &sqlast.Select{Items: []sqlast.SelectItem{{Expr: member}}}
	return &sqlast.Select{Items: []sqlast.SelectItem{{Expr: key}},
		From: &sqlast.Derived{Query: members, Alias: keys}, Where: row}
}

// narrow finds out how a side's fragment is asked for some keys only.
func (u *gathering) narrow(j *Join) (err error) {
	if r, ok := u.fragmentOf(j.Right); ok {
		if j.NarrowRight, err = u.narrowed(r, j, func(k JoinKey) int { return k.Right }); err != nil {
			return err
		}
	}
	if l, ok := u.fragmentOf(j.Left); ok && (j.Kind == InnerJoin || j.Kind == SemiJoin) {
		j.NarrowLeft, err = u.narrowed(l, j, func(k JoinKey) int { return k.Left })
	}
	return err
}

func (u *gathering) fragmentOf(r Rel) (*relation, bool) {
	if r < 0 {
		return nil, false
	}
	f := u.inner[u.frags[r]]
	return f, f != nil
}

// narrowed chooses the key that shards are chosen by, else the first one.
func (u *gathering) narrowed(r *relation, j *Join, side func(JoinKey) int) (*Narrow, error) {
	if r.frag.Dest.Single() && r.frag.Dest.Kind != DestFirst && r.frag.Dest.Kind != DestShard {
		return nil, nil // few rows already
	}
	n := &Narrow{}
	splits := r.place.kind == placeGroup && len(r.place.classes) == 1 && r.frag.Dest.Kind == DestAll
	for i, k := range j.Keys {
		c, _ := r.sel.Items[side(k)].Expr.(*sqlast.Col)
		other := j.otherType(u, k, side)
		if splits && c != nil && r.places(c) && compatible(c.Def.Type, other) {
			n.Key = i
			n.Dest = &Destination{Kind: DestIn, Vindex: r.place.vindex.Vindex, Name: r.place.vindex.Name, Columns: []vindex.Column{ColumnOf(c.Def.Type)}}
			break
		}
	}
	sel := *r.sel
	x := sel.Items[side(j.Keys[n.Key])].Expr
	slot := &dialect.ListSlot{Index: 0}
	slot.T = *x.Type()
	in := &sqlast.In{X: x, List: []sqlast.Expr{slot}}
	in.T = sqlast.TypeOf(sqlast.ClassInt)
	sel.Where = sqlast.And(sel.Where, in)
	if by, c, many := u.looksUp(j); by == r && many && inJSON[c.T.Class] {
		// Without conditions the fragment's table has no alias.
		if t, ok := sel.From.(*sqlast.TableRef); ok {
			sel, n.JSON = *found(r, t, c, slot), true
		}
	}
	var err error
	n.SQL, err = u.b.print(r.frag.Keyspace, &sel)
	return n, err
}

// places says whether a column of the fragment decides over the shard of its rows:
// another table's column may have the same name.
func (r *relation) places(c *sqlast.Col) bool {
	for _, t := range r.place.classes[0].terms {
		if t.src.def != nil && slices.Contains(r.srcs, t.src) && (len(r.srcs) == 1 || t.src.ref == c.Source) && c.Def == t.src.cols[t.col].def {
			return true
		}
	}
	return false
}

// otherType is the type of a key's column on the side that side isn't.
func (j *Join) otherType(u *gathering, k JoinKey, side func(JoinKey) int) sqlast.Type {
	r, i := j.Left, k.Left
	if side(JoinKey{Left: 0, Right: 1}) == 0 {
		r, i = j.Right, k.Right
	}
	if n, ok := r.Join(); ok {
		return u.joins[n].Types[i]
	}
	return u.frags[r].Types[i]
}

// joinedResult makes the plan's rows of the last join, when what is left of the
// query is no more than columns of it, aggregates, ORDER BY and LIMIT.
func (u *gathering) joinedResult(p *Plan, s *sqlast.Select) bool {
	ref, ok := s.From.(*sqlast.TableRef)
	if !ok || len(u.joins) == 0 || ref.Name != JoinRel(len(u.joins)-1).Name() || u.outside() ||
		s.Where != nil || s.Having != nil || s.With != nil || hasWindows(s) {
		return false
	}
	r := &joinedRows{u: u, b: u.b, j: u.joins[len(u.joins)-1], s: s, blk: u.b.blocks[s]}
	c := Combine{Kind: Joined, Joins: u.joins, Width: len(s.Items)}
	c.Limit, c.Offset = limitSources(s.Limit)
	done := false
	if isAggregated(s) {
		done = r.aggregate(&c)
	} else {
		done = r.plain(&c)
	}
	if done {
		p.Combine = c
	}
	return done
}

// outside says whether there are fragments that no join reads.
func (u *gathering) outside() bool {
	return slices.ContainsFunc(u.frags, func(f *Fragment) bool { return u.inner[f] == nil })
}

// joinedRows makes a result of a join's columns.
type joinedRows struct {
	u   *gathering
	b   *binder
	j   *Join
	s   *sqlast.Select
	blk *block
}

// col is the ordinal of a column of the join, -1 for any other expression.
func (r *joinedRows) col(e sqlast.Expr) int {
	c, ok := e.(*sqlast.Col)
	if !ok {
		return -1
	}
	src := r.b.sourceOf[c]
	if src == nil || r.u.joined[src] == "" {
		return -1
	}
	return slices.Index(r.j.Names, r.u.joinedColumn(src, c.Name, JoinRel(0)))
}

// plain sets the columns of a query that doesn't aggregate: the join gives its
// columns in the order of the items, those that only sort behind them.
func (r *joinedRows) plain(c *Combine) bool {
	var order []int
	for _, it := range r.s.Items {
		i := r.col(it.Expr)
		if i < 0 {
			return false
		}
		if r.s.Distinct {
			c.Distinct = append(c.Distinct, SortKey{Col: len(order), NoCase: noCase(it.Expr)})
		}
		order = append(order, i)
	}
	for i, o := range r.s.OrderBy {
		k := r.b.orderItem(r.s, r.blk, i)
		if k < 0 {
			e := r.col(r.b.unalias(o.Expr, r.s))
			if e < 0 || r.s.Distinct {
				return false
			}
			k = len(order)
			order = append(order, e)
		}
		e := o.Expr
		if k < len(r.s.Items) {
			e = r.s.Items[k].Expr
		}
		c.Sort = append(c.Sort, SortKey{Col: k, Desc: o.Desc, NoCase: noCase(e), NullsAside: o.NullsAside()})
	}
	cols, names, types := r.j.Cols, r.j.Names, r.j.Types
	r.j.Cols, r.j.Names, r.j.Types = nil, nil, nil
	for k, i := range order {
		r.j.Cols, r.j.Types = append(r.j.Cols, cols[i]), append(r.j.Types, types[i])
		name := names[i]
		if slices.Contains(r.j.Names, name) {
			name += "_" + itoa(k) // a column may be given twice
		}
		r.j.Names = append(r.j.Names, name)
	}
	return true
}

// aggregate sets the groups and aggregates.
func (r *joinedRows) aggregate(c *Combine) bool {
	if r.s.Distinct {
		return false
	}
	keys := map[int]bool{}
	for _, e := range groupExprs(r.s, r.blk) {
		i := r.col(e)
		if i < 0 {
			return false
		}
		keys[i] = true
		c.Group = append(c.Group, SortKey{Col: i, NoCase: noCase(e)})
	}
	for _, it := range r.s.Items {
		a, ok := r.output(it.Expr, keys)
		if !ok {
			return false
		}
		c.Aggs = append(c.Aggs, a)
	}
	for i, o := range r.s.OrderBy {
		k := r.b.orderItem(r.s, r.blk, i)
		var e sqlast.Expr
		if k < 0 {
			e = r.b.unalias(o.Expr, r.s)
			a, ok := r.output(e, keys)
			if !ok {
				return false
			}
			k = len(c.Aggs)
			c.Aggs = append(c.Aggs, a)
		} else {
			e = r.s.Items[k].Expr
		}
		c.Sort = append(c.Sort, SortKey{Col: k, Desc: o.Desc, NoCase: noCase(e), NullsAside: o.NullsAside()})
	}
	return true
}

// output is a group's key or an aggregate of a column.
func (r *joinedRows) output(e sqlast.Expr, keys map[int]bool) (AggCol, bool) {
	if i := r.col(e); i >= 0 {
		return AggCol{Op: AggFirst, Col: i, Scale: -1}, keys[i]
	}
	a, ok := e.(*sqlast.Agg)
	if !ok || a.Distinct && a.Name != "MIN" && a.Name != "MAX" {
		return AggCol{}, false
	}
	if a.Name == "COUNT" && a.Star {
		return AggCol{Op: AggRows, Scale: -1}, true
	}
	if len(a.Args) != 1 || r.col(a.Args[0]) < 0 {
		return AggCol{}, false
	}
	out := AggCol{Col: r.col(a.Args[0]), Scale: -1}
	switch a.Name {
	case "COUNT":
		out.Op = AggFilled
	case "SUM":
		out.Op = AggSum
	case "AVG":
		out.Op = AggMean
	case "MIN":
		out.Op = AggMin
	case "MAX":
		out.Op = AggMax
	default:
		return AggCol{}, false
	}
	out.NoCase = noCase(a.Args[0])
	if out.Op == AggSum || out.Op == AggMean {
		out.decimal(&a.T)
		return out, a.Args[0].Type().Class.Numeric()
	}
	return out, true
}
