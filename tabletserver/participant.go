package tabletserver

import (
	"context"
	"fmt"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// Target says on which shard the transaction is.
func (x *Tx) Target() tablet.Target { return x.t.cfg.Target }

// Prepare makes sure that the transaction can be committed, and keeps what
// replays it, or gives that to the caller. A transaction that has changed nothing
// gives an empty Redo, needs no replay and leaves no marker.
func (x *Tx) Prepare(ctx context.Context, dtid string, holder tablet.Target) (tablet.Redo, error) {
	out := tablet.Redo{Keyspace: x.t.cfg.Target.Keyspace, Shard: x.t.cfg.Target.Shard}
	if err := x.preparable(ctx, dtid); err != nil {
		return out, x.t.at(err)
	}
	if x.wrote {
		if err := x.c.lock(); err != nil {
			return out, x.t.at(err)
		}
		x.endStreams()
		if err := x.seal(dtid); err != nil {
			x.failed(err)
			x.c.mu.Unlock()
			return out, x.t.at(err)
		}
		if holder == (tablet.Target{}) {
			x.place = x.t.place()
		}
		x.c.mu.Unlock()
	}
	x.dtid, x.holder, x.noKeys = dtid, holder, x.opts.NoForeignKeys || x.t.cfg.NoForeignKeys
	x.part.Keeps = x.wrote && holder != (tablet.Target{})
	x.part.Replays = x.wrote && x.t.cfg.Replays
	x.part.Step(protocol.Msg{Kind: protocol.Begin}, nil)
	if x.part.Keeps {
		x.t.doubt.mu.Lock()
		defer x.t.doubt.mu.Unlock()
	}
	if _, err := x.step(protocol.Msg{Kind: protocol.Prepare}); err != nil {
		return out, x.t.at(err)
	}
	if x.part.Keeps {
		x.t.wake()
	} else {
		out = x.redone()
	}
	return out, nil
}

func (x *Tx) preparable(ctx context.Context, dtid string) error {
	switch {
	case x.usable() != nil:
		return x.usable()
	case dtid == "":
		return misuse("a distributed transaction needs an ID")
	case ctx.Err() != nil:
		return canceled(ctx.Err())
	case x.redo.over:
		return &tablet.Error{Code: tablet.CodeTooBig,
			Message: fmt.Sprintf("the transaction's writes take more than the %d bytes that max_transaction_bytes allows on one shard, to be committed together with others; raise it, or write less in one transaction", x.t.cfg.MaxRedoBytes)}
	}
	return nil
}

// redone is what replays the transaction.
func (x *Tx) redone() tablet.Redo {
	out := tablet.Redo{Keyspace: x.t.cfg.Target.Keyspace, Shard: x.t.cfg.Target.Shard, Holder: x.holder}
	if x.wrote {
		out.Queries, out.NoForeignKeys, out.Place = x.redo.queries, x.noKeys, x.place
	}
	return out
}

// seal does all of the commit that can fail for a reason of SQL's: it looks at
// the deferred foreign keys and writes the marker. A failure leaves the
// transaction as it was.
func (x *Tx) seal(dtid string) error {
	return x.sealed(func() error {
		x.forgot = x.t.forget.some()
		return x.t.mark(x.c.c, dtid, x.forgot)
	})
}

// sealed runs what a commit writes beside the transaction's own.
func (x *Tx) sealed(write func() error) error {
	c := x.c.c
	violated, err := c.DeferredKeys()
	if err != nil {
		return err
	}
	if violated {
		return &tablet.Error{Code: tablet.CodeForeignKey, Message: "FOREIGN KEY constraint failed: a deferred one is still violated at commit"}
	}
	if err := c.Control("SAVEPOINT _vt_seal"); err != nil {
		return err
	}
	if err := write(); err != nil {
		x.remember()
		if c.InTransaction() {
			_ = c.Control("ROLLBACK TO _vt_seal")
			_ = c.Control("RELEASE _vt_seal")
		}
		return err
	}
	if err := c.Control("RELEASE _vt_seal"); err != nil || !x.t.onFile() {
		return err
	}
	// After the decision it is too late to find the disk full.
	return x.c.file.Flush()
}

// CommitPrepared commits a prepared transaction. When it fails, the write lock
// stays held, so that nothing can come between, and the call can be repeated;
// should SQLite have rolled the transaction back, that replays it.
func (x *Tx) CommitPrepared(context.Context) error {
	if x.part.Keeps {
		x.t.doubt.mu.Lock()
		defer x.t.doubt.mu.Unlock()
	} else if x.done {
		return x.t.at(misuse("the transaction has ended"))
	} else if x.dtid == "" {
		return x.t.at(misuse("the transaction is not prepared"))
	}
	_, err := x.step(protocol.Msg{Kind: protocol.Commit})
	return x.t.at(err)
}

// step gives the participant an event, carries out what it wants, and tells what
// it says. With Keeps, doubt.mu is held: the tablet itself may settle it too.
func (x *Tx) step(in protocol.Msg) (says protocol.Kind, err error) {
	var buf [4]protocol.Msg
	dropRedo := false
	for _, m := range x.part.Step(in, buf[:0]) {
		switch m.Kind {
		case protocol.Persist:
			if err = x.t.doubt.persist(x); err != nil {
				_, _ = x.step(protocol.Msg{Kind: protocol.PersistFailed})
				return protocol.Refused, err
			}
			return x.step(protocol.Msg{Kind: protocol.Persisted})
		case protocol.Apply:
			if err = x.apply(); err != nil {
				_, _ = x.step(protocol.Msg{Kind: protocol.ApplyFailed})
				return says, err
			}
			return x.step(protocol.Msg{Kind: protocol.Applied})
		case protocol.Lock:
			if err = x.takeBack(); err != nil {
				return says, err
			}
		case protocol.Undo:
			x.undo()
		case protocol.Unlock:
			x.finish()
		case protocol.DropRedo:
			dropRedo = true
		default:
			says = m.Kind
		}
	}
	if dropRedo {
		// Emptying the store may need the lock, which is free only now.
		x.t.doubt.drop(x.t, x.dtid)
	}
	return says, err
}

// apply commits in the engine, or replays where the transaction isn't open.
func (x *Tx) apply() error {
	if x.c == nil {
		return nil
	}
	if err := x.c.lock(); err != nil {
		return err
	}
	defer x.c.mu.Unlock()
	x.endStreams()
	var err error
	switch c := x.c.c; {
	case x.wrote && !x.part.Keeps && c.InTransaction():
		err = x.t.commitDecided(x.c)
	case !x.wrote || c.InTransaction():
		err = c.Control("COMMIT")
	default:
		r := x.redone()
		err = x.t.replay(c, x.dtid, &r)
	}
	if err == nil && x.part.Keeps {
		err = x.t.syncApart()
	}
	if err == nil {
		x.committed()
		if x.wrote {
			x.t.marked = true
			x.t.last = x.dtid
		}
	}
	return err
}

// undo rolls back in the engine; the lock stays.
func (x *Tx) undo() {
	x.remember()
	if x.c == nil || x.c.lock() != nil { // the tablet is closed, and SQLite has rolled back
		return
	}
	x.endStreams()
	if x.c.c.InTransaction() {
		_ = x.c.c.Control("ROLLBACK")
	}
	if x.t.cfg.Engine != nil && x.part.Keeps && !x.part.Known() {
		x.dropApart()
	}
	x.c.mu.Unlock()
}

// finish gives the connection and the write lock back.
func (x *Tx) finish() {
	if x.c == nil || x.c.lock() != nil {
		x.c, x.done = nil, true
		x.unlock()
		return
	}
	x.leave()
}
