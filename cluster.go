package vitessdo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/foreign"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/twopc"
	"github.com/vitessdo/vitessdo/vschema"
)

// cluster is an open embedded database: its directory, catalog and tablets. The
// connections of all pools that have it open share it.
type cluster struct {
	cfg     *Config
	dir     *topo.Dir // nil in memory
	catalog *topo.Catalog
	catTab  *tabletserver.Tablet
	seqs    *topo.Sequences
	log     *redolog.Log // nil in memory
	tablets atomic.Pointer[tabletMap]
	state   atomic.Pointer[snapshot]
	plans   *planCache

	locks   namedLocks
	reserve *reserve // nil in memory
	decide  *decisions
	finish  finisher
	shows   showing
	life    context.Context // ends when the database is closed
	die     context.CancelFunc

	// ddl lets one schema change run at a time.
	ddl sync.Mutex
	// first is the keyspace of pools that name none; it isn't dropped.
	first string
	// dropped names the keyspaces, in lower case, that this process has dropped;
	// ddl guards it.
	dropped map[string]bool

	ages  atomic.Uint64 // transactions, in the order of their beginning
	dtids atomic.Uint64
	conns atomic.Uint64
	boot  string

	mu   sync.Mutex
	refs int
	key  string
}

// snapshot is what planning looks at: one version of everything.
type snapshot struct {
	version uint64
	schema  *schema.Schema
	vschema *vschema.VSchema
	foreign *foreign.Keys // all, and those of co-located tables
	near    *foreign.Keys
	shards  map[string]*route.ShardMap
	auto    bool
}

// clusters lets several pools of one process share a directory.
var clusters = struct {
	sync.Mutex
	open map[string]*cluster
}{open: map[string]*cluster{}}

// openCluster opens the database that cfg names, or joins this process's other
// openers of its directory.
func openCluster(ctx context.Context, cfg *Config) (*cluster, error) {
	if cfg.Remote != "" || cfg.Topology != "" {
		return nil, newError(CodeUnsupported, "remote tablets are not built in yet; use file:DIR or :memory:")
	}
	if cfg.Memory {
		return newCluster(ctx, cfg, nil, "")
	}
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
	dir, err := topo.OpenDir(cfg.Dir, topo.DirOptions{Shards: cfg.Shards, Keyspace: cfg.Keyspace, Default: first, Disk: cfg.disk})
	if err == nil && several != nil && dir.Fresh() {
		err = errors.Join(several, dir.Close())
	}
	if err != nil {
		return nil, mapError(err)
	}
	c, err := newCluster(ctx, cfg, dir, key)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	if real, err := filepath.EvalSymlinks(key); err == nil {
		key = real
	}
	c.key = key
	clusters.open[key] = c
	return c, nil
}

// join lets one more pool use the cluster.
func (c *cluster) join(cfg *Config) error {
	if cfg.Synchronous != c.cfg.Synchronous {
		return newError(CodeDSN, "directory %s is open in this process with synchronous=%s; it can't be opened with synchronous=%s beside that", cfg.Dir, c.cfg.Synchronous, cfg.Synchronous)
	}
	if (cfg.ForeignKeys == "off") != (c.cfg.ForeignKeys == "off") {
		return newError(CodeDSN, "directory %s is open in this process with foreign_keys=%s; it can't be opened with foreign_keys=%s beside that", cfg.Dir, c.cfg.ForeignKeys, cfg.ForeignKeys)
	}
	ks := c.keyspaceName(cfg)
	m := c.state.Load().shards[ks]
	if m == nil {
		return newError(CodeUnknownDatabase, "unknown keyspace %q in directory %s", ks, cfg.Dir)
	}
	if cfg.Shards != 0 && cfg.Shards != len(m.Names) {
		return newError(CodeTopology, "data directory %s has %d shards, shards=%d was asked for; opening never reshards: use vitessdo reshard", cfg.Dir, len(m.Names), cfg.Shards)
	}
	if err := c.checkTarget(cfg); err != nil {
		return err
	}
	c.mu.Lock()
	c.refs++
	c.mu.Unlock()
	return nil
}

