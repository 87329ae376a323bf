package capnweb

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/vitessdo/vitessdo/internal/await"
)

// A peer that gives no sign of life any more is lost, although its connection
// is open: what it holds is released.
func TestSilentPeerIsLost(t *testing.T) {
	await.Goroutines(t)
	sessions := make(chan *Session, 1)
	serve := func(keepAlive time.Duration) (address string) {
		srv := httptest.NewServer(&Handler{
			Main:    func(*http.Request) (Target, error) { return Methods{}, nil },
			Options: &Options{KeepAlive: keepAlive},
			Opened:  func(s *Session) { sessions <- s },
		})
		t.Cleanup(srv.Close)
		return strings.Replace(srv.URL, "http", "ws", 1)
	}
	address := serve(20 * time.Millisecond)
	// It never reads, so that it answers no ping.
	c, _, err := websocket.Dial(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	silent := <-sessions
	finish(t, silent)
	var lost *LostError
	if !errors.As(silent.Err(), &lost) {
		t.Errorf("the session ended with %v", silent.Err())
	}

	// One that only listens is kept, if it isn't too slow to answer.
	alive, err := Dial(t.Context(), serve(1500*time.Millisecond), nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := <-sessions
	ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
	defer cancel()
	select {
	case <-other.Done():
		t.Errorf("the session of a living peer ended with %v", other.Err())
	case <-ctx.Done():
	}
	_ = alive.Close()
	finish(t, alive)
	finish(t, other)
	http.DefaultClient.CloseIdleConnections()
}
