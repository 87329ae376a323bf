package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// tableFunction reads a function in FROM: json_each, or a PRAGMA that is a query.
func (p *parser) tableFunction(t *sqlast.TableRef, at int) sqlast.TableExpr {
	name := strings.ToLower(t.Name)
	p.needOp("(")
	var args []sqlast.Expr
	if !p.isOp(0, ")") {
		args = p.exprs()
	}
	p.needOp(")")
	out := &sqlast.Derived{Alias: p.alias()}
	if out.Alias == "" {
		out.Alias = t.Name
	}
	if pragma, ok := strings.CutPrefix(name, "pragma_"); ok && len(args) == 1 {
		if arg, text := front.StringOf(args[0]); text {
			if out.Query = pragmaQuery(pragma, arg); out.Query != nil {
				return out
			}
		}
	}
	if name != "json_each" || len(args) < 1 || len(args) > 2 {
		p.refuse(at, t.Name+"() as a table", "json_each can be one")
	}
	doc := args[0]
	if len(args) == 2 {
		doc = native(sqlast.ClassJSON, "json_extract", args[0], args[1])
	}
	out.Lateral, out.Query = true, p.members(doc)
	return out
}

// members are those of an array, or of an object, as json_each has them. What it is may
// hang on the row, so that there are both queries, but for a literal.
func (p *parser) members(doc sqlast.Expr) sqlast.Query {
	again := func() sqlast.Expr {
		p.repeats = true
		return sqlast.CloneExpr(doc)
	}
	rows := func(doc sqlast.Expr, c *sqlast.JSONColumn) *sqlast.Derived {
		return &sqlast.Derived{Alias: "_e", Lateral: true, JSON: &sqlast.JSONTable{Path: "$[*]", Columns: []*sqlast.JSONColumn{c}},
			Query: &sqlast.Select{Items: []sqlast.SelectItem{{Expr: doc}}}}
	}
	member := func(key, path sqlast.Expr, from *sqlast.Derived) *sqlast.Select {
		value := func() sqlast.Expr {
			return native(sqlast.ClassUnknown, "json_extract", again(), sqlast.CloneExpr(path))
		}
		kind := func() sqlast.Expr { return native(sqlast.ClassText, "json_type", again(), sqlast.CloneExpr(path)) }
		compound := &sqlast.In{X: kind(), List: []sqlast.Expr{front.Text("array"), front.Text("object")}}
		return &sqlast.Select{From: from, Items: []sqlast.SelectItem{{Expr: key, Alias: "key"}, {Expr: value(), Alias: "value"}, {Expr: kind(), Alias: "type"},
			{Expr: front.When(compound, front.Null(), value()), Alias: "atom"}}}
	}
	join := func(a string, x sqlast.Expr, b string) sqlast.Expr {
		return front.Op(sqlast.OpConcat, front.Op(sqlast.OpConcat, front.Text(a), x), front.Text(b))
	}
	number := &sqlast.JSONColumn{Name: "_i", Kind: sqlast.JSONOrdinality, Type: sqlast.TypeOf(sqlast.ClassInt)}
	number.Type.Name = "BIGINT"
	at := func() sqlast.Expr { return front.Op(sqlast.OpSub, front.Column("_e", "_i"), front.Int(1)) }
	elements := member(at(), join("$[", front.Cast(at(), "CHAR", sqlast.ClassText, -1, -1), "]"), rows(again(), number))
	elements.Where = front.Op(sqlast.OpEq, native(sqlast.ClassText, "json_type", again()), front.Text("array"))
	name := &sqlast.JSONColumn{Name: "_k", Path: "$", Type: sqlast.TypeOf(sqlast.ClassText)}
	name.Type.Name = "TEXT"
	fields := member(front.Column("_e", "_k"), join(`$."`, front.Column("_e", "_k"), `"`), rows(front.Call("JSON_KEYS", again()), name))
	if s, literal := front.StringOf(doc); literal {
		if strings.HasPrefix(strings.TrimSpace(s), "{") {
			return fields
		}
		return elements
	}
	return &sqlast.SetOp{All: true, L: elements, R: fields}
}

// sequences is what stands for sqlite_sequence: the numbers that were given out.
func sequences(t *sqlast.TableRef) sqlast.TableExpr {
	next := func() sqlast.Expr { return front.Column("", "AUTO_INCREMENT") }
	return &sqlast.Derived{Alias: t.Label(), Query: &sqlast.Select{
		Items: []sqlast.SelectItem{{Expr: front.Column("", "TABLE_NAME"), Alias: "name"}, {Expr: front.Op(sqlast.OpSub, next(), front.Int(1)), Alias: "seq"}},
		From:  &sqlast.TableRef{Schema: "information_schema", Name: "TABLES", Pos: -1},
		Where: sqlast.And(front.Op(sqlast.OpEq, front.Column("", "TABLE_SCHEMA"), front.Call("DATABASE")), front.Op(sqlast.OpGt, next(), front.Int(1)))}}
}

// setSequence is what a dump does to sqlite_sequence: DELETE of all, which is nothing to
// tables that are empty, and INSERT of the last number of each; nil for other writes.
func setSequence(stmt sqlast.Stmt) sqlast.Stmt {
	switch x := stmt.(type) {
	case *sqlast.Delete:
		if x.Where == nil {
			return &sqlast.Empty{}
		}
	case *sqlast.Insert:
		if len(x.Rows) != 1 || len(x.Rows[0]) != 2 {
			return nil
		}
		table, ok := front.StringOf(x.Rows[0][0])
		last, ok2 := front.IntOf(x.Rows[0][1])
		if ok && ok2 {
			return &sqlast.AlterTable{Table: &sqlast.TableRef{Name: table, Pos: x.Table.Pos}, Specs: []sqlast.AlterSpec{{Kind: sqlast.AlterAutoInc, AutoInc: int64(last) + 1}}}
		}
	}
	return nil
}
