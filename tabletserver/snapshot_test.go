package tabletserver

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/internal/faultfs"
	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
)

// onSnapshot lets helpers that take a Runner read from a snapshot.
type onSnapshot struct{ tablet.Snapshot }

func (onSnapshot) Exec(context.Context, *tablet.Query) (tablet.Result, error) {
	return tablet.Result{}, misuse("a snapshot is for reading only")
}

func TestSnapshot(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v INT)", "INSERT INTO t VALUES(1, 10), (2, 20)")
		s, err := db.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "newest at first", s.Newest(t.Context()), true)
		exec1(t, db, "UPDATE t SET v = v + 1")
		want(t, "newest after a commit", s.Newest(t.Context()), false)
		want(t, "an old sum", one(t, onSnapshot{s}, "SELECT SUM(v) FROM t"), tablet.Value(int64(30)))

		// Two streams side by side see the same, and the snapshot outlives Close
		// for as long as they are read.
		var streams [2]tablet.Rows
		for i := range streams {
			if streams[i], err = s.Query(ctx, q("SELECT v FROM t ORDER BY id")); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		exec1(t, db, "UPDATE t SET v = v + 1")
		for _, v := range []int64{10, 20} {
			for _, r := range streams {
				row := make([]tablet.Value, 1)
				if err := r.Next(row); err != nil || row[0] != v {
					t.Fatalf("a stream gives %v, %v; want %d", row, err, v)
				}
			}
		}
		for _, r := range streams {
			if err := r.Next(make([]tablet.Value, 1)); err != io.EOF {
				t.Errorf("at the end: %v", err)
			}
		}
		_, err = s.Query(ctx, q("SELECT 1"))
		wantCode(t, err, tablet.CodeMisuse)
		if open, idle := db.readers.size(); open != idle {
			t.Errorf("%d readers are open, %d of them idle", open, idle)
		}
		s, err = db.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		_, err = s.Query(ctx, q("UPDATE t SET v = 0 RETURNING v"))
		wantCode(t, err, tablet.CodeMisuse)
	})
}

// TestTakeSnapshot: a transaction's snapshot is what it was when it was taken, and
// its reader keeps it for the next when the transaction has only read.
func TestTakeSnapshot(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE t(v INT)", "INSERT INTO t VALUES(1)")
		x := begin(t, db, tablet.TxOptions{})
		want(t, "newest before it is taken", x.Newest(t.Context()), false)
		if err := x.TakeSnapshot(ctx); err != nil {
			t.Fatal(err)
		}
		want(t, "newest", x.Newest(t.Context()), true)
		exec1(t, db, "UPDATE t SET v = 2")
		want(t, "newest after a commit", x.Newest(t.Context()), false)
		want(t, "seen", one(t, x, "SELECT v FROM t"), tablet.Value(int64(1)))
		_, err := x.Exec(ctx, q("UPDATE t SET v = 3"))
		wantCode(t, err, tablet.CodeConflict)
		if err := x.Rollback(); err != nil {
			t.Fatal(err)
		}
		y := begin(t, db, tablet.TxOptions{})
		if err := y.TakeSnapshot(ctx); err != nil {
			t.Fatal(err)
		}
		exec1(t, y, "UPDATE t SET v = 4")
		want(t, "newest with the write lock", y.Newest(t.Context()), true)
		commit(t, y)
		z := begin(t, db, tablet.TxOptions{ReadOnly: true})
		want(t, "seen by the next", one(t, z, "SELECT v FROM t"), tablet.Value(int64(4)))
		if err := z.Rollback(); err != nil {
			t.Fatal(err)
		}
		want(t, "seen by autocommit", one(t, db, "SELECT v FROM t"), tablet.Value(int64(4)))
		exec1(t, db, "UPDATE t SET v = 5")
		want(t, "seen after a commit", one(t, db, "SELECT v FROM t"), tablet.Value(int64(5)))
	})
}

