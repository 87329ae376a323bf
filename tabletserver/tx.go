package tabletserver

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// Tx is a transaction on the shard. It takes a connection when it runs its
// first statement: the writer, with the write lock, when that one writes, else
// a reader, whose snapshot it keeps and which takes the write lock later, if
// ever. It belongs to one goroutine at a time.
type Tx struct {
	t       *Tablet
	opts    tablet.TxOptions
	c       *conn  // nil before the first statement and after the end
	awaited func() // ends what startRead has awaited; nil when it needn't
	// locked says that the transaction holds the write queue; c is the writer
	// then, unless the transaction has read first.
	locked   bool
	read     bool // its snapshot is taken
	wrote    bool
	own      bool   // the statement is the tablet's
	period   int64  // of requests, in which it has kept a name
	moves    bool   // it may have changed the schema's version
	schema   uint64 // the version that its snapshot shows
	done     bool
	stuck    bool  // nobody knows whether its commit is on the disk; it keeps its lock
	err      error // what broke it; only Rollback is possible
	saves    []savepoint
	redo     redo
	place    tablet.Place // where its writes ran, if they are to be replayed there only
	noKeys   bool         // what replays it leaves foreign keys unchecked
	part     protocol.Participant
	dtid     string
	holder   tablet.Target // of dtid's decision, if this tablet keeps the redo
	forgot   []string      // markers whose deletion rides along
	outdated []string      // decisions, likewise
	streams  []*rows
}

var _ tablet.Tx = (*Tx)(nil)

// savepoint remembers what RollbackTo must restore beside the database. Its
// name in SQL is made of its depth, so that shadowed names don't mix.
type savepoint struct {
	name  string
	redo  redoMark
	wrote bool
}

// startRead takes a reader and its snapshot. Where that is gone with the next commit, there
// is none before the caller calls left: a transaction's first statement finds it there.
func (x *Tx) startRead(ctx context.Context) error {
	c, err := x.t.readers.get(ctx)
	if err != nil {
		return err
	}
	if err := c.lock(); err != nil {
		return err
	}
	if err = x.await(ctx, c); err == nil {
		err = x.t.freshen(ctx, c)
	}
	if err == nil {
		c.sticky = false // the transaction is ours now
		x.schema = c.schema
		err = x.openSaves(c)
	}
	if err != nil && c.c.InTransaction() {
		_ = c.c.Control("ROLLBACK")
	}
	c.mu.Unlock()
	if err != nil {
		x.left()
		x.t.readers.put(c)
		return err
	}
	x.c = c
	return nil
}

// startWrite takes the write lock and the writer.
func (x *Tx) startWrite(ctx context.Context) error {
	if err := x.takeLock(ctx); err != nil {
		return err
	}
	w := x.t.writer
	err := w.lock()
	if err == nil {
		err = x.foreignKeys(w, false)
		if err == nil {
			x.schema, err = x.t.writerSchema(ctx, w)
		}
		if err == nil {
			err = w.c.Control("BEGIN IMMEDIATE")
		}
		if err == nil {
			err = x.openSaves(w)
		}
		if err != nil {
			if w.c.InTransaction() {
				_ = w.c.Control("ROLLBACK")
			}
			_ = x.foreignKeys(w, true)
		}
		w.mu.Unlock()
	}
	if err != nil {
		x.locked = false
		x.t.queue.Release()
		return err
	}
	x.c, x.read = w, true
	return nil
}

func (x *Tx) takeLock(ctx context.Context) error {
	switch {
	case x.opts.ReadOnly:
		return &tablet.Error{Code: tablet.CodeTxReadOnly, Message: "the transaction is read-only"}
	case x.t.cfg.ReadOnly:
		return errReadOnly()
	}
	if err := x.t.writable(); err != nil {
		return err
	}
	if err := x.t.queue.Acquire(ctx, x.claim(), x.opts.LockWait); err != nil {
		return err
	}
	x.locked = true
	return nil
}

// openSaves sets the savepoints that were asked for before there was a
// connection.
func (x *Tx) openSaves(c *conn) error {
	for i := range x.saves {
		if err := c.c.Control("SAVEPOINT " + saveName(i)); err != nil {
			return err
		}
	}
	return nil
}

