package vitessdo

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"strings"
	"testing"
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
	mustExec(tb, db, "CREATE TABLE item (id BIGINT PRIMARY KEY, grp BIGINT, name VARCHAR(60))")
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
		mustExec(tb, db, q.String(), args...)
	}
	return db
}

func mustExec(tb testing.TB, db *sql.DB, q string, args ...any) {
	tb.Helper()
	if _, err := db.Exec(q, args...); err != nil {
		tb.Fatalf("%.80s: %v", q, err)
	}
}

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

// maxPointAllocs is what a point select whose plan is cached may allocate beside
// what database/sql does.
const maxPointAllocs = 15

func TestPointSelectAllocs(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector drops pooled objects at random: allocations aren't counted")
		return
	}
	db := openBench(t, 100)
	base := sql.OpenDB(nullConnector{})
	defer base.Close()
	for _, c := range []struct {
		name string
		open func(*testing.T, *sql.DB) func(id int64)
	}{
		{"prepared", func(t *testing.T, db *sql.DB) func(int64) {
			st, err := db.Prepare(pointSelect)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { st.Close() })
			return func(id int64) { checkPoint(t, st.QueryRow(id), id) }
		}},
		{"unprepared", func(t *testing.T, db *sql.DB) func(int64) {
			return func(id int64) { checkPoint(t, db.QueryRow(pointSelect, id), id) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			// 42 is the id that the null driver's row has.
			ours, theirs := c.open(t, db), c.open(t, base)
			got := testing.AllocsPerRun(200, func() { ours(42) })
			own := testing.AllocsPerRun(200, func() { theirs(42) })
			t.Logf("%v allocations, %v of them database/sql's", got, own)
			if got-own > maxPointAllocs {
				t.Errorf("a cached point select makes %v allocations beside the %v of database/sql; the most is %d", got-own, own, maxPointAllocs)
			}
		})
	}
}

// The null driver answers every query with one row that is there already: what
// it costs is database/sql itself.
type (
	nullConnector struct{}
	nullConn      struct{}
	nullStmt      struct{}
	nullRows      struct{ done bool }
)

var (
	nullColumns = []string{"id", "grp", "name"}
	nullRow     = []driver.Value{int64(42), int64(42), "the name of item 42"}
)

func (nullConnector) Connect(context.Context) (driver.Conn, error) { return nullConn{}, nil }
func (nullConnector) Driver() driver.Driver                        { return nil }

func (nullConn) Prepare(string) (driver.Stmt, error)        { return nullStmt{}, nil }
func (nullConn) Close() error                               { return nil }
func (nullConn) Begin() (driver.Tx, error)                  { return nil, driver.ErrSkip }
func (nullConn) CheckNamedValue(*driver.NamedValue) error   { return nil }
func (nullStmt) CheckNamedValue(*driver.NamedValue) error   { return nil }
func (nullStmt) Close() error                               { return nil }
func (nullStmt) NumInput() int                              { return 1 }
func (nullStmt) Exec([]driver.Value) (driver.Result, error) { return nil, driver.ErrSkip }
func (nullStmt) Query([]driver.Value) (driver.Rows, error)  { return nil, driver.ErrSkip }

func (nullConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &nullRows{}, nil
}

func (nullStmt) QueryContext(context.Context, []driver.NamedValue) (driver.Rows, error) {
	return &nullRows{}, nil
}

func (*nullRows) Columns() []string { return nullColumns }
func (*nullRows) Close() error      { return nil }

func (r *nullRows) Next(dest []driver.Value) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	copy(dest, nullRow)
	return nil
}
