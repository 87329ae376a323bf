package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/await"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// served is a server with its address.
type served struct {
	*Server
	addr, keyspace string
}

func serve(t *testing.T, opts Options, statements ...string) *served {
	t.Helper()
	return serveAs(t, "shop", opts, statements...)
}

func serveAs(t *testing.T, keyspace string, opts Options, statements ...string) *served {
	t.Helper()
	cfg, err := vitessdo.ParseDSN(":memory:?shards=2&keyspace=" + keyspace)
	must(t, err)
	db, err := vitessdo.NewConnector(cfg)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	s, addr, stop := start(t, db, opts)
	t.Cleanup(stop)
	c, err := session(t.Context(), db)
	must(t, err)
	defer c.Close()
	for _, q := range statements {
		if _, err := c.Run(t.Context(), q, nil); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	return &served{s, addr, keyspace}
}

// start runs a server of a database.
func start(t testing.TB, db *vitessdo.Connector, opts Options) (s *Server, addr string, stop func()) {
	t.Helper()
	opts.Log = slog.New(slog.DiscardHandler)
	s, err := New(t.Context(), db, opts)
	if err != nil {
		t.Fatal(err)
	}
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- s.Serve(ctx, on) }()
	return s, on.Addr().String(), func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = s.Close()
	}
}

