package difftest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/internal/difftest"
)

// family is a parent table and a child table, somewhere; ACTIONS in the DDL
// stands for the foreign key's actions.
type family struct {
	name string
	ddl  []string
	// copied: the parents are on every shard.
	copied bool
	// values are six keys of the columns' type, then the first five in another
	// spelling; nil: numbers.
	values  []string
	notNull bool
}

var intKeys = []string{"1", "2", "3", "4", "20", "9"}

var families = []family{
	{name: "across", ddl: []string{"CREATE TABLE p (id INT PRIMARY KEY, v INT)",
		"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ACTIONS) COMMENT 'vindex=hash(id)'"}},
	{name: "co-located", notNull: true, ddl: []string{"CREATE TABLE p (id INT PRIMARY KEY, v INT)",
		"CREATE TABLE c (id INT, p INT, PRIMARY KEY (p, id), CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ACTIONS) PARTITION BY KEY (p)"}},
	{name: "reference parent", copied: true, ddl: []string{"CREATE TABLE p (id INT PRIMARY KEY, v INT) COMMENT 'reference'",
		"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ACTIONS) COMMENT 'vindex=hash(id)'"}},
	{name: "unsharded parent", ddl: []string{"CREATE TABLE p (id INT PRIMARY KEY, v INT) COMMENT 'unsharded'",
		"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ACTIONS) COMMENT 'vindex=hash(id)'"}},
	{name: "unsharded child", ddl: []string{"CREATE TABLE p (id INT PRIMARY KEY, v INT)",
		"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ACTIONS) COMMENT 'unsharded'"}},
	{name: "unsharded both", ddl: []string{"CREATE TABLE p (id INT PRIMARY KEY, v INT) COMMENT 'unsharded'",
		"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ACTIONS) COMMENT 'unsharded'"}},
	{name: "unique key", ddl: []string{"CREATE TABLE p (id INT, v INT, k BIGINT PRIMARY KEY AUTO_INCREMENT, UNIQUE KEY (id))",
		"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ACTIONS) COMMENT 'vindex=hash(id)'"}},
	{name: "text without case", values: []string{"'a'", "'b'", "'c'", "'d'", "'t'", "'z'", "'A'", "'B'", "'C'", "'D'", "'T'"},
		ddl: []string{"CREATE TABLE p (id VARCHAR(10) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT)",
			"CREATE TABLE c (id INT PRIMARY KEY, p VARCHAR(10) COLLATE utf8mb4_general_ci, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ACTIONS) COMMENT 'vindex=hash(id)'"}},
	{name: "decimals", values: []string{"1.5", "2", "3.25", "4.75", "20.10", "9", "1.50", "2.0", "3.250", "4.75", "20.1"},
		ddl: []string{"CREATE TABLE p (id DECIMAL(8,2) PRIMARY KEY, v INT)",
			"CREATE TABLE c (id INT PRIMARY KEY, p DECIMAL(8,2), CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ACTIONS) COMMENT 'vindex=hash(id)'"}},
	{name: "dates", values: []string{"'2024-01-01'", "'2024-01-02'", "'2024-01-03'", "'2024-01-04'", "'2024-01-20'", "'2024-01-09'",
		"'2024-1-1'", "'2024-1-2'", "'2024-1-3'", "'2024-1-4'", "'2024-1-20'"},
		ddl: []string{"CREATE TABLE p (id DATE PRIMARY KEY, v INT)",
			"CREATE TABLE c (id INT PRIMARY KEY, p DATE, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ACTIONS) COMMENT 'vindex=hash(id)'"}},
}

