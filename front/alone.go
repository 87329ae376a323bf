package front

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Alone makes of a write to one table by the rows of others one that reads them in
// subqueries, so that RETURNING, of the written table's columns, can be had: the
// condition that a row has partners, and the values that set makes of one of them.
func Alone(target *sqlast.TableRef, others sqlast.TableExpr, where sqlast.Expr, set []sqlast.Assignment) sqlast.Expr {
	partner := func(item sqlast.Expr) *sqlast.Select {
		return &sqlast.Select{Items: []sqlast.SelectItem{{Expr: item}}, From: sqlast.CloneTableExpr(others), Where: sqlast.CloneExpr(where)}
	}
	for i := range set {
		if own(set[i].Expr, target.Label()) {
			continue
		}
		q := partner(set[i].Expr)
		q.Limit = &sqlast.Limit{Count: Int(1)}
		set[i].Expr = &sqlast.Subquery{Kind: sqlast.SubScalar, Query: q}
	}
	return &sqlast.Subquery{Kind: sqlast.SubExists, Query: partner(Int(1))}
}

// own says whether an expression reads nothing but columns that are the table's by name.
func own(x sqlast.Expr, label string) bool {
	ok := true
	sqlast.Walk(x, func(x sqlast.Expr) bool {
		c, isCol := x.(*sqlast.Col)
		ok = ok && (!isCol || strings.EqualFold(c.Table, label)) && sqlast.SubQuery(x) == nil
		return ok
	})
	return ok
}
