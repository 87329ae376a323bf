package vitessdo

import (
	"strings"
	"testing"
)

// everyCopy sees that all shards have the rows of a reference table.
func everyCopy(tb testing.TB, c interface {
	querier
	execer
}, rows, query string) {
	tb.Helper()
	for _, shard := range []string{"-40", "40-80", "80-c0", "c0-"} {
		do(tb, c, "USE `main/"+shard+"`")
		if got := strings.Join(mustRows(tb, c, query), " "); got != rows {
			tb.Errorf("copy on %s:\n got  %s\n want %s", shard, got, rows)
		}
	}
	do(tb, c, "USE main")
}

func TestReferenceTableWrites(t *testing.T) {
	const start = "1|10|x 2|20|x 3|30|x 4|40|x 5|50|x"
	tests := []struct {
		write string
		n     int64
		rows  string // of r: id|a|s
	}{
		{"UPDATE r JOIN t ON t.id = r.id SET r.a = t.a + 1 WHERE t.id < 3", 2, "1|11|x 2|21|x 3|30|x 4|40|x 5|50|x"},
		{"UPDATE r SET a = (SELECT SUM(a) FROM t) WHERE id = 5", 1, "1|10|x 2|20|x 3|30|x 4|40|x 5|150|x"},
		{"UPDATE r, t SET r.s = 'y', t.a = 0 WHERE r.id = t.id AND t.id = 4", 2, "1|10|x 2|20|x 3|30|x 4|40|y 5|50|x"},
		{"UPDATE r SET a = a + 1000 ORDER BY id DESC LIMIT 2", 2, "1|10|x 2|20|x 3|30|x 4|1040|x 5|1050|x"},
		{"UPDATE r SET id = id + 10 ORDER BY id DESC LIMIT 1", 1, "1|10|x 2|20|x 3|30|x 4|40|x 15|50|x"},
		{"UPDATE r SET s = 'x' WHERE id IN (SELECT id FROM t)", 0, start},
		{"UPDATE r LEFT JOIN t ON t.id = r.id AND t.a > 20 SET r.s = 'n' WHERE t.id IS NULL", 2, "1|10|n 2|20|n 3|30|x 4|40|x 5|50|x"},
		{"DELETE FROM r WHERE id IN (SELECT id FROM t WHERE a = 30)", 1, "1|10|x 2|20|x 4|40|x 5|50|x"},
		{"DELETE FROM r ORDER BY a DESC LIMIT 2", 2, "1|10|x 2|20|x 3|30|x"},
		{"DELETE r, t FROM r JOIN t ON t.id = r.id WHERE t.id > 3", 4, "1|10|x 2|20|x 3|30|x"},
		{"WITH big AS (SELECT id FROM t WHERE a > 25) DELETE FROM r WHERE id IN (SELECT id FROM big)", 3, "1|10|x 2|20|x"},
		{"INSERT INTO r SELECT id + 5, a, 'n' FROM t WHERE id < 3", 2, start + " 6|10|n 7|20|n"},
		{"INSERT INTO r SELECT id, a, 'n' FROM t WHERE id < 3 ON DUPLICATE KEY UPDATE s = VALUES(s)", 4, "1|10|n 2|20|n 3|30|x 4|40|x 5|50|x"},
		{"REPLACE INTO r SELECT id, 7, 'n' FROM t WHERE id IN (1, 3)", 4, "1|7|n 2|20|x 3|7|n 4|40|x 5|50|x"},
		{"INSERT IGNORE INTO r SELECT id + 4, a, 'n' FROM t WHERE id < 3", 1, start + " 6|20|n"},
	}
	for _, tt := range tests {
		db := memDB(t, "", "CREATE TABLE r (id BIGINT PRIMARY KEY, a INT, s VARCHAR(50)) COMMENT 'reference'",
			"CREATE TABLE t (id BIGINT PRIMARY KEY, a INT)", "INSERT INTO t VALUES (1,10),(2,20),(3,30),(4,40),(5,50)",
			"INSERT INTO r SELECT id, a, 'x' FROM t")
		c := pin(t, db)
		mustAffect(t, c, tt.n, tt.write)
		everyCopy(t, c, tt.rows, "SELECT id, a, s FROM r ORDER BY id")
		_ = c.Close()
	}
}

// A table without a primary key is written by row IDs, and what is random is the
// same on every copy.
func TestReferenceTableWithoutKey(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE n (a INT, s VARCHAR(50)) COMMENT 'reference'", "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT)",
		"INSERT INTO t VALUES (1,10),(2,20),(3,30)", "INSERT INTO n SELECT a, 'x' FROM t", "INSERT INTO n SELECT a, 'x' FROM t")
	c := pin(t, db)
	mustAffect(t, c, 1, "DELETE FROM n WHERE a = 10 LIMIT 1")
	mustAffect(t, c, 2, "UPDATE n JOIN t ON t.a = n.a SET n.a = 99 WHERE t.id = 2")
	mustAffect(t, c, 3, "INSERT INTO n SELECT id, 'y' FROM t")
	everyCopy(t, c, "1|y 2|y 3|y 10|x 30|x 30|x 99|x 99|x", "SELECT a, s FROM n ORDER BY a, s")
	mustAffect(t, c, 8, "UPDATE n SET s = UUID()")
	rows := mustRows(t, c, "SELECT s FROM n ORDER BY s")
	if n := len(rows); n != 8 || rows[0] == rows[n-1] {
		t.Errorf("UUID() gave %v", rows)
	}
	everyCopy(t, c, strings.Join(rows, " "), "SELECT s FROM n ORDER BY s")
}
