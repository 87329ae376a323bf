package vitessdo

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/chaosproxy"
	"github.com/vitessdo/vitessdo/internal/remotetest"
)

var (
	chaosSeed = flag.Uint64("chaos.seed", 0, "the proxy's seed; 0 picks one")
	chaosTime = flag.Duration("chaos.time", 2*time.Second, "how long each way to the server is tried")
)

// chaos is what the network does to each transport.
var chaos = map[string]chaosproxy.Faults{
	"ws":   {Break: 150, CutPiece: 300, Stall: 200, Late: 10, Delay: 3 * time.Millisecond},
	"http": {Twice: 40, LoseRequest: 60, LoseAnswer: 60, CutAnswer: 90, Overtake: 20, Late: 10, Delay: 3 * time.Millisecond},
}

// TestChaos: whatever the network does, a write that was acknowledged is there, one
// that failed isn't, none is there twice, and money neither appears nor vanishes.
func TestChaos(t *testing.T) {
	for scheme, faults := range chaos {
		t.Run(scheme, func(t *testing.T) {
			server := remotetest.Start(t.TempDir())
			t.Cleanup(server.Close)
			inChaos(t, scheme, faults, server.Addr(), func(addr, scheme, query string) string { return scheme + "://" + addr + "/?" + query })
		})
	}
}

// inChaos runs a bank at a server behind a bad network. dsn names its database by the
// server's address or the network's.
func inChaos(t *testing.T, scheme string, faults chaosproxy.Faults, addr string, dsn func(addr, scheme, query string) string) {
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-chaos.seed=%d", seed)
	setup := openDB(t, dsn(addr, "ws", "shards=4"))
	before := bankTables(t, setup)

	proxy, err := chaosproxy.New(addr, seed, faults, scheme == "ws")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	b := &bank{t: t, db: openDB(t, dsn(proxy.Addr(), scheme, "lock_wait_timeout=2s")), moved: map[int]error{}, noted: map[int]error{}}
	b.run(seed, *chaosTime)
	proxy.Calm()
	t.Logf("%d transfers, %d notes; %v", len(b.moved), len(b.noted), proxy.Counts())
	settled(t, setup)
	b.check(setup, before)
}

// settled waits until nothing is in doubt, which takes 10 s at the most.
func settled(t *testing.T, db *sql.DB) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left, err := rowsOf(db, "SHOW UNRESOLVED TRANSACTIONS")
		if err == nil && len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("10 s after the faults ended this is unsettled: %q, %v", left, err)
		}
	}
}

// bank moves money between accounts, and notes what it was told of each transfer.
type bank struct {
	t  *testing.T
	db *sql.DB

	mu    sync.Mutex
	last  int
	moved map[int]error // nil: acknowledged
	noted map[int]error
}

func (b *bank) next() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	return b.last
}

func (b *bank) told(m map[int]error, id int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m[id] = err
}

func (b *bank) run(seed uint64, d time.Duration) {
	end := time.Now().Add(d)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			dice := rand.New(rand.NewPCG(seed, uint64(i)))
			for time.Now().Before(end) {
				id := b.next()
				ctx, cancel := context.WithTimeout(bg, 5*time.Second)
				if dice.IntN(3) == 0 {
					_, err := b.db.ExecContext(ctx, "INSERT INTO noted VALUES (?)", id)
					b.told(b.noted, id, err)
				} else {
					b.told(b.moved, id, b.transfer(ctx, id, 1+dice.IntN(20), 1+dice.IntN(20), 1+dice.IntN(9)))
				}
				if dice.IntN(4) == 0 {
					_, _ = rowsOf(b.db, "SELECT SUM(bal) FROM acc")
				}
				cancel()
			}
		})
	}
	wg.Wait()
}

func (b *bank) transfer(ctx context.Context, id, from, to, n int) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, s := range []struct {
		sql  string
		args []any
	}{
		{"UPDATE acc SET bal = bal - ? WHERE id = ?", []any{n, from}},
		{"UPDATE acc SET bal = bal + ? WHERE id = ?", []any{n, to}},
		{"INSERT INTO moved VALUES (?, ?, ?, ?)", []any{id, from, to, n}},
	} {
		if _, err := tx.ExecContext(ctx, s.sql, s.args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// check holds what is there against what was told.
func (b *bank) check(db *sql.DB, before string) {
	t := b.t
	want(t, db, before, "SELECT SUM(bal) FROM acc")
	want(t, db, "", `SELECT acc.id FROM acc LEFT JOIN
		(SELECT id, SUM(n) AS n FROM (SELECT a AS id, -n AS n FROM moved UNION ALL SELECT b, n FROM moved) AS x GROUP BY id) AS m ON m.id = acc.id
		WHERE acc.bal <> 100 + COALESCE(m.n, 0)`)
	sure, unknown := 0, 0
	for name, told := range map[string]map[int]error{"moved": b.moved, "noted": b.noted} {
		there := map[string]bool{}
		for _, id := range mustRows(t, db, "SELECT id FROM "+name) {
			there[id] = true
		}
		for id, err := range told {
			var e *Error
			switch {
			case errors.Is(err, driver.ErrBadConn), err != nil && !errors.As(err, &e) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, sql.ErrTxDone):
				t.Errorf("%s %d: an error of another kind: %v (%T)", name, id, err, err)
			case e != nil && e.OutcomeUnknown():
				unknown++
			case (err == nil) != there[fmt.Sprint(id)]:
				t.Errorf("%s %d was told %v; it is there: %v", name, id, err, there[fmt.Sprint(id)])
			default:
				sure++
			}
		}
	}
	t.Logf("%d with a known outcome, %d without", sure, unknown)
	if sure < len(b.moved)/4 {
		t.Errorf("only %d of %d outcomes were known", sure, sure+unknown)
	}
}
