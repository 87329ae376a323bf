package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// pushCorrelated makes a fragment of a correlated subquery that aggregates rows of
// its own by what equals something of the queries around it:
//
//	(SELECT COUNT(*) FROM orders o WHERE o.customer = c.id AND o.total > 5)
//
// The shards group by the column, and the gate looks the groups up, so that each
// of its rows comes as one group at the most. It is nil for any other query.
func (u *gathering) pushCorrelated(s *sqlast.Select) (sqlast.Query, error) {
	b := u.b
	blk := b.blocks[s]
	if blk == nil || !isAggregated(s) || len(s.GroupBy) > 0 || s.Having != nil || s.Limit != nil || s.With != nil || s.From == nil || hasWindows(s) {
		return nil, nil
	}
	own := func(src *source) bool { return slices.Contains(blk.sources, src) && src.def != nil }
	for _, it := range s.Items {
		if !b.noneBut(it.Expr, own) {
			return nil, nil
		}
	}
	if _, single := s.From.(*sqlast.TableRef); !single {
		return nil, nil
	}
	inner := *s
	var cols []*sqlast.Col
	var outer []*sqlast.Binary
	inner.Where = nil
	for _, c := range sqlast.Conjuncts(s.Where) {
		if b.onlyAbout(c, own) {
			inner.Where = sqlast.And(inner.Where, c)
			continue
		}
		eq, col := b.outerEquality(c, own)
		if eq == nil {
			return nil, nil
		}
		outer = append(outer, eq)
		if !slices.ContainsFunc(cols, func(o *sqlast.Col) bool { return b.oneColumn(o, col) }) {
			cols = append(cols, col)
			inner.GroupBy = append(inner.GroupBy, col)
		}
	}
	at := b.facts.locate(s)
	if at.kind != placeGroup && at.kind != placeFixed || at.onlySingle || len(cols) == 0 {
		return nil, nil
	}
	if b.oneRowEach(cols) {
		return nil, nil
	}
	inner.OrderBy = nil
	ps := b.partials(&inner, blk)
	if ps == nil {
		return nil, nil
	}
	top := b.aggregateByQuery(&inner, blk, ps)
	if top == nil {
		return nil, nil
	}
	f, err := b.partialFragment(&inner, ps, at.place, b.destination(at.place))
	if f == nil || err != nil {
		return nil, err
	}
	for i := range top.Items {
		top.Items[i].Alias = b.outputs[s][i].name
	}
	top.GroupBy = nil // the conditions leave one value of each
	u.over(top, f)
	table := top.From.(*sqlast.TableRef).Name
	for _, eq := range outer {
		k := slices.IndexFunc(cols, func(c *sqlast.Col) bool { return b.oneColumn(c, eq.L.(*sqlast.Col)) })
		group := *eq.L.(*sqlast.Col)
		group.Table, group.Name, group.Source = table, partName(k, ps.groups), nil
		cond := *eq
		cond.L = &group
		top.Where = sqlast.And(top.Where, &cond)
		u.lookedUp = append(u.lookedUp, Index{Table: table, Column: group.Name})
	}
	return top, nil
}

// noneBut says whether an expression names columns of the given sources alone,
// and holds no subquery.
func (b *binder) noneBut(e sqlast.Expr, own func(*source) bool) bool {
	ok := true
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		c, isCol := x.(*sqlast.Col)
		ok = ok && sqlast.SubQuery(x) == nil && (!isCol || b.sourceOf[c] != nil && own(b.sourceOf[c]))
		return ok
	})
	return ok
}

// outerEquality reads a condition as the equality of a column of the given sources
// with something of other ones; the column comes first.
func (b *binder) outerEquality(c sqlast.Expr, own func(*source) bool) (*sqlast.Binary, *sqlast.Col) {
	eq, ok := c.(*sqlast.Binary)
	if !ok || eq.Op != sqlast.OpEq {
		return nil, nil
	}
	for _, side := range [][2]sqlast.Expr{{eq.L, eq.R}, {eq.R, eq.L}} {
		col, ok := side[0].(*sqlast.Col)
		if !ok || b.sourceOf[col] == nil || !own(b.sourceOf[col]) || b.catalogColumn(col) {
			continue
		}
		if b.noneBut(side[1], func(src *source) bool { return !own(src) }) {
			x := *eq
			x.L, x.R = side[0], side[1]
			return &x, col
		}
	}
	return nil, nil
}

// oneRowEach says whether the columns hold a unique key of their table, so that
// grouping by them puts no rows together.
func (b *binder) oneRowEach(cols []*sqlast.Col) bool {
	return slices.ContainsFunc(b.sourceOf[cols[0]].def.Indexes, func(x *sqlast.IndexDef) bool {
		unique := x.Kind == sqlast.IndexPrimary || x.Kind == sqlast.IndexUnique
		return unique && len(x.Columns()) > 0 && !slices.ContainsFunc(x.Columns(), func(name string) bool {
			return !slices.ContainsFunc(cols, func(c *sqlast.Col) bool { return strings.EqualFold(c.Name, name) })
		})
	})
}

func (b *binder) catalogColumn(c *sqlast.Col) bool { return b.sourceOf[c].catalog }

func (b *binder) oneColumn(x, y *sqlast.Col) bool {
	return b.sourceOf[x] == b.sourceOf[y] && b.sourceOf[x].findAny(x.Name) == b.sourceOf[y].findAny(y.Name)
}
