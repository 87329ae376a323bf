package tabletserver

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
)

// party is tablets that are apart: each keeps its own redo, and knows the others.
type party struct {
	t    *testing.T
	cfgs []Config
	tabs []*Tablet // nil while down
	// connected lets the tablets reach each other: time to ask has come.
	connected bool
}

// participants runs a test with every kind of participant: what the contract of
// package tablet promises holds for each.
func participants(t *testing.T, n int, f func(t *testing.T, p *party)) {
	for _, kind := range []struct {
		name              string
		replays, inMemory bool
	}{{"held", false, false}, {"replay", true, false}, {"held in memory", false, true}, {"replay in memory", true, true}} {
		t.Run(kind.name, func(t *testing.T) {
			p := &party{t: t, tabs: make([]*Tablet, n)}
			dir := t.TempDir()
			for i := range n {
				c := Config{Target: tablet.Target{Keyspace: "ks", Shard: fmt.Sprint(i)}, Replays: kind.replays,
					AskAfter: 5 * time.Millisecond, LockWait: 50 * time.Millisecond, Peer: p.peer}
				if !kind.inMemory {
					c.Path = filepath.Join(dir, fmt.Sprint(i)+".db")
				}
				if i%2 == 1 {
					c.Synchronous = Normal
				}
				p.cfgs = append(p.cfgs, c)
			}
			for i := range n {
				p.up(i)
				exec1(t, p.tabs[i], accounts)
			}
			f(t, p)
			for i := range n {
				if p.tabs[i] == nil {
					p.up(i)
				}
			}
			p.settled()
		})
	}
}

func (p *party) up(i int) {
	p.t.Helper()
	db, err := Open(ctx, p.cfgs[i])
	if err != nil {
		p.t.Fatal(err)
	}
	mu.Lock()
	p.tabs[i] = db
	mu.Unlock()
	p.t.Cleanup(func() { _ = db.Close() })
}

// down takes a tablet down. What it had in memory is lost.
func (p *party) down(i int) {
	mu.Lock()
	db := p.tabs[i]
	p.tabs[i] = nil
	mu.Unlock()
	_ = db.Close()
}

func (p *party) peer(at tablet.Target) (tablet.Resolver, error) {
	mu.Lock()
	defer mu.Unlock()
	for i := range p.cfgs {
		if p.connected && p.cfgs[i].Target == at && p.tabs[i] != nil {
			return p.tabs[i], nil
		}
	}
	return nil, fmt.Errorf("%v can't be reached", at)
}

// begin writes row id on every shard.
func (p *party) begin(id int64) []tablet.Tx {
	p.t.Helper()
	var out []tablet.Tx
	for _, db := range p.tabs {
		x := begin(p.t, db, tablet.TxOptions{})
		exec1(p.t, x, "INSERT INTO t VALUES((SELECT coalesce(max(id), 0) FROM t) + 1, ?1)", id)
		out = append(out, x)
	}
	return out
}

