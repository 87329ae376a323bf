package vitessdo

import (
	"math"
	"testing"
	"time"
)

// TestStrictValues: what a column can't keep is refused with MySQL's number, from
// INSERT as from UPDATE, as a literal as from an argument as computed on the shard;
// what it keeps in another form is brought into that.
func TestStrictValues(t *testing.T) {
	db := memDB(t, "", `CREATE TABLE t (id INT PRIMARY KEY, d DECIMAL(12,2), n INT, ti TINYINT UNSIGNED, u BIGINT UNSIGNED, s VARCHAR(5),
		dt DATE, e ENUM('a','b'), y YEAR, f DOUBLE, b VARBINARY(3), st SET('x','y','z'), bt BIT(4), tm DATETIME(3), ud DECIMAL(5,1) UNSIGNED)`)
	do(t, db, "INSERT INTO t (id) VALUES (1)")
	for i, tc := range []struct {
		column string
		value  any
		number uint16
		kept   string
	}{
		{"n", "x", 1366, ""}, {"n", "12x", 1265, ""}, {"n", "", 1366, ""}, {"n", int64(1) << 31, 1264, ""}, {"n", -1e10, 1264, ""},
		{"n", "7", 0, "7"}, {"n", 2.5, 0, "3"}, {"n", "-2.5", 0, "-3"}, {"n", true, 0, "1"}, {"n", " 8 ", 0, "8"}, {"n", nil, 0, "∅"},
		{"ti", -1, 1264, ""}, {"ti", 256, 1264, ""}, {"ti", 255.4, 0, "255"},
		{"u", "18446744073709551615", 1264, ""}, {"u", "9223372036854775807", 0, "9223372036854775807"}, {"u", -1, 1264, ""},
		{"d", 1.005, 0, "1.01"}, {"d", "-1.005", 0, "-1.01"}, {"d", "9999999999.995", 1264, ""}, {"d", "abc", 1366, ""}, {"d", 1e300, 1264, ""},
		{"ud", -0.5, 1264, ""}, {"ud", 9999.94, 0, "9999.9"}, {"ud", 9999.95, 1264, ""},
		{"s", "abcdef", 1406, ""}, {"s", "äöüßé", 0, "äöüßé"}, {"s", "abc     ", 0, "abc  "}, {"s", 123456, 1406, ""}, {"s", 12, 0, "12"},
		{"dt", "2026-02-30", 1292, ""}, {"dt", "foo", 1292, ""}, {"dt", "2026-1-2", 0, "2026-01-02 00:00:00"}, {"tm", "2026-01-02 25:00:00", 1292, ""},
		{"tm", "2026-01-02 03:04:05.67891", 0, "2026-01-02 03:04:05.679"},
		{"e", "c", 1265, ""}, {"e", "B", 0, "b"}, {"st", "q", 1265, ""}, {"st", "z,x", 0, "x,z"}, {"st", "", 0, ""},
		{"y", 99, 0, "1999"}, {"y", "2026", 0, "2026"}, {"y", 1800, 1264, ""}, {"bt", 15, 0, "15"}, {"bt", 16, 1264, ""},
		{"b", []byte("abcd"), 1406, ""}, {"b", []byte("abc"), 0, "abc"}, {"f", "1.5", 0, "1.5"}, {"f", "x", 1366, ""},
	} {
		insert, update := "INSERT INTO t (id, "+tc.column+") VALUES (?, ?)", "UPDATE t SET "+tc.column+" = ? WHERE id = 1"
		if tc.number != 0 {
			failsAs(t, db, tc.number, insert, 100+i, tc.value)
			failsAs(t, db, tc.number, update, tc.value)
			if tc.column != "e" && tc.column != "st" {
				failsAs(t, db, tc.number, "UPDATE t SET "+tc.column+" = COALESCE(?, NULL) WHERE id = 1", tc.value)
			}
			continue
		}
		do(t, db, insert, 100+i, tc.value)
		do(t, db, update, tc.value)
		want(t, db, tc.kept+" "+tc.kept, "SELECT "+tc.column+" FROM t WHERE id IN (1, ?) ORDER BY id", 100+i)
	}
	failsAs(t, db, 1264, "INSERT INTO t (id, u) VALUES (900, 18446744073709551615)")
	failsAs(t, db, 1264, "INSERT INTO t (id, u) VALUES (900, ?)", uint64(math.MaxUint64))
	failsAs(t, db, 1366, "INSERT INTO t (id, n) SELECT 900, 'x'")
	failsAs(t, db, 1366, "REPLACE INTO t (id, n) VALUES (1, 'x')")
	e := mustFail(t, db, CodeValueRange, "INSERT INTO t (id, n) VALUES (900, 1), (901, 1e10)")
	if e.Message != "Out of range value for column 'n' at row 2" || e.SQLState != "22003" || len(e.Columns) != 1 || e.Columns[0] != "n" || e.Table != "t" {
		t.Errorf("%+v", e)
	}
	want(t, db, "0", "SELECT COUNT(*) FROM t WHERE id >= 900")
	do(t, db, "INSERT IGNORE INTO t (id, n, ti, s, dt, d, st) VALUES (950, '12x', 999, 'abcdefg', 'foo', 1e20, 'x,q')")
	want(t, db, "12|255|abcde|9999999999.99|x", "SELECT n, ti, s, d, st FROM t WHERE id = 950")
}

