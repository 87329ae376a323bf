// Package tabletserver is the embedded tablet: it serves one shard's SQLite
// database through the contract of package tablet.
//
// A statement comes in with its values; rows or a result go out, on the
// caller's goroutine. Reads in autocommit take a connection from a free list,
// find their prepared statement on it and step it for the caller. A write, or a
// transaction that begins to write, first takes the shard's write lock in a
// fair queue, so that SQLite never has to say that it is busy. Package waits has the
// queue, and what keeps transactions from waiting for each other for ever.
//
//	Query ──▶ reader pool ──▶ connection with a sticky snapshot ──▶ Rows
//	Exec  ──▶ write queue ──▶ writer connection ──▶ COMMIT ──▶ checkpoint, sometimes
//	Begin ──▶ Tx: a reader until its first write, then it holds the write queue
//
// # Engines
//
// SQLite in this process is the engine that a tablet has by itself. Another one comes
// as an [Engine] in its Config. It gives connections, and they statements; all that
// is above them is the same code. What is about the database's files has no meaning
// there, reads in autocommit keep no snapshot open, and what is prepared is kept in the
// database's table _vt_redo. Whether rows come as they are read, or whole, is the
// engine's to say.
//
// # Sticky snapshots
//
// Most of the cost of a point select in autocommit is the system calls of
// SQLite's read transaction. A pooled reader keeps its read transaction open
// between statements, and renews it only when the tablet's commit counter has
// moved. The counter moves before a commit can be seen, when it is durable, and
// again before its caller hears of it, and in between no older snapshot is trusted.
// So a reader never sees less than what was committed before it asked, nor less
// than what another reader has seen before. Nobody but the tablet may write to the
// file.
//
// An open read transaction keeps SQLite from starting the write-ahead log over.
// So a checkpoint, which the tablet runs itself after every few hundred pages,
// first ends the transactions of idle readers.
//
// # Snapshots of one moment
//
// Snapshot keeps a reader's snapshot for several streams, and says whether it is
// still the newest one: several shards' snapshots that all are, after the last was
// taken, show one moment. HoldCommits makes such a moment where commits come too
// fast to find one.
//
// # Transactions across shards
//
// A Tx keeps what replays its writes. Prepare checks what could still refuse the
// commit, and leaves the distributed transaction's marker in the table
// _vt_applied, inside the transaction. What follows is the participant of package
// protocol; package twopc's documentation says who does what when.
//
// Shards of one directory share a log: the caller makes the redo of all of them
// durable there, with the decision, in the log of package redolog. Their own
// commits don't wait for the disk: [Tablet.SyncLog] does, for many at once, before
// the log is emptied. After a crash [Tablet.Load] gives the participant of what was
// decided, to be committed: it replays what isn't there yet; the marker tells. Where
// commits aren't durable by themselves, [Tablet.Standing] tells whether what came
// before it is still there.
//
// A tablet that is prepared for a holder elsewhere keeps its redo itself, in a
// file beside the database, and finds it there after a crash, before it lets
// anybody write. Where commits aren't durable by themselves, those before it are made so
// first, unless they are already. As a holder it writes the decision to the table
// _vt_decided, by the deciding transaction's own commit. When coordinators are silent it
// asks and tells its peers by itself.
package tabletserver
