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

// What ON DUPLICATE KEY UPDATE names may be the SELECT's own columns, or those of
// VALUES … AS new.
func TestOnDuplicateKeyNamesNewRow(t *testing.T) {
	tests := []struct {
		write string
		args  []any
		n     int64
		rows  string // of t: id|a|b
	}{
		{"INSERT INTO t (id, a) SELECT id, 0 FROM u ON DUPLICATE KEY UPDATE a = u.a + 1", nil, 4, "1|101|1 2|201|2 3|3|3"},
		{"INSERT INTO t (id, a) SELECT q.id, 0 FROM u AS q WHERE q.id < ? ON DUPLICATE KEY UPDATE a = t.a + q.a * ?, b = VALUES(a) + c", []any{2, 10}, 2, "1|1001|7 2|2|2 3|3|3"},
		{"INSERT INTO t SELECT id + 2, a, a FROM u ON DUPLICATE KEY UPDATE t.a = t.id + u.id + u.id", nil, 3, "1|1|1 2|2|2 3|5|3 4|200|200"},
		{"INSERT INTO t (id, a) SELECT x.id, 0 FROM u x JOIN u y ON x.c = y.c ORDER BY x.id DESC LIMIT 1 ON DUPLICATE KEY UPDATE a = y.a, b = x.c", nil, 2, "1|1|1 2|200|8 3|3|3"},
		{"INSERT INTO t (id, a) SELECT * FROM (SELECT c - 6 AS id, SUM(a) AS total FROM u GROUP BY c) AS g ON DUPLICATE KEY UPDATE b = g.total + total", nil, 4, "1|1|200 2|2|400 3|3|3"},
		{"INSERT INTO t (id, a) VALUES (1, 5), (9, 6) AS new ON DUPLICATE KEY UPDATE a = new.a + t.a", nil, 3, "1|6|1 2|2|2 3|3|3 9|6|∅"},
		{"INSERT INTO t (id, a) VALUES (?, ?) AS new(m, n) ON DUPLICATE KEY UPDATE a = m + n * ?", []any{1, 5, 100}, 2, "1|501|1 2|2|2 3|3|3"},
	}
	for _, shards := range []string{"1", "4"} {
		for _, tt := range tests {
			db := openDB(t, ":memory:?shards="+shards)
			for _, s := range []string{"CREATE TABLE t (id BIGINT PRIMARY KEY, a INT, b INT)", "CREATE TABLE u (id BIGINT PRIMARY KEY, a INT, c INT)",
				"INSERT INTO t VALUES (1,1,1),(2,2,2),(3,3,3)", "INSERT INTO u VALUES (1,100,7),(2,200,8)"} {
				do(t, db, s)
			}
			mustAffect(t, db, tt.n, tt.write, tt.args...)
			want(t, db, tt.rows, "SELECT * FROM t ORDER BY id")
			do(t, db, "CREATE TABLE n (id BIGINT PRIMARY KEY, s VARCHAR(9) COLLATE utf8mb4_general_ci)")
			mustFail(t, db, CodeUnsupported, "INSERT INTO t (id, a) SELECT id, 0 FROM n ON DUPLICATE KEY UPDATE a = n.s = 'X'")
			mustFail(t, db, CodeUnsupported, "INSERT INTO t (id, a) SELECT MAX(id), 0 FROM u ON DUPLICATE KEY UPDATE a = u.a")
			mustFail(t, db, CodeUnsupported, "INSERT INTO t (id, a) SELECT id, 0 FROM u UNION SELECT 1, 1 ON DUPLICATE KEY UPDATE a = u.a")
			mustFail(t, db, CodeNoColumn, "INSERT INTO t (id, a) SELECT id, 0 FROM u ON DUPLICATE KEY UPDATE a = w.a")
			mustFail(t, db, CodeColumnCount, "INSERT INTO t (id, a) SELECT id FROM u ON DUPLICATE KEY UPDATE a = u.a")
		}
	}
}

// VALUES(c) compares as its column does.
func TestOnDuplicateKeyComparesInsertedValues(t *testing.T) {
	for _, key := range []string{"PRIMARY KEY (id)", "PRIMARY KEY (id), UNIQUE KEY (k)"} {
		for _, set := range []string{"IF(VALUES(v) = 'X', 10, 20)", "(VALUES(v) IN ('X')) * 10", "IF(v <> VALUES(v), 10, 20)"} {
			db := memDB(t, "", "CREATE TABLE t (id BIGINT, k INT, v VARCHAR(9) COLLATE utf8mb4_general_ci, w INT, "+key+")",
				"INSERT INTO t VALUES (1, 5, 'q', 0)")
			do(t, db, "INSERT INTO t VALUES (1, 5, 'x', 0) ON DUPLICATE KEY UPDATE w = "+set+", v = VALUES(v)")
			want(t, db, "x|10", "SELECT v, w FROM t")
		}
	}
}

// The row with the number 0 is inserted once, and met after that.
func TestOnDuplicateKeyOfRowZero(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)")
	mustAffect(t, db, 1, "INSERT INTO t VALUES (0, 1) ON DUPLICATE KEY UPDATE v = 2")
	mustAffect(t, db, 2, "INSERT INTO t VALUES (0, 1) ON DUPLICATE KEY UPDATE v = 2")
	mustAffect(t, db, 0, "INSERT INTO t VALUES (0, 1) ON DUPLICATE KEY UPDATE v = 2")
	mustAffect(t, db, 4, "INSERT INTO t VALUES (0, 3), (5, 3), (-1, 3) ON DUPLICATE KEY UPDATE v = 3")
	mustAffect(t, db, 0, "INSERT IGNORE INTO t VALUES (0, 3)")
}
