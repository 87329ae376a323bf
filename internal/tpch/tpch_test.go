package tpch

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
)

var (
	scaleFlag = flag.Float64("tpch.scale", 0, "scale factor of the data; 0 is the tiny one, in which no answer is empty")
	timesFlag = flag.Bool("tpch.times", false, "print each query's time in seconds")
)

func config() Config {
	if *scaleFlag == 0 {
		return Tiny
	}
	c := Small
	c.Scale = *scaleFlag
	return c
}

// plain holds the rows in one SQLite database that vitessdo has no part in, and
// answers the queries as they are written for SQLite.
func plain(t *testing.T, c Config) map[string][][]any {
	t.Helper()
	conn, err := sqlite.Open(t.Context(), "", sqlite.Options{NoFunctions: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := func(q string, args ...tablet.Value) [][]tablet.Value {
		rows, err := conn.QueryAll(t.Context(), q, args...)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		return rows
	}
	run("BEGIN")
	for _, table := range Tables {
		defs := strings.NewReplacer("DECIMAL(15,2)", "REAL").Replace(strings.Join(table.Columns, ", "))
		run("CREATE TABLE " + table.Name + " (" + defs + ", PRIMARY KEY (" + strings.Join(table.Key, ", ") + "))")
		for _, col := range table.Indexes {
			run("CREATE INDEX i_" + col + " ON " + table.Name + " (" + col + ")")
		}
	}
	err = c.Generate(func(table string, row []any) error {
		args := make([]tablet.Value, len(row))
		for i, v := range row {
			if n, ok := v.(int); ok {
				v = int64(n)
			}
			args[i] = v
		}
		run("INSERT INTO "+table+" VALUES ("+strings.Repeat("?, ", len(row)-1)+"?)", args...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	run("COMMIT")
	run("ANALYZE")
	out := map[string][][]any{}
	for _, q := range Queries() {
		text, err := os.ReadFile("testdata/sqlite/" + q.Name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		out[q.Name] = append(out[q.Name], run(string(text))...)
		show(t, "plain SQLite", q.Name, start)
	}
	return out
}

func show(t *testing.T, where, what string, start time.Time) {
	if *timesFlag {
		t.Logf("%-32s %s %8.3f", where, what, time.Since(start).Seconds())
	}
}

func ask(ctx context.Context, db *sql.DB, query string) ([][]any, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out [][]any
	for rows.Next() {
		row, dest := make([]any, len(cols)), make([]any, len(cols))
		for i := range dest {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// text is a value that isn't a number.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return string(v)
	case time.Time:
		return v.Format(time.DateOnly)
	}
	return fmt.Sprint(v)
}

// tolerance is how far numbers may be apart, absolutely: plain SQLite sums in
// floating point, MySQL's quotients have four digits more than their dividend.
const tolerance = 1e-5

func same(want, got any) bool {
	a, errA := strconv.ParseFloat(text(want), 64)
	b, errB := strconv.ParseFloat(text(got), 64)
	if errA != nil || errB != nil {
		return text(want) == text(got)
	}
	return math.Abs(a-b) <= tolerance+1e-10*math.Abs(a)
}

func diff(want, got [][]any) string {
	for i := range min(len(want), len(got)) {
		if len(want[i]) != len(got[i]) {
			return fmt.Sprintf("row %d has %d columns, want %d", i, len(got[i]), len(want[i]))
		}
		for j := range want[i] {
			if !same(want[i][j], got[i][j]) {
				return fmt.Sprintf("row %d, column %d is %s, want %s", i, j, text(got[i][j]), text(want[i][j]))
			}
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%d rows, want %d", len(got), len(want))
	}
	return ""
}

func open(t *testing.T, shards int, c Config, l Layout) *sql.DB {
	t.Helper()
	db, err := sql.Open("vitessdo", fmt.Sprintf(":memory:?shards=%d", shards))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	start := time.Now()
	if err := Load(t.Context(), db, c, l); err != nil {
		t.Fatal(err)
	}
	show(t, t.Name(), "load", start)
	return db
}

// Every query has the answer that plain SQLite gives for the query as written
// for SQLite: on any number of shards, in any layout, and also when the gate
// gathers everything.
func TestAnswers(t *testing.T) {
	c := config()
	want := plain(t, c)
	for _, l := range Layouts {
		for _, shards := range []int{1, 2, 3, 8} {
			t.Run(fmt.Sprintf("%s/%d", l.Name, shards), func(t *testing.T) {
				db := open(t, shards, c, l)
				for _, q := range Queries() {
					check(t, db, q.Name, q.SQL, want[q.Name])
				}
				if shards == 3 {
					for _, q := range Queries() {
						check(t, db, q.Name+" gathered", q.Forced(), want[q.Name])
					}
				}
			})
		}
	}
	for _, q := range Queries() {
		if rows := want[q.Name]; c == Tiny && (len(rows) == 0 || rows[0][len(rows[0])-1] == nil) {
			t.Errorf("%s has no answer in the tiny data, so that it tests nothing", q.Name)
		}
	}
}

func check(t *testing.T, db *sql.DB, name, query string, want [][]any) {
	t.Helper()
	start := time.Now()
	got, err := ask(t.Context(), db, query)
	show(t, t.Name(), name, start)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	} else if d := diff(want, got); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}
