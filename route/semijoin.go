package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// semiJoins joins r with the subqueries of IN and EXISTS in the block's WHERE
// that are tied to columns of r alone, by equality. A condition that can't be
// made so stays.
func (g *joining) semiJoins(r *relation) (*relation, error) {
	for _, c := range sqlast.Conjuncts(g.blk.sel.Where) {
		if g.used[c] {
			continue
		}
		sub, xs, kind := semiJoin(c)
		if sub == nil || !g.u.b.simple(sub) {
			continue
		}
		out, err := g.semi(r, sub, xs, kind)
		if err != nil {
			return nil, err
		}
		if out != nil {
			g.used[c] = true
			r = out
		}
	}
	return r, nil
}

// semiJoin reads a condition that asks whether a subquery has rows: xs are the
// left side of IN.
func semiJoin(c sqlast.Expr) (sub *sqlast.Select, xs []sqlast.Expr, kind JoinKind) {
	kind = SemiJoin
	switch c := c.(type) {
	case *sqlast.In:
		sub, _ = c.Sub.(*sqlast.Select)
		xs = []sqlast.Expr{c.X}
		if row, ok := c.X.(*sqlast.Row); ok {
			xs = row.Items
		}
		if sub == nil || len(sub.Items) != len(xs) {
			return nil, nil, kind
		}
		if !c.Not {
			return sub, xs, kind
		}
		for i, x := range xs {
			// A NULL on either side would make the condition NULL.
			if !x.Type().NotNull || !sub.Items[i].Expr.Type().NotNull {
				return nil, nil, kind
			}
		}
		return sub, xs, AntiJoin
	case *sqlast.Subquery:
		if c.Kind != sqlast.SubExists {
			return nil, nil, kind
		}
		if c.Not {
			kind = AntiJoin
		}
		sub, _ = c.Query.(*sqlast.Select)
	}
	return sub, nil, kind
}

// simple says whether a subquery has a row for each row of its FROM and WHERE,
// or fewer that are the same.
func (b *binder) simple(s *sqlast.Select) bool {
	return s.From != nil && s.With == nil && s.ValuesRows == nil && s.Limit == nil && s.Having == nil &&
		!isAggregated(s) && !hasWindows(s) && s.Lock == nil && b.blocks[s] != nil
}

// semi makes the join of r with a subquery; nil when the subquery is more than
// stored tables that its own conditions, and keys, choose the rows of.
func (g *joining) semi(r *relation, sub *sqlast.Select, xs []sqlast.Expr, kind JoinKind) (*relation, error) {
	in := &joining{u: g.u, blk: g.u.b.blocks[sub], frags: slices.Clone(g.frags), joins: slices.Clone(g.joins), leaves: g.leaves,
		used: map[sqlast.Expr]bool{}}
	s, err := in.relation(sub.From, false)
	if s == nil || err != nil || len(in.rest) > 0 {
		return nil, err
	}
	if s, err = in.semiJoins(s); err != nil {
		return nil, err
	}
	conds := sqlast.Conjuncts(sub.Where)
	for i, x := range xs {
		conds = append(conds, &sqlast.Binary{Op: sqlast.OpEq, L: x, R: sub.Items[i].Expr})
	}
	var keys []JoinKey
	for _, c := range conds {
		if in.used[c] {
			continue
		}
		k, ok := in.key(c, r, s)
		if !ok {
			return nil, nil
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	g.frags, g.joins, g.leaves = in.frags, in.joins, in.leaves
	return g.join(r, s, keys, kind), nil
}
