package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// rowComparison writes (a, b) = (SELECT x, y …) as a subquery that compares,
//
//	(SELECT (a, b) = (_q._c0, _q._c1) FROM (SELECT x, y …) AS _q(_c0, _c1))
//
// so that each pair is compared as its types ask for. No row makes it NULL.
func rowComparison(e *sqlast.Expr) error {
	cmp, ok := (*e).(*sqlast.Binary)
	if !ok || !cmp.Op.Comparison() {
		return nil
	}
	for _, side := range []*sqlast.Expr{&cmp.R, &cmp.L} {
		other := &cmp.L
		if side == other {
			other = &cmp.R
		}
		sub, ok := (*side).(*sqlast.Subquery)
		row, isRow := (*other).(*sqlast.Row)
		if !ok || !isRow || sub.Kind != sqlast.SubScalar {
			continue
		}
		if s, ok := sub.Query.(*sqlast.Select); ok && s.ValuesRows == nil && !hasStar(s) && len(s.Items) != len(row.Items) {
			return operandColumns(len(row.Items), len(s.Items))
		}
		d := &sqlast.Derived{Query: sub.Query, Alias: "_q"}
		answer := &sqlast.Row{}
		for i := range row.Items {
			name := "_c" + itoa(i)
			d.Columns = append(d.Columns, name)
			answer.Items = append(answer.Items, &sqlast.Col{Table: d.Alias, Name: name, Pos: -1})
		}
		*side = answer
		*e = &sqlast.Subquery{Kind: sqlast.SubScalar, Query: &sqlast.Select{Items: []sqlast.SelectItem{{Expr: cmp}}, From: d}}
		return nil
	}
	return nil
}

func hasStar(s *sqlast.Select) bool {
	return slices.ContainsFunc(s.Items, func(it sqlast.SelectItem) bool { return it.Star })
}

func operandColumns(want, got int) error {
	return errorf(CodeOperandColumns, -1, "operand should contain %d column(s), the subquery gives %d", want, got)
}

// oneRow says whether a bound query, a scalar subquery, gives one row at most,
// whatever is in the tables. Of any other the shards must see to it.
func (b *binder) oneRow(q sqlast.Query) bool {
	s, ok := q.(*sqlast.Select)
	if !ok {
		return atMostOne(q.(*sqlast.SetOp).Limit)
	}
	switch {
	case atMostOne(s.Limit), len(s.ValuesRows) == 1, s.ValuesRows == nil && s.From == nil:
		return true
	case s.ValuesRows != nil, len(s.GroupBy) > 0:
		return false
	case isAggregated(s):
		return true
	}
	blk := b.blocks[s]
	if blk == nil || len(blk.sources) != 1 {
		return false
	}
	if d, ok := s.From.(*sqlast.Derived); ok {
		return d.JSON == nil && b.oneRow(d.Query)
	}
	return b.pinned(blk.sources[0], s.Where)
}

func atMostOne(l *sqlast.Limit) bool {
	if l == nil {
		return false
	}
	n, ok := l.Count.(*sqlast.Lit)
	return ok && (n.Text == "0" || n.Text == "1")
}

// pinned says whether a condition gives all columns of one of the table's unique
// keys a value that doesn't hang on its rows.
func (b *binder) pinned(src *source, where sqlast.Expr) bool {
	if src.def == nil {
		return false
	}
	given := map[string]bool{}
	for _, c := range sqlast.Conjuncts(where) {
		eq, ok := c.(*sqlast.Binary)
		if !ok || eq.Op != sqlast.OpEq {
			continue
		}
		for _, side := range [][2]sqlast.Expr{{eq.L, eq.R}, {eq.R, eq.L}} {
			col, ok := side[0].(*sqlast.Col)
			if ok && b.sourceOf[col] == src && !b.reads(side[1], src) && findsOne(col.Type(), side[1].Type()) {
				given[strings.ToLower(col.Name)] = true
			}
		}
	}
	for _, x := range src.def.Indexes {
		if x.Kind != sqlast.IndexPrimary && x.Kind != sqlast.IndexUnique {
			continue
		}
		all := x.Columns() != nil
		for _, name := range x.Columns() {
			all = all && given[strings.ToLower(name)]
		}
		if all {
			return true
		}
	}
	return false
}

// findsOne says whether a value equals one value of the column at most: a text
// column has many that are equal to a number, or without regard to case.
func findsOne(col, value *sqlast.Type) bool {
	switch {
	case col.Class.Numeric(), col.Class.Temporal():
		return true
	case col.Class == sqlast.ClassText && value.Class == sqlast.ClassText:
		return col.NoCase || !value.NoCase
	}
	return col.Class == value.Class || value.Class == sqlast.ClassUnknown || value.Class == sqlast.ClassNull
}

// reads says whether an expression may hang on a table's rows.
func (b *binder) reads(e sqlast.Expr, src *source) bool {
	found := false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		c, ok := x.(*sqlast.Col)
		found = found || sqlast.SubQuery(x) != nil || ok && b.sourceOf[c] == src
		return !found
	})
	return found
}
