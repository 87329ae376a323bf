package sqlite

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// SQLite's precedence levels, from loose to tight.
const (
	precOr = iota + 1
	precAnd
	precNot
	precEq  // = <> IS IN LIKE BETWEEN …
	precCmp // < <= > >=
	precBit // & | << >>
	precAdd
	precMul
	precConcat // || -> ->>
	precCollate
	precUnary
	precAtom
)

func (p *printer) open(prec, min int) bool {
	if prec < min {
		p.c('(')
		return true
	}
	return false
}

func (p *printer) close(b bool) {
	if b {
		p.c(')')
	}
}

func (p *printer) exprs(list []sqlast.Expr) {
	for i, e := range list {
		if i > 0 {
			p.s(", ")
		}
		p.expr(e, 0)
	}
}

// expr prints e, bracketed if it binds looser than min. What has keys it prints as
// a number.
func (p *printer) expr(e sqlast.Expr, min int) {
	if !p.asNumber(e) {
		p.bare(e, min)
	}
}

// bare prints e as it stands.
func (p *printer) bare(e sqlast.Expr, min int) {
	switch e := e.(type) {
	case *sqlast.Col:
		p.col(e)
	case *sqlast.Param:
		p.c('?')
		p.int(e.Index + 1)
	case *sqlast.Lit:
		p.lit(e, min)
	case *sqlast.Binary:
		p.binary(e, min)
	case *sqlast.Unary:
		p.unary(e, min)
	case *sqlast.Func:
		p.fn(e, min)
	case *sqlast.Agg:
		p.agg(e)
	case *sqlast.Window:
		p.window(e)
	case *sqlast.Case:
		p.caseExpr(e)
	case *sqlast.Cast:
		p.cast(e, min)
	case *sqlast.Collate:
		b := p.open(precCollate, min)
		p.expr(e.X, precCollate)
		p.collate(noCaseName(e.Name))
		p.close(b)
	case *sqlast.In:
		p.in(e, min)
	case *sqlast.Between:
		p.between(e, min)
	case *sqlast.Like:
		p.like(e, min)
	case *sqlast.Is:
		p.is(e, min)
	case *sqlast.Subquery:
		p.subquery(e, min)
	case *sqlast.Row:
		p.c('(')
		p.exprs(e.Items)
		p.c(')')
	case *sqlast.Default:
		p.defaultOf(e.Col)
	case *sqlast.Values:
		p.s("excluded.")
		p.ident(e.Name)
	case *sqlast.Checked:
		p.checked(e, min)
	case *sqlast.Members:
		p.s("value FROM json_each(")
		p.expr(e.X, 0)
		p.c(')')
	case *sqlast.Touched:
		p.touched(e)
	case *sqlast.Raw:
		p.s(e.Text)
	case *dialect.ListSlot:
		p.slot(e.Index)
	case *sqlast.SysVar:
		p.unsupported("@@"+e.Name, -1, "it must be replaced by a parameter before")
	case *sqlast.UserVar:
		p.unsupported("@"+e.Name, -1, "it must be replaced by a parameter before")
	case *sqlast.Interval:
		p.unsupported("INTERVAL outside of date arithmetic", -1, "")
	case *sqlast.Keyword:
		p.s(e.Word)
	case nil:
		p.unsupported("an empty expression", -1, "")
	default:
		p.unsupported(fmt.Sprintf("expression %T", e), -1, "")
	}
}

func (p *printer) col(c *sqlast.Col) {
	if p.subst != nil && p.isTarget(c) {
		if s, ok := p.subst[strings.ToLower(c.Name)]; ok {
			p.s(s)
			return
		}
	}
	if c.Table != "" {
		p.ident(c.Table)
		p.c('.')
	}
	if c.Engine != "" {
		p.s(c.Engine)
		return
	}
	p.ident(c.Name)
}

// isTarget says whether c is a column of the table being written.
func (p *printer) isTarget(c *sqlast.Col) bool {
	if c.Source != nil && p.target != nil {
		return c.Source == p.target || strings.EqualFold(c.Source.Label(), p.target.Label())
	}
	return c.Table == "" || p.target == nil || strings.EqualFold(c.Table, p.target.Label())
}

func (p *printer) lit(l *sqlast.Lit, min int) {
	switch l.Kind {
	case sqlast.LitNull:
		p.s("NULL")
	case sqlast.LitInt, sqlast.LitDecimal, sqlast.LitFloat:
		if text, ok := wide(l); ok && !p.approx {
			p.unsupported("the number "+text+" of more digits than are kept exactly, here", -1,
				"compute or compare with it, round it, or write it as a DOUBLE: "+text+"e0")
		}
		b := strings.HasPrefix(l.Text, "-") && p.open(precUnary, min)
		t := l.Text
		if strings.HasPrefix(t, ".") {
			p.c('0')
		}
		p.s(t)
		if l.Kind == sqlast.LitFloat && !strings.ContainsAny(t, ".eE") {
			p.s(".0") // 1e0 is a REAL
		}
		p.close(b)
	case sqlast.LitString, sqlast.LitDate, sqlast.LitTime, sqlast.LitTimestamp:
		p.str(l.Text)
	case sqlast.LitBytes:
		p.bytesAs(l, l.Type().Class)
	case sqlast.LitTrue:
		p.c('1')
	case sqlast.LitFalse:
		p.c('0')
	}
}

