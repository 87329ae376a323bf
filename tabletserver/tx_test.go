package tabletserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

const accounts = "CREATE TABLE t(id INTEGER PRIMARY KEY, v INT CHECK(v < 1000))"

func ids(tb testing.TB, r tablet.Runner) string {
	tb.Helper()
	return fmt.Sprint(query(tb, r, "SELECT id FROM t ORDER BY id"))
}

func TestTxSeesItsOwnAndOneSnapshot(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, accounts, "INSERT INTO t VALUES(1, 1)")
		x := begin(t, db, tablet.TxOptions{})
		want(t, "before", ids(t, x), "[[1]]")
		exec1(t, db, "INSERT INTO t VALUES(2, 2)")
		want(t, "snapshot", ids(t, x), "[[1]]")
		want(t, "autocommit", ids(t, db), "[[1] [2]]")
		want(t, "Wrote", x.Wrote(), false)
		_, err := x.Exec(ctx, q("INSERT INTO t VALUES(3, 3)"))
		e := wantCode(t, err, tablet.CodeConflict)
		want(t, "target", e.Target, cfg.Target)
		_, err = queryRows(x, "SELECT 1")
		wantCode(t, err, tablet.CodeConflict)
		wantCode(t, x.Commit(ctx), tablet.CodeConflict)
		want(t, "Rollback", x.Rollback(), nil)
		want(t, "Rollback again", x.Rollback(), nil)
		_, err = x.Exec(ctx, q("SELECT 1"))
		wantCode(t, err, tablet.CodeMisuse)

		x = begin(t, db, tablet.TxOptions{})
		want(t, "read first", ids(t, x), "[[1] [2]]")
		exec1(t, x, "INSERT INTO t VALUES(3, 3)")
		want(t, "own write", ids(t, x), "[[1] [2] [3]]")
		want(t, "others", ids(t, db), "[[1] [2]]")
		want(t, "Wrote", x.Wrote(), true)
		commit(t, x)
		want(t, "committed", ids(t, db), "[[1] [2] [3]]")
		want(t, "Commit twice", tablet.CodeOf(x.Commit(ctx)), tablet.CodeMisuse)
	})
}

func TestTxWrite(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, accounts)
		for _, first := range []string{
			"INSERT INTO t VALUES(1, 1)",
			"WITH a(b) AS (VALUES(1)) INSERT INTO t SELECT b, b FROM a",
			"CREATE TABLE u(a)",
			"PRAGMA defer_foreign_keys=ON",
		} {
			x := begin(t, db, tablet.TxOptions{})
			exec1(t, x, first)
			want(t, first, x.locked && x.c == db.writer, true)
			want(t, "Rollback", x.Rollback(), nil)
			want(t, "undone", ids(t, db), "[]")
		}
		x := begin(t, db, tablet.TxOptions{Write: true})
		want(t, "RETURNING", fmt.Sprint(query(t, x, "INSERT INTO t VALUES(5, 5) RETURNING id")), "[[5]]")
		commit(t, x)
		want(t, "committed", ids(t, db), "[[5]]")
		x = begin(t, db, tablet.TxOptions{ReadOnly: true})
		_, err := x.Exec(ctx, q("DELETE FROM t"))
		wantCode(t, err, tablet.CodeTxReadOnly)
		want(t, "still usable", ids(t, x), "[[5]]")
		for _, sql := range []string{"BEGIN", "commit", "/* x */ SAVEPOINT a", "ATTACH ':memory:' AS x"} {
			_, err := x.Exec(ctx, q(sql))
			wantCode(t, err, tablet.CodeUnsupported)
			_, err = db.Exec(ctx, q(sql))
			wantCode(t, err, tablet.CodeUnsupported)
			_, err = db.Query(ctx, q(sql))
			wantCode(t, err, tablet.CodeUnsupported)
		}
	})
}

