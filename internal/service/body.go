package service

import (
	"io"
	"net/http"
	"time"
)

// timely gives each body a time to arrive in. A handler that doesn't want it, since the
// client isn't let in or for any other reason, leaves it to the server to read it before
// the answer is sent, which would wait for ever.
func timely(h http.Handler, wait time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			b := &body{ReadCloser: r.Body, of: http.NewResponseController(w)}
			_ = b.of.SetReadDeadline(time.Now().Add(wait))
			r.Body = b
		}
		h.ServeHTTP(w, r)
	})
}

// body takes the deadline back at its end: what is read afterwards is only whether the
// client is still there.
type body struct {
	io.ReadCloser
	of *http.ResponseController
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.of.SetReadDeadline(time.Time{})
	}
	return n, err
}
