package process

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo"
)

// gate opens the driver on a server.
func gate(t *testing.T, address, options string) *sql.DB {
	t.Helper()
	db, err := sql.Open("vitessdo", "ws://"+address+"/?auth_token="+full+options)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// The whole way: gates make a database on an empty server, share it, and go on when it
// was killed under their transfers. No money is lost or made, no account stays locked,
// and the directory can be opened embedded afterwards.
func TestDriverOverServer(t *testing.T) {
	dir := t.TempDir()
	list := tokens(t)
	s := spawn(t, "127.0.0.1:0", "-tokens", list, dir)
	one, two := gate(t, s.address, "&shards=4"), gate(t, s.address, "")
	run := func(db *sql.DB, stmt string) {
		t.Helper()
		if _, err := db.Exec(stmt); err != nil {
			t.Fatalf("%s: %v", stmt, err)
		}
	}
	run(one, "CREATE TABLE account(id INTEGER PRIMARY KEY, money INTEGER NOT NULL)")
	const accounts = 16
	for i := range accounts {
		run(two, fmt.Sprintf("INSERT INTO account VALUES(%d, 100)", i))
	}
	run(two, "CREATE DATABASE other")
	run(one, "CREATE TABLE other.t(id INTEGER PRIMARY KEY)")
	run(one, "DROP DATABASE other")
	wantGone(t, filepath.Join(dir, "other"))

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var work sync.WaitGroup
	for w := range 4 {
		db := []*sql.DB{one, two}[w%2]
		work.Go(func() {
			for i := w; ctx.Err() == nil; i++ {
				_ = vitessdo.RunTx(ctx, db, nil, func(tx *sql.Tx) error {
					if _, err := tx.ExecContext(ctx, "UPDATE account SET money = money - 1 WHERE id = ?", i%accounts); err != nil {
						return err
					}
					_, err := tx.ExecContext(ctx, "UPDATE account SET money = money + 1 WHERE id = ?", (i*7+3)%accounts)
					return err
				})
			}
		})
	}
	for range 3 {
		time.Sleep(300 * time.Millisecond)
		_ = s.end(syscall.SIGKILL)
		s = spawn(t, s.address, "-tokens", list, dir)
	}
	time.Sleep(300 * time.Millisecond)
	stop()
	work.Wait()
	total := func(db *sql.DB) (n, sum int) {
		t.Helper()
		must(t, db.QueryRow("SELECT COUNT(*), SUM(money) FROM account").Scan(&n, &sum))
		return n, sum
	}
	began := time.Now()
	run(two, "UPDATE account SET money = money + 0")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("accounts were locked for %v", took)
	}
	if n, sum := total(one); n != accounts || sum != 100*accounts {
		t.Errorf("%d accounts hold %d", n, sum)
	}
	must(t, one.Close())
	must(t, two.Close())
	must(t, s.end(syscall.SIGTERM))
	db, err := sql.Open("vitessdo", "file:"+dir)
	must(t, err)
	defer db.Close()
	if n, sum := total(db); n != accounts || sum != 100*accounts {
		t.Errorf("embedded: %d accounts hold %d", n, sum)
	}
}

// A server that is told to end and started again costs its gates a wait, and no error:
// what it begins no more is sent to its successor, which has nothing to settle first.
func TestRestart(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		for servers := range 2 {
			t.Run(fmt.Sprintf("%s %d", scheme, servers+1), func(t *testing.T) { restarts(t, scheme, servers+1) })
		}
	}
}

