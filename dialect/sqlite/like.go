package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// like prints LIKE. SQLite's ignores (ASCII) case whatever the column says, so
// a binary comparison becomes GLOB, which uses a binary column's index.
func (p *printer) like(e *sqlast.Like, min int) {
	x, pattern := e.X, e.Pattern
	binary := false
	if u, ok := pattern.(*sqlast.Unary); ok && u.Op == sqlast.OpBinary {
		pattern, binary = u.X, true
	}
	if u, ok := x.(*sqlast.Unary); ok && u.Op == sqlast.OpBinary {
		x, binary = u.X, true
	}
	nocase := !binary && (noCase(x) || noCase(pattern) && !strongBinary(x))
	if c, ok := x.(*sqlast.Collate); ok {
		x, nocase = c.X, noCaseName(c.Name)
	}
	escape := e.Escape
	if escape == "" {
		escape = `\`
	}
	if e.Literal {
		escape = ""
	}
	b := p.open(precEq, min)
	p.likeSubject(x)
	if e.Not {
		p.s(" NOT")
	}
	lit, isLit := strLit(pattern)
	switch {
	case nocase:
		p.s(" LIKE ")
		p.textArg(pattern, precCmp)
		if escape != "" && (!isLit || strings.Contains(lit, escape)) {
			p.s(" ESCAPE ")
			p.str(escape)
		}
	case isLit:
		p.s(" GLOB ")
		p.str(globPattern(lit, escape))
	default:
		p.s(" GLOB like_to_glob(")
		p.textArg(pattern, 0)
		p.s(", ")
		p.str(escape)
		p.c(')')
	}
	p.close(b)
}

// strongBinary: a column that is declared with a binary collation.
func strongBinary(e sqlast.Expr) bool {
	n, known := storedNoCase(e)
	return known && !n
}

func (p *printer) likeSubject(x sqlast.Expr) {
	if class(x) == sqlast.ClassBlob {
		p.s("CAST(")
		p.expr(x, 0)
		p.s(" AS TEXT)")
		return
	}
	if p.numberText(x) || class(x) == sqlast.ClassJSON && p.jsonAsValue(x, precCmp) {
		return
	}
	if _, ok := x.(*sqlast.Col); ok && p.outer {
		// On the NULL side of an outer join, SQLite (3.40, and still today) loses
		// the row for which an index finds no match of a prefix: it makes a range
		// of the pattern, and then asks the pattern of the NULLs too. The sign
		// keeps it from making one.
		p.c('+')
	}
	p.expr(x, precCmp)
}

// globPattern translates a LIKE pattern: % is *, _ is ?, and what GLOB would
// take for its own is bracketed.
func globPattern(pattern, escape string) string {
	var b strings.Builder
	literal := func(r rune) {
		switch r {
		case '*', '?', '[':
			b.WriteByte('[')
			b.WriteRune(r)
			b.WriteByte(']')
		default:
			b.WriteRune(r)
		}
	}
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			literal(r)
			escaped = false
		case string(r) == escape:
			escaped = true
		case r == '%':
			b.WriteByte('*')
		case r == '_':
			b.WriteByte('?')
		default:
			literal(r)
		}
	}
	if escaped {
		b.WriteString(escape)
	}
	return b.String()
}

// regexp prints x REGEXP pattern; the pattern says whether case counts.
func (p *printer) regexp(x, pattern sqlast.Expr, min int) {
	nocase := noCase(x) || noCase(pattern) && !strongBinary(x)
	if u, ok := x.(*sqlast.Unary); ok && u.Op == sqlast.OpBinary {
		x, nocase = u.X, false
	}
	if u, ok := pattern.(*sqlast.Unary); ok && u.Op == sqlast.OpBinary {
		pattern, nocase = u.X, false
	}
	b := p.open(precEq, min)
	p.textArg(x, precCmp)
	p.s(" REGEXP ")
	lit, isLit := strLit(pattern)
	switch {
	case !nocase:
		p.textArg(pattern, precCmp)
	case isLit:
		p.str("(?i)" + lit)
	default:
		p.s("('(?i)' || ")
		p.textArg(pattern, precUnary)
		p.c(')')
	}
	p.close(b)
}
