package info

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Like matches text against a LIKE pattern without regard to case, as SHOW
// does: % is any run of characters, _ any one, \ makes the next one plain.
func Like(text, pattern string) bool {
	return like(strings.ToLower(text), strings.ToLower(pattern))
}

// like backtracks to the last % only, which is enough.
func like(s, p string) bool {
	backS, backP := "", ""
	any := false
	for {
		switch {
		case p != "" && p[0] == '%':
			p = p[1:]
			backS, backP, any = s, p, true
			continue
		case s == "" && p == "":
			return true
		case s != "" && p != "":
			c, rest := p[0], p[1:]
			_, size := utf8.DecodeRuneInString(s)
			if c == '_' {
				s, p = s[size:], rest
				continue
			}
			if c == '\\' && rest != "" {
				c, rest = rest[0], rest[1:]
			}
			if s[0] == c {
				s, p = s[1:], rest
				continue
			}
		}
		if !any || backS == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(backS)
		backS = backS[size:]
		s, p = backS, backP
	}
}

// matches evaluates the WHERE of a SHOW over one row: comparisons, LIKE, IN,
// BETWEEN and IS NULL of the answer's columns, tied by AND, OR and NOT.
func matches(e sqlast.Expr, columns []string, row []any) (bool, error) {
	m := matcher{columns: columns, row: row}
	v := m.truth(e)
	return v != nil && *v, m.err
}

// matcher evaluates with SQL's three values: nil is unknown.
type matcher struct {
	columns []string
	row     []any
	err     error
}

func is(b bool) *bool { return &b }

func (m *matcher) refuse() *bool {
	if m.err == nil {
		m.err = fail(errNotSupported, "this condition isn't supported in SHOW … WHERE; compare columns with constants, or query information_schema")
	}
	return nil
}

func (m *matcher) truth(e sqlast.Expr) *bool {
	switch e := e.(type) {
	case *sqlast.Binary:
		return m.binary(e)
	case *sqlast.Unary:
		if e.Op != sqlast.OpNot {
			return m.refuse()
		}
		return not(m.truth(e.X), true)
	case *sqlast.Like:
		l, r := m.value(e.X), m.value(e.Pattern)
		if l == nil || r == nil {
			return nil
		}
		return not(is(Like(text(l), text(r))), e.Not)
	case *sqlast.In:
		if e.Sub != nil {
			return m.refuse()
		}
		found := is(false)
		for _, x := range e.List {
			found = or(found, m.compare(sqlast.OpEq, m.value(e.X), m.value(x)))
		}
		return not(found, e.Not)
	case *sqlast.Between:
		x := m.value(e.X)
		return not(and(m.compare(sqlast.OpGe, x, m.value(e.Lo)), m.compare(sqlast.OpLe, x, m.value(e.Hi))), e.Not)
	case *sqlast.Is:
		if e.What != sqlast.IsNull {
			return m.refuse()
		}
		return is((m.value(e.X) == nil) != e.Not)
	}
	switch v := m.value(e).(type) {
	case int64:
		return is(v != 0)
	case string:
		n, _ := strconv.ParseFloat(v, 64)
		return is(n != 0)
	}
	return nil
}

func (m *matcher) binary(e *sqlast.Binary) *bool {
	switch {
	case e.Op == sqlast.OpAnd:
		return and(m.truth(e.L), m.truth(e.R))
	case e.Op == sqlast.OpOr:
		return or(m.truth(e.L), m.truth(e.R))
	case e.Op == sqlast.OpNullSafeEq:
		l, r := m.value(e.L), m.value(e.R)
		if l == nil || r == nil {
			return is(l == nil && r == nil)
		}
		return m.compare(sqlast.OpEq, l, r)
	case e.Op.Comparison():
		return m.compare(e.Op, m.value(e.L), m.value(e.R))
	}
	return m.refuse()
}

// value gives nil, int64 or string.
func (m *matcher) value(e sqlast.Expr) any {
	switch e := e.(type) {
	case *sqlast.Col:
		for i, c := range m.columns {
			if name, _, _ := strings.Cut(c, " ("); strings.EqualFold(c, e.Name) || strings.EqualFold(name, e.Name) {
				return m.row[i]
			}
		}
		if m.err == nil {
			m.err = fail(errUnknownColumn, "unknown column %q in SHOW … WHERE; columns are %s", e.Name, strings.Join(m.columns, ", "))
		}
		return nil
	case *sqlast.Lit:
		switch e.Kind {
		case sqlast.LitNull:
			return nil
		case sqlast.LitTrue:
			return int64(1)
		case sqlast.LitFalse:
			return int64(0)
		case sqlast.LitInt:
			if n, err := strconv.ParseInt(e.Text, 10, 64); err == nil {
				return n
			}
		}
		return e.Text
	case *sqlast.Func:
		if len(e.Args) == 1 && (e.Name == "LOWER" || e.Name == "UPPER" || e.Name == "LCASE" || e.Name == "UCASE") {
			return m.value(e.Args[0]) // comparisons ignore case anyway
		}
	}
	m.refuse()
	return nil
}

func (m *matcher) compare(op sqlast.Op, l, r any) *bool {
	if l == nil || r == nil {
		return nil
	}
	c := 0
	x, lInt := l.(int64)
	y, rInt := r.(int64)
	if lInt || rInt {
		a, b := float64(x), float64(y)
		if !lInt {
			a, _ = strconv.ParseFloat(text(l), 64)
		}
		if !rInt {
			b, _ = strconv.ParseFloat(text(r), 64)
		}
		switch {
		case a < b:
			c = -1
		case a > b:
			c = 1
		}
	} else {
		c = strings.Compare(strings.ToLower(text(l)), strings.ToLower(text(r)))
	}
	switch op {
	case sqlast.OpEq:
		return is(c == 0)
	case sqlast.OpNe:
		return is(c != 0)
	case sqlast.OpLt:
		return is(c < 0)
	case sqlast.OpLe:
		return is(c <= 0)
	case sqlast.OpGt:
		return is(c > 0)
	case sqlast.OpGe:
		return is(c >= 0)
	}
	return m.refuse()
}

func not(v *bool, yes bool) *bool {
	if v == nil || !yes {
		return v
	}
	return is(!*v)
}

func and(a, b *bool) *bool {
	switch {
	case a != nil && !*a, b != nil && !*b:
		return is(false)
	case a == nil || b == nil:
		return nil
	}
	return is(true)
}

func or(a, b *bool) *bool {
	return not(and(not(a, true), not(b, true)), true)
}
