package sqlparse

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Statement is a parsed statement.
type Statement = sqlast.Statement

// SyntaxError says where and why a text is no statement that we can run.
type SyntaxError = sqlast.SyntaxError

// errorAt makes the error for byte offset off of text.
func errorAt(text string, off int, message string) *SyntaxError {
	return sqlast.ErrorAt(text, off, message)
}

// unsupportedAt makes the error for a construct that we don't run.
func unsupportedAt(text string, off int, what string) *SyntaxError {
	return sqlast.UnsupportedAt(text, off, what, "")
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
