package vitessdo

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
)

// talk is a conversation with one session: statements, each with its rows, or
// its error's code and number.
type talk struct{ query, rows string }

func (x talk) run(t *testing.T, on querier) {
	t.Helper()
	got, err := rowsOf(on, x.query)
	text := strings.Join(got, " ")
	if err != nil {
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("%s: %v", x.query, err)
		}
		number, _ := asText(int64(e.Number))
		text = "error " + number
	}
	if text != x.rows {
		t.Errorf("%s:\n got  %s (%v)\n want %s", x.query, text, err, x.rows)
	}
}

func converse(t *testing.T, options string, talks []talk) {
	t.Helper()
	db := memDB(t, options)
	c := pin(t, db)
	for _, x := range talks {
		x.run(t, c)
	}
}

func TestUserVariables(t *testing.T) {
	converse(t, "", []talk{
		{"CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(20), n DECIMAL(10,2))", ""},
		{"INSERT INTO t VALUES (1, 'a', 1.5), (2, 'b', 2.5), (3, 'c', 3.25)", ""},
		{"SELECT @a", "∅"},
		{"SET @a = 5, @b = 'text', @C = 1.5, @d = NULL, @e = x'00ff'", ""},
		{"SELECT @a + 1, @b, @c * 2, @d IS NULL, HEX(@E)", "6|text|3|1|00FF"},
		{"SET @a = 1, @b = @a + 1", ""}, // all values are those of before
		{"SELECT @a, @b", "1|6"},
		{"SELECT v FROM t WHERE id = @a", "a"},
		{"SET @m = (SELECT MAX(id) FROM t)", ""},
		{"SELECT @m", "3"},
		{"SELECT @x := 7", "7"},
		{"SELECT @x", "7"},
		{"SELECT @last := id, @name := v FROM t ORDER BY id", "1|a 2|b 3|c"},
		{"SELECT @last, @name", "3|c"},
		{"SELECT @total := SUM(n) FROM t WHERE id < 3", "4.00"},
		{"SELECT @total", "4"},
		{"SELECT @n := @n + 1 FROM t", "error 1235"},
		{"SELECT @n := 1, t.* FROM t", "error 1235"},
		{"SELECT v FROM t WHERE (@n := 1) = 1", "error 1235"},
		{"UPDATE t SET v = @name WHERE id = @a", ""},
		{"SELECT v FROM t WHERE id = 1", "c"},
		{"INSERT INTO t (id, v) VALUES (@m + 1, @name)", ""},
		{"SELECT v FROM t WHERE id = 4", "c"},
	})
}

func TestCommandsTakeArguments(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)", "CREATE TABLE u (id BIGINT PRIMARY KEY)")
	c := pin(t, db)
	do(t, c, "SET @name := ?, @n = ? + (SELECT MAX(id) FROM t WHERE id < ?)", "Ann", 1, 3)
	want(t, c, "Ann|3", "SELECT @name, @n")
	do(t, c, "SET @twice = CONCAT(:x, :x)", sql.Named("x", "ab"))
	want(t, c, "abab", "SELECT @twice")
	do(t, c, "SET SESSION max_execution_time = ?", 5000)
	want(t, c, "5000", "SELECT @@max_execution_time")
	do(t, c, "DO GET_LOCK(?, ?), @name := ?", "a lock", 0, "Bob")
	want(t, c, "1", "SELECT RELEASE_LOCK(?)", "a lock")
	want(t, c, "u", "SHOW TABLES WHERE Tables_in_main = ?", "u")
	for _, x := range []string{"SET @a = ?", "DO SLEEP(?)", "SHOW TABLES WHERE Tables_in_main = ?"} {
		var e *Error
		if _, err := c.ExecContext(bg, x); !errors.As(err, &e) || e.Code != CodeParameterCount {
			t.Errorf("%s: %v", x, err)
		}
	}
	do(t, c, "SET @a = NOW(6)")
	do(t, c, "SET @b = NOW(6)")
	want(t, c, "1", "SELECT @b > @a") // not the moment of the statement before
}

