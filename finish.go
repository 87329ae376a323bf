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
// commit at once, such as for a full disk. What it hasn't done when the database
// is closed, the redo log does at the next opening.
type finisher struct {
	mu     sync.Mutex
	closed bool
	stop   chan struct{} // made at the first use
	work   sync.WaitGroup
	left   atomic.Int32 // transactions that aren't finished
}

const (
	firstRetry = 5 * time.Millisecond
	lastRetry  = time.Second
)

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
	c.finish.later(u)
	return err
}

func (f *finisher) later(u *twopc.UnfinishedError) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	if f.stop == nil {
		f.stop = make(chan struct{})
	}
	stop := f.stop
	f.left.Add(1)
	f.work.Go(func() {
		for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
			timer := time.NewTimer(wait)
			select {
			case <-stop:
				timer.Stop()
				return
			case <-timer.C:
			}
			if u.Finish(context.Background()) == nil {
				f.left.Add(-1)
				return
			}
		}
	})
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

// again runs what is a transaction by itself, and runs it anew as long as it
// loses against older ones, for as long as it may wait for a lock. Its age must
// stay the same, so that it becomes the oldest some time.
func again(ctx context.Context, limit time.Duration, run func() error) error {
	until := time.Now().Add(limit)
	for wait := 50 * time.Microsecond; ; wait = min(2*wait, 5*time.Millisecond) {
		err := run()
		switch tablet.CodeOf(err) {
		case tablet.CodeDeadlock, tablet.CodeConflict:
		default:
			return err
		}
		if time.Now().After(until) {
			return err
		}
		timer := time.NewTimer(wait/2 + rand.N(wait))
		select {
		case <-ctx.Done():
			timer.Stop()
			return &tablet.Error{Code: tablet.CodeCanceled, Err: ctx.Err(), Message: "the statement was interrupted: " + ctx.Err().Error()}
		case <-timer.C:
		}
	}
}
