//go:build !nonode

package vitessdo

import (
	"testing"

	"github.com/vitessdo/vitessdo/internal/workerd"
)

func init() {
	servers["worker"] = func(tb testing.TB) (server, string) { return workerd.Start(tb, nil), "ws" }
}

// A database of Durable Objects is one as at any other server.
func TestWorker(t *testing.T) {
	transports(t, func(t *testing.T, scheme string) {
		w := workerd.Start(t, nil)
		testGates(t, func(query string) string { return w.DSN(scheme, query) })
	})
}

// And it loses and doubles nothing when it is killed, as TestServerKilled.
func TestWorkerKilled(t *testing.T) {
	transports(t, func(t *testing.T, scheme string) {
		w := workerd.Start(t, workerd.Vars{"ASK_AFTER": "300"})
		const query = "lock_wait_timeout=3s&shards=4"
		underKills(t, w.DSN("ws", query), w.DSN(scheme, query), func() { w.Restart(t) })
	})
}
