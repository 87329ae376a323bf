package rpc_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/wiretalk"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

var rewrite = flag.Bool("rewrite", false, "write into docs/protocol.md what the server sends")

const protocol = "../docs/protocol.md"

// The examples of docs/protocol.md are played: each block marked "wire" is a
// conversation with a server.
func TestProtocolExamples(t *testing.T) {
	must(t, wiretalk.Play(protocol, "wire", *rewrite, func() (capnweb.Transport, func()) { return converse(t) }, func(err error) { t.Error(err) }))
}

func converse(t *testing.T) (capnweb.Transport, func()) {
	db, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: tablet.Target{Keyspace: "shop", Shard: "-80"}, LockWait: time.Millisecond, Remember: time.Hour})
	must(t, err)
	exec(t, db, "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL)")
	exec(t, db, "INSERT INTO item VALUES(1, 'pen', 1.5), (2, 'ink', 3)")
	server := rpc.NewServer(rpc.ServerOptions{
		Tablet:    func(context.Context, tablet.Target) (tablet.Tablet, error) { return db, nil },
		ChunkRows: 2,
		Now:       func() time.Time { return time.UnixMilli(1700000000123) },
	})
	here, there := capnweb.Pipe()
	session := capnweb.NewSession(there, server.Main(), nil)
	return here, func() {
		_ = here.Close(nil)
		<-session.Done()
		_ = server.Close()
		_ = db.Close()
	}
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
