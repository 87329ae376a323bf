package vitessdo

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
)

// expired checks an error of a transaction whose time is over.
func expired(t *testing.T, err error, option string) {
	t.Helper()
	e := wantCode(t, err, CodeTxExpired, option)
	if e.Number != 1613 || !errors.Is(err, ErrTxExpired) || !strings.Contains(e.Message, option) {
		t.Errorf("%v doesn't name %s", err, option)
	}
}

// TestIdleTransaction: its shards come free without its client.
func TestIdleTransaction(t *testing.T) {
	for _, option := range []string{"max_transaction_idle", "max_transaction_time"} {
		db := memDB(t, option+"=300ms&lock_wait_timeout=20s")
		accounts(t, db, 8)
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		do(t, tx, "UPDATE acc SET bal = 0")
		rows, err := tx.Query("SELECT id FROM acc ORDER BY id")
		if err != nil || !rows.Next() {
			t.Fatal(err)
		}
		mustAffect(t, db, 8, "UPDATE acc SET bal = bal + 1") // waits for the end of tx
		for rows.Next() {
		}
		expired(t, rows.Err(), option)
		_ = rows.Close()
		_, err = tx.Exec("UPDATE acc SET bal = 5")
		expired(t, err, option)
		_, err = rowsOf(tx, "SELECT 1 FROM acc")
		expired(t, err, option)
		expired(t, tx.Commit(), option)
		want(t, db, "808", "SELECT SUM(bal) FROM acc")

		c := pin(t, db) // and the same by SQL
		do(t, c, "SET autocommit = 0")
		do(t, c, "UPDATE acc SET bal = 0")
		mustAffect(t, db, 8, "UPDATE acc SET bal = bal + 1")
		_, err = c.ExecContext(bg, "COMMIT")
		expired(t, err, option)
		mustAffect(t, c, 8, "UPDATE acc SET bal = bal + 1") // in the next one
		do(t, c, "COMMIT")
		want(t, db, "824", "SELECT SUM(bal) FROM acc")
	}
}

// TestTimeOverInAStatement: a statement that waits is no reason to live on.
func TestTimeOverInAStatement(t *testing.T) {
	db := memDB(t, "max_transaction_time=50ms&lock_wait_timeout=20s")
	accounts(t, db, 8)
	ids := idsOn(t, db, "acc", 2)
	holder, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, holder, "UPDATE acc SET bal = 1 WHERE id = ?", ids[0])
	do(t, tx, "UPDATE acc SET bal = 1 WHERE id = ?", ids[1])
	errs := make(chan error, 1)
	go func() {
		_, err := holder.Exec("SELECT SLEEP(20)")
		errs <- err
	}()
	err = soon(t, "a statement beyond the limit", func() error { return <-errs })
	expired(t, err, "max_transaction_time")
	_ = holder.Rollback()
	_ = tx.Rollback()
	free(t, db)
}

// TestTransactionBytes: what is more than can be kept to be replayed can't be
// committed over several shards, and nothing of it is there; one shard takes it.
func TestTransactionBytes(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=4&", "file:" + escapePath(t.TempDir()) + "?shards=4&"} {
		db := openHere(t, dsn+"max_transaction_bytes=64k")
		do(t, db, "CREATE TABLE doc (id BIGINT PRIMARY KEY, body LONGTEXT)")
		for id := range 20 {
			do(t, db, "INSERT INTO doc VALUES (?, 'a')", id)
		}
		ids := idsOn(t, db, "doc", 2)
		body := strings.Repeat("x", 40_000)
		write := func(where ...int) error {
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			for i, id := range where {
				do(t, tx, "UPDATE doc SET body = CONCAT(?, ?) WHERE id = ?", body, i, id)
			}
			return tx.Commit()
		}
		e := wantCode(t, write(ids[0], ids[0], ids[1]), CodeTooBig, "two shards")
		if e.Number != 1301 || !strings.Contains(e.Message, "65536") || !strings.Contains(e.Message, "max_transaction_bytes") || e.Retryable() {
			t.Errorf("%+v", e)
		}
		want(t, db, "20", "SELECT COUNT(*) FROM doc WHERE body = 'a'")
		do(t, db, "UPDATE doc SET body = 'b'") // no lock is left
		for _, where := range [][]int{{ids[0], ids[0], ids[0]}, {ids[0], ids[1]}} {
			if err := write(where...); err != nil {
				t.Errorf("%v: %v", where, err)
			}
		}
	}
	if _, err := ParseDSN("file:d?max_transaction_bytes=1k"); err == nil || !strings.Contains(err.Error(), "from 64k to 4g") {
		t.Errorf("1k: %v", err)
	}
}

func TestStatementLimit(t *testing.T) {
	db := memDB(t, "max_transaction_statements=3")
	accounts(t, db, 8)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		do(t, tx, "UPDATE acc SET bal = ?", i)
	}
	e := mustFail(t, tx, CodeLimit, "UPDATE acc SET bal = 9")
	if e.Number != 1104 || !strings.Contains(e.Message, "max_transaction_statements") {
		t.Errorf("%+v", e)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		want(t, db, "16", "SELECT SUM(bal) FROM acc") // in autocommit each is one
	}
	if err := RunTx(bg, db, nil, func(tx *sql.Tx) error {
		for range 4 {
			if _, err := tx.Exec("UPDATE acc SET bal = 9"); err != nil {
				return err
			}
		}
		return nil
	}); !errors.Is(err, ErrLimit) {
		t.Errorf("RunTx: %v", err)
	}
}
