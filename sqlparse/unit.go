package sqlparse

import (
	"slices"
	"sort"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/vitessdo/vitessdo/sqlast"
)

// unit is a piece of the text as TiDB's parser gets it, and the way back to the
// text as given.
type unit struct {
	text string
	// segs map offsets in text to the source, in order; params are in order of
	// their offset in text.
	segs   []seg
	params []paramAt
}

// seg says that from offset at on, text is the source from offset src on.
type seg struct{ at, src int }

// source maps an offset in the unit's text back.
func (u *unit) source(at int) int {
	i := sort.Search(len(u.segs), func(i int) bool { return u.segs[i].at > at }) - 1
	if i < 0 {
		if len(u.segs) > 0 {
			return u.segs[0].src
		}
		return 0
	}
	src := u.segs[i].src + at - u.segs[i].at
	if i+1 < len(u.segs) {
		src = min(src, u.segs[i+1].src)
	}
	return src
}

// argument gives the argument index of the ? at offset at.
func (u *unit) argument(at int) int {
	i, ok := slices.BinarySearchFunc(u.params, at, func(p paramAt, at int) int { return p.offset - at })
	if !ok {
		return -1
	}
	return u.params[i].arg
}

// unit makes the unit for bytes lo to hi of the text, behind a prefix. An edit
// that reaches out of the range doesn't count: it is the one that cut the range
// out of its surroundings.
func (s *scan) unit(prefix string, lo, hi int) *unit {
	u := &unit{segs: make([]seg, 0, 1+len(s.edits))}
	if len(s.edits) == 0 && prefix == "" {
		u.text = s.text[lo:hi]
		u.segs = append(u.segs, seg{0, lo})
		u.addParams(s, lo, hi, 0)
		return u
	}
	var b strings.Builder
	b.WriteString(prefix)
	pos := lo
	keep := func(end int) {
		u.segs = append(u.segs, seg{b.Len(), pos})
		u.addParams(s, pos, end, b.Len())
		b.WriteString(s.text[pos:end])
	}
	for _, e := range s.edits {
		if e.start < pos || e.end > hi {
			continue
		}
		keep(e.start)
		if e.with == "?" {
			u.addParams(s, e.start, e.end, b.Len())
		}
		b.WriteString(e.with)
		pos = e.end
	}
	keep(hi)
	u.text = b.String()
	return u
}

// addParams notes the parameters in bytes lo to hi of the source, which stand
// from offset at on in the unit.
func (u *unit) addParams(s *scan, lo, hi, at int) {
	i := sort.Search(len(s.args), func(i int) bool { return s.args[i].offset >= lo })
	for ; i < len(s.args) && s.args[i].offset < hi; i++ {
		u.params = append(u.params, paramAt{at + s.args[i].offset - lo, s.args[i].arg})
	}
}

// parse has TiDB parse the unit.
func (s *scan) parse(u *unit) ast.StmtNode {
	stmt, p, err := tidbParse(u.text, s.opts)
	s.parsers = append(s.parsers, p)
	if err != nil {
		off, msg := position(u.text, err.Error())
		panic(errorAt(s.text, u.source(off), msg))
	}
	return stmt
}

// items parses bytes lo to hi as a select list.
func (s *scan) items(lo, hi int) []sqlast.SelectItem {
	u := s.unit("SELECT ", lo, hi)
	sel, ok := s.parse(u).(*ast.SelectStmt)
	if !ok || sel.From != nil || sel.Where != nil || sel.OrderBy != nil || sel.Limit != nil || sel.Fields == nil ||
		sel.GroupBy != nil || sel.Having != nil || sel.Distinct || sel.LockInfo != nil || sel.SelectIntoOpt != nil {
		panic(errorAt(s.text, lo, "a list of expressions was expected"))
	}
	return (&conv{scan: s, unit: u}).items(sel.Fields)
}

// expr parses bytes lo to hi as one expression.
func (s *scan) expr(lo, hi int) sqlast.Expr {
	items := s.items(lo, hi)
	if len(items) != 1 || items[0].Star || items[0].Alias != "" {
		panic(errorAt(s.text, lo, "one expression was expected"))
	}
	return items[0].Expr
}

