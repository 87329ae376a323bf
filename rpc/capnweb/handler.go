package capnweb

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Handler serves sessions over HTTP: a POST is a batch, an upgrade opens a
// WebSocket, on the same address. It is safe for concurrent use, and not to be copied.
type Handler struct {
	// Main gives the object that a request's session may call. An error refuses
	// the request, with the status of a [StatusError] or 500. A nil object
	// without an error gives the peer nothing to call.
	Main func(r *http.Request) (Target, error)
	// Options are those of each session; may be nil.
	Options *Options
	// Origins lists the hosts, patterns as in path.Match, whose web pages may open
	// WebSockets and send batches. The server's own may in any case; those of others
	// are refused, whatever they know, and what isn't a web page isn't asked.
	Origins []string
	// Subprotocols are the WebSocket subprotocols that are agreed to when a client
	// offers them.
	Subprotocols []string
	// BodyTime is how long a batch may take to arrive, and each 64 KiB of its answers
	// to be taken; default one minute.
	BodyTime time.Duration
	// Opened, when set, is told of each session over a WebSocket.
	Opened func(*Session)

	sessions sessions
}

// ServeHTTP answers a batch, or serves a WebSocket's session to its end.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upgrade := strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	if r.Method != http.MethodPost && !upgrade {
		w.Header().Set("Allow", "POST")
		http.Error(w, "send a batch by POST, or open a WebSocket", http.StatusMethodNotAllowed)
		return
	}
	main, err := h.admit(r)
	if err != nil {
		refuse(w, err)
		return
	}
	if upgrade {
		h.socket(w, r, main)
		return
	}
	body, err := h.body(w, r, h.Options.MessageBytes())
	if err != nil {
		release(main)
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "the body can't be read", http.StatusBadRequest)
		return
	}
	answers, err := runBatch(r.Context(), body, main, h.Options)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain;charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(answers)))
	h.answer(w, answers)
}

// admit gives the object that the session may call.
func (h *Handler) admit(r *http.Request) (Target, error) {
	if origin := r.Header.Get("Origin"); origin != "" && !h.welcome(r, origin) {
		return nil, &StatusError{http.StatusForbidden, "web pages of " + origin + " may not speak to this server"}
	}
	return h.Main(r)
}

// welcome says whether the web pages of an origin may come in: a browser lets any page
// send a batch.
func (h *Handler) welcome(r *http.Request, origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	if u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return true
	}
	for _, pattern := range h.Origins {
		of := u.Host
		if strings.Contains(pattern, "://") {
			of = u.Scheme + "://" + u.Host
		}
		if ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(of)); err == nil && ok {
			return true
		}
	}
	return false
}

func (h *Handler) bodyTime() time.Duration {
	if h.BodyTime <= 0 {
		return time.Minute
	}
	return h.BodyTime
}

// body reads a batch within its size and time.
func (h *Handler) body(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	// Not every ResponseWriter knows of deadlines; that of a server does.
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(h.bodyTime()))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(limit)))
	if err == nil {
		_ = deadline.SetReadDeadline(time.Time{})
	}
	return body, err
}

// answer sends the answers, as long as the peer takes them.
func (h *Handler) answer(w http.ResponseWriter, answers []byte) {
	deadline := http.NewResponseController(w)
	for len(answers) > 0 {
		n := min(len(answers), 64<<10)
		_ = deadline.SetWriteDeadline(time.Now().Add(h.bodyTime()))
		if _, err := w.Write(answers[:n]); err != nil {
			return // the connection ends with it
		}
		answers = answers[n:]
	}
	_ = deadline.Flush() // what is still on this side, too, within the time
	_ = deadline.SetWriteDeadline(time.Time{})
}

func (h *Handler) socket(w http.ResponseWriter, r *http.Request, main Target) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: h.Origins, Subprotocols: h.Subprotocols, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		release(main) // Accept has answered
		return
	}
	s := NewSession(newSocket(c, h.Options), main, h.Options)
	h.sessions.add(s, r, main)
	defer h.sessions.remove(s)
	if h.Opened != nil {
		h.Opened(s)
	}
	<-s.Done()
}

// release tells an object that its session never began.
func release(t Target) {
	if r, ok := t.(Releaser); ok {
		r.Release()
	}
}

func refuse(w http.ResponseWriter, err error) {
	var s *StatusError
	if errors.As(err, &s) {
		http.Error(w, s.Text, s.Status)
		return
	}
	http.Error(w, err.Error(), http.StatusInternalServerError)
}
