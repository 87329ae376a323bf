package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// field is one value of a CSV record.
type field struct {
	text   string
	quoted bool
}

// csvReader reads CSV as RFC 4180 has it. Unlike other readers it tells fields that
// were quoted, so that NULL is told from text, and where each record stands.
type csvReader struct {
	r     *bufio.Reader
	comma byte
	place int64 // of the next record, in bytes
	line  int64 // lines that were read
	begin int64 // the line that the last record begins at, from 1
	// single: records have one field, so that an empty line is one.
	single bool

	raw    []byte // the last record as it was, with its end
	fields []field
	buf    []byte
}

// lineError is a record that can't be read.
type lineError struct{ reason string }

func (e *lineError) Error() string { return e.reason }

// next reads a record. With a *lineError the record was read over; io.EOF is the end.
// What it returns is valid until the next call.
func (c *csvReader) next() ([]field, error) {
	for {
		fields, err := c.record()
		if err != nil || c.single || len(fields) > 1 || len(fields) == 1 && (fields[0].quoted || fields[0].text != "") || len(c.raw) == 0 {
			return fields, err
		}
		// An empty line is none.
	}
}

// record takes one record's lines: a quoted field may have line breaks in it.
func (c *csvReader) record() ([]field, error) {
	c.raw, c.fields, c.begin = c.raw[:0], c.fields[:0], c.line+1
	if err := c.take(); err != nil {
		return nil, err
	}
	at := 0
	for {
		c.buf = c.buf[:0]
		quoted := at < len(c.raw) && c.raw[at] == '"'
		var err error
		if quoted {
			if at, err = c.quoted(at + 1); err != nil {
				return nil, err
			}
		}
		end := at + c.plain(c.raw[at:])
		if quoted && end > at {
			return nil, &lineError{fmt.Sprintf("field %d has %.20q behind its closing quote", len(c.fields)+1, c.raw[at:end])}
		}
		c.fields = append(c.fields, field{string(append(c.buf, c.raw[at:end]...)), quoted})
		if at = end; at >= len(c.raw) || c.raw[at] != c.comma {
			return c.fields, nil
		}
		at++
	}
}

// plain is the length of what is up to the next delimiter or the line's end.
func (c *csvReader) plain(b []byte) int {
	if i := bytes.IndexByte(b, c.comma); i >= 0 {
		return i
	}
	return len(bytes.TrimRight(b, "\r\n"))
}

// quoted reads on behind an opening quote, and gives where its closing quote ends.
func (c *csvReader) quoted(at int) (int, error) {
	for {
		i := bytes.IndexByte(c.raw[at:], '"')
		if i < 0 {
			c.buf = append(c.buf, c.raw[at:]...)
			at = len(c.raw)
			if err := c.take(); errors.Is(err, io.EOF) {
				return 0, &lineError{fmt.Sprintf("field %d has no closing quote", len(c.fields)+1)}
			} else if err != nil {
				return 0, err
			}
			continue
		}
		c.buf = append(c.buf, c.raw[at:at+i]...)
		if at += i + 1; at >= len(c.raw) || c.raw[at] != '"' {
			return at, nil
		}
		c.buf = append(c.buf, '"')
		at++
	}
}

// take adds a line to raw.
func (c *csvReader) take() error {
	for {
		part, err := c.r.ReadSlice('\n')
		c.raw = append(c.raw, part...)
		c.place += int64(len(part))
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) && len(part) > 0 {
			err = nil
		}
		if err == nil {
			c.line++
		}
		return err
	}
}

// skip goes to where a record begins that was read before.
func (c *csvReader) skip(place, line int64) error {
	_, err := io.CopyN(io.Discard, c.r, place-c.place)
	c.place, c.line = place, line
	return err
}

// csvRecords are the records of a table's CSV.
type csvRecords struct {
	csv     *csvReader
	text    Text
	columns []column // of the fields; without a name: left out
	names   []string
	put     []int // field of each value
}

// newCSV reads the header. Map leads from the file's names to the table's.
func newCSV(in *input, text Text, table []column, order []string, names map[string]string) (*csvRecords, []byte, error) {
	c := &csvRecords{csv: &csvReader{r: in.Reader, comma: text.Delimiter}, text: text}
	if bom, _ := in.Peek(3); bytes.Equal(bom, []byte("\ufeff")) {
		_, _ = in.Discard(3)
		c.csv.place = 3
	}
	var header []byte
	list := order
	if !text.NoHeader {
		fields, err := c.csv.next()
		if errors.Is(err, io.EOF) {
			return nil, nil, fmt.Errorf("%s is empty: there isn't a header", in.name)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: header: %w", in.name, err)
		}
		header, list = slices.Clone(c.csv.raw), nil
		for _, f := range fields {
			name := strings.TrimSpace(f.text)
			if to, ok := names[name]; ok {
				name = to
			} else if len(names) > 0 {
				name = "" // left out
			}
			list = append(list, name)
		}
		for from := range names {
			if !slices.ContainsFunc(fields, func(f field) bool { return strings.TrimSpace(f.text) == from }) {
				return nil, nil, fmt.Errorf("%s has no column %q; its header is %s", in.name, from, strings.TrimSpace(string(header)))
			}
		}
	} else if len(list) == 0 {
		for _, col := range table {
			if !col.generated {
				list = append(list, col.name)
			}
		}
	}
	for i, name := range list {
		if name == "" {
			c.columns = append(c.columns, column{})
			continue
		}
		col, err := findColumn(table, name)
		if err != nil {
			return nil, nil, err
		}
		c.columns, c.names, c.put = append(c.columns, *col), append(c.names, col.name), append(c.put, i)
	}
	c.csv.single = len(c.columns) == 1
	return c, header, nil
}

func findColumn(table []column, name string) (*column, error) {
	for i := range table {
		if strings.EqualFold(table[i].name, name) {
			return &table[i], nil
		}
	}
	known := make([]string, len(table))
	for i := range table {
		known[i] = table[i].name
	}
	return nil, fmt.Errorf("the table has no column %q; it has %s", name, strings.Join(known, ", "))
}

// next implements records.
func (c *csvRecords) next() (record, error) {
	fields, err := c.csv.next()
	r := record{line: c.csv.begin, place: c.csv.place, nextLine: c.csv.line, columns: c.names}
	if err != nil {
		r.raw = c.csv.raw
		return r, err
	}
	r.raw = c.csv.raw
	if len(fields) != len(c.columns) {
		return r, &lineError{fmt.Sprintf("%d fields, not %d", len(fields), len(c.columns))}
	}
	r.values = make([]any, len(c.put))
	for i, at := range c.put {
		f := fields[at]
		if !f.quoted && f.text == c.text.Null {
			continue
		}
		if r.values[i], err = c.columns[at].parse(f.text, c.text.Blob); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (c *csvRecords) skip(place, line int64) error { return c.csv.skip(place, line) }
