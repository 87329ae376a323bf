package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/interop/postgres/internal/cluster"
	"github.com/vitessdo/vitessdo/tabletserver"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tablets:", err)
		os.Exit(1)
	}
}

func run() error {
	pg, err := cluster.New()
	if pg != nil {
		defer pg.Stop()
	}
	if err != nil {
		return err
	}
	var made atomic.Int64
	engine := func(ctx context.Context) (tabletserver.Engine, error) {
		return postgres.Open(ctx, pg.URL("s"+strconv.FormatInt(made.Add(1), 10)), postgres.Options{})
	}
	servers := map[string]*server{}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		verb, addr, _ := strings.Cut(lines.Text(), " ")
		switch s := servers[addr]; {
		case verb == "start":
			s = serve(engine)
			servers[s.addr()] = s
			addr = s.addr()
		case verb == "stop" && s != nil:
			s.close()
			delete(servers, addr)
		default:
			return fmt.Errorf("%q isn't understood", lines.Text())
		}
		fmt.Println("at", addr)
	}
	for _, s := range servers {
		s.close()
	}
	return nil
}
