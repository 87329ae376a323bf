//go:build !nonode

package workerd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
)

// settleTime is how long what is in doubt may stay so when everybody is back.
const settleTime = 10 * time.Second

// shards makes shards with an empty table t.
func shards(t testing.TB, w *Worker, c *rpc.Client, n int) []tablet.Tablet {
	t.Helper()
	var list []tablet.Tablet
	for i := range n {
		at := tablet.Target{Keyspace: "ks", Shard: fmt.Sprint(i)}
		create(t, w, at)
		list = append(list, open(t, c, at))
		_, err := list[i].Exec(t.Context(), &tablet.Query{SQL: "CREATE TABLE t(id INTEGER PRIMARY KEY, v)"})
		must(t, err)
	}
	return list
}

// ints gives the first row of a query.
func ints(ctx context.Context, on tablet.Runner, sql string, args ...tablet.Value) ([]int64, error) {
	rows, err := on.Query(ctx, &tablet.Query{SQL: sql, Args: args})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	row := make([]tablet.Value, len(rows.Columns()))
	if err := rows.Next(row); err != nil {
		return nil, err
	}
	out := make([]int64, len(row))
	for i, v := range row {
		out[i], _ = v.(int64)
	}
	return out, nil
}

// unsettled says what is in doubt or decided and not done.
func unsettled(ctx context.Context, list []tablet.Tablet) error {
	for _, db := range list {
		if d, err := db.Prepared(ctx); err != nil || len(d) > 0 {
			return fmt.Errorf("%v: in doubt %v, %v", db.Target(), d, err)
		}
		if d, err := db.Decisions(ctx); err != nil || len(d) > 0 {
			return fmt.Errorf("%v: decided %v, %v", db.Target(), d, err)
		}
	}
	return nil
}

// settle waits until nothing is in doubt, and fails the test when that takes long.
func settle(t testing.TB, list []tablet.Tablet) {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := unsettled(t.Context(), list)
		if err == nil {
			return
		}
		if time.Since(start) > settleTime {
			t.Fatalf("after %v: %v", settleTime, err)
		}
		<-tick.C
	}
}

// step is a moment of a distributed commit over three shards, the last of which is
// the holder.
type step struct {
	name    string
	run     func(ctx context.Context, parts []tablet.Tx, dtid string) error
	commits bool
}

var steps = []step{
	{"written", func(context.Context, []tablet.Tx, string) error { return nil }, false},
	{"one prepared", func(ctx context.Context, parts []tablet.Tx, dtid string) error {
		_, err := parts[0].Prepare(ctx, dtid, parts[2].Target())
		return err
	}, false},
	{"all prepared", func(ctx context.Context, parts []tablet.Tx, dtid string) error {
		_, err := parts[1].Prepare(ctx, dtid, parts[2].Target())
		return err
	}, false},
	{"decided", func(ctx context.Context, parts []tablet.Tx, dtid string) error {
		return parts[2].Decide(ctx, dtid, []tablet.Target{parts[0].Target(), parts[1].Target()})
	}, true},
	{"one committed", func(ctx context.Context, parts []tablet.Tx, _ string) error { return parts[0].CommitPrepared(ctx) }, true},
	{"all committed", func(ctx context.Context, parts []tablet.Tx, _ string) error { return parts[1].CommitPrepared(ctx) }, true},
	{"concluded", func(ctx context.Context, parts []tablet.Tx, dtid string) error { return parts[2].Conclude(ctx, dtid) }, true},
}

