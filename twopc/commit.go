package twopc

import (
	"context"
	"fmt"
	"sync"

	"github.com/vitessdo/vitessdo/tablet"
)

// Mode says what a commit over several writing shards promises.
type Mode string

// The modes, named as in Vitess.
const (
	TwoPC  Mode = "twopc"  // all or nothing, through any crash
	Multi  Mode = "multi"  // one after the other; a crash between them leaves a part
	Single Mode = "single" // refused
)

// Log is a holder of decisions that shares the fate of all participants: a crash
// takes it and them together. It is safe for concurrent use.
type Log interface {
	// Append makes the decision to commit durable, with what replays it. An
	// error with code OUTCOME_UNKNOWN leaves open whether it is.
	Append(dtid string, redos []tablet.Redo) error
	// Done tells that every participant has committed.
	Done(dtid string)
}

// Memory is the log of participants that live in memory and end with it.
var Memory Log = memory{}

type memory struct{}

func (memory) Append(string, []tablet.Redo) error { return nil }
func (memory) Done(string)                        {}

// Commit ends a transaction. It ends every participant: when it returns an error
// they are rolled back, unless the error's code is OUTCOME_UNKNOWN. Then they are
// committed or rolled back as the holder of the decision says, and until it can
// say they keep their locks. With a nil log the last of those that wrote is the
// holder, and the others must be able to keep their redo themselves.
func Commit(ctx context.Context, mode Mode, dtid string, parts []tablet.Tx, log Log) error {
	return commit(mode, parts, &commitment{ctx: ctx, dtid: dtid, log: log})
}

// CommitEarly is Commit without a log, but returns when the transaction is decided:
// then later has been given what is left to be done, which nobody need wait for who
// doesn't read those shards. When it isn't done, the tablets do it by themselves.
func CommitEarly(ctx context.Context, mode Mode, dtid string, parts []tablet.Tx, later func(*Rest)) error {
	return commit(mode, parts, &commitment{ctx: ctx, dtid: dtid, later: later})
}

func commit(mode Mode, parts []tablet.Tx, d *commitment) error {
	writers, readers := split(parts)
	// What was locked to be read stays so until the commit shows. Else somebody who
	// overwrites it could be seen without the transaction that came before.
	defer d.letGo(readers)
	switch {
	case len(writers) == 0:
		return nil
	case len(writers) == 1:
		return commitOne(d.ctx, writers[0])
	case mode == Single:
		Rollback(writers)
		return &tablet.Error{Code: tablet.CodeUnsupported,
			Message: fmt.Sprintf("transaction_mode=single allows writes to one shard, the transaction wrote to %d; use transaction_mode=twopc", len(writers))}
	case mode == Multi:
		return commitEach(d.ctx, writers)
	}
	d.writers = writers
	return d.commitAll()
}

// Rollback undoes every participant.
func Rollback(parts []tablet.Tx) {
	for _, p := range parts {
		_ = p.Rollback()
	}
}

// RollbackApart is Rollback side by side, for participants that each wait for a
// message.
func RollbackApart(parts []tablet.Tx) {
	var wg sync.WaitGroup
	for i, p := range parts {
		if i == len(parts)-1 {
			_ = p.Rollback()
			break
		}
		wg.Go(func() { _ = p.Rollback() })
	}
	wg.Wait()
}

// split tells those that have something to commit from those that have only read.
func split(parts []tablet.Tx) (writers, readers []tablet.Tx) {
	writers = parts[:0:0]
	for _, p := range parts {
		if p.Wrote() {
			writers = append(writers, p)
		} else {
			readers = append(readers, p)
		}
	}
	return writers, readers
}

// letGo ends participants that have only read, side by side where each means a
// message.
func (d *commitment) letGo(readers []tablet.Tx) {
	if d.log != nil {
		Rollback(readers)
		return
	}
	RollbackApart(readers)
}

func commitOne(ctx context.Context, p tablet.Tx) error {
	err := p.Commit(ctx)
	if err != nil {
		_ = p.Rollback()
	}
	return err
}

func commitEach(ctx context.Context, writers []tablet.Tx) error {
	for i, p := range writers {
		err := p.Commit(ctx)
		if err == nil {
			continue
		}
		Rollback(writers[i:])
		if i == 0 {
			return err
		}
		return &tablet.Error{Code: tablet.CodeUnknownResult, Err: err,
			Message: fmt.Sprintf("transaction_mode=multi: %d of %d shards committed before one failed: %v", i, len(writers), err)}
	}
	return nil
}
