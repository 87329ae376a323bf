package sqlite

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

var jsonFunctions = []function{
	{"json_contains", []int{2}, strict(jsonContains)},
	{"json_overlaps", []int{2}, strict(jsonOverlaps)},
	{"json_length", []int{1}, strict(jsonLength)},
	{"json_keys", []int{1}, strict(jsonKeys)},
	{"json_depth", []int{1}, strict(jsonDepth)},
	{"json_unquote", []int{1}, strict(jsonUnquote)},
	{"json_merge_preserve", []int{-1}, strict(jsonMergePreserve)},
}

// jsonSubtype marks a text result as JSON for SQLite's own JSON functions.
const jsonSubtype = 'J'

func decodeJSON(ctx sqlite3.Context, v sqlite3.Value) (any, bool) {
	out, err := readJSON(v.RawText())
	if err != nil {
		ctx.ResultError(err)
		return nil, false
	}
	return out, true
}

// readJSON reads a whole document.
func readJSON(b []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err = d.Decode(&v); err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = &json.SyntaxError{Offset: d.InputOffset()}
		}
	}
	return v, err
}

func decodeTwo(ctx sqlite3.Context, arg []sqlite3.Value) (a, b any, ok bool) {
	if a, ok = decodeJSON(ctx, arg[0]); ok {
		b, ok = decodeJSON(ctx, arg[1])
	}
	return a, b, ok
}

func resultJSON(ctx sqlite3.Context, v any) {
	text, err := writeJSON(v)
	if err != nil {
		ctx.ResultError(err)
		return
	}
	ctx.ResultText(text)
	ctx.ResultSubtype(jsonSubtype)
}

func writeJSON(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func jsonContains(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if target, candidate, ok := decodeTwo(ctx, arg); ok {
		ctx.ResultBool(contains(target, candidate))
	}
}

// contains follows MySQL: an array contains a scalar that one of its members
// contains, and an array whose members it contains all; an object contains an
// object whose keys it has with values that contain.
func contains(target, candidate any) bool {
	switch t := target.(type) {
	case []any:
		if c, ok := candidate.([]any); ok {
			for _, x := range c {
				if !contains(t, x) {
					return false
				}
			}
			return true
		}
		for _, m := range t {
			if contains(m, candidate) {
				return true
			}
		}
		return false
	case map[string]any:
		c, ok := candidate.(map[string]any)
		if !ok {
			return false
		}
		for k, v := range c {
			own, ok := t[k]
			if !ok || !contains(own, v) {
				return false
			}
		}
		return true
	}
	return jsonEqual(target, candidate)
}

func jsonEqual(a, b any) bool {
	switch x := a.(type) {
	case json.Number:
		y, ok := b.(json.Number)
		if !ok {
			return false
		}
		if x == y {
			return true
		}
		f, err1 := x.Float64()
		g, err2 := y.Float64()
		return err1 == nil && err2 == nil && f == g
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !jsonEqual(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !jsonEqual(v, w) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case []any, map[string]any:
		return false
	}
	return a == b
}

func jsonOverlaps(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if a, b, ok := decodeTwo(ctx, arg); ok {
		ctx.ResultBool(overlaps(a, b))
	}
}

func overlaps(a, b any) bool {
	x, isArray := a.([]any)
	y, otherArray := b.([]any)
	if isArray || otherArray {
		if !isArray {
			x = []any{a}
		}
		if !otherArray {
			y = []any{b}
		}
		for _, m := range x {
			for _, n := range y {
				if jsonEqual(m, n) {
					return true
				}
			}
		}
		return false
	}
	m, isMap := a.(map[string]any)
	n, otherMap := b.(map[string]any)
	if !isMap || !otherMap {
		return jsonEqual(a, b)
	}
	for k, v := range m {
		if w, ok := n[k]; ok && jsonEqual(v, w) {
			return true
		}
	}
	return false
}

func jsonLength(ctx sqlite3.Context, arg ...sqlite3.Value) {
	doc, ok := decodeJSON(ctx, arg[0])
	if !ok {
		return
	}
	switch d := doc.(type) {
	case []any:
		ctx.ResultInt(len(d))
	case map[string]any:
		ctx.ResultInt(len(d))
	default:
		ctx.ResultInt(1)
	}
}

// jsonKeys keeps the document's order.
func jsonKeys(ctx sqlite3.Context, arg ...sqlite3.Value) {
	doc, ok := decodeJSON(ctx, arg[0])
	if !ok {
		return
	}
	if _, ok := doc.(map[string]any); !ok {
		return
	}
	d := json.NewDecoder(bytes.NewReader(arg[0].RawText()))
	keys, seen := []string{}, map[string]bool{}
	_, _ = d.Token() // the opening brace
	for d.More() {
		k, err := d.Token()
		if err != nil {
			break
		}
		name, _ := k.(string)
		if !seen[name] {
			seen[name] = true
			keys = append(keys, name)
		}
		var skip json.RawMessage
		if d.Decode(&skip) != nil {
			break
		}
	}
	resultJSON(ctx, keys)
}

func jsonDepth(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if doc, ok := decodeJSON(ctx, arg[0]); ok {
		ctx.ResultInt(depth(doc))
	}
}

func depth(v any) int {
	deepest := 0
	switch x := v.(type) {
	case []any:
		for _, m := range x {
			deepest = max(deepest, depth(m))
		}
	case map[string]any:
		for _, m := range x {
			deepest = max(deepest, depth(m))
		}
	}
	return deepest + 1
}

// jsonUnquote takes the quotes off a JSON string, and leaves all else.
func jsonUnquote(ctx sqlite3.Context, arg ...sqlite3.Value) {
	text := arg[0].Text()
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		var s string
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			ctx.ResultError(err)
			return
		}
		text = s
	}
	ctx.ResultText(text)
}

func jsonMergePreserve(ctx sqlite3.Context, arg ...sqlite3.Value) {
	var merged any
	for i, a := range arg {
		doc, ok := decodeJSON(ctx, a)
		if !ok {
			return
		}
		if i == 0 {
			merged = doc
		} else {
			merged = mergePreserve(merged, doc)
		}
	}
	resultJSON(ctx, merged)
}

func mergePreserve(a, b any) any {
	x, ok1 := a.(map[string]any)
	y, ok2 := b.(map[string]any)
	if ok1 && ok2 {
		for k, v := range y {
			if own, ok := x[k]; ok {
				x[k] = mergePreserve(own, v)
			} else {
				x[k] = v
			}
		}
		return x
	}
	return append(asArray(a), asArray(b)...)
}

func asArray(v any) []any {
	if a, ok := v.([]any); ok {
		return a
	}
	return []any{v}
}
