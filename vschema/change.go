package vschema

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/vindex"
)

// Op is the kind of a Change.
type Op uint8

// The operations of ALTER VSCHEMA, with the fields of Change that they use.
const (
	// CreateVindex: Vindex, Type, Params, Owner.
	CreateVindex Op = iota + 1
	// DropVindex: Vindex.
	DropVindex
	// AddTable: Table. For unsharded keyspaces, as in Vitess.
	AddTable
	// DropTable: Table.
	DropTable
	// AddColumnVindex: Table, Vindex, Columns; with Type, Params and Owner the
	// vindex is created unless it exists alike. The table is added if need be.
	AddColumnVindex
	// DropColumnVindex: Table, Vindex. A table without vindexes is dropped.
	DropColumnVindex
	// AddSequence: Table; in a sharded keyspace pinned to Pinned or, without it,
	// to the first shard.
	AddSequence
	// DropSequence: Table.
	DropSequence
	// AddAutoIncrement: Table, Column, Sequence ("" is the gate's own).
	AddAutoIncrement
	// DropAutoIncrement: Table.
	DropAutoIncrement
	// SetTable declares Declare whole, replacing what was said before. Its
	// column vindexes may leave Name empty: a fitting definition is found or
	// made from Type and Params.
	SetTable
	// RenameTable: Table, NewName.
	RenameTable
	// SetWriteOnly: Vindex, WriteOnly; of a lookup vindex.
	SetWriteOnly
)

// Change is one step of ALTER VSCHEMA, or of a table's DDL.
type Change struct {
	Op       Op
	Table    string
	Vindex   string
	Type     string
	Params   map[string]string
	Owner    string
	Columns  []string
	Column   string
	Sequence string
	Pinned   []byte
	NewName  string
	Declare  *Table
	// WriteOnly: the vindex is maintained, and not used to find rows.
	WriteOnly bool
}

// Apply returns a snapshot in which the keyspace is changed; v stays as it is.
// The error is an *Error that names what stands in the way.
func (v *VSchema) Apply(keyspace string, c Change) (*VSchema, error) {
	old := v.Keyspace(keyspace)
	if old == nil {
		return nil, v.unknownKeyspace(keyspace)
	}
	ks := old.clone()
	next := v.clone()
	next.Keyspaces[keyspace] = ks
	if err := next.change(ks, c); err != nil {
		return nil, err
	}
	if err := next.finish(ks, false); err != nil {
		return nil, err
	}
	return next, nil
}

func (v *VSchema) change(ks *Keyspace, c Change) error {
	switch c.Op {
	case CreateVindex:
		return ks.createVindex(c)
	case DropVindex:
		return ks.dropVindex(c.Vindex)
	case AddTable:
		return ks.addTable(c)
	case DropTable:
		return ks.dropTable(c.Table)
	case AddColumnVindex:
		return ks.addColumnVindex(c)
	case DropColumnVindex:
		return ks.dropColumnVindex(c)
	case AddSequence:
		if ks.Sharded && c.Pinned == nil {
			c.Pinned = FirstShard()
		}
		return ks.addNew(&Table{Name: c.Table, Type: TableSequence, Pinned: c.Pinned})
	case DropSequence:
		return v.dropSequence(ks, c.Table)
	case AddAutoIncrement:
		return v.addAutoIncrement(ks, c)
	case DropAutoIncrement:
		return ks.dropAutoIncrement(c.Table)
	case SetTable:
		return ks.setTable(c.Declare)
	case RenameTable:
		return ks.renameTable(c.Table, c.NewName)
	case SetWriteOnly:
		return ks.setWriteOnly(c.Vindex, c.WriteOnly)
	}
	return errorAt("keyspaces."+ks.Name, "unknown change %d", c.Op)
}

func (k *Keyspace) tablePath(name string) string { return "keyspaces." + k.Name + ".tables." + name }

func (k *Keyspace) vindexPath(name string) string {
	return "keyspaces." + k.Name + ".vindexes." + name
}

func (k *Keyspace) createVindex(c Change) error {
	if _, exists := k.Vindexes[c.Vindex]; exists {
		return errorAt(k.vindexPath(c.Vindex), "vindex exists already")
	}
	if !k.Sharded {
		return errorAt(k.vindexPath(c.Vindex), "keyspace %s is not sharded, it has no vindexes", k.Name)
	}
	k.Vindexes[c.Vindex] = &VindexDef{Type: c.Type, Params: maps.Clone(c.Params), Owner: c.Owner}
	return nil
}

