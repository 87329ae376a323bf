package tabletserver

import (
	"context"
	"io"

	"github.com/vitessdo/vitessdo/tablet"
)

// rows is a stream that steps its statement as it is read. Its first row is
// there from the start, so that a statement's errors show when it begins.
type rows struct {
	t     *Tablet
	c     *conn // nil once nothing is held any more
	s     Stmt
	x     *Tx // whose streams it is among; nil in autocommit
	ctx   context.Context
	cols  []string
	err   error // sticky; io.EOF at the end
	ready bool  // the statement stands on a row not yet handed out
	lent  bool  // the connection isn't the stream's to give back

	// begun is when the statement began, if its moment was asked for and is known.
	begun *tablet.Moment
	seen  int64 // what its snapshot shows
}

var (
	_ tablet.Timed = (*rows)(nil)
	_ tablet.Rows  = (*memRows)(nil)
)

// startRows binds s and steps it for the first time, on a locked connection. It
// takes s over. The stream that it returns has no connection when there is no
// row.
func startRows(ctx context.Context, t *Tablet, c *conn, s Stmt, args []tablet.Value) (*rows, error) {
	if err := s.Bind(args); err != nil {
		s.Release()
		return nil, err
	}
	ok, err := s.Step()
	if err != nil {
		s.Release()
		return nil, err
	}
	r := &rows{t: t, ctx: ctx, cols: s.Columns(), ready: ok}
	if !ok {
		s.Release()
		r.err = io.EOF
		return r, nil
	}
	r.c, r.s = c, s
	return r, nil
}

// Columns names the result's columns.
func (r *rows) Columns() []string { return r.cols }

// Next puts the next row into dest.
func (r *rows) Next(dest []tablet.Value) error {
	if r.err != nil {
		return r.err
	}
	c := r.c
	if err := c.lock(); err != nil {
		r.err = r.t.at(err)
		return r.err
	}
	if r.ready {
		r.ready = false
	} else {
		c.c.SetContext(r.ctx)
		ok, err := r.s.Step()
		if err != nil || !ok {
			return r.finish(err)
		}
	}
	if err := r.s.Row(dest); err != nil {
		return r.finish(err)
	}
	c.mu.Unlock()
	return nil
}

// finish ends the stream, with the connection locked: err nil is its end.
func (r *rows) finish(err error) error {
	if err == nil {
		r.err = io.EOF
	} else {
		r.err = r.t.at(err)
	}
	c, s, x := r.c, r.s, r.x
	r.c, r.s, r.x = nil, nil, nil
	s.Release()
	if x != nil {
		x.drop(r)
		if err != nil {
			x.failed(r.err)
		}
	}
	c.mu.Unlock()
	if x == nil && !r.lent {
		r.t.readers.put(c)
	}
	return r.err
}

// Close ends the stream.
func (r *rows) Close() error {
	if r.c == nil {
		if r.err == nil {
			r.err = io.EOF
		}
		return nil
	}
	if err := r.c.lock(); err != nil {
		r.c, r.s, r.x = nil, nil, nil
		r.err = r.t.at(err)
		return nil
	}
	_ = r.finish(nil)
	return nil
}

// memRows hands out rows that are in memory.
type memRows struct {
	cols []string
	rows [][]tablet.Value
}

// collect runs a statement to its end and keeps its rows.
func collect(s Stmt, args []tablet.Value) (*memRows, error) {
	if err := s.Bind(args); err != nil {
		return nil, err
	}
	m := &memRows{}
	for {
		ok, err := s.Step()
		if err != nil {
			return nil, err
		}
		m.cols = s.Columns()
		if !ok {
			return m, nil
		}
		row := make([]tablet.Value, len(m.cols))
		if err := s.Row(row); err != nil {
			return nil, err
		}
		m.rows = append(m.rows, row)
	}
}

// Columns names the result's columns.
func (m *memRows) Columns() []string { return m.cols }

// Next puts the next row into dest.
func (m *memRows) Next(dest []tablet.Value) error {
	if len(m.rows) == 0 {
		return io.EOF
	}
	if len(dest) != len(m.cols) {
		return misuse("the destination has not as many values as the result has columns")
	}
	copy(dest, m.rows[0])
	m.rows = m.rows[1:]
	return nil
}

// Close drops the rows that are left.
func (m *memRows) Close() error {
	m.rows = nil
	return nil
}
