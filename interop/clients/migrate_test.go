package clients

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database/mysql"
	dbtesting "github.com/golang-migrate/migrate/v4/database/testing"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/pressly/goose/v3"
	"github.com/vitessdo/vitessdo/internal/remotetest"
)

// files makes a folder of migrations.
func files(names ...string) fs.FS {
	out := fstest.MapFS{}
	for i := 0; i < len(names); i += 2 {
		out[names[i]] = &fstest.MapFile{Data: []byte(names[i+1])}
	}
	return out
}

var migrateFiles = files(
	"1_users.up.sql", "CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(80) NOT NULL);\nINSERT INTO users (email) VALUES ('a'), ('b'), ('c');",
	"1_users.down.sql", "DROP TABLE users;",
	"2_orders.up.sql", "CREATE TABLE orders (user_id BIGINT, id BIGINT, PRIMARY KEY (user_id, id), FOREIGN KEY (user_id) REFERENCES users (id)) PARTITION BY KEY(user_id);",
	"2_orders.down.sql", "DROP TABLE orders;",
	"3_alter.up.sql", "ALTER TABLE users ADD name VARCHAR(20) DEFAULT 'x', ADD UNIQUE KEY by_email (email);",
	"3_alter.down.sql", "ALTER TABLE users DROP KEY by_email, DROP COLUMN name;",
)

func migrator(t *testing.T, db *sql.DB, from fs.FS) *migrate.Migrate {
	t.Helper()
	src, err := iofs.New(from, ".")
	must(t, err)
	d, err := mysql.WithInstance(db, &mysql.Config{})
	must(t, err)
	m, err := migrate.NewWithInstance("iofs", src, "main", d)
	must(t, err)
	return m
}

// TestGolangMigrateDriver runs the tests that golang-migrate has for its drivers.
func TestGolangMigrateDriver(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, _ string) {
		d, err := mysql.WithInstance(db, &mysql.Config{})
		must(t, err)
		dbtesting.Test(t, d, []byte("SELECT 1; CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)"))
		dbtesting.TestMigrate(t, migrator(t, db, migrateFiles))
	})
}

func TestGolangMigrate(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, _ string) {
		m := migrator(t, db, migrateFiles)
		must(t, m.Up())
		if err := m.Up(); !errors.Is(err, migrate.ErrNoChange) {
			t.Error(err)
		}
		same(t, texts(t, db, "SHOW TABLES"), []string{"orders", "schema_migrations", "users"})
		same(t, texts(t, db, "SELECT CONCAT(email, name) FROM users ORDER BY id"), []string{"ax", "bx", "cx"})
		must(t, m.Steps(-2))
		v, dirty, err := m.Version()
		same(t, []any{v, dirty, err}, []any{uint(1), false, nil})
		must(t, m.Migrate(3))
		must(t, m.Down())
		same(t, texts(t, db, "SHOW TABLES"), []string{"schema_migrations"})
	})
}

// failing has a statement that fails on one shard only, as only that has a value twice.
func failing(statement string) fs.FS {
	return files("1_users.up.sql", "CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(80));\nINSERT INTO users VALUES (1, 'a'), (2, 'b'), (3, 'a'), (4, 'd'), (5, NULL), (6, 'f');",
		"2_bad.up.sql", statement)
}

// TestFailedMigration: a statement that fails leaves the schema as it was on all shards.
func TestFailedMigration(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, _ string) {
		for _, bad := range []string{
			"ALTER TABLE users ADD UNIQUE KEY u (email)",
			"ALTER TABLE users ADD n INT, ADD UNIQUE KEY u (email)",
			"ALTER TABLE users MODIFY email VARCHAR(80) NOT NULL",
			"ALTER TABLE users MODIFY email INT",
			"ALTER TABLE users ADD CONSTRAINT c CHECK (email <> 'f')",
			"ALTER TABLE users ADD FOREIGN KEY (email) REFERENCES nowhere (id)",
			"CREATE UNIQUE INDEX u ON users (email)",
			"CREATE TABLE users (id INT PRIMARY KEY)",
		} {
			m := migrator(t, db, failing(bad))
			_ = m.Migrate(1)
			before := texts(t, db, "SELECT column_type FROM information_schema.columns WHERE table_name = 'users' UNION ALL SELECT index_name FROM information_schema.statistics WHERE table_name = 'users'")
			if err := m.Up(); err == nil {
				t.Fatalf("%s: has been done", bad)
			}
			after := texts(t, db, "SELECT column_type FROM information_schema.columns WHERE table_name = 'users' UNION ALL SELECT index_name FROM information_schema.statistics WHERE table_name = 'users'")
			same(t, after, before)
			same(t, texts(t, db, "SELECT COALESCE(email, '-') FROM users ORDER BY id"), []string{"a", "b", "a", "d", "-", "f"})
			if _, dirty, err := m.Version(); !dirty || err != nil {
				t.Errorf("%s: dirty %v, %v", bad, dirty, err)
			}
			must(t, m.Force(1)) // as after mending a migration on MySQL
		}
	})
}

