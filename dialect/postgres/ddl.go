package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
)

// RowIDColumn is the column of row IDs of a table that isn't known by its primary key.
const RowIDColumn = "_vt_rowid"

// RowID implements [dialect.Printer].
func (Printer) RowID(def *sqlast.TableDef) string {
	if c := rowKey(def); c != nil {
		return ident(c.Name)
	}
	return RowIDColumn
}

// rowKey gives the one integer that is a table's primary key.
func rowKey(def *sqlast.TableDef) *sqlast.ColumnDef {
	pk := def.PrimaryKey()
	if pk == nil || len(pk.Parts) != 1 || pk.Parts[0].Column == "" {
		return nil
	}
	if c := def.Column(pk.Parts[0].Column); c != nil && c.Generated == nil && c.Type.Class == sqlast.ClassInt {
		return c
	}
	return nil
}

// indexName is that of a table's index in the shard, where names are per schema.
func indexName(table, index string) string { return table + "." + index }

// primaryName is that of a table's primary key.
func primaryName(table string) string { return table + ".PRIMARY" }

// columnType is a column's type on the shard.
func columnType(t *sqlast.Type) string {
	if t.Class == sqlast.ClassInt {
		lo, hi := t.IntRange()
		switch {
		case lo >= -1<<15 && hi < 1<<15:
			return "smallint"
		case lo >= -1<<31 && hi < 1<<31:
			return "integer"
		}
		return "bigint"
	}
	k, _ := kindOf(t)
	switch k {
	case kNumber, kDouble, kBytes:
		return typeName[k]
	}
	return "text" + byBytes
}

// enforced says whether the server keeps an integer column's values in their range.
func enforced(t *sqlast.Type) bool {
	return t.Class == sqlast.ClassInt && !t.Unsigned && (t.Name == "SMALLINT" || t.Name == "INT" || t.Name == "INTEGER" || t.Name == "BIGINT")
}

// CreateTable implements [dialect.Printer].
func (pr Printer) CreateTable(def *sqlast.TableDef, opt dialect.TableOptions) ([]string, error) {
	p := &printer{}
	if def.Temporary {
		p.elsewhere("a temporary table")
	}
	var parts []string
	for _, c := range def.Columns {
		parts = append(parts, ident(c.Name)+" "+p.column(def, c))
	}
	if rowKey(def) == nil {
		parts = append(parts, RowIDColumn+" bigint NOT NULL")
	}
	if pk := def.PrimaryKey(); pk != nil {
		parts = append(parts, p.primaryKey(def, pk))
	}
	parts = append(parts, p.checks(def)...)
	p.noForeignKeys(def, opt)
	word := "CREATE TABLE "
	if opt.IfNotExists {
		word += "IF NOT EXISTS "
	}
	out := []string{word + ident(def.Name) + " (" + strings.Join(parts, ", ") + ")"}
	if rowKey(def) == nil {
		out = append(out, rowIDs(def.Name)...)
	}
	for _, x := range def.Indexes {
		if s := p.createIndex(def, x, opt.IfNotExists); s != "" {
			out = append(out, s)
		}
	}
	return out, p.err
}

// noForeignKeys refuses a foreign key that is left to the shard. They can't be switched off
// by who isn't a superuser, as dumps and the dropping of tables ask for.
func (p *printer) noForeignKeys(def *sqlast.TableDef, opt dialect.TableOptions) {
	for _, fk := range def.ForeignKeys {
		if !opt.NoForeignKeys && !slices.Contains(opt.SkipForeignKeys, fk.Name) {
			p.unsupported("the foreign key "+fk.Name+" of a reference table to itself", -1, "the gate keeps all others")
		}
	}
}

