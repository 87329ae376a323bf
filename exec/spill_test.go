package exec

import (
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
)

// More than a scratch may keep in memory goes to a temporary file.
func TestScratchSpills(t *testing.T) {
	const memory, size = 2 * scratchCacheKiB << 10, 50_000
	CloseIdle()
	small, err := openScratch(t.Context(), memory)
	if err != nil {
		t.Fatal(err)
	}
	idle <- small
	const rows = 2 * memory / size
	blob := strings.Repeat("x", size)
	s := newSession(&stub{cols: []string{"a", "b"}, n: rows, row: func(i int, dest []any) { dest[0], dest[1] = int64(i), blob }})
	f := fragment(all(), 2, "x")
	f.Names, f.Types = []string{"a", "b"}, []sqlast.Type{typ(sqlast.ClassInt), typ(sqlast.ClassText)}
	got := mustQuery(t, s, read(2, route.Combine{Kind: route.Query, SQL: "SELECT count(*), sum(length(b)) FROM f0"}, f))
	if got[0][0] != int64(rows) || got[0][1] != int64(rows*size) {
		t.Errorf("got %v", got)
	}
	if len(idle) != 0 {
		t.Error("a scratch with a large file is kept")
	}
}

// A scratch is used again, whatever its tables were.
func TestScratchIsReused(t *testing.T) {
	CloseIdle()
	s := numbers(t, 8)
	for i := range 5 {
		f := fragment(all(), 1+i%2, []string{"SELECT id FROM t", "SELECT s, id FROM t"}[i%2])
		f.Names = []string{"a", "b"}[:1+i%2]
		f.Types = []sqlast.Type{typ(sqlast.ClassText), typ(sqlast.ClassInt)}[1-i%2:]
		got := mustQuery(t, s, read(1, route.Combine{Kind: route.Query, SQL: "SELECT count(DISTINCT a) FROM f0"}, f))
		if want := []int64{8, 5}[i%2]; got[0][0] != want {
			t.Errorf("use %d: %v, want %d", i, got, want)
		}
		if len(idle) != 1 {
			t.Errorf("use %d leaves %d scratches", i, len(idle))
		}
	}
	// Errors of the query and of a fragment leave nothing behind either.
	bad := fragment(all(), 1, "SELECT nosuch FROM t")
	bad.Names = []string{"a"}
	if _, err := query(s, read(1, route.Combine{Kind: route.Query, SQL: "SELECT a FROM f0"}, bad)); err == nil {
		t.Error("no error")
	}
	if _, err := query(s, read(1, route.Combine{Kind: route.Query, SQL: "SELECT abs(-9223372036854775807 - 1)"})); err == nil || !strings.Contains(err.Error(), "integer overflow") {
		t.Error(err)
	}
	if got := mustQuery(t, s, read(1, route.Combine{Kind: route.Query, SQL: "SELECT count(*) FROM temp.sqlite_schema"})); got[0][0] != int64(0) {
		t.Errorf("%v tables are left", got[0][0])
	}
	CloseIdle()
}

// A table that a correlated subquery looks rows up in has an index, unless it is
// tiny; nothing of it is left for the next statement.
func TestScratchIndexes(t *testing.T) {
	CloseIdle()
	for _, tt := range []struct {
		rows int
		want int64
	}{{indexFrom, 1}, {indexFrom - 1, 0}, {5 * indexFrom, 1}} {
		s := numbers(t, tt.rows)
		f := fragment(all(), 1, "SELECT id FROM t")
		f.Names, f.Types = []string{`a "b"`}, []sqlast.Type{typ(sqlast.ClassInt)}
		c := route.Combine{Kind: route.Query, Indexes: []route.Index{{Table: "f0", Column: `a "b"`}},
			SQL: "SELECT count(*) FROM sqlite_temp_schema WHERE type = 'index'"}
		if got := mustQuery(t, s, read(1, c, f)); got[0][0] != tt.want {
			t.Errorf("%d rows: %v indexes, want %d", tt.rows, got[0][0], tt.want)
		}
	}
	CloseIdle()
}
