package gate

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo"
	_ "github.com/vitessdo/vitessdo/front/sqlite"
	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/internal/wiretalk"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/sqlast"
)

var rewrite = flag.Bool("rewrite", false, "write into docs/protocol.md what the gate sends")

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shop gives a database of two shards with a small table.
func shop(t *testing.T, statements ...string) *vitessdo.Connector {
	t.Helper()
	cfg, err := vitessdo.ParseDSN(":memory:?shards=2&keyspace=shop")
	must(t, err)
	db, err := vitessdo.NewConnector(cfg)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	c, err := db.Connect(t.Context())
	must(t, err)
	defer c.Close()
	for _, s := range append([]string{
		"CREATE TABLE item (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) UNIQUE, price DECIMAL(8,2))",
		"INSERT INTO item(name, price) VALUES('pen', 1.5), ('ink', 3)",
	}, statements...) {
		if _, err := c.(*vitessdo.Conn).Run(t.Context(), s, nil); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return db
}

// The gate's examples of docs/protocol.md are played.
func TestProtocolExamples(t *testing.T) {
	err := wiretalk.Play("../docs/protocol.md", "gate", *rewrite, func() (capnweb.Transport, func()) {
		db := shop(t)
		g := New(db, Options{ChunkRows: 2, Now: func() time.Time { return time.UnixMilli(1700000000123) }})
		here, there := capnweb.Pipe()
		s := capnweb.NewSession(there, g.Main(Grant{}), nil)
		return here, func() {
			_ = here.Close(nil)
			<-s.Done()
			_ = g.Close()
			_ = db.Close()
		}
	}, func(err error) { t.Error(err) })
	must(t, err)
}

// served is a gate behind HTTP.
type served struct {
	*Gate
	url string
}

func serve(t *testing.T, opts Options, statements ...string) *served {
	t.Helper()
	g := New(shop(t, statements...), opts)
	h := httptest.NewServer(g)
	t.Cleanup(func() { _ = g.Close(); h.Close() })
	return &served{g, h.URL}
}

type client struct {
	t    *testing.T
	open func() *capnweb.Session
	s    *capnweb.Session // of a WebSocket
}

// batch gives a client that sends each message in a request of its own.
func (g *served) batch(t *testing.T) *client {
	return &client{t: t, open: func() *capnweb.Session { return capnweb.NewBatch(t.Context(), g.url, nil, nil, nil) }}
}

// socket gives a client of one WebSocket.
func (g *served) socket(t *testing.T) *client {
	t.Helper()
	s, err := capnweb.Dial(t.Context(), strings.Replace(g.url, "http", "ws", 1), nil, nil, nil, nil)
	must(t, err)
	t.Cleanup(func() { _ = s.Close(); <-s.Done() })
	return &client{t: t, s: s}
}

// call sends a message made of fields and gives the answer's.
func (c *client) call(fields map[string]any) (map[string]any, error) {
	s := c.s
	if s == nil {
		s = c.open()
		defer func() { _ = s.Close(); <-s.Done() }()
	}
	v, err := s.Main().Do(c.t.Context(), "call", fields)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}

func (c *client) ok(fields map[string]any) map[string]any {
	c.t.Helper()
	m, err := c.call(fields)
	if err != nil {
		c.t.Fatalf("%v: %v", fields, err)
	}
	return m
}

func (c *client) query(sql string, params ...any) map[string]any {
	c.t.Helper()
	return c.ok(map[string]any{"type": 1, "sql": sql, "params": params})
}

// fails checks the code of what a message fails with.
func (c *client) fails(code string, fields map[string]any) {
	c.t.Helper()
	_, err := c.call(fields)
	var e *capnweb.Error
	if !errors.As(err, &e) || e.Props["code"] != code {
		c.t.Errorf("%v: %v; want code %s", fields, err, code)
	}
}

func (g *served) open() (txs, cursors int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.txs), len(g.cursors)
}

