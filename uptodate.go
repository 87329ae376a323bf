package vitessdo

import (
	"context"
	"fmt"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
)

// Where tablets are apart, a client is told of its commit when that is decided, and
// the shards beside the decision's holder commit while it goes on. Until they have,
// whoever in this process comes to such a shard waits, so that what a client was
// told is there. Elsewhere, writers wait for the shard's lock, and readers may see
// what was before.

// unseenCommit is a commit that a shard has yet to make. A shard has one at the
// most, since it is locked until then: that bounds the work that is left behind.
type unseenCommit struct {
	dtid string
	done chan struct{}
}

// behindClient finishes a transaction whose client isn't waiting.
func (f *finisher) behindClient(r *twopc.Rest) {
	u, shards := &unseenCommit{dtid: r.DTID(), done: make(chan struct{})}, r.Shards()
	f.mu.Lock()
	if f.late == nil {
		f.late = map[tablet.Target]*unseenCommit{}
	}
	for _, at := range shards {
		f.late[at] = u
	}
	f.behind.Add(int32(len(shards)))
	f.mu.Unlock()
	f.later(r, 0, func() {
		f.mu.Lock()
		for _, at := range shards {
			if f.late[at] == u {
				delete(f.late, at)
			}
		}
		f.behind.Add(-int32(len(shards)))
		f.mu.Unlock()
		close(u.done)
	})
}

// upToDate waits until a shard has made every commit that a client here was told
// of.
func (f *finisher) upToDate(ctx context.Context, at tablet.Target, limit time.Duration) error {
	if f.behind.Load() == 0 {
		return nil
	}
	f.mu.Lock()
	u := f.late[at]
	f.mu.Unlock()
	if u == nil {
		return nil
	}
	if limit = tablet.LockWait(ctx, limit); limit < 0 {
		return &tablet.Error{Code: tablet.CodeLockNoWait, Target: at,
			Message: "transaction " + u.dtid + " has yet to commit here, and NOWAIT is set"}
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-u.done:
		return nil
	case <-ctx.Done():
		return &tablet.Error{Code: tablet.CodeCanceled, Target: at, Err: ctx.Err(), Message: "the statement was interrupted: " + ctx.Err().Error()}
	case <-timer.C:
		return &tablet.Error{Code: tablet.CodeLockTimeout, Target: at,
			Message: fmt.Sprintf("transaction %s is committed, but this shard doesn't show it yet, as it can't be reached or its disk is full; try again", u.dtid)}
	}
}

// upToDate is a tablet elsewhere as this process sees it. Values that stand for the
// same tablet are equal.
type upToDate struct {
	tablet.Tablet
	cl *cluster
}

// upToDateSnapshots is one that can be part of a cut.
type upToDateSnapshots struct {
	upToDate
	tablet.Snapshotter
}

// upToDate gives tablets that wait, where somebody may have to.
func (c *cluster) upToDate(list []tablet.Tablet) []tablet.Tablet {
	if c.at.log() != nil {
		return list
	}
	out := make([]tablet.Tablet, len(list))
	for i, t := range list {
		out[i] = upToDate{t, c}
		if s, ok := t.(tablet.Snapshotter); ok {
			out[i] = upToDateSnapshots{upToDate{t, c}, s}
		}
	}
	return out
}

func (u upToDate) wait(ctx context.Context) error {
	return u.cl.finish.upToDate(ctx, u.Target(), u.cl.cfg.LockWaitTimeout)
}

// Query implements tablet.Tablet.
func (u upToDate) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	if err := u.wait(ctx); err != nil {
		return nil, err
	}
	return u.Tablet.Query(ctx, q)
}

// Exec implements tablet.Tablet.
func (u upToDate) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	if err := u.wait(ctx); err != nil {
		return tablet.Result{}, err
	}
	return u.Tablet.Exec(ctx, q)
}

// Begin implements tablet.Tablet.
func (u upToDate) Begin(ctx context.Context, opts tablet.TxOptions) (tablet.Tx, error) {
	if err := u.wait(ctx); err != nil {
		return nil, err
	}
	return u.Tablet.Begin(ctx, opts)
}

// Snapshot implements tablet.Snapshotter.
func (u upToDateSnapshots) Snapshot(ctx context.Context) (tablet.Snapshot, error) {
	if err := u.wait(ctx); err != nil {
		return nil, err
	}
	return u.Snapshotter.Snapshot(ctx)
}
