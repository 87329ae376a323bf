package vitessdo

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/internal/remotetest"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
)

// placed runs a test with four shards at one server, and at two.
func placed(t *testing.T, f func(t *testing.T, servers []*remotetest.Server, dsn func(query string) string)) {
	transports(t, func(t *testing.T, scheme string) {
		t.Run("one server", func(t *testing.T) {
			s := remotetest.Start("")
			t.Cleanup(s.Close)
			f(t, []*remotetest.Server{s}, func(query string) string { return s.DSN(scheme, query) })
		})
		t.Run("two servers", func(t *testing.T) {
			a, b := remotetest.Start(""), remotetest.Start("")
			t.Cleanup(a.Close)
			t.Cleanup(b.Close)
			path := writeFile(t, fmt.Sprintf(`{"catalog": "%[1]s://%[2]s", "shards": {"main/-40": "%[1]s://%[2]s", "main/40-80": "%[1]s://%[2]s", "main/80-c0": "%[1]s://%[2]s", "main/c0-": "%[1]s://%[3]s"}}`,
				scheme, a.Addr(), b.Addr()))
			f(t, []*remotetest.Server{a, b}, func(query string) string { return a.DSN(scheme, query+"&topology="+path) })
		})
	})
}

// A commit over two servers comes between a statement's look at the one and at the
// other, in autocommit or as the first of a transaction.
func TestCommitBetweenServers(t *testing.T) {
	placed(t, func(t *testing.T, servers []*remotetest.Server, dsn func(string) string) {
		db := openDB(t, dsn("shards=4"))
		accounts(t, db, 20)
		writer := openDB(t, dsn(""))
		want(t, writer, "2000", "SELECT SUM(bal) FROM acc")
		ids := idsOn(t, db, "acc", 4)
		queries := []string{"SELECT SUM(bal) FROM acc", "SELECT SUM(bal) FROM (SELECT DISTINCT id, bal FROM acc) AS x",
			"SELECT SUM(a.bal) FROM acc AS a JOIN acc AS b ON a.id = b.id"}
		for i := range 2 * len(queries) {
			query, inTx := queries[i/2], i%2 == 1
			var q querier = db
			if inTx {
				tx, err := db.BeginTx(bg, &sql.TxOptions{ReadOnly: true})
				if err != nil {
					t.Fatal(err)
				}
				defer tx.Rollback()
				q = tx
			}
			settled(t, db)
			moved := make(chan struct{})
			end := sync.OnceFunc(func() { close(moved) })
			defer end()
			var here atomic.Int32
			for _, s := range servers {
				s.Asked()
				s.Arrives(func(at tablet.Target) { // the last shard waits for the commit
					if at.Shard == "c0-" && here.Add(1) == 1 {
						<-moved
					}
				})
			}
			sum := make(chan []string)
			go func() {
				rows, err := rowsOf(q, query)
				if err != nil {
					t.Error(err)
				}
				sum <- rows
			}()
			// The reader has looked at one shard, and is the one who waits at the last.
			asked := 0
			await.True(t, "a shard is asked", func() bool {
				asked += servers[0].Asked()[rpc.TypeShardQuery]
				return asked > 0 && here.Load() > 0
			})
			for _, id := range ids[1:] {
				do(t, writer, "UPDATE acc SET bal = bal + CASE id WHEN ? THEN 7 ELSE -7 END WHERE id IN (?, ?)", id, ids[0], id)
			}
			end()
			if rows := <-sum; len(rows) != 1 || rows[0] != "2000" {
				t.Errorf("%s sees %v (in a transaction: %v)", query, rows, inTx)
			}
			if inTx { // and goes on to see the same
				do(t, writer, "UPDATE acc SET bal = bal + CASE id WHEN ? THEN 7 ELSE -7 END WHERE id IN (?, ?)", ids[1], ids[0], ids[1])
				want(t, q, "2000", query)
			}
		}
	})
}

// TestRoundsOfMessages: a statement waits for the tablets as often as its own queries
// must, one after the other, and not for its look at several shards as of one moment.
func TestRoundsOfMessages(t *testing.T) {
	placed(t, func(t *testing.T, servers []*remotetest.Server, dsn func(string) string) {
		db := openDB(t, dsn("shards=4"))
		do(t, db, "CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(20) UNIQUE, v INT)")
		do(t, db, "CREATE TABLE q (id INT PRIMARY KEY, p INT, w INT)")
		for i := range 40 {
			do(t, db, "INSERT INTO p VALUES (?, ?, ?)", i, fmt.Sprint("n", i), i%4)
			do(t, db, "INSERT INTO q VALUES (?, ?, ?)", i, i, i%5)
		}
		ids := idsOn(t, db, "p", 2)
		rounds := &remotetest.Rounds{}
		for _, s := range servers {
			s.Arrives(func(tablet.Target) { rounds.Arrive() })
		}
		c := pin(t, db)
		for _, tc := range []struct {
			name, query string
			args        []any
			want        string
			rounds      []int
		}{
			{"a row", "SELECT v FROM p WHERE id = 6", nil, "2", []int{1}},
			{"a sum", "SELECT SUM(v) FROM p", nil, "60", []int{4}},
			{"sorted rows", "SELECT id FROM p ORDER BY id LIMIT 2", nil, "0 1", []int{4}},
			{"what SQLite combines", "SELECT MAX(n) FROM (SELECT ROW_NUMBER() OVER (ORDER BY id) AS n FROM p) AS x", nil, "40", []int{4}},
			{"by a unique key", "SELECT v FROM p WHERE name = 'n7'", nil, "3", []int{1, 1}},
			{"a join by the keys of the other side", "SELECT COUNT(*) FROM p JOIN q ON q.w = p.v", nil, "320", []int{4, 4}},
			{"a join of two rows", "SELECT a.v + b.w FROM p AS a JOIN q AS b ON a.v <> b.w WHERE a.id = ? AND b.id = ?", []any{ids[0], ids[1]},
				fmt.Sprint(ids[0]%4 + ids[1]%5), []int{2}},
			{"a join of two rows by a hash table", "SELECT a.id FROM p AS a JOIN q AS b ON a.v = b.w - b.w + a.v AND a.v = b.w - ? + ? WHERE a.id = ? AND b.id = ?",
				[]any{ids[1] % 5, ids[0] % 4, ids[0], ids[1]}, fmt.Sprint(ids[0]), []int{2}},
			{"a subquery", "SELECT COUNT(*) FROM q WHERE w < (SELECT MAX(v) FROM p)", nil, "24", []int{4, 4}},
		} {
			inRounds(t, tc.name, rounds, tc.rounds, func() { want(t, c, tc.want, tc.query, tc.args...) })
		}
		var tx *sql.Tx
		defer func() { _ = tx.Rollback() }()
		inRounds(t, "a transaction: the rows, and again the rows", rounds, []int{4, 4}, func() {
			if tx != nil {
				_ = tx.Rollback()
			}
			var err error
			if tx, err = db.BeginTx(bg, &sql.TxOptions{ReadOnly: true}); err != nil {
				t.Fatal(err)
			}
			want(t, tx, "60", "SELECT SUM(v) FROM p")
			want(t, tx, "60", "SELECT SUM(v) FROM p")
		})
	})
}

// inRounds wants f to do with so many requests a round. As long as a commit was a short
// time ago, it may take one more.
func inRounds(t *testing.T, name string, r *remotetest.Rounds, want []int, f func()) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); ; {
		r.Begin(want...)
		f()
		wrong := r.End()
		if len(wrong) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%s: %s", name, strings.Join(wrong, "; "))
			return
		}
	}
}
