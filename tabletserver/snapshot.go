package tabletserver

import (
	"context"
	"sync"

	"github.com/vitessdo/vitessdo/tablet"
)

// snapshot keeps a reader whose read transaction is the snapshot. Its first
// stream runs on that reader. Others, side by side, run on further readers as
// long as the commit counter says that these see the same, and take turns with
// the first one else.
type snapshot struct {
	t      *Tablet
	c      *conn
	seen   int64
	mu     sync.Mutex
	busy   int // streams on c
	closed bool
}

var (
	_ tablet.Snapshotter = (*Tablet)(nil)
	_ tablet.Snapshot    = (*snapshot)(nil)
	_ tablet.SnapshotTx  = (*Tx)(nil)
)

// Snapshot takes a snapshot of the shard as it is now.
func (t *Tablet) Snapshot(ctx context.Context) (tablet.Snapshot, error) {
	c, err := t.readers.get(ctx)
	if err != nil {
		return nil, t.at(err)
	}
	if err := c.lock(); err != nil {
		return nil, t.at(err)
	}
	err = t.freshen(ctx, c)
	c.mu.Unlock()
	if err != nil {
		t.readers.put(c)
		return nil, t.at(err)
	}
	return &snapshot{t: t, c: c, seen: c.seen}, nil
}

// HoldCommits keeps commits from showing until release is called.
func (t *Tablet) HoldCommits(ctx context.Context) (release func() bool, err error) {
	free, err := t.commits.hold(ctx)
	return func() bool { free(); return true }, t.at(err)
}

// HoldDecisions keeps transactions from being decided here until release is called.
func (t *Tablet) HoldDecisions(ctx context.Context) (release func() bool, err error) {
	free, err := t.decisions.gate.hold(ctx, t.decisions.none)
	return func() bool { free(); return true }, t.at(err)
}

// Query runs a read on the snapshot.
func (s *snapshot) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, s.t.at(misuse("the snapshot is closed"))
	}
	if s.busy > 0 {
		s.mu.Unlock()
		if c := s.another(ctx); c != nil {
			r, err := s.start(ctx, c, q)
			if err != nil || r.c == nil {
				s.t.readers.put(c)
			}
			return asRows(r), s.t.at(err)
		}
		s.mu.Lock()
	}
	s.busy++
	s.mu.Unlock()
	r, err := s.start(ctx, s.c, q)
	if err != nil || r.c == nil { // no rows
		s.leave()
		return asRows(r), s.t.at(err)
	}
	r.lent = true
	return &lentRows{rows: r, snap: s}, nil
}

// lentRows is a stream on a snapshot's own reader.
type lentRows struct {
	*rows
	snap *snapshot // nil once it has left
}

// Next puts the next row into dest.
func (r *lentRows) Next(dest []tablet.Value) error {
	err := r.rows.Next(dest)
	if err != nil {
		r.leave()
	}
	return err
}

// Close ends the stream.
func (r *lentRows) Close() error {
	err := r.rows.Close()
	r.leave()
	return err
}

func (r *lentRows) leave() {
	if r.snap != nil {
		r.snap.leave()
		r.snap = nil
	}
}

func asRows(r *rows) tablet.Rows {
	if r == nil {
		return nil
	}
	return r
}

// another gives an idle reader that sees what the snapshot shows, if there is
// one.
func (s *snapshot) another(ctx context.Context) *conn {
	c := s.t.readers.spare()
	if c == nil || c.lock() != nil {
		return nil
	}
	err := s.t.freshen(ctx, c)
	c.mu.Unlock()
	if err != nil || c.seen != s.seen || !s.t.newest(s.seen) {
		s.t.readers.put(c)
		return nil
	}
	return c
}

// start begins a stream on a reader that has the snapshot.
func (s *snapshot) start(ctx context.Context, c *conn, q *tablet.Query) (*rows, error) {
	if err := c.lock(); err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	if !c.c.InTransaction() {
		return nil, &tablet.Error{Code: tablet.CodeInternal, Message: "an earlier error has ended the snapshot"}
	}
	if err := admit(q, c.schema); err != nil {
		return nil, err
	}
	c.c.SetContext(ctx)
	st, err := c.c.Prepare(q.SQL)
	if err != nil {
		return nil, err
	}
	if err = checkKind(st.Kind()); err == nil && !st.ReadOnly() {
		err = misuse("a snapshot is for reading only")
	}
	if err != nil {
		st.Release()
		return nil, err
	}
	return startRows(ctx, s.t, c, st, q.Args)
}

// leave ends a stream on the snapshot's own reader.
func (s *snapshot) leave() {
	s.mu.Lock()
	s.busy--
	last := s.busy == 0 && s.closed
	s.mu.Unlock()
	if last {
		s.t.readers.put(s.c)
	}
}

// Newest says whether the snapshot shows every commit, and nothing is prepared,
// which other shards may show already.
func (s *snapshot) Newest(context.Context) bool { return s.t.newest(s.seen) }

func (t *Tablet) newest(seen int64) bool { return t.commits.newest(seen) && !t.doubt.some.Load() }

// Close gives the reader back.
func (s *snapshot) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	idle := s.busy == 0
	s.mu.Unlock()
	if first && idle {
		s.t.readers.put(s.c)
	}
	return nil
}

// TakeSnapshot takes the transaction's snapshot now.
func (x *Tx) TakeSnapshot(ctx context.Context) error {
	if err := x.usable(); err != nil {
		return x.t.at(err)
	}
	if x.read || x.locked {
		return nil
	}
	if x.c == nil {
		if err := x.startRead(ctx); err != nil {
			return x.t.at(err)
		}
		x.left()
	}
	x.read = true
	return nil
}

// Newest says whether the transaction sees every commit.
func (x *Tx) Newest(context.Context) bool {
	return x.locked || x.c != nil && x.t.newest(x.c.seen)
}
