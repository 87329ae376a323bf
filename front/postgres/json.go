package postgres

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// jsonOperator converts the operators of JSON and JSONB.
func (c *conv) jsonOperator(name string, l, r sqlast.Expr, at int) sqlast.Expr {
	switch name {
	case "->":
		return c.later(func(a []sqlast.Expr) sqlast.Expr { return front.Call("JSON_EXTRACT", a[0], c.step(a[1])) }, l, r)
	case "->>":
		return c.later(func(a []sqlast.Expr) sqlast.Expr { return c.jsonText(a[0], c.step(a[1])) }, l, r)
	case "#>":
		return front.Call("JSON_EXTRACT", l, c.path(r, at))
	case "#>>":
		path := c.path(r, at)
		return c.later(func(a []sqlast.Expr) sqlast.Expr { return c.jsonText(a[0], path) }, l)
	case "#-":
		return front.Call("JSON_REMOVE", l, c.path(r, at))
	case "@>":
		return front.Call("JSON_CONTAINS", l, r)
	case "<@":
		return front.Call("JSON_CONTAINS", r, l)
	case "?":
		return c.hasKey(l, r)
	}
	c.refuse(at, "operator "+name, "")
	return nil
}

// step is the path of one step: a member by name, an element by number.
func (c *conv) step(key sqlast.Expr) sqlast.Expr {
	if s, ok := front.StringOf(key); ok {
		return front.Text("$." + strconv.Quote(s))
	}
	if n, ok := front.IntOf(key); ok {
		return front.Text("$" + element(n))
	}
	if key.Type().Class == sqlast.ClassInt {
		return front.Call("CONCAT", front.Text("$["), key, front.Text("]"))
	}
	return front.Call("CONCAT", front.Text("$."), front.Call("JSON_QUOTE", key))
}

// element is an element's step; negative numbers count from the end.
func element(n int) string {
	switch {
	case n >= 0:
		return "[" + strconv.Itoa(n) + "]"
	case n == -1:
		return "[last]"
	}
	return "[last-" + strconv.Itoa(-n-1) + "]"
}

// path is that of '{a,0,b}' and of ARRAY['a','0','b'].
func (c *conv) path(x sqlast.Expr, at int) sqlast.Expr {
	s, ok := front.StringOf(x)
	if !ok || !strings.HasPrefix(s, "{") || !strings.HasSuffix(s, "}") {
		c.refuse(at, "a JSON path that isn't a literal", "write '{a,b}', or x -> 'a' -> 'b'")
	}
	path := "$"
	for _, part := range strings.Split(s[1:len(s)-1], ",") {
		part = strings.Trim(strings.TrimSpace(part), `"`)
		if n, err := strconv.Atoi(part); err == nil {
			path += element(n)
		} else if part != "" {
			path += "." + strconv.Quote(part)
		}
	}
	return front.Text(path)
}

// jsonText is a value of JSON as text; JSON's null is NULL.
func (c *conv) jsonText(doc, path sqlast.Expr) sqlast.Expr {
	c.maybeTwice(doc)
	c.maybeTwice(path)
	get := func() sqlast.Expr {
		return front.Call("JSON_EXTRACT", sqlast.CloneExpr(doc), sqlast.CloneExpr(path))
	}
	isNull := front.Op(sqlast.OpEq, front.Call("JSON_TYPE", get()), front.Text("NULL"))
	return front.When(isNull, front.Null(), front.Call("JSON_UNQUOTE", get()))
}

// hasKey is doc ? key: a member's name, or a string among the elements.
func (c *conv) hasKey(doc, key sqlast.Expr) sqlast.Expr {
	c.maybeTwice(doc)
	c.maybeTwice(key)
	return c.later(func(a []sqlast.Expr) sqlast.Expr {
		member := front.Call("JSON_CONTAINS_PATH", a[0], front.Text("one"), c.step(asKey(a[1])))
		among := front.Call("JSON_CONTAINS", sqlast.CloneExpr(a[0]), front.Call("JSON_QUOTE", sqlast.CloneExpr(asKey(a[1]))))
		return front.Op(sqlast.OpOr, member, among)
	}, doc, key)
}

