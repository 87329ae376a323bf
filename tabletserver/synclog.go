package tabletserver

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"sync"

	"github.com/vitessdo/vitessdo/internal/disk"
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
	// synced is one more than the state, as the commits are counted, that is known to be
	// durable; 0: none is.
	synced int64
	err    error
}

// commitDecided commits what a record elsewhere makes durable.
func (t *Tablet) commitDecided(c *conn) error {
	if !t.onFile() {
		return c.c.Control("COMMIT")
	}
	t.durable.mu.Lock()
	t.durable.unsynced = true
	t.durable.mu.Unlock()
	return c.file.CommitUnsynced()
}

// SyncLog makes durable what has been committed, whatever the level of
// Synchronous. When it has failed once, it fails until the tablet is opened anew.
func (t *Tablet) SyncLog() error {
	n := t.commits.now()
	return t.syncUpTo(n&^1, n&1 == 1) // a commit that is being written may be seen by some
}

// syncUpTo makes a state durable, if it isn't yet or must be in any case. The caller has
// seen that it was written.
func (t *Tablet) syncUpTo(state int64, must bool) error {
	if !t.onFile() || t.cfg.ReadOnly {
		return nil
	}
	d := &t.durable
	d.syncing.Lock()
	defer d.syncing.Unlock()
	d.mu.Lock()
	err, needed := d.err, must || d.unsynced || t.cfg.Synchronous != Full && d.synced <= state
	d.unsynced = false // but for the commits that come from now on
	d.mu.Unlock()
	if err != nil || !needed {
		return err
	}
	err = t.syncLogFile()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.err = t.at(&tablet.Error{Code: tablet.CodeIO, Err: err,
			Message: "the log of " + strconv.Quote(t.path) + " can't be made durable: " + err.Error() + "; close the database and open it again"})
		return d.err
	}
	d.synced = max(d.synced, state+1)
	return nil
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

// checkDurable is called when c has written, with the write queue held and no
// transaction open. When the disk has refused to make the log durable, what it
// holds of the failed commit would be found after a crash: that is overwritten.
// Where it can't be, or decided commits weren't durable either, nobody can say
// what the disk holds, and no later commit that builds on it would be safe.
func (t *Tablet) checkDurable(c *conn) {
	if c.file == nil || !c.file.TakeSyncFailure() {
		return
	}
	t.durable.mu.Lock()
	unsynced := t.durable.unsynced
	t.durable.mu.Unlock()
	err := error(nil)
	if !unsynced {
		if err = t.overwrite(c.c); err == nil {
			return
		}
	}
	_ = c.file.TakeSyncFailure()
	t.durable.mu.Lock()
	defer t.durable.mu.Unlock()
	if t.durable.err == nil {
		t.durable.err = t.at(&tablet.Error{Code: tablet.CodeIO, Err: err,
			Message: "the log of " + strconv.Quote(t.path) + " could not be made durable; close the database and open it again"})
	}
}

// overwrite puts a commit that changes nothing in the place of one that failed.
func (t *Tablet) overwrite(c Conn) error {
	c.SetContext(context.Background())
	for _, sql := range []string{"BEGIN IMMEDIATE", createMarkers, "INSERT INTO _vt_applied(dtid) VALUES('')", "DELETE FROM _vt_applied WHERE dtid = ''", "COMMIT"} {
		if err := c.Control(sql); err != nil {
			if c.InTransaction() {
				_ = c.Control("ROLLBACK")
			}
			return err
		}
	}
	return nil
}

// failedCommit is called when a commit on c has failed, and gives the error to
// tell: whether it may be found done after all.
func (t *Tablet) failedCommit(c *conn, err error) error {
	if c.c.InTransaction() {
		return err
	}
	t.checkDurable(c)
	if t.writable() == nil {
		return err
	}
	return &tablet.Error{Code: tablet.CodeUnknownResult, Err: err,
		Message: "the commit may be found done when the database is opened again: " + err.Error()}
}

// writable says why nothing can be written any more.
func (t *Tablet) writable() error {
	t.durable.mu.Lock()
	defer t.durable.mu.Unlock()
	return t.durable.err
}
