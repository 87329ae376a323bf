package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/present"
)

// vindexCommand makes, fills and verifies lookup vindexes.
func vindexCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vindex",
		Short: "Make, fill, verify and repair lookup vindexes",
	}
	repair := false
	verify := &cobra.Command{
		Use:   "verify [DSN] TABLE NAME",
		Short: "Compare a lookup vindex's entries with the rows",
		Example: `  vitessdo vindex verify file:./data users by_email
  vitessdo vindex verify --repair file:./data users by_email`,
		RunE: c.onDSN(2, 2, func(dsn string, args []string) error {
			return c.inspect(dsn, func(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) error {
				return c.verifyVindex(ctx, conn, args[0], args[1], repair)
			})
		}),
	}
	verify.Flags().BoolVar(&repair, "repair", false, "mend the entries")
	cmd.AddCommand(&cobra.Command{
		Use:   "create [DSN] TABLE NAME TYPE COLUMN,... PARAM=VALUE...",
		Short: "Add a lookup vindex to a table and fill it while writes go on",
		Long: `Add a lookup vindex to a table and fill it while writes go on. Parameters are
table, from and to: the table of the entries, and its columns.`,
		Example: `  vitessdo vindex create file:./data users by_email lookup_unique email \
      table=users_by_email from=email to=keyspace_id`,
		RunE: c.onDSN(5, many, c.createVindex),
	}, &cobra.Command{
		Use:     "backfill [DSN] TABLE NAME",
		Short:   "Fill a lookup vindex that is write-only, and take it into use",
		Example: `  vitessdo vindex backfill file:./data users by_email`,
		RunE: c.onDSN(2, 2, func(dsn string, args []string) error {
			return c.inspect(dsn, func(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) error {
				return c.backfill(ctx, conn, args[0], args[1])
			})
		}),
	}, verify)
	return group(cmd, "the verb")
}

// createVindex adds a lookup vindex to a table that stands, and fills it.
func (c *console) createVindex(dsn string, args []string) error {
	table, name := args[0], args[1]
	params := []string{"owner=" + literal(table), "write_only=true"}
	for _, p := range args[4:] {
		key, value, ok := strings.Cut(p, "=")
		if !ok {
			return usageError(fmt.Sprintf("%q must be param=value", p))
		}
		params = append(params, ident(key)+"="+literal(value))
	}
	columns := strings.Split(args[3], ",")
	for i, col := range columns {
		columns[i] = ident(strings.TrimSpace(col))
	}
	text := "ALTER VSCHEMA ON " + ident(table) + " ADD VINDEX " + ident(name) + "(" + strings.Join(columns, ", ") + ") USING " + args[2] +
		" WITH " + strings.Join(params, ", ")
	return c.inspect(dsn, func(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) error {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
		return c.backfill(ctx, conn, table, name)
	})
}

// ident quotes a name, literal a value.
func ident(s string) string   { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (c *console) backfill(ctx context.Context, conn *sql.Conn, table, vindex string) error {
	bar, step, err := c.rowsOf(ctx, conn, table)
	if err != nil {
		return err
	}
	err = vitessdo.BackfillVindex(ctx, conn, table, vindex, step)
	took := bar.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "vindex %s of table %s is filled and in use, after %v\n", vindex, table, took.Round(1e6))
	return nil
}

// rowsOf makes a progress bar over the rows of tables, and the function that moves
// it on.
func (c *console) rowsOf(ctx context.Context, conn *sql.Conn, tables ...string) (*progress, func(int64), error) {
	total := int64(0)
	for _, t := range tables {
		var n int64
		if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+ident(t)).Scan(&n); err != nil {
			return nil, nil, err
		}
		total += n
	}
	bar := newProgress(c, "rows", max(total, 1))
	done := int64(0)
	return bar, func(n int64) {
		done += n
		bar.at(min(done, bar.total)) // writes go on, so that there may be more than were counted
	}, nil
}

var errUnclean = errors.New("rows and entries don't agree; --repair mends what can be")

func (c *console) verifyVindex(ctx context.Context, conn *sql.Conn, table, name string, repair bool) error {
	bar, step, err := c.rowsOf(ctx, conn, table)
	if err != nil {
		return err
	}
	bar.total *= 2 // about as many entries as rows
	r, err := vitessdo.VerifyVindex(ctx, conn, table, name, repair, step)
	took := bar.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s and %s in %v\n", present.Count(r.Rows, "row"), entries(r.Entries), took.Round(1e6))
	for _, f := range []struct {
		n    int64
		what string
	}{{r.Missing, "rows without an entry"}, {r.Wrong, "entries that lead to the wrong place"}, {r.Stray, "entries without a row"},
		{r.Duplicate, "rows whose key another row has too"}, {r.Repaired, "repaired"}} {
		if f.n > 0 {
			fmt.Fprintf(c.out, "%8s  %s\n", present.Thousands(f.n), f.what)
		}
	}
	if !r.Clean() {
		return errUnclean
	}
	return nil
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return present.Thousands(n) + " entries"
}
