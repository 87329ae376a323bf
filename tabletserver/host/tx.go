package host

import (
	"context"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// tx keeps its tablet open until it has ended, or until the tablet itself knows
// that it must stay open for it.
type tx struct {
	*tabletserver.Tx
	s *Shard // nil once it keeps nothing open
}

var (
	_ tablet.Tx       = (*tx)(nil)
	_ tablet.MemoryTx = (*tx)(nil)
)

// Begin starts a transaction.
func (s *Shard) Begin(ctx context.Context, opts tablet.TxOptions) (tablet.Tx, error) {
	t, err := s.enter(ctx, false)
	if err != nil {
		return nil, err
	}
	x, err := t.Begin(ctx, opts)
	if err != nil {
		s.leave()
		return nil, err
	}
	return &tx{Tx: x.(*tabletserver.Tx), s: s}, nil
}

// settled lets go of the tablet, if err says that nothing is open any more. After
// a commit of which nobody knows what became, only opening it anew tells.
func (x *tx) settled(err error) error {
	unknown := tablet.CodeOf(err) == tablet.CodeUnknownResult
	if s := x.s; s != nil && (err == nil || unknown) {
		x.s = nil
		if unknown {
			s.distrust()
		}
		s.leave()
	}
	return err
}

func (x *tx) Commit(ctx context.Context) error { return x.settled(x.Tx.Commit(ctx)) }

func (x *tx) Rollback() error {
	err := x.Tx.Rollback()
	_ = x.settled(nil)
	return err
}

func (x *tx) Prepare(ctx context.Context, dtid string, holder tablet.Target) (tablet.Redo, error) {
	r, err := x.Tx.Prepare(ctx, dtid, holder)
	if holder != (tablet.Target{}) && x.Wrote() {
		err = x.settled(err)
	}
	return r, err
}

func (x *tx) CommitPrepared(ctx context.Context) error { return x.settled(x.Tx.CommitPrepared(ctx)) }

func (x *tx) Decide(ctx context.Context, dtid string, participants []tablet.Target) error {
	return x.settled(x.Tx.Decide(ctx, dtid, participants))
}

func (x *tx) Conclude(ctx context.Context, dtid string) error {
	return x.settled(x.Tx.Conclude(ctx, dtid))
}
