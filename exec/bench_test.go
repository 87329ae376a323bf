package exec

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

func drain(b testing.TB, s Session, p *route.Plan, args []any) (n int) {
	r, err := Query(context.Background(), s, p, args)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	dest := make([]any, len(p.Columns))
	for {
		err := r.Next(dest)
		if err == io.EOF {
			return n
		}
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// oneRow answers with rows that cost nothing.
type oneRow struct {
	stub
	rows oneRows
}

type oneRows struct{ done bool }

func (o *oneRow) Query(context.Context, *tablet.Query) (tablet.Rows, error) {
	o.rows.done = false
	return &o.rows, nil
}
func (*oneRows) Columns() []string { return oneColumn }
func (*oneRows) Close() error      { return nil }
func (r *oneRows) Next(dest []any) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	dest[0] = nil
	return nil
}

var oneColumn = []string{"a"}

func BenchmarkPointSelect(b *testing.B) {
	s := newSession(&oneRow{}, &oneRow{}, &oneRow{}, &oneRow{})
	dest := route.Destination{Kind: route.DestEqual, Vindex: hash(b), Columns: intColumn, Rows: [][]route.Source{{{Arg: 0}}}}
	p := read(1, route.Combine{Kind: route.Pass}, fragment(dest, 1, "SELECT a FROM t WHERE id = ?1"))
	p.Params.User = 1
	user, buf, out := []any{int64(1 << 40)}, make([]any, 0, 1), make([]any, 1)
	b.ReportAllocs()
	for b.Loop() {
		args, err := Bind(context.Background(), s, &p.Params, user, buf)
		if err != nil {
			b.Fatal(err)
		}
		r, err := Query(context.Background(), s, p, args)
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Next(out); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}

func mergeStubs(rows int) *session {
	var tablets []tablet.Tablet
	for shard := range 4 {
		tablets = append(tablets, &stub{cols: []string{"a", "b"}, n: rows / 4, row: func(i int, dest []any) {
			dest[0], dest[1] = int64(i*4+shard), "some text of a row"
		}})
	}
	return newSession(tablets...)
}

func BenchmarkMerge1M(b *testing.B) {
	s := mergeStubs(1 << 20)
	for _, c := range []route.Combine{{Kind: route.Concat}, {Kind: route.Merge, Sort: key(0)}} {
		b.Run(c.Kind.String(), func(b *testing.B) {
			p := read(2, c, fragment(all(), 2, "x"))
			b.ReportAllocs()
			for b.Loop() {
				if n := drain(b, s, p, nil); n != 1<<20 {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(1<<20), "ns/row")
		})
	}
}

// The memory of a merge must not grow with its rows.
func TestMergeMemoryIsFlat(t *testing.T) {
	s := mergeStubs(1 << 20)
	r, err := Query(context.Background(), s, read(2, route.Combine{Kind: route.Merge, Sort: key(0)}, fragment(all(), 2, "x")), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dest := make([]any, 2)
	var early, late runtime.MemStats
	for i := range 1 << 20 {
		if err := r.Next(dest); err != nil {
			t.Fatal(err)
		}
		switch i {
		case 10_000:
			runtime.GC()
			runtime.ReadMemStats(&early)
		case 1_000_000:
			runtime.GC()
			runtime.ReadMemStats(&late)
		}
	}
	if late.HeapAlloc > early.HeapAlloc+(256<<10) {
		t.Errorf("%d bytes are kept after 10000 rows, %d after 1000000", early.HeapAlloc, late.HeapAlloc)
	}
}

func BenchmarkScatterCount(b *testing.B) {
	for _, n := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("%d shards", n), func(b *testing.B) {
			var tablets []tablet.Tablet
			for range n {
				tablets = append(tablets, &oneCount{})
			}
			s := newSession(tablets...)
			p := read(1, route.Combine{Kind: route.Aggregate, Aggs: []route.AggCol{{Op: route.AggCount}}}, fragment(all(), 1, "SELECT count(*) FROM t"))
			b.ReportAllocs()
			for b.Loop() {
				drain(b, s, p, nil)
			}
		})
	}
}

type oneCount struct{ stub }

func (*oneCount) Query(context.Context, *tablet.Query) (tablet.Rows, error) { return &oneRows{}, nil }

func BenchmarkQueryCombine(b *testing.B) {
	s := mergeStubs(100_000)
	f := fragment(all(), 2, "x")
	f.Names = []string{"a", "b"}
	f.Types = []sqlast.Type{typ(sqlast.ClassInt), typ(sqlast.ClassText)}
	p := read(1, route.Combine{Kind: route.Query, SQL: "SELECT count(*) FROM f0 WHERE a % 2 = 0"}, f)
	b.ReportAllocs()
	for b.Loop() {
		drain(b, s, p, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/row")
}
