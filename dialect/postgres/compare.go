package postgres

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
)

// byBytes is the collation that compares text by its bytes.
const byBytes = ` COLLATE "C"`

// folded prints text without its case: of ASCII's letters, as collation "C" has no others.
func folded(s string) string { return "lower((" + s + ")" + byBytes + ")" }

// comparison prints l op r.
func (p *printer) comparison(op sqlast.Op, l, r sqlast.Expr) string {
	if s, ok := l.(*sqlast.Subquery); ok && (s.Kind == sqlast.SubAny || s.Kind == sqlast.SubAll) {
		return p.subquery(s).s
	}
	lr, lok := l.(*sqlast.Row)
	rr, rok := r.(*sqlast.Row)
	if lok || rok {
		if !lok || !rok || len(lr.Items) != len(rr.Items) || op != sqlast.OpEq && op != sqlast.OpNullSafeEq {
			return p.elsewhere("a comparison of rows").s
		}
		terms := make([]string, len(lr.Items))
		for i := range lr.Items {
			terms[i] = p.comparison(op, lr.Items[i], rr.Items[i])
		}
		return "(" + strings.Join(terms, " AND ") + ")"
	}
	a, b := p.sides(l, r)
	if sqlite.FoldsText(l, r) {
		a.s, b.s = folded(a.s), folded(b.s)
	} else if op >= sqlast.OpLt && op <= sqlast.OpGe && (a.k == kText || b.k == kText) {
		a.s = p.binaryText(l, a)
	}
	return "(" + a.s + opText[op] + b.s + ")"
}

// binaryText makes text compare by its bytes where a column doesn't see to it.
func (p *printer) binaryText(e sqlast.Expr, o out) string {
	if c, ok := e.(*sqlast.Col); ok && (c.Def != nil) && o.k == kText {
		return o.s
	}
	return "(" + o.s + ")" + byBytes
}

// sides prints the two sides of a comparison, whose kinds meet.
func (p *printer) sides(l, r sqlast.Expr) (a, b out) {
	switch {
	case constant(r) && !constant(l):
		a = p.value(l)
		return a, p.given(r, l, a.k)
	case constant(l) && !constant(r):
		b = p.value(r)
		return p.given(l, r, b.k), b
	case constant(l) && constant(r):
		p.elsewhere("a comparison of constants")
		return
	}
	a, b = p.value(l), p.value(r)
	lc, rc := sqlite.ClassOf(l), sqlite.ClassOf(r)
	switch {
	case a.k == kNull || b.k == kNull:
	case a.k.numeric() && b.k.numeric():
	case a.k != b.k, a.k == kParam, lc != rc, lc == sqlast.ClassJSON:
		p.elsewhere("a comparison of different types")
	case lc == sqlast.ClassDateTime:
		lf, lk := sqlite.Fraction(l)
		rf, rk := sqlite.Fraction(r)
		if !lk || !rk || lf != rf {
			p.elsewhere("a comparison of times with other fractions")
		}
	}
	return a, b
}

// given prints a constant that is compared with other, of kind k.
func (p *printer) given(e, other sqlast.Expr, k kind) out {
	switch c := sqlite.ClassOf(e); {
	case k != kBytes && (sqlite.NeedsKey(e) || sqlite.NeedsKey(other)):
		return p.elsewhere("a comparison with a DECIMAL of many digits") // the gate compares keys
	case k == kBytes && other.Type().Keyed() && sqlite.Inexact(e):
		return p.elsewhere("a comparison of a DECIMAL of many digits with a DOUBLE")
	case c.Numeric() && k == kText, c == sqlast.ClassBlob && k != kBytes:
		return p.elsewhere("a comparison of different types")
	}
	text, err := sqlite.Side(e, other)
	if err != nil {
		return p.elsewhere("this constant")
	}
	return p.constantText(text, k)
}

var (
	argument = regexp.MustCompile(`^\?[0-9]+$`)
	number   = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	blob     = regexp.MustCompile(`^X'([0-9A-F]*)'$`)
)

