package vitessdotest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo"
)

// Statement is what one statement did.
type Statement struct {
	Query    string
	Digest   string // without literals
	PlanType string // "single_shard", "lookup", "scatter", "scatter_aggregate", "unsharded"; "" for commands
	Scatter  bool   // it asked all shards of several
	Allowed  bool   // it says /*vt+ ALLOW_SCATTER */
	Shards   []string
	Plan     []vitessdo.PlanPart
	Calls    []vitessdo.ShardCall
	Rows     int64
	Labels   []vitessdo.Label
	Err      error
}

// Recorder is an observer that the assertions ask. Put one into Config.Observers
// where New can't open the database, as in
//
//	r := &vitessdotest.Recorder{}
//	cfg.Observers = append(cfg.Observers, r)
//
// The zero value is usable. It is safe for concurrent use.
type Recorder struct {
	mu       sync.Mutex
	watching []*[]Statement
	strict   testing.TB // fails at every scatter; may be nil
	lenient  int        // AllowScatter is running so often
}

var _ vitessdo.Observer = (*Recorder)(nil)

// StatementStart implements vitessdo.Observer.
func (r *Recorder) StatementStart(ctx context.Context, _ *vitessdo.Statement) context.Context {
	return ctx
}

// StatementEnd implements vitessdo.Observer.
func (r *Recorder) StatementEnd(_ context.Context, st *vitessdo.Statement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	strict := r.strict != nil && r.lenient == 0 && st.Scatter && !st.ScatterAllowed
	if len(r.watching) == 0 && !strict {
		return
	}
	s := Statement{
		Query: st.Query, PlanType: st.PlanType, Scatter: st.Scatter, Allowed: st.ScatterAllowed, Shards: slices.Clone(st.Shards),
		Plan: st.Plan(), Calls: slices.Clone(st.Calls), Rows: st.Rows, Labels: slices.Clone(st.Labels), Err: st.Err,
	}
	_, s.Digest = st.Digest()
	for _, list := range r.watching {
		*list = append(*list, s)
	}
	if strict {
		r.strict.Errorf("%s", s.told("it asks all shards, which ForbidScatter forbids"))
	}
}

// Watch gives the statements that end while f runs, those of other goroutines too. A
// query ends when its rows are closed.
func (r *Recorder) Watch(f func()) []Statement {
	var list []Statement
	r.mu.Lock()
	r.watching = append(r.watching, &list)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.watching = slices.DeleteFunc(r.watching, func(l *[]Statement) bool { return l == &list })
	}()
	f()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(list)
}

// ForbidScatter fails t at every statement from now on that asks all shards.
func (r *Recorder) ForbidScatter(t testing.TB) {
	r.forbid(t)
	t.Cleanup(func() { r.forbid(nil) })
}

func (r *Recorder) forbid(t testing.TB) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strict = t
}

// AllowScatter runs f without regard to ForbidScatter.
func (r *Recorder) AllowScatter(f func()) {
	add := func(n int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lenient += n
	}
	add(1)
	defer add(-1)
	f()
}
