package reshard

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
	"github.com/vitessdo/vitessdo/topo"
)

const (
	journalFile = "reshard.json"
	purpose     = "vitessdo reshard"
)

// journal stands in the next generation's folder: what is being made there, and what
// of.
type journal struct {
	Wanted     [][]string                   `json:"wanted"` // of each keyspace: its name and its shards
	UniqueKeys string                       `json:"unique_keys"`
	Vindexes   map[string]map[string]string `json:"vindexes"`
	Files      []stamp                      `json:"files"`
	Verified   []Keyspace                   `json:"verified"` // what was found, once old and new agree
}

// stamp tells whether a file is still as it was.
type stamp struct {
	File string `json:"file"`
	Size int64  `json:"size"`
	Time int64  `json:"time"` // nanoseconds
	Head string `json:"head"` // a hash of SQLite's header, which counts changes
}

// stampOf looks at a file; a missing one is as an empty one.
func stampOf(dir *topo.Dir, file string) (s stamp, err error) {
	s.File = file
	f, err := os.Open(dir.File(file))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return s, err
	}
	head, err := io.ReadAll(io.LimitReader(f, 100))
	sum := sha256.Sum256(head)
	s.Size, s.Time, s.Head = info.Size(), info.ModTime().UnixNano(), hex.EncodeToString(sum[:8])
	return s, err
}

// stamps looks at all files that hold the directory's content.
func stamps(dir *topo.Dir) ([]stamp, error) {
	list := []string{dir.CatalogFile(), dir.RedoFile()}
	for _, k := range dir.State().Keyspaces {
		for _, s := range k.Shards {
			list = append(list, dir.File(s.File))
		}
	}
	var out []stamp
	for _, f := range list {
		rel, err := filepath.Rel(dir.Path(), f)
		if err != nil {
			return nil, err
		}
		for _, end := range []string{"", "-wal", "-redo"} {
			s, err := stampOf(dir, filepath.ToSlash(rel)+end)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// open locks the directory, and says whether there is an interrupted run to go on
// with. Else it has settled what the directory had to settle. aside is where an
// earlier run has now put what it replaced.
func (m *mover) open(ctx context.Context) (resumed bool, aside string, err error) {
	if err = m.lock(); err != nil {
		return false, "", err
	}
	if aside, err = m.dir.SetAside(); err != nil {
		return false, "", err
	}
	if m.journal, err = m.readJournal(); err != nil || m.journal != nil {
		return m.journal != nil, aside, err
	}
	if err = m.dir.Close(); err != nil {
		return false, "", err
	}
	m.dir = nil
	if err = settle(ctx, m.o.Dir); err != nil {
		return false, "", err
	}
	reach(Settled)
	if err = m.lock(); err != nil {
		return false, "", err
	}
	left, err := redolog.Read(m.dir.RedoFile())
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("data directory %s: transaction %s isn't settled yet; try again", m.dir.Path(), left[0].DTID)
	}
	return false, aside, err
}

func (m *mover) lock() (err error) {
	m.dir, err = topo.OpenDir(m.o.Dir, topo.DirOptions{MustExist: true, Disk: m.disk, Purpose: purpose})
	if err == nil && (m.dir.Fresh() || len(m.dir.State().Keyspaces) == 0) {
		err = fmt.Errorf("data directory %s holds no database yet", m.dir.Path())
	}
	return err
}

// settle opens the directory as a database, which brings what a crash has left to its
// end, and closes it. What can't be settled here is refused.
func settle(ctx context.Context, dir string) (err error) {
	cfg := vitessdo.NewConfig()
	cfg.Dir = dir
	connector, err := vitessdo.NewConnector(cfg)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	keyspaces, err := firstColumn(ctx, conn, "SHOW VITESS_KEYSPACES")
	if err != nil {
		return err
	}
	for _, ks := range keyspaces {
		left, err := firstColumn(ctx, conn, "SHOW UNRESOLVED TRANSACTIONS FOR `"+strings.ReplaceAll(ks, "`", "``")+"`")
		if err != nil {
			return err
		}
		if len(left) > 0 {
			return fmt.Errorf("transaction %s over shards of keyspace %s isn't settled, as a shard of another server or a full disk is in the way; "+
				"SHOW UNRESOLVED TRANSACTIONS tells of it, and resharding can begin when it is gone", left[0], ks)
		}
	}
	return nil
}

func firstColumn(ctx context.Context, conn *sql.Conn, query string) (out []string, err error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	dest := make([]any, len(columns))
	for i := range dest {
		dest[i] = new(any)
	}
	var first sql.NullString
	dest[0] = &first
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		out = append(out, first.String)
	}
	return out, rows.Err()
}

func (m *mover) journalPath() string { return m.dir.File(path.Join(m.dir.NextFolder(), journalFile)) }

// finalJournal is where the journal is once the generation is the directory's.
func (m *mover) finalJournal() string {
	return filepath.Join(filepath.Dir(m.dir.CatalogFile()), journalFile)
}

// readJournal gives that of an interrupted run that can be gone on with, or nil.
func (m *mover) readJournal() (*journal, error) {
	text, err := os.ReadFile(m.journalPath())
	if errors.Is(err, fs.ErrNotExist) || m.o.Restart {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	j := new(journal)
	if json.Unmarshal(text, j) != nil {
		return nil, nil
	}
	now, err := stamps(m.dir)
	if err != nil {
		return nil, err
	}
	want, err := m.wanted(m.dir.State())
	if err != nil {
		return nil, err
	}
	if j.UniqueKeys != m.o.UniqueKeys || !maps.EqualFunc(j.Vindexes, m.o.Vindexes, maps.Equal[map[string]string]) || !slices.Equal(now, j.Files) || !reflect.DeepEqual(j.Wanted, want) {
		return nil, nil
	}
	return j, nil
}

// begin writes the journal of a run.
func (m *mover) begin() error {
	if err := m.dir.RemoveNext(); err != nil {
		return err
	}
	for _, k := range m.plan.now.Keyspaces {
		for _, s := range k.Shards {
			if _, err := m.dir.NextFile(k.Name, s.Name); err != nil { // makes the folder
				return err
			}
		}
	}
	files, err := stamps(m.dir)
	if err != nil {
		return err
	}
	want, err := m.wanted(m.dir.State())
	if err != nil {
		return err
	}
	m.journal = &journal{Wanted: want, UniqueKeys: m.o.UniqueKeys, Vindexes: m.o.Vindexes, Files: files}
	if err := m.writeJournal(); err != nil {
		return err
	}
	reach(Begun)
	return nil
}

func (m *mover) writeJournal() error {
	text, err := json.MarshalIndent(m.journal, "", "  ")
	if err != nil {
		return err
	}
	return disk.Replace(m.disk, m.journalPath(), text, 0o600)
}
