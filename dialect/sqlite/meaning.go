package sqlite

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

// What MySQL's comparisons and assignments mean, and how a value is spelt to mean that,
// is the same whatever engine keeps the rows. The printers of other engines, beside
// which the gate computes constants by this one, ask it here.

// ClassOf gives the class of e's values, as far as it is known.
func ClassOf(e sqlast.Expr) sqlast.Class { return class(e) }

// FoldsText says whether text compares in l and r without regard to ASCII case.
func FoldsText(l, r sqlast.Expr) bool {
	if !textual(l) || !textual(r) {
		return false
	}
	for _, x := range []sqlast.Expr{l, r} {
		if hasCollate(x) {
			return noCase(x)
		}
	}
	nocase, matters := meant(l, r)
	return matters && nocase
}

// FoldsAlone says whether e's text, sorted or told apart, has no regard to ASCII case.
func FoldsAlone(e sqlast.Expr) bool { return textual(e) && noCase(e) }

// Side prints e as it is compared with other.
func Side(e, other sqlast.Expr) (string, error) {
	return one(func(p *printer) { p.side(e, other, 0) })
}

// Stored prints x as a column keeps it.
func Stored(def *sqlast.ColumnDef, x sqlast.Expr) (string, error) {
	return one(func(p *printer) { p.stored(def, x, 0) })
}

// Truth prints e as the condition that it is.
func Truth(e sqlast.Expr) (string, error) {
	return one(func(p *printer) { p.truth(e, precUnary) })
}

// Key prints a DECIMAL of so many digits that it is handed on as its key; it returns
// false for any other.
func Key(e sqlast.Expr) (text string, ok bool) {
	if !keyed(e) {
		return "", false
	}
	text, err := one(func(p *printer) { p.key(e) })
	return text, err == nil
}

func one(print func(p *printer)) (string, error) {
	p := get()
	defer p.put()
	print(p)
	t, err := p.text()
	return t.String(), err
}

// NeedsKey says whether e is compared by the key of a DECIMAL.
func NeedsKey(e sqlast.Expr) bool { return needsKey(e) }

// Inexact says whether a DECIMAL compares with e as a DOUBLE.
func Inexact(e sqlast.Expr) bool { return inexactSide(e) }

// Fits says whether x's value is one that a column of type t keeps as it is.
func Fits(t *sqlast.Type, x sqlast.Expr) bool { return fits(t, x) }

// Narrower says whether a column's values must be looked at when its type becomes to.
func Narrower(to, from *sqlast.Type) bool { return narrower(to, from) }

// Fraction gives the digits behind the second that the values of a date or time have,
// -1 for a DATE; known is false for what has none.
func Fraction(e sqlast.Expr) (digits int, known bool) { return fspOf(e) }

// Constant says whether the value of printed text hangs on literals and parameters
// alone, and is the same each time that it is computed.
func Constant(text string) bool {
	for i := 0; i < len(text); {
		word, next := token(text, i)
		switch {
		case function(text, word, next):
			if perRow[word] {
				return false
			}
		case word == "SELECT" || word == "OVER" || word != "" && word[0] >= 'a' || text[i] == '"':
			return false
		}
		i = next
	}
	return true
}
