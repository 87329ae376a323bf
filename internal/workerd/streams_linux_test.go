//go:build !nonode

package workerd

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
)

// rest reads rows of one integer to their end.
func rest(rows tablet.Rows) (got []int64, err error) {
	row := make([]tablet.Value, len(rows.Columns()))
	for err = rows.Next(row); err == nil; err = rows.Next(row) {
		got = append(got, row[0].(int64))
	}
	if !errors.Is(err, io.EOF) {
		return got, err
	}
	return got, rows.Close()
}

func query(t *testing.T, on tablet.Runner, sql string, args ...tablet.Value) tablet.Rows {
	t.Helper()
	rows, err := on.Query(t.Context(), &tablet.Query{SQL: sql, Args: args})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return rows
}

// A result is larger than anybody could hold.
func TestLargeResult(t *testing.T) {
	_, _, ws, web := one(t, nil)
	for _, db := range []*rpc.Tablet{ws, web} {
		reader := begin(t, db, tablet.TxOptions{ReadOnly: true})
		for _, on := range []tablet.Runner{db, reader} {
			got, err := rest(query(t, on, strings.Replace(series, "SELECT i FROM s", "SELECT i, hex(zeroblob(10000)) FROM s", 1), int64(3000)))
			if err != nil || len(got) != 3000 || got[2999] != 3000 {
				t.Errorf("%d rows of 3000, %v", len(got), err)
			}
		}
		must(t, reader.Rollback())
		// One that has written reads what it has written, too.
		x := begin(t, db, tablet.TxOptions{})
		write(t, x, "INSERT INTO t VALUES(0)")
		got, err := rest(query(t, x, strings.Replace(series, "SELECT i FROM s", "SELECT i, hex(zeroblob(10000)) FROM s, t", 1), int64(3000)))
		if err != nil || len(got) != 3000 || got[2999] != 3000 {
			t.Errorf("%d rows of 3000, %v", len(got), err)
		}
		must(t, x.Rollback())
	}
}

// Whatever is written while a result is read, its reader sees what was there, and
// keeps nobody waiting.
func TestOvertaken(t *testing.T) {
	w, at, ws, web := one(t, Vars{"CHUNK_ROWS": "10"})
	var open []tablet.Tx // that has the store to itself while the rows are read
	for _, c := range []struct {
		name  string
		write func(db *rpc.Tablet)
	}{
		{"a row is changed", func(db *rpc.Tablet) { write(t, db, "UPDATE t SET v = 0 WHERE v = 900") }},
		{"all rows go", func(db *rpc.Tablet) { write(t, db, "DELETE FROM t") }},
		{"the table goes", func(db *rpc.Tablet) { write(t, db, "DROP TABLE t") }},
		{"a transaction writes", func(db *rpc.Tablet) {
			open = append(open, begin(t, db, tablet.TxOptions{}))
			write(t, open[len(open)-1], "DELETE FROM t")
		}},
		{"a transaction is rolled back", func(db *rpc.Tablet) {
			x := begin(t, db, tablet.TxOptions{})
			write(t, x, "DELETE FROM t")
			must(t, x.Rollback())
		}},
		{"what is prepared commits", func(db *rpc.Tablet) {
			x := begin(t, db, tablet.TxOptions{})
			write(t, x, "DELETE FROM t")
			_, err := x.Prepare(t.Context(), "d", tablet.Target{Keyspace: "k", Shard: "elsewhere"})
			must(t, err)
			must(t, x.CommitPrepared(t.Context()))
		}},
		{"many writes", func(db *rpc.Tablet) {
			for i := range 30 {
				write(t, db, "DELETE FROM t WHERE v % 30 = ?1", int64(i))
			}
		}},
	} {
		for _, db := range []*rpc.Tablet{ws, web} {
			create(t, w, at)
			write(t, ws, "CREATE TABLE t(v)")
			write(t, ws, "INSERT INTO t "+series, int64(1000))
			reader := begin(t, db, tablet.TxOptions{ReadOnly: true})
			all := []tablet.Rows{query(t, db, "SELECT v FROM t"), query(t, reader, "SELECT v FROM t"), query(t, db, "SELECT v FROM t ORDER BY v"), query(t, db, "SELECT v FROM t")}
			row := make([]tablet.Value, 1)
			for i, rows := range all {
				for range 15 * i {
					must(t, rows.Next(row))
				}
			}
			must(t, all[3].Close()) // unread
			c.write(ws)
			for i, rows := range all[:3] {
				got, err := rest(rows)
				if err != nil || len(got) != 1000-15*i || len(got) > 0 && (got[0] != int64(15*i+1) || got[len(got)-1] != 1000) {
					t.Errorf("%s: reader %d gets %d rows, %v", c.name, i, len(got), err)
				}
			}
			must(t, reader.Rollback())
			for _, x := range open {
				must(t, x.Rollback())
			}
			open = nil
		}
	}
}

// What is left of a result and too much to be kept is given up: the write goes on.
func TestOvertakenTooFar(t *testing.T) {
	_, _, db, _ := one(t, nil)
	write(t, db, "CREATE TABLE big(v, pad)")
	write(t, db, "INSERT INTO big SELECT i, zeroblob(100000) FROM ("+series+")", int64(300))
	rows := query(t, db, "SELECT v, pad FROM big")
	must(t, rows.Next(make([]tablet.Value, 2)))
	write(t, db, "INSERT INTO t VALUES(1)")
	_, err := rest(rows)
	wantCode(t, err, tablet.CodeConflict)
	must(t, rows.Close())
	write(t, db, "DROP TABLE big")
}

// Text that isn't UTF-8 comes exactly, wherever in a result it stands.
func TestOddTextInStream(t *testing.T) {
	_, _, db, _ := one(t, Vars{"CHUNK_ROWS": "10"})
	for _, at := range []int64{1, 10, 11, 95} {
		sql := strings.Replace(series, "SELECT i FROM s", "SELECT i, CASE i WHEN ?2 THEN CAST(x'ff61' AS TEXT) ELSE 'é'||i END FROM s", 1)
		rows := query(t, db, sql, int64(100), at)
		row := make([]tablet.Value, 2)
		for i := int64(1); i <= 100; i++ {
			must(t, rows.Next(row))
			want := fmt.Sprint("é", i)
			if i == at {
				want = "\xffa"
			}
			if row[0] != i || row[1] != want {
				t.Errorf("row %d, with odd text in row %d: %q", i, at, row)
			}
		}
		must(t, rows.Close())
	}
}
