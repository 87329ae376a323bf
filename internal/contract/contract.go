package contract

import (
	"errors"
	"io"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/vitessdo/vitessdo/tablet"
)

// Options says what a kind of tablets can't do.
type Options struct {
	// Buffered says that a result is computed and held as a whole, and that nothing
	// interrupts that.
	Buffered bool
	// Uninterrupted says that nothing interrupts a statement that is computed.
	Uninterrupted bool
	// JSON says that values travel as JSON: infinities, and text that isn't UTF-8, are
	// refused.
	JSON bool
	// LastRow says that an insert into a table without row IDs tells the last one that
	// another insert had.
	LastRow bool
	// Spell, of an engine that doesn't speak SQLite, gives its words for a statement.
	// What such an engine's values are, what its statements tell and which errors it
	// has it must hold itself to in words of its own.
	Spell func(sql string) string
}

// travels says whether v can be had.
func (o Options) travels(v tablet.Value) bool {
	switch v := v.(type) {
	case float64:
		return !o.JSON || !math.IsInf(v, 0)
	case string:
		return !o.JSON || utf8.ValidString(v)
	}
	return true
}

// Run tests the tablets that open makes: empty ones, with a lock wait of 100 ms.
func Run(t *testing.T, open func(t *testing.T) tablet.Tablet, o Options) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, tablet.Tablet, Options)
	}{
		{"Values", testValues}, {"Exec", testExec}, {"Errors", testErrors}, {"Streams", testStreams}, {"Endless", testEndless}, {"Transactions", testTransactions},
		{"Isolation", testIsolation}, {"Conflict", testConflict}, {"Savepoints", testSavepoints}, {"Locks", testLocks},
		{"StreamInTransaction", testStreamInTransaction}, {"Interruption", testInterruption}, {"Moments", testMoments}, {"SchemaVersion", testSchemaVersion}, {"Prepared", testPrepared},
	} {
		if o.Spell != nil && (test.name == "Values" || test.name == "Exec" || test.name == "Errors") {
			continue // they are about SQLite's own words
		}
		t.Run(test.name, func(t *testing.T) {
			db := open(t)
			if o.Spell != nil {
				db = spelled{db, db.(tablet.Snapshotter), o.Spell}
			}
			test.run(t, db, o)
		})
	}
}

// Exec runs a statement that is to succeed.
func Exec(t *testing.T, on tablet.Runner, sql string, args ...tablet.Value) tablet.Result {
	t.Helper()
	res, err := on.Exec(t.Context(), &tablet.Query{SQL: sql, Args: args})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return res
}

// Query gives all rows, as a copy.
func Query(t *testing.T, on tablet.Runner, sql string, args ...tablet.Value) [][]tablet.Value {
	t.Helper()
	rows, err := on.Query(t.Context(), &tablet.Query{SQL: sql, Args: args})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var all [][]tablet.Value
	for {
		row := make([]tablet.Value, len(rows.Columns()))
		err := rows.Next(row)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = append([]byte{}, b...)
			}
		}
		all = append(all, row)
	}
	if err := rows.Next(make([]tablet.Value, len(rows.Columns()))); err != io.EOF {
		t.Errorf("after the end Next says %v", err)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Count gives a query's only value.
func Count(t *testing.T, on tablet.Runner, sql string, args ...tablet.Value) int64 {
	t.Helper()
	n, ok := Query(t, on, sql, args...)[0][0].(int64)
	if !ok {
		t.Fatalf("%s gives no integer", sql)
	}
	return n
}

// WantCode wants an error of a code, and gives it.
func WantCode(t *testing.T, err error, code tablet.Code) *tablet.Error {
	t.Helper()
	var e *tablet.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got error %v (%s), want %s", err, tablet.CodeOf(err), code)
	}
	return e
}

// Begin begins a transaction.
func Begin(t *testing.T, on tablet.Tablet, opts tablet.TxOptions) tablet.Tx {
	t.Helper()
	x, err := on.Begin(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Must ends the test with an error.
func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const series = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s WHERE i < ?1) "
