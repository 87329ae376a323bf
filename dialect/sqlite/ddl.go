package sqlite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/sqlast"
)

// IndexName is the name that a shard gives to a table's index: index names are
// per database in SQLite. The dot keeps apart what an underscore would not (index
// b_c of table a, and index c of table a_b).
func IndexName(table, index string) string { return table + "." + index }

// CreateTable implements [dialect.Printer].
func (pr Printer) CreateTable(def *sqlast.TableDef, opt dialect.TableOptions) ([]string, error) {
	p := get()
	defer p.put()
	p.plain = pr.Plain != nil
	out := []string{p.createTable(def, def.Name, opt)}
	out = append(out, p.createIndexes(def, opt.IfNotExists)...)
	return out, pr.define(p.err, out, def)
}

// define says why an engine without our functions can't run DDL.
func (pr Printer) define(err error, statements []string, defs ...*sqlast.TableDef) error {
	if err != nil || pr.Plain == nil {
		return err
	}
	for _, def := range defs {
		if err := over("a table", "columns", len(def.Columns), pr.Plain.Columns); err != nil {
			return err
		}
	}
	for _, s := range statements {
		if _, err := pr.Plain.without(dialect.Text{Segments: []string{s}}, nil); err != nil {
			return err
		}
	}
	return nil
}

// printed gives what f prints as a text of its own.
func (p *printer) printed(f func()) string {
	saved := p.buf
	p.buf = nil
	f()
	s := string(p.buf)
	p.buf = saved
	return s
}

func (p *printer) createTable(def *sqlast.TableDef, name string, opt dialect.TableOptions) string {
	return p.printed(func() {
		p.s("CREATE ")
		if def.Temporary {
			p.s("TEMP ")
		}
		p.s("TABLE ")
		if opt.IfNotExists {
			p.s("IF NOT EXISTS ")
		}
		p.ident(name)
		p.s(" (")
		for i, part := range p.tableParts(def, opt) {
			if i > 0 {
				p.s(", ")
			}
			p.s(part)
		}
		p.c(')')
	})
}

// tableParts prints columns and constraints.
func (p *printer) tableParts(def *sqlast.TableDef, opt dialect.TableOptions) []string {
	var parts []string
	for _, c := range def.Columns {
		parts = append(parts, p.printed(func() {
			p.ident(c.Name)
			p.c(' ')
			p.s(p.columnText(def, c))
		}))
	}
	if pk := def.PrimaryKey(); pk != nil && rowidKey(def) == nil {
		parts = append(parts, p.printed(func() {
			p.s("PRIMARY KEY (")
			p.idents(pk.Columns())
			p.c(')')
		}))
	}
	return append(parts, p.constraints(def, opt)...)
}

// constraints prints the foreign keys and checks of a table.
func (p *printer) constraints(def *sqlast.TableDef, opt dialect.TableOptions) []string {
	var parts []string
	for _, fk := range def.ForeignKeys {
		if !opt.NoForeignKeys && !slices.Contains(opt.SkipForeignKeys, fk.Name) {
			parts = append(parts, p.printed(func() { p.foreignKey(fk) }))
		}
	}
	for _, c := range def.Checks {
		if !c.NotEnforced {
			parts = append(parts, p.printed(func() {
				if c.Name != "" {
					p.s("CONSTRAINT ")
					p.ident(c.Name)
					p.c(' ')
				}
				p.s("CHECK (")
				p.expr(def.Resolved(c.Expr), 0)
				p.c(')')
			}))
		}
	}
	return parts
}

func (p *printer) foreignKey(fk *sqlast.ForeignKeyDef) {
	if fk.Name != "" {
		p.s("CONSTRAINT ")
		p.ident(fk.Name)
		p.c(' ')
	}
	p.s("FOREIGN KEY (")
	p.idents(fk.Columns)
	p.s(") REFERENCES ")
	p.ident(fk.RefTable)
	if len(fk.RefColumns) > 0 {
		p.s(" (")
		p.idents(fk.RefColumns)
		p.c(')')
	}
	// To MySQL RESTRICT is NO ACTION; SQLite's would look at the children before
	// the statement is through.
	if fk.OnDelete != "" && fk.OnDelete != "RESTRICT" {
		p.s(" ON DELETE " + fk.OnDelete)
	}
	if fk.OnUpdate != "" && fk.OnUpdate != "RESTRICT" {
		p.s(" ON UPDATE " + fk.OnUpdate)
	}
}

