package route

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

// partials collects what the shards compute for an aggregating SELECT: the group
// keys, then the arguments of DISTINCT aggregates whose values several shards may
// have, by which the shards group too, then the partial aggregates.
type partials struct {
	b      *binder
	items  []sqlast.SelectItem
	byKey  map[string]int
	keys   int  // GROUP BY's own terms
	groups int  // what the shards group by
	apart  bool // no two shards have a DISTINCT argument's value in common
	wholes bool // some aggregate counts each value once over all shards
	// subs: subqueries that hang on no group stay, and are gathered by the caller.
	subs bool
}

func (ps *partials) add(e sqlast.Expr) int {
	key := ps.b.exprKey(e)
	if i, ok := ps.byKey[key]; ok && key != "" {
		return i
	}
	a, ok := e.(*sqlast.Agg)
	// Sums are added by who reads text as well.
	ps.items = append(ps.items, sqlast.SelectItem{Expr: e, Result: ok && a.Name == "SUM"})
	i := len(ps.items) - 1
	if key != "" {
		ps.byKey[key] = i
	}
	return i
}

// decomposable says whether an aggregate can be made of the shards' parts.
func (b *binder) decomposable(a *sqlast.Agg) bool {
	switch a.Name {
	case "BIT_AND", "BIT_OR", "BIT_XOR":
		return len(a.Args) == 1 && !a.Distinct
	case "GROUP_CONCAT":
		return b.concatsValues(a)
	case "MIN", "MAX":
		return len(a.Args) == 1
	case "COUNT":
		return a.Star || len(a.Args) == 1 || a.Distinct
	case "SUM", "AVG":
		return len(a.Args) == 1
	}
	return false
}

// distinct notes the arguments of DISTINCT aggregates; false when one can't be
// named as a group key.
func (ps *partials) distinct(s *sqlast.Select, blk *block, groups []sqlast.Expr) bool {
	var all []*sqlast.Agg
	apart := true
	eachAgg(s, func(a *sqlast.Agg) {
		if a.Distinct && a.Name != "MIN" && a.Name != "MAX" {
			all = append(all, a)
			apart = apart && a.Name != "GROUP_CONCAT" && len(a.Args) == 1 && ps.b.coversKey(blk, append(groups[:len(groups):len(groups)], a.Args[0]))
		}
	})
	// Grouping by one's argument would part the values of another.
	ps.apart = apart
	if apart {
		return true
	}
	ps.wholes = true
	for _, a := range all {
		for _, x := range a.Args {
			if ps.b.exprKey(x) == "" {
				return false
			}
			ps.add(x)
		}
	}
	return true
}

// whole says whether an aggregate counts each value once over all shards.
func (ps *partials) whole(a *sqlast.Agg) bool {
	return a.Distinct && a.Name != "MIN" && a.Name != "MAX" && !ps.apart
}

// scatterAggregate plans an aggregation whose groups span shards.
func (b *binder) scatterAggregate(p *Plan, s *sqlast.Select, blk *block, at place, dest Destination) error {
	ps := b.partials(s, blk)
	if ps == nil {
		return b.universal(p, s)
	}
	if !ps.wholes && !hasWindows(s) && b.nativeAggregate(p, s, blk, ps) {
		f, err := b.partialFragment(s, ps, at, dest)
		if f == nil && err == nil {
			p.Combine = Combine{}
			return b.universal(p, s)
		}
		p.Fragments = []*Fragment{f}
		return err
	}
	top := b.aggregateByQuery(s, blk, ps)
	if top == nil {
		return b.universal(p, s)
	}
	f, err := b.partialFragment(s, ps, at, dest)
	if err != nil {
		return err
	}
	if f == nil {
		return b.universal(p, s)
	}
	top.From = &sqlast.TableRef{Name: "f0"}
	text, err := b.env.Printer.Stmt(top)
	if err != nil {
		return err
	}
	p.Fragments = []*Fragment{f}
	p.Combine = Combine{Kind: Query, Width: len(s.Items), SQL: text.String()}
	p.Partial = true
	return nil
}

