package ddl

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// Reference tables that copy a table of another keyspace, their source: what is
// written there is written in every copy, by plans that hang on which copies there
// are. So a copy that comes or goes concerns the source's keyspace too.

// newCopy looks at a new table that the VSchema says is a copy, and has it filled
// with the rows that its source has.
func (p *planner) newCopy(def *sqlast.TableDef) error {
	t := p.vtable(def.Name)
	ks, name, ok := t.Origin()
	if !ok {
		return nil
	}
	origin := p.s.Table(ks, name)
	if origin == nil {
		return nil // it may come later, and has no rows then
	}
	if why := schema.CopyDiffers(origin, def); why != "" {
		return fail(errVSchema, "table %q can't be a copy of %s: %s", def.Name, t.Source, why)
	}
	var columns []string
	for _, c := range def.Columns {
		if c.Generated == nil {
			columns = append(columns, quote(c.Name))
		}
	}
	list := strings.Join(columns, ", ")
	p.out.Copies = append(p.out.Copies, "INSERT INTO "+quote(p.o.Keyspace)+"."+quote(def.Name)+" ("+list+") SELECT "+list+" FROM "+quote(ks)+"."+quote(origin.Name))
	return nil
}

// keepsOrigin refuses what only the source of a copy can do.
func (p *planner) keepsOrigin(def *sqlast.TableDef, what string) error {
	t := p.vtable(def.Name)
	if _, _, ok := t.Origin(); !ok {
		return nil
	}
	return fail(errNotSupported, "table %q can't %s: it is a copy of %s, which has to", def.Name, what, t.Source)
}

// keepsCopies refuses what would leave the copies of a table behind.
func (p *planner) keepsCopies(def *sqlast.TableDef, what string) error {
	for _, c := range p.copies(def.Name) {
		return fail(errNotSupported, "table %q can't be %s while %s.%s is a copy of it; drop that first", def.Name, what, c.Keyspace, c.Table.Name)
	}
	return nil
}

// copies lists the copies of a table that there are.
func (p *planner) copies(table string) []vschema.Copy {
	return slices.DeleteFunc(p.v.Copies(p.o.Keyspace, table), func(c vschema.Copy) bool { return p.s.Table(c.Keyspace, c.Table.Name) == nil })
}

// truncateCopies empties the copies of a table with it.
func (p *planner) truncateCopies(def *sqlast.TableDef) error {
	for _, c := range p.copies(def.Name) {
		copied := p.s.Table(c.Keyspace, c.Table.Name)
		for _, child := range p.s.Children(c.Keyspace, copied.Name) {
			p.out.ForeignKeysOff = true
			if !p.o.Unchecked {
				return fail(errForeignTruncate, "cannot truncate table %q: foreign key %q of table %q references its copy %s.%s; use DELETE",
					def.Name, child.Key.Name, p.nameOf(child), c.Keyspace, copied.Name)
			}
		}
		stmts, err := p.definition(c.Keyspace, &sqlast.Truncate{Table: &sqlast.TableRef{Name: copied.Name, Table: copied}})
		if err != nil {
			return p.dialectError(err, copied.Name)
		}
		p.concern(c.Keyspace, stmts...)
	}
	return nil
}

// copiesIn names the tables of a keyspace that have copies, each with its copies.
func copiesIn(s *schema.Schema, v *vschema.VSchema, keyspace string) []string {
	var out []string
	for _, t := range s.Tables(keyspace) {
		for _, c := range v.Copies(keyspace, t.Name) {
			if s.Table(c.Keyspace, c.Table.Name) != nil {
				out = append(out, t.Name+" "+c.Keyspace+" "+c.Table.Name)
			}
		}
	}
	return out
}

// concern has another keyspace's shards run statements, and refuse what was planned
// before.
func (p *planner) concern(ks string, stmts ...dialect.Text) {
	i := slices.IndexFunc(p.out.Others, func(o Other) bool { return o.Keyspace == ks })
	if i < 0 {
		i = len(p.out.Others)
		p.out.Others = append(p.out.Others, Other{Keyspace: ks})
	}
	p.out.Others[i].Shards = append(p.out.Others[i].Shards, stmts...)
}
