package sqlparse

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/opcode"

	"github.com/vitessdo/vitessdo/sqlast"
)

// conv makes sqlast of TiDB's tree. It gives up by panicking with a
// *SyntaxError, which Parse catches.
type conv struct {
	scan *scan
	unit *unit
	// rowAlias and colAliases are the INSERT's row alias; aliased is set while
	// its ON DUPLICATE KEY UPDATE is converted, columns are the INSERT's.
	rowAlias   string
	colAliases []string
	aliased    bool
	columns    []string
}

// refuse gives up because of a construct that we don't run, at offset at of the
// unit.
func (c *conv) refuse(at int, what string) {
	panic(unsupportedAt(c.scan.text, c.unit.source(at), what))
}

func (c *conv) fail(at int, message string) {
	panic(errorAt(c.scan.text, c.unit.source(at), message))
}

// pos gives an expression's offset in the source.
func (c *conv) pos(n ast.Node) int { return c.unit.source(n.OriginTextPosition()) }

func (c *conv) exprs(list []ast.ExprNode) []sqlast.Expr {
	if len(list) == 0 {
		return nil
	}
	out := make([]sqlast.Expr, len(list))
	for i, n := range list {
		out[i] = c.expr(n)
	}
	return out
}

// optional converts an expression that may be missing.
func (c *conv) optional(n ast.ExprNode) sqlast.Expr {
	if n == nil {
		return nil
	}
	return c.expr(n)
}

// expr converts an expression.
func (c *conv) expr(n ast.ExprNode) sqlast.Expr {
	switch x := n.(type) {
	case *ast.ColumnNameExpr:
		return c.col(x.Name, c.pos(x))
	case *param:
		return c.param(x)
	case *value:
		return c.lit(x)
	case *ast.ParenthesesExpr:
		return c.expr(x.Expr)
	case *ast.BinaryOperationExpr:
		return &sqlast.Binary{Op: c.op(x.Op, x), L: c.expr(x.L), R: c.expr(x.R)}
	case *ast.UnaryOperationExpr:
		return c.unary(x)
	case *ast.PatternInExpr:
		in := &sqlast.In{X: c.expr(x.Expr), List: c.exprs(x.List), Not: x.Not}
		if x.Sel != nil {
			in.Sub, in.List = c.subquery(x.Sel), nil
		}
		return in
	case *ast.BetweenExpr:
		return &sqlast.Between{X: c.expr(x.Expr), Lo: c.expr(x.Left), Hi: c.expr(x.Right), Not: x.Not}
	case *ast.PatternLikeOrIlikeExpr:
		return c.like(x)
	case *ast.PatternRegexpExpr:
		return negate(&sqlast.Binary{Op: sqlast.OpRegexp, L: c.expr(x.Expr), R: c.expr(x.Pattern)}, x.Not)
	case *ast.IsNullExpr:
		return &sqlast.Is{X: c.expr(x.Expr), What: sqlast.IsNull, Not: x.Not}
	case *ast.IsTruthExpr:
		is := &sqlast.Is{X: c.expr(x.Expr), What: sqlast.IsFalse, Not: x.Not}
		if x.True != 0 {
			is.What = sqlast.IsTrue
		}
		return is
	case *ast.CaseExpr:
		return c.caseExpr(x)
	case *ast.FuncCallExpr:
		return c.call(x)
	case *ast.FuncCastExpr:
		return c.cast(x)
	case *ast.AggregateFuncExpr:
		return c.agg(x.F, x.Args, x.Distinct, x.Order)
	case *ast.WindowFuncExpr:
		return c.window(x)
	}
	return c.rareExpr(n)
}

// quantified gives x op ANY|ALL (…); = ANY and <> ALL are the IN and NOT IN that
// they mean, so that nobody has to know them by two names.
func (c *conv) quantified(x *ast.CompareSubqueryExpr) sqlast.Expr {
	sub := &sqlast.Subquery{Kind: sqlast.SubAny, X: c.expr(x.L), Op: c.op(x.Op, x), Query: c.subquery(x.R)}
	if x.All {
		sub.Kind = sqlast.SubAll
	}
	if !x.All && sub.Op == sqlast.OpEq || x.All && sub.Op == sqlast.OpNe {
		return &sqlast.In{X: sub.X, Sub: sub.Query, Not: x.All}
	}
	return sub
}

