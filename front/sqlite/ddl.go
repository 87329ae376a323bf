package sqlite

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *parser) create() sqlast.Stmt {
	at := p.peek().start
	p.need("CREATE")
	if p.isWord(0, "TEMP") || p.isWord(0, "TEMPORARY") {
		p.refuse(at, "a temporary table or view", "use WITH, or a table that is dropped")
	}
	unique := p.take("UNIQUE")
	switch {
	case p.take("TABLE"):
		return p.createTable()
	case p.take("INDEX"):
		return p.createIndex(unique)
	case p.take("VIEW"):
		v := &sqlast.CreateView{}
		ifNotExists := p.ifNotExists()
		if v.View = p.tableName(); ifNotExists {
			p.refuse(at, "CREATE VIEW IF NOT EXISTS", "DROP VIEW IF EXISTS before it")
		}
		if p.isOp(0, "(") {
			v.Columns = p.nameList()
		}
		p.need("AS")
		v.Query = p.query()
		return v
	case p.isWord(0, "TRIGGER"):
		p.refuse(at, "CREATE TRIGGER", "there are no triggers")
	case p.isWord(0, "VIRTUAL"):
		p.refuse(at, "CREATE VIRTUAL TABLE", "")
	}
	p.unexpected()
	return nil
}

func (p *parser) ifNotExists() bool { return p.take("IF", "NOT", "EXISTS") }

func (p *parser) createTable() sqlast.Stmt {
	out := &sqlast.CreateTable{IfNotExists: p.ifNotExists(), ParentsLater: true}
	ref := p.tableName()
	out.Schema, out.Def = ref.Schema, &sqlast.TableDef{Name: ref.Name}
	if p.take("AS") {
		out.Query = p.query()
		return out
	}
	d := &definer{parser: p, def: out.Def}
	p.needOp("(")
	for {
		if d.isConstraint() {
			d.constraint(nil)
		} else {
			d.column()
		}
		if !p.takeOp(",") {
			break
		}
	}
	p.needOp(")")
	for {
		switch {
		case p.take("WITHOUT", "ROWID"), p.take("STRICT"), p.takeOp(","):
			continue
		}
		break
	}
	d.finish()
	return out
}

// definer gathers a table's definition.
type definer struct {
	*parser
	def *sqlast.TableDef
}

// isConstraint says whether a constraint of the table begins here.
func (d *definer) isConstraint() bool {
	for _, w := range []string{"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"} {
		if d.isWord(0, w) {
			return true
		}
	}
	return false
}

// column reads a column with its constraints.
func (d *definer) column() *sqlast.ColumnDef {
	at := d.peek().start
	c := &sqlast.ColumnDef{Name: d.name(), Pos: len(d.def.Columns)}
	typeAt := d.peek().start
	typ := d.typeWords()
	c.Type = d.columnType(typ, typeAt, at)
	d.def.Columns = append(d.def.Columns, c)
	for d.isConstraint() || d.isWord(0, "NOT") || d.isWord(0, "NULL") || d.isWord(0, "DEFAULT") || d.isWord(0, "COLLATE") ||
		d.isWord(0, "REFERENCES") || d.isWord(0, "GENERATED") || d.isWord(0, "AS") {
		d.constraint(c)
	}
	if x := d.def.PrimaryKey(); x != nil && len(x.Parts) == 1 && x.Parts[0].Column == c.Name && strings.EqualFold(typ, "INTEGER") {
		c.AutoInc = true // it is the row's number
	}
	return c
}

