package gate

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// session is the main object of one client's session.
type session struct {
	g     *Gate
	grant Grant
	batch bool // one HTTP request: what it begins outlives it

	mu  sync.Mutex
	txs map[string]*openTx // begun in this session; nil when that is gone
}

// Call takes a message. All messages come by one method, call.
func (s *session) Call(ctx context.Context, m *capnweb.Call) (any, error) {
	if m.Method != "call" {
		return nil, capnweb.Errorf("TypeError", "there is no method %q; messages are sent by call(message)", m.Method)
	}
	m.Go()
	r, err := rpc.ReadRequest(m.Arg(0))
	if err != nil {
		return nil, wireError("", gateError(vitessdo.CodeMisuse, "%v", err))
	}
	began := time.Now()
	v, err := s.run(ctx, r)
	s.g.told.took.Observe(time.Since(began))
	s.g.told.requests.Add(r.Type.String(), 1)
	if err != nil {
		e := wireError(r.ID, err)
		code, _ := e.Props["code"].(string)
		s.g.told.failures.Add(code, 1)
		s.g.opts.Log.Debug("request failed", "client", s.grant.Name, "type", r.Type.String(), "id", r.ID, "code", code, "errno", e.Props["errno"])
		return nil, e
	}
	return v, nil
}

// Release rolls back what the session has begun and not ended.
func (s *session) Release() {
	if s.batch {
		return
	}
	s.mu.Lock()
	txs := s.txs
	s.txs = nil
	s.mu.Unlock()
	for _, x := range txs {
		x.abandon()
	}
}

// run carries a request out, within its time, so that CANCEL finds it.
func (s *session) run(ctx context.Context, r *rpc.Request) (any, error) {
	if r.Type == rpc.TypeCancel {
		return s.cancel(r), nil
	}
	// What continues something is done while the gate drains, too.
	anew := r.TxID == "" && r.Cursor == ""
	if err := s.g.enter(anew); err != nil {
		return nil, err
	}
	defer s.g.leave()
	ctx, cancel := r.Within(ctx)
	defer cancel()
	if r.ID != "" {
		s.g.mu.Lock()
		s.g.running[s.key(r.ID)] = cancel
		s.g.mu.Unlock()
		defer func() {
			s.g.mu.Lock()
			delete(s.g.running, s.key(r.ID))
			s.g.mu.Unlock()
		}()
	}
	if anew {
		// What belongs to a transaction doesn't wait: those who wait for its locks may
		// have all turns.
		select {
		case s.g.turn <- struct{}{}:
			defer func() { <-s.g.turn }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.dispatch(vitessdo.WithTrace(ctx, r.Trace), r)
}

// requestKey names a request for CANCEL, which reaches only those of the same client.
type requestKey struct{ client, id string }

func (s *session) key(id string) requestKey { return requestKey{s.grant.Name, id} }

func (s *session) cancel(r *rpc.Request) any {
	s.g.mu.Lock()
	cancel := s.g.running[s.key(r.Ref)]
	s.g.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	return s.ack(r)
}

func (s *session) dispatch(ctx context.Context, r *rpc.Request) (any, error) {
	if r.Type == rpc.TypeHealth { // somebody still wants what is open
		switch {
		case r.Cursor != "":
			return s.cursor(ctx, r)
		case r.TxID != "":
			return s.inTx(ctx, r, func(*openTx) (any, error) { return s.ack(r), nil })
		}
	}
	switch r.Type {
	case rpc.TypeQuery, rpc.TypeExecute:
		return s.statement(ctx, r)
	case rpc.TypeBatch:
		return s.statements(ctx, r)
	case rpc.TypeBegin:
		return s.begin(ctx, r)
	case rpc.TypeCommit, rpc.TypeRollback:
		return s.end(ctx, r)
	case rpc.TypeShardFetch, rpc.TypeShardClose:
		return s.cursor(ctx, r)
	case rpc.TypeStatus, rpc.TypeHealth, rpc.TypeSchema, rpc.TypeVSchema:
		return s.describe(ctx, r)
	}
	return nil, gateError(vitessdo.CodeUnsupported, "%s is a request to a tablet server, and this is a gate; send QUERY, EXECUTE or BATCH", r.Type)
}

// answer is a message of the given type with further fields.
func (s *session) answer(kind rpc.Type, r *rpc.Request, fields map[string]any) any {
	m := map[string]any{"type": int64(kind), "timestamp": s.g.opts.Now().UnixMilli()}
	if r.ID != "" {
		m["id"] = r.ID
	}
	for name, v := range fields {
		m[name] = v
	}
	return m
}

func (s *session) ack(r *rpc.Request) any { return s.answer(rpc.TypeAck, r, nil) }

func (s *session) result(r *rpc.Request, fields map[string]any) any {
	return s.answer(rpc.TypeResult, r, fields)
}

// keptConns bounds the sessions of the driver that are kept for later.
const keptConns = 64

// take gives a session of the driver for as long as give isn't called.
func (s *session) take(ctx context.Context, r *rpc.Request) (*vitessdo.Conn, error) {
	c, err := s.conn(ctx)
	if err != nil {
		return nil, err
	}
	if err := use(ctx, c, r); err != nil {
		s.give(c)
		return nil, err
	}
	return c, nil
}

func (s *session) conn(ctx context.Context) (*vitessdo.Conn, error) {
	g := s.g
	if !s.grant.ReadOnly {
		g.mu.Lock()
		if n := len(g.free); n > 0 {
			c := g.free[n-1]
			g.free = g.free[:n-1]
			g.mu.Unlock()
			return c, nil
		}
		g.mu.Unlock()
	}
	got, err := g.db.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c, ok := got.(*vitessdo.Conn)
	if !ok {
		return nil, fmt.Errorf("the driver's connection is a %T", got)
	}
	if s.grant.ReadOnly {
		c.RefuseWrites()
	}
	return c, nil
}

// give takes back what take has given. Nothing of its use is left.
func (s *session) give(c *vitessdo.Conn) {
	g := s.g
	if s.grant.ReadOnly || c.Renew() != nil {
		_ = c.Close()
		return
	}
	g.mu.Lock()
	kept := !g.closed && len(g.free) < keptConns
	if kept {
		g.free = append(g.free, c)
	}
	g.mu.Unlock()
	if !kept {
		_ = c.Close()
	}
}