// steps are what happens to a family: k1 … k6 are keys of parents, e1 … e5
// the first five in another spelling.
var steps = []string{
	"INSERT INTO p (id, v) VALUES (k1, 1), (k2, 2), (k3, 3), (k4, 4)",
	"INSERT INTO c (id, p) VALUES (10, e1), (11, k1), (12, e2)",
	"INSERT INTO c (id, p) VALUES (13, NULL)",
	"INSERT INTO c (id, p) VALUES (14, k6)",
	"INSERT INTO c (id, p) VALUES (15, k3), (16, k6)",
	"INSERT IGNORE INTO c (id, p) VALUES (17, k6), (18, e4)",
	"INSERT INTO c (id, p) SELECT 100 + v, id FROM p WHERE v < 3",
	"INSERT INTO c (id, p) VALUES (18, k4) ON DUPLICATE KEY UPDATE p = k6",
	"UPDATE c SET p = k6 WHERE id = 10",
	"UPDATE c SET p = e4 WHERE id = 12",
	"UPDATE p SET v = v + 1",
	"DELETE FROM p WHERE id = k1",
	"DELETE FROM p WHERE id = e3",
	"UPDATE p SET id = k5 WHERE id = k4",
	"UPDATE p SET id = k5, v = 7 WHERE id = k5",
	"REPLACE INTO p (id, v) VALUES (k5, 8)",
	"REPLACE INTO p (id, v) SELECT id, v + 1 FROM p WHERE v < 9 ORDER BY id",
	"REPLACE INTO p (id, v) VALUES (e2, 8), (k5, 8)",
	"INSERT INTO p (id, v) VALUES (e5, 1) ON DUPLICATE KEY UPDATE v = 9",
	"BEGIN",
	"INSERT INTO p (id, v) VALUES (k3, 3)",
	"INSERT INTO c (id, p) VALUES (40, e3)",
	"SAVEPOINT s",
	"DELETE FROM p WHERE id = k3",
	"ROLLBACK TO SAVEPOINT s",
	"DELETE FROM c WHERE id = 40",
	"DELETE FROM p WHERE id = k3",
	"COMMIT",
	"DELETE FROM c WHERE id > 100",
	"DELETE IGNORE FROM p WHERE v > 0",
	"DELETE FROM p",
	"DELETE FROM c",
	"DELETE FROM p",
}

var actions = []string{"", "ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE RESTRICT ON UPDATE CASCADE",
	"ON DELETE CASCADE ON UPDATE CASCADE", "ON DELETE NO ACTION ON UPDATE SET NULL"}

// TestForeignKeyActions takes each family through the steps with each action, on
// one shard, on four and on a plain SQLite database.
func TestForeignKeyActions(t *testing.T) {
	for _, f := range families {
		for _, action := range actions {
			if f.notNull && strings.Contains(action, "SET NULL") {
				continue
			}
			t.Run(f.name+" "+action, func(t *testing.T) {
				r := newSide(t)
				for _, text := range f.ddl {
					r.run(strings.Replace(text, "ACTIONS", action, 1))
				}
				for _, text := range steps {
					if f.copied && strings.Contains(text, "DELETE IGNORE") {
						continue
					}
					r.run(f.fill(text))
					r.compare("p", "c")
				}
			})
		}
	}
}

func (f *family) fill(text string) string {
	values := f.values
	if values == nil {
		values = append(intKeys[:6:6], intKeys[:5]...)
	}
	for i, v := range values[:6] {
		text = strings.ReplaceAll(text, fmt.Sprintf("k%d", i+1), v)
	}
	for i, v := range values[6:] {
		text = strings.ReplaceAll(text, fmt.Sprintf("e%d", i+1), v)
	}
	return text
}

