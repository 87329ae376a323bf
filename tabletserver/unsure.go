package tabletserver

import (
	"context"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// unsure says whether a commit that failed may have been done. An engine tells; of a file
// the pages may be on the disk, whatever SQLite makes of it now.
func (t *Tablet) unsure(err error) bool {
	code := tablet.CodeOf(err)
	if t.cfg.Engine != nil {
		return code == tablet.CodeUnknownResult
	}
	switch code {
	case tablet.CodeIO, tablet.CodeCorrupt, tablet.CodeClosed, tablet.CodeInternal:
		return true
	}
	return false
}

// findOut has the resolver find out whether a decision was written under which the engine's
// database went away. Until then nobody is answered, and the transaction's lock stays, so
// that nobody builds on either answer. What became of a file is seen when it is opened
// again.
func (t *Tablet) findOut(x *Tx, dtid string) {
	if t.cfg.Engine == nil {
		return
	}
	// The caller's transaction has come to its end; this one has what it held.
	own := &Tx{t: t, opts: x.opts, c: x.c, locked: true, wrote: true, moves: x.moves, dtid: dtid, outdated: x.outdated}
	t.decisions.mu.Lock()
	t.decisions.unsure = own
	t.decisions.mu.Unlock()
	t.wake()
}

const findDecision = "SELECT 1 FROM _vt_decided WHERE dtid = ?1"

// lookUp settles what is unsure, if the database answers.
func (t *Tablet) lookUp(ctx context.Context) {
	d := &t.decisions
	d.mu.Lock()
	x := d.unsure
	d.mu.Unlock()
	if x == nil || x.c.lock() != nil {
		return
	}
	found, err := decided(ctx, x.c.c, x.dtid)
	if err != nil {
		x.c.mu.Unlock()
		return
	}
	d.mu.Lock()
	d.unsure = nil
	d.mu.Unlock()
	says := protocol.RecordFailed
	if found {
		says, d.made = protocol.Recorded, true
		x.committed()
	} else {
		d.remove(x.dtid)
		x.remember()
	}
	x.leave()
	d.step(x.dtid, protocol.Msg{Kind: says})
}

// decided says whether a decision is there, once the connection on which it was written
// has ended: a writer waits for that.
func decided(ctx context.Context, c Conn, dtid string) (found bool, err error) {
	if c.InTransaction() {
		if err := c.Control("ROLLBACK"); err != nil {
			return false, err
		}
	}
	c.SetContext(ctx)
	if err := c.Control("BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	defer func() {
		if c.InTransaction() {
			_ = c.Control("ROLLBACK")
		}
	}()
	err = run(c, deleteDecision, "") // of none: it makes this a writer
	if tablet.CodeOf(err) == tablet.CodeNoTable {
		return false, nil // it was to be made along with the first
	}
	if err != nil {
		return false, err
	}
	rows, err := c.QueryAll(ctx, findDecision, dtid)
	return len(rows) > 0, err
}
