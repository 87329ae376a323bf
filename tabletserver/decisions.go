package tabletserver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// decisions are those that the tablet keeps as the holder: rows of the table
// _vt_decided, each written by the commit of the transaction that it is about.
// Rows that are needed no more are deleted along with later ones.
type decisions struct {
	mu     sync.Mutex
	keeper protocol.Keeper
	list   map[string]tablet.Decision // as the keeper knows them
	made   bool                       // the table exists
	old    forgetList
	tombed atomic.Bool // there are tombstones
	gate   gate
	unsure *Tx // whose decision may be in the engine's database, or not; dtid is its
}

// gate keeps transactions from being decided while somebody looks at several
// shards as of one moment: then none is half done.
type gate struct {
	mu      sync.Mutex
	inside  int           // decisions that are being made
	holds   int           // who keeps others out
	open    chan struct{} // closed when the last hold ends; nil without
	changed chan struct{} // closed when a hold may have come about; nil when none waits
}

// enter waits until nobody keeps it out.
func (g *gate) enter(ctx context.Context) error {
	for {
		g.mu.Lock()
		open := g.open
		if open == nil {
			g.inside++
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		select {
		case <-open:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	g.inside--
	g.poke()
	g.mu.Unlock()
}

// poke has those look again who wait for a hold. The lock is held.
func (g *gate) poke() {
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// look gives what is closed when inside, or what done of hold says, may have changed.
func (g *gate) look() (inside int, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	return g.inside, g.changed
}

// hold keeps others out until release is called, and returns when nobody is inside
// and done says so.
func (g *gate) hold(ctx context.Context, done func() bool) (release func(), err error) {
	g.mu.Lock()
	if g.holds++; g.holds == 1 {
		g.open = make(chan struct{})
	}
	g.mu.Unlock()
	release = func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.holds--; g.holds == 0 {
			close(g.open)
			g.open = nil
		}
	}
	for {
		inside, changed := g.look()
		if inside == 0 && done() {
			return release, nil
		}
		select {
		case <-ctx.Done():
			release()
			return nil, canceled(ctx.Err())
		case <-changed:
		}
	}
}

// none says that all that was decided here is done.
func (d *decisions) none() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.list) == 0
}

const (
	createDecisions = "CREATE TABLE IF NOT EXISTS _vt_decided(dtid TEXT NOT NULL PRIMARY KEY, participants TEXT NOT NULL) WITHOUT ROWID"
	insertDecision  = "INSERT INTO _vt_decided(dtid, participants) VALUES(?1, ?2)"
	deleteDecision  = "DELETE FROM _vt_decided WHERE dtid = ?1"
	listDecisions   = "SELECT dtid, participants FROM _vt_decided ORDER BY dtid"
)

// Decide commits together with the decision.
func (x *Tx) Decide(ctx context.Context, dtid string, participants []tablet.Target) error {
	d := &x.t.decisions
	if err := d.gate.enter(ctx); err != nil {
		return x.t.at(canceled(err)) // nothing was decided
	}
	defer d.gate.leave()
	usable := x.usable()
	if usable == nil && (!x.wrote || !x.locked) {
		usable = misuse("the transaction has written nothing: it can't carry a decision")
	}
	in := protocol.Msg{Kind: protocol.Decide, Part: len(participants), Open: usable == nil && ctx.Err() == nil}
	switch says := d.step(dtid, in); says {
	case protocol.Decided:
		return nil
	case protocol.DecideRefused:
		return x.t.at(&tablet.Error{Code: tablet.CodeTxExpired,
			Message: "transaction " + dtid + " was taken for dead: a participant has asked, and was told that it aborts; begin it anew"})
	case protocol.DecideLost:
		if usable == nil {
			usable = canceled(ctx.Err())
		}
		return x.t.at(usable)
	case protocol.Record:
	default:
		return x.t.at(unknownDecision(dtid, nil))
	}
	says, err := x.carry(dtid, participants)
	d.step(dtid, protocol.Msg{Kind: says})
	if says == protocol.RecordUnknown {
		return x.t.at(unknownDecision(dtid, err))
	}
	if err == nil {
		x.t.wake()
	}
	return x.t.at(err)
}

func unknownDecision(dtid string, cause error) error {
	msg := "whether transaction " + dtid + " is decided is unknown until the tablet has looked into its database anew"
	if cause != nil {
		msg += ": " + cause.Error()
	}
	return &tablet.Error{Code: tablet.CodeUnknownResult, Err: cause, Message: msg}
}

// carry writes the decision and commits.
func (x *Tx) carry(dtid string, participants []tablet.Target) (protocol.Kind, error) {
	text, err := json.Marshal(participants)
	if err != nil {
		return protocol.RecordFailed, err
	}
	if err := x.c.lock(); err != nil {
		return protocol.RecordFailed, err
	}
	x.endStreams()
	err = x.sealed(func() error { return x.t.decisions.write(x, dtid, string(text)) })
	if err != nil {
		x.failed(err)
		x.c.mu.Unlock()
		return protocol.RecordFailed, err
	}
	x.t.decisions.add(tablet.Decision{DTID: dtid, Participants: slices.Clone(participants), Since: time.Now()})
	err = x.c.c.Control("COMMIT")
	if err == nil {
		err = x.t.syncApart()
	}
	if err != nil {
		defer x.c.mu.Unlock()
		x.t.commits.settle()
		if x.t.unsure(err) {
			x.err = unknownDecision(dtid, err)
			x.stuck = true
			x.t.findOut(x, dtid)
			return protocol.RecordUnknown, err
		}
		x.t.decisions.remove(dtid)
		x.failed(err)
		return protocol.RecordFailed, err
	}
	x.t.decisions.made = true
	x.committed()
	x.leave()
	return protocol.Recorded, nil
}

// write inserts the row, and deletes some that are needed no more.
func (d *decisions) write(x *Tx, dtid, participants string) error {
	c := x.c.c
	c.SetContext(context.Background())
	if !d.made {
		if err := run(c, createDecisions); err != nil {
			return err
		}
	}
	x.outdated = d.old.some()
	for _, old := range x.outdated {
		if err := run(c, deleteDecision, old); err != nil {
			return err
		}
	}
	if err := x.keep(requestOf(dtid), nil); err != nil {
		return err
	}
	return run(c, insertDecision, dtid, participants)
}

// requestOf is the name by which a decision is remembered, also when the row of it
// is needed no more.
func requestOf(dtid string) string { return "dtid/" + dtid }

func (d *decisions) add(e tablet.Decision) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.list == nil {
		d.list = map[string]tablet.Decision{}
	}
	d.list[e.DTID] = e
}

