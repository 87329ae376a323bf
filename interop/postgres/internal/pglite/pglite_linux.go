package pglite

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vitessdo/vitessdo/internal/npm"
	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/tabletserver"
)

//go:embed pglite.mjs
var program []byte

// Server is a process with any number of databases. It ends with the process that has
// started it, and its methods may be called from any goroutine.
type Server struct {
	dir, modules string
	cmd          *exec.Cmd
	in           io.Writer
	lines        *bufio.Scanner

	mu   sync.Mutex
	made int
	kept []database // those in folders
	free []string   // addresses of databases in memory that nobody uses any more
}

// database is what the program is told of one.
type database struct {
	Socket string `json:"socket"`
	Most   int    `json:"most"`
	Dir    string `json:"dir,omitempty"`
}

// New starts a server of the packages that the package-lock.json of a folder names. The
// caller stops it.
func New(folder string) (*Server, error) {
	modules, err := npm.Modules(folder)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "vtlite")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, modules: modules}
	if err := os.WriteFile(s.script(), program, 0o600); err != nil {
		return nil, err
	}
	return s, s.Start()
}

func (s *Server) script() string { return filepath.Join(s.dir, "pglite.mjs") }

// Start starts the process, again with the databases that it has in folders.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd = exec.Command("node", s.script(), s.modules)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.cmd.Stderr = os.Stderr
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	s.in, s.lines = in, bufio.NewScanner(out)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for _, d := range s.kept {
		_ = os.Remove(d.Socket)
		if err := s.serve(d); err != nil {
			return err
		}
	}
	return nil
}

// Kill ends the server at once, as a crash does.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// Stop ends the server, and removes what it has.
func (s *Server) Stop() {
	s.Kill()
	_ = os.RemoveAll(s.dir)
}

// Database starts one more database, which takes so many connections, and is kept in a
// folder, or in memory where that is "". It gives its address.
func (s *Server) Database(most int, folder string) (url string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	at := filepath.Join(s.dir, strconv.Itoa(s.made))
	if err := os.Mkdir(at, 0o700); err != nil {
		return "", err
	}
	d := database{Socket: filepath.Join(at, ".s.PGSQL.5432"), Most: most, Dir: folder}
	if folder != "" {
		s.kept = append(s.kept, d)
	}
	return "postgres://postgres@/postgres?sslmode=disable&host=" + at, s.serve(d)
}

// serve has the program serve a database. The caller has the lock.
func (s *Server) serve(d database) error {
	line, err := json.Marshal(d)
	if err == nil {
		_, err = s.in.Write(append(line, '\n'))
	}
	if err == nil && !s.lines.Scan() {
		err = errors.Join(errors.New("PGlite has ended"), s.lines.Err())
	}
	return err
}

// Take gives an empty database in memory, Leave takes it back when nobody uses it any more.
func (s *Server) Take(ctx context.Context) (url string, err error) {
	s.mu.Lock()
	n := len(s.free) - 1
	if n < 0 {
		s.mu.Unlock()
		return s.Database(32, "")
	}
	url = s.free[n]
	s.free = s.free[:n]
	s.mu.Unlock()
	return url, empty(ctx, url)
}

// Leave takes a database back.
func (s *Server) Leave(url string) {
	s.mu.Lock()
	s.free = append(s.free, url)
	s.mu.Unlock()
}

// Engine opens an empty database in memory for a shard, and takes it back when that is closed.
func (s *Server) Engine(ctx context.Context) (tabletserver.Engine, error) {
	url, err := s.Take(ctx)
	if err != nil {
		return nil, err
	}
	e, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		return nil, err
	}
	return leaving{e, s, url}, nil
}

// leaving gives its database back when it is closed.
type leaving struct {
	*postgres.Engine
	s   *Server
	url string
}

func (l leaving) Close() error {
	err := l.Engine.Close()
	l.s.Leave(l.url)
	return err
}

// empty removes what is in a database, whose last connection may not be gone yet.
func empty(ctx context.Context, url string) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		c, err := pgconn.Connect(ctx, url)
		if err == nil {
			err = c.Exec(ctx, "DEALLOCATE ALL; DROP SCHEMA public CASCADE; CREATE SCHEMA public").Close()
			return errors.Join(err, c.Close(ctx))
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("PGlite doesn't answer: %w", err)
		}
	}
}
