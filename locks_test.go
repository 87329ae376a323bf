package vitessdo

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/vitessdo/vitessdo/internal/await"
)

func TestLocksAreShared(t *testing.T) {
	dir := t.TempDir()
	a, b := pin(t, dirDB(t, dir)), pin(t, dirDB(t, dir)) // two pools
	want(t, a, "1", "SELECT GET_LOCK('Migrate', 10)")
	want(t, b, "0", "SELECT GET_LOCK('migrate', 0)")
	want(t, b, "0|1", "SELECT IS_FREE_LOCK('migrate'), IS_USED_LOCK('MIGRATE') = "+mustRows(t, a, "SELECT CONNECTION_ID()")[0])
	want(t, b, "0", "SELECT RELEASE_LOCK('migrate')")
	want(t, b, "∅", "SELECT RELEASE_LOCK('other')")
	want(t, a, "1", "SELECT GET_LOCK('migrate', 10)") // again
	want(t, a, "1", "SELECT GET_LOCK('second', 10)")
	want(t, a, "1", "SELECT RELEASE_LOCK('migrate')")
	want(t, b, "0", "SELECT GET_LOCK('migrate', 0.01)") // taken twice, released once
	want(t, a, "2", "SELECT RELEASE_ALL_LOCKS()")
	want(t, b, "1", "SELECT GET_LOCK('migrate', 0)")
	want(t, a, "1", "SELECT IS_FREE_LOCK('second')")
	want(t, a, "∅", "SELECT IS_USED_LOCK('second')")
}

// waiting takes a lock on another goroutine and gives what came of it.
func waiting(ctx context.Context, c *sql.Conn, query string) <-chan error {
	done := make(chan error, 1)
	go func() {
		var got sql.NullInt64
		err := c.QueryRowContext(ctx, query).Scan(&got)
		if err == nil && got.Int64 != 1 {
			err = sql.ErrNoRows
		}
		done <- err
	}()
	return done
}

// queued waits until n sessions wait for a lock.
func queued(t *testing.T, db *sql.DB, name string, n int) {
	t.Helper()
	c := pin(t, db)
	defer c.Close()
	err := c.Raw(func(d any) error {
		l := &d.(*Conn).s.cl.locks
		await.True(t, fmt.Sprintf("%d sessions wait for %s", n, name), func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			k := l.held[name]
			return k != nil && len(k.queue) >= n
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLockIsTakenOnceOverASchemaChange: a statement that waits for a lock is planned anew
// when the schema has changed meanwhile, as it does when migrators wait for each other.
func TestLockIsTakenOnceOverASchemaChange(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY)")
	for _, query := range []string{"SELECT GET_LOCK('x', 20)", "DO GET_LOCK('x', 20)"} {
		a, b := pin(t, db), pin(t, db)
		want(t, a, "1", "SELECT GET_LOCK('x', 0)")
		done := make(chan error, 1)
		go func() {
			_, err := b.ExecContext(bg, query)
			done <- err
		}()
		queued(t, db, "x", 1)
		do(t, a, "ALTER TABLE t ADD n INT")
		do(t, a, "DO RELEASE_LOCK('x')")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		want(t, b, "1", "SELECT RELEASE_LOCK('x')")
		want(t, a, "1", "SELECT IS_FREE_LOCK('x')")
		do(t, a, "ALTER TABLE t DROP n")
	}
}

func TestLocksAreHandedOverInOrder(t *testing.T) {
	db := memDB(t, "")
	a, b, c := pin(t, db), pin(t, db), pin(t, db)
	want(t, a, "1", "SELECT GET_LOCK('x', -1)")
	first := waiting(bg, b, "SELECT GET_LOCK('x', 60)")
	queued(t, db, "x", 1)
	second := waiting(bg, c, "SELECT GET_LOCK('x', -1)")
	queued(t, db, "x", 2)
	want(t, a, "1", "SELECT RELEASE_LOCK('x')")
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-second:
		t.Fatalf("two have the lock: %v", err)
	default:
	}
	_ = b.Close() // back to the pool: the next use resets the session, and with it the lock goes
	if err := db.PingContext(bg); err != nil {
		t.Fatal(err)
	}
	want(t, db, "1", "SELECT 1")
	if err := <-second; err != nil {
		t.Fatal(err)
	}
}

func TestWaitForALockEndsWithItsContext(t *testing.T) {
	db := memDB(t, "")
	a, b := pin(t, db), pin(t, db)
	want(t, a, "1", "SELECT GET_LOCK('x', 0)")
	ctx, cancel := context.WithCancel(bg)
	done := waiting(ctx, b, "SELECT GET_LOCK('x', -1)")
	queued(t, db, "x", 1)
	cancel()
	wantCode(t, <-done, CodeCanceled, "GET_LOCK")
	want(t, a, "1", "SELECT RELEASE_LOCK('x')")
	want(t, a, "1", "SELECT IS_FREE_LOCK('x')")
}

func TestLocksInACircle(t *testing.T) {
	db := memDB(t, "")
	a, b := pin(t, db), pin(t, db)
	want(t, a, "1", "SELECT GET_LOCK('x', 0)")
	want(t, b, "1", "SELECT GET_LOCK('y', 0)")
	done := waiting(bg, a, "SELECT GET_LOCK('y', -1)")
	queued(t, db, "y", 1)
	e := mustFail(t, b, CodeDeadlock, "DO GET_LOCK('x', -1)")
	if e.Number != 3058 {
		t.Errorf("the error's number is %d", e.Number)
	}
	want(t, b, "1", "SELECT RELEASE_LOCK('y')")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestLockCallsThatAreRefused(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY)")
	c := pin(t, db)
	for query, code := range map[string]Code{
		"SELECT GET_LOCK('', 1)":                                CodePlan,
		"SELECT GET_LOCK(NULL, 1)":                              CodePlan,
		"SELECT GET_LOCK('x')":                                  CodePlan,
		"SELECT GET_LOCK('x', 1) FROM t":                        CodeUnsupported,
		"SELECT id FROM t WHERE RELEASE_LOCK('x')":              CodeUnsupported,
		"INSERT INTO t VALUES (GET_LOCK('x', 1))":               CodeUnsupported,
		"SELECT CASE WHEN 1 THEN 2 ELSE GET_LOCK('x', 1) END":   CodeUnsupported,
		"SELECT 0 AND GET_LOCK('x', 1)":                         CodeUnsupported,
		"EXPLAIN FORMAT='vitess' SELECT GET_LOCK('x', 1) AS ok": CodeUnsupported,
	} {
		mustFail(t, c, code, query)
	}
	want(t, c, "1", "SELECT IS_FREE_LOCK('x')")
	want(t, c, "got", "SELECT IF(GET_LOCK('x', 1), 'got', 'missed')")
	want(t, c, "1", "SELECT RELEASE_LOCK('x') AS done")
}
