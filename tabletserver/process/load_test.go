package process

import (
	"bufio"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/tablet"
)

var (
	loadTime     = flag.Duration("load.time", 2*time.Second, "how long the load test works on a server")
	loadSessions = flag.Int("load.sessions", 40, "its sessions, four to a gate; every fifth gate is one over http")
)

// A server under the reads and the writes over several shards of many sessions: every
// sum that is seen is right, what it holds doesn't grow while they work, and is gone
// when they are. The time that each kind of work takes is in the log.
func TestLoad(t *testing.T) {
	s := spawn(t, "127.0.0.1:0", "-synchronous", "normal", "-tokens", tokens(t), t.TempDir())
	setup := gate(t, s.address, "&shards=4")
	l := &load{t: t, accounts: 2000, took: map[string][]time.Duration{}}
	l.fill(setup)
	must(t, setup.Close())

	// Once as long as it takes to open all that a load makes it open.
	l.run(s, min(*loadTime, 5*time.Second))
	l.openReaders(s)
	before := l.rest(s, held{})
	here := runtime.NumGoroutine()
	l.took = map[string][]time.Duration{}
	seen := l.run(s, *loadTime)
	after := l.rest(s, before)

	t.Logf("%d sessions for %v on %d processors", *loadSessions, *loadTime, runtime.NumCPU())
	l.report(*loadTime)
	first, last := seen[len(seen)/4], seen[len(seen)-1]
	t.Logf("the server under load, after a quarter of the time and at its end: %v, %v", first, last)
	t.Logf("the server at rest, before and after: %v, %v", before, after)
	if after.goroutines > before.goroutines || after.files > before.files {
		t.Errorf("the server at rest holds more than before: %v, %v", before, after)
	}
	if most := 2*first.heap + 16<<20; last.heap > most {
		t.Errorf("the server's heap has grown from %d to %d bytes", first.heap, last.heap)
	}
	if most := first.resident + first.resident/2 + 32<<20; last.resident > most {
		t.Errorf("the server's memory has grown from %d to %d bytes", first.resident, last.resident)
	}
	await.True(t, "its goroutines here have ended", func() bool { return runtime.NumGoroutine() <= here })
	must(t, s.end(syscall.SIGTERM))
}

// load is a bank of accounts, and how long its customers wait.
type load struct {
	t        *testing.T
	accounts int

	mu   sync.Mutex
	took map[string][]time.Duration
}

func (l *load) fill(db *sql.DB) {
	l.t.Helper()
	_, err := db.Exec("CREATE TABLE account(id INTEGER PRIMARY KEY, money INTEGER NOT NULL, note VARCHAR(100))")
	must(l.t, err)
	for from := 0; from < l.accounts; from += 500 {
		var rows []string
		for id := from; id < from+500; id++ {
			rows = append(rows, fmt.Sprintf("(%d, 100, 'the account of customer %d')", id, id))
		}
		_, err := db.Exec("INSERT INTO account VALUES " + strings.Join(rows, ", "))
		must(l.t, err)
	}
}

// run has all sessions work for a time, and looks at the server meanwhile.
func (l *load) run(s *child, last time.Duration) []held {
	var work sync.WaitGroup
	var until time.Time
	begun := make(chan struct{})
	for n := range (*loadSessions + 3) / 4 {
		scheme := "ws"
		if n%5 == 4 {
			scheme = "http"
		}
		db, err := sql.Open("vitessdo", scheme+"://"+s.address+"/?auth_token="+full)
		must(l.t, err)
		defer db.Close()
		db.SetMaxOpenConns(4)
		db.SetMaxIdleConns(4)
		l.connect(db)
		for k := range min(4, *loadSessions-4*n) {
			dice := rand.New(rand.NewPCG(uint64(n), uint64(k)))
			work.Go(func() {
				<-begun
				l.session(db, until, dice)
			})
		}
	}
	until = time.Now().Add(last)
	close(begun)
	var seen []held
	for every := time.Until(until) / 20; time.Now().Before(until); time.Sleep(every) {
		seen = append(seen, l.look(s))
	}
	work.Wait()
	return seen
}

