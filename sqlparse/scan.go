package sqlparse

import (
	"slices"
	"strconv"
	"strings"

	tidb "github.com/pingcap/tidb/pkg/parser"

	"github.com/vitessdo/vitessdo/sqlast"
)

// scan is a text with its tokens, and what the pre-scan found in them.
type scan struct {
	lexer
	// names holds the arguments' names in order, "" for positional ones.
	names      []string
	named      bool
	directives sqlast.Directives
	// edits are what TiDB's parser must see instead, ordered by start.
	edits []edit
	// lists are column lists of derived tables, exprs the DEFAULT expressions
	// that were cut out; placeholders in the edited text hold their index.
	lists [][]string
	exprs []span
	// json are the JSON_TABLEs that were cut down.
	json []jsonTable
	// args holds the argument index of each parameter token, in order.
	args []paramAt
	// lits are the literals that the parameters stand for, if any.
	lits []any
	// into names the variables of SELECT … INTO.
	into []string
	// parsers are those whose trees are being read.
	parsers []*tidb.Parser
}

// span is a range of bytes.
type span struct{ start, end int }

// edit replaces a range of the text.
type edit struct {
	span
	with string
}

// paramAt is a parameter in the text.
type paramAt struct{ offset, arg int }

// maxParams is the largest argument number of $n; MySQL's own limit.
const maxParams = 65535

func newScan(text string, o Options) (*scan, *SyntaxError) {
	s := &scan{lexer: lexer{text: text, opts: o}}
	s.toks = make([]token, 0, len(text)/5+4)
	if err := s.run(); err != nil {
		return nil, err
	}
	if err := s.params(); err != nil {
		return nil, err
	}
	s.readDirectives()
	for _, c := range s.foreign {
		s.replace(c.start, c.end, " ")
	}
	s.hints()
	s.derivedLists()
	s.jsonTables()
	slices.SortStableFunc(s.edits, func(a, b edit) int { return a.start - b.start })
	return s, nil
}

// params numbers the parameters by source order.
func (s *scan) params() *SyntaxError {
	numbered := false
	for i := range s.toks {
		t := &s.toks[i]
		if t.kind < tokParam || t.kind > tokNumParm {
			continue
		}
		arg := len(s.names)
		word := s.word(i)
		if numbered != (t.kind == tokNumParm) && len(s.args) > 0 {
			return errorAt(s.text, int(t.start), "numbered parameters ($1) can't be mixed with others")
		}
		switch t.kind {
		case tokParam:
			s.names = append(s.names, "")
		case tokNamed:
			s.named = true
			if at := slices.Index(s.names, word[1:]); at >= 0 {
				arg = at
			} else {
				s.names = append(s.names, word[1:])
			}
			s.replace(int(t.start), int(t.end), "?")
		case tokNumParm:
			numbered = true
			n, err := strconv.Atoi(word[1:])
			if err != nil || n < 1 || n > maxParams {
				return errorAt(s.text, int(t.start), "a parameter's number must be from 1 to "+strconv.Itoa(maxParams))
			}
			arg = n - 1
			for len(s.names) < n {
				s.names = append(s.names, "")
			}
			s.replace(int(t.start), int(t.end), "?")
		}
		s.args = append(s.args, paramAt{int(t.start), arg})
	}
	return nil
}

// readDirectives reads the /*vt+ K=V … */ comments.
func (s *scan) readDirectives() {
	for _, c := range s.lexer.directives {
		for _, f := range strings.Fields(s.text[c.start:c.end]) {
			k, v, _ := strings.Cut(f, "=")
			if k == "" {
				continue
			}
			if s.directives == nil {
				s.directives = sqlast.Directives{}
			}
			s.directives[strings.ToUpper(k)] = strings.Trim(v, `"'`)
		}
	}
}

// hints cuts out USE|IGNORE|FORCE VINDEX (…): a hint changes no result. It also
// quotes the names that are reserved words to TiDB only.
func (s *scan) hints() {
	for i := range s.toks {
		castArray := i > 0 && s.is(i+1, ")") && (s.is(i-1, ")") || s.toks[i-1].kind == tokWord)
		if t := s.toks[i]; t.kind == tokWord && (s.kw(i, "ILIKE") || s.kw(i, "ARRAY") && !castArray || s.kw(i, "TABLESAMPLE")) {
			s.replace(int(t.start), int(t.end), "`"+s.word(i)+"`")
		}
		if i == 0 {
			continue
		}
		if s.kw(i, "VINDEX") && s.is(i+1, "(") && (s.kw(i-1, "USE") || s.kw(i-1, "IGNORE") || s.kw(i-1, "FORCE")) {
			if end := s.closing(i + 1); end > 0 {
				s.replace(int(s.toks[i-1].start), int(s.toks[end].end), "")
			}
		}
	}
}

// listMark starts the alias of a derived table whose column list was cut out.
const listMark = "\x01"

// derivedLists cuts out the column lists of (SELECT …) [AS] t (a, b) and puts
// their index into the alias.
func (s *scan) derivedLists() {
	var open []int
	for i := range s.toks {
		switch {
		case s.is(i, "("):
			open = append(open, i)
		case s.is(i, ")") && len(open) > 0:
			at := open[len(open)-1]
			open = open[:len(open)-1]
			if s.isQuery(at + 1) {
				s.derivedList(i + 1)
			}
		}
	}
}

// isQuery says whether a query begins at token i.
func (s *scan) isQuery(i int) bool {
	return s.kw(i, "SELECT") || s.kw(i, "WITH") || s.kw(i, "VALUES") || s.kw(i, "TABLE") || s.is(i, "(")
}

