package ddl

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/foreign"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// Options says what keyspace the statement changes, and by which rules.
type Options struct {
	Keyspace string
	// Shards is the number of every keyspace's shards. With one shard every key
	// can be kept, and a table may change its sharding freely.
	Shards map[string]int
	// Bound names the keyspaces whose shards can't leave foreign keys unchecked.
	Bound map[string]bool
	// DefaultCollation is that of new tables which name none; "" means
	// utf8mb4_bin.
	DefaultCollation string
	// ForeignKeys says how much of foreign keys is kept: all ("enforce" or ""),
	// those of co-located tables only ("colocated"), or none ("off").
	ForeignKeys string
	// Unchecked is MySQL's foreign_key_checks=0: tables come and go without
	// regard to the keys that refer to them, and rows are not verified.
	Unchecked bool
	// UniqueKeys says what becomes of unique keys without the sharding columns:
	// "global" (or "") keeps them by hidden tables, "shard" per shard.
	UniqueKeys string
	// Printers gives what prints for a keyspace's shards. A nil function, or nothing
	// for a keyspace: these are SQLite with our functions.
	Printers func(keyspace string) dialect.Printers
}

// Change is a planned schema change. All of it is made, or nothing.
type Change struct {
	// Shards are statements in the shards' dialects, for every shard, in order, in
	// one transaction. A dialect in which one has no text needs none there.
	Shards []dialect.Text
	// Others are the keyspaces whose statements the change concerns too, as foreign
	// keys tie their tables to the changed ones, or one is the other's copy.
	Others []Other
	// ForeignKeysOff: enforcement (PRAGMA foreign_keys) must be off on the
	// connections before that transaction begins.
	ForeignKeysOff bool
	// Schema leads from the old snapshot to the new one.
	Schema []schema.Change
	// VSchema is the new snapshot, not bound to shards yet; nil: unchanged.
	VSchema *vschema.VSchema
	// Drop names the keyspace's relations that leave the catalog, Relations what is
	// put there afterwards; a relation that is there already is replaced.
	Drop      []string
	Relations []Relation
	Sequences []SequenceChange // in order
	// Verify asks about the rows that are there, once the statements have run and
	// before the change is committed.
	Verify   []Verification
	Warnings []string
	// Copies are statements, in MySQL's words, that fill new copies of tables of
	// other keyspaces, once the statements have run and before the change is
	// committed.
	Copies []string
	// Fill is set by CREATE TABLE … AS SELECT.
	Fill *Fill
	// Fills make the entries of new hidden tables, in the same transaction, once
	// Shards have run.
	Fills []LookupFill
	// Backfill names the lookup vindexes, now write-only, that are to be filled
	// from the rows of Table afterwards, and then used.
	Backfill []Backfill
}

// Other is another keyspace that a change concerns: what was planned for it before
// must not run after it. Its shards run these statements in the same transaction.
type Other struct {
	Keyspace string
	Shards   []dialect.Text
}

// Backfill is a lookup vindex that is to be filled.
type Backfill struct{ Table, Vindex string }

// Empty says whether there is nothing to do (IF EXISTS of what isn't there).
func (c *Change) Empty() bool {
	return len(c.Shards) == 0 && len(c.Schema) == 0 && c.VSchema == nil && len(c.Drop) == 0 &&
		len(c.Relations) == 0 && len(c.Sequences) == 0 && c.Fill == nil
}

// Moves says whether statements that were planned before the change must not run
// after it. Only a view may come and go beside them: it is text that a statement
// has in itself once it is planned.
func (c *Change) Moves() bool {
	return len(c.Shards) > 0 || len(c.Others) > 0 || c.VSchema != nil || len(c.Sequences) > 0 ||
		slices.ContainsFunc(c.Relations, func(r Relation) bool { return !r.View })
}

// Concerned names the keyspaces of Others.
func (c *Change) Concerned() []string {
	out := make([]string, len(c.Others))
	for i, o := range c.Others {
		out[i] = o.Keyspace
	}
	return out
}

// Relation is a table or view as the catalog keeps it: MySQL text that, parsed
// again, gives the same definition.
type Relation struct {
	Keyspace string
	Name     string
	View     bool
	DDL      string
}

// SequenceChange is what becomes of an AUTO_INCREMENT sequence. Blocks of
// values that a process holds of it are void.
type SequenceChange struct {
	// Keyspace is set when the sequence is another keyspace's.
	Keyspace string
	Name     string
	// From is set when sequence From (if it exists) is renamed to Name; nothing
	// else is set then.
	From string
	// Next is the next value handed out; with AtLeast the sequence never goes
	// back for it.
	Next    int64
	AtLeast bool
	// Column of Table, when set, has values that were not drawn from the
	// sequence: Next is also to be above the highest of them on any shard once
	// the statements have run.
	Table, Column string
	Drop          bool
}