func (c *cluster) keyspaceName(cfg *Config) string {
	if cfg.Keyspace != "" {
		return cfg.Keyspace
	}
	return c.first
}

// newCluster opens the tablets, recovers what a crash left, and reads the
// catalog.
func newCluster(ctx context.Context, cfg *Config, dir *topo.Dir, key string) (c *cluster, err error) {
	c = &cluster{cfg: cfg.Clone(), dir: dir, key: key, refs: 1}
	c.tablets.Store(&tabletMap{})
	c.plans = newPlanCache(cfg.PlanCacheSize)
	c.boot = newBootID()
	c.life, c.die = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(mapError(err), c.release(false))
			c = nil
		}
	}()
	st, err := c.layout(cfg)
	if err != nil {
		return c, err
	}
	c.first = st.Keyspaces[0].Name
	if err := c.openTablets(ctx, st); err != nil {
		return c, err
	}
	if err := c.recover(ctx); err != nil {
		return c, err
	}
	if c.catalog, err = topo.NewCatalog(ctx, c.catTab); err != nil {
		return c, err
	}
	if err := c.initCatalog(ctx, st); err != nil {
		return c, err
	}
	c.seqs = topo.NewSequences(&sequenceStore{c.catalog, c}, 0)
	if err := c.reload(ctx); err != nil {
		return c, err
	}
	if err := c.prune(); err != nil {
		return c, err
	}
	if cfg.VSchema != "" {
		file, err := c.readVSchema()
		if err == nil {
			err = c.addKeyspaces(ctx, file)
		}
		if err != nil {
			return c, err
		}
	}
	return c, c.checkTarget(cfg)
}

// checkTarget sees that the shard that a pool wants for itself exists.
func (c *cluster) checkTarget(cfg *Config) error {
	ks, snap := c.keyspaceName(cfg), c.state.Load()
	if cfg.Shard != "" && snap.shardOf(ks, cfg.Shard) < 0 {
		return snap.noShard(ks, cfg.Shard)
	}
	return nil
}

func (c *cluster) layout(cfg *Config) (*topo.State, error) {
	if c.dir != nil {
		return c.dir.State(), nil
	}
	name := cfg.Keyspace
	if name == "" {
		var err error
		if name, err = firstKeyspace(cfg); err != nil {
			return nil, err
		}
	}
	return topo.Memory(cfg.Shards, name)
}

// catalogKeyspace is the name that the catalog's tablet goes by.
const catalogKeyspace = "_vt"

// catalogTarget names the catalog's tablet.
var catalogTarget = tablet.Target{Keyspace: catalogKeyspace, Shard: "catalog"}

