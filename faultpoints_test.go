package vitessdo

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/twopc"
)

// pointStmts are statements that commit over several shards. probe gives before
// and after; "" is an error.
var pointStmts = []struct {
	name, stmt, probe, before, after string
	parts                            int
}{
	{"write", "UPDATE acc SET bal = bal + 1", "SELECT SUM(bal) FROM acc", "2000", "2020", 4},
	{"alter", "ALTER TABLE acc ADD COLUMN extra INT DEFAULT 4", "SELECT SUM(extra) FROM acc", "", "80", 5},
	{"copy", "INSERT INTO names (id, name) SELECT id, CONCAT('n', id) FROM acc", "SELECT COUNT(*) FROM names", "0", "20", 4},
	{"create", "CREATE TABLE more (id BIGINT PRIMARY KEY, u INT UNIQUE)", "SELECT COUNT(*) FROM more", "", "0", 5},
	{"migration", "CREATE TABLE more (id BIGINT PRIMARY KEY, u INT UNIQUE); INSERT INTO more SELECT id, id FROM acc; UPDATE acc SET bal = 0; ALTER TABLE acc ADD COLUMN extra INT DEFAULT 4; DROP TABLE names",
		"SELECT SUM(bal + extra) + (SELECT COUNT(*) FROM more WHERE u > 0) FROM acc", "", "100", 5},
	{"drop", "DROP TABLE names", "SELECT COUNT(*) FROM names", "0", "", 5},
}

// TestFaultPoints kills at every point of a commit, for every participant, also
// in the recovery from that: all or nothing, and which of them is foreseen.
func TestFaultPoints(t *testing.T) {
	fresh := t.TempDir()
	db := openDB(t, killDSN(fresh, 0))
	accounts(t, db, 20)
	do(t, db, "CREATE TABLE names (id BIGINT PRIMARY KEY, name VARCHAR(20) UNIQUE)")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for i, c := range pointStmts {
		for _, p := range twopc.Points() {
			for part := range c.parts {
				switch p {
				case twopc.Preparing, twopc.Committed, twopc.Replaying, twopc.Replayed:
				default:
					if part > 0 && !allFaults {
						continue
					}
				}
				if i > 1 && part > 0 && !allFaults {
					continue
				}
				t.Run(fmt.Sprintf("%s/%v/%d", c.name, p, part), func(t *testing.T) {
					t.Parallel()
					dir := t.TempDir()
					if err := os.CopyFS(dir, os.DirFS(fresh)); err != nil {
						t.Fatal(err)
					}
					faultPoint(t, dir, i, p, part)
				})
			}
		}
	}
}

func faultPoint(t *testing.T, dir string, stmt int, p twopc.Point, part int) {
	t.Helper()
	c := pointStmts[stmt]
	done := p >= twopc.Decided
	if p >= twopc.Replaying { // leave something to replay
		dieAt(t, dir, c.stmt, twopc.Decided, 0)
	}
	if !dieAt(t, dir, c.stmt, p, part) {
		if part == 0 {
			t.Fatalf("the process has not died at %v", p)
		}
		done = true // the point isn't one of every participant's
	}
	db := openDB(t, killDSN(dir, part))
	lockFree(t, db)
	probe := func() string {
		rows, err := rowsOf(db, c.probe)
		if err != nil {
			return ""
		}
		return rows[0]
	}
	want := c.before
	if done {
		want = c.after
	}
	if got := probe(); got != want {
		t.Errorf("after a crash at %v: %s gives %q, want %q", p, c.probe, got, want)
	}
	if !done {
		for _, q := range strings.Split(c.stmt, "; ") {
			do(t, db, q)
		}
		if got := probe(); got != c.after {
			t.Errorf("done anew: %s gives %q, want %q", c.probe, got, c.after)
		}
	}
	if c.name == "copy" {
		for id := 1; id <= 20; id++ {
			got, err := rowsOf(db, "SELECT id FROM names WHERE name = ?", fmt.Sprint("n", id))
			if err != nil || len(got) != 1 || got[0] != fmt.Sprint(id) {
				t.Errorf("name n%d leads to %v, %v", id, got, err)
			}
		}
		mustFail(t, db, CodeUnique, "INSERT INTO names VALUES (99, 'n7')")
	}
	free(t, db)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// dieAt runs a statement in a process that dies at a point. It says whether the
// point was reached.
func dieAt(t *testing.T, dir, stmt string, p twopc.Point, part int) bool {
	t.Helper()
	cmd, lines, _ := child(t, "fault", dir, strconv.Itoa(int(p)), strconv.Itoa(part), stmt)
	for lines.Scan() {
		if p < twopc.Replaying && lines.Text() != "done" {
			t.Error(lines.Text())
		}
	}
	return cmd.Wait() != nil
}
