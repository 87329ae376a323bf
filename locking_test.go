package vitessdo

import (
	"errors"
	"testing"
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
