package cluster

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
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Cluster is a PostgreSQL server on a socket in a directory of its own. It ends with the
// process that has started it.
type Cluster struct {
	dir, bin string
	as       *syscall.SysProcAttr
	cmd      *exec.Cmd
	schemas  atomic.Int64
}

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

// New makes a server with one database, and starts it. The caller stops it, also when it
// comes with an error.
func New() (*Cluster, error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "vtpg")
	if err != nil {
		return nil, err
	}
	s := &Cluster{dir: dir, bin: filepath.Dir(initdb)}
	if s.as, err = unprivileged(dir); err != nil {
		return s, err
	}
	// Not the locale C: what the engine needs it says itself.
	make := exec.Command(initdb, "-D", filepath.Join(dir, "data"), "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	make.SysProcAttr, make.Dir = s.as, dir
	if out, err := make.CombinedOutput(); err != nil {
		return s, fmt.Errorf("initdb: %v\n%s", err, out)
	}
	return s, s.Start()
}

// Start starts the server, again on what it has.
func (s *Cluster) Start() error {
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), "-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "max_connections=500", "-c", "shared_buffers=64MB", "-c", "full_page_writes=off", "-c", "autovacuum_naptime=10min")
	s.cmd.SysProcAttr, s.cmd.Dir = s.as, s.dir
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		c, err := pgconn.Connect(context.Background(), s.URL(""))
		if err == nil {
			version := c.ParameterStatus("server_version")
			_ = c.Close(context.Background())
			announce.Do(func() { fmt.Println("shards are kept in PostgreSQL", version) })
			return nil
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("PostgreSQL doesn't answer: %v\n%s", err, text)
		}
	}
}

var announce sync.Once

// Kill ends the server and all its sessions at once, as a crash does.
func (s *Cluster) Kill() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGQUIT)
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// Stop ends the server, and removes what it has.
func (s *Cluster) Stop() {
	s.Kill()
	_ = os.RemoveAll(s.dir)
}

// URL is the address of a schema, "" for the database's own.
func (s *Cluster) URL(schema string) string {
	at := "postgres://app@/postgres?sslmode=disable&host=" + s.dir
	if schema != "" {
		at += "&search_path=" + schema
	}
	return at
}

// Databases gives the addresses of new shards, each of which is a schema: the same one for
// the same name.
func (s *Cluster) Databases() func(name string) string {
	prefix := "t" + strconv.Itoa(os.Getpid()) + "_" + strconv.FormatInt(s.schemas.Add(1), 10) + "_"
	return func(name string) string {
		return s.URL(prefix + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, strings.ToLower(name)))
	}
}
