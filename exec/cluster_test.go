package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/vindex"
)

// session is a Session over tablets of one keyspace, "ks".
type session struct {
	shards   *route.ShardMap
	tablets  []tablet.Tablet
	inTx     bool
	txs      map[int]tablet.Tx
	locked   []int // shards in the order in which their write locks were asked for
	limits   Limits
	scratch  route.Scratch
	next     map[string]int64
	observed map[string]int64
	values   map[string]any
	catalog  map[string][][]any
	now      time.Time
	zone     *time.Location
	// statements are the plans of the gate's own statements.
	statements func(text string) (*route.Plan, error)
}

func newSession(tablets ...tablet.Tablet) *session {
	m := &route.ShardMap{Keyspace: "ks", Schema: 1, Ranges: vindex.EvenRanges(len(tablets))}
	for _, r := range m.Ranges {
		m.Names = append(m.Names, r.String())
	}
	return &session{shards: m, tablets: tablets, next: map[string]int64{}, observed: map[string]int64{}}
}

func (s *session) ShardMap(ks string) *route.ShardMap {
	if ks != "ks" {
		return nil
	}
	return s.shards
}
func (s *session) Tablet(_ string, shard int) tablet.Tablet { return &fenced{s.tablets[shard]} }
func (s *session) InTx() bool                               { return s.inTx }
func (s *session) Now() time.Time                           { return s.now }
func (s *session) Location() *time.Location                 { return s.zone }
func (s *session) Limits() Limits                           { return s.limits }
func (s *session) Scratch() *route.Scratch                  { return &s.scratch }

func (s *session) Catalog(_ context.Context, scan *route.CatalogScan, columns []string, _ []any) ([][]any, error) {
	return s.catalog[scan.Table], nil
}

func (s *session) Statement(_, text string) (*route.Plan, error) {
	if s.statements == nil {
		return nil, fmt.Errorf("no plan for %s", text)
	}
	return s.statements(text)
}

func (s *session) Value(name string) (any, error) {
	if v, ok := s.values[name]; ok {
		return v, nil
	}
	return nil, fmt.Errorf("no value %s", name)
}

func (s *session) Call(_ context.Context, name string, args []any) (any, error) {
	return fmt.Sprint(name, args), nil
}

func (s *session) Tx(ctx context.Context, _ string, shard int, to Access) (tablet.Tx, error) {
	if !s.inTx {
		return nil, nil
	}
	if to != Reading {
		s.locked = append(s.locked, shard)
	}
	if tx := s.txs[shard]; tx != nil {
		return &fencedTx{tx}, nil
	}
	tx, err := s.tablets[shard].Begin(ctx, tablet.TxOptions{Write: to != Reading})
	if err != nil {
		return nil, err
	}
	s.txs[shard] = tx
	return &fencedTx{tx}, nil
}

// fenced and fencedTx refuse requests that don't say which version of the schema
// they were planned with.
type (
	fenced   struct{ tablet.Tablet }
	fencedTx struct{ tablet.Tx }
)

func versioned(q *tablet.Query) error {
	if q.Schema != 1 {
		return fmt.Errorf("%s: planned with version %d of the schema, want 1", q.SQL, q.Schema)
	}
	return nil
}

func (f *fenced) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	if err := versioned(q); err != nil {
		return nil, err
	}
	return f.Tablet.Query(ctx, q)
}

func (f *fenced) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	if err := versioned(q); err != nil {
		return tablet.Result{}, err
	}
	return f.Tablet.Exec(ctx, q)
}

func (f *fencedTx) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	if err := versioned(q); err != nil {
		return nil, err
	}
	return f.Tx.Query(ctx, q)
}

func (f *fencedTx) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	if err := versioned(q); err != nil {
		return tablet.Result{}, err
	}
	return f.Tx.Exec(ctx, q)
}

func (s *session) Moment() Moment                           { return nil }
func (s *session) View(context.Context, bool) (View, error) { return nil, nil }
func (s *session) Together(context.Context, []Place) error  { return nil }

func (s *session) Atomically(ctx context.Context, fn func(Session) error) error {
	if s.inTx {
		return fn(s)
	}
	s.begin()
	if err := fn(s); err != nil {
		return errors.Join(err, s.end(ctx, false))
	}
	return s.end(ctx, true)
}

func (s *session) begin() { s.inTx, s.txs = true, map[int]tablet.Tx{} }

func (s *session) end(ctx context.Context, commit bool) (err error) {
	s.inTx = false
	for _, tx := range s.txs {
		if commit {
			err = errors.Join(err, tx.Commit(ctx))
		} else {
			err = errors.Join(err, tx.Rollback())
		}
	}
	return err
}

func (s *session) NextIDs(_ context.Context, ks, seq string, n int64) (int64, error) {
	first := s.next[ks+"."+seq] + 1
	s.next[ks+"."+seq] += n
	return first, nil
}

