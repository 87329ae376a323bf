package exec

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

func random(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

var awkward = []any{nil, int64(0), int64(1), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), int64(1<<53 + 1), int64(1 << 53),
	0.0, 1.0, -1.0, 0.5, -0.5, 1e300, -1e300, float64(1 << 53), 9223372036854775808.0, -9223372036854775808.0, math.Inf(1), math.Inf(-1), 1e-300,
	"", "a", "A", "ab", "aB", "Ab", "b", "B", "é", "É", "_", "[", "a\x00b", "a\x00C", "A\x00c", "1", "z", "Z",
	[]byte{}, []byte{0}, []byte("a"), []byte("A"), []byte{255}}

func anyValue(r *rand.Rand) any {
	switch r.IntN(8) {
	case 0:
		return int64(r.IntN(5))
	case 1:
		return float64(r.IntN(10)) / 2
	case 2:
		return int64(r.Uint64())
	case 3:
		b := make([]byte, r.IntN(4))
		for i := range b {
			b[i] = "abAB"[r.IntN(4)]
		}
		return string(b)
	}
	return awkward[r.IntN(len(awkward))]
}

// compare and the encoding of keys must agree with SQLite's own order and
// equality.
func TestCompareIsSQLites(t *testing.T) {
	r := random(t)
	sc, err := takeScratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer sc.conn.Close()
	vals := slices.Clone(awkward)
	for range 200 {
		vals = append(vals, anyValue(r))
	}
	for range 20000 {
		a, b := vals[r.IntN(len(vals))], vals[r.IntN(len(vals))]
		for _, noCase := range []bool{false, true} {
			coll := "BINARY"
			if noCase {
				coll = "NOCASE"
			}
			// ORDER BY orders NULLs and classes, which < doesn't.
			q := "SELECT group_concat(i, '') FROM (SELECT i FROM (SELECT 1 AS i, ?1 AS v UNION ALL SELECT 2, ?2) ORDER BY v COLLATE " + coll + ", i), (SELECT 1)"
			rows, err := sc.conn.QueryAll(t.Context(), q, a, b)
			if err != nil {
				t.Fatal(err)
			}
			same, err := sc.conn.QueryAll(t.Context(), "SELECT ?1 COLLATE "+coll+" IS ?2 COLLATE "+coll, a, b)
			if err != nil {
				t.Fatal(err)
			}
			c := compare(a, b, noCase)
			eq := same[0][0] == int64(1)
			if (rows[0][0] == "21") != (c > 0) || eq != (c == 0) {
				t.Fatalf("compare(%#v, %#v, %v) = %d; SQLite: order %v, equal %v", a, b, noCase, c, rows[0][0], eq)
			}
			if k := string(appendValue(nil, a, noCase)) == string(appendValue(nil, b, noCase)); k != eq {
				t.Fatalf("keys of %#v and %#v (%v): same %v, SQLite says %v", a, b, noCase, k, eq)
			}
			if compare(b, a, noCase) > 0 != (c < 0) {
				t.Fatalf("compare(%#v, %#v) isn't antisymmetric", a, b)
			}
		}
	}
}

// sortedStubs spreads rows over stubs, sorted by keys on each.
func sortedStubs(r *rand.Rand, rows [][]any, n, width int, keys []route.SortKey) ([]tablet.Tablet, [][]any) {
	parts := make([][][]any, n)
	for _, row := range rows {
		i := r.IntN(n)
		parts[i] = append(parts[i], row)
	}
	var tablets []tablet.Tablet
	for _, p := range parts {
		sortRows(p, keys)
		tablets = append(tablets, &stub{cols: make([]string, width), n: len(p), row: func(i int, dest []any) { copy(dest, p[i]) }})
	}
	// Rows with equal keys come in the order of the shards.
	all := slices.Concat(parts...)
	sortRows(all, keys)
	return tablets, all
}

func TestMergeIsASort(t *testing.T) {
	await.Goroutines(t)
	r := random(t)
	for range 200 {
		rows := make([][]any, r.IntN(2000))
		for i := range rows {
			rows[i] = []any{anyValue(r), anyValue(r), int64(i)}
		}
		keys := []route.SortKey{{Col: 0, Desc: r.IntN(2) == 0, NoCase: r.IntN(2) == 0}, {Col: 1, Desc: r.IntN(2) == 0, NoCase: r.IntN(2) == 0}}[:1+r.IntN(2)]
		tablets, want := sortedStubs(r, rows, 1+r.IntN(9), 3, keys)
		c := route.Combine{Kind: route.Merge, Sort: keys}
		if r.IntN(2) == 0 {
			c.Distinct = slices.Clone(keys)
			if r.IntN(2) == 0 { // no prefix of the sort keys
				c.Distinct = []route.SortKey{{Col: 1, NoCase: r.IntN(2) == 0}}
			}
			seen := map[string]bool{}
			want = slices.DeleteFunc(want, func(row []any) bool {
				k := string(appendKey(nil, row, c.Distinct))
				defer func() { seen[k] = true }()
				return seen[k]
			})
		}
		if r.IntN(2) == 0 {
			off, lim := r.IntN(len(want)+2), r.IntN(len(want)+2)
			c.Offset, c.Limit = src(int64(off)), src(int64(lim))
			want = want[min(off, len(want)):]
			want = want[:min(lim, len(want))]
		}
		got := mustQuery(t, newSession(tablets...), read(3, c, fragment(all(), 3, "x")))
		if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v: got %d rows, want %d", c, len(got), len(want))
		}
	}
}

