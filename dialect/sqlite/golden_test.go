package sqlite_test

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	engine "github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// pair is one case of testdata: MySQL text and the SQLite text of the same
// meaning, which was checked against a MySQL server's answer.
type pair struct{ id, mysql, sqlite string }

func readPairs(t *testing.T, file string) []pair {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var out []pair
	var field *string
	for _, line := range strings.Split(string(data), "\n") {
		if id, ok := strings.CutPrefix(line, "== "); ok {
			out = append(out, pair{id: id})
			field = nil
			continue
		}
		if strings.HasPrefix(line, "## ") || len(out) == 0 {
			continue
		}
		p := &out[len(out)-1]
		key, rest, ok := strings.Cut(line, ": ")
		switch {
		case ok && key == "M":
			field, p.mysql = &p.mysql, rest
		case ok && key == "S":
			field, p.sqlite = &p.sqlite, rest
		case ok && (key == "P" || key == "L" || key == "N"):
			field = nil
		case field != nil:
			*field += "\n" + line
		}
	}
	return out
}

const fixtureDDL = `
CREATE TABLE t (id INT PRIMARY KEY, i INT, g INT, v INT, s VARCHAR(20) COLLATE utf8mb4_general_ci, sb VARCHAR(20), b BLOB, f DOUBLE, p DECIMAL(10,2), d DATETIME, j JSON);;
CREATE TABLE u (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(20) COLLATE utf8mb4_general_ci, b INT DEFAULT 5, c VARCHAR(20), UNIQUE KEY a (a));;
CREATE TABLE w (id INT AUTO_INCREMENT PRIMARY KEY, uid INT, v INT);;
CREATE TABLE x (id INT PRIMARY KEY, n INT, c VARCHAR(20) DEFAULT 'abc', m VARCHAR(20) DEFAULT '-')`

var fixtureRows = []string{
	`INSERT INTO t VALUES
	(1, 10, 1, 2, 'alpha', 'alpha', X'4142', 1.6, 10.5, '2024-01-31 10:20:30', '{"a":1,"b":"x","c":[1,2]}'),
	(2, 3, 1, NULL, 'Alpha', 'Alpha', X'', 2.5, 0.25, '2024-02-01 00:00:00', '{"a":2,"b":"y"}'),
	(3, NULL, 2, 4, 'beta', 'beta', NULL, -1.5, 3, '2023-12-31 23:59:59', NULL),
	(4, 7, 2, 2, 'alarm', 'ALARM', X'00', 0, NULL, '2024-02-29 00:00:00', '[1]'),
	(5, 0, 3, 9, NULL, NULL, X'FF', NULL, 7, NULL, '{"b":"x"}')`,
	`INSERT INTO u VALUES (1, 'a1', 1, 'c1'), (2, 'a2', 2, 'c2'), (3, 'a3', 3, NULL)`,
	`INSERT INTO w VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30), (4, NULL, 5)`,
}

