package sqlparse

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// explain parses EXPLAIN and VEXPLAIN in all their forms.
func (c *cursor) explain(first string) sqlast.Stmt {
	c.i++
	e := &sqlast.Explain{Vexplain: first == "VEXPLAIN"}
	if e.Vexplain {
		e.Format = "PLAN"
		for _, f := range []string{"PLAN", "QUERIES", "ALL", "TRACE", "KEYS"} {
			if c.take(f) {
				e.Format = f
			}
		}
	} else {
		for c.explainOption(e) {
		}
	}
	if c.done() {
		c.stop("a statement or a table was expected")
	}
	switch c.upper(c.i) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "TABLE":
	case "FOR":
		c.refuse(c.i, "EXPLAIN FOR CONNECTION")
	case "":
		if c.is(c.i, "(") {
			break
		}
		return c.describe(e)
	default:
		if e.Vexplain {
			c.stop("SELECT, INSERT, UPDATE, DELETE or REPLACE was expected")
		}
		return c.describe(e)
	}
	lo, hi := c.bytes(c.i, c.hi)
	e.Text = c.text[lo:hi]
	e.Stmt = c.statement(c.i, c.hi)
	return e
}

// explainOption reads FORMAT = x, ANALYZE, EXTENDED or PARTITIONS.
func (c *cursor) explainOption(e *sqlast.Explain) bool {
	switch {
	case c.kw(c.i, "FORMAT") && c.is(c.i+1, "="):
		c.i += 2
		if !c.done() && c.toks[c.i].kind == tokString {
			e.Format = strings.ToUpper(c.str("a format"))
		} else {
			e.Format = strings.ToUpper(c.ident("a format"))
		}
	case c.kw(c.i, "ANALYZE") && c.i+1 < c.hi:
		c.i++
		e.Analyze = true
	case (c.kw(c.i, "EXTENDED") || c.kw(c.i, "PARTITIONS")) && c.i+1 < c.hi && c.toks[c.i+1].kind == tokWord:
		c.i++
	default:
		return false
	}
	return true
}

// describe parses the rest of DESCRIBE t [column].
func (c *cursor) describe(e *sqlast.Explain) sqlast.Stmt {
	e.Table = c.table()
	if !c.done() {
		if c.toks[c.i].kind == tokString {
			e.Column = c.str("a column")
		} else {
			e.Column = c.ident("a column's name")
		}
	}
	c.end()
	return e
}

// show parses SHOW: words up to the first clause say what is shown.
func (c *cursor) show() sqlast.Stmt {
	lo, hi := c.bytes(c.i, c.hi)
	sh := &sqlast.Show{Text: c.text[lo:hi]}
	c.i++
	switch {
	case c.take("GLOBAL"):
		sh.Global = true
	default:
		_ = c.take("SESSION") || c.take("LOCAL")
	}
	if c.take("CREATE") {
		return c.showCreate(sh)
	}
	var words []string
	for !c.done() && c.toks[c.i].kind == tokWord && !c.showClause() {
		words = append(words, c.upper(c.i))
		c.i++
	}
	if len(words) == 0 && !c.kw(c.i, "COUNT") {
		c.stop("what to show was expected")
	}
	if len(words) == 1 && words[0] == "COUNT" && c.takeOp("(") && c.takeOp("*") && c.takeOp(")") {
		words = append(words, c.upper(c.i))
		c.i++
	}
	sh.What = showWhat(words)
	c.showClauses(sh)
	return sh
}

// showWhat joins the words, synonyms replaced.
func showWhat(words []string) string {
	for i, w := range words {
		switch w {
		case "FIELDS":
			words[i] = "COLUMNS"
		case "INDEXES", "KEYS":
			words[i] = "INDEX"
		case "SCHEMAS":
			words[i] = "DATABASES"
		case "CHARSET":
			words[i] = "CHARACTER SET"
		}
	}
	if len(words) == 2 && words[0] == "STORAGE" {
		words = words[1:]
	}
	return strings.Join(words, " ")
}

// showClause says whether a clause begins at the current token.
func (c *cursor) showClause() bool {
	switch c.upper(c.i) {
	case "FROM", "IN", "LIKE", "WHERE", "ON", "FOR", "LIMIT":
		return true
	}
	return false
}

