package vitessdo

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func TestInterfaces(t *testing.T) {
	var d driver.Driver = &Driver{}
	dc, ok := d.(driver.DriverContext)
	if !ok {
		t.Fatal("Driver is no DriverContext")
	}
	connector, err := dc.OpenConnector(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := connector.(io.Closer); !ok {
		t.Error("Connector is no io.Closer")
	}
	if connector.Driver() == nil {
		t.Error("Connector has no driver")
	}
	c, err := connector.Connect(bg)
	if err != nil {
		t.Fatal(err)
	}
	for name, ok := range map[string]bool{
		"Pinger": is[driver.Pinger](c), "ExecerContext": is[driver.ExecerContext](c), "QueryerContext": is[driver.QueryerContext](c),
		"ConnPrepareContext": is[driver.ConnPrepareContext](c), "ConnBeginTx": is[driver.ConnBeginTx](c),
		"SessionResetter": is[driver.SessionResetter](c), "Validator": is[driver.Validator](c), "NamedValueChecker": is[driver.NamedValueChecker](c),
	} {
		if !ok {
			t.Errorf("Conn is no %s", name)
		}
	}
	st, err := c.Prepare("SELECT ?")
	if err != nil {
		t.Fatal(err)
	}
	if !is[driver.StmtExecContext](st) || !is[driver.StmtQueryContext](st) {
		t.Error("Stmt lacks the context interfaces")
	}
	//lint:ignore SA1019 the old way must work
	r, err := st.Query([]driver.Value{int64(1)})
	if err != nil {
		t.Fatal(err)
	}
	if !is[driver.RowsNextResultSet](r) || !is[driver.RowsColumnTypeScanType](r) || !is[driver.RowsColumnTypeLength](r) ||
		!is[driver.RowsColumnTypeDatabaseTypeName](r) || !is[driver.RowsColumnTypeNullable](r) || !is[driver.RowsColumnTypePrecisionScale](r) {
		t.Error("Rows lacks interfaces")
	}
	if err := errors.Join(r.Close(), r.Close(), st.Close(), c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	if err := c.(driver.Pinger).Ping(bg); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("Ping of a closed connection: %v", err)
	}
	if _, err := c.Prepare("SELECT 1"); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("Prepare on a closed connection: %v", err)
	}
	//lint:ignore SA1019 the old way must work
	if _, err := c.Begin(); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("Begin on a closed connection: %v", err)
	}
	if err := connector.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	if _, err := connector.Connect(bg); err == nil {
		t.Error("a closed connector connects")
	}
}

func is[T any](v any) bool { _, ok := v.(T); return ok }

func TestOpenErrorsShowAtOnce(t *testing.T) {
	for dsn, part := range map[string]string{
		"file:x?shard=4":           `did you mean "shards"`,
		"":                         "",
		":memory:?shards=0":        "shards",
		":memory:?shards=x":        "shards",
		"mysql://root@localhost/x": "",
		":memory:?parse_time=perh": "parse_time",
	} {
		_, err := sql.Open("vitessdo", dsn)
		if e := wantCode(t, err, CodeDSN, dsn); !strings.Contains(e.Error(), part) {
			t.Errorf("%s: %v; want something with %q", dsn, err, part)
		}
		if !errors.Is(err, ErrDSN) {
			t.Errorf("%s: not ErrDSN", dsn)
		}
	}
}

func TestNewConnector(t *testing.T) {
	cfg := NewConfig()
	cfg.Memory, cfg.Shards = true, 2
	c, err := NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Shards = 99 // a copy is used
	db := sql.OpenDB(c)
	defer db.Close()
	want(t, db, "main/-80 main/80-", "SHOW VITESS_SHARDS LIKE '%'")
	if _, err := NewConnector(&Config{}); err == nil {
		t.Error("an empty Config is taken")
	}
}

type valuer struct{ v any }

func (v valuer) Value() (driver.Value, error) {
	if err, ok := v.v.(error); ok {
		return nil, err
	}
	return v.v, nil
}

type (
	myInt   int32
	myUint  uint64
	myText  string
	myBytes []byte
	myBool  bool
)

