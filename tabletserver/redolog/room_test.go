package redolog

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestRoom: the file is longer than its frames, by zeroes, which no reader takes
// for anything.
func TestRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redo")
	l := openLog(t, path)
	l.chunk = 1000
	length := func() int64 {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	for i := range int64(30) {
		appendTo(t, l, i)
		if n := length(); n%1000 != 0 || n < l.Size() || n >= l.Size()+1000 {
			t.Fatalf("after %d records of %d bytes the file has %d", i+1, l.Size(), n)
		}
	}
	_ = l.Close()
	l = openLog(t, path)
	if got := recovered(t, l); len(got) != 30 || got[29].DTID != "tx29" {
		t.Fatalf("%d records are found", len(got))
	}
	for i := range 30 {
		l.Done(fmt.Sprint("tx", i))
	}
	if err := l.Reset(); err != nil || length() != int64(fileHeader) {
		t.Fatal(err, length())
	}
}
