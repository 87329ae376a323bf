package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

var shard = tablet.Target{Keyspace: "ks", Shard: "-80"}

// far is a tablet here and the way to it from elsewhere.
type far struct {
	here   *tabletserver.Tablet
	server *rpc.Server
	http   *httptest.Server
	wire   *wire
	client *rpc.Client
	there  tablet.Tablet
}

// wire is a listener whose connections can be cut.
type wire struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (w *wire) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err == nil {
		w.mu.Lock()
		w.conns = append(w.conns, c)
		w.mu.Unlock()
	}
	return c, err
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// transports runs a test against an embedded tablet, and against the same at the
// far end of each transport: what the contract of package tablet promises holds
// for all.
func transports(t *testing.T, f func(t *testing.T, x *far)) {
	for _, scheme := range []string{"embedded", "ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			checkGoroutines(t)
			f(t, open(t, scheme, rpc.ServerOptions{}))
		})
	}
}

func open(t *testing.T, scheme string, opts rpc.ServerOptions) *far {
	t.Helper()
	here, err := tabletserver.Open(t.Context(), tabletserver.Config{Path: filepath.Join(t.TempDir(), "s.db"), Synchronous: tabletserver.Off, Target: shard, LockWait: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	x := &far{here: here, there: here}
	t.Cleanup(func() { _ = here.Close() })
	if scheme == "embedded" {
		return x
	}
	if c := opts.Tablet; c != nil {
		wrapper, err := c(t.Context(), shard)
		must(t, err)
		wrapper.(interface{ wrap(tablet.Tablet) }).wrap(here)
	} else {
		opts.Tablet = func(_ context.Context, at tablet.Target) (tablet.Tablet, error) {
			if at != shard {
				return nil, &tablet.Error{Code: tablet.CodeWrongShard, Target: at, Message: "this server has no such shard"}
			}
			return here, nil
		}
	}
	x.server = rpc.NewServer(opts)
	x.http = httptest.NewUnstartedServer(x.server)
	x.wire = &wire{Listener: x.http.Listener}
	x.http.Listener = x.wire
	x.http.Start()
	x.client, err = rpc.NewClient(strings.Replace(x.http.URL, "http", scheme, 1), &rpc.ClientOptions{HTTP: x.http.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if x.there, err = x.client.Tablet(t.Context(), shard); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = x.client.Close()
		_ = x.server.Close()
		x.http.Close()
	})
	return x
}

// checkGoroutines fails the test when it leaves more goroutines than it found.
func checkGoroutines(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<20)
				t.Fatalf("%d goroutines are left of %d:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
		}
	})
}

func exec(t *testing.T, on tablet.Runner, sql string, args ...tablet.Value) tablet.Result {
	t.Helper()
	res, err := on.Exec(t.Context(), &tablet.Query{SQL: sql, Args: args})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return res
}

func query(t *testing.T, on tablet.Runner, sql string, args ...tablet.Value) [][]tablet.Value {
	t.Helper()
	rows, err := on.Query(t.Context(), &tablet.Query{SQL: sql, Args: args})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var all [][]tablet.Value
	for {
		row := make([]tablet.Value, len(rows.Columns()))
		err := rows.Next(row)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = append([]byte{}, b...)
			}
		}
		all = append(all, row)
	}
	if err := rows.Next(make([]tablet.Value, len(rows.Columns()))); err != io.EOF {
		t.Errorf("after the end Next says %v", err)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

func wantCode(t *testing.T, err error, code tablet.Code) *tablet.Error {
	t.Helper()
	var e *tablet.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got error %v (%s), want %s", err, tablet.CodeOf(err), code)
	}
	return e
}

