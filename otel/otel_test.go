package vitessdootel_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/vitessdo/vitessdo"
	vitessdootel "github.com/vitessdo/vitessdo/otel"
)

// open opens four shards in memory whose statements are told to the providers.
func open(t *testing.T, opts ...vitessdootel.Option) *sql.DB {
	t.Helper()
	cfg := vitessdo.NewConfig()
	cfg.Memory, cfg.Shards = true, 4
	cfg.Observers = []vitessdo.Observer{vitessdootel.New(opts...)}
	c, err := vitessdo.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { _ = db.Close() })
	for _, q := range []string{
		"CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(20))",
		"INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// count runs a query to its end.
func count(t *testing.T, ctx context.Context, db *sql.DB, query string, args ...any) {
	t.Helper()
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestSpans(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	db := open(t, vitessdootel.WithTracerProvider(provider), vitessdootel.WithMeterProvider(nil))
	ctx, parent := provider.Tracer("test").Start(context.Background(), "request")
	ctx = vitessdo.WithLabel(ctx, "page", "checkout")
	spans.Reset()

	count(t, ctx, db, "SELECT name FROM t WHERE name <> 'a secret' AND id > ?", 0)
	ended := spans.Ended()
	if len(ended) != 5 {
		t.Fatalf("%d spans, and there should be one and four children", len(ended))
	}
	st := ended[len(ended)-1]
	if st.Name() != "SELECT main" || st.Parent().SpanID() != parent.SpanContext().SpanID() {
		t.Errorf("span %q below %v, and the request is %v", st.Name(), st.Parent().SpanID(), parent.SpanContext().SpanID())
	}
	got := attributes(st)
	for key, want := range map[string]string{
		"db.system.name": "vitessdo", "db.namespace": "main", "db.operation.name": "SELECT", "db.response.returned_rows": "4",
		"db.query.text":      "select `name` from `t` where `name` <> ? and `id` > ?",
		"vitessdo.plan_type": "scatter", "vitessdo.scatter": "true", "vitessdo.shards": `["main/-40","main/40-80","main/80-c0","main/c0-"]`,
		"vitessdo.label.page": "checkout",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	var names []string
	for _, c := range ended[:4] {
		names = append(names, c.Name())
		if c.Parent().SpanID() != st.SpanContext().SpanID() {
			t.Errorf("%s isn't below its statement", c.Name())
		}
		if c.StartTime().Before(st.StartTime()) || c.EndTime().After(st.EndTime()) {
			t.Errorf("%s ran from %v to %v, its statement from %v to %v", c.Name(), c.StartTime(), c.EndTime(), st.StartTime(), st.EndTime())
		}
	}
	slices.Sort(names)
	if want := "query main/-40, query main/40-80, query main/80-c0, query main/c0-"; strings.Join(names, ", ") != want {
		t.Errorf("children %v, want %s", names, want)
	}

	spans.Reset()
	if _, err := db.ExecContext(ctx, "INSERT INTO t VALUES (1, 'a secret')"); err == nil {
		t.Fatal("a row was inserted twice")
	}
	for _, s := range spans.Ended() {
		if s.Status().Code != codes.Error || attributes(s)["error.type"] != "UNIQUE_VIOLATION" {
			t.Errorf("%s: status %v, %v", s.Name(), s.Status(), attributes(s))
		}
		if strings.Contains(fmt.Sprint(s.Status(), attributes(s), s.Events()), "secret") {
			t.Errorf("%s tells values", s.Name())
		}
	}
	if n := len(spans.Ended()); n != 2 {
		t.Errorf("%d spans of a write that failed", n)
	}
}

// A transaction's commit is a span of its own, below the span of its BeginTx.
func TestCommitSpan(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	db := open(t, vitessdootel.WithTracerProvider(provider), vitessdootel.WithMeterProvider(nil))
	ctx, parent := provider.Tracer("test").Start(context.Background(), "request")
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for id := range 4 {
		if _, err := tx.ExecContext(ctx, "UPDATE t SET name = 'x' WHERE id = ?", id+1); err != nil {
			t.Fatal(err)
		}
	}
	spans.Reset()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	ended := spans.Ended()
	last := ended[len(ended)-1]
	if last.Name() != "COMMIT main" || last.Parent().SpanID() != parent.SpanContext().SpanID() || len(ended) < 4 {
		t.Errorf("%d spans, the last %s", len(ended), last.Name())
	}
}

func TestWholeText(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	db := open(t, vitessdootel.WithTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans))),
		vitessdootel.WithMeterProvider(nil), vitessdootel.WithQueryText())
	spans.Reset()
	count(t, context.Background(), db, "SELECT id FROM t WHERE id = 3")
	ended := spans.Ended()
	if got := attributes(ended[len(ended)-1])["db.query.text"]; got != "SELECT id FROM t WHERE id = 3" {
		t.Errorf("db.query.text is %q", got)
	}
}

