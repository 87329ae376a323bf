package sqlite

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// startsQuery says whether a query begins here.
func (p *parser) startsQuery() bool {
	n := 0
	for p.isOp(n, "(") {
		n++
	}
	return p.isWord(n, "SELECT") || p.isWord(n, "VALUES") || p.isWord(n, "WITH")
}

// query reads a query with all that may stand before and behind it. Set operations go
// from left to right.
func (p *parser) query() sqlast.Query {
	if p.depth++; p.depth > 300 {
		p.fail(p.peek().start, "queries are nested too deeply")
	}
	defer func() { p.depth-- }()
	with := p.with()
	var q sqlast.Query = p.block()
	for {
		s := &sqlast.SetOp{}
		switch {
		case p.take("UNION"):
			s.All = p.take("ALL")
		case p.take("INTERSECT"):
			s.Kind = sqlast.Intersect
		case p.take("EXCEPT"):
			s.Kind = sqlast.Except
		default:
			return p.around(q, with)
		}
		s.L, s.R = q, p.block()
		q = s
	}
}

// around reads ORDER BY and LIMIT.
func (p *parser) around(q sqlast.Query, with *sqlast.With) sqlast.Query {
	var order []sqlast.OrderItem
	if p.take("ORDER", "BY") {
		order = p.orderItems()
	}
	limit := p.limit()
	switch x := q.(type) {
	case *sqlast.Select:
		x.With, x.OrderBy, x.Limit = with, order, limit
	case *sqlast.SetOp:
		x.With, x.OrderBy, x.Limit = with, order, limit
	}
	return q
}

func (p *parser) with() *sqlast.With {
	if !p.take("WITH") {
		return nil
	}
	w := &sqlast.With{Recursive: p.take("RECURSIVE")}
	for {
		c := &sqlast.CTE{Name: p.name()}
		if p.isOp(0, "(") {
			c.Columns = p.nameList()
		}
		p.need("AS")
		_ = p.take("NOT", "MATERIALIZED") || p.take("MATERIALIZED")
		p.needOp("(")
		c.Query = p.query()
		p.needOp(")")
		if c.Columns == nil {
			c.Columns = valuesColumns(c.Query)
		}
		// Any WITH of SQLite's may name itself.
		sqlast.EachRef(c.Query, func(t *sqlast.TableRef) {
			w.Recursive = w.Recursive || t.Schema == "" && strings.EqualFold(t.Name, c.Name)
		})
		w.CTEs = append(w.CTEs, c)
		if !p.takeOp(",") {
			return w
		}
	}
}

// valuesColumns names the columns of VALUES as SQLite does; nil for other queries.
func valuesColumns(q sqlast.Query) []string {
	s, ok := q.(*sqlast.Select)
	if !ok || s.ValuesRows == nil {
		return nil
	}
	var out []string
	for i := range s.ValuesRows[0] {
		out = append(out, "column"+strconv.Itoa(i+1))
	}
	return out
}

// block reads one SELECT or VALUES.
func (p *parser) block() *sqlast.Select {
	s := &sqlast.Select{}
	if p.take("VALUES") {
		for {
			p.needOp("(")
			s.ValuesRows = append(s.ValuesRows, p.exprs())
			p.needOp(")")
			if !p.takeOp(",") {
				return s
			}
		}
	}
	p.need("SELECT")
	if s.Distinct = p.take("DISTINCT"); !s.Distinct {
		p.take("ALL")
	}
	s.Items = p.items()
	if p.take("FROM") {
		s.From = p.from()
	}
	if p.take("WHERE") {
		s.Where = p.expr()
	}
	if p.take("GROUP", "BY") {
		for _, x := range p.exprs() {
			s.GroupBy = append(s.GroupBy, ordered(x))
		}
	}
	if p.take("HAVING") {
		s.Having = p.expr()
	}
	if p.isWord(0, "WINDOW") && p.isName(1) && p.isWord(2, "AS") {
		p.i++
		for {
			name := p.name()
			p.need("AS")
			w := p.window()
			w.Name = name
			s.Windows = append(s.Windows, w)
			if !p.takeOp(",") {
				break
			}
		}
	}
	return s
}

