package sqlite

import (
	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/sqlast"
)

// SQLite reads a literal of more digits than a REAL keeps as the nearest REAL,
// which is another number. Exact functions get such a literal as text, whose
// digits they read; it is refused wherever SQLite alone would read it, unless
// MySQL computes with DOUBLEs there as well.

// wide gives the digits of a DECIMAL literal that no INTEGER or REAL keeps.
func wide(e sqlast.Expr) (text string, ok bool) {
	switch e := e.(type) {
	case *sqlast.Unary:
		text, ok = wide(e.X)
		switch {
		case e.Op == sqlast.OpNeg && ok:
			return "-" + text, true
		case e.Op == sqlast.OpPlus:
			return text, ok
		}
	case *sqlast.Lit:
		if e.Kind != sqlast.LitDecimal || len(e.Text) <= decimal.Digits {
			return "", false
		}
		d, ok := decimal.Parse(e.Text)
		if !ok {
			return "", false
		}
		if _, err := d.Value(); err != nil {
			return d.String(), true
		}
	}
	return "", false
}

// approximately prints by f what MySQL computes with DOUBLEs.
func (p *printer) approximately(f func()) {
	was := p.approx
	p.approx = true
	f()
	p.approx = was
}

// exactArg prints an argument of one of our exact functions, which get all digits of
// a quotient.
func (p *printer) exactArg(e sqlast.Expr) {
	p.raw = unrounded(e)
	p.reader(e)
	p.raw = false
}

// wideNumber prints an exact expression so that its value is text where no number
// keeps it: for a function of ours, or for the reader of a result. It returns
// false for other expressions.
func (p *printer) wideNumber(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Lit, *sqlast.Unary:
		text, ok := wide(e)
		if ok {
			p.str(text)
		}
		return ok
	case *sqlast.Binary:
		switch {
		case e.Op >= sqlast.OpAdd && e.Op <= sqlast.OpDiv && hard(e):
			if e.Op == sqlast.OpDiv {
				p.divBy("any_", e)
			} else {
				p.sumBy("any_", e)
			}
			return true
		case e.Op == sqlast.OpMod || !computed(e):
			return false
		}
		if e.Op == sqlast.OpDiv {
			p.divBy("wide_", e)
		} else {
			p.sumBy("wide_", e)
		}
		return true
	case *sqlast.Agg:
		if !exactAggregate(e) {
			return false
		}
		if p.plain && p.plainSum(e) {
			return true
		}
		p.exactAggBy("wide_", e, func() {})
		return true
	}
	return false
}

// inexact says whether a number compares with e as a DOUBLE.
func inexact(e sqlast.Expr) bool {
	c := class(e)
	return c == sqlast.ClassDouble || c == sqlast.ClassText || c == sqlast.ClassJSON
}

// wideMember prints a member of an IN list that SQLite would round. No number
// that SQLite has equals it, as none equals a blob.
func (p *printer) wideMember(x, of sqlast.Expr) bool {
	if _, ok := wide(x); !ok {
		return false
	}
	switch {
	case inexact(of):
		p.approximately(func() { p.side(x, of, 0) })
		return true
	case exact(of):
		p.s("x''")
		return true
	}
	return false
}
