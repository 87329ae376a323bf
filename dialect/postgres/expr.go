package postgres

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
)

// value prints e as a value: a condition is 1, 0 or NULL.
func (p *printer) value(e sqlast.Expr) out {
	o := p.any(e)
	if o.k == kBool {
		return out{"(" + o.s + ")::integer::bigint", kInt}
	}
	return o
}

// cond prints e as a condition.
func (p *printer) cond(e sqlast.Expr) string {
	if l, ok := e.(*sqlast.Lit); ok {
		switch {
		case l.Kind == sqlast.LitTrue, l.Kind == sqlast.LitInt && strings.Trim(l.Text, "0") != "":
			return "TRUE"
		case l.Kind == sqlast.LitFalse, l.Kind == sqlast.LitInt:
			return "FALSE"
		}
	}
	if constant(e) {
		if text, err := sqlite.Truth(e); err == nil {
			if n, ok := p.lifted("(NOT NOT " + text + ")"); ok {
				return "($" + n + "::bigint <> 0)"
			}
		}
	}
	switch o := p.any(e); {
	case o.k == kBool:
		return o.s
	case o.k == kNull:
		return "NULL::boolean"
	case o.k.numeric():
		return "(" + o.s + " <> 0)"
	default:
		p.elsewhere("text as a condition")
		return "NULL::boolean"
	}
}

// any prints e as what it is.
func (p *printer) any(e sqlast.Expr) out {
	if e != nil && !atom(e) && constant(e) {
		if text, err := (sqlite.Printer{}).Expr(e); err == nil {
			if n, ok := p.lifted(text); ok {
				k, known := kindOf(e.Type())
				if !known {
					k = kParam
				}
				return out{"?" + n, k}
			}
		}
	}
	o := p.node(e)
	if p.group != nil && !p.inAgg && p.err == nil {
		return p.grouped(e, o)
	}
	return o
}

// grouped gives a column beside GROUP BY the value of the group's first row.
func (p *printer) grouped(e sqlast.Expr, o out) out {
	if _, ok := e.(*sqlast.Col); ok && !p.group[o.s] {
		return out{"(array_agg(" + o.s + "))[1]", o.k}
	}
	return o
}

func (p *printer) node(e sqlast.Expr) out {
	switch e := e.(type) {
	case *sqlast.Col:
		return p.col(e)
	case *sqlast.Param:
		k, known := kindOf(&e.T)
		if !known {
			k = kParam
		}
		return out{"?" + strconv.Itoa(e.Index+1), k}
	case *sqlast.Lit:
		return p.lit(e)
	case *sqlast.Binary:
		return p.binary(e)
	case *sqlast.Unary:
		return p.unary(e)
	case *sqlast.Func:
		return p.fn(e)
	case *sqlast.Agg:
		return p.agg(e)
	case *sqlast.Window:
		return p.window(e)
	case *sqlast.Case:
		return p.caseExpr(e)
	case *sqlast.Collate:
		return p.any(e.X)
	case *sqlast.In:
		return out{p.in(e), kBool}
	case *sqlast.Between:
		return out{p.between(e), kBool}
	case *sqlast.Like:
		return out{p.like(e), kBool}
	case *sqlast.Is:
		return out{p.is(e), kBool}
	case *sqlast.Subquery:
		return p.subquery(e)
	case *sqlast.Values:
		if e.Def == nil {
			return p.elsewhere("VALUES(" + e.Name + ")")
		}
		k, _ := kindOf(&e.Def.Type)
		return out{"excluded." + ident(e.Def.Name), k}
	case *sqlast.Members:
		k, known := kindOf(&e.T)
		if !known {
			k = kNull
		}
		return out{p.memberOf(e, k, false), k}
	case *sqlast.Raw:
		if k, known := kindOf(&e.T); known {
			return out{e.Text, k}
		}
		return out{e.Text, kBool} // a condition
	case *sqlast.Default:
		return p.elsewhere("DEFAULT as a value")
	case nil:
		return p.elsewhere("an empty expression")
	}
	return p.elsewhere(fmt.Sprintf("the expression %s", strings.TrimPrefix(fmt.Sprintf("%T", e), "*sqlast.")))
}

