package sqlite

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// Printer prints for SQLite. Its zero value prints for the engine of
// internal/sqlite, which has the functions of ours.
type Printer struct {
	// Plain is set for an engine that has SQLite's own functions alone: what needs
	// others, or is beyond a limit, is a [dialect.UnsupportedError].
	Plain *Limits
	// constant gives the parameter, from 1 on, that has the value of an expression
	// over parameters which such an engine can't compute; nil: that is refused too.
	constant func(sql string) int
}

// Lifting implements [dialect.Printer].
func (pr Printer) Lifting(constant func(sql string) int) dialect.Printer {
	pr.constant = constant
	return pr
}

// RowID implements [dialect.Printer].
func (Printer) RowID(*sqlast.TableDef) string { return "rowid" }

// Has implements [dialect.Printer]: the column has its collation.
func (Printer) Has(c *sqlast.ColumnDef, n int) string {
	return `"` + strings.ReplaceAll(c.Name, `"`, `""`) + `" = ?` + strconv.Itoa(n)
}

// Limits bound what an engine takes; 0 is no limit.
type Limits struct {
	Bytes   int // of a statement's text
	Columns int // of a table, a result, a SET list or GROUP BY
	Terms   int // of UNION, INTERSECT and EXCEPT
	Depth   int // of an expression
}

var _ dialect.Printer = Printer{}

// printer is the state of printing one statement.
type printer struct {
	buf   []byte
	start int // where the current segment begins in buf
	segs  []string
	lists []int
	err   error

	// subst maps a column of target to the text of what it was assigned to:
	// MySQL assigns from left to right, SQLite all at once.
	subst  map[string]string
	target *sqlast.TableRef

	// outer: what is printed may stand on the NULL side of an outer join.
	outer bool

	// distinct lists the members of set operations that tell rows apart, by the
	// collations of their items.
	distinct []*sqlast.Select

	// unchecked: what is printed asks for the values alone, also of rows that the
	// statement isn't about.
	unchecked bool

	// plain: the engine hasn't our functions.
	plain bool

	// approx: what is printed is computed with DOUBLEs by MySQL as well.
	approx bool

	// raw: the quotient that is printed next keeps all its digits.
	raw bool
}

var pool = sync.Pool{New: func() any { return &printer{buf: make([]byte, 0, 512)} }}

func get() *printer { return pool.Get().(*printer) }

func (p *printer) put() {
	if cap(p.buf) <= 64<<10 {
		*p = printer{buf: p.buf[:0]}
		pool.Put(p)
	}
}

// text hands out what was printed.
func (p *printer) text() (dialect.Text, error) {
	if p.err != nil {
		return dialect.Text{}, p.err
	}
	last := string(p.buf[p.start:])
	if p.segs == nil {
		return dialect.Text{Segments: []string{last}}, nil
	}
	return dialect.Text{Segments: append(p.segs, last), Lists: p.lists}, nil
}

// Stmt prints a query, INSERT, UPDATE or DELETE; Truncate as DELETE.
func (pr Printer) Stmt(s sqlast.Stmt) (dialect.Text, error) {
	p := get()
	defer p.put()
	p.plain = pr.Plain != nil
	if pr.Plain != nil {
		if err := pr.Plain.shape(s); err != nil {
			return dialect.Text{}, err
		}
	}
	switch s := s.(type) {
	case sqlast.Query:
		p.query(s)
	case *sqlast.Insert:
		p.insert(s)
	case *sqlast.Update:
		p.update(s)
	case *sqlast.Delete:
		p.delete(s)
	case *sqlast.Truncate:
		p.s("DELETE FROM ")
		p.ident(s.Table.Name)
	case *sqlast.Do:
		p.s("SELECT ")
		p.exprs(s.Exprs)
	default:
		p.unsupported(fmt.Sprintf("statement %T", s), -1, "it is not for a shard")
	}
	text, err := p.text()
	if err == nil && pr.Plain != nil {
		text, err = pr.Plain.without(text, pr.constant)
	}
	return text, err
}