func begin(t *testing.T, on tablet.Tablet, opts tablet.TxOptions) tablet.Tx {
	t.Helper()
	x, err := on.Begin(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestValuesAreExact(t *testing.T) {
	values := []tablet.Value{
		nil, int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), int64(1<<53 + 1), 0.0, 5.0, -5.5, math.Copysign(0, -1), 1e300, math.SmallestNonzeroFloat64,
		math.Inf(1), math.Inf(-1), math.NaN(), "", "ünï 𝄞 \x00 \u2028", "\xff\xfe not UTF-8", []byte{}, []byte{0, 1, 255},
	}
	transports(t, func(t *testing.T, x *far) {
		if x.there.Target() != x.here.Target() || x.there.Capabilities() != x.here.Capabilities() {
			t.Errorf("the far tablet is %v %+v", x.there.Target(), x.there.Capabilities())
		}
		must(t, x.there.Ping(t.Context()))
		for _, v := range values {
			const sql = "SELECT ?1 AS a, typeof(?1), hex(?1)"
			got, want := query(t, x.there, sql, v), query(t, x.here, sql, v)
			if !reflect.DeepEqual(got, want) || fmt.Sprintf("%T", got[0][0]) != fmt.Sprintf("%T", want[0][0]) {
				t.Errorf("%#v came back as %#v, want %#v", v, got, want)
			}
		}
		rows, err := x.there.Query(t.Context(), &tablet.Query{SQL: "SELECT 1 AS a, 2 AS a, 3 AS \"b c\""})
		must(t, err)
		if got := rows.Columns(); !reflect.DeepEqual(got, []string{"a", "a", "b c"}) {
			t.Errorf("columns %q", got)
		}
		must(t, rows.Close())
	})
}

func TestExec(t *testing.T) {
	transports(t, func(t *testing.T, x *far) {
		exec(t, x.there, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT UNIQUE, n INTEGER NOT NULL DEFAULT 0)")
		res := exec(t, x.there, "INSERT INTO t(v) VALUES('a'), ('b')")
		if res.RowsAffected != 2 || res.LastInsertID != 2 {
			t.Errorf("got %+v", res)
		}
		res, err := x.there.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t(v) VALUES(?1)", Args: []tablet.Value{"c", "d", "e"}, Batch: 3})
		must(t, err)
		if !reflect.DeepEqual(res, tablet.Result{RowsAffected: 3, LastInsertID: 5, Changed: []int64{1, 1, 1}, InsertIDs: []int64{3, 4, 5}}) {
			t.Errorf("got %+v", res)
		}
		_, err = x.there.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t(v) VALUES('a')"})
		e := wantCode(t, err, tablet.CodeUnique)
		if e.Target != shard || e.Table != "t" || !reflect.DeepEqual(e.Columns, []string{"v"}) || strings.Contains(e.Message, "shard ks") {
			t.Errorf("got %+v", e)
		}
		_, err = x.there.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t(n) VALUES(NULL)"})
		wantCode(t, err, tablet.CodeNotNull)
		_, err = x.there.Query(t.Context(), &tablet.Query{SQL: "SELEC"})
		wantCode(t, err, tablet.CodeSyntax)
		_, err = x.there.Query(t.Context(), &tablet.Query{SQL: "SELECT * FROM absent"})
		wantCode(t, err, tablet.CodeNoTable)
		if got := query(t, x.there, "DELETE FROM t WHERE id > 2 RETURNING id"); len(got) != 3 {
			t.Errorf("got %v", got)
		}
		if got := query(t, x.here, "SELECT count(*) FROM t"); got[0][0] != int64(2) {
			t.Errorf("got %v", got)
		}
	})
}

const series = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s WHERE i < ?1) "

