package vitessdo

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/topo"
)

// shardFiles lists the databases of the shards in a directory.
func shardFiles(tb testing.TB, dir string) []string {
	tb.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Dir(path) != dir && filepath.Ext(path) == ".db" {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	if len(out) != 4 {
		tb.Fatalf("shard databases: %v", out)
	}
	return out
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	db := dirDB(t, dir,
		"CREATE TABLE acc (id BIGINT PRIMARY KEY AUTO_INCREMENT, bal BIGINT, note VARCHAR(20), UNIQUE KEY (id, bal))",
		"CREATE TABLE item (id BIGINT, acc_id BIGINT, v JSON, PRIMARY KEY (acc_id, id), FOREIGN KEY (acc_id) REFERENCES acc(id) ON DELETE CASCADE)",
		"CREATE TABLE kd (a BIGINT, b VARCHAR(10), PRIMARY KEY (a, b)) PARTITION BY KEY(b)",
		"CREATE VIEW rich AS SELECT id FROM acc WHERE bal > 50")
	for i := range 30 {
		do(t, db, "INSERT INTO acc (bal) VALUES (?)", i*10)
		do(t, db, "INSERT INTO item VALUES (?, ?, '{}')", i, i+1)
		do(t, db, "INSERT INTO kd VALUES (?, ?)", i, fmt.Sprint("b", i))
	}
	vs, err := rowsOf(db, "SHOW VSCHEMA TABLES")
	if err != nil {
		t.Fatal(err)
	}
	create, err := rowsOf(db, "SHOW CREATE TABLE item")
	if err != nil {
		t.Fatal(err)
	}
	last, _ := do(t, db, "INSERT INTO acc (bal) VALUES (1)").LastInsertId()
	for round := range 3 {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = openDB(t, "file:"+dir) // the number of shards is known
		want(t, db, "24", "SELECT COUNT(*) FROM rich")
		want(t, db, "30|30|435", "SELECT COUNT(*), COUNT(DISTINCT b), SUM(a) FROM kd")
		want(t, db, "5", "SELECT a FROM kd WHERE b = 'b5'")
		want(t, db, "30", "SELECT COUNT(*) FROM acc JOIN item ON acc.id = item.acc_id")
		id, _ := do(t, db, "INSERT INTO acc (bal) VALUES (0)").LastInsertId()
		if id <= last {
			t.Errorf("round %d: id %d after %d", round, id, last)
		}
		last = id
		if again, err := rowsOf(db, "SHOW VSCHEMA TABLES"); err != nil || strings.Join(again, ";") != strings.Join(vs, ";") {
			t.Errorf("round %d: VSchema %v, %v; want %v", round, again, err, vs)
		}
		if again, err := rowsOf(db, "SHOW CREATE TABLE item"); err != nil || again[0] != create[0] {
			t.Errorf("round %d: %v, %v; want %v", round, again, err, create)
		}
		mustFail(t, db, CodeForeignKey, "INSERT INTO item VALUES (1, 999999, NULL)")
	}
}

func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	cmd, lines, in := child(t, "open", dir)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "open ") {
		t.Fatalf("the holder says %q", lines.Text())
	}
	db := openDB(t, "file:"+dir)
	err := db.Ping()
	e := wantCode(t, err, CodeTopology, "a second process")
	if !strings.Contains(e.Message, strconv.Itoa(cmd.Process.Pid)) || !strings.Contains(e.Message, "serve") {
		t.Errorf("%v doesn't say who holds it (process %d) and the way out", e, cmd.Process.Pid)
	}
	if !errors.Is(err, topo.ErrLocked) {
		t.Errorf("%v is not ErrLocked", err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(); err != nil { // the same pool works once the holder has gone
		t.Error(err)
	}
}

func TestTwoPoolsShare(t *testing.T) {
	dir := t.TempDir()
	a := dirDB(t, dir, "CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT)")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	b := openDB(t, "file:"+link+"?synchronous=normal")
	var wg sync.WaitGroup
	for _, db := range []*sql.DB{a, b} {
		wg.Go(func() {
			for range 50 {
				if _, err := db.Exec("INSERT INTO t (v) VALUES (1), (2), (3)"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	want(t, a, "300|300", "SELECT COUNT(*), COUNT(DISTINCT id) FROM t")
	do(t, b, "ALTER TABLE t ADD COLUMN w INT DEFAULT 7")
	want(t, a, "7", "SELECT DISTINCT w FROM t")
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	want(t, b, "300", "SELECT COUNT(*) FROM t")
	c := openDB(t, "file:"+dir+"?synchronous=full")
	wantCode(t, c.Ping(), CodeDSN, "another synchronous beside an open pool")
	d := openDB(t, "file:"+dir+"?shards=2&synchronous=normal")
	wantCode(t, d.Ping(), CodeTopology, "another number of shards beside an open pool")
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	want(t, openDB(t, "file:"+dir), "300", "SELECT COUNT(*) FROM t")
}

func TestWrongDirectories(t *testing.T) {
	good := t.TempDir()
	if err := dirDB(t, good, "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)").Close(); err != nil {
		t.Fatal(err)
	}
	copyOf := func(t *testing.T) string {
		dir := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	ok := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name    string
		code    Code
		part    string
		options string
		spoil   func(t *testing.T) string
	}{
		{"other number of shards", CodeTopology, "reshard", "?shards=3", copyOf},
		{"other keyspace", CodeTopology, "no keyspace", "?keyspace=nix", copyOf},
		{"foreign files", CodeTopology, "not empty", "", func(t *testing.T) string {
			dir := t.TempDir()
			ok(os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("dear"), 0o600))
			return dir
		}},
		{"a file", CodeTopology, "is a file", "", func(t *testing.T) string {
			f := filepath.Join(t.TempDir(), "f")
			ok(os.WriteFile(f, []byte("x"), 0o600))
			return f
		}},
		{"shard gone", CodeTopology, "damaged", "", func(t *testing.T) string {
			dir := copyOf(t)
			ok(os.Remove(shardFiles(t, dir)[1]))
			return dir
		}},
		{"shard is something else", CodeTopology, "damaged", "", func(t *testing.T) string {
			dir := copyOf(t)
			ok(os.WriteFile(shardFiles(t, dir)[2], bytes.Repeat([]byte("garbage "), 2000), 0o600))
			return dir
		}},
		{"shard is empty", CodeTopology, "damaged", "", func(t *testing.T) string {
			dir := copyOf(t)
			ok(os.Truncate(shardFiles(t, dir)[0], 0))
			return dir
		}},
		{"marker is no JSON", CodeTopology, "vitessdo.json", "", func(t *testing.T) string {
			dir := copyOf(t)
			ok(os.WriteFile(filepath.Join(dir, "vitessdo.json"), []byte("{"), 0o600))
			return dir
		}},
		{"marker is newer", CodeTopology, "newer", "", func(t *testing.T) string {
			dir := copyOf(t)
			text, err := os.ReadFile(filepath.Join(dir, "vitessdo.json"))
			ok(err)
			ok(os.WriteFile(filepath.Join(dir, "vitessdo.json"), bytes.Replace(text, []byte(`"format": 1`), []byte(`"format": 99`), 1), 0o600))
			return dir
		}},
		{"marker gone", CodeTopology, "no vitessdo.json", "", func(t *testing.T) string {
			dir := copyOf(t)
			ok(os.Remove(filepath.Join(dir, "vitessdo.json")))
			return dir
		}},
		{"redo log is damaged", CodeCorrupt, "redo", "", func(t *testing.T) string {
			dir := copyOf(t)
			ok(os.WriteFile(filepath.Join(dir, "redo.log"), bytes.Repeat([]byte("garbage "), 100), 0o600))
			return dir
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			place := tc.spoil(t)
			before := listing(t, place)
			db := openDB(t, "file:"+escapePath(place)+tc.options)
			e := wantCode(t, db.Ping(), tc.code, tc.name)
			if !strings.Contains(e.Message, tc.part) || !strings.Contains(e.Message, filepath.Base(place)) {
				t.Errorf("%v doesn't say %q and name the place", e, tc.part)
			}
			db.Close()
			if after := listing(t, place); after != before {
				t.Errorf("the directory was changed:\n%s\n%s", before, after)
			}
		})
	}
	want(t, openDB(t, "file:"+good), "5", "SELECT COUNT(*) FROM t")
}

// listing names a directory's files with their sizes, but for the lock's.
func listing(tb testing.TB, dir string) string {
	tb.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(d.Name(), "lock") {
			return err
		}
		info, err := d.Info()
		out = append(out, fmt.Sprintf("%s:%d", strings.TrimPrefix(path, dir), info.Size()))
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Join(out, " ")
}

// TestCorruptShard damages pages in the midst of a shard: a typed error, and the
// other shards go on.
func TestCorruptShard(t *testing.T) {
	dir := t.TempDir()
	db := dirDB(t, dir, "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(200))")
	for i := range 40 {
		do(t, db, "INSERT INTO t SELECT ? + n, REPEAT('x', 150) FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50) SELECT n FROM c) AS s", i*50)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(shardFiles(t, dir)[1], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(4096 * 2); at < info.Size(); at += 4096 {
		if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, 2048), at); err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
	db = openDB(t, "file:"+dir)
	if err := db.Ping(); err != nil {
		wantCode(t, err, CodeCorrupt, "opening a damaged shard")
		return
	}
	_, err = rowsOf(db, "SELECT id, v FROM t")
	e := wantCode(t, err, CodeCorrupt, "reading a damaged shard")
	if e.Shard == "" || e.Number != 1194 {
		t.Errorf("%v doesn't name the shard, or isn't 1194", e)
	}
	works := 0
	for id := range 40 {
		if _, err := rowsOf(db, "SELECT v FROM t WHERE id = ?", id); err == nil {
			works++
		}
	}
	if works == 0 {
		t.Error("no shard works any more")
	}
}
