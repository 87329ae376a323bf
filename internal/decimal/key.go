package decimal

import (
	"bytes"
	"math"
	"math/big"
	"strings"
)

// MaxDigits is MySQL's limit of a DECIMAL's digits.
const MaxDigits = 65

// The first byte of a key. No text of a number begins with one of them.
const (
	keyBelow    = 0x00 // minus infinity, which is compared with and never kept
	keyNegative = 0x01
	keyZero     = 0x02
	keyPositive = 0x03
	keyAbove    = 0x04
)

const (
	keyBias   = 0x80 // what the exponent's byte is above the exponent
	keyDigits = MaxDigits + MaxScale
	keyLeast  = -100 // an exponent below that of any DECIMAL
)

// AppendKey appends the key of d: bytes that order as the decimals do, and are
// equal just when these are, whatever their scales. A key is one byte for the sign,
// then, unless d is 0, the place of the first digit that isn't 0, then the digits
// from there to the last one that isn't 0, two to a byte, as they read in
// hexadecimal: 123.4 is 03 83 12 34, and -123.4, all of whose bytes but the first
// are complemented, and ended by one above all of these, FE 7C ED CB FF behind 01.
// The error is ErrDigits when d has more digits in front of the point than MaxDigits.
func (d Decimal) AppendKey(dst []byte) ([]byte, error) {
	sign := d.Sign()
	if sign == 0 {
		return append(dst, keyZero), nil
	}
	var buf [keyDigits]byte
	digits := d.appendDigits(buf[:0])
	exponent := len(digits) - d.scale
	if exponent > MaxDigits {
		return dst, ErrDigits
	}
	if digits = bytes.TrimRight(digits, "0"); len(digits) > keyDigits {
		digits = append(digits[:keyDigits-1], '1') // no DECIMAL lies between
	}
	exponent = max(exponent, keyLeast)
	mask := byte(0)
	if sign > 0 {
		dst = append(dst, keyPositive)
	} else {
		dst, mask = append(dst, keyNegative), 0xff
	}
	dst = append(dst, byte(keyBias+exponent)^mask)
	for i := 0; i < len(digits); i += 2 {
		pair := (digits[i] - '0') << 4
		if i+1 < len(digits) {
			pair |= digits[i+1] - '0'
		}
		dst = append(dst, pair^mask)
	}
	if sign < 0 {
		dst = append(dst, 0xff)
	}
	return dst, nil
}

// appendDigits appends the digits of |d| in units of its last one.
func (d Decimal) appendDigits(dst []byte) []byte {
	if d.wide != nil {
		at := len(dst)
		if dst = d.wide.Append(dst, 10); dst[at] == '-' {
			dst = append(dst[:at], dst[at+1:]...)
		}
		return dst
	}
	var buf [20]byte
	i := len(buf)
	for n := magnitude(d.n); n > 0; n /= 10 {
		i--
		buf[i] = '0' + byte(n%10)
	}
	return append(dst, buf[i:]...)
}

// KeyOf gives the key of a value of SQLite's, as Of reads it; one that is a key
// already stays. Infinities have keys below and above all others.
func KeyOf(v any) ([]byte, error) {
	if f, ok := v.(float64); ok && math.IsInf(f, 0) {
		if f < 0 {
			return []byte{keyBelow}, nil
		}
		return []byte{keyAbove}, nil
	}
	if b, ok := v.([]byte); ok && IsKey(b) {
		return b, nil
	}
	d, ok := Of(v)
	if !ok {
		return nil, ErrDigits
	}
	return d.AppendKey(nil)
}

// FromKey reads a key; ok is false for what is none.
func FromKey(key []byte) (d Decimal, ok bool) {
	switch {
	case len(key) == 1 && key[0] == keyZero:
		return Decimal{}, true
	case len(key) < 3 || key[0] != keyNegative && key[0] != keyPositive:
		return Decimal{}, false
	}
	mask, body := byte(0), key[1:]
	if key[0] == keyNegative {
		mask, body = 0xff, key[1:len(key)-1]
		if key[len(key)-1] != 0xff || len(body) < 2 {
			return Decimal{}, false
		}
	}
	exponent := int(body[0]^mask) - keyBias
	body = body[1:]
	if len(body) > (keyDigits+1)/2 || exponent > MaxDigits || exponent < keyLeast {
		return Decimal{}, false
	}
	var n int64
	var text []byte // of more digits than an int64 has
	for i, b := range body {
		b ^= mask
		if b>>4 > 9 || b&15 > 9 {
			return Decimal{}, false
		}
		if len(body) <= 9 {
			n = n*100 + int64(b>>4)*10 + int64(b&15)
			continue
		}
		if i == 0 {
			text = make([]byte, 0, 2*len(body))
		}
		text = append(text, '0'+b>>4, '0'+b&15)
	}
	d.n, d.scale = n, 2*len(body)-exponent
	if text != nil {
		wide, good := new(big.Int).SetString(string(text), 10)
		if !good {
			return Decimal{}, false
		}
		d = fromBig(wide, d.scale)
	}
	if mask != 0 {
		d = d.Neg()
	}
	if d.scale < 0 {
		d = d.at(0)
	}
	return d, true
}

// IsKey says whether b is a key, that of an infinity too.
func IsKey(b []byte) bool {
	if len(b) == 1 && (b[0] == keyBelow || b[0] == keyAbove) {
		return true
	}
	_, ok := FromKey(b)
	return ok
}

// bytesOf reads a key, or text.
func bytesOf(b []byte) Decimal {
	if d, ok := FromKey(b); ok {
		return d
	}
	return Prefix(string(b))
}

// Trunc gives d with at most scale digits behind the point, the others cut off.
// Below 0, scale makes zeros of as many digits in front of it.
func (d Decimal) Trunc(scale int) Decimal {
	if d.scale <= scale {
		return d
	}
	cut := fromBig(new(big.Int).Quo(d.big(), bigPow10(d.scale-scale)), max(scale, 0))
	if scale < 0 {
		return fromBig(new(big.Int).Mul(cut.big(), bigPow10(-scale)), 0)
	}
	return cut
}

// RoundTo is Round that, for a scale below 0, makes zeros of as many digits in
// front of the point.
func (d Decimal) RoundTo(scale int) Decimal {
	if scale >= 0 {
		return d.Round(scale)
	}
	units := fromBig(quoBig(d.big(), bigPow10(d.scale-scale)), 0)
	return fromBig(new(big.Int).Mul(units.big(), bigPow10(-scale)), 0)
}

// Floor gives the greatest whole number that isn't above d.
func (d Decimal) Floor() Decimal {
	whole := d.Trunc(0)
	if d.Sign() < 0 && whole.Cmp(d) != 0 {
		return whole.Sub(Int(1))
	}
	return whole
}

// Ceil gives the least whole number that isn't below d.
func (d Decimal) Ceil() Decimal { return d.Neg().Floor().Neg() }

// Abs gives |d|.
func (d Decimal) Abs() Decimal {
	if d.Sign() < 0 {
		return d.Neg()
	}
	return d
}

// LitKey gives the key of a literal's text, rounded to scale digits behind the
// point unless that is below 0.
func LitKey(text string, scale int) ([]byte, error) {
	d := Prefix(strings.TrimSpace(text))
	if scale >= 0 {
		d = d.Round(scale)
	}
	return d.AppendKey(nil)
}
