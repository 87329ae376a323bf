package vitessdo

import (
	"errors"
	"testing"
)

// TestCheckOption writes through views WITH CHECK OPTION: a row that the view
// wouldn't show is error 1369, and leaves nothing.
func TestCheckOption(t *testing.T) {
	for _, options := range []string{"shards=1", "shards=4"} {
		db := openDBWith(t, mysqlFunctions, ":memory:?"+options)
		for _, s := range []string{
			"CREATE TABLE t (id BIGINT PRIMARY KEY, a INT DEFAULT 5, s VARCHAR(10) COLLATE utf8mb4_general_ci, u BIGINT, UNIQUE (u))",
			"CREATE TABLE f (id BIGINT PRIMARY KEY, k BIGINT)",
			"INSERT INTO t VALUES (1, 1, 'x', 1), (2, 2, 'X', 2), (3, 3, 'y', 3), (20, 20, 'x', 20)",
			"INSERT INTO f VALUES (1, 1), (2, 2), (3, 50)",
			"CREATE VIEW small AS SELECT * FROM t WHERE a < 10",
			"CREATE VIEW checked AS SELECT id, a AS b, s FROM t WHERE a < 10 AND s = 'x' WITH CHECK OPTION",
			"CREATE VIEW cascaded AS SELECT * FROM small WHERE a > 0 WITH CASCADED CHECK OPTION",
			"CREATE VIEW localonly AS SELECT * FROM small WHERE a > 0 WITH LOCAL CHECK OPTION",
			"CREATE VIEW above AS SELECT * FROM cascaded WHERE a <> 7",
			"CREATE VIEW asks AS SELECT * FROM t WHERE id IN (SELECT k FROM f) WITH CHECK OPTION",
		} {
			do(t, db, s)
		}
		for _, tc := range []struct {
			write string
			fails bool
		}{
			{"INSERT INTO checked VALUES (4, 9, 'X')", false},
			{"INSERT INTO checked VALUES (5, 10, 'x')", true},
			{"INSERT INTO checked VALUES (5, NULL, 'x')", true},
			{"INSERT INTO checked VALUES (5, 1, 'x'), (6, 1, 'z')", true},
			{"INSERT INTO checked (id, s) VALUES (5, 'x')", false}, // a is 5 by default
			{"INSERT INTO checked (id, b) VALUES (6, 1)", true},    // s is NULL
			{"INSERT INTO checked SELECT k, k, 'x' FROM f WHERE k > 10", true},
			{"INSERT INTO checked SELECT k + 10, k, 'x' FROM f WHERE k < 10", false},
			{"REPLACE INTO checked VALUES (5, 50, 'x')", true},
			{"UPDATE checked SET b = b + 1 WHERE id = 1", false},
			{"UPDATE checked SET b = b + 8 WHERE id = 2", true},
			{"UPDATE checked SET s = UPPER(s)", false},
			{"UPDATE checked SET s = 'q' WHERE id = 1", true},
			{"UPDATE checked SET b = 9, s = CONCAT(s, '') WHERE b < 3", false},
			{"UPDATE checked SET id = id + 100 WHERE id = 1", false},
			{"UPDATE checked JOIN f ON f.id = checked.id SET checked.b = f.k", false},
			{"UPDATE checked JOIN f ON f.id + 1 = checked.id SET checked.b = f.k * 10", true},
			{"UPDATE checked SET b = (SELECT MAX(k) FROM f) WHERE id = 2", true},
			{"UPDATE checked SET b = 90 WHERE id = 3", false}, // the view doesn't show it
			{"DELETE FROM checked WHERE id = 4", false},
			{"INSERT INTO small VALUES (30, 30, 'x', 30)", false},
			{"INSERT INTO cascaded VALUES (31, 31, 'x', 31)", true},
			{"INSERT INTO cascaded VALUES (31, 0, 'x', 31)", true},
			{"INSERT INTO localonly VALUES (32, 32, 'x', 32)", false},
			{"INSERT INTO localonly VALUES (33, 0, 'x', 33)", true},
			{"INSERT INTO above VALUES (34, 7, 'x', 34)", false},
			{"INSERT INTO above VALUES (35, 70, 'x', 35)", true},
			{"UPDATE cascaded SET u = u + 1000 WHERE id = 2", false},
			{"UPDATE cascaded SET u = 5, a = 11 WHERE id = 2", true},
		} {
			before := mustRows(t, db, "SELECT COUNT(*), SUM(a) FROM t")[0]
			_, err := db.ExecContext(bg, tc.write)
			var e *Error
			switch {
			case !tc.fails && err != nil:
				t.Errorf("%s: %s: %v", options, tc.write, err)
			case tc.fails && (!errors.As(err, &e) || e.Code != CodeCheckOption || e.Number != 1369):
				t.Errorf("%s: %s: %v, want error 1369", options, tc.write, err)
			case tc.fails:
				want(t, db, before, "SELECT COUNT(*), SUM(a) FROM t")
			}
		}
		mustFail(t, db, CodeUnsupported, "UPDATE asks SET a = 1")
		mustFail(t, db, CodeUnsupported, "INSERT IGNORE INTO checked VALUES (5, 10, 'x')")
		want(t, db, "above|NONE asks|CASCADED cascaded|CASCADED checked|CASCADED localonly|LOCAL small|NONE",
			"SELECT table_name, check_option FROM information_schema.views WHERE table_schema = 'main' ORDER BY 1")
	}
}

// A view's CHECK OPTION is kept with it.
func TestCheckOptionIsKept(t *testing.T) {
	dir := t.TempDir()
	db := dirDB(t, dir, "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT)", "CREATE VIEW v AS SELECT * FROM t WHERE a < 10 WITH LOCAL CHECK OPTION")
	_ = db.Close()
	db = dirDB(t, dir)
	mustFail(t, db, CodeCheckOption, "INSERT INTO v VALUES (1, 10)")
}
