package vitessdo

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
	"github.com/vitessdo/vitessdo/tabletserver/waits"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/twopc"
)

// embedded is a database whose tablets are in this process: a directory, whose
// shards share a redo log, or memory.
type embedded struct {
	cfg     *Config
	dir     *topo.Dir    // nil in memory
	redo    *redolog.Log // nil in memory
	reserve *reserve     // nil in memory
	decide  *decisions
	ages    atomic.Uint64
	waits   *waits.Graph

	mu      sync.Mutex // guards what follows; a map or list that was stored isn't changed
	catalog *tabletserver.Tablet
	tablets map[string][]*tabletserver.Tablet
	// dropped names the keyspaces, in lower case, that this process has dropped.
	dropped map[string]bool
}

var _ place = (*embedded)(nil)

func newEmbedded(cfg *Config, dir *topo.Dir) *embedded {
	return &embedded{cfg: cfg.Clone(), dir: dir, waits: waits.New()}
}

// openDirectory opens the directory that cfg names, or joins this process's other
// openers of it.
func openDirectory(ctx context.Context, cfg *Config) (*cluster, error) {
	key, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, errorFrom(CodeTopology, err, "data directory %s: %v", cfg.Dir, err)
	}
	if real, err := filepath.EvalSymlinks(key); err == nil {
		key = real
	}
	clusters.Lock()
	defer clusters.Unlock()
	if c := clusters.open[key]; c != nil {
		return c, c.join(cfg)
	}
	first, several := firstKeyspace(cfg)
	dir, err := topo.OpenDir(cfg.Dir, topo.DirOptions{Shards: cfg.Shards, Keyspace: cfg.Keyspace, Default: first, Disk: cfg.disk, Elsewhere: cfg.Storage != nil})
	if err == nil && several != nil && dir.Fresh() {
		err = errors.Join(several, dir.Close())
	}
	if err != nil {
		return nil, mapError(err)
	}
	c, err := newCluster(ctx, cfg, newEmbedded(cfg, dir))
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(key); err == nil {
		key = real
	}
	c.key = key
	clusters.open[key] = c
	return c, nil
}

// String implements place.
func (e *embedded) String() string {
	if e.dir == nil {
		return "in memory"
	}
	return "in directory " + e.cfg.Dir
}

// check implements place.
func (e *embedded) check(cfg *Config) error {
	if cfg.Synchronous != e.cfg.Synchronous {
		return newError(CodeDSN, "directory %s is open in this process with synchronous=%s; it can't be opened with synchronous=%s beside that", cfg.Dir, e.cfg.Synchronous, cfg.Synchronous)
	}
	if (cfg.ForeignKeys == "off") != (e.cfg.ForeignKeys == "off") {
		return newError(CodeDSN, "directory %s is open in this process with foreign_keys=%s; it can't be opened with foreign_keys=%s beside that", cfg.Dir, e.cfg.ForeignKeys, cfg.ForeignKeys)
	}
	if cfg.Engine != e.cfg.Engine {
		return newError(CodeDSN, "directory %s is open in this process with engine=%s; it can't be opened with engine=%s beside that", cfg.Dir, e.cfg.Engine, cfg.Engine)
	}
	return nil
}

// open implements place: it opens the tablets that the directory lists, and
// recovers what a crash has left.
func (e *embedded) open(ctx context.Context) (tablet.Tablet, error) {
	file := ""
	if e.dir != nil {
		file = e.dir.CatalogFile()
	}
	cat, err := e.openTablet(ctx, catalogTarget, file)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.catalog = cat
	e.mu.Unlock()
	if e.dir == nil {
		return cat, nil
	}
	for _, k := range e.dir.State().Keyspaces {
		if _, err := e.openKeyspace(ctx, &k); err != nil {
			return nil, err
		}
	}
	if err := e.settleApart(ctx); err != nil {
		return nil, err
	}
	return cat, e.recover(ctx)
}

// first implements place.
func (e *embedded) first(context.Context) (*topo.State, error) {
	if e.dir != nil {
		return e.dir.State(), nil
	}
	name := e.cfg.Keyspace
	if name == "" {
		var err error
		if name, err = firstKeyspace(e.cfg); err != nil {
			return nil, err
		}
	}
	return topo.Memory(e.cfg.Shards, name)
}

// begun implements place.
func (e *embedded) begun() error {
	if e.dir == nil {
		return nil
	}
	return e.dir.Ready()
}

