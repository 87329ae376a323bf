package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// DECIMALs are INTEGERs and REALs in SQLite, or keys (key.go), and what it computes
// with REALs drifts from the decimals: what gives a DECIMAL is computed by functions
// of ours, which are exact, or fail where a result has no exact form.

// digits gives the type of an exact number: the binder's word, or what the node
// itself shows.
func digits(e sqlast.Expr) *sqlast.Type {
	t := e.Type()
	if t.Class != sqlast.ClassUnknown && (t.Class != sqlast.ClassDecimal || t.Scale >= 0) {
		return t
	}
	own := sqlast.TypeOf(class(e))
	switch e := e.(type) {
	case *sqlast.Col:
		if e.Def != nil {
			return &e.Def.Type
		}
	case *sqlast.Values:
		if e.Def != nil {
			return &e.Def.Type
		}
	case *sqlast.Lit:
		switch e.Kind {
		case sqlast.LitDecimal:
			own = sqlast.Decimal(sqlast.LitDigits(e.Text))
		case sqlast.LitInt:
			own.Size = min(len(e.Text), 19)
		}
	case *sqlast.Unary:
		if e.Op == sqlast.OpNeg || e.Op == sqlast.OpPlus {
			return digits(e.X)
		}
	case *sqlast.Binary:
		if e.Op < sqlast.OpAdd || e.Op > sqlast.OpMod || e.Op == sqlast.OpIntDiv {
			break // of comparisons and the like nothing is a DECIMAL
		}
		if t, ok := sqlast.Arithmetic(e.Op, digits(e.L), digits(e.R)); ok {
			own = t
		}
	case *sqlast.Cast:
		if e.To.Class == sqlast.ClassDecimal {
			own = e.To
		}
	case *sqlast.Case:
		values := []sqlast.Expr{e.Else}
		for _, w := range e.Whens {
			values = append(values, w.Then)
		}
		own = common(own, values)
	case *sqlast.Func:
		switch e.Name {
		case "IF":
			own = common(own, e.Args[min(1, len(e.Args)):])
		case "COALESCE", "IFNULL", "GREATEST", "LEAST", "NULLIF", "ABS":
			own = common(own, e.Args)
		}
	}
	return &own
}

// common is the type of what gives one of several values, as far as all are exact.
func common(own sqlast.Type, values []sqlast.Expr) sqlast.Type {
	t := sqlast.TypeOf(sqlast.ClassNull)
	for _, x := range values {
		if x == nil {
			continue
		}
		both, ok := sqlast.Common(&t, digits(x))
		switch {
		case ok:
			t = both
		case exact(x) && t.Class != sqlast.ClassDecimal && class(x) != sqlast.ClassDecimal:
			t = *digits(x)
		default:
			return own
		}
	}
	if t.Class != sqlast.ClassDecimal {
		return own
	}
	return t
}

// exact says whether e is an exact number.
func exact(e sqlast.Expr) bool {
	c := class(e)
	return c.Exact() || c == sqlast.ClassNull
}

// loose says whether e's type hangs on an argument: a parameter, or arithmetic
// between one and a DECIMAL. Its value is an exact number as far as it has one.
func loose(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Param:
		return class(e) == sqlast.ClassUnknown
	case *sqlast.Unary:
		return (e.Op == sqlast.OpNeg || e.Op == sqlast.OpPlus) && loose(e.X)
	case *sqlast.Binary:
		return e.Op >= sqlast.OpAdd && e.Op <= sqlast.OpDiv && arithmetic(e) == "num_"
	}
	return false
}

// arithmetic says by which functions e is computed: dec_ for exact numbers, num_
// where arguments may make it inexact, and "" for SQLite's own operators.
func arithmetic(e *sqlast.Binary) string {
	xl, xr := exact(e.L), exact(e.R)
	decimal := e.Op == sqlast.OpDiv || class(e.L) == sqlast.ClassDecimal || class(e.R) == sqlast.ClassDecimal
	switch {
	case xl && xr && decimal:
		return "dec_"
	case (xl || loose(e.L)) && (xr || loose(e.R)) && (decimal && (xl || xr) || hard(e.L) || hard(e.R)):
		return "num_"
	}
	return ""
}

// hard is loose arithmetic, in which a DECIMAL takes part.
func hard(e sqlast.Expr) bool {
	_, param := e.(*sqlast.Param)
	return !param && loose(e)
}

