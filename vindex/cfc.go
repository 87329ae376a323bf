package vindex

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/json"

	"github.com/cespare/xxhash/v2"
)

// cfc is Vitess's vindex for values made of concatenated fixed-width
// components: the keyspace ID is the hashes of the components, each cut to the
// width of its component, so that values with a common prefix stay together.
// Without a hash it is the value's bytes.
type cfc struct {
	identity
	hash    func(dst, component []byte) []byte // nil: the bytes themselves
	offsets []int                              // where components end, the last one is open
}

func newCFC(name string, params map[string]string) (Vindex, error) {
	v := &cfc{identity: identity{"cfc", name, 1}}
	if err := v.checkParams(params, "hash", "offsets"); err != nil {
		return nil, err
	}
	switch params["hash"] {
	case "":
		return v, nil
	case "md5":
		v.hash = func(dst, component []byte) []byte {
			sum := md5.Sum(component)
			return append(dst, sum[:min(len(component), len(sum))]...)
		}
	case "xxhash64":
		v.hash = func(dst, component []byte) []byte {
			var sum [8]byte
			binary.LittleEndian.PutUint64(sum[:], xxhash.Sum64(component))
			return append(dst, sum[:min(len(component), len(sum))]...)
		}
	default:
		return nil, v.paramError("hash", "%q is unknown, valid are md5, xxhash64 and nothing", params["hash"])
	}
	if err := json.Unmarshal([]byte(params["offsets"]), &v.offsets); err != nil || len(v.offsets) == 0 {
		return nil, v.paramError("offsets", "%q must be a list such as [2,4] of where the components end", params["offsets"])
	}
	for i, o := range v.offsets {
		if o <= 0 || i > 0 && o <= v.offsets[i-1] {
			return nil, v.paramError("offsets", "%q must be positive and ascending", params["offsets"])
		}
	}
	return v, nil
}

// Map with a hash fails for values that end before the last offset.
func (x *cfc) Map(dst []byte, v any) ([]byte, error) {
	if !rawSupported(v) {
		return dst, x.invalid(v, "a value of this Go type has no bytes")
	}
	if x.hash == nil {
		return appendRaw(dst, v), nil
	}
	if v == nil {
		return append(dst, NullKeyspaceID...), nil
	}
	var buf scratch
	raw := appendRaw(buf[:0], v)
	if need := x.offsets[len(x.offsets)-1]; len(raw) < need {
		return dst, x.invalid(v, "it is shorter than the last offset")
	}
	prev := 0
	for _, o := range x.offsets {
		dst = x.hash(dst, raw[prev:o])
		prev = o
	}
	return x.hash(dst, raw[prev:]), nil
}

// MapLikePrefix uses the components that the prefix covers whole.
func (x *cfc) MapLikePrefix(prefix []byte) (KeyRange, error) {
	if x.hash == nil {
		return PrefixRange(prefix), nil
	}
	var ids []byte
	prev := 0
	for _, o := range x.offsets {
		if o > len(prefix) {
			break
		}
		ids = x.hash(ids, prefix[prev:o])
		prev = o
	}
	return PrefixRange(ids), nil
}
