package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/vitessdo/vitessdo"
)

func openDB(tb testing.TB, dsn string) (*sql.DB, *sql.Conn) {
	tb.Helper()
	db, err := sql.Open("vitessdo", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		conn.Close()
		db.Close()
	})
	return db, conn
}

func do(tb testing.TB, conn *sql.Conn, query string, args ...any) {
	tb.Helper()
	if _, err := conn.ExecContext(context.Background(), query, args...); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

// table gives a query's rows as text, exactly.
func table(tb testing.TB, conn *sql.Conn, query string) string {
	tb.Helper()
	rows, err := conn.QueryContext(context.Background(), query)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	values, to := make([]any, len(cols)), make([]any, len(cols))
	for i := range values {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			tb.Fatal(err)
		}
		for _, v := range values {
			fmt.Fprintf(&b, "%T %q|", v, fmt.Sprint(v))
		}
		b.WriteByte('\n')
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

const everyType = `CREATE TABLE every (
 id BIGINT PRIMARY KEY AUTO_INCREMENT, tiny TINYINT, flag TINYINT(1), small SMALLINT, med MEDIUMINT, i INT, u INT UNSIGNED, big BIGINT, bits BIT(60),
 d DECIMAL(10,3), exact DECIMAL(60,20), f FLOAT, dbl DOUBLE, c CHAR(5), v VARCHAR(200), ci VARCHAR(50) COLLATE utf8mb4_general_ci, t LONGTEXT,
 bin BINARY(4), vb VARBINARY(50), b LONGBLOB, da DATE, dt DATETIME(6), ts TIMESTAMP NULL, ti TIME(3), y YEAR, e ENUM('x','y z',''), s SET('p','q'), j JSON,
 gen VARCHAR(60) AS (CONCAT(v, '!')), UNIQUE KEY uq (vb), KEY ki (v), CHECK (small < 30000)) COMMENT 'every type'`

var everyRow = [][]any{
	{int64(1), -128, true, -32768, -8388608, int64(math.MinInt32), int64(math.MaxUint32), int64(math.MinInt64), int64(1) << 59, "-1234567.891", "1234567890123456789012345678901234567890.01234567890123456789", 1.5, 0.1,
		"ab", "it's \"quoted\", with\nlines\r\nand\ttabs \\ and \\n; -- no comment", "ÄÖÜ ß 日本語 🎉", strings.Repeat("long\n", 3000), []byte{1, 2, 3, 4}, []byte("\x00\xff'\"\\\n"), []byte{0, 1, 2, 255, 254}, "2026-02-28", "2026-02-28 23:59:59.123456", "2026-01-01 00:00:01", "-12:34:56.789", 1999, "y z", "p,q", `{"a": [1, 2.5, "x'y", null], "ü": "ö"}`},
	{int64(2), nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil},
	{int64(3), 0, false, 0, 0, 0, 0, int64(math.MaxInt64), 0, "0", "0", 0.0, math.MaxFloat64, "", "", "", "", []byte{0, 0, 0, 0}, []byte{}, []byte{}, "1000-01-01", "9999-12-31 23:59:59", nil, "00:00:00", 2026, "", "", `"just text"`},
	{int64(4), 127, true, 29999, 8388607, math.MaxInt32, 1, int64(-1), 7, "0.001", "-0.00000000000000000001", -2.25, -1e-300, "x", `\N`, "NULL", "null", []byte("abcd"), []byte("NULL"), []byte("text"), "2000-02-29", "2000-02-29 00:00:00.000001", nil, "838:59:59", 1901, "x", "q", `[]`},
}

// fill makes the table and its rows.
func fill(tb testing.TB, conn *sql.Conn) {
	tb.Helper()
	do(tb, conn, everyType)
	columns := "id, tiny, flag, small, med, i, u, big, bits, d, exact, f, dbl, c, v, ci, t, bin, vb, b, da, dt, ts, ti, y, e, s, j"
	for _, row := range everyRow {
		do(tb, conn, "INSERT INTO every ("+columns+") VALUES (?"+strings.Repeat(", ?", len(row)-1)+")", row...)
	}
	do(tb, conn, "SET sql_mode='NO_AUTO_VALUE_ON_ZERO'")
	do(tb, conn, "INSERT INTO every (id, v) VALUES (0, 'no next value')")
	do(tb, conn, "SET sql_mode=''")
	for i := int64(5); i < 300; i++ {
		do(tb, conn, "INSERT INTO every (id, v, vb, dbl) VALUES (?, ?, ?, ?)", i, fmt.Sprintf("row %d\x01\u2028", i), fmt.Appendf(nil, "k%d", i), math.Sqrt(float64(i)))
	}
}

func firstDifference(got, want string) string {
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	return fmt.Sprintf("got …%.200s, want …%.200s", got[max(0, at-40):], want[max(0, at-40):])
}

// TestRoundTrip writes a table with every type and awkward values out, and reads it
// into a database with another number of shards: it is the same.
func TestRoundTrip(t *testing.T) {
	_, from := openDB(t, ":memory:?shards=3&parse_time=false")
	fill(t, from)
	const all = "SELECT * FROM every ORDER BY id"
	want := table(t, from, all)
	for _, c := range []struct {
		file string
		text Text
	}{
		{"every.csv", Text{}}, {"every.csv.gz", Text{Blob: Hex}}, {"semi.csv", Text{Delimiter: ';', Null: `\N`, NoHeader: true}}, {"every.tsv", Text{}},
		{"every.jsonl", Text{}}, {"every.jsonl.gz", Text{Blob: Hex}}, {"every.sql", Text{}}, {"every.sql.gz", Text{}},
	} {
		t.Run(c.file, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), c.file)
			out, err := Export{Target: file, Tables: []string{"every"}, Text: c.text}.Run(t.Context(), from)
			if err != nil || out.Rows != 300 {
				t.Fatalf("%+v %v", out, err)
			}
			_, to := openDB(t, ":memory:?shards=7&parse_time=false")
			in := Import{Source: file, Table: "every", Text: c.text, Batch: 7, Commit: 40}
			if FormatOf(file) == SQL {
				in.Table = ""
			} else {
				do(t, to, everyType)
			}
			report, err := in.Run(t.Context(), to)
			if err != nil || report.Rejected != 0 || FormatOf(file) != SQL && report.Rows != 300 {
				t.Fatalf("%+v %v", report, err)
			}
			if got := table(t, to, all); got != want {
				t.Error(firstDifference(got, want))
			}
			if got := table(t, to, "SHOW TABLES"); got != table(t, from, "SHOW TABLES") {
				t.Errorf("tables: %s", got)
			}
			res, err := to.ExecContext(t.Context(), "INSERT INTO every (v) VALUES ('next')")
			if err != nil {
				t.Fatal(err)
			}
			if id, _ := res.LastInsertId(); id < 300 {
				t.Errorf("the counter gives %d", id)
			}
		})
	}
}

