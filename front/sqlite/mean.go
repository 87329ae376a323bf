package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// infix gives x op y with SQLite's meaning.
func (p *parser) infix(o sqlast.Op, x, y sqlast.Expr, at int) sqlast.Expr {
	switch {
	case o == sqlast.OpAnd || o == sqlast.OpOr || o == sqlast.OpConcat:
		return front.Op(o, x, y)
	case o == sqlast.OpJSONGet:
		return native(sqlast.ClassJSON, "json_arrow", x, y)
	case o == sqlast.OpJSONTxt:
		return native(sqlast.ClassUnknown, "json_arrow2", x, y)
	case o.Comparison() && rowAndQuery(x, y):
		return front.Op(o, x, y)
	case o.Comparison():
		return front.Later(func(a []sqlast.Expr) (sqlast.Expr, error) {
			if err := p.comparable(a[0], a[1], at); err != nil {
				return nil, err
			}
			l, r := affine(a[0], a[1])
			if c := strangers(o, l, r); c != nil {
				return c, nil
			}
			return front.Op(o, collated(l, r), r), nil
		}, x, y)
	case o == sqlast.OpDiv:
		return front.Later(func(a []sqlast.Expr) (sqlast.Expr, error) { return p.quotient(a[0], a[1], at) }, x, y)
	case o == sqlast.OpMod:
		return front.Later(func(a []sqlast.Expr) (sqlast.Expr, error) {
			return front.Op(sqlast.OpMod, whole(a[0]), whole(a[1])), nil
		}, x, y)
	}
	return front.Op(o, x, y)
}

// rowAndQuery says that a row is compared with a query's, whose types are not at hand.
func rowAndQuery(x, y sqlast.Expr) bool {
	if _, ok := y.(*sqlast.Row); ok {
		x, y = y, x
	}
	_, row := x.(*sqlast.Row)
	_, query := y.(*sqlast.Subquery)
	return row && query
}

// collated says by which collation x compares with others, where that isn't plain: an
// explicit one, else that of the first column, else bytes. What is computed has none.
func collated(x sqlast.Expr, others ...sqlast.Expr) sqlast.Expr {
	all := append([]sqlast.Expr{x}, others...)
	plain, text := true, false
	for _, e := range all {
		switch e.(type) {
		case *sqlast.Collate:
			return x
		case *sqlast.Col, *sqlast.Lit, *sqlast.Param:
		default:
			plain = false
		}
		text = text || e.Type().Class == sqlast.ClassText
	}
	if plain || !text {
		return x
	}
	name := "utf8mb4_bin"
	for _, e := range all {
		if c, ok := e.(*sqlast.Col); ok {
			if c.T.NoCase {
				name = "utf8mb4_general_ci"
			}
			break
		}
	}
	return &sqlast.Collate{X: x, Name: name}
}

// ordered is x as a term of ORDER BY or GROUP BY.
func ordered(x sqlast.Expr) sqlast.Expr {
	switch x.(type) {
	case *sqlast.Col, *sqlast.Lit, *sqlast.Param, *sqlast.Collate, *sqlast.Unary:
		return x
	}
	return front.Later(func(a []sqlast.Expr) (sqlast.Expr, error) {
		if a[0].Type().NoCase {
			return collated(a[0]), nil
		}
		return a[0], nil
	}, x)
}

// native is a function of SQLite's own, which means nothing else anywhere.
func native(class sqlast.Class, name string, args ...sqlast.Expr) *sqlast.Func {
	f := front.Call("_SQLITE_"+name, args...)
	f.T = sqlast.TypeOf(class)
	return f
}

// quotient is x / y: whole for whole numbers.
func (p *parser) quotient(x, y sqlast.Expr, at int) (sqlast.Expr, error) {
	kind := func(e sqlast.Expr) sqlast.Class { return e.Type().Class }
	for _, e := range []sqlast.Expr{x, y} {
		what := "a value"
		switch kind(e) {
		case sqlast.ClassUnknown, sqlast.ClassJSON:
			if _, ok := e.(*sqlast.Param); ok {
				what = "a parameter"
			}
		case sqlast.ClassText:
			what = "text"
		default:
			continue
		}
		return nil, sqlast.UnsupportedAt(p.text, at, "/ of "+what+", which may be a whole number or not", "say which: CAST(x AS INTEGER) or CAST(x AS REAL)")
	}
	if kind(x) == sqlast.ClassInt && kind(y) == sqlast.ClassInt {
		return front.Op(sqlast.OpIntDiv, x, y), nil
	}
	return front.Op(sqlast.OpDiv, double(x), double(y)), nil
}

func double(x sqlast.Expr) sqlast.Expr {
	if x.Type().Class == sqlast.ClassDouble {
		return x
	}
	return front.Cast(x, "DOUBLE", sqlast.ClassDouble, -1, -1)
}

// whole is x as a whole number, cut off behind the point.
func whole(x sqlast.Expr) sqlast.Expr {
	switch x.Type().Class {
	case sqlast.ClassInt:
		return x
	case sqlast.ClassDouble, sqlast.ClassDecimal:
		x = front.Call("TRUNCATE", x, front.Int(0))
	}
	return front.Cast(x, "SIGNED", sqlast.ClassInt, -1, -1)
}

