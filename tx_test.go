package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// accounts makes a table of n accounts with 100 each.
func accounts(tb testing.TB, db *sql.DB, n int) {
	tb.Helper()
	do(tb, db, "CREATE TABLE acc (id BIGINT PRIMARY KEY, bal BIGINT NOT NULL, note VARCHAR(40), CHECK (bal > -1000000))")
	for i := 1; i <= n; i++ {
		do(tb, db, "INSERT INTO acc (id, bal) VALUES (?, 100)", i)
	}
}

// free checks that another connection can write to every shard at once: no lock
// is left behind.
func free(tb testing.TB, db *sql.DB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(bg, 30*time.Second)
	defer cancel()
	if _, err := db.ExecContext(ctx, "UPDATE acc SET note = 'free'"); err != nil {
		tb.Errorf("a lock is left: %v", err)
	}
}

func TestTransactionBySQL(t *testing.T) {
	db := memDBWith(t, readersBesideWriters, "")
	accounts(t, db, 20)
	c := pin(t, db)
	for _, begin := range []string{"BEGIN", "START TRANSACTION", "START TRANSACTION WITH CONSISTENT SNAPSHOT", "BEGIN WORK"} {
		do(t, c, begin)
		do(t, c, "UPDATE acc SET bal = bal + 1")
		want(t, c, "2020", "SELECT SUM(bal) FROM acc")
		want(t, db, "2000", "SELECT SUM(bal) FROM acc")
		do(t, c, "ROLLBACK")
		want(t, c, "2000", "SELECT SUM(bal) FROM acc")
	}
	do(t, c, "BEGIN")
	do(t, c, "UPDATE acc SET bal = bal + 1")
	do(t, c, "COMMIT AND CHAIN")
	do(t, c, "UPDATE acc SET bal = bal + 1")
	do(t, c, "ROLLBACK")
	want(t, db, "2020", "SELECT SUM(bal) FROM acc")
	do(t, c, "BEGIN")
	do(t, c, "UPDATE acc SET bal = 0")
	do(t, c, "BEGIN") // commits the first
	do(t, c, "UPDATE acc SET bal = 5")
	do(t, c, "ROLLBACK")
	want(t, db, "0", "SELECT SUM(bal) FROM acc")
	do(t, c, "COMMIT") // nothing to do
	do(t, c, "ROLLBACK")
	free(t, db)
}

func TestAutocommitOff(t *testing.T) {
	db := memDBWith(t, readersBesideWriters, "")
	accounts(t, db, 10)
	c := pin(t, db)
	do(t, c, "SET autocommit = 0")
	do(t, c, "UPDATE acc SET bal = bal + 1")
	want(t, db, "1000", "SELECT SUM(bal) FROM acc")
	do(t, c, "ROLLBACK")
	want(t, c, "1000", "SELECT SUM(bal) FROM acc")
	do(t, c, "UPDATE acc SET bal = bal + 2")
	do(t, c, "COMMIT")
	want(t, db, "1020", "SELECT SUM(bal) FROM acc")
	do(t, c, "UPDATE acc SET bal = bal + 1")
	do(t, c, "SET autocommit = 1") // commits
	want(t, db, "1030", "SELECT SUM(bal) FROM acc")
	do(t, c, "UPDATE acc SET bal = bal + 1")
	want(t, db, "1040", "SELECT SUM(bal) FROM acc")
	free(t, db)
}

func TestReadYourWrites(t *testing.T) {
	db := memDBWith(t, readersBesideWriters, "")
	accounts(t, db, 20)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	do(t, tx, "UPDATE acc SET bal = 7 WHERE id IN (1, 2, 3)")
	do(t, tx, "INSERT INTO acc (id, bal) VALUES (50, 1), (51, 1)")
	do(t, tx, "DELETE FROM acc WHERE id = 20")
	for query, rows := range map[string]string{
		"SELECT COUNT(*), SUM(bal) FROM acc":                                                                      "21|1623",
		"SELECT bal, COUNT(*) FROM acc GROUP BY bal ORDER BY bal":                                                 "1|2 7|3 100|16",
		"SELECT id FROM acc WHERE bal < 50 ORDER BY id DESC":                                                      "51 50 3 2 1",
		"SELECT a.id, b.id FROM acc a JOIN acc b ON a.bal = b.bal AND a.id < b.id WHERE a.bal < 50 ORDER BY 1, 2": "1|2 1|3 2|3 50|51",
		"SELECT COUNT(DISTINCT bal) FROM acc":                                                                     "3",
		"SELECT MAX(id) FROM acc WHERE bal = (SELECT MIN(bal) FROM acc)":                                          "51",
	} {
		want(t, tx, rows, query)
	}
	want(t, db, "20|2000", "SELECT COUNT(*), SUM(bal) FROM acc")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, db, "21|1623", "SELECT COUNT(*), SUM(bal) FROM acc")
}

