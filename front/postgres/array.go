package postgres

import (
	"errors"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// There are no arrays as values but in results, which have PostgreSQL's text of one. Where
// one is compared with, or made rows of, its members stand in its place: those of ARRAY[…]
// and of '{…}', and of a parameter, which has as many as the argument.

// array is an array's members, or NULL.
type array struct {
	members []sqlast.Expr
	null    bool
}

// arrayOf reads an array; what a cast says of its members is done to each. exact says
// that a member more would mean another thing.
func (c *conv) arrayOf(t tree, exact bool, instead string) array {
	var typ node
	at := t.at()
	if t.kind == "TypeCast" && t.message("typeName").has("arrayBounds") {
		typ = node{}
		for k, v := range t.message("typeName") {
			if k != "arrayBounds" {
				typ[k] = v
			}
		}
		at, t = typ.at(), t.child("arg")
	}
	var out array
	switch {
	case t.kind == "A_ArrayExpr":
		out.members = c.exprs(t.list("elements"))
	case t.kind == "ParamRef":
		out = c.listParam(t.node, exact)
	case t.kind == "A_Const" && t.is("isnull"):
		out.null = true
	case t.kind == "A_Const" && t.has("sval"):
		list, err := members(t.message("sval").str("sval"))
		if err != nil {
			c.fail(t.at(), err.Error())
		}
		for _, m := range list {
			if s, ok := m.(string); ok {
				out.members = append(out.members, front.Text(s))
			} else {
				out.members = append(out.members, front.Null())
			}
		}
	default:
		c.refuse(t.at(), "this array", instead)
	}
	if typ != nil {
		to, _ := c.typeOf(typ)
		for i, m := range out.members {
			out.members[i] = c.castExpr(m, to, typ, at)
		}
	}
	return out
}

// listParam gives the parameters that are the members of a parameter.
func (c *conv) listParam(n node, exact bool) (out array) {
	list := c.numbered(n)
	if c.used[list] {
		c.mixed(n)
	}
	i := c.listAt(list)
	if i < 0 {
		i = len(c.lists)
		c.lists = append(c.lists, sqlast.ListParam{Index: list})
	} else {
		c.repeats = true
	}
	c.lists[i].Exact = c.lists[i].Exact || exact
	if c.lengths == nil { // any: for its columns
		return array{members: []sqlast.Expr{front.Null()}}
	}
	if c.lengths[i] < 0 {
		return array{null: true}
	}
	first := c.given
	for _, n := range c.lengths[:i] {
		first += max(n, 0)
	}
	for k := range c.lengths[i] {
		out.members = append(out.members, &sqlast.Param{Index: first + k})
	}
	return out
}

// listAt is which list a parameter is; -1 for none.
func (c *conv) listAt(param int) int {
	return slices.IndexFunc(c.lists, func(l sqlast.ListParam) bool { return l.Index == param })
}

// mixed refuses a parameter that is a list here and a value there.
func (c *conv) mixed(n node) {
	c.refuse(n.at(), "a parameter that is a list and a value", "give it twice")
}

// overArray converts x op ANY (array) and x op ALL (array).
func (c *conv) overArray(n node, name string, all bool) sqlast.Expr {
	return c.compared(n.child("lexpr"), name, n.child("rexpr"), all, n.at())
}

func (c *conv) compared(left tree, name string, right tree, all bool, at int) sqlast.Expr {
	list := c.arrayOf(right, false, "write x IN ($1, $2, …)")
	in := name == "=" && !all || (name == "<>" || name == "!=") && all
	switch {
	case list.null:
		return front.Null()
	case len(list.members) == 0 && all:
		return &sqlast.Lit{Kind: sqlast.LitTrue}
	case len(list.members) == 0:
		return &sqlast.Lit{Kind: sqlast.LitFalse}
	case in:
		return c.in(c.expr(left), list.members, all, at)
	case c.lists != nil && c.lengths == nil && right.kind != "A_ArrayExpr" && right.kind != "A_Const":
		return front.Null() // planned when the members are known
	}
	x := c.expr(left)
	var out []sqlast.Expr
	for i, m := range list.members {
		y := x
		if i > 0 {
			y = c.twice(x)
		}
		out = append(out, c.infix(name, y, m, at))
	}
	if all {
		return fold(sqlast.OpAnd, out)
	}
	return fold(sqlast.OpOr, out)
}

// unnested gives the array of a query that is SELECT unnest(array) and nothing else.
func unnested(q tree) (tree, bool) {
	items := q.list("targetList")
	if q.kind != "SelectStmt" || len(items) != 1 || len(q.node) > 3 || q.has("fromClause") || q.has("whereClause") {
		return tree{}, false
	}
	call := items[0].child("val")
	names := call.names("funcname")
	if call.kind != "FuncCall" || len(names) == 0 || names[len(names)-1] != "unnest" || len(call.list("args")) != 1 {
		return tree{}, false
	}
	return call.list("args")[0], true
}

// unnest makes rows of arrays that stand side by side: the shorter ones end with NULL.
func (c *conv) unnest(arrays []tree) [][]sqlast.Expr {
	rows := 0
	lists := make([]array, len(arrays))
	for i, t := range arrays {
		lists[i] = c.arrayOf(t, true, "give the array as a parameter")
		rows = max(rows, len(lists[i].members))
	}
	out := make([][]sqlast.Expr, rows)
	for r := range out {
		for _, l := range lists {
			x := front.Null()
			if r < len(l.members) {
				x = l.members[r]
			}
			out[r] = append(out[r], x)
		}
	}
	return out
}

var errArray = errors.New("malformed array literal: it must be as {1,2,NULL} or {\"a\",\"b\"}, of one dimension")

// members reads an array as text: {a,"b c",NULL}.
func members(text string) ([]any, error) {
	text = strings.TrimSpace(text)
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, errArray
	}
	text = text[1 : len(text)-1]
	if strings.TrimSpace(text) == "" {
		return []any{}, nil
	}
	var out []any
	for {
		m, rest, err := member(text)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
		if rest == "" {
			return out, nil
		}
		text = rest[1:]
	}
}

