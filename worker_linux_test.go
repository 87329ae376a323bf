//go:build !nonode

package vitessdo

import (
	"testing"

	"github.com/vitessdo/vitessdo/internal/workerd"
)

func init() {
	// What can't be computed on a shard is written row by row, and 10,000 rows take longer
	// than a transaction may last. While a transaction writes, or a statement runs, a Durable Object hears nothing else.
	lacking["worker"] = []ability{readersBesideWriters, oldStates, interrupts, mysqlFunctions}
	tabletKinds["worker"] = func(tb testing.TB, query string) string { return workerd.Start(tb, nil).DSN("ws", query) }
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
