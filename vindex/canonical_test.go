package vindex

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"
)

func TestCanonical(t *testing.T) {
	null, text, num, integer, rl := Column{}, Column{Affinity: Text}, Column{Affinity: Numeric}, Column{Affinity: Integer}, Column{Affinity: Real}
	ci := Column{Affinity: Text, NoCase: true}
	at := time.Date(2024, 1, 2, 3, 4, 5, 600_000_000, time.FixedZone("", 3600))
	for _, tt := range []struct {
		c    Column
		v    any
		want any
	}{
		{null, nil, nil}, {null, int64(3), int64(3)}, {null, 3.0, int64(3)}, {null, 3.5, 3.5}, {null, "3", "3"},
		{null, true, int64(1)}, {null, Decimal("3.0"), int64(3)}, {null, Decimal("3.10"), 3.1}, {null, HexNum("0x41"), []byte("A")},
		{null, uint64(7), int64(7)}, {null, uint64(math.MaxUint64), float64(1 << 64)}, {null, math.NaN(), nil},
		{null, math.Copysign(0, -1), int64(0)}, {null, []byte("Ab"), []byte("Ab")},
		{integer, "3", int64(3)}, {integer, " +3.0 ", int64(3)}, {integer, "3e2", int64(300)}, {integer, "5.", int64(5)}, {integer, ".5", 0.5},
		{integer, "3\x00x", int64(3)}, {integer, "0x10", "0x10"}, {integer, "1e", "1e"}, {integer, "1_0", "1_0"}, {integer, "inf", "inf"},
		{integer, "", ""}, {integer, "9223372036854775808", float64(1 << 63)}, {integer, "-9223372036854775808", int64(math.MinInt64)},
		{integer, "1e400", math.Inf(1)}, {integer, "9007199254740993.0", int64(1 << 53)}, {integer, "9007199254740993", int64(1<<53 + 1)},
		{integer, false, int64(0)}, {integer, HexNum("0x10"), int64(16)}, {integer, []byte("3"), []byte("3")},
		{num, Decimal("12.50"), 12.5}, {num, "abc", "abc"},
		{rl, int64(3), int64(3)}, {rl, "3", int64(3)}, {rl, int64(1<<53 + 1), int64(1 << 53)}, {rl, int64(math.MaxInt64), float64(1 << 63)},
		{rl, "9007199254740993", int64(1 << 53)},
		{text, int64(-3), "-3"}, {text, 3.0, "3.0"}, {text, 0.1, "0.1"}, {text, 1e20, "1.0e+20"}, {text, 1.0 / 3, "0.33333333333333332"},
		{text, 1e15, "1000000000000000.0"}, {text, 1e-5, "1.0e-05"}, {text, 5e-324, "4.9406564584124654e-324"}, {text, -2.5, "-2.5"},
		{text, math.Inf(-1), "-Inf"}, {text, math.Copysign(0, -1), "0.0"}, {text, 123456789012345678.0, "1.2345678901234568e+17"},
		{text, true, "1"}, {text, Decimal("3.10"), "3.1"}, {text, Decimal("07"), "7"}, {text, "ÄB", "ÄB"}, {text, HexNum("0x4142"), "AB"},
		{text, uint64(math.MaxUint64), "18446744073709551615"}, {text, "3.0", "3.0"},
		{ci, "ÄBc", "Äbc"}, {ci, "abc", "abc"}, {ci, "A\x00B", "a\x00\x00"}, {ci, []byte("A"), []byte("A")},
		{Column{Affinity: Text, Temporal: DateTime}, at, "2024-01-02 02:04:06"},
		{Column{Affinity: Text, Temporal: DateTime, Fsp: 3}, at, "2024-01-02 02:04:05.600"},
		{Column{Temporal: Date}, "2024-1-2", "2024-01-02"}, {Column{Temporal: Date}, int64(20240102), "2024-01-02"},
		{Column{Temporal: DateTime}, "soon", "soon"}, {Column{Temporal: DateTime}, int64(5), "5"}, {Column{Temporal: DateTime}, nil, nil},
		{text, at, "2024-01-02 02:04:05.600000"}, {text, at.Truncate(time.Second), "2024-01-02 02:04:05"},
	} {
		got, err := Canonical(tt.v, tt.c)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Canonical(%T %v, %+v) = %T %v, %v, want %T %v", tt.v, tt.v, tt.c, got, got, err, tt.want, tt.want)
		}
	}
	if _, err := Canonical(struct{}{}, null); err == nil {
		t.Error("a struct has no canonical form")
	}
}