// partials collects the group keys of a SELECT whose aggregates can be made of
// the shards' parts; nil for any other.
func (b *binder) partials(s *sqlast.Select, blk *block) *partials {
	if s.Distinct || !b.allDecomposable(s) {
		return nil
	}
	ps := &partials{b: b, byKey: map[string]int{}}
	groups := groupExprs(s, blk)
	for _, g := range groups {
		ps.add(g)
	}
	ps.keys = len(ps.items)
	if !ps.distinct(s, blk, groups) {
		return nil
	}
	ps.groups = len(ps.items)
	return ps
}

func (b *binder) allDecomposable(s *sqlast.Select) bool {
	ok := true
	eachAgg(s, func(a *sqlast.Agg) { ok = ok && b.decomposable(a) })
	return ok
}

// eachAgg visits the aggregates of a SELECT.
func eachAgg(s *sqlast.Select, f func(*sqlast.Agg)) {
	for _, it := range s.Items {
		eachAggIn(it.Expr, f)
	}
	eachAggIn(s.Having, f)
	for _, w := range s.Windows {
		eachAggIn(&sqlast.Window{Spec: w}, f)
	}
	for _, o := range s.OrderBy {
		eachAggIn(o.Expr, f)
	}
}

// nativeAggregate fills in the native combine, when every item is a group key,
// one aggregate, or a column that the group decides over.
func (b *binder) nativeAggregate(p *Plan, s *sqlast.Select, blk *block, ps *partials) bool {
	if s.Having != nil {
		return false
	}
	c := Combine{Kind: Aggregate, Width: len(s.Items)}
	trial := *ps
	trial.byKey = map[string]int{}
	for k, v := range ps.byKey {
		trial.byKey[k] = v
	}
	for _, it := range s.Items {
		col, ok := trial.output(it.Expr)
		if !ok {
			return false
		}
		c.Aggs = append(c.Aggs, col)
	}
	for i, o := range s.OrderBy {
		k := b.orderItem(s, blk, i)
		if k < 0 {
			col, ok := trial.output(b.unalias(o.Expr, s))
			if !ok {
				return false
			}
			k = len(c.Aggs)
			c.Aggs = append(c.Aggs, col)
		}
		e := o.Expr
		if blk.order[i] >= 0 {
			e = s.Items[blk.order[i]].Expr
		}
		c.Sort = append(c.Sort, SortKey{Col: k, Desc: o.Desc, NoCase: noCase(e), NullsAside: o.NullsAside()})
	}
	for i := range ps.groups {
		c.Group = append(c.Group, SortKey{Col: i, NoCase: noCase(ps.items[i].Expr)})
	}
	c.Limit, c.Offset = limitSources(s.Limit)
	*ps = trial
	p.Combine = c
	return true
}

// output says how an output column is made of the shards' columns.
func (ps *partials) output(e sqlast.Expr) (AggCol, bool) {
	if a, ok := e.(*sqlast.Agg); ok {
		if isBits(a) {
			return AggCol{}, false
		}
		return ps.aggregate(a), true
	}
	if sqlast.HasAgg(e) {
		return AggCol{}, false
	}
	if i, ok := ps.byKey[ps.b.exprKey(e)]; ok && i < ps.groups {
		return AggCol{Op: AggFirst, Col: i, Scale: -1}, true
	}
	if ps.groups == 0 && !constantExpr(e) {
		return AggCol{}, false
	}
	return AggCol{Op: AggFirst, Col: ps.add(e), Scale: -1}, true
}

func (ps *partials) aggregate(a *sqlast.Agg) AggCol {
	col := AggCol{Scale: -1}
	switch a.Name {
	case "COUNT":
		col.Op, col.Col = AggCount, ps.add(a)
	case "SUM":
		col.Op, col.Col = AggSum, ps.add(a)
		col.decimal(&a.T)
		if withArgument(a.Args[0]) {
			col.Scale = maxScale
		}
	case "MIN", "MAX":
		col.Op, col.Col = AggMin, ps.add(a)
		if a.Name == "MAX" {
			col.Op = AggMax
		}
		col.NoCase = noCase(a.Args[0])
	case "AVG":
		col.Op = AggAvg
		col.decimal(&a.T)
		col.Col, col.Count = ps.add(partOf(a, "SUM")), ps.add(partOf(a, "COUNT"))
	}
	return col
}

// maxScale is the most digits behind the point that a DECIMAL has.
const maxScale = 30

