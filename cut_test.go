package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitessdo/vitessdo/twopc"
)

// overShards are statements that read several shards, in each way that there is.
var overShards = []string{
	"SELECT SUM(bal) FROM acc",
	"SELECT SUM(bal) FROM (SELECT bal FROM acc ORDER BY bal LIMIT 100) AS x",
	"SELECT SUM(b.bal) FROM acc a JOIN acc b ON a.id = b.other",
	"SELECT (SELECT SUM(bal) FROM acc WHERE id % 2 = 0) + (SELECT SUM(bal) FROM acc WHERE id % 2 = 1)",
	"SELECT /*vt+ COMBINE=query */ SUM(bal) FROM acc",
	"SELECT SUM(bal) FROM (SELECT bal, id FROM acc WHERE id <= 10 UNION ALL SELECT bal, id FROM acc WHERE id > 10) AS u",
	"SELECT SUM(bal) OVER () FROM acc LIMIT 1",
	"SELECT SUM(bal) FROM acc WHERE id IN (SELECT other FROM acc)",
}

// linked makes accounts that refer to each other across shards.
func linked(tb testing.TB, db *sql.DB, n int) {
	tb.Helper()
	do(tb, db, "CREATE TABLE acc (id BIGINT PRIMARY KEY, bal BIGINT NOT NULL, other BIGINT)")
	for i := 1; i <= n; i++ {
		do(tb, db, "INSERT INTO acc VALUES (?, 100, ?)", i, i%n+1)
	}
}

// TestNoHalfCommit: while one shard has a commit and another hasn't yet, no
// statement over both is answered.
func TestNoHalfCommit(t *testing.T) {
	db := memHere(t, "lock_wait_timeout=20ms")
	linked(t, db, 20)
	begins := map[string]func() error{
		"LevelSnapshot": func() error {
			tx, err := db.BeginTx(bg, &sql.TxOptions{Isolation: sql.LevelSnapshot, ReadOnly: true})
			if err == nil {
				_ = tx.Rollback()
			}
			return err
		},
		"WITH CONSISTENT SNAPSHOT": func() error {
			c, err := db.Conn(bg)
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = c.ExecContext(bg, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
			return err
		},
	}
	ids := idsOn(t, db, "acc", 2)
	asked := false
	twopc.OnPoint(func(p twopc.Point, participant int) {
		if p != twopc.Committed || participant != 0 {
			return
		}
		asked = true
		for _, query := range overShards {
			_, err := rowsOf(db, query)
			wantCode(t, err, CodeLockTimeout, query)
		}
		_, err := db.Exec("INSERT INTO acc SELECT id + 1000, bal, other FROM acc")
		if e := (*Error)(nil); !errors.As(err, &e) || !e.Retryable() {
			t.Errorf("INSERT … SELECT: %v", err)
		}
		for name, begin := range begins {
			wantCode(t, begin(), CodeLockTimeout, name)
		}
	})
	defer func() { twopc.OnPoint(nil) }()
	_, err := db.Exec("UPDATE acc SET bal = CASE id WHEN ? THEN 0 ELSE 200 END WHERE id IN (?, ?)", ids[0], ids[0], ids[1])
	if err != nil || !asked {
		t.Fatalf("the commit: %v; asked in between: %v", err, asked)
	}
	twopc.OnPoint(nil)
	for _, query := range overShards {
		want(t, db, "2000", query)
	}
	for name, begin := range begins {
		if err := begin(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustAffect(t, db, 20, "UPDATE acc SET bal = bal + 1") // no lock is left
}

// TestCuts: beside transfers between shards, every statement and every snapshot
// sees all of a transfer or nothing of it.
func TestCuts(t *testing.T) {
	for _, where := range []string{"memory", "normal", "full"} {
		t.Run(where, func(t *testing.T) {
			const n = 20
			db := memDB(t, "")
			if where != "memory" {
				db = openDB(t, "file:"+t.TempDir()+"/d?shards=4&synchronous="+where)
			}
			linked(t, db, n)
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			var stop atomic.Bool
			var writers, readers sync.WaitGroup
			for w := range 3 {
				writers.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(w)))
					for !stop.Load() {
						if err := transfer(db, r, n); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			for w := range 2 {
				readers.Go(func() {
					for i := range 60 {
						if err := checkCut(db, overShards[(i+w)%len(overShards)], i); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			readers.Wait()
			stop.Store(true)
			writers.Wait()
		})
	}
}

// checkCut sums up the accounts by one statement, and by many of a snapshot.
func checkCut(db *sql.DB, query string, i int) error {
	got, err := rowsOf(db, query)
	if err != nil || len(got) != 1 || got[0] != "2000" {
		return fmt.Errorf("%s: %v, %v", query, got, err)
	}
	if i%4 != 0 {
		return nil
	}
	return RunTx(bg, db, &sql.TxOptions{Isolation: sql.LevelSnapshot, ReadOnly: true}, func(tx *sql.Tx) error {
		sum := 0
		for id := 1; id <= 20; id++ {
			var bal int
			if err := tx.QueryRow("SELECT bal FROM acc WHERE id = ?", id).Scan(&bal); err != nil {
				return err
			}
			sum += bal
		}
		if sum != 2000 {
			return fmt.Errorf("the sum in a snapshot is %d", sum)
		}
		return nil
	})
}

// TestCutsKeepOrder: commits of single shards are seen in the order in which
// their clients were told of them.
func TestCutsKeepOrder(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE n (id BIGINT PRIMARY KEY, v BIGINT)")
	ids := idsOn(t, db, "n", 3)
	for _, id := range ids {
		do(t, db, "INSERT INTO n VALUES (?, 0)", id)
	}
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	var writer sync.WaitGroup
	writer.Go(func() {
		for v := 1; ctx.Err() == nil; v++ {
			for _, id := range ids {
				if _, err := db.ExecContext(ctx, "UPDATE n SET v = ? WHERE id = ?", v, id); err != nil {
					if ctx.Err() == nil {
						t.Error(err)
					}
					return
				}
			}
		}
	})
	last := 0
	for range 300 {
		var v [3]int
		if err := db.QueryRow("SELECT SUM(CASE id WHEN ? THEN v END), SUM(CASE id WHEN ? THEN v END), SUM(CASE id WHEN ? THEN v END) FROM n",
			ids[0], ids[1], ids[2]).Scan(&v[0], &v[1], &v[2]); err != nil {
			t.Fatal(err)
		}
		if v[0] < v[1] || v[1] < v[2] || v[0] > v[2]+1 {
			t.Fatalf("seen %v, written one after the other", v)
		}
		if v[2] < last {
			t.Fatalf("seen %d after %d", v[2], last)
		}
		last = v[2]
	}
	cancel()
	writer.Wait()
}

// TestLookupOfMovingRow: a row that is looked up by a key of its own is found
// while it moves from shard to shard.
func TestLookupOfMovingRow(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE u (k BIGINT NOT NULL, email VARCHAR(20) NOT NULL, UNIQUE KEY e (email)) COMMENT 'vindex=hash(k)'", "INSERT INTO u VALUES (1, 'a')")
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := db.Exec("UPDATE u SET k = k + 1 WHERE email = 'a'"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 300 {
		var k int
		if err := db.QueryRow("SELECT k FROM u WHERE email = 'a'").Scan(&k); err != nil {
			t.Errorf("the row: %v", err)
			if errors.Is(err, sql.ErrNoRows) {
				break
			}
		}
	}
	close(stop)
	writer.Wait()
}
