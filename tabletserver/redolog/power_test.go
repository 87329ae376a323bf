package redolog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/vitessdo/vitessdo/internal/faultfs"
)

// TestOldFramesStayDead: once the file was emptied, no frame from before is ever
// read again, wherever a disk may bring it back.
func TestOldFramesStayDead(t *testing.T) {
	for _, sync := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "redo")
		l, err := Open(path, sync)
		if err != nil {
			t.Fatal(err)
		}
		l.chunk = 0
		for i := range int64(4) {
			appendTo(t, l, i)
		}
		old, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			l.Done(fmt.Sprint("tx", i))
		}
		if err := l.Reset(); err != nil {
			t.Fatal(err)
		}
		appendTo(t, l, 10) // as long as tx0's, whose neighbours come next
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(now[:fileHeader], old[:fileHeader]) {
			t.Error("the epoch is the same")
		}
		// The new file's beginning, the old one's end.
		for cut := fileHeader; cut <= len(now); cut++ {
			mixed := append(bytes.Clone(now[:cut]), old[min(cut, len(old)):]...)
			if err := os.WriteFile(path, mixed, 0o600); err != nil {
				t.Fatal(err)
			}
			l, err := Open(path, sync)
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			want := 0
			if cut == len(now) {
				want = 1
			}
			if got := recovered(t, l); len(got) != want {
				t.Fatalf("cut at %d: %v", cut, got)
			}
			_ = l.Close()
		}
	}
}

// TestPowerLoss: a log that waits for the disk never loses a record whose append
// has returned, and can be opened whatever the power takes; one that doesn't wait
// can be opened too. Records that were done before the file was emptied never come
// back.
func TestPowerLoss(t *testing.T) {
	for _, sync := range []bool{true, false} {
		root := t.TempDir()
		fs, err := faultfs.New(root)
		if err != nil {
			t.Fatal(err)
		}
		defer fs.Close()
		l, err := OpenOn(fs, filepath.Join(root, "redo"), sync)
		if err != nil {
			t.Fatal(err)
		}
		appended, emptied := map[int]int{}, map[int]int{} // by record: after how many changes
		for i := range 9 {
			appendTo(t, l, int64(i))
			appended[i] = fs.Changes()
			if i%3 == 2 {
				for j := i - 2; j <= i; j++ {
					l.Done(fmt.Sprint("tx", j))
				}
				if err := l.Reset(); err != nil {
					t.Fatal(err)
				}
				for j := i - 2; j <= i; j++ {
					emptied[j] = fs.Changes()
				}
			}
		}
		_ = l.Close()
		for k := 0; k <= fs.Changes(); k++ {
			for i, loss := range []faultfs.Loss{{}, {Keep: 0.3}, {Keep: 0.7, Rubbish: true}, {Keep: 0.5, Ordered: true}, {Keep: 1}} {
				loss.Seed = uint64(i)
				dir := t.TempDir()
				if err := fs.Crash(k, loss, dir); err != nil {
					t.Fatal(err)
				}
				l, err := Open(filepath.Join(dir, "redo"), sync)
				if err != nil {
					t.Fatalf("sync %v, change %d, %+v: %v", sync, k, loss, err)
				}
				there := map[string]bool{}
				for _, e := range recovered(t, l) {
					there[e.DTID] = true
				}
				_ = l.Close()
				for i, at := range appended {
					id := fmt.Sprint("tx", i)
					gone := emptied[i] != 0 && k >= emptied[i]
					if there[id] && gone || !there[id] && sync && k >= at && !mayBeGone(i, k, appended) {
						t.Fatalf("sync %v, change %d, %+v: %s is there: %v", sync, k, loss, id, there[id])
					}
				}
			}
		}
	}
}

// mayBeGone says whether the emptying that takes record i had begun: it does when
// the third of its records was appended.
func mayBeGone(i, k int, appended map[int]int) bool { return k > appended[i/3*3+2] }
