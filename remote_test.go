package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/remotetest"
	"github.com/vitessdo/vitessdo/rpc"
)

// transports runs a test over each way to a server.
func transports(t *testing.T, f func(t *testing.T, scheme string)) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) { f(t, scheme) })
	}
}

// The first gate makes the shards; another one finds them.
func TestRemote(t *testing.T) {
	transports(t, func(t *testing.T, scheme string) {
		s := remotetest.Start("")
		t.Cleanup(s.Close)
		testGates(t, func(query string) string { return s.DSN(scheme, query) })
	})
}

func testGates(t *testing.T, dsn func(query string) string) {
	a := openDB(t, dsn("shards=4"))
	do(t, a, "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20) UNIQUE)")
	do(t, a, "INSERT INTO t (v) VALUES ('a'), ('b'), ('c'), ('d'), ('e')")
	b := openDB(t, dsn(""))
	want(t, b, "1|a 2|b 3|c 4|d 5|e", "SELECT * FROM t ORDER BY id")
	tx, err := b.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "UPDATE t SET v = CONCAT(v, v)")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	settled(t, a) // another gate may see a shard's part of it before another's
	want(t, a, "1|aa 2|bb 3|cc 4|dd 5|ee", "SELECT * FROM t ORDER BY id")
	mustFail(t, openDB(t, dsn("shards=2")), CodeTopology, "SELECT 1")

	// What one gate makes, the other one uses.
	do(t, a, "CREATE TABLE u (id INT PRIMARY KEY)")
	do(t, b, "INSERT INTO u VALUES (1), (2), (3)")
	do(t, b, "ALTER TABLE u ADD COLUMN w INT DEFAULT 7")
	want(t, a, "1|7 2|7 3|7", "SELECT * FROM u ORDER BY id")
	do(t, a, "CREATE DATABASE other")
	do(t, b, "CREATE TABLE other.x (id INT PRIMARY KEY)")
	do(t, a, "DROP DATABASE other")
	mustFail(t, b, CodeUnknownDatabase, "INSERT INTO other.x VALUES (1)")
	do(t, b, "CREATE DATABASE other")
	do(t, a, "CREATE TABLE other.x (id INT PRIMARY KEY)")
	want(t, b, "", "SELECT * FROM other.x")
}

