//go:build linux && !nopostgres

package postgres_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/interop/postgres/internal/cluster"
	"github.com/vitessdo/vitessdo/tabletserver"
)

const accounts, funds = 8, 1000

// brief gives a lease that a killed process leaves soon.
var brief = postgres.Options{Lease: 4 * time.Second, Timeout: 10 * time.Second, Reconnect: 10 * time.Second}

// Topology files of these tests name databases by "brief:" before their URL.
func init() {
	vitessdo.RegisterEngine("brief", func(ctx context.Context, address, _ string) (tabletserver.Engine, error) {
		return postgres.Open(ctx, strings.TrimPrefix(address, "brief:"), brief)
	})
}

// bank is a database over two shards; dir has the catalog, the log, and what is in
// SQLite.
type bank struct {
	dir  string
	urls map[string]string // by shard; one that has none is in SQLite
	// topology: a file places the shards, so that there is no log: the last shard to
	// commit decides, and the others ask it.
	topology bool
}

func (b *bank) open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := b.connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (b *bank) connect() (*sql.DB, error) {
	if b.topology {
		shards := map[string]string{}
		for name, url := range b.urls {
			shards["main/"+name] = "brief:" + url
		}
		file := filepath.Join(b.dir, "topology.json")
		text, err := json.Marshal(map[string]any{"shards": shards})
		if err == nil {
			err = os.WriteFile(file, text, 0o600)
		}
		if err != nil {
			return nil, err
		}
		return sql.Open("vitessdo", "file:"+filepath.Join(b.dir, "data")+"?shards=2&synchronous=normal&topology="+file)
	}
	cfg := vitessdo.NewConfig()
	cfg.Dir, cfg.Shards, cfg.Synchronous = filepath.Join(b.dir, "data"), 2, "normal"
	cfg.Storage = func(ctx context.Context, _, shard string) (tabletserver.Engine, error) {
		if b.urls[shard] == "" {
			return nil, nil
		}
		return postgres.Open(ctx, b.urls[shard], brief)
	}
	c, err := vitessdo.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// banks are the ways to keep a bank whose shards in PostgreSQL are at the given addresses.
func banks(t *testing.T, at func(name string) string) map[string]*bank {
	return map[string]*bank{
		"PostgreSQL":    {dir: t.TempDir(), urls: map[string]string{"-80": at("a"), "80-": at("b")}},
		"beside SQLite": {dir: t.TempDir(), urls: map[string]string{"80-": at("c")}},
		"by topology":   {dir: t.TempDir(), urls: map[string]string{"-80": at("d")}, topology: true},
	}
}

func fill(t testing.TB, db *sql.DB) {
	t.Helper()
	for _, text := range []string{
		"CREATE TABLE account (id BIGINT PRIMARY KEY, funds BIGINT NOT NULL)",
		"CREATE TABLE moved (id BIGINT PRIMARY KEY)",
		"CREATE TABLE journal (id BIGINT NOT NULL, what TEXT) PARTITION BY KEY(id)", // by row IDs of its own
	} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	for id := range accounts {
		if _, err := db.Exec("INSERT INTO account VALUES (?, ?)", id, funds); err != nil {
			t.Fatal(err)
		}
	}
}

// move takes money from one account to another, and notes that as id. What the journal
// says is changed by its row IDs.
func move(ctx context.Context, db *sql.DB, id int64) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	from, to := rand.IntN(accounts), rand.IntN(accounts)
	for _, s := range []struct {
		text string
		args []any
	}{
		{"UPDATE account SET funds = funds - 1 WHERE id = ?", []any{from}},
		{"UPDATE account SET funds = funds + 1 WHERE id = ?", []any{to}},
		{"INSERT INTO moved VALUES (?)", []any{id}},
		{"INSERT INTO journal VALUES (?, 'begun')", []any{id}},
		{"UPDATE journal SET what = CONCAT(UPPER(what), '.') WHERE id = ? LIMIT 1", []any{id}},
	} {
		if _, err := tx.ExecContext(ctx, s.text, s.args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// check holds what the bank has against what it must have.
func check(t *testing.T, db *sql.DB, done map[int64]bool) {
	t.Helper()
	var total, entries int64
	if err := db.QueryRow("SELECT SUM(funds) FROM account").Scan(&total); err != nil {
		t.Fatal(err)
	}
	if total != accounts*funds {
		t.Errorf("the bank has %d, want %d", total, accounts*funds)
	}
	rows, err := db.Query("SELECT id FROM moved")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	have := map[int64]bool{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		have[id] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	lost := 0
	for id := range done {
		if !have[id] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged transactions are lost", lost, len(done))
	}
	if err := db.QueryRow("SELECT COUNT(*) FROM journal WHERE what = 'BEGUN.'").Scan(&entries); err != nil || entries != int64(len(have)) {
		t.Errorf("the journal has %d entries of %d transactions: %v", entries, len(have), err)
	}
	t.Logf("%d acknowledged, %d there", len(done), len(have))
}

// TestServerKilled crashes the server under transactions over both shards: none is done
// by half, none that was acknowledged is lost.
func TestServerKilled(t *testing.T) {
	for _, name := range []string{"PostgreSQL", "beside SQLite", "by topology"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := cluster.New()
			if s != nil {
				t.Cleanup(s.Stop)
			}
			if err != nil {
				t.Fatal(err)
			}
			serverKilled(t, s, banks(t, s.URL)[name], 4)
		})
	}
}

// crashing is a server that can be killed, and started again on what it has.
type crashing interface {
	Kill()
	Start() error
}

func serverKilled(t *testing.T, s crashing, b *bank, times int) {
	db := b.open(t)
	fill(t, db)
	var (
		mu      sync.Mutex
		done    = map[int64]bool{}
		next    atomic.Int64
		unknown atomic.Int64
		stop    = make(chan struct{})
		work    sync.WaitGroup
	)
	for range 3 {
		work.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				id := next.Add(1)
				ctx, cancel := context.WithTimeout(bg, 20*time.Second)
				err := move(ctx, db, id)
				cancel()
				var e *vitessdo.Error
				switch {
				case err == nil:
					mu.Lock()
					done[id] = true
					mu.Unlock()
				case errors.As(err, &e) && e.OutcomeUnknown():
					unknown.Add(1)
				}
			}
		})
	}
	for range times {
		before := next.Load()
		for next.Load() < before+10 {
			time.Sleep(time.Millisecond)
		}
		s.Kill()
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	work.Wait()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := db.Exec("UPDATE account SET funds = funds + 0")
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the bank doesn't open again: %v", err)
		}
	}
	check(t, db, done)
	t.Logf("%d unknown", unknown.Load())
}

