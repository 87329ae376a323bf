package tabletserver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// resolver settles the transactions whose coordinator is silent: those that are
// in doubt here, by asking the holder, and those that are decided here, by
// telling the participants. Its goroutine runs while there are any.
type resolver struct {
	mu      sync.Mutex
	closed  bool
	work    sync.WaitGroup
	running atomic.Bool
	loaded  atomic.Bool // there are decisions of an earlier process
	ctx     context.Context
	cancel  context.CancelFunc
}

// askTimeout bounds a call of another tablet.
const askTimeout = 5 * time.Second

// wake starts the resolver; there is something that it may have to settle.
func (t *Tablet) wake() {
	r := &t.resolver
	if t.cfg.Peer == nil || r.running.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed && r.running.CompareAndSwap(false, true) {
		r.work.Go(t.resolve)
	}
}

func (r *resolver) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.work.Wait()
}

func (t *Tablet) resolve() {
	r := &t.resolver
	tick := time.NewTicker(t.cfg.AskAfter)
	defer tick.Stop()
	if r.loaded.Swap(false) {
		t.tellDecisions(r.ctx, 0) // whoever decided them is gone, or has lost its connection
	}
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
		t.lookUp(r.ctx)
		t.settleDoubt(r.ctx)
		t.tellDecisions(r.ctx, t.cfg.AskAfter)
		if t.Unsettled() {
			continue
		}
		r.running.Store(false)
		if !t.Unsettled() || !r.running.CompareAndSwap(false, true) {
			return
		}
	}
}

// Unsettled says whether something is prepared here for a holder elsewhere, or
// decided for participants of which some may not have committed. What it is about
// goes on, and is settled, while the tablet is open.
func (t *Tablet) Unsettled() bool {
	t.doubt.mu.Lock()
	waits := t.doubt.x != nil
	t.doubt.mu.Unlock()
	t.decisions.mu.Lock()
	defer t.decisions.mu.Unlock()
	return waits || len(t.decisions.list) > 0
}

// settleDoubt asks what became of the transaction that is prepared here, when it
// has been so for a while.
func (t *Tablet) settleDoubt(ctx context.Context) {
	list, _ := t.Prepared(ctx)
	for _, x := range list {
		if time.Since(x.Since) < t.cfg.AskAfter {
			continue
		}
		if x.Decided {
			_ = t.settle(x.DTID, protocol.Timeout) // once more
			continue
		}
		t.ask(ctx, x)
	}
}

func (t *Tablet) ask(ctx context.Context, x tablet.InDoubt) {
	holder, err := t.cfg.Peer(x.Holder)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	outcome, err := holder.Outcome(ctx, x.DTID)
	switch {
	case err != nil:
	case outcome == tablet.Commits:
		if t.settle(x.DTID, protocol.Commit) == nil {
			_ = holder.Confirm(ctx, x.DTID, t.cfg.Target)
		}
	case outcome == tablet.Aborts:
		_ = t.settle(x.DTID, protocol.Abort)
	}
}

// tellDecisions has the participants of decisions commit that are as old as that.
func (t *Tablet) tellDecisions(ctx context.Context, old time.Duration) {
	list, _ := t.Decisions(ctx)
	for _, e := range list {
		if time.Since(e.Since) < old {
			continue
		}
		t.decisions.mu.Lock()
		left := t.decisions.keeper.Step(e.DTID, protocol.Msg{Kind: protocol.Timeout}, nil)
		t.decisions.mu.Unlock()
		for _, m := range left {
			t.tell(ctx, e.DTID, e.Participants[m.Part])
		}
	}
}

func (t *Tablet) tell(ctx context.Context, dtid string, participant tablet.Target) {
	p, err := t.cfg.Peer(participant)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if p.CommitPrepared(ctx, dtid) == nil {
		_ = t.Confirm(ctx, dtid, participant)
	}
}
