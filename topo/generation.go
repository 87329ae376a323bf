package topo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/internal/disk"
)

// A directory's databases, the catalog and every shard, are a generation. The
// first lies in the directory itself. Resharding makes all of them anew in a folder
// beside it; the marker, which is replaced by one rename, says which generation is
// the database. So there is never a mix of the two.

// The folders of a generation, and of one that was put aside. No keyspace has a "~".
const (
	nextFolder  = "gen~"
	asideFolder = "before~"
	beforeFile  = "before.json" // in a generation's folder: what it has replaced
)

// folderOf is where a generation's databases are, relative to the directory and
// with a slash behind it; "" for the first.
func folderOf(generation int) string {
	if generation == 0 {
		return ""
	}
	return fmt.Sprintf("%s%d/", nextFolder, generation)
}

// Files says where the files of a directory are, which may be open: those of its
// shards, as "keyspace/shard", and those of the catalog and the redo log, by their
// names.
func Files(dir string) (map[string]string, error) {
	m, err := readMarker(dir)
	if err != nil {
		return nil, err
	}
	at := func(rel string) string { return filepath.Join(dir, filepath.FromSlash(rel)) }
	files := map[string]string{}
	for _, name := range []string{catalogFile, redoFile} {
		files[name] = at(folderOf(m.Generation) + name)
	}
	for _, k := range m.Keyspaces {
		for _, s := range k.Shards {
			files[k.Name+"/"+s.Name] = at(s.File)
		}
	}
	return files, nil
}

// Sizes gives, in bytes, the sizes of the databases of a data directory, wherever a
// resharding has put them, with what SQLite keeps beside them: those of shards by their
// names ("main/-80"), and those of catalog.db and redo.log. Without a directory there
// are none.
func Sizes(dir string) (map[string]int64, error) {
	if dir == "" {
		return nil, nil
	}
	files, err := Files(dir)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for name, path := range files {
		for _, suffix := range []string{"", "-wal"} {
			if st, err := os.Stat(path + suffix); err == nil {
				out[name] += st.Size()
			}
		}
	}
	return out, nil
}

func (d *Dir) folder() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return folderOf(d.marker.Generation)
}

// NextFolder is where the next generation's databases are to be made, relative to
// the directory. What is there already an interrupted attempt has left.
func (d *Dir) NextFolder() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.TrimSuffix(folderOf(d.marker.Generation+1), "/")
}

// NextPath names the file of a shard of the next generation, relative to the
// directory.
func (d *Dir) NextPath(keyspace, shard string) string {
	return path.Join(d.NextFolder(), shardFile(keyspace, shard))
}

// NextFile is NextPath, and makes the folder.
func (d *Dir) NextFile(keyspace, shard string) (string, error) {
	name := d.NextPath(keyspace, shard)
	if err := makeDir(d.disk, filepath.Dir(d.File(name))); err != nil {
		return "", fmt.Errorf("data directory %s: %w", d.path, err)
	}
	return name, nil
}

// NextCatalogFile is the absolute path of the next generation's catalog.
func (d *Dir) NextCatalogFile() string { return d.File(path.Join(d.NextFolder(), catalogFile)) }

// before is what a generation has replaced.
type before struct {
	Discard bool            `json:"discard"`
	Marker  json.RawMessage `json:"marker"`
}

// Switch makes the next generation the directory's, whole or not at all. Every
// database of it must exist, and its content be durable. What it replaces stays
// where it is until [Dir.SetAside]; with discard that will remove it.
func (d *Dir) Switch(ks []Keyspace, discard bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lock == nil {
		return fmt.Errorf("data directory %s is closed", d.path)
	}
	next := marker{Phase: phaseReady, Generation: d.marker.Generation + 1, Keyspaces: cloneKeyspaces(ks)}
	err := checkKeyspaces(next.Keyspaces)
	if err == nil {
		err = checkWhole(next.Keyspaces)
	}
	if err == nil {
		err = d.keepBefore(folderOf(next.Generation), discard)
	}
	if err != nil {
		return fmt.Errorf("data directory %s: %w", d.path, err)
	}
	return d.replace(next)
}

