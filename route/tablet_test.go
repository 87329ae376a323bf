package route_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
)

// shard is a tablet reduced to one SQLite database and one transaction at a
// time: enough to try plans.
type shard struct {
	tablet.Tablet
	mu   sync.Mutex
	conn *sqlite.Conn
}

func newShard(t testing.TB, plain bool) *shard {
	t.Helper()
	conn, err := sqlite.Open(t.Context(), ":memory:", sqlite.Options{MaxMemory: 64 << 20, NoFunctions: plain})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &shard{conn: conn}
}

func (s *shard) Capabilities() tablet.Capabilities { return tablet.Capabilities{} }

func (s *shard) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.conn.Prepare(q.SQL)
	if err != nil {
		return nil, err
	}
	defer st.Release()
	if err := st.Bind(q.Args); err != nil {
		return nil, err
	}
	r := &shardRows{cols: st.Columns()}
	for {
		ok, err := st.Step()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.SQL, err)
		}
		if !ok {
			return r, nil
		}
		row := make([]any, len(r.cols))
		if err := st.Row(row); err != nil {
			return nil, err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = append([]byte{}, b...)
			}
		}
		r.rows = append(r.rows, row)
	}
}

func (s *shard) Exec(ctx context.Context, q *tablet.Query) (res tablet.Result, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.conn.Prepare(q.SQL)
	if err != nil {
		return res, err
	}
	defer st.Release()
	n, width := max(1, q.Batch), len(q.Args)
	if q.Batch > 0 {
		width = len(q.Args) / q.Batch
	}
	for i := range n {
		changed, id, err := st.Run(q.Args[i*width : (i+1)*width])
		if err != nil {
			return res, fmt.Errorf("%s: %w", q.SQL, err)
		}
		res.RowsAffected += changed
		res.LastInsertID = id
		res.Changed, res.InsertIDs = append(res.Changed, changed), append(res.InsertIDs, id)
	}
	return res, nil
}

func (s *shard) Begin(context.Context, tablet.TxOptions) (tablet.Tx, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &shardTx{shard: s}, s.conn.Control("BEGIN")
}

// shardTx is a shard's transaction.
type shardTx struct {
	tablet.Tx
	shard *shard
}

func (t *shardTx) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return t.shard.Query(ctx, q)
}

func (t *shardTx) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	return t.shard.Exec(ctx, q)
}

func (t *shardTx) control(sql string) error {
	t.shard.mu.Lock()
	defer t.shard.mu.Unlock()
	return t.shard.conn.Control(sql)
}

func (t *shardTx) Savepoint(_ context.Context, name string) error {
	return t.control("SAVEPOINT " + name)
}

func (t *shardTx) RollbackTo(_ context.Context, name string) error {
	return t.control("ROLLBACK TO " + name)
}

func (t *shardTx) Release(_ context.Context, name string) error { return t.control("RELEASE " + name) }
func (t *shardTx) Commit(context.Context) error                 { return t.control("COMMIT") }
func (t *shardTx) Rollback() error                              { return t.control("ROLLBACK") }

type shardRows struct {
	cols []string
	rows [][]any
}

func (r *shardRows) Columns() []string { return r.cols }
func (r *shardRows) Close() error      { return nil }

func (r *shardRows) Next(dest []any) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	copy(dest, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}
