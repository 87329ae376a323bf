package tpcc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo"
)

// Kind is one of the five transactions.
type Kind int

// The transactions.
const (
	NewOrder Kind = iota
	Payment
	OrderStatus
	Delivery
	StockLevel
	kinds
)

func (k Kind) String() string {
	return [...]string{"new order", "payment", "order status", "delivery", "stock level"}[k]
}

// mix is the percentage of each kind.
var mix = [kinds]int{45, 43, 4, 4, 4}

// Load of a run.
type Load struct {
	Terminals    int
	Transactions int // of each terminal; 0: until the context is done
	// Tell, when set, is called with each transaction before it is tried and
	// after it is committed, from several goroutines.
	Tell func(k Kind, committed bool)
}

// Result counts what a run has done.
type Result struct {
	Committed  [kinds]int
	RolledBack int // new orders with an item that isn't there
	Retries    int
	// Crossed counts the transactions that wrote to more than one warehouse.
	Crossed int
}

// errNoItem ends a new order that the specification wants rolled back.
var errNoItem = errors.New("item is not there")

// terminal does one transaction after the other for one home warehouse.
type terminal struct {
	*source
	db   *sql.DB
	home int
	load Load
	Result
	crossed bool // of the transaction under way
}

// Run lets the terminals work until they are done, or the context is, or one of
// them fails. A transaction that meets an error that says so is tried again.
func (c Config) Run(ctx context.Context, db *sql.DB, load Load) (Result, error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var sum Result
	var errs []error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i := range load.Terminals {
		t := &terminal{source: c.source(i + 1), db: db, home: i%c.Warehouses + 1, load: load}
		wg.Go(func() {
			err := t.work(ctx)
			mu.Lock()
			defer mu.Unlock()
			sum.add(t.Result)
			if err != nil {
				errs = append(errs, fmt.Errorf("terminal %d: %w", i, err))
				cancel()
			}
		})
	}
	wg.Wait()
	return sum, errors.Join(errs...)
}

func (r *Result) add(o Result) {
	for k, n := range o.Committed {
		r.Committed[k] += n
	}
	r.RolledBack += o.RolledBack
	r.Retries += o.Retries
	r.Crossed += o.Crossed
}

func (t *terminal) work(ctx context.Context) error {
	for n := 0; (t.load.Transactions == 0 || n < t.load.Transactions) && ctx.Err() == nil; n++ {
		k, dice := NewOrder, t.IntN(100)
		for dice >= mix[k] {
			dice -= mix[k]
			k++
		}
		if err := t.do(ctx, k); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("%v: %w", k, err)
		}
	}
	return nil
}

// do does one transaction, as often as it takes.
func (t *terminal) do(ctx context.Context, k Kind) error {
	body := t.draw(k)
	t.tell(k, false)
	for tries := 1; ; tries++ {
		t.crossed = false
		err := t.try(ctx, k, body)
		var e *vitessdo.Error
		switch {
		case err == nil:
			t.Committed[k]++
			if t.crossed {
				t.Crossed++
			}
			t.tell(k, true)
			return nil
		case errors.Is(err, errNoItem):
			t.RolledBack++
			return nil
		case errors.As(err, &e) && e.Retryable():
			t.Retries++
			t.wait(ctx, tries)
		default:
			return err
		}
	}
}

// wait lets others finish what the next try would meet again.
func (t *terminal) wait(ctx context.Context, tries int) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(t.IntN(200<<min(tries, 6))) * time.Microsecond):
	}
}

func (t *terminal) tell(k Kind, committed bool) {
	if t.load.Tell != nil {
		t.load.Tell(k, committed)
	}
}

func (t *terminal) try(ctx context.Context, k Kind, body func(*work) error) error {
	tx, err := t.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: k == OrderStatus || k == StockLevel})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	w := &work{ctx: ctx, tx: tx}
	if err := errors.Join(body(w), w.err); err != nil {
		return err
	}
	return tx.Commit()
}

// draw settles what a transaction is about, so that it is the same when it is
// tried again.
func (t *terminal) draw(k Kind) func(*work) error {
	switch k {
	case NewOrder:
		return t.newOrder()
	case Payment:
		return t.payment()
	case OrderStatus:
		return t.orderStatus()
	case Delivery:
		return t.delivery()
	default:
		return t.stockLevel()
	}
}

// work is one try of a transaction. After an error nothing more is run.
type work struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

func (w *work) exec(q string, args ...any) {
	if w.err != nil {
		return
	}
	if _, err := w.tx.ExecContext(w.ctx, q, args...); err != nil {
		w.err = fmt.Errorf("%s: %w", q, err)
	}
}

// one runs an update that must change exactly one row.
func (w *work) one(q string, args ...any) {
	if w.err != nil {
		return
	}
	r, err := w.tx.ExecContext(w.ctx, q, args...)
	if err != nil {
		w.err = fmt.Errorf("%s: %w", q, err)
		return
	}
	if n, err := r.RowsAffected(); n != 1 || err != nil {
		w.err = fmt.Errorf("%s %v: %d rows affected (%v), not 1", q, args, n, err)
	}
}

// row reads a row; it returns false if there is none.
func (w *work) row(dest []any, q string, args ...any) bool {
	if w.err != nil {
		return false
	}
	err := w.tx.QueryRowContext(w.ctx, q, args...).Scan(dest...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		w.err = fmt.Errorf("%s: %w", q, err)
	}
	return err == nil
}

// must is row for what has to be there.
func (w *work) must(dest []any, q string, args ...any) {
	if !w.row(dest, q, args...) && w.err == nil {
		w.err = fmt.Errorf("%s %v: no row", q, args)
	}
}

// ints reads a column of integers.
func (w *work) ints(q string, args ...any) []int {
	if w.err != nil {
		return nil
	}
	rows, err := w.tx.QueryContext(w.ctx, q, args...)
	if err != nil {
		w.err = fmt.Errorf("%s: %w", q, err)
		return nil
	}
	defer rows.Close()
	var out []int
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			w.err = err
			return nil
		}
		out = append(out, n)
	}
	if err := rows.Err(); err != nil {
		w.err = fmt.Errorf("%s: %w", q, err)
	}
	return out
}
