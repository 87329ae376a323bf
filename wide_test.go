package vitessdo

import (
	"strings"
	"testing"
)

// TestWideNumbers holds that a number of more digits than a REAL keeps is exact or
// refused, never rounded unseen.
func TestWideNumbers(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, n BIGINT, d DECIMAL(15,2), f DOUBLE, s VARCHAR(30))")
		do(t, db, "INSERT INTO t VALUES (1, 9007199254740993, 1.5, 3.25, '9007199254740993.5'), (2, 9007199254740994, 2.5, 3, 'x'), (3, 5, NULL, NULL, NULL)")
		for _, c := range []struct {
			sql  string
			args []any
			want string // or the error that it must have: "1690: …"
		}{
			{sql: "SELECT id FROM t WHERE n > 9007199254740993.5", want: "2"},
			{sql: "SELECT id FROM t WHERE 9007199254740993.5 >= n ORDER BY id", want: "1 3"},
			{sql: "SELECT id FROM t WHERE n = 9007199254740993.5 OR n = 9007199254740994.00000000 ORDER BY id", want: "2"},
			{sql: "SELECT id, n <> 9007199254740993.5, d <=> 9007199254740993.5 FROM t ORDER BY id", want: "1|1|0 2|1|0 3|1|0"},
			{sql: "SELECT id FROM t WHERE n IN (5, 9007199254740993.5)", want: "3"},
			{sql: "SELECT id FROM t WHERE d NOT IN (1.5, 9007199254740993.5)", want: "2"},
			{sql: "SELECT id FROM t WHERE n BETWEEN 9007199254740992.5 AND 9007199254740993.5", want: "1"},
			{sql: "SELECT id FROM t WHERE n NOT BETWEEN 9007199254740992.5 AND 9007199254740993.5 ORDER BY id", want: "2 3"},
			{sql: "SELECT n - 9007199254740992.25 FROM t WHERE id < 3 ORDER BY id", want: "0.75 1.75"},
			{sql: "SELECT d + -12345678901234567.89 > -12345678901234566 FROM t WHERE id = 1", want: "0"},
			{sql: "SELECT id FROM t WHERE f > 3.14159265358979323846", want: "1"},
			{sql: "SELECT id FROM t WHERE f IN (3.25000000000000000001)", want: "1"},
			{sql: "SELECT f * 1.00000000000000000001, SQRT(4.00000000000000000001) FROM t WHERE id = 1", want: "3.25|2"},
			{sql: "SELECT CAST(12345678901234567.891 AS CHAR) FROM t WHERE id = 1", want: "12345678901234567.891"},
			{sql: "SELECT CAST(12.34567890123456789 AS DECIMAL(10,3)) FROM t WHERE id = 1", want: "12.346"},
			{sql: "SELECT COALESCE(d, 12345678901234567.89) FROM t WHERE id > 1 ORDER BY id", want: "2.50 12345678901234567.89"},
			{sql: "SELECT id FROM t WHERE n > ?", args: []any{"9007199254740993.5"}, want: "1690: argument 1: DECIMAL value is out of range: 9007199254740993.5"},
			{sql: "SELECT id FROM t WHERE n > ?", args: []any{"9007199254740993"}, want: "2"},
			{sql: "SELECT id FROM t WHERE n > ?", args: []any{"9007199254740993.000000000"}, want: "2"},
			{sql: "SELECT id FROM t WHERE f > ?", args: []any{"3.14159265358979323846"}, want: "1"},
		} {
			number, text, refused := strings.Cut(c.want, ": ")
			if !refused {
				want(t, db, c.want, c.sql, c.args...)
				continue
			}
			rows, err := db.Query(c.sql, c.args...)
			if err == nil {
				for rows.Next() {
				}
				err = rows.Err()
				_ = rows.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "Error "+number) || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %s %v: %v, want %s", dsn, c.sql, c.args, err, c.want)
			}
		}
	}
}

// TestWideResults holds that averages and quotients of large integers have all their
// digits, also where they are sorted by or looked at again.
func TestWideResults(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE t (id BIGINT PRIMARY KEY, g INT, ms BIGINT, d DECIMAL(15,2))")
		do(t, db, "INSERT INTO t VALUES (1, 1, 1700000000000, 1.5), (2, 1, 1700000000001, 2.5), (3, 1, 1700000000001, 3.5), (4, 2, -1700000000001, NULL)")
		for _, tc := range []struct{ query, rows string }{
			{"SELECT AVG(ms) FROM t WHERE g = 1", "1700000000000.6667"},
			{"SELECT g, AVG(ms) AS a FROM t GROUP BY g ORDER BY g", "1|1700000000000.6667 2|-1700000000001.0000"},
			{"SELECT g, AVG(ms) FROM t GROUP BY g HAVING COUNT(*) > 1", "1|1700000000000.6667"},
			{"SELECT AVG(ms) - 1700000000000, AVG(ms) * 1000 FROM t WHERE g = 1", "0.6667|1700000000000666.6667"},
			{"SELECT id, ms / 7 FROM t WHERE id = 2", "2|242857142857.2857"},
			{"SELECT ms / 3e0 FROM t WHERE id = 1", "5.666666666666666e+11"},
			{"SELECT d + 12345678901234567.89 FROM t WHERE id < 3 ORDER BY id", "12345678901234569.39 12345678901234570.39"},
			{"SELECT SUM(d * 12345678901234.5678) FROM t WHERE id = 1", "18518518351851.851700"},
			{"SELECT 3.14159265358979323846, -12345678901234567.890", "3.14159265358979323846|-12345678901234567.890"},
		} {
			want(t, db, tc.rows, tc.query)
			want(t, db, tc.rows, strings.Replace(tc.query, "SELECT ", "SELECT /*vt+ COMBINE=query */ ", 1))
		}
		want(t, db, "-1700000000001.0000 1700000000000.6667", "SELECT AVG(ms) AS a FROM t GROUP BY g ORDER BY a")
		want(t, db, "1700000000000.6667", "SELECT MAX(a) FROM (SELECT AVG(ms) AS a FROM t GROUP BY g) AS x")
	}
}

// TestWideStored holds that a column takes a number of many digits as it takes
// any: rounded to what it keeps.
func TestWideStored(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, f DOUBLE DEFAULT 3.14159265358979323846, d DECIMAL(15,2), s VARCHAR(40), n INT)")
		do(t, db, "INSERT INTO t (id, d) VALUES (1, 1.23956789012345678901)")
		want(t, db, "1|3.141592653589793|1.24|∅", "SELECT id, f, d, s FROM t")
		do(t, db, "UPDATE t SET f = 2.71828182845904523536, d = 2.71828182845904523536, s = 2.71828182845904523536, n = 2.71828182845904523536")
		want(t, db, "2.718281828459045|2.72|2.71828182845904523536|3", "SELECT f, d, s, n FROM t")
		do(t, db, "UPDATE t SET d = d + 0.00500000000000000001")
		want(t, db, "2.73", "SELECT d FROM t")
		do(t, db, "INSERT INTO t (id, d) VALUES (1, 0) ON DUPLICATE KEY UPDATE d = -1.00500000000000000001")
		want(t, db, "-1.01", "SELECT d FROM t")
	}
}