func TestMetrics(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	db := open(t, vitessdootel.WithTracerProvider(nil), vitessdootel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	for range 3 {
		count(t, context.Background(), db, "SELECT id FROM t WHERE id = ?", 3)
	}
	count(t, context.Background(), db, "/* all */ select COUNT(*) FROM t")
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					got[m.Name+" "+value(p.Attributes, "vitessdo.plan_type")+value(p.Attributes, "vitessdo.shard")] += p.Count
				}
			case metricdata.Histogram[int64]:
				for _, p := range d.DataPoints {
					got[m.Name+" sum "+value(p.Attributes, "vitessdo.plan_type")] += uint64(p.Sum)
				}
			}
		}
	}
	for name, want := range map[string]uint64{
		"db.client.operation.duration single_shard":         3,
		"db.client.operation.duration scatter_aggregate":    1,
		"db.client.response.returned_rows sum single_shard": 3,
		"vitessdo.statement.shards sum scatter_aggregate":   4,
	} {
		if got[name] != want {
			t.Errorf("%s is %d, want %d", name, got[name], want)
		}
	}
	if got["vitessdo.shard.duration -40"] == 0 {
		t.Errorf("no durations of shards: %v", got)
	}
}

func attributes(s trace.ReadOnlySpan) map[string]string {
	out := map[string]string{}
	for _, a := range s.Attributes() {
		out[string(a.Key)] = a.Value.Emit()
	}
	return out
}

func value(set attribute.Set, key attribute.Key) string {
	if v, ok := set.Value(key); ok {
		return v.Emit()
	}
	return ""
}

// A trace goes along to tablet servers, and goes on from a gate's client.
func TestPropagation(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	o := vitessdootel.New(vitessdootel.WithTracerProvider(provider), vitessdootel.WithMeterProvider(nil))
	const client = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	st := &vitessdo.Statement{Query: "SELECT 1", Start: time.Now()}
	ctx := o.StatementStart(vitessdo.WithTrace(context.Background(), client), st)
	sent := vitessdo.Trace(ctx)
	span := oteltrace.SpanFromContext(ctx).(trace.ReadOnlySpan)
	if got := span.Parent().SpanID().String(); got != "b7ad6b7169203331" {
		t.Errorf("the span's parent is %s", got)
	}
	want := "00-0af7651916cd43dd8448eb211c80319c-" + span.SpanContext().SpanID().String() + "-01"
	if sent != want {
		t.Errorf("what goes along is %q, want %q", sent, want)
	}
	// A question to a shard takes its own span along, so that what the shard's server
	// does hangs below it.
	call := &vitessdo.ShardCall{Kind: "query", Keyspace: "main", Shard: "-80", Start: time.Now()}
	asked := o.(vitessdo.CallObserver).CallStart(ctx, st, call)
	child := oteltrace.SpanFromContext(asked).(trace.ReadOnlySpan)
	if want := "00-0af7651916cd43dd8448eb211c80319c-" + child.SpanContext().SpanID().String() + "-01"; vitessdo.Trace(asked) != want || child.Parent().SpanID() != span.SpanContext().SpanID() {
		t.Errorf("what goes along to the shard is %q, want %q, below %v", vitessdo.Trace(asked), want, child.Parent().SpanID())
	}
	o.(vitessdo.CallObserver).CallEnd(asked, st, call)
	if len(spans.Ended()) != 1 {
		t.Errorf("%d spans have ended", len(spans.Ended()))
	}
}

// traces notes which traceparent each question to a shard has when it is asked.
type traces struct {
	mu   sync.Mutex
	list []string
}

func (*traces) StatementStart(ctx context.Context, _ *vitessdo.Statement) context.Context { return ctx }
func (*traces) StatementEnd(context.Context, *vitessdo.Statement)                         {}
func (*traces) CallEnd(context.Context, *vitessdo.Statement, *vitessdo.ShardCall)         {}
func (r *traces) CallStart(ctx context.Context, _ *vitessdo.Statement, _ *vitessdo.ShardCall) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, vitessdo.Trace(ctx))
	return ctx
}

// Every question of a scatter has a span of its own in what goes along, and a statement
// that can't be prepared is a span that failed.
func TestCallTraces(t *testing.T) {
	spans, asked := tracetest.NewSpanRecorder(), &traces{}
	cfg := vitessdo.NewConfig()
	cfg.Memory, cfg.Shards = true, 4
	cfg.Observers = []vitessdo.Observer{vitessdootel.New(vitessdootel.WithTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans))), vitessdootel.WithMeterProvider(nil)), asked}
	c, err := vitessdo.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t (id BIGINT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	spans.Reset()
	asked.list = nil
	count(t, context.Background(), db, "SELECT id FROM t")
	var want []string
	for _, s := range spans.Ended()[:4] {
		want = append(want, fmt.Sprintf("00-%s-%s-01", s.SpanContext().TraceID(), s.SpanContext().SpanID()))
	}
	slices.Sort(want)
	slices.Sort(asked.list)
	if !slices.Equal(want, asked.list) {
		t.Errorf("what went along is %q, the spans are %q", asked.list, want)
	}
	spans.Reset()
	if _, err := db.Prepare("SELECT nothing FROM t"); err == nil {
		t.Fatal("it was prepared")
	}
	if ended := spans.Ended(); len(ended) != 1 || ended[0].Status().Code != codes.Error || attributes(ended[0])["error.type"] != "NO_SUCH_COLUMN" {
		t.Errorf("spans %v", ended)
	}
}
