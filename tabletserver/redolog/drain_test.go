package redolog

import (
	"fmt"
	"path/filepath"
	"testing"
)

// TestOverlapping: where some transaction is under way at any time, the file is
// emptied all the same, and what was in it is told to be gone.
func TestOverlapping(t *testing.T) {
	l := openLog(t, filepath.Join(t.TempDir(), "redo"))
	l.SetKeep(1000)
	gone, befores := map[string]bool{}, 0
	l.OnTruncate(func() error { befores++; return nil }, func(dtids []string) {
		for _, id := range dtids {
			if gone[id] {
				t.Errorf("%s is gone twice", id)
			}
			gone[id] = true
		}
	})
	appendTo(t, l, 0)
	const n = 200
	for i := int64(1); i < n; i++ {
		last := make(chan struct{})
		go func() { // it ends while the next one is on its way
			l.Done(fmt.Sprint("tx", i-1))
			close(last)
		}()
		appendTo(t, l, i)
		<-last
		if l.Size() > 2*drainAt(1000) {
			t.Fatalf("the file has grown to %d bytes", l.Size())
		}
	}
	l.Done(fmt.Sprint("tx", n-1))
	if befores == 0 || len(gone) < n/2 {
		t.Errorf("%d of %d transactions are gone, by %d times", len(gone), n, befores)
	}
}

// TestStuck: one that can't end holds the others up for a moment only.
func TestStuck(t *testing.T) {
	l := openLog(t, filepath.Join(t.TempDir(), "redo"))
	l.SetKeep(1000)
	appendTo(t, l, 0)
	for i := int64(1); i < 60; i++ {
		appendTo(t, l, i)
		l.Done(fmt.Sprint("tx", i))
	}
	if l.Live() != 1 || l.Size() < drainAt(1000) {
		t.Errorf("%d under way, %d bytes", l.Live(), l.Size())
	}
	l.Done("tx0")
	if l.Size() != int64(fileHeader) {
		t.Errorf("at last the file has %d bytes", l.Size())
	}
}
