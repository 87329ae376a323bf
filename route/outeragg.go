package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// An aggregate may stand in a subquery and be the enclosing query's, by its columns:
//
//	SELECT g, (SELECT name FROM b WHERE b.id = MAX(a.v)) FROM a GROUP BY g
//
// The enclosing query then aggregates in a derived table, whose columns the subquery
// asks for: SELECT (SELECT name FROM b WHERE b.id = _agg._a0) FROM (SELECT MAX(a.v) AS
// _a0 … FROM a GROUP BY g) AS _agg. What it says of columns beside is the same for all
// rows of a group, and so one value of it.

// lifting moves a query's aggregates into a derived table.
type lifting struct {
	b   *binder
	own tables
	// found: an aggregate of the query stands in one of its subqueries.
	found bool
	// inner is the query below the new one; nil as long as nothing is changed.
	inner   *sqlast.Select
	columns map[string]*sqlast.Col
}

// aggName is the derived table's.
const aggName = "_agg"

// liftAggregates rewrites a query whose subqueries hold aggregates of its own. It
// isn't bound yet.
func (b *binder) liftAggregates(s *sqlast.Select) error {
	if s.From == nil || s.Rollup || s.ValuesRows != nil || !holdsQuery(s) {
		return nil
	}
	l := &lifting{b: b, own: b.tablesOf(s.From)}
	l.clauses(s)
	if !l.found {
		return nil
	}
	for _, it := range s.Items {
		if it.Star || sqlast.HasWindow(it.Expr) {
			return unsupported("an aggregate over an enclosing query's columns beside * or a window function", "compute it in a derived table")
		}
	}
	keepNames(s)
	l.inner = &sqlast.Select{From: s.From, Where: s.Where, GroupBy: l.groups(s)}
	l.columns = map[string]*sqlast.Col{}
	l.clauses(s)
	s.From = &sqlast.Derived{Query: l.inner, Alias: aggName}
	s.Where, s.GroupBy = nil, nil
	return nil
}

// keepNames gives the items their names as aliases, which they had by what they were.
func keepNames(s *sqlast.Select) {
	for i := range s.Items {
		it := &s.Items[i]
		if c, ok := it.Expr.(*sqlast.Col); ok && it.Alias == "" {
			it.Alias = c.Name
		} else if it.Alias == "" {
			it.Alias = it.Text
		}
	}
}

// holdsQuery says whether a subquery stands where an aggregate may.
func holdsQuery(s *sqlast.Select) bool {
	found := false
	look := func(e sqlast.Expr) {
		sqlast.Walk(e, func(x sqlast.Expr) bool {
			found = found || sqlast.SubQuery(x) != nil
			return !found
		})
	}
	for _, it := range s.Items {
		look(it.Expr)
	}
	look(s.Having)
	for _, o := range s.OrderBy {
		look(o.Expr)
	}
	return found
}

// clauses goes through what may hold aggregates.
func (l *lifting) clauses(s *sqlast.Select) {
	for i := range s.Items {
		l.expr(&s.Items[i].Expr, nil)
	}
	l.expr(&s.Having, nil)
	for i := range s.OrderBy {
		e := &s.OrderBy[i].Expr
		if c, ok := (*e).(*sqlast.Col); !ok || c.Table != "" || !named(s, c.Name) {
			l.expr(e, nil)
		}
	}
}

// named says whether a select item has that alias.
func named(s *sqlast.Select, name string) bool {
	return slices.ContainsFunc(s.Items, func(it sqlast.SelectItem) bool { return strings.EqualFold(it.Alias, name) })
}

// groups gives the GROUP BY terms with aliases and positions replaced.
func (l *lifting) groups(s *sqlast.Select) []sqlast.Expr {
	out := make([]sqlast.Expr, len(s.GroupBy))
	for i, g := range s.GroupBy {
		out[i] = g
		if n, ok := g.(*sqlast.Lit); ok && n.Kind == sqlast.LitInt {
			if at, ok := smallInt(n.Text); ok && at >= 1 && at <= len(s.Items) {
				out[i] = sqlast.CloneExpr(s.Items[at-1].Expr)
			}
		}
		if c, ok := g.(*sqlast.Col); ok && c.Table == "" && l.own.has(c) != yes {
			for _, it := range s.Items {
				if strings.EqualFold(it.Alias, c.Name) {
					out[i] = sqlast.CloneExpr(it.Expr)
				}
			}
		}
	}
	return out
}

