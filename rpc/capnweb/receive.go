package capnweb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// exportEntry is a thing of ours that the peer holds: an object, or the result
// of one of its calls. The session's lock guards it.
type exportEntry struct {
	h       hook
	refs    int
	auto    bool // a stream's call: forgotten once it is answered
	promise bool // resolved unasked
	call    bool // one of the peer's, not a pipe or a promise
	pulled  bool
	size    int // of the message, until it is answered
	cancel  context.CancelFunc
	pipe    *Readable // the reading end of a pipe, until it is referred to
	held    *holding  // the answer that is waited for
}

// drop frees what the entry holds, once it is out of the table.
func (e *exportEntry) drop() {
	if e.held != nil {
		e.held.cancel()
	}
	if e.cancel != nil {
		e.cancel()
	}
	if e.pipe != nil {
		e.pipe.Release()
	}
	e.h.release()
}

// incoming evaluates a message of the peer's.
type incoming struct {
	s   *Session
	ctx context.Context
}

func (m *incoming) origin() origin { return origin{m.ctx, m.s} }

func (m *incoming) exported(id int64) (hook, error) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	if err := m.s.err; err != nil {
		return nil, err
	}
	e := m.s.exports[id]
	if e == nil {
		return nil, fmt.Errorf("the peer refers to %d, which it doesn't hold", id)
	}
	e.h.retain()
	return e.h, nil
}

func (m *incoming) imported(id int64, promise bool) (hook, error) {
	s := m.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.err; err != nil {
		return nil, err
	}
	if id >= 0 && s.imports[id] == nil || id == 0 {
		return nil, fmt.Errorf("the peer exports an object as %d; its numbers must be negative", id)
	}
	e := s.imports[id]
	switch {
	case e == nil:
		if s.remoteIn >= s.limits.Imports {
			return nil, fmt.Errorf("the peer has sent more than %d objects that are held here", s.limits.Imports)
		}
		e = &importEntry{s: s, id: id}
		s.imports[id] = e
		s.remoteIn++
		e.pulled = promise
		if s.halfClosed {
			e.result = &errorHook{errOneWay}
		}
	case promise:
		return nil, fmt.Errorf("the peer sends a promise as %d, which is taken", id)
	}
	if e.over { // its last hook went while a message was written that names it
		e.over, e.result = false, nil
	}
	e.local.Add(1)
	e.remote++
	return &importHook{e: e, s: s}, nil
}

func (m *incoming) readable(id int64) (*Readable, error) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	e := m.s.exports[id]
	if e == nil || e.pipe == nil {
		return nil, fmt.Errorf("%d is no pipe, or its stream was taken before", id)
	}
	r := e.pipe
	e.pipe = nil
	return r, nil
}

// handle does what one message of the peer's says. An error is the peer's fault
// and ends the session.
func (s *Session) handle(text []byte) error {
	if len(text) > s.limits.MessageBytes {
		return fmt.Errorf("a message of %d bytes; at most %d are taken", len(text), s.limits.MessageBytes)
	}
	if !utf8.Valid(text) {
		return errNotUTF8
	}
	d := decoder{scanner: scanner{s: string(text)}, limits: s.limits}
	if err := d.want('['); err != nil {
		return err
	}
	tag, err := d.text()
	if err != nil {
		return err
	}
	switch tag {
	case "push", "stream":
		return s.pushed(&d, tag == "stream")
	case "pipe":
		if err := d.finish(); err != nil {
			return err
		}
		p := newPipe()
		h := &pipeHook{p: p}
		h.retain()
		return s.addExport(&exportEntry{h: h, refs: 1, pipe: NewReadable(p)})
	case "pull":
		id, err := d.argument()
		if err == nil {
			err = d.finish()
		}
		if err != nil {
			return err
		}
		s.mu.Lock()
		e := s.exports[id]
		s.mu.Unlock()
		if e == nil {
			return fmt.Errorf("the peer pulls %d, which it doesn't hold", id)
		}
		s.answer(id, e)
		return nil
	case "resolve", "reject":
		return s.answered(&d, tag == "reject")
	case "release":
		return s.released(&d)
	case "abort":
		p, err := s.evaluate(&d, s.ctx)
		if err != nil {
			return err
		}
		reason, isError := p.value.(error)
		if !isError {
			reason = fmt.Errorf("%v", p.value)
		}
		p.release() // nothing lives on that it refers to
		return &AbortError{Remote: true, Err: reason}
	}
	return d.fail("unknown message " + strconv.Quote(clip(tag)))
}

