package tabletserver

import (
	"context"
	"fmt"
	"strings"

	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
)

// redo collects what replays a transaction. Executions of one statement that
// follow each other are kept as a batch of it.
type redo struct {
	queries []tablet.Query
	size    int64
	over    bool // it grew above the limit and was given up
	marked  int  // the queries before are what a mark counts: they don't grow
}

type redoMark struct {
	n    int
	size int64
}

// queryOverhead is about what a kept query takes beside its values.
const queryOverhead = 64

// add keeps a copy of q's values; its text is immutable.
func (r *redo) add(q *tablet.Query, limit int64) {
	if r.over {
		return
	}
	last := r.last(q)
	size := int64(16 * len(q.Args))
	if last == nil {
		size += int64(queryOverhead + len(q.SQL))
	}
	for _, v := range q.Args {
		switch v := v.(type) {
		case string:
			size += int64(len(v))
		case []byte:
			size += int64(len(v))
		}
	}
	if r.size += size; r.size > limit {
		*r = redo{size: r.size, over: true}
		return
	}
	if last != nil {
		last.Batch = executions(last) + executions(q)
	} else {
		r.queries = append(r.queries, tablet.Query{SQL: q.SQL, Batch: q.Batch})
		last = &r.queries[len(r.queries)-1]
	}
	kept := len(last.Args)
	last.Args = append(last.Args, q.Args...)
	for i, v := range last.Args[kept:] {
		if b, ok := v.([]byte); ok {
			last.Args[kept+i] = append([]byte{}, b...)
		}
	}
}

// last gives the newest query if q can join it: the same statement, with as many
// values per execution.
func (r *redo) last(q *tablet.Query) *tablet.Query {
	n := len(r.queries)
	if n <= r.marked {
		return nil
	}
	last := &r.queries[n-1]
	if last.SQL != q.SQL || len(last.Args)*executions(q) != len(q.Args)*executions(last) {
		return nil
	}
	return last
}

func executions(q *tablet.Query) int { return max(1, q.Batch) }

func (r *redo) mark() redoMark {
	r.marked = len(r.queries)
	return redoMark{r.marked, r.size}
}

func (r *redo) truncate(m redoMark) {
	if r.over {
		return // what was before the mark is lost as well
	}
	clear(r.queries[m.n:])
	r.queries, r.size, r.marked = r.queries[:m.n], m.size, m.n
}

// The marker of a distributed transaction says that its writes are there.
const (
	createMarkers = "CREATE TABLE IF NOT EXISTS _vt_applied(dtid TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID"
	insertMarker  = "INSERT INTO _vt_applied(dtid) VALUES(?1)"
	findMarker    = "SELECT 1 FROM _vt_applied WHERE dtid = ?1"
	deleteMarker  = "DELETE FROM _vt_applied WHERE dtid = ?1"
)

// Prepare makes sure that the transaction can be committed, and gives what
// replays it. A transaction that has changed nothing gives an empty Redo, needs
// no replay and leaves no marker.
func (x *Tx) Prepare(ctx context.Context, dtid string) (tablet.Redo, error) {
	out := tablet.Redo{Keyspace: x.t.cfg.Target.Keyspace, Shard: x.t.cfg.Target.Shard}
	if err := x.usable(); err != nil {
		return out, x.t.at(err)
	}
	if dtid == "" {
		return out, x.t.at(misuse("a distributed transaction needs an ID"))
	}
	if err := ctx.Err(); err != nil {
		return out, x.t.at(canceled(err))
	}
	if x.redo.over {
		return out, x.t.at(&tablet.Error{Code: tablet.CodeTooBig,
			Message: fmt.Sprintf("the transaction's writes take more than %d bytes to replay; it can't be committed together with other shards", x.t.cfg.MaxRedoBytes)})
	}
	if x.wrote {
		if err := x.c.lock(); err != nil {
			return out, x.t.at(err)
		}
		defer x.c.mu.Unlock()
		x.endStreams()
		if err := x.seal(dtid); err != nil {
			x.failed(err)
			return out, x.t.at(err)
		}
		out.Queries, out.NoForeignKeys = x.redo.queries, x.opts.NoForeignKeys || x.t.cfg.NoForeignKeys
	}
	x.prepared, x.dtid = true, dtid
	return out, nil
}

