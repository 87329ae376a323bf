package capnweb

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
)

// large answers each call with many bytes.
func large(n int) Methods {
	return Methods{"big": func(context.Context, *Call) (any, error) { return strings.Repeat("x", n), nil }}
}

// All answers to a batch are held until the last one is there: they are bounded.
func TestAnswersOfABatchAreBounded(t *testing.T) {
	await.Goroutines(t)
	h := &Handler{Main: func(*http.Request) (Target, error) { return large(10_000), nil }, Options: &Options{Limits: Limits{QueuedBytes: 50_000}}}
	for calls, want := range map[int]int{4: http.StatusOK, 1000: http.StatusInternalServerError} {
		body := strings.TrimSpace(strings.Repeat(`["stream",["pipeline",0,["big"],[]]]`+"\n", calls))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body)))
		if w.Code != want || want != http.StatusOK && !strings.Contains(w.Body.String(), "the answers have more than 50000 bytes") {
			t.Errorf("%d calls: %d %.100s", calls, w.Code, w.Body)
		}
	}
}

// Who asks by a batch and doesn't read the answers is hung up on.
func TestUnreadAnswersOfABatch(t *testing.T) {
	main := func(*http.Request) (Target, error) { return large(32 << 20), nil }
	hasty, patient := &Handler{Main: main, BodyTime: 300 * time.Millisecond}, &Handler{Main: main, BodyTime: time.Minute}
	ended := make(chan struct{}, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hasty" {
			hasty.ServeHTTP(w, r)
			ended <- struct{}{}
			return
		}
		patient.ServeHTTP(w, r)
	}))
	defer srv.Close()
	const body = `["stream",["pipeline",0,["big"],[]]]`
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /hasty HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("a peer that doesn't read is waited for")
	}
	r, err := http.Post(srv.URL, "", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil || n < 32<<20 || r.ContentLength != n {
		t.Errorf("%d bytes of %d, %v", n, r.ContentLength, err)
	}
}

// Web pages of other sites get nothing done, by batches no more than by WebSockets.
func TestOrigins(t *testing.T) {
	called := 0
	h := &Handler{
		Main:    func(*http.Request) (Target, error) { called++; return large(1), nil },
		Origins: []string{"app.example", "*.friends.example", "https://safe.example"},
	}
	for _, c := range []struct {
		origin string
		in     bool
	}{
		{"", true}, {"http://db.example:8400", true}, {"https://DB.example:8400", true}, {"https://app.example", true}, {"http://APP.example", true}, {"http://a.friends.example", true},
		{"https://safe.example", true}, {"http://safe.example", false}, {"http://evil.example", false}, {"http://db.example", false}, {"http://app.example.evil.example", false},
		{"null", false}, {"file://", false}, {"http://friends.example", false}, {":", false},
	} {
		for _, upgrade := range []bool{false, true} {
			called = 0
			r := httptest.NewRequestWithContext(t.Context(), "POST", "http://db.example:8400/", strings.NewReader(`["stream",["pipeline",0,["big"],[]]]`))
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			if upgrade {
				r.Method = "GET"
				r.Header.Set("Upgrade", "websocket")
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if (called == 1) != c.in || !c.in && w.Code != http.StatusForbidden || c.in && !upgrade && w.Code != http.StatusOK {
				t.Errorf("%q, WebSocket %v: status %d, called %d times", c.origin, upgrade, w.Code, called)
			}
		}
	}
}
