package vitessdo

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
)

// Code classifies an [Error]. The names are stable: they may be stored,
// compared and sent.
type Code = tablet.Code

// The codes of errors that a shard reports.
const (
	CodeSyntax        = tablet.CodeSyntax
	CodeNoTable       = tablet.CodeNoTable
	CodeNoColumn      = tablet.CodeNoColumn
	CodeTableExists   = tablet.CodeTableExists
	CodeUnique        = tablet.CodeUnique
	CodeNotNull       = tablet.CodeNotNull
	CodeCheck         = tablet.CodeCheck
	CodeCheckOption   = tablet.CodeCheckOption
	CodeJSONMissing   = tablet.CodeJSONMissing
	CodeJSONMisfit    = tablet.CodeJSONMisfit
	CodeForeignKey    = tablet.CodeForeignKey
	CodeDataType      = tablet.CodeDataType
	CodeConflict      = tablet.CodeConflict
	CodeDeadlock      = tablet.CodeDeadlock
	CodeLockTimeout   = tablet.CodeLockTimeout
	CodeLockNoWait    = tablet.CodeLockNoWait
	CodeTxExpired     = tablet.CodeTxExpired
	CodeTxReadOnly    = tablet.CodeTxReadOnly
	CodeCanceled      = tablet.CodeCanceled
	CodeFull          = tablet.CodeFull
	CodeIO            = tablet.CodeIO
	CodeCorrupt       = tablet.CodeCorrupt
	CodeNoMemory      = tablet.CodeNoMemory
	CodeTooBig        = tablet.CodeTooBig
	CodeClosed        = tablet.CodeClosed
	CodeClosing       = tablet.CodeClosing
	CodeWrongShard    = tablet.CodeWrongShard
	CodeSchemaChanged = tablet.CodeSchemaChanged
	CodeOutOfRange    = tablet.CodeOutOfRange
	CodeValueRange    = tablet.CodeValueRange
	CodeTooLong       = tablet.CodeTooLong
	CodeTruncated     = tablet.CodeTruncated
	CodeBadTime       = tablet.CodeBadTime
	CodeDivision      = tablet.CodeDivision
	CodeTooManyRows   = tablet.CodeTooManyRows
	CodeDenied        = tablet.CodeDenied
	CodeOverloaded    = tablet.CodeOverloaded
	CodeUnsupported   = tablet.CodeUnsupported
	CodeMisuse        = tablet.CodeMisuse
	CodeInternal      = tablet.CodeInternal
	CodeUnknownResult = tablet.CodeUnknownResult
)

// The codes of errors that arise before a shard is asked.
const (
	CodePlan            Code = "PLAN_ERROR"       // no correct way to run the statement was found
	CodeVSchema         Code = "VSCHEMA_ERROR"    // the VSchema is wrong or lacks something
	CodeDSN             Code = "DSN_ERROR"        // the data source name is wrong
	CodeNoDatabase      Code = "NO_DATABASE"      // no keyspace is selected
	CodeUnknownDatabase Code = "UNKNOWN_DATABASE" // there is no such keyspace
	CodeDatabaseExists  Code = "DATABASE_EXISTS"
	CodeAmbiguousColumn Code = "AMBIGUOUS_COLUMN"
	CodeColumnCount     Code = "COLUMN_COUNT"      // a row has more or fewer values than columns
	CodeParameterCount  Code = "PARAMETER_COUNT"   // more or fewer arguments than parameters
	CodeTxState         Code = "TRANSACTION_STATE" // not allowed inside, or outside, a transaction
	CodeLimit           Code = "LIMIT_EXCEEDED"    // the statement would move more than a max_… option allows
	CodeTopology        Code = "TOPOLOGY_ERROR"    // the data directory or the catalog can't be used
)

// mysqlError is what a MySQL client sees of a code.
type mysqlError struct {
	number uint16
	state  string
}

