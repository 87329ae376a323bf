package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// comparison prints l op r. SQLite compares by storage class and by the
// operands' affinities, MySQL by the operands' types: what differs is said by
// casts, a COLLATE, or another spelling of a date.
func (p *printer) comparison(op sqlast.Op, l, r sqlast.Expr, min int) {
	if s, ok := l.(*sqlast.Subquery); ok && (s.Kind == sqlast.SubAny || s.Kind == sqlast.SubAll) {
		p.subquery(s, 0)
		return
	}
	p.compared(op, l, r, min)
}

// compared prints l op r by SQLite's own operator.
func (p *printer) compared(op sqlast.Op, l, r sqlast.Expr, min int) {
	if col, ok := binaryEq(op, l, r); ok {
		// The second term alone could not use the column's index.
		b := p.open(precAnd, min)
		p.expr(col, precBit)
		p.s(" = ")
		p.side(r, col, precBit)
		p.s(" AND ")
		p.expr(col, precCollate)
		p.s(" COLLATE BINARY = ")
		p.side(r, col, precBit)
		p.close(b)
		return
	}
	prec := precEq
	if op >= sqlast.OpLt && op <= sqlast.OpGe {
		prec = precCmp
	}
	b := p.open(prec, min)
	p.side(l, r, precBit)
	p.s(opText[op])
	want, explicit := collation(l, r)
	if explicit {
		p.side(r, l, precCollate)
		p.collate(want)
	} else {
		p.side(r, l, precBit)
	}
	p.close(b)
}

// binaryEq recognises BINARY col = x of a case-insensitive column.
func binaryEq(op sqlast.Op, l, r sqlast.Expr) (*sqlast.Col, bool) {
	u, ok := l.(*sqlast.Unary)
	if !ok || u.Op != sqlast.OpBinary || op != sqlast.OpEq {
		return nil, false
	}
	switch r.(type) {
	case *sqlast.Lit, *sqlast.Param:
		c, ok := u.X.(*sqlast.Col)
		return c, ok && noCase(c)
	}
	return nil, false
}

// side prints one side of a comparison, with regard to the other.
func (p *printer) side(e, other sqlast.Expr, min int) {
	if leaks(e) {
		nocase, _ := meant(e, other)
		p.expr(e, max(min, precCollate))
		p.collate(nocase)
		return
	}
	c, oc := class(e), class(other)
	if row, ok := e.(*sqlast.Row); ok {
		p.rowSide(row, other)
		return
	}
	if p.keySide(e, other, min) {
		return
	}
	switch {
	case oc == sqlast.ClassDateTime || oc == sqlast.ClassDate:
		if p.dateSide(e, c, other, min) {
			return
		}
	case oc.Numeric() && p.memberNumber(e), oc == sqlast.ClassBlob && !isBytes(other) && p.asBlob(e, c):
		return
	case (c == sqlast.ClassText || isParam(e)) && oc.Numeric() && !(isNumericCol(other) && sqlast.Given(e)):
		p.s("CAST(")
		p.expr(e, 0)
		p.s(" AS NUMERIC)")
		return
	case c == sqlast.ClassJSON && oc != sqlast.ClassJSON:
		if p.jsonAsValue(e, min) {
			return
		}
	}
	if l, ok := e.(*sqlast.Lit); ok && l.Kind == sqlast.LitBytes {
		if oc == sqlast.ClassUnknown {
			oc = l.Type().Class
		}
		p.bytesAs(l, oc)
		return
	}
	p.expr(e, min)
}

// isParam: an argument may be text, which a number is not to be compared with.
func isParam(e sqlast.Expr) bool {
	_, ok := e.(*sqlast.Param)
	return ok && !class(e).Temporal()
}

// isNumericCol: SQLite applies a column's numeric affinity to the text that it
// is compared with, where that is a number as a whole.
func isNumericCol(e sqlast.Expr) bool {
	c, ok := e.(*sqlast.Col)
	return ok && c.Def != nil && c.Def.Type.Class.Numeric()
}

func (p *printer) rowSide(row *sqlast.Row, other sqlast.Expr) {
	o, ok := other.(*sqlast.Row)
	if !ok || len(o.Items) != len(row.Items) {
		p.expr(row, 0)
		return
	}
	p.c('(')
	for i, x := range row.Items {
		if i > 0 {
			p.s(", ")
		}
		p.side(x, o.Items[i], 0)
	}
	p.c(')')
}