func TestArguments(t *testing.T) {
	db := memDBWith(t, anyText, "")
	now := time.Date(2024, 2, 29, 13, 14, 15, 123456000, time.UTC)
	five, none := 5, (*int)(nil)
	for _, tc := range []struct {
		arg  any
		want string
	}{
		{1, "1"}, {int8(-8), "-8"}, {uint16(7), "7"}, {uint64(math.MaxInt64), "9223372036854775807"},
		{int64(math.MinInt64), "-9223372036854775808"}, {1.5, "1.5"}, {float32(0.25), "0.25"},
		{true, "1"}, {false, "0"}, {"a'b", "a'b"}, {"", ""}, {"nul\x00in", "nul\x00in"}, {"żółć", "żółć"},
		{[]byte("bytes"), "bytes"}, {[]byte{}, ""}, {[]byte(nil), "∅"}, {nil, "∅"}, {now, "2024-02-29 13:14:15.123456"},
		{json.RawMessage(`{"a":1}`), `{"a":1}`}, {json.RawMessage(nil), "∅"},
		{valuer{int64(9)}, "9"}, {valuer{nil}, "∅"}, {valuer{"t"}, "t"}, {valuer{uint64(3)}, "3"}, {valuer{now}, "2024-02-29 13:14:15.123456"},
		{sql.NullString{}, "∅"}, {sql.NullInt64{Int64: 4, Valid: true}, "4"}, {sql.Null[string]{V: "x", Valid: true}, "x"},
		{&five, "5"}, {none, "∅"}, {myInt(3), "3"}, {myUint(3), "3"}, {myText("mine"), "mine"}, {myBytes("mb"), "mb"}, {myBool(true), "1"},
		{time.Second, "1000000000"},
	} {
		want(t, db, tc.want, "SELECT ?", tc.arg)
		if tc.want != "∅" {
			want(t, db, "1", "SELECT ? IS NOT NULL", tc.arg)
		}
	}
	for _, bad := range []any{uint64(1) << 63, myUint(1) << 63, make(chan int), struct{}{}, []int{1}, map[string]int{}, valuer{errors.New("own")}, complex(1, 1)} {
		_, err := rowsOf(db, "SELECT ?, ?", 1, bad)
		code := CodeDataType
		if _, number := bad.(uint64); number {
			code = CodeValueRange
		}
		e := wantCode(t, err, code, "argument")
		if !strings.Contains(e.Message, "argument 2") {
			t.Errorf("%T: %v doesn't say which argument", bad, err)
		}
	}
	own := errors.New("own")
	if _, err := db.Exec("SELECT ?", valuer{own}); !errors.Is(err, own) {
		t.Errorf("a Valuer's error is lost: %v", err)
	}
}

func TestNamedArguments(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
	want(t, db, "2|b", "SELECT id, v FROM t WHERE id = :id", sql.Named("id", 2))
	want(t, db, "2|b", "SELECT id, v FROM t WHERE id = :id AND :id = 2 AND v = :v", sql.Named("v", "b"), sql.Named("id", 2))
	want(t, db, "1|x|1", "SELECT :a, :b, :a", sql.Named("b", "x"), sql.Named("a", 1))
	do(t, db, "UPDATE t SET v = :v WHERE id = :id", sql.Named("id", 3), sql.Named("v", "z"))
	want(t, db, "z", "SELECT v FROM t WHERE id = 3")
	st, err := db.Prepare("SELECT v FROM t WHERE id = :id OR id = :id + 1 ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	rows, err := st.Query(sql.Named("id", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if got, err := drainRows(rows); strings.Join(got, ",") != "a,b" || err != nil {
		t.Errorf("prepared with a name: %v, %v", got, err)
	}
	for _, tc := range []struct {
		query string
		args  []any
		part  string
	}{
		{"SELECT :a, :b", []any{sql.Named("a", 1)}, ":b"},
		{"SELECT :a", []any{sql.Named("b", 1)}, "a"},
		{"SELECT :a", []any{sql.Named("a", 1), sql.Named("c", 1)}, ""},
		{"SELECT ?", []any{sql.Named("a", 1)}, `"a"`},
	} {
		_, err := rowsOf(db, tc.query, tc.args...)
		if e := wantCode(t, err, CodeParameterCount, tc.query); !strings.Contains(e.Message, tc.part) {
			t.Errorf("%s: %v doesn't name %s", tc.query, err, tc.part)
		}
	}
}

