package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *parser) transaction() sqlast.Stmt {
	at := p.peek().start
	switch {
	case p.take("BEGIN"):
		_ = p.take("DEFERRED") || p.take("IMMEDIATE") || p.take("EXCLUSIVE")
		p.take("TRANSACTION")
		return &sqlast.Begin{}
	case p.take("COMMIT"), p.take("END"):
		p.take("TRANSACTION")
		return &sqlast.Commit{}
	case p.take("ROLLBACK"):
		p.take("TRANSACTION")
		r := &sqlast.Rollback{}
		if p.take("TO") {
			p.take("SAVEPOINT")
			r.To = p.name()
		}
		return r
	case p.take("SAVEPOINT"):
		return &sqlast.Savepoint{Name: p.name()}
	case p.take("RELEASE"):
		p.take("SAVEPOINT")
		return &sqlast.Release{Name: p.name()}
	case p.take("ANALYZE"), p.take("REINDEX"), p.take("VACUUM"):
		for p.peek().kind != end && !p.isOp(0, ";") {
			if p.isWord(0, "INTO") {
				p.refuse(at, "VACUUM INTO", "vitessdo export writes what can be read back")
			}
			p.i++
		}
		return &sqlast.Empty{}
	case p.isWord(0, "ATTACH"), p.isWord(0, "DETACH"):
		p.refuse(at, "ATTACH and DETACH", "CREATE DATABASE makes a keyspace, whose tables any statement may name")
	}
	p.unexpected()
	return nil
}

// explain reads EXPLAIN [QUERY PLAN] and EXPLAIN FORMAT='vitess'.
func (p *parser) explain() sqlast.Stmt {
	p.need("EXPLAIN")
	e := &sqlast.Explain{}
	if p.take("FORMAT") {
		p.needOp("=")
		e.Format = strings.ToUpper(p.peek().text)
		p.i++
	} else {
		p.take("QUERY", "PLAN")
	}
	e.Text = strings.TrimRight(strings.TrimSpace(p.text[p.peek().start:]), "; \t\r\n")
	e.Stmt = p.statement()
	return e
}

// idle are the PRAGMAs that tune what the driver sets itself, and are accepted.
var idle = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`journal_mode synchronous busy_timeout cache_size temp_store mmap_size encoding optimize analysis_limit
		wal_autocheckpoint locking_mode secure_delete auto_vacuum page_size wal_checkpoint shrink_memory threads recursive_triggers
		case_sensitive_like automatic_index cell_size_check`) {
		idle[name] = name != "case_sensitive_like" && name != "recursive_triggers"
	}
}

func (p *parser) pragma() sqlast.Stmt {
	p.need("PRAGMA")
	at := p.peek().start
	name := strings.ToLower(p.name())
	if p.takeOp(".") {
		name = strings.ToLower(p.name())
	}
	arg := ""
	switch {
	case p.takeOp("="):
		arg = p.pragmaValue()
	case p.takeOp("("):
		arg = p.pragmaValue()
		p.needOp(")")
	}
	switch {
	case name == "foreign_keys" && arg == "":
		return &sqlast.Select{Items: []sqlast.SelectItem{{Expr: &sqlast.SysVar{Name: "foreign_key_checks"}, Alias: "foreign_keys"}}}
	case name == "foreign_keys":
		on := map[string]string{"on": "1", "yes": "1", "true": "1", "1": "1"}[strings.ToLower(arg)]
		if on == "" {
			on = "0"
		}
		return &sqlast.Set{Vars: []sqlast.SetVar{{Scope: "session", Name: "foreign_key_checks", Value: &sqlast.Lit{Kind: sqlast.LitInt, Text: on}, Text: on}}}
	case idle[name]:
		return &sqlast.Empty{}
	case name == "database_list":
		return &sqlast.Show{What: "DATABASES"}
	case name == "table_list":
		return &sqlast.Show{What: "TABLES"}
	}
	if q := pragmaQuery(name, arg); q != nil {
		return q
	}
	p.refuse(at, "PRAGMA "+name, "table_info, index_list, index_info, foreign_key_list, table_list, foreign_keys and those that tune a file can be had")
	return nil
}

