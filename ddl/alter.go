package ddl

import (
	"errors"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// alteration is an ALTER TABLE on its way.
type alteration struct {
	*planner
	specs    []sqlast.AlterSpec
	old, new *sqlast.TableDef
	// newName of each renamed column by its old one, and back; lower-case keys.
	newName, oldName map[string]string
	renamed          map[string]string // as dialect.ApplyAlter gave it
}

func (p *planner) alterTable(stmt *sqlast.AlterTable) error {
	if err := p.here(stmt.Table.Schema, stmt.Table.Name); err != nil {
		return err
	}
	old := p.table(stmt.Table.Name)
	if old == nil {
		if p.view(stmt.Table.Name) != nil {
			return fail(errWrongObject, "%q is a view, not a table", stmt.Table.Name)
		}
		return p.noTable(stmt.Table.Name)
	}
	specs, to, err := p.prepareSpecs(old, stmt.Specs)
	if err != nil {
		return err
	}
	if len(specs) > 0 {
		a := &alteration{planner: p, old: old, specs: specs}
		if err := a.apply(); err != nil {
			return err
		}
	}
	if to != "" {
		return p.rename(old.Name, to)
	}
	return nil
}

// prepareSpecs copies the specs, takes out what changes nothing here, and the
// new name, and gives unnamed things names.
func (p *planner) prepareSpecs(old *sqlast.TableDef, in []sqlast.AlterSpec) (specs []sqlast.AlterSpec, to string, err error) {
	names := copyDef(old) // where names are looked for, as they are given
	for _, s := range in {
		switch s.Kind {
		case sqlast.AlterNothing:
			continue
		case sqlast.AlterRename:
			if err := p.here(s.NewSchema, s.NewName); err != nil {
				return nil, "", err
			}
			to = s.NewName
			continue
		case sqlast.AlterAddColumn, sqlast.AlterModifyColumn:
			c := *s.Column
			inheritCollation(&c, old.Collation)
			s.Column = &c
			names.Columns = append(names.Columns, &c)
		case sqlast.AlterAddIndex:
			x := *s.Index
			x.Parts = slices.Clone(x.Parts)
			if x.Kind == sqlast.IndexPrimary {
				x.Name = "PRIMARY"
			} else if x.Name == "" {
				x.Name = freeIndexName(names, &x)
			}
			s.Index = &x
			names.Indexes = append(names.Indexes, &x)
		case sqlast.AlterAddForeignKey:
			fk := *s.ForeignKey
			fk.Columns, fk.RefColumns = slices.Clone(fk.Columns), slices.Clone(fk.RefColumns)
			if fk.Name == "" {
				fk.Name = freeConstraintName(names, "_ibfk_")
			}
			if err := p.resolveParent(&fk, old.Name); err != nil {
				return nil, "", err
			}
			s.ForeignKey = &fk
			names.ForeignKeys = append(names.ForeignKeys, &fk)
		case sqlast.AlterAddCheck:
			c := *s.Check
			if c.Name == "" {
				c.Name = freeConstraintName(names, "_chk_")
			}
			s.Check = &c
			names.Checks = append(names.Checks, &c)
		}
		specs = append(specs, s)
	}
	return specs, to, nil
}

func (a *alteration) apply() error {
	def, renamed, err := dialect.ApplyAlter(a.old, a.specs)
	if err != nil {
		return a.dialectError(err, a.old.Name)
	}
	a.renamed = renamed
	a.newName, a.oldName = map[string]string{}, map[string]string{}
	for to, from := range renamed {
		a.oldName[strings.ToLower(to)] = from
		if from != "" {
			a.newName[strings.ToLower(from)] = to
		}
	}
	a.new = copyDef(def)
	a.followColumns()
	a.keepCollations()
	if err := a.checkDropped(); err != nil {
		return err
	}
	if err := a.checkCovered(); err != nil {
		return err
	}
	canonical(a.new)
	if err := check(a.new); err != nil {
		return err
	}
	for _, c := range a.new.Columns {
		if old := a.before(c); old != nil && old.DefaultText == c.DefaultText && sameValues(&old.Type, &c.Type) {
			continue // it is as old as the column
		}
		if err := settleDefault(a.new, c); err != nil {
			return err
		}
	}
	if err := a.checkNames(a.new, a.old.Name); err != nil {
		return err
	}
	oldOptions := dialect.TableOptions{SkipForeignKeys: a.madeWithout(a.old.Name)}
	a.put("", a.new)
	for _, step := range []func() error{a.followVSchema, a.checkSharding, a.reshard, a.checkKeys, a.checkRelatives, a.checkCopies} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := a.sequences(); err != nil {
		return err
	}
	// Who keeps a foreign key hangs on the lookups, which come behind the table.
	done := a.out.Shards
	a.out.Shards = nil
	if err := a.followLookups(); err != nil {
		return err
	}
	lookups := a.out.Shards
	a.out.Shards = done
	if err := a.statements(oldOptions); err != nil {
		return err
	}
	a.run(lookups...)
	return nil
}

// followColumns renames columns where a definition's text names them: in its
// own sharding, and in foreign keys that refer to it.
func (a *alteration) followColumns() {
	if len(a.newName) == 0 {
		return
	}
	for i, c := range a.new.PartitionKey {
		if n, ok := a.newName[strings.ToLower(c)]; ok && a.new.Column(c) == nil {
			a.new.PartitionKey[i] = n
		}
	}
	if a.new.Comment == a.old.Comment {
		a.new.Comment = renameInComment(a.new.Comment, a.newName)
	}
	for _, child := range a.s.Children(a.o.Keyspace, a.old.Name) {
		if child.Table != a.old && touches(child.Key.RefColumns, a.newName) {
			a.putChild(child, a.retarget(child.Keyspace, child.Table, a.old.Name, a.old.Name, a.newName))
		}
	}
	for _, fk := range a.new.ForeignKeys {
		if !fk.Refers(a.o.Keyspace, a.o.Keyspace, a.old.Name) {
			continue
		}
		for i, c := range fk.RefColumns {
			if n, ok := a.newName[strings.ToLower(c)]; ok && a.old.Column(c) != nil && a.new.Column(c) == nil {
				fk.RefColumns[i] = n
			}
		}
	}
}

// keepCollations writes down what columns had from the table's old default, so
// that another default is for new columns only.
func (a *alteration) keepCollations() {
	if a.new.Collation == a.old.Collation {
		return
	}
	had := a.old.Collation
	if had == "" {
		had = "utf8mb4_bin"
	}
	for _, c := range a.new.Columns {
		inheritCollation(c, had)
	}
}

func touches(columns []string, renamed map[string]string) bool {
	return slices.ContainsFunc(columns, func(c string) bool { return renamed[strings.ToLower(c)] != "" })
}

// before finds the old definition of a column of the new table, or nil.
func (a *alteration) before(c *sqlast.ColumnDef) *sqlast.ColumnDef {
	if from, ok := a.oldName[strings.ToLower(c.Name)]; ok {
		return a.old.Column(from)
	}
	if _, gone := a.newName[strings.ToLower(c.Name)]; gone {
		return nil // the name went to another column
	}
	return a.old.Column(c.Name)
}

// after finds the new definition of a column of the old table, or nil.
func (a *alteration) after(name string) *sqlast.ColumnDef {
	if to, ok := a.newName[strings.ToLower(name)]; ok {
		return a.new.Column(to)
	}
	if _, taken := a.oldName[strings.ToLower(name)]; taken {
		return nil
	}
	return a.new.Column(name)
}

// statements prints the way from the old table to the new one. Columns are
// renamed in a step of their own when more is to do: SQLite then takes the
// references of other tables along, which a rebuilt table wouldn't.
func (a *alteration) statements(oldOptions dialect.TableOptions) error {
	newOptions := a.shardOptions(a.new)
	from, renamed := a.old, a.renamed
	moved, replaced := splitRenames(renamed)
	if len(moved) > 0 && len(a.s.Children(a.o.Keyspace, a.old.Name)) > 0 {
		middle, err := a.renameOnly()
		if err != nil {
			return err
		}
		if err := a.step(from, middle, dialect.AlterOptions{Renamed: moved, Old: oldOptions, New: oldOptions}); err != nil {
			return err
		}
		from, renamed = middle, replaced
	}
	return a.step(from, a.new, dialect.AlterOptions{Renamed: renamed, Old: oldOptions, New: newOptions})
}

// splitRenames tells columns that got a new name from new ones that took the name
// of a dropped one, whose values must not be carried over.
func splitRenames(renamed map[string]string) (moved, replaced map[string]string) {
	moved, replaced = map[string]string{}, map[string]string{}
	for to, from := range renamed {
		if from == "" {
			replaced[to] = ""
		} else {
			moved[to] = from
		}
	}
	return moved, replaced
}

func (a *alteration) step(from, to *sqlast.TableDef, o dialect.AlterOptions) error {
	stmts, err := a.altered(a.o.Keyspace, from, to, o)
	if err != nil {
		return a.dialectError(err, a.old.Name)
	}
	a.run(stmts...)
	return nil
}

// renameOnly is the old definition with nothing but its columns renamed.
func (a *alteration) renameOnly() (*sqlast.TableDef, error) {
	var specs []sqlast.AlterSpec
	for _, c := range a.old.Columns {
		if to, ok := a.newName[strings.ToLower(c.Name)]; ok {
			specs = append(specs, sqlast.AlterSpec{Kind: sqlast.AlterRenameColumn, Name: c.Name, NewName: to})
		}
	}
	def, _, err := dialect.ApplyAlter(a.old, specs)
	if err != nil {
		return nil, a.dialectError(err, a.old.Name)
	}
	return def, nil
}

// sequences says what AUTO_INCREMENT becomes.
func (a *alteration) sequences() error {
	name, _ := a.sequence(a.new)
	had := autoColumn(a.old)
	auto := autoColumn(a.new)
	switch {
	case auto != nil && had == nil:
		if a.before(auto) == nil && !a.numbered(auto) {
			return fail(errNotSupported, "AUTO_INCREMENT column %q can't be added to table %q: shards number the rows that are there "+
				"only by a primary key of that column alone, in a table that lives on one shard; "+
				"add it as a plain column, fill it, then MODIFY it to AUTO_INCREMENT", auto.Name, a.new.Name)
		}
		a.startSequence(a.new)
	case auto == nil && had != nil:
		if seq, owned := a.sequence(a.old); owned {
			a.out.Sequences = append(a.out.Sequences, SequenceChange{Name: seq, Drop: true})
		}
		return nil
	}
	for _, s := range a.specs {
		if s.Kind == sqlast.AlterAutoInc && name != "" {
			a.out.Sequences = append(a.out.Sequences, SequenceChange{Name: name, Next: max(s.AutoInc, 1), AtLeast: true})
		}
	}
	return nil
}

// startSequence lets a sequence begin above the values that a table holds.
func (p *planner) startSequence(def *sqlast.TableDef) {
	ks := ""
	name, _ := p.sequence(def)
	if name == "" {
		// sequence leaves out those of other keyspaces.
		ks, name, _ = strings.Cut(p.vtable(def.Name).AutoIncrement.Sequence, ".")
	}
	p.out.Sequences = append(p.out.Sequences, SequenceChange{Keyspace: ks, Name: name, Next: max(def.AutoInc, 1), AtLeast: true,
		Table: def.Name, Column: autoColumn(def).Name})
}

// numbered says whether adding the column gives the rows that are there numbers
// of their own.
func (a *alteration) numbered(auto *sqlast.ColumnDef) bool {
	pk := a.new.PrimaryKey()
	if pk == nil || !sameNames(pk.Columns(), []string{auto.Name}) {
		return false
	}
	t := a.vtable(a.new.Name)
	return !a.scattered() || t != nil && (t.Type == vschema.TableUnsharded || t.Type == vschema.TablePinned)
}

// dialectError gives an error of the dialect its number.
func (p *planner) dialectError(err error, table string) error {
	var unsupported *dialect.UnsupportedError
	if errors.As(err, &unsupported) {
		return wrap(errNotSupported, err, "table %q", table)
	}
	var alter *dialect.SchemaError
	if errors.As(err, &alter) {
		return &Error{Number: uint16(alter.Number), Message: alter.Message, err: err}
	}
	return wrap(errNotSupported, err, "table %q", table)
}
