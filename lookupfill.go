package vitessdo

import (
	"context"
	"strings"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// fillLookups makes the entries of new hidden tables of the rows that are there. The
// transaction holds the keyspace's shards.
func (t *transaction) fillLookups(ctx context.Context, ks string, change *ddl.Change) error {
	if len(change.Fills) == 0 {
		return nil
	}
	snap, shards := t.changes.snap, t.held(ks)
	for i := range change.Fills {
		f := &change.Fills[i]
		for k, tx := range shards {
			print := snap.printer(ks, k)
			plan, err := route.FillKey(f.Table, f.Hidden, f.Key, snap.vschema.Keyspaces[ks].Table(f.Table.Name).Primary(), snap.shards[ks], print)
			if err != nil {
				return err
			}
			if err := newFilling(plan, shards, snap.shards[ks], print.RowID(f.Table)).from(ctx, tx); err != nil {
				return err
			}
		}
	}
	return nil
}

// filling is one hidden table on its way.
type filling struct {
	*route.KeyFill
	shards       []tablet.Tx
	m            *route.ShardMap
	read, insert string
	buf          route.Scratch
}

func newFilling(plan *route.KeyFill, shards []tablet.Tx, m *route.ShardMap, id string) *filling {
	var names, marks []string
	for _, c := range plan.Hidden.Columns {
		names, marks = append(names, quoteName(c.Name)), append(marks, "?")
	}
	return &filling{KeyFill: plan, shards: shards, m: m,
		read: "SELECT " + id + ", " + strings.Join(plan.Read, ", ") + " FROM " + quoteName(plan.Table.Name) +
			" WHERE " + id + " > ?1 AND " + plan.Where + " ORDER BY " + id + " LIMIT ?2",
		insert: "INSERT INTO " + quoteName(plan.Hidden.Name) + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")"}
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
			entry, err := exec.Entry(f.KeyFill, row[1:], &f.buf)
			if err != nil {
				return err
			}
			to, err := f.Home.Of(f.m, entry, &f.buf)
			if err != nil {
				return err
			}
			entries[to] = append(entries[to], entry...)
		}
		for i, args := range entries {
			if len(args) == 0 {
				continue
			}
			_, err := f.shards[i].Exec(ctx, &tablet.Query{SQL: f.insert, Args: args, Batch: len(args) / (f.Keys + 1)})
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
