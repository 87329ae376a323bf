package postgres

import (
	"encoding/json"
	"maps"

	"github.com/vitessdo/vitessdo/sqlast"
)

// mostSets is how many grouping sets a query may have.
const mostSets = 256

// groupBy converts GROUP BY, with ROLLUP, CUBE and GROUPING SETS: several of them, and
// plain terms, stand for all that can be put together of a set of each.
func (c *conv) groupBy(s *sqlast.Select, n node) {
	list := n.list("groupClause")
	sets := [][]tree{nil}
	plain := true
	for _, g := range list {
		plain = plain && g.kind != "GroupingSet"
		more := c.setsOf(g)
		if len(sets)*len(more) > mostSets {
			c.refuse(g.at(), "more than 256 grouping sets", "unite several queries by UNION ALL")
		}
		var crossed [][]tree
		for _, a := range sets {
			for _, b := range more {
				crossed = append(crossed, append(append([]tree{}, a...), b...))
			}
		}
		sets = crossed
	}
	if plain {
		for _, g := range list {
			s.GroupBy = append(s.GroupBy, c.expr(g))
		}
		return
	}
	at := map[string]int{}
	for _, set := range sets {
		numbers := []int{}
		for _, t := range set {
			key := spelling(t)
			if _, known := at[key]; !known {
				at[key] = len(s.GroupBy)
				s.GroupBy = append(s.GroupBy, c.expr(t))
			}
			numbers = append(numbers, at[key])
		}
		s.Sets = append(s.Sets, numbers)
	}
	if s.Rollup = len(s.GroupBy) > 0; !s.Rollup {
		c.refuse(list[0].at(), "GROUPING SETS of nothing but ()", "leave GROUP BY out")
	}
}

// setsOf are the sets of terms that a member of GROUP BY stands for.
func (c *conv) setsOf(t tree) (out [][]tree) {
	switch t.kind {
	case "RowExpr":
		return [][]tree{t.list("args")}
	case "GroupingSet":
	default:
		return [][]tree{{t}}
	}
	content := t.list("content")
	join := func(some []tree) (set []tree) {
		for _, x := range some {
			set = append(set, c.setsOf(x)[0]...)
		}
		return set
	}
	switch t.str("kind") {
	case "GROUPING_SET_EMPTY":
		return [][]tree{nil}
	case "GROUPING_SET_ROLLUP":
		for n := len(content); n >= 0; n-- {
			out = append(out, join(content[:n]))
		}
	case "GROUPING_SET_CUBE":
		if len(content) > 8 {
			c.refuse(t.at(), "CUBE of more than 8 members", "name the sets by GROUPING SETS")
		}
		for bits := 1<<len(content) - 1; bits >= 0; bits-- {
			var some []tree
			for i, x := range content {
				if bits&(1<<(len(content)-1-i)) != 0 {
					some = append(some, x)
				}
			}
			out = append(out, join(some))
		}
	default:
		for _, x := range content {
			out = append(out, c.setsOf(x)...)
		}
	}
	return out
}

// spelling tells terms apart, wherever they stand in the text.
func spelling(t tree) string {
	text, _ := json.Marshal(map[string]any{t.kind: withoutPlaces(map[string]any(t.node))})
	return string(text)
}

func withoutPlaces(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		delete(out, "location")
		for k, inner := range out {
			out[k] = withoutPlaces(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = withoutPlaces(inner)
		}
		return out
	}
	return v
}
