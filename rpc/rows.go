package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// rows is a result that comes in chunks: the first with the answer, the others
// by the stream more, or by SHARD_FETCH.
type rows struct {
	t       *Tablet
	l       *lane // nil: any
	ctx     context.Context
	columns []string
	chunk   []any
	at      int
	moment  *tablet.Moment
	writes  bool   // what it has changed, if anything, is sure only when it is done
	cursor  string // "" when all is here
	more    *capnweb.Readable
	kept    *kept // while the cursor waits for the next SHARD_FETCH
	err     error // sticky
}

var _ tablet.Timed = (*rows)(nil)

func newRows(ctx context.Context, t *Tablet, l *lane, f *fields) (*rows, error) {
	r := &rows{t: t, l: l, ctx: ctx, chunk: take[[]any](f, "rows"), cursor: take[string](f, "cursor"), more: take[*capnweb.Readable](f, "more")}
	r.moment = f.moment()
	for _, c := range take[[]any](f, "columns") {
		name, ok := c.(string)
		if !ok && f.err == nil {
			f.err = fmt.Errorf("a column's name is a %T", c)
		}
		r.columns = append(r.columns, name)
	}
	if f.err != nil {
		_ = r.Close()
		return nil, t.malformed(f.err)
	}
	if r.cursor != "" && r.more == nil {
		r.kept = t.c.keep(l, Request{Type: TypeHealth, Target: t.target, Cursor: r.cursor}, t.patience)
	}
	return r, nil
}

// Columns names the result's columns.
func (r *rows) Columns() []string { return r.columns }

// Moment implements tablet.Timed.
func (r *rows) Moment() (tablet.Moment, bool) { return momentOr(r.moment) }

// Next gives the next row.
func (r *rows) Next(dest []tablet.Value) error {
	for r.err == nil && r.at == len(r.chunk) {
		r.fetch()
	}
	if r.err != nil {
		return r.err
	}
	row, ok := r.chunk[r.at].([]any)
	r.at++
	if !ok || len(row) != len(dest) {
		return r.fail(r.t.malformed(fmt.Errorf("a row of %d values for %d columns", len(row), len(dest))))
	}
	for i, v := range row {
		switch v.(type) {
		case nil, int64, float64, string, []byte:
			dest[i] = v
		default:
			x, err := getValue(v)
			if err != nil {
				return r.fail(r.t.malformed(err))
			}
			dest[i] = x
		}
	}
	return nil
}

// fail ends the stream with an error.
func (r *rows) fail(err error) error {
	_ = r.Close()
	r.err = err
	return err
}

// fetch gets the next chunk, or sets err.
func (r *rows) fetch() {
	r.chunk, r.at = nil, 0
	switch {
	case r.cursor == "":
		r.err = io.EOF
	case r.more != nil:
		v, err := r.more.Next(r.ctx)
		if err == nil {
			var ok bool
			if r.chunk, ok = v.([]any); !ok {
				capnweb.Release(v)
				err = r.t.malformed(fmt.Errorf("a chunk of rows is a %T", v))
			}
		}
		if err == io.EOF {
			r.ended()
		} else if err != nil {
			_ = r.fail(r.lost(tabletError(r.ctx, r.t.target, err, reads)))
		}
	default:
		r.kept.use()
		f, err := r.t.c.call(r.ctx, r.l, &Request{Type: TypeShardFetch, Target: r.t.target, Cursor: r.cursor}, once)
		if err != nil {
			_ = r.fail(r.lost(err))
			return
		}
		r.chunk = take[[]any](f, "rows")
		if take[bool](f, "end") {
			r.cursor = ""
			r.t.c.drop(r.kept)
		}
		if f.err != nil {
			_ = r.fail(r.t.malformed(f.err))
		}
	}
}

// ended marks that the far end has closed the statement by itself.
func (r *rows) ended() {
	r.err = io.EOF
	r.cursor = ""
	r.more.Release()
}

// lost makes of an answer's loss what it means for the statement.
func (r *rows) lost(err error) error {
	e, ok := errors.AsType[*tablet.Error](err)
	if !r.writes || !ok || !unanswered(e) {
		return err
	}
	return &tablet.Error{Code: tablet.CodeUnknownResult, Target: e.Target, Message: "nobody knows whether the statement was carried out: " + e.Message, Err: e.Err}
}

// closeTime bounds the wait for a write's end. A server whose connection is lost is
// waited for no longer.
const closeTime = time.Minute

// Close ends the stream. A write with RETURNING that wasn't read to its end is done
// when Close returns; the end of a read is said, and not waited for.
func (r *rows) Close() error {
	if r.err == nil {
		r.err = &tablet.Error{Code: tablet.CodeClosed, Target: r.t.target, Message: "the rows were closed"}
	}
	r.chunk, r.at = nil, 0
	r.more.Release()
	if r.cursor == "" {
		return nil
	}
	closing := &Request{Type: TypeShardClose, Target: r.t.target, Cursor: r.cursor}
	r.cursor = ""
	r.t.c.drop(r.kept)
	if !r.writes {
		r.t.c.tell(r.l, closing)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), closeTime)
	defer cancel()
	_, err := r.t.c.call(ctx, r.l, closing, repeatable)
	return r.lost(err)
}
