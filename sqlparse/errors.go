package sqlparse

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

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

// errorAt makes the error for byte offset off of text.
func errorAt(text string, off int, message string) *SyntaxError {
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

// unsupportedAt makes the error for a construct that we don't run.
func unsupportedAt(text string, off int, what string) *SyntaxError {
	e := errorAt(text, off, "")
	e.Unsupported = what
	return e
}

// position finds the byte offset that an error of the TiDB parser speaks of,
// and its message. Its errors are plain text: `line L column C near "REST"why`,
// where REST runs to the end of the text unless that is longer than 2048 bytes.
func position(src, msg string) (int, string) {
	const mark = ` near "`
	i := strings.Index(msg, mark)
	if i < 0 || !strings.HasPrefix(msg, "line ") {
		if _, rest, ok := strings.Cut(msg, "]"); ok && msg[0] == '[' { // "[parser:1115]Unknown …"
			msg = rest
		}
		return len(src), msg
	}
	rest := msg[i+len(mark):]
	line, col := 0, 0
	if f := strings.Fields(msg[:i]); len(f) == 4 {
		line, _ = strconv.Atoi(f[1])
		col, _ = strconv.Atoi(f[3])
	}
	// A longer rest is cut, and its length given.
	if i := strings.LastIndex(rest, "(total length "); i >= 2048 {
		if n, err := strconv.Atoi(strings.TrimSuffix(rest[i+len("(total length "):], ")")); err == nil && n <= len(src) {
			return len(src) - n, ""
		}
	}
	// The longest suffix of the source that REST starts with; try the place
	// that the length implies first.
	for off := max(0, len(src)-min(len(rest), 2048)); off <= len(src); off++ {
		tail := src[off:]
		if len(rest) > len(tail) && strings.HasPrefix(rest, tail) && rest[len(tail)] == '"' {
			return off, strings.TrimSpace(rest[len(tail)+1:])
		}
	}
	return offsetOf(src, line, col), ""
}

// offsetOf gives the byte offset of a line and column, both from 1.
func offsetOf(src string, line, col int) int {
	off := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(src[off:], '\n')
		if i < 0 {
			break
		}
		off += i + 1
	}
	return min(off+max(col-1, 0), len(src))
}