// pragmaQuery is a PRAGMA that is a query; nil for others.
func pragmaQuery(name, arg string) sqlast.Query {
	switch name {
	case "table_info", "table_xinfo":
		return tableInfo(arg)
	case "index_list":
		return indexList(arg)
	case "index_info":
		return catalogQuery(indexInfo, "s.INDEX_NAME", arg)
	case "foreign_key_list":
		return catalogQuery(foreignKeyList, "k.TABLE_NAME", arg)
	}
	return nil
}

const indexInfo = `SELECT s.SEQ_IN_INDEX - 1 AS seqno, c.ORDINAL_POSITION - 1 AS cid, s.COLUMN_NAME AS name FROM information_schema.STATISTICS s
	LEFT JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME AND c.COLUMN_NAME = s.COLUMN_NAME ORDER BY s.SEQ_IN_INDEX`

const foreignKeyList = `SELECT dense_rank() OVER (ORDER BY k.CONSTRAINT_NAME) - 1 AS id, k.ORDINAL_POSITION - 1 AS seq, k.REFERENCED_TABLE_NAME AS "table",
	k.COLUMN_NAME AS "from", k.REFERENCED_COLUMN_NAME AS "to", r.UPDATE_RULE AS on_update, r.DELETE_RULE AS on_delete, 'NONE' AS "match"
	FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
	ON r.CONSTRAINT_SCHEMA = k.TABLE_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME ORDER BY 1, 2`

// catalogQuery is a query of information_schema, about the session's keyspace and what is
// called so.
func catalogQuery(text, column, name string) sqlast.Query {
	st, err := Parse(text)
	if err != nil {
		panic(err)
	}
	q, _ := st.Stmt.(*sqlast.Select)
	table, column, _ := strings.Cut(column, ".")
	q.Where = sqlast.And(front.Op(sqlast.OpEq, front.Column(table, "TABLE_SCHEMA"), front.Call("DATABASE")),
		front.Op(sqlast.OpEq, front.Call("LOWER", front.Column(table, column)), front.Text(strings.ToLower(name))))
	return q
}

func (p *parser) pragmaValue() string {
	sign := ""
	if p.takeOp("-") {
		sign = "-"
	}
	t := p.peek()
	if t.kind == op || t.kind == end {
		p.unexpected()
	}
	p.i++
	return sign + t.text
}

// tableInfo is PRAGMA table_info(t) as a query of information_schema.
func tableInfo(table string) sqlast.Query {
	col := func(name string) sqlast.Expr { return &sqlast.Col{Table: "c", Name: name, Pos: -1} }
	pk := func(name string) sqlast.Expr { return &sqlast.Col{Table: "k", Name: name, Pos: -1} }
	same := func(name string) sqlast.Expr { return front.Op(sqlast.OpEq, pk(name), col(name)) }
	primary := &sqlast.Select{Items: []sqlast.SelectItem{{Expr: pk("ORDINAL_POSITION")}},
		From: &sqlast.TableRef{Schema: "information_schema", Name: "KEY_COLUMN_USAGE", Alias: "k", Pos: -1},
		Where: sqlast.And(front.Op(sqlast.OpEq, pk("CONSTRAINT_NAME"), front.Text("PRIMARY")), sqlast.And(same("TABLE_SCHEMA"),
			sqlast.And(same("TABLE_NAME"), same("COLUMN_NAME"))))}
	return &sqlast.Select{
		Items: []sqlast.SelectItem{
			{Expr: front.Op(sqlast.OpSub, col("ORDINAL_POSITION"), front.Int(1)), Alias: "cid"},
			{Expr: col("COLUMN_NAME"), Alias: "name"},
			{Expr: typeOf(col("DATA_TYPE")), Alias: "type"},
			{Expr: front.When(front.Op(sqlast.OpEq, col("IS_NULLABLE"), front.Text("NO")), front.Int(1), front.Int(0)), Alias: "notnull"},
			{Expr: defaultText(col), Alias: "dflt_value"},
			{Expr: front.Call("COALESCE", &sqlast.Subquery{Kind: sqlast.SubScalar, Query: primary}, front.Int(0)), Alias: "pk"},
		},
		From: &sqlast.TableRef{Schema: "information_schema", Name: "COLUMNS", Alias: "c", Pos: -1},
		Where: sqlast.And(sqlast.And(front.Op(sqlast.OpEq, col("TABLE_SCHEMA"), front.Call("DATABASE")),
			front.Op(sqlast.OpEq, front.Call("LOWER", col("TABLE_NAME")), front.Text(strings.ToLower(table)))),
			&sqlast.Like{X: col("EXTRA"), Pattern: front.Text("% GENERATED"), Not: true}),
		OrderBy: []sqlast.OrderItem{{Expr: col("ORDINAL_POSITION")}},
	}
}

