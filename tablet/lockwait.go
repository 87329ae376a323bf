package tablet

import (
	"context"
	"time"
)

type lockWaitKey struct{}

// NoWait is the lock wait of who doesn't wait: a lock that isn't free is an error
// with CodeLockNoWait.
const NoWait time.Duration = -1

// WithLockWait bounds the wait for write locks under a context, in the place of
// what TxOptions and the tablet say. It is looked at only when a lock isn't free.
func WithLockWait(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, lockWaitKey{}, d)
}

// LockWait gives what WithLockWait has set, or def.
func LockWait(ctx context.Context, def time.Duration) time.Duration {
	if d, ok := ctx.Value(lockWaitKey{}).(time.Duration); ok {
		return d
	}
	return def
}
