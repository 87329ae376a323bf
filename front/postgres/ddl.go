package postgres

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// definition converts the statements that define things.
func (c *conv) definition(t tree) sqlast.Stmt {
	switch t.kind {
	case "CreateStmt":
		return c.createTable(t.node)
	case "CreateTableAsStmt":
		return c.createTableAs(t.node)
	case "IndexStmt":
		return c.createIndex(t.node)
	case "ViewStmt":
		return c.createView(t.node)
	case "DropStmt":
		return c.drop(t.node)
	case "TruncateStmt":
		return c.truncateTable(t.node)
	case "AlterTableStmt":
		return c.alterTable(t.node)
	case "CommentStmt":
		return c.comment(t.node)
	case "RenameStmt":
		return c.rename(t.node)
	case "CreateSchemaStmt":
		if len(t.list("schemaElts")) > 0 || t.has("authrole") {
			c.refuse(0, "CREATE SCHEMA with elements or an owner", "create them by statements of their own")
		}
		return &sqlast.CreateDatabase{Name: t.str("schemaname"), IfNotExists: t.is("if_not_exists")}
	case "CreatedbStmt":
		return &sqlast.CreateDatabase{Name: t.str("dbname")}
	case "DropdbStmt":
		return &sqlast.DropDatabase{Name: t.str("dbname"), IfExists: t.is("missing_ok")}
	}
	c.refuse(0, c.firstWords(), insteadOfStatement[t.kind])
	return nil
}

var insteadOfStatement = map[string]string{
	"CreateEnumStmt": "use TEXT with a CHECK", "CreateSeqStmt": "a SERIAL or IDENTITY column numbers its rows", "CreateExtensionStmt": "there are no extensions; gen_random_uuid() is there",
	"CreateFunctionStmt": "compute in the program", "CreateTrigStmt": "there are no triggers",
	"CopyStmt": "INSERT many rows at once", "GrantStmt": "tokens of the server say who may do what", "DeclareCursorStmt": "rows stream already",
	"PrepareStmt": "prepare by the driver", "ListenStmt": "there are no notifications", "DoStmt": "compute in the program",
	"CreateDomainStmt": "use the type with a CHECK", "CreateRoleStmt": "tokens of the server say who may do what",
}

// firstWords names a statement by its first words.
func (c *conv) firstWords() string {
	l := lexer{text: c.text}
	first, second := l.next(), l.next()
	return strings.ToUpper(strings.TrimSpace(c.text[first.start:first.end] + " " + c.text[second.start:second.end]))
}

func (c *conv) createTable(n node) sqlast.Stmt {
	ref := c.table(n.message("relation"))
	if n.has("inhRelations") || n.has("partbound") || n.has("partspec") || n.has("ofTypename") {
		c.refuse(ref.Pos, "a table that inherits, or is partitioned", "rows are spread over the shards by the vindex")
	}
	if p := n.message("relation").str("relpersistence"); p == "t" {
		c.refuse(ref.Pos, "a temporary table", "use WITH, or a table that is dropped")
	}
	d := &definer{conv: c, def: &sqlast.TableDef{Name: ref.Name}}
	out := &sqlast.CreateTable{Schema: ref.Schema, Def: d.def, IfNotExists: n.is("if_not_exists")}
	for _, e := range n.list("tableElts") {
		switch e.kind {
		case "ColumnDef":
			d.column(e.node)
		case "Constraint":
			d.constraint(e.node, nil)
		case "TableLikeClause":
			if len(n.list("tableElts")) > 1 {
				c.refuse(ref.Pos, "LIKE beside other columns", "")
			}
			out.Like = c.table(e.message("relation"))
			return out
		}
	}
	d.finish()
	return out
}

// definer gathers a table's definition.
type definer struct {
	*conv
	def *sqlast.TableDef
}

