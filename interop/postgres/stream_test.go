//go:build linux && !nopostgres

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// numbered opens a tablet whose table t has n rows, of 100 bytes or so.
func numbered(t testing.TB, url string, n int) *tabletserver.Tablet {
	t.Helper()
	e, err := postgres.Open(bg, url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tab, err := tabletserver.Open(bg, tabletserver.Config{Target: shard, Engine: e, LockWait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tab.Close() })
	for _, text := range []string{
		`CREATE TABLE "t" ("id" bigint PRIMARY KEY, "v" text COLLATE "C", "n" double precision)`,
		fmt.Sprintf(`INSERT INTO "t" SELECT i, repeat('x', 60), i FROM generate_series(1, %d) AS s(i)`, n),
	} {
		if _, err := tab.Exec(bg, &tablet.Query{SQL: text}); err != nil {
			t.Fatal(err)
		}
	}
	return tab
}

const inOrder = `SELECT "id", "v", "n" FROM "t" ORDER BY "id"`

// stream is a result of inOrder that is read step by step.
type stream struct {
	tablet.Rows
	at int64
}

func start(t *testing.T, ctx context.Context, on tablet.Runner) *stream {
	t.Helper()
	rows, err := on.Query(ctx, &tablet.Query{SQL: inOrder})
	if err != nil {
		t.Fatal(err)
	}
	return &stream{Rows: rows}
}

// next reads n rows more, or as many as there are, and gives what ended it.
func (s *stream) next(t *testing.T, n int) error {
	t.Helper()
	row := make([]tablet.Value, 3)
	for range n {
		if err := s.Next(row); err != nil {
			return err
		}
		if s.at++; row[0] != s.at || row[2] != float64(s.at) {
			t.Fatalf("row %d is %v", s.at, row)
		}
	}
	return nil
}

// TestPortions: in a transaction results are read side by side, with what else it does in
// between; each shows what there was when it began.
func TestPortions(t *testing.T) {
	const rows = 20000
	tab := numbered(t, database(t)("portions"), rows)
	for _, c := range []struct {
		name string
		opts tablet.TxOptions
	}{{"reading first", tablet.TxOptions{}}, {"writing", tablet.TxOptions{Write: true}}} {
		t.Run(c.name, func(t *testing.T) {
			x, err := tab.Begin(t.Context(), c.opts)
			if err != nil {
				t.Fatal(err)
			}
			defer x.Rollback()
			must := func(what string, err error) {
				t.Helper()
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}
			must("savepoint", x.Savepoint(t.Context(), "outer"))
			a, b := start(t, t.Context(), x), start(t, t.Context(), x)
			must("a", a.next(t, 300))
			must("b", b.next(t, 5000))
			write(t, x, `DELETE FROM "t" WHERE "id" % 2 = 0`)
			must("a", a.next(t, 3000))
			if _, err := x.Exec(t.Context(), &tablet.Query{SQL: `INSERT INTO "t" VALUES (1, '', 0)`}); tablet.CodeOf(err) != tablet.CodeUnique {
				t.Fatal(err)
			}
			must("b", b.next(t, 5000))
			// What is rolled back takes nothing from those who read.
			must("savepoint", x.Savepoint(t.Context(), "inner"))
			write(t, x, `DELETE FROM "t"`)
			d := start(t, t.Context(), x)
			if err := d.next(t, 1); err != io.EOF {
				t.Errorf("a result of no rows: %v", err)
			}
			must("rollback", x.RollbackTo(t.Context(), "outer"))
			late := start(t, t.Context(), x)
			write(t, x, `UPDATE "t" SET "v" = 'y' WHERE "id" = 7`)
			for name, s := range map[string]*stream{"a": a, "b": b, "late": late} {
				if err := s.next(t, rows+1); err != io.EOF || s.at != rows {
					t.Errorf("%s ends behind row %d: %v", name, s.at, err)
				}
				must("close", s.Close())
			}
			// One that is closed early, and one that the transaction's end overtakes.
			early, over := start(t, t.Context(), x), start(t, t.Context(), x)
			must("early", early.next(t, 10))
			must("close", early.Close())
			must("over", over.next(t, 10))
			must("commit", x.Commit(t.Context()))
			if err := over.next(t, rows); tablet.CodeOf(err) != tablet.CodeMisuse {
				t.Errorf("behind the transaction: %v", err)
			}
			if got := all(t, tab, `SELECT count(*), max("v") FROM "t"`); got[0][0] != int64(rows) || got[0][1] != "y" {
				t.Errorf("the table holds %v", got)
			}
			write(t, tab, `UPDATE "t" SET "v" = '' WHERE "id" = 7`)
		})
	}
}

// TestStreamEnds: a result may be left, interrupted or lost in its middle. Nothing goes on
// at the server then, and no connection is lost with it.
func TestStreamEnds(t *testing.T) {
	url := database(t)("ends")
	tab := numbered(t, url, 100000)
	look, err := pgconn.Connect(bg, url)
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close(bg)
	ask := func(text string) string {
		t.Helper()
		res, err := look.Exec(bg, text).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return string(res[0].Rows[0][0])
	}
	others := " FROM pg_stat_activity WHERE query LIKE '%ORDER BY \"id\"%' AND pid <> pg_backend_pid()"
	for _, c := range []struct {
		name string
		end  func(s *stream, cancel func()) error
		want tablet.Code
	}{
		{"closed", func(s *stream, _ func()) error { return s.Close() }, ""},
		{"interrupted", func(s *stream, cancel func()) error { cancel(); return s.next(t, 1e6) }, tablet.CodeCanceled},
		{"lost", func(s *stream, _ func()) error {
			if ask("SELECT count(pg_terminate_backend(pid))"+others+" AND state = 'active'") != "1" {
				t.Error("no server process has the stream's statement")
			}
			return s.next(t, 1e6)
		}, tablet.CodeIO},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 5 {
				ctx, cancel := context.WithCancel(t.Context())
				s := start(t, ctx, tab)
				if err := s.next(t, 1000); err != nil {
					t.Fatal(err)
				}
				if err := c.end(s, cancel); tablet.CodeOf(err) != c.want || c.want == tablet.CodeCanceled && !errors.Is(err, context.Canceled) {
					t.Errorf("it ends with %v", err)
				}
				_ = s.Close()
				cancel()
				// The connection serves again.
				if s = start(t, t.Context(), tab); s.next(t, 1e6) != io.EOF || s.at != 100000 {
					t.Errorf("the next one ends behind row %d", s.at)
				}
			}
			for deadline := time.Now().Add(10 * time.Second); ask("SELECT count(*)"+others+" AND state <> 'idle'") != "0"; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("something goes on at the server")
				}
			}
		})
	}
	if n := ask("SELECT count(*)" + others); n != "1" {
		t.Errorf("%s connections have read, want the same one all along", n)
	}
}