func (k *Keyspace) dropVindex(name string) error {
	if k.Vindexes[name] == nil {
		return errorAt(k.vindexPath(name), "no such vindex%s", nearestOf(name, maps.Keys(k.Vindexes)))
	}
	for _, key := range slices.Sorted(maps.Keys(k.Tables)) {
		for _, cv := range k.Tables[key].ColumnVindexes {
			if cv.Name == name {
				return errorAt(k.vindexPath(name), "table %s uses the vindex, drop it there first", k.Tables[key].Name)
			}
		}
	}
	delete(k.Vindexes, name)
	return nil
}

// lookup returns a copy of the table to change, entered in the keyspace.
func (k *Keyspace) lookup(name string) (*Table, error) {
	t := k.Table(name)
	if t == nil {
		var names []string
		for _, t := range k.Tables {
			names = append(names, t.Name)
		}
		return nil, errorAt(k.tablePath(name), "no such table%s", nearestOf(name, slices.Values(names)))
	}
	t = t.clone()
	k.Tables[strings.ToLower(name)] = t
	return t, nil
}

func (k *Keyspace) addNew(t *Table) error {
	if other := k.Table(t.Name); other != nil {
		return errorAt(k.tablePath(t.Name), "table exists already")
	}
	k.Tables[strings.ToLower(t.Name)] = t
	return nil
}

func (k *Keyspace) addTable(c Change) error {
	if k.Sharded {
		return errorAt(k.tablePath(c.Table), "a table of the sharded keyspace %s needs a vindex, use ALTER VSCHEMA ON %s ADD VINDEX", k.Name, c.Table)
	}
	return k.addNew(&Table{Name: c.Table, Type: TableUnsharded})
}

func (k *Keyspace) dropTable(name string) error {
	if _, err := k.lookup(name); err != nil {
		return err
	}
	delete(k.Tables, strings.ToLower(name))
	return nil
}

func (k *Keyspace) addColumnVindex(c Change) error {
	if !k.Sharded {
		return errorAt(k.tablePath(c.Table), "keyspace %s is not sharded, its tables have no vindexes", k.Name)
	}
	def := k.Vindexes[c.Vindex]
	switch {
	case def == nil && c.Type == "":
		return errorAt(k.vindexPath(c.Vindex), "no such vindex%s, name its type with USING to create it", nearestOf(c.Vindex, maps.Keys(k.Vindexes)))
	case def == nil:
		k.Vindexes[c.Vindex] = &VindexDef{Type: c.Type, Params: maps.Clone(c.Params), Owner: c.Owner}
	case c.Type != "" && (def.Type != c.Type || def.Owner != c.Owner || !maps.Equal(def.Params, c.Params)):
		return errorAt(k.vindexPath(c.Vindex), "vindex exists already with another type, owner or parameters")
	}
	t := k.Table(c.Table)
	if t == nil {
		t = &Table{Name: c.Table}
	}
	t = t.clone()
	if t.Type != TableSharded {
		return errorAt(k.tablePath(t.Name), "a %s table has no vindexes", t.Type)
	}
	for _, cv := range t.ColumnVindexes {
		if cv.Name == c.Vindex {
			return errorAt(k.tablePath(t.Name), "the table has vindex %q already", c.Vindex)
		}
	}
	t.ColumnVindexes = append(t.ColumnVindexes, ColumnVindex{Name: c.Vindex, Columns: slices.Clone(c.Columns)})
	k.Tables[strings.ToLower(t.Name)] = t
	return nil
}

func (k *Keyspace) dropColumnVindex(c Change) error {
	t, err := k.lookup(c.Table)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(t.ColumnVindexes, func(cv ColumnVindex) bool { return cv.Name == c.Vindex })
	if i < 0 {
		return errorAt(k.tablePath(t.Name), "the table has no vindex %q", c.Vindex)
	}
	t.ColumnVindexes = slices.Delete(t.ColumnVindexes, i, i+1)
	if len(t.ColumnVindexes) == 0 {
		delete(k.Tables, strings.ToLower(t.Name))
	}
	return nil
}

