//go:build !nonode

package workerd

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// What statements and transactions cost over a WebSocket and two objects.
func BenchmarkWorker(b *testing.B) {
	w := Start(b, nil)
	at := tablet.Target{Keyspace: "ks", Shard: "-"}
	create(b, w, at)
	db := open(b, connect(b, w, "ws"), at)
	exec := func(on tablet.Runner, sql string, args ...tablet.Value) {
		_, err := on.Exec(b.Context(), &tablet.Query{SQL: sql, Args: args})
		must(b, err)
	}
	exec(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
	exec(db, "INSERT INTO t VALUES(1, 'x')")
	query := func(b *testing.B, sql string, args ...tablet.Value) {
		rows, err := db.Query(b.Context(), &tablet.Query{SQL: sql, Args: args})
		must(b, err)
		row := make([]tablet.Value, len(rows.Columns()))
		for rows.Next(row) == nil {
		}
		must(b, rows.Close())
	}
	b.Run("PointSelect", func(b *testing.B) {
		for b.Loop() {
			query(b, "SELECT v FROM t WHERE id = ?1", int64(1))
		}
	})
	b.Run("PointSelectParallel", func(b *testing.B) {
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				query(b, "SELECT v FROM t WHERE id = ?1", int64(1))
			}
		})
	})
	b.Run("Rows10000", func(b *testing.B) {
		for b.Loop() {
			query(b, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s WHERE i < 10000) SELECT i, 'row ' || i FROM s")
		}
	})
	b.Run("Insert", func(b *testing.B) {
		for b.Loop() {
			exec(db, "INSERT INTO t(v) VALUES(?1)", int64(1))
		}
	})
	var n atomic.Int64
	b.Run("InsertParallel", func(b *testing.B) {
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				exec(db, "INSERT INTO t(v) VALUES(?1)", n.Add(1))
			}
		})
	})
	for _, size := range []int{1, 10, 100} {
		b.Run(fmt.Sprint("Transaction", size), func(b *testing.B) {
			for b.Loop() {
				x, err := db.Begin(b.Context(), tablet.TxOptions{})
				must(b, err)
				for i := range size {
					exec(x, "INSERT INTO t(v) VALUES(?1)", int64(i))
				}
				must(b, x.Commit(b.Context()))
			}
		})
	}
}
