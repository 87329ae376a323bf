package vitessdo

import (
	"fmt"
	"testing"
)

// TestListedFirst: the members of IN (SELECT …) that are listed before the statement
// are what one database compares with.
func TestListedFirst(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			db := openDBWith(t, anyText, fmt.Sprintf(":memory:?shards=%d&parse_time=false", shards))
			do(t, db, "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20), ci VARCHAR(20) COLLATE utf8mb4_general_ci, d DECIMAL(10,2), f DOUBLE, t DATETIME, e ENUM('x','y'))")
			do(t, db, "CREATE TABLE b (id INT PRIMARY KEY, k INT, s VARCHAR(20), ci VARCHAR(20) COLLATE utf8mb4_general_ci, d DECIMAL(10,2), f DOUBLE, t DATETIME, e ENUM('x','y'))")
			for i, s := range []any{"it's", "a\"b\\c", "x\x00y", "tab\there", "bad\xff", "É", nil, ""} {
				do(t, db, "INSERT INTO a VALUES (?, ?, ?, ?, ?, ?, 'x')", i, s, s, float64(i)/4, float64(i)/3, fmt.Sprintf("2024-01-0%d 00:00:00", i+1))
				do(t, db, "INSERT INTO b VALUES (?, ?, ?, ?, ?, ?, ?, 'y')", i, i%3, s, s, float64(i)/4, float64(i)/3, fmt.Sprintf("2024-01-0%d 00:00:00", i+1))
			}
			do(t, db, "INSERT INTO b VALUES (20, 9, 'IT''S', 'TAB\there', NULL, NULL, NULL, NULL)")
			for _, tc := range []struct{ want, query string }{
				{"0 1 2 3 4 5 7", "SELECT id FROM a WHERE s IN (SELECT s FROM b GROUP BY s) ORDER BY id"},
				{"0 1 2 3 4 5 7", "SELECT id FROM a WHERE ci IN (SELECT ci FROM b GROUP BY ci) ORDER BY id"},
				{"0 3", "SELECT id FROM a WHERE ci IN (SELECT MAX(ci) FROM b WHERE id = 20 UNION SELECT s FROM b WHERE id = 20) ORDER BY id"},
				{"0 3", "SELECT id FROM a WHERE ci IN (SELECT ci FROM b WHERE id = 20 UNION ALL SELECT 'IT''S') ORDER BY id"},
				{"", "SELECT id FROM a WHERE s NOT IN (SELECT s FROM b GROUP BY s) ORDER BY id"},
				{"1 2 3 4 5 7", "SELECT id FROM a WHERE s NOT IN (SELECT s FROM b WHERE s = 'it''s' GROUP BY s) ORDER BY id"},
				{"0 1 2 3 4 5 6 7", "SELECT id FROM a WHERE s NOT IN (SELECT s FROM b WHERE k > 50 GROUP BY s) ORDER BY id"},
				{"", "SELECT id FROM a WHERE s IN (SELECT s FROM b WHERE k > 50 GROUP BY s) ORDER BY id"},
				{"0|1 1|1 2|1 3|1 4|∅ 5|∅ 6|∅ 7|∅", "SELECT id, id IN (SELECT MIN(id) FROM b GROUP BY k HAVING k < 3 UNION SELECT 3 UNION SELECT NULL) FROM a ORDER BY id"},
				{"0 1 2", "SELECT id FROM a WHERE id IN (SELECT k FROM b WHERE k < 9 GROUP BY k) ORDER BY id"},
				{"6 7", "SELECT id FROM a WHERE id IN (SELECT id FROM b WHERE id < 20 ORDER BY id DESC LIMIT 2) ORDER BY id"},
				{"0 4", "SELECT id FROM a WHERE id IN (SELECT d * 4 FROM b GROUP BY d HAVING d = 0 OR d = 1) ORDER BY id"},
				{"1 2", "SELECT id FROM a WHERE d IN (SELECT d FROM b GROUP BY d HAVING d BETWEEN 0.2 AND 0.6) ORDER BY id"},
				{"0 1 2 3 4 5 6 7", "SELECT id FROM a WHERE f IN (SELECT f FROM b GROUP BY f) ORDER BY id"},
				{"2 3", "SELECT id FROM a WHERE t IN (SELECT t FROM b GROUP BY t HAVING COUNT(*) > 0 AND t BETWEEN '2024-01-03' AND '2024-01-04') ORDER BY id"},
				{"", "SELECT id FROM a WHERE e IN (SELECT e FROM b GROUP BY e) ORDER BY id"},
				{"0 3", "SELECT id FROM a WHERE id IN (SELECT k FROM b GROUP BY k HAVING k = 0) OR id IN (SELECT MAX(id) - 17 FROM b) ORDER BY id"},
				{"3|1", "SELECT a.id, COUNT(*) FROM a JOIN b ON a.id = b.id WHERE a.id IN (SELECT k + 3 FROM b GROUP BY k HAVING k = 0) GROUP BY a.id"},
				{"2", "SELECT COUNT(*) FROM a WHERE id IN (SELECT MAX(k) FROM b WHERE k < 9 UNION ALL SELECT k FROM b WHERE k = 1)"},
			} {
				want(t, db, tc.want, tc.query)
			}
			mustAffect(t, db, 2, "UPDATE a SET s = 'u' WHERE id IN (SELECT id FROM b WHERE id < 20 ORDER BY id DESC LIMIT 2)")
			mustAffect(t, db, 2, "UPDATE a SET s = 'v' WHERE id IN (SELECT id FROM a ORDER BY id LIMIT 2)")
			mustAffect(t, db, 3, "DELETE FROM a WHERE id IN (SELECT k FROM b WHERE k < ? GROUP BY k)", 9)
			want(t, db, "3|tab\there 4|bad\xff 5|É 6|u 7|u", "SELECT id, s FROM a ORDER BY id")
		})
	}
}
