package sqlparse

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/sqlast"
)

func TestStatement(t *testing.T) {
	st, err := Parse(" ;\n /*vt+ combine=query X */ select a from t where b = :b and c = ? and d = :b ; -- end\n", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "/*vt+ combine=query X */ select a from t where b = :b and c = ? and d = :b"; st.Text != want {
		t.Errorf("text %q, want %q", st.Text, want)
	}
	if st.Params != 2 || !reflect.DeepEqual(st.ParamNames, []string{"b", ""}) {
		t.Errorf("params %d %q", st.Params, st.ParamNames)
	}
	want := sqlast.Directives{"COMBINE": "query", "X": ""}
	if !reflect.DeepEqual(st.Directives, want) || !reflect.DeepEqual(st.Stmt.(*sqlast.Select).Directives, want) {
		t.Errorf("directives %v, %v", st.Directives, st.Stmt.(*sqlast.Select).Directives)
	}
	for _, text := range []string{"", "  ", ";", "-- x", "/* x */;"} {
		st, err := Parse(text, Options{})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if _, ok := st.Stmt.(*sqlast.Empty); !ok {
			t.Errorf("%q is %T, want Empty", text, st.Stmt)
		}
	}
}

func TestSyntaxErrorPosition(t *testing.T) {
	tests := []struct {
		text         string
		line, column int
		near         string
	}{
		{"select a\nfrom t\nwhere x = = 5", 3, 11, "= 5"},
		{"select a from t where x = :longname and and y", 1, 41, "and y"},
		{"insert into t (a) values (1) as n on duplicate key update a = a a", 1, 65, "a"},
		{"update t set a = 1 where id = :id returning a b c", 1, 49, "c"},
		{"create table t (a int default (1+), b int)", 1, 34, "), b int)"},
		{"select 'é\n' frm t x", 2, 7, "t x"},
		{"select a from `t\x00x`", 1, 15, "`t"},
		{"select 'a\x00b', \"\x00\" as `n\x00`", 1, 22, "`n"},
		{strings.Repeat(" ", 3000) + "select from " + strings.Repeat("x", 3000), 1, 3008, "from "},
	}
	for _, tt := range tests {
		_, err := Parse(tt.text, Options{})
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%.60q: %v", tt.text, err)
			continue
		}
		if se.Line != tt.line || se.Column != tt.column || !strings.HasPrefix(se.Near, tt.near) {
			t.Errorf("%.60q: line %d column %d near %q, want %d, %d, %q", tt.text, se.Line, se.Column, se.Near, tt.line, tt.column, tt.near)
		}
	}
}

// TestConcurrent parses side by side; run it with -race.
func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				text := fmt.Sprintf("select a%d from t where b = %d and c in (?, :x)", g, i)
				st, err := Parse(text, Options{PipesAsConcat: g%2 == 0})
				if err != nil {
					t.Error(err)
					return
				}
				sel := st.Stmt.(*sqlast.Select)
				if name := sel.Items[0].Expr.(*sqlast.Col).Name; name != fmt.Sprintf("a%d", g) {
					t.Errorf("got %s", name)
				}
			}
		})
	}
	wg.Wait()
}

func TestLiteralHooks(t *testing.T) {
	if err := probe(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ lit, bytes string }{
		{"x''", ""}, {"x'4142'", "AB"}, {"0x141", "\x01\x41"}, {"b''", ""}, {"b'100000001'", "\x01\x01"}, {"0b11", "\x03"},
	} {
		x, err := parseExpr(tt.lit)
		if err != nil {
			t.Errorf("%s: %v", tt.lit, err)
			continue
		}
		if lit := x.(*sqlast.Lit); lit.Kind != sqlast.LitBytes || lit.Text != tt.bytes {
			t.Errorf("%s: %+v", tt.lit, lit)
		}
	}
}

// parseExpr reads one expression.
func parseExpr(text string) (x sqlast.Expr, err error) {
	if err := probe(); err != nil {
		return nil, err
	}
	defer catch(text, &err)
	s, serr := newScan(text, Options{})
	if serr != nil {
		return nil, serr
	}
	defer s.release()
	return s.expr(0, len(text)), nil
}