// defaultText is a default's text, where text stands in quotes.
func defaultText(col func(string) sqlast.Expr) sqlast.Expr {
	text := &sqlast.In{X: front.Call("LOWER", col("DATA_TYPE"))}
	for _, t := range []string{"text", "varchar", "char", "longtext", "date", "datetime", "json"} {
		text.List = append(text.List, front.Text(t))
	}
	plain := &sqlast.Like{X: col("EXTRA"), Pattern: front.Text("%DEFAULT_GENERATED%"), Not: true}
	given := sqlast.And(front.IsNull(col("COLUMN_DEFAULT"), true), sqlast.And(text, plain))
	return front.When(given, front.Call("QUOTE", col("COLUMN_DEFAULT")), col("COLUMN_DEFAULT"))
}

// typeOf names a column's type as SQLite would.
func typeOf(dataType sqlast.Expr) sqlast.Expr {
	c := &sqlast.Case{X: front.Call("LOWER", dataType), Else: front.Call("UPPER", sqlast.CloneExpr(dataType))}
	for _, w := range [][2]string{{"bigint", "INTEGER"}, {"int", "INTEGER"}, {"smallint", "INTEGER"}, {"tinyint", "BOOLEAN"}, {"double", "REAL"},
		{"float", "REAL"}, {"varchar", "TEXT"}, {"char", "TEXT"}, {"longtext", "TEXT"}, {"longblob", "BLOB"}} {
		c.Whens = append(c.Whens, sqlast.When{Cond: front.Text(w[0]), Then: front.Text(w[1])})
	}
	return c
}

// indexList is PRAGMA index_list(t).
func indexList(table string) sqlast.Query {
	col := func(name string) sqlast.Expr { return &sqlast.Col{Name: name, Pos: -1} }
	return &sqlast.Select{
		Items: []sqlast.SelectItem{
			{Expr: front.Op(sqlast.OpSub, &sqlast.Window{Func: front.Call("ROW_NUMBER"), Spec: &sqlast.WindowSpec{OrderBy: []sqlast.OrderItem{{Expr: col("INDEX_NAME")}}}}, front.Int(1)), Alias: "seq"},
			{Expr: col("INDEX_NAME"), Alias: "name"},
			{Expr: front.Op(sqlast.OpSub, front.Int(1), col("NON_UNIQUE")), Alias: "unique"},
			{Expr: front.When(front.Op(sqlast.OpEq, col("INDEX_NAME"), front.Text("PRIMARY")), front.Text("pk"), front.Text("c")), Alias: "origin"},
			{Expr: front.Int(0), Alias: "partial"},
		},
		From: &sqlast.TableRef{Schema: "information_schema", Name: "STATISTICS", Pos: -1},
		Where: sqlast.And(front.Op(sqlast.OpEq, col("TABLE_SCHEMA"), front.Call("DATABASE")), sqlast.And(
			front.Op(sqlast.OpEq, col("SEQ_IN_INDEX"), front.Int(1)), front.Op(sqlast.OpEq, front.Call("LOWER", col("TABLE_NAME")), front.Text(strings.ToLower(table))))),
	}
}

// typeName names a result column's type as SQLite's drivers do.
func typeName(t *sqlast.Type) string {
	switch {
	case t.Bool && t.Name == "TINYINT":
		return "BOOLEAN"
	case t.Name == "DATE", t.Name == "DATETIME", t.Name == "TIMESTAMP", t.Name == "TIME", t.Name == "JSON":
		return t.Name
	}
	switch t.Class {
	case sqlast.ClassInt:
		return "INTEGER"
	case sqlast.ClassDouble:
		return "REAL"
	case sqlast.ClassDecimal:
		return "NUMERIC"
	case sqlast.ClassBlob:
		return "BLOB"
	case sqlast.ClassDate, sqlast.ClassDateTime, sqlast.ClassTime, sqlast.ClassText, sqlast.ClassJSON:
		return "TEXT"
	}
	return ""
}
