package sqlite

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3/vfs"
)

// The engine waits for the disk at the end of every commit, or of none: the level
// can't be changed in a transaction. To let one commit do without, a file system
// of ours stands between the engine and the one below it. Only the write-ahead
// log's files are wrapped.

// logSync belongs to one connection: how its log is made durable.
type logSync struct {
	skip   bool   // the commit that runs doesn't wait
	header bool   // the log's header was written and isn't durable yet
	frames bool   // and frames behind it
	failed bool   // the disk has refused once
	shows  func() // to be called when the commit that runs is durable
}

// show is called when a commit is about to show.
func (s *logSync) show() {
	if f := s.shows; f != nil {
		s.shows = nil
		f()
	}
}

// Connections by the name that their files are opened with.
var (
	logSyncs   sync.Map // string → *logSync
	logSyncSeq atomic.Int64
	logSystems sync.Map // the names of file systems that are wrapped
)

const (
	logSystemPrefix = "vitessdo-log-"
	logSyncParam    = "vitessdo"
)

// newLogSync names a connection that is about to be opened, and the file system
// to open it with.
func newLogSync(below string) (s *logSync, id, system string) {
	system = logSystemPrefix + below
	if _, ok := logSystems.LoadOrStore(system, true); !ok {
		vfs.Register(system, logSystem{below})
	}
	s, id = &logSync{}, strconv.FormatInt(logSyncSeq.Add(1), 10)
	logSyncs.Store(id, s)
	return s, id, system
}

// logSystem wraps the file system of that name, which may come and go.
type logSystem struct{ below string }

var _ vfs.VFSFilename = logSystem{}

// system finds what is below.
func (l logSystem) system() vfs.VFSFilename {
	s, _ := vfs.Find(l.below).(vfs.VFSFilename)
	return s
}

func (l logSystem) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return l.system().Open(name, flags)
}

func (l logSystem) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, out, err := l.system().OpenFilename(name, flags)
	if err != nil || flags&vfs.OPEN_WAL == 0 {
		return f, out, err
	}
	if s, ok := logSyncs.Load(name.URIParameter(logSyncParam)); ok {
		f = &logFile{File: f, s: s.(*logSync)}
	}
	return f, out, nil
}

func (l logSystem) Delete(name string, syncDir bool) error { return l.system().Delete(name, syncDir) }
func (l logSystem) FullPathname(name string) (string, error) {
	return l.system().FullPathname(name)
}
func (l logSystem) Access(name string, flags vfs.AccessFlag) (bool, error) {
	return l.system().Access(name, flags)
}

// logFile is the write-ahead log as one connection has it open.
type logFile struct {
	vfs.File
	s *logSync
}

func (f *logFile) WriteAt(b []byte, off int64) (int, error) {
	f.s.frames = off != 0
	if off == 0 {
		f.s.header = true
	}
	return f.File.WriteAt(b, off)
}

// Sync always makes a new header durable: frames that a log has under an older
// one would be read again if it were lost. The header is synced before frames are
// written; the sync behind them is the last thing that a commit does to the log.
func (f *logFile) Sync(flags vfs.SyncFlag) error {
	if !f.s.skip || f.s.header {
		if err := f.File.Sync(flags); err != nil {
			f.s.failed = true
			return err
		}
		f.s.header = false
	}
	if f.s.frames {
		f.s.show()
	}
	return nil
}

// CommitUnsynced commits the open transaction, visibly to all, without waiting
// for the disk, whatever the level of synchronous. A later commit that waits, a
// checkpoint or a sync of the log's file makes it durable as well.
func (c *Conn) CommitUnsynced() error {
	if c.sync != nil {
		c.sync.skip = true
		defer func() { c.sync.skip = false }()
	}
	return c.Control("COMMIT")
}

// TakeSyncFailure says whether the disk has failed to make the log durable since
// it was asked last. What was written before may be lost then, though later
// attempts succeed.
func (c *Conn) TakeSyncFailure() bool {
	if c.sync == nil || !c.sync.failed {
		return false
	}
	c.sync.failed = false
	return true
}
