package rpc

import (
	"context"
	"crypto/rand"
	"errors"
	"io"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// cursor is a result that didn't fit into its answer. It is read by SHARD_FETCH,
// or as a stream: then it is the stream's source.
type cursor struct {
	Result
	s      *Server
	id     string // "" as long as nobody else knows it
	client string // whose it is
	at     tablet.Target
	cancel context.CancelFunc

	rows   tablet.Rows
	row    []tablet.Value
	before struct{ rows, bytes int64 } // in the chunks that were sent
}

var _ ResultRows = (*cursor)(nil)

// newCursor gives a result that is the caller's alone for now.
func (c *session) newCursor(r *Request, x *openTx, rows tablet.Rows, cancel context.CancelFunc) *cursor {
	k := &cursor{s: c.s, client: c.grant.Name, at: r.Target, cancel: cancel, rows: rows, row: make([]tablet.Value, len(rows.Columns()))}
	var turn *Turn
	if x != nil {
		turn = x.turn
	}
	k.Init(k, turn, c.s.chunk)
	return k
}

// Add implements ResultRows.
func (k *cursor) Add(w *RowWriter) error {
	if err := k.rows.Next(k.row); err != nil {
		return err
	}
	var row RowError
	if err := w.Add(k.row); errors.As(err, &row) {
		return tooBig("%v (--max-message-bytes)", row)
	} else if err != nil {
		return err
	}
	return k.s.opts.Limits.result(k.before.rows+int64(w.Rows()), k.before.bytes+int64(w.Bytes()))
}

// Sent implements ResultRows.
func (k *cursor) Sent(rows, bytes int) {
	k.before.rows += int64(rows)
	k.before.bytes += int64(bytes)
}

// Interrupt implements ResultRows.
func (k *cursor) Interrupt() { k.cancel() }

// Closed implements ResultRows.
func (k *cursor) Closed() error {
	return &tablet.Error{Code: tablet.CodeClosed, Message: "the cursor was closed"}
}

// Told implements ResultRows.
func (k *cursor) Told(err error) error { return wireError("", err) }

// Free implements ResultRows.
func (k *cursor) Free() error {
	defer k.cancel()
	err := k.rows.Close()
	k.forget()
	return err
}

// forget takes the cursor off the server's.
func (k *cursor) forget() {
	if k.id == "" {
		return
	}
	k.s.mu.Lock()
	delete(k.s.cursors, k.id)
	k.s.left()
	k.s.mu.Unlock()
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
	k := c.newCursor(r, x, rows, cancel)
	columns := rows.Columns()
	chunk, err := k.Chunk()
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
		_ = k.Finish()
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
	c.s.busy++
	c.s.mu.Unlock()
	m := map[string]any{
		"type": int64(TypeResult), "id": r.ID, "timestamp": c.s.opts.Now().UnixMilli(),
		"columns": columns, "rows": chunk, "cursor": k.id,
	}
	if r.Stream && !c.batch {
		m["more"] = capnweb.NewReadable(k)
	} else {
		k.Linger(c.s.opts.Idle)
	}
	return m
}

// cursor carries out SHARD_FETCH, SHARD_CLOSE, and HEALTH of a cursor that somebody
// still wants.
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
	if r.Type == TypeHealth && k != nil {
		k.Touch()
		return c.ack(r), nil
	}
	if k == nil {
		return nil, &tablet.Error{Code: tablet.CodeClosed, Message: "the cursor isn't known: it was read to its end, or nobody has read it for long"}
	}
	chunk, err := k.Fetch(ctx)
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
