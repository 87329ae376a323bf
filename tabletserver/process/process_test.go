package process

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/internal/contract"
	"github.com/vitessdo/vitessdo/internal/servicetest"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
)

// The tokens of the tests.
const (
	full   = "full-full-full-full"
	reader = "reader-reader-reader"
	shop   = "shop-shop-shop-shop"
)

// What the tests of the contract do with tablets, these do, too.
var (
	must = contract.Must
	exec = contract.Exec
)

func wantCode(t *testing.T, err error, code tablet.Code, text string) {
	t.Helper()
	if tablet.CodeOf(err) != code || !strings.Contains(fmt.Sprint(err), text) {
		t.Fatalf("got %v (%s), want %s with %q", err, tablet.CodeOf(err), code, text)
	}
}

// running is a server in this process.
type running struct {
	t       *testing.T
	address string
	stop    func() // tells it to end
	end     func() error
}

func start(t *testing.T, args ...string) *running {
	t.Helper()
	args = append([]string{"-listen", "127.0.0.1:0", "-synchronous", "off"}, args...)
	s := &running{t: t}
	s.address, s.end = servicetest.Start(t, func(ctx context.Context, out io.Writer) error {
		ctx, s.stop = context.WithCancel(ctx)
		return Run(ctx, args, out, io.Discard)
	})
	return s
}

// tokens writes a file of them.
func tokens(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	must(t, os.WriteFile(path, []byte(full+" gate\n"+reader+" report read-only\n"+shop+" tool keyspace=shop\n"), 0o600))
	return path
}

func (s *running) client(scheme, token string) *rpc.Client {
	s.t.Helper()
	return dial(s.t, scheme, s.address, token)
}

func dial(t *testing.T, scheme, address, token string) *rpc.Client {
	t.Helper()
	web := &http.Client{Transport: &http.Transport{}}
	c, err := rpc.NewClient(scheme+"://"+address, &rpc.ClientOptions{HTTP: web, Header: http.Header{"Authorization": {"Bearer " + token}}})
	must(t, err)
	t.Cleanup(func() { _ = c.Close(); web.CloseIdleConnections() })
	return c
}

// create makes shards by the message that gates send.
func create(t *testing.T, address, token string, names ...string) {
	t.Helper()
	for _, name := range names {
		ks, shard, _ := strings.Cut(name, "/")
		_, err := call(t, address, token, map[string]any{"type": int64(rpc.TypeShardCreate), "id": "create-" + name, "keyspace": ks, "shard": shard})
		must(t, err)
	}
}

// call sends one message by HTTP.
func call(t *testing.T, address, token string, m map[string]any) (map[string]any, error) {
	t.Helper()
	s := capnweb.NewBatch(t.Context(), "http://"+address, nil, http.Header{"Authorization": {"Bearer " + token}}, nil)
	defer func() { _ = s.Close(); <-s.Done() }()
	v, err := s.Main().Do(t.Context(), "call", m)
	out, _ := v.(map[string]any)
	return out, err
}

func shardOf(t *testing.T, c *rpc.Client, ks, shard string) *rpc.Tablet {
	t.Helper()
	db, err := c.Tablet(t.Context(), tablet.Target{Keyspace: ks, Shard: shard})
	must(t, err)
	return db
}