func TestAssignmentIsMadeByEveryReader(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)")
	c := pin(t, db)
	do(t, c, "DO (SELECT 1)")
	do(t, c, "SELECT @a := MAX(id) FROM t")
	want(t, c, "3", "SELECT @a")
	var first int
	if err := c.QueryRowContext(bg, "SELECT @b := id FROM t ORDER BY id").Scan(&first); err != nil || first != 1 {
		t.Fatal(first, err)
	}
	want(t, c, "3", "SELECT @b") // the last row's, though only one was read
}

func TestVariables(t *testing.T) {
	converse(t, "", []talk{
		{"SELECT @@autocommit, @@session.sql_auto_is_null, @@global.autocommit, @@version_comment LIMIT 1", "1|0|1|vitessdo"},
		{"SHOW VARIABLES LIKE 'autocommit'", "autocommit|ON"},
		{"SHOW VARIABLES WHERE Variable_name IN ('unique_checks', 'sql_warnings')", "sql_warnings|OFF unique_checks|ON"},
		{"SET autocommit = 0", ""},
		{"SELECT @@autocommit, @@global.autocommit", "0|1"},
		{"SHOW GLOBAL VARIABLES LIKE 'autocommit'", "autocommit|ON"},
		{"SHOW SESSION VARIABLES LIKE 'autocommit'", "autocommit|OFF"},
		{"SET autocommit = 1, wait_timeout = 60, @@session.net_read_timeout = 7", ""},
		{"SELECT @@wait_timeout, @@net_read_timeout, @@global.wait_timeout", "60|7|28800"},
		{"SET wait_timeout = DEFAULT", ""},
		{"SELECT @@wait_timeout", "28800"},
		{"SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci", ""},
		{"SELECT @@collation_connection", "utf8mb4_unicode_ci"},
		{"SET NAMES latin1", "error 1115"},
		{"SET character_set_results = NULL", ""},
		{"SET character_set_client = koi8r", "error 1115"},
		{"SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'", ""},
		{`SELECT "version" FROM (SELECT 1 AS version) x`, "1"},
		{"SET sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')", ""},
		{"SELECT 'a' || 'b', @@sql_mode", "ab|ANSI_QUOTES,STRICT_TRANS_TABLES,PIPES_AS_CONCAT"},
		{"SET sql_mode = 'HIGH_NOT_PRECEDENCE'", "error 1235"},
		{"SET sql_mode = 'NO_SUCH_MODE'", "error 1231"},
		{"SET sql_mode = ''", ""},
		{`SELECT "text", 1 || 0`, "text|1"},
		{"SET transaction_mode = 'multi'", ""},
		{"SELECT @@transaction_mode, @@global.transaction_mode", "multi|twopc"},
		{"SET transaction_mode = 'sometimes'", "error 1105"},
		{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", ""},
		{"SELECT @@transaction_isolation, @@tx_isolation", "READ-COMMITTED|READ-COMMITTED"},
		{"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", ""},
		{"SELECT @@transaction_isolation, @@tx_isolation", "SERIALIZABLE|SERIALIZABLE"},
		{"SET transaction_isolation = 'CHAOS'", "error 1235"},
		{"SET time_zone = '+00:00'", ""},
		{"SET time_zone = 'America/Lima'", "error 1235"},
		{"SET GLOBAL sql_mode = ''", "error 1235"},
		{"SET GLOBAL wait_timeout = 5", ""},
		{"SET no_such_thing = 1", "error 1193"},
		{"SELECT @@no_such_thing", "error 1193"},
		{"SET version = '9'", "error 1238"},
		{"SET sql_select_limit = 10", "error 1235"},
		{"SET sql_select_limit = DEFAULT", ""},
		{"SET sql_safe_updates = 1", "error 1235"},
		{"SET sql_safe_updates = 0, sql_auto_is_null = 0", ""},
		{"SET @u = 1, wait_timeout = 9, version = '9'", "error 1238"}, // all or none
		{"SELECT @u, @@wait_timeout", "∅|28800"},
		{"SET timestamp = 86400", ""},
		{"SELECT NOW(), UNIX_TIMESTAMP(), @@timestamp", "1970-01-02 00:00:00|86400|86400"},
		{"SET timestamp = DEFAULT", ""},
		{"SELECT NOW() > '2020-01-01'", "1"},
		{"SET last_insert_id = 9", ""},
		{"SELECT LAST_INSERT_ID(), @@identity", "9|9"},
	})
}

func TestSessionFunctions(t *testing.T) {
	converse(t, "", []talk{
		{"CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, v INT)", ""},
		{"INSERT INTO t (v) VALUES (1), (2), (3), (4)", ""},
		{"SELECT ROW_COUNT()", "4"},
		{"SELECT ROW_COUNT()", "-1"},
		{"UPDATE t SET v = v + 1 WHERE v > 2", ""},
		{"SET @n = ROW_COUNT()", ""},
		{"SELECT @n, ROW_COUNT()", "2|0"},
		{"SELECT nope", "error 1054"},
		{"SELECT ROW_COUNT()", "-1"},
		{"SELECT LAST_INSERT_ID(), LAST_INSERT_ID(41)", "1|41"},
		{"SELECT LAST_INSERT_ID()", "41"},
		{"CREATE TABLE seq (name VARCHAR(10) PRIMARY KEY, n BIGINT)", ""},
		{"INSERT INTO seq VALUES ('a', 7), ('b', 70)", ""},
		{"UPDATE seq SET n = LAST_INSERT_ID(n + 1) WHERE name = 'a'", ""},
		{"SELECT LAST_INSERT_ID(), ROW_COUNT()", "8|1"},
		{"SELECT n FROM seq ORDER BY n", "8 70"},
		{"UPDATE seq SET name = 'c', n = LAST_INSERT_ID(n * 2) WHERE name = 'b'", ""}, // the row may move
		{"SELECT LAST_INSERT_ID(), n FROM seq WHERE name = 'c'", "140|140"},
		{"UPDATE seq SET n = LAST_INSERT_ID(5) WHERE name = 'none'", ""},
		{"SELECT LAST_INSERT_ID()", "140"},
		{"INSERT INTO seq VALUES ('a', 1) ON DUPLICATE KEY UPDATE n = LAST_INSERT_ID(n)", ""},
		{"SELECT LAST_INSERT_ID(), n FROM seq WHERE name = 'a'", "8|8"},
		{"SELECT id FROM t ORDER BY id LIMIT 2", "1 2"},
		{"SELECT FOUND_ROWS()", "2"},
		{"SELECT SQL_CALC_FOUND_ROWS id FROM t ORDER BY id LIMIT 2", "1 2"},
		{"SELECT FOUND_ROWS()", "4"},
		{"SELECT FOUND_ROWS()", "1"},
		{"SELECT SQL_CALC_FOUND_ROWS id FROM t WHERE v > 1 ORDER BY id LIMIT 1 OFFSET 1", "3"},
		{"SELECT FOUND_ROWS()", "3"},
		{"SELECT SQL_CALC_FOUND_ROWS id FROM t WHERE id < 3 UNION ALL SELECT id FROM t WHERE id > 2 ORDER BY 1 LIMIT 1", "1"},
		{"SELECT FOUND_ROWS()", "4"},
		{"SELECT SQL_CALC_FOUND_ROWS v, COUNT(*) FROM t GROUP BY v ORDER BY v LIMIT 0", ""},
		{"SELECT FOUND_ROWS()", "4"},
		{"SELECT DATABASE(), VERSION(), USER(), CONNECTION_ID() > 0", "main|" + serverVersion + "|root@localhost|1"},
		{"SELECT SLEEP(0)", "0"},
		{"SELECT SLEEP(-1)", "error 1210"},
		{"KILL 5", "error 1235"},
	})
}

func TestFoundRowsOfWhatWasNotRead(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)")
	c := pin(t, db)
	var n int
	if err := c.QueryRowContext(bg, "SELECT id FROM t ORDER BY id").Scan(&n); err != nil {
		t.Fatal(err)
	}
	mustFail(t, c, CodePlan, "DO FOUND_ROWS()")
	if err := c.QueryRowContext(bg, "SELECT SQL_CALC_FOUND_ROWS id FROM t ORDER BY id LIMIT 2").Scan(&n); err != nil {
		t.Fatal(err)
	}
	want(t, c, "3", "SELECT FOUND_ROWS()")
}

