package rpc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// ClientOptions says how a server is reached. The zero value is usable.
type ClientOptions struct {
	HTTP   *http.Client // default http.DefaultClient
	Header http.Header  // of each HTTP request, as for a bearer token
	// Sessions is how many WebSockets are used side by side; default 4. A
	// transaction keeps to one of them.
	Sessions int
	// Grace is how long an interrupted request that may have changed something is
	// waited for, to know what came of it; default 5 s.
	Grace time.Duration
	// AnswerTime is how long a server may take to say what a tablet of it can do, so that
	// one that takes connections and never answers is found out; default 30 s.
	AnswerTime time.Duration
	// LockWait bounds the waits for write locks where the context of a request
	// doesn't; 0 leaves that to the tablets.
	LockWait time.Duration
	Session  *capnweb.Options // may be nil
}

// Client reaches the tablets of one server: by WebSockets, which it opens again
// when they are lost, or by an HTTP request for each message. It is safe for
// concurrent use.
type Client struct {
	url    string
	socket bool
	opts   ClientOptions
	prefix string
	last   atomic.Int64
	lanes  []lane
	turn   atomic.Uint64
	closed chan struct{}
	once   sync.Once
	keeper keeper
}

// lane is one WebSocket after the other.
type lane struct {
	dialing chan struct{} // holds one token
	mu      sync.Mutex
	current *capnweb.Session
}

// NewClient gives a client for an address http://, https://, ws:// or wss://. It
// connects when it is used. opts may be nil.
func NewClient(address string, opts *ClientOptions) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("address of a tablet server: %w", err)
	}
	c := &Client{url: address, prefix: rand.Text()[:12] + "-", closed: make(chan struct{}), keeper: keeper{open: map[*kept]struct{}{}, stop: make(chan struct{})}}
	switch u.Scheme {
	case "ws", "wss":
		c.socket = true
	case "http", "https":
	default:
		return nil, fmt.Errorf("address of a tablet server: scheme %q isn't http, https, ws or wss", u.Scheme)
	}
	if opts != nil {
		c.opts = *opts
	}
	if c.opts.Grace <= 0 {
		c.opts.Grace = 5 * time.Second
	}
	if c.opts.AnswerTime <= 0 {
		c.opts.AnswerTime = 30 * time.Second
	}
	if c.opts.Sessions <= 0 {
		c.opts.Sessions = 4
	}
	c.lanes = make([]lane, c.opts.Sessions)
	for i := range c.lanes {
		c.lanes[i].dialing = make(chan struct{}, 1)
		c.lanes[i].dialing <- struct{}{}
	}
	return c, nil
}

// Close ends the connections. Open transactions are rolled back by the server.
func (c *Client) Close() error {
	c.keeper.end()
	c.once.Do(func() { close(c.closed) })
	for i := range c.lanes {
		l := &c.lanes[i]
		l.mu.Lock()
		s := l.current
		l.current = nil
		l.mu.Unlock()
		if s != nil {
			_ = s.Close()
			<-s.Done()
		}
	}
	return nil
}

func (c *Client) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

var errClientClosed = errors.New("the client is closed")

// anyLane gives the lanes their turns.
func (c *Client) anyLane() *lane { return &c.lanes[c.turn.Add(1)%uint64(len(c.lanes))] }

// session gives a session to send one message, and what ends it afterwards. ctx
// governs an HTTP request as a whole.
func (c *Client) session(ctx context.Context, l *lane) (*capnweb.Session, func(), error) {
	if c.isClosed() {
		return nil, nil, &unsentError{errClientClosed}
	}
	if !c.socket {
		s := capnweb.NewBatch(ctx, c.url, c.opts.HTTP, c.opts.Header, c.opts.Session)
		return s, func() { _ = s.Close(); <-s.Done() }, nil
	}
	select {
	case <-l.dialing:
	case <-ctx.Done():
		return nil, nil, &unsentError{ctx.Err()}
	}
	defer func() { l.dialing <- struct{}{} }()
	l.mu.Lock()
	s := l.current
	l.mu.Unlock()
	if s != nil && s.Err() == nil {
		return s, func() {}, nil
	}
	dial, stop := context.WithTimeout(ctx, dialTime)
	defer stop()
	s, err := capnweb.Dial(dial, c.url, c.opts.HTTP, c.opts.Header, nil, c.opts.Session)
	if err != nil {
		return nil, nil, &unsentError{err}
	}
	l.mu.Lock()
	l.current = s
	l.mu.Unlock()
	if c.isClosed() { // perhaps before it was there to be closed
		_ = s.Close()
		return nil, nil, &unsentError{errClientClosed}
	}
	return s, func() {}, nil
}

// dialTime bounds one attempt to connect.
const dialTime = 5 * time.Second

// unsentError says that a message was never sent.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

