package rpc

import (
	"context"
	"crypto/rand"
	"errors"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

var errOutcome = errors.New("it is no outcome")

// Tx is a transaction on a tablet of a server. It begins there with its first
// statement, and keeps to one session.
type Tx struct {
	t     *Tablet
	l     *lane
	id    string
	opts  tablet.TxOptions
	begun bool
	over  bool
	wrote atomic.Bool   // others of its session ask
	lost  *tablet.Error // it is undone, or its statements are in an unknown state
	dtid  string        // once it is to be prepared, or to decide
	asked bool          // Decide was said, and its answer lost
	kept  *kept         // while it is begun and not over

	moment *tablet.Moment // of its snapshot, as of its taking, if that was told
}

var _ tablet.Tx = (*Tx)(nil)

// Begin starts a transaction. Unless it takes the write lock at once, and not as
// late as may be, that is said with the first statement.
func (t *Tablet) Begin(ctx context.Context, opts tablet.TxOptions) (tablet.Tx, error) {
	x := &Tx{t: t, l: t.c.anyLane(), id: rand.Text(), opts: opts}
	if !opts.Write && !opts.NoForeignKeys || opts.Late {
		if err := ctx.Err(); err != nil {
			return nil, tabletError(ctx, t.target, &unsentError{err}, reads)
		}
		return x, nil
	}
	if err := x.do(ctx, &Request{Type: TypeShardBegin}, inTx); err != nil {
		// The answer may be lost, and the transaction there.
		_ = x.Rollback()
		return nil, err
	}
	return x, nil
}

var errTxOver = &tablet.Error{Code: tablet.CodeMisuse, Message: "the transaction has ended"}

// send sends a request in the transaction, or outside of one if x is nil. What a
// transaction does is undone with it, so that a lost answer means its end.
func (x *Tx) send(ctx context.Context, t *Tablet, r *Request, e effect) (*fields, error) {
	r.Target = t.target
	if x == nil {
		return t.c.call(ctx, nil, r, e)
	}
	e = inTx
	return x.call(ctx, r, e)
}

// laneOf is where the transaction's messages go; nil where there is none.
func (x *Tx) laneOf() *lane {
	if x == nil {
		return nil
	}
	return x.l
}

// ends says whether a message is one of a transaction's last.
func ends(t Type) bool {
	switch t {
	case TypeShardCommit, TypeShardRollback, TypePrepare, TypeCommitPrepared, TypeRollbackPrepare, TypeDecide, TypeConclude:
		return true
	}
	return false
}

// call sends a message of the transaction, which begins it if need be.
func (x *Tx) call(ctx context.Context, r *Request, e effect) (*fields, error) {
	if x.over {
		err := *errTxOver
		err.Target = x.t.target
		return nil, &err
	}
	if x.lost != nil && e == inTx {
		return nil, x.lost
	}
	r.Target, r.TxID = x.t.target, x.id
	// What ends the transaction waits for no lock, and may be said by somebody else
	// than the session, which has gone on since.
	if x.opts.Holds != nil && !ends(r.Type) {
		r.Holds = x.opts.Holds()
	}
	first := !x.begun
	if first {
		x.begun = true
		r.Begin = &x.opts
	}
	send := e
	if e == inTx && !x.t.c.socket && x.t.remembers > 0 {
		send = inTxTwice // no session's end has ended it
	}
	x.kept.use()
	f, err := x.t.c.call(ctx, x.l, r, send)
	if err == nil && first {
		x.kept = x.t.c.keep(x.l, Request{Type: TypeHealth, Target: x.t.target, TxID: x.id}, x.t.patience)
	}
	if err == nil || e != inTx {
		return f, err
	}
	t, _ := errors.AsType[*tablet.Error](err)
	defer func() {
		if x.lost != nil {
			x.t.c.drop(x.kept)
		}
	}()
	switch {
	case t == nil:
	case t.Code == tablet.CodeTxExpired:
		x.lost = t
	case first && neverSent(t):
		x.begun = false
	case neverSent(t) && t.Code == tablet.CodeCanceled: // it came too late: nothing is lost
	case first && notBegun(t):
		x.begun, x.id = false, rand.Text()
	case unanswered(t):
		x.lost = &tablet.Error{Code: tablet.CodeTxExpired, Target: x.t.target, Err: err,
			Message: "the transaction is rolled back, as nobody knows what became of an interrupted statement: " + t.Message}
	}
	return nil, err
}

// unanswered says that an error is the client's own: the tablet has said nothing.
func unanswered(t *tablet.Error) bool {
	_, own := errors.AsType[*noAnswer](t.Err)
	return own
}

// notBegun says that the tablet has failed to begin the transaction, and not at what
// else the request says. Another request may begin it, by another ID.
func notBegun(t *tablet.Error) bool {
	w, ok := errors.AsType[*capnweb.Error](t.Err)
	return ok && w.Props["notBegun"] == true
}

func (x *Tx) do(ctx context.Context, r *Request, e effect) error {
	_, err := x.call(ctx, r, e)
	return err
}

// Target says on which shard it is.
func (x *Tx) Target() tablet.Target { return x.t.target }

// Query runs a statement that returns rows.
func (x *Tx) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return x.t.query(ctx, &Request{}, q, x)
}

