package gate

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/service"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// Grant is what a client may do.
type Grant struct {
	Name     string // for logs and to tell clients apart
	ReadOnly bool
}

// Options say how a gate serves. The zero value is usable.
type Options struct {
	// Admit is asked for each session, by its HTTP request: who it is, or an error,
	// as a [capnweb.StatusError]. Without it everybody may do everything.
	Admit func(*http.Request) (Grant, error)
	// Idle is how long a transaction or a cursor waits for its next request before
	// it is ended; default 30 s.
	Idle time.Duration
	// MaxOpen bounds the transactions and cursors that are open at once; default
	// 1000.
	MaxOpen int
	// MaxRunning bounds the statements outside transactions that run at once, the
	// others wait; default 256.
	MaxRunning int
	// MaxSessions bounds the WebSockets; default 10000.
	MaxSessions int
	// ChunkRows and ChunkBytes bound the rows that travel together; default 1000
	// rows and 256 KiB.
	ChunkRows, ChunkBytes int
	// Session are the limits of each session; may be nil.
	Session *capnweb.Options
	// Origins lists the hosts whose web pages may open WebSockets.
	Origins []string
	// Log gets what goes wrong, without statements and their values; default
	// slog.Default.
	Log *slog.Logger
	// Now tells the time for answers; default time.Now.
	Now func() time.Time
}

