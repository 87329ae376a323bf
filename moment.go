package vitessdo

import (
	"context"
	"errors"
	"sync"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
)

// moment is a view that is found and not made: each shard's answer says in which span
// of time the shard was so, and all spans must have a moment in common.
type moment struct {
	s *session

	mu   sync.Mutex
	span tablet.Moment // what they have in common so far
}

var _ exec.View = (*moment)(nil)

// Moment implements exec.Session. Spans of several servers don't compare.
func (s *session) Moment() exec.View {
	if !s.cl.apart || s.cl.at.scattered() || s.cl.eachTablet(tells) != nil {
		return nil
	}
	return &moment{s: s}
}

var errNoMoments = errors.New("the tablet tells no moments")

// tells is an error for tablets whose answers don't say when the shard was so.
func tells(t tablet.Tablet) error {
	if !t.Capabilities().Moments {
		return errNoMoments
	}
	return nil
}

// Add implements exec.View.
func (m *moment) Add(context.Context, []exec.Place) error { return nil }

// Tablet implements exec.View.
func (m *moment) Tablet(at exec.Place) tablet.Tablet {
	if t := m.s.Tablet(at.Keyspace, at.Shard); t != nil {
		return &timedTablet{t, m}
	}
	return nil
}

// Close implements exec.View.
func (m *moment) Close() {}

// meets narrows the span by another answer's. It says whether anything is left.
func (m *moment) meets(other tablet.Moment) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.span.Clock == "" {
		m.span = other
	}
	m.span.Since, m.span.Until = max(m.span.Since, other.Since), min(m.span.Until, other.Until)
	return m.span.Clock == other.Clock && m.span.Since <= m.span.Until
}

// timedTablet is a shard whose answers are held against those of others.
type timedTablet struct {
	tablet.Tablet
	m *moment
}

// Query implements tablet.Runner.
func (t *timedTablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	timed := *q
	timed.Moment = true
	rows, err := t.Tablet.Query(ctx, &timed)
	if err != nil {
		return nil, err
	}
	if m, known := tablet.MomentOf(rows); !known || !t.m.meets(m) {
		_ = rows.Close()
		return nil, exec.ErrStale
	}
	return rows, nil
}
