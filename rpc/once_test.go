package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// twice sends a message to two servers of one tablet, one after the other, as if the
// first had gone down before its answer came, and gives both answers.
func twice(t *testing.T, db *tabletserver.Tablet, m map[string]any) (first, second map[string]any, err error) {
	t.Helper()
	var out []map[string]any
	for range 2 {
		v, e := send(t, rpc.Serve(db), m)
		out = append(out, v)
		err = errors.Join(err, e)
	}
	return out[0], out[1], err
}

func send(t *testing.T, server *rpc.Server, messages ...map[string]any) (answer map[string]any, err error) {
	t.Helper()
	here, there := capnweb.Pipe()
	far := capnweb.NewSession(there, server.Main(), nil)
	s := capnweb.NewSession(here, nil, nil)
	for _, m := range messages {
		m["keyspace"], m["shard"] = shard.Keyspace, shard.Shard
		v, e := s.Main().Do(t.Context(), "call", m)
		answer, _ = v.(map[string]any)
		delete(answer, "timestamp")
		if err = e; e != nil {
			break
		}
	}
	_ = s.Close()
	<-s.Done()
	<-far.Done()
	must(t, server.Close())
	return answer, err
}

func memory(t *testing.T) *tabletserver.Tablet {
	t.Helper()
	db, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: shard, Remember: time.Hour, LockWait: time.Second})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
	return db
}

func wantCount(t *testing.T, db tablet.Runner, n int64) {
	t.Helper()
	if got := query(t, db, "SELECT count(*) FROM t")[0][0]; got != n {
		t.Errorf("there are %v rows, want %d", got, n)
	}
}

// A write that is sent again with the same ID is carried out once, and has the first
// answer, also from a server that was started since.
func TestOnce(t *testing.T) {
	db := memory(t)
	insert := func(id string) map[string]any {
		return map[string]any{"type": 0x31, "id": id, "sql": "INSERT INTO t(v) VALUES(?1)", "params": []any{"x"}}
	}
	first, second, err := twice(t, db, insert("a"))
	must(t, err)
	if fmt.Sprint(first) != fmt.Sprint(second) || first["rowsAffected"] != int64(1) || first["lastInsertId"] != int64(1) {
		t.Errorf("the answers are %v and %v", first, second)
	}
	wantCount(t, db, 1)
	first, second, err = twice(t, db, map[string]any{"type": 0x31, "id": "b", "sql": "INSERT INTO t(v) VALUES(?1)", "params": []any{1, 2, 3}, "count": 3})
	must(t, err)
	if fmt.Sprint(first) != fmt.Sprint(second) || fmt.Sprint(first["changed"], first["insertIds"]) != "[1 1 1] [2 3 4]" {
		t.Errorf("the answers are %v and %v", first, second)
	}
	first, second, err = twice(t, db, map[string]any{"type": 0x32, "id": "c", "statements": []any{map[string]any{"sql": "INSERT INTO t(v) VALUES(5)"}, map[string]any{"sql": "UPDATE t SET v = 6"}}})
	must(t, err)
	if fmt.Sprint(first) != fmt.Sprint(second) {
		t.Errorf("the answers are %v and %v", first, second)
	}
	wantCount(t, db, 5)
	// What has failed has changed nothing, and is tried again.
	bad := map[string]any{"type": 0x31, "id": "d", "sql": "INSERT INTO t(id) VALUES(1)"}
	if _, _, err := twice(t, db, bad); err == nil {
		t.Error("a key is there twice")
	}
	exec(t, db, "DELETE FROM t WHERE id = 1")
	_, _, err = twice(t, db, bad)
	must(t, err)
	wantCount(t, db, 5)
	// Without an ID, or with another one, it is another request.
	_, _, err = twice(t, db, insert(""))
	must(t, err)
	wantCount(t, db, 7)
}

// A write that returns rows is carried out once, too, and gives the same rows, as long
// as they aren't too many to be kept. One that can't be in a transaction is left as it is.
func TestRowsOnce(t *testing.T) {
	db := memory(t)
	insert := map[string]any{"type": 0x30, "id": "a", "sql": "INSERT INTO t(v) VALUES(x'01'), (1.0), (9223372036854775807), (NULL) RETURNING id, v AS \"the value\""}
	first, second, err := twice(t, db, insert)
	must(t, err)
	if fmt.Sprint(first) != fmt.Sprint(second) || fmt.Sprint(first["columns"], first["rows"]) != "[id the value] [[1 [1]] [2 1] [3 9223372036854775807] [4 <nil>]]" {
		t.Errorf("the answers are %v and %v", first, second)
	}
	wantCount(t, db, 4)
	first, second, err = twice(t, db, map[string]any{"type": 0x30, "id": "b", "sql": "WITH x AS (SELECT id FROM t WHERE id = 4) DELETE FROM t WHERE id IN (SELECT id FROM x) RETURNING id"})
	must(t, err)
	if fmt.Sprint(first["rows"], second["rows"]) != "[[4]] [[4]]" {
		t.Errorf("the answers are %v and %v", first, second)
	}
	_, _, err = twice(t, db, map[string]any{"type": 0x30, "id": "c", "sql": "INSERT INTO t(v) VALUES(zeroblob(1000000)) RETURNING v"})
	var e *capnweb.Error
	if !errors.As(err, &e) || e.Props["code"] != string(tablet.CodeUnknownResult) {
		t.Errorf("rows that aren't kept: %v", err)
	}
	wantCount(t, db, 4)
	_, _, err = twice(t, db, map[string]any{"type": 0x31, "id": "d", "sql": "VACUUM"})
	must(t, err)
}