// Each kind of value comes as the protocol says, whatever time.Time the driver
// makes of it.
func TestValues(t *testing.T) {
	g := serve(t, Options{}, "CREATE TABLE v (id BIGINT PRIMARY KEY, u BIGINT UNSIGNED, d DECIMAL(30,5), f DOUBLE, b BLOB, s VARCHAR(9), j JSON, day DATE, at DATETIME(3), at0 DATETIME, hour TIME, bit BOOL)")
	for _, c := range []*client{g.batch(t), g.socket(t)} {
		c.query("REPLACE INTO v VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", int64(-1<<63), int64(1<<53+1), "1234567890123456789012345.5", 1.5,
			[]byte{0, 255}, "ünï", `{"a": [1]}`, "2026-01-31", "2026-01-31 12:00:00.25", "2026-01-31 12:00:00", "-12:00:01", true)
		m := c.query("SELECT * FROM v")
		got := fmt.Sprintf("%#v", m["rows"])
		want := fmt.Sprintf("%#v", []any{[]any{int64(-1 << 63), int64(1<<53 + 1), "1234567890123456789012345.50000", 1.5, []byte{0, 255}, "ünï", `{"a": [1]}`,
			"2026-01-31", "2026-01-31 12:00:00.250", "2026-01-31 12:00:00", "-12:00:01", int64(1)}})
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := fmt.Sprint(m["types"]); got != "[BIGINT BIGINT UNSIGNED DECIMAL DOUBLE BLOB VARCHAR JSON DATE DATETIME DATETIME TIME TINYINT]" {
			t.Errorf("the types are %s", got)
		}
	}
}

const thousand = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, REPEAT('x', 100) FROM n"

// Rows that don't fit are fetched in chunks, or come as a stream.
func TestRowsInChunks(t *testing.T) {
	g := serve(t, Options{ChunkRows: 64})
	c := g.batch(t)
	m := c.query(thousand)
	n := len(m["rows"].([]any))
	for end := false; !end; {
		next := c.ok(map[string]any{"type": 0x33, "cursor": m["cursor"]})
		n += len(next["rows"].([]any))
		end, _ = next["end"].(bool)
	}
	c.fails("CLOSED", map[string]any{"type": 0x33, "cursor": m["cursor"]})
	if n != 1000 {
		t.Errorf("%d rows were fetched", n)
	}
	w := g.socket(t)
	m = w.ok(map[string]any{"type": 1, "sql": thousand, "stream": true})
	more := m["more"].(*capnweb.Readable)
	defer more.Release()
	n = len(m["rows"].([]any))
	for {
		v, err := more.Next(t.Context())
		if err != nil {
			break
		}
		n += len(v.([]any))
	}
	if n != 1000 {
		t.Errorf("%d rows were streamed", n)
	}
	await.True(t, "the cursors are gone", func() bool { _, k := g.open(); return k == 0 })
}

// A reader that reads nothing holds the statement up; one that closes ends it.
func TestBackPressure(t *testing.T) {
	g := serve(t, Options{ChunkRows: 10, Session: &capnweb.Options{Limits: capnweb.Limits{StreamWindow: 4096}}})
	c := g.socket(t)
	m := c.ok(map[string]any{"type": 1, "sql": strings.Replace(thousand, "1000", "1000000", 1), "stream": true})
	sent := func() string {
		w := httptest.NewRecorder()
		g.Metrics().ServeHTTP(w, nil)
		_, after, _ := strings.Cut(w.Body.String(), "\nvitessdo_gate_rows_total ")
		n, _, _ := strings.Cut(after, "\n")
		return n
	}
	c.query("SELECT 1") // behind the first rows
	if n := sent(); len(n) > 3 {
		t.Errorf("%s rows were read for a client that has asked for 10", n)
	}
	c.ok(map[string]any{"type": 0x34, "cursor": m["cursor"]})
	m["more"].(*capnweb.Readable).Release()
	if _, k := g.open(); k != 0 {
		t.Error("the cursor is open after it was closed")
	}
}

