package twopc

import (
	"context"
	"errors"
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

// Log is where a distributed transaction is decided. It is safe for concurrent
// use.
type Log interface {
	// Append makes the decision to commit durable, with what replays it. An
	// error with code OUTCOME_UNKNOWN leaves open whether it is.
	Append(dtid string, redos []tablet.Redo) error
	// Done tells that every participant has committed.
	Done(dtid string)
}

// Commit ends a transaction. It always ends every participant: when it returns
// an error they are rolled back, unless the error's code is OUTCOME_UNKNOWN.
// With a nil log the participants' memory is all there is, and no crash to
// survive.
func Commit(ctx context.Context, mode Mode, dtid string, parts []tablet.Tx, log Log) error {
	writers := endReaders(parts)
	switch {
	case len(writers) == 0:
		return nil
	case len(writers) == 1:
		return commitOne(ctx, writers[0])
	case mode == Single:
		Rollback(writers)
		return &tablet.Error{Code: tablet.CodeUnsupported,
			Message: fmt.Sprintf("transaction_mode=single allows writes to one shard, the transaction wrote to %d; use transaction_mode=twopc", len(writers))}
	case mode == Multi:
		return commitEach(ctx, writers)
	}
	return commitAll(ctx, dtid, writers, log)
}

// UnfinishedError is in the chain of Commit's error when the decision is made
// but some participant could not commit, such as for a full disk. It holds its
// shard's write lock until Finish has succeeded.
type UnfinishedError struct {
	DTID  string
	Parts []tablet.Tx
	Log   Log // nil without one
	Err   error
}

// Error says what stood in the way.
func (e *UnfinishedError) Error() string { return "transaction " + e.DTID + ": " + e.Err.Error() }

// Unwrap returns the participants' errors.
func (e *UnfinishedError) Unwrap() error { return e.Err }

// Finish tries once more; participants that have committed are left alone. It is
// to be called from one goroutine at a time.
func (e *UnfinishedError) Finish(ctx context.Context) error {
	var left []tablet.Tx
	var errs []error
	for _, p := range e.Parts {
		if err := p.CommitPrepared(ctx); err != nil && tablet.CodeOf(err) != tablet.CodeMisuse {
			left = append(left, p)
			errs = append(errs, err)
		}
	}
	e.Parts = left
	if len(left) == 0 && e.Log != nil {
		e.Log.Done(e.DTID)
	}
	return errors.Join(errs...)
}

// Rollback undoes every participant.
func Rollback(parts []tablet.Tx) {
	for _, p := range parts {
		_ = p.Rollback()
	}
}

// endReaders ends the participants that have nothing to commit.
func endReaders(parts []tablet.Tx) []tablet.Tx {
	writers := make([]tablet.Tx, 0, len(parts))
	for _, p := range parts {
		if p.Wrote() {
			writers = append(writers, p)
			continue
		}
		_ = p.Rollback()
	}
	return writers
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

func commitAll(ctx context.Context, dtid string, writers []tablet.Tx, log Log) error {
	redos := make([]tablet.Redo, 0, len(writers))
	for i, p := range writers {
		Reach(Preparing, i)
		r, err := p.Prepare(ctx, dtid)
		if err != nil {
			Rollback(writers)
			return err
		}
		redos = append(redos, r)
	}
	Reach(Deciding, 0)
	if log != nil {
		if err := log.Append(dtid, redos); err != nil {
			Rollback(writers)
			return err
		}
	}
	Reach(Decided, 0)
	// Decided: from here on nothing may stop it, the caller's context included.
	if err := commitPrepared(context.WithoutCancel(ctx), writers); err != nil {
		return &tablet.Error{Code: tablet.CodeUnknownResult, Err: &UnfinishedError{DTID: dtid, Parts: writers, Log: log, Err: err},
			Message: fmt.Sprintf("transaction %s is decided to commit, but a shard could not yet: %v; it is tried again, also when the database is next opened", dtid, err)}
	}
	Reach(Forgetting, 0)
	if log != nil {
		log.Done(dtid)
	}
	Reach(Finished, 0)
	return nil
}

// commitPrepared commits the participants side by side: each may wait for its
// disk.
func commitPrepared(ctx context.Context, writers []tablet.Tx) error {
	errs := make([]error, len(writers))
	if Fault != nil {
		for i, w := range writers {
			errs[i] = w.CommitPrepared(ctx)
			Reach(Committed, i)
		}
		return errors.Join(errs...)
	}
	var wg sync.WaitGroup
	for i := 1; i < len(writers); i++ {
		wg.Go(func() { errs[i] = writers[i].CommitPrepared(ctx) })
	}
	errs[0] = writers[0].CommitPrepared(ctx)
	wg.Wait()
	return errors.Join(errs...)
}
