package postgres

import (
	"maps"
	"regexp"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

func (c *conv) exprs(list []tree) []sqlast.Expr {
	out := make([]sqlast.Expr, len(list))
	for i, t := range list {
		out[i] = c.expr(t)
	}
	return out
}

// optional converts an expression that may be missing.
func (c *conv) optional(t tree) sqlast.Expr {
	if t.kind == "" {
		return nil
	}
	return c.expr(t)
}

// expr converts an expression.
func (c *conv) expr(t tree) sqlast.Expr {
	switch t.kind {
	case "ColumnRef":
		return c.columnRef(t.node)
	case "ParamRef":
		return c.param(t.node)
	case "A_Const":
		return c.constant(t.node)
	case "A_Expr":
		return c.operator(t.node)
	case "BoolExpr":
		return c.boolean(t.node)
	case "TypeCast":
		return c.cast(t.node)
	case "FuncCall":
		return c.call(t.node)
	case "NullTest":
		return front.IsNull(c.expr(t.child("arg")), t.str("nulltesttype") == "IS_NOT_NULL")
	case "BooleanTest":
		return c.truthTest(t.node)
	case "CaseExpr":
		return c.caseExpr(t.node)
	case "CoalesceExpr":
		return front.Call("COALESCE", c.exprs(t.list("args"))...)
	case "SubLink":
		return c.subquery(t.node)
	case "RowExpr":
		return &sqlast.Row{Items: c.exprs(t.list("args"))}
	}
	return c.rareExpr(t)
}

// rareExpr is the second half of expr.
func (c *conv) rareExpr(t tree) sqlast.Expr {
	switch t.kind {
	case "MinMaxExpr":
		return c.extreme(strings.TrimPrefix(t.str("op"), "IS_"), c.exprs(t.list("args")))
	case "SQLValueFunction":
		return c.valueFunction(t.node)
	case "SetToDefault":
		return &sqlast.Default{}
	case "CollateClause":
		return c.collate(t.node)
	case "GroupingFunc":
		return front.Call("GROUPING", c.exprs(t.list("args"))...)
	case "A_ArrayExpr":
		return c.arrayText(c.exprs(t.list("elements")))
	case "A_Indirection":
		c.refuse(t.child("arg").at(), "a part of an array or of a row", "keep lists as JSONB, and read them by ->")
	case "CurrentOfExpr":
		c.refuse(t.at(), "WHERE CURRENT OF", "there are no cursors: name the row by its key")
	case "ColumnDef":
		c.refuse(t.at(), "this expression", "")
	}
	c.refuse(t.at(), "this expression ("+t.kind+")", "")
	return nil
}

func (c *conv) columnRef(n node) sqlast.Expr {
	if fields := n.list("fields"); len(fields) > 0 && fields[len(fields)-1].kind == "A_Star" {
		c.refuse(n.at(), "a whole row as a value", "list its columns")
	}
	col := c.column(n)
	if c.excluded && col.Schema == "" && col.Table == "excluded" {
		return &sqlast.Values{Name: col.Name}
	}
	return col
}

// constant converts a literal.
func (c *conv) constant(n node) sqlast.Expr {
	switch {
	case n.is("isnull"):
		return front.Null()
	case n.has("ival"):
		return front.Int(n.message("ival").num("ival"))
	case n.has("fval"):
		text := strings.ReplaceAll(n.message("fval").str("fval"), "_", "")
		return c.numeral(text, n.at())
	case n.has("boolval"):
		if n.message("boolval").is("boolval") {
			return &sqlast.Lit{Kind: sqlast.LitTrue}
		}
		return &sqlast.Lit{Kind: sqlast.LitFalse}
	case n.has("sval"):
		s := n.message("sval").str("sval")
		if hexBytes.MatchString(s) {
			// A BYTEA column would take it for bytes, all others for text.
			c.refuse(n.at(), "a string that may be bytes", `write '\x…'::bytea, or '\x…'::text for the text`)
		}
		return front.Text(s)
	case n.has("bsval"):
		c.refuse(n.at(), "a bit string", `write a whole number, or '\x…'::bytea for bytes`)
	}
	c.refuse(n.at(), "this literal", "")
	return nil
}

var hexBytes = regexp.MustCompile(`^\\x([0-9A-Fa-f]{2})*$`)

// numeral gives a number's literal; one with an exponent is a DECIMAL in PostgreSQL
// and the number itself here.
func (c *conv) numeral(text string, at int) sqlast.Expr {
	lower := strings.ToLower(text)
	switch {
	case strings.HasPrefix(lower, "0x"), strings.HasPrefix(lower, "0o"), strings.HasPrefix(lower, "0b"):
		c.refuse(at, "a whole number of more than 32 bits that isn't decimal", "write it in decimal digits")
	case strings.ContainsAny(lower, "e"):
		return &sqlast.Lit{Kind: sqlast.LitFloat, Text: text}
	case !strings.Contains(text, "."):
		return &sqlast.Lit{Kind: sqlast.LitInt, Text: text}
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if whole == "" {
		whole = "0"
	}
	if fraction == "" {
		fraction = "0"
	}
	return &sqlast.Lit{Kind: sqlast.LitDecimal, Text: whole + "." + fraction}
}

func (c *conv) boolean(n node) sqlast.Expr {
	args := c.exprs(n.list("args"))
	switch n.str("boolop") {
	case "NOT_EXPR":
		if s, ok := args[0].(*sqlast.Subquery); ok && s.Kind == sqlast.SubExists {
			s.Not = !s.Not
			return s
		}
		return front.Not(args[0], true)
	case "OR_EXPR":
		return fold(sqlast.OpOr, args)
	}
	return fold(sqlast.OpAnd, args)
}

func fold(op sqlast.Op, args []sqlast.Expr) sqlast.Expr {
	out := args[0]
	for _, x := range args[1:] {
		out = front.Op(op, out, x)
	}
	return out
}

func (c *conv) truthTest(n node) sqlast.Expr {
	is := &sqlast.Is{X: c.expr(n.child("arg"))}
	switch kind := n.str("booltesttype"); strings.TrimPrefix(strings.TrimPrefix(kind, "IS_"), "NOT_") {
	case "TRUE":
		is.What = sqlast.IsTrue
	case "FALSE":
		is.What = sqlast.IsFalse
	}
	is.Not = strings.HasPrefix(n.str("booltesttype"), "IS_NOT_")
	return is
}

func (c *conv) caseExpr(n node) sqlast.Expr {
	out := &sqlast.Case{X: c.optional(n.child("arg")), Else: c.optional(n.child("defresult"))}
	for _, w := range n.list("args") {
		out.Whens = append(out.Whens, sqlast.When{Cond: c.expr(w.child("expr")), Then: c.expr(w.child("result"))})
	}
	return out
}

// extreme converts GREATEST and LEAST, which pass over NULLs, two by two.
func (c *conv) extreme(name string, args []sqlast.Expr) sqlast.Expr {
	out := args[0]
	for _, x := range args[1:] {
		out = front.Call("COALESCE", front.Call(name, c.twice(out), c.twice(x)), out, x)
	}
	return out
}

func (c *conv) collate(n node) sqlast.Expr {
	x := c.expr(n.child("arg"))
	parts := n.names("collname")
	switch name := parts[len(parts)-1]; name {
	case "C", "POSIX", "default", "ucs_basic", "C.UTF-8", "C.utf8":
		return &sqlast.Collate{X: x, Name: "utf8mb4_bin"}
	default:
		c.refuse(n.at(), "collation "+name, `text is ordered by its bytes, as with COLLATE "C"`)
	}
	return nil
}

// subquery converts EXISTS, IN, ANY, ALL and a query as a value.
func (c *conv) subquery(n node) sqlast.Expr {
	kind := n.str("subLinkType")
	switch kind {
	case "ARRAY_SUBLINK":
		return c.arrayOfQuery(n)
	case "MULTIEXPR_SUBLINK":
		c.refuse(n.at(), "SET (a, b) = (SELECT …)", "write UPDATE … FROM")
	}
	op, all := "=", kind == "ALL_SUBLINK"
	if names := n.names("operName"); len(names) > 0 {
		op = names[len(names)-1]
	}
	if list, ok := unnested(n.child("subselect")); ok && (all || kind == "ANY_SUBLINK") {
		return c.compared(n.child("testexpr"), op, list, all, n.at())
	}
	return c.subqueryOf(n, kind, op)
}

// subqueryOf is subquery for what isn't an array.
func (c *conv) subqueryOf(n node, kind, operator string) sqlast.Expr {
	inner := n.child("subselect").node
	if kind == "EXISTS_SUBLINK" && !inner.has("targetList") && !inner.has("valuesLists") && !inner.has("larg") {
		inner = maps.Clone(inner) // EXISTS (SELECT FROM …)
		inner["targetList"] = []any{map[string]any{"ResTarget": map[string]any{"val": map[string]any{"A_Const": map[string]any{"isnull": true}}}}}
	}
	q := c.query(inner)
	switch kind {
	case "EXISTS_SUBLINK":
		return &sqlast.Subquery{Kind: sqlast.SubExists, Query: q}
	case "EXPR_SUBLINK":
		return &sqlast.Subquery{Kind: sqlast.SubScalar, Query: q}
	}
	x := c.expr(n.child("testexpr"))
	op, ok := comparisons[operator]
	if !ok {
		c.refuse(n.at(), "operator "+operator+" with ANY or ALL", "")
	}
	sub := &sqlast.Subquery{Kind: sqlast.SubAny, X: x, Op: op, Query: q}
	if kind == "ALL_SUBLINK" {
		sub.Kind = sqlast.SubAll
	}
	if sub.Kind == sqlast.SubAny && op == sqlast.OpEq || sub.Kind == sqlast.SubAll && op == sqlast.OpNe {
		return &sqlast.In{X: x, Sub: q, Not: op == sqlast.OpNe}
	}
	return sub
}

// valueFunction converts CURRENT_TIMESTAMP and its kin.
func (c *conv) valueFunction(n node) sqlast.Expr {
	digits := 6
	if n.has("typmod") && n.num("typmod") >= 0 {
		digits = n.num("typmod")
	}
	switch op := n.str("op"); strings.TrimSuffix(op, "_N") {
	case "SVFOP_CURRENT_DATE":
		return front.Call("CURDATE")
	case "SVFOP_CURRENT_TIME", "SVFOP_LOCALTIME":
		return front.Call("CURTIME", front.Int(digits))
	case "SVFOP_CURRENT_TIMESTAMP", "SVFOP_LOCALTIMESTAMP":
		return front.Call("NOW", front.Int(digits))
	case "SVFOP_CURRENT_USER", "SVFOP_USER", "SVFOP_SESSION_USER", "SVFOP_CURRENT_ROLE":
		return front.Call("SUBSTRING_INDEX", front.Call("USER"), front.Text("@"), front.Int(1))
	}
	if n.str("op") == "SVFOP_CURRENT_SCHEMA" {
		return front.Text("public")
	}
	return front.Call("DATABASE")
}
