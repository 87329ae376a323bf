package process

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/service"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/host"
)

// server serves the tablets of a directory.
type server struct {
	*Process
	host   *host.Host
	rpc    *rpc.Server
	told   numbers
	page   *page // nil without --console
	closed error // what drain has closed
}

// Run serves the directory that args name, behind the flags: [Process.Serve] for
// programs that serve and do nothing else.
func Run(ctx context.Context, args []string, out, logs io.Writer) error {
	p, dir, err := parse(args)
	if err != nil {
		return err
	}
	return p.Serve(ctx, dir, out, logs)
}

func parse(args []string) (p *Process, dir string, err error) {
	p = New()
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	p.Flags(fs)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil, "", err
	case err != nil:
		return nil, "", UsageError(err.Error())
	case fs.NArg() != 1:
		return nil, "", UsageError(fmt.Sprintf("%d data directories given, 1 needed, behind the flags", fs.NArg()))
	}
	return p, fs.Arg(0), nil
}

// Serve serves a directory until ctx ends. It says on out where, as soon as it
// does. It is called once.
func (c *Process) Serve(ctx context.Context, dir string, out, logs io.Writer) error {
	if err := c.settle(dir, os.Getenv, logs); err != nil {
		return err
	}
	secure, err := service.TLS(c.cert, c.key)
	if err != nil {
		return err
	}
	s := &server{Process: c}
	c.host.Logger = c.log
	others, err := newPeers(list(c.peers), c.peerToken)
	if err != nil {
		return err
	}
	defer others.close()
	if others != nil {
		c.host.Peer = others.find
	}
	if s.host, err = openHost(ctx, c.host); err != nil {
		return err
	}
	on, err := net.Listen("tcp", c.listen)
	if err != nil {
		return errors.Join(err, s.host.Close())
	}
	s.start()
	if c.console {
		if _, err := s.newPage(); err != nil {
			return errors.Join(err, on.Close(), s.rpc.Close(), s.host.Close())
		}
	}
	c.log.Info("serving", "directory", s.host.Dir(), "address", on.Addr().String(), "tls", secure != nil, "tokens", c.known != nil)
	fmt.Fprintf(out, "tablets of %s at %s\n", s.host.Dir(), on.Addr())
	go c.known.Watch(ctx, s.rpc.Readmit)
	err = service.Server{Handler: s.mux(), TLS: secure, Drain: s.drain, Grace: c.grace, Log: c.log}.Serve(ctx, service.Limit(on, c.connections))
	s.page.close()
	_ = s.rpc.Close()
	err = errors.Join(err, s.closed, s.host.Close())
	c.log.Info("closed", "directory", s.host.Dir())
	return err
}

// openHost opens the host. Transactions that an embedded database has left in the
// directory are brought to their end by opening it as one.
func openHost(ctx context.Context, opts host.Options) (*host.Host, error) {
	h, err := host.Open(ctx, opts)
	if !errors.Is(err, host.ErrRedo) {
		return h, err
	}
	opts.Logger.Info("recovering what an embedded database has left", "directory", opts.Dir)
	cfg, err := vitessdo.ParseDSN("file:.?synchronous=" + string(opts.Tablet.Synchronous))
	if err != nil {
		return nil, err
	}
	cfg.Dir = opts.Dir
	db, err := vitessdo.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	conn, err := db.Connect(ctx)
	if err == nil {
		err = conn.Close()
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return host.Open(ctx, opts)
}

// start makes the server of the protocol.
func (s *server) start() {
	o := s.Process.server
	o.Tablet = func(ctx context.Context, at tablet.Target) (tablet.Tablet, error) {
		t, err := s.host.Tablet(ctx, at)
		if err != nil {
			return nil, err
		}
		return t, nil
	}
	o.Create, o.Drop = s.host.Create, s.host.Drop
	o.Admit, o.Done = s.admit, s.done
	s.session.Logger = s.log
	o.Session = &s.session
	s.rpc = rpc.NewServer(o)
	s.told.init(s)
}

// drain begins nothing new and lets what is open end, until ctx does. Then it closes the
// tablets, which takes its time: gates that connect meanwhile are told to wait.
func (s *server) drain(ctx context.Context) {
	s.page.close()
	s.rpc.Shutdown(ctx)
	s.closed = s.host.Close()
}

func (s *server) admit(r *http.Request) (rpc.Grant, error) {
	if s.page.admits(r) {
		return rpc.Grant{Name: "console"}, nil
	}
	g, err := s.known.Check(r)
	if err != nil {
		s.told.refused.Add("", 1)
		s.log.Info("client refused", "from", r.RemoteAddr, "reason", err)
	}
	return rpc.Grant{Name: g.Name, ReadOnly: g.ReadOnly, Keyspaces: g.Keyspaces}, err
}

func (s *server) mux() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.rpc)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /metrics", s.metrics)
	if s.page != nil {
		s.mountPage(mux)
	}
	if s.known == nil && !s.open {
		return service.LocalOnly(mux)
	}
	return mux
}

// readyTime bounds the look at the catalog.
const readyTime = 5 * time.Second

// ready says whether requests can be answered: the catalog can be read, and the server
// isn't about to end.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	if s.rpc.Draining() {
		http.Error(w, "the server is closing", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	t, err := s.host.Tablet(ctx, host.Catalog)
	if err == nil {
		err = t.Ping(ctx)
	}
	if err != nil {
		s.log.Warn("not ready", "error", err)
		http.Error(w, "the catalog can't be read", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

func (s *server) metrics(w http.ResponseWriter, r *http.Request) {
	if _, err := s.known.Check(r); err != nil {
		http.Error(w, "a valid bearer token is needed", http.StatusUnauthorized)
		return
	}
	s.told.metrics.ServeHTTP(w, r)
}
