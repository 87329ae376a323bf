// Command vitessdo-gate serves a vitessdo database to programs in other languages:
// over Cap'n Web, as vitessdo gate does, and over the MySQL protocol.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	_ "github.com/vitessdo/vitessdo/front/postgres" // dialect=postgres
	_ "github.com/vitessdo/vitessdo/front/sqlite"   // dialect=sqlite
	"github.com/vitessdo/vitessdo/gate/mysql"
	"github.com/vitessdo/vitessdo/gate/process"
)

func main() {
	p := process.New(&mysql.Process{})
	fs := flag.NewFlagSet("vitessdo-gate", flag.ExitOnError)
	p.Flags(fs)
	fs.Usage = func() {
		fmt.Fprintln(fs.Output(), "usage: vitessdo-gate [flags] DSN")
		fs.PrintDefaults()
	}
	_ = fs.Parse(os.Args[1:]) // it ends the program itself
	if fs.NArg() != 1 {
		fs.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := p.Serve(ctx, fs.Arg(0), os.Stdout, os.Stderr)
	stop()
	var bad process.UsageError
	switch {
	case errors.As(err, &bad):
		fmt.Fprintf(os.Stderr, "vitessdo-gate: %v\n", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "vitessdo-gate:", err)
		os.Exit(1)
	}
}