// sum prints + - *.
func (p *printer) sum(e *sqlast.Binary, prec, min int) {
	kind := arithmetic(e)
	switch {
	case kind != "":
	case MayFallBelow(e):
		p.s("unsigned_sum(")
		p.approximately(func() { p.arith(e, prec, 0) })
		p.c(')')
		return
	default:
		p.approximately(func() { p.arith(e, prec, min) })
		return
	}
	p.sumBy(kind, e)
}

// MayFallBelow says whether e is arithmetic of numbers without sign whose result may be
// below 0, which is an error then.
func MayFallBelow(e *sqlast.Binary) bool {
	return unsigned(e) && !(e.Op != sqlast.OpSub && natural(e.L) && natural(e.R))
}

// unsigned says whether e is a whole number without sign in MySQL, where a result
// below 0 is an error.
func unsigned(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Col:
		if e.Def != nil {
			return e.Def.Type.Unsigned && e.Def.Type.Class == sqlast.ClassInt
		}
		return e.T.Unsigned && e.T.Class == sqlast.ClassInt
	case *sqlast.Cast:
		return e.To.Name == "UNSIGNED"
	case *sqlast.Binary:
		return e.Op >= sqlast.OpAdd && e.Op <= sqlast.OpMul && (unsigned(e.L) || unsigned(e.R)) && !broken(e.L) && !broken(e.R)
	}
	return false
}

// broken says whether e may have digits behind the point, beside which nothing is
// without sign.
func broken(e sqlast.Expr) bool { return fractional(class(e)) || class(e) == sqlast.ClassText }

// natural says whether e is never below 0.
func natural(e sqlast.Expr) bool {
	n, ok := intLit(e)
	return ok && n >= 0 || unsigned(e)
}

// sumBy prints + - * by the functions of one kind.
func (p *printer) sumBy(kind string, e *sqlast.Binary) {
	if !p.takeRaw() && unrounded(e) {
		_, scale, _ := digits(e).Digits()
		p.s(kind + "round(")
		p.raw = true
		p.sumBy("wide_", e)
		p.s(", ")
		p.int(scale)
		p.c(')')
		return
	}
	p.s(kind)
	p.s(map[sqlast.Op]string{sqlast.OpAdd: "add(", sqlast.OpSub: "sub(", sqlast.OpMul: "mul("}[e.Op])
	p.exactArg(e.L)
	p.s(", ")
	p.exactArg(e.R)
	if kind == "any_" {
		p.whichArguments(e)
	}
	p.c(')')
}

// whichArguments prints which operands came with the statement, as bits.
func (p *printer) whichArguments(e *sqlast.Binary) {
	bits := 0
	for i, x := range [...]sqlast.Expr{e.L, e.R} {
		if _, ok := x.(*sqlast.Param); ok {
			bits |= 1 << i
		}
	}
	p.s(", ")
	p.int(bits)
}

// div prints MySQL's division, whose result has four digits more behind the point
// than the dividend.
func (p *printer) div(e *sqlast.Binary, min int) {
	kind := arithmetic(e)
	if kind == "" {
		p.approximately(func() { p.realDiv(e, min) })
		return
	}
	p.divBy(kind, e)
}

// divBy prints a division by the functions of one kind.
func (p *printer) divBy(kind string, e *sqlast.Binary) {
	name, scale := "div(", scaleOfQuotient(scaleOf(e.L))
	if p.takeRaw() {
		name, scale = "quo(", rawScale(e)
	} else if kind != "num_" && kind != "any_" && scale == rawScale(e) {
		name = "quo("
	}
	p.s(kind + name)
	p.exactArg(e.L)
	p.s(", ")
	p.exactArg(e.R)
	p.s(", ")
	p.int(scale)
	if kind == "num_" || kind == "any_" {
		p.whichArguments(e)
	}
	p.c(')')
}

// maxScale is the most digits behind the point that a DECIMAL has.
const maxScale = 30

func scaleOfQuotient(scale int) int { return min(scale+4, maxScale) }

// A quotient has more digits in MySQL than its type tells: it is cut off behind whole
// words of nine digits, and rounded to the type's scale when it is shown or kept. Who
// computes with it gets them all: 10.00 / 3 * 3 is 10.000000, FLOOR(99999 / 100000)
// is 0. Such an operand is printed raw.