// columnType is what a column of SQLite's type is: its affinity, and times and
// booleans by the names that SQLite's drivers know them by.
func (d *definer) columnType(name string, typeAt, at int) sqlast.Type {
	plain := func(name string, class sqlast.Class) sqlast.Type {
		t := sqlast.TypeOf(class)
		t.Name = name
		return t
	}
	up, _, _ := strings.Cut(strings.ToUpper(name), "(")
	switch strings.TrimSpace(up) {
	case "":
		d.refuse(at, "a column without a type", "say INTEGER, REAL, TEXT or BLOB")
	case "ANY":
		d.refuse(typeAt, "type ANY", "say INTEGER, REAL, TEXT or BLOB")
	case "BOOLEAN", "BOOL":
		t := plain("TINYINT", sqlast.ClassInt)
		t.Size, t.Bool = 1, true
		return t
	case "DATE":
		return plain("DATE", sqlast.ClassDate)
	case "DATETIME", "TIMESTAMP":
		t := plain("DATETIME", sqlast.ClassDateTime)
		t.Scale = 6
		return t
	case "JSON":
		return plain("JSON", sqlast.ClassJSON)
	}
	if affinityOf(name) == affNumeric && !numeric[strings.TrimSpace(up)] {
		return plain("TEXT", sqlast.ClassText) // UUID, STRING and the like
	}
	switch affinityOf(name) {
	case affInteger:
		return plain("BIGINT", sqlast.ClassInt)
	case affText:
		return plain("TEXT", sqlast.ClassText)
	case affBlob:
		return plain("LONGBLOB", sqlast.ClassBlob)
	}
	return plain("DOUBLE", sqlast.ClassDouble)
}

// numeric are the types of numbers among those that SQLite's rules take for NUMERIC.
var numeric = map[string]bool{"NUMERIC": true, "DECIMAL": true, "DEC": true, "NUMBER": true, "MONEY": true, "CURRENCY": true, "FIXED": true}

// constraint reads a constraint, of a column or, with nil, of the table.
func (d *definer) constraint(c *sqlast.ColumnDef) {
	at := d.peek().start
	name := ""
	if d.take("CONSTRAINT") {
		name = d.parser.name()
	}
	switch {
	case d.take("PRIMARY", "KEY"):
		d.key(c, name, sqlast.IndexPrimary)
	case d.take("UNIQUE"):
		d.key(c, name, sqlast.IndexUnique)
	case d.take("CHECK"):
		d.needOp("(")
		d.def.Checks = append(d.def.Checks, &sqlast.CheckDef{Name: name, Expr: d.expr()})
		d.needOp(")")
	case c == nil && d.take("FOREIGN", "KEY"):
		d.foreignKey(name, d.nameList())
	case c == nil:
		d.unexpected()
	case d.take("NOT", "NULL"):
		c.Type.NotNull = true
		d.conflict()
	case d.take("NULL"):
	case d.take("DEFAULT"):
		c.Default = d.defaultValue()
	case d.take("COLLATE"):
		x, _ := d.collate(front.Null(), at).(*sqlast.Collate)
		if c.Type.Class == sqlast.ClassText {
			c.Type.Collation, c.Type.NoCase = x.Name, strings.HasSuffix(x.Name, "_ci")
		}
	case d.isWord(0, "REFERENCES"):
		d.foreignKey(name, []string{c.Name})
	case d.take("GENERATED", "ALWAYS", "AS"), d.take("AS"):
		d.needOp("(")
		c.Generated = d.expr()
		d.needOp(")")
		if c.Stored = d.take("STORED"); !c.Stored {
			d.take("VIRTUAL")
		}
	default:
		d.unexpected()
	}
}

// conflict refuses ON CONFLICT of a constraint, but for what all do.
func (d *definer) conflict() {
	if at := d.peek().start; d.take("ON", "CONFLICT") && !d.take("ABORT") {
		d.refuse(at, "ON CONFLICT of a constraint", "say it where rows are inserted")
	}
}

func (d *definer) defaultValue() sqlast.Expr {
	if d.takeOp("(") {
		x := d.expr()
		d.needOp(")")
		return currentTime(x)
	}
	at := d.peek().start
	x := d.unary(precUnary)
	switch x := x.(type) {
	case *sqlast.Lit, *sqlast.Unary, *sqlast.Func:
		return currentTime(x)
	case *sqlast.Col: // a bare word is text
		return front.Text(x.Name)
	}
	d.refuse(at, "this default", "write it in brackets")
	return nil
}