// whole has a migration of four statements, the third of which is bad at first.
func whole(third string) [4]string {
	return [4]string{
		"CREATE TABLE teams (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40) UNIQUE)",
		"INSERT INTO teams (name) SELECT DISTINCT email FROM users WHERE email IS NOT NULL",
		third,
		"ALTER TABLE users MODIFY email VARCHAR(99) FIRST",
	}
}

const (
	badThird  = "ALTER TABLE users ADD UNIQUE KEY by_email (email)"
	goodThird = "ALTER TABLE users ADD KEY by_email (email)"
)

// eachPlace is each, and a server, where a pool is a gate of its own.
func eachPlace(t *testing.T, run func(t *testing.T, db *sql.DB)) {
	each(t, func(t *testing.T, db *sql.DB, _ string) { run(t, db) })
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			s := remotetest.Start("")
			t.Cleanup(s.Close)
			run(t, open(t, s.DSN(scheme, "shards=4&multi_statements=true")))
		})
	}
}

// schemaNow is what information_schema tells, without what the tools keep for themselves.
func schemaNow(t *testing.T, db *sql.DB) []string {
	t.Helper()
	const own = " WHERE table_name IN ('users', 'teams') "
	return append(texts(t, db, "SELECT CONCAT(table_name, ' ', column_name, ' ', ordinal_position, ' ', column_type) FROM information_schema.columns"+own+"ORDER BY 1"),
		texts(t, db, "SELECT CONCAT(table_name, ' ', index_name, ' ', column_name) FROM information_schema.statistics"+own+"ORDER BY 1")...)
}

// TestGolangMigrateIsWhole: a migration that fails half-way leaves nothing behind but
// the mark that golang-migrate has made before it; mended, it can be run again.
func TestGolangMigrateIsWhole(t *testing.T) {
	eachPlace(t, func(t *testing.T, db *sql.DB) {
		file := func(third string) fs.FS {
			list := whole(third)
			return failing(strings.Join(list[:], ";\n") + ";\n")
		}
		must(t, migrator(t, db, file(badThird)).Migrate(1))
		before := schemaNow(t, db)
		m := migrator(t, db, file(badThird))
		err := m.Up()
		if err == nil || !strings.Contains(err.Error(), "1062") {
			t.Fatalf("the migration gives %v", err)
		}
		same(t, schemaNow(t, db), before)
		v, dirty, err := m.Version()
		same(t, []any{v, dirty, err}, []any{uint(2), true, nil})
		m = migrator(t, db, file(goodThird))
		if err := m.Up(); err == nil {
			t.Error("golang-migrate goes on after a failure")
		}
		must(t, m.Force(1))
		must(t, m.Up())
		same(t, texts(t, db, "SELECT name FROM teams ORDER BY name"), texts(t, db, "SELECT DISTINCT email FROM users WHERE email IS NOT NULL ORDER BY 1"))
		v, dirty, err = m.Version()
		same(t, []any{v, dirty, err}, []any{uint(2), false, nil})
	})
}

// TestGooseIsWhole: in goose's transaction the version goes with the rest.
func TestGooseIsWhole(t *testing.T) {
	eachPlace(t, func(t *testing.T, db *sql.DB) {
		provider := func(third string) *goose.Provider {
			list := whole(third)
			p, err := goose.NewProvider(goose.DialectMySQL, db, files(
				"1_users.sql", "-- +goose Up\nCREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(80));\nINSERT INTO users VALUES (1, 'a'), (2, 'b'), (3, 'a'), (4, 'd'), (5, NULL), (6, 'f');\n",
				"2_teams.sql", "-- +goose Up\n"+strings.Join(list[:], ";\n")+";\n"))
			must(t, err)
			return p
		}
		p := provider(badThird)
		_, err := p.UpByOne(bg)
		must(t, err)
		before := schemaNow(t, db)
		if _, err := p.Up(bg); err == nil {
			t.Fatal("a key with duplicates has been made")
		}
		same(t, schemaNow(t, db), before)
		same(t, states(t, p), "1 applied, 2 pending")
		p = provider(goodThird)
		_, err = p.Up(bg)
		must(t, err)
		same(t, states(t, p), "1 applied, 2 applied")
		same(t, len(texts(t, db, "SELECT name FROM teams")), 4)
	})
}

// TestMigratorsRace: of several that start at once each migration is run by one, and
// the others wait for it.
func TestMigratorsRace(t *testing.T) {
	each(t, func(t *testing.T, _ *sql.DB, dsn string) { race(t, dsn) })
}

// TestMigratorsRaceAtAServer: every pool is a gate of its own there, as if it were in
// another process.
func TestMigratorsRaceAtAServer(t *testing.T) {
	s := remotetest.Start("")
	t.Cleanup(s.Close)
	race(t, s.DSN("ws", "shards=4&multi_statements=true"))
}

