package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if server, err := serve(); server {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestCases runs every case once, on small tables: both sides must do their work
// and agree. How fast they are is not this test's matter.
func TestCases(t *testing.T) {
	o := &options{rounds: 1, rows: 2000}
	for name, group := range map[string]func(*options) ([]outcome, error){"points": points, "writes": writes, "loads": loads, "combines": combines, "remotes": remotes} {
		t.Run(name, func(t *testing.T) {
			list, err := group(o)
			if err != nil || len(list) == 0 {
				t.Fatalf("%d outcomes, %v", len(list), err)
			}
		})
	}
	t.Run("scatters", func(t *testing.T) {
		list, _, err := scatters(o)
		if err != nil || len(list) == 0 {
			t.Fatalf("%d outcomes, %v", len(list), err)
		}
	})
}

// TestCommits lets every crew work for a round.
func TestCommits(t *testing.T) {
	if err := commits(&options{rounds: 1}); err != nil {
		t.Fatal(err)
	}
}

func TestCaseThatFails(t *testing.T) {
	broken := errors.New("broken")
	works := func(int) error { return nil }
	b := bench{name: "x", base: works, ours: func(int) error { return broken }, once: true}
	if _, err := b.run(1); !errors.Is(err, broken) || !strings.Contains(err.Error(), "x: vitessdo") {
		t.Errorf("the error is %v", err)
	}
}

func TestOutcome(t *testing.T) {
	at := func(base, ours time.Duration, most float64) outcome {
		return outcome{name: "c", base: sample{time: base}, ours: sample{time: ours}, most: most}
	}
	for _, c := range []struct {
		o      outcome
		missed bool
		line   string
	}{
		{at(1000, 400, 0.5), false, "c 1 µs 400 ns 0.40 ≤ 0.50 0 0"},
		{at(1000, 600, 0.5), true, "c 1 µs 600 ns 0.60 ≤ 0.50 MISSED 0 0"},
		{at(2*time.Millisecond, 3*time.Second, 0), false, "c 2 ms 3 s 1500.00 0 0"},
	} {
		if c.o.missed() != c.missed {
			t.Errorf("%+v: missed is %v", c.o, c.o.missed())
		}
		var b strings.Builder
		if err := printTable(&b, []outcome{c.o}); err != nil {
			t.Fatal(err)
		}
		line := strings.Join(strings.Fields(strings.Split(b.String(), "\n")[1]), " ")
		if line != c.line {
			t.Errorf("the line is %q, want %q", line, c.line)
		}
	}
}

func TestMedian(t *testing.T) {
	m := median([]sample{{5, 1}, {1, 9}, {3, 2}})
	if m.time != 3 || m.allocs != 2 {
		t.Errorf("the median is %+v", m)
	}
}

func TestWanted(t *testing.T) {
	for _, c := range []struct {
		only string
		want bool
	}{{"", true}, {"point", true}, {"point select, prepared", true}, {"load", false}} {
		o := &options{only: c.only}
		if got := o.wanted("point select"); got != c.want {
			t.Errorf("-only %q wants point selects: %v", c.only, got)
		}
	}
}