// col prints a column.
func (p *printer) col(c *sqlast.Col) out {
	t := &c.T
	name := c.Name
	if c.Def != nil {
		t, name = &c.Def.Type, c.Def.Name
	}
	s := ident(name)
	engine := engineName(c)
	if engine != "" {
		s = engine
	}
	switch {
	case c.Table != "" && c.Source != nil:
		s = ident(label(c.Source)) + "." + s
	case c.Table != "":
		s = ident(c.Table) + "." + s
	case p.target != nil:
		s = ident(label(p.target)) + "." + s
	case c.Def == nil && c.Source == nil:
		if x := p.named(c.Name); x != nil {
			return p.any(x)
		}
	}
	k, known := kindOf(t)
	switch {
	case engine != "":
		k = kInt
	case !known && c.Name == "rowid": // the gate's own, of a table with no such column
		k = kInt
	case !known:
		return p.elsewhere("the column " + c.Name + " of a type that isn't known")
	}
	return out{s, k}
}

// engineName is what the engine calls a column that no table of the user's has; "" for
// any other.
func engineName(c *sqlast.Col) string {
	if c.RowID != nil {
		return Printer{}.RowID(c.RowID)
	}
	return c.Engine
}

// named gives the item of the select list that is called name.
func (p *printer) named(name string) sqlast.Expr {
	for i := range p.items {
		if it := &p.items[i]; strings.EqualFold(it.Alias, name) && it.Expr != nil {
			if c, ok := it.Expr.(*sqlast.Col); ok && strings.EqualFold(c.Name, name) && c.Table == "" && c.Def == nil && c.Source == nil {
				return nil
			}
			return it.Expr
		}
	}
	return nil
}

func label(t *sqlast.TableRef) string {
	if t.Alias != "" {
		return t.Alias
	}
	return tableName(t)
}

func (p *printer) lit(l *sqlast.Lit) out {
	switch l.Kind {
	case sqlast.LitNull:
		return out{"NULL", kNull}
	case sqlast.LitInt:
		if _, err := strconv.ParseInt(l.Text, 10, 64); err != nil {
			return p.elsewhere("the number " + l.Text)
		}
		return out{l.Text + "::bigint", kInt}
	case sqlast.LitDecimal, sqlast.LitFloat:
		// SQLite's are REALs alike.
		if f, err := strconv.ParseFloat(l.Text, 64); err != nil || math.IsInf(f, 0) || l.Kind == sqlast.LitDecimal && len(l.Text) > 15 {
			return p.elsewhere("the number " + l.Text)
		}
		return out{l.Text + "::double precision", kDouble}
	case sqlast.LitString, sqlast.LitDate, sqlast.LitTime, sqlast.LitTimestamp:
		return out{p.str(l.Text) + "::text", kText}
	case sqlast.LitBytes:
		if c := l.T.Class; c != sqlast.ClassUnknown && c != sqlast.ClassBlob {
			return p.elsewhere("bytes as a number or text")
		}
		return out{bytes(l.Text), kBytes}
	case sqlast.LitTrue:
		return out{"1::bigint", kInt}
	}
	return out{"0::bigint", kInt}
}

func bytes(s string) string { return fmt.Sprintf(`'\x%x'::bytea`, s) }

func (p *printer) binary(e *sqlast.Binary) out {
	switch e.Op {
	case sqlast.OpOr:
		return out{"(" + p.cond(e.L) + " OR " + p.cond(e.R) + ")", kBool}
	case sqlast.OpAnd:
		return out{"(" + p.cond(e.L) + " AND " + p.cond(e.R) + ")", kBool}
	case sqlast.OpXor:
		return out{"(" + p.cond(e.L) + " <> " + p.cond(e.R) + ")", kBool}
	case sqlast.OpAdd, sqlast.OpSub, sqlast.OpMul, sqlast.OpIntDiv, sqlast.OpMod:
		return p.arith(e, e.Op, e.L, e.R)
	case sqlast.OpConcat:
		return p.concat([]sqlast.Expr{e.L, e.R})
	}
	if e.Op.Comparison() {
		return out{p.comparison(e.Op, e.L, e.R), kBool}
	}
	return p.elsewhere("this operator")
}

