package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// prune puts NULL in the place of what derived tables, views and CTEs of q compute and
// nothing names, so that it is neither computed nor moved. What that was made of may be
// named by nothing else, further in. It says whether it has changed anything.
func (b *binder) prune(q sqlast.Query) (changed bool) {
	for again := true; again; {
		again = false
		for of, named := range b.columnsNamed(q) {
			for i := range b.outputs[of] {
				if !named[i] && b.pruneColumn(of, i) {
					again, changed = true, true
				}
			}
		}
	}
	return changed
}

// columnsNamed lists, for each query that stands in a FROM clause of q, the ordinals of
// the columns that something names.
func (b *binder) columnsNamed(q sqlast.Query) map[sqlast.Query]map[int]bool {
	out := map[sqlast.Query]map[int]bool{}
	var sources []*source
	sqlast.EachQuery(q, func(in sqlast.Query) {
		s, ok := in.(*sqlast.Select)
		if !ok || b.blocks[s] == nil {
			return
		}
		for _, src := range b.blocks[s].sources {
			if src.query != nil && !src.json && (src.cte == nil || !src.cte.recursive) {
				out[src.query] = map[int]bool{}
				sources = append(sources, src)
			}
		}
	})
	sqlast.WalkQuery(q, func(e sqlast.Expr) bool {
		if c, ok := e.(*sqlast.Col); ok {
			of := b.sourceOf[c]
			for _, src := range sources {
				if of == src || of == nil { // one that wasn't resolved may be any of that name
					out[src.query][src.findAny(c.Name)] = true
				}
			}
		}
		return true
	})
	return out
}

// pruneColumn leaves out column i of a query, where neither another column nor the choice
// of rows hangs on it, and says whether there was something to leave out.
func (b *binder) pruneColumn(q sqlast.Query, i int) bool {
	items := b.itemsOf(nil, q, i)
	some := false
	for _, it := range items {
		if l, ok := it.Expr.(*sqlast.Lit); ok && l.Kind == sqlast.LitNull {
			continue
		}
		null := &sqlast.Lit{Kind: sqlast.LitNull}
		b.infer(null)
		it.Expr, some = null, true
	}
	return some
}

// itemsOf adds the items that column i of a query consists of to a list; nil where
// some of them must stay.
func (b *binder) itemsOf(list []*sqlast.SelectItem, q sqlast.Query, i int) []*sqlast.SelectItem {
	switch q := q.(type) {
	case *sqlast.SetOp:
		if q.Kind == sqlast.Union && q.All && len(q.OrderBy) == 0 {
			if list = b.itemsOf(list, q.L, i); list != nil {
				return b.itemsOf(list, q.R, i)
			}
		}
	case *sqlast.Select:
		blk := b.blocks[q]
		if blk == nil || q.Distinct || q.ValuesRows != nil || slices.Contains(blk.group, i) {
			return nil
		}
		for k := range q.OrderBy {
			if b.orderItem(q, blk, k) == i {
				return nil // it is computed anyway
			}
		}
		it := &q.Items[i]
		// A subquery may be an error, a sole aggregate makes one row of all.
		if nests(it.Expr) || len(q.GroupBy) == 0 && sqlast.HasAgg(it.Expr) || b.hasAliasOf(q, i) {
			return nil
		}
		if it.Alias == "" {
			it.Alias = b.outputs[q][i].name
		}
		return append(list, it)
	}
	return nil
}

// hasAliasOf says whether something in s means item i by its alias.
func (b *binder) hasAliasOf(s *sqlast.Select, i int) bool {
	found := false
	sqlast.WalkQuery(s, func(e sqlast.Expr) bool {
		if c, ok := e.(*sqlast.Col); ok {
			at, is := b.aliasOf[c]
			found = found || is && at == i
		}
		return !found
	})
	return found
}
