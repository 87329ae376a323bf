package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/twopc"
)

// loners is tablets of this process that are used as if each were elsewhere: the
// last participant of a transaction is its holder.
type loners struct {
	*embedded
	// commits is called before a prepared transaction is committed.
	commits func(ctx context.Context, at tablet.Target) error
}

func (l *loners) log() twopc.Log { return nil }

func (l *loners) reach(ctx context.Context, k *topo.Keyspace) ([]tablet.Tablet, error) {
	list, err := l.embedded.reach(ctx, k)
	out := slices.Clone(list)
	for i, t := range list {
		out[i] = loner{t, t.(tablet.Snapshotter), l}
	}
	return out, err
}

// loner is one of them.
type loner struct {
	tablet.Tablet
	tablet.Snapshotter
	l *loners
}

func (t loner) Begin(ctx context.Context, o tablet.TxOptions) (tablet.Tx, error) {
	x, err := t.Tablet.Begin(ctx, o)
	if err != nil {
		return nil, err
	}
	return &lonerTx{x, x.(tablet.SnapshotTx), t.l}, nil
}

type lonerTx struct {
	tablet.Tx
	tablet.SnapshotTx
	l *loners
}

func (x *lonerTx) CommitPrepared(ctx context.Context) error {
	if err := x.l.commits(ctx, x.Target()); err != nil {
		return err
	}
	return x.Tx.CommitPrepared(ctx)
}

// lonely opens a database of such tablets, with accounts, and gives two of these
// that are on different shards.
func lonely(t *testing.T, options string, l *loners) (db *sql.DB, ids []int) {
	t.Helper()
	cfg, err := ParseDSN(":memory:?shards=4" + options)
	if err != nil {
		t.Fatal(err)
	}
	if l.commits == nil {
		l.commits = func(context.Context, tablet.Target) error { return nil }
	}
	l.embedded = &embedded{cfg: cfg}
	cl, err := newCluster(t.Context(), cfg, l)
	if err != nil {
		t.Fatal(err)
	}
	db = sql.OpenDB(&Connector{cfg: cfg, cl: cl, turn: make(chan struct{}, 1)})
	t.Cleanup(func() { _ = db.Close() })
	accounts(t, db, 20)
	return db, idsOn(t, db, "acc", 2)
}

// gates lets commits wait at a shard.
type gates struct {
	mu     sync.Mutex
	closed map[tablet.Target]chan struct{}
	passed atomic.Int32
}

func (g *gates) pass(ctx context.Context, at tablet.Target) error {
	g.mu.Lock()
	gate := g.closed[at]
	g.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	g.passed.Add(1)
	return nil
}

// shut closes every gate, and gives what opens them.
func (g *gates) shut(cl *cluster) (open func()) {
	all := make(chan struct{})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = map[tablet.Target]chan struct{}{}
	_ = cl.eachTablet(func(t tablet.Tablet) error { g.closed[t.Target()] = all; return nil })
	return func() {
		g.mu.Lock()
		g.closed = nil
		g.mu.Unlock()
		close(all)
	}
}

