//go:build linux && !nopostgres

package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/history"
	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// mixed keeps every second shard of each keyspace in SQLite, in this process, and the
// others in PostgreSQL.
func mixed(t testing.TB, shards int) *vitessdo.Config {
	cfg := config(t, shards)
	rows, n := cfg.Storage, map[string]int{}
	cfg.Storage = func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
		if n[keyspace]++; n[keyspace]%2 == 1 {
			return nil, nil
		}
		return rows(ctx, keyspace, shard)
	}
	return cfg
}

// apart keeps one of two keyspaces in SQLite, the other in PostgreSQL.
func apart(inSQLite string) func(testing.TB, int) *vitessdo.Config {
	return func(t testing.TB, shards int) *vitessdo.Config {
		cfg := config(t, shards)
		rows := cfg.Storage
		cfg.Storage = func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
			if keyspace == inSQLite {
				return nil, nil
			}
			return rows(ctx, keyspace, shard)
		}
		return cfg
	}
}

// TestMixedFirstSteps: the same with one shard in SQLite and one in PostgreSQL.
func TestMixedFirstSteps(t *testing.T) { firstSteps(t, openDB(t, mixed(t, 2))) }

// TestMixedSameAnswers runs generated statements on shards in SQLite and in PostgreSQL,
// side by side in one keyspace, or each in a keyspace of their own.
func TestMixedSameAnswers(t *testing.T) {
	t.Run("shards", func(t *testing.T) { sameAnswers(t, mixed, *stmtsFlag/3) })
	t.Run("main in SQLite", func(t *testing.T) { sameAnswers(t, apart("main"), *stmtsFlag/3) })
	t.Run("main in PostgreSQL", func(t *testing.T) { sameAnswers(t, apart("apart"), *stmtsFlag/3) })
}

// TestMixedConformance: the cases of docs/sql.md on such shards.
func TestMixedConformance(t *testing.T) { conforms(t, mixed(t, 2)) }

// TestMixedExplain: each shard's own plan is told in the words of its engine.
func TestMixedExplain(t *testing.T) {
	db := openDB(t, mixed(t, 2))
	if _, err := db.Exec("CREATE TABLE t (id BIGINT PRIMARY KEY, s VARCHAR(10))"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"EXPLAIN SELECT s FROM t WHERE s = ? AND id > ?", "EXPLAIN DELETE FROM t WHERE s = ? AND id > ?"} {
		got, err := answer(db, text, "x", 3)
		if err != nil || !strings.Contains(got, "[-80 ") || !strings.Contains(got, "SEARCH t USING INTEGER PRIMARY KEY") ||
			!strings.Contains(got, "[80- 1 0 ") || !strings.Contains(got, "Filter: (s = 'x'::text)") {
			t.Errorf("%s: %s: %v", text, got, err)
		}
	}
	if _, err := answer(db, "EXPLAIN INSERT INTO t VALUES (1, 'x'), (2, 'y')"); err != nil {
		t.Error(err)
	}
}

// TestMixedDirectory: a directory keeps the shards for which Storage gives no engine, and
// misses them.
func TestMixedDirectory(t *testing.T) {
	at, dir := database(t), t.TempDir()
	open := func() *sql.DB {
		cfg := vitessdo.NewConfig()
		cfg.Dir, cfg.Shards = dir, 2
		cfg.Storage = func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
			if shard == "-80" {
				return nil, nil
			}
			return postgres.Open(ctx, at(keyspace), postgres.Options{})
		}
		c, err := vitessdo.NewConnector(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return sql.OpenDB(c)
	}
	db := open()
	for _, text := range []string{"CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3), (4), (5), (6)"} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	_ = db.Close()
	db = open()
	if got, err := answer(db, "SELECT COUNT(*), MIN(id), MAX(id) FROM t"); err != nil || got != "[6 1 6]" {
		t.Errorf("there are %s: %v", got, err)
	}
	_ = db.Close()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*80*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the directory has %v: %v", files, err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	db = open()
	defer db.Close()
	var e *vitessdo.Error
	if err := db.Ping(); !errors.As(err, &e) || e.Code != vitessdo.CodeTopology {
		t.Errorf("without %v: %v", files, err)
	}
}

// mixedTopology is a directory whose keyspace main has a shard in a folder and one in
// PostgreSQL; ledger is in PostgreSQL alone, notes in the folder.
func mixedTopology(t *testing.T, dir string, at func(string) string) *sql.DB {
	t.Helper()
	return topology(t, dir, fmt.Sprintf("%q: %q, %q: %q, %q: %q", "main/80-", at("main"), "ledger/-80", at("a"), "ledger/80-", at("b")))
}