// prepare prepares all but the last.
func (p *party) prepare(txs []tablet.Tx, dtid string) {
	p.t.Helper()
	for _, x := range txs[:len(txs)-1] {
		if _, err := x.Prepare(ctx, dtid, txs[len(txs)-1].Target()); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *party) decide(txs []tablet.Tx, dtid string) error {
	var others []tablet.Target
	for _, x := range txs[:len(txs)-1] {
		others = append(others, x.Target())
	}
	return txs[len(txs)-1].Decide(ctx, dtid, others)
}

// connect lets the tablets ask each other.
func (p *party) connect() { p.reach(true) }

func (p *party) reach(ok bool) {
	mu.Lock()
	p.connected = ok
	mu.Unlock()
}

// settled lets the tablets settle what there is, until nothing is in doubt and
// every lock is free.
func (p *party) settled() {
	p.t.Helper()
	p.connect()
	await.Nil(p.t, func() error {
		for _, db := range p.tabs {
			if list, err := db.Prepared(ctx); err != nil || len(list) > 0 {
				return fmt.Errorf("%v is in doubt, %v", list, err)
			}
			if list, err := db.Decisions(ctx); err != nil || len(list) > 0 {
				return fmt.Errorf("%v is decided, %v", list, err)
			}
			if db.queue.Taken() {
				return fmt.Errorf("%v is locked", db.Target())
			}
		}
		return nil
	})
}

// want checks what every shard holds.
func (p *party) want(rows string) {
	p.t.Helper()
	for i, db := range p.tabs {
		if db != nil {
			want(p.t, fmt.Sprintf("shard %d", i), fmt.Sprint(query(p.t, db, "SELECT id, v FROM t ORDER BY id")), rows)
		}
	}
}

func TestCommitApart(t *testing.T) {
	participants(t, 3, func(t *testing.T, p *party) {
		for n := range int64(20) {
			if err := twopc.Commit(ctx, twopc.TwoPC, fmt.Sprint("tx", n), p.begin(n), nil); err != nil {
				t.Fatal(err)
			}
		}
		p.settled()
		for _, db := range p.tabs {
			want(t, "rows", fmt.Sprint(query(t, db, "SELECT count(*), max(id), sum(v) FROM t")), "[[20 20 190]]")
		}
	})
}

// The coordinator dies when it has told its client: the holder has the others
// commit.
func TestCommitEarly(t *testing.T) {
	participants(t, 3, func(t *testing.T, p *party) {
		var rest *twopc.Rest
		if err := twopc.CommitEarly(ctx, twopc.TwoPC, "tx1", p.begin(7), func(r *twopc.Rest) { rest = r }); err != nil {
			t.Fatal(err)
		}
		want(t, "at the holder", fmt.Sprint(query(t, p.tabs[2], "SELECT v FROM t")), "[[7]]")
		for _, db := range p.tabs[:2] {
			want(t, "locked elsewhere", db.queue.Taken(), true)
			want(t, "seen elsewhere", fmt.Sprint(query(t, db, "SELECT v FROM t")), "[]")
		}
		p.settled()
		p.want("[[1 7]]")
		want(t, "late", rest.Finish(ctx), nil) // it wasn't dead
		p.settled()
		p.want("[[1 7]]")
	})
}

func TestRefusedApart(t *testing.T) {
	participants(t, 3, func(t *testing.T, p *party) {
		exec1(t, p.tabs[1], "CREATE TABLE p(id INTEGER PRIMARY KEY)")
		exec1(t, p.tabs[1], "CREATE TABLE c(id INTEGER PRIMARY KEY, p INT REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
		txs := p.begin(1)
		exec1(t, txs[1], "INSERT INTO c VALUES(1, 1)")
		wantCode(t, twopc.Commit(ctx, twopc.TwoPC, "tx1", txs, nil), tablet.CodeForeignKey)
		p.settled()
		p.want("[]")
	})
}

// The coordinator is silent before the decision: the participants ask, and the
// holder sees to it that it comes too late.
func TestSilentBeforeDecision(t *testing.T) {
	participants(t, 3, func(t *testing.T, p *party) {
		txs := p.begin(1)
		p.prepare(txs, "tx1")
		want(t, "lock", p.tabs[0].queue.Taken(), true)
		p.connect()
		await.Nil(t, func() error {
			for _, db := range p.tabs[:2] {
				if db.queue.Taken() {
					return fmt.Errorf("%v is locked", db.Target())
				}
			}
			return nil
		})
		wantCode(t, p.decide(txs, "tx1"), tablet.CodeTxExpired)
		want(t, "Rollback", txs[2].Rollback(), nil)
		want(t, "tombstones", p.tabs[2].decisions.keeper.Tombs(), 0)
		_, err := txs[0].Exec(ctx, q("SELECT 1"))
		wantCode(t, err, tablet.CodeMisuse)
		p.want("[]")
	})
}

// It is silent after the decision: the participants commit by themselves.
func TestSilentAfterDecision(t *testing.T) {
	participants(t, 3, func(t *testing.T, p *party) {
		txs := p.begin(1)
		p.prepare(txs, "tx1")
		want(t, "Decide", p.decide(txs, "tx1"), nil)
		p.settled()
		p.want("[[1 1]]")
		want(t, "late commit", txs[0].CommitPrepared(ctx), nil)
		want(t, "late rollback", txs[1].Rollback(), nil)
		want(t, "decided again", p.decide(txs, "tx1") == nil, false) // done and forgotten
		p.want("[[1 1]]")
	})
}

func TestUnprepared(t *testing.T) {
	participants(t, 2, func(t *testing.T, p *party) {
		db := p.tabs[0]
		want(t, "CommitPrepared", db.CommitPrepared(ctx, "tx1"), nil)
		want(t, "RollbackPrepared", db.RollbackPrepared(ctx, "tx1"), nil)
		o, err := db.Outcome(ctx, "tx1")
		want(t, "Outcome", fmt.Sprintf("%v %v", o, err), "aborts <nil>")
		want(t, "Confirm", db.Confirm(ctx, "tx1", p.cfgs[1].Target), nil)
		x := begin(t, db, tablet.TxOptions{})
		wantCode(t, x.Decide(ctx, "tx1", nil), tablet.CodeMisuse)
		want(t, "Rollback", x.Rollback(), nil)
	})
}

// A prepared transaction outlives its tablet, and nobody writes before it is
// settled.
func TestPreparedOutlives(t *testing.T) {
	for _, outcome := range []tablet.Outcome{tablet.Commits, tablet.Aborts} {
		t.Run(string(outcome), func(t *testing.T) {
			participants(t, 2, func(t *testing.T, p *party) {
				if p.cfgs[0].inMemory() {
					return // it ends with its tablet, data and all
				}
				txs := p.begin(1)
				p.prepare(txs, "tx1")
				p.down(1) // who can't be asked
				p.down(0)
				p.up(0)
				list, err := p.tabs[0].Prepared(ctx)
				if err != nil || len(list) != 1 || list[0].DTID != "tx1" || list[0].Holder != p.cfgs[1].Target {
					t.Fatal(list, err)
				}
				_, err = p.tabs[0].Exec(ctx, q("INSERT INTO t VALUES(7, 7)"))
				wantCode(t, err, tablet.CodeLockTimeout)
				p.want("[]")
				newest := func() bool {
					s, err := p.tabs[0].Snapshot(ctx)
					if err != nil {
						t.Fatal(err)
					}
					defer s.Close()
					return s.Newest(t.Context())
				}
				want(t, "newest while something is in doubt", newest(), false) // other shards may show it
				if outcome == tablet.Aborts {
					p.up(1) // it knows nothing
					p.settled()
					p.want("[]")
					want(t, "newest after the rollback", newest(), true)
					return
				}
				want(t, "CommitPrepared", p.tabs[0].CommitPrepared(ctx, "tx1"), nil)
				p.want("[[1 1]]")
				want(t, "newest after the commit", newest(), true)
				want(t, "again", p.tabs[0].CommitPrepared(ctx, "tx1"), nil)
				exec1(t, p.tabs[0], "INSERT INTO t VALUES(7, 7)")
				p.down(0) // the redo is in the file still, the marker in the database
				p.up(0)
				list, err = p.tabs[0].Prepared(ctx)
				want(t, "in doubt", fmt.Sprint(list, err), "[] <nil>")
				p.want("[[1 1] [7 7]]")
			})
		})
	}
}

// A tablet that is closed doesn't say that it has committed what it has prepared: the
// decision is kept until it is there again.
func TestDecisionForClosed(t *testing.T) {
	participants(t, 3, func(t *testing.T, p *party) {
		if p.cfgs[0].inMemory() {
			return
		}
		txs := p.begin(1)
		p.prepare(txs, "tx1")
		want(t, "Decide", p.decide(txs, "tx1"), nil)
		want(t, "Close", p.tabs[0].Close(), nil) // the others reach it still
		wantCode(t, p.tabs[0].CommitPrepared(ctx, "tx1"), tablet.CodeClosed)
		wantCode(t, p.tabs[0].RollbackPrepared(ctx, "tx1"), tablet.CodeClosed)
		_, err := p.tabs[0].Prepared(ctx)
		wantCode(t, err, tablet.CodeClosed)
		p.connect()
		await.True(t, "shard 1 is told", func() bool {
			list, err := p.tabs[1].Prepared(ctx)
			return err == nil && len(list) == 0
		})
		p.down(2)
		p.up(2)
		p.up(0)
		p.settled()
		p.want("[[1 1]]")
	})
}

// A decision outlives its tablet, which then has the participants commit.
func TestDecisionOutlives(t *testing.T) {
	participants(t, 3, func(t *testing.T, p *party) {
		if p.cfgs[0].inMemory() {
			return
		}
		txs := p.begin(1)
		p.prepare(txs, "tx1")
		p.down(0)
		want(t, "Decide", p.decide(txs, "tx1"), nil)
		p.down(2)
		p.up(2)
		o, err := p.tabs[2].Outcome(ctx, "tx1")
		want(t, "Outcome", fmt.Sprintf("%v %v", o, err), "commits <nil>")
		p.up(0)
		p.settled()
		p.want("[[1 1]]")
		p.reach(false)
		for n := range int64(30) { // rows of old decisions go along with new ones
			if err := twopc.Commit(ctx, twopc.TwoPC, fmt.Sprint("more", n), p.begin(n), nil); err != nil {
				t.Fatal(err)
			}
		}
		p.settled()
		if rows := query(t, p.tabs[2], "SELECT dtid FROM _vt_decided"); len(rows) > 4 {
			t.Errorf("%d decisions are still in the table", len(rows))
		}
		p.reach(false)
		p.down(2)
		p.up(2) // there is nobody to be asked
		list, err := p.tabs[2].Decisions(ctx)
		want(t, "decided after a good end", fmt.Sprint(list, err), "[] <nil>")
	})
}

// An earlier process's decisions needn't be old: who has made them is gone.
func TestDecisionsOfEarlier(t *testing.T) {
	participants(t, 3, func(t *testing.T, p *party) {
		if p.cfgs[0].inMemory() {
			return
		}
		for i := range p.cfgs {
			p.down(i)
			p.cfgs[i].AskAfter = time.Hour
			p.up(i)
		}
		txs := p.begin(1)
		p.prepare(txs, "tx1")
		want(t, "Decide", p.decide(txs, "tx1"), nil)
		p.down(2)
		p.connect()
		p.up(2)
		p.settled()
		p.want("[[1 1]]")
	})
}
