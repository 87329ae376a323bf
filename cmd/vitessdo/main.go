package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/gate/process"
	tablets "github.com/vitessdo/vitessdo/tabletserver/process"
)

// version is the release that this tree becomes.
const version = "0.1.0-dev"

const (
	exitFailed = 1
	exitUsage  = 2
)

const usage = `vitessdo: one sharded SQL database over many small SQLite databases

usage: vitessdo COMMAND [flags] [arguments]

  demo [-shards N] [-rows N] [-dir DIR] [-keep]
                       run the tour: a tenant-sharded shop on an embedded cluster
                       (4 shards, 100000 rows, in a temporary directory; -keep
                       leaves that, -dir names another, which stays)
  shell DSN            run statements from a prompt, or from standard input
  explain DSN SQL [ARG …]
                       show which shards a statement goes to; each ARG binds a ?
  vschema DSN          print the VSchema as JSON
  status DSN           list shards, files, sizes and the rows of every table
  vindex create DSN TABLE NAME TYPE COLUMN,… PARAM=VALUE …
                       add a lookup vindex to a table and fill it while writes go
                       on; parameters are table, from and to
  vindex backfill DSN TABLE NAME
                       fill one that is write-only, and take it into use
  vindex verify [-repair] DSN TABLE NAME
                       compare its entries with the rows; -repair mends them
  tx list DIR          list the transactions over several shards that a crash has
                       left between decision and commit; DIR must not be open
  tx status DIR DTID   tell of one, by the ID that its error gave
  tx resolve DIR       settle them all, as every opening does, and say which
  gate [flags] DSN     serve the database to other languages (docs/gate.md), until
                       Ctrl-C; vitessdo-gate also speaks the MySQL protocol
` + process.Usage + `  serve [flags] DIR    serve the directory's tablets to gates elsewhere
                       (docs/operations.md), until Ctrl-C:
                         vitessdo serve ./data
                         vitessdo serve -listen :8400 -tokens tokens.txt \
                             -tls-cert cert.pem -tls-key key.pem ./data
` + tablets.Usage + `  version              print the version
  help                 print this text

DSN is a data source name, such as 'file:./data?shards=4' or ':memory:?shards=2'.
Quote it: the shell would take ? and & for itself.
`

// console is where a command reads and writes. Tests put buffers in its place.
type console struct {
	in       io.Reader
	out, err io.Writer
	// interrupts delivers Ctrl-C.
	interrupts <-chan os.Signal
	// prompt: a person types; live: out can draw over a line.
	prompt, live bool
}

// command is one subcommand; its error may be a usageError.
type command struct {
	name string
	run  func(*console, []string) error
}

var commands = []command{
	{"demo", runDemo},
	{"shell", runShell},
	{"explain", runExplain},
	{"vschema", runVSchema},
	{"status", runStatus},
	{"vindex", runVindex},
	{"tx", runTx},
	{"gate", runGate},
	{"serve", runServe},
	{"version", runVersion},
}

// later are the commands that error texts of the driver name already, with the
// way to do without.
var later = map[string]string{
	"reshard": "open a new directory with the shards you want, and copy the tables into it",
}

// usageError says what was wrong with the arguments.
type usageError string

func (e usageError) Error() string { return string(e) }

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(&console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, interrupts: signals,
		prompt: isTerminal(os.Stdin) && isTerminal(os.Stdout), live: isTerminal(os.Stdout),
	}, os.Args[1:]))
}

// run runs one command line and gives the exit code.
func run(c *console, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(c.err, usage)
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(c.out, usage)
		return 0
	case "-version", "--version":
		args = []string{"version"}
	}
	for _, cmd := range commands {
		if cmd.name != args[0] {
			continue
		}
		err := cmd.run(c, args[1:])
		var bad usageError
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.As(err, &bad):
			fmt.Fprintf(c.err, "vitessdo %s: %v\n", cmd.name, err)
			fmt.Fprintln(c.err, "vitessdo help tells how to call it")
			return exitUsage
		}
		fmt.Fprintln(c.err, "vitessdo "+cmd.name+":", err)
		return exitFailed
	}
	if way, ok := later[args[0]]; ok {
		fmt.Fprintf(c.err, "vitessdo %s is not built yet: %s\n", args[0], way)
		return exitFailed
	}
	fmt.Fprintf(c.err, "vitessdo: unknown command %q\n", args[0])
	fmt.Fprint(c.err, usage)
	return exitUsage
}

// flags makes a flag set whose errors are usageErrors.
func flags(c *console, name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() { fmt.Fprint(c.out, usage) }
	return fs
}

func parse(fs *flag.FlagSet, args []string, least, most int) error {
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.Usage()
			return err
		}
		return usageError(err.Error())
	}
	switch n := fs.NArg(); {
	case n < least && least == 1:
		return usageError("the data source name is missing")
	case n < least:
		return usageError(fmt.Sprintf("%d arguments given, %d needed", n, least))
	case n > most:
		return usageError(fmt.Sprintf("unexpected argument %q", fs.Arg(most)))
	}
	return nil
}

// open checks the data source name and opens one connection. With mustExist, a
// directory that isn't there is an error instead of being created.
func open(ctx context.Context, dsn string, mustExist bool) (*vitessdo.Config, *sql.DB, *sql.Conn, error) {
	cfg, err := vitessdo.ParseDSN(dsn)
	if err != nil {
		return nil, nil, nil, usageError(err.Error())
	}
	if mustExist && cfg.Dir != "" {
		if _, err := os.Stat(cfg.Dir); errors.Is(err, fs.ErrNotExist) {
			return nil, nil, nil, fmt.Errorf("there is no directory %s; vitessdo shell creates it", cfg.Dir)
		}
	}
	connector, err := vitessdo.NewConnector(cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	db := sql.OpenDB(connector)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	return cfg, db, conn, nil
}

// interruptible gives a context that Ctrl-C ends. stop must be called; it says
// whether that happened.
func (c *console) interruptible() (ctx context.Context, stop func() bool) {
	ctx, cancel := context.WithCancelCause(context.Background())
	done, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		select {
		case <-c.interrupts:
			cancel(errInterrupted)
		case <-done:
		}
	}()
	return ctx, func() bool {
		close(done)
		<-finished
		was := context.Cause(ctx) == errInterrupted
		cancel(nil)
		return was
	}
}

var errInterrupted = errors.New("interrupted")

func runVersion(c *console, args []string) error {
	if err := parse(flags(c, "version"), args, 0, 0); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "vitessdo %s %s %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				fmt.Fprintf(c.out, " %.12s", s.Value)
			}
		}
	}
	fmt.Fprintln(c.out)
	return nil
}

// isTerminal says whether a person is at the other end: a character device
// other than the null device, on a terminal that understands control codes.
func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(st, null)
}
