package vindex

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/bits"
	"os"
	"strconv"
)

const needsUnsigned = "it takes integers from 0 to 18446744073709551615"

// numericVindex is the identity over unsigned integers, big-endian.
type numericVindex struct{ identity }

func newNumeric(name string, params map[string]string) (Vindex, error) {
	v := &numericVindex{identity{"numeric", name, 0}}
	return v, v.checkParams(params)
}

func (x *numericVindex) Map(dst []byte, v any) ([]byte, error) {
	if v == nil {
		return append(dst, NullKeyspaceID...), nil
	}
	n, ok := unsigned(v)
	if !ok {
		return dst, x.noDestination(v, needsUnsigned)
	}
	return binary.BigEndian.AppendUint64(dst, n), nil
}

// MapRange narrows bounds that are numbers; a text bound compares in another
// order and narrows nothing. Both ends are as inclusive as they say (Vitess
// 0.24 leaves the upper end out).
func (x *numericVindex) MapRange(lo, hi Bound) ([]KeyRange, error) {
	if nullBound(lo) || nullBound(hi) {
		return nil, nil
	}
	first, okLo, someLo := lowestUnsigned(lo)
	last, okHi, someHi := highestUnsigned(hi)
	if !okLo || !okHi {
		return []KeyRange{{}}, nil
	}
	if !someLo || !someHi || first > last {
		return nil, nil
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], first)
	r := KeyRange{Start: string(trimZeros(b[:]))}
	if last < math.MaxUint64 {
		binary.BigEndian.PutUint64(b[:], last+1)
		r.End = string(b[:])
	}
	return []KeyRange{r}, nil
}

func nullBound(b Bound) bool { return !b.Unbounded && b.Value == nil }

// lowestUnsigned is the smallest unsigned integer that satisfies a lower
// bound; known is false for a bound of another kind, some when none satisfies it.
func lowestUnsigned(b Bound) (n uint64, known, some bool) {
	if b.Unbounded {
		return 0, true, true
	}
	floor, exact, side, known := floorUnsigned(b.Value)
	switch {
	case !known || side > 0:
		return 0, known, false
	case side < 0 || exact && b.Inclusive:
		return floor, true, true
	case floor == math.MaxUint64:
		return 0, true, false
	}
	return floor + 1, true, true
}

// highestUnsigned is lowestUnsigned for an upper bound.
func highestUnsigned(b Bound) (n uint64, known, some bool) {
	if b.Unbounded {
		return math.MaxUint64, true, true
	}
	floor, exact, side, known := floorUnsigned(b.Value)
	switch {
	case !known || side < 0:
		return 0, known, false
	case side > 0:
		return math.MaxUint64, true, true
	case exact && !b.Inclusive:
		return floor - 1, true, floor > 0
	}
	return floor, true, true
}

// floorUnsigned rounds a number down to an unsigned integer; side is -1 below
// and 1 above all of them.
func floorUnsigned(v any) (floor uint64, exact bool, side int, known bool) {
	switch v := v.(type) {
	case bool:
		n, _ := unsigned(v)
		return n, true, 0, true
	case int:
		return floorUnsigned(int64(v))
	case int64:
		if v < 0 {
			return 0, false, -1, true
		}
		return uint64(v), true, 0, true
	case uint64:
		return v, true, 0, true
	case float64:
		switch {
		case v < 0:
			return 0, false, -1, true
		case v >= 1<<64:
			return math.MaxUint64, false, 1, true
		case v == v:
			return uint64(v), v == math.Trunc(v), 0, true
		}
	case Decimal:
		if n, ok := parseUint(string(v)); ok {
			return n, true, 0, true
		}
		if n, f, isInt, ok := parseNumber(string(v)); ok && isInt {
			return floorUnsigned(n)
		} else if ok {
			return floorUnsigned(f)
		}
	}
	return 0, false, 0, false
}

// reverseBits is Vitess's reverse_bits: the bits of an unsigned integer in
// reverse, big-endian.
type reverseBits struct{ identity }

func newReverseBits(name string, params map[string]string) (Vindex, error) {
	v := &reverseBits{identity{"reverse_bits", name, 1}}
	return v, v.checkParams(params)
}

func (x *reverseBits) Map(dst []byte, v any) ([]byte, error) {
	if v == nil {
		return append(dst, NullKeyspaceID...), nil
	}
	n, ok := unsigned(v)
	if !ok {
		return dst, x.noDestination(v, needsUnsigned)
	}
	return binary.BigEndian.AppendUint64(dst, bits.Reverse64(n)), nil
}

// staticMap is Vitess's numeric_static_map: a table from integer to integer.
// Integers outside the table go to the fallback vindex, or stay as they are.
type staticMap struct {
	identity
	table    map[uint64]uint64
	fallback SingleColumn // nil: the integer itself
}

func newNumericStaticMap(name string, params map[string]string) (Vindex, error) {
	v := &staticMap{identity: identity{"numeric_static_map", name, 1}}
	if err := v.checkParams(params, "json", "json_path", "fallback_type"); err != nil {
		return nil, err
	}
	text, inline := params["json"]
	path, file := params["json_path"]
	if inline == file {
		return nil, v.paramError("json", "give the table either here or as a file in json_path")
	}
	param := "json"
	if file {
		param = "json_path"
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, v.paramError(param, "can't read the table: %v", err)
		}
		text = string(b)
	}
	var raw map[string]json.Number
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, v.paramError(param, "want an object from integer to integer: %v", err)
	}
	v.table = make(map[uint64]uint64, len(raw))
	for k, n := range raw {
		from, err1 := strconv.ParseUint(k, 10, 64)
		to, err2 := strconv.ParseUint(n.String(), 10, 64)
		if err1 != nil || err2 != nil {
			return nil, v.paramError(param, "entry %q: %s must go from an unsigned 64-bit integer to another", k, n)
		}
		v.table[from] = to
	}
	if typ, ok := params["fallback_type"]; ok {
		var err error
		if v.fallback, err = v.subVindex("fallback_type", typ, nil); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (x *staticMap) Map(dst []byte, v any) ([]byte, error) {
	if v == nil {
		return append(dst, NullKeyspaceID...), nil
	}
	n, ok := unsigned(v)
	if !ok {
		return dst, x.noDestination(v, needsUnsigned)
	}
	to, ok := x.table[n]
	if ok {
		n = to
	} else if x.fallback != nil {
		return x.fallback.Map(dst, v)
	}
	return binary.BigEndian.AppendUint64(dst, n), nil
}

// subVindex builds the vindex that a parameter names for use inside another
// one: it must map one column by computation alone.
func (id identity) subVindex(param, typ string, params map[string]string) (SingleColumn, error) {
	v, err := New(typ, id.name+"."+typ, params)
	if err != nil {
		return nil, id.paramError(param, "%v", err)
	}
	single, ok := v.(SingleColumn)
	_, bound := v.(TopologyAware)
	if !ok || bound || !v.Unique() || typ == "null" || typ == "cfc" {
		return nil, id.paramError(param, "vindex type %s can't be used inside another one, use one that hashes a single column, such as hash or xxhash", typ)
	}
	return single, nil
}
