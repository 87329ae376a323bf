package vitessdo_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/host"
)

// A directory is used embedded, served, and used embedded again. A transaction that
// the served tablets had only prepared when the server went down is settled by the
// opening: nothing is half done, and nothing is locked.
func TestServedDirectoryIsSettledWhenOpened(t *testing.T) {
	for _, decided := range []bool{true, false} {
		t.Run(fmt.Sprintf("decided=%v", decided), func(t *testing.T) {
			ctx := context.Background()
			dir := t.TempDir()
			db := openServed(t, dir)
			for _, stmt := range []string{"CREATE TABLE item(id INTEGER PRIMARY KEY, v INTEGER)", "INSERT INTO item VALUES(1, 0), (2, 0), (3, 0), (4, 0)"} {
				if _, err := db.ExecContext(ctx, stmt); err != nil {
					t.Fatal(err)
				}
			}
			must(t, db.Close())
			db = openServed(t, dir) // which settles what the shared log holds, as vitessdo serve does first
			must(t, db.Ping())
			must(t, db.Close())
			crossShard(t, dir, decided)

			db = openServed(t, dir)
			defer db.Close()
			var rows, sum int
			must(t, db.QueryRowContext(ctx, "SELECT COUNT(*), SUM(v) FROM item").Scan(&rows, &sum))
			if want := map[bool]int{true: 4, false: 0}[decided]; rows != 4 || sum != want {
				t.Errorf("%d rows with the sum %d, want 4 with %d", rows, sum, want)
			}
			soon, cancel := context.WithTimeout(ctx, 30*time.Second)
			defer cancel()
			if _, err := db.ExecContext(soon, "UPDATE item SET v = v + 1"); err != nil {
				t.Errorf("the shards are locked: %v", err)
			}
			var n int
			must(t, db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'main'").Scan(&n))
			if n != 1 {
				t.Errorf("%d tables", n)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openServed(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("vitessdo", "file:"+dir+"?shards=2&synchronous=off")
	must(t, err)
	return db
}

// crossShard serves the directory, prepares a change of all rows on both shards,
// decides it or not, and goes down.
func crossShard(t *testing.T, dir string, decided bool) {
	t.Helper()
	h, err := host.Open(t.Context(), host.Options{Dir: dir, Tablet: tabletserver.Config{Synchronous: tabletserver.Off, AskAfter: time.Hour}})
	must(t, err)
	var targets []tablet.Target
	var txs []tablet.Tx
	for _, name := range []string{"-80", "80-"} {
		s, err := h.Tablet(t.Context(), tablet.Target{Keyspace: "main", Shard: name})
		must(t, err)
		x, err := s.Begin(t.Context(), tablet.TxOptions{Write: true})
		must(t, err)
		if _, err := x.Exec(t.Context(), &tablet.Query{SQL: "UPDATE item SET v = 1"}); err != nil {
			t.Fatal(err)
		}
		targets, txs = append(targets, s.Target()), append(txs, x)
	}
	_, err = txs[0].Prepare(t.Context(), "left-1", targets[1])
	must(t, err)
	if decided {
		must(t, txs[1].Decide(t.Context(), "left-1", targets[:1]))
	}
	must(t, h.Close())
}
