package capnweb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Options says how a session works. The zero value is usable.
type Options struct {
	Limits Limits
	// SendError, when set, gives what the peer sees of an error that a method
	// failed with. By default it sees the text of every error.
	SendError func(error) *Error
	// KeepAlive is how often a WebSocket's peer is asked for a sign of life; one
	// that gives none until the next time is lost. Default 20 s, below zero never.
	KeepAlive time.Duration
	// Logger gets the panics of methods, with their stack; by default
	// slog.Default.
	Logger *slog.Logger
}

// Session is a conversation with a peer: each side may call the other. It is
// safe for concurrent use.
type Session struct {
	t      Transport
	opts   Options
	limits Limits
	main   *Stub

	ctx    context.Context // ends with the session
	cancel context.CancelFunc
	done   chan struct{} // closed when nothing of the session runs any more

	io      context.Context // of the transport; ends after its Close
	cut     context.CancelFunc
	written chan struct{} // closed when the writer has ended

	mu         sync.Mutex
	imports    map[int64]*importEntry
	exports    map[int64]*exportEntry
	nextImport int64 // the number of the next thing that we send
	nextPushed int64 // the number of the next thing that the peer sends
	nextExport int64 // negative: the number of the next object that we send
	remoteIn   int   // imports with negative numbers
	inBytes    int   // of the peer's calls that aren't answered
	pulls      int   // answers that are owed
	unasked    int   // calls of the peer's that it has neither pulled nor released
	tasks      int   // goroutines of the session
	streams    int   // that are being sent
	alone      bool  // it has no reader and writer: a batch's messages are handled where they are
	halfClosed bool  // the peer sends no more
	err        error // why the session has ended; nil while it goes on

	out      [][]byte      // what waits to be sent
	outBytes int           // of them; in a batch also of those that were
	sending  bool          // somebody has claimed messages and sends them
	inline   int           // who will send what is queued, without the writer
	outReady chan struct{} // of capacity 1
	changed  chan struct{} // closed at each change, when somebody waits for one
}

// ErrClosed is why a session has ended that this side has closed.
var ErrClosed = errors.New("the session was closed")

// AbortError is why a session has ended whose peer, or this side of it, found
// the other's messages to be wrong.
type AbortError struct {
	Remote bool // the peer has ended it
	Err    error
}

// Error says who ended the session and why.
func (e *AbortError) Error() string {
	if e.Remote {
		return "the peer has ended the session: " + e.Err.Error()
	}
	return "the session was ended: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *AbortError) Unwrap() error { return e.Err }

// LostError is why a session has ended whose connection broke. What was called
// and not answered may or may not have been done.
type LostError struct{ Err error }

// Error gives the cause.
func (e *LostError) Error() string { return "the connection was lost: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *LostError) Unwrap() error { return e.Err }

// NewSession starts a session over t, which it owns from then on. main is what
// the peer's main stub refers to; nil gives the peer nothing to call. It is
// released, if it is a [Releaser], with the session. opts may be nil.
func NewSession(t Transport, main Target, opts *Options) *Session {
	s := newSession(t, main, opts)
	s.tasks = 2
	go s.read()
	go s.write()
	return s
}

// newSession makes a session that nobody reads and writes for yet.
func newSession(t Transport, main Target, opts *Options) *Session {
	s := &Session{
		t:          t,
		imports:    map[int64]*importEntry{},
		exports:    map[int64]*exportEntry{},
		nextImport: 1,
		nextPushed: 1,
		nextExport: -1,
		done:       make(chan struct{}),
		written:    make(chan struct{}),
		outReady:   make(chan struct{}, 1),
	}
	if opts != nil {
		s.opts = *opts
	}
	s.limits = s.opts.Limits.complete()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.io, s.cut = context.WithCancel(context.Background())
	var h hook = &errorHook{errors.New("this side of the session has no main object")}
	if main != nil {
		h = newLocalHook(main)
	}
	s.exports[0] = &exportEntry{h: h, refs: 1}
	e := &importEntry{s: s, remote: 1}
	e.local.Store(1)
	s.imports[0] = e
	s.main = newStub(&importHook{e: e, s: s})
	return s
}

// Main is the peer's main object. It lives as long as the session: releasing it
// does nothing to the session.
func (s *Session) Main() *Stub { return s.main }

// Done is closed when the session has ended and nothing of it runs any more, the
// methods that the peer has called included.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err says why the session has ended, nil while it goes on: [ErrClosed], io.EOF
// when the peer has closed it, an [*AbortError] or a [*LostError].
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the session: calls that wait fail with [ErrClosed], the contexts of
// running methods end, all references are released. It doesn't wait for the
// methods; Done tells when they have returned.
func (s *Session) Close() error {
	s.end(ErrClosed, nil)
	return nil
}

// Abort ends the session and tells the peer why.
func (s *Session) Abort(reason error) {
	s.end(&AbortError{Err: reason}, reason)
}

// Stats counts what a session holds.
type Stats struct {
	Imports int // the peer's objects and our calls' results; the main object is one
	Exports int // our objects that the peer holds and its calls' results, likewise
}

// Stats counts what the session holds now.
func (s *Session) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{len(s.imports), len(s.exports)}
}

// pullTime is how long Drain gives the peer to ask for the results of its calls.
const pullTime = 5 * time.Second

// Drain waits until the peer has the answers to all of its calls, and the ends of the
// streams that it was given. It asks for an answer by a message of its own, which may
// still be on its way when the method has long returned: there are five seconds for
// that, as a peer may never ask.
func (s *Session) Drain(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, pullTime)
	defer cancel()
	_ = s.waitFor(asking, func() bool { return s.unasked == 0 || s.halfClosed })
	return s.waitFor(ctx, func() bool { return s.pulls == 0 && s.streams == 0 && len(s.out) == 0 && !s.sending })
}