// bytesAs prints x'..', 0x.. or b'..' for where it stands: among numbers it is
// one, among text it is text.
func (p *printer) bytesAs(l *sqlast.Lit, c sqlast.Class) {
	switch {
	case c.Numeric():
		p.s(new(big.Int).SetBytes([]byte(l.Text)).String())
	case c == sqlast.ClassText || c == sqlast.ClassJSON || c.Temporal():
		p.s("CAST(")
		p.blob(l.Text)
		p.s(" AS TEXT)")
	default:
		p.blob(l.Text)
	}
}

var opText = [...]string{
	sqlast.OpOr: " OR ", sqlast.OpAnd: " AND ",
	sqlast.OpEq: " = ", sqlast.OpNullSafeEq: " IS ", sqlast.OpNe: " <> ",
	sqlast.OpLt: " < ", sqlast.OpLe: " <= ", sqlast.OpGt: " > ", sqlast.OpGe: " >= ",
	sqlast.OpBitOr: " | ", sqlast.OpBitAnd: " & ", sqlast.OpShl: " << ", sqlast.OpShr: " >> ",
	sqlast.OpAdd: " + ", sqlast.OpSub: " - ", sqlast.OpMul: " * ", sqlast.OpDiv: " / ",
	sqlast.OpMod: " % ", sqlast.OpConcat: " || ",
	sqlast.OpJSONGet: " -> ", sqlast.OpJSONTxt: " ->> ",
}

func (p *printer) binary(e *sqlast.Binary, min int) {
	switch e.Op {
	case sqlast.OpOr:
		p.logic(e, precOr, min)
	case sqlast.OpAnd:
		p.logic(e, precAnd, min)
	case sqlast.OpXor:
		b := p.open(precEq, min)
		p.s("(NOT ")
		p.truth(e.L, precUnary)
		p.s(") <> (NOT ")
		p.truth(e.R, precUnary)
		p.c(')')
		p.close(b)
	case sqlast.OpEq, sqlast.OpNullSafeEq, sqlast.OpNe, sqlast.OpLt, sqlast.OpLe, sqlast.OpGt, sqlast.OpGe:
		p.comparison(e.Op, e.L, e.R, min)
	case sqlast.OpBitOr, sqlast.OpBitAnd, sqlast.OpBitXor, sqlast.OpShl, sqlast.OpShr:
		p.bitOp(e, min)
	case sqlast.OpAdd, sqlast.OpSub:
		if iv, x, ok := intervalOf(e); ok {
			p.dateAdd(x, iv, e.Op == sqlast.OpSub)
			return
		}
		p.sum(e, precAdd, min)
	case sqlast.OpMul:
		p.sum(e, precMul, min)
	case sqlast.OpDiv:
		p.div(e, min)
	case sqlast.OpIntDiv:
		p.intDiv(e, min)
	case sqlast.OpMod:
		p.mod(e.L, e.R, min)
	case sqlast.OpConcat:
		p.concat([]sqlast.Expr{e.L, e.R}, min)
	case sqlast.OpRegexp:
		p.regexp(e.L, e.R, min)
	case sqlast.OpMember:
		p.memberOfArray(e.L, e.R)
	case sqlast.OpJSONGet:
		p.jsonGet(e.L, e.R, min)
	case sqlast.OpJSONTxt:
		p.s("json_unquote(")
		p.jsonGet(e.L, e.R, 0)
		p.c(')')
	default:
		p.unsupported(fmt.Sprintf("operator %d", e.Op), -1, "")
	}
}

// logic prints AND and OR, whose chains need no brackets on either side. A long one
// gets some, so that it is no deeper than it must be.
func (p *printer) logic(e *sqlast.Binary, prec, min int) {
	b := p.open(prec, min)
	if list := chain(e, e.Op, nil); len(list) > longChain {
		p.balanced(list, e.Op, prec)
	} else {
		p.truth(e.L, prec)
		p.s(opText[e.Op])
		p.truth(e.R, prec)
	}
	p.close(b)
}

// longChain is how many members of AND or OR stand side by side at most.
const longChain = 32

// chain appends the members of AND or OR to list.
func chain(e sqlast.Expr, op sqlast.Op, list []sqlast.Expr) []sqlast.Expr {
	if b, ok := e.(*sqlast.Binary); ok && b.Op == op {
		return chain(b.R, op, chain(b.L, op, list))
	}
	return append(list, e)
}

// balanced prints members as a tree whose sides are equally deep.
func (p *printer) balanced(list []sqlast.Expr, op sqlast.Op, prec int) {
	if len(list) == 1 {
		p.truth(list[0], prec)
		return
	}
	half := len(list) / 2
	for i, side := range [...][]sqlast.Expr{list[:half], list[half:]} {
		if i > 0 {
			p.s(opText[op])
		}
		if len(side) == 1 {
			p.truth(side[0], prec)
			continue
		}
		p.c('(')
		p.balanced(side, op, prec)
		p.c(')')
	}
}

