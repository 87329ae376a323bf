package vitessdo

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
)

// An Observer is told of every statement of the connections that have it, by
// [Config.Observers]: of queries, writes and commands, and of what ends a
// transaction, as COMMIT and ROLLBACK. Connections that nobody observes pay
// nothing for it.
//
// Its methods are called on the goroutine that runs the statement, so by several at
// once. They must not use the connection.
type Observer interface {
	// StatementStart is called before a statement is planned. The context that it
	// gives, made of ctx, governs the statement.
	StatementStart(ctx context.Context, st *Statement) context.Context
	// StatementEnd is called when a statement has failed or is done: a query, when
	// its rows are closed. ctx is what StatementStart gave.
	StatementEnd(ctx context.Context, st *Statement)
}

// A CallObserver is an Observer that is told of each question to a shard when it begins,
// too. Its methods are called on the goroutines that ask, so by several at once for one
// statement, of which only what StatementStart had is set.
type CallObserver interface {
	Observer
	// CallStart is called before a shard is asked. The context that it gives, made of
	// ctx, governs the question: a trace of [WithTrace] goes along with it.
	CallStart(ctx context.Context, st *Statement, call *ShardCall) context.Context
	// CallEnd is called when the question has been answered; that may be after the
	// statement's end, where a decided commit goes on behind its client. ctx is what
	// CallStart gave.
	CallEnd(ctx context.Context, st *Statement, call *ShardCall)
}

// Statement is what an Observer is told of a statement. It is valid until
// StatementEnd returns, but for values that were copied from it.
//
// It never holds arguments. Query and ShardCall.Query are the statements as they
// were written, whose literals may be private; Digest has none.
type Statement struct {
	Query      string
	Keyspace   string // that the session has selected
	Connection uint64 // as CONNECTION_ID() tells it
	// InTransaction says that a transaction was open when the statement began.
	InTransaction bool
	Labels        []Label // of the context
	Start         time.Time

	// The fields below are set when StatementEnd is called.

	Duration time.Duration
	// PlanType is "single_shard", "lookup", "scatter", "scatter_aggregate" or
	// "unsharded", that of the dearest part, and "" for a command or a statement
	// that couldn't be planned.
	PlanType string
	// Scatter: some part, or what the gate has to do beside it, goes to all shards
	// of a keyspace with several, because nothing says where the rows are.
	Scatter bool
	// ScatterAllowed: the statement says /*vt+ ALLOW_SCATTER */.
	ScatterAllowed bool
	// Cached: its plan had been made before.
	Cached bool
	// Rows were handed out by a query, or affected by a write.
	Rows int64
	// Err is an *Error, or nil. Code gives its code.
	Err error
	// Shards are those that were asked, as "keyspace/-80", in order.
	Shards []string
	// Calls are what was asked of them, in the order in which it ended; of more
	// than 512, those that failed or were among the first. Omitted counts the others.
	Calls   []ShardCall
	Omitted int

	session   *session
	observers []Observer
	ctx       context.Context
	prepared  *prepared
	snap      *snapshot // that it was planned with
	vec       []any     // what the plan's statements bind
	asked     map[tablet.Target]struct{}
	ended     bool
	id, text  string // of Digest

	mu sync.Mutex // guards what shards' goroutines add
}

// ShardCall is one question to a shard.
type ShardCall struct {
	Keyspace, Shard string
	// Kind is "query" or "exec"; "prepare", "decide" and "commit" are the steps of
	// a commit.
	Kind  string
	Query string // as the shard got it; "" for a commit's steps
	Start time.Time
	// Duration is the time until the answer was complete or, for a query, until
	// its rows were read or given up.
	Duration time.Duration
	Rows     int64 // returned or affected
	Err      error
}

// maxCalls bounds a statement's Calls.
const maxCalls = 512

// Code is the code of the statement's error, "" without one.
func (st *Statement) Code() Code { return CodeOf(st.Err) }

// Digest gives the statement without its literals and comments, in lower case, and
// a name for all statements that share it: 16 hexadecimal digits.
func (st *Statement) Digest() (id, text string) {
	if st.id == "" {
		st.id, st.text = st.digest()
	}
	return st.id, st.text
}