// currentTime spells the moment as MySQL's defaults do.
func currentTime(x sqlast.Expr) sqlast.Expr {
	if f, ok := x.(*sqlast.Func); ok && f.Name == "UTC_TIMESTAMP" {
		return front.Call("CURRENT_TIMESTAMP", f.Args...)
	}
	return x
}

func (d *definer) key(c *sqlast.ColumnDef, name string, kind sqlast.IndexKind) {
	x := &sqlast.IndexDef{Name: name, Kind: kind}
	if c != nil {
		if d.take("DESC") || d.take("ASC") {
			_ = name
		}
		x.Parts = []sqlast.IndexPart{{Column: c.Name}}
	} else {
		x.Parts = d.indexParts()
	}
	d.conflict()
	auto := c != nil && d.take("AUTOINCREMENT")
	if kind == sqlast.IndexPrimary {
		x.Name = "PRIMARY"
		for _, part := range x.Parts {
			if col := d.def.Column(part.Column); col != nil {
				col.Type.NotNull = true
			}
		}
	} else if x.Name == "" {
		x.Name = d.freeName(d.def.Name, x.Parts)
	}
	if auto {
		c.AutoInc = true
	}
	d.def.Indexes = append(d.def.Indexes, x)
}

func (d *definer) freeName(table string, parts []sqlast.IndexPart) string {
	name := table
	for _, part := range parts {
		name += "_" + part.Column
	}
	return name + "_key"
}

func (d *definer) foreignKey(name string, columns []string) {
	d.need("REFERENCES")
	ref := d.tableName()
	fk := &sqlast.ForeignKeyDef{Name: name, Columns: columns, RefSchema: ref.Schema, RefTable: ref.Name}
	if d.isOp(0, "(") {
		fk.RefColumns = d.nameList()
	}
	if fk.Name == "" {
		fk.Name = d.def.Name + "_" + strings.Join(columns, "_") + "_fkey"
	}
	for {
		switch {
		case d.take("ON", "DELETE"):
			fk.OnDelete = d.action()
		case d.take("ON", "UPDATE"):
			fk.OnUpdate = d.action()
		case d.take("MATCH"):
			d.parser.name()
		case d.take("NOT", "DEFERRABLE"):
			if d.take("INITIALLY") {
				d.need("IMMEDIATE")
			}
		case d.isWord(0, "DEFERRABLE"):
			d.refuse(d.peek().start, "a constraint that is checked at COMMIT", "constraints are checked statement by statement")
		default:
			d.def.ForeignKeys = append(d.def.ForeignKeys, fk)
			return
		}
	}
}

func (d *definer) action() string {
	for _, a := range [][]string{{"CASCADE"}, {"RESTRICT"}, {"SET", "NULL"}, {"SET", "DEFAULT"}, {"NO", "ACTION"}} {
		if d.take(a...) {
			return strings.Join(a, " ")
		}
	}
	d.unexpected()
	return ""
}

// finish decides what hangs on the columns' types, and names what has no name.
func (d *definer) finish() {
	settle := func(x *sqlast.Expr) {
		if *x == nil {
			return
		}
		y, err := front.Settle(d.def, *x)
		if err != nil {
			panic(err)
		}
		*x = y
	}
	for _, c := range d.def.Columns {
		settle(&c.Generated)
		settle(&c.Default)
	}
	for i, k := range d.def.Checks {
		settle(&k.Expr)
		if k.Name == "" {
			k.Name = d.def.Name + "_check_" + strconv.Itoa(i+1)
		}
	}
	// INTEGER PRIMARY KEY is the row's number, also where the table says so.
	pk := d.def.PrimaryKey()
	for _, c := range d.def.Columns {
		if c.AutoInc && (pk == nil || len(pk.Parts) != 1 || pk.Parts[0].Column != c.Name) {
			c.AutoInc = false
		}
	}
}

