package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/reshard"
)

const (
	writer = "0123456789abcdef"
	reader = "fedcba9876543210"
)

func admit(r *http.Request) (Grant, error) {
	switch r.Header.Get("Authorization") {
	case "Bearer " + writer:
		return Grant{Name: "writer"}, nil
	case "Bearer " + reader:
		return Grant{Name: "reader", ReadOnly: true}, nil
	}
	return Grant{}, errors.New("who is it?")
}

// serve gives a console of a directory with tables.
func serve(t *testing.T, opts Options) http.Handler {
	t.Helper()
	opts.Dir, opts.Log = t.TempDir(), slog.New(slog.NewTextHandler(io.Discard, nil))
	cfg := vitessdo.NewConfig()
	cfg.Dir, cfg.Shards, cfg.StatementStats = opts.Dir, 4, Statements
	db, err := vitessdo.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := New(db, opts)
	for _, sql := range []string{
		"CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(50), UNIQUE KEY by_name (name))",
		"INSERT INTO t VALUES (1, 'a'), (2, '<b>b</b>'), (3, NULL), (4, 'd')",
		"CREATE TABLE note (id BIGINT PRIMARY KEY, body BLOB) COMMENT 'reference'",
		"INSERT INTO note VALUES (1, x'ff00')",
	} {
		if status, v := ask(h, writer, "run", map[string]any{"sql": sql, "write": true}); status != http.StatusOK {
			t.Fatal(sql, status, v)
		}
	}
	return h
}

// ask sends a request as the page does; without a body it is a GET.
func ask(h http.Handler, token, name string, body any, change ...func(*http.Request)) (int, map[string]any) {
	method, in := http.MethodGet, io.Reader(nil)
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, map[string]any{"error": err.Error()}
		}
		method, in = http.MethodPost, bytes.NewReader(text)
	}
	r := httptest.NewRequest(method, "http://localhost:8500"+Path+"api/"+name, in)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		out["error"] = w.Body.String()
	}
	return w.Code, out
}

func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func TestAnswers(t *testing.T) {
	h := serve(t, Options{Admit: admit, MaxRows: 3})
	for _, c := range []struct {
		name  string
		token string
		ask   string
		body  any
		code  int
		want  []string // somewhere in the answer
	}{
		{"who one is", reader, "overview", nil, 200, []string{`"name":"reader"`, `"readOnly":true`, `"keyspace":"main"`, `"name":"-40"`, `"Vitess_plan_cache_hits"`, `"counted":true`}},
		{"tables", reader, "tables", nil, 200, []string{`"name":"t"`, `"column_vindexes"`, `"reference"`}},
		{"rows", reader, "run", map[string]any{"sql": "SELECT * FROM t WHERE id IN (?, ?) ORDER BY id", "args": []any{2, 3}}, 200,
			[]string{`"rows":[["2","\u003cb\u003eb\u003c/b\u003e"],["3",null]]`, `"cut":false`, `"type":"BIGINT"`}},
		{"more rows than are shown", reader, "run", map[string]any{"sql": "SELECT id FROM t ORDER BY id"}, 200, []string{`[["1"],["2"],["3"]]`, `"cut":true`}},
		{"bytes", reader, "run", map[string]any{"sql": "SELECT body FROM note"}, 200, []string{`[["0xff00"]]`}},
		{"a plan", reader, "explain", map[string]any{"sql": "SELECT COUNT(*) FROM t WHERE id > ?", "args": []any{1}}, 200,
			[]string{`"combine":"aggregate"`, `"plan_type":"scatter_aggregate"`, `"main/c0-"`}},
		{"the plan of a write", reader, "explain", map[string]any{"sql": "DELETE FROM t WHERE id = 1"}, 200, []string{`"single_shard"`}},
		{"rows by shard", reader, "count", map[string]any{"sql": "main.t"}, 200, []string{`["-40","2"]`}},
		{"statements", reader, "statements", nil, 200, []string{"insert into `t` values ( ... )", `"slow"`}},
		{"transactions", reader, "transactions", nil, 200, []string{`"transactions":[]`}},
		{"a write that wasn't asked for", writer, "run", map[string]any{"sql": "DELETE FROM t"}, 422, []string{"may only read", `"number":1290`}},
		{"a schema change likewise", writer, "run", map[string]any{"sql": "DROP TABLE t"}, 422, []string{"may only read"}},
		{"a write that isn't permitted", reader, "run", map[string]any{"sql": "DELETE FROM t", "write": true}, 403, []string{"this token may only read"}},
		{"a write", writer, "run", map[string]any{"sql": "UPDATE t SET name = 'z' WHERE id = 4", "write": true}, 200, []string{`"affected":1`}},
		{"an error's place", reader, "run", map[string]any{"sql": "SELECT *\nFROM nowhere"}, 422, []string{`"line":2`, `"column":6`, `"number":1146`}},
		{"arguments that can't be", reader, "run", map[string]any{"sql": "SELECT ?", "args": []any{[]any{}}}, 400, []string{"argument 1"}},
		{"no token", "", "overview", nil, 401, []string{"a valid token is needed"}},
		{"a wrong one", "fedcba987654321", "run", map[string]any{"sql": "SELECT 1"}, 401, []string{"a valid token is needed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, v := ask(h, c.token, c.ask, c.body)
			got := jsonText(v)
			if code != c.code {
				t.Errorf("status %d, want %d: %s", code, c.code, got)
			}
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s isn't in %s", want, got)
				}
			}
		})
	}
}

