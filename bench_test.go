package vitessdo

import (
	"database/sql"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitessdo/vitessdo/internal/remotetest"
)

// benchRows is the number of rows that point selects choose from.
const benchRows = 20000

// openBench makes a table of rows in a directory of four shards.
func openBench(tb testing.TB, rows int) *sql.DB {
	tb.Helper()
	db, err := sql.Open("vitessdo", "file:"+tb.TempDir()+"/data?shards=4&synchronous=normal")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	do(tb, db, createItem)
	const chunk = 500
	for at := 0; at < rows; at += chunk {
		n := min(chunk, rows-at)
		var q strings.Builder
		q.WriteString("INSERT INTO item (id, grp, name) VALUES ")
		args := make([]any, 0, 3*n)
		for i := range n {
			if i > 0 {
				q.WriteString(", ")
			}
			q.WriteString("(?, ?, ?)")
			args = append(args, at+i, (at+i)%100, fmt.Sprintf("the name of item %d", at+i))
		}
		do(tb, db, q.String(), args...)
	}
	return db
}

const createItem = "CREATE TABLE item (id BIGINT PRIMARY KEY, grp BIGINT, name VARCHAR(60))"

const pointSelect = "SELECT id, grp, name FROM item WHERE id = ?"

type rowScanner interface{ Scan(dest ...any) error }

// checkPoint reads the row of id.
func checkPoint(tb testing.TB, row rowScanner, id int64) {
	var got, grp int64
	var name string
	if err := row.Scan(&got, &grp, &name); err != nil {
		tb.Fatal(err)
	}
	if got != id || grp != id%100 {
		tb.Fatalf("asked for id %d, got id %d of group %d", id, got, grp)
	}
}

func BenchmarkPointSelectPrepared(b *testing.B) {
	db := openBench(b, benchRows)
	st, err := db.Prepare(pointSelect)
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	b.ReportAllocs()
	id := int64(0)
	for b.Loop() {
		id = (id + 7919) % benchRows
		checkPoint(b, st.QueryRow(id), id)
	}
}

func BenchmarkPointSelectUnprepared(b *testing.B) {
	db := openBench(b, benchRows)
	b.ReportAllocs()
	id := int64(0)
	for b.Loop() {
		id = (id + 7919) % benchRows
		checkPoint(b, db.QueryRow(pointSelect, id), id)
	}
}

func BenchmarkPointSelectLiteral(b *testing.B) {
	db := openBench(b, benchRows)
	texts := make([]string, benchRows)
	for i := range texts {
		texts[i] = fmt.Sprintf("SELECT id, grp, name FROM item WHERE id = %d", i)
	}
	b.ReportAllocs()
	id := int64(0)
	for b.Loop() {
		id = (id + 7919) % benchRows
		checkPoint(b, db.QueryRow(texts[id]), id)
	}
}

func BenchmarkPointSelectParallel(b *testing.B) {
	db := openBench(b, benchRows)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for id := int64(0); pb.Next(); id = (id + 7919) % benchRows {
			checkPoint(b, db.QueryRow(pointSelect, id), id)
		}
	})
}

