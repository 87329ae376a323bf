package exec

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"strings"

	"github.com/vitessdo/vitessdo/route"
)

// rank orders SQLite's storage classes.
func rank(v any) int {
	switch v.(type) {
	case nil:
		return 0
	case int64, float64:
		return 1
	case string:
		return 2
	}
	return 3
}

// compare orders two values as SQLite does: NULL, numbers by their exact
// values, text by its bytes or with ASCII case folded, blobs by their bytes.
func compare(a, b any, noCase bool) int {
	switch x := a.(type) {
	case int64:
		switch y := b.(type) {
		case int64:
			return cmp.Compare(x, y)
		case float64:
			return compareIntFloat(x, y)
		}
	case string:
		if y, ok := b.(string); ok {
			if noCase {
				return compareNoCase(x, y)
			}
			return strings.Compare(x, y)
		}
	case float64:
		switch y := b.(type) {
		case float64:
			return cmp.Compare(x, y)
		case int64:
			return -compareIntFloat(y, x)
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Compare(x, y)
		}
	}
	return rank(a) - rank(b)
}

// compareIntFloat compares exactly, also where an int64 has no float64.
func compareIntFloat(i int64, f float64) int {
	const two63 = 9223372036854775808.0
	switch {
	case f >= two63:
		return -1
	case f < -two63:
		return 1
	}
	t := int64(f)
	return cmp.Or(cmp.Compare(i, t), cmp.Compare(0, f-float64(t)))
}

func fold(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// compareNoCase is SQLite's NOCASE, which, like it, doesn't look behind a NUL
// byte that both have at one place, except at the length.
func compareNoCase(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		x, y := fold(a[i]), fold(b[i])
		if x != y {
			return int(x) - int(y)
		}
		if x == 0 {
			break
		}
	}
	return len(a) - len(b)
}

// compareRows orders rows by the sort keys.
func compareRows(a, b []any, keys []route.SortKey) int {
	for i := range keys {
		k := &keys[i]
		if c := compare(a[k.Col], b[k.Col], k.NoCase); c != 0 {
			if k.Desc != (k.NullsAside && (a[k.Col] == nil || b[k.Col] == nil)) {
				return -c
			}
			return c
		}
	}
	return 0
}

// appendKey appends an encoding of the row's key columns to dst that is the
// same for rows whose keys are equal, and for no others.
func appendKey(dst []byte, row []any, keys []route.SortKey) []byte {
	for i := range keys {
		dst = appendValue(dst, row[keys[i].Col], keys[i].NoCase)
	}
	return dst
}

func appendValue(dst []byte, v any, noCase bool) []byte {
	switch v := v.(type) {
	case int64:
		return binary.BigEndian.AppendUint64(append(dst, 'i'), uint64(v))
	case float64:
		// An integral float equals the integer.
		if v >= -(1<<63) && v < 1<<63 && v == math.Trunc(v) {
			return binary.BigEndian.AppendUint64(append(dst, 'i'), uint64(int64(v)))
		}
		return binary.BigEndian.AppendUint64(append(dst, 'f'), math.Float64bits(v))
	case string:
		dst = binary.AppendUvarint(append(dst, 't'), uint64(len(v)))
		if !noCase {
			return append(dst, v...)
		}
		end := false
		for i := range len(v) {
			c := fold(v[i])
			if end = end || c == 0; end {
				c = 0
			}
			dst = append(dst, c)
		}
		return dst
	case []byte:
		dst = binary.AppendUvarint(append(dst, 'b'), uint64(len(v)))
		return append(dst, v...)
	}
	return append(dst, 'n')
}

// sizeOf estimates what keeping a value costs, in bytes.
func sizeOf(v any) int64 {
	switch v := v.(type) {
	case string:
		return int64(len(v)) + 32
	case []byte:
		return int64(len(v)) + 40
	}
	return 24
}

func rowSize(row []any) int64 {
	n := int64(0)
	for _, v := range row {
		n += sizeOf(v)
	}
	return n
}

// keep copies a row whose blobs are valid for a while only.
func keep(row []any) []any {
	out := make([]any, len(row))
	for i, v := range row {
		out[i] = keepValue(v)
	}
	return out
}

func keepValue(v any) any {
	if b, ok := v.([]byte); ok {
		return append(make([]byte, 0, len(b)), b...)
	}
	return v
}
