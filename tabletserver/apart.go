package tabletserver

import (
	"context"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
	"github.com/vitessdo/vitessdo/tabletserver/waits"
)

// What is different where an [Engine] keeps the rows: a connection is a way to go, so
// that no read transaction is kept open between statements, and what is prepared is
// kept in the database itself.

// connect opens one more connection to the engine.
func (t *Tablet) connect(ctx context.Context) (*conn, error) {
	c, err := t.cfg.Engine.Connect(ctx, Hooks{Commit: t.showing})
	if err != nil {
		return nil, err
	}
	out := &conn{c: c}
	if t.cfg.NoForeignKeys {
		if err := c.Control(foreignKeysOff); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	return out, nil
}

// showing commits what is about to show.
func (t *Tablet) showing(version uint64, commit func() error) error {
	t.commits.unsettle()
	if version == 0 {
		return commit()
	}
	t.moving.Lock()
	defer t.moving.Unlock()
	t.version.Store(0) // to be read anew
	return commit()
}

// queryApart is Query for an engine.
func (t *Tablet) queryApart(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	c, err := t.readers.get(ctx)
	if err != nil {
		return nil, t.at(err)
	}
	if err := c.lock(); err != nil {
		return nil, t.at(err)
	}
	r, err := t.startApart(ctx, c, q)
	c.mu.Unlock()
	if s, ok := r.(*rows); err != nil || !ok || s.c == nil {
		t.readers.put(c)
	}
	return r, err
}

// startApart begins a read on a locked connection. The schema doesn't move before the
// statement has begun, from when on the engine sees to it.
func (t *Tablet) startApart(ctx context.Context, c *conn, q *tablet.Query) (tablet.Rows, error) {
	c.c.SetContext(ctx)
	s, err := c.c.Prepare(q.SQL)
	if err != nil {
		return nil, t.at(err)
	}
	if err = checkKind(s.Kind()); err == nil && !s.ReadOnly() {
		err = errWrites
	}
	if queued, ok := c.c.(Queued); ok && err == nil {
		// First, since a commit that moves the schema waits for who reads it.
		var leave func()
		if leave, err = queued.Await(ctx); err == nil {
			defer leave()
		}
	}
	if err == nil {
		t.moving.RLock()
		defer t.moving.RUnlock()
		err = t.admitApart(ctx, c, q)
	}
	if err != nil {
		s.Release()
		if err == errWrites {
			return nil, err
		}
		return nil, t.at(err)
	}
	r, err := startRows(ctx, t, c, s, q.Args)
	if err != nil {
		return nil, t.at(err)
	}
	if held, ok := s.(Rest); ok && r.c != nil {
		if left, all := held.Rest(); all {
			s.Release()
			return &memRows{cols: r.cols, rows: left}, nil
		}
	}
	return r, nil
}

func (t *Tablet) admitApart(ctx context.Context, c *conn, q *tablet.Query) error {
	if q.Schema == 0 {
		return nil
	}
	v := t.version.Load()
	if v == 0 {
		var err error
		if v, err = schemaOf(ctx, c.c); err != nil {
			return err
		}
		t.version.Store(v)
	}
	return admit(q, v)
}

// await waits for the database that a reader is to have for itself, until left. It may be
// a transaction's that has written: one that holds other shards' locks waits for that as it
// does for the lock, so that no two wait for each other.
func (x *Tx) await(ctx context.Context, c *conn) (err error) {
	queued, ok := c.c.(Queued)
	if !ok {
		return nil
	}
	if x.opts.Holds == nil || !x.opts.Holds() {
		x.awaited, err = queued.Await(ctx)
		return err
	}
	x.awaited, err = queued.Await(tablet.WithLockWait(ctx, tablet.NoWait))
	if tablet.CodeOf(err) != tablet.CodeLockNoWait {
		return err
	}
	if err := x.t.queue.Acquire(ctx, x.claim(), x.opts.LockWait); err != nil {
		return err
	}
	defer x.t.queue.Release() // nobody writes before the database is ours
	x.awaited, err = queued.Await(ctx)
	return err
}

func (x *Tx) claim() waits.Claim {
	return waits.Claim{ID: x.opts.ID, Age: x.opts.Age, Holds: x.opts.Holds}
}

// left ends what await has begun.
func (x *Tx) left() {
	if x.awaited != nil {
		x.awaited()
		x.awaited = nil
	}
}

// The redos of what is prepared, the newest one last.
const (
	createRedos = "CREATE TABLE IF NOT EXISTS _vt_redo(id INTEGER PRIMARY KEY AUTOINCREMENT, dtid TEXT NOT NULL, redo BLOB NOT NULL)"
	insertRedo  = "INSERT INTO _vt_redo(dtid, redo) VALUES(?1, ?2)"
	deleteRedo  = "DELETE FROM _vt_redo WHERE dtid = ?1"
	listRedos   = "SELECT dtid, redo FROM _vt_redo ORDER BY id"
)

// persistApart keeps a transaction's redo in the database, which takes that only
// once the transaction itself is rolled back there. The write lock is the
// transaction's, so that nothing comes between.
func (x *Tx) persistApart() error {
	redo, err := redolog.Encode(x.dtid, []tablet.Redo{x.redone()})
	if err != nil {
		return err
	}
	if err := x.c.lock(); err != nil {
		return err
	}
	defer x.c.mu.Unlock()
	x.endStreams()
	c := x.c.c
	if c.InTransaction() {
		_ = c.Control("ROLLBACK")
	}
	return x.t.alone(c, func() error {
		if err := run(c, createRedos); err != nil {
			return err
		}
		return run(c, insertRedo, x.dtid, redo)
	})
}

// dropApart takes back the redo of a transaction that is rolled back. Should that
// fail, the redo is found when the tablet is opened again, and its holder asked.
func (x *Tx) dropApart() {
	_ = x.t.alone(x.c.c, func() error { return run(x.c.c, deleteRedo, x.dtid) })
}

// alone runs write in a transaction of its own; the caller has the write lock.
func (t *Tablet) alone(c Conn, write func() error) error {
	c.SetContext(context.Background())
	err := c.Control("BEGIN IMMEDIATE")
	if err == nil {
		if err = write(); err == nil {
			err = c.Control("COMMIT")
		}
		if err != nil && c.InTransaction() {
			_ = c.Control("ROLLBACK")
		}
	}
	t.commits.settle()
	return err
}

// recoverApart is recoverDoubt for redos in the database.
func (t *Tablet) recoverApart(ctx context.Context) error {
	rows, err := t.writer.c.QueryAll(ctx, listRedos)
	if tablet.CodeOf(err) == tablet.CodeNoTable {
		return nil
	}
	if err != nil || len(rows) == 0 {
		return err
	}
	bytes, _ := rows[len(rows)-1][1].([]byte)
	entries, err := redolog.Decode(bytes)
	if err != nil {
		return err
	}
	d := &t.doubt
	d.mu.Lock()
	defer d.mu.Unlock()
	return t.takeUp(ctx, entries[0], func() error {
		return t.alone(t.writer.c, func() error { return run(t.writer.c, "DELETE FROM _vt_redo") })
	})
}

// writeApart makes a transaction that has read one that writes; it holds the write lock.
// The engine might refuse that because of what it keeps for itself, as its lease, though
// no row has changed since: then a new snapshot shows the same as the old one.
func (x *Tx) writeApart() (err error) {
	c := x.c
	if err := c.lock(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	defer func() {
		if err != nil && x.err == nil {
			x.err = x.t.at(err)
		}
	}()
	if !x.t.commits.newest(c.seen) {
		return &tablet.Error{Code: tablet.CodeConflict,
			Message: "another transaction has changed this shard since this one began to read it; retry the transaction"}
	}
	if u, ok := c.c.(Upgrader); ok {
		return u.Upgrade()
	}
	if c.c.InTransaction() {
		err = c.c.Control("ROLLBACK")
	}
	if err == nil {
		err = c.c.Control("BEGIN IMMEDIATE")
	}
	if err == nil {
		err = x.openSaves(c)
	}
	return err
}