// mysqlErrors holds every code; see "Server Error Message Reference" in the
// MySQL manual. 1105 is MySQL's "unknown error".
var mysqlErrors = map[Code]mysqlError{
	CodeSyntax:          {1064, "42000"},
	CodeNoTable:         {1146, "42S02"},
	CodeNoColumn:        {1054, "42S22"},
	CodeTableExists:     {1050, "42S01"},
	CodeUnique:          {1062, "23000"},
	CodeNotNull:         {1048, "23000"},
	CodeCheck:           {3819, "HY000"},
	CodeCheckOption:     {1369, "HY000"},
	CodeJSONMissing:     {3665, "22035"},
	CodeJSONMisfit:      {3666, "2203F"},
	CodeForeignKey:      {1452, "23000"},
	CodeDataType:        {1366, "HY000"},
	CodeConflict:        {1213, "40001"},
	CodeDeadlock:        {1213, "40001"},
	CodeLockTimeout:     {1205, "HY000"},
	CodeLockNoWait:      {3572, "HY000"},
	CodeTxExpired:       {1613, "XA106"},
	CodeTxReadOnly:      {1792, "25006"},
	CodeCanceled:        {1317, "70100"},
	CodeFull:            {1021, "HY000"},
	CodeIO:              {1030, "HY000"},
	CodeCorrupt:         {1194, "HY000"},
	CodeNoMemory:        {1037, "HY001"},
	CodeTooBig:          {1301, "HY000"},
	CodeClosed:          {1053, "08S01"},
	CodeClosing:         {1053, "08S01"},
	CodeWrongShard:      {3168, "HY000"},
	CodeSchemaChanged:   {1412, "HY000"},
	CodeOutOfRange:      {1690, "22003"},
	CodeValueRange:      {1264, "22003"},
	CodeTooLong:         {1406, "22001"},
	CodeTruncated:       {1265, "01000"},
	CodeBadTime:         {1292, "22007"},
	CodeDenied:          {1044, "42000"},
	CodeOverloaded:      {1040, "08004"},
	CodeUnsupported:     {1235, "42000"},
	CodeMisuse:          {1105, "HY000"},
	CodeInternal:        {1105, "HY000"},
	CodeUnknownResult:   {1105, "08007"}, // standard SQL's "transaction resolution unknown"; MySQL has none
	CodePlan:            {1105, "HY000"},
	CodeVSchema:         {1105, "HY000"},
	CodeDSN:             {1105, "08001"},
	CodeNoDatabase:      {1046, "3D000"},
	CodeUnknownDatabase: {1049, "42000"},
	CodeDatabaseExists:  {1007, "HY000"},
	CodeAmbiguousColumn: {1052, "23000"},
	CodeColumnCount:     {1136, "21S01"},
	CodeDivision:        {1365, "22012"},
	CodeTooManyRows:     {1172, "42000"},
	CodeParameterCount:  {1210, "HY000"},
	CodeTxState:         {1568, "25001"},
	CodeLimit:           {1104, "42000"},
	CodeTopology:        {1105, "08001"},
}

// Numbers that depend on more than the code.
const (
	mysqlRowIsReferenced = 1451 // a foreign key violation by a parent's DELETE or UPDATE
	mysqlSubqueryRows    = 1242 // a scalar subquery with more than one row
	mysqlAutoIncrement   = 1467 // no further AUTO_INCREMENT value
	mysqlNoSavepoint     = 1305 // "SAVEPOINT x does not exist"
)

// Sentinels for [errors.Is]: an [*Error] is the sentinel with its code.
var (
	ErrDuplicateKey   error = &Error{Code: CodeUnique}
	ErrForeignKey     error = &Error{Code: CodeForeignKey}
	ErrNotNull        error = &Error{Code: CodeNotNull}
	ErrCheck          error = &Error{Code: CodeCheck}
	ErrNoTable        error = &Error{Code: CodeNoTable}
	ErrNoColumn       error = &Error{Code: CodeNoColumn}
	ErrTableExists    error = &Error{Code: CodeTableExists}
	ErrSyntax         error = &Error{Code: CodeSyntax}
	ErrUnsupported    error = &Error{Code: CodeUnsupported}
	ErrConflict       error = &Error{Code: CodeConflict}
	ErrDeadlock       error = &Error{Code: CodeDeadlock}
	ErrLockTimeout    error = &Error{Code: CodeLockTimeout}
	ErrSchemaChanged  error = &Error{Code: CodeSchemaChanged}
	ErrLockNoWait     error = &Error{Code: CodeLockNoWait}
	ErrTxExpired      error = &Error{Code: CodeTxExpired}
	ErrReadOnly       error = &Error{Code: CodeTxReadOnly}
	ErrOutcomeUnknown error = &Error{Code: CodeUnknownResult}
	ErrOutOfRange     error = &Error{Code: CodeOutOfRange}
	ErrValueRange     error = &Error{Code: CodeValueRange}
	ErrTooLong        error = &Error{Code: CodeTooLong}
	ErrLimit          error = &Error{Code: CodeLimit}
	ErrVSchema        error = &Error{Code: CodeVSchema}
	ErrDSN            error = &Error{Code: CodeDSN}
	ErrNoDatabase     error = &Error{Code: CodeNoDatabase}
)

