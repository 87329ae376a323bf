package tabletserver

import (
	"runtime"
	"strconv"
	"time"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/waits"
)

// Synchronous says when a commit is durable.
type Synchronous string

// The levels, with SQLite's meaning for a write-ahead log.
const (
	Full   Synchronous = "full"   // a commit survives power loss
	Normal Synchronous = "normal" // power loss may undo the last commits; nothing is damaged
	Off    Synchronous = "off"    // power loss may damage the file
)

// Limits bound what a statement may have; 0 leaves SQLite's own limit.
type Limits = sqlite.Limits

// Config says what a tablet serves and how. The zero value of each field but
// Target is a usable default.
type Config struct {
	// Target names the shard; it goes into every error.
	Target tablet.Target
	// Path is the database file, which is created when it isn't there. "" and
	// ":memory:" keep the shard in memory.
	Path string
	// Disk is the file system that Path is on; nil is the operating system's.
	Disk disk.FS
	// ReadOnly refuses every write.
	ReadOnly bool
	// Synchronous defaults to Full.
	Synchronous Synchronous
	// CacheKiB bounds the page cache of each connection; default 8192.
	CacheKiB int
	// MaxMemory bounds what each connection allocates, in bytes; default
	// 1 GiB, at most 4 GiB.
	MaxMemory int64
	// MaxReaders is the number of reading connections that are kept. More are
	// opened while all of them are held for long, and closed again. Default:
	// GOMAXPROCS, but at least 4.
	MaxReaders int
	// LockWait bounds the wait for the write lock; default 10 s.
	LockWait time.Duration
	// Waits is what this tablet and those that it lives with have in common, to see
	// who waits for whom. Without it every transaction is taken for one that waits
	// elsewhere too.
	Waits *waits.Graph
	// NoForeignKeys leaves the foreign keys of all tables unchecked, and their
	// actions undone.
	NoForeignKeys bool
	// Statements bounds the prepared statements that each connection keeps;
	// default 128.
	Statements int
	// CheckpointPages is the length of the write-ahead log, in pages, that
	// starts a checkpoint; default 1000.
	CheckpointPages int
	// MaxRedoBytes bounds what a transaction keeps in memory for Prepare: 16 bytes
	// per value beside the texts' and blobs' own. A larger one can be committed,
	// but not prepared. Default 256 MiB.
	MaxRedoBytes int64

	// Engine keeps the rows, when SQLite in this process doesn't; nothing that is about
	// files or memory has a meaning then.
	Engine Engine
	// Plain leaves out the SQL functions of ours, and Limits bound what a statement
	// may have, as engines elsewhere do.
	Plain  bool
	Limits Limits
	// Guard refuses statements that reach beyond the shard's own tables and views:
	// files, settings of connections, the tablet's own tables. It is for tablets
	// whose clients are elsewhere.
	Guard bool

	// Remember is how long the tablet remembers, at least, what it was told to
	// remember, see tablet.Memory; 0 remembers nothing.
	Remember time.Duration

	// Replays makes a prepared transaction be rolled back in the engine, and be
	// replayed from its redo when it commits, as for engines that can't hold one
	// open. The promise is the same; a commit costs its statements twice.
	Replays bool
	// Peer finds another shard's tablet, to settle the transactions that are
	// prepared or decided here when their coordinator is silent. Without it
	// somebody else must, by the calls of tablet.Resolver.
	Peer func(tablet.Target) (tablet.Resolver, error)
	// AskAfter is how long a coordinator may be silent; default 2 s.
	AskAfter time.Duration
}

func (c *Config) complete() error {
	switch c.Synchronous {
	case "":
		c.Synchronous = Full
	case Full, Normal, Off:
	default:
		return c.bad("synchronous is " + strconv.Quote(string(c.Synchronous)) + "; it must be full, normal or off")
	}
	for _, f := range []struct {
		name string
		v    int64
	}{
		{"cache size", int64(c.CacheKiB)}, {"memory limit", c.MaxMemory}, {"number of readers", int64(c.MaxReaders)},
		{"lock wait", int64(c.LockWait)}, {"number of statements", int64(c.Statements)},
		{"checkpoint size", int64(c.CheckpointPages)}, {"redo limit", c.MaxRedoBytes}, {"time to ask after", int64(c.AskAfter)},
		{"time to remember", int64(c.Remember)},
	} {
		if f.v < 0 {
			return c.bad(f.name + " is " + strconv.FormatInt(f.v, 10) + "; it must not be negative")
		}
	}
	if c.CacheKiB == 0 {
		c.CacheKiB = 8192
	}
	if c.MaxReaders == 0 {
		c.MaxReaders = max(4, runtime.GOMAXPROCS(0))
	}
	if c.LockWait == 0 {
		c.LockWait = 10 * time.Second
	}
	if c.CheckpointPages == 0 {
		c.CheckpointPages = 1000
	}
	if c.MaxRedoBytes == 0 {
		c.MaxRedoBytes = 256 << 20
	}
	if c.Engine != nil {
		c.Replays = true
	}
	if c.AskAfter == 0 {
		c.AskAfter = 2 * time.Second
	}
	return nil
}

func (c *Config) bad(msg string) error {
	return &tablet.Error{Code: tablet.CodeMisuse, Target: c.Target, Message: "tablet configuration: " + msg}
}

func (c *Config) inMemory() bool { return c.Path == "" || c.Path == ":memory:" }