func (s *session) ObserveID(_ context.Context, ks, seq string, v int64) error {
	s.observed[ks+"."+seq] = v
	s.next[ks+"."+seq] = max(s.next[ks+"."+seq], v)
	return nil
}

// openCluster gives a session over n tablets in memory on which ddl has run.
func openCluster(t testing.TB, n int, ddl ...string) *session {
	t.Helper()
	var tablets []tablet.Tablet
	for i, r := range vindex.EvenRanges(n) {
		tb, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: tablet.Target{Keyspace: "ks", Shard: r.String()}, Path: ":memory:"})
		if err != nil {
			t.Fatalf("shard %d: %v", i, err)
		}
		t.Cleanup(func() { _ = tb.Close() })
		for _, q := range ddl {
			if _, err := tb.Exec(t.Context(), &tablet.Query{SQL: q}); err != nil {
				t.Fatal(err)
			}
		}
		tablets = append(tablets, tb)
	}
	return newSession(tablets...)
}

func (s *session) exec(t testing.TB, shard int, sql string, args ...any) {
	t.Helper()
	if _, err := s.tablets[shard].Exec(context.Background(), &tablet.Query{SQL: sql, Args: args}); err != nil {
		t.Fatal(err)
	}
}

// dump gives the rows of a query on each shard.
func (s *session) dump(t testing.TB, sql string) string {
	t.Helper()
	var b strings.Builder
	for i, tb := range s.tablets {
		rows, err := queryAll(context.Background(), tb, &tablet.Query{SQL: sql})
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			b.WriteString(" | ")
		}
		b.WriteString(text(rows))
	}
	return b.String()
}

func text(rows [][]any) string {
	parts := make([]string, len(rows))
	for i, r := range rows {
		cells := make([]string, len(r))
		for j, v := range r {
			switch v := v.(type) {
			case nil:
				cells[j] = "NULL"
			case []byte:
				cells[j] = fmt.Sprintf("x'%x'", v)
				if d, ok := decimal.FromKey(v); ok {
					cells[j] = d.String()
				}
			default:
				cells[j] = fmt.Sprint(v)
			}
		}
		parts[i] = strings.Join(cells, ",")
	}
	return strings.Join(parts, " ")
}

func hash(t testing.TB) vindex.Vindex {
	v, err := vindex.New("hash", "h", nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var intColumn = []vindex.Column{{Affinity: vindex.Integer}}

func all() route.Destination { return route.Destination{Kind: route.DestAll} }

func onShard(n int) route.Destination { return route.Destination{Kind: route.DestShard, Shard: n} }

func stmt(s string) dialect.Text { return dialect.Text{Segments: []string{s}} }

func fragment(dest route.Destination, width int, text string) *route.Fragment {
	return &route.Fragment{Keyspace: "ks", Dest: dest, SQL: stmt(text), Width: width}
}

func columns(n int) []route.Column { return make([]route.Column, n) }

func read(width int, c route.Combine, frags ...*route.Fragment) *route.Plan {
	c.Width = width
	return &route.Plan{Columns: columns(width), Fragments: frags, Combine: c}
}

func collect(r Rows, width int) (out [][]any, err error) {
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		row := make([]any, width)
		if err := r.Next(row); err != nil {
			if err == io.EOF {
				err = nil
			}
			return out, err
		}
		out = append(out, keep(row))
	}
}

func mustQuery(t testing.TB, s Session, p *route.Plan, args ...any) [][]any {
	t.Helper()
	rows, err := query(s, p, args...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func query(s Session, p *route.Plan, args ...any) ([][]any, error) {
	r, err := Query(context.Background(), s, p, args)
	if err != nil {
		return nil, err
	}
	return collect(r, len(p.Columns))
}

func typ(c sqlast.Class) sqlast.Type { return sqlast.TypeOf(c) }

// stub is a tablet that answers every query with rows of its own.
type stub struct {
	tablet.Tablet
	cols  []string
	n     int // rows
	row   func(i int, dest []any)
	fail  error // at the end instead of io.EOF
	block bool  // at the end, wait for the context
	open  func(q *tablet.Query)
}

func (b *stub) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	if b.open != nil {
		b.open(q)
	}
	return &stubRows{b: b, ctx: ctx}, nil
}

func (b *stub) Exec(context.Context, *tablet.Query) (tablet.Result, error) {
	return tablet.Result{RowsAffected: int64(b.n)}, b.fail
}

type stubRows struct {
	b   *stub
	ctx context.Context
	i   int
}

func (r *stubRows) Columns() []string { return r.b.cols }
func (r *stubRows) Close() error      { return nil }
func (r *stubRows) Next(dest []any) error {
	if err := r.ctx.Err(); err != nil {
		return canceled(r.ctx)
	}
	if r.i >= r.b.n {
		if r.b.block {
			<-r.ctx.Done()
			return canceled(r.ctx)
		}
		if r.b.fail != nil {
			return r.b.fail
		}
		return io.EOF
	}
	r.b.row(r.i, dest)
	r.i++
	return nil
}
