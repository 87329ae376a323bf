package tally

import (
	"maps"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/vitessdo/vitessdo/info"
)

// slowKept is how many slow statements are kept.
const slowKept = 100

// Tally counts. It is safe for concurrent use.
type Tally struct {
	mu      sync.Mutex
	digests *simplelru.LRU[digestKey, *digestStats]
	shards  map[info.Shard]*timing
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

// New makes a tally of so many statements as differ by more than their literals, one or
// more: of others the one that is longest ago is forgotten.
func New(size int) *Tally {
	digests, err := simplelru.NewLRU[digestKey, *digestStats](size, nil)
	if err != nil {
		panic(err) // it was checked with the option
	}
	return &Tally{digests: digests, shards: map[info.Shard]*timing{}}
}

// Statement is one that has ended. Without a Code it went well.
type Statement struct {
	info.SlowStatement
	Asked   int // how many shards
	Scatter bool
	Failed  bool
	Slow    bool // it is kept by itself, too
}

// Call is a question to a shard.
type Call struct {
	Shard    info.Shard
	Duration time.Duration
	Rows     int64 // negative: nobody knows
	Failed   bool
}

// Count counts a statement, and what it has asked of shards.
func (t *Tally) Count(s *Statement, calls ...Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range calls {
		t.asked(&calls[i])
	}
	key := digestKey{s.Digest, s.Keyspace}
	d, ok := t.digests.Get(key)
	if !ok {
		d = &digestStats{text: s.Text}
		t.digests.Add(key, d)
	}
	d.add(s.Duration, s.Rows, s.Failed)
	d.shards += int64(s.Asked)
	d.last = s.Start
	if s.PlanType != "" {
		d.plan = s.PlanType
	}
	if s.Scatter {
		d.scatter++
	}
	if s.Slow {
		t.keepSlow(s.SlowStatement)
	}
}

// Asked counts a question that is no part of a statement.
func (t *Tally) Asked(shard info.Shard, took time.Duration, rows int64, failed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked(&Call{shard, took, rows, failed})
}

func (t *Tally) asked(c *Call) {
	s := t.shards[c.Shard]
	if s == nil {
		s = &timing{}
		t.shards[c.Shard] = s
	}
	s.add(c.Duration, c.Rows, c.Failed)
}

func (t *Tally) keepSlow(s info.SlowStatement) {
	if len(t.slow) < slowKept {
		t.slow = append(t.slow, s)
		return
	}
	t.slow[t.from] = s
	t.from = (t.from + 1) % slowKept
}

// Tell gives what was counted: statements by total time, the longest first, shards by
// name, slow statements from the latest on.
func (t *Tally) Tell() *info.Statistics {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &info.Statistics{}
	for _, key := range t.digests.Keys() {
		d, _ := t.digests.Peek(key)
		out.Statements = append(out.Statements, info.StatementStats{
			Timing: d.figures(), Digest: key.id, Keyspace: key.keyspace, Text: d.text, PlanType: d.plan,
			Shards: d.shards, Scatters: d.scatter, Last: d.last,
		})
	}
	slices.SortStableFunc(out.Statements, func(a, b info.StatementStats) int {
		return int(b.Total.Microseconds() - a.Total.Microseconds())
	})
	for _, shard := range slices.SortedFunc(maps.Keys(t.shards), byName) {
		out.Shards = append(out.Shards, info.ShardStats{Timing: t.shards[shard].figures(), Shard: shard})
	}
	for i := range t.slow {
		out.Slow = append(out.Slow, t.slow[(t.from+len(t.slow)-1-i)%len(t.slow)])
	}
	return out
}

func byName(a, b info.Shard) int {
	return strings.Compare(a.Keyspace+"/"+a.Name, b.Keyspace+"/"+b.Name)
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
	if t.rows += rows; rows < 0 {
		t.rows = -1
	}
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
