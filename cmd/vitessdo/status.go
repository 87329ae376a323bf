package main

import (
	"context"
	"database/sql"
	"io"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/present"
	"github.com/vitessdo/vitessdo/internal/status"
)

func statusCommand(c *console) *cobra.Command {
	var format present.Format
	cmd := &cobra.Command{
		Use:   "status [DSN]",
		Short: "Show shards, sizes, the rows of every table, and transactions in doubt",
		Long: `Show the shards with their sizes, the rows that every table has on each of them, how
even that is, and transactions over several shards that are in doubt. All rows are
counted. Skew is the rows of the fullest shard by those of the average one: 1 is even.`,
		Example: `  vitessdo status file:./data
  vitessdo status file:./data --format json`,
		RunE: c.onDSN(0, 0, func(dsn string, _ []string) error {
			return c.inspect(dsn, func(ctx context.Context, cfg *vitessdo.Config, conn *sql.Conn) error {
				return c.status(ctx, cfg, conn, format)
			})
		}),
	}
	c.formatFlag(cmd, &format, dataFormats)
	return cmd
}

func (c *console) status(ctx context.Context, cfg *vitessdo.Config, conn *sql.Conn, format present.Format) error {
	s, err := status.Read(ctx, conn, cfg.Redacted(), cfg.Dir)
	if err != nil {
		return err
	}
	switch format {
	case present.JSON:
		text, err := s.JSON()
		if err == nil {
			_, err = io.WriteString(c.out, text)
		}
		return err
	case present.CSV:
		return c.output(format).Grid(s.Grid())
	}
	return s.Text(c.out)
}
