package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Times within which a client must have said what it wants. Answers have none: a
// statement may take long.
const (
	headerTime = 10 * time.Second
	bodyTime   = time.Minute
	idleTime   = 2 * time.Minute
)

// lastTime is how long the answers to what the end of the grace has interrupted may take.
const lastTime = 2 * time.Second

// Server is an HTTP server that ends in good order.
type Server struct {
	Handler http.Handler
	TLS     *tls.Config // nil: without
	// Drain ends, within the grace, what clients have open. They can connect meanwhile,
	// since over HTTP each of their requests may be a connection of its own; it is up to
	// Handler to begin nothing new then.
	Drain func(context.Context)
	Grace time.Duration
	Log   *slog.Logger
}

// Serve answers HTTP/1.1 and HTTP/2, also without TLS, on a listener, which it closes,
// until ctx ends and what is open was drained.
func (o Server) Serve(ctx context.Context, on net.Listener) error {
	s := &http.Server{
		Handler: timely(o.Handler, bodyTime), TLSConfig: o.TLS, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug), Protocols: new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	failed := make(chan error, 1)
	go func() {
		if o.TLS != nil {
			failed <- s.ServeTLS(on, "", "")
			return
		}
		failed <- s.Serve(on)
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx = context.WithoutCancel(ctx)
	end, cancel := context.WithTimeout(ctx, o.Grace)
	defer cancel()
	o.Drain(end)
	last, cancel := context.WithTimeout(ctx, lastTime)
	defer cancel()
	err := s.Shutdown(last)
	if err != nil {
		_ = s.Close()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	if err != nil {
		return fmt.Errorf("requests were still running after %s: %w", o.Grace, err)
	}
	return nil
}