// TestForeignKeyShapes takes tables that refer to themselves, to each other, by
// several columns and in chains through statements of their own.
func TestForeignKeyShapes(t *testing.T) {
	for _, c := range []struct {
		name, tables string
		script       []string
	}{
		{"a tree that cascades", "t", []string{
			"CREATE TABLE t (id INT PRIMARY KEY, up INT, CONSTRAINT fk FOREIGN KEY (up) REFERENCES t (id) ON DELETE CASCADE ON UPDATE CASCADE)",
			"INSERT INTO t VALUES (2, 1), (1, NULL), (3, 2), (4, 3), (5, 5), (6, 1)", "INSERT INTO t VALUES (9, 8)",
			"UPDATE t SET up = 77 WHERE id = 6", "UPDATE t SET id = 20 WHERE id = 2", "UPDATE t SET id = 50 WHERE id = 5",
			"DELETE FROM t WHERE id = 20", "DELETE FROM t WHERE id = 50", "DELETE FROM t"}},
		{"a tree that forbids", "t", []string{
			"CREATE TABLE t (id INT PRIMARY KEY, up INT, CONSTRAINT fk FOREIGN KEY (up) REFERENCES t (id))",
			"INSERT INTO t VALUES (2, 1), (1, NULL), (3, 2), (4, 4)", "DELETE FROM t WHERE id = 2", "DELETE FROM t WHERE id = 4",
			"DELETE FROM t WHERE id IN (2, 3)", "UPDATE t SET id = 7 WHERE id = 1", "DELETE FROM t"}},
		{"a tree that forgets", "t", []string{
			"CREATE TABLE t (id INT PRIMARY KEY, up INT, CONSTRAINT fk FOREIGN KEY (up) REFERENCES t (id) ON DELETE SET NULL ON UPDATE SET NULL)",
			"INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2), (4, 2)", "DELETE FROM t WHERE id = 2", "UPDATE t SET id = 8 WHERE id = 1", "DELETE FROM t"}},
		{"a cycle that cascades", "a b", []string{
			"CREATE TABLE a (id INT PRIMARY KEY, b INT)",
			"CREATE TABLE b (id INT PRIMARY KEY, a INT, CONSTRAINT fk_a FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE)",
			"ALTER TABLE a ADD CONSTRAINT fk_b FOREIGN KEY (b) REFERENCES b (id) ON DELETE CASCADE",
			"INSERT INTO a VALUES (1, NULL), (2, NULL)", "INSERT INTO b VALUES (10, 1), (11, 2), (12, 1)",
			"UPDATE a SET b = 10 WHERE id = 1", "UPDATE a SET b = 12 WHERE id = 2", "UPDATE a SET b = 99 WHERE id = 2",
			"DELETE FROM b WHERE id = 11", "DELETE FROM a WHERE id = 1", "DELETE FROM b"}},
		{"a chain through the engine", "a b c d", []string{
			"CREATE TABLE a (id INT PRIMARY KEY)",
			"CREATE TABLE b (a INT, n INT, PRIMARY KEY (a, n), CONSTRAINT fk_a FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE) PARTITION BY KEY (a)",
			"CREATE TABLE c (id INT PRIMARY KEY, a INT, n INT, CONSTRAINT fk_b FOREIGN KEY (a, n) REFERENCES b (a, n) ON DELETE CASCADE)",
			"CREATE TABLE d (id INT PRIMARY KEY, c INT, CONSTRAINT fk_c FOREIGN KEY (c) REFERENCES c (id))",
			"INSERT INTO a VALUES (1), (2)", "INSERT INTO b VALUES (1, 1), (1, 2), (2, 1)",
			"INSERT INTO c VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, NULL, 7), (5, 7, NULL)", "INSERT INTO c VALUES (6, 7, 7)",
			"INSERT INTO d VALUES (1, 3)", "DELETE FROM a WHERE id = 1", "DELETE FROM a WHERE id = 2", "DELETE FROM d", "DELETE FROM a"}},
		{"a diamond", "u p c", []string{
			"CREATE TABLE u (id INT PRIMARY KEY)",
			"CREATE TABLE p (id INT PRIMARY KEY, u INT, CONSTRAINT fk_u FOREIGN KEY (u) REFERENCES u (id) ON DELETE CASCADE) COMMENT 'vindex=hash(id)'",
			"CREATE TABLE c (u INT, n INT, p INT, PRIMARY KEY (u, n), CONSTRAINT fk_cu FOREIGN KEY (u) REFERENCES u (id), CONSTRAINT fk_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE) PARTITION BY KEY (u)",
			"INSERT INTO u VALUES (1), (2), (3)", "INSERT INTO p VALUES (1, 1), (2, 2)", "INSERT INTO c VALUES (1, 1, 1), (2, 1, 2), (2, 2, 1)",
			"DELETE FROM u WHERE id = 3", "DELETE FROM u WHERE id = 1", "DELETE FROM u WHERE id = 2"}},
		{"a cascade into a unique key", "u o", []string{
			"CREATE TABLE u (id INT PRIMARY KEY)",
			"CREATE TABLE o (id INT PRIMARY KEY, u INT NOT NULL, CONSTRAINT fk_u FOREIGN KEY (u) REFERENCES u (id) ON DELETE CASCADE) PARTITION BY KEY (u)",
			"INSERT INTO u VALUES (1), (2), (3)", "INSERT INTO o VALUES (10, 1), (11, 2)", "INSERT INTO o VALUES (10, 3)",
			"DELETE FROM u WHERE id = 1", "INSERT INTO o VALUES (10, 3)", "INSERT INTO o VALUES (11, 3)"}},
		{"two keys of one table", "p c", []string{
			"CREATE TABLE p (id INT PRIMARY KEY)",
			"CREATE TABLE c (id INT PRIMARY KEY, x INT, y INT, CONSTRAINT fk_x FOREIGN KEY (x) REFERENCES p (id) ON DELETE SET NULL, CONSTRAINT fk_y FOREIGN KEY (y) REFERENCES p (id) ON DELETE CASCADE)",
			"INSERT INTO p VALUES (1), (2), (3)", "INSERT INTO c VALUES (1, 1, 2), (2, 2, 1), (3, 3, 3), (4, NULL, 2)", "INSERT INTO c VALUES (5, 1, 9)",
			"DELETE FROM p WHERE id = 1", "DELETE FROM p WHERE id = 3", "DELETE FROM p"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newSide(t)
			tables := strings.Fields(c.tables)
			for i, text := range c.script {
				r.run(text)
				if i >= len(tables) {
					r.compare(tables...)
				}
			}
		})
	}
}

