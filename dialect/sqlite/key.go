package sqlite

import (
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/sqlast"
)

// A DECIMAL whose type has more digits than SQLite's numbers keep is a blob, its
// key: keys compare and sort as the decimals do, by memcmp, so that indexes, ORDER
// BY, GROUP BY, DISTINCT and MIN need not know of them ([decimal.Decimal.AppendKey]
// has their form). An expression of such a type is printed in one of three ways:
//
//	key     where values are compared, sorted or handed on as a column
//	reader  for our exact functions, and for who reads a result: a key, a number or text
//	expr    as a number, anywhere else; one that a number doesn't keep is error 1690
//
// So a place that knows nothing of keys may refuse a value, and never mistake it.

// keyed says whether e's type is one whose values have keys.
func keyed(e sqlast.Expr) bool {
	if e == nil {
		return false
	}
	if _, ok := e.(*sqlast.Row); ok {
		return false
	}
	return digits(e).Keyed()
}

// needsKey is keyed for an operand of a comparison: a literal that a number keeps
// may as well be one, and what is computed with an argument may have any digits.
func needsKey(e sqlast.Expr) bool {
	if literal(e) {
		_, ok := wide(e)
		return ok
	}
	return keyed(e) || hard(e)
}

// literal says whether e is a literal, with a sign or without.
func literal(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Lit:
		return true
	case *sqlast.Unary:
		return (e.Op == sqlast.OpNeg || e.Op == sqlast.OpPlus) && literal(e.X)
	}
	return false
}

// asNumber prints an expression whose values have keys as a number. It returns
// false for others, and for those that are computed as numbers.
func (p *printer) asNumber(e sqlast.Expr) bool {
	if p.approx && unrounded(e) {
		p.s("dec_real(")
		p.exactArg(e)
		p.c(')')
		return true
	}
	switch x := e.(type) {
	case *sqlast.Lit, *sqlast.Row:
		return false
	case *sqlast.Unary:
		if literal(x) {
			return false
		}
	case *sqlast.Binary, *sqlast.Agg:
		if !p.approx && computed(e) {
			return false // by a function whose result is a number
		}
	}
	if !keyed(e) {
		return false
	}
	if p.approx {
		p.s("dec_real(")
	} else {
		p.s("dec_num(")
	}
	p.reader(e)
	p.c(')')
	return true
}

// computed says whether e is arithmetic, or an aggregate, that our functions
// compute exactly.
func computed(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Binary:
		return e.Op >= sqlast.OpAdd && e.Op <= sqlast.OpMod && e.Op != sqlast.OpIntDiv && arithmetic(e) == "dec_"
	case *sqlast.Agg:
		return exactAggregate(e)
	}
	return false
}

// reader prints e for who reads numbers, text and keys alike.
func (p *printer) reader(e sqlast.Expr) {
	switch {
	case p.wideNumber(e):
	case keyed(e):
		p.key(e)
	default:
		p.number(e, 0)
	}
}

// result prints a result that is only read; it returns false for what needs no
// words of its own.
func (p *printer) result(e sqlast.Expr) bool {
	if keyed(e) && !hard(e) {
		p.reader(e)
		return true
	}
	return p.wideNumber(e)
}

// truth prints e where a condition is asked for.
func (p *printer) truth(e sqlast.Expr, min int) {
	if unrounded(e) && !p.approx {
		b := p.open(precEq, min)
		p.s("dec_sign(")
		p.exactArg(e)
		p.s(") <> 0")
		p.close(b)
		return
	}
	if !keyed(e) || literal(e) {
		p.expr(e, min)
		return
	}
	b := p.open(precEq, min)
	p.key(e)
	p.s(" <> ")
	p.litKey(zero)
	p.close(b)
}

var zero = &sqlast.Lit{Kind: sqlast.LitInt, Text: "0"}

// made prints a value that becomes a column's.
func (p *printer) made(e sqlast.Expr) {
	if keyed(e) {
		p.key(e)
		return
	}
	p.expr(e, 0)
}

