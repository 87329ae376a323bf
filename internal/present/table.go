package present

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/mattn/go-runewidth"
)

// measured is how many rows settle the columns' widths: the rest of a long
// result streams with these, so that memory doesn't grow with it.
const measured = 1000

// tableSink writes aligned columns, or, when values have several lines or the table
// is wider than the terminal, a line per column.
type tableSink struct {
	o        *Output
	head     []string
	rows     [][]cell
	width    []int // nil until they are settled
	vertical *verticalSink
}

func (s *tableSink) row(w *bufio.Writer, row []cell) {
	// Lines in a value would break the columns.
	if s.width == nil && s.vertical == nil && len(s.rows) == 0 && hasLines(row) {
		s.vertical = &verticalSink{head: s.head, o: s.o}
	}
	switch {
	case s.vertical != nil:
		s.vertical.row(w, row)
	case s.width != nil:
		s.line(w, oneLine(row))
	default:
		if s.rows = append(s.rows, oneLine(row)); len(s.rows) == measured {
			s.flush(w)
		}
	}
}

func (s *tableSink) end(w *bufio.Writer) {
	if s.width == nil && s.vertical == nil {
		s.flush(w)
	}
}

// flush settles how the rows are written, and writes those that are there.
func (s *tableSink) flush(w *bufio.Writer) {
	s.measure()
	total := len(s.o.Indent) + 3*(len(s.width)-1)
	for _, n := range s.width {
		total += n
	}
	if s.o.Width > 0 && total > s.o.Width && len(s.rows) > 0 {
		s.vertical = &verticalSink{head: s.head, o: s.o}
		for _, r := range s.rows {
			s.vertical.row(w, r)
		}
		return
	}
	s.header(w)
	for _, r := range s.rows {
		s.line(w, r)
	}
	s.rows = nil
}

func (s *tableSink) measure() {
	s.width = make([]int, len(s.head))
	for i, h := range s.head {
		s.width[i] = runewidth.StringWidth(h)
	}
	for _, r := range s.rows {
		for i := range r {
			s.width[i] = max(s.width[i], runewidth.StringWidth(r[i].text))
		}
	}
}

func (s *tableSink) header(w *bufio.Writer) {
	head, line := make([]cell, len(s.head)), make([]string, len(s.head))
	for i, h := range s.head {
		head[i] = cell{text: h, right: len(s.rows) > 0 && s.rows[0][i].right}
		line[i] = strings.Repeat("-", s.width[i])
	}
	s.line(w, head)
	fmt.Fprintln(w, s.o.Indent+strings.Join(line, "-+-"))
}

func (s *tableSink) line(w *bufio.Writer, row []cell) {
	var b strings.Builder
	for i, c := range row {
		if i > 0 {
			b.WriteString(" | ")
		}
		pad := strings.Repeat(" ", max(0, s.width[i]-runewidth.StringWidth(c.text)))
		if c.right {
			b.WriteString(pad + s.o.dim(c))
		} else {
			b.WriteString(s.o.dim(c) + pad)
		}
	}
	fmt.Fprintln(w, s.o.Indent+strings.TrimRight(b.String(), " "))
}

// dim sets NULL apart from the text of that name.
func (o *Output) dim(c cell) string {
	if c.null && o.Color {
		return "\x1b[2m" + c.text + "\x1b[0m"
	}
	return c.text
}

// verticalSink writes a row as one line per column, for values of many lines.
type verticalSink struct {
	o     *Output
	head  []string
	count int64
}

func (s *verticalSink) row(w *bufio.Writer, row []cell) {
	width := 0
	for _, h := range s.head {
		width = max(width, runewidth.StringWidth(h))
	}
	s.count++
	fmt.Fprintf(w, "--- row %d\n", s.count)
	for i, c := range row {
		fmt.Fprintf(w, "%s%s: %s\n", strings.Repeat(" ", width-runewidth.StringWidth(s.head[i])), s.head[i], s.o.dim(c))
	}
}

func (s *verticalSink) end(*bufio.Writer) {}

func hasLines(row []cell) bool {
	for _, c := range row {
		if strings.Contains(c.text, "\n") {
			return true
		}
	}
	return false
}

var lineBreaks = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`)

func oneLine(row []cell) []cell {
	for i := range row {
		row[i].text = lineBreaks.Replace(row[i].text)
	}
	return row
}
