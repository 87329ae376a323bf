package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"
)

// endless runs for hours, at the gate or, as a part of something else, on a shard.
const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000000000) SELECT COUNT(*) FROM c"

// after gives a context that ends soon, by cancel or by deadline, and what its
// error is then.
func after(deadline bool) (context.Context, context.CancelFunc, error) {
	if deadline {
		ctx, cancel := context.WithTimeout(bg, 60*time.Millisecond)
		return ctx, cancel, context.DeadlineExceeded
	}
	ctx, cancel := context.WithCancel(bg)
	time.AfterFunc(60*time.Millisecond, cancel)
	return ctx, cancel, context.Canceled
}

func wide(tb testing.TB, db *sql.DB) {
	tb.Helper()
	do(tb, db, "CREATE TABLE wide (id BIGINT PRIMARY KEY, v INT, pad VARCHAR(100))")
	tx, err := db.Begin()
	if err != nil {
		tb.Fatal(err)
	}
	st, err := tx.Prepare("INSERT INTO wide VALUES (?, ?, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')")
	if err != nil {
		tb.Fatal(err)
	}
	for i := range 4000 {
		if _, err := st.Exec(i, i%97); err != nil {
			tb.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
}

// TestCancelStatements interrupts what would run for a long time: it ends at
// once with the context's error, the connection works on, and no lock stays.
func TestCancelStatements(t *testing.T) {
	db := memDBWith(t, interrupts, "")
	accounts(t, db, 20)
	wide(t, db)
	before, err := rowsOf(db, "SELECT COUNT(*), SUM(v) FROM wide")
	if err != nil {
		t.Fatal(err)
	}
	slow := "SELECT COUNT(*) FROM wide a, wide b, wide c WHERE a.v + b.v + c.v = -1"
	for name, query := range map[string]string{
		"gate":         endless,
		"one shard":    "SELECT id, (" + endless + ") FROM wide WHERE id = 1",
		"join at gate": slow,
		"scatter":      "SELECT id, (" + endless + ") FROM wide",
		"scatter sort": "SELECT id, (" + endless + ") AS x FROM wide ORDER BY x",
		"aggregate":    "SELECT SUM(v + (" + endless + ")) FROM wide",
		"write":        "UPDATE wide SET v = (" + endless + ")",
		"write one":    "UPDATE wide SET v = (" + endless + ") WHERE id = 1",
		"insert":       "INSERT INTO wide (id, v) SELECT id + 100000, (" + endless + ") FROM wide",
		"delete":       "DELETE FROM wide WHERE v = -1 - (" + endless + ")",
	} {
		for _, deadline := range []bool{false, true} {
			c, err := db.Conn(bg)
			if err != nil {
				t.Fatal(err)
			}
			for _, how := range []string{"autocommit", "tx"} {
				if how == "tx" {
					do(t, c, "BEGIN")
					do(t, c, "UPDATE acc SET note = ? WHERE id <= 10", name)
				}
				ctx, cancel, cause := after(deadline)
				began := time.Now()
				err = soon(t, name, func() error { return consume(ctx, c, query) })
				cancel()
				if !errors.Is(err, cause) {
					t.Errorf("%s, %s: %v, want %v", name, how, err, cause)
				}
				if d := time.Since(began); d > 10*time.Second {
					t.Errorf("%s, %s: took %v to end", name, how, d)
				}
				if how == "tx" {
					do(t, c, "ROLLBACK")
				}
				if err := c.PingContext(bg); err != nil {
					t.Errorf("%s, %s: ping: %v", name, how, err)
				}
				want(t, c, "20", "SELECT COUNT(*) FROM acc")
				free(t, db)
			}
			c.Close()
		}
	}
	want(t, db, before[0], "SELECT COUNT(*), SUM(v) FROM wide")
}

func consume(ctx context.Context, c *sql.Conn, query string) error {
	if query[0] != 'S' && query[0] != 'W' {
		_, err := c.ExecContext(ctx, query)
		return err
	}
	rows, err := c.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

// TestCancelBetweenRows ends the context while rows are read.
func TestCancelBetweenRows(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 20)
	wide(t, db)
	for _, query := range []string{"SELECT id, pad FROM wide", "SELECT id, pad FROM wide ORDER BY pad, id", "SELECT a.id FROM wide a, acc b"} {
		ctx, cancel := context.WithCancel(bg)
		rows, err := db.QueryContext(ctx, query)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if !rows.Next() {
				t.Fatalf("%s: %v", query, rows.Err())
			}
		}
		cancel()
		err = soon(t, query, func() error {
			for rows.Next() {
			}
			return rows.Err()
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", query, err)
		}
		rows.Close()
		want(t, db, "4000", "SELECT COUNT(*) FROM wide")
		free(t, db)
	}
}

func TestCancelLockWait(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 20)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "UPDATE acc SET bal = 1")
	for _, query := range []string{"UPDATE acc SET bal = 2 WHERE id = 1", "UPDATE acc SET bal = 2", "INSERT INTO acc (id, bal) VALUES (90, 1), (91, 1), (92, 1), (93, 1)", "ALTER TABLE acc ADD COLUMN x INT"} {
		for _, deadline := range []bool{false, true} {
			ctx, cancel, cause := after(deadline)
			err := soon(t, query, func() error { _, err := db.ExecContext(ctx, query); return err })
			cancel()
			if !errors.Is(err, cause) {
				t.Errorf("%s: %v, want %v", query, err, cause)
			}
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	free(t, db)
	want(t, db, "20|2000", "SELECT COUNT(*), SUM(bal) FROM acc")
}

// TestCancelBeforehand: nothing is done with a context that has ended.
func TestCancelBeforehand(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 20)
	ctx, cancel := context.WithCancel(bg)
	cancel()
	c := pin(t, db)
	err := c.Raw(func(any) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"UPDATE acc SET bal = 0", "UPDATE acc SET bal = 0 WHERE id = 1", "SELECT * FROM acc", "CREATE TABLE x (id BIGINT PRIMARY KEY)", "BEGIN"} {
		if _, err := c.ExecContext(ctx, query); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", query, err)
		}
	}
	want(t, db, "2000", "SELECT SUM(bal) FROM acc")
	want(t, db, "acc", "SHOW TABLES")
}

