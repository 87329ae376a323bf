//go:build linux && !nopostgres

package postgres

import (
	"database/sql"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/vitessdo/vitessdo/front/corpus"
)

// TestCorpusOfPostgres: the corpus is right: PostgreSQL itself gives the same rows, in
// a server that the test starts in a directory of its own.
func TestCorpusOfPostgres(t *testing.T) {
	admin := startPostgres(t)
	for name, story := range corpus.Read(t) {
		t.Run(name, func(t *testing.T) {
			real(t, admin).Tell(t, story)
		})
	}
}

// real gives a connection to the server, whose database is empty.
func real(t *testing.T, admin *sql.DB) *corpus.Listener {
	t.Helper()
	for _, query := range []string{"DROP SCHEMA public CASCADE", "CREATE SCHEMA public"} {
		if _, err := admin.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := admin.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &corpus.Listener{Conn: conn, Write: written, Alike: alike, Real: true}
}

// alike compares numbers by what they are, however they are written.
func alike(g, w string) bool {
	x, err1 := strconv.ParseFloat(g, 64)
	y, err2 := strconv.ParseFloat(w, 64)
	return err1 == nil && err2 == nil && math.Abs(x-y) <= 1e-9*max(1, math.Abs(x))
}

// programs is the directory of PostgreSQL's programs, which are installed where that
// can be done.
func programs(t *testing.T) string {
	t.Helper()
	for _, last := range []bool{false, true} {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
		if path, err := exec.LookPath("initdb"); err == nil {
			found = append(found, path)
		}
		if len(found) > 0 {
			slices.Sort(found)
			return filepath.Dir(found[len(found)-1])
		}
		if _, err := exec.LookPath("apt-get"); last || err != nil || os.Getuid() != 0 {
			t.Fatal("PostgreSQL isn't installed; GOFLAGS=-tags=nopostgres leaves this test out")
		}
		for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", "postgresql"}} {
			cmd := exec.Command("apt-get", args...)
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("apt-get %v: %v\n%s", args, err, out)
			}
		}
	}
	return ""
}

// startPostgres runs a server until the test ends.
func startPostgres(t *testing.T) *sql.DB {
	t.Helper()
	bin := programs(t)
	dir, err := os.MkdirTemp("", "vtfront")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() == 0 { // whom PostgreSQL refuses
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", dir+"/data", "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, as
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", dir+"/data", "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "timezone=UTC")
	server.Dir, server.SysProcAttr = dir, as
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGQUIT)
		_ = server.Wait()
	})
	db, err := sql.Open("pgx", fmt.Sprintf("host=%s user=app database=postgres default_query_exec_mode=describe_exec", dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if err = db.Ping(); err == nil {
			return db
		}
		if time.Now().After(deadline) {
			t.Fatal("PostgreSQL doesn't answer:", err)
		}
	}
}