func TestPrepareAsSQL(t *testing.T) {
	converse(t, "", []talk{
		{"CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(10))", ""},
		{"PREPARE ins FROM 'INSERT INTO t VALUES (?, ?)'", ""},
		{"SET @i = 1, @v = 'one'", ""},
		{"EXECUTE ins USING @i, @v", ""},
		{"SELECT ROW_COUNT()", "1"},
		{"SET @i = 2", ""},
		{"EXECUTE INS USING @i, @v", ""},
		{"PREPARE sel FROM 'SELECT id, v FROM t WHERE id = ?'", ""},
		{"EXECUTE sel USING @i", "2|one"},
		{"SET @sql = CONCAT('SELECT COUNT(*) FROM ', 't')", ""},
		{"PREPARE sel FROM @sql", ""},
		{"EXECUTE sel", "2"},
		{"EXECUTE sel USING @i", "error 1210"},
		{"PREPARE s FROM 'SHOW TABLES'", ""},
		{"EXECUTE s", "t"},
		{"PREPARE s FROM 'SELECT broken FROM t'", "error 1054"},
		{"EXECUTE s", "error 1243"},
		{"PREPARE s FROM 'PREPARE x FROM ''SELECT 1'''", "error 1295"},
		{"PREPARE s FROM @nothing", "error 1064"},
		{"DEALLOCATE PREPARE sel", ""},
		{"EXECUTE sel", "error 1243"},
		{"DROP PREPARE ins", ""},
		{"DEALLOCATE PREPARE ins", "error 1243"},
	})
}

