package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/tabletserver/process"
)

// serveVariable makes this program a tablet server, with the arguments that it holds,
// until its input ends.
const serveVariable = "VITESSDO_BENCH_SERVE"

// serve is that program. It says whether it was one.
func serve() (bool, error) {
	args := os.Getenv(serveVariable)
	if args == "" {
		return false, nil
	}
	ctx, end := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end()
	}()
	return true, process.Run(ctx, strings.Split(args, "\n"), os.Stdout, io.Discard)
}

// tabletServer is a server in a process of its own.
type tabletServer struct {
	cmd     *exec.Cmd
	in      io.Closer
	address string
}

func startServer(dir, synchronous string) (*tabletServer, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveVariable+"="+strings.Join([]string{"-listen", "127.0.0.1:0", "-synchronous", synchronous, dir}, "\n"))
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), " at ")
	if !ok {
		return nil, errors.Join(fmt.Errorf("the tablet server says %q, %w", line, err), cmd.Process.Kill(), cmd.Wait())
	}
	return &tabletServer{cmd, in, address}, nil
}

func (s *tabletServer) stop() error { return errors.Join(s.in.Close(), s.cmd.Wait()) }

// peak is the most memory that the server had so far, 0 where the system doesn't tell.
func (s *tabletServer) peak() (bytes int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, _ = fmt.Sscan(kb, &bytes)
		}
	}
	return bytes << 10
}

// ways are those to the same four shards.
var ways = []string{"embedded", "ws", "http"}

// remotes measures what it costs that the shards are at a server, by each way to it and
// embedded: all against the bare engine in this process.
func remotes(o *options) ([]outcome, error) {
	if !o.wanted("remote") {
		return nil, nil
	}
	var all []outcome
	for _, way := range ways {
		list, err := remoteBy(o, way)
		if err != nil {
			return nil, fmt.Errorf("remote, %s: %w", way, err)
		}
		all = append(all, list...)
	}
	return all, nil
}

func remoteBy(o *options, way string) (list []outcome, err error) {
	const level = "normal"
	dir, err := os.MkdirTemp("", "vitessdo-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	dsn := "file:" + filepath.Join(dir, "four") + "?synchronous=" + level + "&"
	if way != "embedded" {
		server, err := startServer(filepath.Join(dir, "four"), level)
		if err != nil {
			return nil, err
		}
		defer func() {
			peak := server.peak()
			err = errors.Join(err, server.stop())
			if peak > 0 {
				fmt.Printf("remote, %s: the server's memory was %.0f MB at most\n", way, float64(peak)/1e6)
			}
		}()
		dsn = way + "://" + server.address + "/?"
	}
	s := &stores{dir: dir}
	defer s.close()
	if s.base, err = sql.Open("sqlite3", engineDSN(filepath.Join(dir, "one.db"), level)); err != nil {
		return nil, err
	}
	if s.ours, err = sql.Open("vitessdo", dsn+"shards=4"); err != nil {
		return nil, err
	}
	if err := s.tables(); err != nil {
		return nil, err
	}
	if err := s.load(max(o.rows, hot)); err != nil {
		return nil, err
	}
	a, b, err := onTwoShards(s.ours)
	if err != nil {
		return nil, err
	}
	point := func(db *sql.DB) side {
		return func(n int) error {
			return pick(n, func(id int64) *sql.Row { return db.QueryRow(pointText, id) })
		}
	}
	name := func(what string) string { return "remote " + what + ", " + way }
	list, err = measureAll(o, o.rounds, []bench{
		{name: name("point select"), base: point(s.base), ours: point(s.ours)},
		{name: name("transaction, two shards"), base: transfers(s.base, a, b), ours: transfers(s.ours, a, b)},
		{name: name("count of all shards"), base: countAll(s.base), ours: countAll(s.ours)},
	})
	if err != nil {
		return nil, err
	}
	scan := bench{name: name(fmt.Sprintf("read %d rows", o.rows)), once: true,
		base: func(int) error { return readSorted(s.base, "id", o.rows) }, ours: func(int) error { return readSorted(s.ours, "id", o.rows) }}
	scanned, err := measureAll(o, min(o.rounds, 5), []bench{scan})
	if err != nil || len(scanned) == 0 {
		return list, err
	}
	few, many, err := mergeMemory(s, o.rows/10, o.rows)
	if err != nil {
		return nil, err
	}
	fmt.Printf("%s: %.0f rows/s, peak heap at the gate %.1f MB, of %d rows %.1f MB\n",
		scan.name, float64(o.rows)/(float64(scanned[0].ours.time)/float64(time.Second)), float64(many)/1e6, o.rows/10, float64(few)/1e6)
	return append(list, scanned...), nil
}

// countAll asks all shards for little.
func countAll(db *sql.DB) side {
	return func(n int) error {
		for range n {
			var rows int64
			if err := db.QueryRow("SELECT COUNT(*) FROM item WHERE id < 8").Scan(&rows); err != nil {
				return err
			}
			if rows != 8 {
				return fmt.Errorf("counted %d rows, there are 8", rows)
			}
		}
		return nil
	}
}
