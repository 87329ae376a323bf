package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// TestRunTxLocksAhead: a transaction that has to begin anew begins with the locks that
// it will need, and others give way to it.
func TestRunTxLocksAhead(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 40)
	ids := idsOn(t, db, "acc", 3)
	set := func(tx *sql.Tx, id int) error {
		_, err := tx.Exec("UPDATE acc SET bal = bal + 1 WHERE id = ?", id)
		return err
	}
	older, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := set(older, ids[0]); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = RunTx(bg, db, nil, func(tx *sql.Tx) error {
		n++
		if err := set(tx, ids[1]); err != nil {
			return err
		}
		if n == 1 {
			var err error
			circle(t, func() error { return set(older, ids[1]) }, func() error { err = set(tx, ids[0]); return err })
			_ = older.Rollback()
			return err
		}
		const now = "SELECT bal FROM acc WHERE id = ? FOR UPDATE NOWAIT"
		other, err := db.Begin()
		if err != nil {
			return err
		}
		_, err = other.Exec(now, ids[0])
		wantCode(t, err, CodeLockNoWait, now)
		_ = other.Rollback()
		younger, err := db.Begin()
		if err != nil {
			return err
		}
		if err := set(younger, ids[2]); err != nil {
			return err
		}
		circle(t, func() error { return set(tx, ids[2]) }, func() error { return set(younger, ids[0]) })
		_ = younger.Rollback()
		return set(tx, ids[0])
	})
	if err != nil || n != 2 {
		t.Errorf("%v after %d attempts", err, n)
	}
	want(t, db, "101 101", "SELECT bal FROM acc WHERE id IN (?, ?)", ids[0], ids[1])
	free(t, db)
}

// TestRunTxInACrowd: however many transactions want the same shards, in whichever
// order, none needs more than a second attempt.
func TestRunTxInACrowd(t *testing.T) {
	db := memDB(t, "lock_wait_timeout=5m")
	const clients, transfers, all = 24, 15, 40
	accounts(t, db, all)
	var work sync.WaitGroup
	for c := range clients {
		dice := rand.New(rand.NewPCG(7, uint64(c)))
		work.Go(func() {
			for range transfers {
				from := 1 + dice.IntN(all)
				to := 1 + (from+dice.IntN(all-1))%all
				n := 0
				err := RunTx(bg, db, nil, func(tx *sql.Tx) error {
					n++
					if _, err := tx.Exec("UPDATE acc SET bal = bal - 1 WHERE id = ?", from); err != nil {
						return err
					}
					_, err := tx.Exec("UPDATE acc SET bal = bal + 1 WHERE id = ?", to)
					return err
				})
				if err != nil || n > 2 {
					t.Errorf("%v after %d attempts", err, n)
				}
			}
		})
	}
	work.Wait()
	want(t, db, fmt.Sprint(all*100), "SELECT SUM(bal) FROM acc")
	free(t, db)
}

// TestAgeOfTheConnection: BEGIN after error 1213 is another attempt, too.
func TestAgeOfTheConnection(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 20)
	ids := idsOn(t, db, "acc", 2)
	const set = "UPDATE acc SET bal = bal + 1 WHERE id = ?"
	a, b, c := pin(t, db), pin(t, db), pin(t, db)
	for _, conn := range []*sql.Conn{a, b, c} {
		do(t, conn, "BEGIN")
	}
	do(t, a, set, ids[0])
	do(t, b, set, ids[1])
	on := func(c *sql.Conn, id int) func() error {
		return func() error {
			_, err := c.ExecContext(bg, set, id)
			return err
		}
	}
	circle(t, on(a, ids[1]), on(b, ids[0]))
	do(t, b, "ROLLBACK")
	do(t, a, "COMMIT")
	do(t, b, "BEGIN") // younger than c, but for its first attempt
	do(t, b, set, ids[1])
	do(t, c, set, ids[0])
	circle(t, on(b, ids[0]), on(c, ids[1]))
	do(t, b, "COMMIT")
}

