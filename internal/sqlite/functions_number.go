package sqlite

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/internal/fit"
)

var numberFunctions = []function{
	{"round_digits", []int{2}, strict(roundDigits)},
	{"truncate_digits", []int{2}, strict(truncateDigits)},
	{"format_number", []int{2, 3}, strict(formatNumber)},
	{"double_text", []int{1, 2}, strict(doubleText)},
	{"round_even", []int{2}, strict(roundEven)},
	{"conv", []int{3}, strict(conv)},
	{"bin", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		c.ResultText(strconv.FormatUint(uint64(toInt(a[0])), 2))
	})},
	{"oct", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		c.ResultText(strconv.FormatUint(uint64(toInt(a[0])), 8))
	})},
	{"bit_count", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		c.ResultInt(bits.OnesCount64(uint64(toBits(a[0]))))
	})},
	{"cast_signed", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { c.ResultInt64(toInt(a[0])) })},
	{"md5", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		s := md5.Sum(a[0].RawBlob())
		c.ResultText(hex.EncodeToString(s[:]))
	})},
	{"sha1", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		s := sha1.Sum(a[0].RawBlob())
		c.ResultText(hex.EncodeToString(s[:]))
	})},
	{"sha2", []int{2}, strict(sha2)},
	{"crc32", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		c.ResultInt64(int64(crc32.ChecksumIEEE(a[0].RawBlob())))
	})},
	{"to_base64", []int{1}, strict(toBase64)},
	{"from_base64", []int{1}, strict(fromBase64)},
}

// toInt is CAST(x AS SIGNED): numbers round, text is read as far as its digits go.
func toInt(v sqlite3.Value) int64 {
	if v.Type() != sqlite3.FLOAT {
		return v.Int64() // SQLite reads leading digits of text too
	}
	f := math.Round(v.Float())
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func pow10(n int64) float64 { return math.Pow(10, float64(n)) }

func roundDigits(ctx sqlite3.Context, arg ...sqlite3.Value) {
	n := min(max(arg[1].Int64(), -30), 30)
	if arg[0].NumericType() == sqlite3.INTEGER {
		if n >= 0 {
			ctx.ResultInt64(arg[0].Int64())
			return
		}
		if n < -18 {
			ctx.ResultInt(0)
			return
		}
		unit := int64(pow10(-n))
		v := arg[0].Int64()
		rest := v % unit
		v -= rest
		switch {
		case 2*rest >= unit:
			v += unit
		case 2*rest <= -unit:
			v -= unit
		}
		ctx.ResultInt64(v)
		return
	}
	f := arg[0].Float()
	if n < 0 {
		ctx.ResultFloat(math.Round(f/pow10(-n)) * pow10(-n))
		return
	}
	// By its shortest decimal text, as 1.005 is meant when it is written.
	ctx.ResultFloat(roundText(f, int(n)))
}

// roundText rounds the shortest decimal spelling of f half away from zero.
func roundText(f float64, digits int) float64 {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	point := strings.IndexByte(s, '.')
	if point < 0 || len(s)-point-1 <= digits {
		return f
	}
	cut := s[:point+1+digits]
	v, _ := strconv.ParseFloat(cut, 64)
	if s[point+1+digits] >= '5' {
		v = math.Abs(v) + 1/pow10(int64(digits))
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'f', digits, 64), 64)
	}
	return math.Copysign(math.Abs(v), f)
}

