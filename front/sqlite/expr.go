package sqlite

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// How tightly operators bind, from the loosest.
const (
	precOr = iota + 1
	precAnd
	precNot
	precEqual
	precCompare
	precEscape
	precBits
	precAdd
	precMul
	precConcat
	precCollate
	precUnary
)

// expr reads an expression.
func (p *parser) expr() sqlast.Expr { return p.binary(precOr) }

func (p *parser) exprs() []sqlast.Expr {
	out := []sqlast.Expr{p.expr()}
	for p.takeOp(",") {
		out = append(out, p.expr())
	}
	return out
}

// infixOps are the operators between two expressions.
var infixOps = map[string]struct {
	prec int
	op   sqlast.Op
}{
	"=": {precEqual, sqlast.OpEq}, "==": {precEqual, sqlast.OpEq}, "<>": {precEqual, sqlast.OpNe}, "!=": {precEqual, sqlast.OpNe},
	"<": {precCompare, sqlast.OpLt}, "<=": {precCompare, sqlast.OpLe}, ">": {precCompare, sqlast.OpGt}, ">=": {precCompare, sqlast.OpGe},
	"&": {precBits, sqlast.OpBitAnd}, "|": {precBits, sqlast.OpBitOr}, "<<": {precBits, sqlast.OpShl}, ">>": {precBits, sqlast.OpShr},
	"+": {precAdd, sqlast.OpAdd}, "-": {precAdd, sqlast.OpSub}, "*": {precMul, sqlast.OpMul}, "/": {precMul, sqlast.OpDiv}, "%": {precMul, sqlast.OpMod},
	"||": {precConcat, sqlast.OpConcat}, "->": {precConcat, sqlast.OpJSONGet}, "->>": {precConcat, sqlast.OpJSONTxt},
	"AND": {precAnd, sqlast.OpAnd}, "OR": {precOr, sqlast.OpOr},
}

// binary reads an expression whose operators bind at least as tightly as prec.
func (p *parser) binary(prec int) sqlast.Expr {
	if p.depth++; p.depth > 900 {
		p.fail(p.peek().start, "expressions are nested too deeply")
	}
	defer func() { p.depth-- }()
	x := p.unary(prec)
	for {
		t := p.peek()
		key := t.text
		if t.kind == word {
			key = strings.ToUpper(key)
		}
		if o, ok := infixOps[key]; ok && (t.kind == op || t.kind == word) {
			if o.prec < prec {
				return x
			}
			p.i++
			x = p.infix(o.op, x, p.binary(o.prec+1), t.start)
			continue
		}
		y, ok := p.postfix(x, prec)
		if !ok {
			return x
		}
		x = y
	}
}

func (p *parser) unary(prec int) sqlast.Expr {
	t := p.peek()
	switch {
	case p.isWord(0, "NOT") && !p.isWord(1, "NULL"):
		p.i++
		x := p.binary(precNot)
		if s, ok := x.(*sqlast.Subquery); ok && s.Kind == sqlast.SubExists {
			s.Not = !s.Not
			return s
		}
		return front.Not(x, true)
	case p.takeOp("-"):
		return &sqlast.Unary{Op: sqlast.OpNeg, X: p.binary(precUnary)}
	case p.takeOp("+"):
		return p.binary(precUnary)
	case p.takeOp("~"): // of 64 bits with a sign
		return front.Op(sqlast.OpSub, &sqlast.Unary{Op: sqlast.OpNeg, X: p.binary(precUnary)}, front.Int(1))
	}
	_ = t
	return p.primary()
}

// postfix reads what may stand behind an expression; ok is false for anything else.
func (p *parser) postfix(x sqlast.Expr, prec int) (sqlast.Expr, bool) {
	at := p.peek().start
	if precCollate >= prec && p.take("COLLATE") {
		return p.collate(x, at), true
	}
	if precEqual < prec {
		return nil, false
	}
	switch {
	case p.take("ISNULL"):
		return front.IsNull(x, false), true
	case p.take("NOTNULL"), p.take("NOT", "NULL"):
		return front.IsNull(x, true), true
	case p.take("IS"):
		return p.is(x), true
	}
	not := p.isWord(0, "NOT")
	if not {
		p.i++
	}
	switch {
	case p.take("IN"):
		return p.in(x, not, at), true
	case p.take("BETWEEN"):
		lo := p.binary(precEqual + 1)
		p.need("AND")
		hi := p.binary(precEqual + 1)
		return p.between(x, lo, hi, not), true
	case p.take("LIKE"):
		return p.like(x, not), true
	case p.take("GLOB"):
		return p.glob(x, p.binary(precEqual+1), not, at), true
	case p.take("REGEXP"):
		return front.Not(front.Call("REGEXP_LIKE", x, p.binary(precEqual+1), front.Text("c")), not), true
	case p.isWord(0, "MATCH"):
		p.refuse(at, "MATCH", "there is no full text search")
	}
	if not {
		p.unexpected()
	}
	return nil, false
}

