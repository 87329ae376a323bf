package sqlast

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Statement is what a front end makes of a text.
type Statement struct {
	Stmt Stmt
	// Text is the statement's own text, without surrounding white space and
	// semicolons.
	Text string
	// Params is the number of arguments that the statement takes.
	Params int
	// ParamNames holds the name of argument i, "" for a positional one; it is
	// nil where all are positional. A name used twice is one argument.
	ParamNames []string
	// Repeats: an argument stands in several places, as $1 may.
	Repeats bool
	// Lists are the arguments that are lists: each member is a parameter of its own,
	// behind the Params, in the order of Lists.
	Lists []ListParam
	// Directives are those of /*vt+ K=V */ comments, keys in upper case; a key
	// without value has "". They stand on the query, insert, update or delete
	// too.
	Directives Directives
	// Steps run before Stmt, in one transaction with it.
	Steps []Step
	// Into names the user variables that SELECT … INTO @a, @b sets, without @.
	Into []string
}

// Step is a statement that runs before another one, which may read the rows that it gives
// as a table of information_schema: a WITH query that writes.
type Step struct {
	Name string // the table's
	Stmt Stmt   // a query, or a write, with RETURNING or not
	Pos  int
	// Early: it is a query that sees all tables as they were before the statement.
	Early bool
}

// ListParam is an argument that is a list.
type ListParam struct {
	Index int // of the argument
	// Exact: the statement means another thing when a member stands in it twice.
	Exact bool
}

// SyntaxError says where and why a text is no statement that we can run. Its
// MySQL number is 1064, or 1235 where Unsupported is set.
type SyntaxError struct {
	Message string
	// Offset is the byte offset in the text as given, Line and Column count
	// from 1 (columns in bytes).
	Offset, Line, Column int
	// Near is the text from Offset on, at most 80 bytes of it.
	Near string
	// Unsupported names a construct that was understood but can't be run.
	Unsupported string
}

// Error gives the message with the position.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	switch {
	case e.Unsupported != "":
		b.WriteString("unsupported: " + e.Unsupported)
		if e.Message != "" {
			b.WriteString(" (" + e.Message + ")")
		}
	case e.Message != "":
		b.WriteString("syntax error: " + e.Message)
	default:
		b.WriteString("syntax error")
	}
	fmt.Fprintf(&b, " at line %d column %d", e.Line, e.Column)
	if e.Near != "" {
		fmt.Fprintf(&b, " near %q", e.Near)
	}
	return b.String()
}

// ErrorAt makes the error for byte offset off of text.
func ErrorAt(text string, off int, message string) *SyntaxError {
	off = min(max(off, 0), len(text))
	e := &SyntaxError{Message: message, Offset: off}
	before := text[:off]
	e.Line = 1 + strings.Count(before, "\n")
	e.Column = off - (strings.LastIndexByte(before, '\n') + 1) + 1
	near := text[off:]
	if len(near) > 80 {
		near = near[:80]
		for len(near) > 0 && !utf8.ValidString(near[len(near)-1:]) && !utf8.FullRuneInString(near[len(near)-1:]) {
			near = near[:len(near)-1]
		}
	}
	e.Near = near
	return e
}

// UnsupportedAt makes the error for a construct that isn't run; instead, which may
// be "", says what to write in its place.
func UnsupportedAt(text string, off int, what, instead string) *SyntaxError {
	e := ErrorAt(text, off, instead)
	e.Unsupported = what
	return e
}
