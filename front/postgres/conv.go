package postgres

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// conv makes sqlast of one statement's tree. It gives up by panicking with a
// *sqlast.SyntaxError, which Parse catches.
type conv struct {
	text    string
	root    node // of the statement
	params  int
	used    map[int]bool
	repeats bool
	// lists are the parameters that are lists, lengths theirs, or nil when these aren't
	// known yet; given is the number of parameters that the program gives.
	lists   []sqlast.ListParam
	lengths []int
	given   int
	// depth counts the queries that enclose the one at hand.
	depth int
	// excluded: ON CONFLICT's SET list is being read, where excluded is the new row.
	excluded bool
	// anonymous counts the derived tables without a name.
	anonymous int
	// steps run before the statement; inner: its own WITH is read, so that others are
	// those of queries in it; explaining: it is EXPLAIN's.
	steps             []sqlast.Step
	inner, explaining bool
	// catalog: the statement reads information_schema.
	catalog bool
}

// refuse gives up because of a construct that isn't run.
func (c *conv) refuse(at int, what, instead string) {
	panic(sqlast.UnsupportedAt(c.text, at, what, instead))
}

// fail gives up with a syntax error.
func (c *conv) fail(at int, message string) { panic(sqlast.ErrorAt(c.text, at, message)) }

// later leaves to the binder what args become. f gives up as conversions do.
func (c *conv) later(f func(args []sqlast.Expr) sqlast.Expr, args ...sqlast.Expr) sqlast.Expr {
	return front.Later(func(args []sqlast.Expr) (x sqlast.Expr, err error) {
		defer func() {
			switch r := recover().(type) {
			case nil:
			case *sqlast.SyntaxError:
				err = r
			default:
				panic(r)
			}
		}()
		return f(args), nil
	}, args...)
}

// twice gives a copy of x, which is to stand in two places.
func (c *conv) twice(x sqlast.Expr) sqlast.Expr {
	c.maybeTwice(x)
	return sqlast.CloneExpr(x)
}

// maybeTwice notes that x may come to stand in two places.
func (c *conv) maybeTwice(x sqlast.Expr) {
	sqlast.WalkDeep(x, func(x sqlast.Expr) bool {
		if _, ok := x.(*sqlast.Param); ok {
			c.repeats = true
		}
		return true
	})
}

func (c *conv) param(n node) sqlast.Expr {
	i := c.numbered(n)
	if c.listAt(i) >= 0 {
		c.mixed(n)
	}
	c.repeats = c.repeats || c.used[i]
	c.used[i] = true
	return &sqlast.Param{Index: i}
}

// numbered gives a parameter's index.
func (c *conv) numbered(n node) int {
	i := n.num("number")
	if i < 1 || i > 65535 {
		c.fail(n.at(), "a parameter's number must be from 1 to 65535")
	}
	c.params = max(c.params, i)
	return i - 1
}

// statement converts any statement.
func (c *conv) statement(t tree) sqlast.Stmt {
	switch t.kind {
	case "SelectStmt":
		if t.has("intoClause") {
			return c.selectInto(t.node)
		}
		q := c.query(t.node)
		c.readBefore(q)
		return q
	case "InsertStmt":
		return c.insert(t.node)
	case "UpdateStmt":
		return c.update(t.node)
	case "DeleteStmt":
		return c.delete(t.node)
	case "MergeStmt":
		c.refuse(t.at(), "MERGE", "write INSERT … ON CONFLICT, or UPDATE and INSERT")
	case "TransactionStmt":
		return c.transaction(t.node)
	case "VariableSetStmt":
		return c.set(t.node)
	case "VariableShowStmt":
		return c.show(t.node)
	case "ExplainStmt":
		return c.explain(t.node)
	case "VacuumStmt":
		return c.vacuum(t.node)
	case "DiscardStmt", "CheckPointStmt":
		return &sqlast.Empty{}
	case "LockStmt":
		return &sqlast.LockTables{}
	}
	return c.definition(t)
}

// table converts a table's name.
func (c *conv) table(n node) *sqlast.TableRef { return c.inSchema(c.tableNamed(n), n) }

// inSchema gives a table its schema.
func (c *conv) inSchema(t *sqlast.TableRef, n node) *sqlast.TableRef {
	t.Schema = c.schema(n.str("schemaname"), n.at())
	return t
}

// tableNamed is a table without its schema.
func (c *conv) tableNamed(n node) *sqlast.TableRef {
	t := &sqlast.TableRef{Name: n.str("relname"), Pos: n.at()}
	if n.has("catalogname") {
		c.refuse(n.at(), "a table's name with its catalog, "+n.str("catalogname"), "leave the catalog out: a schema is a keyspace")
	}
	if a := n.message("alias"); a != nil {
		t.Alias = a.str("aliasname")
		if a.has("colnames") {
			c.refuse(n.at(), "a list of column names behind table "+t.Name, "name the columns in a subquery")
		}
	}
	return t
}

// schema gives the keyspace that a schema's name means: "public" is the session's own.
func (c *conv) schema(name string, at int) string {
	switch name {
	case "public":
		return ""
	case "information_schema":
		c.catalog = true
	case "pg_catalog":
		c.refuse(at, "PostgreSQL's catalog pg_catalog", "information_schema has the tables and columns")
	}
	return name
}

// qualified gives the schema and name of a name in parts.
func (c *conv) qualified(parts []string, at int) (schema, name string) {
	switch len(parts) {
	case 1:
		return "", parts[0]
	case 2:
		return c.schema(parts[0], at), parts[1]
	}
	c.refuse(at, "the name "+strings.Join(parts, "."), "a name has a schema before it at the most")
	return "", ""
}

// column converts a column's name.
func (c *conv) column(n node) *sqlast.Col {
	parts := n.names("fields")
	col := &sqlast.Col{Pos: n.at()}
	switch len(parts) {
	case 3:
		col.Schema, col.Table, col.Name = c.schema(parts[0], n.at()), parts[1], parts[2]
	case 2:
		col.Table, col.Name = parts[0], parts[1]
	case 1:
		col.Name = parts[0]
	default:
		c.refuse(n.at(), "this name", "")
	}
	return col
}
