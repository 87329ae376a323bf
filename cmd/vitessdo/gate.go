package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/gate/process"
)

// runGate serves a database to programs in other languages, until it is
// interrupted.
func runGate(c *console, args []string) error {
	if slices.ContainsFunc(args, func(a string) bool {
		return strings.HasPrefix(strings.TrimLeft(a, "-"), "mysql") && strings.HasPrefix(a, "-")
	}) {
		return usageError("this command leaves the MySQL protocol out, to stay light; build vitessdo-gate, which takes the same flags: cd gate/mysql && go build ./cmd/vitessdo-gate")
	}
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
