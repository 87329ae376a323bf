package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// admit knows two tokens.
func admit(r *http.Request) (Grant, error) {
	switch r.Header.Get("Authorization") {
	case "Bearer writer":
		return Grant{Name: "writer"}, nil
	case "Bearer reader":
		return Grant{Name: "reader", ReadOnly: true}, nil
	}
	return Grant{}, &capnweb.StatusError{Status: http.StatusUnauthorized, Text: "no"}
}

func (g *served) as(t *testing.T, token string) *client {
	return &client{t: t, open: func() *capnweb.Session {
		return capnweb.NewBatch(t.Context(), g.url, nil, http.Header{"Authorization": {"Bearer " + token}}, nil)
	}}
}

func TestNobodyComesInWithoutAToken(t *testing.T) {
	g := serve(t, Options{Admit: admit})
	for _, token := range []string{"", "wrong", "writer2"} {
		_, err := g.as(t, token).call(map[string]any{"type": 33})
		var status *capnweb.StatusError
		if !errors.As(err, &status) || status.Status != http.StatusUnauthorized {
			t.Errorf("token %q: %v", token, err)
		}
		h := http.Header{"Authorization": {"Bearer " + token}}
		if _, err = capnweb.Dial(t.Context(), strings.Replace(g.url, "http", "ws", 1), nil, h, nil, nil); !errors.As(err, &status) || status.Status != http.StatusUnauthorized {
			t.Errorf("token %q over a WebSocket: %v", token, err)
		}
	}
}

// Who may only read can do so in no way do more, nor touch what is another's.
func TestGrants(t *testing.T) {
	g := serve(t, Options{Admit: admit, ChunkRows: 1})
	writer, reader := g.as(t, "writer"), g.as(t, "reader")
	if got := reader.query("SELECT COUNT(*) FROM item")["rows"]; fmt.Sprint(got) != "[[2]]" {
		t.Errorf("a reader reads %v", got)
	}
	for _, sql := range []string{"DELETE FROM item", "DROP TABLE item", "CREATE DATABASE x", "REPLACE INTO item(id) VALUES(1)", "TRUNCATE item"} {
		reader.fails("READ_ONLY", map[string]any{"type": 2, "sql": sql})
		reader.fails("READ_ONLY", map[string]any{"type": 3, "statements": []any{map[string]any{"sql": sql}}})
	}
	own := reader.ok(map[string]any{"type": 16})["txId"]
	reader.fails("READ_ONLY", map[string]any{"type": 2, "txId": own, "sql": "DELETE FROM item"})
	tx := writer.ok(map[string]any{"type": 16})["txId"]
	reader.fails("TRANSACTION_EXPIRED", map[string]any{"type": 2, "txId": tx, "sql": "DELETE FROM item"})
	cursor := writer.query("SELECT * FROM item")["cursor"]
	reader.fails("CLOSED", map[string]any{"type": 0x33, "cursor": cursor})
	writer.ok(map[string]any{"type": 2, "txId": tx, "sql": "DELETE FROM item"})
	// A session of the driver that a reader has used never becomes a writer's, nor
	// the other way round.
	reader.fails("READ_ONLY", map[string]any{"type": 2, "sql": "DELETE FROM item"})
}

// A token that is taken away, or permits something else, is of no more use to a
// WebSocket that is open: what it has begun is undone.
func TestTokensThatGo(t *testing.T) {
	var gone atomic.Bool
	g := serve(t, Options{ChunkRows: 1, Admit: func(r *http.Request) (Grant, error) {
		grant, err := admit(r)
		if gone.Load() && grant.Name == "writer" {
			return Grant{Name: "writer", ReadOnly: true}, nil
		}
		if gone.Load() && grant.Name == "reader" {
			return Grant{}, &capnweb.StatusError{Status: http.StatusUnauthorized, Text: "no"}
		}
		return grant, err
	}})
	socket := func(token string) *client {
		s, err := capnweb.Dial(t.Context(), strings.Replace(g.url, "http", "ws", 1), nil, http.Header{"Authorization": {"Bearer " + token}}, nil, nil)
		must(t, err)
		t.Cleanup(func() { _ = s.Close(); <-s.Done() })
		return &client{t: t, s: s}
	}
	writer, reader := socket("writer"), socket("reader")
	tx := writer.ok(map[string]any{"type": 16})["txId"]
	writer.ok(map[string]any{"type": 2, "txId": tx, "sql": "DELETE FROM item"})
	reader.ok(map[string]any{"type": 1, "sql": "SELECT * FROM item", "stream": true}) // which isn't read
	g.Readmit()
	reader.ok(map[string]any{"type": 33})
	gone.Store(true)
	g.Readmit()
	for _, c := range []*client{writer, reader} {
		<-c.s.Done()
		var told *capnweb.AbortError
		if err := c.s.Err(); !errors.As(err, &told) {
			t.Errorf("the session ended with %v", err)
		}
	}
	await.True(t, "the transaction is undone, and the stream ends", func() bool { txs, cursors := g.open(); return txs+cursors == 0 })
	if got := g.as(t, "writer").query("SELECT COUNT(*) FROM item")["rows"]; fmt.Sprint(got) != "[[2]]" {
		t.Errorf("there are %v rows", got)
	}
	socket("writer").fails("READ_ONLY", map[string]any{"type": 2, "sql": "DELETE FROM item"})
}

