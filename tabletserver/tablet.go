package tabletserver

import (
	"context"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/waits"
)

// Tablet serves one shard's database in this process. It is safe for
// concurrent use, and must be the only one that writes to its file.
type Tablet struct {
	cfg     Config
	path    string
	memory  *sqlite.Memory // when the shard lives in memory
	caps    tablet.Capabilities
	readers pool
	queue   *waits.Queue
	writer  *conn // belongs to the holder of the queue

	commits commitCounter
	// checkpointing makes readers end their sticky transactions.
	checkpointing atomic.Bool
	// checkpointAt is the log's length, in pages, that starts a checkpoint. It
	// belongs to the holder of the queue.
	checkpointAt    int
	checkpointFails int // in a row
	// marked says that the table of markers exists. The holder of the queue
	// has it.
	marked bool
	// last is the distributed transaction that was the last to commit, "" after
	// another commit; index is the log's index. The holder of the queue has them.
	last    string
	index   *os.File
	durable logDurability
	// schema is the committed version of the schema, 0 when it is to be read
	// anew. The holder of the queue has it.
	schema uint64
	// moving is held while a commit changes the schema's version in an Engine;
	// version is the committed one there, 0 when it is to be read anew.
	moving  sync.RWMutex
	version atomic.Uint64
	// requests says where names are kept. The holder of the queue has it.
	requests requests

	forget    forgetList
	doubt     doubt
	decisions decisions
	resolver  resolver
	stop      atomic.Bool
	closing   sync.Once
	gone      chan struct{}
}

var _ tablet.Tablet = (*Tablet)(nil)

// Open opens the tablet, creating its database if need be. ctx governs the
// opening only.
func Open(ctx context.Context, cfg Config) (*Tablet, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	t := &Tablet{cfg: cfg, path: cfg.Path, queue: cfg.Waits.Queue(), checkpointAt: math.MaxInt, gone: make(chan struct{})}
	t.readers = pool{t: t, max: cfg.MaxReaders, all: map[*conn]struct{}{}}
	if cfg.Engine == nil && cfg.inMemory() {
		t.memory = sqlite.NewMemory()
		t.path = t.memory.Path()
	}
	if t.onFile() {
		// A log that is there was left by a process that was killed.
		_, err := os.Stat(t.path + "-wal")
		t.durable.unsynced = err == nil
	}
	w, err := t.open(ctx)
	if err == nil {
		t.writer = w
		t.resolver.ctx, t.resolver.cancel = context.WithCancel(context.Background())
		err = t.prepareFile(w)
	}
	if err == nil {
		err = t.loadDecisions(ctx)
	}
	if err == nil {
		err = t.recoverDoubt(ctx)
	}
	if err != nil {
		if w != nil {
			t.resolver.close()
			t.readers.close()
			w.close()
			t.closeDoubt()
		}
		if t.memory != nil {
			t.memory.Close()
		}
		if cfg.Engine != nil {
			_ = cfg.Engine.Close()
		}
		return nil, t.at(err)
	}
	t.commits.settle() // what opening has written, such as that there is a log, shows by now
	if cfg.Engine != nil {
		t.caps = cfg.Engine.Capabilities()
		return t, nil
	}
	t.caps = tablet.Capabilities{
		Dialect:          "sqlite",
		MySQLFunctions:   !cfg.Plain,
		TransactionalDDL: true,
		HeldPrepare:      !cfg.Replays,
		ConcurrentReads:  true,
		MaxParameters:    w.file.MaxParameters(),
		MaxStatement:     cfg.Limits.Bytes,
		MaxColumns:       cfg.Limits.Columns,
		MaxTerms:         cfg.Limits.Terms,
		MaxDepth:         cfg.Limits.Depth,
		Snapshots:        true,
		Moments:          true,
	}
	return t, nil
}

// open opens one more connection.
func (t *Tablet) open(ctx context.Context) (*conn, error) {
	if t.cfg.Engine != nil {
		return t.connect(ctx)
	}
	o := sqlite.Options{
		MaxMemory:    t.cfg.MaxMemory,
		CacheKiB:     t.cfg.CacheKiB,
		Statements:   t.cfg.Statements,
		TempInMemory: true,
		NoFunctions:  t.cfg.Plain,
		Limits:       t.cfg.Limits,
		NoCreate:     t.cfg.ReadOnly,
		Stop:         &t.stop,
		Guard:        t.cfg.Guard,
		VFS:          disk.Or(t.cfg.Disk).Engine(),
	}
	sc, err := sqlite.Open(ctx, t.path, o)
	if t.cfg.ReadOnly && err != nil && !t.cfg.inMemory() && tablet.CodeOf(err) != tablet.CodeCorrupt {
		// A file on read-only media can't be opened for writing at all.
		o.ReadOnly = true
		sc, err = sqlite.Open(ctx, t.path, o)
	}
	if err != nil {
		return nil, t.openError(err)
	}
	c := &conn{c: local{sc}, file: sc}
	script := "PRAGMA synchronous=" + string(t.cfg.Synchronous) + "; PRAGMA busy_timeout=" +
		strconv.FormatInt(t.cfg.LockWait.Milliseconds(), 10) + ";"
	if t.cfg.NoForeignKeys {
		script += foreignKeysOff + ";"
	}
	if t.cfg.ReadOnly {
		script += "PRAGMA query_only=ON;"
	}
	if err := sc.Script(script); err != nil {
		_ = sc.Close()
		return nil, err
	}
	c.hook(t)
	return c, nil
}

