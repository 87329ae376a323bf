package transfer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Format is what a file holds.
type Format string

// The formats. SQL is, to be imported, a dump of MySQL's or SQLite's tools; SQLite is
// a database file.
const (
	CSV    Format = "csv"
	JSONL  Format = "jsonl"
	SQL    Format = "sql"
	SQLite Format = "sqlite"
)

// FormatOf tells a file's format by its name, "" when that says nothing.
func FormatOf(name string) Format {
	switch filepath.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz")) {
	case ".csv", ".tsv":
		return CSV
	case ".jsonl", ".ndjson", ".json":
		return JSONL
	case ".sql", ".dump":
		return SQL
	case ".db", ".sqlite", ".sqlite3", ".db3":
		return SQLite
	}
	return ""
}

// Encoding is how BLOBs are written in CSV and JSON.
type Encoding string

// The encodings of BLOBs.
const (
	Base64 Encoding = "base64"
	Hex    Encoding = "hex"
	Raw    Encoding = "raw" // the bytes themselves
)

func (e Encoding) decode(text string) ([]byte, error) {
	switch e {
	case Hex:
		return hex.DecodeString(strings.TrimPrefix(text, "0x"))
	case Raw:
		return []byte(text), nil
	}
	return base64.StdEncoding.DecodeString(text)
}

func (e Encoding) encode(b []byte) string {
	switch e {
	case Hex:
		return hex.EncodeToString(b)
	case Raw:
		return string(b)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Text is how records are written in CSV and JSON. The zero value is commas, a header,
// NULL as nothing between commas, and BLOBs in base64.
type Text struct {
	Delimiter byte   // of CSV; 0: a comma, or a tab in what is named .tsv
	NoHeader  bool   // CSV doesn't begin with the columns' names
	Null      string // NULL in CSV, where it isn't quoted
	Blob      Encoding
}

func (t *Text) check() error {
	switch t.Blob {
	case "":
		t.Blob = Base64
	case Base64, Hex, Raw:
	default:
		return fmt.Errorf("BLOBs as %q aren't known; they are base64, hex or raw", t.Blob)
	}
	if t.Delimiter == 0 {
		t.Delimiter = ','
	}
	if t.Delimiter == '"' || t.Delimiter == '\n' || t.Delimiter == '\r' {
		return fmt.Errorf("%q can't stand between fields", t.Delimiter)
	}
	return nil
}

// Progress says how far a transfer has come: bytes of the source that were read, or
// rows that were written out.
type Progress struct {
	What        string // the table or file
	Done, Total int64  // Total is 0 when it isn't known
	Rows        int64
	Rejected    int64
}

const tellEvery = 50 * time.Millisecond

// input is a source's text.
type input struct {
	*bufio.Reader
	name  string
	size  int64 // 0: not known
	read  int64 // bytes of the file, compressed or not
	close func() error
}

type counting struct {
	r io.Reader
	n *int64
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	*c.n += int64(n)
	return n, err
}

const bufferSize = 1 << 18

// openInput opens a file, or standard input for "-". One whose name ends in .gz is
// unpacked.
func openInput(name string, stdin io.Reader) (*input, error) {
	in := &input{name: name, close: func() error { return nil }}
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		st, err := f.Stat()
		if err != nil || st.IsDir() {
			return nil, errors.Join(fmt.Errorf("%s can't be read", name), err, f.Close())
		}
		if st.Mode().IsRegular() {
			in.size = st.Size()
		}
		in.close, r = f.Close, f
	}
	r = counting{r, &in.read}
	if strings.HasSuffix(strings.ToLower(name), ".gz") {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s is not in gzip's format: %w", name, err), in.close())
		}
		r = z
	}
	in.Reader = bufio.NewReaderSize(r, bufferSize)
	return in, nil
}

// head gives the text's beginning, by which an interrupted import knows its source.
func (in *input) head() ([]byte, error) {
	b, err := in.Peek(4096)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return bytes.Clone(b), err
}

// column is a column of a table.
type column struct {
	name      string
	typ       string // in lower case, such as bigint
	full      string // with what belongs to it, such as decimal(10,2)
	generated bool
}

func (c *column) blob() bool {
	return strings.HasSuffix(c.typ, "blob") || strings.HasSuffix(c.typ, "binary")
}

func (c *column) integer() bool { return strings.HasSuffix(c.typ, "int") || c.typ == "year" }

func (c *column) float() bool { return c.typ == "double" || c.typ == "float" || c.typ == "real" }

// querier is a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// splitName takes keyspace.table apart.
func splitName(name string) (ks, table string) {
	if ks, table, ok := strings.Cut(name, "."); ok {
		return ks, table
	}
	return "", name
}

// columnsOf reads a table's columns, in their order. A table that isn't there is an
// error.
func columnsOf(ctx context.Context, q querier, name string) (out []column, err error) {
	ks, table := splitName(name)
	rows, err := q.QueryContext(ctx, `SELECT column_name, data_type, column_type, COALESCE(generation_expression, '') FROM information_schema.columns
WHERE table_schema = IF(? = '', DATABASE(), ?) AND table_name = ? ORDER BY ordinal_position`, ks, ks, table)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c column
		var gen string
		if err := rows.Scan(&c.name, &c.typ, &c.full, &gen); err != nil {
			return nil, err
		}
		c.typ, c.generated = strings.ToLower(c.typ), gen != ""
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no table %s; create it first", name)
	}
	return out, nil
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteNames(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = quote(name)
	}
	return out
}

// quoteTable quotes a table's name with its keyspace.
func quoteTable(name string) string {
	if ks, table := splitName(name); ks != "" {
		return quote(ks) + "." + quote(table)
	}
	return quote(name)
}