func race(t *testing.T, dsn string) {
	t.Helper()
	var wg sync.WaitGroup
	for range 6 {
		db := open(t, dsn)
		m := migrator(t, db, migrateFiles)
		wg.Go(func() {
			m.LockTimeout = time.Minute // on a busy machine
			if err := m.Up(); err != nil && !errors.Is(err, migrate.ErrNoChange) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	db := open(t, dsn)
	same(t, texts(t, db, "SELECT CONCAT(version, dirty) FROM schema_migrations"), []string{"30"})
	same(t, texts(t, db, "SELECT email FROM users ORDER BY email"), []string{"a", "b", "c"})
}

var gooseFiles = files(
	"00001_users.sql", `-- +goose Up
CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20));
INSERT INTO users (name) VALUES ('a'), ('b');
-- +goose Down
DROP TABLE users;
`,
	"00002_view.sql", `-- +goose Up
-- +goose StatementBegin
CREATE VIEW first AS
SELECT name FROM users
WHERE id = 1;
-- +goose StatementEnd
-- +goose Down
DROP VIEW first;
`,
	"00004_loose.sql", `-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE users ADD INDEX by_name (name);
-- +goose Down
ALTER TABLE users DROP INDEX by_name;
`)

// renamed is a migration written in Go.
var renamed = goose.NewGoMigration(3,
	&goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE users SET name = CONCAT(name, ?)", "!")
		return err
	}},
	&goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, "UPDATE users SET name = TRIM(TRAILING '!' FROM name)")
		return err
	}})

func TestGoose(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, _ string) {
		p, err := goose.NewProvider(goose.DialectMySQL, db, gooseFiles, goose.WithGoMigrations(renamed))
		must(t, err)
		done, err := p.Up(bg)
		must(t, err)
		same(t, len(done), 4)
		same(t, texts(t, db, "SELECT name FROM first"), []string{"a!"})
		same(t, states(t, p), "1 applied, 2 applied, 3 applied, 4 applied")
		_, err = p.Down(bg)
		must(t, err)
		_, err = p.DownTo(bg, 2)
		must(t, err)
		same(t, texts(t, db, "SELECT name FROM users ORDER BY id"), []string{"a", "b"})
		same(t, states(t, p), "1 applied, 2 applied, 3 pending, 4 pending")
		_, err = p.ApplyVersion(bg, 2, false) // and again: a redo
		must(t, err)
		_, err = p.ApplyVersion(bg, 2, true)
		must(t, err)
		_, err = p.UpByOne(bg)
		must(t, err)
		v, err := p.GetDBVersion(bg)
		same(t, []any{v, err}, []any{int64(3), nil})
		_, err = p.DownTo(bg, 0)
		must(t, err)
		same(t, texts(t, db, "SHOW TABLES"), []string{"goose_db_version"})
	})
}

func states(t *testing.T, p *goose.Provider) string {
	t.Helper()
	list, err := p.Status(bg)
	must(t, err)
	out := ""
	for i, s := range list {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprint(s.Source.Version, " ", s.State)
	}
	return out
}

// TestGooseCommands runs the functions that the goose command calls.
func TestGooseCommands(t *testing.T) {
	must(t, goose.SetDialect("mysql"))
	goose.SetBaseFS(gooseFiles)
	goose.SetLogger(goose.NopLogger())
	for _, shards := range []int{1, 4} {
		db := open(t, fmt.Sprintf(":memory:?shards=%d", shards))
		for _, command := range []string{"up", "status", "redo", "down", "version", "up-by-one", "reset", "up-to 2", "down-to 0"} {
			args := []string{}
			var to string
			if n, _ := fmt.Sscanf(command, "up-to %s", &to); n == 1 {
				command, args = "up-to", []string{to}
			} else if n, _ := fmt.Sscanf(command, "down-to %s", &to); n == 1 {
				command, args = "down-to", []string{to}
			}
			if err := goose.RunContext(bg, command, db, ".", args...); err != nil {
				t.Errorf("%d shards: goose %s: %v", shards, command, err)
			}
		}
		same(t, texts(t, db, "SHOW TABLES"), []string{"goose_db_version"})
	}
}

// TestGooseRollsBack: a migration of writes alone is a transaction over all shards.
func TestGooseRollsBack(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, _ string) {
		p, err := goose.NewProvider(goose.DialectMySQL, db, files(
			"1_t.sql", "-- +goose Up\nCREATE TABLE t (id BIGINT PRIMARY KEY);\nINSERT INTO t VALUES (1), (2), (3);\n",
			"2_bad.sql", "-- +goose Up\nINSERT INTO t VALUES (4), (5), (6);\nDELETE FROM t WHERE id < 3;\nINSERT INTO t VALUES (3);\n"))
		must(t, err)
		if _, err := p.Up(bg); err == nil {
			t.Fatal("a duplicate key has been written")
		}
		same(t, texts(t, db, "SELECT id FROM t ORDER BY id"), []string{"1", "2", "3"})
		v, err := p.GetDBVersion(bg)
		same(t, []any{v, err}, []any{int64(1), nil})
	})
}