// constantText makes of a constant, as the gate's own engine has it, one of kind k.
func (p *printer) constantText(text string, k kind) out {
	switch {
	case text == "NULL":
		return out{"NULL", kNull}
	case argument.MatchString(text):
		return out{"$" + text[1:], k}
	case number.MatchString(text) && k.numeric():
		if k == kNumber || k == kDouble {
			return out{text, k}
		}
		if _, err := strconv.ParseInt(text, 10, 64); err == nil && !strings.HasPrefix(text, "-") {
			return out{text, k}
		}
		return out{"(" + text + ")", k}
	case literal(text) && k == kText:
		return out{text, k}
	case literal(text) && k.numeric() && number.MatchString(text[1:len(text)-1]):
		return out{text[1 : len(text)-1], k}
	case blob.MatchString(text) && k == kBytes:
		return out{`'\x` + text[2:len(text)-1] + `'::bytea`, k}
	case literal(text), number.MatchString(text), blob.MatchString(text):
		return p.elsewhere("a comparison of different types")
	}
	n, ok := p.lifted(text)
	if !ok {
		return p.elsewhere("this constant")
	}
	return out{"$" + n, k}
}

// literal says whether text is one literal of text.
func literal(text string) bool {
	if len(text) < 2 || text[0] != '\'' || text[len(text)-1] != '\'' {
		return false
	}
	return !strings.Contains(strings.ReplaceAll(text[1:len(text)-1], "''", ""), "'")
}

func (p *printer) between(e *sqlast.Between) string {
	s := "(" + p.comparison(sqlast.OpGe, e.X, e.Lo) + " AND " + p.comparison(sqlast.OpLe, e.X, e.Hi) + ")"
	// Of text with a number for a bound MySQL makes numbers of all three.
	if c := sqlite.ClassOf(e.X); !c.Numeric() && (sqlite.ClassOf(e.Lo).Numeric() || sqlite.ClassOf(e.Hi).Numeric()) {
		return p.elsewhere("BETWEEN of different types").s
	}
	if e.Not {
		return "(NOT " + s + ")"
	}
	return s
}

func (p *printer) in(e *sqlast.In) string {
	not := ""
	if e.Not {
		not = " NOT"
	}
	if e.Sub != nil {
		return p.inQuery(e, not)
	}
	if _, ok := e.X.(*sqlast.Row); ok {
		return p.inRows(e)
	}
	if constant(e.X) {
		return p.elsewhere("a constant IN …").s
	}
	x := p.value(e.X)
	fold := false
	members := make([]string, len(e.List))
	for i, m := range e.List {
		fold = fold || sqlite.FoldsText(e.X, m)
		switch m := m.(type) {
		case *dialect.ListSlot:
			members[i] = slot(m)
			if fold {
				return "(" + folded(x.s) + not + ` IN (SELECT lower(_m COLLATE "C") FROM unnest(ARRAY[` + slot(m) + `]::text[]) AS _m))`
			}
		case *sqlast.Members:
			members[i] = "SELECT " + p.memberOf(m, x.k, fold)
		default:
			if !constant(m) {
				return p.inTerms(e)
			}
			members[i] = p.given(m, e.X, x.k).s
			if fold {
				members[i] = folded(members[i])
			}
		}
	}
	if fold {
		x.s = folded(x.s)
	}
	return "(" + x.s + not + " IN (" + strings.Join(members, ", ") + "))"
}

// memberOf prints the members of a list that a parameter holds as JSON.
func (p *printer) memberOf(m *sqlast.Members, k kind, fold bool) string {
	var json string
	switch x := m.X.(type) {
	case *sqlast.Param:
		json = "$" + strconv.Itoa(x.Index+1)
	case *dialect.ListSlot: // the shard's part of them
		json = slot(x)
	}
	own, known := kindOf(&m.T)
	if json == "" || !known || own == kBytes || own != k && !(own.numeric() && k.numeric()) {
		return p.elsewhere("a list that was evaluated before").s
	}
	s := "json_array_elements_text((" + json + ")::json)"
	switch {
	case fold:
		return folded(s)
	case own != kText:
		return s + "::" + typeName[own]
	}
	return s
}

