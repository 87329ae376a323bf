package tablet

import (
	"errors"
	"strings"
)

// Code classifies an error. The names are stable and cross the wire.
type Code string

// The codes.
const (
	CodeSyntax        Code = "SYNTAX_ERROR"
	CodeNoTable       Code = "NO_SUCH_TABLE"
	CodeNoColumn      Code = "NO_SUCH_COLUMN"
	CodeTableExists   Code = "TABLE_EXISTS"
	CodeUnique        Code = "UNIQUE_VIOLATION"
	CodeNotNull       Code = "NOT_NULL_VIOLATION"
	CodeCheck         Code = "CHECK_VIOLATION"
	CodeForeignKey    Code = "FOREIGN_KEY_VIOLATION"
	CodeDataType      Code = "DATA_TYPE_VIOLATION"
	CodeConflict      Code = "WRITE_CONFLICT"      // the snapshot is no longer the newest: retry the transaction
	CodeDeadlock      Code = "DEADLOCK"            // waiting could last for ever: retry the transaction
	CodeLockTimeout   Code = "LOCK_WAIT_TIMEOUT"   // the write lock did not come free in time
	CodeLockNoWait    Code = "LOCK_NOT_FREE"       // the write lock is held, and the statement doesn't wait
	CodeTxExpired     Code = "TRANSACTION_EXPIRED" // ended by the tablet
	CodeTxReadOnly    Code = "READ_ONLY"
	CodeCanceled      Code = "CANCELED"
	CodeFull          Code = "DISK_FULL"
	CodeIO            Code = "IO_ERROR"
	CodeCorrupt       Code = "CORRUPT"
	CodeNoMemory      Code = "OUT_OF_MEMORY"
	CodeTooBig        Code = "TOO_BIG"
	CodeClosed        Code = "CLOSED"
	CodeClosing       Code = "CLOSING" // the server is about to end, and begins nothing new; nothing was done
	CodeWrongShard    Code = "WRONG_SHARD"
	CodeSchemaChanged Code = "SCHEMA_CHANGED"     // planned with another schema than the shard's; nothing was done
	CodeOutOfRange    Code = "OUT_OF_RANGE"       // integer overflow and the like
	CodeValueRange    Code = "VALUE_OUT_OF_RANGE" // a value doesn't fit its column's range
	CodeTooLong       Code = "DATA_TOO_LONG"      // text or bytes don't fit their column's length
	CodeTruncated     Code = "DATA_TRUNCATED"     // only the beginning of a value fits its column's type
	CodeBadTime       Code = "BAD_TIME_VALUE"     // no date or time
	CodeCheckOption   Code = "CHECK_OPTION"       // a row that the view it is written through doesn't show
	CodeJSONMissing   Code = "JSON_VALUE_MISSING" // a column of JSON_TABLE whose path finds nothing, with ERROR ON EMPTY
	CodeJSONMisfit    Code = "JSON_VALUE_MISFIT"  // a column of JSON_TABLE whose value isn't of its type, with ERROR ON ERROR
	CodeDivision      Code = "DIVISION_BY_ZERO"   // where the statement's language makes it an error
	CodeTooManyRows   Code = "TOO_MANY_ROWS"      // of a scalar subquery, or of SELECT … INTO
	CodeDenied        Code = "ACCESS_DENIED"      // who asks may not do that
	CodeOverloaded    Code = "OVERLOADED"         // a limit of the server is reached for now; nothing was done
	CodeUnsupported   Code = "UNSUPPORTED"
	CodeMisuse        Code = "MISUSE"
	CodeInternal      Code = "SHARD_ERROR"
	CodeUnknownResult Code = "OUTCOME_UNKNOWN"
)

// Error is what a tablet answers when it can't do what it was asked.
type Error struct {
	Code    Code
	Target  Target
	Message string
	// Table, Columns and Constraint say what a constraint violation hit, as
	// far as the engine tells.
	Table      string
	Columns    []string
	Constraint string
	// Execution is, of a batch, the one that failed, from 1; else 0.
	Execution int
	// Entry is, with CodeUnique, the key's value, where the gate knows it.
	Entry string
	// Schema is, with CodeSchemaChanged, the version that the shard is at, or that
	// the transaction's snapshot of it shows.
	Schema uint64
	// Topology is, with CodeWrongShard, the version of the topology that says so,
	// where the tablet's server knows one.
	Topology uint64
	Err      error // the cause; may be nil
}

// Error gives the message with the shard that it came from.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Target.Shard != "" {
		b.WriteString("shard ")
		b.WriteString(e.Target.Keyspace)
		b.WriteByte('/')
		b.WriteString(e.Target.Shard)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable says whether the same transaction, begun anew, may succeed.
func (e *Error) Retryable() bool {
	switch e.Code {
	case CodeConflict, CodeDeadlock, CodeLockTimeout, CodeTxExpired, CodeWrongShard, CodeSchemaChanged, CodeOverloaded, CodeClosing:
		return true
	}
	return false
}

// CodeOf returns the code of the first *Error in err's chain, or "".
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
