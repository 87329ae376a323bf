package vitessdo

import (
	"context"
	"strings"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/vschema"
)

// fillLookups makes the entries of new hidden tables of the rows that are there.
// shards are the transactions on the keyspace's shards, in key order.
func (c *cluster) fillLookups(ctx context.Context, ks string, change *ddl.Change, shards []tablet.Tx) error {
	if len(change.Fills) == 0 {
		return nil
	}
	snap := c.state.Load()
	v := snap.vschema
	if change.VSchema != nil {
		var err error
		if v, err = change.VSchema.Bind(ks, snap.shards[ks].Ranges); err != nil {
			return err
		}
	}
	print, _ := c.tablets.Load().printers()
	for i := range change.Fills {
		f := &filling{print: print, LookupFill: &change.Fills[i], shards: shards, m: snap.shards[ks]}
		if err := f.plan(v.Keyspaces[ks]); err != nil {
			return err
		}
		for _, tx := range shards {
			if err := f.from(ctx, tx); err != nil {
				return err
			}
		}
	}
	return nil
}

// filling is one hidden table on its way.
type filling struct {
	*ddl.LookupFill
	shards []tablet.Tx
	m      *route.ShardMap
	print  dialect.Printer
	read   string
	insert string
	keys   int            // columns of the key; behind them stand those that place the row
	row    *route.RowDest // of what is read
	entry  *route.RowDest // of what is inserted; nil: on the first shard
	buf    route.Scratch
}

func (f *filling) plan(ks *vschema.Keyspace) error {
	pv := ks.Table(f.Table.Name).Primary()
	f.keys = len(f.Key.Parts)
	f.row = f.dest(pv, f.Table, f.keys)
	if kv := vschema.KeyTable(f.Hidden.Name, f.Hidden.PartitionKey).Primary(); kv != nil {
		f.entry = f.dest(kv, f.Hidden, 0)
		for i, name := range kv.Columns {
			for k, c := range f.Hidden.Columns {
				if c.Name == name {
					f.entry.Ordinal[i] = k
				}
			}
		}
	}
	var read, notNull []string
	for i := range f.Key.Parts {
		text, err := f.print.KeyPart(f.Table, f.Key, i)
		if err != nil {
			return err
		}
		read, notNull = append(read, text), append(notNull, text+" IS NOT NULL")
	}
	for _, name := range pv.Columns {
		read = append(read, quoteName(name))
	}
	f.read = "SELECT rowid, " + strings.Join(read, ", ") + " FROM " + quoteName(f.Table.Name) +
		" WHERE rowid > ?1 AND " + strings.Join(notNull, " AND ") + " ORDER BY rowid LIMIT ?2"
	var names, marks []string
	for _, c := range f.Hidden.Columns {
		names, marks = append(names, quoteName(c.Name)), append(marks, "?")
	}
	f.insert = "INSERT INTO " + quoteName(f.Hidden.Name) + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")"
	return nil
}

// dest is where a vindex puts rows that have its columns from offset on.
func (f *filling) dest(v *vschema.ColumnVindex, def *sqlast.TableDef, offset int) *route.RowDest {
	d := &route.RowDest{Vindex: v.Vindex, Table: def.Name}
	for i, name := range v.Columns {
		d.Ordinal = append(d.Ordinal, offset+i)
		d.Columns = append(d.Columns, route.ColumnOf(def.Column(name).Type))
	}
	return d
}

// from makes the entries of one shard's rows.
func (f *filling) from(ctx context.Context, tx tablet.Tx) error {
	last := int64(-1 << 63)
	for {
		page, err := readPage(ctx, tx, f.read, last)
		if err != nil || len(page) == 0 {
			return err
		}
		last = page[len(page)-1][0].(int64)
		entries := make([][]any, len(f.shards))
		for _, row := range page {
			row = row[1:]
			for i := range f.keys {
				// What an expression gives isn't yet what the column keeps.
				var err error
				if row[i], err = exec.Stored(row[i], f.Hidden.Columns[i]); err != nil {
					return err
				}
			}
			id, err := f.row.KeyspaceID(row, &f.buf)
			if err != nil {
				return err
			}
			entry := append(row[:f.keys:f.keys], id)
			to := 0
			if f.entry != nil {
				if to, err = f.entry.ShardOf(f.m, entry, &f.buf); err != nil {
					return err
				}
			}
			entries[to] = append(entries[to], entry...)
		}
		for i, args := range entries {
			if len(args) == 0 {
				continue
			}
			_, err := f.shards[i].Exec(ctx, &tablet.Query{SQL: f.insert, Args: args, Batch: len(args) / (f.keys + 1)})
			if tablet.CodeOf(err) == tablet.CodeUnique {
				return route.DuplicateEntry(f.Table, f.Key, nil)
			}
			if err != nil {
				return err
			}
		}
		if len(page) < backfillPage {
			return nil
		}
	}
}
