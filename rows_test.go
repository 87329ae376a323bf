package vitessdo

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// columnKinds has every MySQL type with a value, as it comes back.
var columnKinds = []struct {
	decl, literal, name, text string
}{
	{"TINYINT", "-128", "TINYINT", "-128"},
	{"TINYINT UNSIGNED", "255", "UNSIGNED TINYINT", "255"},
	{"BOOL", "TRUE", "TINYINT", "1"},
	{"SMALLINT", "-32768", "SMALLINT", "-32768"},
	{"MEDIUMINT", "8388607", "MEDIUMINT", "8388607"},
	{"INT", "-2147483648", "INT", "-2147483648"},
	{"INT UNSIGNED", "4294967295", "UNSIGNED INT", "4294967295"},
	{"BIGINT", "-9223372036854775808", "BIGINT", "-9223372036854775808"},
	{"BIGINT UNSIGNED", "9223372036854775807", "UNSIGNED BIGINT", "9223372036854775807"},
	{"FLOAT", "1.5", "FLOAT", "1.5"},
	{"DOUBLE", "2.25", "DOUBLE", "2.25"},
	{"DECIMAL(10,2)", "12.5", "DECIMAL", "12.50"},
	{"DECIMAL(10,0)", "7", "DECIMAL", "7"},
	{"BIT(8)", "5", "BIT", ""},
	{"CHAR(5)", "'abc'", "CHAR", "abc"},
	{"VARCHAR(50)", "'text'", "VARCHAR", "text"},
	{"TINYTEXT", "'tt'", "TINYTEXT", "tt"},
	{"TEXT", "'long'", "TEXT", "long"},
	{"MEDIUMTEXT", "'mt'", "MEDIUMTEXT", "mt"},
	{"LONGTEXT", "'lt'", "LONGTEXT", "lt"},
	{"BINARY(3)", "x'414243'", "BINARY", "ABC"},
	{"VARBINARY(9)", "x'0041'", "VARBINARY", "\x00A"},
	{"TINYBLOB", "x'41'", "TINYBLOB", "A"},
	{"BLOB", "x'4142'", "BLOB", "AB"},
	{"LONGBLOB", "x'42'", "LONGBLOB", "B"},
	{"DATE", "'2024-02-29'", "DATE", "2024-02-29 00:00:00"},
	{"DATETIME", "'2024-02-29 12:30:45'", "DATETIME", "2024-02-29 12:30:45"},
	{"DATETIME(6)", "'2024-02-29 12:30:45.123456'", "DATETIME", "2024-02-29 12:30:45.123456"},
	{"TIMESTAMP NULL", "'2024-02-29 12:30:45'", "TIMESTAMP", "2024-02-29 12:30:45"},
	{"TIME", "'-12:30:45'", "TIME", "-12:30:45"},
	{"YEAR", "2024", "YEAR", "2024"},
	{"ENUM('a','b')", "'b'", "ENUM", "b"},
	{"SET('x','y')", "'x,y'", "SET", "x,y"},
	{"JSON", `'{"a": [1, 2]}'`, "JSON", `{"a": [1, 2]}`},
}

// TestColumnTypes scans every type's values, NULL too, into what ScanType says.
func TestColumnTypes(t *testing.T) {
	for _, options := range []string{"", "parse_time=false"} {
		db := memDB(t, options)
		for i, k := range columnKinds {
			table := fmt.Sprintf("t%d", i)
			notNull := strings.TrimSuffix(k.decl, " NULL") + " NOT NULL"
			do(t, db, fmt.Sprintf("CREATE TABLE %s (id BIGINT PRIMARY KEY, n %s, m %s)", table, k.decl, notNull))
			do(t, db, fmt.Sprintf("INSERT INTO %s VALUES (1, %s, %s), (2, NULL, %s)", table, k.literal, k.literal, k.literal))
			rows, err := db.Query("SELECT n, m FROM " + table + " ORDER BY id")
			if err != nil {
				t.Errorf("%s: %v", k.decl, err)
				continue
			}
			types, err := rows.ColumnTypes()
			if err != nil {
				t.Fatal(err)
			}
			checkKind(t, rows, types, k.decl, k.name)
			rows.Close()
			if k.text != "" && options == "" {
				want(t, db, k.text, "SELECT m FROM "+table+" WHERE id = 1")
			}
		}
	}
}