func (st *Statement) digest() (id, text string) {
	if st.prepared == nil {
		return sqlparse.Digest(st.Query)
	}
	// Statements that share a plan differ in their literals only.
	if d := st.prepared.digest.Load(); d != nil {
		return d[0], d[1]
	}
	id, text = sqlparse.Digest(st.Query)
	st.prepared.digest.Store(&[2]string{id, text})
	return id, text
}

// PlanPart is a row of EXPLAIN FORMAT='vitess'.
type PlanPart struct {
	PlanType, Combine, Keyspace string
	Shards                      string // joined by commas
	Query                       string
}

// Plan gives the plan as EXPLAIN FORMAT='vitess' shows it, nil for a command. It may
// be called until StatementEnd returns.
func (st *Statement) Plan() []PlanPart {
	if st.prepared == nil {
		return nil
	}
	shards := func(keyspace string) *route.ShardMap { return st.snap.shards[st.session.anywhere(keyspace)] }
	list, err := st.prepared.plan.Explain(shards, st.vec)
	if err != nil {
		return nil
	}
	out := make([]PlanPart, len(list))
	for i, r := range list {
		out[i] = PlanPart{string(r.PlanType), r.Text(), r.Keyspace, strings.Join(r.Shards, ","), r.Query}
	}
	return out
}

// Label is a word of the application's about its statements.
type Label struct{ Key, Value string }

type labelsKey struct{}

// WithLabel gives the statements that run under the context a label, which an
// [Observer] is told, and which stands in logs, spans and the slow log. A key that is
// there already gets the new value.
func WithLabel(ctx context.Context, key, value string) context.Context {
	old := Labels(ctx)
	list := make([]Label, 0, len(old)+1)
	for _, l := range old {
		if l.Key != key {
			list = append(list, l)
		}
	}
	return context.WithValue(ctx, labelsKey{}, append(list, Label{key, value}))
}

// Labels are those that WithLabel has put into the context, the oldest first.
func Labels(ctx context.Context) []Label {
	list, _ := ctx.Value(labelsKey{}).([]Label)
	return list
}

// observed says whether somebody listens to the session.
func (s *session) observed(ctx context.Context) bool {
	if s.quiet {
		return false
	}
	return len(s.observers) > 0 || s.cfg.SlowQuery > 0 || s.log != nil && s.log.Enabled(ctx, slog.LevelDebug)
}

// observe begins the observation of a statement; nil when nobody listens. A text of
// several statements isn't one, but each of them is.
func (s *session) observe(ctx context.Context, query string) (context.Context, *Statement) {
	if !s.observed(ctx) {
		s.running = nil
		return ctx, nil
	}
	s.settle() // the statement before ends now
	if s.cfg.MultiStatements && strings.IndexByte(query, ';') >= 0 {
		if parts, err := sqlparse.Split(query, s.modes); err == nil && len(parts) > 1 {
			s.running = nil
			return ctx, nil
		}
	}
	st := &Statement{
		Query: query, Keyspace: s.keyspace, Connection: s.id, InTransaction: s.tx != nil, Labels: Labels(ctx), Start: time.Now(),
		Cached: true, session: s, observers: s.observers,
	}
	s.running = st
	return st.begin(ctx), st
}

func (st *Statement) begin(ctx context.Context) context.Context {
	for _, o := range st.observers {
		ctx = o.StatementStart(ctx, st)
	}
	st.ctx = ctx
	return ctx
}

// observeFailure tells of a statement that couldn't be prepared.
func (s *session) observeFailure(ctx context.Context, query string, err error) {
	if !s.observed(ctx) {
		return
	}
	st := &Statement{Query: query, Keyspace: s.keyspace, Connection: s.id, InTransaction: s.tx != nil, Labels: Labels(ctx), Start: time.Now(), session: s, observers: s.observers}
	st.begin(ctx)
	st.end(0, err)
}

