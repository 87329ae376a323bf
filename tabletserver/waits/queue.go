package waits

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// Youngest is the age of what asks for one lock in all its life: nobody need die
// because of it.
const Youngest = math.MaxUint64

// Claim says who asks for a lock; see tablet.TxOptions.
type Claim struct {
	ID    uint64 // 0 is a stranger
	Age   uint64
	Holds func() bool // may be nil; it is asked of strangers only
}

// Queue is a shard's write lock: first come, first served. It is safe for
// concurrent use.
type Queue struct {
	g *Graph

	mu      sync.Mutex
	held    bool
	holder  party
	waiting []*waiter
	closed  bool
}

// party is who holds a lock, or waits.
type party struct{ id, age uint64 }

// waiter is a party's place in a queue.
type waiter struct {
	party
	q     *Queue
	ready chan struct{} // closed when it need not wait any more
	now   state         // the queue's mutex guards it, and circle
	// circle is how many waited for each other in the circle for which it was
	// refused; 0 when it was for a stranger's sake.
	circle int

	watched bool // it is in the graph, whose mutex guards what follows
	next    *waiter
	round   uint64
	by      *waiter
}

type state uint8

const (
	waits   state = iota
	served        // it has the lock
	refused       // it must die
	gone          // the queue is closed
)

// Acquire takes the lock, waiting for at most so long: less or nothing where ctx
// says so by [tablet.LockWait]. An error's code is DEADLOCK when the transaction
// must be rolled back, for the sake of others.
func (q *Queue) Acquire(ctx context.Context, c Claim, wait time.Duration) error {
	if err := ctx.Err(); err != nil {
		return canceled(err)
	}
	p := party{c.ID, c.Age}
	if !q.g.shared {
		p.id = 0
	}
	q.mu.Lock()
	if free, err := q.take(p); free || err != nil {
		q.mu.Unlock()
		return err
	}
	q.mu.Unlock()
	if wait = tablet.LockWait(ctx, wait); wait < 0 {
		return &tablet.Error{Code: tablet.CodeLockNoWait,
			Message: "the write lock is held by another transaction, and NOWAIT is set"}
	}
	w, err := q.enter(p, c.Holds != nil && c.Holds())
	if w == nil {
		return err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-w.ready:
	case <-ctx.Done():
		err = canceled(ctx.Err())
	case <-timer.C:
		err = &tablet.Error{Code: tablet.CodeLockTimeout,
			Message: fmt.Sprintf("the write lock did not come free in %v; retry the transaction", wait)}
	}
	return q.leave(w, err)
}

// take takes the lock if it is free. The caller has mu.
func (q *Queue) take(p party) (free bool, err error) {
	switch {
	case q.closed:
		return false, errClosed()
	case q.held:
		return false, nil
	}
	q.held, q.holder = true, p
	return true, nil
}

// enter gives p its place in the queue, and sees that all may wait who wait then. With
// no place it has the lock, if there is no error. holds says that a stranger may be
// waited for at another lock.
func (q *Queue) enter(p party, holds bool) (*waiter, error) {
	w := &waiter{party: p, q: q, ready: make(chan struct{})}
	if w.id == 0 && !holds && w.age != tablet.Eldest {
		return q.line(w) // it closes no circle
	}
	q.g.mu.Lock()
	defer q.g.mu.Unlock()
	if at, err := q.line(w); at == nil {
		return nil, err
	}
	q.g.watch(w)
	q.g.settle(w)
	return w, nil
}

// line puts w at the queue's end. It gives nil where there is nothing to wait for.
func (q *Queue) line(w *waiter) (*waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if free, err := q.take(w.party); free || err != nil {
		return nil, err
	}
	q.waiting = append(q.waiting, w)
	return w, nil
}

// leave ends a wait: w need not wait any more, or it won't for the reason that why
// gives.
func (q *Queue) leave(w *waiter, why error) error {
	if w.watched {
		q.g.forget(w)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch w.now {
	case served:
		if why != nil {
			q.pass() // it came just too late
		}
		return why
	case refused:
		return deadlock(w.circle)
	case gone:
		return errClosed()
	}
	q.remove(w)
	return why
}

func (q *Queue) remove(w *waiter) {
	for i := range q.waiting {
		if q.waiting[i] == w {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return
		}
	}
}

// refuse ends w's wait, if it waits still.
func (q *Queue) refuse(w *waiter, circle int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.now != waits {
		return
	}
	w.now, w.circle = refused, circle
	q.remove(w)
	close(w.ready)
}

// Release gives the lock to the next in the queue.
func (q *Queue) Release() {
	q.mu.Lock()
	q.pass()
	q.mu.Unlock()
}

func (q *Queue) pass() {
	if len(q.waiting) == 0 {
		q.held = false
		return
	}
	w := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	q.holder, w.now = w.party, served
	close(w.ready)
}

// Close refuses everybody from now on.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, w := range q.waiting {
		w.now = gone
		close(w.ready)
	}
	q.waiting = nil
}

// Taken says whether somebody holds the lock.
func (q *Queue) Taken() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}

// Len counts those who wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

func canceled(cause error) error {
	return &tablet.Error{Code: tablet.CodeCanceled, Message: "the statement was interrupted: " + cause.Error(), Err: cause}
}

func errClosed() error {
	return &tablet.Error{Code: tablet.CodeClosed, Message: "the tablet is closed"}
}

func deadlock(circle int) error {
	e := &tablet.Error{Code: tablet.CodeDeadlock,
		Message: "an older transaction holds the write lock or is to have it first, while this one holds another shard; retry the transaction"}
	if circle > 0 {
		e.Message = fmt.Sprintf("%d transactions would wait for each other's write locks in a circle, and this is the youngest of them; retry the transaction", circle)
	}
	return e
}
