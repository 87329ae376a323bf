package sqlite

import "github.com/vitessdo/vitessdo/sqlast"

// conditionFuncs are the functions that choose among their arguments.
func conditionFuncs() map[string]fnPrinter {
	return map[string]fnPrinter{
		"IF": (*printer).ifFn, "NULLIF": (*printer).nullIf, "COALESCE": (*printer).coalesce, "IFNULL": (*printer).ifNull,
		"INTERVAL": (*printer).intervalFn, "ATAN": (*printer).atan,
	}
}

func (p *printer) ifFn(f *sqlast.Func, _ int) {
	p.s("iif(")
	p.truth(f.Args[0], 0)
	for _, a := range f.Args[1:] {
		p.s(", ")
		p.oneOf(f, a)
	}
	p.c(')')
}

// oneOf prints one of the values that whole may have. A number is text among text,
// and a DECIMAL of many digits is a DOUBLE among those.
func (p *printer) oneOf(whole, x sqlast.Expr) {
	switch {
	case class(whole) == sqlast.ClassText && class(x).Numeric():
		p.concat([]sqlast.Expr{x}, 0)
	case class(whole) == sqlast.ClassDecimal && !keyed(whole) && unrounded(x) && scaleOf(whole) > scaleOf(x):
		p.s("dec_round(")
		p.exactArg(x)
		p.s(", ")
		p.int(scaleOf(whole))
		p.c(')')
	case class(whole) == sqlast.ClassDateTime && class(x) == sqlast.ClassDate:
		p.call("datetime_of", x, zero)
	case !keyed(x) || literal(x):
		p.expr(x, 0)
	case class(whole) == sqlast.ClassDouble:
		p.approximately(func() { p.expr(x, 0) })
	case !class(whole).Exact() && p.decimalText(x):
	default:
		p.expr(x, 0)
	}
}

// nullIf: SQLite's own compares by the first argument alone.
func (p *printer) nullIf(f *sqlast.Func, _ int) {
	p.nullIfBy(f, func(x sqlast.Expr) { p.expr(x, 0) })
}

func (p *printer) nullIfBy(f *sqlast.Func, value func(sqlast.Expr)) {
	a, b := f.Args[0], f.Args[1]
	p.s("CASE WHEN ")
	p.comparison(sqlast.OpEq, a, b, 0)
	p.s(" THEN NULL ELSE ")
	value(a)
	p.s(" END")
}

func (p *printer) ifNull(f *sqlast.Func, _ int) {
	p.s("ifnull(")
	p.oneOf(f, f.Args[0])
	p.s(", ")
	p.oneOf(f, f.Args[1])
	p.c(')')
}

// coalesce: SQLite's takes two arguments or more.
func (p *printer) coalesce(f *sqlast.Func, min int) {
	if len(f.Args) == 1 {
		p.expr(f.Args[0], min)
		return
	}
	p.s("coalesce(")
	for i, a := range f.Args {
		if i > 0 {
			p.s(", ")
		}
		p.oneOf(f, a)
	}
	p.c(')')
}

// intervalFn counts the bounds that are not above the first argument; NULL
// among them is below everything.
func (p *printer) intervalFn(f *sqlast.Func, _ int) {
	p.s("CASE WHEN ")
	p.expr(f.Args[0], precBit)
	p.s(" IS NULL THEN -1 ELSE ")
	for i, a := range f.Args[1:] {
		if i > 0 {
			p.s(" + ")
		}
		p.s("ifnull(")
		p.expr(f.Args[0], precCmp)
		p.s(" >= ")
		p.expr(a, precBit)
		p.s(", 1)")
	}
	p.s(" END")
}

func (p *printer) atan(f *sqlast.Func, _ int) {
	if len(f.Args) == 2 {
		p.call("atan2", f.Args...)
		return
	}
	p.call("atan", f.Args...)
}
