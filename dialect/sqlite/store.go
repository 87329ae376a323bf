package sqlite

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vitessdo/vitessdo/sqlast"
)

// fits says whether x's value is one that a column of type t keeps as it is, so
// that nothing has to look at it.
func fits(t *sqlast.Type, x sqlast.Expr) bool {
	switch x := x.(type) {
	case *sqlast.Lit:
		return litFits(t, x)
	case *sqlast.Param:
		// The values of an insert carry their column's type: the gate has brought
		// them into its form.
		return x.T.Name != "" && x.T.Name == t.Name && x.T.Class == t.Class &&
			(t.Class != sqlast.ClassDecimal || x.T.Size == t.Size && x.T.Scale == t.Scale && x.T.Numbers == t.Numbers)
	case *sqlast.Col:
		return x.Def != nil && columnFits(t, &x.Def.Type)
	case *sqlast.Values:
		return x.Def != nil && columnFits(t, &x.Def.Type)
	case *sqlast.In, *sqlast.Between, *sqlast.Like, *sqlast.Is:
		return t.Class == sqlast.ClassInt && t.Name != "YEAR"
	case *sqlast.Binary:
		if x.Op.Comparison() || x.Op == sqlast.OpAnd || x.Op == sqlast.OpOr {
			return t.Class == sqlast.ClassInt && t.Name != "YEAR"
		}
	}
	switch t.Class {
	case sqlast.ClassDouble:
		return class(x).Numeric() && !t.Unsigned
	case sqlast.ClassText:
		return t.Size < 0 && !t.Stripped() && !fractional(class(x)) || class(x) == sqlast.ClassInt && t.Size >= 20 || len(t.Values) > 0
	case sqlast.ClassBlob:
		return t.Size < 0 && class(x) == sqlast.ClassBlob // text is not the same to SQLite
	case sqlast.ClassInt, sqlast.ClassDecimal:
		return false
	}
	return true
}

func litFits(t *sqlast.Type, x *sqlast.Lit) bool {
	switch {
	case x.Kind == sqlast.LitNull:
		return true
	case t.Class == sqlast.ClassInt && t.Name != "YEAR":
		n, err := strconv.ParseInt(x.Text, 10, 64)
		lo, hi := t.IntRange()
		return x.Kind == sqlast.LitTrue || x.Kind == sqlast.LitFalse || x.Kind == sqlast.LitInt && err == nil && lo <= n && n <= hi
	case t.Class == sqlast.ClassDecimal:
		whole, scale := sqlast.LitDigits(x.Text)
		// Fewer digits than are always exact.
		return (x.Kind == sqlast.LitInt || x.Kind == sqlast.LitDecimal) &&
			scale <= max(t.Scale, 0) && whole <= t.Size-max(t.Scale, 0) && (whole+scale <= 15 || t.Keyed())
	case t.Class == sqlast.ClassDouble:
		return x.Kind <= sqlast.LitFloat && !t.Unsigned
	case t.Class == sqlast.ClassText:
		if x.Kind == sqlast.LitDecimal || x.Kind == sqlast.LitFloat {
			return false // 1.50 and 2e0 are spelt as MySQL does it
		}
		if t.Stripped() && strings.HasSuffix(x.Text, " ") {
			return false
		}
		return t.Size < 0 || utf8.RuneCountInString(x.Text) <= t.Size
	case t.Class == sqlast.ClassBlob:
		return x.Kind == sqlast.LitBytes && (t.Size < 0 || len(x.Text) <= t.Size) && !t.Filled()
	}
	return t.Class != sqlast.ClassInt
}

