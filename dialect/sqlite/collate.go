package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *printer) collate(nocase bool) {
	if nocase {
		p.s(" COLLATE NOCASE")
	} else {
		p.s(" COLLATE BINARY")
	}
}

func noCaseName(collation string) bool {
	c := strings.ToLower(collation)
	return strings.HasSuffix(c, "_ci") || c == "nocase" || strings.Contains(c, "_ci_")
}

// noCase says whether e's text compares without regard to case.
func noCase(e sqlast.Expr) bool {
	if e.Type().NoCase {
		return true
	}
	switch e := e.(type) {
	case *sqlast.Col:
		return e.Def != nil && e.Def.Type.NoCase
	case *sqlast.Values:
		return e.Def != nil && e.Def.Type.NoCase
	case *sqlast.Collate:
		return noCaseName(e.Name)
	}
	return false
}

// textual says whether e may hold text, so that a collation matters.
func textual(e sqlast.Expr) bool {
	c := class(e)
	return c == sqlast.ClassText || c == sqlast.ClassUnknown
}

// weak operands leave the collation to the other side, as literals do in MySQL.
func weak(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Lit, *sqlast.Param, *dialect.ListSlot:
		return true
	case *sqlast.Func:
		return madeOfWeak(e)
	}
	return false
}

// madeOfWeak says whether a text function has nothing but weak arguments.
func madeOfWeak(f *sqlast.Func) bool {
	if class(f) != sqlast.ClassText {
		return false
	}
	for _, a := range f.Args {
		_, word := a.(*sqlast.Keyword)
		if c := class(a); !word && !weak(a) && !c.Numeric() && !c.Temporal() {
			return false
		}
	}
	return len(f.Args) > 0
}

// storedNoCase is the collation that SQLite itself takes from e: a column's
// declared one. known is false where that can't be told (a derived table's
// column), and where e brings none, as a column of the row excluded.
func storedNoCase(e sqlast.Expr) (nocase, known bool) {
	switch e := e.(type) {
	case *sqlast.Col:
		if e.Def != nil {
			return e.Def.Type.NoCase, true
		}
	case *sqlast.Collate, *sqlast.Unary:
		return noCase(e), hasCollate(e)
	}
	return false, false
}

func hasCollate(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Collate:
		return true
	case *sqlast.Unary:
		return e.Op == sqlast.OpBinary
	}
	return false
}

// collation gives the collation of comparing l and r in MySQL, and whether it
// must be spelt out because SQLite would take another.
func collation(l, r sqlast.Expr) (nocase, explicit bool) {
	nocase, matters := meant(l, r)
	if !matters {
		return false, false
	}
	has, known := storedNoCase(l)
	if _, isCol := l.(*sqlast.Col); !known && !isCol {
		has, known = storedNoCase(r)
	}
	if known {
		return nocase, has != nocase
	}
	return nocase, nocase
}

// leftCollation is collation for IN, where SQLite looks at the left side alone.
func leftCollation(l, r sqlast.Expr) (nocase, explicit bool) {
	nocase, matters := meant(l, r)
	if !matters {
		return false, false
	}
	has, _ := storedNoCase(l)
	return nocase, has != nocase
}

// meant gives the collation by which MySQL compares l and r; matters is false
// if neither is NOCASE, or one of them says its collation itself.
func meant(l, r sqlast.Expr) (nocase, matters bool) {
	if hasCollate(l) || hasCollate(r) || !textual(l) || !textual(r) {
		return false, false
	}
	ln, rn := noCase(l), noCase(r)
	switch {
	case !ln && !rn:
		return false, false
	case weak(l) == weak(r):
		// Two of the same rank: a binary collation wins over another one, except
		// that nothing is known of an operand without a type.
		return ln && rn || ln && untyped(r) || rn && untyped(l), true
	case weak(l):
		return rn, true
	}
	return ln, true
}

func untyped(e sqlast.Expr) bool { return class(e) == sqlast.ClassUnknown }

// collated prints e for where its own collation decides (ORDER BY, GROUP BY,
// CASE, IN): an expression has lost its columns' collation in SQLite. A DECIMAL of
// many digits is its key there.
func (p *printer) collated(e sqlast.Expr, min int) {
	if keyed(e) && !literal(e) {
		p.key(e)
		return
	}
	if leaks(e) {
		p.expr(e, max(min, precCollate))
		p.collate(false)
		return
	}
	if _, known := storedNoCase(e); known || !noCase(e) || !textual(e) || weak(e) {
		p.expr(e, min)
		return
	}
	p.expr(e, max(min, precCollate))
	p.collate(true)
}

// leaks says whether SQLite may take a collation from within e for e's own: a
// COLLATE spelt anywhere in an expression counts for the whole of it, also for
// what names the expression by its alias or position.
func leaks(e sqlast.Expr) bool {
	switch e.(type) {
	case *sqlast.Col, *sqlast.Collate, *sqlast.Row, *sqlast.Subquery, *sqlast.Values:
		return false
	}
	if weak(e) || noCase(e) || hasCollate(e) || !textual(e) {
		return false
	}
	found := false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		found = found || compares(x) && anyNoCase(x)
		return !found
	})
	return found
}

// compares says whether e is printed as a comparison of texts, which may spell
// their collation.
func compares(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Binary:
		return e.Op.Comparison()
	case *sqlast.Case:
		return e.X != nil
	case *sqlast.Func:
		switch e.Name {
		case "FIELD", "GREATEST", "LEAST", "NULLIF", "STRCMP":
			return true
		}
		return false
	case *sqlast.In, *sqlast.Between, *sqlast.Collate, *sqlast.Agg:
		return true
	}
	return hasCollate(e)
}

func anyNoCase(e sqlast.Expr) bool {
	found := false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		found = found || hasCollate(x) || noCase(x) && textual(x)
		return !found
	})
	return found
}
