package gate

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"strings"

	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/rpc"
)

// openTx is a transaction that a client names by its txId.
type openTx struct {
	s    *session // that has begun it
	id   string
	conn *vitessdo.Conn
	tx   driver.Tx
	turn *rpc.Turn

	open map[*cursor]struct{} // what is read of its results; guarded by turn

	idle *time.Timer // ends it when nothing is heard of it
}

var errTxGone = gateError(vitessdo.CodeTxExpired, "the transaction isn't known: it has ended, or the gate has ended it")

// abandon rolls back a transaction that nobody will end any more.
func (x *openTx) abandon() {
	if x.turn.Take(context.Background()) != nil {
		return
	}
	defer x.turn.Pass()
	_ = x.tx.Rollback()
	x.end()
}

// end forgets the transaction and frees its session. The caller has the turn.
func (x *openTx) end() {
	x.turn.End()
	x.idle.Stop()
	for k := range x.open {
		_ = k.Finish()
	}
	g := x.s.g
	g.mu.Lock()
	delete(g.txs, x.id)
	g.busy--
	g.settled()
	g.mu.Unlock()
	x.s.mu.Lock()
	delete(x.s.txs, x.id)
	x.s.mu.Unlock()
	x.s.give(x.conn)
}

var isolationLevels = map[string]bool{"READ-UNCOMMITTED": true, "READ-COMMITTED": true, "REPEATABLE-READ": true, "SERIALIZABLE": true, "SNAPSHOT": true}

// begin carries out BEGIN.
func (s *session) begin(ctx context.Context, r *rpc.Request) (any, error) {
	level := strings.ToUpper(r.Isolation)
	if level != "" && !isolationLevels[level] {
		return nil, gateError(vitessdo.CodeMisuse, "isolation %q isn't READ-UNCOMMITTED, READ-COMMITTED, REPEATABLE-READ, SNAPSHOT or SERIALIZABLE", r.Isolation)
	}
	c, err := s.take(ctx, r)
	if err != nil {
		return nil, err
	}
	if level != "" {
		if _, err := c.Run(ctx, "SET TRANSACTION ISOLATION LEVEL "+strings.ReplaceAll(level, "-", " "), nil); err != nil {
			s.give(c)
			return nil, err
		}
	}
	tx, err := c.BeginTx(ctx, driver.TxOptions{ReadOnly: r.Begin != nil && r.Begin.ReadOnly})
	if err != nil {
		s.give(c)
		return nil, err
	}
	x := &openTx{s: s, id: rand.Text(), conn: c, tx: tx, turn: rpc.NewTurn(errTxGone), open: map[*cursor]struct{}{}}
	if err := s.enlist(x); err != nil {
		_ = tx.Rollback()
		s.give(c)
		return nil, err
	}
	return s.result(r, map[string]any{"txId": x.id}), nil
}

// enlist makes the transaction one that later requests find.
func (s *session) enlist(x *openTx) error {
	g := s.g
	x.idle = time.AfterFunc(g.opts.Idle, x.abandon)
	g.mu.Lock()
	err := g.room()
	if err == nil {
		g.txs[x.id] = x
		g.busy++
	}
	g.mu.Unlock()
	if err != nil {
		x.idle.Stop()
		return err
	}
	x.turn.Pass()
	if s.batch {
		return nil
	}
	s.mu.Lock()
	gone := s.txs == nil
	if !gone {
		s.txs[x.id] = x
	}
	s.mu.Unlock()
	if gone {
		x.abandon()
	}
	return nil
}

// inTx runs f in the transaction that the request names. A statement that ends
// the transaction, as COMMIT or CREATE TABLE, ends it here too.
func (s *session) inTx(ctx context.Context, r *rpc.Request, f func(*openTx) (any, error)) (any, error) {
	x, err := s.find(ctx, r)
	if err != nil {
		return nil, err
	}
	defer x.turn.Pass()
	x.idle.Reset(s.g.opts.Idle)
	if err := use(ctx, x.conn, r); err != nil {
		return nil, err
	}
	v, err := f(x)
	if !x.conn.Status().InTransaction {
		x.end()
	}
	return v, err
}

// find gives the transaction that the request names, with its turn.
func (s *session) find(ctx context.Context, r *rpc.Request) (*openTx, error) {
	s.g.mu.Lock()
	x := s.g.txs[r.TxID]
	s.g.mu.Unlock()
	if x == nil || x.s.grant != s.grant {
		return nil, errTxGone
	}
	return x, x.turn.Take(ctx)
}

// end carries out COMMIT and ROLLBACK. A transaction that isn't known any more
// is rolled back already.
func (s *session) end(ctx context.Context, r *rpc.Request) (any, error) {
	x, err := s.find(ctx, r)
	if err == errTxGone && r.Type == rpc.TypeRollback {
		return s.ack(r), nil
	}
	if err != nil {
		return nil, err
	}
	defer x.turn.Pass()
	defer x.end()
	if r.Type == rpc.TypeCommit {
		err = x.tx.Commit()
	} else {
		err = x.tx.Rollback()
	}
	if err != nil {
		return nil, err
	}
	return s.ack(r), nil
}
