package vitessdo

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
)

// holding is a schema change on its way: it has the write locks of all shards of
// the keyspaces that it is about, and then the catalog's.
type holding struct {
	c         *cluster
	old       *snapshot // what the change was planned with
	age       uint64
	unchecked bool     // foreign keys, on the shards
	beside    *holding // is let go of after this one

	shards map[string][]tablet.Tx // of each keyspace, in key order
	parts  []tablet.Tx            // all, in the order of their beginning; nil when they have ended
}

func (h *holding) begin(ctx context.Context, t tablet.Tablet) (tablet.Tx, error) {
	holds := func() bool { return len(h.parts) > 0 || h.beside != nil && len(h.beside.parts) > 0 }
	tx, err := t.Begin(ctx, tablet.TxOptions{Write: true, Age: h.age, NoForeignKeys: h.unchecked, Holds: holds})
	if err == nil {
		h.parts = append(h.parts, tx)
	}
	return tx, err
}

// letGo undoes what was not committed.
func (h *holding) letGo() { twopc.Rollback(h.parts) }

// run takes a keyspace's shards, and runs statements on each.
func (h *holding) run(ctx context.Context, ks string, statements []dialect.Text) error {
	m := h.c.state.Load().shards[ks]
	for i, t := range h.c.tabletsOf(ks) {
		tx, err := h.begin(ctx, t)
		if err != nil {
			return err
		}
		if h.shards == nil {
			h.shards = map[string][]tablet.Tx{}
		}
		h.shards[ks] = append(h.shards[ks], tx)
		for k := range statements {
			sql, _ := m.Text(&statements[k], i).Static()
			if sql == "" {
				continue
			}
			if _, err := tx.Exec(ctx, &tablet.Query{SQL: sql}); err != nil {
				return fmt.Errorf("%w (in %s)", ofTheTable(err), sql)
			}
		}
	}
	return nil
}

// runOthers does so for the other keyspaces that a change concerns.
func (h *holding) runOthers(ctx context.Context, change *ddl.Change) error {
	for _, o := range change.Others {
		if err := h.run(ctx, o.Keyspace, o.Shards); err != nil {
			return err
		}
	}
	return nil
}

// commit has the change recorded in the catalog, gives the shards the version that
// the schema has with it, commits all of this as one, and publishes the snapshot
// that comes of it, with the change of the tablets. decided says that it can't be
// undone any more.
func (h *holding) commit(ctx context.Context, record func(cat tablet.Tx) error, tablets func(tabletMap)) (decided bool, err error) {
	c := h.c
	cat, err := h.begin(ctx, c.catTab)
	if err != nil {
		return false, err
	}
	if err := c.catalogIs(ctx, cat, h.old); err != nil {
		return false, err
	}
	if err := record(cat); err != nil {
		return false, err
	}
	if err := h.move(ctx, cat); err != nil {
		return false, err
	}
	snap, err := c.foresee(ctx, cat, *c.tablets.Load(), h.shard)
	if err != nil {
		return false, err
	}
	dtid := c.nextDTID()
	parts := h.parts
	h.parts = nil
	err = twopc.Commit(ctx, twopc.TwoPC, dtid, parts, c.decider())
	if decided = err == nil || unfinished(err); decided {
		c.publish(snap, tablets)
	}
	return decided, withDTID(c.settle(err), dtid)
}

// shard gives what reads a keyspace's tables as they are with the change.
func (h *holding) shard(ks string) tablet.Runner {
	if held := h.shards[ks]; len(held) > 0 {
		return held[0]
	}
	return h.c.firstShard(ks)
}

// move gives the shards the version that the schema has with the change, so that
// they refuse what was planned before it.
func (h *holding) move(ctx context.Context, cat tablet.Tx) error {
	if len(h.shards) == 0 {
		_, err := h.c.catalog.BumpVersion(ctx, cat)
		return err
	}
	for _, ks := range slices.Sorted(maps.Keys(h.shards)) {
		v, err := h.c.catalog.MoveSchema(ctx, cat, ks)
		if err != nil {
			return err
		}
		for _, tx := range h.shards[ks] {
			if err := tx.SetSchema(ctx, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle does what a change leaves to be done in its own transactions, once its
// statements have run: new copies are filled, and the rows that are there asked
// whether they keep the foreign keys that it adds.
func (h *holding) settle(ctx context.Context, ks string, change *ddl.Change) error {
	if len(change.Verify) == 0 && len(change.Copies) == 0 {
		return nil
	}
	s, err := h.session(ks, change)
	if err != nil {
		return err
	}
	for _, text := range change.Copies {
		if err := s.writes(ctx, text); err != nil {
			return err
		}
	}
	for _, v := range change.Verify {
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

// session gives one that reads and writes in the change's transactions, by the
// schema as it will be.
func (h *holding) session(ks string, change *ddl.Change) (*session, error) {
	c := h.c
	snap := *c.state.Load()
	snap.schema = snap.schema.With(snap.version, change.Schema...)
	if change.VSchema != nil {
		v, err := change.VSchema.Bind(ks, snap.shards[ks].Ranges)
		if err != nil {
			return nil, errorFrom(CodeVSchema, err, "VSchema of keyspace %s: %v", ks, err)
		}
		snap.vschema = v
	}
	s := newSession(c, c.cfg)
	s.keyspace, s.snap = ks, &snap
	s.tx = &transaction{s: s}
	for name, held := range h.shards {
		for i, tx := range held {
			s.tx.parts = append(s.tx.parts, &part{t: c.tabletsOf(name)[i], tx: tx, locked: true, writes: true})
		}
	}
	return s, nil
}
