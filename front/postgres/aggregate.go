package postgres

import (
	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// aggregates are the aggregate functions, by what MySQL calls them.
var aggregates = map[string]string{
	"count": "COUNT", "sum": "SUM", "min": "MIN", "max": "MAX", "avg": "AVG", "string_agg": "GROUP_CONCAT", "array_agg": "GROUP_CONCAT",
	"json_agg": "JSON_ARRAYAGG", "jsonb_agg": "JSON_ARRAYAGG", "json_object_agg": "JSON_OBJECTAGG", "jsonb_object_agg": "JSON_OBJECTAGG",
	"bool_and": "MIN", "bool_or": "MAX", "every": "MIN", "bit_and": "BIT_AND", "bit_or": "BIT_OR", "bit_xor": "BIT_XOR",
	"stddev": "STDDEV_SAMP", "stddev_samp": "STDDEV_SAMP", "stddev_pop": "STDDEV_POP",
	"variance": "VAR_SAMP", "var_samp": "VAR_SAMP", "var_pop": "VAR_POP",
}

func (c *conv) aggregate(n node, name string) *sqlast.Agg {
	a := &sqlast.Agg{Name: name, Star: n.is("agg_star"), Distinct: n.is("agg_distinct"), Args: c.exprs(n.list("args"))}
	at := n.at()
	fn := n.names("funcname")[len(n.names("funcname"))-1]
	switch {
	case name == "GROUP_CONCAT" && fn == "string_agg" && a.Distinct:
		a.OrderBy = c.orderBy(n.list("agg_order"))
		for i := range a.OrderBy {
			a.OrderBy[i].Nulls = sqlast.NullsLowest // NULLs aren't part of it, and it is ordered by itself
		}
	case name == "GROUP_CONCAT", name == "JSON_ARRAYAGG":
		a.OrderBy = c.orderBy(n.list("agg_order"))
	}
	if !a.Star && len(a.Args) == 0 {
		c.fail(at, "an aggregate function takes arguments, or *")
	}
	switch name {
	case "GROUP_CONCAT":
		if fn == "array_agg" {
			break
		}
		if len(a.Args) != 2 {
			c.fail(at, "string_agg takes a text and a separator")
		}
		sep, ok := front.StringOf(a.Args[1])
		if !ok {
			c.refuse(at, "string_agg with a separator that isn't a string", "")
		}
		a.Args, a.Separator = a.Args[:1], &sep
	case "JSON_ARRAYAGG":
		a.Args[0] = c.asJSON(a.Args[0])
	case "JSON_OBJECTAGG":
		if len(a.Args) == 2 {
			a.Args[1] = c.asJSON(a.Args[1])
		}
	case "AVG":
		a.Args[0] = front.Cast(a.Args[0], "DOUBLE", sqlast.ClassDouble, -1, -1)
	}
	if fn == "array_agg" {
		if len(a.Args) != 1 || a.Distinct {
			c.refuse(at, "array_agg(DISTINCT …)", "pick the distinct values in a subquery")
		}
		comma := ","
		a.Args[0], a.Separator = c.element(a.Args[0]), &comma
	}
	if f := n.child("agg_filter"); f.kind != "" {
		front.Filter(a, c.expr(f), c.twice)
	}
	return a
}
