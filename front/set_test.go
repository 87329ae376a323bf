package front

import (
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/sqlast"
)

// TestSimultaneous: what is read is assigned last.
func TestSimultaneous(t *testing.T) {
	for list, want := range map[string]string{
		"a=a":                 "a",
		"a=x b=y":             "a b",
		"a=b b=x":             "a b",
		"b=x a=b":             "a b",
		"a=b b=c c=x":         "a b c",
		"c=x b=c a=b":         "a b c",
		"a=b b=a":             "no order",
		"x=a a=b b=c c=a d=d": "no order",
	} {
		var set []sqlast.Assignment
		for _, f := range strings.Fields(list) {
			set = append(set, sqlast.Assignment{Col: &sqlast.Col{Name: f[:1]}, Expr: Call("ABS", &sqlast.Col{Name: strings.ToUpper(f[2:])})})
		}
		got := "no order"
		if Simultaneous(set) {
			var names []string
			for _, s := range set {
				names = append(names, s.Col.Name)
			}
			got = strings.Join(names, " ")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", list, got, want)
		}
	}
}
