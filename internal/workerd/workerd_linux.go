//go:build !nonode

package workerd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/npm"
)

// Token is the bearer token that a Worker of a test knows.
const Token = "secret-of-the-tests"

// Header is what a client's requests need.
func Header() http.Header { return http.Header{"Authorization": {"Bearer " + Token}} }

// Worker is a Worker with its Durable Objects, whose databases outlive it.
type Worker struct {
	dir, program string

	mu   sync.Mutex
	cmd  *exec.Cmd
	port int
	dead chan struct{} // closed when the process has ended
}

// Vars are settings of the Worker, as in worker/src/env.ts.
type Vars map[string]string

// Start runs a Worker until the test ends.
func Start(t testing.TB, vars Vars) *Worker {
	t.Helper()
	w, err := Run(vars)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// Run runs a Worker until Close.
func Run(vars Vars) (*Worker, error) {
	b, err := built()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "vitessdo-workerd-")
	if err != nil {
		return nil, err
	}
	w := &Worker{dir: dir, program: b.program}
	if err = w.write(b.script, vars); err == nil {
		err = w.start()
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close ends the process and removes the databases.
func (w *Worker) Close() {
	w.Kill()
	_ = os.RemoveAll(w.dir)
}

// Addr is the host and port.
func (w *Worker) Addr() string { return fmt.Sprintf("127.0.0.1:%d", w.port) }

// URL is the address, by scheme http or ws.
func (w *Worker) URL(scheme string) string { return scheme + "://" + w.Addr() }

// DSN names a database of the Worker's, with options.
func (w *Worker) DSN(scheme, query string) string {
	return w.URL(scheme) + "/?auth_token=" + Token + "&" + query
}

// Kill ends the process as kill -9 does.
func (w *Worker) Kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kill()
}

func (w *Worker) kill() {
	if w.cmd != nil {
		_ = w.cmd.Process.Kill()
		<-w.dead
		w.cmd = nil
	}
}

// Restart starts the process on the same databases, and on the same port if it
// has had one.
func (w *Worker) Restart(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kill()
	if err := w.start(); err != nil {
		t.Error(err)
	}
}

func (w *Worker) start() error {
	events, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer events.Close()
	log := &logged{}
	cmd := exec.Command(w.program, "serve", "config.capnp", "--socket-addr", "http="+w.Addr(), "--directory-path", "data="+filepath.Join(w.dir, "data"), "--control-fd", "3")
	cmd.Dir, cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = w.dir, []*os.File{tell}, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err = cmd.Start()
	_ = tell.Close()
	if err != nil {
		return err
	}
	w.cmd, w.dead = cmd, make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(w.dead)
	}()
	_ = events.SetReadDeadline(time.Now().Add(30 * time.Second))
	line, err := bufio.NewReader(events).ReadBytes('\n')
	var listen struct{ Port int }
	if err == nil {
		err = json.Unmarshal(line, &listen)
	}
	if err != nil {
		w.kill()
		return fmt.Errorf("workerd didn't start: %w\n%s", err, log)
	}
	w.port = listen.Port
	return nil
}

// logged keeps what the process has said.
type logged struct {
	mu   sync.Mutex
	text []byte
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// write makes the process's configuration.
func (w *Worker) write(script []byte, vars Vars) error {
	var bindings strings.Builder
	names := []string{"TOKENS"}
	all := Vars{"TOKENS": Token}
	for name, v := range vars {
		if all[name] == "" {
			names = append(names, name)
		}
		all[name] = v
	}
	sort.Strings(names)
	for _, name := range names {
		text, err := json.Marshal(all[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(&bindings, ",\n    (name = %q, text = %s)", name, text)
	}
	config := fmt.Sprintf(configuration, bindings.String())
	return errors.Join(
		os.Mkdir(filepath.Join(w.dir, "data"), 0o700),
		os.WriteFile(filepath.Join(w.dir, "worker.js"), script, 0o600),
		os.WriteFile(filepath.Join(w.dir, "config.capnp"), []byte(config), 0o600))
}

const configuration = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "data", disk = (writable = true))],
  sockets = [(name = "http", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-04-01",
  durableObjectNamespaces = [
    (className = "VTTablet", uniqueKey = "vt-tablet", enableSql = true),
    (className = "VTStore", uniqueKey = "vt-store", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    (name = "TABLET", durableObjectNamespace = "VTTablet"),
    (name = "STORE", durableObjectNamespace = "VTStore")%s
  ],
);
`

type build struct {
	script  []byte
	program string
}

// built bundles the Worker and finds workerd.
var built = sync.OnceValues(func() (*build, error) {
	dir, modules, err := workspace()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	bundle := exec.Command(filepath.Join(modules, "@esbuild", "linux-x64", "bin", "esbuild"), "src/index.ts", "--bundle", "--format=esm", "--target=es2022",
		"--conditions=workerd,worker,import", "--external:cloudflare:*", "--outfile=worker.js", "--log-level=warning")
	bundle.Dir = dir
	if text, err := bundle.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("esbuild: %w\n%s", err, text)
	}
	script, err := os.ReadFile(filepath.Join(dir, "worker.js"))
	return &build{script, filepath.Join(modules, "@cloudflare", "workerd-linux-64", "bin", "workerd")}, err
})

// workspace copies the Worker's source to where its packages are installed.
func workspace() (dir, modules string, err error) {
	folder, err := source()
	if err != nil {
		return "", "", err
	}
	if modules, err = npm.Modules(folder); err != nil {
		return "", "", err
	}
	if dir, err = os.MkdirTemp("", "vitessdo-worker-"); err != nil {
		return "", "", err
	}
	err = os.Symlink(modules, filepath.Join(dir, "node_modules"))
	for _, name := range []string{"src", "test"} {
		err = errors.Join(err, os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(folder, name))))
	}
	for _, name := range []string{"package.json", "tsconfig.json"} {
		text, e := os.ReadFile(filepath.Join(folder, name))
		err = errors.Join(err, e, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	return dir, modules, err
}

// source finds the Worker's folder from any package's.
func source() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "worker", "package-lock.json")); err == nil {
			return filepath.Join(dir, "worker"), nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no folder worker is above this one")
		}
		dir = up
	}
	return "", err
}
