//go:build !nonode

package interop

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// TestJavaScriptClient runs client.mjs, which makes its own checks, against a
// server of ours. In the end no session and no object may be left.
func TestJavaScriptClient(t *testing.T) {
	var mu sync.Mutex
	var sessions []*capnweb.Session
	h := &capnweb.Handler{
		Main: func(r *http.Request) (capnweb.Target, error) {
			s := &service{counts: &counts{}}
			if r.Method == http.MethodPost {
				return s, nil
			}
			// The session that is opened for this object comes to be known
			// before its first call: calls wait for the lock.
			mu.Lock()
			s.session = func() *capnweb.Session {
				mu.Lock()
				defer mu.Unlock()
				return sessions[len(sessions)-1]
			}
			return s, nil
		},
		Opened: func(s *capnweb.Session) {
			sessions = append(sessions, s)
			mu.Unlock()
		},
		Options: &capnweb.Options{Limits: capnweb.Limits{StreamWindow: 1000}},
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	out, err := node(t, "client.mjs", srv.URL).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, s := range sessions {
		select {
		case <-s.Done():
		case <-time.After(10 * time.Second):
			t.Fatal("a session whose peer has gone doesn't end")
		}
	}
}
