package exec

import (
	"context"
	"io"
	"math"
	"math/bits"
	"strconv"
	"sync"

	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// aggregate combines the shards' partial aggregates. Without a group key there
// is always exactly one row; else a row per group, in the order in which the
// groups appeared, unless the combine sorts them.
func aggregate(ctx context.Context, c *route.Combine, runs []run, inTx bool, m *meter) (source, error) {
	g := &grouper{c: c, meter: m}
	var err error
	if len(c.Group) == 0 {
		g.groups = append(g.groups, make([]acc, len(c.Aggs)))
		err = g.readFew(ctx, runs, inTx)
	} else {
		g.index = map[string]int{}
		err = g.readAll(ctx, runs, inTx)
	}
	if err != nil {
		return nil, err
	}
	rows, err := g.results()
	if err != nil {
		return nil, err
	}
	sortRows(rows, c.Sort)
	return &kept{rows: rows}, nil
}

// aggregateRows aggregates single rows. The groups come in the order of their
// first rows.
func aggregateRows(c *route.Combine, src source, m *meter) (source, error) {
	g := &grouper{c: c, meter: m, index: map[string]int{}}
	if len(c.Group) == 0 {
		g.groups = append(g.groups, make([]acc, len(c.Aggs)))
		g.index[""] = 0
	}
	if err := g.drain(src, 0, "joined rows"); err != nil {
		return nil, err
	}
	rows, err := g.results()
	if err != nil {
		return nil, err
	}
	return &kept{rows: rows}, nil
}

// grouper gathers partial aggregates by group.
type grouper struct {
	c      *route.Combine
	meter  *meter
	index  map[string]int
	groups [][]acc
	key    []byte
}

// readFew reads runs that give a row each: the last one on this goroutine, the
// others beside it, without batches.
func (g *grouper) readFew(ctx context.Context, runs []run, inTx bool) error {
	var mu sync.Mutex
	if len(runs) == 1 {
		return g.readRun(ctx, &runs[0], &mu)
	}
	gr := groups(runs, inTx)
	if len(gr) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var first error
	read := func(group []*run) {
		for _, r := range group {
			if err := g.readRun(ctx, r, &mu); err != nil {
				mu.Lock()
				if first == nil {
					first = err
				}
				mu.Unlock()
				cancel()
				return
			}
		}
	}
	for _, group := range gr[:len(gr)-1] {
		wg.Go(func() { read(group) })
	}
	read(gr[len(gr)-1])
	wg.Wait()
	return first
}

func (g *grouper) readRun(ctx context.Context, r *run, mu *sync.Mutex) (err error) {
	var in rowReader
	if err := in.open(ctx, r); err != nil {
		return err
	}
	defer func() {
		if cerr := in.rows.Close(); err == nil {
			err = cerr
		}
	}()
	for {
		if err := in.rows.Next(in.row[:in.own]); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		mu.Lock()
		g.fold(g.groups[0], in.row, r.shard)
		mu.Unlock()
	}
}

// readAll reads any number of groups from each run.
func (g *grouper) readAll(ctx context.Context, runs []run, inTx bool) (err error) {
	switch len(runs) {
	case 0:
		return nil
	case 1:
		src, err := openDirect(ctx, &runs[0])
		if err != nil {
			return err
		}
		return g.drain(src, runs[0].shard, runs[0].q.SQL)
	}
	return eachBatch(ctx, groups(runs, inTx), func(b *batch) error {
		for i := range b.rows() {
			if err := g.add(b.row(i), b.run.shard, b.run.q.SQL); err != nil {
				return err
			}
		}
		return nil
	})
}

func (g *grouper) drain(src source, shard int, what string) (err error) {
	defer func() {
		if cerr := src.close(); err == nil {
			err = cerr
		}
	}()
	for {
		row, err := src.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := g.add(row, shard, what); err != nil {
			return err
		}
	}
}

func (g *grouper) add(row []any, shard int, what string) error {
	g.key = appendKey(g.key[:0], row, g.c.Group)
	i, ok := g.index[string(g.key)]
	if !ok {
		if err := g.meter.add(1, int64(len(g.key))+rowSize(row), "the groups of "+what); err != nil {
			return err
		}
		i = len(g.groups)
		g.index[string(g.key)] = i
		g.groups = append(g.groups, make([]acc, len(g.c.Aggs)))
	}
	g.fold(g.groups[i], row, shard)
	return nil
}

func (g *grouper) fold(accs []acc, row []any, shard int) {
	for i := range g.c.Aggs {
		accs[i].add(&g.c.Aggs[i], row, shard)
	}
}

func (g *grouper) results() ([][]any, error) {
	rows := make([][]any, len(g.groups))
	flat := make([]any, len(g.groups)*len(g.c.Aggs))
	for i, accs := range g.groups {
		n := (i + 1) * len(accs)
		rows[i] = flat[n-len(accs) : n : n]
		for j := range accs {
			v, err := accs[j].result(&g.c.Aggs[j], !sortsBy(g.c.Sort, j))
			if err != nil {
				return nil, err
			}
			rows[i][j] = v
		}
	}
	return rows, nil
}

// acc accumulates one aggregate of one group. Where the outcome hangs on which
// of equal values came first, the lowest shard's wins, whoever answered first.
type acc struct {
	val   any // first, min, max
	shard int // where val came from
	sum   sum
	exact decimal.Decimal // what a DECIMAL's sum has beside whole numbers
	count int64
}

func (a *acc) add(c *route.AggCol, row []any, shard int) {
	if c.Op == route.AggRows {
		a.count++
		return
	}
	v := row[c.Col]
	switch c.Op {
	case route.AggFilled:
		if v != nil {
			a.count++
		}
	case route.AggMean:
		a.addTo(v, c.Scale)
		if v != nil {
			a.count++
		}
	case route.AggFirst:
		// An empty shard has NULL to say of a column of no group.
		if v != nil && (a.val == nil || shard < a.shard) {
			a.val, a.shard = keepValue(v), shard
		}
	case route.AggSum:
		a.addTo(v, c.Scale)
	case route.AggCount:
		if n, ok := v.(int64); ok {
			a.count += n
		}
	case route.AggAvg:
		a.addTo(v, c.Scale)
		if n, ok := row[c.Count].(int64); ok {
			a.count += n
		}
	case route.AggMin, route.AggMax:
		if v == nil {
			return
		}
		if a.val != nil {
			d := compare(v, a.val, c.NoCase)
			if c.Op == route.AggMax {
				d = -d
			}
			if d > 0 || d == 0 && shard >= a.shard {
				return
			}
		}
		a.val, a.shard = keepValue(v), shard
	}
}

// result gives an output column. A DECIMAL of more digits than a number keeps is
// text, where text will do, or a key.
func (a *acc) result(c *route.AggCol, text bool) (any, error) {
	switch c.Op {
	case route.AggCount, route.AggRows, route.AggFilled:
		return a.count, nil
	case route.AggSum:
		if !a.sum.any {
			return nil, nil
		}
		if c.Scale >= 0 && (a.sum.approx || c.Keyed && !text) {
			return decimalValue(a.decimal(), c.Keyed, text)
		}
		if n, ok, err := a.sum.integer(); ok || err != nil {
			return n, err
		}
		return a.sum.float(), nil
	case route.AggAvg, route.AggMean:
		if a.count == 0 || !a.sum.any {
			return nil, nil
		}
		if c.Scale >= 0 {
			quo := decimal.Decimal.Quo
			if c.Scale%9 == 0 {
				quo = decimal.Decimal.CutQuo // MySQL has no further digits to round by: they end with a word of nine
			}
			q, _ := quo(a.decimal(), decimal.Int(a.count), c.Scale)
			return decimalValue(q, c.Keyed, text)
		}
		return a.sum.float() / float64(a.count), nil
	}
	return a.val, nil
}

// sum adds as SQLite's SUM does: integers exactly, and, once a float is among
// them, everything by the Kahan-Babuska-Neumaier algorithm. Integers are kept
// in 128 bits, so that only a total that doesn't fit overflows, whatever the
// order.
type sum struct {
	hi         int64
	lo         uint64
	total, err float64
	approx     bool
	any        bool
}

func (s *sum) add(v any) {
	switch v := v.(type) {
	case nil:
		return
	case int64:
		var carry uint64
		s.lo, carry = bits.Add64(s.lo, uint64(v), 0)
		s.hi += v>>63 + int64(carry)
		s.addInt(v)
	case float64:
		s.approx = true
		s.addFloat(v)
	case string:
		s.approx = true
		s.addFloat(number(v))
	case []byte:
		s.approx = true
		s.addFloat(number(string(v)))
	}
	s.any = true
}

// addInt adds an integer that a float64 may not hold, in two parts that it does.
func (s *sum) addInt(v int64) {
	const exact = 4503599627370496
	if v > -exact && v < exact {
		s.addFloat(float64(v))
		return
	}
	small := v % 16384
	s.addFloat(float64(v - small))
	s.addFloat(float64(small))
}

func (s *sum) addFloat(v float64) {
	t := s.total + v
	if math.Abs(s.total) > math.Abs(v) {
		s.err += (s.total - t) + v
	} else {
		s.err += (v - t) + s.total
	}
	s.total = t
}

// integer gives the sum of integers only; an error when it doesn't fit.
func (s *sum) integer() (n int64, ok bool, err error) {
	if s.approx {
		return 0, false, nil
	}
	n = int64(s.lo)
	if s.hi != n>>63 {
		return 0, true, &tablet.Error{Code: tablet.CodeOutOfRange, Message: "integer overflow"}
	}
	return n, true, nil
}

func (s *sum) float() float64 {
	if n, ok, err := s.integer(); ok && err == nil {
		return float64(n)
	}
	if math.IsNaN(s.err) || math.IsInf(s.err, 0) {
		return s.total
	}
	return s.total + s.err
}

// number reads the number that text begins with, as SQLite does; 0 if none.
func number(text string) float64 {
	for i := len(text); i > 0; i-- {
		if f, err := strconv.ParseFloat(text[:i], 64); err == nil {
			return f
		}
	}
	return 0
}

// addTo adds a value or a partial sum; that of a DECIMAL, which has a scale, exactly.
func (a *acc) addTo(v any, scale int) {
	if _, whole := v.(int64); !whole && scale >= 0 {
		if d, ok := decimal.Of(v); ok {
			a.exact = a.exact.Add(d)
			a.sum.any, a.sum.approx = true, true
			return
		}
	}
	a.sum.add(v)
}

// decimal gives a DECIMAL's sum: that of the whole numbers among its parts, and of
// the others.
func (a *acc) decimal() decimal.Decimal {
	return decimal.Wide(a.sum.hi, a.sum.lo).Add(a.exact)
}

// sortsBy says whether column col is among the sort keys.
func sortsBy(keys []route.SortKey, col int) bool {
	for i := range keys {
		if keys[i].Col == col {
			return true
		}
	}
	return false
}

// decimalValue gives a DECIMAL as a number or, for who reads it as text, in text;
// keyed ones that are sorted by give their key.
func decimalValue(d decimal.Decimal, keyed, text bool) (any, error) {
	if keyed && !text {
		key, err := d.AppendKey(nil)
		if err != nil {
			return nil, &tablet.Error{Code: tablet.CodeOutOfRange, Err: err,
				Message: "the DECIMAL value " + d.String() + " has more than 65 digits; CAST the argument AS DOUBLE for an approximate result"}
		}
		return key, nil
	}
	v, err := d.Value()
	if err != nil && text {
		return d.String(), nil
	}
	if err != nil {
		return nil, &tablet.Error{Code: tablet.CodeOutOfRange, Err: err,
			Message: "the DECIMAL value " + d.String() + " has more than the 15 digits that are kept exactly; CAST the argument AS DOUBLE for an approximate result"}
	}
	return v, nil
}
