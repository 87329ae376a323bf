package sqlparse

import (
	"sort"
	"strconv"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/vitessdo/vitessdo/sqlast"
)

// query converts a query in any of its forms.
func (c *conv) query(n ast.Node) sqlast.Query {
	switch x := n.(type) {
	case *ast.SelectStmt:
		return c.selectStmt(x)
	case *ast.SetOprStmt:
		q := c.setOps(x.SelectList.Selects)
		return c.around(q, c.with(x.With), c.orderBy(x.OrderBy), c.limit(x.Limit))
	case *ast.SetOprSelectList:
		q := c.setOps(x.Selects)
		with := x.With
		if first, ok := x.Selects[0].(*ast.SelectStmt); ok && len(x.Selects) == 1 && first.With == with {
			with = nil
		}
		return c.around(q, c.with(with), c.orderBy(x.OrderBy), c.limit(x.Limit))
	case *ast.SubqueryExpr:
		return c.query(x.Query)
	}
	c.refuse(0, "this query")
	return nil
}

// around puts WITH, ORDER BY and LIMIT around q.
func (c *conv) around(q sqlast.Query, with *sqlast.With, order []sqlast.OrderItem, limit *sqlast.Limit) sqlast.Query {
	if with == nil && order == nil && limit == nil {
		return q
	}
	switch x := q.(type) {
	case *sqlast.SetOp:
		if (with == nil || x.With == nil) && x.OrderBy == nil && x.Limit == nil {
			if with != nil {
				x.With = with
			}
			x.OrderBy, x.Limit = order, limit
			return x
		}
	case *sqlast.Select:
		if (with == nil || x.With == nil) && x.OrderBy == nil && x.Limit == nil && x.Lock == nil {
			if with != nil {
				x.With = with
			}
			x.OrderBy, x.Limit = order, limit
			return x
		}
	}
	// (SELECT … LIMIT 3) LIMIT 2 and the like.
	return &sqlast.Select{
		With:    with,
		Items:   []sqlast.SelectItem{{Star: true, Text: "*"}},
		From:    &sqlast.Derived{Query: q, Alias: "_q"},
		OrderBy: order,
		Limit:   limit,
	}
}

// setOps folds the members of a set operation: INTERSECT binds more tightly,
// all else goes from left to right.
func (c *conv) setOps(nodes []ast.Node) sqlast.Query {
	type term struct {
		q    sqlast.Query
		kind sqlast.SetOpKind
		all  bool
	}
	var terms []term
	for _, n := range nodes {
		t := term{}
		if op := afterOperator(n); op != nil {
			t.kind, t.all = setOp(*op)
		}
		t.q = c.query(n)
		if s, ok := t.q.(*sqlast.Select); ok {
			_, listed := n.(*ast.SetOprSelectList)
			s.Parens = s.Parens || listed
		}
		if t.kind == sqlast.Intersect && len(terms) > 0 {
			last := &terms[len(terms)-1]
			last.q = &sqlast.SetOp{Kind: t.kind, All: t.all, L: last.q, R: t.q}
			continue
		}
		terms = append(terms, t)
	}
	q := terms[0].q
	for _, t := range terms[1:] {
		q = &sqlast.SetOp{Kind: t.kind, All: t.all, L: q, R: t.q}
	}
	return q
}

func afterOperator(n ast.Node) *ast.SetOprType {
	switch x := n.(type) {
	case *ast.SelectStmt:
		return x.AfterSetOperator
	case *ast.SetOprSelectList:
		return x.AfterSetOperator
	}
	return nil
}

func setOp(op ast.SetOprType) (kind sqlast.SetOpKind, all bool) {
	switch op {
	case ast.UnionAll:
		return sqlast.Union, true
	case ast.Except:
		return sqlast.Except, false
	case ast.ExceptAll:
		return sqlast.Except, true
	case ast.Intersect:
		return sqlast.Intersect, false
	case ast.IntersectAll:
		return sqlast.Intersect, true
	}
	return sqlast.Union, false
}

