package exec

import (
	"context"
	"errors"
	"io"

	"github.com/vitessdo/vitessdo/route"
)

// joinBounds says when joins take which way.
type joinBounds struct {
	// memory is what the joins of a statement keep in hash tables; beyond it the
	// statement begins anew in a scratch database, which spills to disk.
	memory int64
	// few is how many rows of a side are read before the other side is looked
	// at, and how many keys narrow the other side at the most; tiny is a side so
	// small that its keys do whether or not conditions picked them.
	//
	// Of 100,000 rows on four shards, asking for those of some keys was faster
	// than fetching all up to 15,000 keys that are the primary key, 5,000 that
	// have an index, and 1,500 that have none: 100 keys of the first two took a
	// hundredth of the time, of the last a quarter.
	few, tiny int
	// growth and slack bound the rows that a join makes for a scratch database,
	// by those that it reads: SQLite needn't keep what it joins.
	growth, slack int64
}

var defaultBounds = joinBounds{memory: 128 << 20, few: 2000, tiny: 100, growth: 4, slack: 100_000}

// errTooMuch says that joins want more memory than they may have.
var errTooMuch = errors.New("the joins' rows don't fit into memory")

// joined runs a plan whose combine has joins: by hash tables, or, when they
// would be too large, by SQL.
func joined(ctx context.Context, s Session, p *route.Plan, args []any) (Rows, error) {
	j := &joiner{ctx: ctx, s: s, p: p, args: args, joinBounds: defaultBounds, m: &meter{limits: s.Limits()}}
	return j.rows()
}

// joiner runs one statement's joins.
type joiner struct {
	ctx        context.Context
	s          Session
	p          *route.Plan
	args       []any
	m          *meter
	read       int64 // rows of fragments
	joinBounds       // memory is what is left
}

func (j *joiner) rows() (Rows, error) {
	rows, err := j.byHash()
	if errors.Is(err, errTooMuch) {
		j.m = &meter{limits: j.s.Limits()}
		return j.bySQL()
	}
	return rows, err
}

func (j *joiner) byHash() (Rows, error) {
	c := &j.p.Combine
	if c.Kind == route.Joined {
		skip, left, err := bounds(c, j.args)
		if err != nil || left == 0 {
			return &combined{src: &kept{}, left: 0}, err
		}
		src, err := j.open(route.JoinRel(len(c.Joins) - 1))
		if err != nil {
			return nil, err
		}
		return j.finish(src, skip, left)
	}
	sc, err := takeScratch(j.ctx)
	if err != nil {
		return nil, err
	}
	if err := sc.fill(j.ctx, j.m, func() error { return j.fill(sc) }); err != nil {
		sc.release()
		return nil, err
	}
	rows, err := sc.query(j.ctx, c.SQL, j.args)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// finish does what comes above the last join.
func (j *joiner) finish(src source, skip, left int64) (Rows, error) {
	c := &j.p.Combine
	out := &combined{src: src, skip: skip, left: left}
	var err error
	if len(c.Aggs) > 0 {
		if out.src, err = aggregateRows(c, src, j.m); err != nil {
			return nil, err
		}
	}
	if len(c.Sort) > 0 {
		top := int64(-1)
		if left >= 0 && c.Distinct == nil {
			top = skip + left
		}
		if out.src, err = sorted(j.ctx, out.src, c.Sort, top, j.m); err != nil {
			return nil, err
		}
	}
	if c.Distinct != nil {
		out.distinct = newDistinct(c, len(c.Sort) > 0, j.m)
	}
	return out, nil
}

// consumed says which fragments and joins other joins read.
func (j *joiner) consumed() map[route.Rel]bool {
	out := map[route.Rel]bool{}
	for _, x := range j.p.Combine.Joins {
		out[x.Left], out[x.Right] = true, true
	}
	return out
}

// fill loads what the combine's SQL reads: the fragments that no join reads,
// and the joins that none does.
func (j *joiner) fill(sc *scratch) error {
	inner := j.consumed()
	frags := make([]*route.Fragment, len(j.p.Fragments))
	var runs []run
	for i, f := range j.p.Fragments {
		if inner[route.Rel(i)] {
			continue
		}
		frags[i] = f
		own, err := j.resolve(i, f)
		if err != nil {
			return err
		}
		runs = append(runs, own...)
	}
	if err := sc.load(j.ctx, frags, runs, j.s.InTx(), j.m); err != nil {
		return err
	}
	for i, x := range j.p.Combine.Joins {
		r := route.JoinRel(i)
		if inner[r] {
			continue
		}
		if err := j.fillJoin(sc, r, x); err != nil {
			return err
		}
	}
	return sc.index(&j.p.Combine)
}

func (j *joiner) fillJoin(sc *scratch, r route.Rel, x *route.Join) (err error) {
	l, err := sc.createTable(r.Name(), x.Names, x.Types)
	if err != nil {
		return err
	}
	defer l.release()
	src, err := j.open(r)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := src.close(); err == nil {
			err = cerr
		}
	}()
	b := &batch{width: l.width}
	made := int64(0)
	for end := false; !end; b.reset() {
		for b.rows() < maxBatch && b.bytes < batchBytes {
			row, err := src.next()
			if err == io.EOF {
				end = true
				break
			}
			if err != nil {
				return err
			}
			b.add(row)
		}
		made += int64(b.rows())
		if made > j.growth*j.read+j.slack {
			return errTooMuch
		}
		if err := j.m.add(int64(b.rows()), int64(b.bytes), "the rows of "+x.String()); err != nil {
			return err
		}
		if err := l.add(b.vals); err != nil {
			return err
		}
	}
	return nil
}

