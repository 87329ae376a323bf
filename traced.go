package vitessdo

import (
	"context"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
)

// What stands between an observed statement and its shards, to note what they are
// asked. Where nobody observes, nothing stands there.

// tracedTablet is a tablet as a statement asks it.
type tracedTablet struct {
	tablet.Tablet
	st *Statement
}

// Query implements tablet.Runner.
func (t *tracedTablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return t.st.query(ctx, t.Tablet, t.Target(), q)
}

// Exec implements tablet.Runner.
func (t *tracedTablet) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	return t.st.exec(ctx, t.Tablet, t.Target(), q)
}

// tracedTx is a transaction's part as a statement uses it.
type tracedTx struct {
	tablet.Tx
	st *Statement
}

// Query implements tablet.Runner.
func (t *tracedTx) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return t.st.query(ctx, t.Tx, t.Target(), q)
}

// Exec implements tablet.Runner.
func (t *tracedTx) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	return t.st.exec(ctx, t.Tx, t.Target(), q)
}

// Prepare implements tablet.Tx.
func (t *tracedTx) Prepare(ctx context.Context, dtid string, holder tablet.Target) (tablet.Redo, error) {
	var redo tablet.Redo
	err := t.step(ctx, "prepare", func(ctx context.Context) (err error) {
		redo, err = t.Tx.Prepare(ctx, dtid, holder)
		return err
	})
	return redo, err
}

// Decide implements tablet.Tx.
func (t *tracedTx) Decide(ctx context.Context, dtid string, participants []tablet.Target) error {
	return t.step(ctx, "decide", func(ctx context.Context) error { return t.Tx.Decide(ctx, dtid, participants) })
}

// CommitPrepared implements tablet.Tx.
func (t *tracedTx) CommitPrepared(ctx context.Context) error {
	return t.step(ctx, "commit", func(ctx context.Context) error { return t.Tx.CommitPrepared(ctx) })
}

// Commit implements tablet.Tx.
func (t *tracedTx) Commit(ctx context.Context) error {
	return t.step(ctx, "commit", func(ctx context.Context) error { return t.Tx.Commit(ctx) })
}

func (t *tracedTx) step(ctx context.Context, kind string, f func(context.Context) error) error {
	c := ShardCall{Kind: kind}
	ctx = t.st.asks(ctx, t.Target(), &c)
	c.Err = f(ctx)
	t.st.add(ctx, c, t.Target())
	return c.Err
}

// tracedView is a view whose tablets are traced.
type tracedView struct {
	exec.View
	st *Statement
}

// Tablet implements exec.View.
func (v *tracedView) Tablet(at exec.Place) tablet.Tablet {
	if t := v.View.Tablet(at); t != nil {
		return &tracedTablet{t, v.st}
	}
	return nil
}

func (st *Statement) exec(ctx context.Context, r tablet.Runner, at tablet.Target, q *tablet.Query) (tablet.Result, error) {
	c := ShardCall{Kind: "exec", Query: q.SQL}
	ctx = st.asks(ctx, at, &c)
	res, err := r.Exec(ctx, q)
	c.Rows, c.Err = res.RowsAffected, err
	st.add(ctx, c, at)
	return res, err
}

func (st *Statement) query(ctx context.Context, r tablet.Runner, at tablet.Target, q *tablet.Query) (tablet.Rows, error) {
	call := ShardCall{Kind: "query", Query: q.SQL}
	ctx = st.asks(ctx, at, &call)
	rows, err := r.Query(ctx, q)
	if err != nil {
		call.Err = err
		st.add(ctx, call, at)
		return nil, err
	}
	return &tracedRows{Rows: rows, ctx: ctx, st: st, at: at, call: call}, nil
}

// tracedRows counts a shard's rows.
type tracedRows struct {
	tablet.Rows
	ctx  context.Context
	st   *Statement
	at   tablet.Target
	call ShardCall
	done bool
}

// Moment implements tablet.Timed.
func (r *tracedRows) Moment() (tablet.Moment, bool) { return tablet.MomentOf(r.Rows) }

// Next implements tablet.Rows.
func (r *tracedRows) Next(dest []tablet.Value) error {
	err := r.Rows.Next(dest)
	if err == nil {
		r.call.Rows++
		return nil
	}
	if !isEOF(err) {
		r.call.Err = err
	}
	r.end()
	return err
}

// Close implements tablet.Rows.
func (r *tracedRows) Close() error {
	err := r.Rows.Close()
	if err != nil && r.call.Err == nil {
		r.call.Err = err
	}
	r.end()
	return err
}

func (r *tracedRows) end() {
	if r.done {
		return
	}
	r.done = true
	r.st.add(r.ctx, r.call, r.at)
}