// Error is what every failure of a statement is, except that a context's own
// error and driver.ErrBadConn may come bare. Get it with [errors.As]; its
// fields are to be read only. Fields that don't apply are zero, Position is -1.
type Error struct {
	Code     Code
	Number   uint16 // as MySQL numbers it, such as 1062
	SQLState string // five characters, such as "23000"
	// Message says what is wrong. Violated constraints and missing tables or
	// columns read as in MySQL, whose texts programs look for.
	Message string

	Keyspace, Shard string // the shard that reported it; "" when none did

	// What a constraint violation hit, as far as the engine tells.
	Table      string
	Columns    []string
	Constraint string

	// Query is the statement's text as the caller gave it. It is not part of
	// the message, since its literals may be private; arguments are never kept.
	Query string
	// Position is the offset in Query of what is wrong, in bytes; Line and
	// Column count from 1, Column in characters.
	Position, Line, Column int

	DTID string // the distributed transaction that it is about

	err error
}

// Error gives number, SQL state, message, position and shard.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("vitessdo: ")
	if e.Number != 0 {
		fmt.Fprintf(&b, "Error %d (%s): ", e.Number, e.SQLState)
	}
	if e.Message != "" {
		b.WriteString(e.Message)
	} else {
		b.WriteString(string(e.Code))
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, ", at line %d column %d", e.Line, e.Column)
	}
	if e.Shard != "" {
		if at := e.Keyspace + "/" + e.Shard; !strings.Contains(e.Message, at) {
			b.WriteString(", on shard " + at)
		}
	}
	if e.DTID != "" {
		b.WriteString(", in distributed transaction " + e.DTID)
	}
	return b.String()
}

// Unwrap returns the cause, such as the tablet's error with the engine's own
// words; it may be nil.
func (e *Error) Unwrap() error { return e.err }

// Is says whether target is the sentinel for e's code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Message == ""
}

// mysqlDriver is the package of MySQL's driver.
const mysqlDriver = "github.com/go-sql-driver/mysql"

// As lets errors.As find the *MySQLError of MySQL's driver in it, with the same number,
// state and message, so that a program that looks for one goes on to work.
func (e *Error) As(target any) bool {
	p := reflect.TypeOf(target)
	if p.Kind() != reflect.Pointer || p.Elem().Kind() != reflect.Pointer {
		return false
	}
	// That package isn't imported for it: its type is known by name and shape.
	t := p.Elem().Elem()
	if t.Name() != "MySQLError" || t.PkgPath() != mysqlDriver {
		return false
	}
	v := reflect.New(t)
	number, state, message := v.Elem().FieldByName("Number"), v.Elem().FieldByName("SQLState"), v.Elem().FieldByName("Message")
	if !number.IsValid() || number.Kind() != reflect.Uint16 || !message.IsValid() || message.Kind() != reflect.String {
		return false
	}
	number.SetUint(uint64(e.Number))
	message.SetString(e.Message)
	if state.IsValid() && state.Kind() == reflect.Array && state.Type().Elem().Kind() == reflect.Uint8 {
		reflect.Copy(state, reflect.ValueOf([]byte(e.SQLState)))
	}
	reflect.ValueOf(target).Elem().Set(v)
	return true
}

// Retryable says whether the same transaction, begun anew, may succeed. It is
// false when the outcome is unknown: a second run might do the work twice.
func (e *Error) Retryable() bool { return (&tablet.Error{Code: e.Code}).Retryable() }

// OutcomeUnknown says that the statement or commit may have been done or not.
func (e *Error) OutcomeUnknown() bool { return e.Code == CodeUnknownResult }

// Timeout says that a time limit was hit: a lock wait or a deadline.
func (e *Error) Timeout() bool {
	return e.Code == CodeLockTimeout || errors.Is(e.err, context.DeadlineExceeded)
}

// newError makes an error of our own.
func newError(code Code, format string, args ...any) *Error {
	m := mysqlErrors[code]
	return &Error{Code: code, Number: m.number, SQLState: m.state, Message: fmt.Sprintf(format, args...), Position: -1}
}

// wrapError makes an error with the given cause, whose text follows the message.
func wrapError(code Code, err error, format string, args ...any) *Error {
	e := newError(code, format, args...)
	e.Message += ": " + err.Error()
	e.err = err
	return e
}

