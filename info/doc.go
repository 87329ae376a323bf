// Package info tells what the gate knows, the schema, the VSchema and the
// session, in the names and formats of MySQL 8. No shard is asked; what only a
// shard could tell (row counts, sizes) is NULL.
//
// [Answer] and [Describe] answer SHOW and DESCRIBE: in go the statement and an
// [Input], out come columns and literal rows. [CatalogTable] and [CatalogRows]
// are information_schema: a table's definition for the planner, and its rows,
// which take a shard's place in the combine (catalog*.go).
package info
