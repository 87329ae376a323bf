//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// asCommand makes a run of this test binary be the command instead of testing.
const asCommand = "VITESSDO_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// terminal is the command at work in a terminal of 30 lines, whose screen the test
// reads.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	tty    *os.File
	screen vt10x.Terminal
	mu     sync.Mutex
	raw    strings.Builder
	ended  chan struct{}
}

func openTerminal(t *testing.T, env []string, args ...string) *terminal {
	t.Helper()
	x := &terminal{t: t, cmd: exec.Command(os.Args[0], args...), ended: make(chan struct{})}
	x.cmd.Env = append(append(os.Environ(), asCommand+"=1", "TERM=xterm-256color", "HOME="+t.TempDir()), env...)
	var err error
	if x.tty, err = pty.StartWithSize(x.cmd, &pty.Winsize{Rows: 30, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	// The screen answers when it is asked where its cursor is.
	x.screen = vt10x.New(vt10x.WithWriter(x.tty), vt10x.WithSize(100, 30))
	go func() {
		defer close(x.ended)
		buf := make([]byte, 4096)
		for {
			n, err := x.tty.Read(buf)
			if n > 0 {
				x.mu.Lock()
				x.raw.Write(buf[:n])
				x.mu.Unlock()
				_, _ = x.screen.Write(buf[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = x.cmd.Process.Kill(); _ = x.cmd.Wait(); _ = x.tty.Close() })
	return x
}

// see waits until the screen shows a text.
func (x *terminal) see(text string) {
	x.t.Helper()
	end := time.Now().Add(time.Minute)
	for !strings.Contains(x.screen.String(), text) {
		if time.Now().After(end) {
			x.t.Fatalf("no %q on the screen:\n%s", text, x.screen)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// last waits until the screen's last line, where the cursor is, is a text.
func (x *terminal) last(text string) {
	x.t.Helper()
	end := time.Now().Add(time.Minute)
	for {
		lines := strings.Split(strings.TrimRight(x.screen.String(), " \n"), "\n")
		if strings.TrimRight(lines[len(lines)-1], " ") == text {
			return
		}
		if time.Now().After(end) {
			x.t.Fatalf("the last line isn't %q:\n%s", text, x.screen)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (x *terminal) typed(keys string) {
	x.t.Helper()
	if _, err := io.WriteString(x.tty, keys); err != nil {
		x.t.Fatal(err)
	}
}

// clear empties the screen, so that what is seen next is new.
func (x *terminal) clear() {
	x.typed("\x0c")
	x.last("vitessdo>")
}

// exits waits for the end and gives the exit code.
func (x *terminal) exits() int {
	x.t.Helper()
	select {
	case <-x.ended:
	case <-time.After(time.Minute):
		x.t.Fatalf("it goes on:\n%s", x.screen)
	}
	_ = x.cmd.Wait()
	return x.cmd.ProcessState.ExitCode()
}

const up = "\x1b[A"

// A person at the shell: statements of several lines, completion, history, Ctrl-C at
// a statement that runs and at one that is typed, and commands.
func TestShellInTerminal(t *testing.T) {
	history := filepath.Join(t.TempDir(), "state", "history")
	x := openTerminal(t, []string{historyVariable + "=" + history}, "shell", ":memory:?shards=4")
	x.last("vitessdo>")

	x.typed("CREATE TABLE customers (id BIGINT PRIMARY KEY, city VARCHAR(20));\r")
	x.see("ok, 0 rows affected (")
	x.typed("INSERT INTO customers VALUES (1, 'Rome'), (2, 'Oslo'), (3, NULL);\r")
	x.see("ok, 3 rows affected (")
	x.clear()

	x.typed("SELECT city\r")
	x.see("     ->")
	x.typed("FROM customers WHERE id = 2;\r")
	x.see("Oslo")
	x.see("1 row (")
	x.clear()

	x.typed("SELECT * FROM cust\t")
	x.last("vitessdo> SELECT * FROM customers")
	x.typed(" WHERE ci\t")
	x.see("WHERE city")
	x.typed(" = 'Rome';\r")
	x.see("1 | Rome")
	x.clear()

	x.typed(`\pl` + "\t")
	x.last(`vitessdo> \plan`)
	x.typed("\r")
	x.see("plans: on")
	x.typed("SELECT COUNT(*) FROM customers;\r")
	x.see("aggregate: the shards' partial results are put together")
	x.see("-40 40-80 80-c0 c0-")
	x.typed(`\plan` + "\r")
	x.see("plans: off")
	x.typed(`\plan SELECT city FROM customers WHERE id = 1;` + "\r")
	x.see("single_shard on main/")
	x.clear()

	x.typed("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n;\r")
	for !strings.Contains(x.screen.String(), "error: interrupted") {
		x.typed("\x03") // one that comes before the statement runs does nothing
		time.Sleep(20 * time.Millisecond)
	}
	x.last("vitessdo>")
	x.clear()
	x.typed("SELECT 'half")
	x.last("vitessdo> SELECT 'half")
	x.typed("\x03")
	x.last("vitessdo>")
	x.typed(up)
	x.see("WITH RECURSIVE")
	x.typed("\x03")
	x.last("vitessdo>")
	x.clear()
	x.typed("SELECT nothing;\r")
	x.see("Unknown column")
	x.typed("SELECT 42 AS answer, NULL AS none;\r")
	x.see("42")
	x.typed(`\d customers` + "\r")
	x.see("PRI")
	x.typed(`\q` + "\r")
	if code := x.exits(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	if !strings.Contains(x.raw.String(), "\x1b[2mNULL\x1b[0m") || !strings.Contains(x.raw.String(), "\x1b[31merror:\x1b[0m") {
		t.Error("NULL isn't dim, or errors aren't red")
	}
	if st, err := os.Stat(history); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the history is %v, %v", st, err)
	}

	// Another shell knows what was typed; NO_COLOR is heeded; Ctrl-D leaves.
	y := openTerminal(t, []string{historyVariable + "=" + history, "NO_COLOR=1"}, "shell", ":memory:")
	y.last("vitessdo>")
	y.typed("\x12answer")
	y.see("SELECT 42 AS answer, NULL AS none;")
	y.typed("\r")
	y.see("1 row (")
	y.last("vitessdo>")
	y.typed("SELECT nothing;\r")
	y.see("Unknown column")
	y.typed("\x04")
	if code := y.exits(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	if raw := y.raw.String(); strings.Contains(raw, "\x1b[31m") || strings.Contains(raw, "\x1b[2m") {
		t.Error("colours in spite of NO_COLOR")
	}
}
