package vindex

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
)

// rangeKey is a value in the order of a range vindex. Which field counts
// depends on the domain.
type rangeKey struct {
	n int64   // int, float, date, datetime
	s string  // text, binary
	d decimal // decimal
}

// domain is the ordered set of values that a range vindex splits. Domains are
// discrete, every key having a next one, except decimal, which is dense.
type domain struct {
	// parse gives a value's key. exact is false when the value lies between
	// key and its successor (an upper bound of 1.5 on integers). ok is false
	// for a value the order says nothing about.
	parse func(v any) (key rangeKey, exact, ok bool)
	// boundary reads a boundary from the vindex's parameters.
	boundary func(text string) (rangeKey, bool)
	compare  func(a, b rangeKey) int
	// next is the successor, ok false for the last key; nil in a dense domain.
	next  func(rangeKey) (key rangeKey, ok bool)
	takes string // what values are accepted, for errors
	// halfOpen says that an interval with one open end holds no value outside
	// the domain, so that it may be pruned.
	halfOpen bool
}

func compareInt(a, b rangeKey) int {
	if a.n < b.n {
		return -1
	} else if a.n > b.n {
		return 1
	}
	return 0
}

func compareText(a, b rangeKey) int     { return strings.Compare(a.s, b.s) }
func compareDecimals(a, b rangeKey) int { return compareDecimal(a.d, b.d) }

func nextInt(k rangeKey) (rangeKey, bool) { return rangeKey{n: k.n + 1}, k.n < math.MaxInt64 }

func nextText(k rangeKey) (rangeKey, bool) { return rangeKey{s: k.s + "\x00"}, true }

// domains maps the parameter "type" to the order it stands for.
var domains = map[string]domain{
	"int":      {parseIntKey, intBoundary, compareInt, nextInt, "integers of 64 bits with a sign", true},
	"float":    {parseFloatKey, floatBoundary, compareInt, nextInt, "numbers", true},
	"decimal":  {parseDecimalKey, decimalBoundary, compareDecimals, nil, "decimal numbers", true},
	"text":     {parseTextKey, textBoundary, compareText, nextText, "text", true},
	"binary":   {parseBinaryKey, binaryBoundary, compareText, nextText, "blobs and text", false},
	"date":     {parseDateKey, temporalBoundary(Date), compareInt, nextInt, "dates spelled YYYY-MM-DD", true},
	"datetime": {parseDateTimeKey, temporalBoundary(DateTime), compareInt, nextInt, "datetimes spelled YYYY-MM-DD HH:MM:SS", true},
}

var domainNames = []string{"int", "float", "decimal", "text", "binary", "date", "datetime"}

// parseIntKey knows nothing of numbers outside int64: no boundary tells them
// apart.
func parseIntKey(v any) (rangeKey, bool, bool) {
	switch v := v.(type) {
	case int64:
		return rangeKey{n: v}, true, true
	case int:
		return rangeKey{n: int64(v)}, true, true
	case bool:
		n, _ := unsigned(v)
		return rangeKey{n: int64(n)}, true, true
	case uint64:
		ok := v <= math.MaxInt64
		return rangeKey{n: int64(v)}, ok, ok
	case float64:
		return floorFloat(v)
	case Decimal:
		return intKeyText(string(v))
	case string:
		return intKeyText(v)
	}
	return rangeKey{}, false, false
}

func intKeyText(s string) (rangeKey, bool, bool) {
	n, f, isInt, ok := parseNumber(s)
	if isInt || !ok {
		return rangeKey{n: n}, ok, ok
	}
	return floorFloat(f)
}

func floorFloat(f float64) (rangeKey, bool, bool) {
	if !(f >= -1<<63 && f < 1<<63) {
		return rangeKey{}, false, false
	}
	return rangeKey{n: int64(math.Floor(f))}, f == math.Trunc(f), true
}

func intBoundary(text string) (rangeKey, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return rangeKey{n: n}, err == nil
}

// floatOrder maps floats to integers of the same order, neighbours to
// neighbours, both zeros to 0.
func floatOrder(f float64) int64 {
	bits := int64(math.Float64bits(f))
	if bits < 0 {
		return math.MinInt64 - bits
	}
	return bits
}

func parseFloatKey(v any) (rangeKey, bool, bool) {
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	case int:
		f = float64(v)
	case uint64:
		f = float64(v)
	case bool:
		if v {
			f = 1
		}
	case Decimal:
		return parseFloatKey(string(v))
	case string:
		s, kind := scanNumber(v)
		if kind == notNumber {
			return rangeKey{}, false, false
		}
		f, _ = strconv.ParseFloat(s, 64)
	default:
		return rangeKey{}, false, false
	}
	return rangeKey{n: floatOrder(f)}, true, f == f
}

func floatBoundary(text string) (rangeKey, bool) { return mustBeExact(parseFloatKey(text)) }

func mustBeExact(k rangeKey, exact, ok bool) (rangeKey, bool) { return k, exact && ok }

