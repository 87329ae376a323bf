package vindex

import (
	"bytes"
	"math"
	"strconv"
)

// sqliteFloatText is the text that SQLite 3.54 gives a float: 17 significant
// digits rounded from 18 or 19, fewer where these read back as the same number,
// and always a point. Compared with SQLite over random floats it agrees for all
// exponents of daily use; far out (1e-40, 1e229) SQLite's own arithmetic is off
// by one in the last digit of one float in a thousand.
func sqliteFloatText(f float64) string {
	switch {
	case f == 0:
		return "0.0"
	case math.IsInf(f, 1):
		return "Inf"
	case math.IsInf(f, -1):
		return "-Inf"
	}
	digits, exponent := shortDigits(math.Abs(f))
	b := make([]byte, 0, 32)
	if f < 0 {
		b = append(b, '-')
	}
	point := exponent + 1 // digits before the point
	if exponent < -4 || exponent > 16 {
		point = 1
	}
	if point <= 0 {
		b = append(b, "0."...)
		for range -point {
			b = append(b, '0')
		}
		b = append(b, digits...)
	} else {
		for len(digits) < point+1 {
			digits = append(digits, '0')
		}
		b = append(b, digits[:point]...)
		b = append(b, '.')
		b = append(b, digits[point:]...)
	}
	if exponent < -4 || exponent > 16 {
		b = append(b, 'e')
		sign := byte('+')
		if exponent < 0 {
			sign, exponent = '-', -exponent
		}
		b = append(b, sign)
		b = appendPadded(b, exponent, 2)
	}
	return string(b)
}

// shortDigits gives the significant digits without trailing zeros, and the
// exponent of the first.
func shortDigits(f float64) ([]byte, int) {
	b := strconv.AppendFloat(make([]byte, 0, 32), f, 'e', decodedDigits(f)-1, 64) // d.ddddddddddddddddde±xx
	e := bytes.IndexByte(b, 'e')
	exponent, _ := strconv.Atoi(string(b[e+1:]))
	digits := append(b[:1], b[2:e]...)
	round := shorterRound(digits, exponent, f)
	up := digits[round] >= '5'
	digits = digits[:round]
	if up {
		i := round - 1
		for ; i >= 0 && digits[i] == '9'; i-- {
			digits[i] = '0'
		}
		if i < 0 {
			digits = append([]byte{'1'}, digits...)
			exponent++
		} else {
			digits[i]++
		}
	}
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return digits, exponent
}

// decodedDigits is how many digits SQLite computes before it rounds: 18, or 19
// when f has one more decimal digit than the power of two below it.
func decodedDigits(f float64) int {
	_, exp := math.Frexp(f)
	if exp10(f) > exp10(math.Ldexp(1, exp-1)) {
		return 19
	}
	return 18
}

// exp10 is the decimal exponent of f.
func exp10(f float64) int {
	var buf scratch
	b := strconv.AppendFloat(buf[:0], f, 'e', -1, 64)
	e, _ := strconv.Atoi(string(b[bytes.IndexByte(b, 'e')+1:]))
	return e
}

// shorterRound finds how many digits to round to: fewer than 17 when the tail
// is a run of nines or zeros and what is left reads back as f.
func shorterRound(digits []byte, exponent int, f float64) int {
	const full = 17
	run := digits[14]
	if digits[15] != run || run != '9' && (run != '0' || digits[13] != '0') {
		return full
	}
	n := 14
	for n > 0 && digits[n-1] == run {
		n--
	}
	// The first n digits, one up in the last place after nines.
	text := append(make([]byte, 0, 40), "0."...)
	text = append(append(text, digits[:n]...), 'e')
	text = strconv.AppendInt(text, int64(exponent)+1, 10)
	v, _ := strconv.ParseFloat(string(text), 64)
	if run == '9' {
		v = nextUp(digits[:n], exponent)
	}
	if v != f {
		return full
	}
	return max(n, 1)
}

// nextUp is the number of the digits with one added in the last place.
func nextUp(digits []byte, exponent int) float64 {
	m := uint64(0)
	for _, d := range digits {
		m = m*10 + uint64(d-'0')
	}
	v, _ := strconv.ParseFloat(strconv.FormatUint(m+1, 10)+"e"+strconv.Itoa(exponent+1-len(digits)), 64)
	return v
}
