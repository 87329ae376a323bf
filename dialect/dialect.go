package dialect

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Text is printed SQL. Segments[i] is followed by the members of list Lists[i];
// so len(Lists) == len(Segments)-1. A zero Text has no segments.
type Text struct {
	Segments []string
	Lists    []int
	// Also is the same in the other dialects of [Printers], for shards that don't
	// speak the first; nil where all do.
	Also []Text
}

// Whole is a text without list slots, in one dialect.
func Whole(sql string) Text { return Text{Segments: []string{sql}} }

// In gives the text for shards that speak dialect i of [Printers].
func (t *Text) In(i int) *Text {
	if i == 0 || len(t.Also) == 0 {
		return t
	}
	return &t.Also[i-1]
}

// String is the text for people: a list slot shows as ::listN.
func (t Text) String() string {
	if s, ok := t.Static(); ok {
		return s
	}
	var b strings.Builder
	for i, s := range t.Segments {
		b.WriteString(s)
		if i < len(t.Lists) {
			b.WriteString("::list")
			b.WriteString(strconv.Itoa(t.Lists[i]))
		}
	}
	return b.String()
}

// Static returns the whole text, and whether it has no list slot, so that it
// can be sent as it stands.
func (t Text) Static() (string, bool) {
	switch {
	case len(t.Lists) > 0:
		return "", false
	case len(t.Segments) == 0:
		return "", true
	}
	return t.Segments[0], true
}

// Empty says whether there is no text.
func (t Text) Empty() bool { return len(t.Lists) == 0 && strings.Join(t.Segments, "") == "" }

// ListSlot stands for the members of list Index in In.List:
// In{X: x, List: []sqlast.Expr{&ListSlot{Index: 0}}} prints as "x IN (" slot ")".
// What fills the slot is members separated by commas (for a row on the left,
// bracketed rows), in the engine's dialect and in the canonical spelling of x's
// type: a printer converts literals and parameters that meet a DATE or DATETIME
// column, but not what it can't see.
type ListSlot struct {
	T     sqlast.Type
	Index int
}

// Type implements [sqlast.Expr].
func (s *ListSlot) Type() *sqlast.Type { return &s.T }

// UnsupportedError is returned for a construct that the engine can't express.
type UnsupportedError struct {
	Construct string
	Pos       int // byte offset in the statement's text; -1 if unknown
	Hint      string
}

func (e *UnsupportedError) Error() string {
	msg := e.Construct + " can't be expressed in the shard's dialect"
	if e.Pos >= 0 {
		msg += fmt.Sprintf(" (at byte %d)", e.Pos)
	}
	if e.Hint != "" {
		msg += "; " + e.Hint
	}
	return msg
}

// TableOptions say what of a definition a shard's table leaves out.
type TableOptions struct {
	IfNotExists bool
	// SkipForeignKeys holds the names of foreign keys that the shard doesn't
	// enforce because parent and child aren't co-located.
	SkipForeignKeys []string
	// NoForeignKeys leaves all of them out.
	NoForeignKeys bool
}

// AlterOptions tell [Printer.Alter] what the two definitions don't show.
type AlterOptions struct {
	// Renamed maps a new column's name to the old one's (to "" if it continues
	// none), as [ApplyAlter] returns it.
	Renamed map[string]string
	// Old and New say which foreign keys the shard has and shall have.
	Old, New TableOptions
}

// Plan is a list of DDL statements to run in one transaction on one shard.
type Plan struct {
	Statements []string
	// NeedsForeignKeysOff: enforcement must be off on the connection while the
	// statements run. PRAGMA foreign_keys=OFF does nothing inside a transaction,
	// but sqlite3_db_config(SQLITE_DBCONFIG_ENABLE_FKEY) does: switch it off
	// before the first statement, and on again behind the last or on an error.
	// Nothing checks whether the rows keep a foreign key that the statements add.
	NeedsForeignKeysOff bool
}

// Printer prints for one engine. It is safe for concurrent use.
type Printer interface {
	// Lifting gives a printer of the same kind that asks constant about expressions
	// over parameters and literals which the engine can't compute and the gate can:
	// it is given the expression's text for the gate, and gives the number, from 1
	// on, of the parameter that has its value.
	Lifting(constant func(sql string) int) Printer
	// RowID names, as it stands in a statement, what the engine knows the rows of a
	// table by: an integer.
	RowID(def *sqlast.TableDef) string
	// Has is the condition that a column has what parameter n holds, from 1 on, which is
	// as such columns keep it: without regard to case where the column has none.
	Has(c *sqlast.ColumnDef, n int) string
	// Stmt prints a query or a row-changing statement.
	Stmt(sqlast.Stmt) (Text, error)
	// Literal gives a value as the engine reads it back, where it takes no more
	// parameters: NULL, an integer, a float, text or bytes, as tablets hand them out.
	Literal(v any) (string, error)
	// Expr prints a lone expression, without list slots.
	Expr(sqlast.Expr) (string, error)
	// KeyPart prints what an index has of a row in its part i, for a statement
	// that reads the table alone, without an alias.
	KeyPart(def *sqlast.TableDef, x *sqlast.IndexDef, i int) (string, error)
	// Computed prints a query that gives one row: the parts, generated columns
	// and expressions, of a row whose columns called given are the parameters.
	// Those must be all that the parts hang on.
	Computed(def *sqlast.TableDef, given []string, parts []sqlast.IndexPart) (string, error)
	// CreateTable prints a definition as CREATE TABLE and CREATE INDEX.
	CreateTable(def *sqlast.TableDef, opt TableOptions) ([]string, error)
	// Alter prints the way from one definition to another; no statement when
	// only the catalogue changes.
	Alter(old, new *sqlast.TableDef, opt AlterOptions) (Plan, error)
	// DDL prints DROP TABLE, CREATE INDEX, DROP INDEX, RENAME TABLE, TRUNCATE
	// and the statements that tend to storage.
	DDL(sqlast.Stmt) ([]string, error)
}
