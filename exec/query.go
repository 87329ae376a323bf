package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// Query runs a plan that returns rows, a write with RETURNING included. args is
// what Bind made; it must not change until the rows are closed. ctx governs the
// stream until it is closed. A row has as many columns as the plan.
func Query(ctx context.Context, s Session, p *route.Plan, args []any) (Rows, error) {
	if p.Write != nil {
		rows, _, err := write(ctx, s, p, args)
		if err != nil {
			return nil, err
		}
		return &combined{src: &kept{rows: rows}, left: -1}, nil
	}
	if wantsView(p) && autocommits(s) {
		return atOneMoment(ctx, s, p, func(s Session) (Rows, error) { return answer(ctx, s, p, args, false) })
	}
	return answer(ctx, s, p, args, p.Lock && s.InTx())
}

// answer runs a plan that reads; with hold, what it reads stays as it is until the
// transaction ends.
func answer(ctx context.Context, s Session, p *route.Plan, args []any, hold bool) (Rows, error) {
	if len(p.Params.Steps) > 0 {
		if err := Prepare(ctx, s, &p.Params, args, hold); err != nil {
			return nil, err
		}
	}
	if hold && p.SkipLocked {
		return skipLocked(ctx, s, p, args)
	}
	if hold && p.NoWait {
		ctx = tablet.WithLockWait(ctx, tablet.NoWait)
	}
	if len(p.Fragments) == 1 {
		if rows, err := single(ctx, s, p, args, hold); rows != nil || err != nil {
			return rows, err
		}
	}
	if hold {
		if err := lock(ctx, s, p.Fragments, args); err != nil {
			return nil, err
		}
	}
	return gather(ctx, s, p, args)
}

// gather runs a plan's fragments and combine.
func gather(ctx context.Context, s Session, p *route.Plan, args []any) (Rows, error) {
	runs, err := resolve(s, p.Fragments, args)
	if err != nil {
		return nil, err
	}
	run := func(s Session) (Rows, error) { return combine(ctx, s, p, runs, args) }
	if len(p.Combine.Joins) > 0 {
		run = func(s Session) (Rows, error) {
			if err := see(ctx, s, runs); err != nil { // its joins will say what they read
				return nil, err
			}
			return joined(ctx, s, p, args)
		}
	}
	if _, has := s.(*viewed); !has && len(places(runs)) > 1 {
		return atOneMoment(ctx, s, p, run)
	}
	return run(s)
}

// single is the hot path: one fragment that resolves to one shard, whose rows
// are the result as they come. It gives nil when the statement isn't like that.
func single(ctx context.Context, s Session, p *route.Plan, args []any, hold bool) (Rows, error) {
	f := p.Fragments[0]
	if !plain(&p.Combine) || f.Split || f.Tag {
		return nil, nil
	}
	m, err := shardMap(s, f.Keyspace)
	if err != nil {
		return nil, err
	}
	shards, err := f.Dest.Resolve(m, args, s.Scratch())
	if err != nil || len(shards) != 1 {
		return nil, err
	}
	sql, err := static(m.Text(&f.SQL, shards[0]))
	if err != nil {
		return nil, err
	}
	to := Reading
	if hold {
		to = Locking
	}
	r, err := runner(ctx, s, f.Keyspace, shards[0], to)
	if err != nil {
		return nil, err
	}
	q := tablet.Query{SQL: sql, Args: args, Schema: m.Schema}
	if err := narrow(s, m, shards[0], &q); err != nil {
		return nil, err
	}
	rows, err := r.Query(ctx, &q)
	if err != nil {
		return nil, err
	}
	if own := len(rows.Columns()); own != len(p.Columns) {
		if own < len(p.Columns) {
			return nil, errors.Join(fmt.Errorf("the shard gave %d columns, %d are wanted", own, len(p.Columns)), rows.Close())
		}
		return &cut{rows: rows, buf: make([]any, own)}, nil
	}
	return rows, nil
}