// selectStmt converts SELECT, VALUES ROW(…) and TABLE t.
func (c *conv) selectStmt(x *ast.SelectStmt) sqlast.Query {
	s := &sqlast.Select{
		With: c.with(x.With), Distinct: x.Distinct, Parens: x.IsInBraces,
		Where: c.optional(x.Where), OrderBy: c.orderBy(x.OrderBy), Limit: c.limit(x.Limit),
	}
	if x.SelectIntoOpt != nil {
		c.refuse(len(c.unit.text), "SELECT … INTO")
	}
	switch x.Kind {
	case ast.SelectStmtKindValues:
		for _, row := range x.Lists {
			s.ValuesRows = append(s.ValuesRows, c.exprs(row.Values))
		}
		return s
	case ast.SelectStmtKindTable:
		s.Items = []sqlast.SelectItem{{Star: true, Text: "*"}}
	default:
		s.Items = c.items(x.Fields)
	}
	if x.From != nil {
		s.From = c.from(x.From.TableRefs)
	}
	if x.GroupBy != nil {
		s.Rollup = x.GroupBy.Rollup
		s.GroupBy = make([]sqlast.Expr, len(x.GroupBy.Items))
		for i, item := range x.GroupBy.Items {
			s.GroupBy[i] = c.expr(item.Expr)
			if item.Desc {
				c.refuse(item.Expr.OriginTextPosition(), "GROUP BY … DESC: write ORDER BY")
			}
		}
	}
	if x.Having != nil {
		s.Having = c.expr(x.Having.Expr)
	}
	for i := range x.WindowSpecs {
		s.Windows = append(s.Windows, c.windowSpec(&x.WindowSpecs[i]))
	}
	if x.SelectStmtOpts != nil {
		s.CalcRows = x.CalcFoundRows
	}
	s.Lock = c.lock(x.LockInfo)
	return s
}

func (c *conv) lock(x *ast.SelectLockInfo) *sqlast.Lock {
	if x == nil {
		return nil
	}
	switch x.LockType {
	case ast.SelectLockForUpdate:
		return &sqlast.Lock{}
	case ast.SelectLockForShare:
		return &sqlast.Lock{Share: true}
	case ast.SelectLockForUpdateNoWait:
		return &sqlast.Lock{NoWait: true}
	case ast.SelectLockForShareNoWait:
		return &sqlast.Lock{Share: true, NoWait: true}
	case ast.SelectLockForUpdateSkipLocked:
		return &sqlast.Lock{SkipLocked: true}
	case ast.SelectLockForShareSkipLocked:
		return &sqlast.Lock{Share: true, SkipLocked: true}
	case ast.SelectLockForUpdateWaitN:
		c.refuse(len(c.unit.text), "FOR UPDATE WAIT")
	}
	return nil
}

// items converts a select list.
func (c *conv) items(fields *ast.FieldList) []sqlast.SelectItem {
	out := make([]sqlast.SelectItem, len(fields.Fields))
	for i, f := range fields.Fields {
		item := &out[i]
		if w := f.WildCard; w != nil {
			item.Star, item.Table = true, w.Table.O
			item.Schema, _, _ = target(w.Schema.O)
			item.Text = "*"
			continue
		}
		item.Expr, item.Alias = c.expr(f.Expr), f.AsName.O
		if item.Alias == "" {
			item.Text = c.itemName(f, item.Expr)
		}
	}
	return out
}

// itemName is MySQL's name for a result column without alias: a column's own
// name, a string's text (the first one's of adjacent strings), else the source.
func (c *conv) itemName(f *ast.SelectField, x sqlast.Expr) string {
	switch x := x.(type) {
	case *sqlast.Col:
		return x.Name
	case *sqlast.Lit:
		if v, ok := f.Expr.(*value); ok && x.Kind == sqlast.LitString {
			if at := v.GetProjectionOffset(); at >= 0 && at <= len(x.Text) {
				return x.Text[:at]
			}
			return x.Text
		}
	}
	return c.source(f)
}

// source gives a select item's text as it was written, without comments and
// white space around it.
func (c *conv) source(f *ast.SelectField) string {
	s := c.scan
	from := c.unit.source(f.Offset)
	to := c.unit.source(f.Offset + len(f.OriginalText()))
	last := sort.Search(len(s.toks), func(i int) bool { return int(s.toks[i].start) >= to }) - 1
	if last < 0 || int(s.toks[last].start) < from {
		return ""
	}
	first := sort.Search(len(s.toks), func(i int) bool { return int(s.toks[i].start) >= from })
	return s.text[s.toks[first].start:s.toks[last].end]
}

func (c *conv) orderBy(x *ast.OrderByClause) []sqlast.OrderItem {
	if x == nil {
		return nil
	}
	out := make([]sqlast.OrderItem, len(x.Items))
	for i, item := range x.Items {
		out[i] = sqlast.OrderItem{Expr: c.expr(item.Expr), Desc: item.Desc}
	}
	return out
}

func (c *conv) limit(x *ast.Limit) *sqlast.Limit {
	if x == nil {
		return nil
	}
	return &sqlast.Limit{Count: c.optional(x.Count), Offset: c.optional(x.Offset)}
}

func (c *conv) with(x *ast.WithClause) *sqlast.With {
	if x == nil {
		return nil
	}
	w := &sqlast.With{Recursive: x.IsRecursive}
	for _, cte := range x.CTEs {
		w.CTEs = append(w.CTEs, &sqlast.CTE{Name: cte.Name.O, Columns: names(cte.ColNameList), Query: c.query(cte.Query)})
	}
	return w
}

