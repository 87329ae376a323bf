package vindex

import (
	"encoding/binary"
	"fmt"
)

// Follower is a TopologyAware vindex that can tell, of a keyspace ID which it gave
// for some shards, what it gives for others.
type Follower interface {
	TopologyAware
	// Follow appends the keyspace ID that the vindex gives the values whose keyspace
	// ID old gave was id. old is the same vindex, bound to other shards.
	Follow(dst []byte, old Vindex, id []byte) ([]byte, error)
	// Follows is nil if Follow can tell that of every keyspace ID, and else says why
	// it can't.
	Follows(old Vindex) error
}

// Follow implements Follower: the value's hash is in the keyspace ID.
func (x *consistentHash) Follow(dst []byte, _ Vindex, id []byte) ([]byte, error) {
	if string(id) == NullKeyspaceID {
		return append(dst, id...), nil
	}
	if len(id) != 16 || len(x.points) == 0 {
		return dst, notOurs(x, id)
	}
	return x.place(dst, binary.BigEndian.Uint64(id[8:])), nil
}

// Follows implements Follower.
func (x *consistentHash) Follows(Vindex) error { return nil }

func notOurs(v Vindex, id []byte) error {
	return fmt.Errorf("keyspace ID %x is none that a vindex of type %s gives", id, v.Type())
}