// openReaders has every tablet open as many connections for reading as it keeps, which
// a slow machine's load may not need.
func (l *load) openReaders(s *child) {
	l.t.Helper()
	c := dial(l.t, "ws", s.address, full)
	defer c.Close() // behind its rows
	for _, at := range []tablet.Target{{Keyspace: "main", Shard: "-40"}, {Keyspace: "main", Shard: "40-80"}, {Keyspace: "main", Shard: "80-c0"}, {Keyspace: "main", Shard: "c0-"}, {Keyspace: "_vt", Shard: "catalog"}} {
		db := shardOf(l.t, c, at.Keyspace, at.Shard)
		for range runtime.NumCPU() + 8 {
			rows, err := db.Query(l.t.Context(), &tablet.Query{SQL: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"})
			must(l.t, err)
			defer rows.Close()
		}
	}
}

// connect opens all of a gate's connections, so that no statement waits for that.
func (l *load) connect(db *sql.DB) {
	l.t.Helper()
	for range 4 {
		c, err := db.Conn(context.Background())
		must(l.t, err)
		defer c.Close()
	}
}

// session is one customer: two of three times it reads.
func (l *load) session(db *sql.DB, until time.Time, dice *rand.Rand) {
	ctx := context.Background()
	took := map[string][]time.Duration{}
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for kind, list := range took {
			l.took[kind] = append(l.took[kind], list...)
		}
	}()
	for time.Now().Before(until) {
		a := dice.IntN(l.accounts)
		b := (a + 1 + dice.IntN(l.accounts-1)) % l.accounts
		began := time.Now()
		kind, err := "", error(nil)
		switch n := dice.IntN(100); {
		case n < 50:
			kind = "point select"
			var money int
			err = db.QueryRowContext(ctx, "SELECT money FROM account WHERE id = ?", a).Scan(&money)
		case n < 60:
			kind = "range of 50 rows"
			err = l.list(ctx, db, a)
		case n < 65:
			kind = "sum over all shards"
			var sum int
			if err = db.QueryRowContext(ctx, "SELECT SUM(money) FROM account").Scan(&sum); err == nil && sum != 100*l.accounts {
				err = fmt.Errorf("all money is %d, of %d", sum, 100*l.accounts)
			}
		case n < 75:
			kind = "write to one shard"
			_, err = db.ExecContext(ctx, "UPDATE account SET note = ? WHERE id = ?", fmt.Sprint("note ", n), a)
		default:
			kind = "transfer between two accounts"
			err = vitessdo.RunTx(ctx, db, nil, func(tx *sql.Tx) error {
				if _, err := tx.ExecContext(ctx, "UPDATE account SET money = money - 1 WHERE id = ?", a); err != nil {
					return err
				}
				_, err := tx.ExecContext(ctx, "UPDATE account SET money = money + 1 WHERE id = ?", b)
				return err
			})
		}
		if err != nil {
			l.t.Errorf("%s: %v", kind, err)
			return
		}
		took[kind] = append(took[kind], time.Since(began))
	}
}

func (l *load) list(ctx context.Context, db *sql.DB, from int) error {
	rows, err := db.QueryContext(ctx, "SELECT id, money, note FROM account WHERE id BETWEEN ? AND ? ORDER BY id", from, from+49)
	if err != nil {
		return err
	}
	defer rows.Close()
	for at := from; rows.Next(); at++ {
		var id, money int
		var note string
		if err := rows.Scan(&id, &money, &note); err != nil {
			return err
		}
		if id != at {
			return fmt.Errorf("account %d where %d should be", id, at)
		}
	}
	return rows.Err()
}

func (l *load) report(worked time.Duration) {
	for _, kind := range slices.Sorted(func(yield func(string) bool) {
		for k := range l.took {
			if !yield(k) {
				return
			}
		}
	}) {
		list := l.took[kind]
		slices.Sort(list)
		at := func(of float64) time.Duration {
			return list[min(len(list)-1, int(of*float64(len(list))))].Round(10 * time.Microsecond)
		}
		l.t.Logf("%-30s %7d, %6.0f/s: p50 %v, p99 %v, p99.9 %v, longest %v", kind, len(list), float64(len(list))/worked.Seconds(), at(0.5), at(0.99), at(0.999), list[len(list)-1].Round(10*time.Microsecond))
	}
}

// held is what a server holds.
type held struct {
	goroutines, files, sessions, open int
	heap, resident                    int64
}

func (h held) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d sessions, %d requests, transactions and cursors, %.1f MB of live heap, %.1f MB resident",
		h.goroutines, h.files, h.sessions, h.open, float64(h.heap)/1e6, float64(h.resident)/1e6)
}

func (l *load) look(s *child) held {
	l.t.Helper()
	status, text := get(l.t, "http://"+s.address+"/metrics", full)
	if status != 200 {
		l.t.Fatalf("metrics: status %d", status)
	}
	value := map[string]float64{}
	for line := range strings.Lines(text) {
		name, n, _ := strings.Cut(strings.TrimSpace(line), " ")
		value[name], _ = strconv.ParseFloat(n, 64)
	}
	return held{
		goroutines: int(value["go_goroutines"]), files: int(value["process_open_fds"]), sessions: int(value["vitessdo_tablet_sessions"]),
		open:     int(value["vitessdo_tablet_running"] + value["vitessdo_tablet_transactions"] + value["vitessdo_tablet_cursors"]),
		heap:     int64(value["go_gc_heap_live_bytes"]),
		resident: resident(s.cmd.Process.Pid),
	}
}

// rest is what the server holds when its clients are gone, at the least: as much as
// before, or what it comes to and stays at.
func (l *load) rest(s *child, before held) held {
	l.t.Helper()
	var h held
	await.True(l.t, "the server has no work left for clients that are gone", func() bool {
		h = l.look(s)
		return h.sessions+h.open == 0
	})
	// Connections end a moment after their sessions, and what is done now and then may
	// just be done.
	for still := 0; still < 4000 && (h.goroutines > before.goroutines || h.files > before.files); still++ {
		if next := l.look(s); next.goroutines < h.goroutines || next.files < h.files {
			h, still = next, 0
		}
		time.Sleep(5 * time.Millisecond)
	}
	return h
}

// resident is the memory that a process has, where the system tells.
func resident(pid int) int64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if kb, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}