// TestComputedValues: what a shard computes for a column is rounded and checked
// there.
func TestComputedValues(t *testing.T) {
	db := memDBWith(t, mysqlFunctions, "", "CREATE TABLE t (id INT PRIMARY KEY, d DECIMAL(12,2), n INT, ti TINYINT UNSIGNED, u BIGINT UNSIGNED, s VARCHAR(5), dt DATE)",
		"INSERT INTO t VALUES (1, 1.01, 7, 255, 5, 'abcde', '2026-01-02'), (2, 8.00, 1, 1, 1, 'x', NULL)")
	do(t, db, "UPDATE t SET d = d / 3, n = d * 10 WHERE id = 1")
	want(t, db, "0.34|340.00|3", "SELECT d, d * 1000, n FROM t WHERE id = 1")
	for _, assign := range []string{"n = n * 2000000000", "ti = ti + 1", "u = u + 9223372036854775807", "d = 123456789012.5", "d = d * 100000000000"} {
		failsAs(t, db, 1264, "UPDATE t SET "+assign+" WHERE id = 1")
	}
	failsAs(t, db, 1690, "UPDATE t SET ti = ti - 256 WHERE id = 1") // of numbers without sign
	failsAs(t, db, 1406, "UPDATE t SET s = CONCAT(s, 'f') WHERE id = 1")
	failsAs(t, db, 1292, "UPDATE t SET dt = CONCAT('fo', 'o') WHERE id = 1")
	failsAs(t, db, 1366, "UPDATE t SET n = CONCAT('fo', 'o') WHERE id = 1")
	failsAs(t, db, 1264, "UPDATE t SET n = n + 2147483646 WHERE id > 0")
	want(t, db, "3 1", "SELECT n FROM t ORDER BY id")
	do(t, db, "INSERT INTO t (id, d) VALUES (1, 5) ON DUPLICATE KEY UPDATE d = VALUES(d) / 3")
	want(t, db, "1.67|1", "SELECT d, d = 1.67 FROM t WHERE id = 1")
	failsAs(t, db, 1264, "INSERT INTO t (id) VALUES (1) ON DUPLICATE KEY UPDATE n = n + 2147483647")
	// The row moves to where its new key leads, through the same checks.
	do(t, db, "UPDATE t SET id = id + 10, d = d / 3 WHERE id = 1")
	want(t, db, "0.56|1", "SELECT d, d = 0.56 FROM t WHERE id = 11")
	failsAs(t, db, 1264, "UPDATE t SET id = id + 10, n = 3e9 WHERE id = 11")
	do(t, db, "INSERT INTO t (id, d, s) SELECT id + 20, d / 3, d FROM t WHERE id = 2")
	want(t, db, "2.67|8.00", "SELECT d, s FROM t WHERE id = 22")

	do(t, db, "ALTER TABLE t MODIFY d DECIMAL(12,1)")
	want(t, db, "8.0|1 0.6|1 2.7|1", "SELECT d, d IN (8, 0.6, 2.7) FROM t ORDER BY id")
	failsAs(t, db, 1264, "ALTER TABLE t MODIFY ti TINYINT")
	failsAs(t, db, 1406, "ALTER TABLE t MODIFY s VARCHAR(3)")
	do(t, db, "ALTER TABLE t MODIFY d INT")
	want(t, db, "8 1 3", "SELECT d FROM t ORDER BY id")
}

