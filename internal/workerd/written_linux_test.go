//go:build !nonode

package workerd

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
)

// memory gives how many bytes the runtime has in memory, and had at the most since
// that was last reset.
func memory(t *testing.T, w *Worker, reset bool) (now, most int64) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/", w.cmd.Process.Pid)
	if reset {
		must(t, os.WriteFile(dir+"clear_refs", []byte("5"), 0o200))
	}
	status, err := os.ReadFile(dir + "status")
	must(t, err)
	field := func(name string) int64 {
		m := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
		if m == nil {
			t.Fatalf("no %s in %s", name, status)
		}
		n, err := strconv.ParseInt(string(m[1]), 10, 64)
		must(t, err)
		return n << 10
	}
	return field("VmRSS"), field("VmHWM")
}

// A transaction that has written, and a write, return as much as they like. In a
// transaction nobody holds it.
func TestLargeResultOfWriter(t *testing.T) {
	const rows, size, times = 500, 40_000, 6
	w, _, ws, web := one(t, Vars{"TRANSACTION_TIME": "25000"})
	write(t, ws, "CREATE TABLE big(v, pad)")
	write(t, ws, "INSERT INTO big SELECT i, zeroblob(?2) FROM ("+series+")", int64(rows), int64(size))
	whole := func(on tablet.Runner, sql string) {
		t.Helper()
		if got, err := rest(query(t, on, sql)); err != nil || len(got) != rows || got[rows-1] != rows {
			t.Errorf("%s: %d rows of %d, %v", sql, len(got), rows, err)
		}
	}
	for _, first := range []string{"SELECT v", "UPDATE big SET v = v RETURNING v"} {
		sql := first + list(times, "", func(i int) string { return fmt.Sprintf(", pad AS pad%d", i) })
		if first == "SELECT v" {
			sql += " FROM big"
		}
		x := begin(t, ws, tablet.TxOptions{})
		write(t, x, "INSERT INTO t VALUES(1)")
		before, _ := memory(t, w, true)
		whole(x, sql)
		_, most := memory(t, w, false)
		must(t, x.Rollback())
		t.Logf("%s of %d MB: %d MB more", first, times*rows*size/1_000_000, (most-before)/1_000_000)
		if most-before > times*rows*size*3/4 {
			t.Errorf("somebody holds it")
		}
	}
	const read, returned = "SELECT v, pad FROM big", "UPDATE big SET v = v RETURNING v, pad"
	for _, db := range []*rpc.Tablet{ws, web} {
		whole(db, returned)
		for _, sql := range []string{read, returned} {
			x := begin(t, db, tablet.TxOptions{})
			write(t, x, "INSERT INTO t VALUES(1)")
			whole(x, sql)
			must(t, x.Commit(t.Context()))
		}
	}
	wantRows(t, ws, 4)
}

// What is read in a transaction when that goes on is what was there, and what a write
// returns is written however much of it is read.
func TestReadWhileWriting(t *testing.T) {
	w, at, ws, web := one(t, Vars{"CHUNK_ROWS": "10", "TRANSACTION_TIME": "25000"})
	for _, c := range []struct {
		name string
		then func(x tablet.Tx)
		left int64 // rows that are there after the commit
	}{
		{"it changes a row", func(x tablet.Tx) { write(t, x, "UPDATE t SET v = 0 WHERE v = 190") }, 200},
		{"it deletes all", func(x tablet.Tx) { write(t, x, "DELETE FROM t") }, 0},
		{"it drops the table", func(x tablet.Tx) {
			write(t, x, "DROP TABLE t")
			write(t, x, "CREATE TABLE t(v)")
		}, 0},
		{"it sets a savepoint, and goes back", func(x tablet.Tx) {
			must(t, x.Savepoint(t.Context(), "a"))
			write(t, x, "DELETE FROM t")
			must(t, x.RollbackTo(t.Context(), "a"))
			must(t, x.Release(t.Context(), "a"))
		}, 200},
		{"it reads more", func(x tablet.Tx) {
			for range 3 {
				must(t, query(t, x, "SELECT v FROM t").Close())
			}
		}, 200},
	} {
		for _, sql := range []string{"SELECT v FROM t", "UPDATE t SET v = v RETURNING v"} {
			for _, db := range []*rpc.Tablet{ws, web} {
				create(t, w, at)
				write(t, ws, "CREATE TABLE t(v)")
				write(t, ws, "INSERT INTO t "+series, int64(200))
				x := begin(t, db, tablet.TxOptions{})
				must(t, x.Lock(t.Context()))
				write(t, x, "UPDATE t SET v = v")
				all := []tablet.Rows{query(t, x, sql), query(t, x, sql), query(t, x, sql)}
				row := make([]tablet.Value, 1)
				for i, rows := range all {
					for range 15 * i {
						must(t, rows.Next(row))
					}
				}
				must(t, all[2].Close())
				c.then(x)
				for i, rows := range all[:2] {
					if got, err := rest(rows); err != nil || len(got) != 200-15*i || got[0] != int64(15*i+1) {
						t.Errorf("%s, %s: reader %d gets %d rows, %v", sql, c.name, i, len(got), err)
					}
				}
				must(t, query(t, x, sql).Close())
				unread := query(t, x, "SELECT v FROM t")
				must(t, x.Commit(t.Context()))
				// A stream may have come already.
				if got, err := rest(unread); err != nil || db == web && c.left > 0 {
					wantCode(t, err, tablet.CodeTxExpired)
				} else if len(got) != int(c.left) {
					t.Errorf("%d rows of %d", len(got), c.left)
				}
				wantRows(t, db, c.left)
			}
		}
	}
}

// A write that is rolled back while what it returns is read keeps nobody from writing.
func TestReturnedIsRolledBack(t *testing.T) {
	_, _, ws, web := one(t, Vars{"CHUNK_ROWS": "10"})
	write(t, ws, "INSERT INTO t "+series, int64(1000))
	for _, db := range []*rpc.Tablet{ws, web} {
		x := begin(t, db, tablet.TxOptions{})
		must(t, query(t, x, "DELETE FROM t RETURNING v").Next(make([]tablet.Value, 1)))
		must(t, x.Rollback())
		wantRows(t, db, 1000)
		x = begin(t, db, tablet.TxOptions{})
		write(t, x, "DELETE FROM t WHERE v = 1")
		must(t, x.Savepoint(t.Context(), "a"))
		must(t, query(t, x, "DELETE FROM t RETURNING v").Next(make([]tablet.Value, 1)))
		must(t, x.RollbackTo(t.Context(), "a"))
		write(t, x, "INSERT INTO t VALUES(1)")
		must(t, x.Commit(t.Context()))
		wantRows(t, db, 1000)
	}
}

// A write ends the reading of too much of what is left.
func TestTooMuchLeft(t *testing.T) {
	_, _, db, _ := one(t, nil)
	write(t, db, "CREATE TABLE big(v, pad)")
	write(t, db, "INSERT INTO big SELECT i, zeroblob(100000) FROM ("+series+")", int64(300))
	x := begin(t, db, tablet.TxOptions{})
	write(t, x, "INSERT INTO t VALUES(1)")
	rows := query(t, x, "SELECT v, pad FROM big")
	write(t, x, "INSERT INTO t VALUES(2)")
	_, err := rest(rows)
	wantCode(t, err, tablet.CodeTooBig)
	must(t, x.Commit(t.Context()))
	wantRows(t, db, 2)
}
