package rpc

import (
	"context"
	"crypto/rand"
	"io"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// cursor is a result that didn't fit into its answer. It is read by SHARD_FETCH,
// or as a stream: then it is the stream's source.
type cursor struct {
	s      *Server
	id     string
	client string // whose it is
	at     tablet.Target
	tx     *openTx // nil in autocommit
	cancel context.CancelFunc

	mu   sync.Mutex
	rows tablet.Rows
	row  []tablet.Value
	err  error // sticky; io.EOF at the end
	sent struct{ rows, bytes int64 }
	open bool        // it is among the server's
	idle *time.Timer // ends it, where no stream does
}

// query runs a statement that returns rows. What one chunk holds is in the
// answer.
func (c *session) query(ctx context.Context, on tablet.Runner, x *openTx, r *Request) (any, error) {
	// The statement may outlive this request, but is interrupted with it.
	long, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if d, ok := ctx.Deadline(); ok {
		cancel()
		long, cancel = context.WithDeadline(context.WithoutCancel(ctx), d)
	}
	stop := context.AfterFunc(ctx, cancel)
	rows, err := c.rowsOf(long, on, r.ID, &tablet.Query{SQL: r.SQL, Args: r.Params, Schema: r.Schema, Moment: r.Moment})
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	k := &cursor{s: c.s, client: c.grant.Name, at: r.Target, tx: x, cancel: cancel, rows: rows, row: make([]tablet.Value, len(rows.Columns()))}
	columns := rows.Columns()
	chunk, err := k.chunk()
	if err != nil && err != io.EOF {
		stop()
		return nil, err
	}
	wrote := wroteOf(on)
	moment, known := tablet.MomentOf(rows)
	if err == io.EOF {
		stop()
		return c.result(r, func(o *object) {
			if known {
				o.moment("moment", moment)
			}
			putColumns(o, columns)
			o.key("rows")
			o.check(o.e.Value(chunk))
			o.bool("wrote", wrote)
		}), nil
	}
	if !stop() {
		k.end()
		return nil, ctx.Err()
	}
	m := c.rest(r, k, columns, chunk)
	if wrote {
		m["wrote"] = true
	}
	if known {
		m["moment"] = map[string]any{"clock": moment.Clock, "since": moment.Since, "until": moment.Until}
	}
	return m, nil
}

// rowsOf runs the statement. In autocommit, who may only read gets a transaction
// that can't do more, and a write is done once.
func (c *session) rowsOf(ctx context.Context, on tablet.Runner, id string, q *tablet.Query) (tablet.Rows, error) {
	t, autocommit := on.(tablet.Tablet)
	switch {
	case autocommit && c.grant.ReadOnly:
		return readOnly(ctx, t, q)
	case autocommit && id != "" && memoryOf(t) != nil && mayWrite(q.SQL):
		return c.onceRows(ctx, t, id, q)
	}
	return on.Query(ctx, q)
}

func putColumns(o *object, columns []string) {
	o.key("columns")
	o.e.BeginArray()
	for _, name := range columns {
		o.check(o.e.String(name))
	}
	o.e.EndArray()
}

// rest is an answer with the first rows of many.
func (c *session) rest(r *Request, k *cursor, columns []string, chunk capnweb.Raw) map[string]any {
	k.id = rand.Text()
	c.s.mu.Lock()
	c.s.cursors[k.id] = k
	k.open = true
	c.s.busy++
	c.s.mu.Unlock()
	m := map[string]any{
		"type": int64(TypeResult), "id": r.ID, "timestamp": c.s.opts.Now().UnixMilli(),
		"columns": columns, "rows": chunk, "cursor": k.id,
	}
	if r.Stream && !c.batch {
		m["more"] = capnweb.NewReadable(k)
	} else {
		k.mu.Lock()
		k.idle = time.AfterFunc(c.s.opts.Idle, func() { _ = k.Close() })
		k.mu.Unlock()
	}
	return m
}

// chunk reads the next rows. With the last ones, or none, comes io.EOF; a failed
// statement has no rows. The caller has the lock, and the transaction's turn.
func (k *cursor) chunk() (capnweb.Raw, error) {
	if k.err != nil {
		return nil, k.err
	}
	w := NewRowWriter()
	for w.Rows() < k.s.opts.ChunkRows && w.Bytes() < k.s.opts.ChunkBytes {
		err := k.rows.Next(k.row)
		if err == nil {
			err = w.Add(k.row)
		}
		if err == nil {
			err = k.s.opts.Limits.result(k.sent.rows+int64(w.Rows()), k.sent.bytes+int64(w.Bytes()))
		}
		if err == io.EOF {
			if err = k.end(); err == nil {
				k.err = io.EOF
				return w.End(), io.EOF
			}
		}
		if err != nil {
			_ = k.end()
			k.err = err
			return nil, err
		}
	}
	k.sent.rows += int64(w.Rows())
	k.sent.bytes += int64(w.Bytes())
	return w.End(), nil
}

// end frees the statement; it may be called again.
func (k *cursor) end() error {
	err := k.rows.Close()
	k.cancel()
	if k.idle != nil {
		k.idle.Stop()
	}
	if k.id == "" {
		return err // nobody else knows it
	}
	k.s.mu.Lock()
	if k.open {
		k.open = false
		k.s.left()
	}
	k.s.mu.Unlock()
	return err
}

// locked runs f with the lock and the transaction's turn.
func (k *cursor) locked(ctx context.Context, f func() error) error {
	if k.tx != nil {
		if err := k.tx.lock(ctx); err != nil {
			return err
		}
		defer k.tx.unlock()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return f()
}

// Next gives the stream's next chunk: an array of rows.
func (k *cursor) Next(ctx context.Context) (any, error) {
	var chunk capnweb.Raw
	err := k.locked(ctx, func() (err error) {
		if k.err != nil {
			return k.err
		}
		chunk, err = k.chunk()
		return err
	})
	if chunk != nil {
		return chunk, nil // io.EOF comes with the next call
	}
	if err != nil && err != io.EOF {
		err = wireError("", err)
	}
	return nil, err
}

// Close ends the cursor, whether all was read or not.
func (k *cursor) Close() error {
	k.s.mu.Lock()
	delete(k.s.cursors, k.id)
	k.s.mu.Unlock()
	// What runs is interrupted first: it has the lock.
	k.cancel()
	err := k.locked(context.Background(), k.finish)
	if err == errTxGone {
		// Nobody else has to do with its statement any more.
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.finish()
	}
	return err
}

func (k *cursor) finish() error {
	if k.err != nil {
		return nil
	}
	k.err = &tablet.Error{Code: tablet.CodeClosed, Message: "the cursor was closed"}
	return k.end()
}

// cursor carries out SHARD_FETCH and SHARD_CLOSE.
func (c *session) cursor(ctx context.Context, r *Request) (any, error) {
	c.s.mu.Lock()
	k := c.s.cursors[r.Cursor]
	c.s.mu.Unlock()
	if k != nil && (k.at != r.Target || k.client != c.grant.Name) {
		k = nil
	}
	if r.Type == TypeShardClose {
		if k == nil {
			return c.ack(r), nil
		}
		return c.done(r, k.Close())
	}
	if k == nil {
		return nil, &tablet.Error{Code: tablet.CodeClosed, Message: "the cursor isn't known: it was read to its end, or nobody has read it for long"}
	}
	var chunk capnweb.Raw
	err := k.locked(ctx, func() (err error) {
		stop := context.AfterFunc(ctx, k.cancel)
		defer stop()
		chunk, err = k.chunk()
		if err == nil && k.idle != nil {
			k.idle.Reset(c.s.opts.Idle)
		}
		return err
	})
	if err != nil {
		c.s.mu.Lock()
		delete(c.s.cursors, r.Cursor)
		c.s.mu.Unlock()
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	over := err == io.EOF
	return c.result(r, func(o *object) {
		o.key("rows")
		o.check(o.e.Value(chunk))
		o.bool("end", over)
	}), nil
}
