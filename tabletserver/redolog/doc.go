// Package redolog is the log that all embedded shards of a directory share:
// where a distributed transaction is decided. A tablet that keeps the redo of
// what it has prepared for a holder elsewhere keeps it in such a file too; there
// a record is a promise, and decides nothing.
//
// When every participant has prepared, what replays their writes goes in by
// [Log.Append]. Its return is the commit point: the transaction is decided,
// with one fsync, which concurrent appends share. Then the participants commit,
// and [Log.Done] tells that they all have. After a crash [Log.Recover] gives
// back what was decided, in order, for the shards to run again what they lack.
// When nothing is under way and the file has grown, it is emptied.
//
// # The file
//
// It begins with the 8 bytes "vtredo01" and 8 random bytes, the epoch, which is
// another one whenever the file is emptied. Frames follow, each written by one
// write and made durable before the next one is begun:
//
//	length    uint32, little-endian, of the payload
//	checksum  uint32, CRC-32C of the payload
//	header    uint32, CRC-32C of epoch, the frame's offset as uint64, length and checksum
//	payload
//
// A payload is one or more entries:
//
//	entry  = dtid, count of redos, redos
//	redo   = keyspace, shard, flags byte, holder if flagged, place if flagged, count of queries, queries
//	holder = keyspace, shard
//	place  = after, state
//	query  = SQL, batch, count of values, values
//	value  = tag byte, data: 0 nil | 1 int64, zigzag varint | 2 float64,
//	         8 bytes of IEEE 754, little-endian | 3 string | 4 blob
//
// where the flags are 1, foreign keys unchecked, 2, the decision's holder follows,
// and 4, a place follows; counts are unsigned varints, and texts and blobs are
// preceded by their length as one.
//
// Zeroes may stand behind the last frame: the file is lengthened by more than it
// needs, since that is what makes a record slow to become durable.
//
// The last frame of a file may be torn by a crash: its append
// has never returned, so that it is cut off. Since the checksum of a header
// covers where it stands, a frame that is found behind a damaged one proves that
// the damage is no torn end, and the log isn't used.
//
// A log that is opened with sync=false doesn't wait for the disk. Its file begins
// with "vtredo00", and a loss of power may take any frame, so that what is damaged
// is left out. Then records that have lost their predecessors are found: their
// places tell. The file's beginning, and that it was emptied, are durable always.
package redolog
