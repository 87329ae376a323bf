package sqlparse

import (
	"fmt"
	"strings"
	"sync"

	tidb "github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/mysql"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Options are the bits of sql_mode that change what a text means.
type Options struct {
	AnsiQuotes         bool // "x" is a name, not a string
	PipesAsConcat      bool // a || b concatenates
	NoBackslashEscapes bool // \ is an ordinary character in strings
	NoAutoValueOnZero  bool // 0 is a value for an AUTO_INCREMENT column, as any other
}

// Parse reads exactly one statement; a trailing semicolon is fine. A text of
// white space and comments only is a [sqlast.Empty]. Errors are *[SyntaxError],
// except when the program is linked in a way that breaks the parser.
func Parse(text string, o Options) (st *Statement, err error) {
	return ParseNormalized(text, o, nil)
}

// ParseNormalized is Parse for a text that [Normalize] made: its parameters get
// the types of the literals in whose place they stand: of int64, float64 and
// string; nil says nothing of one.
func ParseNormalized(text string, o Options, lits []any) (st *Statement, err error) {
	if err := probe(); err != nil {
		return nil, err
	}
	defer catch(text, &err)
	s, serr := newScan(text, o)
	if serr != nil {
		return nil, serr
	}
	defer s.release()
	s.lits = lits
	lo, hi := 0, len(s.toks)
	for lo < hi && s.is(lo, ";") {
		lo++
	}
	for hi > lo && s.is(hi-1, ";") {
		hi--
	}
	for i := lo; i < hi; i++ {
		if s.is(i, ";") {
			s.refuseKnown(lo, i) // a trigger's body holds semicolons of its own
			return nil, errorAt(text, int(s.toks[i].start), "one statement was expected, here is a second one: "+
				"multi_statements=true in the DSN allows several")
		}
	}
	st = &Statement{Text: s.trimmed(lo, hi), Params: len(s.names), Directives: s.directives}
	if s.named {
		st.ParamNames = s.names
	}
	if lo == hi {
		st.Stmt = &sqlast.Empty{}
		return st, nil
	}
	st.Stmt = s.statement(lo, hi)
	st.Into = s.into
	sqlast.Direct(st.Stmt, s.directives)
	return st, nil
}

// Split cuts a script at its top-level semicolons and drops empty statements.
// Semicolons in strings, quoted names and comments don't count. DELIMITER is
// not understood.
func Split(text string, o Options) ([]string, error) {
	l := lexer{text: text, opts: o}
	if err := l.run(); err != nil {
		return nil, err
	}
	var out []string
	lo, from := 0, 0
	cut := func(i, end int) {
		if i > lo {
			out = append(out, strings.TrimSpace(text[from:end]))
		}
	}
	for i, t := range l.toks {
		if t.kind == tokOp && t.op == ';' {
			cut(i, int(t.start))
			lo, from = i+1, int(t.end)
		}
	}
	cut(len(l.toks), len(text))
	return out, nil
}

// catch turns the panics by which the converter gives up, and any of the
// parser's own, into an error.
func catch(text string, err *error) {
	switch r := recover().(type) {
	case nil:
	case *SyntaxError:
		*err = r
	default:
		*err = errorAt(text, 0, fmt.Sprintf("the parser failed: %v", r))
	}
}

// trimmed gives the text around tokens lo to hi, comments included.
func (s *scan) trimmed(lo, hi int) string {
	from, to := 0, len(s.text)
	if lo > 0 {
		from = int(s.toks[lo-1].end)
	}
	if hi < len(s.toks) {
		to = int(s.toks[hi].start)
	}
	return strings.TrimSpace(s.text[from:to])
}

// parsers holds parsers at rest; one can serve one goroutine at a time.
var parsers = sync.Pool{New: func() any { return tidb.New() }}

// keepBelow is the length of text up to which a parser goes back to the pool: a
// parser keeps its last tree alive, and a tree is some 50 times its text.
const keepBelow = 64 << 10

// tidbParse parses one statement. The parser goes back to the pool when the tree
// has been read: its next parse writes to nodes of this one.
func tidbParse(text string, o Options) (ast.StmtNode, *tidb.Parser, error) {
	p := parsers.Get().(*tidb.Parser)
	var mode mysql.SQLMode
	if o.AnsiQuotes {
		mode |= mysql.ModeANSIQuotes
	}
	if o.PipesAsConcat {
		mode |= mysql.ModePipesAsConcat
	}
	if o.NoBackslashEscapes {
		mode |= mysql.ModeNoBackslashEscapes
	}
	p.SetSQLMode(mode)
	// A panic leaves the parser out of the pool, as it should.
	stmt, err := p.ParseOneStmt(text, "", "")
	return stmt, p, err
}

// release lets others have the parsers whose trees have been read.
func (s *scan) release() {
	if len(s.text) < keepBelow {
		for _, p := range s.parsers {
			parsers.Put(p)
		}
	}
	s.parsers = nil
}