// usable says why a statement can't run now, if it can't.
func (x *Tx) usable() error {
	switch {
	case x.done:
		return misuse("the transaction has ended")
	case x.err != nil:
		return x.err
	case x.part.Known():
		return misuse("the transaction is prepared as " + x.dtid + "; it can only be committed or rolled back")
	}
	return nil
}

// begin readies the statement for running: it takes the connection and the
// write lock that it needs. With no error, the connection is locked, and the
// caller releases the statement.
func (x *Tx) begin(ctx context.Context, q *tablet.Query) (Stmt, error) {
	if err := x.usable(); err != nil {
		return nil, err
	}
	sql := q.SQL
	kind := sqlite.KindOf(sql)
	if err := checkKind(kind); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, canceled(err)
	}
	if x.c == nil {
		start := x.startRead
		if writes(kind, sql) && !x.opts.ReadOnly {
			start = x.startWrite
		}
		if err := start(ctx); err != nil {
			return nil, err
		}
	} else if !x.locked && !writes(kind, sql) {
		if err := x.await(ctx, x.c); err != nil {
			return nil, err
		}
	}
	if err := admit(q, x.schema); err != nil {
		if !x.locked && !x.read {
			x.leaveReader() // nothing keeps the transaction to this snapshot
		}
		return nil, err
	}
	s, err := x.prepare(ctx, sql)
	if err != nil {
		return nil, err
	}
	if x.locked || (s.ReadOnly() && !x.opts.Write) {
		if s.ReadOnly() {
			x.read = true
		}
		return s, nil
	}
	s.Release()
	x.c.mu.Unlock()
	x.left() // who has the lock may wait for it
	if x.read || x.opts.ReadOnly {
		if err = x.takeLock(ctx); err == nil && x.t.cfg.Engine != nil {
			err = x.writeApart()
		}
	} else {
		// Nothing is read yet: leave the reader for the writer.
		x.leaveReader()
		err = x.startWrite(ctx)
	}
	if err == nil {
		err = admit(q, x.schema)
	}
	if err != nil {
		return nil, err
	}
	return x.prepare(ctx, sql)
}

// prepare locks the connection and prepares sql on it.
func (x *Tx) prepare(ctx context.Context, sql string) (Stmt, error) {
	if err := x.c.lock(); err != nil {
		return nil, err
	}
	x.c.c.SetContext(ctx)
	defer x.c.c.Trust(x.c.c.Trust(x.own))
	s, err := x.c.c.Prepare(sql)
	if err != nil {
		x.failed(err)
		x.c.mu.Unlock()
	}
	return s, err
}

func (x *Tx) leaveReader() {
	x.left()
	c := x.c
	x.c = nil
	if c.lock() == nil {
		if c.c.InTransaction() {
			_ = c.c.Control("ROLLBACK")
		}
		c.mu.Unlock()
		x.t.readers.put(c)
	}
}

// failed looks, with the connection locked, at what an error left of the
// transaction. SQLite undoes a failing statement alone, but rolls everything
// back on some errors: no space, no memory, an interrupted write, ON CONFLICT
// ROLLBACK.
func (x *Tx) failed(err error) {
	if x.err != nil {
		return
	}
	if tablet.CodeOf(err) == tablet.CodeConflict || !x.c.c.InTransaction() || x.c.c.Broken() {
		x.err = x.t.at(err)
	}
}

// Query runs a statement that returns rows.
func (x *Tx) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	if q.Batch > 0 {
		return nil, x.t.at(misuse("a batch returns no rows; use Exec"))
	}
	defer x.left()
	s, err := x.begin(ctx, q)
	if err != nil {
		return nil, x.t.at(err)
	}
	defer x.c.mu.Unlock()
	if !s.ReadOnly() {
		defer s.Release()
		before := x.c.c.TotalChanges()
		var m *memRows
		err := x.patiently(ctx, func() (err error) {
			m, err = collect(s, q.Args)
			return err
		})
		if err != nil {
			x.failed(err)
			return nil, x.t.at(err)
		}
		x.changed(s, q, before)
		return m, nil
	}
	seen := x.c.seen
	var begun *tablet.Moment
	if !x.locked {
		begun = x.t.begun(q, seen)
	}
	r, err := startRows(ctx, x.t, x.c, s, q.Args)
	if err != nil {
		x.failed(err)
		return nil, x.t.at(err)
	}
	r.begun, r.seen = begun, seen
	if r.c != nil {
		r.x = x
		x.streams = append(x.streams, r)
	}
	return r, nil
}

