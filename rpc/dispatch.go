package rpc

import (
	"context"
	"fmt"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// answer writes the fields of a RESULT or an ACK.
type answer struct {
	c    *session
	r    *Request
	kind Type
	body func(*object)
}

// MarshalCapnweb writes the answer.
func (a *answer) MarshalCapnweb(e *capnweb.Encoder) error {
	o := &object{e: e}
	e.BeginObject()
	o.int("type", int64(a.kind))
	o.text("id", a.r.ID)
	o.int("timestamp", a.c.s.opts.Now().UnixMilli())
	if a.body != nil {
		a.body(o)
	}
	e.EndObject()
	return o.err
}

func (c *session) ack(r *Request) any { return &answer{c: c, r: r, kind: TypeAck} }

func (c *session) result(r *Request, body func(*object)) any {
	return &answer{c: c, r: r, kind: TypeResult, body: body}
}

// dispatch carries out what needs a tablet.
func (c *session) dispatch(ctx context.Context, r *Request) (any, error) {
	if r.Type == TypeHealth && r.Cursor != "" {
		return c.cursor(ctx, r)
	}
	switch r.Type {
	case TypeShardFetch, TypeShardClose:
		return c.cursor(ctx, r)
	case TypeQuery, TypeExecute, TypeBatch, TypeBegin, TypeCommit, TypeRollback, TypeSchema, TypeVSchema:
		return nil, &tablet.Error{Code: tablet.CodeUnsupported, Message: fmt.Sprintf("%s is a request to a gate, and this is a tablet server; send the shard's own", r.Type)}
	case TypeShardCreate:
		return c.manage(ctx, r, c.s.opts.Create)
	case TypeShardDrop:
		return c.manage(ctx, r, c.s.opts.Drop)
	}
	t, err := c.s.opts.Tablet(ctx, r.Target)
	if err != nil {
		return nil, err
	}
	if r.TxID != "" {
		return c.inTx(ctx, t, r)
	}
	switch r.Type {
	case TypeStatus:
		if err := t.Ping(ctx); err != nil {
			return nil, err
		}
		return c.status(r, t), nil
	case TypeHealth:
		return c.done(r, t.Ping(ctx))
	case TypeShardQuery:
		return c.query(ctx, t, nil, r)
	case TypeShardExecute:
		return c.execute(ctx, t, r)
	case TypeShardBatch:
		return c.batchOf(ctx, t, r)
	case TypeHoldCommits, TypeHoldDecisions, TypeLetGo:
		return c.hold(ctx, t, r)
	}
	return c.resolve(ctx, t, r)
}

// manage carries out what makes or removes a shard.
func (c *session) manage(ctx context.Context, r *Request, do func(context.Context, tablet.Target) error) (any, error) {
	if do == nil {
		return nil, &tablet.Error{Code: tablet.CodeUnsupported, Message: fmt.Sprintf("%s: this server's shards can't be made or removed by its clients", r.Type)}
	}
	c.s.managing.Lock()
	defer c.s.managing.Unlock()
	// One that comes twice must not take away what was made and is used since.
	if c.s.managed.has(r.ID) {
		return c.ack(r), nil
	}
	err := do(ctx, r.Target)
	if err == nil && r.ID != "" {
		c.s.managed.add(r.ID)
	}
	return c.done(r, err)
}

// done is an ACK, if all went well.
func (c *session) done(r *Request, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return c.ack(r), nil
}

func (c *session) status(r *Request, t tablet.Tablet) any {
	caps := t.Capabilities()
	return c.result(r, func(o *object) {
		o.text("keyspace", t.Target().Keyspace)
		o.text("shard", t.Target().Shard)
		o.key("capabilities")
		o.e.BeginObject()
		o.text("dialect", caps.Dialect)
		o.bool("mysqlFunctions", caps.MySQLFunctions)
		o.bool("transactionalDDL", caps.TransactionalDDL)
		o.bool("heldPrepare", caps.HeldPrepare)
		o.bool("concurrentReads", caps.ConcurrentReads)
		o.int("maxParameters", int64(caps.MaxParameters))
		o.int("maxStatement", int64(caps.MaxStatement))
		o.int("maxColumns", int64(caps.MaxColumns))
		o.int("maxTerms", int64(caps.MaxTerms))
		o.int("maxDepth", int64(caps.MaxDepth))
		o.bool("snapshots", caps.Snapshots)
		o.bool("moments", caps.Moments)
		o.bool("losesSnapshots", caps.LosesSnapshots)
		o.bool("boundKeys", caps.BoundKeys)
		o.e.EndObject()
		if m := memoryOf(t); m != nil {
			o.int("remembers", m.Remembers().Milliseconds())
		}
		o.int("patience", c.patience().Milliseconds())
	})
}

func putResult(o *object, res tablet.Result) {
	o.int("rowsAffected", res.RowsAffected)
	o.int("lastInsertId", res.LastInsertID)
	o.ints("changed", res.Changed)
	o.ints("insertIds", res.InsertIDs)
}

func (c *session) execute(ctx context.Context, on tablet.Runner, r *Request) (any, error) {
	q := tablet.Query{SQL: r.SQL, Args: r.Params, Batch: r.Count, Schema: r.Schema}
	var res tablet.Result
	if t, ok := on.(tablet.Tablet); ok && r.ID != "" && memoryOf(t) != nil && firstWord(r.SQL) != "VACUUM" {
		results, err := c.once(ctx, t, r, []tablet.Query{q})
		if err != nil {
			return nil, err
		}
		res = results[0]
	} else {
		var err error
		if res, err = on.Exec(ctx, &q); err != nil {
			return nil, err
		}
	}
	wrote := wroteOf(on)
	return c.result(r, func(o *object) {
		putResult(o, res)
		o.bool("wrote", wrote)
	}), nil
}

func wroteOf(on tablet.Runner) bool {
	x, ok := on.(tablet.Tx)
	return ok && x.Wrote()
}

// batchOf runs several statements, all or none of them.
func (c *session) batchOf(ctx context.Context, t tablet.Tablet, r *Request) (any, error) {
	results, err := c.once(ctx, t, r, r.Batch)
	if err != nil {
		return nil, err
	}
	return c.results(r, results, false), nil
}

func runAll(ctx context.Context, x tablet.Tx, list []tablet.Query) ([]tablet.Result, error) {
	var results []tablet.Result
	for i := range list {
		res, err := x.Exec(ctx, &list[i])
		if err != nil {
			return nil, err
		}
		results = append(results, res)
	}
	return results, nil
}

// runWhole runs statements in a transaction that goes on: all, or none of them.
func runWhole(ctx context.Context, x tablet.Tx, list []tablet.Query) ([]tablet.Result, error) {
	const before = "_vt_batch"
	if err := x.Savepoint(ctx, before); err != nil {
		return nil, err
	}
	results, err := runAll(ctx, x, list)
	if err == nil {
		return results, x.Release(ctx, before)
	}
	undo := context.WithoutCancel(ctx)
	if x.RollbackTo(undo, before) == nil { // else the transaction is over
		_ = x.Release(undo, before)
	}
	return nil, err
}

func (c *session) results(r *Request, list []tablet.Result, wrote bool) any {
	return c.result(r, func(o *object) {
		o.key("results")
		o.e.BeginArray()
		for _, res := range list {
			o.e.BeginObject()
			putResult(o, res)
			o.e.EndObject()
		}
		o.e.EndArray()
		o.bool("wrote", wrote)
	})
}

// resolve carries out what is about distributed transactions by their IDs.
func (c *session) resolve(ctx context.Context, t tablet.Tablet, r *Request) (any, error) {
	switch r.Type {
	case TypeCommitPrepared:
		return c.done(r, t.CommitPrepared(ctx, r.DTID))
	case TypeRollbackPrepare:
		return c.done(r, t.RollbackPrepared(ctx, r.DTID))
	case TypeConfirm:
		return c.done(r, t.Confirm(ctx, r.DTID, r.Participant))
	case TypeOutcome:
		out, err := t.Outcome(ctx, r.DTID)
		if err != nil {
			return nil, err
		}
		return c.result(r, func(o *object) { o.text("outcome", string(out)) }), nil
	case TypeListPrepared:
		list, err := t.Prepared(ctx)
		if err != nil {
			return nil, err
		}
		return c.result(r, func(o *object) {
			putList(o, "prepared", list, func(d tablet.InDoubt) {
				o.text("dtid", d.DTID)
				o.target("holder", d.Holder)
				o.int("since", millis(d.Since))
				o.bool("decided", d.Decided)
			})
		}), nil
	case TypeListDecisions:
		list, err := t.Decisions(ctx)
		if err != nil {
			return nil, err
		}
		return c.result(r, func(o *object) {
			putList(o, "decisions", list, func(d tablet.Decision) {
				o.text("dtid", d.DTID)
				o.targets("participants", d.Participants)
				o.int("since", millis(d.Since))
			})
		}), nil
	}
	return nil, &tablet.Error{Code: tablet.CodeMisuse, Message: fmt.Sprintf("a message of type %s needs a transaction, or isn't known here", r.Type)}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func putList[T any](o *object, name string, list []T, put func(T)) {
	o.key(name)
	o.e.BeginArray()
	for _, x := range list {
		o.e.BeginObject()
		put(x)
		o.e.EndObject()
	}
	o.e.EndArray()
}