// showCreate parses SHOW CREATE TABLE t and its kin.
func (c *cursor) showCreate(sh *sqlast.Show) sqlast.Stmt {
	kind := strings.ToUpper(c.ident("TABLE, VIEW or DATABASE"))
	if kind == "SCHEMA" {
		kind = "DATABASE"
	}
	sh.What = "CREATE " + kind
	if kind == "DATABASE" {
		if c.take("IF") {
			c.expect("NOT", "EXISTS")
		}
		sh.Name = c.ident("a database's name")
		sh.Schema = sh.Name
	} else {
		sh.Table = c.table()
		sh.Name = sh.Table.Name
	}
	c.end()
	return sh
}

// showClauses parses FROM, ON, FOR, LIKE, WHERE and LIMIT.
func (c *cursor) showClauses(sh *sqlast.Show) {
	ofTable := strings.HasSuffix(sh.What, "COLUMNS") || strings.HasSuffix(sh.What, "INDEX") || sh.What == "VSCHEMA VINDEXES"
	for !c.done() {
		switch {
		case c.take("FROM"), c.take("IN"), c.take("ON"):
			switch {
			case ofTable && sh.Table == nil:
				sh.Table = c.table()
			default:
				sh.Schema = c.ident("a database's name")
				if sh.Table != nil {
					sh.Table.Schema = sh.Schema
				}
			}
		case c.take("LIKE"):
			sh.Like, sh.HasLike = c.str("a pattern"), true
		case c.take("WHERE"):
			sh.Where = c.restExpr()
		case c.take("FOR"):
			if sh.What == "GRANTS" {
				lo, hi := c.bytes(c.i, c.hi)
				sh.Name, c.i = c.text[lo:hi], c.hi
			} else if c.done() || c.toks[c.i].kind != tokString {
				sh.Name = c.ident("a name")
			}
		case c.take("LIMIT"):
			c.i = c.hi // of warnings: we have few
		case c.toks[c.i].kind == tokString:
			sh.Name = c.str("a name")
		case c.toks[c.i].kind == tokQuoted:
			sh.Name = c.ident("a name")
		default:
			c.end()
		}
	}
}

// set parses SET.
func (c *cursor) set() sqlast.Stmt {
	c.i++
	st := &sqlast.Set{}
	switch {
	case c.done():
		c.stop("a variable was expected")
	case c.kw(c.i, "PASSWORD"), c.kw(c.i, "ROLE"), c.kw(c.i, "DEFAULT"), c.kw(c.i, "RESOURCE"):
		c.refuse(c.i, "SET "+c.upper(c.i))
	}
	for !c.done() {
		end := c.comma()
		part := &cursor{scan: c.scan, i: c.i, hi: end}
		if n := len(st.Vars); n > 0 && strings.HasPrefix(st.Vars[n-1].Name, "transaction_") && (c.kw(c.i, "READ") || c.kw(c.i, "ISOLATION")) {
			st.Vars = append(st.Vars, part.setTransaction(st.Vars[n-1].Scope)...)
		} else {
			st.Vars = append(st.Vars, part.setPart()...)
		}
		c.i = end
		if c.takeOp(",") && c.done() {
			c.stop("a variable was expected")
		}
	}
	return st
}

// comma gives the index of the next comma outside of brackets, or the end.
func (c *cursor) comma() int {
	depth := 0
	for i := c.i; i < c.hi; i++ {
		switch {
		case c.is(i, "("):
			depth++
		case c.is(i, ")"):
			depth--
		case depth == 0 && c.is(i, ","):
			return i
		}
	}
	return c.hi
}

// setPart parses one assignment of a SET.
func (c *cursor) setPart() []sqlast.SetVar {
	switch {
	case c.take("NAMES"):
		return c.setNames("names")
	case c.take("CHARACTER", "SET"), c.take("CHARSET"):
		return c.setNames("character set")
	}
	v := sqlast.SetVar{Scope: "session"}
	scoped := true
	switch {
	case c.take("GLOBAL"):
		v.Scope = "global"
	case c.take("PERSIST"), c.take("PERSIST_ONLY"):
		v.Scope = "persist"
	case c.take("SESSION"), c.take("LOCAL"):
	default:
		scoped = false
	}
	if c.take("TRANSACTION") {
		if !scoped {
			v.Scope = "transaction"
		}
		return c.setTransaction(v.Scope)
	}
	c.setTarget(&v)
	if c.takeOp(":") {
		if !c.takeOp("=") {
			c.stop("= was expected")
		}
	} else if !c.takeOp("=") {
		c.stop("= was expected")
	}
	c.setValue(&v)
	return []sqlast.SetVar{v}
}

