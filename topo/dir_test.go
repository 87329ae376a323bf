package topo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/internal/disk"
)

// TestMain lets the test binary run again as another process that holds a
// directory.
func TestMain(m *testing.M) {
	if dir := os.Getenv("TOPO_TEST_HOLD"); dir != "" {
		hold(dir)
		return
	}
	os.Exit(m.Run())
}

// hold opens the directory, says so, and keeps it until its input ends.
func hold(dir string) {
	d, err := OpenDir(dir, DirOptions{})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("held")
	bufio.NewReader(os.Stdin).ReadString('\n')
	d.Close()
}

// makeDatabases does what tablets do: it makes each database file.
func makeDatabases(t *testing.T, d *Dir) {
	t.Helper()
	files := []string{d.CatalogFile()}
	for _, k := range d.State().Keyspaces {
		for _, s := range k.Shards {
			files = append(files, d.File(s.File))
		}
	}
	for _, f := range files {
		if err := os.WriteFile(f, []byte(sqliteHeader+"content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, path string, want DirOptions) *Dir {
	t.Helper()
	d, err := OpenDir(path, want)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func created(t *testing.T, want DirOptions) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data")
	d := open(t, path, want)
	makeDatabases(t, d)
	if err := d.Ready(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// snapshot maps every file below a directory to its content.
func snapshot(t *testing.T, root string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			m[path] = ""
			return err
		}
		text, err := os.ReadFile(path)
		m[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCreateAndReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "data")
	d := open(t, path, DirOptions{Shards: 4})
	if !d.Fresh() || d.Keyspace() != "main" || d.Path() != path {
		t.Fatalf("fresh %v, keyspace %s, path %s", d.Fresh(), d.Keyspace(), d.Path())
	}
	var names, files []string
	for _, s := range d.State().Keyspace("MAIN").Shards {
		names, files = append(names, s.Name), append(files, s.File)
	}
	if got, want := fmt.Sprint(names, files), "[-40 40-80 80-c0 c0-] [main/-40.db main/40-80.db main/80-c0.db main/c0-.db]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v", info.Mode(), err)
	}
	if err := d.Ready(); !errors.Is(err, ErrDamaged) {
		t.Errorf("ready without databases: %v", err)
	}
	makeDatabases(t, d)
	if err := d.Ready(); err != nil || d.Fresh() {
		t.Fatalf("ready: %v, fresh %v", err, d.Fresh())
	}
	state := d.State()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	for _, want := range []DirOptions{{}, {Shards: 4}, {Keyspace: "Main"}, {Shards: 4, Keyspace: "main"}} {
		d = open(t, path, want)
		if d.Fresh() || !reflect.DeepEqual(d.State(), state) || d.Keyspace() != "main" {
			t.Errorf("%+v: fresh %v, keyspace %s, %+v", want, d.Fresh(), d.Keyspace(), d.State())
		}
		if err := d.Ready(); err != nil {
			t.Error(err)
		}
		d.Close()
	}
	if _, err := os.Stat(filepath.Join(path, holderFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the holder's file stays: %v", err)
	}
}

func TestMismatch(t *testing.T) {
	path := created(t, DirOptions{Shards: 4})
	for _, tc := range []struct {
		want  DirOptions
		parts []string
	}{
		{DirOptions{Shards: 8}, []string{"4 shards", "shards=8", "vitessdo reshard"}},
		{DirOptions{Keyspace: "shop"}, []string{"no keyspace shop", "it has main"}},
	} {
		_, err := OpenDir(path, tc.want)
		if !errors.Is(err, ErrMismatch) {
			t.Fatalf("%+v: %v", tc.want, err)
		}
		for _, p := range tc.parts {
			if !strings.Contains(err.Error(), p) {
				t.Errorf("%q lacks %q", err, p)
			}
		}
	}
	open(t, path, DirOptions{}) // the refusals left no lock behind
}

func TestRefusals(t *testing.T) {
	ready := func(t *testing.T) string { return created(t, DirOptions{Shards: 2}) }
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit := func(old, new string) func(*testing.T) string {
		return func(t *testing.T) string {
			path := ready(t)
			file := filepath.Join(path, markerFile)
			text, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(text), old) {
				t.Fatalf("%v: no %q in %s", err, old, text)
			}
			write(file, strings.Replace(string(text), old, new, 1))
			return path
		}
	}
	for _, tc := range []struct {
		name  string
		make  func(*testing.T) string
		kind  error
		parts []string
	}{
		{"a file", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "app.db")
			write(path, sqliteHeader)
			return path
		}, ErrForeign, []string{"is a file", "app.db"}},
		{"foreign", func(t *testing.T) string {
			path := t.TempDir()
			for _, n := range []string{"a", "b", "c", "d", "e", "f", "g"} {
				write(filepath.Join(path, n), "x")
			}
			return path
		}, ErrForeign, []string{"a, b, c, d, e and 2 more"}},
		{"newer", edit(`"format": 1`, `"format": 3, "new": {}`), ErrNewerFormat, []string{"format 3", "up to 2", "upgrade"}},
		{"marker lost", func(t *testing.T) string {
			path := ready(t)
			os.Remove(filepath.Join(path, markerFile))
			return path
		}, ErrDamaged, []string{"catalog.db", "no vitessdo.json"}},
		{"marker empty", func(t *testing.T) string {
			path := ready(t)
			write(filepath.Join(path, markerFile), "")
			return path
		}, ErrDamaged, []string{"vitessdo.json"}},
		{"marker half", func(t *testing.T) string {
			path := ready(t)
			os.Truncate(filepath.Join(path, markerFile), 60)
			return path
		}, ErrDamaged, []string{"vitessdo.json"}},
		{"marker with a gap", edit(`"80-"`, `"90-"`), ErrMismatch, []string{"keyspace main", "90-"}},
		{"marker with a wrong range", edit(`"80-"`, `"8x-"`), ErrDamaged, []string{"8x-"}},
		{"marker pointing outside", edit("main/80-.db", "main/../../80-.db"), ErrDamaged, []string{"main/../../80-.db"}},
		{"marker with one file twice", edit("main/80-.db", "MAIN/-80.db"), ErrDamaged, []string{"MAIN/-80.db"}},
		{"marker with a wrong phase", edit(phaseReady, "somehow"), ErrDamaged, []string{"somehow"}},
		{"marker with an unknown field", edit(`"phase"`, `"extra": 1, "phase"`), ErrDamaged, []string{"extra"}},
		{"marker with a tail", edit("\n}\n", "\n}\nx"), ErrDamaged, []string{"after top-level value"}},
		{"shard lost", func(t *testing.T) string {
			path := ready(t)
			os.Remove(filepath.Join(path, "main", "80-.db"))
			return path
		}, ErrDamaged, []string{"main/80-.db is missing"}},
		{"shard empty", func(t *testing.T) string {
			path := ready(t)
			os.Truncate(filepath.Join(path, "main", "80-.db"), 0)
			return path
		}, ErrDamaged, []string{"main/80-.db is empty"}},
		{"shard no database", func(t *testing.T) string {
			path := ready(t)
			write(filepath.Join(path, "main", "80-.db"), "short")
			return path
		}, ErrDamaged, []string{"main/80-.db is not a SQLite database"}},
		{"catalog lost", func(t *testing.T) string {
			path := ready(t)
			os.Remove(filepath.Join(path, catalogFile))
			return path
		}, ErrDamaged, []string{"catalog.db is missing"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := tc.make(t)
			before := snapshot(t, path)
			_, err := OpenDir(path, DirOptions{})
			var e *DirError
			if !errors.Is(err, tc.kind) || !errors.As(err, &e) || e.Path != path {
				t.Fatalf("got %v, want %v", err, tc.kind)
			}
			for _, p := range tc.parts {
				if !strings.Contains(err.Error(), p) {
					t.Errorf("%q lacks %q", err, p)
				}
			}
			if after := snapshot(t, path); !reflect.DeepEqual(before, after) {
				t.Errorf("the refusal changed the directory: %v, then %v", before, after)
			}
		})
	}
}