// rowIDs gives a table's rows their numbers; its rows that are there have some.
func rowIDs(table string) []string {
	name := ident(table)
	literal := "'" + strings.ReplaceAll(name, "'", "''") + "'"
	return []string{
		"ALTER TABLE " + name + " ALTER COLUMN " + RowIDColumn + " SET DEFAULT _vt_next_row(" + literal + "::regclass)",
		"CREATE UNIQUE INDEX IF NOT EXISTS " + ident(indexName(table, RowIDColumn)) + " ON " + name + " (" + RowIDColumn + ")",
	}
}

func (p *printer) primaryKey(def *sqlast.TableDef, pk *sqlast.IndexDef) string {
	if !pk.Whole() {
		return p.elsewhere("a primary key on a part of a column").s
	}
	columns := pk.Columns()
	names := make([]string, len(columns))
	for i, name := range columns {
		c := def.Column(name)
		if folds(c) {
			// A constraint is on columns alone: an index beside it folds.
			return "CONSTRAINT " + ident(primaryName(def.Name)) + " PRIMARY KEY (" + idents(defNames(def, columns)) + ")"
		}
		names[i] = c.Name
	}
	return "CONSTRAINT " + ident(primaryName(def.Name)) + " PRIMARY KEY (" + idents(names) + ")"
}

func defNames(def *sqlast.TableDef, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		if c := def.Column(n); c != nil {
			n = c.Name
		}
		out[i] = n
	}
	return out
}

// folds says whether a column's text compares without regard to case.
func folds(c *sqlast.ColumnDef) bool {
	return c != nil && c.Type.NoCase && c.Type.Class == sqlast.ClassText
}

func (p *printer) checks(def *sqlast.TableDef) []string {
	var parts []string
	for _, c := range def.Checks {
		if c.NotEnforced {
			continue
		}
		name := ""
		if c.Name != "" {
			name = "CONSTRAINT " + ident(c.Name) + " "
		}
		parts = append(parts, name+"CHECK ("+p.cond(def.Resolved(c.Expr))+")")
	}
	return parts
}

func inPrimaryKey(def *sqlast.TableDef, name string) bool {
	pk := def.PrimaryKey()
	return pk != nil && slices.ContainsFunc(pk.Columns(), func(c string) bool { return strings.EqualFold(c, name) })
}

// column prints what stands behind a column's name.
func (p *printer) column(def *sqlast.TableDef, c *sqlast.ColumnDef) string {
	s := columnType(&c.Type)
	if notNull(def, c) {
		s += " NOT NULL"
	}
	switch {
	case c.Generated != nil:
		s += " GENERATED ALWAYS AS (" + p.generated(def, c) + ") STORED"
	case c.Default != nil && !given(c):
		s += " DEFAULT " + p.stored(c, numberOf(c))
	}
	return s + p.columnCheck(c)
}

func notNull(def *sqlast.TableDef, c *sqlast.ColumnDef) bool {
	return c.Type.NotNull || inPrimaryKey(def, c.Name)
}

// Has implements [dialect.Printer].
func (Printer) Has(c *sqlast.ColumnDef, n int) string {
	name := ident(c.Name)
	if sqlite.FoldsAlone(&sqlast.Col{Name: c.Name, Def: c}) {
		return folded(name) + " = " + folded("$"+strconv.Itoa(n))
	}
	return name + " = ?" + strconv.Itoa(n)
}

// numberOf is a column's default; of a number in quotes, as dumps have it, or with a sign,
// the number.
func numberOf(c *sqlast.ColumnDef) sqlast.Expr {
	text, kind := "", sqlast.LitString
	switch e := c.Default.(type) {
	case *sqlast.Lit:
		text, kind = e.Text, e.Kind
	case *sqlast.Unary:
		if l, ok := e.X.(*sqlast.Lit); ok && e.Op == sqlast.OpNeg && l.Kind == sqlast.LitInt {
			text = "-" + l.Text
		}
	}
	if kind != sqlast.LitString || !c.Type.Class.Numeric() || c.Type.Name == "YEAR" || !number.MatchString(text) || strings.ContainsAny(text, "eE") {
		return c.Default
	}
	n := &sqlast.Lit{Kind: sqlast.LitInt, Text: text}
	n.T = sqlast.TypeOf(sqlast.ClassInt)
	if strings.Contains(text, ".") {
		n.Kind, n.T = sqlast.LitDecimal, sqlast.TypeOf(sqlast.ClassDecimal)
	}
	return n
}

