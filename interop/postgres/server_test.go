//go:build linux && !nopostgres

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

var bg = context.Background()

// cluster is a PostgreSQL server for the tests of this package, on a socket in its own
// directory. Every test has schemas of its own there.
type cluster struct {
	dir string
	cmd *exec.Cmd
}

var server = sync.OnceValues(start)

func TestMain(m *testing.M) {
	code := m.Run()
	if s := running; s != nil {
		s.stop()
	}
	os.Exit(code)
}

var running *cluster

// program finds a program of PostgreSQL's, which is installed where that can be done.
func program(name string) (string, error) {
	find := func() string {
		list, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		slices.Sort(list)
		if path, err := exec.LookPath(name); err == nil {
			list = append(list, path)
		}
		if len(list) == 0 {
			return ""
		}
		return list[len(list)-1]
	}
	if path := find(); path != "" {
		return path, nil
	}
	if _, err := exec.LookPath("apt-get"); err == nil && os.Getuid() == 0 {
		for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", "postgresql"}} {
			cmd := exec.Command("apt-get", args...)
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
			if out, err := cmd.CombinedOutput(); err != nil {
				return "", fmt.Errorf("apt-get %v: %v\n%s", args, err, out)
			}
		}
		if path := find(); path != "" {
			return path, nil
		}
	}
	return "", errors.New("PostgreSQL isn't installed; GOFLAGS=-tags=nopostgres leaves these tests out")
}

// unprivileged is who runs the server, which refuses root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, Pdeathsig: syscall.SIGQUIT}, os.Chown(dir, uid, gid)
	}
	return nil, errors.New("there is no user who could run PostgreSQL, which refuses root")
}

func start() (*cluster, error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "vtpg")
	if err != nil {
		return nil, err
	}
	s := &cluster{dir: dir}
	running = s
	as, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	// Not C's locale: what the engine needs it says itself.
	make := exec.Command(initdb, "-D", data, "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	make.SysProcAttr, make.Dir = as, dir
	if out, err := make.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %v\n%s", err, out)
	}
	s.cmd = exec.Command(filepath.Join(filepath.Dir(initdb), "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "max_connections=500", "-c", "shared_buffers=64MB", "-c", "full_page_writes=off", "-c", "autovacuum_naptime=10min")
	s.cmd.SysProcAttr, s.cmd.Dir = as, dir
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		c, err := pgconn.Connect(bg, s.url(""))
		if err == nil {
			version := c.ParameterStatus("server_version")
			_ = c.Close(bg)
			fmt.Println("shards are kept in PostgreSQL", version)
			return s, nil
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(dir, "log"))
			return nil, fmt.Errorf("PostgreSQL doesn't answer: %v\n%s", err, text)
		}
	}
}

// stop ends the server at once, and removes what it has.
func (s *cluster) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGQUIT)
		_ = s.cmd.Wait()
	}
	_ = os.RemoveAll(s.dir)
}

func (s *cluster) url(schema string) string {
	at := "postgres://app@/postgres?sslmode=disable&host=" + s.dir
	if schema != "" {
		at += "&search_path=" + schema
	}
	return at
}

var (
	namesLock sync.Mutex
	names     int
)

// database gives the addresses of new shards, each of which is a schema: the same one
// for the same name.
func database(t testing.TB) func(name string) string {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	namesLock.Lock()
	names++
	prefix := "t" + strconv.Itoa(os.Getpid()) + "_" + strconv.Itoa(names)
	namesLock.Unlock()
	return func(name string) string {
		return s.url(prefix + "_" + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, strings.ToLower(name)))
	}
}
