package tabletserver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/tablet"
)

// Readers beside writers that move money: the sum never changes, whatever a
// reader sees in one statement or in one transaction.
func TestTransfers(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		cfg.CheckpointPages = 20
		const n, moves = 20, 400
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v INT)")
		for i := range n {
			exec1(t, db, "INSERT INTO t VALUES(?1, 100)", int64(i))
		}
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		var writers, readers sync.WaitGroup
		var stop atomic.Bool
		var conflicts, reads atomic.Int64
		for w := range 3 {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			writers.Add(1)
			go func() {
				defer writers.Done()
				for i := 0; i < moves; {
					if err := transfer(db, rng, w); tablet.CodeOf(err) == tablet.CodeConflict {
						conflicts.Add(1)
						continue
					} else if err != nil {
						t.Error(err)
						return
					}
					i++
				}
			}()
		}
		for w := range 3 {
			readers.Add(1)
			go func() {
				defer readers.Done()
				for !stop.Load() {
					if err := checkSums(db, w == 0, n*100); err != nil {
						t.Error(err)
						return
					}
					reads.Add(1)
				}
			}()
		}
		writers.Wait()
		stop.Store(true)
		readers.Wait()
		t.Logf("%d conflicts, %d reads", conflicts.Load(), reads.Load())
		if open, idle := db.readers.size(); open != idle {
			t.Errorf("%d readers are open, %d of them idle", open, idle)
		}
	})
}

func transfer(db *Tablet, rng *rand.Rand, how int) error {
	a, b, sum := int64(rng.IntN(20)), int64(rng.IntN(20)), int64(rng.IntN(10))
	x, err := db.Begin(ctx, tablet.TxOptions{Write: how == 0})
	if err != nil {
		return err
	}
	defer x.Rollback()
	if how == 1 { // read first: this one may meet a conflict
		if _, err := queryRows(x, "SELECT v FROM t WHERE id = ?1", a); err != nil {
			return err
		}
	}
	if _, err := x.Exec(ctx, q("UPDATE t SET v = v - ?2 WHERE id = ?1", a, sum)); err != nil {
		return err
	}
	runtime.Gosched()
	if _, err := x.Exec(ctx, q("UPDATE t SET v = v + ?2 WHERE id = ?1", b, sum)); err != nil {
		return err
	}
	return x.Commit(ctx)
}

func checkSums(db *Tablet, inTx bool, total int64) error {
	var r tablet.Runner = db
	if inTx {
		x, err := db.Begin(ctx, tablet.TxOptions{ReadOnly: true})
		if err != nil {
			return err
		}
		defer x.Rollback()
		r = x
	}
	out, err := queryRows(r, "SELECT sum(v) FROM t")
	if err != nil {
		return err
	}
	if out[0][0] != total {
		return fmt.Errorf("the sum is %v, not %d", out[0][0], total)
	}
	if !inTx {
		return nil
	}
	first, err := queryRows(r, "SELECT group_concat(v) FROM t WHERE id < 10")
	if err != nil {
		return err
	}
	runtime.Gosched()
	second, err := queryRows(r, "SELECT group_concat(v) FROM t WHERE id < 10")
	if err != nil || first[0][0] != second[0][0] {
		return fmt.Errorf("two reads in one transaction differ: %v, %v, %v", first, second, err)
	}
	return nil
}

// Whoever asks after a commit has returned sees it, with sticky snapshots too.
func TestReadersSeeEveryCommit(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		cfg.CheckpointPages = 50
		cfg.Synchronous = Off
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v INT)", "INSERT INTO t VALUES(1, 0)")
		var committed atomic.Int64
		const commits = 3000
		var wg sync.WaitGroup
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				last := int64(0)
				for last < commits {
					atLeast := committed.Load()
					out, err := queryRows(db, "SELECT v FROM t WHERE id = 1")
					if err != nil {
						t.Error(err)
						return
					}
					v := out[0][0].(int64)
					if v < atLeast || v < last {
						t.Errorf("read %d after %d was committed and %d was read", v, atLeast, last)
						return
					}
					last = v
				}
			}()
		}
		for i := int64(1); i <= commits; i++ {
			if i%3 == 0 { // a transaction on a reader's connection
				x := begin(t, db, tablet.TxOptions{})
				one(t, x, "SELECT 1")
				exec1(t, x, "UPDATE t SET v = ?1", i)
				commit(t, x)
			} else {
				exec1(t, db, "UPDATE t SET v = ?1", i)
			}
			committed.Store(i)
			if got := one(t, db, "SELECT v FROM t"); got != i {
				t.Fatalf("own commit %d not seen: %v", i, got)
			}
		}
		wg.Wait()
	})
}

