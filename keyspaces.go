package vitessdo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vschema"
)

// tabletMap holds the tablets of every keyspace in key order. A map that was
// stored is never changed: sessions read it without a lock.
type tabletMap map[string][]tablet.Tablet

// firstShard is a keyspace's first tablet; nil when it isn't there.
func (m tabletMap) firstShard(ks string) tablet.Runner {
	if list := m[ks]; len(list) > 0 {
		return list[0]
	}
	return nil
}

// tabletsOf gives a keyspace's tablets in key order, nil for an unknown one.
func (c *cluster) tabletsOf(ks string) []tablet.Tablet { return (*c.tablets.Load())[ks] }

// firstShard is a keyspace's first tablet; nil when it isn't there.
func (c *cluster) firstShard(ks string) tablet.Runner { return (*c.tablets.Load()).firstShard(ks) }

// createKeyspace makes a keyspace, all of it or nothing: its shards, then the
// catalog's entry, which decides. The caller holds c.ddl, or is alone.
func (c *cluster) createKeyspace(ctx context.Context, k topo.Keyspace, v *vschema.Keyspace) (err error) {
	var list []tablet.Tablet
	var undo func() error
	snap := c.state.Load()
	next, err := snap.vschema.WithKeyspace(v)
	if err != nil {
		return errorFrom(CodeVSchema, err, "%v", err)
	}
	after, err := c.changeCatalog(ctx, snap, func(tx tablet.Tx) (with tabletMap, err error) {
		if list, undo, err = c.at.create(ctx, &k); err != nil {
			return nil, err
		}
		list = c.upToDate(list)
		// As long as the lock is held nobody else makes a keyspace of that name.
		defer func() {
			if err != nil {
				err = errors.Join(err, undo())
				undo = nil
			}
		}()
		with = maps.Clone(*c.tablets.Load())
		with[k.Name] = list
		if err := c.catalog.PutKeyspace(ctx, tx, k); err != nil {
			return nil, err
		}
		if err := c.moveNew(ctx, tx, k.Name, list); err != nil {
			return nil, err
		}
		return with, c.catalog.PutVSchema(ctx, tx, next.Marshal(), snap.auto)
	})
	if err != nil {
		if undo != nil && !c.apart && tablet.CodeOf(err) != tablet.CodeUnknownResult {
			err = errors.Join(err, undo())
		}
		return err
	}
	c.publish(after, func(m tabletMap) { m[k.Name] = list })
	return nil
}

// moveNew gives the empty shards of a new keyspace a version of their own, so that
// a statement which was planned for a dropped keyspace of the same name doesn't run
// on them.
func (c *cluster) moveNew(ctx context.Context, cat tablet.Tx, ks string, list []tablet.Tablet) error {
	v, err := c.catalog.MoveSchema(ctx, cat, ks)
	if err != nil {
		return err
	}
	for _, t := range list {
		tx, err := t.Begin(ctx, tablet.TxOptions{Write: true})
		if err != nil {
			return err
		}
		if err = tx.SetSchema(ctx, v); err == nil {
			err = tx.Commit(ctx)
		}
		if err != nil {
			_ = tx.Rollback()
			return err
		}
	}
	return nil
}

// changeCatalog runs f in a transaction on the catalog, which must be as old shows
// it, and gives the snapshot that is to be published. f gives the tablets that there
// are from then on.
func (c *cluster) changeCatalog(ctx context.Context, old *snapshot, f func(tablet.Tx) (tabletMap, error)) (*snapshot, error) {
	tx, err := c.catTab.Begin(ctx, tablet.TxOptions{Write: true, Age: c.at.nextAge()})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // lets go of the lock also when the commit fails
	if err := c.catalogIs(ctx, tx, old); err != nil {
		return nil, err
	}
	on, err := f(tx)
	if err != nil {
		return nil, err
	}
	snap, err := c.foresee(ctx, tx, on, c.firstShard)
	if err != nil {
		return nil, err
	}
	return snap, tx.Commit(ctx)
}

