package vitessdo

import "testing"

// viewsDB has a table, its view with renamed and computed columns, and a view of
// that view.
func viewsDB(tb testing.TB) execer {
	tb.Helper()
	return memDB(tb, "",
		"CREATE TABLE t (id BIGINT PRIMARY KEY, a INT, b INT DEFAULT 5)", "CREATE TABLE u (id BIGINT PRIMARY KEY, a INT)",
		"INSERT INTO t VALUES (1,1,1),(2,2,2),(3,3,3),(4,4,4),(5,50,5)", "INSERT INTO u VALUES (1,10),(2,20)",
		"CREATE VIEW v (k, x, y) AS SELECT z.id, z.a, z.a + z.b FROM t z WHERE z.a < 10",
		"CREATE VIEW w AS SELECT k AS kk, x FROM v WHERE x > 1",
		"CREATE VIEW s AS SELECT * FROM t WHERE a IN (SELECT a * 10 FROM u WHERE u.id <= t.id)",
		"CREATE VIEW agg AS SELECT a, COUNT(*) AS n FROM t GROUP BY a",
		"CREATE VIEW j AS SELECT t.id, u.a FROM t JOIN u USING (id)")
}

func TestWriteThroughView(t *testing.T) {
	tests := []struct {
		write string
		n     int64
		rows  string // of t: id|a|b
	}{
		{"UPDATE v SET x = x + 1 WHERE y = 4", 1, "1|1|1 2|3|2 3|3|3 4|4|4 5|50|5"},
		{"UPDATE v SET x = 0", 4, "1|0|1 2|0|2 3|0|3 4|0|4 5|50|5"},
		{"UPDATE v AS q SET q.x = q.y WHERE q.k = 2", 1, "1|1|1 2|4|2 3|3|3 4|4|4 5|50|5"},
		{"UPDATE w SET x = 9 WHERE kk IN (1, 3, 5)", 1, "1|1|1 2|2|2 3|9|3 4|4|4 5|50|5"},
		{"UPDATE w SET kk = kk + 100 WHERE x = 2", 1, "1|1|1 3|3|3 4|4|4 5|50|5 102|2|2"},
		{"UPDATE v SET x = 7 ORDER BY k DESC LIMIT 2", 2, "1|1|1 2|2|2 3|7|3 4|7|4 5|50|5"},
		{"UPDATE v SET x = (SELECT MAX(x) FROM w) WHERE k = 1", 1, "1|4|1 2|2|2 3|3|3 4|4|4 5|50|5"},
		{"UPDATE v JOIN u ON u.id = v.k SET v.x = u.a WHERE v.y > 2", 1, "1|1|1 2|20|2 3|3|3 4|4|4 5|50|5"},
		{"UPDATE v SET k = 6 WHERE k = 5", 0, "1|1|1 2|2|2 3|3|3 4|4|4 5|50|5"},
		{"DELETE FROM v", 4, "5|50|5"},
		{"DELETE FROM w WHERE x <> 3", 2, "1|1|1 3|3|3 5|50|5"},
		{"DELETE v FROM v JOIN u ON u.id = v.k", 2, "3|3|3 4|4|4 5|50|5"},
		{"DELETE FROM s", 0, "1|1|1 2|2|2 3|3|3 4|4|4 5|50|5"},
		{"UPDATE s SET b = 1", 0, "1|1|1 2|2|2 3|3|3 4|4|4 5|50|5"},
		{"INSERT INTO v (k, x) VALUES (10, 100), (11, 1)", 2, "1|1|1 2|2|2 3|3|3 4|4|4 5|50|5 10|100|5 11|1|5"},
		{"INSERT INTO w VALUES (12, 7)", 1, "1|1|1 2|2|2 3|3|3 4|4|4 5|50|5 12|7|5"},
		{"INSERT INTO w (x, kk) SELECT x, kk + 100 FROM w", 3, "1|1|1 2|2|2 3|3|3 4|4|4 5|50|5 102|2|5 103|3|5 104|4|5"},
		{"INSERT INTO w VALUES (1, 7), (12, 8) ON DUPLICATE KEY UPDATE x = x + VALUES(x)", 3, "1|8|1 2|2|2 3|3|3 4|4|4 5|50|5 12|8|5"},
		{"REPLACE INTO w VALUES (1, 7)", 2, "1|7|5 2|2|2 3|3|3 4|4|4 5|50|5"},
	}
	for _, tt := range tests {
		db := viewsDB(t)
		mustAffect(t, db, tt.n, tt.write)
		want(t, db.(querier), tt.rows, "SELECT id, a, b FROM t ORDER BY id")
	}
}

func TestViewsThatCantBeWritten(t *testing.T) {
	db := viewsDB(t)
	for write, number := range map[string]uint16{
		"UPDATE agg SET a = 1": 1288, "DELETE FROM agg": 1288, "INSERT INTO agg VALUES (1, 2)": 1471,
		"UPDATE j SET a = 1": 1288, "DELETE FROM j": 1288, "INSERT INTO j VALUES (1, 2)": 1471,
		"UPDATE v SET y = 1": 1348, "INSERT INTO v VALUES (9, 9, 9)": 1471, "INSERT INTO v (k, y) VALUES (9, 9)": 1348,
		"UPDATE v SET a = 1": 1054, "INSERT INTO v (id) VALUES (9)": 1054,
	} {
		_, err := db.ExecContext(bg, write)
		e, ok := err.(*Error)
		if !ok || e.Number != number {
			t.Errorf("%s: %v, want number %d", write, err, number)
		}
	}
}

func TestAlterView(t *testing.T) {
	db := viewsDB(t)
	q := db.(querier)
	do(t, db, "ALTER VIEW w AS SELECT k FROM v WHERE k > 2")
	want(t, q, "3 4", "SELECT * FROM w ORDER BY 1")
	do(t, db, "CREATE OR REPLACE VIEW w (n) AS SELECT COUNT(*) FROM v UNION ALL SELECT SUM(n) FROM agg")
	want(t, q, "4 5", "SELECT n FROM w ORDER BY 1")
	for write, number := range map[string]uint16{
		"ALTER VIEW nosuch AS SELECT 1": 1146, "CREATE OR REPLACE VIEW w AS SELECT * FROM w": 1462,
		"ALTER VIEW t AS SELECT 1": 1347,
	} {
		_, err := db.ExecContext(bg, write)
		e, ok := err.(*Error)
		if !ok || e.Number != number {
			t.Errorf("%s: %v, want number %d", write, err, number)
		}
	}
	do(t, db, "CREATE VIEW own AS WITH own AS (SELECT 1 AS one) SELECT * FROM own")
	want(t, q, "1", "SELECT * FROM own")
}

// TestViewHidesThePrimaryKey: rows are written by keys that the view needn't show.
func TestViewHidesThePrimaryKey(t *testing.T) {
	db := memDB(t, "",
		"CREATE TABLE t (id BIGINT PRIMARY KEY, a INT, b VARCHAR(9), UNIQUE KEY ab (a, b))",
		"INSERT INTO t VALUES (1,4,'x'),(2,5,'y'),(3,1,'z')",
		"CREATE VIEW v AS SELECT a, b FROM t WHERE a > 3")
	mustAffect(t, db, 1, "UPDATE v SET b = 'w' WHERE a = 4")
	mustAffect(t, db, 2, "UPDATE v SET a = a + 1")
	mustAffect(t, db, 1, "DELETE FROM v WHERE b = 'y'")
	want(t, db, "1|5|w 3|1|z", "SELECT id, a, b FROM t ORDER BY id")
}