// hasKeys is doc ?| keys, and doc ?& keys for all of them.
func (c *conv) hasKeys(n node, all bool) sqlast.Expr {
	list := c.arrayOf(n.child("rexpr"), false, "write doc ? 'a' OR doc ? 'b'")
	switch {
	case list.null:
		return front.Null()
	case len(list.members) == 0:
		c.refuse(n.at(), "no keys to look for", "")
	}
	doc := c.expr(n.child("lexpr"))
	out := make([]sqlast.Expr, len(list.members))
	for i, key := range list.members {
		out[i] = c.hasKey(c.twice(doc), key)
	}
	if all {
		return fold(sqlast.OpAnd, out)
	}
	return fold(sqlast.OpOr, out)
}

// asKey is a member's name as text.
func asKey(x sqlast.Expr) sqlast.Expr {
	if isParam(x) {
		return front.Cast(x, "CHAR", sqlast.ClassText, -1, -1)
	}
	return x
}

// without is jsonb - key.
func (c *conv) without(doc, key sqlast.Expr, at int) sqlast.Expr {
	if _, ok := front.StringOf(key); !ok {
		if _, ok := front.IntOf(key); !ok {
			c.refuse(at, "JSONB less what isn't a literal", "name the member, or use #- '{a,b}'")
		}
	}
	return front.Call("JSON_REMOVE", doc, c.step(key))
}

// jsonFuncs convert the functions of JSON.
func (c *conv) jsonFunc(name string, args []sqlast.Expr, at int) (sqlast.Expr, bool) {
	name = strings.TrimPrefix(strings.Replace(name, "jsonb_", "json_", 1), "json_")
	switch {
	case name == "build_object":
		return front.Call("JSON_OBJECT", c.asJSONs(args, true)...), len(args)%2 == 0
	case name == "build_array":
		return front.Call("JSON_ARRAY", c.asJSONs(args, false)...), true
	case name == "array_length" && len(args) == 1:
		return front.Call("JSON_LENGTH", args[0]), true
	case name == "typeof" && len(args) == 1:
		typ := func(names ...string) *sqlast.In {
			in := &sqlast.In{X: front.Call("JSON_TYPE", c.twice(args[0]))}
			for _, n := range names {
				in.List = append(in.List, front.Text(n))
			}
			return in
		}
		return &sqlast.Case{Whens: []sqlast.When{
			{Cond: typ("INTEGER", "UNSIGNED INTEGER", "DOUBLE", "DECIMAL"), Then: front.Text("number")},
		}, Else: front.Call("LOWER", front.Call("JSON_TYPE", args[0]))}, true
	case name == "set" && (len(args) == 3 || len(args) == 4):
		f := "JSON_SET"
		if len(args) == 4 {
			l, ok := args[3].(*sqlast.Lit)
			if !ok || l.Kind != sqlast.LitTrue && l.Kind != sqlast.LitFalse {
				c.refuse(at, "jsonb_set whose last argument isn't TRUE or FALSE", "")
			}
			if l.Kind == sqlast.LitFalse {
				f = "JSON_REPLACE"
			}
		}
		value := args[2]
		if _, ok := front.StringOf(value); ok || isParam(value) {
			value = front.Cast(value, "JSON", sqlast.ClassJSON, -1, -1)
		}
		return front.Call(f, args[0], c.path(args[1], at), value), true
	case strings.HasPrefix(name, "extract_path") && len(args) > 1:
		keys := make([]string, 0, len(args))
		for _, key := range args[1:] {
			if s, ok := front.StringOf(key); ok {
				keys = append(keys, `"`+s+`"`)
			}
		}
		if len(keys) == len(args)-1 {
			op := map[bool]string{true: "#>>", false: "#>"}[strings.HasSuffix(name, "_text")]
			return c.jsonOperator(op, args[0], front.Text("{"+strings.Join(keys, ",")+"}"), at), true
		}
		doc := args[0]
		for _, key := range args[1 : len(args)-1] {
			doc = c.jsonOperator("->", doc, key, at)
		}
		op := map[bool]string{true: "->>", false: "->"}[strings.HasSuffix(name, "_text")]
		return c.jsonOperator(op, doc, args[len(args)-1], at), true
	case name == "pretty" && len(args) == 1:
		return front.Call("JSON_PRETTY", args[0]), true
	}
	return nil, false
}