// rareExpr is the second half of expr.
func (c *conv) rareExpr(n ast.ExprNode) sqlast.Expr {
	switch x := n.(type) {
	case *ast.SubqueryExpr:
		return &sqlast.Subquery{Kind: sqlast.SubScalar, Query: c.query(x.Query)}
	case *ast.ExistsSubqueryExpr:
		return &sqlast.Subquery{Kind: sqlast.SubExists, Query: c.subquery(x.Sel), Not: x.Not}
	case *ast.CompareSubqueryExpr:
		return c.quantified(x)
	case *ast.RowExpr:
		return &sqlast.Row{Items: c.exprs(x.Values)}
	case *ast.PositionExpr:
		if x.P != nil {
			return c.expr(x.P)
		}
		return &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.Itoa(x.N)}
	case *ast.DefaultExpr:
		if x.Name == nil {
			return &sqlast.Default{}
		}
		return &sqlast.Default{Col: c.col2(x.Name, c.pos(x))}
	case *ast.ValuesExpr:
		return &sqlast.Values{Name: x.Column.Name.Name.O}
	case *ast.VariableExpr:
		return c.variable(x)
	case *ast.SetCollationExpr:
		return &sqlast.Collate{X: c.expr(x.Expr), Name: strings.ToLower(x.Collate)}
	case *ast.TableNameExpr:
		return &sqlast.Col{Schema: x.Name.Schema.O, Name: x.Name.Name.O, Pos: c.pos(x)}
	case *ast.TimeUnitExpr:
		return &sqlast.Keyword{Word: strings.ToUpper(x.Unit.String())}
	case *ast.TrimDirectionExpr:
		return &sqlast.Keyword{Word: strings.ToUpper(x.Direction.String())}
	case *ast.GetFormatSelectorExpr:
		return &sqlast.Keyword{Word: [...]string{1: "DATE", 2: "TIME", 3: "DATETIME"}[x.Selector]}
	case *ast.MatchAgainst:
		c.refuse(x.OriginTextPosition(), "MATCH … AGAINST")
	case *ast.MaxValueExpr:
		c.refuse(x.OriginTextPosition(), "MAXVALUE")
	}
	c.refuse(n.OriginTextPosition(), "this expression")
	return nil
}

// negate puts NOT before x.
func negate(x sqlast.Expr, not bool) sqlast.Expr {
	if not {
		return &sqlast.Unary{Op: sqlast.OpNot, X: x}
	}
	return x
}

// col converts a column reference; under a row alias it may mean a value.
func (c *conv) col(n *ast.ColumnName, pos int) sqlast.Expr {
	if c.aliased && n.Schema.O == "" {
		if name, ok := c.rowAliasColumn(n); ok {
			return &sqlast.Values{Name: name}
		}
	}
	return c.col2(n, pos)
}

func (c *conv) col2(n *ast.ColumnName, pos int) *sqlast.Col {
	col := &sqlast.Col{Table: n.Table.O, Name: n.Name.O, Pos: pos}
	if n.Schema.O != "" {
		col.Schema, _, _ = target(n.Schema.O)
	}
	return col
}

// rowAliasColumn gives the column that a reference to the row alias means. With
// column aliases but no column list only the table can tell; then the alias is
// kept.
func (c *conv) rowAliasColumn(n *ast.ColumnName) (string, bool) {
	if n.Table.O != "" && !strings.EqualFold(n.Table.O, c.rowAlias) {
		return "", false
	}
	if len(c.colAliases) == 0 {
		return n.Name.O, n.Table.O != ""
	}
	for i, alias := range c.colAliases {
		if strings.EqualFold(alias, n.Name.O) {
			if i < len(c.columns) {
				return c.columns[i], true
			}
			return alias, true
		}
	}
	return "", false
}

func (c *conv) param(p *param) sqlast.Expr {
	i := c.unit.argument(p.offset)
	if i < 0 {
		c.fail(p.offset, "the parameter's place is unknown")
	}
	x := &sqlast.Param{Index: i}
	if lits := c.scan.lits; i < len(lits) {
		switch lits[i].(type) {
		case int64:
			x.T = sqlast.TypeOf(sqlast.ClassInt)
		case float64:
			x.T = sqlast.TypeOf(sqlast.ClassDouble)
		case string:
			x.T = sqlast.TypeOf(sqlast.ClassText)
		}
	}
	return x
}

// lit converts a literal.
func (c *conv) lit(n *value) *sqlast.Lit {
	switch v := n.v.(type) {
	case nil:
		return &sqlast.Lit{Kind: sqlast.LitNull}
	case bool:
		if v {
			return &sqlast.Lit{Kind: sqlast.LitTrue}
		}
		return &sqlast.Lit{Kind: sqlast.LitFalse}
	case int:
		return &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.Itoa(v)}
	case int64:
		return &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.FormatInt(v, 10)}
	case uint64:
		return &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.FormatUint(v, 10)}
	case float64:
		return &sqlast.Lit{Kind: sqlast.LitFloat, Text: strconv.FormatFloat(v, 'g', -1, 64)}
	case decimal:
		if strings.IndexByte(string(v), '.') < 0 {
			return &sqlast.Lit{Kind: sqlast.LitInt, Text: string(v)}
		}
		return &sqlast.Lit{Kind: sqlast.LitDecimal, Text: string(v)}
	case string:
		return c.text(n, v)
	case binary:
		if n.charset != "" && n.charset != "binary" && n.introduced() {
			return c.text(n, v.bytes)
		}
		return &sqlast.Lit{Kind: sqlast.LitBytes, Text: v.bytes, Binary: v.prefixed || n.introduced()}
	}
	c.refuse(n.OriginTextPosition(), fmt.Sprintf("literal %v", n.v))
	return nil
}