// member reads one member; rest begins with the comma behind it.
func member(text string) (m any, rest string, err error) {
	text = strings.TrimLeft(text, " \t\r\n\v\f")
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexByte(text, ',')
		if end < 0 {
			end = len(text)
		}
		word := strings.TrimSpace(text[:end])
		switch {
		case word == "" || strings.ContainsAny(word, `{}"\`):
			return nil, "", errArray
		case strings.EqualFold(word, "NULL"):
			return nil, text[end:], nil
		}
		return word, text[end:], nil
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case text[i] == '"':
			rest := strings.TrimLeft(text[i+1:], " \t\r\n\v\f")
			if rest != "" && rest[0] != ',' {
				return nil, "", errArray
			}
			return b.String(), rest, nil
		default:
			b.WriteByte(text[i])
		}
	}
	return nil, "", errArray
}

// element is a value as an array's text has it.
func (c *conv) element(x sqlast.Expr) sqlast.Expr {
	return c.later(func(a []sqlast.Expr) sqlast.Expr {
		x := c.asWord(a[0])
		c.maybeTwice(x)
		again := func() sqlast.Expr { return sqlast.CloneExpr(x) }
		text := again()
		if cl := a[0].Type().Class; !cl.Numeric() {
			escaped := front.Call("REPLACE", front.Call("REPLACE", again(), front.Text(`\`), front.Text(`\\`)), front.Text(`"`), front.Text(`\"`))
			quoted := front.Call("CONCAT", front.Text(`"`), escaped, front.Text(`"`))
			odd := front.Call("REGEXP_LIKE", again(), front.Text(`^$|^(?i:null)$|[{}",\\\s]`), front.Text("c"))
			text = front.When(odd, quoted, again())
		}
		return front.Call("COALESCE", text, front.Text("NULL"))
	}, x)
}

// inBraces is an array's text, of its elements.
func inBraces(x sqlast.Expr) sqlast.Expr {
	return front.Call("CONCAT", front.Text("{"), x, front.Text("}"))
}

// arrayText is ARRAY[a, b] as a value.
func (c *conv) arrayText(members []sqlast.Expr) sqlast.Expr {
	if len(members) == 0 {
		return front.Text("{}")
	}
	list := front.Call("CONCAT_WS", front.Text(","))
	for _, m := range members {
		list.Args = append(list.Args, c.element(m))
	}
	return inBraces(list)
}

// arrayOfQuery is ARRAY(SELECT x …) as a value.
func (c *conv) arrayOfQuery(n node) sqlast.Expr {
	rows := &sqlast.Derived{Query: c.query(n.child("subselect").node), Alias: "_a", Columns: []string{"_x"}}
	comma := ","
	agg := &sqlast.Agg{Name: "GROUP_CONCAT", Args: []sqlast.Expr{c.element(front.Column("_a", "_x"))}, Separator: &comma}
	switch q := rows.Query.(type) {
	case *sqlast.Select:
		if q.OrderBy == nil {
			break
		}
		if q.Distinct || len(q.Items) != 1 {
			c.refuse(n.at(), "ARRAY(SELECT DISTINCT … ORDER BY …)", "pick the distinct values in a subquery")
		}
		spec := &sqlast.WindowSpec{}
		for _, o := range q.OrderBy {
			o.Expr = c.twice(c.ordinal(q, o.Expr))
			spec.OrderBy = append(spec.OrderBy, o)
		}
		q.Items = append(q.Items, sqlast.SelectItem{Expr: &sqlast.Window{Func: front.Call("ROW_NUMBER"), Spec: spec}, Alias: "_n"})
		rows.Columns = append(rows.Columns, "_n")
		agg.OrderBy = []sqlast.OrderItem{{Expr: front.Column("_a", "_n")}}
	case *sqlast.SetOp:
		if q.OrderBy != nil {
			c.refuse(n.at(), "ARRAY(… UNION … ORDER BY …)", "order it in a subquery")
		}
	}
	q := &sqlast.Select{Items: []sqlast.SelectItem{{Expr: front.Call("COALESCE", inBraces(agg), front.Text("{}")), Alias: "array"}}, From: rows}
	return &sqlast.Subquery{Kind: sqlast.SubScalar, Query: q}
}