// inQuery says in an *Error which statement it is about and where in it;
// position -1 is unknown. Other errors are returned as they are.
func inQuery(err error, query string, position int) error {
	var e *Error
	if !errors.As(err, &e) || e.Query != "" {
		return err
	}
	e.Query = query
	if position >= 0 && position <= len(query) {
		before := query[:position]
		e.Position = position
		e.Line = 1 + strings.Count(before, "\n")
		e.Column = 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	}
	return err
}

// fromTablet turns a tablet's error, wrapped or not, into an *Error. All other
// errors, among them a context's, driver.ErrBadConn and an *Error, are returned
// as they are.
func fromTablet(err error) error {
	var t *tablet.Error
	var done *Error
	if err == nil || errors.As(err, &done) || !errors.As(err, &t) {
		return err
	}
	e := newError(t.Code, "%s", t.Message)
	if e.Number == 0 {
		// A newer tablet may have codes that this build has no number for.
		e.Number, e.SQLState = mysqlErrors[CodeInternal].number, mysqlErrors[CodeInternal].state
	}
	if err != error(t) {
		e.Message = err.Error() // what stands around it says what was being done
	}
	e.Keyspace, e.Shard = t.Target.Keyspace, t.Target.Shard
	e.Table, e.Columns, e.Constraint = t.Table, t.Columns, t.Constraint
	e.err = err
	if e.OutcomeUnknown() && errors.Is(err, driver.ErrBadConn) {
		// database/sql would take it for permission to run the statement again.
		e.err = nil
	}
	if t.Code == tablet.CodeTooManyRows {
		e.Number, e.SQLState = mysqlSubqueryRows, "21000"
	}
	if errors.Is(err, topo.ErrSequenceExhausted) {
		e.Number, e.SQLState = mysqlAutoIncrement, "HY000"
		e.Message = "Failed to read auto-increment value from storage engine: " + e.Message
	}
	if text := mysqlMessage(t); text != "" {
		e.Message = text
	}
	return e
}

// mysqlMessage gives MySQL's text for the errors that programs recognise by
// it, as far as t tells what it needs; else "".
func mysqlMessage(t *tablet.Error) string {
	column := strings.Join(t.Columns, ", ")
	table := t.Table
	if table != "" && t.Target.Keyspace != "" {
		table = t.Target.Keyspace + "." + table
	}
	switch t.Code {
	case CodeUnique:
		if t.Entry != "" {
			return "Duplicate entry '" + t.Entry + "' for key '" + keyName(t) + "'"
		}
		return "Duplicate entry for key '" + keyName(t) + "'" + columnsOf(t)
	case CodeNotNull:
		if column != "" {
			return "Column '" + column + "' cannot be null"
		}
	case CodeCheck:
		if t.Constraint != "" {
			return "Check constraint '" + t.Constraint + "' is violated"
		}
	case CodeForeignKey:
		return "Cannot add or update a child row: a foreign key constraint fails" + inTable(t)
	case CodeSchemaChanged:
		return "Table definition has changed, please retry transaction: " + t.Message
	case CodeNoTable:
		if table != "" {
			return "Table '" + table + "' doesn't exist"
		}
	case CodeTableExists:
		if t.Table != "" {
			return "Table '" + t.Table + "' already exists"
		}
	case CodeNoColumn:
		if column != "" {
			return "Unknown column '" + column + "'"
		}
	}
	return ""
}

// keyName names a unique key as MySQL does, table.key; a key whose name the
// engine doesn't tell goes by its columns.
func keyName(t *tablet.Error) string {
	key := t.Constraint
	if key == "" {
		key = strings.Join(t.Columns, "_")
	}
	if t.Table == "" || key == "" {
		return t.Table + key
	}
	return t.Table + "." + key
}

// columnsOf names the columns where the key's name doesn't say them.
func columnsOf(t *tablet.Error) string {
	if len(t.Columns) == 0 || t.Constraint == "" && len(t.Columns) == 1 {
		return ""
	}
	return " (" + strings.Join(t.Columns, ", ") + ")"
}

func inTable(t *tablet.Error) string {
	var parts []string
	if t.Table != "" {
		parts = append(parts, "table '"+t.Table+"'")
	}
	if t.Constraint != "" {
		parts = append(parts, "constraint '"+t.Constraint+"'")
	}
	if len(t.Columns) > 0 {
		parts = append(parts, "columns "+strings.Join(t.Columns, ", "))
	}
	if parts == nil {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
