package postgres

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

var comparisons = map[string]sqlast.Op{
	"=": sqlast.OpEq, "<>": sqlast.OpNe, "!=": sqlast.OpNe, "<": sqlast.OpLt, "<=": sqlast.OpLe, ">": sqlast.OpGt, ">=": sqlast.OpGe,
}

var arithmetic = map[string]sqlast.Op{
	"*": sqlast.OpMul, "&": sqlast.OpBitAnd, "|": sqlast.OpBitOr, "#": sqlast.OpBitXor, "<<": sqlast.OpShl, ">>": sqlast.OpShr,
}

// operator converts an operator, and what the grammar calls one.
func (c *conv) operator(n node) sqlast.Expr {
	names := n.names("name")
	name, at := names[len(names)-1], n.at()
	switch kind := n.str("kind"); kind {
	case "AEXPR_OP", "":
		if !n.has("lexpr") {
			return c.prefix(name, c.expr(n.child("rexpr")), at)
		}
		if x, ok := c.withInterval(n, name); ok {
			return x
		}
		if name == "?|" || name == "?&" {
			return c.hasKeys(n, name == "?&")
		}
		return c.infix(name, c.expr(n.child("lexpr")), c.expr(n.child("rexpr")), at)
	case "AEXPR_OP_ANY", "AEXPR_OP_ALL":
		return c.overArray(n, name, kind == "AEXPR_OP_ALL")
	case "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT":
		same := c.compare(sqlast.OpNullSafeEq, c.expr(n.child("lexpr")), c.expr(n.child("rexpr")), at)
		return front.Not(same, kind == "AEXPR_DISTINCT")
	case "AEXPR_NULLIF":
		return front.Call("NULLIF", c.expr(n.child("lexpr")), c.expr(n.child("rexpr")))
	case "AEXPR_IN":
		return c.in(c.expr(n.child("lexpr")), c.exprs(n.child("rexpr").list("items")), name == "<>", at)
	case "AEXPR_LIKE":
		return c.like(n, name == "!~~", false)
	case "AEXPR_ILIKE":
		return c.like(n, name == "!~~*", true)
	case "AEXPR_SIMILAR":
		return c.similar(n, name == "!~")
	}
	return c.between(n)
}

func (c *conv) between(n node) sqlast.Expr {
	x, ends := c.expr(n.child("lexpr")), c.exprs(n.child("rexpr").list("items"))
	kind := n.str("kind")
	not := strings.Contains(kind, "NOT")
	b := &sqlast.Between{X: x, Lo: ends[0], Hi: ends[1], Not: not}
	if !strings.HasSuffix(kind, "_SYM") {
		return b
	}
	other := &sqlast.Between{X: c.twice(x), Lo: c.twice(ends[1]), Hi: c.twice(ends[0]), Not: not}
	if not {
		return front.Op(sqlast.OpAnd, b, other)
	}
	return front.Op(sqlast.OpOr, b, other)
}

// in converts x IN (list).
func (c *conv) in(x sqlast.Expr, list []sqlast.Expr, not bool, at int) sqlast.Expr {
	texts := false
	for _, m := range list {
		_, text := front.StringOf(m)
		texts = texts || text
	}
	in := &sqlast.In{X: x, List: list, Not: not}
	if !texts {
		return in
	}
	// What the strings are hangs on x.
	return c.later(func(args []sqlast.Expr) sqlast.Expr {
		in := &sqlast.In{X: args[0], Not: not}
		for _, m := range args[1:] {
			in.List = append(in.List, c.alike(m, args[0], at))
		}
		return in
	}, append([]sqlast.Expr{x}, list...)...)
}

func (c *conv) prefix(name string, x sqlast.Expr, at int) sqlast.Expr {
	switch name {
	case "-":
		return &sqlast.Unary{Op: sqlast.OpNeg, X: x}
	case "+":
		return &sqlast.Unary{Op: sqlast.OpPlus, X: x}
	case "~": // of 64 bits with a sign
		return front.Op(sqlast.OpSub, &sqlast.Unary{Op: sqlast.OpNeg, X: x}, front.Int(1))
	case "@":
		return front.Call("ABS", x)
	case "|/":
		return front.Call("SQRT", x)
	case "!!":
	}
	c.refuse(at, "operator "+name, "")
	return nil
}

