package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// side does one side's work n times.
type side func(n int) error

// bench is one comparison.
type bench struct {
	name string
	base side
	ours side
	// once makes a round one operation, for those that take long by themselves.
	once bool
	// most is the highest ratio of ours to base that keeps the promise; 0: none
	// was made.
	most float64
}

// sample is what one round of one side took, per operation.
type sample struct {
	time   time.Duration
	allocs float64
}

// outcome is a comparison's result.
type outcome struct {
	name       string
	base, ours sample // medians
	most       float64
}

func (o *outcome) ratio() float64 { return float64(o.ours.time) / float64(o.base.time) }

func (o *outcome) missed() bool { return o.most > 0 && o.ratio() > o.most }

// roundTime is how long a side works in a round.
const roundTime = 150 * time.Millisecond

// run lets the sides take turns.
func (b *bench) run(rounds int) (outcome, error) {
	out := outcome{name: b.name, most: b.most}
	baseN, err := b.calibrate(b.base)
	if err != nil {
		return out, fmt.Errorf("%s: %s: %w", b.name, engineName, err)
	}
	oursN, err := b.calibrate(b.ours)
	if err != nil {
		return out, fmt.Errorf("%s: vitessdo: %w", b.name, err)
	}
	var base, ours []sample
	for range rounds {
		s, err := measure(b.base, baseN)
		if err != nil {
			return out, fmt.Errorf("%s: %s: %w", b.name, engineName, err)
		}
		base = append(base, s)
		if s, err = measure(b.ours, oursN); err != nil {
			return out, fmt.Errorf("%s: vitessdo: %w", b.name, err)
		}
		ours = append(ours, s)
	}
	out.base, out.ours = median(base), median(ours)
	return out, nil
}

// calibrate finds how often a side works in a round, and warms it up.
func (b *bench) calibrate(s side) (int, error) {
	if b.once {
		return 1, s(1)
	}
	for n := 1; ; n *= 2 {
		m, err := measure(s, n)
		if err != nil {
			return 0, err
		}
		if total := m.time * time.Duration(n); total > roundTime/4 {
			return max(1, int(float64(n)*float64(roundTime)/float64(total))), nil
		}
	}
}

func measure(s side, n int) (sample, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	err := s(n)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return sample{time: took / time.Duration(n), allocs: float64(after.Mallocs-before.Mallocs) / float64(n)}, err
}

func median(list []sample) sample {
	times := make([]time.Duration, len(list))
	allocs := make([]float64, len(list))
	for i, s := range list {
		times[i], allocs[i] = s.time, s.allocs
	}
	slices.Sort(times)
	slices.Sort(allocs)
	return sample{times[len(times)/2], allocs[len(allocs)/2]}
}

// printTable writes the table of results.
func printTable(w io.Writer, list []outcome) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "case\t%s\tvitessdo\tratio\tbar\tallocs %s\tvitessdo\t\n", engineName, engineName)
	for i := range list {
		o := &list[i]
		bar := ""
		if o.most > 0 {
			bar = fmt.Sprintf("≤ %.2f", o.most)
			if o.missed() {
				bar += " MISSED"
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%.2f\t%s\t%.0f\t%.0f\t\n",
			o.name, short(o.base.time), short(o.ours.time), o.ratio(), bar, o.base.allocs, o.ours.allocs)
	}
	return t.Flush()
}

// short prints a duration with three digits.
func short(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}
