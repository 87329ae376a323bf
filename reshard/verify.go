package reshard

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/zeebo/xxh3"

	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/route"
)

// checksum is about rows in any order: how many, and the sum of their hashes.
type checksum struct {
	rows int64
	sum  xxh3.Uint128
}

func (c checksum) String() string { return fmt.Sprintf("%016x%016x", c.sum.Hi, c.sum.Lo) }

func (c *checksum) add(o checksum) {
	lo := c.sum.Lo + o.sum.Lo
	c.sum.Hi += o.sum.Hi
	if lo < c.sum.Lo {
		c.sum.Hi++
	}
	c.sum.Lo = lo
	c.rows += o.rows
}

// row adds a row, whose values it writes into buf.
func (c *checksum) row(row []any, buf []byte) []byte {
	buf = buf[:0]
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			buf = append(buf, 0)
		case int64:
			buf = binary.BigEndian.AppendUint64(append(buf, 1), uint64(v))
		case float64:
			buf = binary.BigEndian.AppendUint64(append(buf, 2), math.Float64bits(v))
		case string:
			buf = append(binary.AppendUvarint(append(buf, 3), uint64(len(v))), v...)
		case []byte:
			buf = append(binary.AppendUvarint(append(buf, 4), uint64(len(v))), v...)
		}
	}
	c.add(checksum{1, xxh3.Hash128(buf)})
	return buf
}

// verify reads old and new shards once more and compares them.
func (m *mover) verify(ctx context.Context, list moving) error {
	if m.journal.Verified != nil {
		return nil
	}
	total := int64(0)
	for _, k := range list {
		for _, j := range k.jobs {
			total += 2 * j.total
		}
	}
	m.step("verify", total)
	for _, k := range list {
		for _, j := range k.jobs {
			if err := m.verifyTable(ctx, k, j); err != nil {
				return err
			}
		}
	}
	m.journal.Verified = m.plan.results()
	if err := m.writeJournal(); err != nil {
		return diskError(err)
	}
	reach(Verified)
	return nil
}

// reading is one database's part of a table.
type reading struct {
	name string // of the shard
	conn *sqlite.Conn
	sum  checksum
	err  error
}

func (m *mover) verifyTable(ctx context.Context, k *keyspace, j *job) error {
	var old, now []*reading
	for i, s := range k.sources {
		if j.origin.Everywhere || j.origin.Row != nil || j.origin.Shard == i {
			old = append(old, &reading{name: s.name, conn: s.conn})
		}
	}
	for _, t := range k.targets {
		now = append(now, &reading{name: t.name, conn: t.conn})
	}
	m.readAll(ctx, k, j, old, now)
	for _, r := range append(old, now...) {
		if r.err != nil {
			return inShard(fmt.Errorf("table %s: %w", j.table, r.err), k.name, r.name)
		}
	}
	if j.origin.Everywhere {
		for _, r := range old[1:] {
			if r.sum != old[0].sum {
				return fmt.Errorf("keyspace %s: the copies of table %s on the old shards %s and %s differ (%d and %d rows)",
					k.name, j.table, old[0].name, r.name, old[0].sum.rows, r.sum.rows)
			}
		}
		old = old[:1]
	}
	want, got := sumOf(old), sumOf(now)
	if j.home.Everywhere {
		for _, r := range now {
			if got = r.sum; got != want {
				break
			}
		}
	}
	if got != want {
		return fmt.Errorf("keyspace %s: table %s has %d rows with checksum %s on the old shards, and %d with %s on the new ones; nothing was switched",
			k.name, j.table, want.rows, want, got.rows, got)
	}
	j.sum = want
	return nil
}

func sumOf(list []*reading) (out checksum) {
	for _, r := range list {
		out.add(r.sum)
	}
	return out
}

// readAll sums up the parts side by side.
func (m *mover) readAll(ctx context.Context, k *keyspace, j *job, old, now []*reading) {
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var told sync.Mutex
	var work sync.WaitGroup
	tell := func(n int) {
		told.Lock()
		defer told.Unlock()
		m.tell(k.name, j.table, int64(n))
	}
	for i, r := range append(append([]*reading(nil), old...), now...) {
		work.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			var buf route.Scratch
			if i < len(old) {
				r.err = r.read(ctx, j.query(), []any{int64(math.MinInt64)}, len(j.read)+1, tell, func(row []any) ([]any, error) {
					if j.convert == nil {
						return row[1:], nil
					}
					return j.convert(row[1:], &buf)
				})
				return
			}
			at := i - len(old)
			r.err = r.read(ctx, "SELECT "+j.list()+" FROM "+quoteName(j.table), nil, len(j.columns), tell, func(row []any) ([]any, error) {
				to, err := j.home.Of(k.to, row, &buf)
				if err == nil && to >= 0 && to != at {
					err = fmt.Errorf("a row is on shard %s that belongs on %s", k.to.Names[at], k.to.Names[to])
				}
				return row, err
			})
		})
	}
	work.Wait()
}

// read sums up what a query gives.
func (r *reading) read(ctx context.Context, query string, args []any, width int, tell func(int), each func([]any) ([]any, error)) error {
	r.conn.SetContext(ctx)
	s, err := r.conn.Prepare(query)
	if err != nil {
		return err
	}
	defer s.Release()
	if err := s.Bind(args); err != nil {
		return err
	}
	row, n := make([]any, width), 0
	var buf []byte
	for {
		ok, err := s.Step()
		if err != nil {
			return err
		}
		if !ok {
			tell(n)
			return nil
		}
		if err := s.Row(row); err != nil {
			return err
		}
		values, err := each(row)
		if err != nil {
			return err
		}
		buf = r.sum.row(values, buf)
		if n++; n == 10_000 {
			tell(n)
			n = 0
		}
	}
}
