package vschema

import "github.com/vitessdo/vitessdo/vindex"

// KeyTable says where the rows of a hidden table live that is spread by the
// columns of a key, all of them together; without columns on the first shard.
func KeyTable(name string, columns []string) *Table {
	if len(columns) == 0 {
		return &Table{Name: name, Type: TableUnsharded}
	}
	cv := ColumnVindex{Name: "hash", Type: "hash", Columns: columns, Vindex: hash}
	if len(columns) > 1 {
		v := vindex.NewKeyHash(len(columns))
		cv.Name, cv.Type, cv.Vindex = v.Type(), v.Type(), v
	}
	return &Table{Name: name, Type: TableSharded, ColumnVindexes: []ColumnVindex{cv}}
}
