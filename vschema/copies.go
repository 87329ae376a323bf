package vschema

import (
	"maps"
	"slices"
	"strings"
)

// Copy is a reference table with the keyspace that it is in.
type Copy struct {
	Keyspace string
	Table    *Table
}

// Origin gives the table that a reference table copies; false for any other table,
// also nil.
func (t *Table) Origin() (keyspace, table string, ok bool) {
	if t == nil || t.Source == "" {
		return "", "", false
	}
	return strings.Cut(t.Source, ".")
}

// Copies lists the reference tables of other keyspaces that copy a table, in the
// order of their keyspaces.
func (v *VSchema) Copies(keyspace, table string) []Copy {
	if v == nil || len(v.Keyspaces) < 2 {
		return nil
	}
	var out []Copy
	for _, ks := range slices.Sorted(maps.Keys(v.Keyspaces)) {
		for _, t := range v.Keyspaces[ks].Tables {
			if from, name, ok := t.Origin(); ok && from == keyspace && strings.EqualFold(name, table) {
				out = append(out, Copy{ks, t}) // a keyspace has one copy at most
			}
		}
	}
	return out
}
