package vitessdo

import (
	"io"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
)

// unknownRows is s.foundRows when the last result was closed before its end.
const unknownRows = -1

func (s *session) foundRowsValue() (any, error) {
	if s.foundRows == unknownRows {
		return nil, newError(CodePlan, "FOUND_ROWS() is not known: the last result was closed before all of its rows were read; read it to the end, or use SQL_CALC_FOUND_ROWS")
	}
	return s.foundRows, nil
}

// aside is the rows of a query that does something beside giving rows: it sets
// user variables, or counts what LIMIT leaves out. Whatever the caller reads of
// it, all of it is done when it is closed.
type aside struct {
	exec.Rows
	s      *session
	assign []route.Assign
	calc   bool
	skip   int64
	left   int64 // -1: no limit
	n      int64
	buf    []any
	err    error
}

// besides wraps a plan's rows where it does something beside.
func (s *session) besides(p *route.Plan, src exec.Rows, vec []any) (exec.Rows, error) {
	if p.Found == nil && p.Assign == nil {
		return src, nil
	}
	a := &aside{Rows: src, s: s, assign: p.Assign, left: -1, buf: make([]any, len(p.Columns))}
	if f := p.Found; f != nil {
		a.calc = true
		var err error
		if f.Offset != nil {
			a.skip, err = rowBound("OFFSET", f.Offset.Value(vec))
		}
		if f.Limit != nil && err == nil {
			a.left, err = rowBound("LIMIT", f.Limit.Value(vec))
		}
		if err != nil {
			_ = src.Close()
			return nil, err
		}
	}
	return a, nil
}

func rowBound(what string, v any) (int64, error) {
	if n, ok := v.(int64); ok && n >= 0 {
		return n, nil
	}
	return 0, newError(CodeMisuse, "%s is %v; it must be a non-negative integer", what, v)
}

// Next gives the next row within the limit; at the limit it counts what is
// left.
func (a *aside) Next(dest []any) error {
	for a.left != 0 {
		if err := a.step(dest); err != nil {
			return err
		}
		if a.skip > 0 {
			a.skip--
			continue
		}
		if a.left > 0 {
			a.left--
		}
		for _, set := range a.assign {
			a.s.setUserVar(set.Name, dest[set.Col])
		}
		return nil
	}
	if err := a.rest(); err != nil {
		return err
	}
	return io.EOF
}

func (a *aside) step(dest []any) error {
	if a.err != nil {
		return a.err
	}
	if a.err = a.Rows.Next(dest); a.err == nil {
		a.n++
	}
	return a.err
}

// rest counts the rows behind the limit.
func (a *aside) rest() error {
	for {
		if err := a.step(a.buf); err != nil {
			if isEOF(err) {
				return nil
			}
			return err
		}
	}
}

// Close does what is left to do, and frees the rows.
func (a *aside) Close() error {
	var err error
	for err == nil && a.assign != nil {
		err = a.Next(a.buf)
	}
	if a.calc && a.err == nil {
		_ = a.rest()
	}
	if a.calc {
		a.s.foundRows = unknownRows
		if isEOF(a.err) {
			a.s.foundRows = a.n
		}
		a.calc = false
	}
	a.assign = nil
	return a.Rows.Close()
}
