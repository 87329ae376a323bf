package main

import (
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
	"github.com/vitessdo/vitessdo/internal/present"
	"github.com/vitessdo/vitessdo/internal/vschemadiff"
	"github.com/vitessdo/vitessdo/vschema"
)

func vschemaCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vschema",
		Short: "Look at, check and change how tables are sharded",
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "show [DSN]",
		Short:   "Print the VSchema as JSON",
		Example: `  vitessdo vschema show file:./data > vschema.json`,
		RunE: c.onDSN(0, 0, func(dsn string, _ []string) error {
			return c.inspect(dsn, c.showVSchema)
		}),
	}, &cobra.Command{
		Use:   "check [DSN] FILE",
		Short: "Check a VSchema file against the tables that there are",
		Long: `Check a VSchema file, ours or Vitess's, against the tables that there are. What is wrong
is told with its line; the exit code is 1 then.`,
		Example: `  vitessdo vschema check file:./data vschema.json`,
		RunE: c.onDSN(1, 1, func(dsn string, args []string) error {
			return c.checkVSchema(dsn, args[0])
		}),
	}, c.diffVSchemaCommand(), c.applyVSchemaCommand())
	return group(cmd, "the verb")
}

func (c *console) diffVSchemaCommand() *cobra.Command {
	var format present.Format
	cmd := &cobra.Command{
		Use:   "diff FROM TO",
		Short: "Tell what leads from one VSchema to another",
		Long: `Tell what leads from one VSchema to another; each is a file, a data source name or a
directory. + is what only TO has, - what only FROM has, ~ what is otherwise.`,
		Example: `  vitessdo vschema diff file:./data vschema.json
  vitessdo vschema diff old.json new.json --format json`,
		Args: arguments(2, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			from, err := c.anyVSchema(args[0])
			if err != nil {
				return err
			}
			to, err := c.anyVSchema(args[1])
			if err != nil {
				return err
			}
			return c.printChanges(vschemadiff.Diff(from, to), format)
		},
	}
	c.formatFlag(cmd, &format, []string{"text", string(present.JSON)})
	return cmd
}

