package sqlparse

import (
	"strconv"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/mysql"

	"github.com/vitessdo/vitessdo/sqlast"
)

// aggregates holds the functions that are aggregates under OVER too.
var aggregates = map[string]bool{
	"COUNT": true, "SUM": true, "MIN": true, "MAX": true, "AVG": true, "GROUP_CONCAT": true,
	"BIT_AND": true, "BIT_OR": true, "BIT_XOR": true, "JSON_ARRAYAGG": true, "JSON_OBJECTAGG": true,
	"STD": true, "STDDEV": true, "STDDEV_POP": true, "STDDEV_SAMP": true,
	"VARIANCE": true, "VAR_POP": true, "VAR_SAMP": true,
}

// call converts a function call, and what the grammar disguises as one.
func (c *conv) call(x *ast.FuncCallExpr) sqlast.Expr {
	if x.Schema.O != "" {
		c.refuse(x.OriginTextPosition(), "stored function "+x.Schema.O+"."+x.FnName.O)
	}
	switch x.FnName.L {
	case ast.DateLiteral:
		return &sqlast.Lit{Kind: sqlast.LitDate, Text: literalText(x)}
	case ast.TimeLiteral:
		return &sqlast.Lit{Kind: sqlast.LitTime, Text: literalText(x)}
	case ast.TimestampLiteral:
		return &sqlast.Lit{Kind: sqlast.LitTimestamp, Text: literalText(x)}
	case ast.JSONMemberOf:
		return &sqlast.Binary{Op: sqlast.OpMember, L: c.expr(x.Args[0]), R: c.expr(x.Args[1])}
	}
	name := strings.ToUpper(x.FnName.L)
	switch name {
	case "JSON_EXTRACT":
		if infix(x, x.Args) {
			return &sqlast.Binary{Op: sqlast.OpJSONGet, L: c.expr(x.Args[0]), R: c.expr(x.Args[1])}
		}
	case "JSON_UNQUOTE":
		if in, ok := onlyArg(x).(*ast.FuncCallExpr); ok && in.FnName.L == ast.JSONExtract && infix(x, in.Args) {
			return &sqlast.Binary{Op: sqlast.OpJSONTxt, L: c.expr(in.Args[0]), R: c.expr(in.Args[1])}
		}
	case "CONCAT":
		if infix(x, x.Args) {
			return &sqlast.Binary{Op: sqlast.OpConcat, L: c.expr(x.Args[0]), R: c.expr(x.Args[1])}
		}
	case "CONVERT":
		return c.convertUsing(x)
	}
	f := &sqlast.Func{Name: name, Pos: c.pos(x)}
	c.arguments(f, x)
	return f
}

// literalText gives the text of DATE '…' and its kin.
func literalText(x *ast.FuncCallExpr) string {
	v, _ := onlyArg(x).(*value)
	if v == nil {
		return ""
	}
	return v.GetString()
}

func onlyArg(x *ast.FuncCallExpr) ast.ExprNode {
	if len(x.Args) != 1 {
		return nil
	}
	return x.Args[0]
}

// infix says whether a call of two arguments was written as an operator: then
// it begins where its first argument does.
func infix(x *ast.FuncCallExpr, args []ast.ExprNode) bool {
	return len(args) == 2 && x.OriginTextPosition() == args[0].OriginTextPosition()
}

// convertUsing converts CONVERT(x USING charset).
func (c *conv) convertUsing(x *ast.FuncCallExpr) sqlast.Expr {
	to := sqlast.TypeOf(sqlast.ClassText)
	to.Name = "CHAR"
	if v, ok := x.Args[1].(*value); ok && strings.EqualFold(v.GetString(), "binary") {
		to.Name, to.Class = "BINARY", sqlast.ClassBlob
	}
	return &sqlast.Cast{X: c.expr(x.Args[0]), To: to}
}

