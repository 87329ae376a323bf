package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// copied says whether a table has a copy on every one of several shards.
func (w *writer) copied(s *source) bool {
	return s.vt != nil && s.vt.Type == vschema.TableReference && len(w.env.Shards(s.keyspace).Names) > 1 && s.target == nil
}

// everywhere says whether a write to a reference table can be the same statement
// on every shard: what decides over its rows and values is the same everywhere.
// Otherwise one copy's rows are found, and every copy is written by key.
func (w *writer) everywhere(at located) bool {
	return len(w.targets) == 1 && w.copied(w.targets[0]) && at.kind == placeAny && !at.onlySingle &&
		!w.random && w.find.Limit == nil && !w.hasEffects() && !w.ignoresForeign()
}

// copyKeys adds the primary key of a reference table to the finding query. A
// table without one has the same row IDs on all shards: they have run the same
// statements in the same order.
func (w *writer) copyKeys(src *source) []int {
	pk := src.def.PrimaryKey()
	if pk == nil || !pk.Whole() {
		return nil
	}
	var out []int
	for _, name := range pk.Columns() {
		i := src.findAny(name)
		col := &sqlast.Col{Table: w.qualifier(src), Name: src.cols[i].name, Pos: -1, Def: src.cols[i].def, Source: src.ref}
		col.T = src.cols[i].typ
		w.sourceOf[col] = src
		out = append(out, w.item(col))
	}
	return out
}

// keyCondition is the condition that a write by key has for its row, behind n
// values.
func keyCondition(def *sqlast.TableDef, kw KeyWrite, n int) func(dialect.Printer) string {
	if len(kw.Keys) == 0 {
		return func(p dialect.Printer) string { return byRowID(p, def) }
	}
	var out []string
	for i, name := range def.PrimaryKey().Columns() {
		out = append(out, quote(name)+" = ?"+itoa(2+n+i))
	}
	return func(dialect.Printer) string { return strings.Join(out, " AND ") }
}

// readsOwnRows says whether a new value is made of other rows of the written
// table: the engine would show it some of them as they have become.
func (w *writer) readsOwnRows() bool {
	own := false
	for src, sets := range w.sets {
		for _, set := range sets {
			sqlast.Walk(set.Expr, func(x sqlast.Expr) bool {
				if q := sqlast.SubQuery(x); q != nil {
					sqlast.EachRef(q, func(t *sqlast.TableRef) { own = own || t.Table == src.def })
				}
				return !own
			})
		}
	}
	return own
}
