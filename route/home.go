package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

// homeOf says where the rows of a table of a keyspace are: everywhere, on one
// shard, or spread by its primary vindex. vt is nil for a table that the VSchema
// doesn't have.
func homeOf(vt *vschema.Table, m *ShardMap) (placeKind, Destination) {
	switch {
	case vt != nil && vt.Type == vschema.TableReference:
		return placeAny, Destination{}
	case vt == nil || len(m.Names) == 1 || vt.Type == vschema.TableUnsharded || vt.Type == vschema.TableSequence && vt.Pinned == nil:
		return placeFixed, Destination{Kind: DestFirst}
	case vt.Type == vschema.TablePinned, vt.Type == vschema.TableSequence:
		return placeFixed, Destination{Kind: DestShard, Shard: max(0, vindex.Locate(m.Ranges, vt.Pinned))}
	}
	return placeGroup, Destination{}
}

// Home is where a table's rows are kept, for those who move them.
type Home struct {
	Everywhere bool     // every shard has all
	Shard      int      // that one has all, unless Row is set
	Row        *RowDest // each row by itself, given its columns as HomeOf was told
}

// HomeOf says where the rows of a table are kept whose columns come in that order.
// vt is what the VSchema, bound to the shards of m, says of the table.
func HomeOf(vt *vschema.Table, def *sqlast.TableDef, m *ShardMap, columns []string) Home {
	kind, dest := homeOf(vt, m)
	switch kind {
	case placeAny:
		return Home{Everywhere: true}
	case placeFixed:
		return Home{Shard: dest.Shard}
	}
	return Home{Row: rowDest(vt.Primary(), def, columns)}
}

func rowDest(v *vschema.ColumnVindex, def *sqlast.TableDef, columns []string) *RowDest {
	d := &RowDest{Vindex: v.Vindex, Table: def.Name}
	for _, name := range v.Columns {
		d.Ordinal = append(d.Ordinal, slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, name) }))
		d.Columns = append(d.Columns, ColumnOf(def.Column(name).Type))
	}
	return d
}

// Of gives the shard that keeps a row; -1 for every one.
func (h *Home) Of(m *ShardMap, row []any, b *Scratch) (int, error) {
	switch {
	case h.Everywhere:
		return -1, nil
	case h.Row == nil:
		return h.Shard, nil
	}
	return h.Row.ShardOf(m, row, b)
}

// KeyFill makes the entries of a unique key's hidden table of the rows that are
// there: for each row of the table whose key has no NULL the key's columns and the
// row's keyspace ID.
type KeyFill struct {
	Table, Hidden *sqlast.TableDef
	Key           *sqlast.IndexDef
	// Read are expressions over a row of the table, in the words of the shards'
	// engine: first the key's, Keys of them, then the columns that place the row.
	// Where picks the rows that have an entry.
	Read  []string
	Keys  int
	Where string
	Row   *RowDest // of what was read
	Home  Home     // of entries, in the order of the hidden table's columns
}

// FillKey plans that. pv places the table's rows; m are the keyspace's shards.
func FillKey(table, hidden *sqlast.TableDef, key *sqlast.IndexDef, pv *vschema.ColumnVindex, m *ShardMap, print dialect.Printer) (*KeyFill, error) {
	f := &KeyFill{Table: table, Hidden: hidden, Key: key, Keys: len(key.Parts)}
	var notNull []string
	for i := range key.Parts {
		text, err := print.KeyPart(table, key, i)
		if err != nil {
			return nil, err
		}
		f.Read, notNull = append(f.Read, text), append(notNull, text+" IS NOT NULL")
	}
	f.Where = strings.Join(notNull, " AND ")
	columns := make([]string, f.Keys, f.Keys+len(pv.Columns))
	for _, name := range pv.Columns {
		f.Read, columns = append(f.Read, `"`+strings.ReplaceAll(name, `"`, `""`)+`"`), append(columns, name)
	}
	f.Row = rowDest(pv, table, columns)
	entry := make([]string, len(hidden.Columns))
	for i, c := range hidden.Columns {
		entry[i] = c.Name
	}
	f.Home = HomeOf(vschema.KeyTable(hidden.Name, hidden.PartitionKey), hidden, m, entry)
	return f, nil
}
