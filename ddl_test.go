package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// shop makes parents with cascading children on all shards.
func shop(tb testing.TB, options string) *sql.DB {
	tb.Helper()
	return stocked(tb, memDB(tb, options))
}

// stocked is shop in a database that is there.
func stocked(tb testing.TB, db *sql.DB) *sql.DB {
	tb.Helper()
	withScript(tb, db, []string{
		"CREATE TABLE p (id BIGINT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(20) DEFAULT 'b', KEY ab (a, b))",
		"CREATE TABLE c (id BIGINT, p_id BIGINT NOT NULL, v INT, PRIMARY KEY (p_id, id), CONSTRAINT c_p FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE)"})
	for i := 1; i <= 20; i++ {
		do(tb, db, "INSERT INTO p (id, a) VALUES (?, ?)", i, i)
		do(tb, db, "INSERT INTO c VALUES (1, ?, 1), (2, ?, 2)", i, i)
	}
	return db
}

// TestAlterTable does every kind of change on a table with data on four shards
// and with children that cascade.
func TestAlterTable(t *testing.T) {
	alters(t, func() *sql.DB { return shop(t, "") }, []alteration{
		{"ADD COLUMN x INT", "SELECT COUNT(*), COUNT(x) FROM p", "20|0"},
		{"ADD COLUMN x INT NOT NULL DEFAULT 7", "SELECT SUM(x) FROM p", "140"},
		{"ADD COLUMN x INT AFTER id", "SELECT * FROM p WHERE id = 3", "3|∅|3|b"},
		{"ADD COLUMN x INT FIRST", "SELECT * FROM p WHERE id = 3", "∅|3|3|b"},
		{"ADD COLUMN (x INT DEFAULT 1, y VARCHAR(5) DEFAULT 'y')", "SELECT SUM(x), MAX(y) FROM p", "20|y"},
		{"ADD COLUMN x INT GENERATED ALWAYS AS (a * 2) STORED", "SELECT SUM(x) FROM p", "420"},
		{"DROP COLUMN b", "SELECT * FROM p WHERE id = 3", "3|3"},
		{"DROP COLUMN a, ADD COLUMN a VARCHAR(5) DEFAULT 'new'", "SELECT MIN(a), MAX(a) FROM p", "new|new"},
		{"MODIFY COLUMN a BIGINT NOT NULL", "SELECT SUM(a) FROM p", "210"},
		{"MODIFY b VARCHAR(20) FIRST", "SELECT * FROM p WHERE id = 3", "b|3|3"},
		{"CHANGE COLUMN b b VARCHAR(50) NOT NULL", "SELECT COUNT(b) FROM p", "20"},
		{"RENAME COLUMN a TO z", "SELECT SUM(z) FROM p", "210"},
		{"ALTER COLUMN b SET DEFAULT 'new'", "SELECT COUNT(*) FROM p WHERE b = 'b'", "20"},
		{"ALTER COLUMN b DROP DEFAULT", "SELECT COUNT(*) FROM p WHERE b = 'b'", "20"},
		{"ADD INDEX xa (a)", "SELECT id FROM p WHERE a = 4", "4"},
		{"ADD UNIQUE KEY ua (id, a)", "SELECT id FROM p WHERE a = 4", "4"},
		{"DROP INDEX ab", "SELECT id FROM p WHERE a = 4", "4"},
		{"RENAME INDEX ab TO ba", "SELECT id FROM p WHERE a = 4", "4"},
		{"ADD CONSTRAINT ck CHECK (a < 1000)", "SELECT COUNT(*) FROM p", "20"},
		{"RENAME TO q", "SELECT COUNT(*), SUM(a) FROM q", "20|210"},
		{"COMMENT = 'words'", "SELECT COUNT(*) FROM p", "20"},
		{"AUTO_INCREMENT = 5000", "SELECT COUNT(*) FROM p", "20"},
	})
	// Values are converted on the shards.
	alters(t, func() *sql.DB { return stocked(t, memDBWith(t, mysqlFunctions, "")) }, []alteration{
		{"MODIFY a VARCHAR(20)", "SELECT MAX(a) FROM p", "9"},
		{"CHANGE a aa DECIMAL(10,2)", "SELECT aa FROM p WHERE id = 3", "3.00"},
		{"ADD COLUMN x INT, DROP COLUMN b, MODIFY a VARCHAR(9), ADD KEY xx (x)", "SELECT * FROM p WHERE id = 3", "3|3|∅"},
	})
}

// alteration is a change of table p, and what a query then gives.
type alteration struct{ ddl, query, rows string }

