package rpc

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// openTx is a transaction that clients name by its ID.
type openTx struct {
	s      *Server
	at     tablet.Target
	tx     tablet.Tx
	client string // who has begun it: nobody else goes on with it
	first  string // the ID of the request that has begun it
	age    uint64 // those of one transaction have the same
	holds  atomic.Bool
	turn   *Turn

	// Guarded by turn.
	prepared bool        // it outlives whoever has begun it
	dtid     string      // it is prepared as
	idle     *time.Timer // ends it when nothing is heard of it
	heard    time.Time   // when the last request ended
	patience time.Duration
	replies  replies
}

var errTxGone = &tablet.Error{Code: tablet.CodeTxExpired, Message: "the transaction isn't known: it has ended, or the tablet has ended it"}

// abandon ends a transaction that nobody will end any more. What is prepared
// stays: its holder decides.
func (x *openTx) abandon() {
	if x.turn.Take(context.Background()) != nil {
		return
	}
	defer x.turn.Pass()
	x.end()
	if !x.prepared {
		_ = x.tx.Rollback()
	}
}

// end marks it as ended. The caller has the turn.
func (x *openTx) end() {
	x.turn.End()
	x.s.releaseTx(x.at)
	if x.idle != nil {
		x.idle.Stop()
	}
}

// forgetTx takes the transaction out of the table, if it is there still.
func (s *Server) forgetTx(id string, x *openTx) {
	s.mu.Lock()
	if s.txs[id] == x {
		delete(s.txs, id)
		s.ended.add(id)
	}
	s.mu.Unlock()
}

// knows says whether a transaction of that ID is open.
func (s *Server) knows(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.txs[id] != nil
}

// patience is how long a transaction that is begun here waits for its next request.
func (c *session) patience() time.Duration {
	if c.batch {
		return c.s.opts.Idle
	}
	return c.s.opts.SocketIdle
}

// begin starts the transaction that the request names.
func (c *session) begin(ctx context.Context, t tablet.Tablet, r *Request, opts tablet.TxOptions) (*openTx, error) {
	x := &openTx{s: c.s, at: t.Target(), client: c.grant.Name, first: r.ID, age: opts.Age, turn: NewTurn(errTxGone)}
	x.holds.Store(r.Holds)
	opts.Holds = x.holds.Load
	c.s.mu.Lock()
	err := c.s.beginnable(r.TxID, x)
	if err == nil {
		c.s.txs[r.TxID] = x
	}
	c.s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	tx, err := t.Begin(ctx, opts)
	if err != nil {
		c.s.forgetTx(r.TxID, x)
		x.end()
		x.turn.Pass()
		return nil, err
	}
	x.tx = tx
	x.heard, x.patience = time.Now(), c.patience()
	x.idle = time.AfterFunc(x.patience, func() { c.expire(r.TxID, x) })
	if c.batch {
		x.turn.Pass()
		return x, nil
	}
	c.mu.Lock()
	gone := c.txs == nil
	if !gone {
		c.txs[r.TxID] = x
	}
	c.mu.Unlock()
	x.turn.Pass()
	if gone {
		x.abandon()
		c.s.forgetTx(r.TxID, x)
		return nil, errTxGone
	}
	return x, nil
}

// expire ends a transaction of which nothing was heard for long. One with a request
// that runs waits for that, and has its time anew.
func (c *session) expire(id string, x *openTx) {
	if x.turn.Take(context.Background()) != nil {
		return
	}
	if time.Since(x.heard) < x.patience {
		x.turn.Pass() // the timer was set again
		return
	}
	x.end()
	if !x.prepared {
		_ = x.tx.Rollback()
	}
	x.turn.Pass()
	c.s.forgetTx(id, x)
	c.mu.Lock()
	delete(c.txs, id)
	c.mu.Unlock()
}

// beginnable counts a transaction, or says why it can't begin. The caller has the
// lock.
func (s *Server) beginnable(id string, x *openTx) error {
	if s.closed {
		return errServerClosed
	}
	if s.txs[id] != nil {
		return &tablet.Error{Code: tablet.CodeMisuse, Message: fmt.Sprintf("transaction %.80q has begun already; each needs an id of its own", id)}
	}
	if s.ended.has(id) {
		return errTxGone // its first request has come twice, or late
	}
	return s.admitTx(x.at)
}

