package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/twopc"
)

// apart opens n tablets behind a server each, which reach one another by it too.
func apart(t *testing.T, scheme string, n int) (here []*tabletserver.Tablet, there []tablet.Tablet) {
	t.Helper()
	dir := t.TempDir()
	there = make([]tablet.Tablet, n)
	var ready atomic.Bool
	for i := range n {
		at := tablet.Target{Keyspace: "ks", Shard: fmt.Sprint(i)}
		peer := func(p tablet.Target) (tablet.Resolver, error) {
			for k := range there {
				if ready.Load() && there[k].Target() == p {
					return there[k], nil
				}
			}
			return nil, fmt.Errorf("%v can't be reached", p)
		}
		db, err := tabletserver.Open(t.Context(), tabletserver.Config{Path: filepath.Join(dir, fmt.Sprint(i)+".db"), Target: at,
			Synchronous: tabletserver.Off, AskAfter: 20 * time.Millisecond, Peer: peer})
		must(t, err)
		exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
		server := rpc.Serve(db)
		web := httptest.NewServer(server)
		client, err := rpc.NewClient(strings.Replace(web.URL, "http", scheme, 1), nil)
		must(t, err)
		there[i], err = client.Tablet(t.Context(), at)
		must(t, err)
		here = append(here, db)
		t.Cleanup(func() {
			_ = db.Close()
			_ = client.Close()
			_ = server.Close()
			web.Close()
			http.DefaultClient.CloseIdleConnections()
		})
	}
	ready.Store(true)
	return here, there
}

func settled(t *testing.T, tablets []tablet.Tablet) {
	t.Helper()
	await.Nil(t, func() error {
		for _, db := range tablets {
			if list, err := db.Prepared(t.Context()); err != nil || len(list) > 0 {
				return fmt.Errorf("%v is in doubt, %v", list, err)
			}
			if list, err := db.Decisions(t.Context()); err != nil || len(list) > 0 {
				return fmt.Errorf("%v is decided, %v", list, err)
			}
		}
		return nil
	})
}

func TestDistributedCommit(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			await.Goroutines(t)
			here, there := apart(t, scheme, 3)
			for n, try := 0, 0; n < 10; try++ {
				var parts []tablet.Tx
				for _, db := range there {
					x := begin(t, db, tablet.TxOptions{})
					exec(t, x, "INSERT INTO t(v) VALUES(?1)", int64(n))
					parts = append(parts, x)
				}
				err := twopc.Commit(t.Context(), twopc.TwoPC, fmt.Sprintf("tx%d.%d", n, try), parts, nil)
				var e *tablet.Error
				if errors.As(err, &e) && e.Retryable() {
					continue // on a slow machine its participants lose patience
				}
				must(t, err)
				n++
			}
			settled(t, there)
			for _, db := range here {
				if got := query(t, db, "SELECT count(*), sum(v) FROM t"); got[0][0] != int64(10) || got[0][1] != int64(45) {
					t.Errorf("%v holds %v", db.Target(), got)
				}
			}
			// The coordinator dies after the decision: the others learn of it from
			// the holder.
			for try := 0; ; try++ {
				dtid := fmt.Sprint("dead", try)
				var parts []tablet.Tx
				for _, db := range there {
					x := begin(t, db, tablet.TxOptions{})
					exec(t, x, "INSERT INTO t(v) VALUES(100)")
					parts = append(parts, x)
				}
				holder := parts[2].Target()
				for _, x := range parts[:2] {
					_, err := x.Prepare(t.Context(), dtid, holder)
					must(t, err)
				}
				err := parts[2].Decide(t.Context(), dtid, []tablet.Target{parts[0].Target(), parts[1].Target()})
				var e *tablet.Error
				if errors.As(err, &e) && e.Retryable() {
					for _, x := range parts {
						must(t, x.Rollback())
					}
					settled(t, there)
					continue
				}
				must(t, err)
				break
			}
			settled(t, there)
			for _, db := range here {
				if got := query(t, db, "SELECT count(*) FROM t WHERE v = 100"); got[0][0] != int64(1) {
					t.Errorf("%v holds %v", db.Target(), got)
				}
			}
			// An unknown one aborts.
			if out, err := there[0].Outcome(t.Context(), "unheard of"); err != nil || out != tablet.Aborts {
				t.Errorf("got %v, %v", out, err)
			}
		})
	}
}

