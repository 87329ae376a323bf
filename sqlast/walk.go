package sqlast

// EachChild calls f with the place of every direct child expression of e, so
// that f may replace it. Subqueries aren't entered: see [SubQuery].
func EachChild(e Expr, f func(*Expr)) {
	opt := func(x *Expr) {
		if *x != nil {
			f(x)
		}
	}
	list := func(xs []Expr) {
		for i := range xs {
			opt(&xs[i])
		}
	}
	switch e := e.(type) {
	case *Binary:
		opt(&e.L)
		opt(&e.R)
	case *Unary:
		opt(&e.X)
	case *Func:
		list(e.Args)
	case *Interval:
		opt(&e.X)
	case *Agg:
		list(e.Args)
		eachOrder(e.OrderBy, opt)
		opt(&e.Filter)
	case *Window:
		opt(&e.Func)
		if e.Spec != nil {
			eachWindow(e.Spec, opt)
		}
	case *Case:
		opt(&e.X)
		for i := range e.Whens {
			opt(&e.Whens[i].Cond)
			opt(&e.Whens[i].Then)
		}
		opt(&e.Else)
	case *Cast:
		opt(&e.X)
	case *Collate:
		opt(&e.X)
	case *In:
		opt(&e.X)
		list(e.List)
	case *Between:
		opt(&e.X)
		opt(&e.Lo)
		opt(&e.Hi)
	case *Like:
		opt(&e.X)
		opt(&e.Pattern)
	case *Is:
		opt(&e.X)
	case *Subquery:
		opt(&e.X)
	case *Row:
		list(e.Items)
	case *Checked:
		opt(&e.Cond)
		opt(&e.X)
	case *Members:
		opt(&e.X)
	case *Touched:
		opt(&e.Now)
		opt(&e.Was)
		list(e.Olds)
		list(e.News)
	case *UserVar:
		opt(&e.Value)
	case *Late:
		list(e.Args)
	}
}

func eachOrder(items []OrderItem, f func(*Expr)) {
	for i := range items {
		f(&items[i].Expr)
	}
}

func eachWindow(w *WindowSpec, f func(*Expr)) {
	for i := range w.PartitionBy {
		f(&w.PartitionBy[i])
	}
	eachOrder(w.OrderBy, f)
	if w.Frame != nil {
		f(&w.Frame.Start.X)
		f(&w.Frame.End.X)
	}
}

// SubQuery returns the query that e itself holds (a subquery, or IN's), or nil.
func SubQuery(e Expr) Query {
	switch e := e.(type) {
	case *Subquery:
		return e.Query
	case *In:
		return e.Sub
	}
	return nil
}

// Walk calls f for e and everything below it, parents first; where f returns
// false it doesn't go deeper. Subqueries aren't entered.
func Walk(e Expr, f func(Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	EachChild(e, func(c *Expr) { Walk(*c, f) })
}

// WalkDeep is Walk that enters subqueries too.
func WalkDeep(e Expr, f func(Expr) bool) {
	Walk(e, func(x Expr) bool {
		if !f(x) {
			return false
		}
		if q := SubQuery(x); q != nil {
			WalkQuery(q, f)
		}
		return true
	})
}

// WalkQuery calls f for every expression of q, as WalkDeep does.
func WalkQuery(q Query, f func(Expr) bool) {
	EachQueryExpr(q, func(e *Expr) { WalkDeep(*e, f) })
}

// Rewrite replaces e, bottom up, by what f makes of it and its children. It
// changes nodes in place. Subqueries aren't entered.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	if e == nil {
		return nil
	}
	EachChild(e, func(c *Expr) { *c = Rewrite(*c, f) })
	return f(e)
}

// RewriteQuery applies Rewrite to every expression of q, and of the queries
// below it.
func RewriteQuery(q Query, f func(Expr) Expr) {
	EachQueryExpr(q, func(e *Expr) {
		*e = Rewrite(*e, func(x Expr) Expr {
			if sub := SubQuery(x); sub != nil {
				RewriteQuery(sub, f)
			}
			return f(x)
		})
	})
}

// EachQueryExpr calls f with the place of every top expression of q: those of
// its own clauses, its derived tables, CTEs and set operation members.
// Subqueries inside expressions aren't entered.
func EachQueryExpr(q Query, f func(*Expr)) {
	opt := func(x *Expr) {
		if *x != nil {
			f(x)
		}
	}
	switch q := q.(type) {
	case *Select:
		eachWith(q.With, f)
		for i := range q.Items {
			opt(&q.Items[i].Expr)
		}
		EachTableExpr(q.From, opt)
		opt(&q.Where)
		for i := range q.GroupBy {
			opt(&q.GroupBy[i])
		}
		opt(&q.Having)
		for _, w := range q.Windows {
			eachWindow(w, opt)
		}
		eachOrder(q.OrderBy, opt)
		eachLimit(q.Limit, opt)
		for _, r := range q.ValuesRows {
			for i := range r {
				opt(&r[i])
			}
		}
	case *SetOp:
		eachWith(q.With, f)
		EachQueryExpr(q.L, f)
		EachQueryExpr(q.R, f)
		eachOrder(q.OrderBy, opt)
		eachLimit(q.Limit, opt)
	}
}