func parseDecimalKey(v any) (rangeKey, bool, bool) {
	var d decimal
	var ok bool
	switch v := v.(type) {
	case int64, int, uint64, bool:
		var buf scratch
		d, ok = parseDecimal(string(appendRaw(buf[:0], v)))
	case float64:
		d, ok = parseDecimal(strconv.FormatFloat(v, 'f', -1, 64))
	case Decimal:
		d, ok = parseDecimal(string(v))
	case string:
		d, ok = parseDecimal(v)
	}
	return rangeKey{d: d}, ok, ok
}

func decimalBoundary(text string) (rangeKey, bool) { return mustBeExact(parseDecimalKey(text)) }

// parseTextKey refuses blobs: SQLite sorts them above all text, so a range
// that met both could not be pruned.
func parseTextKey(v any) (rangeKey, bool, bool) {
	s, ok := v.(string)
	return rangeKey{s: s}, ok, ok
}

func textBoundary(text string) (rangeKey, bool) { return rangeKey{s: text}, true }

func parseBinaryKey(v any) (rangeKey, bool, bool) {
	switch v := v.(type) {
	case string:
		return rangeKey{s: v}, true, true
	case []byte:
		return rangeKey{s: string(v)}, true, true
	case HexNum:
		return rangeKey{s: string(appendHexNum(nil, v))}, true, true
	}
	return rangeKey{}, false, false
}

// binaryBoundary reads hexadecimal digits, with or without 0x before them.
func binaryBoundary(text string) (rangeKey, bool) {
	digits := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(text), "0x"), "0X")
	b, err := hex.DecodeString(digits)
	return rangeKey{s: string(b)}, err == nil
}

const microsPerDay = 24 * 60 * 60 * 1_000_000

// parseDateKey gives the day; a time of day makes it inexact.
func parseDateKey(v any) (rangeKey, bool, bool) {
	k, _, ok := parseDateTimeKey(v)
	day := k.n / microsPerDay
	if k.n%microsPerDay < 0 {
		day--
	}
	return rangeKey{n: day}, day*microsPerDay == k.n, ok
}

// parseDateTimeKey gives microseconds since 1970 and takes canonical text only:
// its order is the order of time, which isn't so for other spellings.
func parseDateTimeKey(v any) (rangeKey, bool, bool) {
	s, ok := v.(string)
	if !ok {
		return rangeKey{}, false, false
	}
	m, ok := parseMoment(s)
	if !ok || !m.canonical(s) {
		return rangeKey{}, false, false
	}
	return rangeKey{n: m.micros()}, true, true
}

// temporalBoundary reads any spelling.
func temporalBoundary(t Temporal) func(string) (rangeKey, bool) {
	return func(text string) (rangeKey, bool) {
		canonical, exact, ok := TemporalText(strings.TrimSpace(text), t, 6)
		if !ok || !exact {
			return rangeKey{}, false
		}
		if t == Date {
			return mustBeExact(parseDateKey(canonical))
		}
		return mustBeExact(parseDateTimeKey(canonical))
	}
}

// decimal is an exact decimal number: whole has no leading, frac no trailing
// zeros, and zero is not negative.
type decimal struct {
	negative    bool
	whole, frac string
}

// parseDecimal reads a number with up to maxDecimalExponent places of shift.
func parseDecimal(text string) (decimal, bool) {
	const maxDecimalExponent = 1000
	s, kind := scanNumber(text)
	if kind == notNumber {
		return decimal{}, false
	}
	var d decimal
	if s[0] == '-' || s[0] == '+' {
		d.negative = s[0] == '-'
		s = s[1:]
	}
	exponent := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		exponent, err = strconv.Atoi(s[i+1:])
		if err != nil || exponent > maxDecimalExponent || exponent < -maxDecimalExponent {
			return decimal{}, false
		}
		s = s[:i]
	}
	d.whole, d.frac, _ = strings.Cut(s, ".")
	if n := exponent; n > 0 {
		digits := d.frac + strings.Repeat("0", max(0, n-len(d.frac)))
		d.whole, d.frac = d.whole+digits[:n], digits[n:]
	} else if n < 0 {
		digits := strings.Repeat("0", max(0, -n-len(d.whole))) + d.whole
		cut := len(digits) + n
		d.whole, d.frac = digits[:cut], digits[cut:]+d.frac
	}
	d.whole = strings.TrimLeft(d.whole, "0")
	d.frac = strings.TrimRight(d.frac, "0")
	d.negative = d.negative && d.whole+d.frac != ""
	return d, true
}

func compareDecimal(a, b decimal) int {
	if a.negative != b.negative {
		if a.negative {
			return -1
		}
		return 1
	}
	c := len(a.whole) - len(b.whole)
	if c == 0 {
		c = strings.Compare(a.whole, b.whole)
	}
	if c == 0 {
		c = strings.Compare(a.frac, b.frac)
	}
	if a.negative {
		return -c
	}
	return c
}
