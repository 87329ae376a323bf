package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo"
)

// Import says what is to be read, and how.
type Import struct {
	// Source is a file's name, or "-" for Stdin.
	Source string
	Stdin  io.Reader
	// Format is told by the name when it is "".
	Format Format
	// Table takes the rows of CSV and JSON, as table or keyspace.table.
	Table string
	Text  Text
	// Names lead from the source's columns to the table's; none: they have the same
	// names, and what the source has beyond the table is an error. Columns are those of
	// CSV without a header, in order.
	Names   map[string]string
	Columns []string
	// Skip bad records, instead of stopping at the first.
	Skip bool
	// Rejects is a file for the records that are skipped, as they were, or, of a SQLite
	// file, as INSERTs; "": none.
	Rejects string
	// Restart begins at the source's beginning, whatever an interrupted run has done.
	Restart bool
	// NoForeignKeys leaves foreign keys unchecked. Dumps and SQLite files are imported so
	// always.
	NoForeignKeys bool
	// Batch is the number of rows in an INSERT, Commit that in a transaction; 0 is a good
	// one.
	Batch, Commit int
	Progress      func(Progress)
}

// Report tells what came of an import.
type Report struct {
	Rows     int64 // written, or statements of a dump that were run
	Rejected int64
	// Resumed: an interrupted import was gone on with, which had written Before.
	Resumed bool
	Before  int64
	// Bad are the first bad records.
	Bad []Bad
	// Notes tell what could not be taken along.
	Notes   []string
	Elapsed time.Duration
}

// Bad is a bad record.
type Bad struct {
	Line int64
	Err  error
}

func (b Bad) Error() string { return fmt.Sprintf("line %d: %v", b.Line, b.Err) }

// Unwrap gives the reason.
func (b Bad) Unwrap() error { return b.Err }

const (
	mostBad      = 20
	defaultBatch = 100
	defaultChunk = 10_000
	chunkBytes   = 16 << 20
)

// record is one row, or one statement, of a source.
type record struct {
	columns  []string // the same slice for records that are alike
	values   []any
	text     string // of a statement
	raw      []byte // its text, where it has one
	line     int64
	place    int64 // of what follows it
	nextLine int64
}

