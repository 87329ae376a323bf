// Package exec runs plans: a [route.Plan] and its arguments go in, rows or the
// answer of a write come out.
//
// The way of a read: [Bind] makes the plan's parameter vector; [Query] resolves
// each fragment's destination to shards and starts the fragment's statement on
// them; the plan's combine turns the shards' streams into one.
//
//	args ── Bind ──▶ vector ── Resolve ──▶ runs (fragment × shard)
//	runs ── one: the tablet's own stream; more: a producer each, bounded batches ──▶ streams
//	streams ── concat | merge | aggregate | hash joins | scratch database ──▶ DISTINCT ──▶ OFFSET, LIMIT ──▶ Rows
//
// One run needs no goroutine, no channel and no copy: its tablet.Rows is the
// result. More runs have a producer goroutine each, at most three batches of
// rows in flight, so that shards work side by side and memory doesn't grow with
// the result. What must be kept to answer (groups, DISTINCT's keys, a universal
// combine's tables, the rows that a write found) is counted against [Limits].
//
// A hash join keeps one side and streams the other. Which side is found out by
// reading: the one that conditions pick first, and its keys, if they are few, go
// to the other side's shards as an IN list; else both by turns, until one ends.
// When neither fits into memory, the same joins are views of a scratch database.
//
// The way of a write: [Exec] sends a statement for one shard straight there;
// everything that takes several executions runs in [Session.Atomically], with
// the shards' write locks taken in ascending order and, inside a transaction of
// the user's, a savepoint on each shard, so that a statement that fails leaves
// nothing behind.
//
// An INSERT … SELECT reads to its end, into a spill, before it writes, piece by
// piece: what the statement inserts it must not read.
//
// A write to a table with effects ([route.Effects]) runs their statements in the
// same scope, which is the Session of what runs inside it.
//
// The universal combine and constant expressions run in scratch databases,
// which the package pools; see [CloseIdle].
package exec