// asks tells who wants to know that a shard is about to be asked.
func (st *Statement) asks(ctx context.Context, at tablet.Target, c *ShardCall) context.Context {
	c.Keyspace, c.Shard, c.Start = at.Keyspace, at.Shard, time.Now()
	for _, o := range st.observers {
		if o, ok := o.(CallObserver); ok {
			ctx = o.CallStart(ctx, st, c)
		}
	}
	return ctx
}

// plans notes with what plan the running statement runs, and with what arguments.
func (s *session) plans(p *prepared, vec []any) {
	if st := s.running; st != nil {
		st.prepared, st.snap, st.vec = p, s.snap, vec
	}
}

// end ends the observation, once. Of rows the number counts that were handed out.
func (st *Statement) end(rows int64, err error) {
	if st == nil || st.ended {
		return
	}
	s := st.session
	st.mu.Lock()
	st.ended = true
	st.mu.Unlock()
	st.Duration, st.Rows = time.Since(st.Start), rows
	if err != nil {
		st.Err = mapError(err)
	}
	for at := range st.asked {
		st.Shards = append(st.Shards, at.Keyspace+"/"+at.Shard)
	}
	slices.Sort(st.Shards)
	if p := st.prepared; p != nil {
		st.PlanType = string(p.plan.Type(st.shardsAsked))
		st.Scatter = st.Scatter || st.snap.scatters(p.plan) != nil
		st.ScatterAllowed = p.directed != nil && p.directed.scatter
	} else {
		st.Cached = false
	}
	if s.running == st {
		s.running = nil
	}
	for _, o := range st.observers {
		o.StatementEnd(st.ctx, st)
	}
	s.logStatement(st)
}

// endWrite is end for what has a result.
func (st *Statement) endWrite(r any, err error) {
	if st != nil {
		res, _ := r.(result)
		st.end(res.rows, err)
	}
}

// shardsAsked counts the shards of a keyspace that were asked.
func (st *Statement) shardsAsked(keyspace string) int {
	n := 0
	for at := range st.asked {
		if at.Keyspace == keyspace {
			n++
		}
	}
	return n
}

// add notes a call that has ended.
func (st *Statement) add(ctx context.Context, c ShardCall, at tablet.Target) {
	c.Duration = time.Since(c.Start)
	for _, o := range st.observers {
		if o, ok := o.(CallObserver); ok {
			o.CallEnd(ctx, st, &c)
		}
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended {
		return // a decided commit goes on behind its client
	}
	if st.asked == nil {
		st.asked = map[tablet.Target]struct{}{}
	}
	st.asked[at] = struct{}{}
	if len(st.Calls) >= maxCalls && c.Err == nil {
		st.Omitted++
		return
	}
	st.Calls = append(st.Calls, c)
}

// scatters gives a fragment that asks all shards of several, nil without one. A
// write that goes to every copy of its rows knows where they are.
func (s *snapshot) scatters(p *route.Plan) (found *route.Fragment) {
	if p.Write != nil && p.Write.Everywhere {
		return nil
	}
	p.Asks(func(f *route.Fragment) {
		if m := s.shards[f.Keyspace]; f.Catalog == nil && f.Dest.Kind == route.DestAll && m != nil && len(m.Names) > 1 {
			found = f
		}
	})
	return found
}

// observeTx observes what ends a transaction through database/sql.
func (t *Tx) observed(text string, f func(context.Context) error) error {
	ctx, st := t.s.observe(cmp.Or(t.ctx, context.Background()), text)
	err := f(ctx)
	st.end(0, err)
	return err
}

// CodeOf gives the code of a statement's or a shard's error, "" for nil.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	}
	return tablet.CodeOf(err)
}

// WithTrace makes what is asked of tablet servers under the context, by its statements,
// part of a trace: W3C's traceparent goes along, and stands in the servers' logs. The
// module otel does it.
func WithTrace(ctx context.Context, traceparent string) context.Context {
	return tablet.WithTrace(ctx, traceparent)
}

// Trace gives the traceparent that WithTrace, or a client of a gate, has set; else "".
func Trace(ctx context.Context) string { return tablet.Trace(ctx) }