// plain says that the combine leaves the rows of a single run as they are.
func plain(c *route.Combine) bool {
	switch c.Kind {
	case route.Pass, route.Concat, route.Merge:
		return c.Limit == nil && c.Offset == nil && c.Distinct == nil
	}
	return false
}

// cut drops hidden columns.
type cut struct {
	rows tablet.Rows
	buf  []any
}

func (c *cut) Next(dest []any) error {
	if err := c.rows.Next(c.buf); err != nil {
		return err
	}
	copy(dest, c.buf)
	return nil
}

func (c *cut) Close() error { return c.rows.Close() }

// combine runs the runs and puts their rows together.
func combine(ctx context.Context, s Session, p *route.Plan, runs []run, args []any) (Rows, error) {
	c := &p.Combine
	m := &meter{limits: s.Limits()}
	if c.Kind == route.Query {
		if err := connect(ctx, s, runs); err != nil {
			return nil, err
		}
		return universal(ctx, p, runs, args, s.InTx(), m)
	}
	skip, left, err := bounds(c, args)
	if err != nil {
		return nil, err
	}
	out := &combined{skip: skip, left: left, src: &kept{}}
	if left == 0 {
		return out, nil
	}
	if err := connect(ctx, s, runs); err != nil {
		return nil, err
	}
	if out.src, err = open(ctx, c, runs, s.InTx(), m); err != nil {
		return nil, err
	}
	if c.Distinct != nil {
		sorted := c.Kind == route.Merge || c.Kind == route.Aggregate
		out.distinct = newDistinct(c, sorted, m)
	}
	return out, nil
}

// open starts the runs under the combine's own work.
func open(ctx context.Context, c *route.Combine, runs []run, inTx bool, m *meter) (source, error) {
	switch c.Kind {
	case route.Aggregate:
		return aggregate(ctx, c, runs, inTx, m)
	case route.Merge:
		if len(runs) == 1 {
			break
		}
		g := groups(runs, inTx)
		if len(g) == len(runs) {
			return openMerge(ctx, runs, c.Sort), nil
		}
		// Streams of one transaction on one shard can't be open side by side.
		rows, err := keepAll(openConcat(ctx, g), m, "ORDER BY over "+runs[0].q.SQL)
		if err != nil {
			return nil, err
		}
		sortRows(rows, c.Sort)
		return &kept{rows: rows}, nil
	}
	switch len(runs) {
	case 0:
		return &kept{}, nil
	case 1:
		return openDirect(ctx, &runs[0])
	}
	return openConcat(ctx, groups(runs, inTx)), nil
}

// lock takes the write locks of all shards that the fragments are about, in
// ascending order.
func lock(ctx context.Context, s Session, frags []*route.Fragment, args []any) error {
	runs, err := resolve(s, frags, args)
	if err != nil {
		return err
	}
	for _, at := range places(runs) {
		if _, err := s.Tx(ctx, at.Keyspace, at.Shard, Locking); err != nil {
			return err
		}
	}
	return nil
}

// skipLocked runs a query that asks for locks on the shards whose locks are free.
func skipLocked(ctx context.Context, s Session, p *route.Plan, args []any) (Rows, error) {
	if len(p.Fragments) > 1 {
		return nil, &tablet.Error{Code: tablet.CodeUnsupported,
			Message: "SKIP LOCKED is not supported for joins over several shards; read the tables one by one"}
	}
	runs, err := resolve(s, p.Fragments, args)
	if err != nil {
		return nil, err
	}
	quick := tablet.WithLockWait(ctx, tablet.NoWait)
	for _, at := range places(runs) {
		_, err := s.Tx(quick, at.Keyspace, at.Shard, Locking)
		switch {
		case tablet.CodeOf(err) == tablet.CodeLockNoWait:
			runs = slices.DeleteFunc(runs, func(r run) bool { return r.frag.Keyspace == at.Keyspace && r.shard == at.Shard })
		case err != nil:
			return nil, err
		}
	}
	return combine(ctx, s, p, runs, args)
}