// connect gives a pool of go-sql-driver's, with options as in its data source names.
func (s *served) connect(t *testing.T, who, options string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", who+"@tcp("+s.addr+")/"+s.keyspace+"?"+options)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s *served) conn(t *testing.T, options string) *sql.Conn {
	t.Helper()
	c, err := s.connect(t, "root", options).Conn(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// rowsOf spells a result: rows with blanks between values, and types.
func rowsOf(t *testing.T, on querier, query string, args ...any) string {
	t.Helper()
	rows, err := on.QueryContext(t.Context(), query, args...)
	if err != nil {
		return err.Error()
	}
	defer rows.Close()
	var out []string
	cols, err := rows.Columns()
	must(t, err)
	for rows.Next() {
		values, into := make([]any, len(cols)), make([]any, len(cols))
		for i := range values {
			into[i] = &values[i]
		}
		must(t, rows.Scan(into...))
		var row []string
		for _, v := range values {
			if b, ok := v.([]byte); ok {
				row = append(row, fmt.Sprintf("%q", b))
				continue
			}
			row = append(row, fmt.Sprintf("%v", v))
		}
		out = append(out, strings.Join(row, " "))
	}
	if err := rows.Err(); err != nil {
		return err.Error()
	}
	return strings.Join(out, "; ")
}

func wantErrno(t *testing.T, err error, number uint16) {
	t.Helper()
	var e *driver.MySQLError
	if !errors.As(err, &e) || e.Number != number {
		t.Errorf("%v; want error %d", err, number)
	}
}

const kinds = `CREATE TABLE v (id BIGINT PRIMARY KEY, t TINYINT, s SMALLINT, m MEDIUMINT, i INT, u BIGINT UNSIGNED, y YEAR, f FLOAT, d DOUBLE,
	n DECIMAL(30,5), day DATE, at DATETIME(3), ts TIMESTAMP, hour TIME, c CHAR(3), vc VARCHAR(9), x TEXT, e ENUM('a','b'), j JSON, b BLOB, vb VARBINARY(4), bl BOOL)`

// Each type comes as MySQL sends it, as text and in the binary form of prepared
// statements, and goes back.
func TestValues(t *testing.T) {
	s := serve(t, Options{}, kinds)
	for _, options := range []string{"interpolateParams=true", "interpolateParams=false"} {
		c := s.conn(t, options)
		_, err := c.ExecContext(t.Context(), "REPLACE INTO v VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", int64(-1<<63), -128, -32768, -8388608, -1<<31,
			uint64(1<<63-1), 2026, 0.5, 0.1, "1234567890123456789012345.5", "2026-01-31", "2026-01-31 12:00:00.25", "2026-01-31 12:00:00", "-34:00:01",
			"abc", "ünï", strings.Repeat("x", 300), "b", `{"a": [1]}`, []byte{0, 255}, []byte("vb"), true)
		must(t, err)
		want := `-9223372036854775808 -128 -32768 -8388608 -2147483648 9223372036854775807 2026 0.5 0.1 "1234567890123456789012345.50000" ` +
			`"2026-01-31" "2026-01-31 12:00:00.250" "2026-01-31 12:00:00" "-34:00:01" "abc" "ünï" "` + strings.Repeat("x", 300) + `" "b" "{\"a\": [1]}" "\x00\xff" "vb" 1`
		if got := rowsOf(t, c, "SELECT * FROM v"); got != want {
			t.Errorf("as text with %s\n     %s\nwant %s", options, got, want)
		}
		if got := rowsOf(t, c, "SELECT * FROM v WHERE t = ?", -128); got != want {
			t.Errorf("with %s\n     %s\nwant %s", options, got, want)
		}
		_, err = c.ExecContext(t.Context(), "REPLACE INTO v(id) VALUES(?)", int64(-1<<63))
		must(t, err)
		if got := rowsOf(t, c, "SELECT * FROM v WHERE id < ?", 0); got != "-9223372036854775808"+strings.Repeat(" <nil>", 21) {
			t.Errorf("NULLs with %s: %s", options, got)
		}
	}
}

// Times as time.Time, both ways.
func TestTimes(t *testing.T) {
	c := serve(t, Options{}, kinds).conn(t, "parseTime=true")
	at := time.Date(2026, 1, 31, 12, 0, 0, 250e6, time.UTC)
	for _, prepared := range []bool{false, true} {
		var day, moment, stamp time.Time
		_, err := c.ExecContext(t.Context(), "REPLACE INTO v(id, day, at, ts) VALUES(1, ?, ?, ?)", at, at, at)
		must(t, err)
		query, args := "SELECT day, at, ts FROM v", []any{}
		if prepared {
			query, args = query+" WHERE id = ?", []any{1}
		}
		must(t, c.QueryRowContext(t.Context(), query, args...).Scan(&day, &moment, &stamp))
		if !day.Equal(at.Truncate(24*time.Hour)) || !moment.Equal(at) || !stamp.Equal(at.Truncate(time.Second)) {
			t.Errorf("%v %v %v", day, moment, stamp)
		}
	}
}

// What a client learns of columns.
func TestColumns(t *testing.T) {
	c := serve(t, Options{}, kinds).conn(t, "")
	rows, err := c.QueryContext(t.Context(), "SELECT *, id + 1 AS e, @a, 1.5 FROM v")
	must(t, err)
	defer rows.Close()
	types, err := rows.ColumnTypes()
	must(t, err)
	var got []string
	for _, c := range types {
		s := c.Name() + " " + c.DatabaseTypeName()
		if p, scale, ok := c.DecimalSize(); ok && c.DatabaseTypeName() == "DECIMAL" {
			s += fmt.Sprintf("(%d,%d)", p, scale)
		}
		if null, ok := c.Nullable(); ok && !null {
			s += " not null"
		}
		got = append(got, s)
	}
	want := "id BIGINT not null, t TINYINT, s SMALLINT, m MEDIUMINT, i INT, u UNSIGNED BIGINT, y YEAR, f FLOAT, d DOUBLE, n DECIMAL(30,5), " +
		"day DATE, at DATETIME, ts TIMESTAMP, hour TIME, c CHAR, vc VARCHAR, x TEXT, e ENUM, j JSON, b BLOB, vb VARBINARY, bl TINYINT, e BIGINT not null, @a VARCHAR, 1.5 DECIMAL(2,1) not null"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

// Numbers of writes, warnings, transactions and sessions.
func TestSessions(t *testing.T) {
	s := serve(t, Options{}, "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, n INT)", "CREATE DATABASE crm", "CREATE TABLE crm.c (id BIGINT PRIMARY KEY)")
	db := s.connect(t, "root", "")
	res, err := db.ExecContext(t.Context(), "INSERT INTO t(n) VALUES(?), (?)", 1, 2)
	must(t, err)
	n, _ := res.RowsAffected()
	id, _ := res.LastInsertId()
	if n != 2 || id != 1 {
		t.Errorf("%d rows, id %d", n, id)
	}
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	must(t, err)
	_, err = tx.ExecContext(t.Context(), "DELETE FROM t")
	must(t, err)
	if got := rowsOf(t, db, "SELECT COUNT(*) FROM t"); got != "2" {
		t.Errorf("others see %s rows", got)
	}
	must(t, tx.Rollback())
	if got := rowsOf(t, db, "SELECT COUNT(*) FROM t"); got != "2" {
		t.Errorf("after ROLLBACK there are %s rows", got)
	}
	// Unchanged rows count as clients wish.
	for options, want := range map[string]int64{"": 0, "clientFoundRows=true": 2} {
		res, err := s.connect(t, "root", options).ExecContext(t.Context(), "UPDATE t SET n = n")
		must(t, err)
		if n, _ := res.RowsAffected(); n != want {
			t.Errorf("with %q %d rows are counted, want %d", options, n, want)
		}
	}
	// The number that CONNECTION_ID() tells is the connection's own.
	c := s.conn(t, "")
	var self uint64
	must(t, c.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&self))
	if s.find(self) == nil {
		t.Errorf("nobody is connection %d", self)
	}
	_, err = c.ExecContext(t.Context(), "USE crm")
	must(t, err)
	if got := rowsOf(t, c, "SHOW TABLES"); got != `"c"` {
		t.Errorf("SHOW TABLES gives %s", got)
	}
	bad, err := sql.Open("mysql", "root@tcp("+s.addr+")/nowhere")
	must(t, err)
	defer bad.Close()
	wantErrno(t, bad.PingContext(t.Context()), 1049)
}

func TestErrors(t *testing.T) {
	c := serve(t, Options{}, "CREATE TABLE t (id BIGINT PRIMARY KEY, n INT)", "INSERT INTO t VALUES(1, 1)").conn(t, "")
	for query, want := range map[string]string{
		"SELEC":                      "1064 42000",
		"SELECT 1; SELECT 2":         "1064 42000",
		"SELECT * FROM nowhere":      "1146 42S02",
		"INSERT INTO t VALUES(1, 2)": "1062 23000",
		"SELECT nothing FROM t":      "1054 42S22",
		"LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t": "1235 42000",
		"KILL 99999": "1094 HY000",
	} {
		for _, prepared := range []bool{false, true} {
			var err error
			if prepared {
				var st *sql.Stmt
				if st, err = c.PrepareContext(t.Context(), query); err == nil {
					_, err = st.ExecContext(t.Context())
					_ = st.Close()
				}
				if query == "KILL 99999" {
					continue
				}
			} else {
				_, err = c.ExecContext(t.Context(), query)
			}
			var e *driver.MySQLError
			if !errors.As(err, &e) || fmt.Sprintf("%d %s", e.Number, e.SQLState) != want {
				t.Errorf("%s: %v; want %s", query, err, want)
			}
		}
	}
	if got := rowsOf(t, c, "SELECT n FROM t"); got != "1" {
		t.Errorf("after the errors: %s", got)
	}
}

func TestSeveralStatements(t *testing.T) {
	c := serve(t, Options{}, "CREATE TABLE t (id BIGINT PRIMARY KEY)").conn(t, "multiStatements=true")
	rows, err := c.QueryContext(t.Context(), "INSERT INTO t VALUES(1); SELECT 1; SELECT ';', 'b' FROM t; DELETE FROM t; SELECT COUNT(*) FROM t")
	must(t, err)
	var got []string
	for {
		cols, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			v := make([]sql.NullString, len(cols))
			into := make([]any, len(cols))
			for i := range v {
				into[i] = &v[i]
			}
			must(t, rows.Scan(into...))
			for _, x := range v {
				got = append(got, x.String)
			}
		}
		if !rows.NextResultSet() {
			break
		}
	}
	must(t, rows.Err())
	must(t, rows.Close())
	if s := strings.Join(got, " "); s != "1 ; b 0" {
		t.Errorf("got %s", s)
	}
	_, err = c.ExecContext(t.Context(), "INSERT INTO t VALUES(1); INSERT INTO t VALUES(1); INSERT INTO t VALUES(2)")
	wantErrno(t, err, 1062)
	if got := rowsOf(t, c, "SELECT id FROM t"); got != "1" {
		t.Errorf("what came behind the error was done: %s", got)
	}
}

// A text that changes the schema is one transaction, as a migration tool sends it.
func TestTextsThatChangeTheSchema(t *testing.T) {
	s := serve(t, Options{}, "CREATE TABLE t (id BIGINT PRIMARY KEY)")
	c := s.conn(t, "multiStatements=true")
	_, err := c.ExecContext(t.Context(), "INSERT INTO t VALUES(1); ALTER TABLE t ADD COLUMN a INT; CREATE TABLE u (id INT PRIMARY KEY); INSERT INTO t VALUES(1, 2)")
	wantErrno(t, err, 1062)
	if got := rowsOf(t, c, "SELECT (SELECT COUNT(*) FROM t), GROUP_CONCAT(table_name) FROM information_schema.tables WHERE table_schema = 'shop'"); got != `0 "t"` {
		t.Errorf("after a text that failed: %s", got)
	}
	_, err = c.ExecContext(t.Context(), "INSERT INTO t VALUES(1); ALTER TABLE t ADD COLUMN a INT DEFAULT 5; SELECT 1; UPDATE t SET id = 2")
	must(t, err)
	if got := rowsOf(t, s.conn(t, ""), "SELECT id, a FROM t"); got != "2 5" {
		t.Errorf("after a text that was done: %s", got)
	}
}

// Prepared statements: types that only values tell, many runs, RETURNING, and values
// that are sent in pieces.
func TestPrepared(t *testing.T) {
	c := serve(t, Options{}, "CREATE TABLE t (id BIGINT PRIMARY KEY, b LONGBLOB)").conn(t, "maxAllowedPacket=0")
	st, err := c.PrepareContext(t.Context(), "INSERT INTO t VALUES(?, ?) RETURNING id, LENGTH(b)")
	must(t, err)
	big := make([]byte, 20<<20)
	if got := rowsOf(t, stmtQuery{st}, "", 1, big); got != "1 20971520" {
		t.Errorf("%.80s", got)
	}
	if got := rowsOf(t, stmtQuery{st}, "", 2, nil); got != "2 <nil>" {
		t.Error(got)
	}
	if got := rowsOf(t, c, "SELECT b FROM t WHERE id = ?", 1); len(got) != len(`""`)+4*len(big) {
		t.Errorf("%d characters came back", len(got))
	}
	for _, x := range []struct {
		arg  any
		want string
	}{{int64(5), "5"}, {1.5, "1.5"}, {"x", `"x"`}, {[]byte{1}, `"\x01"`}, {nil, "<nil>"}} {
		if got := rowsOf(t, c, "SELECT ?", x.arg); got != x.want {
			t.Errorf("SELECT %v: %s", x.arg, got)
		}
	}
	_, err = c.ExecContext(t.Context(), "SELECT ?", uint64(1<<63))
	if err == nil {
		t.Error("an integer beyond 63 bits is taken for another")
	}
}

// stmtQuery makes a querier of a prepared statement.
type stmtQuery struct{ *sql.Stmt }

func (s stmtQuery) QueryContext(ctx context.Context, _ string, args ...any) (*sql.Rows, error) {
	return s.Stmt.QueryContext(ctx, args...)
}

// A connection that is reset is as good as new.
func TestResetConnection(t *testing.T) {
	c := newRaw(t, serve(t, Options{}, "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY)").addr)
	c.login()
	c.command(append([]byte{3}, "INSERT INTO t VALUES(NULL)"...))
	c.command(append([]byte{3}, "BEGIN"...))
	if got := c.command([]byte{comResetConnection}); len(got) != 7 || got[3] != 2 {
		t.Errorf("the reset is answered by %x", got)
	}
	c.command(append([]byte{3}, "SELECT LAST_INSERT_ID()"...))
	c.receive() // its column
	c.receive() // and the end of that
	if got := c.receive(); string(got) != "\x010" {
		t.Errorf("LAST_INSERT_ID() is %q", got)
	}
}

// Large results stream: their first row comes long before the last one, and a client
// that goes ends them.
func TestStreams(t *testing.T) {
	s := serve(t, Options{})
	c := s.conn(t, "")
	const endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i, REPEAT('x', 100) FROM n"
	ctx, cancel := context.WithCancel(t.Context())
	rows, err := c.QueryContext(ctx, endless)
	must(t, err)
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	cancel()
	_ = rows.Close()
	await.True(t, "the connection is gone", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.open) == 0 })
}