// effect says what a request can do, and so what it means when its answer is lost.
type effect int

const (
	reads      effect = iota // nothing is changed: it is sent again
	repeatable               // to do it twice is to do it once: it is sent again
	once                     // nothing is changed, but it can't be said again, or belongs with others
	inTx                     // the transaction is lost with it, and undone
	inTxTwice                // likewise, but the server knows what it has answered: it is sent again
	changes                  // nobody knows
	remembered               // likewise, but the tablet knows what it has answered: it is sent again
)

// known is the effect of a change at a tablet that remembers what it has answered,
// or doesn't.
func (t *Tablet) known() effect {
	if t.remembers >= resends {
		return remembered
	}
	return changes
}

// resends is longer than a request is sent again for.
const resends = time.Minute

// retries is how often what may be sent again is, after pauses that double from
// firstPause on: a server that restarts is waited for a little.
const (
	retries    = 5
	firstPause = 30 * time.Millisecond
	// restartTime is for how long one is waited for that has said that it is closing.
	restartTime = 5 * time.Second
)

// call sends a message and waits for its answer, and sends it again where a lost
// answer, or one that was never sent, allows that.
func (c *Client) call(ctx context.Context, l *lane, r *Request, e effect) (*fields, error) {
	if l == nil {
		l = c.anyLane()
	}
	r.ID = c.prefix + strconv.FormatInt(c.last.Add(1), 36)
	first := time.Now()
	var sent error // of the last time that it may have been carried out
	restarts := false
	for n := 0; ; n++ {
		f, err := c.try(ctx, l, r, e)
		if err == nil {
			return f, nil
		}
		// Who holds locks elsewhere doesn't wait: others, which it must let end first,
		// may wait for those.
		restarts = (restarts || closing(err)) && !r.Holds
		since := time.Since(first)
		again := (n < retries && since <= resends/2 || restarts && since < restartTime) &&
			mayRepeat(r, err, e) && pause(ctx, firstPause<<min(n, retries-1))
		switch {
		case !again && sent != nil && (neverSent(err) || closing(err) || e == remembered && r.TxID == ""):
			// Nor does a refusal tell what becomes of the one before, which may wait for
			// a lock still, or be on its way.
			err = fmt.Errorf("%w; and sent again: %v", sent, err)
		case !neverSent(err) && !closing(err):
			sent = err
		}
		if !again {
			return nil, tabletError(ctx, r.Target, err, e)
		}
	}
}

// mayRepeat says whether a request that has failed so can be sent once more.
func mayRepeat(r *Request, err error, e effect) bool {
	if errors.Is(err, errClientClosed) {
		return false
	}
	if status, ok := errors.AsType[*capnweb.StatusError](err); ok {
		return status.Status == http.StatusServiceUnavailable || status.Status == http.StatusBadGateway || status.Status == http.StatusGatewayTimeout
	}
	if neverSent(err) || closing(err) && e != once && !r.Holds {
		return true
	}
	_, answered := errors.AsType[*capnweb.Error](err)
	return (e == reads || e == repeatable || e == remembered || e == inTxTwice) && (!answered || lost(err))
}

// closing says whether a server has refused a request as it begins nothing new.
func closing(err error) bool {
	if status, ok := errors.AsType[*capnweb.StatusError](err); ok {
		return status.Status == http.StatusServiceUnavailable
	}
	e, ok := errors.AsType[*capnweb.Error](err)
	return ok && e.Props["code"] == string(tablet.CodeClosing)
}

// neverSent says that a request can't have been carried out.
func neverSent(err error) bool {
	if _, ok := errors.AsType[*unsentError](err); ok {
		return true
	}
	if told, ok := errors.AsType[*noAnswer](err); ok && told.unsent {
		return true
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	status, ok := errors.AsType[*capnweb.StatusError](err)
	return ok && (status.Status < 500 || status.Status == http.StatusServiceUnavailable)
}

// pause waits; it says whether there is time left.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// try sends a message once. Whoever may have changed something is waited for when
// it is interrupted, within the grace.
func (c *Client) try(ctx context.Context, l *lane, r *Request, e effect) (*fields, error) {
	if err := ctx.Err(); err != nil {
		return nil, &unsentError{err}
	}
	now := time.Now()
	r.Timestamp = now.UnixMilli()
	if d, ok := ctx.Deadline(); ok {
		r.Timeout = max(1, d.Sub(now).Milliseconds())
	}
	r.LockWait = tablet.LockWait(ctx, c.opts.LockWait)
	r.Trace = tablet.Trace(ctx)
	life := ctx
	if !c.socket {
		// A batch's request must outlive ctx when its outcome matters.
		var cut context.CancelFunc
		life, cut = context.WithCancel(context.WithoutCancel(ctx))
		defer cut()
	}
	s, finish, err := c.session(life, l)
	if err != nil {
		return nil, err
	}
	defer finish()
	p := s.Main().Ask(ctx, "call", r)
	defer p.Release()
	v, err := p.Await(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		if e != reads {
			v, err = c.interrupt(s, r, p)
		} else if c.socket {
			c.cancel(ctx, s, r, 1) // a request's end cancels it as well
		}
	}
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		capnweb.Release(v)
		return nil, fmt.Errorf("the answer is a %T", v)
	}
	return &fields{m: m}, nil
}

