package capnweb

import (
	"context"
	"sync"
	"sync/atomic"
)

// Stub refers to an object: one of the peer's, or one of ours, which the peer
// may be given any number of times. It is safe for concurrent use. Release it
// when it is no longer needed: until then the object is kept on its side.
type Stub struct {
	h        hook
	released atomic.Bool
}

func newStub(h hook) *Stub { return &Stub{h: h} }

// NewStub makes a stub for an object of ours. The object is released, if it is
// a [Releaser], when the stub, its duplicates and the peer's references are.
func NewStub(t Target) *Stub { return newStub(newLocalHook(t)) }

func (s *Stub) hook() (hook, error) {
	if s == nil || s.released.Load() {
		return nil, errReleased
	}
	return s.h, nil
}

// Call calls a method; "" calls the object itself, when it is a function. It
// doesn't wait for the answer: the promise can be awaited, or used at once, in
// further calls and among their arguments, which travel to the peer together.
//
// Arguments may be anything that the package doc lists. Stubs and promises among
// them stay the caller's to release. ctx bounds the wait for room in the queue
// of what is to be sent, and, for an object of ours, the method.
func (s *Stub) Call(ctx context.Context, method string, args ...any) *Promise {
	h, err := s.hook()
	return start(ctx, h, err, nil, method, args)
}

// Do calls a method and waits for its result, which is the caller's: stubs in
// it are to be released. When ctx ends before that, the call is released, which
// ends the context of the method if the peer is one of this package's.
func (s *Stub) Do(ctx context.Context, method string, args ...any) (any, error) {
	p := s.Call(ctx, method, args...)
	defer p.Release()
	return p.Await(ctx)
}

// Ask calls a method in one message, and is answered in one, where Call takes
// three and more: for calls whose result is awaited anyway. Calls on the promise
// wait for it here, and releasing it doesn't cancel the call.
func (s *Stub) Ask(ctx context.Context, method string, args ...any) *Promise {
	h, err := s.hook()
	imp, remote := h.(*importHook)
	if remote {
		_, batch := imp.s.t.(*batchClient) // which is sent when an answer is pulled
		remote = !batch
	}
	if err != nil || !remote {
		return start(ctx, h, err, nil, method, args)
	}
	if err := waitRoom(ctx, h); err != nil {
		return newPromise(&errorHook{err})
	}
	var list any = args
	if args == nil {
		list = []any{}
	}
	p, err := ownedTree(list, true)
	if err != nil {
		return newPromise(&errorHook{err})
	}
	var path []any
	if method != "" {
		path = []any{method}
	}
	return newPromise(imp.ask(origin{ctx: ctx}, path, p))
}

// Get gives a property, or one of a property when path holds several names.
func (s *Stub) Get(path ...any) *Promise {
	h, err := s.hook()
	return property(h, err, nil, path)
}

// Dup gives another stub for the same object, with a life of its own.
func (s *Stub) Dup() *Stub {
	h, err := s.hook()
	if err != nil {
		return newStub(&errorHook{err})
	}
	h.retain()
	return newStub(h)
}

// Release gives the stub up. It may be called more than once.
func (s *Stub) Release() {
	if s != nil && !s.released.Swap(true) {
		s.h.release()
	}
}

// Promise is what a call will return. It is safe for concurrent use. Release it
// when it is no longer needed.
type Promise struct {
	path     []any
	released atomic.Bool

	mu sync.Mutex
	h  hook
	// end is what stands at the path's end, once that was asked for.
	end hook
}

func newPromise(h hook) *Promise { return &Promise{h: h} }

func (p *Promise) hook() (hook, error) {
	if p == nil || p.released.Load() {
		return nil, errReleased
	}
	return p.h, nil
}