func TestFailingStatementIsUndoneAlone(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, accounts)
		x := begin(t, db, tablet.TxOptions{})
		exec1(t, x, "INSERT INTO t VALUES(1, 1)")
		_, err := x.Exec(ctx, q("INSERT INTO t VALUES(2, 2), (3, 5000)"))
		wantCode(t, err, tablet.CodeCheck)
		_, err = x.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(?1, ?1)", Batch: 3, Args: []tablet.Value{int64(7), int64(8), int64(1)}})
		e := wantCode(t, err, tablet.CodeUnique)
		want(t, "violated", fmt.Sprint(e.Table, e.Columns), "t[id]")
		want(t, "rows", ids(t, x), "[[1]]")
		res, err := x.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(?1, 0) ON CONFLICT DO UPDATE SET v = 9", Batch: 3, Args: []tablet.Value{int64(7), int64(1), int64(9)}})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "batch", fmt.Sprint(res), "{3 9 [1 1 1] [7 -9223372036854775808 9]}")
		_, err = x.Exec(ctx, q("INSERT OR ROLLBACK INTO t VALUES(1, 1)"))
		wantCode(t, err, tablet.CodeUnique)
		_, err = x.Exec(ctx, q("INSERT INTO t VALUES(20, 1)"))
		wantCode(t, err, tablet.CodeUnique) // rolled back by SQLite: the reason is told until Rollback
		wantCode(t, x.Commit(ctx), tablet.CodeUnique)
		want(t, "Rollback", x.Rollback(), nil)
		want(t, "rows", ids(t, db), "[]")

		_, err = db.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(?1, 0)", Batch: 2, Args: []tablet.Value{int64(1), int64(1)}})
		wantCode(t, err, tablet.CodeUnique)
		_, err = db.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(?1, 0)", Batch: 2, Args: []tablet.Value{int64(1)}})
		wantCode(t, err, tablet.CodeMisuse)
		want(t, "rows", ids(t, db), "[]")
	})
}

func TestSavepoints(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, accounts)
		x := begin(t, db, tablet.TxOptions{})
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(x.Savepoint(ctx, "a")) // before there is a connection
		exec1(t, x, "INSERT INTO t VALUES(1, 1)")
		must(x.Savepoint(ctx, "b"))
		exec1(t, x, "INSERT INTO t VALUES(2, 2)")
		must(x.Savepoint(ctx, "A")) // shadows
		exec1(t, x, "INSERT INTO t VALUES(3, 3)")
		must(x.RollbackTo(ctx, "a"))
		want(t, "inner a", ids(t, x), "[[1] [2]]")
		exec1(t, x, "INSERT INTO t VALUES(4, 4)")
		must(x.RollbackTo(ctx, "b"))
		want(t, "b", ids(t, x), "[[1]]")
		wantCode(t, x.RollbackTo(ctx, "nope"), tablet.CodeMisuse)
		want(t, "redo", len(x.redo.queries), 1)
		must(x.RollbackTo(ctx, "a"))
		want(t, "outer a", ids(t, x), "[]")
		want(t, "Wrote", x.Wrote(), false)
		exec1(t, x, "INSERT INTO t VALUES(6, 6)")
		must(x.Release(ctx, "a"))
		wantCode(t, x.Release(ctx, "b"), tablet.CodeMisuse)
		r, err := x.Prepare(ctx, "tx1", tablet.Target{})
		must(err)
		want(t, "redo", fmt.Sprint(r.Queries), "[{INSERT INTO t VALUES(6, 6) [] 0 0 false}]")
		must(x.CommitPrepared(ctx))
		want(t, "committed", ids(t, db), "[[6]]")
	})
}

