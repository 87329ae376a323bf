package process

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/gate/console"
)

// page is the console of the tablets of this process. A tablet server plans nothing,
// so that the page has a gate of its own, which reaches the tablets as any other does:
// over the wire, on a loopback address, with a token that was made for it.
type page struct {
	token string
	on    net.Listener
	http  http.Server
	db    *vitessdo.Connector
	asked *asked
}

// newPage begins to serve s.rpc on an address of its own.
func (s *server) newPage() (*page, error) {
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &page{token: rand.Text(), on: on, http: http.Server{Handler: s.rpc}, asked: newAsked()}
	cfg := vitessdo.NewConfig()
	cfg.Remote, cfg.AuthToken = "http://"+on.Addr().String(), vitessdo.Secret(p.token)
	cfg.Logger, cfg.Statistics = s.log, p.asked.Tell
	if p.db, err = vitessdo.NewConnector(cfg); err != nil {
		return nil, errors.Join(err, on.Close())
	}
	s.page = p
	go func() { _ = p.http.Serve(on) }()
	return p, nil
}

// admits says whether a request comes from the page's own gate.
func (p *page) admits(r *http.Request) bool {
	return p != nil && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+p.token)) == 1
}

// close ends the gate, while its tablets are still there.
func (p *page) close() {
	if p != nil {
		_ = p.db.Close()
		_ = p.http.Close()
	}
}

// pageGrant says what the page's users may do. Statements may name any keyspace.
func (s *server) pageGrant(r *http.Request) (console.Grant, error) {
	g, err := s.known.Check(r)
	if err == nil && g.Keyspaces != nil {
		err = errors.New("a token that is confined to keyspaces is no good for the console")
	}
	return console.Grant{Name: g.Name, ReadOnly: g.ReadOnly}, err
}

// begun says that there is a keyspace: the page's gate would make one.
func (s *server) begun(ctx context.Context) error {
	n, err := s.host.Keyspaces(ctx)
	if err == nil && n == 0 {
		err = errors.New("there is no keyspace yet: the first gate that names shards= makes one")
	}
	return err
}

// mountPage adds the console to what is served.
func (s *server) mountPage(mux *http.ServeMux) {
	opts := console.Options{Dir: s.host.Dir(), Log: s.log, Ready: s.begun}
	if s.known != nil {
		opts.Admit = s.pageGrant
	}
	mux.Handle(console.Path, console.New(s.page.db, opts))
	mux.Handle("GET /console", http.RedirectHandler(console.Path, http.StatusFound))
}
