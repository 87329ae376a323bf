package route_test

import (
	"testing"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// BenchmarkPlan plans parsed statements: what a plan cache's miss costs beyond
// the parse.
func BenchmarkPlan(b *testing.B) {
	w := newWorld()
	w.keyspace(b, "shop", 4, true, "", shopTables)
	for _, bm := range []struct{ name, text string }{
		{"point", "SELECT name FROM customer WHERE id = ?"},
		{"join", "SELECT c.country, COUNT(*), SUM(o.total) FROM customer c JOIN orders o ON o.customer_id = c.id GROUP BY c.country ORDER BY 2 DESC LIMIT 5"},
		{"universal", "SELECT i.qty, p.title FROM item i JOIN product p ON p.sku = i.sku WHERE i.customer_id = ?"},
		{"insert", "INSERT INTO customer (id, name, score) VALUES (?, ?, ?)"},
		{"update", "UPDATE customer SET name = ? WHERE id = ?"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			st, err := sqlparse.Parse(bm.text, sqlparse.Options{})
			if err != nil {
				b.Fatal(err)
			}
			env := w.many.env("shop")
			b.ReportAllocs()
			for b.Loop() {
				c := *st
				c.Stmt = cloneStmt(st.Stmt)
				if _, err := planTree(env, &c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// cloneStmt copies a statement, as planning changes it; the benchmark counts
// this in.
func cloneStmt(s sqlast.Stmt) sqlast.Stmt {
	switch s := s.(type) {
	case sqlast.Query:
		return sqlast.CloneQuery(s)
	case *sqlast.Insert:
		c := *s
		t := *s.Table
		c.Table = &t
		c.Rows = nil
		for _, row := range s.Rows {
			var r []sqlast.Expr
			for _, x := range row {
				r = append(r, sqlast.CloneExpr(x))
			}
			c.Rows = append(c.Rows, r)
		}
		return &c
	case *sqlast.Update:
		c := *s
		c.From, c.Where, c.Set = sqlast.CloneTableExpr(s.From), sqlast.CloneExpr(s.Where), nil
		for _, set := range s.Set {
			c.Set = append(c.Set, sqlast.Assignment{Col: sqlast.CloneExpr(set.Col).(*sqlast.Col), Expr: sqlast.CloneExpr(set.Expr)})
		}
		return &c
	}
	return s
}

// Resolving a destination is on the way of every statement: it allocates
// nothing.
func BenchmarkResolve(b *testing.B) {
	w := newWorld()
	w.keyspace(b, "shop", 4, true, "", shopTables)
	p, _, err := plan(w.many.env("shop"), "SELECT name FROM customer WHERE id = ?", nil)
	if err != nil {
		b.Fatal(err)
	}
	m := w.many.cluster.ShardMap("shop")
	var scratch route.Scratch
	args := []any{int64(5)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Fragments[0].Dest.Resolve(m, args, &scratch); err != nil {
			b.Fatal(err)
		}
	}
}