// decimal has the gate compute a DECIMAL exactly.
func (c *AggCol) decimal(t *sqlast.Type) {
	if t.Class == sqlast.ClassDecimal {
		c.Scale, c.Keyed = t.Scale, t.Keyed()
	}
}

func partOf(a *sqlast.Agg, name string) *sqlast.Agg {
	x := &sqlast.Agg{Name: name, Args: a.Args, Distinct: a.Distinct}
	x.T = sqlast.TypeOf(sqlast.ClassInt)
	if name == "SUM" {
		inferAgg(x)
	}
	return x
}

// partialFragment makes the statement that computes the parts; nil where the shards
// can't.
func (b *binder) partialFragment(s *sqlast.Select, ps *partials, at place, dest Destination) (*Fragment, error) {
	groups := itemExprs(&sqlast.Select{Items: ps.items[:ps.groups]})
	for i, g := range groups {
		if constantNumber(g) {
			groups[i] = number(i + 1) // a number alone is the position of an item
		}
	}
	frag := &sqlast.Select{With: s.With, Items: ps.items, From: s.From, Where: s.Where, GroupBy: groups}
	if !b.runs(at.keyspace, frag) {
		return nil, nil
	}
	split := b.split(frag, at, dest)
	text, err := b.print(at.keyspace, frag)
	if err != nil {
		return nil, err
	}
	f := &Fragment{Keyspace: at.keyspace, Dest: dest, SQL: text, Split: split, Width: len(ps.items), Partial: true}
	for i, it := range ps.items {
		f.Names = append(f.Names, partName(i, ps.groups))
		f.Types = append(f.Types, partType(it.Expr))
	}
	return f, nil
}

// partType is the type of a part's column. What a column holds comes back as it
// was; an expression's value has no affinity in SQLite, and must get none.
func partType(e sqlast.Expr) sqlast.Type {
	t := *e.Type()
	if a, ok := e.(*sqlast.Agg); ok && len(a.Args) == 1 {
		t.NoCase = noCase(a.Args[0])
		if a.Name == "MIN" || a.Name == "MAX" {
			e = a.Args[0]
		}
	}
	if _, ok := e.(*sqlast.Col); !ok {
		t.Class = sqlast.ClassUnknown
	}
	return t
}

func partName(i, groups int) string {
	if i < groups {
		return "g" + itoa(i)
	}
	return "a" + itoa(i-groups)
}

// aggregateByQuery makes the query that the scratch database runs over the parts:
// expressions over aggregates, HAVING. Its FROM is the caller's. It is nil when
// the parts don't suffice.
func (b *binder) aggregateByQuery(s *sqlast.Select, blk *block, ps *partials) *sqlast.Select {
	top := &sqlast.Select{Limit: s.Limit}
	failed := !ps.namedWindows(s, top)
	swap := func(e sqlast.Expr) sqlast.Expr {
		x, ok := ps.replace(e)
		failed = failed || !ok
		return x
	}
	for _, it := range s.Items {
		top.Items = append(top.Items, sqlast.SelectItem{Expr: swap(it.Expr), Result: it.Result})
	}
	for i := range ps.keys {
		top.GroupBy = append(top.GroupBy, partCol(i, ps))
	}
	if s.Having != nil {
		top.Having = swap(s.Having)
	}
	for i, o := range s.OrderBy {
		e := o.Expr
		if blk.order[i] >= 0 {
			e = s.Items[blk.order[i]].Expr
		}
		top.OrderBy = append(top.OrderBy, sqlast.OrderItem{Expr: swap(b.unalias(e, s)), Desc: o.Desc, Nulls: o.Nulls})
	}
	if failed {
		return nil
	}
	return top
}

// unalias puts items' expressions where their aliases stand.
func (b *binder) unalias(e sqlast.Expr, s *sqlast.Select) sqlast.Expr {
	if c, ok := e.(*sqlast.Col); ok {
		if i, ok := b.aliasOf[c]; ok {
			return s.Items[i].Expr
		}
		return e
	}
	if !b.hasAlias(e) {
		return e
	}
	var kids []sqlast.Expr
	sqlast.EachChild(e, func(x *sqlast.Expr) { kids = append(kids, b.unalias(*x, s)) })
	i := 0
	sqlast.EachChild(e, func(x *sqlast.Expr) { *x = kids[i]; i++ })
	return e
}

