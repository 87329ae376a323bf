//go:build !nonode

package vitessdo

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/internal/workerd"
)

func init() {
	// What can't be computed on a shard is written row by row, and 10,000 rows take longer
	// than a transaction may last. While a transaction writes, or a statement runs, a Durable Object hears nothing else.
	lacking["worker"] = []ability{readersBesideWriters, oldStates, oldStatesAtOnce, interrupts, mysqlFunctions, longTexts, ownKeys}
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

func TestWorkerLimits(t *testing.T) {
	db := openHere(t, workerd.Start(t, nil).DSN("ws", "shards=4"))
	meetLimits(t, db)

	// A value of more than 2 MB leaves nothing of its statement.
	for _, query := range []string{"INSERT INTO texts VALUES (3, 'a'), (4, 'b'), (5, 'c'), (6, 'd'), (7, ?)", "UPDATE texts SET v = ?"} {
		e := mustFail(t, db, CodeTooBig, query, strings.Repeat("y", 2_000_001))
		if !strings.Contains(e.Error(), "2000000 bytes") {
			t.Errorf("%s: it names no limit: %v", query, e)
		}
		want(t, db, "1|600000 2|600000", "SELECT id, LENGTH(v) FROM texts ORDER BY id")
	}
}

// TestWorkerGateKilled is TestGateKilled over Durable Objects.
func TestWorkerGateKilled(t *testing.T) {
	w := workerd.Start(t, workerd.Vars{"ASK_AFTER": "300", "IDLE": "1500"})
	gatesKilled(t, func(scheme string) string { return w.DSN(scheme, "lock_wait_timeout=3s&shards=4") })
}

// TestWorkerChaos is TestChaos over Durable Objects.
func TestWorkerChaos(t *testing.T) {
	for scheme, faults := range chaos {
		t.Run(scheme, func(t *testing.T) {
			w := workerd.Start(t, workerd.Vars{"ASK_AFTER": "300", "IDLE": "1500"})
			inChaos(t, scheme, faults, w.Addr(), func(addr, scheme, query string) string {
				return scheme + "://" + addr + "/?auth_token=" + workerd.Token + "&" + query
			})
		})
	}
}

// A token for reading is enough to see several shards as of one moment, however fast
// others write.
func TestWorkerReader(t *testing.T) {
	w := workerd.Start(t, workerd.Vars{"TOKENS": workerd.Token + "\nreader read-only\n"})
	db := openHere(t, w.DSN("ws", "shards=4"))
	accounts(t, db, 12)
	sum, err := rowsOf(db, "SELECT SUM(bal) FROM acc")
	if err != nil {
		t.Fatal(err)
	}
	reader := openHere(t, strings.Replace(w.DSN("ws", "lock_wait_timeout=5s"), workerd.Token, "reader", 1))
	ctx, stop := context.WithCancel(bg)
	var work sync.WaitGroup
	for from := range 3 {
		work.Go(func() {
			for ctx.Err() == nil {
				_ = RunTx(bg, db, nil, func(tx *sql.Tx) error {
					if _, err := tx.Exec("UPDATE acc SET bal = bal - 1 WHERE id = ?", from+1); err != nil {
						return err
					}
					_, err := tx.Exec("UPDATE acc SET bal = bal + 1 WHERE id = ?", from+7)
					return err
				})
			}
		})
	}
	for range 20 {
		want(t, reader, sum[0], "SELECT SUM(bal) FROM acc")
	}
	stop()
	work.Wait()
	mustFail(t, reader, CodeTxReadOnly, "UPDATE acc SET bal = 0")
}
