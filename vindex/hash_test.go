package vindex

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestEqualValuesShareAnID: spellings of one number have one keyspace ID.
func TestEqualValuesShareAnID(t *testing.T) {
	classes := [][]any{
		{int64(3), 3.0, Decimal("3"), Decimal("3.0"), Decimal("+3e0"), uint64(3)},
		{int64(-7), -7.0, Decimal("-7.00")},
		{1.1, Decimal("1.1"), Decimal("1.10"), Decimal("11e-1")},
		{int64(0), 0.0, math.Copysign(0, -1), Decimal("-0.0"), false},
		{1e300, Decimal("1e300")},
	}
	for _, typ := range []string{"hash", "xxh3", "consistent_hash"} {
		v := bind(t, typ, nil, 4).(SingleColumn)
		for _, class := range classes {
			want, err := v.Map(nil, class[0])
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range class[1:] {
				if got, err := v.Map(nil, value); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %T %v gives %x, %v, but %T %v gives %x", typ, value, value, got, err, class[0], class[0], want)
				}
			}
		}
	}
	// hash treats text of a number as the number.
	v := bind(t, "hash", nil, 4).(SingleColumn)
	want, _ := v.Map(nil, int64(-12))
	for _, text := range []any{"-12", " -12", "-12.0", []byte("-12")} {
		if got, _ := v.Map(nil, text); !bytes.Equal(got, want) {
			t.Errorf("hash of %q is %x, want %x", text, got, want)
		}
	}
}

func TestXXH3Vectors(t *testing.T) {
	// XXH3_64bits with seed 0, from the reference implementation: the empty
	// input is its published check value.
	v := bind(t, "xxh3", nil, 1).(SingleColumn)
	if got, err := v.Map(nil, ""); err != nil || fmt.Sprintf("%x", got) != "2d06800538d394c2" {
		t.Errorf("xxh3 of nothing: %x, %v", got, err)
	}
	a, _ := v.Map(nil, int64(42))
	b, _ := v.Map(nil, "42")
	if !bytes.Equal(a, b) {
		t.Errorf("xxh3 of 42: %x, of its text: %x", a, b)
	}
}

func TestNullHasAPlace(t *testing.T) {
	ranges := EvenRanges(4)
	params := map[string]map[string]string{
		"numeric_static_map":  {"json": `{"1":2}`},
		"range":               {"boundaries": "1"},
		"multicol":            {"column_count": "2"},
		"region_experimental": {"region_bytes": "1"},
		"region_json":         {"region_bytes": "1", "region_map": `{"nl": 1}`},
	}
	for _, typ := range Types() {
		v := bind(t, typ, params[typ], 4)
		vs := []any{nil}
		if m, ok := v.(MultiColumn); ok {
			vs = make([]any, m.Columns())
		}
		id, err := mapAll(v, vs)
		if err != nil || Locate(ranges, id) < 0 {
			t.Errorf("%s: NULL has %x, %v", typ, id, err)
		}
		again, _ := mapAll(v, vs)
		if !bytes.Equal(id, again) {
			t.Errorf("%s: NULL has %x, then %x", typ, id, again)
		}
	}
}

func TestMapDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 64)
	values := []any{int64(123456789), "alice@example.com", []byte("alice@example.com"), 2.5}
	for _, typ := range []string{"hash", "xxhash", "xxh3", "consistent_hash", "binary", "binary_md5"} {
		v := bind(t, typ, nil, 16).(SingleColumn)
		for _, value := range values {
			if n := testing.AllocsPerRun(100, func() { v.Map(dst, value) }); n != 0 {
				t.Errorf("%s of %T allocates %v times", typ, value, n)
			}
		}
	}
	for _, typ := range []string{"numeric", "reverse_bits"} {
		v := bind(t, typ, nil, 16).(SingleColumn)
		for _, value := range []any{int64(5), "5", []byte("5")} {
			if n := testing.AllocsPerRun(100, func() { v.Map(dst, value) }); n != 0 {
				t.Errorf("%s of %T allocates %v times", typ, value, n)
			}
		}
	}
}

