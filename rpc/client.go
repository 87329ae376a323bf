package rpc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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
	// Grace is how long an interrupted request that may have changed something is
	// waited for, to know what came of it; default 5 s.
	Grace   time.Duration
	Session *capnweb.Options // may be nil
}

// Client reaches the tablets of one server: by one WebSocket, which it opens
// again when it is lost, or by an HTTP request for each message. It is safe for
// concurrent use.
type Client struct {
	url    string
	socket bool
	opts   ClientOptions
	prefix string
	last   atomic.Int64

	mu      sync.Mutex
	closed  bool
	current *capnweb.Session // of a WebSocket
	dialing chan struct{}    // holds one token
}

// NewClient gives a client for an address http://, https://, ws:// or wss://. It
// connects when it is used. opts may be nil.
func NewClient(address string, opts *ClientOptions) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("address of a tablet server: %w", err)
	}
	c := &Client{url: address, prefix: rand.Text()[:12] + "-", dialing: make(chan struct{}, 1)}
	c.dialing <- struct{}{}
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
	return c, nil
}

// Close ends the connection. Open transactions are rolled back by the server.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	s := c.current
	c.current = nil
	c.mu.Unlock()
	if s != nil {
		_ = s.Close()
		<-s.Done()
	}
	return nil
}

var errClientClosed = errors.New("the client is closed")

// session gives a session to send one message, and what ends it afterwards.
func (c *Client) session(ctx context.Context) (*capnweb.Session, func(), error) {
	if !c.socket {
		c.mu.Lock()
		closed := c.closed
		c.mu.Unlock()
		if closed {
			return nil, nil, errClientClosed
		}
		s := capnweb.NewBatch(ctx, c.url, c.opts.HTTP, c.opts.Header, c.opts.Session)
		return s, func() { _ = s.Close(); <-s.Done() }, nil
	}
	select {
	case <-c.dialing:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	defer func() { c.dialing <- struct{}{} }()
	c.mu.Lock()
	s, closed := c.current, c.closed
	c.mu.Unlock()
	if closed {
		return nil, nil, errClientClosed
	}
	if s != nil && s.Err() == nil {
		return s, func() {}, nil
	}
	s, err := capnweb.Dial(ctx, c.url, c.opts.HTTP, c.opts.Header, nil, c.opts.Session)
	if err != nil {
		return nil, nil, &unsentError{err}
	}
	c.mu.Lock()
	if closed = c.closed; !closed {
		c.current = s
	}
	c.mu.Unlock()
	if closed {
		_ = s.Close()
		return nil, nil, errClientClosed
	}
	return s, func() {}, nil
}

// unsentError says that a message was never sent.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

// call sends a message and waits for its answer. changes says that it may change
// something: then an interrupted one is waited for, within the grace.
func (c *Client) call(ctx context.Context, r *Request, changes bool) (*fields, error) {
	if err := ctx.Err(); err != nil {
		return nil, tabletError(ctx, r.Target, err, false)
	}
	r.ID = c.prefix + strconv.FormatInt(c.last.Add(1), 36)
	now := time.Now()
	r.Timestamp = now.UnixMilli()
	if d, ok := ctx.Deadline(); ok {
		r.Timeout = max(1, d.Sub(now).Milliseconds())
	}
	// A batch's request must outlive ctx when its outcome matters.
	life, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	s, finish, err := c.session(life)
	if err != nil {
		_, unsent := errors.AsType[*unsentError](err)
		return nil, tabletError(ctx, r.Target, err, changes && !unsent && err != errClientClosed)
	}
	defer finish()
	p := s.Main().Ask(ctx, "call", r)
	defer p.Release()
	v, err := p.Await(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		if changes {
			c.cancel(r)
			v, err = c.outcome(p)
		} else if c.socket {
			c.cancel(r) // a request's end cancels it as well
		}
	}
	if err != nil {
		cut()
		return nil, tabletError(ctx, r.Target, err, changes)
	}
	m, ok := v.(map[string]any)
	if !ok {
		capnweb.Release(v)
		return nil, tabletError(ctx, r.Target, fmt.Errorf("the answer is a %T", v), changes)
	}
	return &fields{m: m}, nil
}

// cancel asks the server to interrupt the request.
func (c *Client) cancel(r *Request) {
	ctx, stop := context.WithTimeout(context.Background(), c.opts.Grace)
	defer stop()
	s, finish, err := c.session(ctx)
	if err != nil {
		return
	}
	defer finish()
	p := s.Main().Ask(ctx, "call", &Request{Type: TypeCancel, ID: r.ID + "-cancel", Timestamp: time.Now().UnixMilli(), Ref: r.ID})
	if !c.socket {
		_, _ = p.Await(ctx)
	}
	p.Release()
}

// outcome waits, within the grace, for what came of a request that was
// interrupted.
func (c *Client) outcome(p *capnweb.Promise) (any, error) {
	ctx, stop := context.WithTimeout(context.Background(), c.opts.Grace)
	defer stop()
	return p.Await(ctx)
}

// Tablet gives a tablet of the server, which is asked what it can do.
func (c *Client) Tablet(ctx context.Context, target tablet.Target) (*Tablet, error) {
	t := &Tablet{c: c, target: target}
	f, err := c.call(ctx, &Request{Type: TypeStatus, Target: target}, false)
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
	}
	f.note(in)
	if f.err != nil {
		return nil, t.malformed(f.err)
	}
	return t, nil
}