// A transaction that takes the write lock as late as may be does so with its first
// request. One that doesn't get it can be begun by the next.
func TestBeginsLate(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			var mu sync.Mutex
			var seen []rpc.Type
			x := open(t, scheme, rpc.ServerOptions{Done: func(d rpc.Done) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, d.Type)
			}})
			exec(t, x.here, "CREATE TABLE t(v UNIQUE)")
			other := begin(t, x.here, tablet.TxOptions{Write: true})
			tx := begin(t, x.there, tablet.TxOptions{Write: true, Late: true})
			_, err := tx.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
			wantCode(t, err, tablet.CodeLockTimeout)
			must(t, other.Rollback())
			exec(t, tx, "INSERT INTO t VALUES(1)")
			_, err = tx.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
			wantCode(t, err, tablet.CodeUnique)
			_, err = x.here.Begin(tablet.WithLockWait(t.Context(), tablet.NoWait), tablet.TxOptions{Write: true})
			wantCode(t, err, tablet.CodeLockNoWait)
			must(t, tx.Commit(t.Context()))
			if got := query(t, x.here, "SELECT v FROM t"); len(got) != 1 {
				t.Errorf("%d rows", len(got))
			}
			mu.Lock()
			defer mu.Unlock()
			want := []rpc.Type{rpc.TypeStatus, rpc.TypeShardExecute, rpc.TypeShardExecute, rpc.TypeShardExecute, rpc.TypeShardCommit}
			if !slices.Equal(seen, want) {
				t.Errorf("the requests are %v, want %v", seen, want)
			}
		})
	}
}

// A client that is gone leaves nothing open but what it has prepared.
func TestLostClient(t *testing.T) {
	await.Goroutines(t)
	x := open(t, "ws", rpc.ServerOptions{})
	exec(t, x.here, "CREATE TABLE t(v)")
	holder := tablet.Target{Keyspace: "ks", Shard: "80-"}
	for _, prepare := range []bool{false, true} {
		client, err := rpc.NewClient(strings.Replace(x.http.URL, "http", "ws", 1), nil)
		must(t, err)
		db, err := client.Tablet(t.Context(), shard)
		must(t, err)
		tx := begin(t, db, tablet.TxOptions{})
		exec(t, tx, "INSERT INTO t VALUES(1)")
		if prepare {
			_, err := tx.Prepare(t.Context(), "tx1", tablet.Target{})
			wantCode(t, err, tablet.CodeUnsupported)
			_, err = tx.Prepare(t.Context(), "tx1", holder)
			must(t, err)
		}
		must(t, client.Close())
		if prepare {
			break
		}
		await.Nil(t, func() error {
			_, err := x.there.Exec(t.Context(), &tablet.Query{SQL: "DELETE FROM t"})
			return err
		})
	}
	list, err := x.there.Prepared(t.Context())
	if err != nil || len(list) != 1 || list[0].DTID != "tx1" || list[0].Holder != holder || list[0].Since.IsZero() {
		t.Fatalf("got %+v, %v", list, err)
	}
	_, err = x.there.Exec(t.Context(), &tablet.Query{SQL: "DELETE FROM t"})
	wantCode(t, err, tablet.CodeLockTimeout)
	must(t, x.there.CommitPrepared(t.Context(), "tx1"))
	must(t, x.there.CommitPrepared(t.Context(), "tx1"))
	if got := query(t, x.there, "SELECT count(*) FROM t"); got[0][0] != int64(1) {
		t.Errorf("got %v", got)
	}
}

