package vitessdo

import (
	"database/sql"
	"encoding/json"
	"errors"
	"testing"
)

func result2(t *testing.T, r sql.Result) (affected, id int64) {
	t.Helper()
	affected, err := r.RowsAffected()
	id, err2 := r.LastInsertId()
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return affected, id
}

// TestInsertResults compares RowsAffected and LastInsertId with what MySQL 8
// gives for the same statements in the same order.
func TestInsertResults(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, u INT, v INT)", "CREATE TABLE plain (id BIGINT PRIMARY KEY, v INT)")
	c := pin(t, db)
	for _, tc := range []struct {
		query        string
		affected, id int64
		function     string // LAST_INSERT_ID() afterwards
	}{
		{"INSERT INTO t (u) VALUES (1)", 1, 1, "1"},
		{"INSERT INTO t (u) VALUES (2), (3), (4)", 3, 2, "2"},
		{"INSERT INTO t (id, u) VALUES (NULL, 5), (0, 6)", 2, 5, "5"},
		{"INSERT INTO t (id, u) VALUES (100, 7)", 1, 100, "5"},
		{"INSERT INTO t (u) VALUES (8)", 1, 101, "101"},
		{"INSERT INTO t (id, u) VALUES (200, 9), (NULL, 10)", 2, 201, "201"},
		{"INSERT IGNORE INTO t (id, u) VALUES (1, 1), (2, 2)", 0, 0, "201"},
		{"INSERT IGNORE INTO t (id, u) VALUES (1, 1), (300, 2)", 1, 300, "201"},
		{"REPLACE INTO t (id, u) VALUES (1, 11)", 2, 1, "201"},
		{"REPLACE INTO t (id, u) VALUES (400, 12), (2, 13)", 3, 2, "201"},
		{"INSERT INTO t (id, u) VALUES (1, 14) ON DUPLICATE KEY UPDATE u = VALUES(u)", 2, 0, "201"},
		{"INSERT INTO t (id, u) VALUES (1, 14) ON DUPLICATE KEY UPDATE u = VALUES(u)", 0, 0, "201"},
		{"INSERT INTO t (id, u) VALUES (500, 15) ON DUPLICATE KEY UPDATE u = VALUES(u)", 1, 500, "201"},
		{"UPDATE t SET v = 1 WHERE id IN (1, 2, 3)", 3, 0, "201"},
		{"UPDATE t SET v = 1 WHERE id IN (1, 2, 3)", 0, 0, "201"},
		{"UPDATE t SET v = 1 WHERE id IN (3, 4)", 1, 0, "201"},
		{"DELETE FROM t WHERE id IN (3, 4, 999)", 2, 0, "201"},
		{"INSERT INTO plain VALUES (1, 1), (2, 2)", 2, 0, "201"},
		{"REPLACE INTO plain VALUES (1, 1), (3, 3)", -1, 0, "201"},
		{"INSERT INTO plain SELECT id + 10, v FROM plain", 3, 0, "201"},
		{"DELETE FROM plain", 6, 0, "201"},
		{"SET @x = LAST_INSERT_ID()", 0, 0, "201"},
	} {
		affected, id := result2(t, do(t, c, tc.query))
		if affected != tc.affected && tc.affected >= 0 || id != tc.id {
			t.Errorf("%s: %d affected, id %d; want %d, %d", tc.query, affected, id, tc.affected, tc.id)
		}
		want(t, c, tc.function, "SELECT LAST_INSERT_ID()")
	}
	do(t, c, "UPDATE t SET v = 9 WHERE id <= 2")
	want(t, c, "2", "SELECT ROW_COUNT()")
}

func TestClientFoundRows(t *testing.T) {
	db := memDB(t, "client_found_rows=true", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4)")
	mustAffect(t, db, 4, "UPDATE t SET v = 1")
	mustAffect(t, db, 4, "UPDATE t SET v = 1")
	mustAffect(t, db, 1, "UPDATE t SET v = 1 WHERE id = 2")
}