// Neither a statement nor a name leads out of the database.
func TestNothingBeyondTheDatabase(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	must(t, os.WriteFile(secret, []byte("the secret"), 0o600))
	g := serve(t, Options{})
	c := g.batch(t)
	refused := func(m map[string]any) {
		t.Helper()
		a, err := c.call(m)
		var e *capnweb.Error
		if !errors.As(err, &e) || e.Props["code"] == "INTERNAL" {
			t.Errorf("%v: %v %v", m, a, err)
		}
	}
	for _, sql := range []string{
		// Files.
		"ATTACH DATABASE '" + secret + "' AS x", "VACUUM INTO '" + secret + ".db'", "SELECT LOAD_FILE('" + secret + "')", "SELECT readfile('" + secret + "')",
		"SELECT writefile('" + secret + ".w', 'x')", "SELECT load_extension('x')", "SELECT edit('x')", "LOAD DATA INFILE '" + secret + "' INTO TABLE item",
		"LOAD DATA LOCAL INFILE '" + secret + "' INTO TABLE item", "SELECT * FROM item INTO OUTFILE '" + secret + ".out'", "SELECT 1 INTO DUMPFILE '" + secret + ".out'",
		"INSTALL PLUGIN x SONAME 'y'", "CREATE FUNCTION x RETURNS INT SONAME 'y'", "CREATE DATABASE `../x`", "CREATE DATABASE `a/b`",
		// What is the shards' own.
		"PRAGMA database_list", "SELECT * FROM pragma_database_list", "SELECT * FROM sqlite_master", "SELECT * FROM sqlite_schema", "SELECT * FROM dbstat",
		"SELECT name FROM item UNION SELECT name FROM sqlite_master", "SELECT (SELECT COUNT(*) FROM sqlite_master) FROM item", "WITH x AS (SELECT * FROM sqlite_master) SELECT * FROM x",
		"CREATE VIEW x AS SELECT * FROM sqlite_master", "INSERT INTO item (name) SELECT name FROM sqlite_master", "DELETE FROM sqlite_master", "SELECT * FROM _vt_redo", "SELECT * FROM _vt_decided",
		"UPDATE _vt_decided SET dtid = 'x'", "CREATE TABLE _vt_x (id INT PRIMARY KEY)", "CREATE TABLE sqlite_x (id INT PRIMARY KEY)", "SELECT * FROM main.item", "SELECT * FROM temp.f0",
		// Other keyspaces and the system's own.
		"SELECT * FROM _vt.keyspaces", "USE _vt", "USE `_vt/catalog`", "USE `shop/../x`", "USE `../shop`", "USE `shop/-`", "SHOW TABLES FROM _vt", "CREATE DATABASE _vt", "DROP DATABASE _vt",
		"CREATE TABLE _vt.x (id INT PRIMARY KEY)", "SELECT * FROM nothing.item",
	} {
		for _, kind := range []int{1, 2} {
			refused(map[string]any{"type": kind, "sql": sql})
		}
	}
	for _, keyspace := range []string{"_vt", "../x", "shop/-", "/etc/passwd", "shop\x00", "shop`; DROP TABLE item; --", "sqlite_master", "main", "temp"} {
		for _, shard := range []string{"", "catalog", "-", "-80", "../x", "-80`; DROP TABLE item; --"} {
			refused(map[string]any{"type": 1, "sql": "SELECT COUNT(*) FROM item", "keyspace": keyspace, "shard": shard})
		}
	}
	for _, shard := range []string{"catalog", "-", "../x", "-80.db", "-80`; DROP TABLE item; --"} {
		refused(map[string]any{"type": 1, "sql": "SELECT COUNT(*) FROM item", "keyspace": "shop", "shard": shard})
	}
	for kind := 0x40; kind < 0x80; kind++ { // what is for tablets
		refused(map[string]any{"type": kind, "keyspace": "shop", "shard": "-80", "txId": "x", "sql": "SELECT 1", "dtid": "d"})
	}
	refused(map[string]any{"type": 48, "keyspace": "shop", "shard": "-80", "sql": "SELECT * FROM sqlite_master"})
	refused(map[string]any{"type": 49, "keyspace": "shop", "shard": "-80", "sql": "DELETE FROM item"})
	if got := c.query("SELECT COUNT(*) FROM item")["rows"]; fmt.Sprint(got) != "[[2]]" {
		t.Errorf("after all that there are %v rows", got)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("files were made: %v, %v", list, err)
	}
}