// catalogIs sees, under the catalog's lock, that a change is made of what it was
// planned with: another gate may have been faster. The error's code is
// SCHEMA_CHANGED.
func (c *cluster) catalogIs(ctx context.Context, tx tablet.Tx, old *snapshot) error {
	v, err := c.catalog.VersionTx(ctx, tx)
	if err != nil || v == old.version {
		return err
	}
	return &tablet.Error{Code: tablet.CodeSchemaChanged, Target: catalogTarget, Schema: v,
		Message: "the schema was changed meanwhile; run the statement again"}
}

// dropKeyspace removes a keyspace with all its rows. The catalog's entry goes
// first and decides; then the shards. It waits for the transactions that write to
// them; those that come later fail. left says why some are still there. change is
// what becomes of the other keyspaces. The caller holds c.ddl.
func (s *session) dropKeyspace(ctx context.Context, ks string, change *ddl.Change) (left, err error) {
	c, snap := s.cl, s.snap
	next := snap.vschema.WithoutKeyspace(ks)
	if _, err := vschema.Parse(next.Marshal()); err != nil {
		return nil, errorFrom(CodeVSchema, err, "database %s can't be dropped, as another one refers to it: %v", ks, err)
	}
	shards := snap.shards[ks]
	err = s.within(ctx, func(t *transaction) error {
		if err := t.hold(ctx, ks); err != nil {
			return err
		}
		delete(t.holds, ks) // its shards get no new version: they go
		for _, o := range change.Others {
			if err := t.run(ctx, o.Keyspace, change, o.Shards); err != nil {
				return err
			}
		}
		return t.commitWith(ctx, snap, func(cat tablet.Tx) error {
			if err := c.catalog.DropKeyspace(ctx, cat, ks); err != nil {
				return err
			}
			return c.catalog.PutVSchema(ctx, cat, next.Marshal(), snap.auto)
		}, func(m tabletMap) { delete(m, ks) })
	})
	if err != nil {
		return nil, err
	}
	c.seqs.ForgetKeyspace(ks)
	return c.removeShards(ctx, ks, shards), nil
}

// removeShards removes what is left of a dropped keyspace, unless another gate has
// made one of that name since.
func (c *cluster) removeShards(ctx context.Context, ks string, shards *route.ShardMap) error {
	k := &topo.Keyspace{Name: ks}
	for _, name := range shards.Names {
		k.Shards = append(k.Shards, topo.Shard{Name: name})
	}
	tx, err := c.catTab.Begin(ctx, tablet.TxOptions{Write: true, Age: c.at.nextAge()})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	st, err := c.catalog.LoadTx(ctx, tx)
	if err != nil || st.Keyspace(ks) != nil {
		return err
	}
	return c.at.drop(ctx, k)
}

// addKeyspaces creates the keyspaces that a VSchema file declares beside the
// ones that exist. A sharded one gets as many shards as the DSN says, or else
// as the pool's own keyspace has.
func (c *cluster) addKeyspaces(ctx context.Context, file *vschema.VSchema) error {
	snap := c.state.Load()
	for _, name := range slices.Sorted(maps.Keys(file.Keyspaces)) {
		if snap.keyspaceOf(name) != "" {
			continue
		}
		v := file.Keyspaces[name]
		shards := 1
		if v.Sharded {
			if shards = c.cfg.Shards; shards == 0 {
				shards = len(snap.shards[c.keyspaceName(c.cfg)].Names)
			}
		}
		k, err := topo.NewKeyspace(name, shards, v.Sharded)
		if err != nil {
			return errorFrom(CodeVSchema, err, "VSchema file %s: %v", c.cfg.VSchema, err)
		}
		if err := c.createKeyspace(ctx, k, v); err != nil {
			return fmt.Errorf("keyspace %s: %w", name, err)
		}
	}
	return nil
}