// seal does all of the commit that can fail for a reason of SQL's: it looks at
// the deferred foreign keys and writes the marker. A failure leaves the
// transaction as it was.
func (x *Tx) seal(dtid string) error {
	violated, err := x.c.c.DeferredKeys()
	if err != nil {
		return err
	}
	if violated {
		return &tablet.Error{Code: tablet.CodeForeignKey, Message: "FOREIGN KEY constraint failed: a deferred one is still violated at commit"}
	}
	c := x.c.c
	if err := c.Control("SAVEPOINT _vt_seal"); err != nil {
		return err
	}
	x.forgot = x.t.forget.some()
	if err := x.t.mark(c, dtid, x.forgot); err != nil {
		x.remember()
		if c.InTransaction() {
			_ = c.Control("ROLLBACK TO _vt_seal")
			_ = c.Control("RELEASE _vt_seal")
		}
		return err
	}
	if err := c.Control("RELEASE _vt_seal"); err != nil || x.t.memory != nil {
		return err
	}
	// After the decision it is too late to find the disk full.
	return c.Flush()
}

// remember puts back what the transaction would have let the tablet forget.
func (x *Tx) remember() {
	x.t.forget.add(x.forgot)
	x.forgot = nil
}

// mark inserts the marker, and takes the chance to delete those of forgot. The
// caller has the write lock.
func (t *Tablet) mark(c *sqlite.Conn, dtid string, forgot []string) error {
	c.SetContext(context.Background())
	if !t.marked {
		if err := run(c, createMarkers); err != nil {
			return err
		}
	}
	for _, old := range forgot {
		if err := run(c, deleteMarker, old); err != nil {
			return err
		}
	}
	return run(c, insertMarker, dtid)
}

func run(c *sqlite.Conn, sql string, args ...tablet.Value) error {
	s, err := c.Prepare(sql)
	if err != nil {
		return err
	}
	defer s.Release()
	return s.Exec(args)
}

// CommitPrepared commits a prepared transaction. When it fails, the write lock
// stays held, so that nothing can come between, and the call can be repeated;
// should SQLite have rolled the transaction back, that replays it.
func (x *Tx) CommitPrepared(context.Context) error {
	switch {
	case x.done:
		return x.t.at(misuse("the transaction has ended"))
	case !x.prepared:
		return x.t.at(misuse("the transaction is not prepared"))
	}
	if x.c == nil {
		x.done = true
		x.unlock()
		return nil
	}
	if err := x.c.lock(); err != nil {
		return x.t.at(err)
	}
	x.endStreams()
	var err error
	if c := x.c.c; !x.wrote || c.InTransaction() {
		err = c.Control("COMMIT")
	} else {
		_, err = x.t.replay(context.Background(), c, x.dtid, x.redo.queries)
	}
	if err != nil {
		x.c.mu.Unlock()
		return x.t.at(err)
	}
	if x.wrote {
		x.t.marked = true
		x.t.committed(x.c)
	}
	x.leave()
	return nil
}

// Replay runs a decided transaction's writes after a crash, unless its marker
// says that they are there. applied says whether it has run them.
func (t *Tablet) Replay(ctx context.Context, dtid string, r tablet.Redo) (applied bool, err error) {
	if r.Keyspace != t.cfg.Target.Keyspace || r.Shard != t.cfg.Target.Shard {
		return false, t.at(&tablet.Error{Code: tablet.CodeWrongShard,
			Message: fmt.Sprintf("transaction %s is to be replayed on %s/%s", dtid, r.Keyspace, r.Shard)})
	}
	w, err := t.takeWriter(ctx)
	if err != nil {
		return false, t.at(err)
	}
	defer t.leaveWriter(w)
	if r.NoForeignKeys != t.cfg.NoForeignKeys {
		// What the first run did, actions of keys among it, is done again.
		during, after := foreignKeysOff, foreignKeysOn
		if t.cfg.NoForeignKeys {
			during, after = after, during
		}
		if err := w.c.Control(during); err != nil {
			return false, t.at(err)
		}
		defer func() { _ = w.c.Control(after) }()
	}
	applied, err = t.replay(ctx, w.c, dtid, r.Queries)
	if err != nil {
		return false, t.at(err)
	}
	t.marked = true
	t.committed(w)
	return applied, nil
}

