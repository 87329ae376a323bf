package vitessdo

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/remotetest"
	"github.com/vitessdo/vitessdo/twopc"
)

var killRounds = flag.Int("kill.rounds", 3, "how often servers and gates are killed beyond the fault points")

// childServe is a tablet server, until it is killed.
func childServe(args []string) error {
	if _, err := remotetest.StartAt(args[0], args[1], 1500*time.Millisecond); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// served is a tablet server in a process of its own.
type served struct {
	t    *testing.T
	dir  string
	addr string

	mu  sync.Mutex
	cmd *exec.Cmd
	in  io.WriteCloser
}

func serveChild(t *testing.T) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, dir: t.TempDir(), addr: l.Addr().String()}
	_ = l.Close()
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *served) dsn(scheme string) string {
	return scheme + "://" + s.addr + "/?lock_wait_timeout=3s&shards=4"
}

func (s *served) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd, out, in := child(s.t, "serve", s.dir, s.addr)
	for out.Scan() && out.Text() != "ready" {
		s.t.Errorf("the server says %s", out.Text())
	}
	s.cmd, s.in = cmd, in
}

// kill ends the process as kill -9 does.
func (s *served) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = s.in.Close()
	s.cmd = nil
}

func (s *served) restart() {
	s.kill()
	s.start()
}

// bankTables makes what a bank works on.
func bankTables(t *testing.T, db *sql.DB) (sum string) {
	t.Helper()
	accounts(t, db, 20)
	do(t, db, "CREATE TABLE moved (id INT PRIMARY KEY, a INT, b INT, n INT)")
	do(t, db, "CREATE TABLE noted (id INT PRIMARY KEY)")
	return mustRows(t, db, "SELECT SUM(bal) FROM acc")[0]
}

// TestServerKilled kills the server at every point of a commit, and at any other
// moment: what was acknowledged is there, what failed isn't, and within 10 s of the
// server's being back nothing is in doubt.
func TestServerKilled(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			s := serveChild(t)
			underKills(t, s.dsn("ws"), s.dsn(scheme), s.restart)
		})
	}
}

// underKills runs a bank at a server that is restarted at every point of a commit,
// and in between.
func underKills(t *testing.T, setupDSN, dsn string, restart func()) {
	setup := openDB(t, setupDSN)
	before := bankTables(t, setup)
	b := &bank{t: t, db: openDB(t, dsn), moved: map[int]error{}, noted: map[int]error{}}
	var armed struct {
		sync.Mutex
		at   *twopc.Point
		over chan struct{} // closed when the server is back
	}
	twopc.OnPoint(func(p twopc.Point, _ int) {
		armed.Lock()
		hit, over := armed.at != nil && *armed.at == p, armed.over
		if hit {
			armed.at = nil
		}
		armed.Unlock()
		if hit {
			restart()
			close(over)
		}
	})
	defer func() { twopc.OnPoint(nil) }()
	ids := idsOn(t, setup, "acc", 2)
	for _, p := range twopc.Points() {
		if p > twopc.Finished {
			break // recovery of a directory
		}
		armed.Lock()
		over := make(chan struct{})
		armed.at, armed.over = &p, over
		armed.Unlock()
		id := b.next()
		ctx, cancel := context.WithTimeout(bg, 20*time.Second)
		err := b.transfer(ctx, id, ids[0], ids[1], 3)
		cancel()
		b.told(b.moved, id, err)
		// A decided commit is told, and goes on: the points behind come later.
		soon(t, "the commit's passing "+p.String(), func() error { <-over; return nil })
		t.Logf("%v: %v", p, err)
		settled(t, setup)
	}
	for range *killRounds {
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			time.Sleep(time.Duration(50+rand.IntN(300)) * time.Millisecond)
			restart()
		}()
		b.run(rand.Uint64(), 600*time.Millisecond)
		<-stop
		settled(t, setup)
	}
	b.check(setup, before)
}

// childGate moves money at a server, tells every outcome, and dies at a point of a
// commit, or is killed.
func childGate(args []string) error {
	dsn, first := args[0], args[1]
	point, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	id, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	twopc.OnPoint(func(p twopc.Point, _ int) {
		if int(p) == point {
			dieNow()
		}
	})
	db, err := sql.Open("vitessdo", dsn)
	if err != nil {
		return err
	}
	dice := rand.New(rand.NewPCG(uint64(id), 7))
	b := &bank{db: db}
	fmt.Println("ready")
	for ; ; id++ {
		fmt.Println("try", id)
		ctx, cancel := context.WithTimeout(bg, 10*time.Second)
		err := b.transfer(ctx, id, 1+dice.IntN(20), 1+dice.IntN(20), 1+dice.IntN(9))
		cancel()
		var e *Error
		switch {
		case err == nil:
			fmt.Println("done", id)
		case !errors.As(err, &e) || !e.OutcomeUnknown():
			fmt.Println("failed", id)
		}
	}
}

// TestGateKilled kills gates at every point of a commit and at any other moment:
// others go on, and within 10 s nothing is in doubt.
func TestGateKilled(t *testing.T) { gatesKilled(t, serveChild(t).dsn) }

func gatesKilled(t *testing.T, dsn func(scheme string) string) {
	setup := openDB(t, dsn("ws"))
	before := bankTables(t, setup)
	b := &bank{t: t, moved: map[int]error{}, noted: map[int]error{}}
	points := make([]int, 0, int(twopc.Finished)+1+*killRounds)
	for p := range int(twopc.Finished) + 1 {
		points = append(points, p)
	}
	for range *killRounds {
		points = append(points, -1)
	}
	for i, p := range points {
		scheme := []string{"ws", "http"}[i%2]
		cmd, out, in := child(t, "gate", dsn(scheme), strconv.Itoa(1000*(i+1)), strconv.Itoa(p))
		if p < 0 {
			time.AfterFunc(time.Duration(300+rand.IntN(500))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
		b.listen(out)
		_ = cmd.Wait()
		_ = in.Close()
		settled(t, setup)
		free(t, setup)
	}
	b.check(setup, before)
}

// listen notes what a gate tells until it dies. What it has only tried is unknown.
func (b *bank) listen(out *bufio.Scanner) {
	for out.Scan() {
		word, text, _ := strings.Cut(out.Text(), " ")
		id, err := strconv.Atoi(text)
		switch {
		case word == "ready":
		case err != nil:
			b.t.Errorf("the gate says %s", out.Text())
		case word == "try":
			b.told(b.moved, id, newError(CodeUnknownResult, "the gate was killed"))
		case word == "done":
			b.told(b.moved, id, nil)
		case word == "failed":
			b.told(b.moved, id, newError(CodeCanceled, "as it said"))
		}
	}
}
