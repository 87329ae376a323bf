package contract

import (
	"context"

	"github.com/vitessdo/vitessdo/tablet"
)

// spelled is a tablet whose engine speaks another dialect than the tests.
type spelled struct {
	tablet.Tablet
	tablet.Snapshotter
	spell func(sql string) string
}

// spelledTx is a transaction on it.
type spelledTx struct {
	tablet.Tx
	tablet.SnapshotTx
	spell func(sql string) string
}

func spell(f func(string) string, q *tablet.Query) *tablet.Query {
	c := *q
	c.SQL = f(q.SQL)
	return &c
}

func (s spelled) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return s.Tablet.Query(ctx, spell(s.spell, q))
}

func (s spelled) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	return s.Tablet.Exec(ctx, spell(s.spell, q))
}

func (s spelled) Begin(ctx context.Context, opts tablet.TxOptions) (tablet.Tx, error) {
	x, err := s.Tablet.Begin(ctx, opts)
	if err != nil {
		return nil, err
	}
	return spelledTx{x, x.(tablet.SnapshotTx), s.spell}, nil
}

func (x spelledTx) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return x.Tx.Query(ctx, spell(x.spell, q))
}

func (x spelledTx) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	return x.Tx.Exec(ctx, spell(x.spell, q))
}