// sqlite3 runs the sqlite3 command.
func sqlite3(t *testing.T, db, script string) string {
	t.Helper()
	cmd := exec.Command("sqlite3", db)
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("sqlite3: %v: %s", err, out)
	}
	return string(out)
}

const shopFile = `
CREATE TABLE customer (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE COLLATE NOCASE, name VARCHAR(40), born DATE, active BOOLEAN DEFAULT 1, made DATETIME DEFAULT CURRENT_TIMESTAMP, CHECK (length(email) > 2));
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer(id) ON DELETE CASCADE, total REAL, price DECIMAL(10,2), "odd name" TEXT DEFAULT 'x''y', pic BLOB);
CREATE INDEX by_customer ON orders(customer_id);
CREATE INDEX by_lower ON customer(lower(name));
CREATE TABLE tags (tag TEXT, order_id INT, PRIMARY KEY (tag, order_id)) WITHOUT ROWID;
CREATE TABLE loose (a, b INTEGER, c);
CREATE VIEW big AS SELECT o.id, c.email FROM orders o JOIN customer c ON c.id = o.customer_id WHERE o.total > 20;
CREATE TRIGGER t AFTER INSERT ON tags BEGIN UPDATE orders SET total = total; SELECT CASE WHEN 1 THEN 2 END; END;
INSERT INTO customer (email, name, born, active, made) VALUES ('a@x', 'Ann; O''Hara', '1990-01-02', 1, '2026-01-02 03:04:05'), ('b@x', 'line' || char(10) || 'break', NULL, 0, '2026-01-02 03:04:05.5');
INSERT INTO orders VALUES (1, 1, 10.5, 9.99, 'it''s', x'00ff'), (2, 1, 30, 100, NULL, NULL), (9223372036854775807, 2, 1e300, 0.01, '-- no', x'');
INSERT INTO tags VALUES ('new', 1), ('old', 2), ('new', 2);
INSERT INTO loose VALUES (1, 'text in a number', x'01'), ('two', 2, 'three'), (3.5, NULL, NULL);
`

