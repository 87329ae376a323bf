package vitessdo

import (
	"fmt"
	"strings"
	"testing"
)

// manyRows is more than an INSERT … SELECT keeps in one piece.
const manyRows = 10_000

// fillNumbers makes table n with the numbers from 0 to manyRows-1 in n.id.
func fillNumbers(tb testing.TB, x execer) {
	tb.Helper()
	do(tb, x, "CREATE TABLE n (id BIGINT PRIMARY KEY, v INT NOT NULL, s VARCHAR(20))")
	do(tb, x, "INSERT INTO n WITH RECURSIVE c (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < ?) SELECT i, i % 7, CONCAT('s', i) FROM c", manyRows-1)
}

// TestInsertSelect inserts what it reads from all shards, in more pieces than one:
// the statement is whole none the less, and never meets its own rows.
func TestInsertSelect(t *testing.T) {
	for _, shards := range []int{1, 4} {
		db := openDBWith(t, mysqlFunctions, fmt.Sprintf(":memory:?shards=%d", shards))
		fillNumbers(t, db)
		c := pin(t, db)
		do(t, c, "CREATE TABLE moved (id BIGINT PRIMARY KEY, v INT, s VARCHAR(20))")
		do(t, c, "CREATE TABLE auto (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT)")
		do(t, c, "CREATE TABLE keyed (id BIGINT PRIMARY KEY, u BIGINT, UNIQUE (u))")
		do(t, c, "CREATE TABLE tree (id BIGINT PRIMARY KEY, parent BIGINT, FOREIGN KEY (parent) REFERENCES tree (id))")

		// Of the table itself, to other shards.
		mustAffect(t, c, manyRows, "INSERT INTO n SELECT id + ?, v, s FROM n", manyRows)
		want(t, c, fmt.Sprintf("%d %d", 2*manyRows, 2*manyRows-1), "SELECT CONCAT(COUNT(*), ' ', MAX(id)) FROM n")
		mustAffect(t, c, manyRows, "DELETE FROM n WHERE id >= ?", manyRows)

		// In the same place and elsewhere.
		mustAffect(t, c, manyRows, "INSERT INTO moved SELECT id, v, s FROM n")
		want(t, c, fmt.Sprintf("%d|s9", manyRows), "SELECT COUNT(*), (SELECT s FROM moved WHERE id = 9) FROM moved")
		mustFail(t, c, CodeUnique, "INSERT INTO moved SELECT ? - id, v, s FROM n", 2*manyRows-1-manyRows/2)
		mustAffect(t, c, manyRows/2, "INSERT IGNORE INTO moved SELECT ? - id, v, s FROM n", 2*manyRows-1-manyRows/2)
		want(t, c, fmt.Sprint(manyRows+manyRows/2), "SELECT COUNT(*) FROM moved")
		mustAffect(t, c, 2*manyRows, "INSERT INTO moved SELECT id, v, s FROM n ON DUPLICATE KEY UPDATE v = moved.v + 1")
		mustAffect(t, c, 2*manyRows, "REPLACE INTO moved SELECT id, v, 'r' FROM n")

		// Numbers are given in pieces, LAST_INSERT_ID() is the first of them.
		if n, id := result2(t, do(t, c, "INSERT INTO auto (v) SELECT v FROM n")); n != manyRows || id != 1 {
			t.Errorf("%d rows, first %d", n, id)
		}
		want(t, c, fmt.Sprintf("%d|%d|1|%d", manyRows, manyRows, manyRows), "SELECT COUNT(*), COUNT(DISTINCT id), MIN(id), MAX(id) FROM auto")
		want(t, c, "1", "SELECT LAST_INSERT_ID()")

		// A unique key that is elsewhere, and parents that come later.
		mustAffect(t, c, manyRows, "INSERT INTO keyed SELECT id, ? - id FROM n", manyRows)
		mustFail(t, c, CodeUnique, "INSERT INTO keyed SELECT id + ?, id FROM n", 2*manyRows)
		mustAffect(t, c, manyRows, "INSERT INTO tree SELECT id, NULLIF(id + 1, ?) FROM n ORDER BY id", manyRows)
		mustFail(t, c, CodeForeignKey, "INSERT INTO tree SELECT id + ?, id + ? FROM n", manyRows, manyRows+1)
		want(t, c, fmt.Sprint(manyRows), "SELECT COUNT(*) FROM tree")

		// A value that doesn't fit undoes all, and says in which row it is.
		do(t, c, "CREATE TABLE small (id BIGINT PRIMARY KEY, v SMALLINT)")
		_, err := c.ExecContext(bg, "INSERT INTO small SELECT id + 1, IF(id = 9000, 40000, 1) FROM n ORDER BY id")
		if e := wantCode(t, err, CodeValueRange, "too large"); shards > 1 && !strings.Contains(e.Message, "at row 9001") {
			t.Error(e)
		}
		want(t, c, "0", "SELECT COUNT(*) FROM small")
	}
}

// Rows that stay on their shards don't come to the gate, and mean the same.
func TestInsertSelectInPlace(t *testing.T) {
	for _, shards := range []int{1, 4} {
		db := openDBWith(t, mysqlFunctions, fmt.Sprintf(":memory:?shards=%d", shards))
		do(t, db, "CREATE TABLE o (tenant BIGINT, id BIGINT, price DECIMAL(10,4), at DATETIME(3), note VARCHAR(40), PRIMARY KEY (tenant, id)) PARTITION BY KEY(tenant)")
		do(t, db, "CREATE TABLE s (tenant BIGINT PRIMARY KEY, total DECIMAL(10,2), day DATE, note VARCHAR(4)) PARTITION BY KEY(tenant)")
		do(t, db, "INSERT INTO o VALUES (1, 1, 1.005, '2026-01-02 03:04:05.678', 'ab'), (1, 2, 2, '2026-02-01', 'c'), (2, 1, 0.1, '2026-03-01', NULL), (3, 1, 5, '2026-04-01', 'toolong')")
		const query = "INSERT INTO s SELECT tenant, SUM(price), MIN(at), MAX(note) FROM o"
		if shards > 1 {
			if got := shardOf(t, db, query+" GROUP BY tenant"); strings.Contains(got, ";") {
				t.Errorf("it takes more than the shards: %s", got)
			}
		}
		mustFail(t, db, CodeTooLong, query+" GROUP BY tenant")
		want(t, db, "0", "SELECT COUNT(*) FROM s")
		mustAffect(t, db, 2, query+" WHERE tenant < 3 GROUP BY tenant")
		want(t, db, "1|3.01|2026-01-02 00:00:00|c 2|0.10|2026-03-01 00:00:00|∅", "SELECT * FROM s ORDER BY tenant")
		mustFail(t, db, CodeUnique, query+" WHERE tenant IN (2, 9) GROUP BY tenant")
		mustAffect(t, db, 1, "INSERT INTO s (tenant) SELECT tenant FROM o WHERE tenant IN (3, 4)")
		want(t, db, "3|∅", "SELECT tenant, total FROM s WHERE tenant = 3")
	}
}
