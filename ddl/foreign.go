package ddl

import (
	"bytes"
	"fmt"
	"maps"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// checkForeign looks at a table's foreign keys for which want holds, all of them
// new and the planner's own: the parent
// must be there with a unique key on the columns (SQLite needs it), the types
// must agree, and the shards must be able to keep it, or be told not to. The
// table itself is in the working copy already.
func (p *planner) checkForeign(def *sqlast.TableDef, want func(*sqlast.ForeignKeyDef) bool) error {
	for _, fk := range def.ForeignKeys {
		if !want(fk) {
			continue
		}
		if err := p.here(fk.RefSchema, fk.RefTable); err != nil {
			return err
		}
		fk.RefSchema = "" // it is this keyspace's
		parent := p.table(fk.RefTable)
		if parent != nil {
			fk.RefTable = parent.Name
		}
		if p.o.ForeignKeys == "off" {
			continue
		}
		if parent == nil {
			return fail(errForeignNoParent, "failed to open the referenced table %q of foreign key %q of table %q; create it first",
				fk.RefTable, fk.Name, def.Name)
		}
		if err := matchParent(def, parent, fk); err != nil {
			return err
		}
		reason := p.crossing(def, fk)
		switch {
		case reason == "":
		case p.o.ForeignKeys == "colocated":
			p.warn("foreign key %q of table %q is recorded but not enforced: %s", fk.Name, def.Name, reason)
		default:
			return fail(errNotSupported, "foreign key %q of table %q can't be kept by the shards: %s; "+
				"shard both tables by the columns of the key, make %q a reference table (COMMENT 'reference'), "+
				"or open the database with foreign_keys=colocated to record such keys without enforcing them",
				fk.Name, def.Name, reason, fk.RefTable)
		}
	}
	return nil
}

func matchParent(def, parent *sqlast.TableDef, fk *sqlast.ForeignKeyDef) error {
	for i, name := range fk.RefColumns {
		ref := parent.Column(name)
		if ref == nil {
			return fail(errForeignNoIndex, "foreign key %q of table %q refers to column %q, which table %q doesn't have",
				fk.Name, def.Name, name, parent.Name)
		}
		fk.RefColumns[i] = ref.Name
		c := def.Column(fk.Columns[i])
		if c.Type.Class != ref.Type.Class || c.Type.NoCase != ref.Type.NoCase {
			return fail(errForeignMismatch,
				"referencing column %q of table %q (%s) and referenced column %q of table %q (%s) in foreign key %q are incompatible; give them one type and collation",
				c.Name, def.Name, typeText(c), ref.Name, parent.Name, typeText(ref), fk.Name)
		}
	}
	if !uniqueOn(parent, fk.RefColumns) {
		return fail(errForeignNoIndex,
			"failed to add foreign key %q of table %q: referenced table %q has no primary or unique key on exactly (%s); add one",
			fk.Name, def.Name, parent.Name, strings.Join(fk.RefColumns, ", "))
	}
	return nil
}

func typeText(c *sqlast.ColumnDef) string {
	text := strings.ToLower(c.Type.Name)
	if c.Type.Collation != "" {
		text += " " + c.Type.Collation
	}
	return text
}

// uniqueOn says whether a unique key is on exactly these columns.
func uniqueOn(def *sqlast.TableDef, columns []string) bool {
	for _, x := range def.Indexes {
		if (x.Kind == sqlast.IndexPrimary || x.Kind == sqlast.IndexUnique) &&
			len(x.Parts) == len(columns) && leads(x, columns) {
			return true
		}
	}
	return false
}

// crossing says why a row and its parent may live on different shards, or ""
// when they never do and the shard itself keeps the key.
func (p *planner) crossing(def *sqlast.TableDef, fk *sqlast.ForeignKeyDef) string {
	if !p.scattered() {
		return ""
	}
	child, parent := p.vtable(def.Name), p.vtable(fk.RefTable)
	switch {
	case parent == nil:
		return fmt.Sprintf("table %q is not in the VSchema", fk.RefTable)
	case child == nil:
		return fmt.Sprintf("table %q is not in the VSchema", def.Name)
	case parent.Type == vschema.TableReference:
		return ""
	case child.Type == vschema.TableReference:
		return fmt.Sprintf("table %q is on every shard, table %q is not", def.Name, parent.Name)
	case child.Type != vschema.TableSharded && parent.Type != vschema.TableSharded:
		if bytes.Equal(pin(child), pin(parent)) {
			return ""
		}
		return fmt.Sprintf("tables %q and %q are pinned to different places", def.Name, parent.Name)
	case child.Type != vschema.TableSharded:
		return fmt.Sprintf("table %q is on one shard, table %q is sharded", def.Name, parent.Name)
	case parent.Type != vschema.TableSharded:
		return fmt.Sprintf("table %q is sharded, table %q is on one shard", def.Name, parent.Name)
	}
	return p.crossingSharded(def, fk, primary(child), primary(parent))
}

func (p *planner) crossingSharded(def *sqlast.TableDef, fk *sqlast.ForeignKeyDef, c, r *vschema.ColumnVindex) string {
	if c == nil || r == nil {
		return "one of the tables has no primary vindex"
	}
	if c.Type == "null" && r.Type == "null" {
		return ""
	}
	sharding := fmt.Sprintf("table %q is sharded by %s and table %q by %s", def.Name, vindexText(c), fk.RefTable, vindexText(r))
	if c.Type != r.Type || !maps.Equal(c.Params, r.Params) || len(c.Columns) != len(r.Columns) {
		return sharding + ", which place rows differently"
	}
	parent := p.table(fk.RefTable)
	for i, name := range c.Columns {
		at := -1
		for j, col := range fk.Columns {
			if strings.EqualFold(col, name) && strings.EqualFold(fk.RefColumns[j], r.Columns[i]) {
				at = j
			}
		}
		if at < 0 {
			return sharding + ", and the key doesn't lead from the one to the other"
		}
		if fk.OnDelete == "SET NULL" || fk.OnDelete == "SET DEFAULT" || fk.OnUpdate == "SET NULL" || fk.OnUpdate == "SET DEFAULT" {
			return fmt.Sprintf("its action sets the sharding column %q, which would leave the row on the wrong shard", name)
		}
		if parent == nil {
			continue
		}
		if a, b := def.Column(name), parent.Column(r.Columns[i]); a != nil && b != nil && place(a) != place(b) {
			return sharding + ", whose types place equal values differently"
		}
	}
	return ""
}

// pin is the keyspace ID of a table that lives on one shard, without trailing
// zeros; the first shard's is empty.
func pin(t *vschema.Table) []byte { return bytes.TrimRight(t.Pinned, "\x00") }

// shardOptions says which foreign keys of a table the shards don't have, as the
// working copy stands.
func (p *planner) shardOptions(def *sqlast.TableDef) dialect.TableOptions {
	if p.o.ForeignKeys == "off" {
		return dialect.TableOptions{NoForeignKeys: true}
	}
	var o dialect.TableOptions
	for _, fk := range def.ForeignKeys {
		if p.table(fk.RefTable) == nil || p.crossing(def, fk) != "" {
			o.SkipForeignKeys = append(o.SkipForeignKeys, fk.Name)
		}
	}
	return o
}