func (o Options) complete() Options {
	for _, f := range []struct {
		v *int
		d int
	}{{&o.MaxOpen, 1000}, {&o.MaxRunning, 256}, {&o.MaxSessions, 10000}} {
		if *f.v <= 0 {
			*f.v = f.d
		}
	}
	if o.Idle <= 0 {
		o.Idle = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Gate serves one database. It is an http.Handler, for batches and WebSockets on
// one address, and safe for concurrent use.
type Gate struct {
	opts  Options
	chunk rpc.Chunk
	db    *vitessdo.Connector
	http  capnweb.Handler
	turn  chan struct{} // holds a token for each statement that runs outside transactions
	told  numbers

	mu       sync.Mutex
	draining bool // nothing new is begun
	closed   bool
	busy     int           // requests that run, transactions and cursors that are open
	quiet    chan struct{} // closed when draining has left nothing
	txs      map[string]*openTx
	cursors  map[string]*cursor
	running  map[requestKey]context.CancelFunc
	free     []*vitessdo.Conn
}

// New gives a gate to a database. Close ends it; the connector stays open.
func New(db *vitessdo.Connector, opts Options) *Gate {
	g := &Gate{
		opts:    opts.complete(),
		chunk:   rpc.ChunkOf(opts.ChunkRows, opts.ChunkBytes, opts.Session),
		db:      db,
		quiet:   make(chan struct{}),
		txs:     map[string]*openTx{},
		cursors: map[string]*cursor{},
		running: map[requestKey]context.CancelFunc{},
	}
	g.turn = make(chan struct{}, g.opts.MaxRunning)
	g.http = capnweb.Handler{
		Main: g.admit, Options: g.opts.Session, Origins: g.opts.Origins, Subprotocols: []string{subprotocol},
	}
	g.told.init(g)
	return g
}

// subprotocol is what web pages offer beside their token, which they can't send
// in a header: a server must agree to one.
const subprotocol = "vitessdo"

// ServeHTTP answers a batch, or serves a WebSocket's session to its end.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.http.ServeHTTP(w, r) }

// Metrics serves the gate's numbers in Prometheus's text format.
func (g *Gate) Metrics() http.Handler { return &g.told.metrics }

// Main gives the main object of one session, for transports other than HTTP.
func (g *Gate) Main(grant Grant) capnweb.Target {
	return &session{g: g, grant: grant, txs: map[string]*openTx{}}
}

func (g *Gate) admit(r *http.Request) (capnweb.Target, error) {
	var grant Grant
	if g.opts.Admit != nil {
		var err error
		if grant, err = g.opts.Admit(r); err != nil {
			g.told.refused.Add("", 1)
			g.opts.Log.Info("client refused", "from", r.RemoteAddr, "reason", err)
			return nil, err
		}
	}
	batch := r.Method == http.MethodPost
	g.mu.Lock()
	closed := g.draining
	g.mu.Unlock()
	full := g.http.Sessions() >= g.opts.MaxSessions
	if closed && !batch || full && !batch {
		return nil, &capnweb.StatusError{Status: http.StatusServiceUnavailable, Text: "the gate is closing, or has too many sessions"}
	}
	return &session{g: g, grant: grant, batch: batch, txs: map[string]*openTx{}}, nil
}

// Readmit asks Admit again about every WebSocket that is open, and ends those of whom it
// would refuse, or permit something else now: what they have begun is rolled back.
func (g *Gate) Readmit() {
	if g.opts.Admit == nil {
		return
	}
	g.http.Review(func(r *http.Request, main capnweb.Target) error {
		now, err := g.opts.Admit(r)
		if err == nil && now != main.(*session).grant {
			err = errors.New("what the token permits has changed; connect again")
		}
		return err
	})
}

// enter counts something that runs or is open; the error says that nothing new
// is begun. leave takes it back.
func (g *Gate) enter(anew bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.draining && anew {
		return errClosing
	}
	g.busy++
	return nil
}

func (g *Gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
	g.settled()
}

// settled notes the end of draining. The caller has the lock.
func (g *Gate) settled() {
	if !g.draining || g.busy > 0 {
		return
	}
	select {
	case <-g.quiet:
	default:
		close(g.quiet)
	}
}

// Shutdown begins nothing new, waits for what runs and for open transactions
// until ctx ends, and closes the gate.
func (g *Gate) Shutdown(ctx context.Context) {
	g.mu.Lock()
	g.draining = true
	g.settled()
	g.mu.Unlock()
	select {
	case <-g.quiet:
	case <-ctx.Done():
	}
	g.http.Drain(ctx) // the answers leave before the sessions do
	_ = g.Close()
}

// Draining says whether Shutdown was called: nothing new is begun.
func (g *Gate) Draining() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.draining
}

// Close ends all sessions, rolls back their transactions and ends their cursors.
// It returns when nothing of them runs any more.
func (g *Gate) Close() error {
	g.mu.Lock()
	g.closed, g.draining = true, true
	txs, cursors, free := g.txs, g.cursors, g.free
	g.txs, g.cursors, g.free = map[string]*openTx{}, map[string]*cursor{}, nil
	for _, cancel := range g.running {
		cancel()
	}
	g.mu.Unlock()
	g.http.Close()
	for _, k := range cursors {
		_ = k.Close()
	}
	for _, x := range txs {
		x.abandon()
	}
	for _, c := range free {
		_ = c.Close()
	}
	return nil
}

// numbers are what the gate tells of itself.
type numbers struct {
	metrics  service.Metrics
	requests *service.Counter
	failures *service.Counter
	refused  *service.Counter
	rows     *service.Counter
	took     *service.Histogram
}

func (n *numbers) init(g *Gate) {
	m := &n.metrics
	n.requests = m.Counter("vitessdo_gate_requests_total", "Requests by type.", "type")
	n.failures = m.Counter("vitessdo_gate_errors_total", "Requests that failed, by code.", "code")
	n.refused = m.Counter("vitessdo_gate_refused_total", "Sessions that were refused.", "")
	n.rows = m.Counter("vitessdo_gate_rows_total", "Rows that were sent.", "")
	n.took = m.Histogram("vitessdo_gate_request_seconds", "How long requests took.")
	m.Gauge("vitessdo_gate_sessions", "WebSockets that are open.", func() float64 { return float64(g.http.Sessions()) })
	count := func(name, help string, f func() int) {
		m.Gauge(name, help, func() float64 {
			g.mu.Lock()
			defer g.mu.Unlock()
			return float64(f())
		})
	}
	count("vitessdo_gate_transactions", "Transactions that are open.", func() int { return len(g.txs) })
	count("vitessdo_gate_cursors", "Results that are read in parts.", func() int { return len(g.cursors) })
	count("vitessdo_gate_running", "Requests that run.", func() int { return len(g.running) })
}
