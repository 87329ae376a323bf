package dialect

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// ExprSource writes an expression as MySQL's text, which parsed again gives its like.
// The error is an *[UnsupportedError].
func ExprSource(e sqlast.Expr) (string, error) {
	p := &source{}
	p.expr(e)
	return p.b.String(), p.err
}

// QuerySource writes a query as MySQL's text.
func QuerySource(q sqlast.Query) (string, error) {
	p := &source{}
	p.query(q)
	return p.b.String(), p.err
}

// source writes MySQL's text. It brackets rather than minding which operator binds
// how tightly.
type source struct {
	b   strings.Builder
	err error
}

func (p *source) s(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

func (p *source) name(n string) { p.s(quoteName(n)) }

func (p *source) fail(what string, pos int) {
	if p.err == nil {
		p.err = &UnsupportedError{Construct: what, Pos: pos, Hint: "it is kept as MySQL's text, which has no place for it"}
	}
}

func (p *source) list(n int, f func(i int)) {
	for i := range n {
		if i > 0 {
			p.s(", ")
		}
		f(i)
	}
}

func (p *source) exprs(list []sqlast.Expr) { p.list(len(list), func(i int) { p.expr(list[i]) }) }

var sourceOps = map[sqlast.Op]string{
	sqlast.OpOr: "OR", sqlast.OpXor: "XOR", sqlast.OpAnd: "AND", sqlast.OpEq: "=", sqlast.OpNullSafeEq: "<=>", sqlast.OpNe: "<>",
	sqlast.OpLt: "<", sqlast.OpLe: "<=", sqlast.OpGt: ">", sqlast.OpGe: ">=", sqlast.OpBitOr: "|", sqlast.OpBitAnd: "&",
	sqlast.OpBitXor: "^", sqlast.OpShl: "<<", sqlast.OpShr: ">>", sqlast.OpAdd: "+", sqlast.OpSub: "-", sqlast.OpMul: "*",
	sqlast.OpDiv: "/", sqlast.OpIntDiv: "DIV", sqlast.OpMod: "%", sqlast.OpRegexp: "REGEXP", sqlast.OpNot: "NOT", sqlast.OpNeg: "-",
	sqlast.OpPlus: "+", sqlast.OpBitNot: "~", sqlast.OpBinary: "BINARY",
}

// operand writes an expression in brackets unless it is one word.
func (p *source) operand(e sqlast.Expr) {
	switch e.(type) {
	case *sqlast.Col, *sqlast.Lit, *sqlast.Func, *sqlast.Agg, *sqlast.Cast, *sqlast.Keyword, *sqlast.Interval, *sqlast.Row, *sqlast.Default:
		p.expr(e)
		return
	}
	p.s("(")
	p.expr(e)
	p.s(")")
}

func (p *source) expr(e sqlast.Expr) {
	switch e := e.(type) {
	case *sqlast.Col:
		for _, part := range []string{e.Schema, e.Table} {
			if part != "" {
				p.name(part)
				p.s(".")
			}
		}
		p.name(e.Name)
	case *sqlast.Lit:
		p.lit(e)
	case *sqlast.Binary:
		p.binary(e)
	case *sqlast.Unary:
		p.s(sourceOps[e.Op], " ")
		p.operand(e.X)
	case *sqlast.Func:
		p.call(e)
	case *sqlast.Keyword:
		p.s(e.Word)
	case *sqlast.Interval:
		p.s("INTERVAL ")
		p.operand(e.X)
		p.s(" ", e.Unit)
	case *sqlast.Agg:
		p.agg(e)
	case *sqlast.Window:
		p.window(e)
	case *sqlast.Case:
		p.caseExpr(e)
	case *sqlast.Cast:
		p.cast(e)
	default:
		p.rare(e)
	}
}

// rare is the second half of expr.
func (p *source) rare(e sqlast.Expr) {
	not := func(n bool) string { return map[bool]string{true: " NOT"}[n] }
	switch e := e.(type) {
	case *sqlast.In:
		p.operand(e.X)
		p.s(not(e.Not), " IN (")
		if e.Sub != nil {
			p.query(e.Sub)
		} else {
			p.exprs(e.List)
		}
		p.s(")")
	case *sqlast.Between:
		p.operand(e.X)
		p.s(not(e.Not), " BETWEEN ")
		p.operand(e.Lo)
		p.s(" AND ")
		p.operand(e.Hi)
	case *sqlast.Like:
		p.operand(e.X)
		p.s(not(e.Not), " LIKE ")
		p.operand(e.Pattern)
		switch {
		case e.Literal:
			// One that stands in no pattern.
			if l, ok := e.Pattern.(*sqlast.Lit); !ok || strings.Contains(l.Text, `\`) {
				p.s(" ESCAPE '\x01'")
			}
		case e.Escape != "":
			p.s(" ESCAPE ", quoteText(e.Escape))
		}
	case *sqlast.Is:
		p.operand(e.X)
		p.s(" IS", not(e.Not), [...]string{" NULL", " TRUE", " FALSE"}[e.What])
	case *sqlast.Collate:
		p.operand(e.X)
		p.s(" COLLATE ", e.Name)
	case *sqlast.Row:
		p.s("(")
		p.exprs(e.Items)
		p.s(")")
	case *sqlast.Default:
		p.s("DEFAULT")
	case *sqlast.Subquery:
		p.subquery(e)
	case *sqlast.Late:
		p.fail("an operator whose meaning hangs on types that aren't known here", -1)
	default:
		p.fail("a parameter or a variable", -1)
	}
}

func (p *source) lit(e *sqlast.Lit) {
	switch e.Kind {
	case sqlast.LitNull:
		p.s("NULL")
	case sqlast.LitTrue:
		p.s("TRUE")
	case sqlast.LitFalse:
		p.s("FALSE")
	case sqlast.LitString:
		p.s(quoteText(e.Text))
	case sqlast.LitBytes:
		const digits = "0123456789abcdef"
		p.s("x'")
		for i := range len(e.Text) {
			p.s(digits[e.Text[i]>>4:e.Text[i]>>4+1], digits[e.Text[i]&15:e.Text[i]&15+1])
		}
		p.s("'")
	case sqlast.LitDate:
		p.s("DATE ", quoteText(e.Text))
	case sqlast.LitTime:
		p.s("TIME ", quoteText(e.Text))
	case sqlast.LitTimestamp:
		p.s("TIMESTAMP ", quoteText(e.Text))
	case sqlast.LitFloat:
		p.s(e.Text)
		if !strings.ContainsAny(e.Text, "eE") {
			p.s("e0")
		}
	default:
		p.s(e.Text)
	}
}

func (p *source) binary(e *sqlast.Binary) {
	switch e.Op {
	case sqlast.OpConcat:
		p.expr(&sqlast.Func{Name: "CONCAT", Args: []sqlast.Expr{e.L, e.R}})
	case sqlast.OpJSONGet:
		p.expr(&sqlast.Func{Name: "JSON_EXTRACT", Args: []sqlast.Expr{e.L, e.R}})
	case sqlast.OpJSONTxt:
		p.s("JSON_UNQUOTE(")
		p.expr(&sqlast.Func{Name: "JSON_EXTRACT", Args: []sqlast.Expr{e.L, e.R}})
		p.s(")")
	case sqlast.OpMember:
		p.operand(e.L)
		p.s(" MEMBER OF (")
		p.expr(e.R)
		p.s(")")
	default:
		p.operand(e.L)
		p.s(" ", sourceOps[e.Op], " ")
		p.operand(e.R)
	}
}

func (p *source) call(e *sqlast.Func) {
	word := func(i int) string {
		if i < len(e.Args) {
			if k, ok := e.Args[i].(*sqlast.Keyword); ok {
				return k.Word
			}
		}
		return ""
	}
	switch {
	case e.Name == "EXTRACT" && len(e.Args) == 2:
		p.s("EXTRACT(", word(0), " FROM ")
		p.expr(e.Args[1])
	case e.Name == "TRIM" && len(e.Args) == 3:
		p.s("TRIM(", word(0), " ")
		p.expr(e.Args[1])
		p.s(" FROM ")
		p.expr(e.Args[2])
	case e.Name == "CHAR" && word(len(e.Args)-1) != "":
		p.s("CHAR(")
		p.exprs(e.Args[:len(e.Args)-1])
		p.s(" USING ", word(len(e.Args)-1))
	default:
		p.s(e.Name, "(")
		p.exprs(e.Args)
	}
	p.s(")")
}

func (p *source) agg(e *sqlast.Agg) {
	if e.Filter != nil || len(e.OrderBy) > 0 && e.Name != "GROUP_CONCAT" {
		p.fail("ORDER BY or FILTER in "+e.Name, -1)
	}
	p.s(e.Name, "(")
	if e.Distinct {
		p.s("DISTINCT ")
	}
	if e.Star {
		p.s("*")
	}
	p.exprs(e.Args)
	p.orderBy(e.OrderBy)
	if e.Separator != nil {
		p.s(" SEPARATOR ", quoteText(*e.Separator))
	}
	p.s(")")
}

func (p *source) window(e *sqlast.Window) {
	p.expr(e.Func)
	p.s(" OVER ")
	if e.Spec == nil {
		p.name(e.Name)
		return
	}
	p.windowSpec(e.Spec)
}

func (p *source) windowSpec(w *sqlast.WindowSpec) {
	p.s("(")
	if w.Base != "" {
		p.name(w.Base)
		p.s(" ")
	}
	if len(w.PartitionBy) > 0 {
		p.s("PARTITION BY ")
		p.exprs(w.PartitionBy)
	}
	p.orderBy(w.OrderBy)
	if f := w.Frame; f != nil {
		p.s(" ", f.Unit, " BETWEEN ")
		p.bound(f.Start)
		p.s(" AND ")
		p.bound(f.End)
	}
	p.s(")")
}

func (p *source) bound(b sqlast.FrameBound) {
	if b.X != nil {
		p.operand(b.X)
		p.s(" ")
	}
	p.s([...]string{"CURRENT ROW", "UNBOUNDED PRECEDING", "UNBOUNDED FOLLOWING", "PRECEDING", "FOLLOWING"}[b.Kind])
}

func (p *source) caseExpr(e *sqlast.Case) {
	p.s("CASE ")
	if e.X != nil {
		p.operand(e.X)
	}
	for _, w := range e.Whens {
		p.s(" WHEN ")
		p.operand(w.Cond)
		p.s(" THEN ")
		p.operand(w.Then)
	}
	if e.Else != nil {
		p.s(" ELSE ")
		p.operand(e.Else)
	}
	p.s(" END")
}

func (p *source) cast(e *sqlast.Cast) {
	p.s("CAST(")
	p.expr(e.X)
	name := e.To.Name
	if e.Strict && e.To.Class == sqlast.ClassInt {
		name = "SIGNED"
	}
	p.s(" AS ", name)
	switch {
	case name == "DECIMAL" && e.To.Size > 0:
		p.s("(", strconv.Itoa(e.To.Size), ", ", strconv.Itoa(max(e.To.Scale, 0)), ")")
	case (name == "CHAR" || name == "BINARY") && e.To.Size > 0:
		p.s("(", strconv.Itoa(e.To.Size), ")")
	case (name == "DATETIME" || name == "TIME") && e.To.Scale > 0:
		p.s("(", strconv.Itoa(e.To.Scale), ")")
	}
	p.s(")")
}

func (p *source) subquery(e *sqlast.Subquery) {
	if e.X != nil {
		p.operand(e.X)
		p.s(" ", sourceOps[e.Op], " ")
	}
	if e.Not {
		p.s("NOT ")
	}
	p.s([...]string{"", "EXISTS ", "ANY ", "ALL "}[e.Kind], "(")
	p.query(e.Query)
	p.s(")")
}