// items reads a select list or RETURNING.
func (p *parser) items() []sqlast.SelectItem {
	var out []sqlast.SelectItem
	for {
		out = append(out, p.item())
		if !p.takeOp(",") {
			return out
		}
	}
}

func (p *parser) item() sqlast.SelectItem {
	if p.takeOp("*") {
		return sqlast.SelectItem{Star: true, Text: "*"}
	}
	if p.isName(0) && p.isOp(1, ".") && p.isOp(2, "*") {
		it := sqlast.SelectItem{Star: true, Text: "*", Table: p.name()}
		p.i += 2
		return it
	}
	from := p.peek().start
	it := sqlast.SelectItem{Expr: p.expr()}
	to := p.toks[p.i-1].end
	switch {
	case p.take("AS"):
		it.Alias = p.name()
	case p.isName(0) && !p.clause() || p.peek().kind == str:
		it.Alias = p.name()
	default:
		it.Text = p.text[from:to]
		if c, ok := it.Expr.(*sqlast.Col); ok {
			it.Text = c.Name
		}
	}
	return it
}

// clauseWords may follow a name without being its alias.
var clauseWords = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`CROSS INNER LEFT RIGHT FULL NATURAL OUTER WINDOW FILTER OVER OFFSET INDEXED RETURNING DO CONFLICT FOR
		EXCEPT INTERSECT UNION ORDER GROUP HAVING LIMIT WHERE ON USING SET GLOB LIKE REGEXP MATCH ISNULL NOTNULL COLLATE END ASC DESC NULLS`) {
		clauseWords[w] = true
	}
}

// clause says whether a word begins that isn't an alias.
func (p *parser) clause() bool {
	t := p.peek()
	return t.kind == word && clauseWords[strings.ToUpper(t.text)]
}

func (p *parser) orderItems() []sqlast.OrderItem {
	var out []sqlast.OrderItem
	for {
		o := sqlast.OrderItem{Expr: ordered(p.expr())}
		if o.Desc = p.take("DESC"); !o.Desc {
			p.take("ASC")
		}
		switch {
		case p.take("NULLS", "FIRST"):
			o.Nulls = sqlast.NullsFirst
		case p.take("NULLS", "LAST"):
			o.Nulls = sqlast.NullsLast
		}
		out = append(out, o)
		if !p.takeOp(",") {
			return out
		}
	}
}

func (p *parser) limit() *sqlast.Limit {
	if !p.take("LIMIT") {
		return nil
	}
	l := &sqlast.Limit{Count: p.limitValue()}
	switch {
	case p.take("OFFSET"):
		l.Offset = p.limitValue()
	case p.takeOp(","):
		l.Offset, l.Count = l.Count, p.limitValue()
	}
	if n, ok := front.IntOf(orZero(l.Offset)); ok && n <= 0 {
		l.Offset = nil
	}
	if n, ok := front.IntOf(orZero(l.Count)); ok && n < 0 {
		l.Count = nil
	}
	if l.Count == nil && l.Offset == nil {
		return nil
	}
	return l
}

func orZero(x sqlast.Expr) sqlast.Expr {
	if x == nil {
		return front.Int(0)
	}
	return x
}

func (p *parser) limitValue() sqlast.Expr {
	at := p.peek().start
	x := p.expr()
	switch x.(type) {
	case *sqlast.Lit, *sqlast.Param:
		return x
	case *sqlast.Unary:
		if _, ok := front.IntOf(x); ok {
			return x
		}
	}
	p.refuse(at, "an expression as LIMIT or OFFSET", "compute it first and give it as a parameter")
	return nil
}

