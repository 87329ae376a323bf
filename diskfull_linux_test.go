package vitessdo

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What needs a file system of its own is tested where one can be mounted.

func TestReadOnlyDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		// The superuser may write everywhere, so the file system must refuse.
		readOnlyMount(t)
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	err := openDB(t, "file:"+filepath.Join(dir, "x")).Ping()
	if err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("a directory that can't be written: %v", err)
	}
}

func readOnlyMount(t *testing.T) {
	dir := tmpfs(t, "4m")
	if dir == "" {
		return
	}
	data := filepath.Join(dir, "data")
	if err := dirDB(t, data, "CREATE TABLE t (id BIGINT PRIMARY KEY)").Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{data, filepath.Join(dir, "new")} {
		err := openDB(t, "file:"+place).Ping()
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, "read-only") || !strings.Contains(e.Message, place) {
			t.Errorf("a read-only file system: %v", err)
		} else if e.Code != CodeTopology && e.Code != CodeIO {
			t.Errorf("a read-only file system: code %s (%v)", e.Code, err)
		}
	}
}

// tmpfs mounts a small file system, or gives "" where that isn't allowed.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Logf("no small file system can be mounted here (%v): what needs one is not looked at", err)
		return ""
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestDiskFull fills the disk: typed errors, nothing lost, and work again once
// there is space.
func TestDiskFull(t *testing.T) {
	dir := tmpfs(t, "6m")
	if dir == "" {
		return
	}
	for _, mode := range []string{"full", "normal"} {
		data := filepath.Join(dir, mode)
		db := openDB(t, "file:"+data+"?shards=4&synchronous="+mode)
		do(t, db, "CREATE TABLE t (id BIGINT PRIMARY KEY, txn INT, pad VARCHAR(4000))")
		ballast := filepath.Join(dir, "ballast")
		pad := strings.Repeat("p", 3000)
		for cycle := range 3 {
			acked := fill(t, db, cycle, pad)
			info, err := os.Stat(ballast)
			if err == nil {
				t.Fatalf("%v is there", info.Name())
			}
			want(t, db, fmt.Sprint(acked*5), "SELECT COUNT(*) FROM t")
			want(t, db, "", "SELECT txn, COUNT(*) FROM t GROUP BY txn HAVING COUNT(*) <> 5")
			// Space comes back: by a larger file system, as a volume would grow.
			if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, fmt.Sprintf("size=%dm", 12+6*cycle)); err != nil {
				t.Fatal(err)
			}
			do(t, db, "INSERT INTO t VALUES (900001, 9, 'x'), (900002, 9, 'x'), (900003, 9, 'x'), (900004, 9, 'x')")
			do(t, db, "DELETE FROM t")
		}
		want(t, db, "0", "SELECT COUNT(*) FROM t")
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		want(t, openDB(t, "file:"+data+"?synchronous="+mode), "0", "SELECT COUNT(*) FROM t")
		if err := os.RemoveAll(data); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=6m"); err != nil {
			t.Fatal(err)
		}
	}
}

// fill inserts rows over all shards until the disk is full, and gives the number
// of the transactions that went through.
func fill(t *testing.T, db *sql.DB, cycle int, pad string) int {
	t.Helper()
	for n := 0; ; n++ {
		base := int64(n)*10 + int64(cycle)*100_000
		_, err := db.Exec("INSERT INTO t VALUES (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?)",
			base, n, pad, base+1, n, pad, base+2, n, pad, base+3, n, pad, base+4, n, pad)
		if err == nil {
			if n > 20000 {
				t.Fatal("the disk never fills")
			}
			continue
		}
		e := wantCode(t, err, CodeFull, "a full disk")
		if e.Number != 1021 {
			t.Errorf("full disk: number %d", e.Number)
		}
		mustFail(t, db, CodeFull, "CREATE TABLE more AS SELECT * FROM t")
		return n
	}
}