// TestHoldCommits: a commit waits while commits are held, and a hold for the
// commit that is under way.
func TestHoldCommits(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE t(v INT)", "INSERT INTO t VALUES(1)")
		release, err := db.HoldCommits(ctx)
		if err != nil {
			t.Fatal(err)
		}
		second, err := db.HoldCommits(ctx)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 2)
		go func() {
			_, err := db.Exec(ctx, q("UPDATE t SET v = 2"))
			done <- err
		}()
		go func() {
			_, err := db.Exec(ctx, q("UPDATE t SET v = v"))
			done <- err
		}()
		await.True(t, "the second waits behind the first", func() bool { return db.queue.Len() > 0 })
		want(t, "seen while commits are held", one(t, db, "SELECT v FROM t"), tablet.Value(int64(1)))
		release()
		want(t, "seen while they are still held", one(t, db, "SELECT v FROM t"), tablet.Value(int64(1)))
		second()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		want(t, "seen after", one(t, db, "SELECT v FROM t"), tablet.Value(int64(2)))

		db.commits.unsettle() // a commit that doesn't end
		short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		defer cancel()
		_, err = db.HoldCommits(short)
		wantCode(t, err, tablet.CodeCanceled)
		db.commits.settle()
		exec1(t, db, "UPDATE t SET v = 3")
	})
}

// TestMomentsBesideTheDisk: a commit that waits for the disk leaves the snapshots
// that were taken before it the newest. They aren't any more once it can be seen.
func TestMomentsBesideTheDisk(t *testing.T) {
	dir := t.TempDir()
	fs, err := faultfs.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fs.Close() })
	db := open(t, Config{Path: filepath.Join(dir, "s.db"), Disk: fs}, "CREATE TABLE t(v INT)", "INSERT INTO t VALUES(0)")
	change := "UPDATE t SET v = v + 1"
	for name, run := range map[string]func(dtid string) error{
		"autocommit": func(string) error {
			_, err := db.Exec(ctx, q(change))
			return err
		},
		"returning": func(string) error {
			_, err := queryRows(db, change+" RETURNING v")
			return err
		},
		"transaction": func(string) error {
			x := begin(t, db, tablet.TxOptions{})
			exec1(t, x, change)
			return x.Commit(ctx)
		},
		"decision": func(dtid string) error {
			x := begin(t, db, tablet.TxOptions{})
			exec1(t, x, change)
			return errors.Join(x.Decide(ctx, dtid, nil), x.Conclude(ctx, dtid))
		},
	} {
		t.Run(name, func(t *testing.T) {
			waits := 0
			for i := range 20 {
				if i%5 == 4 { // the log starts over
					if err := db.Checkpoint(ctx); err != nil {
						t.Fatal(err)
					}
				}
				s, err := db.Snapshot(ctx)
				if err != nil {
					t.Fatal(err)
				}
				fs.SetRule(func(o faultfs.Op) faultfs.Fault {
					if o.Kind == faultfs.Sync && o.Path == "s.db-wal" {
						waits++
						if !s.Newest(t.Context()) {
							t.Errorf("commit %d: the snapshot isn't the newest while the log is synced", i)
						}
					}
					return faultfs.Fault{}
				})
				err = run(name + strconv.Itoa(i))
				fs.SetRule(nil)
				if err != nil {
					t.Fatal(err)
				}
				want(t, "newest after the commit", s.Newest(t.Context()), false)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if waits < 20 {
				t.Errorf("20 commits synced the log %d times", waits)
			}
		})
	}
}

