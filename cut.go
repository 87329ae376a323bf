package vitessdo

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
)

// A cut is a look at several shards as of one moment. Its snapshots are taken
// one after the other; if each is still its shard's newest when the last one is
// there, and no commit over several shards was showing itself meanwhile, then
// all of them are what the shards were at that moment. So nobody waits, as a
// rule: a cut that commits came between is taken anew, and only after a few such
// tries are commits held for as long as the snapshots take.
const cutTries = 4

// showing counts the commits over several shards that are between their first
// shard's commit and their last one's.
type showing struct {
	mu    sync.Mutex
	began uint64
	now   int
	held  chan struct{} // closed when commits may show again; nil: they may
	turn  chan struct{} // held by who holds them; made at the first use
}

// begin is called before the first shard commits, end after the last one has.
func (s *showing) begin() {
	s.mu.Lock()
	for s.held != nil {
		held := s.held
		s.mu.Unlock()
		<-held
		s.mu.Lock()
	}
	s.began++
	s.now++
	s.mu.Unlock()
}

func (s *showing) end() {
	s.mu.Lock()
	s.now--
	s.mu.Unlock()
}

// quiet says whether no commit is showing itself, and gives what still compares.
func (s *showing) quiet() (began uint64, quiet bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.began, s.now == 0
}

// still says whether none has begun to since.
func (s *showing) still(began uint64) bool {
	now, _ := s.quiet()
	return now == began
}

