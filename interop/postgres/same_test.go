//go:build linux && !nopostgres

package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/conformance"
	"github.com/vitessdo/vitessdo/internal/difftest"
	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/tabletserver"
)

var (
	seedFlag  = flag.Uint64("difftest.seed", 1, "first seed of the workloads")
	stmtsFlag = flag.Int("difftest.statements", 600, "statements to run in all")
)

func storage(t testing.TB) func(context.Context, string, string) (tabletserver.Engine, error) {
	at := database(t)
	return func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
		e, err := postgres.Open(ctx, at(keyspace+"_"+shard), postgres.Options{})
		if err != nil {
			return nil, err
		}
		return e, nil
	}
}

func config(t testing.TB, shards int) *vitessdo.Config {
	cfg := vitessdo.NewConfig()
	cfg.Memory, cfg.Shards, cfg.Storage = true, shards, storage(t)
	return cfg
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

// TestFirstSteps: a database over two shards in PostgreSQL, as a reader begins with it.
func TestFirstSteps(t *testing.T) { firstSteps(t, openDB(t, config(t, 2))) }

func firstSteps(t *testing.T, db *sql.DB) {
	t.Helper()
	run := func(text string, args ...any) sql.Result {
		t.Helper()
		res, err := db.Exec(text, args...)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return res
	}
	ask := func(want, text string, args ...any) {
		t.Helper()
		if got, err := answer(db, text, args...); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", text, got, err, want)
		}
	}
	run("CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(40), age INT, pay DECIMAL(10,2), UNIQUE KEY (name))")
	run("CREATE TABLE notes (a INT, b TEXT)")
	for i, name := range []string{"Ann", "Bob", "Cid", "Dan"} {
		run("INSERT INTO users VALUES (?, ?, ?, ?)", i+1, name, 20+i, "10.50")
	}
	ask("[2 Bob 21 10.50]", "SELECT * FROM users WHERE id = ?", 2)
	ask("[1][2][3][4]", "SELECT id FROM users ORDER BY id")
	ask("[4 86 42.00]", "SELECT COUNT(*), SUM(age), SUM(pay) FROM users")
	ask("[3]", "SELECT id FROM users WHERE name = 'Cid'")
	run("UPDATE users SET age = age + 1 WHERE id = ?", 3)
	run("UPDATE users SET pay = pay * 2 WHERE age > 20")
	ask("[1 20 10.50][2 21 21.00][3 23 21.00][4 23 21.00]", "SELECT id, age, pay FROM users ORDER BY id")
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for id := 1; id <= 4; id++ {
		if _, err := tx.Exec("UPDATE users SET age = 0 WHERE id = ?", id); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	ask("[0]", "SELECT SUM(age) FROM users")
	run("INSERT INTO notes VALUES (1, 'x'), (1, 'x')")
	run("DELETE FROM notes WHERE a = 1 LIMIT 1")
	ask("[1 x]", "SELECT * FROM notes")
	if _, err := db.Exec("INSERT INTO users VALUES (9, 'Ann', 1, 1)"); err == nil {
		t.Error("a name is there twice")
	}
	ask("[4]", "SELECT COUNT(*) FROM users")
}

// TestSameAnswers runs generated statements on one shard, two, three and eight.
func TestSameAnswers(t *testing.T) { sameAnswers(t, config, *stmtsFlag) }

func sameAnswers(t *testing.T, config func(testing.TB, int) *vitessdo.Config, statements int) {
	difftest.Open = func(shards int) (*sql.DB, error) {
		cfg := config(t, shards)
		cfg.ParseTime, cfg.ClientFoundRows = false, true
		c, err := vitessdo.NewConnector(cfg)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(c), nil
	}
	for n, seed := 0, *seedFlag; n < statements; seed++ {
		r, err := difftest.Round(seed, 200)
		if err != nil {
			t.Fatal(err)
		}
		n += r.Statements
		t.Logf("seed %d: %d statements, %d refused alike, not made: %v, refused: %v", seed, r.Statements, r.Failed, r.Skipped, r.Unsupported)
		for _, f := range r.Failures {
			t.Errorf("seed %d, %d shards: %s %v\n%s", seed, f.Shards, f.Statement.SQL, f.Statement.Args, f.Diff)
		}
	}
}

// TestConformance: the cases of docs/sql.md give what they give on SQLite in the
// process, or are refused by name.
func TestConformance(t *testing.T) { conforms(t, config(t, 2)) }

func conforms(t *testing.T, cfg *vitessdo.Config) {
	cfg.ParseTime = false
	c, err := openDB(t, cfg).Conn(bg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fixture, err := conformance.Fixture()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range fixture {
		if _, err := c.ExecContext(bg, s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	chapters, err := conformance.Chapters()
	if err != nil {
		t.Fatal(err)
	}
	cases, refused := 0, 0
	for _, ch := range chapters {
		for _, con := range ch.Constructs {
			for _, x := range con.Cases {
				cases++
				got, err := conformance.Answer(bg, c, x.Statements())
				var e *vitessdo.Error
				switch {
				case errors.As(err, &e) && x.Want == fmt.Sprint("error ", e.Number):
				case errors.As(err, &e) && e.Number == 1235:
					refused++
					t.Logf("%s: %v is refused: %v", x.Line, x.Statements(), err)
				case err != nil || !conformance.Same(got, x.Want):
					t.Errorf("%s: %v\n  is %s, error %v\nwant %s", x.Line, x.Statements(), got, err, x.Want)
				}
			}
		}
	}
	t.Logf("%d of %d cases are refused", refused, cases)
	if refused > cases/50 {
		t.Errorf("%d of %d cases are refused", refused, cases)
	}
}
