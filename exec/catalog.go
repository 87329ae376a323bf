package exec

import (
	"context"
	"fmt"
	"io"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// catalogRunner stands where a shard would for a fragment whose rows the gate
// makes, so that they take the way of all others.
type catalogRunner struct {
	frag *route.Fragment
	rows [][]any
}

func (c *catalogRunner) Query(context.Context, *tablet.Query) (tablet.Rows, error) {
	return &catalogRows{names: c.frag.Names, rows: c.rows}, nil
}

func (c *catalogRunner) Exec(context.Context, *tablet.Query) (tablet.Result, error) {
	return tablet.Result{}, fmt.Errorf("the gate's table %s can't be written", c.frag.Catalog.Table)
}

type catalogRows struct {
	names []string
	rows  [][]any
}

func (c *catalogRows) Columns() []string { return c.names }

func (c *catalogRows) Next(dest []any) error {
	if len(c.rows) == 0 {
		return io.EOF
	}
	copy(dest, c.rows[0])
	c.rows = c.rows[1:]
	return nil
}

func (c *catalogRows) Close() error {
	c.rows = nil
	return nil
}
