package capnweb

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// Source is a stream of values that is read from this side: sent in a value, it
// becomes a ReadableStream at the peer, which reads it at its own pace.
type Source interface {
	// Next gives the next value, or io.EOF after the last one. Any other error
	// breaks the peer's stream.
	Next(ctx context.Context) (any, error)
	// Close frees the source. It is called once, after the last Next.
	Close() error
}

// Sink is a stream of values that is written to from the peer: sent in a value,
// it becomes a WritableStream there.
type Sink interface {
	// Write takes a value. References in it are released when Write returns.
	// The peer goes on sending while a Write lasts, up to its window.
	Write(ctx context.Context, v any) error
	// Close ends the stream, Abort breaks it; one of them is called, once.
	Close(ctx context.Context) error
	Abort(reason error)
}

// Readable is a stream that can be read, received from the peer or made of a
// [Source]. It belongs to one goroutine at a time. Release it when it is no
// longer needed, read to its end or not.
type Readable struct {
	src      *sharedSource
	released atomic.Bool
}

// sharedSource is a source with its holders.
type sharedSource struct {
	count
	Source
}

// NewReadable makes a stream of a source. The source is closed when the stream
// is released.
func NewReadable(src Source) *Readable {
	if r, ok := src.(*Readable); ok {
		return r.dup()
	}
	s := &sharedSource{Source: src}
	s.retain()
	return &Readable{src: s}
}

func (r *Readable) dup() *Readable {
	r.src.retain()
	return &Readable{src: r.src}
}

// Next gives the next value, which is the caller's, or io.EOF after the last
// one.
func (r *Readable) Next(ctx context.Context) (any, error) { return r.src.Next(ctx) }

// Close is Release; it makes the stream a [Source].
func (r *Readable) Close() error {
	r.Release()
	return nil
}

// Release gives the stream up. When nobody else holds it, its writer is told
// that nobody reads any more.
func (r *Readable) Release() {
	if r != nil && !r.released.Swap(true) && r.src.drop() {
		_ = r.src.Close()
	}
}

// Writable is a stream of the peer's that can be written to. It belongs to one
// goroutine at a time.
type Writable struct {
	h        hook
	released atomic.Bool
	flow     *flow
}

func newWritable(h hook) *Writable { return &Writable{h: h, flow: newFlow()} }

func (w *Writable) hook() (hook, error) {
	if w == nil || w.released.Load() {
		return nil, errReleased
	}
	return w.h, nil
}

func (w *Writable) dup() *Writable {
	w.h.retain()
	return newWritable(w.h)
}

// Write sends a value. It waits while the peer has a window's worth of bytes
// that it hasn't taken yet. The error may be that of an earlier Write.
func (w *Writable) Write(ctx context.Context, v any) error {
	h, err := w.hook()
	if err != nil {
		return err
	}
	if err := waitRoom(ctx, h); err != nil {
		return err
	}
	return w.flow.send(ctx, h, "write", v)
}

// Close ends the stream after all that was written, and waits until the peer has
// taken it.
func (w *Writable) Close(ctx context.Context) error {
	h, err := w.hook()
	if err != nil {
		return err
	}
	defer w.Release()
	if err := w.flow.send(ctx, h, "close"); err != nil {
		return err
	}
	return w.flow.drained(ctx)
}

// Abort breaks the stream.
func (w *Writable) Abort(reason error) {
	if h, err := w.hook(); err == nil {
		_ = w.flow.send(context.Background(), h, "abort", asError(reason))
		w.Release()
	}
}

// Release gives the stream up; without Close before, that breaks it.
func (w *Writable) Release() {
	if w != nil && !w.released.Swap(true) {
		w.h.release()
	}
}

// flow counts what was sent and not taken yet.
type flow struct {
	mu    sync.Mutex
	bytes int
	err   error
	wake  chan struct{} // closed at every change that a sender may wait for
}

func newFlow() *flow { return &flow{wake: make(chan struct{})} }

// send sends one call of the stream, and then waits for room in the window.
func (f *flow) send(ctx context.Context, h hook, method string, args ...any) error {
	f.mu.Lock()
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return err
	}
	if args == nil {
		args = []any{}
	}
	var size, window int
	if imp, remote := h.(*importHook); remote {
		size, err = imp.stream(method, args, func(n int, err error) { f.acked(n, err) })
		window = imp.s.limits.StreamWindow
		if err != nil {
			return err
		}
	} else {
		p, err := ownedTree(args, true)
		if err != nil {
			return err
		}
		size = 1
		result := h.call(origin{ctx: ctx}, []any{method}, p)
		hold(result, func(_ payload, err error) { f.acked(1, err) }, result.release)
	}
	f.mu.Lock()
	f.bytes += size
	f.mu.Unlock()
	return f.below(ctx, max(window, 1))
}

// acked may run before send has counted the bytes: then they are negative for a
// moment.
func (f *flow) acked(n int, err error) {
	f.mu.Lock()
	f.bytes -= n
	if err != nil && f.err == nil {
		f.err = err
	}
	close(f.wake)
	f.wake = make(chan struct{})
	f.mu.Unlock()
}

func (f *flow) drained(ctx context.Context) error { return f.below(ctx, 1) }