// Where no session ends what was begun, the server's patience does: when the client is
// gone, and not while it lives.
func TestIdle(t *testing.T) {
	await.Goroutines(t)
	watched := &watchedTablet{closed: make(chan struct{})}
	x := open(t, "http", rpc.ServerOptions{Idle: 20 * time.Millisecond, ChunkRows: 10,
		Tablet: func(context.Context, tablet.Target) (tablet.Tablet, error) { return watched, nil }})
	exec(t, x.here, "CREATE TABLE t(v)")
	ask := func(kind rpc.Type, m map[string]any) (any, error) {
		s := capnweb.NewBatch(t.Context(), x.http.URL, x.http.Client(), nil, nil)
		defer func() { _ = s.Close(); <-s.Done() }()
		m["keyspace"], m["shard"], m["type"] = shard.Keyspace, shard.Shard, int64(kind)
		return s.Main().Do(t.Context(), "call", m)
	}
	_, err := ask(rpc.TypeShardExecute, map[string]any{"id": "a1", "txId": "x7", "begin": map[string]any{}, "sql": "INSERT INTO t VALUES(1)"})
	must(t, err)
	rows, err := ask(rpc.TypeShardQuery, map[string]any{"sql": series + "SELECT i FROM s", "params": []any{int64(1000)}})
	must(t, err)
	await.Nil(t, func() error {
		_, err := x.there.Exec(t.Context(), &tablet.Query{SQL: "DELETE FROM t"})
		return err
	})
	var gone *capnweb.Error
	if _, err := ask(rpc.TypeShardExecute, map[string]any{"id": "a2", "txId": "x7", "sql": "INSERT INTO t VALUES(2)"}); !errors.As(err, &gone) || gone.Props["code"] != string(tablet.CodeTxExpired) || gone.Props["retryable"] != true {
		t.Errorf("got %v", err)
	}
	<-watched.closed
	if _, err := ask(rpc.TypeShardFetch, map[string]any{"cursor": rows.(map[string]any)["cursor"]}); !errors.As(err, &gone) || gone.Props["code"] != string(tablet.CodeClosed) {
		t.Errorf("got %v", err)
	}
}

// A client that lives keeps its transactions and results, however long they do nothing;
// when it is gone they end.
func TestKept(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			await.Goroutines(t)
			x, tx, rows := keptOpen(t, scheme)
			row := make([]tablet.Value, 1)
			for i := range 1000 {
				must(t, rows.Next(row))
				if row[0] != int64(i+1) {
					t.Fatalf("row %d is %v", i, row)
				}
			}
			if err := rows.Next(row); err != io.EOF {
				t.Errorf("behind the last row: %v", err)
			}
			must(t, rows.Close())
			exec(t, tx, "INSERT INTO t VALUES(2)")
			must(t, tx.Commit(t.Context()))
			if got := query(t, x.here, "SELECT count(*) FROM t"); got[0][0] != int64(2) {
				t.Errorf("there are %v rows", got)
			}
			client, err := rpc.NewClient(strings.Replace(x.http.URL, "http", scheme, 1), &rpc.ClientOptions{HTTP: x.http.Client()})
			must(t, err)
			db, err := client.Tablet(t.Context(), shard)
			must(t, err)
			exec(t, begin(t, db, tablet.TxOptions{}), "INSERT INTO t VALUES(3)")
			must(t, client.Close())
			await.Nil(t, func() error {
				_, err := x.there.Exec(t.Context(), &tablet.Query{SQL: "DELETE FROM t"})
				return err
			})
		})
	}
}

// keptOpen gives a transaction, and a result, that have done nothing for longer than
// their server waits.
// Where the machine is too busy to say in time that it is wanted, the server is given
// more patience.
func keptOpen(t *testing.T, scheme string) (*far, tablet.Tx, tablet.Rows) {
	t.Helper()
	for patience := time.Second; ; patience *= 2 {
		touched := make(chan error, 1000)
		x := open(t, scheme, rpc.ServerOptions{Idle: patience, SocketIdle: patience, ChunkRows: 10, Done: func(d rpc.Done) {
			if d.Type == rpc.TypeHealth {
				touched <- d.Err
			}
		}})
		exec(t, x.here, "CREATE TABLE t(v)")
		tx := begin(t, x.there, tablet.TxOptions{})
		exec(t, tx, "INSERT INTO t VALUES(1)")
		rows, err := x.there.Query(t.Context(), &tablet.Query{SQL: series + "SELECT i FROM s", Args: []tablet.Value{int64(1000)}})
		must(t, err)
		began := time.Now()
		for err == nil && time.Since(began) < 2*patience {
			select {
			case err = <-touched:
			case <-time.After(10 * patience):
				t.Fatalf("nobody says for %v that the transaction is wanted", 10*patience)
			}
		}
		if err == nil {
			return x, tx, rows
		}
		_ = rows.Close()
		if patience > 20*time.Second {
			t.Fatalf("a server with a patience of %v has lost it: %v", patience, err)
		}
		_ = tx.Rollback()
	}
}

