package route

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/vindex"
)

// ShardMap is a keyspace's shards in key order.
type ShardMap struct {
	Keyspace string
	Names    []string
	Ranges   []vindex.KeyRange
	// Schema is the version of the keyspace's schema that statements are planned
	// with; every request to a shard carries it.
	Schema uint64
	// Printers print for the shards' engines, and refuse what those can't compute, so
	// that the gate does it; none: the engines are as able as the gate's own.
	Printers dialect.Printers
	// Speaks says, as an ordinal in Printers, which dialect each shard has; nil: all
	// have the first.
	Speaks []int
}

// Text gives a plan's text as a shard reads it.
func (m *ShardMap) Text(t *dialect.Text, shard int) *dialect.Text {
	if m.Speaks == nil {
		return t
	}
	return t.In(m.Speaks[shard])
}

// Printer gives what prints for a shard; able is for those as able as the gate's engine.
func (m *ShardMap) Printer(shard int, able dialect.Printer) dialect.Printer {
	switch {
	case m.Printers == nil:
		return able
	case m.Speaks == nil:
		return m.Printers[0]
	}
	return m.Printers[m.Speaks[shard]]
}

// DestKind is how a destination is computed.
type DestKind uint8

// How a destination is computed.
const (
	DestAll    DestKind = iota // every shard
	DestFirst                  // the first shard: unsharded tables; any shard would do for reference tables
	DestShard                  // the shard with ordinal Shard
	DestEqual                  // one row of values: one shard
	DestIn                     // several rows of values
	DestRange                  // between Lo and Hi
	DestPrefix                 // the leading columns of a multi-column vindex
	DestKeyspaceID
	DestList // the values, or keyspace IDs, in lists that steps have given
)

// Destination says which shards own the rows that a statement is about. Rows
// hold a source per vindex column.
type Destination struct {
	Kind       DestKind
	Shard      int
	KeyspaceID []byte
	Vindex     vindex.Vindex
	Columns    []vindex.Column
	Rows       [][]Source
	Lo, Hi     BoundSource
	// Also are more lists of values, for DestIn: the rows' value is in each.
	Also [][]Source
	// Guards are conditions without which there are no rows: where one isn't true,
	// the first shard answers for all.
	Guards []Source
	// Name is the vindex's name, for EXPLAIN. Lookup: the rows hold keyspace IDs
	// that a lookup was asked for.
	Name   string
	Lookup bool
}

// BoundSource is one end of a range at run time.
type BoundSource struct {
	Source
	Inclusive, Unbounded bool
}

// Scratch holds buffers that Resolve uses again. The zero value is ready; it
// belongs to one goroutine at a time.
type Scratch struct {
	ksid   [32]byte
	vals   []any
	shards []int
	parts  [][]any
}

// Value gives the source's value.
func (s Source) Value(args []any) any {
	if s.Arg < 0 {
		return s.Const
	}
	return args[s.Arg]
}

// Single says whether the destination is one shard whatever the arguments.
func (d *Destination) Single() bool {
	switch d.Kind {
	case DestFirst, DestShard, DestEqual, DestKeyspaceID:
		return true
	}
	return false
}

// Resolve gives the ordinals of the shards, ascending; the slice is valid until
// b is used again. It is never empty: a destination that nothing can be on
// resolves to the first shard, whose filter will find nothing.
func (d *Destination) Resolve(m *ShardMap, args []any, b *Scratch) ([]int, error) {
	out := b.shards[:0]
	if d.barred(args) {
		b.shards = append(out, 0)
		return b.shards, nil
	}
	var err error
	switch d.Kind {
	case DestAll:
		for i := range m.Names {
			out = append(out, i)
		}
	case DestFirst:
		out = append(out, 0)
	case DestShard:
		out = append(out, d.Shard)
	case DestKeyspaceID:
		out = append(out, max(0, vindex.Locate(m.Ranges, d.KeyspaceID)))
	case DestEqual:
		var i int
		if i, err = d.shardOf(m, d.Rows[0], args, b); i >= 0 {
			out = append(out, i)
		}
	case DestIn:
		out, err = d.resolveIn(m, args, b, out)
	case DestRange:
		out, err = d.resolveRange(m, args, out)
	case DestPrefix:
		out, err = d.resolvePrefix(m, args, b, out)
	case DestList:
		out, err = d.resolveList(m, args, b, out)
	}
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		out = append(out, 0)
	}
	b.shards = out
	return out, nil
}

