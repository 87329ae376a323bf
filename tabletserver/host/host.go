package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
	"github.com/vitessdo/vitessdo/tabletserver/waits"
	"github.com/vitessdo/vitessdo/topo"
)

// Catalog names the catalog's tablet.
var Catalog = tablet.Target{Keyspace: "_vt", Shard: "catalog"}

// Options says how a directory is kept. Dir is needed; the zero value of each
// other field is a usable default.
type Options struct {
	// Dir is the data directory. One that is missing or empty is made, without a
	// keyspace.
	Dir string
	// Disk is the file system that it is on; nil is the operating system's.
	Disk disk.FS
	// MaxOpen bounds the tablets that are open at once, beside the catalog and those
	// that another tablet needs to settle a transaction; default 256.
	MaxOpen int
	// OpenWait is how long a request waits when so many are in use; default 5 s.
	OpenWait time.Duration
	// Idle is how long a tablet stays open that nobody uses; default 5 minutes.
	Idle time.Duration
	// Tablet holds the options of every tablet; its Target, Path, Disk, Waits and Peer
	// are the host's.
	Tablet tabletserver.Config
	// Peer finds the tablets of other servers, to settle what they share with ours;
	// nil when there are none.
	Peer func(tablet.Target) (tablet.Resolver, error)
	// Logger gets what happens in the background; default slog.Default.
	Logger *slog.Logger
}

// Host keeps the tablets of a directory, which it has locked. It is safe for
// concurrent use.
type Host struct {
	opts    Options
	dir     *topo.Dir
	catalog *topo.Catalog
	cat     *tabletserver.Tablet
	waits   *waits.Graph

	view atomic.Pointer[view]
	ddl  sync.Mutex      // one change of keyspaces at a time
	made map[string]bool // keyspaces that this process has made shards of, until the catalog lists them; ddl guards it

	mu     sync.Mutex
	shards map[tablet.Target]*Shard // all that the directory lists, and the catalog
	open   int                      // tablets that are open, being opened or being closed
	freed  chan struct{}            // closed when one may have become idle
	closed bool
	opens  int64

	life context.Context
	die  context.CancelFunc
	work sync.WaitGroup
}

// ErrRedo says that the directory's shared redo log holds transactions of an
// embedded database, which must be opened as one first: that brings them to their
// end.
var ErrRedo = errors.New("the directory's redo log isn't empty; it must be opened as an embedded database first")

// Open locks the directory and opens its catalog.
func Open(ctx context.Context, opts Options) (h *Host, err error) {
	if opts.MaxOpen <= 0 {
		opts.MaxOpen = 256
	}
	if opts.OpenWait <= 0 {
		opts.OpenWait = 5 * time.Second
	}
	if opts.Idle <= 0 {
		opts.Idle = 5 * time.Minute
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	h = &Host{opts: opts, waits: waits.New(), shards: map[tablet.Target]*Shard{}, made: map[string]bool{}, freed: make(chan struct{})}
	h.life, h.die = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
			h = nil
		}
	}()
	if h.dir, err = topo.OpenDir(opts.Dir, topo.DirOptions{Served: true, Disk: opts.Disk}); err != nil {
		return h, err
	}
	if entries, err := redolog.Read(h.dir.RedoFile()); err != nil || len(entries) > 0 {
		return h, errors.Join(err, ErrRedo)
	}
	for _, k := range h.dir.State().Keyspaces {
		h.list(k)
	}
	cat := &Shard{h: h, target: Catalog, path: h.dir.CatalogFile()}
	h.shards[Catalog] = cat
	if h.cat, err = cat.enter(ctx, true); err != nil { // for good
		return h, err
	}
	if h.catalog, err = topo.NewCatalog(ctx, h.cat); err != nil {
		return h, err
	}
	if err = h.dir.Ready(); err != nil {
		return h, err
	}
	if _, err = h.look(ctx); err != nil {
		return h, err
	}
	h.work.Go(h.background)
	return h, nil
}

// list makes a keyspace's shards known.
func (h *Host) list(k topo.Keyspace) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range k.Shards {
		at := tablet.Target{Keyspace: k.Name, Shard: s.Name}
		h.shards[at] = &Shard{h: h, target: at, path: h.dir.File(s.File)}
	}
}

// Tablet gives a shard that is served. Any other is refused with WRONG_SHARD.
func (h *Host) Tablet(ctx context.Context, at tablet.Target) (*Shard, error) {
	v, err := h.look(ctx)
	if err != nil {
		return nil, err
	}
	if s := v.served[at]; s != nil {
		return s, nil
	}
	return nil, &tablet.Error{Code: tablet.CodeWrongShard, Target: at, Topology: v.version,
		Message: fmt.Sprintf("this server doesn't serve it, as of topology version %d; read the catalog anew", v.version)}
}

// peer finds a tablet, also one that isn't served any more: what it has decided
// holds.
func (h *Host) peer(at tablet.Target) (tablet.Resolver, error) {
	h.mu.Lock()
	s := h.shards[at]
	h.mu.Unlock()
	switch {
	case s != nil:
		return &peer{s}, nil
	case h.opts.Peer != nil:
		return h.opts.Peer(at)
	}
	return nil, fmt.Errorf("shard %s/%s isn't on this server", at.Keyspace, at.Shard)
}

// Stats counts what a host holds.
type Stats struct {
	Known     int   // shards with a file, the catalog among them
	Open      int   // tablets that are open
	Opens     int64 // how often one was opened
	Unsettled int   // open tablets with a distributed transaction that isn't settled
}

// Stats counts what the host holds now.
func (h *Host) Stats() Stats {
	h.mu.Lock()
	s := Stats{Known: len(h.shards), Open: h.open, Opens: h.opens}
	list := h.all()
	h.mu.Unlock()
	for _, x := range list {
		if x.unsettled() {
			s.Unsettled++
		}
	}
	return s
}

// all copies the list of shards; the caller holds mu.
func (h *Host) all() []*Shard {
	list := make([]*Shard, 0, len(h.shards))
	for _, s := range h.shards {
		list = append(list, s)
	}
	return list
}

// Dir is the directory's absolute path.
func (h *Host) Dir() string { return h.dir.Path() }

// Close closes all tablets and unlocks the directory. What is prepared stays so
// in the files.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	list := h.all()
	close(h.freed)
	h.mu.Unlock()
	h.die()
	h.work.Wait()
	var errs []error
	for _, s := range list {
		errs = append(errs, s.shut())
	}
	if h.dir != nil {
		errs = append(errs, h.dir.Close())
	}
	return errors.Join(errs...)
}

func errClosed(at tablet.Target) error {
	return &tablet.Error{Code: tablet.CodeClosed, Target: at, Message: "the server is closed"}
}

// Keyspaces counts the keyspaces that are there.
func (h *Host) Keyspaces(ctx context.Context) (int, error) {
	st, err := h.catalog.Load(ctx)
	if err != nil {
		return 0, err
	}
	return len(st.Keyspaces), nil
}
