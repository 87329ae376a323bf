// Package sim drives the machines of package protocol, the same code as in
// production, through everything that can go wrong: messages that are lost,
// doubled, late and out of order, timeouts at any moment, disks that refuse, and
// crashes of any node at any step, which lose what wasn't durable and sometimes
// keep what nobody was told of.
//
// A [World] is a few shards and the gates that coordinate, or one process of
// shards that share a log. [Run] lets a seed choose what happens next; then the
// world is healed and has to come to rest: see World.check for what must hold.
// The seed is all that a run depends on, so that a failure can be looked at
// again with its trace. A [Flaw] breaks the protocol in one place; the tests
// prove that the simulator finds each. A golden script, in testdata, plays one
// schedule step by step.
package sim