// dateSide prints e for a comparison with a date or datetime, as whose text it
// must be spelt; it returns false where e is spelt so already.
func (p *printer) dateSide(e sqlast.Expr, c sqlast.Class, other sqlast.Expr, min int) bool {
	fsp, ok := fspOf(other)
	if !ok {
		return false
	}
	if l, isLit := e.(*sqlast.Lit); isLit && l.Kind != sqlast.LitNull {
		if c == sqlast.ClassText || c.Temporal() {
			p.str(padDate(l.Text, fsp))
			return true
		}
		return false
	}
	switch e.(type) {
	case *dialect.ListSlot, *sqlast.Subquery:
		return false
	}
	if c.Temporal() {
		own, known := fspOf(e)
		if !known || own >= fsp {
			return false // the longer one's other side is brought to its width
		}
	} else if c != sqlast.ClassText && c != sqlast.ClassUnknown {
		return false
	}
	if _, known := storedNoCase(e); known && c == sqlast.ClassText {
		return false // a text column against a date column: keep its index
	}
	p.s("cmp_datetime(")
	p.expr(e, 0)
	p.s(", ")
	p.int(fsp)
	p.c(')')
	return true
}

// fspOf gives the digits behind the second that e's values are spelt with; -1
// for a DATE. ok is false where that is not known.
func fspOf(e sqlast.Expr) (fsp int, ok bool) {
	switch class(e) {
	case sqlast.ClassDate:
		return -1, true
	case sqlast.ClassDateTime:
	default:
		return 0, false
	}
	t := e.Type()
	switch x := e.(type) {
	case *sqlast.Col:
		if x.Def != nil {
			t = &x.Def.Type
		}
	case *sqlast.Values:
		if x.Def != nil {
			t = &x.Def.Type
		}
	case *sqlast.Lit:
		return len(fraction(x.Text)), true
	}
	if t.Class != sqlast.ClassDateTime {
		return 0, true
	}
	return max(t.Scale, 0), true
}

func fraction(s string) string {
	_, f, _ := strings.Cut(s, ".")
	return f
}

// padDate spells the date or datetime in s with fsp digits behind the second
// (-1: as a date), unless that would lose something that isn't zero; text that
// is neither it leaves alone.
func padDate(s string, fsp int) string {
	if !dateShape(s) {
		return s
	}
	day, clock := s[:10], ""
	if len(s) > 10 {
		clock = s[11:]
	}
	clock, frac, _ := strings.Cut(clock, ".")
	frac = strings.TrimRight(frac, "0")
	if len(clock) == 5 {
		clock += ":00"
	}
	if fsp < 0 {
		if (clock == "" || clock == "00:00:00") && frac == "" {
			return day
		}
		fsp = 0
	}
	if clock == "" {
		clock = "00:00:00"
	}
	for len(frac) < fsp {
		frac += "0"
	}
	if frac == "" {
		return day + " " + clock
	}
	return day + " " + clock + "." + frac
}

// dateShape says whether s reads YYYY-MM-DD, with a time behind it or none.
func dateShape(s string) bool {
	const shape = "dddd-dd-dd dd:dd:dd"
	if len(s) < 10 || len(s) > 10 && len(s) < 16 || len(s) == 17 || len(s) == 18 {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch {
		case i >= len(shape):
			if i == len(shape) && s[i] != '.' || i > len(shape) && (s[i] < '0' || s[i] > '9') {
				return false
			}
		case shape[i] == 'd':
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		case s[i] != shape[i] && (i != 10 || s[i] != 'T'):
			return false
		}
	}
	return true
}

// maxRowTerms is how many rows of an IN list are printed as OR terms, which can
// use an index, where IN (VALUES …) scans.
const maxRowTerms = 16

func (p *printer) in(e *sqlast.In, min int) {
	if row, ok := e.X.(*sqlast.Row); ok && e.Sub == nil {
		p.inRows(row, e, min)
		return
	}
	if p.inMixed(e, min) || p.keyIn(e, min) {
		return
	}
	b := p.open(precEq, min)
	p.inLeft(e)
	if e.Not {
		p.s(" NOT")
	}
	p.s(" IN (")
	if e.Sub != nil {
		p.query(asNumbers(e))
	} else {
		for i, x := range e.List {
			if i > 0 {
				p.s(", ")
			}
			if _, query := x.(*sqlast.Members); query {
				p.s("SELECT ")
			}
			if !p.wideMember(x, e.X) {
				p.side(x, e.X, 0)
			}
		}
	}
	p.c(')')
	p.close(b)
}

