package rpc

import (
	"context"
	"encoding/json"

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
