package sqlite

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/internal/decimal"
)

// byteFunctions look at text byte by byte, or at its characters in ways that
// SQLite's own functions don't.
var byteFunctions = []function{
	{"hex_of", []int{1}, strict(hexOf)},
	{"unhex_of", []int{1}, strict(unhexOf)},
	{"char_of", []int{-1}, charOf},
	{"ord_code", []int{1}, strict(ordCode)},
	{"quote_text", []int{1}, quoteText},
	{"substring_of", []int{2, 3}, strict(substringOf)},
	{"make_set", []int{-1}, makeSet},
	{"export_set", []int{3, 4, 5}, strict(exportSet)},
	{"pad_binary", []int{2}, strict(padBinary)},
	{"bit_shl", []int{2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { shift(c, toInt(a[0]), toInt(a[1]), true) })},
	{"bit_shr", []int{2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { shift(c, toInt(a[0]), toInt(a[1]), false) })},
	{"bits", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { c.ResultInt64(toBits(a[0])) })},
	{"unsigned", []int{1}, strict(unsigned)},
	{"unsigned_sum", []int{1}, strict(unsignedSum)},
	{"cast_unsigned", []int{1}, strict(castUnsigned)},
}

// hexOf is HEX(x): of a number its digits, of anything else its bytes.
func hexOf(ctx sqlite3.Context, arg ...sqlite3.Value) {
	switch arg[0].Type() {
	case sqlite3.INTEGER, sqlite3.FLOAT:
		ctx.ResultText(strings.ToUpper(strconv.FormatUint(uint64(toInt(arg[0])), 16)))
	default:
		ctx.ResultText(fmt.Sprintf("%X", arg[0].RawBlob()))
	}
}

// unhexOf is UNHEX(x); a first digit that stands alone is a byte.
func unhexOf(ctx sqlite3.Context, arg ...sqlite3.Value) {
	s := arg[0].Text()
	if len(s)%2 != 0 {
		s = "0" + s
	}
	out := make([]byte, len(s)/2)
	for i := range out {
		n, err := strconv.ParseUint(s[2*i:2*i+2], 16, 8)
		if err != nil || s[2*i] == '+' || s[2*i] == '-' {
			return
		}
		out[i] = byte(n)
	}
	ctx.ResultBlob(out)
}

// charOf is CHAR(n, …): the numbers' bytes, without NULLs. What is no UTF-8
// comes as bytes.
func charOf(ctx sqlite3.Context, arg ...sqlite3.Value) {
	var out []byte
	for _, a := range arg {
		if a.Type() == sqlite3.NULL {
			continue
		}
		n := uint32(toInt(a))
		for shift := 24; shift >= 0; shift -= 8 {
			if n>>shift != 0 || shift == 0 {
				out = append(out, byte(n>>shift))
			}
		}
	}
	if utf8.Valid(out) {
		ctx.ResultRawText(out)
		return
	}
	ctx.ResultBlob(out)
}

// ordCode is ORD(x): the bytes of the first character, as one number.
func ordCode(ctx sqlite3.Context, arg ...sqlite3.Value) {
	b := arg[0].RawText()
	if len(b) == 0 {
		ctx.ResultInt(0)
		return
	}
	_, size := utf8.DecodeRune(b)
	n := 0
	for _, c := range b[:size] {
		n = n<<8 | int(c)
	}
	ctx.ResultInt(n)
}

// quoteText is QUOTE(x), which gives the word NULL for NULL.
func quoteText(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() == sqlite3.NULL {
		ctx.ResultText("NULL")
		return
	}
	ctx.ResultText("'" + quoter.Replace(arg[0].Text()) + "'")
}

