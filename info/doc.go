// Package info answers SHOW and DESCRIBE from what the gate knows: the schema,
// the VSchema and the session. In go the statement and an [Input], out come
// columns and literal rows, in the names and formats of MySQL 8. No shard is
// asked; what only a shard could tell (row counts, sizes) is NULL.
package info
