package lease

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// Default is how long an owner is believed to be there without a sign of life.
const Default = 15 * time.Second

// Margin is by how much the row's time is longer than the owner's.
const Margin = time.Second

// Store is the row that names the owner, in the database that is owned. One call runs at
// a time.
type Store interface {
	// Claim makes owner the owner until a time from now, by the database's clock, and
	// gives 0. While another one's time isn't over it leaves the row as it is, and gives
	// what is left, unless it is to steal. It comes back when nothing that the last owner
	// has begun to write is open any more.
	Claim(ctx context.Context, owner string, until time.Duration, steal bool) (left time.Duration, err error)
	// Renew moves the end on; it says false where the row doesn't name the owner any more.
	Renew(ctx context.Context, owner string, until time.Duration) (still bool, err error)
	// Release lets the row name nobody, if it names the owner.
	Release(ctx context.Context, owner string) error
}

// Options say how a database is owned. The zero value is a usable default.
type Options struct {
	// Name names the database in errors, without secrets.
	Name string
	// Length is for how long the owner is believed to be there without a sign of life: a
	// process that was killed keeps others away for as long. Default: [Default].
	Length time.Duration
	// Steal takes the database from an owner whose lease isn't over.
	Steal bool
	// Reconnect bounds the attempts of [Lease.Settle]; default 10 s.
	Reconnect time.Duration
}

// Lease is the ownership of a database. Its methods may be called from any goroutine.
type Lease struct {
	store Store
	o     Options
	owner string
	// fresh is when the request was sent that moved the end on last.
	fresh  atomic.Pointer[time.Time]
	taken  atomic.Bool
	renews sync.Mutex

	ctx    context.Context // ends with the lease
	end    context.CancelFunc
	work   sync.WaitGroup
	closed sync.Once
}

// Take makes the caller the owner, which it stays until it closes the lease, or the
// database doesn't hear of it for as long as that is. It fails with
// [tablet.CodeLockTimeout] while another one is.
func Take(ctx context.Context, store Store, o Options) (*Lease, error) {
	if o.Length <= 0 {
		o.Length = Default
	}
	if o.Reconnect <= 0 {
		o.Reconnect = 10 * time.Second
	}
	var id [12]byte
	_, _ = rand.Read(id[:]) // it never fails
	l := &Lease{store: store, o: o, owner: hex.EncodeToString(id[:])}
	sent := time.Now()
	left, err := store.Claim(ctx, l.owner, l.until(), o.Steal)
	switch {
	case err != nil:
		return nil, err
	case left > 0:
		return nil, &tablet.Error{Code: tablet.CodeLockTimeout, Message: fmt.Sprintf(
			"%s is another process's, which was last there less than %s ago; close it, or wait %.0f s if it was killed", o.Name, o.Length, math.Ceil(left.Seconds()))}
	}
	l.fresh.Store(&sent)
	l.ctx, l.end = context.WithCancel(context.WithoutCancel(ctx))
	l.work.Go(l.renewing)
	return l, nil
}

// Owner is the name of this owner in the row: 24 hexadecimal digits.
func (l *Lease) Owner() string { return l.owner }

func (l *Lease) until() time.Duration { return l.o.Length + Margin }

// renewing moves the lease on until it is closed, or lost.
func (l *Lease) renewing() {
	tick := time.NewTicker(l.o.Length / 4)
	defer tick.Stop()
	for !l.taken.Load() {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		l.Renew(l.ctx)
	}
}

// Renew moves the end on now. That is done again and again anyway, but where the database
// does one thing at a time it may not get round to it for long.
func (l *Lease) Renew(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.o.Length/2)
	defer cancel()
	l.renews.Lock()
	defer l.renews.Unlock()
	sent := time.Now()
	switch still, err := l.store.Renew(ctx, l.owner, l.until()); {
	case err != nil: // the next one may come through
	case still:
		l.fresh.Store(&sent)
	default:
		l.taken.Store(true)
	}
}

// Held says why the database isn't this process's to read, if it isn't: with
// [tablet.CodeClosed] when another one has become its owner, which is final, with
// [tablet.CodeIO] when the lease may be over, until it is moved on again.
func (l *Lease) Held() error {
	if l.taken.Load() {
		return l.Taken()
	}
	if since := elapsed(*l.fresh.Load()); since > l.o.Length {
		return &tablet.Error{Code: tablet.CodeIO, Message: fmt.Sprintf(
			"%s hasn't answered for %s, so that another process may own it by now", l.o.Name, since.Round(time.Second))}
	}
	return nil
}

// elapsed is the time since t by the clock that has counted more: the one that only
// counts stands still while the machine sleeps, the one that can be set may be set back.
func elapsed(t time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

// Taken ends the lease, since the row was found to name another owner, and is the error
// that says so.
func (l *Lease) Taken() error {
	l.taken.Store(true)
	return &tablet.Error{Code: tablet.CodeClosed, Message: "another process has become the owner of " + l.o.Name + "; open the tablet again"}
}

// Settle says whether a transaction is committed whose COMMIT failed with cause, as a
// connection does that breaks: nil, or an error with [tablet.CodeIO]. read gives the row's
// turn once what held the row has ended, on a new connection; turn is the transaction's
// own. It is asked until it answers, the lease is closed, the context or
// [Options.Reconnect] is over: then nobody knows, [tablet.CodeUnknownResult].
func (l *Lease) Settle(ctx context.Context, turn int64, cause error, read func(context.Context) (int64, error)) error {
	for until, wait := time.Now().Add(l.o.Reconnect), 10*time.Millisecond; ; wait = min(2*wait, time.Second) {
		now, err := read(ctx)
		switch {
		case err == nil && now == turn:
			return nil
		case err == nil:
			return &tablet.Error{Code: tablet.CodeIO, Err: cause, Message: "the transaction was lost with its connection: " + cause.Error()}
		case time.Now().After(until) || ctx.Err() != nil || l.ctx.Err() != nil || tablet.CodeOf(err) == tablet.CodeClosed:
			return &tablet.Error{Code: tablet.CodeUnknownResult, Err: cause,
				Message: "whether the transaction was committed is unknown, since " + l.o.Name + " doesn't answer: " + cause.Error()}
		}
		select {
		case <-ctx.Done():
		case <-l.ctx.Done():
		case <-time.After(wait):
		}
	}
}

// Close gives the database up, so that the next owner needn't wait. That is tried for
// 2 s; the lease runs out otherwise.
func (l *Lease) Close() {
	l.closed.Do(func() {
		l.end()
		l.work.Wait()
		if !l.taken.Load() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), 2*time.Second)
			defer cancel()
			_ = l.store.Release(ctx, l.owner)
		}
	})
}