// side runs the same statements side by side.
type side struct {
	t       *testing.T
	plain   difftest.System
	systems []difftest.System
	log     []string
}

func newSide(t *testing.T) *side {
	t.Helper()
	r := &side{t: t}
	var err error
	if r.plain, err = difftest.OpenOracle(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.plain.Close)
	for _, n := range []int{1, 4} {
		s, err := difftest.OpenCluster(n)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		r.systems = append(r.systems, s)
	}
	return r
}

// run runs a statement everywhere; all must agree whether it fails, and why. It
// says whether it was done.
func (r *side) run(text string) bool {
	r.t.Helper()
	s := difftest.Statement{SQL: text, Kind: difftest.Write, NoCount: true}
	switch strings.Fields(text)[0] {
	case "CREATE", "ALTER":
		s.Kind = difftest.Schema
	case "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT":
		s.Kind = difftest.Control
	}
	r.log = append(r.log, text)
	want := r.plain.Run(s)
	if errors.Is(want.Err, difftest.ErrNoOracle) {
		want = r.systems[0].Run(s)
		r.adopt()
		if got := r.systems[1].Run(s); difftest.Diff(s, want, got) != "" {
			r.fail(1, difftest.Diff(s, want, got))
		}
		return want.Err == nil
	}
	for i, sys := range r.systems {
		if d := difftest.Diff(s, want, sys.Run(s)); d != "" {
			r.fail(i, d)
		}
	}
	if s.Kind != difftest.Write && want.Err != nil {
		r.t.Fatalf("%s: %v", text, want.Err)
	}
	return want.Err == nil
}

// adopt brings the plain database to what one shard holds, after a statement
// that plain SQLite has no equal of.
func (r *side) adopt() {
	r.t.Helper()
	names := []string{}
	for _, text := range r.log {
		if rest, ok := strings.CutPrefix(text, "CREATE TABLE "); ok {
			names = append(names, strings.Fields(rest)[0])
		}
	}
	if err := difftest.Restore(r.plain, names, func(name string) [][]any { return r.rows(r.systems[0], name).Rows }); err != nil {
		r.t.Fatalf("%s\nthe plain database: %v", strings.Join(r.log, ";\n"), err)
	}
}

func (r *side) fail(system int, diff string) {
	r.t.Helper()
	r.t.Fatalf("%s;\nsystem %d: %s", strings.Join(r.log, ";\n"), system, diff)
}

func (r *side) rows(s difftest.System, table string) difftest.Answer {
	return s.Run(difftest.Statement{SQL: "SELECT * FROM " + table, Kind: difftest.Query})
}

func (r *side) compare(tables ...string) {
	r.t.Helper()
	for _, table := range tables {
		want := r.rows(r.plain, table)
		for i, sys := range r.systems {
			if d := difftest.Diff(difftest.Statement{SQL: "SELECT * FROM " + table, Kind: difftest.Query}, want, r.rows(sys, table)); d != "" {
				r.fail(i, table+": "+d)
			}
		}
	}
}