const childEnv = "POSTGRES_BANK"

// beChild runs a child of TestGateKilled, which does transactions until it is killed.
func beChild() bool {
	args := os.Getenv(childEnv)
	if args != "" {
		child(args)
	}
	return args != ""
}

// orders are what a child is to do.
type orders struct {
	Dir      string
	URLs     map[string]string
	Topology bool
	From     int64
}

func child(args string) {
	var o orders
	err := json.Unmarshal([]byte(args), &o)
	var db *sql.DB
	if err == nil {
		db, err = (&bank{o.Dir, o.URLs, o.Topology}).connect()
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for id := o.From; ; id++ {
		if err := move(context.Background(), db, id); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(id)
	}
}

// TestGateKilled kills the process of the gate under its transactions. Who opens the
// databases next waits for the lease, and finds every transaction whole.
func TestGateKilled(t *testing.T) {
	for name, b := range banks(t, database(t)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateKilled(t, b)
		})
	}
}

func gateKilled(t *testing.T, b *bank) {
	db := b.open(t)
	fill(t, db)
	_ = db.Close()
	done := map[int64]bool{}
	for round := range 2 {
		args, err := json.Marshal(orders{b.dir, b.urls, b.topology, int64(round) * 1000})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+string(args))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, last := bufio.NewScanner(out), 20+rand.IntN(10)
		for n := 0; lines.Scan(); n++ {
			id, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				t.Fatal(lines.Text())
			}
			done[id] = true
			if n == last {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		db := b.open(t)
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
			if err = db.Ping(); err == nil {
				break
			}
			if !strings.Contains(err.Error(), "another process") || time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
		check(t, db, done)
		_ = db.Close()
	}
}
