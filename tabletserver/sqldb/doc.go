// Package sqldb keeps a shard's rows in any database that speaks SQLite and has a
// database/sql driver: libSQL on a server, a file that another driver opens.
//
// It is the [tabletserver.Engine] of such a database. SQL goes through as it is, with
// the numbers of its parameters made dense, since not every driver takes gaps. What
// the tablet needs to know of the database beside the users' tables stands in one row
// of the table _vt_meta: the schema's version, the turn and the owner.
//
// A database has one tablet, by a [lease.Lease]; the row is what that asks for. Every
// transaction that writes finds there, once it has the database's write lock, that it is still
// its owner's, and moves the turn on.
package sqldb
