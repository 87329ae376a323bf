package vitessdo

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// pause is a context that holds a statement up when it first looks whether it is
// to go on: it has been planned then, and has done nothing.
type pause struct {
	context.Context
	once          sync.Once
	planned, goOn chan struct{}
}

func (p *pause) wait() {
	p.once.Do(func() { close(p.planned) })
	<-p.goOn
}

func (p *pause) Done() <-chan struct{} { p.wait(); return nil }
func (p *pause) Err() error            { p.wait(); return nil }

// while runs a change of the schema between the planning of a statement and its
// running, and gives what came of the statement.
func while(t *testing.T, db *sql.DB, c *sql.Conn, statement string, change ...string) error {
	t.Helper()
	ctx := &pause{Context: bg, planned: make(chan struct{}), goOn: make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		done <- c.Raw(func(d any) error {
			if !strings.HasPrefix(statement, "SELECT") {
				_, err := d.(*Conn).ExecContext(ctx, statement, nil)
				return err
			}
			rows, err := d.(*Conn).QueryContext(ctx, statement, nil)
			if err != nil {
				return err
			}
			return rows.Close()
		})
	}()
	select {
	case <-ctx.planned:
	case err := <-done:
		t.Fatalf("%s ended before it was run: %v", statement, err)
	}
	for _, sql := range change {
		do(t, db, sql)
	}
	close(ctx.goOn)
	return <-done
}

// fenceWrites are writes of every kind of 8 rows of t, or of one, each with an
// email and a parent; they leave the email e<id> in each row.
var fenceWrites = []struct{ name, sql string }{
	{"insert", "INSERT INTO t (id, email, v) VALUES (1, 'e1', 1)"},
	{"insert many", "INSERT INTO t (id, email, v) VALUES (1, 'e1', 1), (2, 'e2', 1), (3, 'e3', 1), (4, 'e4', 1), (5, 'e5', 1)"},
	{"insert ignore", "INSERT IGNORE INTO t (id, email, v) VALUES (1, 'e1', 1), (2, 'e2', 1)"},
	{"insert select", "INSERT INTO t (id, email, v) SELECT id, CONCAT('e', id), 1 FROM src"},
	{"replace", "REPLACE INTO t (id, email, v) VALUES (11, 'e11', 1), (1, 'e1', 1)"},
	{"on duplicate key", "INSERT INTO t (id, email, v) VALUES (11, 'e11', 1), (1, 'e1', 1) ON DUPLICATE KEY UPDATE email = 'e11'"},
	{"update", "UPDATE t SET email = 'e11', v = 1 WHERE id = 11"},
	{"update many", "UPDATE t SET email = CONCAT('e', id), v = 1"},
	{"update by key", "UPDATE t SET email = CONCAT('e', id), v = 1 ORDER BY id LIMIT 2"},
	{"delete", "DELETE FROM t WHERE id = 11"},
	{"delete many", "DELETE FROM t"},
}

// fenceDB has a table with rows 11 to 14, and what the changes refer to.
func fenceDB(t *testing.T) *sql.DB {
	return memHere(t, "", "CREATE TABLE par (id BIGINT PRIMARY KEY)", "INSERT INTO par VALUES (1), (2), (3)",
		"CREATE TABLE src (id BIGINT PRIMARY KEY)", "INSERT INTO src VALUES (1), (2), (3), (4), (5)",
		"CREATE TABLE email_idx (email VARCHAR(50) PRIMARY KEY, ksid VARBINARY(64))",
		"CREATE TABLE t (id BIGINT PRIMARY KEY, email VARCHAR(50), v INT, p BIGINT)",
		"INSERT INTO t (id, email) VALUES (11, 'f11'), (12, 'f12'), (13, 'f13'), (14, 'f14')")
}

// keyHolds checks that the emails of t are unique on all shards, and that each row
// is found by its own.
func keyHolds(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, row := range mustRows(t, db, "/*vt+ COMBINE=query */ SELECT id, email FROM t WHERE email IS NOT NULL") {
		id, email, _ := strings.Cut(row, "|")
		want(t, db, id, "SELECT id FROM t WHERE email = ?", email)
		mustFail(t, db, CodeUnique, "INSERT INTO t (id, email) VALUES (1000, ?)", email)
	}
	for _, gone := range []string{"e1", "f11"} {
		if len(mustRows(t, db, "/*vt+ COMBINE=query */ SELECT id FROM t WHERE email = ?", gone)) == 0 {
			do(t, db, "INSERT INTO t (id, email) VALUES (1000, ?)", gone)
			do(t, db, "DELETE FROM t WHERE id = 1000")
		}
	}
}

