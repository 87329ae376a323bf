package ddl

import (
	"errors"
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
)

// dropTables drops all of the statement's tables or views, or, when one is
// missing, none.
func (p *planner) dropTables(stmt *sqlast.DropTable) error {
	var missing []string
	dropping := map[string]bool{}
	for _, ref := range stmt.Tables {
		if err := p.here(ref.Schema, ref.Name); err != nil {
			return err
		}
		exists, other := p.table(ref.Name) != nil, p.view(ref.Name) != nil
		if stmt.View {
			exists, other = other, exists
		}
		switch {
		case stmt.Temporary, !exists && !(other && stmt.View):
			missing = append(missing, ref.Name)
		case other:
			return fail(errWrongObject, "%q is a table, not a view; use DROP TABLE", ref.Name)
		default:
			dropping[strings.ToLower(ref.Name)] = true
		}
	}
	if len(missing) > 0 && !stmt.IfExists {
		return fail(errUnknownTable, "unknown table %q in keyspace %q; IF EXISTS passes over it",
			strings.Join(missing, ", "), p.o.Keyspace)
	}
	for _, name := range missing {
		p.warn("unknown table %q in keyspace %q", name, p.o.Keyspace)
	}
	for _, ref := range stmt.Tables {
		if !dropping[strings.ToLower(ref.Name)] {
			continue
		}
		if stmt.View {
			p.apply(schema.Change{Keyspace: p.o.Keyspace, Drop: p.view(ref.Name).Name})
		} else if err := p.dropTable(p.table(ref.Name), dropping); err != nil {
			return err
		}
		delete(dropping, strings.ToLower(ref.Name))
	}
	return nil
}

// dropTable drops one table. Children that stay keep it from going.
func (p *planner) dropTable(def *sqlast.TableDef, dropping map[string]bool) error {
	for _, child := range p.s.Children(p.o.Keyspace, def.Name) {
		// On DROP SQLite deletes all rows first, and children would notice.
		p.out.ForeignKeysOff = true
		goes := child.Keyspace == p.o.Keyspace && dropping[strings.ToLower(child.Table.Name)]
		if !goes && !p.o.Unchecked {
			return p.referenced(def, child)
		}
	}
	if err := p.keepsCopies(def, "dropped"); err != nil {
		return err
	}
	name, own := p.sequence(def)
	stmts, err := p.definition(p.o.Keyspace, &sqlast.DropTable{Tables: []*sqlast.TableRef{{Name: def.Name, Table: def}}})
	if err != nil {
		return p.dialectError(err, def.Name)
	}
	p.run(stmts...)
	if own {
		p.out.Sequences = append(p.out.Sequences, SequenceChange{Name: name, Drop: true})
	}
	if err := p.eachLookup(def, func(_ *sqlast.IndexDef, h *sqlast.TableDef) error { return p.dropLookup(h) }); err != nil {
		return err
	}
	owned := func(_ *sqlast.IndexDef, t *sqlast.TableDef) error { return p.empty(t) }
	if err := p.eachOwned(def, owned); err != nil {
		return err
	}
	p.apply(schema.Change{Keyspace: p.o.Keyspace, Drop: def.Name})
	return p.dropVTable(def)
}

func (p *planner) referenced(def *sqlast.TableDef, child schema.Child) error {
	return fail(errDropReferenced, "cannot drop table %q: foreign key %q of table %q references it; drop that table or key first",
		def.Name, child.Key.Name, p.nameOf(child))
}

// nameOf names the table of a foreign key, with its keyspace when it is another.
func (p *planner) nameOf(child schema.Child) string {
	if child.Keyspace != p.o.Keyspace {
		return child.Keyspace + "." + child.Table.Name
	}
	return child.Table.Name
}

// dropKeyspace drops all of the keyspace's tables and views. What becomes of its
// shards and of the catalog is the caller's: the change has what the other
// keyspaces need.
func (p *planner) dropKeyspace() error {
	for _, def := range p.s.Tables(p.o.Keyspace) {
		for _, child := range p.s0.Children(p.o.Keyspace, def.Name) {
			if child.Keyspace != p.o.Keyspace && !p.o.Unchecked {
				return p.referenced(def, child)
			}
		}
		p.apply(schema.Change{Keyspace: p.o.Keyspace, Drop: def.Name})
	}
	return nil
}

// dropVTable takes a dropped table out of the VSchema, unless an explicit
// VSchema declares it: that declaration is there to outlive the table.
func (p *planner) dropVTable(def *sqlast.TableDef) error {
	t := p.vtable(def.Name)
	if t == nil {
		return nil
	}
	if !p.keyspace().Auto {
		if own, err := p.ownSharding(def); err != nil || own == nil || !sameSharding(own, t) {
			return nil
		}
	}
	return p.removeVTable(def.Name)
}

func (p *planner) empty(t *sqlast.TableDef) error {
	stmts, err := p.definition(p.o.Keyspace, &sqlast.Truncate{Table: &sqlast.TableRef{Name: t.Name, Table: t}})
	if err != nil {
		return p.dialectError(err, t.Name)
	}
	p.run(stmts...)
	return nil
}

func (p *planner) truncate(stmt *sqlast.Truncate) error {
	if err := p.here(stmt.Table.Schema, stmt.Table.Name); err != nil {
		return err
	}
	def := p.table(stmt.Table.Name)
	if def == nil {
		return p.noTable(stmt.Table.Name)
	}
	if err := p.keepsOrigin(def, "be truncated"); err != nil {
		return err
	}
	for _, child := range p.s.Children(p.o.Keyspace, def.Name) {
		p.out.ForeignKeysOff = true
		if child.Table != def && !p.o.Unchecked {
			return fail(errForeignTruncate, "cannot truncate table %q: foreign key %q of table %q references it; use DELETE",
				def.Name, child.Key.Name, p.nameOf(child))
		}
	}
	if err := p.truncateCopies(def); err != nil {
		return err
	}
	empty := func(_ *sqlast.IndexDef, t *sqlast.TableDef) error { return p.empty(t) }
	if err := errors.Join(empty(nil, def), p.eachLookup(def, empty), p.eachOwned(def, empty)); err != nil {
		return err
	}
	if name, own := p.sequence(def); own {
		p.out.Sequences = append(p.out.Sequences, SequenceChange{Name: name, Next: 1})
	}
	return nil
}