// introduced says whether the literal was written with a charset introducer.
func (n *value) introduced() bool { return n.Type.GetCharset() != "" }

// text converts a string literal, minding its charset introducer.
func (c *conv) text(n *value, v string) *sqlast.Lit {
	lit := &sqlast.Lit{Kind: sqlast.LitString, Text: v}
	if !n.introduced() {
		return lit
	}
	switch cs := strings.ToLower(n.charset); cs {
	case "binary":
		lit.Binary = true
	case "utf8", "utf8mb3", "utf8mb4":
		if !utf8.ValidString(v) {
			c.fail(n.OriginTextPosition(), "the literal is not valid "+cs)
		}
	default:
		for i := range len(v) {
			if v[i] >= utf8.RuneSelf {
				c.refuse(n.OriginTextPosition(), "string literal in character set "+cs)
			}
		}
	}
	return lit
}

var binaryOps = map[opcode.Op]sqlast.Op{
	opcode.LogicAnd: sqlast.OpAnd, opcode.LogicOr: sqlast.OpOr, opcode.LogicXor: sqlast.OpXor,
	opcode.LeftShift: sqlast.OpShl, opcode.RightShift: sqlast.OpShr,
	opcode.And: sqlast.OpBitAnd, opcode.Or: sqlast.OpBitOr, opcode.Xor: sqlast.OpBitXor,
	opcode.GE: sqlast.OpGe, opcode.LE: sqlast.OpLe, opcode.EQ: sqlast.OpEq, opcode.NE: sqlast.OpNe,
	opcode.LT: sqlast.OpLt, opcode.GT: sqlast.OpGt, opcode.NullEQ: sqlast.OpNullSafeEq,
	opcode.Plus: sqlast.OpAdd, opcode.Minus: sqlast.OpSub, opcode.Mul: sqlast.OpMul,
	opcode.Div: sqlast.OpDiv, opcode.IntDiv: sqlast.OpIntDiv, opcode.Mod: sqlast.OpMod,
}

func (c *conv) op(op opcode.Op, at ast.Node) sqlast.Op {
	if x, ok := binaryOps[op]; ok {
		return x
	}
	c.refuse(at.OriginTextPosition(), "operator "+op.String())
	return sqlast.OpNone
}

func (c *conv) unary(x *ast.UnaryOperationExpr) sqlast.Expr {
	u := &sqlast.Unary{X: c.expr(x.V)}
	switch x.Op {
	case opcode.Not, opcode.Not2:
		u.Op = sqlast.OpNot
	case opcode.Minus:
		u.Op = sqlast.OpNeg
	case opcode.Plus:
		u.Op = sqlast.OpPlus
	case opcode.BitNeg:
		u.Op = sqlast.OpBitNot
	default:
		c.refuse(x.OriginTextPosition(), "operator "+x.Op.String())
	}
	return u
}

func (c *conv) like(x *ast.PatternLikeOrIlikeExpr) sqlast.Expr {
	if !x.IsLike {
		c.refuse(x.OriginTextPosition(), "ILIKE")
	}
	like := &sqlast.Like{X: c.expr(x.Expr), Pattern: c.expr(x.Pattern), Not: x.Not}
	switch {
	case !x.EscapeExplicit:
	case x.Escape != 0:
		like.Escape = string(rune(x.Escape))
	default:
		// No escape character at all, which the tree can't say; it makes no
		// difference where the pattern holds no backslash.
		if lit, ok := like.Pattern.(*sqlast.Lit); !ok || strings.Contains(lit.Text, `\`) {
			c.refuse(x.OriginTextPosition(), "LIKE … ESCAPE ''")
		}
	}
	return like
}

func (c *conv) caseExpr(x *ast.CaseExpr) sqlast.Expr {
	out := &sqlast.Case{X: c.optional(x.Value), Else: c.optional(x.ElseClause)}
	for _, w := range x.WhenClauses {
		out.Whens = append(out.Whens, sqlast.When{Cond: c.expr(w.Expr), Then: c.expr(w.Result)})
	}
	return out
}

func (c *conv) variable(x *ast.VariableExpr) sqlast.Expr {
	if !x.IsSystem {
		return &sqlast.UserVar{Name: x.Name, Value: c.optional(x.Value)}
	}
	v := &sqlast.SysVar{Name: strings.ToLower(x.Name), Global: x.IsGlobal}
	switch {
	case x.IsInstance:
		c.refuse(x.OriginTextPosition(), "@@instance")
	case x.IsGlobal:
		v.Scope = "global"
	case x.ExplicitScope:
		v.Scope = "session"
	}
	return v
}

// subquery converts the subquery expression n to its query.
func (c *conv) subquery(n ast.ExprNode) sqlast.Query {
	if p, ok := n.(*ast.ParenthesesExpr); ok {
		return c.subquery(p.Expr)
	}
	sub, ok := n.(*ast.SubqueryExpr)
	if !ok {
		c.refuse(n.OriginTextPosition(), "comparison with ANY or ALL of something other than a query")
	}
	return c.query(sub.Query)
}
