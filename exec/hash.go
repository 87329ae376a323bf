package exec

import (
	"context"
	"io"
	"math"

	"github.com/vitessdo/vitessdo/route"
)

// hashTable holds rows by the values of their key columns. Rows with a NULL in
// their key are kept, but never found.
type hashTable struct {
	keys []route.SortKey
	rows [][]any
	// A chain of rows with equal keys begins in ints or texts, at the row's
	// ordinal plus one, and goes on in next. ints has those with one integral
	// number as their key.
	ints  map[int64]int32
	texts map[string]int32
	next  []int32
	flat  []any // where the rows are carved from
	bytes int64
	buf   []byte
}

func newHashTable(keys []route.SortKey) *hashTable {
	return &hashTable{keys: keys, ints: map[int64]int32{}, texts: map[string]int32{}}
}

// add copies a row in. It isn't found before index is called.
func (h *hashTable) add(row []any) int64 {
	w := len(row)
	if len(h.flat)+w > cap(h.flat) {
		h.flat = make([]any, 0, max(w, min(4096*w, 2*cap(h.flat), 1<<16), 64))
	}
	at := len(h.flat)
	size := int64(24 + 8) // the row's slice, and its place in a chain
	for _, v := range row {
		h.flat = append(h.flat, keepValue(v))
		size += sizeOf(v)
	}
	h.rows = append(h.rows, h.flat[at:at+w:at+w])
	h.bytes += size
	return size
}

// index makes the rows be found; the first of equal ones comes first.
func (h *hashTable) index() {
	h.next = make([]int32, len(h.rows))
	for i := len(h.rows) - 1; i >= 0; i-- {
		n, text, ok := h.key(h.rows[i], h.keys)
		switch {
		case !ok:
		case text == nil:
			h.next[i] = h.ints[n]
			h.ints[n] = int32(i + 1)
		default:
			h.next[i] = h.texts[string(text)]
			h.texts[string(text)] = int32(i + 1)
		}
	}
}

// find gives the ordinal plus one of the first row whose key is equal to row's
// in the columns keys; 0 for none.
func (h *hashTable) find(row []any, keys []route.SortKey) int32 {
	n, text, ok := h.key(row, keys)
	switch {
	case !ok:
		return 0
	case text == nil:
		return h.ints[n]
	}
	return h.texts[string(text)]
}

// key gives a row's key as an integer or, when it isn't one, as bytes; ok is
// false when a NULL is in it.
func (h *hashTable) key(row []any, keys []route.SortKey) (n int64, text []byte, ok bool) {
	if len(keys) == 1 {
		switch v := row[keys[0].Col].(type) {
		case nil:
			return 0, nil, false
		case int64:
			return v, nil, true
		case float64:
			if v >= -(1<<63) && v < 1<<63 && v == math.Trunc(v) {
				return int64(v), nil, true
			}
		}
	}
	for i := range keys {
		if row[keys[i].Col] == nil {
			return 0, nil, false
		}
	}
	h.buf = appendKey(h.buf[:0], row, keys)
	return 0, h.buf, true
}

// distinctKeys gives the values of key column k, each once, or false if there
// are more than limit.
func (h *hashTable) distinctKeys(k, limit int) ([]any, bool) {
	if len(h.keys) > 1 {
		seen := map[string]bool{}
		var out []any
		for _, row := range h.rows {
			v := row[h.keys[k].Col]
			if v == nil {
				continue
			}
			h.buf = appendValue(h.buf[:0], v, h.keys[k].NoCase)
			if seen[string(h.buf)] {
				continue
			}
			if len(out) == limit {
				return nil, false
			}
			seen[string(h.buf)] = true
			out = append(out, v)
		}
		return out, true
	}
	if len(h.ints)+len(h.texts) > limit {
		return nil, false
	}
	out := make([]any, 0, len(h.ints)+len(h.texts))
	for i, row := range h.rows {
		n, text, ok := h.key(row, h.keys)
		if ok && (text == nil && h.ints[n] == int32(i+1) || text != nil && h.texts[string(text)] == int32(i+1)) {
			out = append(out, row[h.keys[0].Col])
		}
	}
	return out, true
}