var opText = map[sqlast.Op]string{
	sqlast.OpEq: " = ", sqlast.OpNullSafeEq: " IS NOT DISTINCT FROM ", sqlast.OpNe: " <> ",
	sqlast.OpLt: " < ", sqlast.OpLe: " <= ", sqlast.OpGt: " > ", sqlast.OpGe: " >= ",
	sqlast.OpAdd: " + ", sqlast.OpSub: " - ", sqlast.OpMul: " * ", sqlast.OpIntDiv: " / ", sqlast.OpMod: " % ",
}

// arith prints arithmetic of integers, which fails where they overflow as MySQL's
// does, of DOUBLEs, and of DECIMALs whose result e has no more digits than are kept as
// a number.
func (p *printer) arith(e sqlast.Expr, op sqlast.Op, l, r sqlast.Expr) out {
	a, b := p.operand(l), p.operand(r)
	k := kInt
	if bin, ok := e.(*sqlast.Binary); ok && sqlite.MayFallBelow(bin) {
		return p.elsewhere("arithmetic of numbers without sign")
	}
	switch {
	case a.k == kNull || b.k == kNull:
		return out{"NULL::bigint", kInt}
	case a.k == kParam && b.k == kParam:
		return p.elsewhere("arithmetic of arguments")
	case a.k == kDouble || b.k == kDouble:
		k = kDouble
	case a.k == kNumber || b.k == kNumber:
		k = kNumber
		if t := e.Type(); t.Class != sqlast.ClassDecimal || t.Keyed() || t.Size < 0 || op == sqlast.OpIntDiv || op == sqlast.OpMod ||
			a.k == kParam || b.k == kParam {
			return p.elsewhere("arithmetic of DECIMALs of many digits")
		}
	}
	for _, o := range []*out{&a, &b} {
		switch {
		case o.k == kParam:
			o.s = strings.Replace(o.s, "?", "$", 1)
		case o.k == kInt && k == kDouble:
			o.s = "(" + o.s + ")::double precision"
		case o.k == kInt && k == kNumber: // exact
		case o.k != k:
			return p.elsewhere("arithmetic of numbers of several kinds")
		}
	}
	if op == sqlast.OpIntDiv || op == sqlast.OpMod {
		if k != kInt {
			return p.elsewhere("a division of DOUBLEs")
		}
		b.s = "NULLIF(" + b.s + ", 0)"
	}
	return out{"(" + a.s + opText[op] + b.s + ")", k}
}

// operand prints a number that is computed with.
func (p *printer) operand(e sqlast.Expr) out {
	if c := sqlite.ClassOf(e); c.Temporal() || c == sqlast.ClassText || c == sqlast.ClassJSON || c == sqlast.ClassBlob {
		return p.elsewhere("arithmetic of what aren't numbers")
	}
	if _, ok := e.(*sqlast.Interval); ok {
		return p.elsewhere("arithmetic of dates")
	}
	o := p.value(e)
	if _, ok := e.(*sqlast.Col); ok && o.k == kInt {
		o.s += "::bigint" // a smaller one overflows earlier
	}
	return o
}

func (p *printer) unary(e *sqlast.Unary) out {
	switch e.Op {
	case sqlast.OpNot:
		return out{"(NOT " + p.cond(e.X) + ")", kBool}
	case sqlast.OpNeg:
		o := p.operand(e.X)
		if o.k != kInt && o.k != kDouble {
			return p.elsewhere("the negative of what is no integer or DOUBLE")
		}
		return out{"(-" + o.s + ")", o.k}
	case sqlast.OpPlus:
		return p.operand(e.X)
	case sqlast.OpBinary:
		return p.any(e.X)
	}
	return p.elsewhere("this operator")
}