func eachWith(w *With, f func(*Expr)) {
	if w == nil {
		return
	}
	for _, c := range w.CTEs {
		EachQueryExpr(c.Query, f)
	}
}

func eachLimit(l *Limit, f func(*Expr)) {
	if l != nil {
		f(&l.Count)
		f(&l.Offset)
	}
}

// EachTableExpr calls f with the place of every top expression below t: join
// conditions, and those of derived tables.
func EachTableExpr(t TableExpr, f func(*Expr)) {
	switch t := t.(type) {
	case *Join:
		EachTableExpr(t.L, f)
		EachTableExpr(t.R, f)
		if t.On != nil {
			f(&t.On)
		}
	case *Derived:
		EachQueryExpr(t.Query, f)
	}
}

// EachRef calls f for every table reference of q at any depth: in FROM, in
// derived tables, CTEs, set operations and subqueries.
func EachRef(q Query, f func(*TableRef)) {
	switch q := q.(type) {
	case *Select:
		eachWithRef(q.With, f)
		eachFromRef(q.From, f)
	case *SetOp:
		eachWithRef(q.With, f)
		EachRef(q.L, f)
		EachRef(q.R, f)
		own := func(e *Expr) { eachExprRef(*e, f) }
		eachOrder(q.OrderBy, own)
		return
	}
	s := q.(*Select)
	shallow := *s
	shallow.With, shallow.From = nil, nil
	EachQueryExpr(&shallow, func(e *Expr) { eachExprRef(*e, f) })
}

// EachStmtRef is EachRef for a query or a write, the written table included.
func EachStmtRef(stmt Stmt, f func(*TableRef)) {
	expr := func(e Expr) { eachExprRef(e, f) }
	set := func(list []Assignment) {
		for _, a := range list {
			expr(a.Expr)
		}
	}
	items := func(list []SelectItem) {
		for _, it := range list {
			expr(it.Expr)
		}
	}
	switch s := stmt.(type) {
	case Query:
		EachRef(s, f)
	case *Insert:
		f(s.Table)
		for _, row := range s.Rows {
			for _, x := range row {
				expr(x)
			}
		}
		if s.Query != nil {
			EachRef(s.Query, f)
		}
		set(s.OnDup)
		items(s.Returning)
	case *Update:
		eachWithRef(s.With, f)
		eachFromRef(s.From, f)
		set(s.Set)
		expr(s.Where)
		items(s.Returning)
	case *Delete:
		eachWithRef(s.With, f)
		eachFromRef(s.From, f)
		expr(s.Where)
		items(s.Returning)
	}
}

func eachExprRef(e Expr, f func(*TableRef)) {
	Walk(e, func(x Expr) bool {
		if sub := SubQuery(x); sub != nil {
			EachRef(sub, f)
		}
		return true
	})
}

func eachWithRef(w *With, f func(*TableRef)) {
	if w != nil {
		for _, c := range w.CTEs {
			EachRef(c.Query, f)
		}
	}
}

func eachFromRef(t TableExpr, f func(*TableRef)) {
	switch t := t.(type) {
	case *TableRef:
		f(t)
	case *Join:
		eachFromRef(t.L, f)
		eachFromRef(t.R, f)
		if t.On != nil {
			eachExprRef(t.On, f)
		}
	case *Derived:
		EachRef(t.Query, f)
	}
}

// HasAgg says whether an aggregate stands in e, outside of subqueries and not as
// a window function.
func HasAgg(e Expr) bool {
	found := false
	Walk(e, func(x Expr) bool {
		switch x := x.(type) {
		case *Agg:
			found = true
		case *Window:
			// Its function isn't an aggregation, its arguments may hold one.
			EachChild(x.Func, func(c *Expr) { found = found || HasAgg(*c) })
			if x.Spec != nil {
				eachWindow(x.Spec, func(c *Expr) { found = found || HasAgg(*c) })
			}
			return false
		}
		return !found
	})
	return found
}

// HasWindow says whether a window function stands in e, outside of subqueries.
func HasWindow(e Expr) bool {
	found := false
	Walk(e, func(x Expr) bool {
		_, ok := x.(*Window)
		found = found || ok
		return !found
	})
	return found
}

// And joins conditions; nil stands for no condition.
func And(conds ...Expr) Expr {
	var out Expr
	for _, c := range conds {
		switch {
		case c == nil:
		case out == nil:
			out = c
		default:
			out = &Binary{Op: OpAnd, L: out, R: c}
			out.Type().Class = ClassInt
		}
	}
	return out
}

// Conjuncts splits a condition at its top-level ANDs.
func Conjuncts(e Expr) []Expr {
	return appendConjuncts(nil, e)
}

func appendConjuncts(out []Expr, e Expr) []Expr {
	if e == nil {
		return out
	}
	if b, ok := e.(*Binary); ok && b.Op == OpAnd {
		return appendConjuncts(appendConjuncts(out, b.L), b.R)
	}
	return append(out, e)
}
