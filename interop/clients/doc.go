// Package clients shows that what Go programs put between themselves and MySQL works
// with vitessdo: query builders and ORMs (sqlx, squirrel, goqu, bun, ent, sqlc) and
// migration tools (golang-migrate, goose, Atlas), each on one shard and on four.
//
// It has nothing but tests, in a module of its own for what they bring along. In flow
// the libraries' own calls, by which docs/clients.md shows how to begin.
package clients