func TestWarnings(t *testing.T) {
	converse(t, "", []talk{
		{"CREATE TABLE t (id BIGINT PRIMARY KEY)", ""},
		{"INSERT IGNORE INTO t VALUES (1), (1), (2)", ""},
		{"SHOW COUNT(*) WARNINGS", "1"},
		{"SELECT @@warning_count, @@error_count", "1|0"},
		{"SHOW WARNINGS", "Warning|1062|a row was left out: it duplicates a key, or breaks another constraint"},
		{"SELECT id FROM t WHERE id = 1", "1"},
		{"SHOW WARNINGS", ""},
		{"SELECT nope FROM t", "error 1054"},
		{"SHOW ERRORS", "Error|1054|Unknown column 'nope' in 'field list'"},
		{"SHOW COUNT(*) ERRORS", "1"},
		{"DROP TABLE IF EXISTS nothing", ""},
		{"SELECT @@warning_count", "1"},
	})
}

// TestShowWhere: SHOW … WHERE takes any condition, as a query does.
func TestShowWhere(t *testing.T) {
	converse(t, "", []talk{
		{"CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x', age INT, KEY k (name))", ""},
		{"CREATE TABLE orders (id BIGINT PRIMARY KEY)", ""},
		{"CREATE VIEW v AS SELECT id FROM users", ""},
		{"SHOW FULL TABLES WHERE Table_type = 'VIEW'", "v|VIEW"},
		{"SHOW FULL TABLES FROM main WHERE Tables_in_main LIKE '%S' AND Table_type != 'view'", "orders|BASE TABLE users|BASE TABLE"},
		{"SHOW TABLES WHERE LENGTH(Tables_in_main) = 5", "users"},
		{"SHOW TABLES WHERE Tables_in_main IN (SELECT table_name FROM information_schema.views)", "v"},
		{"SHOW TABLES WHERE nope = 1", "error 1054"},
		{"SHOW COLUMNS FROM users WHERE `Key` <> '' OR `Default` IS NOT NULL", "id|bigint|NO|PRI|∅| name|varchar(20)|NO|MUL|x|"},
		{"SHOW INDEX FROM users WHERE Non_unique + 0 = 1 AND Seq_in_index <= 1", "users|1|k|1|name|A|∅|∅|∅||BTREE|||YES|∅"},
		{"SHOW VARIABLES WHERE Variable_name = 'autocommit' AND NOT Value = 'OFF'", "autocommit|ON"},
		{"SHOW DATABASES WHERE `Database` = @nothing", ""},
		{"SHOW COLLATION WHERE Charset = 'utf8mb4' AND Id > 250 AND `Default` = ''", "utf8mb4_0900_ai_ci|utf8mb4|255||Yes|1|NO PAD utf8mb4_0900_bin|utf8mb4|309||Yes|1|NO PAD"},
	})
}
