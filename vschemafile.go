package vitessdo

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vschema"
)

// firstKeyspace names the keyspace that a new database without keyspace= in its
// DSN begins with: "main", or the only one of the VSchema file. The error says
// that the file has several others.
func firstKeyspace(cfg *Config) (string, error) {
	if cfg.VSchema == "" || cfg.Keyspace != "" {
		return "", nil
	}
	data, err := os.ReadFile(cfg.VSchema)
	if err != nil {
		return "", nil // readVSchema tells
	}
	v, err := vschema.Parse(data)
	if err != nil || len(v.Keyspaces) == 0 || v.Keyspaces[topo.DefaultKeyspace] != nil {
		return "", nil
	}
	names := slices.Sorted(maps.Keys(v.Keyspaces))
	if len(names) > 1 {
		return "", newError(CodeVSchema, "VSchema file %s declares several keyspaces; say by keyspace= which one connections begin in: %s", cfg.VSchema, strings.Join(names, ", "))
	}
	return names[0], nil
}

// readVSchema reads the VSchema file.
func (c *cluster) readVSchema() (*vschema.VSchema, error) {
	data, err := os.ReadFile(c.cfg.VSchema)
	if err != nil {
		return nil, errorFrom(CodeVSchema, err, "VSchema file: %v", err)
	}
	v, err := vschema.Parse(data)
	if err != nil {
		one, err2 := vschema.ParseKeyspace(c.keyspaceName(c.cfg), data)
		if err2 != nil {
			return nil, errorFrom(CodeVSchema, err, "VSchema file %s: %v", c.cfg.VSchema, err)
		}
		v = one
	}
	return v, nil
}

// adoptVSchema brings the stored VSchema in line with the file that the DSN
// names. Tables that exist must be declared as they are: their rows lie where
// the old declaration put them. Tables that only DDL has declared stay.
func (c *cluster) adoptVSchema(ctx context.Context) error {
	if c.cfg.VSchema == "" {
		return nil
	}
	st, err := c.catalog.Load(ctx)
	if err != nil {
		return err
	}
	file, err := c.readVSchema()
	if err != nil {
		return err
	}
	old := vschema.New()
	if len(st.VSchema) > 0 {
		if old, err = vschema.Parse(st.VSchema); err != nil {
			return err
		}
	}
	merged, err := c.mergeVSchema(file, old, st)
	if err != nil || merged.Equal(old) && !st.Auto {
		return err
	}
	tx, err := c.catTab.Begin(ctx, tablet.TxOptions{Write: true})
	if err != nil {
		return err
	}
	if err := c.catalog.PutVSchema(ctx, tx, merged.Marshal(), false); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit(ctx)
}

func (c *cluster) mergeVSchema(file, old *vschema.VSchema, st *topo.State) (*vschema.VSchema, error) {
	file, err := unfilledVindexes(file, old, st)
	if err != nil {
		return nil, err
	}
	for name, ks := range old.Keyspaces {
		if file.Keyspaces[name] == nil {
			var err error
			if file, err = file.WithKeyspace(ks); err != nil {
				return nil, err
			}
			continue
		}
		for _, was := range ks.Tables {
			now := file.Keyspaces[name].Table(was.Name)
			if now == nil {
				var err error
				if file, err = file.Apply(name, vschema.Change{Op: vschema.SetTable, Table: was.Name, Declare: was}); err != nil {
					return nil, err
				}
				continue
			}
			if st.Relation(name, was.Name) != nil && !equalFold(now.Source, was.Source) {
				return nil, newError(CodeVSchema, "VSchema file %s: table %q exists with source %q, the file says %q; its rows would be other ones: drop the table first", c.cfg.VSchema, was.Name, was.Source, now.Source)
			}
			if st.Relation(name, was.Name) != nil && !sameSharding(now, was) {
				return nil, newError(CodeVSchema, "VSchema file %s: table %q exists and is sharded otherwise than the file says; its rows would have to move: take the declaration out of the file, or copy the table into a new one", c.cfg.VSchema, was.Name)
			}
		}
	}
	return file, nil
}

// sameSharding says whether both declarations put every row on the same shard.
func sameSharding(a, b *vschema.Table) bool {
	if a.Type != b.Type || string(a.Pinned) != string(b.Pinned) {
		return false
	}
	if a.Type != vschema.TableSharded {
		return true
	}
	x, y := a.Primary(), b.Primary()
	if x == nil || y == nil || x.Type != y.Type || len(x.Columns) != len(y.Columns) || len(x.Params) != len(y.Params) {
		return x == y
	}
	for i := range x.Columns {
		if !equalFold(x.Columns[i], y.Columns[i]) {
			return false
		}
	}
	for k, v := range x.Params {
		if y.Params[k] != v {
			return false
		}
	}
	return true
}

// unfilledVindexes keeps the lookup vindexes that a file has newly declared for
// tables that exist from being used: they lack the entries of the rows that are
// there, until somebody makes them.
func unfilledVindexes(file, old *vschema.VSchema, st *topo.State) (*vschema.VSchema, error) {
	for name, ks := range file.Keyspaces {
		for v, def := range ks.Vindexes {
			if !vschema.IsLookupType(def.Type) || st.Relation(name, def.Owner) == nil {
				continue
			}
			filled := false
			if was := old.Keyspaces[name]; was != nil && was.Vindexes[v] != nil {
				filled = was.Vindexes[v].Params["write_only"] != "true"
			}
			if filled {
				continue
			}
			var err error
			if file, err = file.Apply(name, vschema.Change{Op: vschema.SetWriteOnly, Vindex: v, WriteOnly: true}); err != nil {
				return nil, err
			}
		}
	}
	return file, nil
}
