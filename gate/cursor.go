package gate

import (
	"context"
	"crypto/rand"
	"io"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// cursor is a result that didn't fit into its answer. It is read by SHARD_FETCH,
// or as a stream: then it is the stream's source.
type cursor struct {
	s      *session
	id     string
	tx     *openTx        // nil in autocommit
	conn   *vitessdo.Conn // the cursor's own in autocommit
	cancel context.CancelFunc

	mu   sync.Mutex
	rows *reader
	err  error       // sticky; io.EOF at the end
	idle *time.Timer // ends it when nobody reads
}

// keep makes the cursor one that later requests find, and adds to an answer how
// the rest is read.
func (s *session) keep(k *cursor, r *rpc.Request, answer map[string]any) error {
	g := s.g
	k.id = rand.Text()
	g.mu.Lock()
	err := g.room()
	if err == nil {
		g.cursors[k.id] = k
		g.busy++
	}
	g.mu.Unlock()
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.idle = time.AfterFunc(g.opts.Idle, func() { _ = k.Close() })
	k.mu.Unlock()
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

// chunk reads the next rows. With the last ones, or none, comes io.EOF; a failed
// statement has no rows. The caller has the lock, and the transaction's turn.
func (k *cursor) chunk() (capnweb.Raw, error) {
	if k.err != nil {
		return nil, k.err
	}
	opts := &k.s.g.opts
	w := rpc.NewRowWriter()
	for w.Rows() < opts.ChunkRows && w.Bytes() < opts.ChunkBytes {
		err := k.rows.next(w)
		if err == io.EOF {
			if err = k.end(); err == nil {
				k.err = io.EOF
				k.s.g.told.rows.Add("", int64(w.Rows()))
				return w.End(), io.EOF
			}
		}
		if err != nil {
			_ = k.end()
			k.err = err
			return nil, err
		}
	}
	k.s.g.told.rows.Add("", int64(w.Rows()))
	return w.End(), nil
}

// end frees the statement, and forgets the cursor. It is called once, with the
// lock, unless nobody else knows the cursor.
func (k *cursor) end() error {
	err := k.rows.rows.Close()
	k.cancel()
	if k.idle != nil {
		k.idle.Stop()
	}
	if k.id == "" {
		return err
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
		if k.err == nil {
			k.idle.Reset(k.s.g.opts.Idle)
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
	// What runs is interrupted first: it has the lock.
	k.cancel()
	err := k.locked(context.Background(), k.finish)
	if err == errTxGone {
		return nil // its cursors have ended with it
	}
	return err
}

func (k *cursor) finish() error {
	if k.err != nil {
		return nil
	}
	k.err = errNoCursor
	return k.end()
}

var errNoCursor = gateError(vitessdo.CodeClosed, "the cursor isn't known: it was read to its end, or nobody has read it for long")

// cursor carries out SHARD_FETCH and SHARD_CLOSE.
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
	}
	var chunk capnweb.Raw
	err := k.locked(ctx, func() (err error) {
		stop := context.AfterFunc(ctx, k.cancel)
		defer stop()
		if k.err == nil {
			k.idle.Reset(s.g.opts.Idle)
		}
		chunk, err = k.chunk()
		return err
	})
	if err != nil && err != io.EOF {
		return nil, err
	}
	fields := map[string]any{"rows": chunk}
	if err == io.EOF {
		fields["end"] = true
	}
	return s.result(r, fields), nil
}
