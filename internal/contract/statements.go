package contract

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// same compares exactly, types and a zero's sign apart from which SQLite forgets.
func same(a, b tablet.Value) bool {
	if x, ok := a.([]byte); ok {
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	}
	return a == b
}

func testValues(t *testing.T, db tablet.Tablet, o Options) {
	Must(t, db.Ping(t.Context()))
	Exec(t, db, "CREATE TABLE t(v)")
	for _, v := range []tablet.Value{
		nil, int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), int64(1<<53 - 1), int64(1 << 53), int64(1<<53 + 1), int64(-1<<53 - 1),
		0.0, 5.0, -5.5, float64(1 << 53), 1e15, 1e300, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN(),
		"", "5", "5.0", "1e3", "ünï 𝄞 \x00 \u2028 \ufffd", "\xff\xfe not UTF-8", "it's \"quoted\" \\ ?1", []byte{}, []byte{0, 1, 255},
	} {
		if !o.travels(v) {
			_, err := db.Query(t.Context(), &tablet.Query{SQL: "SELECT ?1", Args: []tablet.Value{v}})
			WantCode(t, err, tablet.CodeDataType)
			continue
		}
		want := v
		if f, ok := v.(float64); ok && math.IsNaN(f) {
			want = nil
		}
		kind := map[string]string{"<nil>": "null", "int64": "integer", "float64": "real", "string": "text", "[]uint8": "blob"}[fmt.Sprintf("%T", want)]
		res := Exec(t, db, "INSERT INTO t VALUES(?1)", v)
		for _, sql := range []string{"SELECT ?1 AS a, typeof(?1) AS b", "SELECT v, typeof(v) FROM t WHERE rowid = ?2", "UPDATE t SET v = v WHERE rowid = ?2 RETURNING v, typeof(v)"} {
			got := Query(t, db, sql, v, res.LastInsertID)
			if len(got) != 1 || !same(got[0][0], want) || got[0][1] != kind {
				t.Errorf("%s: %#v (%T) came back as %#v", sql, v, v, got)
			}
		}
	}
	rows, err := db.Query(t.Context(), &tablet.Query{SQL: `SELECT 1 AS a, 2 AS a, 3 AS "b c", 4 AS "d:1", 1 + ?1`, Args: []tablet.Value{int64(1)}})
	Must(t, err)
	if got := rows.Columns(); !reflect.DeepEqual(got, []string{"a", "a", "b c", "d:1", "1 + ?1"}) {
		t.Errorf("columns %q", got)
	}
	Must(t, rows.Close())
	// A parameter has no affinity, and may be used in any order and number.
	Exec(t, db, "CREATE TABLE k(s TEXT, n INTEGER, d)")
	Exec(t, db, "INSERT INTO k VALUES('007', 7, 7)")
	for _, c := range []struct {
		where string
		want  int64
	}{
		{"s = ?1", 0}, {"s = ?2", 1}, {"n = ?1", 1}, {"n = ?3", 1}, {"d = ?1", 1}, {"d = ?3", 0}, {"?1 = ?3", 0}, {"s = ?2 AND n = ?1 AND d = ?1 AND ?2 = s", 1},
		{"n IN (?1, ?3)", 1}, {"n BETWEEN -?1 AND ?1", 1}, {"'?1' <> ?3 AND s /* ?9 */ = ?2 -- ?8", 1},
	} {
		if got := Count(t, db, "SELECT count(*) FROM k WHERE "+c.where, int64(7), "007", "7"); got != c.want {
			t.Errorf("%s: got %d, want %d", c.where, got, c.want)
		}
	}
}