// expr goes through an expression that stands below the given subqueries' tables.
func (l *lifting) expr(e *sqlast.Expr, below []tables) {
	switch x := (*e).(type) {
	case nil:
		return
	case *sqlast.Agg:
		if !l.owns(x, below) {
			break
		}
		l.found = l.found || len(below) > 0
		if l.inner != nil {
			*e = l.add("_a", x)
		}
		return
	case *sqlast.Col:
		if l.inner != nil && l.mine(x, below) {
			key := strings.ToLower(x.Table + "." + x.Name)
			if l.columns[key] == nil {
				l.columns[key] = l.add("_c", &sqlast.Agg{Name: "ANY_VALUE", Args: []sqlast.Expr{x}})
			}
			c := *l.columns[key]
			*e = &c
		}
		return
	}
	if q := sqlast.SubQuery(*e); q != nil {
		l.query(q, below)
	}
	sqlast.EachChild(*e, func(c *sqlast.Expr) { l.expr(c, below) })
}

// query goes through a subquery. Its derived tables see nothing of the enclosing query.
func (l *lifting) query(q sqlast.Query, below []tables) {
	switch q := q.(type) {
	case *sqlast.SetOp:
		l.query(q.L, below)
		l.query(q.R, below)
	case *sqlast.Select:
		below = append(below[:len(below):len(below)], l.b.tablesOf(q.From))
		for i := range q.Items {
			l.expr(&q.Items[i].Expr, below)
		}
		for _, e := range []*sqlast.Expr{&q.Where, &q.Having} {
			l.expr(e, below)
		}
		for i := range q.GroupBy {
			l.expr(&q.GroupBy[i], below)
		}
		for i := range q.OrderBy {
			l.expr(&q.OrderBy[i].Expr, below)
		}
		if q.From != nil {
			eachOn(q.From, func(e *sqlast.Expr) { l.expr(e, below) })
		}
	}
}

// eachOn calls f with the conditions of a FROM's joins.
func eachOn(t sqlast.TableExpr, f func(*sqlast.Expr)) {
	if j, ok := t.(*sqlast.Join); ok {
		eachOn(j.L, f)
		eachOn(j.R, f)
		if j.On != nil {
			f(&j.On)
		}
	}
}

// add makes a column of the derived table.
func (l *lifting) add(prefix string, x sqlast.Expr) *sqlast.Col {
	name := prefix + itoa(len(l.inner.Items))
	l.inner.Items = append(l.inner.Items, sqlast.SelectItem{Expr: x, Alias: name})
	return &sqlast.Col{Table: aggName, Name: name, Pos: -1}
}

// owns says whether an aggregate is the query's: it stands in it, or its columns are
// all of it.
func (l *lifting) owns(a *sqlast.Agg, below []tables) bool {
	if len(below) == 0 {
		return true
	}
	some, all := false, true
	sqlast.EachChild(a, func(c *sqlast.Expr) {
		sqlast.Walk(*c, func(x sqlast.Expr) bool {
			if c, ok := x.(*sqlast.Col); ok {
				mine := l.mine(c, below)
				some, all = some || mine, all && mine
			}
			all = all && sqlast.SubQuery(x) == nil
			return all
		})
	})
	return some && all
}

// mine says whether a column that stands below the given tables is one of the query's.
func (l *lifting) mine(c *sqlast.Col, below []tables) bool {
	for _, t := range below {
		if t.has(c) != no {
			return false
		}
	}
	return l.own.has(c) == yes || l.own.has(c) == perhaps && c.Table == ""
}

// tables are what a FROM names: labels with their columns, nil where those aren't known.
type tables []labelled

type labelled struct {
	label   string
	columns []*sqlast.ColumnDef
}

func (b *binder) tablesOf(t sqlast.TableExpr) tables {
	switch t := t.(type) {
	case *sqlast.Join:
		return append(b.tablesOf(t.L), b.tablesOf(t.R)...)
	case *sqlast.Derived:
		return tables{{label: t.Alias}}
	case *sqlast.TableRef:
		ks := t.Schema
		if ks == "" {
			ks = b.env.Keyspace
		}
		x := labelled{label: t.Label()}
		if def := b.env.Schema.Table(ks, t.Name); def != nil {
			x.columns = def.Columns
		}
		return tables{x}
	}
	return nil
}

type answer uint8

const (
	no answer = iota
	perhaps
	yes
)

// has says whether a column is one of the tables'.
func (t tables) has(c *sqlast.Col) answer {
	out := no
	for _, x := range t {
		switch {
		case c.Table != "":
			if strings.EqualFold(c.Table, x.label) {
				return yes
			}
		case x.columns == nil:
			out = max(out, perhaps)
		case slices.ContainsFunc(x.columns, func(d *sqlast.ColumnDef) bool { return strings.EqualFold(d.Name, c.Name) }):
			return yes
		}
	}
	return out
}
