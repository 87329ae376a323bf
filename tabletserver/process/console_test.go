package process

import (
	"bytes"
	"database/sql"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The console of a tablet server shows what gates have made, to those whose tokens
// are good for all of it.
func TestConsole(t *testing.T) {
	s := start(t, "-tokens", tokens(t), "-console", t.TempDir())
	ask := func(path, token, body string) (int, string) {
		t.Helper()
		method, in := "GET", io.Reader(nil)
		if body != "" {
			method, in = "POST", bytes.NewReader([]byte(body))
		}
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.address+"/console"+path, in)
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		a, err := http.DefaultClient.Do(r)
		must(t, err)
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		must(t, err)
		return a.StatusCode, string(b)
	}
	expect := func(status int, want, path, token, body string) {
		t.Helper()
		if got, text := ask(path, token, body); got != status || !strings.Contains(text, want) {
			t.Errorf("%s %s: status %d, %s; want %d with %s", path, body, got, text, status, want)
		}
	}
	expect(200, "<title>vitessdo console</title>", "/", "", "")
	expect(401, "a valid token", "/api/overview", "", "")
	// Looking makes no keyspace.
	expect(503, "there is no keyspace yet", "/api/overview", reader, "")

	db, err := sql.Open("vitessdo", "http://"+s.address+"/shop?shards=2&auth_token="+full)
	must(t, err)
	defer db.Close()
	for _, q := range []string{"CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)"} {
		_, err := db.Exec(q)
		must(t, err)
	}
	expect(200, `"keyspace":"shop"`, "/api/overview", reader, "")
	expect(200, `"bytes":`, "/api/overview", full, "")
	// What others have asked of the tablets, without its values.
	expect(200, `"Calls":"`, "/api/overview", reader, "")
	expect(200, "insert into `t` ( `id` ) values ( ? )", "/api/statements", reader, "")
	expect(401, "a valid token", "/api/overview", shop, "")
	expect(200, `[["3"]]`, "/api/run", reader, `{"sql": "SELECT COUNT(*) FROM t"}`)
	expect(403, "may only read", "/api/run", reader, `{"sql": "DELETE FROM t", "write": true}`)
	expect(200, `"affected":3`, "/api/run", full, `{"sql": "DELETE FROM t", "write": true}`)
	must(t, s.end())
}
