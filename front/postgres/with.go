package postgres

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// with converts WITH. Its queries that write, which only the statement's own WITH may
// have, become steps before the statement, and their rows tables of the gate's.
func (c *conv) with(n node) *sqlast.With {
	outermost := !c.inner
	c.inner = true
	if n == nil {
		return nil
	}
	w := &sqlast.With{Recursive: n.is("recursive")}
	for _, t := range n.list("ctes") {
		q := t.child("ctequery")
		if t.has("search_clause") || t.has("cycle_clause") {
			c.refuse(t.at(), "SEARCH and CYCLE of a recursive query", "carry the path in a column")
		}
		cte := &sqlast.CTE{Name: t.str("ctename"), Columns: t.names("aliascolnames")}
		if q.kind == "SelectStmt" {
			cte.Query = c.query(q.node)
			c.nameValues(cte.Query, &cte.Columns)
			w.CTEs = append(w.CTEs, cte)
			continue
		}
		if !outermost || c.explaining {
			c.refuse(t.at(), "a WITH query that writes, within another statement", "let it stand before the whole statement")
		}
		cte.Query = c.before(c.statement(q), w, t.at())
		if q.has("returningList") { // else it gives no rows to name
			w.CTEs = append(w.CTEs, cte)
		}
	}
	if w.CTEs == nil {
		return nil
	}
	return w
}

// before notes a statement that runs before the one at hand, and gives the query of its
// rows. It sees what stands before it in WITH.
func (c *conv) before(stmt sqlast.Stmt, with *sqlast.With, at int) sqlast.Query {
	name := "_vt_step_" + strconv.Itoa(len(c.steps))
	if seen := c.seenBy(stmt, with); seen != nil {
		own := false
		switch x := stmt.(type) {
		case *sqlast.Insert:
			own = !front.WithInsert(x, seen)
		case *sqlast.Update:
			own = x.With != nil
			x.With = seen
		case *sqlast.Delete:
			own = x.With != nil
			x.With = seen
		}
		if own {
			c.refuse(at, "WITH in a WITH query that writes", "write one list of them")
		}
	}
	c.steps = append(c.steps, sqlast.Step{Name: name, Stmt: stmt, Pos: at})
	return rowsOfStep(name)
}

func rowsOfStep(name string) *sqlast.Select {
	return &sqlast.Select{Items: []sqlast.SelectItem{{Star: true, Text: "*"}}, From: &sqlast.TableRef{Schema: "information_schema", Name: name, Pos: -1}}
}

// seenBy is a copy of a WITH for a statement that names any of it; else nil.
func (c *conv) seenBy(stmt sqlast.Stmt, with *sqlast.With) *sqlast.With {
	named := false
	sqlast.EachStmtRef(stmt, func(t *sqlast.TableRef) { named = named || cteOf(with, t) != nil })
	if !named {
		return nil
	}
	c.repeats = true
	return sqlast.CloneWith(with)
}

// cteOf is the query of a WITH that a name means.
func cteOf(with *sqlast.With, t *sqlast.TableRef) *sqlast.CTE {
	i := slices.IndexFunc(with.CTEs, func(x *sqlast.CTE) bool { return t.Schema == "" && strings.EqualFold(t.Name, x.Name) })
	if i < 0 {
		return nil
	}
	return with.CTEs[i]
}

// readBefore lets the members of a union that don't hang on what steps write be read
// first of all, as PostgreSQL's see the tables as they were:
//
//	WITH n AS (INSERT INTO t … ON CONFLICT DO NOTHING RETURNING id)
//	SELECT id FROM n UNION ALL SELECT id FROM t WHERE …
func (c *conv) readBefore(q sqlast.Query) {
	top, ok := q.(*sqlast.SetOp)
	if !ok || len(c.steps) == 0 || top.With == nil {
		return
	}
	written := map[string]bool{}
	for _, x := range c.steps {
		if t := targetOf(x.Stmt); t != nil {
			written[strings.ToLower(t.Schema+"."+t.Name)] = true
		}
	}
	var early []sqlast.Step
	var visit func(q *sqlast.Query)
	visit = func(q *sqlast.Query) {
		if s, ok := (*q).(*sqlast.SetOp); ok && s.OrderBy == nil && s.Limit == nil && s.With == nil {
			visit(&s.L)
			visit(&s.R)
			return
		}
		reads, hangs := false, false
		sqlast.EachRef(*q, func(t *sqlast.TableRef) {
			reads = reads || written[strings.ToLower(t.Schema+"."+t.Name)]
			hangs = hangs || cteOf(top.With, t) != nil
		})
		if !reads || hangs {
			return
		}
		name := "_vt_read_" + strconv.Itoa(len(early))
		early = append(early, sqlast.Step{Name: name, Stmt: *q, Pos: c.steps[0].Pos, Early: true})
		rows := rowsOfStep(name)
		if items := firstItems(*q); !slices.ContainsFunc(items, func(it sqlast.SelectItem) bool { return it.Star }) {
			for i := range items { // named apart, as items may not be
				items[i].Alias = "_c" + strconv.Itoa(i)
			}
		}
		*q = rows
	}
	names := firstItems(q)
	visit(&top.L)
	visit(&top.R)
	if first := firstItems(q); len(early) > 0 && len(first) == 1 && first[0].Star && len(names) > 0 && !names[0].Star {
		c.refuse(c.steps[0].Pos, "a union that begins with what doesn't hang on the WITH that writes", "let the query of its rows come first")
	}
	c.steps = append(early, c.steps...)
}

// targetOf is the table that a step writes.
func targetOf(stmt sqlast.Stmt) *sqlast.TableRef {
	var from sqlast.TableExpr
	switch x := stmt.(type) {
	case *sqlast.Insert:
		return x.Table
	case *sqlast.Update:
		from = x.From
	case *sqlast.Delete:
		from = x.From
	}
	for {
		j, ok := from.(*sqlast.Join)
		if !ok {
			t, _ := from.(*sqlast.TableRef)
			return t
		}
		from = j.L
	}
}
