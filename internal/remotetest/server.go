package remotetest

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/host"
)

// Server is a tablet server. Its address takes both http:// and ws://.
type Server struct {
	host  *host.Host
	clock clock
	rpc   *rpc.Server
	http  *httptest.Server
	wire  *wire
	temp  string // the directory, where it goes with the server

	mu      sync.Mutex
	asked   map[rpc.Type]int
	arrives func(tablet.Target) // may be nil
}

// Asked counts the requests of each type since it was last asked.
func (s *Server) Asked() map[rpc.Type]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = map[rpc.Type]int{}
	return asked
}

func (s *Server) done(d rpc.Done) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[d.Type]++
}

// Start starts a server whose shards are in dir, or with "" in a directory that goes
// when it is closed.
func Start(dir string) *Server {
	s, err := StartAt(dir, "127.0.0.1:0", 0)
	if err != nil {
		panic("remotetest: " + err.Error())
	}
	return s
}

// StartAt starts a server that listens at an address, as one does that comes back
// after a crash. idle is its patience with transactions over HTTP, 0 for the default.
func StartAt(dir, addr string, idle time.Duration) (*Server, error) {
	s := &Server{clock: newClock(), asked: map[rpc.Type]int{}}
	// As vitessdo serve does, but that a coordinator's silence is noticed soon.
	opts := host.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler),
		Tablet: tabletserver.Config{Synchronous: tabletserver.Normal, AskAfter: 300 * time.Millisecond, Remember: 5 * time.Minute, Guard: true}}
	var err error
	if dir == "" {
		if s.temp, err = os.MkdirTemp("", "remotetest"); err != nil {
			return nil, err
		}
		opts.Dir, opts.Tablet.Synchronous = s.temp, tabletserver.Off
	}
	if s.host, err = host.Open(context.Background(), opts); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.temp))
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, errors.Join(err, s.host.Close(), os.RemoveAll(s.temp))
	}
	s.rpc = rpc.NewServer(rpc.ServerOptions{
		Tablet: s.tablet,
		Create: s.host.Create, Drop: s.host.Drop, Idle: idle, Done: s.done,
	})
	s.wire = &wire{Listener: l, conns: map[net.Conn]struct{}{}}
	s.http = &httptest.Server{Listener: s.wire, Config: &http.Server{Handler: s.rpc}}
	s.http.Start()
	return s, nil
}

// Arrives has f called for each request to a tablet before that is carried out; nil is
// nobody.
func (s *Server) Arrives(f func(tablet.Target)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrives = f
}

// tablet gives the tablet of a request.
func (s *Server) tablet(ctx context.Context, at tablet.Target) (tablet.Tablet, error) {
	s.mu.Lock()
	arrives := s.arrives
	s.mu.Unlock()
	if arrives != nil {
		arrives(at)
	}
	t, err := s.host.Tablet(ctx, at)
	if err != nil {
		return nil, err
	}
	return &timed{t, s.clock}, nil
}

// Addr is the server's host and port.
func (s *Server) Addr() string { return strings.TrimPrefix(s.http.URL, "http://") }

// DSN names a database of the server, by scheme http or ws.
func (s *Server) DSN(scheme, query string) string { return scheme + "://" + s.Addr() + "/?" + query }

// Cut breaks all connections, as a network does.
func (s *Server) Cut() { s.wire.cut() }

// wire is a listener that knows its connections.
type wire struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func (w *wire) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c = &wired{c, w}
	w.mu.Lock()
	w.conns[c] = struct{}{}
	w.mu.Unlock()
	return c, nil
}

func (w *wire) cut() {
	w.mu.Lock()
	conns := slices.Collect(maps.Keys(w.conns))
	w.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

type wired struct {
	net.Conn
	w *wire
}

func (c *wired) Close() error {
	c.w.mu.Lock()
	delete(c.w.conns, net.Conn(c))
	c.w.mu.Unlock()
	return c.Conn.Close()
}

// Close ends the server and closes its shards.
func (s *Server) Close() {
	_ = s.rpc.Close()
	s.http.CloseClientConnections()
	s.http.Close()
	_ = s.host.Close()
	_ = os.RemoveAll(s.temp) // "" is nothing
}