func TestTransactions(t *testing.T) {
	g := serve(t, Options{ChunkRows: 5})
	for _, c := range []*client{g.batch(t), g.socket(t)} {
		tx := c.ok(map[string]any{"type": 16})["txId"]
		c.ok(map[string]any{"type": 2, "txId": tx, "sql": "INSERT INTO item(name) VALUES('nib'), ('pad')"})
		if got := c.query("SELECT COUNT(*) FROM item")["rows"]; fmt.Sprint(got) != "[[2]]" {
			t.Errorf("others see %v", got)
		}
		// What is read of its results ends with it.
		rest := c.ok(map[string]any{"type": 1, "txId": tx, "sql": thousand})["cursor"]
		if got := c.ok(map[string]any{"type": 1, "txId": tx, "sql": "SELECT COUNT(*) FROM item"})["rows"]; fmt.Sprint(got) != "[[4]]" {
			t.Errorf("it sees itself %v", got)
		}
		c.ok(map[string]any{"type": 18, "txId": tx})
		c.fails("CLOSED", map[string]any{"type": 0x33, "cursor": rest})
		c.fails("TRANSACTION_EXPIRED", map[string]any{"type": 17, "txId": tx})
		c.ok(map[string]any{"type": 18, "txId": tx})
		// A statement that commits ends it too.
		tx = c.ok(map[string]any{"type": 16, "begin": map[string]any{"readOnly": true}})["txId"]
		c.fails("READ_ONLY", map[string]any{"type": 2, "txId": tx, "sql": "DELETE FROM item"})
		c.ok(map[string]any{"type": 2, "txId": tx, "sql": "COMMIT"})
		c.fails("TRANSACTION_EXPIRED", map[string]any{"type": 1, "txId": tx, "sql": "SELECT 1"})
		c.fails("TRANSACTION_STATE", map[string]any{"type": 2, "sql": "BEGIN"})
		c.fails("MISUSE", map[string]any{"type": 16, "isolation": "NONE; DROP TABLE item"})
		if n, k := g.open(); n != 0 || k != 0 {
			t.Errorf("%d transactions and %d cursors are left", n, k)
		}
	}
}

// A client that goes leaves nothing; one that is silent is ended.
func TestTransactionsEndWithTheirClient(t *testing.T) {
	g := serve(t, Options{})
	c := g.socket(t)
	tx := c.ok(map[string]any{"type": 16})["txId"]
	c.ok(map[string]any{"type": 2, "txId": tx, "sql": "DELETE FROM item"})
	_ = c.s.Close()
	await.True(t, "the transaction is gone", func() bool { n, _ := g.open(); return n == 0 })
	if got := g.batch(t).query("SELECT COUNT(*) FROM item")["rows"]; fmt.Sprint(got) != "[[2]]" {
		t.Errorf("there are %v", got)
	}
	g = serve(t, Options{Idle: time.Millisecond, ChunkRows: 1})
	for _, c := range []*client{g.batch(t), g.socket(t)} {
		tx = c.ok(map[string]any{"type": 16})["txId"]
		c.query("SELECT * FROM item")
		await.True(t, "the transaction and the cursor are gone", func() bool { n, k := g.open(); return n == 0 && k == 0 })
		c.fails("TRANSACTION_EXPIRED", map[string]any{"type": 17, "txId": tx})
	}
}

