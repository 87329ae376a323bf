package sqlparse

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/format"

	"github.com/vitessdo/vitessdo/sqlast"
)

func (c *conv) createTable(x *ast.CreateTableStmt) sqlast.Stmt {
	ct := &sqlast.CreateTable{IfNotExists: x.IfNotExists}
	ref := c.table(x.Table, "")
	ct.Schema = ref.Schema
	ct.Def = &sqlast.TableDef{Name: ref.Name, Temporary: x.TemporaryKeyword != ast.TemporaryNone}
	if x.TemporaryKeyword == ast.TemporaryGlobal {
		c.refuse(0, "CREATE GLOBAL TEMPORARY TABLE")
	}
	if x.ReferTable != nil {
		ct.Like = c.table(x.ReferTable, "")
		return ct
	}
	if x.Select != nil {
		ct.Query = c.query(x.Select)
		ct.QueryText = c.scan.queryText(c.unit.source(0))
		if x.OnDuplicate != ast.OnDuplicateKeyHandlingError {
			c.refuse(0, "CREATE TABLE … IGNORE|REPLACE … SELECT")
		}
	}
	c.tableOptions(ct.Def, x.Options)
	for _, col := range x.Cols {
		c.addColumn(ct.Def, col)
	}
	for _, k := range x.Constraints {
		c.constraint(ct.Def, k)
	}
	c.partition(ct.Def, x.Partition)
	finish(ct.Def)
	return ct
}

// queryText gives the text of CREATE TABLE … [AS] SELECT's query.
func (s *scan) queryText(from int) string {
	depth := 0
	for i := range s.toks {
		switch {
		case int(s.toks[i].start) < from:
		case s.is(i, "("):
			depth++
		case s.is(i, ")"):
			depth--
		case depth == 0 && (s.kw(i, "SELECT") || s.kw(i, "WITH") || s.kw(i, "VALUES") || s.kw(i, "AS")):
			return s.afterAs(int(s.toks[i].start))
		}
	}
	return ""
}