// setTarget reads the variable's name.
func (c *cursor) setTarget(v *sqlast.SetVar) {
	if c.done() || c.toks[c.i].kind != tokVar {
		v.Name = strings.ToLower(c.ident("a variable's name"))
		for c.takeOp(".") {
			v.Name += "." + strings.ToLower(c.ident("a variable's name"))
		}
		return
	}
	name, system := strings.CutPrefix(c.word(c.i), "@@")
	if !system {
		v.Scope, v.Name = "user", strings.ToLower(c.userVar())
		return
	}
	c.i++
	name = strings.ToLower(strings.ReplaceAll(name, "`", ""))
	if scope, rest, ok := strings.Cut(name, "."); ok {
		switch scope {
		case "global":
			v.Scope, name = "global", rest
		case "persist", "persist_only":
			v.Scope, name = "persist", rest
		case "session", "local":
			name = rest
		}
	}
	v.Name = name
}

// setValue reads the value: DEFAULT, a bare word, or an expression.
func (c *cursor) setValue(v *sqlast.SetVar) {
	if c.i+1 == c.hi && c.isName(c.i) && v.Scope != "user" {
		switch c.upper(c.i) {
		case "DEFAULT":
			return
		case "NULL", "TRUE", "FALSE", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_USER":
		default:
			v.Text = c.name(c.i)
			v.Value = &sqlast.Lit{Kind: sqlast.LitString, Text: v.Text}
			return
		}
	}
	v.Value = c.restExpr()
}

// setNames parses the rest of SET NAMES x [COLLATE y].
func (c *cursor) setNames(name string) []sqlast.SetVar {
	word := func() string {
		if !c.done() && c.toks[c.i].kind == tokString {
			return c.str("a character set")
		}
		return c.ident("a character set")
	}
	cs := word()
	out := []sqlast.SetVar{{Scope: "names", Name: name, Text: cs, Value: &sqlast.Lit{Kind: sqlast.LitString, Text: cs}}}
	if strings.EqualFold(cs, "DEFAULT") {
		out[0].Text, out[0].Value = "", nil
	}
	if c.take("COLLATE") {
		co := word()
		out = append(out, sqlast.SetVar{
			Scope: "session", Name: "collation_connection", Text: co,
			Value: &sqlast.Lit{Kind: sqlast.LitString, Text: co},
		})
	}
	c.end()
	return out
}

// setTransaction parses the rest of SET TRANSACTION, as settings of
// transaction_isolation and transaction_read_only.
func (c *cursor) setTransaction(scope string) []sqlast.SetVar {
	var v sqlast.SetVar
	switch {
	case c.take("ISOLATION", "LEVEL"):
		var words []string
		for !c.done() {
			words = append(words, strings.ToUpper(c.ident("an isolation level")))
		}
		v = sqlast.SetVar{Scope: scope, Name: "transaction_isolation", Text: strings.Join(words, "-")}
		switch v.Text {
		case "READ-UNCOMMITTED", "READ-COMMITTED", "REPEATABLE-READ", "SNAPSHOT", "SERIALIZABLE":
		default:
			c.stop("an isolation level was expected")
		}
		v.Value = &sqlast.Lit{Kind: sqlast.LitString, Text: v.Text}
	case c.take("READ", "ONLY"):
		v = sqlast.SetVar{Scope: scope, Name: "transaction_read_only", Value: &sqlast.Lit{Kind: sqlast.LitInt, Text: "1"}}
	case c.take("READ", "WRITE"):
		v = sqlast.SetVar{Scope: scope, Name: "transaction_read_only", Value: &sqlast.Lit{Kind: sqlast.LitInt, Text: "0"}}
	default:
		c.stop("ISOLATION LEVEL, READ ONLY or READ WRITE was expected")
	}
	c.end()
	return []sqlast.SetVar{v}
}
