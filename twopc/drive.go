package twopc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// commitment drives a coordinator: it carries its effects out, by calls, and
// tells it what came of them.
type commitment struct {
	ctx     context.Context
	dtid    string
	writers []tablet.Tx
	log     Log // nil: the last writer is the holder
	coord   protocol.Coordinator
	redos   []tablet.Redo // for the log
	later   func(*Rest)   // takes what follows the decision; nil: Commit does it
	outcome protocol.Outcome
	decides int   // how many times Decide was tried
	err     error // why it is rolled back, or its outcome unknown
	left    error // why participants have not committed, after the decision
}

// A holder whose answer is lost is asked again, after a while.
const (
	decideTries = 4
	decidePause = 100 * time.Millisecond
)

func (d *commitment) commitAll() error {
	d.coord = protocol.NewCoordinator(len(d.writers), d.log == nil)
	if d.log != nil {
		d.redos = make([]tablet.Redo, 0, len(d.writers))
	}
	d.step(protocol.Msg{Kind: protocol.Start})
	switch {
	case d.outcome == protocol.Aborts:
		return d.err
	case d.outcome == protocol.Unknown:
		return d.unknown()
	case d.later != nil:
		d.later(&Rest{d}) // from here on it belongs to that
		return nil
	case d.left != nil:
		return &tablet.Error{Code: tablet.CodeUnknownResult, Err: &UnfinishedError{Rest: Rest{d}, Err: d.left},
			Message: fmt.Sprintf("transaction %s is decided to commit, but a shard could not yet: %v; it is tried again, also when the database is next opened", d.dtid, d.left)}
	}
	return nil
}

func (d *commitment) unknown() error {
	if tablet.CodeOf(d.err) == tablet.CodeUnknownResult {
		return d.err
	}
	return &tablet.Error{Code: tablet.CodeUnknownResult, Err: d.err,
		Message: fmt.Sprintf("whether transaction %s is committed is unknown: %v; SHOW TRANSACTION STATUS FOR '%s' tells when it is settled", d.dtid, d.err, d.dtid)}
}

// Rest is what is left of a transaction that is decided: participants that have yet
// to commit. They hold their shards' write locks until they have.
type Rest struct{ d *commitment }

// DTID is the transaction's ID.
func (r *Rest) DTID() string { return r.d.dtid }

// Shards tells which participants there are beside the holder.
func (r *Rest) Shards() []tablet.Target {
	out := make([]tablet.Target, r.d.coord.Preparers())
	for i := range out {
		out[i] = r.d.writers[i].Target()
	}
	return out
}

// Finish has those commit that haven't. It can be repeated when it fails, and is to
// be called from one goroutine at a time.
func (r *Rest) Finish(ctx context.Context) error {
	r.d.ctx, r.d.later = ctx, nil // now they do commit
	r.d.step(protocol.Msg{Kind: protocol.Timeout})
	return r.d.left
}

// UnfinishedError is in the chain of Commit's error when the decision is made
// but some participant could not commit, such as for a full disk. It holds its
// shard's write lock until Finish has succeeded.
type UnfinishedError struct {
	Rest
	Err error
}

// Error says what stood in the way.
func (e *UnfinishedError) Error() string { return "transaction " + e.DTID() + ": " + e.Err.Error() }

// Unwrap returns the participants' errors.
func (e *UnfinishedError) Unwrap() error { return e.Err }

// step gives the coordinator an event and carries out what it wants. Effects of
// one kind, for several participants, may go side by side.
func (d *commitment) step(in protocol.Msg) {
	var buf [8]protocol.Msg
	for out := d.coord.Step(in, buf[:0]); len(out) > 0; {
		n := 1
		for n < len(out) && out[n].Kind == out[0].Kind {
			n++
		}
		d.do(out[:n])
		out = out[n:]
	}
}

func (d *commitment) do(run []protocol.Msg) {
	switch run[0].Kind {
	case protocol.Prepare:
		if d.log != nil {
			d.prepareInMemory(run)
		} else {
			d.prepare(run)
		}
	case protocol.Decide:
		d.decide()
	case protocol.Commit:
		d.commit(run)
	case protocol.Abort:
		Rollback(d.writers[run[0].Part : run[len(run)-1].Part+1])
	case protocol.Forget:
		d.forget()
	case protocol.Answer:
		d.outcome = run[0].Outcome
	}
}

