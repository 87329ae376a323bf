package foreign

import (
	"bytes"
	"fmt"
	"maps"
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/vschema"
)

// crossing says why a row and its parent may live on different shards, or ""
// when they never do and the shard itself keeps the key.
func crossing(k *Key, ks *vschema.Keyspace, shards int) string {
	if k.Parent == nil {
		return fmt.Sprintf("table %q doesn't exist", k.RefTable)
	}
	if !Unique(k.Parent, k.RefColumns) {
		return fmt.Sprintf("table %q has no unique key on (%s)", k.RefTable, strings.Join(k.RefColumns, ", "))
	}
	if k.ParentKeyspace() != k.Keyspace {
		return fmt.Sprintf("table %q is in another keyspace, %s", k.RefTable, k.RefSchema)
	}
	if ks == nil || !ks.Sharded || shards < 2 {
		return ""
	}
	child, parent := ks.Table(k.Table.Name), ks.Table(k.RefTable)
	switch {
	case parent == nil:
		return fmt.Sprintf("table %q is not in the VSchema", k.RefTable)
	case child == nil:
		return fmt.Sprintf("table %q is not in the VSchema", k.Table.Name)
	case parent.Type == vschema.TableReference:
		return moving(k, child.Primary())
	case child.Type == vschema.TableReference:
		return fmt.Sprintf("table %q is on every shard, table %q is not", child.Name, parent.Name)
	case child.Type != vschema.TableSharded && parent.Type != vschema.TableSharded:
		if bytes.Equal(pin(child), pin(parent)) {
			return ""
		}
		return fmt.Sprintf("tables %q and %q are pinned to different places", child.Name, parent.Name)
	case child.Type != vschema.TableSharded:
		return fmt.Sprintf("table %q is on one shard, table %q is sharded", child.Name, parent.Name)
	case parent.Type != vschema.TableSharded:
		return fmt.Sprintf("table %q is sharded, table %q is on one shard", child.Name, parent.Name)
	}
	return crossingSharded(k, child.Primary(), parent.Primary())
}

func crossingSharded(k *Key, c, r *vschema.ColumnVindex) string {
	if c == nil || r == nil {
		return "one of the tables has no primary vindex"
	}
	if c.Type == "null" && r.Type == "null" {
		return ""
	}
	sharding := fmt.Sprintf("table %q is sharded by %s and table %q by %s", k.Table.Name, vindexText(c), k.RefTable, vindexText(r))
	if c.Type != r.Type || !maps.Equal(c.Params, r.Params) || len(c.Columns) != len(r.Columns) {
		return sharding + ", which place rows differently"
	}
	for i, name := range c.Columns {
		at := -1
		for j, col := range k.Columns {
			if strings.EqualFold(col, name) && strings.EqualFold(k.RefColumns[j], r.Columns[i]) {
				at = j
			}
		}
		if at < 0 {
			return sharding + ", and the key doesn't lead from the one to the other"
		}
		if sets(k.Delete()) || sets(k.Update()) {
			return moves(name)
		}
		a, b := k.Table.Column(name), k.Parent.Column(r.Columns[i])
		if a != nil && b != nil && schema.PlacedBy(a) != schema.PlacedBy(b) {
			return sharding + ", whose types place equal values differently"
		}
	}
	return ""
}

// moving says why the key's actions would leave rows of a table so sharded on the
// wrong shard, though their parent is on every one.
func moving(k *Key, c *vschema.ColumnVindex) string {
	if c == nil || !sets(k.Delete()) && k.Update() == "" {
		return ""
	}
	for _, name := range c.Columns {
		if overlap(k.Columns, []string{name}) {
			return moves(name)
		}
	}
	return ""
}

func moves(column string) string {
	return fmt.Sprintf("its action sets the sharding column %q, so that rows move to other shards", column)
}

func sets(action string) bool { return action == "SET NULL" || action == "SET DEFAULT" }

func vindexText(c *vschema.ColumnVindex) string {
	return c.Type + "(" + strings.Join(c.Columns, ", ") + ")"
}

// pin is the keyspace ID of a table that lives on one shard, without trailing
// zeros; the first shard's is empty.
func pin(t *vschema.Table) []byte { return bytes.TrimRight(t.Pinned, "\x00") }

// replicated says whether the table is on every shard. Such a table keeps its key
// to itself by the shards' means: the gate doesn't see its rows one by one.
func replicated(ks *vschema.Keyspace, table string) bool {
	if ks == nil {
		return false
	}
	t := ks.Table(table)
	return t != nil && t.Type == vschema.TableReference
}
