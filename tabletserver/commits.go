package tabletserver

import "sync/atomic"

// commitCounter tells readers whether a snapshot that they took is still the
// newest. It is odd while a commit is about to show and its caller hasn't heard
// of it yet: some readers may see it then and others not, so that nobody may
// trust an older snapshot, or one client could see a commit and then miss it.
// Only the holder of the write queue commits, and so changes it.
type commitCounter struct{ n atomic.Int64 }

// unsettle is called when a commit begins.
func (c *commitCounter) unsettle() {
	if n := c.n.Load(); n&1 == 0 {
		c.n.Store(n + 1)
	}
}

// settle is called when it has ended, well or not.
func (c *commitCounter) settle() {
	if n := c.n.Load(); n&1 == 1 {
		c.n.Store(n + 1)
	}
}

// renew outdates all snapshots, though nothing was committed.
func (c *commitCounter) renew() { c.n.Add(2) }

// now gives the state that a snapshot about to be taken will include.
func (c *commitCounter) now() int64 { return c.n.Load() }

// newest says whether a snapshot that was taken at seen shows all commits.
func (c *commitCounter) newest(seen int64) bool { return seen&1 == 0 && seen == c.n.Load() }
