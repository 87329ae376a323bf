package ddl

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

func (p *planner) keyspace() *vschema.Keyspace { return p.v.Keyspaces[p.o.Keyspace] }

// scattered says whether rows of one table may live on different shards.
func (p *planner) scattered() bool { return p.keyspace().Sharded && p.shards() > 1 }

// vtable finds the VSchema's table, without regard to case, or nil.
func (p *planner) vtable(name string) *vschema.Table { return p.keyspace().Table(name) }

// primary is the vindex that places the table's rows, or nil.
func primary(t *vschema.Table) *vschema.ColumnVindex { return t.Primary() }

func vindexText(c *vschema.ColumnVindex) string {
	return c.Type + "(" + strings.Join(c.Columns, ", ") + ")"
}

// declared says whether the VSchema knows where the table's rows live.
func declared(t *vschema.Table) bool {
	return t != nil && (t.Type != vschema.TableSharded || len(t.ColumnVindexes) > 0)
}

// home decides where a new table's rows live and puts that into the VSchema:
// what the VSchema says already, then what the table's own DDL says, then like,
// the table that it is a copy of, then auto mode.
func (p *planner) home(def *sqlast.TableDef, like *vschema.Table) error {
	own, err := p.ownSharding(def)
	if err != nil {
		return err
	}
	if own != nil && own.Type == vschema.TableSequence && own.Pinned == nil && p.keyspace().Sharded {
		own.Pinned = vschema.FirstShard()
	}
	t := p.vtable(def.Name)
	switch {
	case !p.keyspace().Sharded:
		if own != nil && own.Type == vschema.TableSequence && !declared(t) {
			return p.setVTable(own)
		}
		return nil // the definition itself remembers what it says
	case declared(t):
		if own != nil && !sameSharding(own, t) {
			p.warn("table %q is sharded by %s as the VSchema says, not by %s as its definition says",
				def.Name, shardingText(t), shardingText(own))
		}
		return p.checkVindexes(def, t)
	case own != nil:
		t = own
	case declared(like):
		c := *like
		c.Name, c.AutoIncrement, c.Source = def.Name, nil, ""
		c.ColumnVindexes = c.ColumnVindexes[:min(1, len(c.ColumnVindexes))] // lookups belong to one table
		t = &c
	case p.keyspace().Auto:
		t = p.autoTable(def)
	default:
		return fail(errVSchema, "table %q is not in the VSchema of sharded keyspace %q; declare it by ALTER VSCHEMA, "+
			"or in CREATE TABLE by PARTITION BY KEY(column) or COMMENT 'vindex=TYPE(column)', 'reference' or 'unsharded'",
			def.Name, p.o.Keyspace)
	}
	if err := p.setVTable(t); err != nil {
		return err
	}
	return p.checkVindexes(def, p.vtable(def.Name))
}

// ownSharding is what PARTITION BY KEY or the COMMENT says, or nil.
func (p *planner) ownSharding(def *sqlast.TableDef) (*vschema.Table, error) {
	t, err := commentTable(def.Name, def.Comment)
	if err != nil {
		return nil, wrap(errVSchema, err, "comment of table %q", def.Name)
	}
	if len(def.PartitionKey) == 0 {
		return t, nil
	}
	keyed := partitionTable(def.Name, def.PartitionKey)
	switch {
	case t == nil:
		return keyed, nil
	case t.Type != vschema.TableSharded || !sameSharding(t, keyed):
		return nil, fail(errVSchema, "table %q: PARTITION BY KEY says %s, the comment says %s; say it once",
			def.Name, shardingText(keyed), shardingText(t))
	}
	return t, nil
}

// partitionTable is the sharding that PARTITION BY KEY(columns) declares.
func partitionTable(name string, columns []string) *vschema.Table {
	c := vschema.ColumnVindex{Type: "hash", Columns: columns}
	if n := len(columns); n > 1 {
		c.Type = "multicol"
		c.Params = map[string]string{"column_count": strconv.Itoa(n)}
	}
	return &vschema.Table{Name: name, Type: vschema.TableSharded, ColumnVindexes: []vschema.ColumnVindex{c}}
}

// sameSharding says whether two declarations place rows alike.
func sameSharding(a, b *vschema.Table) bool {
	if a == nil || b == nil || a.Type != b.Type {
		return a == b
	}
	if a.Type != vschema.TableSharded {
		return string(pin(a)) == string(pin(b)) && strings.EqualFold(a.Source, b.Source)
	}
	x, y := primary(a), primary(b)
	if x == nil || y == nil {
		return x == y
	}
	return x.Type == y.Type && sameParams(x.Params, y.Params) && sameNames(x.Columns, y.Columns)
}

