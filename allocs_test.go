//go:build !race

// The race detector drops pooled objects at random, so that allocations can't be
// counted under it.

package vitessdo

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"testing"
)

// maxPointAllocs is what a point select whose plan is cached may allocate beside
// what database/sql does.
const maxPointAllocs = 15

func TestPointSelectAllocs(t *testing.T) {
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
