package exec

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/vschema"
)

// database is a session with the planner in front of it: MySQL text in, answers
// out.
type database struct {
	*session
	env *route.Env
}

func openDatabase(t *testing.T, shards int, ddl ...string) *database {
	t.Helper()
	s := openCluster(t, shards)
	db := &database{session: s}
	ks := &vschema.Keyspace{Name: "ks", Sharded: true, Auto: true, Vindexes: map[string]*vschema.VindexDef{}, Tables: map[string]*vschema.Table{}}
	vs := vschema.New()
	vs.Keyspaces["ks"] = ks
	sc := &schema.Schema{}
	for i, text := range ddl {
		st, err := sqlparse.Parse(text, sqlparse.Options{})
		if err != nil {
			t.Fatal(err)
		}
		def := st.Stmt.(*sqlast.CreateTable).Def
		var pk []string
		if k := def.PrimaryKey(); k != nil {
			pk = k.Columns()
		}
		var fks []vschema.ForeignKey
		for _, fk := range def.ForeignKeys {
			fks = append(fks, vschema.ForeignKey{Columns: fk.Columns, RefTable: fk.RefTable, RefColumns: fk.RefColumns})
		}
		lower := strings.ToLower(def.Name)
		ks.Tables[lower] = vschema.AutoTable(def.Name, pk, fks, func(n string) *vschema.Table { return ks.Tables[strings.ToLower(n)] })
		if def.Comment == "reference" {
			ks.Tables[lower] = &vschema.Table{Name: def.Name, Type: vschema.TableReference}
		}
		sc = sc.With(uint64(i+1), schema.Change{Keyspace: "ks", Table: def})
		texts, err := sqlite.Printer{}.CreateTable(def, dialect.TableOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for k := range s.tablets {
			for _, q := range texts {
				s.exec(t, k, q)
			}
		}
	}
	db.env = &route.Env{Schema: sc, VSchema: vs, Shards: s.ShardMap, Keyspace: "ks", Shard: -1, Printer: sqlite.Printer{}}
	return db
}

func (db *database) plan(text string) (*route.Plan, error) {
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return nil, err
	}
	switch q := st.Stmt.(type) {
	case sqlast.Query:
		return route.Select(db.env, q, st.Params, false)
	case *sqlast.Insert:
		return route.Insert(db.env, q, st.Params, false)
	case *sqlast.Update:
		return route.Update(db.env, q, st.Params, false)
	case *sqlast.Delete:
		return route.Delete(db.env, q, st.Params, false)
	}
	return nil, fmt.Errorf("%T", st.Stmt)
}

// run gives a statement's rows, or what it did, as text.
func (db *database) run(text string, user ...any) (string, error) {
	p, err := db.plan(text)
	if err != nil {
		return "", err
	}
	args, err := Bind(context.Background(), db, &p.Params, user, nil)
	if err != nil {
		return "", err
	}
	if p.Write != nil {
		res, err := Exec(context.Background(), db, p, args)
		return fmt.Sprintf("%+v", res), err
	}
	r, err := Query(context.Background(), db, p, args)
	if err != nil {
		return "", err
	}
	rows, err := collect(r, len(p.Columns))
	if !strings.Contains(text, "ORDER BY") {
		slices.SortFunc(rows, func(a, b []any) int { return strings.Compare(row(a), row(b)) })
	}
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = row(r)
	}
	return strings.Join(lines, " "), err
}

func row(r []any) string { return text([][]any{r}) }

var e2eDDL = []string{
	`CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) COLLATE utf8mb4_general_ci NOT NULL, age INT, score DECIMAL(10,2), born DATE, seen DATETIME)`,
	`CREATE TABLE orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, user_id BIGINT NOT NULL, total DECIMAL(10,2), note TEXT, KEY (user_id))`,
	`CREATE TABLE kinds (id INT PRIMARY KEY, label VARCHAR(20)) COMMENT 'reference'`,
}