func (b *binder) hasAlias(e sqlast.Expr) bool {
	found := false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		if c, ok := x.(*sqlast.Col); ok {
			_, is := b.aliasOf[c]
			found = found || is
		}
		return !found
	})
	return found
}

func partCol(i int, ps *partials) sqlast.Expr {
	c := &sqlast.Col{Name: partName(i, ps.groups), Pos: -1}
	c.T = *ps.items[i].Expr.Type()
	return c
}

// replace rewrites an expression over groups and aggregates to one over the
// parts' columns; false when a column remains that the parts don't have.
func (ps *partials) replace(e sqlast.Expr) (sqlast.Expr, bool) {
	if sqlast.SubQuery(e) != nil {
		return ps.subquery(e)
	}
	if w, ok := e.(*sqlast.Window); ok {
		return ps.window(w)
	}
	if i, ok := ps.byKey[ps.b.exprKey(e)]; ok && i < ps.groups {
		return partCol(i, ps), true
	}
	switch x := e.(type) {
	case *sqlast.Agg:
		return ps.combined(x), true
	case *sqlast.Col:
		return e, false
	case *sqlast.Param, *sqlast.Lit:
		return e, true
	}
	c := sqlast.CloneExpr(e)
	var kids []sqlast.Expr
	ok := true
	sqlast.EachChild(e, func(x *sqlast.Expr) {
		k, good := ps.replace(*x)
		kids = append(kids, k)
		ok = ok && good
	})
	i := 0
	sqlast.EachChild(c, func(x *sqlast.Expr) { *x = kids[i]; i++ })
	return c, ok
}

// combined is an aggregate made of its parts.
func (ps *partials) combined(a *sqlast.Agg) sqlast.Expr {
	over := func(name string, of sqlast.Expr) *sqlast.Agg {
		x := &sqlast.Agg{Name: name, Args: []sqlast.Expr{of}}
		inferAgg(x)
		return x
	}
	if isBits(a) {
		part := &sqlast.Agg{Name: "BITS" + a.Name[len("BIT"):], Args: a.Args}
		part.T = a.T
		return over(a.Name, partCol(ps.add(part), ps))
	}
	if ps.whole(a) {
		x := &sqlast.Agg{Name: a.Name, Distinct: true, Separator: a.Separator}
		value := func(e sqlast.Expr) sqlast.Expr { return partCol(ps.byKey[ps.b.exprKey(e)], ps) }
		for _, arg := range a.Args {
			x.Args = append(x.Args, value(arg))
		}
		for _, o := range a.OrderBy {
			x.OrderBy = append(x.OrderBy, sqlast.OrderItem{Expr: value(o.Expr), Desc: o.Desc, Nulls: o.Nulls})
		}
		inferAgg(x)
		return x
	}
	switch a.Name {
	case "COUNT":
		zero := &sqlast.Lit{Kind: sqlast.LitInt, Text: "0"}
		zero.T = sqlast.TypeOf(sqlast.ClassInt)
		f := &sqlast.Func{Name: "IFNULL", Args: []sqlast.Expr{over("SUM", partCol(ps.add(a), ps)), zero}}
		f.T = sqlast.TypeOf(sqlast.ClassInt)
		return f
	case "AVG":
		sum, count := ps.add(partOf(a, "SUM")), ps.add(partOf(a, "COUNT"))
		d := &sqlast.Binary{Op: sqlast.OpDiv, L: over("SUM", partCol(sum, ps)), R: over("SUM", partCol(count, ps))}
		d.T = a.T // what stands for it elsewhere has its type
		return d
	case "SUM":
		return over("SUM", partCol(ps.add(a), ps))
	}
	return over(a.Name, partCol(ps.add(a), ps))
}

// constantNumber says whether e is a number, with a sign or without.
func constantNumber(e sqlast.Expr) bool {
	if u, ok := e.(*sqlast.Unary); ok && (u.Op == sqlast.OpNeg || u.Op == sqlast.OpPlus) {
		return constantNumber(u.X)
	}
	l, ok := e.(*sqlast.Lit)
	return ok && l.Kind == sqlast.LitInt
}