// infix converts x op y.
func (c *conv) infix(name string, l, r sqlast.Expr, at int) sqlast.Expr {
	if op, ok := comparisons[name]; ok {
		return c.compare(op, l, r, at)
	}
	if op, ok := arithmetic[name]; ok {
		return front.Op(op, number(l), number(r))
	}
	switch name {
	case "+", "-":
		return c.addition(name, l, r, at)
	case "/":
		return c.later(func(a []sqlast.Expr) sqlast.Expr { return c.quotient(a[0], a[1]) }, l, r)
	case "%":
		return c.later(func(a []sqlast.Expr) sqlast.Expr { return front.Op(sqlast.OpMod, a[0], divisor(a[1])) }, number(l), number(r))
	case "^":
		return front.Call("POW", l, r)
	case "||":
		return c.later(func(a []sqlast.Expr) sqlast.Expr {
			for _, x := range a {
				if x.Type().Class == sqlast.ClassJSON {
					c.refuse(at, "|| of JSON", "jsonb_set changes a value; a program can put two together")
				}
			}
			return front.Op(sqlast.OpConcat, c.asText(a[0]), c.asText(a[1]))
		}, l, r)
	case "~", "!~", "~*", "!~*":
		flag := "c"
		if strings.HasSuffix(name, "*") {
			flag = "i"
		}
		return front.Not(front.Call("REGEXP_LIKE", l, r, front.Text(flag)), name[0] == '!')
	case "~~", "!~~":
		return &sqlast.Like{X: l, Pattern: r, Not: name[0] == '!'}
	case "~~*", "!~~*":
		return &sqlast.Like{X: front.Call("LOWER", l), Pattern: front.Call("LOWER", r), Not: name[0] == '!'}
	}
	return c.jsonOperator(name, l, r, at)
}

// compare converts a comparison. A string is what the other side's type makes of it,
// and an error where that can't be, as in PostgreSQL.
func (c *conv) compare(op sqlast.Op, l, r sqlast.Expr, at int) sqlast.Expr {
	_, lt := front.StringOf(l)
	_, rt := front.StringOf(r)
	if lt == rt {
		return front.Op(op, l, r)
	}
	return c.later(func(a []sqlast.Expr) sqlast.Expr {
		return front.Op(op, c.alike(a[0], a[1], at), c.alike(a[1], a[0], at))
	}, l, r)
}

// alike makes of a string's literal what the type says that it meets.
func (c *conv) alike(x, other sqlast.Expr, at int) sqlast.Expr {
	s, ok := front.StringOf(x)
	if !ok {
		return x
	}
	switch t := other.Type(); {
	case t.Bool:
		return c.boolText(s, at)
	case t.Class == sqlast.ClassInt:
		return c.intText(s, at)
	case t.Class == sqlast.ClassDecimal, t.Class == sqlast.ClassDouble:
		return c.numberText(s, at)
	}
	return x
}

// boolText is what a string means as a boolean.
func (c *conv) boolText(s string, at int) sqlast.Expr {
	word := strings.ToLower(strings.TrimSpace(s))
	for full, least := range map[string]int{"true": 1, "yes": 1, "on": 2, "1": 1} {
		if len(word) >= least && strings.HasPrefix(full, word) {
			return &sqlast.Lit{Kind: sqlast.LitTrue}
		}
	}
	for full, least := range map[string]int{"false": 1, "no": 1, "off": 2, "0": 1} {
		if len(word) >= least && strings.HasPrefix(full, word) {
			return &sqlast.Lit{Kind: sqlast.LitFalse}
		}
	}
	c.fail(at, "invalid input syntax for type boolean: "+strconv.Quote(s))
	return nil
}

func (c *conv) intText(s string, at int) sqlast.Expr {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		c.fail(at, "invalid input syntax for type integer: "+strconv.Quote(s))
	}
	l := &sqlast.Lit{Kind: sqlast.LitInt, Text: strings.TrimPrefix(strconv.FormatInt(n, 10), "-")}
	if n < 0 {
		return &sqlast.Unary{Op: sqlast.OpNeg, X: l}
	}
	return l
}

