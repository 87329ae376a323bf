package tabletserver

import (
	"context"
	"fmt"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// Load gives, after a crash, the participant of a transaction that a log shared
// with other shards has decided; r is what the log has of it. One whose writes
// aren't there has the write lock, so that nobody gets between. CommitPrepared
// brings it to its end: it replays what is missing, and does nothing where the
// marker is. A log's transactions are to be loaded and committed in order.
func (t *Tablet) Load(ctx context.Context, dtid string, r tablet.Redo) (*Tx, error) {
	if r.Keyspace != t.cfg.Target.Keyspace || r.Shard != t.cfg.Target.Shard {
		return nil, t.at(&tablet.Error{Code: tablet.CodeWrongShard,
			Message: fmt.Sprintf("transaction %s is to be replayed on %s/%s", dtid, r.Keyspace, r.Shard)})
	}
	x := t.loaded(dtid, r)
	return x, t.at(x.load(ctx))
}

// loaded is a transaction of which a log has the redo.
func (t *Tablet) loaded(dtid string, r tablet.Redo) *Tx {
	x := &Tx{t: t, dtid: dtid, wrote: true, read: true, opts: tablet.TxOptions{Write: true, LockWait: t.cfg.LockWait},
		holder: r.Holder, noKeys: r.NoForeignKeys, redo: redo{queries: r.Queries}}
	x.part.Replays = t.cfg.Replays
	return x
}

// load tells the participant what was found.
func (x *Tx) load(ctx context.Context) error {
	applied, err := x.t.Applied(ctx, x.dtid)
	if err != nil {
		return err
	}
	_, err = x.step(protocol.Msg{Kind: protocol.Load, Open: applied})
	return err
}

// takeBack takes the write lock for what has to be replayed.
func (x *Tx) takeBack() error {
	if err := x.takeLock(context.Background()); err != nil {
		return err
	}
	x.c = x.t.writer
	return nil
}

// replay runs a redo, unless its marker is there, on a connection that has the
// write lock and no transaction.
func (t *Tablet) replay(c Conn, dtid string, r *tablet.Redo) (err error) {
	c.SetContext(context.Background())
	if r.NoForeignKeys != t.cfg.NoForeignKeys {
		// What the first run did, actions of keys among it, is done again.
		during, after := foreignKeysOff, foreignKeysOn
		if t.cfg.NoForeignKeys {
			during, after = after, during
		}
		if err := c.Control(during); err != nil {
			return err
		}
		defer func() { _ = c.Control(after) }()
	}
	if err := c.Control("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil && c.InTransaction() {
			_ = c.Control("ROLLBACK")
		}
	}()
	if err := run(c, createMarkers); err != nil {
		return err
	}
	found, err := c.QueryAll(context.Background(), findMarker, dtid)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		if err := replayAll(c, r.Queries); err != nil {
			return fmt.Errorf("replay of transaction %s: %w", dtid, err)
		}
		if err := t.mark(c, dtid, nil); err != nil {
			return err
		}
	}
	if t.cfg.Engine != nil && r.Holder != (tablet.Target{}) {
		if err := run(c, deleteRedo, dtid); err != nil {
			return err
		}
	}
	t.schema = 0 // to be read anew
	return c.Control("COMMIT")
}

func replayAll(c Conn, queries []tablet.Query) error {
	defer c.Trust(c.Trust(true)) // they were admitted when they ran first
	for i := range queries {
		s, err := c.Prepare(queries[i].SQL)
		if err == nil {
			_, err = runAll(s, &queries[i])
			s.Release()
		}
		if err != nil {
			return err
		}
	}
	return nil
}
