package exec

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"strconv"

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
		case step.Query != nil && step.Query.List:
			v, args[step.Query.Items], err = members(ctx, s, step.Query, args, hold)
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

// members gives the values of a subquery that hangs on no row of its statement, each
// one once: as JSON, and as a list for destinations.
func members(ctx context.Context, s Session, q *route.SubqueryStep, args []any, hold bool) (text, list any, err error) {
	rows, err := answer(ctx, s, q.Plan, args, hold)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	m := &meter{limits: s.Limits()}
	row, seen := make([]any, len(q.Plan.Columns)), map[any]struct{}{}
	json, items := []byte{'['}, []byte{}
	for {
		switch err := rows.Next(row); {
		case err == io.EOF:
			return string(append(json, ']')), items, nil
		case err != nil:
			return nil, nil, err
		}
		v := keepValue(row[0])
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		if q.Decimal && v != nil {
			v = decimalOf(v)
		}
		if _, again := seen[v]; again {
			continue
		}
		seen[v] = struct{}{}
		if err := m.add(1, rowSize([]any{v}), "the members of IN (SELECT …)"); err != nil {
			return nil, nil, err
		}
		if len(json) > 1 {
			json = append(json, ',')
		}
		json, items = appendJSON(json, v), route.AppendItem(items, v)
	}
}

// appendJSON writes a number, a text or NULL, so that SQLite reads the same of it:
// a text's bytes as they are, whether they are UTF-8 or not.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		if math.IsInf(v, 0) {
			return append(b, map[bool]string{true: "9e999", false: "-9e999"}[v > 0]...)
		}
		text := strconv.AppendFloat(nil, v, 'g', -1, 64)
		if !bytes.ContainsAny(text, ".e") {
			text = append(text, ".0"...)
		}
		return append(b, text...)
	case string:
		b = append(b, '"')
		for i := range len(v) {
			switch c := v[i]; {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c < ' ':
				b = fmt.Appendf(b, "\\u%04x", c)
			default:
				b = append(b, c)
			}
		}
		return append(b, '"')
	}
	return append(b, "null"...)
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
