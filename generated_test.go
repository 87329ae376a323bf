package vitessdo

import "testing"

// DEFAULT is the one value that may be given for a generated column. Without column
// names an INSERT may have it for them, as in MySQL, or leave them out.
func TestDefaultOfGenerated(t *testing.T) {
	for _, shards := range []string{"1", "4"} {
		t.Run(shards, func(t *testing.T) {
			db := withScript(t, openDB(t, ":memory:?shards="+shards), []string{
				"CREATE TABLE t (id BIGINT PRIMARY KEY, g INT AS (b * 2) STORED, b INT, h INT AS (b + 1))"})
			do(t, db, "INSERT INTO t VALUES (1, DEFAULT, 5, DEFAULT), (2, DEFAULT, ?, DEFAULT)", 6)
			do(t, db, "INSERT INTO t VALUES (3, 7)")
			do(t, db, "INSERT INTO t (h, id, g, b) VALUES (DEFAULT, 4, DEFAULT, 8)")
			do(t, db, "REPLACE INTO t VALUES (4, DEFAULT, 9, DEFAULT)")
			do(t, db, "UPDATE t SET b = b + 1 WHERE id = 1")
			do(t, db, "INSERT INTO t VALUES (2, DEFAULT, 1, DEFAULT) ON DUPLICATE KEY UPDATE b = 10")
			want(t, db, "1|12|6|7 2|20|10|11 3|14|7|8 4|18|9|10", "SELECT * FROM t ORDER BY id")
			mustFail(t, db, CodePlan, "INSERT INTO t VALUES (5, DEFAULT, 5, 6)")
			mustFail(t, db, CodePlan, "INSERT INTO t (id, g) VALUES (5, 1)")
			mustFail(t, db, CodePlan, "INSERT INTO t (id, g) VALUES (5, DEFAULT), (6, NULL)")
			mustFail(t, db, CodePlan, "UPDATE t SET g = 1")
			mustFail(t, db, CodeColumnCount, "INSERT INTO t VALUES (5, DEFAULT, 5)")
		})
	}
}
