package sqlparse

import (
	"errors"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text, uint8(0))
	}
	f.Add("select \"a\" || 'b\\' from t", uint8(7))
	f.Add("select * from t, json_table(t.a, '$[*]' columns (i for ordinality, b int path '$.b' default '1' on empty error on error, "+
		"nested path '$.c' columns (`array` char(3) exists path '$'))) as j join json_table((select ?), '$' columns (d json path '$')) k", uint8(0))
	f.Fuzz(func(t *testing.T, text string, mode uint8) {
		o := Options{AnsiQuotes: mode&1 != 0, PipesAsConcat: mode&2 != 0, NoBackslashEscapes: mode&4 != 0}
		st, err := Parse(text, o)
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("%q: %v is no SyntaxError", text, err)
			}
			if se.Offset < 0 || se.Offset > len(text) || !strings.HasPrefix(text[se.Offset:], se.Near) {
				t.Fatalf("%q: offset %d, near %q", text, se.Offset, se.Near)
			}
			if strings.HasPrefix(se.Message, "the parser failed") && !strings.Contains(se.Message, "tidb") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if st.Stmt == nil || st.Params < len(st.ParamNames) {
			t.Fatalf("%q: %+v", text, st)
		}
		dump(st.Stmt, true) // walks the whole tree
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("select 1; select ';' /* ; */; -- ;\n`;`", uint8(0))
	for _, text := range corpus(f) {
		f.Add(text+";"+text, uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, mode uint8) {
		o := Options{AnsiQuotes: mode&1 != 0, NoBackslashEscapes: mode&4 != 0}
		parts, err := Split(text, o)
		if err != nil {
			return
		}
		rest := text
		for _, p := range parts {
			i := strings.Index(rest, p)
			if p == "" || i < 0 {
				t.Fatalf("%q: part %q is no part of the text", text, p)
			}
			rest = rest[i+len(p):]
			if again, err := Split(p, o); err != nil || len(again) != 1 || again[0] != p {
				t.Fatalf("%q: part %q splits into %q, %v", text, p, again, err)
			}
		}
	})
}

func FuzzNormalize(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	f.Add("select a from t where b = -5 and c in ('x', 2) limit 3")
	f.Add("select a from t join json_table('[1]', '$' columns (b int path '$.b' default '1' on empty)) j on b = 1 where a in ('x') and b = '2'")
	f.Add("update t set a = 'x\\'y', b = 5 where c <=> 5 and d >= -6")
	f.Fuzz(func(t *testing.T, text string) { checkNormalized(t, text) })
}
