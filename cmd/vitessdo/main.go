package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo"
	_ "github.com/vitessdo/vitessdo/front/sqlite" // dialect=sqlite
)

// version is the release that this tree becomes.
const version = "0.1.0-dev"

const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(&console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv, interrupts: signals,
		prompt: isTerminal(os.Stdin) && isTerminal(os.Stdout), live: isTerminal(os.Stdout),
	}, os.Args[1:]))
}

// run runs one command line and gives the exit code.
func run(c *console, args []string) int {
	root := rootCommand(c)
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	fmt.Fprintf(c.err, "%s: %v\n", cmd.CommandPath(), err)
	var bad usageError
	if errors.As(err, &bad) {
		fmt.Fprintf(c.err, "%s --help tells how to call it\n", cmd.CommandPath())
		return exitUsage
	}
	if errors.Is(err, errInterrupted) {
		return exitInterrupted
	}
	return exitFailed
}

// rootCommand makes the tree of all commands.
func rootCommand(c *console) *cobra.Command {
	root := group(&cobra.Command{
		Use:   "vitessdo",
		Short: "One sharded SQL database over many small SQLite databases",
		Long: `One sharded SQL database over many small SQLite databases.

DSN is a data source name, such as 'file:./data?shards=4' or ':memory:?shards=2';
quote it, as the shell would take ? and & for itself. The directory of a database
that exists does as well, and without either the variable VITESSDO_DSN is used.

The exit code is 0 when all went well, 1 when the work failed, 2 when the arguments
were wrong, and 130 when it was interrupted.`,
		Example: `  vitessdo demo
  vitessdo shell 'file:./data?shards=4'
  VITESSDO_DSN=file:./data vitessdo status`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}, "")
	root.SetVersionTemplate(versionText())
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(flagError)
	root.AddGroup(
		&cobra.Group{ID: "sql", Title: "Statements:"},
		&cobra.Group{ID: "data", Title: "Databases:"},
		&cobra.Group{ID: "serve", Title: "Servers:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, cmd := range cmds {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add("sql", demoCommand(c), shellCommand(c), explainCommand(c), adviseCommand(c), benchCommand(c))
	add("data", statusCommand(c), importCommand(c), exportCommand(c), reshardCommand(c), vschemaCommand(c), vindexCommand(c), txCommand(c))
	add("serve", serveCommand(c), gateCommand(c))
	root.AddCommand(versionCommand(c))
	return root
}

func versionCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(c.out, versionText())
			return err
		},
	}
}

func versionText() string {
	text := fmt.Sprintf("vitessdo %s %s %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				text += fmt.Sprintf(" %.12s", s.Value)
			}
		}
	}
	return text + "\n"
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

// inspect runs fn on a database that must exist; Ctrl-C cancels it.
func (c *console) inspect(dsn string, fn func(context.Context, *vitessdo.Config, *sql.Conn) error) error {
	ctx, stop := c.interruptible()
	defer stop()
	cfg, db, conn, err := open(ctx, dsn, true)
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, cfg, conn), conn.Close(), db.Close())
}
