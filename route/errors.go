package route

import (
	"errors"
	"fmt"
)

// Code classifies an error.
type Code uint8

// Why a statement can't be planned or done.
const (
	CodeUnknownTable       Code = iota // 1146
	CodeUnknownColumn                  // 1054
	CodeAmbiguous                      // 1052
	CodeUnsupported                    // 1235
	CodeNotInVSchema                   // the keyspace's VSchema is explicit and lacks the table
	CodeColumnCount                    // 1136, 1222, 1241
	CodeUnknownKeyspace                // 1049
	CodeBadValue                       // 1210
	CodeDuplicateAlias                 // 1066, 1110
	CodeNoDefault                      // 1364
	CodeBadGroup                       // 1111, 1056
	CodeNotNull                        // 1048
	CodeReadOnlyTable                  // 1044
	CodeNoKeyspace                     // 1046
	CodeNotUpdatable                   // 1288
	CodeNotUpdatableColumn             // 1348
	CodeNotInsertable                  // 1471
	CodeOperandColumns                 // 1241
	CodeGenerated                      // 3105

	// Violations, which effects find: see Effect.Fail.
	CodeDuplicate   // 1062
	CodeNoParent    // 1452
	CodeHasChildren // 1451
)

// Error says why a statement can't be planned, or what it violates. Pos is a byte
// offset in the statement's text, -1 if unknown.
type Error struct {
	Code    Code
	Message string
	Pos     int
	Table   string
	// Key and Columns are those of the constraint that is violated.
	Key     string
	Columns []string
}

// IsViolation says whether err is, or wraps, an *Error of a violated key.
func IsViolation(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code >= CodeDuplicate
}

func (e *Error) Error() string { return e.Message }

func errorf(code Code, pos int, format string, args ...any) *Error {
	return &Error{Code: code, Pos: pos, Message: fmt.Sprintf(format, args...)}
}

func unsupported(what, hint string) *Error {
	msg := what + " is not supported"
	if hint != "" {
		msg += ": " + hint
	}
	return &Error{Code: CodeUnsupported, Message: msg, Pos: -1}
}
