package postgres

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
)

// Printer prints for PostgreSQL 12 and later.
type Printer struct {
	// constant gives the parameter, from 1 on, that has the value of an expression of
	// the gate's engine; nil: none can be had.
	constant func(sql string) int
}

var _ dialect.Printer = Printer{}

// Lifting implements [dialect.Printer].
func (pr Printer) Lifting(constant func(sql string) int) dialect.Printer {
	pr.constant = constant
	return pr
}

// kind is what PostgreSQL knows of an expression's values.
type kind uint8

const (
	kNull   kind = iota // NULL, which is of any kind
	kParam              // an argument, whose value has a kind
	kBool               // a condition
	kInt                // smallint, integer, bigint
	kNumber             // numeric
	kDouble             // double precision
	kText               // text, dates and times among it
	kBytes              // bytea, DECIMALs of many digits among it
)

func (k kind) numeric() bool { return k == kInt || k == kNumber || k == kDouble }

// out is printed text, bracketed where it must be.
type out struct {
	s string
	k kind
}

// printer is the state of printing one statement.
type printer struct {
	constant func(sql string) int
	err      error
	// group has the texts that the block groups by; nil outside of one that groups.
	group map[string]bool
	// target qualifies the columns of an ON CONFLICT, which has two rows to speak of.
	target *sqlast.TableRef
	// items are the select list, whose names HAVING and ORDER BY may use.
	items []sqlast.SelectItem
	// inAgg: what is printed is an aggregate's argument.
	inAgg bool
}

func (p *printer) unsupported(what string, pos int, hint string) {
	if p.err == nil {
		p.err = &dialect.UnsupportedError{Construct: what, Pos: pos, Hint: hint}
	}
}

// elsewhere refuses what the gate does in the shard's place.
func (p *printer) elsewhere(what string) out {
	p.unsupported(what, -1, "PostgreSQL means another thing by it, and here the gate can't do it in its place")
	return out{"NULL", kNull}
}

// Stmt implements [dialect.Printer].
func (pr Printer) Stmt(s sqlast.Stmt) (dialect.Text, error) {
	p := &printer{constant: pr.constant}
	var text string
	switch s := s.(type) {
	case sqlast.Query:
		text, _ = p.query(s)
	case *sqlast.Insert:
		text = p.insert(s)
	case *sqlast.Update:
		text = p.update(s)
	case *sqlast.Delete:
		text = p.delete(s)
	case *sqlast.Truncate:
		text = "DELETE FROM " + ident(tableName(s.Table))
	case *sqlast.Do:
		items := make([]sqlast.SelectItem, len(s.Exprs))
		for i, e := range s.Exprs {
			items[i].Expr = e
		}
		text, _ = p.query(&sqlast.Select{Items: items})
	default:
		p.unsupported(fmt.Sprintf("statement %T", s), -1, "it is not for a shard")
	}
	return segments(text), p.err
}

// Expr implements [dialect.Printer].
func (pr Printer) Expr(e sqlast.Expr) (string, error) {
	p := &printer{constant: pr.constant}
	s := p.value(e).s
	if p.err == nil && strings.Contains(s, slotMark) {
		return "", fmt.Errorf("dialect: a list slot in a lone expression")
	}
	return s, p.err
}

// slotMark stands around the number of a list slot while a statement is printed. No
// text that PostgreSQL takes has a NUL in it.
const slotMark = "\x00"

// segments cuts printed text at its list slots.
func segments(s string) dialect.Text {
	parts := strings.Split(s, slotMark)
	t := dialect.Text{Segments: []string{parts[0]}}
	for i := 1; i+1 < len(parts); i += 2 {
		n, _ := strconv.Atoi(parts[i])
		t.Lists, t.Segments = append(t.Lists, n), append(t.Segments, parts[i+1])
	}
	return t
}

// ident prints a name, always quoted: a bare one might be a keyword, and would be in
// lower case.
func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func idents(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = ident(n)
	}
	return strings.Join(quoted, ", ")
}

// str prints a text literal.
func (p *printer) str(s string) string {
	if strings.Contains(s, "\x00") {
		p.unsupported("text with a NUL byte in it", -1, "PostgreSQL keeps none")
		return "''"
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// Literal implements [dialect.Printer]. What text stands for its place says, as that of a
// parameter.
func (Printer) Literal(v any) (string, error) {
	p := &printer{}
	switch v := v.(type) {
	case int64:
		return "'" + strconv.FormatInt(v, 10) + "'::bigint", nil
	case float64:
		switch {
		case math.IsNaN(v): // as SQLite binds it
			return "NULL", nil
		case math.IsInf(v, 0):
			return map[bool]string{true: "'Infinity'", false: "'-Infinity'"}[v > 0] + "::double precision", nil
		}
		return "'" + strconv.FormatFloat(v, 'e', -1, 64) + "'::double precision", nil
	case string:
		text := p.str(v)
		if !utf8.ValidString(v) {
			p.unsupported("text that isn't UTF-8", -1, "keep it as a BLOB")
		}
		return text, p.err
	case []byte:
		return bytes(string(v)), nil
	}
	return "NULL", nil
}

// tableName is a table's own name, however the statement spells it.
func tableName(t *sqlast.TableRef) string {
	if t.Table != nil {
		return t.Table.Name
	}
	return t.Name
}

// kindOf is the kind of a column of type t.
func kindOf(t *sqlast.Type) (kind, bool) {
	switch {
	case t.Class == sqlast.ClassInt:
		return kInt, true
	case t.Keyed(), t.Class == sqlast.ClassBlob:
		return kBytes, true
	case t.Class == sqlast.ClassDecimal:
		return kNumber, true
	case t.Class == sqlast.ClassDouble:
		return kDouble, true
	case t.Class == sqlast.ClassText, t.Class == sqlast.ClassJSON, t.Class.Temporal():
		return kText, true
	}
	return kNull, false
}

// typeName is the type of a kind.
var typeName = map[kind]string{kInt: "bigint", kNumber: "numeric", kDouble: "double precision", kText: "text", kBytes: "bytea"}

// lifted makes a parameter of text of the gate's engine.
func (p *printer) lifted(text string) (string, bool) {
	if p.constant == nil || !sqlite.Constant(text) {
		return "", false
	}
	return strconv.Itoa(p.constant(text)), true
}

// constant says whether an expression names nothing but literals and parameters.
func constant(e sqlast.Expr) bool {
	ok := true
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		switch x := x.(type) {
		case *sqlast.Col, *sqlast.Agg, *sqlast.Window, *sqlast.Subquery, *sqlast.Values, *sqlast.Default, *sqlast.Raw,
			*sqlast.Touched, *sqlast.Checked, *sqlast.Members, *dialect.ListSlot, *sqlast.SysVar, *sqlast.UserVar:
			ok = false
		case *sqlast.In:
			ok = ok && x.Sub == nil
		}
		return ok
	})
	return ok
}

// atom says whether e is a literal or an argument as it stands.
func atom(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Lit, *sqlast.Param:
		return true
	case *sqlast.Unary:
		l, ok := e.X.(*sqlast.Lit)
		return ok && e.Op == sqlast.OpNeg && l.Kind <= sqlast.LitFloat
	}
	return false
}
