package rpc

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// Type says what a message is. The numbers are the protocol's.
type Type uint8

// The requests of a gate's clients.
const (
	TypeQuery    Type = 0x01
	TypeExecute  Type = 0x02
	TypeBatch    Type = 0x03
	TypeBegin    Type = 0x10
	TypeCommit   Type = 0x11
	TypeRollback Type = 0x12
	TypeStatus   Type = 0x20 // of a shard too: who it is and what it can do
	TypeHealth   Type = 0x21 // of a shard too
	TypeSchema   Type = 0x22
	TypeVSchema  Type = 0x23
	TypeCancel   Type = 0x24 // interrupts the request that ref names
)

// The requests of a gate to a shard.
const (
	TypeShardQuery      Type = 0x30
	TypeShardExecute    Type = 0x31
	TypeShardBatch      Type = 0x32
	TypeShardFetch      Type = 0x33 // the next rows of a cursor
	TypeShardClose      Type = 0x34 // ends a cursor
	TypeShardBegin      Type = 0x40
	TypeShardCommit     Type = 0x41
	TypeShardRollback   Type = 0x42
	TypeShardLock       Type = 0x43
	TypeSavepoint       Type = 0x44
	TypeRollbackTo      Type = 0x45
	TypeRelease         Type = 0x46
	TypeSetSchema       Type = 0x47
	TypeSnapshot        Type = 0x48 // takes a transaction's snapshot
	TypeNewest          Type = 0x49 // whether it is still the newest
	TypeHoldCommits     Type = 0x4a
	TypeHoldDecisions   Type = 0x4b
	TypeLetGo           Type = 0x4c // ends the hold that the request ref began
	TypePrepare         Type = 0x50
	TypeCommitPrepared  Type = 0x51 // of the transaction txId, or of whatever is prepared as dtid
	TypeRollbackPrepare Type = 0x52
	TypeListPrepared    Type = 0x53
	TypeDecide          Type = 0x54
	TypeConclude        Type = 0x55
	TypeOutcome         Type = 0x56
	TypeListDecisions   Type = 0x57
	TypeConfirm         Type = 0x58
	TypeShardCreate     Type = 0x60 // makes the shard's empty database
	TypeShardDrop       Type = 0x61 // removes the shard's database
)

// The answers.
const (
	TypeResult Type = 0x80
	TypeError  Type = 0x81
	TypeAck    Type = 0x82
)

var typeNames = map[Type]string{
	TypeQuery: "QUERY", TypeExecute: "EXECUTE", TypeBatch: "BATCH", TypeBegin: "BEGIN", TypeCommit: "COMMIT", TypeRollback: "ROLLBACK",
	TypeStatus: "STATUS", TypeHealth: "HEALTH", TypeSchema: "SCHEMA", TypeVSchema: "VSCHEMA", TypeCancel: "CANCEL",
	TypeShardQuery: "SHARD_QUERY", TypeShardExecute: "SHARD_EXECUTE", TypeShardBatch: "SHARD_BATCH", TypeShardFetch: "SHARD_FETCH",
	TypeShardClose: "SHARD_CLOSE", TypeShardBegin: "SHARD_BEGIN", TypeShardCommit: "SHARD_COMMIT", TypeShardRollback: "SHARD_ROLLBACK",
	TypeShardLock: "SHARD_LOCK", TypeSavepoint: "SAVEPOINT", TypeRollbackTo: "ROLLBACK_TO", TypeRelease: "RELEASE", TypeSetSchema: "SET_SCHEMA",
	TypeSnapshot: "SNAPSHOT", TypeNewest: "NEWEST", TypeHoldCommits: "HOLD_COMMITS", TypeHoldDecisions: "HOLD_DECISIONS", TypeLetGo: "LET_GO",
	TypePrepare: "PREPARE", TypeCommitPrepared: "COMMIT_PREPARED", TypeRollbackPrepare: "ROLLBACK_PREPARED", TypeListPrepared: "LIST_PREPARED",
	TypeDecide: "DECIDE", TypeConclude: "CONCLUDE", TypeOutcome: "OUTCOME", TypeListDecisions: "LIST_DECISIONS", TypeConfirm: "CONFIRM",
	TypeShardCreate: "SHARD_CREATE", TypeShardDrop: "SHARD_DROP",
	TypeResult: "RESULT", TypeError: "ERROR", TypeAck: "ACK",
}

