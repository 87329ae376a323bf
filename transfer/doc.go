// Package transfer moves rows and schemas in and out of a database: CSV, lines of
// JSON, SQL dumps, and whole SQLite files.
//
//	file ──▶ text (gunzipped, counted) ──▶ records ──▶ batches ──▶ one transaction: rows and checkpoint
//	tables, as of one moment ──▶ rows ──▶ records ──▶ file
//
// It works over database/sql, so that the database may be anywhere. Nothing is kept in
// memory but the rows of one transaction.
//
// # Checkpoints
//
// Each transaction of an import also writes, to the table vitessdo_import, how far in
// its source it has come, so that a run which was killed is gone on with by another
// one, and no row comes twice. What an import is known by is its source's name and
// beginning, as far as that was taken in, and what it was told to do. The table goes with
// the last import that ends.
//
// # Bad records
//
// A record that can't be read, or that a constraint refuses, is told by its line. Then
// the import stops, with all records before it written, or skips it and keeps it for a
// file of rejects. A batch that fails is cut in halves until the bad record is found.
package transfer