// watchedTablet tells when a stream of its own was closed.
type watchedTablet struct {
	tablet.Tablet
	closed chan struct{}
}

func (w *watchedTablet) wrap(t tablet.Tablet) { w.Tablet = t }

func (w *watchedTablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	rows, err := w.Tablet.Query(ctx, q)
	return &watchedRows{Rows: rows, closed: w.closed}, err
}

type watchedRows struct {
	tablet.Rows
	closed chan struct{}
	once   sync.Once
}

func (w *watchedRows) Close() error {
	w.once.Do(func() { close(w.closed) })
	return w.Rows.Close()
}

// cutTablet loses the connection in the middle of a commit, which succeeds.
type cutTablet struct {
	tablet.Tablet
	cut func()
}

func (c *cutTablet) wrap(t tablet.Tablet) { c.Tablet = t }

func (c *cutTablet) Begin(ctx context.Context, o tablet.TxOptions) (tablet.Tx, error) {
	x, err := c.Tablet.Begin(ctx, o)
	return &cutTx{x, c.cut}, err
}

func (c *cutTablet) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	defer c.cut()
	return c.Tablet.Exec(ctx, q)
}

type cutTx struct {
	tablet.Tx
	cut func()
}

func (c *cutTx) Commit(ctx context.Context) error {
	err := c.Tx.Commit(ctx)
	c.cut()
	return err
}

// Nobody knows what came of a change whose answer was lost, and the error says
// so; a read is just not answered.
func TestLostAnswer(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			await.Goroutines(t)
			cut := &cutTablet{cut: func() {}}
			x := open(t, scheme, rpc.ServerOptions{Tablet: func(context.Context, tablet.Target) (tablet.Tablet, error) { return cut, nil }})
			exec(t, x.here, "CREATE TABLE t(v)")
			cut.cut = x.wire.cut
			tx := begin(t, x.there, tablet.TxOptions{})
			exec(t, tx, "INSERT INTO t VALUES(1)")
			wantCode(t, tx.Commit(t.Context()), tablet.CodeUnknownResult)
			must(t, tx.Rollback())
			if got := query(t, x.here, "SELECT count(*) FROM t"); got[0][0] != int64(1) {
				t.Errorf("got %v", got)
			}
			_, err := x.there.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
			wantCode(t, err, tablet.CodeUnknownResult)
			// A WebSocket is opened again.
			cut.cut = func() {}
			query(t, x.there, "SELECT 1")
			_ = x.http.Listener.Close()
			x.wire.cut()
			await.Nil(t, func() error {
				_, err := x.there.Query(t.Context(), &tablet.Query{SQL: "SELECT 1"})
				if err == nil {
					return errors.New("a cut wire carries answers")
				}
				return nil
			})
			_, err = x.there.Query(t.Context(), &tablet.Query{SQL: "SELECT 1"})
			wantCode(t, err, tablet.CodeIO)
			// What was never sent hasn't changed anything.
			if scheme == "ws" {
				_, err = x.there.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
				wantCode(t, err, tablet.CodeIO)
			}
		})
	}
}

