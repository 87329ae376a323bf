package sqlite

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *printer) query(q sqlast.Query) {
	switch q := q.(type) {
	case *sqlast.Select:
		p.selectStmt(q, false)
	case *sqlast.SetOp:
		p.setOp(q)
	}
}

func (p *printer) with(w *sqlast.With) {
	if w == nil || len(w.CTEs) == 0 {
		return
	}
	p.s("WITH ")
	if w.Recursive {
		p.s("RECURSIVE ")
	}
	for i, c := range w.CTEs {
		if i > 0 {
			p.s(", ")
		}
		p.ident(c.Name)
		if len(c.Columns) > 0 {
			p.c('(')
			p.idents(c.Columns)
			p.c(')')
		}
		p.s(" AS (")
		p.nullExtended(true, func() { p.query(c.Query) })
		p.c(')')
	}
	p.c(' ')
}

// selectStmt prints one block. beforeConflict: an ON CONFLICT clause follows,
// whose ON would be taken for a join's unless a WHERE stands between.
func (p *printer) selectStmt(s *sqlast.Select, beforeConflict bool) {
	if s.ValuesRows != nil {
		p.valuesRows(s)
		return
	}
	p.with(s.With)
	if s.Having != nil && len(s.GroupBy) == 0 && !aggregates(s) {
		p.havingWithoutGroup(s, beforeConflict)
		return
	}
	p.block(s, s.Where, s.Having, beforeConflict)
	p.orderLimit(numbered(s), s.Limit)
}

// numbered is s's ORDER BY, whose numbers stand for items with a collation that
// an expression has lost in SQLite.
func numbered(s *sqlast.Select) []sqlast.OrderItem {
	order := s.OrderBy
	for i, o := range s.OrderBy {
		n, ok := intLit(o.Expr)
		if !ok || n < 1 || n > int64(len(s.Items)) {
			continue
		}
		x := s.Items[n-1].Expr
		if x == nil {
			continue
		}
		if _, known := storedNoCase(x); known || !noCase(x) || !textual(x) {
			continue
		}
		if &order[0] == &s.OrderBy[0] {
			order = slices.Clone(order)
		}
		order[i].Expr = &sqlast.Collate{X: o.Expr, Name: "nocase"}
	}
	return order
}

// block prints a SELECT without WITH, ORDER BY and LIMIT.
func (p *printer) block(s *sqlast.Select, where, having sqlast.Expr, forceWhere bool) {
	p.s("SELECT ")
	if s.Distinct {
		p.s("DISTINCT ")
	}
	p.items(s.Items, s.Distinct || slices.Contains(p.distinct, s))
	if s.From != nil {
		p.s(" FROM ")
		p.from(s.From)
	}
	if where != nil {
		p.s(" WHERE ")
		p.truth(where, 0)
	} else if forceWhere {
		p.s(" WHERE true")
	}
	if len(s.GroupBy) > 0 {
		p.s(" GROUP BY ")
		for i, g := range s.GroupBy {
			if i > 0 {
				p.s(", ")
			}
			p.collated(g, 0)
		}
	}
	if having != nil {
		if p.plain && len(s.GroupBy) == 0 {
			p.unsupported("HAVING without GROUP BY", -1, "not every SQLite knows it")
		}
		p.s(" HAVING ")
		p.truth(having, 0)
	}
	if len(s.Windows) > 0 {
		p.s(" WINDOW ")
		for i, w := range s.Windows {
			if i > 0 {
				p.s(", ")
			}
			p.ident(w.Name)
			p.s(" AS ")
			p.windowSpec(w)
		}
	}
}

func (p *printer) items(items []sqlast.SelectItem, distinct bool) {
	for i := range items {
		it := &items[i]
		if i > 0 {
			p.s(", ")
		}
		if it.Star {
			if it.Table != "" {
				p.ident(it.Table)
				p.c('.')
			}
			p.c('*')
			continue
		}
		switch {
		case it.Result && p.result(it.Expr):
		case keyed(it.Expr):
			p.key(it.Expr)
		case distinct || leaks(it.Expr):
			p.collated(it.Expr, 0)
		default:
			p.expr(it.Expr, 0)
		}
		if alias := itemName(it); alias != "" {
			p.s(" AS ")
			p.ident(alias)
		}
	}
}

