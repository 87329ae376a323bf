package sqlparse

import (
	"fmt"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/vitessdo/vitessdo/sqlast"
)

// ddl converts statements that define things.
func (c *conv) ddl(n ast.StmtNode) sqlast.Stmt {
	switch x := n.(type) {
	case *ast.CreateTableStmt:
		return c.createTable(x)
	case *ast.AlterTableStmt:
		return c.alterTable(x)
	case *ast.DropTableStmt:
		return &sqlast.DropTable{
			Tables: c.tables(x.Tables), IfExists: x.IfExists, View: x.IsView,
			Temporary: x.TemporaryKeyword != ast.TemporaryNone,
		}
	case *ast.CreateIndexStmt:
		return c.createIndex(x)
	case *ast.DropIndexStmt:
		return &sqlast.DropIndex{Table: c.table(x.Table, ""), Name: primaryName(x.IndexName), IfExists: x.IfExists}
	case *ast.TruncateTableStmt:
		return &sqlast.Truncate{Table: c.table(x.Table, "")}
	case *ast.RenameTableStmt:
		r := &sqlast.RenameTable{}
		for _, t := range x.TableToTables {
			r.From = append(r.From, c.table(t.OldTable, ""))
			r.To = append(r.To, c.table(t.NewTable, ""))
		}
		return r
	case *ast.CreateViewStmt:
		return c.createView(x)
	case *ast.CreateDatabaseStmt:
		return &sqlast.CreateDatabase{Name: x.Name.O, IfNotExists: x.IfNotExists}
	case *ast.DropDatabaseStmt:
		return &sqlast.DropDatabase{Name: x.Name.O, IfExists: x.IfExists}
	case *ast.AlterDatabaseStmt:
		c.refuse(0, "ALTER DATABASE")
	}
	c.refuse(0, c.firstWords())
	return nil
}

// firstWords names a statement that we know nothing of by its first words.
func (c *conv) firstWords() string {
	words := strings.Fields(c.unit.text)
	return strings.ToUpper(strings.Join(words[:min(len(words), 2)], " "))
}

// primaryName spells the primary key's name as MySQL does.
func primaryName(name string) string {
	if strings.EqualFold(name, "PRIMARY") {
		return "PRIMARY"
	}
	return name
}

func (c *conv) createView(x *ast.CreateViewStmt) sqlast.Stmt {
	v := &sqlast.CreateView{View: c.table(x.ViewName, ""), Columns: names(x.Cols), OrReplace: x.OrReplace, Alter: c.scan.kw(0, "ALTER")}
	v.Query = c.query(x.Select)
	v.QueryText = c.scan.afterAs(c.unit.source(0))
	if at, check := c.scan.checkOption(); check != "" {
		v.Check = check
		v.QueryText = strings.TrimSpace(v.QueryText[:len(v.QueryText)-(c.scan.end()-int(c.scan.toks[at].start))])
	}
	return v
}

// checkOption finds WITH [CASCADED | LOCAL] CHECK OPTION at the end of a CREATE
// VIEW. TiDB's tree can't tell it from none.
func (s *scan) checkOption() (at int, check string) {
	n := len(s.toks)
	for n > 0 && s.is(n-1, ";") {
		n--
	}
	if n < 4 || !s.kw(n-1, "OPTION") || !s.kw(n-2, "CHECK") {
		return 0, ""
	}
	switch w := s.upper(n - 3); w {
	case "WITH":
		return n - 3, "CASCADED"
	case "CASCADED", "LOCAL":
		if s.kw(n-4, "WITH") {
			return n - 4, w
		}
	}
	return 0, ""
}

// end is where the last token before a closing semicolon ends.
func (s *scan) end() int {
	n := len(s.toks)
	for n > 0 && s.is(n-1, ";") {
		n--
	}
	return int(s.toks[n-1].end)
}

// afterAs gives the text behind the first top-level AS from offset on, or from
// the first SELECT, WITH, VALUES or TABLE after the columns where AS is missing.
func (s *scan) afterAs(from int) string {
	depth, end := 0, len(s.text)
	if n := len(s.toks); n > 0 {
		end = int(s.toks[n-1].end)
	}
	for end > 0 && s.text[end-1] == ';' {
		end--
	}
	for i := range s.toks {
		switch {
		case int(s.toks[i].start) < from:
		case s.is(i, "("):
			if depth == 0 && i > 0 && s.isQuery(i+1) && !s.is(i+1, "(") {
				return s.text[s.toks[i].start:end]
			}
			depth++
		case s.is(i, ")"):
			depth--
		case depth == 0 && s.kw(i, "AS"):
			return s.text[s.start(i+1):end]
		case depth == 0 && (s.kw(i, "SELECT") || s.kw(i, "WITH") || s.kw(i, "VALUES")):
			return s.text[s.toks[i].start:end]
		}
	}
	return ""
}