// What was carried out, and whose answer was lost, may have been, also when it can't be
// sent again as the server is gone, or knows its token no more.
func TestLostAnswerAndServer(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		for _, gone := range []string{"gone", "refuses"} {
			t.Run(scheme+"/"+gone, func(t *testing.T) {
				await.Goroutines(t)
				db, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: shard, Remember: time.Minute})
				must(t, err)
				defer db.Close()
				var refuses atomic.Bool
				w := &wire{}
				cut := func(d rpc.Done) {
					if d.Type != rpc.TypeShardExecute {
						return
					}
					if gone == "gone" {
						_ = w.Listener.Close()
					}
					refuses.Store(true)
					w.cut()
				}
				server := rpc.NewServer(rpc.ServerOptions{
					Tablet: func(context.Context, tablet.Target) (tablet.Tablet, error) { return db, nil },
					Done:   cut,
					Admit: func(*http.Request) (rpc.Grant, error) {
						if refuses.Load() {
							return rpc.Grant{}, &capnweb.StatusError{Status: http.StatusUnauthorized, Text: "no valid token"}
						}
						return rpc.Grant{}, nil
					},
				})
				web := httptest.NewUnstartedServer(server)
				w.Listener, web.Listener = web.Listener, w
				web.Start()
				defer web.Close()
				defer server.Close()
				client, err := rpc.NewClient(strings.Replace(web.URL, "http", scheme, 1), &rpc.ClientOptions{HTTP: web.Client()})
				must(t, err)
				defer client.Close()
				there, err := client.Tablet(t.Context(), shard)
				must(t, err)
				_, err = there.Exec(t.Context(), &tablet.Query{SQL: "CREATE TABLE t(v)"})
				wantCode(t, err, tablet.CodeUnknownResult)
				query(t, db, "SELECT * FROM t")
				_, err = there.Exec(t.Context(), &tablet.Query{SQL: "CREATE TABLE u(v)"})
				if code := tablet.CodeOf(err); code != tablet.CodeIO && code != tablet.CodeDenied {
					t.Errorf("what was never sent: %v", err)
				}
			})
		}
	}
}

// Tokens are the business of whoever serves: a session can be refused, and each
// request of one.
func TestAdmission(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			await.Goroutines(t)
			db, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: shard})
			must(t, err)
			defer db.Close()
			server := rpc.NewServer(rpc.ServerOptions{
				Tablet: func(context.Context, tablet.Target) (tablet.Tablet, error) { return db, nil },
				Admit: func(r *http.Request) (rpc.Grant, error) {
					if r.Header.Get("Authorization") != "Bearer secret" {
						return rpc.Grant{}, &capnweb.StatusError{Status: http.StatusUnauthorized, Text: "no valid token"}
					}
					return rpc.Grant{ReadOnly: true}, nil
				},
			})
			web := httptest.NewServer(server)
			defer web.Close()
			defer server.Close()
			address := strings.Replace(web.URL, "http", scheme, 1)
			client, err := rpc.NewClient(address, &rpc.ClientOptions{HTTP: web.Client()})
			must(t, err)
			_, err = client.Tablet(t.Context(), shard)
			wantCode(t, err, tablet.CodeDenied)
			var status *capnweb.StatusError
			if !errors.As(err, &status) || status.Status != http.StatusUnauthorized || !strings.Contains(err.Error(), "no valid token") {
				t.Errorf("got %v", err)
			}
			must(t, client.Close())
			client, err = rpc.NewClient(address, &rpc.ClientOptions{HTTP: web.Client(), Header: http.Header{"Authorization": {"Bearer secret"}}})
			must(t, err)
			defer client.Close()
			there, err := client.Tablet(t.Context(), shard)
			must(t, err)
			query(t, there, "SELECT 1")
			_, err = there.Exec(t.Context(), &tablet.Query{SQL: "CREATE TABLE t(v)"})
			wantCode(t, err, tablet.CodeTxReadOnly)
		})
	}
}