func (d *decisions) remove(dtid string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(dtid)
}

// drop takes a decision from the list. The lock is held.
func (d *decisions) drop(dtid string) {
	delete(d.list, dtid)
	d.gate.mu.Lock()
	d.gate.poke()
	d.gate.mu.Unlock()
}

// step gives the keeper an event and tells what it says; 0, which it never says,
// for nothing.
func (d *decisions) step(dtid string, in protocol.Msg) (says protocol.Kind) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var buf [2]protocol.Msg
	for _, m := range d.keeper.Step(dtid, in, buf[:0]) {
		if m.Kind == protocol.DropDecision {
			d.drop(dtid)
			d.old.add([]string{dtid})
			continue
		}
		says = m.Kind
		if m.Kind == protocol.Answer && m.Outcome == protocol.Commits {
			says = protocol.Commit
		}
	}
	d.tombed.Store(d.keeper.Tombs() > 0)
	return says
}

// unlocked lets tombstones go: whom they were to stop has ended.
func (d *decisions) unlocked() {
	if d.tombed.Load() {
		d.step("", protocol.Msg{Kind: protocol.Unlocked})
	}
}

// load reads the decisions that an earlier process has made.
func (t *Tablet) loadDecisions(ctx context.Context) error {
	rows, err := t.writer.c.QueryAll(ctx, listDecisions)
	if tablet.CodeOf(err) == tablet.CodeNoTable {
		return nil
	}
	if err != nil {
		return err
	}
	d := &t.decisions
	d.made = true
	for _, r := range rows {
		e := tablet.Decision{DTID: fmt.Sprint(r[0]), Since: time.Now()}
		if err := json.Unmarshal([]byte(fmt.Sprint(r[1])), &e.Participants); err != nil {
			return &tablet.Error{Code: tablet.CodeCorrupt, Message: "the decision on transaction " + e.DTID + " can't be read: " + err.Error()}
		}
		d.add(e)
		d.step(e.DTID, protocol.Msg{Kind: protocol.Load, Part: len(e.Participants)})
	}
	if len(rows) > 0 {
		t.resolver.loaded.Store(true)
		t.wake()
	}
	return nil
}

// dropDecisions deletes the rows that are needed no more, so that the next process
// needn't ask the participants about them. Where somebody holds the write lock, it will
// have to.
func (t *Tablet) dropDecisions() {
	if outdated := t.decisions.old.all(); len(outdated) > 0 {
		ctx := tablet.WithLockWait(context.Background(), tablet.NoWait)
		_ = t.deleteOwn(ctx, createDecisions, deleteDecision, func() []string { return outdated })
	}
}

// Outcome implements tablet.Resolver.
func (t *Tablet) Outcome(ctx context.Context, dtid string) (tablet.Outcome, error) {
	if t.stop.Load() {
		return tablet.Undecided, t.at(errClosed())
	}
	// Who asks late, as its answer to DECIDE was lost, hears what was decided, though
	// the participants have all committed since.
	switch _, found, err := t.Recall(ctx, requestOf(dtid)); {
	case err != nil:
		return tablet.Undecided, err
	case found:
		return tablet.Commits, nil
	}
	switch t.decisions.step(dtid, protocol.Msg{Kind: protocol.Ask, Open: t.queue.Taken()}) {
	case protocol.Commit:
		return tablet.Commits, nil
	case protocol.Answer:
		return tablet.Aborts, nil
	}
	return tablet.Undecided, nil
}

// Decisions implements tablet.Resolver.
func (t *Tablet) Decisions(context.Context) ([]tablet.Decision, error) {
	d := &t.decisions
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]tablet.Decision, 0, len(d.list))
	for _, e := range d.list {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b tablet.Decision) int { return a.Since.Compare(b.Since) })
	return out, nil
}

// Confirm implements tablet.Resolver.
func (t *Tablet) Confirm(_ context.Context, dtid string, participant tablet.Target) error {
	d := &t.decisions
	d.mu.Lock()
	at := slices.Index(d.list[dtid].Participants, participant)
	d.mu.Unlock()
	d.step(dtid, protocol.Msg{Kind: protocol.Committed, Part: at})
	return nil
}

// Conclude implements tablet.Tx.
func (x *Tx) Conclude(_ context.Context, dtid string) error {
	x.t.decisions.step(dtid, protocol.Msg{Kind: protocol.Forget})
	return nil
}
