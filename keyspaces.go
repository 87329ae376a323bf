package vitessdo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/twopc"
	"github.com/vitessdo/vitessdo/vschema"
)

// tabletMap holds the tablets of every keyspace in key order. A map that was
// stored is never changed: sessions read it without a lock.
type tabletMap map[string][]*tabletserver.Tablet

// tabletsOf gives a keyspace's tablets in key order, nil for an unknown one.
func (c *cluster) tabletsOf(ks string) []*tabletserver.Tablet { return (*c.tablets.Load())[ks] }

// serve makes a keyspace's tablets known, or with nil, unknown. One goroutine
// at a time calls it.
func (c *cluster) serve(ks string, list []*tabletserver.Tablet) {
	next := maps.Clone(*c.tablets.Load())
	delete(next, ks)
	if list != nil {
		next[ks] = list
	}
	c.tablets.Store(&next)
	c.reserve.resize(c.countTablets())
}

// openKeyspace opens a keyspace's tablets. After an error it gives those that it
// has opened.
func (c *cluster) openKeyspace(ctx context.Context, ks topo.Keyspace) ([]*tabletserver.Tablet, error) {
	var list []*tabletserver.Tablet
	for _, s := range ks.Shards {
		path := ""
		if c.dir != nil {
			path = c.dir.File(s.File)
		}
		t, err := c.openTablet(ctx, ks.Name, s.Name, path)
		if err != nil {
			return list, err
		}
		list = append(list, t)
	}
	return list, nil
}

func closeAll(list []*tabletserver.Tablet) error {
	var errs []error
	for _, t := range list {
		errs = append(errs, t.Close())
	}
	return errors.Join(errs...)
}

// createKeyspace makes a keyspace, all of it or nothing: its databases, then
// the directory's list of files, then the catalog's entry, which decides. What
// a crash leaves without the last is removed by prune. The caller holds c.ddl,
// or is alone.
func (c *cluster) createKeyspace(ctx context.Context, k topo.Keyspace, v *vschema.Keyspace) (err error) {
	var before []topo.Keyspace
	if c.dir != nil {
		// A dropped one of that name may have left its files.
		if err := c.unlist(k.Name); err != nil {
			return err
		}
		if err := c.dir.Prepare(&k); err != nil {
			return errorFrom(CodeTopology, err, "%v", err)
		}
		before = c.dir.State().Keyspaces
	}
	list, err := c.openKeyspace(ctx, k)
	defer func() {
		if err == nil || tablet.CodeOf(err) == tablet.CodeUnknownResult {
			return
		}
		err = errors.Join(err, closeAll(list))
		if c.dir != nil {
			err = errors.Join(err, c.dir.SetKeyspaces(before), c.dir.RemoveFiles(k))
		}
	}()
	if err != nil {
		return err
	}
	if err := c.markDone(ctx, k.Name, list); err != nil {
		return err
	}
	if c.dir != nil {
		if err := c.dir.SetKeyspaces(append(slices.Clone(before), k)); err != nil {
			return errorFrom(CodeTopology, err, "%v", err)
		}
	}
	snap := c.state.Load()
	next, err := snap.vschema.WithKeyspace(v)
	if err != nil {
		return errorFrom(CodeVSchema, err, "%v", err)
	}
	snap, err = c.changeCatalog(ctx, func(tx tablet.Tx) error {
		if err := c.catalog.PutKeyspace(ctx, tx, k); err != nil {
			return err
		}
		if err := c.moveNew(ctx, tx, k.Name, list); err != nil {
			return err
		}
		return c.catalog.PutVSchema(ctx, tx, next.Marshal(), snap.auto)
	})
	if err != nil {
		return err
	}
	c.serve(k.Name, list)
	c.publish(snap)
	return nil
}

