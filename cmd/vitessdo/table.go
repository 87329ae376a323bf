package main

import (
	"bufio"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// cell is a value as it is printed.
type cell struct {
	text  string
	right bool // a number: aligned at its last digit
}

// grid is rows with aligned columns.
type grid struct {
	head []string
	rows [][]cell
}

// measured is how many rows settle the columns' widths: the rest of a long
// result streams with these, so that memory doesn't grow with it.
const measured = 1000

// print writes the grid, every line after indent.
func (g *grid) print(w io.Writer, indent string) {
	width := g.widths()
	g.printHead(w, indent, width)
	for _, r := range g.rows {
		printRow(w, indent, r, width)
	}
}

func (g *grid) widths() []int {
	width := make([]int, len(g.head))
	for i, h := range g.head {
		width[i] = utf8.RuneCountInString(h)
	}
	for _, r := range g.rows {
		for i := range r {
			width[i] = max(width[i], utf8.RuneCountInString(r[i].text))
		}
	}
	return width
}

func (g *grid) printHead(w io.Writer, indent string, width []int) {
	head, line := make([]cell, len(g.head)), make([]string, len(g.head))
	for i, h := range g.head {
		head[i] = cell{text: h, right: len(g.rows) > 0 && g.rows[0][i].right}
		line[i] = strings.Repeat("-", width[i])
	}
	printRow(w, indent, head, width)
	fmt.Fprintln(w, indent+strings.Join(line, "-+-"))
}

func printRow(w io.Writer, indent string, row []cell, width []int) {
	var b strings.Builder
	for i, c := range row {
		if i > 0 {
			b.WriteString(" | ")
		}
		pad := strings.Repeat(" ", max(0, width[i]-utf8.RuneCountInString(c.text)))
		if c.right {
			b.WriteString(pad + c.text)
		} else {
			b.WriteString(c.text + pad)
		}
	}
	fmt.Fprintln(w, indent+strings.TrimRight(b.String(), " "))
}

// printVertical writes a row as one line per column, for values of many lines.
func printVertical(w io.Writer, number int64, head []string, row []cell) {
	width := 0
	for _, h := range head {
		width = max(width, utf8.RuneCountInString(h))
	}
	fmt.Fprintf(w, "--- row %d\n", number)
	for i, c := range row {
		fmt.Fprintf(w, "%*s: %s\n", width, head[i], c.text)
	}
}

// printRows writes a whole result and says how many rows it had.
func printRows(out io.Writer, rows *sql.Rows, indent string, vertical bool) (n int64, err error) {
	w := bufio.NewWriter(out)
	defer func() {
		if e := w.Flush(); err == nil {
			err = e
		}
	}()
	types, err := rows.ColumnTypes()
	if err != nil {
		return 0, err
	}
	g := &grid{}
	for _, t := range types {
		g.head = append(g.head, t.Name())
	}
	if len(g.head) == 0 {
		return 0, rows.Err()
	}
	var width []int
	flush := func() {
		width = g.widths()
		g.printHead(w, indent, width)
		for _, r := range g.rows {
			printRow(w, indent, r, width)
		}
		g.rows = nil
	}
	for rows.Next() {
		row, err := scan(rows, types)
		if err != nil {
			return n, err
		}
		n++
		// Lines in a value would break the columns.
		if n == 1 && hasLines(row) {
			vertical = true
		}
		switch {
		case vertical:
			printVertical(w, n, g.head, row)
		case width != nil:
			printRow(w, indent, oneLine(row), width)
		default:
			if g.rows = append(g.rows, oneLine(row)); len(g.rows) == measured {
				flush()
			}
		}
	}
	if width == nil && !vertical && (n > 0 || rows.Err() == nil) {
		flush()
	}
	return n, rows.Err()
}

func hasLines(row []cell) bool {
	for _, c := range row {
		if strings.Contains(c.text, "\n") {
			return true
		}
	}
	return false
}

func oneLine(row []cell) []cell {
	for i := range row {
		row[i].text = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(row[i].text)
	}
	return row
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

// format prints a value; typ is the column's SQL type, "" if unknown.
func format(v any, typ string) cell {
	switch v := v.(type) {
	case nil:
		return cell{text: "NULL"}
	case int:
		return cell{strconv.Itoa(v), true}
	case int64:
		return cell{strconv.FormatInt(v, 10), true}
	case uint64:
		return cell{strconv.FormatUint(v, 10), true}
	case float64:
		return cell{strconv.FormatFloat(v, 'g', -1, 64), true}
	case bool:
		return cell{text: strconv.FormatBool(v)}
	case time.Time:
		if typ == "DATE" {
			return cell{text: v.Format(time.DateOnly)}
		}
		return cell{text: v.Format("2006-01-02 15:04:05.999999")}
	case []byte:
		if !printable(v) {
			return cell{text: "0x" + hex.EncodeToString(v)}
		}
		return cell{string(v), typ == "DECIMAL"}
	case string:
		return cell{v, typ == "DECIMAL"}
	}
	return cell{text: fmt.Sprint(v)}
}

func printable(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, r := range string(b) {
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}
