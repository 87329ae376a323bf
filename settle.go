package vitessdo

import (
	"context"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// Tablets of one host settle by themselves what a coordinator has left. Those of
// different hosts can't reach each other: a gate that can reach them all carries
// their questions. Any number of gates may; every step can be repeated.

// settleEvery is how often a gate looks. What it has seen once it settles when it
// sees it again: until then its coordinator may be at it.
const settleEvery = 2 * time.Second

// settleAll runs until ctx ends.
func (c *cluster) settleAll(ctx context.Context) {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	seen := map[string]bool{}
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := map[string]bool{}
		_ = c.eachTablet(func(t tablet.Tablet) error {
			once, cancel := context.WithTimeout(ctx, settleEvery)
			defer cancel()
			c.settleOn(once, t, func(dtid string) bool {
				now[dtid] = true
				return seen[dtid]
			})
			return nil
		})
		seen = now
	}
}

// settleOn settles what is prepared on a tablet, by asking the holders, and what
// it has decided, by telling the participants. Errors leave it to another time.
func (c *cluster) settleOn(ctx context.Context, t tablet.Tablet, old func(dtid string) bool) {
	prepared, _ := t.Prepared(ctx)
	for _, x := range prepared {
		holder := c.tablet(x.Holder)
		if !old(x.DTID) || holder == nil {
			continue
		}
		switch out, _ := holder.Outcome(ctx, x.DTID); out {
		case tablet.Commits:
			if t.CommitPrepared(ctx, x.DTID) == nil {
				_ = holder.Confirm(ctx, x.DTID, t.Target())
			}
		case tablet.Aborts:
			_ = t.RollbackPrepared(ctx, x.DTID)
		}
	}
	decided, _ := t.Decisions(ctx)
	for _, x := range decided {
		if !old(x.DTID) {
			continue
		}
		for _, at := range x.Participants {
			if p := c.tablet(at); p != nil && p.CommitPrepared(ctx, x.DTID) == nil {
				_ = t.Confirm(ctx, x.DTID, at)
			}
		}
	}
}

// tablet gives a shard's tablet, nil for an unknown one.
func (c *cluster) tablet(at tablet.Target) tablet.Tablet {
	if at == catalogTarget {
		return c.catTab
	}
	for _, t := range c.tabletsOf(at.Keyspace) {
		if t.Target() == at {
			return t
		}
	}
	return nil
}
