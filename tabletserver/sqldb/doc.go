// Package sqldb keeps a shard's rows in any database that speaks SQLite and has a
// database/sql driver: libSQL on a server, a file that another driver opens.
//
// It is the [tabletserver.Engine] of such a database. SQL goes through as it is, with
// the numbers of its parameters made dense, since not every driver takes gaps. What
// the tablet needs to know of the database beside the users' tables stands in one row
// of the table _vt_meta: the schema's version, the turn and the owner.
//
// # One owner
//
// A database has one tablet. [New] makes it the owner: the row names it until a time,
// by the database's own clock, that is moved on again and again. Another one can't be
// the owner before that time is over, or the owner has closed. Every transaction that
// writes looks, once it has the database's write lock, whether the row still names
// its owner, so that one that was taken for dead writes nothing; reads are refused
// when the time has passed without being moved on.
//
// # The turn
//
// The same look moves the turn on. When a connection breaks under a COMMIT, a new one
// takes the write lock, which says that the old transaction has ended, and finds by
// the turn how.
package sqldb
