package topo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/internal/faultfs"
)

// makeNext does what resharding does: it makes all databases of another generation.
func makeNext(t *testing.T, d *Dir, shards int) []Keyspace {
	t.Helper()
	ks, err := NewKeyspace(d.Keyspace(), shards, true)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ks.Shards {
		if ks.Shards[i].File, err = d.NextFile(ks.Name, ks.Shards[i].Name); err != nil {
			t.Fatal(err)
		}
		fileWith(t, d.File(ks.Shards[i].File), sqliteHeader+"new")
	}
	fileWith(t, d.NextCatalogFile(), sqliteHeader+"new")
	return []Keyspace{ks}
}

func fileWith(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// contents tells, of a directory, how many shards it opens with and what is in them.
func contents(t *testing.T, path string) string {
	t.Helper()
	d, err := OpenDir(path, DirOptions{MustExist: true})
	if err != nil {
		return err.Error()
	}
	defer d.Close()
	files := []string{d.CatalogFile()}
	for _, k := range d.State().Keyspaces {
		for _, s := range k.Shards {
			files = append(files, d.File(s.File))
		}
	}
	seen := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err.Error()
		}
		seen[strings.TrimPrefix(string(text), sqliteHeader)] = true
	}
	out := fmt.Sprint(len(files) - 1)
	for text := range seen {
		out += " " + text
	}
	return out
}

// A generation takes the place of another, which can be opened where it was put;
// and so again, with keyspaces that were made in between.
func TestGenerations(t *testing.T) {
	path := created(t, DirOptions{Shards: 4})
	d := open(t, path, DirOptions{})
	next := makeNext(t, d, 7)
	if err := d.Switch(next, false); err != nil {
		t.Fatal(err)
	}
	aside, err := d.SetAside()
	if err != nil || aside != d.File("before~1") {
		t.Fatal(aside, err)
	}
	k, err := NewKeyspace("crm", 2, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Prepare(&k); err != nil {
		t.Fatal(err)
	}
	for _, s := range k.Shards {
		fileWith(t, d.File(s.File), sqliteHeader+"new")
	}
	if err := d.SetKeyspaces(append(next, k)); err != nil {
		t.Fatal(err)
	}
	d.Close()
	for at, want := range map[string]string{path: "9 new", aside: "4 content"} {
		if got := contents(t, at); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
	d = open(t, path, DirOptions{})
	if err := d.Switch(makeNext(t, d, 1), true); err != nil {
		t.Fatal(err)
	}
	if aside, err := d.SetAside(); aside != "" || err != nil {
		t.Error(aside, err)
	}
	d.Close()
	if got := contents(t, path); got != "1 new" {
		t.Error(got)
	}
	left, err := filepath.Glob(filepath.Join(path, "gen~1*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

// What an unfinished attempt has left is nobody's, and can be removed.
func TestRemoveNext(t *testing.T) {
	path := created(t, DirOptions{Shards: 2})
	d := open(t, path, DirOptions{})
	if err := d.RemoveNext(); err != nil {
		t.Fatal(err)
	}
	makeNext(t, d, 3)
	if err := d.RemoveNext(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.File(d.NextFolder())); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if aside, err := d.SetAside(); aside != "" || err != nil {
		t.Error(aside, err)
	}
}

// TestSwitchCrash loses power after every operation of a switch: the directory is
// the one or the other, whole, and what it replaced is lost in no case.
func TestSwitchCrash(t *testing.T) {
	for _, discard := range []bool{false, true} {
		made := created(t, DirOptions{Shards: 2})
		disk, err := faultfs.New(made)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(disk.Close)
		d := open(t, made, DirOptions{Disk: disk})
		next := makeNext(t, d, 3)
		d.Close()
		if disk, err = faultfs.New(made); err != nil { // the databases are durable by now
			t.Fatal(err)
		}
		t.Cleanup(disk.Close)
		d = open(t, made, DirOptions{Disk: disk})
		if err := d.Switch(next, discard); err != nil {
			t.Fatal(err)
		}
		if _, err := d.SetAside(); err != nil {
			t.Fatal(err)
		}
		d.Close()
		for n := range disk.Changes() + 1 {
			for _, loss := range []faultfs.Loss{{}, {Keep: 1}, {Seed: 1, Keep: 0.5}, {Seed: 2, Keep: 0.5}} {
				after := filepath.Join(t.TempDir(), "data")
				if err := os.Mkdir(after, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := disk.Crash(n, loss, after); err != nil {
					t.Fatal(err)
				}
				checkSwitched(t, fmt.Sprintf("discard %v, after %d operations, %+v", discard, n, loss), after, discard)
			}
		}
	}
}

func checkSwitched(t *testing.T, when, path string, discard bool) {
	t.Helper()
	got := contents(t, path)
	if got == "2 content" {
		return
	}
	if got != "3 new" {
		t.Errorf("%s: %s", when, got)
		return
	}
	d := open(t, path, DirOptions{})
	defer d.Close()
	if _, err := d.SetAside(); err != nil {
		t.Errorf("%s: %v", when, err)
	}
	if got := contents(t, d.File("before~1")); !discard && got != "2 content" {
		t.Errorf("%s: put aside: %s", when, got)
	}
}
