package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/twopc"
)

// crashed makes a directory as a crash leaves it, between the first and the
// other commits of a transaction over four shards.
func crashed(t *testing.T) string {
	t.Helper()
	dir, image := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "image")
	db, err := sql.Open("vitessdo", "file:"+dir+"?shards=4")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t (id BIGINT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	twopc.OnPoint(func(p twopc.Point, part int) {
		if p == twopc.Committed && part == 0 {
			if err := os.CopyFS(image, os.DirFS(dir)); err != nil {
				t.Error(err)
			}
		}
	})
	defer func() { twopc.OnPoint(nil) }()
	if _, err := db.Exec("INSERT INTO t VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12)"); err != nil {
		t.Fatal(err)
	}
	return image
}

func TestTx(t *testing.T) {
	dir := crashed(t)
	row := regexp.MustCompile(`(?m)^ *\|? *([0-9a-f]+-[0-9a-f]+) .*COMMIT.* main/-40,main/40-80,main/80-c0,main/c0- .*main/40-80,main/80-c0,main/c0-`)
	code, out, errs := call(t, "", "tx", "list", dir)
	found := row.FindStringSubmatch(out)
	if code != 0 || found == nil {
		t.Fatalf("list: %d %q %q", code, out, errs)
	}
	if code, out, _ := call(t, "", "tx", "list", dir, "--format", "csv"); code != 0 || !strings.HasPrefix(out, "dtid,state,record_time,participants,missing on\n"+found[1]+",COMMIT,") {
		t.Errorf("list as CSV: %d %q", code, out)
	}
	if code, out, _ := call(t, "", "tx", "status", "file:"+dir, found[1]); code != 0 || !row.MatchString(out) {
		t.Errorf("status: %d %q", code, out)
	}
	if code, out, _ := call(t, "", "tx", "status", dir, "other"); code != 0 || out != "transaction other is settled, or never was\n" {
		t.Errorf("status of another: %d %q", code, out)
	}
	code, out, errs = call(t, "", "tx", "resolve", dir)
	if want := "transaction " + found[1] + " is committed on main/40-80, main/80-c0, main/c0-\n"; code != 0 || out != want {
		t.Errorf("resolve: %d %q %q, want %q", code, out, errs, want)
	}
	for _, verb := range []string{"list", "resolve"} {
		if code, out, _ := call(t, "", "tx", verb, dir); code != 0 || out != "no transaction is unresolved\n" {
			t.Errorf("%s when all is settled: %d %q", verb, code, out)
		}
	}
	if code, out, errs := call(t, "SELECT COUNT(*) AS n FROM t", "shell", "file:"+dir); code != 0 || !regexp.MustCompile(`\b12\b`).MatchString(out) {
		t.Errorf("rows: %d %q %q", code, out, errs)
	}
}
