package postgres

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// rowFuncs are the functions that give rows, where they may stand as a value, too, and
// the name of their column, "" for the function's.
var rowFuncs = map[string]string{
	"generate_series": "", "unnest": "", "jsonb_array_elements": "value", "json_array_elements": "value",
	"jsonb_array_elements_text": "value", "json_array_elements_text": "value", "jsonb_object_keys": "", "json_object_keys": "",
}

// rangeFunction converts a function in FROM.
func (c *conv) rangeFunction(n node) sqlast.TableExpr {
	call := n.list("functions")[0]
	if items := call.list("items"); call.kind == "List" && len(items) > 0 {
		call = items[0]
	}
	at := call.at()
	if len(n.list("functions")) > 1 {
		c.refuse(at, "ROWS FROM several functions", "join them")
	}
	return c.rowFunction(call, n.message("alias"), n.list("coldeflist"), n.is("ordinality"))
}

// rowFunction converts a function that gives rows. Its columns are named by alias, by
// columns, which to_recordset takes, or by itself.
func (c *conv) rowFunction(call tree, alias node, columns []tree, ordinality bool) sqlast.TableExpr {
	parts, at := call.names("funcname"), call.at()
	if len(parts) == 0 {
		c.refuse(at, "this as a table", "")
	}
	fn := parts[len(parts)-1]
	r := &rowSource{conv: c, fn: fn, at: at, name: alias.str("aliasname"), columns: alias.names("colnames"), ordinality: ordinality}
	if r.name == "" {
		r.name = fn
	}
	json := strings.TrimPrefix(strings.Replace(fn, "jsonb_", "json_", 1), "json_")
	switch args := call.list("args"); {
	case fn == "unnest" && !ordinality && len(columns) == 0:
		return c.unnestTable(alias, args)
	case fn == "generate_series" && !ordinality:
		return r.series(args)
	case len(args) != 1 || json == fn:
	case json == "array_elements":
		return r.elements(c.expr(args[0]), false)
	case json == "array_elements_text":
		return r.elements(c.expr(args[0]), true)
	case json == "object_keys":
		return r.members(c.expr(args[0]), "")
	case json == "each":
		return r.members(c.expr(args[0]), "->")
	case json == "each_text":
		return r.members(c.expr(args[0]), "->>")
	case json == "to_recordset" && len(columns) > 0:
		return r.records(c.expr(args[0]), columns)
	}
	c.refuse(at, "the function "+fn+" as a table", "generate_series, unnest, jsonb_array_elements, jsonb_each, jsonb_object_keys and jsonb_to_recordset can be one")
	return nil
}

// rowSource is a function in FROM.
type rowSource struct {
	*conv
	fn         string
	at         int
	name       string   // of the table
	columns    []string // as the alias names them
	ordinality bool
}

// column names the only column of the rows. A name of its own that nothing else tells
// may be the table's, by which it is called as well.
func (r *rowSource) column(otherwise string) string {
	switch {
	case len(r.columns) > 0:
		return r.columns[0]
	case otherwise == "" || r.name != r.fn && namesBare(r.conv.root, r.name):
		return r.name
	}
	return otherwise
}

// namesBare says whether a column is named without its table somewhere in a tree.
func namesBare(v any, name string) bool {
	switch v := v.(type) {
	case node:
		return namesBare(map[string]any(v), name)
	case map[string]any:
		for kind, inner := range v {
			if m, ok := inner.(map[string]any); ok && kind == "ColumnRef" {
				if names := node(m).names("fields"); len(names) == 1 && len(node(m).list("fields")) == 1 && names[0] == name {
					return true
				}
			}
			if namesBare(inner, name) {
				return true
			}
		}
	case []any:
		for _, inner := range v {
			if namesBare(inner, name) {
				return true
			}
		}
	}
	return false
}

// rows is JSON_TABLE of a document, named.
func (r *rowSource) rows(doc sqlast.Expr, name string, columns ...*sqlast.JSONColumn) *sqlast.Derived {
	if r.ordinality {
		number := &sqlast.JSONColumn{Name: "ordinality", Kind: sqlast.JSONOrdinality, Type: sqlast.TypeOf(sqlast.ClassInt)}
		number.Type.Name = "BIGINT"
		if len(r.columns) > 1 {
			number.Name = r.columns[len(r.columns)-1]
		}
		columns = append(columns, number)
	}
	return &sqlast.Derived{Alias: name, Lateral: true, JSON: &sqlast.JSONTable{Path: "$[*]", Columns: columns},
		Query: &sqlast.Select{Items: []sqlast.SelectItem{{Expr: asDocument(doc)}}}}
}

// asDocument lets text and parameters be JSON.
func asDocument(x sqlast.Expr) sqlast.Expr {
	if _, text := front.StringOf(x); text || isParam(x) {
		return front.Cast(x, "JSON", sqlast.ClassJSON, -1, -1)
	}
	return x
}

func jsonColumn(name, path string, t sqlast.Type) *sqlast.JSONColumn {
	return &sqlast.JSONColumn{Name: name, Type: t, Path: path}
}