// itemName is what a select item is called; "" where it keeps its column's name.
func itemName(it *sqlast.SelectItem) string {
	if c, ok := it.Expr.(*sqlast.Col); ok && it.Alias == "" && c.Engine != "" {
		return c.Name
	}
	return it.Alias
}

func (p *printer) orderLimit(order []sqlast.OrderItem, l *sqlast.Limit) {
	if len(order) > 0 {
		p.s(" ORDER BY ")
		p.orderItems(order)
	}
	p.limit(l)
}

func (p *printer) orderItems(order []sqlast.OrderItem) {
	for i, o := range order {
		if i > 0 {
			p.s(", ")
		}
		p.collated(o.Expr, 0)
		p.direction(&o)
	}
}

// direction prints what stands behind a term of an ORDER BY.
func (p *printer) direction(o *sqlast.OrderItem) {
	if o.Desc {
		p.s(" DESC")
	}
	switch {
	case !o.NullsAside():
	case o.Desc:
		p.s(" NULLS FIRST")
	default:
		p.s(" NULLS LAST")
	}
}

func (p *printer) limit(l *sqlast.Limit) {
	if l == nil || l.Count == nil && l.Offset == nil {
		return
	}
	p.s(" LIMIT ")
	if unlimited(l.Count) {
		p.s("-1")
	} else {
		p.expr(l.Count, 0)
	}
	if l.Offset != nil {
		p.s(" OFFSET ")
		p.expr(l.Offset, 0)
	}
}

// unlimited: no count, or MySQL's way to say so, 18446744073709551615.
func unlimited(e sqlast.Expr) bool {
	if e == nil {
		return true
	}
	l, ok := e.(*sqlast.Lit)
	if !ok || l.Kind != sqlast.LitInt {
		return false
	}
	_, err := strconv.ParseInt(l.Text, 10, 64)
	return err != nil
}

// havingWithoutGroup: HAVING of a query that groups nothing is a WHERE that
// knows the select list's names.
func (p *printer) havingWithoutGroup(s *sqlast.Select, beforeConflict bool) {
	p.s("SELECT * FROM (")
	p.block(s, s.Where, nil, false)
	p.s(`) AS "_h" WHERE `)
	p.truth(unqualified(s.Having), 0)
	_ = beforeConflict // it has its WHERE
	if len(s.OrderBy) > 0 {
		order := make([]sqlast.OrderItem, len(s.OrderBy))
		for i, o := range s.OrderBy {
			order[i] = sqlast.OrderItem{Expr: unqualified(o.Expr), Desc: o.Desc, Nulls: o.Nulls}
		}
		p.s(" ORDER BY ")
		p.orderItems(order)
	}
	p.limit(s.Limit)
}

// unqualified gives e with the columns at its top levels freed of their table:
// outside of the derived table they are known by name only.
func unqualified(e sqlast.Expr) sqlast.Expr {
	switch x := e.(type) {
	case *sqlast.Col:
		c := *x
		c.Table, c.Schema = "", ""
		return &c
	case *sqlast.Binary:
		c := *x
		c.L, c.R = unqualified(x.L), unqualified(x.R)
		return &c
	case *sqlast.Unary:
		c := *x
		c.X = unqualified(x.X)
		return &c
	case *sqlast.Func:
		c := *x
		c.Args = make([]sqlast.Expr, len(x.Args))
		for i, a := range x.Args {
			c.Args[i] = unqualified(a)
		}
		return &c
	case *sqlast.Is:
		c := *x
		c.X = unqualified(x.X)
		return &c
	case *sqlast.In:
		c := *x
		c.X = unqualified(x.X)
		return &c
	case *sqlast.Between:
		c := *x
		c.X, c.Lo, c.Hi = unqualified(x.X), unqualified(x.Lo), unqualified(x.Hi)
		return &c
	case *sqlast.Like:
		c := *x
		c.X = unqualified(x.X)
		return &c
	}
	return e
}

// aggregates says whether the block aggregates all its rows into one.
func aggregates(s *sqlast.Select) bool {
	if sqlast.HasAgg(s.Having) {
		return true
	}
	for i := range s.Items {
		if sqlast.HasAgg(s.Items[i].Expr) {
			return true
		}
	}
	return false
}

