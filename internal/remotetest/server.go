package remotetest

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// Server is a tablet server. Its address takes both http:// and ws://.
type Server struct {
	dir  string
	rpc  *rpc.Server
	http *httptest.Server
	wire *wire

	mu      sync.Mutex
	tablets map[tablet.Target]*tabletserver.Tablet
	asked   map[rpc.Type]int
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

// Start starts a server whose shards are in dir, or with "" in memory.
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
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, tablets: map[tablet.Target]*tabletserver.Tablet{}, asked: map[rpc.Type]int{}}
	s.rpc = rpc.NewServer(rpc.ServerOptions{
		Tablet: func(ctx context.Context, t tablet.Target) (tablet.Tablet, error) { return s.open(ctx, t) },
		Create: s.create, Drop: s.drop, Idle: idle, Done: s.done,
	})
	s.wire = &wire{Listener: l, conns: map[net.Conn]struct{}{}}
	s.http = &httptest.Server{Listener: s.wire, Config: &http.Server{Handler: s.rpc}}
	s.http.Start()
	return s, nil
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tablets {
		_ = t.Close()
	}
	s.tablets = nil
}

func (s *Server) path(t tablet.Target) string {
	if s.dir == "" {
		return ""
	}
	return filepath.Join(s.dir, t.Keyspace, t.Shard+".db")
}

func (s *Server) open(ctx context.Context, t tablet.Target) (*tabletserver.Tablet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.tablets[t]; x != nil {
		return x, nil
	}
	if s.tablets == nil {
		return nil, &tablet.Error{Code: tablet.CodeClosed, Target: t, Message: "the server is closed"}
	}
	path := s.path(t)
	_, err := os.Stat(path)
	if t.Keyspace != "_vt" && (s.dir == "" || err != nil) {
		return nil, &tablet.Error{Code: tablet.CodeWrongShard, Target: t, Message: "this server has no such shard"}
	}
	return s.add(ctx, t, path)
}

// add opens a shard's database. The caller holds mu.
func (s *Server) add(ctx context.Context, t tablet.Target, path string) (*tabletserver.Tablet, error) {
	if path != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
	}
	x, err := tabletserver.Open(context.WithoutCancel(ctx), tabletserver.Config{
		Target: t, Path: path, Synchronous: tabletserver.Normal, AskAfter: 300 * time.Millisecond, Remember: 5 * time.Minute,
		Peer: func(p tablet.Target) (tablet.Resolver, error) { return s.open(context.Background(), p) },
	})
	if err == nil {
		s.tablets[t] = x
	}
	return x, err
}

func (s *Server) create(ctx context.Context, t tablet.Target) error {
	if err := s.drop(ctx, t); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.add(ctx, t, s.path(t))
	return err
}

func (s *Server) drop(_ context.Context, t tablet.Target) error {
	s.mu.Lock()
	x := s.tablets[t]
	delete(s.tablets, t)
	s.mu.Unlock()
	if x != nil {
		_ = x.Close()
	}
	if s.dir == "" {
		return nil
	}
	for _, end := range []string{"", "-wal", "-shm", "-redo"} {
		if err := os.Remove(s.path(t) + end); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
