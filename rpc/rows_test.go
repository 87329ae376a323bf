package rpc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// heldTablet holds up what is done with rows.
type heldTablet struct {
	tablet.Tablet
	query, close chan struct{} // nil: it isn't held; else until it is closed
	closed       chan struct{}
}

func (h *heldTablet) wrap(t tablet.Tablet) { h.Tablet = t }

func (h *heldTablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	rows, err := h.Tablet.Query(ctx, q)
	return &heldRows{Rows: rows, h: h}, err
}

func (h *heldTablet) Begin(ctx context.Context, o tablet.TxOptions) (tablet.Tx, error) {
	x, err := h.Tablet.Begin(ctx, o)
	return &heldTx{Tx: x, h: h}, err
}

type heldTx struct {
	tablet.Tx
	h *heldTablet
}

func (x *heldTx) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	<-x.h.query
	return x.Tx.Query(ctx, q)
}

type heldRows struct {
	tablet.Rows
	h *heldTablet
}

func (r *heldRows) Close() error {
	<-r.h.close
	err := r.Rows.Close()
	r.h.closed <- struct{}{}
	return err
}

// The end of a read that wasn't read to its end is said, and nobody waits for it,
// however long it takes; that of a write is waited for.
func TestCloseEarly(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			await.Goroutines(t)
			held := &heldTablet{close: make(chan struct{}), closed: make(chan struct{}, 2)}
			x := open(t, scheme, rpc.ServerOptions{ChunkRows: 10, Tablet: func(context.Context, tablet.Target) (tablet.Tablet, error) { return held, nil }})
			exec(t, x.here, "CREATE TABLE t(i)")
			row := make([]tablet.Value, 1)
			half := func(sql string) tablet.Rows {
				rows, err := x.there.Query(t.Context(), &tablet.Query{SQL: sql, Args: []tablet.Value{int64(1000)}})
				must(t, err)
				must(t, rows.Next(row))
				return rows
			}
			must(t, half(series+"SELECT i FROM s").Close())
			write := half("INSERT INTO t " + series + "SELECT i FROM s WHERE true RETURNING i")
			done := make(chan error)
			go func() { done <- write.Close() }()
			select {
			case err := <-done:
				t.Errorf("a write's rows were closed before they were: %v", err)
			case <-time.After(50 * time.Millisecond):
			}
			close(held.close)
			must(t, <-done)
			<-held.closed
			<-held.closed
		})
	}
}

// When the rows of a write get lost, nobody knows what became of it; those of a read are
// just lost.
func TestLostRows(t *testing.T) {
	insert := "INSERT INTO t " + series + "SELECT i FROM s WHERE true RETURNING i"
	for _, scheme := range []string{"ws", "http"} {
		for _, tc := range []struct {
			name, sql string
			close     bool
			want      tablet.Code
		}{
			{"a read", series + "SELECT i FROM s", false, tablet.CodeIO},
			{"a write", insert, false, tablet.CodeUnknownResult},
			{"a write is closed", insert, true, tablet.CodeUnknownResult},
		} {
			t.Run(scheme+"/"+tc.name, func(t *testing.T) {
				await.Goroutines(t)
				x := open(t, scheme, rpc.ServerOptions{ChunkRows: 10})
				exec(t, x.here, "CREATE TABLE t(i)")
				rows, err := x.there.Query(t.Context(), &tablet.Query{SQL: tc.sql, Args: []tablet.Value{int64(100_000)}})
				must(t, err)
				row := make([]tablet.Value, 1)
				must(t, rows.Next(row))
				must(t, x.http.Listener.Close())
				x.wire.cut()
				if tc.close {
					err = rows.Close()
				}
				for err == nil {
					err = rows.Next(row)
				}
				wantCode(t, err, tc.want)
				_ = rows.Close()
			})
		}
	}
}

// A ROLLBACK that has arrived is carried out, though its client has no time to wait
// until a statement of the transaction has ended.
func TestLateRollback(t *testing.T) {
	for _, how := range []string{"its time is over", "it is cancelled", "its client is gone"} {
		t.Run(how, func(t *testing.T) {
			await.Goroutines(t)
			held := &heldTablet{query: make(chan struct{})}
			ended := make(chan error, 1)
			x := open(t, "http", rpc.ServerOptions{
				Tablet: func(context.Context, tablet.Target) (tablet.Tablet, error) { return held, nil },
				Done: func(d rpc.Done) {
					if d.Type == rpc.TypeShardRollback {
						ended <- d.Err
					}
				},
			})
			exec(t, x.here, "CREATE TABLE t(i)")
			ask := func(ctx context.Context, kind rpc.Type, m map[string]any) error {
				s := capnweb.NewBatch(ctx, x.http.URL, x.http.Client(), nil, nil)
				defer func() { _ = s.Close(); <-s.Done() }()
				m["keyspace"], m["shard"], m["type"] = shard.Keyspace, shard.Shard, int64(kind)
				_, err := s.Main().Do(ctx, "call", m)
				return err
			}
			must(t, ask(t.Context(), rpc.TypeShardExecute, map[string]any{"id": "a1", "txId": "x7", "begin": map[string]any{}, "sql": "INSERT INTO t VALUES(1)"}))
			asked := make(chan error)
			go func() {
				asked <- ask(t.Context(), rpc.TypeShardQuery, map[string]any{"id": "a2", "txId": "x7", "sql": "SELECT 1"})
			}()
			await.Nil(t, func() error {
				if n := x.server.Stats().Running; n != 1 {
					return errors.New("the query doesn't run")
				}
				return nil
			})
			m := map[string]any{"id": "a3", "txId": "x7"}
			ctx, leave := context.WithCancel(t.Context())
			if how == "its time is over" {
				m["timeout"] = 1
			}
			go func() { asked <- ask(ctx, rpc.TypeShardRollback, m) }()
			await.Nil(t, func() error {
				if n := x.server.Stats().Running; n != 2 {
					return errors.New("the rollback doesn't run")
				}
				return nil
			})
			if how == "it is cancelled" {
				must(t, ask(t.Context(), rpc.TypeCancel, map[string]any{"id": "a4", "ref": "a3"}))
			}
			if how == "its client is gone" {
				leave()
				if err := <-asked; !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			}
			select {
			case err := <-ended:
				t.Errorf("the rollback was given up: %v", err)
			case <-time.After(50 * time.Millisecond):
			}
			close(held.query)
			if err := <-asked; err != nil {
				t.Error(err)
			}
			if how != "its client is gone" {
				must(t, <-asked)
			}
			leave()
			await.Nil(t, func() error {
				_, err := x.there.Exec(t.Context(), &tablet.Query{SQL: "DELETE FROM t"})
				return err
			})
		})
	}
}
