package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/interop/postgres/internal/cluster"
	"github.com/vitessdo/vitessdo/interop/postgres/internal/pglite"
	"github.com/vitessdo/vitessdo/tabletserver"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "tablets:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	lines, wanted := listen(in)
	engine, stop, err := databases(args)
	defer stop()
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- serveAll(engine, lines, out) }()
	select {
	case err = <-failed:
	case <-wanted.Done():
	}
	return err
}

// listen gives what is asked for, and a context that ends with the input, or with a
// signal that ends the process.
func listen(in io.Reader) (<-chan string, context.Context) {
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	lines := make(chan string)
	go func() {
		defer end()
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines, ctx
}

// databases starts the databases' server, and says how one more is opened.
func databases(args []string) (engine func(context.Context) (tabletserver.Engine, error), stop func(), err error) {
	if len(args) == 2 && args[0] == "pglite" {
		s, err := pglite.New(args[1])
		if err != nil {
			return nil, func() {}, err
		}
		return s.Engine, s.Stop, nil
	}
	pg, err := cluster.New()
	stop = func() {}
	if pg != nil {
		stop = pg.Stop
	}
	var made atomic.Int64
	return func(ctx context.Context) (tabletserver.Engine, error) {
		return postgres.Open(ctx, pg.URL("s"+strconv.FormatInt(made.Add(1), 10)), postgres.Options{})
	}, stop, err
}

// serveAll does what the lines say, until one isn't understood.
func serveAll(engine func(context.Context) (tabletserver.Engine, error), lines <-chan string, out io.Writer) error {
	servers := map[string]*server{}
	for line := range lines {
		verb, addr, _ := strings.Cut(line, " ")
		switch s := servers[addr]; {
		case verb == "start":
			s = serve(engine)
			servers[s.addr()] = s
			addr = s.addr()
		case verb == "stop" && s != nil:
			s.close()
			delete(servers, addr)
		default:
			return fmt.Errorf("%q isn't understood", line)
		}
		fmt.Fprintln(out, "at", addr)
	}
	return nil
}
