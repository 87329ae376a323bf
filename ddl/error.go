package ddl

import "fmt"

// MySQL's numbers of the errors that a schema change can meet.
const (
	errNoDatabase        = 1049
	errTableExists       = 1050
	errUnknownTable      = 1051
	errUnknownColumn     = 1054
	errNameTooLong       = 1059
	errDuplicateColumn   = 1060
	errDuplicateKeyName  = 1061
	errWrongColumnSpec   = 1063
	errInvalidDefault    = 1067
	errMultiplePrimary   = 1068
	errKeyColumnMissing  = 1072
	errOneAutoColumn     = 1075
	errColumnExistsNot   = 1091
	errWrongTableName    = 1103
	errTableNeedsColumn  = 1113
	errColumnCount       = 1136
	errNoSuchTable       = 1146
	errNotSupported      = 1235
	errForeignKeyColumns = 1239
	errWrongObject       = 1347
	errViewRecursive     = 1462
	errViewColumns       = 1353
	errUniqueNeedsShard  = 1503
	errForeignTruncate   = 1701
	errIndexNeeded       = 1553
	errForeignNoIndex    = 1822
	errForeignNoParent   = 1824
	errForeignDuplicate  = 1826
	errForeignColumn     = 1828
	errForeignParentCol  = 1829
	errForeignNotNull    = 1830
	errForeignColType    = 1833
	errGeneratedOrder    = 3107
	errDropReferenced    = 3730
	errForeignMismatch   = 3780
	errCheckColumn       = 3820
	errCheckDuplicate    = 3822
	errVSchema           = 1105
)

// Error is a schema change that can't be made. The message names table, column
// or key, and where there is one the way out.
type Error struct {
	Number  uint16 // MySQL's error number
	Message string
	err     error
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause: an error of the VSchema or of the dialect, or nil.
func (e *Error) Unwrap() error { return e.err }

func fail(number uint16, format string, args ...any) error {
	return &Error{Number: number, Message: fmt.Sprintf(format, args...)}
}

// wrap makes an Error of a cause that has no number of its own.
func wrap(number uint16, err error, format string, args ...any) error {
	return &Error{Number: number, Message: fmt.Sprintf(format, args...) + ": " + err.Error(), err: err}
}

func (p *planner) noTable(name string) error {
	return fail(errNoSuchTable, "table %q doesn't exist in keyspace %q", name, p.o.Keyspace)
}