// moveNew gives the empty shards of a new keyspace a version of their own, so that
// a statement which was planned for a dropped keyspace of the same name doesn't run
// on them.
func (c *cluster) moveNew(ctx context.Context, cat tablet.Tx, ks string, list []*tabletserver.Tablet) error {
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

// markDone keeps what the redo log still holds for a dropped keyspace of the
// same name from being replayed into the new one after a crash.
func (c *cluster) markDone(ctx context.Context, ks string, list []*tabletserver.Tablet) error {
	if c.log == nil || !c.dropped[strings.ToLower(ks)] {
		return nil
	}
	for _, dtid := range c.log.DTIDs() {
		for _, t := range list {
			at := t.Target()
			if _, err := t.Replay(ctx, dtid, tablet.Redo{Keyspace: at.Keyspace, Shard: at.Shard}); err != nil {
				return err
			}
		}
	}
	return nil
}

// changeCatalog runs f in a transaction on the catalog, and gives the snapshot
// that is to be published.
func (c *cluster) changeCatalog(ctx context.Context, f func(tablet.Tx) error) (*snapshot, error) {
	tx, err := c.catTab.Begin(ctx, tablet.TxOptions{Write: true, Age: c.ages.Add(1)})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // lets go of the lock also when the commit fails
	if err := f(tx); err != nil {
		return nil, err
	}
	snap, err := c.foresee(ctx, tx, c.firstShard)
	if err != nil {
		return nil, err
	}
	return snap, tx.Commit(ctx)
}

// dropKeyspace removes a keyspace with all its rows. The catalog's entry goes
// first and decides; then the directory's list, then the files. It waits for
// the transactions that write to its shards; those that come later fail. left says
// why files are still there, which the next opening removes. The caller holds
// c.ddl.
func (c *cluster) dropKeyspace(ctx context.Context, ks string) (left, err error) {
	snap := c.state.Load()
	next := snap.vschema.WithoutKeyspace(ks)
	if _, err := vschema.Parse(next.Marshal()); err != nil {
		return nil, errorFrom(CodeVSchema, err, "database %s can't be dropped, as another one refers to it: %v", ks, err)
	}
	list := c.tabletsOf(ks)
	age := c.ages.Add(1)
	err = again(ctx, c.cfg.LockWaitTimeout, func() error {
		var held []tablet.Tx
		defer func() { twopc.Rollback(held) }()
		for _, t := range list {
			tx, err := t.Begin(ctx, tablet.TxOptions{Write: true, Age: age, Holds: func() bool { return len(held) > 0 }})
			if err != nil {
				return err
			}
			held = append(held, tx)
		}
		without, err := c.changeCatalog(ctx, func(tx tablet.Tx) error {
			if err := c.catalog.DropKeyspace(ctx, tx, ks); err != nil {
				return err
			}
			return c.catalog.PutVSchema(ctx, tx, next.Marshal(), snap.auto)
		})
		if err != nil {
			return err
		}
		c.serve(ks, nil)
		c.publish(without)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if c.dropped == nil {
		c.dropped = map[string]bool{}
	}
	c.dropped[strings.ToLower(ks)] = true
	c.seqs.ForgetKeyspace(ks)
	return errors.Join(closeAll(list), c.unlist(ks)), nil
}

// unlist takes a keyspace that the catalog doesn't have off the directory.
func (c *cluster) unlist(ks string) error {
	if c.dir == nil {
		return nil
	}
	all := c.dir.State().Keyspaces
	i := slices.IndexFunc(all, func(k topo.Keyspace) bool { return strings.EqualFold(k.Name, ks) })
	if i < 0 {
		return nil
	}
	gone := all[i]
	if err := c.dir.SetKeyspaces(slices.Delete(all, i, i+1)); err != nil {
		return errorFrom(CodeTopology, err, "%v", err)
	}
	return c.dir.RemoveFiles(gone)
}

// prune removes the keyspaces that a crash has left half created or half
// dropped: their files are listed, but the catalog doesn't know them.
func (c *cluster) prune() error {
	if c.dir == nil {
		return nil
	}
	snap := c.state.Load()
	for _, k := range c.dir.State().Keyspaces {
		if snap.shards[k.Name] != nil {
			continue
		}
		list := c.tabletsOf(k.Name)
		c.serve(k.Name, nil)
		if err := errors.Join(closeAll(list), c.unlist(k.Name)); err != nil && !errors.Is(err, syscall.ENOSPC) {
			return err
		}
	}
	return nil
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