// walk begins a transaction on all shards, and goes so many steps.
func walk(ctx context.Context, list []tablet.Tablet, dtid string, n int) error {
	var parts []tablet.Tx
	for _, db := range list {
		x, err := db.Begin(ctx, tablet.TxOptions{})
		if err != nil {
			return err
		}
		parts = append(parts, x)
		if _, err = x.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t(v) VALUES(1)"}); err != nil {
			return err
		}
	}
	for _, s := range steps[:n] {
		if err := s.run(ctx, parts, dtid); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// At every step everybody dies: the runtime by kill -9, and the coordinator with it.
// Or the coordinator alone.
func TestEveryStep(t *testing.T) {
	for _, kill := range []bool{true, false} {
		t.Run(map[bool]string{true: "kill", false: "lost coordinator"}[kill], func(t *testing.T) {
			w := Start(t, Vars{"LOCK_WAIT": "5000", "ASK_AFTER": "1000"})
			list := shards(t, w, connect(t, w, "ws"), 3)
			var want int64
			for last, try := 0, 0; last < len(steps); try++ {
				coordinator, err := rpc.NewClient(w.URL("ws"), &rpc.ClientOptions{Header: Header()})
				must(t, err)
				var there []tablet.Tablet
				for _, db := range list {
					there = append(there, open(t, coordinator, db.Target()))
				}
				err = walk(t.Context(), there, fmt.Sprintf("tx%d.%d", last, try), last+1)
				if kill && err == nil {
					w.Restart(t)
				}
				must(t, coordinator.Close())
				settle(t, list)
				var e *tablet.Error
				if errors.As(err, &e) && e.Retryable() {
					continue // on a slow machine its participants lose patience
				}
				must(t, err)
				if steps[last].commits {
					want++
				}
				for _, db := range list {
					if got, err := ints(t.Context(), db, "SELECT count(*) FROM t"); err != nil || got[0] != want {
						t.Errorf("%s: %v holds %v rows, want %d, %v", steps[last].name, db.Target(), got, want, err)
					}
				}
				last++
			}
		})
	}
}

// What is in doubt is settled by objects that nobody has asked for anything since
// they were lost, be it decided or not.
func TestAlarm(t *testing.T) {
	w := Start(t, Vars{"ASK_AFTER": "300"})
	list := shards(t, w, connect(t, w, "ws"), 4)
	for i, decided := range []bool{true, false} {
		var parts []tablet.Tx
		for _, db := range list[2*i : 2*i+2] {
			x, err := db.Begin(t.Context(), tablet.TxOptions{})
			must(t, err)
			_, err = x.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t(v) VALUES(1)"})
			must(t, err)
			parts = append(parts, x)
		}
		_, err := parts[0].Prepare(t.Context(), "d", parts[1].Target())
		must(t, err)
		if decided {
			must(t, parts[1].Decide(t.Context(), "d", []tablet.Target{parts[0].Target()}))
		}
	}
	w.Restart(t)
	// The first question comes when it must be over: it could set the matter going.
	<-time.After(8 * time.Second)
	must(t, unsettled(t.Context(), list))
	for i, db := range list {
		want := int64(1 - i/2)
		if got, err := ints(t.Context(), db, "SELECT count(*) FROM t"); err != nil || got[0] != want {
			t.Errorf("%v holds %v, want %d, %v", db.Target(), got, want, err)
		}
	}
}

// transfer moves an amount between two shards, and notes on both that it did.
func transfer(ctx context.Context, list []tablet.Tablet, id int64, age uint64) error {
	from := rand.N(len(list))
	to := (from + 1 + rand.N(len(list)-1)) % len(list)
	var parts []tablet.Tx
	for i, shard := range []int{from, to} {
		x, err := list[shard].Begin(ctx, tablet.TxOptions{Age: age, Holds: func() bool { return i > 0 }})
		if err == nil {
			parts = append(parts, x)
			_, err = x.Exec(ctx, &tablet.Query{SQL: "UPDATE account SET balance = balance + ?1", Args: []tablet.Value{int64(2*i - 1)}})
		}
		if err == nil {
			_, err = x.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t(id) VALUES(?1)", Args: []tablet.Value{id}})
		}
		if err != nil {
			twopc.Rollback(parts)
			return err
		}
	}
	err := twopc.Commit(ctx, twopc.TwoPC, fmt.Sprintf("transfer-%d", id), parts, nil)
	var unfinished *twopc.UnfinishedError
	if errors.As(err, &unfinished) {
		return nil // it is decided
	}
	return err
}

// Money is neither made nor lost while the runtime is killed again and again: what
// was acknowledged is there on both shards, what was refused on none, and what
// nobody knows is there on both or none.
func TestBankUnderKills(t *testing.T) {
	const (
		workers  = 4
		lifetime = 700 * time.Millisecond
		kills    = 6
	)
	w := Start(t, Vars{"LOCK_WAIT": "2000", "ASK_AFTER": "300"})
	list := shards(t, w, connect(t, w, "ws"), 4)
	for _, db := range list {
		for _, sql := range []string{"CREATE TABLE account(balance INTEGER NOT NULL)", "INSERT INTO account VALUES(1000)"} {
			_, err := db.Exec(t.Context(), &tablet.Query{SQL: sql})
			must(t, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var (
		mu       sync.Mutex
		outcomes = map[int64]error{}
		last     int64
		commits  atomic.Int64
		done     sync.WaitGroup
	)
	for range workers {
		c := connect(t, w, "ws")
		mine := make([]tablet.Tablet, len(list))
		for i, db := range list {
			mine[i] = open(t, c, db.Target())
		}
		done.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				last++
				id := last
				mu.Unlock()
				err := transfer(t.Context(), mine, id, uint64(id))
				mu.Lock()
				outcomes[id] = err
				mu.Unlock()
				if err == nil {
					commits.Add(1)
				}
			}
		})
	}
	for range kills {
		before := commits.Load()
		<-time.After(lifetime/2 + rand.N(lifetime))
		await.True(t, "something was committed since it runs", func() bool { return commits.Load() > before })
		w.Restart(t)
	}
	stop()
	done.Wait()
	settle(t, list)
	count := map[string]int{}
	for id, err := range outcomes {
		var there int64
		for _, db := range list {
			got, err := ints(t.Context(), db, "SELECT count(*) FROM t WHERE id = ?1", id)
			must(t, err)
			there += got[0]
		}
		kind := "refused"
		switch code := tablet.CodeOf(err); {
		case err == nil:
			kind = "committed"
			if there != 2 {
				t.Errorf("transfer %d was committed, and is on %d shards", id, there)
			}
		case code == tablet.CodeUnknownResult:
			kind = "unknown"
			if there != 0 && there != 2 {
				t.Errorf("transfer %d is on %d shards", id, there)
			}
		default:
			if there != 0 {
				t.Errorf("transfer %d was refused (%v), and is on %d shards", id, err, there)
			}
		}
		count[kind]++
	}
	var sum int64
	for _, db := range list {
		got, err := ints(t.Context(), db, "SELECT balance FROM account")
		must(t, err)
		sum += got[0]
	}
	if sum != int64(1000*len(list)) || count["committed"] == 0 {
		t.Errorf("the balances add up to %d after %v", sum, count)
	}
	t.Logf("%v, %d kills", count, kills)
}
