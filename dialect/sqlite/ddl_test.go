package sqlite_test

import (
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// shard is one database with the definitions of its tables.
type shard struct {
	t    *testing.T
	c    *sqlite3.Conn
	defs map[string]*sqlast.TableDef
}

func newShard(t *testing.T) *shard {
	s := &shard{t, openFixture(t), fixtureDefs(t)}
	mustExec(t, s.c, "PRAGMA foreign_keys = ON")
	return s
}

// run parses MySQL DDL and runs what is printed for it, in one transaction.
func (s *shard) run(text string) []string {
	s.t.Helper()
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
	plan, err := s.plan(st.Stmt)
	if err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
	mustExec(s.t, s.c, "BEGIN")
	if plan.NeedsForeignKeysOff {
		_, err := s.c.Config(sqlite3.DBCONFIG_ENABLE_FKEY, false)
		if err != nil {
			s.t.Fatal(err)
		}
		defer func() { _, _ = s.c.Config(sqlite3.DBCONFIG_ENABLE_FKEY, true) }()
	}
	for _, sql := range plan.Statements {
		if err := s.c.Exec(sql); err != nil {
			s.t.Fatalf("%s\nprinted: %s\n%v", text, sql, err)
		}
	}
	mustExec(s.t, s.c, "COMMIT")
	return plan.Statements
}

func (s *shard) plan(st sqlast.Stmt) (plan dialect.Plan, err error) {
	p := sqlite.Printer{}
	switch st := st.(type) {
	case *sqlast.CreateTable:
		if st.Like != nil {
			like := *s.defs[st.Like.Name]
			like.Name = st.Def.Name
			st.Def = &like
		}
		s.defs[st.Def.Name] = st.Def
		plan.Statements, err = p.CreateTable(st.Def, dialect.TableOptions{IfNotExists: st.IfNotExists})
		return plan, err
	case *sqlast.AlterTable:
		old := s.defs[st.Table.Name]
		def, renamed, err := dialect.ApplyAlter(old, st.Specs)
		if err != nil {
			return plan, err
		}
		delete(s.defs, old.Name)
		s.defs[def.Name] = def
		return p.Alter(old, def, dialect.AlterOptions{Renamed: renamed})
	case *sqlast.CreateIndex:
		return s.plan(&sqlast.AlterTable{Table: st.Table, Specs: []sqlast.AlterSpec{{Kind: sqlast.AlterAddIndex, Index: st.Index}}})
	case *sqlast.DropIndex:
		return s.plan(&sqlast.AlterTable{Table: st.Table, Specs: []sqlast.AlterSpec{{Kind: sqlast.AlterDropIndex, Name: st.Name}}})
	case *sqlast.RenameTable:
		for i, from := range st.From {
			from.Table = s.defs[from.Name]
			def := *from.Table
			def.Name = st.To[i].Name
			delete(s.defs, from.Name)
			s.defs[def.Name] = &def
		}
	case *sqlast.DropTable:
		for _, t := range st.Tables {
			delete(s.defs, t.Name)
		}
	}
	plan.Statements, err = p.DDL(st)
	return plan, err
}

// notDDL holds the statements of ddl.txt that don't reach the printer.
var notDDL = map[string]string{
	"CREATE TABLE k AS SELECT": "the gate creates the table, then inserts the rows",
	"CREATE OR REPLACE":        "views stand in the catalogue",
	"DROP VIEW":                "views stand in the catalogue",
	"SAVEPOINT":                "transaction layer",
	"LOCK TABLES":              "transaction layer",
	"UNLOCK TABLES":            "transaction layer",
}

func TestGoldenDDL(t *testing.T) {
	for _, p := range readPairs(t, "ddl.txt") {
		t.Run(p.id, func(t *testing.T) {
			s := newShard(t)
			before, err := query(s.c, "SELECT id FROM u ORDER BY id")
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range strings.Split(p.mysql, ";;") {
				text = strings.TrimSpace(text)
				skip := false
				for prefix := range notDDL {
					skip = skip || strings.HasPrefix(text, prefix)
				}
				if skip {
					continue
				}
				for _, sql := range s.run(text) {
					t.Log(sql)
				}
			}
			for name, def := range s.defs {
				roundTrip(t, def)
				checkColumns(t, s.c, name, def)
			}
			after, err := query(s.c, "SELECT id FROM u ORDER BY id")
			if err != nil || !sameRows(before, after) {
				t.Errorf("rows of u: %q, before %q, %v", after, before, err)
			}
		})
	}
}

// roundTrip: what ShowCreate writes parses to a definition that it writes the
// same.
func roundTrip(t *testing.T, def *sqlast.TableDef) {
	t.Helper()
	text := dialect.ShowCreate(def)
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		t.Errorf("%s\n%v", text, err)
		return
	}
	if again := dialect.ShowCreate(st.Stmt.(*sqlast.CreateTable).Def); again != text {
		t.Errorf("ShowCreate wrote\n%s\nand of that\n%s", text, again)
	}
}

// checkColumns: the table has the definition's columns, in its order.
func checkColumns(t *testing.T, c *sqlite3.Conn, name string, def *sqlast.TableDef) {
	t.Helper()
	got, err := query(c, "SELECT name FROM pragma_table_xinfo('"+name+"')")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, col := range def.Columns {
		want = append(want, col.Name)
	}
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("table %s has the columns %v, its definition %v", name, got, want)
	}
}

