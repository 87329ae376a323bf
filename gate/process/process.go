package process

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/gate"
	"github.com/vitessdo/vitessdo/gate/console"
	"github.com/vitessdo/vitessdo/internal/service"
)

// Shared is what the protocols of one process have in common.
type Shared struct {
	DB *vitessdo.Connector
	// TLS are the files of a certificate and its key; "" without.
	Cert, Key string
	Idle      time.Duration // of a transaction
	Grace     time.Duration // for what runs at the end
	// Open permits addresses that others reach without asking who they are.
	Open bool
	Log  *slog.Logger
	// Console serves the console for people; Dir is the database's directory, "" without.
	Console bool
	Dir     string

	statements *statements
}

// Protocol is a further way to the same database.
type Protocol interface {
	// Flags adds what it can be told.
	Flags(*flag.FlagSet)
	// Listen opens its listener; nil says that it isn't wanted.
	Listen(Shared) (net.Listener, error)
	// Serve serves until ctx ends, and closes the listener.
	Serve(ctx context.Context, on net.Listener) error
	// Metrics adds the protocol's numbers to those of the process; may be nil.
	Metrics() http.Handler
}

// UsageError says what was wrong with the arguments.
type UsageError string

// Error gives the text.
func (e UsageError) Error() string { return string(e) }

// web serves Cap'n Web.
type web struct {
	listen, tokens, origins string
	opts                    gate.Options
	shared                  Shared
	gate                    *gate.Gate
	connections             int
	known                   *service.Tokens
	others                  []Protocol
}

// Process is a gate as its flags want it.
type Process struct {
	protocols     []Protocol
	shared        Shared
	format, level string
}

// New makes a process that serves Cap'n Web, and others.
func New(others ...Protocol) *Process {
	return &Process{protocols: append([]Protocol{&web{others: others}}, others...)}
}

// Flags adds what the gate can be told, before [Process.Serve].
func (p *Process) Flags(fs *flag.FlagSet) {
	s := &p.shared
	fs.StringVar(&s.Cert, "tls-cert", "", "`file` of the certificate, to serve https and wss")
	fs.StringVar(&s.Key, "tls-key", "", "`file` of its key")
	fs.BoolVar(&s.Open, "open", false, "let everybody in, also from other machines")
	fs.DurationVar(&s.Idle, "idle", 30*time.Second, "a transaction or cursor that is idle for so long ends")
	fs.DurationVar(&s.Grace, "grace", 10*time.Second, "what runs has so long to end when the gate closes")
	fs.BoolVar(&s.Console, "console", false, "serve a page for people at /console/")
	fs.StringVar(&p.format, "log", "text", "how to log: text or json")
	fs.StringVar(&p.level, "log-level", "info", "what to log: debug, info, warn or error")
	for _, protocol := range p.protocols {
		protocol.Flags(fs)
	}
}

// Serve serves the database of a data source name until ctx ends. It says on out
// where, as soon as it does.
func (p *Process) Serve(ctx context.Context, dsn string, out, logs io.Writer) (err error) {
	s := p.shared
	if s.Log, err = service.Logger(logs, p.format, p.level); err != nil {
		return UsageError(err.Error())
	}
	cfg, err := vitessdo.ParseDSN(dsn)
	if err != nil {
		return UsageError(err.Error())
	}
	cfg.Logger, s.Dir, s.statements = s.Log, cfg.Dir, newStatements()
	cfg.Observers = append(cfg.Observers, s.statements)
	if s.Console && cfg.StatementStats == 0 {
		cfg.StatementStats = console.Statements
	}
	if s.DB, err = vitessdo.NewConnector(cfg); err != nil {
		return err
	}
	err = serve(ctx, s, out, p.protocols)
	return errors.Join(err, s.DB.Close())
}