// TestChangeBehindResults: a table can be changed by the transaction that has read it,
// whether it has read all or has left the rest.
func TestChangeBehindResults(t *testing.T) {
	tab := numbered(t, database(t)("behind"), 1000)
	for _, n := range []int{0, 1, 200, 1001} {
		x, err := tab.Begin(t.Context(), tablet.TxOptions{Write: true})
		if err != nil {
			t.Fatal(err)
		}
		a, b := start(t, t.Context(), x), start(t, t.Context(), x)
		if err := a.next(t, n); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		for _, s := range []*stream{a, b} {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := x.Exec(t.Context(), &tablet.Query{SQL: `ALTER TABLE "t" ADD COLUMN "x" integer`}); err != nil {
			t.Errorf("after %d rows: %v", n, err)
		}
		if err := x.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPortionLimit: what has to be read at once is bounded.
func TestPortionLimit(t *testing.T) {
	tab := open(t, database(t)("limit"), shard, postgres.Options{MaxResult: 1 << 20}, nil)
	write(t, tab, `CREATE TABLE "t" ("id" bigint, "v" text)`)
	write(t, tab, `INSERT INTO "t" SELECT i, repeat('x', 1000) FROM generate_series(1, 5000) AS s(i)`)
	if got := all(t, tab, `SELECT "v" FROM "t"`); len(got) != 5000 {
		t.Errorf("%d rows came of 5 MB", len(got))
	}
	x, err := tab.Begin(t.Context(), tablet.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Rollback()
	if _, err := x.Query(t.Context(), &tablet.Query{SQL: `UPDATE "t" SET "id" = 0 RETURNING "v"`}); tablet.CodeOf(err) != tablet.CodeTooBig {
		t.Errorf("a write that returns 5 MB: %v", err)
	}
	_ = x.Rollback()
	if got := all(t, tab, `SELECT count(*) FROM "t" WHERE "id" = 0`); got[0][0] != int64(0) {
		t.Errorf("it changed %v rows", got)
	}
	// A read that is too much leaves its transaction alone.
	if x, err = tab.Begin(t.Context(), tablet.TxOptions{Write: true}); err != nil {
		t.Fatal(err)
	}
	defer x.Rollback()
	write(t, x, `DELETE FROM "t" WHERE "id" > 1`)
	if _, err := x.Query(t.Context(), &tablet.Query{SQL: `SELECT repeat('x', 10000) FROM generate_series(1, 1000)`}); tablet.CodeOf(err) != tablet.CodeTooBig {
		t.Errorf("a portion of more than 1 MB: %v", err)
	}
	if got := all(t, x, `SELECT count(*) FROM "t"`); got[0][0] != int64(1) {
		t.Errorf("the table holds %v rows", got)
	}
}

// BenchmarkStream reads a million rows of a tablet, by itself and in a transaction.
func BenchmarkStream(b *testing.B) {
	const rows = 1_000_000
	tab := numbered(b, database(b)("stream"), rows)
	read := func(b *testing.B, on tablet.Runner) {
		r, err := on.Query(bg, &tablet.Query{SQL: strings.TrimSuffix(inOrder, ` ORDER BY "id"`)})
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		row, n := make([]tablet.Value, 3), 0
		for ; err == nil; n++ {
			if n%200_000 == 100_000 {
				b.StopTimer()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB")
				b.StartTimer()
			}
			err = r.Next(row)
		}
		if n != rows+1 {
			b.Fatalf("%d rows: %v", n, err)
		}
	}
	rate := func(b *testing.B) { b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s") }
	b.Run("autocommit", func(b *testing.B) {
		for b.Loop() {
			read(b, tab)
		}
		rate(b)
	})
	b.Run("transaction", func(b *testing.B) {
		for b.Loop() {
			x, err := tab.Begin(bg, tablet.TxOptions{ReadOnly: true})
			if err != nil {
				b.Fatal(err)
			}
			read(b, x)
			_ = x.Rollback()
		}
		rate(b)
	})
	b.Run("point", func(b *testing.B) {
		for b.Loop() {
			r, err := tab.Query(bg, &tablet.Query{SQL: `SELECT "v" FROM "t" WHERE "id" = $1`, Args: []tablet.Value{int64(77)}})
			if err != nil {
				b.Fatal(err)
			}
			if err := r.Next(make([]tablet.Value, 1)); err != nil {
				b.Fatal(err)
			}
			_ = r.Close()
		}
	})
}
