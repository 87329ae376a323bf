package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wasilibs/go-pgquery/parser"

	"github.com/vitessdo/vitessdo/front/corpus"
	"github.com/vitessdo/vitessdo/sqlast"
)

// TestDeep: what is nested too deeply is an error, whatever it is made of, and the
// deepest that isn't refused comes back from the parser.
func TestDeep(t *testing.T) {
	for _, shape := range []struct{ before, again, core, close string }{
		{"SELECT ", "(", "1", ")"},
		{"", "SELECT (", "SELECT 1", ")"},
		{"", "SELECT * FROM (", "SELECT 1", ") x"},
		{"", "SELECT 1 WHERE EXISTS (", "SELECT 1", ")"},
		{"", "SELECT 1 WHERE 1 IN (", "SELECT 1", ")"},
		{"", "WITH a AS (", "SELECT 1", ") SELECT 1"},
		{"SELECT ", "f(", "1", ")"},
		{"SELECT ", "f(1 + 1, ", "1", " + 1, 1 + 1)"},
		{"SELECT ", "ARRAY[", "1", "]"},
		{"SELECT ", "ROW(", "1", ")"},
		{"SELECT ", "CAST(", "1", " AS int)"},
		{"SELECT ", "1 BETWEEN 0 AND (", "1", ")"},
		{"SELECT ", "count(*) FILTER (WHERE ", "true", ")"},
		{"SELECT ", "f() OVER (PARTITION BY ", "1", ")"},
		{"SELECT * FROM ", "(", "a", " JOIN b ON true)"},
		{"SELECT ", "CASE WHEN ", "true", " THEN 1 END"},
		{"SELECT ", "CASE WHEN 1 = 1 THEN ", "1", " END"},
		{"SELECT ", "NOT ", "true", ""},
		{"SELECT ", "- ", "1", ""},
		{"SELECT 1", "", "", " + 1"},
		{"SELECT 1", "", "", "+-1"},
		{"SELECT 1", "", "", " @> 1"},
		{"SELECT 1", "", "", " OPERATOR(pg_catalog.+) 1"},
		{"SELECT 1", "", "", "::int"},
		{"SELECT 1", "", "", " IS NULL"},
		{"SELECT 1", "", "", " ISNULL"},
		{"SELECT 'a'", "", "", ` COLLATE "C"`},
		{"SELECT now()", "", "", " AT TIME ZONE 'UTC'"},
		{"SELECT 1", "", "", " UNION ALL SELECT 1"},
		{"SELECT * FROM a", "", "", " JOIN b ON true"},
		{"SELECT * FROM a", "", "", " CROSS JOIN b"},
		// What looks like a string and isn't, or the other way round.
		{"SELECT $a$'$a$, ", "NOT ", "true", ""},
		{"SELECT /* ' /* \" */ ' */ ", "NOT ", "true", ""},
		{"SELECT -- '\n", "NOT ", "true", ""},
		{`SELECT E'\'', `, "NOT ", "true", ""},
		{"SELECT E'a'\n'\\'', ", "NOT ", "true", ""},
		{`SELECT '\', `, "NOT ", "true", ", ''"},
		{`SELECT U&'\', `, "NOT ", "true", ", ''"},
	} {
		text := func(n int) string {
			return shape.before + strings.Repeat(shape.again, n) + shape.core + strings.Repeat(shape.close, n)
		}
		most := 0
		for tooDeep(text(most+1)) < 0 {
			most++
		}
		if most < 60 {
			t.Errorf("%.30s…: only %d levels", text(1), most)
		}
		if _, err := parse(text(most)); err != nil && strings.Contains(err.Error(), "deep") {
			t.Errorf("%d times %s: %v", most, text(1), err)
		}
		_, err := Parse(text(5000))
		var e *sqlast.SyntaxError
		if !errors.As(err, &e) || !strings.Contains(e.Message, "nested too deeply") {
			t.Errorf("%.30s…: %v", text(1), err)
		}
	}
	for _, text := range []string{ // wide, not deep
		"SELECT " + strings.Repeat("1 + 1, ", 5000) + "1",
		"VALUES (1)" + strings.Repeat(", (1 + 1, f(2))", 5000),
		"SELECT true" + strings.Repeat(" AND true OR true", 2000),
		"SELECT '" + strings.Repeat("+(", 5000) + "'",
		"SELECT $x$" + strings.Repeat("+(", 5000) + "$x$",
		"SELECT 1 /*" + strings.Repeat("+(", 5000) + "*/",
		strings.Repeat("SELECT 1 + 1;", 1000),
	} {
		if _, err := parse(text); err != nil {
			t.Errorf("%.30s…: %v", text, err)
		}
	}
}

