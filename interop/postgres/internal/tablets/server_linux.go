package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// server is a tablet server whose shards are in databases of an engine. Its catalog is in
// memory.
type server struct {
	engine func(context.Context) (tabletserver.Engine, error) // a new database
	rpc    *rpc.Server
	http   *httptest.Server

	mu      sync.Mutex
	tablets map[tablet.Target]*tabletserver.Tablet
}

func serve(engine func(context.Context) (tabletserver.Engine, error)) *server {
	s := &server{engine: engine, tablets: map[tablet.Target]*tabletserver.Tablet{}}
	s.rpc = rpc.NewServer(rpc.ServerOptions{
		Tablet: func(ctx context.Context, t tablet.Target) (tablet.Tablet, error) { return s.tablet(ctx, t) },
		Create: s.create, Drop: s.drop,
	})
	s.http = httptest.NewServer(http.Handler(s.rpc))
	return s
}

func (s *server) addr() string { return s.http.Listener.Addr().String() }

func (s *server) close() {
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

func (s *server) tablet(ctx context.Context, at tablet.Target) (*tabletserver.Tablet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch t := s.tablets[at]; {
	case t != nil:
		return t, nil
	case s.tablets == nil:
		return nil, &tablet.Error{Code: tablet.CodeClosed, Target: at, Message: "the server is closed"}
	case at.Keyspace != "_vt":
		return nil, &tablet.Error{Code: tablet.CodeWrongShard, Target: at, Message: "this server has no such shard"}
	}
	return s.add(ctx, at, nil)
}

// add opens a tablet. The caller has the lock.
func (s *server) add(ctx context.Context, at tablet.Target, e tabletserver.Engine) (*tabletserver.Tablet, error) {
	t, err := tabletserver.Open(context.WithoutCancel(ctx), tabletserver.Config{
		Target: at, Engine: e, AskAfter: 15 * time.Second, Remember: 5 * time.Minute,
		Peer: func(p tablet.Target) (tablet.Resolver, error) { return s.tablet(context.Background(), p) },
	})
	if err == nil {
		s.tablets[at] = t
	}
	return t, err
}

func (s *server) create(ctx context.Context, at tablet.Target) error {
	if err := s.drop(ctx, at); err != nil {
		return err
	}
	e, err := s.engine(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.add(ctx, at, e)
	return err
}

func (s *server) drop(_ context.Context, at tablet.Target) error {
	s.mu.Lock()
	t := s.tablets[at]
	delete(s.tablets, at)
	s.mu.Unlock()
	if t == nil {
		return nil
	}
	return t.Close()
}