// The files of a shard are found where a resharding has put them.
func TestSizesAfterResharding(t *testing.T) {
	cfg := vitessdo.NewConfig()
	cfg.Dir, cfg.Shards = t.TempDir(), 2
	for i := range 2 {
		c, err := vitessdo.NewConnector(cfg)
		if err != nil {
			t.Fatal(err)
		}
		status, v := ask(New(c, Options{Dir: cfg.Dir}), "", "overview", nil)
		shards, _ := v["shards"].([]any)
		if status != http.StatusOK || len(shards) != 2+i {
			t.Fatalf("status %d: %v", status, v)
		}
		for _, s := range shards {
			if n, _ := s.(map[string]any)["bytes"].(float64); n < 4096 {
				t.Errorf("a shard is told of as %v", s)
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if cfg.Shards = 3; i == 0 {
			if _, err := reshard.Run(t.Context(), reshard.Options{Dir: cfg.Dir, Shards: cfg.Shards}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What a page of another site can make a browser send changes nothing and tells
// nothing.
func TestOtherSites(t *testing.T) {
	tokens, open := serve(t, Options{Admit: admit}), serveOpen(t)
	write := map[string]any{"sql": "DELETE FROM t", "write": true}
	for _, c := range []struct {
		name   string
		h      http.Handler
		token  string
		change func(*http.Request)
		code   int
	}{
		{"from another site", tokens, writer, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		{"from another port of this host", open, "", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
		{"as a form", open, "", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
		{"by a name that leads here", open, "", func(r *http.Request) { r.Host = "evil.example:8500" }, 403},
		{"with a token in the address", tokens, "", func(r *http.Request) { r.URL.RawQuery = "token=" + writer }, 400},
		{"as the page does", open, "", func(*http.Request) {}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			if code, v := ask(c.h, c.token, "run", write, c.change); code != c.code {
				t.Errorf("status %d, want %d: %v", code, c.code, v)
			}
		})
	}
}

func serveOpen(t *testing.T) http.Handler {
	t.Helper()
	return serve(t, Options{})
}

// The page is whole in the program, and loads nothing else.
func TestPage(t *testing.T) {
	h := serve(t, Options{Admit: admit})
	files, err := os.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append([]string{""}, names(files)...) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", Path+strings.TrimSuffix(f, "index.html"), nil))
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%q: status %d", f, w.Code)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%q: policy %q", f, csp)
		}
		text := strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", "")
		for _, bad := range []string{"http://", "https://", "innerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=", "localStorage", "sessionStorage", "onclick"} {
			if strings.Contains(text, bad) {
				t.Errorf("%q holds %s", f, bad)
			}
		}
	}
	for _, path := range []string{"../console.go", "static/", "api/", "nothing.js"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+Path+path, nil))
		if w.Code == http.StatusOK {
			t.Errorf("%s is served", filepath.Join(Path, path))
		}
	}
}

func names(files []os.DirEntry) (out []string) {
	for _, f := range files {
		out = append(out, f.Name())
	}
	return out
}
