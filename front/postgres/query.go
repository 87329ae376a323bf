package postgres

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// query converts a SELECT, a set operation or VALUES.
func (c *conv) query(n node) sqlast.Query {
	if c.depth++; c.depth > 500 {
		c.fail(n.at(), "queries are nested too deeply")
	}
	defer func() { c.depth-- }()
	if n.has("intoClause") {
		c.refuse(n.message("intoClause").message("rel").at(), "SELECT INTO in a query within another", "write CREATE TABLE … AS")
	}
	with := c.with(n.message("withClause"))
	if op := n.str("op"); op != "SETOP_NONE" && op != "" {
		s := &sqlast.SetOp{With: with, All: n.is("all"), L: c.member(n.message("larg")), R: c.member(n.message("rarg"))}
		switch op {
		case "SETOP_INTERSECT":
			s.Kind = sqlast.Intersect
		case "SETOP_EXCEPT":
			s.Kind = sqlast.Except
		}
		s.OrderBy, s.Limit = c.orderBy(n.list("sortClause")), c.limit(n)
		if s.All && s.Kind != sqlast.Union {
			return c.numberAlike(s, firstAt(n["larg"]))
		}
		return s
	}
	if s, ok := c.unnestItems(n); ok {
		s.With = with
		return s
	}
	s := c.block(n)
	s.With = with
	if n.has("distinctClause") {
		return c.distinct(n, s)
	}
	return s
}

// numberAlike makes of EXCEPT ALL and INTERSECT ALL the operation without ALL: rows that
// are alike are numbered, and the numbers left out of what comes.
func (c *conv) numberAlike(s *sqlast.SetOp, at int) *sqlast.Select {
	columns := 0
	for _, q := range []sqlast.Query{s.L, s.R} {
		n, ok := width(q)
		if !ok {
			c.refuse(at, "EXCEPT ALL and INTERSECT ALL of *", "list the columns")
		}
		columns = n
	}
	var names []string
	for i := range columns {
		names = append(names, "_c"+strconv.Itoa(i))
	}
	numbered := func(q sqlast.Query) sqlast.Query {
		out := &sqlast.Select{From: &sqlast.Derived{Query: q, Alias: "_a", Columns: names}}
		spec := &sqlast.WindowSpec{}
		for _, name := range names {
			out.Items = append(out.Items, sqlast.SelectItem{Expr: front.Column("", name)})
			spec.PartitionBy = append(spec.PartitionBy, front.Column("", name))
		}
		out.Items = append(out.Items, sqlast.SelectItem{Expr: &sqlast.Window{Func: front.Call("ROW_NUMBER"), Spec: spec}, Alias: "_n"})
		return out
	}
	named := firstItems(s.L)
	all := &sqlast.Select{With: s.With, OrderBy: s.OrderBy, Limit: s.Limit, From: &sqlast.Derived{Alias: "_s", Query: &sqlast.SetOp{Kind: s.Kind, L: numbered(s.L), R: numbered(s.R)}}}
	for i, name := range names {
		item := sqlast.SelectItem{Expr: front.Column("", name), Alias: named[i].Alias}
		if item.Alias == "" {
			item.Alias = named[i].Text
		}
		all.Items = append(all.Items, item)
	}
	return all
}

// width is the number of a query's columns, where that can be told.
func width(q sqlast.Query) (int, bool) {
	items := firstItems(q)
	return len(items), len(items) > 0 && !slices.ContainsFunc(items, func(it sqlast.SelectItem) bool { return it.Star })
}

// firstItems are the items of a query's first member, by which its columns are named.
func firstItems(q sqlast.Query) []sqlast.SelectItem {
	switch q := q.(type) {
	case *sqlast.SetOp:
		return firstItems(q.L)
	case *sqlast.Select:
		if q.ValuesRows == nil {
			return q.Items
		}
		items := make([]sqlast.SelectItem, len(q.ValuesRows[0]))
		for i := range items {
			items[i].Text = "column" + strconv.Itoa(i+1)
		}
		return items
	}
	return nil
}

// firstAt is the first place that something in a tree has; 0 where none has one.
func firstAt(v any) int {
	least := 0
	switch v := v.(type) {
	case map[string]any:
		if at := node(v).at(); at > 0 {
			return at
		}
		for _, inner := range v {
			if at := firstAt(inner); at > 0 && (least == 0 || at < least) {
				least = at
			}
		}
	case []any:
		for _, inner := range v {
			if at := firstAt(inner); at > 0 && (least == 0 || at < least) {
				least = at
			}
		}
	}
	return least
}

// member converts a member of a set operation.
func (c *conv) member(n node) sqlast.Query {
	q := c.query(n)
	if s, ok := q.(*sqlast.Select); ok {
		s.Parens = s.OrderBy != nil || s.Limit != nil || s.With != nil
	}
	return q
}

