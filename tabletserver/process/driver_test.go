package process

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
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
