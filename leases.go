package vitessdo

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/topo"
)

// Where other gates use the database too, GET_LOCK's locks are in the catalog: a
// session that has one here takes it there for this gate, on a lease that is
// prolonged as long as it is held. A gate that dies, or is cut off, loses its locks
// when the lease is over. Who waits in other gates asks again and again; a circle of
// waits over several gates isn't found, and ends by the waits' own bounds.
const (
	lockLease   = 10 * time.Second
	lockAsk     = 20 * time.Millisecond // doubles up to lockAskMost
	lockAskMost = 250 * time.Millisecond
)

// leases are the locks of this gate in the catalog.
type leases struct {
	cl    *cluster
	lease time.Duration

	// mu orders what is said to the catalog: a lock that is released here and taken
	// again isn't released there afterwards.
	mu      sync.Mutex
	held    map[string]bool
	keeping bool
	work    sync.WaitGroup
}

// getLock takes a lock for the session, as GET_LOCK does.
func (s *session) getLock(ctx context.Context, name string, wait float64) (bool, error) {
	began := time.Now()
	got, err := s.cl.locks.get(ctx, s, name, wait)
	if !got || err != nil || s.cl.leases == nil {
		return got, err
	}
	var until time.Time // for ever
	if wait >= 0 {
		until = began.Add(time.Duration(min(wait, math.MaxInt64/2e9) * float64(time.Second)))
	}
	got, err = s.cl.leases.take(ctx, name, s.id, until)
	if !got || err != nil {
		s.releaseLock(name)
	}
	return got, err
}

// releaseLock lets go of a lock once, as RELEASE_LOCK does.
func (s *session) releaseLock(name string) any {
	out := s.cl.locks.release(s, name)
	s.cl.leases.release(name)
	return out
}

// releaseLocks lets go of all of the session's locks, and says how many times they
// were taken.
func (s *session) releaseLocks() int64 {
	if s.cl.leases == nil {
		return s.cl.locks.releaseAll(s)
	}
	names := s.cl.locks.heldBy(s)
	n := s.cl.locks.releaseAll(s)
	for _, name := range names {
		s.cl.leases.release(name)
	}
	return n
}

// lockOwner gives the number of the connection that holds a lock, 0 for none. A
// connection of another gate has its number there.
func (s *session) lockOwner(ctx context.Context, name string) (uint64, error) {
	if id := s.cl.locks.owner(name); id != 0 || s.cl.leases == nil {
		return id, nil
	}
	owner, id, err := s.cl.catalog.LockHolder(ctx, name)
	if owner == s.cl.boot {
		return 0, err // it is just being released
	}
	return uint64(id), err
}

// take takes the lock from other gates, until a time, the zero one being never.
func (l *leases) take(ctx context.Context, name string, session uint64, until time.Time) (bool, error) {
	for wait := lockAsk; ; wait = min(2*wait, lockAskMost) {
		got, err := l.try(ctx, name, session)
		if got || err != nil {
			return got, err
		}
		pause := wait/2 + rand.N(wait)
		if !until.IsZero() {
			if left := time.Until(until); left <= 0 {
				return false, nil
			} else if left < pause {
				pause = left
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			continue
		case <-ctx.Done():
			err = errorFrom(CodeCanceled, ctx.Err(), "waiting for the lock '%s' was interrupted: %v", name, ctx.Err())
		case <-l.cl.life.Done():
			err = newError(CodeClosed, "the database is closed")
		}
		timer.Stop()
		return false, err
	}
}

func (l *leases) try(ctx context.Context, name string, session uint64) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	got, err := l.cl.catalog.TakeLock(ctx, name, l.cl.boot, int64(session), l.lease)
	if !got || err != nil {
		return false, err
	}
	l.held[name] = true
	if !l.keeping {
		l.keeping = true
		l.work.Go(l.keep)
	}
	return true, nil
}

// release lets go of a lock that no session here has any more.
func (l *leases) release(name string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held[name] || l.cl.locks.owner(name) != 0 {
		return
	}
	delete(l.held, name)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.cl.life), l.lease/2)
	defer cancel()
	_ = l.cl.catalog.ReleaseLock(ctx, name, l.cl.boot) // else the lease ends it
}

// keep prolongs the leases as long as there are any.
func (l *leases) keep() {
	tick := time.NewTicker(l.lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.cl.life.Done():
			return
		}
		if !l.prolong() {
			return
		}
	}
}

func (l *leases) prolong() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.held) == 0 {
		l.keeping = false
		return false
	}
	ctx, cancel := context.WithTimeout(l.cl.life, l.lease/4)
	defer cancel()
	_, _ = l.cl.catalog.KeepLocks(ctx, l.cl.boot, l.lease) // what fails is tried again
	return true
}

// close lets go of all locks.
func (l *leases) close(catalog *topo.Catalog) {
	if l == nil {
		return
	}
	l.work.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, name := range slices.Sorted(maps.Keys(l.held)) {
		_ = catalog.ReleaseLock(ctx, name, l.cl.boot)
	}
}

// heldBy names the locks of a session.
func (l *namedLocks) heldBy(s *session) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(s.locks)
}
