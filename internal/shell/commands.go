package shell

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/internal/present"
)

// command is what a line that begins with a backslash does.
type command struct {
	name, args, about string
	run               func(s *Shell, ctx context.Context, arg string) error
}

// commands are in the order of the help. It is set by init, since help lists it.
var commands []command

func init() {
	commands = []command{
		{"d", "[TABLE]", "list the tables, or a table's columns and how it is sharded", (*Shell).describe},
		{"f", "FORMAT", "write rows as table, vertical, json or csv", (*Shell).format},
		{"h", "", "this help", (*Shell).help},
		{"i", "FILE", "run the statements of a file", func(s *Shell, _ context.Context, arg string) error { return s.File(arg, strings.NewReader("")) }},
		{"plan", "[STATEMENT;]", "show how a statement is routed; alone: show it before each, or no more", func(s *Shell, _ context.Context, arg string) error {
			return s.toggle(&s.Plans, "plans", arg)
		}},
		{"q", "", "leave; so does Ctrl-D", nil},
		{"shards", "", "list the shards", func(s *Shell, ctx context.Context, _ string) error { return s.show(ctx, "SHOW VITESS_SHARDS") }},
		{"timing", "[on|off]", "tell what a statement did and how long it took", func(s *Shell, _ context.Context, arg string) error {
			return s.toggle(&s.Timing, "timing", arg)
		}},
		{"use", "KEYSPACE[/SHARD]", "send what follows to a keyspace, or to one shard only", func(s *Shell, ctx context.Context, arg string) error {
			_, err := s.Conn.ExecContext(ctx, "USE "+quote(arg))
			s.names.changed("USE")
			return err
		}},
		{"x", "", "write each row as lines, or no more", func(s *Shell, ctx context.Context, _ string) error {
			if s.Output.Format == present.Vertical {
				return s.format(ctx, string(present.Table))
			}
			return s.format(ctx, string(present.Vertical))
		}},
	}
}

// isCommand says whether a line is a command by itself: one that begins with a
// backslash, other than \plan with a statement, or a word that people try.
func isCommand(line string) bool {
	word, arg := cutCommand(line)
	switch word {
	case "quit", "exit", "help":
		return arg == ""
	case `\plan`:
		return arg == "" || arg == "on" || arg == "off"
	}
	return strings.HasPrefix(word, `\`)
}

func cutCommand(line string) (word, arg string) {
	word, arg, _ = strings.Cut(strings.TrimSpace(line), " ")
	arg = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(arg), ";"))
	return strings.TrimSuffix(word, ";"), arg
}

// command runs one.
func (s *Shell) command(line string) (quit bool, err error) {
	word, arg := cutCommand(line)
	name := strings.TrimPrefix(word, `\`)
	switch name {
	case "quit", "exit":
		name = "q"
	case "help", "?":
		name = "h"
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	switch {
	case i < 0:
		return false, fmt.Errorf(`there is no command \%s; \h lists them`, name)
	case commands[i].run == nil:
		return true, nil
	}
	ctx, stop := s.Interruptible()
	defer stop()
	return false, commands[i].run(s, ctx, arg)
}

func (s *Shell) help(context.Context, string) error {
	var b strings.Builder
	b.WriteString("Statements end with ; or \\g, or with \\G to write each row as lines.\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-24s %s\n", `\`+c.name+" "+c.args, c.about)
	}
	b.WriteString("  Tab completes; Ctrl-R searches what was typed before.\n")
	b.WriteString("  Ctrl-C cancels the running statement, or forgets the one being typed.\n")
	_, err := fmt.Fprint(s.Output.W, b.String())
	return err
}

func (s *Shell) format(_ context.Context, arg string) (err error) {
	f, err := present.ParseFormat(arg)
	if err == nil {
		s.Output.Format = f
	}
	return err
}

func (s *Shell) toggle(what *bool, name, arg string) error {
	switch arg {
	case "":
		*what = !*what
	case "on", "off":
		*what = arg == "on"
	default:
		return fmt.Errorf("%s is %q; it may be on or off", name, arg)
	}
	state := "off"
	if *what {
		state = "on"
	}
	_, err := fmt.Fprintf(s.Output.W, "%s: %s\n", name, state)
	return err
}

func (s *Shell) show(ctx context.Context, query string, args ...any) error {
	rows, err := s.Conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	_, err = s.Output.Rows(rows)
	return err
}

// describe lists tables, or one table's columns and vindexes.
func (s *Shell) describe(ctx context.Context, table string) error {
	if table == "" {
		return s.show(ctx, "SHOW FULL TABLES")
	}
	table = quote(strings.Trim(table, "`"))
	if err := s.show(ctx, "DESCRIBE "+table); err != nil {
		return err
	}
	fmt.Fprintln(s.Output.W)
	return s.show(ctx, "SHOW VSCHEMA VINDEXES ON "+table)
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
