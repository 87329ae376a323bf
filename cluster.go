package vitessdo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/catalog"
	"github.com/vitessdo/vitessdo/foreign"
	"github.com/vitessdo/vitessdo/internal/tally"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/twopc"
	"github.com/vitessdo/vitessdo/vschema"
)

// cluster is an open database: its catalog and tablets. The connections of all
// pools that have it open share it.
type cluster struct {
	cfg     *Config
	at      place
	catalog *topo.Catalog
	catTab  tablet.Tablet
	seqs    *topo.Sequences
	tablets atomic.Pointer[tabletMap]
	state   atomic.Pointer[snapshot]
	plans   *planCache

	locks  namedLocks
	leases *leases // nil where no other gate is
	finish finisher
	shows  showing
	life   context.Context // ends when the database is closed
	die    context.CancelFunc
	work   sync.WaitGroup // what ends with life

	// apart: the tablets are elsewhere, and other gates may use them too.
	apart bool

	// moving lets one goroutine at a time change tablets and state.
	moving sync.Mutex

	// ddl is held by whoever changes the schema by himself, so that one such change
	// runs at a time. Those in transactions don't ask for it: they hold shards already.
	ddl chan struct{}
	// first is the keyspace of pools that name none; it isn't dropped.
	first string

	dtids atomic.Uint64
	conns atomic.Uint64
	boot  string

	mu    sync.Mutex
	stats *tally.Tally // nil until a pool asks for some
	refs  int
	key   string
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
	plans   *planCache // nil: the cluster's; else nobody else is to use its plans
}

// clusters lets several pools of one process share a directory.
var clusters = struct {
	sync.Mutex
	open map[string]*cluster
}{open: map[string]*cluster{}}

// openCluster opens the database that cfg names, or joins this process's other
// openers of its directory.
func openCluster(ctx context.Context, cfg *Config) (*cluster, error) {
	if cfg.Memory && cfg.Topology != "" {
		return nil, newError(CodeDSN, "topology= and :memory: don't go together; give a server or file:DIR, which has what the topology file doesn't list")
	}
	if cfg.Remote != "" || cfg.Topology != "" {
		return openApart(ctx, cfg)
	}
	if cfg.Memory {
		return newCluster(ctx, cfg, newEmbedded(cfg, nil))
	}
	return openDirectory(ctx, cfg)
}

// join lets one more pool use the cluster.
func (c *cluster) join(cfg *Config) error {
	if err := c.at.check(cfg); err != nil {
		return err
	}
	if err := c.checkKeyspace(cfg); err != nil {
		return err
	}
	c.mu.Lock()
	c.refs++
	c.mu.Unlock()
	return nil
}

// checkKeyspace sees that what a pool asks for is there, and is as it says.
func (c *cluster) checkKeyspace(cfg *Config) error {
	ks := c.keyspaceName(cfg)
	m := c.state.Load().shards[ks]
	if m == nil {
		return newError(CodeUnknownDatabase, "unknown keyspace %q %s", ks, c.at)
	}
	if cfg.Shards != 0 && cfg.Shards != len(m.Names) {
		return newError(CodeTopology, "the database %s has %d shards, shards=%d was asked for; opening never reshards: use vitessdo reshard", c.at, len(m.Names), cfg.Shards)
	}
	return c.checkTarget(cfg)
}

func (c *cluster) keyspaceName(cfg *Config) string {
	if cfg.Keyspace != "" {
		return cfg.Keyspace
	}
	return c.first
}

