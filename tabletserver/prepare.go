package tabletserver

import (
	"context"

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

// redoPiece is about how many values one kept query holds: growing a longer list
// would copy it again and again, and keep twice its size for a while.
const redoPiece = 1 << 14

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
	if len(last.Args) >= redoPiece {
		return nil
	}
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

// remember puts back what the transaction would have let the tablet forget.
func (x *Tx) remember() {
	x.t.forget.add(x.forgot)
	x.t.decisions.old.add(x.outdated)
	x.forgot, x.outdated = nil, nil
}

// mark inserts the marker, and takes the chance to delete those of forgot. The
// caller has the write lock.
func (t *Tablet) mark(c Conn, dtid string, forgot []string) error {
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

// run runs a statement of the tablet's own.
func run(c Conn, sql string, args ...tablet.Value) error {
	defer c.Trust(c.Trust(true))
	s, err := c.Prepare(sql)
	if err != nil {
		return err
	}
	defer s.Release()
	return s.Exec(args)
}

// look runs a query of the tablet's own on its newest state.
func (t *Tablet) look(ctx context.Context, sql string, args ...tablet.Value) ([][]tablet.Value, error) {
	c, err := t.readers.get(ctx)
	if err != nil {
		return nil, err
	}
	defer t.readers.put(c)
	if err := c.lock(); err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	if err := t.freshen(ctx, c); err != nil {
		return nil, err
	}
	rows, err := c.c.QueryAll(ctx, sql, args...)
	if tablet.CodeOf(err) == tablet.CodeNoTable {
		return nil, nil
	}
	return rows, err
}

// Applied says whether the marker of a distributed transaction is there.
func (t *Tablet) Applied(ctx context.Context, dtid string) (bool, error) {
	rows, err := t.look(ctx, findMarker, dtid)
	return len(rows) > 0, t.at(err)
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
	rows, err := t.look(ctx, "SELECT dtid FROM _vt_applied")
	if err != nil || len(rows) == 0 {
		return t.at(err)
	}
	var dtids []string
	for _, r := range rows {
		if id, ok := r[0].(string); ok {
			dtids = append(dtids, id)
		}
	}
	return t.deleteMarkers(ctx, func() []string { return dtids })
}

func (t *Tablet) deleteMarkers(ctx context.Context, which func() []string) error {
	return t.deleteOwn(ctx, createMarkers, deleteMarker, which)
}

// deleteOwn deletes transactions' rows from a table of the tablet's own, in a
// transaction by itself.
func (t *Tablet) deleteOwn(ctx context.Context, create, del string, which func() []string) error {
	w, err := t.takeWriter(ctx)
	if err != nil {
		return t.at(err)
	}
	defer t.leaveWriter(w)
	w.c.SetContext(ctx)
	if err := w.c.Control("BEGIN IMMEDIATE"); err != nil {
		return t.at(err)
	}
	if err := run(w.c, create); err != nil {
		return t.at(err)
	}
	for _, dtid := range which() {
		if err := run(w.c, del, dtid); err != nil {
			return t.at(err)
		}
	}
	if err := w.c.Control("COMMIT"); err != nil {
		return t.at(err)
	}
	t.committed(w)
	return nil
}
