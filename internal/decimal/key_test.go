package decimal

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestKeyForm(t *testing.T) {
	for text, want := range map[string]string{
		"0": "\x02", "0.000": "\x02", "-0": "\x02", "123.4": "\x03\x83\x12\x34", "123.40": "\x03\x83\x12\x34", "-123.4": "\x01\x7c\xed\xcb\xff",
		"0.05": "\x03\x7f\x50", "1000000": "\x03\x87\x10",
	} {
		if got, err := mustParse(t, text).AppendKey(nil); err != nil || string(got) != want {
			t.Errorf("the key of %s is % x, %v; want % x", text, got, err, want)
		}
	}
	if k, err := mustParse(t, "1"+strings.Repeat("0", 65)).AppendKey(nil); err == nil {
		t.Errorf("a number of 66 digits has the key % x", k)
	}
	for _, bad := range []string{"", "\x03", "\x03\x83", "\x03\x83\x1a", "\x01\x7c\xed", "\x02\x00", "1.5", "\x03\xf0\x12"} {
		if d, ok := FromKey([]byte(bad)); ok {
			t.Errorf("% x is the key of %s", bad, d)
		}
	}
}

// Keys order as the numbers do, are equal for equal ones, and lead back to them.
func TestKeyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	random := func() Decimal {
		n := new(big.Int)
		for range 1 + rng.IntN(4) {
			n.Lsh(n, 52).Add(n, big.NewInt(rng.Int64N(1<<52)>>rng.IntN(52)))
		}
		if rng.IntN(2) == 0 {
			n.Neg(n)
		}
		if rng.IntN(3) == 0 {
			n.Mul(n, bigPow10(rng.IntN(4)))
		}
		if rng.IntN(3) == 0 {
			n = big.NewInt(rng.Int64N(2000) - 1000)
		}
		d := fromBig(n, rng.IntN(MaxScale+1))
		if whole, _ := d.Precision(); whole > MaxDigits {
			return fromBig(n, MaxScale)
		}
		return d
	}
	least, greatest := mustKey(t, math.Inf(-1)), mustKey(t, math.Inf(1))
	for range 100000 {
		a, b := random(), random()
		ka, err := a.AppendKey(nil)
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		kb, _ := b.AppendKey(nil)
		if got := bytes.Compare(ka, kb); got != a.Cmp(b) {
			t.Fatalf("the keys of %s and %s compare as %d: % x, % x", a, b, got, ka, kb)
		}
		if bytes.Compare(least, ka) >= 0 || bytes.Compare(ka, greatest) >= 0 {
			t.Fatalf("the key of %s, % x, is beyond infinity", a, ka)
		}
		if back, ok := FromKey(ka); !ok || back.Cmp(a) != 0 {
			t.Fatalf("the key of %s leads to %s, %v", a, back, ok)
		}
		if again, err := KeyOf(ka); err != nil || !bytes.Equal(again, ka) {
			t.Fatalf("the key of a key of %s is % x, %v", a, again, err)
		}
	}
}

// Digits beyond those of any DECIMAL still tell a number from its neighbours.
func TestKeyOfMoreDigits(t *testing.T) {
	for _, c := range [][3]string{
		{"0." + strings.Repeat("1", 95), "0." + strings.Repeat("1", 200), "0." + strings.Repeat("1", 94) + "2"},
		{"0", "1e-300", "1e-30"},
	} {
		for i := range 2 {
			if a, b := mustKey(t, c[i]), mustKey(t, c[i+1]); bytes.Compare(a, b) > 0 {
				t.Errorf("the key of %s is above that of %s", c[i], c[i+1])
			}
		}
	}
}

func mustKey(t *testing.T, v any) []byte {
	t.Helper()
	k, err := KeyOf(v)
	if err != nil {
		t.Fatal(v, err)
	}
	return k
}

func TestCutting(t *testing.T) {
	for _, c := range []struct {
		in                   string
		scale                int
		trunc, round         string
		floor, ceil, absolut string
	}{
		{"-12345678901234567.875", 1, "-12345678901234567.8", "-12345678901234567.9", "-12345678901234568", "-12345678901234567", "12345678901234567.875"},
		{"15.5", -1, "10", "20", "15", "16", "15.5"}, {"-3", 2, "-3", "-3", "-3", "-3", "3"},
		{"99999999999999999999.5", -2, "99999999999999999900", "100000000000000000000", "99999999999999999999", "100000000000000000000", "99999999999999999999.5"},
	} {
		d := mustParse(t, c.in)
		for i, got := range []Decimal{d.Trunc(c.scale), d.RoundTo(c.scale), d.Floor(), d.Ceil(), d.Abs()} {
			if want := []string{c.trunc, c.round, c.floor, c.ceil, c.absolut}[i]; got.String() != want {
				t.Errorf("%s: operation %d gives %s, want %s", c.in, i, got, want)
			}
		}
	}
}

func BenchmarkKey(b *testing.B) {
	d, _ := Parse("12345678.90")
	var buf [48]byte
	b.ReportAllocs()
	for b.Loop() {
		k, _ := d.AppendKey(buf[:0])
		if e, _ := FromKey(k); e.Cmp(d) != 0 {
			b.Fatal(e)
		}
	}
}
