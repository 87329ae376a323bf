package vschema

import (
	"maps"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/vindex"
)

// finish builds the keyspace's vindexes, ties them to its tables and checks
// all rules. strict also wants everything that other keyspaces are named for
// to be there, as in a VSchema that is complete.
func (v *VSchema) finish(ks *Keyspace, strict bool) error {
	path := "keyspaces." + ks.Name
	for _, name := range slices.Sorted(maps.Keys(ks.Vindexes)) {
		if err := ks.build(name, path+".vindexes."+name); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(ks.Tables)) {
		t := ks.Tables[key].clone()
		ks.Tables[key] = t
		at := path + ".tables." + t.Name
		if err := ks.tieVindexes(t, at); err != nil {
			return err
		}
		if err := ks.checkTable(t, at); err != nil {
			return err
		}
		if err := v.checkAutoIncrement(ks, t, at, strict); err != nil {
			return err
		}
	}
	return v.checkSources(ks, path, strict)
}

func (k *Keyspace) build(name, path string) error {
	def := k.Vindexes[name]
	if name == "" {
		return errorAt(path, "a vindex needs a name")
	}
	if IsLookupType(def.Type) || def.Vindex != nil {
		return nil
	}
	vx, err := vindex.New(def.Type, name, def.Params)
	if _, unknown := err.(*vindex.UnknownTypeError); unknown {
		return &Error{Path: path + ".type", Reason: unknownType(def.Type), Err: err}
	}
	if err == nil && k.Ranges != nil {
		if aware, ok := vx.(vindex.TopologyAware); ok {
			vx, err = aware.WithShards(k.Ranges)
		}
	}
	if err != nil {
		return &Error{Path: path, Reason: err.Error(), Err: err}
	}
	built := *def
	built.Vindex = vx
	k.Vindexes[name] = &built
	return nil
}

// unknownType looks for the nearest among functional and lookup types.
func unknownType(typ string) string {
	if near := vindex.Nearest(typ, VindexTypes()); near != "" {
		return "unknown vindex type " + quote(typ) + ", did you mean " + quote(near)
	}
	return "unknown vindex type " + quote(typ) + ", known types are " + strings.Join(VindexTypes(), ", ")
}

// tieVindexes copies the definitions into the table's column vindexes.
func (k *Keyspace) tieVindexes(t *Table, path string) error {
	for i := range t.ColumnVindexes {
		cv := &t.ColumnVindexes[i]
		def := k.Vindexes[cv.Name]
		at := indexed(path+".column_vindexes", i)
		if def == nil {
			if near := vindex.Nearest(cv.Name, slices.Sorted(maps.Keys(k.Vindexes))); near != "" {
				return errorAt(at+".name", "vindex %q is not defined, did you mean %q", cv.Name, near)
			}
			return errorAt(at+".name", "vindex %q is not defined in keyspace %s", cv.Name, k.Name)
		}
		cv.Type, cv.Params, cv.Owner, cv.Vindex = def.Type, def.Params, def.Owner, def.Vindex
		if err := checkColumns(cv, at); err != nil {
			return err
		}
	}
	return nil
}

func checkColumns(cv *ColumnVindex, at string) error {
	seen := map[string]bool{}
	for _, c := range cv.Columns {
		if c == "" {
			return errorAt(at+".columns", "a column needs a name")
		}
		if lower := strings.ToLower(c); seen[lower] {
			return errorAt(at+".columns", "column %q stands twice", c)
		} else {
			seen[lower] = true
		}
	}
	want := 1
	switch vx := cv.Vindex.(type) {
	case nil:
		want = max(1, len(cv.Columns)) // a lookup vindex takes any number
	case vindex.MultiColumn:
		want = vx.Columns()
	}
	if len(cv.Columns) != want {
		return errorAt(at+".columns", "vindex %q of type %s takes %d columns, not %d", cv.Name, cv.Type, want, len(cv.Columns))
	}
	return nil
}

// checkTable holds the rules of Vitess's BuildVSchema, table by table.
func (k *Keyspace) checkTable(t *Table, path string) error {
	if t.Name == "" {
		return errorAt(path, "a table needs a name")
	}
	if err := checkColumnList(t, path); err != nil {
		return err
	}
	if t.Source != "" && t.Type != TableReference {
		return errorAt(path+".source", "only a reference table has a source")
	}
	if !k.Sharded {
		if len(t.ColumnVindexes) > 0 {
			return errorAt(path+".column_vindexes", "keyspace %s is not sharded, its tables have no vindexes", k.Name)
		}
		if len(t.Pinned) > 0 {
			return errorAt(path+".pinned", "keyspace %s is not sharded, there is nothing to pin to", k.Name)
		}
		return nil
	}
	switch t.Type {
	case TableSequence:
		if len(t.Pinned) == 0 {
			return errorAt(path, "a sequence table must be in an unsharded keyspace or be pinned")
		}
	case TablePinned:
		if len(t.Pinned) == 0 {
			return errorAt(path+".pinned", "a pinned table needs the keyspace ID of its shard, in hexadecimal")
		}
	case TableSharded:
		return k.checkPrimary(t, path)
	}
	if t.Type != TablePinned && t.Type != TableSequence && len(t.Pinned) > 0 {
		return errorAt(path+".pinned", "a %s table can't be pinned", t.Type)
	}
	if len(t.ColumnVindexes) > 0 {
		return errorAt(path+".column_vindexes", "a %s table has no vindexes", t.Type)
	}
	return nil
}