// TestMixedTopology: keyspaces of different dialects, and one of both, are one database.
func TestMixedTopology(t *testing.T) {
	dir, at := t.TempDir(), database(t)
	db := mixedTopology(t, dir, at)
	run := func(text string, args ...any) {
		t.Helper()
		if _, err := db.Exec(text, args...); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	fails := func(number uint16, text string, args ...any) {
		t.Helper()
		var e *vitessdo.Error
		if _, err := db.Exec(text, args...); !errors.As(err, &e) || e.Number != number {
			t.Errorf("%s: %v, want error %d", text, err, number)
		}
	}
	ask := func(want, text string, args ...any) {
		t.Helper()
		if got, err := answer(db, text, args...); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", text, got, err, want)
		}
	}
	run("CREATE DATABASE /*vt+ SHARDS=2 */ ledger")
	run("CREATE DATABASE /*vt+ UNSHARDED */ notes")
	run("CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40) COLLATE utf8mb4_general_ci NOT NULL, pay DECIMAL(12,2), long_pay DECIMAL(40,10), born DATE, UNIQUE KEY (name))")
	run("CREATE TABLE ledger.entry (id BIGINT PRIMARY KEY AUTO_INCREMENT, user_id BIGINT NOT NULL, amount DECIMAL(12,2), FOREIGN KEY (user_id) REFERENCES main.users (id) ON DELETE CASCADE ON UPDATE CASCADE)")
	run("CREATE TABLE notes.note (user_id BIGINT, what TEXT)")
	run("CREATE TABLE country (code CHAR(2) PRIMARY KEY, name TEXT) COMMENT 'reference'")
	run("CREATE TABLE tag (code CHAR(2), name TEXT) COMMENT 'reference'") // known by row IDs
	for i := 1; i <= 8; i++ {
		run("INSERT INTO users (name, pay, long_pay, born) VALUES (?, ?, '123456789012345678901234.5', '2000-01-02')", fmt.Sprintf("u%d", i), fmt.Sprintf("%d.25", i))
		run("INSERT INTO ledger.entry (user_id, amount) VALUES (?, ?), (?, 1)", i, fmt.Sprintf("%d.5", i), i)
		run("INSERT INTO notes.note VALUES (?, 'Note')", i)
	}
	run("INSERT INTO country VALUES ('de', 'Germany'), ('fr', 'France')")
	run("INSERT INTO tag VALUES ('a', 'x'), ('a', 'y'), ('b', 'z')")

	both := 0
	for _, shard := range []string{"-80", "80-"} {
		var n int
		if err := db.QueryRow("SELECT COUNT(*) FROM `main/" + shard + "`.users").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			both++
		}
	}
	if both != 2 {
		t.Error("all users are on one shard; the test needs some on each")
	}
	t.Run("reads", func(t *testing.T) {
		ask("[8 38.00 987654312098765431209876000.0000000000]", "SELECT COUNT(*), SUM(pay), SUM(long_pay * 1000) FROM users")
		ask("[u8][u7][u6]", "SELECT name FROM users ORDER BY id DESC LIMIT 3")
		ask("[3 U]", "SELECT id, UPPER(LEFT(name, 1)) FROM users WHERE name = 'U3'")
		ask("[u1 2.50 note][u2 3.50 note]", "SELECT u.name, SUM(e.amount), LOWER(n.what) FROM users u JOIN ledger.entry e ON e.user_id = u.id JOIN notes.note n ON n.user_id = u.id WHERE u.id < 3 GROUP BY u.id, u.name, n.what ORDER BY u.id")
		ask("[8]", "SELECT COUNT(DISTINCT user_id) FROM ledger.entry WHERE user_id IN (SELECT id FROM users WHERE born < '2001-01-01')")
		ask("[u1][u3]", "SELECT name FROM users WHERE name REGEXP '^U[13]$' ORDER BY name")
		ask("[123456789012345678901234.5000000000 u1][123456789012345678901234.5000000000 u2]", "SELECT (SELECT MIN(long_pay) FROM users) AS m, name FROM users ORDER BY m DESC, name LIMIT 2")
		ask("[Germany 4]", "SELECT c.name, COUNT(*) FROM users u JOIN country c ON c.code = 'de' WHERE u.id <= 4 GROUP BY c.name")
	})
	t.Run("writes", func(t *testing.T) {
		fails(1062, "INSERT INTO users (name) VALUES ('U5')")
		fails(1452, "INSERT INTO ledger.entry (user_id, amount) VALUES (99, 1)")
		fails(1048, "INSERT INTO users (name) VALUES (NULL)")
		run("UPDATE users SET pay = pay * 2, name = CONCAT(name, '!') WHERE MOD(id, 2) = 0")
		ask("[59.00]", "SELECT SUM(pay) FROM users")
		run("UPDATE users SET id = id + 100 WHERE id > 6 ORDER BY id DESC") // rows move between the engines
		ask("[2]", "SELECT COUNT(*) FROM ledger.entry WHERE user_id = 107")
		ask("[107 u7][108 u8!]", "SELECT id, name FROM users WHERE id > 100 ORDER BY id")
		run("INSERT INTO users (id, name, pay) VALUES (1, 'x', 9), (2, 'y', 9) ON DUPLICATE KEY UPDATE pay = VALUES(pay)")
		run("REPLACE INTO country VALUES ('fr', 'FR')")
		run("UPDATE tag SET name = REVERSE(CONCAT(name, '1')) WHERE code = 'a' ORDER BY name DESC LIMIT 1")
		run("DELETE FROM tag WHERE name = 'z'")
		for _, shard := range []string{"-80", "80-"} {
			ask("[fr FR][de Germany]", "SELECT * FROM `main/"+shard+"`.country ORDER BY name")
			ask("[a 1y][a x]", "SELECT * FROM `main/"+shard+"`.tag ORDER BY name")
		}
		run("DELETE FROM users WHERE id = 3")
		ask("[]", "SELECT COALESCE(SUM(amount), '') FROM ledger.entry WHERE user_id = 3")
	})
	t.Run("transaction", func(t *testing.T) {
		for _, end := range []string{"commit", "rollback"} {
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"UPDATE users SET pay = pay + 1", "UPDATE ledger.entry SET amount = amount + 1", "UPDATE notes.note SET what = 'seen'"} {
				if _, err := tx.Exec(text); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			if end == "commit" {
				err = tx.Commit()
			} else {
				err = tx.Rollback()
			}
			if err != nil {
				t.Fatal(err)
			}
			ask("[75.00 1]", "SELECT (SELECT SUM(pay) FROM users), (SELECT COUNT(DISTINCT what) FROM notes.note)")
		}
	})
	t.Run("schema", func(t *testing.T) {
		run("ALTER TABLE users ADD COLUMN city VARCHAR(20) NOT NULL DEFAULT 'Rome', ADD KEY (born)")
		run("UPDATE users SET city = CONCAT('c', id)")
		run("ALTER TABLE users ADD UNIQUE KEY by_city (city)") // its entries are made of rows on both
		fails(1062, "UPDATE users SET city = 'c1' WHERE id = 2")
		ask("[2]", "SELECT id FROM users WHERE city = 'c2'")
		run("ALTER TABLE users RENAME COLUMN city TO town, DROP COLUMN long_pay")
		ask("[c1][c107]", "SELECT town FROM users ORDER BY town LIMIT 2")
		fails(1235, "ALTER TABLE users ADD COLUMN s INT AS (LENGTH(SOUNDEX(name)))") // PostgreSQL's half can't
		// Copies without a primary key are told by row IDs, which a table that is made anew keeps.
		run("CREATE TABLE unit (id INT PRIMARY KEY, name TEXT) COMMENT 'reference'")
		run("INSERT INTO unit VALUES (5, 'a'), (7, 'b'), (9, 'c'), (3, 'd')")
		run("INSERT INTO tag VALUES ('c', 'r'), ('c', 's'), ('c', 't')")
		run("DELETE FROM tag WHERE name IN ('x', 's')")
		run("ALTER TABLE tag MODIFY name TEXT NOT NULL")
		run("ALTER TABLE unit DROP COLUMN id")
		run("INSERT INTO tag VALUES ('c', 'u')")
		run("INSERT INTO unit VALUES ('e')")
		for _, name := range []string{"r", "t", "u", "1y"} {
			run("UPDATE tag SET name = REVERSE(CONCAT(name, '+')) WHERE name = ? ORDER BY code LIMIT 1", name)
		}
		run("UPDATE unit SET name = REVERSE(CONCAT(name, '+')) WHERE name REGEXP '[bde]'")
		run("DELETE FROM unit WHERE name REGEXP '[b]'")
		for _, shard := range []string{"-80", "80-"} {
			ask("[c +r][c +t][c +u][a +y1]", "SELECT * FROM `main/"+shard+"`.tag ORDER BY name")
			ask("[+d][+e][a][c]", "SELECT * FROM `main/"+shard+"`.unit ORDER BY name")
		}
		run("TRUNCATE TABLE country")
		ask("[0]", "SELECT COUNT(*) FROM country")
		run("CREATE TABLE town_lookup (town VARCHAR(20) PRIMARY KEY, keyspace_id VARBINARY(16))")
		run("ALTER VSCHEMA ON users ADD VINDEX by_town(town) USING lookup_unique WITH owner=users, table=town_lookup, `from`=town, `to`=keyspace_id")
		ask("[7]", "SELECT COUNT(*) FROM town_lookup")
		run("DELETE FROM town_lookup WHERE town IN ('c1', 'c2', 'c107')")
		conn, err := db.Conn(bg)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		r, err := vitessdo.VerifyVindex(bg, conn, "users", "by_town", true, nil)
		if err != nil || r.Rows != 7 || r.Missing != 3 || r.Repaired != 3 {
			t.Errorf("the vindex is verified: %+v, %v", r, err)
		}
	})
	t.Run("schema in a transaction", func(t *testing.T) {
		for _, end := range []string{"ROLLBACK", "COMMIT"} {
			c, err := db.Conn(bg)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for _, text := range []string{"BEGIN", "ALTER TABLE users ADD COLUMN seen INT NOT NULL DEFAULT 0", "UPDATE users SET seen = id",
				"ALTER TABLE ledger.entry ADD COLUMN seen INT", "CREATE TABLE later (id BIGINT PRIMARY KEY, seen INT, UNIQUE KEY (seen))", "INSERT INTO later SELECT id, seen FROM users", end} {
				if _, err := c.ExecContext(bg, text); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			want := map[string]string{"ROLLBACK": "[0]", "COMMIT": "[3]"}[end]
			ask(want, "SELECT COUNT(*) FROM information_schema.columns WHERE column_name = 'seen'")
		}
		ask("[7 7]", "SELECT COUNT(*), SUM(u.seen = l.seen) FROM users u JOIN later l ON l.id = u.id")
		fails(1062, "INSERT INTO later VALUES (999, 1)")
	})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = mixedTopology(t, dir, at)
	defer db.Close()
	ask("[7]", "SELECT COUNT(*) FROM users")
	ask("[14]", "SELECT COUNT(*) FROM ledger.entry")
	run("DROP TABLE ledger.entry")
	run("DROP TABLE users")
	run("DROP DATABASE ledger")
}