// String gives the protocol's name.
func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("0x%02x", uint8(t))
}

// Request is what is asked of a shard, or of a gate. Each type uses some of the fields; the
// others are left out on the wire.
type Request struct {
	Type      Type
	ID        string // the client's own, unique
	Timestamp int64  // of sending, in milliseconds since 1970
	Timeout   int64  // milliseconds until nobody waits any more; 0 is never
	Trace     string // W3C's traceparent; "" without one
	Target    tablet.Target
	// Topology is the version of the topology by which the client has chosen the
	// shard; 0 isn't said.
	Topology uint64
	// TxID names the transaction that the request belongs to. The client makes
	// it up, so that nobody can guess it.
	TxID string
	// Begin starts the transaction TxID first: BEGIN rides with the first
	// statement.
	Begin *tablet.TxOptions
	// Holds says that the client's session holds another shard's write lock; see
	// tablet.TxOptions.
	Holds bool
	// LockWait bounds the request's waits for write locks, in the place of what its
	// transaction and the tablet say; 0 leaves that to them, and below zero nothing
	// is waited for.
	LockWait time.Duration

	SQL    string
	Params []tablet.Value
	// Schema is the version that the statement was planned with, or that
	// SET_SCHEMA gives.
	Schema uint64
	Count  int            // executions of a SHARD_EXECUTE that share SQL; 0 is one
	Batch  []tablet.Query // of SHARD_BATCH
	Stream bool           // rows that don't fit into the answer may come as a stream
	Moment bool           // the answer to a SHARD_QUERY is to tell when the shard was so
	// Isolation is the level that a gate's BEGIN asks for; "" is the session's.
	Isolation string
	// Dialect is the language of the statements that a gate is sent; "" is its own.
	Dialect string

	Cursor       string // of SHARD_FETCH and SHARD_CLOSE
	Ref          string // of CANCEL and LET_GO: another request's ID
	Name         string // a savepoint's
	DTID         string
	Holder       tablet.Target
	Participants []tablet.Target
	Participant  tablet.Target
}

// Within gives the context in which the request is carried out: ctx, for as long as
// somebody waits for the answer.
func (r *Request) Within(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.Timeout > 0 {
		return context.WithTimeout(ctx, time.Duration(r.Timeout)*time.Millisecond)
	}
	return context.WithCancel(ctx)
}

// object writes the fields of an object that aren't empty.
type object struct {
	e   *capnweb.Encoder
	err error
}

func (o *object) key(name string) { o.check(o.e.Key(name)) }

func (o *object) check(err error) {
	if o.err == nil {
		o.err = err
	}
}

func (o *object) text(name, v string) {
	if v != "" {
		o.key(name)
		o.check(o.e.String(v))
	}
}

func (o *object) int(name string, v int64) {
	if v != 0 {
		o.key(name)
		o.e.Int(v)
	}
}

func (o *object) unsigned(name string, v uint64) {
	if v != 0 {
		o.key(name)
		o.check(o.e.Value(v))
	}
}

func (o *object) bool(name string, v bool) {
	if v {
		o.key(name)
		o.e.Bool(v)
	}
}

func (o *object) values(name string, list []tablet.Value) {
	if len(list) == 0 {
		return
	}
	o.key(name)
	o.check(putValues(o.e, list))
}

