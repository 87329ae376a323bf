package sqlite

import (
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/internal/decimal"
)

// Exact arithmetic for DECIMAL expressions; package decimal says how their
// values are kept.
var decimalFunctions = []function{
	{"dec_add", []int{2}, strict(decimals(decimal.Decimal.Add))},
	{"dec_sub", []int{2}, strict(decimals(decimal.Decimal.Sub))},
	{"dec_mul", []int{2}, strict(decimals(decimal.Decimal.Mul))},
	{"dec_mod", []int{2}, strict(quotient(decimal.Decimal.Mod))},
	{"dec_div_int", []int{2}, strict(quotient(decimal.Decimal.IntQuo))},
	{"dec_div", []int{3}, strict(decDiv)},
	{"wide_add", []int{2}, strict(wideDecimals(decimal.Decimal.Add))},
	{"wide_sub", []int{2}, strict(wideDecimals(decimal.Decimal.Sub))},
	{"wide_mul", []int{2}, strict(wideDecimals(decimal.Decimal.Mul))},
	{"wide_div", []int{3}, strict(wideDiv)},
	{"num_add", []int{2}, strict(numbers(decimal.Decimal.Add))},
	{"num_sub", []int{2}, strict(numbers(decimal.Decimal.Sub))},
	{"num_mul", []int{2}, strict(numbers(decimal.Decimal.Mul))},
	{"num_div", []int{4}, strict(numDiv)},
	{"dec_cmp", []int{2}, strict(decCmp)},
	{"dec_cast", []int{3}, strict(decCast)},
	{"dec_text", []int{2}, strict(decText)},
}

// errDecimalRange refuses what has no exact form here; MySQL has DECIMALs of 65
// digits. Its text is what fail recognises it by.
var errDecimalRange = errors.New("a DECIMAL value has more than the 15 digits that are kept exactly; " +
	"CAST an operand AS DOUBLE for an approximate result")

// decimalOf reads an argument; false, after reporting an error, when it is no
// finite number.
func decimalOf(ctx sqlite3.Context, v sqlite3.Value) (d decimal.Decimal, ok bool) {
	switch v.Type() {
	case sqlite3.INTEGER:
		return decimal.Int(v.Int64()), true
	case sqlite3.FLOAT:
		d, ok = decimal.Float(v.Float())
	default:
		return decimal.Prefix(string(v.RawText())), true
	}
	if !ok {
		ctx.ResultError(errDecimalRange)
	}
	return d, ok
}

func resultDecimal(ctx sqlite3.Context, d decimal.Decimal) {
	switch v, err := d.Value(); v := v.(type) {
	case int64:
		ctx.ResultInt64(v)
	case float64:
		ctx.ResultFloat(v)
	default:
		if err != nil {
			ctx.ResultError(errDecimalRange)
		}
	}
}

func twoDecimals(ctx sqlite3.Context, arg []sqlite3.Value) (a, b decimal.Decimal, ok bool) {
	if a, ok = decimalOf(ctx, arg[0]); ok {
		b, ok = decimalOf(ctx, arg[1])
	}
	return a, b, ok
}

func decimals(op func(a, b decimal.Decimal) decimal.Decimal) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if a, b, ok := twoDecimals(ctx, arg); ok {
			resultDecimal(ctx, op(a, b))
		}
	}
}

// wideDecimals is decimals for who reads text as well as numbers.
func wideDecimals(op func(a, b decimal.Decimal) decimal.Decimal) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if a, b, ok := twoDecimals(ctx, arg); ok {
			resultWide(ctx, op(a, b))
		}
	}
}

// resultWide gives a number, or the text of one that no number keeps. Equal
// decimals give equal results.
func resultWide(ctx sqlite3.Context, d decimal.Decimal) {
	if _, err := d.Value(); err != nil {
		ctx.ResultText(d.String())
		return
	}
	resultDecimal(ctx, d)
}

func wideDiv(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if a, b, ok := twoDecimals(ctx, arg[:2]); ok {
		if q, ok := a.Quo(b, int(min(max(arg[2].Int64(), 0), decimal.MaxScale))); ok {
			resultWide(ctx, q)
		}
	}
}