// newCluster opens the database at a place, which it closes in the end, also when
// it fails.
func newCluster(ctx context.Context, cfg *Config, at place) (_ *cluster, err error) {
	_, own := at.(*embedded)
	c := &cluster{cfg: cfg.Clone(), at: at, apart: !own, refs: 1, ddl: make(chan struct{}, 1)}
	c.tablets.Store(&tabletMap{})
	c.plans = newPlanCache(cfg.PlanCacheSize)
	c.boot = newBootID()
	c.life, c.die = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(mapError(err), c.release())
		}
	}()
	if c.catTab, err = at.open(ctx); err != nil {
		return nil, err
	}
	if c.catalog, err = topo.NewCatalog(ctx, c.catTab); err != nil {
		return nil, err
	}
	if err := c.initCatalog(ctx); err != nil {
		return nil, err
	}
	if c.apart {
		c.leases = &leases{cl: c, lease: lockLease, held: map[string]bool{}}
	}
	c.seqs = topo.NewSequences(&sequenceStore{c.catalog, c}, 0)
	if err := c.reload(ctx); err != nil {
		return nil, err
	}
	if err := at.prune(func(ks string) bool { return c.state.Load().shards[ks] != nil }); err != nil {
		return nil, err
	}
	if cfg.VSchema != "" {
		file, err := c.readVSchema()
		if err == nil {
			err = c.addKeyspaces(ctx, file)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := c.checkTarget(cfg); err != nil {
		return nil, err
	}
	if at.scattered() {
		c.work.Go(func() { c.settleAll(c.life) })
	}
	return c, nil
}

// checkTarget sees that the shard that a pool wants for itself exists.
func (c *cluster) checkTarget(cfg *Config) error {
	ks, snap := c.keyspaceName(cfg), c.state.Load()
	if cfg.Shard != "" && snap.shardOf(ks, cfg.Shard) < 0 {
		return snap.noShard(ks, cfg.Shard)
	}
	return nil
}

// catalogTarget names the catalog's tablet.
var catalogTarget = tablet.Target{Keyspace: "_vt", Shard: "catalog"}

func (c *cluster) eachTablet(f func(tablet.Tablet) error) error {
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

// initCatalog writes a new database's first state, or brings an old one's VSchema
// in line with the file that the DSN names.
func (c *cluster) initCatalog(ctx context.Context) error {
	st, err := c.catalog.Load(ctx)
	if err != nil {
		return err
	}
	if len(st.Keyspaces) == 0 {
		fresh, err := c.firstState(ctx)
		if fresh || err != nil {
			return err
		}
		if st, err = c.catalog.Load(ctx); err != nil {
			return err
		}
	}
	c.first = st.Keyspaces[0].Name
	return c.adoptVSchema(ctx)
}

// firstState gives a catalog without keyspaces its first state. It says whether it
// did: another gate may have been faster.
func (c *cluster) firstState(ctx context.Context) (bool, error) {
	tx, err := c.catTab.Begin(ctx, tablet.TxOptions{Write: true, Age: c.at.nextAge()})
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	if st, err := c.catalog.LoadTx(ctx, tx); err != nil || len(st.Keyspaces) > 0 {
		return false, err
	}
	st, err := c.at.first(ctx)
	if err != nil {
		return false, err
	}
	c.first = st.Keyspaces[0].Name
	first := *st
	first.Auto = c.cfg.VSchema == ""
	if !first.Auto {
		v, err := c.readVSchema()
		if err != nil {
			return false, err
		}
		first.VSchema = v.Marshal()
	}
	if err := c.catalog.InitTx(ctx, tx, &first); err != nil {
		return false, err
	}
	if err := tx.Commit(ctx); err != nil {
		return false, err
	}
	return true, c.at.begun()
}

// reload reads the catalog, reaches what it doesn't know yet, and publishes the
// snapshot made of it.
func (c *cluster) reload(ctx context.Context) error {
	st, err := c.catalog.Load(ctx)
	if err != nil {
		return err
	}
	c.moving.Lock()
	defer c.moving.Unlock()
	if old := c.state.Load(); old != nil && old.version >= st.Version {
		return nil
	}
	next := tabletMap{}
	for i := range st.Keyspaces {
		k := &st.Keyspaces[i]
		list, err := c.at.reach(ctx, k)
		if err != nil {
			return err
		}
		next[k.Name] = c.upToDate(list)
	}
	snap, err := newSnapshot(ctx, st, next, next.firstShard)
	if err != nil {
		return err
	}
	c.tablets.Store(&next)
	c.state.Store(snap)
	return nil
}

// publish lets sessions plan with a snapshot, unless they have as new a one. With
// change it changes the map of tablets as well.
func (c *cluster) publish(snap *snapshot, change func(tabletMap)) {
	c.moving.Lock()
	defer c.moving.Unlock()
	if change != nil {
		next := maps.Clone(*c.tablets.Load())
		change(next)
		c.tablets.Store(&next)
	}
	if old := c.state.Load(); old == nil || old.version < snap.version {
		c.state.Store(snap)
	}
}

// foresee makes the snapshot to be published when tx is committed: then nothing
// needs to be read any more, which could fail. shard gives what reads a keyspace's
// tables as they will be, on has the tablets that there will be.
func (c *cluster) foresee(ctx context.Context, tx tablet.Tx, on tabletMap, shard func(ks string) tablet.Runner) (*snapshot, error) {
	st, err := c.catalog.LoadTx(ctx, tx)
	if err != nil {
		return nil, err
	}
	return newSnapshot(ctx, st, on, shard)
}

// newSnapshot makes a snapshot of a catalog's state.
func newSnapshot(ctx context.Context, st *topo.State, on tabletMap, shard func(ks string) tablet.Runner) (*snapshot, error) {
	read, err := catalog.Read(ctx, st, shard)
	var bad *catalog.Error
	switch {
	case errors.As(err, &bad) && bad.VSchema:
		return nil, errorFrom(CodeVSchema, bad.Err, "%s", bad.Message)
	case errors.As(err, &bad):
		return nil, errorFrom(CodeTopology, bad.Err, "%s", bad.Message)
	case err != nil:
		return nil, err
	}
	snap := &snapshot{version: read.Version, schema: read.Schema, vschema: read.VSchema, shards: read.Shards, auto: read.Auto}
	for ks, m := range snap.shards {
		speak(m, on[ks])
	}
	snap.foreign = foreignKeys(snap, on.bound)
	snap.near = snap.foreign.Colocated()
	return snap, nil
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
	return mapError(c.release())
}

// release closes what is open.
func (c *cluster) release() error {
	c.die()
	c.work.Wait()
	c.finish.close()
	c.leases.close(c.catalog)
	if c.seqs != nil {
		// What can't be given back is a gap. A transaction that keeps its locks may
		// be in the way.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = c.seqs.Close(ctx)
		cancel()
	}
	return c.at.close()
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

// decider is the log as the coordinator sees it; nil where there is none, so that
// a transaction's last participant decides.
func (c *cluster) decider() twopc.Log {
	if log := c.at.log(); log != nil {
		return cutLog{log, &c.shows}
	}
	return nil
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