func checkKind(t *testing.T, rows *sql.Rows, types []*sql.ColumnType, decl, name string) {
	t.Helper()
	for i, ct := range types {
		if ct.DatabaseTypeName() != name {
			t.Errorf("%s: DatabaseTypeName is %q, want %q", decl, ct.DatabaseTypeName(), name)
		}
		if nullable, ok := ct.Nullable(); !ok || nullable != (i == 0) {
			t.Errorf("%s: column %d: Nullable is %v, %v", decl, i, nullable, ok)
		}
	}
	if n, _, ok := types[0].DecimalSize(); ok != (name == "DECIMAL" || name == "TIME" || name == "DATETIME" || name == "TIMESTAMP") {
		t.Errorf("%s: DecimalSize is %d, %v", decl, n, ok)
	}
	for n := 0; rows.Next(); n++ {
		ptrs := make([]any, 2)
		for i := range ptrs {
			st := types[i].ScanType()
			if st == nil {
				t.Fatalf("%s: no ScanType", decl)
			}
			ptrs[i] = reflect.New(st).Interface()
		}
		if err := rows.Scan(ptrs...); err != nil {
			t.Errorf("%s: row %d into %v, %v: %v", decl, n, types[0].ScanType(), types[1].ScanType(), err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Errorf("%s: %v", decl, err)
	}
}

func TestColumnLengthAndScale(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(50), b VARBINARY(16), x TEXT, d DECIMAL(12,3), s DATETIME(6))")
	rows, err := db.Query("SELECT * FROM t")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := types[0].Length(); ok {
		t.Error("a BIGINT has a length")
	}
	for i, n := range map[int]int64{1: 50, 2: 16} {
		if got, ok := types[i].Length(); got != n || !ok {
			t.Errorf("column %d: length %d, %v; want %d", i, got, ok, n)
		}
	}
	if n, ok := types[3].Length(); !ok || n < 65535 {
		t.Errorf("TEXT: length %d, %v", n, ok)
	}
	if p, s, ok := types[4].DecimalSize(); p != 12 || s != 3 || !ok {
		t.Errorf("DECIMAL(12,3): %d, %d, %v", p, s, ok)
	}
	if p, s, ok := types[5].DecimalSize(); p != 6 || s != 6 || !ok {
		t.Errorf("DATETIME(6): %d, %d, %v", p, s, ok)
	}
	want(t, db, "", "SELECT * FROM t")
}

func TestExpressionTypes(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT, d DECIMAL(10,2), c VARCHAR(9), w DATETIME)", "INSERT INTO t VALUES (1, 2, 3.5, 'x', '2024-01-02 03:04:05'), (2, NULL, NULL, NULL, NULL), (3, 1, 1, 'y', '2023-01-01')")
	for _, query := range []string{
		"SELECT COUNT(*), SUM(v), AVG(v), MIN(c), MAX(w), SUM(d) FROM t", "SELECT v + 1, v / 2, d * 2, CONCAT(c, 'z'), w FROM t ORDER BY id",
		"SELECT NULL, 1, 1.5, 1e3, 'x', x'41', TRUE, NOW(), CURDATE()", "SELECT MAX(v) FROM t WHERE id > 99", "SELECT CASE WHEN v > 1 THEN 'a' ELSE NULL END, IFNULL(v, 0), COALESCE(d, 0) FROM t",
		"SELECT (SELECT MAX(w) FROM t), EXISTS (SELECT 1 FROM t) FROM t", "SELECT a.v, b.w FROM t a LEFT JOIN t b ON b.id = a.id + 100",
		"SELECT v FROM t UNION SELECT c FROM t", "SHOW TABLES", "EXPLAIN FORMAT='vitess' SELECT 1", "SELECT VERSION(), DATABASE(), @@autocommit, @x",
	} {
		rows, err := db.Query(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		types, _ := rows.ColumnTypes()
		for rows.Next() {
			ptrs := make([]any, len(types))
			for i := range ptrs {
				ptrs[i] = reflect.New(types[i].ScanType()).Interface()
			}
			if err := rows.Scan(ptrs...); err != nil {
				t.Errorf("%s: %v", query, err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Errorf("%s: %v", query, err)
		}
		rows.Close()
	}
}

func TestIntegersAreExact(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT)")
	for i, n := range []int64{math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, 1<<53 + 1, -(1<<53 + 1), 0, -1} {
		do(t, db, "INSERT INTO t VALUES (?, ?)", n, n)
		var id, v int64
		if err := db.QueryRow("SELECT id, v FROM t WHERE id = ?", n).Scan(&id, &v); err != nil || id != n || v != n {
			t.Errorf("%d: %d: %d, %d, %v", i, n, id, v, err)
		}
		want(t, db, fmt.Sprint(n), fmt.Sprintf("SELECT v FROM t WHERE id = %d", n))
		want(t, db, fmt.Sprint(n), fmt.Sprintf("SELECT v FROM t WHERE id = '%d'", n))
	}
	want(t, db, "9223372036854775807|-9223372036854775808", "SELECT MAX(v), MIN(v) FROM t")
	_, err := db.Exec("INSERT INTO t VALUES (5, ?)", uint64(math.MaxUint64))
	wantCode(t, err, CodeValueRange, "an integer above 2^63")
}

// TestBytesAreTheCallers changes what it was given and sees no effect.
func TestBytesAreTheCallers(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, b BLOB, s VARCHAR(20))")
	in := []byte("\x00one\xff")
	do(t, db, "INSERT INTO t VALUES (1, ?, 'a'), (2, ?, 'b'), (3, '', 'c'), (4, NULL, NULL)", in, []byte("two"))
	in[0] = 'X'
	rows, err := db.Query("SELECT b, s FROM t ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var kept [][]byte
	for rows.Next() {
		var b []byte
		var a any
		if err := rows.Scan(&b, &a); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, b)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(kept, [][]byte{[]byte("\x00one\xff"), []byte("two"), {}, nil}) {
		t.Errorf("blobs: %q", kept)
	}
	var dest any
	if err := db.QueryRow("SELECT b FROM t WHERE id = 2").Scan(&dest); err != nil {
		t.Fatal(err)
	}
	if b, ok := dest.([]byte); !ok || string(b) != "two" {
		t.Errorf("a BLOB comes as %T %v", dest, dest)
	}
	rows, err = db.Query("SELECT b FROM t WHERE id <= 2 ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var raw sql.RawBytes
	for i := 0; rows.Next(); i++ {
		if err := rows.Scan(&raw); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(raw, kept[i]) {
			t.Errorf("raw bytes %q, want %q", raw, kept[i])
		}
	}
	big := bytes.Repeat([]byte{0, 1, 2, 250}, 1<<18)
	do(t, db, "INSERT INTO t (id, b) VALUES (9, ?)", big)
	var got []byte
	if err := db.QueryRow("SELECT b FROM t WHERE id = 9").Scan(&got); err != nil || !bytes.Equal(got, big) {
		t.Errorf("a blob of 1 MB comes back with %d bytes, %v", len(got), err)
	}
}

func TestTimes(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	moment := time.Date(2024, 7, 1, 12, 0, 0, 250000000, time.UTC)
	for _, tc := range []struct {
		options string
		loc     *time.Location
	}{{"", time.UTC}, {"loc=Europe%2FBerlin", berlin}} {
		db := memDB(t, tc.options, "CREATE TABLE t (id BIGINT PRIMARY KEY, w DATETIME(6), d DATE, s TIMESTAMP(3) NULL)")
		do(t, db, "INSERT INTO t VALUES (1, ?, ?, ?)", moment, moment, moment)
		var w, s, d time.Time
		if err := db.QueryRow("SELECT w, d, s FROM t WHERE w = ?", moment).Scan(&w, &d, &s); err != nil {
			t.Fatal(err)
		}
		if !w.Equal(moment) || w.Location().String() != tc.loc.String() || !s.Equal(moment) {
			t.Errorf("%s: %v, %v; want %v in %v", tc.options, w, s, moment, tc.loc)
		}
		if want := time.Date(2024, 7, 1, 0, 0, 0, 0, tc.loc); !d.Equal(want) {
			t.Errorf("%s: date %v, want %v", tc.options, d, want)
		}
		var m time.Time
		if err := db.QueryRow("SELECT MAX(w) FROM t").Scan(&m); err != nil || !m.Equal(moment) {
			t.Errorf("%s: MAX gives %v, %v", tc.options, m, err)
		}
		var now time.Time
		if err := db.QueryRow("SELECT NOW()").Scan(&now); err != nil || time.Since(now).Abs() > time.Minute {
			t.Errorf("%s: NOW() is %v, %v", tc.options, now, err)
		}
	}
	db := memDB(t, "parse_time=false", "CREATE TABLE t (id BIGINT PRIMARY KEY, w DATETIME)", "INSERT INTO t VALUES (1, '2024-01-02 03:04:05')")
	var v any
	if err := db.QueryRow("SELECT w FROM t").Scan(&v); err != nil || textOf(v) != "2024-01-02 03:04:05" {
		t.Errorf("parse_time=false: %T %v, %v", v, v, err)
	}
	if _, ok := v.(time.Time); ok {
		t.Error("parse_time=false gives a time.Time")
	}
}

func TestRowsInterleaved(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)")
	for i := range 50 {
		do(t, db, "INSERT INTO t VALUES (?, ?)", i, i)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	a, err := tx.Query("SELECT id FROM t ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var seen []int
	for a.Next() {
		var id int
		if err := a.Scan(&id); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, id)
		if id%10 == 0 { // another result and a write beside the open one
			b, err := tx.Query("SELECT id FROM t WHERE id > ? ORDER BY id", id)
			if err != nil {
				t.Fatal(err)
			}
			if !b.Next() {
				t.Errorf("no row beside the open ones: %v", b.Err())
			}
			do(t, tx, "UPDATE t SET v = v + 1000 WHERE id = ?", id)
			b.Close()
		}
	}
	if err := a.Err(); err != nil || len(seen) != 50 {
		t.Errorf("%d rows, %v; want 50", len(seen), err)
	}
	want(t, tx, "5", "SELECT COUNT(*) FROM t WHERE v >= 1000")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, db, "5", "SELECT COUNT(*) FROM t WHERE v >= 1000")
}

// TestCommitWithOpenRows ends a transaction while its rows are read.
func TestCommitWithOpenRows(t *testing.T) {
	db := memDBWith(t, readersBesideWriters, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)")
	c := pin(t, db)
	do(t, c, "BEGIN")
	do(t, c, "UPDATE t SET v = 10")
	rows, err := c.QueryContext(bg, "SELECT v FROM t")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	rows.Next()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	more, err := tx.Query("SELECT v FROM t")
	if err != nil {
		t.Fatal(err)
	}
	more.Next()
	if err := tx.Commit(); err != nil {
		t.Errorf("commit with open rows: %v", err)
	}
	more.Close()
	rows.Close()
	do(t, c, "COMMIT")
	want(t, db, "50", "SELECT SUM(v) FROM t")
}

func TestNoRows(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)")
	var v int
	for _, query := range []string{"SELECT v FROM t WHERE id = 1", "SELECT v FROM t", "SELECT v FROM t ORDER BY v LIMIT 3", "SELECT v FROM t GROUP BY v"} {
		if err := db.QueryRow(query).Scan(&v); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%s: %v", query, err)
		}
	}
	want(t, db, "0|∅|∅", "SELECT COUNT(*), SUM(v), MAX(v) FROM t")
}

func TestColumnNames(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, `Odd Name` INT)")
	for query, names := range map[string]string{
		"SELECT * FROM t": "id,Odd Name", "SELECT id AS a, t.id, COUNT(*), 1+1, 'x' FROM t GROUP BY id": "a,id,COUNT(*),1+1,x", "SELECT id id2, id id2 FROM t": "id2,id2",
	} {
		rows, err := db.Query(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		got, _ := rows.Columns()
		if strings.Join(got, ",") != names {
			t.Errorf("%s: columns %q, want %s", query, got, names)
		}
		rows.Close()
	}
}
