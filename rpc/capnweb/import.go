package capnweb

import (
	"context"
	"strconv"
	"sync/atomic"
)

// background is the origin of what nobody waits for.
var background = origin{ctx: context.Background()}

// importEntry is a thing of the peer's: an object, or the result of a call. The
// session's lock guards it.
type importEntry struct {
	s  *Session
	id int64
	// local counts our hooks; it is atomic so that retain needs no lock.
	local atomic.Int32
	// remote is the peer's count, which a release gives back. uses counts
	// messages that are being written and name the id: until they are queued no
	// release may be.
	remote, uses int
	over         bool // to be released when uses is 0
	pulled       bool
	result       hook // once the peer has told, or the entry has failed
	waiting      []func(payload, error)
	// answered is set for a call that the peer answers unasked, and which has no
	// hook. It takes the result over.
	answered func(hook)
}

// importHook is one of our references to it.
type importHook struct {
	e *importEntry
	s *Session
}

func (h *importHook) retain() { h.e.local.Add(1) }

func (h *importHook) release() {
	s, e := h.s, h.e
	s.mu.Lock()
	if e.local.Add(-1) > 0 || e.id == 0 {
		s.mu.Unlock()
		return
	}
	result, waiting := e.result, e.waiting
	if result == nil {
		e.result = &errorHook{errReleased}
		e.waiting = nil
		s.finishImport(e)
	}
	s.mu.Unlock()
	if result != nil {
		result.release()
	}
	for _, f := range waiting {
		f(payload{}, errReleased)
	}
}

// finishImport gives the peer's count back and forgets the entry, now or when
// nobody names it any more. The lock is held.
func (s *Session) finishImport(e *importEntry) {
	e.over = true
	if e.uses > 0 || s.imports[e.id] != e {
		return
	}
	if e.remote > 0 {
		buf := append(make([]byte, 0, 32), `["release",`...)
		buf = strconv.AppendInt(buf, e.id, 10)
		buf = append(buf, ',')
		buf = strconv.AppendInt(buf, int64(e.remote), 10)
		s.enqueue(append(buf, ']'))
	}
	s.forget(e)
}

func (s *Session) forget(e *importEntry) {
	delete(s.imports, e.id)
	if e.id < 0 {
		s.remoteIn--
	}
}

// use keeps the id valid while a message that names it is written. When the
// thing is known already, use gives that instead.
func (h *importHook) use() (result hook) {
	h.s.mu.Lock()
	r := h.e.result
	if r == nil {
		h.e.uses++
	}
	h.s.mu.Unlock()
	if r == nil {
		return nil
	}
	return last(r)
}

// unuse ends a use. The lock is held.
func (s *Session) unuse(e *importEntry) {
	e.uses--
	if e.over {
		s.finishImport(e)
	}
}

// failImports tells all who wait that nothing will come.
func failImports(list []*importEntry, err error) {
	for _, e := range list {
		e.s.mu.Lock()
		if e.result != nil {
			e.s.mu.Unlock()
			continue
		}
		e.result = &errorHook{err}
		waiting, answered := e.waiting, e.answered
		e.waiting, e.answered = nil, nil
		e.s.mu.Unlock()
		for _, f := range waiting {
			f(payload{}, err)
		}
		if answered != nil {
			answered(&errorHook{err})
		}
	}
}

// calling begins the message of a call, of the kind given.
func (h *importHook) calling(kind string, path, args []any) (*message, error) {
	m := h.s.newMessage(kind)
	m.callee(h.e, "pipeline", path)
	m.buf = append(m.buf, ',')
	if err := m.args(args); err != nil {
		m.drop()
		return nil, err
	}
	m.buf = append(m.buf, ']')
	return m, nil
}

func (h *importHook) call(o origin, path []any, args payload) hook {
	if r := h.use(); r != nil {
		return r.call(o, path, args)
	}
	defer args.release()
	m, err := h.calling("push", path, args.value.([]any))
	if err != nil {
		return &errorHook{err}
	}
	return m.push()
}