// bytes gives the offsets of the first and behind the last of tokens lo to hi.
func (s *scan) bytes(lo, hi int) (int, int) {
	if lo >= hi {
		at := s.start(lo)
		return at, at
	}
	return int(s.toks[lo].start), int(s.toks[hi-1].end)
}

// tidb parses tokens lo to hi with TiDB's parser.
func (s *scan) tidb(lo, hi int) sqlast.Stmt {
	c := &conv{scan: s}
	from, to := s.bytes(lo, hi)
	returning := -1
	switch s.upper(lo) {
	case "INSERT", "REPLACE":
		if returning = s.returning(lo, hi); returning > 0 {
			s.rowAlias(c, lo, returning)
		} else {
			s.rowAlias(c, lo, hi)
		}
	case "UPDATE", "DELETE", "WITH":
		returning = s.returning(lo, hi)
	case "CREATE", "ALTER":
		s.ddl(lo, hi)
		if at, check := s.checkOption(); check != "" {
			s.replace(int(s.toks[at].start), s.end(), "")
		}
	}
	if returning > 0 {
		s.replace(int(s.toks[returning].start), to, "")
	}
	slices.SortStableFunc(s.edits, func(a, b edit) int { return a.start - b.start })
	c.unit = s.unit("", from, to)
	stmt := c.stmt(s.parse(c.unit))
	if returning > 0 {
		c.returning(stmt, s.items(int(s.toks[returning].end), to), returning)
	}
	return stmt
}

// wantsOperand holds the words behind which RETURNING is a name.
var wantsOperand = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`SELECT FROM SET AS INTO WHERE AND OR NOT BY ON IN LIKE BETWEEN DISTINCT UPDATE JOIN HAVING
		WHEN THEN ELSE CASE DELETE INSERT REPLACE TABLE IGNORE DIV MOD XOR IS`) {
		wantsOperand[w] = true
	}
}

// returning finds the RETURNING clause of a DML statement, or -1.
func (s *scan) returning(lo, hi int) int {
	depth := 0
	for i := lo; i < hi; i++ {
		switch {
		case s.is(i, "("):
			depth++
		case s.is(i, ")"):
			depth--
		case depth == 0 && s.kw(i, "RETURNING") && i+1 < hi && i > lo:
			before, after := s.toks[i-1], s.toks[i+1]
			glued := before.kind == tokOp && before.op != ')' && before.op != '*' || wantsOperand[s.upper(i-1)]
			if !glued && (after.kind != tokOp || after.op == '(' || after.op == '*' || after.op == '-' || after.op == '+') {
				return i
			}
		}
	}
	return -1
}

// returning puts the RETURNING list where it belongs.
func (c *conv) returning(stmt sqlast.Stmt, items []sqlast.SelectItem, at int) {
	switch x := stmt.(type) {
	case *sqlast.Insert:
		x.Returning = items
	case *sqlast.Update:
		x.Returning = items
	case *sqlast.Delete:
		x.Returning = items
	default:
		c.scan.fail(at, "RETURNING belongs behind INSERT, REPLACE, UPDATE or DELETE")
	}
}

// rowAlias cuts out the row alias of INSERT … VALUES … AS new [(a, b)].
func (s *scan) rowAlias(c *conv, lo, hi int) {
	depth, values := 0, false
	for i := lo; i < hi; i++ {
		switch {
		case s.is(i, "("):
			depth++
		case s.is(i, ")"):
			depth--
		case depth != 0:
		case s.kw(i, "SELECT"), s.kw(i, "WITH"), s.kw(i, "ON"):
			return
		case s.kw(i, "VALUES"), s.kw(i, "VALUE"), s.kw(i, "SET"):
			values = true
		case values && s.kw(i, "AS") && i+1 < hi && s.isName(i+1):
			end := i + 1
			if cols, at := s.nameList(i + 2); at > 0 {
				c.colAliases, end = cols, at
			}
			c.rowAlias = s.name(i + 1)
			s.replace(int(s.toks[i].start), int(s.toks[end].end), "")
			return
		}
	}
}