func (p *parser) collate(x sqlast.Expr, at int) sqlast.Expr {
	switch name := p.name(); strings.ToUpper(name) {
	case "BINARY":
		return &sqlast.Collate{X: x, Name: "utf8mb4_bin"}
	case "NOCASE":
		return &sqlast.Collate{X: x, Name: "utf8mb4_general_ci"}
	default:
		p.refuse(at, "collation "+name, "BINARY and NOCASE can be had")
	}
	return nil
}

// is reads what stands behind IS: NULL, TRUE, FALSE, or a value to compare with.
func (p *parser) is(x sqlast.Expr) sqlast.Expr {
	not := p.take("NOT")
	if p.take("DISTINCT", "FROM") {
		not = !not
	}
	for w, what := range map[string]sqlast.TruthKind{"NULL": sqlast.IsNull, "TRUE": sqlast.IsTrue, "FALSE": sqlast.IsFalse} {
		if p.isWord(0, w) && !p.isOp(1, "(") && !p.isOp(1, ".") {
			p.i++
			return &sqlast.Is{X: x, What: what, Not: not}
		}
	}
	at := p.peek().start
	return front.Not(p.infix(sqlast.OpNullSafeEq, x, p.binary(precEqual+1), at), not)
}

func (p *parser) in(x sqlast.Expr, not bool, at int) sqlast.Expr {
	if !p.takeOp("(") {
		t := p.tableName()
		if p.isOp(0, "(") {
			p.refuse(at, "IN of a function's rows", "")
		}
		return &sqlast.In{X: x, Not: not, Sub: &sqlast.Select{Items: []sqlast.SelectItem{{Star: true, Text: "*"}}, From: t}}
	}
	if p.startsQuery() {
		in := &sqlast.In{X: x, Not: not, Sub: p.query()}
		p.needOp(")")
		return in
	}
	if p.takeOp(")") { // of nothing
		return map[bool]sqlast.Expr{false: &sqlast.Lit{Kind: sqlast.LitFalse}, true: &sqlast.Lit{Kind: sqlast.LitTrue}}[not]
	}
	list := p.exprs()
	p.needOp(")")
	return front.Later(func(a []sqlast.Expr) (sqlast.Expr, error) {
		in := &sqlast.In{X: a[0], Not: not}
		for _, m := range a[1:] {
			_, m = affine(a[0], m)
			if strangers(sqlast.OpEq, a[0], m) == nil {
				in.List = append(in.List, m)
			}
		}
		if in.List == nil { // none of them can be x
			p.repeats = true
			return front.When(front.IsNull(a[0], false), front.Null(), front.Not(&sqlast.Lit{Kind: sqlast.LitFalse}, not)), nil
		}
		in.X = collated(in.X)
		return in, nil
	}, append([]sqlast.Expr{x}, list...)...)
}

func (p *parser) between(x, lo, hi sqlast.Expr, not bool) sqlast.Expr {
	return front.Later(func(a []sqlast.Expr) (sqlast.Expr, error) {
		_, lo := affine(a[0], a[1])
		_, hi := affine(a[0], a[2])
		return &sqlast.Between{X: collated(a[0], lo, hi), Lo: lo, Hi: hi, Not: not}, nil
	}, x, lo, hi)
}

// like reads a LIKE's pattern: ASCII letters match without regard to case, and nothing
// escapes unless ESCAPE says so.
func (p *parser) like(x sqlast.Expr, not bool) sqlast.Expr {
	l := &sqlast.Like{X: &sqlast.Collate{X: x, Name: "utf8mb4_general_ci"}, Pattern: p.binary(precEscape), Not: not, Literal: true}
	if at := p.peek().start; p.take("ESCAPE") {
		s, ok := front.StringOf(p.binary(precEscape + 1))
		if !ok || len([]rune(s)) != 1 {
			p.refuse(at, "ESCAPE of other than one character's literal", "")
		}
		l.Escape, l.Literal = s, false
	}
	return l
}

// glob makes a regular expression of a GLOB pattern.
func (p *parser) glob(x, pattern sqlast.Expr, not bool, at int) sqlast.Expr {
	s, ok := front.StringOf(pattern)
	if !ok {
		p.refuse(at, "GLOB of a pattern that isn't a literal", "use LIKE")
	}
	return front.Not(front.Call("REGEXP_LIKE", x, front.Text(globbed(s)), front.Text("c")), not)
}

