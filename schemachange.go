package vitessdo

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
	"github.com/vitessdo/vitessdo/vschema"
)

// A change of the schema is part of a transaction, be it the session's or one of the
// statement's own. It holds the write locks of all shards of the keyspaces that it is
// about, so that nobody sees or changes their tables until the transaction ends; what
// the transaction itself runs afterwards is planned with the schema as it will be.
// The catalog takes part last: it is locked for the commit alone, which records
// everything that was changed, gives the shards one new version, and publishes it.

// changes is what a transaction has made of the schema so far.
type changes struct {
	base *snapshot // what it was made of, which the catalog must still have in the end
	snap *snapshot // what it is now, for this transaction alone to plan with
	// unchecked is how many keyspaces had left foreign keys to the gate when snap was
	// made.
	unchecked int
	list      []schemaChange
	sequences map[sequenceName]*ownSequence
}

// schemaChange is what one statement has done, to be recorded in the catalog.
type schemaChange struct {
	*ddl.Change
	keyspace string
	highest  map[sequenceName]int64
}

// ownPlans bounds the plans that are kept for a schema that isn't published.
const ownPlans = 256

// newest is what the session plans with: what is published or, in a transaction that
// changes the schema, what that has made of it.
func (s *session) newest() *snapshot {
	if s.tx != nil && s.tx.changes != nil {
		return s.tx.newest()
	}
	return s.cl.state.Load()
}

// newest is the schema as the transaction has it. As long as it has changed nothing,
// that is what is published.
func (t *transaction) newest() *snapshot {
	c := t.changes
	if now := t.s.cl.state.Load(); len(c.list) == 0 && now != c.base {
		c.base, c.snap, c.unchecked = now, now, -1
	}
	t.refit()
	return c.snap
}

// refit has the gate keep the foreign keys that shards leave unchecked for the
// transaction.
func (t *transaction) refit() {
	if c := t.changes; c.unchecked != len(t.unchecked) {
		c.snap, c.unchecked = t.own(*c.snap), len(t.unchecked)
	}
}

// own makes of a snapshot one that is the transaction's own. Where the shards leave
// foreign keys unchecked for it, the gate keeps all of them.
func (t *transaction) own(snap snapshot) *snapshot {
	snap.plans = newPlanCache(ownPlans)
	on := *t.s.cl.tablets.Load()
	snap.foreign = foreignKeys(&snap, func(ks string) bool { return t.unchecked[ks] || on.bound(ks) })
	snap.near = snap.foreign.Colocated()
	return &snap
}

// with is what becomes of the schema by one change more.
func (c *changes) with(t *transaction, ks string, ch *ddl.Change) (*changes, error) {
	snap := *c.snap
	snap.schema = snap.schema.With(snap.version, ch.Schema...)
	if ch.VSchema != nil {
		v := ch.VSchema
		for _, name := range append([]string{ks}, ch.Concerned()...) {
			var err error
			if v, err = v.Bind(name, snap.shards[name].Ranges); err != nil {
				return nil, errorFrom(CodeVSchema, err, "VSchema of keyspace %s: %v", name, err)
			}
		}
		snap.vschema = v
	}
	out := &changes{base: c.base, unchecked: c.unchecked, snap: t.own(snap), sequences: maps.Clone(c.sequences)}
	out.list = append(slices.Clip(c.list), schemaChange{Change: ch, keyspace: ks})
	return out, nil
}

// hold takes the write locks of all shards of a keyspace, in key order. If the
// transaction has written to none of them before, they leave foreign keys unchecked
// for it from now on, which they can do from a transaction's beginning only: to make
// a table anew, children must not notice that it goes.
func (t *transaction) hold(ctx context.Context, ks string) error {
	if t.holds[ks] {
		return nil
	}
	list := t.s.cl.tabletsOf(ks)
	if len(list) == 0 {
		return droppedKeyspace(ks)
	}
	if t.holds == nil {
		t.holds = map[string]bool{}
	}
	if t.unchecked == nil {
		t.unchecked = map[string]bool{}
	}
	wrote := func(tab tablet.Tablet) bool { p := t.part(tab); return p != nil && (p.writes || p.tx.Wrote()) }
	if !t.unchecked[ks] && !slices.ContainsFunc(list, wrote) {
		t.unchecked[ks] = true
	}
	for _, tab := range list {
		if p := t.part(tab); p != nil && t.unchecked[ks] && !p.unchecked {
			if err := t.beginAnew(ctx, p); err != nil {
				return err
			}
		} else if _, err := t.on(ctx, tab, exec.Locking); err != nil {
			return err
		}
	}
	t.holds[ks] = true
	return nil
}

