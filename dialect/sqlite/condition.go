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