// target gives the hook of what stands at the path's end.
func (p *Promise) target() (hook, error) {
	h, err := p.hook()
	if err != nil || len(p.path) == 0 {
		return h, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end == nil {
		p.end = h.get(origin{ctx: context.Background()}, p.path)
	}
	return p.end, nil
}

// Call calls a method of what the promise will be, without waiting for it.
func (p *Promise) Call(ctx context.Context, method string, args ...any) *Promise {
	h, err := p.hook()
	return start(ctx, h, err, p.path, method, args)
}

// Do calls a method of what the promise will be and waits, as [Stub.Do].
func (p *Promise) Do(ctx context.Context, method string, args ...any) (any, error) {
	q := p.Call(ctx, method, args...)
	defer q.Release()
	return q.Await(ctx)
}

// Get gives a field of what the promise will be: names of fields and properties,
// indexes of arrays.
func (p *Promise) Get(path ...any) *Promise {
	h, err := p.hook()
	return property(h, err, p.path, path)
}

// Pull asks for the value without waiting for it. In a batch, pull all that are
// wanted before the first is awaited.
func (p *Promise) Pull() {
	if h, err := p.target(); err == nil {
		h.pull(func(payload, error) {})
	}
}

// Await waits for the value. Stubs in it are the caller's, to be released whatever
// becomes of the promise; arrays and maps are shared with whoever else has a promise
// of it, the session included, and are for reading only. The error is the peer's, as an [*Error], or
// says that the session has ended, or is ctx's.
func (p *Promise) Await(ctx context.Context) (any, error) {
	h, err := p.target()
	if err != nil {
		return nil, err
	}
	w := &waiter{ready: make(chan struct{})}
	held := hold(h, func(q payload, err error) {
		if err == nil && q.refs > 0 {
			q = dupTree(q.value)
		}
		w.p, w.err = q, err
	}, func() {
		if w.err != nil || w.p.refs == 0 {
			w.finish(w.err)
			return
		}
		settle(&w.p, nil, w.finish)
	})
	flush(ctx, h)
	select {
	case <-w.ready:
	case <-ctx.Done():
		if held.cancel() || w.leave() {
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

// waiter hands a value to the one who waits, or drops it when he has left.
type waiter struct {
	mu    sync.Mutex
	left  bool
	ended bool
	ready chan struct{}
	p     payload
	err   error
}

func (w *waiter) finish(err error) {
	w.mu.Lock()
	w.ended, w.err = true, err
	left := w.left
	w.mu.Unlock()
	if left {
		w.p.release()
	}
	close(w.ready)
}

func (w *waiter) leave() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left = !w.ended
	return w.left
}

// Dup gives another promise for the same value, with a life of its own.
func (p *Promise) Dup() *Promise {
	h, err := p.hook()
	if err != nil {
		return newPromise(&errorHook{err})
	}
	h.retain()
	return &Promise{h: h, path: p.path}
}

// Release gives the promise up, and with it the call when nobody else waits for
// its answer. It may be called more than once.
func (p *Promise) Release() {
	if p == nil || p.released.Swap(true) {
		return
	}
	p.mu.Lock()
	end := p.end
	p.mu.Unlock()
	if end != nil {
		end.release()
	}
	p.h.release()
}

// start begins a call that comes from the application.
func start(ctx context.Context, h hook, err error, base []any, method string, args []any) *Promise {
	if err != nil {
		return newPromise(&errorHook{err})
	}
	if err := waitRoom(ctx, h); err != nil {
		return newPromise(&errorHook{err})
	}
	path := base
	if method != "" {
		path = append(base[:len(base):len(base)], method)
	}
	var value any = args
	if args == nil {
		value = []any{}
	}
	p, err := ownedTree(value, true)
	if err != nil {
		return newPromise(&errorHook{err})
	}
	return newPromise(h.call(origin{ctx: ctx}, path, p))
}

func property(h hook, err error, base, path []any) *Promise {
	if err != nil {
		return newPromise(&errorHook{err})
	}
	h.retain()
	all := append([]any{}, base...)
	for _, part := range path {
		if i, ok := part.(int); ok {
			part = int64(i)
		}
		all = append(all, part)
	}
	return &Promise{h: h, path: all}
}
