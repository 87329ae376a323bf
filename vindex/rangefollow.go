package vindex

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// span is a piece of a domain: from lo on, and below hi; nil is no end.
type span struct{ lo, hi *rangeKey }

// Follow implements Follower. A keyspace ID tells the shard and, by its last eight
// bytes, the value, or what lies close to it: a decimal's interval, a text's
// beginning. That leads to the new shard unless boundaries cut there.
func (x *rangeVindex) Follow(dst []byte, old Vindex, id []byte) ([]byte, error) {
	if string(id) == NullKeyspaceID {
		return append(dst, id...), nil
	}
	from, ok := old.(*rangeVindex)
	if !ok || len(id) != 16 || from.typ != x.typ || from.noCase != x.noCase {
		return dst, notOurs(x, id)
	}
	shard := slices.Index(from.starts.starts, [8]byte(id[:8]))
	tail := binary.BigEndian.Uint64(id[8:])
	values, ok := from.behind(tail)
	if shard < 0 || !ok {
		return dst, notOurs(x, id)
	}
	to := -1
	first, last := from.meets(values)
	for i := first; i <= last; i++ {
		if from.shards[i] != shard {
			continue
		}
		a, b := x.meets(from.cut(values, i))
		for j := a; j <= b; j++ {
			if to >= 0 && (x.shards[j] != x.shards[to] || x.typ == "decimal" && j != to) {
				return dst, &cutError{x, from.shards[i], tail}
			}
			to = j
		}
	}
	if to < 0 {
		return dst, notOurs(x, id)
	}
	if x.typ == "decimal" {
		tail = uint64(to)
	}
	return x.starts.append(dst, x.shards[to], tail), nil
}

// Follows implements Follower. Only where boundaries are can values with one keyspace
// ID part.
func (x *rangeVindex) Follows(old Vindex) error {
	from, ok := old.(*rangeVindex)
	if !ok || from.typ != x.typ || from.noCase != x.noCase {
		return x.invalid(nil, "the values' type can't become another")
	}
	var tails []uint64
	for i := range len(from.boundaries) + 1 {
		tails = append(tails, uint64(i)) // of decimals
	}
	if x.typ != "decimal" {
		tails = tails[:0]
		for _, k := range slices.Concat(x.boundaries, from.boundaries) {
			tails = append(tails, x.tail(k, 0))
		}
	}
	for _, start := range from.starts.starts {
		for _, tail := range tails {
			var cut *cutError
			if _, err := x.Follow(nil, old, binary.BigEndian.AppendUint64(start[:], tail)); errors.As(err, &cut) {
				return err
			}
		}
	}
	return nil
}

// cutError says that values with one keyspace ID are to have several.
type cutError struct {
	x     *rangeVindex
	shard int
	tail  uint64
}

func (e *cutError) Error() string {
	if e.x.typ == "decimal" {
		return "vindex " + e.x.Name() + ": the entries of lookup vindexes tell of decimals only the old range, whose values are to be parted; keep that range whole"
	}
	text := strings.TrimRight(string(binary.BigEndian.AppendUint64(nil, e.tail)), "\x00")
	return "vindex " + e.x.Name() + ": the entries of lookup vindexes tell of values only their first 8 bytes, and those that begin with " +
		strconv.Quote(text) + " are to be parted; keep them on one shard"
}

// behind gives the values whose keyspace IDs end in tail.
func (x *rangeVindex) behind(tail uint64) (s span, ok bool) {
	switch x.typ {
	case "decimal":
		if tail > uint64(len(x.boundaries)) {
			return s, false
		}
		return x.cut(span{}, int(tail)), true
	case "text", "binary":
		lo := prefixKey(tail)
		s.lo = &lo
		if hi := prefixKey(tail + 1); tail+1 != 0 {
			s.hi = &hi
		}
		return s, true
	}
	lo := rangeKey{n: int64(tail ^ 1<<63)}
	s.lo = &lo
	if hi, ok := x.domain.next(lo); ok {
		s.hi = &hi
	}
	return s, true
}

// prefixKey is the least text whose first eight bytes, filled up by zeros, are these.
func prefixKey(tail uint64) rangeKey {
	return rangeKey{s: strings.TrimRight(string(binary.BigEndian.AppendUint64(nil, tail)), "\x00")}
}

// meets gives the first and last interval that the values are in.
func (x *rangeVindex) meets(s span) (first, last int) {
	last = len(x.boundaries)
	if s.lo != nil {
		first = x.interval(*s.lo)
	}
	if s.hi != nil {
		if last = x.interval(*s.hi); last > 0 && x.domain.compare(*s.hi, x.boundaries[last-1]) == 0 {
			last-- // which begins where the values end
		}
	}
	return first, last
}

// cut gives those of the values that are in the interval.
func (x *rangeVindex) cut(s span, interval int) span {
	if interval > 0 {
		if b := &x.boundaries[interval-1]; s.lo == nil || x.domain.compare(*s.lo, *b) < 0 {
			s.lo = b
		}
	}
	if interval < len(x.boundaries) {
		if b := &x.boundaries[interval]; s.hi == nil || x.domain.compare(*b, *s.hi) < 0 {
			s.hi = b
		}
	}
	return s
}
