package ddl

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/foreign"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// checkDropped refuses to drop columns that place rows or that foreign keys
// stand on.
func (a *alteration) checkDropped() error {
	t := a.vtable(a.old.Name)
	for _, s := range a.specs {
		if s.Kind != sqlast.AlterDropColumn || a.old.Column(s.Name) == nil {
			continue
		}
		if t != nil {
			for i := range t.ColumnVindexes {
				if v := &t.ColumnVindexes[i]; containsName(v.Columns, s.Name) {
					return fail(errVSchema, "column %q of table %q can't be dropped: the table is sharded by %s; make a new table and copy the rows",
						s.Name, a.old.Name, vindexText(v))
				}
			}
		}
		if a.new.Column(s.Name) != nil {
			continue
		}
		for _, fk := range a.new.ForeignKeys {
			if containsName(fk.Columns, s.Name) {
				return fail(errForeignColumn, "cannot drop column %q of table %q: needed in foreign key %q; drop the key first",
					s.Name, a.old.Name, fk.Name)
			}
		}
		for _, child := range a.s.Children(a.o.Keyspace, a.old.Name) {
			if containsName(child.Key.RefColumns, s.Name) && child.Table != a.old {
				return fail(errForeignParentCol, "cannot drop column %q of table %q: needed in foreign key %q of table %q; drop that key first",
					s.Name, a.old.Name, child.Key.Name, child.Table.Name)
			}
		}
	}
	return nil
}

// checkCovered refuses to drop the index by which a foreign key finds children.
func (a *alteration) checkCovered() error {
	for _, fk := range a.new.ForeignKeys {
		covers := func(x *sqlast.IndexDef) bool { return leads(x, fk.Columns) }
		dropped := func(s sqlast.AlterSpec) bool {
			return s.Kind == sqlast.AlterDropIndex && indexNamed(a.old, s.Name) != nil &&
				leads(indexNamed(a.old, s.Name), fk.Columns)
		}
		if a.oldKey(fk) != nil && !slices.ContainsFunc(a.new.Indexes, covers) && slices.ContainsFunc(a.specs, dropped) {
			return fail(errIndexNeeded, "cannot drop the index on (%s) of table %q: needed in foreign key %q; drop the key first, or add another index",
				strings.Join(fk.Columns, ", "), a.old.Name, fk.Name)
		}
	}
	return nil
}

// followVSchema renames columns in the VSchema.
func (a *alteration) followVSchema() error {
	old := a.vtable(a.old.Name)
	if old == nil || len(a.newName) == 0 {
		return nil
	}
	t := *old
	changed := false
	follow := func(name string) string {
		if to, ok := a.newName[strings.ToLower(name)]; ok {
			changed = true
			return to
		}
		return name
	}
	t.ColumnVindexes = slices.Clone(old.ColumnVindexes)
	for i := range t.ColumnVindexes {
		v := &t.ColumnVindexes[i]
		v.Columns = slices.Clone(v.Columns)
		for j, c := range v.Columns {
			v.Columns[j] = follow(c)
		}
	}
	if t.AutoIncrement != nil {
		c := *t.AutoIncrement
		c.Column = follow(c.Column)
		t.AutoIncrement = &c
	}
	t.Columns = slices.Clone(old.Columns)
	for i := range t.Columns {
		t.Columns[i].Name = follow(t.Columns[i].Name)
	}
	if !changed {
		return nil
	}
	return a.setVTable(&t)
}

// checkSharding refuses what would change the place of rows that are there.
func (a *alteration) checkSharding() error {
	t := a.vtable(a.new.Name)
	if t == nil {
		return nil
	}
	for i := range t.ColumnVindexes {
		v := &t.ColumnVindexes[i]
		for _, name := range v.Columns {
			c := a.new.Column(name)
			if c == nil {
				continue
			}
			before := a.before(c)
			if before != nil && a.scattered() && schema.PlacedBy(before) != schema.PlacedBy(c) {
				return fail(errVSchema, "column %q of table %q can't change from %s to %s: the table is sharded by %s, and its rows would have to move; "+
					"make a new table and copy the rows", name, a.old.Name, typeText(before), typeText(c), vindexText(v))
			}
		}
	}
	return a.checkVindexes(a.new, t)
}

// reshard takes up another declaration of the table's own sharding, which only
// a keyspace of one shard can follow without moving rows.
func (a *alteration) reshard() error {
	said := func(s sqlast.AlterSpec) bool {
		return s.Kind == sqlast.AlterComment || s.Kind == sqlast.AlterPartitionKey
	}
	if !slices.ContainsFunc(a.specs, said) {
		return nil
	}
	own, err := a.ownSharding(a.new)
	if err != nil {
		return err
	}
	t := a.vtable(a.new.Name)
	if own == nil || sameSharding(own, t) {
		return nil
	}
	if a.scattered() || own.Source != "" || t != nil && t.Source != "" {
		return fail(errVSchema, "table %q is sharded by %s and can't be changed to %s in place: its rows would have to move; make a new table and copy the rows",
			a.new.Name, shardingText(t), shardingText(own))
	}
	if t != nil {
		own.AutoIncrement = t.AutoIncrement
	}
	if err := a.setVTable(own); err != nil {
		return err
	}
	return a.checkVindexes(a.new, a.vtable(a.new.Name))
}