func TestSavepoints(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 20)
	id := idsOn(t, db, "acc", 3)
	bal := func(x querier, b string) {
		t.Helper()
		want(t, x, b, "SELECT bal FROM acc WHERE id IN (?, ?, ?) ORDER BY id", id[0], id[1], id[2])
	}
	set := func(x execer, i, v int) {
		t.Helper()
		mustAffect(t, x, 1, "UPDATE acc SET bal = ? WHERE id = ?", v, id[i])
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	do(t, tx, "SAVEPOINT zero") // before any shard is touched
	set(tx, 0, 1)
	do(t, tx, "SAVEPOINT a")
	set(tx, 0, 2)
	set(tx, 1, 2) // a shard that joins later
	do(t, tx, "SAVEPOINT b")
	set(tx, 2, 3)
	set(tx, 1, 3)
	bal(tx, "2 3 3")
	do(t, tx, "ROLLBACK TO b")
	bal(tx, "2 2 100")
	do(t, tx, "ROLLBACK TO SAVEPOINT a")
	bal(tx, "1 100 100")
	e := mustFail(t, tx, CodeTxState, "ROLLBACK TO b")
	if e.Number != 1305 || !strings.Contains(e.Message, "b") {
		t.Errorf("a missing savepoint: %v", e)
	}
	set(tx, 2, 9)
	do(t, tx, "SAVEPOINT A") // shadows the older one, whatever the case
	set(tx, 2, 10)
	do(t, tx, "ROLLBACK TO a")
	bal(tx, "1 100 9")
	do(t, tx, "RELEASE SAVEPOINT a")
	mustFail(t, tx, CodeTxState, "RELEASE SAVEPOINT nix")
	bal(tx, "1 100 9")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	bal(db, "1 100 9")
	c := pin(t, db)
	do(t, c, "BEGIN")
	do(t, c, "SAVEPOINT s")
	set(c, 0, 55)
	set(c, 1, 55)
	do(t, c, "ROLLBACK TO s")
	do(t, c, "COMMIT")
	bal(db, "1 100 9")
	do(t, c, "SAVEPOINT alone") // in autocommit: no error, no effect
	mustFail(t, c, CodeTxState, "ROLLBACK TO alone")
	free(t, db)
}

// TestStatementAtomicity: what fails has done nothing, and the transaction goes
// on.
func TestStatementAtomicity(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE p (id BIGINT PRIMARY KEY, v INT, CHECK (v < 1000))", "INSERT INTO p VALUES (5, 5), (17, 17)")
	failing := []struct {
		query string
		code  Code
	}{
		{"INSERT INTO p VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8)", CodeUnique},
		{"INSERT INTO p VALUES (101, 1), (102, 2), (103, 5000), (104, 4)", CodeCheck},
		{"UPDATE p SET v = v + 990", CodeCheck},
		{"INSERT INTO p SELECT id + 12, v FROM p", CodeUnique},
		{"INSERT INTO p (id, v) VALUES (201, 1), (202, 2), (203, 3), (17, 4)", CodeUnique},
	}
	for round := range 5 {
		for _, f := range failing {
			mustFail(t, db, f.code, f.query)
			want(t, db, "5|5 17|17", "SELECT * FROM p ORDER BY id")
		}
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		do(t, tx, "INSERT INTO p VALUES (30, 30), (31, 31), (32, 32), (33, 33)")
		for _, f := range failing {
			mustFail(t, tx, f.code, f.query)
			want(t, tx, "5 17 30 31 32 33", "SELECT id FROM p ORDER BY id")
		}
		do(t, tx, "UPDATE p SET v = 1 WHERE id = 31")
		if err := tx.Commit(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		want(t, db, "5|5 17|17 30|30 31|1 32|32 33|33", "SELECT * FROM p ORDER BY id")
		mustAffect(t, db, 4, "DELETE FROM p WHERE id >= 30")
	}
}

func TestConflictAndDeadlock(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 20)
	do(t, db, "CREATE TABLE u (id BIGINT PRIMARY KEY, v VARCHAR(9) UNIQUE)")
	id := idsOn(t, db, "acc", 2)
	// The snapshot is no longer the newest.
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	want(t, tx, "100", "SELECT bal FROM acc WHERE id = ?", id[0])
	do(t, tx, "UPDATE acc SET bal = 1 WHERE id = ?", id[1])
	do(t, db, "UPDATE acc SET bal = 50 WHERE id = ?", id[0])
	_, err = tx.Exec("UPDATE acc SET bal = bal + 1 WHERE id = ?", id[0])
	retryable(t, err)
	_, err = tx.Exec("UPDATE acc SET bal = 1 WHERE id = ?", id[1])
	if wantCode(t, err, CodeTxState, "a statement after a conflict").Retryable() {
		t.Error("the statement after a conflict is retryable by itself")
	}
	_, err = rowsOf(tx, "SELECT 1 FROM acc")
	wantCode(t, err, CodeTxState, "a query after a conflict")
	if err := tx.Commit(); err == nil {
		t.Error("commit after a conflict succeeds")
	}
	want(t, db, "50 100", "SELECT bal FROM acc WHERE id IN (?, ?) ORDER BY id = ? DESC", id[0], id[1], id[0])
	free(t, db)
	// Two transactions would wait for each other.
	a, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	b, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, a, "UPDATE acc SET bal = 1 WHERE id = ?", id[0])
	do(t, b, "UPDATE acc SET bal = 1 WHERE id = ?", id[1])
	circle(t, func() error {
		_, err := a.Exec("UPDATE acc SET bal = 1 WHERE id = ?", id[1])
		return err
	}, func() error {
		_, err := b.Exec("INSERT INTO u VALUES (?, 'x'), (?, 'y')", id[1], id[0]) // writes to its own shard, and to those of the unique key
		if strings.Contains(err.Error(), "undoing") {
			t.Errorf("%v: of a transaction that is over nothing is left to undo", err)
		}
		return err
	})
	if err := errors.Join(b.Rollback(), a.Commit()); err != nil {
		t.Error(err)
	}
	free(t, db)
}

