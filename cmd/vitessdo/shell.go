package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo/internal/present"
	"github.com/vitessdo/vitessdo/internal/shell"
)

// historyVariable names the environment's variable that holds the history's file.
const historyVariable = "VITESSDO_HISTORY"

// scripts are what -e and -f give, in their order.
type scripts []script

type script struct {
	file bool
	text string // a file's name, or statements
}

// scriptFlag is -e or -f: both add to one list.
type scriptFlag struct {
	to   *scripts
	file bool
}

func (f scriptFlag) Set(text string) error {
	*f.to = append(*f.to, script{f.file, text})
	return nil
}

func (f scriptFlag) String() string { return "" }

func (f scriptFlag) Type() string {
	if f.file {
		return "file"
	}
	return "SQL"
}

func shellCommand(c *console) *cobra.Command {
	var run scripts
	s := &shell.Shell{}
	cmd := &cobra.Command{
		Use:   "shell [DSN]",
		Short: "Run statements from a prompt, from files or from standard input",
		Long: `Run statements from a prompt, from files or from standard input.

At the prompt statements end with ; and may have several lines. Tab completes names,
keywords and commands; \h lists the commands, such as \plan, which shows how a
statement is routed. Ctrl-C cancels what runs. What was typed is kept in the file
that ` + historyVariable + ` names, ~/.local/state/vitessdo/history without it.

Elsewhere the first error ends the script, with the line where its statement begins
and exit code 1, unless --keep-going is given.`,
		Example: `  vitessdo shell 'file:./data?shards=4'
  vitessdo shell file:./data < schema.sql
  vitessdo shell file:./data -f schema.sql -f data.sql
  vitessdo shell file:./data --format csv -e 'SELECT id, name FROM users' > users.csv
  vitessdo shell file:./data --plan -e 'SELECT COUNT(*) FROM users'`,
		RunE: c.onDSN(0, 0, func(dsn string, _ []string) error { return c.shell(dsn, s, run) }),
	}
	fs := cmd.Flags()
	fs.VarP(scriptFlag{to: &run}, "execute", "e", "run these statements instead of a prompt; may be repeated")
	fs.VarP(scriptFlag{&run, true}, "file", "f", "run the statements of a file (- for standard input); may be repeated")
	c.formatFlag(cmd, &s.Output.Format, present.Formats)
	fs.BoolVar(&s.Plans, "plan", false, "show before each statement how it is routed")
	fs.BoolVar(&s.Timing, "timing", c.prompt, "tell behind each statement what it did and how long it took")
	fs.BoolVar(&s.KeepGoing, "keep-going", false, "run what follows a statement that fails")
	return cmd
}

func (c *console) shell(dsn string, s *shell.Shell, run scripts) error {
	cfg, db, conn, err := open(context.Background(), dsn, false)
	if err != nil {
		return err
	}
	s.DB, s.Conn, s.Err, s.Interruptible = db, conn, c.err, c.interruptible
	s.Output = c.output(s.Output.Format)
	switch {
	case len(run) > 0:
		err = c.scripts(s, run)
	case c.prompt:
		fmt.Fprintf(c.out, "vitessdo %s on %s; \\h for help, \\q to leave\n", version, cfg.Redacted())
		err = s.Prompt(c.history(), c.interrupts)
	default:
		err = s.Script("", c.in)
	}
	if err == nil {
		err = s.Failed()
	}
	return errors.Join(err, conn.Close(), db.Close())
}

func (c *console) scripts(s *shell.Shell, run scripts) error {
	for _, x := range run {
		var err error
		if x.file {
			err = s.File(x.text, c.in)
		} else {
			err = s.Script("", strings.NewReader(x.text))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// history names the file that keeps what was typed.
func (c *console) history() string {
	if file := c.env(historyVariable); file != "" {
		return file
	}
	if dir := c.env("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "vitessdo", "history")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "vitessdo", "history")
}