// FuzzGate: whatever is posted, the gate answers, and serves the next.
func FuzzGate(f *testing.F) {
	for _, body := range []string{`["stream",["pipeline",0,["call"],[{"type":1,"id":"a","sql":"SELECT * FROM item WHERE id = ?","params":[1]}]]]`,
		`["push",["pipeline",0,["call"],[{"type":16,"id":"b"}]]]` + "\n" + `["pull",1]`, `["stream",["pipeline",0,["call"],[{"type":3,"statements":[{"sql":"SELECT 1"},{"sql":"x"}]}]]]`,
		`["stream",["pipeline",0,["call"],[{"type":1,"keyspace":"_vt","shard":"catalog","sql":"SELECT 1"}]]]`, `["stream",["pipeline",0,["call"],[{"type":51,"cursor":"x"}]]]`} {
		f.Add([]byte(body))
	}
	cfg, err := vitessdo.ParseDSN(":memory:?shards=2&keyspace=shop")
	if err != nil {
		f.Fatal(err)
	}
	db, err := vitessdo.NewConnector(cfg)
	if err != nil {
		f.Fatal(err)
	}
	g := New(db, Options{Idle: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler), Session: &capnweb.Options{Limits: capnweb.Limits{MessageBytes: 1 << 16, Depth: 32}}})
	f.Cleanup(func() { _ = g.Close(); _ = db.Close() })
	f.Fuzz(func(t *testing.T, body []byte) {
		for i, b := range [][]byte{body, []byte(`["stream",["pipeline",0,["call"],[{"type":33,"id":"h"}]]]`)} {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/", bytes.NewReader(b))
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			text := w.Body.String()
			if w.Code >= 500 && w.Code != http.StatusInternalServerError || strings.Contains(text, "goroutine ") {
				t.Fatalf("%q: %d %s", b, w.Code, text)
			}
			if i == 1 && !strings.Contains(text, `"type":130`) {
				t.Fatalf("after %q: %s", body, text)
			}
		}
	})
}

// A body that doesn't come is not waited for.
func TestSlowBody(t *testing.T) {
	h := httptest.NewServer(&capnweb.Handler{
		Main:     func(*http.Request) (capnweb.Target, error) { return nil, nil },
		BodyTime: 20 * time.Millisecond,
	})
	defer h.Close()
	body, w := io.Pipe()
	defer w.Close()
	r, err := http.Post(h.URL, "text/plain", body)
	if err == nil {
		defer r.Body.Close()
		if r.StatusCode < 400 {
			t.Errorf("half a body is answered with %s", r.Status)
		}
	}
}

// Messages that are too large, too deep or no messages end the session, or the
// request, and nothing else.
func TestBadMessages(t *testing.T) {
	g := serve(t, Options{Session: &capnweb.Options{Limits: capnweb.Limits{MessageBytes: 4096, Depth: 16}}})
	post := func(body string) int {
		r, err := http.Post(g.url, "text/plain", strings.NewReader(body))
		must(t, err)
		_ = r.Body.Close()
		return r.StatusCode
	}
	if code := post(strings.Repeat("x", 5000)); code != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body gives %d", code)
	}
	for _, body := range []string{"x", `["push"]`, `["push",["pipeline",0,["call"],[` + strings.Repeat("[", 100), `["stream",["pipeline",7,["call"],[{}]]]`} {
		if code := post(body); code >= 500 && code != http.StatusInternalServerError {
			t.Errorf("%q gives %d", body, code)
		}
	}
	c := g.socket(t)
	for _, m := range []map[string]any{
		{}, {"type": "QUERY"}, {"type": 1}, {"type": 1, "sql": 5}, {"type": 1, "sql": "SELECT ?", "params": []any{map[string]any{"a": 1}}},
		{"type": 99}, {"type": 1, "sql": "SELECT ?"}, {"type": 1, "sql": "SELECT 1", "params": []any{1}},
		{"type": 0x33, "cursor": "x"}, {"type": 17, "txId": "x"}, {"type": 1, "txId": "x", "sql": "SELECT 1"},
	} {
		if _, err := c.call(m); err == nil && m["type"] != 1 {
			t.Errorf("%v is answered", m)
		}
	}
	for sql, code := range map[string]string{"SELECT REPEAT('x', 5000)": "TOO_BIG", "SELECT REPEAT('x', 4000) UNION ALL SELECT 1": "", "SELECT REPEAT('x', 1000) FROM item a, item b, item c": ""} {
		if code != "" {
			c.fails(code, map[string]any{"type": 1, "sql": sql})
			g.batch(t).fails(code, map[string]any{"type": 1, "sql": sql})
			continue
		}
		if _, err := c.call(map[string]any{"type": 1, "sql": sql}); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if _, err := c.s.Main().Do(t.Context(), "drop"); err == nil {
		t.Error("there is a method drop")
	}
	if got := c.query("SELECT 1")["rows"]; fmt.Sprint(got) != "[[1]]" {
		t.Errorf("after all that: %v", got)
	}
}
