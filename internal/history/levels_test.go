package history_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/history"
	"github.com/vitessdo/vitessdo/internal/remotetest"
)

var txns = flag.Int("history.txns", 60, "transactions of each client, level and number of shards")

// outcome says what an error means for a transaction.
func outcome(err error) history.Status {
	var e *vitessdo.Error
	if errors.As(err, &e) && !e.OutcomeUnknown() {
		return history.Aborted
	}
	return history.Unknown
}

// spread gives keys, and the shard of each; several shards have several.
func spread(t *testing.T, db *sql.DB, w *history.Workload, n int) (shardOf func(key int) string) {
	t.Helper()
	for k := range n {
		w.Keys = append(w.Keys, k)
	}
	if err := w.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	at := map[int]string{}
	for _, k := range w.Keys {
		var plan, combine, keyspace, text string
		shard := ""
		if err := db.QueryRow("EXPLAIN FORMAT='vitess' SELECT v FROM lists WHERE k = ?", k).Scan(&plan, &combine, &keyspace, &shard, &text); err != nil {
			t.Fatal(err)
		}
		at[k] = shard
	}
	return func(key int) string { return at[key] }
}

func openShards(t *testing.T, shards int, options string) *sql.DB {
	t.Helper()
	return openAt(t, fmt.Sprintf(":memory:?shards=%d&%s", shards, options))
}