// circle has two transactions wait for each other: the younger one dies, and the older
// one goes on.
func circle(t *testing.T, older, younger func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- older() }()
	retryable(t, soon(t, "the younger one", younger))
	if err := soon(t, "the older one", func() error { return <-done }); err != nil {
		t.Fatalf("the older one: %v", err)
	}
}

func retryable(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || !e.Retryable() || e.Number != 1213 || e.SQLState != "40001" {
		t.Fatalf("%v is no retryable error 1213", err)
	}
}

func TestLockWaitTimeout(t *testing.T) {
	db := memDB(t, "lock_wait_timeout=50ms")
	accounts(t, db, 20)
	id := idsOn(t, db, "acc", 2)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "UPDATE acc SET bal = 1 WHERE id = ?", id[0])
	_, err = db.Exec("UPDATE acc SET bal = 2 WHERE id = ?", id[0])
	if e := wantCode(t, err, CodeLockTimeout, "a held lock"); e.Number != 1205 || !e.Timeout() || !e.Retryable() {
		t.Errorf("lock timeout: %+v", e)
	}
	other, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, other, "UPDATE acc SET bal = 3 WHERE id = ?", id[1])
	if _, err := other.Exec("UPDATE acc SET bal = 4"); err == nil {
		t.Error("a write to all shards went past a lock")
	}
	if err := errors.Join(other.Rollback(), tx.Rollback()); err != nil {
		t.Error(err)
	}
	want(t, db, "2000", "SELECT SUM(bal) FROM acc")
	free(t, db)
}

