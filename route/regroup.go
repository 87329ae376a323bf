package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// What the gate's query over partial aggregates has beside plain aggregates: folds
// of bits, values that are put together once, windows over groups, and subqueries.

func isBits(a *sqlast.Agg) bool {
	return a.Name == "BIT_AND" || a.Name == "BIT_OR" || a.Name == "BIT_XOR"
}

// concatsValues says whether a GROUP_CONCAT is made of distinct values that are
// ordered by themselves, so that the shards may give each of theirs once.
func (b *binder) concatsValues(a *sqlast.Agg) bool {
	if !a.Distinct || len(a.Args) != 1 || noCase(a.Args[0]) {
		return false
	}
	key := b.exprKey(a.Args[0])
	return key != "" && !slices.ContainsFunc(a.OrderBy, func(o sqlast.OrderItem) bool { return b.exprKey(o.Expr) != key })
}

// eachAggIn visits the aggregates in e. That of a window is none, but may have some
// in its arguments.
func eachAggIn(e sqlast.Expr, f func(*sqlast.Agg)) {
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		switch x := x.(type) {
		case *sqlast.Agg:
			f(x)
		case *sqlast.Window:
			eachWindowPart(x, func(c *sqlast.Expr) { eachAggIn(*c, f) })
			return false
		}
		return true
	})
}

// eachWindowPart visits the arguments of a window's function, and what it
// partitions and orders by.
func eachWindowPart(w *sqlast.Window, f func(*sqlast.Expr)) {
	if w.Func != nil {
		sqlast.EachChild(w.Func, f)
	}
	sqlast.EachChild(&sqlast.Window{Spec: w.Spec}, f)
}

// window rewrites a window over groups to one over the parts' groups.
func (ps *partials) window(w *sqlast.Window) (sqlast.Expr, bool) {
	var kids []sqlast.Expr
	ok := true
	eachWindowPart(w, func(x *sqlast.Expr) {
		k, good := ps.replace(*x)
		kids, ok = append(kids, k), ok && good
	})
	c := sqlast.CloneExpr(w).(*sqlast.Window)
	i := 0
	eachWindowPart(c, func(x *sqlast.Expr) { *x = kids[i]; i++ })
	return c, ok
}

// namedWindows rewrites the windows of a WINDOW clause.
func (ps *partials) namedWindows(s, top *sqlast.Select) bool {
	for _, spec := range s.Windows {
		w, ok := ps.window(&sqlast.Window{Spec: spec})
		if !ok {
			return false
		}
		top.Windows = append(top.Windows, w.(*sqlast.Window).Spec)
	}
	return true
}

// subquery keeps a subquery that hangs on nothing around it.
func (ps *partials) subquery(e sqlast.Expr) (sqlast.Expr, bool) {
	if !ps.subs || !ps.b.closed(sqlast.SubQuery(e)) {
		return e, false
	}
	ok := true
	swap := func(x sqlast.Expr) sqlast.Expr {
		if x != nil {
			var good bool
			x, good = ps.replace(x)
			ok = ok && good
		}
		return x
	}
	switch e := e.(type) {
	case *sqlast.In:
		c := *e
		c.X = swap(e.X)
		return &c, ok
	case *sqlast.Subquery:
		c := *e
		c.X = swap(e.X)
		return &c, ok
	}
	return e, false
}

// grouped makes a fragment of the partial aggregates of a query of which only
// HAVING asks for rows elsewhere, and gives the query over them; nil when it isn't
// like that.
func (u *gathering) grouped(q sqlast.Query) (sqlast.Query, error) {
	s, ok := q.(*sqlast.Select)
	if !ok || u.plain || u.targets != nil || s.From == nil || s.Having == nil || !isAggregated(s) || !u.b.closed(s) {
		return nil, nil
	}
	later := map[sqlast.Expr]bool{}
	sqlast.Walk(s.Having, func(x sqlast.Expr) bool {
		later[x] = true
		return true
	})
	b := u.b
	at := b.facts.locateWithout(b.blocks[s], later)
	dest := b.destination(at.place)
	if !alone(at, dest) || at.keyspace == "" {
		return nil, nil
	}
	b.guard(&dest, s)
	return u.pushParts(s, b.blocks[s], at.place, dest)
}
