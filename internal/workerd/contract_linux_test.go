//go:build !nonode

package workerd

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/vitessdo/vitessdo/internal/contract"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func connect(t testing.TB, w *Worker, scheme string) *rpc.Client {
	t.Helper()
	c, err := rpc.NewClient(w.URL(scheme), &rpc.ClientOptions{Header: Header()})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// create makes a shard's empty database.
func create(t testing.TB, w *Worker, at tablet.Target) {
	t.Helper()
	s, err := capnweb.Dial(t.Context(), w.URL("ws"), nil, Header(), nil, nil)
	must(t, err)
	defer func() { _ = s.Close(); <-s.Done() }()
	_, err = s.Main().Do(t.Context(), "call", map[string]any{"type": int64(rpc.TypeShardCreate), "id": "create", "keyspace": at.Keyspace, "shard": at.Shard})
	must(t, err)
}

func open(t testing.TB, c *rpc.Client, at tablet.Target) *rpc.Tablet {
	t.Helper()
	db, err := c.Tablet(t.Context(), at)
	must(t, err)
	return db
}

func TestContract(t *testing.T) {
	w := Start(t, Vars{"LOCK_WAIT": "100"})
	var n atomic.Int64
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			c := connect(t, w, scheme)
			contract.Run(t, func(t *testing.T) tablet.Tablet {
				at := tablet.Target{Keyspace: "ks", Shard: fmt.Sprint(n.Add(1))}
				create(t, w, at)
				return open(t, c, at)
			}, contract.Options{Uninterrupted: true})
		})
	}
}
