package vitessdo

import (
	"context"
	"fmt"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// A directory that was served by a tablet server may hold what the tablets have
// prepared and decided for one another, without a log that they share.

// settleApart settles it, now that all of them are here and no coordinator is left.
// What can't be settled yet, with a full disk or while one waits for another, the
// tablets go on settling by themselves.
func (e *embedded) settleApart(ctx context.Context) error {
	for left, before := -1, -2; left != 0 && left != before; {
		before, left = left, 0
		for _, t := range e.all() {
			n, err := e.settleTablet(ctx, t)
			if err != nil && tablet.CodeOf(err) != CodeFull {
				return fmt.Errorf("a transaction that was left by a tablet server can't be settled: %w", err)
			}
			left += n
		}
	}
	return nil
}

// settleTablet settles what one tablet has prepared, and has the participants of
// its decisions commit. It counts what is left.
func (e *embedded) settleTablet(ctx context.Context, t *tabletserver.Tablet) (left int, err error) {
	prepared, err := t.Prepared(ctx)
	if err != nil {
		return 0, err
	}
	for _, x := range prepared {
		holder := e.find(x.Holder.Keyspace, x.Holder.Shard)
		if holder == nil {
			continue // on another server: opening this directory alone can't tell
		}
		outcome, err := holder.Outcome(ctx, x.DTID)
		switch {
		case err == nil && outcome == tablet.Commits:
			err = t.CommitPrepared(ctx, x.DTID)
		case err == nil && outcome == tablet.Aborts:
			err = t.RollbackPrepared(ctx, x.DTID)
		default:
			left++
		}
		if err != nil {
			return left + 1, err
		}
	}
	decided, err := t.Decisions(ctx)
	if err != nil {
		return left, err
	}
	for _, d := range decided {
		for _, at := range d.Participants {
			p := e.find(at.Keyspace, at.Shard)
			if p == nil {
				continue
			}
			if err := p.CommitPrepared(ctx, d.DTID); err != nil {
				return left + 1, err
			}
			if err := t.Confirm(ctx, d.DTID, at); err != nil {
				return left + 1, err
			}
		}
	}
	return left, nil
}

// peer finds a tablet for another one that has something to settle with it.
func (e *embedded) peer(at tablet.Target) (tablet.Resolver, error) {
	if t := e.find(at.Keyspace, at.Shard); t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("shard %s/%s isn't in this directory", at.Keyspace, at.Shard)
}
