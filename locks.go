package vitessdo

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// namedLocks are the locks of GET_LOCK, which sessions of all pools that have
// the database open share. Names have no case.
type namedLocks struct {
	mu   sync.Mutex
	held map[string]*namedLock
}

// namedLock is a lock that somebody holds. Who waits is served in order.
type namedLock struct {
	name  string
	owner *session
	depth int // a session may take a lock several times
	queue []*lockWaiter
}

type lockWaiter struct {
	s     *session
	lock  *namedLock
	taken chan struct{} // closed when the lock is handed over
}

// maxLockName is the longest name that MySQL takes.
const maxLockName = 64

const (
	mysqlBadLockName  = 3057
	mysqlLockDeadlock = 3058
	mysqlBadArgument  = 1210
)

// lockName checks a lock's name.
func lockName(v any) (string, error) {
	name, ok := asText(v)
	if !ok || name == "" || len([]rune(name)) > maxLockName {
		e := newError(CodePlan, "incorrect name of a lock: '%v'; it takes 1 to %d characters", v, maxLockName)
		e.Number, e.SQLState = mysqlBadLockName, "42000"
		return "", e
	}
	return strings.ToLower(name), nil
}

// get takes a lock for s, waiting for at most the given time; below zero, for
// ever. It says whether it has it.
func (l *namedLocks) get(ctx context.Context, s *session, name string, wait float64) (bool, error) {
	w, ok, err := l.take(s, name, wait != 0)
	if w == nil {
		return ok, err
	}
	var expired <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(time.Duration(min(wait, math.MaxInt64/2e9) * float64(time.Second)))
		defer t.Stop()
		expired = t.C
	}
	select {
	case <-w.taken:
		return true, nil
	case <-expired:
		return l.giveUp(w), nil
	case <-ctx.Done():
		if l.giveUp(w) {
			l.release(s, name)
		}
		return false, errorFrom(CodeCanceled, ctx.Err(), "waiting for the lock '%s' was interrupted: %v", name, ctx.Err())
	case <-s.cl.life.Done():
		if l.giveUp(w) {
			l.release(s, name)
		}
		return false, newError(CodeClosed, "the database is closed")
	}
}

// take takes a lock that is free, or the session's already; else it queues for
// it, where that is wanted.
func (l *namedLocks) take(s *session, name string, queue bool) (*lockWaiter, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.held[name]
	switch {
	case k == nil:
		if l.held == nil {
			l.held = map[string]*namedLock{}
		}
		l.held[name] = &namedLock{name: name, owner: s, depth: 1}
		s.locks = append(s.locks, name)
		return nil, true, nil
	case k.owner == s:
		k.depth++
		return nil, true, nil
	case !queue:
		return nil, false, nil
	}
	// Whoever waits for one lock only can be in one circle only.
	for at := k; at != nil; {
		w := at.owner.waits
		if w == nil {
			break
		}
		if at = w.lock; at.owner == s {
			e := newError(CodeDeadlock, "deadlock found when trying to get the lock '%s': roll back, release what is held and begin anew", name)
			e.Number, e.SQLState = mysqlLockDeadlock, "HY000"
			return nil, false, e
		}
	}
	w := &lockWaiter{s: s, lock: k, taken: make(chan struct{})}
	k.queue = append(k.queue, w)
	s.waits = w
	return w, false, nil
}

// giveUp ends a wait; it says whether the lock was handed over after all.
func (l *namedLocks) giveUp(w *lockWaiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-w.taken:
		return true
	default:
	}
	w.s.waits = nil
	w.lock.queue = slices.DeleteFunc(w.lock.queue, func(x *lockWaiter) bool { return x == w })
	return false
}

// release lets go of a lock once: 1, 0 when it is another session's, nil when
// nobody has it.
func (l *namedLocks) release(s *session, name string) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.held[name]
	switch {
	case k == nil:
		return nil
	case k.owner != s:
		return int64(0)
	}
	if k.depth--; k.depth == 0 {
		l.pass(k)
	}
	return int64(1)
}

// pass gives a lock to the first who waits.
func (l *namedLocks) pass(k *namedLock) {
	k.owner.locks = slices.DeleteFunc(k.owner.locks, func(n string) bool { return n == k.name })
	if len(k.queue) == 0 {
		delete(l.held, k.name)
		return
	}
	w := k.queue[0]
	k.queue = k.queue[1:]
	k.owner, k.depth = w.s, 1
	w.s.waits = nil
	w.s.locks = append(w.s.locks, k.name)
	close(w.taken)
}

// releaseAll lets go of all of a session's locks, and says how many times they
// were taken.
func (l *namedLocks) releaseAll(s *session) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n int64
	for len(s.locks) > 0 {
		k := l.held[s.locks[0]]
		n += int64(k.depth)
		l.pass(k)
	}
	return n
}

// owner gives the number of the session that holds a lock, 0 for none.
func (l *namedLocks) owner(name string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.held[name]; k != nil {
		return k.owner.id
	}
	return 0
}
