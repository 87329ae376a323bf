package rpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// ServerOptions says how tablets are served. Tablet is needed.
type ServerOptions struct {
	// Tablet gives the tablet of a name, which it may open, and is called for
	// every request. The server closes none.
	Tablet func(ctx context.Context, t tablet.Target) (tablet.Tablet, error)
	// Create makes the empty database of a shard, in the place of one that is there;
	// Drop removes one with all that is in it, and does nothing where there is none.
	// Without them SHARD_CREATE and SHARD_DROP are refused.
	Create, Drop func(ctx context.Context, t tablet.Target) error
	// Admit, when set, is asked for each session, by its HTTP request, what its
	// client may do. An error refuses the session, with the status of a
	// [capnweb.StatusError]. Without it everybody may do everything.
	Admit func(r *http.Request) (Grant, error)
	// Limits bound what clients take.
	Limits Limits
	// Done, when set, is told of each request that was carried out.
	Done func(Done)
	// Idle is how long a transaction or a cursor waits for its next request,
	// when it doesn't end with a session; default 30 s.
	Idle time.Duration
	// SocketIdle is the same for a transaction that ends with its WebSocket; default
	// 10 minutes.
	SocketIdle time.Duration
	// Hold bounds how long a client can keep commits from showing; default 1 s.
	Hold time.Duration
	// ChunkRows and ChunkBytes bound the rows that travel together; default 1000
	// rows and 256 KiB.
	ChunkRows, ChunkBytes int
	// Session are the limits of each session; may be nil.
	Session *capnweb.Options
	// Origins lists the hosts whose web pages may open WebSockets.
	Origins []string
	// Now tells the time for answers; default time.Now.
	Now func() time.Time
}

// Server exposes tablets. It is an http.Handler, for batches and WebSockets on
// one address. It is safe for concurrent use.
type Server struct {
	opts  ServerOptions
	chunk Chunk
	http  capnweb.Handler

	managing sync.Mutex // one shard is made or removed at a time
	managed  recent     // the requests that did; managing guards it

	mu       sync.Mutex
	draining bool // nothing new is begun
	closed   bool
	busy     int                   // requests that run, and what is open
	quiet    chan struct{}         // closed when draining has left nothing
	runs     int                   // requests that run
	sockets  int                   // WebSockets that were admitted
	open     map[tablet.Target]int // transactions
	txs      map[string]*openTx
	ended    recent // transactions
	cursors  map[string]*cursor
	running  map[requestKey]context.CancelFunc
	holds    map[string]*hold // by the request's ID
}

// NewServer gives a server; Close ends it.
func NewServer(opts ServerOptions) *Server {
	if opts.Idle <= 0 {
		opts.Idle = 30 * time.Second
	}
	if opts.SocketIdle <= 0 {
		opts.SocketIdle = 10 * time.Minute
	}
	if opts.Hold <= 0 {
		opts.Hold = time.Second
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Limits.complete()
	s := &Server{
		opts:    opts,
		chunk:   ChunkOf(opts.ChunkRows, opts.ChunkBytes, opts.Session),
		quiet:   make(chan struct{}),
		open:    map[tablet.Target]int{},
		txs:     map[string]*openTx{},
		cursors: map[string]*cursor{},
		running: map[requestKey]context.CancelFunc{},
		holds:   map[string]*hold{},
	}
	s.http = capnweb.Handler{Main: s.admit, Options: opts.Session, Origins: opts.Origins}
	return s
}

// Serve gives a server for tablets that are open already.
func Serve(tablets ...tablet.Tablet) *Server {
	byName := map[tablet.Target]tablet.Tablet{}
	for _, t := range tablets {
		byName[t.Target()] = t
	}
	return NewServer(ServerOptions{Tablet: func(_ context.Context, name tablet.Target) (tablet.Tablet, error) {
		if t := byName[name]; t != nil {
			return t, nil
		}
		return nil, &tablet.Error{Code: tablet.CodeWrongShard, Target: name, Message: "this server has no such shard"}
	}})
}

// ServeHTTP answers a batch, or serves a WebSocket's session to its end.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.http.ServeHTTP(w, r) }

// Main gives the main object of one session, for transports other than HTTP.
func (s *Server) Main() capnweb.Target { return &session{s: s, txs: map[string]*openTx{}} }

func (s *Server) admit(r *http.Request) (capnweb.Target, error) {
	c := &session{s: s, txs: map[string]*openTx{}, batch: r.Method == http.MethodPost}
	if s.opts.Admit != nil {
		var err error
		if c.grant, err = s.opts.Admit(r); err != nil {
			return nil, err
		}
	}
	if !c.batch {
		if err := s.admitSocket(); err != nil {
			return nil, err
		}
		c.counted = true
	}
	return c, nil
}

// Readmit asks Admit again about every WebSocket that is open, and ends those of whom it
// would refuse, or permit something else now: what they have begun is rolled back.
func (s *Server) Readmit() {
	if s.opts.Admit == nil {
		return
	}
	s.http.Review(func(r *http.Request, main capnweb.Target) error {
		g, err := s.opts.Admit(r)
		if err == nil && !g.equal(&main.(*session).grant) {
			err = errors.New("what the token permits has changed; connect again")
		}
		return err
	})
}

// Close ends all sessions, rolls back what isn't prepared and ends all cursors.
// It returns when nothing of them runs any more. The tablets stay open.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed, s.draining = true, true
	txs, cursors, holds := s.txs, s.cursors, s.holds
	s.txs, s.cursors, s.holds = map[string]*openTx{}, map[string]*cursor{}, map[string]*hold{}
	for _, cancel := range s.running {
		cancel()
	}
	s.mu.Unlock()
	s.http.Close()
	for _, h := range holds {
		h.end()
	}
	for _, c := range cursors {
		_ = c.Close()
	}
	for _, x := range txs {
		x.abandon()
	}
	return nil
}

