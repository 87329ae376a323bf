// Package vindex turns column values into keyspace IDs and keyspace IDs into
// shards.
//
// In flow a column's value (already in its canonical form, see Canonical) and
// a vindex; out flows a keyspace ID, a byte string whose place in the ordered
// space of keyspace IDs says which shard owns the row:
//
//	value ── Canonical(column) ──▶ canonical value ── Map ──▶ keyspace ID ── KeyRange.Contains ──▶ shard
//
// The types binary, binary_md5, cfc, hash, multicol, null, numeric,
// numeric_static_map, region_experimental, region_json, reverse_bits,
// unicode_loose_md5, unicode_loose_xxhash and xxhash give byte for byte the
// keyspace IDs of the vindexes of the same name in Vitess 0.24. The types
// consistent_hash, range and xxh3 are additions.
//
// Three things differ from Vitess on purpose:
//
//   - NULL always has a place. Where Vitess finds no destination for it, its
//     keyspace ID is eight zero bytes, which the first shard owns.
//   - hash takes every value. What Vitess's hash refuses is hashed by XXH3
//     over its canonical form, so that any column can carry it.
//   - Ranges derived from BETWEEN include their upper end (see RangeMapper).
//
// Equal values must share a shard, so a value is brought into one
// representative of its equality class before it is mapped. Canonical does
// that for a column's affinity, collation and temporal type.
//
// Everything here is free of I/O and safe for concurrent use, except that
// building a numeric_static_map or region_json vindex may read the file its
// parameters name.
package vindex
