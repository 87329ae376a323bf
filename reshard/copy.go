package reshard

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// How rows travel from the reader to the writers.
const (
	batchRows   = 256
	batchBytes  = 16 << 20 // of all batches that are being filled
	commitRows  = 200_000
	commitBytes = 128 << 20
)

// batch is what a writer gets: rows, one after the other, and then perhaps a note.
type batch struct {
	values []any
	commit bool // then commit, with the note
	mark   mark
	place  place
}

// writer inserts what the reader gives it into one target.
type writer struct {
	t      *target
	j      *job
	in     chan batch
	next   batch
	bytes  int
	failed *atomic.Bool
	err    error
}

// copyTable does a job, from where it has come.
func (m *mover) copyTable(ctx context.Context, k *keyspace, j *job) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var failed atomic.Bool
	var work sync.WaitGroup
	writers := make([]*writer, len(k.targets))
	for i, t := range k.targets {
		w := &writer{t: t, j: j, in: make(chan batch, 2), failed: &failed}
		writers[i] = w
		work.Go(func() {
			if w.err = w.run(ctx); w.err != nil {
				failed.Store(true)
				for range w.in { // the reader will see
				}
			}
		})
	}
	err := m.read(ctx, k, j, writers)
	for _, w := range writers {
		close(w.in)
	}
	work.Wait()
	for _, w := range writers {
		if w.err != nil && !errors.Is(w.err, errUnfinished) {
			return inShard(w.j.explain(w.err), k.name, w.t.name)
		}
	}
	return err
}

// explain makes of a unique key's violation what it means here.
func (j *job) explain(err error) error {
	if tablet.CodeOf(err) != tablet.CodeUnique {
		return err
	}
	if j.duplicate != nil {
		return j.duplicate(err)
	}
	return fmt.Errorf("table %s: rows that come together on one shard have the same unique key, which was kept unique within each shard only; "+
		"change one of each, and run it again: %w", j.table, err)
}

// read gives the rows of a job to the writers.
func (m *mover) read(ctx context.Context, k *keyspace, j *job, writers []*writer) error {
	r := &reader{k: k, j: j, writers: writers, limit: max(64<<10, batchBytes/len(writers))}
	for _, shard := range j.shards(len(k.sources)) {
		if err := r.shard(ctx, m, shard); err != nil {
			return inShard(err, k.name, k.sources[shard].name)
		}
	}
	for _, w := range writers {
		w.in <- batch{commit: true, mark: mark{j.table, indexes}, place: place{done: true}}
	}
	return nil
}

// indexes stands, in a mark, for the shard whose rows are all there.
const indexes = -1

type reader struct {
	k       *keyspace
	j       *job
	writers []*writer
	limit   int // bytes in a batch
	buf     route.Scratch
	rows    int // since the last commit
	bytes   int
}

var errUnfinished = errors.New("the reader has stopped")

// shard reads an old shard's rows, from the first that any writer lacks.
func (r *reader) shard(ctx context.Context, m *mover, shard int) error {
	part, first, done := mark{r.j.table, shard}, int64(math.MaxInt64), true
	for _, w := range r.writers {
		at, there := w.t.at[part]
		switch {
		case !there:
			first, done = math.MinInt64, false
		case !at.done:
			first, done = min(first, at.row), false
		}
	}
	if done {
		m.tell(r.k.name, r.j.table, r.j.counts[shard])
		return nil
	}
	conn := r.k.sources[shard].conn
	conn.SetContext(ctx)
	s, err := conn.Prepare(r.j.query())
	if err != nil {
		return err
	}
	defer s.Release()
	if err := s.Bind([]any{first}); err != nil {
		return err
	}
	row := make([]any, len(r.j.read)+1)
	told := 0
	for {
		ok, err := s.Step()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err := s.Row(row); err != nil {
			return err
		}
		id, _ := row[0].(int64)
		if err := r.give(shard, id, row[1:]); err != nil {
			return fmt.Errorf("table %s: row %d: %w", r.j.source, id, err)
		}
		if told++; told == batchRows {
			m.tell(r.k.name, r.j.table, int64(told))
			told = 0
			if r.writers[0].failed.Load() {
				return errUnfinished
			}
		}
		if r.rows >= commitRows || r.bytes >= commitBytes {
			r.commit(part, place{row: id})
		}
	}
	m.tell(r.k.name, r.j.table, int64(told))
	r.commit(part, place{row: math.MaxInt64, done: true})
	return nil
}

