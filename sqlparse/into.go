package sqlparse

import (
	"slices"
	"strings"
)

// selectInto takes INTO @a, @b out of a query, wherever MySQL allows it, and
// refuses files.
func (s *scan) selectInto(lo, hi int, first string) {
	depth := 0
	for i := lo; i+1 < hi; i++ {
		switch {
		case s.is(i, "("):
			depth++
		case s.is(i, ")"):
			depth--
		case s.kw(i, "INTO") && (s.kw(i+1, "OUTFILE") || s.kw(i+1, "DUMPFILE")):
			s.refuse(i, "SELECT … INTO "+s.upper(i+1))
		case s.kw(i, "INTO") && s.toks[i+1].kind == tokVar:
			if depth > 0 || s.into != nil || first != "SELECT" && first != "WITH" && first != "VALUES" && first != "TABLE" {
				s.refuse(i, "INTO a variable in a nested query or a write")
			}
			s.intoVars(i, hi)
		}
	}
}

// intoVars reads the variables behind the INTO at token i, and cuts them off.
func (s *scan) intoVars(i, hi int) {
	c := &cursor{scan: s, i: i + 1, hi: hi}
	for {
		if c.done() || s.toks[c.i].kind != tokVar || strings.HasPrefix(c.word(c.i), "@@") {
			c.stop("a user variable was expected")
		}
		s.into = append(s.into, strings.ToLower(c.userVar()))
		if !c.takeOp(",") {
			break
		}
	}
	s.replace(int(s.toks[i].start), int(s.toks[c.i-1].end), " ")
	slices.SortStableFunc(s.edits, func(a, b edit) int { return a.start - b.start })
}