// oneKind brings values together that one expression may have.
func (p *printer) oneKind(what string, xs ...sqlast.Expr) ([]out, kind) {
	var outs []out
	k, class := kNull, sqlast.ClassNull
	for _, x := range xs {
		o := p.value(x)
		c := sqlite.ClassOf(x)
		switch {
		case o.k == kNull:
		case o.k == kParam:
			p.elsewhere(what + " of an argument")
		case k == kNull:
			k, class = o.k, c
		case k != o.k || class != c && (class.Temporal() || c.Temporal() || class == sqlast.ClassJSON || c == sqlast.ClassJSON):
			p.elsewhere(what + " of values of several types")
		}
		outs = append(outs, o)
	}
	if k == kBytes && class == sqlast.ClassDecimal || k == kNumber {
		p.elsewhere(what + " of DECIMALs")
	}
	return outs, k
}

func (p *printer) caseExpr(e *sqlast.Case) out {
	var values []sqlast.Expr
	for _, w := range e.Whens {
		values = append(values, w.Then)
	}
	if e.Else != nil {
		values = append(values, e.Else)
	}
	outs, k := p.oneKind("CASE", values...)
	var b strings.Builder
	b.WriteString("CASE")
	for i, w := range e.Whens {
		b.WriteString(" WHEN ")
		if e.X == nil {
			b.WriteString(p.cond(w.Cond))
		} else {
			b.WriteString(p.comparison(sqlast.OpEq, e.X, w.Cond))
		}
		b.WriteString(" THEN " + outs[i].s)
	}
	if e.Else != nil {
		b.WriteString(" ELSE " + outs[len(outs)-1].s)
	}
	b.WriteString(" END")
	return out{"(" + b.String() + ")", k}
}

func (p *printer) is(e *sqlast.Is) string {
	not := ""
	if e.Not {
		not = "NOT "
	}
	switch e.What {
	case sqlast.IsTrue:
		return "(" + p.cond(e.X) + " IS " + not + "TRUE)"
	case sqlast.IsFalse:
		return "(" + p.cond(e.X) + " IS " + not + "FALSE)"
	}
	return "(" + p.any(e.X).s + " IS " + not + "NULL)"
}

func (p *printer) subquery(e *sqlast.Subquery) out {
	switch e.Kind {
	case sqlast.SubExists:
		text, _ := p.nested(e.Query, true)
		if e.Not {
			return out{"(NOT EXISTS (" + text + "))", kBool}
		}
		return out{"EXISTS (" + text + ")", kBool}
	case sqlast.SubScalar:
		text, kinds := p.nested(e.Query, false)
		if len(kinds) != 1 || kinds[0] == kParam {
			return p.elsewhere("a subquery of several columns, or of an argument")
		}
		return out{"(" + text + ")", kinds[0]}
	}
	if e.Kind == sqlast.SubAny && e.Op == sqlast.OpEq {
		return out{p.in(&sqlast.In{X: e.X, Sub: e.Query}), kBool}
	}
	if e.Kind == sqlast.SubAll && e.Op == sqlast.OpNe {
		return out{p.in(&sqlast.In{X: e.X, Sub: e.Query, Not: true}), kBool}
	}
	return p.elsewhere("ANY and ALL")
}

// nested prints a query within an expression. What the outer block groups by isn't its
// own, and of a column that the block doesn't group by it would see one row's value.
func (p *printer) nested(q sqlast.Query, exists bool) (string, []kind) {
	group, items, target := p.group, p.items, p.target
	if group != nil {
		p.elsewhere("a subquery beside GROUP BY")
	}
	p.group, p.items = nil, nil
	defer func() { p.group, p.items, p.target = group, items, target }()
	if s, ok := q.(*sqlast.Select); ok && exists && s.ValuesRows == nil && len(s.GroupBy) == 0 && s.Having == nil && !aggregates(s) && s.Limit == nil && !s.Distinct {
		c := *s
		c.Items, c.OrderBy = []sqlast.SelectItem{{Expr: &sqlast.Lit{Kind: sqlast.LitInt, Text: "1"}}}, nil
		q = &c
	}
	return p.query(q)
}

// slot prints the place of a list's members.
func slot(s *dialect.ListSlot) string { return slotMark + strconv.Itoa(s.Index) + slotMark }
