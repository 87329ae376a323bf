package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// childVariable makes the test's own program a server.
const childVariable = "VITESSDO_TEST_SERVE"

func TestMain(m *testing.M) {
	if args := os.Getenv(childVariable); args != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		if err := Run(ctx, strings.Split(args, "\n"), os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is a server in a process of its own.
type child struct {
	t       *testing.T
	cmd     *osexec.Cmd
	address string
	logs    *strings.Builder
}

func spawn(t *testing.T, listen string, args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: osexec.Command(os.Args[0]), logs: &strings.Builder{}}
	args = append([]string{"-listen", listen}, args...)
	// The race detector would have it sleep for a second after its end.
	c.cmd.Env = append(os.Environ(), childVariable+"="+strings.Join(args, "\n"), "GORACE=atexit_sleep_ms=0")
	c.cmd.Stderr = c.logs
	out, err := c.cmd.StdoutPipe()
	must(t, err)
	must(t, c.cmd.Start())
	t.Cleanup(func() { _ = c.cmd.Process.Kill(); _ = c.cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server says nothing: %v\n%s", err, c.logs)
	}
	_, c.address, _ = strings.Cut(strings.TrimSpace(line), " at ")
	return c
}

// end sends a signal and waits for the end.
func (c *child) end(s os.Signal) error {
	c.t.Helper()
	must(c.t, c.cmd.Process.Signal(s))
	return c.cmd.Wait()
}

// Killed between any two steps of a commit over two shards, a server settles it when
// it is back, without any client: all or nothing, and no lock stays.
func TestKill(t *testing.T) {
	for _, c := range []struct {
		name     string
		prepared int
		decided  bool
		want     int64
	}{
		{"open", 0, false, 0}, {"one prepared", 1, false, 0}, {"decided", 1, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := spawn(t, "127.0.0.1:0", dir)
			create(t, s.address, "", "shop/-80", "shop/80-")
			cl := dial(t, "ws", s.address, "")
			var txs []tablet.Tx
			var at []tablet.Target
			for _, name := range []string{"-80", "80-"} {
				db := shardOf(t, cl, "shop", name)
				exec(t, db, "CREATE TABLE t(v INTEGER)")
				x, err := db.Begin(t.Context(), tablet.TxOptions{})
				must(t, err)
				exec(t, x, "INSERT INTO t VALUES(1)")
				txs, at = append(txs, x), append(at, db.Target())
			}
			if c.prepared > 0 {
				_, err := txs[0].Prepare(t.Context(), "d1", at[1])
				must(t, err)
			}
			if c.decided {
				must(t, txs[1].Decide(t.Context(), "d1", at[:1]))
			}
			_ = s.end(syscall.SIGKILL)

			s = spawn(t, s.address, dir)
			began := time.Now()
			cl = dial(t, "http", s.address, "")
			for _, name := range []string{"-80", "80-"} {
				db := shardOf(t, cl, "shop", name)
				await.True(t, "it is settled", func() bool {
					list, err := db.Prepared(t.Context())
					must(t, err)
					return len(list) == 0
				})
				wantValue(t, db, "SELECT count(*) FROM t", c.want)
				exec(t, db, "DELETE FROM t")
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// Told to end, a server lets an open transaction come to its end, rolls back what is
// left after the grace, keeps what is prepared, and ends well.
func TestTerminate(t *testing.T) {
	dir := t.TempDir()
	s := spawn(t, "127.0.0.1:0", "-grace", "5s", dir)
	create(t, s.address, "", "shop/-40", "shop/40-80", "shop/80-")
	cl := dial(t, "ws", s.address, "")
	var txs []tablet.Tx
	for _, name := range []string{"-40", "40-80", "80-"} {
		db := shardOf(t, cl, "shop", name)
		exec(t, db, "CREATE TABLE t(v INTEGER)")
		x, err := db.Begin(t.Context(), tablet.TxOptions{})
		must(t, err)
		exec(t, x, "INSERT INTO t VALUES(1)")
		txs = append(txs, x)
	}
	_, err := txs[2].Prepare(t.Context(), "d1", tablet.Target{Keyspace: "shop", Shard: "elsewhere"})
	must(t, err)
	must(t, s.cmd.Process.Signal(syscall.SIGTERM))
	time.Sleep(200 * time.Millisecond) // it is closing by now, or else the test shows less
	exec(t, txs[0], "INSERT INTO t VALUES(2)")
	must(t, txs[0].Commit(t.Context()))
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, s.logs)
	}
	if !strings.Contains(s.logs.String(), "serving") || !strings.Contains(s.logs.String(), "closed") {
		t.Errorf("the log is\n%s", s.logs)
	}

	s = spawn(t, "127.0.0.1:0", dir)
	cl = dial(t, "http", s.address, "")
	wantValue(t, shardOf(t, cl, "shop", "-40"), "SELECT count(*) FROM t", int64(2))
	wantValue(t, shardOf(t, cl, "shop", "40-80"), "SELECT count(*) FROM t", int64(0))
	list, err := shardOf(t, cl, "shop", "80-").Prepared(t.Context())
	if err != nil || len(list) != 1 || list[0].DTID != "d1" {
		t.Errorf("prepared are %v, %v", list, err)
	}
	must(t, s.end(syscall.SIGINT))
}

// A write whose answer a crash has swallowed is sent again with its ID, to the server
// that is back: it was carried out once, and its answer is the first one.
func TestSentAgainAfterKill(t *testing.T) {
	dir := t.TempDir()
	s := spawn(t, "127.0.0.1:0", dir)
	create(t, s.address, "", "shop/-")
	exec(t, shardOf(t, dial(t, "http", s.address, ""), "shop", "-"), "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
	write := map[string]any{"type": int64(rpc.TypeShardExecute), "id": "w-1", "keyspace": "shop", "shard": "-", "sql": "INSERT INTO t(v) VALUES('x')"}
	begin := map[string]any{"type": int64(rpc.TypeShardExecute), "id": "w-2", "keyspace": "shop", "shard": "-", "txId": "tx-1", "begin": map[string]any{}, "sql": "INSERT INTO t(v) VALUES('y')"}
	commit := map[string]any{"type": int64(rpc.TypeShardCommit), "id": "w-3", "keyspace": "shop", "shard": "-", "txId": "tx-1"}
	first, err := call(t, s.address, "", write)
	must(t, err)
	for _, m := range []map[string]any{begin, commit} {
		_, err := call(t, s.address, "", m)
		must(t, err)
	}
	_ = s.end(syscall.SIGKILL)

	s = spawn(t, s.address, dir)
	again, err := call(t, s.address, "", write)
	must(t, err)
	if again["lastInsertId"] != first["lastInsertId"] || again["rowsAffected"] != int64(1) {
		t.Errorf("the answers are %v and %v", first, again)
	}
	_, err = call(t, s.address, "", commit)
	must(t, err)
	commit["txId"] = "tx-2"
	_, err = call(t, s.address, "", commit)
	var e *capnweb.Error
	if !errors.As(err, &e) || e.Props["code"] != string(tablet.CodeTxExpired) {
		t.Errorf("a commit of nothing: %v", err)
	}
	wantValue(t, shardOf(t, dial(t, "http", s.address, ""), "shop", "-"), "SELECT count(*) FROM t", int64(2))
}

// Shards of one database on two servers: what a gate that is gone has prepared on one
// and decided on the other is settled between the servers, also when the deciding one
// was killed.
func TestPeers(t *testing.T) {
	for _, decided := range []bool{true, false} {
		t.Run(fmt.Sprintf("decided=%v", decided), func(t *testing.T) {
			token := filepath.Join(t.TempDir(), "token")
			must(t, os.WriteFile(token, []byte(full+"\n"), 0o600))
			dir := t.TempDir()
			b := spawn(t, "127.0.0.1:0", "-tokens", tokens(t), dir)
			a := spawn(t, "127.0.0.1:0", "-tokens", tokens(t), "-peers", "ws://"+b.address, "-peer-token", token, t.TempDir())
			create(t, a.address, full, "shop/-80")
			create(t, b.address, full, "shop/80-")
			var txs []tablet.Tx
			var at []tablet.Target
			for i, s := range []*child{a, b} {
				db := shardOf(t, dial(t, "ws", s.address, full), "shop", []string{"-80", "80-"}[i])
				exec(t, db, "CREATE TABLE t(v)")
				x, err := db.Begin(t.Context(), tablet.TxOptions{})
				must(t, err)
				exec(t, x, "INSERT INTO t VALUES(1)")
				txs, at = append(txs, x), append(at, db.Target())
			}
			_, err := txs[0].Prepare(t.Context(), "d1", at[1])
			must(t, err)
			want := int64(0)
			if decided {
				must(t, txs[1].Decide(t.Context(), "d1", at[:1]))
				want = 1
			}
			_ = b.end(syscall.SIGKILL)
			b = spawn(t, b.address, "-tokens", tokens(t), "-peers", "http://"+a.address, "-peer-token", token, dir)
			for i, s := range []*child{a, b} {
				db := shardOf(t, dial(t, "http", s.address, full), "shop", at[i].Shard)
				await.True(t, "it is settled", func() bool {
					p, err := db.Prepared(t.Context())
					must(t, err)
					d, err := db.Decisions(t.Context())
					must(t, err)
					return len(p)+len(d) == 0
				})
				wantValue(t, db, "SELECT count(*) FROM t", want)
			}
		})
	}
}

// settled gives a process that has read its arguments.
func settled(args []string, env func(string) string, logs io.Writer) (*Process, error) {
	p, dir, err := parse(args)
	if err != nil {
		return nil, err
	}
	return p, p.settle(dir, env, logs)
}
