// Package faultfs is a file system for tests that fails when it is told to, and
// that knows what a loss of power would leave of it.
//
// An [FS] stands on a directory of the operating system, which is what the
// running program sees. It counts every operation, those of the engine's files
// too, and asks a [Rule] about each of them, which may let it fail, or write only
// a part first. All that changes files goes into a journal. From that,
// [FS.Crash] makes the directory that a loss of power after any number of
// operations may have left, by the rules of a strict file system:
//
//   - What a file held at its last successful sync is there. Of later writes each
//     sector may be there or not, whatever came before or after it, and so each
//     change of the file's length.
//   - A sync that failed has made nothing durable, and neither will a later one of
//     what was written before it.
//   - A name that was created, changed or removed since its directory was last
//     synced may be as before or as after.
//
// Index files in shared memory (-shm) are not part of that: the engine makes
// them anew. Crash leaves rubbish in their place.
package faultfs
