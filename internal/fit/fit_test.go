package fit

import "testing"

// Every fault's message is recognised again, with its code and column.
func TestRecognise(t *testing.T) {
	for f := Range; f <= Inexact; f++ {
		for _, kind := range []string{"integer", "datetime"} {
			if (f == BadTime) != (kind == "datetime") {
				continue
			}
			for _, column := range []string{"n", ""} {
				if column == "" && f != Incorrect && f != BadTime {
					continue
				}
				e := f.Error(kind, "it's 'x' for column 'm'", column)
				got := Recognise(e.Message)
				if got == nil || got.Code != e.Code || column != "" && (len(got.Columns) != 1 || got.Columns[0] != column) {
					t.Errorf("fault %d: %q is recognised as %+v", f, e.Message, got)
				}
			}
		}
	}
	for _, other := range []string{"no such table: t", "Incorrect usage", "integer overflow"} {
		if e := Recognise(other); e != nil {
			t.Errorf("%q is recognised as %+v", other, e)
		}
	}
}

// With a fault comes what MySQL keeps outside of strict mode.
func TestAdjusted(t *testing.T) {
	check := func(what string, v any, f Fault, want any, fault Fault) {
		t.Helper()
		if v != want || f != fault {
			t.Errorf("%s: %v, %d; want %v, %d", what, v, f, want, fault)
		}
	}
	v, f := Int("12x", 0, 10)
	check("a number too large, with a tail", v, f, int64(10), Truncated)
	v, f = Int("x", 5, 10)
	check("no number", v, f, int64(5), Incorrect)
	v, f = Decimal("123.456", 4, 2, false)
	check("too many digits", v, f, 99.99, Range)
	v, f = Decimal("12345678901234567.891", 30, 3, false)
	check("more digits than are exact", v, f, 12345678901234567.891, Inexact)
	v, f = Decimal("123456789012345678.000", 30, 3, false)
	check("a whole number of 18 digits", v, f, int64(123456789012345678), None)
	v, f = Enum(int64(2), []string{"a", "b"})
	check("a member by number", v, f, "b", None)
	v, f = Set(int64(5), []string{"a", "b", "c"})
	check("members by bits", v, f, "a,c", None)
	v, f = Year("0")
	check("the year '0'", v, f, int64(2000), None)
	v, f = Year(int64(0))
	check("the year 0", v, f, int64(0), None)
	v, f = Double("1e400", false)
	check("beyond a double", v, f, 0.0, Range)
}
