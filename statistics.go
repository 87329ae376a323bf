package vitessdo

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/internal/tally"
)

// statistics are an Observer that counts. All pools of a database that have option
// statement_stats share them.
type statistics struct{ *tally.Tally }

// slowDefault is what is slow where slow_query doesn't say.
const slowDefault = 100 * time.Millisecond

var _ Observer = statistics{}

// StatementStart implements Observer.
func (x statistics) StatementStart(ctx context.Context, _ *Statement) context.Context { return ctx }

// StatementEnd implements Observer.
func (x statistics) StatementEnd(_ context.Context, st *Statement) {
	id, text := st.Digest()
	limit := st.session.cfg.SlowQuery
	if limit <= 0 {
		limit = slowDefault
	}
	s := tally.Statement{Asked: len(st.Shards), Scatter: st.Scatter, Failed: st.Err != nil, Slow: st.Duration >= limit}
	s.Start, s.Duration, s.Digest, s.Text, s.Keyspace, s.PlanType, s.Rows = st.Start, st.Duration, id, text, st.Keyspace, st.PlanType, st.Rows
	if s.Slow {
		s.Shards, s.Code, s.Labels = strings.Join(st.Shards, ","), string(st.Code()), labelText(st.Labels)
	}
	var few [4]tally.Call // most statements need no more
	calls := few[:0]
	for i := range st.Calls {
		c := &st.Calls[i]
		calls = append(calls, tally.Call{Shard: info.Shard{Keyspace: c.Keyspace, Name: c.Shard}, Duration: c.Duration, Rows: c.Rows, Failed: c.Err != nil})
	}
	x.Count(&s, calls...)
}

func labelText(list []Label) string {
	parts := make([]string, len(list))
	for i, l := range list {
		parts[i] = l.Key + "=" + l.Value
	}
	return strings.Join(parts, " ")
}

// statistics gives the database's statistics to a pool that wants them.
func (c *cluster) statistics(cfg *Config) (_ statistics, wanted bool) {
	if cfg.StatementStats == 0 {
		return statistics{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stats == nil {
		c.stats = tally.New(cfg.StatementStats)
	}
	return statistics{c.stats}, true
}

// told gives the database's statistics, nil when nobody has asked for any.
func (c *cluster) told() *info.Statistics {
	c.mu.Lock()
	x := c.stats
	c.mu.Unlock()
	if x == nil {
		return nil
	}
	return x.Tell()
}

// planStatus tells of the plan cache, as SHOW STATUS does.
func (c *planCache) status() []info.Variable {
	hits, misses := c.counts()
	number := func(name string, n uint64) info.Variable {
		return info.Variable{Name: "Vitess_plan_cache_" + name, Value: strconv.FormatUint(n, 10)}
	}
	return []info.Variable{number("capacity", uint64(c.size)), number("hits", hits), number("misses", misses), number("size", uint64(c.len()))}
}
