package tabletserver

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"github.com/vitessdo/vitessdo/tablet"
)

// Where a commit isn't durable by itself, a loss of power may take the shard's
// last commits and leave records of the redo log that came after them, or between
// them. Such a record must not be replayed on the state that is found. So it keeps
// the place where its writes ran: the name of the state, and when the commit before
// was a distributed transaction, that one, since a replay leads to a state of
// another name.

// place tells where the shard stands. The caller holds the write queue, and the
// transaction that is to be placed has written to the log.
func (t *Tablet) place() tablet.Place {
	if !t.onFile() || t.cfg.Synchronous == Full {
		return tablet.Place{}
	}
	return tablet.Place{After: t.last, State: t.logState()}
}

// Sizes and offsets in the index of the write-ahead log; see "WAL-Index Header
// Information" in SQLite's description of its file format.
const (
	indexHeader = 48
	indexFrames = 16 // the number of frames that are committed
	indexSums   = 24 // their checksum, 8 bytes, and the log's salt, 8 bytes
	logSalt     = 16 // the same in the log
)

// logState names the last committed state of the log: its salt, which changes
// whenever it starts over, and how much of it is committed, with its checksum. It
// is "" when that can't be found out.
func (t *Tablet) logState() string {
	if t.index == nil {
		f, err := os.Open(t.path + "-shm")
		if err != nil {
			return ""
		}
		t.index = f
	}
	var h [indexHeader]byte
	if _, err := t.index.ReadAt(h[:], 0); err != nil {
		return ""
	}
	if frames := binary.NativeEndian.Uint32(h[indexFrames:]); frames > 0 {
		return fmt.Sprintf("%d-%x", frames, h[indexSums:indexSums+16])
	}
	// The index may not yet have the salt of a log in which nothing is committed.
	var salt [8]byte
	if f, err := os.Open(t.path + "-wal"); err == nil {
		_, _ = f.ReadAt(salt[:], logSalt)
		_ = f.Close()
	}
	return fmt.Sprintf("0-%x", salt)
}

// Standing says what a redo would find on the shard.
type Standing int

// The standings.
const (
	Applied Standing = iota // its writes
	Fits                    // the state on which it ran
	Lost                    // another one: commits before it are lost
)

// Standing looks, after a crash, whether a redo can be replayed. The redos of a
// log are to be asked about and replayed in order, before anybody else writes.
func (t *Tablet) Standing(ctx context.Context, dtid string, r *tablet.Redo) (Standing, error) {
	applied, err := t.Applied(ctx, dtid)
	switch {
	case err != nil:
		return Lost, err
	case applied:
		t.last = dtid
		return Applied, nil
	case r.Place == (tablet.Place{}) || r.Place.After != "" && r.Place.After == t.last || r.Place.State == t.logState():
		return Fits, nil
	}
	return Lost, nil
}
