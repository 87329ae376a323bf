package schema

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Hidden says whether a table of that name is the gate's own: users neither see
// it nor can name it.
func Hidden(name string) bool { return len(name) > 4 && strings.EqualFold(name[:4], "_vt_") }

// UniqueTable is the name of the hidden table that keeps a table's unique key
// across shards.
func UniqueTable(table, key string) string { return "_vt_unique." + table + "." + key }

// KeyspaceIDColumn is the column of a hidden table that says where the row is
// which has the key; KeyColumn(i) holds the key's column i.
const KeyspaceIDColumn = "keyspace_id"

// KeyColumn names a column of a hidden table.
func KeyColumn(i int) string { return "k" + string(rune('0'+i/10)) + string(rune('0'+i%10)) }

// Unique finds the hidden table that keeps a unique key across shards; nil when
// the shards keep the key by themselves, or nobody does.
func (s *Schema) Unique(ks, table string, key *sqlast.IndexDef) *sqlast.TableDef {
	if key.Kind != sqlast.IndexPrimary && key.Kind != sqlast.IndexUnique {
		return nil
	}
	return s.Table(ks, UniqueTable(table, key.Name))
}

// HiddenTables lists a keyspace's hidden tables by name.
func (s *Schema) HiddenTables(ks string) []*sqlast.TableDef {
	k := s.keyspaces[ks]
	if k == nil {
		return nil
	}
	return slices.DeleteFunc(sortedValues(k.tables), func(t *sqlast.TableDef) bool { return !Hidden(t.Name) })
}
