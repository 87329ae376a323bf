package sqlite

import (
	"strconv"

	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *printer) cast(e *sqlast.Cast, min int) {
	t := e.To
	if e.Strict {
		p.fit(&sqlast.ColumnDef{Name: "CAST", Type: t}, e.X, min)
		return
	}
	wrap := func(before, after string) {
		p.s(before)
		p.bytesArg(e.X, 0)
		p.s(after)
	}
	wrapText := func(before, after string) {
		p.s(before)
		p.textArg(e.X, 0)
		p.s(after)
	}
	switch t.Name {
	case "SIGNED", "INTEGER", "INT", "BIGINT":
		p.castSigned(e.X)
	case "UNSIGNED":
		p.castUnsigned(e.X)
	case "CHAR", "VARCHAR", "TEXT", "NCHAR":
		if t.Size > 0 {
			wrapText("substr(CAST(", " AS TEXT), 1, "+strconv.Itoa(t.Size)+")")
			return
		}
		if p.numberText(e.X) {
			return
		}
		if class(e.X) == sqlast.ClassText {
			p.expr(e.X, min)
			return
		}
		wrap("CAST(", " AS TEXT)")
	case "BINARY", "VARBINARY", "BLOB":
		if t.Size > 0 {
			wrapText("pad_binary(", ", "+strconv.Itoa(t.Size)+")")
			return
		}
		wrapText("CAST(", " AS BLOB)")
	case "DATE":
		p.dateOf(e.X)
	case "DATETIME", "TIMESTAMP":
		wrap("datetime_of(", ", "+strconv.Itoa(max(t.Scale, 0))+")")
	case "TIME":
		wrap("time_of(", ", "+strconv.Itoa(max(t.Scale, 0))+")")
	case "DECIMAL":
		p.decimalCast("dec_cast(", e)
	case "DOUBLE", "FLOAT", "REAL":
		p.approximately(func() { wrap("CAST(", " AS REAL)") })
	case "JSON":
		wrap("json(", ")")
	case "YEAR":
		wrap("CAST(", " AS INTEGER)")
	default:
		p.unsupported("CAST AS "+t.Name, -1, "")
	}
}

// decimalCast prints CAST(x AS DECIMAL). A missing scale is 0 in MySQL: it rounds
// to a whole number.
func (p *printer) decimalCast(name string, e *sqlast.Cast) {
	precision := e.To.Size
	if precision <= 0 {
		precision = 10
	}
	p.s(name)
	if _, ok := wide(e.X); ok || keyed(e.X) || unrounded(e.X) {
		p.exactArg(e.X)
	} else {
		p.bytesArg(e.X, 0)
	}
	p.s(", " + strconv.Itoa(precision) + ", " + strconv.Itoa(max(e.To.Scale, 0)) + ")")
}

// castSigned: a number is rounded, text cut off behind its digits.
// castUnsigned refuses what MySQL has as a number from 2^63 on: the negative ones,
// too.
func (p *printer) castUnsigned(x sqlast.Expr) {
	switch {
	case unsigned(x):
		p.castSigned(x)
	case keyed(x):
		p.s("cast_unsigned(")
		p.reader(x)
		p.c(')')
	case class(x) == sqlast.ClassInt:
		p.s("unsigned(")
		p.castSigned(x)
		p.c(')')
	default:
		p.s("cast_unsigned(")
		p.number(x, 0)
		p.c(')')
	}
}

func (p *printer) castSigned(x sqlast.Expr) {
	switch c := class(x); {
	case (keyed(x) || unrounded(x)) && !p.approx:
		p.s("dec_signed(")
		p.exactArg(x)
		p.c(')')
	case c == sqlast.ClassDouble:
		p.s("CAST(round_even(")
		p.expr(x, 0)
		p.s(", 0) AS INTEGER)")
	case c.Temporal():
		p.s("cast_signed(")
		p.number(x, 0)
		p.c(')')
	case c == sqlast.ClassInt || c == sqlast.ClassText:
		p.s("CAST(")
		p.number(x, 0)
		p.s(" AS INTEGER)")
	case fractional(c):
		p.s("CAST(round(")
		p.expr(x, 0)
		p.s(") AS INTEGER)")
	default:
		p.s("cast_signed(")
		p.number(x, 0)
		p.c(')')
	}
}
