package tabletserver

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"sync"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
)

// A decided transaction is durable by the record of its decision, which replays
// it. So its commit here need not wait for the disk, until that record is to go:
// then SyncLog waits, once for many. Nothing else may be lost by that: a commit of
// this shard alone waits for the whole log, and so for those before it.

// logDurability knows what of the write-ahead log isn't durable.
type logDurability struct {
	syncing  sync.Mutex // held by SyncLog
	mu       sync.Mutex
	unsynced bool // commits of decided transactions
	err      error
}

// commitDecided commits what a record elsewhere makes durable.
func (t *Tablet) commitDecided(c *sqlite.Conn) error {
	if t.memory != nil {
		return c.Control("COMMIT")
	}
	t.durable.mu.Lock()
	t.durable.unsynced = true
	t.durable.mu.Unlock()
	return c.CommitUnsynced()
}

// SyncLog makes durable what has been committed, whatever the level of
// Synchronous. When it has failed once, it fails until the tablet is opened anew.
func (t *Tablet) SyncLog() error {
	if t.memory != nil || t.cfg.ReadOnly {
		return nil
	}
	d := &t.durable
	d.syncing.Lock()
	defer d.syncing.Unlock()
	d.mu.Lock()
	err, needed := d.err, d.unsynced || t.cfg.Synchronous != Full
	d.unsynced = false // but for the commits that come from now on
	d.mu.Unlock()
	if err != nil || !needed {
		return err
	}
	if err = t.syncLogFile(); err != nil {
		err = t.at(&tablet.Error{Code: tablet.CodeIO, Err: err,
			Message: "the log of " + strconv.Quote(t.path) + " can't be made durable: " + err.Error() + "; close the database and open it again"})
		d.mu.Lock()
		d.err = err
		d.mu.Unlock()
	}
	return err
}

func (t *Tablet) syncLogFile() error {
	f, err := disk.Or(t.cfg.Disk).OpenFile(t.path+"-wal", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// checkDurable is called when c has written. If the disk has refused to make the
// log durable while commits were not, what it holds of them is unknown, and no
// later commit that builds on them would be safe.
func (t *Tablet) checkDurable(c *conn) {
	if !c.c.TakeSyncFailure() {
		return
	}
	t.durable.mu.Lock()
	defer t.durable.mu.Unlock()
	if t.durable.unsynced && t.durable.err == nil {
		t.durable.err = t.at(&tablet.Error{Code: tablet.CodeIO,
			Message: "the log of " + strconv.Quote(t.path) + " could not be made durable; close the database and open it again"})
	}
}

// writable says why nothing can be written any more.
func (t *Tablet) writable() error {
	t.durable.mu.Lock()
	defer t.durable.mu.Unlock()
	return t.durable.err
}
