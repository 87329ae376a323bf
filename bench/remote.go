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

func remoteBy(o *options, way string) ([]outcome, error) {
	name := func(what string) string { return "remote " + what + ", " + way }
	var all []outcome
	// What reads is measured on files that nobody waits for the disk of.
	err := atServer(way, "off", max(o.rows, hot), func(s *stores) error {
		point := func(db *sql.DB) side {
			return func(n int) error {
				return pick(n, func(id int64) *sql.Row { return db.QueryRow(pointText, id) })
			}
		}
		list, err := measureAll(o, o.rounds, []bench{
			{name: name("point select"), base: point(s.base), ours: point(s.ours)},
			{name: name("count of all shards"), base: countAll(s.base), ours: countAll(s.ours)},
		})
		if err != nil {
			return err
		}
		all = append(all, list...)
		list, err = remoteScan(o, s, name(fmt.Sprintf("read %d rows", o.rows)))
		all = append(all, list...)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, level := range []string{"off", "full"} {
		err := atServer(way, level, 1000, func(s *stores) error {
			a, b, err := onTwoShards(s.ours)
			if err != nil {
				return err
			}
			list, err := measureAll(o, o.rounds, []bench{
				{name: name("transaction, two shards" + atLevel(level)), base: transfers(s.base, a, b), ours: transfers(s.ours, a, b)}})
			all = append(all, list...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// atServer opens the bare engine and four shards, which are in this process or at a
// server, with the same rows.
func atServer(way, synchronous string, rows int, use func(*stores) error) (err error) {
	dir, err := os.MkdirTemp("", "vitessdo-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	dsn := "file:" + filepath.Join(dir, "four") + "?synchronous=" + synchronous + "&"
	if way != "embedded" {
		server, err := startServer(filepath.Join(dir, "four"), synchronous)
		if err != nil {
			return err
		}
		defer func() {
			peak := server.peak()
			err = errors.Join(err, server.stop())
			if peak > 0 {
				fmt.Printf("remote, %s, %d rows: the server's memory was %.0f MB at most\n", way, rows, float64(peak)/1e6)
			}
		}()
		dsn = way + "://" + server.address + "/?"
	}
	s := &stores{dir: dir}
	defer s.close()
	if s.base, err = sql.Open("sqlite3", engineDSN(filepath.Join(dir, "one.db"), synchronous)); err != nil {
		return err
	}
	if s.ours, err = sql.Open("vitessdo", dsn+"shards=4"); err != nil {
		return err
	}
	if err := s.tables(); err != nil {
		return err
	}
	if err := s.load(rows); err != nil {
		return err
	}
	return use(s)
}

// remoteScan reads many rows of all shards, sorted, and tells the pace and the memory.
func remoteScan(o *options, s *stores, name string) ([]outcome, error) {
	list, err := measureAll(o, min(o.rounds, 5), []bench{{name: name, once: true,
		base: func(int) error { return readSorted(s.base, "id", o.rows) }, ours: func(int) error { return readSorted(s.ours, "id", o.rows) }}})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	few, many, err := mergeMemory(s, o.rows/10, o.rows)
	if err != nil {
		return nil, err
	}
	fmt.Printf("%s: %.0f rows/s, peak heap at the gate %.1f MB, of %d rows %.1f MB\n",
		name, float64(o.rows)/(float64(list[0].ours.time)/float64(time.Second)), float64(many)/1e6, o.rows/10, float64(few)/1e6)
	return list, nil
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
