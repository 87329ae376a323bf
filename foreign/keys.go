package foreign

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// Key is a foreign key with both its tables.
type Key struct {
	*sqlast.ForeignKeyDef
	Keyspace string           // of the child
	Table    *sqlast.TableDef // the child, which has the key
	Parent   *sqlast.TableDef // nil: the table isn't there
	// Gate says why the gate keeps the key; "": the shards do. Crossing: it is
	// because a row and its parent may live on different shards.
	Gate     string
	Crossing bool
}

// Delete is what becomes of children whose parent goes: CASCADE, SET NULL,
// SET DEFAULT, or "" where it must not go.
func (k *Key) Delete() string { return action(k.OnDelete) }

// Update is what becomes of children whose parent's key changes, as Delete.
func (k *Key) Update() string { return action(k.OnUpdate) }

// action takes RESTRICT for what it is in MySQL: the same as NO ACTION, and as
// nothing said.
func action(s string) string {
	if s == "RESTRICT" || s == "NO ACTION" {
		return ""
	}
	return s
}

// ParentKeyspace is the keyspace of the table that the key refers to.
func (k *Key) ParentKeyspace() string { return cmp.Or(k.RefSchema, k.Keyspace) }

// Self says whether the key refers to its own table.
func (k *Key) Self() bool { return k.Table == k.Parent }

// String writes the key as MySQL's messages do.
func (k *Key) String() string {
	parent := quote(k.RefTable)
	if k.RefSchema != "" {
		parent = quote(k.RefSchema) + "." + parent
	}
	s := "CONSTRAINT " + quote(k.Name) + " FOREIGN KEY (" + quoted(k.Columns) + ") REFERENCES " + parent + " (" + quoted(k.RefColumns) + ")"
	if k.OnDelete != "" && k.OnDelete != "RESTRICT" {
		s += " ON DELETE " + k.OnDelete
	}
	if k.OnUpdate != "" && k.OnUpdate != "RESTRICT" {
		s += " ON UPDATE " + k.OnUpdate
	}
	return s
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quote(n)
	}
	return strings.Join(out, ", ")
}

// Failed is MySQL's message for a row that violates the key: a child without a
// parent or, with parent, a parent that still has children.
func (k *Key) Failed(parent bool) string {
	what := "Cannot add or update a child row"
	if parent {
		what = "Cannot delete or update a parent row"
	}
	return what + ": a foreign key constraint fails (" + quote(k.Keyspace) + "." + quote(k.Table.Name) + ", " + k.String() + ")"
}

// Keys holds the foreign keys of a schema. It is immutable.
type Keys struct {
	of map[tableName][]*Key
	to map[tableName][]*Key
}

// tableName is a keyspace and a table's name in lower case.
type tableName struct{ keyspace, name string }

func named(keyspace, name string) tableName { return tableName{keyspace, strings.ToLower(name)} }

// Of lists the keys that the table has.
func (k *Keys) Of(keyspace, table string) []*Key { return k.of[named(keyspace, table)] }

// To lists the keys that refer to the table, its own ones among them.
func (k *Keys) To(keyspace, table string) []*Key { return k.to[named(keyspace, table)] }

// Colocated leaves out the keys that cross shards: what is kept when only keys of
// co-located tables are.
func (k *Keys) Colocated() *Keys {
	return &Keys{of: colocated(k.of), to: colocated(k.to)}
}

func colocated(m map[tableName][]*Key) map[tableName][]*Key {
	out := map[tableName][]*Key{}
	for name, keys := range m {
		for _, key := range keys {
			if !key.Crossing {
				out[name] = append(out[name], key)
			}
		}
	}
	return out
}

// Skipped names the table's keys that the gate keeps: those that the shards'
// own table is made without.
func (k *Keys) Skipped(keyspace, table string) []string {
	var out []string
	for _, key := range k.Of(keyspace, table) {
		if key.Gate != "" {
			out = append(out, key.Name)
		}
	}
	return out
}

// Same says whether the keys of a keyspace's tables, and to them, are those of
// other, and kept by the same: then what is planned for that keyspace with the one
// is right with the other.
func (k *Keys) Same(other *Keys, keyspace string) bool {
	return maps.EqualFunc(within(k.of, keyspace), within(other.of, keyspace), sameKeys) &&
		maps.EqualFunc(within(k.to, keyspace), within(other.to, keyspace), sameKeys)
}

func within(m map[tableName][]*Key, keyspace string) map[tableName][]*Key {
	out := map[tableName][]*Key{}
	for name, keys := range m {
		if name.keyspace == keyspace {
			out[name] = keys
		}
	}
	return out
}

func sameKeys(a, b []*Key) bool {
	return slices.EqualFunc(a, b, func(x, y *Key) bool {
		return x.Keyspace == y.Keyspace && x.Table.Name == y.Table.Name && x.String() == y.String() &&
			(x.Parent == nil) == (y.Parent == nil) && (x.Gate == "") == (y.Gate == "") && x.Crossing == y.Crossing
	})
}

// Shards is what a keyspace's keys depend on beside the schema.
type Shards struct {
	Number int
	// Bound says that their engine can't leave foreign keys unchecked, without which
	// no table could be made anew that others refer to.
	Bound bool
}