// TestZeroDates: NO_ZERO_DATE is a part of strict mode. Zero dates are for IGNORE.
func TestZeroDates(t *testing.T) {
	db := memDB(t, "parse_time=false", "CREATE TABLE z (id INT PRIMARY KEY, d DATE, t DATETIME(3), s TIMESTAMP NULL)", "INSERT INTO z (id) VALUES (1)")
	failsAs(t, db, 1292, "INSERT INTO z (id, d) VALUES (2, '0000-00-00')")
	failsAs(t, db, 1292, "INSERT INTO z (id, t) VALUES (2, ?)", time.Time{})
	failsAs(t, db, 1292, "INSERT INTO z (id, s) SELECT 2, '0000-00-00 00:00:00' FROM z")
	failsAs(t, db, 1292, "UPDATE z SET d = '0000-00-00'")
	failsAs(t, db, 1292, "UPDATE z SET d = CONCAT('0000-00', '-00') WHERE id = 1")
	failsAs(t, db, 1292, "UPDATE z SET t = ? WHERE id = 1", time.Time{})
	failsAs(t, db, 1292, "INSERT INTO z (id, d) VALUES (1, NULL) ON DUPLICATE KEY UPDATE d = '0000-00-00'")
	do(t, db, "INSERT IGNORE INTO z VALUES (2, '0000-00-00', ?, 'nope')", time.Time{})
	want(t, db, "2|0000-00-00|0000-00-00 00:00:00.000|0000-00-00 00:00:00", "SELECT * FROM z WHERE d = '0000-00-00'")
	want(t, db, "2", "SELECT id FROM z WHERE t = ?", time.Time{})
	do(t, db, "UPDATE z SET s = NULL WHERE id = 2")
}

func TestGeneratedDecimals(t *testing.T) {
	db := memDBWith(t, mysqlFunctions, "", `CREATE TABLE g (id INT PRIMARY KEY, p DECIMAL(10,2), q INT, total DECIMAL(12,2) AS (p * q) STORED,
		tax DECIMAL(12,2) AS (p * 0.0825) VIRTUAL, CHECK (p * q <> 0.3))`)
	do(t, db, "INSERT INTO g (id, p, q) VALUES (1, 4.35, 100), (2, 0.1, 4)")
	want(t, db, "1|435.00|0.36 0|0.40|0.01", "SELECT total = 435, total, tax FROM g ORDER BY id")
	mustFail(t, db, CodeCheck, "INSERT INTO g (id, p, q) VALUES (3, .1, 3)")
}

// TestDefaultsFit holds that a literal default is one that its column takes, rounded
// to what it keeps.
func TestDefaultsFit(t *testing.T) {
	db := memDBWith(t, roundsDefaults, "")
	for _, column := range []string{"INT DEFAULT 'x'", "TINYINT DEFAULT 300", "INT UNSIGNED DEFAULT -1", "DECIMAL(4,2) DEFAULT 100", "DECIMAL(30,2) DEFAULT 'x'",
		"VARCHAR(2) DEFAULT 'abc'", "DATE DEFAULT 'nope'", "DATETIME DEFAULT '2024-13-01'", "TIME DEFAULT 'x'", "ENUM('a') DEFAULT 'b'", "DOUBLE DEFAULT 'x'",
		"BIGINT UNSIGNED DEFAULT 18446744073709551615", "DATE DEFAULT '0000-00-00'", "DATETIME DEFAULT '0000-00-00 00:00:00'", "INT NOT NULL DEFAULT ''"} {
		failsAs(t, db, 1067, "CREATE TABLE bad (id INT PRIMARY KEY, c "+column+")")
	}
	do(t, db, `CREATE TABLE d (id INT PRIMARY KEY, a DECIMAL(4,2) DEFAULT 1.235, b INT DEFAULT '7', c INT DEFAULT -1.5, e DECIMAL(30,2) DEFAULT -0.005,
		f VARCHAR(3) DEFAULT 'abc', g DATE DEFAULT '2024-1-2', h ENUM('a', 'B') DEFAULT 'b', i BOOL DEFAULT TRUE, j DECIMAL(5,1) DEFAULT '2.5',
		k DATETIME DEFAULT '1000-01-01 00:00:00', l BIT(4) DEFAULT b'101', m YEAR DEFAULT 24, n TEXT, o DOUBLE DEFAULT 1e3, p INT DEFAULT NULL)`)
	do(t, db, "INSERT INTO d (id) VALUES (1)")
	want(t, db, "1.24|7|-2|-0.01|abc|2024-01-02|B|1|2.5|2024|1", "SELECT a, b, c, e, f, CAST(g AS CHAR), h, i, j, m, a = 1.24 FROM d")
	failsAs(t, db, 1067, "ALTER TABLE d ADD COLUMN x TINYINT DEFAULT 128")
	failsAs(t, db, 1067, "ALTER TABLE d ALTER COLUMN b SET DEFAULT 'x'")
	failsAs(t, db, 1067, "ALTER TABLE d MODIFY f VARCHAR(2) DEFAULT 'abc'")
	do(t, db, "ALTER TABLE d ADD COLUMN x DECIMAL(3,1) NOT NULL DEFAULT 9.94")
	want(t, db, "9.9|1", "SELECT x, x = 9.9 FROM d")
}
