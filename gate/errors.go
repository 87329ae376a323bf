package gate

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// numbersOf gives MySQL's number and state of the gate's own errors.
var numbersOf = map[vitessdo.Code]struct {
	number uint16
	state  string
}{
	vitessdo.CodeMisuse:      {1105, "HY000"},
	vitessdo.CodeInternal:    {1105, "HY000"},
	vitessdo.CodeUnsupported: {1235, "42000"},
	vitessdo.CodeClosed:      {1053, "08S01"},
	vitessdo.CodeClosing:     {1053, "08S01"},
	vitessdo.CodeTxExpired:   {1613, "XA106"},
	vitessdo.CodeTxState:     {1568, "25001"},
	vitessdo.CodeLimit:       {1104, "42000"},
	vitessdo.CodeTooBig:      {1301, "HY000"},
	vitessdo.CodeCanceled:    {1317, "70100"},
}

// gateError makes an error of the gate's own.
func gateError(code vitessdo.Code, format string, args ...any) error {
	n := numbersOf[code]
	return &vitessdo.Error{Code: code, Number: n.number, SQLState: n.state, Message: fmt.Sprintf(format, args...), Position: -1}
}

var errClosing = gateError(vitessdo.CodeClosing, "the gate is closing")

// wireError makes an error for the wire: a message ERROR in the fields of a
// JavaScript Error.
func wireError(id string, err error) *capnweb.Error {
	e, ok := errors.AsType[*vitessdo.Error](err)
	if !ok {
		code := vitessdo.CodeInternal
		switch {
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			code = vitessdo.CodeCanceled
		case errors.Is(err, driver.ErrBadConn):
			code = vitessdo.CodeClosed
		}
		e, _ = errors.AsType[*vitessdo.Error](gateError(code, "%v", err))
	}
	props := map[string]any{"type": int64(rpc.TypeError), "code": string(e.Code), "sqlState": e.SQLState, "errno": int64(e.Number)}
	for name, v := range map[string]string{
		"id": id, "keyspace": e.Keyspace, "shard": e.Shard, "table": e.Table, "constraint": e.Constraint, "dtid": e.DTID,
	} {
		if v != "" {
			props[name] = v
		}
	}
	if len(e.Columns) > 0 {
		props["columns"] = e.Columns
	}
	if e.Line > 0 {
		props["line"], props["column"] = int64(e.Line), int64(e.Column)
	}
	if e.Retryable() {
		props["retryable"] = true
	}
	if b, ok := errors.AsType[*inBatch](err); ok {
		props["statement"] = int64(b.at)
	}
	return &capnweb.Error{Name: "Error", Message: e.Message, Props: props}
}
