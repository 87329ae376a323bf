package capnweb

import (
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
)

// Target is an object whose methods the peer may call.
//
// Calls to one object start in the order in which they arrived, and each waits
// until the one before has returned or said [Call.Go]. Objects don't wait for
// each other.
//
// ctx ends with the session, when the peer releases the call before it has an
// answer, and when it has one. What Call returns is sent and, references included, belongs to
// the session from then on. A Target that also has a method Release() is told
// when the last reference to it is gone.
type Target interface {
	Call(ctx context.Context, c *Call) (any, error)
}

// Getter is a Target with properties, which the peer may read or use in a
// path.
type Getter interface {
	Target
	Get(ctx context.Context, name string) (any, error)
}

// Releaser is told when the last reference to an object is gone.
type Releaser interface{ Release() }

// Func is a Target that is a function: it is called without a method's name.
type Func func(ctx context.Context, c *Call) (any, error)

// Call calls the function.
func (f Func) Call(ctx context.Context, c *Call) (any, error) {
	if c.Method != "" {
		return nil, notAFunction([]any{c.Method})
	}
	return f(ctx, c)
}

// Methods is a Target made of functions, by the names of its methods.
type Methods map[string]Func

// Call calls the method.
func (m Methods) Call(ctx context.Context, c *Call) (any, error) {
	f := m[c.Method]
	if f == nil {
		return nil, notAFunction([]any{c.Method})
	}
	return f(ctx, c)
}

// Call is one call of a method.
type Call struct {
	Method string // "" when the object itself is called as a function
	// Args are the arguments. References among them are released when the
	// method returns: Dup the stubs that are to be kept.
	Args []any

	goOn func()
}

// Go lets the next call to the same object start now.
func (c *Call) Go() {
	if c.goOn != nil {
		c.goOn()
		c.goOn = nil
	}
}

// Arg gives the argument at i, Undefined when there are fewer.
func (c *Call) Arg(i int) any {
	if i < len(c.Args) {
		return c.Args[i]
	}
	return Undefined
}

// Arg gives the argument at i as a T, or an error for the peer that says what
// was expected.
func Arg[T any](c *Call, i int) (T, error) {
	v, ok := c.Arg(i).(T)
	if !ok {
		return v, Errorf("TypeError", "argument %d of %s is a %T; it must be a %T", i+1, strconv.Quote(c.Method), c.Arg(i), v)
	}
	return v, nil
}

// localHook is an object of ours.
type localHook struct {
	count
	target Target

	mu      sync.Mutex
	queue   []*invocation
	running bool // somebody takes from the queue
}

// invocation is a call, or the reading of a property, that waits for its turn.
type invocation struct {
	o      origin
	name   string
	isGet  bool
	args   payload
	result *pendingHook
}

func newLocalHook(t Target) *localHook {
	h := &localHook{target: t}
	h.retain()
	return h
}

func (h *localHook) release() {
	if h.drop() {
		if r, ok := h.target.(Releaser); ok {
			r.Release()
		}
	}
}

func (h *localHook) pull(fn func(payload, error)) {
	fn(payload{}, Errorf("TypeError", "an object can't be awaited, only what its methods return"))
}

func (h *localHook) call(o origin, path []any, args payload) hook {
	if len(path) > 1 {
		inner := h.property(o, path[0])
		defer inner.release()
		return inner.call(o, path[1:], args)
	}
	name := ""
	if len(path) == 1 {
		var ok bool
		if name, ok = path[0].(string); !ok || name == "" {
			args.release()
			return &errorHook{notAFunction(path)}
		}
	}
	inv := &invocation{o: o, name: name, args: args, result: newPendingHook()}
	if args.refs == 0 {
		return h.start(inv)
	}
	// The arguments' promises come first; a call that has to wait for them lets
	// others pass.
	h.retain()
	settle(&inv.args, nil, func(err error) {
		defer h.release()
		if err != nil {
			inv.args.release()
			inv.result.resolve(&errorHook{err})
			return
		}
		h.start(inv)
	})
	return inv.result
}

func (h *localHook) get(o origin, path []any) hook {
	if len(path) == 0 {
		h.retain()
		return newValueHook(payload{value: newStub(h), refs: 1})
	}
	inner := h.property(o, path[0])
	if len(path) == 1 {
		return inner
	}
	defer inner.release()
	return inner.get(o, path[1:])
}

func (h *localHook) property(o origin, name any) hook {
	text, ok := name.(string)
	if _, getter := h.target.(Getter); !getter || !ok {
		return newValueHook(payload{value: Undefined})
	}
	return h.start(&invocation{o: o, name: text, isGet: true, result: newPendingHook()})
}

func (h *localHook) apply(o origin, path []any, m *mapping) hook {
	if len(path) == 0 {
		h.retain()
		return m.run(o, newStub(h))
	}
	inner := h.get(o, path)
	defer inner.release()
	return inner.apply(o, nil, m)
}

// start queues the call and gives its result.
func (h *localHook) start(inv *invocation) hook {
	if s := inv.o.s; s != nil && !s.taskStart() {
		inv.args.release()
		inv.result.resolve(&errorHook{s.Err()})
		return inv.result
	}
	h.retain() // until it has run
	h.mu.Lock()
	h.queue = append(h.queue, inv)
	first := !h.running
	h.running = true
	h.mu.Unlock()
	if first {
		go h.run()
	}
	return inv.result
}

// run runs what is queued, one after the other, until the queue is empty or a
// call has said Go: then another goroutine goes on.
func (h *localHook) run() {
	for {
		h.mu.Lock()
		if len(h.queue) == 0 {
			h.running = false
			h.queue = nil
			h.mu.Unlock()
			return
		}
		inv := h.queue[0]
		h.queue[0] = nil
		h.queue = h.queue[1:]
		h.mu.Unlock()

		passed := false
		goOn := func() {
			passed = true
			h.mu.Lock()
			h.running = len(h.queue) > 0
			more := h.running
			h.mu.Unlock()
			if more {
				go h.run()
			}
		}
		result := h.invoke(inv, goOn)
		inv.args.release()
		h.release() // before the peer has the answer, and may look
		if passed && inv.o.s != nil {
			// Nobody waits for this goroutine, so that it may wait for the peer.
			inv.o.s.soon()
			inv.result.resolve(result)
			inv.o.s.sendNow()
		} else {
			inv.result.resolve(result)
		}
		if inv.o.s != nil {
			inv.o.s.taskEnd()
		}
		if passed {
			return
		}
	}
}

func (h *localHook) invoke(inv *invocation, goOn func()) (result hook) {
	defer func() {
		if r := recover(); r != nil {
			err := fmt.Errorf("method %q panicked: %v", inv.name, r)
			if inv.o.s != nil {
				inv.o.s.panicked(err, debug.Stack())
			}
			result = &errorHook{Errorf("Error", "method %q failed unexpectedly", inv.name)}
		}
	}()
	ctx := inv.o.ctx
	if err := ctx.Err(); err != nil {
		return &errorHook{err}
	}
	var v any
	var err error
	if inv.isGet {
		v, err = h.target.(Getter).Get(ctx, inv.name)
	} else {
		list, _ := inv.args.value.([]any)
		c := &Call{Method: inv.name, Args: list, goOn: goOn}
		v, err = h.target.Call(ctx, c)
		c.goOn = nil
	}
	if err != nil {
		releaseTree(v)
		return &errorHook{err}
	}
	// What the method returns is ours now; an argument among it is released
	// with the others.
	p, err := ownedTree(v, true)
	releaseTree(v)
	if err != nil {
		return &errorHook{err}
	}
	return hookOf(inv.o, p)
}
