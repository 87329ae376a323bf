package host

import (
	"context"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// Shard is one tablet of a host. Its database is open while it is used, and for a
// while after. It is safe for concurrent use.
type Shard struct {
	h      *Host
	target tablet.Target
	path   string

	mu    sync.Mutex
	t     *tabletserver.Tablet // nil while it is closed
	uses  int
	last  time.Time     // of the last use's end
	turn  chan struct{} // while it is opened or closed; closed at the end of that
	stale bool          // its users have the turn: when they are gone, it is closed
	gone  bool          // the keyspace was dropped
}

var (
	_ tablet.Tablet      = (*Shard)(nil)
	_ tablet.Memory      = (*Shard)(nil)
	_ tablet.Snapshotter = (*Shard)(nil)
)

// enter gives the tablet, open, until leave is called. beyond is room's.
func (s *Shard) enter(ctx context.Context, beyond bool) (*tabletserver.Tablet, error) {
	room := false // for one more is ours
	defer func() {
		if room {
			s.h.unroom()
		}
	}()
	for {
		s.mu.Lock()
		turn := s.turn
		switch {
		case s.gone:
			s.mu.Unlock()
			return nil, &tablet.Error{Code: tablet.CodeWrongShard, Target: s.target, Message: "the keyspace was dropped; read the catalog anew"}
		case turn != nil:
			s.mu.Unlock()
			select {
			case <-turn:
			case <-ctx.Done():
				return nil, canceled(ctx, s.target)
			}
		case s.t != nil:
			s.uses++
			t := s.t
			s.mu.Unlock()
			return t, nil
		case room:
			s.turn = make(chan struct{})
			s.mu.Unlock()
			t, err := s.open(ctx)
			room = err != nil
			return t, err
		default:
			// Nobody waits for room with the turn: who needs the tablet to settle
			// something doesn't wait.
			s.mu.Unlock()
			if err := s.h.room(ctx, s.target, beyond); err != nil {
				return nil, err
			}
			room = true
		}
	}
}

func canceled(ctx context.Context, at tablet.Target) error {
	return &tablet.Error{Code: tablet.CodeCanceled, Target: at, Message: "the request was interrupted: " + ctx.Err().Error(), Err: ctx.Err()}
}

// open opens the tablet for its first user, who has the turn.
func (s *Shard) open(ctx context.Context) (*tabletserver.Tablet, error) {
	t, err := s.start(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.t = t
		s.uses++
	}
	close(s.turn)
	s.turn = nil
	return t, err
}

func (s *Shard) start(ctx context.Context) (*tabletserver.Tablet, error) {
	cfg := s.h.opts.Tablet
	cfg.Target, cfg.Path, cfg.Disk, cfg.Waits, cfg.Peer = s.target, s.path, s.h.opts.Disk, s.h.waits, s.h.peer
	t, err := tabletserver.Open(ctx, cfg)
	if err != nil || t.Unsettled() {
		return t, err
	}
	// The directory's own log is empty, and this tablet's has nothing that waits: no
	// marker is needed any more. With a full disk they do no harm.
	if err := t.ForgetAll(ctx); err != nil && tablet.CodeOf(err) != tablet.CodeFull {
		_ = t.Close()
		return nil, err
	}
	return t, nil
}

// leave ends a use.
func (s *Shard) leave() {
	s.mu.Lock()
	s.uses--
	s.last = time.Now()
	free, stale := s.uses == 0, s.stale
	s.mu.Unlock()
	switch {
	case free && stale:
		s.finish()
	case free && s.h.full():
		s.h.signal()
	}
}

// distrust has the tablet opened anew for all who come later, once those who use
// it now are gone. The caller is one of them.
func (s *Shard) distrust() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turn == nil {
		s.turn, s.stale = make(chan struct{}), true
	}
}

// idle says whether the tablet is open and could be closed, and since when.
func (s *Shard) idle() (since time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.idleLocked()
}