// A write that was planned before a unique key, or a lookup vindex, was added keeps
// the key's entries all the same.
func TestWritesPlannedBeforeAKey(t *testing.T) {
	for _, change := range []struct{ name, sql string }{
		{"unique key", "ALTER TABLE t ADD UNIQUE KEY mail (email)"},
		{"vindex", "ALTER VSCHEMA ON t ADD VINDEX mail(email) USING lookup_unique WITH owner=t, table=email_idx, `from`=email, `to`=ksid"},
	} {
		for _, w := range fenceWrites {
			for _, begin := range []bool{false, true} {
				t.Run(fmt.Sprint(change.name, "/", w.name, "/in a transaction ", begin), func(t *testing.T) {
					db := fenceDB(t)
					c := pin(t, db)
					if begin {
						do(t, c, "BEGIN")
					}
					if err := while(t, db, c, w.sql, change.sql); err != nil {
						t.Fatal(err)
					}
					do(t, c, "COMMIT")
					keyHolds(t, db)
					if change.name == "vindex" {
						r, err := VerifyVindex(bg, pin(t, db), "t", "mail", false, nil)
						if err != nil || r.Missing+r.Wrong+r.Duplicate+r.Stray > 0 {
							t.Errorf("%+v, %v", r, err)
						}
					}
				})
			}
		}
	}
}

// A child that was planned before its foreign key was added is looked at by it; so
// is a parent that goes.
func TestWritesPlannedBeforeAForeignKey(t *testing.T) {
	const add = "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES par (id)"
	for _, w := range []struct{ name, sql string }{
		{"insert", "INSERT INTO t (id, p, v) VALUES (1, 99, 1)"},
		{"insert many", "INSERT INTO t (id, p, v) VALUES (1, 1, 1), (2, 2, 1), (3, 99, 1)"},
		{"insert select", "INSERT INTO t (id, p, v) SELECT id, id + 10, 1 FROM src"},
		{"on duplicate key", "INSERT INTO t (id, v) VALUES (11, 1) ON DUPLICATE KEY UPDATE p = 99"},
		{"update", "UPDATE t SET p = 99, v = 1 WHERE id = 11"},
		{"update many", "UPDATE t SET p = 99, v = 1"},
	} {
		t.Run(w.name, func(t *testing.T) {
			db := fenceDB(t)
			e := wantCode(t, while(t, db, pin(t, db), w.sql, add), CodeForeignKey, w.sql)
			if e.Constraint != "fk" {
				t.Errorf("constraint %q", e.Constraint)
			}
			want(t, db, "0", "SELECT COUNT(*) FROM t WHERE p IS NOT NULL")
		})
	}
	t.Run("delete of the parent", func(t *testing.T) {
		db := fenceDB(t)
		do(t, db, "UPDATE t SET p = 1 WHERE id = 11")
		const del = "DELETE FROM par WHERE id = 1"
		e := wantCode(t, while(t, db, pin(t, db), del, add), CodeForeignKey, del)
		if e.Number != mysqlRowIsReferenced {
			t.Errorf("number %d", e.Number)
		}
	})
}

// What a statement means is settled when it runs.
func TestStatementsPlannedBeforeAChange(t *testing.T) {
	for _, c := range []struct {
		statement, change string
		number            uint16 // of the error, 0 for none
		rows, query       string
	}{
		{"INSERT INTO t VALUES (1, 'e', 1, 1)", "ALTER TABLE t ADD COLUMN w INT DEFAULT 7", 1136, "4", "SELECT COUNT(*) FROM t"},
		{"INSERT INTO t (id, v) VALUES (1, 1)", "ALTER TABLE t ADD COLUMN w INT DEFAULT 7", 0, "1|7", "SELECT id, w FROM t WHERE id = 1"},
		{"UPDATE t SET email = 'e', v = 1", "ALTER TABLE t DROP COLUMN email", 1054, "4", "SELECT COUNT(*) FROM t"},
		{"INSERT INTO t (id, v) VALUES (1, 1)", "DROP TABLE t", 1146, "0", "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 't'"},
		{"DELETE FROM t WHERE v = 1", "RENAME TABLE t TO u", 1146, "4", "SELECT COUNT(*) FROM u"},
		{"SELECT email, 1 FROM t", "ALTER TABLE t DROP COLUMN email", 1054, "4", "SELECT COUNT(*) FROM t"},
		{"INSERT INTO t (id, v) VALUES (1, 1)", "TRUNCATE TABLE t", 0, "1", "SELECT id FROM t"},
	} {
		t.Run(c.statement+" as "+c.change, func(t *testing.T) {
			db := fenceDB(t)
			err := while(t, db, pin(t, db), c.statement, c.change)
			if c.number == 0 && err != nil {
				t.Error(err)
			}
			if c.number != 0 && numberOfError(err) != c.number {
				t.Errorf("error %v, want %d", err, c.number)
			}
			want(t, db, c.rows, c.query)
		})
	}
}

