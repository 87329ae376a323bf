package rpc

import (
	"context"
	"encoding/json"
	"io"
	"slices"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// What a request has changed is remembered by the tablet, by the commit of the change
// itself: under the request's ID in autocommit, under the transaction's for a COMMIT,
// under the distributed one's for a DECIDE. One that comes again is answered by that.

// memoryOf gives the tablet's memory, if it has one.
func memoryOf(t tablet.Tablet) tablet.Memory {
	if m, ok := t.(tablet.Memory); ok && m.Remembers() > 0 {
		return m
	}
	return nil
}

const (
	byRequest = "request/"
	byTx      = "tx/"
	byDTID    = "dtid/"
)

// once runs statements in a transaction of their own, unless the request has been
// carried out before: then it gives what came of it.
func (c *session) once(ctx context.Context, t tablet.Tablet, r *Request, list []tablet.Query) ([]tablet.Result, error) {
	x, err := t.Begin(ctx, tablet.TxOptions{Write: true})
	if err != nil {
		return nil, err
	}
	results, err := c.inOwn(ctx, t, x, r, list)
	if err != nil {
		_ = x.Rollback()
		return nil, err
	}
	return results, nil
}

func (c *session) inOwn(ctx context.Context, t tablet.Tablet, x tablet.Tx, r *Request, list []tablet.Query) ([]tablet.Result, error) {
	m, remembers := x.(tablet.MemoryTx)
	remembers = remembers && r.ID != "" && memoryOf(t) != nil
	name := byRequest + r.ID
	if remembers {
		kept, found, err := m.Recall(ctx, name)
		if err != nil {
			return nil, err
		}
		if found {
			var results []tablet.Result
			if err := json.Unmarshal(kept, &results); err != nil {
				return nil, &tablet.Error{Code: tablet.CodeUnknownResult, Message: "the request was carried out before, and what came of it can't be read: " + err.Error(), Err: err}
			}
			_ = x.Rollback()
			return results, nil
		}
	}
	results, err := runAll(ctx, x, list)
	if err != nil {
		return nil, err
	}
	if remembers {
		kept, err := json.Marshal(results)
		if err != nil {
			return nil, err
		}
		if err := m.Remember(ctx, name, kept); err != nil {
			return nil, err
		}
	}
	return results, x.Commit(ctx)
}

// commit commits the transaction, and remembers that it has.
func (x *openTx) commit(ctx context.Context, id string) error {
	if m, ok := x.tx.(tablet.MemoryTx); ok {
		if err := m.Remember(ctx, byTx+id, nil); err != nil {
			return err
		}
	}
	return x.tx.Commit(ctx)
}

// again answers a COMMIT or DECIDE of a transaction that isn't known any more, if it
// was carried out: the answer was lost.
func (c *session) again(ctx context.Context, t tablet.Tablet, r *Request) (any, error) {
	m := memoryOf(t)
	name := ""
	switch {
	case m == nil:
	case r.Type == TypeShardCommit:
		name = byTx + r.TxID
	case r.Type == TypeDecide:
		name = byDTID + r.DTID
	}
	if name == "" {
		return nil, errTxGone
	}
	_, found, err := m.Recall(ctx, name)
	if err == nil && !found {
		err = errTxGone
	}
	return c.done(r, err)
}

// maxKept is how many bytes of a write's rows are kept to answer it again.
const maxKept = 1 << 20

// onceRows runs a write that returns rows, likewise. The rows are all read before the
// commit; too many to be kept aren't there when the request comes again.
func (c *session) onceRows(ctx context.Context, t tablet.Tablet, id string, q *tablet.Query) (tablet.Rows, error) {
	x, err := t.Begin(ctx, tablet.TxOptions{Write: true})
	if err != nil {
		return nil, err
	}
	rows, err := c.rowsInOwn(ctx, x, byRequest+id, q)
	if err != nil {
		_ = x.Rollback()
		return nil, err
	}
	return rows, nil
}

func (c *session) rowsInOwn(ctx context.Context, x tablet.Tx, name string, q *tablet.Query) (tablet.Rows, error) {
	m, ok := x.(tablet.MemoryTx)
	if !ok {
		return nil, &tablet.Error{Code: tablet.CodeInternal, Message: "the tablet remembers requests, and its transactions don't"}
	}
	kept, found, err := m.Recall(ctx, name)
	if err != nil {
		return nil, err
	}
	if found {
		_ = x.Rollback()
		return readKept(kept)
	}
	rows, err := x.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &keptRows{columns: rows.Columns()}
	for bytes := int64(0); ; {
		row := make([]tablet.Value, len(out.columns))
		err := rows.Next(row)
		if err == io.EOF {
			break
		}
		if err == nil {
			bytes += keepValues(row)
			err = c.s.opts.Limits.result(int64(len(out.rows)), bytes)
		}
		if err != nil {
			_ = rows.Close()
			return nil, err
		}
		out.rows = append(out.rows, row)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	text, err := out.encode()
	if err != nil {
		return nil, err
	}
	if err := m.Remember(ctx, name, text); err != nil {
		return nil, err
	}
	return out, x.Commit(ctx)
}

// keepValues makes values outlive the next row, and says about how much they take.
func keepValues(row []tablet.Value) (bytes int64) {
	for i, v := range row {
		switch v := v.(type) {
		case []byte:
			row[i] = slices.Clone(v)
			bytes += int64(len(v))
		case string:
			bytes += int64(len(v))
		}
		bytes += 16
	}
	return bytes
}

// keptRows are rows that were read before.
type keptRows struct {
	columns []string
	rows    [][]tablet.Value
	at      int
}

// Columns names the columns.
func (r *keptRows) Columns() []string { return r.columns }

// Next gives the next row.
func (r *keptRows) Next(dest []tablet.Value) error {
	if r.at == len(r.rows) {
		return io.EOF
	}
	copy(dest, r.rows[r.at])
	r.at++
	return nil
}

// Close ends them.
func (r *keptRows) Close() error {
	r.at = len(r.rows)
	return nil
}

// encode gives what is kept of them: nothing, if they are too many.
func (r *keptRows) encode() ([]byte, error) {
	e := capnweb.NewEncoder()
	e.BeginArray()
	if err := e.Value(r.columns); err != nil {
		return nil, err
	}
	for _, row := range r.rows {
		if err := putValues(e, row); err != nil {
			return nil, err
		}
		if len(e.Encoded()) > maxKept {
			return nil, nil
		}
	}
	e.EndArray()
	return e.Encoded(), nil
}

func readKept(kept []byte) (tablet.Rows, error) {
	v, err := capnweb.Unmarshal(kept)
	list, ok := v.([]any)
	if err != nil || !ok || len(list) == 0 {
		return nil, &tablet.Error{Code: tablet.CodeUnknownResult, Message: "the request was carried out before, and the rows that it gave aren't kept", Err: err}
	}
	r := &keptRows{}
	for i, v := range list {
		in := &fields{m: map[string]any{"": v}}
		if i == 0 {
			for _, name := range take[[]any](in, "") {
				text, _ := name.(string)
				r.columns = append(r.columns, text)
			}
		} else {
			r.rows = append(r.rows, in.values(""))
		}
		if in.err != nil {
			return nil, in.err
		}
	}
	return r, nil
}
