package tablet

import "context"

type traceKey struct{}

// maxTrace is more than a traceparent has; what is longer is none.
const maxTrace = 64

// WithTrace says to which trace the requests under a context belong, in the words of
// W3C's header traceparent: it goes along with them, and stands in the log of who
// carries them out.
func WithTrace(ctx context.Context, traceparent string) context.Context {
	if traceparent == "" || len(traceparent) > maxTrace {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, traceparent)
}

// Trace gives what WithTrace has set, or "".
func Trace(ctx context.Context) string {
	s, _ := ctx.Value(traceKey{}).(string)
	return s
}
