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
		fmt.Fprint(fs.Output(), "usage: vitessdo-gate [flags] DSN\n\nServe a database to programs in other languages until Ctrl-C: docs/gate.md.\n\n"+
			"  vitessdo-gate --tokens tokens.txt --mysql-users users.txt 'file:./data?shards=4'\n\n")
		fs.PrintDefaults()
	}
	_ = fs.Parse(os.Args[1:]) // it ends the program itself
	if fs.NArg() != 1 {
		fmt.Fprintf(os.Stderr, "vitessdo-gate: %d data source names given, 1 needed, behind the flags\nvitessdo-gate --help tells how to call it\n", fs.NArg())
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
