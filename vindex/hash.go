package vindex

import (
	"crypto/cipher"
	"crypto/des"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/zeebo/xxh3"
)

// desBlock is DES under the key of eight zero bytes, the cipher of Vitess's
// hash vindex (its comments say 3DES, which under equal keys is DES).
var desBlock = func() cipher.Block {
	b, err := des.NewCipher(make([]byte, des.BlockSize))
	if err != nil {
		panic(err) // the key has the right length
	}
	return b
}()

func appendDES(dst []byte, n uint64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, n)
	id := dst[len(dst)-8:]
	desBlock.Encrypt(id, id)
	return dst
}

// hashVindex is Vitess's hash for integers and XXH3 for everything else.
type hashVindex struct{ identity }

func newHash(name string, params map[string]string) (Vindex, error) {
	v := &hashVindex{identity{"hash", name, 1}}
	return v, v.checkParams(params)
}

// Map never fails for the types it takes. A number with an integer value, in
// whatever spelling, hashes as that integer, so that equal values share a shard.
func (h *hashVindex) Map(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, NullKeyspaceID...), nil
	case int64:
		return appendDES(dst, uint64(v)), nil
	case int:
		return appendDES(dst, uint64(v)), nil
	case uint64:
		return appendDES(dst, v), nil
	case bool:
		n, _ := unsigned(v)
		return appendDES(dst, n), nil
	case float64:
		return hashFloat(dst, v), nil
	case string:
		return hashText(dst, v), nil
	case []byte:
		return hashText(dst, v), nil
	case Decimal:
		return hashText(dst, string(v)), nil
	}
	if !rawSupported(v) {
		return dst, h.invalid(v, "a value of this Go type can't be hashed")
	}
	return appendXXH3(dst, v), nil
}

func hashFloat(dst []byte, f float64) []byte {
	if n, ok := integralFloat(f); ok {
		return appendDES(dst, uint64(n))
	}
	if f > 0 && f < 1<<64 && f == math.Trunc(f) {
		return appendDES(dst, uint64(f))
	}
	var buf scratch
	return binary.BigEndian.AppendUint64(dst, xxh3.Hash(strconv.AppendFloat(buf[:0], f, 'g', -1, 64)))
}

// hashText treats text that denotes a number as that number: it is coarser
// than the equality of text, which is harmless, and it is what Vitess does for
// unsigned integers.
func hashText[T string | []byte](dst []byte, s T) []byte {
	if n, ok := parseUint(s); ok {
		return appendDES(dst, n)
	}
	if len(s) > 0 && s[0] <= '9' { // a digit, sign, point or blank
		if n, f, isInt, ok := parseNumber(string(s)); ok {
			if isInt {
				return appendDES(dst, uint64(n))
			}
			return hashFloat(dst, f)
		}
	}
	return binary.BigEndian.AppendUint64(dst, sumXXH3(s))
}

func sumXXH3[T string | []byte](s T) uint64 {
	if b, ok := any(s).([]byte); ok {
		return xxh3.Hash(b)
	}
	return xxh3.HashString(string(s))
}

// xxhashVindex is Vitess's xxhash: XXH64 with seed 0, little-endian.
type xxhashVindex struct{ identity }

func newXXHash(name string, params map[string]string) (Vindex, error) {
	v := &xxhashVindex{identity{"xxhash", name, 1}}
	return v, v.checkParams(params)
}

func (x *xxhashVindex) Map(dst []byte, v any) ([]byte, error) {
	var sum uint64
	switch v := v.(type) {
	case string:
		sum = xxhash.Sum64String(v)
	case []byte:
		sum = xxhash.Sum64(v)
	default:
		if !rawSupported(v) {
			return dst, x.invalid(v, "a value of this Go type can't be hashed")
		}
		var buf scratch
		sum = xxhash.Sum64(appendRaw(buf[:0], v))
	}
	return binary.LittleEndian.AppendUint64(dst, sum), nil
}

// xxh3Vindex is XXH3-64 of the value's bytes, big-endian. Numbers are hashed in
// one spelling: 3, 3.0 and the decimal 3.00 share a keyspace ID.
type xxh3Vindex struct{ identity }

func newXXH3(name string, params map[string]string) (Vindex, error) {
	v := &xxh3Vindex{identity{"xxh3", name, 1}}
	return v, v.checkParams(params)
}

func (x *xxh3Vindex) Map(dst []byte, v any) ([]byte, error) {
	if v == nil {
		return append(dst, NullKeyspaceID...), nil
	}
	if !rawSupported(v) {
		return dst, x.invalid(v, "a value of this Go type can't be hashed")
	}
	return appendXXH3(dst, v), nil
}

func appendXXH3(dst []byte, v any) []byte {
	return binary.BigEndian.AppendUint64(dst, hashXXH3(v))
}

// hashXXH3 is XXH3-64 with seed 0 of the value's bytes, numbers in one spelling.
func hashXXH3(v any) uint64 {
	switch v := v.(type) {
	case string:
		return xxh3.HashString(v)
	case []byte:
		return xxh3.Hash(v)
	case float64:
		var buf scratch
		return xxh3.Hash(appendCanonicalNumber(buf[:0], v))
	case Decimal:
		if n, f, isInt, ok := parseNumber(string(v)); ok {
			if isInt {
				return hashXXH3(n)
			}
			return hashXXH3(f)
		}
	}
	var buf scratch
	return xxh3.Hash(appendRaw(buf[:0], v))
}
