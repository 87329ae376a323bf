package rpc

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// A snapshot of a tablet elsewhere is a transaction that only reads: SNAPSHOT begins
// it and takes the snapshot, and NEWEST tells whether it is still the newest.

var (
	_ tablet.Snapshotter = (*Tablet)(nil)
	_ tablet.SnapshotTx  = (*Tx)(nil)
	_ tablet.Snapshot    = (*snapshot)(nil)
)

// snapshot is a transaction for reading that goroutines may share: the server has
// them take turns.
type snapshot struct {
	t      *Tablet
	l      *lane
	id     string
	moment *tablet.Moment // as of its taking, if that was told
}

// Snapshot takes a snapshot of the shard as it is now.
func (t *Tablet) Snapshot(ctx context.Context) (tablet.Snapshot, error) {
	s := &snapshot{t: t, l: t.c.anyLane(), id: rand.Text()}
	r := &Request{Type: TypeSnapshot, Target: t.target, TxID: s.id, Begin: &tablet.TxOptions{ReadOnly: true}}
	f, err := t.c.call(ctx, s.l, r, once)
	if err == nil {
		s.moment, err = t.momentIn(f)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// Query runs a read on the snapshot.
func (s *snapshot) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	r := &Request{Type: TypeShardQuery, Target: s.t.target, TxID: s.id, SQL: q.SQL, Params: q.Args, Schema: q.Schema, Stream: true}
	f, err := s.t.c.call(ctx, s.l, r, once)
	if err != nil {
		return nil, err
	}
	rows, err := newRows(ctx, s.t, s.l, f)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// momentIn reads an answer's moment, nil where there is none.
func (t *Tablet) momentIn(f *fields) (*tablet.Moment, error) {
	m := f.moment()
	if f.err != nil {
		return nil, t.malformed(f.err)
	}
	return m, nil
}

func (f *fields) moment() *tablet.Moment {
	m := take[map[string]any](f, "moment")
	if m == nil {
		return nil
	}
	in := &fields{m: m}
	defer f.note(in)
	return &tablet.Moment{Clock: take[string](in, "clock"), Since: take[int64](in, "since"), Until: take[int64](in, "until")}
}

// momentOr gives what may be known.
func momentOr(m *tablet.Moment) (tablet.Moment, bool) {
	if m == nil {
		return tablet.Moment{}, false
	}
	return *m, true
}

// Moment implements tablet.Timed.
func (s *snapshot) Moment() (tablet.Moment, bool) { return momentOr(s.moment) }

// Moment implements tablet.Timed.
func (x *Tx) Moment() (tablet.Moment, bool) { return momentOr(x.moment) }

// Newest asks whether the snapshot is the newest. One that can't be asked isn't.
func (s *snapshot) Newest(ctx context.Context) bool { return s.t.newest(ctx, s.l, s.id) }

func (t *Tablet) newest(ctx context.Context, l *lane, id string) bool {
	f, err := t.c.call(ctx, l, &Request{Type: TypeNewest, Target: t.target, TxID: id}, reads)
	return err == nil && take[bool](f, "newest") && f.err == nil
}

// Close lets go of the snapshot. Nobody waits for that.
func (s *snapshot) Close() error {
	s.t.c.tell(s.l, &Request{Type: TypeShardRollback, Target: s.t.target, TxID: s.id})
	return nil
}

// TakeSnapshot takes the transaction's snapshot.
func (x *Tx) TakeSnapshot(ctx context.Context) error {
	x.moment = nil
	f, err := x.call(ctx, &Request{Type: TypeSnapshot}, inTx)
	if err == nil {
		x.moment, err = x.t.momentIn(f)
	}
	return err
}

// Newest asks whether the transaction's snapshot is the newest.
func (x *Tx) Newest(ctx context.Context) bool {
	return x.begun && !x.over && x.lost == nil && x.t.newest(ctx, x.l, x.id)
}

// HoldCommits keeps commits from showing on the shard, for as long as the server
// allows.
func (t *Tablet) HoldCommits(ctx context.Context) (release func() bool, err error) {
	return t.hold(ctx, TypeHoldCommits)
}

// HoldDecisions keeps transactions from being decided there, likewise.
func (t *Tablet) HoldDecisions(ctx context.Context) (release func() bool, err error) {
	return t.hold(ctx, TypeHoldDecisions)
}

func (t *Tablet) hold(ctx context.Context, kind Type) (release func() bool, err error) {
	r := &Request{Type: kind, Target: t.target}
	_, err = t.c.call(ctx, nil, r, once)
	release = func() bool {
		ctx, stop := context.WithTimeout(context.Background(), rollbackTime)
		defer stop()
		f, err := t.c.call(ctx, nil, &Request{Type: TypeLetGo, Target: t.target, Ref: r.ID}, repeatable)
		return err == nil && take[bool](f, "held")
	}
	if err != nil {
		if !neverSent(err) {
			release()
		}
		return nil, err
	}
	return release, nil
}

// hold keeps commits from showing, or transactions from being decided, for a
// client that may never be heard of again.
type hold struct {
	once    sync.Once
	timer   *time.Timer
	release func() bool
	held    bool
}

// end lets go; it says whether it was held until now.
func (h *hold) end() bool {
	h.once.Do(func() {
		h.timer.Stop()
		h.held = h.release()
	})
	held := h.held
	h.held = false
	return held
}

// hold carries out what is about moments over several shards.
func (c *session) hold(ctx context.Context, t tablet.Tablet, r *Request) (any, error) {
	if r.Type == TypeLetGo {
		c.s.mu.Lock()
		h := c.s.holds[r.Ref]
		delete(c.s.holds, r.Ref)
		c.s.mu.Unlock()
		held := h != nil && h.end()
		return c.result(r, func(o *object) { o.bool("held", held) }), nil
	}
	s, ok := t.(tablet.Snapshotter)
	if !ok || !t.Capabilities().Snapshots {
		return nil, noSnapshots()
	}
	take := s.HoldCommits
	if r.Type == TypeHoldDecisions {
		take = s.HoldDecisions
	}
	ctx, stop := context.WithTimeout(ctx, c.s.opts.Hold)
	defer stop()
	release, err := take(ctx)
	if err != nil {
		return nil, err
	}
	h := &hold{release: release}
	c.s.mu.Lock()
	h.timer = time.AfterFunc(c.s.opts.Hold, func() {
		c.s.mu.Lock()
		delete(c.s.holds, r.ID)
		c.s.mu.Unlock()
		h.end()
	})
	closed := c.s.closed
	if !closed {
		c.s.holds[r.ID] = h
	}
	c.s.mu.Unlock()
	if closed || ctx.Err() != nil {
		h.end()
		return nil, &tablet.Error{Code: tablet.CodeCanceled, Message: "the hold was interrupted"}
	}
	return c.ack(r), nil
}

func noSnapshots() error {
	return &tablet.Error{Code: tablet.CodeUnsupported, Message: "the shard's engine can't take snapshots for a moment over several shards"}
}

// moment carries out SNAPSHOT and NEWEST in a transaction, whose turn it is.
func (c *session) moment(ctx context.Context, x *openTx, r *Request) (any, error) {
	s, ok := x.tx.(tablet.SnapshotTx)
	if !ok {
		return nil, noSnapshots()
	}
	if r.Type == TypeSnapshot {
		if err := s.TakeSnapshot(ctx); err != nil {
			return nil, err
		}
		moment, known := tablet.MomentOf(x.tx)
		return &answer{c: c, r: r, kind: TypeAck, body: func(o *object) {
			if known {
				o.moment("moment", moment)
			}
		}}, nil
	}
	newest := s.Newest(ctx)
	return c.result(r, func(o *object) { o.bool("newest", newest) }), nil
}
