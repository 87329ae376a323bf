package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// waitingAt is databases whose locks one process sees all of, and one that is spread.
var waitingAt = []struct {
	name string
	sees bool
	open func(t *testing.T) []*sql.DB
}{
	{"one process", true, func(t *testing.T) []*sql.DB {
		return []*sql.DB{openHere(t, ":memory:?shards=4&lock_wait_timeout=5m")}
	}},
	{"one server, two gates", true, func(t *testing.T) []*sql.DB {
		s := atServer(t)
		dsn := s.DSN("ws", "shards=4&lock_wait_timeout=5m")
		return []*sql.DB{openHere(t, dsn), openHere(t, dsn)}
	}},
	{"two servers, two gates", false, func(t *testing.T) []*sql.DB {
		one, two := atServer(t), atServer(t)
		dsn := one.DSN("ws", "shards=4&lock_wait_timeout=5m&topology="+writeFile(t, fmt.Sprintf(
			`{"shards": {"main/-40": "ws://%[1]s", "main/80-c0": "ws://%[1]s"}}`, two.Addr())))
		return []*sql.DB{openHere(t, dsn), openHere(t, dsn)}
	}},
}

// TestWaitForOlder: where all waiting is seen, a transaction that holds a shard waits
// for an older one, which needs nothing of it; elsewhere it is told to retry.
func TestWaitForOlder(t *testing.T) {
	for _, at := range waitingAt {
		t.Run(at.name, func(t *testing.T) {
			dbs := at.open(t)
			accounts(t, dbs[0], 20)
			ids := idsOn(t, dbs[0], "acc", 2)
			const set = "UPDATE acc SET bal = bal + 1 WHERE id = ?"
			older, err := dbs[0].Begin()
			if err != nil {
				t.Fatal(err)
			}
			do(t, older, set, ids[0])
			younger, err := dbs[len(dbs)-1].Begin()
			if err != nil {
				t.Fatal(err)
			}
			do(t, younger, set, ids[1])
			got := make(chan error, 1)
			go func() {
				_, err := younger.Exec(set, ids[0])
				got <- err
			}()
			if !at.sees {
				retryable(t, soon(t, "the younger one", func() error { return <-got }))
				_ = younger.Rollback()
				_ = older.Rollback()
				return
			}
			do(t, older, set, ids[0])
			if err := older.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := soon(t, "the younger one", func() error { return <-got }); err != nil {
				t.Fatal(err)
			}
			if err := younger.Commit(); err != nil {
				t.Fatal(err)
			}
			want(t, dbs[0], "103 101", "SELECT bal FROM acc WHERE id IN (?, ?) ORDER BY id = ? DESC", ids[0], ids[1], ids[0])
			free(t, dbs[0])
		})
	}
}

// TestLocksInAnyOrder: many transactions take some shards each. In one order for all
// nobody need die, and nobody does where that is seen; in any order some do, at once,
// and whoever is run again is done at last. No wait ends by its time.
func TestLocksInAnyOrder(t *testing.T) {
	const clients, transactions, all = 10, 12, 40
	for _, at := range waitingAt {
		for _, ordered := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, ordered=%v", at.name, ordered), func(t *testing.T) {
				dbs := at.open(t)
				accounts(t, dbs[0], all)
				ids := idsOn(t, dbs[0], "acc", 4)
				on := func(id int) string { return shardOf(t, dbs[0], "SELECT id FROM acc WHERE id = ?", id) }
				slices.SortFunc(ids, func(a, b int) int { return strings.Compare(on(a), on(b)) })
				var died, done atomic.Int64
				var work sync.WaitGroup
				for c := range clients {
					dice := rand.New(rand.NewPCG(5, uint64(c)))
					work.Go(func() {
						for range transactions {
							mine := dice.Perm(4)[:3]
							if ordered {
								slices.Sort(mine)
							}
							err := again1213(dbs[c%len(dbs)], &died, func(tx *sql.Tx) error {
								for _, i := range mine {
									if _, err := tx.Exec("UPDATE acc SET bal = bal + 1 WHERE id = ?", ids[i]); err != nil {
										return err
									}
								}
								return nil
							})
							if err != nil {
								t.Error(err)
								return
							}
							done.Add(3)
						}
					})
				}
				work.Wait()
				want(t, dbs[0], fmt.Sprint(all*100+done.Load()), "SELECT SUM(bal) FROM acc")
				if at.sees && ordered && died.Load() > 0 {
					t.Errorf("%d have died, and none had to", died.Load())
				}
				t.Logf("%d of %d attempts have died", died.Load(), died.Load()+clients*transactions)
				free(t, dbs[0])
			})
		}
	}
}

// again1213 runs a transaction on a connection until it isn't refused, and counts how
// often it was. It knows nothing of RunTx.
func again1213(db *sql.DB, died *atomic.Int64, fn func(*sql.Tx) error) error {
	c, err := db.Conn(bg)
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		tx, err := c.BeginTx(bg, nil)
		if err != nil {
			return err
		}
		if err = fn(tx); err == nil {
			err = tx.Commit()
		}
		if err == nil {
			return nil
		}
		_ = tx.Rollback()
		var e *Error
		if e, _ = err.(*Error); e == nil || e.Number != 1213 {
			return err
		}
		died.Add(1)
	}
}

// TestLocksBeforeMoment: an attempt that begins with locks has them before it looks
// for a moment of several shards, so that it keeps nobody from committing who has them.
func TestLocksBeforeMoment(t *testing.T) {
	db := memHere(t, "lock_wait_timeout=5m")
	accounts(t, db, 20)
	ids := idsOn(t, db, "acc", 2)
	older, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	const set = "UPDATE acc SET bal = bal + 1 WHERE id = ?"
	do(t, older, set, ids[0])
	shows := &clusterOf(t, db).shows
	n := 0
	err = RunTx(bg, db, nil, func(tx *sql.Tx) error {
		if n++; n == 1 {
			do(t, tx, set, ids[1])
			var err error
			circle(t, func() error { _, err := older.Exec(set, ids[1]); return err },
				func() error { _, err = tx.Exec(set, ids[0]); return err })
			_ = older.Rollback()
			return err
		}
		// While no moment can be found, others find the locks taken.
		shows.begin()
		defer shows.end()
		ctx, cancel := context.WithCancel(bg)
		go func() {
			defer cancel()
			for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(time.Millisecond) {
				other, err := db.Begin()
				if err == nil {
					_, err = other.Exec("SELECT bal FROM acc WHERE id = ? FOR UPDATE NOWAIT", ids[0])
					_ = other.Rollback()
				}
				if e := (*Error)(nil); errors.As(err, &e) && e.Code == CodeLockNoWait {
					return
				}
			}
			t.Error("the locks are not taken first")
		}()
		rows, err := tx.QueryContext(ctx, "SELECT SUM(bal) FROM acc")
		if err == nil {
			_ = rows.Close()
		}
		wantCode(t, err, CodeCanceled, "a moment that isn't found")
		return nil
	})
	if err != nil || n != 2 {
		t.Errorf("%v after %d attempts", err, n)
	}
}
