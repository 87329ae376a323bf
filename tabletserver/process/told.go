package process

import (
	"context"
	"log/slog"

	"github.com/vitessdo/vitessdo/internal/service"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/host"
)

// numbers are what the server tells of itself.
type numbers struct {
	metrics  service.Metrics
	requests *service.Counter
	failures *service.Counter
	refused  *service.Counter
	took     *service.Histogram
}

func (n *numbers) init(s *server) {
	m := &n.metrics
	m.Runtime()
	n.requests = m.Counter("vitessdo_tablet_requests_total", "Requests by type.", "type")
	n.failures = m.Counter("vitessdo_tablet_errors_total", "Requests that failed, by code.", "code")
	n.refused = m.Counter("vitessdo_tablet_refused_total", "Sessions that were refused for their token.", "")
	n.took = m.Histogram("vitessdo_tablet_request_seconds", "How long requests took.")
	open := func(name, help string, f func(rpc.Stats) int) {
		m.Gauge(name, help, func() float64 { return float64(f(s.rpc.Stats())) })
	}
	open("vitessdo_tablet_sessions", "WebSockets that are open.", func(x rpc.Stats) int { return x.Sessions })
	open("vitessdo_tablet_running", "Requests that run.", func(x rpc.Stats) int { return x.Running })
	open("vitessdo_tablet_transactions", "Transactions that are open.", func(x rpc.Stats) int { return x.Transactions })
	open("vitessdo_tablet_cursors", "Results that are read in parts.", func(x rpc.Stats) int { return x.Cursors })
	kept := func(name, help string, f func(host.Stats) int) {
		m.Gauge(name, help, func() float64 { return float64(f(s.host.Stats())) })
	}
	kept("vitessdo_tablet_shards", "Databases in the directory, the catalog among them.", func(x host.Stats) int { return x.Known })
	kept("vitessdo_tablet_shards_open", "Databases that are open.", func(x host.Stats) int { return x.Open })
	kept("vitessdo_tablet_shards_opened", "Databases that were opened since the start.", func(x host.Stats) int { return int(x.Opens) })
	kept("vitessdo_tablet_unsettled", "Databases with a distributed transaction that isn't settled.", func(x host.Stats) int { return x.Unsettled })
}

// faults are the codes of errors that nobody but the server's keeper can help.
var faults = map[tablet.Code]bool{
	tablet.CodeFull: true, tablet.CodeIO: true, tablet.CodeCorrupt: true, tablet.CodeNoMemory: true, tablet.CodeInternal: true, tablet.CodeUnknownResult: true,
}

// done counts and logs a request. Statements and values are nobody's business in a
// log, and a client's error may quote them.
func (s *server) done(d rpc.Done) {
	s.told.requests.Add(d.Type.String(), 1)
	s.told.took.Observe(d.Took)
	level, text := slog.LevelDebug, "request"
	code := tablet.CodeOf(d.Err)
	if d.Err != nil {
		if code == "" {
			code = tablet.CodeInternal
		}
		s.told.failures.Add(string(code), 1)
	}
	if s.page != nil {
		s.page.asked.add(d, code, d.Took >= s.slow)
	}
	switch {
	case faults[code]:
		level, text = slog.LevelError, "request failed"
	case code == tablet.CodeOverloaded || code == tablet.CodeDenied:
		level, text = slog.LevelWarn, "request refused"
	case d.Took >= s.slow:
		level, text = slog.LevelInfo, "slow request"
	}
	ctx := context.Background()
	if !s.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("type", d.Type.String()), slog.String("id", d.ID), slog.String("keyspace", d.Target.Keyspace), slog.String("shard", d.Target.Shard),
		slog.Duration("took", d.Took),
	}
	if d.Trace != "" {
		attrs = append(attrs, slog.String("trace", d.Trace))
	}
	if d.Client != "" {
		attrs = append(attrs, slog.String("client", d.Client))
	}
	if code != "" {
		attrs = append(attrs, slog.String("code", string(code)))
	}
	if faults[code] {
		attrs = append(attrs, slog.String("error", d.Err.Error()))
	}
	s.log.LogAttrs(ctx, level, text, attrs...)
}