// replay is Replay on a connection that has the write lock and no transaction.
func (t *Tablet) replay(ctx context.Context, c *sqlite.Conn, dtid string, queries []tablet.Query) (applied bool, err error) {
	if err := c.Control("BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	defer func() {
		if err != nil && c.InTransaction() {
			_ = c.Control("ROLLBACK")
		}
	}()
	if err := run(c, createMarkers); err != nil {
		return false, err
	}
	found, err := c.QueryAll(ctx, findMarker, dtid)
	if err != nil {
		return false, err
	}
	if len(found) == 0 {
		if err := replayAll(c, queries); err != nil {
			return false, fmt.Errorf("replay of transaction %s: %w", dtid, err)
		}
		if err := t.mark(c, dtid, nil); err != nil {
			return false, err
		}
		applied = true
	}
	return applied, c.Control("COMMIT")
}

func replayAll(c *sqlite.Conn, queries []tablet.Query) error {
	for i := range queries {
		s, err := c.Prepare(queries[i].SQL)
		if err == nil {
			_, err = runAll(s, &queries[i])
			s.Release()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Applied says whether the marker of a distributed transaction is there.
func (t *Tablet) Applied(ctx context.Context, dtid string) (bool, error) {
	r, err := t.Query(ctx, &tablet.Query{SQL: findMarker, Args: []tablet.Value{dtid}})
	if tablet.CodeOf(err) == tablet.CodeNoTable {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer r.Close()
	return r.Next(make([]tablet.Value, 1)) == nil, nil
}

// Forget lets go of the markers of transactions that nobody will replay any
// more: their records are gone from the redo log. They are deleted along with
// later transactions, or, when many have come together, at once.
func (t *Tablet) Forget(ctx context.Context, dtids []string) error {
	if !t.forget.add(dtids) {
		return nil
	}
	return t.deleteMarkers(ctx, func() []string { return t.forget.all() })
}

// ForgetAll deletes every marker. It is for the start, after recovery, when the
// redo log is empty.
func (t *Tablet) ForgetAll(ctx context.Context) error {
	rows, err := t.Query(ctx, &tablet.Query{SQL: "SELECT dtid FROM _vt_applied"})
	if tablet.CodeOf(err) == tablet.CodeNoTable {
		return nil
	}
	if err != nil {
		return err
	}
	defer rows.Close()
	var dtids []string
	for dest := make([]tablet.Value, 1); rows.Next(dest) == nil; {
		if id, ok := dest[0].(string); ok {
			dtids = append(dtids, strings.Clone(id))
		}
	}
	if err := rows.Close(); err != nil || len(dtids) == 0 {
		return err
	}
	return t.deleteMarkers(ctx, func() []string { return dtids })
}

func (t *Tablet) deleteMarkers(ctx context.Context, which func() []string) error {
	w, err := t.takeWriter(ctx)
	if err != nil {
		return t.at(err)
	}
	defer t.leaveWriter(w)
	w.c.SetContext(ctx)
	if err := w.c.Control("BEGIN IMMEDIATE"); err != nil {
		return t.at(err)
	}
	if err := run(w.c, createMarkers); err != nil {
		return t.at(err)
	}
	for _, dtid := range which() {
		if err := run(w.c, deleteMarker, dtid); err != nil {
			return t.at(err)
		}
	}
	if err := w.c.Control("COMMIT"); err != nil {
		return t.at(err)
	}
	t.committed(w)
	return nil
}