// answer gives the rows of a query as text.
func answer(db *sql.DB, text string, args ...any) (string, error) {
	rows, err := db.Query(text, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for rows.Next() {
		row, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return "", err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = string(b)
			}
		}
		fmt.Fprint(&out, row)
	}
	return out.String(), rows.Err()
}

// TestMixedLevels: what clients at once have seen of shards in both keeps to what their
// level promises, of all shards together and of each by itself.
func TestMixedLevels(t *testing.T) {
	levels(t, func(t *testing.T, how string) *sql.DB { return banks(t, database(t))[how].open(t) }, "beside SQLite", "by topology")
}

// levels tests all levels on databases over two shards that open gives.
func levels(t *testing.T, open func(t *testing.T, how string) *sql.DB, ways ...string) {
	for _, level := range []struct {
		name        string
		options     *sql.TxOptions
		whole, each history.Level
	}{
		{"autocommit", nil, history.Serializable, history.StrictSerializable},
		{"repeatable read", &sql.TxOptions{Isolation: sql.LevelRepeatableRead}, history.ReadCommitted, history.StrictSerializable},
		{"snapshot", &sql.TxOptions{Isolation: sql.LevelSnapshot}, history.StrongSnapshot, history.StrictSerializable},
		{"serializable", &sql.TxOptions{Isolation: sql.LevelSerializable}, history.StrictSerializable, history.StrictSerializable},
	} {
		for _, how := range ways {
			t.Run(level.name+" "+how, func(t *testing.T) {
				db := open(t, how)
				w := &history.Workload{Clients: 4, Txns: 20, Seed: rand.Uint64(), Options: level.options, Keys: []int{0, 1, 2, 3, 4, 5}, Outcome: func(err error) history.Status {
					var e *vitessdo.Error
					if errors.As(err, &e) && !e.OutcomeUnknown() {
						return history.Aborted
					}
					return history.Unknown
				}}
				t.Logf("seed %d", w.Seed)
				if err := w.Create(bg, db); err != nil {
					t.Fatal(err)
				}
				var r history.Recorder
				w.Run(bg, db, &r)
				report := history.Check(r.Txns())
				if report.Txns < 20 || report.Edges < 20 {
					t.Errorf("%d transactions and %d edges were checked, too few to tell", report.Txns, report.Edges)
				}
				for _, a := range report.Against(level.whole) {
					t.Errorf("all shards, %v: %s\n%s", level.whole, a.Name, a.Text)
				}
				for _, shard := range []string{"-80", "80-"} {
					here := map[int]bool{}
					for _, k := range w.Keys {
						got, err := answer(db, "SELECT COUNT(*) FROM `main/"+shard+"`.lists WHERE k = ?", k)
						if err != nil {
							t.Fatal(err)
						}
						here[k] = got == "[1]"
					}
					for _, a := range history.Check(history.Restrict(r.Txns(), func(key int) bool { return here[key] })).Against(level.each) {
						t.Errorf("shard %s, %v: %s\n%s", shard, level.each, a.Name, a.Text)
					}
				}
			})
		}
	}
}
