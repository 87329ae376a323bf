package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/vitessdo/vitessdo"
)

// runVindex makes, fills and verifies lookup vindexes.
func runVindex(c *console, args []string) error {
	verbs := map[string]func(*console, []string) error{"create": createVindex, "backfill": backfillVindex, "verify": verifyVindex}
	if len(args) == 0 || verbs[args[0]] == nil {
		return usageError("say vindex create, vindex backfill or vindex verify")
	}
	return verbs[args[0]](c, args[1:])
}

// createVindex adds a lookup vindex to a table that stands, and fills it.
func createVindex(c *console, args []string) error {
	fs := flags(c, "vindex create")
	if err := parse(fs, args, 6, 6+maxArguments); err != nil {
		return err
	}
	table, name := fs.Arg(1), fs.Arg(2)
	params := []string{"owner=" + literal(table), "write_only=true"}
	for _, p := range fs.Args()[5:] {
		key, value, ok := strings.Cut(p, "=")
		if !ok {
			return usageError(fmt.Sprintf("%q must be param=value", p))
		}
		params = append(params, ident(key)+"="+literal(value))
	}
	columns := strings.Split(fs.Arg(4), ",")
	for i, col := range columns {
		columns[i] = ident(strings.TrimSpace(col))
	}
	text := "ALTER VSCHEMA ON " + ident(table) + " ADD VINDEX " + ident(name) + "(" + strings.Join(columns, ", ") + ") USING " + fs.Arg(3) +
		" WITH " + strings.Join(params, ", ")
	return c.inspect(fs.Arg(0), func(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) error {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
		return c.backfill(ctx, conn, table, name)
	})
}

// ident quotes a name, literal a value.
func ident(s string) string   { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func backfillVindex(c *console, args []string) error {
	fs := flags(c, "vindex backfill")
	if err := parse(fs, args, 3, 3); err != nil {
		return err
	}
	return c.inspect(fs.Arg(0), func(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) error {
		return c.backfill(ctx, conn, fs.Arg(1), fs.Arg(2))
	})
}

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

var errUnclean = errors.New("rows and entries don't agree; -repair mends what can be")

func verifyVindex(c *console, args []string) error {
	fs := flags(c, "vindex verify")
	repair := fs.Bool("repair", false, "")
	if err := parse(fs, args, 3, 3); err != nil {
		return err
	}
	return c.inspect(fs.Arg(0), func(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) error {
		bar, step, err := c.rowsOf(ctx, conn, fs.Arg(1))
		if err != nil {
			return err
		}
		bar.total *= 2 // about as many entries as rows
		r, err := vitessdo.VerifyVindex(ctx, conn, fs.Arg(1), fs.Arg(2), *repair, step)
		took := bar.end()
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s and %s in %v\n", count(r.Rows, "row"), entries(r.Entries), took.Round(1e6))
		for _, f := range []struct {
			n    int64
			what string
		}{{r.Missing, "rows without an entry"}, {r.Wrong, "entries that lead to the wrong place"}, {r.Stray, "entries without a row"},
			{r.Duplicate, "rows whose key another row has too"}, {r.Repaired, "repaired"}} {
			if f.n > 0 {
				fmt.Fprintf(c.out, "%8s  %s\n", thousands(f.n), f.what)
			}
		}
		if !r.Clean() {
			return errUnclean
		}
		return nil
	})
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return thousands(n) + " entries"
}
