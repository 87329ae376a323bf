package vitessdo

import (
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// TestLongDecimals holds that DECIMALs of more digits than a number keeps are
// stored, compared, sorted, grouped and computed exactly.
func TestLongDecimals(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, g INT, d DECIMAL(36,18), p DECIMAL(10,2), KEY (d))")
		do(t, db, `INSERT INTO t VALUES (1, 1, 123456789012345678.123456789012345678, 1.50), (2, 1, -0.000000000000000001, 2), (3, 2, 1.5, 1.5),
			(4, 2, '123456789012345678.123456789012345679', 0), (5, 3, NULL, NULL), (6, 3, 1.500000000000000000, 10)`)
		do(t, db, "INSERT INTO t VALUES (?, ?, ?, ?), (?, ?, ?, ?)", 7, 4, "-123456789012345678.1", "3", 8, 4, 0, []byte("4"))
		for _, tc := range []struct{ query, rows string }{
			{"SELECT d FROM t WHERE id IN (1, 2, 5) ORDER BY id", "123456789012345678.123456789012345678 -0.000000000000000001 ∅"},
			{"SELECT id FROM t ORDER BY d, id", "5 7 2 8 3 6 1 4"},
			{"SELECT id FROM t ORDER BY d DESC, id LIMIT 3", "4 1 3"},
			{"SELECT id FROM t WHERE d = 1.5 ORDER BY id", "3 6"},
			{"SELECT id FROM t WHERE d = '1.50' ORDER BY id", "3 6"},
			{"SELECT id FROM t WHERE d > 123456789012345678.123456789012345678", "4"},
			{"SELECT id FROM t WHERE d >= 123456789012345678 ORDER BY id", "1 4"},
			{"SELECT id FROM t WHERE d BETWEEN -1 AND 0 ORDER BY id", "2 8"},
			{"SELECT id FROM t WHERE d NOT BETWEEN -1 AND 2 ORDER BY id", "1 4 7"},
			{"SELECT id FROM t WHERE d IN (0, 1.5, 123456789012345678.123456789012345679) ORDER BY id", "3 4 6 8"},
			{"SELECT id FROM t WHERE d NOT IN (0, 1.5) ORDER BY id", "1 2 4 7"},
			{"SELECT id FROM t WHERE d = p ORDER BY id", "3"},
			{"SELECT id FROM t WHERE d > p ORDER BY id", "1 4"},
			{"SELECT id FROM t WHERE d > 1e17 ORDER BY id", "1 4"},
			{"SELECT id FROM t WHERE d AND NOT g = 1 ORDER BY id", "3 4 6 7"},
			{"SELECT id, IF(d, 'y', 'n'), CASE WHEN d THEN 1 ELSE 2 END, d IS TRUE, NOT d, IF(d, d, 'none') FROM t WHERE id IN (1, 5, 8) ORDER BY id",
				"1|y|1|1|0|123456789012345678.123456789012345678 5|n|2|0|∅|none 8|n|2|0|1|none"},
			{"SELECT id FROM t WHERE d <=> NULL", "5"},
			{"SELECT id FROM t WHERE d IS NULL", "5"},
			{"SELECT COUNT(d), COUNT(DISTINCT d), MIN(d), MAX(d) FROM t", "7|6|-123456789012345678.100000000000000000|123456789012345678.123456789012345679"},
			{"SELECT SUM(d), AVG(d) FROM t WHERE id IN (1, 4)", "246913578024691356.246913578024691357|123456789012345678.1234567890123456785000"},
			{"SELECT d, COUNT(*) FROM t GROUP BY d ORDER BY d", "∅|1 -123456789012345678.100000000000000000|1 -0.000000000000000001|1 0.000000000000000000|1 1.500000000000000000|2 123456789012345678.123456789012345678|1 123456789012345678.123456789012345679|1"},
			{"SELECT g, SUM(d) AS s FROM t GROUP BY g ORDER BY s DESC, g", "2|123456789012345679.623456789012345679 1|123456789012345678.123456789012345677 3|1.500000000000000000 4|-123456789012345678.100000000000000000"},
			{"SELECT g FROM t GROUP BY g HAVING SUM(d) > 123456789012345678.5 ORDER BY g", "2"},
			{"SELECT g, MAX(d) FROM t GROUP BY g ORDER BY MAX(d), g", "4|0.000000000000000000 3|1.500000000000000000 1|123456789012345678.123456789012345678 2|123456789012345678.123456789012345679"},
			{"SELECT DISTINCT d FROM t WHERE id IN (3, 6, 8) ORDER BY d", "0.000000000000000000 1.500000000000000000"},
			{"SELECT d + 1, d * 2, -d, d / 3, d - p FROM t WHERE id = 1", "123456789012345679.123456789012345678|246913578024691356.246913578024691356|-123456789012345678.123456789012345678|41152263004115226.0411522630041152260000|123456789012345676.623456789012345678"},
			{"SELECT id FROM t WHERE d * 2 = 246913578024691356.246913578024691356", "1"},
			{"SELECT id FROM t WHERE d + 0.000000000000000001 = 0", "2"},
			{"SELECT ABS(d), ROUND(d, 2), TRUNCATE(d, 1), CEIL(d), FLOOR(d), SIGN(d), ROUND(d) FROM t WHERE id = 7", "123456789012345678.100000000000000000|-123456789012345678.10|-123456789012345678.1|-123456789012345678|-123456789012345679|-1|-123456789012345678"},
			{"SELECT CONCAT(d, '!'), CAST(d AS CHAR), LENGTH(d), CAST(d AS SIGNED), CAST(d AS DOUBLE) FROM t WHERE id = 3", "1.500000000000000000!|1.500000000000000000|20|2|1.5"},
			{"SELECT id FROM t WHERE d LIKE '1.5%' ORDER BY id", "3 6"},
			{"SELECT COALESCE(d, 0), IFNULL(d, p), IF(id > 4, d, 7), CASE WHEN id = 5 THEN 1 ELSE d END, NULLIF(d, 1.5) FROM t WHERE id IN (5, 6) ORDER BY id", "0.000000000000000000|∅|∅|1.000000000000000000|∅ 1.500000000000000000|1.500000000000000000|1.500000000000000000|1.500000000000000000|∅"},
			{"SELECT GREATEST(d, p), LEAST(d, p, 0) FROM t WHERE id = 1", "123456789012345678.123456789012345678|0.000000000000000000"},
			{"SELECT id FROM t WHERE COALESCE(d, 99) = 99", "5"},
			{"SELECT CASE d WHEN 1.5 THEN 'a' WHEN 0 THEN 'b' ELSE 'c' END FROM t WHERE id IN (3, 7, 8) ORDER BY id", "a c b"},
			{"SELECT a.id, b.id FROM t a JOIN t b ON a.d = b.d AND a.id < b.id", "3|6"},
			{"SELECT a.id, b.id FROM t a JOIN t b ON a.d = b.p ORDER BY a.id, b.id", "3|1 3|3 6|1 6|3 8|4"},
			{"SELECT id FROM t WHERE d = (SELECT MAX(d) FROM t)", "4"},
			{"SELECT id FROM t WHERE d IN (SELECT p FROM t) ORDER BY id", "3 6 8"},
			{"SELECT id FROM t WHERE p IN (SELECT d FROM t) ORDER BY id", "1 3 4"},
			{"SELECT id FROM t WHERE (d, g) IN (SELECT p, 2 FROM t) ORDER BY id", "3"},
			{"SELECT id FROM t WHERE (d, g) IN ((1.5, 2), (0, 4)) ORDER BY id", "3 8"},
			{"SELECT id FROM t WHERE d >= ALL (SELECT p FROM t WHERE p IS NOT NULL) ORDER BY id", "1 4"},
			{"SELECT id FROM t WHERE p > ANY (SELECT d FROM t WHERE d > 0 AND d < 2) ORDER BY id", "2 6 7 8"},
			{"SELECT x FROM (SELECT d * 2 AS x FROM t WHERE id < 5) AS q WHERE x > 3 ORDER BY x", "246913578024691356.246913578024691356 246913578024691356.246913578024691358"},
			{"SELECT d FROM t WHERE id = 3 UNION SELECT p FROM t WHERE id = 3 UNION SELECT 1.5 UNION SELECT d FROM t WHERE id = 8 ORDER BY 1", "0.000000000000000000 1.500000000000000000"},
			{"SELECT SUM(d) OVER (ORDER BY id), LAG(d) OVER (ORDER BY id), RANK() OVER (ORDER BY d) FROM t WHERE id IN (3, 6, 8) ORDER BY id", "1.500000000000000000|∅|2 3.000000000000000000|1.500000000000000000|2 3.000000000000000000|1.500000000000000000|1"},
			{"SELECT MAX(d) OVER (PARTITION BY g), FIRST_VALUE(d) OVER (PARTITION BY g ORDER BY d DESC) FROM t WHERE g = 2 ORDER BY id", "123456789012345678.123456789012345679|123456789012345678.123456789012345679 123456789012345678.123456789012345679|123456789012345678.123456789012345679"},
			{"SELECT GROUP_CONCAT(d ORDER BY d SEPARATOR ' '), GROUP_CONCAT(DISTINCT d) FROM t WHERE id IN (3, 6)", "1.500000000000000000 1.500000000000000000|1.500000000000000000"},
			{"SELECT JSON_OBJECT('d', d) FROM t WHERE id = 1", `{"d":123456789012345678.123456789012345678}`},
			{"SELECT CAST('12345678901234567890.12345678905' AS DECIMAL(30,10)), CAST(p AS DECIMAL(20,4)) FROM t WHERE id = 1", "12345678901234567890.1234567891|1.5000"},
			{"SELECT id FROM t WHERE CAST(p AS DECIMAL(30,10)) = d ORDER BY id", "3"},
			{"WITH RECURSIVE r(n, x) AS (SELECT 1, CAST(1 AS DECIMAL(30,10)) UNION ALL SELECT n + 1, x * 1.5 FROM r WHERE n < 4) SELECT x FROM r ORDER BY n", "1.0000000000 1.5000000000 2.2500000000 3.3750000000"},
			{"SELECT MOD(d, 1), d % 0.5, d DIV 2 FROM t WHERE id = 3", "0.500000000000000000|0.000000000000000000|0"},
			{"SELECT id, d = 1.5, d > 2, d <> 0 FROM t WHERE id IN (3, 5) ORDER BY id", "3|1|0|1 5|∅|∅|∅"},
			{"SELECT FIELD(d, 0, 1.5), FORMAT(p, 1), STRCMP(d, p) FROM t WHERE id = 3", "2|1.5|1"},
			{"SELECT column_0 FROM (VALUES ROW(1.5), ROW(12345678901234567890.5)) AS v ORDER BY 1 DESC", "12345678901234567890.5 1.5"},
		} {
			want(t, db, tc.rows, tc.query)
			want(t, db, tc.rows, strings.Replace(tc.query, "SELECT ", "SELECT /*vt+ COMBINE=query */ ", 1))
		}
		want(t, db, "3 6", "SELECT id FROM t WHERE d = ? ORDER BY id", "1.50")
		want(t, db, "3 6", "SELECT id FROM t WHERE d = ? ORDER BY id", 1.5)
		want(t, db, "8", "SELECT id FROM t WHERE d = ?", 0)
		want(t, db, "1", "SELECT id FROM t WHERE d = ?", "123456789012345678.123456789012345678")
		want(t, db, "1 4", "SELECT id FROM t WHERE d >= ? ORDER BY id", int64(123456789012345678))
		want(t, db, "1 8", "SELECT id FROM t WHERE d IN (?, ?) ORDER BY id", "123456789012345678.123456789012345678", 0)
		failsAs(t, db, 1264, "INSERT INTO t (id, d) VALUES (9, 1234567890123456789)")
		failsAs(t, db, 1366, "INSERT INTO t (id, d) VALUES (9, 'x')")
	}
}

