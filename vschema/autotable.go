package vschema

import (
	"strings"

	"github.com/vitessdo/vitessdo/vindex"
)

// ForeignKey is a foreign key as the table's DDL declares it.
type ForeignKey struct {
	Columns    []string
	RefTable   string
	RefColumns []string
}

// hash is what auto mode shards by; it has no parameters and no state.
var hash = func() vindex.Vindex {
	v, err := vindex.New("hash", "hash", nil)
	if err != nil {
		panic(err) // the type is built in
	}
	return v
}()

// AutoTable decides how a table is sharded that no VSchema declares.
//
// A foreign key to a sharded table's sharding key co-locates the table with its
// parent: it gets the parent's primary vindex over the referencing columns.
// Among several such keys one inside the primary key wins, then the first.
// Otherwise the table is hashed by its primary key's first column. A table
// without a usable key is TableUnsharded.
//
// lookup finds tables declared before, and may return nil. Change SetTable
// enters the result into a keyspace.
func AutoTable(name string, primaryKey []string, foreignKeys []ForeignKey, lookup func(table string) *Table) *Table {
	t := &Table{Name: name, Type: TableSharded}
	var best *ColumnVindex
	for _, fk := range foreignKeys {
		if strings.EqualFold(fk.RefTable, name) || lookup == nil {
			continue // a row can't be asked for its own place
		}
		cv := colocate(fk, lookup(fk.RefTable).Primary())
		if cv == nil {
			continue
		}
		if containsAll(primaryKey, cv.Columns) {
			best = cv
			break
		}
		if best == nil {
			best = cv
		}
	}
	switch {
	case best != nil:
		t.ColumnVindexes = []ColumnVindex{*best}
	case len(primaryKey) > 0:
		t.ColumnVindexes = []ColumnVindex{{Name: "hash", Type: "hash", Columns: primaryKey[:1:1], Vindex: hash}}
	default:
		t.Type = TableUnsharded
	}
	return t
}

// colocate gives the parent's primary vindex over the columns that reference
// its columns, nil when the foreign key doesn't cover them.
func colocate(fk ForeignKey, parent *ColumnVindex) *ColumnVindex {
	if parent == nil || len(fk.Columns) != len(fk.RefColumns) {
		return nil
	}
	cv := *parent
	cv.Columns = nil
	for _, want := range parent.Columns {
		for i, ref := range fk.RefColumns {
			if strings.EqualFold(ref, want) {
				cv.Columns = append(cv.Columns, fk.Columns[i])
				break
			}
		}
	}
	if len(cv.Columns) != len(parent.Columns) {
		return nil
	}
	return &cv
}

func containsAll(list, names []string) bool {
	for _, n := range names {
		found := false
		for _, l := range list {
			found = found || strings.EqualFold(l, n)
		}
		if !found {
			return false
		}
	}
	return true
}
