package vitessdo

import (
	"slices"
	"strings"
	"testing"
)

// returning is a write, and the rows that it returns.
type returning struct{ query, want string }

// returned runs writes in turn, and compares their rows, whatever their order.
func returned(t *testing.T, x querier, list []returning) {
	t.Helper()
	for _, w := range list {
		got, err := rowsOf(x, w.query)
		if err != nil {
			t.Errorf("%s: %v", w.query, err)
			continue
		}
		slices.Sort(got)
		if text := strings.Join(got, "; "); text != w.want {
			t.Errorf("%s: %s, want %s", w.query, text, w.want)
		}
	}
}

// TestReturning: writes that give rows, on one shard, on several, and by key.
func TestReturning(t *testing.T) {
	db := memDBWith(t, mysqlFunctions, "", "CREATE TABLE r (id BIGINT AUTO_INCREMENT PRIMARY KEY, n INT, s VARCHAR(10))",
		"CREATE TABLE pair (a INT, b INT, PRIMARY KEY (a, b))", "CREATE TABLE ref (id INT PRIMARY KEY, n INT) COMMENT 'reference'")
	c := pin(t, db)
	returned(t, c, []returning{
		{"INSERT INTO r (n, s) VALUES (1, 'a'), (2, 'b'), (3, 'c') RETURNING id, n * 10 AS m, s", "1|10|a; 2|20|b; 3|30|c"},
		{"INSERT INTO r SET n = 9 RETURNING *", "4|9|∅"},
		{"UPDATE r SET n = n + 1 WHERE id = 1 RETURNING id, n", "1|2"},
		{"UPDATE r SET n = n WHERE id = 1 RETURNING r.n", "2"},
		{"UPDATE r SET n = n + 1 WHERE id IN (2, 3) RETURNING n, id", "3|2; 4|3"},
		{"UPDATE r AS x SET x.s = 'zz' ORDER BY x.id DESC LIMIT 1 RETURNING x.id, x.s", "4|zz"},
		{"UPDATE r SET s = 'y' WHERE n > (SELECT MIN(n) FROM r) AND id < 4 RETURNING id, s", "2|y; 3|y"},
		{"REPLACE INTO r VALUES (3, 7, 'q') RETURNING id, n, s", "3|7|q"},
		{"INSERT IGNORE INTO r VALUES (3, 8, 'x'), (50, 1, 'y') RETURNING id", "50"},
		{"DELETE FROM r WHERE id = 50 RETURNING UPPER(s)", "Y"},
		{"DELETE FROM r ORDER BY id LIMIT 2 RETURNING id", "1; 2"},
		{"DELETE FROM r WHERE n > 100 RETURNING id", ""},
		{"DELETE FROM r RETURNING id, n", "3|7; 4|9"},
		{"INSERT INTO ref VALUES (1, 2) RETURNING n", "2"},
		{"DELETE FROM ref RETURNING *", "1|2"},
	})
	for _, q := range []string{
		"DELETE FROM r WHERE id = 1 RETURNING (SELECT 1)",
		"UPDATE r JOIN pair ON r.id = pair.a SET r.n = 1 RETURNING r.n",
	} {
		mustFail(t, db, CodeUnsupported, q)
	}
	// What a transaction takes back was still returned.
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := rowsOf(tx, "INSERT INTO r (id, n) VALUES (70, 1), (71, 2) RETURNING id"); err != nil || len(got) != 2 {
		t.Errorf("in a transaction: %v, %v", got, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got, err := rowsOf(db, "SELECT COUNT(*) FROM r"); err != nil || got[0] != "0" {
		t.Errorf("after ROLLBACK %v, %v", got, err)
	}
}

// TestReturningMoves: rows that get another sharding key are returned as they come to
// be, also those that stay on their shard, and those that an upsert changes.
func TestReturningMoves(t *testing.T) {
	for _, dsn := range []string{":memory:", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE r (id INT PRIMARY KEY, n INT, s VARCHAR(10), UNIQUE KEY n (n))")
		do(t, db, "CREATE TABLE plain (id INT PRIMARY KEY, n INT)")
		do(t, db, "INSERT INTO r VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')")
		do(t, db, "INSERT INTO plain VALUES (1, 1)")
		returned(t, db, []returning{
			{"UPDATE r SET id = id + 100, s = UPPER(s) WHERE id < 3 RETURNING id, CONCAT(s, n) AS sn", "101|A1; 102|B2"},
			{"UPDATE r SET id = id WHERE id = 3 RETURNING *", "3|3|c"},
			{"UPDATE r SET id = 103 WHERE id = 77 RETURNING id", ""},
			{"INSERT INTO r VALUES (4, 1, 'x'), (5, 5, 'y') ON DUPLICATE KEY UPDATE id = r.id + 1000, s = VALUES(s) RETURNING id, s", "1101|x; 5|y"},
			{"INSERT INTO r VALUES (5, 9, 'z') ON DUPLICATE KEY UPDATE s = VALUES(s) RETURNING *", "5|5|z"},
			{"INSERT IGNORE INTO r VALUES (6, 5, 'z'), (7, 7, 'q') RETURNING id", "7"},
			{"REPLACE INTO r VALUES (8, 7, 'p') RETURNING id, n", "8|7"},
			{"INSERT INTO plain VALUES (1, 5), (2, 6) ON DUPLICATE KEY UPDATE n = VALUES(n) + 1 RETURNING id, n", "1|6; 2|6"},
		})
		want(t, db, "3|3|c 5|5|z 8|7|p 102|2|B 1101|1|x", "SELECT * FROM r ORDER BY id")
		checkHidden(t, db)
	}
}
