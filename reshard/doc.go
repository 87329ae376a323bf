// Package reshard spreads a data directory's rows over other shards.
//
//	directory, shards wanted ──▶ settle ──▶ plan ──▶ copy ──▶ verify ──▶ switch ──▶ put the old aside
//
// The directory is locked from the beginning to the end, and its databases are only
// read: all is made anew beside them, in the folder of the next generation (see
// package topo), whose databases have the same tables. Then one rename makes that the
// directory's, so that a crash at any moment leaves the one or the other, and what was
// replaced is put aside as a directory of its own.
//
// # Plan
//
// Everything is done before that can refuse: the VSchema is bound to the new shards,
// what several shards need beyond one (hidden tables of unique keys, foreign keys of
// the gate's) is planned by package ddl, and each table gets a job: where its rows are
// read, where they are kept, and what becomes of values that tell where other rows
// are, if these move to other keyspace IDs.
//
// # Copy
//
// One reader takes a job's rows in the order of their row IDs, shard after shard, and
// a writer for each new shard inserts what the reader gives it, without indexes, which
// are made at the end of the job. Every so many rows all writers commit, each with a
// note in its own database that says how far it has come. So a run that was killed
// goes on from there, as long as the old files are as it left them, which their sizes,
// times and headers tell; else it begins anew.
//
// # Verify
//
// Old and new databases are read once more. Of each table the numbers of rows must
// agree, and the sums of the rows' hashes, and every row must be on the shard that it
// will be looked for.
package reshard