// TestRunTxAgainstWriters: reading first and writing later succeeds although
// somebody writes in between each time, as long as locks don't keep him away.
func TestRunTxAgainstWriters(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 4)
	n := 0
	var other sync.WaitGroup
	err := RunTx(bg, db, nil, func(tx *sql.Tx) error {
		n++
		var bal int
		if err := tx.QueryRow("SELECT bal FROM acc WHERE id = 1").Scan(&bal); err != nil {
			return err
		}
		other.Go(func() {
			if _, err := db.Exec("UPDATE acc SET bal = bal + 1 WHERE id = 1"); err != nil {
				t.Error(err)
			}
		})
		if n < lockFrom {
			other.Wait()
		}
		_, err := tx.Exec("UPDATE acc SET bal = ? WHERE id = 1", bal+1000)
		return err
	})
	other.Wait()
	if err != nil || n != lockFrom {
		t.Errorf("%v after %d attempts", err, n)
	}
	want(t, db, "1104", "SELECT bal FROM acc WHERE id = 1")
}

func TestRunTxEnds(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 4)
	mine := errors.New("mine")
	conflict := fromTablet(&tablet.Error{Code: tablet.CodeConflict, Message: "made up"})
	unknown := fromTablet(&tablet.Error{Code: tablet.CodeUnknownResult, Message: "made up"})
	quick := RunOptions{MaxAttempts: 3, MinWait: 1, MaxWait: 1}
	for _, tc := range []struct {
		name string
		err  error
		n    int
	}{
		{"nil", nil, 1},
		{"an error of fn's own", mine, 1},
		{"a retryable one", conflict, 3},
		{"a wrapped one", fmt.Errorf("while transferring: %w", conflict), 3},
		{"outcome unknown", unknown, 1},
		{"expired", fromTablet(&tablet.Error{Code: tablet.CodeTxExpired}), 1},
	} {
		n := 0
		err := RunTxWith(bg, db, quick, func(tx *sql.Tx) error {
			n++
			do(t, tx, "UPDATE acc SET note = ?", tc.name)
			return tc.err
		})
		if n != tc.n || !errors.Is(err, tc.err) {
			t.Errorf("%s: %v after %d attempts, want %d", tc.name, err, n, tc.n)
		}
		var r *RetryError
		if errors.As(err, &r) != (tc.n > 1) || r != nil && r.Attempts != tc.n {
			t.Errorf("%s: %#v", tc.name, err)
		}
	}
	want(t, db, "nil", "SELECT DISTINCT note FROM acc") // all others are rolled back

	ctx, cancel := context.WithCancel(bg)
	n := 0
	err := RunTxWith(ctx, db, RunOptions{MinWait: time.Hour, MaxWait: time.Hour}, func(*sql.Tx) error {
		n++
		cancel()
		return conflict
	})
	if n != 1 || !errors.Is(err, context.Canceled) || !errors.Is(err, conflict) {
		t.Errorf("a context that ends: %v after %d attempts", err, n)
	}

	func() {
		defer func() {
			if recover() != "out of fn" {
				t.Error("the panic is lost")
			}
		}()
		_ = RunTx(bg, db, nil, func(tx *sql.Tx) error {
			do(t, tx, "UPDATE acc SET note = 'panic'")
			panic("out of fn")
		})
	}()
	want(t, db, "nil", "SELECT DISTINCT note FROM acc")

	// fn doesn't look at its errors.
	n = 0
	err = RunTxWith(bg, db, quick, func(tx *sql.Tx) error {
		n++
		want(t, tx, "nil", "SELECT note FROM acc WHERE id = 1")
		if n == 1 {
			do(t, db, "UPDATE acc SET bal = bal + 1 WHERE id = 1")
		}
		_, _ = tx.Exec("UPDATE acc SET bal = 5 WHERE id = 1")
		return nil
	})
	if err != nil || n != 2 {
		t.Errorf("an error that fn drops: %v after %d attempts", err, n)
	}
	if err := RunTx(bg, db, &sql.TxOptions{ReadOnly: true}, func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE acc SET bal = 6 WHERE id = 1")
		return err
	}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("options: %v", err)
	}
	free(t, db)
}
