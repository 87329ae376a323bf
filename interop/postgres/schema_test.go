//go:build linux && !nopostgres

package postgres_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo"
)

// TestSchemaChanges makes the same changes on PostgreSQL and on SQLite in the process:
// the rows that were there, and those that come, are the same behind each.
func TestSchemaChanges(t *testing.T) {
	cfg := config(t, 3)
	cfg.ParseTime = false
	shards := openDB(t, cfg)
	own, err := sql.Open("vitessdo", ":memory:?shards=3&parse_time=false")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for _, text := range []string{
		"CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_general_ci NOT NULL, n SMALLINT DEFAULT 3, d DECIMAL(8,2), big DECIMAL(30,4), at DATETIME(3), doc JSON, kind ENUM('x','y') DEFAULT 'x', raw VARBINARY(8), UNIQUE KEY u (name), KEY k (n, at), CHECK (n < 1000))",
		"INSERT INTO a (id, name, d, big, at, doc, raw) VALUES (1, 'Ann', 1.50, 123456789012345678.1234, '2024-01-01', '{\"a\": 1}', x'00ff'), (2, 'bob', -2.25, -0.5, '2024-01-02 03:04:05.678', NULL, NULL)",
		"INSERT INTO a (id, name) VALUES (3, 'ANN')",
		"INSERT INTO a (id, name, n) VALUES (3, 'cid', 1000)",
		"INSERT INTO a (id, name, n) VALUES (3, 'cid', 40000)",
		"INSERT INTO a (id, name, kind) VALUES (3, 'cid', 'z')",
		"INSERT INTO a (id, name, doc) VALUES (3, 'cid', '{')",
		"INSERT INTO a (id, name) VALUES (3, NULL)",
		"SELECT * FROM a ORDER BY name DESC",
		"SELECT id FROM a WHERE big > 0 AND d = 1.5",
		"ALTER TABLE a ADD COLUMN more INT NOT NULL DEFAULT 7, ADD COLUMN what VARCHAR(10)",
		"ALTER TABLE a ADD COLUMN need TEXT NOT NULL",
		"ALTER TABLE a ADD COLUMN twice BIGINT AS (n * 2)",
		"SELECT id, more, what, need, twice FROM a ORDER BY id",
		"UPDATE a SET n = n + 1, what = CONCAT(name, '!') WHERE id > 0",
		"SELECT id, n, twice, what FROM a ORDER BY twice, id",
		"ALTER TABLE a MODIFY COLUMN n BIGINT NOT NULL DEFAULT 5",
		"INSERT INTO a (id, name, need) VALUES (4, 'dan', '')",
		"SELECT id, twice FROM a ORDER BY id",
		"ALTER TABLE a MODIFY COLUMN twice BIGINT AS (n * 3), ADD KEY (twice)",
		"SELECT id FROM a WHERE twice > 9 ORDER BY id",
		"ALTER TABLE a RENAME COLUMN what TO whatever, DROP COLUMN doc",
		"ALTER TABLE a DROP INDEX k, ADD INDEX k2 (at), ADD UNIQUE KEY u2 (n, name)",
		"ALTER TABLE a RENAME COLUMN more TO n2, ADD CHECK (n2 > 0)",
		"INSERT INTO a (id, name, need, n2) VALUES (5, 'eve', '', 0)",
		"SELECT id, n, n2, whatever, need FROM a ORDER BY id",
		"ALTER TABLE a RENAME TO b",
		"SELECT COUNT(*), MIN(name), MAX(at) FROM b",
		"ALTER TABLE b RENAME INDEX u TO u1",
		"INSERT INTO b (id, name, need) VALUES (6, 'BOB', '')",
		"CREATE INDEX later ON b (d)",
		"DROP INDEX later ON b",
		"ALTER TABLE b ALTER COLUMN n2 SET DEFAULT 9, ALTER COLUMN kind DROP DEFAULT",
		"INSERT INTO b (id, name, need, n) VALUES (7, 'gus', '', 70)",
		"SELECT n2, kind FROM b WHERE id = 7",
		"CREATE TABLE c (x INT, y TEXT)",
		"INSERT INTO c VALUES (1, 'a'), (1, 'a'), (NULL, 'b')",
		"DELETE FROM c WHERE x = 1 LIMIT 1",
		"ALTER TABLE c ADD COLUMN id INT NOT NULL DEFAULT 0",
		"UPDATE c SET id = IFNULL(x, 9)",
		"ALTER TABLE c ADD PRIMARY KEY (id)",
		"UPDATE IGNORE c SET id = 9, x = 5",
		"SELECT * FROM c ORDER BY id",
		"CREATE TABLE e LIKE b",
		"CREATE TABLE f AS SELECT id, name FROM b",
		"SELECT COUNT(*) FROM f",
		"RENAME TABLE f TO g, e TO f",
		"TRUNCATE TABLE g",
		"SELECT COUNT(*) FROM g",
		"CREATE TABLE parent (id INT PRIMARY KEY)",
		"CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)",
		"INSERT INTO child VALUES (1, 1)",
		"INSERT INTO parent VALUES (1), (2)",
		"INSERT INTO child VALUES (1, 1), (2, 2)",
		"DROP TABLE parent",
		"DELETE FROM parent WHERE id = 1",
		"SELECT * FROM child",
		"DROP TABLE child, parent",
		"CREATE TABLE ci (k VARCHAR(10) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT)",
		"INSERT INTO ci VALUES ('a', 1), ('B', 2)",
		"INSERT INTO ci VALUES ('A', 3)",
		"INSERT INTO ci VALUES ('A', 3) ON DUPLICATE KEY UPDATE v = v + 10",
		"REPLACE INTO ci VALUES ('b', 4)",
		"SELECT * FROM ci ORDER BY k",
		"SELECT k FROM ci WHERE k IN ('A', 'b') ORDER BY v",
		"UPDATE ci SET k = 'C' WHERE k = 'B'",
		"SELECT k, v FROM ci WHERE k LIKE 'c%'",
		"DROP TABLE ci",
	} {
		want, wantErr := outcome(own, text)
		got, gotErr := outcome(shards, text)
		if got != want || number(gotErr) != number(wantErr) {
			t.Errorf("%s\n gives %s %v\n want %s %v", text, got, gotErr, want, wantErr)
		}
	}
	// What can't be done says so.
	for _, text := range []string{
		"ALTER TABLE b MODIFY COLUMN name INT", "ALTER TABLE b MODIFY COLUMN name VARCHAR(2)",
		"CREATE TABLE h (id INT PRIMARY KEY, t TEXT, CHECK (t REGEXP 'a'))", "CHECK TABLE b",
	} {
		if _, err := outcome(shards, text); number(err) != 1235 {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func number(err error) int {
	var e *vitessdo.Error
	if errors.As(err, &e) {
		return int(e.Number)
	}
	if err != nil {
		return -1
	}
	return 0
}

// outcome runs a statement, and gives its rows.
func outcome(db *sql.DB, text string) (string, error) {
	if !strings.HasPrefix(text, "SELECT") && !strings.HasPrefix(text, "CHECK") {
		res, err := db.Exec(text)
		if err != nil || strings.HasPrefix(text, "ALTER") || strings.HasPrefix(text, "CREATE") {
			return "", err
		}
		n, _ := res.RowsAffected()
		return fmt.Sprint(n), nil
	}
	rows, err := db.Query(text)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	var out strings.Builder
	for rows.Next() {
		row, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return "", err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = fmt.Sprintf("%q", b)
			}
		}
		fmt.Fprint(&out, row)
	}
	return out.String(), rows.Err()
}
