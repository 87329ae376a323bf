package exec

import (
	"context"
	"fmt"
	"io"

	"github.com/vitessdo/vitessdo/route"
)

// Lookup asks the lookups by which a plan finds its shards, and puts their
// answers into args. Query and Exec do it by themselves; whoever explains a plan
// does it first. With lock, the entries can't change before the transaction ends.
func Lookup(ctx context.Context, s Session, p *route.Params, args []any, lock bool) error {
	for i := range p.Lookups {
		step := &p.Lookups[i]
		text := step.Text
		if lock {
			text = step.LockText
		}
		key := make([]any, len(step.Args))
		for k, src := range step.Args {
			key[k] = src.Value(args)
		}
		id, err := lookup(ctx, s, step, text, key)
		if err != nil {
			return err
		}
		args[step.Slot] = id
	}
	return nil
}

func lookup(ctx context.Context, s Session, step *route.LookupStep, text string, key []any) (id any, err error) {
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