// BenchmarkPlanCacheHit looks a plan up that the session has, that only the
// database has, and that a text with literals shares with others.
func BenchmarkPlanCacheHit(b *testing.B) {
	s := benchSession(b)
	literal := "SELECT id, grp, name FROM item WHERE id = 12345"
	for _, c := range []struct {
		name, text string
		forget     bool
	}{{"session", pointSelect, false}, {"database", pointSelect, true}, {"literal", literal, false}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c.forget {
					delete(s.local, c.text)
					clear(s.literals)
				}
				if _, _, err := s.prepare(c.text, c.text == literal); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPlanUncached parses and plans a point select.
func BenchmarkPlanUncached(b *testing.B) {
	s := benchSession(b)
	s.snap = s.cl.state.Load()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.makePlan(pointSelect, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// benchSession gives the session of a connection to a database in memory.
func benchSession(tb testing.TB) *session {
	tb.Helper()
	cfg, err := ParseDSN(":memory:?shards=4")
	if err != nil {
		tb.Fatal(err)
	}
	connector, err := NewConnector(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	db := sql.OpenDB(connector)
	tb.Cleanup(func() { db.Close() })
	do(tb, db, createItem)
	conn, err := connector.Connect(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return conn.(*Conn).s
}

func BenchmarkInsert(b *testing.B) {
	db := openBench(b, 0)
	b.ReportAllocs()
	id := int64(0)
	for b.Loop() {
		id++
		if _, err := db.Exec("INSERT INTO item (id, grp, name) VALUES (?, ?, ?)", id, id%100, "some name"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInsertRows inserts 500 rows by one statement.
func BenchmarkInsertRows(b *testing.B) {
	db := openBench(b, 0)
	const rows = 500
	text := "INSERT INTO item (id, grp, name) VALUES (?, ?, ?)" + strings.Repeat(", (?, ?, ?)", rows-1)
	args := make([]any, 3*rows)
	b.ReportAllocs()
	id := int64(0)
	for b.Loop() {
		for i := range rows {
			id++
			args[3*i], args[3*i+1], args[3*i+2] = id, id%100, "some name"
		}
		do(b, db, text, args...)
	}
}

// BenchmarkInsertInTx inserts row by row in one transaction.
func BenchmarkInsertInTx(b *testing.B) {
	db := openBench(b, 0)
	tx, err := db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	st, err := tx.Prepare("INSERT INTO item (id, grp, name) VALUES (?, ?, ?)")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	id := int64(0)
	for b.Loop() {
		id++
		if _, err := st.Exec(id, id%100, "some name"); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Rollback(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLoadInTx loads 20000 rows, row by row, in a transaction over all
// shards.
func BenchmarkLoadInTx(b *testing.B) {
	db := openBench(b, 0)
	b.ReportAllocs()
	id := int64(0)
	for b.Loop() {
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		st, err := tx.Prepare("INSERT INTO item (id, grp, name) VALUES (?, ?, ?)")
		if err != nil {
			b.Fatal(err)
		}
		for range 20000 {
			id++
			if _, err := st.Exec(id, id%100, "some name"); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTransaction updates two rows, on two shards three times out of four.
func BenchmarkTransaction(b *testing.B) {
	db := openBench(b, 1000)
	b.ReportAllocs()
	id := int64(0)
	for b.Loop() {
		id = (id + 1) % 500
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		for _, k := range [...]int64{id, id + 500} {
			if _, err := tx.Exec("UPDATE item SET grp = grp + 1 WHERE id = ?", k); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScatterCount(b *testing.B) {
	db := openBench(b, benchRows)
	b.ReportAllocs()
	for b.Loop() {
		var n int64
		if err := db.QueryRow("SELECT COUNT(*) FROM item WHERE grp < ?", 50).Scan(&n); err != nil {
			b.Fatal(err)
		}
		if n != benchRows/2 {
			b.Fatalf("counted %d rows, there are %d", n, benchRows/2)
		}
	}
}

// BenchmarkMoment reads all shards as of one moment while writers commit without a
// pause, every commit made durable: four to one shard each, or two over two shards.
func BenchmarkMoment(b *testing.B) {
	for _, writers := range []struct {
		name   string
		shards int // of each commit
	}{{"nobody writes", 0}, {"single shards", 1}, {"pairs of shards", 2}} {
		b.Run(writers.name, func(b *testing.B) {
			db := openDB(b, "file:"+b.TempDir()+"/data?shards=4&synchronous=full")
			accounts(b, db, 20)
			ids := idsOn(b, db, "acc", 4)
			var stop atomic.Bool
			var work sync.WaitGroup
			for i := 0; writers.shards > 0 && i < len(ids); i += writers.shards {
				first, last := ids[i], ids[i+writers.shards-1]
				work.Go(func() {
					for !stop.Load() {
						if _, err := db.Exec("UPDATE acc SET bal = bal + 1 WHERE id IN (?, ?)", first, last); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				var sum int
				if err := db.QueryRow("SELECT SUM(bal) FROM acc").Scan(&sum); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			stop.Store(true)
			work.Wait()
		})
	}
}

func BenchmarkScatterOrderBy(b *testing.B) {
	db := openBench(b, benchRows)
	b.ReportAllocs()
	for b.Loop() {
		rows, err := db.Query("SELECT id, grp, name FROM item ORDER BY id")
		if err != nil {
			b.Fatal(err)
		}
		n := int64(0)
		for ; rows.Next(); n++ {
			checkPoint(b, rows, n)
		}
		if err := rows.Close(); err != nil || n != benchRows {
			b.Fatalf("read %d of %d rows: %v", n, benchRows, err)
		}
	}
}

// BenchmarkRemote: what the wire costs, against the same database in this process.
func BenchmarkRemote(b *testing.B) {
	for _, where := range []string{"embedded", "ws", "http"} {
		dsn := ":memory:?shards=4"
		if where != "embedded" {
			s := remotetest.Start("")
			b.Cleanup(s.Close)
			dsn = s.DSN(where, "shards=4")
		}
		db := openDB(b, dsn)
		do(b, db, "CREATE TABLE t (id INT PRIMARY KEY, v INT)")
		for i := range 100 {
			do(b, db, "INSERT INTO t VALUES (?, 0)", i)
		}
		ids := idsOn(b, db, "t", 2)
		c := pin(b, db)
		b.Run("point/"+where, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				var v int
				if err := c.QueryRowContext(bg, "SELECT v FROM t WHERE id = ?", i%100).Scan(&v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("scatter/"+where, func(b *testing.B) {
			for range b.N {
				want(b, c, "100", "SELECT COUNT(*) FROM t")
			}
		})
		b.Run("two shards/"+where, func(b *testing.B) {
			for range b.N {
				do(b, c, "BEGIN")
				do(b, c, "UPDATE t SET v = v + 1 WHERE id = ?", ids[0])
				do(b, c, "UPDATE t SET v = v + 1 WHERE id = ?", ids[1])
				do(b, c, "COMMIT")
			}
		})
	}
}

// BenchmarkRemoteRows reads a million rows of four shards, in no order. Memory is the
// heap's highest while they are read, of gate and server together.
func BenchmarkRemoteRows(b *testing.B) {
	const rows = 1 << 20
	for _, where := range []string{"embedded", "ws", "http"} {
		dsn := ":memory:?shards=4"
		if where != "embedded" {
			s := remotetest.Start("")
			b.Cleanup(s.Close)
			dsn = s.DSN(where, "shards=4")
		}
		db := openDB(b, dsn)
		do(b, db, "CREATE TABLE t (id INT PRIMARY KEY, v INT, s VARCHAR(20))")
		do(b, db, "INSERT INTO t VALUES (0, 1, 'some text of it')")
		for n := 1; n < rows; n *= 2 {
			do(b, db, fmt.Sprintf("INSERT INTO t SELECT id + %d, v, s FROM t", n))
		}
		b.Run(where, func(b *testing.B) {
			var before, now runtime.MemStats
			most := uint64(0)
			for range b.N {
				runtime.GC()
				runtime.ReadMemStats(&before)
				found, err := db.Query("SELECT id, v, s FROM t")
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for ; found.Next(); n++ {
					if n%50_000 == 0 {
						runtime.ReadMemStats(&now)
						most = max(most, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
					}
				}
				if err := found.Err(); err != nil || n != rows {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(most)/(1<<20), "MB")
		})
		_ = db.Close()
	}
}

// What no shard is needed for: health checks and questions about the session.
func BenchmarkWithoutTables(b *testing.B) {
	for _, c := range []struct {
		name, sql string
		args      []any
	}{
		{"One", "SELECT 1", nil},
		{"Argument", "SELECT ? + 1", []any{41}},
		{"Session", "SELECT LAST_INSERT_ID(), @@autocommit, NOW()", nil},
		{"Recursion", "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT SUM(i) FROM n", nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			db := openBench(b, 1)
			ask := func(b *testing.B) {
				rows, err := db.Query(c.sql, c.args...)
				if err != nil {
					b.Fatal(err)
				}
				for rows.Next() {
				}
				if err := rows.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.Run("Alone", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					ask(b)
				}
			})
			b.Run("Parallel", func(b *testing.B) {
				b.SetParallelism(8)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						ask(b)
					}
				})
			})
		})
	}
}