func (c *console) applyVSchemaCommand() *cobra.Command {
	dry := false
	cmd := &cobra.Command{
		Use:   "apply [DSN] FILE",
		Short: "Bring a database's VSchema in line with a file",
		Long: `Bring a database's VSchema in line with a file, and say what changes. A lookup vindex
that is new on a table with rows is filled. Tables that the file doesn't have stay as
they are. What would move rows is refused before anything is changed.`,
		Example: `  vitessdo vschema apply file:./data vschema.json --dry-run
  vitessdo vschema apply file:./data vschema.json`,
		RunE: c.onDSN(1, 1, func(dsn string, args []string) error {
			return c.applyVSchema(dsn, args[0], dry)
		}),
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would change, and change nothing")
	return cmd
}

func liveText(ctx context.Context, conn *sql.Conn) (text string, err error) {
	err = conn.QueryRowContext(ctx, "SHOW VSCHEMA").Scan(&text)
	return strings.TrimSpace(text), err
}

func liveVSchema(ctx context.Context, conn *sql.Conn) (*vschema.VSchema, error) {
	text, err := liveText(ctx, conn)
	if err != nil {
		return nil, err
	}
	return vschema.Parse([]byte(text))
}

func (c *console) showVSchema(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) error {
	text, err := liveText(ctx, conn)
	if err == nil {
		_, err = fmt.Fprintln(c.out, text)
	}
	return err
}

// readVSchema reads a file; what is wrong with it is an error with its line.
func readVSchema(name, keyspace string) (data []byte, v *vschema.VSchema, err error) {
	if data, err = os.ReadFile(name); err != nil {
		return nil, nil, err
	}
	if v, err = vschemadiff.Parse(data, keyspace); err != nil {
		return nil, nil, errors.New(place(name, vschemadiff.Syntax(data, err)))
	}
	return data, v, nil
}

func place(file string, f vschemadiff.Finding) string {
	if f.Line == 0 {
		return file + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", file, f.Line, f.Column, f.Text)
}

// anyVSchema reads that of a file or of a database.
func (c *console) anyVSchema(name string) (v *vschema.VSchema, err error) {
	if st, e := os.Stat(name); e == nil && !st.IsDir() {
		_, v, err = readVSchema(name, "main")
		return v, err
	}
	dsn, _, err := c.source([]string{name}, 0)
	if err != nil {
		return nil, err
	}
	err = c.inspect(dsn, func(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) (err error) {
		v, err = liveVSchema(ctx, conn)
		return err
	})
	return v, err
}

// against reads a VSchema file, and what a database has to be held against it.
func (c *console) against(dsn, file string, f func(data []byte, v, live *vschema.VSchema, have vschemadiff.Columns) error) error {
	return c.inspect(dsn, func(ctx context.Context, cfg *vitessdo.Config, conn *sql.Conn) error {
		data, v, err := readVSchema(file, keyspaceOf(cfg))
		if err != nil {
			return err
		}
		live, err := liveVSchema(ctx, conn)
		if err != nil {
			return err
		}
		have, err := liveColumns(ctx, conn, live)
		if err != nil {
			return err
		}
		return f(data, v, live, have)
	})
}

func (c *console) checkVSchema(dsn, file string) error {
	return c.against(dsn, file, func(data []byte, v, live *vschema.VSchema, have vschemadiff.Columns) error {
		found := vschemadiff.Check(data, v, live, have)
		for _, f := range found {
			fmt.Fprintln(c.out, place(file, f))
		}
		if len(found) > 0 {
			return fmt.Errorf("%s in %s", present.Count(int64(len(found)), "finding"), file)
		}
		_, err := fmt.Fprintln(c.out, file+": ok")
		return err
	})
}

func keyspaceOf(cfg *vitessdo.Config) string {
	if name, _, _ := strings.Cut(cfg.Keyspace, "/"); name != "" {
		return name
	}
	return "main"
}

// liveColumns lists the columns of all tables.
func liveColumns(ctx context.Context, conn *sql.Conn, live *vschema.VSchema) (vschemadiff.Columns, error) {
	have := vschemadiff.Columns{}
	for name := range live.Keyspaces {
		have[name] = map[string][]string{}
	}
	rows, err := conn.QueryContext(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.columns ORDER BY TABLE_NAME, ORDINAL_POSITION")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var keyspace, table, column string
		if err := rows.Scan(&keyspace, &table, &column); err != nil {
			return nil, err
		}
		if tables := have[keyspace]; tables != nil {
			key := strings.ToLower(table)
			tables[key] = append(tables[key], column)
		}
	}
	return have, rows.Err()
}

func (c *console) printChanges(list []vschemadiff.Change, format present.Format) error {
	if format == present.JSON {
		if list == nil {
			list = []vschemadiff.Change{}
		}
		text, err := json.MarshalIndent(list, "", "  ")
		if err == nil {
			_, err = fmt.Fprintln(c.out, string(text))
		}
		return err
	}
	for _, change := range list {
		fmt.Fprintln(c.out, change)
	}
	if len(list) == 0 {
		fmt.Fprintln(c.out, "they are the same")
	}
	return nil
}

func (c *console) applyVSchema(dsn, file string, dry bool) error {
	var fill []vschemadiff.Change
	err := c.against(dsn, file, func(_ []byte, v, live *vschema.VSchema, have vschemadiff.Columns) (err error) {
		fill, err = c.planApply(file, live, v, have)
		return err
	})
	if err != nil || dry {
		return err
	}
	cfg, err := vitessdo.ParseDSN(dsn)
	if err != nil {
		return err
	}
	cfg.VSchema = file
	connector, err := vitessdo.NewConnector(cfg)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	ctx, stop := c.interruptible()
	defer stop()
	conn, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	for _, f := range fill {
		if _, err = conn.ExecContext(ctx, "USE "+ident(f.Keyspace)); err == nil {
			err = c.backfill(ctx, conn, f.Table, strings.TrimPrefix(f.What, "vindex "))
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		_, err = io.WriteString(c.out, "applied\n")
	}
	return errors.Join(err, conn.Close(), db.Close())
}

// planApply tells what changes, refuses what would move rows, and gives the lookup
// vindexes that are to be filled.
func (c *console) planApply(name string, live, file *vschema.VSchema, have vschemadiff.Columns) (fill []vschemadiff.Change, err error) {
	var moving []string
	shown := 0
	for _, change := range vschemadiff.Diff(live, file) {
		if change.Sign == "-" {
			continue // it stays
		}
		shown++
		fmt.Fprintln(c.out, change)
		if change.Table != "" && have[change.Keyspace][strings.ToLower(change.Table)] != nil {
			moving = append(moving, change.Keyspace+"."+change.Table)
		}
		vindex, isVindex := strings.CutPrefix(change.What, "vindex ")
		if !isVindex || file.Keyspaces[change.Keyspace] == nil {
			continue
		}
		d := file.Keyspaces[change.Keyspace].Vindexes[vindex]
		if vschema.IsLookupType(d.Type) && have[change.Keyspace][strings.ToLower(d.Owner)] != nil && d.Params["write_only"] != "true" {
			change.Table = d.Owner
			fill = append(fill, change)
		}
	}
	if shown == 0 {
		fmt.Fprintln(c.out, "nothing changes")
	}
	if len(moving) > 0 {
		return nil, fmt.Errorf("rows of %s would have to move, so nothing was changed: make a new database with ?vschema=%s, and copy the rows by vitessdo export and import; or make a new table, copy by INSERT ... SELECT, and rename",
			strings.Join(moving, ", "), name)
	}
	return fill, nil
}