// TestPreparedIsNoMoment: what is prepared for a holder elsewhere may show there
// already, so that no snapshot from then on is part of one moment until it has been
// committed here too, or rolled back.
func TestPreparedIsNoMoment(t *testing.T) {
	for _, end := range []string{"commit", "rollback"} {
		t.Run(end, func(t *testing.T) {
			db := open(t, Config{Path: filepath.Join(t.TempDir(), "s.db")}, "CREATE TABLE t(v INT)", "INSERT INTO t VALUES(0)")
			x := begin(t, db, tablet.TxOptions{})
			exec1(t, x, "UPDATE t SET v = v + 1")
			if _, err := x.Prepare(ctx, "d", tablet.Target{Keyspace: "ks", Shard: "holder"}); err != nil {
				t.Fatal(err)
			}
			s, err := db.Snapshot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			want(t, "newest while something is prepared", s.Newest(t.Context()), false)
			if end == "commit" {
				err = x.CommitPrepared(ctx)
			} else {
				err = x.Rollback()
			}
			if err != nil {
				t.Fatal(err)
			}
			want(t, "an older snapshot is newest after the "+end, s.Newest(t.Context()), end == "rollback")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = db.Snapshot(ctx); err != nil {
				t.Fatal(err)
			}
			want(t, "newest in the end", s.Newest(t.Context()), true)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestHoldDecisions: nothing is decided while decisions are held, and they are held
// only once all that was decided is done.
func TestHoldDecisions(t *testing.T) {
	db := open(t, Config{Path: filepath.Join(t.TempDir(), "s.db")}, "CREATE TABLE t(v INT)")
	decide := func(dtid string) (tablet.Tx, chan error) {
		x := begin(t, db, tablet.TxOptions{})
		exec1(t, x, "INSERT INTO t VALUES(1)")
		done := make(chan error, 1)
		go func() { done <- x.Decide(ctx, dtid, []tablet.Target{{Keyspace: "ks", Shard: "other"}}) }()
		return x, done
	}
	first, done := decide("a")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	_, err := db.HoldDecisions(short)
	cancel()
	wantCode(t, err, tablet.CodeCanceled)
	if err := first.Conclude(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	release, err := db.HoldDecisions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	second, done := decide("b")
	select {
	case err := <-done:
		t.Fatalf("decided while decisions are held: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	want(t, "held", release(), true)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := second.Conclude(ctx, "b"); err != nil {
		t.Fatal(err)
	}
}

// TestMomentOfRows: rows tell since when the shard was so, and until when, which is no
// later than a commit that has come meanwhile; but not while something is prepared. So
// do snapshots, and transactions that only read.
func TestMomentOfRows(t *testing.T) {
	db := open(t, Config{Path: filepath.Join(t.TempDir(), "s.db")}, "CREATE TABLE t(v INT)", "INSERT INTO t VALUES(0), (1)")
	read := func() tablet.Rows {
		t.Helper()
		r, err := db.Query(ctx, &tablet.Query{SQL: "SELECT v FROM t", Moment: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return r
	}
	moment := func(r tablet.Rows) tablet.Moment {
		t.Helper()
		m, known := tablet.MomentOf(r)
		want(t, "the moment is known", known, true)
		return m
	}
	first := read()
	a := moment(first)
	b := moment(read())
	want(t, "both are of one moment", a.Clock == b.Clock && a.Since == b.Since && b.Until >= a.Until && a.Until >= a.Since, true)
	exec1(t, db, "UPDATE t SET v = v + 1")
	want(t, "a commit has come, and it is of the moment at which it began", moment(first).Until < db.commits.since.Load(), true)
	c := moment(read())
	want(t, "a commit came between", c.Since > b.Until, true)
	x := begin(t, db, tablet.TxOptions{})
	exec1(t, x, "UPDATE t SET v = v + 1")
	if _, err := x.Prepare(ctx, "d", tablet.Target{Keyspace: "ks", Shard: "holder"}); err != nil {
		t.Fatal(err)
	}
	_, known := tablet.MomentOf(read())
	want(t, "known while something is prepared", known, false)
	if err := x.CommitPrepared(ctx); err != nil {
		t.Fatal(err)
	}
	d := moment(read())
	want(t, "a commit of what was prepared came between", d.Since > c.Until, true)

	snap, err := db.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	y := begin(t, db, tablet.TxOptions{ReadOnly: true})
	defer y.Rollback()
	_, known = tablet.MomentOf(y)
	want(t, "known before the transaction has a snapshot", known, false)
	r, err := y.Query(ctx, &tablet.Query{SQL: "SELECT v FROM t", Moment: true})
	if err != nil {
		t.Fatal(err)
	}
	for what, x := range map[string]any{"snapshot": snap, "transaction": y, "rows of it": r} {
		m, known := tablet.MomentOf(x)
		want(t, what, known && m.Since == d.Since && m.Until > d.Until, true)
	}
}

// A database that was made without a log gets one when it is opened, and that is no
// commit that anybody waits for.
func TestHoldCommitsOfNewLog(t *testing.T) {
	for _, level := range []Synchronous{Full, Normal, Off} {
		path := filepath.Join(t.TempDir(), "made.db")
		c, err := sqlite.Open(ctx, path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Script("CREATE TABLE t(id INTEGER PRIMARY KEY)"), c.Close()); err != nil {
			t.Fatal(err)
		}
		db := open(t, Config{Path: path, Synchronous: level})
		short, cancel := context.WithTimeout(ctx, 20*time.Second)
		release, err := db.HoldCommits(short)
		cancel()
		if err != nil {
			t.Fatalf("synchronous=%s: %v", level, err)
		}
		release()
		s, err := db.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "newest", s.Newest(t.Context()), true)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