func TestNewErrors(t *testing.T) {
	for _, tt := range []struct {
		typ    string
		params map[string]string
		want   string
	}{
		{"hsh", nil, `did you mean "hash"`},
		{"consistent-hash", nil, `did you mean "consistent_hash"`},
		{"completely_else", nil, "known types are binary, "},
		{"hash", map[string]string{"x": "1"}, "takes no parameters"},
		{"consistent_hash", map[string]string{"virtual_node": "1"}, `did you mean "virtual_nodes"`},
		{"consistent_hash", map[string]string{"virtual_nodes": "0"}, "from 1 to"},
		{"numeric_static_map", nil, "json_path"},
		{"numeric_static_map", map[string]string{"json": "{\"a\":1}"}, "unsigned"},
		{"numeric_static_map", map[string]string{"json": "[]"}, "object"},
		{"numeric_static_map", map[string]string{"json": "{}", "fallback_type": "null"}, "can't be used inside"},
		{"numeric_static_map", map[string]string{"json": "{}", "fallback_type": "xxhsh"}, `did you mean "xxhash"`},
		{"numeric_static_map", map[string]string{"json_path": "testdata/none.json"}, "can't read"},
		{"cfc", map[string]string{"hash": "md5"}, "offsets"},
		{"cfc", map[string]string{"hash": "md5", "offsets": "[4,2]"}, "ascending"},
		{"cfc", map[string]string{"hash": "sha", "offsets": "[2]"}, "md5, xxhash64"},
		{"multicol", nil, "column_count"},
		{"multicol", map[string]string{"column_count": "9"}, "from 1 to 8"},
		{"multicol", map[string]string{"column_count": "2", "column_bytes": "8"}, "leaves 0 bytes for 1"},
		{"multicol", map[string]string{"column_count": "2", "column_bytes": "5,4"}, "must fit 8"},
		{"multicol", map[string]string{"column_count": "2", "column_vindex": "hash,consistent_hash"}, "can't be used inside"},
		{"multicol", map[string]string{"column_count": "2", "column_byte": "1"}, `did you mean "column_bytes"`},
		{"region_experimental", nil, "1 or 2"},
		{"region_json", map[string]string{"region_bytes": "1", "region_map": `{"nl": 256}`}, "doesn't fit"},
	} {
		v, err := New(tt.typ, "v", tt.params)
		if err == nil || v != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%s, %v): %v, want %q", tt.typ, tt.params, err, tt.want)
		}
	}
}

func TestRegionJSON(t *testing.T) {
	v := bind(t, "region_json", map[string]string{"region_bytes": "2", "region_map": `{"nl": 258, "us": 1}`}, 1).(MultiColumn)
	for country, want := range map[string]string{"nl": "0102166b40b44aba4bd6", "us": "0001166b40b44aba4bd6"} {
		if got, err := v.MapMulti(nil, []any{int64(1), country}); err != nil || fmt.Sprintf("%x", got) != want {
			t.Errorf("%s: %x, %v", country, got, err)
		}
	}
	if _, err := v.MapMulti(nil, []any{int64(1), "xx"}); !errors.Is(err, ErrNoDestination) || !strings.Contains(err.Error(), `"xx"`) {
		t.Errorf("unknown country: %v", err)
	}
}

func TestCFCPrefix(t *testing.T) {
	hashed := bind(t, "cfc", map[string]string{"hash": "md5", "offsets": "[2,4]"}, 1)
	plain := bind(t, "cfc", nil, 1)
	for _, tt := range []struct {
		v            Vindex
		prefix, want string
	}{
		{plain, "ab", "6162-6163"}, {plain, "", "-"}, {plain, "a\xff", "61ff-62"}, {plain, "\xff", "ff-"},
		{hashed, "a", "-"}, {hashed, "ab", "187e-187f"}, {hashed, "abc", "187e-187f"}, {hashed, "abcd", "187e6865-187e6866"}, {hashed, "abcdef", "187e6865-187e6866"},
	} {
		r, err := tt.v.(PrefixMapper).MapLikePrefix([]byte(tt.prefix))
		if err != nil || r.String() != tt.want {
			t.Errorf("%q: %s, %v, want %s", tt.prefix, r, err, tt.want)
		}
		id, err := tt.v.(SingleColumn).Map(nil, tt.prefix+"wxyz")
		if err != nil || !r.Contains(id) {
			t.Errorf("%q: %s lacks %x, %v", tt.prefix, r, id, err)
		}
	}
}

func TestValueErrorNamesItsValue(t *testing.T) {
	v := bind(t, "numeric", nil, 1).(SingleColumn)
	blob := []byte("abc")
	_, err := v.Map(nil, blob)
	blob[0] = 'x'
	if want := `vindex "v" of type numeric can't map blob x'616263': `; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := v.Map(nil, strings.Repeat("x", 1000)); len(err.Error()) > 250 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}
