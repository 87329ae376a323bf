package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
)

func TestIsolationLevels(t *testing.T) {
	for _, shards := range []string{"1", "4"} {
		db := openDB(t, ":memory:?shards="+shards)
		for _, level := range []sql.IsolationLevel{sql.LevelDefault, sql.LevelReadUncommitted, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSnapshot, sql.LevelSerializable, sql.LevelLinearizable} {
			tx, err := db.BeginTx(bg, &sql.TxOptions{Isolation: level})
			if err != nil {
				t.Errorf("%v: %v", level, err)
				continue
			}
			_ = tx.Rollback()
		}
		_, err := db.BeginTx(bg, &sql.TxOptions{Isolation: sql.LevelWriteCommitted})
		if e := wantCode(t, err, CodeUnsupported, "Write Committed"); !strings.Contains(e.Message, "Write Committed") {
			t.Errorf("%v doesn't name it", e)
		}
	}
}

// looks says, for a transaction that reads one row, and another row after
// somebody else has changed both, how much of that it sees.
func looks(t *testing.T, db *sql.DB, c *sql.Conn, begin func() error, end func()) string {
	t.Helper()
	do(t, db, "UPDATE acc SET bal = 100")
	ids := idsOn(t, db, "acc", 2)
	if err := begin(); err != nil {
		t.Fatal(err)
	}
	defer end()
	want(t, c, "100", "SELECT bal FROM acc WHERE id = ?", ids[0])
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	_, err := db.ExecContext(ctx, "UPDATE acc SET bal = 7")
	if e := (*Error)(nil); errors.As(err, &e) && e.Code == CodeLockTimeout {
		return "locks"
	}
	if err != nil {
		t.Fatal(err)
	}
	got := mustRows(t, c, "SELECT bal FROM acc WHERE id = ?", ids[0])
	return strings.Join(append(got, mustRows(t, c, "SELECT bal FROM acc WHERE id = ?", ids[1])...), " ")
}

