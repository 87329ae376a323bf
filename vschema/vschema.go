package vschema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/vindex"
)

// VSchema is an immutable snapshot of all keyspaces. The zero value has none.
type VSchema struct {
	Keyspaces map[string]*Keyspace
}

// Keyspace is a logical database.
type Keyspace struct {
	Name    string
	Sharded bool
	// Auto is true when no explicit VSchema was given: tables that nobody
	// declared are sharded by AutoTable.
	Auto     bool
	Vindexes map[string]*VindexDef
	// Tables is keyed by lower-case name; use Table to look one up.
	Tables                 map[string]*Table
	ForeignKeyMode         ForeignKeyMode
	RequireExplicitRouting bool
	MultiTenant            *MultiTenantSpec
	// Ranges are the shards that the vindexes are bound to, nil before Bind.
	Ranges []vindex.KeyRange
}

// MultiTenantSpec names the tenant column that Vitess's migrations use. It is
// kept, and means nothing here.
type MultiTenantSpec struct {
	Column string
	Type   string
}

// VindexDef is the definition of a vindex.
type VindexDef struct {
	Type   string
	Params map[string]string
	Owner  string // the table whose writes maintain a lookup vindex
	// Vindex is the built vindex, bound once the keyspace is; nil for lookup
	// types, which the executor runs as queries.
	Vindex vindex.Vindex
}

// ForeignKeyMode says who checks foreign keys.
type ForeignKeyMode uint8

const (
	ForeignKeyUnspecified ForeignKeyMode = iota
	ForeignKeyDisallow
	ForeignKeyUnmanaged
	ForeignKeyManaged
)

var foreignKeyModes = []string{"unspecified", "disallow", "unmanaged", "managed"}

func (m ForeignKeyMode) String() string { return enumName(foreignKeyModes, int(m)) }

// TableType says where the rows of a table live.
type TableType uint8

const (
	TableSharded   TableType = iota // by its primary vindex
	TableSequence                   // one row that hands out numbers
	TableReference                  // a copy on every shard
	TablePinned                     // all on the shard of Pinned
	TableUnsharded                  // all on the first shard
)

var tableTypes = []string{"sharded", "sequence", "reference", "pinned", "unsharded"}

func (t TableType) String() string { return enumName(tableTypes, int(t)) }

func enumName(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}

// Table is one table of a keyspace.
type Table struct {
	Name string
	Type TableType
	// ColumnVindexes has the primary vindex first; empty unless TableSharded.
	ColumnVindexes []ColumnVindex
	AutoIncrement  *AutoIncrement
	Columns        []Column
	// ColumnListAuthoritative says that Columns lists all columns.
	ColumnListAuthoritative bool
	// Pinned is the keyspace ID of the shard of a TablePinned, or of a
	// sequence in a sharded keyspace.
	Pinned []byte
	Source string // "keyspace.table" that a reference table copies
}

// ColumnVindex ties a vindex to columns of a table.
type ColumnVindex struct {
	Name    string
	Type    string
	Columns []string
	Params  map[string]string
	Owner   string
	Vindex  vindex.Vindex // as in VindexDef
}

// AutoIncrement says which sequence fills a column. An empty sequence is the
// one that the gate keeps for the table.
type AutoIncrement struct {
	Column   string
	Sequence string // "sequence" or "keyspace.sequence"
}

// Column is what the VSchema says about a column.
type Column struct {
	Name      string
	Type      string // name of Vitess's query.Type, such as INT64; "" if not given
	Invisible bool
	Default   string
	Collation string
	Size      int
	Scale     int
	NotNull   bool
	Values    []string // of ENUM and SET
}

// New returns a VSchema without keyspaces.
func New() *VSchema { return &VSchema{Keyspaces: map[string]*Keyspace{}} }

// Keyspace returns the keyspace with the name, or nil.
func (v *VSchema) Keyspace(name string) *Keyspace {
	if v == nil {
		return nil
	}
	return v.Keyspaces[name]
}