// finish puts the primary key first, and fills in what follows from the keys
// and the table's collation.
func finish(t *sqlast.TableDef) {
	slices.SortStableFunc(t.Indexes, func(a, b *sqlast.IndexDef) int {
		return int(b2i(b.Kind == sqlast.IndexPrimary)) - int(b2i(a.Kind == sqlast.IndexPrimary))
	})
	nameIndexes(t)
	nameConstraints(t)
	if pk := t.PrimaryKey(); pk != nil {
		for _, p := range pk.Parts {
			if col := t.Column(p.Column); col != nil {
				col.Type.NotNull = true
			}
		}
	}
	for i, col := range t.Columns {
		col.Pos = i
		inheritCollation(t.Collation, col)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// inheritCollation gives a text column without one the table's collation. A
// column with a character set of its own has that one's default.
func inheritCollation(collation string, col *sqlast.ColumnDef) {
	if collation != "" && col.Type.Class == sqlast.ClassText && col.Type.Collation == "" && col.Charset == "" {
		col.Type.Collation = collation
		col.Type.NoCase = strings.HasSuffix(collation, "_ci")
	}
}

func (c *conv) tableOptions(t *sqlast.TableDef, options []*ast.TableOption) {
	for _, o := range options {
		switch o.Tp {
		case ast.TableOptionEngine:
			t.Engine = o.StrValue
		case ast.TableOptionCharset:
			t.Charset = strings.ToLower(o.StrValue)
		case ast.TableOptionCollate:
			t.Collation = strings.ToLower(o.StrValue)
		case ast.TableOptionComment:
			t.Comment = o.StrValue
		case ast.TableOptionAutoIncrement:
			t.AutoInc = int64(o.UintValue)
		case ast.TableOptionUnion:
			c.refuse(0, "table option UNION")
		case ast.TableOptionTTL:
			c.refuse(0, "table option TTL")
		}
	}
}

// addColumn converts a column and adds it, with the keys and constraints that
// its options declare.
func (c *conv) addColumn(t *sqlast.TableDef, x *ast.ColumnDef) *sqlast.ColumnDef {
	col := &sqlast.ColumnDef{Name: x.Name.Name.O, Pos: len(t.Columns)}
	typ, ok := columnType(x.Tp)
	if !ok {
		c.refuse(0, "type "+strings.ToUpper(x.Tp.CompactStr())+" of column "+col.Name)
	}
	col.Type = typ
	if cs := x.Tp.GetCharset(); cs != "" && typ.Class == sqlast.ClassText {
		col.Charset = strings.ToLower(cs)
	}
	t.Columns = append(t.Columns, col)
	for _, o := range x.Options {
		c.columnOption(t, col, o)
	}
	return col
}

func (c *conv) columnOption(t *sqlast.TableDef, col *sqlast.ColumnDef, o *ast.ColumnOption) {
	key := func(kind sqlast.IndexKind, name string) {
		t.Indexes = append(t.Indexes, &sqlast.IndexDef{Name: name, Kind: kind, Parts: []sqlast.IndexPart{{Column: col.Name}}})
	}
	switch o.Tp {
	case ast.ColumnOptionPrimaryKey:
		col.Type.NotNull = true
		key(sqlast.IndexPrimary, "PRIMARY")
	case ast.ColumnOptionUniqKey:
		key(sqlast.IndexUnique, "")
	case ast.ColumnOptionNotNull:
		col.Type.NotNull = true
	case ast.ColumnOptionNull, ast.ColumnOptionColumnFormat, ast.ColumnOptionStorage, ast.ColumnOptionSecondaryEngineAttribute:
	case ast.ColumnOptionAutoIncrement:
		col.AutoInc, col.Type.NotNull = true, true
	case ast.ColumnOptionDefaultValue:
		col.Default, col.DefaultText = c.defaultValue(o.Expr)
	case ast.ColumnOptionOnUpdate:
		col.OnUpdateNow = true
	case ast.ColumnOptionComment:
		if v, ok := o.Expr.(*value); ok {
			col.Comment = v.GetString()
		}
	case ast.ColumnOptionGenerated:
		col.Generated, col.GeneratedText = c.exprText(o.Expr)
		col.Stored = o.Stored
	case ast.ColumnOptionReference:
		// MySQL ignored these before version 9; there is no harm in keeping them.
		t.ForeignKeys = append(t.ForeignKeys, c.foreignKey("", []string{col.Name}, o.Refer))
	case ast.ColumnOptionCollate:
		col.Type.Collation = strings.ToLower(o.StrValue)
		col.Type.NoCase = strings.HasSuffix(col.Type.Collation, "_ci")
	case ast.ColumnOptionCheck:
		x, text := c.exprText(o.Expr)
		t.Checks = append(t.Checks, &sqlast.CheckDef{Name: o.ConstraintName, Expr: x, Text: text, NotEnforced: !o.Enforced})
	case ast.ColumnOptionFulltext:
		key(sqlast.IndexFulltext, "")
	default:
		c.refuse(0, "an option of column "+col.Name)
	}
}

// defaultMark starts the placeholder string of a DEFAULT (expression).
const defaultMark = "\x01default\x01"

// defaultValue converts a default and gives its text.
func (c *conv) defaultValue(n ast.ExprNode) (sqlast.Expr, string) {
	s := c.scan
	if v, ok := n.(*value); ok {
		if index, ok := strings.CutPrefix(v.GetString(), defaultMark); ok {
			if i, err := strconv.Atoi(index); err == nil && i < len(s.exprs) {
				e := s.exprs[i]
				return s.expr(e.start+1, e.end-1), s.text[e.start:e.end]
			}
		}
	}
	x := c.expr(n)
	at := s.tokenAt(c.pos(n))
	if at < 0 {
		return x, restored(n)
	}
	end := at + 1
	switch {
	case s.is(at, "-"), s.is(at, "+"):
		end++
	case s.toks[at].kind == tokWord && s.is(end, "("):
		end = s.closing(end) + 1
	case s.toks[at].kind == tokWord && strings.HasPrefix(s.word(at), "_") && end < len(s.toks) && s.toks[end].kind == tokString:
		end++
	}
	if end <= at {
		return x, restored(n)
	}
	lo, hi := s.bytes(at, end)
	return x, s.text[lo:hi]
}

// restored prints an expression whose place in the text is unknown.
func restored(n ast.ExprNode) string {
	var b strings.Builder
	flags := format.RestoreStringSingleQuotes | format.RestoreNameBackQuotes | format.RestoreKeyWordUppercase | format.RestoreStringWithoutCharset
	if n.Restore(format.NewRestoreCtx(flags, &b)) != nil {
		return ""
	}
	return b.String()
}

// constraint converts a key or constraint and adds it.
func (c *conv) constraint(t *sqlast.TableDef, x *ast.Constraint) {
	ix := &sqlast.IndexDef{Name: x.Name}
	switch x.Tp {
	case ast.ConstraintPrimaryKey:
		ix.Name, ix.Kind = "PRIMARY", sqlast.IndexPrimary
	case ast.ConstraintKey, ast.ConstraintIndex:
	case ast.ConstraintUniq, ast.ConstraintUniqKey, ast.ConstraintUniqIndex:
		ix.Kind = sqlast.IndexUnique
	case ast.ConstraintFulltext:
		ix.Kind = sqlast.IndexFulltext
	case ast.ConstraintForeignKey:
		var cols []string
		for _, p := range x.Keys {
			if p.Column == nil {
				c.refuse(0, "foreign key on an expression")
			}
			cols = append(cols, p.Column.Name.O)
		}
		t.ForeignKeys = append(t.ForeignKeys, c.foreignKey(x.Name, cols, x.Refer))
		return
	case ast.ConstraintCheck:
		e, text := c.exprText(x.Expr)
		t.Checks = append(t.Checks, &sqlast.CheckDef{Name: x.Name, Expr: e, Text: text, NotEnforced: !x.Enforced})
		return
	default:
		c.refuse(0, "this kind of index")
	}
	ix.Parts = c.parts(x.Keys)
	c.indexOption(ix, x.Option)
	t.Indexes = append(t.Indexes, ix)
}

// partition converts PARTITION BY: KEY declares the table's hash vindex, the
// other kinds have no meaning for us.
func (c *conv) partition(t *sqlast.TableDef, p *ast.PartitionOptions) {
	if p == nil {
		return
	}
	if p.Tp != ast.PartitionTypeKey {
		c.refuse(0, "PARTITION BY "+strings.ToUpper(p.Tp.String())+": PARTITION BY KEY (columns) says how a table is sharded")
	}
	if p.Sub != nil {
		c.refuse(0, "SUBPARTITION BY")
	}
	for _, col := range p.ColumnNames {
		t.PartitionKey = append(t.PartitionKey, col.Name.O)
	}
	if pk := t.PrimaryKey(); len(t.PartitionKey) == 0 && pk != nil {
		t.PartitionKey = pk.Columns()
	}
}

// ddl makes the edits of CREATE and ALTER statements: ALTER VIEW is CREATE OR
// REPLACE VIEW, and DEFAULT (expression) is cut out.
func (s *scan) ddl(lo, hi int) {
	if s.kw(lo, "ALTER") {
		for i := lo + 1; i < hi && !s.kw(i, "AS") && !s.kw(i, "TABLE"); i++ {
			if s.kw(i, "VIEW") {
				s.replace(int(s.toks[lo].start), int(s.toks[lo].end), "CREATE OR REPLACE")
				break
			}
		}
	}
	for i := lo; i+1 < hi; i++ {
		if !s.kw(i, "DEFAULT") || !s.is(i+1, "(") {
			continue
		}
		end := s.closing(i + 1)
		if end < 0 || end >= hi || s.is(i-1, ".") {
			continue
		}
		e := span{int(s.toks[i+1].start), int(s.toks[end].end)}
		s.replace(e.start, e.end, "'"+defaultMark+strconv.Itoa(len(s.exprs))+"'")
		s.exprs = append(s.exprs, e)
	}
}
