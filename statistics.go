package vitessdo

import (
	"context"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/vitessdo/vitessdo/info"
)

// statistics are an Observer that counts: by digest, by shard, and the latest slow
// statements. All pools of a database that have option statement_stats share them.
type statistics struct {
	mu      sync.Mutex
	digests *simplelru.LRU[digestKey, *digestStats]
	shards  map[string]*timing // by "keyspace/shard"
	slow    []info.SlowStatement
	from    int // the oldest of slow, once it is full
}

// digestKey: the same text may be planned differently in two keyspaces.
type digestKey struct{ id, keyspace string }

type digestStats struct {
	timing
	text, plan      string
	shards, scatter int64
	last            time.Time
}

// timing counts how long things took.
type timing struct {
	count, errors, rows int64
	total, most         time.Duration
	// below[i] counts those of less than 2^i microseconds, and at least half as much.
	below [40]uint32
}

func (t *timing) add(d time.Duration, rows int64, failed bool) {
	t.count++
	t.rows += rows
	if failed {
		t.errors++
	}
	t.total += d
	t.most = max(t.most, d)
	t.below[min(bits.Len64(uint64(max(0, d.Microseconds()))), len(t.below)-1)]++
}

// figures gives mean and 99th percentile, the latter to the power of two above it,
// but no more than the longest.
func (t *timing) figures() info.Timing {
	f := info.Timing{Count: t.count, Errors: t.errors, Rows: t.rows, Total: t.total, Max: t.most}
	if t.count > 0 {
		f.Mean = t.total / time.Duration(t.count)
	}
	left := t.count - t.count*99/100
	for i := len(t.below) - 1; i >= 0 && left > 0; i-- {
		if left -= int64(t.below[i]); left <= 0 {
			f.P99 = min(t.most, time.Microsecond<<i)
		}
	}
	return f
}

// slowKept is how many slow statements are kept, and slowDefault what is slow where
// slow_query doesn't say.
const (
	slowKept    = 100
	slowDefault = 100 * time.Millisecond
)

func newStatistics(size int) *statistics {
	digests, err := simplelru.NewLRU[digestKey, *digestStats](size, nil)
	if err != nil {
		return nil
	}
	return &statistics{digests: digests, shards: map[string]*timing{}}
}

var _ Observer = (*statistics)(nil)

// StatementStart implements Observer.
func (x *statistics) StatementStart(ctx context.Context, _ *Statement) context.Context { return ctx }

// StatementEnd implements Observer.
func (x *statistics) StatementEnd(_ context.Context, st *Statement) {
	id, text := st.Digest()
	limit := st.session.cfg.SlowQuery
	if limit <= 0 {
		limit = slowDefault
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	key := digestKey{id, st.Keyspace}
	d, ok := x.digests.Get(key)
	if !ok {
		d = &digestStats{text: text}
		x.digests.Add(key, d)
	}
	d.add(st.Duration, st.Rows, st.Err != nil)
	d.shards += int64(len(st.Shards))
	d.last = st.Start
	if st.PlanType != "" {
		d.plan = st.PlanType
	}
	if st.Scatter {
		d.scatter++
	}
	for i := range st.Calls {
		c := &st.Calls[i]
		at := c.Keyspace + "/" + c.Shard
		if x.shards[at] == nil {
			x.shards[at] = &timing{}
		}
		x.shards[at].add(c.Duration, c.Rows, c.Err != nil)
	}
	if st.Duration >= limit {
		x.keepSlow(info.SlowStatement{
			Start: st.Start, Duration: st.Duration, Digest: id, Text: text, Keyspace: st.Keyspace, PlanType: st.PlanType,
			Shards: strings.Join(st.Shards, ","), Rows: st.Rows, Code: string(st.Code()), Labels: labelText(st.Labels),
		})
	}
}

func (x *statistics) keepSlow(s info.SlowStatement) {
	if len(x.slow) < slowKept {
		x.slow = append(x.slow, s)
		return
	}
	x.slow[x.from] = s
	x.from = (x.from + 1) % slowKept
}

func labelText(list []Label) string {
	parts := make([]string, len(list))
	for i, l := range list {
		parts[i] = l.Key + "=" + l.Value
	}
	return strings.Join(parts, " ")
}

// tell gives what was counted: statements by total time, the longest first, shards
// by name, slow statements from the latest on.
func (x *statistics) tell() *info.Statistics {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := &info.Statistics{}
	for _, key := range x.digests.Keys() {
		d, _ := x.digests.Peek(key)
		out.Statements = append(out.Statements, info.StatementStats{
			Timing: d.figures(), Digest: key.id, Keyspace: key.keyspace, Text: d.text, PlanType: d.plan,
			Shards: d.shards, Scatters: d.scatter, Last: d.last,
		})
	}
	slices.SortStableFunc(out.Statements, func(a, b info.StatementStats) int {
		return int(b.Total.Microseconds() - a.Total.Microseconds())
	})
	for _, at := range slices.Sorted(maps.Keys(x.shards)) {
		ks, shard, _ := strings.Cut(at, "/")
		out.Shards = append(out.Shards, info.ShardStats{Timing: x.shards[at].figures(), Shard: info.Shard{Keyspace: ks, Name: shard}})
	}
	for i := range x.slow {
		out.Slow = append(out.Slow, x.slow[(x.from+len(x.slow)-1-i+len(x.slow))%len(x.slow)])
	}
	return out
}

// statistics gives the database's statistics to a pool that wants them.
func (c *cluster) statistics(cfg *Config) *statistics {
	if cfg.StatementStats == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stats == nil {
		c.stats = newStatistics(cfg.StatementStats)
	}
	return c.stats
}

// told gives the database's statistics, nil when nobody has asked for any.
func (c *cluster) told() *info.Statistics {
	c.mu.Lock()
	x := c.stats
	c.mu.Unlock()
	if x == nil {
		return nil
	}
	return x.tell()
}

// planStatus tells of the plan cache, as SHOW STATUS does.
func (c *planCache) status() []info.Variable {
	hits, misses := c.counts()
	number := func(name string, n uint64) info.Variable {
		return info.Variable{Name: "Vitess_plan_cache_" + name, Value: strconv.FormatUint(n, 10)}
	}
	return []info.Variable{number("capacity", uint64(c.size)), number("hits", hits), number("misses", misses), number("size", uint64(c.len()))}
}
