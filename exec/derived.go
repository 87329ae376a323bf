package exec

import (
	"context"
	"fmt"

	"github.com/vitessdo/vitessdo/route"
)

// deriving computes columns that are made of others, at the gate.
type deriving struct {
	*route.Derived
	ctx  context.Context
	at   *scratch
	args []any
}

// derive lets f compute what d says, row by row; with a nil d there is nothing to do.
func derive(ctx context.Context, d *route.Derived, f func(*deriving) error) error {
	if d == nil {
		return nil
	}
	if d.Err != nil {
		return d.Err
	}
	at, err := takeScratch(ctx)
	if err != nil {
		return err
	}
	defer at.release()
	return f(&deriving{Derived: d, ctx: ctx, at: at, args: make([]any, len(d.From))})
}

// row puts the computed values into the row, in the form in which the columns keep
// them. What doesn't fit is left to whoever keeps it.
func (d *deriving) row(row []any) error {
	for i, from := range d.From {
		d.args[i] = nil
		if from >= 0 {
			d.args[i] = row[from]
		}
	}
	out, err := d.at.conn.QueryAll(d.ctx, d.Query, d.args...)
	if err != nil {
		return fmt.Errorf("computing a key: %w", err)
	}
	for i, to := range d.To {
		v := keepValue(out[0][i])
		if s, err := stored(v, d.Columns[i]); err == nil {
			v = s
		}
		row[to] = v
	}
	return nil
}

// deriveChanges computes the derived columns of rows, before and after the write.
func deriveChanges(ctx context.Context, d *route.Derived, rows []change) error {
	return derive(ctx, d, func(d *deriving) error {
		for i := range rows {
			c := &rows[i]
			if c.before != nil {
				if err := d.row(c.before); err != nil {
					return err
				}
			}
			switch {
			case c.after == nil:
			case c.before != nil && !changed(c, d.From):
				for _, to := range d.To {
					c.after[to] = c.before[to]
				}
			default:
				if err := d.row(c.after); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
