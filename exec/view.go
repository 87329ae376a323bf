package exec

import (
	"context"
	"errors"
	"io"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// viewTries is how often a statement looks for a moment at which nobody commits,
// before it makes one.
const viewTries = 8

// viewed is a Session whose tablets are those of a view. A shard that wasn't
// foreseen is added when it is asked for.
type viewed struct {
	Session
	ctx  context.Context
	view View
	err  error // of Tablet
}

// Tablet implements Session.
func (v *viewed) Tablet(keyspace string, shard int) tablet.Tablet {
	at := Place{keyspace, shard}
	if t := v.view.Tablet(at); t != nil {
		return t
	}
	if v.err = v.view.Add(v.ctx, []Place{at}); v.err != nil {
		return nil
	}
	return v.view.Tablet(at)
}

// see makes the shards of runs ready to be read as of one moment.
func see(ctx context.Context, s Session, runs []run) error {
	at := places(runs)
	if len(at) < 2 {
		return nil
	}
	if v, ok := s.(*viewed); ok {
		return v.view.Add(ctx, at)
	}
	if s.InTx() {
		return s.Together(ctx, at)
	}
	return nil
}

// autocommits says that a statement reads neither in a transaction nor on a view.
func autocommits(s Session) bool {
	_, has := s.(*viewed)
	return !has && !s.InTx()
}

// inView runs a query that reads several shards, or one after the other, on a
// view of them, anew as long as commits come between.
func inView(ctx context.Context, s Session, query func(Session) (Rows, error)) (Rows, error) {
	for try := 1; ; try++ {
		view, err := s.View(ctx, try > viewTries)
		if err != nil {
			return nil, err
		}
		if view == nil {
			return query(s)
		}
		rows, err := query(&viewed{Session: s, ctx: ctx, view: view})
		if err == nil {
			return &viewRows{Rows: rows, view: view}, nil
		}
		view.Close()
		if !errors.Is(err, ErrStale) || try > viewTries {
			return nil, err
		}
	}
}

// atOneMoment runs a query that reads several shards, or one after the other. Its
// streams are all opened before it gives a row.
func atOneMoment(ctx context.Context, s Session, p *route.Plan, query func(Session) (Rows, error)) (Rows, error) {
	rows, err := atOnce(ctx, s, len(p.Columns), query)
	switch {
	case err == nil || !errors.Is(err, ErrStale):
		return rows, err
	case s.InTx():
		return query(s)
	}
	return inView(ctx, s, query)
}

// atOnce runs it at the moment at which that happens to be; ErrStale says that there
// was none.
func atOnce(ctx context.Context, s Session, width int, query func(Session) (Rows, error)) (Rows, error) {
	view := s.Moment()
	if view == nil {
		return nil, ErrStale
	}
	defer view.Close()
	rows, err := query(&viewed{Session: s, ctx: ctx, view: view})
	if err != nil {
		return nil, err
	}
	r := &begunRows{Rows: rows, first: make([]any, width), waits: true}
	if r.err = rows.Next(r.first); r.err == io.EOF {
		err = nil
	} else {
		err = r.err
	}
	if err == nil {
		err = view.Met(ctx)
	}
	if err != nil {
		_ = rows.Close()
		return nil, err
	}
	return r, nil
}

// begunRows have given their first row, or their end, already.
type begunRows struct {
	Rows
	first []any
	err   error // that came instead
	waits bool  // it wasn't handed out yet
}

// Next implements Rows.
func (r *begunRows) Next(dest []any) error {
	if !r.waits {
		return r.Rows.Next(dest)
	}
	r.waits = false
	copy(dest, r.first)
	return r.err
}

// viewRows closes the view behind its rows.
type viewRows struct {
	Rows
	view View
}

// Next implements Rows. The end of the rows is the end of the view.
func (r *viewRows) Next(dest []any) error {
	err := r.Rows.Next(dest)
	if err != nil && r.view != nil {
		r.free()
	}
	return err
}

// Close implements Rows.
func (r *viewRows) Close() error {
	err := r.Rows.Close()
	if r.view != nil {
		r.free()
	}
	return err
}

func (r *viewRows) free() {
	r.view.Close()
	r.view = nil
}

// wantsView says whether a plan finds out only by reading which shards it reads.
func wantsView(p *route.Plan) bool { return len(p.Params.Steps) > 0 || len(p.Combine.Joins) > 0 }