// key prints e so that its value is the key of e's.
func (p *printer) key(e sqlast.Expr) {
	switch x := e.(type) {
	case *sqlast.Lit:
		p.litKey(x)
		return
	case *dialect.ListSlot:
		p.slot(x.Index) // its members are keys
		return
	case *sqlast.Unary:
		if p.unaryKey(x) {
			return
		}
	case *sqlast.Binary:
		if p.binaryKey(x) {
			return
		}
	case *sqlast.Window:
		if p.windowKey(x) {
			return
		}
	case *sqlast.Cast:
		if x.To.Name == "DECIMAL" {
			p.decimalCast("key_cast(", x)
			return
		}
	}
	if keyed(e) && p.typedKey(e) {
		return
	}
	p.s("key_of(")
	p.bare(e, 0)
	p.c(')')
}

// typedKey prints the key of what gives one of several values, all of them as
// keys, and of what holds a key.
func (p *printer) typedKey(e sqlast.Expr) bool {
	switch x := e.(type) {
	case *sqlast.Col:
		p.col(x)
	case *sqlast.Values:
		p.bare(x, 0)
	case *sqlast.Subquery:
		p.bare(x, 0) // its item is a key, as it has this type
	case *sqlast.Agg:
		return p.aggKey(x)
	case *sqlast.Case:
		p.caseBy(x, p.key)
	case *sqlast.Func:
		return p.funcKey(x)
	default:
		return false
	}
	return true
}

// litKey prints the key of a literal as a literal.
func (p *printer) litKey(l *sqlast.Lit) {
	switch l.Kind {
	case sqlast.LitInt, sqlast.LitDecimal, sqlast.LitFloat, sqlast.LitString:
		key, err := decimal.LitKey(l.Text, -1)
		if err != nil {
			p.unsupported("the number "+l.Text+", of more than 65 digits, as a DECIMAL", -1, "")
		}
		p.blob(string(key))
	case sqlast.LitNull:
		p.s("NULL")
	default:
		p.s("key_of(")
		p.number(l, 0)
		p.c(')')
	}
}

func (p *printer) unaryKey(e *sqlast.Unary) bool {
	if text, ok := signed(e); ok {
		p.litKey(&sqlast.Lit{Kind: sqlast.LitDecimal, Text: text})
		return true
	}
	switch {
	case e.Op == sqlast.OpNeg && exact(e.X):
		p.s("key_neg(")
		p.reader(e.X)
		p.c(')')
	case e.Op == sqlast.OpPlus && exact(e.X):
		p.key(e.X)
	default:
		return false
	}
	return true
}

// signed gives the text of a number that is a literal with a sign.
func signed(e sqlast.Expr) (text string, ok bool) {
	switch e := e.(type) {
	case *sqlast.Lit:
		return e.Text, e.Kind == sqlast.LitInt || e.Kind == sqlast.LitDecimal
	case *sqlast.Unary:
		text, ok = signed(e.X)
		if e.Op == sqlast.OpNeg && ok {
			return "-" + text, text[0] != '-'
		}
		return text, ok && e.Op == sqlast.OpPlus
	}
	return "", false
}

func (p *printer) binaryKey(e *sqlast.Binary) bool {
	if hard(e) {
		p.s("key_of(")
		p.reader(e)
		p.c(')')
		return true
	}
	if !computed(e) {
		return false
	}
	switch e.Op {
	case sqlast.OpDiv:
		p.divBy("key_", e)
	case sqlast.OpMod:
		p.modBy("key_", e.L, e.R)
	default:
		p.sumBy("key_", e)
	}
	return true
}

// modBy prints the rest of a division by the functions of one kind.
func (p *printer) modBy(kind string, l, r sqlast.Expr) {
	if !unrounded(l) && !unrounded(r) {
		p.twoExact(kind+"mod(", l, r)
		return
	}
	p.s(kind + "round(")
	p.twoExact("wide_mod(", l, r)
	p.s(", ")
	p.int(max(scaleOf(l), scaleOf(r)))
	p.c(')')
}