var quoter = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`, "\x1a", `\Z`)

// substringOf is SUBSTRING(x, from[, length]), of bytes where x is a blob.
func substringOf(ctx sqlite3.Context, arg ...sqlite3.Value) {
	from, n := toInt(arg[1]), int64(math.MaxInt32)
	if len(arg) == 3 {
		n = toInt(arg[2])
	}
	if arg[0].Type() == sqlite3.BLOB {
		b := arg[0].Blob(nil)
		i, j := span1(int64(len(b)), from, n)
		ctx.ResultBlob(b[i:j])
		return
	}
	r := []rune(arg[0].Text())
	i, j := span1(int64(len(r)), from, n)
	ctx.ResultText(string(r[i:j]))
}

// span1 gives where n characters from position from, counted from 1 or, if
// negative, from the end, begin and end in text of that length.
func span1(length, from, n int64) (i, j int64) {
	if from < 0 {
		from += length + 1
	}
	if from < 1 || from > length || n < 1 {
		return 0, 0
	}
	return from - 1, min(from-1+n, length)
}

func makeSet(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if len(arg) == 0 || arg[0].Type() == sqlite3.NULL {
		return
	}
	set := uint64(toInt(arg[0]))
	var parts []string
	for i, a := range arg[1:min(len(arg), 65)] {
		if set>>i&1 != 0 && a.Type() != sqlite3.NULL {
			parts = append(parts, a.Text())
		}
	}
	ctx.ResultText(strings.Join(parts, ","))
}

// exportSet is EXPORT_SET(bits, on, off[, separator[, number]]).
func exportSet(ctx sqlite3.Context, arg ...sqlite3.Value) {
	set, sep, n := uint64(toInt(arg[0])), ",", int64(64)
	if len(arg) > 3 {
		sep = arg[3].Text()
	}
	if len(arg) > 4 {
		if n = toInt(arg[4]); n < 0 || n > 64 {
			n = 64
		}
	}
	parts := make([]string, n)
	for i := range parts {
		parts[i] = arg[2].Text()
		if set>>i&1 != 0 {
			parts[i] = arg[1].Text()
		}
	}
	ctx.ResultText(strings.Join(parts, sep))
}

// padBinary is CAST(x AS BINARY(n)): cut, or filled with zero bytes.
func padBinary(ctx sqlite3.Context, arg ...sqlite3.Value) {
	n := arg[1].Int64()
	if n < 0 || n > maxText {
		ctx.ResultError(errors.New("BINARY is too long"))
		return
	}
	out := make([]byte, n)
	copy(out, arg[0].RawBlob())
	ctx.ResultBlob(out)
}

// shift moves bits as of a number without sign.
func shift(ctx sqlite3.Context, x, n int64, left bool) {
	switch {
	case n < 0 || n > 63:
		ctx.ResultInt64(0)
	case left:
		ctx.ResultInt64(x << n)
	default:
		ctx.ResultInt64(int64(uint64(x) >> n))
	}
}

// toBits is an operand of a bit operation: 64 bits, the upper half of the
// numbers without sign as negative ones.
func toBits(v sqlite3.Value) int64 {
	if v.Type() == sqlite3.INTEGER {
		return v.Int64()
	}
	if n, err := strconv.ParseUint(strings.TrimSpace(v.Text()), 10, 64); err == nil {
		return int64(n)
	}
	if v.NumericType() == sqlite3.FLOAT && v.Type() == sqlite3.FLOAT && v.Float() >= math.MaxInt64 {
		f := v.Float()
		if f >= math.MaxUint64 {
			return -1
		}
		return int64(uint64(f))
	}
	return toInt(v)
}

// unsigned passes the result of a bit operation, which is a number without
// sign in MySQL, as far as 63 bits hold it.
func unsigned(ctx sqlite3.Context, arg ...sqlite3.Value) { resultUnsigned(ctx, arg[0].Int64()) }

// unsignedSum passes the result of arithmetic with a number without sign. One that
// an argument has made a floating-point number may be below 0.
func unsignedSum(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() == sqlite3.INTEGER && arg[0].Int64() < 0 {
		ctx.ResultError(fmt.Errorf("%s: %d", unsignedRange, arg[0].Int64()))
		return
	}
	ctx.ResultValue(arg[0])
}

// castUnsigned is CAST(x AS UNSIGNED) of what is no integer.
func castUnsigned(ctx sqlite3.Context, arg ...sqlite3.Value) {
	n, ok := decimal.Of(plain(arg[0]))
	whole := n.Round(0)
	if arg[0].Type() == sqlite3.TEXT {
		whole = n.Trunc(0) // text is read up to its point
	}
	if v, fits := whole.Int64(); ok && fits && v >= 0 {
		ctx.ResultInt64(v)
		return
	}
	ctx.ResultError(fmt.Errorf("%s: %s can't be had as one", unsignedRange, n))
}

func resultUnsigned(ctx sqlite3.Context, n int64) {
	if n < 0 {
		ctx.ResultError(fmt.Errorf("%s: %d, and numbers from 2^63 on can't be had", unsignedRange, uint64(n)))
		return
	}
	ctx.ResultInt64(n)
}

const unsignedRange = "BIGINT UNSIGNED value is out of range"