// TestWaysToALevel: each way to choose a level gives what it promises.
func TestWaysToALevel(t *testing.T) {
	const locked, each, perShard, whole = "locks", "7 7", "100 7", "100 100"
	tests := []struct {
		set, begin, want string
		then             string // of the transaction after that
	}{
		{"", "BEGIN", perShard, perShard},
		{"", "START TRANSACTION WITH CONSISTENT SNAPSHOT", whole, perShard},
		{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN", each, each},
		{"SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", "BEGIN", each, each},
		{"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "BEGIN", perShard, perShard},
		{"SET SESSION TRANSACTION ISOLATION LEVEL SNAPSHOT", "BEGIN", whole, whole},
		{"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", "BEGIN", locked, locked},
		{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN", each, perShard},
		{"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "START TRANSACTION", locked, perShard},
		{"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY", "START TRANSACTION", locked, perShard},
		{"SET @@session.transaction_isolation = 'READ-COMMITTED'", "BEGIN", each, each},
		{"SET transaction_isolation = 'SERIALIZABLE'", "BEGIN", locked, locked},
		{"SET autocommit = 0, transaction_isolation = 'SNAPSHOT'", "", whole, whole},
	}
	db := memDBWith(t, oldStatesAtOnce, "lock_wait_timeout=10ms")
	accounts(t, db, 8)
	for _, tc := range tests {
		t.Run(tc.set+"; "+tc.begin, func(t *testing.T) {
			c := pin(t, db)
			if tc.set != "" {
				do(t, c, tc.set)
			}
			begin := func() error {
				if tc.begin == "" {
					return nil
				}
				_, err := c.ExecContext(bg, tc.begin)
				return err
			}
			end := func() { do(t, c, "COMMIT") }
			if got := looks(t, db, c, begin, end); got != tc.want {
				t.Errorf("sees %s, want %s", got, tc.want)
			}
			if strings.Contains(tc.begin, "WITH") {
				tc.begin = "BEGIN"
			}
			if got := looks(t, db, c, begin, end); got != tc.then {
				t.Errorf("the next one sees %s, want %s", got, tc.then)
			}
			_ = c.Close()
		})
	}
	for option, sees := range map[string]string{"read-committed": each, "'READ-COMMITTED'": each, "repeatable-read": perShard, "snapshot": whole, "SERIALIZABLE": locked} {
		db := memDBWith(t, oldStatesAtOnce, "lock_wait_timeout=10ms&transaction_isolation="+option)
		accounts(t, db, 8)
		c := pin(t, db)
		if got := looks(t, db, c, func() error { _, err := c.ExecContext(bg, "BEGIN"); return err }, func() { do(t, c, "COMMIT") }); got != sees {
			t.Errorf("transaction_isolation=%s sees %s, want %s", option, got, sees)
		}
	}
}

func TestSetTransaction(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 4)
	c := pin(t, db)
	do(t, c, "BEGIN")
	if e := mustFail(t, c, CodeTxState, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"); e.Number != 1568 || e.SQLState != "25001" {
		t.Errorf("in a transaction: %v", e)
	}
	do(t, c, "SET SESSION TRANSACTION READ ONLY") // of later ones
	mustAffect(t, c, 1, "UPDATE acc SET bal = 1 WHERE id = 1")
	do(t, c, "COMMIT")
	want(t, c, "1|REPEATABLE-READ", "SELECT @@transaction_read_only, @@transaction_isolation")
	for _, query := range []string{"UPDATE acc SET bal = 1 WHERE id = 1", "UPDATE acc SET bal = 1", "CREATE TABLE x (id BIGINT PRIMARY KEY)", "DROP DATABASE main"} {
		mustFail(t, c, CodeTxReadOnly, query)
	}
	do(t, c, "BEGIN")
	mustFail(t, c, CodeTxReadOnly, "DELETE FROM acc")
	do(t, c, "COMMIT")
	do(t, c, "START TRANSACTION READ WRITE")
	mustAffect(t, c, 1, "UPDATE acc SET bal = 2 WHERE id = 1")
	do(t, c, "COMMIT")
	do(t, c, "SET SESSION TRANSACTION READ WRITE")
	do(t, c, "SET TRANSACTION READ ONLY")
	mustFail(t, c, CodeTxReadOnly, "UPDATE acc SET bal = 3 WHERE id = 1") // a transaction of its own
	mustAffect(t, c, 1, "UPDATE acc SET bal = 3 WHERE id = 1")
	do(t, c, "START TRANSACTION READ ONLY")
	do(t, c, "COMMIT AND CHAIN")
	mustFail(t, c, CodeTxReadOnly, "UPDATE acc SET bal = 4 WHERE id = 1")
	do(t, c, "ROLLBACK")
	mustFail(t, c, CodeUnsupported, "SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE")
	_ = c.Close()
	want(t, pin(t, db), "0|REPEATABLE-READ", "SELECT @@transaction_read_only, @@transaction_isolation")
}

// TestSnapshotWrites: the first to commit wins, as each shard sees to.
func TestSnapshotWrites(t *testing.T) {
	db := memDBWith(t, oldStates, "")
	accounts(t, db, 20)
	ids := idsOn(t, db, "acc", 3)
	tx, err := db.BeginTx(bg, &sql.TxOptions{Isolation: sql.LevelSnapshot})
	if err != nil {
		t.Fatal(err)
	}
	do(t, db, "UPDATE acc SET bal = 1 WHERE id = ?", ids[0])
	want(t, tx, "100", "SELECT bal FROM acc WHERE id = ?", ids[0])
	mustAffect(t, tx, 1, "UPDATE acc SET bal = 2 WHERE id = ?", ids[1])
	want(t, tx, "1902", "SELECT SUM(bal) FROM acc")
	_, err = tx.Exec("UPDATE acc SET bal = bal + 1 WHERE id = ?", ids[0])
	retryable(t, err)
	_ = tx.Rollback()
	want(t, db, "1901", "SELECT SUM(bal) FROM acc")
	do(t, db, "CREATE DATABASE other")
	tx, err = db.BeginTx(bg, &sql.TxOptions{Isolation: sql.LevelSnapshot})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	do(t, db, "CREATE DATABASE late")
	do(t, db, "CREATE TABLE late.t (id BIGINT PRIMARY KEY)")
	mustAffect(t, tx, 1, "UPDATE acc SET bal = 2 WHERE id = ?", ids[1])
	_, err = rowsOf(tx, "SELECT * FROM late.t")
	wantCode(t, err, CodeTxState, "a keyspace that came later")
}
