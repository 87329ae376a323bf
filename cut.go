package vitessdo

import (
	"context"
	"errors"
	"maps"
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

// newest is a tablet.Snapshot or a tablet.SnapshotTx.
type newest interface {
	Newest(ctx context.Context) bool
}

// cutPart is a shard's share of a cut.
type cutPart struct {
	snap newest
	look *look // nil where it isn't known when the shard was so
}

// partOf takes a shard's snapshot. Of one elsewhere it is noted when that was.
func (c *cluster) partOf(t tablet.Tablet, take func() (newest, error)) (cutPart, error) {
	if !c.apart {
		snap, err := take()
		return cutPart{snap: snap}, err
	}
	l := look{shard: t.Target(), asked: sinceStart()}
	snap, err := take()
	if err != nil {
		return cutPart{}, err
	}
	known := false
	if l.span, known = tablet.MomentOf(snap); !known {
		return cutPart{snap: snap}, nil
	}
	l.told = sinceStart()
	return cutPart{snap, &l}, nil
}

// cut calls take, which takes snapshots of the shards, until they are of one
// moment; drop lets go of those that aren't. The number that it gives is for
// still: nothing has begun to show since that moment as long as it holds.
func (c *cluster) cut(ctx context.Context, shards []tablet.Tablet, wait time.Duration, take func() ([]cutPart, error), drop func()) (uint64, error) {
	for range cutTries {
		if began, quiet := c.shows.quiet(); quiet {
			parts, err := take()
			if err == nil && c.newest(ctx, parts) && c.shows.still(began) {
				return began, nil
			}
			drop()
			if err != nil && tablet.CodeOf(err) != tablet.CodeClosing {
				return 0, err
			}
		}
		runtime.Gosched()
	}
	if loses(shards) {
		return 0, errNoMoment
	}
	return c.cutHeld(ctx, shards, wait, take, drop)
}

// cutHeld is cut with commits held, anew as long as some shard doesn't wait for so long
// for what is decided there, or hold them for as long as messages take: on a busy machine
// either may be.
func (c *cluster) cutHeld(ctx context.Context, shards []tablet.Tablet, wait time.Duration, take func() ([]cutPart, error), drop func()) (uint64, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		release, err := c.holdCommits(waiting, shards)
		if tablet.CodeOf(err) == tablet.CodeCanceled && waiting.Err() == nil || restarts(waiting, err) {
			continue
		}
		if err != nil {
			return 0, cutError(waiting, err, wait)
		}
		began, _ := c.shows.quiet()
		_, err = take()
		if release() && err == nil {
			return began, nil
		}
		drop()
		if err != nil && !restarts(waiting, err) {
			return 0, err
		}
		if err := waiting.Err(); err != nil {
			return 0, cutError(waiting, err, wait)
		}
	}
}

// restartPause is how long is waited between questions to a server that is about to end.
const restartPause = 50 * time.Millisecond

// restarts says whether an error is that of a server which begins nothing new, and waits
// a moment for its successor. Nothing is held meanwhile, so that it can end.
func restarts(ctx context.Context, err error) bool {
	return tablet.CodeOf(err) == tablet.CodeClosing && sleep(ctx, restartPause)
}

// newest says whether all parts were at one moment. Those elsewhere are asked, side by
// side, where it can't be told by when they were taken.
func (c *cluster) newest(ctx context.Context, parts []cutPart) bool {
	if !c.apart {
		return !slices.ContainsFunc(parts, func(p cutPart) bool { return !p.snap.Newest(ctx) })
	}
	looks := make([]look, 0, len(parts))
	for _, p := range parts {
		if p.look != nil {
			looks = append(looks, *p.look)
		}
	}
	if len(looks) == len(parts) && meet(looks) {
		return true
	}
	all, _ := inParallel(len(parts), func(i int) (bool, error) { return parts[i].snap.Newest(ctx), nil })
	return !slices.Contains(all, false)
}

// each calls f for 0 to n-1: side by side where that means messages, else one by
// one.
func (c *cluster) each(n int, f func(int) error) error {
	if c.apart {
		_, err := inParallel(n, func(i int) (struct{}, error) { return struct{}{}, f(i) })
		return err
	}
	for i := range n {
		if err := f(i); err != nil {
			return err
		}
	}
	return nil
}