func (o *object) ints(name string, list []int64) {
	if list == nil {
		return
	}
	o.key(name)
	o.e.BeginArray()
	for _, i := range list {
		o.e.Int(i)
	}
	o.e.EndArray()
}

func (o *object) target(name string, t tablet.Target) {
	if t != (tablet.Target{}) {
		o.key(name)
		o.check(putTarget(o.e, t))
	}
}

func (o *object) moment(name string, m tablet.Moment) {
	o.key(name)
	o.e.BeginObject()
	o.text("clock", m.Clock)
	o.int("since", m.Since)
	o.int("until", m.Until)
	o.e.EndObject()
}

func (o *object) targets(name string, list []tablet.Target) {
	if list == nil {
		return
	}
	o.key(name)
	o.e.BeginArray()
	for _, t := range list {
		o.check(putTarget(o.e, t))
	}
	o.e.EndArray()
}

func putTarget(e *capnweb.Encoder, t tablet.Target) error {
	o := object{e: e}
	e.BeginObject()
	o.text("keyspace", t.Keyspace)
	o.text("shard", t.Shard)
	e.EndObject()
	return o.err
}

// MarshalCapnweb writes the request.
func (r *Request) MarshalCapnweb(e *capnweb.Encoder) error {
	o := object{e: e}
	e.BeginObject()
	o.int("type", int64(r.Type))
	o.text("id", r.ID)
	o.int("timestamp", r.Timestamp)
	o.int("timeout", r.Timeout)
	o.text("trace", r.Trace)
	o.text("keyspace", r.Target.Keyspace)
	o.text("shard", r.Target.Shard)
	o.unsigned("topologyVersion", r.Topology)
	o.text("txId", r.TxID)
	if b := r.Begin; b != nil {
		o.key("begin")
		e.BeginObject()
		o.bool("readOnly", b.ReadOnly)
		o.bool("write", b.Write)
		o.unsigned("waiter", b.ID)
		o.unsigned("age", b.Age)
		o.bool("noForeignKeys", b.NoForeignKeys)
		o.int("lockWait", waitMillis(b.LockWait))
		e.EndObject()
	}
	o.bool("holds", r.Holds)
	o.int("lockWait", waitMillis(r.LockWait))
	o.text("sql", r.SQL)
	o.values("params", r.Params)
	o.unsigned("schemaVersion", r.Schema)
	o.int("count", int64(r.Count))
	if r.Batch != nil {
		o.key("statements")
		e.BeginArray()
		for _, q := range r.Batch {
			e.BeginObject()
			o.text("sql", q.SQL)
			o.values("params", q.Args)
			o.unsigned("schemaVersion", q.Schema)
			e.EndObject()
		}
		e.EndArray()
	}
	o.bool("stream", r.Stream)
	o.bool("moment", r.Moment)
	o.text("isolation", r.Isolation)
	o.text("dialect", r.Dialect)
	o.text("cursor", r.Cursor)
	o.text("ref", r.Ref)
	o.text("name", r.Name)
	o.text("dtid", r.DTID)
	o.target("holder", r.Holder)
	o.targets("participants", r.Participants)
	o.target("participant", r.Participant)
	e.EndObject()
	return o.err
}

