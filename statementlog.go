package vitessdo

import (
	"fmt"
	"log/slog"
)

// logStatement logs a statement: at WARN when it was slow, with its plan, else at
// DEBUG when the configuration names a logger. Neither has literals or arguments of
// the statement; the plan's queries have none but those that its text names columns
// with, and are left out.
func (s *session) logStatement(st *Statement) {
	log, level, what := s.log, slog.LevelDebug, "statement"
	if s.cfg.SlowQuery > 0 && st.Duration >= s.cfg.SlowQuery {
		level, what = slog.LevelWarn, "slow statement"
		if log == nil {
			log = slog.Default()
		}
	}
	if log == nil || !log.Enabled(st.ctx, level) {
		return
	}
	id, text := st.Digest()
	attrs := []slog.Attr{
		slog.String("digest", id), slog.String("statement", text), slog.String("keyspace", st.Keyspace),
		slog.Uint64("connection", st.Connection), slog.String("plan_type", st.PlanType), slog.Bool("scatter", st.Scatter),
		slog.Any("shards", st.Shards), slog.Int64("rows", st.Rows), slog.Duration("duration", st.Duration),
	}
	if code := st.Code(); code != "" {
		attrs = append(attrs, slog.String("code", string(code)))
	}
	if len(st.Labels) > 0 {
		labels := make([]any, len(st.Labels))
		for i, l := range st.Labels {
			labels[i] = slog.String(l.Key, l.Value)
		}
		attrs = append(attrs, slog.Group("labels", labels...))
	}
	if level == slog.LevelWarn {
		attrs = append(attrs, slog.Any("plan", planLines(st)), slog.Any("calls", callLines(st)))
	}
	log.LogAttrs(st.ctx, level, what, attrs...)
}

// planLines tells the plan, a line for each part, without the queries.
func planLines(st *Statement) []string {
	var out []string
	for _, p := range st.Plan() {
		combine := p.Combine
		if len(combine) > 9 { // it goes on with a query's text
			combine = firstWord(combine)
		}
		out = append(out, fmt.Sprintf("%s, %s: %s/%s", p.PlanType, combine, p.Keyspace, p.Shards))
	}
	return out
}

func firstWord(s string) string {
	for i := range len(s) {
		if b := s[i]; b == ':' || b == ';' || b == '?' {
			return s[:i]
		}
	}
	return s
}

// mostCallLines bounds what the slow log tells of shards.
const mostCallLines = 32

// callLines tells what took how long on which shard.
func callLines(st *Statement) []string {
	var out []string
	for i := range st.Calls {
		c := &st.Calls[i]
		if len(out) == mostCallLines {
			return append(out, fmt.Sprintf("and %d more", len(st.Calls)-mostCallLines+st.Omitted))
		}
		line := fmt.Sprintf("%s/%s %s: %d rows in %v", c.Keyspace, c.Shard, c.Kind, c.Rows, c.Duration)
		if c.Err != nil {
			line += ", failed"
		}
		out = append(out, line)
	}
	return out
}