// column reads a column with its constraints.
func (d *definer) column(n node) *sqlast.ColumnDef {
	typ := n.message("typeName")
	t, serial := d.typeOf(typ)
	if t.Class == sqlast.ClassDecimal && t.Size < 0 {
		d.refuse(typ.at(), "NUMERIC without digits", "say how many, as NUMERIC(20, 6)")
	}
	col := &sqlast.ColumnDef{Name: n.str("colname"), Type: t, Pos: len(d.def.Columns), AutoInc: serial}
	col.Type.NotNull = serial
	d.def.Columns = append(d.def.Columns, col)
	for _, k := range n.list("constraints") {
		d.constraint(k.node, col)
	}
	return col
}

// constraint reads a constraint, of a column or, with nil, of the table.
func (d *definer) constraint(n node, col *sqlast.ColumnDef) {
	at := n.at()
	if n.is("deferrable") || n.is("initdeferred") {
		d.refuse(at, "a constraint that is checked at COMMIT", "constraints are checked statement by statement")
	}
	columns := n.names("keys")
	if col != nil {
		columns = []string{col.Name}
	}
	switch n.str("contype") {
	case "CONSTR_NULL", "CONSTR_ATTR_NOT_DEFERRABLE", "CONSTR_ATTR_IMMEDIATE":
	case "CONSTR_NOTNULL":
		col.Type.NotNull = true
	case "CONSTR_DEFAULT":
		col.Default = d.defaultOf(d.expr(n.child("raw_expr")), &col.Type, at)
	case "CONSTR_IDENTITY":
		col.AutoInc, col.Type.NotNull = true, true
	case "CONSTR_GENERATED":
		col.Generated, col.Stored = d.expr(n.child("raw_expr")), true
	case "CONSTR_CHECK":
		k := &sqlast.CheckDef{Name: n.str("conname"), Expr: d.expr(n.child("raw_expr"))}
		if k.Name == "" && col != nil {
			k.Name = d.freeName(d.def.Name+"_"+col.Name, "_check")
		}
		d.def.Checks = append(d.def.Checks, k)
	case "CONSTR_PRIMARY", "CONSTR_UNIQUE":
		d.key(n, columns)
	case "CONSTR_FOREIGN":
		d.foreignKey(n, columns)
	default:
		d.refuse(at, "this constraint", "")
	}
}

func (d *definer) key(n node, columns []string) {
	if n.is("nulls_not_distinct") || len(n.list("including")) > 0 || n.str("indexname") != "" {
		d.refuse(n.at(), "NULLS NOT DISTINCT, INCLUDE and USING INDEX", "")
	}
	ix := &sqlast.IndexDef{Name: n.str("conname"), Kind: sqlast.IndexUnique}
	if n.str("contype") == "CONSTR_PRIMARY" {
		ix.Name, ix.Kind = "PRIMARY", sqlast.IndexPrimary
		for _, name := range columns {
			if c := d.def.Column(name); c != nil {
				c.Type.NotNull = true
			}
		}
	}
	if ix.Name == "" {
		ix.Name = d.def.Name + "_" + strings.Join(columns, "_") + "_key"
	}
	for _, name := range columns {
		ix.Parts = append(ix.Parts, sqlast.IndexPart{Column: name})
	}
	d.def.Indexes = append(d.def.Indexes, ix)
}