// notAlias holds the words that may follow a bracketed query and stand before a
// bracket, but are no alias.
var notAlias = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`AND OR XOR IN IS NOT LIKE ILIKE REGEXP RLIKE BETWEEN DIV MOD ON USING WHERE
		GROUP ORDER HAVING LIMIT OFFSET FETCH UNION EXCEPT INTERSECT JOIN LEFT RIGHT INNER CROSS NATURAL FULL STRAIGHT_JOIN
		SET VALUES VALUE ROW THEN WHEN ELSE END CASE AS ASC DESC COLLATE MEMBER SOUNDS WINDOW FOR LOCK FORCE USE IGNORE
		PARTITION OVER SELECT SEPARATOR RETURNING INTO FROM INTERVAL KEY INDEX UNIQUE CHECK WITH LATERAL`) {
		notAlias[w] = true
	}
}

// derivedList looks for "[AS] t (a, b)" at token i.
func (s *scan) derivedList(i int) {
	as := s.kw(i, "AS")
	if as {
		i++
	}
	if !s.isName(i) || !s.is(i+1, "(") || s.toks[i].kind == tokWord && notAlias[s.upper(i)] {
		return
	}
	cols, end := s.nameList(i + 1)
	if end < 0 || as && s.kw(end+1, "ON") && s.kw(end+2, "DUPLICATE") {
		return
	}
	alias := "`" + listMark + strconv.Itoa(len(s.lists)) + listMark + strings.ReplaceAll(s.name(i), "`", "``") + "`"
	s.lists = append(s.lists, cols)
	s.replace(int(s.toks[i].start), int(s.toks[end].end), alias)
}

// nameList reads "(a, b)" at token i and gives the closing bracket's index, or
// -1.
func (s *scan) nameList(i int) ([]string, int) {
	var names []string
	if !s.is(i, "(") {
		return nil, -1
	}
	for i++; s.isName(i); i += 2 {
		names = append(names, s.name(i))
		if s.is(i+1, ")") {
			return names, i + 1
		}
		if !s.is(i+1, ",") {
			break
		}
	}
	return nil, -1
}

func (s *scan) replace(start, end int, with string) {
	s.edits = append(s.edits, edit{span{start, end}, with})
}

// word gives token i's text.
func (s *scan) word(i int) string { return s.text[s.toks[i].start:s.toks[i].end] }

// upper gives token i's text in upper case, "" if it is no bare word.
func (s *scan) upper(i int) string {
	if i >= len(s.toks) || s.toks[i].kind != tokWord {
		return ""
	}
	return strings.ToUpper(s.word(i))
}

// kw says whether token i is the bare word w, in upper case.
func (s *scan) kw(i int, w string) bool {
	return i >= 0 && i < len(s.toks) && s.toks[i].kind == tokWord && strings.EqualFold(s.word(i), w)
}

// is says whether token i is the one-byte operator op.
func (s *scan) is(i int, op string) bool {
	return i >= 0 && i < len(s.toks) && s.toks[i].kind == tokOp && s.toks[i].op == op[0]
}

// isName says whether token i may be a name.
func (s *scan) isName(i int) bool {
	return i < len(s.toks) && (s.toks[i].kind == tokWord || s.toks[i].kind == tokQuoted)
}

// name gives the name that token i is.
func (s *scan) name(i int) string {
	w := s.word(i)
	if s.toks[i].kind == tokQuoted {
		q := w[:1]
		return strings.ReplaceAll(w[1:len(w)-1], q+q, q)
	}
	return w
}

// closing gives the index of the bracket that closes the one at i, or -1.
func (s *scan) closing(i int) int {
	depth := 0
	for ; i < len(s.toks); i++ {
		switch {
		case s.is(i, "("):
			depth++
		case s.is(i, ")"):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// start gives token i's offset, the text's end behind the last token.
func (s *scan) start(i int) int {
	if i < len(s.toks) {
		return int(s.toks[i].start)
	}
	return len(s.text)
}

// fail gives up with a syntax error at token i.
func (s *scan) fail(i int, message string) { panic(errorAt(s.text, s.start(i), message)) }

// refuse gives up because of a construct that we don't run.
func (s *scan) refuse(i int, what string) { panic(unsupportedAt(s.text, s.start(i), what)) }

// tokenAt gives the index of the token that starts at byte offset off, or -1.
func (s *scan) tokenAt(off int) int {
	i, ok := slices.BinarySearchFunc(s.toks, off, func(t token, off int) int { return int(t.start) - off })
	if !ok {
		return -1
	}
	return i
}

// unquote gives the value of the string token i.
func (s *scan) unquote(i int) string {
	w := s.word(i)
	if w[0] != '\'' && w[0] != '"' {
		w = w[1:]
	}
	return unescape(w, !s.opts.NoBackslashEscapes)
}

// unescape gives the value of a quoted string.
func unescape(w string, escapes bool) string {
	q, body := w[0], w[1:len(w)-1]
	if strings.IndexByte(body, q) < 0 && (!escapes || strings.IndexByte(body, '\\') < 0) {
		return body
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c == q {
			i++
		} else if c == '\\' && escapes && i+1 < len(body) {
			i++
			switch c = body[i]; c {
			case '0':
				c = 0
			case 'b':
				c = '\b'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			case 'Z':
				c = 26
			case '%', '_': // kept for LIKE
				out = append(out, '\\')
			}
		}
		out = append(out, c)
	}
	return string(out)
}
