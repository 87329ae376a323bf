package shell

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/internal/plantree"
	"github.com/vitessdo/vitessdo/internal/present"
)

// ErrInterrupted is the end of a script that was interrupted.
var ErrInterrupted = errors.New("interrupted")

// Shell runs statements on one connection. Its fields may be changed between
// statements, by the shell's own commands too.
type Shell struct {
	DB   *sql.DB // for what Tab offers
	Conn *sql.Conn
	// Output is how rows are written. Err takes errors that don't end the shell.
	Output present.Output
	Err    io.Writer
	// Interruptible gives a context that Ctrl-C ends; stop says whether it did.
	Interruptible func() (ctx context.Context, stop func() bool)
	// Timing tells behind each statement what it did and how long it took; Plans
	// shows before each how it is routed.
	Timing, Plans bool
	// KeepGoing runs what follows a statement of a script that fails.
	KeepGoing bool

	names  names
	failed bool
}

// Script runs the statements of a script. Its first error ends it and says on which
// line the statement begins, unless KeepGoing is set, which has errors written and
// kept for [Shell.Failed]. name is the file's, or "".
func (s *Shell) Script(name string, r io.Reader) error {
	in, parts := bufio.NewReader(r), splitter{}
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			quit, err := s.take(&parts, name, strings.TrimRight(line, "\r\n"))
			if quit || err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			text, at := parts.rest(), parts.began
			if text == "" {
				return nil
			}
			return s.report(name, statement{text: text, line: at}, s.run(statement{text: text}))
		case err != nil:
			return err
		}
	}
}

// Failed says whether a statement failed that KeepGoing has passed over.
func (s *Shell) Failed() error {
	if s.failed {
		return errFailed
	}
	return nil
}

var errFailed = errors.New("some statements failed")

// take runs what ends in a line.
func (s *Shell) take(parts *splitter, script, line string) (quit bool, err error) {
	if !parts.pending() && isCommand(line) {
		parts.lines++
		quit, err = s.command(line)
		return quit, s.report(script, statement{line: parts.lines}, err)
	}
	for _, st := range parts.line(line) {
		if err := s.report(script, st, s.run(st)); err != nil {
			return false, err
		}
	}
	return false, nil
}

// report says where in a script an error arose, or writes it and goes on.
func (s *Shell) report(script string, st statement, err error) error {
	if err == nil {
		return nil
	}
	switch {
	case script != "":
		err = fmt.Errorf("%s:%d: %w", script, st.line, err)
	case st.line > 0:
		err = fmt.Errorf("line %d: %w", st.line, err)
	}
	if s.KeepGoing && !errors.Is(err, ErrInterrupted) {
		s.failed = true
		s.complain(err)
		return nil
	}
	return err
}

func (s *Shell) complain(err error) {
	if s.Output.Color {
		fmt.Fprintf(s.Err, "\x1b[31merror:\x1b[0m %v\n", err)
		return
	}
	fmt.Fprintln(s.Err, "error:", err)
}

// run runs one statement; Ctrl-C cancels it.
func (s *Shell) run(st statement) error {
	ctx, stop := s.Interruptible()
	began := time.Now()
	text, err := s.execute(ctx, st)
	if stop() && err != nil {
		return fmt.Errorf("%w: %w", ErrInterrupted, err)
	}
	if err == nil && s.Timing {
		fmt.Fprintf(s.Output.W, "%s (%s)\n\n", text, present.Short(time.Since(began)))
	}
	return err
}

// execute gives a line that says what happened.
func (s *Shell) execute(ctx context.Context, st statement) (string, error) {
	if rest, ok := strings.CutPrefix(st.text, `\plan`); ok {
		return "plan", s.plan(ctx, strings.TrimSpace(rest))
	}
	if s.Plans && explainable(st.text) {
		if err := s.plan(ctx, st.text); err != nil {
			return "", err
		}
	}
	if !givesRows(st.text) {
		res, err := s.Conn.ExecContext(ctx, st.text)
		s.names.changed(st.text)
		if err != nil {
			return "", err
		}
		n, err := res.RowsAffected()
		return "ok, " + present.Count(n, "row") + " affected", err
	}
	rows, err := s.Conn.QueryContext(ctx, st.text)
	if err != nil {
		return "", err
	}
	out := s.Output
	if st.vertical {
		out.Format = present.Vertical
	}
	n, err := out.Rows(rows)
	return present.Count(n, "row"), errors.Join(err, rows.Close())
}

// plan shows how a statement is routed.
func (s *Shell) plan(ctx context.Context, text string) error {
	p, err := plantree.Read(ctx, s.Conn, text)
	switch {
	case err != nil:
		return err
	case s.Output.Format == present.JSON:
		return p.JSON(s.Output.W)
	}
	return p.Text(s.Output.W, s.Output.Indent)
}

// explainable says whether EXPLAIN knows the statement's kind.
func explainable(text string) bool {
	switch firstWord(text) {
	case "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "REPLACE", "UPDATE", "DELETE":
		return true
	}
	return false
}

// File runs a script from a file; "-" is standard input, which in gives.
func (s *Shell) File(name string, in io.Reader) error {
	if name == "-" {
		return s.Script("", in)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(s.Script(name, f), f.Close())
}
