package vitessdo

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/sqlast"
)

// directed is what a statement's directives /*vt+ … */ ask for.
type directed struct {
	timeout   time.Duration // QUERY_TIMEOUT_MS
	unlimited bool          // IGNORE_MAX_MEMORY_ROWS: no max_combine_rows and _bytes
	multi     bool          // MULTI_SHARD_AUTOCOMMIT: commit one shard after the other
	scatter   bool          // ALLOW_SCATTER, against no_scatter
	skipCache bool          // SKIP_QUERY_PLAN_CACHE
	warnings  []info.Warning
}

// harmless are directives of Vitess's that change no result and nothing here.
var harmless = map[string]bool{
	"PLANNER": true, "WORKLOAD_NAME": true, "PRIORITY": true, "IGNORE_MAX_PAYLOAD_SIZE": true, "ALLOW_HASH_JOIN": true,
	"CONSOLIDATOR": true, "COMBINE": true, // the planner reads COMBINE
}

// readDirectives gives nil for a statement without directives.
func readDirectives(d sqlast.Directives) (*directed, error) {
	if len(d) == 0 {
		return nil, nil
	}
	out := &directed{}
	for _, name := range slices.Sorted(maps.Keys(d)) {
		value := d[name]
		on := value == "" || value == "1" || equalFold(value, "true") || equalFold(value, "on")
		switch name {
		case "QUERY_TIMEOUT_MS":
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil || n < 0 {
				return nil, newError(CodePlan, "directive QUERY_TIMEOUT_MS=%s: it must be a number of milliseconds", value)
			}
			out.timeout = time.Duration(n) * time.Millisecond
		case "IGNORE_MAX_MEMORY_ROWS":
			out.unlimited = on
		case "MULTI_SHARD_AUTOCOMMIT":
			out.multi = on
		case "ALLOW_SCATTER":
			out.scatter = on
		case "SKIP_QUERY_PLAN_CACHE":
			out.skipCache = on
		case "SCATTER_ERRORS_AS_WARNINGS":
			out.warn("directive SCATTER_ERRORS_AS_WARNINGS is not supported: an error of a shard stays an error")
		default:
			if !harmless[name] {
				out.warn("unknown directive " + name)
			}
		}
	}
	return out, nil
}

// direct makes the session follow a statement's directives, until the function
// that it gives is called.
func (s *session) direct(ctx context.Context, d *directed) (context.Context, context.CancelFunc) {
	s.directed = d
	end := func() {}
	if d.timeout > 0 {
		ctx, end = context.WithTimeout(ctx, d.timeout)
	}
	return ctx, func() {
		s.directed = nil
		end()
	}
}

// checkScatter refuses what option no_scatter forbids: statements that ask all
// shards of several.
func (s *session) checkScatter(p *prepared) error {
	if !s.cfg.NoScatter || p.directed != nil && p.directed.scatter {
		return nil
	}
	f := s.snap.scatters(p.plan)
	if f == nil {
		return nil
	}
	return newError(CodeUnsupported, "the statement asks all %d shards of %s, which no_scatter forbids: name the sharding key, or write /*vt+ ALLOW_SCATTER */",
		len(s.snap.shards[f.Keyspace].Names), f.Keyspace)
}

func (p *prepared) skipsCache() bool { return p.directed != nil && p.directed.skipCache }

func (d *directed) warn(text string) {
	d.warnings = append(d.warnings, info.Warning{Level: levelWarning, Code: 1105, Message: text})
}