func (c *conv) createIndex(x *ast.CreateIndexStmt) sqlast.Stmt {
	ix := &sqlast.IndexDef{Name: x.IndexName, Parts: c.parts(x.IndexPartSpecifications)}
	switch x.KeyType {
	case ast.IndexKeyTypeNone:
	case ast.IndexKeyTypeUnique:
		ix.Kind = sqlast.IndexUnique
	case ast.IndexKeyTypeFulltext:
		ix.Kind = sqlast.IndexFulltext
	case ast.IndexKeyTypeSpatial:
		ix.Kind = sqlast.IndexSpatial
	default:
		c.refuse(0, "this kind of index")
	}
	c.indexOption(ix, x.IndexOption)
	return &sqlast.CreateIndex{Table: c.table(x.Table, ""), Index: ix, IfNotExists: x.IfNotExists}
}

func (c *conv) indexOption(ix *sqlast.IndexDef, o *ast.IndexOption) {
	if o == nil {
		return
	}
	if o.Condition != nil {
		c.refuse(o.Condition.OriginTextPosition(), "index with a WHERE clause")
	}
	ix.Comment = o.Comment
	if o.Tp == ast.IndexTypeBtree || o.Tp == ast.IndexTypeHash || o.Tp == ast.IndexTypeRtree {
		ix.Using = o.Tp.String()
	}
}

func (c *conv) parts(list []*ast.IndexPartSpecification) []sqlast.IndexPart {
	out := make([]sqlast.IndexPart, len(list))
	for i, p := range list {
		out[i] = sqlast.IndexPart{Length: max(p.Length, 0), Desc: p.Desc}
		if p.Column != nil {
			out[i].Column = p.Column.Name.O
		} else {
			out[i].Expr, out[i].ExprText = c.exprText(p.Expr)
		}
	}
	return out
}

// exprText converts an expression that stands in brackets, and gives its text.
func (c *conv) exprText(n ast.ExprNode) (sqlast.Expr, string) {
	s, at := c.scan, -1
	for e := n; at < 0; {
		at = s.tokenAt(c.pos(e))
		p, ok := e.(*ast.ParenthesesExpr)
		if !ok {
			break
		}
		e = p.Expr
	}
	x := c.expr(n)
	if at > 0 && s.is(at-1, "(") {
		if end := s.closing(at - 1); end > at {
			lo, hi := s.bytes(at, end)
			return x, s.text[lo:hi]
		}
	}
	return x, restored(n)
}

// foreignKey converts REFERENCES.
func (c *conv) foreignKey(name string, cols []string, r *ast.ReferenceDef) *sqlast.ForeignKeyDef {
	fk := &sqlast.ForeignKeyDef{Name: name, Columns: cols, RefTable: r.Table.Name.O, RefSchema: r.Table.Schema.O}
	for _, p := range r.IndexPartSpecifications {
		if p.Column == nil {
			c.refuse(0, "foreign key that references an expression")
		}
		fk.RefColumns = append(fk.RefColumns, p.Column.Name.O)
	}
	if r.OnDelete != nil {
		fk.OnDelete = r.OnDelete.ReferOpt.String()
	}
	if r.OnUpdate != nil {
		fk.OnUpdate = r.OnUpdate.ReferOpt.String()
	}
	return fk
}

// nameIndexes gives unnamed indexes MySQL's names: the first column's, with _2,
// _3 … behind it where that is taken.
func nameIndexes(t *sqlast.TableDef) {
	taken := map[string]bool{}
	for _, ix := range t.Indexes {
		taken[strings.ToLower(ix.Name)] = true
	}
	for _, ix := range t.Indexes {
		if ix.Name != "" {
			continue
		}
		base := ix.Parts[0].Column
		if base == "" {
			base = "functional_index"
		}
		ix.Name = base
		for n := 2; taken[strings.ToLower(ix.Name)]; n++ {
			ix.Name = fmt.Sprintf("%s_%d", base, n)
		}
		taken[strings.ToLower(ix.Name)] = true
	}
}

// nameConstraints gives unnamed foreign keys and checks MySQL's names.
func nameConstraints(t *sqlast.TableDef) {
	taken := map[string]bool{}
	for _, fk := range t.ForeignKeys {
		taken[strings.ToLower(fk.Name)] = true
	}
	for _, ck := range t.Checks {
		taken[strings.ToLower(ck.Name)] = true
	}
	next := func(kind string, n *int) string {
		for {
			*n++
			if name := fmt.Sprintf("%s_%s_%d", t.Name, kind, *n); !taken[strings.ToLower(name)] {
				return name
			}
		}
	}
	keys, checks := 0, 0
	for _, fk := range t.ForeignKeys {
		if fk.Name == "" {
			fk.Name = next("ibfk", &keys)
		}
	}
	for _, ck := range t.Checks {
		if ck.Name == "" {
			ck.Name = next("chk", &checks)
		}
	}
}