// TestCancelCommit ends the context at random moments around a commit by SQL: it
// is whole or not at all, and the error says which.
func TestCancelCommit(t *testing.T) {
	db := dirDB(t, t.TempDir())
	accounts(t, db, 20)
	c := pin(t, db)
	for i := 1; i <= 60; i++ {
		do(t, c, "BEGIN")
		do(t, c, "UPDATE acc SET bal = ?", i)
		ctx, cancel := context.WithCancel(bg)
		time.AfterFunc(time.Duration(i*10)*time.Microsecond, cancel)
		_, err := c.ExecContext(ctx, "COMMIT")
		cancel()
		got, qerr := rowsOf(db, "SELECT MIN(bal), MAX(bal) FROM acc")
		if qerr != nil {
			t.Fatal(qerr)
		}
		n := textOf(int64(i))
		if done := got[0] == n+"|"+n; done != (err == nil) {
			t.Fatalf("round %d: commit says %v, rows are %v", i, err, got)
		}
		if err != nil {
			do(t, c, "ROLLBACK")
		}
		free(t, db)
	}
}

// TestTransactionTimeout: a transaction's own context ends while a statement
// waits or runs.
func TestTransactionTimeout(t *testing.T) {
	db := memHere(t, "")
	accounts(t, db, 20)
	life := 30 * time.Millisecond
	for n := 0; n < 10; {
		ctx, cancel := context.WithTimeout(bg, life)
		tx, err := db.BeginTx(ctx, nil)
		if err == nil {
			_, err = tx.ExecContext(ctx, "UPDATE acc SET bal = 0 WHERE id < 10")
		}
		if errors.Is(err, context.DeadlineExceeded) && life < time.Minute { // it has not come so far
			cancel()
			life *= 2
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
		err = soon(t, "a transaction's deadline", func() error {
			rows, err := tx.QueryContext(ctx, endless)
			if err == nil {
				for rows.Next() {
				}
				err = rows.Err()
				rows.Close()
			}
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("deadline in a transaction: %v", err)
		}
		if err := tx.Commit(); err == nil {
			t.Error("it commits after its deadline")
		}
		cancel()
		free(t, db)
		want(t, db, "2000", "SELECT SUM(bal) FROM acc")
	}
}

func TestStatementTimeout(t *testing.T) {
	db := memDBWith(t, interrupts, "timeout=400ms")
	accounts(t, db, 5)
	err := soon(t, "timeout", func() error { _, err := rowsOf(db, endless); return err })
	var e *Error
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || !e.Timeout() {
		t.Errorf("timeout=400ms: %v", err)
	}
	err = soon(t, "timeout", func() error { _, err := db.Exec("UPDATE acc SET bal = (" + endless + ")"); return err })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("timeout=400ms of a write: %v", err)
	}
	want(t, db, "500", "SELECT SUM(bal) FROM acc")
	free(t, db)
}
