package vitessdootel

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/vitessdo/vitessdo"
)

const scope = "github.com/vitessdo/vitessdo/otel"

// Names of OpenTelemetry's conventions, and ours.
const (
	keySystem    = attribute.Key("db.system.name")
	keyNamespace = attribute.Key("db.namespace")
	keyOperation = attribute.Key("db.operation.name")
	keyText      = attribute.Key("db.query.text")
	keyRows      = attribute.Key("db.response.returned_rows")
	keyStatus    = attribute.Key("db.response.status_code")
	keyError     = attribute.Key("error.type")

	keyDigest  = attribute.Key("vitessdo.digest")
	keyPlan    = attribute.Key("vitessdo.plan_type")
	keyScatter = attribute.Key("vitessdo.scatter")
	keyCached  = attribute.Key("vitessdo.plan_cached")
	keyShards  = attribute.Key("vitessdo.shards")
	keyShard   = attribute.Key("vitessdo.shard")
	keyKind    = attribute.Key("vitessdo.call")
	keyOmitted = attribute.Key("vitessdo.calls_omitted")
	keyLabel   = "vitessdo.label."
)

// System is db.system.name of all spans and metrics.
const System = "vitessdo"

const traceparent = "traceparent"

// maxShardSpans bounds the children of a span.
const maxShardSpans = 128

// Option says how New observes.
type Option func(*observer)

// WithTracerProvider takes another provider than the global one; nil makes no spans.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(o *observer) { o.traces, o.tracesSet = p, true }
}

// WithMeterProvider takes another provider than the global one; nil makes no metrics.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(o *observer) { o.meters, o.metersSet = p, true }
}

// WithQueryText makes db.query.text the statement as it was written, with its
// literals, which may be private.
func WithQueryText() Option { return func(o *observer) { o.whole = true } }

type observer struct {
	traces               trace.TracerProvider
	meters               metric.MeterProvider
	tracesSet, metersSet bool
	whole                bool

	tracer trace.Tracer // nil: no spans
	took   metric.Float64Histogram
	rows   metric.Int64Histogram
	asked  metric.Int64Histogram
	shard  metric.Float64Histogram // nil: no metrics
}

var _ vitessdo.CallObserver = (*observer)(nil)

// callsKey leads, in a statement's context, to the number of its questions to shards.
type callsKey struct{}

// New makes an observer for vitessdo.Config.Observers. An instrument that a provider
// can't make goes to the global error handler.
func New(opts ...Option) vitessdo.Observer {
	o := &observer{}
	for _, set := range opts {
		set(o)
	}
	if !o.tracesSet {
		o.traces = otel.GetTracerProvider()
	}
	if !o.metersSet {
		o.meters = otel.GetMeterProvider()
	}
	if o.traces != nil {
		o.tracer = o.traces.Tracer(scope)
	}
	if o.meters != nil {
		o.instruments(o.meters.Meter(scope))
	}
	return o
}

// seconds are the bounds that the conventions recommend.
var seconds = metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)

func (o *observer) instruments(m metric.Meter) {
	var errs [4]error
	o.took, errs[0] = m.Float64Histogram("db.client.operation.duration", metric.WithUnit("s"), seconds,
		metric.WithDescription("Duration of statements, until their rows were closed."))
	o.rows, errs[1] = m.Int64Histogram("db.client.response.returned_rows", metric.WithUnit("{row}"),
		metric.WithDescription("Rows that a query gave, or a write affected."))
	o.asked, errs[2] = m.Int64Histogram("vitessdo.statement.shards", metric.WithUnit("{shard}"),
		metric.WithExplicitBucketBoundaries(0, 1, 2, 4, 8, 16, 32, 64, 128, 256), metric.WithDescription("Shards that a statement asked."))
	o.shard, errs[3] = m.Float64Histogram("vitessdo.shard.duration", metric.WithUnit("s"), seconds,
		metric.WithDescription("Duration of questions to a shard."))
	if err := errors.Join(errs[:]...); err != nil {
		otel.Handle(err)
	}
}

// StatementStart implements vitessdo.Observer.
func (o *observer) StatementStart(ctx context.Context, st *vitessdo.Statement) context.Context {
	if o.tracer == nil {
		return ctx
	}
	op := operation(st.Query)
	if from := vitessdo.Trace(ctx); from != "" && !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: from}) // a gate's client
	}
	ctx, _ = o.tracer.Start(ctx, strings.TrimSpace(op+" "+st.Keyspace), trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(st.Start),
		trace.WithAttributes(keySystem.String(System), keyNamespace.String(st.Keyspace), keyOperation.String(op)))
	return goesAlong(context.WithValue(ctx, callsKey{}, new(atomic.Int64)))
}

// goesAlong makes the context's span the one that a shard's server is told of.
func goesAlong(ctx context.Context) context.Context {
	to := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, to)
	return vitessdo.WithTrace(ctx, to[traceparent])
}

