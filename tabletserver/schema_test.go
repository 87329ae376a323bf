package tabletserver

import (
	"testing"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/tablet"
)

// planned is a statement that was planned with a version of the schema.
func planned(version uint64, sql string) *tablet.Query {
	return &tablet.Query{SQL: sql, Schema: version}
}

// move runs a change of the schema that makes version.
func move(tb testing.TB, t *Tablet, version uint64, sql string) {
	tb.Helper()
	x := begin(tb, t, tablet.TxOptions{Write: true})
	exec1(tb, x, sql)
	if err := x.SetSchema(ctx, version); err != nil {
		tb.Fatal(err)
	}
	commit(tb, x)
}

// refused checks that a statement was refused as the shard is at another version.
func refused(tb testing.TB, err error, version uint64) {
	tb.Helper()
	want(tb, "version in the error", wantCode(tb, err, tablet.CodeSchemaChanged).Schema, version)
}

func closeRows(tb testing.TB, r tablet.Rows, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	_ = r.Close()
}

// A statement runs on the version of the schema that it was planned with, or not
// at all.
func TestSchemaFence(t *testing.T) {
	const insert, read, with = "INSERT INTO t VALUES(NULL)", "SELECT * FROM t", "WITH x AS (SELECT 7 AS a) INSERT INTO t SELECT a FROM x"
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY)")
		run := func(r tablet.Runner, version, at uint64) {
			t.Helper()
			_, err := r.Exec(ctx, planned(version, insert))
			_, rerr := r.Query(ctx, planned(version, read))
			_, werr := r.Query(ctx, planned(version, with+" RETURNING id"))
			if version != at {
				refused(t, err, at)
				refused(t, rerr, at)
				refused(t, werr, at)
				return
			}
			if err != nil || rerr != nil || werr != nil {
				t.Fatal(err, rerr, werr)
			}
			exec1(t, r, "DELETE FROM t")
		}
		run(db, 1, 1)
		run(db, 2, 1)
		move(t, db, 5, "ALTER TABLE t RENAME COLUMN id TO id")
		run(db, 1, 5)
		run(db, 5, 5)
		x := begin(t, db, tablet.TxOptions{})
		run(x, 4, 5)
		run(x, 5, 5)
		_ = x.Rollback()

		// A change that is undone, or that nothing came of, has not moved the shard.
		x = begin(t, db, tablet.TxOptions{Write: true})
		if err := x.SetSchema(ctx, 6); err != nil {
			t.Fatal(err)
		}
		_ = x.Rollback()
		run(db, 5, 5)
		wantCode(t, begin(t, db, tablet.TxOptions{}).SetSchema(ctx, 0), tablet.CodeMisuse)
		if cfg.Path == "" {
			return
		}
		_ = db.Close()
		db = open(t, cfg)
		run(db, 4, 5)
		run(db, 5, 5)
	})
}

// A statement that waits for the write lock while the schema changes is refused
// when it has got it; a snapshot keeps the version that it shows.
func TestSchemaFenceWhileWaiting(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES(1)")
		old := begin(t, db, tablet.TxOptions{})
		r, err := old.Query(ctx, planned(1, "SELECT * FROM t"))
		closeRows(t, r, err)

		change := begin(t, db, tablet.TxOptions{Write: true})
		exec1(t, change, "ALTER TABLE t ADD COLUMN v")
		if err := change.SetSchema(ctx, 2); err != nil {
			t.Fatal(err)
		}
		errs := make(chan error, 1)
		queued := func(n int) {
			await.True(t, "they wait in the queue", func() bool { return db.queue.Len() >= n })
		}
		go func() {
			_, err := db.Exec(ctx, planned(1, "DELETE FROM t"))
			errs <- err
		}()
		queued(1)
		waiting := begin(t, db, tablet.TxOptions{})
		go func() {
			_, err := waiting.Exec(ctx, planned(1, "DELETE FROM t"))
			errs <- err
		}()
		queued(2)
		commit(t, change)
		refused(t, <-errs, 2)
		refused(t, <-errs, 2)
		want(t, "rows", ids(t, db), "[[1]]")

		// The one that has done nothing yet goes on, planned anew; the one that has
		// read goes on reading what it has read, and can't write.
		if _, err := waiting.Exec(ctx, planned(2, "UPDATE t SET v = 1")); err != nil {
			t.Fatal(err)
		}
		commit(t, waiting)
		_, err = old.Query(ctx, planned(2, "SELECT v FROM t"))
		refused(t, err, 1)
		r, err = old.Query(ctx, planned(1, "SELECT * FROM t"))
		closeRows(t, r, err)
		_, err = old.Exec(ctx, planned(1, "DELETE FROM t"))
		wantCode(t, err, tablet.CodeConflict)
	})
}

// A transaction that is refused before it has read isn't kept to the snapshot that
// it was refused with.
func TestSchemaFenceKeepsNoSnapshot(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY)")
		x := begin(t, db, tablet.TxOptions{})
		_, err := x.Query(ctx, planned(2, "SELECT * FROM t"))
		refused(t, err, 1)
		move(t, db, 2, "ALTER TABLE t ADD COLUMN v")
		r, err := x.Query(ctx, planned(2, "SELECT v FROM t"))
		closeRows(t, r, err)
	})
}

// The version comes with the rest of the change through a distributed commit, and
// through its replay after a crash.
func TestSchemaThroughReplay(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		change := func(db *Tablet) (*Tx, tablet.Redo) {
			x := begin(t, db, tablet.TxOptions{Write: true})
			exec1(t, x, "CREATE TABLE t(id INTEGER PRIMARY KEY)")
			if err := x.SetSchema(ctx, 3); err != nil {
				t.Fatal(err)
			}
			r, err := x.Prepare(ctx, "tx1", tablet.Target{})
			if err != nil {
				t.Fatal(err)
			}
			return x, r
		}
		check := func(db *Tablet) {
			t.Helper()
			_, err := db.Exec(ctx, planned(1, "DELETE FROM t"))
			refused(t, err, 3)
			if _, err := db.Exec(ctx, planned(3, "DELETE FROM t")); err != nil {
				t.Fatal(err)
			}
		}
		db := open(t, cfg)
		_, err := db.Exec(ctx, planned(1, "CREATE TABLE other(id)"))
		if err != nil {
			t.Fatal(err)
		}
		x, redo := change(db)
		if err := x.CommitPrepared(ctx); err != nil {
			t.Fatal(err)
		}
		check(db)

		other := open(t, Config{Target: cfg.Target})
		if _, err := other.Exec(ctx, planned(1, "CREATE TABLE other(id)")); err != nil {
			t.Fatal(err)
		}
		if _, err := replayed(other, "tx1", redo); err != nil {
			t.Fatal(err)
		}
		check(other)
	})
}
