// Package lease keeps a database that many processes can reach to one owner at a time.
//
//	Take ──Claim──▶ the database's row: who, until when (by the database's clock)
//	  │
//	  ├─ every quarter of the lease ──Renew──▶ moves the end on
//	  ├─ Held: may this process still read?    refused once the lease may be over
//	  ├─ Renew: at once, where the database had no time for it by itself
//	  ├─ Taken: the row names another one      refused for ever
//	  └─ Close ──Release──▶ the next one needn't wait
//
// A lease alone is a matter of clocks, so reads and writes rest on different grounds.
//
// # Reads: two clocks, and which way they err
//
// The database lets another owner in when the time that it wrote is over by its own
// clock. The owner counts from before it sent the request that moved the end on, and
// counts a [Margin] less. So it stops first, unless its clock runs slower than the
// database's by more than the margin is of the lease: 1 s of 15 s. Its clock is the
// faster one of the machine's two, since one of them stands still while the machine sleeps.
//
// # Writes: a fence
//
// No clock is asked. A transaction that writes takes the row that names the owner, which
// all writers take, and moves its turn on where it still is the owner's: a process that was
// taken for dead finds another one's name there. The engines do so in a dialect of their own.
//
// # The turn
//
// When a connection breaks under a COMMIT, reading that row again, behind the lock that
// the old transaction had, says that this one has ended, and by the turn how: [Lease.Settle].
package lease
