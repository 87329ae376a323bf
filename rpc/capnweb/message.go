package capnweb

import (
	"fmt"
	"strconv"
)

// message is a message of ours that is being written. It ends with push, stream,
// send or drop.
type message struct {
	Encoder
	s       *Session
	used    []*importEntry
	exports []int64 // to be taken back when the message isn't sent
}

func (s *Session) newMessage(tag string) *message {
	m := &message{s: s}
	m.x = m
	m.max = s.limits.Depth
	m.buf = append(append(append(make([]byte, 0, 128), `["`...), tag...), '"')
	return m
}

// callee writes the beginning of a call; the entry's use, which the caller has
// begun, ends with the message.
func (m *message) callee(e *importEntry, tag string, path []any) {
	m.used = append(m.used, e)
	m.sep()
	m.buf = appendCallee(m.buf, tag, e.id, path)
}

// args writes arguments, which are a plain array.
func (m *message) args(list []any) error {
	m.buf = append(m.buf, '[')
	for _, a := range list {
		if err := m.Value(a); err != nil {
			return err
		}
	}
	m.buf = append(m.buf, ']')
	return nil
}

// own says whether h is a thing of this session's peer that isn't known better,
// and begins a use of it.
func (m *message) own(h hook) (*importEntry, bool) {
	imp, ok := h.(*importHook)
	if !ok || imp.s != m.s || imp.use() != nil {
		return nil, false
	}
	m.used = append(m.used, imp.e)
	return imp.e, true
}

func (m *message) reference(e *Encoder, h hook, path []any, promise bool) error {
	if imp, ok := m.own(h); ok {
		tag := "import"
		if promise {
			tag = "pipeline"
		}
		e.sep()
		e.buf = append(appendRef(e.buf, tag, imp.id, path), ']')
		return nil
	}
	if !promise {
		h.retain()
		return m.export(e, "export", h)
	}
	return m.export(e, "promise", h.get(background, path))
}

func (m *message) export(e *Encoder, tag string, h hook) error {
	s := m.s
	s.mu.Lock()
	if err := s.err; err != nil {
		s.mu.Unlock()
		h.release()
		return err
	}
	if len(s.exports) >= s.limits.Exports {
		s.mu.Unlock()
		h.release()
		return fmt.Errorf("more than %d of our objects and answers are held by the peer", s.limits.Exports)
	}
	id := s.nextExport
	s.nextExport--
	s.exports[id] = &exportEntry{h: h, refs: 1, promise: tag == "promise"}
	s.mu.Unlock()
	m.exports = append(m.exports, id)
	e.sep()
	e.buf = append(appendRef(e.buf, tag, id, nil), ']')
	return nil
}

func (m *message) pipe(r *Readable) (int64, error) {
	s := m.s
	s.mu.Lock()
	if err := s.err; err != nil {
		s.mu.Unlock()
		return 0, err
	}
	e := s.newImport()
	s.enqueue([]byte(`["pipe"]`))
	s.tasks++
	s.streams++
	s.mu.Unlock()
	go s.pump(r.dup(), newWritable(&importHook{e: e, s: s}))
	return e.id, nil
}

// newImport takes the next number for something that is sent. The lock is held.
func (s *Session) newImport() *importEntry {
	e := &importEntry{s: s, id: s.nextImport, remote: 1}
	e.local.Store(1)
	s.nextImport++
	s.imports[e.id] = e
	if s.halfClosed {
		e.result = &errorHook{errOneWay}
	}
	return e
}

// push sends the call and gives its result.
func (m *message) push() hook {
	s := m.s
	s.mu.Lock()
	if err := s.err; err != nil {
		s.mu.Unlock()
		m.drop()
		return &errorHook{err}
	}
	e := s.newImport()
	s.enqueue(append(m.buf, ']'))
	m.end()
	s.mu.Unlock()
	m.promises()
	return &importHook{e: e, s: s}
}

// stream sends a call that the peer answers unasked and then forgets.
func (m *message) stream(answered func(hook)) error {
	s := m.s
	s.mu.Lock()
	if err := s.err; err != nil {
		s.mu.Unlock()
		m.drop()
		return err
	}
	e := s.newImport()
	failed := e.result
	e.remote, e.pulled = 0, true
	if failed == nil {
		e.answered = answered
	}
	s.enqueue(append(m.buf, ']'))
	m.end()
	s.mu.Unlock()
	m.promises()
	if failed != nil {
		answered(failed)
	}
	return nil
}

// end ends the uses. The lock is held.
func (m *message) end() {
	for _, e := range m.used {
		m.s.unuse(e)
	}
	m.used = nil
}

// promises starts to resolve the promises that the message has exported: unlike
// the peer's calls they aren't pulled.
func (m *message) promises() {
	for _, id := range m.exports {
		m.s.mu.Lock()
		e := m.s.exports[id]
		m.s.mu.Unlock()
		if e != nil && e.promise {
			m.s.answer(id, e)
		}
	}
	m.exports = nil
}

// drop gives up a message that isn't sent.
func (m *message) drop() {
	s := m.s
	s.mu.Lock()
	m.end()
	var entries []*exportEntry
	for _, id := range m.exports {
		if e := s.exports[id]; e != nil {
			delete(s.exports, id)
			entries = append(entries, e)
		}
	}
	s.mu.Unlock()
	for _, e := range entries {
		e.drop()
	}
}

// appendCallee begins a form that calls: tag, number and path.
func appendCallee(buf []byte, tag string, id int64, path []any) []byte {
	buf = appendRef(buf, tag, id, path)
	if len(path) == 0 {
		buf = append(buf, ",[]"...)
	}
	return buf
}

// appendRef begins a form that refers: tag, number and, unless empty, path.
func appendRef(buf []byte, tag string, id int64, path []any) []byte {
	buf = append(append(append(buf, `["`...), tag...), `",`...)
	buf = strconv.AppendInt(buf, id, 10)
	if len(path) == 0 {
		return buf
	}
	buf = append(buf, ",["...)
	for i, part := range path {
		if i > 0 {
			buf = append(buf, ',')
		}
		switch x := part.(type) {
		case string:
			buf, _ = appendString(buf, x)
		case int64:
			buf = strconv.AppendInt(buf, x, 10)
		case int:
			buf = strconv.AppendInt(buf, int64(x), 10)
		default:
			buf, _ = appendString(buf, fmt.Sprint(x))
		}
	}
	return append(buf, ']')
}
