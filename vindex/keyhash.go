package vindex

import (
	"encoding/binary"
	"fmt"

	"github.com/zeebo/xxh3"
)

// keyHash spreads by several columns at once: unlike with multicol, rows that
// agree on the first ones don't stay together.
type keyHash struct {
	identity
	columns int
	hash    hashVindex
}

// NewKeyHash gives a vindex over the columns of a key, for the tables that the
// gate keeps for itself. It is no type of the registry.
func NewKeyHash(columns int) MultiColumn {
	return &keyHash{identity: identity{"key_hash", "key_hash", 1}, columns: columns}
}

func (k *keyHash) Columns() int { return k.columns }

func (k *keyHash) MapMulti(dst []byte, vs []any) ([]byte, error) {
	if len(vs) != k.columns {
		return dst, k.invalid(fmt.Sprint(len(vs), " values"), fmt.Sprintf("it takes %d columns", k.columns))
	}
	var buf [128]byte
	all := buf[:0]
	for _, v := range vs {
		var err error
		if all, err = k.hash.Map(all, v); err != nil {
			return dst, err
		}
	}
	return binary.BigEndian.AppendUint64(dst, xxh3.Hash(all)), nil
}