// GET_LOCK keeps sessions of several gates apart, as migration tools on two machines
// need it; the lock of a gate that is gone comes free by itself.
func TestNamedLocksOfGates(t *testing.T) {
	s := remotetest.Start("")
	t.Cleanup(s.Close)
	dbs := [2]*sql.DB{openDB(t, s.DSN("ws", "shards=2")), openDB(t, s.DSN("http", ""))}
	a, b := pin(t, dbs[0]), pin(t, dbs[1])
	want(t, a, "1", "SELECT GET_LOCK('m', 0)")
	want(t, a, "1", "SELECT GET_LOCK('m', 0)")
	want(t, b, "0", "SELECT GET_LOCK('m', 0)")
	want(t, b, "0", "SELECT GET_LOCK('m', 0.05)")
	want(t, b, "0|0", "SELECT IS_FREE_LOCK('m'), IS_USED_LOCK('m') IS NULL")
	want(t, b, "∅", "SELECT RELEASE_LOCK('m')")
	want(t, a, "1", "SELECT RELEASE_LOCK('m')")
	want(t, b, "0", "SELECT GET_LOCK('m', 0)")
	got := make(chan []string, 1)
	go func() {
		rows, err := rowsOf(b, "SELECT GET_LOCK('m', 10)")
		if err != nil {
			t.Error(err)
		}
		got <- rows
	}()
	want(t, a, "1", "SELECT RELEASE_LOCK('m')")
	if rows := <-got; len(rows) != 1 || rows[0] != "1" {
		t.Errorf("the lock that came free: %v", rows)
	}
	want(t, a, "0", "SELECT GET_LOCK('m', 0)")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	_ = dbs[1].Close() // with the session's locks
	want(t, a, "1", "SELECT GET_LOCK('m', 60)")

	// One that nobody prolongs.
	gone := dbs[0]
	if err := withCluster(gone, func(c *cluster) error {
		_, err := c.catalog.TakeLock(bg, "left", "a gate that died", 7, 2*time.Second)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	want(t, a, "0|7", "SELECT IS_FREE_LOCK('left'), IS_USED_LOCK('left')")
	want(t, a, "0", "SELECT GET_LOCK('left', 0)")
	want(t, a, "1", "SELECT GET_LOCK('left', 60)")
	want(t, a, "2", "SELECT RELEASE_ALL_LOCKS()")
}

// A statement over several shards sees one moment, whichever gate commits: money that
// others move is never seen on its way.
func TestMomentsOfGates(t *testing.T) {
	placed(t, func(t *testing.T, _ []*remotetest.Server, dsn func(string) string) {
		writers := []*sql.DB{openDB(t, dsn("shards=4")), openDB(t, dsn(""))}
		reader := openDB(t, dsn(""))
		accounts(t, writers[0], 20)
		do(t, writers[0], "CREATE TABLE name (id INT PRIMARY KEY, acc INT)")
		for id := 1; id <= 20; id++ {
			do(t, writers[0], "INSERT INTO name VALUES (?, ?)", 100+id, id)
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		end := sync.OnceFunc(func() { close(stop); wg.Wait() })
		defer end()
		var commits atomic.Int64
		for i, db := range writers {
			wg.Go(func() {
				dice := rand.New(rand.NewPCG(uint64(i), 3))
				for {
					select {
					case <-stop:
						return
					default:
					}
					from := 1 + dice.IntN(20)
					to := 1 + (from+dice.IntN(19))%20
					if _, err := db.Exec("UPDATE acc SET bal = bal + CASE id WHEN ? THEN -7 ELSE 7 END WHERE id IN (?, ?)", from, from, to); err != nil {
						t.Errorf("a transfer: %v", err)
						return
					}
					commits.Add(1)
				}
			})
		}
		for until := time.Now().Add(1500 * time.Millisecond); time.Now().Before(until) || commits.Load() == 0 && !t.Failed(); {
			for _, query := range []string{
				"SELECT SUM(bal) FROM acc",
				"SELECT SUM(acc.bal) FROM name JOIN acc ON acc.id = name.acc",
				"SELECT MAX(s) FROM (SELECT SUM(bal) OVER () AS s FROM acc) AS x",
				"SELECT (SELECT SUM(bal) FROM acc WHERE id < 11) + (SELECT SUM(bal) FROM acc WHERE id > 10)",
			} {
				if got := mustRows(t, reader, query)[0]; got != "2000" {
					t.Fatalf("%s sees %s", query, got)
				}
			}
			tx, err := reader.BeginTx(bg, &sql.TxOptions{Isolation: sql.LevelSnapshot, ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			sum := 0
			for _, row := range mustRows(t, tx, "SELECT bal FROM acc ORDER BY id") {
				var n int
				fmt.Sscan(row, &n)
				sum += n
			}
			if got := mustRows(t, tx, "SELECT SUM(bal) FROM acc")[0]; got != fmt.Sprint(sum) {
				t.Fatalf("a snapshot sees %d and %s", sum, got)
			}
			_ = tx.Rollback()
		}
		end()
		if commits.Load() == 0 {
			t.Error("nothing was committed meanwhile")
		}
		want(t, reader, "2000", "SELECT SUM(bal) FROM acc")
	})
}

// What a statement asks the shards is what it needs, and no more.
func TestRounds(t *testing.T) {
	transports(t, func(t *testing.T, scheme string) {
		s := remotetest.Start("")
		t.Cleanup(s.Close)
		db := openDB(t, s.DSN(scheme, "shards=4"))
		accounts(t, db, 20)
		ids := idsOn(t, db, "acc", 2)
		for _, c := range []struct {
			name string
			do   func()
			want map[rpc.Type]int
		}{
			{"a row", func() { want(t, db, "100", "SELECT bal FROM acc WHERE id = ?", ids[0]) }, map[rpc.Type]int{rpc.TypeShardQuery: 1}},
			{"a sum of all shards", func() { want(t, db, "2000", "SELECT SUM(bal) FROM acc") }, map[rpc.Type]int{rpc.TypeShardQuery: 4}},
			{"rows of all shards, sorted", func() { want(t, db, "1 2", "SELECT id FROM acc ORDER BY id LIMIT 2") }, map[rpc.Type]int{rpc.TypeShardQuery: 4}},
			{"rows of all shards", func() { mustRows(t, db, "SELECT id FROM acc") }, map[rpc.Type]int{rpc.TypeShardQuery: 4}},
			{"a write", func() { do(t, db, "UPDATE acc SET bal = bal WHERE id = ?", ids[0]) }, map[rpc.Type]int{rpc.TypeShardExecute: 1}},
			{"a transaction on one shard", func() {
				tx, err := db.Begin()
				if err != nil {
					t.Fatal(err)
				}
				want(t, tx, "100", "SELECT bal FROM acc WHERE id = ?", ids[0])
				do(t, tx, "UPDATE acc SET bal = bal + 1 WHERE id = ?", ids[0])
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
			}, map[rpc.Type]int{rpc.TypeShardQuery: 1, rpc.TypeShardExecute: 1, rpc.TypeShardCommit: 1}},
			{"a transaction on two shards", func() {
				tx, err := db.Begin()
				if err != nil {
					t.Fatal(err)
				}
				for _, id := range ids {
					do(t, tx, "UPDATE acc SET bal = bal + 1 WHERE id = ?", id)
				}
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
			}, map[rpc.Type]int{rpc.TypeShardExecute: 2, rpc.TypePrepare: 1, rpc.TypeDecide: 1, rpc.TypeCommitPrepared: 1, rpc.TypeConclude: 1}},
		} {
			s.Asked()
			c.do()
			got := s.Asked()
			for end := time.Now().Add(10 * time.Second); len(got) < len(c.want) && time.Now().Before(end); time.Sleep(time.Millisecond) {
				for kind, n := range s.Asked() { // what nobody waits for
					got[kind] += n
				}
			}
			if !maps.Equal(got, c.want) {
				t.Errorf("%s: the requests are %v, want %v", c.name, got, c.want)
			}
		}
	})
}

// A transaction whose connection is lost is rolled back, and RunTx runs it again; a
// statement in autocommit is sent again when it only reads.
func TestLostConnections(t *testing.T) {
	s := remotetest.Start("")
	t.Cleanup(s.Close)
	db := openDB(t, s.DSN("ws", "shards=4"))
	do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, v INT)")
	do(t, db, "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 0)")
	attempts := 0
	err := RunTx(bg, db, nil, func(tx *sql.Tx) error {
		attempts++
		if _, err := tx.Exec("UPDATE t SET v = v + 1 WHERE id < 3"); err != nil {
			return err
		}
		if attempts == 1 {
			s.Cut()
		}
		_, err := tx.Exec("UPDATE t SET v = v + 1 WHERE id > 2")
		return err
	})
	if err != nil || attempts != 2 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
	for range 5 {
		s.Cut()
		want(t, db, "1 1 1 1", "SELECT v FROM t ORDER BY id")
		s.Cut()
		want(t, db, "1", "SELECT v FROM t WHERE id = 2")
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "UPDATE t SET v = 7 WHERE id = 1")
	s.Cut()
	// Whether the commit went out before the loss was noticed is a matter of luck.
	var e *Error
	if err := tx.Commit(); !errors.As(err, &e) || !e.OutcomeUnknown() && (e.Code != CodeTxExpired || !e.Retryable()) {
		t.Errorf("a commit after the connection was lost: %v", err)
	}
	want(t, db, "1", "SELECT v FROM t WHERE id = 1")
}

// Who opens a database at a server that never answers waits as long as the context lasts,
// and not longer, others who wait for the same opening included.
func TestServerThatNeverAnswers(t *testing.T) {
	transports(t, func(t *testing.T, scheme string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // connections are taken by the system
		db, err := sql.Open("vitessdo", scheme+"://"+l.Addr().String()+"/main")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		ctx, cancel := context.WithTimeout(bg, 100*time.Millisecond)
		defer cancel()
		errs := make(chan error)
		for range 3 {
			go func() { errs <- db.PingContext(ctx) }()
		}
		for range 3 {
			select {
			case err := <-errs:
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it waits on")
			}
		}
		// One at a time it is said which server that is.
		one, end := context.WithTimeout(bg, time.Second)
		defer end()
		if err := db.PingContext(one); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
			t.Errorf("got %v", err)
		}
	})
}
