package host

import (
	"context"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// Snapshot takes a snapshot, which keeps the tablet open until it is closed.
func (s *Shard) Snapshot(ctx context.Context) (tablet.Snapshot, error) {
	t, err := s.enter(ctx, false)
	if err != nil {
		return nil, err
	}
	snap, err := t.Snapshot(ctx)
	if err != nil {
		s.leave()
		return nil, err
	}
	return &snapshot{snap, s}, nil
}

type snapshot struct {
	tablet.Snapshot
	s *Shard // nil once closed
}

// Moment implements tablet.Timed.
func (x *snapshot) Moment() (tablet.Moment, bool) { return tablet.MomentOf(x.Snapshot) }

func (x *snapshot) Close() error {
	err := x.Snapshot.Close()
	if s := x.s; s != nil {
		x.s = nil
		s.leave()
	}
	return err
}

// HoldCommits keeps commits from showing. The tablet stays open until the release,
// as one that was opened anew would let them show.
func (s *Shard) HoldCommits(ctx context.Context) (release func() bool, err error) {
	return s.hold(ctx, (*tabletserver.Tablet).HoldCommits)
}

// HoldDecisions keeps distributed transactions from being decided, likewise.
func (s *Shard) HoldDecisions(ctx context.Context) (release func() bool, err error) {
	return s.hold(ctx, (*tabletserver.Tablet).HoldDecisions)
}

func (s *Shard) hold(ctx context.Context, take func(*tabletserver.Tablet, context.Context) (func() bool, error)) (func() bool, error) {
	t, err := s.enter(ctx, false)
	if err != nil {
		return nil, err
	}
	release, err := take(t, ctx)
	if err != nil {
		s.leave()
		return nil, err
	}
	return func() bool {
		defer s.leave()
		return release()
	}, nil
}