func jsonType() sqlast.Type {
	t := sqlast.TypeOf(sqlast.ClassJSON)
	t.Name = "JSON"
	return t
}

func textType() sqlast.Type {
	t := sqlast.TypeOf(sqlast.ClassText)
	t.Name = "TEXT"
	return t
}

// elements are those of an array, as text or as JSON.
func (r *rowSource) elements(doc sqlast.Expr, text bool) sqlast.TableExpr {
	column := r.column("value")
	if !text {
		return r.rows(doc, r.name, jsonColumn(column, "$", jsonType()))
	}
	inner := r.rows(doc, "_r", jsonColumn("_v", "$", jsonType()))
	items := []sqlast.SelectItem{{Expr: r.jsonText(front.Column("_r", "_v"), front.Text("$")), Alias: column}}
	if r.ordinality {
		name := inner.JSON.Columns[1].Name
		items = append(items, sqlast.SelectItem{Expr: front.Column("_r", name), Alias: name})
	}
	return &sqlast.Derived{Alias: r.name, Lateral: true, Query: &sqlast.Select{Items: items, From: inner}}
}

// members are an object's: their names, and by an operator their values.
func (r *rowSource) members(doc sqlast.Expr, get string) sqlast.TableExpr {
	if r.ordinality {
		r.refuse(r.at, r.fn+" WITH ORDINALITY", "number the rows by row_number()")
	}
	if get == "" {
		keys := front.Call("JSON_KEYS", asDocument(doc))
		return r.rows(keys, r.name, jsonColumn(r.column(""), "$", textType()))
	}
	key, value := "key", "value"
	if len(r.columns) == 2 {
		key, value = r.columns[0], r.columns[1]
	}
	inner := r.rows(front.Call("JSON_KEYS", asDocument(r.twice(doc))), "_r", jsonColumn("_k", "$", textType()))
	path := front.Call("CONCAT", front.Text("$."), front.Call("JSON_QUOTE", front.Column("_r", "_k")))
	var x sqlast.Expr = front.Call("JSON_EXTRACT", asDocument(doc), path)
	if get == "->>" {
		x = r.jsonText(asDocument(doc), path)
	}
	return &sqlast.Derived{Alias: r.name, Lateral: true, Query: &sqlast.Select{From: inner,
		Items: []sqlast.SelectItem{{Expr: front.Column("_r", "_k"), Alias: key}, {Expr: x, Alias: value}}}}
}

// records are objects' members by the names and of the types that columns have.
func (r *rowSource) records(doc sqlast.Expr, columns []tree) sqlast.TableExpr {
	var list []*sqlast.JSONColumn
	for _, col := range columns {
		t, _ := r.typeOf(col.message("typeName"))
		name := col.str("colname")
		list = append(list, jsonColumn(name, "$."+strconv.Quote(name), t))
	}
	return r.rows(doc, r.name, list...)
}

// series converts generate_series: a recursive query that counts.
func (r *rowSource) series(args []tree) sqlast.TableExpr {
	if len(args) < 2 || len(args) > 3 {
		r.fail(r.at, "generate_series takes two or three arguments")
	}
	column := r.column("")
	col := func() sqlast.Expr { return front.Column("", column) }
	from, to := r.expr(args[0]), r.expr(args[1])
	lateral := false
	for _, x := range []sqlast.Expr{from, to} {
		sqlast.WalkDeep(x, func(x sqlast.Expr) bool {
			_, is := x.(*sqlast.Col)
			lateral = lateral || is
			return true
		})
	}
	within := sqlast.OpLe
	var next sqlast.Expr
	if v, ok := r.stepOf(args); ok {
		if v.micros < 0 || v.days < 0 || v.months < 0 {
			within = sqlast.OpGe
		}
		from, to, next = timestamp(from), timestamp(to), r.shifted(col(), v, false, r.at)
	} else {
		step := 1
		if len(args) == 3 {
			if step, ok = front.IntOf(r.expr(args[2])); !ok || step == 0 {
				r.refuse(r.at, "generate_series with a step that isn't a literal other than 0", "multiply the numbers by the step")
			}
		}
		if step < 0 {
			within = sqlast.OpGe
		}
		from, to, next = number(from), number(to), front.Op(sqlast.OpAdd, col(), front.Int(step))
	}
	ref := func() *sqlast.TableRef { return &sqlast.TableRef{Name: "_series", Pos: -1} }
	first := &sqlast.Select{Items: []sqlast.SelectItem{{Expr: from, Alias: column}}, Where: front.Op(within, r.twice(from), to)}
	rest := &sqlast.Select{Items: []sqlast.SelectItem{{Expr: next}}, From: ref(), Where: front.Op(within, r.twice(next), r.twice(to))}
	return &sqlast.Derived{Alias: r.name, Lateral: lateral, Query: &sqlast.Select{
		With: &sqlast.With{Recursive: true, CTEs: []*sqlast.CTE{{Name: "_series", Columns: []string{column},
			Query: &sqlast.SetOp{All: true, L: first, R: rest}}}},
		Items: []sqlast.SelectItem{{Expr: col(), Text: column}}, From: ref()}}
}

