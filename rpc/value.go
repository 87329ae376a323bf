package rpc

import (
	"fmt"
	"unicode/utf8"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// The types of SQL are told apart on the wire so:
//
//	NULL      null
//	INTEGER   a number without a fraction, or a bigint
//	REAL      a number with a fraction or an exponent; {"real": n} from peers that
//	          can't write 5.0; inf, -inf and nan
//	TEXT      a string; {"text": bytes} when it isn't valid UTF-8
//	BLOB      bytes

func putValue(e *capnweb.Encoder, v tablet.Value) error {
	switch x := v.(type) {
	case nil:
		e.Null()
	case int64:
		e.Int(x)
	case float64:
		e.Float(x)
	case bool: // of a gate's rows: tablets have none
		e.Bool(x)
	case string:
		if utf8.ValidString(x) {
			return e.String(x)
		}
		e.BeginObject()
		if err := e.Key("text"); err != nil {
			return err
		}
		e.Bytes([]byte(x))
		e.EndObject()
	case []byte:
		if x == nil { // as an engine takes it
			e.Null()
			return nil
		}
		e.Bytes(x)
	default:
		return &tablet.Error{Code: tablet.CodeMisuse, Message: fmt.Sprintf("a %T is no SQL value", v)}
	}
	return nil
}

func putValues(e *capnweb.Encoder, list []tablet.Value) error {
	e.BeginArray()
	for _, v := range list {
		if err := putValue(e, v); err != nil {
			return err
		}
	}
	e.EndArray()
	return nil
}

func getValue(v any) (tablet.Value, error) {
	switch x := v.(type) {
	case nil, int64, float64, string, []byte:
		return v, nil
	case bool:
		if x {
			return int64(1), nil
		}
		return int64(0), nil
	case map[string]any:
		if b, ok := x["text"].([]byte); ok && len(x) == 1 {
			return string(b), nil
		}
		if f, ok := x["real"]; ok && len(x) == 1 {
			switch f := f.(type) {
			case int64:
				return float64(f), nil
			case float64:
				return f, nil
			}
		}
	}
	return nil, fmt.Errorf("a %T is no SQL value", v)
}

// RowWriter writes rows as an array of arrays, with the protocol's values.
type RowWriter struct {
	e    *capnweb.Encoder
	rows int
}

// NewRowWriter begins a chunk of rows.
func NewRowWriter() *RowWriter {
	w := &RowWriter{e: capnweb.NewEncoder()}
	w.e.BeginArray()
	return w
}

// Add writes a row.
func (w *RowWriter) Add(row []tablet.Value) error {
	w.rows++
	return putValues(w.e, row)
}

// Rows is how many rows were written.
func (w *RowWriter) Rows() int { return w.rows }

// Bytes is how long the chunk is so far.
func (w *RowWriter) Bytes() int { return len(w.e.Encoded()) }

// End gives the chunk, to be sent as a value; the writer is done with.
func (w *RowWriter) End() capnweb.Raw {
	w.e.EndArray()
	return w.e.Encoded()
}
