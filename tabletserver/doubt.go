package tabletserver

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// doubt is what the tablet keeps of a transaction that it has prepared for a
// holder elsewhere. There is one at a time, since it holds the write lock. Its
// redo is in a file of its own beside the database, which exists only when it
// was needed once: the database itself is being written by the transaction.
type doubt struct {
	mu    sync.Mutex
	some  atomic.Bool // something is prepared, or is about to be
	x     *Tx         // nil when nothing is in doubt
	since time.Time
	log   *redolog.Log
}

// redoPath is the file that keeps the redo.
func (t *Tablet) redoPath() string { return t.cfg.Path + "-redo" }

// persist makes a transaction's redo durable.
func (d *doubt) persist(x *Tx) (err error) {
	d.some.Store(true)
	defer func() { d.some.Store(err == nil) }()
	t := x.t
	if t.cfg.Engine != nil {
		if err := x.persistApart(); err != nil {
			return err
		}
	} else if t.memory == nil {
		if err := d.open(t); err != nil {
			return err
		}
		if err := t.syncApart(); err != nil {
			return err
		}
		if err := d.log.Append(x.dtid, []tablet.Redo{x.redone()}); err != nil {
			return err
		}
	}
	d.x, d.since = x, time.Now()
	return nil
}

func (d *doubt) open(t *Tablet) error {
	if d.log != nil {
		return nil
	}
	log, err := redolog.OpenOn(disk.Or(t.cfg.Disk), t.redoPath(), t.cfg.Synchronous != Off)
	if err != nil {
		return err
	}
	d.log = log
	// Their markers go along with the next ones: to delete them at once would
	// wait for a lock whose holder may wait for doubt.mu.
	log.OnTruncate(nil, func(dtids []string) { t.forget.add(dtids) })
	return nil
}

// syncApart makes durable what has been committed. What is said to tablets apart
// must outlive a loss of power also where the tablet's own commits needn't: they
// would be left with the other half of a transaction. The caller has the write lock, and
// its own commit is written, if it has come to that.
func (t *Tablet) syncApart() error {
	if t.cfg.Synchronous != Normal {
		return nil
	}
	return t.syncUpTo((t.commits.now()+1)&^1, false)
}

// drop lets go of a redo whose transaction has ended.
func (d *doubt) drop(t *Tablet, dtid string) {
	if d.x != nil && d.x.dtid == dtid {
		d.x = nil
		d.some.Store(false)
	}
	if d.log != nil {
		d.log.Done(dtid)
	}
}

// recoverDoubt finds what was prepared when the tablet went down, and takes the
// lock back for it. It runs before anybody else may write.
func (t *Tablet) recoverDoubt(ctx context.Context) error {
	if t.cfg.Engine != nil {
		return t.recoverApart(ctx)
	}
	if t.memory != nil || t.cfg.ReadOnly {
		return nil
	}
	if _, err := os.Stat(t.redoPath()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	d := &t.doubt
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.open(t); err != nil {
		return err
	}
	entries, err := d.log.Recover()
	if err != nil || len(entries) == 0 {
		return err
	}
	// The newest one could be written because the lock was free.
	last := entries[len(entries)-1]
	for _, e := range entries[:len(entries)-1] {
		d.log.Done(e.DTID)
	}
	return t.takeUp(ctx, last, d.log.Reset)
}

// takeUp takes the lock for the transaction that was prepared last, unless it has been
// committed: then none is in doubt, and clear lets go of all redos. doubt.mu is held.
func (t *Tablet) takeUp(ctx context.Context, last redolog.Entry, clear func() error) error {
	d := &t.doubt
	x := t.loaded(last.DTID, last.Redos[0])
	x.part.Keeps = true
	if err := x.load(ctx); err != nil {
		return err
	}
	if !x.part.InDoubt() {
		return clear()
	}
	d.x, d.since = x, time.Now()
	d.some.Store(true)
	t.wake()
	return nil
}

// notInDoubt is what a tablet says of a transaction that isn't: it is settled already. A
// tablet that is closed doesn't know that, and who has decided must not forget it.
func (t *Tablet) notInDoubt() error {
	if t.stop.Load() {
		return t.at(errClosed())
	}
	return nil
}

// settle gives the transaction that is in doubt an event, if it is dtid.
func (t *Tablet) settle(dtid string, kind protocol.Kind) error {
	d := &t.doubt
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.x == nil || d.x.dtid != dtid {
		return t.notInDoubt()
	}
	_, err := d.x.step(protocol.Msg{Kind: kind})
	return t.at(err)
}

// CommitPrepared implements tablet.Resolver.
func (t *Tablet) CommitPrepared(_ context.Context, dtid string) error {
	return t.settle(dtid, protocol.Commit)
}

// RollbackPrepared implements tablet.Resolver.
func (t *Tablet) RollbackPrepared(_ context.Context, dtid string) error {
	return t.settle(dtid, protocol.Abort)
}

// Prepared implements tablet.Resolver.
func (t *Tablet) Prepared(context.Context) ([]tablet.InDoubt, error) {
	t.doubt.mu.Lock()
	defer t.doubt.mu.Unlock()
	x := t.doubt.x
	if x == nil {
		return nil, t.notInDoubt()
	}
	return []tablet.InDoubt{{DTID: x.dtid, Holder: x.holder, Since: t.doubt.since, Decided: x.part.Decided()}}, nil
}

// closeDoubt closes the file of the redo. Nothing is settled meanwhile or after.
func (t *Tablet) closeDoubt() {
	t.doubt.mu.Lock()
	defer t.doubt.mu.Unlock()
	t.doubt.x = nil
	if t.doubt.log != nil {
		_ = t.doubt.log.Close()
	}
}