// resolve makes the connected runs of fragment i.
func (j *joiner) resolve(i int, f *route.Fragment) ([]run, error) {
	runs, err := resolve(j.s, []*route.Fragment{f}, j.args)
	if err != nil {
		return nil, err
	}
	for k := range runs {
		runs[k].ord = i
	}
	return runs, connect(j.ctx, j.s, runs)
}

// open starts what gives a relation's rows.
func (j *joiner) open(r route.Rel) (source, error) {
	if i, ok := r.Join(); ok {
		return j.openJoin(j.p.Combine.Joins[i])
	}
	runs, err := j.resolve(int(r), j.p.Fragments[r])
	if err != nil {
		return nil, err
	}
	return j.stream(runs)
}

func (j *joiner) stream(runs []run) (src source, err error) {
	switch len(runs) {
	case 0:
		return &kept{}, nil
	case 1:
		src, err = openDirect(j.ctx, &runs[0])
	default:
		src = openConcat(j.ctx, groups(runs, j.s.InTx()))
	}
	if err != nil {
		return nil, err
	}
	return &counted{source: src, n: &j.read}, nil
}

// counted counts the rows that go by.
type counted struct {
	source
	n *int64
}

func (c *counted) next() ([]any, error) {
	row, err := c.source.next()
	if err == nil {
		*c.n++
	}
	return row, err
}

// joinSide is one side of a join that is being read.
type joinSide struct {
	rel   route.Rel
	right bool
	src   source // nil before it is opened and after it has ended
	table *hashTable
	few   bool
}

// openJoin reads one side of a join to its end, and begins to stream the other.
func (j *joiner) openJoin(x *route.Join) (_ source, err error) {
	l := &joinSide{rel: x.Left, few: x.LeftFirst, table: newHashTable(keysOf(x, false))}
	r := &joinSide{rel: x.Right, right: true, few: x.RightFirst, table: newHashTable(keysOf(x, true))}
	first, second := r, l
	if l.few && !r.few {
		first, second = l, r
	}
	defer func() {
		if err == nil {
			return
		}
		for _, s := range []*joinSide{l, r} {
			if s.src != nil {
				_ = s.src.close()
			}
		}
	}()
	if first.src, err = j.open(first.rel); err != nil {
		return nil, err
	}
	limit := j.few
	if j.s.InTx() {
		limit = -1 // streams on one shard can't be open side by side
	} else if narrowOf(x, second) == nil { // nothing to wait for
		if second.src, err = j.open(second.rel); err != nil {
			return nil, err
		}
	}
	if err := j.take(first, limit); err != nil {
		return nil, err
	}
	if first.src == nil {
		return j.probe(x, first, second)
	}
	// The first side isn't small. If the second is, it may narrow the first; else
	// the side that ends first is kept.
	if second.src == nil {
		if second.src, err = j.open(second.rel); err != nil {
			return nil, err
		}
	}
	small := j.tiny
	if second.few {
		small = j.few
	}
	for s, o, limit := second, first, small; ; s, o, small, limit = o, s, j.tiny, 2*max(len(s.table.rows), j.few) {
		if err := j.take(s, limit); err != nil {
			return nil, err
		}
		if s.src != nil {
			continue
		}
		if len(s.table.rows) < small && narrowOf(x, o) != nil {
			if err := j.drop(o); err != nil {
				return nil, err
			}
			return j.probe(x, s, o)
		}
		s.table.index()
		return j.hashed(x, s, o), nil
	}
}

// drop forgets what was read of a side.
func (j *joiner) drop(s *joinSide) error {
	err := s.src.close()
	j.memory += s.table.bytes
	s.src, s.table = nil, newHashTable(s.table.keys)
	return err
}

