// Package protocol is the distributed commit as three state machines, with no
// I/O, no goroutine and no clock: [Coordinator], [Participant] and [Keeper].
//
// What happens goes in as a [Msg], and what is to be done comes out as several:
// what one machine says is what another one hears, and the rest is between a
// machine and whoever drives it. Package twopc drives them in production, for
// shards in this process and elsewhere; package twopc/sim drives the same code
// through lost messages and crashes. Package twopc's documentation is the
// protocol's manual; here is what each machine does and why.
//
// A machine belongs to one goroutine at a time. Every message may come late,
// twice or never, and a [Timeout] at any moment: a clock decides nothing.
package protocol
