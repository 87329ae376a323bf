package sqlite

import (
	"errors"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// MaxParameters is the number of parameters that a statement may have.
func (c *Conn) MaxParameters() int { return c.db.Limit(sqlite3.LIMIT_VARIABLE_NUMBER, -1) }

// ReadOnlyFile says that the database can't be written to.
func (c *Conn) ReadOnlyFile() bool {
	ro, _ := c.db.ReadOnly("main")
	return ro
}

// TotalChanges counts the rows changed since the connection was opened, those
// that triggers and foreign key actions changed included.
func (c *Conn) TotalChanges() int64 { return c.db.TotalChanges() }

// DeferredKeys says whether the open transaction violates foreign keys that are
// checked when it commits.
func (c *Conn) DeferredKeys() (violated bool, err error) {
	defer c.recoverTo(&err)
	n, _, err := c.db.Status(sqlite3.DBSTATUS_DEFERRED_FKS, false)
	if err != nil {
		return false, c.fail(err, "")
	}
	return n != 0, nil
}

// SetBusyTimeout bounds how long a statement outside of a transaction waits for
// a lock that somebody else holds.
func (c *Conn) SetBusyTimeout(d time.Duration) (err error) {
	defer c.recoverTo(&err)
	if err := c.db.BusyTimeout(d); err != nil {
		return c.fail(err, "")
	}
	return nil
}

// OnCommit sets a function that is called when a transaction that has written
// is about to commit, before anybody can see it. Of a connection that syncs its log
// at every commit (synchronous=full), synced says so: then it is called after that.
func (c *Conn) OnCommit(f func(), synced bool) {
	late := synced && c.sync != nil
	c.db.CommitHook(func() bool {
		if late {
			c.sync.shows = f
		} else {
			f()
		}
		return true
	})
}

// OnLog sets a function that is called after each commit with the length of the
// write-ahead log in pages. It takes the place of SQLite's automatic checkpoint.
func (c *Conn) OnLog(f func(pages int)) {
	c.db.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		if c.sync != nil {
			c.sync.show() // should somebody have changed the level of synchronous
		}
		f(pages)
		return nil
	})
}

// Checkpoint moves the write-ahead log into the database and lets it start over;
// truncate also empties its file. It waits, as long as the busy timeout, for
// readers of older snapshots. When it fails, what could be moved was.
func (c *Conn) Checkpoint(truncate bool) (err error) {
	if c.sync != nil {
		c.sync.shows = nil // of a commit that has failed
	}
	c.intr.off = true
	defer func() { c.intr.off = false }()
	defer c.recoverTo(&err)
	mode := sqlite3.CHECKPOINT_RESTART
	if truncate {
		mode = sqlite3.CHECKPOINT_TRUNCATE
	}
	if _, _, err := c.db.WALCheckpoint("main", mode); err != nil {
		return c.fail(err, "")
	}
	return nil
}

// Flush writes what the open transaction has changed so far into the write-ahead
// log, uncommitted: then a commit needs hardly any space more.
func (c *Conn) Flush() (err error) {
	c.intr.off = true
	defer func() { c.intr.off = false }()
	defer c.recoverTo(&err)
	if err := c.db.CacheFlush(); err != nil {
		return c.fail(err, "")
	}
	return nil
}

// IsBusy says that err is SQLite's refusal to wait for a lock, and not the one
// that waiting can't help (CodeConflict).
func IsBusy(err error) bool {
	return errors.Is(err, sqlite3.BUSY) && !errors.Is(err, sqlite3.BUSY_SNAPSHOT)
}