// expectChanges has the shards of a keyspace leave foreign keys to the gate from the
// transaction's beginning, as its schema is to be changed.
func (t *transaction) expectChanges(ks string) {
	t.changes = &changes{}
	if ks != "" {
		t.unchecked = map[string]bool{ks: true}
	}
}

// beginAnew makes of a part that has only read one that writes and leaves foreign keys
// unchecked, if it still sees the same.
func (t *transaction) beginAnew(ctx context.Context, p *part) error {
	now := &part{t: p.t}
	if _, err := t.begin(ctx, now, exec.Locking, t.options(now)); err != nil {
		return err
	}
	t.parts = slices.DeleteFunc(t.parts, func(o *part) bool { return o == p })
	defer p.tx.Rollback()
	// One that has read nothing yet takes its snapshot now.
	seen, ok := p.tx.(tablet.SnapshotTx)
	if !ok || seen.TakeSnapshot(ctx) != nil || !seen.Newest(ctx) {
		return t.failed(&tablet.Error{Code: tablet.CodeConflict, Target: p.t.Target(),
			Message: "the shard was changed since the transaction has read it; run the transaction again"})
	}
	return nil
}

// held gives the transactions on a keyspace's shards, in key order; nil where they
// aren't held.
func (t *transaction) held(ks string) []tablet.Tx {
	if !t.holds[ks] {
		return nil
	}
	var out []tablet.Tx
	for _, tab := range t.s.cl.tabletsOf(ks) {
		if p := t.part(tab); p != nil {
			out = append(out, p.tx)
		}
	}
	return out
}

// run takes a keyspace's shards, and runs a change's statements on each. A shard that
// has another schema than the change was planned with refuses.
func (t *transaction) run(ctx context.Context, ks string, ch *ddl.Change, statements []dialect.Text) error {
	if err := t.hold(ctx, ks); err != nil {
		return err
	}
	if ch.ForeignKeysOff && len(statements) > 0 && t.checks(ks) {
		return newError(CodeUnsupported, "the change makes a table of keyspace %s anew, or empties it, that foreign keys tie to others, and the transaction has written to that keyspace before: "+
			"let it change the schema first, or do one and the other in transactions of their own", ks)
	}
	m := t.s.snap.shards[ks]
	for i, tx := range t.held(ks) {
		if len(statements) == 0 && i == 0 {
			if _, err := valueOf(ctx, tx, &tablet.Query{SQL: "SELECT 1", Schema: m.Schema}); err != nil {
				return t.failed(err)
			}
		}
		for k := range statements {
			sql, _ := m.Text(&statements[k], i).Static()
			if sql == "" {
				continue
			}
			if _, err := tx.Exec(ctx, &tablet.Query{SQL: sql, Schema: m.Schema}); err != nil {
				return t.failed(fmt.Errorf("%w (in %s)", ofTheTable(err), sql))
			}
		}
	}
	return nil
}

// checks says whether a shard checks foreign keys in this transaction.
func (t *transaction) checks(ks string) bool {
	return slices.ContainsFunc(t.parts, func(p *part) bool {
		return p.t.Target().Keyspace == ks && !p.unchecked && !p.t.Capabilities().BoundKeys
	})
}

// apply makes a planned change.
func (t *transaction) apply(ctx context.Context, ks string, ch *ddl.Change) error {
	if ch.VSchema != nil {
		// What could not be read again must not be stored: another keyspace may
		// refer to what this one gives up.
		if _, err := vschema.Parse(ch.VSchema.Marshal()); err != nil {
			return errorFrom(CodeVSchema, err, "the VSchema would not be whole: %v", err)
		}
	}
	if ch.Moves() {
		if err := t.run(ctx, ks, ch, ch.Shards); err != nil {
			return err
		}
		for _, o := range ch.Others {
			if err := t.run(ctx, o.Keyspace, ch, o.Shards); err != nil {
				return err
			}
		}
	}
	t.refit()
	next, err := t.changes.with(t, ks, ch)
	if err != nil {
		return err
	}
	t.changes, t.s.snap = next, next.snap
	if err := t.fillLookups(ctx, ks, ch); err != nil {
		return t.failed(err)
	}
	if err := t.settle(ctx, ks, ch); err != nil {
		return t.failed(err)
	}
	last := &next.list[len(next.list)-1]
	if last.highest, err = highestIDs(ctx, ks, t.held(ks), ch.Sequences); err != nil {
		return t.failed(err)
	}
	return next.renumber(ctx, t.s.cl, last)
}

