package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitessdo/vitessdo/vindex"
)

// usageError says what was wrong with the arguments.
type usageError string

func (e usageError) Error() string { return string(e) }

// dsnVariable names the environment's variable that holds a data source name.
const dsnVariable = "VITESSDO_DSN"

// many is more arguments than a person types.
const many = 1000

// arguments bounds how many a command takes.
func arguments(least, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch n := len(args); {
		case n < least:
			return usageError(fmt.Sprintf("%d arguments given, %d needed", n, least))
		case n > most:
			return usageError(fmt.Sprintf("unexpected argument %q", args[most]))
		}
		return nil
	}
}

// sourceForm is what a data source name looks like, so that it is told from the SQL
// or the table that follows it.
var sourceForm = regexp.MustCompile(`^(:|[A-Za-z][A-Za-z0-9+.-]*:)`)

// onDSN makes the run function of a command whose first argument is a data source
// name, which may be left out where the environment has one. least and most
// bound the arguments behind it.
func (c *console) onDSN(least, most int, run func(dsn string, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		dsn, rest, err := c.source(args, most)
		if err == nil {
			err = arguments(least, most)(cmd, rest)
		}
		if err != nil {
			return err
		}
		return run(dsn, rest)
	}
}

// source takes the data source name from the front of args, of which most may
// follow it.
func (c *console) source(args []string, most int) (dsn string, rest []string, err error) {
	if len(args) > 0 {
		if sourceForm.MatchString(args[0]) {
			return args[0], args[1:], nil
		}
		if st, err := os.Stat(args[0]); err == nil && st.IsDir() {
			return fileSource(args[0]), args[1:], nil
		}
	}
	dsn = c.env(dsnVariable)
	switch {
	case dsn != "" && len(args) <= most:
		return dsn, args, nil
	case len(args) == 0 || dsn != "":
		return "", nil, usageError("the data source name is missing: give it first, or set " + dsnVariable)
	}
	return "", nil, usageError(fmt.Sprintf("%q is neither a data source name, such as file:./data, nor a directory, and %s isn't set", args[0], dsnVariable))
}

// fileSource is the data source name of a directory.
func fileSource(dir string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(dir)}).EscapedPath()
}

// group makes a command that is there for those below it; what is the word for
// one of these.
func group(cmd *cobra.Command, what string) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 && what == "" {
			return cmd.Help()
		}
		var names []string
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		if len(args) == 0 {
			return usageError(what + " is missing; it is " + alternatives(names))
		}
		text := fmt.Sprintf("unknown command %q", args[0])
		if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
			names = like
		}
		return usageError(text + "; is it " + alternatives(names) + "?")
	}
	return cmd
}

// alternatives joins words as one says them.
func alternatives(words []string) string {
	if n := len(words) - 1; n > 0 {
		return strings.Join(words[:n], ", ") + " or " + words[n]
	}
	return strings.Join(words, "")
}

// flagError makes a usage error that names the flag which was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	text := err.Error()
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError(text)
	}
	name := unknown.GetSpecifiedName()
	if letters := unknown.GetSpecifiedShortnames(); len(letters) > 1 {
		name, _, _ = strings.Cut(letters, "=")
		text = "unknown flag -" + name
		if cmd.Flags().Lookup(name) != nil {
			return usageError(text + "; write --" + name)
		}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := vindex.Nearest(name, names); near != "" {
		text += ", did you mean --" + near
	}
	return usageError(text)
}
