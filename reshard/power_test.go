package reshard

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/faultfs"
)

// powerStride makes TestPowerLoss try every so-manieth moment; 0 is a small sample.
var powerStride, _ = strconv.Atoi(os.Getenv("VITESSDO_FAULT_STRIDE"))

// TestPowerLoss lets the power go after each change of any file in a run, with various
// losses of what wasn't synced: the database answers as before, in its old shards or in
// its new ones, and another run, which goes on from what it finds where that is whole,
// brings it to the end.
func TestPowerLoss(t *testing.T) {
	for _, discard := range []bool{false, true} {
		t.Run(fmt.Sprintf("discard=%v", discard), func(t *testing.T) { powerLoss(t, Options{Shards: 3, Keyspaces: []string{"main"}, Discard: discard}) })
	}
}

func powerLoss(t *testing.T, o Options) {
	dir := t.TempDir()
	build(t, dir, 2)
	want := answers(t, "file:"+dir) // which leaves nothing to settle
	disk, err := faultfs.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	times := map[string]time.Time{} // of the old files, by which a run knows them again
	passed := map[Point]int{}       // changes at the first time
	var mu sync.Mutex               // shards are filled side by side
	OnPoint(func(p Point) {
		mu.Lock()
		defer mu.Unlock()
		if _, again := passed[p]; again {
			return
		}
		passed[p] = disk.Changes()
		if p == Begun {
			times = timesOf(t, dir)
		}
	})
	defer OnPoint(nil)
	o.Dir, o.disk = dir, disk
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	OnPoint(nil)
	o.disk = nil
	losses := []faultfs.Loss{{Keep: 1}, {Keep: 0}, {Keep: 0.5}, {Keep: 0.9, Rubbish: true}, {Keep: 1, Ordered: true}, {Keep: 0.1}, {Keep: 0.7, Ordered: true}}
	total := disk.Changes()
	stride := powerStride
	if stride == 0 {
		stride = total * len(losses) / 8
	}
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, c := range powerCases(total, len(losses), stride, passed, o.Discard) {
		loss := losses[c.loss]
		loss.Seed = uint64(c.change)
		t.Run(fmt.Sprintf("%d of %d, loss %d", c.change, total, c.loss), func(t *testing.T) {
			t.Parallel()
			free <- struct{}{}
			defer func() { <-free }()
			o := o
			o.Dir = t.TempDir()
			if err := disk.Crash(c.change, loss, o.Dir); err != nil {
				t.Fatal(err)
			}
			for file, at := range times {
				if err := os.Chtimes(filepath.Join(o.Dir, file), at, at); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
			// Half of the runs find the directory as the power left it, half after it was used.
			if c.loss%2 == 0 {
				same(t, "after the loss", want, answers(t, "file:"+o.Dir))
			}
			res, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if c.loss == 1 && c.change > passed[Begun] && c.change < passed[Switched] && !res.Resumed && !res.Already {
				t.Error("what was made durable is begun anew")
			}
			same(t, "in the end", want, answers(t, "file:"+o.Dir))
			usable(t, "file:"+o.Dir)
			if list, err := filepath.Glob(filepath.Join(o.Dir, "gen~*")); err != nil || len(list) != 1 {
				t.Errorf("generations %v, %v", list, err)
			}
		})
	}
}

type powerCase struct{ change, loss int }

// powerCases samples the moments, and has those around each point of the run.
func powerCases(total, losses, stride int, passed map[Point]int, discard bool) (out []powerCase) {
	for i := 0; i < (total+1)*losses; i += stride {
		out = append(out, powerCase{i / losses, i % losses})
	}
	for p, at := range passed {
		if discard && p < Switched {
			continue // as without
		}
		out = append(out, powerCase{at, int(p) % losses}, powerCase{max(at-1, 0), 1})
	}
	return out
}

// timesOf tells when the files of a directory were changed last, but for those of the
// next generation.
func timesOf(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	out := map[string]time.Time{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if !strings.HasPrefix(rel, "gen~") {
			out[rel] = info.ModTime()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
