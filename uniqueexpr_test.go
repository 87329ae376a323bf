package vitessdo

import (
	"fmt"
	"testing"
)

// TestUniqueExpressions takes every way in which an expression's value, or a generated
// column's, may be taken, on one shard and on several.
func TestUniqueExpressions(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			db := openDBWith(t, mysqlFunctions, fmt.Sprintf(":memory:?shards=%d", shards))
			do(t, db, `CREATE TABLE u (id INT PRIMARY KEY, email VARCHAR(50), a INT, b INT, p DECIMAL(10,2), domain VARCHAR(9) COLLATE utf8mb4_general_ci,
				total DECIMAL(12,2) AS (p * a) STORED, tag VARCHAR(20) COLLATE utf8mb4_general_ci AS (CONCAT(domain, b)),
				twice INT AS (b * 2) VIRTUAL, four INT AS (twice * 2) VIRTUAL,
				UNIQUE KEY em ((LOWER(email))), UNIQUE KEY ab ((a + b), four), UNIQUE KEY tot (total), UNIQUE KEY tg (tag(4)), UNIQUE KEY half ((p + 0.5)), UNIQUE KEY dom ((domain = 'X' OR NULL)))`)
			writesUnique(t, db, []uniqueWrite{
				{"INSERT INTO u (id, email, a, b, p, domain) VALUES (1,'Ann@x',1,2,1.50,'d'),(2,'bob@x',2,2,2.25,'d1'),(3,NULL,NULL,3,NULL,NULL),(4,NULL,3,NULL,NULL,NULL)", 4, ""},
				{"INSERT INTO u (id, email) VALUES (5,'ANN@X')", 0, "u.em"},
				{"INSERT INTO u (id, email) VALUES (5,'zoe'),(6,'Zoe')", 0, "u.em"},
				{"INSERT INTO u (id, a, b) VALUES (5,1,2)", 0, "u.ab"},
				{"INSERT INTO u (id, a, p) VALUES (5,3,0.5)", 0, "u.tot"},
				{"INSERT INTO u (id, domain, b) VALUES (5,'D',2)", 0, "u.tg"},
				{"INSERT INTO u (id, domain) VALUES (5,'x')", 1, ""},
				{"INSERT INTO u (id, domain) VALUES (6,'X')", 0, "u.dom"},
				{"INSERT IGNORE INTO u (id, email, a, b, p) VALUES (6,'ANN@x',9,9,9),(7,'c@x',1,2,7),(8,'d@x',8,8,8)", 1, ""},
				{"INSERT INTO u (id, email, a) VALUES (9,'BOB@X',5) ON DUPLICATE KEY UPDATE a = VALUES(a)", 2, ""},
				{"INSERT INTO u (id, email) VALUES (9,'BOB@X') ON DUPLICATE KEY UPDATE email = 'ann@x'", 0, "u.em"},
				{"INSERT INTO u (id, a, p) VALUES (9,3,0.5) ON DUPLICATE KEY UPDATE email = CONCAT(email, '!')", 2, ""},
				{"REPLACE INTO u (id, email, a, b, p) VALUES (10,'ann@x!',5,2,1)", 3, ""},
				{"INSERT INTO u (id, p) VALUES (20, 1)", 0, "u.half"},
				{"INSERT INTO u (id, p) VALUES (20, 1), (21, 100) ON DUPLICATE KEY UPDATE email = 'p'", 3, ""},
				{"DELETE FROM u WHERE id = 21", 1, ""},
				{"UPDATE u SET email = 'A@x' WHERE id = 10", 1, ""},
				{"UPDATE u SET email = 'a@X' WHERE id = 8", 0, "u.em"},
				{"UPDATE u SET email = UPPER(email)", 2, ""},
				{"UPDATE u SET b = b + 1 WHERE b IS NOT NULL ORDER BY b DESC", 3, ""},
				{"UPDATE u SET a = 8 WHERE id = 3", 1, ""},
				{"UPDATE u SET b = 9, a = 8 WHERE id = 10", 0, "u.ab"},
				{"UPDATE u SET id = id + 100 WHERE id < 9", 4, ""},
				{"INSERT INTO u (id, email) VALUES (1,'d@X')", 0, "u.em"},
				{"DELETE FROM u WHERE email = 'D@X'", 1, ""},
				{"INSERT INTO u (id, email) VALUES (1,'d@X')", 1, ""},
				{"INSERT INTO u (id, email) SELECT id + 50, LOWER(email) FROM u WHERE id = 1", 0, "u.em"},
				{"INSERT INTO u (id, email) SELECT id + 50, CONCAT(email, '2') FROM u WHERE id = 1", 1, ""},
			})
			want(t, db, "1|d@X|∅|∅ 10|A@X|5|3 51|d@X2|∅|∅ 103|∅|8|4 104|∅|3|∅ 105|∅|∅|∅", "SELECT id, email, a, b FROM u ORDER BY id")
			want(t, db, "10", "SELECT id FROM u WHERE LOWER(email) = 'a@x'")
			want(t, db, "10", "SELECT id FROM u WHERE total = 5")
			want(t, db, "", "SELECT id FROM u WHERE LOWER(email) = 'A@x'")
		})
	}
}

// TestUniqueExpressionsOfRows makes keys on expressions of tables with rows.
func TestUniqueExpressionsOfRows(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			db := openDBWith(t, mysqlFunctions, fmt.Sprintf(":memory:?shards=%d", shards))
			do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, s VARCHAR(20), n INT, g INT AS (n * 2))")
			do(t, db, "INSERT INTO u (id, s, n) VALUES (1,'a',1),(2,'A',2),(3,'b',3),(4,NULL,NULL),(5,NULL,NULL)")
			fails := func(number uint16, query string) {
				t.Helper()
				_, err := db.ExecContext(bg, query)
				var e *Error
				if e, _ = err.(*Error); e == nil || e.Number != number {
					t.Errorf("%s: %v, want error %d", query, err, number)
				}
				checkHidden(t, db)
			}
			fails(1062, "ALTER TABLE u ADD UNIQUE KEY low ((LOWER(s)))")
			do(t, db, "UPDATE u SET s = 'c' WHERE id = 2")
			do(t, db, "ALTER TABLE u ADD UNIQUE KEY low ((LOWER(s))), ADD UNIQUE KEY gg (g)")
			checkHidden(t, db)
			fails(1062, "INSERT INTO u (id, s) VALUES (6,'C')")
			fails(1062, "INSERT INTO u (id, n) VALUES (6,3)")
			// What the expressions are made of becomes another.
			do(t, db, "ALTER TABLE u MODIFY n DECIMAL(6,1)")
			checkHidden(t, db)
			fails(1062, "INSERT INTO u (id, n) VALUES (6,3)")
			do(t, db, "ALTER TABLE u DROP COLUMN g")
			do(t, db, "ALTER TABLE u ADD COLUMN g INT AS (n + 10), ADD UNIQUE KEY gg (g)")
			checkHidden(t, db)
			fails(1062, "INSERT INTO u (id, n) VALUES (6,3)")
			do(t, db, "DROP INDEX low ON u")
			do(t, db, "INSERT INTO u (id, s) VALUES (6,'C')")
			checkHidden(t, db)
			fails(1062, "CREATE UNIQUE INDEX low ON u ((LOWER(s)))")
			do(t, db, "RENAME TABLE u TO v")
			checkHidden(t, db)
			fails(1062, "INSERT INTO v (id, n) VALUES (7,2)")
		})
	}
}
