package process

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/internal/servicetest"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// Without a token nobody comes in, and with one nobody does more than it says.
func TestGrants(t *testing.T) {
	s := start(t, "-tokens", tokens(t), t.TempDir())
	create(t, s.address, full, "shop/-", "other/-")
	for _, ks := range []string{"shop", "other"} {
		db := shardOf(t, s.client("http", full), ks, "-")
		exec(t, db, "CREATE TABLE t(v INTEGER)")
		exec(t, db, "INSERT INTO t VALUES(1)")
	}
	for _, token := range []string{"", "wrong", full + "x", full[1:]} {
		for _, scheme := range []string{"http", "ws"} {
			_, err := s.client(scheme, token).Tablet(t.Context(), tablet.Target{Keyspace: "shop", Shard: "-"})
			var status *capnweb.StatusError
			if !errors.As(err, &status) || status.Status != http.StatusUnauthorized {
				t.Errorf("token %q by %s: %v", token, scheme, err)
			}
		}
	}
	fails := func(token string, code tablet.Code, m map[string]any) {
		t.Helper()
		_, err := call(t, s.address, token, m)
		var e *capnweb.Error
		if !errors.As(err, &e) || e.Props["code"] != string(code) {
			t.Errorf("%v: got %v, want %s", m, err, code)
		}
	}
	msg := func(kind rpc.Type, ks string, more ...any) map[string]any {
		m := map[string]any{"type": int64(kind), "id": "x", "keyspace": ks, "shard": "-"}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	// Who may only read.
	for _, scheme := range []string{"http", "ws"} {
		db := shardOf(t, s.client(scheme, reader), "shop", "-")
		wantValue(t, db, "SELECT count(*) FROM t", int64(1))
		wantValue(t, db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT max(i) FROM n", int64(5000))
		for _, sql := range []string{"INSERT INTO t VALUES(2) RETURNING v", "WITH x AS (SELECT 1) DELETE FROM t RETURNING v", "UPDATE t SET v = 3", "CREATE TABLE u(v)", "DROP TABLE t", "VACUUM"} {
			if _, err := ask(t, db, sql); tablet.CodeOf(err) != tablet.CodeTxReadOnly {
				t.Errorf("a reader runs %s: %v", sql, err)
			}
		}
		x, err := db.Begin(t.Context(), tablet.TxOptions{})
		must(t, err)
		wantValue(t, x, "SELECT count(*) FROM t", int64(1))
		_, err = ask(t, x, "DELETE FROM t RETURNING v")
		wantCode(t, err, tablet.CodeTxReadOnly, "read-only")
		_ = x.Rollback()
	}
	for _, kind := range []rpc.Type{rpc.TypeShardExecute, rpc.TypeShardBatch, rpc.TypeShardLock, rpc.TypeSetSchema, rpc.TypePrepare, rpc.TypeCommitPrepared, rpc.TypeRollbackPrepare,
		rpc.TypeDecide, rpc.TypeConclude, rpc.TypeOutcome, rpc.TypeConfirm, rpc.TypeShardCreate, rpc.TypeShardDrop, rpc.TypeQuery, 0x77} {
		fails(reader, tablet.CodeTxReadOnly, msg(kind, "shop", "dtid", "d", "sql", "DELETE FROM t"))
	}
	fails(reader, tablet.CodeTxReadOnly, msg(rpc.TypeShardRollback, "shop", "txId", "x", "dtid", "d"))
	fails(reader, tablet.CodeTxReadOnly, msg(rpc.TypeShardBegin, "shop", "txId", "x", "begin", map[string]any{"write": true}))

	// Who is confined to a keyspace.
	wantValue(t, shardOf(t, s.client("ws", shop), "shop", "-"), "SELECT count(*) FROM t", int64(1))
	for _, ks := range []string{"other", "SHOP", "_vt", "", "nothing"} {
		for _, kind := range []rpc.Type{rpc.TypeShardQuery, rpc.TypeStatus, rpc.TypeHealth, rpc.TypeShardFetch, rpc.TypeShardClose, rpc.TypeListPrepared, rpc.TypeShardCreate} {
			fails(shop, tablet.CodeDenied, msg(kind, ks, "sql", "SELECT 1"))
		}
	}
	elsewhere := map[string]any{"keyspace": "other", "shard": "-"}
	fails(shop, tablet.CodeDenied, msg(rpc.TypePrepare, "shop", "txId", "x", "dtid", "d", "holder", elsewhere))
	fails(shop, tablet.CodeDenied, msg(rpc.TypeConfirm, "shop", "dtid", "d", "participant", elsewhere))
	fails(shop, tablet.CodeDenied, msg(rpc.TypeDecide, "shop", "txId", "x", "dtid", "d", "participants", []any{elsewhere}))
	fails(shop, tablet.CodeDenied, msg(rpc.TypeShardDrop, "shop"))

	// A cursor is of use where it was opened only.
	a, err := call(t, s.address, full, msg(rpc.TypeShardQuery, "other", "sql", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"))
	must(t, err)
	fails(shop, tablet.CodeClosed, msg(rpc.TypeShardFetch, "shop", "cursor", a["cursor"]))
	_, err = call(t, s.address, full, msg(rpc.TypeShardClose, "other", "cursor", a["cursor"]))
	must(t, err)
}

// A token that is taken away, or permits something else, is of no more use to a
// WebSocket that is open: what it has begun is undone, and its streams end.
func TestTokensThatGo(t *testing.T) {
	path := tokens(t)
	s := start(t, "-tokens", path, t.TempDir())
	create(t, s.address, full, "shop/-")
	db := shardOf(t, s.client("ws", full), "shop", "-")
	exec(t, db, "CREATE TABLE t(v)")
	gone, confined := shardOf(t, s.client("ws", reader), "shop", "-"), shardOf(t, s.client("ws", shop), "shop", "-")
	rows, err := gone.Query(t.Context(), &tablet.Query{SQL: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"})
	must(t, err)
	defer rows.Close()
	x, err := confined.Begin(t.Context(), tablet.TxOptions{})
	must(t, err)
	exec(t, x, "INSERT INTO t VALUES(1)")
	kept, err := db.Begin(t.Context(), tablet.TxOptions{})
	must(t, err)
	wantValue(t, kept, "SELECT count(*) FROM t", int64(0))

	must(t, os.WriteFile(path, []byte(full+" gate\n"+shop+" tool keyspace=shop read-only\n"), 0o600))
	await.True(t, "the token that is gone is refused", func() bool {
		_, err := ask(t, gone, "SELECT 1")
		return tablet.CodeOf(err) == tablet.CodeDenied
	})
	row := make([]tablet.Value, 1)
	for err = nil; err == nil; { // what had come before
		err = rows.Next(row)
	}
	if err == io.EOF {
		t.Error("an endless stream of a token that is gone came to an end")
	}
	await.True(t, "the token permits only what it now says", func() bool {
		_, err := confined.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(2)"})
		return tablet.CodeOf(err) == tablet.CodeTxReadOnly
	})
	wantCode(t, x.Commit(t.Context()), tablet.CodeTxExpired, "")
	wantValue(t, confined, "SELECT count(*) FROM t", int64(0))
	wantValue(t, kept, "SELECT count(*) FROM t", int64(0)) // who is known as before goes on
	must(t, kept.Commit(t.Context()))
}

// A transaction, a cursor and a request that runs are their client's alone, whoever
// learns of their names.
func TestNamesOfOthers(t *testing.T) {
	s := start(t, "-tokens", tokens(t), t.TempDir())
	create(t, s.address, full, "shop/-")
	exec(t, shardOf(t, s.client("http", full), "shop", "-"), "CREATE TABLE t(v)")
	msg := func(kind rpc.Type, more ...any) map[string]any {
		m := map[string]any{"type": int64(kind), "id": rand.Text(), "keyspace": "shop", "shard": "-"}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	_, err := call(t, s.address, full, msg(rpc.TypeShardExecute, "txId", "x", "begin", map[string]any{}, "sql", "INSERT INTO t VALUES(1)"))
	must(t, err)
	a, err := call(t, s.address, full, msg(rpc.TypeShardQuery, "sql", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"))
	must(t, err)
	for _, token := range []string{reader, shop} {
		for code, m := range map[tablet.Code]map[string]any{
			tablet.CodeTxExpired: msg(rpc.TypeShardQuery, "txId", "x", "sql", "SELECT count(*) FROM t"),
			tablet.CodeClosed:    msg(rpc.TypeShardFetch, "cursor", a["cursor"]),
		} {
			_, err := call(t, s.address, token, m)
			var e *capnweb.Error
			if !errors.As(err, &e) || e.Props["code"] != string(code) {
				t.Errorf("%v of another client: %v, want %s", m, err, code)
			}
		}
		_, _ = call(t, s.address, token, msg(rpc.TypeShardRollback, "txId", "x"))
		_, _ = call(t, s.address, token, msg(rpc.TypeShardClose, "cursor", a["cursor"]))
	}
	running := msg(rpc.TypeShardQuery, "sql", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
	ended := make(chan error, 1)
	go func() {
		_, err := call(t, s.address, full, running)
		ended <- err
	}()
	cancel := func(token string) {
		_, err := call(t, s.address, token, msg(rpc.TypeCancel, "ref", running["id"]))
		must(t, err)
	}
	await.True(t, "the request runs", func() bool {
		_, text := get(t, "http://"+s.address+"/metrics", full)
		return strings.Contains(text, "vitessdo_tablet_running 1")
	})
	cancel(reader)
	_, err = call(t, s.address, full, msg(rpc.TypeShardFetch, "cursor", a["cursor"]))
	must(t, err)
	select {
	case err := <-ended:
		t.Errorf("another client has interrupted it: %v", err)
	default:
	}
	cancel(full)
	if err := <-ended; err == nil {
		t.Error("an endless request has ended well")
	}
	_, err = call(t, s.address, full, msg(rpc.TypeShardCommit, "txId", "x"))
	must(t, err)
	_, err = call(t, s.address, full, msg(rpc.TypeShardClose, "cursor", a["cursor"]))
	must(t, err)
}

// Neither a statement nor a name leads out of the shards, for nobody.
func TestNothingBeyondTheShards(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	create(t, s.address, "", "shop/-")
	db := shardOf(t, s.client("http", ""), "shop", "-")
	exec(t, db, "CREATE TABLE t(v)")
	for _, sql := range []string{"ATTACH '" + filepath.Join(dir, "catalog.db") + "' AS c", "VACUUM INTO '" + filepath.Join(dir, "x.db") + "'", "PRAGMA journal_mode=DELETE",
		"SELECT * FROM _vt_decided", "SELECT load_extension('x')", "CREATE TEMP TABLE x(v)"} {
		_, err := db.Exec(t.Context(), &tablet.Query{SQL: sql})
		switch tablet.CodeOf(err) {
		case tablet.CodeDenied, tablet.CodeUnsupported, tablet.CodeNoTable:
		default:
			if text := fmt.Sprint(err); !strings.Contains(text, "no such function") && !strings.Contains(text, "cannot VACUUM") {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
	for _, at := range []tablet.Target{{Keyspace: "shop", Shard: "../catalog"}, {Keyspace: "..", Shard: "x"}, {Keyspace: "_vt", Shard: "../shop/-"}, {Keyspace: "shop", Shard: "-.db"},
		{Keyspace: "shop/-", Shard: ""}, {Keyspace: "", Shard: "catalog"}, {Keyspace: "/etc", Shard: "passwd"}, {Keyspace: "shop\x00", Shard: "-"}, {Keyspace: "Shop", Shard: "-"}} {
		_, err := s.client("http", "").Tablet(t.Context(), at)
		wantCode(t, err, tablet.CodeWrongShard, "catalog")
		for _, kind := range []rpc.Type{rpc.TypeShardCreate} {
			_, err := call(t, s.address, "", map[string]any{"type": int64(kind), "keyspace": at.Keyspace, "shard": at.Shard})
			var e *capnweb.Error
			if !errors.As(err, &e) || e.Props["code"] != string(tablet.CodeMisuse) {
				t.Errorf("%q is made: %v", at, err)
			}
		}
	}
	for _, path := range []string{"/../vitessdo.json", "/shop/-.db", "/catalog.db", "/debug/pprof/"} {
		if code, _ := get(t, "http://"+s.address+path, ""); code == 200 {
			t.Errorf("%s is served", path)
		}
	}
}

// What isn't the protocol does no harm, and what is too large is told so.
func TestMalformed(t *testing.T) {
	s := start(t, "-max-message-bytes", "10000", t.TempDir())
	create(t, s.address, "", "shop/-")
	url := "http://" + s.address
	post := func(body []byte) (int, string) {
		t.Helper()
		r, err := http.Post(url, "text/plain", bytes.NewReader(body))
		must(t, err)
		defer r.Body.Close()
		text, _ := io.ReadAll(r.Body)
		return r.StatusCode, string(text)
	}
	for _, body := range []string{"", "x", "[]", "null", `["push"]`, `["push",["pipeline",0,["call"]]]`, strings.Repeat("[", 5000), strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000),
		`["push",["pipeline",0,["call"],[{"type":1e999}]]]` + "\n" + `["pull",1]`, "\x00\xff\xfe", `["pull",99]`, `["release",-1,5]`, `["stream",["pipeline",0,["call"],[{"type":48,"sql":7}]]]`} {
		if code, text := post([]byte(body)); code >= 500 && code != http.StatusInternalServerError || strings.Contains(text, "goroutine") {
			t.Errorf("%.40q: %d %s", body, code, text)
		}
	}
	if code, _ := post(make([]byte, 20_000)); code != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body gives %d", code)
	}
	for _, frame := range [][]byte{[]byte("x"), make([]byte, 20_000), []byte(strings.Repeat("[", 9000))} {
		for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
			c, _, err := websocket.Dial(t.Context(), "ws://"+s.address, nil)
			must(t, err)
			_ = c.Write(t.Context(), kind, frame) // the server may have had enough before its end
			for err = nil; err == nil; {
				_, _, err = c.Read(t.Context())
			}
			_ = c.CloseNow()
		}
	}
	wantValue(t, shardOf(t, s.client("ws", ""), "shop", "-"), "SELECT 1", int64(1))
	await.True(t, "the sessions have ended", func() bool {
		_, text := get(t, url+"/metrics", "")
		return strings.Contains(text, "vitessdo_tablet_running 0") && strings.Contains(text, "vitessdo_tablet_cursors 0")
	})
}

// FuzzFront: whatever is posted, the server answers, and serves the next.
func FuzzFront(f *testing.F) {
	for _, body := range []string{`["stream",["pipeline",0,["call"],[{"type":48,"id":"a","keyspace":"shop","shard":"-","sql":"SELECT 1"}]]]`,
		`["push",["pipeline",0,["call"],[{"type":49,"keyspace":"shop","shard":"-","txId":"t","begin":{},"sql":"CREATE TABLE t(v)"}]]]` + "\n" + `["pull",1]`,
		`["stream",["pipeline",0,["call"],[{"type":96,"keyspace":"x","shard":"-80"}]]]`, `["stream",["pipeline",0,["call"],[{"type":80,"keyspace":"shop","shard":"-","txId":"t","dtid":"d","holder":{}}]]]`} {
		f.Add([]byte(body))
	}
	dir := f.TempDir()
	c, err := settled([]string{"-listen", "127.0.0.1:0", "-synchronous", "off", "-idle", "50ms", dir}, func(string) string { return "" }, io.Discard)
	if err != nil {
		f.Fatal(err)
	}
	s := &server{Process: c}
	if s.host, err = openHost(f.Context(), c.host); err != nil {
		f.Fatal(err)
	}
	if err := s.host.Create(f.Context(), tablet.Target{Keyspace: "shop", Shard: "-"}); err != nil {
		f.Fatal(err)
	}
	s.start()
	f.Cleanup(func() { _ = s.rpc.Close(); _ = s.host.Close() })
	front := s.mux()
	f.Fuzz(func(t *testing.T, body []byte) {
		for i, b := range [][]byte{body, []byte(`["stream",["pipeline",0,["call"],[{"type":33,"id":"h","keyspace":"_vt","shard":"catalog"}]]]`)} {
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://127.0.0.1/", bytes.NewReader(b))
			must(t, err)
			w := &answer{}
			front.ServeHTTP(w, r)
			if w.status >= 500 && w.status != http.StatusInternalServerError || strings.Contains(w.String(), "goroutine ") {
				t.Fatalf("%q: %d %s", b, w.status, w.String())
			}
			if i == 1 && !strings.Contains(w.String(), `"type":130`) {
				t.Fatalf("after %q: %s", body, w.String())
			}
		}
	})
}

// answer is a response that is looked at.
type answer struct {
	bytes.Buffer
	status int
}

func (a *answer) Header() http.Header    { return http.Header{} }
func (a *answer) WriteHeader(status int) { a.status = status }

// Every limit has an error that names its flag.
func TestLimits(t *testing.T) {
	s := start(t, "-max-sessions", "2", "-max-transactions", "2", "-max-statement-bytes", "200", "-max-batch", "3", "-max-result-rows", "2000", "-max-result-bytes", "1000000",
		"-max-message-bytes", "200000", "-max-tablets", "1", "-lock-wait", "50ms", t.TempDir())
	create(t, s.address, "", "shop/-80", "shop/80-")
	h := s.client("http", "")
	db := shardOf(t, h, "shop", "-80")
	exec(t, db, "CREATE TABLE t(v)")
	_, err := ask(t, db, "SELECT '"+strings.Repeat("x", 200)+"'")
	wantCode(t, err, tablet.CodeTooBig, "-max-statement-bytes")
	_, err = db.Batch(t.Context(), []tablet.Query{{SQL: "INSERT INTO t VALUES('" + strings.Repeat("x", 200) + "')"}})
	wantCode(t, err, tablet.CodeTooBig, "-max-statement-bytes")
	_, err = db.Batch(t.Context(), make([]tablet.Query, 4))
	wantCode(t, err, tablet.CodeTooBig, "-max-batch")
	_, err = db.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(?1)", Batch: 4, Args: make([]tablet.Value, 4)})
	wantCode(t, err, tablet.CodeTooBig, "-max-batch")
	const many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT %s FROM n"
	_, err = ask(t, db, fmt.Sprintf(many, 2000, "i"))
	must(t, err)
	_, err = ask(t, db, fmt.Sprintf(many, 2001, "i"))
	wantCode(t, err, tablet.CodeTooBig, "-max-result-rows")
	_, err = ask(t, db, fmt.Sprintf(many, 1500, "hex(zeroblob(500))"))
	wantCode(t, err, tablet.CodeTooBig, "-max-result-bytes")

	_, err = ask(t, db, "SELECT randomblob(300000)")
	wantCode(t, err, tablet.CodeTooBig, "blob too big")
	_, err = ask(t, db, "SELECT hex(randomblob(70000)), hex(randomblob(70000))")
	wantCode(t, err, tablet.CodeTooBig, "-max-message-bytes")
	_, err = ask(t, db, "SELECT hex(randomblob(70000))")
	must(t, err)

	var open []tablet.Tx
	for range 2 {
		x, err := db.Begin(t.Context(), tablet.TxOptions{})
		must(t, err)
		wantValue(t, x, "SELECT count(*) FROM t", int64(0))
		open = append(open, x)
	}
	x, err := db.Begin(t.Context(), tablet.TxOptions{})
	must(t, err)
	_, err = ask(t, x, "SELECT 1")
	wantCode(t, err, tablet.CodeOverloaded, "-max-transactions")
	_ = x.Rollback()
	must(t, open[0].Rollback())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = h.Tablet(ctx, tablet.Target{Keyspace: "shop", Shard: "80-"})
	wantCode(t, err, tablet.CodeOverloaded, "max-tablets")
	must(t, open[1].Rollback())
	_, err = h.Tablet(t.Context(), tablet.Target{Keyspace: "shop", Shard: "80-"})
	must(t, err)

	var sessions []*websocket.Conn
	for range 2 {
		c, _, err := websocket.Dial(t.Context(), "ws://"+s.address, nil)
		must(t, err)
		defer c.CloseNow()
		sessions = append(sessions, c)
	}
	_, r, err := websocket.Dial(t.Context(), "ws://"+s.address, nil)
	if err == nil || r == nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("a third session: %v", err)
	}
	if text, _ := io.ReadAll(r.Body); !strings.Contains(string(text), "-max-sessions") {
		t.Errorf("it is told %s", text)
	}
	_ = sessions[0].CloseNow()
	await.True(t, "the session's place is free again", func() bool {
		c, _, err := websocket.Dial(t.Context(), "ws://"+s.address, nil)
		if err == nil {
			_ = c.CloseNow()
		}
		return err == nil
	})
}

// Beyond so many requests at once others are refused, but for those that bring what is
// open to its end.
func TestMaxRunning(t *testing.T) {
	s := start(t, "-max-running", "1", t.TempDir())
	create(t, s.address, "", "shop/-")
	db := shardOf(t, s.client("ws", ""), "shop", "-")
	exec(t, db, "CREATE TABLE t(v)")
	open, err := db.Begin(t.Context(), tablet.TxOptions{})
	must(t, err)
	exec(t, open, "INSERT INTO t VALUES(1)")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		err := error(&tablet.Error{Code: tablet.CodeOverloaded})
		for tablet.CodeOf(err) == tablet.CodeOverloaded { // while one of those below runs
			_, err = db.Query(ctx, &tablet.Query{SQL: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"})
		}
		ended <- err
	}()
	await.True(t, "a second request is refused while one runs", func() bool {
		_, err := call(t, s.address, "", map[string]any{"type": int64(rpc.TypeShardQuery), "id": rand.Text(), "keyspace": "shop", "shard": "-", "sql": "SELECT 1"})
		var e *capnweb.Error
		return errors.As(err, &e) && e.Props["code"] == string(tablet.CodeOverloaded) && strings.Contains(e.Message, "-max-running")
	})
	must(t, open.Commit(t.Context()))
	stop()
	if err := <-ended; tablet.CodeOf(err) != tablet.CodeCanceled {
		t.Errorf("the request that ran ended with %v", err)
	}
	await.True(t, "its place is free again", func() bool {
		n, err := ask(t, db, "SELECT count(*) FROM t")
		return err == nil && n == int64(1)
	})
}

// Where nobody is asked for a token, web pages that a browser of this machine shows get
// nothing done: neither those of other sites, nor those of a name that leads here.
func TestOtherSites(t *testing.T) {
	open, asks := start(t, t.TempDir()), start(t, "-tokens", tokens(t), "-origins", "app.example", t.TempDir())
	for _, c := range []struct {
		s                         *running
		host, origin, token, text string
		code                      int
	}{
		{open, "", "", "", `"type":130`, 200}, {open, "", "http://evil.example", "", "may not speak", 403}, {open, "", "null", "", "may not speak", 403},
		{open, "evil.example", "http://evil.example", "", "--tokens", 403}, {open, "evil.example", "", "", "--tokens", 403}, {open, "localhost", "http://localhost", "", `"type":130`, 200},
		{asks, "db.example", "", full, `"type":130`, 200}, {asks, "db.example", "https://app.example", full, `"type":130`, 200}, {asks, "db.example", "https://evil.example", full, "may not speak", 403},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+c.s.address, strings.NewReader(`["stream",["pipeline",0,["call"],[{"type":33,"keyspace":"_vt","shard":"catalog"}]]]`))
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+c.token)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		r.Host = c.host
		a, err := http.DefaultClient.Do(r)
		must(t, err)
		body, _ := io.ReadAll(a.Body)
		_ = a.Body.Close()
		if a.StatusCode != c.code || !strings.Contains(string(body), c.text) {
			t.Errorf("host %q, origin %q: %d %s", c.host, c.origin, a.StatusCode, body)
		}
	}
}

// Connections beyond so many wait for one to end.
func TestMaxConnections(t *testing.T) {
	s := start(t, "-max-connections", "1", t.TempDir())
	first, err := net.Dial("tcp", s.address)
	must(t, err)
	defer first.Close()
	answered := make(chan int, 1)
	go func() {
		code, _ := get(t, "http://"+s.address+"/healthz", "")
		answered <- code
	}()
	select {
	case <-answered:
		t.Error("two connections are served at once")
	case <-time.After(200 * time.Millisecond):
		must(t, first.Close())
		if code := <-answered; code != http.StatusOK {
			t.Errorf("the second is answered by %d", code)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// HTTP/1.1, HTTP/2 and WebSockets come by one port, with and without TLS, and a new
// certificate is taken into use without an end.
func TestTransports(t *testing.T) {
	dir := t.TempDir()
	cert, key := servicetest.Certificate(t, dir, 1)
	for _, secure := range []bool{false, true} {
		args, scheme := []string{t.TempDir()}, "http"
		if secure {
			args, scheme = append([]string{"-tls-cert", cert, "-tls-key", key}, args...), "https"
		}
		s := start(t, args...)
		for _, version := range []int{1, 2} {
			p := new(http.Protocols)
			p.SetHTTP1(version == 1)
			p.SetHTTP2(version == 2)
			p.SetUnencryptedHTTP2(version == 2)
			tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Protocols: p, ForceAttemptHTTP2: version == 2}
			r, err := (&http.Client{Transport: tr}).Post(scheme+"://"+s.address, "text/plain", strings.NewReader(`["stream",["pipeline",0,["call"],[{"type":33,"keyspace":"_vt","shard":"catalog"}]]]`))
			must(t, err)
			body, _ := io.ReadAll(r.Body)
			_ = r.Body.Close()
			tr.CloseIdleConnections()
			if r.ProtoMajor != version || !strings.Contains(string(body), `"type":130`) {
				t.Errorf("%s by HTTP/%d came by %s: %s", scheme, version, r.Proto, body)
			}
		}
		if !secure {
			continue
		}
		servicetest.Certificate(t, dir, 2)
		await.True(t, "the new certificate is used", func() bool {
			c, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true})
			must(t, err)
			defer c.Close()
			return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64() == 2
		})
		must(t, os.WriteFile(cert, []byte("no certificate"), 0o600))
		time.Sleep(1100 * time.Millisecond) // the files are looked at once a second
		c, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true})
		if err != nil || c.ConnectionState().PeerCertificates[0].SerialNumber.Int64() != 2 {
			t.Errorf("a broken certificate takes the server down: %v", err)
		}
		_ = c.Close()
	}
}
