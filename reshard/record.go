package reshard

import (
	"context"
	"errors"
	"os"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/topo"
)

// record makes the new catalog: the old one with the new shards, and with versions of
// the schema that no gate has seen, so that what was planned before is refused.
func (m *mover) record(ctx context.Context) (err error) {
	from, to := m.dir.CatalogFile(), m.dir.NextCatalogFile()
	for _, end := range []string{"", "-wal", "-shm"} { // of an interrupted run
		if err := m.disk.Remove(to + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := settled(ctx, from, m.disk); err != nil {
		return err
	}
	if err := copyFile(m.disk, from, to); err != nil {
		return diskError(err)
	}
	t, err := tabletserver.Open(ctx, tabletserver.Config{Target: tablet.Target{Keyspace: "_vt", Shard: "catalog"}, Path: to, Disk: disk.Or(m.o.disk)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	c, err := topo.NewCatalog(ctx, t)
	if err != nil {
		return err
	}
	tx, err := t.Begin(ctx, tablet.TxOptions{Write: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := m.plan.record(ctx, c, tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func (p *plan) record(ctx context.Context, c *topo.Catalog, tx tablet.Tx) error {
	for _, k := range p.now.Keyspaces {
		if err := c.PutKeyspace(ctx, tx, k); err != nil {
			return err
		}
	}
	for _, r := range p.drop {
		if err := c.DropRelation(ctx, tx, r.keyspace, r.name); err != nil {
			return err
		}
	}
	for _, r := range p.relations {
		if err := c.PutRelation(ctx, tx, topo.Relation{Keyspace: r.Keyspace, Name: r.Name, View: r.View, DDL: r.DDL}); err != nil {
			return err
		}
	}
	if p.params != nil {
		if err := c.PutVSchema(ctx, tx, p.vschema.Marshal(), p.snap.Auto); err != nil {
			return err
		}
	}
	for _, k := range p.keyspaces {
		if k.whole {
			continue
		}
		v, err := c.MoveSchema(ctx, tx, k.name)
		if err != nil {
			return err
		}
		k.to.Schema = v
	}
	return nil
}
