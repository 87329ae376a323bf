package vitessdo

import (
	"context"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
	"github.com/vitessdo/vitessdo/twopc"
)

// recover settles the distributed transactions that a crash has interrupted.
func (c *cluster) recover(ctx context.Context) error {
	if c.dir == nil {
		return nil
	}
	log, err := redolog.OpenOn(c.cfg.disk, c.dir.RedoFile(), c.cfg.Synchronous == "full")
	if err != nil {
		return err
	}
	c.log = log
	c.reserve = newReserve(c.cfg.disk, c.dir.Path(), c.countTablets())
	c.decide = &decisions{Log: log, reserve: c.reserve, settle: c.settleBefore}
	entries, err := log.Recover()
	if err != nil {
		return err
	}
	for i := range entries {
		if err := c.recoverEntry(ctx, &entries[i]); err != nil {
			return err
		}
		log.Done(entries[i].DTID)
	}
	twopc.Reach(twopc.Recovered, 0)
	log.OnTruncate(c.beforeTruncate(), nil)
	if err := log.Reset(); err != nil {
		return err
	}
	log.OnTruncate(c.beforeTruncate(), c.forget)
	return c.eachTablet(func(t *tabletserver.Tablet) error {
		if err := t.ForgetAll(ctx); tablet.CodeOf(err) != tablet.CodeFull {
			return err
		}
		return nil // the markers do no harm, and who only reads needs no space
	})
}

// recoverEntry replays a transaction on the shards that lack it. After a loss of
// power with synchronous=normal some may have lost what came before it as well:
// then it is lost everywhere, unless another shard has it.
func (c *cluster) recoverEntry(ctx context.Context, e *redolog.Entry) error {
	tablets := make([]*tabletserver.Tablet, len(e.Redos))
	standings := make([]tabletserver.Standing, len(e.Redos))
	seen := map[tabletserver.Standing]bool{}
	for i := range e.Redos {
		r := &e.Redos[i]
		t := c.find(r.Keyspace, r.Shard)
		if t == nil && c.tabletsOf(r.Keyspace) == nil {
			continue // the keyspace was dropped since
		}
		if t == nil {
			return newError(CodeTopology, "redo log of %s names shard %s/%s, which the directory doesn't have", c.dir.Path(), r.Keyspace, r.Shard)
		}
		var err error
		if standings[i], err = t.Standing(ctx, e.DTID, r); err != nil {
			return err
		}
		tablets[i], seen[standings[i]] = t, true
	}
	if seen[tabletserver.Lost] && !seen[tabletserver.Applied] {
		return nil
	}
	for i, t := range tablets {
		if t == nil || standings[i] == tabletserver.Lost {
			continue
		}
		twopc.Reach(twopc.Replaying, i)
		_, err := t.Replay(ctx, e.DTID, e.Redos[i])
		if tablet.CodeOf(err) == tablet.CodeFull && c.reserve.giveUp() {
			_, err = t.Replay(ctx, e.DTID, e.Redos[i])
		}
		if err != nil {
			return err
		}
		twopc.Reach(twopc.Replayed, i)
	}
	return nil
}

// beforeTruncate makes the commits of decided transactions durable before their
// redo is thrown away.
func (c *cluster) beforeTruncate() func() error {
	if c.cfg.Synchronous == "off" {
		return nil
	}
	return func() error { return c.eachTablet((*tabletserver.Tablet).SyncLog) }
}

func (c *cluster) checkpoint(ctx context.Context) error {
	return c.eachTablet(func(t *tabletserver.Tablet) error { return t.Checkpoint(ctx) })
}

func (c *cluster) forget(dtids []string) {
	_ = c.eachTablet(func(t *tabletserver.Tablet) error { return t.Forget(context.Background(), dtids) })
}

// settleBefore says whether a transaction must be durable whatever the mode, and
// makes durable what its shards committed before it: a change of the schema or of
// anything else in the catalog.
func (c *cluster) settleBefore(redos []tablet.Redo) (durably bool, err error) {
	if c.cfg.Synchronous != "normal" {
		return false, nil
	}
	for i := range redos {
		durably = durably || redos[i].Keyspace == catalogKeyspace
	}
	if !durably {
		return false, nil
	}
	for i := range redos {
		if t := c.find(redos[i].Keyspace, redos[i].Shard); t != nil {
			if err := t.SyncLog(); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}
