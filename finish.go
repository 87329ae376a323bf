package vitessdo

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
)

// finisher brings decided transactions to their end that some shard could not
// commit at once, such as for a full disk, or that nobody waited for. What it hasn't
// done when the database is closed, the redo log does at the next opening, or the
// tablets do by themselves.
type finisher struct {
	mu     sync.Mutex
	closed bool
	stop   chan struct{} // made at the first use
	work   sync.WaitGroup
	left   atomic.Int32 // transactions that aren't finished

	behind atomic.Int32                    // the number of late
	late   map[tablet.Target]*unseenCommit // shards
}

const (
	firstRetry = 5 * time.Millisecond
	lastRetry  = time.Second
	// finishTimeout bounds an attempt, and with it the closing of a database whose
	// tablets are elsewhere and don't answer.
	finishTimeout = 5 * time.Second
)

// commit ends a transaction's parts. Without a log it doesn't wait for what follows
// the decision; who reads those shards does.
func (c *cluster) commit(ctx context.Context, mode twopc.Mode, dtid string, parts []tablet.Tx) error {
	if log := c.decider(); log != nil {
		return c.settle(twopc.Commit(ctx, mode, dtid, parts, log))
	}
	return twopc.CommitEarly(ctx, mode, dtid, parts, c.finish.behindClient)
}

// settle takes charge of err's transaction if err is about one that is decided
// but unfinished. It returns nil when that could be finished at once.
func (c *cluster) settle(err error) error {
	var u *twopc.UnfinishedError
	if !errors.As(err, &u) {
		return err
	}
	if tablet.CodeOf(u.Err) == tablet.CodeFull && c.at.makeRoom() {
		if u.Finish(context.Background()) == nil {
			return nil
		}
	}
	c.finish.later(&u.Rest, firstRetry, func() {})
	return err
}

// later finishes a transaction from after a while on, 0 for now, until that has
// succeeded or the database is closed; then ended is called.
func (f *finisher) later(r *twopc.Rest, first time.Duration, ended func()) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		if first == 0 {
			finishOnce(r)
		}
		ended()
		return
	}
	defer f.mu.Unlock()
	if f.stop == nil {
		f.stop = make(chan struct{})
	}
	stop := f.stop
	f.left.Add(1)
	f.work.Go(func() {
		defer ended()
		if first == 0 && finishOnce(r) {
			f.left.Add(-1)
			return
		}
		for wait := max(first, firstRetry); ; wait = min(2*wait, lastRetry) {
			timer := time.NewTimer(wait)
			select {
			case <-stop:
				timer.Stop()
				return
			case <-timer.C:
			}
			if finishOnce(r) {
				f.left.Add(-1)
				return
			}
		}
	})
}

func finishOnce(r *twopc.Rest) bool {
	ctx, cancel := context.WithTimeout(context.Background(), finishTimeout)
	defer cancel()
	return r.Finish(ctx) == nil
}

// wait returns when nothing is left to finish.
func (f *finisher) wait(ctx context.Context) error {
	for f.left.Load() > 0 {
		timer := time.NewTimer(firstRetry)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
	return nil
}

// close ends the attempts, and waits for the one that is being made.
func (f *finisher) close() {
	f.mu.Lock()
	if !f.closed && f.stop != nil {
		close(f.stop)
	}
	f.closed = true
	f.mu.Unlock()
	f.work.Wait()
}

// undone says that nothing is left of a transaction that has failed so, and that it may
// succeed when it is run again: a shard couldn't let it go on, or has lost it.
func undone(err error) bool {
	e, ok := errors.AsType[*tablet.Error](err)
	if !ok {
		return false
	}
	switch e.Code {
	case tablet.CodeDeadlock, tablet.CodeConflict, tablet.CodeClosing:
		return true
	case tablet.CodeTxExpired:
		return e.Target.Shard != "" // else it was too slow for a limit
	}
	return false
}

// again runs what is a transaction by itself, and runs it anew as long as it
// loses against older ones or is lost, for as long as it may wait for a lock. Its age must
// stay the same, so that it becomes the oldest some time.
func again(ctx context.Context, limit time.Duration, run func() error) error {
	until := time.Now().Add(limit)
	for wait := 50 * time.Microsecond; ; wait = min(2*wait, 5*time.Millisecond) {
		err := run()
		if !undone(err) || time.Now().After(until) {
			return err
		}
		pause := wait/2 + rand.N(wait)
		if tablet.CodeOf(err) == tablet.CodeClosing {
			pause = restartPause
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return &tablet.Error{Code: tablet.CodeCanceled, Err: ctx.Err(), Message: "the statement was interrupted: " + ctx.Err().Error()}
		case <-timer.C:
		}
	}
}