func TestParameterCount(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)")
	for query, n := range map[string]int{
		"SELECT 1": 0, "SELECT ?": 1, "SELECT * FROM t WHERE id IN (?, ?, ?)": 3, "INSERT INTO t VALUES (?, ?), (?, ?)": 4,
		"UPDATE t SET v = ? WHERE id = ?": 2, "SELECT '?', `id` /* ? */ FROM t -- ?\nWHERE v = ?": 1, "BEGIN": 0,
		"SELECT * FROM t LIMIT ? OFFSET ?": 2, "EXPLAIN SELECT * FROM t WHERE id = ?": 1,
	} {
		for _, k := range []int{n - 1, n + 1} {
			if k < 0 {
				continue
			}
			args := make([]any, k)
			for i := range args {
				args[i] = i + 1
			}
			_, err := db.Exec(query, args...)
			wantCode(t, err, CodeParameterCount, query)
			_, err = rowsOf(db, query, args...)
			wantCode(t, err, CodeParameterCount, query)
		}
		c := pin(t, db)
		err := c.Raw(func(dc any) error {
			st, err := dc.(driver.ConnPrepareContext).PrepareContext(bg, query)
			if err != nil {
				return err
			}
			if st.NumInput() != n {
				t.Errorf("%s: NumInput is %d, want %d", query, st.NumInput(), n)
			}
			return st.Close()
		})
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
		c.Close()
	}
}

func TestPrepareTellsErrors(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)")
	for query, code := range map[string]Code{
		"SELEC 1": CodeSyntax, "SELECT * FROM nix": CodeNoTable, "SELECT nix FROM t": CodeNoColumn, "SELECT 1; SELECT 2": CodeSyntax,
	} {
		_, err := db.Prepare(query)
		wantCode(t, err, code, query)
	}
}

func TestMultiStatements(t *testing.T) {
	db := memDB(t, "multi_statements=true")
	do(t, db, "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(10)); INSERT INTO t VALUES (1, 'a;b'); INSERT INTO t VALUES (2, 'c');")
	r := do(t, db, "INSERT INTO t VALUES (?, ?); UPDATE t SET v = ? WHERE id IN (?, ?)", 3, "d", "e", 1, 2)
	if n, _ := r.RowsAffected(); n != 2 {
		t.Errorf("the last statement's RowsAffected is %d, want 2", n)
	}
	rows, err := db.Query("SELECT id FROM t ORDER BY id; INSERT INTO t VALUES (9, 'x'); SELECT v, ? FROM t WHERE id = ?; SELECT COUNT(*) FROM t", "arg", 3)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var sets []string
	for {
		got, err := drainRows(rows)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, strings.Join(got, ","))
		if !rows.NextResultSet() {
			break
		}
	}
	if got := strings.Join(sets, " / "); got != "1,2,3 / d|arg / 4" {
		t.Errorf("result sets: %s", got)
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
	// A set that isn't read to its end may be left.
	rows, err = db.Query("SELECT id FROM t ORDER BY id; SELECT 'second'")
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	if !rows.NextResultSet() {
		t.Fatal("no second result set")
	}
	if got, _ := drainRows(rows); strings.Join(got, ",") != "second" {
		t.Errorf("second set: %v", got)
	}
	rows.Close()
	// An error in a later statement comes with its result set.
	rows, err = db.Query("SELECT 1; SELECT nix FROM t; SELECT 3")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := drainRows(rows); strings.Join(got, ",") != "1" || err != nil {
		t.Errorf("first set: %v, %v", got, err)
	}
	if rows.NextResultSet() {
		t.Error("there is a set after an error")
	}
	wantCode(t, rows.Err(), CodeNoColumn, "second statement")
	rows.Close()
	for _, n := range []int{1, 3} {
		_, err := db.Exec("SELECT ?; SELECT ?", make([]any, n)...)
		wantCode(t, err, CodeParameterCount, "two statements")
	}
	st, err := db.Prepare("SELECT ?; SELECT ?")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, err := st.Exec(1, 2); err != nil {
		t.Error(err)
	}
	plain := memDB(t, "")
	_, err = plain.Exec("SELECT 1; SELECT 2")
	if e := wantCode(t, err, CodeSyntax, "two statements without the option"); !strings.Contains(e.Message, "multi_statements") {
		t.Errorf("%v doesn't name the option", err)
	}
}