// restarts restarts servers in turn, the second of which has a quarter of the rows.
func restarts(t *testing.T, scheme string, servers int) {
	dirs, running := make([]string, servers), make([]*child, servers)
	for i := range servers {
		dirs[i] = t.TempDir()
		running[i] = spawn(t, "127.0.0.1:0", dirs[i])
	}
	dsn := scheme + "://" + running[0].address + "/?shards=4"
	if servers > 1 {
		file := filepath.Join(t.TempDir(), "topology.json")
		must(t, os.WriteFile(file, fmt.Appendf(nil, `{"shards": {"main/c0-": "%s://%s"}}`, scheme, running[1].address), 0o600))
		dsn += "&topology=" + file
	}
	db, err := sql.Open("vitessdo", dsn)
	must(t, err)
	defer db.Close()
	for _, stmt := range []string{"CREATE TABLE account(id INTEGER PRIMARY KEY, money INTEGER NOT NULL)",
		"INSERT INTO account VALUES(0, 100), (1, 100), (2, 100), (3, 100), (4, 100), (5, 100), (6, 100), (7, 100)"} {
		_, err := db.Exec(stmt)
		must(t, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var work sync.WaitGroup
	failed := make(chan error, 5)
	for name, f := range map[string]func(i int) error{
		"read":    func(i int) error { return sum(db, "SELECT money FROM account WHERE id = ?", new(int), i%8) },
		"scatter": func(int) error { return sum(db, "SELECT SUM(money) FROM account", new(int)) },
		"write": func(i int) error {
			_, err := db.Exec("UPDATE account SET money = money + 0 WHERE id = ?", i%8)
			return err
		},
		"write all": func(int) error { _, err := db.Exec("UPDATE account SET money = money + 0"); return err },
		"transfer": func(i int) error {
			return vitessdo.RunTx(ctx, db, nil, func(tx *sql.Tx) error {
				if _, err := tx.ExecContext(ctx, "UPDATE account SET money = money - 1 WHERE id = ?", i%8); err != nil {
					return err
				}
				_, err := tx.ExecContext(ctx, "UPDATE account SET money = money + 1 WHERE id = ?", (i*3+1)%8)
				return err
			})
		},
	} {
		work.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := f(i); err != nil && ctx.Err() == nil {
					failed <- fmt.Errorf("%s: %w", name, err)
					return
				}
			}
		})
	}
	busy := false // the machine: it takes longer than gates wait
	for n := range 4 {
		time.Sleep(150 * time.Millisecond)
		i := n % servers
		ending := time.Now()
		must(t, running[i].end(syscall.SIGTERM))
		gone := time.Now()
		running[i] = spawn(t, running[i].address, dirs[i])
		busy = busy || time.Since(gone) >= 500*time.Millisecond || time.Since(ending) >= 2*time.Second
	}
	time.Sleep(150 * time.Millisecond)
	stop()
	work.Wait()
	close(failed)
	for err := range failed {
		if !busy {
			t.Error(err)
		}
	}
	var total int
	must(t, sum(db, "SELECT SUM(money) FROM account", &total))
	if total != 800 {
		t.Errorf("accounts hold %d", total)
	}
	must(t, db.Close())
	for _, s := range running {
		must(t, s.end(syscall.SIGTERM))
	}
}

func sum(db *sql.DB, query string, into *int, args ...any) error {
	return db.QueryRow(query, args...).Scan(into)
}

// A gate with a token for reading only reads over several shards as any other does,
// also while commits come too fast for it, and writes nothing.
func TestDriverReadsOnly(t *testing.T) {
	s := start(t, "-tokens", tokens(t), t.TempDir())
	writer := gate(t, s.address, "&shards=3")
	run := func(db *sql.DB, stmt string) error {
		_, err := db.ExecContext(t.Context(), stmt)
		return err
	}
	must(t, run(writer, "CREATE TABLE account(id INTEGER PRIMARY KEY, money INTEGER NOT NULL)"))
	must(t, run(writer, "INSERT INTO account VALUES(1, 100), (2, 100), (3, 100), (4, 100), (5, 100), (6, 100)"))
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			db, err := sql.Open("vitessdo", scheme+"://"+s.address+"/?auth_token="+reader)
			must(t, err)
			defer db.Close()
			ctx, stop := context.WithCancel(t.Context())
			var work sync.WaitGroup
			work.Go(func() {
				for ctx.Err() == nil {
					_ = vitessdo.RunTx(ctx, writer, nil, func(tx *sql.Tx) error {
						_, err := tx.ExecContext(ctx, "UPDATE account SET money = 200 - money")
						return err
					})
				}
			})
			for range 50 {
				var low, high int
				if err := db.QueryRow("SELECT MIN(money), MAX(money) FROM account").Scan(&low, &high); err != nil || low != high {
					t.Errorf("got %d to %d, %v", low, high, err)
					break
				}
			}
			stop()
			work.Wait()
			for _, stmt := range []string{"UPDATE account SET money = 1", "DELETE FROM account WHERE id = 1", "DROP TABLE account"} {
				if err := run(db, stmt); !errors.Is(err, vitessdo.ErrReadOnly) {
					t.Errorf("%s: %v", stmt, err)
				}
			}
		})
	}
}

// Who isn't let in learns that, and what is missing.
func TestDriverIsLetIn(t *testing.T) {
	s := start(t, "-tokens", tokens(t), t.TempDir())
	for _, dsn := range []string{"ws://" + s.address + "/", "http://" + s.address + "/?auth_token=of-somebody-else"} {
		db, err := sql.Open("vitessdo", dsn)
		must(t, err)
		defer db.Close()
		err = db.Ping()
		var e *vitessdo.Error
		if !errors.As(err, &e) || e.Code != vitessdo.CodeDenied || !strings.Contains(e.Message, "auth_token") || strings.Contains(e.Error(), "\n") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