// CallStart implements vitessdo.CallObserver.
func (o *observer) CallStart(ctx context.Context, _ *vitessdo.Statement, c *vitessdo.ShardCall) context.Context {
	calls, _ := ctx.Value(callsKey{}).(*atomic.Int64)
	if o.tracer == nil || calls == nil || calls.Add(1) > maxShardSpans {
		return ctx
	}
	ctx, span := o.tracer.Start(ctx, c.Kind+" "+c.Keyspace+"/"+c.Shard, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(c.Start), trace.WithAttributes(
		keySystem.String(System), keyNamespace.String(c.Keyspace), keyShard.String(c.Shard), keyKind.String(c.Kind)))
	return goesAlong(context.WithValue(ctx, spanKey{}, span))
}

// spanKey leads, in a question's context, to its span.
type spanKey struct{}

// CallEnd implements vitessdo.CallObserver.
func (o *observer) CallEnd(ctx context.Context, _ *vitessdo.Statement, c *vitessdo.ShardCall) {
	span, _ := ctx.Value(spanKey{}).(trace.Span)
	if span == nil {
		return
	}
	span.SetAttributes(keyRows.Int64(c.Rows))
	if o.whole && c.Query != "" {
		span.SetAttributes(keyText.String(c.Query))
	}
	fail(span, c.Err)
	span.End(trace.WithTimestamp(c.Start.Add(c.Duration)))
}

// StatementEnd implements vitessdo.Observer.
func (o *observer) StatementEnd(ctx context.Context, st *vitessdo.Statement) {
	if o.tracer != nil {
		o.endSpan(ctx, st)
	}
	if o.shard != nil {
		o.measure(ctx, st)
	}
}

func (o *observer) endSpan(ctx context.Context, st *vitessdo.Statement) {
	span := trace.SpanFromContext(ctx)
	defer func() { span.End(trace.WithTimestamp(st.Start.Add(st.Duration))) }()
	if !span.IsRecording() {
		return
	}
	id, text := st.Digest()
	if o.whole {
		text = st.Query
	}
	span.SetAttributes(keyDigest.String(id), keyText.String(text), keyRows.Int64(st.Rows))
	if st.PlanType != "" {
		span.SetAttributes(keyPlan.String(st.PlanType), keyScatter.Bool(st.Scatter), keyCached.Bool(st.Cached), keyShards.StringSlice(append([]string(nil), st.Shards...)))
	}
	for _, l := range st.Labels {
		span.SetAttributes(attribute.String(keyLabel+l.Key, l.Value))
	}
	fail(span, st.Err)
	if calls, _ := ctx.Value(callsKey{}).(*atomic.Int64); calls != nil && calls.Load() > maxShardSpans {
		span.SetAttributes(keyOmitted.Int64(calls.Load() - maxShardSpans))
	}
}

// fail notes an error, if there is one: its code, and not its text, which may hold
// values.
func fail(span trace.Span, err error) {
	if err == nil {
		return
	}
	span.SetStatus(codes.Error, errorType(err))
	span.SetAttributes(keyError.String(errorType(err)))
	if e, ok := errors.AsType[*vitessdo.Error](err); ok && e.Number != 0 {
		span.SetAttributes(keyStatus.String(strconv.Itoa(int(e.Number))))
	}
}

// errorType is the error's code. A shard's errors are tablet errors, which have one too.
func errorType(err error) string {
	return string(vitessdo.CodeOf(err))
}

func (o *observer) measure(ctx context.Context, st *vitessdo.Statement) {
	attrs := []attribute.KeyValue{keySystem.String(System), keyNamespace.String(st.Keyspace), keyOperation.String(operation(st.Query))}
	if st.PlanType != "" {
		attrs = append(attrs, keyPlan.String(st.PlanType))
	}
	if st.Err != nil {
		attrs = append(attrs, keyError.String(errorType(st.Err)))
	}
	set := metric.WithAttributeSet(attribute.NewSet(attrs...))
	o.took.Record(ctx, st.Duration.Seconds(), set)
	if st.Err == nil {
		o.rows.Record(ctx, st.Rows, set)
	}
	o.asked.Record(ctx, int64(len(st.Shards)), set)
	for i := range st.Calls {
		c := &st.Calls[i]
		o.shard.Record(ctx, c.Duration.Seconds(), metric.WithAttributes(
			keySystem.String(System), keyNamespace.String(c.Keyspace), keyShard.String(c.Shard), keyKind.String(c.Kind)))
	}
}

// operation is the statement's first word, in upper case; comments before it are
// passed over. Words are few, so that they can tell metrics apart.
func operation(query string) string {
	for {
		query = strings.TrimLeft(query, " \t\r\n(;")
		if rest, ok := strings.CutPrefix(query, "/*"); ok {
			_, query, ok = strings.Cut(rest, "*/")
			if ok {
				continue
			}
			return ""
		}
		break
	}
	n := strings.IndexFunc(query, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' })
	if n < 0 {
		n = len(query)
	}
	if n > 20 {
		return ""
	}
	return strings.ToUpper(query[:n])
}
