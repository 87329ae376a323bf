package vitessdo

import "testing"

// INSERT IGNORE puts the type's empty value where there can be no NULL, and passes
// over rows that violate a CHECK, whether the shard keeps the table's keys or the gate.
func TestInsertIgnore(t *testing.T) {
	tests := []struct {
		write string
		n     int64
		rows  string
	}{
		{"INSERT IGNORE INTO t VALUES (1, NULL, NULL, NULL, NULL, NULL)", 1, "1|0||x|0.00|∅"},
		{"INSERT IGNORE INTO t (id) VALUES (1), (1)", 1, "1|0||x|0.00|∅"},
		{"INSERT IGNORE INTO t (id, n) VALUES (1, 1), (2, 200), (3, 3)", 2, "1|1||x|0.00|∅ 3|3||x|0.00|∅"},
		{"INSERT IGNORE INTO t SELECT id, id * 60, s, NULL, 1.239, id FROM u", 1, "1|60|abcde|x|1.24|1"},
		{"INSERT IGNORE INTO t (s) VALUES ('nokey')", 1, "0|0|nokey|x|0.00|∅"},
	}
	for _, shards := range []string{"1", "4"} {
		for _, key := range []string{"", ", UNIQUE (v)"} {
			for _, tt := range tests {
				db := openDB(t, ":memory:?shards="+shards)
				do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL CHECK (n < 100), s VARCHAR(5) NOT NULL, e ENUM('x','y') NOT NULL, p DECIMAL(5,2) NOT NULL, v INT"+key+")")
				do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, s VARCHAR(9))")
				do(t, db, "INSERT INTO u VALUES (1, 'abcdefg'), (2, NULL)")
				mustAffect(t, db, tt.n, tt.write)
				want(t, db, tt.rows, "SELECT * FROM t ORDER BY id")
			}
		}
	}
}

func TestInsertIgnoreKeepsErrors(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL)")
	mustFail(t, db, CodeNotNull, "INSERT IGNORE INTO t VALUES (1, NULL)")
	mustFail(t, db, CodeNotNull, "INSERT IGNORE INTO t (id) VALUES (1)")
}

// TestUpdateIgnore: rows stay as they are whose change violates a constraint, whoever
// keeps it, and whatever the others do.
func TestUpdateIgnore(t *testing.T) {
	tests := []struct {
		write string
		n     int64
		rows  string
	}{
		{"UPDATE IGNORE t SET n = n * 40", 2, "1|40|5 2|80|6 3|3|7"},
		{"UPDATE IGNORE t SET n = NULLIF(n, 2), v = 9 WHERE id > 1", 1, "1|1|5 2|2|6 3|3|9"},
		{"UPDATE IGNORE t SET id = 2 WHERE n <> 2", 0, "1|1|5 2|2|6 3|3|7"},
		{"UPDATE IGNORE t SET id = id + 1", 1, "1|1|5 2|2|6 4|3|7"},
		{"UPDATE IGNORE t SET id = id + 1 ORDER BY id DESC", 3, "2|1|5 3|2|6 4|3|7"},
		{"UPDATE IGNORE t SET n = 200 - id, v = 1 LIMIT 2", 0, "1|1|5 2|2|6 3|3|7"},
		{"UPDATE IGNORE t JOIN u ON u.id = t.id SET t.n = u.n", 1, "1|50|5 2|2|6 3|3|7"},
	}
	for _, shards := range []string{"1", "4"} {
		for _, key := range []string{"", ", UNIQUE (v)"} {
			for _, tt := range tests {
				db := openDB(t, ":memory:?shards="+shards)
				do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL CHECK (n < 100), v INT"+key+")")
				do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, n INT)")
				do(t, db, "INSERT INTO t VALUES (1, 1, 5), (2, 2, 6), (3, 3, 7)")
				do(t, db, "INSERT INTO u VALUES (1, 50), (2, 150)")
				mustAffect(t, db, tt.n, tt.write)
				want(t, db, tt.rows, "SELECT * FROM t ORDER BY id")
			}
		}
	}
}