// TestToldBeforeItShows: a client is told of its commit when that is decided. The
// shard that has yet to commit is waited for by who reads it or writes to it, in
// any connection and by any statement, and nobody else waits.
func TestToldBeforeItShows(t *testing.T) {
	g := &gates{}
	db, ids := lonely(t, "&lock_wait_timeout=20ms", &loners{commits: g.pass})
	var open func()
	if err := withCluster(db, func(c *cluster) error { open = g.shut(c); return nil }); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids { // the last one is the holder
		mustAffect(t, tx, 1, "UPDATE acc SET bal = bal + 7 WHERE id = ?", id)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	late, holder := ids[0], ids[1]
	want(t, db, "107", "SELECT bal FROM acc WHERE id = ?", holder)
	for _, q := range []string{"SELECT bal FROM acc WHERE id = ?", "SELECT SUM(bal), ? FROM acc",
		"SELECT bal FROM acc WHERE id = ? FOR UPDATE", "UPDATE acc SET bal = 0 WHERE id = ?",
		"SELECT a.bal FROM acc a JOIN acc b ON a.id = b.id + 1 WHERE a.bal <> ?"} {
		_, err := rowsOf(db, q, late)
		wantCode(t, err, CodeLockTimeout, q)
	}
	if tx, err = db.Begin(); err != nil {
		t.Fatal(err)
	}
	_, err = rowsOf(tx, "SELECT bal FROM acc WHERE id = ? FOR UPDATE NOWAIT", late)
	_ = tx.Rollback()
	wantCode(t, err, CodeLockNoWait, "NOWAIT")
	for _, level := range []sql.IsolationLevel{sql.LevelDefault, sql.LevelSnapshot, sql.LevelSerializable} {
		tx, err := db.BeginTx(bg, &sql.TxOptions{Isolation: level})
		if err == nil {
			_, err = rowsOf(tx, "SELECT bal FROM acc WHERE id = ?", late)
			_ = tx.Rollback()
		}
		wantCode(t, err, CodeLockTimeout, level.String())
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if err := db.QueryRowContext(ctx, "SELECT bal FROM acc WHERE id = ?", late).Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	open()
	await.Nil(t, func() error {
		got, err := rowsOf(db, "SELECT bal FROM acc WHERE id IN (?, ?)", late, holder)
		if err == nil && !slices.Equal(got, []string{"107", "107"}) {
			t.Fatalf("seen: %v", got) // half of it must not be
		}
		return err
	})
	nothingBehind(t, db)
}

// nothingBehind waits until every commit is made.
func nothingBehind(t *testing.T, db *sql.DB) {
	t.Helper()
	await.Nil(t, func() error {
		return withCluster(db, func(c *cluster) error {
			if n, m := c.finish.behind.Load(), c.finish.left.Load(); n+m > 0 {
				return fmt.Errorf("%d shards are behind, %d transactions are left", n, m)
			}
			return nil
		})
	})
}

// TestOwnCommitsShow: with shards that are slow to commit and fail to at times,
// whatever a client was told of is there for it, over any connection.
func TestOwnCommitsShow(t *testing.T) {
	for _, share := range []int32{0, 3} { // of commits that fail
		t.Run(fmt.Sprint("fails=", share), func(t *testing.T) {
			var n atomic.Int32
			var fails atomic.Bool
			db, _ := lonely(t, "", &loners{commits: func(context.Context, tablet.Target) error {
				time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond) // a slow shard
				if fails.Load() && n.Add(1)%share == 0 {
					return errors.New("the shard can't be reached")
				}
				return nil
			}})
			fails.Store(share > 0)
			var clients sync.WaitGroup
			for c := range 4 {
				clients.Go(func() {
					for i := 1; i <= 40; i++ {
						id := 1 + 5*c
						err := stubborn(func() error {
							_, err := db.Exec("UPDATE acc SET bal = ? WHERE id BETWEEN ? AND ?", 1000+i, id, id+4)
							return err
						})
						if err != nil {
							t.Error(err)
							return
						}
						for k := range 5 {
							got, err := rowsOf(db, "SELECT bal FROM acc WHERE id = ?", id+k)
							if err != nil || len(got) != 1 || got[0] != fmt.Sprint(1000+i) {
								t.Errorf("account %d: %v, %v; want %d", id+k, got, err, 1000+i)
								return
							}
						}
					}
				})
			}
			clients.Wait()
			nothingBehind(t, db)
			want(t, db, "20800", "SELECT SUM(bal) FROM acc")
		})
	}
}

// TestCommitBesideClose: a commit that comes when the database is closing is made
// before its client is told.
func TestCommitBesideClose(t *testing.T) {
	db, ids := lonely(t, "", &loners{})
	if err := withCluster(db, func(c *cluster) error { c.finish.close(); return nil }); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := db.Exec("UPDATE acc SET bal = 1 WHERE id IN (?, ?)", ids[0], ids[1])
		done <- err
	}()
	if err := soon(t, "the commit", func() error { return <-done }); err != nil {
		t.Fatal(err)
	}
	want(t, db, "2", "SELECT COUNT(*) FROM acc WHERE bal = 1")
}

// TestCloseWaitsForCommits: the commits that are under way when the database is
// closed are made before it is, and nothing is left; one that can't be made is left
// to the tablets.
func TestCloseWaitsForCommits(t *testing.T) {
	before, _ := ours()
	for _, fails := range []bool{false, true} {
		var made atomic.Int32
		var down atomic.Bool
		g := &gates{}
		db, ids := lonely(t, "", &loners{commits: func(ctx context.Context, at tablet.Target) error {
			if err := g.pass(ctx, at); err != nil || down.Load() {
				return errors.Join(err, errors.New("the shard can't be reached"))
			}
			made.Add(1)
			return nil
		}})
		nothingBehind(t, db)
		made.Store(0)
		down.Store(fails)
		var open func()
		if err := withCluster(db, func(c *cluster) error { open = g.shut(c); return nil }); err != nil {
			t.Fatal(err)
		}
		do(t, db, "UPDATE acc SET bal = bal + 1 WHERE id IN (?, ?)", ids[0], ids[1])
		closed := make(chan error)
		go func() { closed <- db.Close() }()
		open()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if !fails && made.Load() != 1 {
			t.Errorf("%d commits were made", made.Load())
		}
	}
	await.Nil(t, func() error {
		if after, text := ours(); after > before {
			return fmt.Errorf("%d goroutines are left of %d:\n%s", after, before, text)
		}
		return nil
	})
}