func (v *VSchema) dropSequence(ks *Keyspace, name string) error {
	seq, err := ks.lookup(name)
	if err != nil {
		return err
	}
	if seq.Type != TableSequence {
		return errorAt(ks.tablePath(name), "the table is no sequence")
	}
	for _, kn := range slices.Sorted(maps.Keys(v.Keyspaces)) {
		k := v.Keyspaces[kn]
		for _, tn := range slices.Sorted(maps.Keys(k.Tables)) {
			a := k.Tables[tn].AutoIncrement
			if a == nil || a.Sequence == "" {
				continue
			}
			if used, _ := v.findSequence(k, a.Sequence); used == seq {
				return errorAt(ks.tablePath(name), "table %s.%s takes its %s from the sequence, drop the auto_increment there first", kn, k.Tables[tn].Name, a.Column)
			}
		}
	}
	delete(ks.Tables, strings.ToLower(name))
	return nil
}

func (v *VSchema) addAutoIncrement(ks *Keyspace, c Change) error {
	t, err := ks.lookup(c.Table)
	if err != nil {
		return err
	}
	if t.AutoIncrement != nil {
		return errorAt(ks.tablePath(t.Name), "the table has an auto_increment on %s already", t.AutoIncrement.Column)
	}
	if c.Sequence != "" {
		if seq, _ := v.findSequence(ks, c.Sequence); seq == nil {
			return errorAt(ks.tablePath(t.Name)+".auto_increment.sequence", "sequence %q does not exist", c.Sequence)
		}
	}
	t.AutoIncrement = &AutoIncrement{Column: c.Column, Sequence: c.Sequence}
	return nil
}

func (k *Keyspace) dropAutoIncrement(table string) error {
	t, err := k.lookup(table)
	if err != nil {
		return err
	}
	if t.AutoIncrement == nil {
		return errorAt(k.tablePath(t.Name), "the table has no auto_increment")
	}
	t.AutoIncrement = nil
	return nil
}

func (k *Keyspace) setTable(declared *Table) error {
	if declared == nil {
		return errorAt("keyspaces."+k.Name, "no table to declare")
	}
	t := declared.clone()
	if !k.Sharded && t.Type == TableSharded && len(t.ColumnVindexes) == 0 {
		t.Type = TableUnsharded
	}
	for i := range t.ColumnVindexes {
		cv := &t.ColumnVindexes[i]
		if cv.IsLookup() && cv.Owner == "" {
			cv.Owner = t.Name
		}
		if err := k.nameVindex(t, cv); err != nil {
			return err
		}
	}
	k.Tables[strings.ToLower(t.Name)] = t
	return nil
}

// nameVindex finds the definition that a declared column vindex means, or
// makes one: named as asked, or else by the type, then by table and column.
func (k *Keyspace) nameVindex(t *Table, cv *ColumnVindex) error {
	def := &VindexDef{Type: cv.Type, Params: maps.Clone(cv.Params), Owner: cv.Owner}
	same := func(name string) bool {
		d := k.Vindexes[name]
		return d != nil && d.Type == def.Type && d.Owner == def.Owner && maps.Equal(d.Params, def.Params)
	}
	if cv.Type == "" {
		return nil // by name alone; tieVindexes checks it
	}
	asked := cv.Name
	if asked == "" && !cv.IsLookup() {
		asked = cv.Type
	}
	qualified := strings.ToLower(t.Name + "_" + strings.Join(append(slices.Clone(cv.Columns), cv.Type), "_"))
	for i := 1; ; i++ {
		for _, name := range []string{asked, qualified} {
			if name == "" {
				continue
			}
			if k.Vindexes[name] == nil {
				k.Vindexes[name] = def
			}
			if same(name) {
				cv.Name = name
				return nil
			}
		}
		asked = ""
		qualified += "_" + strconv.Itoa(i)
	}
}

func (k *Keyspace) renameTable(from, to string) error {
	t, err := k.lookup(from)
	if err != nil {
		return err
	}
	if other := k.Table(to); other != nil && !strings.EqualFold(from, to) {
		return errorAt(k.tablePath(to), "table exists already")
	}
	delete(k.Tables, strings.ToLower(from))
	t.Name = to
	k.Tables[strings.ToLower(to)] = t
	// Vindexes that the table owns follow it.
	for name, def := range k.Vindexes {
		if def.Owner != "" && strings.EqualFold(def.Owner, from) {
			d := *def
			d.Owner = to
			k.Vindexes[name] = &d
		}
	}
	return nil
}

func nearestOf(name string, names func(func(string) bool)) string {
	if near := vindex.Nearest(name, slices.Sorted(names)); near != "" {
		return ", did you mean " + near
	}
	return ""
}