// prepareFile makes the database ready for readers beside a writer.
func (t *Tablet) prepareFile(w *conn) error {
	if !t.onFile() || t.cfg.ReadOnly {
		return nil
	}
	if w.file.ReadOnlyFile() {
		return &tablet.Error{Code: tablet.CodeTxReadOnly,
			Message: "database file " + strconv.Quote(t.path) + " can't be written to; change its permissions or open the tablet read-only"}
	}
	rows, err := w.c.QueryAll(context.Background(), "PRAGMA journal_mode=WAL")
	if err != nil {
		return err
	}
	if len(rows) != 1 || rows[0][0] != "wal" {
		return &tablet.Error{Code: tablet.CodeIO,
			Message: "database file " + strconv.Quote(t.path) + " can't be switched to a write-ahead log; its file system lacks shared memory or locks"}
	}
	t.checkpointAt = t.cfg.CheckpointPages
	return nil
}

// openError says which file it was, and finds out why SQLite says no more than
// "unable to open database file".
func (t *Tablet) openError(err error) error {
	var e *tablet.Error
	if !errors.As(err, &e) || t.memory != nil {
		return err
	}
	e.Message = "database file " + strconv.Quote(t.path) + ": " + e.Message
	if e.Code == tablet.CodeIO {
		if _, serr := os.Stat(t.path); serr != nil && !(os.IsNotExist(serr) && !t.cfg.ReadOnly) {
			e.Message += ": " + serr.Error()
		}
		if strings.Contains(t.path, string(os.PathSeparator)) {
			dir := t.path[:strings.LastIndexByte(t.path, os.PathSeparator)+1]
			if _, derr := os.Stat(dir); derr != nil {
				e.Message += ": " + derr.Error()
			}
		}
	}
	return err
}

// onFile says whether the database is a file that this process keeps.
func (t *Tablet) onFile() bool { return t.cfg.Engine == nil && t.memory == nil }

// Target says which shard this is.
func (t *Tablet) Target() tablet.Target { return t.cfg.Target }

// Capabilities says what the engine can do.
func (t *Tablet) Capabilities() tablet.Capabilities { return t.caps }

// Ping reads from the database.
func (t *Tablet) Ping(ctx context.Context) error {
	rows, err := t.Query(ctx, &tablet.Query{SQL: "SELECT 1 FROM sqlite_schema LIMIT 1"})
	if err != nil {
		return err
	}
	return rows.Close()
}

// Close interrupts what runs, rolls back what is open and frees every
// connection. Streams and transactions that are still held fail with
// CodeClosed. It may be called more than once.
func (t *Tablet) Close() error {
	t.closing.Do(func() {
		defer close(t.gone)
		t.dropDecisions()
		t.stop.Store(true)
		t.queue.Close()
		t.resolver.close()
		t.readers.close()
		// The last connection to go checkpoints the log and removes it.
		t.writer.close()
		t.closeDoubt()
		if t.index != nil {
			_ = t.index.Close()
		}
		if t.memory != nil {
			t.memory.Close()
		}
		if t.cfg.Engine != nil {
			_ = t.cfg.Engine.Close()
		}
	})
	<-t.gone
	return nil
}

// Begin starts a transaction.
func (t *Tablet) Begin(ctx context.Context, opts tablet.TxOptions) (tablet.Tx, error) {
	if t.stop.Load() {
		return nil, t.at(errClosed())
	}
	if err := ctx.Err(); err != nil {
		return nil, t.at(canceled(err))
	}
	if opts.LockWait <= 0 {
		opts.LockWait = t.cfg.LockWait
	}
	x := &Tx{t: t, opts: opts}
	if opts.NoForeignKeys && !opts.Write {
		return nil, t.at(misuse("a transaction without foreign keys must take the write lock from the start"))
	}
	if opts.Write {
		if opts.ReadOnly {
			return nil, t.at(misuse("a transaction was asked to be read-only and to take the write lock"))
		}
		if err := x.startWrite(ctx); err != nil {
			return nil, t.at(err)
		}
	}
	return x, nil
}
