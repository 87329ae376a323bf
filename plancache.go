package vitessdo

import (
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// planKey is what a plan hangs on, beside the schema's version.
type planKey struct {
	text     string
	keyspace string
	shard    int
	modes    sqlparse.Options
	dialect  string
	literals bool // text is what sqlparse.Normalize made
	internal bool // a statement of the gate's own
	options  planOptions
}

// planOptions are those of a pool that its plans and columns hang on: pools of
// one process may share a database, and have others.
type planOptions struct {
	parseTime, foundRows, noScatter bool
	foreignKeys                     string
	loc                             *time.Location
}

func (s *session) planOptions() planOptions {
	return planOptions{parseTime: s.cfg.ParseTime, foundRows: s.cfg.ClientFoundRows, noScatter: s.cfg.NoScatter, loc: s.cfg.Loc, foreignKeys: s.keptKeys()}
}

// prepared is a statement that is ready to run.
type prepared struct {
	version uint64
	// parsed is set for commands; plan for queries and writes.
	parsed   *sqlparse.Statement
	plan     *route.Plan
	params   int
	names    []string // of parameters; nil where all are positional
	cols     []column
	steps    []step   // before it
	into     []string // user variables that the row's values go into
	lists    []sqlast.ListParam
	lengths  []int     // of the lists; nil of the plan for any, which isn't run
	directed *directed // nil without directives
	// sequence is set when a sequence's table is written.
	sequence *sequenceName
	// ignoring is the number of rows of an INSERT IGNORE.
	ignoring int64
	digest   atomic.Pointer[[2]string] // of Statement.Digest, once it was asked for
}

// planCache holds plans by text. It is safe for concurrent use; sessions keep
// the plans that they use most in maps of their own.
type planCache struct {
	plans *lru.Cache[planKey, *prepared]
	size  int
	// hits are counted by session, so that processors don't take turns at one number.
	hits   [16]paddedCount
	misses atomic.Uint64
}

// paddedCount is a number with a cache line of its own.
type paddedCount struct {
	atomic.Uint64
	_ [56]byte
}

func (c *planCache) hit(session uint64) { c.hits[session%uint64(len(c.hits))].Add(1) }

// counts tells how often a statement's plan was there, and how often one was made.
func (c *planCache) counts() (hits, misses uint64) {
	for i := range c.hits {
		hits += c.hits[i].Load()
	}
	return hits, c.misses.Load()
}

func (c *planCache) len() int {
	if c.plans == nil {
		return 0
	}
	return c.plans.Len()
}

func newPlanCache(size int) *planCache {
	if size <= 0 {
		return &planCache{}
	}
	c, err := lru.New[planKey, *prepared](size)
	if err != nil {
		return &planCache{}
	}
	return &planCache{plans: c, size: size}
}

func (c *planCache) get(k planKey, version uint64) *prepared {
	if c.plans == nil {
		return nil
	}
	p, ok := c.plans.Get(k)
	if !ok || p.version != version {
		return nil
	}
	return p
}

func (c *planCache) put(k planKey, p *prepared) {
	if c.plans != nil {
		c.plans.Add(k, p)
	}
}
