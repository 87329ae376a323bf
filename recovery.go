package vitessdo

import (
	"context"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
	"github.com/vitessdo/vitessdo/twopc"
)

// recover settles the distributed transactions that a crash has interrupted.
func (e *embedded) recover(ctx context.Context) error {
	log, err := redolog.OpenOn(e.cfg.disk, e.dir.RedoFile(), e.cfg.Synchronous == "full")
	if err != nil {
		return err
	}
	e.redo = log
	e.reserve = newReserve(e.cfg.disk, e.dir.Path(), len(e.all()))
	e.decide = &decisions{Log: log, reserve: e.reserve, settle: e.settleBefore}
	entries, err := log.Recover()
	if err != nil {
		return err
	}
	for i := range entries {
		if err := e.recoverEntry(ctx, &entries[i]); err != nil {
			return err
		}
	}
	twopc.Reach(twopc.Recovered, 0)
	log.OnTruncate(e.beforeTruncate(), nil)
	if err := log.Reset(); err != nil {
		return err
	}
	log.OnTruncate(e.beforeTruncate(), e.forget)
	return e.each(func(t *tabletserver.Tablet) error {
		if t.Unsettled() {
			return nil // with another server: it is locked as long
		}
		if err := t.ForgetAll(ctx); tablet.CodeOf(err) != tablet.CodeFull {
			return err
		}
		return nil // the markers do no harm, and who only reads needs no space
	})
}

// recoverEntry brings a decided transaction to its end on the shards that lack it.
func (e *embedded) recoverEntry(ctx context.Context, x *redolog.Entry) error {
	tablets, err := e.lacking(ctx, x)
	if err != nil {
		return err
	}
	parts := make([]tablet.Tx, len(tablets))
	for i, t := range tablets {
		if t != nil {
			if parts[i], err = t.Load(ctx, x.DTID, x.Redos[i]); err != nil {
				return err
			}
		}
	}
	return twopc.Recover(ctx, x.DTID, parts, e.redo, func(err error) bool {
		return tablet.CodeOf(err) == tablet.CodeFull && e.reserve.giveUp()
	})
}

// lacking gives the tablets that a decided transaction is to be brought to; nil
// for a shard that is gone. After a loss of power with synchronous=normal some may
// have lost what came before it as well: then it is lost everywhere, unless another
// shard has it.
func (e *embedded) lacking(ctx context.Context, x *redolog.Entry) ([]*tabletserver.Tablet, error) {
	tablets := make([]*tabletserver.Tablet, len(x.Redos))
	seen := map[tabletserver.Standing]bool{}
	for i := range x.Redos {
		r := &x.Redos[i]
		t := e.find(r.Keyspace, r.Shard)
		if t == nil && e.kept(r.Keyspace) == nil {
			continue // the keyspace was dropped since
		}
		if t == nil {
			return nil, newError(CodeTopology, "redo log of %s names shard %s/%s, which the directory doesn't have", e.dir.Path(), r.Keyspace, r.Shard)
		}
		standing, err := t.Standing(ctx, x.DTID, r)
		if err != nil {
			return nil, err
		}
		if seen[standing] = true; standing != tabletserver.Lost {
			tablets[i] = t
		}
	}
	if seen[tabletserver.Lost] && !seen[tabletserver.Applied] {
		clear(tablets)
	}
	return tablets, nil
}

// beforeTruncate makes the commits of decided transactions durable before their
// redo is thrown away.
func (e *embedded) beforeTruncate() func() error {
	if e.cfg.Synchronous == "off" {
		return nil
	}
	return func() error { return e.each((*tabletserver.Tablet).SyncLog) }
}

func (e *embedded) forget(dtids []string) {
	_ = e.each(func(t *tabletserver.Tablet) error { return t.Forget(context.Background(), dtids) })
}

// settleBefore says whether a transaction must be durable whatever the mode, and
// makes durable what its shards committed before it: a change of the schema or of
// anything else in the catalog.
func (e *embedded) settleBefore(redos []tablet.Redo) (durably bool, err error) {
	if e.cfg.Synchronous != "normal" {
		return false, nil
	}
	for i := range redos {
		durably = durably || redos[i].Keyspace == catalogTarget.Keyspace
	}
	if !durably {
		return false, nil
	}
	for i := range redos {
		if t := e.find(redos[i].Keyspace, redos[i].Shard); t != nil {
			if err := t.SyncLog(); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}
