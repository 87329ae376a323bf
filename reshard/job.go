package reshard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// job is one table of the new shards, and where its rows come from.
type job struct {
	table   string   // that is filled
	columns []string // that are given
	source  string   // the table that is read
	read    []string // expressions over its rows
	where   string   // "": all rows
	rowid   string   // what the row ID is called in source
	origin  route.Home
	home    route.Home
	// convert makes of what was read what is given, in the same memory; nil: it is the
	// same.
	convert func(row []any, b *route.Scratch) ([]any, error)
	// duplicate is the error of a unique key that a row breaks, beside the shard's.
	duplicate func(error) error

	total  int64         // rows that are read, as counted
	counts map[int]int64 // by old shard
	sum    checksum
}

// jobs plans the tables of a keyspace.
func (p *plan) jobs(k *keyspace, moved []idColumn) error {
	old, now := p.snap.VSchema.Keyspaces[k.name], p.vschema.Keyspaces[k.name]
	for _, def := range append(p.schema.Tables(k.name), p.schema.HiddenTables(k.name)...) {
		if i := slices.IndexFunc(k.fills, func(f ddl.LookupFill) bool { return f.Hidden.Name == def.Name }); i >= 0 {
			j, err := fillJob(k, &k.fills[i], old, now)
			if err != nil {
				return err
			}
			k.jobs = append(k.jobs, j)
			continue
		}
		columns := storedColumns(def)
		j := &job{table: def.Name, columns: columns, source: def.Name, rowid: rowidOf(def), counts: map[int]int64{}}
		for _, c := range columns {
			j.read = append(j.read, quoteName(c))
		}
		j.origin = route.HomeOf(tableOf(old, def), def, k.from, columns)
		j.home = route.HomeOf(tableOf(now, def), def, k.to, columns)
		for _, c := range moved {
			if c.table.keyspace == k.name && strings.EqualFold(c.table.name, def.Name) {
				c.follow(j)
			}
		}
		k.jobs = append(k.jobs, j)
	}
	return nil
}

// tableOf finds what the VSchema says of a table. Those of unique keys are in none.
func tableOf(ks *vschema.Keyspace, def *sqlast.TableDef) *vschema.Table {
	if strings.HasPrefix(strings.ToLower(def.Name), "_vt_") {
		return vschema.KeyTable(def.Name, def.PartitionKey)
	}
	return ks.Table(def.Name)
}

func storedColumns(def *sqlast.TableDef) (out []string) {
	for _, c := range def.Columns {
		if c.Generated == nil && c.GeneratedText == "" {
			out = append(out, c.Name)
		}
	}
	return out
}

// rowidOf is a name of the row ID that no column has taken.
func rowidOf(def *sqlast.TableDef) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if def.Column(name) == nil {
			return name
		}
	}
	return "rowid"
}

// fillJob makes the entries of a hidden table that the keyspace hasn't had.
func fillJob(k *keyspace, f *ddl.LookupFill, old, now *vschema.Keyspace) (*job, error) {
	fill, err := route.FillKey(f.Table, f.Hidden, f.Key, now.Table(f.Table.Name).Primary(), k.to, sqlite.Printer{})
	if err != nil {
		return nil, err
	}
	j := &job{table: f.Hidden.Name, source: f.Table.Name, read: fill.Read, where: fill.Where, rowid: rowidOf(f.Table), home: fill.Home, counts: map[int]int64{}}
	for _, c := range f.Hidden.Columns {
		j.columns = append(j.columns, c.Name)
	}
	j.origin = route.HomeOf(old.Table(f.Table.Name), f.Table, k.from, storedColumns(f.Table))
	j.convert = func(row []any, b *route.Scratch) ([]any, error) { return exec.Entry(fill, row, b) }
	j.duplicate = func(error) error { return route.DuplicateEntry(f.Table, f.Key, nil) }
	return j, nil
}

// follow makes a job give the keyspace IDs that rows have on the new shards.
func (c *idColumn) follow(j *job) {
	at := slices.IndexFunc(j.columns, func(name string) bool { return strings.EqualFold(name, c.column) })
	if at < 0 {
		return
	}
	before := j.convert
	j.convert = func(row []any, b *route.Scratch) (_ []any, err error) {
		if before != nil {
			if row, err = before(row, b); err != nil {
				return nil, err
			}
		}
		switch id := row[at].(type) {
		case nil:
		case []byte:
			row[at], err = c.now.Follow(nil, c.old, id)
		case string:
			var out []byte
			out, err = c.now.Follow(nil, c.old, []byte(id))
			row[at] = string(out)
		default:
			err = fmt.Errorf("%v is no keyspace ID", id)
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.column, err)
		}
		return row, nil
	}
}

// query reads the rows of the job from a row ID on.
func (j *job) query() string {
	q := "SELECT " + j.rowid + ", " + strings.Join(j.read, ", ") + " FROM " + quoteName(j.source) + " WHERE " + j.rowid + " >= ?1"
	if j.where != "" {
		q += " AND " + j.where
	}
	return q + " ORDER BY " + j.rowid
}

// insert writes one row.
func (j *job) insert() string {
	return "INSERT INTO " + quoteName(j.table) + " (" + j.list() + ") VALUES (?" + strings.Repeat(", ?", len(j.columns)-1) + ")"
}

func (j *job) list() string {
	names := make([]string, len(j.columns))
	for i, c := range j.columns {
		names[i] = quoteName(c)
	}
	return strings.Join(names, ", ")
}

// shards lists the old shards that are read.
func (j *job) shards(n int) []int {
	switch {
	case j.origin.Everywhere:
		return []int{0}
	case j.origin.Row == nil:
		return []int{j.origin.Shard}
	}
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