// inTx carries out a request of a transaction, which it may begin.
func (c *session) inTx(ctx context.Context, t tablet.Tablet, r *Request) (any, error) {
	c.s.mu.Lock()
	x := c.s.txs[r.TxID]
	c.s.mu.Unlock()
	if x != nil && x.client != c.grant.Name {
		return nil, errTxGone
	}
	switch {
	case x != nil && x.first != "" && x.first == r.ID:
		// It arrives a second time.
	case r.Begin != nil || r.Type == TypeShardBegin:
		opts := tablet.TxOptions{}
		if r.Begin != nil {
			opts = *r.Begin
		}
		var err error
		if x, err = c.begin(ctx, t, r, opts); err != nil {
			return nil, err
		}
	case x == nil:
		return c.byName(ctx, t, r)
	}
	if err := x.turn.Take(ctx); err != nil {
		if err == errTxGone {
			return c.byName(ctx, t, r)
		}
		return nil, err
	}
	defer x.turn.Pass()
	if x.tx.Target() != r.Target {
		return nil, &tablet.Error{Code: tablet.CodeWrongShard, Message: fmt.Sprintf("transaction %q is one of shard %s/%s", r.TxID, x.tx.Target().Keyspace, x.tx.Target().Shard)}
	}
	if r.Type == TypeHealth { // somebody wants it still
		x.hear()
		return c.ack(r), nil
	}
	if v, err, twice := x.replies.of(r); twice {
		return v, err
	}
	x.holds.Store(r.Holds)
	v, over, err := c.txStep(ctx, x, r)
	x.replies.keep(r, v, err)
	if over {
		x.end()
		c.s.forgetTx(r.TxID, x)
		c.mu.Lock()
		delete(c.txs, r.TxID)
		c.mu.Unlock()
	} else {
		x.hear()
	}
	return v, err
}

// hear gives the transaction its time anew. The caller has the turn.
func (x *openTx) hear() {
	x.heard = time.Now()
	x.idle.Reset(x.patience)
}

// byName carries out what ends a transaction that isn't known by its ID any more,
// as the session that has begun it is gone: what is prepared is known by dtid.
func (c *session) byName(ctx context.Context, t tablet.Tablet, r *Request) (any, error) {
	switch {
	case r.Type == TypeShardRollback && r.DTID != "":
		return c.done(r, t.RollbackPrepared(ctx, r.DTID))
	case r.Type == TypeShardRollback:
		// What was to begin it may be on its way still.
		c.s.mu.Lock()
		c.s.ended.add(r.TxID)
		c.s.mu.Unlock()
		return c.ack(r), nil
	case r.Type == TypeConclude:
		return c.ack(r), nil
	case r.Type == TypeCommitPrepared && r.DTID != "":
		return c.done(r, t.CommitPrepared(ctx, r.DTID))
	}
	return c.again(ctx, t, r)
}

// txStep carries out one step; over says that the transaction has ended with it.
func (c *session) txStep(ctx context.Context, x *openTx, r *Request) (v any, over bool, err error) {
	switch r.Type {
	case TypeShardBegin:
		return c.ack(r), false, nil
	case TypeShardQuery:
		v, err = c.query(ctx, x.tx, x, r)
		return v, false, err
	case TypeShardExecute:
		v, err = c.execute(ctx, x.tx, r)
		return v, false, err
	case TypeShardBatch:
		results, err := runWhole(ctx, x.tx, r.Batch)
		if err != nil {
			return nil, false, err
		}
		return c.results(r, results, x.tx.Wrote()), false, nil
	case TypeSnapshot, TypeNewest:
		v, err := c.moment(ctx, x, r)
		return v, false, err
	}
	switch r.Type {
	case TypeShardLock:
		err = x.tx.Lock(ctx)
	case TypeSavepoint:
		err = x.tx.Savepoint(ctx, r.Name)
	case TypeRollbackTo:
		if err = x.tx.RollbackTo(ctx, r.Name); err == nil {
			wrote := x.tx.Wrote()
			return &answer{c: c, r: r, kind: TypeAck, body: func(o *object) { o.bool("wrote", wrote) }}, false, nil
		}
	case TypeRelease:
		err = x.tx.Release(ctx, r.Name)
	case TypeSetSchema:
		err = x.tx.SetSchema(ctx, r.Schema)
	case TypeShardCommit:
		err, over = x.commit(ctx, r.TxID), true
		if err != nil {
			_ = x.tx.Rollback()
		}
	case TypeShardRollback:
		err, over = x.tx.Rollback(), true
	case TypePrepare:
		err = c.prepare(ctx, x, r)
	case TypeCommitPrepared:
		err = x.tx.CommitPrepared(ctx)
		over = err == nil
	case TypeDecide:
		// It stays until CONCLUDE, and may be said again.
		err = x.tx.Decide(ctx, r.DTID, r.Participants)
		x.prepared = x.prepared || err == nil || tablet.CodeOf(err) == tablet.CodeUnknownResult
	case TypeConclude:
		err, over = x.tx.Conclude(ctx, r.DTID), true
	default:
		err = &tablet.Error{Code: tablet.CodeMisuse, Message: fmt.Sprintf("a message of type %s isn't one of a transaction", r.Type)}
	}
	v, err = c.done(r, err)
	return v, over, err
}

// prepare makes the transaction outlive its client, which therefore can't be
// the one who keeps the redo.
func (c *session) prepare(ctx context.Context, x *openTx, r *Request) error {
	if r.Holder == (tablet.Target{}) {
		return &tablet.Error{Code: tablet.CodeUnsupported, Message: "a tablet elsewhere keeps its own redo: PREPARE must name the holder of the decision"}
	}
	if x.dtid == r.DTID && x.prepared {
		return nil // its answer was lost
	}
	_, err := x.tx.Prepare(ctx, r.DTID, r.Holder)
	// What has written nothing needs nobody who decides.
	x.prepared = x.prepared || x.tx.Wrote() && (err == nil || tablet.CodeOf(err) == tablet.CodeUnknownResult)
	if err == nil {
		x.dtid = r.DTID
	}
	return err
}