// hashJoin joins the rows of a stream with those of a hash table. The stream is
// the join's left side unless flipped is set.
type hashJoin struct {
	ctx     context.Context
	build   *hashTable
	probe   source
	keys    []route.SortKey // of the probe rows
	cols    []route.JoinCol
	kind    route.JoinKind
	flipped bool
	out     []any
	row     []any  // the probe row that is being joined
	at      int32  // the next of its matches, plus one
	matched []bool // left rows that are the build rows, when it matters
	rest    int    // how many of them were looked through at the end
	ended   bool
	pairs   int
}

// checkEvery is the number of pairs between looks at the context: what is above
// may take in all of them without asking any shard for more.
const checkEvery = 1024

func (j *hashJoin) next() ([]any, error) {
	for {
		if j.at > 0 {
			if j.pairs++; j.pairs%checkEvery == 0 && j.ctx.Err() != nil {
				return nil, canceled(j.ctx)
			}
			i := j.at - 1
			j.at = j.build.next[i]
			if row := j.match(i); row != nil {
				return row, nil
			}
			continue
		}
		if j.ended {
			return j.unmatched()
		}
		row, err := j.probe.next()
		if err == io.EOF && j.matched != nil {
			j.ended = true
			continue
		}
		if err != nil {
			return nil, err
		}
		j.row = row
		j.at = j.build.find(row, j.keys)
		if j.at > 0 && j.flipped && (j.kind == route.SemiJoin || j.kind == route.AntiJoin) && j.matched[j.at-1] {
			j.at = 0 // so are all that have this key
		}
		if j.flipped || j.kind == route.InnerJoin {
			continue
		}
		if out := j.decide(); out != nil {
			return out, nil
		}
	}
}

// match is what comes of build row i and the probe row; nil for nothing.
func (j *hashJoin) match(i int32) []any {
	before := false
	if j.matched != nil {
		before, j.matched[i] = j.matched[i], true
	}
	switch {
	case !j.flipped:
		return j.pair(j.row, j.build.rows[i])
	case j.kind == route.InnerJoin, j.kind == route.OuterJoin:
		return j.pair(j.build.rows[i], j.row)
	case j.kind == route.SemiJoin && !before:
		return j.pair(j.build.rows[i], nil)
	}
	return nil
}

// decide is what comes of a left row as soon as it is known whether anything
// matches it; nil for nothing yet.
func (j *hashJoin) decide() []any {
	found := j.at > 0
	switch j.kind {
	case route.SemiJoin, route.AntiJoin:
		j.at = 0
		if found == (j.kind == route.SemiJoin) {
			return j.pair(j.row, nil)
		}
	case route.OuterJoin:
		if !found {
			return j.pair(j.row, nil)
		}
	}
	return nil
}

// unmatched gives the left rows that nothing has matched.
func (j *hashJoin) unmatched() ([]any, error) {
	for j.rest < len(j.matched) && j.kind != route.SemiJoin {
		j.rest++
		if !j.matched[j.rest-1] {
			return j.pair(j.build.rows[j.rest-1], nil), nil
		}
	}
	return nil, io.EOF
}

// pair makes a row of both sides; right is nil where nothing matches.
func (j *hashJoin) pair(left, right []any) []any {
	for i, c := range j.cols {
		switch {
		case !c.Right:
			j.out[i] = left[c.Col]
		case right == nil:
			j.out[i] = nil
		default:
			j.out[i] = right[c.Col]
		}
	}
	return j.out
}

func (j *hashJoin) close() error {
	j.at, j.ended, j.matched = 0, true, nil
	return j.probe.close()
}

// chained gives kept rows, then those of a stream.
type chained struct {
	kept
	rest source
}

func (c *chained) next() ([]any, error) {
	if row, err := c.kept.next(); err == nil {
		return row, nil
	}
	return c.rest.next()
}

func (c *chained) close() error {
	_ = c.kept.close()
	return c.rest.close()
}
