package sim

import (
	"errors"
	"flag"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seeds = flag.Uint64("sim.seeds", 20000, "how many seeds TestSeeds runs")
	first = flag.Uint64("sim.first", 0, "the first seed of TestSeeds")
	seed  = flag.Uint64("sim.seed", 0, "the seed of TestSeed")
	flaw  = flag.Uint("sim.flaw", 0, "the flaw of TestSeed, by number")
)

// TestSeeds: whatever happens, no invariant breaks.
func TestSeeds(t *testing.T) {
	began := time.Now()
	var next atomic.Uint64
	next.Store(*first)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for s := next.Add(1) - 1; s < *first+*seeds && !t.Failed(); s = next.Add(1) - 1 {
				if err := Run(s, NoFlaw, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	t.Logf("seeds %d to %d in %v", *first, *first+*seeds-1, time.Since(began).Round(time.Millisecond))
}

// TestSeed plays one seed, with its trace.
func TestSeed(t *testing.T) {
	if err := Run(*seed, Flaw(*flaw), func(line string) { t.Log(line) }); err != nil {
		t.Error(err)
	}
}

// TestFlaws: the simulator finds every flaw, and what it finds shows again.
func TestFlaws(t *testing.T) {
	const most = 20000
	for _, f := range Flaws() {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			for s := range uint64(most) {
				err := Run(s, f, nil)
				if err == nil {
					continue
				}
				t.Log(err)
				var e *Error
				if again := Run(s, f, nil); !errors.As(again, &e) || again.Error() != err.Error() {
					t.Errorf("the same seed gives %v", again)
				}
				return
			}
			t.Errorf("%d seeds have not shown it", most)
		})
	}
}

// TestReach: the runs are not all of one kind. Every message is delivered in
// some of them, and every way to fail comes about.
func TestReach(t *testing.T) {
	want := []string{" prepare t", " prepared t", " refused t", " decide t", " decided t", " decide refused t", " decide lost t", " decide unknown t",
		" commit t", " committed t", " abort t", " aborted t", " ask t", " answer commits t", " answer aborts t", " forget t",
		"is committed", "is rolled back", "has an unknown outcome", "crashes", "had reached the disk", "is lost", "(doubled)", "which is down", " gives t",
		"redo of t0 fails", "commit of t0 fails", "decision on t0 fails", "nobody knows", "its database answers again", "log: decision on", "end of the marker", "end of the decision"}
	var seen strings.Builder
	for s := range uint64(300) {
		if err := Run(s, NoFlaw, func(line string) { seen.WriteString(line + "\n") }); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range want {
		if !strings.Contains(seen.String(), text) {
			t.Errorf("no trace has %q", text)
		}
	}
}
