// Package host keeps the tablets of one data directory for a server: any number
// of them by name, opened at first use and closed when idle.
//
//	name ──▶ catalog: is it served? ──▶ Shard ──▶ tabletserver.Tablet, opened now or before
//
// The catalog is a tablet of the host like the others, which gates read and write
// by statements. It says which shards are served: a request never makes one. The
// host looks into it again whenever something was committed there. Which file a
// shard has is said by the directory's own list alone: no path comes from the
// catalog or from a request.
//
// A keyspace is made in the order that an embedded database keeps: the files, the
// directory's list, and then, by the gate, the catalog's entry, which decides. So
// the list has all that the catalog has. What it has beyond that was left half
// made or half dropped: it isn't served, and goes when it is made again. Where the
// catalog has no keyspace at all, it is another server's, and all that the list has
// is served.
//
// # Use
//
// A [Shard] is a tablet.Tablet that is there whether its database is open or not.
// Streams and transactions keep it open, and so does what is prepared or decided
// and isn't settled. Beyond a number of open tablets, the one that was idle for
// longest is closed for the next. The tablets settle among themselves what their
// coordinators have left; when the host opens, each is opened once for that.
package host
