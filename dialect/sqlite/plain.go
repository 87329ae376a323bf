package sqlite

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// own are SQLite's functions that mean the same to every engine that speaks it,
// libSQL and Durable Objects among them. Not among them are upper and lower: ours
// fold all letters, theirs ASCII's; mathematics, which some are built without;
// concat_ws, which leaves out empty text up to SQLite 3.45; and what puts JSON
// together, since it looks at whether a value is JSON, of which a parameter tells
// nothing.
var own = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`abs avg char coalesce count date datetime group_concat hex ifnull iif instr
		julianday length ltrim max min nullif octet_length quote random randomblob replace round rtrim sign strftime substr sum
		time total trim typeof unicode unixepoch
		cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
		json json_each json_extract json_patch json_remove json_tree json_valid`) {
		own[name] = true
	}
}

// perRow are functions whose value isn't that of their arguments alone: they look at
// several rows, differ from row to row, or fail for the rows that they are called for.
var perRow = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`avg bit_and bit_or bit_xor bits_and bits_or bits_xor count dec_sum group_concat group_concat_distinct
		json_arrayagg json_objectagg key_sum max min stddev_pop stddev_samp sum total var_pop var_samp wide_sum
		json_each json_rows json_tree lateral_rows one_row random randomblob
		check_option divisor not_null store_binary store_blob store_char store_datetime store_decimal store_double store_int store_key store_text store_year`) {
		perRow[name] = true
	}
}

// call is a function's call in printed text.
type call struct {
	name       string
	start, end int // end is 0 where the bracket isn't closed
	constant   bool
}

// foreign gives the first outermost call in text, from byte from on, of a function
// that isn't SQLite's own. Functions are printed in lower case, with their bracket
// behind them, and keywords in capitals. REGEXP is a call too, that ends nowhere.
func foreign(text string, from int) (call, bool) {
	for i := from; i < len(text); {
		word, next := token(text, i)
		if word == "REGEXP" || function(text, word, next) && !own[word] {
			c := call{name: word, start: i}
			if word != "REGEXP" {
				c.end, c.constant = closing(text, i)
			}
			return c, true
		}
		i = next
	}
	return call{}, false
}

// token gives the word that begins at byte i of printed text, "" for anything else,
// and where the next token begins.
func token(text string, i int) (word string, next int) {
	switch c := text[i]; {
	case c == '\'' || c == '"':
		for i++; i < len(text); i++ {
			if text[i] == c {
				if i+1 == len(text) || text[i+1] != c {
					break
				}
				i++
			}
		}
		return "", min(i+1, len(text))
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_':
		next = i
		for next < len(text) && wordByte(text[next]) {
			next++
		}
		return text[i:next], next
	case c >= '0' && c <= '9' || c == '?':
		for i++; i < len(text) && wordByte(text[i]); i++ {
		}
		return "", i
	}
	return "", i + 1
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// function says whether a word that ends before byte next is a function's name.
func function(text, word string, next int) bool {
	return word != "" && (word[0] >= 'a' || word[0] == '_') && next < len(text) && text[next] == '('
}

// closing gives the end of the call that begins at byte i, and whether its value
// hangs on literals and parameters alone.
func closing(text string, i int) (end int, constant bool) {
	constant = true
	for depth := 0; i < len(text); {
		word, next := token(text, i)
		switch {
		case function(text, word, next):
			constant = constant && !perRow[word]
		case word == "SELECT" || word == "OVER" || word != "" && word[0] >= 'a' || text[i] == '"':
			constant = false // a column, as all lower-case words else
		case text[i] == '(':
			depth++
		case text[i] == ')':
			if depth--; depth == 0 {
				return next, constant
			}
		}
		i = next
	}
	return 0, false
}

// without is text for an engine without our functions: constant gives the
// parameters that stand for calls whose values hang on no row.
func (l *Limits) without(text dialect.Text, constant func(sql string) int) (dialect.Text, error) {
	size := 0
	for i, s := range text.Segments {
		var out strings.Builder
		at := 0
		for {
			c, found := foreign(s, at)
			if !found {
				break
			}
			if !c.constant || constant == nil {
				return dialect.Text{}, &dialect.UnsupportedError{Construct: "the function " + c.name, Pos: -1,
					Hint: "the shard's engine has SQLite's own functions alone, and here the gate can't compute it in its place"}
			}
			out.WriteString(s[at:c.start])
			out.WriteByte('?')
			out.WriteString(strconv.Itoa(constant(s[c.start:c.end])))
			at = c.end
		}
		if at > 0 {
			text.Segments[i] = out.String() + s[at:]
		}
		size += len(text.Segments[i])
	}
	return text, over("a statement", "bytes", size, l.Bytes)
}

func over(what, unit string, n, limit int) error {
	if limit == 0 || n <= limit {
		return nil
	}
	return &dialect.UnsupportedError{Construct: fmt.Sprintf("%s of %d %s", what, n, unit), Pos: -1,
		Hint: fmt.Sprintf("the shard's engine takes %d", limit)}
}

// shape looks at a statement's size in other measures than its text's.
func (l *Limits) shape(s sqlast.Stmt) (err error) {
	check := func(what, unit string, n, limit int) {
		if err == nil {
			err = over(what, unit, n, limit)
		}
	}
	roots := func(e *sqlast.Expr) { check("an expression", "levels", depth(*e), l.Depth) }
	query := func(q sqlast.Query) {
		sqlast.EachQuery(q, func(q sqlast.Query) {
			switch q := q.(type) {
			case *sqlast.Select:
				check("a result", "columns", len(q.Items), l.Columns)
				check("GROUP BY", "terms", len(q.GroupBy), l.Columns)
			case *sqlast.SetOp:
				check("a set operation", "members", members(q), l.Terms)
			}
		})
		sqlast.EachQueryExpr(q, roots)
	}
	switch s := s.(type) {
	case sqlast.Query:
		query(s)
	case *sqlast.Insert:
		check("an INSERT", "columns", len(s.Columns), l.Columns)
		if s.Query != nil {
			query(s.Query)
		}
	case *sqlast.Update:
		check("an UPDATE", "assignments", len(s.Set), l.Columns)
		for i := range s.Set {
			roots(&s.Set[i].Expr)
		}
		roots(&s.Where)
	case *sqlast.Delete:
		roots(&s.Where)
	}
	return err
}

func members(q sqlast.Query) int {
	if q, ok := q.(*sqlast.SetOp); ok {
		return members(q.L) + members(q.R)
	}
	return 1
}

// depth is at least as deep as the engine finds an expression to be: but for AND and
// OR, each level may be printed with a CAST or a COLLATE around it.
func depth(e sqlast.Expr) int {
	if e == nil {
		return 0
	}
	deepest := 0
	if b, ok := e.(*sqlast.Binary); ok && (b.Op == sqlast.OpAnd || b.Op == sqlast.OpOr) {
		if list := chain(b, b.Op, nil); len(list) > longChain {
			for _, x := range list {
				deepest = max(deepest, depth(x))
			}
			return deepest + bits.Len(uint(len(list)))
		}
	}
	sqlast.EachChild(e, func(x *sqlast.Expr) { deepest = max(deepest, depth(*x)) })
	if b, ok := e.(*sqlast.Binary); ok && (b.Op == sqlast.OpAnd || b.Op == sqlast.OpOr) {
		return deepest + 1
	}
	return deepest + 2
}
