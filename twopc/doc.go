// Package twopc commits a transaction over several shards: participants, each a
// transaction on one tablet, come in; they are all committed or all rolled back.
//
// Participants that wrote nothing drop out; a single writer commits by itself.
// With more, every writer is prepared, the decision with all redo goes to the
// [Log], whose answer is the commit point, and then the writers commit. What a
// crash leaves is settled by the log's records: a transaction that is in it is
// replayed where its marker lacks, any other never happened (presumed abort). A
// participant that can't commit after the decision is in an [UnfinishedError],
// whose owner tries on. Tests make the process die at any [Point].
package twopc
