package present

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"strings"
)

// Format is how rows are written.
type Format string

// The formats. JSON is an array of objects, a row on each line: numbers and
// DECIMALs are numbers with all their digits, blobs that are no text are "0x…".
// CSV is that of RFC 4180 with a header; NULL is an empty field, an empty text "".
const (
	Table    Format = "table"
	Vertical Format = "vertical"
	JSON     Format = "json"
	CSV      Format = "csv"
)

// Formats lists them.
var Formats = []string{string(Table), string(Vertical), string(JSON), string(CSV)}

// ParseFormat reads a format's name.
func ParseFormat(name string) (Format, error) {
	for _, f := range Formats {
		if f == name {
			return Format(f), nil
		}
	}
	return "", fmt.Errorf("the format is %q; it may be %s", name, strings.Join(Formats, ", "))
}

// Output is where and how rows are written.
type Output struct {
	W      io.Writer
	Format Format // "" is Table
	// Indent comes before every line of a table.
	Indent string
	// Width is that of the terminal: a wider table is written vertically. 0: there is
	// no terminal.
	Width int
	// Color permits control codes.
	Color bool
}

// cell is a value as it is written.
type cell struct {
	text  string
	right bool // a number: aligned at its last digit
	null  bool
	raw   bool // is JSON as it stands
}

// sink takes a result row by row.
type sink interface {
	row(w *bufio.Writer, row []cell)
	// end is called once behind the last row.
	end(w *bufio.Writer)
}

func (o *Output) sink(head []string) sink {
	switch o.Format {
	case JSON:
		return newJSON(head)
	case CSV:
		return &csvSink{head: head}
	case Vertical:
		return &verticalSink{head: head, o: o}
	}
	return &tableSink{o: o, head: head}
}

// Rows writes a whole result and says how many rows it had. It doesn't close it.
func (o Output) Rows(rows *sql.Rows) (n int64, err error) {
	types, err := rows.ColumnTypes()
	if err != nil || len(types) == 0 {
		return 0, err
	}
	head := make([]string, len(types))
	for i, t := range types {
		head[i] = t.Name()
	}
	w, s := bufio.NewWriter(o.W), o.sink(head)
	for rows.Next() {
		row, err := scan(rows, types)
		if err != nil {
			return n, err
		}
		n++
		s.row(w, row)
	}
	if n > 0 || rows.Err() == nil {
		s.end(w)
	}
	err = w.Flush()
	if rows.Err() != nil {
		err = rows.Err()
	}
	return n, err
}

// Grid is a small result in memory. Cells are as database/sql gives them.
type Grid struct {
	Head []string
	Rows [][]any
}

// Add adds a row.
func (g *Grid) Add(row ...any) { g.Rows = append(g.Rows, row) }

// Grid writes it.
func (o Output) Grid(g *Grid) error {
	w, s := bufio.NewWriter(o.W), o.sink(g.Head)
	for _, values := range g.Rows {
		row := make([]cell, len(values))
		for i, v := range values {
			row[i] = format(v, "")
		}
		s.row(w, row)
	}
	s.end(w)
	return w.Flush()
}

func scan(rows *sql.Rows, types []*sql.ColumnType) ([]cell, error) {
	values, at := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		at[i] = &values[i]
	}
	if err := rows.Scan(at...); err != nil {
		return nil, err
	}
	row := make([]cell, len(types))
	for i, v := range values {
		row[i] = format(v, types[i].DatabaseTypeName())
	}
	return row, nil
}
