package postgres

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/front/corpus"
	"github.com/vitessdo/vitessdo/gate"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/sqlast"
)

// TestParameters: $n in any order, as often as one likes, of every type.
func TestParameters(t *testing.T) {
	db := open(t, ":memory:?shards=4&dialect=postgres")
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	exec(`CREATE TABLE t (id serial PRIMARY KEY, name text, ok bool, at timestamptz, raw bytea, doc jsonb, n int)`)
	at := time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)
	exec(`INSERT INTO t (name, ok, at, raw, doc, n) VALUES ($2, $1, $3, $4, $5, $6), ($2 || '!', NOT $1, $3, $4, $5, $6 + 1)`,
		true, "Ann", at, []byte{0, 255}, `{"a": [1, 2]}`, 7)
	var name, doc string
	var ok bool
	var when time.Time
	var raw []byte
	var n, half int64
	err := db.QueryRow(`SELECT name, ok, at, raw, doc->'a'->>1, n, n / $2 FROM t WHERE id = $1 AND n > $2 AND at <= $3`, 1, 2, at).
		Scan(&name, &ok, &when, &raw, &doc, &n, &half)
	if err != nil {
		t.Fatal(err)
	}
	if name != "Ann" || !ok || !when.Equal(at) || string(raw) != "\x00\xff" || doc != "2" || n != 7 || half != 3 {
		t.Error(name, ok, when, raw, doc, n, half)
	}
	var count int
	if err := db.QueryRow(`SELECT count(*) FROM t WHERE name = $1 OR name = $1 || '!'`, "Ann").Scan(&count); err != nil || count != 2 {
		t.Error(count, err)
	}
	if err := db.QueryRow(`SELECT count(*) FROM t WHERE at > $1::timestamptz - INTERVAL '1 hour' AND ok = $2`, at, false).Scan(&count); err != nil || count != 1 {
		t.Error(count, err)
	}
	r, err := db.Exec(`UPDATE t SET n = n WHERE name LIKE $1`, "Ann%")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := r.RowsAffected(); n != 2 {
		t.Error("PostgreSQL counts the rows that were found", n)
	}
	if _, err := db.Exec(`SELECT $2`, 1); err == nil {
		t.Error("an argument was missing")
	}
}

// TestGate: a gate's client chooses PostgreSQL's dialect for itself, and has its
// booleans and SQL states.
func TestGate(t *testing.T) {
	cfg, err := vitessdo.ParseDSN(":memory:?shards=2")
	if err != nil {
		t.Fatal(err)
	}
	db, err := vitessdo.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	g := gate.New(db, gate.Options{})
	defer g.Close()
	here, there := capnweb.Pipe()
	server := capnweb.NewSession(there, g.Main(gate.Grant{}), nil)
	client := capnweb.NewSession(here, nil, nil)
	defer func() { _ = client.Close(); <-server.Done() }()
	ask := func(sql string, params ...any) (any, error) {
		v, err := client.Main().Do(t.Context(), "call", map[string]any{"type": 1, "dialect": "postgres", "sql": sql, "params": params})
		if err != nil {
			return nil, err
		}
		return v.(map[string]any)["rows"], nil
	}
	for _, c := range [][2]string{
		{"CREATE TABLE t (id serial PRIMARY KEY, ok boolean)", "<nil>"},
		{"INSERT INTO t (ok) VALUES (true), (NULL) RETURNING id, ok", "[[1 true] [2 <nil>]]"},
		{"SELECT id / 2, ok IS TRUE FROM t WHERE id = 1", "[[0 true]]"},
	} {
		if rows, err := ask(c[0]); err != nil || fmt.Sprint(rows) != c[1] {
			t.Errorf("%s: %v %v; want %s", c[0], rows, err, c[1])
		}
	}
	_, err = ask("INSERT INTO t VALUES ($1)", 1)
	var e *capnweb.Error
	if !errors.As(err, &e) || e.Props["sqlState"] != "23505" {
		t.Errorf("%v", err)
	}
}

// TestSetDialect: SET leads to this dialect and back, as PostgreSQL writes it.
func TestSetDialect(t *testing.T) {
	db := open(t, ":memory:")
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range [][2]string{
		{"SET vitess_dialect = 'postgres'", ""},
		{"SHOW vitess_dialect", "postgres"},
		{"SELECT 7 / 2", "3"},
		{"SET vitess_dialect TO mysql", ""},
		{"SELECT 7 / 2", "3.5000"},
		{"SET vitess_dialect = postgres", ""},
		{"SELECT 7 / 2", "3"},
		{"SET vitess_dialect TO klingon", "error: vitessdo: Error 1231 (42000): variable 'vitess_dialect' can't be set: there is no dialect \"klingon\" in this program, which knows mysql, postgres"},
	} {
		if got := strings.Join(answer(t.Context(), conn, c[0]), "\n"); got != c[1] {
			t.Errorf("%s gave %s; want %s", c[0], got, c[1])
		}
	}
}

