package tabletserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/waits"
)

// writes says whether a statement of this kind should run on the writing side
// without looking closer. A WITH statement must be prepared to know.
func writes(kind sqlite.Kind, sql string) bool {
	switch kind {
	case sqlite.KindRead, sqlite.KindWith, sqlite.KindControl:
		return false
	case sqlite.KindPragma:
		return strings.IndexByte(sql, '=') >= 0
	}
	return true
}

// checkKind refuses what would get a connection's state out of hand.
func checkKind(kind sqlite.Kind) error {
	if kind == sqlite.KindControl {
		return &tablet.Error{Code: tablet.CodeUnsupported,
			Message: "transactions and attached databases are not controlled by statements here; use Begin, Commit, Rollback and Savepoint"}
	}
	return nil
}

// Query runs a statement that returns rows, in autocommit.
func (t *Tablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	if q.Batch > 0 {
		return nil, t.at(misuse("a batch returns no rows; use Exec"))
	}
	if writes(sqlite.KindOf(q.SQL), q.SQL) {
		return t.queryWriter(ctx, q)
	}
	if t.cfg.Engine != nil {
		r, err := t.queryApart(ctx, q)
		if err == errWrites {
			return t.queryWriter(ctx, q)
		}
		return r, err
	}
	c, err := t.readers.get(ctx)
	if err != nil {
		return nil, t.at(err)
	}
	r, err := t.queryReader(ctx, c, q)
	if err == errWrites {
		return t.queryWriter(ctx, q)
	}
	if err != nil {
		return nil, t.at(err)
	}
	return r, nil
}

// errWrites is queryReader's answer to a statement that isn't a read.
var errWrites = fmt.Errorf("the statement writes")

// queryReader begins a read on c, and gives c back unless the rows need it.
func (t *Tablet) queryReader(ctx context.Context, c *conn, q *tablet.Query) (*rows, error) {
	if err := c.lock(); err != nil {
		return nil, err
	}
	r, err := t.startRead(ctx, c, q)
	c.mu.Unlock()
	if err != nil || r.c == nil {
		t.readers.put(c)
	}
	return r, err
}

func (t *Tablet) startRead(ctx context.Context, c *conn, q *tablet.Query) (*rows, error) {
	if err := t.freshen(ctx, c); err != nil {
		return nil, err
	}
	if err := admit(q, c.schema); err != nil {
		return nil, err
	}
	c.c.SetContext(ctx)
	s, err := c.c.Prepare(q.SQL)
	if err != nil {
		return nil, err
	}
	if err := checkKind(s.Kind()); err != nil {
		s.Release()
		return nil, err
	}
	if !s.ReadOnly() {
		s.Release()
		return nil, errWrites
	}
	seen := c.seen
	begun := t.begun(q, seen)
	r, err := startRows(ctx, t, c, s, q.Args)
	if err == nil {
		r.begun, r.seen = begun, seen
	}
	return r, err
}

// freshen gives c a snapshot that shows every commit up to now.
func (t *Tablet) freshen(ctx context.Context, c *conn) error {
	if c.sticky && t.commits.newest(c.seen) {
		return nil
	}
	c.unstick()
	now := t.commits.now()
	if err := c.c.Control("BEGIN"); err != nil {
		return err
	}
	c.sticky, c.seen = true, now
	var err error
	if c.schema, err = schemaOf(ctx, c.c); err != nil {
		c.unstick()
	}
	return err
}

// takeWriter waits for the write lock and gives the writer, locked.
func (t *Tablet) takeWriter(ctx context.Context) (*conn, error) {
	if t.cfg.ReadOnly {
		return nil, errReadOnly()
	}
	if err := t.writable(); err != nil {
		return nil, err
	}
	if err := t.queue.Acquire(ctx, waits.Claim{Age: waits.Youngest}, t.cfg.LockWait); err != nil {
		return nil, err
	}
	if err := t.writer.lock(); err != nil {
		t.queue.Release()
		return nil, err
	}
	return t.writer, nil
}

func errReadOnly() error {
	return &tablet.Error{Code: tablet.CodeTxReadOnly, Message: "the tablet was opened read-only"}
}

// leaveWriter gives the writer and the lock back.
func (t *Tablet) leaveWriter(w *conn) {
	if w.c.InTransaction() {
		_ = w.c.Control("ROLLBACK")
	}
	t.commits.settle()
	t.checkDurable(w)
	broken := w.c.Broken()
	w.mu.Unlock()
	if broken {
		t.replaceWriter()
	}
	t.queue.Release()
}