// unrounded says whether e is exact arithmetic with a quotient in it.
func unrounded(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Binary:
		return e.Op >= sqlast.OpAdd && e.Op <= sqlast.OpDiv && arithmetic(e) == "dec_" && (e.Op == sqlast.OpDiv || unrounded(e.L) || unrounded(e.R))
	case *sqlast.Agg:
		return e.Name == "AVG" && exactAggregate(e) && !hard(e.Args[0])
	}
	return false
}

// takeRaw says whether what is printed now is to be raw; what stands below it isn't.
func (p *printer) takeRaw() bool {
	was := p.raw
	p.raw = false
	return was
}

// rawScale is how many digits e has behind the point when it is printed raw.
func rawScale(e sqlast.Expr) int {
	if !unrounded(e) {
		return scaleOf(e)
	}
	a, ok := e.(*sqlast.Agg)
	if ok {
		return rawQuotient(scaleOf(a.Args[0]), 0)
	}
	b := e.(*sqlast.Binary)
	l, r := rawScale(b.L), rawScale(b.R)
	switch b.Op {
	case sqlast.OpDiv:
		return rawQuotient(l, r)
	case sqlast.OpMul:
		return min(l+r, maxRaw)
	}
	return max(l, r)
}

// rawQuotient is the scale of a quotient as MySQL's decimal library keeps it (do_div_mod
// in its decimal.c): the operands' words, and one more where they aren't enough for
// four digits.
func rawQuotient(l, r int) int {
	lw, rw := words(l), words(r)
	return min(words(lw+rw+max(4-(lw-l)-(rw-r), 0)), maxRaw)
}

// maxRaw bounds the digits behind the point, as the words that a number has in MySQL do.
const maxRaw = 45

func words(digits int) int { return (digits + 8) / 9 * 9 }

func scaleOf(e sqlast.Expr) int {
	_, scale, ok := digits(e).Digits()
	if !ok {
		return 0
	}
	return scale
}

// realDiv divides REALs; between integers SQLite's own division truncates.
func (p *printer) realDiv(e *sqlast.Binary, min int) {
	b := p.open(precMul, min)
	p.number(e.L, precMul)
	if !isReal(e.L) && !isReal(e.R) {
		p.s(" * 1.0")
	}
	p.s(" / ")
	p.number(e.R, precMul+1)
	p.close(b)
}

// isReal says whether e's value is a REAL in SQLite for sure. A DECIMAL column
// is not: NUMERIC affinity keeps 10.00 as the integer 10.
func isReal(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Lit:
		return e.Kind == sqlast.LitFloat || e.Kind == sqlast.LitDecimal && strings.ContainsAny(e.Text, ".eE")
	case *sqlast.Unary:
		return e.Op == sqlast.OpNeg && isReal(e.X)
	case *sqlast.Col:
		return e.Def != nil && e.Def.Type.Class == sqlast.ClassDouble
	case *sqlast.Binary:
		return e.Op == sqlast.OpDiv && arithmetic(e) == ""
	}
	return false
}

func (p *printer) intDiv(e *sqlast.Binary, min int) {
	switch {
	case class(e.L) == sqlast.ClassInt && class(e.R) == sqlast.ClassInt:
		b := p.open(precMul, min)
		p.number(e.L, precMul)
		p.s(" / ")
		p.number(e.R, precMul+1)
		p.close(b)
	case exact(e.L) && exact(e.R):
		p.twoExact("dec_div_int(", e.L, e.R)
	default:
		p.approximately(func() {
			p.s("CAST(")
			p.number(e.L, precMul)
			p.s(" / ")
			p.number(e.R, precMul+1)
			p.s(" AS INTEGER)")
		})
	}
}

// mod: SQLite's % makes integers of its operands.
func (p *printer) mod(l, r sqlast.Expr, min int) {
	switch {
	case exact(l) && exact(r) && (class(l) == sqlast.ClassDecimal || class(r) == sqlast.ClassDecimal):
		p.modBy("dec_", l, r)
		return
	case !fractional(class(l)) && !fractional(class(r)):
		b := p.open(precMul, min)
		p.number(l, precMul)
		p.s(" % ")
		p.number(r, precMul+1)
		p.close(b)
		return
	}
	p.approximately(func() {
		p.s("mod(")
		p.number(l, 0)
		p.s(", ")
		p.number(r, 0)
		p.c(')')
	})
}