func alters(t *testing.T, shop func() *sql.DB, list []alteration) {
	for _, tc := range list {
		t.Run(tc.ddl, func(t *testing.T) {
			db := shop()
			c := pin(t, db)
			want(t, c, "20", "SELECT COUNT(*) FROM p")
			do(t, db, "ALTER TABLE p "+tc.ddl)
			want(t, db, tc.rows, tc.query)
			want(t, c, tc.rows, tc.query) // another connection
			want(t, db, "40|60", "SELECT COUNT(*), SUM(v) FROM c")
			table := "p"
			if strings.HasPrefix(tc.ddl, "RENAME TO") {
				table = "q"
			}
			// Children still hang on their parents.
			mustFail(t, db, CodeForeignKey, "INSERT INTO c VALUES (9, 999, 0)")
			mustAffect(t, db, 5, "DELETE FROM "+table+" WHERE id > 15")
			want(t, db, "30", "SELECT COUNT(*) FROM c")
			sameOnShards(t, db)
		})
	}
}

// schemaTexts asks an engine for all of its schema that isn't the tablet's.
var schemaTexts = map[string]string{
	"sqlite": `SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema WHERE name NOT LIKE '\_vt\_%' ESCAPE '\' ORDER BY name)`,
	"postgres": `SELECT string_agg(line, ';' ORDER BY line) FROM (
		SELECT concat_ws(' ', table_name, column_name, ordinal_position, data_type, is_nullable, column_default, generation_expression) AS line
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE '\_vt\_%'
		UNION ALL SELECT regexp_replace(indexdef, ' ON [^.]*[.]', ' ON ') FROM pg_indexes WHERE schemaname = current_schema() AND tablename NOT LIKE '\_vt\_%'
		UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND conname NOT LIKE '\_vt\_%') AS lines`,
}

