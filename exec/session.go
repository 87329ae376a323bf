package exec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// Session is what a plan runs in: a connection with its topology, transaction
// and clock. Its methods are called from one goroutine at a time, the one that
// called this package.
type Session interface {
	// ShardMap gives the shards of a keyspace, nil if there is no such one.
	ShardMap(keyspace string) *route.ShardMap
	// Tablet gives the tablet of a shard by its ordinal in the shard map.
	Tablet(keyspace string, shard int) tablet.Tablet
	// Tx returns the session's transaction on that shard, opening it at first
	// touch, or nil in autocommit.
	Tx(ctx context.Context, keyspace string, shard int, to Access) (tablet.Tx, error)
	// InTx says whether a transaction is open.
	InTx() bool
	// View begins a look at several shards as of one moment, for a statement in
	// autocommit; with all, it has every shard from the start. It is nil where
	// the tablets can't give one.
	View(ctx context.Context, all bool) (View, error)
	// Moment begins such a look for a statement that opens all of its streams before
	// it gives a row: nothing is held for it, and the statement finds out whether there
	// was such a moment. In a transaction it begins parts on the shards. It is nil where
	// that can't be had.
	Moment() Moment
	// Together begins the transaction's parts on those shards that it hasn't
	// touched yet, so that they show one moment.
	Together(ctx context.Context, at []Place) error
	// Atomically runs fn in an implicit distributed transaction when the
	// session is in autocommit: fn's Session then has InTx() true, nil commits
	// and an error rolls back. In a transaction it runs fn with the session
	// itself.
	Atomically(ctx context.Context, fn func(Session) error) error
	// Statement plans a statement of the gate's own, in MySQL's dialect with
	// positional parameters, against the same schema as the running one; bare
	// names are of the keyspace.
	Statement(keyspace, text string) (*route.Plan, error)
	// Value answers route.ComputedSession.
	Value(name string) (any, error)
	// Call answers route.ComputedCall.
	Call(ctx context.Context, name string, args []any) (any, error)
	// Now is the statement's time, Location the session's time zone.
	Now() time.Time
	Location() *time.Location
	// NextIDs takes n contiguous values, n above 0, of a sequence; a table's
	// own sequence has the table's name.
	NextIDs(ctx context.Context, keyspace, sequence string, n int64) (first int64, err error)
	// ObserveID tells that a value was given by hand, so that the sequence
	// goes on above it.
	ObserveID(ctx context.Context, keyspace, sequence string, v int64) error
	// Catalog gives the rows of a table that the gate fills itself, with the
	// named columns; args is the statement's parameter vector. The rows are the
	// caller's.
	Catalog(ctx context.Context, scan *route.CatalogScan, columns []string, args []any) ([][]any, error)
	// Limits bounds what a combine may keep.
	Limits() Limits
	// Scratch gives the session's buffers for resolving destinations.
	Scratch() *route.Scratch
}

// Access says what a transaction is to do on a shard.
type Access int

const (
	Reading Access = iota
	Writing        // the next statement writes, and has the shard's write lock from its beginning on
	Locking        // the transaction holds the shard's write lock when Tx returns
)

// Place is a shard of a keyspace.
type Place struct {
	Keyspace string
	Shard    int
}

// View is a look at several shards as of one moment: nobody has committed there
// between the first and the last that it shows, and no commit over several
// shards is shown in part.
type View interface {
	// Add takes shards in; ErrStale says that commits have come between, so that
	// the statement must begin anew with another view.
	Add(ctx context.Context, at []Place) error
	// Tablet gives a shard that was added, for reading; nil for others.
	Tablet(at Place) tablet.Tablet
	// Close frees the view once all streams on it are closed.
	Close()
}

// Moment is a View that is there from the beginning and may turn out to be none. Close
// comes when Met has been asked, or never will be; streams may go on if it has met.
type Moment interface {
	View
	// Met says, when all streams have begun, whether all that was read and is yet to
	// be read is of one moment; ErrStale says that it isn't.
	Met(ctx context.Context) error
}

