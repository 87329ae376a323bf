package vitessdo

import "testing"

// Correlated subqueries that aggregate are grouped on the shards; what comes of it
// is the same on one shard.
func TestCorrelatedAggregates(t *testing.T) {
	var answers [2][]string
	for i, shards := range []string{"shards=1", "shards=4"} {
		db := openDB(t, ":memory:?"+shards)
		do(t, db, "CREATE TABLE a (id BIGINT PRIMARY KEY, k BIGINT, s VARCHAR(10) COLLATE utf8mb4_general_ci, d DECIMAL(8,2))")
		do(t, db, "CREATE TABLE b (id BIGINT PRIMARY KEY, k BIGINT, s VARCHAR(10) COLLATE utf8mb4_general_ci, d DECIMAL(8,2), t VARCHAR(10))")
		do(t, db, "INSERT INTO a WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) SELECT i, NULLIF(i % 7, 3), ELT(1 + i % 3, 'x', 'X', 'y'), i / 4 FROM n")
		do(t, db, "INSERT INTO b WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i, NULLIF(i % 9, 5), ELT(1 + i % 4, 'x', 'X', 'z', NULL), i / 8, i % 7 FROM n")
		for _, q := range []string{
			"SELECT id, (SELECT COUNT(*) FROM b WHERE b.k = a.k) FROM a ORDER BY id",
			"SELECT id, (SELECT SUM(b.d) FROM b WHERE b.k = a.k AND b.id > 20), (SELECT AVG(d) FROM b WHERE a.k = k) FROM a ORDER BY id",
			"SELECT id, (SELECT CONCAT(MIN(LOWER(s)), COUNT(DISTINCT k)) FROM b WHERE b.s = a.s) FROM a ORDER BY id",
			"SELECT id, (SELECT COUNT(*) FROM b WHERE b.s = a.s COLLATE utf8mb4_bin) FROM a ORDER BY id",
			"SELECT id, (SELECT COUNT(*) FROM b WHERE b.k = a.k AND b.s = a.s) FROM a ORDER BY id",
			"SELECT id, (SELECT MAX(b.id) FROM b WHERE b.d = a.d) FROM a ORDER BY id",
			"SELECT id, (SELECT MAX(b.id) FROM b WHERE b.t = a.k) FROM a ORDER BY id",
			"SELECT id, (SELECT MAX(b.id) FROM b WHERE b.k = a.s) FROM a ORDER BY id",
			"SELECT id FROM a WHERE k < (SELECT COUNT(*) - 15 FROM b WHERE b.k = a.k + 1) ORDER BY id",
			"SELECT id FROM a WHERE 2.5 < (SELECT AVG(k) FROM b WHERE b.k = a.id % 5) ORDER BY id DESC LIMIT 3",
			"SELECT k, SUM((SELECT COUNT(*) FROM b WHERE b.k = a.k)) FROM a GROUP BY k ORDER BY k",
			"SELECT id, (SELECT COUNT(*) FROM b WHERE b.k = a.k AND EXISTS (SELECT 1 FROM a x WHERE x.id = b.id)) FROM a ORDER BY id",
			"SELECT id, (SELECT (SELECT COUNT(*) FROM b WHERE b.k = a.k) + COUNT(*) FROM b c WHERE c.k = a.id) FROM a ORDER BY id",
			"SELECT id, (SELECT SUM(b.k * a.k) FROM b WHERE b.k = a.k) FROM a ORDER BY id",
			"SELECT id, (SELECT COUNT(*) FROM b WHERE b.k <=> a.k) FROM a ORDER BY id",
			"SELECT x.id, x.n FROM (SELECT id, (SELECT COUNT(*) FROM b WHERE b.k = a.k) n FROM a) x WHERE x.n > 22 ORDER BY 1",
		} {
			got := mustRows(t, db, q)
			answers[i] = append(answers[i], q)
			answers[i] = append(answers[i], got...)
		}
	}
	if len(answers[0]) != len(answers[1]) {
		t.Fatalf("%d rows on one shard, %d on four", len(answers[0]), len(answers[1]))
	}
	for i := range answers[0] {
		if answers[0][i] != answers[1][i] {
			t.Errorf("one shard says %s, four say %s", answers[0][i], answers[1][i])
		}
	}
}