// argument reads a number after a comma.
func (d *decoder) argument() (int64, error) {
	if err := d.want(','); err != nil {
		return 0, err
	}
	return d.integer()
}

// finish reads the message's closing bracket, with nothing behind it.
func (d *decoder) finish() error {
	if err := d.want(']'); err != nil {
		return err
	}
	if d.peek() != 0 || d.i < len(d.s) {
		return d.fail("more after the message's end")
	}
	return nil
}

// rest reads the message's expression and end.
func (s *Session) rest(d *decoder) (any, error) {
	if err := d.want(','); err != nil {
		return nil, err
	}
	v, err := d.value()
	if err == nil {
		err = d.finish()
	}
	return v, err
}

// pushed takes a call.
func (s *Session) pushed(d *decoder, stream bool) error {
	s.mu.Lock()
	s.unasked++ // from before the method may be done
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(s.ctx)
	p, err := s.evaluate(d, ctx)
	if err != nil {
		cancel()
		return err
	}
	e := &exportEntry{h: hookOf(origin{ctx, s}, p), refs: 1, auto: stream, call: true, cancel: cancel, size: len(d.s)}
	id := s.nextPushed
	if err := s.addExport(e); err != nil {
		return err
	}
	if stream {
		s.answer(id, e)
	}
	return nil
}

// evaluate reads the message's expression and end.
func (s *Session) evaluate(d *decoder, ctx context.Context) (payload, error) {
	d.x = &incoming{s, ctx}
	v, err := s.rest(d)
	if err != nil {
		payload{v, d.refs}.release()
		return payload{}, err
	}
	return payload{v, d.refs}, nil
}

// addExport gives the next of the peer's numbers to what it has sent.
func (s *Session) addExport(e *exportEntry) error {
	s.mu.Lock()
	err := s.err
	if err == nil && len(s.exports) >= s.limits.Exports {
		err = fmt.Errorf("the peer holds %d calls and objects; it must release them", len(s.exports))
	}
	if err == nil && s.inBytes+e.size > s.limits.QueuedBytes {
		err = fmt.Errorf("calls of more than %d bytes wait for their answers", s.limits.QueuedBytes)
	}
	if err != nil {
		s.mu.Unlock()
		e.drop()
		return err
	}
	s.inBytes += e.size
	s.exports[s.nextPushed] = e
	s.nextPushed++
	s.mu.Unlock()
	return nil
}

// answer sends the entry's value as soon as there is one. A second time it does
// nothing.
func (s *Session) answer(id int64, e *exportEntry) {
	s.mu.Lock()
	if e.pulled || s.exports[id] != e {
		s.mu.Unlock()
		return
	}
	if e.call {
		s.unasked--
		s.signal()
	}
	e.pulled = true
	s.pulls++
	s.mu.Unlock()
	// The promises of ours in the value are waited for, so that the call's
	// context can end with the answer.
	var q payload
	var failed error
	held := hold(e.h, func(p payload, err error) {
		if p.refs > 0 {
			p = dupTree(p.value)
		}
		q, failed = p, err
	}, func() {
		if failed != nil || q.refs == 0 {
			s.send(id, e, s.newAnswer(id, q, failed))
			return
		}
		settle(&q, s, func(err error) {
			s.send(id, e, s.newAnswer(id, q, err))
			q.release()
		})
	})
	s.mu.Lock()
	gone := s.exports[id] != e
	if !gone {
		e.held = held
	}
	s.mu.Unlock()
	if gone && held.cancel() {
		s.owed()
	}
}

