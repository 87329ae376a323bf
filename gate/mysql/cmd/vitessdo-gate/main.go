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

	"github.com/vitessdo/vitessdo/gate/mysql"
	"github.com/vitessdo/vitessdo/gate/process"
)

const usage = `usage: vitessdo-gate [flags] DSN

` + process.Usage + mysql.Usage

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := process.Run(ctx, os.Args[1:], os.Stdout, os.Stderr, &mysql.Process{})
	stop()
	var bad process.UsageError
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
	case errors.As(err, &bad):
		fmt.Fprintf(os.Stderr, "vitessdo-gate: %v\n%s", err, usage)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "vitessdo-gate:", err)
		os.Exit(1)
	}
}