// TestLongDecimalKeys holds that such columns are keys as any: unique across
// shards, sharded by, looked up, referred to.
func TestLongDecimalKeys(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE k (d DECIMAL(30,10) PRIMARY KEY, u DECIMAL(24,4), v INT, UNIQUE KEY u (u))")
		do(t, db, "INSERT INTO k VALUES (1.5, 1, 1), (12345678901234567890.5, 10000000000000000.0001, 2), ('-3', -1, 3), (1e2, NULL, 4)")
		for _, dup := range []string{"(1.50, 7, 0)", "('1.5', 8, 0)", "(12345678901234567890.50, 9, 0)", "(77, '10000000000000000.0001', 0)", "(78, 1.0, 0)"} {
			failsAs(t, db, 1062, "INSERT INTO k VALUES "+dup)
		}
		for query, rows := range map[string]string{
			"SELECT v FROM k WHERE d = 1.5": "1", "SELECT v FROM k WHERE d = '1.50'": "1", "SELECT v FROM k WHERE d = 12345678901234567890.5": "2",
			"SELECT v FROM k WHERE d = -3.0": "3", "SELECT v FROM k WHERE d IN (100, -3, 5) ORDER BY v": "3 4", "SELECT v FROM k WHERE u = 1": "1",
			"SELECT v FROM k WHERE u IN ('10000000000000000.0001', -1.0) ORDER BY v": "2 3",
		} {
			want(t, db, rows, query)
		}
		for _, arg := range []any{1.5, "1.5", "1.500", []byte("1.50")} {
			want(t, db, "1", "SELECT v FROM k WHERE d = ?", arg)
		}
		want(t, db, "4", "SELECT v FROM k WHERE d = ?", 100)
		want(t, db, "2", "SELECT v FROM k WHERE u = ?", "10000000000000000.00010")
		do(t, db, "INSERT INTO k VALUES (1.5, 1, 1) ON DUPLICATE KEY UPDATE u = u + 10000000000000000, v = v + 10")
		want(t, db, "10000000000000001.0000|11", "SELECT u, v FROM k WHERE d = 1.5")
		do(t, db, "UPDATE k SET d = d * 2 WHERE d > 1000")
		want(t, db, "24691357802469135781.0000000000|2", "SELECT d, v FROM k WHERE d = 24691357802469135781")
		do(t, db, "REPLACE INTO k VALUES (100.0, 10000000000000001, 5)")
		want(t, db, "-3.0000000000|-1.0000|3 100.0000000000|10000000000000001.0000|5 24691357802469135781.0000000000|10000000000000000.0001|2", "SELECT * FROM k ORDER BY d")
		do(t, db, "DELETE FROM k WHERE d = 100")

		do(t, db, "CREATE TABLE c (id INT PRIMARY KEY, d DECIMAL(30,10), FOREIGN KEY (d) REFERENCES k (d) ON DELETE CASCADE ON UPDATE CASCADE)")
		do(t, db, "INSERT INTO c VALUES (1, -3), (2, 24691357802469135781), (3, NULL)")
		failsAs(t, db, 1452, "INSERT INTO c VALUES (4, 24691357802469135781.5)")
		do(t, db, "DELETE FROM k WHERE d = -3")
		want(t, db, "2|24691357802469135781.0000000000 3|∅", "SELECT * FROM c ORDER BY id")
		failsAs(t, db, 3780, "CREATE TABLE c2 (id INT PRIMARY KEY, d DECIMAL(10,2), FOREIGN KEY (d) REFERENCES k (d))")
		want(t, db, "2|2", "SELECT k.v, c.id FROM k JOIN c ON k.d = c.d")

		if strings.HasSuffix(dsn, "=1") {
			continue // a range for each of four shards
		}
		do(t, db, "CREATE TABLE r (d DECIMAL(40,2) NOT NULL, v INT) COMMENT 'vindex=range(d) type=decimal boundaries=-10,0,12345678901234567890'")
		do(t, db, "INSERT INTO r VALUES (-11, 1), (-0.5, 2), (12345678901234567889.99, 3), (12345678901234567890, 4)")
		want(t, db, "3 4", "SELECT v FROM r WHERE d > 0 ORDER BY v")
		want(t, db, "1", "SELECT v FROM r WHERE d < -10")
		want(t, db, "3", "SELECT v FROM r WHERE d = ?", "12345678901234567889.99")
	}
}

