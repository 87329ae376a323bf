package sqlast

import "strings"

// EachQuery visits a query and all queries in it.
func EachQuery(q Query, f func(Query)) {
	f(q)
	switch q := q.(type) {
	case *Select:
		eachWithQuery(q.With, f)
		eachFromQuery(q.From, f)
	case *SetOp:
		eachWithQuery(q.With, f)
		EachQuery(q.L, f)
		EachQuery(q.R, f)
	}
	EachQueryExpr(q, func(e *Expr) {
		Walk(*e, func(x Expr) bool {
			if sub := SubQuery(x); sub != nil {
				EachQuery(sub, f)
			}
			return true
		})
	})
}

func eachWithQuery(w *With, f func(Query)) {
	if w != nil {
		for _, c := range w.CTEs {
			EachQuery(c.Query, f)
		}
	}
}

func eachFromQuery(t TableExpr, f func(Query)) {
	switch t := t.(type) {
	case *Join:
		eachFromQuery(t.L, f)
		eachFromQuery(t.R, f)
	case *Derived:
		EachQuery(t.Query, f)
	}
}

// BareRefs lists a query's references to tables that have no qualifier and are
// no common table expression's.
func BareRefs(q Query) (out []*TableRef) {
	ctes := map[string]bool{}
	names := func(w *With) {
		if w != nil {
			for _, c := range w.CTEs {
				ctes[strings.ToLower(c.Name)] = true
			}
		}
	}
	EachQuery(q, func(q Query) {
		switch q := q.(type) {
		case *Select:
			names(q.With)
		case *SetOp:
			names(q.With)
		}
	})
	EachRef(q, func(t *TableRef) {
		if t.Schema == "" && !ctes[strings.ToLower(t.Name)] {
			out = append(out, t)
		}
	})
	return out
}
