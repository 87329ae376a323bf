package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/vitessdo/vitessdo/internal/present"
	"github.com/vitessdo/vitessdo/internal/shell"
)

// console is where a command reads and writes. Tests put buffers in its place.
type console struct {
	in       io.Reader
	out, err io.Writer
	// env reads the environment.
	env func(string) string
	// interrupts delivers Ctrl-C.
	interrupts <-chan os.Signal
	// prompt: a person types; live: out can draw over a line.
	prompt, live bool
}

// output says how rows are written: in the terminal's width and, unless NO_COLOR is
// set, with colours where there is a terminal.
func (c *console) output(format present.Format) present.Output {
	o := present.Output{W: c.out, Format: format}
	if f, ok := c.out.(*os.File); ok && c.live {
		o.Width, _, _ = term.GetSize(int(f.Fd()))
		o.Color = c.env("NO_COLOR") == ""
	}
	return o
}

// formatValue is a flag for one of some formats.
type formatValue struct {
	to   *present.Format
	some []string
}

func (v formatValue) Set(name string) error {
	if !slices.Contains(v.some, name) {
		return errors.New("it may be " + alternatives(v.some))
	}
	*v.to = present.Format(name)
	return nil
}

func (v formatValue) String() string { return string(*v.to) }
func (v formatValue) Type() string   { return "format" }

// dataFormats are those of a result that programs may read too.
var dataFormats = []string{string(present.Table), string(present.JSON), string(present.CSV)}

// formatFlag gives a command --format with some of the formats, of which the first
// is the default.
func (c *console) formatFlag(cmd *cobra.Command, to *present.Format, some []string) {
	*to = present.Format(some[0])
	cmd.Flags().Var(formatValue{to, some}, "format", "how to write: "+strings.Join(some, ", "))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(some, cobra.ShellCompDirectiveNoFileComp))
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

// errInterrupted is that of the shell, so that both have one exit code.
var errInterrupted = shell.ErrInterrupted

// isTerminal says whether a person is at the other end, on a terminal that
// understands control codes.
func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}
