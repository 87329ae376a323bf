package transfer

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Dialect is whose SQL a dump is in.
type Dialect string

// The dialects of dumps. MySQL's is vitessdo's own, too.
const (
	MySQL         Dialect = "mysql"
	SQLiteDialect Dialect = "sqlite"
)

// Export says what is to be written, and how.
type Export struct {
	// Target is a file's name, which is replaced when all was written, or "-" for Stdout.
	// One whose name ends in .gz is packed.
	Target string
	Stdout io.Writer
	// Format is told by the name when it is "". SQLite isn't one to export in: see
	// Dialect.
	Format  Format
	Dialect Dialect // of SQL; "" is MySQL's
	// Tables are written as table or keyspace.table; CSV and JSON take one. None: all of
	// the keyspace. Query is what is written instead, in CSV or JSON.
	Tables []string
	Query  string
	Text   Text
	// NoData leaves out the rows, NoSchema the tables' definitions, of a dump.
	NoData, NoSchema bool
	Progress         func(Progress)
}

// Exported tells what was written.
type Exported struct {
	Rows    int64
	Tables  int
	Notes   []string // what could not be taken along
	Elapsed time.Duration
}

// exporter is an export at work.
type exporter struct {
	Export
	tx   *sql.Tx
	w    *bufio.Writer
	out  Exported
	now  Progress
	told time.Time
}

// rowWriter writes the rows of one table or query.
type rowWriter interface {
	begin(columns []*sql.ColumnType) error
	row(values []any) error
	end() error
}

// Run writes everything as of one moment, in a transaction on the connection. What the
// target held stays until all is written.
func (o Export) Run(ctx context.Context, conn *sql.Conn) (_ *Exported, err error) {
	began := time.Now()
	ex := &exporter{Export: o}
	if err := ex.check(); err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSnapshot, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	ex.tx = tx
	if len(ex.Tables) == 0 && ex.Query == "" {
		if ex.Tables, err = ex.allTables(ctx); err != nil {
			return nil, err
		}
	}
	if err := ex.toTarget(func() error { return ex.write(ctx) }); err != nil {
		return nil, err
	}
	ex.out.Elapsed = time.Since(began)
	return &ex.out, nil
}

func (ex *exporter) check() error {
	if ex.Format == "" {
		ex.Format = FormatOf(ex.Target)
	}
	if ex.Dialect == "" {
		ex.Dialect = MySQL
	}
	switch {
	case ex.Format == "":
		return fmt.Errorf("the name %s doesn't tell the format; say whether it is csv, jsonl or sql", ex.Target)
	case ex.Format != CSV && ex.Format != JSONL && ex.Format != SQL:
		return fmt.Errorf("format %q isn't one to export in; they are csv, jsonl and sql, and a dump in SQLite's dialect makes a SQLite file: sqlite3 file.db < dump.sql", ex.Format)
	case ex.Dialect != MySQL && ex.Dialect != SQLiteDialect:
		return fmt.Errorf("dialect %q isn't known; it is mysql or sqlite", ex.Dialect)
	case ex.Format == SQL && ex.Query != "":
		return errors.New("a query's rows go to CSV or JSON: a dump is of tables")
	case ex.Format != SQL && ex.Query == "" && len(ex.Tables) != 1:
		return fmt.Errorf("%s is for the rows of one table or query; name it, or write a dump", ex.Format)
	case ex.Query != "" && len(ex.Tables) > 0:
		return errors.New("give a table or a query, not both")
	}
	if strings.Contains(strings.ToLower(ex.Target), ".tsv") && ex.Text.Delimiter == 0 {
		ex.Text.Delimiter = '\t'
	}
	return ex.Text.check()
}

// allTables lists the tables of the session's keyspace, and not those of imports that
// are on their way.
func (ex *exporter) allTables(ctx context.Context) ([]string, error) {
	return names(ctx, ex.tx, `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name <> ? ORDER BY table_name`, checkpoints)
}

func names(ctx context.Context, q querier, query string, args ...any) (out []string, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, rows.Err()
}

// toTarget has the target written, whole or not at all.
func (ex *exporter) toTarget(write func() error) (err error) {
	var to io.Writer = ex.Stdout
	var f *os.File
	if ex.Target != "-" {
		if f, err = os.CreateTemp(filepath.Dir(ex.Target), "."+filepath.Base(ex.Target)+".*"); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, os.Remove(f.Name()))
			}
		}()
		to = f
	}
	var z *gzip.Writer
	if strings.HasSuffix(strings.ToLower(ex.Target), ".gz") {
		z = gzip.NewWriter(to)
		to = z
	}
	ex.w = bufio.NewWriterSize(to, bufferSize)
	err = write()
	if err == nil {
		err = ex.w.Flush()
	}
	if z != nil {
		err = errors.Join(err, z.Close())
	}
	if f == nil {
		return err
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), ex.Target)
	}
	return err
}

func (ex *exporter) write(ctx context.Context) error {
	var w rowWriter
	switch ex.Format {
	case SQL:
		return ex.dump(ctx)
	case CSV:
		w = &csvWriter{w: ex.w, text: ex.Text}
	case JSONL:
		w = &jsonWriter{w: ex.w, blob: ex.Text.Blob}
	}
	query, what := ex.Query, "query"
	if query == "" {
		what = ex.Tables[0]
		columns, err := columnsOf(ctx, ex.tx, what)
		if err != nil {
			return err
		}
		query = selectOf(what, columns)
		if ex.now.Total, err = ex.count(ctx, what); err != nil {
			return err
		}
	}
	ex.now.What = what
	ex.out.Tables = 1
	return ex.rows(ctx, query, w)
}

func (ex *exporter) count(ctx context.Context, table string) (n int64, err error) {
	err = ex.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+quoteTable(table)).Scan(&n)
	return n, err
}

// selectOf reads what can be written again: no generated columns.
func selectOf(table string, columns []column) string {
	var list []string
	for _, c := range columns {
		if !c.generated {
			list = append(list, quote(c.name))
		}
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + quoteTable(table)
}

// rows writes a query's rows.
func (ex *exporter) rows(ctx context.Context, query string, w rowWriter) (err error) {
	rows, err := ex.tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	if err := w.begin(types); err != nil {
		return err
	}
	values, to := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		for i, v := range values {
			if at, ok := v.(time.Time); ok { // with parse_time
				values[i] = momentText(at, types[i])
			}
		}
		if err := w.row(values); err != nil {
			return err
		}
		ex.out.Rows++
		if ex.now.Done++; ex.now.Done%1024 == 0 {
			ex.tell()
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	ex.tell()
	return w.end()
}

func (ex *exporter) tell() {
	if ex.Progress == nil || time.Since(ex.told) < tellEvery && ex.now.Done < ex.now.Total {
		return
	}
	ex.told, ex.now.Rows = time.Now(), ex.out.Rows
	ex.Progress(ex.now)
}