func TestStreamsInsideATx(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, accounts, "INSERT INTO t VALUES(1, 1), (2, 2), (3, 3)")
		x := begin(t, db, tablet.TxOptions{})
		a, err := x.Query(ctx, q("SELECT id FROM t ORDER BY id"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := x.Query(ctx, q("SELECT id FROM t ORDER BY id"))
		if err != nil {
			t.Fatal(err)
		}
		dest := make([]tablet.Value, 1)
		for i := int64(1); i <= 3; i++ {
			for _, r := range []tablet.Rows{a, b} {
				if err := r.Next(dest); err != nil || dest[0] != i {
					t.Fatal(i, dest, err)
				}
			}
			exec1(t, x, "UPDATE t SET v = v + 10 WHERE id = ?1", i)
		}
		want(t, "end", a.Next(dest), io.EOF)
		commit(t, x)
		wantCode(t, b.Next(dest), tablet.CodeMisuse)
		want(t, "Close", b.Close(), nil)
		want(t, "sum", one(t, db, "SELECT sum(v) FROM t"), tablet.Value(int64(36)))
	})
}

func TestPrepare(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, accounts, "CREATE TABLE p(id INTEGER PRIMARY KEY)",
			"CREATE TABLE c(id INTEGER PRIMARY KEY, p INT REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
		x := begin(t, db, tablet.TxOptions{})
		exec1(t, x, "INSERT INTO c VALUES(1, 1)")
		_, err := x.Prepare(ctx, "tx1", tablet.Target{})
		wantCode(t, err, tablet.CodeForeignKey)
		wantCode(t, x.Commit(ctx), tablet.CodeForeignKey)
		exec1(t, x, "INSERT INTO p VALUES(1)")
		blob := []byte("abc")
		exec1(t, x, "INSERT INTO t VALUES(?2, ?1)", int64(5), int64(1))
		exec1(t, x, "UPDATE t SET v = length(?1)", blob)
		blob[0] = 'X'
		exec1(t, x, "DELETE FROM t WHERE id = 99")
		query(t, x, "INSERT INTO t VALUES(2, 2) RETURNING v")
		r, err := x.Prepare(ctx, "tx1", tablet.Target{})
		if err != nil {
			t.Fatal(err)
		}
		r.Place = tablet.Place{}
		want(t, "redo", fmt.Sprint(r), "{ks -80 [{INSERT INTO c VALUES(1, 1) [] 0 0 false} {INSERT INTO p VALUES(1) [] 0 0 false} "+
			"{INSERT INTO t VALUES(?2, ?1) [5 1] 0 0 false} {UPDATE t SET v = length(?1) [[97 98 99]] 0 0 false} {INSERT INTO t VALUES(2, 2) RETURNING v [] 0 0 false}] false { } { }}")
		_, err = x.Exec(ctx, q("DELETE FROM t"))
		wantCode(t, err, tablet.CodeMisuse)
		_, err = x.Prepare(ctx, "tx1", tablet.Target{})
		wantCode(t, err, tablet.CodeMisuse)
		wantCode(t, x.Commit(ctx), tablet.CodeMisuse)
		wantCode(t, x.Savepoint(ctx, "s"), tablet.CodeMisuse)
		want(t, "lock held", db.queue.Taken(), true)
		want(t, "CommitPrepared", x.CommitPrepared(ctx), nil)
		want(t, "rows", fmt.Sprint(query(t, db, "SELECT * FROM t")), "[[1 3] [2 2]]")

		applied, err := replayed(db, "tx1", r)
		if err != nil || applied {
			t.Fatal("replay of what is there:", applied, err)
		}
		applied, err = db.Applied(ctx, "tx1")
		want(t, "Applied", fmt.Sprint(applied, err), "true <nil>")
		want(t, "Forget", db.Forget(ctx, []string{"tx1"}), nil)

		// A prepared transaction can be rolled back, and is gone with its marker.
		x = begin(t, db, tablet.TxOptions{})
		exec1(t, x, "INSERT INTO t VALUES(3, 3)")
		if r, err = x.Prepare(ctx, "tx2", tablet.Target{}); err != nil {
			t.Fatal(err)
		}
		want(t, "Rollback", x.Rollback(), nil)
		applied, err = replayed(db, "tx2", r)
		if err != nil || !applied {
			t.Fatal("replay:", applied, err)
		}
		want(t, "rows", fmt.Sprint(query(t, db, "SELECT * FROM t")), "[[1 3] [2 2] [3 3]]")
		want(t, "markers", fmt.Sprint(query(t, db, "SELECT * FROM _vt_applied")), "[[tx1] [tx2]]")
		x = begin(t, db, tablet.TxOptions{})
		exec1(t, x, "UPDATE t SET v = v")
		if _, err = x.Prepare(ctx, "tx3", tablet.Target{}); err != nil {
			t.Fatal(err)
		}
		want(t, "CommitPrepared", x.CommitPrepared(ctx), nil) // takes along what was to be forgotten
		want(t, "markers", fmt.Sprint(query(t, db, "SELECT * FROM _vt_applied")), "[[tx2] [tx3]]")
		want(t, "ForgetAll", db.ForgetAll(ctx), nil)
		want(t, "markers", fmt.Sprint(query(t, db, "SELECT * FROM _vt_applied")), "[]")
		_, err = replayed(db, "tx4", tablet.Redo{Keyspace: "ks", Shard: "80-"})
		wantCode(t, err, tablet.CodeWrongShard)
		_, err = replayed(db, "tx4", tablet.Redo{Keyspace: "ks", Shard: "-80", Queries: []tablet.Query{*q("INSERT INTO t VALUES(9, 9)"), *q("INSERT INTO t VALUES(1, 1)")}})
		wantCode(t, err, tablet.CodeUnique)
		want(t, "rows", ids(t, db), "[[1] [2] [3]]")
	})
}

