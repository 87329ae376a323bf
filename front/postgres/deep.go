package postgres

import "strings"

// The parser's machine has a small stack, and a tree that is too deep for it makes it
// fail, or never come back. A level of the tree takes a share of it that hangs on what
// the level is; these are in the shares of an operator, of which there is room for 600,
// measured by nesting each until the machine failed.
const (
	deepest      = 500
	bracketShare = 4
	caseShare    = 5
)

// shares are those of the words that make a tree deeper, a half of it each time they
// follow each other: a IS NULL IS NULL, a JOIN b JOIN c. AND and OR don't: the parser
// makes lists of them.
var shares = map[string]int{
	"CASE": caseShare, "NOT": 1, "COLLATE": 1, "UNION": 1, "INTERSECT": 1, "EXCEPT": 1, "JOIN": 2,
	"IS": 3, "ISNULL": 3, "NOTNULL": 3, "AT": 3, "BETWEEN": 3, "LIKE": 3, "ILIKE": 3, "SIMILAR": 3, "IN": 3, "OVERLAPS": 3, "OPERATOR": 3,
}

// level is what is between two brackets.
type level struct {
	own   int // share of what stands between two commas
	below int // the most that a pair of brackets in it takes
}

// tooDeep is where the tree of a text would be too deep; -1 where it isn't. It counts
// more than there is: what stands between two commas, as if all of it was nested.
func tooDeep(text string) int {
	open := []level{{}}
	above := 0 // share of the levels around the innermost one
	words := lexer{text: text}
	for {
		t := words.next()
		in := &open[len(open)-1]
		switch t.kind {
		case end:
			return -1
		case opening:
			above += in.own + bracketShare
			open = append(open, level{})
			in = &open[len(open)-1]
		case closing:
			if len(open) == 1 {
				continue // the parser will say so
			}
			took := in.own + in.below + bracketShare
			open = open[:len(open)-1]
			in = &open[len(open)-1]
			above -= in.own + bracketShare
			in.below = max(in.below, took)
		case separator:
			in.below, in.own = max(in.below, in.own), 0
			continue
		case operator:
			in.own++
		case word:
			in.own += shares[strings.ToUpper(text[t.start:t.end])]
		}
		if above+in.own+in.below > deepest {
			return t.start
		}
	}
}