// session is the main object of one session.
type session struct {
	s       *Server
	grant   Grant
	batch   bool // one HTTP request: what it begins outlives it
	counted bool // among the server's sockets

	mu  sync.Mutex
	txs map[string]*openTx // begun in this session
}

// Call takes a message. All messages come by one method, call.
func (c *session) Call(ctx context.Context, m *capnweb.Call) (any, error) {
	if m.Method != "call" {
		return nil, capnweb.Errorf("TypeError", "there is no method %q; messages are sent by call(message)", m.Method)
	}
	m.Go()
	r, err := ReadRequest(m.Arg(0))
	if err != nil {
		return nil, wireError("", &tablet.Error{Code: tablet.CodeMisuse, Message: err.Error()})
	}
	began := time.Now()
	v, err := c.run(ctx, r)
	if c.s.opts.Done != nil {
		c.s.opts.Done(Done{Request: r, Client: c.grant.Name, Took: time.Since(began), Err: err})
	}
	if err != nil {
		if e, ok := err.(*tablet.Error); ok && e.Target == (tablet.Target{}) {
			own := *e // others may have the same one
			own.Target = r.Target
			err = &own
		}
		told := wireError(r.ID, err)
		if r.TxID != "" && r.begins() && !c.s.knows(r.TxID) {
			told.Props["notBegun"] = true
		}
		return nil, told
	}
	return v, nil
}

// Release rolls back what the session has begun and not ended.
func (c *session) Release() {
	if c.batch {
		return
	}
	if c.counted {
		c.s.releaseSocket()
	}
	c.mu.Lock()
	txs := c.txs
	c.txs = nil
	c.mu.Unlock()
	for id, x := range txs {
		// Who asks again for a COMMIT that runs still waits for it.
		x.abandon()
		c.s.forgetTx(id, x)
	}
}

// run carries a request out, within its time, so that CANCEL finds it.
func (c *session) run(ctx context.Context, r *Request) (any, error) {
	if err := c.grant.permit(r); err != nil {
		return nil, err
	}
	if err := c.s.opts.Limits.admit(r); err != nil {
		return nil, err
	}
	if r.Type == TypeCancel {
		return c.cancel(r), nil
	}
	ctx, cancel := r.Within(ctx)
	defer cancel()
	if err := c.start(r, cancel); err != nil {
		return nil, err
	}
	defer c.stop(r.ID)
	if r.LockWait != 0 {
		ctx = tablet.WithLockWait(ctx, r.LockWait)
	}
	if r.letsGo() {
		ctx = context.WithoutCancel(ctx)
	}
	return c.dispatch(tablet.WithTrace(ctx, r.Trace), r)
}

// start makes a request known to CANCEL. Of several with one ID, which the
// protocol forbids, the newest is.
func (c *session) start(r *Request, cancel context.CancelFunc) error {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.draining && r.begins() && !s.goesOn(c.grant.Name, r) {
		return errServerClosed
	}
	if s.runs >= s.opts.Limits.Running && r.begins() {
		return &tablet.Error{Code: tablet.CodeOverloaded, Message: fmt.Sprintf("%d requests run, as many as --max-running allows", s.runs)}
	}
	s.busy++
	s.runs++
	if r.ID != "" {
		s.running[c.key(r.ID)] = cancel
	}
	return nil
}

func (c *session) stop(id string) {
	s := c.s
	s.mu.Lock()
	delete(s.running, c.key(id))
	s.runs--
	s.left()
	s.mu.Unlock()
}

// requestKey names a request for CANCEL, which reaches only those of the same client.
type requestKey struct{ client, id string }

func (c *session) key(id string) requestKey { return requestKey{c.grant.Name, id} }

// cancel interrupts another request. That one's answer tells what came of it.
func (c *session) cancel(r *Request) any {
	c.s.mu.Lock()
	cancel := c.s.running[c.key(r.Ref)]
	c.s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	return c.ack(r)
}
