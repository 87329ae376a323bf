package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const shellHelp = `statements end with ; (or with \G, to print a row as lines)
  \q  or Ctrl-D   leave
  \h              this help
  Ctrl-C          cancel the running statement, or forget the one being typed
  SHOW TABLES; DESCRIBE t; SHOW VITESS_SHARDS; EXPLAIN FORMAT='vitess' SELECT …;
  USE ` + "`main/-80`" + `;  send what follows to one shard only; USE main; ends that
`

// shell runs statements on one connection, so that transactions and USE hold
// from one to the next.
type shell struct {
	*console
	conn  *sql.Conn
	parts splitter
}

func shellCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "shell [DSN]",
		Short: "Run statements from a prompt, or from standard input",
		Example: `  vitessdo shell 'file:./data?shards=4'
  vitessdo shell file:./data < schema.sql`,
		RunE: c.onDSN(0, 0, func(dsn string, _ []string) error { return c.shell(dsn) }),
	}
}

func (c *console) shell(dsn string) error {
	cfg, db, conn, err := open(context.Background(), dsn, false)
	if err != nil {
		return err
	}
	s := &shell{console: c, conn: conn}
	if c.prompt {
		fmt.Fprintf(c.out, "vitessdo %s on %s; \\h for help, \\q to leave\n", version, cfg.Redacted())
	}
	err = s.loop()
	return errors.Join(err, conn.Close(), db.Close())
}

// loop reads lines and runs what they hold. From a prompt it goes on after an
// error; from a file or pipe the first error ends it.
func (s *shell) loop() error {
	stop := make(chan struct{})
	defer close(stop)
	lines, readErr := s.read(stop)
	for {
		s.showPrompt()
		select {
		case <-s.interrupts:
			if !s.prompt {
				return errInterrupted
			}
			s.parts.rest()
			fmt.Fprintln(s.out)
		case line, ok := <-lines:
			if !ok {
				return errors.Join(*readErr, s.end())
			}
			quit, err := s.take(line)
			if quit || err != nil {
				return err
			}
		}
	}
}

// read gives the input's lines. The error is valid once the channel is closed.
func (s *shell) read(stop <-chan struct{}) (<-chan string, *error) {
	lines, err := make(chan string), new(error)
	go func() {
		defer close(lines)
		r := bufio.NewReader(s.in)
		for {
			line, e := r.ReadString('\n')
			if line != "" {
				select {
				case lines <- strings.TrimRight(line, "\r\n"):
				case <-stop:
					return
				}
			}
			if e != nil {
				if e.Error() != "EOF" {
					*err = e
				}
				return
			}
		}
	}()
	return lines, err
}

func (s *shell) showPrompt() {
	switch {
	case !s.prompt:
	case s.parts.pending():
		fmt.Fprint(s.out, "     -> ")
	default:
		fmt.Fprint(s.out, "vitessdo> ")
	}
}

// end runs the last statement of an input that doesn't end with a semicolon.
func (s *shell) end() error {
	if s.prompt {
		fmt.Fprintln(s.out)
		return nil
	}
	if text := s.parts.rest(); text != "" {
		return s.run(statement{text: text})
	}
	return nil
}

func (s *shell) take(line string) (quit bool, err error) {
	if !s.parts.pending() {
		switch strings.TrimSuffix(strings.TrimSpace(line), ";") {
		case `\q`, "quit", "exit":
			return true, nil
		case `\h`, `\?`, "help":
			fmt.Fprint(s.out, shellHelp)
			return false, nil
		}
	}
	for _, st := range s.parts.line(line) {
		if err := s.run(st); err != nil {
			if !s.prompt {
				return false, err
			}
			fmt.Fprintln(s.out, "error:", err)
		}
	}
	return false, nil
}

// run runs one statement; Ctrl-C cancels it.
func (s *shell) run(st statement) error {
	ctx, stop := s.interruptible()
	began := time.Now()
	text, err := s.execute(ctx, st)
	if stop() && err != nil {
		return fmt.Errorf("interrupted: %w", err)
	}
	if err == nil && s.prompt {
		fmt.Fprintf(s.out, "%s (%s)\n\n", text, short(time.Since(began)))
	}
	return err
}

// execute gives a line that says what happened.
func (s *shell) execute(ctx context.Context, st statement) (string, error) {
	if !givesRows(st.text) {
		res, err := s.conn.ExecContext(ctx, st.text)
		if err != nil {
			return "", err
		}
		n, err := res.RowsAffected()
		return "ok, " + count(n, "row") + " affected", err
	}
	rows, err := s.conn.QueryContext(ctx, st.text)
	if err != nil {
		return "", err
	}
	n, err := printRows(s.out, rows, "", st.vertical)
	return count(n, "row"), errors.Join(err, rows.Close())
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// short prints a duration with three digits that matter.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// thousands prints a number with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