// rowidKey gives the column of a primary key that is SQLite's row ID: a single
// integer.
func rowidKey(def *sqlast.TableDef) *sqlast.ColumnDef {
	pk := def.PrimaryKey()
	if pk == nil || len(pk.Parts) != 1 || pk.Parts[0].Column == "" {
		return nil
	}
	c := def.Column(pk.Parts[0].Column)
	if c == nil || c.Generated != nil || affinity(&c.Type) != "INTEGER" {
		return nil
	}
	return c
}

func inPrimaryKey(def *sqlast.TableDef, name string) bool {
	pk := def.PrimaryKey()
	return pk != nil && slices.ContainsFunc(pk.Columns(), func(c string) bool { return strings.EqualFold(c, name) })
}

// affinity is a column's declared type on the shard. The MySQL type stays in
// the catalogue; DATETIME and the like as a type name would make SQLite turn
// text that looks like a number into one.
func affinity(t *sqlast.Type) string {
	switch t.Class {
	case sqlast.ClassInt:
		return "INTEGER"
	case sqlast.ClassDecimal:
		if t.Keyed() {
			return "BLOB"
		}
		return "NUMERIC"
	case sqlast.ClassDouble:
		return "REAL"
	case sqlast.ClassBlob:
		return "BLOB"
	}
	return "TEXT"
}

// columnText prints what stands behind a column's name.
func (p *printer) columnText(def *sqlast.TableDef, c *sqlast.ColumnDef) string {
	return p.printed(func() {
		p.s(affinity(&c.Type))
		if collated(&c.Type) {
			p.s(" COLLATE NOCASE")
		}
		if rowidKey(def) == c {
			p.s(" PRIMARY KEY")
			return
		}
		if c.Type.NotNull || inPrimaryKey(def, c.Name) {
			p.s(" NOT NULL")
		}
		switch {
		case c.Generated != nil:
			p.s(" GENERATED ALWAYS AS (")
			p.generated(def, c)
			if c.Stored {
				p.s(") STORED")
			} else {
				p.s(") VIRTUAL")
			}
		case c.Default != nil && !p.given(c):
			p.s(" DEFAULT ")
			p.columnDefault(c)
		}
		p.columnCheck(c)
	})
}

// given says whether a column's default is the gate's alone to give, as it does with
// every default that is no literal: the shard can't compute it.
func (p *printer) given(c *sqlast.ColumnDef) bool {
	if !p.plain {
		return false
	}
	_, found := foreign(p.printed(func() { p.columnDefault(c) }), 0)
	return found
}

// collated says whether a column of the type compares without regard to case.
func collated(t *sqlast.Type) bool {
	return t.NoCase && affinity(t) == "TEXT" && !t.Class.Temporal() && t.Class != sqlast.ClassJSON
}

// columnDefault prints a default: a literal bare, anything else in brackets.
func (p *printer) columnDefault(c *sqlast.ColumnDef) {
	if f, ok := c.Default.(*sqlast.Func); ok {
		switch f.Name {
		case "NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP":
			digits := 0
			if c.Type.Class == sqlast.ClassDateTime {
				digits = max(c.Type.Scale, 0)
			}
			if digits == 0 {
				p.s("CURRENT_TIMESTAMP")
			} else {
				p.s("(" + nowText(digits) + ")")
			}
			return
		}
	}
	if constant(c.Default) {
		l, isText := c.Default.(*sqlast.Lit)
		isText = isText && l.Kind == sqlast.LitString
		if c.Type.Keyed() {
			p.defaultKey(c)
		} else if isText && c.Type.Stripped() {
			p.str(strings.TrimRight(l.Text, " "))
		} else if isText && c.Type.Class.Temporal() && strings.HasPrefix(l.Text, "0000-00-00") {
			p.expr(c.Default, 0) // of a table that was made before it was refused
		} else if c.Type.Class.Temporal() || c.Type.Class == sqlast.ClassBlob || !numberOrText(c.Default) {
			p.stored(c, c.Default, 0)
		} else {
			// Bare, as ADD COLUMN wants it; affinity does the rest.
			if c.Type.Class == sqlast.ClassDouble {
				p.approximately(func() { p.expr(c.Default, 0) })
			} else {
				p.expr(c.Default, 0)
			}
		}
		return
	}
	p.c('(')
	p.stored(c, c.Default, 0)
	p.c(')')
}