func TestConnPinning(t *testing.T) {
	db := memDBWith(t, readersBesideWriters, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)")
	c := pin(t, db)
	do(t, c, "SET @a = 5")
	want(t, c, "5", "SELECT @a")
	do(t, c, "BEGIN")
	do(t, c, "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)")
	want(t, c, "5", "SELECT COUNT(*) FROM t")
	want(t, db, "0", "SELECT COUNT(*) FROM t")
	do(t, c, "COMMIT")
	want(t, db, "5", "SELECT COUNT(*) FROM t")
}

func TestResetSession(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)")
	db.SetMaxOpenConns(1)
	for _, tc := range []struct{ set, show, fresh string }{
		{"SET @a = 5", "SELECT @a", "∅"},
		{"SET autocommit = 0", "SELECT @@autocommit", "1"},
		{"SET sql_mode = 'ANSI_QUOTES'", `SELECT "v"`, "v"},
		{"SET SESSION transaction_mode = 'single'", "SELECT @@transaction_mode", "twopc"},
		{"SET SESSION transaction_isolation = 'READ-COMMITTED'", "SELECT @@transaction_isolation", "REPEATABLE-READ"},
		{"USE `main/-40`", "SELECT COUNT(*) FROM t", "20"},
	} {
		if tc.set == "USE `main/-40`" {
			for i := range 20 {
				do(t, db, "INSERT INTO t VALUES (?, 0)", i)
			}
		}
		c, err := db.Conn(bg)
		if err != nil {
			t.Fatal(err)
		}
		do(t, c, tc.set)
		got, err := rowsOf(c, tc.show)
		if err == nil && strings.Join(got, " ") == tc.fresh {
			t.Errorf("%s changed nothing: %s gives %s", tc.set, tc.show, got)
		}
		c.Close()
		want(t, db, tc.fresh, tc.show)
	}
	// A transaction that is left open is not the next user's.
	c, err := db.Conn(bg)
	if err != nil {
		t.Fatal(err)
	}
	do(t, c, "BEGIN")
	do(t, c, "INSERT INTO t VALUES (100, 1), (101, 1), (102, 1), (103, 1)")
	c.Close()
	want(t, db, "20", "SELECT COUNT(*) FROM t")
	mustAffect(t, db, 4, "INSERT INTO t VALUES (100, 1), (101, 1), (102, 1), (103, 1)")
}

func TestPing(t *testing.T) {
	db := memDB(t, "")
	if err := db.Ping(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if err := db.PingContext(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Ping with an ended context: %v", err)
	}
	db.Close()
	if err := db.Ping(); err == nil {
		t.Error("Ping after Close succeeds")
	}
}

func TestStatementsOutliveTheSchema(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 10), (2, 20)")
	st, err := db.Prepare("SELECT * FROM t WHERE id = ?")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	read := func() string {
		t.Helper()
		rows, err := st.Query(2)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		got, err := drainRows(rows)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(got, " ")
	}
	if got := read(); got != "2|20" {
		t.Error(got)
	}
	other := pin(t, db)
	want(t, other, "2|20", "SELECT * FROM t WHERE id = 2")
	do(t, db, "ALTER TABLE t ADD COLUMN w VARCHAR(5) DEFAULT 'w'")
	if got := read(); got != "2|20|w" {
		t.Error(got)
	}
	want(t, other, "2|20|w", "SELECT * FROM t WHERE id = 2")
	do(t, db, "DROP TABLE t")
	_, err = st.Query(2)
	wantCode(t, err, CodeNoTable, "prepared statement of a dropped table")
	_, err = rowsOf(other, "SELECT * FROM t WHERE id = 2")
	wantCode(t, err, CodeNoTable, "query of a dropped table")
}
