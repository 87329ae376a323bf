package vindex

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func bind(t testing.TB, typ string, params map[string]string, shards int) Vindex {
	t.Helper()
	v, err := New(typ, "v", params)
	if err != nil {
		t.Fatal(err)
	}
	if aware, ok := v.(TopologyAware); ok {
		if v, err = aware.WithShards(EvenRanges(shards)); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func shardOf(t testing.TB, v Vindex, shards int, value any) int {
	t.Helper()
	id, err := v.(SingleColumn).Map(nil, value)
	if err != nil {
		t.Fatalf("%v: %v", value, err)
	}
	return Locate(EvenRanges(shards), id)
}

func TestRangePlacement(t *testing.T) {
	for _, tt := range []struct {
		params map[string]string
		value  any
		want   int
	}{
		{map[string]string{"boundaries": "1000,2000"}, int64(999), 0},
		{map[string]string{"boundaries": "1000,2000"}, int64(1000), 1},
		{map[string]string{"boundaries": "1000,2000"}, int64(-5), 0},
		{map[string]string{"boundaries": "1000,2000"}, 2000.0, 2},
		{map[string]string{"boundaries": "1000,2000"}, "1999", 1},
		{map[string]string{"boundaries": "1000,2000"}, nil, 0},
		{map[string]string{"boundaries": "1000,2000", "shards": "2,1,0"}, int64(5), 2},
		{map[string]string{"boundaries": "1,2", "shards": "0,2,0"}, int64(2), 0},
		{map[string]string{"type": "float", "boundaries": "-0.5,0.5"}, 0.49, 1},
		{map[string]string{"type": "float", "boundaries": "-0.5,0.5"}, -1e300, 0},
		{map[string]string{"type": "float", "boundaries": "-0.5,0.5"}, int64(1), 2},
		{map[string]string{"type": "decimal", "boundaries": "0.10,1e1"}, Decimal("0.0999999999999999999999"), 0},
		{map[string]string{"type": "decimal", "boundaries": "0.10,1e1"}, 0.1, 1},
		{map[string]string{"type": "decimal", "boundaries": "0.10,1e1"}, int64(10), 2},
		{map[string]string{"type": "text", "boundaries": `"a,b",m`}, "a,b", 1},
		{map[string]string{"type": "text", "boundaries": `"a,b",m`}, "Z", 0},
		{map[string]string{"type": "text", "boundaries": "G,N", "collation": "nocase"}, "h", 1},
		{map[string]string{"type": "binary", "boundaries": "0x40,80"}, []byte{0x7f}, 1},
		{map[string]string{"type": "date", "boundaries": "2024-1-1,20250101"}, "2024-01-01", 1},
		{map[string]string{"type": "date", "boundaries": "2024-1-1,20250101"}, "1969-12-31", 0},
		{map[string]string{"type": "datetime", "boundaries": "2024-01-01 12:00,2025-01-01"}, "2024-01-01 11:59:59.999999", 0},
		{map[string]string{"type": "datetime", "boundaries": "2024-01-01 12:00,2025-01-01"}, "2024-01-01 12:00:00", 1},
	} {
		if got := shardOf(t, bind(t, "range", tt.params, 3), 3, tt.value); got != tt.want {
			t.Errorf("%v %v: shard %d, want %d", tt.params, tt.value, got, tt.want)
		}
	}
	for typ, values := range map[string][]any{
		"int":  {1.5, 1e19, uint64(math.MaxUint64), "x", []byte("1"), Decimal("1.5"), math.NaN()},
		"text": {int64(1), []byte("a")}, "float": {"x", math.NaN()}, "decimal": {"x", math.Inf(1)},
		"date": {"2024-1-2", "2024-01-02 00:00:01", int64(20240102)}, "datetime": {"20240102", "x"},
		"binary": {int64(1)},
	} {
		boundaries := map[string]string{"date": "2024-01-01", "datetime": "2024-01-01", "binary": "80"}[typ]
		if boundaries == "" {
			boundaries = "1"
		}
		v := bind(t, "range", map[string]string{"type": typ, "boundaries": boundaries}, 2)
		for _, value := range values {
			if id, err := v.(SingleColumn).Map(nil, value); !errors.Is(err, ErrNoDestination) {
				t.Errorf("%s %v: %x, %v, want no destination", typ, value, id, err)
			}
		}
	}
}

func TestRangeParams(t *testing.T) {
	for want, params := range map[string]map[string]string{
		"missing":            {},
		"must be above":      {"boundaries": "2,1"},
		"\"1\" must be":      {"boundaries": "1,1"},
		"not of type int":    {"boundaries": "1,x"},
		"did you mean \"int": {"type": "itn", "boundaries": "1"},
		"2 ranges":           {"boundaries": "1", "shards": "0,1,2"},
		"number of a shard":  {"boundaries": "1", "shards": "0,-1"},
		"did you mean \"bou": {"boundary": "1"},
		"not of type date":   {"type": "date", "boundaries": "2024-13-01"},
		"nocase with":        {"boundaries": "1", "collation": "nocase"},
	} {
		_, err := New("range", "v", params)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", params, err, want)
		}
	}
	v, err := New("range", "by_id", map[string]string{"boundaries": "1,2,3"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.(TopologyAware).WithShards(EvenRanges(3)); err == nil || !strings.Contains(err.Error(), "shard 3") {
		t.Errorf("too few shards: %v", err)
	}
	if _, err := v.(SingleColumn).Map(nil, int64(1)); err == nil || errors.Is(err, ErrNoDestination) {
		t.Errorf("unbound: %v", err)
	}
}

// pruneCase is a small domain whose values are all known, in order.
type pruneCase struct {
	typ    string
	params map[string]string
	shards int
	values []any
	// extra are bounds that are no values of the domain, with their rank:
	// the number of values below.
	extra  map[any]int
	sparse bool // there are more values between those listed
}

// TestMapRangeExhaustive compares pruning with brute force for all intervals
// over small domains: no value's shard is left out, and for range no shard
// without a value is kept.
func TestMapRangeExhaustive(t *testing.T) {
	ints := func(from, to int64) (vs []any) {
		for i := from; i <= to; i++ {
			vs = append(vs, i)
		}
		return vs
	}
	var texts, dates, times, floats, decimals []any
	for _, s := range []string{"", "a", "a\x00", "a\x00\x00", "a\x01", "aa", "b", "b\x00", "ba", "c", "z"} {
		texts = append(texts, s)
	}
	for d := 28; d <= 31; d++ {
		dates = append(dates, fmt.Sprintf("2023-12-%02d", d))
	}
	for d := 1; d <= 4; d++ {
		dates = append(dates, fmt.Sprintf("2024-01-%02d", d))
	}
	for _, s := range []string{"2023-12-31 23:59:59.999999", "2024-01-01 00:00:00", "2024-01-01 00:00:00.000001", "2024-01-01 00:00:00.000002", "2024-01-02 00:00:00"} {
		times = append(times, s)
	}
	f := math.Nextafter(math.Nextafter(1, 0), 0)
	for range 8 {
		floats = append(floats, f)
		f = math.Nextafter(f, 2)
	}
	for i := range 40 {
		decimals = append(decimals, Decimal(fmt.Sprintf("%d.%02d", i/8, i%8*5)))
	}
	for _, c := range []pruneCase{
		{"range", map[string]string{"boundaries": "3,5,6"}, 4, ints(0, 9), map[any]int{2.5: 3, 4.5: 5}, false},
		{"range", map[string]string{"boundaries": "3,5,6", "shards": "1,0,1,0"}, 2, ints(0, 9), nil, false},
		{"range", map[string]string{"boundaries": "-9223372036854775807,9223372036854775807"}, 3, []any{int64(math.MinInt64), int64(math.MinInt64 + 1), int64(0), int64(math.MaxInt64 - 1), int64(math.MaxInt64)}, nil, true},
		{"range", map[string]string{"type": "text", "boundaries": "a,b"}, 3, texts, nil, true},
		{"range", map[string]string{"type": "date", "boundaries": "2023-12-30,2024-01-01"}, 3, dates, map[any]int{"2023-12-31 12:00:00": 4, "2024-01-04 00:00:01": 8}, false},
		{"range", map[string]string{"type": "datetime", "boundaries": "2024-01-01"}, 2, times, nil, true},
		{"range", map[string]string{"type": "float", "boundaries": "1"}, 2, floats, nil, false},
		{"range", map[string]string{"type": "decimal", "boundaries": "1.05,2.10,3.30"}, 4, decimals, nil, true},
		{"numeric", nil, 256, ints(0, 9), map[any]int{2.5: 3, -1.0: 0, 1e300: 10, int64(-7): 0, Decimal("3.0"): -1}, true},
		{"binary", nil, 256, texts, nil, true},
	} {
		checkPruning(t, c)
	}
}

func checkPruning(t *testing.T, c pruneCase) {
	v := bind(t, c.typ, c.params, c.shards)
	type end struct {
		b     Bound
		below int // values strictly below the bound
		at    int // values equal to it
	}
	ends := []end{{b: Bound{Unbounded: true}}}
	for i, value := range c.values {
		ends = append(ends, end{Bound{Value: value, Inclusive: true}, i, 1}, end{Bound{Value: value}, i, 1})
	}
	for value, rank := range c.extra {
		if rank >= 0 {
			ends = append(ends, end{Bound{Value: value, Inclusive: true}, rank, 0}, end{Bound{Value: value}, rank, 0})
		}
	}
	for _, lo := range ends {
		for _, hi := range ends {
			first, last := 0, len(c.values)
			if !lo.b.Unbounded {
				first = lo.below
				if !lo.b.Inclusive {
					first += lo.at
				}
			}
			if !hi.b.Unbounded {
				last = hi.below
				if hi.b.Inclusive {
					last += hi.at
				}
			}
			checkInterval(t, c, v, lo.b, hi.b, c.values[min(first, max(last, 0)):max(last, 0)])
		}
	}
}

func checkInterval(t *testing.T, c pruneCase, v Vindex, lo, hi Bound, values []any) {
	ranges, err := v.(RangeMapper).MapRange(lo, hi)
	if err != nil {
		t.Errorf("%s %v %+v..%+v: %v", c.typ, c.params, lo, hi, err)
		return
	}
	shards := EvenRanges(c.shards)
	var want, got []int
	for _, value := range values {
		id, err := v.(SingleColumn).Map(nil, value)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(ranges, func(r KeyRange) bool { return r.Contains(id) }) {
			t.Errorf("%s %v %+v..%+v leaves out %v", c.typ, c.params, lo, hi, value)
		}
		want = append(want, Locate(shards, id))
	}
	for i, s := range shards {
		if slices.ContainsFunc(ranges, s.Intersects) {
			got = append(got, i)
		}
	}
	slices.Sort(want)
	// Between the values of a sparse list, and beyond its ends, others may live.
	dense := c.typ == "range" && !c.sparse && (len(values) > 0 || slices.Contains(c.values, lo.Value) && slices.Contains(c.values, hi.Value))
	if want = slices.Compact(want); dense && !slices.Equal(got, want) {
		t.Errorf("%s %v %+v..%+v: shards %v, want %v", c.typ, c.params, lo, hi, got, want)
	}
}

func TestMapRangeEdges(t *testing.T) {
	num := bind(t, "numeric", nil, 2).(RangeMapper)
	x := int64(1) << 62
	for _, tt := range []struct {
		v      RangeMapper
		lo, hi Bound
		want   string
	}{
		// An upper end on a shard's boundary is part of the interval.
		{num, Bound{Value: uint64(1) << 63, Inclusive: true}, Bound{Value: uint64(1) << 63, Inclusive: true}, "[80-8000000000000001]"},
		{num, Bound{Value: x, Inclusive: true}, Bound{Value: uint64(1) << 63, Inclusive: true}, "[40-8000000000000001]"},
		{num, Bound{Value: uint64(math.MaxUint64)}, Bound{Unbounded: true}, "[]"},
		{num, Bound{Value: uint64(math.MaxUint64), Inclusive: true}, Bound{Unbounded: true}, "[ffffffffffffffff-]"},
		{num, Bound{Unbounded: true}, Bound{Value: int64(0)}, "[]"},
		{num, Bound{Unbounded: true}, Bound{Value: int64(-1), Inclusive: true}, "[]"},
		{num, Bound{Value: nil}, Bound{Unbounded: true}, "[]"},
		{num, Bound{Value: "5"}, Bound{Unbounded: true}, "[-]"},
		{bind(t, "binary", nil, 2).(RangeMapper), Bound{Value: "a", Inclusive: true}, Bound{Unbounded: true}, "[-]"},
		{bind(t, "binary", nil, 2).(RangeMapper), Bound{Value: []byte("a"), Inclusive: true}, Bound{Unbounded: true}, "[61-]"},
		{bind(t, "binary", nil, 2).(RangeMapper), Bound{Value: []byte("a")}, Bound{Value: "z"}, "[]"},
		{bind(t, "null", nil, 2).(RangeMapper), Bound{Value: int64(1)}, Bound{Unbounded: true}, "[-01]"},
		{bind(t, "range", map[string]string{"boundaries": "5"}, 2).(RangeMapper), Bound{Value: "x"}, Bound{Unbounded: true}, "[-]"},
		{bind(t, "range", map[string]string{"boundaries": "5"}, 2).(RangeMapper), Bound{Value: nil}, Bound{Unbounded: true}, "[]"},
		{bind(t, "range", map[string]string{"type": "decimal", "boundaries": "5"}, 2).(RangeMapper), Bound{Value: Decimal("4.99"), Inclusive: true}, Bound{Value: int64(5)}, "[-80]"},
		{bind(t, "range", map[string]string{"type": "decimal", "boundaries": "5"}, 2).(RangeMapper), Bound{Value: Decimal("4.99"), Inclusive: true}, Bound{Value: int64(5), Inclusive: true}, "[-80 80-]"},
	} {
		got, err := tt.v.MapRange(tt.lo, tt.hi)
		if err != nil || fmt.Sprint(got) != tt.want {
			t.Errorf("%+v..%+v: %v, %v, want %s", tt.lo, tt.hi, got, err, tt.want)
		}
	}
}
