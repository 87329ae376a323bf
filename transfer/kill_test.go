package transfer

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childRole makes a run of this test binary import a file instead of testing:
// "directory|source|rejects".
const childRole = "VITESSDO_TRANSFER_CHILD"

func TestMain(m *testing.M) {
	role, ok := os.LookupEnv(childRole)
	if !ok {
		os.Exit(m.Run())
	}
	if err := childImport(strings.Split(role, "|")); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("done")
}

func childImport(args []string) error {
	db, err := sql.Open("vitessdo", "file:"+args[0])
	if err != nil {
		return err
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	in := Import{Source: args[1], Table: "t", Skip: true, Rejects: args[2], Batch: 50, Commit: 500}
	if FormatOf(args[1]) != CSV {
		in.Table, in.Rejects = "", ""
	}
	in.Progress = func(Progress) { fmt.Println("progress") }
	if _, err = in.Run(context.Background(), conn); err != nil {
		return err
	}
	return db.Close()
}

// importKilled kills imports until one comes to its end, and counts the kills.
func importKilled(t *testing.T, dir, source, rejects string) int {
	t.Helper()
	for kills := 0; ; kills++ {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childRole+"="+dir+"|"+source+"|"+rejects)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(100+rand.IntN(150)+kills*40)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if err == nil {
			return kills
		}
		if strings.Contains(out.String(), "error:") {
			t.Fatal(out.String())
		}
		if ended(t, dir) {
			return kills + 1
		}
	}
}

// ended says whether an import that was killed had come to its end, and is forgotten.
func ended(t *testing.T, dir string) bool {
	t.Helper()
	db, conn := openDB(t, "file:"+dir)
	defer db.Close()
	defer conn.Close()
	tables := table(t, conn, "SHOW TABLES")
	return strings.Contains(tables, `"t"`) && !strings.Contains(tables, checkpoints) && table(t, conn, "SELECT COUNT(*) > 0 FROM t") == "int64 \"1\"|\n"
}

// TestKilledImport kills imports again and again: in the end every row is there once,
// and so is every reject.
func TestKilledImport(t *testing.T) {
	const rows = 20_000
	files := t.TempDir()
	var csv, dump strings.Builder
	csv.WriteString("id,name,n\n")
	dump.WriteString("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(40), n INT);\n")
	for i := range rows {
		if i%997 == 5 {
			fmt.Fprintf(&csv, "%d,bad %d\n", i, i)
		} else {
			fmt.Fprintf(&csv, "%d,\"name, %d\",%d\n", i, i, i%7)
		}
		fmt.Fprintf(&dump, "INSERT INTO `t` VALUES (%d,'name; %d',%d);\n", i, i, i%7)
	}
	dump.WriteString("ALTER TABLE t ADD COLUMN extra INT DEFAULT 3;\n")
	for _, c := range []struct {
		name, text, want string
		rejects          int
	}{
		{"in.csv", csv.String(), fmt.Sprint(rows - 21), 21},
		{"in.sql", dump.String(), fmt.Sprint(rows), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			source, rejects, dir := filepath.Join(files, c.name), filepath.Join(files, c.name+".rejects"), filepath.Join(t.TempDir(), "data")
			if err := os.WriteFile(source, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			db, conn := openDB(t, "file:"+dir+"?shards=3")
			if c.rejects > 0 {
				do(t, conn, "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(40), n INT)")
			}
			conn.Close()
			db.Close()
			kills := importKilled(t, dir, source, rejects)
			t.Logf("%d kills", kills)
			_, conn = openDB(t, "file:"+dir)
			if got := table(t, conn, "SELECT CONCAT(COUNT(*)), COUNT(DISTINCT id) = COUNT(*) FROM t"); got != "string \""+c.want+"\"|int64 \"1\"|\n" {
				t.Errorf("%d kills: %s, want %s", kills, got, c.want)
			}
			if got := table(t, conn, "SHOW TABLES"); got != "string \"t\"|\n" {
				t.Errorf("tables left: %s", got)
			}
			if c.rejects == 0 {
				return
			}
			text, err := os.ReadFile(rejects)
			if lines := strings.Count(string(text), "\n"); err != nil || lines != c.rejects+1 {
				t.Errorf("%d lines of rejects, want %d: %v", lines, c.rejects+1, err)
			}
		})
	}
}
