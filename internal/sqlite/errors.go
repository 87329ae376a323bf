package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/internal/fit"
	"github.com/vitessdo/vitessdo/tablet"
)

// outOfMemory is the text of the value that the engine panics with when its
// memory budget is spent; its type isn't exported.
const outOfMemory = "sqlite3: out of memory"

// recoverTo turns a panic of the engine into an error. Out of memory is an
// ordinary event; any other is a fault of the engine or of a Go function that
// SQL called, and must not take the process down with it. Both leave the
// connection in a state that nobody should build on.
func (c *Conn) recoverTo(err *error) {
	r := recover()
	if r == nil {
		return
	}
	c.broken = true
	if e, ok := r.(error); ok && e.Error() == outOfMemory {
		*err = &tablet.Error{Code: tablet.CodeNoMemory, Err: e,
			Message: "the connection's memory limit is reached; the statement sorts, joins or returns too much at once"}
		return
	}
	cause, _ := r.(error)
	*err = &tablet.Error{Code: tablet.CodeInternal, Err: cause,
		Message: fmt.Sprintf("the engine failed: %v\n%s", r, debug.Stack())}
}

// fail makes a *tablet.Error of an error of the engine.
func (c *Conn) fail(err error, sql string) error {
	out := &tablet.Error{Code: tablet.CodeInternal, Err: err}
	var code sqlite3.ExtendedErrorCode
	if !errors.As(err, &code) {
		out.Message = err.Error()
		return out
	}
	out.Message = message(err, code)
	if refused := c.guard.take(); refused != "" && code.Code() == sqlite3.AUTH {
		out.Code, out.Message = tablet.CodeDenied, refused
		return out
	}
	switch code.Code() {
	case sqlite3.CONSTRAINT:
		constraint(out, code)
	case sqlite3.ERROR, sqlite3.AUTH, sqlite3.RANGE:
		logic(out, err, sql)
	case sqlite3.INTERRUPT:
		interrupted(out, c.intr.Err())
	default:
		out.Code = codes[code.Code()]
		if code == sqlite3.BUSY_SNAPSHOT {
			out.Code = tablet.CodeConflict
			out.Message = "another transaction has changed this shard since this one began to read it; retry the transaction"
		}
		if out.Code == "" {
			out.Code = tablet.CodeInternal
		}
		if out.Code == tablet.CodeIO && c.db != nil && noSpace(c.db.Filename("main").String()) {
			out.Code = tablet.CodeFull
			out.Message = "the disk is full (" + out.Message + ")"
		}
	}
	return out
}

// FromText makes an error of the text of an engine elsewhere, in which SQLite's own
// stands somewhere.
func FromText(text string) *tablet.Error {
	out := &tablet.Error{Code: tablet.CodeInternal, Message: text}
	for _, x := range [...]struct {
		sign string
		code sqlite3.ExtendedErrorCode
	}{
		{"UNIQUE constraint failed: ", sqlite3.CONSTRAINT_UNIQUE}, {"NOT NULL constraint failed: ", sqlite3.CONSTRAINT_NOTNULL},
		{"FOREIGN KEY constraint failed", sqlite3.CONSTRAINT_FOREIGNKEY}, {"CHECK constraint failed: ", sqlite3.CONSTRAINT_CHECK},
		{"cannot store ", sqlite3.CONSTRAINT_DATATYPE},
	} {
		if at := strings.Index(text, x.sign); at >= 0 {
			out.Message = tailless(text[at:])
			constraint(out, x.code)
			return out
		}
	}
	for _, x := range [...]struct {
		sign string
		code tablet.Code
	}{
		{"could not be parsed", tablet.CodeSyntax},
		{"database is locked", tablet.CodeLockTimeout}, {"SQLITE_BUSY", tablet.CodeLockTimeout}, {"database table is locked", tablet.CodeLockTimeout},
		{"database or disk is full", tablet.CodeFull}, {"attempt to write a readonly database", tablet.CodeTxReadOnly},
		{"string or blob too big", tablet.CodeTooBig}, {"esponse is too large", tablet.CodeTooBig}, {"datatype mismatch", tablet.CodeDataType}, {"database disk image is malformed", tablet.CodeCorrupt},
		{"disk I/O error", tablet.CodeIO}, {"out of memory", tablet.CodeNoMemory},
	} {
		if strings.Contains(text, x.sign) {
			out.Code = x.code
			return out
		}
	}
	for _, sign := range [...]string{"no such ", "table ", "index ", "near ", "incomplete input", "unrecognized token", "ambiguous column name", "wrong number of arguments",
		"misuse of ", "integer overflow", "all VALUES must have"} {
		if at := strings.Index(text, sign); at >= 0 {
			trial := &tablet.Error{Code: tablet.CodeInternal, Message: tailless(text[at:])}
			if logic(trial, nil, ""); trial.Code != tablet.CodeInternal {
				return trial
			}
		}
	}
	return out
}