// defaultKey prints the key of a default that is a literal as one.
func (p *printer) defaultKey(c *sqlast.ColumnDef) {
	text, ok := signed(c.Default)
	if l, isLit := c.Default.(*sqlast.Lit); isLit && !ok {
		if l.Kind == sqlast.LitNull {
			p.s("NULL")
			return
		}
		text = l.Text
	}
	key, err := decimal.LitKey(text, max(c.Type.Scale, 0))
	if err != nil {
		p.unsupported("the default "+text+" of column "+c.Name+", of more than 65 digits", -1, "")
	}
	p.blob(string(key))
}

// constant says whether a default is a literal, which SQLite takes without
// brackets and in ADD COLUMN.
func constant(e sqlast.Expr) bool {
	switch e := e.(type) {
	case nil:
		return true
	case *sqlast.Lit:
		return e.Kind != sqlast.LitBytes && strings.IndexByte(e.Text, 0) < 0
	case *sqlast.Unary:
		l, ok := e.X.(*sqlast.Lit)
		return ok && e.Op == sqlast.OpNeg && l.Kind <= sqlast.LitFloat
	}
	return false
}

func (p *printer) columnCheck(c *sqlast.ColumnDef) {
	switch {
	case c.Type.Class == sqlast.ClassJSON || c.Type.Name == "JSON":
		p.s(" CHECK (json_valid(")
		p.ident(c.Name)
		p.s("))")
	case c.Type.Name == "ENUM" && len(c.Type.Values) > 0:
		p.s(" CHECK (")
		p.ident(c.Name)
		p.s(" IN (")
		for i, v := range c.Type.Values {
			if i > 0 {
				p.s(", ")
			}
			p.str(v)
		}
		p.s("))")
	}
}

