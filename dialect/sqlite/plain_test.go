package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/dialect"
	engine "github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// TestPlain: what an engine without our functions runs, with the parameters that the
// gate makes for it, or why it can't.
func TestPlain(t *testing.T) {
	for _, tc := range []struct{ sql, want string }{
		{"SELECT COUNT(*), MAX(a) FROM t WHERE b = 'x''(' AND c LIKE 'a%'", ""},
		{"SELECT LPAD(a, 3, '0') FROM t", "the function lpad"},
		{"SELECT a FROM t WHERE a = LPAD(?, 3, '0')", `SELECT "a" FROM "t" WHERE "a" = ?2`},
		{"SELECT SUBSTR(a, BIT_COUNT(7)) FROM t", "the function substring_of"},
		{"SELECT a FROM t WHERE a REGEXP 'x'", "the function REGEXP"},
		{"SELECT a FROM t WHERE MD5('x') IN (SELECT MD5(b) FROM t)", "the function md5"},
		{"SELECT BIT_OR(1) FROM t", "the function bit_or"},
		{"SELECT UPPER('é') FROM t", `SELECT ?2 FROM "t"`},
		{"UPDATE t SET a = a WHERE b = HEX(?)", `UPDATE "t" SET "a" = "a" WHERE "b" = ?2`},
	} {
		st, err := sqlparse.Parse(tc.sql, sqlparse.Options{})
		if err != nil {
			t.Fatalf("%s: %v", tc.sql, err)
		}
		text, err := Printer{Plain: &Limits{}}.Lifting(func(string) int { return 2 }).Stmt(st.Stmt)
		var refused *dialect.UnsupportedError
		switch {
		case errors.As(err, &refused):
			if refused.Construct != tc.want {
				t.Errorf("%s: refused for %s, want %s", tc.sql, refused.Construct, tc.want)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.sql, err)
		case tc.want != "" && text.String() != tc.want:
			t.Errorf("%s: is %s, want %s", tc.sql, text, tc.want)
		}
	}
}

// TestOwnFunctions: what is taken for SQLite's own is there without ours.
func TestOwnFunctions(t *testing.T) {
	c, err := engine.Open(t.Context(), ":memory:", engine.Options{NoFunctions: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.QueryAll(t.Context(), "SELECT 1 FROM json_each('[]'), json_tree('[]')"); err != nil {
		t.Fatal(err) // the engine knows of its modules by their first use
	}
	rows, err := c.QueryAll(t.Context(), "SELECT name FROM pragma_function_list UNION SELECT name FROM pragma_module_list")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, r := range rows {
		have[r[0].(string)] = true
	}
	for name := range own {
		if !have[name] {
			t.Errorf("%s is no function of SQLite's own", name)
		}
	}
}

// TestLimits: each limit that an engine has is kept, and named where it isn't.
func TestLimits(t *testing.T) {
	chain := func(sep string, n int) string {
		return strings.Repeat("a = 1"+sep, n) + "a = 2"
	}
	for _, tc := range []struct {
		limits  Limits
		in, out string
	}{
		{Limits{Bytes: 40}, "SELECT a FROM t", "SELECT a FROM t WHERE b = 'a long text indeed'"},
		{Limits{Columns: 2}, "SELECT a, b FROM t", "SELECT a, b, c FROM t"},
		{Limits{Columns: 2}, "UPDATE t SET a = 1, b = 2", "UPDATE t SET a = 1, b = 2, c = 3"},
		{Limits{Terms: 2}, "SELECT 1 UNION SELECT 2", "SELECT 1 UNION SELECT 2 UNION SELECT 3"},
		{Limits{Depth: 20}, "SELECT a FROM t WHERE " + chain(" OR ", 9), "SELECT a FROM t WHERE " + chain(" OR ", 25)},
		{Limits{Depth: 20}, "SELECT a FROM t WHERE " + chain(" AND ", 1500), "SELECT a FROM t WHERE " + strings.Repeat("a + ", 30) + "1"},
	} {
		p := Printer{Plain: &tc.limits}
		for _, c := range []struct {
			sql string
			ok  bool
		}{{tc.in, true}, {tc.out, false}} {
			st, err := sqlparse.Parse(c.sql, sqlparse.Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Stmt(st.Stmt)
			if (err == nil) != c.ok {
				t.Errorf("%+v: %s: %v", tc.limits, c.sql, err)
			}
		}
	}
	def := &sqlast.TableDef{Name: "t"}
	for i := range 3 {
		def.Columns = append(def.Columns, &sqlast.ColumnDef{Name: fmt.Sprintf("c%d", i), Type: sqlast.TypeOf(sqlast.ClassInt)})
	}
	if _, err := (Printer{Plain: &Limits{Columns: 2}}).CreateTable(def, dialect.TableOptions{}); err == nil {
		t.Error("a table of 3 columns was made where 2 are the limit")
	}
}
