package sqlite

import (
	"errors"
	"math"
	"strconv"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/internal/decimal"
)

// Exact arithmetic for DECIMAL expressions; package decimal says how their
// values are kept. What the functions take may be a number, text or a key; what
// they give says their names: dec_ a number, wide_ a number or the text of one that
// has more digits, for who reads a result, key_ a key, which compares and sorts.
// Where arguments take part, which may be anything, num_ gives a number and any_ one
// or text.
var decimalFunctions = []function{
	{"dec_add", []int{2}, strict(decimals(decimal.Decimal.Add, resultDecimal))},
	{"dec_sub", []int{2}, strict(decimals(decimal.Decimal.Sub, resultDecimal))},
	{"dec_mul", []int{2}, strict(decimals(decimal.Decimal.Mul, resultDecimal))},
	{"dec_mod", []int{2}, strict(quotient(decimal.Decimal.Mod, resultDecimal))},
	{"dec_div_int", []int{2}, strict(quotient(decimal.Decimal.IntQuo, resultDecimal))},
	{"dec_div", []int{3}, strict(division(resultDecimal))},
	{"dec_round", []int{2}, strict(digitsCut(decimal.Decimal.RoundTo, resultDecimal))},
	{"dec_trunc", []int{2}, strict(digitsCut(decimal.Decimal.Trunc, resultDecimal))},
	{"dec_cast", []int{3}, strict(decCast(resultDecimal))},
	{"dec_floor", []int{1}, strict(unary(decimal.Decimal.Floor, resultDecimal))},
	{"dec_ceil", []int{1}, strict(unary(decimal.Decimal.Ceil, resultDecimal))},
	{"dec_sign", []int{1}, strict(decSign)},
	{"dec_bits", []int{1}, strict(decBits)},
	{"dec_signed", []int{1}, strict(decSigned)},
	{"dec_cmp", []int{2}, strict(decCmp)},
	{"dec_text", []int{2}, strict(decText)},
	{"dec_num", []int{1}, strict(unary(itself, resultDecimal))},
	{"dec_real", []int{1}, strict(unary(itself, resultReal))},
	{"wide_add", []int{2}, strict(decimals(decimal.Decimal.Add, resultWide))},
	{"wide_sub", []int{2}, strict(decimals(decimal.Decimal.Sub, resultWide))},
	{"wide_mul", []int{2}, strict(decimals(decimal.Decimal.Mul, resultWide))},
	{"wide_div", []int{3}, strict(division(resultWide))},
	{"wide_mod", []int{2}, strict(quotient(decimal.Decimal.Mod, resultWide))},
	{"wide_quo", []int{3}, strict(truncatedDivision(resultWide))},
	{"dec_quo", []int{3}, strict(truncatedDivision(resultDecimal))},
	{"key_quo", []int{3}, strict(truncatedDivision(resultKey))},
	{"wide_round", []int{2}, strict(digitsCut(decimal.Decimal.RoundTo, resultWide))},
	{"key_of", []int{1}, strict(keyOf)},
	{"key_add", []int{2}, strict(decimals(decimal.Decimal.Add, resultKey))},
	{"key_sub", []int{2}, strict(decimals(decimal.Decimal.Sub, resultKey))},
	{"key_mul", []int{2}, strict(decimals(decimal.Decimal.Mul, resultKey))},
	{"key_mod", []int{2}, strict(quotient(decimal.Decimal.Mod, resultKey))},
	{"key_div", []int{3}, strict(division(resultKey))},
	{"key_round", []int{2}, strict(digitsCut(decimal.Decimal.RoundTo, resultKey))},
	{"key_trunc", []int{2}, strict(digitsCut(decimal.Decimal.Trunc, resultKey))},
	{"key_cast", []int{3}, strict(decCast(resultKey))},
	{"key_neg", []int{1}, strict(unary(decimal.Decimal.Neg, resultKey))},
	{"key_abs", []int{1}, strict(unary(decimal.Decimal.Abs, resultKey))},
	{"num_add", []int{2}, strict(decimals(decimal.Decimal.Add, resultNumber))},
	{"num_sub", []int{2}, strict(decimals(decimal.Decimal.Sub, resultNumber))},
	{"num_mul", []int{2}, strict(decimals(decimal.Decimal.Mul, resultNumber))},
	{"num_div", []int{4}, strict(numDiv(resultNumber))},
	{"any_add", []int{3}, strict(anyDecimals(decimal.Decimal.Add))},
	{"any_sub", []int{3}, strict(anyDecimals(decimal.Decimal.Sub))},
	{"any_mul", []int{3}, strict(anyDecimals(decimal.Decimal.Mul))},
	{"any_div", []int{4}, strict(numDiv(resultWide))},
}

