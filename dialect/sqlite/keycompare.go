package sqlite

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// keySide prints one side of a comparison in which one of the two needs a key. It
// returns false where none does.
func (p *printer) keySide(e, other sqlast.Expr, min int) bool {
	own, others := needsKey(e), needsKey(other)
	switch {
	case !own && !others:
		return false
	case others && !own && !inexactSide(e), own && !inexactSide(other):
		p.key(e)
	default:
		p.approximately(func() { p.realSide(e, min) })
	}
	return true
}

// inexactSide says whether a DECIMAL compares with e as a DOUBLE. Text of a literal
// or an argument is read as the DECIMAL that it spells.
func inexactSide(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Lit:
		return e.Kind == sqlast.LitFloat
	case *sqlast.Param:
		return false
	}
	return inexact(e)
}

// realSide prints a side of a comparison of DOUBLEs.
func (p *printer) realSide(e sqlast.Expr, min int) {
	if c := class(e); c == sqlast.ClassText || c == sqlast.ClassJSON {
		p.s("CAST(")
		p.expr(e, 0)
		p.s(" AS REAL)")
		return
	}
	p.expr(e, min)
}

// keyBetween prints BETWEEN where one of the three needs a key, and false where
// none does.
func (p *printer) keyBetween(e *sqlast.Between, min int) bool {
	all := [...]sqlast.Expr{e.X, e.Lo, e.Hi}
	need, real := false, false
	for _, x := range all {
		need, real = need || needsKey(x), real || inexactSide(x)
	}
	if !need {
		return false
	}
	side := func(x sqlast.Expr) { p.key(x) }
	if real {
		side = func(x sqlast.Expr) { p.approximately(func() { p.realSide(x, precBit) }) }
	}
	p.within(e, min, func() { side(e.X) }, side)
	return true
}

// keyIn prints IN where one of its sides has keys, and false where none does. A
// literal of many digits among the members of a column of numbers is wideMember's.
func (p *printer) keyIn(e *sqlast.In, min int) bool {
	left := []sqlast.Expr{e.X}
	if row, ok := e.X.(*sqlast.Row); ok {
		left = row.Items
	}
	need, any := make([]bool, len(left)), false
	for i, x := range left {
		need[i] = (keyed(x) || hard(x)) && !literal(x)
		if e.Sub != nil {
			need[i] = need[i] || keyedItem(e.Sub, i)
		}
		for _, m := range e.List {
			need[i] = need[i] || keyed(m) && (!literal(m) || needsKey(x))
		}
		any = any || need[i]
	}
	if !any {
		return false
	}
	b := p.open(precEq, min)
	p.c('(')
	for i, x := range left {
		if i > 0 {
			p.s(", ")
		}
		if need[i] {
			p.key(x)
		} else {
			p.expr(x, 0)
		}
	}
	p.c(')')
	if e.Not {
		p.s(" NOT")
	}
	p.s(" IN (")
	for i, x := range e.List {
		if i > 0 {
			p.s(", ")
		}
		p.key(x)
	}
	if e.Sub != nil {
		p.query(keyItems(e.Sub, need))
	}
	p.c(')')
	p.close(b)
	return true
}

// keyedItem says whether a query's column i has keys in any of its members.
func keyedItem(q sqlast.Query, i int) bool {
	switch q := q.(type) {
	case *sqlast.Select:
		return i < len(q.Items) && !q.Items[i].Star && keyed(q.Items[i].Expr)
	case *sqlast.SetOp:
		return keyedItem(q.L, i) || keyedItem(q.R, i)
	}
	return false
}

// keyItems is a query with keys in those of its columns that need them.
func keyItems(q sqlast.Query, need []bool) sqlast.Query {
	switch q := q.(type) {
	case *sqlast.Select:
		if len(q.Items) != len(need) {
			return q
		}
		c := *q
		c.Items = slices.Clone(q.Items)
		for i := range c.Items {
			if it := &c.Items[i]; need[i] && !it.Star && !keyed(it.Expr) {
				it.Expr = asKey(it.Expr)
			}
		}
		return &c
	case *sqlast.SetOp:
		c := *q
		c.L, c.R = keyItems(q.L, need), keyItems(q.R, need)
		return &c
	}
	return q
}

// asKey is an expression for the key of e's value.
func asKey(e sqlast.Expr) sqlast.Expr {
	f := &sqlast.Func{Name: decimalKey, Args: []sqlast.Expr{e}, Pos: -1}
	f.T = sqlast.Decimal(35, 30)
	return f
}

// keyedMember says whether a row or a member of rows compares by keys.
func keyedMember(rows []sqlast.Expr) bool {
	for _, r := range rows {
		if row, ok := r.(*sqlast.Row); ok {
			for _, x := range row.Items {
				if keyed(x) {
					return true
				}
			}
		}
	}
	return false
}
