package vitessdo

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/vitessdo/vitessdo/twopc"
)

// TestLockingReads: what a transaction has read to lock, nobody else changes
// before it ends, wherever in the query the lock is asked for.
func TestLockingReads(t *testing.T) {
	for _, query := range []string{
		"SELECT v FROM t WHERE id = 1 FOR UPDATE",
		"SELECT v FROM t WHERE id = 1 FOR SHARE",
		"SELECT v FROM t WHERE id = 1 LOCK IN SHARE MODE",
		"SELECT MAX(v) FROM t FOR SHARE",
		"(SELECT v FROM t WHERE id = 1 FOR UPDATE) UNION ALL (SELECT v FROM t WHERE id = 2 AND v > 100)",
		"SELECT v FROM (SELECT v FROM t WHERE id = 1 FOR UPDATE) AS d",
		"WITH c AS (SELECT v FROM t WHERE id = 1 FOR SHARE) SELECT v FROM c",
	} {
		t.Run(query, func(t *testing.T) {
			db := memDB(t, "lock_wait_timeout=20ms", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 10), (2, 2)")
			tx, err := db.BeginTx(bg, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			want(t, tx, "10", query)
			_, err = db.ExecContext(bg, "UPDATE t SET v = 11 WHERE id = 1")
			if e := (*Error)(nil); !errors.As(err, &e) || e.Number != 1205 {
				t.Errorf("an update beside the lock gives %v, not error 1205", err)
			}
			want(t, tx, "10", query)
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			mustAffect(t, db, 1, "UPDATE t SET v = 12 WHERE id = 1")
		})
	}
}

// TestReadLocksUntilShown: what a transaction has read to lock stays so until its own
// writes show. Whoever writes there comes after it, and would be seen before it.
func TestReadLocksUntilShown(t *testing.T) {
	for name, options := range map[string]*sql.TxOptions{"FOR SHARE": nil, "SERIALIZABLE": {Isolation: sql.LevelSerializable}} {
		t.Run(name, func(t *testing.T) {
			db := memDB(t, "lock_wait_timeout=20ms")
			accounts(t, db, 20)
			ids := idsOn(t, db, "acc", 3)
			tx, err := db.BeginTx(bg, options)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			query := "SELECT bal FROM acc WHERE id = ?"
			if options == nil {
				query += " FOR SHARE"
			}
			want(t, tx, "100", query, ids[0])
			for _, id := range ids[1:] {
				do(t, tx, "UPDATE acc SET bal = bal + 1 WHERE id = ?", id)
			}
			until := twopc.Committed
			if *tabletsFlag != "" {
				until = twopc.Decided // the rest is done while the client goes on
			}
			asked := 0
			twopc.OnPoint(func(p twopc.Point, _ int) {
				if p > until {
					return
				}
				asked++
				_, err := db.ExecContext(bg, "UPDATE acc SET bal = 0 WHERE id = ?", ids[0])
				wantCode(t, err, CodeLockTimeout, p.String())
			})
			defer twopc.OnPoint(nil)
			if err := tx.Commit(); err != nil || asked == 0 {
				t.Fatalf("the commit: %v; asked %d times", err, asked)
			}
			mustAffect(t, db, 1, "UPDATE acc SET bal = 0 WHERE id = ?", ids[0])
		})
	}
}

// TestNoWaitAndSkipLocked: a shard has one lock, so that is what isn't waited for.
func TestNoWaitAndSkipLocked(t *testing.T) {
	for _, options := range []string{"", "transaction_isolation=READ-COMMITTED"} {
		db := memDB(t, options)
		accounts(t, db, 12)
		ids := idsOn(t, db, "acc", 2)
		holder, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		do(t, holder, "UPDATE acc SET bal = 1 WHERE id = ?", ids[0])
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		do(t, tx, "UPDATE acc SET note = 'mine' WHERE id = ?", ids[1])
		for _, query := range []string{"SELECT bal FROM acc WHERE id = ? FOR UPDATE NOWAIT", "SELECT SUM(bal) FROM acc WHERE id >= ? - 100 FOR SHARE NOWAIT"} {
			_, err = rowsOf(tx, query, ids[0])
			if e := wantCode(t, err, CodeLockNoWait, query); e.Number != 3572 || e.SQLState != "HY000" || e.Retryable() {
				t.Errorf("%+v", e)
			}
		}
		want(t, tx, "100", "SELECT bal FROM acc WHERE id = ? FOR UPDATE NOWAIT", ids[1])
		want(t, tx, "", "SELECT bal FROM acc WHERE id = ? FOR UPDATE SKIP LOCKED", ids[0])
		left := len(mustRows(t, tx, "SELECT id FROM acc FOR UPDATE SKIP LOCKED"))
		if left == 0 || left == 12 {
			t.Errorf("SKIP LOCKED gives %d of 12 rows", left)
		}
		for _, query := range []string{
			"SELECT a.id FROM acc a JOIN acc b ON a.bal = b.id FOR UPDATE SKIP LOCKED",
			"SELECT a.id FROM acc a LEFT JOIN acc b ON a.bal < b.id FOR UPDATE SKIP LOCKED",
			"SELECT COUNT(*) FROM acc FOR UPDATE SKIP LOCKED",
			"SELECT ROW_NUMBER() OVER () FROM acc FOR UPDATE SKIP LOCKED",
			"SELECT id FROM acc WHERE id IN (SELECT bal FROM acc) FOR UPDATE SKIP LOCKED",
			"(SELECT id FROM acc FOR UPDATE SKIP LOCKED) UNION ALL SELECT 1",
		} {
			_, err = rowsOf(tx, query)
			wantCode(t, err, CodeUnsupported, query)
		}
		if err := holder.Rollback(); err != nil {
			t.Fatal(err)
		}
		want(t, tx, "100", "SELECT bal FROM acc WHERE id = ? FOR UPDATE NOWAIT", ids[0])
		want(t, tx, "1 2 3 4 5 6 7 8 9 10 11 12", "SELECT id FROM acc ORDER BY id FOR UPDATE SKIP LOCKED")
		want(t, tx, "12 11", "SELECT id FROM acc ORDER BY id DESC LIMIT 2 FOR UPDATE SKIP LOCKED")
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		want(t, db, "mine", "SELECT note FROM acc WHERE id = ?", ids[1])
		free(t, db)
	}
}

func TestSetLockWait(t *testing.T) {
	db := memDB(t, "lock_wait_timeout=20s")
	accounts(t, db, 12)
	holder, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	do(t, holder, "UPDATE acc SET bal = 1")
	c := pin(t, db)
	want(t, c, "20|20", "SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout")
	for _, bad := range []string{"0", "-1", "'x'", "1.5"} {
		mustFail(t, c, CodePlan, "SET innodb_lock_wait_timeout = "+bad)
	}
	do(t, c, "SET innodb_lock_wait_timeout = 1")
	want(t, c, "1|1|20", "SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout, @@global.lock_wait_timeout")
	errs := make(chan error, 3)
	for _, query := range []string{"UPDATE acc SET bal = 2 WHERE id = 1", "UPDATE acc SET bal = 2", "DELETE FROM acc WHERE id = 2 RETURNING id"} {
		c := pin(t, db)
		do(t, c, "SET SESSION lock_wait_timeout = 1")
		go func() {
			_, err := c.ExecContext(bg, query)
			errs <- err
		}()
	}
	for range cap(errs) {
		wantCode(t, soon(t, "a wait of a second", func() error { return <-errs }), CodeLockTimeout, "a held lock")
	}
	do(t, c, "SET lock_wait_timeout = DEFAULT")
	want(t, c, "20|20", "SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout")
}
