package vitessdo

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// openFiles lists what this process has open, where the system tells.
func openFiles() []string {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil && strings.HasPrefix(to, "/") {
			out = append(out, to)
		}
	}
	return out
}

func under(files []string, dir string) []string {
	var out []string
	for _, f := range files {
		if strings.HasPrefix(f, dir) {
			out = append(out, f)
		}
	}
	return out
}

// ours counts the goroutines that run code of this module.
func ours() (int, string) {
	var b strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
	n, text := 0, ""
	for part := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(part, "vitessdo/vitessdo") && !strings.Contains(part, "leak_test.go") || strings.Contains(part, "database/sql.") {
			n++
			text += part + "\n\n"
		}
	}
	return n, text
}

// TestNothingIsLeft opens, uses well and badly, and closes; then no goroutine
// and no file is left.
func TestNothingIsLeft(t *testing.T) {
	uses := map[string]func(t *testing.T, db *sql.DB){
		"nothing": func(*testing.T, *sql.DB) {},
		"ping":    func(t *testing.T, db *sql.DB) { _ = db.Ping() },
		"work": func(t *testing.T, db *sql.DB) {
			accounts(t, db, 20)
			want(t, db, "2000", "SELECT SUM(bal) FROM acc")
			do(t, db, "UPDATE acc SET bal = 1")
			want(t, db, "20", "SELECT COUNT(*) FROM acc a JOIN acc b ON a.bal = b.bal + b.id - a.id WHERE a.id = b.id")
		},
		"errors": func(t *testing.T, db *sql.DB) {
			accounts(t, db, 20)
			for _, q := range []string{"SELEC", "SELECT nix FROM acc", "INSERT INTO acc (id, bal) VALUES (1, 1), (2, 1), (30, 1)", "UPDATE acc SET bal = -99999999", "SELECT ? FROM acc"} {
				if _, err := db.Exec(q); err == nil {
					t.Errorf("%s succeeds", q)
				}
			}
		},
		"cancelled": func(t *testing.T, db *sql.DB) {
			wide(t, db)
			for _, q := range []string{endless, "SELECT id, (" + endless + ") AS x FROM wide ORDER BY x", "UPDATE wide SET v = (" + endless + ")", "SELECT a.id FROM wide a JOIN wide b ON a.v < b.v JOIN wide c ON c.v < a.v ORDER BY b.v"} {
				ctx, cancel := context.WithTimeout(bg, 50*time.Millisecond)
				if rows, err := db.QueryContext(ctx, q); err == nil {
					for rows.Next() {
					}
					rows.Close()
				}
				cancel()
			}
		},
		"unclosed rows": func(t *testing.T, db *sql.DB) {
			wide(t, db)
			for _, q := range []string{"SELECT id FROM wide", "SELECT id FROM wide ORDER BY v, id", "SELECT pad, COUNT(*) FROM wide GROUP BY id, pad", "SELECT a.id FROM wide a JOIN wide b ON a.v = b.v", "SELECT * FROM wide WHERE id = 1"} {
				rows, err := db.Query(q)
				if err != nil {
					t.Fatal(err)
				}
				rows.Next()
				t.Cleanup(func() { rows.Close() })
			}
		},
		"open transactions": func(t *testing.T, db *sql.DB) {
			accounts(t, db, 20)
			for i := range 3 {
				tx, err := db.Begin()
				if err != nil {
					t.Fatal(err)
				}
				want(t, tx, "2000", "SELECT SUM(bal) FROM acc")
				if i == 0 {
					do(t, tx, "UPDATE acc SET bal = 5")
				}
				t.Cleanup(func() { _ = tx.Rollback() })
			}
			if _, err := db.Conn(bg); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, use := range uses {
		for _, where := range []string{"memory", "file"} {
			t.Run(name+"/"+where, func(t *testing.T) {
				before, _ := ours()
				dir := t.TempDir()
				dsn := ":memory:?shards=4"
				if where == "file" {
					dsn = "file:" + escapePath(dir) + "?shards=4&synchronous=off"
				}
				db, err := sql.Open("vitessdo", dsn)
				if err != nil {
					t.Fatal(err)
				}
				use(t, db)
				if err := soon(t, "close", db.Close); err != nil {
					t.Errorf("close: %v", err)
				}
				files := under(openFiles(), dir)
				if len(files) > 0 {
					t.Errorf("files are left open: %v", files)
				}
				for _, pattern := range []string{"*-wal", "*-shm", "*.tmp", "*/*-wal", "*/*-shm", "*/*.tmp"} {
					if left, _ := filepath.Glob(filepath.Join(dir, pattern)); len(left) > 0 {
						t.Errorf("files are left behind: %v", left)
					}
				}
				// Goroutines that have been told to end may need a moment.
				until := time.Now().Add(30 * time.Second)
				for {
					n, text := ours()
					if name == "unclosed rows" || name == "open transactions" {
						// database/sql's own, which wait for the rows to be closed.
						n, text = onlyDriver(text)
					}
					if n <= before {
						break
					}
					if time.Now().After(until) {
						t.Fatalf("%d goroutines are left, %d before:\n%s", n, before, text)
					}
					runtime.Gosched()
				}
				if where == "file" && name == "open transactions" {
					want(t, openDB(t, dsn), "2000", "SELECT SUM(bal) FROM acc")
				}
			})
		}
	}
}

func onlyDriver(text string) (int, string) {
	n, out := 0, ""
	for part := range strings.SplitSeq(text, "\n\n") {
		if strings.Contains(part, "vitessdo/vitessdo") {
			n++
			out += part + "\n\n"
		}
	}
	return n, out
}