// twoExact prints a function of two exact numbers.
func (p *printer) twoExact(name string, l, r sqlast.Expr) {
	p.s(name)
	p.exactArg(l)
	p.s(", ")
	p.exactArg(r)
	p.c(')')
}

func (p *printer) aggKey(e *sqlast.Agg) bool {
	switch {
	case exactAggregate(e):
		p.exactAggBy("key_", e, func() {})
	case e.Name == "MIN" || e.Name == "MAX":
		p.agg(e) // its argument is a key
	case e.Name == "ANY_VALUE":
		p.key(e.Args[0])
	default:
		return false
	}
	return true
}

func (p *printer) windowKey(e *sqlast.Window) bool {
	switch f := e.Func.(type) {
	case *sqlast.Agg:
		if exactAggregate(f) {
			p.exactAggBy("key_", f, func() { p.over(e) })
			return true
		}
		if (f.Name == "MIN" || f.Name == "MAX") && len(f.Args) == 1 && keyed(f.Args[0]) {
			p.agg(f)
			p.over(e)
			return true
		}
	case *sqlast.Func:
		if len(f.Args) > 0 && keyed(f.Args[0]) && valueWindow[f.Name] != "" {
			p.s(valueWindow[f.Name] + "(")
			for i, a := range f.Args {
				if i > 0 {
					p.s(", ")
				}
				if i == 1 {
					p.expr(a, 0) // how many rows away
				} else {
					p.key(a)
				}
			}
			p.c(')')
			p.over(e)
			return true
		}
	}
	return false
}

// valueWindow are the window functions that give a value of another row.
var valueWindow = map[string]string{"LAG": "lag", "LEAD": "lead", "FIRST_VALUE": "first_value", "LAST_VALUE": "last_value", "NTH_VALUE": "nth_value"}

// funcKey prints the key of a function's value.
func (p *printer) funcKey(f *sqlast.Func) bool {
	name := ""
	switch f.Name {
	case "IF":
		if len(f.Args) != 3 {
			return false
		}
		p.s("iif(")
		p.truth(f.Args[0], 0)
		for _, a := range f.Args[1:] {
			p.s(", ")
			p.key(a)
		}
		p.c(')')
		return true
	case "NULLIF":
		p.nullIfBy(f, p.key)
		return true
	case "COALESCE", "IFNULL":
		name = "coalesce("
	case "GREATEST":
		name = "max("
	case "LEAST":
		name = "min("
	case "ANY_VALUE", decimalKey:
	case "ABS":
		name = "key_abs("
		p.s(name)
		p.reader(f.Args[0])
		p.c(')')
		return true
	case "ROUND", "TRUNCATE":
		p.cut("key_", f)
		return true
	case "MOD":
		p.modBy("key_", f.Args[0], f.Args[1])
		return true
	default:
		return false
	}
	if len(f.Args) == 1 {
		p.key(f.Args[0])
		return true
	}
	p.s(name)
	for i, a := range f.Args {
		if i > 0 {
			p.s(", ")
		}
		p.key(a)
	}
	p.c(')')
	return true
}

// decimalKey is the name of the function that makes a key of its argument's value,
// which the printer and the binder put where columns of several types meet.
const decimalKey = "_DECIMAL_KEY"

// cut prints ROUND and TRUNCATE of an exact number by the functions of one kind.
func (p *printer) cut(kind string, f *sqlast.Func) {
	p.s(kind)
	if f.Name == "TRUNCATE" {
		p.s("trunc(")
	} else {
		p.s("round(")
	}
	p.exactArg(f.Args[0])
	p.s(", ")
	if len(f.Args) == 2 {
		p.expr(f.Args[1], 0)
	} else {
		p.c('0')
	}
	p.c(')')
}