func ask(t *testing.T, on tablet.Runner, sql string) (tablet.Value, error) {
	t.Helper()
	r, err := on.Query(t.Context(), &tablet.Query{SQL: sql})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	dest := make([]tablet.Value, len(r.Columns()))
	for n := 0; ; n++ {
		err := r.Next(dest)
		if err == io.EOF {
			return dest[0], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func wantValue(t *testing.T, on tablet.Runner, sql string, want tablet.Value) {
	t.Helper()
	if got, err := ask(t, on, sql); err != nil || got != want {
		t.Errorf("%s: got %v, %v, want %v", sql, got, err, want)
	}
}

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := http.DefaultClient.Do(r)
	must(t, err)
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(b)
}

// A server on an empty directory: shards are made and used over HTTP and WebSocket,
// it tells how it is, ends in good order, and has everything when it starts again.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	s := start(t, "-tokens", tokens(t), dir)
	create(t, s.address, full, "shop/-80", "shop/80-")
	for i, scheme := range []string{"http", "ws"} {
		db := shardOf(t, s.client(scheme, full), "shop", "-80")
		exec(t, db, "CREATE TABLE IF NOT EXISTS item(id INTEGER PRIMARY KEY, name TEXT)")
		exec(t, db, "INSERT INTO item(name) VALUES(?1)", "secret-value")
		x, err := db.Begin(t.Context(), tablet.TxOptions{})
		must(t, err)
		exec(t, x, "INSERT INTO item(name) VALUES('b')")
		must(t, x.Commit(t.Context()))
		wantValue(t, db, "SELECT count(*) FROM item", int64(2*i+2))
	}
	if _, err := call(t, s.address, "wrong-wrong-wrong", map[string]any{"type": 33}); err == nil {
		t.Error("somebody came in with a wrong token")
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok"} {
		if code, text := get(t, "http://"+s.address+path, ""); code != 200 || !strings.HasPrefix(text, want) {
			t.Errorf("%s is %d %s", path, code, text)
		}
	}
	if code, _ := get(t, "http://"+s.address+"/metrics", "wrong-wrong-wrong"); code != http.StatusUnauthorized {
		t.Errorf("the metrics are shown to everybody: %d", code)
	}
	_, text := get(t, "http://"+s.address+"/metrics", reader)
	for _, line := range []string{`vitessdo_tablet_requests_total{type="SHARD_CREATE"} 2`, "vitessdo_tablet_refused_total 1", "vitessdo_tablet_shards 3", "vitessdo_tablet_shards_open 3",
		"vitessdo_tablet_sessions ", "vitessdo_tablet_transactions 0", "vitessdo_tablet_unsettled 0", `vitessdo_tablet_request_seconds_bucket{le="+Inf"}`} {
		if !strings.Contains(text, line) {
			t.Errorf("there is no %s in\n%s", line, text)
		}
	}
	must(t, s.end())
	s = start(t, dir)
	wantValue(t, shardOf(t, s.client("ws", ""), "shop", "-80"), "SELECT count(*) FROM item", int64(4))
}

// A server that is told to end begins nothing new, and lets transactions and results come
// to their end, whichever way their clients come; what is left after the grace is undone.
func TestGrace(t *testing.T) {
	for _, scheme := range []string{"http", "ws"} {
		dir := t.TempDir()
		s := start(t, "-grace", "1m", dir)
		create(t, s.address, "", "shop/-80", "shop/80-")
		c := s.client(scheme, "")
		db, other := shardOf(t, c, "shop", "-80"), shardOf(t, c, "shop", "80-")
		exec(t, db, "CREATE TABLE t(v)")
		exec(t, other, "CREATE TABLE t(v)")
		kept, err := db.Begin(t.Context(), tablet.TxOptions{Age: 7})
		must(t, err)
		exec(t, kept, "INSERT INTO t VALUES(1)")
		const many = 20_000
		rows, err := db.Query(t.Context(), &tablet.Query{SQL: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n"})
		must(t, err)

		s.stop()
		await.True(t, "it isn't ready any more, as it ends", func() bool {
			code, _ := get(t, "http://"+s.address+"/readyz", "")
			return code == http.StatusServiceUnavailable
		})
		// Clients would wait for its successor.
		for _, begins := range []tablet.Runner{db, first(t, other, 8)} {
			for wait := 100 * time.Millisecond; ; wait *= 2 { // until it has been asked in time
				ctx, cancel := context.WithTimeout(t.Context(), wait)
				_, err = begins.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(2)"})
				cancel()
				if tablet.CodeOf(err) != tablet.CodeCanceled || wait > time.Minute {
					break
				}
			}
			wantCode(t, err, tablet.CodeClosing, "the server is closing")
		}
		// What is open may need another shard to come to its end.
		more := first(t, other, 7)
		exec(t, more, "INSERT INTO t VALUES(6)")
		must(t, more.Commit(t.Context()))
		exec(t, kept, "INSERT INTO t VALUES(3)")
		must(t, kept.Commit(t.Context()))
		n, row := 0, make([]tablet.Value, 1)
		for ; err != io.EOF; n++ {
			if err = rows.Next(row); err != nil && err != io.EOF {
				t.Fatalf("%s: row %d: %v", scheme, n, err)
			}
		}
		must(t, rows.Close())
		if n--; n != many {
			t.Errorf("%s: %d rows of %d", scheme, n, many)
		}
		must(t, s.end()) // as soon as nothing is open

		s = start(t, "-grace", "50ms", dir)
		db = shardOf(t, s.client(scheme, ""), "shop", "-80")
		left, err := db.Begin(t.Context(), tablet.TxOptions{})
		must(t, err)
		exec(t, left, "INSERT INTO t VALUES(5)")
		must(t, s.end())
		s = start(t, dir)
		wantValue(t, shardOf(t, s.client(scheme, ""), "shop", "-80"), "SELECT sum(v) FROM t", int64(4))
		must(t, s.end())
	}
}

// first gives a transaction's part on a shard.
func first(t *testing.T, on tablet.Tablet, age uint64) tablet.Tx {
	t.Helper()
	x, err := on.Begin(t.Context(), tablet.TxOptions{Age: age})
	must(t, err)
	return x
}

// What an embedded database has left in its redo log is brought to its end before
// anything is served, and what was served is there for the embedded one.
func TestEmbeddedBeforeAndAfter(t *testing.T) {
	dir := t.TempDir()
	open := func() *sql.DB {
		db, err := sql.Open("vitessdo", "file:"+dir+"?shards=2")
		must(t, err)
		return db
	}
	db := open()
	_, err := db.Exec("CREATE TABLE item(id INTEGER PRIMARY KEY, v INTEGER)")
	must(t, err)
	_, err = db.Exec("INSERT INTO item VALUES(1, 0), (2, 0), (3, 0), (4, 0)")
	must(t, err)
	must(t, db.Close())
	log, err := redolog.Open(filepath.Join(dir, "redo.log"), false)
	must(t, err)
	_, err = log.Recover()
	must(t, err)
	redo := func(shard string) tablet.Redo {
		return tablet.Redo{Keyspace: "main", Shard: shard, Queries: []tablet.Query{{SQL: "UPDATE item SET v = v + 1"}}}
	}
	must(t, log.Append("left-1", []tablet.Redo{redo("-80"), redo("80-")}))
	must(t, log.Close())

	s := start(t, dir)
	c := s.client("http", "")
	for _, shard := range []string{"-80", "80-"} {
		db := shardOf(t, c, "main", shard)
		wantValue(t, db, "SELECT min(v) FROM item", int64(1))
		exec(t, db, "UPDATE item SET v = v + 1")
	}
	other := open()
	if err := other.Ping(); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a directory that is served can be opened: %v", err)
	}
	_ = other.Close()
	must(t, s.end())
	db = open()
	defer db.Close()
	var least, most, n int
	must(t, db.QueryRow("SELECT MIN(v), MAX(v), COUNT(*) FROM item").Scan(&least, &most, &n))
	if least != 2 || most != 2 || n != 4 {
		t.Errorf("%d rows from %d to %d", n, least, most)
	}
}

func TestArgumentsThatAreRefused(t *testing.T) {
	loose := filepath.Join(t.TempDir(), "tokens")
	must(t, os.WriteFile(loose, []byte(full+" gate\n"), 0o644))
	must(t, os.Chmod(loose, 0o644))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	dir := t.TempDir()
	for args, want := range map[string]string{
		"":                              "0 data directories",
		"-x " + dir:                     "-x",
		dir + " " + dir:                 "2 data directories",
		"-log xml " + dir:               "text or json",
		"-log-level loud " + dir:        "debug, info",
		"-synchronous never " + dir:     "full, normal or off",
		"-listen 0.0.0.0:0 " + dir:      "-open",
		"-listen :0 " + dir:             "-tokens FILE",
		"-listen x " + dir:              "missing port",
		"-max-sessions 0 " + dir:        "-max-sessions is 0",
		"-max-result-rows -1 " + dir:    "-max-result-rows is -1",
		"-idle 0s " + dir:               "-idle is 0s",
		"-tokens none " + dir:           "none",
		"-tls-cert x " + dir:            "needs its key",
		"-tls-cert x -tls-key y " + dir: "can't be used",
		loose:                           "is a file",
		filepath.Dir(loose):             "not a vitessdo directory",
	} {
		err := Run(ctx, strings.Fields(args), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want one about %s", args, err, want)
		}
	}
	c, err := settled([]string{"-listen", ":0", dir}, func(string) string { return "short" }, io.Discard)
	if err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("%v, %v", c, err)
	}
	if c, err = settled([]string{"-listen", ":0", dir}, func(string) string { return full }, io.Discard); err != nil || c.known == nil {
		t.Errorf("a token of the environment: %v", err)
	}
}

// Logs tell who did what and how it ended, and never a statement or a value.
func TestLogs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	logs := &strings.Builder{}
	c, err := settled([]string{"-log", "json", "-log-level", "debug", "-listen", "127.0.0.1:0", "-tokens", tokens(t), t.TempDir()}, os.Getenv, logs)
	must(t, err)
	s := &server{Process: c}
	c.host.Logger = c.log
	s.host, err = openHost(ctx, c.host)
	must(t, err)
	defer s.host.Close()
	s.start()
	defer s.rpc.Close()
	defer cancel()
	at := tablet.Target{Keyspace: "shop", Shard: "-80"}
	s.done(rpc.Done{Request: &rpc.Request{Type: rpc.TypeShardExecute, ID: "r-1", Target: at, SQL: "INSERT secret", Params: []tablet.Value{"value"}}, Client: "gate",
		Took: time.Millisecond, Err: &tablet.Error{Code: tablet.CodeSyntax, Message: "near secret"}})
	s.done(rpc.Done{Request: &rpc.Request{Type: rpc.TypeShardQuery, ID: "r-2", Target: at, SQL: "SELECT secret"}, Took: time.Minute})
	s.done(rpc.Done{Request: &rpc.Request{Type: rpc.TypeShardCommit, ID: "r-3", Target: at}, Err: &tablet.Error{Code: tablet.CodeIO, Message: "the disk failed"}})
	s.done(rpc.Done{Request: &rpc.Request{Type: rpc.TypeShardBegin, ID: "r-4", Target: at}, Err: errors.New("odd")})
	lines := strings.Split(strings.TrimSpace(logs.String()), "\n")
	for i, want := range [][]string{
		{`"level":"DEBUG"`, `"id":"r-1"`, `"keyspace":"shop"`, `"shard":"-80"`, `"code":"SYNTAX_ERROR"`, `"client":"gate"`, `"took":1000000`},
		{`"level":"INFO"`, "slow request", `"type":"SHARD_QUERY"`},
		{`"level":"ERROR"`, "the disk failed", `"code":"IO_ERROR"`},
		{`"level":"ERROR"`, `"code":"SHARD_ERROR"`},
	} {
		line := lines[len(lines)-4+i]
		for _, x := range want {
			if !strings.Contains(line, x) {
				t.Errorf("%s lacks %s", line, x)
			}
		}
	}
	if strings.Contains(logs.String(), "secret") || strings.Contains(logs.String(), full) {
		t.Errorf("the log tells too much:\n%s", logs)
	}
}

func wantGone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", path, err)
	}
}

// An error is told of the shard that was asked, also one that many requests fail with.
func TestErrorsNameTheirShard(t *testing.T) {
	s := start(t, "-tokens", tokens(t), t.TempDir())
	create(t, s.address, full, "shop/-80", "shop/80-")
	for _, shard := range []string{"-80", "80-", "-80"} {
		_, err := call(t, s.address, full, map[string]any{"type": int64(rpc.TypeShardQuery), "id": "x" + shard, "keyspace": "shop", "shard": shard, "txId": "nobody's", "sql": "SELECT 1"})
		var e *capnweb.Error
		if !errors.As(err, &e) || e.Props["code"] != string(tablet.CodeTxExpired) || e.Props["shard"] != shard {
			t.Errorf("shard %s: %v %v", shard, err, e.Props)
		}
	}
}
