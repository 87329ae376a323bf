package tabletserver

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

func TestErrors(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE p(id INTEGER PRIMARY KEY)",
			"CREATE TABLE t(a INT NOT NULL, b INT, c INT CONSTRAINT small CHECK(c < 10), d INT REFERENCES p, PRIMARY KEY(a, b))",
			"CREATE UNIQUE INDEX e ON t(c + 1)", "CREATE TABLE s(n INT) STRICT",
			"CREATE TRIGGER no BEFORE DELETE ON p BEGIN SELECT RAISE(ABORT, 'not that one'); END",
			"INSERT INTO t VALUES(1, 1, 1, NULL)", "INSERT INTO p VALUES(1)")
		for _, c := range []struct {
			sql  string
			args []tablet.Value
			code tablet.Code
			hit  string // table, columns, constraint
			msg  string
		}{
			{"INSERT INTO t VALUES(1, 1, 2, NULL)", nil, tablet.CodeUnique, "t [a b] ", ""},
			{"INSERT INTO t VALUES(2, 1, 1, NULL)", nil, tablet.CodeUnique, " [] e", ""},
			{"INSERT INTO t VALUES(NULL, 1, 2, NULL)", nil, tablet.CodeNotNull, "t [a] ", ""},
			{"INSERT INTO t VALUES(3, 1, 20, NULL)", nil, tablet.CodeCheck, " [] small", ""},
			{"INSERT INTO t VALUES(3, 1, 3, 77)", nil, tablet.CodeForeignKey, " [] ", ""},
			{"INSERT INTO s VALUES('x')", nil, tablet.CodeDataType, "s [n] ", ""},
			{"INSERT INTO p VALUES('x')", nil, tablet.CodeDataType, " [] ", ""},
			{"DELETE FROM p", nil, tablet.CodeCheck, " [] ", "not that one"},
			{"SELECT * FROM nope", nil, tablet.CodeNoTable, "nope [] ", ""},
			{"DELETE FROM main.nope", nil, tablet.CodeNoTable, "nope [] ", ""},
			{"SELECT nope FROM t", nil, tablet.CodeNoColumn, " [nope] ", "(at offset 7)"},
			{"INSERT INTO t(nope) VALUES(1)", nil, tablet.CodeNoColumn, "t [nope] ", ""},
			{"CREATE TABLE t(a)", nil, tablet.CodeTableExists, "t [] ", ""},
			{"SELECT 1 1 FROM", nil, tablet.CodeSyntax, " [] ", "(at offset 9)"},
			{"CREATE TABLE x(", nil, tablet.CodeSyntax, " [] ", "incomplete input"},
			{`SELECT "a string"`, nil, tablet.CodeNoColumn, "", ""},
			{"SELECT nofunction(1)", nil, tablet.CodeSyntax, "", "nofunction"},
			{"", nil, tablet.CodeSyntax, "", "empty"},
			{"SELECT 1; SELECT 2", nil, tablet.CodeSyntax, "", "offset 9"},
			{"SELECT abs(-9223372036854775808)", nil, tablet.CodeOutOfRange, "", ""},
			{"SELECT ?2", []tablet.Value{int64(1)}, tablet.CodeMisuse, "", "parameter 2"},
			{"SELECT ?1", []tablet.Value{true}, tablet.CodeMisuse, "", "bool"},
			{"SELECT zeroblob(2000000000)", nil, tablet.CodeTooBig, "", ""},
		} {
			_, execErr := db.Exec(ctx, q(c.sql, c.args...))
			_, queryErr := queryRows(db, c.sql, c.args...)
			x := begin(t, db, tablet.TxOptions{})
			_, txErr := x.Exec(ctx, q(c.sql, c.args...))
			if _, err := queryRows(x, "SELECT 1"); err != nil {
				t.Errorf("%s: the transaction isn't usable: %v", c.sql, err)
			}
			_ = x.Rollback()
			for _, err := range []error{execErr, queryErr, txErr} {
				e := wantCode(t, err, c.code)
				if hit := fmt.Sprint(e.Table, e.Columns, " ", e.Constraint); c.hit != "" && hit != fmt.Sprint(strings.Replace(c.hit, " [", "[", 1)) {
					t.Errorf("%s: hit %q, want %q", c.sql, hit, c.hit)
				}
				if !strings.Contains(err.Error(), c.msg) || !strings.HasPrefix(err.Error(), "shard ks/-80: ") {
					t.Errorf("%s: %v", c.sql, err)
				}
			}
		}
	})
}

func TestValuesAndParameters(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg)
		in := []tablet.Value{int64(-1 << 63), 1.5, "täxt\x00x", []byte{0, 255}, nil, "", []byte{}}
		got := query(t, db, "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7", in...)
		want(t, "values", fmt.Sprintf("%#v", got[0]), fmt.Sprintf("%#v", in))
		got = query(t, db, "SELECT ?5, ?2 -- a comment\n ;", in...)
		want(t, "subset", fmt.Sprint(got), "[[<nil> 1.5]]")
		big := strings.Repeat("x", 1<<20)
		want(t, "large", one(t, db, "SELECT length(?1)", big), tablet.Value(int64(len(big))))
	})
}

