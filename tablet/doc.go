// Package tablet is the contract between the gate, which plans and merges,
// and a tablet, which owns one shard's database.
//
// Data flows one way: the gate sends a [Query] (SQL text in the engine's own
// dialect plus bound values) and gets back a [Rows] stream or a [Result]; a
// transaction on one shard is a [Tx], and the calls Prepare, CommitPrepared and
// RollbackPrepared make it a participant of a distributed commit. Everything
// that crosses the contract is a plain value, so that a tablet may live in the
// same process or at the far end of a wire.
//
// A query carries the version of the schema that it was planned with, and a tablet
// whose schema has moved on refuses it ([Query.Schema], [Tx.SetSchema]): so a gate
// that plans by an old schema can't do harm.
//
// The package holds no implementation: package tabletserver has the embedded
// one.
package tablet
