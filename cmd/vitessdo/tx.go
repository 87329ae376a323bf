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

// txCommand shows and settles the distributed transactions of a directory that
// nobody has open.
func txCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tx",
		Short: "List and settle what a crash left of commits over several shards",
		Long: `List and settle the transactions over several shards that a crash has left between
decision and commit, in a directory that nobody has open.`,
		Example: `  vitessdo tx list ./data
  vitessdo tx resolve ./data`,
	}
	verb := func(use, short string, needs int, run func(ctx context.Context, list []vitessdo.UnresolvedTransaction, args []string) error) *cobra.Command {
		v := &cobra.Command{
			Use: use, Short: short, Args: arguments(needs, needs),
			RunE: func(_ *cobra.Command, args []string) error {
				dir, err := directory(args[0])
				if err != nil {
					return err
				}
				ctx, stop := c.interruptible()
				defer stop()
				list, err := vitessdo.UnresolvedTransactions(ctx, dir)
				if err != nil {
					return err
				}
				args[0] = dir
				return run(ctx, list, args)
			},
		}
		cmd.AddCommand(v)
		return v
	}
	var format present.Format
	list := verb("list DIR", "List them", 1, func(_ context.Context, list []vitessdo.UnresolvedTransaction, _ []string) error {
		return c.printTransactions(list, format)
	})
	c.formatFlag(list, &format, dataFormats)
	verb("status DIR DTID", "Tell of one, by the ID that its error gave", 2, func(_ context.Context, list []vitessdo.UnresolvedTransaction, args []string) error {
		return c.txStatus(list, args[1])
	})
	verb("resolve DIR", "Settle them all, as every opening does, and say which", 1, func(ctx context.Context, list []vitessdo.UnresolvedTransaction, args []string) error {
		return c.txResolve(ctx, args[0], list)
	})
	return group(cmd, "the verb")
}

// directory takes the name of a directory, or a data source name that has one.
func directory(name string) (string, error) {
	if !strings.Contains(name, ":") {
		return name, nil
	}
	cfg, err := vitessdo.ParseDSN(name)
	switch {
	case err != nil:
		return "", usageError(err.Error())
	case cfg.Dir == "":
		return "", usageError(fmt.Sprintf("%s is no directory", cfg.Redacted()))
	}
	return cfg.Dir, nil
}

func (c *console) printTransactions(list []vitessdo.UnresolvedTransaction, format present.Format) error {
	if len(list) == 0 && format == present.Table {
		_, err := fmt.Fprintln(c.out, "no transaction is unresolved")
		return err
	}
	g := &present.Grid{Head: []string{"dtid", "state", "record_time", "participants", "missing on"}}
	for _, u := range list {
		g.Add(u.DTID, "COMMIT", u.Logged.UTC().Format("2006-01-02 15:04:05"), strings.Join(u.Participants, ","), strings.Join(u.Missing, ","))
	}
	return c.output(format).Grid(g)
}

func (c *console) txStatus(list []vitessdo.UnresolvedTransaction, dtid string) error {
	for _, u := range list {
		if u.DTID == dtid {
			return c.printTransactions([]vitessdo.UnresolvedTransaction{u}, present.Table)
		}
	}
	fmt.Fprintf(c.out, "transaction %s is settled, or never was\n", dtid)
	return nil
}

// txResolve opens the directory, which settles what it can, and says what that
// was.
func (c *console) txResolve(ctx context.Context, dir string, list []vitessdo.UnresolvedTransaction) (err error) {
	cfg := vitessdo.NewConfig()
	cfg.Dir = dir
	connector, err := vitessdo.NewConnector(cfg)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	left, err := unresolved(ctx, db)
	if err != nil {
		return err
	}
	for _, u := range list {
		if !left[u.DTID] {
			fmt.Fprintf(c.out, "transaction %s is committed on %s\n", u.DTID, strings.Join(u.Missing, ", "))
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%d transactions are still unresolved; SHOW UNRESOLVED TRANSACTIONS lists them", len(left))
	}
	if len(list) == 0 {
		fmt.Fprintln(c.out, "no transaction is unresolved")
	}
	return nil
}

// unresolved asks an open database.
func unresolved(ctx context.Context, db *sql.DB) (map[string]bool, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	keyspaces, err := column(ctx, conn, "SHOW VITESS_KEYSPACES")
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, ks := range keyspaces {
		ids, err := column(ctx, conn, "SHOW UNRESOLVED TRANSACTIONS FOR "+ident(ks))
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			out[id] = true
		}
	}
	return out, nil
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
