package vitessdo

import "testing"

// ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id) tells the ID of the row that is
// there already.
func TestOnDuplicateKeyTellsID(t *testing.T) {
	for _, shards := range []string{"1", "4"} {
		db := openDB(t, ":memory:?shards="+shards)
		do(t, db, "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(50) UNIQUE, n INT)")
		do(t, db, "CREATE TABLE kid (id BIGINT PRIMARY KEY, t_id BIGINT, FOREIGN KEY (t_id) REFERENCES t (id) ON DELETE CASCADE)")
		do(t, db, "CREATE TABLE plain (k INT, id BIGINT AUTO_INCREMENT, n INT, PRIMARY KEY (k), KEY (id))")
		c := pin(t, db)
		insert := func(wantID, wantRows int64, query string, args ...any) {
			t.Helper()
			res := do(t, c, query, args...)
			if id, err := res.LastInsertId(); id != wantID || err != nil {
				t.Errorf("%s shards: %s: LastInsertId %d, %v; want %d", shards, query, id, err, wantID)
			}
			if n, err := res.RowsAffected(); n != wantRows || err != nil {
				t.Errorf("%s shards: %s: %d rows, %v; want %d", shards, query, n, err, wantRows)
			}
		}
		const upsert = "INSERT INTO t (email, n) VALUES (?, ?) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id), n = VALUES(n)"
		insert(1, 1, upsert, "a", 1)
		insert(2, 1, upsert, "b", 1)
		do(t, c, "INSERT INTO kid VALUES (1, 1)")
		insert(1, 2, upsert, "a", 5)
		want(t, c, "1", "SELECT LAST_INSERT_ID()")
		insert(2, 0, upsert, "b", 1)
		want(t, c, "2", "SELECT LAST_INSERT_ID()")
		// Of several, a row that is added tells, else the last that was there.
		insert(2, 0, "INSERT INTO t (email) VALUES ('a'), ('b') ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)")
		res := do(t, c, "INSERT INTO t (email, n) VALUES ('a', 1), ('c', 1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id), n = n + 1")
		id, err := res.LastInsertId()
		if err != nil {
			t.Error(err)
		}
		want(t, c, "c", "SELECT email FROM t WHERE id = ?", id)
		insert(7, 2, "INSERT INTO t (id, email, n) VALUES (1, 'a', 1) ON DUPLICATE KEY UPDATE n = LAST_INSERT_ID(n + 1)")
		want(t, c, "1|a|7 2|b|1", "SELECT * FROM t WHERE id < 3 ORDER BY id")
		want(t, c, "1|1", "SELECT * FROM kid")
		// The column needn't be a key of the conflict.
		insert(1, 1, "INSERT INTO plain (k, n) VALUES (9, 1)")
		insert(1, 2, "INSERT INTO plain (k, n) VALUES (9, 1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id), n = n + 1")
		want(t, c, "9|1|2", "SELECT * FROM plain")
		mustFail(t, c, CodeUnsupported, "INSERT INTO plain (k) VALUES (9) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id), n = LAST_INSERT_ID(n)")
	}
}