// below waits until fewer than n bytes are out.
func (f *flow) below(ctx context.Context, n int) error {
	for {
		f.mu.Lock()
		bytes, err, wake := f.bytes, f.err, f.wake
		f.mu.Unlock()
		if err != nil || bytes < n {
			return err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sinkTarget is a sink as an object with methods.
type sinkTarget struct {
	sink Sink
	over bool
}

func newSinkHook(s Sink) hook { return newLocalHook(&sinkTarget{sink: s}) }

func (t *sinkTarget) Call(ctx context.Context, c *Call) (any, error) {
	if t.over {
		return nil, Errorf("TypeError", "the stream was closed before")
	}
	switch c.Method {
	case "write":
		return Undefined, t.sink.Write(ctx, c.Arg(0))
	case "close":
		t.over = true
		return Undefined, t.sink.Close(ctx)
	case "abort":
		t.over = true
		t.sink.Abort(reasonOf(c.Arg(0)))
		return Undefined, nil
	}
	return nil, Errorf("Error", "a stream has no method %q", c.Method)
}

func (t *sinkTarget) Release() {
	if !t.over {
		t.sink.Abort(errors.New("the stream was given up before it was closed"))
	}
}

func reasonOf(v any) error {
	switch v := v.(type) {
	case error:
		return v
	case string:
		return errors.New(v)
	}
	return errors.New("the stream was aborted")
}

// pipe is what the peer writes to and this side reads: the peer's sink and our
// source.
type pipe struct {
	mu    sync.Mutex
	queue []piped
	err   error         // what Next says after the queue; io.EOF after close
	gone  error         // what writers get once nobody reads
	wake  chan struct{} // of capacity 1
}

// piped is a chunk that waits to be read; taken tells the writer.
type piped struct {
	p     payload
	taken *pendingHook
}

func newPipe() *pipe { return &pipe{wake: make(chan struct{}, 1)} }

func (p *pipe) notify() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// write queues a chunk. Its result comes when the chunk is read: that is the
// back pressure.
func (p *pipe) write(chunk payload) hook {
	p.mu.Lock()
	err := p.gone
	if err == nil && p.err != nil {
		err = Errorf("TypeError", "the stream was closed before")
	}
	if err != nil {
		p.mu.Unlock()
		chunk.release()
		return &errorHook{err}
	}
	taken := newPendingHook()
	p.queue = append(p.queue, piped{chunk, taken})
	p.mu.Unlock()
	p.notify()
	return taken
}

// end ends the stream after what is queued, with io.EOF or an error.
func (p *pipe) end(err error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = err
	}
	p.mu.Unlock()
	p.notify()
}

// Next gives the next chunk.
func (p *pipe) Next(ctx context.Context) (any, error) {
	for {
		p.mu.Lock()
		if len(p.queue) > 0 {
			c := p.queue[0]
			p.queue[0] = piped{}
			p.queue = p.queue[1:]
			p.mu.Unlock()
			c.taken.resolve(newValueHook(payload{value: Undefined}))
			return p.settled(ctx, c.p)
		}
		err := p.err
		p.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-p.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// settled waits for the promises in a chunk, if there are any.
func (p *pipe) settled(ctx context.Context, chunk payload) (any, error) {
	if chunk.refs == 0 {
		return chunk.value, nil
	}
	w := &waiter{ready: make(chan struct{}), p: chunk}
	settle(&w.p, nil, w.finish)
	select {
	case <-w.ready:
	case <-ctx.Done():
		if w.leave() {
			return nil, ctx.Err()
		}
		<-w.ready
	}
	if w.err != nil {
		w.p.release()
		return nil, w.err
	}
	return w.p.value, nil
}

// Close is called when nobody reads any more.
func (p *pipe) Close() error {
	p.mu.Lock()
	queue := p.queue
	p.queue = nil
	p.gone = Errorf("Error", "nobody reads the stream any more")
	if p.err == nil {
		p.err = io.ErrClosedPipe
	}
	gone := p.gone
	p.mu.Unlock()
	for _, c := range queue {
		c.p.release()
		c.taken.resolve(&errorHook{gone})
	}
	return nil
}

// pipeHook is the writing end, as the peer calls it.
type pipeHook struct {
	count
	p *pipe
}

func (h *pipeHook) call(_ origin, path []any, args payload) hook {
	list, _ := args.value.([]any)
	var method any
	if len(path) == 1 {
		method = path[0]
	}
	if method == "write" && len(list) > 0 {
		chunk := payload{list[0], args.refs}
		for _, more := range list[1:] {
			releaseTree(more)
		}
		return h.p.write(chunk)
	}
	defer args.release()
	switch method {
	case "close":
		h.p.end(io.EOF)
	case "abort":
		var reason any
		if len(list) > 0 {
			reason = list[0]
		}
		h.p.end(reasonOf(reason))
	default:
		return &errorHook{Errorf("Error", "a stream has no method '%s'", pathText(path))}
	}
	return newValueHook(payload{value: Undefined})
}

func (h *pipeHook) get(origin, []any) hook {
	return &errorHook{Errorf("TypeError", "a stream has no properties")}
}

func (h *pipeHook) apply(_ origin, _ []any, m *mapping) hook {
	m.release()
	return h.get(origin{}, nil)
}

func (h *pipeHook) pull(fn func(payload, error)) {
	fn(payload{}, Errorf("TypeError", "a stream can't be awaited"))
}

func (h *pipeHook) release() {
	if h.drop() {
		h.p.end(errors.New("the writer of the stream has gone before it was closed"))
	}
}
