package ddl

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// checkUnique looks at the unique keys of a table for which want holds. A shard
// keeps a key unique among its own rows; that is enough when equal keys always
// share a shard, which they do when the key has the sharding columns in it. Any
// other is kept by a hidden table, if it can be.
func (p *planner) checkUnique(def *sqlast.TableDef, t *vschema.Table, want func(*sqlast.IndexDef) bool) error {
	pv := primary(t)
	for _, x := range def.Indexes {
		if !want(x) || p.kept(t, x) {
			continue
		}
		columns := strings.Join(pv.Columns, ", ")
		switch lookup, reason := p.byLookup(def, t, x); {
		case !lookup:
			p.warn("key %q of table %q is unique per shard only: it lacks the sharding columns (%s)", x.Name, def.Name, columns)
		case reason != "":
			return fail(errUniqueNeedsShard, "unique key %q of table %q can't be kept across shards: %s; "+
				"add the sharding columns (%s) to the key, keep the table on one shard (COMMENT 'unsharded'), "+
				"or write COMMENT 'unique=shard' if your values are unique anyway",
				x.Name, def.Name, reason, columns)
		}
	}
	return nil
}

// kept says whether the shards by themselves keep the index's promise.
func (p *planner) kept(t *vschema.Table, x *sqlast.IndexDef) bool {
	pv := primary(t)
	return x.Kind != sqlast.IndexPrimary && x.Kind != sqlast.IndexUnique ||
		!p.scattered() || pv == nil || pv.Type == "null" || hasAll(x, pv.Columns)
}

// unkept says whether a unique key of a table so sharded would be refused.
func (p *planner) unkept(def *sqlast.TableDef, t *vschema.Table, x *sqlast.IndexDef) bool {
	auto := numberedColumn(def)
	return !p.kept(t, x) && p.o.UniqueKeys != "shard" && (auto == "" || !hasAll(x, []string{auto}))
}

// numberedColumn is the column that a sequence fills; "" if there is none.
func numberedColumn(def *sqlast.TableDef) string {
	if c := autoColumn(def); c != nil {
		return c.Name
	}
	return ""
}

// hasAll says whether all the columns stand whole in the index.
func hasAll(x *sqlast.IndexDef, columns []string) bool {
	for _, c := range columns {
		found := false
		for _, p := range x.Parts {
			found = found || p.Length <= 0 && strings.EqualFold(p.Column, c)
		}
		if !found {
			return false
		}
	}
	return true
}