// waitFor waits until ok, which is called with the lock held.
func (s *Session) waitFor(ctx context.Context, ok func() bool) error {
	for {
		s.mu.Lock()
		err, now := s.err, ok()
		if err == nil && !now && s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if err != nil || now {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// signal tells waitFor that something has changed. The lock is held.
func (s *Session) signal() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// waitRoom waits, for a call of a peer's object, until the queue is short enough.
func waitRoom(ctx context.Context, h hook) error {
	imp, remote := h.(*importHook)
	if !remote {
		return ctx.Err()
	}
	s := imp.s
	s.mu.Lock()
	full := s.outBytes > s.limits.QueuedBytes/8 && !s.alone
	s.mu.Unlock()
	if !full {
		return ctx.Err()
	}
	return s.waitFor(ctx, func() bool { return s.outBytes <= s.limits.QueuedBytes/8 })
}

// flush sends a batch, as somebody waits for an answer.
func flush(ctx context.Context, h hook) {
	if imp, remote := h.(*importHook); remote {
		if t, batch := imp.s.t.(*batchClient); batch {
			t.flush(ctx, imp.s)
		}
	}
}

// taskStart counts one more goroutine; it says false when the session has ended.
func (s *Session) taskStart() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	s.tasks++
	return true
}

func (s *Session) taskEnd() {
	s.mu.Lock()
	s.tasks--
	last := s.tasks == 0
	s.mu.Unlock()
	if last {
		close(s.done)
	}
}

func (s *Session) streamEnd() {
	s.mu.Lock()
	s.streams--
	s.signal()
	s.mu.Unlock()
}

func (s *Session) panicked(err error, stack []byte) {
	l := s.opts.Logger
	if l == nil {
		l = slog.Default()
	}
	l.Error("capnweb: "+err.Error(), "stack", string(stack))
}

// enqueue appends a message to what is to be sent. The lock is held.
func (s *Session) enqueue(message []byte) {
	s.out = append(s.out, message)
	s.outBytes += len(message)
	if s.inline == 0 {
		s.wake()
	}
}

// checkRead ends the session when the peer doesn't read what it has asked for. A batch
// is read when all of it is answered: it ends when the answers are too many for that.
func (s *Session) checkRead() {
	s.mu.Lock()
	full := s.outBytes > s.limits.QueuedBytes
	s.mu.Unlock()
	if full && s.alone {
		s.end(&AbortError{Err: fmt.Errorf("the answers have more than %d bytes; ask for less in one batch", s.limits.QueuedBytes)}, nil)
	} else if full {
		s.end(&AbortError{Err: fmt.Errorf("more than %d bytes wait for the peer to read them", s.limits.QueuedBytes)}, nil)
		s.cut() // there is no way to tell it
	}
}

// soon announces that the caller will queue messages and then see to their sending: the
// writer need not be woken for them.
func (s *Session) soon() {
	s.mu.Lock()
	s.inline++
	s.mu.Unlock()
}

// handled ends soon for the reader, who may not wait: the writer sends what a message
// of the peer's has made this side say. What comes of a wrong one isn't said.
func (s *Session) handled(err error) {
	s.mu.Lock()
	s.inline--
	if err == nil && len(s.out) > 0 {
		s.wake()
	}
	s.mu.Unlock()
}

// maxInline is how many bytes are sent by who has queued them: so much the way to the
// peer takes in without waiting for it, as a rule.
const maxInline = 16 << 10

// sendNow ends soon and sends what is queued, unless somebody else is at it or it is much.
func (s *Session) sendNow() {
	s.mu.Lock()
	s.inline--
	var list [][]byte
	if s.outBytes <= maxInline {
		list = s.claim()
	} else {
		s.wake()
	}
	s.mu.Unlock()
	if list != nil {
		s.transmit(list)
	}
}

// claim takes the queue to send it, nil when there is none or somebody else sends.
// The lock is held.
func (s *Session) claim() [][]byte {
	if s.sending || len(s.out) == 0 {
		return nil
	}
	list := s.out
	s.out, s.sending = nil, true
	return list
}

// transmit sends what was claimed. The writer goes on with what has come meanwhile.
func (s *Session) transmit(list [][]byte) {
	var err error
	for _, m := range list {
		if err = s.t.Send(s.io, m); err != nil {
			break
		}
		if s.alone {
			continue // nobody has read it yet
		}
		s.mu.Lock()
		s.outBytes -= len(m)
		s.mu.Unlock()
	}
	if err != nil {
		s.end(&LostError{err}, nil)
	}
	s.mu.Lock()
	s.sending = false
	s.signal()
	if len(s.out) > 0 || s.err != nil {
		s.wake()
	}
	s.mu.Unlock()
}

// wake has the writer look at the queue.
func (s *Session) wake() {
	select {
	case s.outReady <- struct{}{}:
	default:
	}
}

// write sends what is queued and nobody else sends, until the session has ended.
func (s *Session) write() {
	defer s.taskEnd()
	defer close(s.written)
	for {
		s.mu.Lock()
		list := s.claim()
		over := s.err != nil && !s.sending
		s.mu.Unlock()
		switch {
		case list != nil:
			s.transmit(list)
		case over:
			return
		default:
			<-s.outReady
		}
	}
}

// read handles what comes, until the session has ended.
func (s *Session) read() {
	defer s.taskEnd()
	for {
		m, err := s.t.Receive(s.io)
		switch {
		case err == errHalfClosed:
			s.halfClose()
			<-s.ctx.Done()
			return
		case err == io.EOF:
			s.end(err, nil)
			return
		case err == errBinary:
			s.end(&AbortError{Err: err}, err)
			return
		case err != nil:
			s.cut() // what the writer has left gets nowhere
			s.end(&LostError{err}, nil)
			return
		}
		if !s.take(m) {
			return
		}
	}
}

// take handles one message of the peer's. It says false when that has ended the session.
func (s *Session) take(m []byte) bool {
	s.soon()
	err := s.handle(m)
	s.handled(err)
	if err == nil {
		return true
	}
	var remote *AbortError
	if errors.As(err, &remote) {
		s.end(err, nil)
	} else {
		s.end(&AbortError{Err: err}, err)
	}
	return false
}

// errHalfClosed is what Receive of a transport gives when the peer can't send
// any more, but waits for answers.
var errHalfClosed = errors.New("the peer sends no more")

// errOneWay is what calls of a peer fail with that can't answer them.
var errOneWay = errors.New("the peer can't be called: it has sent its batch and waits for answers; use a WebSocket")

func (s *Session) halfClose() {
	s.mu.Lock()
	s.halfClosed = true
	s.signal()
	list := s.unresolved()
	s.mu.Unlock()
	failImports(list, errOneWay)
}

// unresolved lists the imports that wait for the peer. The lock is held.
func (s *Session) unresolved() []*importEntry {
	var list []*importEntry
	for _, e := range s.imports {
		list = append(list, e)
	}
	return list
}

// end ends the session once. The peer is told when tell isn't nil.
func (s *Session) end(err, tell error) {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.err = err
	imports := s.unresolved()
	exports := s.exports
	s.exports = map[int64]*exportEntry{}
	s.imports = map[int64]*importEntry{}
	if err != ErrClosed { // else what was said before the end is still sent
		s.out, s.outBytes = nil, 0
	}
	if !s.alone {
		s.tasks++
	}
	s.signal()
	s.wake()
	s.mu.Unlock()

	s.cancel()
	failImports(imports, err)
	for _, e := range exports {
		e.drop()
	}
	if s.alone {
		_ = s.t.Close(nil)
		s.cut()
		s.taskEnd()
		return
	}
	// The transport goes last, in a goroutine of its own: end may have been
	// called by one that the closing waits for.
	go func() {
		defer s.taskEnd()
		s.farewell(err, tell)
	}()
}

// farewellTime is how long a session that has ended tries to send its last
// messages.
const farewellTime = 5 * time.Second

// farewell sends the abort, if there is one, and closes the transport.
func (s *Session) farewell(err, tell error) {
	stop := time.AfterFunc(farewellTime, s.cut)
	defer s.cut()
	defer stop.Stop()
	<-s.written
	if tell != nil {
		e := Encoder{buf: []byte(`["abort",`), max: s.limits.Depth}
		if e.error(asError(tell)) == nil {
			_ = s.t.Send(s.io, append(e.buf, ']'))
		}
	}
	if err == ErrClosed || err == io.EOF {
		err = nil
	}
	_ = s.t.Close(err)
}