// interrupt ends a request that was sent over s, and waits, within the grace, for what
// came of it. By HTTP, CANCEL may arrive before what it is about: it is said again
// until that is answered.
func (c *Client) interrupt(s *capnweb.Session, r *Request, p *capnweb.Promise) (any, error) {
	ctx, stop := context.WithTimeout(context.Background(), c.opts.Grace)
	defer stop()
	if c.socket {
		c.cancel(ctx, s, r, 1)
		return p.Await(ctx)
	}
	var saying sync.WaitGroup
	defer saying.Wait()
	asking, answered := context.WithCancel(ctx)
	defer answered()
	saying.Go(func() {
		for n := 1; ; n++ {
			c.cancel(asking, s, r, n)
			if !pause(asking, firstPause<<min(n, retries)) {
				return
			}
		}
	})
	return p.Await(ctx)
}

// cancel sends CANCEL for the n-th time. With a WebSocket that is lost the request is
// interrupted anyway. By HTTP it waits for the answer.
func (c *Client) cancel(ctx context.Context, s *capnweb.Session, r *Request, n int) {
	m := &Request{Type: TypeCancel, ID: fmt.Sprintf("%s-cancel%d", r.ID, n), Timestamp: time.Now().UnixMilli(), Target: r.Target, Ref: r.ID}
	if c.socket {
		if s.Err() == nil {
			ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), c.opts.Grace)
			defer stop()
			s.Main().Ask(ctx, "call", m).Release()
		}
		return
	}
	s, finish, err := c.session(ctx, nil)
	if err != nil {
		return
	}
	defer finish()
	p := s.Main().Ask(ctx, "call", m)
	_, _ = p.Await(ctx)
	p.Release()
}

// CreateShard makes the empty database of a shard, in the place of one that is
// there.
func (c *Client) CreateShard(ctx context.Context, t tablet.Target) error {
	_, err := c.call(ctx, nil, &Request{Type: TypeShardCreate, Target: t}, repeatable)
	return err
}

// DropShard removes a shard with all that is in it.
func (c *Client) DropShard(ctx context.Context, t tablet.Target) error {
	_, err := c.call(ctx, nil, &Request{Type: TypeShardDrop, Target: t}, repeatable)
	return err
}

// Tablet gives a tablet of the server, which is asked what it can do.
func (c *Client) Tablet(ctx context.Context, target tablet.Target) (*Tablet, error) {
	t := &Tablet{c: c, target: target}
	waits, stop := context.WithTimeout(ctx, c.opts.AnswerTime)
	defer stop()
	f, err := c.call(waits, nil, &Request{Type: TypeStatus, Target: target}, reads)
	if err != nil && ctx.Err() == nil && waits.Err() != nil {
		return nil, &tablet.Error{Code: tablet.CodeIO, Target: target, Err: err,
			Message: fmt.Sprintf("the tablet can't be reached: %s hasn't answered for %v: is it a tablet server, and does it run?", c.url, c.opts.AnswerTime)}
	}
	if err != nil {
		return nil, err
	}
	in := &fields{m: take[map[string]any](f, "capabilities")}
	t.caps = tablet.Capabilities{
		Dialect:          take[string](in, "dialect"),
		MySQLFunctions:   take[bool](in, "mysqlFunctions"),
		TransactionalDDL: take[bool](in, "transactionalDDL"),
		HeldPrepare:      take[bool](in, "heldPrepare"),
		ConcurrentReads:  take[bool](in, "concurrentReads"),
		MaxParameters:    int(take[int64](in, "maxParameters")),
		MaxStatement:     int(take[int64](in, "maxStatement")),
		MaxColumns:       int(take[int64](in, "maxColumns")),
		MaxTerms:         int(take[int64](in, "maxTerms")),
		MaxDepth:         int(take[int64](in, "maxDepth")),
		Snapshots:        take[bool](in, "snapshots"),
		Moments:          take[bool](in, "moments"),
		LosesSnapshots:   take[bool](in, "losesSnapshots"),
		BoundKeys:        take[bool](in, "boundKeys"),
	}
	t.remembers = time.Duration(take[int64](f, "remembers")) * time.Millisecond
	t.patience = time.Duration(take[int64](f, "patience")) * time.Millisecond
	f.note(in)
	if f.err != nil {
		return nil, t.malformed(f.err)
	}
	return t, nil
}