func TestAlter(t *testing.T) {
	for _, tc := range []struct {
		name, setup, alter string
		want               []string // printed statements, "" for a rebuild
		rows               string   // SELECT * FROM u afterwards
	}{
		{"widening is the catalogue's", "", "ALTER TABLE u MODIFY c VARCHAR(200), MODIFY b BIGINT DEFAULT 5", []string{}, "1|a1|1|c1;2|a2|2|c2;3|a3|3|NULL"},
		{"comment is the catalogue's", "", "ALTER TABLE u COMMENT 'x', ENGINE=InnoDB", []string{}, "1|a1|1|c1;2|a2|2|c2;3|a3|3|NULL"},
		{"add", "", "ALTER TABLE u ADD n INT NOT NULL DEFAULT 3, ADD KEY (n)",
			[]string{`ALTER TABLE "u" ADD COLUMN "n" INTEGER NOT NULL DEFAULT 3`, `CREATE INDEX "u.n" ON "u" ("n")`}, "1|a1|1|c1|3;2|a2|2|c2|3;3|a3|3|NULL|3"},
		{"add not null without default", "", "ALTER TABLE u ADD n INT NOT NULL", nil, "1|a1|1|c1|0;2|a2|2|c2|0;3|a3|3|NULL|0"},
		{"add first", "", "ALTER TABLE u ADD n INT FIRST", nil, "NULL|1|a1|1|c1;NULL|2|a2|2|c2;NULL|3|a3|3|NULL"},
		{"drop with its index", "", "ALTER TABLE u DROP a", []string{`DROP INDEX "u.a"`, `ALTER TABLE "u" DROP COLUMN "a"`}, "1|1|c1;2|2|c2;3|3|NULL"},
		{"rename with index", "", "ALTER TABLE u CHANGE a a2 VARCHAR(20) COLLATE utf8mb4_general_ci",
			[]string{`ALTER TABLE "u" RENAME COLUMN "a" TO "a2"`}, "1|a1|1|c1;2|a2|2|c2;3|a3|3|NULL"},
		{"swap names", "", "ALTER TABLE u RENAME COLUMN b TO x, RENAME COLUMN c TO b", nil, "1|a1|1|c1;2|a2|2|c2;3|a3|3|NULL"},
		{"to number", "UPDATE u SET a = id || '7'", "ALTER TABLE u MODIFY a INT", nil, "1|17|1|c1;2|27|2|c2;3|37|3|NULL"},
		{"drop and add again", "", "ALTER TABLE u DROP c, ADD c INT", []string{`ALTER TABLE "u" DROP COLUMN "c"`, `ALTER TABLE "u" ADD COLUMN "c" INTEGER`}, "1|a1|1|NULL;2|a2|2|NULL;3|a3|3|NULL"},
		{"collation", "", "ALTER TABLE u MODIFY c VARCHAR(20) COLLATE utf8mb4_general_ci", nil, "1|a1|1|c1;2|a2|2|c2;3|a3|3|NULL"},
		{"default now", "", "ALTER TABLE u MODIFY b INT DEFAULT 6", nil, "1|a1|1|c1;2|a2|2|c2;3|a3|3|NULL"},
		{"add check", "", "ALTER TABLE u ADD CONSTRAINT pos CHECK (b > 0)", nil, "1|a1|1|c1;2|a2|2|c2;3|a3|3|NULL"},
		{"virtual column", "", "ALTER TABLE u ADD g INT AS (b + 1) VIRTUAL", []string{`ALTER TABLE "u" ADD COLUMN "g" INTEGER GENERATED ALWAYS AS ("b" + 1) VIRTUAL`}, "1|a1|1|c1|2;2|a2|2|c2|3;3|a3|3|NULL|4"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newShard(t)
			if tc.setup != "" {
				mustExec(t, s.c, tc.setup)
			}
			got := s.run(tc.alter)
			if tc.want == nil {
				if len(got) < 4 || !strings.Contains(got[0], `"_vt_new_u"`) {
					t.Errorf("printed %q, want a rebuild", got)
				}
			} else if strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
				t.Errorf("printed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
			rows, err := query(s.c, "SELECT * FROM u")
			if err != nil || strings.Join(rows, ";") != tc.rows {
				t.Errorf("rows %q, want %q, %v", rows, tc.rows, err)
			}
			checkColumns(t, s.c, "u", s.defs["u"])
		})
	}
}

// TestRebuildKeepsChildren: dropping the old table must not reach the children
// by ON DELETE CASCADE, and they must still refer to the table afterwards.
func TestRebuildKeepsChildren(t *testing.T) {
	s := newShard(t)
	s.run("CREATE TABLE child (id INT PRIMARY KEY, uid INT, CONSTRAINT f FOREIGN KEY (uid) REFERENCES u (id) ON DELETE CASCADE)")
	mustExec(t, s.c, "INSERT INTO child VALUES (1, 1), (2, 2)")
	s.run("ALTER TABLE u ADD n INT FIRST, RENAME TO u2")
	if got, err := query(s.c, "SELECT count(*) FROM child"); err != nil || got[0] != "2" {
		t.Errorf("%v rows are left in the child table, want 2, %v", got, err)
	}
	if err := s.c.Exec("INSERT INTO child VALUES (3, 99)"); err == nil {
		t.Error("a child without parent was accepted after the rebuild")
	}
	mustExec(t, s.c, "DELETE FROM u2 WHERE id = 1")
	if got, err := query(s.c, "SELECT id FROM child"); err != nil || len(got) != 1 {
		t.Errorf("children %v after deleting a parent, want one, %v", got, err)
	}
}