func (c *conv) numberText(s string, at int) sqlast.Expr {
	text := strings.TrimSpace(s)
	if _, err := strconv.ParseFloat(text, 64); err != nil || strings.ContainsAny(text, "xXpPiInN_") {
		c.fail(at, "invalid input syntax for type numeric: "+strconv.Quote(s))
	}
	digits := strings.TrimLeft(text, "+-")
	x := c.numeral(digits, at)
	if strings.HasPrefix(text, "-") {
		return &sqlast.Unary{Op: sqlast.OpNeg, X: x}
	}
	return x
}

// quotient is x / y: of whole numbers a whole number, else of 64-bit floating point.
func (c *conv) quotient(l, r sqlast.Expr) sqlast.Expr {
	lc, rc := l.Type().Class, r.Type().Class
	whole := func(c sqlast.Class) bool { return c == sqlast.ClassInt }
	if whole(lc) && (whole(rc) || isParam(r)) || whole(rc) && isParam(l) {
		return front.Op(sqlast.OpIntDiv, l, divisor(r))
	}
	if _, lit := r.(*sqlast.Lit); lit {
		return front.Op(sqlast.OpDiv, double(l), double(divisor(r)))
	}
	return front.Op(sqlast.OpDiv, double(l), divisor(double(r)))
}

// divisor fails where it is 0, as in PostgreSQL, but for literals that aren't.
func divisor(x sqlast.Expr) sqlast.Expr {
	if l, ok := x.(*sqlast.Lit); ok && strings.Trim(l.Text, "0.") != "" {
		return x
	}
	if x.Type().Class == sqlast.ClassDecimal {
		x = double(x)
	}
	return front.Call("_DIVISOR", x)
}

func isParam(x sqlast.Expr) bool {
	_, ok := x.(*sqlast.Param)
	return ok
}

func double(x sqlast.Expr) sqlast.Expr {
	if x.Type().Class == sqlast.ClassDouble {
		return x
	}
	return front.Cast(x, "DOUBLE", sqlast.ClassDouble, -1, -1)
}

// like converts LIKE and ILIKE, with ESCAPE.
func (c *conv) like(n node, not, fold bool) sqlast.Expr {
	l := &sqlast.Like{X: c.expr(n.child("lexpr")), Not: not}
	pattern := n.child("rexpr")
	if names := pattern.names("funcname"); pattern.kind == "FuncCall" && len(names) > 0 && names[len(names)-1] == "like_escape" {
		args := pattern.list("args")
		esc, ok := front.StringOf(c.expr(args[1]))
		if !ok || len([]rune(esc)) > 1 {
			c.refuse(n.at(), "ESCAPE of other than one character's literal", "")
		}
		l.Escape, l.Literal = esc, esc == ""
		pattern = args[0]
	}
	l.Pattern = c.expr(pattern)
	if fold {
		l.X, l.Pattern = front.Call("LOWER", l.X), front.Call("LOWER", l.Pattern)
	}
	return l
}

// similar converts SIMILAR TO, whose pattern must be known to become an expression.
func (c *conv) similar(n node, not bool) sqlast.Expr {
	right := n.child("rexpr")
	args := right.list("args")
	pattern, ok := "", false
	if right.kind == "FuncCall" && len(args) == 1 {
		pattern, ok = front.StringOf(c.expr(args[0]))
	}
	if !ok {
		c.refuse(n.at(), "SIMILAR TO with a pattern that isn't a string, or with ESCAPE", "write x ~ '^(?:…)$'")
	}
	return front.Not(front.Call("REGEXP_LIKE", c.expr(n.child("lexpr")), front.Text(similarTo(pattern)), front.Text("c")), not)
}

// similarTo makes a regular expression of a SIMILAR TO pattern.
func similarTo(pattern string) string {
	var b strings.Builder
	b.WriteString("^(?:")
	class, escaped := false, false
	for _, r := range pattern {
		switch {
		case escaped:
			b.WriteString(`\` + string(r))
			escaped = false
		case r == '\\':
			escaped = true
		case class:
			b.WriteRune(r)
			class = r != ']'
		case r == '[':
			b.WriteRune(r)
			class = true
		case r == '%':
			b.WriteString("(?s:.*)")
		case r == '_':
			b.WriteString("(?s:.)")
		case strings.ContainsRune(".^$", r):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString(")$")
	return b.String()
}
