//go:build !nonode

package workerd

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

type fields = map[string]any

// to is a message to the shard that one has made.
func to(f fields) fields {
	all := fields{"keyspace": "ks", "shard": "-"}
	maps.Copy(all, f)
	return all
}

// What comes twice is done once, and what makes no sense is refused; the session
// goes on.
func TestOddMessages(t *testing.T) {
	w, _, db, _ := one(t, nil)
	s, err := capnweb.Dial(t.Context(), w.URL("ws"), nil, Header(), nil, nil)
	must(t, err)
	defer func() { _ = s.Close(); <-s.Done() }()
	insert := to(fields{"type": 0x31, "id": "i", "txId": "x", "begin": fields{}, "sql": "INSERT INTO t VALUES(1)"})
	commit := to(fields{"type": 0x41, "id": "c", "txId": "x"})
	for _, message := range []any{insert, insert, commit, commit, to(fields{"type": 0x42, "txId": "none"})} {
		if _, err := s.Main().Do(t.Context(), "call", message); err != nil {
			t.Errorf("%v: %v", message, err)
		}
	}
	wantRows(t, db, 1)
	for _, c := range []struct {
		message any
		code    tablet.Code
		text    string
	}{
		{insert, tablet.CodeTxExpired, "isn't known"},
		{nil, tablet.CodeMisuse, "must be an object"},
		{[]any{}, tablet.CodeMisuse, "must be an object"},
		{fields{"type": "x"}, tablet.CodeMisuse, `field "type" of a message is a string`},
		{to(fields{"type": 0x30, "params": []any{fields{}}}), tablet.CodeMisuse, "no SQL value"},
		{to(fields{"type": 0x30, "params": "x"}), tablet.CodeMisuse, "must be an array"},
		{to(fields{"type": 0x30, "sql": "SELECT 1", "begin": 5}), tablet.CodeMisuse, "must be an object"},
		{fields{"type": 0x01, "sql": "SELECT 1"}, tablet.CodeUnsupported, "QUERY is a request to a gate"},
		{to(fields{"type": 0x77}), tablet.CodeMisuse, "0x77"},
		{to(fields{"type": 0x41, "txId": "none"}), tablet.CodeTxExpired, "isn't known"},
		{to(fields{"type": 0x33, "cursor": "none"}), tablet.CodeClosed, "isn't known"},
		{to(fields{"type": 0x21, "cursor": "none"}), tablet.CodeClosed, "isn't known"},
		{to(fields{"type": 0x30, "sql": ""}), tablet.CodeSyntax, "empty"},
		{to(fields{"type": 0x30, "sql": "SELECT 1", "schemaVersion": 2}), tablet.CodeSchemaChanged, "version 2"},
		{to(fields{"type": 0x50, "txId": "y", "begin": fields{}, "dtid": "d"}), tablet.CodeUnsupported, "must name the holder"},
		{fields{"type": 0x60, "keyspace": "_vt", "shard": "catalog"}, tablet.CodeMisuse, "can't be made"},
	} {
		_, err := s.Main().Do(t.Context(), "call", c.message)
		var e *capnweb.Error
		if !errors.As(err, &e) || e.Props["code"] != string(c.code) || e.Props["type"] != int64(rpc.TypeError) || !strings.Contains(e.Message, c.text) {
			t.Errorf("%v: got %v, want %s %s", c.message, err, c.code, c.text)
		}
	}
	if _, err := s.Main().Do(t.Context(), "other"); err == nil {
		t.Error("there is another method")
	}
}

// A batch in a transaction is done whole or not at all, be it committed or replayed.
func TestBatchInTransaction(t *testing.T) {
	w, _, db, _ := one(t, nil)
	s, err := capnweb.Dial(t.Context(), w.URL("ws"), nil, Header(), nil, nil)
	must(t, err)
	defer func() { _ = s.Close(); <-s.Done() }()
	statements := func(list ...string) (out []any) {
		for _, sql := range list {
			out = append(out, fields{"sql": sql})
		}
		return out
	}
	for i, end := range [][]fields{{{"type": 0x41}}, {{"type": 0x50, "dtid": "d", "holder": fields{"keyspace": "k", "shard": "elsewhere"}}, {"type": 0x51}}} {
		send := func(f fields) error {
			m := to(f)
			m["txId"] = fmt.Sprint("x", i)
			_, err := s.Main().Do(t.Context(), "call", m)
			return err
		}
		must(t, send(fields{"type": 0x32, "begin": fields{}, "statements": statements("INSERT INTO t VALUES(1)", "INSERT INTO t VALUES(2)")}))
		if err := send(fields{"type": 0x32, "statements": statements("ALTER TABLE t ADD COLUMN w", "INSERT INTO t(v, w) VALUES(3, 3)", "INSERT INTO absent VALUES(1)")}); err == nil {
			t.Error("a table that is absent is written")
		}
		must(t, send(fields{"type": 0x32, "statements": statements("INSERT INTO t VALUES(4)")}))
		for _, f := range end {
			must(t, send(f))
		}
		wantRows(t, db, int64(3*i+3))
	}
}