func (k *Keyspace) checkPrimary(t *Table, path string) error {
	if len(t.ColumnVindexes) == 0 {
		return errorAt(path, "missing primary vindex: a table of a sharded keyspace needs column_vindexes, or the type reference or unsharded, or pinned")
	}
	first := &t.ColumnVindexes[0]
	at := indexed(path+".column_vindexes", 0)
	switch {
	case first.IsLookup():
		return errorAt(at, "vindex %q of type %s can't be the primary vindex: a lookup vindex does not say where a row lives, put a functional one such as hash or xxhash first", first.Name, first.Type)
	case !first.Unique():
		return errorAt(at, "vindex %q of type %s can't be the primary vindex: it is not unique", first.Name, first.Type)
	case first.Owner != "" && strings.EqualFold(first.Owner, t.Name):
		return errorAt(at, "vindex %q can't be the primary vindex: the table owns it", first.Name)
	}
	for i := 1; i < len(t.ColumnVindexes); i++ {
		cv := &t.ColumnVindexes[i]
		if _, multi := cv.Vindex.(vindex.MultiColumn); multi {
			return errorAt(indexed(path+".column_vindexes", i), "vindex %q of type %s takes several columns and must come first", cv.Name, cv.Type)
		}
	}
	return nil
}

func checkColumnList(t *Table, path string) error {
	seen := map[string]bool{}
	for i, c := range t.Columns {
		at := indexed(path+".columns", i)
		if c.Name == "" {
			return errorAt(at, "a column needs a name")
		}
		if lower := strings.ToLower(c.Name); seen[lower] {
			return errorAt(at, "column %q stands twice", c.Name)
		} else {
			seen[lower] = true
		}
	}
	if !t.ColumnListAuthoritative || len(t.Columns) == 0 {
		return nil
	}
	for i, cv := range t.ColumnVindexes {
		for _, c := range cv.Columns {
			if !seen[strings.ToLower(c)] {
				return errorAt(indexed(path+".column_vindexes", i), "column %q is not in the table's columns, which are said to be complete", c)
			}
		}
	}
	return nil
}

func (v *VSchema) checkAutoIncrement(ks *Keyspace, t *Table, path string, strict bool) error {
	auto := t.AutoIncrement
	if auto == nil {
		return nil
	}
	path += ".auto_increment"
	if auto.Column == "" {
		return errorAt(path+".column", "missing, name the column that the sequence fills")
	}
	if auto.Sequence == "" {
		return nil
	}
	seq, known := v.findSequence(ks, auto.Sequence)
	switch {
	case seq == nil && (strict || known):
		return errorAt(path+".sequence", "sequence %q does not exist", auto.Sequence)
	case seq != nil && seq.Type != TableSequence:
		return errorAt(path+".sequence", "table %q is no sequence", auto.Sequence)
	}
	return nil
}

// findSequence resolves "sequence" and "keyspace.sequence". known says that the
// keyspace is part of the VSchema, so that absence is certain.
func (v *VSchema) findSequence(ks *Keyspace, name string) (seq *Table, known bool) {
	if qualifier, table, ok := strings.Cut(name, "."); ok {
		other := v.Keyspaces[qualifier]
		if other == nil {
			return nil, false
		}
		return other.Table(table), true
	}
	if t := ks.Table(name); t != nil {
		return t, true
	}
	for _, k := range slices.Sorted(maps.Keys(v.Keyspaces)) {
		if t := v.Keyspaces[k].Table(name); t != nil {
			return t, true
		}
	}
	return nil, false
}

// checkSources: a reference table copies a table elsewhere, which copies
// nothing itself, and a keyspace has one copy.
func (v *VSchema) checkSources(ks *Keyspace, path string, strict bool) error {
	copies := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(ks.Tables)) {
		t := ks.Tables[key]
		if t.Source == "" {
			continue
		}
		at := path + ".tables." + t.Name + ".source"
		srcKeyspace, srcTable, ok := strings.Cut(t.Source, ".")
		if !ok || srcKeyspace == "" || srcTable == "" || strings.Contains(srcTable, ".") {
			return errorAt(at, "%q must be keyspace.table", t.Source)
		}
		if srcKeyspace == ks.Name {
			return errorAt(at, "%q is in the same keyspace, a reference table copies from another", t.Source)
		}
		id := srcKeyspace + "." + strings.ToLower(srcTable)
		if other, dup := copies[id]; dup {
			return errorAt(at, "table %s copies %q already, a keyspace has one copy", other, t.Source)
		}
		copies[id] = t.Name
		src := v.Keyspaces[srcKeyspace]
		if src == nil {
			if strict {
				return errorAt(at, "keyspace %q does not exist", srcKeyspace)
			}
			continue
		}
		origin := src.Table(srcTable)
		switch {
		case origin == nil && src.Sharded:
			return errorAt(at, "table %q does not exist", t.Source)
		case origin != nil && origin.Source != "":
			return errorAt(at, "%q copies %q itself, name that one", t.Source, origin.Source)
		}
	}
	return nil
}