// probe opens the side that isn't kept, asking for the kept one's keys alone
// where that pays.
func (j *joiner) probe(x *route.Join, kept, second *joinSide) (_ source, err error) {
	kept.table.index()
	if second.src == nil {
		if second.src, err = j.openNarrowed(x, kept, second); err != nil {
			return nil, err
		}
	}
	return j.hashed(x, kept, second), nil
}

func narrowOf(x *route.Join, s *joinSide) *route.Narrow {
	if s.right {
		return x.NarrowRight
	}
	return x.NarrowLeft
}

func keysOf(x *route.Join, right bool) []route.SortKey {
	out := make([]route.SortKey, len(x.Keys))
	for i, k := range x.Keys {
		out[i] = route.SortKey{Col: k.Left, NoCase: k.NoCase}
		if right {
			out[i].Col = k.Right
		}
	}
	return out
}

// take reads rows of a side into its table, until there are limit of them, or
// all; -1: no limit. At its end the stream is closed.
func (j *joiner) take(s *joinSide, limit int) error {
	for limit < 0 || len(s.table.rows) < limit {
		row, err := s.src.next()
		if err == io.EOF {
			err = s.src.close()
			s.src = nil
			return err
		}
		if err != nil {
			return err
		}
		size := s.table.add(row)
		if j.memory -= size; j.memory < 0 {
			return errTooMuch
		}
		if err := j.m.add(1, size, j.describe(s.rel)); err != nil {
			return err
		}
	}
	return nil
}

func (j *joiner) describe(r route.Rel) string {
	if i, ok := r.Join(); ok {
		return "the rows of " + j.p.Combine.Joins[i].String()
	}
	return j.p.Fragments[r].SQL.String()
}

// hashed joins a side that is kept whole with the rest of the other one.
func (j *joiner) hashed(x *route.Join, build, probe *joinSide) source {
	h := &hashJoin{ctx: j.ctx, build: build.table, probe: probe.src, keys: probe.table.keys, cols: x.Cols, kind: x.Kind,
		flipped: !build.right, out: make([]any, len(x.Cols))}
	if len(probe.table.rows) > 0 {
		h.probe = &chained{kept: kept{rows: probe.table.rows}, rest: probe.src}
	}
	if h.flipped && h.kind != route.InnerJoin {
		h.matched = make([]bool, len(build.table.rows))
	}
	return h
}

// openNarrowed opens the second side, narrowed to the keys of the first: when
// those are very few, or few and picked by conditions, as then the second side
// likely has many others.
func (j *joiner) openNarrowed(x *route.Join, first, second *joinSide) (source, error) {
	n := narrowOf(x, second)
	if n == nil || !first.few && len(first.table.rows) >= j.tiny {
		return j.open(second.rel)
	}
	keys, ok := first.table.distinctKeys(n.Key, j.few)
	switch {
	case !ok:
		return j.open(second.rel)
	case len(keys) == 0:
		return &kept{}, nil
	}
	f := *j.p.Fragments[second.rel]
	f.SQL = n.SQL
	runs, err := j.narrow(&f, n, keys)
	if err != nil {
		return nil, err
	}
	for i := range runs {
		runs[i].ord = int(second.rel)
	}
	if err := connect(j.ctx, j.s, runs); err != nil {
		return nil, err
	}
	return j.stream(runs)
}

// narrow makes the runs of a fragment that is asked for some keys.
func (j *joiner) narrow(f *route.Fragment, n *route.Narrow, keys []any) ([]run, error) {
	m, err := shardMap(j.s, f.Keyspace)
	if err != nil {
		return nil, err
	}
	var runs []run
	if n.Dest != nil {
		d := *n.Dest
		for _, k := range keys {
			d.Rows = append(d.Rows, []route.Source{{Arg: -1, Const: k}})
		}
		if shards, parts, err := d.Split(m, j.args, j.s.Scratch()); err == nil {
			for i, shard := range shards {
				r, err := splitRun(j.s, m, f, 0, shard, j.args, listOf(n, parts[i]))
				if err != nil {
					return nil, err
				}
				runs = append(runs, r)
			}
			return runs, nil
		}
		// A key that has no place by the vindex equals no row's.
	}
	shards, err := f.Dest.Resolve(m, j.args, j.s.Scratch())
	if err != nil {
		return nil, err
	}
	keys = listOf(n, keys)
	for _, shard := range shards {
		r, err := splitRun(j.s, m, f, 0, shard, j.args, keys)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// listOf gives what a narrowed statement's list holds for some keys.
func listOf(n *route.Narrow, keys []any) []any {
	if !n.JSON {
		return keys
	}
	b := []byte{'['}
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, k)
	}
	return []any{string(append(b, ']'))}
}

func (s *scratchSource) next() ([]any, error) { return s.row, s.rows.Next(s.row) }

func (s *scratchSource) close() error { return s.rows.Close() }
