package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitessdo/vitessdo/internal/present"
	"github.com/vitessdo/vitessdo/transfer"
)

// textFlags are about CSV and JSON, both ways.
func textFlags(f *pflag.FlagSet, t *transfer.Text) (finish func() error) {
	delimiter := f.String("delimiter", "", `what is between the fields of CSV (a comma, or a tab in .tsv); \t is a tab`)
	f.BoolVar(&t.NoHeader, "no-header", false, "the CSV doesn't begin with the columns' names")
	f.StringVar(&t.Null, "null", "", "what is NULL in CSV, where it isn't quoted")
	blob := f.String("blob", "base64", "how BLOBs are written in CSV and JSON: base64, hex or raw")
	return func() error {
		t.Blob = transfer.Encoding(*blob)
		switch d := strings.ReplaceAll(*delimiter, `\t`, "\t"); len(d) {
		case 0:
		case 1:
			t.Delimiter = d[0]
		default:
			return usageError(fmt.Sprintf("--delimiter is %q; it is one byte", *delimiter))
		}
		return nil
	}
}

func importCommand(c *console) *cobra.Command {
	var in transfer.Import
	cmd := &cobra.Command{
		Use:   "import [DSN] FILE",
		Short: "Read CSV, JSON lines, a SQL dump or a SQLite file into the database",
		Long: `Read a file into the database: CSV or lines of JSON into a table; a dump of
mysqldump, SQLite's .dump or vitessdo export; or all of a SQLite file. The name tells
the format (.csv, .tsv, .jsonl, .sql, .db, .sqlite), and .gz that it is packed; - is
standard input.

An import that was interrupted, or killed, goes on where it was when it is started
again: how far it has come is written with the rows, in the same transactions.`,
		Example: `  vitessdo import ./data orders.csv --table orders
  vitessdo import ./data people.jsonl.gz --table customer --map No=id,Name=name
  mysqldump shop | vitessdo import ./data - --from sql
  vitessdo import 'file:./data?shards=4' old.sqlite
  vitessdo import ./data in.csv --table t --on-error skip --rejects bad.csv`,
	}
	f := cmd.Flags()
	f.StringVar(&in.Table, "table", "", "the table that takes the rows of CSV and JSON; of a SQLite file, the one that is taken")
	from := f.String("from", "", "the format: csv, jsonl, sql or sqlite")
	names := f.StringToString("map", nil, "columns of the file and of the table: File=table,…; others of the file are left out")
	f.StringSliceVar(&in.Columns, "columns", nil, "the table's columns that CSV without a header has, in order")
	onError := f.String("on-error", "stop", "what a bad record does: stop, or skip")
	f.StringVar(&in.Rejects, "rejects", "", "a file for the records that are skipped")
	f.BoolVar(&in.Restart, "restart", false, "begin at the file's beginning, instead of going on with an interrupted import")
	f.BoolVar(&in.NoForeignKeys, "no-foreign-keys", false, "don't check foreign keys; dumps and SQLite files are never checked")
	f.IntVar(&in.Batch, "batch", 0, "rows in a statement (100)")
	f.IntVar(&in.Commit, "commit", 0, "rows in a transaction (10000)")
	finish := textFlags(f, &in.Text)
	cmd.RunE = c.onDSN(1, 1, func(dsn string, args []string) error {
		if err := finish(); err != nil {
			return err
		}
		switch *onError {
		case "stop", "skip":
			in.Skip = *onError == "skip"
		default:
			return usageError(fmt.Sprintf("--on-error is %q; it is stop or skip", *onError))
		}
		in.Source, in.Format, in.Names, in.Stdin = args[0], transfer.Format(*from), *names, c.in
		return c.importFile(dsn, in)
	})
	return cmd
}

func (c *console) importFile(dsn string, in transfer.Import) (err error) {
	ctx, stop := c.interruptible()
	defer func() {
		if stop() && err != nil {
			err = errors.New("interrupted: the same command goes on from here")
		}
	}()
	_, db, conn, err := open(ctx, dsn, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(), db.Close()) }()
	bar := &transferBar{c: c, unit: "bytes"}
	if in.Format == transfer.SQLite || in.Format == "" && transfer.FormatOf(in.Source) == transfer.SQLite {
		bar.unit = "rows"
	}
	in.Progress = bar.at
	report, err := in.Run(ctx, conn)
	bar.end()
	for _, b := range report.Bad {
		if in.Skip {
			fmt.Fprintf(c.err, "skipped: %v\n", b)
		}
	}
	if more := report.Rejected - int64(len(report.Bad)); more > 0 {
		fmt.Fprintf(c.err, "skipped: %s more\n", present.Thousands(more))
	}
	for _, n := range report.Notes {
		fmt.Fprintln(c.out, "note:", n)
	}
	what := "rows"
	if bar.now.What == "statements" {
		what = "statements"
	}
	if report.Rows > 0 || err == nil {
		fmt.Fprintf(c.out, "%s %s in %v (%s a second)", present.Thousands(report.Rows), what, report.Elapsed.Round(time.Millisecond), present.Thousands(perSecond(report.Rows, report.Elapsed)))
		if report.Resumed {
			fmt.Fprintf(c.out, ", after %s that were there", present.Thousands(report.Before))
		}
		if report.Rejected > 0 && in.Skip {
			fmt.Fprintf(c.out, "; %s skipped", present.Thousands(report.Rejected))
		}
		fmt.Fprintln(c.out)
	}
	return err
}

