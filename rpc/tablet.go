package rpc

import (
	"context"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// Tablet is a tablet of a server, as package tablet's contract has it.
type Tablet struct {
	c      *Client
	target tablet.Target
	caps   tablet.Capabilities
	// remembers is how long the tablet knows what it has answered, at the least.
	remembers time.Duration
	// patience is how long its server waits for the next request of a transaction;
	// 0 when it doesn't say.
	patience time.Duration
}

var _ tablet.Tablet = (*Tablet)(nil)

// Target says which shard this is.
func (t *Tablet) Target() tablet.Target { return t.target }

// Capabilities says what the engine at the far end can do.
func (t *Tablet) Capabilities() tablet.Capabilities { return t.caps }

// Close does nothing: the connection is the client's.
func (t *Tablet) Close() error { return nil }

func (t *Tablet) malformed(err error) error {
	return &tablet.Error{Code: tablet.CodeIO, Target: t.target, Message: "the tablet's answer is malformed: " + err.Error(), Err: err}
}

// do sends a request whose answer says nothing but that it was done.
func (t *Tablet) do(ctx context.Context, r *Request, e effect) error {
	r.Target = t.target
	_, err := t.c.call(ctx, nil, r, e)
	return err
}

// Ping checks that the tablet serves.
func (t *Tablet) Ping(ctx context.Context) error {
	return t.do(ctx, &Request{Type: TypeHealth}, reads)
}

// Query runs a statement that returns rows, in autocommit.
func (t *Tablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return t.query(ctx, &Request{}, q, nil)
}

// Exec runs any other statement, in autocommit.
func (t *Tablet) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	return t.exec(ctx, &Request{}, q, nil)
}

// Batch runs several statements, all or none of them, in one message.
func (t *Tablet) Batch(ctx context.Context, list []tablet.Query) ([]tablet.Result, error) {
	f, err := t.c.call(ctx, nil, &Request{Type: TypeShardBatch, Target: t.target, Batch: list}, t.known())
	if err != nil {
		return nil, err
	}
	var results []tablet.Result
	for _, v := range take[[]any](f, "results") {
		in := &fields{}
		in.m, _ = v.(map[string]any)
		results = append(results, getResult(in))
		f.note(in)
	}
	if f.err != nil {
		return nil, t.malformed(f.err)
	}
	return results, nil
}

func getResult(f *fields) tablet.Result {
	return tablet.Result{
		RowsAffected: take[int64](f, "rowsAffected"),
		LastInsertID: take[int64](f, "lastInsertId"),
		Changed:      f.ints("changed"),
		InsertIDs:    f.ints("insertIds"),
	}
}

func (t *Tablet) exec(ctx context.Context, r *Request, q *tablet.Query, x *Tx) (tablet.Result, error) {
	r.Type, r.SQL, r.Params, r.Count, r.Schema = TypeShardExecute, q.SQL, q.Args, q.Batch, q.Schema
	f, err := x.send(ctx, t, r, t.known())
	if err != nil {
		return tablet.Result{}, err
	}
	res := getResult(f)
	if x != nil {
		x.wrote.CompareAndSwap(false, take[bool](f, "wrote"))
	}
	if f.err != nil {
		return res, t.malformed(f.err)
	}
	return res, nil
}

// effectOf says what a statement with rows can do.
func (t *Tablet) effectOf(sql string) effect {
	if mayWrite(sql) {
		return t.known()
	}
	return reads
}

func (t *Tablet) query(ctx context.Context, r *Request, q *tablet.Query, x *Tx) (tablet.Rows, error) {
	r.Type, r.SQL, r.Params, r.Schema, r.Stream, r.Moment = TypeShardQuery, q.SQL, q.Args, q.Schema, true, q.Moment
	f, err := x.send(ctx, t, r, t.effectOf(q.SQL))
	if err != nil {
		return nil, err
	}
	rows, err := newRows(ctx, t, x.laneOf(), f)
	if x != nil {
		x.wrote.CompareAndSwap(false, take[bool](f, "wrote"))
	}
	if err != nil {
		return nil, err
	}
	rows.writes = x == nil && mayWrite(q.SQL)
	return rows, nil
}

// CommitPrepared commits what is prepared under dtid.
func (t *Tablet) CommitPrepared(ctx context.Context, dtid string) error {
	return t.do(ctx, &Request{Type: TypeCommitPrepared, DTID: dtid}, repeatable)
}

// RollbackPrepared rolls back what is prepared under dtid.
func (t *Tablet) RollbackPrepared(ctx context.Context, dtid string) error {
	return t.do(ctx, &Request{Type: TypeRollbackPrepare, DTID: dtid}, repeatable)
}

// Confirm tells the holder that a participant has committed.
func (t *Tablet) Confirm(ctx context.Context, dtid string, participant tablet.Target) error {
	return t.do(ctx, &Request{Type: TypeConfirm, DTID: dtid, Participant: participant}, repeatable)
}

// Outcome tells what became of a transaction whose holder the tablet is.
func (t *Tablet) Outcome(ctx context.Context, dtid string) (tablet.Outcome, error) {
	f, err := t.c.call(ctx, nil, &Request{Type: TypeOutcome, Target: t.target, DTID: dtid}, repeatable)
	if err != nil {
		return "", err
	}
	out := tablet.Outcome(take[string](f, "outcome"))
	switch out {
	case tablet.Commits, tablet.Aborts, tablet.Undecided:
	default:
		return "", t.malformed(errOutcome)
	}
	return out, nil
}

// Prepared lists what is prepared for a holder elsewhere.
func (t *Tablet) Prepared(ctx context.Context) ([]tablet.InDoubt, error) {
	return list(ctx, t, TypeListPrepared, "prepared", func(f *fields) tablet.InDoubt {
		return tablet.InDoubt{DTID: take[string](f, "dtid"), Holder: f.target("holder"), Since: f.time("since"), Decided: take[bool](f, "decided")}
	})
}

// Decisions lists the decisions that the tablet keeps.
func (t *Tablet) Decisions(ctx context.Context) ([]tablet.Decision, error) {
	return list(ctx, t, TypeListDecisions, "decisions", func(f *fields) tablet.Decision {
		return tablet.Decision{DTID: take[string](f, "dtid"), Participants: f.targets("participants"), Since: f.time("since")}
	})
}

func (f *fields) time(name string) time.Time {
	if ms := take[int64](f, name); ms != 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}

func list[T any](ctx context.Context, t *Tablet, kind Type, name string, get func(*fields) T) ([]T, error) {
	f, err := t.c.call(ctx, nil, &Request{Type: kind, Target: t.target}, reads)
	if err != nil {
		return nil, err
	}
	var out []T
	for _, v := range take[[]any](f, name) {
		in := &fields{}
		in.m, _ = v.(map[string]any)
		out = append(out, get(in))
		f.note(in)
	}
	if f.err != nil {
		return nil, t.malformed(f.err)
	}
	return out, nil
}
