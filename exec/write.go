package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// Exec runs a plan for what it does; rows that it returns are dropped. args is
// what Bind made. A statement that fails has done nothing, unless the error
// holds an *UndoError or its code says that the outcome is unknown.
func Exec(ctx context.Context, s Session, p *route.Plan, args []any) (Result, error) {
	if p.Write != nil {
		_, res, err := write(ctx, s, p, args)
		return res, err
	}
	rows, err := Query(ctx, s, p, args)
	if err != nil {
		return Result{}, err
	}
	defer rows.Close()
	dest := make([]any, len(p.Columns))
	for {
		if err := rows.Next(dest); err != nil {
			if err == io.EOF {
				err = rows.Close()
			}
			return Result{}, err
		}
	}
}

// write runs a write and gives the rows of its RETURNING.
func write(ctx context.Context, s Session, p *route.Plan, args []any) ([][]any, Result, error) {
	rows, res, err := found(ctx, s, p, args)
	if err != nil {
		err = foreignKey(p, err)
	}
	return rows, res, err
}

// foreignKey names the key in a shard's error about a foreign key, as far as it
// can be told.
func foreignKey(p *route.Plan, err error) error {
	var t *tablet.Error
	var undo *UndoError
	if route.IsViolation(err) || errors.As(err, &undo) || !errors.As(err, &t) || t.Code != tablet.CodeForeignKey {
		return err
	}
	if named := p.Write.Violated(); named != nil {
		return named
	}
	return err
}

// found first does the steps of the plan.
func found(ctx context.Context, s Session, p *route.Plan, args []any) (rows [][]any, res Result, err error) {
	if len(p.Params.Steps) == 0 {
		return writeKind(ctx, s, p, args)
	}
	err = atomically(ctx, s, func(sc *scope) error {
		if err := Prepare(ctx, sc, &p.Params, args, true); err != nil {
			return err
		}
		rows, res, err = writeKind(ctx, sc, p, args)
		return err
	})
	return rows, res, err
}

func writeKind(ctx context.Context, s Session, p *route.Plan, args []any) ([][]any, Result, error) {
	switch p.Write.Kind {
	case route.WriteWhole:
		return writeWhole(ctx, s, p, args)
	case route.WriteRows:
		return writeRows(ctx, s, p, args)
	case route.WriteByKey:
		return writeByKey(ctx, s, p, args)
	}
	return nil, Result{}, fmt.Errorf("write of the unknown kind %d", p.Write.Kind)
}