func (c *cluster) openTablets(ctx context.Context, st *topo.State) (err error) {
	if c.catTab, err = c.openTablet(ctx, catalogTarget.Keyspace, catalogTarget.Shard, c.catalogFile()); err != nil {
		return err
	}
	for _, ks := range st.Keyspaces {
		list, err := c.openKeyspace(ctx, ks)
		c.serve(ks.Name, list)
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) catalogFile() string {
	if c.dir == nil {
		return ""
	}
	return c.dir.CatalogFile()
}

func (c *cluster) openTablet(ctx context.Context, ks, shard, path string) (*tabletserver.Tablet, error) {
	level := tabletserver.Synchronous(c.cfg.Synchronous)
	if ks == catalogKeyspace && level == tabletserver.Normal {
		level = tabletserver.Full // what it holds outlives the last commits: schema, blocks of sequences
	}
	return tabletserver.Open(ctx, tabletserver.Config{
		Target:      tablet.Target{Keyspace: ks, Shard: shard},
		Path:        path,
		Disk:        c.cfg.disk,
		Synchronous: level,
		CacheKiB:    int(c.cfg.CacheSize >> 10),
		MaxMemory:   c.cfg.MaxMemory,
		MaxReaders:  c.cfg.MaxReaders,
		LockWait:    c.cfg.LockWaitTimeout,

		NoForeignKeys: c.cfg.ForeignKeys == "off",
	})
}

func (c *cluster) countTablets() int {
	n := 1 // the catalog's
	for _, list := range *c.tablets.Load() {
		n += len(list)
	}
	return n
}

func (c *cluster) eachTablet(f func(*tabletserver.Tablet) error) error {
	var errs []error
	if c.catTab != nil {
		errs = append(errs, f(c.catTab))
	}
	for _, list := range *c.tablets.Load() {
		for _, t := range list {
			errs = append(errs, f(t))
		}
	}
	return errors.Join(errs...)
}

func (c *cluster) find(ks, shard string) *tabletserver.Tablet {
	want := tablet.Target{Keyspace: ks, Shard: shard}
	if c.catTab.Target() == want {
		return c.catTab
	}
	for _, t := range c.tabletsOf(ks) {
		if t.Target() == want {
			return t
		}
	}
	return nil
}

// initCatalog writes a new database's first state.
func (c *cluster) initCatalog(ctx context.Context, st *topo.State) error {
	if c.dir != nil && !c.dir.Fresh() {
		return c.adoptVSchema(ctx)
	}
	first := *st
	first.Auto = c.cfg.VSchema == ""
	if !first.Auto {
		v, err := c.readVSchema()
		if err != nil {
			return err
		}
		first.VSchema = v.Marshal()
	}
	if err := c.catalog.Init(ctx, &first); err != nil {
		return err
	}
	if c.dir != nil {
		return c.dir.Ready()
	}
	return nil
}

// reload reads the catalog and publishes the snapshot made of it.
func (c *cluster) reload(ctx context.Context) error {
	st, err := c.catalog.Load(ctx)
	if err != nil {
		return err
	}
	snap, err := newSnapshot(ctx, st, c.firstShard)
	if err != nil {
		return err
	}
	c.publish(snap)
	return nil
}

// publish lets sessions plan with a snapshot, unless they have as new a one.
func (c *cluster) publish(snap *snapshot) {
	for {
		old := c.state.Load()
		if old != nil && old.version >= snap.version || c.state.CompareAndSwap(old, snap) {
			return
		}
	}
}

// foresee makes the snapshot to be published when tx is committed: then nothing
// needs to be read any more, which could fail. shard gives what reads a keyspace's
// tables as they will be.
func (c *cluster) foresee(ctx context.Context, tx tablet.Tx, shard func(ks string) tablet.Runner) (*snapshot, error) {
	st, err := c.catalog.LoadTx(ctx, tx)
	if err != nil {
		return nil, err
	}
	return newSnapshot(ctx, st, shard)
}

// newSnapshot makes a snapshot of a catalog's state.
func newSnapshot(ctx context.Context, st *topo.State, shard func(ks string) tablet.Runner) (_ *snapshot, err error) {
	snap := &snapshot{version: st.Version, shards: map[string]*route.ShardMap{}, auto: st.Auto}
	v := vschema.New()
	if len(st.VSchema) > 0 {
		if v, err = vschema.Parse(st.VSchema); err != nil {
			return nil, errorFrom(CodeVSchema, err, "the stored VSchema can't be read: %v", err)
		}
	}
	for _, ks := range st.Keyspaces {
		m := &route.ShardMap{Keyspace: ks.Name, Ranges: ks.Ranges(), Schema: st.Schema(ks.Name)}
		for _, s := range ks.Shards {
			m.Names = append(m.Names, s.Name)
		}
		snap.shards[ks.Name] = m
		if v, err = bindVSchema(v, ks, st.Auto); err != nil {
			return nil, err
		}
	}
	snap.vschema = v
	var changes []schema.Change
	for _, r := range st.Relations {
		ch, err := readRelation(r)
		if err == nil && ch.Table != nil {
			err = markNumbers(ctx, shard(r.Keyspace), ch.Table)
		}
		if err != nil {
			return nil, err
		}
		changes = append(changes, ch)
	}
	snap.schema = (*schema.Schema)(nil).With(st.Version, changes...)
	snap.foreign = foreignKeys(snap)
	snap.near = snap.foreign.Colocated()
	return snap, nil
}

// bindVSchema completes a keyspace of the VSchema and binds its vindexes to the
// shards.
func bindVSchema(v *vschema.VSchema, ks topo.Keyspace, auto bool) (*vschema.VSchema, error) {
	if v.Keyspaces[ks.Name] == nil {
		var err error
		v, err = v.WithKeyspace(&vschema.Keyspace{Name: ks.Name, Sharded: ks.Sharded, Auto: auto && ks.Sharded})
		if err != nil {
			return nil, err
		}
	}
	v, err := v.Bind(ks.Name, ks.Ranges())
	if err != nil {
		return nil, errorFrom(CodeVSchema, err, "VSchema of keyspace %s: %v", ks.Name, err)
	}
	return v, nil
}

// readRelation parses a stored definition.
func readRelation(r topo.Relation) (schema.Change, error) {
	st, err := sqlparse.Parse(r.DDL, sqlparse.Options{})
	if err != nil {
		return schema.Change{}, errorFrom(CodeTopology, err, "the stored definition of %s.%s can't be read: %v", r.Keyspace, r.Name, err)
	}
	ch := schema.Change{Keyspace: r.Keyspace}
	switch s := st.Stmt.(type) {
	case *sqlast.CreateTable:
		ch.Table = s.Def
	case *sqlast.CreateView:
		ch.View = &schema.View{Name: r.Name, Columns: s.Columns, Query: s.Query, Text: s.QueryText, Check: s.Check}
	default:
		return ch, newError(CodeTopology, "the stored definition of %s.%s is no CREATE statement", r.Keyspace, r.Name)
	}
	return ch, nil
}

// close lets go of one pool's hold; the last one closes the database.
func (c *cluster) close() error {
	clusters.Lock()
	defer clusters.Unlock()
	c.mu.Lock()
	c.refs--
	last := c.refs == 0
	c.mu.Unlock()
	if !last {
		return nil
	}
	if clusters.open[c.key] == c {
		delete(clusters.open, c.key)
	}
	return mapError(c.release(true))
}

// release closes what is open.
func (c *cluster) release(closeDir bool) error {
	var errs []error
	c.die()
	c.finish.close()
	if c.seqs != nil {
		// What can't be given back is a gap. A transaction that keeps its locks may
		// be in the way.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = c.seqs.Close(ctx)
		cancel()
	}
	errs = append(errs, c.eachTablet(func(t *tabletserver.Tablet) error { return t.Close() }))
	if c.log != nil {
		errs = append(errs, c.log.Close())
	}
	if closeDir && c.dir != nil {
		errs = append(errs, c.dir.Close())
	}
	return errors.Join(errs...)
}

// untilClosed makes a context end with the database, for work at the gate that
// rows left open would keep going. The function that it returns calls cancel too.
func (c *cluster) untilClosed(ctx context.Context, cancel context.CancelFunc) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancel(ctx)
	forget := context.AfterFunc(c.life, end)
	return ctx, func() {
		forget()
		end()
		cancel()
	}
}