// valuesRows prints VALUES ROW(…), with MySQL's column names.
func (p *printer) valuesRows(s *sqlast.Select) {
	wrapped := len(s.OrderBy) > 0 || s.Limit != nil
	if wrapped {
		p.s("SELECT * FROM (")
	}
	for i, row := range s.ValuesRows {
		switch i {
		case 0:
			p.s("SELECT ")
			for j, x := range row {
				if j > 0 {
					p.s(", ")
				}
				p.made(x)
				p.s(` AS "column_`)
				p.int(j)
				p.c('"')
			}
			continue
		case 1:
			p.s(" UNION ALL VALUES ")
		default:
			p.s(", ")
		}
		p.c('(')
		for j, x := range row {
			if j > 0 {
				p.s(", ")
			}
			p.made(x)
		}
		p.c(')')
	}
	if wrapped {
		p.c(')')
		p.orderLimit(s.OrderBy, s.Limit)
	}
}

var setOps = [...]string{sqlast.Union: " UNION ", sqlast.Intersect: " INTERSECT ", sqlast.Except: " EXCEPT "}

// setOp prints a set operation. SQLite's are all of one rank, from left to
// right, and their members take no brackets.
func (p *printer) setOp(s *sqlast.SetOp) {
	p.with(s.With)
	wrapped := false
	for _, o := range s.OrderBy {
		wrapped = wrapped || !plainOrder(o.Expr)
	}
	if wrapped {
		p.s("SELECT * FROM (")
	}
	if !s.All {
		p.toldApart(s)
	}
	p.member(s.L, true)
	if s.All && s.Kind != sqlast.Union {
		p.unsupported(strings.TrimSpace(setOps[s.Kind])+" ALL", -1, "")
	}
	p.s(setOps[s.Kind])
	if s.All {
		p.s("ALL ")
	}
	p.member(s.R, false)
	if wrapped {
		p.c(')')
	}
	p.orderLimit(s.OrderBy, s.Limit)
}

// toldApart notes the members of a set operation.
func (p *printer) toldApart(q sqlast.Query) {
	switch q := q.(type) {
	case *sqlast.Select:
		p.distinct = append(p.distinct, q)
	case *sqlast.SetOp:
		p.toldApart(q.L)
		p.toldApart(q.R)
	}
}

// plainOrder: a compound's ORDER BY takes result columns only, by name or number.
func plainOrder(e sqlast.Expr) bool {
	if c, ok := e.(*sqlast.Col); ok {
		return c.Table == ""
	}
	_, ok := intLit(e)
	return ok
}

func (p *printer) member(q sqlast.Query, left bool) {
	bare := false
	switch q := q.(type) {
	case *sqlast.Select:
		bare = q.With == nil && len(q.OrderBy) == 0 && q.Limit == nil &&
			(q.ValuesRows == nil || left || len(q.ValuesRows) == 1)
	case *sqlast.SetOp:
		bare = left && q.With == nil && len(q.OrderBy) == 0 && q.Limit == nil
	}
	if bare {
		p.query(q)
		return
	}
	p.s("SELECT * FROM (")
	p.query(q)
	p.c(')')
}

func (p *printer) from(t sqlast.TableExpr) {
	switch t := t.(type) {
	case *sqlast.TableRef:
		p.table(t)
	case *sqlast.Derived:
		p.derived(t)
	case *sqlast.Join:
		p.join(t)
	}
}

func (p *printer) table(t *sqlast.TableRef) {
	p.ident(t.Name)
	if t.Alias != "" && t.Alias != t.Name {
		p.s(" AS ")
		p.ident(t.Alias)
	}
}

func (p *printer) derived(t *sqlast.Derived) {
	switch {
	case t.JSON != nil:
		p.jsonTable(t)
		return
	case t.Lateral:
		p.lateral(t)
		return
	}
	p.c('(')
	if len(t.Columns) > 0 {
		// SQLite names a derived table's columns only by way of a CTE.
		p.s("WITH ")
		p.ident(t.Alias)
		p.c('(')
		p.idents(t.Columns)
		p.s(") AS (")
		p.query(t.Query)
		p.s(") SELECT * FROM ")
		p.ident(t.Alias)
	} else {
		p.query(t.Query)
	}
	p.c(')')
	if t.Alias != "" {
		p.s(" AS ")
		p.ident(t.Alias)
	}
}