// stream sends a call of a stream. acked is called once, when the peer has
// answered, with the bytes that were sent.
func (h *importHook) stream(method string, args []any, acked func(int, error)) (int, error) {
	if r := h.use(); r != nil {
		p, err := ownedTree(args, true)
		if err != nil {
			return 0, err
		}
		q := r.call(background, []any{method}, p)
		hold(q, func(_ payload, err error) { acked(1, err) }, q.release)
		return 1, nil
	}
	m, err := h.calling("stream", []any{method}, args)
	if err != nil {
		return 0, err
	}
	n := len(m.buf)
	return n, m.stream(func(r hook) {
		hold(r, func(_ payload, err error) { acked(n, err) }, r.release)
	})
}

// ask sends a call that the peer answers unasked and then forgets: one message
// each way. What is asked of the result meanwhile waits for it here.
func (h *importHook) ask(o origin, path []any, args payload) hook {
	if r := h.use(); r != nil {
		return r.call(o, path, args)
	}
	defer args.release()
	m, err := h.calling("stream", path, args.value.([]any))
	if err != nil {
		return &errorHook{err}
	}
	p := newPendingHook()
	h.s.soon()
	err = m.stream(p.resolve)
	h.s.sendNow()
	if err != nil {
		p.resolve(&errorHook{err})
	}
	return p
}

func (h *importHook) get(o origin, path []any) hook {
	if r := h.use(); r != nil {
		return r.get(o, path)
	}
	if len(path) == 0 {
		h.retain()
		h.s.mu.Lock()
		h.s.unuse(h.e)
		h.s.mu.Unlock()
		return h
	}
	m := h.s.newMessage("push")
	m.callee(h.e, "pipeline", path)
	m.buf = append(m.buf, ']')
	return m.push()
}

func (h *importHook) apply(o origin, path []any, f *mapping) hook {
	if r := h.use(); r != nil {
		return r.apply(o, path, f)
	}
	defer f.release()
	m := h.s.newMessage("push")
	m.callee(h.e, "remap", path)
	m.buf = append(m.buf, ",["...)
	for _, c := range f.captures {
		var err error
		if imp, ok := m.own(c); ok {
			m.sep()
			m.buf = append(appendRef(m.buf, "import", imp.id, nil), ']')
		} else {
			c.retain()
			err = m.export(&m.Encoder, "export", c)
		}
		if err != nil {
			m.drop()
			return &errorHook{err}
		}
	}
	m.buf = append(m.buf, "],["...)
	for i, text := range f.instructions {
		if i > 0 {
			m.buf = append(m.buf, ',')
		}
		m.buf = append(m.buf, text...)
	}
	m.buf = append(m.buf, "]]"...)
	return m.push()
}

func (h *importHook) pull(fn func(payload, error)) {
	s, e := h.s, h.e
	s.mu.Lock()
	if r := e.result; r != nil {
		s.mu.Unlock()
		last(r).pull(fn)
		return
	}
	if s.err != nil || e.id == 0 {
		err := s.err
		s.mu.Unlock()
		if err == nil {
			err = errNotAwaited
		}
		fn(payload{}, err)
		return
	}
	if e.id < 0 && !e.pulled {
		s.mu.Unlock()
		fn(payload{}, errNotAwaited)
		return
	}
	if !e.pulled {
		e.pulled = true
		buf := append(make([]byte, 0, 24), `["pull",`...)
		buf = strconv.AppendInt(buf, e.id, 10)
		s.enqueue(append(buf, ']'))
	}
	e.waiting = append(e.waiting, fn)
	s.mu.Unlock()
}

var errNotAwaited = Errorf("TypeError", "an object of the peer's can't be awaited, only what its methods return")

// resolve takes what the peer says that the entry is.
func (s *Session) resolve(id int64, result hook) {
	s.mu.Lock()
	e := s.imports[id]
	if e == nil || e.result != nil || e.over {
		s.mu.Unlock()
		result.release()
		return
	}
	e.result = result
	waiting, answered := e.waiting, e.answered
	e.waiting, e.answered = nil, nil
	s.finishImport(e)
	s.mu.Unlock()
	for _, f := range waiting {
		last(result).pull(f)
	}
	if answered != nil {
		answered(result)
	}
}
