package faultfs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/vitessdo/vitessdo/internal/disk"
)

func newFS(t *testing.T) (*FS, string) {
	t.Helper()
	root := t.TempDir()
	f, err := New(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f, root
}

// content reads a file after a loss of power; "none" when it isn't there.
func content(t *testing.T, f *FS, n int, loss Loss, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := f.Crash(n, loss, dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return "none"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestCrash: what was synced stays, what wasn't goes with Keep 0 and stays with
// Keep 1, content and name alike.
func TestCrash(t *testing.T) {
	f, root := newFS(t)
	path := filepath.Join(root, "a")
	h, err := f.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	type moment struct {
		what       string
		lost, kept string
		at         int
	}
	var moments []moment
	mark := func(what, lost, kept string) { moments = append(moments, moment{what, lost, kept, f.Changes()}) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(s string, off int64) {
		t.Helper()
		_, err := h.WriteAt([]byte(s), off)
		must(err)
	}
	mark("created", "none", "")
	write("one", 0)
	must(h.Sync())
	mark("the file synced, its name not", "none", "one")
	must(f.SyncDir(root))
	mark("both synced", "one", "one")
	write("two", 3)
	mark("written on", "one", "onetwo")
	must(h.Truncate(1))
	mark("cut back", "one", "o")
	must(h.Sync())
	mark("synced again", "o", "o")
	f.SetRule(FailNth(1, Fault{Err: EIO}))
	write("three", 0)
	if err := h.Sync(); !errors.Is(err, EIO) {
		t.Fatalf("sync: %v", err)
	}
	f.SetRule(nil)
	must(h.Sync())
	mark("a sync failed, the next one didn't", "o", "three")
	must(f.Rename(path, filepath.Join(root, "b")))
	mark("renamed", "o", "none")
	must(f.SyncDir(root))
	mark("its directory synced", "none", "none")
	for _, m := range moments {
		if got := content(t, f, m.at, Loss{}, "a"); got != m.lost {
			t.Errorf("%s, all lost: %q, want %q", m.what, got, m.lost)
		}
		if got := content(t, f, m.at, Loss{Keep: 1}, "a"); got != m.kept {
			t.Errorf("%s, all kept: %q, want %q", m.what, got, m.kept)
		}
	}
	if got := content(t, f, f.Changes(), Loss{}, "b"); got != "o" {
		t.Errorf("under its new name: %q", got)
	}
}

// TestRules: an operation fails alone, tears what it writes, or fails until
// there is space again.
func TestRules(t *testing.T) {
	f, root := newFS(t)
	path := filepath.Join(root, "a")
	f.SetRule(FailNth(1, Fault{Err: ENOSPC, Keep: 2}))
	if err := disk.Write(f, path, []byte("torn"), 0o600); !errors.Is(err, ENOSPC) {
		t.Errorf("a write that is to fail: %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "to" {
		t.Errorf("it wrote %q", b)
	}
	if hit := f.Hit(); len(hit) != 1 || hit[0].Kind != Write || hit[0].Path != "a" || f.Ops() != 2 {
		t.Errorf("failed: %v of %d", hit, f.Ops())
	}
	f.SetRule(FailFrom(0, 4))
	for i, want := range []error{ENOSPC, ENOSPC, nil} {
		if err := disk.Write(f, path, []byte("x"), 0o600); !errors.Is(err, want) {
			t.Errorf("attempt %d: %v, want %v", i, err, want)
		}
	}
}

// TestTorn: a write of several sectors may stay in part, and what lies before
// may be the older content.
func TestTorn(t *testing.T) {
	f, root := newFS(t)
	h, err := f.OpenFile(filepath.Join(root, "a"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	big := make([]byte, 8*sector)
	if _, err := h.WriteAt(big, 0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Sync(), f.SyncDir(root)); err != nil {
		t.Fatal(err)
	}
	for i := range big {
		big[i] = 1
	}
	if _, err := h.WriteAt(big, 0); err != nil {
		t.Fatal(err)
	}
	mixed := 0
	for seed := range uint64(20) {
		got := content(t, f, f.Changes(), Loss{Seed: seed, Keep: 0.5}, "a")
		news := 0
		for i := 0; i < len(got); i += sector {
			for _, c := range got[i : i+sector] {
				if byte(c) != got[i] {
					t.Fatal("a sector is torn")
				}
			}
			news += int(got[i])
		}
		if news > 0 && news < 8 {
			mixed++
		}
	}
	if mixed < 10 {
		t.Errorf("%d of 20 losses left a mixture", mixed)
	}
}

// What is copied into a file is written like everything else.
func TestCopied(t *testing.T) {
	f, dir := newFS(t)
	out, err := f.OpenFile(filepath.Join(dir, "copy"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	from := filepath.Join(t.TempDir(), "from")
	if err := os.WriteFile(from, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, f, f.Changes(), Loss{Keep: 1}, "copy"); got != "content" {
		t.Errorf("after a loss of nothing the copy is %q", got)
	}
}