func sameParams(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func shardingText(t *vschema.Table) string {
	switch {
	case t == nil:
		return "nothing"
	case t.Type == vschema.TableSharded:
		if c := primary(t); c != nil {
			return vindexText(c)
		}
		return "no vindex"
	case t.Source != "":
		return "reference source=" + t.Source
	case t.Type == vschema.TablePinned:
		return fmt.Sprintf("pinned=%x", t.Pinned)
	}
	return t.Type.String()
}

// autoTable shards a table by its primary key, or along with its parent; by no
// key that couldn't be hashed.
func (p *planner) autoTable(def *sqlast.TableDef) *vschema.Table {
	usable := func(columns []string) bool {
		return len(columns) > 0 && def.Column(columns[0]) != nil && refuseColumn(def.Column(columns[0]), "hash") == ""
	}
	var key []string
	if pk := def.PrimaryKey(); pk != nil && usable(pk.Columns()) {
		key = pk.Columns()
	}
	var fks []vschema.ForeignKey
	for _, fk := range def.ForeignKeys {
		// SET NULL would have to move the row if it were placed by this key.
		if fk.RefSchema == "" && usable(fk.Columns) && fk.OnDelete != "SET NULL" && fk.OnUpdate != "SET NULL" {
			fks = append(fks, vschema.ForeignKey{Columns: fk.Columns, RefTable: fk.RefTable, RefColumns: fk.RefColumns})
		}
	}
	t := vschema.AutoTable(def.Name, key, fks, p.vtable)
	if p.o.ForeignKeys == "colocated" || p.o.ForeignKeys == "off" {
		// Living with the parent isn't worth a primary key that nobody keeps.
		if pk := def.PrimaryKey(); pk != nil && p.unkept(def, t, pk) {
			t = vschema.AutoTable(def.Name, key, nil, p.vtable)
		}
	}
	return t
}

// checkVindexes says what keeps the table's columns from being sharding columns.
func (p *planner) checkVindexes(def *sqlast.TableDef, t *vschema.Table) error {
	if !p.keyspace().Sharded {
		return nil
	}
	for i := range t.ColumnVindexes {
		v := &t.ColumnVindexes[i]
		for _, name := range v.Columns {
			c := def.Column(name)
			switch {
			case c == nil:
				return fail(errKeyColumnMissing, "sharding column %q of vindex %s doesn't exist in table %q", name, vindexText(v), def.Name)
			case c.Generated != nil || c.GeneratedText != "":
				return fail(errVSchema, "column %q of table %q is generated and can't be a sharding column: its value isn't known when the row is placed; "+
					"shard by the columns that it is made of", c.Name, def.Name)
			}
			if reason := refuseColumn(c, v.Type); reason != "" {
				return fail(errVSchema, "column %q of table %q can't be a sharding column of vindex %s: %s", c.Name, def.Name, v.Type, reason)
			}
		}
		if v.Vindex == nil {
			continue
		}
		want := 1
		if m, ok := v.Vindex.(vindex.MultiColumn); ok {
			want = m.Columns()
		}
		if want != len(v.Columns) {
			return fail(errVSchema, "vindex %s of table %q takes %d columns, not %d", vindexText(v), def.Name, want, len(v.Columns))
		}
	}
	return nil
}

// refuseColumn says why a vindex can't place rows by the column, or "". Equal
// values must share a shard: values are brought to one form before they are
// hashed, so that only types whose equality has no such form are refused.
func refuseColumn(c *sqlast.ColumnDef, typ string) string {
	if vschema.IsLookupType(typ) || typ == "null" {
		return ""
	}
	switch {
	case c.Type.Class == sqlast.ClassDouble:
		return fmt.Sprintf("%s values that compare equal may differ in their bits; use an integer, DECIMAL or text column", c.Type.Name)
	case c.Type.Class == sqlast.ClassJSON:
		return "JSON values that compare equal may be spelled differently; use a text column"
	case c.Type.Class == sqlast.ClassText && !placeable(c.Type.Collation):
		return fmt.Sprintf("collation %s calls texts equal that can't be folded to one form; use one that ends in _bin or _ci", c.Type.Collation)
	}
	switch typ {
	case "numeric", "reverse_bits", "numeric_static_map":
		if c.Type.Class != sqlast.ClassInt {
			return fmt.Sprintf("it needs an integer column, not %s", c.Type.Name)
		}
	}
	return ""
}

func placeable(collation string) bool {
	lower := strings.ToLower(collation)
	return lower == "" || lower == "binary" || strings.HasSuffix(lower, "_bin") || isCI(lower)
}

// pin is the keyspace ID of a table that lives on one shard, without trailing
// zeros; the first shard's is empty.
func pin(t *vschema.Table) []byte { return bytes.TrimRight(t.Pinned, "\x00") }