// holdCommits keeps commits from showing on the shards until release is called,
// which says whether it has. Commits over several shards are held first: where the
// gate decides them by a log of its own, here, else at every tablet that may decide.
func (c *cluster) holdCommits(ctx context.Context, shards []tablet.Tablet) (release func() bool, err error) {
	var all holds
	if c.apart {
		var every []tablet.Tablet
		_ = c.eachTablet(func(t tablet.Tablet) error { every = append(every, t); return nil })
		err = c.hold(ctx, &all, every, tablet.Snapshotter.HoldDecisions)
	} else {
		err = c.holdOwn(ctx, &all)
	}
	if err == nil {
		err = c.hold(ctx, &all, shards, tablet.Snapshotter.HoldCommits)
	}
	if err != nil {
		c.letGo(&all)
		return nil, err
	}
	return func() bool { return c.letGo(&all) }, nil
}

// holds are what holds commits.
type holds struct {
	mu   sync.Mutex
	list []func() bool
}

// letGo ends the holds. It says whether all have held until now.
func (c *cluster) letGo(h *holds) bool {
	held, err := true, c.each(len(h.list), func(i int) error {
		if !h.list[i]() {
			return errNotHeld
		}
		return nil
	})
	return held && err == nil
}

var errNotHeld = errors.New("commits weren't held long enough")

func (c *cluster) hold(ctx context.Context, h *holds, tablets []tablet.Tablet, take func(tablet.Snapshotter, context.Context) (func() bool, error)) error {
	return c.each(len(tablets), func(i int) error {
		free, err := take(tablets[i].(tablet.Snapshotter), ctx)
		if err != nil {
			return err
		}
		h.mu.Lock()
		h.list = append(h.list, free)
		h.mu.Unlock()
		return nil
	})
}

// holdOwn keeps the transactions that this process decides from showing.
func (c *cluster) holdOwn(ctx context.Context, h *holds) error {
	// A commit that a shard can't take for now may be at it for long. Others
	// aren't held for its sake.
	if err := c.finish.wait(ctx); err != nil {
		return err
	}
	free, err := c.shows.hold(ctx)
	if err != nil {
		return err
	}
	h.list = append(h.list, func() bool { free(); return true })
	return nil
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
	locks bool // the shards are locked
	// id and age are those of the locks.
	id, age uint64
}

var _ exec.View = (*view)(nil)

// Together implements exec.Session.
func (s *session) Together(ctx context.Context, at []exec.Place) error {
	if s.tx == nil {
		return nil
	}
	shards := make([]tablet.Tablet, len(at))
	for i, p := range at {
		if shards[i] = s.tabletAt(p.Keyspace, p.Shard); shards[i] == nil {
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
			if _, err := t.on(ctx, tab, exec.Reading); err != nil {
				return err
			}
		}
		return nil
	}
	// Whoever waits for locks must not keep their holders from committing meanwhile.
	if err := t.lockAhead(ctx); err != nil {
		return err
	}
	fresh := slices.DeleteFunc(slices.Clone(shards), func(tab tablet.Tablet) bool { return t.part(tab) != nil })
	if len(fresh) == 0 || !canCut(shards) {
		return nil
	}
	old := len(t.parts)
	take := func() ([]cutPart, error) {
		txs, out := make([]tablet.SnapshotTx, len(fresh)), make([]cutPart, len(fresh))
		for i, tab := range fresh {
			tx, err := t.on(ctx, tab, exec.Reading)
			if err != nil {
				return nil, err
			}
			txs[i] = tx.(tablet.SnapshotTx)
		}
		return out, t.s.cl.each(len(out), func(i int) (err error) {
			out[i], err = t.s.cl.partOf(fresh[i], func() (newest, error) { return txs[i], txs[i].TakeSnapshot(ctx) })
			return err
		})
	}
	_, err := t.s.cl.cut(ctx, fresh, t.s.lockWait(), take, func() { t.dropParts(old) })
	if errors.Is(err, errNoMoment) {
		t.level = serializable
		return t.together(ctx, fresh)
	}
	if err != nil || !t.alone {
		return err
	}
	for _, p := range t.parts[:old] {
		if !p.tx.(tablet.SnapshotTx).Newest(ctx) {
			return t.failed(&tablet.Error{Code: tablet.CodeConflict, Target: p.t.Target(),
				Message: "another transaction has committed while the statement was reading"})
		}
	}
	return nil
}

// errNoMoment is cut's where snapshots are lost with the next commit: holding
// commits while they are taken would not keep them until they are read. What keeps
// them is the shards' locks.
var errNoMoment = errors.New("commits came between the snapshots of all tries")

