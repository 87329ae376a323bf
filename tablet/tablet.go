package tablet

import (
	"context"
	"math"
	"time"
)

// Value is one bound parameter or one result column: nil, int64, float64,
// string (text) or []byte (blob). Nothing else crosses the contract; the gate
// turns times, booleans and decimals into these before it sends them.
type Value = any

// Query is one statement for one shard.
type Query struct {
	// SQL is a single statement in the engine's dialect. Parameters are
	// numbered, ?1, ?2 …, and index Args; a statement may use any subset of
	// them. Engines cache prepared statements by this text.
	SQL string
	// Args are the parameter values; the tablet doesn't keep or change them
	// after the call returns (for Query: after Rows is closed).
	Args []Value
	// Batch, when above zero, executes the statement Batch times; execution i
	// binds Args[i*k:(i+1)*k] with k = len(Args)/Batch. The executions are
	// atomic together. Only Exec takes a batch.
	Batch int
	// Schema is the version of the shard's schema that the statement was planned
	// with; 0 is any. The tablet runs the statement on a database of that version
	// and no other, or refuses it with CodeSchemaChanged before it does anything.
	Schema uint64
	// Moment asks for rows that are [Timed]. Only Query knows it, and not in a
	// transaction that has the write lock.
	Moment bool
}

// NoRowID stands for the row ID of an INSERT that has inserted no row. No row has
// it.
const NoRowID = math.MinInt64

// Result is what a write answers.
type Result struct {
	// RowsAffected counts the rows that the statement inserted, changed or
	// deleted itself (triggers and foreign key actions not counted).
	RowsAffected int64
	// LastInsertID is the row ID of the last row that an INSERT or REPLACE has
	// inserted on this shard, NoRowID when it has inserted none; 0 for other
	// statements.
	LastInsertID int64
	// Changed, for a Batch, holds RowsAffected of each execution, and InsertIDs
	// its LastInsertID: that is how an
	// upsert that changed a row is told from one that made it.
	Changed, InsertIDs []int64
}

// Rows is a stream of result rows. It belongs to one goroutine at a time.
// An error is sticky: after Next returned one, it returns the same again.
type Rows interface {
	// Columns names the result's columns, as the engine gives them.
	Columns() []string
	// Next fills dest, whose length is the number of columns, with the next
	// row, or returns io.EOF. A []byte put into dest is valid until the next
	// call of Next or Close; all other values are the caller's to keep.
	Next(dest []Value) error
	// Close ends the stream and frees what it holds; it may be called at any
	// time, more than once.
	Close() error
}

// Runner runs statements: a Tablet does it in autocommit, a Tx inside itself.
//
// Query is for statements that return rows (a write with RETURNING included;
// its work is done when Next has returned io.EOF or Close was called), Exec for
// all others. Cancelling ctx interrupts the statement at once; the error then
// wraps ctx's. For Query, ctx governs the stream until Close.
type Runner interface {
	Query(ctx context.Context, q *Query) (Rows, error)
	Exec(ctx context.Context, q *Query) (Result, error)
}

// Tablet is one shard. It is safe for concurrent use.
type Tablet interface {
	Runner
	Resolver
	// Target says which shard this is.
	Target() Target
	// Capabilities says what the storage engine can do.
	Capabilities() Capabilities
	// Begin starts a transaction. It takes no lock and reads nothing yet,
	// unless opts.Write asks for the write lock from the start.
	Begin(ctx context.Context, opts TxOptions) (Tx, error)
	// Ping checks that the tablet serves.
	Ping(ctx context.Context) error
	// Close frees the tablet; open streams and transactions fail.
	Close() error
}

// Tx is a transaction on one shard. It belongs to one goroutine at a time.
// Reads see one snapshot of the shard and the transaction's own writes. The
// first write takes the shard's write lock; when another transaction has
// committed since the snapshot was taken, that write fails with CodeConflict.
type Tx interface {
	Runner
	// Wrote says whether the transaction has changed anything.
	Wrote() bool
	// Lock takes the shard's write lock now, as the first write would; it does
	// nothing when the transaction holds it.
	Lock(ctx context.Context) error
	// Savepoint, RollbackTo and Release work on named savepoints, with SQL's
	// meaning. A name may be used again, shadowing the older one.
	Savepoint(ctx context.Context, name string) error
	RollbackTo(ctx context.Context, name string) error
	Release(ctx context.Context, name string) error
	// SetSchema gives the shard's schema a version, which holds from the moment
	// that the transaction commits, for whoever gets the write lock after it and
	// for every snapshot that shows the commit. A new tablet's version is 1.
	// Nothing else than the number is changed: whoever changes the schema, or what
	// statements on the shard are planned by, calls it in the same transaction.
	SetSchema(ctx context.Context, version uint64) error
	// Commit makes the transaction durable as the tablet's options promise.
	Commit(ctx context.Context) error
	// Rollback undoes the transaction. It is safe after any error, and after
	// Commit or Rollback, where it does nothing. After Prepare with a holder it is
	// the coordinator's word that the transaction aborts: who has merely lost the
	// coordinator must not say it, and leaves the transaction to its holder.
	Rollback() error
	// Target says on which shard it is.
	Target() Target

	// The calls below make the transaction a participant of a distributed one,
	// named dtid. The documentation of package twopc says who makes which when.

	// Prepare ends the transaction's first phase: from now on the tablet can
	// commit it, whatever fails, once it has been decided. The write lock stays
	// held. holder is the tablet that keeps the decision: then the redo is
	// durable when Prepare returns, and the transaction outlives its Tx, its
	// caller and a crash, until it is committed or rolled back. With the zero
	// holder the tablet keeps nothing, and returns what replays the transaction's
	// writes for the caller to keep.
	Prepare(ctx context.Context, dtid string, holder Target) (Redo, error)
	// CommitPrepared commits a prepared transaction and leaves dtid's marker
	// with it, so that doing it again, by replay, does nothing. It may be called
	// again after an error.
	CommitPrepared(ctx context.Context) error
	// Decide commits, as Commit does, and makes durable with the commit that dtid
	// commits, for the participants, which are prepared and have this tablet as
	// their holder. After an error with code OUTCOME_UNKNOWN it may be called
	// again; after any other there is no decision and will be none.
	Decide(ctx context.Context, dtid string, participants []Target) error
	// Conclude tells the holder, after Decide, that all participants have
	// committed. It needs no answer: a holder that doesn't hear of it asks them.
	Conclude(ctx context.Context, dtid string) error
}