// Split resolves an IN list and gives, for each shard, the values that it owns.
// Both slices are valid until b is used again.
func (d *Destination) Split(m *ShardMap, args []any, b *Scratch) ([]int, [][]any, error) {
	for len(b.parts) < len(m.Names) {
		b.parts = append(b.parts, nil)
	}
	for i := range b.parts {
		b.parts[i] = b.parts[i][:0]
	}
	rows, err := d.rows(args, b)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		i, err := d.shardOf(m, r, args, b)
		if err != nil {
			return nil, nil, err
		}
		if i >= 0 {
			b.parts[i] = append(b.parts[i], r[0].Value(args))
		}
	}
	out := b.shards[:0]
	n := 0
	for i := range m.Names {
		if len(b.parts[i]) > 0 {
			out = append(out, i)
			b.parts[n], b.parts[i] = b.parts[i], b.parts[n]
			n++
		}
	}
	if len(out) == 0 {
		out = append(out, 0)
		b.parts[0] = append(b.parts[0], nil)
		n = 1
	}
	b.shards = out
	return out, b.parts[:n], nil
}

// shardOf maps one row of values; -1 means that no shard can own it.
func (d *Destination) shardOf(m *ShardMap, row []Source, args []any, b *Scratch) (int, error) {
	ksid, err := d.keyspaceID(row, args, b)
	if ksid == nil || err != nil {
		return -1, err
	}
	return vindex.Locate(m.Ranges, ksid), nil
}

// keyspaceID maps one row of values; nil means that no row can have them. The
// result is valid until b is used again.
func (d *Destination) keyspaceID(row []Source, args []any, b *Scratch) ([]byte, error) {
	b.vals = b.vals[:0]
	for i, s := range row {
		v, err := vindex.Canonical(s.Value(args), d.Columns[i])
		if err != nil {
			return nil, err
		}
		b.vals = append(b.vals, v)
	}
	ksid, err := mapValues(d.Vindex, b.vals, b.ksid[:0])
	if errors.Is(err, vindex.ErrNoDestination) {
		return nil, nil
	}
	return ksid, err
}

func mapValues(v vindex.Vindex, vals []any, dst []byte) ([]byte, error) {
	switch v := v.(type) {
	case vindex.SingleColumn:
		return v.Map(dst, vals[0])
	case vindex.MultiColumn:
		return v.MapMulti(dst, vals)
	}
	return nil, fmt.Errorf("vindex type %q can't map values", v.Type())
}

// barred says whether a condition keeps all rows away.
func (d *Destination) barred(args []any) bool {
	for _, g := range d.Guards {
		switch g.Value(args) {
		case nil, int64(0), float64(0):
			return true
		}
	}
	return false
}

// rows gives the rows of values that are in all lists; none where a guard bars all.
func (d *Destination) rows(args []any, b *Scratch) ([][]Source, error) {
	rows := d.Rows
	if d.barred(args) {
		return nil, nil
	}
	for _, list := range d.Also {
		ids := map[string]bool{}
		for i := range list {
			id, err := d.keyspaceID(list[i:i+1], args, b)
			if err != nil {
				return nil, err
			}
			ids[string(id)] = true
		}
		var both [][]Source
		for _, r := range rows {
			id, err := d.keyspaceID(r, args, b)
			if err != nil {
				return nil, err
			}
			if ids[string(id)] {
				both = append(both, r)
			}
		}
		rows = both
	}
	return rows, nil
}

func (d *Destination) resolveIn(m *ShardMap, args []any, b *Scratch, out []int) ([]int, error) {
	rows, err := d.rows(args, b)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		i, err := d.shardOf(m, r, args, b)
		if err != nil {
			return nil, err
		}
		if i >= 0 {
			out = insertShard(out, i)
		}
		if len(out) == len(m.Names) {
			break
		}
	}
	return out, nil
}