// from reads a table expression.
func (p *parser) from() sqlast.TableExpr {
	out := p.tableExpr()
	for {
		j := &sqlast.Join{Kind: sqlast.JoinCross, L: out}
		at := p.peek().start
		if !p.takeOp(",") {
			j.Natural = p.take("NATURAL")
			switch {
			case p.take("LEFT"):
				p.take("OUTER")
				j.Kind = sqlast.JoinLeft
			case p.take("RIGHT"):
				p.take("OUTER")
				j.Kind = sqlast.JoinRight
			case p.take("FULL"):
				p.take("OUTER")
				j.Kind = sqlast.JoinFull
			case p.take("INNER"), p.take("CROSS"):
			default:
				if !p.isWord(0, "JOIN") {
					if j.Natural {
						p.unexpected()
					}
					return out
				}
			}
			p.need("JOIN")
			if j.Natural && j.Kind == sqlast.JoinCross {
				j.Kind = sqlast.JoinInner
			}
		}
		j.R = p.tableExpr()
		switch {
		case p.take("ON"):
			j.On = p.expr()
		case p.take("USING"):
			j.Using = p.nameList()
		}
		if j.Kind == sqlast.JoinFull && (j.Using != nil || j.Natural) {
			p.refuse(at, "FULL JOIN with USING or NATURAL", "write ON a.x = b.x, and coalesce(a.x, b.x) for the column")
		}
		if (j.On != nil || j.Using != nil) && j.Kind == sqlast.JoinCross {
			j.Kind = sqlast.JoinInner
		}
		out = j
	}
}

func (p *parser) tableExpr() sqlast.TableExpr {
	at := p.peek().start
	if p.isOp(0, "(") {
		if p.startsQuery() {
			p.i++
			d := &sqlast.Derived{Query: p.query()}
			p.needOp(")")
			d.Columns = valuesColumns(d.Query)
			if d.Alias = p.alias(); d.Alias == "" {
				p.unnamed++
				d.Alias = "_q" + strconv.Itoa(p.unnamed)
			}
			return d
		}
		p.i++
		t := p.from()
		p.needOp(")")
		return t
	}
	t := p.tableName()
	if p.isOp(0, "(") {
		return p.tableFunction(t, at)
	}
	t.Alias = p.alias()
	if p.take("INDEXED", "BY") {
		p.name()
	} else {
		p.take("NOT", "INDEXED")
	}
	if t.Schema == "" || strings.EqualFold(t.Schema, "main") {
		switch strings.ToLower(t.Name) {
		case "sqlite_master", "sqlite_schema":
			return master(t)
		case "sqlite_sequence":
			return sequences(t)
		}
	}
	return t
}

func (p *parser) alias() string {
	if p.take("AS") {
		return p.name()
	}
	if p.isName(0) && !p.clause() {
		return p.name()
	}
	return ""
}

// master is what stands for sqlite_schema: the tables, views and indexes. There is no
// text of theirs in it.
func master(t *sqlast.TableRef) sqlast.TableExpr {
	col := func(name string) sqlast.Expr { return &sqlast.Col{Name: name, Pos: -1} }
	part := func(typ sqlast.Expr, name, table, from string, more sqlast.Expr) *sqlast.Select {
		return &sqlast.Select{Items: []sqlast.SelectItem{{Expr: typ, Alias: "type"}, {Expr: col(name), Alias: "name"}, {Expr: col(table), Alias: "tbl_name"},
			{Expr: front.Int(0), Alias: "rootpage"}, {Expr: front.Null(), Alias: "sql"}},
			From: &sqlast.TableRef{Schema: "information_schema", Name: from, Pos: -1}, Where: sqlast.And(front.Op(sqlast.OpEq, col("TABLE_SCHEMA"), front.Call("DATABASE")), more)}
	}
	kind := front.When(front.Op(sqlast.OpEq, col("TABLE_TYPE"), front.Text("VIEW")), front.Text("view"), front.Text("table"))
	indexes := part(front.Text("index"), "INDEX_NAME", "TABLE_NAME", "STATISTICS", sqlast.And(
		front.Op(sqlast.OpEq, col("SEQ_IN_INDEX"), front.Int(1)), front.Op(sqlast.OpNe, col("INDEX_NAME"), front.Text("PRIMARY"))))
	return &sqlast.Derived{Alias: t.Label(), Query: &sqlast.SetOp{All: true, L: part(kind, "TABLE_NAME", "TABLE_NAME", "TABLES", nil), R: indexes}}
}
