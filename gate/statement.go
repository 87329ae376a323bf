package gate

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
)

// use selects the dialect, and the keyspace or the shard, that the request names.
func use(ctx context.Context, c *vitessdo.Conn, r *rpc.Request) error {
	if r.Dialect != "" {
		if err := c.SetDialect(r.Dialect); err != nil {
			return err
		}
	}
	name := r.Target.Keyspace
	if r.Target.Shard != "" {
		if name == "" {
			name = c.Status().Keyspace
		}
		name += "/" + r.Target.Shard
	}
	if name == "" || name == c.Status().Keyspace {
		return nil
	}
	_, err := c.Run(ctx, "USE `"+strings.ReplaceAll(name, "`", "``")+"`", nil)
	return err
}

func arguments(values []tablet.Value) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, v := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return args
}

// statement carries out QUERY and EXECUTE.
func (s *session) statement(ctx context.Context, r *rpc.Request) (any, error) {
	if r.TxID != "" {
		return s.inTx(ctx, r, func(x *openTx) (any, error) {
			v, _, err := s.query(ctx, x.conn, x, r)
			return v, err
		})
	}
	c, err := s.take(ctx, r)
	if err != nil {
		return nil, err
	}
	v, kept, err := s.query(ctx, c, nil, r)
	if kept {
		return v, err
	}
	defer s.give(c)
	if err == nil && c.Status().InTransaction {
		return nil, gateError(vitessdo.CodeTxState, "a transaction that a statement begins ends with that statement here; send the message BEGIN, and its txId with what belongs to it")
	}
	return v, err
}

// query runs a statement; kept says that a cursor has the session now.
func (s *session) query(ctx context.Context, c *vitessdo.Conn, x *openTx, r *rpc.Request) (answer any, kept bool, err error) {
	// The statement may outlive this request, but is interrupted with it.
	long, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if d, ok := ctx.Deadline(); ok {
		cancel()
		long, cancel = context.WithDeadline(context.WithoutCancel(ctx), d)
	}
	stop := context.AfterFunc(ctx, cancel)
	out, err := c.Run(long, r.SQL, arguments(r.Params))
	if err != nil || out.Rows == nil {
		stop()
		cancel()
		if err != nil {
			return nil, false, err
		}
		return s.result(r, written(out)), false, nil
	}
	k := s.newCursor(x, c, out, cancel)
	if r.Type == rpc.TypeExecute {
		stop()
		return s.result(r, map[string]any{"rowsAffected": int64(0)}), false, k.Finish()
	}
	chunk, err := k.Chunk()
	if err != nil {
		stop()
		if err != io.EOF {
			return nil, false, err
		}
		fields := k.rows.head()
		fields["rows"] = chunk
		return s.result(r, fields), false, nil
	}
	if !stop() {
		_ = k.Finish()
		return nil, false, ctx.Err()
	}
	fields := k.rows.head()
	fields["rows"] = chunk
	if err := s.keep(k, r, fields); err != nil {
		_ = k.Finish()
		return nil, false, err
	}
	return s.result(r, fields), true, nil
}

func written(out *vitessdo.Outcome) map[string]any {
	m := map[string]any{"rowsAffected": out.RowsAffected}
	if out.LastInsertID != 0 {
		m["lastInsertId"] = out.LastInsertID
	}
	return m
}

// statements carries out BATCH: all or none, in the transaction that is named or
// one of its own.
func (s *session) statements(ctx context.Context, r *rpc.Request) (any, error) {
	if r.TxID != "" {
		return s.inTx(ctx, r, func(x *openTx) (any, error) {
			list, err := s.runAll(ctx, x.conn, r)
			if err != nil {
				return nil, err
			}
			return s.result(r, map[string]any{"results": list}), nil
		})
	}
	c, err := s.take(ctx, r)
	if err != nil {
		return nil, err
	}
	defer s.give(c)
	tx, err := c.BeginTx(ctx, driver.TxOptions{})
	if err != nil {
		return nil, err
	}
	list, err := s.runAll(ctx, c, r)
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	return s.result(r, map[string]any{"results": list}), nil
}

func (s *session) runAll(ctx context.Context, c *vitessdo.Conn, r *rpc.Request) ([]any, error) {
	list := make([]any, 0, len(r.Batch))
	for i, q := range r.Batch {
		one, err := s.one(ctx, c, &q)
		if err == nil && !c.Status().InTransaction {
			err = gateError(vitessdo.CodeTxState, "the statement ends the transaction: what came before it is done, what comes behind it is not; send it alone")
		}
		if err != nil {
			return nil, &inBatch{err, i}
		}
		list = append(list, one)
	}
	return list, nil
}

// inBatch says which statement of several has failed.
type inBatch struct {
	error
	at int
}

func (e *inBatch) Unwrap() error { return e.error }

// one runs a statement of several. Rows must fit into one chunk.
func (s *session) one(ctx context.Context, c *vitessdo.Conn, q *tablet.Query) (any, error) {
	out, err := c.Run(ctx, q.SQL, arguments(q.Args))
	if err != nil {
		return nil, err
	}
	if out.Rows == nil {
		return written(out), nil
	}
	k := s.newCursor(nil, c, out, func() {})
	chunk, err := k.Chunk()
	switch {
	case err == nil:
		return nil, errors.Join(gateError(vitessdo.CodeLimit, "the query gives more than %d rows or %d bytes, which is too much for a batch; send it alone", s.g.chunk.Rows, s.g.chunk.Bytes), k.Finish())
	case err != io.EOF:
		return nil, err
	}
	fields := k.rows.head()
	fields["rows"] = chunk
	return fields, nil
}