// An aggregate over shards must be what SQLite gives for all rows at once.
func TestAggregateIsSQLites(t *testing.T) {
	r := random(t)
	const ddl = "CREATE TABLE t(k, c TEXT COLLATE NOCASE, n, s TEXT COLLATE NOCASE)"
	for range 20 {
		s, one := openCluster(t, 3, ddl), openCluster(t, 1, ddl)
		for i := range s.tablets {
			batch := tablet.Query{SQL: "INSERT INTO t VALUES(?1, ?2, ?3, ?4)"}
			for range r.IntN(60) {
				n := []any{nil, int64(r.IntN(100)), float64(r.IntN(100)) / 4, int64(r.IntN(1 << 50))}[r.IntN(4)]
				batch.Args = append(batch.Args, anyValue(r), []any{nil, "a", "A", "b", "B"}[r.IntN(5)], n, []any{nil, "x", "y", "z"}[r.IntN(4)])
				batch.Batch++
			}
			if batch.Batch == 0 {
				continue
			}
			for _, tb := range []tablet.Tablet{s.tablets[i], one.tablets[0]} {
				if _, err := tb.Exec(context.Background(), &batch); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, group := range []string{"k", "lower(c)", "k, lower(c)", ""} {
			check(t, s, one, group)
		}
	}
}

func check(t *testing.T, s, one *session, group string) {
	t.Helper()
	var keys []route.SortKey
	var aggs []route.AggCol
	by, list := "", ""
	if group != "" {
		by, list = " GROUP BY "+group, group+", "
		for i := range strings.Count(group, ",") + 1 {
			keys = append(keys, route.SortKey{Col: i})
			aggs = append(aggs, route.AggCol{Op: route.AggFirst, Col: i})
		}
	}
	k := len(keys)
	aggs = append(aggs, route.AggCol{Op: route.AggCount, Col: k}, route.AggCol{Op: route.AggSum, Col: k + 1, Scale: -1},
		route.AggCol{Op: route.AggAvg, Col: k + 1, Count: k + 2, Scale: -1}, route.AggCol{Op: route.AggMin, Col: k + 3, NoCase: true},
		route.AggCol{Op: route.AggMax, Col: k + 4, NoCase: true})
	p := read(k+5, route.Combine{Kind: route.Aggregate, Group: keys, Sort: keys, Aggs: aggs},
		fragment(all(), k+5, "SELECT "+list+"count(*), sum(n), count(n), min(s), max(s) FROM t"+by))
	got := mustQuery(t, s, p)
	order := ""
	if k > 0 {
		order = " ORDER BY " + group
	}
	want, err := queryAll(context.Background(), one.tablets[0], &tablet.Query{
		SQL: "SELECT " + list + "count(*), sum(n), avg(n), min(s), max(s) FROM t" + by + order})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("GROUP BY %s: %d groups, want %d", group, len(got), len(want))
	}
	for i := range got {
		for j := range got[i] {
			if a, b := got[i][j], want[i][j]; compare(a, b, false) != 0 && fmt.Sprintf("%.12v", a) != fmt.Sprintf("%.12v", b) {
				t.Fatalf("GROUP BY %s: row %d is %v, want %v", group, i, got[i], want[i])
			}
		}
	}
}

func TestSum(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []any
		want any // nil: overflow
	}{
		{"order doesn't matter", []any{int64(math.MaxInt64), int64(5), int64(-5)}, int64(math.MaxInt64)},
		{"overflow", []any{int64(math.MaxInt64), int64(1)}, nil},
		{"underflow", []any{int64(math.MinInt64), int64(-1)}, nil},
		{"lowest", []any{int64(math.MinInt64 + 1), int64(-1)}, int64(math.MinInt64)},
		{"kahan", []any{1e16, 1.0, -1e16}, 1.0},
		{"mixed", []any{int64(1), 0.5, nil}, 1.5},
		{"big integers in a float sum", []any{int64(1<<53 + 1), 0.0, int64(-(1 << 53))}, 1.0},
		{"text", []any{"2.5x", int64(1)}, 3.5},
	} {
		var a acc
		c := &route.AggCol{Op: route.AggSum, Scale: -1}
		for _, v := range tt.in {
			a.add(c, []any{v}, 0)
		}
		got, err := a.result(c, false)
		if tt.want == nil {
			if tablet.CodeOf(err) != tablet.CodeOutOfRange || err.Error() != "integer overflow" {
				t.Errorf("%s: %v, %v", tt.name, got, err)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %v, %v; want %v", tt.name, got, err, tt.want)
		}
	}
	money := &acc{}
	c := &route.AggCol{Op: route.AggAvg, Count: 1, Scale: 6}
	for _, v := range []any{0.1, 0.2, int64(1), 0.3, nil} {
		money.add(c, []any{v, int64(1)}, 0)
	}
	if got, err := money.result(c, false); got != 0.32 || err != nil {
		t.Errorf("AVG of .10 .20 1.00 .30 and a partial without rows = %v, %v", got, err)
	}
}
