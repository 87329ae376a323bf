package front

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Directives reads the /*vt+ K=V … */ comments in front of the first string, behind
// which one may be a part of it.
func Directives(text string) sqlast.Directives {
	var out sqlast.Directives
	for rest := text; ; {
		before, body, ok := strings.Cut(rest, "/*vt+")
		if !ok || strings.Contains(before, "'") {
			return out
		}
		if body, rest, ok = strings.Cut(body, "*/"); !ok {
			return out
		}
		for _, f := range strings.Fields(body) {
			k, v, _ := strings.Cut(f, "=")
			if out == nil {
				out = sqlast.Directives{}
			}
			out[strings.ToUpper(k)] = strings.Trim(v, `"'`)
		}
	}
}
