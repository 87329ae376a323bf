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
	most int // bytes of a row
}

// newRowWriter begins a chunk of rows, each of so many bytes at the most.
func newRowWriter(most int) *RowWriter {
	w := &RowWriter{e: capnweb.NewEncoder(), most: most}
	w.e.BeginArray()
	return w
}

// RowError says that a row has more bytes, as it travels, than a message has room for.
type RowError int

// Error names the limit.
func (e RowError) Error() string {
	return fmt.Sprintf("a row has more than %d bytes as it travels, as many as a message has room for; read less of it at once", int(e))
}

// Add writes a row. One that no message has room for fails with a RowError, before all of
// it is written.
func (w *RowWriter) Add(row []tablet.Value) error {
	w.rows++
	before := w.Bytes()
	w.e.BeginArray()
	for _, v := range row {
		if err := putValue(w.e, v); err != nil {
			return err
		}
		if w.Bytes()-before > w.most {
			return RowError(w.most)
		}
	}
	w.e.EndArray()
	return nil
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
