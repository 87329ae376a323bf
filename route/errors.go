package route

import "fmt"

// Code classifies a planning error.
type Code uint8

// Why a statement can't be planned.
const (
	CodeUnknownTable    Code = iota // 1146
	CodeUnknownColumn               // 1054
	CodeAmbiguous                   // 1052
	CodeUnsupported                 // 1235
	CodeNotInVSchema                // the keyspace's VSchema is explicit and lacks the table
	CodeColumnCount                 // 1136, 1222, 1241
	CodeUnknownKeyspace             // 1049
	CodeBadValue                    // 1210
	CodeDuplicateAlias              // 1066, 1110
	CodeNoDefault                   // 1364
	CodeBadGroup                    // 1111, 1056
	CodeNotNull                     // 1048
	CodeReadOnlyTable               // 1044
	CodeNoKeyspace                  // 1046
)

// Error says why a statement can't be planned. Pos is a byte offset in the
// statement's text, -1 if unknown.
type Error struct {
	Code    Code
	Message string
	Pos     int
	Table   string
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