// loses says whether a snapshot of one of the shards ends with the next commit.
func loses(shards []tablet.Tablet) bool {
	return slices.ContainsFunc(shards, func(t tablet.Tablet) bool { return t.Capabilities().LosesSnapshots })
}

// loses is loses of all shards.
func (c *cluster) loses() bool {
	for _, list := range *c.tablets.Load() {
		if loses(list) {
			return true
		}
	}
	return false
}

var errNoCuts = errors.New("the engine takes no snapshots")

// cuts is an error for tablets that can't be part of a cut.
func cuts(t tablet.Tablet) error {
	if _, ok := t.(tablet.Snapshotter); !ok || !t.Capabilities().Snapshots {
		return errNoCuts
	}
	return nil
}

// canCut says whether all shards can be part of a cut.
func canCut(shards []tablet.Tablet) bool {
	return !slices.ContainsFunc(shards, func(t tablet.Tablet) bool { return cuts(t) != nil })
}

// viewedTablet is a shard as a view shows it.
type viewedTablet struct {
	tablet.Tablet
	at   exec.Place
	snap tablet.Snapshot
	part cutPart
}

// Query implements tablet.Runner.
func (v *viewedTablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	rows, err := v.snap.Query(ctx, q)
	return rows, lostView(err)
}

// lostView says of a snapshot that got lost, with its connection or by a commit, that
// another one must be taken.
func lostView(err error) error {
	switch tablet.CodeOf(err) {
	case tablet.CodeTxExpired, tablet.CodeIO, tablet.CodeConflict:
		return exec.Stale(err)
	}
	return err
}

// View implements exec.Session.
func (s *session) View(ctx context.Context, all bool) (exec.View, error) {
	v := &view{s: s}
	if s.cl.apart && s.cl.eachTablet(cuts) != nil {
		return nil, nil // what docs/transactions.md says of such engines
	}
	if !all {
		return s.traced(v), nil
	}
	var at []exec.Place
	var shards []tablet.Tablet
	every := *s.cl.tablets.Load()
	for _, ks := range slices.Sorted(maps.Keys(every)) { // in one order, as locks may be taken
		for i := range every[ks] {
			at = append(at, exec.Place{Keyspace: ks, Shard: i})
		}
		shards = append(shards, every[ks]...)
	}
	v.locks, v.id, v.age = loses(shards), s.cl.waiterID(), s.cl.at.nextAge()
	if err := again(ctx, s.lockWait(), func() error { return v.Add(ctx, at) }); err != nil {
		v.Close()
		return nil, err
	}
	return s.traced(v), nil
}

// traced is a view as the running statement uses it.
func (s *session) traced(v *view) exec.View {
	if s.running != nil {
		return &tracedView{v, s.running}
	}
	return v
}

// Add implements exec.View.
func (v *view) Add(ctx context.Context, at []exec.Place) error {
	at = slices.DeleteFunc(slices.Clone(at), func(p exec.Place) bool { return v.Tablet(p) != nil })
	if len(at) == 0 {
		return nil
	}
	shards := make([]tablet.Tablet, len(at))
	for i, p := range at {
		if shards[i] = v.s.tabletAt(p.Keyspace, p.Shard); shards[i] == nil {
			return droppedKeyspace(p.Keyspace)
		}
	}
	if v.locks {
		return v.lock(ctx, shards, at)
	}
	old := len(v.parts)
	take := func() ([]cutPart, error) {
		snaps, out := make([]tablet.Snapshot, len(at)), make([]cutPart, len(at))
		err := v.s.cl.each(len(at), func(i int) (err error) {
			out[i], err = v.s.cl.partOf(shards[i], func() (_ newest, err error) {
				snaps[i], err = shards[i].(tablet.Snapshotter).Snapshot(ctx)
				return snaps[i], err
			})
			return err
		})
		for i, snap := range snaps {
			if snap != nil {
				v.parts = append(v.parts, &viewedTablet{Tablet: shards[i], at: at[i], snap: snap, part: out[i]})
			}
		}
		return out, err
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
		if errors.Is(err, errNoMoment) {
			return exec.ErrStale
		}
		return lostView(err)
	}
	if _, err := take(); err != nil {
		return lostView(err)
	}
	if !v.newest(ctx) {
		return exec.ErrStale
	}
	return nil
}

func (v *view) newest(ctx context.Context) bool {
	parts := make([]cutPart, len(v.parts))
	for i, p := range v.parts {
		parts[i] = p.part
	}
	return v.s.cl.newest(ctx, parts) && v.s.cl.shows.still(v.began)
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