// replaceWriter puts a new connection in the place of a broken writer; the
// caller holds the queue. When none can be opened, the old one is tried on.
func (t *Tablet) replaceWriter() {
	c, err := t.open(context.Background())
	if err != nil {
		return
	}
	old := t.writer
	old.mu.Lock()
	if old.dead { // the tablet closes
		old.mu.Unlock()
		c.close()
		return
	}
	_ = old.c.Close()
	old.c, old.file, old.wal = c.c, c.file, 0
	if old.file != nil {
		old.hook(t)
	}
	old.mu.Unlock()
}

// queryWriter runs a write that returns rows: they are all there when it
// returns.
func (t *Tablet) queryWriter(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	w, err := t.takeWriter(ctx)
	if err != nil {
		return nil, t.at(err)
	}
	defer t.leaveWriter(w)
	w.c.SetContext(ctx)
	if err := t.admitWrite(ctx, q, w); err != nil {
		return nil, t.at(err)
	}
	s, err := w.c.Prepare(q.SQL)
	if err != nil {
		return nil, t.at(err)
	}
	// A write has a transaction of its own, since resetting a statement whose
	// rows couldn't all be read would commit it. Others, as VACUUM, can't.
	own := s.Kind() != sqlite.KindOther && s.Kind() != sqlite.KindPragma
	if own {
		err = w.c.Control("BEGIN IMMEDIATE")
	}
	var out *memRows
	if err == nil {
		out, err = collect(s, q.Args)
	}
	s.Release()
	if err == nil && own {
		err = w.c.Control("COMMIT")
	}
	if err != nil {
		return nil, t.at(t.failedCommit(w, err))
	}
	t.committed(w)
	return out, nil
}

// Exec runs a statement, or a batch of one, in autocommit.
func (t *Tablet) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	if t.cfg.ReadOnly {
		return t.execReader(ctx, q)
	}
	w, err := t.takeWriter(ctx)
	if err != nil {
		return tablet.Result{}, t.at(err)
	}
	defer t.leaveWriter(w)
	w.c.SetContext(ctx)
	if err := t.admitWrite(ctx, q, w); err != nil {
		return tablet.Result{}, t.at(err)
	}
	s, err := w.c.Prepare(q.SQL)
	if err != nil {
		return tablet.Result{}, t.at(err)
	}
	defer s.Release()
	if err := checkKind(s.Kind()); err != nil {
		return tablet.Result{}, t.at(err)
	}
	own := q.Batch > 1 || t.cfg.Engine != nil
	if own {
		if err := w.c.Control("BEGIN IMMEDIATE"); err != nil {
			return tablet.Result{}, t.at(err)
		}
	}
	res, err := runAll(s, q)
	if err == nil && own {
		err = w.c.Control("COMMIT")
	}
	if err != nil {
		return tablet.Result{}, t.at(t.failedCommit(w, err))
	}
	if !s.ReadOnly() {
		t.committed(w)
	}
	return res, nil
}

// execReader lets a read-only tablet execute what changes nothing.
func (t *Tablet) execReader(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	r, err := t.Query(ctx, q)
	if err != nil {
		return tablet.Result{}, err
	}
	return tablet.Result{}, r.Close()
}

// runAll executes q.Batch times, or once. It isn't atomic by itself.
func runAll(s Stmt, q *tablet.Query) (tablet.Result, error) {
	var res tablet.Result
	if q.Batch <= 0 {
		var err error
		res.RowsAffected, res.LastInsertID, err = s.Run(q.Args)
		return res, err
	}
	k := len(q.Args) / q.Batch
	if k*q.Batch != len(q.Args) {
		return res, misuse(fmt.Sprintf("a batch of %d executions has %d values; each needs the same number", q.Batch, len(q.Args)))
	}
	res.Changed, res.InsertIDs = make([]int64, q.Batch), make([]int64, q.Batch)
	for i := range q.Batch {
		changed, id, err := s.Run(q.Args[i*k : (i+1)*k])
		if err != nil {
			if e, ok := errors.AsType[*tablet.Error](err); ok {
				e.Execution = i + 1
			}
			return tablet.Result{}, err
		}
		res.Changed[i], res.InsertIDs[i] = changed, id
		res.RowsAffected += changed
		if id != tablet.NoRowID || i == 0 {
			res.LastInsertID = id
		}
	}
	return res, nil
}

// runBatch makes a batch's executions atomic together by a savepoint.
func (x *Tx) runBatch(s Stmt, q *tablet.Query) (tablet.Result, error) {
	if q.Batch <= 1 {
		return runAll(s, q)
	}
	c := x.c.c
	if err := c.Control("SAVEPOINT _vt_batch"); err != nil {
		return tablet.Result{}, err
	}
	res, err := runAll(s, q)
	if err != nil {
		if c.InTransaction() {
			_ = c.Control("ROLLBACK TO _vt_batch")
			_ = c.Control("RELEASE _vt_batch")
		}
		return res, err
	}
	return res, c.Control("RELEASE _vt_batch")
}