func TestStreams(t *testing.T) {
	transports(t, func(t *testing.T, x *far) {
		got := query(t, x.there, series+"SELECT i, 'row ' || i FROM s", int64(10000))
		if len(got) != 10000 {
			t.Fatalf("got %d rows", len(got))
		}
		for i, row := range got {
			if row[0] != int64(i+1) || row[1] != fmt.Sprintf("row %d", i+1) {
				t.Fatalf("row %d is %v", i, row)
			}
		}
		// Closed in the middle, twice.
		rows, err := x.there.Query(t.Context(), &tablet.Query{SQL: series + "SELECT i FROM s", Args: []tablet.Value{int64(1) << 40}})
		must(t, err)
		row := make([]tablet.Value, 1)
		for range 3000 {
			must(t, rows.Next(row))
		}
		must(t, rows.Close())
		must(t, rows.Close())
		if err := rows.Next(row); err == nil {
			t.Error("a closed stream gives rows")
		}
		// A write with RETURNING is done when its rows are closed, read or not.
		exec(t, x.there, "CREATE TABLE t(i INTEGER)")
		rows, err = x.there.Query(t.Context(), &tablet.Query{SQL: "INSERT INTO t " + series + "SELECT i FROM s WHERE true RETURNING i", Args: []tablet.Value{int64(5000)}})
		must(t, err)
		must(t, rows.Next(row))
		must(t, rows.Close())
		if got := query(t, x.there, "SELECT count(*) FROM t"); got[0][0] != int64(5000) {
			t.Errorf("%v rows are there after Close", got[0][0])
		}
		// One that fails in the middle says so again.
		rows, err = x.there.Query(t.Context(), &tablet.Query{SQL: series + "SELECT CASE WHEN i = 4000 THEN abs(-9223372036854775807 - 1) ELSE i END FROM s", Args: []tablet.Value{int64(9000)}})
		must(t, err)
		for err == nil {
			err = rows.Next(row)
		}
		wantCode(t, err, tablet.CodeOutOfRange)
		if again := rows.Next(row); again == nil || again.Error() != err.Error() {
			t.Errorf("then it says %v", again)
		}
		must(t, rows.Close())
	})
}

func TestTransactions(t *testing.T) {
	transports(t, func(t *testing.T, x *far) {
		ctx := t.Context()
		exec(t, x.here, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)")
		a := begin(t, x.there, tablet.TxOptions{})
		if a.Target() != shard || a.Wrote() {
			t.Errorf("a new transaction: %v, %v", a.Target(), a.Wrote())
		}
		query(t, a, "SELECT * FROM t")
		if a.Wrote() {
			t.Error("a read has written")
		}
		exec(t, a, "INSERT INTO t VALUES(1, 'a')")
		if !a.Wrote() {
			t.Error("a write hasn't written")
		}
		must(t, a.Savepoint(ctx, "s"))
		exec(t, a, "INSERT INTO t VALUES(2, 'b')")
		must(t, a.RollbackTo(ctx, "s"))
		must(t, a.Release(ctx, "s"))
		wantCode(t, a.RollbackTo(ctx, "s"), tablet.CodeMisuse)
		if got := query(t, a, "SELECT count(*) FROM t"); got[0][0] != int64(1) {
			t.Errorf("the transaction sees %v", got)
		}
		if got := query(t, x.there, "SELECT count(*) FROM t"); got[0][0] != int64(0) {
			t.Errorf("others see %v", got)
		}
		_, err := x.there.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(3, 'c')"})
		wantCode(t, err, tablet.CodeLockTimeout)
		must(t, a.Commit(ctx))
		must(t, a.Rollback())
		if err := a.Commit(ctx); err == nil {
			t.Error("a second commit succeeds")
		}
		if got := query(t, x.here, "SELECT * FROM t"); !reflect.DeepEqual(got, [][]tablet.Value{{int64(1), "a"}}) {
			t.Errorf("committed: %v", got)
		}

		b := begin(t, x.there, tablet.TxOptions{ReadOnly: true})
		_, err = b.Exec(ctx, &tablet.Query{SQL: "DELETE FROM t"})
		wantCode(t, err, tablet.CodeTxReadOnly)
		must(t, b.Rollback())

		// The snapshot is older than another's commit.
		c := begin(t, x.there, tablet.TxOptions{})
		query(t, c, "SELECT * FROM t")
		exec(t, x.there, "INSERT INTO t VALUES(4, 'd')")
		_, err = c.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(5, 'e')"})
		if e := wantCode(t, err, tablet.CodeConflict); !e.Retryable() {
			t.Error("a conflict can't be retried")
		}
		must(t, c.Rollback())

		// Of two that would wait for each other the younger gives up.
		d := begin(t, x.there, tablet.TxOptions{Write: true, Age: 1})
		e := begin(t, x.there, tablet.TxOptions{Age: math.MaxUint64, Holds: func() bool { return true }})
		wantCode(t, e.Lock(ctx), tablet.CodeDeadlock)
		must(t, e.Rollback())
		must(t, d.Lock(ctx))
		must(t, d.Commit(ctx))

		// A stream and other statements side by side.
		f := begin(t, x.there, tablet.TxOptions{})
		rows, err := f.Query(ctx, &tablet.Query{SQL: series + "SELECT i FROM s", Args: []tablet.Value{int64(5000)}})
		must(t, err)
		row, n := make([]tablet.Value, 1), 0
		for {
			err := rows.Next(row)
			if err == io.EOF {
				break
			}
			must(t, err)
			if n++; n%1000 == 0 {
				exec(t, f, "INSERT INTO t(v) VALUES(?1)", row[0])
			}
		}
		if n != 5000 {
			t.Errorf("%d rows came", n)
		}
		must(t, f.Commit(ctx))
		if got := query(t, x.here, "SELECT count(*) FROM t"); got[0][0] != int64(7) {
			t.Errorf("committed: %v", got)
		}
		// Nothing at all.
		g := begin(t, x.there, tablet.TxOptions{})
		must(t, g.Commit(ctx))
		must(t, g.Rollback())
	})
}