// TestKeysInManySpellings stores and finds rows whose keys are equal in
// different forms.
func TestKeysInManySpellings(t *testing.T) {
	db := memDB(t, "",
		"CREATE TABLE n (k BIGINT, v INT, KEY (k)) PARTITION BY KEY(k)",
		"CREATE TABLE m (k DECIMAL(10,2), v INT, KEY (k)) PARTITION BY KEY(k)",
		"CREATE TABLE d (k DATE, v INT, KEY (k)) PARTITION BY KEY(k)",
		"CREATE TABLE w (k DATETIME, v INT, KEY (k)) PARTITION BY KEY(k)",
		"CREATE TABLE ci (k VARCHAR(20) COLLATE utf8mb4_general_ci, v INT, KEY (k)) PARTITION BY KEY(k)",
		"CREATE TABLE bin (k VARCHAR(20), v INT, KEY (k)) PARTITION BY KEY(k)",
		"CREATE TABLE blb (k VARBINARY(20), v INT, KEY (k)) PARTITION BY KEY(k)")
	for _, tc := range []struct {
		table string
		forms []any
	}{
		{"n", []any{3, int64(3), 3.0, "3", "3.0", " 3"}},
		{"m", []any{3.5, "3.5", "3.50", "3.500"}},
		{"d", []any{"2024-01-02", "2024-1-2", "2024-01-02 00:00:00", "20240102"}},
		{"w", []any{"2024-01-02 03:04:05", "2024-1-2 3:4:5", "2024-01-02T03:04:05", "2024-01-02 03:04:05.000"}},
		{"ci", []any{"abc", "ABC", "aBc"}},
		{"blb", []any{[]byte("abc"), json.RawMessage("abc")}},
		{"ci", []any{"abc", []byte("ABC")}},
		{"bin", []any{"abc", []byte("abc")}},
	} {
		for _, in := range tc.forms {
			do(t, db, "DELETE FROM "+tc.table)
			mustAffect(t, db, 1, "INSERT INTO "+tc.table+" VALUES (?, 1)", in)
			for _, out := range tc.forms {
				want(t, db, "1", "SELECT v FROM "+tc.table+" WHERE k = ?", out)
				want(t, db, "1", "SELECT v FROM "+tc.table+" WHERE k IN (?, ?)", out, out)
			}
			mustAffect(t, db, 1, "UPDATE "+tc.table+" SET v = 2 WHERE k = ?", tc.forms[0])
			mustAffect(t, db, 1, "DELETE FROM "+tc.table+" WHERE k = ?", tc.forms[len(tc.forms)-1])
		}
	}
	do(t, db, "INSERT INTO n VALUES (3, 1)")
	for _, literal := range []string{"3", "'3'", "3.0", "3e0", "'3.0'", "1 + 2"} {
		want(t, db, "1", "SELECT v FROM n WHERE k = "+literal)
	}
	do(t, db, "INSERT INTO bin VALUES ('abc', 1)")
	want(t, db, "", "SELECT v FROM bin WHERE k = 'ABC'")
}

// TestBytesForText binds []byte where text is kept, as database/sql's users do:
// it is text there.
func TestBytesForText(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, s VARCHAR(20), j JSON, d DECIMAL(10,2), w DATETIME, n INT, KEY (s))", "CREATE TABLE k (s VARCHAR(20) PRIMARY KEY, v INT)")
	do(t, db, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", 1, []byte("abc"), json.RawMessage(`{"a": 5}`), []byte("1.5"), []byte("2024-01-02 03:04:05"), []byte("7"))
	for query, rows := range map[string]string{
		"SELECT id FROM t WHERE s = 'abc'": "1", "SELECT id FROM t WHERE s LIKE 'ab%'": "1", "SELECT j->'$.a' FROM t": "5", "SELECT CONCAT(s, 'x'), UPPER(s) FROM t": "abcx|ABC",
		"SELECT d + 1 FROM t": "2.50", "SELECT YEAR(w) FROM t": "2024", "SELECT n + 1 FROM t": "8",
	} {
		want(t, db, rows, query)
	}
	want(t, db, "1", "SELECT id FROM t WHERE s = ?", []byte("abc"))
	want(t, db, "1", "SELECT id FROM t WHERE s IN (?, 'x')", []byte("abc"))
	want(t, db, "1", "SELECT id FROM t WHERE n = ?", []byte("7"))
	do(t, db, "UPDATE t SET s = ? WHERE id = 1", []byte("new"))
	want(t, db, "1", "SELECT id FROM t WHERE s = 'new'")
	do(t, db, "INSERT INTO k VALUES (?, 1)", []byte("key"))
	want(t, db, "1", "SELECT v FROM k WHERE s = 'key'")
	want(t, db, "1", "SELECT v FROM k WHERE s = ?", []byte("key"))
}