// arguments fills in f's arguments and its canonical name.
func (c *conv) arguments(f *sqlast.Func, x *ast.FuncCallExpr) {
	switch f.Name {
	case "CHAR_FUNC":
		f.Name = "CHAR"
		f.Args = c.exprs(x.Args[:len(x.Args)-1])
		if cs, ok := x.Args[len(x.Args)-1].(*value); ok && cs.v != nil {
			f.Args = append(f.Args, &sqlast.Keyword{Word: strings.ToUpper(cs.GetString())})
		}
		return
	case "INSERT_FUNC":
		f.Name = "INSERT"
	case "DATE_ADD", "ADDDATE", "DATE_SUB", "SUBDATE":
		if len(x.Args) == 3 {
			f.Name = map[byte]string{'A': "DATE_ADD", 'S': "DATE_SUB"}[strings.TrimPrefix(f.Name, "DATE_")[0]]
			unit, _ := x.Args[2].(*ast.TimeUnitExpr)
			f.Args = []sqlast.Expr{c.expr(x.Args[0]), &sqlast.Interval{X: c.expr(x.Args[1]), Unit: strings.ToUpper(unit.Unit.String())}}
			return
		}
	case "TRIM":
		if len(x.Args) > 1 {
			f.Args = c.trim(x)
			return
		}
	case "NEXTVAL":
		f.Args = append(c.exprs(x.Args), &sqlast.Lit{Kind: sqlast.LitInt, Text: "1"})
		return
	case "POSITION":
		f.Name = "LOCATE"
	}
	f.Args = c.exprs(x.Args)
}

// trim gives TRIM's arguments as (side, what, from).
func (c *conv) trim(x *ast.FuncCallExpr) []sqlast.Expr {
	side := sqlast.Expr(&sqlast.Keyword{Word: "BOTH"})
	if len(x.Args) == 3 {
		side = c.expr(x.Args[2])
	}
	return []sqlast.Expr{side, c.expr(x.Args[1]), c.expr(x.Args[0])}
}

// agg converts an aggregate function.
func (c *conv) agg(name string, args []ast.ExprNode, distinct bool, order *ast.OrderByClause) *sqlast.Agg {
	a := &sqlast.Agg{Name: strings.ToUpper(name), Distinct: distinct}
	switch {
	case a.Name == "COUNT" && len(args) == 1 && isStar(args[0]):
		a.Star = true
		return a
	case a.Name == "GROUP_CONCAT":
		if sep, ok := args[len(args)-1].(*value); ok && sep.GetString() != "," {
			s := sep.GetString()
			a.Separator = &s
		}
		args = args[:len(args)-1]
	}
	a.Args = c.exprs(args)
	a.OrderBy = c.orderBy(order)
	for i, o := range a.OrderBy {
		// GROUP_CONCAT(x ORDER BY 1) means its first argument.
		if l, ok := o.Expr.(*sqlast.Lit); ok && l.Kind == sqlast.LitInt {
			if n, err := strconv.Atoi(l.Text); err == nil && n >= 1 && n <= len(a.Args) {
				a.OrderBy[i].Expr = sqlast.CloneExpr(a.Args[n-1])
			}
		}
	}
	return a
}

// isStar says whether the argument is what the grammar puts for a star.
func isStar(n ast.ExprNode) bool {
	v, ok := n.(*value)
	if !ok {
		return false
	}
	_, star := v.v.(int)
	return star
}

// window converts a function with OVER.
func (c *conv) window(x *ast.WindowFuncExpr) sqlast.Expr {
	if x.IgnoreNull {
		c.refuse(x.OriginTextPosition(), "IGNORE NULLS")
	}
	if x.FromLast {
		c.refuse(x.OriginTextPosition(), "FROM LAST")
	}
	name := strings.ToUpper(x.Name)
	w := &sqlast.Window{}
	if aggregates[name] {
		w.Func = c.agg(name, x.Args, x.Distinct, nil)
	} else {
		w.Func = &sqlast.Func{Name: name, Args: c.exprs(x.Args), Pos: c.pos(x)}
	}
	if x.Spec.OnlyAlias {
		w.Name = x.Spec.Name.O
		return w
	}
	w.Spec = c.windowSpec(&x.Spec)
	return w
}

