package front

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Simultaneous brings a SET list, all of whose expressions mean the row as it was,
// into an order in which MySQL's assignments, one after the other, do the same: a
// column is assigned after all that read it. It returns false where none exists, as
// for SET a = b, b = a.
func Simultaneous(set []sqlast.Assignment) bool {
	reads := make([]map[string]bool, len(set))
	for i, a := range set {
		reads[i] = map[string]bool{}
		sqlast.WalkDeep(a.Expr, func(x sqlast.Expr) bool {
			if c, ok := x.(*sqlast.Col); ok {
				reads[i][strings.ToLower(c.Name)] = true
			}
			return true
		})
	}
	left := make([]int, len(set))
	for i := range left {
		left[i] = i
	}
	out := make([]sqlast.Assignment, 0, len(set))
	for len(left) > 0 {
		next := -1
		for k, i := range left {
			if !readBy(strings.ToLower(set[i].Col.Name), i, left, reads) {
				next = k
				break
			}
		}
		if next < 0 {
			return false
		}
		out = append(out, set[left[next]])
		left = append(left[:next:next], left[next+1:]...)
	}
	copy(set, out)
	return true
}

// readBy says whether another assignment than i, of those left, reads the column.
func readBy(name string, i int, left []int, reads []map[string]bool) bool {
	for _, k := range left {
		if k != i && reads[k][name] {
			return true
		}
	}
	return false
}
