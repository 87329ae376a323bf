package tabletserver

import (
	"fmt"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

func TestLock(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		cfg.LockWait = 20 * time.Millisecond
		db := open(t, cfg, accounts, "INSERT INTO t VALUES(1, 1)")
		locked := func(x *Tx) {
			t.Helper()
			for range 2 {
				if err := x.Lock(ctx); err != nil {
					t.Fatal(err)
				}
			}
			_, err := db.Exec(ctx, q("DELETE FROM t"))
			wantCode(t, err, tablet.CodeLockTimeout)
			exec1(t, x, "UPDATE t SET v = v + 1")
			commit(t, x)
		}
		locked(begin(t, db, tablet.TxOptions{})) // before anything
		x := begin(t, db, tablet.TxOptions{})
		_ = x.Savepoint(ctx, "s")
		ids(t, x)
		locked(x) // after a read, with nobody in between
		x = begin(t, db, tablet.TxOptions{})
		ids(t, x)
		exec1(t, db, "UPDATE t SET v = v + 1")
		wantCode(t, x.Lock(ctx), tablet.CodeConflict)
		_, err := queryRows(x, "SELECT 1")
		wantCode(t, err, tablet.CodeConflict)
		_ = x.Rollback()
		x = begin(t, db, tablet.TxOptions{ReadOnly: true})
		wantCode(t, x.Lock(ctx), tablet.CodeTxReadOnly)
		_ = x.Rollback()
		// Began while a commit was under way, which is no conflict by itself.
		exec1(t, db, "PRAGMA user_version=5")
		db.commits.unsettle()
		x = begin(t, db, tablet.TxOptions{})
		r, err := x.Query(ctx, q("SELECT id FROM t"))
		if err != nil {
			t.Fatal(err)
		}
		db.commits.settle()
		if err := x.Lock(ctx); err != nil {
			t.Fatal(err)
		}
		if err := r.Next(make([]tablet.Value, 1)); err != nil {
			t.Fatal(err)
		}
		commit(t, x)
		want(t, "user_version", one(t, db, "PRAGMA user_version"), tablet.Value(int64(5)))
		want(t, "updates", one(t, db, "SELECT v FROM t"), tablet.Value(int64(4)))
	})
}

// Foreign keys are off for the transaction that asked, in its replay, and for
// nobody else.
func TestNoForeignKeys(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE p(id INTEGER PRIMARY KEY)", "INSERT INTO p VALUES(1)",
			"CREATE TABLE c(p INT REFERENCES p ON DELETE CASCADE)", "INSERT INTO c VALUES(1)")
		checked := func() {
			t.Helper()
			_, err := db.Exec(ctx, q("INSERT INTO c VALUES(77)"))
			wantCode(t, err, tablet.CodeForeignKey)
			x := begin(t, db, tablet.TxOptions{})
			query(t, x, "SELECT * FROM c")
			_, err = x.Exec(ctx, q("INSERT INTO c VALUES(77)"))
			wantCode(t, err, tablet.CodeForeignKey)
			_ = x.Rollback()
		}
		rebuild := func() *Tx {
			x := begin(t, db, tablet.TxOptions{Write: true, NoForeignKeys: true})
			exec1(t, x, "CREATE TABLE p2(id INTEGER PRIMARY KEY, name TEXT)")
			exec1(t, x, "INSERT INTO p2 SELECT id, NULL FROM p")
			exec1(t, x, "DROP TABLE p")
			exec1(t, x, "ALTER TABLE p2 RENAME TO p")
			return x
		}
		x := rebuild()
		_ = x.Rollback()
		checked()
		x = rebuild()
		r, err := x.Prepare(ctx, "tx1", tablet.Target{})
		if err != nil || !r.NoForeignKeys {
			t.Fatal(r, err)
		}
		_ = x.Rollback()
		applied, err := replayed(db, "tx1", r)
		want(t, "Replay", fmt.Sprint(applied, err), "true <nil>")
		checked()
		want(t, "children", fmt.Sprint(query(t, db, "SELECT * FROM c")), "[[1]]")
		want(t, "columns", fmt.Sprint(query(t, db, "SELECT * FROM p")), "[[1 <nil>]]")
		_, err = db.Begin(ctx, tablet.TxOptions{NoForeignKeys: true})
		wantCode(t, err, tablet.CodeMisuse)
		x = begin(t, db, tablet.TxOptions{Write: true})
		_, err = x.Exec(ctx, q("INSERT INTO c VALUES(77)"))
		wantCode(t, err, tablet.CodeForeignKey)
	})
}

// A tablet without foreign keys keeps none, but does again what a crash has
// interrupted as it was done: with their actions.
func TestTabletWithoutForeignKeys(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		cfg.NoForeignKeys = true
		db := open(t, cfg, "CREATE TABLE p(id INTEGER PRIMARY KEY)", "INSERT INTO p VALUES(1), (2), (3)",
			"CREATE TABLE c(p INT REFERENCES p ON DELETE CASCADE)", "INSERT INTO c VALUES(1), (2), (3), (77)")
		exec1(t, db, "DELETE FROM p WHERE id = 1")
		applied, err := replayed(db, "tx1", tablet.Redo{Keyspace: "ks", Shard: "-80", Queries: []tablet.Query{*q("DELETE FROM p WHERE id = 2")}})
		want(t, "Replay", fmt.Sprint(applied, err), "true <nil>")
		applied, err = replayed(db, "tx2", tablet.Redo{Keyspace: "ks", Shard: "-80", NoForeignKeys: true, Queries: []tablet.Query{*q("DELETE FROM p WHERE id = 3")}})
		want(t, "Replay", fmt.Sprint(applied, err), "true <nil>")
		want(t, "children", fmt.Sprint(query(t, db, "SELECT p FROM c ORDER BY p")), "[[1] [3] [77]]")
		x := begin(t, db, tablet.TxOptions{Write: true, NoForeignKeys: true})
		exec1(t, x, "INSERT INTO c VALUES(78)")
		commit(t, x)
		exec1(t, db, "INSERT INTO c VALUES(79)")
		x = begin(t, db, tablet.TxOptions{Write: true})
		exec1(t, x, "INSERT INTO c VALUES(80)")
		r, err := x.Prepare(ctx, "tx3", tablet.Target{})
		if err != nil || !r.NoForeignKeys {
			t.Fatal(r, err)
		}
		_ = x.Rollback()
	})
}