// Exec runs a statement, or a batch of one.
func (x *Tx) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	defer x.left()
	s, err := x.begin(ctx, q)
	if err != nil {
		return tablet.Result{}, x.t.at(err)
	}
	defer x.c.mu.Unlock()
	defer x.c.c.Trust(x.c.c.Trust(x.own))
	defer s.Release()
	before := x.c.c.TotalChanges()
	var res tablet.Result
	err = x.patiently(ctx, func() (err error) {
		res, err = x.runBatch(s, q)
		return err
	})
	if err != nil {
		x.failed(err)
		return tablet.Result{}, x.t.at(err)
	}
	x.changed(s, q, before)
	return res, nil
}

// patiently repeats a transaction's first write while SQLite finds its own write
// lock taken. With the queue held, that is for a moment only: a reader takes it
// when it comes upon the log's index just as it is written. SQLite doesn't wait
// for it in a transaction that has read, lest two of them wait for each other.
func (x *Tx) patiently(ctx context.Context, write func() error) error {
	err := write()
	if !sqlite.IsBusy(err) {
		return err
	}
	until := time.Now().Add(x.opts.LockWait)
	for wait := 20 * time.Microsecond; ; wait = min(2*wait, 2*time.Millisecond) {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return canceled(ctx.Err())
		case <-timer.C:
		}
		err = write()
		if !sqlite.IsBusy(err) || time.Now().After(until) {
			return err
		}
	}
}

// changed notes a statement that was run for Wrote and for replay.
func (x *Tx) changed(s Stmt, q *tablet.Query, before int64) {
	switch s.Kind() {
	case sqlite.KindInsert, sqlite.KindChange, sqlite.KindWith:
		if x.c.c.TotalChanges() == before {
			return
		}
		x.wrote = true
	case sqlite.KindPragma:
		if !writes(s.Kind(), q.SQL) {
			return
		}
		if !s.ReadOnly() {
			x.wrote = true
		}
	default:
		if s.ReadOnly() {
			return
		}
		x.wrote = true
	}
	x.redo.add(q, x.t.cfg.MaxRedoBytes)
}

// Wrote says whether the transaction has changed anything.
func (x *Tx) Wrote() bool { return x.wrote }

func saveName(depth int) string { return "_vt_s" + strconv.Itoa(depth) }

// Savepoint sets a savepoint.
func (x *Tx) Savepoint(_ context.Context, name string) error {
	if err := x.usable(); err != nil {
		return x.t.at(err)
	}
	if err := x.control("SAVEPOINT " + saveName(len(x.saves))); err != nil {
		return err
	}
	x.saves = append(x.saves, savepoint{name: name, redo: x.redo.mark(), wrote: x.wrote})
	return nil
}

// RollbackTo undoes what was done since the savepoint, which stays set.
func (x *Tx) RollbackTo(_ context.Context, name string) error {
	i, err := x.findSave(name)
	if err != nil {
		return err
	}
	if err := x.control("ROLLBACK TO " + saveName(i)); err != nil {
		return err
	}
	s := x.saves[i]
	x.saves = x.saves[:i+1]
	x.redo.truncate(s.redo)
	x.wrote = s.wrote
	return nil
}

// Release forgets the savepoint and those set after it.
func (x *Tx) Release(_ context.Context, name string) error {
	i, err := x.findSave(name)
	if err != nil {
		return err
	}
	if err := x.control("RELEASE " + saveName(i)); err != nil {
		return err
	}
	x.saves = x.saves[:i]
	return nil
}

