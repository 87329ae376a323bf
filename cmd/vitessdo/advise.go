package main

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/advise"
	"github.com/vitessdo/vitessdo/internal/present"
)

// adviseOptions are what the flags of advise say.
type adviseOptions struct {
	schema, out string
	shards, top int
	format      present.Format
}

func adviseCommand(c *console) *cobra.Command {
	var o adviseOptions
	cmd := &cobra.Command{
		Use:   "advise [DSN] LOG...",
		Short: "Suggest sharding keys and lookup vindexes for the statements of a log",
		Long: `Suggest sharding keys, reference tables and lookup vindexes for the statements of a
log, and show where each statement goes before and after. Every statement is planned
against the layouts that are tried, and weighed by how often it was run.

A LOG is MySQL's general or slow log, a file of statements, or lines of JSON, as the
driver's log writes them, and as it writes all statements of a program, of a test run for
instance, to the file that ` + vitessdo.StatementsVariable + ` names; - is standard input.

The tables are those of the database, or those that a file's CREATE TABLE, ALTER TABLE and
CREATE INDEX statements leave (--schema), as one of migrations does. --out writes the VSchema, for a new database (?vschema=FILE) or for vitessdo
vschema apply. Of a database, rows are counted, and values of columns: tables of up to
10,000 rows may become reference tables, and few values make no sharding key. Without one,
reference tables are
those that the log only reads and that don't look as if they grew.`,
		Example: `  vitessdo advise file:./data general.log
  ` + vitessdo.StatementsVariable + `=$PWD/statements.jsonl go test ./...
  vitessdo advise --schema schema.sql --shards 8 --out vschema.json statements.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.advise(cmd, args, o) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.schema, "schema", "", "`file` with the statements that make the tables, or a DSN, instead of a database")
	fs.IntVar(&o.shards, "shards", 0, "number of shards to plan for (default the database's, or 4)")
	fs.StringVar(&o.out, "out", "", "write the VSchema to this `file`")
	fs.IntVar(&o.top, "top", 20, "how many statements to list")
	c.formatFlag(cmd, &o.format, []string{"text", string(present.JSON)})
	return cmd
}

func (c *console) advise(cmd *cobra.Command, args []string, o adviseOptions) error {
	if o.shards < 0 || o.shards == 1 || o.shards > 256 {
		return usageError(fmt.Sprintf("--shards is %d; it must be from 2 to 256", o.shards))
	}
	in := advise.Input{Keyspace: "main", Shards: cmp.Or(o.shards, 4)}
	if isDSN(o.schema) {
		args, o.schema = append([]string{o.schema}, args...), ""
	}
	if o.schema != "" {
		text, err := os.ReadFile(o.schema)
		if err != nil {
			return err
		}
		if in.Creates, err = advise.Creates(string(text)); err != nil {
			return fmt.Errorf("%s: %w", o.schema, err)
		}
	} else {
		dsn, rest, err := c.source(args, many)
		if err != nil {
			return err
		}
		return c.inspect(dsn, func(ctx context.Context, cfg *vitessdo.Config, conn *sql.Conn) error {
			if err := liveInput(ctx, cfg, conn, &in, o.shards); err != nil {
				return err
			}
			return c.adviseOn(cmd, in, rest, o)
		})
	}
	return c.adviseOn(cmd, in, args, o)
}

// isDSN says whether what --schema names is a database and no file of statements.
func isDSN(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir() || err != nil && strings.Contains(name, ":")
}

// adviseOn advises on tables that are known, by the statements of logs.
func (c *console) adviseOn(cmd *cobra.Command, in advise.Input, logs []string, o adviseOptions) error {
	if err := arguments(1, many)(cmd, logs); err != nil {
		return usageError("the log is missing: a file of statements, or -")
	}
	var log advise.Log
	for _, name := range logs {
		if err := c.readLog(&log, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if in.Statements = log.Statements(); len(in.Statements) == 0 {
		return errors.New("there are no statements in the log")
	}
	a, err := advise.Advise(in)
	if err != nil {
		return err
	}
	if o.out != "" && !a.Kept {
		if err := os.WriteFile(o.out, []byte(a.VSchema), 0o644); err != nil {
			return err
		}
	}
	if o.format == present.JSON {
		e := json.NewEncoder(c.out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(a)
	}
	out := c.output(present.Table)
	out.Width = 0
	if err := a.Text(c.out, out, o.top); err != nil {
		return err
	}
	if o.out != "" && !a.Kept {
		fmt.Fprintf(c.out, "\nThe VSchema is in %s: make a new database with ?vschema=%[1]s, or see what vitessdo vschema apply says\n", o.out)
	}
	return nil
}

func (c *console) readLog(log *advise.Log, name string) error {
	if name == "-" {
		return log.Read(c.in)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(log.Read(io.Reader(f)), f.Close())
}

// liveInput reads the tables of a database, with their sizes and how they are sharded.
func liveInput(ctx context.Context, cfg *vitessdo.Config, conn *sql.Conn, in *advise.Input, shards int) error {
	in.Keyspace = keyspaceOf(cfg)
	list, err := column(ctx, conn, "SHOW VITESS_SHARDS LIKE '"+strings.ReplaceAll(in.Keyspace, "'", "''")+"/%'")
	if err != nil {
		return err
	}
	if shards == 0 && len(list) > 1 {
		in.Shards = len(list)
	}
	if len(list) > 1 {
		if in.VSchema, err = liveText(ctx, conn); err != nil {
			return err
		}
	}
	tables, err := column(ctx, conn, "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
	if err != nil {
		return err
	}
	in.Rows = map[string]int64{}
	in.Values = func(table, column string) (n int64, known bool) {
		err := conn.QueryRowContext(ctx, "SELECT COUNT(DISTINCT "+ident(column)+") FROM "+ident(table)).Scan(&n)
		return n, err == nil
	}
	for _, t := range tables {
		var name, create string
		var n int64
		if err := conn.QueryRowContext(ctx, "SHOW CREATE TABLE "+ident(t)).Scan(&name, &create); err != nil {
			return err
		}
		if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+ident(t)).Scan(&n); err != nil {
			return err
		}
		in.Creates = append(in.Creates, create)
		in.Rows[strings.ToLower(t)] = n
	}
	return nil
}