// TestSQLite takes a SQLite file, and its dump, as they are.
func TestSQLite(t *testing.T) {
	dir := t.TempDir()
	file, dump := filepath.Join(dir, "shop.db"), filepath.Join(dir, "shop.sql")
	sqlite3(t, file, shopFile)
	if err := os.WriteFile(dump, []byte(sqlite3(t, file, ".dump")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{file, dump} {
		_, to := openDB(t, ":memory:?shards=3&parse_time=false")
		report, err := Import{Source: source}.Run(t.Context(), to)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if report.Rows != 11 || report.Rejected != 0 {
			t.Errorf("%+v", report)
		}
		notes := strings.Join(report.Notes, "\n")
		for _, want := range []string{"CHECK constraints", "by_lower", "trigger t", "several kinds", "no primary key", "text and numbers"} {
			if !strings.Contains(notes, want) {
				t.Errorf("no note about %s:\n%s", want, notes)
			}
		}
		for query, want := range map[string]string{
			"SELECT id, email, name, born, active, made FROM customer ORDER BY id": `int64 "1"|string "a@x"|string "Ann; O'Hara"|string "1990-01-02"|int64 "1"|string "2026-01-02 03:04:05.000000"|
int64 "2"|string "b@x"|string "line\nbreak"|<nil> "<nil>"|int64 "0"|string "2026-01-02 03:04:05.500000"|
`,
			"SELECT id, customer_id, total, price, `odd name`, HEX(pic) FROM orders ORDER BY id": `int64 "1"|int64 "1"|float64 "10.5"|string "9.99"|string "it's"|string "00FF"|
int64 "2"|int64 "1"|float64 "30"|string "100.00"|<nil> "<nil>"|<nil> "<nil>"|
int64 "9223372036854775807"|int64 "2"|float64 "1e+300"|string "0.01"|string "-- no"|string ""|
`,
			"SELECT * FROM tags ORDER BY tag, order_id":                                           "string \"new\"|int64 \"1\"|\nstring \"new\"|int64 \"2\"|\nstring \"old\"|int64 \"2\"|\n",
			"SELECT a, b, HEX(c) FROM loose ORDER BY a":                                           "string \"1\"|string \"text in a number\"|string \"01\"|\nstring \"3.5\"|<nil> \"<nil>\"|<nil> \"<nil>\"|\nstring \"two\"|string \"2\"|string \"7468726565\"|\n",
			"SELECT * FROM big ORDER BY id":                                                       "int64 \"2\"|string \"a@x\"|\nint64 \"9223372036854775807\"|string \"b@x\"|\n",
			"SELECT COUNT(*) FROM customer WHERE email = 'A@X'":                                   "int64 \"1\"|\n",
			"SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'vitessdo_import'": "int64 \"0\"|\n",
		} {
			if got := table(t, to, query); got != want {
				t.Errorf("%s: %s:\n%s\nwant:\n%s", source, query, got, want)
			}
		}
		do(t, to, "DELETE FROM customer WHERE id = 1")
		if got := table(t, to, "SELECT COUNT(*) FROM orders"); got != "int64 \"1\"|\n" {
			t.Errorf("the foreign key doesn't act: %s", got)
		}
	}
}

// TestDumpForSQLite writes a dump that the sqlite3 command reads, and reads it back.
func TestDumpForSQLite(t *testing.T) {
	_, from := openDB(t, ":memory:?shards=3&parse_time=false")
	fill(t, from)
	file := filepath.Join(t.TempDir(), "out.sql")
	out, err := Export{Target: file, Dialect: SQLiteDialect}.Run(t.Context(), from)
	if err != nil || len(out.Notes) == 0 {
		t.Fatal(out, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(t.TempDir(), "back.db")
	sqlite3(t, db, string(text))
	const columns = "id, tiny, big, d, exact, dbl, c, v, ci, t, HEX(vb), HEX(b), da, j"
	got := sqlite3(t, db, ".mode quote\nSELECT COUNT(*), SUM(id), SUM(length(v)) FROM every;")
	if strings.TrimSpace(got) != "300,44850,"+fmt.Sprint(sumLength(t, from)) {
		t.Errorf("sqlite3 has %s, not %d", got, sumLength(t, from))
	}
	_, to := openDB(t, ":memory:?shards=2&parse_time=false")
	if _, err := (Import{Source: db}).Run(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if a, b := table(t, from, "SELECT "+columns+" FROM every ORDER BY id"), table(t, to, "SELECT "+columns+" FROM every ORDER BY id"); a != b {
		t.Error(firstDifference(b, a))
	}
}

// TestDumpForSQLiteMeans has in the dump for SQLite what means there what it meant:
// defaults, CHECKs that take and refuse the same rows, and views that give the same.
func TestDumpForSQLiteMeans(t *testing.T) {
	_, from := openDB(t, ":memory:?shards=3&parse_time=false")
	for _, q := range []string{
		`CREATE TABLE c (id BIGINT PRIMARY KEY, n INT DEFAULT 7, p DECIMAL(10,2), x DECIMAL(40,2), name VARCHAR(20) COLLATE utf8mb4_general_ci DEFAULT 'x''\\y', d DATE DEFAULT '2026-01-02', f DOUBLE, made DATETIME DEFAULT CURRENT_TIMESTAMP, fine DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3),
CONSTRAINT small CHECK (n < 100 AND p > 0), CONSTRAINT named CHECK (name IN ('ann', 'bob') OR LENGTH(name) BETWEEN 4 AND 5), CONSTRAINT new CHECK (d >= '2020-01-01'), CONSTRAINT wide CHECK (x > 3), CONSTRAINT odd CHECK (MD5(name) <> 'x'), CONSTRAINT off CHECK (n > 1000) NOT ENFORCED)`,
		"CREATE TABLE o (id BIGINT PRIMARY KEY, c BIGINT, total DOUBLE, FOREIGN KEY (c) REFERENCES c (id))",
		"CREATE TABLE p (id BIGINT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_general_ci)",
		"INSERT INTO p VALUES (1, 'Ann'), (2, 'X')",
		"CREATE TABLE wide (id BIGINT PRIMARY KEY, x DECIMAL(40,2))",
		"INSERT INTO c (id, p, name, n, f, x) VALUES (1, 1.25, 'Ann', 1, 0.1, 4), (2, 100, 'bob', 2, NULL, 5), (3, 3, 'five5', 99, 1e300, 6)",
		"INSERT INTO o VALUES (1, 1, 10.5), (2, 1, 20), (3, 2, NULL)",
		"CREATE VIEW sums (who, n, total) AS SELECT o.c, COUNT(*), SUM(o.total) FROM o GROUP BY o.c",
		"CREATE VIEW a_view AS SELECT s.who FROM sums s WHERE s.n > 1",
		"CREATE VIEW joined AS SELECT o.id, p.name, total FROM o JOIN p ON p.id = o.c WHERE o.total > 5 AND p.name <> 'x'",
		"CREATE VIEW lengths AS SELECT LENGTH(name) AS l FROM p",
		"CREATE VIEW hashed AS SELECT MD5(n) FROM c",
		"CREATE VIEW now AS SELECT id, NOW() AS at FROM o",
		"CREATE VIEW broad AS SELECT id, x FROM wide",
	} {
		do(t, from, q)
	}
	file, db := filepath.Join(t.TempDir(), "out.sql"), filepath.Join(t.TempDir(), "back.db")
	out, err := Export{Target: file, Dialect: SQLiteDialect}.Run(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"table c: CHECK odd is left out: the function md5", "table c: CHECK off is left out, as it isn't enforced", "table c: CHECK wide is left out: values of column x",
		"table c: the default of column fine is left out", "view a_view stands as a comment", "view broad stands as a comment in the dump: values of column x of table wide",
		"view lengths stands as a comment in the dump: it needs octet_length", "view hashed stands as a comment", "view now stands as a comment in the dump: SQLite's own"}
	for _, n := range out.Notes {
		if i := slices.IndexFunc(want, func(w string) bool { return strings.HasPrefix(n, w) }); i < 0 {
			t.Errorf("a note that isn't due: %s", n)
		} else {
			want = slices.Delete(want, i, i+1)
		}
	}
	if len(want) > 0 {
		t.Errorf("notes that lack: %q in %q", want, out.Notes)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := sqlite3(t, db, string(text)+"INSERT INTO c (id, p) VALUES (9, 1); SELECT n, name, d, length(made), fine FROM c WHERE id = 9; DELETE FROM c WHERE id = 9;")
	if got != "7|x'\\y|2026-01-02|19|\n" {
		t.Errorf("defaults: %s", got)
	}
	for _, row := range []string{"100, 1, 'ann', '2026-01-01'", "99, 0, 'ann', '2026-01-01'", "99, 0.01, 'ANN', '2026-01-01'", "1, 1, 'cid', NULL", "1, 1, 'cids', '2019-12-31'", "NULL, NULL, NULL, NULL", "1, 10, 'BOB', '2020-01-01'", "1, 9, 'täg', '2020-01-01'"} {
		insert := "INSERT INTO c (id, n, p, name, d) VALUES (50, " + row + ");"
		_, err := from.ExecContext(t.Context(), insert)
		cmd := exec.Command("sqlite3", db, insert)
		cmd.Env = os.Environ()
		message, refused := cmd.CombinedOutput()
		if (err != nil) != (refused != nil) {
			t.Errorf("%s: %v, but SQLite: %v %s", row, err, refused, message)
		}
		_, _ = from.ExecContext(t.Context(), "DELETE FROM c WHERE id = 50")
		sqlite3(t, db, "DELETE FROM c WHERE id = 50;")
	}
	for query, want := range map[string]string{"SELECT * FROM sums ORDER BY who": "1|2|30.5\n2|1|\n", "SELECT * FROM joined ORDER BY id": "1|Ann|10.5\n2|Ann|20.0\n"} {
		if got := sqlite3(t, db, query+";"); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

func sumLength(t *testing.T, conn *sql.Conn) (n int64) {
	t.Helper()
	if err := conn.QueryRowContext(t.Context(), "SELECT SUM(CHAR_LENGTH(v)) FROM every").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestBadRecords names bad lines, stops at the first or keeps them in a file.
func TestBadRecords(t *testing.T) {
	const csv = "id,name,n\n1,one,1\n2,two\n3,\"th\"ree,3\n4,four,four\n1,again,5\n6,\"six\nlines\",6\n7,seven,\n8,\"no end,8\n"
	file := filepath.Join(t.TempDir(), "bad.csv")
	if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	const create = "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(20), n INT)"
	_, conn := openDB(t, ":memory:?shards=3")
	do(t, conn, create)
	report, err := Import{Source: file, Table: "t"}.Run(t.Context(), conn)
	var bad Bad
	if !errors.As(err, &bad) || bad.Line != 3 || report.Rows != 1 {
		t.Errorf("%+v %v", report, err)
	}
	rejects := filepath.Join(t.TempDir(), "rejects.csv")
	report, err = Import{Source: file, Table: "t", Skip: true, Rejects: rejects}.Run(t.Context(), conn)
	if err != nil || !report.Resumed || report.Before != 1 || report.Rows != 2 || report.Rejected != 5 {
		t.Errorf("%+v %v", report, err)
	}
	var lines []int64
	for _, b := range report.Bad {
		lines = append(lines, b.Line)
	}
	if fmt.Sprint(lines) != "[3 4 5 6 10]" {
		t.Errorf("bad lines %v: %v", lines, report.Bad)
	}
	text, err := os.ReadFile(rejects)
	if want := "id,name,n\n2,two\n3,\"th\"ree,3\n4,four,four\n1,again,5\n8,\"no end,8\n"; err != nil || string(text) != want {
		t.Errorf("rejects %q %v", text, err)
	}
	if got, want := table(t, conn, "SELECT * FROM t ORDER BY id"), "int64 \"1\"|string \"one\"|int64 \"1\"|\nint64 \"6\"|string \"six\\nlines\"|int64 \"6\"|\nint64 \"7\"|string \"seven\"|<nil> \"<nil>\"|\n"; got != want {
		t.Errorf("%s", got)
	}
	for source, want := range map[string]string{
		`{"id": 20, "nam": "x"}`: "no column", `{"id": 20`: "bad JSON", `[1]`: "no JSON object", `{"id": 1}`: "1062", `{"id": 20, "name": "123456789012345678901"}`: "1406",
		`{"id": 20} {}`: "behind the object", `{}`: "without a key",
	} {
		_, err := Import{Source: "-", Stdin: strings.NewReader("\n" + source + "\n"), Format: JSONL, Table: "t", Restart: true}.Run(t.Context(), conn)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
}

// TestMendedSource goes on with a source of which the record that stopped the import was
// mended, however near to the beginning that is; what was taken in must not be another.
func TestMendedSource(t *testing.T) {
	for _, c := range []struct{ name, good, bad, mended, rest string }{
		{"in.csv", "id,name,n\n1,one,1\n", "two,two,2\n", "2,\"two\nlines, mended\",2\n", "3,three,3\n"},
		{"first.csv", "", "id,name,n\nsix,six,6\n", "id,name,n\n1,one,1\n2,two,2\n", "3,three,3\n"},
		{"in.jsonl", `{"id": 1, "name": "one"}` + "\n", `{"id": 2, "nome": "two"}` + "\n", `{"id": 2, "name": "two"}` + "\n", `{"id": 3}` + "\n"},
		{"in.sql", "INSERT INTO t VALUES (1, 'one', 1);\n", "INSERT INTO t VALUES (2, 'two');\n", "INSERT INTO t VALUES (2, 'two', 2);\n", "INSERT INTO t VALUES (3, 'three', 3);\n"},
		{"schema.sql", "INSERT INTO t VALUES (1, 'one', 1);\n", "ALTER TABLE t ADD COLUMN n INT;\n", "ALTER TABLE t ADD COLUMN another INT;\n", "INSERT INTO t (id) VALUES (2), (3);\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, conn := openDB(t, ":memory:?shards=3")
			do(t, conn, "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(20), n INT)")
			in := Import{Source: filepath.Join(t.TempDir(), c.name)}
			if in.Format = FormatOf(in.Source); in.Format != SQL {
				in.Table = "t"
			}
			run := func(text string) error {
				t.Helper()
				if err := os.WriteFile(in.Source, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				_, err := in.Run(t.Context(), conn)
				return err
			}
			var bad Bad
			if err := run(c.good + c.bad + c.rest); !errors.As(err, &bad) {
				t.Fatalf("the bad record: %v", err)
			}
			if c.good != "" {
				other := strings.Replace(c.good, "1", "9", 1)
				if err := run(other + c.mended + c.rest); err == nil || !strings.Contains(err.Error(), "begins differently") {
					t.Errorf("another source: %v", err)
				}
			}
			if err := run(c.good + c.mended + c.rest); err != nil {
				t.Errorf("the mended source: %v", err)
			}
			if got, want := table(t, conn, "SELECT GROUP_CONCAT(id ORDER BY id) FROM t"), "string \"1,2,3\"|\n"; got != want {
				t.Errorf("rows %s, want %s", got, want)
			}
		})
	}
}

// TestTablesAlike imports tables that have the same columns: each keeps its own rows, and
// the rejects of all are kept.
func TestTablesAlike(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in.db")
	sqlite3(t, file, "CREATE TABLE a (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO a VALUES (1, '10'), (2, 'bad a'), (3, '30');"+
		"CREATE TABLE b (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO b VALUES (1, '11'), (2, 'bad b'), (4, '41');")
	_, conn := openDB(t, ":memory:?shards=3")
	for _, name := range []string{"a", "b"} {
		do(t, conn, "CREATE TABLE "+name+" (id BIGINT PRIMARY KEY, n INT)")
	}
	rejects := filepath.Join(t.TempDir(), "rejects")
	report, err := Import{Source: file, Format: SQLite, Skip: true, Rejects: rejects}.Run(t.Context(), conn)
	if err != nil || report.Rows != 4 || report.Rejected != 2 {
		t.Errorf("%+v %v", report, err)
	}
	if got, want := table(t, conn, "SELECT (SELECT GROUP_CONCAT(id, ':', n ORDER BY id) FROM a), (SELECT GROUP_CONCAT(id, ':', n ORDER BY id) FROM b)"), "string \"1:10,3:30\"|string \"1:11,4:41\"|\n"; got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	const want = "INSERT INTO `a` (`id`, `n`) VALUES (2, 'bad a');\nINSERT INTO `b` (`id`, `n`) VALUES (2, 'bad b');\n"
	if text, err := os.ReadFile(rejects); err != nil || string(text) != want {
		t.Errorf("rejects %q %v", text, err)
	}
}

// TestRejectedRows: the rejects of a SQLite file are a dump that brings them, whatever
// they hold, where the table takes them.
func TestRejectedRows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in.db")
	sqlite3(t, file, "CREATE TABLE `t``s` (id INTEGER PRIMARY KEY, i INTEGER, d REAL, s TEXT, b BLOB); INSERT INTO `t``s` VALUES "+
		"(1, 9223372036854775807, 0.1, 'it''s \\ '||char(10, 13, 26)||'é', x'00ff27'), (2, NULL, NULL, NULL, NULL), (3, -1, -1e300, '', x'')")
	_, conn := openDB(t, ":memory:?shards=3")
	const columns = " (id BIGINT PRIMARY KEY, i BIGINT, d DOUBLE, s TEXT, b BLOB"
	do(t, conn, "CREATE TABLE `t``s`"+columns+", CHECK (id < 0))")
	rejects := filepath.Join(t.TempDir(), "rejects.sql")
	report, err := Import{Source: file, Format: SQLite, Skip: true, Rejects: rejects}.Run(t.Context(), conn)
	if err != nil || report.Rows != 0 || report.Rejected != 3 {
		t.Fatalf("%+v %v", report, err)
	}
	do(t, conn, "DROP TABLE `t``s`")
	do(t, conn, "CREATE TABLE `t``s`"+columns+")")
	if report, err := (Import{Source: rejects}).Run(t.Context(), conn); err != nil || report.Rejected != 0 {
		t.Fatalf("%+v %v", report, err)
	}
	got := table(t, conn, "SELECT id, i, d, HEX(s), HEX(b) FROM `t``s` ORDER BY id")
	want := "int64 \"1\"|int64 \"9223372036854775807\"|float64 \"0.1\"|string \"69742773205C200A0D1AC3A9\"|string \"00FF27\"|\n" +
		"int64 \"2\"|<nil> \"<nil>\"|<nil> \"<nil>\"|<nil> \"<nil>\"|<nil> \"<nil>\"|\n" +
		"int64 \"3\"|int64 \"-1\"|float64 \"-1e+300\"|string \"\"|string \"\"|\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestColumnsAlike writes records of which some have the columns a and b, and some the
// column "a b".
func TestColumnsAlike(t *testing.T) {
	_, conn := openDB(t, ":memory:?shards=3")
	do(t, conn, "CREATE TABLE t (a INT, b INT, `a b` INT)")
	const text = `{"a": 1, "b": 2}` + "\n" + `{"a b": 3}` + "\n"
	if report, err := (Import{Source: "-", Stdin: strings.NewReader(text), Format: JSONL, Table: "t"}).Run(t.Context(), conn); err != nil || report.Rows != 2 {
		t.Errorf("%+v %v", report, err)
	}
	if got, want := table(t, conn, "SELECT SUM(a), SUM(b), SUM(`a b`) FROM t"), "int64 \"1\"|int64 \"2\"|int64 \"3\"|\n"; got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
}

// TestMapping leads columns of the source to others of the table.
func TestMapping(t *testing.T) {
	_, conn := openDB(t, ":memory:?shards=2")
	do(t, conn, "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(20) DEFAULT 'none', n INT)")
	for i, in := range []Import{
		{Format: CSV, Stdin: strings.NewReader("\ufeffNo;Left;Who\r\n1;x;Ann\r\n"), Names: map[string]string{"No": "id", "Who": "name"}, Text: Text{Delimiter: ';'}},
		{Format: CSV, Stdin: strings.NewReader("7,2\n"), Columns: []string{"n", "id"}, Text: Text{NoHeader: true}},
		{Format: JSONL, Stdin: strings.NewReader(`{"No": 3, "x": {"deep": 1}, "Who": "Cid"}` + "\n" + `{"Who": null, "No": 4}`), Names: map[string]string{"No": "id", "Who": "name"}},
	} {
		in.Source, in.Table = "-", "t"
		if r, err := in.Run(t.Context(), conn); err != nil {
			t.Errorf("%d: %+v %v", i, r, err)
		}
	}
	want := "int64 \"1\"|string \"Ann\"|<nil> \"<nil>\"|\nint64 \"2\"|string \"none\"|int64 \"7\"|\nint64 \"3\"|string \"Cid\"|<nil> \"<nil>\"|\nint64 \"4\"|<nil> \"<nil>\"|<nil> \"<nil>\"|\n"
	if got := table(t, conn, "SELECT * FROM t ORDER BY id"); got != want {
		t.Errorf("got %s", got)
	}
	for in, want := range map[*Import]string{
		{Source: "x.csv"}:            "no such file",
		{Source: "x"}:                "doesn't tell its format",
		{Source: "-", Format: "xml"}: "isn't known",
		{Source: "-", Format: CSV, Stdin: strings.NewReader("")}:                                                       "table that takes the rows",
		{Source: "-", Format: CSV, Table: "none", Stdin: strings.NewReader("")}:                                        "no table none",
		{Source: "-", Format: CSV, Table: "t", Stdin: strings.NewReader("")}:                                           "is empty",
		{Source: "-", Format: CSV, Table: "t", Stdin: strings.NewReader("a,b\n")}:                                      `no column "a"`,
		{Source: "-", Format: CSV, Table: "t", Names: map[string]string{"q": "id"}, Stdin: strings.NewReader("a,b\n")}: `no column "q"`,
	} {
		if _, err := in.Run(t.Context(), conn); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", in, err, want)
		}
	}
}
