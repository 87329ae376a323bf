package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Index is an index of a table of the scratch database.
type Index struct{ Table, Column string }

// indexes finds the columns that correlated subqueries look rows up by: those of
// their own tables that equal something of a query around them.
func (u *gathering) indexes(q sqlast.Query) []Index {
	out := u.lookedUp
	take := func(e, other sqlast.Expr) {
		c, ok := e.(*sqlast.Col)
		if !ok || !u.outward(c, other) {
			return
		}
		if x, ok := u.scratchColumn(c); ok && !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	sqlast.WalkQuery(q, func(e sqlast.Expr) bool {
		if b, ok := e.(*sqlast.Binary); ok && (b.Op == sqlast.OpEq || b.Op == sqlast.OpNullSafeEq) {
			take(b.L, b.R)
			take(b.R, b.L)
		}
		return true
	})
	return out
}

// outward says whether an expression has columns, and all are of blocks around
// that of c.
func (u *gathering) outward(c *sqlast.Col, e sqlast.Expr) bool {
	src := u.b.sourceOf[c]
	if src == nil || src.block == nil {
		return false
	}
	some, all := false, true
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		if o, ok := x.(*sqlast.Col); ok {
			from := u.b.sourceOf[o]
			some = true
			all = all && from != nil && from.block.around(src.block)
		}
		return all && sqlast.SubQuery(x) == nil
	})
	return some && all
}

// around says whether inner stands in b, at any depth.
func (b *block) around(inner *block) bool {
	for x := inner.parent; x != nil; x = x.parent {
		if x == b {
			return true
		}
	}
	return false
}

// scratchColumn finds a stored column in the scratch table that holds it.
func (u *gathering) scratchColumn(c *sqlast.Col) (Index, bool) {
	src := u.b.sourceOf[c]
	i := src.findAny(c.Name)
	if src.def == nil || i < 0 {
		return Index{}, false
	}
	table, name := src.ref.Name, src.cols[i].name
	if joined := u.joined[src]; joined != "" {
		table, name = joined, joinedName(src.leaf, name)
	}
	if r, ok := u.rels()[table]; !ok || !slices.Contains(u.names(r), name) {
		return Index{}, false
	}
	return Index{Table: table, Column: name}, true
}

// rels lists the rows that there are by the names of their tables.
func (u *gathering) rels() map[string]Rel {
	out := map[string]Rel{}
	for i := range u.joins {
		out[JoinRel(i).Name()] = JoinRel(i)
	}
	for i := range u.frags {
		out[tableName(i)] = Rel(i)
	}
	return out
}
