package present

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
)

// result gives two rows with values of every kind.
func result(t *testing.T) *sql.Rows {
	t.Helper()
	db, mock, err := sqlmock.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	column := func(name, typ string) *sqlmock.Column { return sqlmock.NewColumn(name).OfType(typ, nil) }
	mock.ExpectQuery("").WillReturnRows(sqlmock.NewRowsWithColumnDefinition(column("id", "BIGINT"), column("name", "VARCHAR"), column("d", "DECIMAL"),
		column("none", ""), column("raw", "BLOB"), column("empty", "VARCHAR"), column("wide", "VARCHAR"), column("id", "BIGINT")).
		AddRow(int64(1), `a,"b`, []byte("1.50"), nil, []byte{0, 255}, "", "漢字", int64(2)).
		AddRow(int64(20), "x<y", "12.25", "NULL", []byte("text"), " ", "b", int64(3)))
	rows, err := db.Query("")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		o    Output
		want string
	}{
		{Output{Format: Table}, `id | name |     d | none | raw    | empty | wide | id
---+------+-------+------+--------+-------+------+---
 1 | a,"b |  1.50 | NULL | 0x00ff |       | 漢字 |  2
20 | x<y  | 12.25 | NULL | text   |       | b    |  3
`},
		{Output{Format: JSON}, `[
 {"id":1,"name":"a,\"b","d":1.50,"none":null,"raw":"0x00ff","empty":"","wide":"漢字","id_2":2},
 {"id":20,"name":"x<y","d":12.25,"none":"NULL","raw":"text","empty":" ","wide":"b","id_2":3}
]
`},
		{Output{Format: CSV}, `id,name,d,none,raw,empty,wide,id
1,"a,""b",1.50,,0x00ff,"",漢字,2
20,x<y,12.25,NULL,text," ",b,3
`},
		{Output{Format: Table, Width: 40, Color: true}, `--- row 1
   id: 1
 name: a,"b
    d: 1.50
 none: ` + "\x1b[2mNULL\x1b[0m" + `
  raw: 0x00ff
empty: ` + `
 wide: 漢字
   id: 2
--- row 2
   id: 20
 name: x<y
    d: 12.25
 none: NULL
  raw: text
empty:  
 wide: b
   id: 3
`},
	} {
		rows := result(t)
		var b strings.Builder
		c.o.W = &b
		n, err := c.o.Rows(rows)
		if n != 2 || err != nil || b.String() != c.want {
			t.Errorf("%+v: %d rows, %v\n%s\nwant\n%s", c.o, n, err, b.String(), c.want)
		}
		rows.Close()
	}
}

// An empty result has its columns' names, where the format has room for them.
func TestEmpty(t *testing.T) {
	for format, want := range map[Format]string{Table: "a | b\n--+--\n", CSV: "a,b\n", JSON: "[]\n", Vertical: ""} {
		var b strings.Builder
		if err := (Output{W: &b, Format: format}).Grid(&Grid{Head: []string{"a", "b"}}); err != nil || b.String() != want {
			t.Errorf("%s: %q %v", format, b.String(), err)
		}
	}
	if _, err := ParseFormat("xml"); err == nil || !strings.Contains(err.Error(), "table, vertical, json, csv") {
		t.Error(err)
	}
}

// The rows behind those that are measured come out as they are read.
func TestLong(t *testing.T) {
	g := &Grid{Head: []string{"n"}}
	for i := range 3 * measured {
		g.Add(int64(i))
	}
	g.Add("longer than all")
	var b strings.Builder
	if err := (Output{W: &b}).Grid(g); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if len(lines) != 3*measured+4 || lines[2] != "  0" || lines[len(lines)-2] != "longer than all" {
		t.Errorf("%d lines, %q, %q", len(lines), lines[2], lines[len(lines)-2])
	}
}

func TestNumbers(t *testing.T) {
	for d, want := range map[time.Duration]string{1500: "1.5 µs", 2345 * time.Microsecond: "2.35 ms", 12340 * time.Millisecond: "12.34 s"} {
		if got := Short(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -999: "-999"} {
		if got := Thousands(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for _, c := range []struct {
		n, most int64
		want    string
	}{{0, 9, ""}, {1, 0, ""}, {10, 10, "████"}, {5, 10, "██"}, {1, 1000000, "▏"}, {9, 32, "█▏"}} {
		if got := Bar(c.n, c.most, 4); got != c.want {
			t.Errorf("%d of %d: %q, want %q", c.n, c.most, got, c.want)
		}
	}
	if Size(5) != "5 B" || Size(20<<10) != "20 kB" || Size(20<<20) != "20 MB" || Count(1, "row") != "1 row" || Count(2000, "row") != "2,000 rows" {
		t.Error("sizes and counts")
	}
}
