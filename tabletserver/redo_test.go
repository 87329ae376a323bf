package tabletserver

import (
	"fmt"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

func TestRedoJoinsExecutions(t *testing.T) {
	one := func(sql string, args ...tablet.Value) *tablet.Query { return &tablet.Query{SQL: sql, Args: args} }
	batch := func(n int, sql string, args ...tablet.Value) *tablet.Query {
		return &tablet.Query{SQL: sql, Args: args, Batch: n}
	}
	for _, c := range []struct {
		name string
		add  []*tablet.Query // nil sets a mark
		want string
	}{
		{"one stays as it is", []*tablet.Query{one("a", 1)}, "[{a [1] 0 0 false}]"},
		{"the same statement", []*tablet.Query{one("a", 1, 2), one("a", 3, 4), one("a", 5, 6)}, "[{a [1 2 3 4 5 6] 3 0 false}]"},
		{"a batch joins", []*tablet.Query{one("a", 1), batch(2, "a", 2, 3), one("a", 4)}, "[{a [1 2 3 4] 4 0 false}]"},
		{"without values", []*tablet.Query{one("a"), one("a")}, "[{a [] 2 0 false}]"},
		{"the order stays", []*tablet.Query{one("a", 1), one("b", 2), one("a", 3)}, "[{a [1] 0 0 false} {b [2] 0 0 false} {a [3] 0 0 false}]"},
		{"other numbers of values", []*tablet.Query{one("a", 1), one("a", 1, 2), batch(2, "a", 3, 4)}, "[{a [1] 0 0 false} {a [1 2] 0 0 false} {a [3 4] 2 0 false}]"},
		{"a mark parts", []*tablet.Query{one("a", 1), nil, one("a", 2), one("a", 3)}, "[{a [1] 0 0 false} {a [2 3] 2 0 false}]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r redo
			for _, q := range c.add {
				if q == nil {
					r.mark()
					continue
				}
				r.add(q, 1<<20)
			}
			want(t, "queries", fmt.Sprint(r.queries), c.want)
			before, size := len(r.queries), r.size
			m := r.mark()
			r.add(c.add[0], 1<<20)
			r.truncate(m)
			want(t, "queries after going back", len(r.queries), before)
			want(t, "size after going back", r.size, size)
		})
	}
}

// Many executions are kept in pieces, none of which is copied as it grows.
func TestRedoComesInPieces(t *testing.T) {
	var r redo
	const n = redoPiece
	for i := range int64(n) {
		r.add(&tablet.Query{SQL: "a", Args: []tablet.Value{i, i, i}}, 1<<30)
	}
	executed := 0
	for i, q := range r.queries {
		executed += executions(&q)
		if len(q.Args) > redoPiece+3 || len(q.Args) != 3*executions(&q) {
			t.Errorf("piece %d: %d values, %d executions", i, len(q.Args), executions(&q))
		}
	}
	if executed != n || len(r.queries) != 3 {
		t.Errorf("%d executions in %d pieces", executed, len(r.queries))
	}
}

func TestRedoCopiesBlobs(t *testing.T) {
	var r redo
	b := []byte{1}
	for i := range byte(3) {
		b[0] = i
		r.add(&tablet.Query{SQL: "a", Args: []tablet.Value{b}}, 1<<20)
	}
	want(t, "queries", fmt.Sprint(r.queries), "[{a [[0] [1] [2]] 3 0 false}]")
	r.add(&tablet.Query{SQL: "a", Args: []tablet.Value{make([]byte, 1<<20)}}, 1<<20)
	want(t, "over", r.over, true)
}

func TestReplayOfJoinedExecutions(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, accounts)
		x := begin(t, db, tablet.TxOptions{})
		for i := range int64(5) {
			if _, err := x.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(?1, ?2)", Args: []tablet.Value{i, 10 * i}}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := x.Prepare(ctx, "tx1", tablet.Target{})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Rollback(); err != nil {
			t.Fatal(err)
		}
		applied, err := replayed(db, "tx1", r)
		if err != nil || !applied {
			t.Fatal(applied, err)
		}
		want(t, "replayed", ids(t, db), "[[0] [1] [2] [3] [4]]")
	})
}
