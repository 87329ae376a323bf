package vindex

// NullKeyspaceID is where NULL lives for every vindex that gives it no
// keyspace ID of its own: eight zero bytes, inside the first shard.
const NullKeyspaceID = "\x00\x00\x00\x00\x00\x00\x00\x00"

// Decimal is an exact decimal number in text form, such as "12.50".
type Decimal string

// HexNum is a hexadecimal literal in text form, such as "0x21cf". A vindex
// that hashes bytes takes the bytes it denotes, as Vitess does.
type HexNum string

// Vindex is what all vindexes have in common. A vindex is immutable and safe
// for concurrent use.
type Vindex interface {
	// Type is the registered name, such as "hash".
	Type() string
	// Cost ranks vindexes for routing; the lowest usable one wins. As in
	// Vitess 0 is an identity, 1 a computation, 10 a unique lookup, 20 a
	// non-unique one and 100 a last resort.
	Cost() int
	// Unique says that a value has at most one keyspace ID.
	Unique() bool
}

// SingleColumn is a vindex over one column.
type SingleColumn interface {
	Vindex
	// Map appends the keyspace ID of v to dst and returns the result. v is
	// nil, bool, int64, uint64, float64, string, []byte, Decimal or HexNum.
	// Neither dst nor v is retained. An error is a *ValueError, for which
	// errors.Is(err, ErrNoDestination) holds when the value has no keyspace ID.
	Map(dst []byte, v any) ([]byte, error)
}

// MultiColumn is a vindex over several columns.
type MultiColumn interface {
	Vindex
	// Columns is the number of values that MapMulti takes.
	Columns() int
	// MapMulti is SingleColumn.Map for a value of every column, in order.
	MapMulti(dst []byte, vs []any) ([]byte, error)
}

// PartialMapper is a multi-column vindex that can narrow the destination when
// only leading columns are known.
type PartialMapper interface {
	// MapPrefix gives the key range of all rows whose leading columns equal
	// vs; len(vs) is at least 1 and at most Columns().
	MapPrefix(vs []any) (KeyRange, error)
}

// Bound is one end of an interval of values. Unbounded wins over the other
// fields.
type Bound struct {
	Value     any
	Inclusive bool
	Unbounded bool
}

// RangeMapper is a vindex that can narrow an interval of values.
type RangeMapper interface {
	// MapRange gives key ranges, in ascending order, which together hold the
	// keyspace IDs of all non-NULL values between lo and hi. Bounds hold
	// canonical values of the column. None at all means that no value
	// qualifies (as for a NULL bound); a bound that the vindex's order says
	// nothing about gives the full range.
	MapRange(lo, hi Bound) ([]KeyRange, error)
}

// PrefixMapper is a vindex that can narrow LIKE 'prefix%'.
type PrefixMapper interface {
	// MapLikePrefix gives a key range that holds the keyspace IDs of all
	// values that begin with prefix, compared byte by byte.
	MapLikePrefix(prefix []byte) (KeyRange, error)
}

// TopologyAware is a vindex whose keyspace IDs depend on the keyspace's
// shards. Until it is bound, mapping is an error.
type TopologyAware interface {
	// WithShards returns a copy bound to the shards' key ranges, given in
	// ascending order. ranges is not retained. A row written by a vindex bound
	// to other shards has to be moved when its keyspace ID changes.
	WithShards(ranges []KeyRange) (Vindex, error)
}

// identity carries what a vindex says about itself.
type identity struct {
	typ, name string
	cost      int
}

func (id identity) Type() string { return id.typ }

func (id identity) Cost() int { return id.cost }

// Unique is true for all functional vindexes.
func (id identity) Unique() bool { return true }

// Name is the name that the VSchema gave the vindex.
func (id identity) Name() string { return id.name }
