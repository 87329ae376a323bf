package capnweb

import (
	"context"
	"net/http"
	"sync"
)

// sessions are those over WebSockets that a Handler serves: http.Server doesn't know
// them any more.
type sessions struct {
	mu     sync.Mutex
	open   map[*Session]served
	closed bool
}

// served is a session with what it came about by.
type served struct {
	r    *http.Request
	main Target
}

// add makes a session known until it ends. One that comes late is closed.
func (h *sessions) add(s *Session, r *http.Request, main Target) {
	h.mu.Lock()
	if !h.closed {
		if h.open == nil {
			h.open = map[*Session]served{}
		}
		h.open[s] = served{r, main}
	}
	closed := h.closed
	h.mu.Unlock()
	if closed {
		_ = s.Close()
	}
}

func (h *sessions) remove(s *Session) {
	h.mu.Lock()
	delete(h.open, s)
	h.mu.Unlock()
}

// each calls f for those that are open now.
func (h *sessions) each(f func(*Session, served)) {
	h.mu.Lock()
	open := make(map[*Session]served, len(h.open))
	for s, by := range h.open {
		open[s] = by
	}
	h.mu.Unlock()
	for s, by := range open {
		f(s, by)
	}
}

// Sessions counts the sessions over WebSockets that are open.
func (h *Handler) Sessions() int {
	h.sessions.mu.Lock()
	defer h.sessions.mu.Unlock()
	return len(h.sessions.open)
}

// Drain waits, until ctx ends, for the peers of all sessions over WebSockets to have
// their answers, as [Session.Drain] does.
func (h *Handler) Drain(ctx context.Context) {
	h.sessions.each(func(s *Session, _ served) { _ = s.Drain(ctx) })
}

// Review asks of each session over a WebSocket whether it may go on, by the request that
// has opened it and the object that Main gave for it. An error ends the session, and the
// peer is told.
func (h *Handler) Review(may func(r *http.Request, main Target) error) {
	h.sessions.each(func(s *Session, by served) {
		if err := may(by.r, by.main); err != nil {
			s.Abort(err)
		}
	})
}

// Close ends all sessions over WebSockets, also those that are opened later, and returns
// when nothing of them runs any more.
func (h *Handler) Close() {
	h.sessions.mu.Lock()
	h.sessions.closed = true
	h.sessions.mu.Unlock()
	h.sessions.each(func(s *Session, _ served) {
		_ = s.Close()
		<-s.Done()
	})
}