// sameOnShards compares the engines' own schemas of all shards.
func sameOnShards(t *testing.T, db *sql.DB) {
	t.Helper()
	c := pin(t, db)
	defer c.Close()
	err := c.Raw(func(dc any) error {
		s := dc.(*Conn).s
		first := ""
		for i := range s.cl.tabletsOf("main") {
			shard := s.cl.tabletsOf("main")[i]
			text, err := oneValue(bg, shard, schemaTexts[shard.Capabilities().Dialect])
			if err != nil {
				return err
			}
			if i == 0 {
				first = textOf(text)
			} else if textOf(text) != first {
				t.Errorf("shard %d differs:\n%s\n%s", i, text, first)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFailingDDL: what fails leaves every shard and the catalog as they were.
func TestFailingDDL(t *testing.T) {
	db := shop(t, "")
	do(t, db, "UPDATE p SET a = NULL WHERE id = 7") // on one shard only
	do(t, db, "UPDATE p SET b = 'abc' WHERE id = 9")
	do(t, db, "CREATE VIEW v AS SELECT id, a FROM p")
	create, err := rowsOf(db, "SHOW CREATE TABLE p")
	if err != nil {
		t.Fatal(err)
	}
	for query, code := range map[string]Code{
		"ALTER TABLE p MODIFY a INT NOT NULL":                               CodeNotNull,
		"ALTER TABLE p ADD CONSTRAINT ck CHECK (a IS NULL OR a < 20)":       CodeCheck,
		"ALTER TABLE p ADD COLUMN a INT":                                    "",
		"ALTER TABLE p DROP COLUMN nix":                                     "",
		"ALTER TABLE p ADD COLUMN z INT, DROP COLUMN nix":                   "",
		"ALTER TABLE p DROP COLUMN id":                                      "",
		"ALTER TABLE p DROP INDEX nix":                                      "",
		"ALTER TABLE nix ADD COLUMN z INT":                                  CodeNoTable,
		"ALTER TABLE p ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES nix(id)": "",
		"ALTER TABLE p ADD INDEX i (nix)":                                   CodeNoColumn,
		"CREATE TABLE p (id BIGINT PRIMARY KEY)":                            CodeTableExists,
		"CREATE TABLE x (id BIGINT PRIMARY KEY, id INT)":                    "",
		"CREATE TABLE x (a NIX)":                                            CodeSyntax,
		"CREATE VIEW v AS SELECT 1":                                         CodeTableExists,
		"CREATE VIEW w AS SELECT nix FROM p":                                CodeNoColumn,
		"DROP TABLE nix":                                                    CodeNoTable,
		"DROP TABLE p":                                                      "",
		"DROP TABLE c, nix":                                                 CodeNoTable,
		"DROP VIEW nix":                                                     "",
		"RENAME TABLE nix TO other":                                         CodeNoTable,
		"RENAME TABLE p TO c":                                               CodeTableExists,
		"TRUNCATE TABLE nix":                                                CodeNoTable,
		"TRUNCATE TABLE p":                                                  "",
		"CREATE TABLE y AS SELECT nix FROM p":                               CodeNoColumn,
		"CREATE TABLE y LIKE nix":                                           CodeNoTable,
	} {
		_, err := db.Exec(query)
		var e *Error
		switch {
		case !errors.As(err, &e):
			t.Errorf("%s: %v", query, err)
		case code != "" && e.Code != code:
			t.Errorf("%s: code %s (%v), want %s", query, e.Code, err, code)
		case e.Code == CodeInternal:
			t.Errorf("%s: an internal error: %v", query, err)
		}
		want(t, db, "20|19|40", "SELECT COUNT(*), COUNT(a), (SELECT COUNT(*) FROM c) FROM p")
		if again, err := rowsOf(db, "SHOW CREATE TABLE p"); err != nil || again[0] != create[0] {
			t.Errorf("after %s: %v, %v", query, again, err)
		}
		want(t, db, "c p v", "SHOW TABLES")
	}
	sameOnShards(t, db)
}

func TestUniqueIndexOnDuplicates(t *testing.T) {
	db := memDBWith(t, mysqlFunctions, "", "CREATE TABLE p (id BIGINT, a INT, PRIMARY KEY (id, a))", "CREATE TABLE d (id BIGINT, a INT, KEY (id)) PARTITION BY KEY(id)")
	do(t, db, "INSERT INTO d VALUES (1, 1), (2, 2), (3, 3), (3, 3)")
	mustFail(t, db, CodeUnique, "CREATE UNIQUE INDEX u ON d (id, a)")
	mustFail(t, db, CodeUnique, "ALTER TABLE d MODIFY id BIGINT NOT NULL, ADD PRIMARY KEY (id)")
	sameOnShards(t, db)
	do(t, db, "INSERT INTO d VALUES (3, 3)")
	want(t, db, "5", "SELECT COUNT(*) FROM d")
}

func TestCreateFrom(t *testing.T) {
	db := shop(t, "")
	do(t, db, "CREATE TABLE l LIKE p")
	want(t, db, "0", "SELECT COUNT(*) FROM l")
	do(t, db, "INSERT INTO l (a) VALUES (1), (2)")
	want(t, db, "2|b", "SELECT COUNT(*), MAX(b) FROM l")
	do(t, db, "CREATE TABLE s AS SELECT id, a * 2 AS twice, b FROM p WHERE id <= 10")
	want(t, db, "10|110|b", "SELECT COUNT(*), SUM(twice), MAX(b) FROM s")
	do(t, db, "CREATE TABLE k (id BIGINT PRIMARY KEY, extra INT DEFAULT 5) SELECT id, a FROM p")
	want(t, db, "20|210|100", "SELECT COUNT(*), SUM(a), SUM(extra) FROM k")
	want(t, db, "7", "SELECT a FROM k WHERE id = 7")
	do(t, db, "CREATE TABLE IF NOT EXISTS k (x INT)")
	want(t, db, "20", "SELECT COUNT(*) FROM k")
	mustFail(t, db, CodeUnique, "CREATE TABLE dup (v INT PRIMARY KEY) SELECT v FROM c")
	want(t, db, "c k l p s", "SHOW TABLES")
}

func TestViews(t *testing.T) {
	db := shop(t, "")
	do(t, db, "CREATE VIEW sums AS SELECT p_id, SUM(v) AS s FROM c GROUP BY p_id")
	do(t, db, "CREATE VIEW big (n) AS SELECT id FROM p WHERE a > 15")
	want(t, db, "20|60", "SELECT COUNT(*), SUM(s) FROM sums")
	want(t, db, "3", "SELECT s FROM sums WHERE p_id = 4")
	want(t, db, "16 17 18 19 20", "SELECT n FROM big ORDER BY n")
	want(t, db, "5", "SELECT COUNT(*) FROM big JOIN sums ON sums.p_id = big.n")
	do(t, db, "CREATE OR REPLACE VIEW big AS SELECT id AS n FROM p WHERE a > 18")
	want(t, db, "19 20", "SELECT n FROM big ORDER BY n")
	if c := mustFailAny(t, db, "CREATE VIEW big AS SELECT 1"); c.Code != CodeTableExists {
		t.Error(c)
	}
	do(t, db, "DROP VIEW big")
	_, err := rowsOf(db, "SELECT * FROM big")
	wantCode(t, err, CodeNoTable, "a dropped view")
	do(t, db, "DROP VIEW IF EXISTS big")
}

func mustFailAny(t *testing.T, x execer, query string) *Error {
	t.Helper()
	_, err := x.ExecContext(bg, query)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: %v", query, err)
	}
	return e
}

func TestRenameAndTruncate(t *testing.T) {
	db := memDB(t, "",
		"CREATE TABLE a (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT)", "CREATE TABLE b (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT)",
		"INSERT INTO a (v) VALUES (1), (1), (1), (1), (1)", "INSERT INTO b (v) VALUES (2), (2)")
	do(t, db, "RENAME TABLE a TO tmp, b TO a, tmp TO b")
	want(t, db, "2|4", "SELECT COUNT(*), SUM(v) FROM a")
	want(t, db, "5|5", "SELECT COUNT(*), SUM(v) FROM b")
	next := func(table string) int64 {
		t.Helper()
		id, err := do(t, db, "INSERT INTO "+table+" (v) VALUES (0)").LastInsertId()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if id := next("a"); id <= 2 {
		t.Errorf("a's sequence gives %d", id)
	}
	if id := next("b"); id <= 5 {
		t.Errorf("b's sequence gives %d", id)
	}
	do(t, db, "TRUNCATE TABLE a")
	want(t, db, "0", "SELECT COUNT(*) FROM a")
	if id := next("a"); id != 1 {
		t.Errorf("after TRUNCATE the sequence gives %d", id)
	}
	do(t, db, "ALTER TABLE a AUTO_INCREMENT = 1000")
	if id := next("a"); id < 1000 || id > 2000 {
		t.Errorf("after AUTO_INCREMENT = 1000 the sequence gives %d", id)
	}
	do(t, db, "DROP TABLE a")
	do(t, db, "CREATE TABLE a (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT) AUTO_INCREMENT = 50")
	if id := next("a"); id != 50 {
		t.Errorf("a new table's sequence gives %d, want 50", id)
	}
	do(t, db, "DROP TABLE IF EXISTS a, b, nix")
	want(t, db, "", "SHOW TABLES")
}

// TestDDLBesideWork changes the schema while others read and write.
func TestDDLBesideWork(t *testing.T) {
	db := memDBWith(t, mysqlFunctions, "")
	accounts(t, db, 20)
	ctx, cancel := context.WithTimeout(bg, 1500*time.Millisecond)
	defer cancel()
	errs := make(chan error, 8)
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_, err := db.Exec("UPDATE acc SET bal = bal + 1 WHERE id = ?", 1+(i+w)%20)
				if err == nil {
					_, err = db.Exec("UPDATE acc SET bal = bal + 1")
				}
				if err == nil {
					_, err = rowsOf(db, "SELECT * FROM acc")
				}
				var e *Error
				if err != nil && (!errors.As(err, &e) || !e.Retryable()) {
					errs <- err
					return
				}
			}
		})
	}
	wg.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			for _, q := range []string{"ALTER TABLE acc ADD COLUMN extra INT DEFAULT 1", "ALTER TABLE acc MODIFY note TEXT", "ALTER TABLE acc DROP COLUMN extra", "ALTER TABLE acc MODIFY note VARCHAR(40)"} {
				if _, err := db.Exec(q); err != nil {
					errs <- fmt.Errorf("%s: %w", q, err)
					return
				}
			}
		}
	})
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	sameOnShards(t, db)
	free(t, db)
}

// TestAddPrimaryKey: its columns become NOT NULL, unless a row has NULL there.
func TestAddPrimaryKey(t *testing.T) {
	db := memDBWith(t, mysqlFunctions, "", "CREATE TABLE t (a INT, b INT)", "INSERT INTO t VALUES (1,1),(2,NULL)")
	if _, err := db.ExecContext(bg, "ALTER TABLE t ADD PRIMARY KEY (b)"); !errors.Is(err, ErrNotNull) {
		t.Errorf("a primary key over a NULL: %v", err)
	}
	do(t, db, "ALTER TABLE t ADD PRIMARY KEY (a)")
	want(t, db, "NO|∅", "SELECT IS_NULLABLE, COLUMN_DEFAULT FROM information_schema.COLUMNS WHERE TABLE_NAME = 't' AND COLUMN_NAME = 'a'")
	do(t, db, "UPDATE t SET b = 1")
	_, err := db.ExecContext(bg, "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (b)")
	if e := wantCode(t, err, CodeUnique, "a primary key over equal values"); e.Table != "t" || strings.Contains(e.Error(), "_vt_") {
		t.Errorf("%v, of table %q", e, e.Table)
	}
	do(t, db, "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (a, b)")
}
