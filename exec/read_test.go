package exec

import (
	"context"
	"errors"
	"io"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

// numbers is a cluster of 4 shards with a table t(id, g, s); shard i holds the
// ids that leave i when divided by 4.
func numbers(t testing.TB, n int) *session {
	s := openCluster(t, 4, "CREATE TABLE t(id INTEGER PRIMARY KEY, g INTEGER, s TEXT COLLATE NOCASE)")
	for i := range s.tablets {
		s.exec(t, i, "WITH RECURSIVE c(x) AS (SELECT ?1 UNION ALL SELECT x+4 FROM c WHERE x+4 < ?2) INSERT INTO t SELECT x, x%3, char(97+x%5) FROM c",
			int64(i), int64(n))
	}
	return s
}

func src(v any) *route.Source { return &route.Source{Arg: -1, Const: v} }

func key(cols ...int) (out []route.SortKey) {
	for _, c := range cols {
		out = append(out, route.SortKey{Col: c})
	}
	return out
}

func TestReads(t *testing.T) {
	await.Goroutines(t)
	s := numbers(t, 20)
	tests := []struct {
		name string
		plan *route.Plan
		args []any
		want string
		any  bool // in any order
	}{
		{name: "pass", plan: read(2, route.Combine{Kind: route.Pass}, fragment(onShard(1), 2, "SELECT id, g FROM t WHERE id < ?1 ORDER BY id")),
			args: []any{int64(10)}, want: "1,1 5,2 9,0"},
		{name: "pass cut", plan: read(1, route.Combine{Kind: route.Pass}, fragment(onShard(1), 2, "SELECT id, g FROM t WHERE id < 10 ORDER BY g")), want: "9 1 5"},
		{name: "concat", plan: read(1, route.Combine{Kind: route.Concat}, fragment(all(), 1, "SELECT id FROM t WHERE id < 6")), want: "0 1 2 3 4 5", any: true},
		{name: "two fragments", plan: read(1, route.Combine{Kind: route.Concat}, fragment(all(), 1, "SELECT id FROM t WHERE id < 3"),
			fragment(onShard(0), 1, "SELECT 9")), want: "0 1 2 9", any: true},
		{name: "merge", plan: read(1, route.Combine{Kind: route.Merge, Sort: key(0)}, fragment(all(), 1, "SELECT id FROM t WHERE id < 6 ORDER BY id")), want: "0 1 2 3 4 5"},
		{name: "merge by two", plan: read(2, route.Combine{Kind: route.Merge, Sort: []route.SortKey{{Col: 1, Desc: true}, {Col: 0}}},
			fragment(all(), 2, "SELECT id, g FROM t WHERE id < 6 ORDER BY g DESC, id")), want: "2,2 5,2 1,1 4,1 0,0 3,0"},
		{name: "merge limit offset", plan: read(1, route.Combine{Kind: route.Merge, Sort: key(0), Limit: &route.Source{Arg: 0}, Offset: src(int64(5))},
			fragment(all(), 1, "SELECT id FROM t ORDER BY id LIMIT ?1 + 5")), args: []any{int64(3)}, want: "5 6 7"},
		{name: "limit 0", plan: read(1, route.Combine{Kind: route.Concat, Limit: src(int64(0))}, fragment(all(), 1, "SELECT id FROM t")), want: ""},
		{name: "distinct", plan: read(1, route.Combine{Kind: route.Concat, Distinct: key(0)}, fragment(all(), 1, "SELECT DISTINCT g FROM t")), want: "0 1 2", any: true},
		{name: "distinct sorted", plan: read(1, route.Combine{Kind: route.Merge, Sort: key(0), Distinct: key(0), Offset: src(int64(1))},
			fragment(all(), 1, "SELECT DISTINCT g FROM t ORDER BY g")), want: "1 2"},
		{name: "hidden sort key", plan: read(1, route.Combine{Kind: route.Merge, Sort: []route.SortKey{{Col: 1, Desc: true}}},
			fragment(all(), 2, "SELECT g, id FROM t WHERE id < 5 ORDER BY id DESC")), want: "1 0 2 1 0"},
		{name: "tag", plan: read(2, route.Combine{Kind: route.Merge, Sort: key(0)},
			&route.Fragment{Keyspace: "ks", Dest: all(), SQL: stmt("SELECT id FROM t WHERE id < 4 ORDER BY id"), Width: 1, Tag: true}), want: "0,0 1,1 2,2 3,3"},
		{name: "tag on one", plan: read(2, route.Combine{Kind: route.Pass},
			&route.Fragment{Keyspace: "ks", Dest: onShard(2), SQL: stmt("SELECT id FROM t WHERE id < 4"), Width: 1, Tag: true}), want: "2,2"},
		{name: "scalar aggregate", plan: read(4, route.Combine{Kind: route.Aggregate, Aggs: []route.AggCol{
			{Op: route.AggCount, Col: 0}, {Op: route.AggSum, Col: 1, Scale: -1}, {Op: route.AggAvg, Col: 1, Count: 0, Scale: -1}, {Op: route.AggMax, Col: 2}}},
			fragment(all(), 3, "SELECT count(*), sum(id), max(s) FROM t")), want: "20,190,9.5,e"},
		{name: "scalar aggregate of nothing", plan: read(3, route.Combine{Kind: route.Aggregate, Aggs: []route.AggCol{
			{Op: route.AggCount, Col: 0}, {Op: route.AggSum, Col: 1, Scale: -1}, {Op: route.AggAvg, Col: 1, Count: 0, Scale: -1}}},
			fragment(all(), 2, "SELECT count(*), sum(id) FROM t WHERE id < 0")), want: "0,NULL,NULL"},
		{name: "group", plan: read(3, route.Combine{Kind: route.Aggregate, Group: key(0), Sort: []route.SortKey{{Col: 0, Desc: true}}, Aggs: []route.AggCol{
			{Op: route.AggFirst, Col: 0}, {Op: route.AggCount, Col: 1}, {Op: route.AggMin, Col: 2}}},
			fragment(all(), 3, "SELECT g, count(*), min(id) FROM t GROUP BY g")), want: "2,6,2 1,7,1 0,7,0"},
		{name: "group on one shard", plan: read(2, route.Combine{Kind: route.Aggregate, Group: key(0), Sort: key(0), Limit: src(int64(2)), Aggs: []route.AggCol{
			{Op: route.AggFirst, Col: 0}, {Op: route.AggCount, Col: 1}}},
			fragment(onShard(0), 2, "SELECT g, count(*) FROM t GROUP BY g")), want: "0,2 1,2"},
		{name: "group key hidden", plan: read(1, route.Combine{Kind: route.Aggregate, Group: key(0), Sort: key(1), Aggs: []route.AggCol{
			{Op: route.AggCount, Col: 1}, {Op: route.AggFirst, Col: 0}}},
			fragment(all(), 2, "SELECT g, count(*) FROM t GROUP BY g")), want: "7 7 6"},
		{name: "query join", plan: read(2, route.Combine{Kind: route.Query, SQL: "SELECT f0.id, f1._shard FROM f0 JOIN f1 ON f0.id = f1.other WHERE f0.id < ?1 ORDER BY 1"},
			&route.Fragment{Keyspace: "ks", Dest: all(), SQL: stmt("SELECT id, s FROM t WHERE id < 9"), Width: 2, Names: []string{"id", "s"}, Types: []sqlast.Type{typ(sqlast.ClassInt), typ(sqlast.ClassText)}},
			&route.Fragment{Keyspace: "ks", Dest: all(), SQL: stmt("SELECT id * 2 FROM t"), Width: 1, Names: []string{"other"}, Types: []sqlast.Type{typ(sqlast.ClassInt)}, Tag: true}),
			args: []any{int64(7)}, want: "0,0 2,1 4,2 6,3"},
		{name: "query without tables", plan: read(1, route.Combine{Kind: route.Query, SQL: "SELECT ?1 + 1"}), args: []any{int64(41)}, want: "42"},
	}
	for _, tt := range tests {
		for _, inTx := range []bool{false, true} {
			name := tt.name
			if inTx {
				name += " in a transaction"
			}
			t.Run(name, func(t *testing.T) {
				if inTx {
					s.begin()
					defer s.end(context.Background(), false)
				}
				got := strings.Fields(text(mustQuery(t, s, tt.plan, tt.args...)))
				if tt.any {
					sort.Strings(got)
				}
				if g := strings.Join(got, " "); g != tt.want {
					t.Errorf("got %s, want %s", g, tt.want)
				}
			})
		}
	}
	CloseIdle()
}

func TestSplit(t *testing.T) {
	s := openCluster(t, 4, "CREATE TABLE t(id INTEGER PRIMARY KEY)")
	var rows [][]route.Source
	var args []any
	dest := &route.RowDest{Vindex: hash(t), Ordinal: []int{0}, Columns: intColumn, Table: "t"}
	for i := range 2000 {
		id := int64(i)
		args = append(args, id)
		rows = append(rows, []route.Source{{Arg: i}})
		shard, err := dest.ShardOf(s.shards, []any{id}, s.Scratch())
		if err != nil {
			t.Fatal(err)
		}
		s.exec(t, shard, "INSERT INTO t VALUES(?1)", id)
	}
	f := &route.Fragment{Keyspace: "ks", Split: true, Width: 1,
		SQL: dialect.Text{Segments: []string{"SELECT id FROM t WHERE id IN (", ") ORDER BY id"}, Lists: []int{0}}}
	p := read(1, route.Combine{Kind: route.Merge, Sort: key(0)}, f)
	for _, n := range []int{1, 2, 3, 7, 100, 2000} {
		f.Dest = route.Destination{Kind: route.DestIn, Vindex: hash(t), Columns: intColumn, Rows: rows[:n]}
		got := mustQuery(t, s, p, args...)
		if len(got) != n || got[n-1][0] != int64(n-1) {
			t.Errorf("IN over %d values gave %d rows", n, len(got))
		}
	}
	q, err := splitQuery(&route.ShardMap{}, f, 0, make([]any, maxParam), []any{int64(-1 << 63), 1.5, "it's", "a\x00b", []byte{1}, nil}, maxParam)
	want := "SELECT id FROM t WHERE id IN ((-9223372036854775807 - 1), 1.5e+00, 'it''s', CAST(X'610062' AS TEXT), X'01', NULL) ORDER BY id"
	if err != nil || q.SQL != want {
		t.Errorf("got %s\nwant %s", q.SQL, want)
	}
}

func TestBadBounds(t *testing.T) {
	s := numbers(t, 4)
	for _, v := range []any{int64(-1), "2", nil, 1.5} {
		_, err := query(s, read(1, route.Combine{Kind: route.Concat, Limit: src(v)}, fragment(all(), 1, "SELECT id FROM t")))
		if err == nil || !strings.Contains(err.Error(), "must be a non-negative integer") {
			t.Errorf("LIMIT %v: %v", v, err)
		}
	}
}

func TestLimits(t *testing.T) {
	await.Goroutines(t)
	s := numbers(t, 1000)
	s.limits.MaxCombineRows = 100
	id := &route.Fragment{Keyspace: "ks", Dest: all(), SQL: stmt("SELECT id FROM t"), Width: 1, Names: []string{"id"}}
	aggs := []route.AggCol{{Op: route.AggFirst, Col: 0}}
	for name, c := range map[string]route.Combine{
		"distinct": {Kind: route.Concat, Distinct: key(0)},
		"group":    {Kind: route.Aggregate, Group: key(0), Aggs: aggs},
		"query":    {Kind: route.Query, SQL: "SELECT id FROM f0"},
	} {
		_, err := query(s, read(1, c, id))
		var le *LimitError
		if !errors.As(err, &le) || le.Option != "max_combine_rows" || le.Limit != 100 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := mustQuery(t, s, read(1, route.Combine{Kind: route.Concat}, id)); len(got) != 1000 {
		t.Errorf("a plain scatter is limited to %d rows", len(got))
	}
	s.limits = Limits{MaxCombineBytes: 1000}
	_, err := query(s, read(1, route.Combine{Kind: route.Query, SQL: "SELECT id FROM f0"}, id))
	if err == nil || !strings.Contains(err.Error(), "max_combine_bytes") || !strings.Contains(err.Error(), "SELECT id FROM t") {
		t.Errorf("bytes: %v", err)
	}
	CloseIdle()
}

func TestFirstErrorSticks(t *testing.T) {
	await.Goroutines(t)
	boom := &tablet.Error{Code: tablet.CodeIO, Message: "boom"}
	row := func(i int, dest []any) { dest[0] = int64(i) }
	endless := &stub{cols: []string{"a"}, n: 1 << 60, row: row}
	for _, c := range []route.Combine{{Kind: route.Concat}, {Kind: route.Merge, Sort: key(0)},
		{Kind: route.Aggregate, Group: key(0), Aggs: []route.AggCol{{Op: route.AggFirst}}}} {
		waits := &stub{cols: []string{"a"}, n: 5, row: row, block: true}
		s := newSession(endless, &stub{cols: []string{"a"}, n: 10, row: row, fail: boom}, waits, waits)
		r, err := Query(context.Background(), s, read(1, c, fragment(all(), 1, "x")), nil)
		if c.Kind == route.Aggregate {
			if err != error(boom) {
				t.Errorf("%s: %v", c.Kind, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		dest := make([]any, 1)
		for err == nil {
			err = r.Next(dest)
		}
		if again := r.Next(dest); err != error(boom) || again != err {
			t.Errorf("%s: %v, then %v", c.Kind, err, again)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCancel(t *testing.T) {
	await.Goroutines(t)
	waits := &stub{cols: []string{"a"}, n: 3, row: func(i int, dest []any) { dest[0] = int64(i) }, block: true}
	s := newSession(waits, waits, waits)
	for _, c := range []route.Combine{{Kind: route.Concat}, {Kind: route.Merge, Sort: key(0)}} {
		ctx, cancel := context.WithCancel(context.Background())
		r, err := Query(ctx, s, read(1, c, fragment(all(), 1, "x")), nil)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		dest := make([]any, 1)
		for err == nil {
			err = r.Next(dest)
		}
		if !errors.Is(err, context.Canceled) || tablet.CodeOf(err) != tablet.CodeCanceled {
			t.Errorf("%s: %v", c.Kind, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Query(ctx, s, read(1, route.Combine{Kind: route.Aggregate, Aggs: []route.AggCol{{Op: route.AggCount}}}, fragment(all(), 1, "x")), nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("aggregate: %v", err)
	}
}

func TestCloseEarly(t *testing.T) {
	await.Goroutines(t)
	endless := &stub{cols: []string{"a"}, n: 1 << 60, row: func(i int, dest []any) { dest[0] = int64(i) }}
	s := newSession(endless, endless)
	for _, c := range []route.Combine{{Kind: route.Concat}, {Kind: route.Merge, Sort: key(0)}, {Kind: route.Concat, Limit: src(int64(7))}} {
		for _, reads := range []int{0, 1, 1000} {
			r, err := Query(context.Background(), s, read(1, c, fragment(all(), 1, "x")), nil)
			if err != nil {
				t.Fatal(err)
			}
			dest := make([]any, 1)
			for range reads {
				if err := r.Next(dest); err != nil && err != io.EOF {
					t.Fatal(err)
				}
			}
			if err := errors.Join(r.Close(), r.Close()); err != nil {
				t.Fatal(err)
			}
			if err := r.Next(dest); err != io.EOF {
				t.Errorf("Next after Close: %v", err)
			}
		}
	}
}

// A blob must stay as it is until the next row is asked for, though tablets
// use its memory again, and so must a whole row while others are merged.
func TestBlobsAreCopied(t *testing.T) {
	mk := func() *stub {
		buf := make([]byte, 8)
		return &stub{cols: []string{"a", "b"}, n: 200, row: func(i int, dest []any) {
			buf[0] = byte(i)
			dest[0], dest[1] = int64(i), buf
		}}
	}
	s := newSession(mk(), mk(), mk())
	got := mustQuery(t, s, read(2, route.Combine{Kind: route.Merge, Sort: key(0)}, fragment(all(), 2, "x")))
	if len(got) != 600 {
		t.Fatalf("%d rows", len(got))
	}
	for i, r := range got {
		if r[0] != int64(i/3) || r[1].([]byte)[0] != byte(i/3) {
			t.Fatalf("row %d is %v", i, r)
		}
	}
	if !slices.IsSortedFunc(got, func(a, b []any) int { return compare(a[0], b[0], false) }) {
		t.Error("not sorted")
	}
}
