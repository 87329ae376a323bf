package capnweb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// hook is what stubs and promises stand for: an object of the peer's, one of
// ours, a value, or what will be one of them. Hooks are counted: retain and
// release come in pairs, and neither takes any lock but the hook's own.
//
// No method waits, and none is called with a lock held, retain excepted: that
// is why results come through functions.
type hook interface {
	// call calls the method at the path's end, or the object itself when the
	// path is empty. It takes the arguments over.
	call(o origin, path []any, args payload) hook
	// get gives what stands at the path's end.
	get(o origin, path []any) hook
	// apply runs a map over the value at the path's end. It takes the captures
	// over.
	apply(o origin, path []any, m *mapping) hook
	// pull calls fn once with the value, maybe before it returns. The value
	// stays the hook's, which the caller must hold until fn is done.
	pull(fn func(payload, error))
	retain()
	release()
}

// origin is whom a call is made for: its context, and the session whose end
// waits for it. A call that comes from this process has no session.
type origin struct {
	ctx context.Context
	s   *Session
}

// payload is a value and how many references it holds: 0 saves the walks.
type payload struct {
	value any
	refs  int
}

func (p payload) release() {
	if p.refs > 0 {
		releaseTree(p.value)
	}
}

// count is the number of holders of a hook.
type count struct{ n atomic.Int32 }

func (c *count) retain() { c.n.Add(1) }

// drop says whether that was the last holder.
func (c *count) drop() bool {
	n := c.n.Add(-1)
	if n < 0 {
		panic("capnweb: a hook was released more often than held")
	}
	return n == 0
}

var errReleased = errors.New("the stub or promise was released before")

// holding is a pull that keeps its hook until the value is there.
type holding struct {
	mu   sync.Mutex
	h    hook
	done bool
}

// hold pulls h. take is called with the value while h is held, and must copy
// what it keeps; next after that. Neither is called after cancel said true.
func hold(h hook, take func(payload, error), next func()) *holding {
	k := &holding{h: h}
	h.retain()
	h.pull(func(p payload, err error) {
		k.mu.Lock()
		if k.done {
			k.mu.Unlock()
			return
		}
		k.done = true
		take(p, err)
		k.mu.Unlock()
		h.release()
		next()
	})
	return k
}

// cancel gives the hook up, unless the value was there before.
func (k *holding) cancel() bool {
	k.mu.Lock()
	if k.done {
		k.mu.Unlock()
		return false
	}
	k.done = true
	k.mu.Unlock()
	k.h.release()
	return true
}

// maxChain is how many hooks in a row may stand for the next.
const maxChain = 10000

// last follows what is known: a promise that has become another promise, and so
// on. A peer can make a promise stand for itself, which must end somewhere.
func last(h hook) hook {
	for range maxChain {
		var next hook
		switch x := h.(type) {
		case *importHook:
			x.s.mu.Lock()
			next = x.e.result
			x.s.mu.Unlock()
		case *pendingHook:
			x.mu.Lock()
			next = x.result
			x.mu.Unlock()
		}
		if next == nil {
			return h
		}
		h = next
	}
	return &errorHook{errCircle}
}

var errCircle = errors.New("a promise was resolved to itself")

// errorHook is what failed: everything asked of it fails in the same way.
type errorHook struct{ err error }

func (h *errorHook) call(_ origin, _ []any, args payload) hook { args.release(); return h }
func (h *errorHook) get(origin, []any) hook                    { return h }
func (h *errorHook) apply(_ origin, _ []any, m *mapping) hook  { m.release(); return h }
func (h *errorHook) pull(fn func(payload, error))              { fn(payload{}, h.err) }
func (h *errorHook) retain()                                   {}
func (h *errorHook) release()                                  {}

// valueHook holds a value, which never changes while it is held.
type valueHook struct {
	count
	p payload
}

func newValueHook(p payload) *valueHook {
	h := &valueHook{p: p}
	h.retain()
	return h
}

func (h *valueHook) release() {
	if h.drop() {
		h.p.release()
	}
}

func (h *valueHook) pull(fn func(payload, error)) { fn(h.p, nil) }

// place is what stands at a path's end.
type place struct {
	value any
	// ref, when not nil, is the reference that the path came to, rest what is
	// left of the path there; promise says that it isn't a stub.
	ref     hook
	rest    []any
	promise bool
}

// follow walks the path through maps and arrays, up to a reference.
func (h *valueHook) follow(path []any) (place, error) {
	v := h.p.value
	for i := 0; ; i++ {
		switch x := v.(type) {
		case *Stub:
			return place{value: v, ref: x.h, rest: path[i:]}, nil
		case *Promise:
			return place{value: v, ref: x.h, rest: append(slices.Clone(x.path), path[i:]...), promise: true}, nil
		}
		if i == len(path) {
			return place{value: v}, nil
		}
		switch x := v.(type) {
		case map[string]any:
			name, _ := path[i].(string)
			var ok bool
			if v, ok = x[name]; !ok {
				v = Undefined
			}
		case []any:
			v = element(x, path[i])
		case UndefinedType, nil:
			return place{}, Errorf("TypeError", "cannot read property '%v' of %s", path[i], plainName(x))
		default:
			v = Undefined
		}
	}
}