// TestStates: errors have PostgreSQL's SQL states, and their place.
func TestStates(t *testing.T) {
	db := open(t, ":memory:?shards=4&dialect=postgres")
	for _, query := range []string{
		`CREATE TABLE p (id int PRIMARY KEY, u int UNIQUE, n int NOT NULL, c int CHECK (c > 0), s varchar(3))`,
		`CREATE TABLE k (id int PRIMARY KEY, p int REFERENCES p (id))`,
		`INSERT INTO p VALUES (1, 1, 1, 1, 'abc')`,
	} {
		if _, err := db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		query, state string
		column       int
		part         string
	}{
		{`INSERT INTO p VALUES (1, 2, 2, 2)`, "23505", 0, ""},
		{`INSERT INTO p VALUES (2, 1, 2, 2)`, "23505", 0, ""},
		{`INSERT INTO p VALUES (2, 2, NULL, 2)`, "23502", 0, ""},
		{`INSERT INTO p VALUES (2, 2, 2, 0)`, "23514", 0, "p_c_check"},
		{`INSERT INTO p VALUES (2, 2, 2, 2, 'abcd')`, "22001", 0, ""},
		{`INSERT INTO p VALUES (3000000000, 2, 2, 2)`, "22003", 0, ""},
		{`INSERT INTO k VALUES (1, 9)`, "23503", 0, ""},
		{`SELECT * FROM nowhere`, "42P01", 15, ""},
		{`SELECT nothing FROM p`, "42703", 8, ""},
		{`SELECT id FRM p`, "42601", 15, ""},
		{`SELECT 'é', id FRM p`, "42601", 20, ""},
		{`SELECT id::int[] FROM p`, "0A000", 12, "keep lists as JSONB"},
		{`SELECT array_agg(id) FROM p`, "0A000", 8, "jsonb_agg"},
		{`SELECT a.* FROM p a FULL JOIN k ON k.p = a.id`, "0A000", 40, "FULL JOIN"},
		{`CREATE UNIQUE INDEX i ON p (s) WHERE c > 1`, "0A000", 26, "WHERE"},
		{`CREATE TYPE mood AS ENUM ('a')`, "0A000", 1, "CHECK"},
		{`UPDATE p SET u = n, n = u`, "0A000", 21, "FROM"},
	} {
		_, err := db.Exec(c.query)
		var e *vitessdo.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if e.SQLState != c.state || c.column > 0 && e.Column != c.column || !strings.Contains(e.Message, c.part) {
			t.Errorf("%s: state %s column %d: %v; want %s, column %d, %q", c.query, e.SQLState, e.Column, e, c.state, c.column, c.part)
		}
	}
}

// TestColumnTypes: results tell PostgreSQL's types, and Go's that fit.
func TestColumnTypes(t *testing.T) {
	db := open(t, ":memory:?shards=4&dialect=postgres")
	if _, err := db.Exec(`CREATE TABLE t (a smallint, b int, c bigserial PRIMARY KEY, d bool, e real, f double precision, g numeric(9,2),
		h text, i varchar(9), j bytea, k jsonb, l date, m timestamp, n timestamptz, o uuid)`); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(`SELECT *, a = b AS p, count(*) OVER () FROM t`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields("a:INT2 b:INT4 c:INT8 d:BOOL e:FLOAT4 f:FLOAT8 g:NUMERIC h:TEXT i:VARCHAR j:BYTEA k:JSONB l:DATE m:TIMESTAMP n:TIMESTAMPTZ " +
		"o:VARCHAR p:BOOL count:INT8")
	var got []string
	for _, c := range types {
		got = append(got, c.Name()+":"+c.DatabaseTypeName())
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestSplit cuts scripts where PostgreSQL's parser sees statements end.
func TestSplit(t *testing.T) {
	got, err := Split("SELECT ';'; -- a; b\n;SELECT $$;$$; SELECT 2")
	if err != nil || len(got) != 3 || got[2] != "SELECT 2" {
		t.Errorf("%q %v", got, err)
	}
	db := open(t, ":memory:?dialect=postgres&multi_statements=true")
	if _, err := db.Exec("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)"); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRow("SELECT count(*) FROM a").Scan(&n); err != nil || n != 2 {
		t.Error(n, err)
	}
}

// TestOwnStatements: what is vitessdo's own can be said in this dialect, too.
func TestOwnStatements(t *testing.T) {
	db := open(t, ":memory:?shards=4&dialect=postgres")
	for _, query := range []string{"CREATE TABLE t (id int PRIMARY KEY)", "SHOW TABLES", "SHOW VSCHEMA", "SHOW VITESS_SHARDS", "DESCRIBE t",
		"VEXPLAIN PLAN SELECT 1", "EXPLAIN (FORMAT vitess) SELECT id FROM t ORDER BY id LIMIT 3", "SHOW server_version", "SET application_name = 'x'"} {
		if _, err := db.Exec(query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestManyAtOnce: sessions parse side by side.
func TestManyAtOnce(t *testing.T) {
	db := open(t, ":memory:?dialect=postgres")
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			var n int
			if err := db.QueryRow(fmt.Sprintf("SELECT $1::int + %d", i), 1).Scan(&n); err != nil || n != i+1 {
				t.Error(n, err)
			}
		})
	}
	wg.Wait()
}

// FuzzParse: every text is a statement or an error with a place in the text.
func FuzzParse(f *testing.F) {
	// The parser is compiled at the first statement, for longer than one input may take.
	if _, err := Parse("SELECT 1"); err != nil {
		f.Fatal(err)
	}
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