// given says whether a column's default is the gate's alone to give, as it does with
// every default that is no literal.
func given(c *sqlast.ColumnDef) bool {
	if u, ok := c.Default.(*sqlast.Unary); ok {
		_, lit := u.X.(*sqlast.Lit)
		return !lit
	}
	_, lit := c.Default.(*sqlast.Lit)
	return !lit
}

func (p *printer) generated(def *sqlast.TableDef, c *sqlast.ColumnDef) string {
	k, _ := kindOf(&c.Type)
	o := p.value(def.Resolved(c.Generated))
	if t := def.Resolved(c.Generated).Type(); o.k == k && k == kNumber && t.Scale <= max(c.Type.Scale, 0) && t.Size-t.Scale <= c.Type.Size-max(c.Type.Scale, 0) && t.Size >= 0 {
		return o.s
	}
	if o.k != k || k == kNumber || k == kBytes {
		return p.elsewhere("the generated column " + c.Name + " of another type than its expression").s
	}
	return o.s
}

func (p *printer) columnCheck(c *sqlast.ColumnDef) string {
	switch {
	case c.Type.Class == sqlast.ClassJSON || c.Type.Name == "JSON":
		return " CHECK (_vt_json_valid(" + ident(c.Name) + "))"
	case c.Type.Name == "ENUM" && len(c.Type.Values) > 0:
		values := make([]string, len(c.Type.Values))
		for i, v := range c.Type.Values {
			values[i] = p.str(v)
		}
		return " CHECK (" + ident(c.Name) + " IN (" + strings.Join(values, ", ") + "))"
	}
	return ""
}

// createIndex prints an index; "" for those that a shard doesn't have. A primary key
// that folds case has an index beside the constraint.
func (p *printer) createIndex(def *sqlast.TableDef, x *sqlast.IndexDef, ifNotExists bool) string {
	switch x.Kind {
	case sqlast.IndexPrimary:
		if !slices.ContainsFunc(x.Columns(), func(n string) bool { return folds(def.Column(n)) }) {
			return ""
		}
	case sqlast.IndexPlain, sqlast.IndexUnique:
	default:
		return ""
	}
	s := "CREATE "
	if x.Kind != sqlast.IndexPlain {
		s += "UNIQUE "
	}
	s += "INDEX "
	if ifNotExists {
		s += "IF NOT EXISTS "
	}
	name := x.Name
	if x.Kind == sqlast.IndexPrimary {
		name = "PRIMARY.folded"
	}
	parts := make([]string, len(x.Parts))
	for i, part := range x.Parts {
		parts[i] = p.indexPart(def, x, part)
		c := def.Column(part.Column)
		switch {
		case part.Desc:
			parts[i] += " DESC NULLS LAST"
		case c == nil || !notNull(def, c):
			parts[i] += " NULLS FIRST"
		}
	}
	return s + ident(indexName(def.Name, name)) + " ON " + ident(def.Name) + " (" + strings.Join(parts, ", ") + ")"
}

// indexPart prints what an index is on: a prefix length matters to uniqueness only.
func (p *printer) indexPart(def *sqlast.TableDef, x *sqlast.IndexDef, part sqlast.IndexPart) string {
	s := p.keyPart(def, x, part)
	if c := def.Column(part.Column); folds(c) {
		s = folded(s)
	}
	if part.Column == "" {
		e := def.Resolved(part.Expr)
		if sqlite.FoldsCase(def, part.Expr) && sqlite.ClassOf(e) == sqlast.ClassText {
			s = folded(s)
		}
		return "(" + s + ")"
	}
	return s
}

