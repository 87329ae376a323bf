package topo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"

	"github.com/vitessdo/vitessdo/internal/disk"
)

// What can be wrong with a data directory; a [DirError] wraps one of them.
var (
	ErrLocked      = errors.New("the directory is in use by another process")
	ErrForeign     = errors.New("the directory holds other files")
	ErrNewerFormat = errors.New("the directory was written by a newer version")
	ErrDamaged     = errors.New("the directory is damaged")
	ErrMismatch    = errors.New("the directory was created differently")
)

// DirError says why a directory can't be opened.
type DirError struct {
	Kind    error   // one of the sentinels above
	Path    string  // the directory
	Message string  // what is wrong and what to do
	Holder  *Holder // who holds it, for ErrLocked and when known
}

// Error names the directory and what is wrong with it.
func (e *DirError) Error() string { return "data directory " + e.Path + " " + e.Message }

// Unwrap returns the kind.
func (e *DirError) Unwrap() error { return e.Kind }

// DirOptions is what the opener says about a directory.
type DirOptions struct {
	// Shards is the number of shards to create the keyspace with. When the
	// directory exists it must agree. 0: not said, which creates one.
	Shards int
	// Keyspace is the keyspace to create. When the directory exists it must have
	// it. "": not said, which creates Default.
	Keyspace string
	// Default names the keyspace to create when Keyspace doesn't. "":
	// DefaultKeyspace.
	Default string
	// Served says that the directory is a tablet server's: it is created without a
	// keyspace, and a keyspace may lack shards, which other servers have. The
	// options about keyspaces aren't looked at.
	Served bool
	// Elsewhere says that the rows of shards aren't kept in the directory, or not those
	// of all: whoever opens one of the others checks its file.
	Elsewhere bool
	// MustExist refuses to create the directory.
	MustExist bool
	// Purpose is the program that others are told has the directory; "": the name of
	// this process's file.
	Purpose string
	// Disk is where the directory's files are changed; nil is the operating
	// system's.
	Disk disk.FS
}

// Dir is a locked data directory. Its methods are safe for concurrent use.
type Dir struct {
	path      string
	keyspace  string
	disk      disk.FS
	served    bool
	elsewhere bool // the rows of shards are

	mu     sync.Mutex
	lock   *flock.Flock // nil once closed
	marker marker
}

// OpenDir creates or opens the directory and locks it until Close.
//
// A missing or empty directory is created, with mode 0700, and so is one whose
// creation did not come as far as [Dir.Ready]: no one can have stored anything
// there. Anything that is in doubt is refused with a [*DirError], and then
// nothing in the directory has been changed.
func OpenDir(path string, want DirOptions) (*Dir, error) {
	on := disk.Or(want.Disk)
	// What is asked for must be sound before a directory appears for it.
	if _, err := newKeyspace(want.Shards, want.Keyspace); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", path, err)
	}
	switch info, err := os.Stat(abs); {
	case errors.Is(err, fs.ErrNotExist) && !want.MustExist:
		if err := makeDir(on, abs); err != nil {
			return nil, fmt.Errorf("data directory %s: can't create it: %w", abs, err)
		}
	case err != nil:
		return nil, fmt.Errorf("data directory %s: %w", abs, err)
	case !info.IsDir():
		return nil, &DirError{Kind: ErrForeign, Path: abs, Message: "is a file; give a directory, which will hold one database per shard"}
	default:
		if err := inspect(abs); err != nil {
			return nil, err
		}
	}
	l, err := acquire(on, abs, want.Purpose)
	if err != nil {
		return nil, err
	}
	d := &Dir{path: abs, disk: on, served: want.Served, elsewhere: want.Elsewhere, lock: l}
	if err := d.open(want); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// makeDir creates a directory, and those above it that lack, and makes their
// names durable.
func makeDir(d disk.FS, path string) error {
	above := filepath.Dir(path)
	if _, err := os.Stat(above); errors.Is(err, fs.ErrNotExist) && above != path {
		if err := makeDir(d, above); err != nil {
			return err
		}
	}
	if err := d.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return d.SyncDir(above)
}

// inspect refuses a directory that is not ours, before anything is written.
func inspect(dir string) error {
	l, err := list(dir)
	switch {
	case err != nil:
		return fmt.Errorf("data directory %s: %w", dir, err)
	case l.marker:
		_, err := readMarker(dir)
		return err
	case len(l.ours) > 0:
		return &DirError{Kind: ErrDamaged, Path: dir, Message: fmt.Sprintf(
			"has %s but no %s; restore that file from a backup", nameSome(l.ours), markerFile)}
	case len(l.foreign) > 0:
		return &DirError{Kind: ErrForeign, Path: dir, Message: fmt.Sprintf(
			"is not empty and not a vitessdo directory (it has %s); give another one", nameSome(l.foreign))}
	}
	return nil
}

