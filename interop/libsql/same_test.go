//go:build linux && amd64 && !nonode

package libsql_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/conformance"
	"github.com/vitessdo/vitessdo/internal/difftest"
	"github.com/vitessdo/vitessdo/interop/libsql"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/sqldb"
)

var (
	seedFlag  = flag.Uint64("difftest.seed", 1, "first seed of the workloads")
	stmtsFlag = flag.Int("difftest.statements", 400, "statements to run in all")
)

// storage has a server for each shard, which it starts on demand.
func storage(t testing.TB, scheme string) func(context.Context, string, string) (tabletserver.Engine, error) {
	servers := map[string]*server{}
	return func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
		name := keyspace + "/" + shard
		if servers[name] == nil {
			servers[name] = serve(t)
		}
		return libsql.Open(ctx, servers[name].url(scheme), sqldb.Options{})
	}
}

func openDB(t testing.TB, cfg *vitessdo.Config) *sql.DB {
	t.Helper()
	c, err := vitessdo.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestConformance: the cases of docs/sql.md give what they give on SQLite in the
// process.
func TestConformance(t *testing.T) {
	cfg := vitessdo.NewConfig()
	cfg.Memory, cfg.Shards, cfg.ParseTime, cfg.Storage = true, 2, false, storage(t, "ws")
	c, err := openDB(t, cfg).Conn(bg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := conformance.Load(bg, c); err != nil {
		t.Fatal(err)
	}
	chapters, err := conformance.Chapters()
	if err != nil {
		t.Fatal(err)
	}
	number := func(err error) uint16 {
		var e *vitessdo.Error
		errors.As(err, &e)
		if e == nil {
			return 0
		}
		return e.Number
	}
	for _, ch := range chapters {
		for x := range ch.Cases() {
			if err := x.Check(bg, c, x.Statements(), number); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSameAnswers runs generated statements on one shard, two, three and eight.
func TestSameAnswers(t *testing.T) {
	difftest.Open = func(shards int) (*sql.DB, error) {
		cfg := vitessdo.NewConfig()
		cfg.Memory, cfg.Shards, cfg.ParseTime, cfg.ClientFoundRows, cfg.Storage = true, shards, false, true, storage(t, "ws")
		c, err := vitessdo.NewConnector(cfg)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(c), nil
	}
	for n, seed := 0, *seedFlag; n < *stmtsFlag; seed++ {
		r, err := difftest.Round(seed, 200)
		if err != nil {
			t.Fatal(err)
		}
		n += r.Statements
		for _, f := range r.Failures {
			t.Errorf("seed %d, %d shards: %s %v\n%s", seed, f.Shards, f.Statement.SQL, f.Statement.Args, f.Diff)
		}
	}
}