func TestReadOnlyTransaction(t *testing.T) {
	db := memDBWith(t, oldStates, "")
	accounts(t, db, 10)
	tx, err := db.BeginTx(bg, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	want(t, tx, "1000", "SELECT SUM(bal) FROM acc")
	for _, query := range []string{"UPDATE acc SET bal = 1 WHERE id = 1", "UPDATE acc SET bal = 1", "INSERT INTO acc (id, bal) VALUES (77, 1)", "DELETE FROM acc", "REPLACE INTO acc (id, bal) VALUES (1, 1)"} {
		if e := mustFail(t, tx, CodeTxReadOnly, query); e.Number != 1792 || e.SQLState != "25006" {
			t.Errorf("%s: %v", query, e)
		}
	}
	mustFail(t, tx, CodeTxReadOnly, "CREATE TABLE x (id BIGINT PRIMARY KEY)")
	want(t, tx, "1000", "SELECT SUM(bal) FROM acc")
	do(t, db, "UPDATE acc SET bal = 0")
	want(t, tx, "1000", "SELECT SUM(bal) FROM acc") // its own snapshot
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	c := pin(t, db)
	do(t, c, "START TRANSACTION READ ONLY")
	mustFail(t, c, CodeTxReadOnly, "UPDATE acc SET bal = 1 WHERE id = 1")
	do(t, c, "COMMIT")
	want(t, db, "0", "SELECT SUM(bal) FROM acc")
}

// TestSerializable: of two transactions that each read what the other writes,
// on different shards, one sees the other's write, or fails and is begun anew.
func TestSerializable(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE duty (id BIGINT PRIMARY KEY, present INT)")
	ids := idsOn(t, db, "duty", 2)
	a, b := ids[0], ids[1]
	// leave lets one go off duty if the other stays.
	leave := func(me, other int) error {
		tx, err := db.BeginTx(bg, &sql.TxOptions{Isolation: sql.LevelSerializable})
		if err != nil {
			return err
		}
		defer tx.Rollback()
		var stays int
		if err := tx.QueryRow("SELECT present FROM duty WHERE id = ?", other).Scan(&stays); err != nil {
			return err
		}
		if stays == 1 {
			if _, err := tx.Exec("UPDATE duty SET present = 0 WHERE id = ?", me); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
	for round := range 50 {
		do(t, db, "REPLACE INTO duty VALUES (?, 1), (?, 1)", a, b)
		done := make(chan error, 2)
		for _, pair := range [][2]int{{a, b}, {b, a}} {
			go func() {
				err := leave(pair[0], pair[1])
				for e := (*Error)(nil); errors.As(err, &e) && e.Retryable(); {
					err = leave(pair[0], pair[1])
				}
				done <- err
			}()
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		want(t, db, "1", "SELECT SUM(present) FROM duty WHERE id IN ("+strconv.Itoa(a)+", "+strconv.Itoa(b)+")")
		if t.Failed() {
			t.Fatalf("round %d: both have left", round)
		}
	}
	tx, err := db.BeginTx(bg, &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	want(t, tx, "1", "SELECT SUM(present) FROM duty WHERE id IN ("+strconv.Itoa(a)+", "+strconv.Itoa(b)+")")
	mustFail(t, tx, CodeTxReadOnly, "UPDATE duty SET present = 1")
}

func TestTransactionContext(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 20)
	ctx, cancel := context.WithCancel(bg)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "UPDATE acc SET bal = 0")
	cancel()
	err = soon(t, "commit after cancel", tx.Commit)
	if err == nil {
		t.Error("a cancelled transaction commits")
	}
	want(t, db, "2000", "SELECT SUM(bal) FROM acc")
	free(t, db)
}

// TestTransfers moves money between shards from many goroutines, with readers
// beside them, in an order that is bound to cross.
func TestTransfers(t *testing.T) {
	for _, where := range []string{"memory", "file"} {
		t.Run(where, func(t *testing.T) {
			db := memDB(t, "")
			if where == "file" {
				db = dirDB(t, t.TempDir())
			}
			accounts(t, db, 40)
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			var wg sync.WaitGroup
			errs := make(chan error, 16)
			for w := range 6 {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(w)))
					for range 40 {
						if err := transfer(db, r, 40); err != nil {
							errs <- err
							return
						}
					}
				})
			}
			wg.Go(func() {
				for range 20 {
					if _, err := rowsOf(db, "SELECT COUNT(*), SUM(bal) FROM acc"); err != nil {
						errs <- err
						return
					}
				}
			})
			if err := soon(t, "transfers", func() error { wg.Wait(); return nil }); err != nil {
				t.Fatal(err)
			}
			close(errs)
			for err := range errs {
				t.Error(err)
			}
			want(t, db, "40|4000", "SELECT COUNT(*), SUM(bal) FROM acc")
			free(t, db)
		})
	}
}

// transfer moves a random amount between two random accounts, and begins anew
// as long as the error says that it may.
func transfer(db *sql.DB, r *rand.Rand, n int) error {
	from, to, amount := 1+r.IntN(n), 1+r.IntN(n), r.IntN(20)
	for {
		err := func() error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if r.IntN(3) == 0 {
				var b int64
				if err := tx.QueryRow("SELECT bal FROM acc WHERE id = ?", from).Scan(&b); err != nil {
					return err
				}
			}
			if _, err := tx.Exec("UPDATE acc SET bal = bal - ? WHERE id = ?", amount, from); err != nil {
				return err
			}
			if _, err := tx.Exec("UPDATE acc SET bal = bal + ? WHERE id = ?", amount, to); err != nil {
				return err
			}
			if r.IntN(5) == 0 {
				return nil // rolled back
			}
			return tx.Commit()
		}()
		var e *Error
		if errors.As(err, &e) && e.Retryable() {
			continue
		}
		return err
	}
}

func TestTransactionModes(t *testing.T) {
	db := memDB(t, "transaction_mode=single")
	accounts(t, db, 20)
	_, err := db.Exec("UPDATE acc SET bal = 1")
	if e := wantCode(t, err, CodeUnsupported, "single"); !strings.Contains(e.Message, "transaction_mode") {
		t.Errorf("%v doesn't name the option", e)
	}
	want(t, db, "2000", "SELECT SUM(bal) FROM acc")
	mustAffect(t, db, 1, "UPDATE acc SET bal = 1 WHERE id = 1")
	c := pin(t, db)
	do(t, c, "SET transaction_mode = 'multi'")
	mustAffect(t, c, 20, "UPDATE acc SET bal = 2")
	want(t, db, "40", "SELECT SUM(bal) FROM acc")
	free2 := memDB(t, "transaction_mode=multi")
	accounts(t, free2, 5)
	free(t, free2)
}