var actions = map[string]string{"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}

func (d *definer) foreignKey(n node, columns []string) {
	if own := n.names("fk_attrs"); own != nil {
		columns = own
	}
	ref := d.table(n.message("pktable"))
	fk := &sqlast.ForeignKeyDef{Name: n.str("conname"), Columns: columns, RefSchema: ref.Schema, RefTable: ref.Name, RefColumns: n.names("pk_attrs"),
		OnDelete: actions[n.str("fk_del_action")], OnUpdate: actions[n.str("fk_upd_action")]}
	if fk.Name == "" {
		fk.Name = d.def.Name + "_" + strings.Join(columns, "_") + "_fkey"
	}
	if n.str("fk_matchtype") == "f" && len(columns) > 1 {
		d.refuse(n.at(), "MATCH FULL", "leave it out, and CHECK that the columns are NULL together")
	}
	d.def.ForeignKeys = append(d.def.ForeignKeys, fk)
}

// defaultOf brings a default into the column's type.
func (d *definer) defaultOf(x sqlast.Expr, t *sqlast.Type, at int) sqlast.Expr {
	s, text := front.StringOf(x)
	switch l, ok := x.(*sqlast.Late); {
	case ok && len(l.Args) != 1:
		x = d.settled(x)
	case text && t.Bool:
		return d.boolText(s, at)
	case text && t.Class == sqlast.ClassInt:
		return d.intText(s, at)
	case ok && len(l.Args) == 1: // a cast
		x = d.settled(x)
	}
	if c, ok := x.(*sqlast.Cast); ok {
		if s, ok := front.StringOf(c.X); ok && c.To.Class == t.Class {
			return front.Text(s)
		}
	}
	if f, ok := x.(*sqlast.Func); ok && f.Name == "NOW" && t.Class == sqlast.ClassDateTime {
		f.Args = nil
		if t.Scale > 0 {
			f.Args = []sqlast.Expr{front.Int(t.Scale)}
		}
		f.Name = "CURRENT_TIMESTAMP"
	}
	return x
}

// settled decides what hangs on types that the definition tells.
func (d *definer) settled(x sqlast.Expr) sqlast.Expr {
	if x == nil {
		return nil
	}
	out, err := front.Settle(d.def, x)
	if err != nil {
		panic(err)
	}
	return out
}

// finish decides what was left until all columns are known, and gives the constraints
// that have none PostgreSQL's names.
func (d *definer) finish() {
	for _, c := range d.def.Columns {
		c.Generated = d.settled(c.Generated)
	}
	for _, k := range d.def.Checks {
		k.Expr = d.settled(k.Expr)
	}
	for _, k := range d.def.Checks {
		if k.Name == "" {
			k.Name = d.freeName(d.def.Name, "_check")
		}
	}
}

func (d *definer) freeName(base, suffix string) string {
	for n := 0; ; n++ {
		name := base + suffix
		if n > 0 {
			name += string(rune('0' + n%10))
		}
		taken := false
		for _, k := range d.def.Checks {
			taken = taken || strings.EqualFold(k.Name, name)
		}
		if !taken || n > 9 {
			return name
		}
	}
}

func (c *conv) createTableAs(n node) sqlast.Stmt {
	into := n.message("into")
	ref := c.table(into.message("rel"))
	if n.str("objtype") == "OBJECT_MATVIEW" {
		c.refuse(ref.Pos, "a materialized view", "write CREATE TABLE … AS, or CREATE VIEW")
	}
	if into.is("skipData") || into.has("colNames") {
		c.refuse(ref.Pos, "CREATE TABLE AS with column names or WITH NO DATA", "name the columns in the query")
	}
	return c.tableFrom(ref, n.child("query"), n.is("if_not_exists"))
}

// selectInto converts SELECT … INTO t.
func (c *conv) selectInto(n node) sqlast.Stmt {
	ref := c.table(n.message("intoClause").message("rel"))
	inner := node{}
	for k, v := range n {
		if k != "intoClause" {
			inner[k] = v
		}
	}
	return c.tableFrom(ref, tree{"SelectStmt", inner}, false)
}

func (c *conv) tableFrom(ref *sqlast.TableRef, query tree, ifNotExists bool) sqlast.Stmt {
	if query.kind != "SelectStmt" {
		c.refuse(ref.Pos, "CREATE TABLE AS of this", "write a query")
	}
	return &sqlast.CreateTable{Schema: ref.Schema, Def: &sqlast.TableDef{Name: ref.Name}, IfNotExists: ifNotExists, Query: c.query(query.node)}
}

func (c *conv) createIndex(n node) sqlast.Stmt {
	t := c.table(n.message("relation"))
	ix := &sqlast.IndexDef{Name: n.str("idxname")}
	if n.has("whereClause") && n.is("unique") { // else it is there for speed alone, and may have all rows
		c.refuse(t.Pos, "a unique index with WHERE", "leave WHERE out, or keep the column NULL where it isn't to count: NULLs are never alike")
	}
	if n.is("unique") {
		ix.Kind = sqlast.IndexUnique
	}
	if m := n.str("accessMethod"); m != "btree" && m != "hash" && m != "" {
		c.refuse(t.Pos, "an index USING "+m, "leave USING out")
	}
	if n.is("nulls_not_distinct") {
		c.refuse(t.Pos, "NULLS NOT DISTINCT", "")
	}
	var names []string
	for _, e := range n.list("indexParams") {
		p := sqlast.IndexPart{Column: e.str("name"), Desc: e.str("ordering") == "SORTBY_DESC"}
		names = append(names, p.Column)
		if p.Column == "" {
			p.Expr = (&definer{conv: c, def: &sqlast.TableDef{}}).settled(c.expr(e.child("expr")))
			names[len(names)-1] = "expr"
		}
		ix.Parts = append(ix.Parts, p)
	}
	if ix.Name == "" {
		ix.Name = t.Name + "_" + strings.Join(names, "_") + "_idx"
	}
	return &sqlast.CreateIndex{Table: t, Index: ix, IfNotExists: n.is("if_not_exists")}
}

func (c *conv) createView(n node) sqlast.Stmt {
	v := &sqlast.CreateView{View: c.table(n.message("view")), Columns: n.names("aliases"), OrReplace: n.is("replace")}
	v.Query = c.query(n.child("query").node)
	switch n.str("withCheckOption") {
	case "LOCAL_CHECK_OPTION":
		v.Check = "LOCAL"
	case "CASCADED_CHECK_OPTION":
		v.Check = "CASCADED"
	}
	return v
}

func (c *conv) drop(n node) sqlast.Stmt {
	var refs []*sqlast.TableRef
	kind := n.str("removeType")
	for _, o := range n.list("objects") {
		parts := stringsOf(o.list("items"))
		if o.kind == "String" {
			parts = []string{o.str("sval")}
		}
		schema, name := c.qualified(parts, 0)
		refs = append(refs, &sqlast.TableRef{Schema: schema, Name: name})
	}
	ifExists := n.is("missing_ok")
	switch kind {
	case "OBJECT_TABLE", "OBJECT_VIEW":
		return &sqlast.DropTable{Tables: refs, IfExists: ifExists, View: kind == "OBJECT_VIEW"}
	case "OBJECT_INDEX":
		if len(refs) > 1 {
			c.refuse(0, "DROP INDEX of several", "drop one after the other")
		}
		// PostgreSQL's indexes have names of their own, by which the table is found.
		return &sqlast.DropIndex{Name: refs[0].Name, IfExists: ifExists, Table: &sqlast.TableRef{Schema: refs[0].Schema}}
	case "OBJECT_SCHEMA":
		if len(refs) > 1 {
			c.refuse(0, "DROP SCHEMA of several", "drop one after the other")
		}
		return &sqlast.DropDatabase{Name: refs[0].Name, IfExists: ifExists}
	}
	c.refuse(0, c.firstWords(), "")
	return nil
}

func (c *conv) truncateTable(n node) sqlast.Stmt {
	list := n.list("relations")
	if len(list) != 1 {
		c.refuse(0, "TRUNCATE of several tables", "truncate one after the other")
	}
	return &sqlast.Truncate{Table: c.table(list[0].node)}
}

func (c *conv) rename(n node) sqlast.Stmt {
	t := c.table(n.message("relation"))
	a := &sqlast.AlterTable{Table: t}
	spec := sqlast.AlterSpec{Name: n.str("subname"), NewName: n.str("newname")}
	switch n.str("renameType") {
	case "OBJECT_COLUMN":
		spec.Kind = sqlast.AlterRenameColumn
	case "OBJECT_TABLE":
		spec.Kind = sqlast.AlterRename
	default:
		c.refuse(t.Pos, "renaming of this", "create it anew")
	}
	a.Specs = append(a.Specs, spec)
	return a
}
