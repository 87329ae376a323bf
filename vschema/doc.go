// Package vschema says how tables are spread over keyspaces and shards.
//
// In flow a VSchema file (Vitess's JSON), ALTER VSCHEMA statements (Change) and
// what a table's own DDL says (ParseComment, AutoTable); out flow immutable
// snapshots (VSchema) in which the planner looks tables and their vindexes up:
//
//	JSON ── Parse ──▶ VSchema ── Bind(shards) ──▶ VSchema ── Apply(Change) ──▶ VSchema …
//	                     └── Marshal ──▶ JSON
//
// A snapshot is never changed once it is handed out: every function that
// changes something returns a new one, sharing what stayed the same. Readers
// must not write to the maps and slices in it. That makes snapshots safe for
// concurrent use.
//
// Names of tables and columns are compared without case and keep their
// spelling; names of keyspaces and vindexes are exact.
//
// The JSON is Vitess's (proto/vschema.proto) with three additions: the table
// type "unsharded" (a table of a sharded keyspace that lives on its first
// shard), "auto" on a keyspace, and an auto_increment without a sequence, which
// uses the sequence that the gate keeps for every table.
package vschema