// ErrStale is View.Add's and Moment.Met's.
var ErrStale = errors.New("a commit has come between what a statement has read and what it is to read")

// Stale is [ErrStale] for a cause, which it tells where no other attempt helps.
func Stale(cause error) error { return &stale{cause} }

type stale struct{ cause error }

func (s *stale) Error() string        { return s.cause.Error() }
func (s *stale) Unwrap() error        { return s.cause }
func (s *stale) Is(target error) bool { return target == ErrStale }

// Limits bounds what one statement may keep at the gate; 0 means no bound.
type Limits struct {
	MaxCombineRows  int64
	MaxCombineBytes int64
}

// Result is what a write answers.
type Result struct {
	// RowsAffected counts as MySQL does.
	RowsAffected int64
	// LastInsertID is the first AUTO_INCREMENT value that the statement
	// generated and used or, when it generated none, the explicit value of its
	// last row. HasInsertID says that there is one.
	LastInsertID int64
	HasInsertID  bool
	Generated    bool // LastInsertID was generated, so that LAST_INSERT_ID() tells it
}

// Rows is a stream of result rows. It belongs to one goroutine at a time.
//
// Next fills dest, as long as the plan has columns, or returns io.EOF; an error
// is sticky. A []byte put into dest is valid until the next call of Next or
// Close; all other values are the caller's to keep. Close frees what the stream
// holds, and returns after all work for it has ended; it may be called at any
// time, more than once.
type Rows interface {
	Next(dest []any) error
	Close() error
}

// LimitError says that a statement would keep more at the gate than a limit
// allows.
type LimitError struct {
	Option   string // "max_combine_rows" or "max_combine_bytes"
	Limit    int64
	Fragment string // what was being kept: a fragment's SQL, or the operation
}

func (e *LimitError) Error() string {
	unit := "rows"
	if e.Option == optionBytes {
		unit = "bytes"
	}
	return fmt.Sprintf("combining the shards' rows would keep more than %d %s at the gate (%s): narrow the statement or raise %s",
		e.Limit, unit, e.Fragment, e.Option)
}

// UndoError says that a statement failed inside a transaction and that what it
// had done on some shard could not be undone: the transaction must be rolled
// back.
type UndoError struct {
	Err  error // why the statement failed
	Undo error // why undoing it failed
}

func (e *UndoError) Error() string {
	return fmt.Sprintf("%v; undoing the statement failed too (%v), so the transaction can only be rolled back", e.Err, e.Undo)
}

// Unwrap returns both errors, the statement's first.
func (e *UndoError) Unwrap() []error { return []error{e.Err, e.Undo} }

const (
	optionRows  = "max_combine_rows"
	optionBytes = "max_combine_bytes"
)

// meter counts what a statement keeps. It belongs to one goroutine.
type meter struct {
	limits      Limits
	rows, bytes int64
}

// add counts rows and bytes more for what, a fragment or an operation.
func (m *meter) add(rows, bytes int64, what string) error {
	m.rows += rows
	m.bytes += bytes
	if m.limits.MaxCombineRows > 0 && m.rows > m.limits.MaxCombineRows {
		return &LimitError{Option: optionRows, Limit: m.limits.MaxCombineRows, Fragment: what}
	}
	if m.limits.MaxCombineBytes > 0 && m.bytes > m.limits.MaxCombineBytes {
		return &LimitError{Option: optionBytes, Limit: m.limits.MaxCombineBytes, Fragment: what}
	}
	return nil
}

// canceled is the error of a context that ended.
func canceled(ctx context.Context) error {
	return &tablet.Error{Code: tablet.CodeCanceled, Err: ctx.Err(), Message: "the statement was canceled: " + ctx.Err().Error()}
}