// block converts one SELECT or VALUES.
func (c *conv) block(n node) *sqlast.Select {
	s := &sqlast.Select{}
	for _, row := range n.list("valuesLists") {
		s.ValuesRows = append(s.ValuesRows, c.exprs(row.list("items")))
	}
	if s.ValuesRows == nil {
		var rows map[int]sqlast.Expr
		s.From, rows = c.rowItems(n, c.from(n.list("fromClause")))
		s.Items = c.items(n.list("targetList"), rows)
		if len(s.Items) == 0 {
			c.refuse(firstAt(map[string]any(n)), "SELECT without columns", "select a constant")
		}
	}
	if c.catalog {
		nameAsWritten(s.Items)
	}
	s.Where = c.optional(n.child("whereClause"))
	c.groupBy(s, n)
	s.Having = c.optional(n.child("havingClause"))
	for _, w := range n.list("windowClause") {
		s.Windows = append(s.Windows, c.window(w.node))
	}
	s.OrderBy, s.Limit = c.orderBy(n.list("sortClause")), c.limit(n)
	for _, l := range n.list("lockingClause") {
		s.Lock = lock(l.node)
	}
	return s
}

// nameAsWritten keeps the names of columns of the catalog, which MySQL calls by names in
// capital letters however they are written.
func nameAsWritten(items []sqlast.SelectItem) {
	for i := range items {
		if _, plain := items[i].Expr.(*sqlast.Col); plain && items[i].Alias == "" {
			items[i].Alias = items[i].Text
		}
	}
}

func lock(n node) *sqlast.Lock {
	l := &sqlast.Lock{}
	switch n.str("strength") {
	case "LCS_FORSHARE", "LCS_FORKEYSHARE":
		l.Share = true
	}
	switch n.str("waitPolicy") {
	case "LockWaitSkip":
		l.SkipLocked = true
	case "LockWaitError":
		l.NoWait = true
	}
	return l
}

// distinct converts SELECT DISTINCT, and DISTINCT ON by the number that a window
// gives each row among those that are alike.
func (c *conv) distinct(n node, s *sqlast.Select) sqlast.Query {
	on := n.list("distinctClause")
	if len(on) == 0 || on[0].kind == "" {
		s.Distinct = true
		return s
	}
	inner, outer := *s, &sqlast.Select{With: s.With, Limit: s.Limit}
	inner.With, inner.Limit, inner.OrderBy = nil, nil, nil
	inner.Items = nil
	stars := slices.ContainsFunc(s.Items, func(it sqlast.SelectItem) bool { return it.Star })
	var hidden []string
	for i, it := range s.Items {
		if stars { // the names are those of what * stands for
			if it.Alias == "" {
				it.Alias = it.Text
			}
			if it.Star {
				it.Alias = ""
			}
			inner.Items = append(inner.Items, it)
			continue
		}
		name := "_c" + strconv.Itoa(i)
		inner.Items = append(inner.Items, sqlast.SelectItem{Expr: it.Expr, Alias: name})
		out := sqlast.SelectItem{Expr: &sqlast.Col{Table: "_d", Name: name, Pos: -1}, Alias: it.Alias}
		if out.Alias == "" {
			out.Alias = it.Text
		}
		outer.Items = append(outer.Items, out)
	}
	spec := &sqlast.WindowSpec{}
	for _, x := range on {
		spec.PartitionBy = append(spec.PartitionBy, c.ordinal(s, c.expr(x)))
	}
	for i, o := range s.OrderBy {
		o.Expr = c.ordinal(s, o.Expr)
		spec.OrderBy = append(spec.OrderBy, o)
		name := "_o" + strconv.Itoa(i)
		inner.Items, hidden = append(inner.Items, sqlast.SelectItem{Expr: c.twice(o.Expr), Alias: name}), append(hidden, name)
		outer.OrderBy = append(outer.OrderBy, sqlast.OrderItem{Expr: &sqlast.Col{Table: "_d", Name: name, Pos: -1}, Desc: o.Desc, Nulls: o.Nulls})
	}
	inner.Items = append(inner.Items, sqlast.SelectItem{Expr: &sqlast.Window{Func: front.Call("ROW_NUMBER"), Spec: spec}, Alias: "_n"})
	outer.From = &sqlast.Derived{Query: &inner, Alias: "_d"}
	if stars {
		outer.Items = []sqlast.SelectItem{{Star: true, Text: "*", Hide: append(hidden, "_n")}}
	}
	outer.Where = front.Op(sqlast.OpEq, &sqlast.Col{Table: "_d", Name: "_n", Pos: -1}, front.Int(1))
	return outer
}