func TestCanonicalFastPaths(t *testing.T) {
	var n, s any = int64(1 << 40), "some text in lower case"
	for _, tt := range []struct {
		v any
		c Column
	}{{n, Column{Affinity: Integer}}, {n, Column{}}, {s, Column{Affinity: Text}}, {s, Column{Affinity: Text, NoCase: true}}} {
		if a := testing.AllocsPerRun(100, func() { Canonical(tt.v, tt.c) }); a != 0 {
			t.Errorf("Canonical(%v, %+v) allocates %v times", tt.v, tt.c, a)
		}
	}
}

func TestTemporalText(t *testing.T) {
	const inexact = "~" // a wanted text that doesn't stand for the value exactly
	for _, tt := range []struct {
		t    Temporal
		fsp  int
		v    any
		want string // "" for what can't be read
	}{
		{DateTime, 0, "2024-01-02 03:04:05", "2024-01-02 03:04:05"},
		{DateTime, 0, "2024-1-2", "2024-01-02 00:00:00"},
		{DateTime, 0, "2024-01-02 03:04", "2024-01-02 03:04:00"},
		{DateTime, 0, "2024-01-02T03:04:05", "2024-01-02 03:04:05"},
		{DateTime, 0, "2024-01-02 3:4:5", "2024-01-02 03:04:05"},
		{DateTime, 0, " 2024/01/02  03:04:05 ", "2024-01-02 03:04:05"},
		{DateTime, 0, "24-1-2", "2024-01-02 00:00:00"},
		{DateTime, 0, "70.1.2", "1970-01-02 00:00:00"},
		{DateTime, 0, "20240102", "2024-01-02 00:00:00"},
		{DateTime, 0, "240102", "2024-01-02 00:00:00"},
		{DateTime, 0, "20240102030405", "2024-01-02 03:04:05"},
		{DateTime, 0, "20240102T030405", "2024-01-02 03:04:05"},
		{DateTime, 0, "240102030405", "2024-01-02 03:04:05"},
		{DateTime, 2, "20240102030405.678", inexact + "2024-01-02 03:04:05.68"},
		{DateTime, 6, "2024-01-02 03:04:05.5", "2024-01-02 03:04:05.500000"},
		{DateTime, 0, "2024-01-02 03:04:05.5", inexact + "2024-01-02 03:04:06"},
		{DateTime, 0, "2024-01-02 03:04:05.499999", inexact + "2024-01-02 03:04:05"},
		{DateTime, 0, "2024-12-31 23:59:59.5", inexact + "2025-01-01 00:00:00"},
		{DateTime, 0, "9999-12-31 23:59:59.5", ""},
		{DateTime, 0, "2024-01-02 03:04:05+02:00", "2024-01-02 01:04:05"},
		{DateTime, 0, "2024-01-02T03:04:05-05:30", "2024-01-02 08:34:05"},
		{DateTime, 0, "2024-01-02T03:04:05Z", "2024-01-02 03:04:05"},
		{DateTime, 0, []byte("2024-1-2"), "2024-01-02 00:00:00"},
		{DateTime, 0, int64(20240102), "2024-01-02 00:00:00"},
		{DateTime, 0, int64(240102), "2024-01-02 00:00:00"},
		{DateTime, 0, int64(991231), "1999-12-31 00:00:00"},
		{DateTime, 0, int64(20240102030405), "2024-01-02 03:04:05"},
		{DateTime, 0, int64(240102030405), "2024-01-02 03:04:05"},
		{DateTime, 1, Decimal("20240102030405.25"), inexact + "2024-01-02 03:04:05.3"},
		{DateTime, 1, 20240102030405.5, "2024-01-02 03:04:05.5"},
		{DateTime, 0, "0000-00-00", "0000-00-00 00:00:00"},
		{DateTime, 0, int64(0), "0000-00-00 00:00:00"},
		{DateTime, 0, "2024-02-29", "2024-02-29 00:00:00"},
		{DateTime, 0, "2023-02-29", ""}, {DateTime, 0, "1900-02-29", ""}, {DateTime, 0, "2024-13-01", ""}, {DateTime, 0, "2024-00-01", ""},
		{DateTime, 0, "2024-01-02 24:00:00", ""}, {DateTime, 0, "2024-01-02 03:60", ""}, {DateTime, 0, "2024-01-02 x", ""},
		{DateTime, 0, "", ""}, {DateTime, 0, "now", ""}, {DateTime, 0, int64(5), ""}, {DateTime, 0, -1.5, ""}, {DateTime, 0, nil, ""},
		{DateTime, 0, "2024-01-02 03:04:05 junk", ""}, {DateTime, 0, "2024-01", ""}, {DateTime, 0, "2024-01-02 03:04:05+25:00", ""},
		{Date, 0, "2024-01-02", "2024-01-02"},
		{Date, 0, "2024-01-02 00:00:00", "2024-01-02"},
		{Date, 0, "2024-01-02 23:59:59.9", inexact + "2024-01-02"},
		{Date, 0, time.Date(2024, 1, 2, 0, 30, 0, 0, time.FixedZone("", 3600)), inexact + "2024-01-01"},
		{Time, 0, "03:04:05", "03:04:05"}, {Time, 0, "3:4", "03:04:00"}, {Time, 0, "30405", "03:04:05"}, {Time, 0, "12", "00:00:12"},
		{Time, 0, "1 02:03:04", "26:03:04"}, {Time, 0, "1 2", "26:00:00"}, {Time, 0, "-01:02:03", "-01:02:03"}, {Time, 0, "838:59:59", "838:59:59"},
		{Time, 0, "838:59:59.5", ""}, {Time, 0, "839:00:00", ""}, {Time, 2, "01:02:03.456", inexact + "01:02:03.46"}, {Time, 0, int64(-10203), "-01:02:03"},
		{Time, 0, "2024-01-02 03:04:05", inexact + "03:04:05"}, {Time, 1, Decimal("10203.5"), "01:02:03.5"}, {Time, 0, "00:60:00", ""},
		{Time, 0, "-00:00:00", "00:00:00"}, {Time, 0, "x", ""},
	} {
		want, exact := tt.want, true
		if want != "" && want[:1] == inexact {
			want, exact = want[1:], false
		}
		text, gotExact, ok := TemporalText(tt.v, tt.t, tt.fsp)
		if text != want || ok != (want != "") || ok && gotExact != exact {
			t.Errorf("TemporalText(%v, %d, %d) = %q, %v, %v, want %q, %v", tt.v, tt.t, tt.fsp, text, gotExact, ok, want, exact)
		}
		if again, ok := CanonicalTemporal(text, tt.t, tt.fsp); want != "" && (!ok || again != text) {
			t.Errorf("CanonicalTemporal(%q) again gives %q, %v", text, again, ok)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"", "3", "3.0", "2024-1-2 3:4:5.6", "240102", "-1 2:3", "A\x00B", "1e5", "0x10", "2401020304", "Inf", "nan", "020000000", "0e1001"} {
		f.Add(s, int64(20240102), 1.5, uint8(0), uint8(0))
	}
	f.Add("x", int64(math.MinInt64), math.MaxFloat64, uint8(4), uint8(3))
	f.Add("x", int64(2401020304), 2401020304.0, uint8(1), uint8(2))
	f.Fuzz(func(t *testing.T, s string, n int64, x float64, affinity, rest uint8) {
		c := Column{Affinity: Affinity(affinity % 5), NoCase: rest&1 != 0, Temporal: Temporal(rest >> 1 & 3), Fsp: int(rest>>3) % 7}
		for _, v := range []any{s, []byte(s), n, uint64(n), x, n&1 == 0, Decimal(s), HexNum(s), time.UnixMicro(n)} {
			once, err := Canonical(v, c)
			if err != nil {
				t.Fatalf("%T %v %+v: %v", v, v, c, err)
			}
			twice, err := Canonical(once, c)
			if err != nil || !reflect.DeepEqual(once, twice) {
				t.Errorf("%T %v %+v: once %T %v, twice %T %v, %v", v, v, c, once, once, twice, twice, err)
			}
			if b, ok := v.([]byte); ok && string(b) != s {
				t.Errorf("%q was changed to %q", s, b)
			}
		}
	})
}

// TestCanonicalNumbersAgree: numbers that compare equal have one canonical
// form, whatever type and spelling they come in.
func TestCanonicalNumbersAgree(t *testing.T) {
	for _, a := range []Affinity{Numeric, Integer, Real} {
		for _, n := range []int64{0, 1, -1, 3, 255, 1 << 40, -(1 << 52)} {
			var forms []string
			for _, v := range []any{n, float64(n), fmt.Sprint(n), fmt.Sprintf("%d.00", n), fmt.Sprintf(" %d ", n), fmt.Sprintf("%de0", n), Decimal(fmt.Sprintf("%d.0", n))} {
				got, err := Canonical(v, Column{Affinity: a})
				if err != nil {
					t.Fatal(err)
				}
				forms = append(forms, fmt.Sprintf("%T %v", got, got))
			}
			for _, f := range forms {
				if f != fmt.Sprintf("int64 %d", n) {
					t.Errorf("affinity %d, %d: %v", a, n, forms)
					break
				}
			}
		}
	}
}