// Of finds a schema's foreign keys and who keeps them. shards tells of a keyspace's
// shards.
func Of(s *schema.Schema, v *vschema.VSchema, shards func(keyspace string) Shards) *Keys {
	k := &Keys{of: map[tableName][]*Key{}, to: map[tableName][]*Key{}}
	var all []*Key
	for _, ks := range s.Keyspaces() {
		vks := v.Keyspaces[ks]
		for _, t := range s.Tables(ks) {
			for _, fk := range t.ForeignKeys {
				key := &Key{ForeignKeyDef: fk, Keyspace: ks, Table: t}
				key.Parent = s.Table(key.ParentKeyspace(), fk.RefTable)
				at := shards(ks)
				key.Gate = crossing(key, vks, at.Number)
				key.Crossing = key.Gate != ""
				switch {
				case key.Gate != "" || key.Self() && replicated(vks, t.Name):
				case key.Self():
					key.Gate = "rows of one statement may be each other's parents, whatever their order"
				case at.Bound:
					key.Gate = "the shards' engine can't leave foreign keys unchecked, so that its tables have none"
				}
				all = append(all, key)
				k.of[named(ks, t.Name)] = append(k.of[named(ks, t.Name)], key)
				parent := named(key.ParentKeyspace(), fk.RefTable)
				k.to[parent] = append(k.to[parent], key)
			}
		}
	}
	k.settle(all, s, v)
	return k
}

// settle hands keys over to the gate until none is left of which the engine
// would hide something.
func (k *Keys) settle(all []*Key, s *schema.Schema, v *vschema.VSchema) {
	for changed := true; changed; {
		changed = false
		for _, key := range all {
			if key.Gate != "" {
				continue
			}
			key.Gate = k.hidden(key, s, v)
			if key.Gate == "" {
				key.Gate = k.overtaken(key)
			}
			changed = changed || key.Gate != ""
		}
	}
}

// hidden says what the gate would miss if the engine ran the key's actions.
func (k *Keys) hidden(key *Key, s *schema.Schema, v *vschema.VSchema) string {
	gone := key.Delete() == "CASCADE"
	var set []string
	if d := key.Delete(); d != "" && d != "CASCADE" || key.Update() != "" {
		set = key.Columns
	}
	if !gone && set == nil {
		return ""
	}
	name := key.Table.Name
	for _, x := range key.Table.Indexes {
		if s.Unique(key.Keyspace, name, x) != nil && (gone || overlap(key.Table.GivenByKey(x), set)) {
			return "its action changes rows of table " + quote(name) + ", whose unique key " + quote(x.Name) + " the gate keeps"
		}
	}
	for _, cv := range vindexes(v, key.Keyspace, name) {
		if cv.OwnedBy(name) && (gone || overlap(cv.Columns, set)) {
			return "its action changes rows of table " + quote(name) + ", whose lookup vindex " + quote(cv.Name) + " the gate keeps"
		}
	}
	for _, c := range v.Copies(key.Keyspace, name) {
		return "its action changes rows of table " + quote(name) + ", whose copy " + quote(c.Keyspace) + "." + quote(c.Table.Name) + " the gate keeps"
	}
	for _, below := range k.To(key.Keyspace, name) {
		if below.Gate != "" && below != key && (gone || overlap(below.RefColumns, set)) {
			return "its action changes rows of table " + quote(name) + ", whose children of foreign key " + quote(below.Name) + " live on other shards"
		}
	}
	for _, beside := range k.Of(key.Keyspace, name) {
		if beside.Gate != "" && beside != key && overlap(beside.Columns, set) {
			return "its action changes columns of foreign key " + quote(beside.Name) + ", which the gate keeps"
		}
	}
	return ""
}

func vindexes(v *vschema.VSchema, keyspace, table string) []vschema.ColumnVindex {
	if ks := v.Keyspace(keyspace); ks != nil {
		if t := ks.Table(table); t != nil {
			return t.ColumnVindexes
		}
	}
	return nil
}

// overtaken says by which other way the gate may remove or change the children
// of a key that forbids its parent to go: the engine, asked about the parent
// first, would still see them.
func (k *Keys) overtaken(key *Key) string {
	if key.Delete() != "" && key.Update() != "" {
		return ""
	}
	for _, first := range k.To(key.Keyspace, key.RefTable) {
		if first.Gate != "" && first != key && first.acts() && k.reaches(first, key.Table, map[*sqlast.TableDef]bool{}) {
			return "the gate changes its children by foreign key " + quote(first.Name)
		}
	}
	return ""
}

func (k *Key) acts() bool { return k.Delete() != "" || k.Update() != "" }

// reaches says whether actions of foreign keys lead from one key's child to
// another table.
func (k *Keys) reaches(from *Key, to *sqlast.TableDef, seen map[*sqlast.TableDef]bool) bool {
	if from.Table == to {
		return true
	}
	if seen[from.Table] {
		return false
	}
	seen[from.Table] = true
	for _, key := range k.To(from.Keyspace, from.Table.Name) {
		if key.acts() && k.reaches(key, to, seen) {
			return true
		}
	}
	return false
}

func overlap(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if strings.EqualFold(x, y) {
				return true
			}
		}
	}
	return false
}

// Unique says whether a primary or unique key is on exactly these columns, as
// those must have that a foreign key refers to.
func Unique(def *sqlast.TableDef, columns []string) bool {
	for _, x := range def.Indexes {
		if x.Kind != sqlast.IndexPrimary && x.Kind != sqlast.IndexUnique || len(x.Parts) != len(columns) {
			continue
		}
		same := true
		for _, p := range x.Parts {
			same = same && p.Column != "" && p.Length <= 0 && overlap(columns, []string{p.Column})
		}
		if same {
			return true
		}
	}
	return false
}
