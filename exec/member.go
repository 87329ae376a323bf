package exec

import (
	"strings"
)

// bitsOf is a value as a BIT column keeps it: a number, of bytes the one that
// they spell, as b'101' does.
func bitsOf(v any) any {
	b, ok := v.([]byte)
	if !ok || len(b) > 8 || len(b) == 8 && b[0] >= 0x80 {
		return v
	}
	n := int64(0)
	for _, c := range b {
		n = n<<8 | int64(c)
	}
	return n
}

// setOf spells a SET column's value with its members in the order of the
// column's definition, each once. What holds others than the column's members
// stays as it is, and so does a number.
func setOf(v any, members []string) any {
	var text string
	switch x := v.(type) {
	case string:
		text = x
	case []byte:
		text = string(x)
	default:
		return v
	}
	if !strings.Contains(text, ",") {
		return text
	}
	has := make([]bool, len(members))
	for _, word := range strings.Split(text, ",") {
		found := false
		for i, m := range members {
			if strings.EqualFold(m, word) {
				has[i], found = true, true
			}
		}
		if !found {
			return text
		}
	}
	var out []string
	for i, m := range members {
		if has[i] {
			out = append(out, m)
		}
	}
	return strings.Join(out, ",")
}