func truncateDigits(ctx sqlite3.Context, arg ...sqlite3.Value) {
	n := min(max(arg[1].Int64(), -30), 30)
	if arg[0].NumericType() == sqlite3.INTEGER {
		v := arg[0].Int64()
		if n < -18 {
			v = 0
		} else if n < 0 {
			v -= v % int64(pow10(-n))
		}
		ctx.ResultInt64(v)
		return
	}
	f := arg[0].Float()
	if n < 0 {
		ctx.ResultFloat(math.Trunc(f/pow10(-n)) * pow10(-n))
		return
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if point := strings.IndexByte(s, '.'); point >= 0 && len(s)-point-1 > int(n) {
		f, _ = strconv.ParseFloat(s[:point+1+int(n)], 64)
	}
	ctx.ResultFloat(f)
}

// formatNumber is FORMAT(x, digits): with a comma between thousands.
func formatNumber(ctx sqlite3.Context, arg ...sqlite3.Value) {
	digits := int(min(max(arg[1].Int64(), 0), 30))
	d, ok := decimalOf(ctx, arg[0])
	if !ok {
		return
	}
	s := d.Text(digits)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	whole, frac, _ := strings.Cut(s, ".")
	var b strings.Builder
	if neg {
		b.WriteByte('-')
	}
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if frac != "" {
		b.WriteByte('.')
		b.WriteString(frac)
	}
	ctx.ResultText(b.String())
}

// roundEven is round_even(x, digits): a DOUBLE rounded as MySQL does it, which rounds
// the product with a power of ten half to even.
func roundEven(ctx sqlite3.Context, arg ...sqlite3.Value) {
	f, digits := arg[0].Float(), min(max(arg[1].Int64(), -30), 30)
	p := pow10(max(digits, -digits))
	var r float64
	switch {
	case digits < 0:
		r = math.RoundToEven(f/p) * p
	case math.IsInf(f*p, 0):
		r = f
	default:
		r = math.RoundToEven(f*p) / p
	}
	ctx.ResultFloat(r)
}

// doubleText is double_text(x [, digits]): a DOUBLE in the text that MySQL gives it,
// with so many digits behind the point, or as few as it needs.
func doubleText(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() != sqlite3.FLOAT && len(arg) == 1 {
		ctx.ResultValue(arg[0])
		return
	}
	if len(arg) == 2 {
		ctx.ResultText(strconv.FormatFloat(arg[0].Float(), 'f', int(min(arg[1].Int64(), 30)), 64))
		return
	}
	ctx.ResultText(fit.DoubleText(arg[0].Float()))
}

// conv is CONV(n, from, to), in 64 bits without sign; a negative base reads or
// writes with sign.
func conv(ctx sqlite3.Context, arg ...sqlite3.Value) {
	from, to := arg[1].Int64(), arg[2].Int64()
	text := strings.ToLower(strings.TrimSpace(arg[0].Text()))
	base := max(from, -from)
	if text == "" || base < 2 || base > 36 || max(to, -to) < 2 || max(to, -to) > 36 {
		return
	}
	neg := strings.HasPrefix(text, "-")
	text = strings.TrimLeft(text, "+-")
	var v uint64
	for _, c := range text {
		d := int64(99)
		switch {
		case c >= '0' && c <= '9':
			d = int64(c - '0')
		case c >= 'a' && c <= 'z':
			d = int64(c-'a') + 10
		}
		if d >= base {
			break
		}
		hi, lo := bits.Mul64(v, uint64(base))
		sum, carry := bits.Add64(lo, uint64(d), 0)
		if hi != 0 || carry != 0 {
			v = math.MaxUint64
			break
		}
		v = sum
	}
	if neg {
		v = -v
	}
	if to < 0 {
		ctx.ResultText(strings.ToUpper(strconv.FormatInt(int64(v), int(-to))))
		return
	}
	ctx.ResultText(strings.ToUpper(strconv.FormatUint(v, int(to))))
}

func sha2(ctx sqlite3.Context, arg ...sqlite3.Value) {
	data := arg[0].RawBlob()
	var sum []byte
	switch arg[1].Int64() {
	case 224:
		s := sha256.Sum224(data)
		sum = s[:]
	case 0, 256:
		s := sha256.Sum256(data)
		sum = s[:]
	case 384:
		s := sha512.Sum384(data)
		sum = s[:]
	case 512:
		s := sha512.Sum512(data)
		sum = s[:]
	default:
		return
	}
	ctx.ResultText(hex.EncodeToString(sum))
}

// toBase64 breaks lines after 76 characters, as MySQL does.
func toBase64(ctx sqlite3.Context, arg ...sqlite3.Value) {
	s := base64.StdEncoding.EncodeToString(arg[0].RawBlob())
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76])
		b.WriteByte('\n')
		s = s[76:]
	}
	b.WriteString(s)
	ctx.ResultText(b.String())
}

func fromBase64(ctx sqlite3.Context, arg ...sqlite3.Value) {
	s := strings.Join(strings.Fields(arg[0].Text()), "")
	if out, err := base64.StdEncoding.DecodeString(s); err == nil {
		ctx.ResultBlob(out)
	}
}
