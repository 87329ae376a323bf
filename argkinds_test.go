package vitessdo

import (
	"database/sql"
	"testing"
)

// TestNumbersMeetText holds that an argument compares with text as the same
// literal does, whatever was bound before it.
func TestNumbersMeetText(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(20), KEY (s))")
		do(t, db, "CREATE TABLE k (s VARCHAR(20) PRIMARY KEY, n INT)")
		do(t, db, "INSERT INTO t VALUES (1, '10'), (2, '9'), (3, '9.0'), (4, '100'), (5, NULL)")
		do(t, db, "INSERT INTO k VALUES ('10', 1), ('9', 2), ('9.0', 3), ('100', 4)")
		for range 2 {
			for _, c := range []struct {
				arg  any
				rows string
			}{{9, "1 4"}, {"9", "3"}, {9.5, "1 4"}, {[]byte("9"), "3"}, {sql.NullInt64{Int64: 9, Valid: true}, "1 4"}, {sql.NullInt64{}, ""}, {uint8(9), "1 4"}, {true, "1 2 3 4"}} {
				want(t, db, c.rows, "SELECT id FROM t WHERE s > ? ORDER BY id", c.arg)
				want(t, db, c.rows, "SELECT id FROM t WHERE s > :v ORDER BY id", sql.Named("v", c.arg))
			}
		}
		want(t, db, "1 4", "SELECT id FROM t WHERE s > 9 ORDER BY id")
		for _, query := range []string{"SELECT id FROM t WHERE s = ? ORDER BY id", "SELECT id FROM t WHERE s IN (?) ORDER BY id",
			"SELECT n FROM k WHERE s = ? ORDER BY n", "SELECT n FROM k WHERE s IN (?, 'x') ORDER BY n"} {
			want(t, db, "2 3", query, 9)
			want(t, db, "2", query, "9")
		}
		want(t, db, "2 3", "SELECT id FROM t WHERE s BETWEEN ? AND ? ORDER BY id", 8, 9.5)
		if n, err := do(t, db, "UPDATE t SET s = ? WHERE s = ?", "7", 9).RowsAffected(); n != 2 || err != nil {
			t.Errorf("%s: %d rows changed, %v; want 2", dsn, n, err)
		}
		if n, err := do(t, db, "DELETE FROM k WHERE s = ?", 9).RowsAffected(); n != 2 || err != nil {
			t.Errorf("%s: %d rows deleted, %v; want 2", dsn, n, err)
		}
	}
}