// number prints an operand of arithmetic.
func (p *printer) number(e sqlast.Expr, min int) {
	if l, ok := e.(*sqlast.Lit); ok && l.Kind == sqlast.LitBytes {
		p.bytesAs(l, sqlast.ClassInt)
		return
	}
	if p.memberNumber(e) {
		return
	}
	if class(e).Temporal() {
		p.call("temporal_number", e) // 20240131102030
		return
	}
	p.expr(e, min)
}

func (p *printer) arith(e *sqlast.Binary, prec, min int) {
	b := p.open(prec, min)
	p.number(e.L, prec)
	p.s(opText[e.Op])
	p.number(e.R, prec+1)
	p.close(b)
}

func fractional(c sqlast.Class) bool { return c == sqlast.ClassDecimal || c == sqlast.ClassDouble }

func (p *printer) concat(args []sqlast.Expr, min int) {
	if len(args) == 1 {
		if p.numberText(args[0]) {
			return
		}
		p.s("CAST(")
		p.expr(args[0], 0)
		p.s(" AS TEXT)")
		return
	}
	b := p.open(precConcat, min)
	for i, a := range args {
		if i > 0 {
			p.s(" || ")
		}
		p.textArg(a, precConcat+1)
	}
	p.close(b)
}

func (p *printer) unary(e *sqlast.Unary, min int) {
	switch e.Op {
	case sqlast.OpNot:
		b := p.open(precNot, min)
		p.s("NOT ")
		p.truth(e.X, precUnary)
		p.close(b)
	case sqlast.OpNeg:
		if keyed(e.X) && !literal(e.X) {
			p.s("dec_sub(0, ")
			p.reader(e.X)
			p.c(')')
			return
		}
		b := p.open(precUnary, min)
		p.c('-')
		p.number(e.X, precUnary+1)
		p.close(b)
	case sqlast.OpPlus:
		p.number(e.X, min)
	case sqlast.OpBitNot:
		p.bitOp(e, min)
	case sqlast.OpBinary:
		b := p.open(precCollate, min)
		p.expr(e.X, precCollate)
		p.collate(false)
		p.close(b)
	default:
		p.unsupported(fmt.Sprintf("unary operator %d", e.Op), -1, "")
	}
}

func (p *printer) caseExpr(e *sqlast.Case) {
	p.caseBy(e, func(x sqlast.Expr) { p.oneOf(e, x) })
}

// caseBy prints a CASE, whose values value prints.
func (p *printer) caseBy(e *sqlast.Case, value func(sqlast.Expr)) {
	p.s("CASE")
	mixed := e.X != nil && mixedCase(e)
	if e.X != nil && !mixed {
		p.c(' ')
		p.collated(e.X, precCollate)
	}
	for _, w := range e.Whens {
		p.s(" WHEN ")
		switch {
		case mixed:
			p.comparison(sqlast.OpEq, e.X, w.Cond, 0)
		case e.X == nil:
			p.truth(w.Cond, 0)
		default:
			p.expr(w.Cond, 0)
		}
		p.s(" THEN ")
		value(w.Then)
	}
	if e.Else != nil {
		p.s(" ELSE ")
		value(e.Else)
	}
	p.s(" END")
}

// mixedCase says whether a CASE x WHEN … compares values of several classes,
// which must be brought together first.
func mixedCase(e *sqlast.Case) bool {
	c := class(e.X)
	for _, w := range e.Whens {
		if keyed(e.X) || keyed(w.Cond) {
			return true
		}
		if wc := class(w.Cond); wc != c && wc != sqlast.ClassNull && !(c.Numeric() && wc.Numeric()) {
			return true
		}
	}
	return false
}

func (p *printer) is(e *sqlast.Is, min int) {
	b := p.open(precEq, min)
	if e.What == sqlast.IsNull {
		p.anyForm(e.X, precBit)
	} else {
		p.truth(e.X, precBit)
	}
	p.s(" IS ")
	if e.Not {
		p.s("NOT ")
	}
	switch e.What {
	case sqlast.IsNull:
		p.s("NULL")
	case sqlast.IsTrue:
		p.s("TRUE")
	case sqlast.IsFalse:
		p.s("FALSE")
	}
	p.close(b)
}

// defaultOf prints a column's default as an expression.
func (p *printer) defaultOf(c *sqlast.Col) {
	switch {
	case c == nil:
		p.unsupported("DEFAULT as a value outside of VALUES and SET", -1, "")
	case c.Def == nil:
		p.unsupported("DEFAULT("+c.Name+") of an unknown column", c.Pos, "")
	case c.Def.Type.Keyed() && c.Def.Default != nil:
		p.expr(c.Def.Default, precUnary)
	default:
		p.defaultValue(c.Def)
	}
}

func (p *printer) defaultValue(def *sqlast.ColumnDef) {
	if def.AutoInc || def.Default == nil {
		p.s("NULL")
		return
	}
	p.stored(def, def.Default, precUnary)
}
