//go:build linux && !nopostgres && !nonode

package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/contract"
	"github.com/vitessdo/vitessdo/internal/difftest"
	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/interop/postgres/internal/pglite"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

var (
	pgliteFlag  = flag.Int("pglite.statements", 200, "statements to run on shards in PGlite")
	pgliteKills = flag.Int("pglite.kills", 1, "how often PGlite is killed")
)

// lite is the process with all tests' databases in PGlite, once one needs it.
var lite = sync.OnceValues(func() (*pglite.Server, error) {
	s, err := pglite.New(".")
	if err == nil {
		atEnd(s.Stop)
	}
	return s, err
})

// pgliteDatabase gives the addresses of empty databases in PGlite, the same one for the
// same name, until the test ends.
func pgliteDatabase(t testing.TB) func(name string) string {
	t.Helper()
	s, err := lite()
	if err != nil {
		t.Fatal(err)
	}
	urls := map[string]string{}
	t.Cleanup(func() {
		for _, url := range urls {
			s.Leave(url)
		}
	})
	return func(name string) string {
		if urls[name] == "" {
			url, err := s.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			urls[name] = url
		}
		return urls[name]
	}
}

func pgliteConfig(t testing.TB, shards int) *vitessdo.Config {
	s, err := lite()
	if err != nil {
		t.Fatal(err)
	}
	cfg := vitessdo.NewConfig()
	cfg.Memory, cfg.Shards = true, shards
	cfg.Storage = func(ctx context.Context, _, _ string) (tabletserver.Engine, error) { return s.Engine(ctx) }
	return cfg
}

// TestPGlite: the first steps, on databases that have one session.
func TestPGlite(t *testing.T) { firstSteps(t, openDB(t, pgliteConfig(t, 2))) }

// TestPGliteSameAnswers runs generated statements on one shard and on three.
func TestPGliteSameAnswers(t *testing.T) {
	defer func(all []int) { difftest.ShardCounts = all }(difftest.ShardCounts)
	difftest.ShardCounts = []int{1, 3}
	sameAnswers(t, pgliteConfig, *pgliteFlag)
}

// TestPGliteLevels: what clients at once have seen keeps to what their level promises.
func TestPGliteLevels(t *testing.T) {
	levels(t, func(t *testing.T, _ string) *sql.DB { return openDB(t, pgliteConfig(t, 2)) }, "PGlite")
}

// TestPGliteKilled crashes the process that has both shards under transactions.
func TestPGliteKilled(t *testing.T) {
	s, b := pgliteBank(t)
	serverKilled(t, s, b, *pgliteKills)
}

// TestPGliteGateKilled kills the gate under its transactions.
func TestPGliteGateKilled(t *testing.T) {
	_, b := pgliteBank(t)
	gateKilled(t, b)
}

// pgliteBank is a bank whose shards PGlite keeps in folders.
func pgliteBank(t *testing.T) (*pglite.Server, *bank) {
	s, err := pglite.New(".")
	if s != nil {
		t.Cleanup(s.Stop)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := &bank{dir: t.TempDir(), urls: map[string]string{}}
	for _, shard := range []string{"-80", "80-"} {
		if b.urls[shard], err = s.Database(4, t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	return s, b
}

// TestPGliteContract runs the contract of tablets, where nothing hears that a statement is
// to be cancelled.
func TestPGliteContract(t *testing.T) {
	contract.Run(t, func(t *testing.T) tablet.Tablet {
		return open(t, pgliteDatabase(t)("one")+"&lock_timeout=100ms", shard, postgres.Options{MaxResult: 4 << 20}, nil)
	}, contract.Options{JSON: true, LastRow: true, Uninterrupted: true, Buffered: true, Spell: spelled})
}

// TestPGliteConnection: one connection is all that is ever asked for. Whoever doesn't wait
// for a statement's end lets go of it, and the next one comes when the server has seen that.
func TestPGliteConnection(t *testing.T) {
	s, err := lite()
	if err != nil {
		t.Fatal(err)
	}
	url, err := s.Database(1, "")
	if err != nil {
		t.Fatal(err)
	}
	tab := open(t, url, shard, postgres.Options{}, nil)
	write(t, tab, `CREATE TABLE "t" ("v" bigint)`)
	slow := &tablet.Query{SQL: "SELECT pg_sleep(1)::text"}
	for i := range int64(3) {
		x, err := tab.Begin(t.Context(), tablet.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		write(t, x, `INSERT INTO "t" VALUES ($1)`, i)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err = x.Query(ctx, slow)
		cancel()
		if tablet.CodeOf(err) != tablet.CodeCanceled || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("interrupted: %v", err)
		}
		if _, err := x.Exec(t.Context(), &tablet.Query{SQL: `INSERT INTO "t" VALUES (9)`}); tablet.CodeOf(err) != tablet.CodeCanceled {
			t.Errorf("a statement of the transaction that was let go of: %v", err)
		}
		if err := x.Rollback(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err = tab.Query(ctx, slow)
		cancel()
		if tablet.CodeOf(err) != tablet.CodeCanceled {
			t.Errorf("interrupted: %v", err)
		}
		if got := all(t, tab, `SELECT count(*) FROM "t"`); got[0][0] != i {
			t.Errorf("%v rows are there, want %d", got, i)
		}
		write(t, tab, `INSERT INTO "t" VALUES ($1)`, i)
		if err := tab.Close(); err != nil {
			t.Fatal(err)
		}
		tab = open(t, url, shard, postgres.Options{}, nil)
	}
}

// TestPGliteReaders: reads in a transaction are of one moment, or fail; they keep nobody
// from writing, and wait for who has written.
func TestPGliteReaders(t *testing.T) {
	url := pgliteDatabase(t)("one")
	tab := open(t, url, shard, postgres.Options{}, nil)
	write(t, tab, `CREATE TABLE "t" ("v" bigint)`)
	const count = `SELECT count(*) FROM "t"`
	begin := func() tablet.Tx {
		x, err := tab.Begin(t.Context(), tablet.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	reader := begin()
	for range 2 {
		if got := all(t, reader, count); got[0][0] != int64(0) {
			t.Errorf("%v rows", got)
		}
	}
	writer := begin()
	write(t, writer, `INSERT INTO "t" VALUES (1)`)
	if _, err := tab.Query(tablet.WithLockWait(t.Context(), time.Millisecond), &tablet.Query{SQL: count}); tablet.CodeOf(err) != tablet.CodeLockTimeout {
		t.Errorf("beside a transaction that has written: %v", err)
	}
	if err := writer.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := all(t, tab, count); got[0][0] != int64(1) {
		t.Errorf("%v rows", got)
	}
	if _, err := reader.Query(t.Context(), &tablet.Query{SQL: count}); tablet.CodeOf(err) != tablet.CodeConflict {
		t.Errorf("behind a commit the reader gets %v", err)
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), url+"&search_path=mine", postgres.Options{}); tablet.CodeOf(err) != tablet.CodeMisuse {
		t.Errorf("a schema of its own: %v", err)
	}
	if _, err := postgres.Open(t.Context(), url, postgres.Options{}); tablet.CodeOf(err) != tablet.CodeLockTimeout {
		t.Errorf("a second owner: %v", err)
	}
	write(t, tab, `INSERT INTO "t" VALUES (2)`)
}