func numberOfError(err error) uint16 {
	if e, ok := mapError(err).(*Error); ok {
		return e.Number
	}
	return 0
}

// A table that is dropped and made again, sharded otherwise, in the meantime has
// its rows where they are looked for.
func TestPlannedBeforeAnotherTableOfTheName(t *testing.T) {
	db := fenceDB(t)
	c := pin(t, db)
	err := while(t, db, c, "INSERT INTO t (id, v) VALUES (1, 1)", "DROP TABLE t")
	if numberOfError(err) != 1146 {
		t.Fatal(err)
	}
	do(t, db, "CREATE TABLE t (id BIGINT, v BIGINT, PRIMARY KEY (v, id)) PARTITION BY KEY(v)")
	for v := range 8 {
		do(t, db, "INSERT INTO t VALUES (?, ?)", v, v)
		err := while(t, db, c, "UPDATE t SET id = id + 1 WHERE v = "+fmt.Sprint(v), "ALTER TABLE t COMMENT 'the same'")
		if err != nil {
			t.Fatal(err)
		}
		want(t, db, fmt.Sprint(v+1), "SELECT id FROM t WHERE v = ?", v)
	}

	// And a keyspace.
	do(t, db, "CREATE DATABASE other")
	do(t, db, "CREATE TABLE other.x (id BIGINT PRIMARY KEY, v INT)")
	err = c.Raw(func(d any) error {
		s := d.(*Conn).s
		p, lits, err := s.prepare("INSERT INTO other.x VALUES (1, 1)", true)
		if err != nil {
			t.Fatal(err)
		}
		do(t, db, "DROP DATABASE other")
		do(t, db, "CREATE DATABASE other")
		do(t, db, "CREATE TABLE other.x (id BIGINT, v BIGINT PRIMARY KEY)")
		_, err = s.execPrepared(bg, p, nil, lits)
		return err
	})
	wantCode(t, mapError(err), CodeSchemaChanged, "the insert into another keyspace of the name")
}