// Redo is a transaction's writes on one shard, in order, with every value
// bound: what a recovering tablet runs again.
type Redo struct {
	Keyspace, Shard string
	Queries         []Query
	// NoForeignKeys says that the writes ran with foreign keys unchecked, and
	// are to be replayed so.
	NoForeignKeys bool
	// Holder is the tablet that keeps the decision; zero when whoever keeps the
	// redo does.
	Holder Target
	// Place is the state of the shard on which the writes ran; zero when all that
	// was committed before them is durable.
	Place Place
}

// Place names a state of a shard whose commits aren't durable by themselves: a
// redo must not be replayed on any other.
type Place struct {
	After string // the distributed transaction that was the last to commit; "" if it was another one
	State string // the engine's name of the state
}

// TxOptions says how a transaction begins.
type TxOptions struct {
	// ReadOnly refuses writes.
	ReadOnly bool
	// Write takes the write lock at once, so that no later conflict can occur.
	Write bool
	// Late lets a tablet elsewhere do that with the transaction's first request
	// instead, before anything else: it saves a message where one follows anyway.
	Late bool
	// ID is the transaction's name at all of its shards, unlike any other's, where one
	// process keeps every shard that it may come to touch: there everything is seen
	// that it waits for, and it is refused only where transactions would wait for
	// each other in a circle. 0 where some shard may be elsewhere.
	ID uint64
	// Age orders transactions: the lower, the older. Of those that would wait for
	// each other, the youngest is told to retry. [Eldest] has a meaning of its own.
	Age uint64
	// Holds says that the session holds another shard's write lock already;
	// only such a transaction can be part of a deadlock. Without an ID it is told to
	// retry where it would wait for an older one.
	Holds func() bool
	// NoForeignKeys leaves foreign keys unchecked and their actions undone, for
	// DDL that rebuilds tables. It needs Write.
	NoForeignKeys bool
	// LockWait bounds the wait for the write lock; 0 means the tablet's own
	// default.
	LockWait time.Duration
}

// Eldest is the age of locks that are taken in one order by all who take such ones, and
// before any others, so that they can be waited for whoever holds them.
const Eldest = 1

// Target names a shard.
type Target struct {
	Keyspace string
	Shard    string // the key range, as "-80"; "-" or "0" for an only shard
}

// Capabilities says what a storage engine can do. The dialect printers and the
// planner send a shard only what it can compute.
type Capabilities struct {
	Dialect          string // "sqlite" or "postgres"
	MySQLFunctions   bool   // the functions of ours that stand in for MySQL's are registered
	TransactionalDDL bool
	HeldPrepare      bool // a prepared transaction can be held open
	ConcurrentReads  bool // readers run beside the writer
	Snapshots        bool // the tablet is a Snapshotter, and its transactions are SnapshotTxs
	// Moments: rows can be asked for their [Moment].
	Moments bool
	// LosesSnapshots: what a transaction or a Snapshot has seen is gone with the next
	// commit on the shard. Reading it then fails with CodeConflict.
	LosesSnapshots bool
	BoundKeys      bool // it can't leave foreign keys unchecked: TxOptions.NoForeignKeys

	// How much one statement may have of each; 0: no limit.
	MaxParameters int // the highest number of a parameter
	MaxStatement  int // bytes of text
	MaxColumns    int // columns of a table, a result, a SET list or GROUP BY
	MaxTerms      int // members of UNION, INTERSECT and EXCEPT
	MaxDepth      int // levels of an expression
}

// Weakest is what engines of both kinds can do.
func (c Capabilities) Weakest(o Capabilities) Capabilities {
	least := func(a, b int) int {
		if a == 0 || b != 0 && b < a {
			return b
		}
		return a
	}
	return Capabilities{
		Dialect: c.Dialect, MySQLFunctions: c.MySQLFunctions && o.MySQLFunctions,
		TransactionalDDL: c.TransactionalDDL && o.TransactionalDDL, HeldPrepare: c.HeldPrepare && o.HeldPrepare,
		ConcurrentReads: c.ConcurrentReads && o.ConcurrentReads, Snapshots: c.Snapshots && o.Snapshots, Moments: c.Moments && o.Moments,
		LosesSnapshots: c.LosesSnapshots || o.LosesSnapshots, BoundKeys: c.BoundKeys || o.BoundKeys,
		MaxParameters: least(c.MaxParameters, o.MaxParameters), MaxStatement: least(c.MaxStatement, o.MaxStatement),
		MaxColumns: least(c.MaxColumns, o.MaxColumns), MaxTerms: least(c.MaxTerms, o.MaxTerms), MaxDepth: least(c.MaxDepth, o.MaxDepth),
	}
}