func TestPrepareOfNothing(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, accounts)
		for _, sql := range []string{"", "SELECT 1", "DELETE FROM t"} {
			x := begin(t, db, tablet.TxOptions{})
			if sql != "" {
				exec1(t, x, sql)
			}
			r, err := x.Prepare(ctx, "tx1", tablet.Target{})
			if err != nil || len(r.Queries) != 0 {
				t.Fatal(r, err)
			}
			want(t, "CommitPrepared", x.CommitPrepared(ctx), nil)
		}
		want(t, "lock", db.queue.Taken(), false)
	})
}

func TestRedoLimit(t *testing.T) {
	cfg := Config{MaxRedoBytes: 1000}
	db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
	x := begin(t, db, tablet.TxOptions{})
	exec1(t, x, "INSERT INTO t(v) VALUES(?1)", strings.Repeat("x", 2000))
	_, err := x.Prepare(ctx, "tx1", tablet.Target{})
	wantCode(t, err, tablet.CodeTooBig)
	commit(t, x)
	want(t, "rows", ids(t, db), "[[1]]")
}

// A commit that fails after the decision keeps the lock and can be repeated,
// even when SQLite has rolled the transaction back by then.
func TestCommitPreparedAgain(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, accounts)
		x := begin(t, db, tablet.TxOptions{})
		exec1(t, x, "INSERT INTO t VALUES(1, 1)")
		if _, err := x.Prepare(ctx, "tx1", tablet.Target{}); err != nil {
			t.Fatal(err)
		}
		if err := x.c.c.Control("ROLLBACK"); err != nil { // as a full disk would
			t.Fatal(err)
		}
		want(t, "lock", db.queue.Taken(), true)
		want(t, "again", x.CommitPrepared(ctx), nil)
		want(t, "rows", ids(t, db), "[[1]]")
		applied, err := db.Applied(ctx, "tx1")
		want(t, "Applied", fmt.Sprint(applied, err), "true <nil>")
	})
}

const forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

