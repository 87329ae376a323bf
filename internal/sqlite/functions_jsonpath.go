package sqlite

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode"
)

// legKind is what a step of a JSON path selects.
type legKind uint8

const (
	legKey legKind = iota
	legAnyKey
	legIndex
	legRange
	legAnyIndex
	legBelow // **: the value and all below it
)

// leg is one step of a JSON path. An index counts from the end, 0 being the
// last element, where fromEnd says so.
type leg struct {
	kind           legKind
	key            string
	from, to       int
	fromEnd, toEnd bool
}

// jsonPath is MySQL's: $.key, $."a key", $.*, $[n], $[last-n], $[m to n], $[*], $**.
type jsonPath struct {
	legs []leg
	many bool // it may select several values
}

func parsePath(s string) (p jsonPath, err error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "$")
	for ok {
		rest = strings.TrimLeft(rest, " ")
		if rest == "" {
			if n := len(p.legs); n > 0 && p.legs[n-1].kind == legBelow {
				break
			}
			return p, nil
		}
		var l leg
		switch {
		case strings.HasPrefix(rest, "**"):
			l, rest = leg{kind: legBelow}, rest[2:]
		case rest[0] == '.':
			l, rest, ok = keyLeg(strings.TrimLeft(rest[1:], " "))
		case rest[0] == '[':
			l, rest, ok = indexLeg(rest[1:])
		default:
			ok = false
		}
		p.legs = append(p.legs, l)
		p.many = p.many || l.kind != legKey && l.kind != legIndex
	}
	return p, fmt.Errorf("invalid JSON path expression %q", s)
}

func keyLeg(s string) (l leg, rest string, ok bool) {
	if strings.HasPrefix(s, "*") {
		return leg{kind: legAnyKey}, s[1:], true
	}
	if strings.HasPrefix(s, `"`) {
		end := 1
		for end < len(s) && s[end] != '"' {
			if s[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(s) {
			return l, s, false
		}
		key, err := strconv.Unquote(s[:end+1])
		return leg{kind: legKey, key: key}, s[end+1:], err == nil
	}
	end := strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if end < 0 {
		end = len(s)
	}
	return leg{kind: legKey, key: s[:end]}, s[end:], end > 0
}

func indexLeg(s string) (l leg, rest string, ok bool) {
	inner, rest, ok := strings.Cut(s, "]")
	if !ok {
		return l, s, false
	}
	inner = strings.TrimSpace(inner)
	if inner == "*" {
		return leg{kind: legAnyIndex}, rest, true
	}
	from, to, isRange := strings.Cut(inner, " to ")
	if l.from, l.fromEnd, ok = pathIndex(from); !ok {
		return l, rest, false
	}
	if l.kind = legIndex; isRange {
		l.kind = legRange
		l.to, l.toEnd, ok = pathIndex(to)
	}
	return l, rest, ok
}

func pathIndex(s string) (n int, fromEnd, ok bool) {
	s = strings.TrimSpace(s)
	if s, fromEnd = strings.CutPrefix(s, "last"); fromEnd {
		s = strings.TrimSpace(s)
		if s == "" {
			return 0, true, true
		}
		if s, ok = strings.CutPrefix(s, "-"); !ok {
			return 0, true, false
		}
	}
	n, err := strconv.Atoi(strings.TrimSpace(s))
	return n, fromEnd, err == nil && n >= 0
}

// at gives the place that an index means among n elements; it may lie outside.
func at(i int, fromEnd bool, n int) int {
	if fromEnd {
		return n - 1 - i
	}
	return i
}

// visit calls f for every value that the legs select in v, with the path to it.
func visit(v any, legs []leg, path string, f func(v any, path string)) {
	if len(legs) == 0 {
		f(v, path)
		return
	}
	l, rest := legs[0], legs[1:]
	object, _ := v.(map[string]any)
	array, isArray := v.([]any)
	switch l.kind {
	case legKey:
		if m, ok := object[l.key]; ok {
			visit(m, rest, path+pathKey(l.key), f)
		}
	case legAnyKey:
		for _, k := range sortedKeys(object) {
			visit(object[k], rest, path+pathKey(k), f)
		}
	case legBelow:
		visitBelow(v, rest, path, f)
	default:
		if !isArray {
			// A value that is no array counts as an array of itself.
			if l.kind != legAnyIndex && l.covers(0, 1) {
				visit(v, rest, path, f)
			}
			return
		}
		for i, m := range array {
			if l.covers(i, len(array)) {
				visit(m, rest, path+"["+strconv.Itoa(i)+"]", f)
			}
		}
	}
}

func (l leg) covers(i, n int) bool {
	switch l.kind {
	case legIndex:
		return i == at(l.from, l.fromEnd, n)
	case legRange:
		return i >= at(l.from, l.fromEnd, n) && i <= at(l.to, l.toEnd, n)
	}
	return l.kind == legAnyIndex
}

func visitBelow(v any, rest []leg, path string, f func(any, string)) {
	visit(v, rest, path, f)
	switch v := v.(type) {
	case []any:
		for i, m := range v {
			visitBelow(m, rest, path+"["+strconv.Itoa(i)+"]", f)
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			visitBelow(v[k], rest, path+pathKey(k), f)
		}
	}
}

// sortedKeys are in MySQL's order: shorter ones first.
func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := keys[i], keys[j]
		return len(a) < len(b) || len(a) == len(b) && a < b
	})
	return keys
}

func pathKey(k string) string {
	for i, r := range k {
		if r != '_' && r != '$' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return "." + strconv.Quote(k)
		}
	}
	if k == "" {
		return `.""`
	}
	return "." + k
}

// edit puts what change makes of the value at legs into v. change gets whether
// there was a value, and says whether its result is to be kept; a place behind
// an array's end is a new element, and one that can't be is left alone.
func edit(v any, legs []leg, change func(old any, exists bool) (any, bool)) any {
	if len(legs) == 0 {
		if n, ok := change(v, true); ok {
			return n
		}
		return v
	}
	l := legs[0]
	switch l.kind {
	case legKey:
		object, ok := v.(map[string]any)
		if !ok {
			return v
		}
		if m, ok := object[l.key]; ok {
			object[l.key] = edit(m, legs[1:], change)
		} else if len(legs) == 1 {
			if n, ok := change(nil, false); ok {
				object[l.key] = n
			}
		}
	case legIndex:
		array, ok := v.([]any)
		if !ok {
			array = []any{v}
		}
		i := at(l.from, l.fromEnd, len(array))
		switch {
		case i >= 0 && i < len(array):
			array[i] = edit(array[i], legs[1:], change)
			if !ok {
				return array[0]
			}
		case len(legs) == 1:
			n, keep := change(nil, false)
			if !keep {
				return v
			}
			if i < 0 {
				return append([]any{n}, array...)
			}
			return append(array, n)
		}
	}
	return v
}