// Expr prints a lone expression. The value of a DECIMAL of many digits may be text.
func (pr Printer) Expr(e sqlast.Expr) (string, error) {
	p := get()
	defer p.put()
	p.plain = pr.Plain != nil
	if !p.result(e) {
		p.expr(e, 0)
	}
	t, err := p.text()
	if err == nil && pr.Plain != nil {
		t, err = pr.Plain.without(t, pr.constant)
	}
	if err != nil {
		return "", err
	}
	s, ok := t.Static()
	if !ok {
		return "", fmt.Errorf("dialect: list slot %d in a lone expression", t.Lists[0])
	}
	return s, nil
}

func (p *printer) s(s string) { p.buf = append(p.buf, s...) }
func (p *printer) c(c byte)   { p.buf = append(p.buf, c) }
func (p *printer) int(n int)  { p.buf = strconv.AppendInt(p.buf, int64(n), 10) }

func (p *printer) unsupported(what string, pos int, hint string) {
	if p.err == nil {
		p.err = &dialect.UnsupportedError{Construct: what, Pos: pos, Hint: hint}
	}
}

// ident prints a name, always quoted: a bare one might be a keyword.
func (p *printer) ident(name string) {
	p.c('"')
	for i := 0; i < len(name); i++ {
		if name[i] == '"' {
			p.c('"')
		}
		p.c(name[i])
	}
	p.c('"')
}

func (p *printer) idents(names []string) {
	for i, n := range names {
		if i > 0 {
			p.s(", ")
		}
		p.ident(n)
	}
}

// Literal implements [dialect.Printer].
func (Printer) Literal(v any) (string, error) {
	p := &printer{}
	switch v := v.(type) {
	case int64:
		if v == math.MinInt64 { // its digits alone would be read as a float
			return "(-9223372036854775807 - 1)", nil
		}
		return strconv.FormatInt(v, 10), nil
	case float64:
		switch {
		case math.IsNaN(v):
			return "NULL", nil
		case math.IsInf(v, 1):
			return "9e999", nil
		case math.IsInf(v, -1):
			return "-9e999", nil
		}
		return strconv.FormatFloat(v, 'e', -1, 64), nil
	case string:
		p.str(v)
	case []byte:
		p.blob(string(v))
	default:
		return "NULL", nil
	}
	return string(p.buf), p.err
}

// str prints a text literal. SQLite ends one at a NUL byte.
func (p *printer) str(s string) {
	if strings.IndexByte(s, 0) >= 0 {
		p.s("CAST(")
		p.blob(s)
		p.s(" AS TEXT)")
		return
	}
	p.c('\'')
	for i := 0; i < len(s); i++ {
		if s[i] == '\'' {
			p.c('\'')
		}
		p.c(s[i])
	}
	p.c('\'')
}

func (p *printer) blob(s string) {
	const digits = "0123456789ABCDEF"
	p.s("X'")
	for i := 0; i < len(s); i++ {
		p.c(digits[s[i]>>4])
		p.c(digits[s[i]&15])
	}
	p.c('\'')
}

// slot ends the segment where a list's members go.
func (p *printer) slot(n int) {
	p.segs = append(p.segs, string(p.buf[p.start:]))
	p.start = len(p.buf)
	p.lists = append(p.lists, n)
}

// capture gives the text of what f prints, and takes it back. List slots can't
// stand in it.
func (p *printer) capture(f func()) string {
	at, lists := len(p.buf), len(p.lists)
	f()
	if len(p.lists) != lists {
		p.unsupported("a list of values that must be printed twice", -1, "")
		p.buf = p.buf[:max(p.start, at)]
		return ""
	}
	s := string(p.buf[at:])
	p.buf = p.buf[:at]
	return s
}
