package vschema

import (
	"maps"

	"github.com/vitessdo/vitessdo/vindex"
)

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

func (k *Keyspace) setWriteOnly(name string, writeOnly bool) error {
	def := k.Vindexes[name]
	if def == nil || !IsLookupType(def.Type) {
		return errorAt(k.vindexPath(name), "no such lookup vindex")
	}
	d := *def
	d.Params = maps.Clone(def.Params)
	if writeOnly {
		d.Params["write_only"] = "true"
	} else {
		delete(d.Params, "write_only")
	}
	k.Vindexes[name] = &d
	return nil
}
