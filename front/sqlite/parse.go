package sqlite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

func init() {
	vitessdo.RegisterDialect("sqlite", vitessdo.Dialect{Parse: Parse, Split: Split, TypeName: typeName})
}

// parser walks over the tokens of one statement. It gives up by panicking with a
// *sqlast.SyntaxError, which Parse catches.
type parser struct {
	text  string
	toks  []token
	i     int
	depth int
	// names are the arguments' names in order, "" for positional ones; named is set
	// when one has a name.
	names   []string
	named   bool
	seen    map[int]bool
	repeats bool
	// excluded: ON CONFLICT's SET list is being read, where excluded is the new row.
	excluded bool
	unnamed  int
}

// Parse reads exactly one statement. Its errors are *[sqlast.SyntaxError]. It gives nil
// without an error for statements that are vitessdo's own in every dialect.
func Parse(text string) (st *sqlast.Statement, err error) {
	toks, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, toks: toks, seen: map[int]bool{}}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *sqlast.SyntaxError:
			st, err = nil, r
		default:
			st, err = nil, sqlast.ErrorAt(text, 0, fmt.Sprintf("the statement can't be read: %v", r))
		}
	}()
	for p.takeOp(";") {
	}
	if p.ours() {
		return nil, nil
	}
	st = &sqlast.Statement{Text: strings.TrimRight(strings.TrimSpace(text), "; \t\r\n"), Directives: front.Directives(text), Stmt: &sqlast.Empty{}}
	if p.peek().kind == end {
		return st, nil
	}
	st.Stmt = p.statement()
	for p.takeOp(";") {
	}
	if t := p.peek(); t.kind != end {
		if p.toks[p.i-1].text == ";" {
			p.fail(t.start, "one statement was expected, here is a second one: multi_statements=true in the DSN allows several")
		}
		p.unexpected()
	}
	st.Params, st.Repeats = len(p.names), p.repeats
	if p.named {
		st.ParamNames = p.names
	}
	sqlast.Direct(st.Stmt, st.Directives)
	return st, nil
}

// Split cuts a script at its top-level semicolons and drops empty statements.
func Split(text string) ([]string, error) {
	toks, err := lex(text)
	if err != nil {
		return nil, err
	}
	var out []string
	from, some := 0, false
	for _, t := range toks {
		if t.kind != end && (t.kind != op || t.text != ";") {
			some = true
			continue
		}
		if some {
			out = append(out, strings.TrimSpace(text[from:t.start]))
		}
		from, some = t.end, false
	}
	return out, nil
}

// ours says whether a statement begins that isn't SQLite's.
func (p *parser) ours() bool {
	switch {
	case p.isWord(0, "SHOW"), p.isWord(0, "USE"), p.isWord(0, "VEXPLAIN"), p.isWord(0, "DESCRIBE"), p.isWord(0, "SET"):
		return true
	}
	return p.isWord(0, "ALTER") && p.isWord(1, "VSCHEMA")
}

func (p *parser) peek() token { return p.toks[p.i] }

// isWord says whether the token n ahead is a bare word.
func (p *parser) isWord(n int, w string) bool {
	return p.i+n < len(p.toks) && p.toks[p.i+n].kind == word && strings.EqualFold(p.toks[p.i+n].text, w)
}

// isOp says whether the token n ahead is an operator.
func (p *parser) isOp(n int, o string) bool {
	return p.i+n < len(p.toks) && p.toks[p.i+n].kind == op && p.toks[p.i+n].text == o
}

// take steps over words that follow each other, if all are there.
func (p *parser) take(words ...string) bool {
	for n, w := range words {
		if !p.isWord(n, w) {
			return false
		}
	}
	p.i += len(words)
	return true
}

func (p *parser) takeOp(o string) bool {
	if !p.isOp(0, o) {
		return false
	}
	p.i++
	return true
}

// need steps over what must be there.
func (p *parser) need(words ...string) {
	for _, w := range words {
		if !p.take(w) {
			p.fail(p.peek().start, w+" was expected")
		}
	}
}

func (p *parser) needOp(o string) {
	if !p.takeOp(o) {
		p.fail(p.peek().start, o+" was expected")
	}
}

func (p *parser) fail(at int, message string) { panic(sqlast.ErrorAt(p.text, at, message)) }

func (p *parser) unexpected() { p.fail(p.peek().start, "") }

// refuse gives up because of a construct that isn't run.
func (p *parser) refuse(at int, what, instead string) {
	panic(sqlast.UnsupportedAt(p.text, at, what, instead))
}

// reserved are the words that are no names unless they are quoted.
var reserved = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT DEFERRABLE
		DELETE DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IF IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN LIMIT NOT
		NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION UNION UNIQUE UPDATE USING VALUES
		WHEN WHERE`) {
		reserved[w] = true
	}
}

// isName says whether the token n ahead may be a name.
func (p *parser) isName(n int) bool {
	if p.i+n >= len(p.toks) {
		return false
	}
	t := p.toks[p.i+n]
	return t.kind == quoted || t.kind == word && !reserved[strings.ToUpper(t.text)]
}

// name reads a name.
func (p *parser) name() string {
	t := p.peek()
	if !p.isName(0) && t.kind != str {
		p.fail(t.start, "a name was expected")
	}
	p.i++
	return t.text
}

// nameList reads (a, b, …).
func (p *parser) nameList() []string {
	p.needOp("(")
	var out []string
	for {
		out = append(out, p.name())
		if !p.takeOp(",") {
			break
		}
	}
	p.needOp(")")
	return out
}

// param reads a parameter.
func (p *parser) param() sqlast.Expr {
	t := p.peek()
	p.i++
	at := len(p.names)
	switch rest := t.text[1:]; {
	case t.text == "?":
		p.names = append(p.names, "")
	case t.text[0] == '?':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 1 || n > 32766 {
			p.fail(t.start, "a parameter's number must be from 1 to 32766")
		}
		at = n - 1
		for len(p.names) < n {
			p.names = append(p.names, "")
		}
	default:
		p.named = true
		if i := slices.Index(p.names, rest); i >= 0 {
			at = i
		} else {
			p.names = append(p.names, rest)
		}
	}
	p.repeats = p.repeats || p.seen[at]
	p.seen[at] = true
	return &sqlast.Param{Index: at}
}

// tableName reads [schema.]table; main is the session's own keyspace.
func (p *parser) tableName() *sqlast.TableRef {
	t := &sqlast.TableRef{Pos: p.peek().start, Name: p.name()}
	if p.takeOp(".") {
		t.Schema, t.Name = t.Name, p.name()
		switch strings.ToLower(t.Schema) {
		case "temp":
			p.refuse(t.Pos, "the schema temp", "there are no temporary tables")
		}
	}
	return t
}
