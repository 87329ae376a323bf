package transfer

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
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
	// One whose name ends in .gz is packed. Until then Target.part is written, and what is
	// left of that by an interrupted export of tables is gone on with by another one that
	// is told the same.
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
	// Restart begins anew, whatever an interrupted export has written.
	Restart  bool
	Progress func(Progress)

	save int64 // bytes between notes of how far it has come; 0 is a good number
}

// Exported tells what was written.
type Exported struct {
	Rows   int64 // by this run
	Tables int
	Notes  []string // what could not be taken along
	// Resumed: an interrupted export was gone on with, which had written Before.
	Resumed bool
	Before  int64
	Sum     string // the file's SHA-256, in hexadecimal digits; "" of Stdout
	Elapsed time.Duration
}

// exporter is an export at work.
type exporter struct {
	Export
	tx   *sql.Tx
	w    *bufio.Writer
	part *part // nil: Stdout
	at   exportState
	out  Exported
	now  Progress
	told time.Time
}

// rowWriter writes the rows of one table or query.
type rowWriter interface {
	// begin tells the columns; with on, rows of them are there already.
	begin(columns []*sql.ColumnType, on bool) error
	row(values []any) error
	// end ends what was written; rows may follow, all the same.
	end() error
}

// Run writes everything as of one moment, in a transaction on the connection. What the
// target held stays until all is written. When an interrupted export is gone on with,
// what that one had written is as of its moment, and the rest as of this one's.
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
	if ex.Target == "-" {
		ex.w = bufio.NewWriterSize(ex.Stdout, bufferSize)
		if err := write(); err != nil {
			return err
		}
		return ex.w.Flush()
	}
	p, st, err := openPart(ex.Target, digest(ex.Format, ex.Dialect, ex.Tables, ex.Query, ex.Text, ex.NoData, ex.NoSchema), ex.Restart)
	if err != nil {
		return err
	}
	ex.part, ex.at, ex.w = p, *st, bufio.NewWriterSize(p, bufferSize)
	ex.out.Resumed, ex.out.Before, ex.now.Done = p.saved, st.Rows, st.Rows
	if err := write(); err != nil {
		return errors.Join(err, p.leave())
	}
	ex.out.Sum, err = p.end(ex.w)
	return err
}

// saveAt notes how far the rows of a table have come, if it is time to.
func (ex *exporter) saveAt(w rowWriter, key []int, row []any) error {
	every := ex.save
	if every == 0 {
		every = saveEvery
	}
	if ex.part == nil || ex.part.plain+int64(ex.w.Buffered())-ex.at.Plain < every {
		return nil
	}
	if err := w.end(); err != nil {
		return err
	}
	ex.at.After = ex.at.After[:0]
	for _, i := range key {
		ex.at.After = append(ex.at.After, keyValueOf(row[i]))
	}
	ex.at.Rows = ex.out.Before + ex.out.Rows
	return ex.part.save(ex.w, &ex.at)
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
	ex.out.Tables = 1
	if ex.Query != "" {
		ex.now.What = "query"
		return ex.rows(ctx, source{query: ex.Query}, w)
	}
	ex.now.What = ex.Tables[0]
	columns, err := columnsOf(ctx, ex.tx, ex.now.What)
	if err != nil {
		return err
	}
	if ex.now.Total, err = ex.count(ctx, ex.now.What); err != nil {
		return err
	}
	return ex.tableRows(ctx, ex.now.What, columns, w)
}

func (ex *exporter) count(ctx context.Context, table string) (n int64, err error) {
	err = ex.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+quoteTable(table)).Scan(&n)
	return n, err
}

// source is a query whose rows are written.
type source struct {
	query string
	args  []any
	key   []int // the places of the primary key's columns, by which the rows are sorted; nil: they aren't
}

// tableRows writes a table's rows, from where an interrupted export has come, and what
// of them can be written again: no generated columns.
func (ex *exporter) tableRows(ctx context.Context, table string, columns []column, w rowWriter) error {
	key, err := primaryKey(ctx, ex.tx, table, columns)
	if err != nil {
		return err
	}
	var src source
	var list []string
	for _, c := range columns {
		if !c.generated {
			list = append(list, c.name)
		}
	}
	src.query = "SELECT " + strings.Join(quoteNames(list), ", ") + " FROM " + quoteTable(table)
	if len(key) > 0 && ex.part != nil {
		for _, name := range key {
			src.key = append(src.key, slices.IndexFunc(list, func(c string) bool { return strings.EqualFold(c, name) }))
		}
		where, args := behind(key, ex.at.After)
		src.query += where + " ORDER BY " + strings.Join(quoteNames(key), ", ")
		src.args = args
	}
	return ex.rows(ctx, src, w)
}

// rows writes a query's rows.
func (ex *exporter) rows(ctx context.Context, src source, w rowWriter) (err error) {
	rows, err := ex.tx.QueryContext(ctx, src.query, src.args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	if err := w.begin(types, len(ex.at.After) > 0); err != nil {
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
		if src.key != nil {
			if err := ex.saveAt(w, src.key, values); err != nil {
				return err
			}
		}
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
	ex.told, ex.now.Rows = time.Now(), ex.out.Before+ex.out.Rows
	ex.Progress(ex.now)
}
