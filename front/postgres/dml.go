package postgres

import (
	"slices"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

func (c *conv) insert(n node) sqlast.Stmt {
	in := &sqlast.Insert{Table: c.table(n.message("relation"))}
	with := c.with(n.message("withClause"))
	if n.str("override") == "OVERRIDING_USER_VALUE" {
		c.refuse(n.message("relation").at(), "OVERRIDING USER VALUE", "leave the column out")
	}
	for _, col := range n.list("cols") {
		if col.has("indirection") {
			c.refuse(col.at(), "a part of a column as the target of a write", "write the whole value; jsonb_set changes one")
		}
		in.Columns = append(in.Columns, col.str("name"))
	}
	sel := n.child("selectStmt")
	switch {
	case sel.kind == "":
		in.Rows = [][]sqlast.Expr{{}}
	case sel.has("valuesLists") && !sel.has("withClause") && !sel.has("sortClause") && !sel.has("limitCount"):
		for _, row := range sel.list("valuesLists") {
			in.Rows = append(in.Rows, c.exprs(row.list("items")))
		}
		in.Leading = true
	default:
		in.Query = c.query(sel.node)
	}
	if with != nil {
		if c.repeats = true; !front.WithInsert(in, with) {
			c.refuse(n.message("withClause").at(), "WITH before INSERT and in its query", "write one list of them")
		}
	}
	if oc := n.message("onConflictClause"); oc != nil {
		c.onConflict(in, oc)
	}
	in.Returning = c.items(n.list("returningList"), nil)
	return in
}

// onConflict converts ON CONFLICT.
func (c *conv) onConflict(in *sqlast.Insert, n node) {
	infer := n.message("infer")
	at := n.at()
	if infer.has("whereClause") {
		c.refuse(infer.at(), "ON CONFLICT on a partial index", "there are no partial indexes")
	}
	in.OnConstraint = infer.str("conname")
	for _, e := range infer.list("indexElems") {
		if e.str("name") == "" {
			c.refuse(infer.at(), "ON CONFLICT on an expression", "name the key's columns")
		}
		in.OnKey = append(in.OnKey, e.str("name"))
	}
	if n.str("action") == "ONCONFLICT_NOTHING" {
		in.Pass = true
		return
	}
	if in.OnKey == nil && in.OnConstraint == "" {
		c.fail(at, "ON CONFLICT DO UPDATE takes the key's columns: ON CONFLICT (a, b)")
	}
	c.excluded = true
	in.OnDup = c.assignments(n.list("targetList"), "")
	where := c.optional(n.child("whereClause"))
	c.excluded = false
	if where == nil {
		return
	}
	for i, a := range in.OnDup {
		if i > 0 {
			where = c.twice(where)
		}
		keep := &sqlast.Col{Table: in.Table.Label(), Name: a.Col.Name, Pos: -1}
		in.OnDup[i].Expr = front.When(where, a.Expr, keep)
	}
}

// assignments converts a SET list, all of whose values are those of before.
func (c *conv) assignments(list []tree, target string) []sqlast.Assignment {
	var out []sqlast.Assignment
	for _, t := range list {
		at := t.at()
		if t.has("indirection") {
			c.refuse(at, "a part of a column as the target of a write", "write the whole value; jsonb_set changes one")
		}
		val := t.child("val")
		var x sqlast.Expr
		if val.kind == "MultiAssignRef" {
			x = c.multiple(val.node, at)
		} else {
			x = c.expr(val)
		}
		out = append(out, sqlast.Assignment{Col: &sqlast.Col{Table: target, Name: t.str("name"), Pos: at}, Expr: x, Old: true})
	}
	return out
}

// multiple gives a member of SET (a, b) = (x, y), or = (SELECT x, y …).
func (c *conv) multiple(n node, at int) sqlast.Expr {
	source, i := n.child("source"), n.num("colno")-1
	switch {
	case source.kind == "RowExpr" && len(source.list("args")) == n.num("ncolumns"):
		return c.expr(source.list("args")[i])
	case source.kind == "SubLink":
		return &sqlast.Subquery{Kind: sqlast.SubScalar, Query: c.onlyItem(source.child("subselect").node, i, n.num("ncolumns"), at)}
	}
	c.fail(at, "the number of columns doesn't match the number of values")
	return nil
}

// onlyItem converts a query of one row without other items than item i. All of them find
// the same row: what LIMIT picks is put in order by all items.
func (c *conv) onlyItem(n node, i, items, at int) sqlast.Query {
	s, ok := c.query(n).(*sqlast.Select)
	if !ok || s.Distinct || s.ValuesRows != nil || slices.ContainsFunc(s.Items, func(it sqlast.SelectItem) bool { return it.Star }) {
		c.refuse(at, "SET (a, b) = (SELECT …) of *, of DISTINCT or of several queries", "write UPDATE … FROM (SELECT …)")
	}
	if len(s.Items) != items {
		c.fail(at, "the number of columns doesn't match the number of values")
	}
	for k := range s.GroupBy {
		s.GroupBy[k] = c.ordinal(s, s.GroupBy[k])
	}
	for k := range s.OrderBy {
		s.OrderBy[k].Expr = c.ordinal(s, s.OrderBy[k].Expr)
	}
	if s.Limit != nil {
		for _, it := range s.Items {
			s.OrderBy = append(s.OrderBy, sqlast.OrderItem{Expr: c.twice(it.Expr), Nulls: sqlast.NullsLast})
		}
	}
	if s.GroupBy == nil && slices.ContainsFunc(s.Items, func(it sqlast.SelectItem) bool { return sqlast.HasAgg(it.Expr) }) {
		some := front.Op(sqlast.OpGe, &sqlast.Agg{Name: "COUNT", Star: true}, front.Int(0))
		s.Having = sqlast.And(s.Having, some) // it aggregates, whatever item is left
	}
	s.Items = s.Items[i : i+1]
	return s
}

func (c *conv) update(n node) sqlast.Stmt {
	t := c.table(n.message("relation"))
	u := &sqlast.Update{With: c.with(n.message("withClause")), From: t}
	target := ""
	if from := c.from(n.list("fromClause")); from != nil {
		u.From = &sqlast.Join{Kind: sqlast.JoinCross, L: t, R: from}
		target = t.Label()
	}
	u.Set = c.assignments(n.list("targetList"), target)
	u.Where = c.optional(n.child("whereClause"))
	u.Returning = c.items(n.list("returningList"), nil)
	if j, ok := u.From.(*sqlast.Join); ok && u.Returning != nil {
		c.ownColumns(u.Returning, t)
		u.From, u.Where, c.repeats = t, front.Alone(t, j.R, u.Where, u.Set), true
	}
	return u
}

// ownColumns refuses RETURNING of all columns, among which the other tables' would be.
func (c *conv) ownColumns(items []sqlast.SelectItem, t *sqlast.TableRef) {
	for _, it := range items {
		if it.Star && it.Table == "" {
			c.refuse(t.Pos, "RETURNING * of a write by other tables' rows", "list the written table's columns")
		}
	}
}

func (c *conv) delete(n node) sqlast.Stmt {
	t := c.table(n.message("relation"))
	d := &sqlast.Delete{With: c.with(n.message("withClause")), From: t}
	if using := c.from(n.list("usingClause")); using != nil {
		d.From = &sqlast.Join{Kind: sqlast.JoinCross, L: t, R: using}
		d.Targets = []*sqlast.TableRef{{Name: t.Label(), Pos: t.Pos}}
	}
	d.Where = c.optional(n.child("whereClause"))
	d.Returning = c.items(n.list("returningList"), nil)
	if j, ok := d.From.(*sqlast.Join); ok && d.Returning != nil {
		c.ownColumns(d.Returning, t)
		d.From, d.Targets, d.Where, c.repeats = t, nil, front.Alone(t, j.R, d.Where, nil), true
	}
	return d
}
