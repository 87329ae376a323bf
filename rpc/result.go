package rpc

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// Result is a statement's rows, which a peer reads in chunks: each by a request of its
// own, or all as a stream, whose source it is. It is safe for concurrent use.
type Result struct {
	of    ResultRows
	turn  *Turn
	chunk Chunk

	mu    sync.Mutex
	err   error // sticky; io.EOF at the end
	freed bool
	idle  *time.Timer // ends it when nobody reads; may be nil
	wait  time.Duration
}

var _ capnweb.Source = (*Result)(nil)

// ResultRows are the rows of a Result.
type ResultRows interface {
	// Add adds the next row to a chunk; io.EOF says that there is none.
	Add(*RowWriter) error
	// Sent is told of each chunk.
	Sent(rows, bytes int)
	// Free ends the statement. It is called once, with the turn.
	Free() error
	// Interrupt has what runs of the statement fail.
	Interrupt()
	// Closed is what a read gets behind Close.
	Closed() error
	// Told makes an error one for the peer that reads a stream.
	Told(error) error
}

// Chunk says how much of a result travels together.
type Chunk struct {
	Rows, Bytes int // when a chunk has so many, it is whole
	Row         int // bytes that a row may have
}

// ChunkOf gives the chunks for a session with the options, which may be nil: one has
// room in a message beside a row that is as large as it may be. 0 rows or bytes are the
// defaults, 1000 and 256 KiB.
func ChunkOf(rows, bytes int, o *capnweb.Options) Chunk {
	if rows <= 0 {
		rows = 1000
	}
	if bytes <= 0 {
		bytes = 256 << 10
	}
	message := o.MessageBytes()
	spare := message / 64
	return Chunk{Rows: rows, Bytes: min(bytes, max(spare/2, 1)), Row: message - spare}
}

// Init makes it the result of rows. turn is that of the statement's transaction, nil in
// autocommit. It comes first.
func (k *Result) Init(of ResultRows, turn *Turn, c Chunk) {
	k.of, k.turn, k.chunk = of, turn, c
}

// Linger ends the result when nobody reads it for so long.
func (k *Result) Linger(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wait = d
	k.idle = time.AfterFunc(d, func() { _ = k.Close() })
}

// Chunk reads the next rows. With the last ones, or none, comes io.EOF; a failed
// statement has no rows. It is for whoever has the result, and the turn, alone.
func (k *Result) Chunk() (capnweb.Raw, error) {
	if k.err != nil {
		return nil, k.err
	}
	if k.idle != nil {
		k.idle.Stop() // somebody reads
		defer k.touch()
	}
	w := newRowWriter(k.chunk.Row)
	for w.Rows() < k.chunk.Rows && w.Bytes() < k.chunk.Bytes {
		err := k.of.Add(w)
		if err == nil {
			continue
		}
		if closing := k.end(); err == io.EOF && closing != nil {
			err = closing
		}
		if k.err = err; err != io.EOF {
			return nil, err
		}
		k.of.Sent(w.Rows(), w.Bytes())
		return w.End(), io.EOF
	}
	k.of.Sent(w.Rows(), w.Bytes())
	return w.End(), nil
}

// touch gives the result its time anew.
func (k *Result) touch() {
	if k.idle != nil && k.err == nil {
		k.idle.Reset(k.wait)
	}
}

// Touch says that the result is wanted, though nobody reads it.
func (k *Result) Touch() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.touch()
}

// end frees the statement, once.
func (k *Result) end() error {
	if k.freed {
		return nil
	}
	k.freed = true
	if k.idle != nil {
		k.idle.Stop()
	}
	return k.of.Free()
}

// locked runs f with the lock and the transaction's turn.
func (k *Result) locked(ctx context.Context, f func()) error {
	if k.turn != nil {
		if err := k.turn.Take(ctx); err != nil {
			return err
		}
		defer k.turn.Pass()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
	return nil
}

// Fetch gives the next chunk, as Chunk does; what runs is interrupted with ctx.
func (k *Result) Fetch(ctx context.Context) (chunk capnweb.Raw, err error) {
	if gone := k.locked(ctx, func() {
		stop := context.AfterFunc(ctx, k.of.Interrupt)
		defer stop()
		chunk, err = k.Chunk()
	}); gone != nil {
		return nil, gone
	}
	return chunk, err
}

// Next gives the stream's next chunk: an array of rows.
func (k *Result) Next(ctx context.Context) (any, error) {
	var chunk capnweb.Raw
	var err error
	if gone := k.locked(ctx, func() { chunk, err = k.Chunk() }); gone != nil {
		return nil, k.of.Told(gone)
	}
	if chunk != nil {
		return chunk, nil // io.EOF comes with the next call
	}
	if err != io.EOF {
		err = k.of.Told(err)
	}
	return nil, err
}

// Close ends the result, whether all was read or not.
func (k *Result) Close() error {
	k.of.Interrupt() // what runs has the lock
	var err error
	if gone := k.locked(context.Background(), func() { err = k.finish() }); gone != nil {
		return k.Finish() // nobody else has to do with its statement any more
	}
	return err
}

// Finish is Close for who has the turn of the transaction.
func (k *Result) Finish() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.finish()
}

func (k *Result) finish() error {
	if k.err != nil {
		return nil
	}
	k.err = k.of.Closed()
	return k.end()
}