// Fill is the query whose rows a new table takes, column by column.
type Fill struct {
	Table   *sqlast.TableDef
	Columns []string
	Query   sqlast.Query
	Text    string
}

// Plan plans the statement against the snapshots, which it doesn't change. What
// can't be done is an *[Error].
func Plan(stmt sqlast.Stmt, s *schema.Schema, v *vschema.VSchema, o Options) (*Change, error) {
	o.Unchecked = o.Unchecked || o.ForeignKeys == "off"
	p := &planner{o: o, s0: s, s: s, v0: v, v: v, touched: map[relation]bool{}, made: map[string][]string{}}
	if p.s == nil {
		p.s = (*schema.Schema)(nil).With(0)
		p.s0 = p.s
	}
	if v == nil || v.Keyspaces[o.Keyspace] == nil {
		return nil, fail(errNoDatabase, "unknown keyspace %q; create it first", o.Keyspace)
	}
	stmt, err := p.settled(stmt)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return p.finish(), nil
	}
	switch stmt := stmt.(type) {
	case *sqlast.CreateTable:
		err = p.createTable(stmt)
	case *sqlast.DropTable:
		err = p.dropTables(stmt)
	case *sqlast.AlterTable:
		err = p.alterTable(stmt)
	case *sqlast.CreateIndex:
		err = p.alterTable(&sqlast.AlterTable{Table: stmt.Table, Specs: []sqlast.AlterSpec{{
			Kind: sqlast.AlterAddIndex, Index: stmt.Index, IfNotExists: stmt.IfNotExists}}})
	case *sqlast.DropIndex:
		err = p.alterTable(&sqlast.AlterTable{Table: stmt.Table, Specs: []sqlast.AlterSpec{{
			Kind: sqlast.AlterDropIndex, Name: stmt.Name, IfExists: stmt.IfExists}}})
	case *sqlast.Truncate:
		err = p.truncate(stmt)
	case *sqlast.RenameTable:
		err = p.renameTables(stmt)
	case *sqlast.CreateView:
		err = p.createView(stmt)
	case *sqlast.DropDatabase:
		err = p.dropKeyspace()
	case *sqlast.AlterVSchema:
		err = p.alterVSchema(stmt)
	default:
		err = fail(errNotSupported, "%T is no schema change of a table", stmt)
	}
	if err == nil {
		err = p.followKeys()
	}
	if err != nil {
		return nil, err
	}
	return p.finish(), nil
}

// sameText says whether two definitions are one and the same to the catalog.
func sameText(a, b *sqlast.TableDef) bool {
	return a != nil && b != nil && dialect.ShowCreate(a) == dialect.ShowCreate(b)
}

// relation names a table or view, its name in lower case.
type relation struct{ keyspace, name string }

// planner holds the working copies that a statement's steps move along.
type planner struct {
	o       Options
	s0, s   *schema.Schema
	v0, v   *vschema.VSchema
	touched map[relation]bool // what changed
	// made tells, by lower-case name, which foreign keys the shards' tables that
	// the statement makes or renames are made without.
	made map[string][]string
	// keys0 tells who kept the foreign keys of s0; nil: not asked yet.
	keys0 *foreign.Keys
	// parentsLater: the statement's foreign keys may refer to what isn't there yet.
	parentsLater bool
	out          Change
}

// shards is the number of the keyspace's shards.
func (p *planner) shards() int { return p.o.Shards[p.o.Keyspace] }

// script makes statements for a keyspace's shards of what print gives for each of
// their dialects.
func (p *planner) script(ks string, print func(dialect.Printer) ([]string, error)) ([]dialect.Text, error) {
	if p.o.Printers != nil {
		if ps := p.o.Printers(ks); ps != nil {
			return ps.Script(print)
		}
	}
	return dialect.Printers{sqlite.Printer{}}.Script(print)
}

// definition prints a statement of the kind that [dialect.Printer.DDL] takes.
func (p *planner) definition(ks string, s sqlast.Stmt) ([]dialect.Text, error) {
	return p.script(ks, func(pr dialect.Printer) ([]string, error) { return pr.DDL(s) })
}

// created prints a table's definition.
func (p *planner) created(def *sqlast.TableDef, o dialect.TableOptions) ([]dialect.Text, error) {
	return p.script(p.o.Keyspace, func(pr dialect.Printer) ([]string, error) { return pr.CreateTable(def, o) })
}

