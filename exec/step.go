package exec

import (
	"context"
	"io"

	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// Prepare does the steps that a plan's own statements need the values of, and puts
// these into args. Query and Exec do it by themselves; whoever explains a plan does
// it first. With hold, what is read can't change before the transaction ends.
func Prepare(ctx context.Context, s Session, p *route.Params, args []any, hold bool) (err error) {
	for i := range p.Steps {
		step := &p.Steps[i]
		var v any
		switch {
		case step.Lookup != nil:
			v, err = lookup(ctx, s, step.Lookup, args, hold)
		case step.Query != nil:
			v, err = subquery(ctx, s, step.Query, args, hold)
		default:
			v, err = expression(ctx, step.SQL, args)
		}
		if err != nil {
			return err
		}
		args[step.Slot] = v
	}
	return nil
}

// subquery gives the value of a subquery that hangs on no row of its statement.
func subquery(ctx context.Context, s Session, q *route.SubqueryStep, args []any, hold bool) (v any, err error) {
	rows, err := answer(ctx, s, q.Plan, args, hold)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	row := make([]any, len(q.Plan.Columns))
	switch err := rows.Next(row); {
	case err == io.EOF && q.Exists:
		return int64(0), nil
	case err == io.EOF:
		return nil, nil
	case err != nil:
		return nil, err
	case q.Exists:
		return int64(1), nil
	}
	v = keepValue(row[0])
	if err := rows.Next(row); err == nil {
		return nil, &tablet.Error{Code: tablet.CodeTooManyRows, Message: "subquery returns more than 1 row"}
	} else if err != io.EOF {
		return nil, err
	}
	if q.Decimal && v != nil {
		return decimalOf(v), nil
	}
	return v, nil
}

// decimalOf gives the number of a DECIMAL that is written out or a key; the text of
// one that no number keeps, which has a type that says so.
func decimalOf(v any) any {
	d, ok := decimal.Of(v)
	if !ok {
		return v
	}
	if n, err := d.Value(); err == nil {
		return n
	}
	return d.String()
}

// expression gives the value of an expression over parameters.
func expression(ctx context.Context, sql string, args []any) (any, error) {
	sc, err := takeScratch(ctx)
	if err != nil {
		return nil, err
	}
	defer sc.release()
	return sc.eval(ctx, sql, args)
}