func testExec(t *testing.T, db tablet.Tablet, o Options) {
	Exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT UNIQUE, n INTEGER NOT NULL DEFAULT 0)")
	Exec(t, db, "CREATE TABLE w(k TEXT PRIMARY KEY) WITHOUT ROWID")
	for _, c := range []struct {
		sql  string
		want tablet.Result
	}{
		{"INSERT INTO t(v) VALUES('a'), ('b')", tablet.Result{RowsAffected: 2, LastInsertID: 2}},
		{"INSERT INTO t(v) VALUES('b') ON CONFLICT DO NOTHING", tablet.Result{LastInsertID: tablet.NoRowID}},
		{"INSERT INTO t(v) VALUES('b') ON CONFLICT(v) DO UPDATE SET n = 1", tablet.Result{RowsAffected: 1, LastInsertID: tablet.NoRowID}},
		{"INSERT INTO t(v) VALUES('c') ON CONFLICT(v) DO UPDATE SET n = 1", tablet.Result{RowsAffected: 1, LastInsertID: 3}},
		{"INSERT INTO t(id, v) VALUES(9007199254740993, 'd')", tablet.Result{RowsAffected: 1, LastInsertID: 9007199254740993}},
		{"INSERT INTO w VALUES('x')", tablet.Result{RowsAffected: 1, LastInsertID: tablet.NoRowID}},
		{"REPLACE INTO t(id, v) VALUES(3, 'c')", tablet.Result{RowsAffected: 1, LastInsertID: 3}},
		{"INSERT INTO t(v) SELECT v FROM t WHERE 0", tablet.Result{LastInsertID: tablet.NoRowID}},
		{"UPDATE t SET n = n + 1", tablet.Result{RowsAffected: 4}},
		{"UPDATE t SET n = n + 1 WHERE 0", tablet.Result{}},
		{"DELETE FROM t WHERE id > 3", tablet.Result{RowsAffected: 1}},
		{"CREATE INDEX i ON t(n)", tablet.Result{}},
	} {
		res := Exec(t, db, c.sql)
		if o.LastRow && c.sql == "INSERT INTO w VALUES('x')" {
			res.LastInsertID = c.want.LastInsertID
		}
		if !reflect.DeepEqual(res, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.sql, res, c.want)
		}
	}
	res, err := db.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t(v) VALUES(?1)", Args: []tablet.Value{"e", "f", "g"}, Batch: 3})
	Must(t, err)
	if !reflect.DeepEqual(res, tablet.Result{RowsAffected: 3, LastInsertID: 6, Changed: []int64{1, 1, 1}, InsertIDs: []int64{4, 5, 6}}) {
		t.Errorf("got %+v", res)
	}
	if got := Query(t, db, "DELETE FROM t WHERE id > 3 RETURNING id, v AS name, *"); len(got) != 3 || !reflect.DeepEqual(got[0], []tablet.Value{int64(4), "e", int64(4), "e", int64(0)}) {
		t.Errorf("got %v", got)
	}
	// A batch is done as a whole or not at all.
	_, err = db.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t(v) VALUES(?1)", Args: []tablet.Value{"h", "a"}, Batch: 2})
	WantCode(t, err, tablet.CodeUnique)
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 3 {
		t.Errorf("%d rows are there", got)
	}
}