// inTerms prints IN by equality with each member.
func (p *printer) inTerms(e *sqlast.In) string {
	terms := make([]string, len(e.List))
	for i, m := range e.List {
		terms[i] = p.comparison(sqlast.OpEq, e.X, m)
	}
	s := "(" + strings.Join(terms, " OR ") + ")"
	if e.Not {
		return "(NOT " + s + ")"
	}
	return s
}

func (p *printer) inRows(e *sqlast.In) string {
	row := e.X.(*sqlast.Row)
	for _, m := range e.List {
		s, ok := m.(*dialect.ListSlot)
		if !ok {
			continue
		}
		xs := make([]string, len(row.Items))
		for i, x := range row.Items {
			if sqlite.FoldsAlone(x) {
				return p.elsewhere("a list of rows without regard to case").s
			}
			xs[i] = p.value(x).s
		}
		not := ""
		if e.Not {
			not = " NOT"
		}
		return "((" + strings.Join(xs, ", ") + ")" + not + " IN (" + slot(s) + "))"
	}
	return p.inTerms(e)
}

func (p *printer) inQuery(e *sqlast.In, not string) string {
	if _, ok := e.X.(*sqlast.Row); ok {
		return p.elsewhere("rows IN a subquery").s
	}
	text, kinds := p.nested(e.Sub, false)
	s, ok := e.Sub.(*sqlast.Select)
	if len(kinds) != 1 || kinds[0] == kParam || !ok || len(s.Items) != 1 || s.Items[0].Expr == nil {
		return p.elsewhere("IN of this subquery").s
	}
	item := s.Items[0].Expr
	var x out
	if constant(e.X) {
		x = p.given(e.X, item, kinds[0])
	} else {
		x = p.value(e.X)
	}
	a, b := sqlite.ClassOf(e.X), sqlite.ClassOf(item)
	switch {
	case sqlite.FoldsText(e.X, item):
		return p.elsewhere("IN a subquery without regard to case").s
	case x.k == kNull, x.k.numeric() && kinds[0].numeric():
	case x.k != kinds[0] || !constant(e.X) && a != b || a == sqlast.ClassDateTime || a == sqlast.ClassJSON:
		return p.elsewhere("IN of different types").s
	}
	return "(" + x.s + not + " IN (" + text + "))"
}

func (p *printer) like(e *sqlast.Like) string {
	x, pattern := e.X, e.Pattern
	binary := false
	if u, ok := pattern.(*sqlast.Unary); ok && u.Op == sqlast.OpBinary {
		pattern, binary = u.X, true
	}
	if u, ok := x.(*sqlast.Unary); ok && u.Op == sqlast.OpBinary {
		x, binary = u.X, true
	}
	fold := !binary && sqlite.FoldsText(x, pattern)
	a := p.value(x)
	if a.k != kText || sqlite.ClassOf(x) == sqlast.ClassJSON {
		return p.elsewhere("LIKE of what is no text").s
	}
	escape := e.Escape
	switch {
	case e.Literal:
		escape = ""
	case escape == "":
		escape = `\`
	}
	var b out
	switch l := pattern.(type) {
	case *sqlast.Lit:
		if l.Kind != sqlast.LitString || !e.Literal && endsEscaped(l.Text, escape) {
			return p.elsewhere("this pattern of LIKE").s
		}
		b.s = p.str(l.Text)
	case *sqlast.Param:
		// One that ends in its escape is an error of the server's.
		b.s = "$" + strconv.Itoa(l.Index+1) + "::text"
	default:
		return p.elsewhere("LIKE of what is neither a literal nor an argument").s
	}
	if fold {
		a.s, b.s = folded(a.s), folded(b.s)
	}
	s := "(" + a.s
	if e.Not {
		s += " NOT"
	}
	return s + " LIKE " + b.s + " ESCAPE " + p.str(escape) + ")"
}

// endsEscaped says whether a pattern ends in an escape that escapes nothing.
func endsEscaped(pattern, escape string) bool {
	open := false
	for _, r := range pattern {
		open = !open && string(r) == escape
	}
	return open
}
