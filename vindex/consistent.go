package vindex

import (
	"encoding/binary"
	"slices"
	"sort"
	"strconv"

	"github.com/zeebo/xxh3"
)

const (
	defaultVirtualNodes = 160
	maxVirtualNodes     = 1 << 16
)

// consistentHash places values on a ring of virtual nodes (Karger et al.,
// "Consistent Hashing and Random Trees", 1997). A shard's nodes depend on its
// ordinal alone, so adding shard N+1 moves only the keys that it takes.
//
// A keyspace ID is the start of the owning shard's key range, padded to eight
// bytes, then the eight bytes of the value's hash.
type consistentHash struct {
	identity
	nodes  int      // virtual nodes per shard
	points []uint64 // ascending, empty until bound
	owners []int32  // the shard of each point
	starts shardStarts
}

func newConsistentHash(name string, params map[string]string) (Vindex, error) {
	v := &consistentHash{identity: identity{"consistent_hash", name, 1}, nodes: defaultVirtualNodes}
	if err := v.checkParams(params, "virtual_nodes"); err != nil {
		return nil, err
	}
	if text, ok := params["virtual_nodes"]; ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxVirtualNodes {
			return nil, v.paramError("virtual_nodes", "%q must be a number from 1 to %d", text, maxVirtualNodes)
		}
		v.nodes = n
	}
	return v, nil
}

func (x *consistentHash) WithShards(ranges []KeyRange) (Vindex, error) {
	starts, err := newShardStarts(ranges)
	if err != nil {
		return nil, x.invalid(nil, err.Error())
	}
	type node struct {
		point uint64
		owner int32
	}
	ring := make([]node, 0, len(ranges)*x.nodes)
	var label [8]byte
	for shard := range ranges {
		binary.BigEndian.PutUint32(label[:4], uint32(shard))
		for i := range x.nodes {
			binary.BigEndian.PutUint32(label[4:], uint32(i))
			ring = append(ring, node{xxh3.Hash(label[:]), int32(shard)})
		}
	}
	sort.Slice(ring, func(i, j int) bool {
		// On a clash the older shard keeps the point.
		return ring[i].point < ring[j].point || ring[i].point == ring[j].point && ring[i].owner < ring[j].owner
	})
	bound := *x
	bound.starts = starts
	bound.points = make([]uint64, len(ring))
	bound.owners = make([]int32, len(ring))
	for i, n := range ring {
		bound.points[i], bound.owners[i] = n.point, n.owner
	}
	return &bound, nil
}

func (x *consistentHash) Map(dst []byte, v any) ([]byte, error) {
	if v == nil {
		return append(dst, NullKeyspaceID...), nil
	}
	if !rawSupported(v) {
		return dst, x.invalid(v, "a value of this Go type can't be hashed")
	}
	if len(x.points) == 0 {
		return dst, x.invalid(v, "the vindex is not bound to the keyspace's shards yet")
	}
	return x.place(dst, hashXXH3(v)), nil
}

// place appends the keyspace ID of the values with that hash.
func (x *consistentHash) place(dst []byte, sum uint64) []byte {
	i, _ := slices.BinarySearch(x.points, sum)
	if i == len(x.points) {
		i = 0
	}
	return x.starts.append(dst, int(x.owners[i]), sum)
}

// shardStarts holds the key ranges that a TopologyAware vindex is bound to,
// and the start of each as eight bytes.
type shardStarts struct {
	ranges []KeyRange
	starts [][8]byte
}

func newShardStarts(ranges []KeyRange) (shardStarts, error) {
	if err := CheckRanges(ranges); err != nil {
		return shardStarts{}, err
	}
	s := shardStarts{slices.Clone(ranges), make([][8]byte, len(ranges))}
	for i, r := range ranges {
		start := trimZeros(r.Start)
		// With longer bounds the hash behind the start could leave the range.
		if len(start) > 8 || len(trimZeros(r.End)) > 8 {
			return shardStarts{}, &KeyRangeError{r.String(), "bounds of more than 8 bytes can't be used with this vindex type"}
		}
		copy(s.starts[i][:], start)
	}
	return s, nil
}

func (s *shardStarts) append(dst []byte, shard int, tail uint64) []byte {
	dst = append(dst, s.starts[shard][:]...)
	return binary.BigEndian.AppendUint64(dst, tail)
}