func globbed(s string) string {
	var b strings.Builder
	b.WriteString("^(?s:")
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '*':
			b.WriteString(".*")
		case c == '?':
			b.WriteString(".")
		case c == '[':
			n := strings.IndexByte(s[min(i+2, len(s)):], ']')
			if n < 0 {
				b.WriteString(`\[`)
				continue
			}
			class := s[i+1 : i+2+n]
			b.WriteString("[" + strings.NewReplacer(`\`, `\\`, "[", `\[`).Replace(class) + "]")
			i += 2 + n
		case strings.IndexByte(`\.+()|{}^$]`, c) >= 0:
			b.WriteString(`\` + string(c))
		default:
			b.WriteByte(c)
		}
	}
	b.WriteString(")$")
	return b.String()
}

// primary reads what is no operator.
func (p *parser) primary() sqlast.Expr {
	t := p.peek()
	switch t.kind {
	case number:
		p.i++
		return p.numeral(t)
	case str:
		p.i++
		return front.Text(t.text)
	case blob:
		p.i++
		return &sqlast.Lit{Kind: sqlast.LitBytes, Text: t.text}
	case param:
		return p.param()
	case op:
		if t.text == "(" {
			return p.bracketed()
		}
	case quoted:
		return p.column()
	case word:
		return p.wordExpr(t)
	}
	p.unexpected()
	return nil
}

func (p *parser) numeral(t token) sqlast.Expr {
	switch {
	case strings.HasPrefix(t.text, "0x") || strings.HasPrefix(t.text, "0X"):
		n, err := strconv.ParseUint(t.text[2:], 16, 64)
		if err != nil {
			p.fail(t.start, "a hexadecimal number of more than 64 bits")
		}
		if int64(n) < 0 {
			return &sqlast.Unary{Op: sqlast.OpNeg, X: &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.FormatUint(-n, 10)}}
		}
		return &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.FormatUint(n, 10)}
	case !strings.ContainsAny(t.text, ".eE"):
		if _, err := strconv.ParseInt(t.text, 10, 64); err == nil {
			return &sqlast.Lit{Kind: sqlast.LitInt, Text: t.text}
		}
	}
	return &sqlast.Lit{Kind: sqlast.LitFloat, Text: t.text}
}

// bracketed reads (expr), (a, b) and (SELECT …).
func (p *parser) bracketed() sqlast.Expr {
	p.needOp("(")
	if p.startsQuery() {
		s := &sqlast.Subquery{Kind: sqlast.SubScalar, Query: p.firstRow(p.query())}
		p.needOp(")")
		return s
	}
	list := p.exprs()
	p.needOp(")")
	if len(list) == 1 {
		return list[0]
	}
	return &sqlast.Row{Items: list}
}

// firstRow limits a scalar subquery to the row whose value it is.
func (p *parser) firstRow(q sqlast.Query) sqlast.Query {
	switch q := q.(type) {
	case *sqlast.Select:
		if q.Limit == nil && q.From != nil {
			q.Limit = &sqlast.Limit{Count: front.Int(1)}
		}
	case *sqlast.SetOp:
		if q.Limit == nil {
			q.Limit = &sqlast.Limit{Count: front.Int(1)}
		}
	}
	return q
}

func (p *parser) wordExpr(t token) sqlast.Expr {
	if p.isOp(1, ".") {
		return p.column()
	}
	switch up := strings.ToUpper(t.text); up {
	case "NULL":
		p.i++
		return front.Null()
	case "TRUE", "FALSE":
		p.i++
		return &sqlast.Lit{Kind: map[string]sqlast.LitKind{"TRUE": sqlast.LitTrue, "FALSE": sqlast.LitFalse}[up]}
	case "CURRENT_TIMESTAMP":
		p.i++
		return front.Call("UTC_TIMESTAMP")
	case "CURRENT_DATE":
		p.i++
		return front.Call("UTC_DATE")
	case "CURRENT_TIME":
		p.i++
		return front.Call("UTC_TIME")
	case "CASE":
		return p.caseExpr()
	case "CAST":
		return p.cast()
	case "EXISTS":
		p.i++
		p.needOp("(")
		s := &sqlast.Subquery{Kind: sqlast.SubExists, Query: p.query()}
		p.needOp(")")
		return s
	case "RAISE":
		p.refuse(t.start, "RAISE", "there are no triggers")
	}
	if p.isOp(1, "(") {
		return p.call()
	}
	return p.column()
}

// column reads [[schema.]table.]column.
func (p *parser) column() sqlast.Expr {
	c := &sqlast.Col{Pos: p.peek().start, Name: p.name()}
	if p.takeOp(".") {
		c.Table, c.Name = c.Name, p.name()
		if p.takeOp(".") {
			c.Schema, c.Table, c.Name = c.Table, c.Name, p.name()
		}
	}
	switch strings.ToLower(c.Name) {
	case "rowid", "_rowid_", "oid":
		c.RowName = true
	}
	if p.excluded && c.Schema == "" && strings.EqualFold(c.Table, "excluded") {
		return &sqlast.Values{Name: c.Name}
	}
	return c
}

func (p *parser) caseExpr() sqlast.Expr {
	p.need("CASE")
	c := &sqlast.Case{}
	if !p.isWord(0, "WHEN") {
		c.X = p.expr()
	}
	for p.take("WHEN") {
		w := sqlast.When{Cond: p.expr()}
		p.need("THEN")
		w.Then = p.expr()
		c.Whens = append(c.Whens, w)
	}
	if len(c.Whens) == 0 {
		p.fail(p.peek().start, "WHEN was expected")
	}
	if p.take("ELSE") {
		c.Else = p.expr()
	}
	p.need("END")
	return c
}
