package sqlite

import "github.com/vitessdo/vitessdo/sqlast"

// aggNames maps MySQL's aggregates to SQLite's or ours.
var aggNames = map[string]string{
	"COUNT": "count", "SUM": "sum", "MIN": "min", "MAX": "max", "AVG": "avg", "GROUP_CONCAT": "group_concat",
	"BIT_AND": "bit_and", "BIT_OR": "bit_or", "BIT_XOR": "bit_xor",
	"BITS_AND": "bits_and", "BITS_OR": "bits_or", "BITS_XOR": "bits_xor", // parts of those
	"STD": "stddev_pop", "STDDEV": "stddev_pop", "STDDEV_POP": "stddev_pop", "STDDEV_SAMP": "stddev_samp",
	"VARIANCE": "var_pop", "VAR_POP": "var_pop", "VAR_SAMP": "var_samp",
	"JSON_ARRAYAGG": "json_arrayagg", "JSON_OBJECTAGG": "json_objectagg",
}

func (p *printer) agg(e *sqlast.Agg) {
	if e.Name == "ANY_VALUE" && len(e.Args) == 1 {
		p.expr(e.Args[0], 0) // a bare column in SQLite
		return
	}
	name, ok := aggNames[e.Name]
	if !ok {
		p.unsupported("aggregate function "+e.Name, -1, "")
		return
	}
	switch {
	case e.Star:
		p.s("count(*)")
		return
	case e.Name == "GROUP_CONCAT":
		p.groupConcat(e)
		return
	case e.Name == "COUNT" && e.Distinct && len(e.Args) > 1:
		p.countDistinct(e.Args)
		return
	}
	if exactAggregate(e) {
		p.exactAgg(e, func() {})
		return
	}
	p.s(name)
	p.c('(')
	if e.Distinct {
		p.s("DISTINCT ")
	}
	for i, a := range e.Args {
		if i > 0 {
			p.s(", ")
		}
		switch {
		case e.Name == "JSON_ARRAYAGG" || e.Name == "JSON_OBJECTAGG":
			p.jsonArg(a)
		case e.Distinct || e.Name == "MIN" || e.Name == "MAX":
			p.collated(a, 0)
		case e.Name == "COUNT":
			p.anyForm(a, 0)
		case inexactAgg[e.Name]:
			p.approximately(func() { p.number(a, 0) })
		default:
			p.number(a, 0)
		}
	}
	if len(e.OrderBy) > 0 && e.Name == "JSON_ARRAYAGG" {
		p.s(" ORDER BY ")
		p.orderItems(e.OrderBy)
	}
	p.c(')')
	if e.Filter != nil {
		p.s(" FILTER (WHERE ")
		p.truth(e.Filter, 0)
		p.c(')')
	}
}

// inexactAgg are the aggregates that compute with DOUBLEs.
var inexactAgg = map[string]bool{"STD": true, "STDDEV": true, "STDDEV_POP": true, "STDDEV_SAMP": true, "VARIANCE": true, "VAR_POP": true, "VAR_SAMP": true}

// anyForm prints e where only whether it is NULL matters.
func (p *printer) anyForm(e sqlast.Expr, min int) {
	if keyed(e) && !literal(e) {
		p.reader(e)
		return
	}
	if _, ok := e.(*sqlast.Col); ok {
		p.expr(e, min) // an index serves it as it stands
		return
	}
	p.number(e, min)
}

// countDistinct: SQLite counts distinct values of one argument only. quote()
// keeps values apart and, by the comma, their borders.
func (p *printer) countDistinct(args []sqlast.Expr) {
	p.s("count(DISTINCT CASE WHEN ")
	for i, a := range args {
		if i > 0 {
			p.s(" AND ")
		}
		p.anyForm(a, precBit)
		p.s(" IS NOT NULL")
	}
	p.s(" THEN ")
	for i, a := range args {
		if i > 0 {
			p.s(" || ',' || ")
		}
		p.s("quote(")
		switch {
		case noCase(a):
			p.call("lower", a)
		case keyed(a):
			p.key(a)
		default:
			p.expr(a, 0)
		}
		p.c(')')
	}
	p.s(" END)")
}

func (p *printer) groupConcat(e *sqlast.Agg) {
	sep := ","
	if e.Separator != nil {
		sep = *e.Separator
	}
	if e.Distinct && sep != "," {
		p.groupConcatDistinct(e, sep)
		return
	}
	if p.plain && len(e.OrderBy) > 0 {
		p.unsupported("ORDER BY in GROUP_CONCAT", -1, "not every SQLite knows it")
		return
	}
	p.s("group_concat(")
	if e.Distinct {
		p.s("DISTINCT ")
	}
	if len(e.Args) == 1 {
		switch {
		case p.numberText(e.Args[0]):
		case e.Distinct:
			p.collated(e.Args[0], 0)
		default:
			p.expr(e.Args[0], 0)
		}
	} else {
		p.concat(e.Args, 0)
	}
	if sep != "," {
		p.s(", ")
		p.str(sep)
	}
	if len(e.OrderBy) > 0 {
		p.s(" ORDER BY ")
		p.orderItems(e.OrderBy)
	}
	p.c(')')
}

// groupConcatDistinct: SQLite's DISTINCT allows one argument only, so with a
// separator ours does it, which orders by one value.
func (p *printer) groupConcatDistinct(e *sqlast.Agg, sep string) {
	if len(e.OrderBy) > 1 {
		p.unsupported("GROUP_CONCAT(DISTINCT … ORDER BY several expressions SEPARATOR …)", -1,
			"order by one expression, or use the default separator")
		return
	}
	p.s("group_concat_distinct(")
	p.concatArgs(e.Args)
	p.s(", ")
	p.str(sep)
	p.s(", ")
	p.str(concatOrder(e))
	p.s(", ")
	switch {
	case len(e.OrderBy) == 0:
		p.s("NULL")
	case keyed(e.OrderBy[0].Expr):
		p.key(e.OrderBy[0].Expr)
	case noCase(e.OrderBy[0].Expr):
		p.call("lower", e.OrderBy[0].Expr)
	default:
		p.expr(e.OrderBy[0].Expr, 0)
	}
	p.c(')')
}

// concatOrder says how the values of a GROUP_CONCAT(DISTINCT …) are told apart and
// ordered.
func concatOrder(e *sqlast.Agg) string {
	how := ""
	if len(e.Args) == 1 && noCase(e.Args[0]) {
		how = "nocase "
	}
	switch {
	case len(e.OrderBy) == 0:
		return how
	case e.OrderBy[0].Desc:
		return how + "desc"
	}
	return how + "asc"
}

func (p *printer) concatArgs(args []sqlast.Expr) {
	if len(args) == 1 {
		p.textArg(args[0], 0)
		return
	}
	p.concat(args, 0)
}
