package decimal

import (
	"errors"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// Digits is how many significant digits are always kept.
const Digits = 15

// exact bounds the digits of the REALs that stand for one decimal only: below
// 2^52 units of the last digit, no two decimals have the same nearest REAL.
const exact = 1 << 52

// MaxScale is MySQL's limit of digits behind the point.
const MaxScale = 30

// ErrDigits says that a value has more digits than an INTEGER or a REAL keeps
// exactly.
var ErrDigits = errors.New("more digits than are kept exactly")

// Decimal is an exact number. The zero value is 0.
type Decimal struct {
	n     int64    // units of 10^-scale, unless wide is set
	wide  *big.Int // never changed once set
	scale int
}

var pow10 = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

var floatPow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
	1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

func bigPow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// Int makes a Decimal of an integer.
func Int(n int64) Decimal { return Decimal{n: n} }

// Wide makes a Decimal of a signed integer of 128 bits.
func Wide(hi int64, lo uint64) Decimal {
	if hi == int64(lo)>>63 {
		return Int(int64(lo))
	}
	n := new(big.Int).Lsh(big.NewInt(hi), 64)
	return fromBig(n.Add(n, new(big.Int).SetUint64(lo)), 0)
}

// Float gives the decimal that f stands for: the one with the fewest digits to
// which f is nearest. ok is false for infinities and NaN.
func Float(f float64) (d Decimal, ok bool) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return Decimal{}, false
	}
	// Money has few digits: trying is cheaper than printing.
	for scale := range 7 {
		r := math.RoundToEven(f * floatPow10[scale])
		if math.Abs(r) >= exact {
			break
		}
		if r/floatPow10[scale] == f {
			return Decimal{n: int64(r), scale: scale}, true
		}
	}
	var buf [32]byte
	return Parse(string(strconv.AppendFloat(buf[:0], f, 'e', -1, 64)))
}

// Parse reads a number: digits with a sign, a point and an exponent, as they
// come. ok is false when text is anything else, or has an exponent beyond reason.
func Parse(text string) (d Decimal, ok bool) {
	mantissa, exponent, hasExp := strings.Cut(strings.ToLower(text), "e")
	exp := 0
	if hasExp {
		var err error
		if exp, err = strconv.Atoi(exponent); err != nil || exp > 400 || exp < -400 {
			return Decimal{}, false
		}
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	digits := whole + frac
	unsigned := strings.TrimLeft(digits, "+-")
	if unsigned == "" || len(digits)-len(unsigned) > 1 || strings.ContainsAny(unsigned, "+-_") {
		return Decimal{}, false
	}
	d.scale = len(frac) - exp
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		d.n = n
	} else if n, good := new(big.Int).SetString(digits, 10); good {
		d.wide = n
	} else {
		return Decimal{}, false
	}
	if d.scale < 0 {
		d = d.at(0)
	}
	return d, true
}

// Of reads a value of SQLite's: an integer, a REAL, a key, or text that begins
// with a number, as MySQL reads text among numbers. Text that doesn't is 0. ok is false
// for infinities and NaN, and for what is no number or text.
func Of(v any) (d Decimal, ok bool) {
	switch v := v.(type) {
	case int64:
		return Int(v), true
	case float64:
		return Float(v)
	case string:
		return Prefix(v), true
	case []byte:
		return bytesOf(v), true
	}
	return Decimal{}, false
}

// Prefix reads the number that text begins with; 0 if there is none.
func Prefix(text string) Decimal {
	text = strings.TrimLeft(text, " \t\r\n")
	end, point, exp := 0, false, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
			end = i + 1
		case c == '.' && !point && !exp:
			point = true
		case (c == 'e' || c == 'E') && !exp && end > 0:
			exp = true
		case (c == '-' || c == '+') && (i == 0 || text[i-1] == 'e' || text[i-1] == 'E'):
		default:
			i = len(text)
		}
	}
	if d, ok := Parse(text[:end]); ok {
		return d
	}
	return Decimal{}
}

func (d Decimal) big() *big.Int {
	if d.wide != nil {
		return d.wide
	}
	return big.NewInt(d.n)
}

func fromBig(n *big.Int, scale int) Decimal {
	if n.IsInt64() {
		return Decimal{n: n.Int64(), scale: scale}
	}
	return Decimal{wide: n, scale: scale}
}