// exactAggregate says whether e is a SUM or AVG of DECIMALs, or an AVG of
// integers, whose result is a DECIMAL.
func exactAggregate(e *sqlast.Agg) bool {
	if len(e.Args) != 1 {
		return false
	}
	c := class(e.Args[0])
	return e.Name == "SUM" && c == sqlast.ClassDecimal || e.Name == "AVG" && c.Exact()
}

// exactAgg prints an exact SUM or AVG; over prints its OVER
// clause.
func (p *printer) exactAgg(e *sqlast.Agg, over func()) { p.exactAggBy("dec_", e, over) }

// exactAggBy is exactAgg by the functions of one kind.
func (p *printer) exactAggBy(kind string, e *sqlast.Agg, over func()) {
	x, inRaw := e.Args[0], p.takeRaw()
	call := func(name string) {
		p.s(name)
		p.c('(')
		if e.Distinct {
			p.s("DISTINCT ")
		}
		p.exactArg(x)
		p.c(')')
		over()
	}
	sum := kind + "sum"
	if class(x) == sqlast.ClassInt {
		sum = "sum" // SQLite's own is exact for integers
	}
	if e.Name == "SUM" {
		call(sum)
		return
	}
	_, scale, ok := digits(x).Digits()
	if !ok {
		scale = 0
	}
	if sum != "sum" {
		sum = "wide_sum" // it is divided by one of ours
	}
	if hard(x) {
		kind, scale = "num_", maxScale // its scale is the argument's, which isn't known
	}
	name, shown := "div(", scaleOfQuotient(scale)
	if kind != "num_" && (inRaw || shown == rawQuotient(scale, 0)) {
		name, shown = "quo(", rawQuotient(scale, 0)
	}
	p.s(kind + name)
	call(sum)
	p.s(", ")
	call("count")
	p.s(", ")
	p.int(shown)
	if kind == "num_" {
		p.s(", 0")
	}
	p.c(')')
}

// textArg prints e where text is wanted: a number as MySQL spells it, x'…' as its
// bytes.
func (p *printer) textArg(e sqlast.Expr, min int) {
	if !p.numberText(e) {
		p.bytesArg(e, min)
	}
}

// numberText prints a number with a fraction as MySQL spells it: 1.50 is a DECIMAL
// with a scale of 2, 2 is a DOUBLE. It returns false for other expressions, also for
// integers, which are spelt alike.
func (p *printer) numberText(e sqlast.Expr) bool {
	if f, ok := e.(*sqlast.Func); ok && class(e) == sqlast.ClassDouble && (f.Name == "ROUND" || f.Name == "TRUNCATE") && len(f.Args) == 2 {
		if n, ok := intLit(f.Args[1]); ok && n > 0 {
			p.call("double_text", e, f.Args[1]) // shown with all digits that it is rounded to
			return true
		}
	}
	if class(e) == sqlast.ClassDouble {
		p.call("double_text", e)
		return true
	}
	return p.decimalText(e)
}

// bytesArg prints an argument for who takes bytes and text alike: x'…' is text, as
// in MySQL's functions of text (hex() and the hashes take both).
func (p *printer) bytesArg(e sqlast.Expr, min int) {
	if l, ok := e.(*sqlast.Lit); ok && l.Kind == sqlast.LitBytes && l.Type().Class == sqlast.ClassUnknown {
		p.blob(l.Text)
		return
	}
	p.expr(e, min)
}

// callText prints name(args…), all of them text.
func (p *printer) callText(name string, args ...sqlast.Expr) {
	p.s(name)
	p.c('(')
	for i, a := range args {
		if i > 0 {
			p.s(", ")
		}
		p.textArg(a, 0)
	}
	p.c(')')
}

// decimalText prints a DECIMAL where text is wanted: with all digits of its
// scale, as 1.50. It returns false for other expressions.
func (p *printer) decimalText(e sqlast.Expr) bool {
	if class(e) != sqlast.ClassDecimal {
		return false
	}
	_, scale, ok := digits(e).Digits()
	if !ok {
		return false
	}
	p.s("dec_text(")
	p.exactArg(e)
	p.s(", ")
	p.int(scale)
	p.c(')')
	return true
}