// decider is the log as the coordinator sees it.
func (c *cluster) decider() twopc.Log {
	if c.log == nil {
		return cutLog{twopc.Memory, &c.shows}
	}
	return cutLog{c.decide, &c.shows}
}

// nextDTID names a distributed transaction, unlike any other ever.
func (c *cluster) nextDTID() string {
	return fmt.Sprintf("%s-%x", c.boot, c.dtids.Add(1))
}

// keyspaceOf finds a keyspace without regard to case, and its spelling.
func (s *snapshot) keyspaceOf(name string) string {
	if s.shards[name] != nil {
		return name
	}
	for ks := range s.shards {
		if strings.EqualFold(ks, name) {
			return ks
		}
	}
	return ""
}

// shardOf gives the ordinal of a keyspace's shard, -1 when there is none.
func (s *snapshot) shardOf(ks, shard string) int {
	if m := s.shards[ks]; m != nil {
		return slices.Index(m.Names, shard)
	}
	return -1
}

func (s *snapshot) noShard(ks, shard string) error {
	return newError(CodeUnknownDatabase, "keyspace %s has no shard %q; it has %s", ks, shard, strings.Join(s.shards[ks].Names, ", "))
}

func (s *snapshot) keyspaces() []string {
	return slices.Sorted(maps.Keys(s.shards))
}