// insertShard adds i to an ascending list that stays short.
func insertShard(list []int, i int) []int {
	for k, x := range list {
		switch {
		case x == i:
			return list
		case x > i:
			list = append(list, 0)
			copy(list[k+1:], list[k:])
			list[k] = i
			return list
		}
	}
	return append(list, i)
}

func (d *Destination) resolveRange(m *ShardMap, args []any, out []int) ([]int, error) {
	lo, err := d.bound(d.Lo, args)
	if err != nil {
		return nil, err
	}
	hi, err := d.bound(d.Hi, args)
	if err != nil {
		return nil, err
	}
	ranges, err := d.Vindex.(vindex.RangeMapper).MapRange(lo, hi)
	if err != nil {
		return nil, err
	}
	return shardsOfRanges(m, ranges, out), nil
}

func (d *Destination) bound(s BoundSource, args []any) (vindex.Bound, error) {
	if s.Unbounded {
		return vindex.Bound{Unbounded: true}, nil
	}
	v, err := vindex.Canonical(s.Value(args), d.Columns[0])
	return vindex.Bound{Value: v, Inclusive: s.Inclusive}, err
}

func (d *Destination) resolvePrefix(m *ShardMap, args []any, b *Scratch, out []int) ([]int, error) {
	for _, row := range d.Rows {
		b.vals = b.vals[:0]
		for i, s := range row {
			v, err := vindex.Canonical(s.Value(args), d.Columns[i])
			if err != nil {
				return nil, err
			}
			b.vals = append(b.vals, v)
		}
		r, err := d.Vindex.(vindex.PartialMapper).MapPrefix(b.vals)
		if errors.Is(err, vindex.ErrNoDestination) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = shardsOfRanges(m, []vindex.KeyRange{r}, out)
	}
	return out, nil
}

func shardsOfRanges(m *ShardMap, ranges []vindex.KeyRange, out []int) []int {
	for i, s := range m.Ranges {
		for _, r := range ranges {
			if s.Intersects(r) {
				out = insertShard(out, i)
				break
			}
		}
	}
	return out
}

// RowDest says which of an inserted row's values make its keyspace ID.
type RowDest struct {
	Vindex  vindex.Vindex
	Ordinal []int // in the row, one per vindex column; -1: absent, NULL
	Columns []vindex.Column
	Table   string
	// Names of the columns; a NULL for one that is NotNull is refused here, as
	// an engine might put a value of its own in its place.
	Names   []string
	NotNull []bool
}

// ShardOf gives the ordinal of the shard that a row belongs to.
func (d *RowDest) ShardOf(m *ShardMap, row []any, b *Scratch) (int, error) {
	ksid, err := d.keyspaceID(row, b)
	if err != nil {
		return 0, err
	}
	i := vindex.Locate(m.Ranges, ksid)
	if i < 0 {
		return 0, fmt.Errorf("table %s: keyspace ID %x is on no shard of keyspace %s", d.Table, ksid, m.Keyspace)
	}
	return i, nil
}

// KeyspaceID gives the keyspace ID of a row; the caller may keep it.
func (d *RowDest) KeyspaceID(row []any, b *Scratch) ([]byte, error) {
	ksid, err := d.keyspaceID(row, b)
	return slices.Clone(ksid), err
}

func (d *RowDest) keyspaceID(row []any, b *Scratch) ([]byte, error) {
	b.vals = b.vals[:0]
	for i, o := range d.Ordinal {
		var v any
		if o >= 0 {
			v = row[o]
		}
		if v == nil && i < len(d.NotNull) && d.NotNull[i] {
			return nil, errorf(CodeNotNull, -1, "column '%s' of table %s cannot be null", d.Names[i], d.Table)
		}
		c, err := vindex.Canonical(v, d.Columns[i])
		if err != nil {
			return nil, err
		}
		b.vals = append(b.vals, c)
	}
	ksid, err := mapValues(d.Vindex, b.vals, b.ksid[:0])
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", d.Table, err)
	}
	return ksid, nil
}