// element gives what list[part] is in JavaScript, whose proxies know only names:
// they ask for "1".
func element(list []any, part any) any {
	at, isIndex := part.(int64)
	if name, ok := part.(string); ok {
		if name == "length" {
			return int64(len(list))
		}
		n, err := strconv.Atoi(name)
		at, isIndex = int64(n), err == nil && strconv.Itoa(n) == name
	}
	if isIndex && at >= 0 && at < int64(len(list)) {
		return list[at]
	}
	return Undefined
}

func plainName(v any) string {
	if v == nil {
		return "null"
	}
	return fmt.Sprint(v)
}

func (h *valueHook) call(o origin, path []any, args payload) hook {
	at, err := h.follow(path)
	if err == nil && at.ref != nil {
		return at.ref.call(o, at.rest, args)
	}
	args.release()
	if err == nil {
		err = notAFunction(path)
	}
	return &errorHook{err}
}

func notAFunction(path []any) error {
	return Errorf("TypeError", "'%s' is not a function.", pathText(path))
}

func pathText(path []any) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = fmt.Sprint(p)
	}
	return strings.Join(parts, ".")
}

func (h *valueHook) get(o origin, path []any) hook {
	if len(path) == 0 {
		h.retain()
		return h
	}
	at, err := h.follow(path)
	switch {
	case err != nil:
		return &errorHook{err}
	case at.ref != nil && (at.promise || len(at.rest) > 0):
		return at.ref.get(o, at.rest)
	}
	return newValueHook(dupTree(at.value))
}

func (h *valueHook) apply(o origin, path []any, m *mapping) hook {
	at, err := h.follow(path)
	switch {
	case err != nil:
		m.release()
		return &errorHook{err}
	case at.ref != nil:
		return at.ref.apply(o, at.rest, m)
	}
	return m.run(o, at.value)
}

// hookOf makes a hook of a value, which it takes over.
func hookOf(o origin, p payload) hook {
	x, ok := p.value.(*Promise)
	if !ok {
		return newValueHook(p)
	}
	defer x.Release()
	h, err := x.hook()
	if err != nil {
		return &errorHook{err}
	}
	return h.get(o, x.path)
}

// pendingHook is what isn't known yet. What is asked of it meanwhile is asked
// of the result, in the same order.
type pendingHook struct {
	count
	mu      sync.Mutex
	result  hook
	waiting []func(hook)
}

// newPendingHook makes one that is held twice: by the caller, and by whoever
// will resolve it.
func newPendingHook() *pendingHook {
	h := &pendingHook{}
	h.n.Store(2)
	return h
}

// resolve says what it is. It takes the result over.
func (h *pendingHook) resolve(result hook) {
	// The waiting ones run before newer ones can pass them, each without the
	// lock.
	h.mu.Lock()
	for len(h.waiting) > 0 {
		list := h.waiting
		h.waiting = nil
		h.mu.Unlock()
		for _, f := range list {
			f(last(result))
		}
		h.mu.Lock()
	}
	h.result = result
	h.mu.Unlock()
	h.release() // the hold that resolving has
}

// then calls f with the result, now or later. The result stays the hook's.
func (h *pendingHook) then(f func(hook)) {
	h.mu.Lock()
	if h.result == nil {
		// Whoever waits keeps the result alive.
		h.waiting = append(h.waiting, f)
		h.mu.Unlock()
		return
	}
	h.mu.Unlock()
	f(last(h.result))
}

func (h *pendingHook) after(f func(hook) hook) hook {
	h.mu.Lock()
	if r := h.result; r != nil {
		h.mu.Unlock()
		return f(last(r))
	}
	p := newPendingHook()
	h.waiting = append(h.waiting, func(r hook) { p.resolve(f(r)) })
	h.mu.Unlock()
	return p
}

func (h *pendingHook) call(o origin, path []any, args payload) hook {
	return h.after(func(r hook) hook { return r.call(o, path, args) })
}

func (h *pendingHook) get(o origin, path []any) hook {
	if len(path) == 0 {
		h.retain()
		return h
	}
	return h.after(func(r hook) hook { return r.get(o, path) })
}

func (h *pendingHook) apply(o origin, path []any, m *mapping) hook {
	return h.after(func(r hook) hook { return r.apply(o, path, m) })
}

func (h *pendingHook) pull(fn func(payload, error)) {
	h.then(func(r hook) { r.pull(fn) })
}

func (h *pendingHook) release() {
	if h.drop() {
		h.result.release()
	}
}
