package vitessdo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
)

// RunOptions says how [RunTxWith] runs a transaction. The zero value of each
// field is a usable default.
type RunOptions struct {
	sql.TxOptions
	// MaxAttempts bounds how often the transaction is run; default 100.
	MaxAttempts int
	// MinWait and MaxWait bound the pause before another attempt, which doubles
	// from the one to the other, less a random part of up to a half. Defaults:
	// 1 ms and 200 ms.
	MinWait, MaxWait time.Duration
}

// RetryError is what a transaction that was run several times ended with.
type RetryError struct {
	Attempts int   // at least 2
	Err      error // of the last attempt, and the context's if that has ended
}

// Error gives the last attempt's error and the number of attempts.
func (e *RetryError) Error() string {
	return fmt.Sprintf("vitessdo: transaction failed after %d attempts: %v", e.Attempts, e.Err)
}

// Unwrap returns the last attempt's error.
func (e *RetryError) Unwrap() error { return e.Err }

// RunTx runs fn in a transaction and commits it. If fn or the commit fails with an
// error that is [Error.Retryable], as when two transactions would wait for each
// other, it is rolled back and run anew after a short random pause; it keeps the
// age of its first attempt, so that it wins against all that began later, begins
// with the locks that it had and the one that it was refused, and from the fourth attempt on locks what it
// reads, so that it is done at last. Any other error, also one whose outcome is
// unknown, rolls back and is returned as it is. When more than one attempt was made, the error is a
// [*RetryError]. It stops when ctx ends.
//
// fn must do all of its work through tx and leave Commit and Rollback alone. It
// may be called several times, so what it does besides must bear that. A panic in
// fn goes on after the rollback.
func RunTx(ctx context.Context, db *sql.DB, opts *sql.TxOptions, fn func(tx *sql.Tx) error) error {
	var o RunOptions
	if opts != nil {
		o.TxOptions = *opts
	}
	return RunTxWith(ctx, db, o, fn)
}

// RunTxWith is [RunTx] with options.
func RunTxWith(ctx context.Context, db *sql.DB, opts RunOptions, fn func(tx *sql.Tx) error) error {
	if opts.MaxAttempts <= 0 {
		opts.MaxAttempts = 100
	}
	if opts.MinWait <= 0 {
		opts.MinWait = time.Millisecond
	}
	if opts.MaxWait <= 0 {
		opts.MaxWait = 200 * time.Millisecond
	}
	aged := context.WithValue(ctx, attemptsKey{}, new(attempts))
	wait := min(opts.MinWait, opts.MaxWait)
	for attempt := 1; ; attempt++ {
		err := runOnce(aged, db, &opts.TxOptions, fn)
		if err == nil {
			return nil
		}
		if !runsAgain(err) || attempt >= opts.MaxAttempts {
			return afterAttempts(attempt, err)
		}
		if !sleep(ctx, wait/2+rand.N(wait/2+1)) {
			return afterAttempts(attempt, errors.Join(ctx.Err(), err))
		}
		wait = min(2*wait, opts.MaxWait)
	}
}

func afterAttempts(n int, err error) error {
	if n == 1 {
		return err
	}
	return &RetryError{Attempts: n, Err: err}
}

func runOnce(ctx context.Context, db *sql.DB, opts *sql.TxOptions, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// runsAgain says whether an error is worth another attempt. A transaction that
// was too slow for a limit will be so again; one that a shard has lost, with a
// connection or by starting anew, needn't.
func runsAgain(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	if e.Code == CodeTxState {
		// fn went on after an error that had rolled everything back.
		var cause *tablet.Error
		return errors.As(e.err, &cause) && cause.Retryable() && (cause.Code != CodeTxExpired || cause.Target.Shard != "")
	}
	return e.Retryable() && (e.Code != CodeTxExpired || e.Shard != "")
}

// sleep waits; it says whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempts is what the attempts of a transaction share, in a context.
type attempts struct {
	n   int
	age uint64 // the first one's
	// locks are the shards whose write locks an attempt held, or waited for, that
	// got in others' way; in an order that all transactions share.
	locks []tablet.Target
}

type attemptsKey struct{}

// lockFrom is the attempt from which a transaction locks what it reads. Age helps
// only among those that wait for locks; others that read first and write later
// could lose against a stream of writers for ever. So could those that only read,
// where shards keep no old states.
const lockFrom = 4

// inherits makes a transaction one more attempt: of what RunTx runs, or of the
// connection's last transaction if that was told to retry.
func (s *session) inherits(ctx context.Context, t *transaction) {
	if s.lostAge != 0 {
		t.age, s.lostAge = s.lostAge, 0
	}
	a, ok := ctx.Value(attemptsKey{}).(*attempts)
	if !ok {
		return
	}
	if a.n++; a.n == 1 {
		a.age = t.age
	}
	t.age, t.again = a.age, a
	if a.n >= lockFrom && (!t.readOnly || s.cl.loses()) {
		t.level = serializable
	}
}

// remember notes with whose locks the next attempt begins, when this one dies for an
// older transaction.
func (t *transaction) remember(err error) {
	var e *tablet.Error
	if t.again == nil || !errors.As(err, &e) || e.Code != tablet.CodeDeadlock {
		return
	}
	add := func(at tablet.Target) {
		order := func(a, b tablet.Target) int {
			return cmp.Or(strings.Compare(a.Keyspace, b.Keyspace), strings.Compare(a.Shard, b.Shard))
		}
		if i, there := slices.BinarySearchFunc(t.again.locks, at, order); !there {
			t.again.locks = slices.Insert(t.again.locks, i, at)
		}
	}
	for _, p := range t.parts {
		if p.writes || p.tx.Wrote() {
			add(p.t.Target())
		}
	}
	add(e.Target)
}

// lockAhead begins an attempt with the locks that the ones before have needed. Among
// many transactions with two shards each, all but the eldest would else die at their
// second one, again and again.
//
// These locks are waited for in one order for all, by transactions that hold lower ones
// only, so that these can't wait for each other in a circle. They count as held and
// waited for by the eldest of all: in a circle with one whose locks were taken in
// another order, it is that one that dies.
func (t *transaction) lockAhead(ctx context.Context) error {
	if t.again == nil || len(t.parts) > 0 || t.readOnly {
		return nil
	}
	for _, at := range t.again.locks {
		tab := t.s.cl.tablet(at)
		if tab == nil {
			continue // its keyspace was dropped
		}
		if _, err := t.begin(ctx, &part{t: tab}, exec.Locking, tablet.TxOptions{ID: t.id, Age: tablet.Eldest}); err != nil {
			return err
		}
	}
	return nil
}
