package conformance

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/remotetest"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/sqldb"
)

var update = flag.Bool("update", false, "write docs/sql.md")

func corpus(t *testing.T) []Chapter {
	t.Helper()
	list, err := Chapters()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// openDB opens an empty database. The engine "database/sql" keeps shards in files that
// another driver opens, "ws" and "http" have them at a tablet server.
func openDB(t *testing.T, shards int, engine string) *sql.DB {
	t.Helper()
	if engine == "ws" || engine == "http" {
		s := remotetest.Start("")
		t.Cleanup(s.Close)
		db, err := sql.Open("vitessdo", s.DSN(engine, fmt.Sprintf("parse_time=false&shards=%d", shards)))
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	cfg := vitessdo.NewConfig()
	cfg.Memory, cfg.Shards, cfg.ParseTime = true, shards, false
	if engine == "database/sql" {
		dir := t.TempDir()
		cfg.Storage = func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
			db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, keyspace+shard)+"?_pragma=busy_timeout(2000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)")
			if err != nil {
				return nil, err
			}
			return sqldb.New(ctx, db, sqldb.Options{})
		}
	} else {
		cfg.Engine = engine
	}
	c, err := vitessdo.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return sql.OpenDB(c)
}

// openFixture opens a database of its own with the cases' tables.
func openFixture(t *testing.T, shards int, engine string) *sql.Conn {
	t.Helper()
	db := openDB(t, shards, engine)
	t.Cleanup(func() { _ = db.Close() })
	c, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := Load(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCases runs every case on one shard and on four, on engines that can do less, and
// over both ways to a tablet server, and what needs no table also over a row of one.
func TestCases(t *testing.T) {
	for _, way := range []struct {
		shards int
		engine string
	}{{1, "sqlite"}, {4, "sqlite"}, {1, "plain"}, {4, "plain"}, {4, "durable_object"}, {4, "database/sql"}, {4, "ws"}, {4, "http"}} {
		c := openFixture(t, way.shards, way.engine)
		for _, ch := range corpus(t) {
			t.Run(fmt.Sprintf("%s/%d/%s", way.engine, way.shards, ch.Title), func(t *testing.T) {
				for x := range ch.Cases() {
					check(t, c, x, x.Statements())
					if row, ok := overRow(x); ok && way.engine != "ws" && way.engine != "http" {
						check(t, c, x, row)
					}
				}
			})
		}
	}
}

// overRow makes of an expression's case one that a shard answers.
func overRow(x Case) ([]string, bool) {
	for _, word := range []string{" FROM t", " FROM w", " FROM k", " FROM x", " UNION ", "FROM DUAL", "WHERE", "FROM (", "; ", "INTO ", "JSON_TABLE"} {
		if strings.Contains(x.Text, word) {
			return nil, false
		}
	}
	s := x.Statements()
	if !strings.HasPrefix(s[0], "SELECT ") || strings.HasPrefix(x.Text, "(SELECT ") || strings.HasPrefix(x.Text, "SELECT") {
		return nil, false
	}
	return []string{s[0] + " FROM w WHERE id = 1"}, true
}

func check(t *testing.T, c *sql.Conn, x Case, statements []string) {
	t.Helper()
	if err := x.Check(context.Background(), c, statements, number); err != nil {
		t.Error(err)
	}
}

func number(err error) uint16 {
	var e *vitessdo.Error
	errors.As(err, &e)
	if e == nil {
		return 0
	}
	return e.Number
}

// TestNotes: whatever isn't as in MySQL is said in words too.
func TestNotes(t *testing.T) {
	for _, ch := range corpus(t) {
		for _, con := range ch.Constructs {
			if len(con.Cases) == 0 {
				t.Errorf("%s: %s has no case", ch.Title, con.Name)
			}
			for _, x := range con.Cases {
				if (x.MySQL != "" || strings.HasPrefix(x.Want, "error ")) && len(con.Notes) == 0 {
					t.Errorf("%s: %s differs from MySQL or is refused, and %s has no note that says so", x.Line, x.Text, con.Name)
				}
			}
		}
	}
}

func TestDocumentIsCurrent(t *testing.T) {
	const file = "../../docs/sql.md"
	want := Document(corpus(t))
	if *update {
		if err := os.MkdirAll("../../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("docs/sql.md isn't what the cases say (%v): run go test ./internal/conformance -update", err)
	}
}