// WithKeyspace returns a snapshot with the keyspace added or replaced. The
// caller gives ks away. Its vindexes are built if they aren't yet.
func (v *VSchema) WithKeyspace(ks *Keyspace) (*VSchema, error) {
	if ks.Name == "" {
		return nil, &Error{Path: "keyspaces", Reason: "a keyspace needs a name"}
	}
	next := v.clone()
	next.Keyspaces[ks.Name] = ks
	if err := next.finish(ks, false); err != nil {
		return nil, err
	}
	return next, nil
}

// WithoutKeyspace returns a snapshot without the keyspace.
func (v *VSchema) WithoutKeyspace(name string) *VSchema {
	next := v.clone()
	delete(next.Keyspaces, name)
	return next
}

func (v *VSchema) clone() *VSchema {
	next := New()
	if v != nil {
		maps.Copy(next.Keyspaces, v.Keyspaces)
	}
	return next
}

// Bind returns a snapshot in which the keyspace's vindexes know its shards.
// ranges are the shards' key ranges in ascending order and cover everything.
func (v *VSchema) Bind(keyspace string, ranges []vindex.KeyRange) (*VSchema, error) {
	ks := v.Keyspace(keyspace)
	if ks == nil {
		return nil, v.unknownKeyspace(keyspace)
	}
	if err := vindex.CheckRanges(ranges); err != nil {
		return nil, &Error{Path: "keyspaces." + keyspace, Reason: err.Error()}
	}
	bound := ks.clone()
	bound.Ranges = slices.Clone(ranges)
	for name, def := range bound.Vindexes {
		d := *def
		d.Vindex = nil // built anew for the new shards
		bound.Vindexes[name] = &d
	}
	next := v.clone()
	next.Keyspaces[keyspace] = bound
	if err := next.finish(bound, false); err != nil {
		return nil, err
	}
	return next, nil
}

// WithParams returns a snapshot in which vindexes, by name, have other parameters
// beside those they had. Its keyspace isn't bound to shards any more: those that it
// had may be too few for them.
func (v *VSchema) WithParams(keyspace string, params map[string]map[string]string) (*VSchema, error) {
	ks := v.Keyspace(keyspace)
	if ks == nil {
		return nil, v.unknownKeyspace(keyspace)
	}
	next := ks.clone()
	next.Ranges = nil
	for name, def := range next.Vindexes {
		d := *def
		d.Vindex = nil
		if more := params[name]; more != nil {
			d.Params = maps.Clone(more)
			for k, was := range def.Params {
				if _, ok := more[k]; !ok {
					d.Params[k] = was
				}
			}
		}
		next.Vindexes[name] = &d
	}
	out := v.clone()
	out.Keyspaces[keyspace] = next
	if err := out.finish(next, false); err != nil {
		return nil, err
	}
	return out, nil
}

func (v *VSchema) unknownKeyspace(name string) error {
	reason := "unknown keyspace"
	if v != nil {
		if near := vindex.Nearest(name, slices.Sorted(maps.Keys(v.Keyspaces))); near != "" {
			reason += ", did you mean " + near
		}
	}
	return &Error{Path: "keyspaces." + name, Reason: reason}
}

// FindTable looks a table up, in the keyspace if one is named, else in all
// keyspaces that take part in unqualified lookups. Neither found nor an error
// is (nil, nil, nil): the table isn't declared.
func (v *VSchema) FindTable(keyspace, table string) (*Keyspace, *Table, error) {
	if keyspace != "" {
		ks := v.Keyspace(keyspace)
		if ks == nil {
			return nil, nil, v.unknownKeyspace(keyspace)
		}
		return ks, ks.Table(table), nil
	}
	var ks *Keyspace
	var found *Table
	if v == nil {
		return nil, nil, nil
	}
	for _, name := range slices.Sorted(maps.Keys(v.Keyspaces)) {
		k := v.Keyspaces[name]
		t := k.Table(table)
		if t == nil || k.RequireExplicitRouting {
			continue
		}
		if found != nil {
			return nil, nil, fmt.Errorf("ambiguous table %q: it is in keyspaces %s and %s, write keyspace.table", table, ks.Name, name)
		}
		ks, found = k, t
	}
	return ks, found, nil
}

