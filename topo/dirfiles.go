package topo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/internal/disk"
)

// MarkerFile is there in every data directory, and in no other.
const MarkerFile = markerFile

// The names in a data directory.
const (
	markerFile  = "vitessdo.json"
	lockFile    = "LOCK"
	holderFile  = "holder.json"
	catalogFile = "catalog.db"
	redoFile    = "redo.log"
)

// shardFile names a shard's database, relative to the directory. Windows gives
// some names to devices and most systems there and on macOS ignore case; a "~",
// which no keyspace name has, keeps such keyspaces apart.
func shardFile(keyspace, shard string) string {
	folder := strings.ToLower(keyspace)
	switch {
	case slices.Contains([]string{"con", "prn", "aux", "nul", strings.ToLower(lockFile)}, folder),
		len(folder) == 4 && (folder[:3] == "com" || folder[:3] == "lpt") && folder[3] >= '0' && folder[3] <= '9':
		folder += "~"
	}
	return folder + "/" + shard + ".db"
}

// listing is what a directory holds, sorted into kinds.
type listing struct {
	marker  bool
	ours    []string // names that only a vitessdo directory has, the marker and lock excepted
	foreign []string
}

func list(dir string) (listing, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return listing{}, err
	}
	var l listing
	for _, e := range entries {
		switch n := e.Name(); n {
		case markerFile:
			l.marker = true
		case catalogFile, redoFile:
			l.ours = append(l.ours, n)
		case lockFile, holderFile, markerFile + disk.TmpSuffix, holderFile + disk.TmpSuffix:
			// what creation leaves before the marker stands
		case "lost+found", ".DS_Store", "desktop.ini", "Thumbs.db", ".gitkeep", ".gitignore":
			// what systems and tools put into a directory that counts as empty
		default:
			if strings.HasPrefix(n, nextFolder) || strings.HasPrefix(n, asideFolder) {
				l.ours = append(l.ours, n)
				continue
			}
			l.foreign = append(l.foreign, n)
		}
	}
	return l, nil
}

func nameSome(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

const sqliteHeader = "SQLite format 3\x00"

// checkDatabase says what is wrong with a database file that must exist, or "".
func checkDatabase(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "is missing", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	var head [len(sqliteHeader)]byte
	switch n, err := io.ReadFull(f, head[:]); {
	case n == 0 && err == io.EOF:
		return "is empty", nil
	case err == io.ErrUnexpectedEOF || err == nil && string(head[:]) != sqliteHeader:
		return "is not a SQLite database", nil
	case err != nil:
		return "", err
	}
	return "", nil
}

// removeDatabase removes a database file and what SQLite and the tablet keep
// beside it.
func removeDatabase(d disk.FS, path string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal", "-redo"} {
		if err := d.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