// What isn't the protocol ends its session, and no other one.
func TestGarbage(t *testing.T) {
	w, _, db, _ := one(t, nil)
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	for _, text := range []string{"x", "[]", "{}", `["push"]`, `["nonsense",1]`, `["pull",77]`, `["release",77,1]`, "\x00", deep, `["push",` + deep + `]`} {
		answer := ask(t, w, http.MethodPost, text)
		body, err := io.ReadAll(answer.Body)
		must(t, err)
		_ = answer.Body.Close()
		if strings.Contains(string(body), `"resolve"`) {
			t.Errorf("%.40q is answered: %s", text, body)
		}
		for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
			c, _, err := websocket.Dial(t.Context(), w.URL("ws"), &websocket.DialOptions{HTTPHeader: Header()})
			must(t, err)
			must(t, c.Write(t.Context(), kind, []byte(text)))
			for err == nil { // until the session ends
				_, _, err = c.Read(t.Context())
			}
			_ = c.CloseNow()
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodOptions} {
		answer := ask(t, w, method, "")
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %s", method, answer.Status)
		}
	}
	// More than may be sent at once.
	large := strings.Repeat(" ", 33<<20)
	if answer, err := send(t, w, http.MethodPost, large); err == nil { // else it was hung up on while it sent
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("a large body: %s", answer.Status)
		}
	}
	c, _, err := websocket.Dial(t.Context(), w.URL("ws"), &websocket.DialOptions{HTTPHeader: Header()})
	must(t, err)
	for err = c.Write(t.Context(), websocket.MessageText, []byte(large)); err == nil; { // until the session ends
		_, _, err = c.Read(t.Context())
	}
	_ = c.CloseNow()
	wantRows(t, db, 0)
}

func ask(t *testing.T, w *Worker, method, body string) *http.Response {
	t.Helper()
	answer, err := send(t, w, method, body)
	must(t, err)
	return answer
}

func send(t *testing.T, w *Worker, method, body string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.URL("http"), strings.NewReader(body))
	must(t, err)
	r.Header = Header()
	return http.DefaultClient.Do(r)
}

// What was carried out is known when it is sent again, also after a crash.
func TestSentAgain(t *testing.T) {
	w, _, db, _ := one(t, nil)
	call := func(message fields) (any, error) {
		s, err := capnweb.Dial(t.Context(), w.URL("ws"), nil, Header(), nil, nil)
		must(t, err)
		defer func() { _ = s.Close(); <-s.Done() }()
		v, err := s.Main().Do(t.Context(), "call", to(message))
		if m, ok := v.(fields); ok {
			delete(m, "timestamp")
		}
		return v, err
	}
	insert := fields{"type": 0x31, "id": "i", "sql": "INSERT INTO t VALUES(?1)", "params": []any{1, 2}, "count": 2}
	batch := fields{"type": 0x32, "id": "b", "statements": []any{fields{"sql": "INSERT INTO t VALUES(3)"}, fields{"sql": "DELETE FROM t WHERE v = 1"}}}
	returns := fields{"type": 0x30, "id": "r", "sql": "INSERT INTO t VALUES(5), (6) RETURNING v"}
	before := map[string]any{}
	for _, m := range []fields{insert, batch, returns} {
		v, err := call(m)
		must(t, err)
		before[m["id"].(string)] = v
	}
	for _, crash := range []bool{false, true} {
		if crash {
			w.Restart(t)
		}
		for _, m := range []fields{insert, batch, returns} {
			v, err := call(m)
			if err != nil || !reflect.DeepEqual(v, before[m["id"].(string)]) {
				t.Errorf("crash %v: again it gives %v, %v, not %v", crash, v, err, before[m["id"].(string)])
			}
		}
		wantRows(t, db, 4)
	}
	// Many rows aren't kept, but that they were written.
	for _, n := range []int{2, 20} {
		write(t, db, "DELETE FROM t")
		large := fields{"type": 0x30, "id": fmt.Sprint(n), "sql": "INSERT INTO t " + series + " RETURNING v, zeroblob(1000000)", "params": []any{n}}
		v, err := call(large)
		must(t, err)
		if cursor := v.(fields)["cursor"]; cursor != nil {
			_, err = call(fields{"type": 0x34, "cursor": cursor})
			must(t, err)
		}
		if _, err := call(large); err == nil || !strings.Contains(err.Error(), "carried out before") {
			t.Errorf("%d MB again: %v", n, err)
		}
		wantRows(t, db, int64(n))
	}
	write(t, db, "DELETE FROM t WHERE v > 4")
	// A failure has changed nothing, and is tried anew.
	for _, sql := range []string{"INSERT INTO absent VALUES(1)", "CREATE TABLE absent(v)", "INSERT INTO absent VALUES(1)"} {
		_, err := call(fields{"type": 0x31, "id": map[bool]string{true: "made", false: "absent"}[strings.HasPrefix(sql, "CREATE")], "sql": sql})
		if (err == nil) != (sql == "CREATE TABLE absent(v)" || before["made"] != nil) {
			t.Errorf("%s: %v", sql, err)
		}
		if err == nil {
			before["made"] = true
		}
	}
	// A transaction's end.
	for _, end := range []fields{{"type": 0x41}, {"type": 0x54, "dtid": "d", "participants": []any{fields{"keyspace": "k", "shard": "elsewhere"}}}} {
		x := begin(t, db, tablet.TxOptions{})
		write(t, x, "INSERT INTO t VALUES(4)")
		if end["dtid"] == nil {
			must(t, x.Commit(t.Context()))
		} else {
			must(t, x.Decide(t.Context(), "d", []tablet.Target{{Keyspace: "k", Shard: "elsewhere"}}))
		}
		w.Restart(t)
		again := maps.Clone(end)
		again["id"], again["txId"] = "again", reflect.ValueOf(x).Elem().FieldByName("id").String()
		if _, err := call(again); err != nil {
			t.Errorf("%v: %v", again, err)
		}
		again["txId"] = "another"
		if again["dtid"] != nil {
			again["dtid"] = "another"
		}
		if _, err := call(again); err == nil || !strings.Contains(err.Error(), "isn't known") {
			t.Errorf("%v: %v", again, err)
		}
	}
	wantRows(t, db, 6)
}