// prepareInMemory collects the redo for the log, one after the other: there is
// no disk to be waited for.
func (d *commitment) prepareInMemory(run []protocol.Msg) {
	for _, m := range run {
		Reach(Preparing, m.Part)
		r, err := d.writers[m.Part].Prepare(d.ctx, d.dtid, tablet.Target{})
		if err != nil {
			d.refused(m.Part, err)
			return
		}
		d.redos = append(d.redos, r)
	}
	for _, m := range run {
		d.step(protocol.Msg{Kind: protocol.Prepared, Part: m.Part})
	}
}

// prepare has the participants keep their redo, side by side.
func (d *commitment) prepare(run []protocol.Msg) {
	holder := d.writers[len(d.writers)-1].Target()
	errs := d.each(run, Preparing, func(ctx context.Context, x tablet.Tx) error {
		_, err := x.Prepare(ctx, d.dtid, holder)
		return err
	})
	for i, err := range errs {
		if err != nil {
			d.refused(run[i].Part, err)
			return
		}
	}
	for _, m := range run {
		d.step(protocol.Msg{Kind: protocol.Prepared, Part: m.Part})
	}
}

func (d *commitment) refused(part int, err error) {
	d.err = err
	d.step(protocol.Msg{Kind: protocol.Refused, Part: part})
}

func (d *commitment) decide() {
	Reach(Deciding, 0)
	d.decides++
	var err error
	if d.log != nil {
		err = d.log.Append(d.dtid, d.redos)
	} else {
		err = d.decideLast()
	}
	if err != nil {
		d.err = err
	}
	switch {
	case err == nil:
		Reach(Decided, 0)
		// From here on nothing may stop it, the caller's context included.
		d.ctx = context.WithoutCancel(d.ctx)
		d.step(protocol.Msg{Kind: protocol.Decided})
	case tablet.CodeOf(err) != tablet.CodeUnknownResult && d.decides == 1:
		d.step(protocol.Msg{Kind: protocol.DecideRefused})
	case tablet.CodeOf(err) != tablet.CodeUnknownResult:
		d.step(protocol.Msg{Kind: protocol.DecideLost})
	case d.log == nil && d.decides < decideTries && d.pause():
		d.step(protocol.Msg{Kind: protocol.Timeout})
	default:
		d.step(protocol.Msg{Kind: protocol.DecideUnknown})
		d.step(protocol.Msg{Kind: protocol.GiveUp})
	}
}

// decideLast commits the last writer together with the decision.
func (d *commitment) decideLast() error {
	last := len(d.writers) - 1
	others := make([]tablet.Target, last)
	for i := range others {
		others[i] = d.writers[i].Target()
	}
	return d.writers[last].Decide(d.ctx, d.dtid, others)
}

// pause waits before the holder is asked again; it says whether to.
func (d *commitment) pause() bool {
	timer := time.NewTimer(decidePause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.ctx.Done():
		return false
	}
}

// commit has participants commit, side by side: each may wait for its disk.
func (d *commitment) commit(run []protocol.Msg) {
	if d.later != nil {
		return // to Rest.Finish
	}
	errs := d.each(run, Committed, func(ctx context.Context, x tablet.Tx) error { return x.CommitPrepared(ctx) })
	d.left = errors.Join(errs...)
	for i, err := range errs {
		if err == nil {
			d.step(protocol.Msg{Kind: protocol.Committed, Part: run[i].Part})
		}
	}
}

// each calls f for the participants side by side. A test that listens to the
// points has them come one by one: Preparing before, Committed after.
func (d *commitment) each(run []protocol.Msg, at Point, f func(context.Context, tablet.Tx) error) []error {
	errs := make([]error, len(run))
	if fault.Load() != nil {
		for i, m := range run {
			if at == Preparing {
				Reach(at, m.Part)
			}
			errs[i] = f(d.ctx, d.writers[m.Part])
			if at == Committed {
				Reach(at, m.Part)
			}
		}
		return errs
	}
	var wg sync.WaitGroup
	for i := 1; i < len(run); i++ {
		x, err := d.writers[run[i].Part], &errs[i]
		wg.Go(func() { *err = f(d.ctx, x) })
	}
	errs[0] = f(d.ctx, d.writers[run[0].Part])
	wg.Wait()
	return errs
}

// forget lets the holder drop the decision. Should it not hear of that, it will
// ask the participants itself.
func (d *commitment) forget() {
	Reach(Forgetting, 0)
	if d.log != nil {
		d.log.Done(d.dtid)
	} else {
		_ = d.writers[len(d.writers)-1].Conclude(d.ctx, d.dtid)
	}
	Reach(Finished, 0)
}