// keepBefore writes down what is to be set aside once the marker is another.
func (d *Dir) keepBefore(folder string, discard bool) error {
	text, err := d.marker.text()
	if err != nil {
		return err
	}
	if text, err = json.Marshal(before{Discard: discard, Marker: text}); err != nil {
		return err
	}
	return disk.Replace(d.disk, d.File(folder+beforeFile), text, 0o600)
}

// SetAside moves the generation that the directory's has replaced into a folder,
// which is a directory of its own and can be opened as it was, and returns that
// folder's absolute path; or it removes it, if that is what Switch was told, and
// returns "". It can be called at any time, and again when it was interrupted; with
// nothing to do it returns "".
func (d *Dir) SetAside() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	note := d.File(folderOf(d.marker.Generation) + beforeFile)
	text, err := os.ReadFile(note)
	if errors.Is(err, fs.ErrNotExist) || d.marker.Generation == 0 {
		return "", nil
	}
	var b before
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	var old marker
	if err == nil {
		old, err = parseMarker(b.Marker)
	}
	if err != nil {
		return "", fmt.Errorf("data directory %s: %s: %w", d.path, beforeFile, err)
	}
	aside := fmt.Sprintf("%s%d", asideFolder, d.marker.Generation)
	if b.Discard {
		aside = ""
	}
	if err := d.setAside(old, aside); err != nil {
		return "", fmt.Errorf("data directory %s: can't put aside what was replaced: %w", d.path, err)
	}
	if err := d.disk.Remove(note); err != nil || b.Discard {
		return "", err
	}
	return d.File(aside), d.disk.SyncDir(filepath.Dir(note))
}

// setAside moves a generation's files below a folder, where the first generation's
// would be; without one it removes them. Files that aren't there were moved before.
func (d *Dir) setAside(old marker, aside string) error {
	was := folderOf(old.Generation)
	files := []string{was + catalogFile, was + redoFile}
	for i := range old.Keyspaces {
		for j := range old.Keyspaces[i].Shards {
			s := &old.Keyspaces[i].Shards[j]
			files = append(files, s.File)
			s.File = strings.TrimPrefix(s.File, was)
		}
	}
	folders := map[string]bool{}
	for _, f := range files {
		to := ""
		if aside != "" {
			to = d.File(path.Join(aside, strings.TrimPrefix(f, was)))
			if err := makeDir(d.disk, filepath.Dir(to)); err != nil {
				return err
			}
			folders[filepath.Dir(to)] = true
		}
		if err := moveDatabase(d.disk, d.File(f), to); err != nil {
			return err
		}
		folders[filepath.Dir(d.File(f))] = true
	}
	if aside != "" {
		old.Generation = 0
		if err := old.write(d.disk, d.File(aside)); err != nil {
			return err
		}
	}
	return d.tidy(folders)
}

// tidy makes the names in folders durable, and removes those that are empty.
func (d *Dir) tidy(folders map[string]bool) error {
	list := make([]string, 0, len(folders))
	for f := range folders {
		list = append(list, f)
	}
	slices.Sort(list)
	slices.Reverse(list) // what is below comes first
	for _, f := range list {
		if err := d.disk.SyncDir(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if left, err := os.ReadDir(f); err == nil && len(left) == 0 && f != d.path {
			_ = d.disk.Remove(f)
		}
	}
	return d.disk.SyncDir(d.path)
}

// moveDatabase moves a database file with what SQLite and the tablet keep beside
// it, or removes it where to is "".
func moveDatabase(on disk.FS, from, to string) error {
	if to == "" {
		return removeDatabase(on, from)
	}
	// The file itself goes last: as long as it is there, nothing was finished.
	for _, suffix := range []string{"-wal", "-shm", "-journal", "-redo", ""} {
		if err := on.Rename(from+suffix, to+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// RemoveNext removes what an interrupted attempt to make another generation has
// left.
func (d *Dir) RemoveNext() error {
	root := d.File(d.NextFolder())
	var folders []string
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case e.IsDir():
			folders = append(folders, p)
			return nil
		}
		return d.disk.Remove(p)
	})
	for _, f := range slices.Backward(folders) {
		if err == nil {
			err = d.disk.Remove(f)
		}
	}
	if err != nil {
		return fmt.Errorf("data directory %s: can't remove what an interrupted attempt has left: %w", d.path, err)
	}
	return nil
}
