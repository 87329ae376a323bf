package mysql

import (
	"bufio"
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/gate/process"
)

// The command's process: both protocols see one database, and its end is in good
// order.
func TestProcess(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users")
	must(t, os.WriteFile(users, []byte("app secret\n"), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := process.Run(ctx, []string{"-listen", "127.0.0.1:0", "-mysql", "127.0.0.1:0", "-mysql-users", users, ":memory:?shards=2"}, w, io.Discard, &Process{})
		_ = w.Close()
		ended <- err
	}()
	lines := bufio.NewScanner(r)
	at := map[string]string{}
	for len(at) < 2 && lines.Scan() {
		name, address, _ := strings.Cut(lines.Text(), " at ")
		at[name] = address
	}
	if len(at) < 2 {
		t.Fatal(<-ended)
	}
	db, err := sql.Open("mysql", "app:secret@tcp("+at["MySQL"]+")/main")
	must(t, err)
	defer db.Close()
	if got := rowsOf(t, db, "SELECT 1"); got != "1" {
		t.Errorf("MySQL answers %s", got)
	}
	// Users that come into the file may come in.
	must(t, os.WriteFile(users, []byte("app secret\nother one too\n"), 0o600)) // what can't be used is left
	must(t, os.WriteFile(users, []byte("app secret\nother one\n"), 0o600))
	other, err := sql.Open("mysql", "other:one@tcp("+at["MySQL"]+")/main")
	must(t, err)
	defer other.Close()
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err := other.PingContext(t.Context()); err == nil {
			break
		} else if time.Now().After(until) {
			t.Fatal(err)
		}
	}
	// A transaction that is open may end before the process does.
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = tx.ExecContext(t.Context(), "CREATE TABLE t (id BIGINT PRIMARY KEY)")
	must(t, err)
	_, err = tx.ExecContext(t.Context(), "START TRANSACTION")
	must(t, err)
	_, err = tx.ExecContext(t.Context(), "INSERT INTO t VALUES(1)")
	must(t, err)
	cancel()
	must(t, tx.Commit())
	must(t, <-ended)
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("it answers after its end")
	}
}

func TestProcessArguments(t *testing.T) {
	for args, want := range map[string]string{
		"-mysql 0.0.0.0:0 :memory:":   "-mysql-users FILE",
		"-mysql-users none :memory:":  "none",
		"-mysql-require-tls :memory:": "-tls-cert",
	} {
		err := process.Run(t.Context(), append([]string{"-listen", ""}, strings.Fields(args)...), io.Discard, io.Discard, &Process{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want one about %s", args, err, want)
		}
	}
}