// at gives d with a scale that isn't smaller than its own.
func (d Decimal) at(scale int) Decimal {
	up := scale - d.scale
	if up == 0 {
		return d
	}
	if d.wide == nil && up < len(pow10) {
		if n, ok := mul(d.n, pow10[up]); ok {
			return Decimal{n: n, scale: scale}
		}
	}
	return fromBig(new(big.Int).Mul(d.big(), bigPow10(up)), scale)
}

// mul multiplies; ok is false when the product doesn't fit.
func mul(a, b int64) (n int64, ok bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if a < 0 != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Neg gives -d.
func (d Decimal) Neg() Decimal {
	if d.wide == nil && d.n != math.MinInt64 {
		d.n = -d.n
		return d
	}
	return fromBig(new(big.Int).Neg(d.big()), d.scale)
}

// Add gives d + e, with the larger scale.
func (d Decimal) Add(e Decimal) Decimal {
	scale := max(d.scale, e.scale)
	d, e = d.at(scale), e.at(scale)
	if d.wide == nil && e.wide == nil {
		if n := d.n + e.n; (n > d.n) == (e.n > 0) {
			return Decimal{n: n, scale: scale}
		}
	}
	return fromBig(new(big.Int).Add(d.big(), e.big()), scale)
}

// Sub gives d - e, with the larger scale.
func (d Decimal) Sub(e Decimal) Decimal { return d.Add(e.Neg()) }

// Mul gives d · e, with the sum of the scales, rounded where that goes beyond
// MaxScale.
func (d Decimal) Mul(e Decimal) Decimal {
	out := Decimal{scale: d.scale + e.scale}
	fits := false
	if d.wide == nil && e.wide == nil {
		out.n, fits = mul(d.n, e.n)
	}
	if !fits {
		out = fromBig(new(big.Int).Mul(d.big(), e.big()), out.scale)
	}
	if out.scale > MaxScale {
		out = out.Round(MaxScale)
	}
	return out
}

// Sign gives -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.wide != nil:
		return d.wide.Sign()
	case d.n < 0:
		return -1
	case d.n > 0:
		return 1
	}
	return 0
}

// Cmp gives -1, 0 or 1 as d is below, equal to or above e.
func (d Decimal) Cmp(e Decimal) int { return d.Sub(e).Sign() }

// Quo gives d / e with scale digits behind the point, rounded half away from
// zero; ok is false when e is 0.
func (d Decimal) Quo(e Decimal, scale int) (q Decimal, ok bool) {
	if e.Sign() == 0 {
		return Decimal{}, false
	}
	up := scale + e.scale - d.scale
	if d.wide == nil && e.wide == nil && up >= 0 && up < len(pow10) {
		if num, fits := mul(d.n, pow10[up]); fits {
			return Decimal{n: quoInt(num, e.n), scale: scale}, true
		}
	}
	num, den := ratio(d, e, scale)
	return fromBig(quoBig(num, den), scale), true
}

// CutQuo is Quo without the rounding: what is behind the scale is cut off.
func (d Decimal) CutQuo(e Decimal, scale int) (q Decimal, ok bool) {
	if e.Sign() == 0 {
		return Decimal{}, false
	}
	num, den := ratio(d, e, scale)
	return fromBig(num.Quo(num, den), scale), true
}

// ratio gives whole numbers whose quotient is that of d and e, times 10^scale:
// d.n/10^ds / (e.n/10^es) · 10^scale = d.n · 10^(scale+es-ds) / e.n.
func ratio(d, e Decimal, scale int) (num, den *big.Int) {
	num, den = d.big(), e.big()
	if up := scale + e.scale - d.scale; up >= 0 {
		num = new(big.Int).Mul(num, bigPow10(up))
	} else {
		num, den = new(big.Int).Set(num), new(big.Int).Mul(den, bigPow10(-up))
	}
	return num, den
}

// quoInt divides, rounding half away from zero.
func quoInt(a, b int64) int64 {
	if b == -1 {
		return -a // mul gives no -2^63
	}
	q, r := a/b, a%b
	if magnitude(r) >= magnitude(b)-magnitude(r) {
		if a < 0 != (b < 0) {
			return q - 1
		}
		return q + 1
	}
	return q
}