// Exec runs any other statement.
func (x *Tx) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	return x.t.exec(ctx, &Request{}, q, x)
}

// Wrote says whether the transaction has changed anything, as far as its answers
// have told.
func (x *Tx) Wrote() bool { return x.wrote.Load() }

// Lock takes the shard's write lock.
func (x *Tx) Lock(ctx context.Context) error { return x.do(ctx, &Request{Type: TypeShardLock}, inTx) }

// Savepoint sets a savepoint.
func (x *Tx) Savepoint(ctx context.Context, name string) error {
	return x.do(ctx, &Request{Type: TypeSavepoint, Name: name}, inTx)
}

// RollbackTo rolls back to a savepoint.
func (x *Tx) RollbackTo(ctx context.Context, name string) error {
	f, err := x.call(ctx, &Request{Type: TypeRollbackTo, Name: name}, inTx)
	if err == nil {
		x.wrote.Store(take[bool](f, "wrote"))
	}
	return err
}

// Release forgets a savepoint.
func (x *Tx) Release(ctx context.Context, name string) error {
	return x.do(ctx, &Request{Type: TypeRelease, Name: name}, inTx)
}

// SetSchema gives the shard's schema a version.
func (x *Tx) SetSchema(ctx context.Context, version uint64) error {
	err := x.do(ctx, &Request{Type: TypeSetSchema, Schema: version}, inTx)
	x.wrote.CompareAndSwap(false, err == nil)
	return err
}

// Commit makes the transaction durable. When nobody knows whether it is, the
// error's code is OUTCOME_UNKNOWN.
func (x *Tx) Commit(ctx context.Context) error {
	if x.lost != nil {
		return x.lost
	}
	if x.over || !x.begun {
		return x.nothing()
	}
	err := x.do(ctx, &Request{Type: TypeShardCommit}, x.t.known())
	x.end()
	return err
}

// end says that nothing more will be asked in it.
func (x *Tx) end() {
	x.over = true
	x.t.c.drop(x.kept)
}

// nothing ends a transaction that wasn't begun.
func (x *Tx) nothing() error {
	if x.over {
		err := *errTxOver
		err.Target = x.t.target
		return &err
	}
	x.end()
	return nil
}

// rollbackTime bounds the wait for a ROLLBACK, which has no context of its own. The
// server carries out one that arrives, however late; one that gets lost is made up for
// by the end of the session, or of the server's patience.
const rollbackTime = 5 * time.Second

// Rollback undoes the transaction.
func (x *Tx) Rollback() error {
	if x.over {
		return nil
	}
	if !x.begun {
		x.end()
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTime)
	defer cancel()
	// With dtid it is found as well when the session that has prepared it is gone.
	err := x.do(ctx, &Request{Type: TypeShardRollback, DTID: x.dtid}, repeatable)
	x.end()
	if code := tablet.CodeOf(err); code == tablet.CodeIO || code == tablet.CodeCanceled {
		return nil // the session's end rolls it back
	}
	return err
}

// Prepare ends the transaction's first phase. holder is needed: a tablet
// elsewhere keeps its own redo, and the one that is returned is empty.
func (x *Tx) Prepare(ctx context.Context, dtid string, holder tablet.Target) (tablet.Redo, error) {
	x.dtid = dtid
	return tablet.Redo{Keyspace: x.t.target.Keyspace, Shard: x.t.target.Shard, Holder: holder},
		x.do(ctx, &Request{Type: TypePrepare, DTID: dtid, Holder: holder}, inTx)
}

// CommitPrepared commits the prepared transaction.
func (x *Tx) CommitPrepared(ctx context.Context) error {
	if x.over {
		return nil
	}
	err := x.do(ctx, &Request{Type: TypeCommitPrepared, DTID: x.dtid}, repeatable)
	if err == nil {
		x.end()
	}
	return err
}

// Decide commits, and makes durable with the commit that dtid commits. It may be
// said again when its answer is lost; then the holder may know the transaction no
// more, but what has become of it.
func (x *Tx) Decide(ctx context.Context, dtid string, participants []tablet.Target) error {
	if x.lost != nil {
		return x.lost
	}
	x.dtid = ""
	err := x.do(ctx, &Request{Type: TypeDecide, DTID: dtid, Participants: participants}, x.t.known())
	if x.asked && tablet.CodeOf(err) == tablet.CodeTxExpired {
		if out, ask := x.t.Outcome(ctx, dtid); ask == nil && out == tablet.Commits {
			return nil
		}
	}
	x.asked = x.asked || tablet.CodeOf(err) == tablet.CodeUnknownResult
	return err
}

// Conclude tells the holder that all participants have committed.
func (x *Tx) Conclude(ctx context.Context, dtid string) error {
	err := x.do(ctx, &Request{Type: TypeConclude, DTID: dtid}, repeatable)
	x.end()
	return err
}