// TestDeepMixed nests all kinds of levels in each other, as deeply as is allowed.
func TestDeepMixed(t *testing.T) {
	shapes := [][2]string{{"(", " + 1)"}, {"f(1, ", ")"}, {"CASE WHEN ", " IS NULL THEN 1 END"}, {"CASE WHEN true THEN ", " END"},
		{"(SELECT ", " FROM a JOIN b ON true)"}, {"1 IN (", ", 2)"}, {"NOT ", ""}, {"- ", ""}, {"EXISTS (SELECT 1 UNION SELECT ", ")"},
		{"ARRAY[", "]"}, {"1 + ", ""}, {"(SELECT * FROM (SELECT ", ") x)"}, {"CAST(", " AS int)"}, {"1 = ANY (", ")"}, {"(", ")::int"},
		{"count(*) FILTER (WHERE ", ")"}, {"f() OVER (ORDER BY ", ")"}, {"(", " AT TIME ZONE 'UTC')"}, {"COALESCE(", ", 2)"}, {"(1, ", ")"}}
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 7))
		some := rng.Perm(len(shapes))[:1+rng.IntN(4)]
		text := "1"
		for {
			s := shapes[some[rng.IntN(len(some))]]
			more := s[0] + text + s[1]
			if tooDeep("SELECT "+more) >= 0 {
				break
			}
			text = more
		}
		if _, err := parse("SELECT " + text); err != nil && strings.Contains(err.Error(), "deep") {
			t.Errorf("seed %d, of %v: %v", seed, some, err)
		}
	}
}

// scanned is a token as PostgreSQL's own scanner tells of it.
type scanned struct {
	start, end int
	keyword    bool
}

// scan has that scanner cut a text. Its answer is a protocol buffer: tokens in field 2,
// each with start, end, kind and kind of keyword in 1, 2, 4 and 5.
func scan(text string) (out []scanned, err error) {
	b, err := parser.ScanToProtobuf(text)
	if err != nil {
		return nil, err
	}
	fields(b, func(field int, _ uint64, inner []byte) {
		if field != 2 {
			return
		}
		var t scanned
		fields(inner, func(field int, v uint64, _ []byte) {
			switch field {
			case 1:
				t.start = int(v)
			case 2:
				t.end = int(v)
			case 5:
				t.keyword = v > 0
			}
		})
		out = append(out, t)
	})
	return out, nil
}

func fields(b []byte, f func(field int, v uint64, inner []byte)) {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		v, m := binary.Uvarint(b[n:])
		b = b[n+m:]
		if key&7 != 2 {
			f(int(key>>3), v, nil)
			continue
		}
		f(int(key>>3), 0, b[:v])
		b = b[v:]
	}
}

// checkTokens: what nests is where PostgreSQL's scanner sees it, and nowhere else.
func checkTokens(text string) error {
	theirs, err := scan(text)
	if err != nil {
		return nil // it won't be parsed
	}
	ours := map[int]token{}
	for l := (lexer{text: text}); ; {
		t := l.next()
		if t.kind == end {
			break
		}
		ours[t.start] = t
	}
	for _, s := range theirs {
		var want kind
		switch c := text[s.start]; {
		case strings.HasPrefix(text[s.start:], "--"), strings.HasPrefix(text[s.start:], "/*"):
			continue
		case c == '(' || c == '[':
			want = opening
		case c == ')' || c == ']':
			want = closing
		case c == ',' || c == ';':
			want = separator
		case strings.IndexByte(operatorBytes, c) >= 0, text[s.start:s.end] == "::":
			want = operator
		case s.keyword:
			want = word
		default:
			continue
		}
		got := ours[s.start]
		delete(ours, s.start)
		if got.kind != want || got.end != s.end {
			return fmt.Errorf("%q: at %d PostgreSQL sees %q, here is %+v", text, s.start, text[s.start:s.end], got)
		}
	}
	for _, t := range ours {
		if t.kind == opening || t.kind == closing || t.kind == separator || t.kind == operator {
			return fmt.Errorf("%q: %q at %d is no token of PostgreSQL's", text, text[t.start:t.end], t.start)
		}
	}
	return nil
}

var tokenTexts = []string{
	"SELECT a+-b, c->>'x', d@>-1, e||-f, 1.5e-3+2., .5-1, 1..2, x::int[3]",
	"/* a /* b */ c */ SELECT 'it''s' -- (\n, \"a\"\"(\", $1+$2, $$ ( $$, $a$ $b$ ( $a$",
	"E'\\'(' e'\\\\'+ 'a'\n  -- x\n'b(' , E'a' \n '\\'' U&'\\0061(' UESCAPE '!' u&\"(\" B'01' x'1F' n'('",
	"a$b$c ( a$$ 1$x$($x$ é$(", ":= => <= >= <> != !=- @- *- +*- <-1 ?| :: :a", "'a'/**/'b' 'a' 'b'", "1e+ 1e5 0x1F+1 1_000", "'unended", "$a$ unended", "/* unended",
}

// TestTokens compares with PostgreSQL's scanner.
func TestTokens(t *testing.T) {
	for _, text := range tokenTexts {
		if err := checkTokens(text); err != nil {
			t.Error(err)
		}
	}
	for _, list := range corpus.Read(t) {
		for _, s := range list {
			if err := checkTokens(s.Text); err != nil {
				t.Error(err)
			}
		}
	}
}

func FuzzTokens(f *testing.F) {
	if _, err := Parse("SELECT 1"); err != nil { // as in FuzzParse
		f.Fatal(err)
	}
	for _, text := range tokenTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
			return
		}
		if err := checkTokens(text); err != nil {
			t.Error(err)
		}
	})
}
