package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/tablet"
)

var background = context.Background()

func openTest(tb testing.TB, path string, o Options) *Conn {
	tb.Helper()
	c, err := Open(background, path, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func script(tb testing.TB, c *Conn, sql string) {
	tb.Helper()
	if err := c.Script(sql); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

func all(tb testing.TB, c *Conn, sql string, args ...tablet.Value) string {
	tb.Helper()
	rows, err := c.QueryAll(background, sql, args...)
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	return fmt.Sprint(rows)
}

func TestKindOf(t *testing.T) {
	for sql, want := range map[string]Kind{
		"select 1": KindRead, " (VALUES (1))": KindRead, "EXPLAIN QUERY PLAN DELETE FROM t": KindRead,
		"/* a */ -- b\n insert into t values(1)": KindInsert, "REPLACE INTO t VALUES(1)": KindInsert,
		"update t set a=1": KindChange, "DELETE FROM t": KindChange, "with a as (select 1) select 1": KindWith,
		"pragma user_version": KindPragma, "begin": KindControl, "End": KindControl, "RELEASE x": KindControl,
		"CREATE TABLE t(a)": KindOther, "": KindOther, "-- only": KindOther, "/* open": KindOther, "selective": KindOther,
	} {
		if got := KindOf(sql); got != want {
			t.Errorf("%q: got %d, want %d", sql, got, want)
		}
	}
}

func TestStatementCache(t *testing.T) {
	c := openTest(t, "", Options{Statements: 3})
	open := func() (n int) {
		for range c.Raw().Stmts() {
			n++
		}
		return n
	}
	get := func(sql string) *Stmt {
		s, err := c.Prepare(sql)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a := get("SELECT 1")
	b := get("SELECT 1")
	if a == b {
		t.Fatal("a statement in use was handed out again")
	}
	b.Release()
	if open() != 1 {
		t.Fatal("a second instance must go when it is released")
	}
	for i := range 10 {
		get(fmt.Sprint("SELECT ", i+10)).Release()
	}
	if n := open(); n != 3 {
		t.Fatalf("%d statements are open, want 3", n)
	}
	a.Release()
	if get("SELECT 1") != a {
		t.Fatal("a statement in use must not be evicted")
	}
	a.Release()
	get("SELECT 19").Release()
	get("SELECT 18").Release()
	get("SELECT 20").Release() // evicts the oldest: SELECT 1
	if s := get("SELECT 1"); s == a {
		t.Fatal("the oldest statement should have been evicted")
	}
	if err := c.Close(); err != nil { // with a statement in use
		t.Fatal(err)
	}
	if _, err := c.Prepare("SELECT 1"); tablet.CodeOf(err) != tablet.CodeClosed {
		t.Fatal(err)
	}
}

func TestInterrupt(t *testing.T) {
	var stop atomic.Bool
	c := openTest(t, "", Options{Stop: &stop})
	const forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
	ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
	defer cancel()
	_, err := c.QueryAll(ctx, forever)
	if tablet.CodeOf(err) != tablet.CodeCanceled || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	script(t, openTest(t, "", Options{}), "SELECT 1")
	if got := all(t, c, "SELECT 2"); got != "[[2]]" {
		t.Fatal(got)
	}
	c.SetContext(ctx)
	if err := c.Control("BEGIN"); err != nil {
		t.Fatal("transaction control must not be interrupted:", err)
	}
	time.AfterFunc(20*time.Millisecond, func() { stop.Store(true) })
	_, err = c.QueryAll(background, forever)
	if tablet.CodeOf(err) != tablet.CodeClosed {
		t.Fatal(err)
	}
}

func TestScratch(t *testing.T) {
	c := openTest(t, ":memory:", Options{TempInMemory: true})
	script(t, c, "CREATE TEMP TABLE f0(a, b); CREATE TEMP TABLE f1(a, c)")
	s, err := c.Prepare("INSERT INTO f0 VALUES(?1, ?2)")
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(1000) {
		if err := s.Exec([]tablet.Value{i, "x"}); err != nil {
			t.Fatal(err)
		}
	}
	s.Release()
	if got := all(t, c, "SELECT count(*), sum(a) FROM f0 LEFT JOIN f1 USING (a)"); got != "[[1000 499500]]" {
		t.Fatal(got)
	}
}

// A panic of a Go function becomes an error.
func TestPanicInFunction(t *testing.T) {
	c := openTest(t, "", Options{})
	if err := c.Raw().CreateFunction("boom", 0, 0, boom); err != nil {
		t.Fatal(err)
	}
	_, err := c.QueryAll(background, "SELECT boom()")
	if tablet.CodeOf(err) != tablet.CodeInternal || !strings.Contains(err.Error(), "bang") || !c.Broken() {
		t.Fatal(err)
	}
	_ = c.Close()
}

// Random transactions on a shared database in memory and on a file leave the
// same rows; readers see whole commits only, and hold their snapshot.
func TestMemoryAgainstFile(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	m := NewMemory()
	defer m.Close()
	mem, file := openTest(t, m.Path(), Options{}), openTest(t, filepath.Join(t.TempDir(), "f.db"), Options{})
	reader := openTest(t, m.Path(), Options{})
	script(t, file, "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY")
	both := func(sql string) {
		t.Helper()
		e1, e2 := mem.Script(sql), file.Script(sql)
		if (e1 == nil) != (e2 == nil) {
			t.Fatalf("%s: %v, %v", sql, e1, e2)
		}
	}
	const look = "SELECT count(*), total(length(v)), total(id) FROM t"
	both("PRAGMA cache_size=20; CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB); CREATE INDEX i ON t(v)")
	for range 120 {
		before := all(t, reader, look)
		script(t, reader, "BEGIN")
		if got := all(t, reader, look); got != before {
			t.Fatal(got, before)
		}
		both("BEGIN IMMEDIATE")
		for range 1 + rng.IntN(5) {
			switch rng.IntN(5) {
			case 0:
				both(fmt.Sprintf("DELETE FROM t WHERE id %% 10 = %d", rng.IntN(10)))
			case 1:
				both(fmt.Sprintf("UPDATE OR IGNORE t SET v = zeroblob(%d) WHERE id %% 7 = %d", rng.IntN(6000), rng.IntN(7)))
			default:
				both(fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO t(v) SELECT zeroblob((i * 37) %% 5000) FROM n", 1+rng.IntN(30)))
			}
		}
		if got := all(t, reader, look); got != before {
			t.Fatalf("a reader's snapshot moved: %s, %s", got, before)
		}
		if rng.IntN(3) == 0 {
			both("ROLLBACK")
			if got := all(t, mem, look); got != before {
				t.Fatalf("after rollback: %s, %s", got, before)
			}
		} else {
			both("COMMIT")
		}
		if got := all(t, reader, look); got != before {
			t.Fatalf("a reader's snapshot moved: %s, %s", got, before)
		}
		script(t, reader, "COMMIT")
		if a, b, c := all(t, mem, look), all(t, file, look), all(t, reader, look); a != b || a != c {
			t.Fatalf("memory %s, file %s, reader %s", a, b, c)
		}
		if rng.IntN(20) == 0 {
			both("DELETE FROM t; VACUUM")
		}
	}
	for _, c := range []*Conn{mem, reader} {
		if got := all(t, c, "PRAGMA integrity_check"); got != "[[ok]]" {
			t.Fatal(got)
		}
	}
}

// A transaction on an old snapshot can't write; one writer keeps others out.
func TestMemoryConflicts(t *testing.T) {
	m := NewMemory()
	defer m.Close()
	a, b := openTest(t, m.Path(), Options{}), openTest(t, m.Path(), Options{})
	script(t, a, "CREATE TABLE t(a)")
	script(t, b, "BEGIN")
	all(t, b, "SELECT * FROM t")
	script(t, a, "INSERT INTO t VALUES(1)")
	if err := b.Script("INSERT INTO t VALUES(2)"); tablet.CodeOf(err) != tablet.CodeConflict {
		t.Fatal(err)
	}
	script(t, b, "ROLLBACK; BEGIN IMMEDIATE; INSERT INTO t VALUES(2)")
	if err := a.Script("INSERT INTO t VALUES(3)"); tablet.CodeOf(err) != tablet.CodeLockTimeout {
		t.Fatal(err)
	}
	if got := all(t, a, "SELECT * FROM t"); got != "[[1]]" {
		t.Fatal(got)
	}
	_ = b.Close() // in the middle of a transaction
	script(t, a, "INSERT INTO t VALUES(3)")
	if got := all(t, a, "SELECT * FROM t"); got != "[[1] [3]]" {
		t.Fatal(got)
	}
}

func TestMemoryParallelReaders(t *testing.T) {
	m := NewMemory()
	defer m.Close()
	w := openTest(t, m.Path(), Options{})
	script(t, w, "CREATE TABLE t(id INTEGER PRIMARY KEY, v INT); INSERT INTO t VALUES(1, 50), (2, 50)")
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 3 {
		c := openTest(t, m.Path(), Options{})
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !stop.Load() {
				rows, err := c.QueryAll(background, "SELECT sum(v) FROM t")
				if err != nil || rows[0][0] != int64(100) {
					t.Errorf("%v, %v", rows, err)
					return
				}
			}
		}()
	}
	for i := range 500 {
		script(t, w, fmt.Sprintf("BEGIN; UPDATE t SET v = v - %d WHERE id = 1; UPDATE t SET v = v + %d WHERE id = 2; COMMIT", i, i))
	}
	stop.Store(true)
	wg.Wait()
}

func BenchmarkOpen(b *testing.B) {
	for _, plain := range []bool{false, true} {
		b.Run(fmt.Sprint("NoFunctions=", plain), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "f.db")
			b.ReportAllocs()
			for b.Loop() {
				c, err := Open(background, path, Options{NoFunctions: plain})
				if err != nil {
					b.Fatal(err)
				}
				_ = c.Close()
			}
		})
	}
}

func boom(sqlite3.Context, ...sqlite3.Value) { panic("bang") }