func (s *Shard) idleLocked() bool {
	return s.t != nil && s.turn == nil && s.uses == 0 && !s.t.Unsettled()
}

func (s *Shard) unsettled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.t != nil && s.turn == nil && s.t.Unsettled()
}

// closeIdle closes the tablet if nobody has used it for so long.
func (s *Shard) closeIdle(since time.Duration) bool {
	return s.shutIf(func() bool { return s.idleLocked() && time.Since(s.last) >= since })
}

// shutIf closes an open tablet if ok, which is called with the lock held, says so.
func (s *Shard) shutIf(ok func() bool) bool {
	s.mu.Lock()
	if s.t == nil || s.turn != nil || !ok() {
		s.mu.Unlock()
		return false
	}
	s.turn = make(chan struct{})
	s.mu.Unlock()
	s.finish()
	return true
}

// finish closes the tablet and ends the turn, which the caller has.
func (s *Shard) finish() {
	_ = s.t.Close()
	s.h.unroom()
	s.mu.Lock()
	s.t, s.stale = nil, false
	close(s.turn)
	s.turn = nil
	s.mu.Unlock()
}

// shut closes the tablet whoever uses it; their calls fail. One that is being
// opened or closed is waited for.
func (s *Shard) shut() error {
	for {
		s.mu.Lock()
		turn, t := s.turn, s.t
		s.mu.Unlock()
		switch {
		case turn != nil:
			<-turn
		case t == nil:
			return nil
		default:
			s.shutIf(func() bool { return true })
		}
	}
}

// Target says which shard this is.
func (s *Shard) Target() tablet.Target { return s.target }

// Close does nothing: the host closes it.
func (s *Shard) Close() error { return nil }

// Capabilities says what the engine can do, as long as the tablet can be opened.
func (s *Shard) Capabilities() tablet.Capabilities {
	t, err := s.enter(s.h.life, false)
	if err != nil {
		return tablet.Capabilities{}
	}
	defer s.leave()
	return t.Capabilities()
}

// use runs f on the open tablet.
func use[T any](ctx context.Context, s *Shard, f func(*tabletserver.Tablet) (T, error)) (T, error) {
	t, err := s.enter(ctx, false)
	if err != nil {
		var zero T
		return zero, err
	}
	defer s.leave()
	return f(t)
}

// Ping reads from the database.
func (s *Shard) Ping(ctx context.Context) error {
	_, err := use(ctx, s, func(t *tabletserver.Tablet) (struct{}, error) { return struct{}{}, t.Ping(ctx) })
	return err
}

// Exec runs a statement in autocommit.
func (s *Shard) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	return use(ctx, s, func(t *tabletserver.Tablet) (tablet.Result, error) { return t.Exec(ctx, q) })
}

// Remembers implements tablet.Memory.
func (s *Shard) Remembers() time.Duration { return s.h.opts.Tablet.Remember }

// Recall implements tablet.Memory.
func (s *Shard) Recall(ctx context.Context, name string) ([]byte, bool, error) {
	t, err := s.enter(ctx, false)
	if err != nil {
		return nil, false, err
	}
	defer s.leave()
	return t.Recall(ctx, name)
}

// Query runs a statement that returns rows. The tablet stays open until they are
// closed.
func (s *Shard) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	t, err := s.enter(ctx, false)
	if err != nil {
		return nil, err
	}
	r, err := t.Query(ctx, q)
	if err != nil {
		s.leave()
		return nil, err
	}
	return &rows{Rows: r, s: s}, nil
}

// rows keep the tablet open.
type rows struct {
	tablet.Rows
	s *Shard // nil once closed
}

// Moment implements tablet.Timed.
func (r *rows) Moment() (tablet.Moment, bool) { return tablet.MomentOf(r.Rows) }

func (r *rows) Close() error {
	err := r.Rows.Close()
	if s := r.s; s != nil {
		r.s = nil
		s.leave()
	}
	return err
}
