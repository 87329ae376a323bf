package process

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/servicetest"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// start runs a gate, and gives its address and what ends it.
func start(t *testing.T, args ...string) (url string, stop func() error) {
	t.Helper()
	address, stop := servicetest.Start(t, func(ctx context.Context, out io.Writer) error { return Run(ctx, args, out, io.Discard) })
	return "http://" + address, stop
}

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(b)
}

func TestProcess(t *testing.T) {
	tokens := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(tokens, []byte("0123456789abcdef0123 app\nreader-reader-reader report read-only\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url, stop := start(t, "-listen", "127.0.0.1:0", "-tokens", tokens, ":memory:?shards=2")
	call := func(token string, m map[string]any) (any, error) {
		s := capnweb.NewBatch(t.Context(), url, nil, http.Header{"Authorization": {"Bearer " + token}}, nil)
		defer func() { _ = s.Close(); <-s.Done() }()
		return s.Main().Do(t.Context(), "call", m)
	}
	if _, err := call("0123456789abcdef0123", map[string]any{"type": 2, "sql": "CREATE TABLE t (id BIGINT PRIMARY KEY)"}); err != nil {
		t.Error(err)
	}
	var e *capnweb.Error
	if _, err := call("reader-reader-reader", map[string]any{"type": 2, "sql": "DROP TABLE t"}); !errors.As(err, &e) || e.Props["errno"] != int64(1290) {
		t.Errorf("a reader drops a table: %v", err)
	}
	if _, err := call("none", map[string]any{"type": 33}); err == nil {
		t.Error("somebody came in without a token")
	}
	if code, text := get(t, url+"/healthz", ""); code != 200 || text != "ok\n" {
		t.Errorf("health is %d %s", code, text)
	}
	if code, _ := get(t, url+"/metrics", "none"); code != http.StatusUnauthorized {
		t.Errorf("the metrics are shown to everybody: %d", code)
	}
	if _, text := get(t, url+"/metrics", "0123456789abcdef0123"); !strings.Contains(text, `vitessdo_gate_requests_total{type="EXECUTE"} 2`) || !strings.Contains(text, "vitessdo_gate_refused_total 1") {
		t.Errorf("the metrics are\n%s", text)
	}
	if err := stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// A transaction over HTTP goes on to its end when the gate is told to end, and nothing new
// is begun.
func TestGrace(t *testing.T) {
	dsn := "file:" + t.TempDir() + "?shards=2"
	url, stop := start(t, "-listen", "127.0.0.1:0", "-grace", "1m", dsn)
	call := func(m map[string]any) (map[string]any, error) {
		s := capnweb.NewBatch(t.Context(), url, nil, nil, nil)
		defer func() { _ = s.Close(); <-s.Done() }()
		v, err := s.Main().Do(t.Context(), "call", m)
		a, _ := v.(map[string]any)
		return a, err
	}
	ok := func(m map[string]any) map[string]any {
		t.Helper()
		a, err := call(m)
		if err != nil {
			t.Fatalf("%v: %v", m, err)
		}
		return a
	}
	ok(map[string]any{"type": 2, "sql": "CREATE TABLE t (id BIGINT PRIMARY KEY)"})
	tx := ok(map[string]any{"type": 16})["txId"]
	ok(map[string]any{"type": 2, "txId": tx, "sql": "INSERT INTO t VALUES(1), (2), (3)"})
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	for code := http.StatusOK; code != http.StatusServiceUnavailable; {
		code, _ = get(t, url+"/healthz", "")
	}
	var e *capnweb.Error
	if _, err := call(map[string]any{"type": 1, "sql": "SELECT 1"}); !errors.As(err, &e) || e.Props["code"] != "CLOSING" {
		t.Errorf("a new statement: %v", err)
	}
	ok(map[string]any{"type": 2, "txId": tx, "sql": "INSERT INTO t VALUES(4)"})
	ok(map[string]any{"type": 17, "txId": tx})
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	url, _ = start(t, "-listen", "127.0.0.1:0", dsn)
	if n := ok(map[string]any{"type": 1, "sql": "SELECT COUNT(*) FROM t"})["rows"]; fmt.Sprint(n) != "[[4]]" {
		t.Errorf("there are %v rows", n)
	}
}

// Over TLS it is HTTP/2, and nothing is answered without.
func TestTLS(t *testing.T) {
	cert, key := servicetest.Certificate(t, t.TempDir(), 1)
	url, _ := start(t, "-listen", "127.0.0.1:0", "-tls-cert", cert, "-tls-key", key, ":memory:")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: servicetest.Roots(t, cert)}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	r, err := client.Get(strings.Replace(url, "http", "https", 1) + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusOK || r.ProtoMajor != 2 {
		t.Errorf("%s %s", r.Proto, r.Status)
	}
	if code, _ := get(t, url+"/healthz", ""); code != http.StatusBadRequest {
		t.Errorf("without TLS it is %d", code)
	}
}

func TestArgumentsThatAreRefused(t *testing.T) {
	confined := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(confined, []byte("0123456789abcdef0123 app keyspace=a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for args, want := range map[string]string{
		"":                                  "0 data source names",
		"-x :memory:":                       "-x",
		":memory: :memory:":                 "2 data source names",
		":memory:?x=1":                      `"x"`,
		"-log xml :memory:":                 "text or json",
		"-log-level loud :memory:":          "debug, info",
		"-listen 0.0.0.0:0 :memory:":        "-open",
		"-listen :0 :memory:":               "-tokens FILE",
		"-listen x :memory:":                "missing port",
		"-max-connections 0 :memory:":       "1 or more",
		"-listen= :memory:":                 "no address",
		"-tokens " + confined + " :memory:": "confines",
		"-tokens none :memory:":             "none",
	} {
		err := Run(ctx, strings.Fields(args), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want one about %s", args, err, want)
		}
	}
}

// The console is there when it is asked for, behind the same tokens.
func TestConsole(t *testing.T) {
	tokens := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(tokens, []byte("0123456789abcdef0123 app\nreader-reader-reader report read-only\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := "file:" + filepath.ToSlash(t.TempDir()) + "?shards=2"
	url, stop := start(t, "-listen", "127.0.0.1:0", "-tokens", tokens, "-console", dir)
	for _, c := range []struct {
		path, token string
		status      int
		want        string
	}{
		{"/console", "", 200, "<title>vitessdo console</title>"},
		{"/console/app.js", "", 200, "signIn"},
		{"/console/api/overview", "", 401, "a valid token is needed"},
		{"/console/api/overview", "reader-reader-reader", 200, `"readOnly":true`},
		{"/console/api/overview", "0123456789abcdef0123", 200, `"bytes":`},
		{"/console/api/statements", "0123456789abcdef0123", 200, `"slow":[]`},
	} {
		if status, body := get(t, url+c.path, c.token); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: status %d, %s; want %d with %s", c.path, status, body, c.status, c.want)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	url, _ = start(t, "-listen", "127.0.0.1:0", "-tokens", tokens, dir)
	if status, _ := get(t, url+"/console/", "0123456789abcdef0123"); status == 200 {
		t.Error("the console is there though nobody has asked for it")
	}
}

func TestStatementMetrics(t *testing.T) {
	url, _ := start(t, "-listen", "127.0.0.1:0", ":memory:?shards=2")
	for _, sql := range []string{"CREATE TABLE t (id BIGINT PRIMARY KEY)", "SELECT COUNT(*) FROM t", "SELECT id FROM t WHERE id = 1", "SELECT nothing"} {
		s := capnweb.NewBatch(t.Context(), url, nil, nil, nil)
		_, err := s.Main().Do(t.Context(), "call", map[string]any{"type": 2, "sql": sql})
		_ = s.Close()
		<-s.Done()
		if failed := strings.Contains(sql, "nothing"); failed != (err != nil) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	_, body := get(t, url+"/metrics", "")
	for _, want := range []string{
		`vitessdo_statements_total{plan_type="scatter_aggregate"} 1`, `vitessdo_statements_total{plan_type="single_shard"} 1`,
		"vitessdo_scatters_total 1", `vitessdo_statement_errors_total{code="NO_SUCH_COLUMN"} 1`, `vitessdo_shard_calls_total{shard="main/-80"}`,
		"vitessdo_statement_seconds_count 4", "vitessdo_gate_requests_total",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s isn't in\n%s", want, body)
		}
	}
}