func (p *printer) createIndexes(def *sqlast.TableDef, ifNotExists bool) []string {
	var out []string
	for _, x := range def.Indexes {
		if s := p.createIndex(def, x, ifNotExists); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// createIndex prints an index; "" for those a shard doesn't have: the primary
// key, which is the table's, and FULLTEXT and SPATIAL, which nothing reads.
func (p *printer) createIndex(def *sqlast.TableDef, x *sqlast.IndexDef, ifNotExists bool) string {
	if x.Kind != sqlast.IndexPlain && x.Kind != sqlast.IndexUnique {
		return ""
	}
	return p.printed(func() {
		p.s("CREATE ")
		if x.Kind == sqlast.IndexUnique {
			p.s("UNIQUE ")
		}
		p.s("INDEX ")
		if ifNotExists {
			p.s("IF NOT EXISTS ")
		}
		p.ident(IndexName(def.Name, x.Name))
		p.s(" ON ")
		p.ident(def.Name)
		p.s(" (")
		for i, part := range x.Parts {
			if i > 0 {
				p.s(", ")
			}
			p.indexPart(def, x, part)
		}
		p.c(')')
	})
}

func (p *printer) indexPart(def *sqlast.TableDef, x *sqlast.IndexDef, part sqlast.IndexPart) {
	p.keyPart(def, x, part)
	if part.Desc {
		p.s(" DESC")
	}
}

// keyPart: a prefix length matters to uniqueness only; an index on substr()
// would not serve a comparison with the column.
func (p *printer) keyPart(def *sqlast.TableDef, x *sqlast.IndexDef, part sqlast.IndexPart) {
	switch {
	case part.Column == "":
		p.indexed(def.Resolved(part.Expr))
	case part.Length > 0 && x.Kind == sqlast.IndexUnique:
		p.prefix(def, part)
	default:
		p.ident(part.Column)
	}
}

// prefix prints a column's first characters, of a binary column bytes, as they
// compare in the column.
func (p *printer) prefix(def *sqlast.TableDef, part sqlast.IndexPart) {
	c := def.Column(part.Column)
	bytes := c != nil && c.Type.Class == sqlast.ClassBlob
	p.s("substr(")
	if bytes {
		p.s("CAST(")
	}
	p.ident(part.Column)
	if bytes {
		p.s(" AS BLOB)")
	}
	p.s(", 1, ")
	p.int(part.Length)
	p.c(')')
	if c != nil && c.Type.NoCase {
		p.collate(true) // a function's result has no collation of its own
	}
}

// indexed prints an expression of an index.
func (p *printer) indexed(e sqlast.Expr) {
	if keyed(e) {
		p.key(e)
		return
	}
	p.expr(e, precAtom)
	if nocase := folds(e); nocase != enginesNoCase(e) {
		p.collate(nocase)
	}
}

// enginesNoCase is the collation that SQLite gives to an index's expression.
func enginesNoCase(e sqlast.Expr) bool {
	if c, ok := e.(*sqlast.Cast); ok {
		return enginesNoCase(c.X)
	}
	nocase, known := storedNoCase(e)
	return known && nocase
}

// DDL implements [dialect.Printer]. RENAME TABLE needs the tables' definitions
// ([sqlast.TableRef].Table), because index names hold the table's.
func (pr Printer) DDL(s sqlast.Stmt) ([]string, error) {
	p := get()
	defer p.put()
	var out []string
	switch s := s.(type) {
	case *sqlast.CreateTable:
		if s.Def == nil {
			p.unsupported("CREATE TABLE without a definition", -1, "LIKE and AS SELECT are resolved before")
			break
		}
		return pr.CreateTable(s.Def, dialect.TableOptions{IfNotExists: s.IfNotExists})
	case *sqlast.DropTable:
		if s.View {
			break // views stand in the catalogue only
		}
		for _, t := range s.Tables {
			word := "DROP TABLE "
			if s.IfExists {
				word += "IF EXISTS "
			}
			out = append(out, p.printed(func() { p.s(word); p.ident(t.Name) }))
		}
	case *sqlast.CreateIndex:
		def := s.Table.Table
		if def == nil {
			def = &sqlast.TableDef{Name: s.Table.Name}
		}
		if x := p.createIndex(def, s.Index, s.IfNotExists); x != "" {
			out = append(out, x)
		}
	case *sqlast.DropIndex:
		out = append(out, p.dropIndex(s.Table.Name, s.Name, s.IfExists))
	case *sqlast.RenameTable:
		for i, from := range s.From {
			out = append(out, p.renameTable(from, s.To[i].Name)...)
		}
	case *sqlast.Truncate:
		out = append(out, p.printed(func() { p.s("DELETE FROM "); p.ident(s.Table.Name) }))
	case *sqlast.Maintain:
		if s.What == "ANALYZE" {
			for _, t := range s.Tables {
				out = append(out, p.printed(func() { p.s("ANALYZE "); p.ident(t.Name) }))
			}
		} else if s.What == "OPTIMIZE" {
			out = append(out, "PRAGMA optimize")
		}
	default:
		p.unsupported(fmt.Sprintf("statement %T", s), -1, "it is not DDL for a shard")
	}
	return out, pr.define(p.err, out)
}

func (p *printer) dropIndex(table, index string, ifExists bool) string {
	return p.printed(func() {
		p.s("DROP INDEX ")
		if ifExists {
			p.s("IF EXISTS ")
		}
		p.ident(IndexName(table, index))
	})
}

func (p *printer) renameTable(from *sqlast.TableRef, to string) []string {
	rename := p.printed(func() {
		p.s("ALTER TABLE ")
		p.ident(from.Name)
		p.s(" RENAME TO ")
		p.ident(to)
	})
	if from.Table == nil {
		p.unsupported("RENAME TABLE "+from.Name+" without its definition", from.Pos, "")
		return nil
	}
	var out []string
	for _, x := range from.Table.Indexes {
		if x.Kind == sqlast.IndexPlain || x.Kind == sqlast.IndexUnique {
			out = append(out, p.dropIndex(from.Name, x.Name, false))
		}
	}
	out = append(out, rename)
	renamed := *from.Table
	renamed.Name = to
	return append(out, p.createIndexes(&renamed, false)...)
}