// waitMillis rounds up, so that a short wait isn't none.
func waitMillis(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// fields reads an object. The first field of a wrong type is in err.
type fields struct {
	m   map[string]any
	err error
}

func take[T any](f *fields, name string) T {
	var zero T
	v, given := f.m[name]
	if !given || v == nil || v == any(capnweb.Undefined) {
		return zero
	}
	x, ok := v.(T)
	if !ok && f.err == nil {
		f.err = fmt.Errorf("field %q of a message is a %T; it must be a %T", name, v, zero)
	}
	return x
}

func (f *fields) target(name string) tablet.Target {
	in := &fields{m: take[map[string]any](f, name)}
	t := tablet.Target{Keyspace: take[string](in, "keyspace"), Shard: take[string](in, "shard")}
	f.note(in)
	return t
}

func (f *fields) note(in *fields) {
	if f.err == nil {
		f.err = in.err
	}
}

func (f *fields) targets(name string) []tablet.Target {
	var list []tablet.Target
	for _, v := range take[[]any](f, name) {
		m, _ := v.(map[string]any)
		in := &fields{m: map[string]any{"target": m}}
		list = append(list, in.target("target"))
		f.note(in)
	}
	return list
}

func (f *fields) values(name string) []tablet.Value {
	list := take[[]any](f, name)
	for i, v := range list {
		x, err := getValue(v)
		if err != nil && f.err == nil {
			f.err = fmt.Errorf("%q, number %d: %w", name, i+1, err)
		}
		list[i] = x
	}
	return list
}

func (f *fields) ints(name string) []int64 {
	list := take[[]any](f, name)
	if list == nil {
		return nil
	}
	out := make([]int64, len(list))
	for i, v := range list {
		n, ok := v.(int64)
		if !ok && f.err == nil {
			f.err = fmt.Errorf("%q, number %d, is a %T; it must be an integer", name, i+1, v)
		}
		out[i] = n
	}
	return out
}

// unsigned reads an integer of up to 64 bits without sign.
func (f *fields) unsigned(name string) uint64 {
	if b, ok := f.m[name].(*big.Int); ok && b.IsUint64() {
		return b.Uint64()
	}
	return uint64(take[int64](f, name))
}

// wait reads what waitMillis has made.
func (f *fields) wait(name string) time.Duration {
	ms := take[int64](f, name)
	if ms < 0 {
		return tablet.NoWait
	}
	return time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// ReadRequest makes a Request of what came over the wire.
func ReadRequest(v any) (*Request, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a message is a %T; it must be an object", v)
	}
	f := &fields{m: m}
	r := &Request{
		Type:         Type(take[int64](f, "type")),
		ID:           take[string](f, "id"),
		Timestamp:    take[int64](f, "timestamp"),
		Timeout:      take[int64](f, "timeout"),
		Trace:        take[string](f, "trace"),
		Target:       tablet.Target{Keyspace: take[string](f, "keyspace"), Shard: take[string](f, "shard")},
		Topology:     f.unsigned("topologyVersion"),
		TxID:         take[string](f, "txId"),
		Holds:        take[bool](f, "holds"),
		LockWait:     f.wait("lockWait"),
		SQL:          take[string](f, "sql"),
		Params:       f.values("params"),
		Schema:       f.unsigned("schemaVersion"),
		Count:        int(take[int64](f, "count")),
		Stream:       take[bool](f, "stream"),
		Moment:       take[bool](f, "moment"),
		Isolation:    take[string](f, "isolation"),
		Dialect:      take[string](f, "dialect"),
		Cursor:       take[string](f, "cursor"),
		Ref:          take[string](f, "ref"),
		Name:         take[string](f, "name"),
		DTID:         take[string](f, "dtid"),
		Holder:       f.target("holder"),
		Participants: f.targets("participants"),
		Participant:  f.target("participant"),
	}
	if m["begin"] != nil {
		b := &fields{m: take[map[string]any](f, "begin")}
		r.Begin = &tablet.TxOptions{
			ReadOnly:      take[bool](b, "readOnly"),
			Write:         take[bool](b, "write"),
			ID:            b.unsigned("waiter"),
			Age:           b.unsigned("age"),
			NoForeignKeys: take[bool](b, "noForeignKeys"),
			LockWait:      b.wait("lockWait"),
		}
		f.note(b)
	}
	for _, v := range take[[]any](f, "statements") {
		s := &fields{}
		s.m, _ = v.(map[string]any)
		r.Batch = append(r.Batch, tablet.Query{SQL: take[string](s, "sql"), Args: s.values("params"), Schema: s.unsigned("schemaVersion")})
		f.note(s)
	}
	return r, f.err
}
