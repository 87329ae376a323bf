package dialect

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *source) query(q sqlast.Query) {
	switch q := q.(type) {
	case *sqlast.Select:
		p.selectStmt(q)
	case *sqlast.SetOp:
		p.with(q.With)
		p.s("(")
		p.query(q.L)
		p.s(") ", [...]string{"UNION", "INTERSECT", "EXCEPT"}[q.Kind])
		if q.All {
			p.s(" ALL")
		}
		p.s(" (")
		p.query(q.R)
		p.s(")")
		p.orderBy(q.OrderBy)
		p.limit(q.Limit)
	}
}

func (p *source) selectStmt(q *sqlast.Select) {
	p.with(q.With)
	if q.ValuesRows != nil {
		p.s("VALUES ")
		p.list(len(q.ValuesRows), func(i int) {
			p.s("ROW(")
			p.exprs(q.ValuesRows[i])
			p.s(")")
		})
		p.orderBy(q.OrderBy)
		p.limit(q.Limit)
		return
	}
	p.s("SELECT ")
	if q.Distinct {
		p.s("DISTINCT ")
	}
	p.list(len(q.Items), func(i int) { p.item(&q.Items[i]) })
	if q.From != nil {
		p.s(" FROM ")
		p.table(q.From)
	}
	if q.Where != nil {
		p.s(" WHERE ")
		p.expr(q.Where)
	}
	if q.GroupBy != nil {
		p.s(" GROUP BY ")
		p.exprs(q.GroupBy)
		if q.Sets != nil {
			p.fail("GROUPING SETS", -1)
		}
		if q.Rollup {
			p.s(" WITH ROLLUP")
		}
	}
	if q.Having != nil {
		p.s(" HAVING ")
		p.expr(q.Having)
	}
	if len(q.Windows) > 0 {
		p.s(" WINDOW ")
		p.list(len(q.Windows), func(i int) {
			p.name(q.Windows[i].Name)
			p.s(" AS ")
			p.windowSpec(q.Windows[i])
		})
	}
	p.orderBy(q.OrderBy)
	p.limit(q.Limit)
}

func (p *source) with(w *sqlast.With) {
	if w == nil {
		return
	}
	p.s("WITH ")
	if w.Recursive {
		p.s("RECURSIVE ")
	}
	p.list(len(w.CTEs), func(i int) {
		c := w.CTEs[i]
		p.name(c.Name)
		if c.Columns != nil {
			p.s(" ", quoteNames(c.Columns))
		}
		p.s(" AS (")
		p.query(c.Query)
		p.s(")")
	})
	p.s(" ")
}

// item writes a select item with its name, which would be another text's else.
func (p *source) item(it *sqlast.SelectItem) {
	if it.Star {
		for _, part := range []string{it.Schema, it.Table} {
			if part != "" {
				p.name(part)
				p.s(".")
			}
		}
		p.s("*")
		return
	}
	p.expr(it.Expr)
	name := it.Alias
	if _, plain := it.Expr.(*sqlast.Col); name == "" && !plain {
		name = it.Text
	}
	if name != "" {
		p.s(" AS ")
		p.name(name)
	}
}

// orderBy writes ORDER BY. Where NULLs stand at the other end than MySQL has them, the
// term is preceded by one for them.
func (p *source) orderBy(items []sqlast.OrderItem) {
	if len(items) == 0 {
		return
	}
	p.s(" ORDER BY ")
	p.list(len(items), func(i int) {
		o := &items[i]
		if o.NullsAside() {
			if l, ok := o.Expr.(*sqlast.Lit); ok && l.Kind == sqlast.LitInt {
				p.fail("NULLS FIRST or LAST in an order by a column's number", -1)
			}
			p.operand(o.Expr)
			p.s(map[bool]string{false: " IS NULL, ", true: " IS NULL DESC, "}[o.Desc])
		}
		p.operand(o.Expr)
		if o.Desc {
			p.s(" DESC")
		}
	})
}

func (p *source) limit(l *sqlast.Limit) {
	if l == nil {
		return
	}
	p.s(" LIMIT ")
	if l.Count == nil {
		p.s("18446744073709551615")
	} else {
		p.expr(l.Count)
	}
	if l.Offset != nil {
		p.s(" OFFSET ")
		p.expr(l.Offset)
	}
}

func (p *source) table(t sqlast.TableExpr) {
	switch t := t.(type) {
	case *sqlast.TableRef:
		if t.Schema != "" {
			p.name(t.Schema)
			p.s(".")
		}
		p.name(t.Name)
		if t.Alias != "" {
			p.s(" AS ")
			p.name(t.Alias)
		}
	case *sqlast.Derived:
		if t.Lateral {
			p.s("LATERAL ")
		}
		if t.JSON != nil {
			p.fail("JSON_TABLE", -1)
		}
		p.s("(")
		p.query(t.Query)
		p.s(") AS ")
		p.name(t.Alias)
		if t.Columns != nil {
			p.s(" ", quoteNames(t.Columns))
		}
	case *sqlast.Join:
		p.join(t)
	}
}

func (p *source) join(j *sqlast.Join) {
	p.s("(")
	p.table(j.L)
	if j.Kind == sqlast.JoinFull {
		p.fail("FULL JOIN", -1)
		return
	}
	word := [...]string{" JOIN ", " CROSS JOIN ", " LEFT JOIN ", " RIGHT JOIN "}[j.Kind]
	if j.Natural {
		word = " NATURAL" + word
	}
	p.s(word)
	p.table(j.R)
	if j.On != nil {
		p.s(" ON ")
		p.expr(j.On)
	}
	if j.Using != nil {
		p.s(" USING ", quoteNames(j.Using))
	}
	p.s(")")
}
