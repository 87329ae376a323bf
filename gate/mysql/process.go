package mysql

import (
	"context"
	"flag"
	"net"
	"net/http"

	"github.com/vitessdo/vitessdo/gate/process"
	"github.com/vitessdo/vitessdo/internal/service"
)

// Process makes the protocol part of a gate's process.
type Process struct {
	listen, users string
	known         *service.Secret[Users] // nil: anybody
	opts          Options
	shared        process.Shared
	server        *Server
}

var _ process.Protocol = (*Process)(nil)

// String names the protocol.
func (p *Process) String() string { return "MySQL" }

// Flags implements process.Protocol.
func (p *Process) Flags(fs *flag.FlagSet) {
	fs.StringVar(&p.listen, "mysql", "127.0.0.1:3306", "`address` to speak the MySQL protocol at; empty for not at all")
	fs.StringVar(&p.users, "mysql-users", "", "`file` that says who may connect: lines \"NAME PASSWORD [read-only] [native]\"")
	fs.BoolVar(&p.opts.RequireTLS, "mysql-require-tls", false, "refuse clients that don't encrypt")
	fs.IntVar(&p.opts.MaxConnections, "mysql-max", 0, "connections at once; 0 is 1000")
}

// Listen implements process.Protocol.
func (p *Process) Listen(s process.Shared) (net.Listener, error) {
	if p.listen == "" {
		return nil, nil
	}
	p.shared = s
	var err error
	if p.users != "" {
		if p.known, err = UserFile(p.users); err != nil {
			return nil, err
		}
		p.opts.Users = p.known.Now()
	} else if err := process.Guard(p.listen, s.Open, "--mysql-users FILE"); err != nil {
		return nil, err
	}
	if p.opts.TLS, err = service.TLS(s.Cert, s.Key); err != nil {
		return nil, err
	}
	if p.opts.RequireTLS && p.opts.TLS == nil {
		return nil, process.UsageError("--mysql-require-tls needs --tls-cert and --tls-key")
	}
	p.opts.Log = s.Log
	if p.server, err = New(context.Background(), s.DB, p.opts); err != nil {
		return nil, err
	}
	return net.Listen("tcp", p.listen)
}

// Serve implements process.Protocol.
func (p *Process) Serve(ctx context.Context, on net.Listener) error {
	if p.known != nil {
		go p.known.Watch(ctx, func() { p.server.SetUsers(p.known.Now()) })
	}
	err := p.server.Serve(ctx, on)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.shared.Grace)
	defer cancel()
	p.server.Shutdown(end)
	return err
}

// Metrics implements process.Protocol.
func (p *Process) Metrics() http.Handler {
	if p.server == nil {
		return nil
	}
	return p.server.Metrics()
}