// inMixed prints text IN a list with numbers and other values in it: each is compared
// with by its own class, where SQLite knows one for all. It returns false for others.
func (p *printer) inMixed(e *sqlast.In, min int) bool {
	if e.Sub != nil || class(e.X) != sqlast.ClassText {
		return false
	}
	numbers := 0
	for _, x := range e.List {
		if class(x).Numeric() {
			numbers++
		}
	}
	if _, given := e.X.(*sqlast.Lit); numbers == 0 || numbers == len(e.List) && !given {
		return false
	}
	p.eachMember(e, min, func(x sqlast.Expr) {
		if !class(x).Numeric() || keyed(x) {
			p.comparison(sqlast.OpEq, e.X, x, precOr+1)
			return
		}
		p.asNumeric(e.X)
		p.s(" = ")
		p.side(x, e.X, precBit)
	})
	return true
}

// eachMember prints IN as a chain of ORs: equal prints the comparison with a member.
func (p *printer) eachMember(e *sqlast.In, min int, equal func(x sqlast.Expr)) {
	prec := precOr
	if e.Not {
		prec = precNot
	} else if len(e.List) == 1 {
		prec = precEq
	}
	b := p.open(prec, min)
	if e.Not {
		p.s("NOT (")
	}
	for i, x := range e.List {
		if i > 0 {
			p.s(" OR ")
		}
		equal(x)
	}
	if e.Not {
		p.c(')')
	}
	p.close(b)
}

// asNumeric prints text as the number that it begins with.
func (p *printer) asNumeric(e sqlast.Expr) {
	p.s("CAST(")
	p.expr(e, 0)
	p.s(" AS NUMERIC)")
}

// asNumbers is the query of x IN (SELECT …), with text as the numbers that it is
// to be compared with.
func asNumbers(e *sqlast.In) sqlast.Query {
	s, ok := e.Sub.(*sqlast.Select)
	if !ok || len(s.Items) != 1 || s.Items[0].Star || class(s.Items[0].Expr) != sqlast.ClassText || !class(e.X).Numeric() {
		return e.Sub
	}
	c := *s
	zero := &sqlast.Lit{Kind: sqlast.LitInt, Text: "0"}
	zero.T = sqlast.TypeOf(sqlast.ClassInt)
	x := &sqlast.Binary{Op: sqlast.OpAdd, L: s.Items[0].Expr, R: zero}
	x.T = sqlast.TypeOf(sqlast.ClassDouble)
	c.Items = []sqlast.SelectItem{{Expr: x}}
	return &c
}

// inLeft prints the left side of IN, whose collation alone counts in SQLite.
func (p *printer) inLeft(e *sqlast.In) {
	members := e.List
	if sel, ok := e.Sub.(*sqlast.Select); ok && len(sel.Items) == 1 && !sel.Items[0].Star {
		members = []sqlast.Expr{sel.Items[0].Expr}
	}
	if len(members) > 0 && needsKey(members[0]) {
		p.expr(e.X, precBit) // it is wideMember's
		return
	}
	for _, x := range members {
		if nc, explicit := leftCollation(e.X, x); explicit {
			p.side(e.X, x, precCollate)
			p.collate(nc)
			return
		}
	}
	switch {
	case len(members) == 0:
		p.collated(e.X, precBit)
	case e.Sub != nil && !(class(e.X) == sqlast.ClassText && class(members[0]).Numeric()):
		p.expr(e.X, precBit)
	default:
		p.side(e.X, members[0], precBit)
	}
}

func (p *printer) inRows(row *sqlast.Row, e *sqlast.In, min int) {
	rows := true
	for _, x := range e.List {
		if _, ok := x.(*sqlast.Row); !ok {
			rows = false
		}
	}
	if !rows || (len(e.List) > maxRowTerms || len(e.List) == 0) && !keyedMember(append(e.List[:len(e.List):len(e.List)], row)) {
		b := p.open(precEq, min)
		p.expr(row, precBit)
		if e.Not {
			p.s(" NOT")
		}
		p.s(" IN (VALUES ")
		for i, x := range e.List {
			if i > 0 {
				p.s(", ")
			}
			p.side(x, row, 0)
		}
		p.c(')')
		p.close(b)
		return
	}
	p.eachMember(e, min, func(x sqlast.Expr) {
		p.side(row, x, 0)
		p.s(" = ")
		p.side(x, row, 0)
	})
}

