package rpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// sqlStates gives each code its SQLSTATE.
var sqlStates = map[tablet.Code]string{
	tablet.CodeSyntax:        "42000",
	tablet.CodeNoTable:       "42S02",
	tablet.CodeNoColumn:      "42S22",
	tablet.CodeTableExists:   "42S01",
	tablet.CodeUnique:        "23000",
	tablet.CodeNotNull:       "23000",
	tablet.CodeCheck:         "23000",
	tablet.CodeForeignKey:    "23000",
	tablet.CodeDataType:      "HY000",
	tablet.CodeConflict:      "40001",
	tablet.CodeDeadlock:      "40001",
	tablet.CodeLockTimeout:   "HY000",
	tablet.CodeLockNoWait:    "HY000",
	tablet.CodeTxExpired:     "XA106",
	tablet.CodeTxReadOnly:    "25006",
	tablet.CodeCanceled:      "70100",
	tablet.CodeFull:          "HY000",
	tablet.CodeIO:            "HY000",
	tablet.CodeCorrupt:       "HY000",
	tablet.CodeNoMemory:      "HY001",
	tablet.CodeTooBig:        "HY000",
	tablet.CodeClosed:        "08S01",
	tablet.CodeClosing:       "08S01",
	tablet.CodeWrongShard:    "HY000",
	tablet.CodeSchemaChanged: "HY000",
	tablet.CodeOutOfRange:    "22003",
	tablet.CodeValueRange:    "22003",
	tablet.CodeTooLong:       "22001",
	tablet.CodeTruncated:     "01000",
	tablet.CodeBadTime:       "22007",
	tablet.CodeCheckOption:   "HY000",
	tablet.CodeJSONMissing:   "22035",
	tablet.CodeJSONMisfit:    "2203F",
	tablet.CodeDivision:      "22012",
	tablet.CodeTooManyRows:   "42000",
	tablet.CodeDenied:        "42000",
	tablet.CodeOverloaded:    "08004",
	tablet.CodeUnsupported:   "0A000",
	tablet.CodeMisuse:        "HY000",
	tablet.CodeInternal:      "HY000",
	tablet.CodeUnknownResult: "08007",
}

// wireError makes an error for the wire: a message ERROR in the fields of a
// JavaScript Error.
func wireError(id string, err error) *capnweb.Error {
	e, ok := errors.AsType[*tablet.Error](err)
	if !ok {
		code := tablet.CodeInternal
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			code = tablet.CodeCanceled
		}
		e = &tablet.Error{Code: code, Message: err.Error()}
	}
	state := sqlStates[e.Code]
	if state == "" {
		state = "HY000" // a code that a tablet of another make has
	}
	props := map[string]any{"type": int64(TypeError), "code": string(e.Code), "sqlState": state}
	for name, v := range map[string]string{
		"id": id, "keyspace": e.Target.Keyspace, "shard": e.Target.Shard, "table": e.Table, "constraint": e.Constraint,
	} {
		if v != "" {
			props[name] = v
		}
	}
	if len(e.Columns) > 0 {
		props["columns"] = e.Columns
	}
	if e.Schema != 0 {
		props["schemaVersion"] = e.Schema
	}
	if e.Topology != 0 {
		props["topologyVersion"] = e.Topology
	}
	if e.Execution != 0 {
		props["execution"] = int64(e.Execution)
	}
	if e.Retryable() {
		props["retryable"] = true
	}
	return &capnweb.Error{Name: "Error", Message: e.Message, Props: props}
}

// tabletError makes of what a call failed with what a tablet fails with. Where it
// is lost what a request has come to, that depends on what it can do.
func tabletError(ctx context.Context, t tablet.Target, err error, e effect) error {
	if e, ok := errors.AsType[*tablet.Error](err); ok {
		return e
	}
	if x, ok := errors.AsType[*capnweb.Error](err); ok && !lost(err) {
		return fromWire(ctx, t, x)
	}
	if status, ok := errors.AsType[*capnweb.StatusError](err); ok && (status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden) {
		return &tablet.Error{Code: tablet.CodeDenied, Target: t, Message: "the server lets nobody in without a valid token, option auth_token: " + status.Text, Err: err}
	}
	code, text := tablet.CodeIO, "the tablet can't be reached: "+err.Error()
	cause, unsent := ctx.Err(), neverSent(err)
	switch {
	case (e == changes || e == remembered) && !unsent:
		code, text = tablet.CodeUnknownResult, "nobody knows whether the statement was carried out: "+err.Error()
	case cause != nil:
		code, text = tablet.CodeCanceled, "the statement was interrupted: "+cause.Error()
	case (e == inTx || e == inTxTwice) && !unsent:
		code, text = tablet.CodeTxExpired, "the transaction is rolled back, as the tablet can't be reached: "+err.Error()
	}
	if cause != nil {
		err = cause
	}
	return &tablet.Error{Code: code, Target: t, Message: text, Err: &noAnswer{err, unsent}}
}

// noAnswer is in the chain of errors that the tablet hasn't told.
type noAnswer struct {
	err    error
	unsent bool // it wasn't asked either
}

func (e *noAnswer) Error() string { return e.err.Error() }
func (e *noAnswer) Unwrap() error { return e.err }

// lost says that the session has ended, for whatever reason.
func lost(err error) bool {
	var a *capnweb.AbortError
	var l *capnweb.LostError
	return errors.As(err, &a) || errors.As(err, &l)
}

func fromWire(ctx context.Context, t tablet.Target, x *capnweb.Error) error {
	f := &fields{m: x.Props}
	e := &tablet.Error{
		Code:       tablet.Code(take[string](f, "code")),
		Target:     tablet.Target{Keyspace: take[string](f, "keyspace"), Shard: take[string](f, "shard")},
		Message:    x.Message,
		Table:      take[string](f, "table"),
		Constraint: take[string](f, "constraint"),
		Execution:  int(take[int64](f, "execution")),
		Schema:     f.unsigned("schemaVersion"),
		Topology:   f.unsigned("topologyVersion"),
		Err:        x,
	}
	for _, c := range take[[]any](f, "columns") {
		e.Columns = append(e.Columns, fmt.Sprint(c))
	}
	if e.Code == "" {
		e.Code = tablet.CodeInternal
	}
	if e.Target == (tablet.Target{}) {
		e.Target = t
	}
	if e.Code == tablet.CodeCanceled {
		// The far end knows the deadline, and its clock may be the faster one.
		if d, ok := ctx.Deadline(); ok && time.Until(d) < time.Second {
			<-ctx.Done()
		}
		if cause := ctx.Err(); cause != nil {
			e.Err = cause
		}
	}
	return e
}