func walSize(t *testing.T, cfg Config) int64 {
	t.Helper()
	st, err := os.Stat(cfg.Path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

// Idle readers with sticky snapshots, and readers that never rest, must not
// keep the log from starting over.
func TestLogStaysBounded(t *testing.T) {
	cfg := Config{Path: filepath.Join(t.TempDir(), "s.db"), Synchronous: Off, CheckpointPages: 100, MaxReaders: 4}
	db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)")
	for i := range int64(50) {
		exec1(t, db, "INSERT INTO t VALUES(?1, zeroblob(3000))", i)
	}
	// All readers stick.
	var held []tablet.Rows
	for range 4 {
		r, err := db.Query(ctx, q("SELECT id FROM t"))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, r)
	}
	for _, r := range held {
		_ = r.Close()
	}
	bound := int64(4096+24)*(100+30) + 4096
	load := func(n int) {
		for i := range n {
			exec1(t, db, "UPDATE t SET v = zeroblob(3000 + ?1 % 7) WHERE id = ?1 % 50", int64(i))
		}
	}
	load(2000)
	if size := walSize(t, cfg); size > bound {
		t.Errorf("idle readers: the log has %d bytes, more than %d", size, bound)
	}
	stop, wg := make(chan struct{}), sync.WaitGroup{}
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := queryRows(db, "SELECT count(*) FROM t WHERE length(v) > 10"); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	// How often it can start anew among readers that never pause is up to the
	// scheduler; without it, each of the commits would leave a page.
	for commits := 3000; ; commits += 3000 {
		load(3000)
		size, all := walSize(t, cfg), int64(commits*(4096+24))
		if size <= all*3/4 {
			break
		}
		if commits == 30_000 {
			t.Errorf("busy readers: the log has %d bytes of %d that were written", size, all)
			break
		}
	}
	close(stop)
	wg.Wait()
	// A reader that stays lets it grow; when it has gone the log shrinks.
	r, err := db.Query(ctx, q("SELECT id FROM t"))
	if err != nil {
		t.Fatal(err)
	}
	load(1500)
	grown := walSize(t, cfg)
	_ = r.Close()
	load(2000)
	if size := walSize(t, cfg); size >= grown || size > 8*bound {
		t.Errorf("the log had %d bytes while a reader stayed, and has %d after", grown, size)
	}
	if err := db.Checkpoint(ctx); err != nil {
		t.Fatal(err)
	}
	want(t, "log after Checkpoint", walSize(t, cfg), 0)
}

// Who holds all readers and asks for one more isn't left hanging; the surplus is
// closed afterwards.
func TestPoolGrows(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		cfg.MaxReaders = 2
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES(1), (2)")
		var held []tablet.Rows
		for range 7 {
			r, err := db.Query(ctx, q("SELECT id FROM t"))
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, r)
		}
		n, _ := db.readers.size()
		want(t, "open", n, 7)
		for _, r := range held {
			_ = r.Close()
		}
		open, idle := db.readers.size()
		want(t, "open and idle after", fmt.Sprint(open, idle), "2 2")
		c, cancel := context.WithCancel(ctx)
		cancel()
		a, _ := db.Query(ctx, q("SELECT id FROM t"))
		b, _ := db.Query(ctx, q("SELECT id FROM t"))
		_, err := db.Query(c, q("SELECT id FROM t"))
		wantCode(t, err, tablet.CodeCanceled)
		_, _ = a.Close(), b.Close()
	})
}

func openFiles(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // not on this system
	}
	n := 0
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, dir) {
			n++
		}
	}
	return n
}

// Close leaves no file and no goroutine, whatever is open; what is open fails.
func TestClose(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		before := runtime.NumGoroutine()
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES(1), (2), (3)")
		dest := make([]tablet.Value, 1)
		r, err := db.Query(ctx, q("SELECT id FROM t"))
		if err != nil || r.Next(dest) != nil {
			t.Fatal(err)
		}
		x := begin(t, db, tablet.TxOptions{})
		inTx, err := x.Query(ctx, q("SELECT id FROM t"))
		if err != nil {
			t.Fatal(err)
		}
		w := begin(t, db, tablet.TxOptions{Write: true})
		exec1(t, w, "INSERT INTO t VALUES(4)")
		busy := make(chan error, 2)
		go func() { _, err := db.Query(ctx, q(forever)); busy <- err }()
		go func() { _, err := db.Exec(ctx, q("DELETE FROM t")); busy <- err }()
		await.True(t, "one waits behind the other", func() bool { return db.queue.Len() > 0 })
		var closers sync.WaitGroup
		for range 3 {
			closers.Add(1)
			go func() {
				defer closers.Done()
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}()
		}
		closers.Wait()
		for range 2 {
			wantCode(t, <-busy, tablet.CodeClosed)
		}
		wantCode(t, r.Next(dest), tablet.CodeClosed)
		wantCode(t, inTx.Next(dest), tablet.CodeClosed)
		want(t, "Close", r.Close(), nil)
		_, err = x.Query(ctx, q("SELECT 1"))
		wantCode(t, err, tablet.CodeClosed)
		wantCode(t, w.Commit(ctx), tablet.CodeClosed)
		want(t, "Rollback", w.Rollback(), nil)
		want(t, "Rollback", x.Rollback(), nil)
		want(t, "Close", inTx.Close(), nil)
		_, err = db.Query(ctx, q("SELECT 1"))
		wantCode(t, err, tablet.CodeClosed)
		_, err = db.Exec(ctx, q("SELECT 1"))
		wantCode(t, err, tablet.CodeClosed)
		_, err = db.Begin(ctx, tablet.TxOptions{})
		wantCode(t, err, tablet.CodeClosed)
		wantCode(t, db.Ping(ctx), tablet.CodeClosed)
		await.True(t, "its goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
		if cfg.Path != "" {
			want(t, "open files", openFiles(t, filepath.Dir(cfg.Path)), 0)
			want(t, "kept", ids(t, open(t, cfg)), "[[1] [2] [3]]")
		}
	})
}