// owed counts an answer that needn't be sent any more.
func (s *Session) owed() {
	s.mu.Lock()
	s.pulls--
	s.signal()
	s.mu.Unlock()
}

// newAnswer writes the message that resolves or rejects.
func (s *Session) newAnswer(id int64, p payload, err error) *message {
	var m *message
	if err == nil {
		m = s.newMessage("resolve")
		m.number(id)
		if err = m.Value(p.value); err == nil {
			return m
		}
		m.drop()
	}
	m = s.newMessage("reject")
	m.number(id)
	e := asError(err)
	if s.opts.SendError != nil {
		e = s.opts.SendError(err)
	}
	if m.error(e) != nil {
		// Its fields can't be sent; its text always can.
		m.drop()
		m = s.newMessage("reject")
		m.number(id)
		_ = m.error(&Error{Name: e.Name, Message: e.Message})
	}
	return m
}

func (m *message) number(id int64) {
	m.sep()
	m.buf = strconv.AppendInt(m.buf, id, 10)
}

// send sends an answer, unless the peer has released it meanwhile.
func (s *Session) send(id int64, e *exportEntry, m *message) {
	s.mu.Lock()
	s.pulls--
	s.signal()
	if s.err != nil || s.exports[id] != e {
		s.mu.Unlock()
		m.drop()
		return
	}
	s.inBytes -= e.size
	e.size = 0
	if e.cancel != nil {
		e.cancel()
	}
	if e.auto {
		delete(s.exports, id)
	}
	s.enqueue(append(m.buf, ']'))
	m.end()
	s.mu.Unlock()
	m.promises()
	if e.auto {
		e.held = nil
		e.drop()
	}
	s.checkRead()
}

// answered takes the result of one of our calls.
func (s *Session) answered(d *decoder, rejected bool) error {
	id, err := d.argument()
	if err != nil {
		return err
	}
	p, err := s.evaluate(d, s.ctx)
	if err != nil {
		return err
	}
	var h hook
	if rejected {
		reason, isError := p.value.(*Error)
		if !isError {
			reason = &Error{Name: "Error", Message: fmt.Sprint(p.value), Props: map[string]any{"value": p.value}}
		}
		p.release()
		h = &errorHook{reason}
	} else {
		h = hookOf(origin{s.ctx, s}, p)
	}
	s.resolve(id, h)
	return nil
}

// released takes back references that the peer has given up.
func (s *Session) released(d *decoder) error {
	id, err := d.argument()
	if err != nil {
		return err
	}
	n, err := d.argument()
	if err == nil {
		err = d.finish()
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	e := s.exports[id]
	if e == nil || n < 0 || int64(e.refs) < n {
		s.mu.Unlock()
		return fmt.Errorf("the peer releases %d of %d, which it doesn't hold so often", n, id)
	}
	e.refs -= int(n)
	if e.refs > 0 {
		s.mu.Unlock()
		return nil
	}
	delete(s.exports, id)
	s.inBytes -= e.size
	if e.call && !e.pulled {
		s.unasked--
		s.signal()
	}
	held := e.held
	e.held = nil
	s.mu.Unlock()
	if held != nil && held.cancel() {
		s.owed()
	}
	e.drop()
	return nil
}

// pump reads a stream of ours for the peer, until its end.
func (s *Session) pump(r *Readable, w *Writable) {
	defer s.taskEnd()
	defer s.streamEnd()
	defer w.Release()
	defer r.Release()
	for {
		v, err := r.Next(s.ctx)
		if err == io.EOF {
			_ = w.Close(s.ctx)
			return
		}
		if err != nil {
			if !errors.Is(err, context.Canceled) || s.ctx.Err() == nil {
				w.Abort(err)
			}
			return
		}
		err = w.Write(s.ctx, v)
		releaseTree(v)
		if err != nil {
			return
		}
	}
}
