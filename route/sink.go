package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// sink repeats the conditions of q, and of the queries in it, inside the derived
// tables, views and CTEs that they are about, down to the stored tables: there they
// choose shards and keep rows from moving. Where they stood they stay, so that it
// is right to leave any out. It says whether it has changed anything.
func (b *binder) sink(q sqlast.Query) bool {
	changed := false
	sqlast.EachQuery(q, func(in sqlast.Query) {
		s, ok := in.(*sqlast.Select)
		if !ok || b.blocks[s] == nil {
			return
		}
		for _, src := range b.blocks[s].sources {
			if src.query == nil || src.json || src.cte != nil && (src.cte.refs > 1 || src.cte.recursive) {
				continue
			}
			for _, c := range sqlast.Conjuncts(b.pushable(src)) {
				if b.sinkInto(src.query, src, c, false) {
					changed = true
				}
			}
		}
	})
	return changed
}

// sinkInto adds a condition about a source to the query that the source is, as far
// as it means the same of the rows that the query makes its own of. distinct says
// that equal rows of it become one.
func (b *binder) sinkInto(q sqlast.Query, src *source, cond sqlast.Expr, distinct bool) bool {
	switch q := q.(type) {
	case *sqlast.SetOp:
		if q.Limit != nil {
			return false
		}
		distinct = distinct || q.Kind != sqlast.Union || !q.All
		l := b.sinkInto(q.L, src, cond, distinct)
		return b.sinkInto(q.R, src, cond, distinct) || l
	case *sqlast.Select:
		if q.Limit != nil || q.ValuesRows != nil || len(q.Items) != len(src.cols) || hasWindows(q) || !b.sinks(q, src, cond, distinct || q.Distinct) {
			return false
		}
		q.Where = sqlast.And(q.Where, b.rebound(cond, func(c *sqlast.Col) sqlast.Expr {
			return b.rebound(q.Items[src.findAny(c.Name)].Expr, b.sameColumn)
		}))
		return true
	}
	return false
}

// sinks says whether the columns that a condition names are expressions of single
// rows of s, with the type that the condition knows; of grouped rows, what they are
// grouped by.
func (b *binder) sinks(s *sqlast.Select, src *source, cond sqlast.Expr, distinct bool) bool {
	var groups []string
	grouped := isAggregated(s)
	if grouped {
		for _, g := range groupExprs(s, b.blocks[s]) {
			groups = append(groups, b.exprKey(g))
		}
	}
	ok := true
	sqlast.Walk(cond, func(x sqlast.Expr) bool {
		c, is := x.(*sqlast.Col)
		if !is || !ok {
			return ok
		}
		i := src.findAny(c.Name)
		if i < 0 {
			ok = false
			return false
		}
		e, t := s.Items[i].Expr, src.cols[i].typ
		own := e.Type()
		ok = ofRow(e) && own.Class == t.Class && own.NoCase == t.NoCase && own.Scale == t.Scale &&
			own.Class != sqlast.ClassUnknown && own.Class != sqlast.ClassJSON && (!own.Class.Numeric() || !meetsText(cond))
		if grouped || distinct {
			// Of values that are equal but for their case, some stands for all.
			ok = ok && !noCase(e)
		}
		if grouped {
			key := b.exprKey(e)
			ok = ok && key != "" && slices.Contains(groups, key)
		}
		return ok
	})
	return ok
}

// meetsText says whether there is text in a condition on numbers: a stored column
// compares with it as the engine does, an expression as MySQL does.
func meetsText(cond sqlast.Expr) bool {
	found := false
	sqlast.Walk(cond, func(x sqlast.Expr) bool {
		_, isCol := x.(*sqlast.Col)
		found = found || !isCol && x.Type().Class == sqlast.ClassText
		return !found
	})
	return found
}

// ofRow says whether e has the same value for a row whenever and however often it is
// evaluated.
func ofRow(e sqlast.Expr) bool {
	ok := true
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		switch x := x.(type) {
		case *sqlast.Agg, *sqlast.Window, *sqlast.UserVar, *sqlast.Raw:
			ok = false
		case *sqlast.Func:
			ok = ok && x.Name != "RAND" && x.Name != "UUID" && x.Name != "SLEEP"
		}
		ok = ok && sqlast.SubQuery(x) == nil
		return ok
	})
	return ok
}

// rebound copies a bound expression, with other expressions in the columns' places.
func (b *binder) rebound(e sqlast.Expr, swap func(*sqlast.Col) sqlast.Expr) sqlast.Expr {
	if c, ok := e.(*sqlast.Col); ok {
		return swap(c)
	}
	var kids []sqlast.Expr
	sqlast.EachChild(e, func(x *sqlast.Expr) { kids = append(kids, b.rebound(*x, swap)) })
	copied := sqlast.CloneExpr(e)
	i := 0
	sqlast.EachChild(copied, func(x *sqlast.Expr) { *x = kids[i]; i++ })
	return copied
}

// sameColumn is a reference of its own to the column that c means.
func (b *binder) sameColumn(c *sqlast.Col) sqlast.Expr {
	own := *c
	b.sourceOf[&own] = b.sourceOf[c]
	return &own
}