func (p *printer) between(e *sqlast.Between, min int) {
	if p.keyBetween(e, min) {
		return
	}
	if class(e.X) == sqlast.ClassText && (class(e.Lo).Numeric() || class(e.Hi).Numeric()) {
		p.betweenNumbers(e, min)
		return
	}
	nc, explicit := collation(e.X, e.Lo)
	if !explicit {
		nc, explicit = collation(e.X, e.Hi)
	}
	p.within(e, min, func() {
		if explicit {
			p.side(e.X, e.Lo, precCollate)
			p.collate(nc)
		} else {
			p.side(e.X, e.Lo, precBit)
		}
	}, func(bound sqlast.Expr) { p.side(bound, e.X, precBit) })
}

// within prints a BETWEEN with what prints its value and its bounds.
func (p *printer) within(e *sqlast.Between, min int, value func(), bound func(sqlast.Expr)) {
	b := p.open(precEq, min)
	value()
	if e.Not {
		p.s(" NOT")
	}
	p.s(" BETWEEN ")
	bound(e.Lo)
	p.s(" AND ")
	bound(e.Hi)
	p.close(b)
}

// betweenNumbers prints a BETWEEN of text with a number for a bound, which makes
// numbers of all three.
func (p *printer) betweenNumbers(e *sqlast.Between, min int) {
	number := func(x sqlast.Expr) {
		if class(x) == sqlast.ClassText {
			p.asNumeric(x)
		} else {
			p.number(x, precBit)
		}
	}
	p.within(e, min, func() { number(e.X) }, number)
}

// scalar prints a scalar subquery, of which SQLite takes the first row.
func (p *printer) scalar(e *sqlast.Subquery) {
	if !e.Many {
		p.c('(')
		p.query(e.Query)
		p.c(')')
		return
	}
	p.s("(SELECT * FROM (")
	p.query(firstTwo(e.Query))
	p.s(") GROUP BY NULL HAVING one_row(count(*)))")
}

// firstTwo is q cut off behind its second row, unless it has a LIMIT.
func firstTwo(q sqlast.Query) sqlast.Query {
	two := &sqlast.Limit{Count: &sqlast.Lit{Kind: sqlast.LitInt, Text: "2"}}
	switch x := q.(type) {
	case *sqlast.Select:
		if x.Limit == nil {
			c := *x
			c.Limit = two
			return &c
		}
	case *sqlast.SetOp:
		if x.Limit == nil {
			c := *x
			c.Limit = two
			return &c
		}
	}
	return q
}

// subquery prints a subquery in an expression. ANY and ALL keep their three
// values: the comparison's results are counted.
func (p *printer) subquery(e *sqlast.Subquery, min int) {
	switch e.Kind {
	case sqlast.SubScalar:
		p.scalar(e)
		return
	case sqlast.SubExists:
		b := e.Not && p.open(precNot, min)
		if e.Not {
			p.s("NOT ")
		}
		p.s("EXISTS (")
		p.query(e.Query)
		p.c(')')
		p.close(b)
		return
	}
	eqAny := e.Kind == sqlast.SubAny && e.Op == sqlast.OpEq
	if eqAny || e.Kind == sqlast.SubAll && e.Op == sqlast.OpNe {
		p.c('(')
		p.in(&sqlast.In{X: e.X, Sub: e.Query, Not: !eqAny}, 0)
		p.c(')')
		return
	}
	p.s(`(WITH "_q"("_c") AS (`)
	p.query(e.Query)
	if e.Kind == sqlast.SubAll {
		p.s(`) SELECT CASE WHEN min("_r") = 0 THEN 0 WHEN count("_r") = count(*) THEN 1 END`)
	} else {
		p.s(`) SELECT CASE WHEN max("_r") = 1 THEN 1 WHEN count("_r") = count(*) THEN 0 END`)
	}
	p.s(` FROM (SELECT `)
	c := &sqlast.Col{Table: "_q", Name: "_c"}
	if keyedItem(e.Query, 0) {
		c.T = sqlast.Decimal(35, 30)
	}
	p.comparison(e.Op, e.X, c, 0)
	p.s(` AS "_r" FROM "_q"))`)
}
