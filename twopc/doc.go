// Package twopc commits a transaction over several shards: participants, each a
// transaction on one tablet, come in; they are all committed or all rolled back,
// whoever crashes and whenever.
//
// This is the manual of the protocol. Package protocol has it as state machines,
// package sim proves them against loss, disorder and crashes, and [Commit] and
// [Recover] drive them in production.
//
// # Who is who
//
// A participant is the transaction on one shard. From its first write it holds
// the shard's write lock. The coordinator runs where COMMIT was said; it is
// volatile, and one that dies is not replaced. The holder keeps the decision: it
// is the one place that says what became of a transaction. There are two kinds.
// The shards of one directory share a redo log, which is the holder of all their
// transactions. Where the shards are apart, each transaction's last participant
// is its holder, and the decision is a row that its own commit writes.
//
// Participants that wrote nothing take no part, and a single writer commits by
// itself: neither comes here. What the former have locked, they let go of when the
// transaction is decided and, where [Commit] waits for that, shows: whoever writes
// there next comes after it, and must not be seen before it.
//
// # The way of a commit
//
//	coordinator          participants                 holder
//	  Prepare ──────────▶ keep the redo
//	          ◀────────── Prepared
//	  Decide ───────────────────────────────────────▶ write the decision
//	          ◀─────────────────────────────────────── Decided
//	  (the client is told)
//	  Commit ───────────▶ commit, with the marker
//	          ◀────────── Committed; drop the redo, then the marker
//	  Forget ───────────────────────────────────────▶ drop the decision
//
// The durable rounds that a client waits for are two: the redo, N-1 participants
// side by side, and the decision, which is the last participant's own commit. The
// N-1 commits and what is dropped need not be waited for: 2N-1 writes that are made
// durable, in all. With a shared log there is one write in all: a crash takes log
// and participants alike, so that the redo of all of them need only be durable with
// the decision, and is written in its record, and the commits need not be durable
// as long as that is there. [Commit] waits for the commits all the same, so that
// whoever reads next sees them; when one of them hangs behind, it says so by an
// [UnfinishedError]. [CommitEarly] returns at the decision and leaves a [Rest], for
// a caller who sees to it that its own readers wait.
//
// When a participant refuses, or is silent, the coordinator says Abort to all:
// it has not said Decide, so that there can be no decision. When the holder is
// silent, the coordinator repeats Decide, and in the end tells its client that
// the outcome is unknown. Never does anybody take silence for an answer.
//
// # What is written, by whom, and when it goes
//
//	redo      participant  before Prepared                   when it has committed or was told to roll back
//	decision  holder       in its commit, or the log's write when all participants have committed
//	marker    participant  in its commit                     when its redo (or the log's record) is gone from the disk
//	tombstone holder       in memory, when it is asked       when the transaction that held its lock then has ended
//
// The redo is the transaction's statements with all values bound. A participant
// whose engine can hold a prepared transaction open commits that; after a crash,
// or where the engine can't, it runs the redo again, under the lock that it never
// gave up and in the state in which it promised. After a crash it takes the lock
// back before it lets any writer in. A shard's newest redo is the only one that
// can be in doubt: that it could be written proves that the lock had been free.
//
// # Silence
//
// A participant that has promised nothing may roll back at any time. One that has
// asks the holder, again and again, and keeps its lock. The holder answers
// "commits" when the decision is durable, nothing while it is being written, and
// "aborts" when it knows nothing (presumed abort). With that last answer it must
// see to it that a coordinator who comes late can't decide after all: it sets a
// tombstone, on which Decide fails.
//
// The holder of a decision whose coordinator is gone says Commit to those who have
// not confirmed. A participant that doesn't know the transaction answers that it
// has committed: see below why that is true.
//
// # Why it holds
//
// Agreement. Only the holder decides, and once: the record is in one commit or one
// write. It decides only when all have promised, and a promise survives crashes,
// since the redo is on the disk before the word is given. What was promised is
// undone only on the word that it aborts. The coordinator gives it before it has
// said Decide, or when the holder has refused; the holder gives it when there is
// no record and none can come.
//
// No record can come: Decide is accepted only from the transaction that carries
// it, while that is open. It wrote before the others were asked to prepare, so that
// it holds the holder's write lock when anybody asks. If the lock is free then, the
// transaction has ended, and nothing is left to be guarded against. If it is held,
// the tombstone stays until it is let go, and a crash, which loses the tombstone,
// ends whoever holds the lock. So tombstones need no disk, no clock, and don't
// pile up.
//
// A participant that knows nothing has committed, when it is told to: the decision
// was made, so that it had promised; a promise ends by Commit or by Abort, and
// nobody says Abort of what is decided. And the decision is kept until everybody
// has committed, so that whoever promised and asks gets it.
//
// Once. A commit leaves a marker in the same transaction of the engine. A redo that
// is found after a crash is not run where its marker is. The marker goes only when
// that redo can't be found any more.
//
// No lock is held for ever. A participant that holds one has promised nothing, and
// its age ends it; or asks a holder, which answers as soon as it is up.
//
// A refusal that is not one. A coordinator that has lost the answer to its Decide
// may find that the holder knows the transaction no more: it was refused, or it was
// decided, done and forgotten. That it can't tell apart, and it says so: the outcome
// is unknown. Abort, which it sends then, can do no harm in either case.
//
// # Failing after the decision
//
// A participant that can't commit after the decision, such as for a full disk, is
// in an [UnfinishedError], whose owner tries on. Tests make the process die at any
// [Point].
package twopc