// writeWhole sends each fragment's statement to its shards.
func writeWhole(ctx context.Context, s Session, p *route.Plan, args []any) ([][]any, Result, error) {
	runs, err := resolve(s, p.Fragments, args)
	if err != nil {
		return nil, Result{}, err
	}
	if len(runs) == 1 {
		r := &runs[0]
		if r.runner, err = runner(ctx, s, r.frag.Keyspace, r.shard, Writing); err != nil {
			return nil, Result{}, err
		}
		rows, n, err := returning(ctx, r.runner, &r.q, len(p.Columns))
		return rows, Result{RowsAffected: n}, err
	}
	counts := make([]int64, len(runs))
	parts := make([][][]any, len(runs))
	err = atomically(ctx, s, func(sc *scope) error {
		at := places(runs)
		if err := sc.lock(at); err != nil {
			return err
		}
		return sc.each(at, func(ctx context.Context, at Place, tx tablet.Tx) (err error) {
			for i := range runs {
				if r := &runs[i]; r.shard == at.Shard && r.frag.Keyspace == at.Keyspace {
					if parts[i], counts[i], err = returning(ctx, tx, &r.q, len(p.Columns)); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, Result{}, err
	}
	var rows [][]any
	var res Result
	for i := range runs {
		// A write that goes everywhere has one shard's answer per statement.
		if p.Write.Everywhere && i > 0 && runs[i].ord == runs[i-1].ord {
			continue
		}
		rows = append(rows, parts[i]...)
		res.RowsAffected += counts[i]
	}
	return rows, res, nil
}

// returning runs a write and, when width is above 0, gathers the rows that it
// returns; their number is then the count.
func returning(ctx context.Context, r tablet.Runner, q *tablet.Query, width int) ([][]any, int64, error) {
	if width == 0 {
		res, err := r.Exec(ctx, q)
		return nil, res.RowsAffected, err
	}
	rows, err := queryAll(ctx, r, q)
	return rows, int64(len(rows)), err
}

func queryAll(ctx context.Context, r tablet.Runner, q *tablet.Query) (out [][]any, err error) {
	rows, err := r.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	buf := make([]any, len(rows.Columns()))
	for {
		if err := rows.Next(buf); err != nil {
			if err == io.EOF {
				err = nil
			}
			return out, err
		}
		out = append(out, keep(buf))
	}
}

// savepoint is the name of the savepoint that a statement is undone to.
const savepoint = "_vt_stmt"

// scope is a statement of several executions, all of which stay or none. In an
// implicit transaction the transaction's own rollback undoes them; in one of
// the user's a savepoint on each touched shard does. It is itself the Session of
// the statements that run inside it: effects, and theirs.
type scope struct {
	Session
	ctx   context.Context
	inner bool   // what is done is undone by savepoints
	outer *scope // of which this one is a part, or nil
	txs   map[Place]tablet.Tx
	order []Place
}

// atomically runs fn in a scope; a statement that runs inside one is a part of
// it.
func atomically(ctx context.Context, s Session, fn func(*scope) error) error {
	if sc, inside := s.(*scope); inside {
		return fn(sc)
	}
	inner := s.InTx()
	return s.Atomically(ctx, func(s Session) error {
		sc := &scope{ctx: ctx, Session: s, inner: inner, txs: map[Place]tablet.Tx{}}
		err := fn(sc)
		if inner {
			err = sc.end(err)
		}
		return err
	})
}

// tx gives the transaction on a shard, which holds the write lock.
func (sc *scope) tx(at Place) (tablet.Tx, error) {
	if tx := sc.txs[at]; tx != nil {
		return tx, nil
	}
	var tx tablet.Tx
	var err error
	if sc.outer != nil {
		tx, err = sc.outer.tx(at)
	} else {
		tx, err = sc.Session.Tx(sc.ctx, at.Keyspace, at.Shard, Locking)
	}
	if err != nil {
		return nil, err
	}
	if tx == nil {
		return nil, fmt.Errorf("keyspace %q, shard %d: the session is in a transaction, but has none on this shard", at.Keyspace, at.Shard)
	}
	if sc.inner {
		if err := tx.Savepoint(sc.ctx, savepoint); err != nil {
			return nil, err
		}
	}
	sc.txs[at] = tx
	sc.order = append(sc.order, at)
	return tx, nil
}

// lock takes the write locks of places, which are in ascending order.
func (sc *scope) lock(places []Place) error {
	for _, at := range places {
		if _, err := sc.tx(at); err != nil {
			return err
		}
	}
	return nil
}

// each runs fn for locked places, side by side when there are several. The
// first error cancels the others, but not in a transaction of the user's: an
// interrupted write takes its whole transaction with it, not only itself.
func (sc *scope) each(places []Place, fn func(context.Context, Place, tablet.Tx) error) error {
	if len(places) == 1 {
		return fn(sc.ctx, places[0], sc.txs[places[0]])
	}
	ctx, cancel := context.WithCancel(sc.ctx)
	defer cancel()
	stop := cancel
	if sc.inner {
		stop = func() {}
	}
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	for _, at := range places {
		tx := sc.txs[at]
		wg.Go(func() {
			if err := fn(ctx, at, tx); err != nil {
				once.Do(func() { first = err })
				stop()
			}
		})
	}
	wg.Wait()
	return first
}

// end releases the savepoints or, after an error, goes back to them, also when
// the context has ended.
func (sc *scope) end(err error) error {
	ctx := context.WithoutCancel(sc.ctx)
	var undo error
	for _, at := range sc.order {
		tx := sc.txs[at]
		var e error
		if err != nil {
			e = tx.RollbackTo(ctx, savepoint)
		}
		if e == nil {
			e = tx.Release(ctx, savepoint)
		}
		if e != nil && undo == nil {
			undo = e
		}
	}
	switch {
	case undo == nil, over(err):
		return err
	case err == nil:
		return undo
	}
	return &UndoError{Err: err, Undo: undo}
}

// over says that an error is the end of the whole transaction, on all of its shards:
// nothing is left to undo.
func over(err error) bool {
	switch tablet.CodeOf(err) {
	case tablet.CodeConflict, tablet.CodeDeadlock, tablet.CodeTxExpired:
		return true
	}
	return false
}
