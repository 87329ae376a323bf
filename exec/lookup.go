package exec

import (
	"context"
	"fmt"
	"io"

	"github.com/vitessdo/vitessdo/route"
)

// lookup asks a lookup where a row is.
func lookup(ctx context.Context, s Session, step *route.LookupStep, args []any, hold bool) (id any, err error) {
	text := step.Text
	if hold {
		text = step.LockText
	}
	key := make([]any, len(step.Args))
	for k, src := range step.Args {
		key[k] = src.Value(args)
	}
	p, err := s.Statement(step.Keyspace, text)
	if err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, text)
	}
	vec, err := Bind(ctx, s, &p.Params, key, nil)
	if err != nil {
		return nil, err
	}
	rows, err := Query(ctx, s, p, vec)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	row := make([]any, len(p.Columns))
	if step.List {
		var list []byte
		for {
			if err := rows.Next(row); err != nil {
				if err == io.EOF {
					err = nil
				}
				return list, err
			}
			list = route.AppendItem(list, row[0])
		}
	}
	switch err := rows.Next(row); {
	case err == io.EOF:
		return nil, nil
	case err != nil:
		return nil, err
	}
	if b, ok := row[0].([]byte); ok {
		return append([]byte(nil), b...), nil // it is the stream's own
	}
	return row[0], nil
}
