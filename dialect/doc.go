// Package dialect says what a printer is: statements of [sqlast] go in, text
// for one storage engine comes out, in segments, because an IN list that is
// split over shards is filled in at run time ([Text], [ListSlot]). What an
// engine can't express faithfully is an [UnsupportedError], never a guess.
// Where the shards of a keyspace speak several dialects, [Printers] make a text of all
// of them, of which each shard is sent its own.
//
// Two things here belong to no engine: [ApplyAlter] computes the table
// definition that an ALTER TABLE leads to, and [ShowCreate] writes a definition
// as MySQL's CREATE TABLE. The printers stand in packages beneath, as
// dialect/sqlite.
package dialect