func (x *Tx) findSave(name string) (int, error) {
	if err := x.usable(); err != nil {
		return 0, x.t.at(err)
	}
	for i := len(x.saves) - 1; i >= 0; i-- {
		if strings.EqualFold(x.saves[i].name, name) {
			return i, nil
		}
	}
	return 0, x.t.at(misuse("savepoint " + strconv.Quote(name) + " does not exist in this transaction"))
}

// control runs transaction control on the connection, if there is one yet.
func (x *Tx) control(sql string) error {
	if x.c == nil {
		return nil
	}
	if err := x.c.lock(); err != nil {
		return x.t.at(err)
	}
	defer x.c.mu.Unlock()
	if err := x.c.c.Control(sql); err != nil {
		x.failed(err)
		return x.t.at(err)
	}
	return nil
}

// Commit commits. When it fails for a deferred constraint, the transaction is
// still there to be corrected or rolled back.
func (x *Tx) Commit(ctx context.Context) error {
	if err := x.usable(); err != nil {
		return x.t.at(err)
	}
	if err := ctx.Err(); err != nil {
		return x.t.at(canceled(err))
	}
	if x.c == nil {
		x.done = true
		return nil
	}
	if err := x.c.lock(); err != nil {
		return x.t.at(err)
	}
	x.endStreams()
	err := x.c.c.Control("COMMIT")
	if err != nil {
		if x.locked {
			x.t.commits.settle()
		}
		x.failed(err)
		if x.locked {
			err = x.t.failedCommit(x.c, err)
		}
		x.c.mu.Unlock()
		return x.t.at(err)
	}
	x.committed()
	x.leave()
	return nil
}

// committed tells the tablet what the commit, just done, has changed.
func (x *Tx) committed() {
	if x.moves {
		x.t.schema = 0
	}
	if x.period != 0 && (x.period != x.t.requests.period || !x.t.requests.made) {
		x.t.requests = requests{made: true, period: x.period, turned: time.Now()}
	}
	if x.wrote {
		x.t.committed(x.c)
	}
}

// Rollback undoes everything.
func (x *Tx) Rollback() error {
	if x.part.Keeps {
		x.t.doubt.mu.Lock()
		defer x.t.doubt.mu.Unlock()
	}
	if x.done || x.stuck {
		return nil
	}
	if x.part.Known() {
		_, err := x.step(protocol.Msg{Kind: protocol.Abort})
		return err
	}
	x.remember()
	if x.c == nil {
		x.done = true
		x.unlock()
		return nil
	}
	if x.c.lock() != nil { // the tablet is closed, and SQLite has rolled back
		x.c, x.done = nil, true
		x.unlock()
		return nil
	}
	x.endStreams()
	switch c := x.c; {
	case !c.c.InTransaction():
	case !x.locked && x.err == nil && len(x.saves) == 0:
		c.sticky = true // the snapshot is the pool's again, as good as it was
	default:
		_ = c.c.Control("ROLLBACK")
	}
	x.leave()
	return nil
}

// leave gives the locked connection and the write lock back.
func (x *Tx) leave() {
	c := x.c
	x.c, x.done = nil, true
	_ = x.foreignKeys(c, true)
	x.t.checkDurable(c)
	broken := c.c.Broken()
	c.mu.Unlock()
	switch {
	case c != x.t.writer:
		x.t.readers.put(c)
	case broken:
		x.t.replaceWriter()
	}
	x.unlock()
}

func (x *Tx) unlock() {
	if x.locked {
		x.locked = false
		x.t.commits.settle()
		x.t.queue.Release()
		x.t.decisions.unlocked()
	}
}

// endStreams ends the streams that are still open, with the connection locked.
func (x *Tx) endStreams() {
	for _, r := range x.streams {
		r.s.Release()
		r.c, r.s, r.x = nil, nil, nil
		r.err = x.t.at(misuse("the transaction ended while its rows were read"))
	}
	x.streams = nil
}

// drop takes a stream off the list.
func (x *Tx) drop(r *rows) {
	for i := range x.streams {
		if x.streams[i] == r {
			n := len(x.streams) - 1
			x.streams[i] = x.streams[n]
			x.streams = x.streams[:n]
			return
		}
	}
}