// stepOf is the step of a series of moments.
func (r *rowSource) stepOf(args []tree) (v interval, ok bool) {
	if len(args) < 3 {
		return v, false
	}
	step := args[2]
	if s := step.message("sval").str("sval"); step.kind == "A_Const" && s != "" {
		if v, ok = parseInterval(s, "second"); !ok {
			r.fail(step.at(), "invalid input syntax for type interval: "+strconv.Quote(s))
		}
	} else if v, ok = r.interval(step); !ok {
		return v, false
	}
	if v.times != nil || v == (interval{}) || min(v.months, v.days, v.micros) < 0 && max(v.months, v.days, v.micros) > 0 {
		r.refuse(r.at, "generate_series with such a step", "give a length of time as a literal")
	}
	return v, true
}

// rowItems lets the functions among a query's items that give rows stand in its FROM,
// and gives FROM.
func (c *conv) rowItems(n node, from sqlast.TableExpr) (sqlast.TableExpr, map[int]sqlast.Expr) {
	items := map[int]sqlast.Expr{}
	for i, t := range n.list("targetList") {
		call := t.child("val")
		names := call.names("funcname")
		if call.kind != "FuncCall" || len(names) == 0 {
			continue
		}
		fn := names[len(names)-1]
		column, ok := rowFuncs[fn]
		if !ok {
			continue
		}
		if len(items) > 0 || n.has("groupClause") || n.has("havingClause") {
			c.refuse(call.at(), "the rows of "+fn+" beside those of another function, or of groups", "write the function in FROM")
		}
		if column == "" {
			column = fn
		}
		table := c.rowFunction(call, node{"aliasname": "_s", "colnames": []any{map[string]any{"String": map[string]any{"sval": column}}}}, nil, false)
		items[i] = front.Column("_s", column)
		if from == nil {
			from = table
		} else {
			from = &sqlast.Join{Kind: sqlast.JoinCross, L: from, R: table}
		}
	}
	return from, items
}

// unnestTable converts unnest(a, b) AS t(x, y) in FROM.
func (c *conv) unnestTable(a node, arrays []tree) sqlast.TableExpr {
	d := &sqlast.Derived{Alias: a.str("aliasname"), Columns: a.names("colnames")}
	if d.Alias == "" {
		d.Alias = "unnest"
	}
	if d.Columns == nil {
		for range arrays {
			d.Columns = append(d.Columns, "unnest")
		}
		if len(arrays) == 1 && a != nil {
			d.Columns[0] = d.Alias
		}
	}
	if len(d.Columns) != len(arrays) {
		c.refuse(arrays[0].at(), "unnest with other names than one for each array", "name them, as in unnest($1, $2) AS t(a, b)")
	}
	d.Query = rowsOf(c.unnest(arrays), len(arrays))
	return d
}

// rowsOf is VALUES, also of no rows.
func rowsOf(rows [][]sqlast.Expr, columns int) *sqlast.Select {
	if len(rows) > 0 {
		return &sqlast.Select{ValuesRows: rows}
	}
	none := &sqlast.Select{Where: &sqlast.Lit{Kind: sqlast.LitFalse}}
	for range columns {
		none.Items = append(none.Items, sqlast.SelectItem{Expr: front.Null()})
	}
	return none
}

// unnestItems converts SELECT unnest(a), unnest(b) without FROM; ok is false for others.
func (c *conv) unnestItems(n node) (*sqlast.Select, bool) {
	var arrays []tree
	for _, t := range n.list("targetList") {
		call := t.child("val")
		names := call.names("funcname")
		if call.kind != "FuncCall" || names[len(names)-1] != "unnest" || len(call.list("args")) != 1 {
			return nil, false
		}
		arrays = append(arrays, call.list("args")[0])
	}
	for _, field := range []string{"fromClause", "whereClause", "groupClause", "havingClause", "distinctClause", "sortClause", "limitCount", "limitOffset", "windowClause", "lockingClause"} {
		if n.has(field) {
			return nil, false
		}
	}
	if len(arrays) == 0 {
		return nil, false
	}
	d := &sqlast.Derived{Alias: "_u", Query: rowsOf(c.unnest(arrays), len(arrays))}
	s := &sqlast.Select{From: d}
	for i, t := range n.list("targetList") {
		name := "_" + strconv.Itoa(i)
		d.Columns = append(d.Columns, name)
		item := sqlast.SelectItem{Expr: &sqlast.Col{Table: "_u", Name: name, Pos: -1}, Alias: t.str("name")}
		if item.Alias == "" {
			item.Alias = "unnest"
		}
		s.Items = append(s.Items, item)
	}
	return s, true
}

// number lets a parameter be a whole number.
func number(x sqlast.Expr) sqlast.Expr {
	if _, ok := x.(*sqlast.Param); ok {
		return front.Cast(x, "SIGNED", sqlast.ClassInt, -1, -1)
	}
	return x
}