func (p *parser) indexParts() []sqlast.IndexPart {
	p.needOp("(")
	var out []sqlast.IndexPart
	for {
		at := p.peek().start
		x := p.expr()
		part := sqlast.IndexPart{}
		if _, ok := x.(*sqlast.Collate); ok {
			p.refuse(at, "COLLATE in an index", "say it of the column")
		}
		if c, ok := x.(*sqlast.Col); ok && c.Table == "" {
			part.Column = c.Name
		} else {
			y, err := front.Settle(&sqlast.TableDef{}, x)
			if err != nil {
				panic(err)
			}
			part.Expr = y
		}
		if part.Desc = p.take("DESC"); !part.Desc {
			p.take("ASC")
		}
		out = append(out, part)
		if !p.takeOp(",") {
			break
		}
	}
	p.needOp(")")
	return out
}

func (p *parser) createIndex(unique bool) sqlast.Stmt {
	out := &sqlast.CreateIndex{IfNotExists: p.ifNotExists(), Index: &sqlast.IndexDef{}}
	ref := p.tableName()
	out.Index.Name = ref.Name
	if unique {
		out.Index.Kind = sqlast.IndexUnique
	}
	p.need("ON")
	out.Table = &sqlast.TableRef{Schema: ref.Schema, Pos: p.peek().start, Name: p.name()}
	out.Index.Parts = p.indexParts()
	if at := p.peek().start; p.take("WHERE") {
		if unique {
			p.refuse(at, "a unique index with WHERE", "leave WHERE out, or keep the column NULL where it isn't to count: NULLs are never alike")
		}
		p.expr() // it is there for speed alone, and may have all rows
	}
	return out
}

func (p *parser) drop() sqlast.Stmt {
	at := p.peek().start
	p.need("DROP")
	kind := strings.ToUpper(p.peek().text)
	p.i++
	ifExists := p.take("IF", "EXISTS")
	switch kind {
	case "TABLE", "VIEW":
		return &sqlast.DropTable{Tables: []*sqlast.TableRef{p.tableName()}, IfExists: ifExists, View: kind == "VIEW"}
	case "INDEX":
		ref := p.tableName()
		return &sqlast.DropIndex{Name: ref.Name, IfExists: ifExists, Table: &sqlast.TableRef{Schema: ref.Schema}}
	}
	p.refuse(at, "DROP "+kind, "")
	return nil
}

func (p *parser) alter() sqlast.Stmt {
	p.need("ALTER", "TABLE")
	a := &sqlast.AlterTable{Table: p.tableName()}
	switch {
	case p.take("RENAME", "TO"):
		a.Specs = []sqlast.AlterSpec{{Kind: sqlast.AlterRename, NewName: p.name()}}
	case p.take("RENAME"):
		p.take("COLUMN")
		spec := sqlast.AlterSpec{Kind: sqlast.AlterRenameColumn, Name: p.name()}
		p.need("TO")
		spec.NewName = p.name()
		a.Specs = []sqlast.AlterSpec{spec}
	case p.take("ADD"):
		p.take("COLUMN")
		d := &definer{parser: p, def: &sqlast.TableDef{Name: a.Table.Name}}
		a.Specs = []sqlast.AlterSpec{{Kind: sqlast.AlterAddColumn, Column: d.column()}}
		d.finish()
		for _, x := range d.def.Indexes {
			a.Specs = append(a.Specs, sqlast.AlterSpec{Kind: sqlast.AlterAddIndex, Name: x.Name, Index: x})
		}
		for _, fk := range d.def.ForeignKeys {
			a.Specs = append(a.Specs, sqlast.AlterSpec{Kind: sqlast.AlterAddForeignKey, Name: fk.Name, ForeignKey: fk})
		}
		for _, k := range d.def.Checks {
			a.Specs = append(a.Specs, sqlast.AlterSpec{Kind: sqlast.AlterAddCheck, Name: k.Name, Check: k})
		}
	case p.take("DROP"):
		p.take("COLUMN")
		a.Specs = []sqlast.AlterSpec{{Kind: sqlast.AlterDropColumn, Name: p.name()}}
	default:
		p.unexpected()
	}
	return a
}