// settle does what a change leaves to be done once its statements have run: new copies
// are filled, and the rows that are there asked whether they keep the foreign keys that
// it adds.
func (t *transaction) settle(ctx context.Context, ks string, ch *ddl.Change) error {
	if len(ch.Verify) == 0 && len(ch.Copies) == 0 {
		return nil
	}
	s := newSession(t.s.cl, t.s.cl.cfg)
	s.keyspace, s.snap, s.tx = ks, t.changes.snap, t
	for _, text := range ch.Copies {
		if err := s.writes(ctx, text); err != nil {
			return err
		}
	}
	for _, v := range ch.Verify {
		found, err := s.finds(ctx, v.Query)
		if err != nil {
			return err
		}
		if found {
			e := newError(CodeForeignKey, "%s", v.Failed)
			e.Keyspace, e.Table, e.Constraint = ks, v.Table, v.Key
			return e
		}
	}
	return nil
}

// changed says whether the transaction has changed the schema.
func (t *transaction) changed() bool { return t.changes != nil && len(t.changes.list) > 0 }

// commitChanges commits a transaction that has changed the schema. It ends the
// transaction. Nobody has seen anything of it until then.
func (t *transaction) commitChanges(ctx context.Context) error {
	c, made := t.s.cl, t.changes
	err := t.commitWith(ctx, made.base, func(cat tablet.Tx) error {
		for i, ch := range made.list {
			change := *ch.Change
			if slices.ContainsFunc(made.list[i+1:], func(o schemaChange) bool { return o.VSchema != nil }) {
				change.VSchema = nil // the last one has all of it
			}
			if err := c.record(ctx, cat, ch.keyspace, &change, made.base.auto, ch.highest); err != nil {
				return err
			}
		}
		return made.recordDrawn(ctx, c.catalog, cat)
	}, nil)
	if err == nil || unfinished(err) {
		for _, ch := range made.list {
			c.forgetSequences(ch.keyspace, ch.Change)
		}
	}
	return err
}

// commitWith has changes recorded in the catalog, which must be as base has it, gives
// the shards that are held the version that the schema has with them, commits all of
// this as one, and publishes the snapshot that comes of it, with the change of the
// tablets. The error may be that of a transaction which is committed but unfinished.
func (t *transaction) commitWith(ctx context.Context, base *snapshot, record func(cat tablet.Tx) error, tablets func(tabletMap)) error {
	c := t.s.cl
	snap, err := t.recorded(ctx, base, record)
	if err != nil {
		t.end()
		return err
	}
	dtid, parts := c.nextDTID(), t.txs()
	t.parts = nil
	err = twopc.Commit(ctx, twopc.TwoPC, dtid, parts, c.decider())
	if err == nil || unfinished(err) {
		c.publish(snap, tablets)
	}
	return withDTID(c.settle(err), dtid)
}

// recorded takes the catalog in, as the last part, and writes the changes there. It
// gives the snapshot to be published.
func (t *transaction) recorded(ctx context.Context, base *snapshot, record func(cat tablet.Tx) error) (*snapshot, error) {
	c, p := t.s.cl, &part{t: t.s.cl.catTab, locked: true, writes: true}
	o := t.options(p)
	o.Write = true
	cat, err := c.catTab.Begin(ctx, o)
	if err != nil {
		return nil, err
	}
	p.tx = cat
	t.parts = append(t.parts, p)
	if err := c.catalogIs(ctx, cat, base); err != nil {
		return nil, err
	}
	if err := record(cat); err != nil {
		return nil, err
	}
	if err := t.move(ctx, cat); err != nil {
		return nil, err
	}
	return c.foresee(ctx, cat, *c.tablets.Load(), func(ks string) tablet.Runner {
		if held := t.held(ks); len(held) > 0 {
			return held[0]
		}
		return c.firstShard(ks)
	})
}

// move gives the shards the version that the schema has with the changes, so that they
// refuse what was planned before them.
func (t *transaction) move(ctx context.Context, cat tablet.Tx) error {
	if len(t.holds) == 0 {
		_, err := t.s.cl.catalog.BumpVersion(ctx, cat)
		return err
	}
	for _, ks := range slices.Sorted(maps.Keys(t.holds)) {
		v, err := t.s.cl.catalog.MoveSchema(ctx, cat, ks)
		if err != nil {
			return err
		}
		for _, tx := range t.held(ks) {
			if err := tx.SetSchema(ctx, v); err != nil {
				return err
			}
		}
	}
	return nil
}