func fixtureDefs(t *testing.T) map[string]*sqlast.TableDef {
	t.Helper()
	defs := map[string]*sqlast.TableDef{}
	for _, text := range strings.Split(fixtureDDL, ";;") {
		st, err := sqlparse.Parse(text, sqlparse.Options{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		def := st.Stmt.(*sqlast.CreateTable).Def
		defs[def.Name] = def
	}
	return defs
}

func openFixture(t *testing.T) *sqlite3.Conn {
	t.Helper()
	c, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := engine.RegisterFunctions(c); err != nil {
		t.Fatal(err)
	}
	for _, def := range fixtureDefs(t) {
		ddl, err := sqlite.Printer{}.CreateTable(def, dialect.TableOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range ddl {
			mustExec(t, c, s)
		}
	}
	for _, s := range fixtureRows {
		mustExec(t, c, s)
	}
	return c
}

func mustExec(t *testing.T, c *sqlite3.Conn, sql string) {
	t.Helper()
	if err := c.Exec(sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func query(c *sqlite3.Conn, sql string) ([]string, error) {
	st, tail, err := c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	if strings.TrimSpace(tail) != "" {
		return nil, fmt.Errorf("text behind the statement: %s", tail)
	}
	var out []string
	for st.Step() {
		var row []string
		for i := range st.ColumnCount() {
			switch st.ColumnType(i) {
			case sqlite3.NULL:
				row = append(row, "NULL")
			case sqlite3.FLOAT:
				row = append(row, strconv.FormatFloat(st.ColumnFloat(i), 'g', -1, 64))
			default:
				row = append(row, st.ColumnText(i))
			}
		}
		out = append(out, strings.Join(row, "|"))
	}
	return out, st.Err()
}

// bind resolves tables and columns as far as these cases need it.
func bind(s sqlast.Stmt, defs map[string]*sqlast.TableDef) {
	var refs []*sqlast.TableRef
	ref := func(r *sqlast.TableRef) {
		r.Table = defs[r.Name]
		refs = append(refs, r)
	}
	col := func(e sqlast.Expr) bool {
		c, ok := e.(*sqlast.Col)
		if !ok {
			return true
		}
		for _, r := range refs {
			if r.Table != nil && (c.Table == "" || strings.EqualFold(c.Table, r.Label())) && r.Table.Column(c.Name) != nil {
				c.Def, c.Source = r.Table.Column(c.Name), r
				*c.Type() = c.Def.Type
				break
			}
		}
		return true
	}
	expr := func(e *sqlast.Expr) { sqlast.WalkDeep(*e, col) }
	var from func(t sqlast.TableExpr)
	from = func(t sqlast.TableExpr) {
		switch t := t.(type) {
		case *sqlast.TableRef:
			ref(t)
		case *sqlast.Join:
			from(t.L)
			from(t.R)
			if t.On != nil {
				expr(&t.On)
			}
		}
	}
	set := func(list []sqlast.Assignment) {
		for i := range list {
			col(list[i].Col)
			expr(&list[i].Expr)
		}
	}
	switch s := s.(type) {
	case sqlast.Query:
		sqlast.EachRef(s, ref)
		sqlast.WalkQuery(s, col)
	case *sqlast.Insert:
		ref(s.Table)
		if s.Query != nil {
			sqlast.EachRef(s.Query, ref)
			sqlast.WalkQuery(s.Query, col)
		}
		set(s.OnDup)
	case *sqlast.Update:
		from(s.From)
		set(s.Set)
		if s.Where != nil {
			expr(&s.Where)
		}
	case *sqlast.Delete:
		from(s.From)
		if s.Where != nil {
			expr(&s.Where)
		}
	case *sqlast.Truncate:
		ref(s.Table)
	}
}

func printed(t *testing.T, text string, defs map[string]*sqlast.TableDef) (string, error) {
	t.Helper()
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	bind(st.Stmt, defs)
	out, err := sqlite.Printer{}.Stmt(st.Stmt)
	if err != nil {
		return "", err
	}
	s, _ := out.Static()
	return s, nil
}

// meantOtherwise holds the cases whose S: text isn't what we print by decision:
// the result that is right for us.
var meantOtherwise = map[string]struct{ want, why string }{
	"ci-literals":  {"0|0", "text without a collation is binary"},
	"locate-instr": {"2|0|3|4|3", "text without a collation is binary"},
	"regexp":       {"3", "s compares without regard to case, the S: text with it"},
}

func TestGoldenExpressions(t *testing.T) {
	defs := fixtureDefs(t)
	for _, p := range readPairs(t, "expr.txt") {
		t.Run(p.id, func(t *testing.T) {
			c := openFixture(t)
			sql, err := printed(t, p.mysql, defs)
			if err != nil {
				t.Fatal(err)
			}
			got, err := query(c, sql)
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			want, err := query(c, p.sqlite)
			if err != nil {
				t.Fatalf("S: %s: %v", p.sqlite, err)
			}
			if o, ok := meantOtherwise[p.id]; ok {
				want = strings.Split(o.want, "\n")
			}
			if !sameRows(got, want) {
				t.Errorf("M: %s\nprinted: %s\ngot  %q\nwant %q", p.mysql, sql, got, want)
			}
		})
	}
}

// sameRows compares values; numbers by value.
func sameRows(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := strings.Split(a[i], "|"), strings.Split(b[i], "|")
		if len(x) != len(y) {
			return false
		}
		for j := range x {
			if x[j] == y[j] {
				continue
			}
			f, err1 := strconv.ParseFloat(x[j], 64)
			g, err2 := strconv.ParseFloat(y[j], 64)
			if err1 != nil || err2 != nil || math.Abs(f-g) > 1e-9*math.Max(1, math.Abs(f)) {
				return false
			}
		}
	}
	return true
}

// notRendered holds the statements that the printer leaves to the planner.
var notRendered = map[string]string{
	"update-two-targets": "the planner picks the rows, then writes table by table",
	"delete-two":         "the planner picks the rows, then deletes table by table",
}

func TestGoldenStatements(t *testing.T) {
	defs := fixtureDefs(t)
	for _, p := range readPairs(t, "stmt.txt") {
		t.Run(p.id, func(t *testing.T) {
			ours, theirs := openFixture(t), openFixture(t)
			for _, text := range strings.Split(p.mysql, ";;") {
				sql, err := printed(t, strings.TrimSpace(text), defs)
				if _, ok := notRendered[p.id]; ok {
					if err == nil {
						t.Fatalf("printed as %s, but it was to be refused", sql)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := ours.Exec(sql); err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
				t.Log(sql)
			}
			for _, sql := range strings.Split(p.sqlite, ";;") {
				if strings.Contains(sql, "sqlite_sequence") {
					continue // our tables have no AUTOINCREMENT
				}
				if err := theirs.Exec(sql); err != nil {
					t.Fatalf("S: %s: %v", sql, err)
				}
			}
			for _, table := range []string{"u", "w", "x"} {
				got, _ := query(ours, "SELECT * FROM "+table+" ORDER BY id")
				want, _ := query(theirs, "SELECT * FROM "+table+" ORDER BY id")
				if !sameRows(got, want) {
					t.Errorf("table %s: got %q, want %q", table, got, want)
				}
			}
		})
	}
}
