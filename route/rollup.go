package route

import (
	"reflect"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// rollupLevels and rollupLevel name the source of a ROLLUP's levels and its
// column, which no * and no unqualified name finds.
const (
	rollupLevels = "_vt_rollup"
	rollupLevel  = "_vt_level"
)

// rollup is GROUP BY … WITH ROLLUP on its way to an ordinary GROUP BY: the rows
// are joined with the levels 0…n, and of the n terms level k keeps the first k
// and makes the others NULL. So
//
//	SELECT a, b, GROUPING(b), SUM(x) FROM t GROUP BY a, b WITH ROLLUP
//
// becomes
//
//	SELECT CASE WHEN l.level >= 1 THEN a END, CASE WHEN l.level >= 2 THEN b END, l.level < 2, SUM(x)
//	FROM t CROSS JOIN (VALUES 0, 1, 2) AS l(level)
//	GROUP BY l.level, CASE WHEN l.level >= 1 THEN a END, CASE WHEN l.level >= 2 THEN b END
//
// and HAVING, ORDER BY, DISTINCT, windows and the sharding of its aggregates are
// those of any other query.
type rollup struct {
	b     *binder
	own   *block
	sets  [][]int       // of GROUPING SETS, whose number a level is; nil for ROLLUP
	terms []sqlast.Expr // as findable, by the level that keeps them, from 1
	shown []sqlast.Expr
	items []sqlast.Expr // as they were written
}

// withLevels adds the levels to s's tables, before these are bound.
func withLevels(s *sqlast.Select) {
	n := len(s.GroupBy) + 1
	if s.Sets != nil {
		n = len(s.Sets)
	}
	levels := &sqlast.Select{ValuesRows: make([][]sqlast.Expr, n)}
	for i := range levels.ValuesRows {
		levels.ValuesRows[i] = []sqlast.Expr{number(i)}
	}
	d := &sqlast.Derived{Query: levels, Alias: rollupLevels, Columns: []string{rollupLevel}}
	if s.From == nil {
		s.From = d
		return
	}
	s.From = &sqlast.Join{Kind: sqlast.JoinCross, L: s.From, R: d}
}

func number(n int) sqlast.Expr { return &sqlast.Lit{Kind: sqlast.LitInt, Text: itoa(n)} }

// level is the condition that the row's level is op n.
func level(op sqlast.Op, n int) sqlast.Expr {
	return &sqlast.Binary{Op: op, L: &sqlast.Col{Table: rollupLevels, Name: rollupLevel, Pos: -1}, R: number(n)}
}

// kept is the condition that the row's level keeps term i, or, with not, that it doesn't.
func (r *rollup) kept(i int, not bool) sqlast.Expr {
	if r.sets == nil {
		return level(map[bool]sqlast.Op{false: sqlast.OpGe, true: sqlast.OpLt}[not], i+1)
	}
	in := &sqlast.In{X: &sqlast.Col{Table: rollupLevels, Name: rollupLevel, Pos: -1}, Not: not}
	for k, set := range r.sets {
		if slices.Contains(set, i) {
			in.List = append(in.List, number(k))
		}
	}
	return in
}

// unroll rewrites s, whose tables are bound and whose expressions aren't.
func (b *binder) unroll(s *sqlast.Select, own *block) error {
	r := &rollup{b: b, own: own, sets: s.Sets}
	for i := range own.sources {
		if own.sources[i].label == rollupLevels {
			own.sources[i].cols[0].hidden = true
		}
	}
	own.items = s.Items
	for i := range s.Items {
		r.items = append(r.items, sqlast.CloneExpr(s.Items[i].Expr))
	}
	for i, g := range s.GroupBy {
		at, err := b.position(g, s, own, false)
		if err != nil {
			return err
		}
		if at >= 0 {
			g = s.Items[at].Expr
		}
		r.terms = append(r.terms, r.findable(g))
		r.shown = append(r.shown, &sqlast.Case{Whens: []sqlast.When{{Cond: r.kept(i, false), Then: sqlast.CloneExpr(g)}}})
	}
	for i := range s.Items {
		it := &s.Items[i]
		if c, ok := it.Expr.(*sqlast.Col); ok && it.Alias == "" {
			it.Alias = c.Name
		}
		r.in(&it.Expr)
	}
	r.in(&s.Having)
	for i := range s.OrderBy {
		if at, err := b.position(s.OrderBy[i].Expr, s, own, true); err != nil || at >= 0 {
			continue // an item; what is wrong with it is told when it is bound
		}
		r.in(&s.OrderBy[i].Expr)
	}
	for _, w := range s.Windows {
		r.inWindow(w)
	}
	s.GroupBy = []sqlast.Expr{&sqlast.Col{Table: rollupLevels, Name: rollupLevel, Pos: -1}}
	for _, e := range r.shown {
		s.GroupBy = append(s.GroupBy, sqlast.CloneExpr(e))
	}
	if len(s.OrderBy) == 0 && !s.Distinct && own.parent == nil && s.Sets == nil {
		s.OrderBy = r.order()
	}
	s.Rollup = false
	return nil
}

// order is how MySQL hands the groups out: each followed by the one that rolls
// it up.
func (r *rollup) order() (out []sqlast.OrderItem) {
	for i, e := range r.shown {
		out = append(out, sqlast.OrderItem{Expr: level(sqlast.OpLt, i+1)}, sqlast.OrderItem{Expr: sqlast.CloneExpr(e)})
	}
	return out
}

// in replaces the terms in an expression, but not in what an aggregate sees: the
// rows themselves.
func (r *rollup) in(e *sqlast.Expr) {
	switch x := (*e).(type) {
	case nil, *sqlast.Agg:
		return
	case *sqlast.Window:
		r.in(&x.Func)
		if x.Spec != nil {
			r.inWindow(x.Spec)
		}
		if a, ok := x.Func.(*sqlast.Agg); ok {
			for i := range a.Args {
				r.in(&a.Args[i])
			}
		}
		return
	case *sqlast.Func:
		if strings.EqualFold(x.Name, "GROUPING") {
			if g := r.grouping(x.Args); g != nil {
				*e = g
			}
			return
		}
	}
	if at := r.find(*e); at >= 0 {
		*e = sqlast.CloneExpr(r.shown[at])
		return
	}
	sqlast.EachChild(*e, r.in)
}

func (r *rollup) inWindow(w *sqlast.WindowSpec) {
	for i := range w.PartitionBy {
		r.in(&w.PartitionBy[i])
	}
	for i := range w.OrderBy {
		r.in(&w.OrderBy[i].Expr)
	}
}

// grouping is GROUPING(a, b, …): a bit for each term, the last the lowest, that is
// set where the term is rolled up; nil where an argument is none of the terms. An
// alias or a position stands for its item.
func (r *rollup) grouping(args []sqlast.Expr) (out sqlast.Expr) {
	for _, a := range args {
		if i, err := r.b.position(a, r.own.sel, r.own, false); err == nil && i >= 0 {
			a = r.items[i]
		}
		at := r.find(a)
		if at < 0 {
			return nil
		}
		var above sqlast.Expr = number(0) // the sum is a number also of one bit, which is a comparison
		if out != nil {
			above = &sqlast.Binary{Op: sqlast.OpMul, L: out, R: number(2)}
		}
		out = &sqlast.Binary{Op: sqlast.OpAdd, L: above, R: r.kept(at, true)}
	}
	return out
}

func (r *rollup) find(e sqlast.Expr) int {
	e = r.findable(e)
	for i, t := range r.terms {
		if reflect.DeepEqual(t, e) {
			return i
		}
	}
	return -1
}

// findable copies an expression without what may differ between two spellings of
// it: positions in the text, letters' case, and whether a column is qualified.
func (r *rollup) findable(e sqlast.Expr) sqlast.Expr {
	return sqlast.Rewrite(sqlast.CloneExpr(e), func(x sqlast.Expr) sqlast.Expr {
		switch x := x.(type) {
		case *sqlast.Col:
			x.Pos, x.Name = 0, strings.ToLower(x.Name)
			if src, _, err := findColumn(x, r.own); err == nil && src != nil {
				x.Schema, x.Table = "", src.label
			}
		case *sqlast.Func:
			x.Pos = 0
		}
		return x
	})
}