// hold keeps commits over several shards from showing until release is called,
// once those that are at it have ended.
func (s *showing) hold(ctx context.Context) (release func(), err error) {
	s.mu.Lock()
	if s.turn == nil {
		s.turn = make(chan struct{}, 1)
	}
	s.mu.Unlock()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	held := make(chan struct{})
	s.mu.Lock()
	s.held = held
	s.mu.Unlock()
	release = func() {
		s.mu.Lock()
		s.held = nil
		s.mu.Unlock()
		close(held)
		<-s.turn
	}
	for wait := 10 * time.Microsecond; ; wait = min(2*wait, time.Millisecond) {
		if _, quiet := s.quiet(); quiet {
			return release, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			release()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// cutLog is the coordinator's log with the cuts in mind: a commit over several
// shards begins to show when it is decided, and is done when all have it.
type cutLog struct {
	twopc.Log
	s *showing
}

// Append implements twopc.Log.
func (l cutLog) Append(dtid string, redos []tablet.Redo) error {
	if err := l.Log.Append(dtid, redos); err != nil {
		return err
	}
	l.s.begin()
	return nil
}

// Done implements twopc.Log.
func (l cutLog) Done(dtid string) {
	l.s.end()
	l.Log.Done(dtid)
}

// cutPart is a shard's share of a cut.
type cutPart interface{ Newest() bool }

// cut calls take, which takes snapshots of the shards, until they are of one
// moment; drop lets go of those that aren't. The number that it gives is for
// still: nothing has begun to show since that moment as long as it holds.
func (c *cluster) cut(ctx context.Context, shards []tablet.Tablet, wait time.Duration, take func() ([]cutPart, error), drop func()) (uint64, error) {
	for range cutTries {
		if began, quiet := c.shows.quiet(); quiet {
			parts, err := take()
			if err == nil && newest(parts) && c.shows.still(began) {
				return began, nil
			}
			drop()
			if err != nil {
				return 0, err
			}
		}
		runtime.Gosched()
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	release, err := c.holdCommits(waiting, shards)
	if err != nil {
		return 0, cutError(waiting, err, wait)
	}
	defer release()
	began, _ := c.shows.quiet()
	if _, err = take(); err != nil {
		drop()
	}
	return began, err
}

func newest(parts []cutPart) bool {
	return !slices.ContainsFunc(parts, func(p cutPart) bool { return !p.Newest() })
}

// holdCommits keeps commits from showing on the shards.
func (c *cluster) holdCommits(ctx context.Context, shards []tablet.Tablet) (release func(), err error) {
	// A commit that a shard can't take for now may be at it for long. Others
	// aren't held for its sake.
	if err := c.finish.wait(ctx); err != nil {
		return nil, err
	}
	free, err := c.shows.hold(ctx)
	if err != nil {
		return nil, err
	}
	all := []func(){free}
	release = func() {
		for _, f := range slices.Backward(all) {
			f()
		}
	}
	for _, t := range shards {
		free, err := t.(tablet.Snapshotter).HoldCommits(ctx)
		if err != nil {
			release()
			return nil, err
		}
		all = append(all, free)
	}
	return release, nil
}

func cutError(ctx context.Context, err error, wait time.Duration) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return newError(CodeLockTimeout, "no moment was found in %v at which no commit over several shards was half done; try again", wait)
	}
	return err
}

// view is a cut for one statement in autocommit.
type view struct {
	s     *session
	began uint64
	parts []*viewedTablet
}

var _ exec.View = (*view)(nil)

// Together implements exec.Session.
func (s *session) Together(ctx context.Context, at []exec.Place) error {
	if s.tx == nil {
		return nil
	}
	shards := make([]tablet.Tablet, len(at))
	for i, p := range at {
		if shards[i] = s.Tablet(p.Keyspace, p.Shard); shards[i] == nil {
			return droppedKeyspace(p.Keyspace)
		}
	}
	return s.tx.together(ctx, shards)
}

// together begins the transaction's parts on shards that it hasn't touched yet,
// as of one moment.
func (t *transaction) together(ctx context.Context, shards []tablet.Tablet) error {
	if t.broken != nil {
		return t.brokenError()
	}
	if t.level == serializable {
		for _, tab := range shards { // the locks in order, before any is read
			if _, err := t.on(ctx, tab, false); err != nil {
				return err
			}
		}
		return nil
	}
	fresh := slices.DeleteFunc(slices.Clone(shards), func(tab tablet.Tablet) bool { return t.part(tab) != nil })
	if len(fresh) == 0 {
		return nil
	}
	old := len(t.parts)
	take := func() ([]cutPart, error) {
		for _, tab := range fresh {
			tx, err := t.on(ctx, tab, false)
			if err == nil {
				err = tx.(tablet.SnapshotTx).TakeSnapshot(ctx)
			}
			if err != nil {
				return nil, err
			}
		}
		var out []cutPart
		for _, p := range t.parts[old:] {
			out = append(out, p.tx.(tablet.SnapshotTx))
		}
		return out, nil
	}
	drop := func() {
		for _, p := range t.parts[min(old, len(t.parts)):] {
			_ = p.tx.Rollback()
		}
		t.parts = t.parts[:min(old, len(t.parts))]
	}
	_, err := t.s.cl.cut(ctx, fresh, t.s.lockWait(), take, drop)
	if err != nil || !t.alone {
		return err
	}
	for _, p := range t.parts[:old] {
		if !p.tx.(tablet.SnapshotTx).Newest() {
			return t.failed(&tablet.Error{Code: tablet.CodeConflict, Target: p.t.Target(),
				Message: "another transaction has committed while the statement was reading"})
		}
	}
	return nil
}

// viewedTablet is a shard as a view shows it.
type viewedTablet struct {
	tablet.Tablet
	at   exec.Place
	snap tablet.Snapshot
}

// Query implements tablet.Runner.
func (v *viewedTablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return v.snap.Query(ctx, q)
}

// View implements exec.Session.
func (s *session) View(ctx context.Context, all bool) (exec.View, error) {
	v := &view{s: s}
	if !all {
		return v, nil
	}
	var at []exec.Place
	for ks, list := range *s.cl.tablets.Load() {
		for i := range list {
			at = append(at, exec.Place{Keyspace: ks, Shard: i})
		}
	}
	if err := v.Add(ctx, at); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// Add implements exec.View.
func (v *view) Add(ctx context.Context, at []exec.Place) error {
	at = slices.DeleteFunc(slices.Clone(at), func(p exec.Place) bool { return v.Tablet(p) != nil })
	if len(at) == 0 {
		return nil
	}
	shards := make([]tablet.Tablet, len(at))
	for i, p := range at {
		if shards[i] = v.s.Tablet(p.Keyspace, p.Shard); shards[i] == nil {
			return droppedKeyspace(p.Keyspace)
		}
	}
	old := len(v.parts)
	take := func() ([]cutPart, error) {
		out := make([]cutPart, 0, len(at))
		for i, t := range shards {
			snap, err := t.(tablet.Snapshotter).Snapshot(ctx)
			if err != nil {
				return nil, err
			}
			v.parts = append(v.parts, &viewedTablet{Tablet: t, at: at[i], snap: snap})
			out = append(out, snap)
		}
		return out, nil
	}
	drop := func() {
		for _, p := range v.parts[old:] {
			_ = p.snap.Close()
		}
		v.parts = v.parts[:old]
	}
	if old == 0 {
		var err error
		v.began, err = v.s.cl.cut(ctx, shards, v.s.lockWait(), take, drop)
		return err
	}
	if _, err := take(); err != nil {
		return err
	}
	if !v.newest() {
		return exec.ErrStale
	}
	return nil
}

func (v *view) newest() bool {
	for _, p := range v.parts {
		if !p.snap.Newest() {
			return false
		}
	}
	return v.s.cl.shows.still(v.began)
}

// Tablet implements exec.View.
func (v *view) Tablet(at exec.Place) tablet.Tablet {
	for _, p := range v.parts {
		if p.at == at {
			return p
		}
	}
	return nil
}

// Close implements exec.View.
func (v *view) Close() {
	for _, p := range v.parts {
		_ = p.snap.Close()
	}
	v.parts = nil
}

// lockWait is how long the session waits for a lock.
func (s *session) lockWait() time.Duration {
	if n, ok := s.sysvars["innodb_lock_wait_timeout"].(int64); ok {
		return time.Duration(n) * time.Second
	}
	return s.cfg.LockWaitTimeout
}

// underLocks bounds the statement's waits for locks where the session's bound isn't
// the one that the tablets know.
func (s *session) underLocks(ctx context.Context) context.Context {
	if d := s.lockWait(); d != s.cl.cfg.LockWaitTimeout {
		return tablet.WithLockWait(ctx, d)
	}
	return ctx
}
