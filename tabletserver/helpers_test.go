package tabletserver

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

var ctx = context.Background()

// mu guards what tests share with the goroutines of tablets.
var mu sync.Mutex

// places runs a test on a file and in memory.
func places(t *testing.T, f func(t *testing.T, cfg Config)) {
	t.Run("file", func(t *testing.T) {
		f(t, Config{Path: filepath.Join(t.TempDir(), "s.db"), Synchronous: Normal, Target: tablet.Target{Keyspace: "ks", Shard: "-80"}})
	})
	t.Run("memory", func(t *testing.T) {
		f(t, Config{Target: tablet.Target{Keyspace: "ks", Shard: "-80"}})
	})
}

func open(tb testing.TB, cfg Config, script ...string) *Tablet {
	tb.Helper()
	t, err := Open(ctx, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = t.Close() })
	for _, s := range script {
		exec1(tb, t, s)
	}
	return t
}

func q(sql string, args ...tablet.Value) *tablet.Query { return &tablet.Query{SQL: sql, Args: args} }

func exec1(tb testing.TB, r tablet.Runner, sql string, args ...tablet.Value) tablet.Result {
	tb.Helper()
	res, err := r.Exec(ctx, q(sql, args...))
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	return res
}

func queryRows(r tablet.Runner, sql string, args ...tablet.Value) ([][]tablet.Value, error) {
	rows, err := r.Query(ctx, q(sql, args...))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]tablet.Value
	for {
		dest := make([]tablet.Value, len(rows.Columns()))
		err := rows.Next(dest)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		for i, v := range dest {
			if b, ok := v.([]byte); ok {
				dest[i] = slices.Clone(b)
			}
		}
		out = append(out, dest)
	}
}

func query(tb testing.TB, r tablet.Runner, sql string, args ...tablet.Value) [][]tablet.Value {
	tb.Helper()
	out, err := queryRows(r, sql, args...)
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	return out
}

// one gives the only value of the only row.
func one(tb testing.TB, r tablet.Runner, sql string, args ...tablet.Value) tablet.Value {
	tb.Helper()
	out := query(tb, r, sql, args...)
	if len(out) != 1 || len(out[0]) != 1 {
		tb.Fatalf("%s: got %v, want one value", sql, out)
	}
	return out[0][0]
}

func want[T comparable](tb testing.TB, what string, got, want T) {
	tb.Helper()
	if got != want {
		tb.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func wantCode(tb testing.TB, err error, code tablet.Code) *tablet.Error {
	tb.Helper()
	var e *tablet.Error
	if !errors.As(err, &e) || e.Code != code {
		tb.Fatalf("got error %v (%s), want code %s", err, tablet.CodeOf(err), code)
	}
	return e
}

func begin(tb testing.TB, t *Tablet, o tablet.TxOptions) *Tx {
	tb.Helper()
	x, err := t.Begin(ctx, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = x.Rollback() })
	return x.(*Tx)
}

func commit(tb testing.TB, x tablet.Tx) {
	tb.Helper()
	if err := x.Commit(ctx); err != nil {
		tb.Fatal(err)
	}
}

// replayed has the tablet do what a log has of a decided transaction, and says
// whether it lacked that.
func replayed(t *Tablet, dtid string, r tablet.Redo) (lacked bool, err error) {
	x, err := t.Load(ctx, dtid, r)
	if err != nil {
		return false, err
	}
	lacked = x.part.InDoubt()
	return lacked, x.CommitPrepared(ctx)
}

// size tells the number of open and of idle connections.
func (p *pool) size() (open, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all), len(p.idle)
}