// altered prints the way from one definition of a table to another.
func (p *planner) altered(ks string, from, to *sqlast.TableDef, o dialect.AlterOptions) ([]dialect.Text, error) {
	return p.script(ks, func(pr dialect.Printer) ([]string, error) {
		plan, err := pr.Alter(from, to, o)
		p.out.ForeignKeysOff = p.out.ForeignKeysOff || err == nil && plan.NeedsForeignKeysOff && p.tied(ks, from, to)
		return plan.Statements, err
	})
}

// tied says whether foreign keys lead from a table or to it. Where none does, it can be
// made anew without anybody noticing.
func (p *planner) tied(ks string, from, to *sqlast.TableDef) bool {
	return len(from.ForeignKeys) > 0 || len(to.ForeignKeys) > 0 || len(p.s.Children(ks, from.Name)) > 0 || len(p.s.Children(ks, to.Name)) > 0
}

func (p *planner) table(name string) *sqlast.TableDef { return p.s.Table(p.o.Keyspace, name) }
func (p *planner) view(name string) *schema.View      { return p.s.View(p.o.Keyspace, name) }

// put makes def the table called def.Name, and takes away the one called old.
func (p *planner) put(old string, def *sqlast.TableDef) {
	p.apply(schema.Change{Keyspace: p.o.Keyspace, Drop: old, Table: def})
}

// putChild makes def the definition of a foreign key's table, wherever that is.
func (p *planner) putChild(child schema.Child, def *sqlast.TableDef) {
	p.apply(schema.Change{Keyspace: child.Keyspace, Table: def})
}

func (p *planner) apply(c schema.Change) {
	p.s = p.s.With(p.s.Version, c)
	touch := func(name string) { p.touched[relation{c.Keyspace, strings.ToLower(name)}] = true }
	if c.Drop != "" {
		touch(c.Drop)
	}
	if c.Table != nil {
		touch(c.Table.Name)
	}
	if c.View != nil {
		touch(c.View.Name)
	}
}

func (p *planner) run(stmts ...dialect.Text) { p.out.Shards = append(p.out.Shards, stmts...) }

func (p *planner) warn(format string, args ...any) {
	p.out.Warnings = append(p.out.Warnings, fmt.Sprintf(format, args...))
}

// here checks that a name's qualifier, if there is one, is this keyspace.
func (p *planner) here(ks, name string) error {
	if schema.Hidden(name) && p.table(name) != nil {
		return p.noTable(name)
	}
	if ks != "" && ks != p.o.Keyspace {
		return fail(errNotSupported, "%q.%q is in another keyspace than %q; change one keyspace at a time",
			ks, name, p.o.Keyspace)
	}
	return nil
}

// finish makes the Change of what differs: everything that goes first, then
// everything that comes, so that names may have been swapped.
func (p *planner) finish() *Change {
	var puts []schema.Change
	byName := func(a, b relation) int {
		return cmp.Or(cmp.Compare(a.keyspace, b.keyspace), cmp.Compare(a.name, b.name))
	}
	for _, r := range slices.SortedFunc(maps.Keys(p.touched), byName) {
		ks, name := r.keyspace, r.name
		oldTable, oldView := p.s0.Table(ks, name), p.s0.View(ks, name)
		newTable, newView := p.s.Table(ks, name), p.s.View(ks, name)
		if oldTable == newTable && oldView == newView || sameText(oldTable, newTable) {
			continue
		}
		var oldName, newName string
		switch {
		case oldTable != nil:
			oldName = oldTable.Name
		case oldView != nil:
			oldName = oldView.Name
		}
		switch {
		case newTable != nil:
			newName = newTable.Name
			puts = append(puts, schema.Change{Keyspace: ks, Table: newTable})
			p.out.Relations = append(p.out.Relations, Relation{Keyspace: ks, Name: newName, DDL: dialect.ShowCreate(newTable)})
		case newView != nil:
			newName = newView.Name
			puts = append(puts, schema.Change{Keyspace: ks, View: newView})
			p.out.Relations = append(p.out.Relations, Relation{Keyspace: ks, Name: newName, View: true, DDL: ViewDDL(newView)})
		}
		if oldName != "" {
			p.out.Schema = append(p.out.Schema, schema.Change{Keyspace: ks, Drop: oldName})
			if oldName != newName {
				p.out.Drop = append(p.out.Drop, oldName)
			}
		}
	}
	p.out.Schema = append(p.out.Schema, puts...)
	if p.v != p.v0 {
		p.out.VSchema = p.v
	}
	return &p.out
}
