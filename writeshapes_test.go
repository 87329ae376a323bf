package vitessdo

import (
	"strings"
	"testing"
)

// writeShapes are UPDATEs, DELETEs and INSERT … SELECTs over tables that aren't
// co-located, with joins, subqueries, CTEs, ORDER BY, LIMIT and several targets.
const writeShapes = `
CREATE TABLE t (id BIGINT PRIMARY KEY, a INT, b INT)
CREATE TABLE u (id BIGINT PRIMARY KEY, t_id BIGINT, c INT)
CREATE TABLE p (k BIGINT, id BIGINT, v INT, PRIMARY KEY (k, id)) PARTITION BY KEY(k)
INSERT INTO t VALUES (1,1,10),(2,2,20),(3,3,30),(4,4,40),(5,5,50),(6,6,60)
INSERT INTO u VALUES (1,1,5),(2,1,6),(3,2,7),(4,4,8),(5,9,9)
INSERT INTO p SELECT a, id, b FROM t
UPDATE t JOIN u ON u.t_id = t.id SET t.b = t.b + u.c ORDER BY u.id
UPDATE t JOIN u ON u.t_id = t.id SET t.b = t.b + u.c ORDER BY u.id LIMIT 2
UPDATE t, u SET t.a = u.c, u.c = t.a WHERE u.t_id = t.id AND u.id > 2
UPDATE t SET a = (SELECT MAX(a) FROM t AS x WHERE x.id < t.id) WHERE id > 2
UPDATE t SET b = b + 1 WHERE a > (SELECT AVG(a) FROM t)
UPDATE t SET b = 0 WHERE id IN (SELECT t_id FROM u WHERE c IN (SELECT a FROM t))
UPDATE t SET id = id + 10 WHERE EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id)
UPDATE u JOIN t ON t.id = u.t_id + 10 SET u.id = u.id + 100, t.id = t.id + 100
UPDATE t LEFT JOIN u ON u.t_id = t.id SET t.b = -1 WHERE u.id IS NULL
WITH x AS (SELECT t_id, SUM(c) s FROM u GROUP BY t_id) UPDATE t JOIN x ON x.t_id + 110 = t.id SET t.b = x.s
WITH x AS (SELECT id FROM t ORDER BY id DESC LIMIT 1) DELETE FROM t WHERE id IN (SELECT id FROM x)
UPDATE t JOIN (SELECT t_id, COUNT(*) n FROM u GROUP BY t_id) d ON d.t_id + 110 = t.id SET t.a = d.n
UPDATE p SET k = k + 1 ORDER BY k DESC LIMIT 3
UPDATE p JOIN t ON t.id = p.id SET p.k = 77, t.a = p.v WHERE p.v > 40
UPDATE p SET k = v, v = k WHERE k < 3
DELETE t, u FROM t JOIN u ON u.t_id + 110 = t.id WHERE u.c > 5
DELETE FROM t, u USING t JOIN u ON u.t_id = t.id
DELETE t.* FROM t JOIN u ON u.c = t.a
DELETE FROM u WHERE t_id NOT IN (SELECT id FROM t) ORDER BY c DESC LIMIT 1
DELETE FROM p WHERE v = (SELECT MIN(v) FROM p)
DELETE FROM p ORDER BY v DESC LIMIT 1
DELETE a FROM p a JOIN p b ON a.v < b.v WHERE b.k = 77
INSERT INTO t SELECT id + 1000, k, v FROM p ON DUPLICATE KEY UPDATE a = VALUES(a)
INSERT INTO t SELECT id, a + 1, b FROM t ON DUPLICATE KEY UPDATE a = VALUES(a)
REPLACE INTO t SELECT id, 0, COUNT(*) OVER () FROM t
INSERT INTO p (k, id, v) WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, i * 100, i FROM n
INSERT IGNORE INTO p SELECT * FROM p
INSERT INTO p (SELECT k, id + 1, v FROM p UNION SELECT 9, 9, 9)
INSERT INTO p TABLE p ON DUPLICATE KEY UPDATE v = p.v + VALUES(v)
UPDATE t SET a = 5 LIMIT 0
DELETE FROM t WHERE 1 = 0
UPDATE t SET a = NULL WHERE a <=> NULL
UPDATE IGNORE p SET id = 1
UPDATE IGNORE p SET k = 1
DELETE IGNORE FROM p WHERE k = 1
`

// Every shape of write does the same, and counts the same, on one shard as on
// several.
func TestWriteShapes(t *testing.T) {
	for _, options := range []string{"", "&client_found_rows=true"} {
		one, four := openDB(t, ":memory:?shards=1"+options), openDB(t, ":memory:?shards=4"+options)
		for _, s := range strings.Split(strings.TrimSpace(writeShapes), "\n") {
			n, err := do(t, one, s).RowsAffected()
			if err != nil {
				t.Fatal(err)
			}
			mustAffect(t, four, n, s)
			for _, q := range []string{"SELECT * FROM t ORDER BY id", "SELECT * FROM u ORDER BY id", "SELECT * FROM p ORDER BY k, id"} {
				if strings.HasPrefix(s, "CREATE") {
					continue
				}
				want(t, four, strings.Join(mustRows(t, one, q), " "), q)
			}
			if t.Failed() {
				t.Fatalf("after %s", s)
			}
		}
	}
}
