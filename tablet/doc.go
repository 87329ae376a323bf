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
// The package holds no implementation: package tabletserver has the embedded
// one.
package tablet
