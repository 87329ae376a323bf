package vitessdo

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// guard ends a session's transaction that lives too long, or is idle too long: its
// shards are free at once, whatever its client does. Only sessions whose options
// limit that have one. There is no goroutine but while it ends a transaction.
type guard struct {
	mu    sync.Mutex // held while the session is in a call
	s     *session
	timer *time.Timer
	begun time.Time // of the transaction
	used  time.Time // when the last call ended
}

func newGuard(s *session) *guard {
	if s.cfg.MaxTransactionTime <= 0 && s.cfg.MaxTransactionIdle <= 0 {
		return nil
	}
	return &guard{s: s}
}

// enter begins a call of the driver's user; what it gives ends the call.
func (s *session) enter() func() {
	g := s.guard
	if g == nil {
		return func() {}
	}
	g.mu.Lock()
	return func() {
		g.used = time.Now()
		g.mu.Unlock()
	}
}

// watch begins to count for a transaction that has just begun.
func (g *guard) watch() {
	if g == nil {
		return
	}
	g.begun, g.used = time.Now(), time.Now()
	left, _ := g.left()
	if g.timer == nil {
		g.timer = time.AfterFunc(left, g.look)
	} else {
		g.timer.Reset(left)
	}
}

// left says how long the transaction may go on, and which option says so.
func (g *guard) left() (time.Duration, string) {
	left, option := time.Duration(1<<62), ""
	if d := g.s.cfg.MaxTransactionTime; d > 0 {
		left, option = time.Until(g.begun.Add(d)), "max_transaction_time"
	}
	if d := g.s.cfg.MaxTransactionIdle; d > 0 {
		if l := time.Until(g.used.Add(d)); l < left {
			left, option = l, "max_transaction_idle"
		}
	}
	return left, option
}

// look ends the transaction if its time is over.
func (g *guard) look() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.s.tx == nil || g.s.tx.broken != nil {
		return
	}
	left, option := g.left()
	if left > 0 {
		g.timer.Reset(left)
		return
	}
	g.expire(option)
}

func (g *guard) expire(option string) error {
	d := g.s.cfg.MaxTransactionTime
	if option == "max_transaction_idle" {
		d = g.s.cfg.MaxTransactionIdle
	}
	err := &tablet.Error{Code: tablet.CodeTxExpired, Message: fmt.Sprintf("the transaction was rolled back: %s is %v", option, d)}
	if r := g.s.open; r != nil {
		_ = r.Close()
		r.isKept, r.keptAt = true, mapError(err)
	}
	g.s.tx.end()
	g.s.tx.broken = err
	return mapError(err)
}

// withDeadline makes a statement end with its transaction's time.
func (g *guard) withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if g == nil || g.s.tx == nil || g.s.tx.broken != nil || g.s.cfg.MaxTransactionTime <= 0 {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, g.begun.Add(g.s.cfg.MaxTransactionTime))
}

// outOfTime gives the error of a statement that was interrupted because its
// transaction's time was over; nil if it wasn't.
func (g *guard) outOfTime(ctx context.Context) error {
	if g == nil || g.s.tx == nil || g.s.tx.broken != nil || ctx.Err() != nil || g.s.cfg.MaxTransactionTime <= 0 ||
		time.Now().Before(g.begun.Add(g.s.cfg.MaxTransactionTime)) {
		return nil
	}
	return g.expire("max_transaction_time")
}

// guardedRows are rows whose reading is a call of the driver's user.
type guardedRows struct{ *rows }

var _ driver.RowsNextResultSet = guardedRows{}

func (r guardedRows) Next(dest []driver.Value) error {
	defer r.s.enter()()
	return r.rows.Next(dest)
}

func (r guardedRows) Close() error {
	defer r.s.enter()()
	return r.rows.Close()
}

func (r guardedRows) HasNextResultSet() bool {
	defer r.s.enter()()
	return r.rows.HasNextResultSet()
}

func (r guardedRows) NextResultSet() error {
	defer r.s.enter()()
	return r.rows.NextResultSet()
}

// countStatement counts a transaction's statements against max_transaction_statements.
func (t *transaction) countStatement() error {
	t.statements++
	if max := t.s.cfg.MaxTransactionStatements; max > 0 && t.statements > max {
		return newError(CodeLimit, "the transaction has run %d statements, as many as max_transaction_statements allows; commit it or roll it back", max)
	}
	return nil
}
