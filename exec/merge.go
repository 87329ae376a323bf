package exec

import (
	"context"
	"io"

	"github.com/vitessdo/vitessdo/route"
)

// merge is a k-way merge of sorted streams by a tree of losers (Knuth, The Art
// of Computer Programming 3, 5.4.1): one comparison per level and row. Rows
// with equal keys come in the order of the runs.
type merge struct {
	sc      *scatter
	keys    []route.SortKey
	streams []mergeStream
	losers  []int // losers[0] is the winner; inner nodes 1 … k-1
	started bool
	err     error
}

type mergeStream struct {
	out chan *batch
	cur *batch
	pos int
	row []any // nil: at the end
}

func openMerge(ctx context.Context, runs []run, keys []route.SortKey) *merge {
	m := &merge{sc: newScatter(ctx), keys: keys,
		streams: make([]mergeStream, len(runs)), losers: make([]int, len(runs))}
	for i := range runs {
		m.streams[i].out = make(chan *batch, batches)
		m.sc.start([]*run{&runs[i]}, m.streams[i].out)
	}
	return m
}

func (m *merge) next() ([]any, error) {
	if m.err != nil {
		return nil, m.err
	}
	if m.err = m.advance(); m.err != nil {
		return nil, m.err
	}
	row := m.streams[m.losers[0]].row
	if row == nil {
		m.err = io.EOF
		return nil, m.err
	}
	return row, nil
}

// advance moves the stream whose row was given last, and finds the new winner.
func (m *merge) advance() error {
	if m.started {
		w := m.losers[0]
		if err := m.step(&m.streams[w]); err != nil {
			return err
		}
		m.replay(w)
		return nil
	}
	m.started = true
	for i := range m.losers {
		m.losers[i] = -1
	}
	for i := range m.streams {
		if err := m.step(&m.streams[i]); err != nil {
			return err
		}
		m.replay(i)
	}
	return nil
}

// step moves a stream to its next row.
func (m *merge) step(s *mergeStream) error {
	s.pos++
	for s.cur == nil || s.pos >= s.cur.rows() {
		if s.cur != nil {
			if s.cur.last {
				s.row = nil
				return nil
			}
			s.cur.from.free <- s.cur
			s.cur = nil
		}
		b, err := m.sc.receive(s.out)
		if err != nil {
			return err
		}
		s.cur, s.pos = b, 0
	}
	s.row = s.cur.row(s.pos)
	return nil
}

// replay plays stream i up the tree. While the tree is being built, the first
// to reach a node waits there for its opponent.
func (m *merge) replay(i int) {
	for t := (i + len(m.streams)) / 2; t > 0; t /= 2 {
		o := m.losers[t]
		if o < 0 {
			m.losers[t] = i
			return
		}
		if m.less(o, i) {
			m.losers[t], i = i, o
		}
	}
	m.losers[0] = i
}

func (m *merge) less(a, b int) bool {
	x, y := m.streams[a].row, m.streams[b].row
	switch {
	case x == nil:
		return false
	case y == nil:
		return true
	}
	if c := compareRows(x, y, m.keys); c != 0 {
		return c < 0
	}
	return a < b
}

func (m *merge) close() error {
	if m.err == nil {
		m.err = io.EOF
	}
	m.sc.stop()
	return nil
}