// Messages that make no sense are refused one by one; the session goes on.
func TestOddMessages(t *testing.T) {
	await.Goroutines(t)
	x := open(t, "ws", rpc.ServerOptions{})
	s, err := capnweb.Dial(t.Context(), strings.Replace(x.http.URL, "http", "ws", 1), nil, nil, nil, nil)
	must(t, err)
	defer func() { _ = s.Close(); <-s.Done() }()
	for _, c := range []struct {
		message any
		code    tablet.Code
		text    string
	}{
		{nil, tablet.CodeMisuse, "must be an object"},
		{map[string]any{"type": "x"}, tablet.CodeMisuse, `field "type" of a message is a string`},
		{map[string]any{"type": 0x30, "params": []any{map[string]any{}}}, tablet.CodeMisuse, "no SQL value"},
		{map[string]any{"type": 0x01, "sql": "SELECT 1"}, tablet.CodeUnsupported, "QUERY is a request to a gate"},
		{map[string]any{"type": 0x30, "keyspace": "other"}, tablet.CodeWrongShard, "no such shard"},
		{map[string]any{"type": 0x77, "keyspace": "ks", "shard": "-80"}, tablet.CodeMisuse, "0x77"},
		{map[string]any{"type": 0x41, "keyspace": "ks", "shard": "-80", "txId": "none"}, tablet.CodeTxExpired, "isn't known"},
		{map[string]any{"type": 0x33, "keyspace": "ks", "shard": "-80", "cursor": "none"}, tablet.CodeClosed, "isn't known"},
	} {
		_, err := s.Main().Do(t.Context(), "call", c.message)
		var e *capnweb.Error
		if !errors.As(err, &e) || e.Props["code"] != string(c.code) || e.Props["type"] != int64(rpc.TypeError) || !strings.Contains(e.Message, c.text) {
			t.Errorf("%v: got %v, want %s %s", c.message, err, c.code, c.text)
		}
	}
	if _, err := s.Main().Do(t.Context(), "other"); err == nil || !strings.Contains(err.Error(), "call(message)") {
		t.Errorf("got %v", err)
	}
	v, err := s.Main().Do(t.Context(), "call", map[string]any{"type": 0x30, "keyspace": "ks", "shard": "-80", "sql": "SELECT 1 AS a"})
	must(t, err)
	if m := v.(map[string]any); fmt.Sprint(m["columns"], m["rows"]) != "[a] [[1]]" {
		t.Errorf("got %v", v)
	}
}

// In a transaction that goes on, too, a batch is done whole or not at all.
func TestBatchInTransaction(t *testing.T) {
	x := open(t, "ws", rpc.ServerOptions{})
	exec(t, x.there, "CREATE TABLE t(v)")
	s, err := capnweb.Dial(t.Context(), x.http.URL, x.http.Client(), nil, nil, nil)
	must(t, err)
	defer func() { _ = s.Close(); <-s.Done() }()
	say := func(r *rpc.Request, list ...string) error {
		r.Target, r.TxID, r.Type = x.there.Target(), "x", max(r.Type, rpc.TypeShardBatch)
		for _, sql := range list {
			r.Batch = append(r.Batch, tablet.Query{SQL: sql})
		}
		_, err := s.Main().Do(t.Context(), "call", r)
		return err
	}
	must(t, say(&rpc.Request{ID: "1", Begin: &tablet.TxOptions{}}, "INSERT INTO t VALUES(1)", "INSERT INTO t VALUES(2)"))
	if say(&rpc.Request{ID: "2"}, "DELETE FROM t", "INSERT INTO absent VALUES(1)") == nil {
		t.Error("a table that is absent is written")
	}
	must(t, say(&rpc.Request{ID: "3"}, "INSERT INTO t VALUES(3)"))
	must(t, say(&rpc.Request{ID: "4", Type: rpc.TypeShardCommit}))
	if got := query(t, x.there, "SELECT v FROM t"); len(got) != 3 {
		t.Errorf("got %v", got)
	}
}

func TestBatch(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			await.Goroutines(t)
			x := open(t, scheme, rpc.ServerOptions{})
			there := x.there.(*rpc.Tablet)
			res, err := there.Batch(t.Context(), []tablet.Query{{SQL: "CREATE TABLE t(v)"}, {SQL: "INSERT INTO t VALUES(?1)", Args: []tablet.Value{int64(7)}}})
			if err != nil || len(res) != 2 || res[1].RowsAffected != 1 {
				t.Fatalf("got %+v, %v", res, err)
			}
			_, err = there.Batch(t.Context(), []tablet.Query{{SQL: "DELETE FROM t"}, {SQL: "INSERT INTO absent VALUES(1)"}})
			wantCode(t, err, tablet.CodeNoTable)
			if got := query(t, there, "SELECT v FROM t"); len(got) != 1 {
				t.Errorf("got %v", got)
			}
		})
	}
}