func testErrors(t *testing.T, db tablet.Tablet, _ Options) {
	Exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT UNIQUE, n INTEGER NOT NULL DEFAULT 0, CONSTRAINT few CHECK (n < 10))")
	Exec(t, db, "CREATE TABLE two(a, b, PRIMARY KEY(a, b))")
	Exec(t, db, "CREATE TABLE strict(i INTEGER) STRICT")
	Exec(t, db, "INSERT INTO t(v) VALUES('a')")
	Exec(t, db, "INSERT INTO two VALUES(1, 2)")
	for _, c := range []struct {
		sql        string
		code       tablet.Code
		table      string
		columns    []string
		constraint string
	}{
		{"INSERT INTO t(v) VALUES('a')", tablet.CodeUnique, "t", []string{"v"}, ""},
		{"INSERT INTO t(id) VALUES(1)", tablet.CodeUnique, "t", []string{"id"}, ""},
		{"INSERT INTO two VALUES(1, 2)", tablet.CodeUnique, "two", []string{"a", "b"}, ""},
		{"INSERT INTO t(n) VALUES(NULL)", tablet.CodeNotNull, "t", []string{"n"}, ""},
		{"INSERT INTO t(n) VALUES(10)", tablet.CodeCheck, "", nil, "few"},
		{"INSERT INTO strict VALUES('x')", tablet.CodeDataType, "strict", []string{"i"}, ""},
		{"INSERT INTO t(absent) VALUES(1)", tablet.CodeNoColumn, "t", []string{"absent"}, ""},
		{"SELECT absent FROM t", tablet.CodeNoColumn, "", []string{"absent"}, ""},
		{"SELECT * FROM absent", tablet.CodeNoTable, "absent", nil, ""},
		{"CREATE TABLE t(x)", tablet.CodeTableExists, "t", nil, ""},
		{"SELEC 1", tablet.CodeSyntax, "", nil, ""},
		{"SELECT abs(-9223372036854775807 - 1)", tablet.CodeOutOfRange, "", nil, ""},
		{"COMMIT", tablet.CodeUnsupported, "", nil, ""},
	} {
		for name, run := range map[string]func() error{
			"Exec": func() error { _, err := db.Exec(t.Context(), &tablet.Query{SQL: c.sql}); return err },
			"Query": func() error {
				rows, err := db.Query(t.Context(), &tablet.Query{SQL: c.sql})
				if err == nil {
					err = rows.Next(make([]tablet.Value, len(rows.Columns())))
					err = errors.Join(err, rows.Close())
				}
				return err
			},
		} {
			err := run()
			var e *tablet.Error
			if !errors.As(err, &e) || e.Code != c.code {
				t.Errorf("%s %s: got error %v (%s), want %s", name, c.sql, err, tablet.CodeOf(err), c.code)
				continue
			}
			if e.Target != db.Target() || e.Table != c.table || !reflect.DeepEqual(e.Columns, c.columns) || e.Constraint != c.constraint || e.Retryable() ||
				strings.Contains(e.Message, "shard "+db.Target().Keyspace) {
				t.Errorf("%s %s: got %+v", name, c.sql, e)
			}
		}
	}
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 1 {
		t.Errorf("%d rows are there", got)
	}
}

func testStreams(t *testing.T, db tablet.Tablet, _ Options) {
	got := Query(t, db, series+"SELECT i, 'row ' || i FROM s", int64(10000))
	if len(got) != 10000 {
		t.Fatalf("got %d rows", len(got))
	}
	for i, row := range got {
		if row[0] != int64(i+1) || row[1] != fmt.Sprintf("row %d", i+1) {
			t.Fatalf("row %d is %v", i, row)
		}
	}
	// A write with RETURNING is done when its rows are closed, read or not.
	Exec(t, db, "CREATE TABLE t(i INTEGER)")
	rows, err := db.Query(t.Context(), &tablet.Query{SQL: "INSERT INTO t " + series + "SELECT i FROM s WHERE true RETURNING i", Args: []tablet.Value{int64(5000)}})
	Must(t, err)
	row := make([]tablet.Value, 1)
	Must(t, rows.Next(row))
	Must(t, rows.Close())
	Must(t, rows.Close())
	if err := rows.Next(row); err == nil {
		t.Error("a closed stream gives rows")
	}
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 5000 {
		t.Errorf("%d rows are there after Close", got)
	}
}

func testEndless(t *testing.T, db tablet.Tablet, o Options) {
	row := make([]tablet.Value, 1)
	if o.Buffered {
		_, err := db.Query(t.Context(), &tablet.Query{SQL: series + "SELECT hex(zeroblob(1000)) FROM s", Args: []tablet.Value{int64(1) << 40}})
		WantCode(t, err, tablet.CodeTooBig)
		return
	}
	// Closed in the middle, twice.
	rows, err := db.Query(t.Context(), &tablet.Query{SQL: series + "SELECT i FROM s", Args: []tablet.Value{int64(1) << 40}})
	Must(t, err)
	for range 3000 {
		Must(t, rows.Next(row))
	}
	Must(t, rows.Close())
	Must(t, rows.Close())
	if err := rows.Next(row); err == nil {
		t.Error("a closed stream gives rows")
	}
	// One that fails in the middle says so again.
	rows, err = db.Query(t.Context(), &tablet.Query{SQL: series + "SELECT CASE WHEN i = 4000 THEN abs(-9223372036854775807 - 1) ELSE i END FROM s", Args: []tablet.Value{int64(9000)}})
	Must(t, err)
	for err == nil {
		err = rows.Next(row)
	}
	WantCode(t, err, tablet.CodeOutOfRange)
	if again := rows.Next(row); again == nil || again.Error() != err.Error() {
		t.Errorf("then it says %v", again)
	}
	Must(t, rows.Close())
}
