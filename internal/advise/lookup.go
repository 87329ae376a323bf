package advise

import (
	"maps"
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// addLookups adds lookup vindexes on columns that statements compare, one or two at
// once, as long as what they save reading is more than what they cost writing.
func (s *search) addLookups(l layout, least float64) layout {
	for {
		var best *layout
		for _, t := range s.tables {
			if h := l.homes[t.key]; h.column == "" && h.given == "" {
				continue
			}
			for _, x := range s.lookups(t, l) {
				next := layout{homes: l.homes, lookups: append(slices.Clone(l.lookups), x)}
				if cost := s.cost(next); cost < least*0.99 && least-cost >= leastSaved {
					best, least = &next, cost
				}
			}
		}
		if best == nil {
			return l
		}
		l = *best
	}
}

// leastSaved is how many requests a lookup vindex saves at least: what was run a few
// times is no reason for a table more.
const leastSaved = 20

// lookups are those that a table may get in addition.
func (s *search) lookups(t *table, l layout) (out []lookup) {
	key := []string{l.homes[t.key].column}
	if l.homes[t.key].given != "" {
		key = t.given.columns
	}
	usable := func(c string) bool {
		def := t.def.Column(c)
		return columnVindex(def) != "" && def.Type.Name != "TEXT" && def.Type.Class != sqlast.ClassBlob
	}
	add := func(columns ...string) {
		led := slices.ContainsFunc(columns, func(c string) bool { return len(key) == 1 && c == key[0] }) // to one shard
		if x := lookupOn(t.def, columns...); !led && !slices.ContainsFunc(columns, func(c string) bool { return !usable(c) }) && !slices.Contains(l.lookups, x) {
			out = append(out, x)
		}
	}
	for _, c := range slices.Sorted(maps.Keys(s.uses[t.key])) {
		if s.spreads(t, c) { // the rows of few values are on all shards
			add(c)
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(s.pairs[t.key]), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		if !s.spreads(t, p[0]) || !s.spreads(t, p[1]) || !selective(t.def, p[0]) && !selective(t.def, p[1]) {
			add(p[0], p[1])
		}
	}
	return out
}