// open does the work under the lock.
func (d *Dir) open(want DirOptions) error {
	// Between the first look and the lock another process may have been here.
	if err := inspect(d.path); err != nil {
		return err
	}
	m, err := readMarker(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && want.MustExist:
		return &DirError{Kind: ErrForeign, Path: d.path, Message: "holds no database"}
	case errors.Is(err, fs.ErrNotExist):
		return d.create(want)
	case err != nil:
		return err
	case m.Phase == phaseCreating, len(m.Keyspaces) == 0 && !want.Served && !want.MustExist:
		return d.recreate(m, want)
	}
	if err := d.checkFiles(m); err != nil {
		return err
	}
	if err := d.checkWanted(m, want); err != nil {
		return err
	}
	d.marker = m
	return nil
}

// create writes the marker, whose list of files is what a later clean-up after
// a crash may remove, and then the folders. The databases are made by whoever
// opens tablets on them.
func (d *Dir) create(want DirOptions) error {
	if want.Served {
		d.marker = newMarker(nil)
		if err := d.marker.write(d.disk, d.path); err != nil {
			return fmt.Errorf("data directory %s: can't write %s: %w", d.path, markerFile, err)
		}
		return nil
	}
	name := want.Keyspace
	if name == "" {
		name = want.Default
	}
	ks, err := newKeyspace(want.Shards, name)
	if err != nil {
		return err
	}
	for i := range ks.Shards {
		ks.Shards[i].File = shardFile(ks.Name, ks.Shards[i].Name)
	}
	d.keyspace = ks.Name
	d.marker = newMarker([]Keyspace{ks})
	if err := d.marker.write(d.disk, d.path); err != nil {
		return fmt.Errorf("data directory %s: can't write %s: %w", d.path, markerFile, err)
	}
	for _, s := range ks.Shards {
		if err := makeDir(d.disk, filepath.Dir(d.File(s.File))); err != nil {
			return fmt.Errorf("data directory %s: %w", d.path, err)
		}
	}
	return nil
}

// recreate begins an unfinished creation anew: the marker that was left names
// every file that can have been made.
func (d *Dir) recreate(old marker, want DirOptions) error {
	files := []string{catalogFile}
	for _, k := range old.Keyspaces {
		for _, s := range k.Shards {
			files = append(files, s.File)
		}
	}
	for _, f := range files {
		if err := removeDatabase(d.disk, d.File(f)); err != nil {
			return fmt.Errorf("data directory %s: can't clean up an unfinished creation: %w", d.path, err)
		}
	}
	if err := d.disk.Remove(d.RedoFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data directory %s: can't clean up an unfinished creation: %w", d.path, err)
	}
	for _, f := range files[1:] {
		// Fails when the folder is in use or gone, and then it may stay so.
		_ = d.disk.Remove(filepath.Dir(d.File(f)))
	}
	return d.create(want)
}

// checkFiles makes sure that every database that must be there is there.
func (d *Dir) checkFiles(m marker) error {
	files := []string{folderOf(m.Generation) + catalogFile}
	for _, k := range m.Keyspaces {
		for _, s := range k.Shards {
			if !d.elsewhere {
				files = append(files, s.File)
			}
		}
	}
	for _, f := range files {
		if err := d.CheckFile(d.File(f)); err != nil {
			return err
		}
	}
	return nil
}

// CheckFile makes sure that the database at a path in the directory is there.
func (d *Dir) CheckFile(path string) error {
	f, err := filepath.Rel(d.path, path)
	if err != nil {
		return err
	}
	wrong, err := checkDatabase(path)
	if err != nil {
		return fmt.Errorf("data directory %s: can't read %s: %w", d.path, f, err)
	}
	if wrong != "" {
		return &DirError{Kind: ErrDamaged, Path: d.path, Message: fmt.Sprintf(
			"is damaged: %s %s; restore it from a backup (nothing was changed)", f, wrong)}
	}
	return nil
}