// quotient makes a function of an operation that has no result, NULL in SQL,
// when the second operand is 0.
func quotient(op func(a, b decimal.Decimal) (decimal.Decimal, bool)) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if a, b, ok := twoDecimals(ctx, arg); ok {
			if q, ok := op(a, b); ok {
				resultDecimal(ctx, q)
			}
		}
	}
}

// decCmp is dec_cmp(a, b): -1, 0 or 1 as a is below, equal to or above b.
func decCmp(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if a, b, ok := twoDecimals(ctx, arg); ok {
		ctx.ResultInt64(int64(a.Cmp(b)))
	}
}

// decDiv is dec_div(a, b, scale).
func decDiv(ctx sqlite3.Context, arg ...sqlite3.Value) {
	scale := int(min(max(arg[2].Int64(), 0), decimal.MaxScale))
	quotient(func(a, b decimal.Decimal) (decimal.Decimal, bool) { return a.Quo(b, scale) })(ctx, arg[:2]...)
}

// numbers makes a function for operands of which one came with the statement and
// may be any REAL: what has no exact form is given by the nearest REAL.
func numbers(op func(a, b decimal.Decimal) decimal.Decimal) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if a, b, ok := twoDecimals(ctx, arg); ok {
			resultNumber(ctx, op(a, b))
		}
	}
}

func resultNumber(ctx sqlite3.Context, d decimal.Decimal) {
	if _, err := d.Value(); err != nil {
		ctx.ResultFloat(d.Nearest())
		return
	}
	resultDecimal(ctx, d)
}

// numDiv is num_div(a, b, scale, arguments): arguments says by the bits 1 and 2
// whether a and b came with the statement. A REAL that did is no DECIMAL, and the
// quotient is then no DECIMAL either.
func numDiv(ctx sqlite3.Context, arg ...sqlite3.Value) {
	for i, bit := range [...]int64{1, 2} {
		if arg[3].Int64()&bit != 0 && arg[i].Type() == sqlite3.FLOAT {
			if b := arg[1].Float(); b != 0 {
				ctx.ResultFloat(arg[0].Float() / b)
			}
			return
		}
	}
	if a, b, ok := twoDecimals(ctx, arg[:2]); ok {
		if q, ok := a.Quo(b, int(arg[2].Int64())); ok {
			resultNumber(ctx, q)
		}
	}
}

// decCast is dec_cast(x, precision, scale), CAST(x AS DECIMAL(precision, scale)):
// what has more digits becomes the largest value, as in MySQL.
func decCast(ctx sqlite3.Context, arg ...sqlite3.Value) {
	d, ok := decimalOf(ctx, arg[0])
	if !ok {
		return
	}
	precision, scale := int(arg[1].Int64()), int(arg[2].Int64())
	resultDecimal(ctx, d.Round(scale).Clamp(precision, scale))
}

// decText is dec_text(x, scale): x as DECIMAL's text, with all digits of its
// scale.
func decText(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if d, ok := decimalOf(ctx, arg[0]); ok {
		ctx.ResultText(d.Text(int(min(max(arg[1].Int64(), 0), decimal.MaxScale))))
	}
}

// decSum is dec_sum(x), an exact SUM. Rows that leave a window's frame are taken
// away again, which exact numbers allow.
type decSum struct {
	wide  bool // wide_sum, which may give text
	total decimal.Decimal
	n     int
}

func (s *decSum) Step(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() == sqlite3.NULL {
		return
	}
	if d, ok := decimalOf(ctx, arg[0]); ok {
		s.total = s.total.Add(d)
		s.n++
	}
}

func (s *decSum) Inverse(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() == sqlite3.NULL {
		return
	}
	if d, ok := decimalOf(ctx, arg[0]); ok {
		s.total = s.total.Sub(d)
		s.n--
	}
}

func (s *decSum) Value(ctx sqlite3.Context) {
	switch {
	case s.n == 0:
	case s.wide:
		resultWide(ctx, s.total)
	default:
		resultDecimal(ctx, s.total)
	}
}
