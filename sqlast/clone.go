package sqlast

import "slices"

// CloneExpr copies an expression with everything below it. What the binder
// resolved (Col.Def, Col.Source) is kept.
func CloneExpr(e Expr) Expr {
	if e == nil {
		return nil
	}
	c := shallowExpr(e)
	EachChild(c, func(x *Expr) { *x = CloneExpr(*x) })
	switch c := c.(type) {
	case *Subquery:
		c.Query = CloneQuery(c.Query)
	case *In:
		if c.Sub != nil {
			c.Sub = CloneQuery(c.Sub)
		}
	}
	return c
}

// shallowExpr copies the node and the slices that it owns.
func shallowExpr(e Expr) Expr {
	switch e := e.(type) {
	case *Col:
		c := *e
		return &c
	case *Param:
		c := *e
		return &c
	case *Lit:
		c := *e
		return &c
	case *Binary:
		c := *e
		return &c
	case *Unary:
		c := *e
		return &c
	case *Func:
		c := *e
		c.Args = slices.Clone(e.Args)
		return &c
	case *Keyword:
		c := *e
		return &c
	case *Interval:
		c := *e
		return &c
	case *Agg:
		c := *e
		c.Args, c.OrderBy = slices.Clone(e.Args), slices.Clone(e.OrderBy)
		return &c
	case *Window:
		c := *e
		c.Spec = cloneWindow(e.Spec)
		return &c
	case *Case:
		c := *e
		c.Whens = slices.Clone(e.Whens)
		return &c
	case *Cast:
		c := *e
		return &c
	case *Collate:
		c := *e
		return &c
	case *Checked:
		c := *e
		return &c
	case *Members:
		c := *e
		return &c
	case *Touched:
		c := *e
		c.Olds, c.News = slices.Clone(e.Olds), slices.Clone(e.News)
		return &c
	case *In:
		c := *e
		c.List = slices.Clone(e.List)
		return &c
	case *Between:
		c := *e
		return &c
	case *Like:
		c := *e
		return &c
	case *Is:
		c := *e
		return &c
	case *Subquery:
		c := *e
		return &c
	case *Row:
		c := *e
		c.Items = slices.Clone(e.Items)
		return &c
	case *Default:
		c := *e
		return &c
	case *Values:
		c := *e
		return &c
	case *SysVar:
		c := *e
		return &c
	case *UserVar:
		c := *e
		return &c
	case *Raw:
		c := *e
		return &c
	case *Late:
		c := *e
		c.Args = slices.Clone(e.Args)
		return &c
	}
	return e // a planner's own leaf node: immutable
}

func cloneWindow(w *WindowSpec) *WindowSpec {
	if w == nil {
		return nil
	}
	c := *w
	c.PartitionBy, c.OrderBy = slices.Clone(w.PartitionBy), slices.Clone(w.OrderBy)
	if w.Frame != nil {
		f := *w.Frame
		c.Frame = &f
	}
	return &c
}

// CloneQuery copies a query with everything below it.
func CloneQuery(q Query) Query {
	switch q := q.(type) {
	case *Select:
		return CloneSelect(q)
	case *SetOp:
		c := *q
		c.With = CloneWith(q.With)
		c.L, c.R = CloneQuery(q.L), CloneQuery(q.R)
		c.OrderBy = cloneOrder(q.OrderBy)
		c.Limit = cloneLimit(q.Limit)
		return &c
	}
	return nil
}

// CloneSelect copies a SELECT block with everything below it.
func CloneSelect(s *Select) *Select {
	c := *s
	c.With = CloneWith(s.With)
	c.Items = slices.Clone(s.Items)
	for i := range c.Items {
		c.Items[i].Expr = CloneExpr(c.Items[i].Expr)
	}
	c.From = CloneTableExpr(s.From)
	c.Where = CloneExpr(s.Where)
	c.GroupBy = cloneExprs(s.GroupBy)
	c.Having = CloneExpr(s.Having)
	c.Windows = slices.Clone(s.Windows)
	for i, w := range c.Windows {
		w = cloneWindow(w)
		eachWindow(w, func(e *Expr) { *e = CloneExpr(*e) })
		c.Windows[i] = w
	}
	c.OrderBy = cloneOrder(s.OrderBy)
	c.Limit = cloneLimit(s.Limit)
	c.ValuesRows = slices.Clone(s.ValuesRows)
	for i := range c.ValuesRows {
		c.ValuesRows[i] = cloneExprs(c.ValuesRows[i])
	}
	return &c
}

// CloneTableExpr copies a FROM clause. Columns that refer to its tables still
// point at the old ones (Col.Source): bind the copy again, or clone before
// binding.
func CloneTableExpr(t TableExpr) TableExpr {
	switch t := t.(type) {
	case *TableRef:
		c := *t
		return &c
	case *Derived:
		c := *t
		c.Query = CloneQuery(t.Query)
		return &c
	case *Join:
		c := *t
		c.L, c.R = CloneTableExpr(t.L), CloneTableExpr(t.R)
		c.On = CloneExpr(t.On)
		return &c
	}
	return nil
}

// CloneWith copies a WITH clause with its queries; nil stays nil.
func CloneWith(w *With) *With {
	if w == nil {
		return nil
	}
	c := &With{Recursive: w.Recursive}
	for _, x := range w.CTEs {
		c.CTEs = append(c.CTEs, &CTE{Name: x.Name, Columns: x.Columns, Query: CloneQuery(x.Query)})
	}
	return c
}

func cloneExprs(es []Expr) []Expr {
	out := slices.Clone(es)
	for i := range out {
		out[i] = CloneExpr(out[i])
	}
	return out
}

func cloneOrder(os []OrderItem) []OrderItem {
	out := slices.Clone(os)
	for i := range out {
		out[i].Expr = CloneExpr(out[i].Expr)
	}
	return out
}

func cloneLimit(l *Limit) *Limit {
	if l == nil {
		return nil
	}
	return &Limit{Count: CloneExpr(l.Count), Offset: CloneExpr(l.Offset)}
}