// size is about how many bytes of memory it takes.
func (r *record) size() int {
	n := len(r.raw) + 16*len(r.values)
	if len(r.raw) > 0 {
		return n
	}
	for _, v := range r.values {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// records are a source's. next gives io.EOF at the end, and a *lineError with a record
// that can't be read; raw is valid until the next call. skip goes to a place, before
// the first call of next.
type records interface {
	next() (record, error)
	skip(place, line int64) error
}

// importer is an import at work.
type importer struct {
	Import
	conn    *sql.Conn
	out     Report
	table   string // quoted
	what    string
	at      checkpoint
	rejects *os.File
	bytes   func() (done, total int64)
	told    time.Time
	head    []byte            // of the source's text
	texts   map[string]string // of INSERTs
}

// Run reads the source into the database of the connection, which is the import's
// until it returns. With an error the report tells how far it has come; what it counts
// is in the database, and another run goes on from there.
func (o Import) Run(ctx context.Context, conn *sql.Conn) (*Report, error) {
	began := time.Now()
	im := &importer{Import: o, conn: conn, texts: map[string]string{}}
	err := im.run(ctx)
	if im.rejects != nil {
		err = errors.Join(err, im.rejects.Close())
	}
	im.out.Elapsed = time.Since(began)
	return &im.out, err
}

func (im *importer) run(ctx context.Context) (err error) {
	if im.Format == "" {
		im.Format = FormatOf(im.Source)
	}
	if err := im.Text.check(); err != nil {
		return err
	}
	if im.Batch <= 0 {
		im.Batch = defaultBatch
	}
	if im.Commit <= 0 {
		im.Commit = defaultChunk
	}
	// An AUTO_INCREMENT column's 0 is a value of the source, and a dump's texts are in
	// MySQL's own words.
	back, err := im.with(ctx, "sql_mode", "NO_AUTO_VALUE_ON_ZERO")
	if err != nil {
		return err
	}
	defer back()
	if im.NoForeignKeys || im.Format == SQL || im.Format == SQLite {
		back, err := im.with(ctx, "foreign_key_checks", "0")
		if err != nil {
			return err
		}
		defer back()
	}
	switch im.Format {
	case SQLite:
		return im.sqliteFile(ctx, im.Source)
	case CSV, JSONL, SQL:
	case "":
		return fmt.Errorf("the name %s doesn't tell its format; say whether it is csv, jsonl, sql or sqlite", im.Source)
	default:
		return fmt.Errorf("format %q isn't known; it is csv, jsonl, sql or sqlite", im.Format)
	}
	in, err := openInput(im.Source, im.Stdin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	im.bytes = func() (int64, int64) { return in.read, in.size }
	if im.head, err = in.head(); err != nil {
		return fmt.Errorf("%s: %w", im.Source, err)
	}
	if im.Format == SQL {
		return im.dump(ctx, in)
	}
	return im.file(ctx, in)
}

// with sets a variable of the session, until what it returns is called.
func (im *importer) with(ctx context.Context, name, value string) (back func(), err error) {
	var was string
	if err := im.conn.QueryRowContext(ctx, "SELECT @@"+name).Scan(&was); err != nil {
		return nil, err
	}
	if _, err := im.conn.ExecContext(ctx, "SET "+name+" = ?", value); err != nil {
		return nil, err
	}
	return func() {
		_, _ = im.conn.ExecContext(context.WithoutCancel(ctx), "SET "+name+" = ?", was)
	}, nil
}

// file imports CSV or JSON into a table.
func (im *importer) file(ctx context.Context, in *input) error {
	if im.Table == "" {
		return errors.New("the table that takes the rows wasn't given")
	}
	table, err := columnsOf(ctx, im.conn, im.Table)
	if err != nil {
		return err
	}
	im.table, im.what = quoteTable(im.Table), im.Table
	var src records
	var header []byte
	if im.Format == CSV {
		if strings.Contains(strings.ToLower(im.Source), ".tsv") && im.Text.Delimiter == ',' {
			im.Text.Delimiter = '\t'
		}
		src, header, err = newCSV(in, im.Text, table, im.Columns, im.Names)
	} else {
		src = newJSONL(in, im.Text, table, im.Names)
	}
	if err != nil {
		return err
	}
	return im.transfer(ctx, src, header)
}

// transfer writes all records, from where an interrupted import has come.
func (im *importer) transfer(ctx context.Context, src records, header []byte) error {
	if err := im.resume(ctx, src, header); err != nil {
		return err
	}
	for end := false; !end; {
		var chunk []record
		var bad error
		if chunk, bad = im.chunk(src); errors.Is(bad, io.EOF) {
			end, bad = true, nil
		}
		stopped, err := im.write(ctx, chunk)
		if err == nil && stopped == nil && bad != nil {
			stopped, err = im.reject(ctx, bad, chunk)
		}
		if err != nil {
			return err
		}
		if stopped != nil {
			return stopped
		}
	}
	return im.closeCheckpoints(ctx, im.at.name)
}

// badRecord is one that can't be read, behind the chunk that it ends.
type badRecord struct {
	record
	err error
}

func (b *badRecord) Error() string { return b.err.Error() }

// chunk reads the records of one transaction. A bad one ends it.
func (im *importer) chunk(src records) (out []record, err error) {
	size := 0
	for len(out) < im.Commit && size < chunkBytes {
		r, err := src.next()
		var line *lineError
		if errors.As(err, &line) {
			r.raw = append([]byte(nil), r.raw...)
			return out, &badRecord{r, line}
		}
		if err != nil {
			return out, err
		}
		size += r.size()
		if im.rejects != nil {
			r.raw = append([]byte(nil), r.raw...)
		}
		out = append(out, r)
	}
	return out, nil
}

// reject takes note of a record that can't be read, and goes on behind it, or stops.
func (im *importer) reject(ctx context.Context, bad error, _ []record) (stopped, err error) {
	var b *badRecord
	if !errors.As(bad, &b) {
		return nil, fmt.Errorf("%s: %w", im.Source, bad)
	}
	if !im.Skip {
		im.note(b.record, b.err)
		return Bad{b.line, b.err}, nil
	}
	next := im.at
	next.place, next.line = b.place, b.nextLine
	if err := im.toRejects(&next, b.record); err != nil {
		return nil, err
	}
	if err := im.save(ctx, im.conn, next); err != nil {
		return nil, err
	}
	im.at = next
	im.note(b.record, b.err)
	return nil, nil
}

// note counts a bad record.
func (im *importer) note(r record, err error) {
	im.out.Rejected++
	if len(im.out.Bad) < mostBad {
		im.out.Bad = append(im.out.Bad, Bad{r.line, err})
	}
}

// retries bounds how often a transaction is begun anew that lost against others.
const retries = 20

// write writes a chunk with its checkpoint, as one transaction. A bad record that the
// import stops at is stopped; what is before it is written.
func (im *importer) write(ctx context.Context, chunk []record) (stopped, err error) {
	if len(chunk) == 0 {
		return nil, nil
	}
	for try := 0; ; try++ {
		next, bads, err := im.try(ctx, chunk)
		var e *vitessdo.Error
		if errors.As(err, &e) && e.Retryable() && try < retries && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		im.out.Rows += next.rows - im.at.rows
		im.at = next
		for _, b := range bads {
			im.note(chunk[b.at], b.err)
		}
		im.tell()
		if len(bads) > 0 && !im.Skip {
			r := chunk[bads[0].at]
			return Bad{r.line, bads[0].err}, nil
		}
		return nil, nil
	}
}

// badAt is a bad record of a chunk.
type badAt struct {
	at  int
	err error
}

// try is one attempt to write a chunk.
func (im *importer) try(ctx context.Context, chunk []record) (next checkpoint, bads []badAt, err error) {
	tx, err := im.conn.BeginTx(ctx, nil)
	if err != nil {
		return next, nil, err
	}
	defer tx.Rollback()
	next = im.at
	for at := 0; at < len(chunk); {
		n := im.alike(chunk[at:])
		found, err := im.put(ctx, tx, chunk, at, n)
		if err != nil {
			return next, nil, err
		}
		bads = append(bads, found...)
		if len(bads) > 0 && !im.Skip {
			break
		}
		at += n
	}
	end := len(chunk)
	if len(bads) > 0 && !im.Skip {
		end = bads[0].at
		bads = bads[:1]
	}
	if end > 0 {
		next.place, next.line = chunk[end-1].place, chunk[end-1].nextLine
		next.rows += int64(end)
		if im.Skip {
			next.rows -= int64(len(bads))
		}
	}
	if im.Skip {
		for _, b := range bads {
			if err := im.toRejects(&next, chunk[b.at]); err != nil {
				return next, nil, err
			}
		}
	}
	if err := im.save(ctx, tx, next); err != nil {
		return next, nil, err
	}
	return next, bads, tx.Commit()
}

// alike counts the records, from the first on, that one statement can write.
func (im *importer) alike(list []record) int {
	if list[0].text != "" {
		return 1
	}
	n := 1
	most := min(len(list), im.Batch, max(1, maxParameters/len(list[0].columns)))
	for n < most && &list[n].columns[0] == &list[0].columns[0] {
		n++
	}
	return n
}

// maxParameters is what an engine takes in one statement.
const maxParameters = 30_000

// put writes n records. When one of them is bad the halves are tried by themselves. A
// statement that fails leaves nothing behind, and the transaction goes on.
func (im *importer) put(ctx context.Context, tx *sql.Tx, chunk []record, at, n int) ([]badAt, error) {
	err := im.insert(ctx, tx, chunk[at:at+n])
	switch {
	case err == nil:
		return nil, nil
	case !aboutRecord(err):
		return nil, err
	case n == 1:
		return []badAt{{at, err}}, nil
	}
	bads, err := im.put(ctx, tx, chunk, at, n/2)
	if err != nil || len(bads) > 0 && !im.Skip {
		return bads, err
	}
	more, err := im.put(ctx, tx, chunk, at+n/2, n-n/2)
	return append(bads, more...), err
}

// aboutRecord says whether an error is a record's own fault.
func aboutRecord(err error) bool {
	var e *vitessdo.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case vitessdo.CodeUnique, vitessdo.CodeNotNull, vitessdo.CodeCheck, vitessdo.CodeForeignKey, vitessdo.CodeDataType, vitessdo.CodeOutOfRange,
		vitessdo.CodeValueRange, vitessdo.CodeTooLong, vitessdo.CodeTruncated, vitessdo.CodeBadTime, vitessdo.CodeColumnCount, vitessdo.CodeTooBig,
		vitessdo.CodeSyntax, vitessdo.CodeUnsupported, vitessdo.CodeNoTable, vitessdo.CodeNoColumn, vitessdo.CodePlan, vitessdo.CodeTableExists, vitessdo.CodeVSchema,
		vitessdo.CodeCheckOption:
		return true
	}
	return false
}

// placeholders are a list of n, in brackets.
func placeholders(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }

const mostTexts = 1000

// insert writes records by one statement.
func (im *importer) insert(ctx context.Context, tx *sql.Tx, list []record) error {
	if list[0].text != "" {
		_, err := tx.ExecContext(ctx, list[0].text)
		return err
	}
	columns := list[0].columns
	key := fmt.Sprintf("%s %d %q", im.table, len(list), columns)
	text, ok := im.texts[key]
	if !ok {
		row := placeholders(len(columns))
		text = insertInto(im.table, columns, quote) + " " + row + strings.Repeat(", "+row, len(list)-1)
		if len(im.texts) >= mostTexts {
			clear(im.texts)
		}
		im.texts[key] = text
	}
	args := make([]any, 0, len(list)*len(columns))
	for i := range list {
		args = append(args, list[i].values...)
	}
	_, err := tx.ExecContext(ctx, text, args...)
	return err
}

// insertInto is the beginning of an INSERT of rows with these columns, up to VALUES.
// table is quoted.
func insertInto(table string, columns []string, quote func(string) string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = quote(c)
	}
	return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES"
}

func (im *importer) tell() {
	if im.Progress == nil {
		return
	}
	p := Progress{What: im.what, Rows: im.at.rows, Rejected: im.out.Rejected}
	p.Done, p.Total = im.bytes()
	if time.Since(im.told) < tellEvery && p.Done < p.Total {
		return
	}
	im.told = time.Now()
	im.Progress(p)
}