// TestForeignKeyModel writes at random into a family of tables that refer to
// each other across shards, in transactions, savepoints and outside. After every
// statement all databases hold the same, and no row lacks its parent. On even seeds
// two of the tables are in another keyspace.
func TestForeignKeyModel(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3, 4} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Logf("seed %d", seed)
			m := &model{side: newSide(t), r: rand.New(rand.NewPCG(seed, 1)), apart: seed%2 == 0}
			for _, text := range modelTables {
				m.run(tableSlot.ReplaceAllStringFunc(text, func(s string) string { return m.table(s[1:2]) }))
			}
			for range 250 {
				m.step()
			}
			if m.inTx {
				m.run("COMMIT")
			}
			m.check()
		})
	}
}

// tableSlot stands for a table in the model's texts.
var tableSlot = regexp.MustCompile(`<[a-d]>`)

var modelTables = []string{
	"CREATE TABLE <a> (id INT PRIMARY KEY, d INT)",
	"CREATE TABLE <b> (id INT PRIMARY KEY, a INT, CONSTRAINT b_a FOREIGN KEY (a) REFERENCES <a> (id) ON DELETE CASCADE ON UPDATE CASCADE) COMMENT 'vindex=hash(id)'",
	"CREATE TABLE <c> (id INT PRIMARY KEY, a INT, b INT, up INT, CONSTRAINT c_a FOREIGN KEY (a) REFERENCES <a> (id) ON DELETE SET NULL, " +
		"CONSTRAINT c_b FOREIGN KEY (b) REFERENCES <b> (id) ON DELETE CASCADE ON UPDATE SET NULL, CONSTRAINT c_up FOREIGN KEY (up) REFERENCES <c> (id) ON DELETE SET NULL) COMMENT 'vindex=hash(id)'",
	"CREATE TABLE <d> (id INT PRIMARY KEY, c INT, CONSTRAINT d_c FOREIGN KEY (c) REFERENCES <c> (id)) COMMENT 'vindex=hash(id)'",
	"ALTER TABLE <a> ADD CONSTRAINT a_d FOREIGN KEY (d) REFERENCES <d> (id) ON DELETE SET NULL",
}

// TestMovingParents gives rows of co-located tables other sharding keys at random:
// what the shards' own keys have follow them does so from shard to shard, and what
// they forbid is refused.
func TestMovingParents(t *testing.T) {
	for seed, action := range []string{"ON UPDATE CASCADE ON DELETE CASCADE", "ON UPDATE CASCADE", "ON DELETE CASCADE", ""} {
		t.Run(action, func(t *testing.T) {
			r := newSide(t)
			rnd := rand.New(rand.NewPCG(uint64(seed), 2))
			id := func() int { return 1 + rnd.IntN(9) }
			for _, text := range []string{
				"CREATE TABLE p (id INT PRIMARY KEY, v INT, u INT, UNIQUE KEY (u, id))",
				"CREATE TABLE c (p INT, n INT, v INT, PRIMARY KEY (p, n), CONSTRAINT fk_c FOREIGN KEY (p) REFERENCES p (id) ON UPDATE CASCADE ON DELETE CASCADE) PARTITION BY KEY (p)",
				"CREATE TABLE g (p INT, n INT, m INT, PRIMARY KEY (p, n, m), CONSTRAINT fk_g FOREIGN KEY (p, n) REFERENCES c (p, n) " + action + ") PARTITION BY KEY (p)",
				"CREATE TABLE q (p INT, m INT, PRIMARY KEY (p, m), CONSTRAINT fk_q FOREIGN KEY (p) REFERENCES p (id) " + action + ") PARTITION BY KEY (p)",
			} {
				r.run(text)
			}
			for range 200 {
				switch rnd.IntN(9) {
				case 0, 1:
					r.run(fmt.Sprintf("UPDATE p SET id = %d WHERE id = %d", id(), id()))
				case 2:
					r.run(fmt.Sprintf("UPDATE p SET id = id + %d, v = v + 1 WHERE id > %d ORDER BY id DESC", id(), id()))
				case 3:
					r.run(fmt.Sprintf("UPDATE c SET p = %d WHERE p = %d AND n < %d", id(), id(), id()))
				case 4:
					r.run(fmt.Sprintf("INSERT INTO p VALUES (%d, 1, 1)", id()))
				case 5:
					r.run(fmt.Sprintf("INSERT INTO c SELECT id, %d, v FROM p WHERE id <> %d", id(), id()))
				case 6:
					r.run(fmt.Sprintf("INSERT INTO g SELECT p, n, %d FROM c WHERE n = %d", id(), id()))
				case 7:
					r.run(fmt.Sprintf("INSERT INTO q SELECT id, %d FROM p WHERE id > %d", id(), id()))
				case 8:
					r.run(fmt.Sprintf("DELETE FROM p WHERE id = %d", id()))
				}
				r.compare("p", "c", "g", "q")
			}
		})
	}
}