func (e *embedded) openTablet(ctx context.Context, at tablet.Target, path string) (*tabletserver.Tablet, error) {
	c, err := tabletConfig(ctx, e.cfg, at, path)
	if err != nil {
		return nil, err
	}
	if e.dir != nil && e.cfg.Storage != nil && c.Engine == nil && at != catalogTarget && e.listed(at.Keyspace) {
		if err := e.dir.CheckFile(path); err != nil {
			return nil, mapError(err)
		}
	}
	c.Peer, c.Waits = e.peer, e.waits
	c.NoForeignKeys = e.cfg.ForeignKeys == "off"
	return tabletserver.Open(ctx, c)
}

// listed says whether the directory has shards of a keyspace.
func (e *embedded) listed(ks string) bool {
	return !e.dir.Fresh() && slices.ContainsFunc(e.dir.State().Keyspaces, func(k topo.Keyspace) bool { return k.Name == ks })
}

// tabletConfig is what the options say of a tablet in this process.
func tabletConfig(ctx context.Context, cfg *Config, at tablet.Target, path string) (tabletserver.Config, error) {
	level := tabletserver.Synchronous(cfg.Synchronous)
	if at == catalogTarget && level == tabletserver.Normal {
		level = tabletserver.Full // what it holds outlives the last commits: schema, blocks of sequences
	}
	c := tabletserver.Config{
		Target:      at,
		Path:        path,
		Disk:        cfg.disk,
		Synchronous: level,
		CacheKiB:    int(cfg.CacheSize >> 10),
		MaxMemory:   cfg.MaxMemory,
		MaxReaders:  cfg.MaxReaders,
		LockWait:    cfg.LockWaitTimeout,
	}
	if at != catalogTarget {
		c.MaxRedoBytes = cfg.MaxTransactionBytes
		engines[cfg.Engine](&c)
		if cfg.Storage != nil {
			var err error
			if c.Engine, err = cfg.Storage(ctx, at.Keyspace, at.Shard); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// openKeyspace opens a keyspace's tablets, all or none.
func (e *embedded) openKeyspace(ctx context.Context, k *topo.Keyspace) ([]*tabletserver.Tablet, error) {
	var list []*tabletserver.Tablet
	for _, s := range k.Shards {
		path := ""
		if e.dir != nil {
			path = e.dir.File(s.File)
		}
		t, err := e.openTablet(ctx, tablet.Target{Keyspace: k.Name, Shard: s.Name}, path)
		if err != nil {
			return nil, errors.Join(err, closeAll(list))
		}
		list = append(list, t)
	}
	e.keep(k.Name, list)
	return list, nil
}

// keep makes a keyspace's tablets known, or with nil, unknown.
func (e *embedded) keep(ks string, list []*tabletserver.Tablet) {
	e.mu.Lock()
	next := maps.Clone(e.tablets)
	delete(next, ks)
	if list != nil {
		if next == nil {
			next = map[string][]*tabletserver.Tablet{}
		}
		next[ks] = list
	}
	e.tablets = next
	e.mu.Unlock()
	e.reserve.resize(len(e.all()))
}

// kept gives a keyspace's tablets.
func (e *embedded) kept(ks string) []*tabletserver.Tablet {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tablets[ks]
}

// all gives every tablet, the catalog's first.
func (e *embedded) all() (out []*tabletserver.Tablet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.catalog != nil {
		out = append(out, e.catalog)
	}
	for _, list := range e.tablets {
		out = append(out, list...)
	}
	return out
}

func (e *embedded) each(f func(*tabletserver.Tablet) error) error {
	var errs []error
	for _, t := range e.all() {
		errs = append(errs, f(t))
	}
	return errors.Join(errs...)
}

func (e *embedded) find(ks, shard string) *tabletserver.Tablet {
	want := tablet.Target{Keyspace: ks, Shard: shard}
	for _, t := range e.all() {
		if t.Target() == want {
			return t
		}
	}
	return nil
}

func closeAll(list []*tabletserver.Tablet) error {
	var errs []error
	for _, t := range list {
		errs = append(errs, t.Close())
	}
	return errors.Join(errs...)
}

func asTablets(list []*tabletserver.Tablet) []tablet.Tablet {
	out := make([]tablet.Tablet, len(list))
	for i, t := range list {
		out[i] = t
	}
	return out
}

// reach implements place.
func (e *embedded) reach(ctx context.Context, k *topo.Keyspace) ([]tablet.Tablet, error) {
	if list := e.kept(k.Name); list != nil {
		return asTablets(list), nil
	}
	list, err := e.openKeyspace(ctx, k)
	return asTablets(list), err
}

// create implements place: first come the databases, then the directory's list of
// files. What a crash leaves that isn't in the catalog is removed by prune.
func (e *embedded) create(ctx context.Context, k *topo.Keyspace) (_ []tablet.Tablet, undo func() error, err error) {
	var before []topo.Keyspace
	if e.dir != nil {
		// A dropped one of that name may have left its files.
		if err := e.unlist(k.Name); err != nil {
			return nil, nil, err
		}
		if err := e.dir.Prepare(k); err != nil {
			return nil, nil, errorFrom(CodeTopology, err, "%v", err)
		}
		before = e.dir.State().Keyspaces
	}
	undo = func() error {
		list := e.kept(k.Name)
		e.keep(k.Name, nil)
		err := closeAll(list)
		if e.dir != nil {
			err = errors.Join(err, e.dir.SetKeyspaces(before), e.dir.RemoveFiles(*k))
		}
		return err
	}
	list, err := e.openKeyspace(ctx, k)
	if err == nil {
		err = e.markDone(ctx, k.Name, list)
	}
	if err == nil && e.dir != nil {
		if err = e.dir.SetKeyspaces(append(slices.Clone(before), *k)); err != nil {
			err = errorFrom(CodeTopology, err, "%v", err)
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, undo())
	}
	return asTablets(list), undo, nil
}

// markDone keeps what the redo log still holds for a dropped keyspace of the
// same name from being replayed into the new one after a crash.
func (e *embedded) markDone(ctx context.Context, ks string, list []*tabletserver.Tablet) error {
	e.mu.Lock()
	dropped := e.dropped[strings.ToLower(ks)]
	e.mu.Unlock()
	if e.redo == nil || !dropped {
		return nil
	}
	for _, dtid := range e.redo.DTIDs() {
		for _, t := range list {
			at := t.Target()
			x, err := t.Load(ctx, dtid, tablet.Redo{Keyspace: at.Keyspace, Shard: at.Shard})
			if err == nil {
				err = x.CommitPrepared(ctx)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// drop implements place: the directory's list goes first, then the files.
func (e *embedded) drop(_ context.Context, k *topo.Keyspace) error {
	ks := k.Name
	list := e.kept(ks)
	e.keep(ks, nil)
	e.mu.Lock()
	if e.dropped == nil {
		e.dropped = map[string]bool{}
	}
	e.dropped[strings.ToLower(ks)] = true
	e.mu.Unlock()
	return errors.Join(closeAll(list), e.unlist(ks))
}

// unlist takes a keyspace that the catalog doesn't have off the directory.
func (e *embedded) unlist(ks string) error {
	if e.dir == nil {
		return nil
	}
	all := e.dir.State().Keyspaces
	i := slices.IndexFunc(all, func(k topo.Keyspace) bool { return strings.EqualFold(k.Name, ks) })
	if i < 0 {
		return nil
	}
	gone := all[i]
	if err := e.dir.SetKeyspaces(slices.Delete(all, i, i+1)); err != nil {
		return errorFrom(CodeTopology, err, "%v", err)
	}
	return e.dir.RemoveFiles(gone)
}

// prune implements place: the files of keyspaces that a crash has left half created
// or half dropped are listed.
func (e *embedded) prune(has func(ks string) bool) error {
	if e.dir == nil {
		return nil
	}
	for _, k := range e.dir.State().Keyspaces {
		if has(k.Name) {
			continue
		}
		list := e.kept(k.Name)
		e.keep(k.Name, nil)
		if err := errors.Join(closeAll(list), e.unlist(k.Name)); err != nil && !errors.Is(err, syscall.ENOSPC) {
			return err
		}
	}
	return nil
}

// log implements place.
func (e *embedded) log() twopc.Log {
	if e.redo == nil {
		return twopc.Memory
	}
	return e.decide
}

// makeRoom implements place.
func (e *embedded) makeRoom() bool { return e.reserve != nil && e.reserve.giveUp() }

// transactions implements place.
func (e *embedded) transactions() (out []info.Transaction) {
	if e.redo == nil {
		return nil
	}
	for _, x := range e.redo.Transactions() {
		state := statePrepare
		if x.Decided {
			state = stateCommit
		}
		out = append(out, info.Transaction{DTID: x.DTID, State: state, Since: x.Since, Participants: shardsOf(x.Participants)})
	}
	return out
}

// nextAge implements place.
func (e *embedded) nextAge() uint64 { return e.ages.Add(1) }

// scattered implements place.
func (e *embedded) scattered() bool { return false }

// close implements place.
func (e *embedded) close() error {
	errs := []error{e.each((*tabletserver.Tablet).Close)}
	if e.redo != nil {
		errs = append(errs, e.redo.Close())
	}
	if e.dir != nil {
		errs = append(errs, e.dir.Close())
	}
	return errors.Join(errs...)
}