func perSecond(n int64, d time.Duration) int64 { return int64(float64(n) / max(d.Seconds(), 1e-9)) }

// transferBar shows the progress of a transfer, table by table.
type transferBar struct {
	c    *console
	unit string
	bar  *progress
	now  transfer.Progress
	// began is the first call: what is soon done needs no lines in a log.
	began time.Time
}

const worthLines = 2 * time.Second

func (b *transferBar) at(p transfer.Progress) {
	if b.began.IsZero() {
		b.began = time.Now()
	}
	if p.Total > 0 && (b.c.live || time.Since(b.began) > worthLines) {
		if b.bar == nil || b.bar.total != p.Total {
			b.end()
			b.bar = newProgress(b.c, b.unit, p.Total)
		}
		b.bar.at(min(p.Done, p.Total))
	}
	b.now = p
}

func (b *transferBar) end() {
	if b.bar != nil {
		b.bar.end()
		b.bar = nil
	}
}

func exportCommand(c *console) *cobra.Command {
	var out transfer.Export
	cmd := &cobra.Command{
		Use:   "export [DSN] FILE",
		Short: "Write a table, a query's rows or everything to a file",
		Long: `Write to a file, as of one moment: a table or a query's rows as CSV or lines of JSON;
or tables, rows and views as a SQL dump, which MySQL and vitessdo import read, or with
--dialect sqlite the sqlite3 command. The name tells the format (.csv, .tsv, .jsonl,
.sql), and .gz that it is to be packed; - is standard output.

The file is replaced when all is written. Until then FILE.part is written: an export of
tables that was interrupted, or killed, goes on from there when the same command is
given again.`,
		Example: `  vitessdo export ./data orders.csv --table orders
  vitessdo export ./data big.jsonl.gz --query 'SELECT id, total FROM orders WHERE total > 100'
  vitessdo export ./data shop.sql
  vitessdo export ./data - --to sql --dialect sqlite | sqlite3 shop.db`,
	}
	f := cmd.Flags()
	f.StringSliceVar(&out.Tables, "table", nil, "the tables that are written; of a dump all, without it")
	f.StringVar(&out.Query, "query", "", "the query whose rows are written")
	to := f.String("to", "", "the format: csv, jsonl or sql")
	dialect := f.String("dialect", "mysql", "whose SQL a dump is in: mysql or sqlite")
	f.BoolVar(&out.NoData, "no-data", false, "leave the rows out of a dump")
	f.BoolVar(&out.NoSchema, "no-schema", false, "leave the tables' definitions out of a dump")
	f.BoolVar(&out.Restart, "restart", false, "begin anew, instead of going on with an interrupted export")
	finish := textFlags(f, &out.Text)
	cmd.RunE = c.onDSN(1, 1, func(dsn string, args []string) error {
		if err := finish(); err != nil {
			return err
		}
		out.Target, out.Format, out.Dialect, out.Stdout = args[0], transfer.Format(*to), transfer.Dialect(*dialect), c.out
		return c.exportFile(dsn, out)
	})
	return cmd
}

func (c *console) exportFile(dsn string, out transfer.Export) (err error) {
	ctx, stop := c.interruptible()
	defer func() {
		if !stop() || err == nil {
			return
		}
		err = errors.New("interrupted")
		if _, kept := os.Stat(out.Target + ".part"); kept == nil {
			err = errors.New("interrupted: the same command goes on from here")
		}
	}()
	bar := &transferBar{c: c, unit: "rows"}
	piped := out.Target == "-"
	if !piped {
		out.Progress = bar.at
	}
	_, db, conn, err := open(ctx, dsn, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(), db.Close()) }()
	done, err := out.Run(ctx, conn)
	bar.end()
	if err != nil {
		return err
	}
	for _, n := range done.Notes {
		fmt.Fprintln(c.err, "note:", n)
	}
	if !piped {
		fmt.Fprintf(c.out, "%s rows in %v (%s a second)", present.Thousands(done.Rows), done.Elapsed.Round(time.Millisecond), present.Thousands(perSecond(done.Rows, done.Elapsed)))
		if done.Resumed {
			fmt.Fprintf(c.out, ", after %s that an earlier run had written, as of its moment", present.Thousands(done.Before))
		}
		fmt.Fprintf(c.out, "; SHA-256 %s\n", done.Sum)
	}
	return nil
}
