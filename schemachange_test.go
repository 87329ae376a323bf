package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/internal/remotetest"
)

// onShards runs a test on one shard and on several.
func onShards(t *testing.T, options string, f func(t *testing.T, db *sql.DB)) {
	for _, n := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d shards", n), func(t *testing.T) {
			f(t, openDB(t, fmt.Sprintf(":memory:?shards=%d&%s", n, options)))
		})
	}
}

// schemaText is everything that a keyspace's schema shows, and the shards' own.
func schemaText(t *testing.T, db *sql.DB) string {
	t.Helper()
	var out []string
	for _, q := range []string{
		"SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name",
		"SELECT table_name, column_name, column_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'main' ORDER BY table_name, ordinal_position",
		"SELECT table_name, index_name, column_name, non_unique FROM information_schema.statistics WHERE table_schema = 'main' ORDER BY table_name, index_name, seq_in_index",
		"SHOW VSCHEMA TABLES", "SHOW VSCHEMA VINDEXES",
	} {
		rows, err := rowsOf(db, q)
		if err != nil {
			t.Fatal(q, err)
		}
		out = append(out, strings.Join(rows, "\n"))
	}
	err := withCluster(db, func(c *cluster) error {
		for _, tab := range c.tabletsOf("main") {
			v, err := oneValue(bg, tab, schemaOf[tab.Capabilities().Dialect])
			if err != nil {
				return err
			}
			out = append(out, textOf(v))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "\n\n")
}

// schemaOf asks a shard for all of its schema, in the dialect that it speaks.
var schemaOf = map[string]string{
	"sqlite": "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)",
	"postgres": "SELECT string_agg(d, ';' ORDER BY d) FROM (" +
		"SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) FROM information_schema.columns WHERE table_schema = current_schema()" +
		" UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()" +
		" UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = current_schema()::regnamespace" +
		") AS x(d)",
}

// library is what the changes below begin with.
var library = []string{
	"CREATE TABLE author (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40) NOT NULL, mail VARCHAR(40) UNIQUE)",
	"CREATE TABLE book (author_id BIGINT, id BIGINT, title VARCHAR(40), PRIMARY KEY (author_id, id), CONSTRAINT book_author FOREIGN KEY (author_id) REFERENCES author (id) ON DELETE CASCADE)",
	"CREATE VIEW titles AS SELECT title FROM book",
	"INSERT INTO author (id, name, mail) VALUES (1, 'ann', 'a@x'), (2, 'bob', 'b@x'), (3, 'cid', 'c@x'), (4, 'dan', 'd@x'), (5, 'eve', 'e@x')",
	"INSERT INTO book VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 1, 'three'), (4, 1, 'four'), (5, 1, 'five')",
}

// TestSchemaChangesInTransactions: what a change does is seen at once by its
// transaction, by others after COMMIT, and by nobody after ROLLBACK.
func TestSchemaChangesInTransactions(t *testing.T) {
	for _, tc := range []struct {
		change      string
		uses        string // a statement that needs the change, or ""
		probe, rows string // then, inside and after
	}{
		{"CREATE TABLE shelf (id BIGINT PRIMARY KEY AUTO_INCREMENT, u INT UNIQUE)", "INSERT INTO shelf (u) VALUES (7), (8), (9)", "SELECT id, u FROM shelf ORDER BY id", "1|7 2|8 3|9"},
		{"CREATE TABLE copy AS SELECT id, name FROM author", "UPDATE copy SET name = CONCAT(name, '!')", "SELECT name FROM copy ORDER BY 1", "ann! bob! cid! dan! eve!"},
		{"CREATE TABLE alike LIKE book", "INSERT INTO alike SELECT * FROM book", "SELECT COUNT(*) FROM alike", "5"},
		{"ALTER TABLE author ADD COLUMN born INT DEFAULT 1900", "UPDATE author SET born = born + id", "SELECT SUM(born) FROM author", "9515"},
		{"ALTER TABLE author MODIFY name VARCHAR(80) FIRST", "INSERT INTO author VALUES ('fay', NULL, 'f@x')", "SELECT name, mail FROM author WHERE name = 'fay'", "fay|f@x"},
		{"ALTER TABLE author DROP COLUMN mail", "INSERT INTO author (name) VALUES ('fay')", "SELECT name, id > 5 FROM author WHERE name = 'fay'", "fay|1"},
		{"ALTER TABLE book ADD UNIQUE KEY t (title)", "DELETE FROM book WHERE title = 'two'", "SELECT author_id FROM book WHERE title = 'three'", "3"},
		{"ALTER TABLE author AUTO_INCREMENT = 5000", "INSERT INTO author (name) VALUES ('fay')", "SELECT id FROM author WHERE name = 'fay'", "5000"},
		{"ALTER TABLE book DROP FOREIGN KEY book_author", "INSERT INTO book VALUES (99, 1, 'lost')", "SELECT author_id FROM book WHERE title = 'lost'", "99"},
		{"CREATE INDEX n ON author (name)", "", "SELECT COUNT(*) FROM information_schema.statistics WHERE index_name = 'n'", "1"},
		{"DROP INDEX mail ON author", "UPDATE author SET mail = 'same'", "SELECT DISTINCT mail FROM author", "same"},
		{"RENAME TABLE author TO writer", "INSERT INTO writer (name) VALUES ('fay')", "SELECT id > 5 FROM writer WHERE name = 'fay'", "1"},
		{"TRUNCATE TABLE book", "INSERT INTO book VALUES (3, 9, 'nine')", "SELECT * FROM titles", "nine"},
		{"DROP TABLE book", "", "SHOW TABLES", "author titles"},
		{"CREATE OR REPLACE VIEW titles AS SELECT name AS title FROM author", "", "SELECT MAX(title) FROM titles", "eve"},
		{"DROP VIEW titles", "", "SHOW TABLES", "author book"},
		{"CREATE TABLE seq (id BIGINT PRIMARY KEY, next_id BIGINT, cache BIGINT) COMMENT 'sequence'", "INSERT INTO seq VALUES (0, 50, 10)", "SELECT NEXT VALUE FROM seq", "50"},
	} {
		t.Run(tc.change, func(t *testing.T) {
			onShards(t, "", func(t *testing.T, db *sql.DB) {
				withScript(t, db, library)
				other := pin(t, db)
				before := schemaText(t, db)
				rows := mustRows(t, db, "SELECT * FROM author ORDER BY id")
				for _, commit := range []bool{false, true} {
					tx, err := db.Begin()
					if err != nil {
						t.Fatal(err)
					}
					do(t, tx, tc.change)
					if tc.uses != "" {
						do(t, tx, tc.uses)
					}
					if !strings.Contains(tc.probe, "NEXT VALUE") || commit {
						want(t, tx, tc.rows, tc.probe)
					}
					wantBeside(t, other, "5|5", "SELECT (SELECT COUNT(*) FROM author), (SELECT COUNT(*) FROM titles)")
					if !commit {
						if err := tx.Rollback(); err != nil {
							t.Fatal(err)
						}
						if after := schemaText(t, db); after != before {
							t.Errorf("after ROLLBACK the schema is\n%s\nbefore it was\n%s", after, before)
						}
						if now := mustRows(t, db, "SELECT * FROM author ORDER BY id"); strings.Join(now, " ") != strings.Join(rows, " ") {
							t.Errorf("after ROLLBACK the rows are %v", now)
						}
						continue
					}
					if err := tx.Commit(); err != nil {
						t.Fatal(err)
					}
					if !strings.Contains(tc.probe, "NEXT VALUE") {
						want(t, other, tc.rows, tc.probe)
					}
				}
				sameOnShards(t, db)
			})
		})
	}
}

// wantBeside is want for one who reads while another's transaction has written, where
// the tablets allow that.
func wantBeside(t *testing.T, x querier, rows, query string) {
	t.Helper()
	if !lacks(readersBesideWriters) && !lacks(oldTables) {
		want(t, x, rows, query)
	}
}

// begin opens a transaction that the test's end rolls back.
func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

func commit(t *testing.T, tx *sql.Tx) {
	t.Helper()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestSavepointsAndSchema: savepoints take changes back, and a statement that fails
// leaves those before it.
func TestSavepointsAndSchema(t *testing.T) {
	onShards(t, "", func(t *testing.T, db *sql.DB) {
		withScript(t, db, library)
		tx := begin(t, db)
		do(t, tx, "SAVEPOINT nothing")
		do(t, tx, "CREATE TABLE a (id BIGINT PRIMARY KEY AUTO_INCREMENT, n INT)")
		do(t, tx, "INSERT INTO a (n) VALUES (1), (2)")
		do(t, tx, "SAVEPOINT one")
		do(t, tx, "ALTER TABLE a ADD COLUMN m INT DEFAULT 9")
		do(t, tx, "TRUNCATE TABLE a")
		do(t, tx, "INSERT INTO a (n) VALUES (3)")
		mustFail(t, tx, CodeTableExists, "CREATE TABLE a (id BIGINT PRIMARY KEY)")
		mustFail(t, tx, CodeUnique, "CREATE TABLE b (PRIMARY KEY (x)) AS SELECT 1 AS x FROM author")
		mustFail(t, tx, CodeNoTable, "SELECT * FROM b")
		want(t, tx, "1|3|9", "SELECT * FROM a")
		do(t, tx, "ROLLBACK TO one")
		want(t, tx, "1|1 2|2", "SELECT * FROM a ORDER BY id")
		mustFail(t, tx, CodeNoColumn, "SELECT m FROM a")
		do(t, tx, "INSERT INTO a (n) VALUES (4)")
		want(t, tx, "1|1 2|2 3|4", "SELECT * FROM a ORDER BY id")
		do(t, tx, "ROLLBACK TO nothing")
		mustFail(t, tx, CodeNoTable, "SELECT * FROM a")
		do(t, tx, "CREATE TABLE a (x VARCHAR(9) PRIMARY KEY)")
		do(t, tx, "INSERT INTO a VALUES ('last')")
		commit(t, tx)
		want(t, db, "last", "SELECT * FROM a")
		sameOnShards(t, db)
		do(t, db, "UPDATE author SET name = 'free', mail = NULL")
	})
}

// TestForeignKeysDuringChanges: keys hold in a transaction that changes the schema,
// though the shards leave them to the gate, and tables are made anew without their
// children noticing.
func TestForeignKeysDuringChanges(t *testing.T) {
	onShards(t, "", func(t *testing.T, db *sql.DB) {
		withScript(t, db, library)
		keys := func(x *sql.Tx, books string) {
			t.Helper()
			mustFail(t, x, CodeForeignKey, "INSERT INTO book VALUES (77, 1, 'lost')")
			mustFail(t, x, CodeForeignKey, "UPDATE book SET author_id = 77 WHERE author_id = 1")
			do(t, x, "SAVEPOINT keys")
			do(t, x, "DELETE FROM author WHERE id = 2")
			want(t, x, books, "SELECT COUNT(*) FROM book")
			do(t, x, "ROLLBACK TO keys")
		}
		t.Run("first a change", func(t *testing.T) {
			tx := begin(t, db)
			do(t, tx, "CREATE TABLE note (id BIGINT PRIMARY KEY, author_id BIGINT, CONSTRAINT note_author FOREIGN KEY (author_id) REFERENCES author (id))")
			do(t, tx, "INSERT INTO note VALUES (1, 3)")
			keys(tx, "4")
			mustFail(t, tx, CodeForeignKey, "DELETE FROM author WHERE id = 3")
			do(t, tx, "ALTER TABLE author MODIFY name VARCHAR(99) FIRST")
			want(t, tx, "5|5|1", "SELECT (SELECT COUNT(*) FROM author), (SELECT COUNT(*) FROM book), (SELECT COUNT(*) FROM note)")
			keys(tx, "4")
			do(t, tx, "SET foreign_key_checks = 0")
			do(t, tx, "INSERT INTO book VALUES (88, 1, 'unchecked')")
			do(t, tx, "SET foreign_key_checks = 1")
			mustFail(t, tx, CodeForeignKey, "INSERT INTO book VALUES (89, 1, 'checked')")
		})
		t.Run("first rows", func(t *testing.T) {
			tx := begin(t, db)
			do(t, tx, "UPDATE author SET name = 'Ann' WHERE id = 1")
			do(t, tx, "UPDATE book SET title = 'x'")
			do(t, tx, "CREATE TABLE free (id BIGINT PRIMARY KEY)")
			do(t, tx, "ALTER TABLE free ADD COLUMN a INT FIRST")
			keys(tx, "4")
			if lacks(makesAnew) || lacks(ownKeys) { // then there is nothing to be refused for
				do(t, tx, "ALTER TABLE author MODIFY name VARCHAR(99) FIRST")
				keys(tx, "4")
				return
			}
			e := mustFail(t, tx, CodeUnsupported, "ALTER TABLE author MODIFY name VARCHAR(99) FIRST")
			if !strings.Contains(e.Message, "let it change the schema first") {
				t.Errorf("the error doesn't tell the way out: %v", e)
			}
			want(t, tx, "5|5", "SELECT (SELECT COUNT(*) FROM author), (SELECT COUNT(*) FROM book)")
			commit(t, tx)
			want(t, db, "Ann", "SELECT name FROM author WHERE id = 1")
			do(t, db, "DROP TABLE free")
		})
		t.Run("first a look", func(t *testing.T) {
			tx := begin(t, db)
			want(t, tx, "5", "SELECT COUNT(*) FROM book")
			want(t, tx, "5", "SELECT COUNT(*) FROM author")
			do(t, tx, "ALTER TABLE author MODIFY name VARCHAR(99)")
			keys(tx, "4")
			commit(t, tx)
		})
		t.Run("first an old look", func(t *testing.T) {
			tx := begin(t, db)
			want(t, tx, "5", "SELECT COUNT(*) FROM book")
			do(t, db, "UPDATE book SET title = 'newer'")
			retryable(t, failsWith(tx, "ALTER TABLE author MODIFY name VARCHAR(120)"))
		})
		sameOnShards(t, db)
		do(t, db, "UPDATE author SET name = 'free', mail = NULL")
	})
}

func failsWith(x execer, query string) error {
	_, err := x.ExecContext(bg, query)
	return err
}

// TestPlansOfChanges: a plan that was made with a transaction's own schema is nobody
// else's, and none of others is the transaction's.
func TestPlansOfChanges(t *testing.T) {
	onShards(t, "", func(t *testing.T, db *sql.DB) {
		do(t, db, "CREATE TABLE p (id BIGINT PRIMARY KEY, a INT DEFAULT 1)")
		do(t, db, "INSERT INTO p (id) VALUES (1), (2), (3)")
		const all, insert = "SELECT * FROM p ORDER BY id", "INSERT INTO p VALUES (9, 9)"
		want(t, db, "1|1 2|1 3|1", all)
		other := pin(t, db)
		tx := begin(t, db)
		want(t, tx, "1|1 2|1 3|1", all)
		do(t, tx, "ALTER TABLE p ADD COLUMN b INT DEFAULT 2")
		for range 2 {
			want(t, tx, "1|1|2 2|1|2 3|1|2", all)
			wantBeside(t, other, "1|1 2|1 3|1", all)
			mustFail(t, tx, CodeColumnCount, insert)
		}
		want(t, tx, "3", "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'p'")
		want(t, other, "2", "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'p'")
		if len(mustRows(t, tx, "SHOW COLUMNS FROM p")) != 3 || len(mustRows(t, tx, "DESCRIBE p")) != 3 || len(mustRows(t, tx, "EXPLAIN SELECT b FROM p")) == 0 {
			t.Error("SHOW, DESCRIBE or EXPLAIN doesn't know the new column")
		}
		if !lacks(looksOver) {
			want(t, tx, "main.p|check|status|OK", "CHECK TABLE p")
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			want(t, other, "1|1 2|1 3|1", all)
		}
		do(t, other, insert)
	})
}

// TestChangesOfTwo: two transactions that change the schema don't get into each
// other's way unseen.
func TestChangesOfTwo(t *testing.T) {
	db := memDB(t, "lock_wait_timeout=50ms")
	do(t, db, "CREATE TABLE p (id BIGINT PRIMARY KEY)")
	do(t, db, "INSERT INTO p VALUES (1), (2), (3)")
	tx := begin(t, db)
	do(t, tx, "ALTER TABLE p ADD COLUMN a INT DEFAULT 1")
	mustFail(t, db, CodeLockTimeout, "CREATE TABLE q (id BIGINT PRIMARY KEY)")
	mustFail(t, db, CodeLockTimeout, "UPDATE p SET id = id")
	wantBeside(t, db, "1 2 3", "SELECT * FROM p ORDER BY id")
	do(t, db, "CREATE VIEW v AS SELECT id FROM p") // takes no lock
	e := wantCode(t, tx.Commit(), CodeSchemaChanged, "COMMIT after another's change")
	if !e.Retryable() {
		t.Error("the transaction isn't said to be worth another attempt")
	}
	want(t, db, "1 2 3", "SELECT * FROM p ORDER BY id")
	attempts := 0
	if err := RunTx(bg, db, nil, func(tx *sql.Tx) error {
		if _, err := tx.Exec("ALTER TABLE p ADD COLUMN a INT DEFAULT 1"); err != nil {
			return err
		}
		if attempts++; attempts == 1 {
			do(t, db, "CREATE VIEW w AS SELECT id FROM p")
		}
		_, err := tx.Exec("UPDATE p SET a = id")
		return err
	}); err != nil || attempts != 2 {
		t.Errorf("RunTx: %d attempts, %v", attempts, err)
	}
	want(t, db, "1|1 2|2 3|3", "SELECT * FROM p ORDER BY id")
	do(t, db, "UPDATE p SET a = 0")
}

// TestVindexesInTransactions adds lookup vindexes to a table with rows.
func TestVindexesInTransactions(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE p (id BIGINT PRIMARY KEY, code INT, kind INT)")
	for i := 1; i <= 30; i++ {
		do(t, db, "INSERT INTO p VALUES (?, ?, ?)", i, i+100, i%3)
	}
	before := schemaText(t, db)
	vindexes := []string{
		"CREATE TABLE code_lookup (code INT PRIMARY KEY, keyspace_id VARBINARY(16))",
		"CREATE TABLE kind_lookup (kind INT, keyspace_id VARBINARY(16), PRIMARY KEY (kind, keyspace_id))",
		"ALTER VSCHEMA ON p ADD VINDEX code_lookup (code) USING lookup_unique WITH owner=p, table=code_lookup, `from`=code, `to`=keyspace_id",
		"ALTER VSCHEMA ON p ADD VINDEX kind_lookup (kind) USING lookup WITH owner=p, table=kind_lookup, `from`=kind, `to`=keyspace_id",
	}
	tx := begin(t, db)
	withTx := func() {
		for _, q := range vindexes {
			do(t, tx, q)
		}
	}
	withTx()
	want(t, tx, "30|30", "SELECT (SELECT COUNT(*) FROM code_lookup), (SELECT COUNT(*) FROM kind_lookup)")
	want(t, tx, "7", "SELECT id FROM p WHERE code = 107")
	do(t, tx, "DELETE FROM p WHERE id = 8")
	want(t, tx, "29", "SELECT COUNT(*) FROM code_lookup")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if after := schemaText(t, db); after != before {
		t.Errorf("after ROLLBACK the schema is\n%s\nbefore it was\n%s", after, before)
	}
	tx = begin(t, db)
	do(t, tx, vindexes[0])
	do(t, tx, "INSERT INTO p VALUES (99, 107, 0)")
	mustFail(t, tx, CodeUnique, vindexes[2])
	do(t, tx, "DELETE FROM p WHERE id = 99")
	vindexes = vindexes[1:]
	withTx()
	commit(t, tx)
	want(t, db, "7", "SELECT id FROM p WHERE code = 107")
	if got := shardOf(t, db, "SELECT id FROM p WHERE code = 107"); strings.Contains(got, ",") {
		t.Errorf("the lookup isn't used: %s", got)
	}
	mustFail(t, db, CodeUnique, "INSERT INTO p VALUES (99, 107, 0)")
}

// TestTextsThatChangeTheSchema: a text of several statements with a change of the
// schema among them is done whole or not at all.
func TestTextsThatChangeTheSchema(t *testing.T) {
	onShards(t, "multi_statements=true", func(t *testing.T, db *sql.DB) {
		withScript(t, db, library)
		before := schemaText(t, db)
		rows := "SELECT (SELECT COUNT(*) FROM author), (SELECT COUNT(*) FROM book)"
		for _, tc := range []struct {
			text string
			code Code
		}{
			{"CREATE TABLE a (id BIGINT PRIMARY KEY); INSERT INTO a VALUES (1), (2); ALTER TABLE a ADD COLUMN b INT; INSERT INTO a VALUES (3)", CodeColumnCount},
			{"DELETE FROM book; ALTER TABLE author MODIFY name VARCHAR(99) FIRST; DELETE FROM author; DROP TABLE nix", CodeNoTable},
			{"SET foreign_key_checks = 0; DROP TABLE author; SET foreign_key_checks = 1; INSERT INTO book VALUES (1, 2, 'x')", CodeForeignKey},
			{"UPDATE author SET name = 'x'; CREATE TABLE a (id BIGINT PRIMARY KEY); CREATE TALBE", CodeSyntax},
			{"ALTER TABLE book ADD COLUMN x INT; ALTER TABLE book ADD COLUMN x INT", CodePlan},
			{"CREATE TABLE a (id BIGINT PRIMARY KEY); INSERT INTO a VALUES (?)", CodeParameterCount},
		} {
			_, err := db.Exec(tc.text)
			wantCode(t, err, tc.code, tc.text)
			if after := schemaText(t, db); after != before {
				t.Errorf("after %s the schema is\n%s\nbefore it was\n%s", tc.text, after, before)
			}
			want(t, db, "5|5", rows)
			do(t, db, "SET foreign_key_checks = 1")
		}
		do(t, db, "CREATE TABLE a (id BIGINT PRIMARY KEY); INSERT INTO a VALUES (?), (?); ALTER TABLE a ADD COLUMN b INT DEFAULT 4; UPDATE a SET b = ? WHERE id = 1", 1, 2, 3)
		want(t, db, "1|3 2|4", "SELECT * FROM a ORDER BY id")
		// As in MySQL, what makes or drops a database commits.
		if _, err := db.Exec("CREATE TABLE c (id BIGINT PRIMARY KEY); CREATE DATABASE aside; CREATE TABLE d (id BIGINT PRIMARY KEY); nonsense"); err == nil {
			t.Error("nonsense is done")
		}
		want(t, db, "a author book c titles", "SHOW TABLES")
		// Texts that end transactions themselves, and those that only change rows, are as in MySQL.
		if _, err := db.Exec("CREATE TABLE e (id BIGINT PRIMARY KEY); BEGIN; INSERT INTO e VALUES (1); COMMIT; nonsense"); err == nil {
			t.Error("nonsense is done")
		}
		want(t, db, "1", "SELECT * FROM e")
		if _, err := db.Exec("DELETE FROM e; nonsense"); err == nil {
			t.Error("nonsense is done")
		}
		want(t, db, "0", "SELECT COUNT(*) FROM e")
		do(t, db, "UPDATE author SET name = 'free', mail = NULL")
	})
}

// TestDDLCommits: with ddl=autocommit a change of the schema commits, as in MySQL.
func TestDDLCommits(t *testing.T) {
	onShards(t, "multi_statements=true", func(t *testing.T, db *sql.DB) {
		accounts(t, db, 10)
		c := pin(t, db)
		want(t, c, "transactional", "SELECT @@ddl")
		do(t, c, "SET ddl = 'autocommit'")
		want(t, c, "autocommit", "SELECT @@ddl")
		do(t, c, "BEGIN")
		do(t, c, "UPDATE acc SET bal = 1")
		do(t, c, "CREATE TABLE other (id BIGINT PRIMARY KEY)")
		want(t, db, "10", "SELECT SUM(bal) FROM acc")
		do(t, c, "ROLLBACK")
		want(t, db, "10|0", "SELECT SUM(bal), (SELECT COUNT(*) FROM other) FROM acc")
		if _, err := c.ExecContext(bg, "CREATE TABLE more (id BIGINT PRIMARY KEY); nonsense"); err == nil {
			t.Error("nonsense is done")
		}
		want(t, db, "0", "SELECT COUNT(*) FROM more")
		mustFail(t, c, CodePlan, "SET ddl = 'sometimes'")
		do(t, c, "SET ddl = DEFAULT")
		do(t, c, "BEGIN")
		do(t, c, "DROP TABLE other")
		do(t, c, "ROLLBACK")
		want(t, db, "0", "SELECT COUNT(*) FROM other")
		// Without BEGIN nobody is bound to say COMMIT.
		do(t, c, "SET autocommit = 0")
		do(t, c, "UPDATE acc SET bal = 2")
		do(t, c, "DROP TABLE other")
		mustFail(t, db, CodeNoTable, "SELECT * FROM other")
		want(t, db, "20", "SELECT SUM(bal) FROM acc")
		do(t, c, "BEGIN")
		do(t, c, "DROP TABLE acc")
		do(t, c, "ROLLBACK")
		want(t, db, "20", "SELECT SUM(bal) FROM acc")
		do(t, c, "SET autocommit = 1")
		do(t, c, "START TRANSACTION READ ONLY")
		mustFail(t, c, CodeTxReadOnly, "DROP TABLE more")
	})
}

// TestChangesOfAnotherGate: what one gate changes in a transaction, another learns when
// it is committed, and neither changes what the other has changed unseen.
func TestChangesOfAnotherGate(t *testing.T) {
	s := remotetest.Start("")
	t.Cleanup(s.Close)
	dsn := s.DSN("ws", "shards=4&lock_wait_timeout=100ms")
	a, b := openHere(t, dsn), openHere(t, dsn)
	do(t, a, "CREATE TABLE p (id BIGINT PRIMARY KEY AUTO_INCREMENT, n INT)")
	do(t, a, "INSERT INTO p (n) VALUES (1), (2), (3), (4), (5)")
	const all = "SELECT * FROM p ORDER BY id LIMIT 1"
	want(t, b, "1|1", all)
	for _, end := range []string{"ROLLBACK", "COMMIT"} {
		c := pin(t, a)
		do(t, c, "BEGIN")
		do(t, c, "ALTER TABLE p ADD COLUMN m INT DEFAULT 7")
		do(t, c, "INSERT INTO p (n) VALUES (6)")
		do(t, c, "CREATE TABLE q (id BIGINT PRIMARY KEY, p BIGINT, FOREIGN KEY (p) REFERENCES p (id))")
		want(t, c, "1|1|7", all)
		want(t, b, "1|1", all)
		mustFail(t, b, CodeLockTimeout, "UPDATE p SET n = n")
		mustFail(t, b, CodeLockTimeout, "CREATE TABLE q (id BIGINT PRIMARY KEY)")
		mustFail(t, b, CodeNoTable, "SELECT * FROM q")
		do(t, c, end)
	}
	want(t, b, "1|1|7", all)
	want(t, b, "6", "SELECT COUNT(*) FROM p")
	do(t, b, "INSERT INTO q VALUES (1, 1)")
	mustFail(t, b, CodeForeignKey, "DELETE FROM p WHERE id = 1")
	mustFail(t, b, CodeForeignKey, "INSERT INTO q VALUES (2, 999)")

	// A view takes no lock: whoever has planned without it can't commit.
	tx := begin(t, a)
	do(t, tx, "ALTER TABLE p DROP COLUMN m")
	do(t, b, "CREATE VIEW v AS SELECT m FROM p")
	wantCode(t, tx.Commit(), CodeSchemaChanged, "COMMIT after another gate's change")
	want(t, a, "7", "SELECT DISTINCT m FROM v")
}

// TestWaitingForAnotherChange: whoever changes the schema waits no longer for another than
// for a lock, or until its context ends.
func TestWaitingForAnotherChange(t *testing.T) {
	db := memDB(t, "lock_wait_timeout=100ms", "CREATE TABLE p (id BIGINT PRIMARY KEY)")
	var turn chan struct{}
	if err := withCluster(db, func(c *cluster) error { turn = c.ddl; return nil }); err != nil {
		t.Fatal(err)
	}
	turn <- struct{}{}
	mustFail(t, db, CodeLockTimeout, "ALTER TABLE p ADD COLUMN a INT")
	mustFail(t, db, CodeLockTimeout, "CREATE DATABASE d")
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if _, err := db.ExecContext(ctx, "ALTER TABLE p ADD COLUMN a INT"); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	<-turn
	do(t, db, "ALTER TABLE p ADD COLUMN a INT")
}
