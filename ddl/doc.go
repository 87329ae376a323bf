// Package ddl plans schema changes. In go a DDL statement, the schema, the
// VSchema and what the keyspace is like; out comes a [Change]: the statements
// that every shard runs, in its own dialect, and what the catalog, the schema
// snapshot, the VSchema and the sequences become. Nothing is read, nothing is
// written: the caller runs the whole change in one distributed transaction, or
// drops it.
//
// The way through the package: [Plan] makes a planner over a working copy of
// schema and VSchema; each kind of statement has its file (create, alter, drop,
// rename, view, vschema) and moves the working copy step by step; canon.go
// checks a definition and gives everything a name; sharding.go decides where a
// new table's rows live; unique.go and lookup.go see to unique keys that shards
// can't keep by themselves, foreign.go to foreign keys, and has tables made anew
// whose keys change hands between the shards and the gate, also in other keyspaces
// that foreign keys tie to this one; copies.go looks after copies of other keyspaces'
// tables; last, the difference between the working copy and what there was becomes
// the Change.
package ddl