// TestLongDecimalChanges holds that ALTER TABLE and INSERT … SELECT carry values over
// the border between numbers and keys, and refuse those that don't fit.
func TestLongDecimalChanges(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDBWith(t, mysqlFunctions, dsn)
		do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, d DECIMAL(10,2) DEFAULT 1.25, KEY (d))")
		do(t, db, "INSERT INTO t VALUES (1, -1.50), (2, 12345678.90), (3, NULL)")
		do(t, db, "ALTER TABLE t MODIFY d DECIMAL(30,10) DEFAULT '1.125'")
		do(t, db, "INSERT INTO t (id) VALUES (4)")
		want(t, db, "∅ -1.5000000000 1.1250000000 12345678.9000000000", "SELECT d FROM t ORDER BY d")
		do(t, db, "ALTER TABLE t MODIFY d DECIMAL(12,3)")
		want(t, db, "∅ -1.500 1.125 12345678.900", "SELECT d FROM t ORDER BY d")
		want(t, db, "1", "SELECT id FROM t WHERE d = -1.5")
		do(t, db, "ALTER TABLE t MODIFY d DECIMAL(20,0)")
		want(t, db, "∅ -2 1 12345679", "SELECT d FROM t ORDER BY d")
		do(t, db, "UPDATE t SET d = 12345678901234567890 WHERE id = 2")
		failsAs(t, db, 1264, "ALTER TABLE t MODIFY d DECIMAL(15,0)")
		failsAs(t, db, 1264, "ALTER TABLE t MODIFY d BIGINT")
		do(t, db, "ALTER TABLE t MODIFY d VARCHAR(40)")
		want(t, db, "12345678901234567890", "SELECT d FROM t WHERE id = 2")
		do(t, db, "ALTER TABLE t MODIFY d DECIMAL(25,1), ADD COLUMN e DECIMAL(18,2) NOT NULL DEFAULT 7, ADD COLUMN f DECIMAL(18,2) NOT NULL")
		want(t, db, "12345678901234567890.0|7.00|0.00", "SELECT d, e, f FROM t WHERE id = 2")

		do(t, db, "CREATE TABLE s (id INT PRIMARY KEY, narrow DECIMAL(10,2), wide DECIMAL(40,20), txt VARCHAR(60), dbl DOUBLE, n BIGINT)")
		do(t, db, "INSERT INTO s (id, wide, txt, dbl) SELECT id, d, d, d FROM t WHERE id = 2")
		want(t, db, "12345678901234567890.00000000000000000000|12345678901234567890.0|1.2345678901234567e+19", "SELECT wide, txt, dbl FROM s")
		do(t, db, "INSERT INTO s (id, narrow, wide, n) SELECT id, d, d + 0.5, d FROM t WHERE id = 1")
		want(t, db, "-2.00|-1.50000000000000000000|-2", "SELECT narrow, wide, n FROM s WHERE id = 1")
		do(t, db, "INSERT INTO s (id, wide) SELECT id + 10, narrow FROM s WHERE id = 1 UNION SELECT 12, 3")
		want(t, db, "11|-2.00000000000000000000 12|3.00000000000000000000", "SELECT id, wide FROM s WHERE id > 10 ORDER BY id")
		failsAs(t, db, 1264, "INSERT INTO s (id, narrow) SELECT id + 20, wide FROM s WHERE id = 2")
		failsAs(t, db, 1264, "INSERT INTO s (id, n) SELECT id + 20, wide FROM s WHERE id = 2")
		do(t, db, "UPDATE s SET narrow = wide / 1000000000000000, txt = wide, wide = narrow WHERE id = 2")
		want(t, db, "12345.68|12345.68000000000000000000", "SELECT narrow, wide FROM s WHERE id = 2")
		do(t, db, "CREATE TABLE g (id INT PRIMARY KEY, a DECIMAL(30,10), b DECIMAL(40,20) AS (a * 2) STORED, CHECK (a < 1000), KEY ((a + 1)))")
		do(t, db, "INSERT INTO g (id, a) VALUES (1, 0.0000000001)")
		want(t, db, "0.00000000020000000000", "SELECT b FROM g WHERE a + 1 = 1.0000000001")
		mustFail(t, db, CodeCheck, "INSERT INTO g (id, a) VALUES (2, 1000)")
		do(t, db, "CREATE TABLE ctas AS SELECT id, SUM(a) AS s, AVG(a) AS m FROM g GROUP BY id")
		want(t, db, "1|0.0000000001|0.00000000010000", "SELECT * FROM ctas WHERE s > 0")
	}
}