// Table returns the table with the name in any case, or nil. A lower-case name
// costs no allocation.
func (k *Keyspace) Table(name string) *Table {
	if t, ok := k.Tables[name]; ok {
		return t
	}
	return k.Tables[strings.ToLower(name)]
}

func (k *Keyspace) clone() *Keyspace {
	next := *k
	next.Vindexes = maps.Clone(k.Vindexes)
	if next.Vindexes == nil {
		next.Vindexes = map[string]*VindexDef{}
	}
	next.Tables = maps.Clone(k.Tables)
	if next.Tables == nil {
		next.Tables = map[string]*Table{}
	}
	return &next
}

// Primary is the vindex that decides where a row lives, or nil.
func (t *Table) Primary() *ColumnVindex {
	if t == nil || t.Type != TableSharded || len(t.ColumnVindexes) == 0 {
		return nil
	}
	return &t.ColumnVindexes[0]
}

// Column returns what is said about the column with the name in any case, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if strings.EqualFold(t.Columns[i].Name, name) {
			return &t.Columns[i]
		}
	}
	return nil
}

func (t *Table) clone() *Table {
	next := *t
	next.ColumnVindexes = slices.Clone(t.ColumnVindexes)
	return &next
}

// IsLookup says that the vindex is kept in a table.
func (c *ColumnVindex) IsLookup() bool { return IsLookupType(c.Type) }

// OwnedBy says that writes to the table maintain the vindex.
func (c *ColumnVindex) OwnedBy(table string) bool {
	return c.IsLookup() && c.Owner != "" && strings.EqualFold(c.Owner, table)
}

// WriteOnly says that a lookup vindex is maintained, but lacks entries: nothing is
// to be found by it.
func (c *ColumnVindex) WriteOnly() bool { return strings.EqualFold(c.Params["write_only"], "true") }

// Unique says that a value has at most one keyspace ID.
func (c *ColumnVindex) Unique() bool {
	if c.Vindex != nil {
		return c.Vindex.Unique()
	}
	return lookupTypes[c.Type]
}

// Cost ranks the vindex for routing, as vindex.Vindex does.
func (c *ColumnVindex) Cost() int {
	switch {
	case c.Vindex != nil:
		return c.Vindex.Cost()
	case c.Unique():
		return 10
	}
	return 20
}

// Kept says whether entries are made in the table of a lookup vindex; those of the
// unicodeloosemd5 types can be declared, but no more.
func (c *ColumnVindex) Kept() bool {
	return c.IsLookup() && !strings.HasPrefix(c.Type, "lookup_unicodeloosemd5")
}

// lookupTypes holds Vitess's lookup vindex types and whether they are unique.
var lookupTypes = map[string]bool{
	"lookup":                             false,
	"lookup_unique":                      true,
	"lookup_hash":                        false,
	"lookup_hash_unique":                 true,
	"lookup_unicodeloosemd5_hash":        false,
	"lookup_unicodeloosemd5_hash_unique": true,
	"consistent_lookup":                  false,
	"consistent_lookup_unique":           true,
}

// IsLookupType says that a vindex of the type is kept in a table.
func IsLookupType(typ string) bool {
	_, ok := lookupTypes[typ]
	return ok
}

// VindexTypes lists all vindex types, functional and lookup, in order.
func VindexTypes() []string {
	types := append(vindex.Types(), slices.Collect(maps.Keys(lookupTypes))...)
	slices.Sort(types)
	return types
}

// FirstShard is a keyspace ID on the first shard, to which sequences of sharded
// keyspaces are pinned that name no place.
func FirstShard() []byte { return []byte{0} }
