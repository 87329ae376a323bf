package enginetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/sqldb"
)

// losing is an engine that goes away under a COMMIT, once it is armed.
type losing struct {
	tabletserver.Engine
	armed  atomic.Bool
	away   atomic.Bool // nothing is answered
	done   bool        // the COMMIT is done
	answer tablet.Code
}

func (e *losing) Connect(ctx context.Context, h tabletserver.Hooks) (tabletserver.Conn, error) {
	c, err := e.Engine.Connect(ctx, h)
	return &losingConn{c, e}, err
}

type losingConn struct {
	tabletserver.Conn
	e *losing
}

func (c *losingConn) Control(text string) error {
	lost := &tablet.Error{Code: c.e.answer, Message: "the database went away"}
	switch {
	case text == "COMMIT" && c.e.armed.CompareAndSwap(true, false):
		if !c.e.done {
			text = "ROLLBACK"
		}
		if err := c.Conn.Control(text); err != nil {
			return err
		}
		return lost
	case text == "BEGIN IMMEDIATE" && c.e.away.Load():
		return lost
	}
	return c.Conn.Control(text)
}

// unsure: the holder's database goes away under the COMMIT of a decision. Where that may
// have been done, nobody is answered and nobody writes before it is known; either way all
// shards end the same.
func unsure(t *testing.T, db Database) {
	for i, c := range []struct {
		name    string
		done    bool
		answer  tablet.Code
		unknown bool
	}{
		{"done, and not known", true, tablet.CodeUnknownResult, true},
		{"lost, and not known", false, tablet.CodeUnknownResult, true},
		{"lost", false, tablet.CodeIO, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := []tablet.Target{{Keyspace: "ks", Shard: fmt.Sprint("p", i)}, {Keyspace: "ks", Shard: fmt.Sprint("h", i)}}
			tabs := map[tablet.Target]*tabletserver.Tablet{}
			peer := func(to tablet.Target) (tablet.Resolver, error) { return tabs[to], nil }
			e, err := sqldb.New(t.Context(), db.Open(t, at[1].Shard), db.Options)
			if err != nil {
				t.Fatal(err)
			}
			weak := &losing{Engine: e, done: c.done, answer: c.answer}
			holder, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: at[1], Engine: weak, LockWait: 100 * time.Millisecond, Peer: peer, AskAfter: 10 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = holder.Close() })
			part := open(t, db, at[0].Shard, at[0], peer)
			tabs[at[0]], tabs[at[1]] = part, holder
			exec(t, part, "CREATE TABLE t(v INTEGER)")
			exec(t, holder, "CREATE TABLE t(v INTEGER)")

			x, _ := part.Begin(t.Context(), tablet.TxOptions{})
			y, _ := holder.Begin(t.Context(), tablet.TxOptions{})
			exec(t, x, "INSERT INTO t VALUES(1)")
			exec(t, y, "INSERT INTO t VALUES(1)")
			weak.armed.Store(true)
			weak.away.Store(c.unknown)
			if _, err := x.Prepare(t.Context(), "d1", at[1]); err != nil {
				t.Fatal(err)
			}
			err = y.Decide(t.Context(), "d1", at[:1])
			if want := map[bool]tablet.Code{true: tablet.CodeUnknownResult, false: c.answer}[c.unknown]; tablet.CodeOf(err) != want {
				t.Fatalf("the decision ends with %v, want %s", err, want)
			}
			_ = y.Rollback()
			if c.unknown {
				if out, err := holder.Outcome(t.Context(), "d1"); out != tablet.Undecided || err != nil {
					t.Errorf("while it isn't known the outcome is %v, %v", out, err)
				}
				if _, err := holder.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(2)"}); tablet.CodeOf(err) != tablet.CodeLockTimeout {
					t.Errorf("while it isn't known another one writes: %v", err)
				}
				weak.away.Store(false)
			}
			for _, tab := range tabs {
				await.True(t, "it is settled", func() bool { return !tab.Unsettled() })
				want := map[bool]string{true: "[1]", false: "[0]"}[c.done]
				if got := all(t, tab, "SELECT count(*) FROM t"); got != want {
					t.Errorf("%v has %s rows, want %s", tab.Target(), got, want)
				}
				exec(t, tab, "INSERT INTO t VALUES(3)")
			}
		})
	}
}