// TestDecimalsOfOldTables holds that columns of many digits of a table that was made
// when they were kept as numbers go on as such, until they are altered.
func TestDecimalsOfOldTables(t *testing.T) {
	dir := t.TempDir()
	db := dirDB(t, dir)
	do(t, db, "CREATE TABLE old (id INT PRIMARY KEY, d DECIMAL(11,2), u DECIMAL(11,2), UNIQUE KEY (u), KEY (d))")
	do(t, db, "INSERT INTO old VALUES (1, 1.5, 1), (2, 10, 2), (3, -7.25, NULL)")
	cl := clusterOf(t, db)
	if _, err := cl.catTab.Exec(bg, &tablet.Query{SQL: "UPDATE relations SET ddl = replace(ddl, 'decimal(11,2)', 'decimal(20,2)')"}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = dirDB(t, dir)
	for range 2 {
		want(t, db, "-7.25 1.50 10.00", "SELECT d FROM old ORDER BY d")
		want(t, db, "1", "SELECT id FROM old WHERE d = 1.5 AND u = 1")
		want(t, db, "2", "SELECT id FROM old WHERE u = ?", "2.00")
		failsAs(t, db, 1062, "INSERT INTO old VALUES (4, 1, 2.00)")
		want(t, db, "4.25|1", "SELECT SUM(d), MAX(d) > 9.99 FROM old")
		do(t, db, "ALTER TABLE old ADD COLUMN x INT")
		do(t, db, "ALTER TABLE old DROP COLUMN x")
		failsAs(t, db, 1264, "UPDATE old SET d = 12345678901234567.25 WHERE id = 1")
	}
	do(t, db, "ALTER TABLE old MODIFY d DECIMAL(20,2), MODIFY u DECIMAL(20,2)")
	do(t, db, "UPDATE old SET d = 12345678901234567.25, u = d WHERE id = 1")
	want(t, db, "-7.25|∅ 10.00|2.00 12345678901234567.25|12345678901234567.25", "SELECT d, u FROM old ORDER BY d")
	want(t, db, "1", "SELECT id FROM old WHERE u = 12345678901234567.25")
	failsAs(t, db, 1062, "INSERT INTO old VALUES (4, 1, 2.00)")
	do(t, db, "CREATE TABLE copy LIKE old")
	do(t, db, "INSERT INTO copy SELECT * FROM old")
	want(t, db, "12345678901234567.25", "SELECT MAX(u) FROM copy")
}

// TestUnsignedBeyondInt64 holds that unsigned integers from 2^63 on, which BIGINT
// UNSIGNED refuses on every way, are at home in DECIMAL(20,0).
func TestUnsignedBeyondInt64(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, b BIGINT UNSIGNED, d DECIMAL(20,0) UNSIGNED, UNIQUE KEY (d))")
		const large = uint64(1)<<63 + 5
		do(t, db, "INSERT INTO u VALUES (1, 1, ?), (2, 2, 18446744073709551615), (3, 3, 7)", large)
		want(t, db, "1", "SELECT id FROM u WHERE d = ?", large)
		want(t, db, "1 2", "SELECT id FROM u WHERE d >= ? ORDER BY id", large)
		want(t, db, "3 1 2", "SELECT id FROM u ORDER BY d")
		want(t, db, "9223372036854775813", "SELECT d FROM u WHERE id = 1")
		failsAs(t, db, 1062, "INSERT INTO u VALUES (4, 4, ?)", large)
		failsAs(t, db, 1264, "UPDATE u SET d = -1")
		for _, c := range []struct {
			number uint16
			query  string
			args   []any
		}{
			{1264, "INSERT INTO u (id, b) VALUES (9, 9223372036854775808)", nil}, {1264, "INSERT INTO u (id, b) VALUES (9, ?)", []any{large}},
			{1264, "INSERT INTO u (id, b) VALUES (9, 9223372036854775807 + 1)", nil}, {1264, "INSERT INTO u (id, b) SELECT id + 9, d FROM u", nil},
			{1264, "UPDATE u SET b = d", nil}, {1264, "UPDATE u SET b = ?", []any{"9223372036854775808"}}, {1264, "SELECT id FROM u WHERE b = ?", []any{large}},
			{1690, "SELECT b + 9223372036854775807 FROM u", nil}, {1690, "SELECT 18446744073709551615", nil},
		} {
			failsAs(t, db, c.number, c.query, c.args...)
		}
	}
}

