package vitessdo

import "testing"

// ON DUPLICATE KEY UPDATE that a shard can't do: it moves the row, or asks for
// rows of other shards. One shard and four give the same.
func TestOnDuplicateKeyByGate(t *testing.T) {
	tests := []struct {
		write string
		n     int64
		rows  string // of t: id|a|b
	}{
		{"INSERT INTO t VALUES (1,9,9) ON DUPLICATE KEY UPDATE a = (SELECT SUM(a) FROM u)", 2, "1|300|1 2|2|2 3|3|3"},
		{"INSERT INTO t VALUES (1,9,9), (7,7,7) ON DUPLICATE KEY UPDATE id = id + 100, b = VALUES(b) + 1", 3, "2|2|2 3|3|3 7|7|7 101|1|10"},
		{"INSERT INTO t SELECT id, a, a FROM u ON DUPLICATE KEY UPDATE a = (SELECT MAX(a) FROM u WHERE u.id = t.id)", 4, "1|100|1 2|200|2 3|3|3"},
		{"INSERT INTO t VALUES (1,9,9) ON DUPLICATE KEY UPDATE a = (SELECT COUNT(*) FROM t AS x)", 2, "1|3|1 2|2|2 3|3|3"},
		{"INSERT INTO t VALUES (1,9,9) ON DUPLICATE KEY UPDATE id = 1", 0, "1|1|1 2|2|2 3|3|3"},
		{"INSERT INTO t VALUES (1,9,9) ON DUPLICATE KEY UPDATE id = id, a = VALUES(a)", 2, "1|9|1 2|2|2 3|3|3"},
		{"INSERT INTO v (k, x) VALUES (1, 9) ON DUPLICATE KEY UPDATE k = k + 10, x = x + VALUES(x)", 2, "2|2|2 3|3|3 11|10|1"},
	}
	for _, shards := range []string{"1", "4"} {
		for _, tt := range tests {
			db := openDB(t, ":memory:?shards="+shards)
			for _, s := range []string{"CREATE TABLE t (id BIGINT PRIMARY KEY, a INT, b INT)", "CREATE TABLE u (id BIGINT PRIMARY KEY, a INT)",
				"CREATE VIEW v AS SELECT id AS k, a AS x FROM t", "INSERT INTO t VALUES (1,1,1),(2,2,2),(3,3,3)", "INSERT INTO u VALUES (1,100),(2,200)"} {
				do(t, db, s)
			}
			mustAffect(t, db, tt.n, tt.write)
			want(t, db, tt.rows, "SELECT * FROM t ORDER BY id")
		}
	}
}

func TestOnDuplicateKeyMovesToTakenPlace(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT)", "INSERT INTO t VALUES (1,1),(2,2)")
	mustFail(t, db, CodeUnique, "INSERT INTO t VALUES (5,5), (1,9) ON DUPLICATE KEY UPDATE id = 2")
	want(t, db, "1|1 2|2", "SELECT * FROM t ORDER BY id")
}