// The same statements on one shard and on several must give the same.
var e2e = []struct {
	sql  string
	args []any
}{
	{sql: "INSERT INTO kinds VALUES (1, 'one'), (2, 'two'), (3, 'three')"},
	{sql: "INSERT INTO users (name, age, score, born) VALUES ('Ann', 30, 1.005, '1990-1-2'), ('bob', 25, 2.5, '1991-02-03'), ('Cid', NULL, 3, NULL), ('dan', 41, 0, '1980-12-31')"},
	{sql: "INSERT INTO users (name, age, seen) VALUES (?, ?, ?)", args: []any{"Eve", 30, "2024-05-06 7:08"}},
	{sql: "INSERT INTO users (id, name, age) VALUES (100, 'Fay', 25)"},
	{sql: "INSERT INTO users (name, age) VALUES ('gus', 41), ('Hal', 30), ('ida', 25), ('Jon', NULL)"},
	{sql: "INSERT INTO orders (user_id, total, note) SELECT id, age * 2, name FROM users ORDER BY id"},
	{sql: "INSERT INTO orders (user_id, total, note) SELECT user_id, total + 1, CONCAT(note, '+') FROM orders WHERE user_id < 4 ORDER BY id"},
	{sql: "SELECT * FROM users ORDER BY id"},
	{sql: "SELECT * FROM users WHERE id = ?", args: []any{3}},
	{sql: "SELECT id, name FROM users WHERE id IN (1, 2, 3, 100, 7777) ORDER BY name DESC"},
	{sql: "SELECT id FROM users WHERE id IN (?, ?)", args: []any{1, 2}},
	{sql: "SELECT name FROM users ORDER BY name LIMIT 3 OFFSET 2"},
	{sql: "SELECT name FROM users ORDER BY age DESC, id LIMIT ?, ?", args: []any{1, 4}},
	{sql: "SELECT COUNT(*), COUNT(age), SUM(age), AVG(age), MIN(name), MAX(name) FROM users"},
	{sql: "SELECT SUM(score), AVG(score) FROM users"},
	{sql: "SELECT age, COUNT(*) FROM users GROUP BY age ORDER BY age"},
	{sql: "SELECT age, COUNT(*) AS c FROM users GROUP BY age HAVING c > 1 ORDER BY c DESC, age"},
	{sql: "SELECT COUNT(DISTINCT age) FROM users"},
	{sql: "SELECT DISTINCT age FROM users ORDER BY age"},
	{sql: "SELECT DISTINCT age FROM users"},
	{sql: "SELECT GROUP_CONCAT(name ORDER BY name SEPARATOR '-') FROM users"},
	{sql: "SELECT u.name, o.total FROM users u JOIN orders o ON o.user_id = u.id ORDER BY o.id"},
	{sql: "SELECT u.name, k.label FROM users u LEFT JOIN kinds k ON k.id = u.id ORDER BY u.id"},
	{sql: "SELECT u.name, COUNT(o.id), SUM(o.total) FROM users u LEFT JOIN orders o ON o.user_id = u.id GROUP BY u.id, u.name ORDER BY u.id"},
	{sql: "SELECT name FROM users WHERE id IN (SELECT user_id FROM orders WHERE total > 60) ORDER BY name"},
	{sql: "SELECT name FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id AND o.note LIKE '%+') ORDER BY name"},
	{sql: "SELECT name, (SELECT MAX(total) FROM orders o WHERE o.user_id = u.id) FROM users u ORDER BY id"},
	{sql: "SELECT name FROM users UNION ALL SELECT label FROM kinds"},
	{sql: "SELECT age FROM users UNION SELECT id FROM kinds ORDER BY 1"},
	{sql: "SELECT name, ROW_NUMBER() OVER (PARTITION BY age ORDER BY id) FROM users ORDER BY id"},
	{sql: "WITH t AS (SELECT user_id, SUM(total) s FROM orders GROUP BY user_id) SELECT u.name, t.s FROM t JOIN users u ON u.id = t.user_id ORDER BY u.id"},
	{sql: "SELECT 1 + 1, 'x'"},
	{sql: "SELECT UPPER(name) FROM users WHERE name = 'ANN'"},
	{sql: "SELECT id FROM users WHERE born = '1990-01-02'"},
	{sql: "SELECT id FROM users WHERE born < ?", args: []any{"1990-1-2 12:00"}},
	{sql: "SELECT label FROM kinds ORDER BY id"},
	{sql: "UPDATE users SET age = age + 1 WHERE id = 2"},
	{sql: "UPDATE users SET age = age + 1 WHERE age > 26"},
	{sql: "UPDATE users SET age = 0, score = ? WHERE age IS NULL", args: []any{1.5}},
	{sql: "UPDATE users SET score = 9 ORDER BY name LIMIT 3"},
	{sql: "UPDATE users u JOIN orders o ON o.user_id = u.id SET u.score = 7 WHERE o.total > 70"},
	{sql: "UPDATE users SET id = id + 1000 WHERE id IN (1, 4)"},
	{sql: "UPDATE kinds SET label = CONCAT(label, '!')"},
	{sql: "SELECT * FROM users ORDER BY id"},
	{sql: "INSERT INTO users (id, name) VALUES (2, 'x'), (3, 'y'), (5000, 'z') ON DUPLICATE KEY UPDATE name = CONCAT(VALUES(name), name)"},
	{sql: "REPLACE INTO users (id, name) VALUES (3, 'new3'), (6000, 'new6')"},
	{sql: "INSERT IGNORE INTO users (id, name) VALUES (3, 'no'), (6001, 'yes')"},
	{sql: "SELECT * FROM users ORDER BY id"},
	{sql: "DELETE FROM orders WHERE user_id = 2"},
	{sql: "DELETE FROM users ORDER BY id DESC LIMIT 2"},
	{sql: "DELETE o FROM orders o JOIN users u ON u.id = o.user_id WHERE u.age = 31"},
	{sql: "DELETE FROM kinds WHERE id = 2"},
	{sql: "SELECT * FROM users ORDER BY id"},
	{sql: "SELECT * FROM orders ORDER BY id"},
	{sql: "SELECT * FROM kinds ORDER BY id"},
	{sql: "DELETE FROM users"},
	{sql: "SELECT COUNT(*), SUM(age) FROM users"},
}

