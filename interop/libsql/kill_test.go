//go:build linux && amd64 && !nonode

package libsql_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/interop/libsql"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/sqldb"
)

const accounts, funds = 8, 1000

// bank is a database whose two shards are on servers of their own; dir has the
// catalog and the log.
func bank(t testing.TB, dir string, urls map[string]string) *sql.DB {
	cfg := vitessdo.NewConfig()
	cfg.Dir, cfg.Shards, cfg.Synchronous = dir, 2, "normal"
	cfg.Storage = func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
		return libsql.Open(ctx, urls[keyspace+"/"+shard], sqldb.Options{Lease: 4 * time.Second, Timeout: 5 * time.Second, Reconnect: 5 * time.Second})
	}
	return openDB(t, cfg)
}

func fill(t testing.TB, db *sql.DB) {
	t.Helper()
	for _, text := range []string{
		"CREATE TABLE account (id BIGINT PRIMARY KEY, funds BIGINT NOT NULL)",
		"CREATE TABLE moved (id BIGINT PRIMARY KEY)",
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

// move takes money from one account to another, and notes that as id.
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
	var total int64
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
	t.Logf("%d acknowledged, %d there", len(done), len(have))
}

func urls(t testing.TB, scheme string) (map[string]string, []*server) {
	a, b := serve(t), serve(t)
	return map[string]string{"main/-80": a.url(scheme), "main/80-": b.url(scheme)}, []*server{a, b}
}

// TestServerKilled kills the servers, one after the other, under transactions over
// both: none is done by half, none that was acknowledged is lost.
func TestServerKilled(t *testing.T) {
	for _, scheme := range []string{"http", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			at, servers := urls(t, scheme)
			db := bank(t, t.TempDir(), at)
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
						ctx, cancel := context.WithTimeout(bg, 10*time.Second)
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
			for round := range 4 {
				before := next.Load()
				for next.Load() < before+10 {
					time.Sleep(time.Millisecond)
				}
				s := servers[round%2]
				s.kill()
				s.start(t)
			}
			close(stop)
			work.Wait()
			eventually(t, db)
			check(t, db, done)
			t.Logf("%d unknown", unknown.Load())
		})
	}
}

// eventually waits until a transaction over both shards goes through.
func eventually(t *testing.T, db *sql.DB) {
	t.Helper()
	await.Nil(t, func() error {
		_, err := db.Exec("UPDATE account SET funds = funds + 0")
		return err
	})
}

const childEnv = "LIBSQL_BANK"

// TestMain runs a child of TestGateKilled, which does transactions until it is killed.
func TestMain(m *testing.M) {
	if args := strings.Fields(os.Getenv(childEnv)); len(args) == 4 {
		child(args)
		return
	}
	os.Exit(m.Run())
}

func child(args []string) {
	from, _ := strconv.ParseInt(args[3], 10, 64)
	cfg := vitessdo.NewConfig()
	cfg.Dir, cfg.Synchronous = args[0], "normal"
	cfg.Storage = func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
		at := map[string]string{"main/-80": args[1], "main/80-": args[2]}
		return libsql.Open(ctx, at[keyspace+"/"+shard], sqldb.Options{Lease: 4 * time.Second, Timeout: 5 * time.Second})
	}
	c, err := vitessdo.NewConnector(cfg)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	db := sql.OpenDB(c)
	for id := from; ; id++ {
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
	at, _ := urls(t, "ws")
	dir := t.TempDir()
	db := bank(t, dir, at)
	fill(t, db)
	_ = db.Close()
	done := map[int64]bool{}
	for round := range 3 {
		from := int64(round) * 1000
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %d", childEnv, dir, at["main/-80"], at["main/80-"], from))
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
		db := bank(t, dir, at)
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
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
