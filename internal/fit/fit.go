package fit

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vitessdo/vitessdo/internal/decimal"
)

// Fault is what is wrong with a value.
type Fault uint8

// The faults.
const (
	None      Fault = iota
	Range           // beyond the type's range: 1264
	Incorrect       // no value of the type at all: 1366
	Truncated       // begins with a value of the type, and goes on: 1265
	TooLong         // text or bytes beyond the length: 1406
	BadTime         // no date or time: 1292
	Inexact         // a DECIMAL beyond the digits that are kept exactly: 1264
)

// number reads a value as a number; fault says whether it is one altogether.
func number(v any) (d decimal.Decimal, fault Fault) {
	text := ""
	switch v := v.(type) {
	case int64:
		return decimal.Int(v), None
	case float64:
		if d, ok := decimal.Float(v); ok {
			return d, None
		}
		return decimal.Decimal{}, Range
	case string:
		text = v
	case []byte:
		if d, ok := decimal.FromKey(v); ok {
			return d, None
		}
		text = string(v)
	}
	text = strings.TrimSpace(text)
	if d, ok := decimal.Parse(text); ok {
		return d, None
	}
	if text == "" || !strings.ContainsRune("0123456789.+-", rune(text[0])) || !strings.ContainsAny(text, "0123456789") {
		return decimal.Decimal{}, Incorrect
	}
	return decimal.Prefix(text), Truncated
}

// Int fits a column of whole numbers from lo to hi: a fraction is rounded half
// away from zero.
func Int(v any, lo, hi int64) (any, Fault) {
	if n, ok := v.(int64); ok && lo <= n && n <= hi {
		return v, None
	}
	d, fault := number(v)
	switch d = d.Round(0); {
	case d.Cmp(decimal.Int(lo)) < 0:
		return lo, first(fault, Range)
	case d.Cmp(decimal.Int(hi)) > 0:
		return hi, first(fault, Range)
	}
	n, _ := d.Int64()
	return n, fault
}

func first(a, b Fault) Fault {
	if a != None {
		return a
	}
	return b
}

// Decimal fits a DECIMAL(precision, scale); digits behind the scale are rounded
// half away from zero. With unsigned, none is below 0.
func Decimal(v any, precision, scale int, unsigned bool) (any, Fault) {
	d, fault := fitDecimal(v, precision, scale, unsigned)
	out, err := d.Value()
	if err != nil {
		return d.Nearest(), first(fault, Inexact)
	}
	return out, fault
}

// Key fits a DECIMAL(precision, scale) of so many digits that the column keeps
// keys, as Decimal does.
func Key(v any, precision, scale int, unsigned bool) (any, Fault) {
	d, fault := fitDecimal(v, precision, scale, unsigned)
	key, err := d.AppendKey(nil)
	if err != nil {
		return nil, first(fault, Range)
	}
	return key, fault
}

func fitDecimal(v any, precision, scale int, unsigned bool) (decimal.Decimal, Fault) {
	d, fault := number(v)
	d = d.Round(scale)
	if unsigned && d.Sign() < 0 {
		return decimal.Decimal{}, first(fault, Range)
	}
	if !d.Fits(precision, scale) {
		return d.Clamp(precision, scale), first(fault, Range)
	}
	return d, fault
}

// Double fits a column of floating-point numbers; with unsigned, none below 0.
func Double(v any, unsigned bool) (any, Fault) {
	fault := None
	f, ok := v.(float64)
	if n, whole := v.(int64); whole {
		f, ok = float64(n), true
	}
	if !ok {
		var d decimal.Decimal
		d, fault = number(v)
		f = d.Nearest()
	}
	if math.IsInf(f, 0) || math.IsNaN(f) || unsigned && f < 0 {
		return 0.0, first(fault, Range)
	}
	return f, fault
}

// Char fits CHAR(n), n in characters: it has no blanks at its end.
func Char(s string, n int) (string, Fault) { return Text(strings.TrimRight(s, " "), n) }

// Binary fits BINARY(n): zeros fill it up.
func Binary(b []byte, n int) ([]byte, Fault) {
	if len(b) < n {
		return append(b[:len(b):len(b)], make([]byte, n-len(b))...), None
	}
	return Bytes(b, n)
}

// Text fits VARCHAR(n), n in characters; blanks at the end may be cut off. n below 0
// is no limit.
func Text(s string, n int) (string, Fault) {
	if n < 0 || len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s, None
	}
	at := 0
	for range n {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	if strings.Trim(s[at:], " ") == "" {
		return s[:at], None
	}
	return s[:at], TooLong
}

// Bytes fits VARBINARY(n).
func Bytes(b []byte, n int) ([]byte, Fault) {
	if n < 0 || len(b) <= n {
		return b, None
	}
	return b[:n], TooLong
}

// AsBytes gives the bytes that a binary column keeps of a value: those of its text.
func AsBytes(v any) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return []byte(text(v))
}

// Year fits a YEAR: two digits are a year from 1970 to 2069.
func Year(v any) (any, Fault) {
	out, fault := Int(v, 0, 2155)
	n, _ := out.(int64)
	_, numeric := v.(int64)
	switch {
	case fault != None:
		return int64(0), fault
	case n == 0 && (numeric || len(strings.TrimSpace(text(v))) >= 3), n >= 1901:
		return n, None
	case n < 70:
		return n + 2000, None
	case n < 100:
		return n + 1900, None
	}
	return int64(0), Range
}

// text is v as text.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return DoubleText(v)
	}
	return ""
}

// DoubleText is the text that MySQL gives a DOUBLE: the shortest that reads as the
// same number, with an exponent from 1e15 on and below 1e-15.
func DoubleText(f float64) string {
	if a := math.Abs(f); a < 1e15 && a >= 1e-15 || a == 0 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	n, err := strconv.Atoi(exponent)
	if err != nil {
		return mantissa // infinite, or no number
	}
	return mantissa + "e" + strconv.Itoa(n)
}

// Enum fits an ENUM: a member, whatever its case, or its number from 1 on.
func Enum(v any, members []string) (any, Fault) {
	if n, ok := v.(int64); ok {
		if n >= 1 && n <= int64(len(members)) {
			return members[n-1], None
		}
		return "", Truncated
	}
	s := strings.TrimRight(text(v), " ")
	for _, m := range members {
		if m == s {
			return m, None
		}
	}
	for _, m := range members {
		if strings.EqualFold(m, s) {
			return m, None
		}
	}
	return "", Truncated
}

// Set fits a SET: members with commas between them, or a number whose bits name
// them. They are kept in the order of the type, each once.
func Set(v any, members []string) (any, Fault) {
	var bits uint64
	fault := None
	if n, ok := v.(int64); ok {
		bits = uint64(n)
		if len(members) < 64 && bits>>len(members) != 0 {
			bits, fault = bits&(1<<len(members)-1), Truncated
		}
	} else if s := text(v); s != "" {
		for _, word := range strings.Split(s, ",") {
			m, f := Enum(word, members)
			if f != None {
				fault = f
				continue
			}
			for i := range members {
				if members[i] == m {
					bits |= 1 << i
				}
			}
		}
	}
	var out []string
	for i, m := range members {
		if bits>>i&1 != 0 {
			out = append(out, m)
		}
	}
	return strings.Join(out, ","), fault
}