// ordinal gives the select item that a number, or the name of one, means in ORDER BY.
func (c *conv) ordinal(s *sqlast.Select, x sqlast.Expr) sqlast.Expr {
	if i, ok := front.IntOf(x); ok && i >= 1 && i <= len(s.Items) {
		return c.twice(s.Items[i-1].Expr)
	}
	if col, ok := x.(*sqlast.Col); ok && col.Table == "" {
		for _, it := range s.Items {
			if strings.EqualFold(it.Alias, col.Name) {
				return c.twice(it.Expr)
			}
		}
	}
	return x
}

// items converts a select list or RETURNING; given are the expressions of items that are
// known.
func (c *conv) items(list []tree, given map[int]sqlast.Expr) []sqlast.SelectItem {
	var out []sqlast.SelectItem
	for i, t := range list {
		val := t.child("val")
		if val.kind == "ColumnRef" {
			if item, ok := c.star(val.node); ok {
				out = append(out, item)
				continue
			}
		}
		item := sqlast.SelectItem{Expr: given[i], Alias: t.str("name")}
		if item.Expr == nil {
			item.Expr = c.expr(val)
		}
		if item.Alias == "" {
			item.Text, _ = resultName(val)
			if item.Text == "" {
				item.Text = "?column?"
			}
		}
		out = append(out, item)
	}
	return out
}

// star converts * and t.*.
func (c *conv) star(n node) (sqlast.SelectItem, bool) {
	fields := n.list("fields")
	if len(fields) == 0 || fields[len(fields)-1].kind != "A_Star" {
		return sqlast.SelectItem{}, false
	}
	item := sqlast.SelectItem{Star: true, Text: "*"}
	switch parts := stringsOf(fields); len(parts) {
	case 2:
		item.Schema, item.Table = c.schema(parts[0], n.at()), parts[1]
	case 1:
		item.Table = parts[0]
	}
	return item, true
}

// valueNames are the names of the functions without brackets.
var valueNames = map[string]string{
	"SVFOP_CURRENT_DATE": "current_date", "SVFOP_CURRENT_TIMESTAMP": "current_timestamp", "SVFOP_CURRENT_TIMESTAMP_N": "current_timestamp",
	"SVFOP_CURRENT_TIME": "current_time", "SVFOP_CURRENT_TIME_N": "current_time", "SVFOP_LOCALTIMESTAMP": "localtimestamp",
	"SVFOP_LOCALTIMESTAMP_N": "localtimestamp", "SVFOP_LOCALTIME": "localtime", "SVFOP_LOCALTIME_N": "localtime",
	"SVFOP_CURRENT_USER": "current_user", "SVFOP_USER": "user", "SVFOP_SESSION_USER": "session_user", "SVFOP_CURRENT_ROLE": "current_role",
	"SVFOP_CURRENT_CATALOG": "current_catalog", "SVFOP_CURRENT_SCHEMA": "current_schema",
}

// resultName is PostgreSQL's name for a result column without alias, and whether it
// stays when something is wrapped around it.
func resultName(t tree) (name string, strong bool) {
	switch t.kind {
	case "ColumnRef":
		if parts := t.names("fields"); len(parts) > 0 {
			return parts[len(parts)-1], true
		}
	case "FuncCall":
		parts := t.names("funcname")
		return parts[len(parts)-1], true
	case "A_Expr":
		if t.str("kind") == "AEXPR_NULLIF" {
			return "nullif", true
		}
	case "TypeCast":
		if name, strong := resultName(t.child("arg")); strong {
			return name, true
		}
		parts := t.message("typeName").names("names")
		return parts[len(parts)-1], false
	case "CollateClause":
		return resultName(t.child("arg"))
	case "CaseExpr":
		if name, strong := resultName(t.child("defresult")); strong {
			return name, true
		}
		return "case", false
	case "CoalesceExpr":
		return "coalesce", true
	case "MinMaxExpr":
		return strings.ToLower(strings.TrimPrefix(t.str("op"), "IS_")), true
	case "SQLValueFunction":
		return valueNames[t.str("op")], true
	case "SubLink":
		switch t.str("subLinkType") {
		case "EXISTS_SUBLINK":
			return "exists", true
		case "ARRAY_SUBLINK":
			return "array", true
		case "EXPR_SUBLINK":
			if list := t.child("subselect").list("targetList"); len(list) > 0 {
				if name := list[0].str("name"); name != "" {
					return name, true
				}
				return resultName(list[0].child("val"))
			}
		}
	}
	return "", false
}

