package main

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/plantree"
	"github.com/vitessdo/vitessdo/internal/present"
)

// tree draws a plan.
const tree present.Format = "tree"

var planFormats = []string{string(tree), string(present.JSON), string(present.Table), string(present.CSV)}

func explainCommand(c *console) *cobra.Command {
	var format present.Format
	cmd := &cobra.Command{
		Use:   "explain [DSN] SQL [ARG...]",
		Short: "Show which shards a statement goes to, and what the gate does with their rows",
		Long: `Show which shards a statement goes to, with which text, and how the gate combines
what they answer. Each ARG binds a ? of the statement; put -- before the first that
begins with a dash. Nothing is run.`,
		Example: `  vitessdo explain file:./data 'SELECT name FROM users WHERE id = ?' 7
  vitessdo explain file:./data --format json 'SELECT COUNT(*) FROM users'`,
		RunE: c.onDSN(1, many, func(dsn string, args []string) error {
			return c.inspect(dsn, func(ctx context.Context, _ *vitessdo.Config, conn *sql.Conn) error {
				return c.explain(ctx, conn, format, args[0], bound(args[1:])...)
			})
		}),
	}
	c.formatFlag(cmd, &format, planFormats)
	return cmd
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

func (c *console) explain(ctx context.Context, conn *sql.Conn, format present.Format, text string, args ...any) error {
	p, err := plantree.Read(ctx, conn, strings.TrimRight(strings.TrimSpace(text), ";"), args...)
	if err != nil {
		return err
	}
	switch format {
	case tree:
		return p.Text(c.out, "")
	case present.JSON:
		return p.JSON(c.out)
	}
	return c.output(format).Grid(p.Grid())
}
