package rpc_test

import (
	"context"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/internal/contract"
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

// What the tests of the contract do with tablets, these do, too.
var (
	exec     = contract.Exec
	query    = contract.Query
	wantCode = contract.WantCode
	begin    = contract.Begin
	must     = contract.Must
)

// What the contract of package tablet promises holds for an embedded tablet, and
// for the same at the far end of each transport.
func TestContract(t *testing.T) {
	for _, scheme := range []string{"embedded", "ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			await.Goroutines(t)
			contract.Run(t, func(t *testing.T) tablet.Tablet { return open(t, scheme, rpc.ServerOptions{}).there }, contract.Options{})
		})
	}
}

const series = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s WHERE i < ?1) "
