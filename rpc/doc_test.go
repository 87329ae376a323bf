package rpc_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

var rewrite = flag.Bool("rewrite", false, "write into docs/protocol.md what the server sends")

const protocol = "../docs/protocol.md"

// The examples of docs/protocol.md are played: each block marked "wire" is a
// conversation with a server, whose lines S must come as they stand there; a stream
// begins when it will, so that a few may change places. "…" stands for any text.
func TestProtocolExamples(t *testing.T) {
	text, err := os.ReadFile(protocol)
	must(t, err)
	var out []string
	var play *conversation
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		switch {
		case line == "```wire":
			play = converse(t)
		case line == "```" && play != nil:
			play.end()
			play = nil
		case play != nil && strings.HasPrefix(line, "C "):
			play.send(line[2:])
		case play != nil && strings.HasPrefix(line, "S "):
			got := play.next(n+1, line[2:])
			if !like(line[2:], got) {
				if !*rewrite {
					t.Errorf("%s:%d: the server sends\n%s\nand not\n%s", protocol, n+1, got, line[2:])
				}
				line = "S " + got
			}
		case play != nil:
			t.Errorf("%s:%d: a line of a conversation begins with C or S", protocol, n+1)
		}
		out = append(out, line)
	}
	if *rewrite {
		must(t, os.WriteFile(protocol, []byte(strings.Join(out, "\n")+"\n"), 0o644))
	}
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
	t       *testing.T
	peer    capnweb.Transport
	session *capnweb.Session
	server  *rpc.Server
	db      *tabletserver.Tablet
	early   []string // what has come before its line
}

func converse(t *testing.T) *conversation {
	db, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: tablet.Target{Keyspace: "shop", Shard: "-80"}, LockWait: time.Millisecond})
	must(t, err)
	exec(t, db, "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL)")
	exec(t, db, "INSERT INTO item VALUES(1, 'pen', 1.5), (2, 'ink', 3)")
	server := rpc.NewServer(rpc.ServerOptions{
		Tablet:    func(context.Context, tablet.Target) (tablet.Tablet, error) { return db, nil },
		ChunkRows: 2,
		Now:       func() time.Time { return time.UnixMilli(1700000000123) },
	})
	here, there := capnweb.Pipe()
	return &conversation{t: t, peer: here, session: capnweb.NewSession(there, server.Main(), nil), server: server, db: db}
}

func (c *conversation) send(line string) { must(c.t, c.peer.Send(c.t.Context(), []byte(line))) }

// next gives the message that is like the pattern, if it is among the next few, else
// the first of them.
func (c *conversation) next(line int, pattern string) string {
	const few = 2
	for i := 0; ; i++ {
		if i == len(c.early) {
			c.early = append(c.early, c.receive(line))
		}
		if m := c.early[i]; like(pattern, m) || *rewrite || i == few {
			if !like(pattern, m) {
				i, m = 0, c.early[0]
			}
			c.early = slices.Delete(c.early, i, i+1)
			return m
		}
	}
}

func (c *conversation) receive(line int) string {
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	m, err := c.peer.Receive(ctx)
	if err != nil {
		c.t.Fatalf("%s:%d: nothing more comes: %v", protocol, line, err)
	}
	return string(m)
}

func (c *conversation) end() {
	_ = c.peer.Close(nil)
	<-c.session.Done()
	_ = c.server.Close()
	_ = c.db.Close()
}

// The table of types is complete.
func TestProtocolNamesEveryType(t *testing.T) {
	text, err := os.ReadFile(protocol)
	must(t, err)
	for i := range 256 {
		kind := rpc.Type(i)
		if name := kind.String(); name != fmt.Sprintf("0x%02x", i) && !strings.Contains(string(text), fmt.Sprintf("| 0x%02x | %s |", i, name)) {
			t.Errorf("%s doesn't list %s, 0x%02x", protocol, name, i)
		}
	}
}
