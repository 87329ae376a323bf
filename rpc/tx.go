package rpc

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

var errOutcome = errors.New("it is no outcome")

// Tx is a transaction on a tablet of a server. It begins there with its first
// statement.
type Tx struct {
	t     *Tablet
	id    string
	opts  tablet.TxOptions
	begun bool
	over  bool
	wrote bool
}

var _ tablet.Tx = (*Tx)(nil)

// Begin starts a transaction. Unless it takes the write lock at once, that is
// said with the first statement.
func (t *Tablet) Begin(ctx context.Context, opts tablet.TxOptions) (tablet.Tx, error) {
	x := &Tx{t: t, id: rand.Text(), opts: opts}
	if !opts.Write && !opts.NoForeignKeys {
		if err := ctx.Err(); err != nil {
			return nil, tabletError(ctx, t.target, err, false)
		}
		return x, nil
	}
	if err := x.do(ctx, &Request{Type: TypeShardBegin}, false); err != nil {
		// The answer may be lost, and the transaction there.
		_ = x.Rollback()
		return nil, err
	}
	return x, nil
}

var errTxOver = &tablet.Error{Code: tablet.CodeMisuse, Message: "the transaction has ended"}

// request prepares a message of the transaction, which begins it if need be.
func (x *Tx) request(r *Request) (*Request, error) {
	if x.over {
		e := *errTxOver
		e.Target = x.t.target
		return nil, &e
	}
	r.Target, r.TxID = x.t.target, x.id
	if x.opts.Holds != nil {
		r.Holds = x.opts.Holds()
	}
	if !x.begun {
		x.begun = true
		r.Begin = &x.opts
	}
	return r, nil
}

func (x *Tx) do(ctx context.Context, r *Request, changes bool) error {
	r, err := x.request(r)
	if err != nil {
		return err
	}
	return x.t.do(ctx, r, changes)
}

// Target says on which shard it is.
func (x *Tx) Target() tablet.Target { return x.t.target }

// Query runs a statement that returns rows.
func (x *Tx) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	r, err := x.request(&Request{})
	if err != nil {
		return nil, err
	}
	return x.t.query(ctx, r, q, x)
}

// Exec runs any other statement.
func (x *Tx) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	r, err := x.request(&Request{})
	if err != nil {
		return tablet.Result{}, err
	}
	return x.t.exec(ctx, r, q, x)
}

// Wrote says whether the transaction has changed anything, as far as its answers
// have told.
func (x *Tx) Wrote() bool { return x.wrote }

// Lock takes the shard's write lock.
func (x *Tx) Lock(ctx context.Context) error { return x.do(ctx, &Request{Type: TypeShardLock}, false) }

// Savepoint sets a savepoint.
func (x *Tx) Savepoint(ctx context.Context, name string) error {
	return x.do(ctx, &Request{Type: TypeSavepoint, Name: name}, false)
}

// RollbackTo rolls back to a savepoint.
func (x *Tx) RollbackTo(ctx context.Context, name string) error {
	return x.do(ctx, &Request{Type: TypeRollbackTo, Name: name}, false)
}

// Release forgets a savepoint.
func (x *Tx) Release(ctx context.Context, name string) error {
	return x.do(ctx, &Request{Type: TypeRelease, Name: name}, false)
}

// SetSchema gives the shard's schema a version.
func (x *Tx) SetSchema(ctx context.Context, version uint64) error {
	return x.do(ctx, &Request{Type: TypeSetSchema, Schema: version}, false)
}

// Commit makes the transaction durable. When nobody knows whether it is, the
// error's code is OUTCOME_UNKNOWN.
func (x *Tx) Commit(ctx context.Context) error {
	if x.over || !x.begun {
		err := x.nothing()
		x.over = true
		return err
	}
	err := x.do(ctx, &Request{Type: TypeShardCommit}, true)
	x.over = true
	return err
}

// nothing is what there is to do when nothing was begun.
func (x *Tx) nothing() error {
	_, err := (&Tx{t: x.t, over: x.over, begun: true}).request(&Request{})
	return err
}

// rollbackTime bounds a ROLLBACK, which has no context of its own. One that gets
// lost is made up for by the end of the session, or of the server's patience.
const rollbackTime = 5 * time.Second

// Rollback undoes the transaction.
func (x *Tx) Rollback() error {
	if x.over {
		return nil
	}
	if !x.begun {
		x.over = true
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTime)
	defer cancel()
	err := x.do(ctx, &Request{Type: TypeShardRollback}, false)
	x.over = true
	if tablet.CodeOf(err) == tablet.CodeIO {
		return nil // the session's end rolls it back
	}
	return err
}

// Prepare ends the transaction's first phase. holder is needed: a tablet
// elsewhere keeps its own redo, and the one that is returned is empty.
func (x *Tx) Prepare(ctx context.Context, dtid string, holder tablet.Target) (tablet.Redo, error) {
	return tablet.Redo{Keyspace: x.t.target.Keyspace, Shard: x.t.target.Shard, Holder: holder},
		x.do(ctx, &Request{Type: TypePrepare, DTID: dtid, Holder: holder}, true)
}

// CommitPrepared commits the prepared transaction.
func (x *Tx) CommitPrepared(ctx context.Context) error {
	err := x.do(ctx, &Request{Type: TypeCommitPrepared}, true)
	if err == nil {
		x.over = true
	}
	return err
}

// Decide commits, and makes durable with the commit that dtid commits.
func (x *Tx) Decide(ctx context.Context, dtid string, participants []tablet.Target) error {
	return x.do(ctx, &Request{Type: TypeDecide, DTID: dtid, Participants: participants}, true)
}

// Conclude tells the holder that all participants have committed.
func (x *Tx) Conclude(ctx context.Context, dtid string) error {
	err := x.do(ctx, &Request{Type: TypeConclude, DTID: dtid}, false)
	x.over = true
	return err
}
