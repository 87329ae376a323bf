package wiretalk

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// patience is how long a line may take to come.
const patience = 10 * time.Second

// Play plays the blocks of a page that are marked with a word. open gives for each
// a connection to a server, and what ends it; report gets what isn't as it stands
// there. With rewrite, what the server sends is written into the page instead.
//
// The lines S must come as they are, where "…" stands for any text. A stream begins
// when it will, so that a few may change places.
func Play(page, mark string, rewrite bool, open func() (capnweb.Transport, func()), report func(error)) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	var out []string
	var talk *conversation
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		where := fmt.Sprintf("%s:%d", page, n+1)
		switch {
		case line == "```"+mark:
			talk = &conversation{rewrite: rewrite}
			talk.peer, talk.end = open()
		case line == "```" && talk != nil:
			talk.end()
			talk = nil
		case talk != nil && strings.HasPrefix(line, "C "):
			if err := talk.send(line[2:]); err != nil {
				return fmt.Errorf("%s: %w", where, err)
			}
		case talk != nil && strings.HasPrefix(line, "S "):
			got, err := talk.next(line[2:])
			if err != nil {
				talk.end()
				return fmt.Errorf("%s: nothing more comes: %w", where, err)
			}
			if !like(line[2:], got) {
				if !rewrite {
					report(fmt.Errorf("%s: the server sends\n%s\nand not\n%s", where, got, line[2:]))
				}
				line = "S " + got
			}
		case talk != nil:
			report(fmt.Errorf("%s: a line of a conversation begins with C or S", where))
		}
		out = append(out, line)
	}
	if !rewrite {
		return nil
	}
	return os.WriteFile(page, []byte(strings.Join(out, "\n")+"\n"), 0o644)
}

// like compares a line with one that may hold "…".
func like(pattern, line string) bool {
	parts := strings.Split(pattern, "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(line)
}

type conversation struct {
	peer    capnweb.Transport
	end     func()
	rewrite bool
	given   []string // what "$1" and so on stand for in the lines that are sent
	early   []string // what has come before its line
}

// named finds what a server makes up and a client says again: the page writes it
// as "…", and "$1" for the first of them.
var named = regexp.MustCompile(`"(?:txId|cursor)":"([^"]*)"`)

func (c *conversation) send(line string) error {
	for i, v := range c.given {
		line = strings.ReplaceAll(line, fmt.Sprintf("$%d", i+1), v)
	}
	return c.peer.Send(context.Background(), []byte(line))
}

// next gives the message that is like the pattern, if it is among the next few,
// else the first of them.
func (c *conversation) next(pattern string) (string, error) {
	const few = 2
	for i := 0; ; i++ {
		if i == len(c.early) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			m, err := c.peer.Receive(ctx)
			cancel()
			if err != nil && i > 0 {
				m, c.early = []byte(c.early[0]), c.early[1:]
				return string(m), nil
			}
			if err != nil {
				return "", err
			}
			if x := named.FindSubmatch(m); x != nil {
				c.given = append(c.given, string(x[1]))
			}
			c.early = append(c.early, string(m))
		}
		if m := c.early[i]; like(pattern, m) || c.rewrite || i == few {
			if !like(pattern, m) {
				i, m = 0, c.early[0]
			}
			c.early = slices.Delete(c.early, i, i+1)
			return m, nil
		}
	}
}
