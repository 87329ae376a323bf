package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// planner plans a statement.
type planner func(text string) error

// cost is what one planning takes.
type cost struct {
	time   time.Duration
	allocs float64
}

func main() {
	rounds := flag.Int("rounds", 9, "`number` of rounds in which the planners take turns")
	flag.Parse()
	if err := run(*rounds); err != nil {
		fmt.Fprintln(os.Stderr, "vitessplan:", err)
		os.Exit(1)
	}
}

func run(rounds int) error {
	ours, err := openOurs()
	if err != nil {
		return fmt.Errorf("vitessdo: %w", err)
	}
	theirs, err := openVitess()
	if err != nil {
		return fmt.Errorf("vitess: %w", err)
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "uncached plan\tVitess\tvitessdo\tratio\tallocs Vitess\tvitessdo\t")
	var ratios []float64
	for _, s := range statements {
		a, b, err := compare(theirs, ours, s.text, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		ratio := float64(b.time) / float64(a.time)
		ratios = append(ratios, ratio)
		fmt.Fprintf(t, "%s\t%s\t%s\t%.2f\t%.0f\t%.0f\t\n", s.name, micro(a.time), micro(b.time), ratio, a.allocs, b.allocs)
	}
	slices.Sort(ratios)
	mid := ratios[len(ratios)/2]
	fmt.Fprintf(t, "median\t\t\t%.2f\t\t\t\n", mid)
	if err := t.Flush(); err != nil {
		return err
	}
	if mid > 1 {
		return fmt.Errorf("planning takes %.2f times as long as Vitess's", mid)
	}
	return nil
}

func micro(d time.Duration) string { return fmt.Sprintf("%.3g µs", float64(d)/1e3) }

// plansPerRound is how often a planner plans in a round.
const plansPerRound = 400

// compare lets the planners take turns.
func compare(a, b planner, text string, rounds int) (cost, cost, error) {
	var as, bs []cost
	for i := -1; i < rounds; i++ { // the first round warms up
		x, err := measure(a, text)
		if err != nil {
			return x, x, fmt.Errorf("vitess: %w", err)
		}
		y, err := measure(b, text)
		if err != nil {
			return x, y, fmt.Errorf("vitessdo: %w", err)
		}
		if i >= 0 {
			as, bs = append(as, x), append(bs, y)
		}
	}
	return median(as), median(bs), nil
}

func measure(p planner, text string) (cost, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range plansPerRound {
		if err := p(text); err != nil {
			return cost{}, err
		}
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return cost{took / plansPerRound, float64(after.Mallocs-before.Mallocs) / plansPerRound}, nil
}

func median(list []cost) cost {
	times := make([]time.Duration, len(list))
	allocs := make([]float64, len(list))
	for i, c := range list {
		times[i], allocs[i] = c.time, c.allocs
	}
	slices.Sort(times)
	slices.Sort(allocs)
	return cost{times[len(times)/2], allocs[len(allocs)/2]}
}