func names(list []ast.CIStr) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = n.O
	}
	return out
}

// from converts a table expression.
func (c *conv) from(n ast.ResultSetNode) sqlast.TableExpr {
	switch x := n.(type) {
	case *ast.Join:
		return c.join(x)
	case *ast.TableName:
		return c.table(x, "")
	case *ast.TableSource:
		return c.tableSource(x)
	}
	c.refuse(0, "this table expression")
	return nil
}

func (c *conv) join(x *ast.Join) sqlast.TableExpr {
	if x.Right == nil {
		return c.from(x.Left)
	}
	j := &sqlast.Join{
		Kind: sqlast.JoinCross, L: c.from(x.Left), R: c.from(x.Right),
		Natural: x.NaturalJoin, Straight: x.StraightJoin,
	}
	if x.On != nil {
		j.Kind, j.On = sqlast.JoinInner, c.expr(x.On.Expr)
	}
	for _, col := range x.Using {
		j.Kind, j.Using = sqlast.JoinInner, append(j.Using, col.Name.O)
	}
	if j.Natural {
		j.Kind = sqlast.JoinInner
	}
	switch x.Tp {
	case ast.LeftJoin:
		j.Kind = sqlast.JoinLeft
	case ast.RightJoin:
		j.Kind = sqlast.JoinRight
	case ast.CrossJoin, 0: // 0 is STRAIGHT_JOIN's
	default:
		c.refuse(0, "this kind of join")
	}
	return j
}

func (c *conv) tableSource(x *ast.TableSource) sqlast.TableExpr {
	switch src := x.Source.(type) {
	case *ast.TableName:
		return c.table(src, x.AsName.O)
	case *ast.Join:
		return c.join(src)
	}
	d := &sqlast.Derived{Query: c.query(x.Source), Alias: x.AsName.O, Columns: names(x.ColumnNames), Lateral: x.Lateral}
	if rest, ok := strings.CutPrefix(d.Alias, listMark); ok {
		index, alias, _ := strings.Cut(rest, listMark)
		if i, err := strconv.Atoi(index); err == nil && i < len(c.scan.lists) {
			d.Alias, d.Columns = alias, c.scan.lists[i]
		}
	}
	c.jsonTable(d)
	switch s := d.Query.(type) {
	case *sqlast.Select:
		s.Parens = false
	}
	return d
}

// table converts a table's name.
func (c *conv) table(x *ast.TableName, alias string) *sqlast.TableRef {
	t := &sqlast.TableRef{Name: x.Name.O, Alias: alias, Pos: c.scan.tablePos(x.Name.O)}
	refuse := func(what string) { panic(unsupportedAt(c.scan.text, t.Pos, what)) }
	if x.TableSample != nil {
		refuse("TABLESAMPLE on table " + x.Name.O)
	}
	if x.AsOf != nil {
		refuse("AS OF on table " + x.Name.O)
	}
	if len(x.PartitionNames) > 0 {
		refuse("PARTITION of table " + x.Name.O + ": shards are chosen by the vindex")
	}
	t.Schema, t.Shard, _ = target(x.Schema.O)
	return t
}

// beforeTable holds the words that stand before a table's name.
var beforeTable = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`FROM JOIN STRAIGHT_JOIN INTO UPDATE TABLE TABLES INSERT REPLACE IGNORE VIEW ON TO LIKE USING
		EXISTS REFERENCES DELETE TRUNCATE RENAME LATERAL`) {
		beforeTable[w] = true
	}
}

// tablePos gives the offset of a table's name. TiDB's tree doesn't hold it; the
// first place where the name stands as a table's is near enough for messages.
func (s *scan) tablePos(name string) int {
	for i := range s.toks {
		if !s.isName(i) || s.is(i+1, ".") || len(s.word(i)) < len(name) || s.name(i) != name {
			continue
		}
		at := i
		if s.is(i-1, ".") {
			at = i - 2
		}
		if at <= 0 {
			continue
		}
		if s.is(at-1, ",") || s.is(at-1, "(") || s.toks[at-1].kind == tokWord && beforeTable[s.upper(at-1)] {
			return int(s.toks[at].start)
		}
	}
	return 0
}

// target takes a name like keyspace, keyspace/-80, keyspace:-80 or
// keyspace:-80@replica apart.
func target(name string) (keyspace, shard, tabletType string) {
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		name, tabletType = name[:at], name[at+1:]
	}
	if at := strings.IndexAny(name, "/:"); at >= 0 {
		name, shard = name[:at], name[at+1:]
	}
	return name, shard, tabletType
}
