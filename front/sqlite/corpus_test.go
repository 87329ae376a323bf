package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"
)

// The corpus is testdata/*.sql: statements that end with a semicolon at a line's end,
// each followed by the rows that it gives, as comments: "-- " and the values, parted by
// " | ", or "-- error: " and a part of the error's text. "--! here" stands before a
// statement that isn't asked of SQLite itself: one that only fails here.

// step is one statement of a corpus.
type step struct {
	at   string // file:line
	text string
	want []string // rows, or one "error: …"
	here bool
}

// corpus reads the files; each is a story of its own.
func corpus(t testing.TB) map[string][]step {
	t.Helper()
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	out := map[string][]step{}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".sql")] = steps(t, f, string(body))
	}
	return out
}

func steps(t testing.TB, file, body string) (out []step) {
	var text []string
	start, here := 0, false
	for i, line := range strings.Split(body, "\n") {
		switch {
		case line == "--! here":
			here = true
		case strings.HasPrefix(line, "-- ") && text == nil && out != nil:
			last := &out[len(out)-1]
			last.want = append(last.want, strings.TrimPrefix(line, "-- "))
		case strings.TrimSpace(line) == "" && text == nil:
		default:
			if text == nil {
				start = i + 1
			}
			if text = append(text, line); strings.HasSuffix(line, ";") {
				out = append(out, step{fmt.Sprintf("%s:%d", file, start), strings.TrimSuffix(strings.Join(text, "\n"), ";"), nil, here})
				text, here = nil, false
			}
		}
	}
	if text != nil {
		t.Fatalf("%s:%d: a statement without its semicolon", file, start)
	}
	return out
}

// answer gives a statement's rows as the corpus has them.
func answer(ctx context.Context, conn *sql.Conn, query string) []string {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	defer rows.Close()
	cols, _ := rows.Columns()
	var out []string
	for rows.Next() {
		vals, dest := make([]any, len(cols)), make([]any, len(cols))
		for i := range vals {
			dest[i] = &vals[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return []string{"error: " + err.Error()}
		}
		parts := make([]string, len(cols))
		for i, v := range vals {
			parts[i] = written(v)
		}
		out = append(out, strings.Join(parts, " | "))
	}
	if err := rows.Err(); err != nil {
		return []string{"error: " + err.Error()}
	}
	return out
}

// written writes a value; of booleans and times as SQLite keeps them.
func written(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return fmt.Sprintf(`x'%x'`, v)
	case bool:
		return map[bool]string{false: "0", true: "1"}[v]
	case time.Time:
		return strings.TrimSuffix(v.UTC().Format("2006-01-02 15:04:05.999999"), " 00:00:00")
	case float64:
		return fmt.Sprintf("%.15g", v)
	}
	return fmt.Sprint(v)
}

// same compares what was given with what is wanted; JSON by what it says.
func same(got, want []string) bool {
	failed := func(rows []string) bool { return len(rows) == 1 && strings.HasPrefix(rows[0], "error: ") }
	if failed(want) {
		return failed(got) && strings.Contains(got[0], strings.TrimPrefix(want[0], "error: "))
	}
	return slices.EqualFunc(got, want, func(g, w string) bool {
		return slices.EqualFunc(strings.Split(g, " | "), strings.Split(w, " | "), func(g, w string) bool {
			var a, b any
			return g == w || len(g) > 0 && g[0] == '{' && json.Unmarshal([]byte(g), &a) == nil && json.Unmarshal([]byte(w), &b) == nil && reflect.DeepEqual(a, b)
		})
	})
}

// TestCorpus: every statement gives what it says, on one shard and on several.
func TestCorpus(t *testing.T) {
	for name, list := range corpus(t) {
		for _, shards := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s/%d", name, shards), func(t *testing.T) {
				conn := connect(t, "vitessdo", fmt.Sprintf(":memory:?shards=%d&dialect=sqlite", shards))
				for _, s := range list {
					if got := answer(t.Context(), conn, s.text); !same(got, s.want) {
						t.Errorf("%s: %s\ngot  %s\nwant %s", s.at, s.text, strings.Join(got, "\n     "), strings.Join(s.want, "\n     "))
					}
				}
			})
		}
	}
}

// TestCorpusOfSQLite: the corpus is right: SQLite itself gives the same rows.
func TestCorpusOfSQLite(t *testing.T) {
	for name, list := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			conn := connect(t, "sqlite3", "file:"+name+"?mode=memory&_pragma=foreign_keys(1)")
			for _, s := range list {
				if s.here {
					continue
				}
				got := answer(t.Context(), conn, s.text)
				if strings.HasPrefix(strings.Join(s.want, ""), "error: ") && len(got) == 1 && strings.HasPrefix(got[0], "error: ") {
					continue // in its own words
				}
				if !same(got, s.want) {
					t.Errorf("%s: %s\ngot  %s\nwant %s", s.at, s.text, strings.Join(got, "\n     "), strings.Join(s.want, "\n     "))
				}
			}
		})
	}
}

func connect(t testing.TB, driver, dsn string) *sql.Conn {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