// give sends one row where it belongs.
func (r *reader) give(shard int, id int64, row []any) (err error) {
	if r.j.origin.Row != nil && !r.j.origin.Everywhere {
		at, err := r.j.origin.Of(r.k.from, row, &r.buf)
		if err != nil {
			return err
		}
		if at != shard {
			r.k.strays++
		}
	}
	if r.j.convert != nil {
		if row, err = r.j.convert(row, &r.buf); err != nil {
			return err
		}
	}
	to, err := r.j.home.Of(r.k.to, row, &r.buf)
	if err != nil {
		return err
	}
	part := mark{r.j.table, shard}
	size := sizeOf(row)
	r.rows, r.bytes = r.rows+1, r.bytes+size
	for i, w := range r.writers {
		if to >= 0 && i != to {
			continue
		}
		if at, there := w.t.at[part]; there && (at.done || id <= at.row) {
			continue // it has that row
		}
		w.next.values = append(w.next.values, row...)
		if w.bytes += size; len(w.next.values) >= batchRows*len(row) || w.bytes >= r.limit {
			w.flush()
		}
	}
	return nil
}

func sizeOf(row []any) int {
	n := 0
	for _, v := range row {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
		n += 16
	}
	return n
}

func (w *writer) flush() {
	if len(w.next.values) > 0 {
		w.in <- w.next
	}
	w.next, w.bytes = batch{}, 0
}

// commit makes all writers commit what they have of a part, with how far that is.
func (r *reader) commit(part mark, at place) {
	for _, w := range r.writers {
		w.flush()
		was, there := w.t.at[part]
		if there && (was.done || was.row > at.row) {
			continue
		}
		w.in <- batch{commit: true, mark: part, place: at}
	}
	r.rows, r.bytes = 0, 0
}

// run inserts and commits until the reader is at its end.
func (w *writer) run(ctx context.Context) error {
	c := w.t.conn
	c.SetContext(ctx)
	open := false
	begin := func() error {
		if open {
			return nil
		}
		open = true
		return c.Control("BEGIN IMMEDIATE")
	}
	defer func() {
		if open {
			_ = c.Control("ROLLBACK")
		}
	}()
	width := len(w.j.columns)
	for b := range w.in {
		if err := begin(); err != nil {
			return err
		}
		if err := w.insert(b.values, width); err != nil {
			return err
		}
		if !b.commit {
			continue
		}
		if err := w.note(ctx, b); err != nil {
			return err
		}
		if err := c.Control("COMMIT"); err != nil {
			return err
		}
		open = false
		reach(Committed)
	}
	return nil
}

func (w *writer) insert(values []any, width int) error {
	if len(values) == 0 {
		return nil
	}
	s, err := w.t.conn.Prepare(w.j.insert())
	if err != nil {
		return err
	}
	defer s.Release()
	for ; len(values) > 0; values = values[width:] {
		if err := s.Exec(values[:width]); err != nil {
			return err
		}
	}
	return nil
}

// note writes down how far the target has come; with the last part come the indexes.
func (w *writer) note(ctx context.Context, b batch) error {
	if b.mark.shard == indexes {
		if w.t.at[b.mark].done {
			return nil
		}
		rows, err := w.t.conn.QueryAll(ctx, `SELECT ddl FROM _vt_reshard_indexes WHERE tbl = ?1 COLLATE NOCASE ORDER BY position`, w.j.table)
		if err != nil {
			return err
		}
		for _, r := range rows {
			text, _ := r[0].(string)
			if err := w.t.conn.Script(text); err != nil {
				return err
			}
		}
	}
	done := int64(0)
	if b.place.done {
		done = 1
	}
	s, err := w.t.conn.Prepare(putMark)
	if err != nil {
		return err
	}
	defer s.Release()
	return s.Exec([]any{b.mark.table, int64(b.mark.shard), b.place.row, done})
}

// diskError gives an error of the file system the code that it has elsewhere.
func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) && tablet.CodeOf(err) != tablet.CodeFull {
		return &tablet.Error{Code: tablet.CodeFull, Err: err, Message: "the disk is full: " + err.Error()}
	}
	return err
}