func (p *printer) keyPart(def *sqlast.TableDef, x *sqlast.IndexDef, part sqlast.IndexPart) string {
	if part.Column == "" {
		return p.value(def.Resolved(part.Expr)).s
	}
	c := def.Column(part.Column)
	if c == nil {
		return ident(part.Column)
	}
	if part.Length > 0 && x.Kind == sqlast.IndexUnique {
		return "substr(" + ident(c.Name) + ", 1, " + strconv.Itoa(part.Length) + ")"
	}
	return ident(c.Name)
}

// KeyPart implements [dialect.Printer].
func (pr Printer) KeyPart(def *sqlast.TableDef, x *sqlast.IndexDef, i int) (string, error) {
	p := &printer{constant: pr.constant}
	s := p.keyPart(def, x, x.Parts[i])
	return s, p.err
}

// Computed implements [dialect.Printer]: it is the gate that computes.
func (pr Printer) Computed(def *sqlast.TableDef, given []string, parts []sqlast.IndexPart) (string, error) {
	return sqlite.Printer{}.Computed(def, given, parts)
}

// DDL implements [dialect.Printer].
func (pr Printer) DDL(s sqlast.Stmt) ([]string, error) {
	p := &printer{}
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
		word := "DROP TABLE "
		if s.IfExists {
			word += "IF EXISTS "
		}
		for _, t := range s.Tables {
			out = append(out, word+ident(tableName(t)))
		}
	case *sqlast.CreateIndex:
		def := s.Table.Table
		if def == nil {
			p.elsewhere("an index of a table that isn't known")
			break
		}
		if x := p.createIndex(def, s.Index, s.IfNotExists); x != "" {
			out = append(out, x)
		}
	case *sqlast.DropIndex:
		out = append(out, dropIndex(tableName(s.Table), s.Name, s.IfExists))
	case *sqlast.RenameTable:
		for i, from := range s.From {
			if from.Table == nil {
				p.elsewhere("RENAME TABLE of a table that isn't known")
				continue
			}
			out = append(out, renameTable(from.Table, s.To[i].Name)...)
		}
	case *sqlast.Truncate:
		out = append(out, "DELETE FROM "+ident(tableName(s.Table)))
	case *sqlast.Maintain:
		for _, t := range s.Tables {
			out = append(out, "ANALYZE "+ident(tableName(t)))
		}
	default:
		p.unsupported(fmt.Sprintf("statement %T", s), -1, "it is not DDL for a shard")
	}
	return out, p.err
}

func dropIndex(table, index string, ifExists bool) string {
	word := "DROP INDEX "
	if ifExists {
		word += "IF EXISTS "
	}
	return word + ident(indexName(table, index))
}

// renameTable renames a table and what is named after it.
func renameTable(def *sqlast.TableDef, to string) []string {
	out := []string{"ALTER TABLE " + ident(def.Name) + " RENAME TO " + ident(to)}
	if def.Name == to {
		out = nil
	}
	index := func(old, new string) {
		if old != new {
			out = append(out, "ALTER INDEX "+ident(old)+" RENAME TO "+ident(new))
		}
	}
	for _, x := range def.Indexes {
		switch x.Kind {
		case sqlast.IndexPlain, sqlast.IndexUnique:
			index(indexName(def.Name, x.Name), indexName(to, x.Name))
		case sqlast.IndexPrimary:
			index(primaryName(def.Name), primaryName(to))
			if slices.ContainsFunc(x.Columns(), func(n string) bool { return folds(def.Column(n)) }) {
				index(indexName(def.Name, "PRIMARY.folded"), indexName(to, "PRIMARY.folded"))
			}
		}
	}
	if rowKey(def) == nil {
		index(indexName(def.Name, RowIDColumn), indexName(to, RowIDColumn))
	}
	return out
}
