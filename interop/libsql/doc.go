// Package libsql keeps shards in libSQL databases, of a server (sqld) or of Turso:
//
//	cfg := vitessdo.NewConfig()
//	cfg.Dir = "./data" // the catalog, and the log of commits over several shards
//	cfg.Shards = 2
//	cfg.Storage = libsql.Storage(map[string]string{
//		"main/-80": "libsql://a-org.turso.io?authToken=…",
//		"main/80-": "libsql://b-org.turso.io?authToken=…",
//	})
//	connector, err := vitessdo.NewConnector(cfg)
//	db := sql.OpenDB(connector)
//
// Topology files name such a shard by its URL, libsql://… or libsql+ws://…, once this
// package is imported; the token stands among the file's tokens.
//
// It is [sqldb] over github.com/tursodatabase/libsql-client-go, which has a module
// of its own here for what that brings along.
//
// Each statement is a request to the server. One outside of a transaction that reads
// is one request; a write is four: BEGIN IMMEDIATE, the look whether the database is
// still this process's, the statement, COMMIT. A server that ends idle connections
// costs a request more. A result comes whole, over ws and wss up to 16 MiB.
package libsql
