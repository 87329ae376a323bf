package vindex

import (
	"encoding/binary"
	"encoding/csv"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// rangeVindex gives intervals of values to shards: values below the first
// boundary to one, from there to below the second to the next, and so on.
//
// A keyspace ID is the start of the shard's key range, padded to eight bytes,
// then eight bytes that keep the order of values as far as they reach.
type rangeVindex struct {
	identity
	typ        string
	domain     domain
	noCase     bool // fold ASCII case first, type text only
	boundaries []rangeKey
	shards     []int // the shard of every interval
	starts     shardStarts
}

func newRange(name string, params map[string]string) (Vindex, error) {
	v := &rangeVindex{identity: identity{"range", name, 1}, typ: "int"}
	if err := v.checkParams(params, "type", "boundaries", "shards", "collation"); err != nil {
		return nil, err
	}
	if t, ok := params["type"]; ok {
		v.typ = t
	}
	var ok bool
	if v.domain, ok = domains[v.typ]; !ok {
		if near := Nearest(v.typ, domainNames); near != "" {
			return nil, v.paramError("type", "%q is unknown, did you mean %q", v.typ, near)
		}
		return nil, v.paramError("type", "%q is unknown, valid are %s", v.typ, strings.Join(domainNames, ", "))
	}
	switch c := params["collation"]; {
	case c == "nocase" && v.typ == "text":
		v.noCase = true
	case c != "" && c != "binary":
		return nil, v.paramError("collation", "%q must be binary, or nocase with type=text", c)
	}
	if err := v.readBoundaries(params["boundaries"]); err != nil {
		return nil, err
	}
	return v, v.readShards(params["shards"])
}

func (x *rangeVindex) readBoundaries(list string) error {
	if list == "" {
		return x.paramError("boundaries", "missing, give the values where the ranges begin, such as 1000,2000,3000")
	}
	r := csv.NewReader(strings.NewReader(list))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	items, err := r.Read()
	if err != nil {
		return x.paramError("boundaries", "%q is no comma-separated list: %v", list, err)
	}
	if _, err := r.Read(); err == nil {
		return x.paramError("boundaries", "%q has more than one line, quote a boundary with a line break in it", list)
	}
	for i, item := range items {
		k, ok := x.domain.boundary(item)
		if !ok {
			return x.paramError("boundaries", "%q is not of type %s", item, x.typ)
		}
		if x.noCase {
			k.s = foldASCII(k.s)
		}
		if i > 0 && x.domain.compare(x.boundaries[i-1], k) >= 0 {
			return x.paramError("boundaries", "%q must be above %q, which stands before it", item, items[i-1])
		}
		x.boundaries = append(x.boundaries, k)
	}
	return nil
}

func (x *rangeVindex) readShards(list string) error {
	n := len(x.boundaries) + 1
	if list == "" {
		for i := range n {
			x.shards = append(x.shards, i)
		}
		return nil
	}
	for _, item := range splitList(list) {
		s, err := strconv.Atoi(item)
		if err != nil || s < 0 {
			return x.paramError("shards", "%q must be the number of a shard, from 0 up", item)
		}
		x.shards = append(x.shards, s)
	}
	if len(x.shards) != n {
		return x.paramError("shards", "%d shards for %d ranges, %d boundaries make %d ranges", len(x.shards), n, len(x.boundaries), n)
	}
	return nil
}

func (x *rangeVindex) WithShards(ranges []KeyRange) (Vindex, error) {
	starts, err := newShardStarts(ranges)
	if err != nil {
		return nil, x.invalid(nil, err.Error())
	}
	for i, s := range x.shards {
		if s >= len(ranges) {
			return nil, x.paramError("shards", "range %d goes to shard %d, but the keyspace has %d shards, numbered from 0; say which shard each range goes to, such as shards=%s",
				i, s, len(ranges), evenly(len(x.shards), len(ranges)))
		}
	}
	bound := *x
	bound.starts = starts
	return &bound, nil
}

// evenly lists shards for ranges, neighbours together.
func evenly(ranges, shards int) string {
	list := make([]string, ranges)
	for i := range list {
		list[i] = strconv.Itoa(i * shards / ranges)
	}
	return strings.Join(list, ",")
}

// interval finds the interval that holds the key.
func (x *rangeVindex) interval(k rangeKey) int {
	lo, hi := 0, len(x.boundaries)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if x.domain.compare(k, x.boundaries[mid]) < 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

func (x *rangeVindex) parse(v any) (rangeKey, bool, bool) {
	k, exact, ok := x.domain.parse(v)
	if x.noCase {
		k.s = foldASCII(k.s)
	}
	return k, exact, ok
}

func (x *rangeVindex) Map(dst []byte, v any) ([]byte, error) {
	if v == nil {
		return append(dst, NullKeyspaceID...), nil
	}
	if len(x.starts.starts) == 0 {
		return dst, x.invalid(v, "the vindex is not bound to the keyspace's shards yet")
	}
	k, exact, ok := x.parse(v)
	if !ok || !exact {
		return dst, x.noDestination(v, "a range of type "+x.typ+" takes "+x.domain.takes)
	}
	i := x.interval(k)
	return x.starts.append(dst, x.shards[i], x.tail(k, i)), nil
}

// tail is the order-preserving part of the keyspace ID.
func (x *rangeVindex) tail(k rangeKey, interval int) uint64 {
	switch x.typ {
	case "text", "binary":
		var b [8]byte
		copy(b[:], k.s)
		return binary.BigEndian.Uint64(b[:])
	case "decimal":
		return uint64(interval)
	}
	return uint64(k.n) ^ 1<<63
}

// MapRange gives the key ranges of exactly those shards that own a value of the
// vindex's type between the bounds.
func (x *rangeVindex) MapRange(lo, hi Bound) ([]KeyRange, error) {
	if len(x.starts.starts) == 0 {
		return nil, x.invalid(lo.Value, "the vindex is not bound to the keyspace's shards yet")
	}
	if nullBound(lo) || nullBound(hi) {
		return nil, nil
	}
	first, last, ok := x.intervals(lo, hi)
	if !ok {
		return []KeyRange{{}}, nil
	}
	if first > last {
		return nil, nil
	}
	owners := slices.Clone(x.shards[first : last+1])
	sort.Ints(owners)
	owners = slices.Compact(owners)
	ranges := make([]KeyRange, len(owners))
	for i, s := range owners {
		ranges[i] = x.starts.ranges[s]
	}
	return ranges, nil
}

// intervals gives the first and last interval between the bounds, first > last
// when there is none; ok is false when the order doesn't tell.
func (x *rangeVindex) intervals(lo, hi Bound) (first, last int, ok bool) {
	if !x.domain.halfOpen && !sameClass(lo, hi) {
		return 0, 0, false
	}
	first, last = 0, len(x.boundaries)
	var from, to rangeKey
	if !lo.Unbounded {
		k, exact, known := x.parse(lo.Value)
		if !known {
			return 0, 0, false
		}
		if (!exact || !lo.Inclusive) && x.domain.next != nil {
			if k, known = x.domain.next(k); !known {
				return 1, 0, true
			}
		}
		from, first = k, x.interval(k)
	}
	if !hi.Unbounded {
		k, exact, known := x.parse(hi.Value)
		if !known {
			return 0, 0, false
		}
		to, last = k, x.interval(k)
		open := exact && !hi.Inclusive
		if open && last > 0 && x.domain.compare(k, x.boundaries[last-1]) == 0 {
			last-- // nothing of the interval that begins here is below k
		}
		if !lo.Unbounded {
			c := x.domain.compare(from, to)
			if c > 0 || c == 0 && (open || x.domain.next == nil && !lo.Inclusive) {
				return 1, 0, true
			}
		}
	}
	return first, last, true
}

// sameClass says that no other storage class sorts between the bounds.
func sameClass(lo, hi Bound) bool {
	_, loText := lo.Value.(string)
	_, hiText := hi.Value.(string)
	if lo.Unbounded || hi.Unbounded {
		return !lo.Unbounded && !loText // blobs sort last
	}
	return loText == hiText
}
