package difftest

import (
	"strconv"
	"strings"
)

// from gives a FROM clause and its scope.
func (g *Gen) from(depth int) (string, *scope) {
	s := &scope{depth: depth}
	text, src := g.relation(depth)
	s.sources = []source{src}
	for range pick(g, 0, 0, 0, 1, 1, 2) {
		more, other := g.relation(depth + 1)
		if more == "" {
			continue
		}
		switch n := g.n(12); {
		case n == 0 && len(s.sources) == 1 && g.chance(50):
			// A comma binds less than JOIN, so that nothing may follow.
			s.sources = append(s.sources, other)
			return text + ", " + more, keyless(s)
		case n == 0 && len(s.sources) == 1:
			text += " CROSS JOIN " + more
		case n == 2 && g.chance(30) && len(s.sources) == 1 && src.of != nil && other.of != nil && natural(src, other):
			text += pick(g, " NATURAL JOIN ", " NATURAL LEFT JOIN ") + more
		case n == 1 && len(s.sources) == 1 && src.of != nil && other.of != nil && len(shared(src, other)) > 0:
			text += pick(g, " JOIN ", " LEFT JOIN ") + more + " USING (" + pick(g, shared(src, other)...) + ")"
		default:
			on := g.on(s, other)
			if on == "" {
				continue
			}
			join := pick(g, " JOIN ", " JOIN ", " JOIN ", " LEFT JOIN ", " LEFT JOIN ", " RIGHT JOIN ")
			text += join + more + " ON " + on
		}
		s.sources = append(s.sources, other)
	}
	return text, keyless(s)
}

// keyless forgets the keys of joined tables: an outer join's rows may lack any.
func keyless(s *scope) *scope {
	for i := range s.sources {
		if len(s.sources) > 1 {
			s.sources[i].key = nil
		}
	}
	return s
}

// shared lists the columns that two tables both have, as the same type.
func shared(a, b source) []string {
	var out []string
	for _, c := range a.cols {
		for _, d := range b.cols {
			if c.name == d.name && comparable2(found{column: c}, found{column: d}) {
				out = append(out, c.name)
			}
		}
	}
	return out
}

// natural says whether a natural join compares nothing that can't be.
func natural(a, b source) bool {
	n := 0
	for _, c := range a.cols {
		for _, d := range b.cols {
			if c.name == d.name {
				n++
				if !comparable2(found{column: c}, found{column: d}) {
					return false
				}
			}
		}
	}
	return n > 0
}

// relation gives a table, a view or a derived table.
func (g *Gen) relation(depth int) (string, source) {
	if depth < 2 && g.chance(12) {
		in := g.query(depth+1, nil)
		src := source{alias: g.name("d"), cols: in.cols}
		if len(in.total) > 0 && g.chance(30) {
			in.rest += " ORDER BY " + strings.Join(g.directed(in.total), ", ") + " LIMIT " + strconv.Itoa(1+g.n(6))
		}
		return "(" + in.text() + ") AS " + src.alias, src
	}
	src := g.sourceOf(pick(g, g.tables...))
	return src.of.name + " AS " + src.alias, src
}

// on gives a join condition, "" if the sides have nothing comparable.
func (g *Gen) on(s *scope, other source) string {
	right := (&scope{sources: []source{other}}).columns()
	left := (&scope{sources: s.sources}).columns()
	for range 8 {
		if len(left) == 0 || len(right) == 0 {
			break
		}
		a, b := pick(g, left...), pick(g, right...)
		// Keys are what programs join by.
		if g.chance(50) {
			a, b = left[0], right[0]
		}
		if !comparable2(a, b) || a.opaque || b.opaque {
			continue
		}
		text := a.sql + pick(g, " = ", " = ", " = ", " = ", " < ", " <=> ") + b.sql
		if g.chance(20) {
			text += " AND " + g.comparison(&scope{sources: append(s.sources[:len(s.sources):len(s.sources)], other)})
		}
		return text
	}
	return ""
}
