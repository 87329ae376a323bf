//go:build !nopostgres

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// As the program itself, the tests' binary is what the tests end.
func TestMain(m *testing.M) {
	if os.Getenv("VITESSDO_TABLETS") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestEnds: however its user ends, the program does, and PostgreSQL with it, while a server
// is still being stopped, too.
func TestEnds(t *testing.T) {
	for _, tc := range []struct {
		name   string
		end    func(p *exec.Cmd, in io.Closer) error
		leaves bool // its directory
	}{
		{"end of input", func(_ *exec.Cmd, in io.Closer) error { return in.Close() }, false},
		{"SIGTERM", func(p *exec.Cmd, _ io.Closer) error { return p.Process.Signal(syscall.SIGTERM) }, false},
		{"SIGKILL", func(p *exec.Cmd, _ io.Closer) error { return p.Process.Kill() }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tmp, err := os.MkdirTemp("", "tablets") // not t.TempDir, which other users can't enter
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(tmp)
			if err := os.Chmod(tmp, 0o755); err != nil {
				t.Fatal(err)
			}
			p := exec.Command(os.Args[0])
			p.Env = append(os.Environ(), "VITESSDO_TABLETS=1", "TMPDIR="+tmp)
			p.Stderr = os.Stderr
			in, err := p.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := p.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Process.Kill() }()
			addr := begin(t, in, out)
			server := postmaster(t, tmp)
			if syscall.Kill(server, 0) != nil {
				t.Fatal("PostgreSQL doesn't run")
			}
			// A request that the server waits for when it is told to stop.
			r, w := io.Pipe()
			defer w.Close()
			go func() {
				if resp, err := http.Post("http://"+addr, "text/plain", r); err == nil {
					_ = resp.Body.Close()
				}
			}()
			if _, err := io.WriteString(w, "["); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(in, "stop", addr)

			if err := tc.end(p, in); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- p.Wait() }()
			select {
			case err := <-ended:
				if err != nil && !tc.leaves {
					t.Error(err)
				}
			case <-time.After(time.Minute):
				t.Fatal("it goes on")
			}
			for deadline := time.Now().Add(time.Minute); !errors.Is(syscall.Kill(server, 0), syscall.ESRCH); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("PostgreSQL goes on")
				}
			}
			if left, _ := os.ReadDir(tmp); len(left) > 0 && !tc.leaves {
				t.Errorf("it leaves %v", left)
			}
		})
	}
}

// begin has it start a server, whose address it gives.
func begin(t *testing.T, in io.Writer, out io.Reader) string {
	t.Helper()
	fmt.Fprintln(in, "start")
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if addr, ok := strings.CutPrefix(lines.Text(), "at "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return addr
		}
	}
	t.Fatal("it doesn't answer")
	return ""
}

// postmaster is the process ID of the PostgreSQL whose data are below a directory.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*", "data", "postmaster.pid"))
	if len(files) != 1 {
		t.Fatalf("%v are the servers in %s", files, dir)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
