package sqlast

import (
	"math"
	"strings"
)

// MySQL's limits of a DECIMAL, and what a division adds to its left side's scale.
const (
	maxPrecision = 65
	maxScale     = 30
	divScale     = 4
)

// Exact says whether values of the class are exact numbers: integers and
// DECIMALs.
func (c Class) Exact() bool { return c == ClassInt || c == ClassDecimal }

// Decimal is the type DECIMAL with so many digits before and behind the point, as
// far as MySQL has them.
func Decimal(whole, scale int) Type {
	t := TypeOf(ClassDecimal)
	t.Scale = min(scale, maxScale)
	t.Size = max(1, min(whole+t.Scale, maxPrecision))
	return t
}

// NumberDigits is up to how many digits the DECIMALs of a type are numbers for the
// engine, all of which it keeps exactly.
const NumberDigits = 15

// Keyed says whether values of the type are kept, compared and sorted as keys, which
// order as the numbers that they stand for, as a DECIMAL's of many digits are.
func (t *Type) Keyed() bool { return t.Class == ClassDecimal && t.Size > NumberDigits && !t.Numbers }

// wholeDigits is how many digits an integer type's values may have.
var wholeDigits = map[string]int{"TINYINT": 3, "SMALLINT": 5, "MEDIUMINT": 8, "INT": 10, "YEAR": 4}

// Digits gives the digits before and behind the point of an exact number's type;
// ok is false for other types, and where the scale isn't known.
func (t *Type) Digits() (whole, scale int, ok bool) {
	switch t.Class {
	case ClassInt:
		if n, known := wholeDigits[t.Name]; known {
			return n, 0, true
		}
		if t.Name == "" && t.Size > 0 {
			return t.Size, 0, true // a literal
		}
		return 19, 0, true
	case ClassDecimal:
		return max(t.Size-t.Scale, 0), t.Scale, t.Scale >= 0
	case ClassNull:
		return 0, 0, true
	}
	return 0, 0, false
}

// LitDigits gives the digits before and behind the point of a DECIMAL literal.
func LitDigits(text string) (whole, scale int) {
	before, behind, _ := strings.Cut(strings.TrimLeft(text, "+-"), ".")
	return len(strings.TrimLeft(before, "0")), len(behind)
}

// Arithmetic gives the DECIMAL type of + - * / % between exact numbers; ok is
// false when an operand isn't exact, or none is a DECIMAL and op is no division.
func Arithmetic(op Op, l, r *Type) (t Type, ok bool) {
	lw, ls, lok := l.Digits()
	rw, rs, rok := r.Digits()
	if !lok || !rok || op != OpDiv && l.Class != ClassDecimal && r.Class != ClassDecimal {
		return Type{}, false
	}
	switch op {
	case OpMul:
		return Decimal(lw+rw, ls+rs), true
	case OpDiv:
		return Decimal(lw+rs, ls+divScale), true
	case OpMod:
		return Decimal(max(lw, rw), max(ls, rs)), true
	}
	return Decimal(max(lw, rw)+1, max(ls, rs)), true
}

// Common gives the DECIMAL type that holds the values of both; ok is false when
// one isn't exact, or none is a DECIMAL.
func Common(l, r *Type) (t Type, ok bool) {
	lw, ls, lok := l.Digits()
	rw, rs, rok := r.Digits()
	if !lok || !rok || l.Class != ClassDecimal && r.Class != ClassDecimal {
		return Type{}, false
	}
	return Decimal(max(lw, rw), max(ls, rs)), true
}

// Average gives the type of AVG over an exact number.
func Average(x *Type) (t Type, ok bool) {
	w, s, ok := x.Digits()
	return Decimal(w, s+divScale), ok && x.Class != ClassNull
}

// IntRange gives the least and the greatest value of an integer type; an unsigned
// BIGINT ends where a signed one does, as no engine has more bits.
func (t *Type) IntRange() (lo, hi int64) {
	bits := map[string]uint{"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32}[t.Name]
	switch {
	case t.Name == "BIT":
		if t.Size > 0 && t.Size < 63 {
			return 0, 1<<t.Size - 1
		}
		return 0, math.MaxInt64
	case bits == 0 && t.Unsigned:
		return 0, math.MaxInt64
	case bits == 0:
		return math.MinInt64, math.MaxInt64
	case t.Unsigned:
		return 0, 1<<bits - 1
	}
	return -1 << (bits - 1), 1<<(bits-1) - 1
}