// Run serves the database that args name, behind the flags: [Process.Serve] for
// programs that serve and do nothing else.
func Run(ctx context.Context, args []string, out, logs io.Writer, others ...Protocol) error {
	p := New(others...)
	fs := flag.NewFlagSet("gate", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	p.Flags(fs)
	if err := fs.Parse(args); err != nil {
		return badUsage(err)
	}
	if fs.NArg() != 1 {
		return UsageError(fmt.Sprintf("%d data source names given, 1 needed, behind the flags", fs.NArg()))
	}
	return p.Serve(ctx, fs.Arg(0), out, logs)
}

func badUsage(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return UsageError(err.Error())
}

// serve opens all listeners before the first is served.
func serve(ctx context.Context, s Shared, out io.Writer, protocols []Protocol) error {
	c, err := s.DB.Connect(ctx) // what is wrong with the database shows now
	if err != nil {
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	var on []net.Listener
	wanted := 0
	for _, p := range protocols {
		l, err := p.Listen(s)
		if err != nil {
			for _, l := range on {
				if l != nil {
					_ = l.Close()
				}
			}
			return err
		}
		on = append(on, l)
		if l != nil {
			wanted++
		}
	}
	if wanted == 0 {
		return UsageError("there is no address to listen on")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	failed := make([]error, len(protocols))
	for i, p := range protocols {
		if on[i] == nil {
			continue
		}
		all.Go(func() {
			defer stop() // one that can't go on ends all
			failed[i] = p.Serve(ctx, on[i])
		})
		fmt.Fprintf(out, "%s at %s\n", p, on[i].Addr())
	}
	all.Wait()
	return errors.Join(failed...)
}

func (w *web) String() string { return "Cap'n Web" }

// Flags implements Protocol.
func (w *web) Flags(fs *flag.FlagSet) {
	fs.StringVar(&w.listen, "listen", "127.0.0.1:8500", "`address` to serve Cap'n Web at, over HTTP and WebSockets; empty for not at all")
	fs.StringVar(&w.tokens, "tokens", "", "`file` that says who may come in: lines \"TOKEN NAME [read-only]\"")
	fs.StringVar(&w.origins, "origins", "", "other `hosts` whose web pages may speak to this server, separated by commas")
	fs.IntVar(&w.opts.MaxOpen, "max-open", 0, "transactions and cursors at once; 0 is 1000")
	fs.IntVar(&w.opts.MaxRunning, "max-running", 0, "statements at once; 0 is 256")
	fs.IntVar(&w.opts.MaxSessions, "max-sessions", 0, "WebSockets at once; 0 is 10000")
	fs.IntVar(&w.connections, "max-connections", 20000, "connections at once")
}

// Listen implements Protocol.
func (w *web) Listen(s Shared) (net.Listener, error) {
	if w.listen == "" {
		return nil, nil
	}
	w.shared = s
	if w.tokens != "" {
		var err error
		w.known, err = service.TokenFile(w.tokens, false)
		if errors.Is(err, service.ErrConfined) {
			return nil, UsageError(w.tokens + " confines a token to a keyspace: a gate's statements may name any, so run a tablet server for that, or give the token read-only")
		}
		if err != nil {
			return nil, err
		}
		w.opts.Admit = w.admit
	} else if err := Guard(w.listen, s.Open, "--tokens FILE"); err != nil {
		return nil, err
	}
	if w.origins != "" {
		w.opts.Origins = strings.Split(w.origins, ",")
	}
	w.opts.Idle, w.opts.Log = s.Idle, s.Log
	if w.connections < 1 {
		return nil, UsageError(fmt.Sprintf("--max-connections is %d; it must be 1 or more", w.connections))
	}
	on, err := net.Listen("tcp", w.listen)
	if err != nil {
		return nil, err
	}
	w.gate = gate.New(s.DB, w.opts)
	return service.Limit(on, w.connections), nil
}

// Guard refuses an address that others reach when nobody is asked who they are.
func Guard(address string, open bool, instead string) error {
	exposed, err := service.Exposed(address)
	if err != nil {
		return UsageError(err.Error())
	}
	if open || !exposed {
		return nil
	}
	return UsageError(fmt.Sprintf("everybody could reach %s and do everything: give %s, or --open if that is wanted", address, instead))
}

func (w *web) admit(r *http.Request) (gate.Grant, error) {
	g, err := w.known.Check(r)
	return gate.Grant{Name: g.Name, ReadOnly: g.ReadOnly}, err
}

// console gives the console's options: the same tokens are good for it.
func (w *web) console() console.Options {
	o := console.Options{Dir: w.shared.Dir, Log: w.shared.Log}
	if w.known != nil {
		o.Admit = func(r *http.Request) (console.Grant, error) {
			g, err := w.known.Check(r)
			return console.Grant{Name: g.Name, ReadOnly: g.ReadOnly}, err
		}
	}
	return o
}

// Serve implements Protocol.
func (w *web) Serve(ctx context.Context, on net.Listener) error {
	secure, err := service.TLS(w.shared.Cert, w.shared.Key)
	if err != nil {
		_ = on.Close()
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", w.gate)
	if w.shared.Console {
		mux.Handle(console.Path, console.New(w.shared.DB, w.console()))
		mux.Handle("GET "+strings.TrimSuffix(console.Path, "/"), http.RedirectHandler(console.Path, http.StatusFound))
	}
	mux.HandleFunc("GET /healthz", w.health)
	mux.HandleFunc("GET /metrics", w.metrics)
	go w.known.Watch(ctx, w.gate.Readmit)
	front := http.Handler(mux)
	if w.known == nil && !w.shared.Open {
		front = service.LocalOnly(mux)
	}
	return service.Server{Handler: front, TLS: secure, Drain: w.gate.Shutdown, Grace: w.shared.Grace, Log: w.shared.Log}.Serve(ctx, on)
}

// Metrics implements Protocol.
func (w *web) Metrics() http.Handler { return w.gate.Metrics() }

// health says whether every shard can be read, and the gate isn't about to end.
func (w *web) health(rw http.ResponseWriter, r *http.Request) {
	if w.gate.Draining() {
		http.Error(rw, "the gate is closing", http.StatusServiceUnavailable)
		return
	}
	c, err := w.shared.DB.Connect(r.Context())
	if err == nil {
		err = c.(*vitessdo.Conn).Ping(r.Context())
		_ = c.Close()
	}
	if err != nil {
		w.shared.Log.Warn("not healthy", "error", err)
		http.Error(rw, "a shard can't be read", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(rw, "ok\n")
}

func (w *web) metrics(rw http.ResponseWriter, r *http.Request) {
	if _, err := w.known.Check(r); err != nil {
		http.Error(rw, "a valid bearer token is needed", http.StatusUnauthorized)
		return
	}
	w.Metrics().ServeHTTP(rw, r)
	w.shared.statements.metrics.ServeHTTP(rw, r)
	for _, p := range w.others {
		if h := p.Metrics(); h != nil {
			h.ServeHTTP(rw, r)
		}
	}
}
