package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo"
)

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
