package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/front/corpus"
	"github.com/vitessdo/vitessdo/sqlast"
)

// TestParameters: all of SQLite's spellings.
func TestParameters(t *testing.T) {
	conn := corpus.Connect(t, "vitessdo", ":memory:?shards=4&dialect=sqlite")
	ctx := t.Context()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := conn.ExecContext(ctx, query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	exec("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT)")
	exec("INSERT INTO t (a, b) VALUES (?, ?), (?1 + 1, ?2 || '!')", 7, "x")
	exec("INSERT INTO t (a, b) VALUES (:a, @b), ($a, :b)", sql.Named("a", 1), sql.Named("b", "y"))
	for query, want := range map[string]int{
		"SELECT count(*) FROM t WHERE a >= ? AND b <> ?":         3,
		"SELECT count(*) FROM t WHERE a >= ?1 AND b <> ?2":       3,
		"SELECT count(*) FROM t WHERE b <> ?2 AND a >= ?1":       3,
		"SELECT count(*) FROM t WHERE b = ?2 OR b = ?2 AND a=?1": 1,
	} {
		var n int
		if err := conn.QueryRowContext(ctx, query, 1, "x").Scan(&n); err != nil || n != want {
			t.Errorf("%s: %d %v, want %d", query, n, err, want)
		}
	}
	var id int64
	if err := conn.QueryRowContext(ctx, "INSERT INTO t (a) VALUES (9) RETURNING id").Scan(&id); err != nil || id != 5 {
		t.Error(id, err)
	}
	res, err := conn.ExecContext(ctx, "UPDATE t SET a = a WHERE id <= 3")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := res.RowsAffected(); n != 3 {
		t.Error("SQLite counts the rows that were found", n)
	}
}

// TestErrors have their place and say what to write instead.
func TestErrors(t *testing.T) {
	conn := corpus.Connect(t, "vitessdo", ":memory:?dialect=sqlite")
	for _, c := range []struct {
		query  string
		column int
		part   string
	}{
		{"SELECT 1 FRM x", 14, "syntax error"},
		{"SELECT 'x", 8, "the closing ' is missing"},
		{"VACUUM INTO 'copy.db'", 1, "vitessdo export"},
		{"vacuum main into 'copy.db'", 1, "vitessdo export"},
		{"SELECT 1 AS [a\x00b]", 13, "U+0000"},
		{"SELECT 1 FROM \"a\x00b\"", 15, "U+0000"},
		{"SELECT a FROM t WHERE a MATCH 'x'", 25, "MATCH"},
		{"SELECT 1 x FROM a FULL JOIN b USING (id)", 19, "FULL JOIN"},
		{"CREATE TRIGGER x", 1, "triggers"},
		{"ATTACH 'x' AS y", 1, "keyspace"},
		{"SELECT 7 / ?", 10, "CAST(x AS INTEGER)"},
		{"PRAGMA user_version", 8, "PRAGMA user_version"},
		{"SELECT 1; SELECT 2", 11, "multi_statements"},
		{"SELECT load_extension('x')", 8, "load_extension"},
	} {
		_, err := conn.ExecContext(t.Context(), c.query, make([]any, strings.Count(c.query, "?"))...)
		var e *vitessdo.Error
		if !errors.As(err, &e) || e.Column != c.column || !strings.Contains(e.Error(), c.part) {
			t.Errorf("%s: %v; want column %d, %q", c.query, err, c.column, c.part)
		}
	}
}

// TestSplit cuts scripts where SQLite sees statements end.
func TestSplit(t *testing.T) {
	got, err := Split("SELECT ';'; -- a; b\n;SELECT [;] ; /* ; */ SELECT 2;")
	if err != nil || len(got) != 3 || got[1] != "SELECT [;]" {
		t.Errorf("%q %v", got, err)
	}
	conn := corpus.Connect(t, "vitessdo", ":memory:?dialect=sqlite&multi_statements=true")
	if _, err := conn.ExecContext(t.Context(), "CREATE TABLE a (id INTEGER PRIMARY KEY); INSERT INTO a VALUES (1);"); err != nil {
		t.Fatal(err)
	}
}

// TestOwnStatements: what is vitessdo's own can be said in this dialect, too.
func TestOwnStatements(t *testing.T) {
	conn := corpus.Connect(t, "vitessdo", ":memory:?shards=4&dialect=sqlite")
	for _, query := range []string{"CREATE TABLE t (id INTEGER PRIMARY KEY)", "SHOW TABLES", "SHOW VSCHEMA", "DESCRIBE t", "VEXPLAIN PLAN SELECT 1",
		"EXPLAIN FORMAT='vitess' SELECT id FROM t ORDER BY id LIMIT 3", "EXPLAIN QUERY PLAN SELECT * FROM t", "PRAGMA index_list(t)", "PRAGMA foreign_keys = ON", "VACUUM"} {
		if _, err := conn.ExecContext(t.Context(), query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// FuzzParse: every text is a statement or an error with a place in the text.
func FuzzParse(f *testing.F) {
	for _, list := range corpus.Read(f) {
		for _, s := range list {
			f.Add(s.Text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		st, err := Parse(text)
		if err == nil {
			if st != nil && st.Stmt == nil {
				t.Fatalf("%q: no statement", text)
			}
			return
		}
		var e *sqlast.SyntaxError
		if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(text) || !strings.HasPrefix(text[e.Offset:], e.Near) {
			t.Fatalf("%q: %v", text, err)
		}
		if strings.Contains(e.Message, "can't be read") {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

// TestFullJoinOfReference: rows that every shard has are kept once.
func TestFullJoinOfReference(t *testing.T) {
	for _, shards := range []int{1, 4} {
		conn := corpus.Connect(t, "vitessdo", fmt.Sprintf(":memory:?shards=%d", shards))
		l := &corpus.Listener{Conn: conn, Write: written}
		for _, c := range [][2]string{
			{"CREATE TABLE r (k INT PRIMARY KEY) COMMENT 'reference'", ""},
			{"CREATE TABLE t (id INT PRIMARY KEY, k INT)", ""},
			{"INSERT INTO r VALUES (1), (2)", ""},
			{"INSERT INTO t VALUES (1, 1), (2, 1), (3, 9), (4, NULL), (5, 8)", ""},
			{"SET vitess_dialect = 'sqlite'", ""},
			{"SELECT t.id, r.k FROM t FULL JOIN r ON r.k = t.k ORDER BY 1, 2", "NULL | 2\n1 | 1\n2 | 1\n3 | NULL\n4 | NULL\n5 | NULL"},
			{"SELECT count(*), count(r.k) FROM r FULL JOIN t ON r.k = t.k", "6 | 3"},
			{"SELECT a.k, b.k FROM r a FULL JOIN r b ON a.k = b.k + 1 ORDER BY 1, 2", "NULL | 2\n1 | NULL\n2 | 1"},
			{"SELECT a.id, b.id FROM t a FULL JOIN t b ON a.id = b.id + 1 WHERE a.id = 3 OR b.id = 5 ORDER BY 1", "NULL | 5\n3 | 2"},
			{"SELECT a.id, b.id FROM t a FULL JOIN t b ON a.id = b.id AND b.k = 1 WHERE a.id = 3", "3 | NULL"},
		} {
			if got := strings.Join(l.Answer(t.Context(), c[0]), "\n"); got != c[1] {
				t.Errorf("%d shards: %s gave\n%s\nwant\n%s", shards, c[0], got, c[1])
			}
		}
	}
}