func TestBatchIsAllOrNone(t *testing.T) {
	c := serve(t, Options{ChunkRows: 2}).socket(t)
	batch := func(sql ...string) map[string]any {
		var list []any
		for _, s := range sql {
			list = append(list, map[string]any{"sql": s})
		}
		return map[string]any{"type": 3, "statements": list}
	}
	_, err := c.call(batch("DELETE FROM item", "INSERT INTO nowhere VALUES(1)"))
	var e *capnweb.Error
	if !errors.As(err, &e) || e.Props["statement"] != int64(1) || e.Props["errno"] != int64(1146) {
		t.Errorf("the second statement is wrong: %v", err)
	}
	c.fails("LIMIT_EXCEEDED", batch("DELETE FROM item WHERE id = 1", thousand))
	c.fails("TRANSACTION_STATE", batch("COMMIT", "DELETE FROM item"))
	if got := c.query("SELECT COUNT(*) FROM item")["rows"]; fmt.Sprint(got) != "[[2]]" {
		t.Errorf("%v rows are left", got)
	}
}

// An interrupted statement stops, whether its client cancels it or its time is
// over.
func TestInterruption(t *testing.T) {
	g := serve(t, Options{})
	c := g.socket(t)
	c.fails("CANCELED", map[string]any{"type": 1, "sql": "SELECT SLEEP(60)", "timeout": 10})
	done := make(chan error, 1)
	go func() {
		_, err := c.call(map[string]any{"type": 1, "id": "slow", "sql": "SELECT SLEEP(60)"})
		done <- err
	}()
	await.True(t, "it runs", func() bool { g.mu.Lock(); defer g.mu.Unlock(); return g.running[requestKey{"", "slow"}] != nil })
	c.ok(map[string]any{"type": 0x24, "ref": "slow"})
	var e *capnweb.Error
	if err := <-done; !errors.As(err, &e) || e.Props["code"] != "CANCELED" {
		t.Errorf("it ended with %v", err)
	}
}

// A client chooses the dialect of its statements, each with its request; transactions
// keep theirs, and what the gate asks itself isn't touched.
func TestDialects(t *testing.T) {
	c := serve(t, Options{}).socket(t)
	rows := func(want string, fields map[string]any) {
		t.Helper()
		if got := c.ok(fields)["rows"]; fmt.Sprint(got) != want {
			t.Errorf("%v: %v; want %s", fields, got, want)
		}
	}
	rows("[[3]]", map[string]any{"type": 1, "dialect": "sqlite", "sql": "SELECT 7 / 2"})
	rows("[[3.5000]]", map[string]any{"type": 1, "sql": "SELECT 7 / 2"})
	rows("[[3.5000]]", map[string]any{"type": 1, "dialect": "MySQL", "sql": "SELECT 7 / 2"})
	_, err := c.call(map[string]any{"type": 1, "dialect": "klingon", "sql": "SELECT 1"})
	if want := `there is no dialect "klingon" in this program, which knows mysql, sqlite`; err == nil || !strings.Contains(err.Error(), want) {
		t.Error(err)
	}
	tx := c.ok(map[string]any{"type": 0x10, "dialect": "sqlite", "isolation": "SERIALIZABLE"})["txId"]
	rows("[[3]]", map[string]any{"type": 1, "txId": tx, "sql": "SELECT 7 / 2"})
	rows("[[3.5000]]", map[string]any{"type": 1, "txId": tx, "dialect": "mysql", "sql": "SELECT 7 / 2"})
	c.ok(map[string]any{"type": 0x11, "txId": tx})
	rows("[[true]]", map[string]any{"type": 1, "dialect": "truthful", "sql": "SELECT id > 0 FROM item WHERE id = 1"})
	for _, kind := range []int{0x20, 0x22, 0x23} {
		c.ok(map[string]any{"type": kind, "dialect": "sqlite"})
	}
}

// truthful is MySQL's language with booleans.
func init() {
	vitessdo.RegisterDialect("truthful", vitessdo.Dialect{
		Parse: func(string) (*sqlast.Statement, error) { return nil, nil }, Split: func(s string) ([]string, error) { return []string{s}, nil },
		Booleans: true,
	})
}