// checkKeys looks at the unique and foreign keys that are new.
func (a *alteration) checkKeys() error {
	// A key without the sharding columns may have been let through because of
	// AUTO_INCREMENT.
	all := autoColumn(a.old) != nil && autoColumn(a.new) == nil
	if err := a.checkForeign(a.new, true, func(fk *sqlast.ForeignKeyDef) bool { return a.oldKey(fk) == nil }); err != nil {
		return err
	}
	return a.checkUnique(a.new, a.vtable(a.new.Name), func(x *sqlast.IndexDef) bool {
		return all || !slices.ContainsFunc(a.old.Indexes, func(y *sqlast.IndexDef) bool { return a.sameIndex(x, y) })
	})
}

// sameIndex says whether x of the new table keeps what y of the old one kept.
func (a *alteration) sameIndex(x, y *sqlast.IndexDef) bool {
	unique := func(x *sqlast.IndexDef) bool { return x.Kind == sqlast.IndexPrimary || x.Kind == sqlast.IndexUnique }
	return unique(x) == unique(y) && slices.EqualFunc(x.Parts, y.Parts, func(p, q sqlast.IndexPart) bool {
		if p.Column == "" || q.Column == "" {
			return p.ExprText == q.ExprText && p.Column == q.Column
		}
		c := a.after(q.Column)
		return c != nil && strings.EqualFold(c.Name, p.Column) && p.Length == q.Length
	})
}

// oldKey finds the foreign key as it was before, or nil for a new one.
func (a *alteration) oldKey(fk *sqlast.ForeignKeyDef) *sqlast.ForeignKeyDef {
	fresh := slices.ContainsFunc(a.specs, func(s sqlast.AlterSpec) bool {
		return s.Kind == sqlast.AlterAddForeignKey && strings.EqualFold(s.ForeignKey.Name, fk.Name)
	})
	for _, old := range a.old.ForeignKeys {
		if strings.EqualFold(old.Name, fk.Name) && !fresh {
			return old
		}
	}
	return nil
}

// checkRelatives looks at the foreign keys that were there before: parents must
// keep the unique key that children refer to, and both sides their type.
func (a *alteration) checkRelatives() error {
	if a.o.Unchecked {
		return nil
	}
	for _, child := range a.s.Children(a.o.Keyspace, a.new.Name) {
		if child.Table == a.new && a.oldKey(child.Key) == nil {
			continue // was looked at as a new one
		}
		if err := agree(child.Table, a.new, child.Key, a.new.Name); err != nil {
			return err
		}
		if !foreign.Unique(a.new, child.Key.RefColumns) {
			return fail(errIndexNeeded, "cannot drop the key on (%s) of table %q: needed in foreign key %q of table %q; drop that key first",
				strings.Join(child.Key.RefColumns, ", "), a.new.Name, child.Key.Name, child.Table.Name)
		}
	}
	for _, fk := range a.new.ForeignKeys {
		if parent := a.parent(fk); parent != nil && a.oldKey(fk) != nil {
			if err := agree(a.new, parent, fk, a.new.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// agree refuses a change of a column's type that its foreign key doesn't follow.
func agree(def, parent *sqlast.TableDef, fk *sqlast.ForeignKeyDef, altered string) error {
	for i, name := range fk.Columns {
		c, ref := def.Column(name), parent.Column(fk.RefColumns[i])
		if c == nil || ref == nil || sameForm(&c.Type, &ref.Type) {
			continue
		}
		return fail(errForeignColType, "cannot change the type of table %q: column %q of table %q (%s) and column %q of table %q (%s) are tied by foreign key %q; drop the key first",
			altered, c.Name, def.Name, typeText(c), ref.Name, parent.Name, typeText(ref), fk.Name)
	}
	return nil
}

// checkExisting looks at a table that stands when the VSchema says something
// new of it.
func (p *planner) checkExisting(name string, before *vschema.Table) error {
	def, t := p.table(name), p.vtable(name)
	if def == nil {
		return nil
	}
	if p.scattered() && !sameSharding(before, t) {
		return fail(errVSchema, "table %q has rows placed by %s and can't be changed to %s in place; make a new table and copy the rows",
			name, shardingText(before), shardingText(t))
	}
	if t == nil {
		return nil
	}
	return p.checkVindexes(def, t)
}

// checkCopies refuses a new column whose default every shard would work out by
// itself for the rows that are there: copies of a reference table would differ.
func (a *alteration) checkCopies() error {
	t := a.vtable(a.new.Name)
	if t == nil || t.Type != vschema.TableReference || a.shards() < 2 {
		return nil
	}
	for _, c := range a.new.Columns {
		if _, literal := c.Default.(*sqlast.Lit); c.Default == nil || literal || a.before(c) != nil {
			continue
		}
		return fail(errNotSupported, "column %q can't be added to reference table %q with the default %s, which each shard would work out by itself; "+
			"add it without a default, UPDATE it, then ALTER COLUMN %s SET DEFAULT", c.Name, a.new.Name, c.DefaultText, c.Name)
	}
	return nil
}
