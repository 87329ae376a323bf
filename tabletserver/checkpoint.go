package tabletserver

import (
	"context"
	"math"
	"time"

	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
)

// A checkpoint waits for statements that read an older snapshot, and the
// writers wait with it. After each failure the next one waits longer, but also
// lets more pages come first.
const (
	checkpointWait    = 10 * time.Millisecond
	maxCheckpointWait = 80 * time.Millisecond
)

// shrinkFactor is the multiple of the checkpoint size above which the log's
// file is cut back.
const shrinkFactor = 8

// committed tells readers of a commit on c, and checkpoints when the log has
// grown. The caller holds the write queue and c.
func (t *Tablet) committed(c *conn) {
	t.commits.settle()
	t.last = ""
	if c.wal >= t.checkpointAt {
		pages := c.wal
		if t.checkpoint(c) == nil {
			t.checkpointAt = t.cfg.CheckpointPages
			t.checkpointFails = 0
			c.wal = 0
		} else {
			// A long reader is in the way. What could be moved was.
			t.checkpointFails++
			t.checkpointAt = pages + t.checkpointFails*t.cfg.CheckpointPages
		}
	}
}

// checkpoint moves the log's pages into the database and starts the log over.
// Idle readers end their sticky transactions first, and those that come back
// while it waits do as well.
func (t *Tablet) checkpoint(c *conn) error {
	t.checkpointing.Store(true)
	defer t.checkpointing.Store(false)
	t.readers.unstickIdle()
	_ = c.file.SetBusyTimeout(min(checkpointWait<<min(t.checkpointFails, 8), maxCheckpointWait))
	defer func() { _ = c.file.SetBusyTimeout(t.cfg.LockWait) }()
	// Cutting the log back gives its index a new header, after which no older
	// snapshot can be written on. Readers that were busy may still have one.
	defer t.commits.renew()
	return c.file.Checkpoint(c.wal >= shrinkFactor*t.cfg.CheckpointPages)
}

// Checkpoint moves everything that is committed into the database file and
// makes it durable, whatever the level of Synchronous, and cuts the log back.
// It fails with CodeLockTimeout when a reader stays in the way.
func (t *Tablet) Checkpoint(ctx context.Context) error {
	if !t.onFile() || t.cfg.ReadOnly {
		return nil
	}
	w, err := t.takeWriter(ctx)
	if err != nil {
		return t.at(err)
	}
	defer t.leaveWriter(w)
	wal := w.wal
	w.wal = math.MaxInt // so that the file is cut back
	if err := t.checkpoint(w); err != nil {
		w.wal = wal
		code := tablet.CodeOf(err)
		if sqlite.IsBusy(err) {
			code = tablet.CodeLockTimeout
		}
		return t.at(&tablet.Error{Code: code, Err: err,
			Message: "the checkpoint could not be finished: " + err.Error()})
	}
	w.wal = 0
	t.checkpointAt, t.checkpointFails = t.cfg.CheckpointPages, 0
	return nil
}
