package sqlite

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// keyFunctions give what orders as a value's type does in MySQL.
var keyFunctions = []function{
	{"enum_key", []int{-1}, strict(enumKey)},
	{"set_key", []int{-1}, strict(setKey)},
	{"time_key", []int{1}, strict(timeKey)},
	{"time_of_key", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		s := span{d: time.Duration(a[0].Int64()) * time.Microsecond}
		s.frac = fracDigits(max(s.d, -s.d))
		c.ResultText(s.text())
	})},
	{"json_key", []int{1}, strict(jsonKey)},
}

// enumKey is a member's place in enum_key(value, member, …), 0 for no member.
func enumKey(ctx sqlite3.Context, arg ...sqlite3.Value) {
	word := arg[0].RawText()
	for i, m := range arg[1:] {
		if strings.EqualFold(string(word), string(m.RawText())) {
			ctx.ResultInt(i + 1)
			return
		}
	}
	ctx.ResultInt(0)
}

// setKey is the bits of a set's members in set_key(value, member, …).
func setKey(ctx sqlite3.Context, arg ...sqlite3.Value) {
	bits := int64(0)
	for _, word := range strings.Split(arg[0].Text(), ",") {
		for i, m := range arg[1:] {
			if strings.EqualFold(word, m.Text()) {
				bits |= 1 << i
			}
		}
	}
	ctx.ResultInt64(bits)
}

// timeKey is a TIME's length in microseconds; what is no time stays as it is.
func timeKey(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if s, ok := parseSpan(arg[0].Text()); ok {
		ctx.ResultInt64(int64(s.d / time.Microsecond))
		return
	}
	ctx.ResultValue(arg[0])
}

// jsonKey orders as MySQL orders JSON: null, numbers, text, objects, arrays,
// truth values; in SQLite's order, that is numbers, text, bytes.
func jsonKey(ctx sqlite3.Context, arg ...sqlite3.Value) {
	v, ok := decodeJSON(ctx, arg[0])
	if !ok {
		return
	}
	switch v := v.(type) {
	case nil:
		ctx.ResultFloat(-1.7976931348623157e308)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			ctx.ResultInt64(n)
			return
		}
		f, _ := v.Float64()
		ctx.ResultFloat(f)
	case string:
		ctx.ResultText(v)
	case map[string]any:
		ctx.ResultBlob(append([]byte{1}, arg[0].RawText()...))
	case []any:
		ctx.ResultBlob(append([]byte{2}, arg[0].RawText()...))
	case bool:
		n := byte(0)
		if v {
			n = 1
		}
		ctx.ResultBlob([]byte{3, n})
	}
}
