package gate

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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
	if _, err := c.s.Main().Do(t.Context(), "drop"); err == nil {
		t.Error("there is a method drop")
	}
	if got := c.query("SELECT 1")["rows"]; fmt.Sprint(got) != "[[1]]" {
		t.Errorf("after all that: %v", got)
	}
}