// checkWanted compares what the opener said with what exists.
func (d *Dir) checkWanted(m marker, want DirOptions) error {
	if want.Served {
		return nil
	}
	if err := checkWhole(m.Keyspaces); err != nil {
		return &DirError{Kind: ErrMismatch, Path: d.path, Message: fmt.Sprintf(
			"has only some shards of a database that is spread over servers (%s); open it with `vitessdo serve`", err)}
	}
	if len(m.Keyspaces) == 0 {
		return nil // looked at only
	}
	names := make([]string, len(m.Keyspaces))
	k := &m.Keyspaces[0]
	for i := range m.Keyspaces {
		names[i] = m.Keyspaces[i].Name
		if strings.EqualFold(names[i], want.Keyspace) {
			k = &m.Keyspaces[i]
		}
	}
	if want.Keyspace != "" && !strings.EqualFold(k.Name, want.Keyspace) {
		return &DirError{Kind: ErrMismatch, Path: d.path, Message: fmt.Sprintf(
			"has no keyspace %s; it has %s", want.Keyspace, strings.Join(names, ", "))}
	}
	if want.Shards != 0 && want.Shards != len(k.Shards) {
		return &DirError{Kind: ErrMismatch, Path: d.path, Message: fmt.Sprintf(
			"has keyspace %s in %d shards, but shards=%d was asked for; leave the option out, or move the rows with `vitessdo reshard`",
			k.Name, len(k.Shards), want.Shards)}
	}
	d.keyspace = k.Name
	return nil
}

// Path returns the directory's absolute path.
func (d *Dir) Path() string { return d.path }

// Keyspace names the keyspace that the opener asked for, or when none was
// asked for, the first.
func (d *Dir) Keyspace() string { return d.keyspace }

// File returns the absolute path of a file given relative to the directory,
// such as [Shard.File].
func (d *Dir) File(rel string) string { return filepath.Join(d.path, filepath.FromSlash(rel)) }

// CatalogFile returns the absolute path of the catalog's database.
func (d *Dir) CatalogFile() string { return d.File(d.folder() + catalogFile) }

// RedoFile returns the absolute path of the redo log that the shards share.
func (d *Dir) RedoFile() string { return d.File(d.folder() + redoFile) }

// Fresh says that the directory is being created: Ready has not been called
// yet, neither now nor by an earlier process.
func (d *Dir) Fresh() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.marker.Phase == phaseCreating
}

// State returns the keyspaces that the directory has files for. Whatever else
// a state holds is in the catalog.
func (d *Dir) State() *State {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &State{Keyspaces: cloneKeyspaces(d.marker.Keyspaces), Auto: true}
}

// Ready ends the creation: every database exists and the catalog has been
// initialised. It must return before the first caller's data is stored, since
// an unfinished creation is thrown away by the next OpenDir. On a directory that
// is ready it does nothing.
func (d *Dir) Ready() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.marker.Phase == phaseReady {
		return nil
	}
	return d.advance(d.marker.Keyspaces)
}

// SetKeyspaces replaces the list of keyspaces and their files, whole or not at
// all, for CREATE DATABASE. Every file must exist already; files
// that are no longer listed stay where they are, and are the caller's to remove.
func (d *Dir) SetKeyspaces(ks []Keyspace) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := checkKeyspaces(ks)
	if err == nil && !d.served {
		err = checkWhole(ks)
	}
	if err != nil {
		return fmt.Errorf("data directory %s: %w", d.path, err)
	}
	return d.advance(cloneKeyspaces(ks))
}

// advance writes a marker in phase ready; the caller holds mu.
func (d *Dir) advance(ks []Keyspace) error {
	if d.lock == nil {
		return fmt.Errorf("data directory %s is closed", d.path)
	}
	m := d.marker
	m.Phase, m.Keyspaces = phaseReady, ks
	return d.replace(m)
}

// replace writes another marker; the caller holds mu.
func (d *Dir) replace(m marker) error {
	if err := d.checkFiles(m); err != nil {
		return err
	}
	// The databases' names must be durable before the marker that lists them.
	folders := map[string]bool{d.path: true, filepath.Dir(d.File(folderOf(m.Generation) + catalogFile)): true}
	for _, k := range m.Keyspaces {
		for _, s := range k.Shards {
			folders[filepath.Dir(d.File(s.File))] = true
		}
	}
	for f := range folders {
		if err := d.disk.SyncDir(f); err != nil {
			return fmt.Errorf("data directory %s: %w", d.path, err)
		}
	}
	if err := m.write(d.disk, d.path); err != nil {
		return fmt.Errorf("data directory %s: can't write %s: %w", d.path, markerFile, err)
	}
	d.marker = m
	return nil
}

// Close releases the lock. Whoever uses the files must be done with them. A
// second Close does nothing.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lock == nil {
		return nil
	}
	// While the lock is held: afterwards the file is the next holder's.
	_ = d.disk.Remove(d.File(holderFile))
	err := d.lock.Close()
	d.lock = nil
	return err
}
