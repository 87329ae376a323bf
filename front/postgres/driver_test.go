package postgres

import (
	"database/sql"
	"database/sql/driver"
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
		{`SELECT array_agg(DISTINCT id) FROM p`, "0A000", 8, "subquery"},
		{`SELECT * FROM p FULL JOIN k USING (id)`, "0A000", 27, "coalesce(a.x, b.x)"},
		{`CREATE UNIQUE INDEX i ON p (s) WHERE c > 1`, "0A000", 26, "unique index with WHERE"},
		{`CREATE TYPE mood AS ENUM ('a')`, "0A000", 1, "CHECK"},
		{`INSERT INTO p VALUES (1, 1, 1) ON CONFLICT (n) DO NOTHING`, "42P10", 0, "no primary or unique key on (n)"},
		{`INSERT INTO p VALUES (1, 1, 1) ON CONFLICT ON CONSTRAINT p_c_check DO NOTHING`, "42P10", 0, "p_c_check"},
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

// TestCatalogNames: the catalog's columns come by the names that they were asked for, as
// programs scan them by name; MySQL has them in capital letters.
func TestCatalogNames(t *testing.T) {
	db := open(t, ":memory:?shards=2&dialect=postgres")
	rows, err := db.Query(`SELECT c.column_name, c.data_type AS kind, is_nullable FROM information_schema.columns c WHERE table_name = 'none'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if got, err := rows.Columns(); err != nil || !reflect.DeepEqual(got, []string{"column_name", "kind", "is_nullable"}) {
		t.Errorf("%v, %v", got, err)
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

// TestSearchPath: names never mean another schema's tables than those that the statement
// asks for.
func TestSearchPath(t *testing.T) {
	db := open(t, ":memory:?shards=2&dialect=postgres")
	for query, ok := range map[string]bool{
		"SET search_path TO public": true, `SET search_path = "$user", public, pg_catalog`: true, "SET search_path = ''": true, "RESET search_path": true,
		"SET search_path TO shop": false, "SET search_path TO public, shop": false, "SET SESSION search_path = 'shop'": false, "SET LOCAL search_path = shop": false,
	} {
		_, err := db.Exec(query)
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "USE shop") {
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

// pqArray gives an array's text, as lib/pq's arrays do.
type pqArray string

func (a pqArray) Value() (driver.Value, error) { return string(a), nil }

// TestListArguments: a parameter may be a list: a slice, or text as PostgreSQL writes
// it. It goes to the shards of its members, and each length has its plan.
func TestListArguments(t *testing.T) {
	db := open(t, ":memory:?shards=4&dialect=postgres")
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	exec("CREATE TABLE t (id bigint PRIMARY KEY, s text, at timestamptz, ok boolean)")
	ids, names := make([]int64, 20), make([]string, 20)
	for i := range ids {
		ids[i], names[i] = int64(i+1), fmt.Sprintf("n%d", i+1)
	}
	exec("INSERT INTO t (id, s) SELECT unnest($1::bigint[]), unnest($2::text[])", ids, names)
	exec("INSERT INTO t (id, ok) SELECT * FROM unnest($1::bigint[], $2::boolean[]) AS v(id, ok)", pqArray("{101,102,103}"), []bool{true, false})
	exec("UPDATE t SET s = v.s FROM unnest($1::bigint[], $2::text[]) AS v(id, s) WHERE t.id = v.id", []int64{101, 102}, pqArray(`{"a, \"b\"",NULL}`))
	for _, c := range []struct {
		query string
		args  []any
		want  string
	}{
		{"SELECT id FROM t WHERE id = ANY($1) ORDER BY id", []any{[]int64{3, 1, 2, 99}}, "1 2 3"},
		{"SELECT id FROM t WHERE id = ANY($1) ORDER BY id", []any{[]int{7}}, "7"},
		{"SELECT id FROM t WHERE id = ANY($1) ORDER BY id", []any{[]int32{}}, ""},
		{"SELECT id FROM t WHERE id = ANY($1) ORDER BY id", []any{pqArray("{1,NULL,5}")}, "1 5"},
		{"SELECT id FROM t WHERE id = ANY($1) ORDER BY id", []any{[]byte("{1, 6}")}, "1 6"},
		{"SELECT id FROM t WHERE id = ANY($1) ORDER BY id", []any{nil}, ""},
		{"SELECT id FROM t WHERE id = ANY($1) ORDER BY id", []any{ids}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"},
		{"SELECT id FROM t WHERE id = ANY($1::bigint[]) AND s <> $2 ORDER BY id", []any{pqArray("{1,2,3}"), "n2"}, "1 3"},
		{"SELECT id FROM t WHERE $2 < id AND id = ANY($1) AND id < $3 ORDER BY id", []any{[]int64{1, 2, 3, 4, 5}, 1, 5}, "2 3 4"},
		{"SELECT id FROM t WHERE s = ANY($1::text[]) ORDER BY id", []any{[]string{"n4", "a, \"b\"", "none"}}, "4 101"},
		{"SELECT id FROM t WHERE id <> ALL($1) AND id < 4 ORDER BY id", []any{[]int64{1}}, "2 3"},
		{"SELECT id FROM t WHERE id <> ALL($1) AND id < 3 ORDER BY id", []any{[]int64{}}, "1 2"},
		{"SELECT id FROM t WHERE id <> ALL($1) AND id < 3 ORDER BY id", []any{[]*int64{nil, &ids[0]}}, ""},
		{"SELECT id FROM t WHERE id IN (SELECT unnest($1::bigint[])) ORDER BY id", []any{[]int64{8, 9}}, "8 9"},
		{"SELECT id FROM t WHERE s LIKE ANY($1) AND id = ANY($2) ORDER BY id", []any{[]string{"n1%", "%2"}, []int64{1, 2, 3, 12}}, "1 2 12"},
		{"SELECT id FROM t WHERE ok = ANY($1) ORDER BY id", []any{[]bool{true}}, "101"},
		{"SELECT id FROM t WHERE id = ANY($1) OR id = ANY($2) OR id + 1 = ANY($1) ORDER BY id", []any{[]int64{4}, []int64{6, 7}}, "3 4 6 7"},
		{"SELECT x FROM unnest($1::int[]) AS x ORDER BY x", []any{[]int64{5, 5, 4}}, "4 5 5"},
		{"DELETE FROM t WHERE id = ANY($1) RETURNING id", []any{[]int64{20}}, "20"},
	} {
		for range 2 { // the second time from the plans that are kept
			rows, err := db.Query(c.query, c.args...)
			if err != nil {
				t.Errorf("%s of %v: %v", c.query, c.args, err)
				break
			}
			var got []string
			for rows.Next() {
				var id string
				if err := rows.Scan(&id); err != nil {
					t.Fatal(err)
				}
				got = append(got, id)
			}
			if err := rows.Err(); err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("%s of %v: %v %v; want %s", c.query, c.args, got, err, c.want)
			}
			if strings.HasPrefix(c.query, "DELETE") {
				break
			}
		}
	}
	stmt, err := db.Prepare("SELECT count(*) FROM t WHERE id = ANY($1)")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	many := make([]int64, 5000)
	for i := range many {
		many[i] = int64(i)
	}
	for n, want := range map[int]int{2: 1, 4: 3, 5000: 22} {
		var got int
		if err := stmt.QueryRow(many[:n]).Scan(&got); err != nil || got != want {
			t.Errorf("%d ids: %d %v; want %d", n, got, err, want)
		}
	}
	for _, c := range []struct {
		query string
		arg   any
		part  string
	}{
		{"SELECT 1 FROM t WHERE id = ANY($1)", 7, "must be a list"},
		{"SELECT 1 FROM t WHERE id = ANY($1)", "7", "malformed array literal"},
		{"SELECT 1 FROM t WHERE id = ANY($1)", "{{1},{2}}", "malformed array literal"},
		{"SELECT 1 FROM t WHERE id = $1", []int64{1}, "a list"},
		{"SELECT 1 FROM t WHERE id = ANY($1) AND id = $1", []int64{1}, "list and"},
		{"SELECT 1 FROM t WHERE id = ANY($1)", []any{struct{}{}}, "member 1"},
	} {
		if _, err := db.Query(c.query, c.arg); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s of %v: %v; want %s", c.query, c.arg, err, c.part)
		}
	}
	// It is one shard that a list of one member asks.
	var plan string
	if err := db.QueryRow("EXPLAIN (FORMAT vitess) SELECT id FROM t WHERE id = ANY('{7}')").Scan(&plan, new(any), new(any), new(any), new(any)); err != nil || plan != "single_shard" {
		t.Error(plan, err)
	}
}

// TestWithThatWrites: a WITH that writes takes arguments and lists, is prepared, is
// undone as a whole, and is no query to a connection that only reads.
func TestWithThatWrites(t *testing.T) {
	for _, shards := range []int{1, 4} {
		db := open(t, fmt.Sprintf(":memory:?shards=%d&dialect=postgres", shards))
		for _, query := range []string{"CREATE TABLE a (id bigint PRIMARY KEY, s text)", "CREATE TABLE b (id bigint PRIMARY KEY, s text, at timestamptz)",
			"INSERT INTO a SELECT g, 'n' || g FROM generate_series(1, 20) AS g"} {
			if _, err := db.Exec(query); err != nil {
				t.Fatal(err)
			}
		}
		const move = "WITH m AS (DELETE FROM a WHERE id = ANY($1) RETURNING *) INSERT INTO b SELECT id, s || $2, $3 FROM m"
		at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
		stmt, err := db.Prepare(move)
		if err != nil {
			t.Fatal(err)
		}
		defer stmt.Close()
		for _, ids := range [][]int64{{1, 2}, {3}, {4, 5, 6, 99}} {
			if _, err := stmt.Exec(ids, "!", at); err != nil {
				t.Fatal(err)
			}
		}
		r, err := db.Exec(move, []int64{7, 8}, "?", at)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := r.RowsAffected(); n != 2 {
			t.Error(n)
		}
		var n int
		var all string
		if err := db.QueryRow("SELECT count(*), string_agg(s, ' ' ORDER BY id) FROM b WHERE at = $1", at).Scan(&n, &all); err != nil || n != 8 || all != "n1! n2! n3! n4! n5! n6! n7? n8?" {
			t.Error(n, all, err)
		}
		if _, err := db.Exec(move, []int64{9, 10, 11}, nil, "no time"); err == nil {
			t.Error("a time was expected")
		}
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(move, []int64{9}, "", at); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("WITH m AS (DELETE FROM a WHERE id < 15 RETURNING *) INSERT INTO b SELECT 1, s FROM m"); err == nil {
			t.Error("the key is taken")
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRow("SELECT (SELECT count(*) FROM a) * 100 + (SELECT count(*) FROM b)").Scan(&n); err != nil || n != 1109 {
			t.Error(n, err)
		}
		reader, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Query("WITH m AS (DELETE FROM a RETURNING *) SELECT count(*) FROM m"); err == nil {
			t.Error("the transaction only reads")
		}
		_ = reader.Rollback()
	}
}
