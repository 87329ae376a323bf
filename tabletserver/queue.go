package tabletserver

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// youngest is the age of what runs in autocommit: it waits for no other shard
// while it holds this one, so that nobody need die because of it.
const youngest = math.MaxUint64

// writeQueue is the shard's write lock: first come, first served.
//
// Deadlocks across shards are avoided by wait-die: who holds another shard's
// lock and would wait here for an older transaction, be it the holder or
// anybody ahead in the queue, is refused at once. Then every chain of holders
// that wait goes from older to younger, and can't close.
type writeQueue struct {
	mu      sync.Mutex
	held    bool
	age     uint64 // of the holder
	waiting []*lockWaiter
	closed  bool
}

type lockWaiter struct {
	age   uint64
	ready chan struct{} // closed when the lock is handed over, or the queue closed
	got   bool
}

// acquire takes the lock. holds may be nil.
func (q *writeQueue) acquire(ctx context.Context, age uint64, holds func() bool, wait time.Duration) error {
	if err := ctx.Err(); err != nil {
		return canceled(err)
	}
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return errClosed()
	}
	if !q.held {
		q.held, q.age = true, age
		q.mu.Unlock()
		return nil
	}
	if wait = tablet.LockWait(ctx, wait); wait < 0 {
		q.mu.Unlock()
		return &tablet.Error{Code: tablet.CodeLockNoWait,
			Message: "the write lock is held by another transaction, and NOWAIT is set"}
	}
	if holds != nil && holds() && q.olderAhead(age) {
		q.mu.Unlock()
		return &tablet.Error{Code: tablet.CodeDeadlock,
			Message: "an older transaction holds the write lock or is ahead in its queue, while this one holds another shard; retry the transaction"}
	}
	w := &lockWaiter{age: age, ready: make(chan struct{})}
	q.waiting = append(q.waiting, w)
	q.mu.Unlock()

	timer := time.NewTimer(wait)
	defer timer.Stop()
	var err error
	select {
	case <-w.ready:
	case <-ctx.Done():
		err = canceled(ctx.Err())
	case <-timer.C:
		err = &tablet.Error{Code: tablet.CodeLockTimeout,
			Message: fmt.Sprintf("the write lock did not come free in %v; retry the transaction", wait)}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.got {
		if err == nil {
			return nil
		}
		q.next() // it came just too late
		return err
	}
	if err == nil {
		return errClosed()
	}
	q.leave(w)
	return err
}

// olderAhead says whether the holder or a waiter is not younger than age.
func (q *writeQueue) olderAhead(age uint64) bool {
	if q.age <= age {
		return true
	}
	for _, w := range q.waiting {
		if w.age <= age {
			return true
		}
	}
	return false
}

func (q *writeQueue) leave(w *lockWaiter) {
	for i := range q.waiting {
		if q.waiting[i] == w {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return
		}
	}
}

// release gives the lock to the next in the queue.
func (q *writeQueue) release() {
	q.mu.Lock()
	q.next()
	q.mu.Unlock()
}

func (q *writeQueue) next() {
	if len(q.waiting) == 0 {
		q.held = false
		return
	}
	w := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	q.age, w.got = w.age, true
	close(w.ready)
}

// close refuses everybody from now on.
func (q *writeQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, w := range q.waiting {
		close(w.ready)
	}
	q.waiting = nil
}

// taken says whether somebody holds the lock.
func (q *writeQueue) taken() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}

func (q *writeQueue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}