// Running out of memory is an error, and the tablet goes on.
func TestOutOfMemory(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		cfg.MaxMemory = 16 << 20
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
		exec1(t, db, "INSERT INTO t VALUES(1, 1)")
		for range 3 {
			_, err := queryRows(db, "SELECT length(randomblob(50000000))")
			wantCode(t, err, tablet.CodeNoMemory)
			_, err = db.Exec(ctx, q("INSERT INTO t(v) VALUES(randomblob(50000000))"))
			wantCode(t, err, tablet.CodeNoMemory)
			_, err = db.Exec(ctx, q("INSERT INTO t(v) VALUES(?1)", make([]byte, 50_000_000)))
			wantCode(t, err, tablet.CodeNoMemory)
			for _, o := range []tablet.TxOptions{{}, {Write: true}} {
				x := begin(t, db, o)
				one(t, x, "SELECT count(*) FROM t")
				exec1(t, x, "INSERT INTO t(v) VALUES(2)")
				_, err = queryRows(x, "SELECT randomblob(50000000)")
				wantCode(t, err, tablet.CodeNoMemory)
				_, err = queryRows(x, "SELECT 1")
				wantCode(t, err, tablet.CodeNoMemory) // until Rollback
				_ = x.Rollback()
			}
			want(t, "rows", ids(t, db), "[[1]]")
			exec1(t, db, "UPDATE t SET v = v + 1")
		}
		want(t, "updates", one(t, db, "SELECT v FROM t"), tablet.Value(int64(4)))
	})
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	header := append([]byte("SQLite format 3\x00"), bytes.Repeat([]byte{0xff}, 4080)...)
	for _, c := range []struct {
		name string
		cfg  Config
		code tablet.Code
	}{
		{"not a database", Config{Path: file("text", bytes.Repeat([]byte("hello "), 1000))}, tablet.CodeCorrupt},
		{"bad header", Config{Path: file("bad", header)}, tablet.CodeCorrupt},
		{"no directory", Config{Path: filepath.Join(dir, "no", "where")}, tablet.CodeIO},
		{"a directory", Config{Path: dir}, tablet.CodeIO},
		{"read-only, not there", Config{Path: filepath.Join(dir, "nope"), ReadOnly: true}, tablet.CodeIO},
		{"synchronous", Config{Synchronous: "sometimes"}, tablet.CodeMisuse},
		{"negative", Config{MaxReaders: -1}, tablet.CodeMisuse},
		{"memory", Config{MaxMemory: 5}, tablet.CodeMisuse},
	} {
		_, err := Open(ctx, c.cfg)
		if tablet.CodeOf(err) != c.code {
			t.Errorf("%s: %v (%s), want %s", c.name, err, tablet.CodeOf(err), c.code)
		}
		if c.cfg.Path != "" && !strings.Contains(fmt.Sprint(err), c.cfg.Path) {
			t.Errorf("%s: the error doesn't name the file: %v", c.name, err)
		}
	}
	want(t, "open files", openFiles(t, dir), 0)
	c, cancel := context.WithCancel(ctx)
	cancel()
	_, err := Open(c, Config{})
	wantCode(t, err, tablet.CodeCanceled)
	if _, err := os.Stat(filepath.Join(dir, "nope")); !os.IsNotExist(err) {
		t.Error("a read-only tablet made its file")
	}
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "with ?#% odd name.db")
	db := open(t, Config{Path: path}, accounts, "INSERT INTO t VALUES(1, 1)")
	_ = db.Close()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	db = open(t, Config{Path: path, ReadOnly: true})
	want(t, "rows", ids(t, db), "[[1]]")
	exec1(t, db, "SELECT 1")
	for _, sql := range []string{"DELETE FROM t", "CREATE TABLE u(a)", "WITH a(b) AS (VALUES(1)) DELETE FROM t", "INSERT INTO t VALUES(9, 9) RETURNING id"} {
		_, err := db.Exec(ctx, q(sql))
		wantCode(t, err, tablet.CodeTxReadOnly)
		_, err = db.Query(ctx, q(sql))
		wantCode(t, err, tablet.CodeTxReadOnly)
		_, err = begin(t, db, tablet.TxOptions{}).Exec(ctx, q(sql))
		wantCode(t, err, tablet.CodeTxReadOnly)
	}
}

// A damaged page is an error of its own where it is met, and what else is asked
// goes on.
func TestCorruptPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	db := open(t, Config{Path: path}, accounts, "CREATE TABLE u(a)", "INSERT INTO u VALUES(1)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, 1 FROM n")
	root := one(t, db, "SELECT rootpage FROM sqlite_schema WHERE name = 't'").(int64)
	_ = db.Close()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xee}, 4096), (root-1)*4096); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	db = open(t, Config{Path: path})
	_, err = queryRows(db, "SELECT count(*) FROM t")
	wantCode(t, err, tablet.CodeCorrupt)
	_, err = db.Exec(ctx, q("DELETE FROM t WHERE id = 2000"))
	wantCode(t, err, tablet.CodeCorrupt)
	want(t, "other table", one(t, db, "SELECT a FROM u"), tablet.Value(int64(1)))
}

// A database that may not grow is what a full disk looks like to SQLite.
func TestDiskFull(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)", "INSERT INTO t VALUES(1, 1)")
		pages := one(t, db, "PRAGMA page_count").(int64)
		for range 4 { // every connection that could write
			exec1(t, db, fmt.Sprintf("PRAGMA max_page_count=%d", pages+10))
		}
		_, err := db.Exec(ctx, q("INSERT INTO t(v) VALUES(zeroblob(1000000))"))
		wantCode(t, err, tablet.CodeFull)
		x := begin(t, db, tablet.TxOptions{Write: true})
		exec1(t, x, "INSERT INTO t VALUES(2, 2)")
		_, err = x.Exec(ctx, q("INSERT INTO t(v) VALUES(zeroblob(1000000))"))
		wantCode(t, err, tablet.CodeFull)
		_, err = queryRows(x, "SELECT 1") // usable, or broken with the reason; never silently half
		if err == nil {
			want(t, "in tx", ids(t, x), "[[1] [2]]")
		} else {
			wantCode(t, err, tablet.CodeFull)
		}
		_ = x.Rollback()
		want(t, "rows", ids(t, db), "[[1]]")
	})
}