// orderBy converts ORDER BY: NULLs are the highest values unless it says otherwise.
func (c *conv) orderBy(list []tree) []sqlast.OrderItem {
	var out []sqlast.OrderItem
	for _, t := range list {
		if t.str("sortby_dir") == "SORTBY_USING" {
			c.refuse(t.child("node").at(), "ORDER BY … USING", "write ASC or DESC")
		}
		o := sqlast.OrderItem{Expr: c.expr(t.child("node")), Desc: t.str("sortby_dir") == "SORTBY_DESC", Nulls: sqlast.NullsLast}
		if n := t.str("sortby_nulls"); n == "SORTBY_NULLS_FIRST" || n != "SORTBY_NULLS_LAST" && o.Desc {
			o.Nulls = sqlast.NullsFirst
		}
		out = append(out, o)
	}
	return out
}

func (c *conv) limit(n node) *sqlast.Limit {
	if n.str("limitOption") == "LIMIT_OPTION_WITH_TIES" {
		c.refuse(n.child("limitCount").at(), "FETCH FIRST … WITH TIES", "compare RANK() OVER (ORDER BY …) in a subquery")
	}
	if !n.has("limitCount") && !n.has("limitOffset") {
		return nil
	}
	l := &sqlast.Limit{}
	for _, part := range []struct {
		field string
		to    *sqlast.Expr
	}{{"limitCount", &l.Count}, {"limitOffset", &l.Offset}} {
		if t := n.child(part.field); t.kind != "" && !t.is("isnull") { // LIMIT ALL is LIMIT NULL
			x := c.expr(t)
			switch y := x.(type) {
			case *sqlast.Lit, *sqlast.Param:
			case *sqlast.Cast:
				x = y.X
			default:
				c.refuse(t.at(), "an expression as LIMIT or OFFSET", "compute it first and give it as a parameter")
			}
			*part.to = x
		}
	}
	if l.Count == nil && l.Offset == nil {
		return nil
	}
	return l
}

// nameValues names the columns of VALUES as PostgreSQL does, where nothing else does.
func (c *conv) nameValues(q sqlast.Query, columns *[]string) {
	s, ok := q.(*sqlast.Select)
	if !ok || s.ValuesRows == nil || *columns != nil {
		return
	}
	for i := range s.ValuesRows[0] {
		*columns = append(*columns, "column"+strconv.Itoa(i+1))
	}
}

// from converts FROM's list; nil for none.
func (c *conv) from(list []tree) sqlast.TableExpr {
	var out sqlast.TableExpr
	for _, t := range list {
		x := c.tableExpr(t)
		if out == nil {
			out = x
		} else {
			out = &sqlast.Join{Kind: sqlast.JoinCross, L: out, R: x}
		}
	}
	return out
}

func (c *conv) tableExpr(t tree) sqlast.TableExpr {
	switch t.kind {
	case "RangeVar":
		ref := c.tableNamed(t.node)
		if catalog := c.catalogTable(ref, t.node); catalog != nil {
			return catalog
		}
		return c.inSchema(ref, t.node)
	case "JoinExpr":
		return c.join(t.node)
	case "RangeSubselect":
		a := t.message("alias")
		d := &sqlast.Derived{Query: c.query(t.child("subquery").node), Alias: a.str("aliasname"), Columns: a.names("colnames"), Lateral: t.is("lateral")}
		if d.Alias == "" {
			d.Alias = "_q" + strconv.Itoa(c.unnamed())
		}
		c.nameValues(d.Query, &d.Columns)
		return d
	case "RangeFunction":
		return c.rangeFunction(t.node)
	case "RangeTableSample":
		c.refuse(t.at(), "TABLESAMPLE", "filter by random()")
	case "JsonTable":
		c.refuse(t.at(), "JSON_TABLE", "")
	}
	c.refuse(t.at(), "this table expression", "")
	return nil
}

// unnamed numbers what has no name.
func (c *conv) unnamed() int {
	c.anonymous++
	return c.anonymous
}

func (c *conv) join(n node) sqlast.TableExpr {
	if n.has("alias") {
		c.refuse(0, "a name for a join in brackets", "name its tables")
	}
	j := &sqlast.Join{Kind: sqlast.JoinCross, L: c.tableExpr(n.child("larg")), R: c.tableExpr(n.child("rarg")), Natural: n.is("isNatural")}
	if n.has("quals") {
		j.Kind, j.On = sqlast.JoinInner, c.expr(n.child("quals"))
	}
	if j.Using = n.names("usingClause"); j.Using != nil || j.Natural {
		j.Kind = sqlast.JoinInner
	}
	switch n.str("jointype") {
	case "JOIN_LEFT":
		j.Kind = sqlast.JoinLeft
	case "JOIN_RIGHT":
		j.Kind = sqlast.JoinRight
	case "JOIN_FULL":
		j.Kind = sqlast.JoinFull
		if j.Using != nil || j.Natural {
			c.refuse(firstAt(n["rarg"]), "FULL JOIN with USING or NATURAL", "write ON a.x = b.x, and coalesce(a.x, b.x) for the column")
		}
	}
	return j
}
