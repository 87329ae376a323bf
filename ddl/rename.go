package ddl

import (
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *planner) renameTables(stmt *sqlast.RenameTable) error {
	for i, from := range stmt.From {
		to := stmt.To[i]
		for _, ref := range []*sqlast.TableRef{from, to} {
			if err := p.here(ref.Schema, ref.Name); err != nil {
				return err
			}
		}
		if err := p.rename(from.Name, to.Name); err != nil {
			return err
		}
	}
	return nil
}

// rename moves one table or view to another name; foreign keys, VSchema and
// sequence follow.
func (p *planner) rename(from, to string) error {
	if err := checkName(to); err != nil {
		return err
	}
	if !strings.EqualFold(from, to) && (p.table(to) != nil || p.view(to) != nil) {
		return fail(errTableExists, "table %q already exists in keyspace %q", to, p.o.Keyspace)
	}
	if v := p.view(from); v != nil {
		c := *v
		c.Name = to
		p.apply(schema.Change{Keyspace: p.o.Keyspace, Drop: v.Name, View: &c})
		return nil
	}
	old := p.table(from)
	if old == nil {
		return p.noTable(from)
	}
	if old.Name == to {
		return nil
	}
	if err := p.keepsCopies(old, "renamed"); err != nil {
		return err
	}
	if err := p.shardRename(old, to); err != nil {
		return err
	}
	var skipped []string
	for _, name := range p.madeWithout(old.Name) {
		skipped = append(skipped, movedName(name, old.Name, to, "_ibfk_"))
	}
	p.made[strings.ToLower(old.Name)], p.made[strings.ToLower(to)] = nil, skipped
	seq, own := p.sequence(old)
	def := p.renamedDef(old, to)
	if err := p.renameLookups(old, def); err != nil {
		return err
	}
	for _, child := range p.s.Children(p.o.Keyspace, old.Name) {
		if child.Table != old {
			p.putChild(child, p.retarget(child.Keyspace, child.Table, old.Name, to, nil))
		}
	}
	p.put(old.Name, def)
	if err := p.checkWaiting(def); err != nil {
		return err
	}
	if err := p.renameVTable(old.Name, to); err != nil {
		return err
	}
	for i := range p.out.Sequences { // earlier steps of the statement
		if q := &p.out.Sequences[i]; strings.EqualFold(q.Table, old.Name) {
			q.Table = to
		}
	}
	if own && seq != to {
		p.out.Sequences = append(p.out.Sequences, SequenceChange{Name: to, From: seq})
	}
	return nil
}

// shardRename prints the renaming. SQLite doesn't tell names apart by case, so
// that a mere change of spelling goes by a third name.
func (p *planner) shardRename(old *sqlast.TableDef, to string) error {
	steps := []string{to}
	if strings.EqualFold(old.Name, to) {
		steps = []string{"_vt_rename_" + old.Name, to}
	}
	def := *old
	for _, name := range steps {
		stmts, err := p.definition(p.o.Keyspace, &sqlast.RenameTable{
			From: []*sqlast.TableRef{{Name: def.Name, Table: &def}}, To: []*sqlast.TableRef{{Name: name}}})
		if err != nil {
			return p.dialectError(err, old.Name)
		}
		p.run(stmts...)
		next := def
		next.Name = name
		def = next
	}
	return nil
}

// renamedDef is the definition under another name: references to itself follow,
// and, as in MySQL, names of constraints that were made from the table's.
func (p *planner) renamedDef(old *sqlast.TableDef, to string) *sqlast.TableDef {
	def := p.retarget(p.o.Keyspace, old, old.Name, to, nil)
	def.Name = to
	for _, fk := range def.ForeignKeys {
		fk.Name = movedName(fk.Name, old.Name, to, "_ibfk_")
	}
	for _, c := range def.Checks {
		c.Name = movedName(c.Name, old.Name, to, "_chk_")
	}
	return def
}

func movedName(name, from, to, infix string) string {
	if rest, made := strings.CutPrefix(name, from+infix); made {
		return to + infix + rest
	}
	return name
}

// retarget is a copy of def, of keyspace own, whose foreign keys follow a renamed
// parent and its renamed columns (old name, in lower case, to new one).
func (p *planner) retarget(own string, def *sqlast.TableDef, parent, to string, columns map[string]string) *sqlast.TableDef {
	def = copyDef(def)
	for _, fk := range def.ForeignKeys {
		if !fk.Refers(own, p.o.Keyspace, parent) {
			continue
		}
		fk.RefTable = to
		for i, c := range fk.RefColumns {
			if n, ok := columns[strings.ToLower(c)]; ok {
				fk.RefColumns[i] = n
			}
		}
	}
	return def
}
