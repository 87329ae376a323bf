package gate

import (
	"context"
	"crypto/rand"
	"io"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// cursor is a result that didn't fit into its answer. It is read by SHARD_FETCH,
// or as a stream: then it is the stream's source.
type cursor struct {
	rpc.Result
	s      *session
	id     string // "" as long as nobody else knows it
	tx     *openTx
	conn   *vitessdo.Conn // the cursor's own in autocommit
	cancel context.CancelFunc
	rows   *reader
}

var _ rpc.ResultRows = (*cursor)(nil)

// newCursor gives a result that is the caller's alone for now; so is its session of the
// driver.
func (s *session) newCursor(x *openTx, c *vitessdo.Conn, out *vitessdo.Outcome, cancel context.CancelFunc) *cursor {
	k := &cursor{s: s, tx: x, conn: c, cancel: cancel, rows: newReader(out)}
	var turn *rpc.Turn
	if x != nil {
		turn = x.turn
	}
	k.Init(k, turn, s.g.chunk)
	return k
}

// Add implements rpc.ResultRows.
func (k *cursor) Add(w *rpc.RowWriter) error { return k.rows.next(w) }

// Sent implements rpc.ResultRows.
func (k *cursor) Sent(rows, _ int) { k.s.g.told.rows.Add("", int64(rows)) }

// Interrupt implements rpc.ResultRows.
func (k *cursor) Interrupt() { k.cancel() }

// Closed implements rpc.ResultRows.
func (k *cursor) Closed() error { return errNoCursor }

// Told implements rpc.ResultRows.
func (k *cursor) Told(err error) error { return wireError("", err) }

// Free implements rpc.ResultRows.
func (k *cursor) Free() error {
	defer k.cancel()
	err := k.rows.rows.Close()
	k.forget()
	return err
}

// forget takes the cursor off the gate's, and gives its session back.
func (k *cursor) forget() {
	if k.id == "" {
		return
	}
	g := k.s.g
	g.mu.Lock()
	delete(g.cursors, k.id)
	g.busy--
	g.settled()
	g.mu.Unlock()
	if k.tx == nil {
		k.s.give(k.conn)
	} else {
		delete(k.tx.open, k)
	}
}

// keep makes the cursor one that later requests find, and adds to an answer how
// the rest is read.
func (s *session) keep(k *cursor, r *rpc.Request, answer map[string]any) error {
	g := s.g
	id := rand.Text()
	g.mu.Lock()
	err := g.room()
	if err == nil {
		k.id = id
		g.cursors[id] = k
		g.busy++
	}
	g.mu.Unlock()
	if err != nil {
		return err
	}
	k.Linger(g.opts.Idle)
	if k.tx != nil {
		k.tx.open[k] = struct{}{}
	}
	answer["cursor"] = k.id
	if r.Stream && !s.batch {
		answer["more"] = capnweb.NewReadable(k)
	}
	return nil
}

// room says whether one more transaction or cursor may be opened. The caller has
// the lock.
func (g *Gate) room() error {
	switch {
	case g.closed:
		return errClosing
	case len(g.txs)+len(g.cursors) >= g.opts.MaxOpen:
		return gateError(vitessdo.CodeLimit, "%d transactions and cursors are open, which is the limit; end some", g.opts.MaxOpen)
	}
	return nil
}

var errNoCursor = gateError(vitessdo.CodeClosed, "the cursor isn't known: it was read to its end, or nobody has read it for long")

// cursor carries out SHARD_FETCH and SHARD_CLOSE, and HEALTH of a cursor.
func (s *session) cursor(ctx context.Context, r *rpc.Request) (any, error) {
	s.g.mu.Lock()
	k := s.g.cursors[r.Cursor]
	s.g.mu.Unlock()
	if k != nil && k.s.grant != s.grant {
		k = nil // another client's
	}
	switch {
	case r.Type == rpc.TypeShardClose && k == nil:
		return s.ack(r), nil
	case r.Type == rpc.TypeShardClose:
		if err := k.Close(); err != nil {
			return nil, err
		}
		return s.ack(r), nil
	case k == nil:
		return nil, errNoCursor
	case r.Type == rpc.TypeHealth:
		k.Touch()
		return s.ack(r), nil
	}
	chunk, err := k.Fetch(ctx)
	if err != nil && err != io.EOF {
		return nil, err
	}
	fields := map[string]any{"rows": chunk}
	if err == io.EOF {
		fields["end"] = true
	}
	return s.result(r, fields), nil
}