func TestCancellation(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, accounts)
		life := 30 * time.Millisecond
		stop := func(what string, run func(context.Context) error) {
			t.Helper()
			c, cancel := context.WithTimeout(ctx, life)
			defer cancel()
			at := time.Now()
			err := run(c)
			wantCode(t, err, tablet.CodeCanceled)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%s: %v doesn't wrap the context's error", what, err)
			}
			if took := time.Since(at); took > 10*time.Second {
				t.Fatalf("%s took %v", what, took)
			}
		}
		x := begin(t, db, tablet.TxOptions{})
		for _, r := range []tablet.Runner{db, x} {
			stop("Query", func(c context.Context) error { _, err := r.Query(c, q(forever)); return err })
			stop("Exec", func(c context.Context) error { _, err := r.Exec(c, q(forever)); return err })
			stop("Next", func(c context.Context) error {
				rows, err := r.Query(c, q("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"))
				if err != nil {
					return err
				}
				defer rows.Close()
				dest := make([]tablet.Value, 1)
				for err == nil {
					err = rows.Next(dest)
				}
				want(t, "sticky", rows.Next(dest), err)
				return err
			})
			want(t, "usable", one(t, r, "SELECT 1"), tablet.Value(int64(1)))
		}
		_ = x.Rollback()
		insert := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO t SELECT i, 1 FROM n"
		stop("write", func(c context.Context) error { _, err := db.Exec(c, q(insert)); return err })
		want(t, "undone", ids(t, db), "[]")
		// SQLite rolls a transaction back when a write in it is interrupted.
		x = begin(t, db, tablet.TxOptions{})
		exec1(t, x, "INSERT INTO t VALUES(1, 1)")
		life = 300 * time.Millisecond // it must have begun
		stop("write in tx", func(c context.Context) error { _, err := x.Exec(c, q("UPDATE t SET v = ("+forever+")")); return err })
		wantCode(t, x.Commit(ctx), tablet.CodeCanceled)
		want(t, "Rollback", x.Rollback(), nil)
		want(t, "undone", ids(t, db), "[]")
		// Waiting for the lock.
		x = begin(t, db, tablet.TxOptions{Write: true})
		stop("lock", func(c context.Context) error { _, err := db.Exec(c, q("DELETE FROM t")); return err })
		want(t, "queue", db.queue.Len(), 0)
	})
}

func TestLockWait(t *testing.T) {
	cfg := Config{LockWait: 20 * time.Millisecond}
	db := open(t, cfg, accounts)
	x := begin(t, db, tablet.TxOptions{Write: true})
	_, err := db.Exec(ctx, q("DELETE FROM t"))
	e := wantCode(t, err, tablet.CodeLockTimeout)
	want(t, "Retryable", e.Retryable(), true)
	y := begin(t, db, tablet.TxOptions{})
	_, err = y.Exec(ctx, q("DELETE FROM t"))
	wantCode(t, err, tablet.CodeLockTimeout)
	commit(t, x)
	exec1(t, y, "DELETE FROM t") // the statement can be tried again
	commit(t, y)
}

// Two transactions lock two shards in opposite order: the younger one dies at
// once, the older one gets through.
func TestWaitDie(t *testing.T) {
	a, b := open(t, Config{}, accounts), open(t, Config{}, accounts)
	holds := func() bool { return true }
	old := tablet.TxOptions{Age: 1, Holds: holds}
	young := tablet.TxOptions{Age: 2, Holds: holds}
	oldA, youngB := begin(t, a, old), begin(t, b, young)
	exec1(t, oldA, "INSERT INTO t VALUES(1, 1)")
	exec1(t, youngB, "INSERT INTO t VALUES(1, 1)")
	done := make(chan error, 1)
	oldB := begin(t, b, old)
	go func() {
		_, err := oldB.Exec(ctx, q("INSERT INTO t VALUES(2, 2)"))
		done <- err
	}()
	youngA := begin(t, a, young)
	_, err := youngA.Exec(ctx, q("INSERT INTO t VALUES(2, 2)"))
	wantCode(t, err, tablet.CodeDeadlock)
	_ = youngB.Rollback()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	commit(t, oldA)
	commit(t, oldB)
	want(t, "b", ids(t, b), "[[2]]")
}
