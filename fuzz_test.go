package vitessdo

import (
	"context"
	"errors"
	"testing"
	"time"
)

// FuzzStatement runs any text as a statement: it may fail, with a typed error,
// but neither panic nor spoil its connection.
func FuzzStatement(f *testing.F) {
	for _, q := range []string{
		"SELECT 1", "SELECT * FROM t", "SELECT a.id, SUM(b.v) FROM t a JOIN u b ON a.id = b.t_id GROUP BY 1 HAVING SUM(b.v) > 1 ORDER BY 2 DESC LIMIT 3",
		"SELECT v FROM t WHERE id IN (1, 2, ?) AND v LIKE 'a%'", "INSERT INTO t VALUES (1, 'x'), (2, NULL) ON DUPLICATE KEY UPDATE v = VALUES(v)",
		"UPDATE t SET v = CONCAT(v, 'x') WHERE id BETWEEN 1 AND 5 LIMIT 2", "DELETE FROM t WHERE id = (SELECT MAX(id) FROM u)", "REPLACE INTO t SET id = 1",
		"CREATE TABLE x (id BIGINT PRIMARY KEY AUTO_INCREMENT, v DECIMAL(10,2) DEFAULT 1.5, KEY (v)) PARTITION BY KEY(id)", "ALTER TABLE t ADD COLUMN z INT, MODIFY v TEXT",
		"DROP TABLE t", "TRUNCATE u", "BEGIN", "ROLLBACK TO SAVEPOINT a", "SET @a = 1, autocommit = 0", "SHOW TABLES LIKE '%'", "EXPLAIN FORMAT='vitess' SELECT * FROM t WHERE id = :a",
		"WITH c AS (SELECT id FROM t) SELECT ROW_NUMBER() OVER (PARTITION BY id ORDER BY id) FROM c", "SELECT 1 UNION ALL SELECT v FROM t EXCEPT SELECT 2",
		"SELECT JSON_EXTRACT('{\"a\": 1}', '$.a'), DATE_ADD('2024-01-01', INTERVAL 1 MONTH), x'00ff', -9223372036854775808, 1e308 * 10",
		"USE `main/-80`", "ALTER VSCHEMA ON t ADD VINDEX h (id) USING hash", "SELECT /*vt+ COMBINE=query */ COUNT(*) FROM t", "SELECT '\x00', \"\\\"\" -- c", "(((((((((", "SELECT ? + ?, :x",
	} {
		f.Add(q)
	}
	db := memDB(f, "max_combine_rows=2000&multi_statements=true", "CREATE TABLE keep (id BIGINT PRIMARY KEY, v INT)", "INSERT INTO keep VALUES (1, 1), (2, 2), (3, 3)")
	f.Fuzz(func(t *testing.T, query string) {
		ctx, cancel := context.WithTimeout(bg, 2*time.Second)
		defer cancel()
		for _, q := range []string{"CREATE TABLE IF NOT EXISTS t (id BIGINT PRIMARY KEY, v VARCHAR(20))", "CREATE TABLE IF NOT EXISTS u (id BIGINT, t_id BIGINT, v INT, PRIMARY KEY (t_id, id))"} {
			_, _ = db.ExecContext(ctx, q) // may be a view by now
		}
		c, err := db.Conn(bg)
		if err != nil {
			t.Fatalf("no connection: %v", err)
		}
		_, err = c.ExecContext(ctx, query)
		checkFuzzed(t, query, err)
		rows, err := c.QueryContext(ctx, query, 1)
		checkFuzzed(t, query, err)
		if err == nil {
			for i := 0; rows.Next() && i < 1000; i++ {
			}
			checkFuzzed(t, query, rows.Err())
			rows.Close()
		}
		// Whatever it was, the connection answers, or says why not.
		if _, err := c.ExecContext(bg, "ROLLBACK"); err != nil {
			t.Fatalf("%q: rollback: %v", query, err)
		}
		if err := c.Close(); err != nil {
			t.Fatalf("%q: close: %v", query, err)
		}
		var n int
		if err := db.QueryRow("SELECT 40 + 2").Scan(&n); err != nil || n != 42 {
			t.Fatalf("after %q: %d, %v", query, n, err)
		}
	})
}

func checkFuzzed(t *testing.T, query string, err error) {
	t.Helper()
	var e *Error
	switch {
	case err == nil, errors.Is(err, context.DeadlineExceeded):
	case !errors.As(err, &e):
		t.Fatalf("%q: %v (%T) is no *Error", query, err, err)
	case e.Number == 0 || e.Message == "":
		t.Fatalf("%q: an incomplete error %+v", query, e)
	}
}