// tailless cuts off what engines put behind SQLite's text: its code's name or number.
func tailless(text string) string {
	for _, sign := range [...]string{": SQLITE_", " (", "\n"} {
		if at := strings.Index(text, sign); at > 0 {
			text = text[:at]
		}
	}
	return strings.TrimSuffix(text, "'")
}

// noSpace says whether a little more can't be written beside a database. The
// engine tells a full disk from other failures of writing on some systems only.
func noSpace(path string) bool {
	if path == "" {
		return false
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".space-*")
	if err == nil {
		_, err = f.Write(make([]byte, 64<<10))
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// codes maps the engine's codes whose meaning doesn't hang on the message.
var codes = map[sqlite3.ErrorCode]tablet.Code{
	sqlite3.BUSY:     tablet.CodeLockTimeout,
	sqlite3.LOCKED:   tablet.CodeLockTimeout,
	sqlite3.NOMEM:    tablet.CodeNoMemory,
	sqlite3.READONLY: tablet.CodeTxReadOnly,
	sqlite3.IOERR:    tablet.CodeIO,
	sqlite3.CORRUPT:  tablet.CodeCorrupt,
	sqlite3.NOTADB:   tablet.CodeCorrupt,
	sqlite3.FULL:     tablet.CodeFull,
	sqlite3.CANTOPEN: tablet.CodeIO,
	sqlite3.PERM:     tablet.CodeIO,
	sqlite3.TOOBIG:   tablet.CodeTooBig,
	sqlite3.MISMATCH: tablet.CodeDataType,
	sqlite3.MISUSE:   tablet.CodeMisuse,
}

// message strips what the engine puts before SQLite's own text.
func message(err error, code sqlite3.ExtendedErrorCode) string {
	text := err.Error()
	if rest, ok := strings.CutPrefix(text, code.Error()+": "); ok {
		return rest
	}
	return strings.TrimPrefix(text, "sqlite3: ")
}

func interrupted(out *tablet.Error, cause error) {
	out.Code, out.Err = tablet.CodeCanceled, cause
	switch {
	case cause == errStopped:
		out.Code, out.Message = tablet.CodeClosed, "the tablet was closed while the statement ran"
	case cause != nil:
		out.Message = "the statement was interrupted: " + cause.Error()
	}
}

// constraint reads what was violated out of SQLite's message, whose forms are
// "UNIQUE constraint failed: t.a, t.b", "UNIQUE constraint failed: index 'i'",
// "CHECK constraint failed: name" and "cannot store TEXT value in INT column
// t.a".
func constraint(out *tablet.Error, code sqlite3.ExtendedErrorCode) {
	_, what, _ := strings.Cut(out.Message, " constraint failed: ")
	switch code {
	case sqlite3.CONSTRAINT_UNIQUE, sqlite3.CONSTRAINT_PRIMARYKEY, sqlite3.CONSTRAINT_ROWID:
		out.Code = tablet.CodeUnique
		if name, ok := strings.CutPrefix(what, "index '"); ok {
			out.Constraint = strings.TrimSuffix(name, "'")
			return
		}
		columns(out, what)
	case sqlite3.CONSTRAINT_NOTNULL:
		out.Code = tablet.CodeNotNull
		columns(out, what)
	case sqlite3.CONSTRAINT_FOREIGNKEY:
		out.Code = tablet.CodeForeignKey
	case sqlite3.CONSTRAINT_DATATYPE:
		out.Code = tablet.CodeDataType
		if _, what, ok := strings.Cut(out.Message, " column "); ok {
			columns(out, what)
		}
	default: // CHECK, and what triggers raise
		out.Code = tablet.CodeCheck
		out.Constraint = what
	}
}

func columns(out *tablet.Error, list string) {
	if list == "" {
		return
	}
	for _, name := range strings.Split(list, ", ") {
		table, column, ok := strings.Cut(name, ".")
		if !ok {
			continue
		}
		out.Table = table
		out.Columns = append(out.Columns, column)
	}
}

// logic sorts the many errors that SQLite gives one code by their message.
func logic(out *tablet.Error, err error, sql string) {
	msg := out.Message
	if e := fit.Recognise(msg); e != nil {
		out.Code, out.Columns = e.Code, e.Columns
		return
	}
	switch {
	case strings.HasPrefix(msg, checkFailed):
		out.Code = tablet.CodeCheckOption
	case msg == byZero:
		out.Code = tablet.CodeDivision
	case strings.HasPrefix(msg, jsonMissing):
		out.Code = tablet.CodeJSONMissing
	case strings.HasPrefix(msg, jsonMisfit):
		out.Code = tablet.CodeJSONMisfit
	case msg == manyRows:
		out.Code = tablet.CodeTooManyRows
	case strings.HasPrefix(msg, nullBefore) && strings.HasSuffix(msg, nullAfter):
		out.Code = tablet.CodeNotNull
		out.Columns = []string{msg[len(nullBefore) : len(msg)-len(nullAfter)]}
	case strings.HasPrefix(msg, "no such table: "):
		out.Code = tablet.CodeNoTable
		out.Table = unqualified(msg[len("no such table: "):])
	case strings.HasPrefix(msg, "no such column: "):
		out.Code = tablet.CodeNoColumn
		name, _, _ := strings.Cut(msg[len("no such column: "):], " - should this be a string literal")
		out.Columns = []string{strings.Trim(name, `"`)}
	case strings.Contains(msg, " has no column named "):
		out.Code = tablet.CodeNoColumn
		table, column, _ := strings.Cut(strings.TrimPrefix(msg, "table "), " has no column named ")
		out.Table, out.Columns = table, []string{column}
	case strings.HasSuffix(msg, " already exists"):
		out.Code = tablet.CodeTableExists
		if f := strings.Fields(msg); len(f) == 4 {
			out.Table = f[1]
		}
	case msg == "integer overflow", msg == errDecimalRange.Error(), msg == errDigits.Error(), strings.HasPrefix(msg, unsignedRange):
		out.Code = tablet.CodeOutOfRange
	case strings.HasSuffix(msg, "syntax error"), msg == "incomplete input",
		strings.HasPrefix(msg, "unrecognized token"), strings.HasPrefix(msg, "no such "),
		strings.HasPrefix(msg, "ambiguous column name"), strings.HasPrefix(msg, "wrong number of arguments"),
		strings.HasPrefix(msg, "misuse of "), strings.HasSuffix(msg, "values were supplied"):
		out.Code = tablet.CodeSyntax
	}
	var e *sqlite3.Error
	if errors.As(err, &e) && e.SQL() != "" && strings.HasSuffix(sql, e.SQL()) {
		out.Message += " (at offset " + strconv.Itoa(len(sql)-len(e.SQL())) + ")"
	}
}

// unqualified drops a schema name.
func unqualified(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i+1:]
	}
	return name
}
