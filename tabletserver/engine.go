package tabletserver

import (
	"context"

	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
)

// Engine is where the rows of a shard are that SQLite in this process doesn't keep.
// The tablet is its only writer. Everything above a connection is the tablet's: whose
// turn it is, transactions, what is prepared and decided.
//
// A prepared transaction isn't held open in such an engine: its redo is kept in the
// table _vt_redo, and replayed when it commits.
type Engine interface {
	// Connect opens one more connection, and makes what the engine keeps for the
	// tablet when it isn't there. ctx governs the call only.
	Connect(ctx context.Context, h Hooks) (Conn, error)
	// Capabilities says what the engine can do.
	Capabilities() tablet.Capabilities
	// Close frees what the engine holds beside its connections, which are closed
	// before.
	Close() error
}

// Hooks are what a tablet is to be told by an engine's connections.
type Hooks struct {
	// Commit is called in the place of commit, which commits a transaction that has
	// written, and calls that. version, unless 0, is the one that the transaction has
	// given the schema.
	Commit func(version uint64, commit func() error) error
}

// Conn is a connection to a shard's storage. It belongs to one goroutine at a time,
// but for Close. Its errors are [tablet.Error]s.
type Conn interface {
	// SetContext makes ctx interrupt what the connection runs from now on.
	SetContext(ctx context.Context)
	// Prepare readies one statement. Parameters are numbered ?1, ?2 …
	Prepare(sql string) (Stmt, error)
	// Control runs one statement without parameters that must not be interrupted:
	// BEGIN, BEGIN IMMEDIATE, COMMIT, ROLLBACK, savepoints and PRAGMA foreign_keys.
	// A COMMIT that may have been done all the same fails with
	// [tablet.CodeUnknownResult].
	Control(sql string) error
	// QueryAll runs sql and collects its rows, whose values are the caller's.
	QueryAll(ctx context.Context, sql string, args ...tablet.Value) ([][]tablet.Value, error)
	// Trust says whether statements are the tablet's own from now on, and how it was
	// before. An engine that can tell refuses others that reach beyond tables and views.
	Trust(own bool) (before bool)
	// InTransaction says whether an explicit transaction is open.
	InTransaction() bool
	// TotalChanges counts the rows that were changed since the connection was opened.
	TotalChanges() int64
	// DeferredKeys says whether the open transaction violates foreign keys that are
	// checked when it commits.
	DeferredKeys() (violated bool, err error)
	// Broken says that the connection should be closed as soon as its work is rolled
	// back.
	Broken() bool
	// Close rolls back what is open.
	Close() error
}

// Kind is what a statement does, as far as its first word tells.
type Kind = sqlite.Kind

// KindOf says what sort of statement a text is.
func KindOf(text string) Kind { return sqlite.KindOf(text) }

// The kinds.
const (
	KindOther   = sqlite.KindOther   // DDL, VACUUM, ANALYZE …
	KindRead    = sqlite.KindRead    // SELECT, VALUES, EXPLAIN
	KindInsert  = sqlite.KindInsert  // INSERT, REPLACE
	KindChange  = sqlite.KindChange  // UPDATE, DELETE
	KindWith    = sqlite.KindWith    // WITH: a read or any write
	KindPragma  = sqlite.KindPragma  // PRAGMA
	KindControl = sqlite.KindControl // BEGIN, COMMIT, SAVEPOINT …
)

// Stmt is a prepared statement in use, between Prepare and Release. It belongs to the
// goroutine that its Conn belongs to.
type Stmt interface {
	// Kind says what sort of statement this is; ReadOnly, that it changes no rows.
	Kind() Kind
	ReadOnly() bool
	// Columns names the result's columns, from the first Step on.
	Columns() []string
	// Bind sets the parameters, and begins anew: ?N takes args[N-1].
	Bind(args []tablet.Value) error
	// Step runs the statement up to its next row, and says whether there is one.
	Step() (row bool, err error)
	// Row puts the current row into dest, one value per column.
	Row(dest []tablet.Value) error
	// Exec binds args and runs the statement to its end. Run does it for a write, and
	// tells what that did, as [tablet.Result] has it.
	Exec(args []tablet.Value) error
	Run(args []tablet.Value) (changed, lastID int64, err error)
	// Int runs a statement without parameters, and gives the integer that its first
	// row begins with.
	Int() (int64, error)
	// Release ends the use of the statement. It may be called once only.
	Release()
}

// Rest is a [Stmt] that may hold all rows that are left in memory, so that its connection
// is free before they are read.
type Rest interface {
	// Rest gives the current row and all behind it, or says that they aren't all here. It
	// may be called once Step has found a row.
	Rest() (rows [][]tablet.Value, all bool)
}

// Upgrader is a [Conn] on which a transaction that has read can go on to write, with the
// statements that it has open. Others begin it anew.
type Upgrader interface {
	// Upgrade makes the open transaction one that BEGIN IMMEDIATE had begun. Whoever calls
	// it knows that nothing was committed since the transaction has begun.
	Upgrade() error
}

// Queued is a [Conn] to a database that does one thing at a time.
type Queued interface {
	// Await comes back when the database is this connection's, as it is until leave is
	// called: its statements wait for nobody then, and nobody commits between them. It
	// waits as long as [tablet.LockWait] says.
	Await(ctx context.Context) (leave func(), err error)
}

// local is a connection to SQLite in this process.
type local struct{ *sqlite.Conn }

var (
	_ Conn = local{}
	_ Stmt = (*sqlite.Stmt)(nil)
)

// Prepare implements Conn.
func (l local) Prepare(sql string) (Stmt, error) {
	s, err := l.Conn.Prepare(sql)
	if err != nil {
		return nil, err
	}
	return s, nil
}