func TestInterruption(t *testing.T) {
	transports(t, func(t *testing.T, x *far) {
		exec(t, x.here, "CREATE TABLE t(i INTEGER)")
		endless := &tablet.Query{SQL: series + "SELECT count(*) FROM s", Args: []tablet.Value{int64(1) << 40}}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := x.there.Query(ctx, endless)
		wantCode(t, err, tablet.CodeCanceled)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v doesn't wrap the context's error", err)
		}
		// A write that was interrupted hasn't been done, and the answer is sure.
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err = x.there.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t " + series + "SELECT i FROM s", Args: endless.Args})
		wantCode(t, err, tablet.CodeCanceled)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v doesn't wrap the context's error", err)
		}
		if got := query(t, x.there, "SELECT count(*) FROM t"); got[0][0] != int64(0) {
			t.Errorf("%v rows are there", got[0][0])
		}
		// In the middle of a stream.
		ctx, cancel = context.WithCancel(t.Context())
		rows, err := x.there.Query(ctx, &tablet.Query{SQL: series + "SELECT i FROM s", Args: endless.Args})
		must(t, err)
		row := make([]tablet.Value, 1)
		must(t, rows.Next(row))
		cancel()
		for err == nil {
			err = rows.Next(row)
		}
		wantCode(t, err, tablet.CodeCanceled)
		must(t, rows.Close())
		// The transaction lives on after an interrupted statement.
		tx := begin(t, x.there, tablet.TxOptions{})
		exec(t, tx, "INSERT INTO t VALUES(1)")
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = tx.Query(ctx, endless)
		wantCode(t, err, tablet.CodeCanceled)
		must(t, tx.Commit(t.Context()))
		if got := query(t, x.there, "SELECT count(*) FROM t"); got[0][0] != int64(1) {
			t.Errorf("%v rows are there", got[0][0])
		}
	})
}

func TestSchemaVersion(t *testing.T) {
	transports(t, func(t *testing.T, x *far) {
		a := begin(t, x.there, tablet.TxOptions{Write: true})
		exec(t, a, "CREATE TABLE t(v)")
		must(t, a.SetSchema(t.Context(), 7))
		must(t, a.Commit(t.Context()))
		for _, run := range []func(*tablet.Query) error{
			func(q *tablet.Query) error { _, err := x.there.Exec(t.Context(), q); return err },
			func(q *tablet.Query) error {
				rows, err := x.there.Query(t.Context(), q)
				if err == nil {
					err = rows.Close()
				}
				return err
			},
		} {
			must(t, run(&tablet.Query{SQL: "DELETE FROM t RETURNING v", Schema: 7}))
			e := wantCode(t, run(&tablet.Query{SQL: "DELETE FROM t RETURNING v", Schema: 6}), tablet.CodeSchemaChanged)
			if e.Schema != 7 || !e.Retryable() {
				t.Errorf("got %+v", e)
			}
		}
	})
}
