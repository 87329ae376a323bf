package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wasilibs/go-pgquery/parser"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

func init() {
	vitessdo.RegisterDialect("postgres", vitessdo.Dialect{
		Parse: Parse, Split: Split, Lists: &vitessdo.Lists{Parse: parseLists, Members: members}, Booleans: true, TypeName: typeName, SQLState: sqlState,
	})
}

// Parse reads exactly one statement. Its errors are *[sqlast.SyntaxError]. It gives nil
// without an error for statements that are vitessdo's own in every dialect.
func Parse(text string) (*sqlast.Statement, error) {
	if own(text) {
		return nil, nil
	}
	return parseLists(text, nil)
}

// parseLists is Parse for lists of these lengths as arguments, -1 for NULL; for nil a
// statement with lists is right in its parameters and columns only.
func parseLists(text string, lengths []int) (st *sqlast.Statement, err error) {
	if strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
		return nil, sqlast.ErrorAt(text, 0, "the text is not valid UTF-8, or holds a zero byte")
	}
	stmts, err := parse(text)
	if err != nil {
		return nil, err
	}
	if len(stmts) > 1 {
		return nil, sqlast.ErrorAt(text, stmts[1].start, "one statement was expected, here is a second one: multi_statements=true in the DSN allows several")
	}
	st = &sqlast.Statement{Text: strings.Trim(strings.TrimSpace(text), ";"), Directives: front.Directives(text), Stmt: &sqlast.Empty{}}
	if len(stmts) == 0 {
		return st, nil
	}
	c := &conv{text: text, root: stmts[0].node, used: map[int]bool{}, lengths: lengths}
	if lengths != nil {
		c.given = mostParam(stmts[0].node)
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *sqlast.SyntaxError:
			st, err = nil, r
		default:
			st, err = nil, sqlast.ErrorAt(text, 0, fmt.Sprintf("the statement can't be read: %v", r))
		}
	}()
	st.Stmt = c.statement(stmts[0].tree)
	st.Params, st.Repeats, st.Lists, st.Steps = c.params, c.repeats, c.lists, c.steps
	sqlast.Direct(st.Stmt, st.Directives)
	return st, nil
}

// mostParam is the highest number of a parameter in a tree.
func mostParam(v any) (most int) {
	switch v := v.(type) {
	case node:
		return mostParam(map[string]any(v))
	case map[string]any:
		for kind, inner := range v {
			if m, ok := inner.(map[string]any); ok && kind == "ParamRef" {
				most = max(most, node(m).num("number"))
			}
			most = max(most, mostParam(inner))
		}
	case []any:
		for _, inner := range v {
			most = max(most, mostParam(inner))
		}
	}
	return most
}

// Split cuts a script into its statements.
func Split(text string) ([]string, error) {
	stmts, err := parse(text)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range stmts {
		out = append(out, strings.TrimSpace(text[s.start:s.end]))
	}
	return out, nil
}

// raw is a statement of a text, from byte start to end.
type raw struct {
	tree
	start, end int
}

// parse has PostgreSQL's parser read a text.
func parse(text string) ([]raw, error) {
	out, err := toJSON(text)
	if err != nil {
		var e *parser.Error
		var own *sqlast.SyntaxError
		if errors.As(err, &own) {
			return nil, own
		}
		if errors.As(err, &e) {
			return nil, sqlast.ErrorAt(text, cursor(text, e.Cursorpos), reason(e.Message))
		}
		return nil, sqlast.ErrorAt(text, 0, err.Error())
	}
	var result struct {
		Stmts []struct {
			Stmt map[string]any `json:"stmt"`
			At   int            `json:"stmt_location"`
			Len  int            `json:"stmt_len"`
		} `json:"stmts"`
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		return nil, sqlast.ErrorAt(text, 0, "the statement is nested too deeply")
	}
	var list []raw
	for _, s := range result.Stmts {
		r := raw{unwrap(s.Stmt), s.At, s.At + s.Len}
		if s.Len == 0 {
			r.end = len(text)
		}
		list = append(list, r)
	}
	return list, nil
}

// cursor is the byte offset of the parser's position, which counts from 1.
func cursor(text string, pos int) int {
	if pos <= 0 {
		return len(text)
	}
	return min(pos-1, len(text))
}

// reason is the parser's message without what the error tells anyhow.
func reason(msg string) string {
	msg = strings.TrimPrefix(msg, "syntax error ")
	if strings.HasPrefix(msg, "at or near ") || msg == "at end of input" {
		return ""
	}
	return msg
}

// ownWords begin statements that are vitessdo's own in every dialect.
var ownWords = [][]string{
	{"VEXPLAIN"}, {"USE"}, {"ALTER", "VSCHEMA"}, {"SHOW", "VSCHEMA"}, {"SHOW", "VITESS_SHARDS"}, {"SHOW", "VITESS_TABLETS"},
	{"SHOW", "TABLES"}, {"SHOW", "FULL"}, {"SHOW", "COLUMNS"}, {"SHOW", "CREATE"}, {"SHOW", "DATABASES"}, {"SHOW", "INDEX"},
	{"SHOW", "WARNINGS"}, {"SHOW", "ERRORS"}, {"SHOW", "STATUS"}, {"SHOW", "VARIABLES"}, {"SHOW", "UNRESOLVED"},
	{"SHOW", "TRANSACTION", "STATUS"}, {"SHOW", "PROCESSLIST"}, {"DESCRIBE"}, {"DESC"},
}

// own says whether a text begins as a statement that isn't PostgreSQL's.
func own(text string) bool {
	words := strings.Fields(strings.ToUpper(strings.TrimRight(strings.TrimSpace(text[:min(len(text), 80)]), "; ")))
	return slices.ContainsFunc(ownWords, func(w []string) bool {
		return len(words) >= len(w) && slices.Equal(words[:len(w)], w)
	})
}