// modelColumns are the columns behind each table's id, and the tables that they
// refer to.
var modelColumns = map[string][][2]string{
	"a": {{"d", "d"}}, "b": {{"a", "a"}}, "c": {{"a", "a"}, {"b", "b"}, {"up", "c"}}, "d": {{"c", "c"}},
}

type model struct {
	*side
	r     *rand.Rand
	apart bool
	inTx  bool
	saved int
}

// table gives a table's name, with its keyspace.
func (m *model) table(name string) string {
	if m.apart && (name == "b" || name == "d") {
		return "apart." + name
	}
	return "main." + name
}

func (m *model) id() string { return fmt.Sprint(1 + m.r.IntN(12)) }

func (m *model) ref() string {
	if m.r.IntN(4) == 0 {
		return "NULL"
	}
	return m.id()
}

func (m *model) step() {
	switch n := m.r.IntN(100); {
	case !m.inTx && n < 10:
		m.inTx, m.saved = true, 0
		m.run("BEGIN")
		return
	case m.inTx && n < 8:
		m.inTx = false
		m.run([]string{"COMMIT", "ROLLBACK"}[m.r.IntN(2)])
	case m.inTx && n < 14:
		m.saved++
		m.run(fmt.Sprintf("SAVEPOINT s%d", m.saved))
		return
	case m.inTx && m.saved > 0 && n < 20:
		m.saved = 1 + m.r.IntN(m.saved)
		m.run(fmt.Sprintf("ROLLBACK TO SAVEPOINT s%d", m.saved))
	default:
		m.run(m.write())
	}
	m.compare(m.table("a"), m.table("b"), m.table("c"), m.table("d"))
	if m.r.IntN(10) == 0 {
		m.check()
	}
}

func (m *model) write() string {
	table := []string{"a", "b", "c", "d"}[m.r.IntN(4)]
	cols := modelColumns[table]
	table = m.table(table)
	row := func() string {
		out := m.id()
		for range cols {
			out += ", " + m.ref()
		}
		return "(" + out + ")"
	}
	switch n := m.r.IntN(10); {
	case n < 4:
		text := "INSERT INTO " + table + " VALUES " + row()
		for m.r.IntN(3) == 0 {
			text += ", " + row()
		}
		return text
	case n < 5:
		return "INSERT INTO " + table + " VALUES " + row() + " ON DUPLICATE KEY UPDATE " + cols[0][0] + " = " + m.ref()
	case n < 6:
		return "REPLACE INTO " + table + " VALUES " + row()
	case n < 7:
		col := cols[m.r.IntN(len(cols))][0]
		return "UPDATE " + table + " SET " + col + " = " + m.ref() + " WHERE id IN (" + m.id() + ", " + m.id() + ")"
	case n < 8:
		return "UPDATE " + table + " SET id = " + m.id() + " WHERE id = " + m.id()
	}
	return "DELETE FROM " + table + " WHERE id IN (" + m.id() + ", " + m.id() + ")"
}

// check looks for orphans.
func (m *model) check() {
	m.t.Helper()
	for table, cols := range modelColumns {
		for _, c := range cols {
			s := difftest.Statement{Kind: difftest.Query, SQL: "SELECT x.id FROM " + m.table(table) + " x LEFT JOIN " + m.table(c[1]) + " y ON x." + c[0] +
				" = y.id WHERE x." + c[0] + " IS NOT NULL AND y.id IS NULL"}
			for i, sys := range m.systems {
				if got := sys.Run(s); got.Err != nil || len(got.Rows) > 0 {
					m.fail(i, fmt.Sprintf("rows of %s without their parent in %s: %v, %v", table, c[1], got.Rows, got.Err))
				}
			}
		}
	}
}
