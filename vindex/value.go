package vindex

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
)

// scratch holds the text of any number without an allocation.
type scratch [32]byte

// appendRaw appends the bytes that Vitess's byte-hashing vindexes see: numbers
// as decimal text, hexadecimal literals decoded, text and blobs as they are,
// NULL as nothing.
func appendRaw(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return dst
	case string:
		return append(dst, v...)
	case []byte:
		return append(dst, v...)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case float64:
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	case bool:
		if v {
			return append(dst, '1')
		}
		return append(dst, '0')
	case Decimal:
		return append(dst, v...)
	case HexNum:
		return appendHexNum(dst, v)
	case time.Time:
		return append(dst, timeText(v)...)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	}
	return dst
}

// rawSupported says whether v is of a type that Map takes.
func rawSupported(v any) bool {
	switch v.(type) {
	case nil, string, []byte, int64, uint64, float64, bool, Decimal, HexNum, time.Time, int:
		return true
	}
	return false
}

// appendHexNum appends the bytes of a hexadecimal literal; an odd number of
// digits is led by a zero. What isn't hexadecimal is appended as text.
func appendHexNum(dst []byte, h HexNum) []byte {
	digits := string(h)
	if len(digits) >= 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') {
		digits = digits[2:]
	}
	if len(digits)%2 != 0 {
		digits = "0" + digits
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return append(dst, h...)
	}
	return append(dst, b...)
}

// parseUint reads what Vitess's ParseUint64 takes: blanks, then decimal digits
// to the end, fitting 64 bits. No sign, no fraction.
func parseUint[T string | []byte](s T) (uint64, bool) {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	if i == len(s) {
		return 0, false
	}
	var n uint64
	for ; i < len(s); i++ {
		d := uint64(s[i]) - '0'
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// isSpace is SQLite's notion of white space.
func isSpace(c byte) bool {
	return c == ' ' || c >= '\t' && c <= '\r'
}

// unsigned gives the value as the numeric vindexes take it: a non-negative
// integer, or text of one.
func unsigned(v any) (uint64, bool) {
	switch v := v.(type) {
	case int64:
		return uint64(v), v >= 0
	case int:
		return uint64(v), v >= 0
	case uint64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case float64:
		if v >= 0 && v < 1<<64 && v == math.Trunc(v) {
			return uint64(v), true
		}
	case string:
		return parseUint(v)
	case []byte:
		return parseUint(v)
	case Decimal:
		return parseUint(string(v))
	}
	return 0, false
}

// numberKind says how far a text is a number in SQLite's eyes.
type numberKind uint8

const (
	notNumber numberKind = iota
	integerText
	realText
)

// scanNumber finds the number in s as SQLite's numeric affinity does: blanks,
// sign, digits with a point, an exponent, blanks. It returns the text without
// the blanks. Hexadecimal, "inf" and "nan" are no numbers.
func scanNumber(s string) (string, numberKind) {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i] // SQLite reads no further
	}
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	i, digits, kind := 0, 0, integerText
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	for ; i < len(s) && isDigit(s[i]); i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		kind = realText
		for i++; i < len(s) && isDigit(s[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		return s, notNumber
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		kind = realText
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if i == len(s) {
			return s, notNumber
		}
		for i < len(s) && isDigit(s[i]) {
			i++
		}
	}
	if i != len(s) {
		return s, notNumber
	}
	return s, kind
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// integralFloat gives the int64 that equals f, if there is one.
func integralFloat(f float64) (int64, bool) {
	if f >= -1<<63 && f < 1<<63 && f == math.Trunc(f) {
		return int64(f), true
	}
	return 0, false
}

// parseNumber reads text as a number: an int64 where its value is one, else a
// float64. ok is false when the text is no number for SQLite.
func parseNumber(text string) (n int64, f float64, isInt, ok bool) {
	s, kind := scanNumber(text)
	if kind == notNumber {
		return 0, 0, false, false
	}
	if kind == integerText {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, 0, true, true
		}
	}
	// Out of range gives an infinity, as in SQLite.
	f, _ = strconv.ParseFloat(s, 64)
	if n, whole := integralFloat(f); whole {
		return n, 0, true, true
	}
	return 0, f, false, true
}

// appendCanonicalNumber appends the shortest text of a number; equal numbers
// give equal text.
func appendCanonicalNumber(dst []byte, f float64) []byte {
	if n, ok := integralFloat(f); ok {
		return strconv.AppendInt(dst, n, 10)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}