func openAt(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("vitessdo", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestLevels: what many clients at once have seen keeps to what each level
// promises, of all shards together and of each by itself.
func TestLevels(t *testing.T) {
	levels := []struct {
		name        string
		options     *sql.TxOptions
		whole, each history.Level
	}{
		{"autocommit", nil, history.Serializable, history.StrictSerializable},
		{"read committed", &sql.TxOptions{Isolation: sql.LevelReadCommitted}, history.ReadCommitted, history.ReadCommitted},
		{"repeatable read", &sql.TxOptions{Isolation: sql.LevelRepeatableRead}, history.ReadCommitted, history.StrictSerializable},
		{"snapshot", &sql.TxOptions{Isolation: sql.LevelSnapshot}, history.StrongSnapshot, history.StrictSerializable},
		{"serializable", &sql.TxOptions{Isolation: sql.LevelSerializable}, history.StrictSerializable, history.StrictSerializable},
	}
	for _, shards := range []int{1, 4} {
		for _, level := range levels {
			t.Run(fmt.Sprintf("%s on %d", level.name, shards), func(t *testing.T) {
				db := openShards(t, shards, "")
				w := &history.Workload{Clients: 5, Txns: *txns, Seed: rand.Uint64(), Options: level.options, Outcome: outcome}
				t.Logf("seed %d", w.Seed)
				shardOf := spread(t, db, w, 6)
				var r history.Recorder
				w.Run(t.Context(), db, &r)
				if shards == 1 && level.whole < level.each {
					level.whole = level.each
				}
				keepsTo(t, "all shards", r.Txns(), level.whole, *txns)
				for _, k := range w.Keys {
					own := history.Restrict(r.Txns(), func(key int) bool { return shardOf(key) == shardOf(k) })
					keepsTo(t, "shard "+shardOf(k), own, level.each, 1)
				}
			})
		}
	}
}

// TestLevelsOnDisk: likewise where commits wait for a disk, so that they show some
// time after they began.
func TestLevelsOnDisk(t *testing.T) {
	for name, level := range map[string]struct {
		options *sql.TxOptions
		keeps   history.Level
	}{
		"autocommit": {nil, history.Serializable},
		"snapshot":   {&sql.TxOptions{Isolation: sql.LevelSnapshot}, history.StrongSnapshot},
	} {
		t.Run(name, func(t *testing.T) {
			db := openAt(t, "file:"+t.TempDir()+"/d?shards=4&synchronous=full")
			w := &history.Workload{Clients: 5, Txns: *txns, Seed: rand.Uint64(), Options: level.options, Outcome: outcome}
			t.Logf("seed %d", w.Seed)
			spread(t, db, w, 6)
			var r history.Recorder
			w.Run(t.Context(), db, &r)
			keepsTo(t, "all shards", r.Txns(), level.keeps, *txns)
		})
	}
}

// TestLevelsApart: likewise where the tablets are at a server and decide for each
// other, seen by the clients of one gate, and by those of two. What the clients of
// another gate were told may show a moment later, so that the order of real time is
// not among what two keep to, unless they lock what they read.
func TestLevelsApart(t *testing.T) {
	levelsApart(t, *txns, func(t *testing.T) server {
		s := remotetest.Start("")
		t.Cleanup(s.Close)
		return s
	})
}

// server has the tablets of one database.
type server interface {
	DSN(scheme, query string) string
}

func levelsApart(t *testing.T, txns int, start func(*testing.T) server) {
	for _, gates := range []int{1, 2} {
		for _, level := range []struct {
			name        string
			options     *sql.TxOptions
			whole, each [2]history.Level // with one gate, and with two
		}{
			{"autocommit", nil, [2]history.Level{history.Serializable, history.Serializable}, [2]history.Level{history.StrictSerializable, history.Serializable}},
			{"snapshot", &sql.TxOptions{Isolation: sql.LevelSnapshot}, [2]history.Level{history.StrongSnapshot, history.SnapshotIsolation}, [2]history.Level{history.StrictSerializable, history.Serializable}},
			{"serializable", &sql.TxOptions{Isolation: sql.LevelSerializable}, [2]history.Level{history.StrictSerializable, history.StrictSerializable}, [2]history.Level{history.StrictSerializable, history.StrictSerializable}},
		} {
			t.Run(fmt.Sprintf("%s by %d", level.name, gates), func(t *testing.T) {
				s := start(t)
				w := &history.Workload{Clients: 5, Txns: txns, Options: level.options, Outcome: outcome, Values: new(atomic.Int64)}
				var shardOf func(int) string
				var r history.Recorder
				var work sync.WaitGroup
				for gate := range gates {
					db := openAt(t, s.DSN("ws", "shards=4"))
					if gate == 0 {
						shardOf = spread(t, db, w, 6)
					}
					own := *w
					own.Seed, own.Clients, own.First = rand.Uint64(), w.Clients/gates, gate*w.Clients
					t.Logf("seed %d", own.Seed)
					work.Go(func() { own.Run(t.Context(), db, &r) })
				}
				work.Wait()
				keepsTo(t, "all shards", r.Txns(), level.whole[gates-1], txns)
				for _, k := range w.Keys {
					own := history.Restrict(r.Txns(), func(key int) bool { return shardOf(key) == shardOf(k) })
					keepsTo(t, "shard "+shardOf(k), own, level.each[gates-1], 1)
				}
			})
		}
	}
}

// TestReadersAndWriters: read-only snapshots beside writers at each level are of
// one moment, so that all together are serializable where the writers are.
func TestReadersAndWriters(t *testing.T) {
	for _, level := range []sql.IsolationLevel{sql.LevelSnapshot, sql.LevelSerializable} {
		t.Run(level.String(), func(t *testing.T) {
			db := openShards(t, 4, "")
			readersAndWriters(t, *txns, db, db, level)
		})
	}
}

// TestReadersAndWritersApart: likewise where the tablets are at a server, with readers
// at the writers' gate and at another.
func TestReadersAndWritersApart(t *testing.T) {
	readersAndWritersApart(t, *txns, func(t *testing.T) server {
		s := remotetest.Start("")
		t.Cleanup(s.Close)
		return s
	})
}

func readersAndWritersApart(t *testing.T, txns int, start func(*testing.T) server) {
	for _, gates := range []int{1, 2} {
		t.Run(fmt.Sprintf("by %d", gates), func(t *testing.T) {
			s := start(t)
			write := openAt(t, s.DSN("ws", "shards=4"))
			read := write
			if gates == 2 {
				read = openAt(t, s.DSN("ws", ""))
			}
			readersAndWriters(t, txns, write, read, sql.LevelSnapshot)
		})
	}
}

// readersAndWriters checks readers at a level beside writers that lock what they read.
func readersAndWriters(t *testing.T, txns int, write, read *sql.DB, level sql.IsolationLevel) {
	w := &history.Workload{Clients: 3, Txns: txns, Seed: rand.Uint64(), Outcome: outcome,
		Options: &sql.TxOptions{Isolation: sql.LevelSerializable}}
	t.Logf("seed %d", w.Seed)
	spread(t, write, w, 6)
	readers := *w
	readers.Options = &sql.TxOptions{Isolation: level, ReadOnly: true}
	var r history.Recorder
	var reading sync.WaitGroup
	reading.Go(func() { readers.Run(t.Context(), read, &r) })
	w.Run(t.Context(), write, &r)
	reading.Wait()
	keepsTo(t, "all", r.Txns(), history.Serializable, txns)
}

func keepsTo(t *testing.T, what string, txns []*history.Txn, l history.Level, atLeast int) {
	t.Helper()
	report := history.Check(txns)
	for _, a := range report.Against(l) {
		t.Errorf("%s, %v: %s\n%s", what, l, a.Name, a.Text)
	}
	if report.Txns < atLeast || report.Edges < atLeast {
		t.Errorf("%s: %d transactions and %d edges were checked, too few to tell", what, report.Txns, report.Edges)
	}
}

// schedule runs the statements of several transactions one after the other.
type schedule struct {
	t     *testing.T
	db    *sql.DB
	rec   history.Recorder
	value int
}

// client is a transaction on a connection of its own.
type client struct {
	s   *schedule
	tx  *sql.Tx
	txn *history.Txn
	err error
}

func (s *schedule) begin(process int, level sql.IsolationLevel) *client {
	s.t.Helper()
	c := &client{s: s, txn: s.rec.Begin(process)}
	if c.tx, c.err = s.db.BeginTx(s.t.Context(), &sql.TxOptions{Isolation: level}); c.err != nil {
		s.t.Fatal(c.err)
	}
	return c
}

func (c *client) read(keys ...int) {
	if c.err == nil {
		c.err = history.Read(context.Background(), c.tx, c.txn, keys...)
	}
}

func (c *client) append(key int) {
	if c.err == nil {
		c.s.value++
		c.err = history.Append(context.Background(), c.tx, c.txn, c.s.value, key)
	}
}

// overwrite appends to what the transaction has read of the key.
func (c *client) overwrite(key int) {
	var seen []int
	for _, op := range c.txn.Ops {
		if op.Key == key && !op.Append {
			seen = op.List
		}
	}
	if c.err == nil {
		c.s.value++
		c.err = history.Overwrite(context.Background(), c.tx, c.txn, c.s.value, key, seen)
	}
}

func (c *client) commit() {
	if c.err == nil {
		c.err = c.tx.Commit()
	}
	end := history.Committed
	if c.err != nil {
		_ = c.tx.Rollback()
		end = outcome(c.err)
	}
	c.s.rec.End(c.txn, end)
}

// TestWhatLevelsAllow: each level shows the anomaly that the next stronger one
// rules out, and the stronger one doesn't, by the same schedule of statements.
func TestWhatLevelsAllow(t *testing.T) {
	// x and y are keys on different shards where there are several.
	schedules := map[string]func(s *schedule, level sql.IsolationLevel, x, y int){
		"non-repeatable read": func(s *schedule, level sql.IsolationLevel, x, y int) {
			a := s.begin(1, level)
			a.read(x)
			b := s.begin(2, level)
			b.append(x)
			b.commit()
			a.read(x)
			a.commit()
		},
		"lost update": func(s *schedule, level sql.IsolationLevel, x, y int) {
			a := s.begin(1, level)
			a.read(x)
			b := s.begin(2, level)
			b.read(x)
			b.overwrite(x)
			b.commit()
			c := s.begin(3, level)
			c.read(x)
			c.commit()
			a.overwrite(x)
			a.commit()
		},
		"read skew": func(s *schedule, level sql.IsolationLevel, x, y int) {
			a := s.begin(1, level)
			a.read(x)
			b := s.begin(2, level)
			b.append(x)
			b.append(y)
			b.commit()
			a.read(y)
			a.commit()
		},
		"write skew": func(s *schedule, level sql.IsolationLevel, x, y int) {
			a, b := s.begin(1, level), s.begin(2, level)
			a.read(x, y)
			b.read(x, y)
			a.append(x)
			a.commit()
			b.append(y)
			b.commit()
		},
	}
	const rc, rr, snap, serial = sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSnapshot, sql.LevelSerializable
	shown := map[string]map[int][]sql.IsolationLevel{ // name → shards → levels that show it
		"non-repeatable read": {1: {rc}, 4: {rc}},
		"lost update":         {1: {rc}, 4: {rc}},
		"read skew":           {1: {rc}, 4: {rc, rr}},
		"write skew":          {1: {rc}, 4: {rc, rr, snap}},
	}
	strongest := map[string]history.Level{"read skew": history.SnapshotIsolation, "non-repeatable read": history.SnapshotIsolation,
		"lost update": history.SnapshotIsolation, "write skew": history.Serializable}
	for name, run := range schedules {
		for _, shards := range []int{1, 4} {
			for _, level := range []sql.IsolationLevel{rc, rr, snap, serial} {
				t.Run(fmt.Sprintf("%s, %v on %d", name, level, shards), func(t *testing.T) {
					s := &schedule{t: t, db: openShards(t, shards, "lock_wait_timeout=10ms")}
					w := &history.Workload{}
					shardOf := spread(t, s.db, w, 8)
					x, y := 0, 1
					for shards > 1 && shardOf(x) == shardOf(y) {
						y++
					}
					run(s, level, x, y)
					after := s.begin(9, sql.LevelDefault)
					after.read(x, y)
					after.commit()
					report := history.Check(s.rec.Txns())
					want := false
					for _, l := range shown[name][shards] {
						want = want || l == level
					}
					if got := len(report.Against(strongest[name])) > 0; got != want {
						t.Errorf("shown: %v, want %v\n%v", got, want, lines(s.rec.Txns()))
					}
					if a := report.Against(history.ReadCommitted); len(a) > 0 {
						t.Errorf("not even read committed: %v", a)
					}
				})
			}
		}
	}
}

func lines(txns []*history.Txn) string {
	var b strings.Builder
	for _, t := range txns {
		b.WriteString(t.String() + "\n")
	}
	return b.String()
}