// TestLongDecimalsOnTheirWay holds that values arrive as numbers wherever they are
// carried to: other tables' columns, variables, results of writes.
func TestLongDecimalsOnTheirWay(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE a (id INT PRIMARY KEY, d DECIMAL(30,10), n BIGINT, p DECIMAL(10,2), f DOUBLE, s VARCHAR(40))")
		do(t, db, "CREATE TABLE b (id INT PRIMARY KEY, aid INT, d DECIMAL(30,10))")
		do(t, db, "INSERT INTO a (id, d) VALUES (1, 1.5), (2, NULL), (3, 12345678901234567890.5)")
		do(t, db, "INSERT INTO b VALUES (10, 1, 1234567.875), (20, 2, 12345678901234567890.0000000001), (30, 3, 3)")
		do(t, db, "UPDATE a JOIN b ON b.aid = a.id SET a.d = b.d + 1, a.n = b.d, a.p = b.d, a.f = b.d, a.s = b.d WHERE b.id = 10")
		want(t, db, "1234568.8750000000|1234568|1234567.88|1.234567875e+06|1234567.8750000000", "SELECT d, n, p, f, s FROM a WHERE id = 1")
		do(t, db, "UPDATE a SET d = (SELECT MAX(d) FROM b), s = (SELECT MAX(d) FROM b), f = (SELECT MAX(d) FROM b) WHERE id = 2")
		want(t, db, "12345678901234567890.0000000001|12345678901234567890.0000000001|1.2345678901234567e+19", "SELECT d, s, f FROM a WHERE id = 2")
		failsAs(t, db, 1264, "UPDATE a SET p = (SELECT MAX(d) FROM b)")
		failsAs(t, db, 1264, "UPDATE a JOIN b ON b.aid = a.id SET a.n = b.d WHERE b.id = 20")
		want(t, db, "4|12345678901234567890.5000000000", "INSERT INTO a (id, d) SELECT 4, d FROM a AS x WHERE id = 3 RETURNING id, d")
		want(t, db, "1.5000000000", "INSERT INTO a (id, d) VALUES (5, '1.5') RETURNING d")
		do(t, db, "DELETE FROM a WHERE id > 3")
		do(t, db, "INSERT INTO a (id, d, s) SELECT b.aid, b.d, 'x' FROM b ON DUPLICATE KEY UPDATE d = b.d, p = 0")
		want(t, db, "1|1234567.8750000000 2|12345678901234567890.0000000001 3|3.0000000000", "SELECT id, d FROM a ORDER BY id")
		c := pin(t, db)
		if _, err := c.ExecContext(bg, "SELECT MAX(d) INTO @m FROM a"); err != nil {
			t.Fatal(err)
		}
		var id int
		if err := c.QueryRowContext(bg, "SELECT id FROM a WHERE d = @m").Scan(&id); err != nil || id != 2 {
			t.Errorf("the row of the greatest: %d, %v", id, err)
		}
		do(t, db, "CREATE VIEW v AS SELECT id, d * 2 AS twice FROM a")
		want(t, db, "2|24691357802469135780.0000000002", "SELECT * FROM v WHERE twice > 12345678901234567890")
		do(t, db, "CREATE TABLE w (id INT PRIMARY KEY, d DECIMAL(30,10)) COMMENT 'vindex=hash(id)'")
		do(t, db, "CREATE TABLE wd (d DECIMAL(30,10), keyspace_id VARBINARY(255), PRIMARY KEY (d, keyspace_id))")
		do(t, db, "ALTER VSCHEMA ON w ADD VINDEX by_d(d) USING lookup WITH owner=w, table=wd, `from`=d, `to`=keyspace_id")
		do(t, db, "INSERT INTO w SELECT id, d FROM a")
		want(t, db, "2", "SELECT id FROM w WHERE d = 12345678901234567890.0000000001")
		want(t, db, "1 3", "SELECT id FROM w WHERE d IN (?, ?) ORDER BY id", 3, "1234567.875")
		do(t, db, "UPDATE w SET d = d + 1")
		want(t, db, "3", "SELECT id FROM w WHERE d = 4.0")
		want(t, db, "0", "SELECT COUNT(*) FROM w JOIN wd ON w.d = wd.d WHERE w.d < wd.d")
		want(t, db, "3", "SELECT COUNT(*) FROM w JOIN wd ON w.d = wd.d")
	}
}