// errDecimalRange refuses what has no exact form here; MySQL has DECIMALs of 65
// digits. Its text is what fail recognises it by.
var errDecimalRange = errors.New("a DECIMAL value has more than the 15 digits that are kept exactly; " +
	"CAST an operand AS DOUBLE for an approximate result")

// errDigits refuses what is beyond MySQL's DECIMALs.
var errDigits = errors.New("a DECIMAL value has more than the 65 digits that DECIMALs have; " +
	"CAST an operand AS DOUBLE for an approximate result")

// decimalOf reads an argument; false, after reporting an error, when it is no
// finite number.
func decimalOf(ctx sqlite3.Context, v sqlite3.Value) (d decimal.Decimal, ok bool) {
	switch v.Type() {
	case sqlite3.INTEGER:
		return decimal.Int(v.Int64()), true
	case sqlite3.FLOAT:
		d, ok = decimal.Float(v.Float())
	case sqlite3.BLOB:
		return decimal.Of(v.RawBlob())
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

// How the functions give their results: what a context takes decides by which of
// them it is computed.
type give func(sqlite3.Context, decimal.Decimal)

// resultWide gives a number, or the text of one that no number keeps. Equal
// decimals give equal results.
func resultWide(ctx sqlite3.Context, d decimal.Decimal) {
	if _, err := d.Value(); err != nil {
		ctx.ResultText(d.String())
		return
	}
	resultDecimal(ctx, d)
}

// resultKey gives what compares and sorts as the decimal.
func resultKey(ctx sqlite3.Context, d decimal.Decimal) {
	var buf [64]byte
	key, err := d.AppendKey(buf[:0])
	if err != nil {
		ctx.ResultError(errDigits)
		return
	}
	ctx.ResultBlob(key)
}

// resultNumber gives what has no exact form by the nearest REAL.
func resultNumber(ctx sqlite3.Context, d decimal.Decimal) {
	if _, err := d.Value(); err != nil {
		resultReal(ctx, d)
		return
	}
	resultDecimal(ctx, d)
}

func resultReal(ctx sqlite3.Context, d decimal.Decimal) { ctx.ResultFloat(d.Nearest()) }

func itself(d decimal.Decimal) decimal.Decimal { return d }

// keyOf is key_of(x): the key of a number, of text or of a key.
func keyOf(ctx sqlite3.Context, arg ...sqlite3.Value) {
	switch arg[0].Type() {
	case sqlite3.BLOB:
		if raw := arg[0].RawBlob(); decimal.IsKey(raw) {
			ctx.ResultValue(arg[0])
			return
		}
	case sqlite3.FLOAT:
		if key, err := decimal.KeyOf(arg[0].Float()); err == nil {
			ctx.ResultBlob(key)
			return
		}
	}
	if d, ok := decimalOf(ctx, arg[0]); ok {
		resultKey(ctx, d)
	}
}

func unary(op func(decimal.Decimal) decimal.Decimal, result give) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if d, ok := decimalOf(ctx, arg[0]); ok {
			result(ctx, op(d))
		}
	}
}

func decimals(op func(a, b decimal.Decimal) decimal.Decimal, result give) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if a, b, ok := twoDecimals(ctx, arg); ok {
			result(ctx, op(a, b))
		}
	}
}

// quotient makes a function of an operation that has no result, NULL in SQL,
// when the second operand is 0.
func quotient(op func(a, b decimal.Decimal) (decimal.Decimal, bool), result give) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if a, b, ok := twoDecimals(ctx, arg); ok {
			if q, ok := op(a, b); ok {
				result(ctx, q)
			}
		}
	}
}

// division makes a function of (a, b, scale).
func division(result give) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if a, b, ok := twoDecimals(ctx, arg[:2]); ok {
			if q, ok := a.Quo(b, int(min(max(arg[2].Int64(), 0), decimal.MaxScale))); ok {
				result(ctx, q)
			}
		}
	}
}

// truncatedDivision makes a function of (x, y, scale): x / y, cut off behind scale
// digits.
func truncatedDivision(result give) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if a, b, ok := twoDecimals(ctx, arg[:2]); ok {
			if q, ok := a.CutQuo(b, int(min(max(arg[2].Int64(), 0), decimal.MaxDigits))); ok {
				result(ctx, q)
			}
		}
	}
}

