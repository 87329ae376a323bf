package process

import (
	"cmp"
	"context"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/service"
)

// statements counts what the statements of all protocols do, for the metrics of the
// process.
type statements struct {
	metrics  service.Metrics
	all      *service.Counter
	failures *service.Counter
	scatters *service.Counter
	calls    *service.Counter
	took     *service.Histogram
}

var _ vitessdo.Observer = (*statements)(nil)

func newStatements() *statements {
	s := &statements{}
	m := &s.metrics
	s.all = m.Counter("vitessdo_statements_total", "Statements by plan type.", "plan_type")
	s.failures = m.Counter("vitessdo_statement_errors_total", "Statements that failed, by code.", "code")
	s.scatters = m.Counter("vitessdo_scatters_total", "Statements that asked all shards of several.", "")
	s.calls = m.Counter("vitessdo_shard_calls_total", "Questions to shards, by shard.", "shard")
	s.took = m.Histogram("vitessdo_statement_seconds", "How long statements took, until their rows were closed.")
	return s
}

// StatementStart implements vitessdo.Observer.
func (s *statements) StatementStart(ctx context.Context, _ *vitessdo.Statement) context.Context {
	return ctx
}

// StatementEnd implements vitessdo.Observer.
func (s *statements) StatementEnd(_ context.Context, st *vitessdo.Statement) {
	s.all.Add(cmp.Or(st.PlanType, "command"), 1)
	s.took.Observe(st.Duration)
	if st.Scatter {
		s.scatters.Add("", 1)
	}
	if st.Err != nil {
		s.failures.Add(string(st.Code()), 1)
	}
	for i := range st.Calls {
		s.calls.Add(st.Calls[i].Keyspace+"/"+st.Calls[i].Shard, 1)
	}
}
