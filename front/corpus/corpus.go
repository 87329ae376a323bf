package corpus

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
)

// Step is one statement of a story.
type Step struct {
	At   string // file:line
	Text string
	Want []string // rows, or one "error: …"
	Here bool
}

// Read reads testdata/*.sql, the stories by name.
func Read(t testing.TB) map[string][]Step {
	t.Helper()
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	out := map[string][]Step{}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".sql")] = steps(t, f, string(body))
	}
	return out
}

func steps(t testing.TB, file, body string) (out []Step) {
	t.Helper()
	var text []string
	start, here := 0, false
	for i, line := range strings.Split(body, "\n") {
		switch {
		case line == "--! here":
			here = true
		case strings.HasPrefix(line, "-- ") && text == nil && out != nil:
			last := &out[len(out)-1]
			last.Want = append(last.Want, strings.TrimPrefix(line, "-- "))
		case strings.TrimSpace(line) == "" && text == nil:
		default:
			if text == nil {
				start = i + 1
			}
			if text = append(text, line); strings.HasSuffix(line, ";") {
				out = append(out, Step{fmt.Sprintf("%s:%d", file, start), strings.TrimSuffix(strings.Join(text, "\n"), ";"), nil, here})
				text, here = nil, false
			}
		}
	}
	if text != nil {
		t.Fatalf("%s:%d: a statement without its semicolon", file, start)
	}
	return out
}

// Listener is whom a story is told to.
type Listener struct {
	Conn *sql.Conn
	// Write writes a value of a column whose type has this name.
	Write func(v any, typ string) string
	// Alike says whether two values are that aren't written alike; nil for never.
	Alike func(got, want string) bool
	// Real: it is the dialect's own database, which has its own words for errors.
	Real bool
}

// Tell runs a story and complains of every answer that isn't as wanted.
func (l *Listener) Tell(t testing.TB, story []Step) {
	t.Helper()
	for _, s := range story {
		if s.Here && l.Real {
			continue
		}
		if got := l.Answer(t.Context(), s.Text); !l.Same(got, s.Want) {
			t.Errorf("%s: %s\ngot  %s\nwant %s", s.At, s.Text, strings.Join(got, "\n     "), strings.Join(s.Want, "\n     "))
		}
	}
}

// Answer gives a statement's rows as a story has them.
func (l *Listener) Answer(ctx context.Context, query string, args ...any) []string {
	out, err := l.rows(ctx, query, args)
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	return out
}

func (l *Listener) rows(ctx context.Context, query string, args []any) (out []string, err error) {
	rows, err := l.Conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cols, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	vals, dest := make([]any, len(cols)), make([]any, len(cols))
	for i := range vals {
		dest[i] = &vals[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		parts := make([]string, len(cols))
		for i, v := range vals {
			parts[i] = "NULL"
			if v != nil {
				parts[i] = l.Write(v, cols[i].DatabaseTypeName())
			}
		}
		out = append(out, strings.Join(parts, " | "))
	}
	return out, rows.Err()
}

// Failed says whether an answer is an error.
func Failed(rows []string) bool { return len(rows) == 1 && strings.HasPrefix(rows[0], "error: ") }

// Same compares an answer with what is wanted; JSON by what it says.
func (l *Listener) Same(got, want []string) bool {
	if Failed(got) || Failed(want) {
		return Failed(got) && Failed(want) && (l.Real || strings.Contains(got[0], strings.TrimPrefix(want[0], "error: ")))
	}
	return slices.EqualFunc(got, want, func(g, w string) bool {
		return slices.EqualFunc(strings.Split(g, " | "), strings.Split(w, " | "), func(g, w string) bool {
			return g == w || l.Alike != nil && l.Alike(g, w) || sameJSON(g, w)
		})
	})
}

// sameJSON compares what isn't a number as JSON.
func sameJSON(g, w string) bool {
	var a, b any
	if json.Unmarshal([]byte(g), &a) != nil || json.Unmarshal([]byte(w), &b) != nil {
		return false
	}
	_, number := a.(float64)
	return !number && reflect.DeepEqual(a, b)
}

// Connect gives a connection of a pool of its own, which ends with the test.
func Connect(t testing.TB, driver, dsn string) *sql.Conn {
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
