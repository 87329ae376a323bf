package rpc_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// A request of a transaction that arrives twice is carried out once, and has one
// answer; one that begins a transaction doesn't begin it again after its end.
func TestArrivesTwice(t *testing.T) {
	db, err := tabletserver.Open(t.Context(), tabletserver.Config{Path: filepath.Join(t.TempDir(), "s.db"), Synchronous: tabletserver.Off, Target: shard})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	server := rpc.Serve(db)
	t.Cleanup(func() { _ = server.Close() })
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	exec(t, db, "CREATE TABLE t(v INTEGER)")
	say := func(r *rpc.Request) (any, error) {
		s := capnweb.NewBatch(t.Context(), web.URL, nil, nil, nil)
		defer func() { _ = s.Close(); <-s.Done() }()
		r.Target = shard
		return s.Main().Do(t.Context(), "call", r)
	}
	insert := func(id, tx string, begin bool) *rpc.Request {
		r := &rpc.Request{Type: rpc.TypeShardExecute, ID: id, TxID: tx, SQL: "INSERT INTO t VALUES(1)"}
		if begin {
			r.Begin = &tablet.TxOptions{}
		}
		return r
	}
	for _, r := range []*rpc.Request{
		insert("1", "x", true), insert("1", "x", true), insert("2", "x", false), insert("2", "x", false),
		{Type: rpc.TypeSavepoint, ID: "3", TxID: "x", Name: "s"}, insert("4", "x", false), insert("4", "x", false),
	} {
		v, err := say(r)
		must(t, err)
		if n := v.(map[string]any)["rowsAffected"]; r.SQL != "" && n != int64(1) {
			t.Errorf("request %s: %v rows", r.ID, n)
		}
	}
	// An older one is no news to anybody.
	if _, err := say(insert("2", "x", false)); err == nil {
		t.Error("an older request is answered again")
	}
	_, err = say(&rpc.Request{Type: rpc.TypeShardCommit, ID: "5", TxID: "x"})
	must(t, err)
	_, err = say(insert("1", "x", true))
	if err == nil {
		t.Error("a transaction that has ended is begun again")
	}
	// One that was rolled back before it began.
	_, err = say(&rpc.Request{Type: rpc.TypeShardRollback, ID: "6", TxID: "y"})
	must(t, err)
	if _, err = say(insert("7", "y", true)); err == nil {
		t.Error("a transaction begins after its rollback")
	}
	if got := query(t, db, "SELECT count(*) FROM t"); got[0][0] != int64(3) {
		t.Errorf("%v rows are there", got[0][0])
	}
	release, err := db.Begin(context.Background(), tablet.TxOptions{Write: true, LockWait: tablet.NoWait})
	must(t, err)
	must(t, release.Rollback())
}
