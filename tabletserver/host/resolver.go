package host

import (
	"context"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// CommitPrepared implements tablet.Resolver.
func (s *Shard) CommitPrepared(ctx context.Context, dtid string) error {
	return s.settle(ctx, false, func(t *tabletserver.Tablet) error { return t.CommitPrepared(ctx, dtid) })
}

// RollbackPrepared implements tablet.Resolver.
func (s *Shard) RollbackPrepared(ctx context.Context, dtid string) error {
	return s.settle(ctx, false, func(t *tabletserver.Tablet) error { return t.RollbackPrepared(ctx, dtid) })
}

// Prepared implements tablet.Resolver.
func (s *Shard) Prepared(ctx context.Context) ([]tablet.InDoubt, error) {
	return use(ctx, s, func(t *tabletserver.Tablet) ([]tablet.InDoubt, error) { return t.Prepared(ctx) })
}

// Outcome implements tablet.Resolver.
func (s *Shard) Outcome(ctx context.Context, dtid string) (tablet.Outcome, error) {
	return use(ctx, s, func(t *tabletserver.Tablet) (tablet.Outcome, error) { return t.Outcome(ctx, dtid) })
}

// Decisions implements tablet.Resolver.
func (s *Shard) Decisions(ctx context.Context) ([]tablet.Decision, error) {
	return use(ctx, s, func(t *tabletserver.Tablet) ([]tablet.Decision, error) { return t.Decisions(ctx) })
}

// Confirm implements tablet.Resolver.
func (s *Shard) Confirm(ctx context.Context, dtid string, participant tablet.Target) error {
	return s.settle(ctx, false, func(t *tabletserver.Tablet) error { return t.Confirm(ctx, dtid, participant) })
}

func (s *Shard) settle(ctx context.Context, beyond bool, f func(*tabletserver.Tablet) error) error {
	t, err := s.enter(ctx, beyond)
	if err != nil {
		return err
	}
	defer s.leave()
	return f(t)
}

// peer is a shard as other tablets of the host see it: it opens for them also
// beyond the bound, since they stay open until they have heard from it.
type peer struct{ *Shard }

func (p *peer) CommitPrepared(ctx context.Context, dtid string) error {
	return p.settle(ctx, true, func(t *tabletserver.Tablet) error { return t.CommitPrepared(ctx, dtid) })
}

func (p *peer) Confirm(ctx context.Context, dtid string, participant tablet.Target) error {
	return p.settle(ctx, true, func(t *tabletserver.Tablet) error { return t.Confirm(ctx, dtid, participant) })
}

func (p *peer) Outcome(ctx context.Context, dtid string) (out tablet.Outcome, err error) {
	err = p.settle(ctx, true, func(t *tabletserver.Tablet) (err error) {
		out, err = t.Outcome(ctx, dtid)
		return err
	})
	return out, err
}
