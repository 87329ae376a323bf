package vindex

import (
	"crypto/md5"
)

// binaryVindex is the identity over bytes.
type binaryVindex struct{ identity }

func newBinary(name string, params map[string]string) (Vindex, error) {
	v := &binaryVindex{identity{"binary", name, 0}}
	return v, v.checkParams(params)
}

func (x *binaryVindex) Map(dst []byte, v any) ([]byte, error) {
	if !rawSupported(v) {
		return dst, x.invalid(v, "a value of this Go type has no bytes")
	}
	return appendRaw(dst, v), nil
}

// MapRange narrows only where byte order is the engine's order. SQLite sorts
// numbers below text below blobs, so a half-open interval takes in values of
// another class, whose bytes may be anywhere: such an interval, and one with a
// number for a bound, gives the full range.
func (x *binaryVindex) MapRange(lo, hi Bound) ([]KeyRange, error) {
	if nullBound(lo) || nullBound(hi) {
		return nil, nil
	}
	start, loClass := boundBytes(lo)
	end, hiClass := boundBytes(hi)
	switch {
	case loClass == textBound && hiClass == textBound, loClass == blobBound && hiClass == blobBound:
		return byteInterval(start, end, hi.Inclusive), nil
	case loClass == blobBound && hi.Unbounded:
		return []KeyRange{{Start: string(trimZeros(start))}}, nil
	case loClass == blobBound && hiClass == textBound:
		return nil, nil
	}
	return []KeyRange{{}}, nil
}

type boundClass uint8

const (
	otherBound boundClass = iota
	textBound
	blobBound
)

func boundBytes(b Bound) ([]byte, boundClass) {
	if b.Unbounded {
		return nil, otherBound
	}
	switch v := b.Value.(type) {
	case string:
		return []byte(v), textBound
	case []byte:
		return v, blobBound
	}
	return nil, otherBound
}

// byteInterval covers the keyspace IDs of the byte strings from lo up to hi.
// Keyspace IDs that differ in trailing zeros are one, so an exclusive lower end
// can't be used, and neither can an exclusive upper end with trailing zeros.
func byteInterval(lo, hi []byte, inclusive bool) []KeyRange {
	if string(lo) > string(hi) || string(lo) == string(hi) && !inclusive {
		return nil
	}
	end := string(hi)
	if inclusive || len(trimZeros(hi)) < len(hi) {
		end += "\x00\x01" // above hi in any number of zeros
	}
	return []KeyRange{{Start: string(trimZeros(lo)), End: end}}
}

// binaryMD5 is Vitess's binary_md5: MD5 of the value's bytes.
type binaryMD5 struct{ identity }

func newBinaryMD5(name string, params map[string]string) (Vindex, error) {
	v := &binaryMD5{identity{"binary_md5", name, 1}}
	return v, v.checkParams(params)
}

func (x *binaryMD5) Map(dst []byte, v any) ([]byte, error) {
	if !rawSupported(v) {
		return dst, x.invalid(v, "a value of this Go type has no bytes")
	}
	var buf scratch
	var sum [md5.Size]byte
	if b, ok := v.([]byte); ok {
		sum = md5.Sum(b)
	} else {
		sum = md5.Sum(appendRaw(buf[:0], v))
	}
	return append(dst, sum[:]...), nil
}

// nullVindex is Vitess's null: every value lives on the first shard.
type nullVindex struct{ identity }

func newNull(name string, params map[string]string) (Vindex, error) {
	v := &nullVindex{identity{"null", name, 100}}
	return v, v.checkParams(params)
}

func (x *nullVindex) Map(dst []byte, _ any) ([]byte, error) {
	return append(dst, 0), nil
}

// MapRange: whatever the interval, its rows are where all rows are (Vitess
// scatters here).
func (x *nullVindex) MapRange(_, _ Bound) ([]KeyRange, error) {
	return []KeyRange{{End: "\x01"}}, nil
}