func TestNullKeys(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (k BIGINT, v INT, KEY (k)) PARTITION BY KEY(k)")
	do(t, db, "INSERT INTO t VALUES (NULL, 1), (1, 2), (NULL, 3), (2, 4)")
	do(t, db, "INSERT INTO t (v) VALUES (5)")
	do(t, db, "INSERT INTO t VALUES (?, 6)", nil)
	want(t, db, "1 3 5 6", "SELECT v FROM t WHERE k IS NULL ORDER BY v")
	want(t, db, "1 3 5 6", "SELECT v FROM t WHERE k <=> ? ORDER BY v", nil)
	want(t, db, "", "SELECT v FROM t WHERE k = ?", nil)
	want(t, db, "", "SELECT v FROM t WHERE k IN (NULL)")
	want(t, db, "2", "SELECT v FROM t WHERE k IN (NULL, 1)")
	mustAffect(t, db, 4, "UPDATE t SET v = v + 10 WHERE k IS NULL")
	mustAffect(t, db, 1, "UPDATE t SET k = 9 WHERE v = 11") // moves out of NULL
	want(t, db, "11", "SELECT v FROM t WHERE k = 9")
	mustAffect(t, db, 1, "UPDATE t SET k = NULL WHERE k = 1") // and into it
	want(t, db, "2 13 15 16", "SELECT v FROM t WHERE k IS NULL ORDER BY v")
	mustAffect(t, db, 4, "DELETE FROM t WHERE k IS NULL")
	want(t, db, "2", "SELECT COUNT(*) FROM t")
}

func TestWrites(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, g INT, v VARCHAR(20) NOT NULL DEFAULT 'd')")
	for i := 1; i <= 30; i++ {
		do(t, db, "INSERT INTO t SET id = ?, g = ?", i, i%3)
	}
	want(t, db, "30|d", "SELECT COUNT(*), MIN(v) FROM t")
	mustAffect(t, db, 5, "UPDATE t SET v = 'first' WHERE g = 0 ORDER BY id LIMIT 5")
	want(t, db, "3 6 9 12 15", "SELECT id FROM t WHERE v = 'first' ORDER BY id")
	mustAffect(t, db, 3, "DELETE FROM t WHERE g = 1 ORDER BY id DESC LIMIT 3")
	want(t, db, "27|19", "SELECT COUNT(*), (SELECT MAX(id) FROM t WHERE g = 1) FROM t")
	mustAffect(t, db, 1, "UPDATE t SET id = 1000 WHERE id = 3") // moves the row
	want(t, db, "1000|first", "SELECT id, v FROM t WHERE id = 1000")
	want(t, db, "", "SELECT id FROM t WHERE id = 3")
	mustFail(t, db, CodeUnique, "UPDATE t SET id = 6 WHERE id = 1000")
	want(t, db, "1000 6", "SELECT id FROM t WHERE id IN (6, 1000) ORDER BY id DESC")
	mustAffect(t, db, 27, "UPDATE t SET id = id + 5000")
	want(t, db, "27|0", "SELECT COUNT(*), SUM(id < 5000) FROM t")
	mustAffect(t, db, 2, "INSERT INTO t (id, v) VALUES (1, DEFAULT), (2, DEFAULT(v))")
	mustAffect(t, db, 1, "INSERT INTO t () VALUES (3, 3, 'x')")
	mustAffect(t, db, 1, "INSERT INTO t (id, g) SELECT MAX(id) + 1, 7 FROM t")
	mustAffect(t, db, 31, "DELETE FROM t")
}

// TestUpdateInOrder runs MySQL's own example of why ORDER BY matters in an
// UPDATE: each row gets a value that another one has just left.
func TestUpdateInOrder(t *testing.T) {
	for _, sharding := range []string{"COMMENT 'unsharded'", "PARTITION BY KEY(k)"} {
		t.Run(sharding, func(t *testing.T) {
			db := memDB(t, "", "CREATE TABLE t (k INT, n INT, PRIMARY KEY (k, n)) "+sharding)
			do(t, db, "INSERT INTO t VALUES (1,1),(1,2),(1,3),(2,1),(2,2)")
			mustAffect(t, db, 5, "UPDATE t SET n = n + 1 ORDER BY n DESC")
			mustAffect(t, db, 3, "UPDATE t SET n = n + 1 WHERE k = 1 ORDER BY n DESC")
			want(t, db, "1|3 1|4 1|5 2|2 2|3", "SELECT k, n FROM t ORDER BY k, n")
		})
	}
}