// Many send the same at once; one of them does it.
func TestOnceSideBySide(t *testing.T) {
	db := memory(t)
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			if _, err := send(t, rpc.Serve(db), map[string]any{"type": 0x31, "id": "same", "sql": "INSERT INTO t(v) VALUES(1)"}); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	wantCount(t, db, 1)
}

// A COMMIT or DECIDE whose answer was lost is answered by what it has done, whoever is
// asked; one that was never carried out isn't taken for done.
func TestCommitOnce(t *testing.T) {
	db := memory(t)
	begin := func(tx string) map[string]any {
		return map[string]any{"type": 0x31, "id": "b" + tx, "txId": tx, "begin": map[string]any{}, "sql": "INSERT INTO t(v) VALUES(1)"}
	}
	commit := func(tx string) map[string]any { return map[string]any{"type": 0x41, "id": "c" + tx, "txId": tx} }
	_, err := send(t, rpc.Serve(db), begin("x"), commit("x"))
	must(t, err)
	for range 2 {
		answer, err := send(t, rpc.Serve(db), commit("x"))
		must(t, err)
		if answer["type"] != int64(0x82) {
			t.Errorf("got %v", answer)
		}
	}
	_, err = send(t, rpc.Serve(db), begin("y")) // the session ends
	must(t, err)
	var e *capnweb.Error
	if _, err = send(t, rpc.Serve(db), commit("y")); !errors.As(err, &e) || e.Props["code"] != string(tablet.CodeTxExpired) {
		t.Errorf("got %v", err)
	}
	wantCount(t, db, 1)

	decide := map[string]any{"type": 0x54, "id": "dz", "txId": "z", "dtid": "d1", "participants": []any{map[string]any{"keyspace": "ks", "shard": "else"}}}
	_, err = send(t, rpc.Serve(db), begin("z"), decide, map[string]any{"type": 0x55, "id": "e", "txId": "z", "dtid": "d1"})
	must(t, err)
	_, err = send(t, rpc.Serve(db), decide)
	must(t, err)
	answer, err := send(t, rpc.Serve(db), map[string]any{"type": 0x56, "id": "o", "dtid": "d1"})
	must(t, err)
	if answer["outcome"] != "commits" {
		t.Errorf("the outcome is %v", answer)
	}
	decide["dtid"] = "d2"
	if _, err = send(t, rpc.Serve(db), decide); !errors.As(err, &e) || e.Props["code"] != string(tablet.CodeTxExpired) {
		t.Errorf("got %v", err)
	}
	wantCount(t, db, 2)

	// PREPARE says so again while its session lives.
	prepare := map[string]any{"type": 0x50, "id": "p", "txId": "w", "dtid": "d3", "holder": map[string]any{"keyspace": "ks", "shard": "else"}}
	_, err = send(t, rpc.Serve(db), begin("w"), prepare, prepare)
	must(t, err)
	must(t, db.RollbackPrepared(t.Context(), "d3"))
	wantCount(t, db, 2)
}

// A message to make a shard that arrives twice makes it once: what is in it since then
// stays. One that failed is tried again.
func TestShardIsMadeOnce(t *testing.T) {
	made := 0
	fail := errors.New("no space")
	server := rpc.NewServer(rpc.ServerOptions{Create: func(context.Context, tablet.Target) error {
		made++
		err := fail
		fail = nil
		return err
	}})
	create := func(id string) map[string]any { return map[string]any{"type": 0x60, "id": id} }
	here, there := capnweb.Pipe()
	far := capnweb.NewSession(there, server.Main(), nil)
	s := capnweb.NewSession(here, nil, nil)
	for i, want := range []struct {
		id   string
		ok   bool
		made int
	}{{"a", false, 1}, {"a", true, 2}, {"a", true, 2}, {"b", true, 3}, {"", true, 4}, {"", true, 5}} {
		if _, err := s.Main().Do(t.Context(), "call", create(want.id)); (err == nil) != want.ok || made != want.made {
			t.Errorf("number %d: %v, made %d times", i, err, made)
		}
	}
	_ = s.Close()
	<-s.Done()
	<-far.Done()
	must(t, server.Close())
}