func (c *conv) windowSpec(x *ast.WindowSpec) *sqlast.WindowSpec {
	w := &sqlast.WindowSpec{Name: x.Name.O, Base: x.Ref.O, OrderBy: c.orderBy(x.OrderBy)}
	if x.PartitionBy != nil {
		for _, item := range x.PartitionBy.Items {
			w.PartitionBy = append(w.PartitionBy, c.expr(item.Expr))
		}
	}
	if f := x.Frame; f != nil {
		w.Frame = &sqlast.Frame{Unit: "ROWS", Start: c.bound(f.Extent.Start), End: c.bound(f.Extent.End)}
		switch f.Type {
		case ast.Ranges:
			w.Frame.Unit = "RANGE"
		case ast.Groups:
			w.Frame.Unit = "GROUPS"
		}
	}
	return w
}

func (c *conv) bound(b ast.FrameBound) sqlast.FrameBound {
	var out sqlast.FrameBound
	switch {
	case b.Type == ast.CurrentRow:
		return out
	case b.Type == ast.Preceding && b.UnBounded:
		out.Kind = sqlast.BoundUnboundedPreceding
	case b.Type == ast.Preceding:
		out.Kind = sqlast.BoundPreceding
	case b.UnBounded:
		out.Kind = sqlast.BoundUnboundedFollowing
	default:
		out.Kind = sqlast.BoundFollowing
	}
	if b.Expr != nil {
		out.X = c.expr(b.Expr)
		if b.Unit != ast.TimeUnitInvalid {
			out.X = &sqlast.Interval{X: out.X, Unit: strings.ToUpper(b.Unit.String())}
		}
	}
	return out
}

// cast converts CAST, CONVERT(x, type) and BINARY x.
func (c *conv) cast(x *ast.FuncCastExpr) sqlast.Expr {
	if x.FunctionType == ast.CastBinaryOperator {
		return &sqlast.Unary{Op: sqlast.OpBinary, X: c.expr(x.Expr)}
	}
	to := sqlast.TypeOf(sqlast.ClassInt)
	size := x.Tp.GetFlen()
	scale := x.Tp.GetDecimal()
	if x.Tp.IsArray() {
		c.refuse(x.OriginTextPosition(), "CAST(… AS type ARRAY)")
	}
	switch x.Tp.GetType() {
	case mysql.TypeLonglong:
		to.Name, to.Unsigned = "SIGNED", mysql.HasUnsignedFlag(x.Tp.GetFlag())
		if to.Unsigned {
			to.Name = "UNSIGNED"
		}
	case mysql.TypeVarString, mysql.TypeString:
		to.Name, to.Class, to.Size = "CHAR", sqlast.ClassText, max(size, -1)
		if x.Tp.GetCharset() == "binary" {
			to.Name, to.Class = "BINARY", sqlast.ClassBlob
		}
	case mysql.TypeDate:
		to.Name, to.Class = "DATE", sqlast.ClassDate
	case mysql.TypeDatetime:
		to.Name, to.Class, to.Scale = "DATETIME", sqlast.ClassDateTime, max(scale, 0)
	case mysql.TypeDuration:
		to.Name, to.Class, to.Scale = "TIME", sqlast.ClassTime, max(scale, 0)
	case mysql.TypeNewDecimal:
		to.Name, to.Class, to.Size, to.Scale = "DECIMAL", sqlast.ClassDecimal, size, max(scale, 0)
		if size < 0 {
			to.Size = 10
		}
	case mysql.TypeDouble:
		to.Name, to.Class = "DOUBLE", sqlast.ClassDouble
	case mysql.TypeFloat:
		to.Name, to.Class = "FLOAT", sqlast.ClassDouble
	case mysql.TypeJSON:
		to.Name, to.Class = "JSON", sqlast.ClassJSON
	case mysql.TypeYear:
		to.Name = "YEAR"
	default:
		c.refuse(x.OriginTextPosition(), "CAST to this type")
	}
	return &sqlast.Cast{X: c.expr(x.Expr), To: to}
}