// stored says whether an expression is a column, whose affinity other sides take.
func stored(x sqlast.Expr) bool {
	switch x := x.(type) {
	case *sqlast.Col:
		return true
	case *sqlast.Cast:
		return true
	case *sqlast.Collate:
		return stored(x.X)
	}
	return false
}

// affine applies a column's affinity to what it is compared with: numbers become text
// where they meet a text column. Text that meets a column of numbers is taken for a
// number by the planner.
func affine(x, y sqlast.Expr) (sqlast.Expr, sqlast.Expr) {
	return asOther(x, y), asOther(y, x)
}

func asOther(x, other sqlast.Expr) sqlast.Expr {
	if stored(x) || !stored(other) || other.Type().Class != sqlast.ClassText {
		return x
	}
	l, ok := x.(*sqlast.Lit)
	switch {
	case ok && l.Kind == sqlast.LitInt:
		return front.Text(l.Text)
	case x.Type().Class == sqlast.ClassInt:
		return front.Cast(x, "CHAR", sqlast.ClassText, -1, -1)
	}
	return x
}

// comparable refuses what compares by the kind of each row's values.
func (p *parser) comparable(x, y sqlast.Expr, at int) error {
	number := func(e sqlast.Expr) bool { return e.Type().Class.Numeric() && stored(e) }
	text := func(e sqlast.Expr) bool { return e.Type().Class == sqlast.ClassText && stored(e) }
	if number(x) && text(y) || number(y) && text(x) {
		return sqlast.UnsupportedAt(p.text, at, "a comparison of a column of numbers with one of text", "CAST one of them")
	}
	return nil
}

// strangers gives the answer of a comparison of a number with text, neither of which is
// a column: numbers are below text. nil where it is another comparison.
func strangers(o sqlast.Op, x, y sqlast.Expr) sqlast.Expr {
	number := func(e sqlast.Expr) bool { return e.Type().Class.Numeric() }
	text := func(e sqlast.Expr) bool { return e.Type().Class == sqlast.ClassText }
	if stored(x) || stored(y) || !(number(x) && text(y) || number(y) && text(x)) {
		return nil
	}
	below := number(x)
	answer := map[sqlast.Op]bool{sqlast.OpNe: true, sqlast.OpLt: below, sqlast.OpLe: below, sqlast.OpGt: !below, sqlast.OpGe: !below}[o]
	lit := &sqlast.Lit{Kind: map[bool]sqlast.LitKind{false: sqlast.LitFalse, true: sqlast.LitTrue}[answer]}
	if o == sqlast.OpNullSafeEq {
		return lit
	}
	unknown := front.Op(sqlast.OpOr, front.IsNull(x, false), front.IsNull(y, false))
	return front.When(unknown, front.Null(), lit)
}

// cast reads CAST(x AS type).
func (p *parser) cast() sqlast.Expr {
	at := p.peek().start
	p.need("CAST")
	p.needOp("(")
	x := p.expr()
	p.need("AS")
	name := p.typeWords()
	p.needOp(")")
	switch affinityOf(name) {
	case affInteger:
		return front.Later(func(a []sqlast.Expr) (sqlast.Expr, error) { return whole(a[0]), nil }, x)
	case affText:
		return front.Cast(x, "CHAR", sqlast.ClassText, -1, -1)
	case affReal:
		return front.Cast(x, "DOUBLE", sqlast.ClassDouble, -1, -1)
	case affBlob:
		return front.Cast(x, "BINARY", sqlast.ClassBlob, -1, -1)
	}
	return front.Later(func(a []sqlast.Expr) (sqlast.Expr, error) {
		if c := a[0].Type().Class; c == sqlast.ClassInt || c == sqlast.ClassDouble {
			return a[0], nil
		}
		return nil, sqlast.UnsupportedAt(p.text, at, "CAST AS NUMERIC of what isn't a number", "CAST it AS INTEGER or AS REAL")
	}, x)
}

// affinity is how a column takes values.
type affinity uint8

const (
	affNumeric affinity = iota
	affInteger
	affText
	affReal
	affBlob
)

// affinityOf follows SQLite's rules for a type's name.
func affinityOf(name string) affinity {
	up := strings.ToUpper(name)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(up, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("INT"):
		return affInteger
	case has("CHAR", "CLOB", "TEXT"):
		return affText
	case has("BLOB"), name == "":
		return affBlob
	case has("REAL", "FLOA", "DOUB"):
		return affReal
	}
	return affNumeric
}

// typeWords reads a type's name, with its digits.
func (p *parser) typeWords() string {
	var words []string
	for p.peek().kind == word && !reserved[strings.ToUpper(p.peek().text)] && !p.isWord(0, "GENERATED") && !p.isWord(0, "STRICT") || p.peek().kind == quoted {
		words = append(words, p.peek().text)
		p.i++
	}
	name := strings.Join(words, " ")
	if len(words) > 0 && p.takeOp("(") {
		from := p.peek().start
		for !p.isOp(0, ")") && p.peek().kind != end {
			p.i++
		}
		name += "(" + strings.TrimSpace(p.text[from:p.peek().start]) + ")"
		p.needOp(")")
	}
	return name
}
