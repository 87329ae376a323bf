package tabletserver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// commitCounter tells readers whether a snapshot that they took is still the
// newest. It is odd while a commit is about to show and its caller hasn't heard
// of it yet: some readers may see it then and others not, so that nobody may
// trust an older snapshot, or one client could see a commit and then miss it. A
// commit that waits for the disk isn't about to show until it has waited.
// Only the holder of the write queue commits, and so changes it.
type commitCounter struct {
	n atomic.Int64
	// since is when the state had shown that n stands for, by clock.
	since atomic.Int64
	// holds counts those who keep commits from showing; mu and gone are for the
	// commit that waits for them.
	holds atomic.Int32
	mu    sync.Mutex
	gone  chan struct{} // closed when the last hold ends
}

// Commits gives a number that changes with each commit: if it is even and was the
// same before, nothing has been committed since. It costs one load.
func (t *Tablet) Commits() int64 { return t.commits.now() }

// unsettle is called when a commit is about to show. It waits while commits are
// held.
func (c *commitCounter) unsettle() {
	for {
		n := c.n.Load()
		if n&1 == 1 {
			return
		}
		c.n.Store(n + 1)
		if c.holds.Load() == 0 {
			return
		}
		c.n.Store(n) // nothing shows yet
		c.awaitRelease()
	}
}

func (c *commitCounter) awaitRelease() {
	c.mu.Lock()
	gone := c.gone
	c.mu.Unlock()
	if gone != nil {
		<-gone
	}
}

// hold keeps commits from showing until release is called. It waits for the one
// that is about to.
func (c *commitCounter) hold(ctx context.Context) (release func(), err error) {
	c.mu.Lock()
	if c.holds.Add(1) == 1 {
		c.gone = make(chan struct{})
	}
	c.mu.Unlock()
	release = func() {
		c.mu.Lock()
		if c.holds.Add(-1) == 0 {
			close(c.gone)
			c.gone = nil
		}
		c.mu.Unlock()
	}
	// Either this sees the commit, or the commit sees the hold.
	for wait := 10 * time.Microsecond; c.n.Load()&1 == 1; wait = min(2*wait, time.Millisecond) {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			release()
			return nil, canceled(ctx.Err())
		case <-timer.C:
		}
	}
	return release, nil
}

// settle is called when it has ended, well or not.
func (c *commitCounter) settle() {
	if n := c.n.Load(); n&1 == 1 {
		c.shown()
		c.n.Store(n + 1)
	}
}

// renew outdates all snapshots, though nothing was committed.
func (c *commitCounter) renew() {
	c.shown()
	c.n.Add(2)
}

// shown notes when a state has shown. No two states have the same time, however
// coarse the clock is: it tells them apart.
func (c *commitCounter) shown() { c.since.Store(max(clock.now(), c.since.Load()+1)) }

// now gives the state that a snapshot about to be taken will include.
func (c *commitCounter) now() int64 { return c.n.Load() }

// newest says whether a snapshot that was taken at seen shows all commits.
func (c *commitCounter) newest(seen int64) bool { return seen&1 == 0 && seen == c.n.Load() }
