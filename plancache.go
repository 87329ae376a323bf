package vitessdo

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// planKey is what a plan hangs on, beside the schema's version.
type planKey struct {
	text     string
	keyspace string
	shard    int
	modes    sqlparse.Options
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
	into     []string  // user variables that the row's values go into
	directed *directed // nil without directives
	// sequence is set when a sequence's table is written.
	sequence *sequenceName
	// ignoring is the number of rows of an INSERT IGNORE.
	ignoring int64
}

// planCache holds plans by text. It is safe for concurrent use; sessions keep
// the plans that they use most in maps of their own.
type planCache struct {
	plans *lru.Cache[planKey, *prepared]
}

func newPlanCache(size int) *planCache {
	if size <= 0 {
		return &planCache{}
	}
	c, err := lru.New[planKey, *prepared](size)
	if err != nil {
		return &planCache{}
	}
	return &planCache{plans: c}
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
