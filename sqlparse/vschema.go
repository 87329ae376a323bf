package sqlparse

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// alterVSchema parses ALTER VSCHEMA, as Vitess's grammar has it.
func (c *cursor) alterVSchema() sqlast.Stmt {
	c.i += 2
	a := &sqlast.AlterVSchema{}
	switch {
	case c.take("CREATE", "VINDEX"):
		a.Action = "create vindex"
		c.vindexName(a)
		c.vindexSpec(a)
	case c.take("DROP", "VINDEX"):
		a.Action = "drop vindex"
		c.vindexName(a)
	case c.take("ADD", "TABLE"):
		a.Action, a.Table = "add table", c.table()
	case c.take("DROP", "TABLE"):
		a.Action, a.Table = "drop table", c.table()
	case c.take("ADD", "SEQUENCE"):
		a.Action, a.Sequence = "add sequence", c.table()
	case c.take("DROP", "SEQUENCE"):
		a.Action, a.Sequence = "drop sequence", c.table()
	case c.take("ON"):
		a.Table = c.table()
		c.onTable(a)
	default:
		c.stop("CREATE VINDEX, DROP VINDEX, ADD|DROP TABLE, ADD|DROP SEQUENCE or ON table was expected")
	}
	c.end()
	return a
}

// onTable parses what follows ALTER VSCHEMA ON t.
func (c *cursor) onTable(a *sqlast.AlterVSchema) {
	switch {
	case c.take("ADD", "VINDEX"):
		a.Action, a.Vindex = "add vindex", c.ident("a vindex's name")
		if !c.takeOp("(") {
			c.stop("the vindex's columns (a, …) were expected")
		}
		for {
			a.Columns = append(a.Columns, c.ident("a column's name"))
			if !c.takeOp(",") {
				break
			}
		}
		if !c.takeOp(")") {
			c.stop(") was expected")
		}
		c.vindexSpec(a)
	case c.take("DROP", "VINDEX"):
		a.Action, a.Vindex = "drop vindex on", c.ident("a vindex's name")
	case c.take("ADD", "AUTO_INCREMENT"):
		a.Action, a.Column = "add auto_increment", c.ident("a column's name")
		c.expect("USING")
		a.Sequence = c.table()
	case c.take("DROP", "AUTO_INCREMENT"):
		a.Action = "drop auto_increment"
	default:
		c.stop("ADD|DROP VINDEX or ADD|DROP AUTO_INCREMENT was expected")
	}
}

// vindexName reads [keyspace.]vindex; the keyspace goes into Table.Schema.
func (c *cursor) vindexName(a *sqlast.AlterVSchema) {
	t := c.table()
	a.Vindex = t.Name
	if t.Schema != "" {
		a.Table = &sqlast.TableRef{Schema: t.Schema, Pos: t.Pos}
	}
}

// vindexSpec parses [USING type] [WITH k=v, …].
func (c *cursor) vindexSpec(a *sqlast.AlterVSchema) {
	if c.take("USING") {
		a.Type = strings.ToLower(c.ident("a vindex type"))
	}
	if !c.take("WITH") {
		return
	}
	a.Params = map[string]string{}
	for {
		key := strings.ToLower(c.ident("a parameter's name"))
		if !c.takeOp("=") {
			c.stop("= was expected")
		}
		a.Params[key] = c.vindexParam()
		if !c.takeOp(",") {
			return
		}
	}
}

// vindexParam reads a parameter's value: a string, a number, or names joined by
// dots.
func (c *cursor) vindexParam() string {
	if c.done() {
		c.stop("a value was expected")
	}
	switch c.toks[c.i].kind {
	case tokString:
		return c.str("a value")
	case tokNumber:
		c.i++
		return c.word(c.i - 1)
	}
	v := c.ident("a value")
	for c.takeOp(".") {
		v += "." + c.ident("a name")
	}
	return v
}
