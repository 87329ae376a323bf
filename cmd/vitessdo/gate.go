package main

import (
	"context"
	"errors"
	"flag"
	"io"

	"github.com/spf13/cobra"

	gates "github.com/vitessdo/vitessdo/gate/process"
	tablets "github.com/vitessdo/vitessdo/tabletserver/process"
)

// gateCommand serves a database to programs in other languages.
func gateCommand(c *console) *cobra.Command {
	p := gates.New()
	cmd := &cobra.Command{
		Use:   "gate [DSN]",
		Short: "Serve a database to programs in other languages",
		Long: `Serve a database to programs in other languages over HTTP and WebSockets, until
Ctrl-C. docs/gate.md tells how they speak to it. The program vitessdo-gate takes
the same flags and speaks the MySQL protocol too: cd gate/mysql && go build ./cmd/vitessdo-gate`,
		Example: `  vitessdo gate 'file:./data?shards=4'
  vitessdo gate --listen :8500 --tokens tokens.txt --tls-cert cert.pem --tls-key key.pem file:./data`,
		RunE: c.onDSN(0, 0, func(dsn string, _ []string) error { return c.serve(p.Serve, dsn) }),
	}
	goFlags(cmd, p.Flags)
	return cmd
}

// serveCommand serves the tablets of a directory to gates elsewhere.
func serveCommand(c *console) *cobra.Command {
	p := tablets.New()
	cmd := &cobra.Command{
		Use:   "serve DIR",
		Short: "Serve a directory's tablets to gates elsewhere",
		Long:  `Serve a directory's tablets to gates elsewhere, until Ctrl-C: docs/operations.md.`,
		Example: `  vitessdo serve ./data
  vitessdo serve --listen :8400 --tokens tokens.txt --tls-cert cert.pem --tls-key key.pem ./data`,
		Args: arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error { return c.serve(p.Serve, args[0]) },
	}
	goFlags(cmd, p.Flags)
	return cmd
}

// goFlags gives a command the flags of a process that has other callers too.
func goFlags(cmd *cobra.Command, add func(*flag.FlagSet)) {
	fs := flag.NewFlagSet(cmd.Name(), flag.ContinueOnError)
	add(fs)
	cmd.Flags().AddGoFlagSet(fs)
}

// serve runs a process until it is interrupted.
func (c *console) serve(run func(ctx context.Context, what string, out, logs io.Writer) error, what string) error {
	ctx, stop := c.interruptible()
	defer stop()
	err := run(ctx, what, c.out, c.err)
	var badGate gates.UsageError
	var badServer tablets.UsageError
	switch {
	case errors.As(err, &badGate):
		return usageError(badGate)
	case errors.As(err, &badServer):
		return usageError(badServer)
	case context.Cause(ctx) == errInterrupted && errors.Is(err, context.Canceled):
		return nil
	}
	return err
}
