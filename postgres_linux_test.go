//go:build !nopostgres

package vitessdo

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func init() {
	// docs/postgres.md says so of each.
	lacking["postgres"] = []ability{mysqlFunctions, oldStatesAtOnce, oldTables, anyText, roundsDefaults, keyOrder, assignsInTurn, looksOver, sqliteText, makesAnew}
	lacking["pglite"] = append([]ability{readersBesideWriters, oldStates, interrupts}, lacking["postgres"]...)
	for kind, start := range map[string]func() (*postgresTablets, error){"postgres": startPostgres, "pglite": startPGlite} {
		tabletKinds[kind] = func(tb testing.TB, query string) string { return "ws://" + inPostgres(tb, start) + "/?" + query }
	}
}

// postgresTablets is a process that has servers of shards in PostgreSQL: the client belongs to a
// module of its own.
type postgresTablets struct {
	mu      sync.Mutex
	in      io.Writer
	lines   *bufio.Scanner
	process *os.Process
}

var (
	startPostgres = sync.OnceValues(func() (*postgresTablets, error) { return startTablets() })
	startPGlite   = sync.OnceValues(func() (*postgresTablets, error) { return startTablets("pglite", filepath.Join("interop", "postgres")) })
)

func startTablets(args ...string) (*postgresTablets, error) {
	dir, err := os.MkdirTemp("", "vttablets")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "tablets")
	build := exec.Command("go", "build", "-o", program, "./internal/tablets")
	build.Dir = filepath.Join("interop", "postgres")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %s", err, out)
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // it ends with this process
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &postgresTablets{in: in, lines: bufio.NewScanner(out), process: cmd.Process}, nil
}

// ask has it do something, and gives the address that it answers with. A process that
// doesn't answer ends, and shows what its goroutines are doing.
func (p *postgresTablets) ask(what string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer time.AfterFunc(3*time.Minute, func() { _ = p.process.Signal(syscall.SIGQUIT) }).Stop()
	if _, err := fmt.Fprintln(p.in, what); err != nil {
		return "", err
	}
	for p.lines.Scan() {
		if addr, ok := strings.CutPrefix(p.lines.Text(), "at "); ok {
			return addr, nil
		}
		fmt.Println(p.lines.Text())
	}
	return "", fmt.Errorf("the process that has the shards in PostgreSQL has ended: %w", p.lines.Err())
}

// inPostgres gives the address of a server whose shards are in PostgreSQL.
func inPostgres(tb testing.TB, start func() (*postgresTablets, error)) string {
	p, err := start()
	if err != nil {
		tb.Fatal(err)
	}
	addr, err := p.ask("start")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := p.ask("stop " + addr); err != nil {
			tb.Error(err)
		}
	})
	return addr
}
