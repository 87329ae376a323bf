package reshard

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/servicetest"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/process"
	"github.com/vitessdo/vitessdo/twopc"
)

// serve serves a directory's tablets until end is called.
func serve(t *testing.T, dir, at string) (address string, end func()) {
	t.Helper()
	address, stop := servicetest.Start(t, func(ctx context.Context, out io.Writer) error {
		return process.Run(ctx, []string{"--listen", at, "--synchronous", "off", dir}, out, io.Discard)
	})
	return address, func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

// TestStaleGate has a gate go on that has planned with the old shards: it is refused,
// learns of the new ones, and answers as before.
func TestStaleGate(t *testing.T) {
	dir := t.TempDir()
	build(t, dir, 4)
	want := answers(t, "file:"+dir)
	address, end := serve(t, dir, "127.0.0.1:0")
	gate := openDB(t, "ws://"+address+"/main")
	gone, err := gate.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range asked {
		if _, err := rowsOf(gate, q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	for _, shards := range []int{7, 1, 3} {
		if _, err := Run(t.Context(), Options{Dir: dir, Shards: shards}); err == nil || !strings.Contains(err.Error(), "in use by") {
			t.Fatalf("while it is served: %v", err)
		}
		end()
		if _, err := Run(t.Context(), Options{Dir: dir, Shards: shards, Discard: true}); err != nil {
			t.Fatal(err)
		}
		_, end = serve(t, dir, address)
		until := time.Now().Add(20 * time.Second)
		for gate.PingContext(t.Context()) != nil && time.Now().Before(until) { // a connection may be found lost
			runtime.Gosched()
		}
		for i, q := range asked {
			got, err := rowsOf(gate, q)
			var e *vitessdo.Error
			for errors.As(err, &e) && e.Retryable() && time.Now().Before(until) {
				got, err = rowsOf(gate, q)
			}
			if err != nil || got != want[i] {
				t.Errorf("%d shards: %s: %v\n%.300s\nwant:\n%.300s", shards, q, err, got, want[i])
			}
		}
		do(t, gate, "UPDATE users SET name = name WHERE id > 0")
		do(t, gate, "INSERT INTO ring VALUES (?, 'fresh', 'its own')", 1000+shards)
		do(t, gate, "DELETE FROM ring WHERE tag = 'fresh'")
	}
	_ = gone.Close()
	gate.Close()
	end()
}

// TestInDoubt reshards a directory whose process died in a commit over several shards:
// what was decided is there, and nothing by halves.
func TestInDoubt(t *testing.T) {
	for _, p := range []twopc.Point{twopc.Preparing, twopc.Decided, twopc.Committed} {
		dir := t.TempDir()
		db := openDB(t, "file:"+dir+"?shards=4")
		do(t, db, "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)")
		for i := range 20 {
			do(t, db, "INSERT INTO t VALUES (?, 0)", i)
		}
		db.Close()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d", commitRole, dir, p))
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Fatalf("%v: the process lives: %s", p, out)
		}
		if _, err := Run(t.Context(), Options{Dir: dir, Shards: 3}); err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		want := "int64:20|int64:20"
		if p == twopc.Preparing {
			want = "int64:20|int64:0"
		}
		if got, err := rowsOf(openDB(t, "file:"+dir), "SELECT COUNT(*), SUM(v) FROM t"); err != nil || got != want {
			t.Errorf("%v: %s %v, want %s", p, got, err, want)
		}
	}
}

// TestUnsettled refuses to reshard while a shard has a prepared transaction whose
// outcome nobody knows who can be reached, and says which; when that has been decided
// it goes on.
func TestUnsettled(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, "file:"+dir+"?shards=2")
	do(t, db, "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)")
	do(t, db, "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 0)")
	db.Close()
	db = openDB(t, "file:"+dir+"?keyspace=main/80-")
	want, err := rowsOf(db, "SELECT 4, COUNT(*) FROM t")
	if err != nil || want == "int64:4|int64:0" {
		t.Fatal(want, err)
	}
	db.Close()
	const dtid = "elsewhere"
	prepareOn(t, dir, "80-", dtid)
	before := entries(t, dir)
	_, err = Run(t.Context(), Options{Dir: dir, Shards: 3})
	if err == nil || !strings.Contains(err.Error(), dtid) || !strings.Contains(err.Error(), "SHOW UNRESOLVED TRANSACTIONS") {
		t.Fatal(err)
	}
	if after := entries(t, dir); after != before {
		t.Errorf("a refused run has left %s, before there was %s", after, before)
	}
	at := shardAt(t, dir, "80-")
	if err := at.CommitPrepared(t.Context(), dtid); err != nil {
		t.Fatal(err)
	}
	if err := at.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), Options{Dir: dir, Shards: 3}); err != nil {
		t.Fatal(err)
	}
	if got, err := rowsOf(openDB(t, "file:"+dir), "SELECT COUNT(*), SUM(v) FROM t"); err != nil || got != want {
		t.Errorf("%s %v, want %s", got, err, want)
	}
}

// prepareOn leaves a shard with a part of a transaction that a shard of another server
// decides.
func prepareOn(t *testing.T, dir, shard, dtid string) {
	t.Helper()
	at := shardAt(t, dir, shard)
	defer at.Close()
	tx, err := at.Begin(t.Context(), tablet.TxOptions{Write: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), &tablet.Query{SQL: "UPDATE t SET v = 1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Prepare(t.Context(), dtid, tablet.Target{Keyspace: "main", Shard: "elsewhere"}); err != nil {
		t.Fatal(err)
	}
}

// entries lists what is in a directory.
func entries(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// commitRole makes a run of this test binary die in a commit: "directory|point".
const commitRole = "VITESSDO_RESHARD_COMMIT"

func dieCommitting(role string) {
	dir, point, _ := strings.Cut(role, "|")
	at, _ := strconv.Atoi(point)
	twopc.OnPoint(func(p twopc.Point, _ int) {
		if int(p) == at {
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			select {}
		}
	})
	db, err := sql.Open("vitessdo", "file:"+dir)
	if err == nil {
		_, err = db.Exec("UPDATE t SET v = 1")
	}
	fmt.Println(err)
}
