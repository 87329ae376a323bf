package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childRole makes a run of this test binary import a file instead of testing,
// "directory|source|rejects", or export one, "directory|target".
const childRole = "VITESSDO_TRANSFER_CHILD"

func TestMain(m *testing.M) {
	role, ok := os.LookupEnv(childRole)
	if !ok {
		os.Exit(m.Run())
	}
	child, args := childImport, strings.Split(role, "|")
	if len(args) == 2 {
		child = childExport
	}
	if err := child(args); err != nil {
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
		if childKilled(t, dir+"|"+source+"|"+rejects, time.Duration(100+rand.IntN(150)+kills*40)*time.Millisecond) {
			return kills
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

func childExport(args []string) error {
	db, err := sql.Open("vitessdo", "file:"+args[0])
	if err != nil {
		return err
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	if _, err := exportOf(args[1]).Run(context.Background(), conn); err != nil {
		return err
	}
	return db.Close()
}

// exportOf is an export that notes how far it has come after each few rows.
func exportOf(target string) Export {
	out := Export{Target: target, save: 20_000}
	if FormatOf(target) != SQL {
		out.Tables = []string{"t"}
	}
	return out
}

// TestKilledExport kills exports again and again: in the end the file is the same, to the
// byte, as one that was written without a break, and nothing else is left.
func TestKilledExport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db, conn := openDB(t, "file:"+dir+"?shards=3")
	do(t, conn, "CREATE TABLE a (id BIGINT PRIMARY KEY, v TEXT)")
	do(t, conn, "CREATE TABLE loose (v TEXT)")
	do(t, conn, "CREATE TABLE t (who VARCHAR(20) COLLATE utf8mb4_general_ci, at DATETIME(6), raw VARBINARY(20), n DECIMAL(20,4), v TEXT, PRIMARY KEY (who, at, raw, n))")
	for i := range 40 {
		do(t, conn, "INSERT INTO a VALUES (?, ?)", i, strings.Repeat("a", 300))
		do(t, conn, "INSERT INTO loose VALUES (?)", i)
	}
	for batch := range 100 {
		var rows []string
		for i := range 30 {
			n := batch*30 + i
			rows = append(rows, fmt.Sprintf("('Who %c%d', '2026-01-02 03:04:05.%06d', x'%04x', %d.5, '%s')", 'a'+n%20, n%7, n%3, n%11*1000, n, strings.Repeat("x", 80)))
		}
		do(t, conn, "INSERT INTO t VALUES "+strings.Join(rows, ", "))
	}
	want, files := map[string][]byte{}, t.TempDir()
	names := []string{"all.sql", "all.sql.gz", "t.csv", "t.jsonl"}
	for _, name := range names {
		file := filepath.Join(files, "whole-"+name)
		done, err := exportOf(file).Run(t.Context(), conn)
		if err != nil {
			t.Fatal(err)
		}
		if want[name], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(want[name]); done.Sum != hex.EncodeToString(sum[:]) || done.Resumed {
			t.Errorf("%s: %+v, but the file's hash is %x", name, done, sum)
		}
	}
	conn.Close()
	db.Close()
	for _, name := range names {
		file, kills, resumed := filepath.Join(files, name), 0, false
		for ; ; kills++ {
			_, err := os.Stat(file + stateSuffix)
			resumed = resumed || err == nil
			if childKilled(t, dir+"|"+file, time.Duration((30+rand.IntN(80))*(8+kills*kills)/8)*time.Millisecond) {
				break
			}
		}
		t.Logf("%s: %d kills, resumed: %v", name, kills, resumed)
		got, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want[name]) {
			t.Errorf("%s: after %d kills the file differs: %v: %s", name, kills, err, firstDifference(string(got), string(want[name])))
		}
	}
	left, err := filepath.Glob(filepath.Join(files, "*.part*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

// childKilled runs a child that is killed after a time, and says whether it has come to
// its end before.
func childKilled(t *testing.T, role string, after time.Duration) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	if err != nil && strings.Contains(out.String(), "error:") {
		t.Fatal(out.String())
	}
	return err == nil
}