// A crash in the middle of creating leaves some prefix of what creation does.
// From each of them the next open creates anew.
func TestCreationCrashes(t *testing.T) {
	marker := func(phase string) string {
		ks, err := newKeyspace(2, "old")
		if err != nil {
			t.Fatal(err)
		}
		for i := range ks.Shards {
			ks.Shards[i].File = shardFile("old", ks.Shards[i].Name)
		}
		dir := t.TempDir()
		if err := (marker{Phase: phase, Keyspaces: []Keyspace{ks}}).write(disk.OS, dir); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, markerFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	creating := marker(phaseCreating)
	steps := []struct{ name, text string }{
		{"", ""}, // the directory itself
		{lockFile, ""},
		{holderFile + disk.TmpSuffix, `{"pi`},
		{holderFile, `{"pid":1}`},
		{markerFile + disk.TmpSuffix, creating[:40]},
		{markerFile, creating},
		{"old/", ""},
		{catalogFile, ""},
		{catalogFile, sqliteHeader},
		{catalogFile + "-wal", "wal"},
		{"old/-80.db", sqliteHeader[:5]},
		{"old/-80.db-wal", "wal"},
		{"old/80-.db", sqliteHeader},
		{redoFile, "redo"},
		{markerFile + disk.TmpSuffix, marker(phaseReady)[:50]},
	}
	for n := range steps {
		path := filepath.Join(t.TempDir(), "data")
		for _, s := range steps[:n+1] {
			full := filepath.Join(path, filepath.FromSlash(s.name))
			if s.name == "" || strings.HasSuffix(s.name, "/") {
				if err := os.MkdirAll(full, 0o700); err != nil {
					t.Fatal(err)
				}
			} else if err := os.WriteFile(full, []byte(s.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d, err := OpenDir(path, DirOptions{Shards: 4, Keyspace: "new"})
		if err != nil {
			t.Errorf("after step %d, %s: %v", n, steps[n].name, err)
			continue
		}
		if !d.Fresh() || d.Keyspace() != "new" || len(d.State().Keyspaces[0].Shards) != 4 {
			t.Errorf("after step %d: %+v", n, d.State())
		}
		for name := range snapshot(t, path) {
			if strings.Contains(name, string(filepath.Separator)+"old") || strings.HasSuffix(name, ".db") || strings.HasSuffix(name, redoFile) || strings.HasSuffix(name, "-wal") {
				t.Errorf("after step %d: %s is left over", n, name)
			}
		}
		makeDatabases(t, d)
		if err := d.Ready(); err != nil {
			t.Errorf("after step %d: %v", n, err)
		}
		d.Close()
		if d, err = OpenDir(path, DirOptions{Shards: 4, Keyspace: "new"}); err != nil || d.Fresh() {
			t.Errorf("after step %d: re-opened: %v", n, err)
			continue
		}
		d.Close()
	}
}

func TestEmptyDirectoriesOfSystems(t *testing.T) {
	path := t.TempDir()
	if err := os.Mkdir(filepath.Join(path, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	if d := open(t, path, DirOptions{}); !d.Fresh() || len(d.State().Keyspaces[0].Shards) != 1 {
		t.Errorf("got %+v", d.State())
	}
}

func TestWrongWishesCreateNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	for _, want := range []DirOptions{{Shards: -1}, {Shards: 257}, {Keyspace: "a/b"}, {Keyspace: "mysql"}, {Keyspace: strings.Repeat("a", 65)}} {
		if _, err := OpenDir(path, want); err == nil {
			t.Errorf("%+v was taken", want)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory exists: %v", err)
	}
}

func TestLockWithinProcess(t *testing.T) {
	path := created(t, DirOptions{})
	d := open(t, path, DirOptions{})
	_, err := OpenDir(path, DirOptions{})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "this process itself") {
		t.Errorf("got %v", err)
	}
	d.Close()
	open(t, path, DirOptions{})
}

func TestLockBetweenProcesses(t *testing.T) {
	path := created(t, DirOptions{})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	start := func() (*exec.Cmd, func() error) {
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), "TOPO_TEST_HOLD="+path)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
			t.Fatalf("the other process says %q, %v", line, err)
		}
		return cmd, in.Close
	}

	cmd, release := start()
	_, err = OpenDir(path, DirOptions{})
	var e *DirError
	if !errors.As(err, &e) || !errors.Is(err, ErrLocked) || e.Holder == nil || e.Holder.PID != cmd.Process.Pid {
		t.Fatalf("got %v", err)
	}
	for _, p := range []string{fmt.Sprintf("pid %d", cmd.Process.Pid), e.Holder.Host, filepath.Base(exe), "vitessdo serve"} {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q lacks %q", err, p)
		}
	}
	release()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	open(t, path, DirOptions{}).Close()

	// A killed holder leaves its note, but not its lock.
	cmd, _ = start()
	cmd.Process.Kill()
	cmd.Wait()
	if _, err := os.Stat(filepath.Join(path, holderFile)); err != nil {
		t.Errorf("the killed process left no note: %v", err)
	}
	open(t, path, DirOptions{})
}

func TestSetKeyspaces(t *testing.T) {
	path := created(t, DirOptions{})
	d := open(t, path, DirOptions{})
	more, err := newKeyspace(2, "LOCK")
	if err != nil {
		t.Fatal(err)
	}
	for i := range more.Shards {
		more.Shards[i].File = shardFile(more.Name, more.Shards[i].Name)
	}
	all := append(d.State().Keyspaces, more)
	if err := d.SetKeyspaces(all); !errors.Is(err, ErrDamaged) {
		t.Errorf("without files: %v", err)
	}
	for _, s := range more.Shards {
		os.MkdirAll(filepath.Dir(d.File(s.File)), 0o700)
		os.WriteFile(d.File(s.File), []byte(sqliteHeader), 0o600)
	}
	if err := d.SetKeyspaces(append(slices.Clone(all), all[0])); err == nil {
		t.Error("the same keyspace was taken twice")
	}
	if err := d.SetKeyspaces(all); err != nil {
		t.Fatal(err)
	}
	d.Close()
	d = open(t, path, DirOptions{Keyspace: "lock", Shards: 2})
	if !reflect.DeepEqual(d.State().Keyspaces, all) || d.Keyspace() != "LOCK" {
		t.Errorf("got %+v", d.State())
	}
	d.Close()
	if err := d.SetKeyspaces(all[:1]); err == nil {
		t.Error("a closed directory was changed")
	}
}

func TestShardFiles(t *testing.T) {
	for _, tc := range []struct{ keyspace, shard, want string }{
		{"main", "-", "main/-.db"},
		{"Shop", "40-80", "shop/40-80.db"},
		{"CON", "-", "con~/-.db"},
		{"com1", "-", "com1~/-.db"},
		{"lpt", "-", "lpt/-.db"},
		{"Lock", "-", "lock~/-.db"},
	} {
		if got := shardFile(tc.keyspace, tc.shard); got != tc.want {
			t.Errorf("%s %s: got %s, want %s", tc.keyspace, tc.shard, got, tc.want)
		}
	}
}

func TestHolderIsReadable(t *testing.T) {
	path := created(t, DirOptions{})
	open(t, path, DirOptions{})
	text, err := os.ReadFile(filepath.Join(path, holderFile))
	if err != nil {
		t.Fatal(err)
	}
	var h Holder
	if err := json.Unmarshal(text, &h); err != nil || h.PID != os.Getpid() || h.Since.IsZero() || h.Program == "" {
		t.Errorf("%s: %+v, %v", text, h, err)
	}
}