// digitsCut makes a function of (x, digits behind the point), which are in front of
// it below 0.
func digitsCut(op func(d decimal.Decimal, scale int) decimal.Decimal, result give) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if d, ok := decimalOf(ctx, arg[0]); ok {
			result(ctx, op(d, int(min(max(arg[1].Int64(), -decimal.MaxDigits), decimal.MaxScale))))
		}
	}
}

// decCmp is dec_cmp(a, b): -1, 0 or 1 as a is below, equal to or above b.
func decCmp(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if a, b, ok := twoDecimals(ctx, arg); ok {
		ctx.ResultInt64(int64(a.Cmp(b)))
	}
}

func decSign(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if d, ok := decimalOf(ctx, arg[0]); ok {
		ctx.ResultInt64(int64(d.Sign()))
	}
}

// decSigned is CAST(d AS SIGNED): the nearest whole number, or the end of the range
// that it lies beyond, as in MySQL.
func decSigned(ctx sqlite3.Context, arg ...sqlite3.Value) {
	d, ok := decimalOf(ctx, arg[0])
	if !ok {
		return
	}
	n, ok := d.Round(0).Int64()
	if !ok {
		n = math.MaxInt64
		if d.Sign() < 0 {
			n = math.MinInt64
		}
	}
	ctx.ResultInt64(n)
}

// decBits is a DECIMAL as an operand of a bit operation: the nearest whole number in
// 64 bits, or the end of their range that it lies beyond.
func decBits(ctx sqlite3.Context, arg ...sqlite3.Value) {
	d, ok := decimalOf(ctx, arg[0])
	if !ok {
		return
	}
	d = d.Round(0)
	if n, ok := d.Int64(); ok {
		ctx.ResultInt64(n)
		return
	}
	switch n, err := strconv.ParseUint(d.String(), 10, 64); {
	case d.Sign() < 0:
		ctx.ResultInt64(math.MinInt64)
	case err != nil:
		ctx.ResultInt64(-1)
	default:
		ctx.ResultInt64(int64(n))
	}
}

// anyDecimals makes a function of (a, b, arguments), as numDiv has them: with a REAL
// for an argument, what has no exact form is given by the nearest REAL, else as text.
func anyDecimals(op func(a, b decimal.Decimal) decimal.Decimal) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		a, b, ok := twoDecimals(ctx, arg[:2])
		switch {
		case !ok:
		case realArgument(arg) >= 0:
			resultNumber(ctx, op(a, b))
		default:
			resultWide(ctx, op(a, b))
		}
	}
}

// numDiv makes a function of (a, b, scale, arguments): arguments says by the bits 1
// and 2 whether a and b came with the statement. A REAL that did is no DECIMAL, and
// the quotient is then no DECIMAL either.
func numDiv(result give) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) { divideNumbers(ctx, arg, result) }
}

func divideNumbers(ctx sqlite3.Context, arg []sqlite3.Value, result give) {
	if realArgument(arg) >= 0 {
		a, b, ok := twoDecimals(ctx, arg[:2])
		if ok && b.Sign() != 0 {
			ctx.ResultFloat(a.Nearest() / b.Nearest())
		}
		return
	}
	if a, b, ok := twoDecimals(ctx, arg[:2]); ok {
		if q, ok := a.Quo(b, int(arg[2].Int64())); ok {
			result(ctx, q)
		}
	}
}

// realArgument gives which of two operands is a REAL that came with the statement, by
// the bits in the last value; -1 for none.
func realArgument(arg []sqlite3.Value) int {
	bits := arg[len(arg)-1].Int64()
	for i := range 2 {
		if bits&(1<<i) != 0 && arg[i].Type() == sqlite3.FLOAT {
			return i
		}
	}
	return -1
}

// decCast makes a function of (x, precision, scale), CAST(x AS DECIMAL(precision,
// scale)): what has more digits becomes the largest value, as in MySQL.
func decCast(result give) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		if d, ok := decimalOf(ctx, arg[0]); ok {
			precision, scale := int(arg[1].Int64()), int(arg[2].Int64())
			result(ctx, d.Round(scale).Clamp(precision, scale))
		}
	}
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
	result give
	total  decimal.Decimal
	n      int
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
	if s.n > 0 {
		s.result(ctx, s.total)
	}
}
