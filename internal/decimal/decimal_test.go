package decimal

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func mustParse(t *testing.T, s string) Decimal {
	t.Helper()
	d, ok := Parse(s)
	if !ok {
		t.Fatalf("Parse(%q) failed", s)
	}
	return d
}

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"1": "1", "1.50": "1.5", "-0.10": "-0.1", ".5": "0.5", "5.": "5", "1e3": "1000", "12.5e-3": "0.0125",
		"+7": "7", "99999999999999999999.99": "99999999999999999999.99", "-0": "0",
	} {
		if got := mustParse(t, in).String(); got != want {
			t.Errorf("Parse(%q) = %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"", "-", ".", "1a", "1-2", "--1", "1e", "1e9999", "0x10", "1_0", "1.2.3", "1.-2"} {
		if d, ok := Parse(in); ok {
			t.Errorf("Parse(%q) = %s, want an error", in, d)
		}
	}
	for in, want := range map[string]string{"12abc": "12", " 1.5e2x": "150", "x": "0", "1e": "1", "-3.": "-3", "": "0"} {
		if got := Prefix(in).String(); got != want {
			t.Errorf("Prefix(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestRounding(t *testing.T) {
	for _, c := range []struct {
		in    string
		scale int
		want  string
	}{
		{"1.005", 2, "1.01"}, {"-1.005", 2, "-1.01"}, {"2.5", 0, "3"}, {"-2.5", 0, "-3"}, {"2.4999", 0, "2"},
		{"0.004", 2, "0.00"}, {"-0.004", 2, "0.00"}, {"9.995", 2, "10.00"}, {"1.5", 3, "1.500"},
		{"123456789012345678901234.565", 2, "123456789012345678901234.57"},
	} {
		if got := mustParse(t, c.in).Text(c.scale); got != c.want {
			t.Errorf("%s to %d digits = %s, want %s", c.in, c.scale, got, c.want)
		}
	}
	if _, ok := Int(1).Quo(Int(0), 4); ok {
		t.Error("1/0 has a quotient")
	}
}

// A REAL stands for the decimal that it was made of, whatever its digits are, up
// to 15 of them.
func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200000 {
		n := rng.Int64N(int64(math.Pow(10, float64(1+rng.IntN(Digits)))))
		if rng.IntN(2) == 0 {
			n = -n
		}
		d := Decimal{n: n, scale: rng.IntN(16)}
		v, err := d.Value()
		if err != nil {
			t.Fatalf("%s: %v", d, err)
		}
		back, ok := Of(v)
		if !ok || back.Cmp(d) != 0 {
			t.Fatalf("%s became %v, which is %s", d, v, back)
		}
	}
	for _, s := range []string{"1700000000000.3333", "0.12345678901234567", "99999999999999999999"} {
		if v, err := mustParse(t, s).Value(); err == nil {
			t.Errorf("%s became %v", s, v)
		}
	}
	if v, err := mustParse(t, "9007199254740993.000").Value(); err != nil || v != int64(9007199254740993) {
		t.Errorf("9007199254740993.000 became %v, %v", v, err)
	}
}

// Every operation agrees with rational numbers.
func TestAgainstRationals(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	random := func() (Decimal, *big.Rat) {
		n, scale := rng.Int64()>>rng.IntN(63), rng.IntN(12)
		if rng.IntN(2) == 0 {
			n = -n
		}
		return Decimal{n: n, scale: scale}, new(big.Rat).SetFrac(big.NewInt(n), bigPow10(scale))
	}
	rat := func(d Decimal) *big.Rat { return new(big.Rat).SetFrac(d.big(), bigPow10(d.scale)) }
	for range 50000 {
		a, ra := random()
		b, rb := random()
		check := func(op string, got Decimal, want *big.Rat) {
			if rat(got).Cmp(want) != 0 {
				t.Fatalf("%s %s %s = %s, want %s", a, op, b, got, want.FloatString(30))
			}
		}
		check("+", a.Add(b), new(big.Rat).Add(ra, rb))
		check("-", a.Sub(b), new(big.Rat).Sub(ra, rb))
		check("*", a.Mul(b), new(big.Rat).Mul(ra, rb))
		if b.Sign() == 0 {
			continue
		}
		q := new(big.Rat).Quo(ra, rb)
		got, _ := a.Quo(b, 4)
		if text := q.FloatString(4); got.Cmp(mustParse(t, text)) != 0 { // FloatString rounds half away from zero too
			t.Fatalf("%s / %s = %s, want %s", a, b, got, text)
		}
		whole := new(big.Int).Quo(q.Num(), q.Denom())
		iq, _ := a.IntQuo(b)
		check("DIV", iq, new(big.Rat).SetInt(whole))
		m, _ := a.Mod(b)
		check("%", m, new(big.Rat).Sub(ra, new(big.Rat).Mul(new(big.Rat).SetInt(whole), rb)))
	}
}
