package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// options are the command line's.
type options struct {
	only   string
	rounds int
	rows   int
	vitess bool
}

func main() {
	if server, err := serve(); server {
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: serving:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.only, "only", "", "run the cases whose name contains this `text`")
	flag.IntVar(&o.rounds, "rounds", 9, "`number` of rounds in which the sides take turns")
	flag.IntVar(&o.rows, "rows", 1_000_000, "`number` of rows of the scatter cases")
	flag.BoolVar(&o.vitess, "vitess", true, "also measure planning, against Vitess's planner (builds Vitess)")
	flag.Parse()
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// errMissed says that a bar was missed; which one shows in the tables.
var errMissed = errors.New("a bar was missed")

// busyNote tells when other work keeps the machine busy: what runs on several
// cores at once shows no gain then.
func busyNote() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	var load float64
	if _, err := fmt.Sscan(string(text), &load); err != nil || load < 1 {
		return ""
	}
	return fmt.Sprintf("other work keeps this machine busy (load %.1f on %d cores): ratios of what runs in parallel mean little\n", load, runtime.NumCPU())
}

func run(o *options) error {
	fmt.Print(busyNote())
	var all []outcome
	for _, group := range []func(*options) ([]outcome, error){points, writes, loads, remotes} {
		list, err := group(o)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	list, flat, err := scatters(o)
	if err != nil {
		return err
	}
	all = append(all, list...)
	if list, err = combines(o); err != nil {
		return err
	}
	all = append(all, list...)
	if len(all) > 0 {
		if err := printTable(os.Stdout, all); err != nil {
			return err
		}
	}
	if err := commits(o); err != nil {
		return err
	}
	missed := !flat
	for i := range all {
		missed = missed || all[i].missed()
	}
	if o.only == "" || strings.Contains("plans", o.only) {
		if err := plans(o); err != nil {
			return err
		}
	}
	if missed {
		return errMissed
	}
	return nil
}

// measureAll runs the cases that were asked for.
func measureAll(o *options, rounds int, cases []bench) ([]outcome, error) {
	var out []outcome
	for i := range cases {
		if !strings.Contains(cases[i].name, o.only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s …\n", cases[i].name)
		r, err := cases[i].run(rounds)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// wanted says whether a group has cases that were asked for, so that tables are
// filled for those only.
func (o *options) wanted(names ...string) bool {
	for _, n := range names {
		if strings.Contains(n, o.only) || strings.HasPrefix(o.only, n) {
			return true
		}
	}
	return false
}

func points(o *options) ([]outcome, error) {
	if !o.wanted("point select") {
		return nil, nil
	}
	s, err := openStores("full")
	if err != nil {
		return nil, err
	}
	defer s.close()
	cases, err := pointCases(s)
	if err != nil {
		return nil, err
	}
	return measureAll(o, o.rounds, cases)
}

func writes(o *options) ([]outcome, error) {
	var all []outcome
	for _, level := range []string{"normal", "full"} {
		at := atLevel(level)
		if !o.wanted("insert, one shard"+at, "transaction, two shards"+at) {
			continue
		}
		list, err := writesAt(o, level)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

func writesAt(o *options, level string) ([]outcome, error) {
	s, err := openStores(level)
	if err != nil {
		return nil, err
	}
	defer s.close()
	cases, err := writeCases(s, level)
	if err != nil {
		return nil, err
	}
	return measureAll(o, o.rounds, cases)
}

func loads(o *options) ([]outcome, error) {
	if !o.wanted("load") {
		return nil, nil
	}
	s, err := openStores("normal")
	if err != nil {
		return nil, err
	}
	defer s.close()
	return measureAll(o, min(o.rounds, 5), loadCases(s))
}

// scatters measures what reads all shards; flat says that a merge's memory
// doesn't grow with its result.
func scatters(o *options) (_ []outcome, flat bool, err error) {
	if !o.wanted("count and sum", "read", "memory") {
		return nil, true, nil
	}
	s, err := openStores("normal")
	if err != nil {
		return nil, false, err
	}
	defer s.close()
	cases, err := scatterCases(s, o.rows)
	if err != nil {
		return nil, false, err
	}
	list, err := measureAll(o, min(o.rounds, 5), cases)
	if err != nil || !o.wanted("memory") {
		return list, true, err
	}
	few, many, err := mergeMemory(s, o.rows/10, o.rows)
	if err != nil {
		return nil, false, err
	}
	flat = many < few+few/2+(1<<20)
	fmt.Printf("peak heap of a merge that streams: %d rows %.1f MB, %d rows %.1f MB (flat: %v)\n",
		o.rows/10, float64(few)/1e6, o.rows, float64(many)/1e6, flat)
	return list, flat, nil
}

// plans runs the measurements of planning, which live where they can reach what
// they measure: a cache hit inside the driver's package, planning in a module
// that has Vitess too.
func plans(o *options) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	fmt.Println()
	cmds := [][]string{{root, "go", "test", "-run", "^$", "-bench", "Plan", "-benchmem", "."}}
	if o.vitess {
		cmds = append(cmds, []string{filepath.Join(root, "bench", "vitessplan"), "go", "run", "."})
	}
	for _, c := range cmds {
		cmd := exec.Command(c[1], c[2:]...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = c[0], os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s in %s: %w", strings.Join(c[1:], " "), c[0], err)
		}
	}
	return nil
}

// moduleRoot is the driver's directory: the command runs from the bench folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	root := filepath.Dir(dir)
	if _, err := os.Stat(filepath.Join(root, "driver.go")); err != nil {
		return "", fmt.Errorf("the working directory is %s; run the command in the folder bench of the repository", dir)
	}
	return root, nil
}
