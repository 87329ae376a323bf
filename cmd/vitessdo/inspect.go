package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo"
)

func explainCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [DSN] SQL [ARG...]",
		Short: "Show which shards a statement goes to, and with which text",
		Long: `Show which shards a statement goes to, with which text, and how the gate combines
what they answer. Each ARG binds a ? of the statement.`,
		Example: `  vitessdo explain file:./data 'SELECT name FROM users WHERE id = ?' 7`,
		RunE: c.onDSN(1, many, func(dsn string, args []string) error {
			return c.inspect(dsn, func(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) error {
				return c.explain(ctx, conn, "", args[0], bound(args[1:])...)
			})
		}),
	}
}

// bound makes integers of what looks like one, and text of the rest.
func bound(words []string) []any {
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
		if n, err := strconv.ParseInt(w, 10, 64); err == nil {
			out[i] = n
		}
	}
	return out
}

func (c *console) explain(ctx context.Context, conn *sql.Conn, indent, text string, args ...any) error {
	text = strings.TrimRight(strings.TrimSpace(text), ";")
	rows, err := conn.QueryContext(ctx, "EXPLAIN FORMAT='vitess' "+text, args...)
	if err != nil {
		return err
	}
	_, err = printRows(c.out, rows, indent, false)
	return errors.Join(err, rows.Close())
}

func vschemaCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vschema",
		Short: "Look at how tables are sharded",
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "show [DSN]",
		Short:   "Print the VSchema as JSON",
		Example: `  vitessdo vschema show file:./data > vschema.json`,
		RunE: c.onDSN(0, 0, func(dsn string, _ []string) error {
			return c.inspect(dsn, c.showVSchema)
		}),
	})
	return group(cmd, "the verb")
}

func (c *console) showVSchema(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) error {
	var text string
	if err := conn.QueryRowContext(ctx, "SHOW VSCHEMA").Scan(&text); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.out, strings.TrimSpace(text))
	return err
}

func statusCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "status [DSN]",
		Short:   "List shards, files, sizes and the rows of every table",
		Example: `  vitessdo status file:./data`,
		RunE: c.onDSN(0, 0, func(dsn string, _ []string) error {
			return c.inspect(dsn, c.status)
		}),
	}
}

// status lists the shards with their files, and the tables with the rows that
// each shard holds.
func (c *console) status(ctx context.Context, cfg *vitessdo.Config, conn *sql.Conn) error {
	shards, err := column(ctx, conn, "SHOW VITESS_SHARDS")
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %s\n\n", cfg.Redacted(), count(int64(len(shards)), "shard"))
	c.printFiles(cfg, shards)
	byKeyspace := map[string][]string{}
	var order []string
	for _, s := range shards {
		ks, name, _ := strings.Cut(s, "/")
		if byKeyspace[ks] == nil {
			order = append(order, ks)
		}
		byKeyspace[ks] = append(byKeyspace[ks], name)
	}
	for _, ks := range order {
		if err := c.printTables(ctx, conn, ks, byKeyspace[ks]); err != nil {
			return err
		}
	}
	return nil
}

func (c *console) printFiles(cfg *vitessdo.Config, shards []string) {
	if cfg.Dir == "" {
		return
	}
	g := &grid{head: []string{"file", "size"}}
	names := make([]string, 0, len(shards)+2)
	for _, s := range shards {
		names = append(names, s+".db")
	}
	for _, name := range append(names, "catalog.db", "redo.log") {
		size, found := int64(0), false
		for _, suffix := range []string{"", "-wal"} {
			if st, err := os.Stat(filepath.Join(cfg.Dir, filepath.FromSlash(name+suffix))); err == nil {
				size, found = size+st.Size(), true
			}
		}
		if found {
			g.rows = append(g.rows, []cell{{text: name}, {sizeText(size), true}})
		}
	}
	g.print(c.out, "")
	fmt.Fprintln(c.out)
}

// printTables counts the rows of a keyspace's tables, shard by shard.
func (c *console) printTables(ctx context.Context, conn *sql.Conn, keyspace string, shards []string) error {
	defer conn.ExecContext(context.WithoutCancel(ctx), "USE "+quote(keyspace))
	if _, err := conn.ExecContext(ctx, "USE "+quote(keyspace)); err != nil {
		return err
	}
	tables, err := column(ctx, conn, "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
	if err != nil || len(tables) == 0 {
		return err
	}
	g := &grid{head: append([]string{"rows in " + keyspace}, append(shards, "all")...)}
	counts := make([][]int64, len(tables))
	for _, shard := range shards {
		if _, err := conn.ExecContext(ctx, "USE "+quote(keyspace+"/"+shard)); err != nil {
			return err
		}
		for i, t := range tables {
			var n int64
			if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+quote(t)).Scan(&n); err != nil {
				return err
			}
			counts[i] = append(counts[i], n)
		}
	}
	if _, err := conn.ExecContext(ctx, "USE "+quote(keyspace)); err != nil {
		return err
	}
	for i, t := range tables {
		// Copies of a reference table are not counted twice.
		var all int64
		if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+quote(t)).Scan(&all); err != nil {
			return err
		}
		row := []cell{{text: t}}
		for _, n := range append(counts[i], all) {
			row = append(row, cell{thousands(n), true})
		}
		g.rows = append(g.rows, row)
	}
	g.print(c.out, "")
	return nil
}

// column reads the first column of a result as text.
func column(ctx context.Context, conn *sql.Conn, query string) ([]string, error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	dest := make([]any, len(names))
	for i := range dest {
		dest[i] = new(any)
	}
	var out []string
	for rows.Next() {
		var first string
		dest[0] = &first
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		out = append(out, first)
	}
	return out, rows.Err()
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// sizeText prints a size.
func sizeText(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d kB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