// A statement finds nothing of another client's in the session that it gets.
func TestSessionsAreNew(t *testing.T) {
	c := serve(t, Options{}).socket(t)
	c.query("INSERT INTO item(name) VALUES('nib')")
	c.query("SET @secret = 5")
	if got := c.query("SELECT LAST_INSERT_ID(), @secret")["rows"]; fmt.Sprint(got) != "[[0 <nil>]]" {
		t.Errorf("it finds %v", got)
	}
}

// Statements of another keyspace, and of one shard alone.
func TestKeyspaces(t *testing.T) {
	c := serve(t, Options{}, "CREATE DATABASE crm", "CREATE TABLE crm.item (id BIGINT PRIMARY KEY)").socket(t)
	for _, x := range []struct {
		fields map[string]any
		rows   string
	}{
		{map[string]any{}, "[[2]]"},
		{map[string]any{"keyspace": "crm"}, "[[0]]"},
		{map[string]any{}, "[[2]]"},
		{map[string]any{"shard": "80-"}, "[[0]]"},
		{map[string]any{"shard": "-80"}, "[[2]]"},
	} {
		x.fields["type"], x.fields["sql"] = 1, "SELECT COUNT(*) FROM item"
		if got := c.ok(x.fields)["rows"]; fmt.Sprint(got) != x.rows {
			t.Errorf("%v: %v; want %s", x.fields, got, x.rows)
		}
	}
	c.fails("UNKNOWN_DATABASE", map[string]any{"type": 1, "keyspace": "no`where", "sql": "SELECT 1"})
}

// Statements that wait for a transaction's locks don't keep it from ending, though
// they have all turns.
func TestTurns(t *testing.T) {
	g := serve(t, Options{MaxRunning: 1})
	c := g.socket(t)
	tx := c.ok(map[string]any{"type": 16})["txId"]
	c.ok(map[string]any{"type": 2, "txId": tx, "sql": "UPDATE item SET price = 1"})
	done := make(chan error, 1)
	go func() {
		_, err := c.call(map[string]any{"type": 2, "sql": "UPDATE item SET price = 2"})
		done <- err
	}()
	await.True(t, "it has the turn", func() bool { return len(g.turn) == 1 })
	c.ok(map[string]any{"type": 17, "txId": tx})
	must(t, <-done)
}

func TestLimits(t *testing.T) {
	g := serve(t, Options{MaxOpen: 2, MaxSessions: 1})
	c := g.socket(t)
	tx := c.ok(map[string]any{"type": 16})["txId"]
	c.ok(map[string]any{"type": 16})
	c.fails("LIMIT_EXCEEDED", map[string]any{"type": 16})
	c.ok(map[string]any{"type": 18, "txId": tx})
	c.ok(map[string]any{"type": 16})
	_, err := capnweb.Dial(t.Context(), strings.Replace(g.url, "http", "ws", 1), nil, nil, nil, nil)
	var status *capnweb.StatusError
	if !errors.As(err, &status) || status.Status != http.StatusServiceUnavailable {
		t.Errorf("one session too many gives %v", err)
	}
}

// A gate that closes lets transactions end, and begins none.
func TestShutdown(t *testing.T) {
	g := serve(t, Options{})
	c := g.socket(t)
	tx := c.ok(map[string]any{"type": 16})["txId"]
	c.ok(map[string]any{"type": 2, "txId": tx, "sql": "DELETE FROM item WHERE id = 1"})
	done := make(chan struct{})
	go func() { g.Shutdown(context.Background()); close(done) }()
	await.True(t, "it drains", func() bool { g.mu.Lock(); defer g.mu.Unlock(); return g.draining })
	c.fails("CLOSING", map[string]any{"type": 1, "sql": "SELECT 1"})
	c.ok(map[string]any{"type": 17, "txId": tx})
	<-done
	if _, err := c.call(map[string]any{"type": 33}); err == nil {
		t.Error("the session is still open")
	}
}
