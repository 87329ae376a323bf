package main

import (
	"context"
	"errors"

	"github.com/vitessdo/vitessdo/tabletserver/process"
)

// runServe serves the tablets of a directory to gates elsewhere, until it is
// interrupted.
func runServe(c *console, args []string) error {
	ctx, stop := c.interruptible()
	defer stop()
	err := process.Run(ctx, args, c.out, c.err)
	var bad process.UsageError
	switch {
	case errors.As(err, &bad):
		return usageError(bad)
	case context.Cause(ctx) == errInterrupted && errors.Is(err, context.Canceled):
		return nil
	}
	return err
}
