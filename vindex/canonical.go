package vindex

import (
	"math"
	"strconv"
	"time"

	decimals "github.com/vitessdo/vitessdo/internal/decimal"
)

// Affinity is how an SQLite column converts what it stores.
type Affinity uint8

const (
	Blob    Affinity = iota // stores as given; SQLite's BLOB and NONE
	Text                    // numbers become text
	Numeric                 // numeric-looking text becomes a number
	Integer                 // as Numeric
	Real                    // as Numeric, but integers become floats
	Exact                   // numbers of any digits, text being read as one
)

// None is SQLite's older name for Blob.
const None = Blob

// Column says how a sharding column stores and compares its values. The zero
// value stores everything as given and compares bytes.
type Column struct {
	Affinity Affinity
	NoCase   bool // collation NOCASE: ASCII letters compare without case
	Temporal Temporal
	Fsp      int // digits of fractional seconds, 0 to 6
}

// Canonical gives one representative of all values that the column would store
// alike or find equal: Canonical(a) and Canonical(b) are identical if `a = b`
// holds in the column. The result is nil, int64, float64, string, []byte, and
// Canonical of it is the same again.
//
// Numbers follow SQLite's affinity rules; a number with an integer value is an
// int64 wherever it fits one, whatever its spelling. Temporal columns take
// every spelling of MySQL (see CanonicalTemporal); what can't be read as a
// date or time stays as it is. NaN is NULL, as SQLite stores it. The error is
// for Go types that no column stores.
//
// An int64 in an Integer column and text without upper case in a Text column
// cost no allocation.
func Canonical(v any, c Column) (any, error) {
	if temporal := c.Temporal; temporal != NotTemporal && v != nil {
		if text, ok := CanonicalTemporal(v, temporal, c.Fsp); ok {
			return text, nil
		}
		// Such columns are declared TEXT, and what is stored may read as a time
		// where the number itself did not.
		_, isText := v.(string)
		c.Affinity, c.Temporal = Text, NotTemporal
		stored, err := Canonical(v, c)
		if text, ok := stored.(string); ok && !isText {
			if text, ok = CanonicalTemporal(text, temporal, c.Fsp); ok {
				return text, nil
			}
		}
		return stored, err
	}
	if c.Affinity == Exact {
		return canonicalExact(v)
	}
	switch x := v.(type) {
	case nil:
		return nil, nil
	case int64:
		return canonicalInt(x, v, c), nil
	case string:
		return canonicalText(x, v, c), nil
	case []byte:
		return v, nil
	case float64:
		return canonicalFloat(x, c), nil
	case int:
		return canonicalInt(int64(x), nil, c), nil
	case bool:
		n, _ := unsigned(x)
		return canonicalInt(int64(n), nil, c), nil
	case uint64:
		return canonicalUint(x, c), nil
	case Decimal:
		return canonicalDecimal(x, c), nil
	case HexNum:
		return canonicalHex(x, c), nil
	case time.Time:
		return canonicalText(timeText(x), nil, c), nil
	}
	return nil, &ValueError{Type: "canonical form", Value: v, Reason: "no column stores a value of this Go type, convert it to a number, text, bytes or time first"}
}

// canonicalExact gives an int64 where the number is one, else its shortest text.
func canonicalExact(v any) (any, error) {
	switch x := v.(type) {
	case nil, int64:
		return v, nil
	case string, []byte:
	case Decimal:
		v = string(x)
	default:
		var err error
		if v, err = Canonical(v, Column{Affinity: Numeric}); err != nil || v == nil {
			return v, err
		}
	}
	d, ok := decimals.Of(v)
	if !ok {
		return v, nil // an infinity
	}
	if n, ok := d.Int64(); ok {
		return n, nil
	}
	return d.String(), nil
}

// canonicalInt and canonicalText take the value boxed too, so that passing it
// on unchanged doesn't allocate; boxed may be nil.
func canonicalInt(n int64, boxed any, c Column) any {
	switch c.Affinity {
	case Text:
		return strconv.FormatInt(n, 10)
	case Real:
		if rounded, ok := integralFloat(float64(n)); ok && rounded == n && boxed != nil {
			return boxed
		}
		return canonicalFloat(float64(n), c)
	}
	if boxed != nil {
		return boxed
	}
	return n
}

func canonicalText(s string, boxed any, c Column) any {
	if c.Affinity >= Numeric {
		if n, f, isInt, ok := parseNumber(s); ok {
			if isInt && c.Affinity != Real {
				return n
			}
			if isInt {
				f = float64(n)
			}
			return canonicalFloat(f, c)
		}
	}
	if c.NoCase {
		if folded := foldASCII(s); folded != s {
			return folded
		}
	}
	if boxed != nil {
		return boxed
	}
	return s
}

func canonicalFloat(f float64, c Column) any {
	if f != f {
		return nil
	}
	if c.Affinity == Text {
		return canonicalText(sqliteFloatText(f), nil, c)
	}
	if n, ok := integralFloat(f); ok {
		return n
	}
	return f
}

// canonicalUint: above int64 SQLite has floats only, and a text column the
// digits.
func canonicalUint(n uint64, c Column) any {
	switch {
	case n <= math.MaxInt64:
		return canonicalInt(int64(n), nil, c)
	case c.Affinity == Text:
		return strconv.FormatUint(n, 10)
	}
	return canonicalFloat(float64(n), c)
}

func canonicalDecimal(d Decimal, c Column) any {
	s, kind := scanNumber(string(d))
	switch {
	case kind == notNumber:
		return canonicalText(string(d), nil, c)
	case c.Affinity == Text && kind == integerText:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	case c.Affinity != Text:
		return canonicalText(s, nil, Column{Affinity: max(c.Affinity, Numeric)})
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range is an infinity
	return canonicalFloat(f, c)
}

// canonicalHex: a hexadecimal literal is a number next to a number, a byte
// string anywhere else.
func canonicalHex(h HexNum, c Column) any {
	raw := appendHexNum(nil, h)
	switch {
	case c.Affinity == Text:
		return canonicalText(string(raw), nil, c)
	case c.Affinity == Blob || len(trimLeadingZeros(raw)) > 8:
		return raw
	}
	var n uint64
	for _, b := range raw {
		n = n<<8 | uint64(b)
	}
	return canonicalUint(n, c)
}

func trimLeadingZeros(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

// foldASCII lowers ASCII letters, as SQLite's NOCASE does, and returns s
// itself when there are none to lower. NOCASE compares up to a zero byte and
// the length only, so what follows one is blanked.
func foldASCII(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' || c == 0 {
			return foldFrom(s, i)
		}
	}
	return s
}

func foldFrom(s string, i int) string {
	b := []byte(s)
	for ; i < len(b); i++ {
		if b[i] == 0 {
			clear(b[i:])
			break
		}
		if 'A' <= b[i] && b[i] <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	if string(b) == s {
		return s
	}
	return string(b)
}