func quoBig(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Lsh(r, 1).CmpAbs(b) >= 0 {
		q.Add(q, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return q
}

// IntQuo gives d / e without what is behind the point; ok is false when e is 0.
func (d Decimal) IntQuo(e Decimal) (q Decimal, ok bool) {
	if e.Sign() == 0 {
		return Decimal{}, false
	}
	scale := max(d.scale, e.scale)
	return fromBig(new(big.Int).Quo(d.at(scale).big(), e.at(scale).big()), 0), true
}

// Mod gives the rest of d / e, with d's sign; ok is false when e is 0.
func (d Decimal) Mod(e Decimal) (r Decimal, ok bool) {
	q, ok := d.IntQuo(e)
	if !ok {
		return Decimal{}, false
	}
	return d.Sub(q.Mul(e)), true
}

// Round gives d with at most scale digits behind the point, rounded half away
// from zero.
func (d Decimal) Round(scale int) Decimal {
	if d.scale <= scale {
		return d
	}
	down := d.scale - scale
	if d.wide == nil && down < len(pow10) {
		return Decimal{n: quoInt(d.n, pow10[down]), scale: scale}
	}
	return fromBig(quoBig(d.big(), bigPow10(down)), scale)
}

// Precision is the number of digits in front of the point and, without zeros at
// the end, behind it.
func (d Decimal) Precision() (whole, frac int) {
	d = d.trimmed()
	text := d.big().String()
	n := len(strings.TrimPrefix(text, "-"))
	if d.Sign() == 0 {
		return 0, 0
	}
	return max(0, n-d.scale), d.scale
}

// trimmed takes zeros at the end of the fraction away.
func (d Decimal) trimmed() Decimal {
	for d.wide == nil && d.scale > 0 && d.n%10 == 0 {
		d.n /= 10
		d.scale--
	}
	if d.wide == nil || d.scale == 0 {
		return d
	}
	text := d.wide.String()
	zeros := min(d.scale, len(text)-len(strings.TrimRight(text, "0")))
	if zeros == 0 {
		return d
	}
	return fromBig(new(big.Int).Quo(d.wide, bigPow10(zeros)), d.scale-zeros)
}

// Value gives the int64 or float64 that stands for d; ErrDigits when none does.
func (d Decimal) Value() (any, error) {
	if d.scale != 0 {
		d = d.trimmed()
	}
	switch {
	case d.wide != nil:
		return nil, ErrDigits
	case d.scale == 0:
		return d.n, nil
	case magnitude(d.n) >= exact || d.scale >= len(floatPow10):
		return nil, ErrDigits
	}
	return float64(d.n) / floatPow10[d.scale], nil
}

// Nearest gives the float64 nearest to d.
func (d Decimal) Nearest() float64 {
	f, _ := strconv.ParseFloat(d.String(), 64)
	return f
}

// Text spells d with scale digits behind the point, rounded if it has more.
func (d Decimal) Text(scale int) string {
	d = d.Round(scale)
	text := d.at(scale).big().String()
	if scale == 0 {
		return text
	}
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	if len(text) <= scale {
		text = strings.Repeat("0", scale+1-len(text)) + text
	}
	return sign + text[:len(text)-scale] + "." + text[len(text)-scale:]
}

// String spells d with the digits that it needs.
func (d Decimal) String() string {
	d = d.trimmed()
	return d.Text(d.scale)
}

// Int64 gives a whole number; ok is false when d has a fraction or doesn't fit.
func (d Decimal) Int64() (n int64, ok bool) {
	d = d.trimmed()
	return d.n, d.wide == nil && d.scale == 0
}

// Clamp gives d, or the largest value of a DECIMAL(precision, scale) with its sign
// when d is beyond that.
func (d Decimal) Clamp(precision, scale int) Decimal {
	limit := fromBig(new(big.Int).Sub(bigPow10(precision), big.NewInt(1)), scale)
	switch {
	case d.Cmp(limit) > 0:
		return limit
	case d.Cmp(limit.Neg()) < 0:
		return limit.Neg()
	}
	return d
}

// Fits says whether a value that is rounded already fits a DECIMAL(precision,
// scale).
func (d Decimal) Fits(precision, scale int) bool {
	if d.wide == nil && precision < len(pow10) && d.scale <= scale {
		if e := d.at(scale); e.wide == nil {
			return magnitude(e.n) < uint64(pow10[precision])
		}
	}
	return d.Clamp(precision, scale).Cmp(d) == 0
}

// Format spells the decimal that f stands for with scale digits behind the point.
func Format(f float64, scale int) string {
	if scale < len(floatPow10) && math.Abs(f)*floatPow10[scale] < exact/2 || math.IsInf(f, 0) || math.IsNaN(f) {
		return strconv.FormatFloat(f, 'f', scale, 64)
	}
	// More digits than a REAL has would be those of its binary expansion.
	d, _ := Float(f)
	return d.Text(scale)
}