func TestSameAnswerOnOneShardAndOnMany(t *testing.T) {
	one, many, tx := openDatabase(t, 1, e2eDDL...), openDatabase(t, 4, e2eDDL...), openDatabase(t, 3, e2eDDL...)
	tx.begin()
	for _, st := range e2e {
		want, err := one.run(st.sql, st.args...)
		if err != nil {
			t.Errorf("%s\none shard: %v", st.sql, err)
			continue
		}
		for _, db := range []*database{many, tx} {
			got, err := db.run(st.sql, st.args...)
			if err != nil || got != want {
				t.Errorf("%s\n%d shards: %s, %v\none shard: %s", st.sql, len(db.tablets), got, err, want)
			}
		}
		if strings.HasPrefix(st.sql, "SELECT") || strings.HasPrefix(st.sql, "WITH") {
			forced := strings.Replace(st.sql, "SELECT", "SELECT /*vt+ COMBINE=query */", 1)
			if got, err := many.run(forced, st.args...); err != nil || got != want {
				t.Errorf("%s\nby the query combine: %s, %v\none shard: %s", st.sql, got, err, want)
			}
		}
		if testing.Verbose() {
			t.Logf("%s\n   %s", st.sql, want)
		}
	}
	if err := tx.end(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	// Reference tables are the same everywhere.
	kinds := strings.Split(many.dump(t, "SELECT * FROM kinds ORDER BY id"), " | ")
	for _, k := range kinds {
		if k != kinds[0] {
			t.Errorf("kinds differ: %v", kinds)
		}
	}
	CloseIdle()
}