// columnFits says whether all that a column of type from keeps is what one of
// type to keeps.
func columnFits(to, from *sqlast.Type) bool {
	if to.Class != from.Class {
		return to.Class == sqlast.ClassDouble && from.Class.Numeric() && !to.Unsigned
	}
	switch to.Class {
	case sqlast.ClassInt:
		lo, hi := to.IntRange()
		flo, fhi := from.IntRange()
		return lo <= flo && fhi <= hi && (to.Name == "YEAR") == (from.Name == "YEAR")
	case sqlast.ClassDecimal:
		return to.Keyed() == from.Keyed() && from.Scale <= to.Scale && from.Size-from.Scale <= to.Size-to.Scale && (from.Unsigned || !to.Unsigned)
	case sqlast.ClassText, sqlast.ClassBlob:
		if to.Stripped() && !from.Stripped() || to.Filled() && (!from.Filled() || from.Size != to.Size) {
			return false
		}
		return to.Size < 0 || from.Size >= 0 && from.Size <= to.Size
	}
	return true
}

// narrower says whether a column's values must be looked at when its type becomes
// to, another one of the same class.
func narrower(to, from *sqlast.Type) bool {
	if len(to.Values) > 0 || to.Class != from.Class || to.Class.Temporal() {
		return false
	}
	return !columnFits(to, from)
}

// fit prints x through the function that brings it into def's type, or fails.
func (p *printer) fit(def *sqlast.ColumnDef, x sqlast.Expr, min int) {
	t := &def.Type
	var name string
	var more []int64
	unsigned := int64(0)
	if t.Unsigned {
		unsigned = 1
	}
	switch {
	case t.Class == sqlast.ClassInt && t.Name == "YEAR":
		name = "store_year("
	case t.Class == sqlast.ClassInt:
		lo, hi := t.IntRange()
		name, more = "store_int(", []int64{lo, hi}
	case t.Keyed():
		name, more = "store_key(", []int64{int64(t.Size), int64(max(t.Scale, 0)), unsigned}
	case t.Class == sqlast.ClassDecimal:
		name, more = "store_decimal(", []int64{int64(max(t.Size, 1)), int64(max(t.Scale, 0)), unsigned}
	case t.Class == sqlast.ClassDouble:
		name, more = "store_double(", []int64{unsigned}
	case t.Class == sqlast.ClassText && t.Size < 0:
		if !p.numberText(x) {
			p.expr(x, min)
		}
		return
	case t.Stripped():
		name, more = "store_char(", []int64{int64(t.Size)}
	case t.Class == sqlast.ClassText:
		name, more = "store_text(", []int64{int64(t.Size)}
	case t.Filled():
		name, more = "store_binary(", []int64{int64(t.Size)}
	case t.Class == sqlast.ClassBlob:
		name, more = "store_blob(", []int64{int64(t.Size)}
	default:
		p.expr(x, min)
		return
	}
	p.s(name)
	switch {
	case t.Class == sqlast.ClassInt && class(x) == sqlast.ClassDouble:
		p.call("round_even", x, zero)
	case (t.Class == sqlast.ClassText || t.Class == sqlast.ClassBlob) && p.numberText(x):
	case t.Class.Exact() && keyed(x): // it is rounded to the column's scale
		p.reader(x)
	case t.Class.Exact() && p.wideNumber(x):
	default:
		p.expr(x, 0)
	}
	for _, n := range more {
		p.s(", ")
		p.buf = strconv.AppendInt(p.buf, n, 10)
	}
	p.s(", ")
	p.str(def.Name)
	p.c(')')
}

// keptKey prints what a column of keys keeps as it is: the gate has made a key of an
// argument.
func (p *printer) keptKey(x sqlast.Expr, min int) {
	if _, ok := x.(*sqlast.Param); ok {
		p.bare(x, min)
		return
	}
	p.key(x)
}

// generated prints a generated column's expression. A DECIMAL must be rounded to
// its scale; the other types' columns show what the expression gives.
func (p *printer) generated(def *sqlast.TableDef, c *sqlast.ColumnDef) {
	x := def.Resolved(c.Generated)
	if c.Type.Class == sqlast.ClassDecimal {
		p.stored(c, x, 0)
		return
	}
	p.expr(x, 0)
}

// numberOrText: a default that is a plain number or text.
func numberOrText(e sqlast.Expr) bool {
	if u, ok := e.(*sqlast.Unary); ok {
		e = u.X
	}
	l, ok := e.(*sqlast.Lit)
	return ok && l.Kind != sqlast.LitBytes
}
