package ddl

import (
	"regexp"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// change moves the working VSchema one step.
func (p *planner) change(c vschema.Change) error {
	v, err := p.v.Apply(p.o.Keyspace, c)
	if err != nil {
		return &Error{Number: errVSchema, Message: err.Error(), err: err}
	}
	p.v = v
	return nil
}

func (p *planner) setVTable(t *vschema.Table) error {
	return p.change(vschema.Change{Op: vschema.SetTable, Table: t.Name, Declare: t})
}

func (p *planner) removeVTable(name string) error {
	return p.change(vschema.Change{Op: vschema.DropTable, Table: name})
}

// renameVTable takes a table's declaration along to its new name. A
// declaration that waits there for a table gives way: the rows are where they
// are.
func (p *planner) renameVTable(from, to string) error {
	t := p.vtable(from)
	if t == nil {
		return nil
	}
	if waiting := p.vtable(to); waiting != nil && !strings.EqualFold(from, to) {
		if !sameSharding(waiting, t) {
			p.warn("table %q stays sharded by %s; the VSchema said %s of that name", to, shardingText(t), shardingText(waiting))
		}
		if err := p.removeVTable(to); err != nil {
			return err
		}
	}
	return p.change(vschema.Change{Op: vschema.RenameTable, Table: from, NewName: to})
}

// commentTable is the sharding that a table's comment declares, or nil.
func commentTable(name, comment string) (*vschema.Table, error) {
	spec, _, err := vschema.ParseComment(comment)
	if err != nil || !spec.Declared {
		return nil, err
	}
	return spec.Table(name), nil
}

// vindexColumns finds the column list of a comment's vindex clauses.
var vindexColumns = regexp.MustCompile(`(?i)(vindex\s*=\s*\w+\s*\()([^()]*)(\))`)

// renameInComment lets a comment's vindex clauses follow renamed columns.
func renameInComment(comment string, renamed map[string]string) string {
	return vindexColumns.ReplaceAllStringFunc(comment, func(clause string) string {
		m := vindexColumns.FindStringSubmatch(clause)
		columns := strings.Split(m[2], ",")
		for i, c := range columns {
			name := strings.Trim(strings.TrimSpace(c), "`")
			if to, ok := renamed[strings.ToLower(name)]; ok {
				columns[i] = strings.Replace(c, name, to, 1)
			}
		}
		return m[1] + strings.Join(columns, ",") + m[3]
	})
}

// vschemaOps are the actions of ALTER VSCHEMA.
var vschemaOps = map[string]vschema.Op{
	"create vindex":       vschema.CreateVindex,
	"drop vindex":         vschema.DropVindex,
	"add table":           vschema.AddTable,
	"drop table":          vschema.DropTable,
	"add vindex":          vschema.AddColumnVindex,
	"drop vindex on":      vschema.DropColumnVindex,
	"add sequence":        vschema.AddSequence,
	"drop sequence":       vschema.DropSequence,
	"add auto_increment":  vschema.AddAutoIncrement,
	"drop auto_increment": vschema.DropAutoIncrement,
}

// alterVSchema changes the VSchema, as long as it stays true of the rows that
// are there.
func (p *planner) alterVSchema(stmt *sqlast.AlterVSchema) error {
	op, known := vschemaOps[stmt.Action]
	if !known {
		return fail(errNotSupported, "ALTER VSCHEMA %s isn't supported", strings.ToUpper(stmt.Action))
	}
	c := vschema.Change{Op: op, Vindex: stmt.Vindex, Type: stmt.Type, Columns: stmt.Columns, Column: stmt.Column}
	for k, v := range stmt.Params {
		switch {
		case strings.EqualFold(k, "owner"):
			c.Owner = v
		case op == vschema.AddSequence && strings.EqualFold(k, "pinned"):
			return fail(errVSchema, "parameter %q of a sequence isn't supported", k)
		default:
			if c.Params == nil {
				c.Params = map[string]string{}
			}
			c.Params[k] = v
		}
	}
	if op == vschema.CreateVindex && c.Type == "" {
		c.Type = c.Vindex // as in Vitess, CREATE VINDEX hash needs no USING
	}
	table := stmt.Table
	if s := stmt.Sequence; op == vschema.AddSequence || op == vschema.DropSequence {
		table = s // a sequence is itself a table of the VSchema
	} else if s != nil {
		c.Sequence = s.Name
		if s.Schema != "" && s.Schema != p.o.Keyspace {
			c.Sequence = s.Schema + "." + s.Name
		}
	}
	if table == nil {
		return p.change(c)
	}
	if err := p.here(table.Schema, table.Name); err != nil {
		return err
	}
	c.Table = table.Name
	before := p.vtable(c.Table)
	if op == vschema.AddColumnVindex {
		if err := p.addColumnVindex(c); err != nil {
			return err
		}
	} else if err := p.change(c); err != nil {
		return err
	}
	if err := p.checkExisting(c.Table, before); err != nil {
		return err
	}
	if op == vschema.AddAutoIncrement || op == vschema.DropAutoIncrement {
		return p.renumber(c.Table)
	}
	return nil
}

// renumber lets a table that stands take its AUTO_INCREMENT values from where
// the VSchema says now.
func (p *planner) renumber(name string) error {
	old := p.table(name)
	if old == nil {
		return nil
	}
	def := copyDef(old)
	if t := p.vtable(name); t != nil && t.AutoIncrement != nil {
		if auto := autoColumn(def); auto != nil && !strings.EqualFold(auto.Name, t.AutoIncrement.Column) {
			return fail(errOneAutoColumn, "table %q has the AUTO_INCREMENT column %q already; there can be only one", def.Name, auto.Name)
		}
	}
	if err := p.numberColumn(def); err != nil {
		return err
	}
	if err := check(def); err != nil {
		return err
	}
	p.put("", def)
	if autoColumn(def) != nil {
		p.startSequence(def)
	}
	return nil
}

// addColumnVindex adds a vindex to a table. One that lives on a single shard
// without anybody having asked for that is placed by its first vindex.
func (p *planner) addColumnVindex(c vschema.Change) error {
	if t := p.vtable(c.Table); t != nil && t.Type == vschema.TableUnsharded && p.keyspace().Auto {
		if err := p.removeVTable(c.Table); err != nil {
			return err
		}
	}
	if err := p.change(c); err != nil {
		return err
	}
	return p.fillVindex(c)
}

// fillVindex keeps a new lookup vindex of a table that stands from being used
// before it has the entries of the rows that are there.
func (p *planner) fillVindex(c vschema.Change) error {
	t := p.vtable(c.Table)
	if p.table(c.Table) == nil || t == nil {
		return nil
	}
	for i := range t.ColumnVindexes {
		cv := &t.ColumnVindexes[i]
		if cv.Name != c.Vindex || !cv.OwnedBy(t.Name) || cv.WriteOnly() {
			continue
		}
		if !cv.Kept() {
			return fail(errNotSupported, "vindex %q: entries of the type %s aren't kept; use lookup or lookup_unique, on a column with a _ci collation", cv.Name, cv.Type)
		}
		p.out.Backfill = append(p.out.Backfill, Backfill{Table: t.Name, Vindex: cv.Name})
		return p.change(vschema.Change{Op: vschema.SetWriteOnly, Vindex: cv.Name, WriteOnly: true})
	}
	return nil
}