// A transaction reads by the schema of its snapshots as long as they have what is
// asked for, and writes by the newest.
func TestTransactionsAndSchemaChanges(t *testing.T) {
	open := func(t *testing.T) (db *sql.DB, c *sql.Conn, ids []int) {
		db = fenceDB(t)
		return db, pin(t, db), idsOn(t, db, "t", 2)
	}
	t.Run("reads go on", func(t *testing.T) {
		db, c, _ := open(t)
		do(t, c, "BEGIN")
		want(t, c, "4", "SELECT COUNT(*) FROM t")
		do(t, db, "ALTER TABLE t ADD COLUMN w INT")
		do(t, db, "CREATE TABLE unrelated (id BIGINT PRIMARY KEY)")
		do(t, db, "INSERT INTO t (id, w) VALUES (50, 1)")
		want(t, c, "4", "SELECT COUNT(*) FROM t")
		want(t, c, "11|f11|∅|∅", "SELECT * FROM t WHERE id = 11")
		want(t, c, "3", "SELECT COUNT(*) FROM par")
		want(t, c, "f11 f12", "SELECT email FROM t ORDER BY id LIMIT 2")
		wantCode(t, failure(c, "SELECT w FROM t"), CodeNoColumn, "reading what the snapshot lacks")
		do(t, c, "COMMIT")
		want(t, c, "5", "SELECT COUNT(*) FROM t")
	})
	t.Run("another shard is read anew", func(t *testing.T) {
		db, c, ids := open(t)
		do(t, c, "BEGIN")
		want(t, c, "0", "SELECT COUNT(*) FROM t WHERE id = ?", ids[0])
		do(t, db, "ALTER TABLE t ADD COLUMN w INT DEFAULT 7")
		do(t, db, "INSERT INTO t (id) VALUES (?)", ids[1])
		want(t, c, "7", "SELECT w FROM t WHERE id = ?", ids[1])
		want(t, c, "0", "SELECT COUNT(*) FROM t WHERE id = ?", ids[0])
		mustAffect(t, c, 1, "UPDATE t SET w = 8 WHERE id = ?", ids[1])
		do(t, c, "COMMIT")
		want(t, db, "8", "SELECT w FROM t WHERE id = ?", ids[1])
	})
	t.Run("both at once can't be read", func(t *testing.T) {
		db, c, ids := open(t)
		do(t, c, "BEGIN")
		want(t, c, "0", "SELECT COUNT(*) FROM t WHERE id = ?", ids[0])
		do(t, db, "ALTER TABLE t ADD COLUMN w INT DEFAULT 7")
		e := wantCode(t, failure(c, "SELECT COUNT(*) FROM t"), CodeSchemaChanged, "the scatter")
		if !e.Retryable() || !strings.HasPrefix(e.Message, "Table definition has changed, please retry transaction") {
			t.Errorf("%+v", e)
		}
		wantCode(t, failure(c, "SELECT 1 FROM par"), CodeTxState, "after the end of the transaction")
		do(t, c, "ROLLBACK")
		want(t, c, "4", "SELECT COUNT(*) FROM t")
	})
	t.Run("what has been read can't be written", func(t *testing.T) {
		db, c, _ := open(t)
		do(t, c, "BEGIN")
		want(t, c, "f11", "SELECT email FROM t WHERE id = 11")
		do(t, db, "ALTER TABLE t ADD UNIQUE KEY mail (email)")
		if e := wantCode(t, failure(c, "UPDATE t SET email = 'e11' WHERE id = 11"), CodeConflict, "the write"); e.Number != 1213 {
			t.Errorf("%+v", e)
		}
		do(t, c, "ROLLBACK")
		keyHolds(t, db)
	})
	t.Run("a write holds the schema", func(t *testing.T) {
		db, c, _ := open(t)
		do(t, c, "BEGIN")
		do(t, c, "UPDATE t SET email = 'e11' WHERE id = 11")
		done := make(chan error, 1)
		go func() {
			_, err := db.Exec("ALTER TABLE t ADD UNIQUE KEY mail (email)")
			done <- err
		}()
		do(t, c, "INSERT INTO t (id, email) VALUES (11000, 'e11000')")
		do(t, c, "COMMIT")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		keyHolds(t, db)
	})
	t.Run("savepoints", func(t *testing.T) {
		db, c, ids := open(t)
		do(t, c, "BEGIN")
		do(t, c, "SAVEPOINT a")
		stmt := fmt.Sprintf("INSERT INTO t (id, email, v) VALUES (%d, 'x', 1), (%d, 'y', 1)", ids[0], ids[1])
		if err := while(t, db, c, stmt, "ALTER TABLE t ADD UNIQUE KEY mail (email)"); err != nil {
			t.Fatal(err)
		}
		want(t, c, "6", "SELECT COUNT(*) FROM t")
		do(t, c, "ROLLBACK TO a")
		do(t, c, "INSERT INTO t (id, email) VALUES (?, 'y')", ids[0])
		do(t, c, "COMMIT")
		keyHolds(t, db)
	})
}

func failure(c *sql.Conn, statement string) error {
	if strings.HasPrefix(statement, "SELECT") {
		_, err := rowsOf(c, statement)
		return err
	}
	_, err := c.ExecContext(bg, statement)
	return err
}

// A view is text that a statement has in itself: making one waits for nobody.
func TestViewsDontMoveTheSchema(t *testing.T) {
	db := fenceDB(t)
	c := pin(t, db)
	do(t, c, "BEGIN")
	do(t, c, "DELETE FROM t WHERE id = 11")
	do(t, db, "CREATE VIEW seen AS SELECT id FROM t")
	want(t, c, "3", "SELECT COUNT(*) FROM seen")
	do(t, db, "DROP VIEW seen")
	do(t, c, "COMMIT")
}

// The versions of the schema outlast a restart, on the shards and in the catalog.
func TestSchemaVersionsAreKept(t *testing.T) {
	dir := t.TempDir()
	versions := func(db *sql.DB) (out []uint64) {
		t.Helper()
		c := pin(t, db)
		defer c.Close()
		err := c.Raw(func(d any) error {
			cl := d.(*Conn).s.cl
			out = append(out, cl.state.Load().shards["main"].Schema)
			for _, tab := range cl.tabletsOf("main") {
				v, err := oneValue(bg, tab, "PRAGMA user_version")
				if err != nil {
					return err
				}
				out = append(out, uint64(v.(int64)))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	db := dirDB(t, dir, "CREATE TABLE t (id BIGINT PRIMARY KEY)", "ALTER TABLE t ADD COLUMN v INT")
	before := versions(db)
	if before[0] < 3 || slices.Min(before) != slices.Max(before) {
		t.Errorf("versions of catalog and shards: %v", before)
	}
	_ = db.Close()
	db = dirDB(t, dir)
	if after := versions(db); !slices.Equal(before, after) {
		t.Errorf("versions %v before and %v after", before, after)
	}
	do(t, db, "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)")
	do(t, db, "ALTER TABLE t DROP COLUMN v")
	want(t, db, "3", "SELECT COUNT(*) FROM t")
}
