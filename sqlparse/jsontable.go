package sqlparse

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/vitessdo/vitessdo/sqlast"
)

// JSON_TABLE isn't in TiDB's grammar. JSON_TABLE(doc, path COLUMNS (…)) AS t is cut
// down to LATERAL (SELECT doc) AS t, which sees the tables before it as JSON_TABLE
// does. Path and columns are read here, and found again by the alias.

// jsonMark starts the alias of what was a JSON_TABLE.
const jsonMark = "\x02"

// jsonTable is a JSON_TABLE in the text, whose word is token at.
type jsonTable struct {
	at  int
	def *sqlast.JSONTable
}

// jsonTables cuts the JSON_TABLEs down.
func (s *scan) jsonTables() {
	for i := range s.toks {
		if s.kw(i, "JSON_TABLE") && s.is(i+1, "(") && !s.is(i-1, ".") {
			s.jsonTable(i)
		}
	}
}

func (s *scan) jsonTable(at int) {
	end := s.closing(at + 1)
	if end < 0 {
		s.fail(at, "the bracket of JSON_TABLE isn't closed")
	}
	c := &cursor{scan: s, i: at + 2, hi: end}
	comma := c.comma()
	if comma == c.i || comma == end {
		s.fail(comma, "JSON_TABLE needs a document and a path: JSON_TABLE(doc, '$[*]' COLUMNS (…)) AS t")
	}
	c.i = comma + 1
	def := &sqlast.JSONTable{Path: c.str("a path")}
	def.Columns = c.jsonColumns()
	if c.i != end {
		c.stop("the bracket of JSON_TABLE should close here")
	}
	alias := end + 1
	if s.kw(alias, "AS") {
		alias++
	}
	if !s.isName(alias) || s.toks[alias].kind == tokWord && notAlias[s.upper(alias)] {
		s.fail(alias, "JSON_TABLE needs an alias")
	}
	name := "`" + jsonMark + strconv.Itoa(len(s.json)) + jsonMark + strings.ReplaceAll(s.name(alias), "`", "``") + "`"
	s.json = append(s.json, jsonTable{at, def})
	s.replace(int(s.toks[at].start), int(s.toks[at+1].end), "LATERAL (SELECT ")
	s.replace(int(s.toks[comma].start), int(s.toks[alias].end), ") AS "+name)
}

// jsonColumns reads COLUMNS (column, …).
func (c *cursor) jsonColumns() (out []*sqlast.JSONColumn) {
	c.expect("COLUMNS")
	if !c.takeOp("(") {
		c.stop("expected (")
	}
	for {
		out = append(out, c.jsonColumn())
		if c.takeOp(")") {
			return out
		}
		if !c.takeOp(",") {
			c.stop("a comma or the end of the columns was expected")
		}
	}
}

func (c *cursor) jsonColumn() *sqlast.JSONColumn {
	if c.kw(c.i, "NESTED") && c.i+1 < c.hi && (c.kw(c.i+1, "PATH") || c.toks[c.i+1].kind == tokString) {
		c.i++
		c.take("PATH")
		nested := &sqlast.JSONTable{Path: c.str("a path")}
		nested.Columns = c.jsonColumns()
		return &sqlast.JSONColumn{Kind: sqlast.JSONNested, Nested: nested}
	}
	col := &sqlast.JSONColumn{Name: c.ident("a column's name")}
	if c.take("FOR", "ORDINALITY") {
		col.Kind, col.Type = sqlast.JSONOrdinality, sqlast.TypeOf(sqlast.ClassInt)
		col.Type.Name, col.Type.Unsigned = "INT", true
		return col
	}
	col.Type = c.jsonType()
	if c.take("EXISTS") {
		col.Kind = sqlast.JSONExists
	}
	c.expect("PATH")
	col.Path = c.str("a path")
	for col.Kind == sqlast.JSONValue && c.jsonInstead(col) {
	}
	return col
}

// jsonInstead reads … ON EMPTY or … ON ERROR, if it follows.
func (c *cursor) jsonInstead(col *sqlast.JSONColumn) bool {
	var in sqlast.JSONInstead
	switch {
	case c.take("NULL"):
	case c.take("ERROR"):
		in.Fail = true
	case c.take("DEFAULT"):
		at := c.i
		in.Default = c.str("a JSON text")
		if !json.Valid([]byte(in.Default)) {
			c.fail(at, "a column of JSON_TABLE has a JSON text as its DEFAULT, a string as '\"x\"'")
		}
	default:
		return false
	}
	c.expect("ON")
	if c.take("EMPTY") {
		col.Empty = in
	} else {
		c.expect("ERROR")
		col.Error = in
	}
	return true
}

// jsonType reads a column's type, up to PATH or EXISTS.
func (c *cursor) jsonType() sqlast.Type {
	from, depth := c.i, 0
	for c.i < c.hi && (depth > 0 || !c.kw(c.i, "PATH") && !c.kw(c.i, "EXISTS") && !c.is(c.i, ",") && !c.is(c.i, ")")) {
		switch {
		case c.is(c.i, "("):
			depth++
		case c.is(c.i, ")"):
			depth--
		}
		c.i++
	}
	if c.i == from || !c.kw(c.i, "PATH") && !c.kw(c.i, "EXISTS") {
		c.stop("FOR ORDINALITY or a type with PATH was expected")
	}
	lo, hi := c.bytes(from, c.i)
	u := c.unit("ALTER TABLE t ADD COLUMN c ", lo, hi)
	x, ok := c.parse(u).(*ast.AlterTableStmt)
	if !ok || len(x.Specs) != 1 || len(x.Specs[0].NewColumns) != 1 || x.Specs[0].Position != nil && x.Specs[0].Position.Tp != ast.ColumnPositionNone {
		c.fail(from, "a type was expected")
	}
	def := x.Specs[0].NewColumns[0]
	t, ok := columnType(def.Tp)
	if !ok {
		c.refuse(from, "type "+strings.ToUpper(def.Tp.CompactStr())+" in JSON_TABLE")
	}
	for _, o := range def.Options {
		if o.Tp != ast.ColumnOptionCollate {
			c.fail(from, "a column of JSON_TABLE has a type, and nothing but a collation beside it")
		}
		t.Collation = strings.ToLower(o.StrValue)
		t.NoCase = strings.HasSuffix(t.Collation, "_ci")
	}
	return t
}

// jsonTable makes the JSON_TABLE whose alias carries the mark of d, if it does.
func (c *conv) jsonTable(d *sqlast.Derived) {
	rest, ok := strings.CutPrefix(d.Alias, jsonMark)
	if !ok {
		return
	}
	index, alias, _ := strings.Cut(rest, jsonMark)
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i >= len(c.scan.json) {
		return
	}
	t := c.scan.json[i]
	s, ok := d.Query.(*sqlast.Select)
	if !ok || !bare(s) {
		c.scan.fail(t.at, "the document of JSON_TABLE must be one expression")
	}
	d.Alias, d.JSON = alias, t.def
}

// bare says whether a query is SELECT x and nothing else.
func bare(s *sqlast.Select) bool {
	return s.With == nil && !s.Distinct && s.From == nil && s.Where == nil && s.GroupBy == nil && s.Having == nil && s.Windows == nil &&
		s.OrderBy == nil && s.Limit == nil && s.Lock == nil && s.ValuesRows == nil && !s.CalcRows &&
		len(s.Items) == 1 && !s.Items[0].Star && s.Items[0].Alias == ""
}
